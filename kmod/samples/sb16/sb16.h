/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the sound card's driver share: sb_wdm.c drives the card,
 * sb_demo.c is what there is to play, sb_linux.c is its Linux half. Include
 * wdm.h first.
 */
#ifndef SB16_H
#define SB16_H

#define SB_TAG			0x20364253	/* 'SB6 ' */
#define SB_RATE			44100

/* Played once: bytes, one channel. record.sh knows them, too. */
#define SB_ONCE_LENGTH		24576
#define SB_PIECE_LENGTH		8192

/*
 * Played again and again until a flush, then until a cancel: words, two
 * channels. The lowest bit of each word is 1 in the first loop, 0 in the second.
 */
#define SB_LOOP_LENGTH		32768
#define SB_LOOP_PASSES		4

/* What one run of SbRunTransfers did. */
typedef struct _SB_REPORT {
	ULONG Pieces;		/* of what was played once */
	ULONG Interrupts;	/* two for each pass of the loop, and one a piece */
	ULONG Counters;		/* values of the counter that were wrong */
	ULONG Values;		/* that differ from the one before */
	ULONG Wraps;		/* of the counter */
	ULONG Late;		/* interrupts after the flush of the loops */
	ULONG Cancels;		/* that stopped a loop under way, once */
	ULONG LateCancelled;	/* interrupts after that */
} SB_REPORT, *PSB_REPORT;

typedef struct _SB_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	ULONG_PTR Ports;
	PDMA_ADAPTER Bytes;		/* single transfers of the low channel */
	ULONG BytesRegisters;
	PDMA_ADAPTER Words;		/* loops of the high channel */
	ULONG WordsRegisters;
	PDMA_ADAPTER WordsEx;		/* the same of version 3 */
	ULONG WordsExRegisters;
	UCHAR Context[DMA_TRANSFER_CONTEXT_SIZE_V1];
	PVOID MapRegisterBase;		/* while a channel is ours */
	LONG Interrupts;		/* interlocked */
	KEVENT Granted;			/* a channel is ours */
	KEVENT Interrupted;
	SB_REPORT Report;
} SB_EXTENSION, *PSB_EXTENSION;

/* Resources as a PnP manager would hand them over. */
typedef struct _SB_RESOURCES {
	ULONG Port;
	ULONG Irq;
	ULONG LowChannel;
	ULONG HighChannel;
} SB_RESOURCES;

typedef const struct _SB_RESOURCES *PCSB_RESOURCES;

/* What is mapped: all of an MDL or a part. */
typedef struct _SB_MOVE {
	PDMA_ADAPTER Adapter;
	PMDL Mdl;
	ULONG Offset;
	ULONG Length;
} SB_MOVE;

typedef const struct _SB_MOVE *PCSB_MOVE;

/* sb_wdm.c, called by the glue. PASSIVE_LEVEL but for SbInterrupt. */
VOID SbAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS SbStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
		       _In_ PCSB_RESOURCES Resources);
VOID SbStopDevice(_In_ PDEVICE_OBJECT DeviceObject);
BOOLEAN SbInterrupt(_In_ PDEVICE_OBJECT DeviceObject);

/* sb_wdm.c, called by sb_demo.c. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS SbReset(_In_ PSB_EXTENSION Extension);
NTSTATUS SbTakeChannel(_In_ PSB_EXTENSION Extension, _In_ PDMA_ADAPTER Adapter,
		       _In_ ULONG Registers);
NTSTATUS SbTakeChannelEx(_In_ PSB_EXTENSION Extension,
			 _In_ PDMA_ADAPTER Adapter, _In_ ULONG Registers);
VOID SbFreeChannel(_In_ PDMA_ADAPTER Adapter);
NTSTATUS SbMap(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Move);
NTSTATUS SbFlush(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Move);
NTSTATUS SbMapEx(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Move);
NTSTATUS SbCancelEx(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Move);
NTSTATUS SbFlushEx(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Move);
NTSTATUS SbPlayBytes(_In_ PSB_EXTENSION Extension, _In_ ULONG Length);
NTSTATUS SbLoopWords(_In_ PSB_EXTENSION Extension, _In_ ULONG BlockLength);
NTSTATUS SbWait(_In_ PSB_EXTENSION Extension);

/* sb_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS SbRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			_Out_ PSB_REPORT Report);

#endif /* SB16_H */
