// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA half of a WDM driver for a Sound Blaster 16. Nothing in this file is
 * specific to Linux.
 *
 * The card has no DMA of its own. It takes bytes from one channel of the
 * system's DMA controller and words from another, and interrupts at the end of
 * each block. Bytes are played once, as packets. Words are played from a common
 * buffer in a loop that the controller repeats by itself, so that its channel
 * is mapped once and the driver follows it by the counter. That is done by the
 * routines of version 1 and again by those of version 3, which can also cancel.
 */
#include <wdm.h>
#include "sb16.h"

/* Registers, from the base port */
#define SB_MIXER_INDEX		0x4
#define SB_MIXER_DATA		0x5
#define SB_RESET		0x6
#define SB_READ			0xa
#define SB_WRITE		0xc	/* reads as: busy */
#define SB_READ_READY		0xe	/* reading also ends the interrupt */
#define SB_WORDS_READY		0xf	/* the same for words */

#define SB_BUSY			0x80
#define SB_RESET_DONE		0xaa

#define SB_MIXER_IRQ		0x80
#define SB_MIXER_DMA		0x81
#define SB_MIXER_PENDING	0x82
#define SB_PENDING_BYTES	0x01
#define SB_PENDING_WORDS	0x02

#define SB_SET_RATE		0x41
#define SB_BYTES_ONCE		0xc0
#define SB_WORDS_LOOP		0xb6	/* through the FIFO */
#define SB_MODE_BYTES		0x10	/* one channel, signed */
#define SB_MODE_WORDS		0x30	/* two channels, signed */
#define SB_VERSION		0xe1

#define SB_POLLS		1000	/* of ten microseconds */
#define SB_TIMEOUT_SECONDS	60

static DRIVER_CONTROL SbAdapterControl;
static IO_DPC_ROUTINE SbDpcForIsr;

/* ---- The card ---- */

static UCHAR SbIn(_In_ PSB_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_PORT_UCHAR((PUCHAR)(Extension->Ports + Register));
}

static VOID SbOut(_In_ PSB_EXTENSION Extension, _In_ ULONG Register,
		  _In_ UCHAR Value)
{
	WRITE_PORT_UCHAR((PUCHAR)(Extension->Ports + Register), Value);
}

static BOOLEAN SbPut(_In_ PSB_EXTENSION Extension, _In_ UCHAR Value)
{
	ULONG Polls;

	for (Polls = 0; Polls < SB_POLLS; Polls++) {
		if (!(SbIn(Extension, SB_WRITE) & SB_BUSY)) {
			SbOut(Extension, SB_WRITE, Value);
			return TRUE;
		}
		KeStallExecutionProcessor(10);
	}
	return FALSE;
}

/* 0 when the card has nothing to say. */
static UCHAR SbGet(_In_ PSB_EXTENSION Extension)
{
	ULONG Polls;

	for (Polls = 0; Polls < SB_POLLS; Polls++) {
		if (SbIn(Extension, SB_READ_READY) & SB_BUSY)
			return SbIn(Extension, SB_READ);
		KeStallExecutionProcessor(10);
	}
	return 0;
}

static NTSTATUS SbCommand(_In_ PSB_EXTENSION Extension,
			  _In_ const UCHAR *Bytes, _In_ ULONG Count)
{
	for (; Count; Count--)
		if (!SbPut(Extension, *Bytes++))
			return STATUS_DEVICE_NOT_READY;
	return STATUS_SUCCESS;
}

static VOID SbSetMixer(_In_ PSB_EXTENSION Extension, _In_ UCHAR Index,
		       _In_ UCHAR Value)
{
	SbOut(Extension, SB_MIXER_INDEX, Index);
	SbOut(Extension, SB_MIXER_DATA, Value);
}

/* Ends whatever the card plays. */
_Use_decl_annotations_
NTSTATUS SbReset(PSB_EXTENSION Extension)
{
	SbOut(Extension, SB_RESET, 1);
	KeStallExecutionProcessor(5);
	SbOut(Extension, SB_RESET, 0);
	return SbGet(Extension) == SB_RESET_DONE ? STATUS_SUCCESS :
						   STATUS_DEVICE_NOT_READY;
}

