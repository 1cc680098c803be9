// SPDX-License-Identifier: GPL-2.0
/*
 * A WDM driver for the UART of Samsung's SoCs, as far as DMA needs it: the
 * registers, and the adapters for its two request lines. Nothing in this file
 * is specific to Linux.
 *
 * The device is no bus master. A DMA controller that other devices use as well
 * moves one byte between memory and a data register each time when the device
 * raises a request line: system DMA of version 3. There are four adapters. Two
 * send and two receive, each pair through one channel: one of a pair is
 * autoinitialized and repeats its buffer until it is stopped, which a
 * description says once and for all.
 */
#include <wdm.h>
#include "uart.h"

/* Registers */
#define UART_LINE_CONTROL	0x00
#define UART_CONTROL		0x04
#define UART_FIFO_CONTROL	0x08
#define UART_FIFO_STATUS	0x18
#define UART_TRANSMIT		0x20
#define UART_RECEIVE		0x24
#define UART_BAUD_DIVISOR	0x28
#define UART_BAUD_FRACTION	0x2c
#define UART_INTERRUPT_MASK	0x38
#define UART_REGISTERS_END	0x3c

#define UART_LINE_8N1		0x3

#define UART_CONTROL_RECEIVE_DMA	0x2
#define UART_CONTROL_TRANSMIT_DMA	0x8

#define UART_FIFO_ENABLE	0x1
#define UART_FIFO_RESET		0x6

#define UART_FIFO_RECEIVED	0xff		/* how many, and */
#define UART_FIFO_RECEIVE_FULL	0x100		/* whether there is one more */
#define UART_FIFO_TRANSMIT_FULL	0x1000000

#define UART_ALL_INTERRUPTS	0xf

#define UART_BAUD_RATE		115200

/* A character takes 87 us; after this long nobody will take it. */
#define UART_CHARACTER_TRIES	100000

static ULONG UartRead(_In_ PUART_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_REGISTER_ULONG((PULONG)(Extension->Registers + Register));
}

static VOID UartWrite(_In_ PUART_EXTENSION Extension, _In_ ULONG Register,
		      _In_ ULONG Value)
{
	WRITE_REGISTER_ULONG((PULONG)(Extension->Registers + Register), Value);
}

_Use_decl_annotations_
VOID UartPutCharacters(PUART_EXTENSION Extension, PCCHAR Characters,
		       ULONG Length)
{
	ULONG Tries;

	while (Length--) {
		for (Tries = 0; Tries < UART_CHARACTER_TRIES; Tries++) {
			if (!(UartRead(Extension, UART_FIFO_STATUS) &
			      UART_FIFO_TRANSMIT_FULL))
				break;
			KeStallExecutionProcessor(1);
		}
		UartWrite(Extension, UART_TRANSMIT, (UCHAR)Characters[0]);
		Characters++;
	}
}

/* Characters in the receive FIFO. */
_Use_decl_annotations_
ULONG UartCountReceived(PUART_EXTENSION Extension)
{
	return UartRead(Extension, UART_FIFO_STATUS) &
	       (UART_FIFO_RECEIVED | UART_FIFO_RECEIVE_FULL);
}

/* FALSE: there is none. */
_Use_decl_annotations_
BOOLEAN UartGetCharacter(PUART_EXTENSION Extension, PUCHAR Character)
{
	if (UartCountReceived(Extension) == 0)
		return FALSE;
	*Character = (UCHAR)UartRead(Extension, UART_RECEIVE);
	return TRUE;
}

/* From here on each character in the receive FIFO raises the request line. */
static VOID UartSetUp(_In_ PUART_EXTENSION Extension, _In_ ULONG ClockRate)
{
	ULONG Sixteenths = ClockRate / UART_BAUD_RATE;

	UartWrite(Extension, UART_INTERRUPT_MASK, UART_ALL_INTERRUPTS);
	UartWrite(Extension, UART_LINE_CONTROL, UART_LINE_8N1);
	if (Sixteenths >= 16) {
		UartWrite(Extension, UART_BAUD_DIVISOR, Sixteenths / 16 - 1);
		UartWrite(Extension, UART_BAUD_FRACTION, Sixteenths % 16);
	}
	UartWrite(Extension, UART_FIFO_CONTROL,
		  UART_FIFO_ENABLE | UART_FIFO_RESET);
	UartWrite(Extension, UART_CONTROL,
		  UART_CONTROL_RECEIVE_DMA | UART_CONTROL_TRANSMIT_DMA);
}

/* ---- Adapters ---- */

