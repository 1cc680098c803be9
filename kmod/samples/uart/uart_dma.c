// SPDX-License-Identifier: GPL-2.0
/*
 * Moving data by system DMA: what a driver does with a version 3 adapter whose
 * channel is not its own.
 *
 * A transfer waits for the channel, keeps it (KeepObject) and maps one piece
 * after the other: as much as MapTransferEx takes at once, up to the end. The
 * completion routine flushes its piece and maps the next one; after the last it
 * gives the channel back. A loop is mapped once; its completion routine
 * runs after each period, a pass or a part of one, until it is stopped.
 *
 * The completion routine may run on another processor, before MapTransferEx
 * and even before the execution routine has returned. So nothing is touched
 * after MapTransferEx has succeeded.
 *
 * UART_CHANNEL.Lock protects the state: whoever moves it to
 * UartChannelStopping or UartChannelEnded has the channel to give back. It is
 * never held in a call of the adapter.
 */
#include <wdm.h>
#include "uart.h"

static DRIVER_CONTROL UartChannelGranted;
static DMA_COMPLETION_ROUTINE UartPieceCompleted;

/* ---- State ---- */

/* FALSE, and no change, if it is not in the state From. */
static BOOLEAN UartChangeState(_Inout_ PUART_CHANNEL Channel,
			       _In_ UART_CHANNEL_STATE From,
			       _In_ UART_CHANNEL_STATE To)
{
	BOOLEAN Changed;
	KIRQL OldIrql;

	KeAcquireSpinLock(&Channel->Lock, &OldIrql);
	Changed = Channel->State == From;
	if (Changed)
		Channel->State = To;
	KeReleaseSpinLock(&Channel->Lock, OldIrql);
	return Changed;
}

static NTSTATUS UartPrepareTransfer(_Inout_ PUART_CHANNEL Channel,
				    _In_ PMDL Mdl, _In_ ULONG Offset,
				    _In_ ULONG Length)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	if (Length == 0 || Length > UART_MAXIMUM_LENGTH)
		return STATUS_INVALID_PARAMETER;

	Channel->State = UartChannelWaiting;
	Channel->MapRegisterBase = NULL;
	Channel->Mdl = Mdl;
	Channel->Offset = Offset;
	Channel->Piece = 0;
	Channel->Left = Length;
	Channel->Length = Length;
	Channel->Pieces = 0;
	Channel->Status = STATUS_UNSUCCESSFUL;
	InterlockedExchange(&Channel->Completions, 0);
	InterlockedExchange(&Channel->Cancellations, 0);
	KeClearEvent(&Channel->Done);

	return Adapter->DmaOperations->InitializeDmaTransferContext(Adapter,
							Channel->Context);
}

/* Map registers for what one piece may be; the rest goes into further ones. */
static ULONG UartRegistersFor(_In_ PUART_CHANNEL Channel)
{
	ULONG Registers = 0, Skip = Channel->Offset, Left = Channel->Left;
	ULONG Length;
	PUCHAR Va;
	PMDL Mdl;

	for (Mdl = Channel->Mdl; Mdl && Left; Mdl = Mdl->Next) {
		if (Skip >= MmGetMdlByteCount(Mdl)) {
			Skip -= MmGetMdlByteCount(Mdl);
			continue;
		}
		Length = min(MmGetMdlByteCount(Mdl) - Skip, Left);
		Va = (PUCHAR)MmGetMdlVirtualAddress(Mdl) + Skip;
		Registers += ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Length);
		Left -= Length;
		Skip = 0;
	}
	return min(Registers, Channel->MapRegisters);
}

static VOID UartNoteTransfer(_In_ PUART_CHANNEL Channel, _In_ ULONG Bytes)
{
	PUART_REPORT Report = &Channel->Extension->Report;

	Report->Bytes += Bytes;
	Report->Elements += Channel->Pieces;
	Report->Completions += Channel->Completions;
	Report->Transfers++;
}

/* ---- Transfers ---- */