/* Lengths are in samples, less one. */
static NTSTATUS SbPlay(_In_ PSB_EXTENSION Extension, _In_ UCHAR Code,
		       _In_ UCHAR Mode, _In_ ULONG Samples)
{
	const UCHAR Rate[] = { SB_SET_RATE, SB_RATE >> 8, SB_RATE & 0xff };
	const UCHAR Play[] = { Code, Mode, (UCHAR)(Samples - 1),
			       (UCHAR)((Samples - 1) >> 8) };
	NTSTATUS Status;

	KeClearEvent(&Extension->Interrupted);
	Status = SbCommand(Extension, Rate, sizeof(Rate));
	if (NT_SUCCESS(Status))
		Status = SbCommand(Extension, Play, sizeof(Play));
	return Status;
}

_Use_decl_annotations_
NTSTATUS SbPlayBytes(PSB_EXTENSION Extension, ULONG Length)
{
	return SbPlay(Extension, SB_BYTES_ONCE, SB_MODE_BYTES, Length);
}

/* Interrupts after each block and goes on. */
_Use_decl_annotations_
NTSTATUS SbLoopWords(PSB_EXTENSION Extension, ULONG BlockLength)
{
	return SbPlay(Extension, SB_WORDS_LOOP, SB_MODE_WORDS,
		      BlockLength / 2);
}

/* ---- Interrupts ---- */

_Use_decl_annotations_
static VOID SbDpcForIsr(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp,
			PVOID Context)
{
	PSB_EXTENSION Extension = DeviceObject->DeviceExtension;

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(Irp);
	UNREFERENCED_PARAMETER(Context);

	KeSetEvent(&Extension->Interrupted, IO_NO_INCREMENT, FALSE);
}

/* The interrupt service routine. Nobody else uses the mixer meanwhile. */
_Use_decl_annotations_
BOOLEAN SbInterrupt(PDEVICE_OBJECT DeviceObject)
{
	PSB_EXTENSION Extension = DeviceObject->DeviceExtension;
	UCHAR Pending;

	SbOut(Extension, SB_MIXER_INDEX, SB_MIXER_PENDING);
	Pending = SbIn(Extension, SB_MIXER_DATA);
	if (Pending & SB_PENDING_BYTES)
		SbIn(Extension, SB_READ_READY);
	if (Pending & SB_PENDING_WORDS)
		SbIn(Extension, SB_WORDS_READY);
	if (!(Pending & (SB_PENDING_BYTES | SB_PENDING_WORDS)))
		return FALSE;
	InterlockedIncrement(&Extension->Interrupts);
	IoRequestDpc(DeviceObject, NULL, NULL);
	return TRUE;
}

_Use_decl_annotations_
NTSTATUS SbWait(PSB_EXTENSION Extension)
{
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Timeout.QuadPart = -10000000LL * SB_TIMEOUT_SECONDS;
	Status = KeWaitForSingleObject(&Extension->Interrupted, Executive,
				       KernelMode, FALSE, &Timeout);
	return Status == STATUS_SUCCESS ? STATUS_SUCCESS :
					  STATUS_DEVICE_NOT_READY;
}

/* ---- Channels ---- */

_Use_decl_annotations_
static IO_ALLOCATION_ACTION SbAdapterControl(PDEVICE_OBJECT DeviceObject,
					     PIRP Irp, PVOID MapRegisterBase,
					     PVOID Context)
{
	PSB_EXTENSION Extension = Context;

	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);

	Extension->MapRegisterBase = MapRegisterBase;
	KeSetEvent(&Extension->Granted, IO_NO_INCREMENT, FALSE);
	return KeepObject;
}

_Use_decl_annotations_
NTSTATUS SbTakeChannel(PSB_EXTENSION Extension, PDMA_ADAPTER Adapter,
		       ULONG Registers)
{
	NTSTATUS Status;
	KIRQL OldIrql;

	KeClearEvent(&Extension->Granted);
	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->AllocateAdapterChannel(Adapter,
					Extension->DeviceObject, Registers,
					SbAdapterControl, Extension);
	KeLowerIrql(OldIrql);
	if (!NT_SUCCESS(Status))
		return Status;
	KeWaitForSingleObject(&Extension->Granted, Executive, KernelMode,
			      FALSE, NULL);
	return STATUS_SUCCESS;
}

