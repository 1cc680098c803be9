// SPDX-License-Identifier: GPL-2.0
/*
 * Moving blocks by system DMA: one thread owns the channel for a whole
 * transfer, gives the command, and hands the controller one piece after the
 * other. The completion routine only says that a piece has ended.
 *
 * When several blocks are read, the host stops asking for the controller before
 * the FIFO is empty. So the CPU fetches the last words.
 *
 * A controller that is stopped may have moved any part of a piece; what the
 * card still sends is dropped.
 */
#include <wdm.h>
#include "sdhost.h"

#define SD_WORDS_BY_CPU		3

static DMA_COMPLETION_ROUTINE SdPieceCompleted;

/* ---- The channel ---- */

static NTSTATUS SdOwnChannel(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
			     _In_ ULONG Length)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	ULONG Registers = 0, Part;
	NTSTATUS Status;
	KIRQL OldIrql;

	Status = Adapter->DmaOperations->InitializeDmaTransferContext(Adapter,
							Extension->Context);
	if (!NT_SUCCESS(Status))
		return Status;
	for (; Mdl && Length; Mdl = Mdl->Next) {
		Part = min(Length, MmGetMdlByteCount(Mdl));
		Registers +=
			ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(Mdl),
						       Part);
		Length -= Part;
	}

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->AllocateAdapterChannelEx(Adapter,
				Extension->DeviceObject, Extension->Context,
				min(Registers, Extension->MapRegisters),
				DMA_SYNCHRONOUS_CALLBACK, NULL, NULL,
				&Extension->MapRegisterBase);
	KeLowerIrql(OldIrql);
	return Status;
}

static VOID SdReleaseChannel(_Inout_ PSD_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Adapter->DmaOperations->FreeAdapterChannel(Adapter);
	KeLowerIrql(OldIrql);
}

/* ---- Pieces ---- */

_Use_decl_annotations_
static VOID SdPieceCompleted(PDMA_ADAPTER DmaAdapter,
			     PDEVICE_OBJECT DeviceObject,
			     PVOID CompletionContext,
			     DMA_COMPLETION_STATUS Status)
{
	PSD_EXTENSION Extension = CompletionContext;

	UNREFERENCED_PARAMETER(DmaAdapter);
	UNREFERENCED_PARAMETER(DeviceObject);

	Extension->LastStatus = Status;
	InterlockedIncrement(&Extension->Completions);
	KeSetEvent(&Extension->Done, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS SdMap(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
		      _In_ ULONG Offset, _Inout_ PULONG Length,
		      _In_ BOOLEAN WriteToDevice)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	InterlockedExchange(&Extension->Completions, 0);
	KeClearEvent(&Extension->Done);
	return Adapter->DmaOperations->MapTransferEx(Adapter, Mdl,
				Extension->MapRegisterBase, Offset, 0, Length,
				WriteToDevice, NULL, 0, SdPieceCompleted,
				Extension);
}

static NTSTATUS SdUnmap(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
			_In_ ULONG Offset, _In_ ULONG Length,
			_In_ BOOLEAN WriteToDevice)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	return Adapter->DmaOperations->FlushAdapterBuffersEx(Adapter, Mdl,
				Extension->MapRegisterBase, Offset, Length,
				WriteToDevice);
}

static NTSTATUS SdCancelPiece(_Inout_ PSD_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	return Adapter->DmaOperations->CancelMappedTransfer(Adapter,
							    Extension->Context);
}

/* To its end; a controller that does not come to it is stopped. */
static NTSTATUS SdAwaitPiece(_Inout_ PSD_EXTENSION Extension)
{
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Timeout.QuadPart = -10000000LL * SD_TIMEOUT_SECONDS;
	Status = KeWaitForSingleObject(&Extension->Done, Executive, KernelMode,
				       FALSE, &Timeout);
	if (Status != STATUS_SUCCESS) {
		SdCancelPiece(Extension);
		return STATUS_DEVICE_NOT_READY;
	}
	return Extension->LastStatus == DmaComplete ? STATUS_SUCCESS :
						      STATUS_UNSUCCESSFUL;
}

/* What the controller takes of Length bytes, from Offset on. */
static NTSTATUS SdMovePiece(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
			    _In_ ULONG Offset, _Inout_ PULONG Length,
			    _In_ BOOLEAN WriteToDevice)
{
	NTSTATUS Status, Flushed;

	Status = SdMap(Extension, Mdl, Offset, Length, WriteToDevice);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = SdAwaitPiece(Extension);
	Flushed = SdUnmap(Extension, Mdl, Offset, *Length, WriteToDevice);
	SdExpect(Extension, Extension->Completions == 1,
		 "one completion for each piece");
	Extension->Report.Completions++;
	Extension->Report.Elements++;
	return NT_SUCCESS(Status) ? Flushed : Status;
}

/*
 * Starts the controller and stops it at once, before it can say that it has
 * done: at DISPATCH_LEVEL its interrupt has to wait, if there is one processor.
 * Else it may have come to its end, which a cancel tells by its status.
 */
