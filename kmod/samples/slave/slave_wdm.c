// SPDX-License-Identifier: GPL-2.0
/*
 * A WDM driver for a device that is no bus master: a buffer, which a channel of
 * somebody else's DMA controller fills and empties. System DMA of version 3.
 * Nothing in this file is specific to Linux.
 *
 * A thread asks for the channel and keeps it (KeepObject) for one piece after
 * the other: it maps a piece, waits for the completion routine, flushes the
 * piece and maps the next one. Whoever asks meanwhile for the same channel is
 * served when it has been given back.
 *
 * There are five adapters for two channels. Two of them are autoinitialized and
 * repeat what is mapped until it is stopped, which a description says once and
 * for all.
 *
 * The device is told by a function of the channel for how many commands of the
 * controller it raises its request line.
 */
#include <wdm.h>
#include "slave.h"
#include "sysdma.h"

static DRIVER_CONTROL SlaveChannelGranted;
static DMA_COMPLETION_ROUTINE SlavePieceCompleted;

/* ---- Adapters ---- */

static NTSTATUS SlaveOpenChannel(_In_ PSLAVE_EXTENSION Extension,
				 _Inout_ PSLAVE_CHANNEL Channel,
				 _In_ ULONG RequestLine)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION3;
	Description.Master = FALSE;
	Description.AutoInitialize = Channel->Loop;
	Description.InterfaceType = ACPIBus;
	Description.DmaRequestLine = RequestLine;
	Description.DmaWidth = Width8Bits;
	Description.MaximumLength = SLAVE_MAXIMUM_LENGTH;
	Description.DeviceAddress.QuadPart = SLAVE_ADDRESS;

	Channel->DmaAdapter = IoGetDmaAdapter(Extension->DeviceObject,
					      &Description,
					      &Channel->MapRegisters);
	return Channel->DmaAdapter ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID SlaveCloseChannel(_Inout_ PSLAVE_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	if (Adapter)
		Adapter->DmaOperations->PutDmaAdapter(Adapter);
	Channel->DmaAdapter = NULL;
}

/* Of a line that the device does not have, there is no adapter. */
static NTSTATUS SlaveTryLine(_In_ PSLAVE_EXTENSION Extension,
			     _In_ ULONG RequestLine)
{
	SLAVE_CHANNEL Channel;

	RtlZeroMemory(&Channel, sizeof(Channel));
	if (!NT_SUCCESS(SlaveOpenChannel(Extension, &Channel, RequestLine)))
		return STATUS_SUCCESS;
	SlaveCloseChannel(&Channel);
	return STATUS_UNSUCCESSFUL;
}

/* All adapters, as far as it goes. */
static NTSTATUS SlaveOpenChannels(_In_ PSLAVE_EXTENSION Extension,
				  _In_ PSLAVE_RESOURCES Resources)
{
	const ULONG First = Resources->FirstLine;
	const ULONG Second = Resources->SecondLine;
	NTSTATUS Status;

	Status = SlaveOpenChannel(Extension, &Extension->First, First);
	if (NT_SUCCESS(Status))
		Status = SlaveOpenChannel(Extension, &Extension->FirstAgain,
					  First);
	if (NT_SUCCESS(Status))
		Status = SlaveOpenChannel(Extension, &Extension->Second,
					  Second);
	if (NT_SUCCESS(Status))
		Status = SlaveOpenChannel(Extension, &Extension->FirstLoop,
					  First);
	if (NT_SUCCESS(Status))
		Status = SlaveOpenChannel(Extension, &Extension->SecondLoop,
					  Second);
	if (NT_SUCCESS(Status))
		Status = SlaveTryLine(Extension, Resources->OtherLine);
	return Status;
}

/* ---- Start and stop ---- */

static VOID SlaveAddChannel(_In_ PSLAVE_EXTENSION Extension,
			    _Inout_ PSLAVE_CHANNEL Channel, _In_ BOOLEAN Loop)
{
	Channel->DeviceObject = Extension->DeviceObject;
	Channel->Loop = Loop;
	KeInitializeEvent(&Channel->Granted, NotificationEvent, FALSE);
	KeInitializeEvent(&Channel->Completed, NotificationEvent, FALSE);
}