/* The same for a channel that a cancel is to stop. */
_Use_decl_annotations_
NTSTATUS SbTakeChannelEx(PSB_EXTENSION Extension, PDMA_ADAPTER Adapter,
			 ULONG Registers)
{
	PDMA_OPERATIONS Operations = Adapter->DmaOperations;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeClearEvent(&Extension->Granted);
	Status = Operations->InitializeDmaTransferContext(Adapter,
							  Extension->Context);
	if (!NT_SUCCESS(Status))
		return Status;
	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Operations->AllocateAdapterChannelEx(Adapter,
					Extension->DeviceObject,
					Extension->Context, Registers, 0,
					SbAdapterControl, Extension, NULL);
	KeLowerIrql(OldIrql);
	if (!NT_SUCCESS(Status))
		return Status;
	KeWaitForSingleObject(&Extension->Granted, Executive, KernelMode,
			      FALSE, NULL);
	return STATUS_SUCCESS;
}

_Use_decl_annotations_
VOID SbFreeChannel(PDMA_ADAPTER Adapter)
{
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Adapter->DmaOperations->FreeAdapterChannel(Adapter);
	KeLowerIrql(OldIrql);
}

static PVOID SbCurrentVa(_In_ PCSB_MOVE Move)
{
	return (PUCHAR)MmGetMdlVirtualAddress(Move->Mdl) + Move->Offset;
}

