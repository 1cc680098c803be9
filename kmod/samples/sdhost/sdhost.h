/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the SD host driver share: sdhost_wdm.c drives the host,
 * sdhost_card.c the card in it, sdhost_dma.c moves blocks by system DMA,
 * sdhost_demo.c is what there is to move, sdhost_linux.c is the driver's Linux
 * half. Include wdm.h first.
 */
#ifndef SDHOST_H
#define SDHOST_H

#define SD_TAG			0x74736453	/* 'Sdst', read backwards */

#define SD_BLOCK_SIZE		512

/* Longest transfer that the adapter is asked for. */
#define SD_MAXIMUM_LENGTH	(64 * 1024)

/* Everything takes well below a second; a busy emulator may take longer. */
#define SD_TIMEOUT_SECONDS	60

/* Registers */
#define SD_COMMAND		0x00
#define SD_ARGUMENT		0x04
#define SD_TIMEOUT		0x08
#define SD_CLOCK_DIVISOR	0x0c
#define SD_RESPONSE		0x10
#define SD_STATUS		0x20
#define SD_POWER		0x30
#define SD_MACHINE		0x34
#define SD_CONFIGURATION	0x38
#define SD_BLOCK_LENGTH		0x3c
#define SD_DATA			0x40
#define SD_BLOCK_COUNT		0x50
#define SD_REGISTERS_END	0x54

#define SD_COMMAND_NEW		0x8000
#define SD_COMMAND_FAILED	0x4000
#define SD_COMMAND_BUSY		0x0800	/* the card may be busy afterwards */
#define SD_COMMAND_NO_RESPONSE	0x0400
#define SD_COMMAND_LONG		0x0200	/* response of 136 bits */
#define SD_COMMAND_WRITE	0x0080
#define SD_COMMAND_READ		0x0040

#define SD_STATUS_BUSY_ENDED	0x0400
#define SD_STATUS_ALL		0x07f8
#define SD_STATUS_ERRORS	0x00f8

#define SD_CONFIGURATION_BUSY	0x0400	/* status says when it ends */
#define SD_CONFIGURATION_SLOW	0x0008
#define SD_CONFIGURATION_WIDE	0x0002	/* the FIFO, not the card */

/* Of SD_MACHINE: its state, what the FIFO holds, when it asks for the DMA */
#define SD_MACHINE_STATE	0xf
#define SD_STATE_IDENTIFY	0
#define SD_STATE_DATA		1
#define SD_STATE_READ_WAIT	4
#define SD_STATE_WRITE_START	10
#define SD_MACHINE_WORDS(Value)	(((Value) >> 4) & 0x1f)
#define SD_MACHINE_THRESHOLDS	((4 << 14) | (4 << 9))
#define SD_MACHINE_THRESHOLDS_MASK ((0x1f << 14) | (0x1f << 9))
#define SD_MACHINE_FORCE_DATA	0x80000

/* What one run of SdRunTransfers did. */
typedef struct _SD_REPORT {
	ULONGLONG Bytes;	/* moved by the controller, both directions */
	ULONG Transfers;	/* that came to their end */
	ULONG Elements;		/* calls of MapTransferEx that these took */
	ULONG Completions;	/* calls of the completion routine */
	ULONG Cancelled;	/* of these with DmaCancelled */
	ULONG Mismatches;	/* bytes that are not what they should be */
	ULONG Checks;		/* of SdExpect */
	ULONG Surprises;	/* checks that were not met */
	PCSTR Surprise;		/* the first of them */
} SD_REPORT, *PSD_REPORT;

/* How a transfer ends. */
typedef enum _SD_ENDING {
	SdComplete,
	SdCancel,		/* by CancelMappedTransfer, once it is started */
	SdFlush,		/* by the flush alone, once it is started */
} SD_ENDING;

typedef struct _SD_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	PUCHAR Registers;
	SIZE_T RegistersLength;
	ULONG ClockRate;
	ULONG RelativeAddress;		/* of the card, where commands want it */
	BOOLEAN BlockAddressed;		/* the card counts blocks, not bytes */

	PDMA_ADAPTER DmaAdapter;
	ULONG MapRegisters;		/* most that one transfer may use */
	PVOID MapRegisterBase;
	KEVENT Done;
	LONG Completions;		/* interlocked, of the present piece */
	DMA_COMPLETION_STATUS LastStatus;
	UCHAR Context[DMA_TRANSFER_CONTEXT_SIZE_V1];

	SD_REPORT Report;
} SD_EXTENSION, *PSD_EXTENSION;

/* What the resources and the bus say of the device. */
typedef struct _SD_RESOURCES {
	PHYSICAL_ADDRESS RegistersBase;
	ULONG RegistersLength;
	PHYSICAL_ADDRESS DmaBase;	/* of the registers, for the controller */
	ULONG DmaRequestLine;
	ULONG ClockRate;		/* in Hz */
} SD_RESOURCES, *PSD_RESOURCES;

/* sdhost_wdm.c, called by the glue. PASSIVE_LEVEL. */
VOID SdAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS SdStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
		       _In_ PSD_RESOURCES Resources);
VOID SdStopDevice(_In_ PDEVICE_OBJECT DeviceObject);

/* sdhost_wdm.c: registers. Any IRQL. */
ULONG SdRead(_In_ PSD_EXTENSION Extension, _In_ ULONG Register);
VOID SdWrite(_In_ PSD_EXTENSION Extension, _In_ ULONG Register,
	     _In_ ULONG Value);
VOID SdSetClock(_In_ PSD_EXTENSION Extension, _In_ ULONG Hertz);
VOID SdSleep(_In_ ULONG Milliseconds);

/* sdhost_card.c. PASSIVE_LEVEL, one thread at a time. */
NTSTATUS SdIdentifyCard(_Inout_ PSD_EXTENSION Extension);
NTSTATUS SdBeginBlocks(_In_ PSD_EXTENSION Extension, _In_ ULONG Block,
		       _In_ ULONG Count, _In_ BOOLEAN WriteToDevice);
NTSTATUS SdEndBlocks(_In_ PSD_EXTENSION Extension, _In_ ULONG Count);
VOID SdAbortBlocks(_In_ PSD_EXTENSION Extension);
BOOLEAN SdReadWord(_In_ PSD_EXTENSION Extension, _Out_ PULONG Word);

/* sdhost_dma.c. PASSIVE_LEVEL, one thread at a time. */
NTSTATUS SdTransfer(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
		    _In_ ULONG Block, _In_ ULONG Count,
		    _In_ BOOLEAN WriteToDevice, _In_ SD_ENDING Ending);
NTSTATUS SdTryMapping(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
		      _In_ ULONG Length);

/* sdhost_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS SdRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			_Out_ PSD_REPORT Report);

/* sdhost_demo.c, called by sdhost_dma.c */
VOID SdExpect(_In_ PSD_EXTENSION Extension, _In_ BOOLEAN Condition,
	      _In_z_ PCSTR Text);
PUCHAR SdByteOf(_In_ PMDL Mdl, _In_ ULONG Offset);

#endif /* SDHOST_H */