/* Called by whoever set the state to UartChannelEnded. */
_IRQL_requires_(DISPATCH_LEVEL)
static VOID UartEndTransfer(_Inout_ PUART_CHANNEL Channel, _In_ NTSTATUS Status)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	Adapter->DmaOperations->FreeAdapterChannel(Adapter);
	Channel->Status = Status;
	KeSetEvent(&Channel->Done, IO_NO_INCREMENT, FALSE);
}

/*
 * Hands the controller what it takes of the rest. The state is
 * UartChannelRunning, and no piece is mapped. After success the completion
 * routine has the channel.
 */
_IRQL_requires_(DISPATCH_LEVEL)
static NTSTATUS UartMapPiece(_Inout_ PUART_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	Channel->Piece = Channel->Left;
	Channel->Pieces++;
	return Adapter->DmaOperations->MapTransferEx(Adapter, Channel->Mdl,
				Channel->MapRegisterBase, Channel->Offset, 0,
				&Channel->Piece, Channel->WriteToDevice,
				NULL, 0, UartPieceCompleted, Channel);
}

_IRQL_requires_max_(DISPATCH_LEVEL)
static NTSTATUS UartFlushPiece(_In_ PUART_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	return Adapter->DmaOperations->FlushAdapterBuffersEx(Adapter,
				Channel->Mdl, Channel->MapRegisterBase,
				Channel->Offset, Channel->Piece,
				Channel->WriteToDevice);
}

_Use_decl_annotations_
static IO_ALLOCATION_ACTION UartChannelGranted(PDEVICE_OBJECT DeviceObject,
					       PIRP Irp, PVOID MapRegisterBase,
					       PVOID Context)
{
	PUART_CHANNEL Channel = Context;
	NTSTATUS Status;

	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);

	Channel->MapRegisterBase = MapRegisterBase;
	if (!UartChangeState(Channel, UartChannelWaiting, UartChannelRunning))
		return DeallocateObject;

	Status = UartMapPiece(Channel);
	if (NT_SUCCESS(Status) ||
	    !UartChangeState(Channel, UartChannelRunning, UartChannelEnded))
		return KeepObject;

	Channel->Status = Status;
	KeSetEvent(&Channel->Done, IO_NO_INCREMENT, FALSE);
	return DeallocateObject;
}

static NTSTATUS UartStatusOf(_In_ DMA_COMPLETION_STATUS Status)
{
	switch (Status) {
	case DmaComplete:
		return STATUS_SUCCESS;
	case DmaCancelled:
		return STATUS_CANCELLED;
	default:
		return STATUS_UNSUCCESSFUL;
	}
}

/* The controller has done with a piece: on to the next one. */
_IRQL_requires_(DISPATCH_LEVEL)
static VOID UartAdvance(_Inout_ PUART_CHANNEL Channel, _In_ NTSTATUS Status)
{
	NTSTATUS Flushed = UartFlushPiece(Channel);

	if (NT_SUCCESS(Status))
		Status = Flushed;
	if (NT_SUCCESS(Status)) {
		Channel->Offset += Channel->Piece;
		Channel->Left -= Channel->Piece;
	}
	if (!NT_SUCCESS(Status) || Channel->Left == 0) {
		UartChangeState(Channel, UartChannelAdvancing,
				UartChannelEnded);
		UartEndTransfer(Channel, Status);
		return;
	}

	UartChangeState(Channel, UartChannelAdvancing, UartChannelRunning);
	Status = UartMapPiece(Channel);
	if (!NT_SUCCESS(Status) &&
	    UartChangeState(Channel, UartChannelRunning, UartChannelEnded))
		UartEndTransfer(Channel, Status);
}

_Use_decl_annotations_
static VOID UartPieceCompleted(PDMA_ADAPTER DmaAdapter,
			       PDEVICE_OBJECT DeviceObject,
			       PVOID CompletionContext,
			       DMA_COMPLETION_STATUS Status)
{
	PUART_CHANNEL Channel = CompletionContext;
	LONG Completions;

	UNREFERENCED_PARAMETER(DmaAdapter);
	UNREFERENCED_PARAMETER(DeviceObject);

	if (Status == DmaCancelled)
		InterlockedIncrement(&Channel->Cancellations);
	Completions = InterlockedIncrement(&Channel->Completions);
	if (Channel->Loop) {
		if (Completions == Channel->WantedPeriods)
			KeSetEvent(&Channel->Done, IO_NO_INCREMENT, FALSE);
		return;
	}
	if (UartChangeState(Channel, UartChannelRunning, UartChannelAdvancing))
		UartAdvance(Channel, UartStatusOf(Status));
}