/* Maps, which starts the channel. */
_Use_decl_annotations_
NTSTATUS SbMap(PSB_EXTENSION Extension, PCSB_MOVE Move)
{
	PDMA_OPERATIONS Operations = Move->Adapter->DmaOperations;
	ULONG Length = Move->Length;
	KIRQL OldIrql;

	KeFlushIoBuffers(Move->Mdl, FALSE, TRUE);
	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Operations->MapTransfer(Move->Adapter, Move->Mdl,
				Extension->MapRegisterBase, SbCurrentVa(Move),
				&Length, TRUE);
	KeLowerIrql(OldIrql);
	return Length == Move->Length ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* Stops the channel. */
_Use_decl_annotations_
NTSTATUS SbFlush(PSB_EXTENSION Extension, PCSB_MOVE Move)
{
	PDMA_OPERATIONS Operations = Move->Adapter->DmaOperations;
	BOOLEAN Flushed;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Flushed = Operations->FlushAdapterBuffers(Move->Adapter, Move->Mdl,
						  Extension->MapRegisterBase,
						  SbCurrentVa(Move),
						  Move->Length, TRUE);
	KeLowerIrql(OldIrql);
	return Flushed ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* The controller reports no end, so that there is nothing to call then. */
_Use_decl_annotations_
NTSTATUS SbMapEx(PSB_EXTENSION Extension, PCSB_MOVE Move)
{
	PDMA_OPERATIONS Operations = Move->Adapter->DmaOperations;
	ULONG Length = Move->Length;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeFlushIoBuffers(Move->Mdl, FALSE, TRUE);
	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Operations->MapTransferEx(Move->Adapter, Move->Mdl,
					   Extension->MapRegisterBase,
					   Move->Offset, 0, &Length, TRUE,
					   NULL, 0, NULL, NULL);
	KeLowerIrql(OldIrql);
	if (!NT_SUCCESS(Status))
		return Status;
	return Length == Move->Length ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* Stops the channel; it has to be flushed nevertheless. */
_Use_decl_annotations_
NTSTATUS SbCancelEx(PSB_EXTENSION Extension, PCSB_MOVE Move)
{
	PDMA_OPERATIONS Operations = Move->Adapter->DmaOperations;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Operations->CancelMappedTransfer(Move->Adapter,
						  Extension->Context);
	KeLowerIrql(OldIrql);
	return Status;
}

_Use_decl_annotations_
NTSTATUS SbFlushEx(PSB_EXTENSION Extension, PCSB_MOVE Move)
{
	PDMA_OPERATIONS Operations = Move->Adapter->DmaOperations;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Operations->FlushAdapterBuffersEx(Move->Adapter, Move->Mdl,
						   Extension->MapRegisterBase,
						   Move->Offset, Move->Length,
						   TRUE);
	KeLowerIrql(OldIrql);
	return Status;
}

/* ---- Start and stop ---- */

_Use_decl_annotations_
VOID SbAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PSB_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	KeInitializeEvent(&Extension->Granted, SynchronizationEvent, FALSE);
	KeInitializeEvent(&Extension->Interrupted, SynchronizationEvent,
			  FALSE);
	IoInitializeDpcRequest(DeviceObject, SbDpcForIsr);
}

static PDMA_ADAPTER SbGetAdapter(_In_ PSB_EXTENSION Extension,
				 _In_ ULONG Version, _In_ ULONG Channel,
				 _In_ BOOLEAN Words, _Out_ PULONG Registers)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = Version;
	Description.Master = FALSE;
	Description.InterfaceType = Isa;
	Description.DmaChannel = Channel;
	Description.DmaWidth = Words ? Width16Bits : Width8Bits;
	Description.AutoInitialize = Words;
	Description.DmaSpeed = Compatible;
	Description.MaximumLength = Words ? SB_LOOP_LENGTH : SB_PIECE_LENGTH;
	return IoGetDmaAdapter(Extension->DeviceObject, &Description,
			       Registers);
}

/* Tells the card its interrupt, 2, 5, 7 or 10, and its channels. */
static NTSTATUS SbConfigure(_In_ PSB_EXTENSION Extension,
			    _In_ PCSB_RESOURCES Resources)
{
	static const UCHAR Version = SB_VERSION;
	UCHAR Irq = Resources->Irq == 10 ? 8 : Resources->Irq == 7 ? 4 :
		    Resources->Irq == 5 ? 2 : 1;
	NTSTATUS Status;

	Status = SbReset(Extension);
	if (NT_SUCCESS(Status))
		Status = SbCommand(Extension, &Version, 1);
	if (!NT_SUCCESS(Status))
		return Status;
	/* Before version 4 there is nothing for words. */
	if (SbGet(Extension) < 4)
		return STATUS_UNSUCCESSFUL;
	SbGet(Extension);
	SbSetMixer(Extension, SB_MIXER_IRQ, Irq);
	SbSetMixer(Extension, SB_MIXER_DMA,
		   (UCHAR)(1 << Resources->LowChannel |
			   1 << Resources->HighChannel));
	return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS SbStartDevice(PDEVICE_OBJECT DeviceObject, PCSB_RESOURCES Resources)
{
	PSB_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	Extension->Ports = Resources->Port;
	Extension->Bytes = SbGetAdapter(Extension, DEVICE_DESCRIPTION_VERSION1,
					Resources->LowChannel, FALSE,
					&Extension->BytesRegisters);
	Extension->Words = SbGetAdapter(Extension, DEVICE_DESCRIPTION_VERSION1,
					Resources->HighChannel, TRUE,
					&Extension->WordsRegisters);
	Extension->WordsEx = SbGetAdapter(Extension,
					  DEVICE_DESCRIPTION_VERSION3,
					  Resources->HighChannel, TRUE,
					  &Extension->WordsExRegisters);
	Status = Extension->Bytes && Extension->Words && Extension->WordsEx ?
		 SbConfigure(Extension, Resources) : STATUS_UNSUCCESSFUL;
	if (!NT_SUCCESS(Status))
		SbStopDevice(DeviceObject);
	return Status;
}

static VOID SbPutAdapter(_Inout_ PDMA_ADAPTER *Adapter)
{
	if (*Adapter)
		(*Adapter)->DmaOperations->PutDmaAdapter(*Adapter);
	*Adapter = NULL;
}

/* Nothing plays any more. Undoes SbStartDevice, also one that failed. */
_Use_decl_annotations_
VOID SbStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PSB_EXTENSION Extension = DeviceObject->DeviceExtension;

	SbReset(Extension);
	KeFlushQueuedDpcs();
	SbPutAdapter(&Extension->WordsEx);
	SbPutAdapter(&Extension->Words);
	SbPutAdapter(&Extension->Bytes);
}