_Use_decl_annotations_
VOID SlaveAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PSLAVE_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	SlaveAddChannel(Extension, &Extension->First, FALSE);
	SlaveAddChannel(Extension, &Extension->FirstAgain, FALSE);
	SlaveAddChannel(Extension, &Extension->Second, FALSE);
	SlaveAddChannel(Extension, &Extension->FirstLoop, TRUE);
	SlaveAddChannel(Extension, &Extension->SecondLoop, TRUE);
}

_Use_decl_annotations_
NTSTATUS SlaveStartDevice(PDEVICE_OBJECT DeviceObject,
			  PSLAVE_RESOURCES Resources)
{
	NTSTATUS Status;

	Status = SlaveOpenChannels(DeviceObject->DeviceExtension, Resources);
	if (!NT_SUCCESS(Status))
		SlaveStopDevice(DeviceObject);
	return Status;
}

/* No transfer runs any more. */
_Use_decl_annotations_
VOID SlaveStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PSLAVE_EXTENSION Extension = DeviceObject->DeviceExtension;

	SlaveCloseChannel(&Extension->SecondLoop);
	SlaveCloseChannel(&Extension->FirstLoop);
	SlaveCloseChannel(&Extension->Second);
	SlaveCloseChannel(&Extension->FirstAgain);
	SlaveCloseChannel(&Extension->First);
}

/* ---- The channel ---- */

static BOOLEAN SlaveWait(_In_ PKEVENT Event)
{
	LARGE_INTEGER Timeout;

	Timeout.QuadPart = -10000000LL * SLAVE_TIMEOUT_SECONDS;
	return KeWaitForSingleObject(Event, Executive, KernelMode, FALSE,
				     &Timeout) == STATUS_SUCCESS;
}

_Use_decl_annotations_
static IO_ALLOCATION_ACTION SlaveChannelGranted(PDEVICE_OBJECT DeviceObject,
						PIRP Irp, PVOID MapRegisterBase,
						PVOID Context)
{
	PSLAVE_CHANNEL Channel = Context;

	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);

	Channel->MapRegisterBase = MapRegisterBase;
	KeSetEvent(&Channel->Granted, IO_NO_INCREMENT, FALSE);
	return KeepObject;
}

/* Map registers for a range; what they do not take is for further pieces. */
static ULONG SlaveRegistersFor(_In_ PSLAVE_CHANNEL Channel, _In_ PMDL Mdl,
			       _In_ ULONG Offset, _In_ ULONG Length)
{
	ULONG Registers = 0, Part;
	PUCHAR Va;

	for (; Mdl && Length; Mdl = Mdl->Next) {
		if (Offset >= MmGetMdlByteCount(Mdl)) {
			Offset -= MmGetMdlByteCount(Mdl);
			continue;
		}
		Part = min(MmGetMdlByteCount(Mdl) - Offset, Length);
		Va = (PUCHAR)MmGetMdlVirtualAddress(Mdl) + Offset;
		Registers += ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Part);
		Length -= Part;
		Offset = 0;
	}
	return min(Registers, Channel->MapRegisters);
}

_Use_decl_annotations_
NTSTATUS SlaveAskForChannel(PSLAVE_CHANNEL Channel, PMDL Mdl, ULONG Offset,
			    ULONG Length)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeClearEvent(&Channel->Granted);
	Status = Adapter->DmaOperations->InitializeDmaTransferContext(Adapter,
							Channel->Context);
	if (!NT_SUCCESS(Status))
		return Status;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->AllocateAdapterChannelEx(Adapter,
				Channel->DeviceObject, Channel->Context,
				SlaveRegistersFor(Channel, Mdl, Offset, Length),
				0, SlaveChannelGranted, Channel, NULL);
	KeLowerIrql(OldIrql);
	return Status;
}

/* FALSE, and the request is withdrawn, when nobody gives the channel back. */
_Use_decl_annotations_
BOOLEAN SlaveWaitForChannel(PSLAVE_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	BOOLEAN Withdrawn;

	if (SlaveWait(&Channel->Granted))
		return TRUE;
	Withdrawn = Adapter->DmaOperations->CancelAdapterChannel(Adapter,
				Channel->DeviceObject, Channel->Context);
	if (Withdrawn)
		return FALSE;
	/* It is being granted now. */
	KeWaitForSingleObject(&Channel->Granted, Executive, KernelMode, FALSE,
			      NULL);
	return TRUE;
}