static NTSTATUS SdStopPiece(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
			    _In_ ULONG Length, _In_ BOOLEAN WriteToDevice,
			    _In_ BOOLEAN Cancel)
{
	ULONG Asked = Length, Counter = 0;
	NTSTATUS Status, Stopped = STATUS_SUCCESS;
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = SdMap(Extension, Mdl, 0, &Length, WriteToDevice);
	if (NT_SUCCESS(Status)) {
		Counter = Adapter->DmaOperations->ReadDmaCounter(Adapter);
		if (Cancel)
			Stopped = SdCancelPiece(Extension);
		Status = SdUnmap(Extension, Mdl, 0, Length, WriteToDevice);
	}
	KeLowerIrql(OldIrql);
	if (!NT_SUCCESS(Status))
		return Status;

	SdExpect(Extension, Counter <= Asked,
		 "the counter is within the transfer");
	SdExpect(Extension, Extension->Completions == 1,
		 "a stopped transfer is completed once, before the return");
	if (Cancel)
		SdExpect(Extension, NT_SUCCESS(Stopped) ==
			 (Extension->LastStatus == DmaCancelled),
			 "a cancel that succeeds is told to the routine");
	Extension->Report.Completions++;
	if (Extension->LastStatus == DmaCancelled)
		Extension->Report.Cancelled++;
	return STATUS_SUCCESS;
}

/* ---- Transfers ---- */

static NTSTATUS SdMoveByDma(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
			    _In_ ULONG Length, _In_ BOOLEAN WriteToDevice)
{
	NTSTATUS Status = STATUS_SUCCESS;
	ULONG Offset, Piece;

	for (Offset = 0; Offset < Length && NT_SUCCESS(Status);
	     Offset += Piece) {
		Piece = Length - Offset;
		Status = SdMovePiece(Extension, Mdl, Offset, &Piece,
				     WriteToDevice);
	}
	return Status;
}

static NTSTATUS SdFetchByCpu(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
			     _In_ ULONG Offset, _In_ ULONG Length)
{
	ULONG Word;

	for (; Length; Length -= sizeof(Word), Offset += sizeof(Word)) {
		if (!SdReadWord(Extension, &Word))
			return STATUS_DEVICE_NOT_READY;
		RtlCopyMemory(SdByteOf(Mdl, Offset), &Word, sizeof(Word));
	}
	return STATUS_SUCCESS;
}

static NTSTATUS SdMove(_Inout_ PSD_EXTENSION Extension, _In_ PMDL Mdl,
		       _In_ ULONG Count, _In_ BOOLEAN WriteToDevice)
{
	ULONG Rest = !WriteToDevice && Count > 1 ?
		     SD_WORDS_BY_CPU * sizeof(ULONG) : 0;
	ULONG Length = Count * SD_BLOCK_SIZE - Rest;
	NTSTATUS Status;

	Status = SdMoveByDma(Extension, Mdl, Length, WriteToDevice);
	if (NT_SUCCESS(Status))
		Status = SdFetchByCpu(Extension, Mdl, Length, Rest);
	if (NT_SUCCESS(Status))
		Status = SdEndBlocks(Extension, Count);
	else
		SdAbortBlocks(Extension);
	if (!NT_SUCCESS(Status))
		return Status;
	Extension->Report.Bytes += Length;
	Extension->Report.Transfers++;
	return STATUS_SUCCESS;
}

/*
 * Moves Count blocks from or to the beginning of a chain whose MDLs begin and
 * end at words. An ending other than SdComplete needs more than one block.
 */
_Use_decl_annotations_
NTSTATUS SdTransfer(PSD_EXTENSION Extension, PMDL Mdl, ULONG Block,
		    ULONG Count, BOOLEAN WriteToDevice, SD_ENDING Ending)
{
	NTSTATUS Status;

	Status = SdOwnChannel(Extension, Mdl, Count * SD_BLOCK_SIZE);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = SdBeginBlocks(Extension, Block, Count, WriteToDevice);
	if (NT_SUCCESS(Status) && Ending == SdComplete) {
		Status = SdMove(Extension, Mdl, Count, WriteToDevice);
	} else if (NT_SUCCESS(Status)) {
		Status = SdStopPiece(Extension, Mdl, Count * SD_BLOCK_SIZE / 2,
				     WriteToDevice, Ending == SdCancel);
		SdAbortBlocks(Extension);
	}
	SdReleaseChannel(Extension);
	return Status;
}

/* What the adapter says of memory, without a command that would use it. */
_Use_decl_annotations_
NTSTATUS SdTryMapping(PSD_EXTENSION Extension, PMDL Mdl, ULONG Length)
{
	NTSTATUS Status;

	Status = SdOwnChannel(Extension, Mdl, Length);
	if (!NT_SUCCESS(Status))
		return STATUS_SUCCESS;
	Status = SdMap(Extension, Mdl, 0, &Length, FALSE);
	if (NT_SUCCESS(Status))
		SdUnmap(Extension, Mdl, 0, Length, FALSE);
	SdReleaseChannel(Extension);
	return Status;
}
