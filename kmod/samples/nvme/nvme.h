/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the nvme driver share: nvme_wdm.c owns the controller and
 * its queues, nvme_io.c takes memory to the disk and back, nvme_demo.c is what
 * there is to do with it, in the memory of nvme_buffer.c, and nvme_linux.c is
 * the Linux half. Include wdm.h first.
 */
#ifndef NVME_H
#define NVME_H

#define NVME_TAG		0x656d764e	/* 'emvN' */

/* The driver uses the smallest page of the interface, whatever the CPU's is. */
#define NVME_PAGE_SIZE		4096
#define NVME_BLOCK_SIZE		512

#define NVME_MAXIMUM_LENGTH	(1024 * 1024)	/* of one command */
#define NVME_REQUESTS		8		/* commands at a time */
#define NVME_QUEUE_ENTRIES	16		/* a power of two */

/* Where the disk holds what; image.sh knows the same numbers. */
#define NVME_HOST_BLOCKS	4096	/* from block 0, prepared by the host */
#define NVME_WRITTEN_BLOCK	NVME_HOST_BLOCKS
#define NVME_WRITTEN_BLOCKS	8192	/* all written by the demonstration */
#define NVME_DISK_BLOCKS	16384	/* the rest must stay as it is */

/* What one run of NvmeRunTransfers did. */
typedef struct _NVME_REPORT {
	ULONGLONG Bytes;	/* moved by the controller, both directions */
	ULONG Commands;		/* reads and writes */
	ULONG Elements;		/* of their lists */
	ULONG Prps;		/* what the elements became */
	ULONG InFlight;		/* most commands at a time */
	ULONG Mismatches;	/* bytes that are not what they should be */
	ULONG Interrupts;	/* during the run */
} NVME_REPORT, *PNVME_REPORT;

/* ---- What the controller reads and writes ---- */

typedef struct _NVME_COMMAND {
	UCHAR Opcode;
	UCHAR Flags;
	USHORT CommandId;
	ULONG NamespaceId;
	ULONGLONG Reserved;
	ULONGLONG Metadata;
	ULONGLONG Prp1;
	ULONGLONG Prp2;
	ULONG Dword10;
	ULONG Dword11;
	ULONG Dword12;
	ULONG Dword13;
	ULONG Dword14;
	ULONG Dword15;
} NVME_COMMAND, *PNVME_COMMAND;

typedef const struct _NVME_COMMAND *PCNVME_COMMAND;

C_ASSERT(sizeof(NVME_COMMAND) == 64);

/* The last word changes last, all of it at once. */
typedef struct _NVME_COMPLETION {
	ULONG Result;
	ULONG Reserved;
	ULONG SubmissionQueue;
	ULONG Outcome;
} NVME_COMPLETION, *PNVME_COMPLETION;

C_ASSERT(sizeof(NVME_COMPLETION) == 16);

#define NVME_OUTCOME_ID(Outcome)	((Outcome) & 0xffff)
#define NVME_OUTCOME_PHASE		0x10000
#define NVME_OUTCOME_FAILED(Outcome)	(((Outcome) >> 17) != 0)

/* ---- What the driver knows ---- */

/* A submission queue and its completion queue. Both counters only grow. */
typedef struct _NVME_QUEUE {
	PNVME_COMMAND Commands;
	PNVME_COMPLETION Completions;
	ULONGLONG CommandsAddress;	/* for the controller */
	ULONGLONG CompletionsAddress;
	ULONG TailDoorbell;		/* registers */
	ULONG HeadDoorbell;
	ULONG Tail;			/* commands put into the queue */
	ULONG Rung;			/* of which the controller knows */
	LONG Head;			/* completions taken, interlocked */
} NVME_QUEUE, *PNVME_QUEUE;

typedef const struct _NVME_QUEUE *PCNVME_QUEUE;

typedef struct _NVME_COMMON {
	PUCHAR Memory;
	PHYSICAL_ADDRESS Address;	/* for the controller */
	ULONG Length;
} NVME_COMMON, *PNVME_COMMON;

typedef enum _NVME_REQUEST_STATE {
	NvmeRequestEnded,	/* whoever moved it here completes it */
	NvmeRequestWaiting,	/* for its scatter/gather list */
	NvmeRequestRunning,	/* in the queue or in the controller */
} NVME_REQUEST_STATE;

/* One read or write command. Its index is its command identifier. */
typedef struct _NVME_REQUEST {
	NVME_REQUEST_STATE State;	/* under NVME_EXTENSION.Lock */
	struct _NVME_REQUEST *Next;	/* of those that ended together */
	PSCATTER_GATHER_LIST List;
	ULONGLONG Block;
	ULONG Length;
	ULONG Elements;
	BOOLEAN WriteToDevice;
	ULONGLONG Prp1;
	ULONGLONG PrpEnd;		/* behind the memory of the last PRP */
	ULONG Prps;
	PULONGLONG PrpList;		/* all but the first, a page */
	ULONGLONG PrpListAddress;	/* for the controller */
	NTSTATUS Status;		/* valid when Done is signaled */
	KEVENT Done;
	UCHAR Context[DMA_TRANSFER_CONTEXT_SIZE_V1];
} NVME_REQUEST, *PNVME_REQUEST;

typedef const struct _NVME_REQUEST *PCNVME_REQUEST;