_Use_decl_annotations_
VOID SlaveFreeChannel(PSLAVE_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Adapter->DmaOperations->FreeAdapterChannel(Adapter);
	KeLowerIrql(OldIrql);
}

/* ---- Pieces ---- */

_Use_decl_annotations_
static VOID SlavePieceCompleted(PDMA_ADAPTER DmaAdapter,
				PDEVICE_OBJECT DeviceObject,
				PVOID CompletionContext,
				DMA_COMPLETION_STATUS Status)
{
	PSLAVE_CHANNEL Channel = CompletionContext;
	LONG Completions;

	UNREFERENCED_PARAMETER(DmaAdapter);
	UNREFERENCED_PARAMETER(DeviceObject);

	Channel->Status = Status;
	if (Status == DmaCancelled)
		InterlockedIncrement(&Channel->Cancellations);
	Completions = InterlockedIncrement(&Channel->Completions);
	if (!Channel->Loop || Completions == Channel->WantedPeriods)
		KeSetEvent(&Channel->Completed, IO_NO_INCREMENT, FALSE);
}

_IRQL_requires_(DISPATCH_LEVEL)
static NTSTATUS SlaveTellDevice(_Inout_ PSLAVE_CHANNEL Channel,
				_In_ ULONG Commands)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	struct ntdma_channel_blob Blob = { NULL, 0 };

	Channel->Commands = Commands;
	if (Commands != SLAVE_ALL_COMMANDS) {
		Blob.data = &Channel->Commands;
		Blob.size = sizeof(Channel->Commands);
	}
	return Adapter->DmaOperations->ConfigureAdapterChannel(Adapter,
				NTDMA_CHANNEL_PERIPHERAL, &Blob);
}

/* What was mapped of it is in Channel->Length. */
_Use_decl_annotations_
NTSTATUS SlaveStartPiece(PSLAVE_CHANNEL Channel, PCSLAVE_PIECE Piece)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	NTSTATUS Status;
	KIRQL OldIrql;

	Channel->Mdl = Piece->Mdl;
	Channel->Offset = Piece->Offset;
	Channel->Length = Piece->Length;
	Channel->WriteToDevice = Piece->WriteToDevice;
	InterlockedExchange(&Channel->Completions, 0);
	InterlockedExchange(&Channel->Cancellations, 0);
	KeClearEvent(&Channel->Completed);

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = SlaveTellDevice(Channel, Piece->Commands);
	if (NT_SUCCESS(Status))
		Status = Adapter->DmaOperations->MapTransferEx(Adapter,
				Piece->Mdl, Channel->MapRegisterBase,
				Piece->Offset, Piece->DeviceOffset,
				&Channel->Length, Piece->WriteToDevice, NULL, 0,
				SlavePieceCompleted, Channel);
	KeLowerIrql(OldIrql);
	return Status;
}

/*
 * To the end of a piece, or some periods of a loop. FALSE if it took too long; it
 * is then still under way.
 */
_Use_decl_annotations_
BOOLEAN SlaveWaitForPiece(PSLAVE_CHANNEL Channel)
{
	return SlaveWait(&Channel->Completed);
}

_Use_decl_annotations_
ULONG SlaveReadCounter(PSLAVE_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	ULONG Counter;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Counter = Adapter->DmaOperations->ReadDmaCounter(Adapter);
	KeLowerIrql(OldIrql);
	return Counter;
}

_Use_decl_annotations_
NTSTATUS SlaveCancelPiece(PSLAVE_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->CancelMappedTransfer(Adapter,
							Channel->Context);
	KeLowerIrql(OldIrql);
	return Status;
}

/* Also stops a piece that is still under way. */
_Use_decl_annotations_
NTSTATUS SlaveFlushPiece(PSLAVE_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->FlushAdapterBuffersEx(Adapter,
				Channel->Mdl, Channel->MapRegisterBase,
				Channel->Offset, Channel->Length,
				Channel->WriteToDevice);
	KeLowerIrql(OldIrql);
	return Status;
}
