/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the UART driver share: uart_wdm.c drives the device,
 * uart_dma.c moves data over it by system DMA, uart_demo.c is what there is to
 * move, uart_linux.c is the driver's Linux half. Include wdm.h first.
 */
#ifndef UART_H
#define UART_H

#define UART_TAG		0x74726155	/* 'Uart', read backwards */

/* Longest transfer that the adapters are asked for. */
#define UART_MAXIMUM_LENGTH	(64 * 1024)

/* Everything takes well below a second; a busy emulator may take longer. */
#define UART_TIMEOUT_SECONDS	60

/* What one run of UartRunTransfers did. */
typedef struct _UART_REPORT {
	ULONGLONG Bytes;	/* moved by the controller, both directions */
	ULONG Transfers;	/* that came to their end */
	ULONG Elements;		/* calls of MapTransferEx that these took */
	ULONG Periods;		/* of the loop over the common buffer */
	ULONG Completions;	/* calls of the completion routine */
	ULONG Cancelled;	/* of these with DmaCancelled */
	ULONG Mismatches;	/* bytes that are not what they should be */
	ULONG Checks;		/* of UartExpect */
	ULONG Surprises;	/* checks that were not met */
	PCSTR Surprise;		/* the first of them */
} UART_REPORT, *PUART_REPORT;

typedef enum _UART_CHANNEL_STATE {
	UartChannelIdle,
	UartChannelWaiting,	/* for the channel */
	UartChannelRunning,	/* a piece is mapped, or about to be */
	UartChannelAdvancing,	/* the completion routine goes on to the next */
	UartChannelStopping,	/* the thread that stops it ends it */
	UartChannelEnded,	/* whoever moved it here ends it */
} UART_CHANNEL_STATE;

struct _UART_EXTENSION;

/* An adapter, and the one transfer that it may have. */
typedef struct _UART_CHANNEL {
	struct _UART_EXTENSION *Extension;
	PDMA_ADAPTER DmaAdapter;
	ULONG MapRegisters;		/* most that one transfer may use */
	BOOLEAN WriteToDevice;
	BOOLEAN Loop;			/* the adapter is autoinitialized */

	KSPIN_LOCK Lock;
	UART_CHANNEL_STATE State;	/* under Lock */
	PVOID MapRegisterBase;
	PMDL Mdl;
	ULONG Offset;			/* of the piece, in the chain */
	ULONG Piece;			/* bytes that are mapped */
	ULONG Left;			/* bytes from Offset on */
	ULONG Length;			/* of the whole transfer */
	ULONG Pieces;
	NTSTATUS Status;		/* valid when Done is signaled */
	LONG Completions;		/* interlocked */
	LONG Cancellations;		/* of these with DmaCancelled */
	LONG WantedPeriods;		/* of a loop, before Done is signaled */
	KEVENT Done;
	UCHAR Context[DMA_TRANSFER_CONTEXT_SIZE_V1];
} UART_CHANNEL, *PUART_CHANNEL;

typedef struct _UART_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	PUCHAR Registers;
	SIZE_T RegistersLength;
	UART_CHANNEL Receive;
	UART_CHANNEL Send;
	UART_CHANNEL Loop;		/* sends, over and over again */
	UART_CHANNEL Ring;		/* receives, over and over again */
	UART_REPORT Report;
} UART_EXTENSION, *PUART_EXTENSION;

/* What the resources and the bus say of the device. */
typedef struct _UART_RESOURCES {
	PHYSICAL_ADDRESS RegistersBase;
	ULONG RegistersLength;
	PHYSICAL_ADDRESS DmaBase;	/* of the registers, for the controller */
	ULONG ReceiveChannel;		/* DmaChannel of a description */
	ULONG SendChannel;
	ULONG ClockRate;		/* of the baud rate generator, in Hz */
} UART_RESOURCES, *PUART_RESOURCES;

/* uart_wdm.c, called by the glue. PASSIVE_LEVEL. */
VOID UartAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS UartStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
			 _In_ PUART_RESOURCES Resources);
VOID UartStopDevice(_In_ PDEVICE_OBJECT DeviceObject);

/* uart_wdm.c: single characters, moved by the CPU. Any IRQL. */
VOID UartPutCharacters(_In_ PUART_EXTENSION Extension,
		       _In_reads_(Length) PCCHAR Characters,
		       _In_ ULONG Length);
ULONG UartCountReceived(_In_ PUART_EXTENSION Extension);
BOOLEAN UartGetCharacter(_In_ PUART_EXTENSION Extension,
			 _Out_ PUCHAR Character);

/*
 * uart_dma.c. One thread at a time for each channel, PASSIVE_LEVEL, but for
 * UartReadCounter.
 */
NTSTATUS UartBeginTransfer(_Inout_ PUART_CHANNEL Channel, _In_ PMDL Mdl,
			   _In_ ULONG Offset, _In_ ULONG Length);
NTSTATUS UartWaitForTransfer(_Inout_ PUART_CHANNEL Channel);
NTSTATUS UartStopTransfer(_Inout_ PUART_CHANNEL Channel, _In_ BOOLEAN Cancel);
NTSTATUS UartTransferByPolling(_Inout_ PUART_CHANNEL Channel, _In_ PMDL Mdl,
			       _In_ ULONG Length);
ULONG UartReadCounter(_In_ PUART_CHANNEL Channel);
NTSTATUS UartConfigure(_In_ PUART_CHANNEL Channel, _In_ ULONG FunctionNumber);

/* uart_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS UartRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			  _Out_ PUART_REPORT Report);

/* uart_demo.c, called by uart_dma.c: counts what was not as it must be. */
VOID UartExpect(_In_ PUART_EXTENSION Extension, _In_ BOOLEAN Condition,
		_In_z_ PCSTR Text);

#endif /* UART_H */