typedef struct _NVME_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	PUCHAR Registers;
	SIZE_T RegistersLength;
	ULONG ReadyMilliseconds;	/* most that a change of state takes */
	BOOLEAN MessageSignaled;
	BOOLEAN Connected;		/* to the interrupt */
	PDMA_ADAPTER DmaAdapter;
	ULONG MapRegisters;		/* most that one list may use */
	ULONG MaximumTransfer;		/* bytes that a command may move */
	ULONGLONG Blocks;		/* of the disk */
	NVME_COMMON Shared;		/* queues, and a page for identify */
	NVME_COMMON PrpLists;		/* a page for each request */
	LONG Interrupts;		/* interlocked */

	KSPIN_LOCK Lock;		/* protects what follows */
	BOOLEAN Failed;			/* timed out once, switched off */
	BOOLEAN Plugged;		/* commands gather in the queue */
	NVME_QUEUE Admin;
	NVME_QUEUE Io;
	ULONG Running;			/* requests */
	ULONG MostRunning;		/* that the controller knew of */
	BOOLEAN AdminRunning;
	NTSTATUS AdminStatus;		/* valid when AdminDone is signaled */
	KEVENT AdminDone;
	NVME_REQUEST Requests[NVME_REQUESTS];

	ULONG Runs;			/* of the demonstration */
	NVME_REPORT Report;
} NVME_EXTENSION, *PNVME_EXTENSION;

/* What a driver of Windows finds in its list of translated resources. */
typedef struct _NVME_RESOURCES {
	PHYSICAL_ADDRESS RegistersBase;
	ULONG RegistersLength;
	BOOLEAN MessageSignaled;
	ULONG DmaAddressWidth;
} NVME_RESOURCES, *PNVME_RESOURCES;

typedef const struct _NVME_RESOURCES *PCNVME_RESOURCES;

/* A range of an MDL chain to take to the disk, or to fill from it. */
typedef struct _NVME_MOVE {
	PMDL Mdl;
	ULONG Offset;
	ULONG Length;		/* whole blocks */
	ULONGLONG Block;
	BOOLEAN WriteToDevice;
} NVME_MOVE, *PNVME_MOVE;

typedef const struct _NVME_MOVE *PCNVME_MOVE;

typedef enum _NVME_BUFFER_KIND {
	NvmePool,		/* one piece of pool */
	NvmePages,		/* single pages, mapped in one piece */
	NvmeChain,		/* a chain of MDLs that meet at page edges */
	NvmeBufferKinds
} NVME_BUFFER_KIND;

typedef struct _NVME_BUFFER {
	NVME_BUFFER_KIND Kind;
	PMDL Mdl;		/* the first of the chain */
	PUCHAR Memory;		/* all of it, the gaps as well */
	SIZE_T MemoryLength;
} NVME_BUFFER, *PNVME_BUFFER;

/* nvme_wdm.c, called by the glue. PASSIVE_LEVEL but for NvmeInterrupt. */
VOID NvmeAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS NvmeStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
			 _In_ PCNVME_RESOURCES Resources);
VOID NvmeStopDevice(_In_ PDEVICE_OBJECT DeviceObject);
BOOLEAN NvmeInterrupt(_In_ PDEVICE_OBJECT DeviceObject);

/* nvme_wdm.c, called by nvme_io.c. The first two with the lock held. */
VOID NvmeSubmit(_In_ PNVME_QUEUE Queue, _In_ PCNVME_COMMAND Command);
VOID NvmeRing(_In_ PNVME_EXTENSION Extension, _Inout_ PNVME_QUEUE Queue);
VOID NvmeFailController(_In_ PNVME_EXTENSION Extension);

/* nvme_io.c, called by nvme_wdm.c. */
VOID NvmeInitializeRequests(_In_ PNVME_EXTENSION Extension);
PNVME_REQUEST NvmeEndRequest(_In_ PNVME_EXTENSION Extension,
			     _In_ ULONG Outcome);
VOID NvmeCompleteRequests(_In_ PNVME_EXTENSION Extension,
			  _In_opt_ PNVME_REQUEST Ended);

/* nvme_io.c, called by nvme_demo.c. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS NvmeRunMoves(_In_ PNVME_EXTENSION Extension,
		      _In_reads_(Count) PCNVME_MOVE Moves,
		      _In_ ULONG Count);

/* nvme_buffer.c, called by nvme_demo.c. PASSIVE_LEVEL. */
NTSTATUS NvmeCreateBuffer(_In_ NVME_BUFFER_KIND Kind,
			  _Out_ PNVME_BUFFER Buffer);
VOID NvmeDeleteBuffer(_Inout_ PNVME_BUFFER Buffer);
VOID NvmeCopyIn(_In_ PNVME_BUFFER Buffer, _In_ ULONG Offset,
		_In_reads_bytes_(Length) const VOID *Source, _In_ ULONG Length);
VOID NvmeCopyOut(_In_ PNVME_BUFFER Buffer, _In_ ULONG Offset,
		 _Out_writes_bytes_(Length) PVOID Target, _In_ ULONG Length);
VOID NvmeFillGuard(_In_ PNVME_BUFFER Buffer, _In_ ULONG Offset,
		   _In_ ULONG Length);
ULONG NvmeCheckGuard(_In_ PNVME_BUFFER Buffer);

/* nvme_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS NvmeRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			  _Out_ PNVME_REPORT Report);

/* nvme_linux.c, called by the driver. PASSIVE_LEVEL. */
NTSTATUS NvmeConnectInterrupt(_In_ PDEVICE_OBJECT DeviceObject);
VOID NvmeDisconnectInterrupt(_In_ PDEVICE_OBJECT DeviceObject);
VOID NvmeDisableBusMaster(_In_ PDEVICE_OBJECT DeviceObject);

#endif /* NVME_H */