static NTSTATUS UartGetAdapter(_In_ PUART_EXTENSION Extension,
			       _Inout_ PUART_CHANNEL Channel,
			       _In_ ULONG DmaChannel,
			       _In_ LONGLONG DeviceAddress)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION3;
	Description.Master = FALSE;
	Description.AutoInitialize = Channel->Loop;
	Description.InterfaceType = ACPIBus;
	Description.DmaChannel = DmaChannel;
	Description.DmaRequestLine = DmaChannel;
	Description.DmaWidth = Width8Bits;
	Description.MaximumLength = UART_MAXIMUM_LENGTH;
	Description.DeviceAddress.QuadPart = DeviceAddress;

	Channel->DmaAdapter = IoGetDmaAdapter(Extension->DeviceObject,
					      &Description,
					      &Channel->MapRegisters);
	return Channel->DmaAdapter ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID UartPutAdapter(_Inout_ PUART_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	if (Adapter)
		Adapter->DmaOperations->PutDmaAdapter(Adapter);
	Channel->DmaAdapter = NULL;
}

static VOID UartPutAdapters(_In_ PUART_EXTENSION Extension)
{
	UartPutAdapter(&Extension->Ring);
	UartPutAdapter(&Extension->Loop);
	UartPutAdapter(&Extension->Send);
	UartPutAdapter(&Extension->Receive);
}

static NTSTATUS UartGetAdapters(_In_ PUART_EXTENSION Extension,
				_In_ PUART_RESOURCES Resources)
{
	LONGLONG Base = Resources->DmaBase.QuadPart;
	NTSTATUS Status;

	Status = UartGetAdapter(Extension, &Extension->Receive,
				Resources->ReceiveChannel, Base + UART_RECEIVE);
	if (NT_SUCCESS(Status))
		Status = UartGetAdapter(Extension, &Extension->Send,
					Resources->SendChannel,
					Base + UART_TRANSMIT);
	if (NT_SUCCESS(Status))
		Status = UartGetAdapter(Extension, &Extension->Loop,
					Resources->SendChannel,
					Base + UART_TRANSMIT);
	if (NT_SUCCESS(Status))
		Status = UartGetAdapter(Extension, &Extension->Ring,
					Resources->ReceiveChannel,
					Base + UART_RECEIVE);
	if (!NT_SUCCESS(Status))
		UartPutAdapters(Extension);
	return Status;
}

/* ---- Start and stop ---- */

static VOID UartAddChannel(_In_ PUART_EXTENSION Extension,
			   _Inout_ PUART_CHANNEL Channel,
			   _In_ BOOLEAN WriteToDevice, _In_ BOOLEAN Loop)
{
	Channel->Extension = Extension;
	Channel->WriteToDevice = WriteToDevice;
	Channel->Loop = Loop;
	KeInitializeSpinLock(&Channel->Lock);
	KeInitializeEvent(&Channel->Done, NotificationEvent, FALSE);
}

_Use_decl_annotations_
VOID UartAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PUART_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	UartAddChannel(Extension, &Extension->Receive, FALSE, FALSE);
	UartAddChannel(Extension, &Extension->Send, TRUE, FALSE);
	UartAddChannel(Extension, &Extension->Loop, TRUE, TRUE);
	UartAddChannel(Extension, &Extension->Ring, FALSE, TRUE);
}

_Use_decl_annotations_
NTSTATUS UartStartDevice(PDEVICE_OBJECT DeviceObject,
			 PUART_RESOURCES Resources)
{
	PUART_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	if (Resources->RegistersLength < UART_REGISTERS_END)
		return STATUS_INVALID_PARAMETER;

	Extension->Registers = MmMapIoSpace(Resources->RegistersBase,
					    Resources->RegistersLength,
					    MmNonCached);
	if (!Extension->Registers)
		return STATUS_INSUFFICIENT_RESOURCES;
	Extension->RegistersLength = Resources->RegistersLength;

	Status = UartGetAdapters(Extension, Resources);
	if (!NT_SUCCESS(Status)) {
		MmUnmapIoSpace(Extension->Registers,
			       Extension->RegistersLength);
		Extension->Registers = NULL;
		return Status;
	}
	UartSetUp(Extension, Resources->ClockRate);
	return STATUS_SUCCESS;
}

/* No transfer runs any more. */
_Use_decl_annotations_
VOID UartStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PUART_EXTENSION Extension = DeviceObject->DeviceExtension;

	UartWrite(Extension, UART_CONTROL, 0);
	UartPutAdapters(Extension);
	MmUnmapIoSpace(Extension->Registers, Extension->RegistersLength);
	Extension->Registers = NULL;
}