_Use_decl_annotations_
NTSTATUS UartBeginTransfer(PUART_CHANNEL Channel, PMDL Mdl, ULONG Offset,
			   ULONG Length)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	NTSTATUS Status;
	KIRQL OldIrql;

	Status = UartPrepareTransfer(Channel, Mdl, Offset, Length);
	if (!NT_SUCCESS(Status))
		return Status;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->AllocateAdapterChannelEx(Adapter,
				Channel->Extension->DeviceObject,
				Channel->Context, UartRegistersFor(Channel), 0,
				UartChannelGranted, Channel, NULL);
	KeLowerIrql(OldIrql);
	return Status;
}

/* ---- Waiting, and stopping ---- */

static BOOLEAN UartWaitForDone(_In_ PUART_CHANNEL Channel)
{
	LARGE_INTEGER Timeout;

	Timeout.QuadPart = -10000000LL * UART_TIMEOUT_SECONDS;
	return KeWaitForSingleObject(&Channel->Done, Executive, KernelMode,
				     FALSE, &Timeout) == STATUS_SUCCESS;
}

/* Nothing came of it in time: no longer wait, or stop the controller. */
static NTSTATUS UartAbandonTransfer(_Inout_ PUART_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	BOOLEAN Waited;

	Waited = Adapter->DmaOperations->CancelAdapterChannel(Adapter,
				Channel->Extension->DeviceObject,
				Channel->Context);
	if (Waited)
		return STATUS_CANCELLED;
	if (NT_SUCCESS(UartStopTransfer(Channel, TRUE)))
		return STATUS_UNSUCCESSFUL;

	/* The completion routine is on its way to end it. */
	KeWaitForSingleObject(&Channel->Done, Executive, KernelMode, FALSE,
			      NULL);
	return Channel->Status;
}

/* To the end of a transfer, not of a loop. */
_Use_decl_annotations_
NTSTATUS UartWaitForTransfer(PUART_CHANNEL Channel)
{
	if (!UartWaitForDone(Channel))
		return UartAbandonTransfer(Channel);
	if (NT_SUCCESS(Channel->Status))
		UartNoteTransfer(Channel, Channel->Length);
	return Channel->Status;
}

/*
 * Stops a transfer or a loop that is under way: with Cancel by
 * CancelMappedTransfer, whose duty it is, else by the flush alone. Afterwards
 * the controller does not touch the memory, and no completion routine runs.
 * STATUS_DEVICE_NOT_READY: there is nothing to stop, or its end has begun.
 */
_Use_decl_annotations_
NTSTATUS UartStopTransfer(PUART_CHANNEL Channel, BOOLEAN Cancel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	PDMA_OPERATIONS Operations = Adapter->DmaOperations;
	NTSTATUS Status = STATUS_SUCCESS;
	NTSTATUS Again = STATUS_UNSUCCESSFUL;
	NTSTATUS Flushed;
	KIRQL OldIrql;

	if (!UartChangeState(Channel, UartChannelRunning, UartChannelStopping))
		return STATUS_DEVICE_NOT_READY;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	if (Cancel) {
		Status = Operations->CancelMappedTransfer(Adapter,
							  Channel->Context);
		Again = Operations->CancelMappedTransfer(Adapter,
							 Channel->Context);
	}
	Flushed = UartFlushPiece(Channel);
	Operations->FreeAdapterChannel(Adapter);
	KeLowerIrql(OldIrql);

	Channel->State = UartChannelEnded;
	UartExpect(Channel->Extension, NT_SUCCESS(Flushed),
		   "the flush of a stopped transfer succeeds");
	if (Cancel)
		UartExpect(Channel->Extension, !NT_SUCCESS(Again),
			   "a second cancel of a transfer fails");
	UartNoteTransfer(Channel, 0);
	return Status;
}

/* ---- The routines of version 1 ---- */

