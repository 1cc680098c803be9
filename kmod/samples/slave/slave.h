/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the slave driver share: slave_wdm.c moves data by system
 * DMA, slave_demo.c is what there is to move, slave_linux.c is the driver's
 * Linux half. Include wdm.h first.
 */
#ifndef SLAVE_H
#define SLAVE_H

#define SLAVE_TAG		0x76616c53	/* 'Slav', read backwards */

/* Where the device's buffer is for the controller, and what it takes. */
#define SLAVE_ADDRESS		0x40000
#define SLAVE_LENGTH		4095

/* Longest transfer that the adapters are asked for. */
#define SLAVE_MAXIMUM_LENGTH	(4 * PAGE_SIZE)

/* A command takes a tenth of a second; a busy emulator may take longer. */
#define SLAVE_TIMEOUT_SECONDS	60

/*
 * What is told at once of a loop: a part of its buffer that the device's takes
 * twelve times. Loops of two and of three such parts have no other period.
 */
#define SLAVE_PERIOD		341

/* For as long as the transfer takes. */
#define SLAVE_ALL_COMMANDS	0xffffffff

/* What one run of SlaveRunTransfers did. */
typedef struct _SLAVE_REPORT {
	ULONGLONG Bytes;	/* moved by the controller, both directions */
	ULONG Transfers;	/* that came to their end */
	ULONG Elements;		/* calls of MapTransferEx that these took */
	ULONG Periods;		/* of loops */
	ULONG Cancelled;	/* transfers that were stopped under way */
	ULONG Mismatches;	/* bytes that are not what they should be */
	ULONG Checks;		/* of SlaveExpect */
	ULONG Surprises;	/* checks that were not met */
	PCSTR Surprise;		/* the first of them */
} SLAVE_REPORT, *PSLAVE_REPORT;

/* An adapter, and the one transfer that it may have. */
typedef struct _SLAVE_CHANNEL {
	PDEVICE_OBJECT DeviceObject;
	PDMA_ADAPTER DmaAdapter;
	BOOLEAN Loop;			/* the adapter is autoinitialized */
	ULONG MapRegisters;		/* most that one transfer may use */
	PVOID MapRegisterBase;
	PMDL Mdl;
	ULONG Offset;			/* of what is mapped, in the chain */
	ULONG Length;			/* of what is mapped */
	BOOLEAN WriteToDevice;
	ULONG Commands;			/* that the device takes part in */
	LONG Completions;		/* interlocked, of what is mapped */
	LONG Cancellations;		/* of these with DmaCancelled */
	DMA_COMPLETION_STATUS Status;	/* of the last of them */
	LONG WantedPeriods;		/* of a loop, before Completed is signaled */
	KEVENT Granted;
	KEVENT Completed;
	UCHAR Context[DMA_TRANSFER_CONTEXT_SIZE_V1];
} SLAVE_CHANNEL, *PSLAVE_CHANNEL;

typedef struct _SLAVE_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	SLAVE_CHANNEL First;
	SLAVE_CHANNEL FirstAgain;	/* another user of the same channel */
	SLAVE_CHANNEL Second;
	SLAVE_CHANNEL FirstLoop;	/* two more, autoinitialized */
	SLAVE_CHANNEL SecondLoop;
	SLAVE_REPORT Report;
} SLAVE_EXTENSION, *PSLAVE_EXTENSION;

/* What the resources say of the device: its request lines. */
typedef struct _SLAVE_RESOURCES {
	ULONG FirstLine;
	ULONG SecondLine;
	ULONG OtherLine;	/* none of the device */
} SLAVE_RESOURCES, *PSLAVE_RESOURCES;

/* A piece of a transfer. */
typedef struct _SLAVE_PIECE {
	PMDL Mdl;
	ULONG Offset;
	ULONG Length;
	ULONG DeviceOffset;
	BOOLEAN WriteToDevice;
	ULONG Commands;		/* SLAVE_ALL_COMMANDS, or stands still then */
} SLAVE_PIECE, *PSLAVE_PIECE;
typedef const struct _SLAVE_PIECE *PCSLAVE_PIECE;

/* slave_wdm.c, called by the glue. PASSIVE_LEVEL. */
VOID SlaveAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS SlaveStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
			  _In_ PSLAVE_RESOURCES Resources);
VOID SlaveStopDevice(_In_ PDEVICE_OBJECT DeviceObject);

/*
 * slave_wdm.c, in this order. One thread at a time for each channel,
 * PASSIVE_LEVEL.
 */
NTSTATUS SlaveAskForChannel(_Inout_ PSLAVE_CHANNEL Channel, _In_ PMDL Mdl,
			    _In_ ULONG Offset, _In_ ULONG Length);
BOOLEAN SlaveWaitForChannel(_In_ PSLAVE_CHANNEL Channel);
NTSTATUS SlaveStartPiece(_Inout_ PSLAVE_CHANNEL Channel,
			 _In_ PCSLAVE_PIECE Piece);
BOOLEAN SlaveWaitForPiece(_In_ PSLAVE_CHANNEL Channel);
ULONG SlaveReadCounter(_In_ PSLAVE_CHANNEL Channel);
NTSTATUS SlaveCancelPiece(_In_ PSLAVE_CHANNEL Channel);
NTSTATUS SlaveFlushPiece(_In_ PSLAVE_CHANNEL Channel);
VOID SlaveFreeChannel(_In_ PSLAVE_CHANNEL Channel);

/* slave_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS SlaveRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			   _Out_ PSLAVE_REPORT Report);

#endif /* SLAVE_H */