static DRIVER_CONTROL UartChannelGrantedOld;

_Use_decl_annotations_
static IO_ALLOCATION_ACTION
UartChannelGrantedOld(PDEVICE_OBJECT DeviceObject, PIRP Irp,
		      PVOID MapRegisterBase, PVOID Context)
{
	PUART_CHANNEL Channel = Context;
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);

	Channel->MapRegisterBase = MapRegisterBase;
	Channel->Piece = Channel->Left;
	Channel->Pieces++;
	Adapter->DmaOperations->MapTransfer(Adapter, Channel->Mdl,
				MapRegisterBase,
				MmGetMdlVirtualAddress(Channel->Mdl),
				&Channel->Piece, Channel->WriteToDevice);
	KeSetEvent(&Channel->Done, IO_NO_INCREMENT, FALSE);
	return KeepObject;
}

/* TRUE once the controller has nothing left to do. */
static BOOLEAN UartPollCounter(_In_ PUART_CHANNEL Channel)
{
	ULONG Last = Channel->Piece, Now = Last;
	LARGE_INTEGER Interval;
	ULONG Tries;

	Interval.QuadPart = -10000;	/* a millisecond */
	for (Tries = 0; Tries < UART_TIMEOUT_SECONDS * 1000; Tries++) {
		Now = UartReadCounter(Channel);
		UartExpect(Channel->Extension, Now <= Last,
			   "the counter of a transfer does not rise");
		if (Now == 0)
			return TRUE;
		Last = Now;
		KeDelayExecutionThread(KernelMode, FALSE, &Interval);
	}
	return FALSE;
}

static BOOLEAN UartFlushOld(_In_ PUART_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	BOOLEAN Flushed;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Flushed = Adapter->DmaOperations->FlushAdapterBuffers(Adapter,
				Channel->Mdl, Channel->MapRegisterBase,
				MmGetMdlVirtualAddress(Channel->Mdl),
				Channel->Piece, Channel->WriteToDevice);
	Adapter->DmaOperations->FreeAdapterChannel(Adapter);
	KeLowerIrql(OldIrql);
	return Flushed;
}

/*
 * As a driver does that knows no completion routine: the device tells it when
 * it has done, or the counter. One MDL, from its beginning.
 */
_Use_decl_annotations_
NTSTATUS UartTransferByPolling(PUART_CHANNEL Channel, PMDL Mdl, ULONG Length)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	BOOLEAN Moved, Flushed;
	NTSTATUS Status;
	KIRQL OldIrql;

	Status = UartPrepareTransfer(Channel, Mdl, 0, Length);
	if (!NT_SUCCESS(Status))
		return Status;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->AllocateAdapterChannel(Adapter,
				Channel->Extension->DeviceObject,
				UartRegistersFor(Channel),
				UartChannelGrantedOld, Channel);
	KeLowerIrql(OldIrql);
	if (!NT_SUCCESS(Status))
		return Status;

	KeWaitForSingleObject(&Channel->Done, Executive, KernelMode, FALSE,
			      NULL);
	UartExpect(Channel->Extension, Channel->Piece == Length,
		   "MapTransfer of a system channel takes all");
	Moved = Channel->Piece == Length && UartPollCounter(Channel);
	Flushed = UartFlushOld(Channel);
	Channel->State = UartChannelEnded;
	if (!Moved || !Flushed)
		return STATUS_UNSUCCESSFUL;
	UartNoteTransfer(Channel, Length);
	return STATUS_SUCCESS;
}

/* ---- What a channel tells of itself, and takes ---- */

_Use_decl_annotations_
ULONG UartReadCounter(PUART_CHANNEL Channel)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	ULONG Counter;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Counter = Adapter->DmaOperations->ReadDmaCounter(Adapter);
	KeLowerIrql(OldIrql);
	return Counter;
}

/* A function of the controller's own, without an argument. */
_Use_decl_annotations_
NTSTATUS UartConfigure(PUART_CHANNEL Channel, ULONG FunctionNumber)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->ConfigureAdapterChannel(Adapter,
							FunctionNumber, NULL);
	KeLowerIrql(OldIrql);
	return Status;
}
