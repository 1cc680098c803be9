// SPDX-License-Identifier: GPL-2.0
/*
 * What the sound card's driver plays. record.sh looks what came out of it.
 *
 *   once     bytes from pool memory, in pieces of one packet each
 *   loop     words from a common buffer, several times round; then the channel is
 *            stopped by a flush while the card goes on asking, and no interrupt
 *            may come any more
 *   loop Ex  the same by the routines of version 3, and stopped by a cancel
 *
 * The counter has all bytes left before the card begins, 1 to all of them
 * while it loops, and none after a flush or a cancel.
 */
#include <wdm.h>
#include "sb16.h"

#define SB_LOOP_SECONDS		60	/* to wait for all passes at most */
#define SB_DRAIN_MILLISECONDS	3000

static VOID SbSleep(_In_ ULONG Milliseconds)
{
	LARGE_INTEGER Interval;

	Interval.QuadPart = -10000LL * Milliseconds;
	KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

static ULONG SbCounter(_In_ PDMA_ADAPTER Adapter)
{
	return Adapter->DmaOperations->ReadDmaCounter(Adapter);
}

static VOID SbCheckCounter(_In_ PSB_EXTENSION Extension,
			   _In_ PDMA_ADAPTER Adapter, _In_ ULONG Expected)
{
	if (SbCounter(Adapter) != Expected)
		Extension->Report.Counters++;
}

/* ---- Once ---- */

static NTSTATUS SbPlayPiece(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Piece)
{
	NTSTATUS Status, Flushed;

	Status = SbMap(Extension, Piece);
	if (!NT_SUCCESS(Status))
		return Status;
	SbCheckCounter(Extension, Piece->Adapter, Piece->Length);
	Status = SbPlayBytes(Extension, Piece->Length);
	if (NT_SUCCESS(Status))
		Status = SbWait(Extension);
	Flushed = SbFlush(Extension, Piece);
	SbCheckCounter(Extension, Piece->Adapter, 0);
	if (!NT_SUCCESS(Status))
		return Status;
	Extension->Report.Pieces++;
	return Flushed;
}

static NTSTATUS SbPlayMdl(_In_ PSB_EXTENSION Extension, _In_ PMDL Mdl)
{
	SB_MOVE Piece;
	NTSTATUS Status;

	Piece.Adapter = Extension->Bytes;
	Piece.Mdl = Mdl;
	Piece.Length = SB_PIECE_LENGTH;
	Status = SbTakeChannel(Extension, Extension->Bytes,
			       Extension->BytesRegisters);
	if (!NT_SUCCESS(Status))
		return Status;
	for (Piece.Offset = 0;
	     Piece.Offset < SB_ONCE_LENGTH && NT_SUCCESS(Status);
	     Piece.Offset += Piece.Length)
		Status = SbPlayPiece(Extension, &Piece);
	SbFreeChannel(Extension->Bytes);
	return Status;
}

static NTSTATUS SbPlayOnce(_In_ PSB_EXTENSION Extension)
{
	NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
	PUCHAR Memory;
	ULONG Index;
	PMDL Mdl;

	Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, SB_ONCE_LENGTH, SB_TAG);
	if (!Memory)
		return Status;
	for (Index = 0; Index < SB_ONCE_LENGTH; Index++)
		Memory[Index] = (UCHAR)(Index * 7 + (Index >> 8));
	Mdl = IoAllocateMdl(Memory, SB_ONCE_LENGTH, FALSE, FALSE, NULL);
	if (Mdl) {
		MmBuildMdlForNonPagedPool(Mdl);
		Status = SbPlayMdl(Extension, Mdl);
		IoFreeMdl(Mdl);
	}
	ExFreePoolWithTag(Memory, SB_TAG);
	return Status;
}

/* ---- Loop ---- */

/* Follows the counter until the loop went round often enough. */
static NTSTATUS SbFollow(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Loop)
{
	ULONGLONG End = KeQueryInterruptTime() + 10000000ULL * SB_LOOP_SECONDS;
	LONG Wanted = Extension->Interrupts + 2 * SB_LOOP_PASSES;
	PSB_REPORT Report = &Extension->Report;
	ULONG Last = Loop->Length, Now;
	ULONG Wraps = Report->Wraps + 2;

	while (Extension->Interrupts < Wanted || Report->Wraps < Wraps) {
		if (KeQueryInterruptTime() > End)
			return STATUS_DEVICE_NOT_READY;
		SbSleep(5);
		Now = SbCounter(Loop->Adapter);
		if (!Now || Now > Loop->Length)
			Report->Counters++;
		Report->Values += Now != Last;
		Report->Wraps += Now > Last;
		Last = Now;
	}
	return STATUS_SUCCESS;
}

/* Interrupts that come once the channel does not serve the card any more. */
static LONG SbCountLate(_In_ PSB_EXTENSION Extension)
{
	LONG Before;

	SbSleep(100);
	Before = Extension->Interrupts;
	SbSleep(500);
	return Extension->Interrupts - Before;
}

/* From before the card begins until it has been round often enough. */
static NTSTATUS SbRunLoop(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Loop)
{
	NTSTATUS Status;

	SbCheckCounter(Extension, Loop->Adapter, Loop->Length);
	Status = SbLoopWords(Extension, SB_LOOP_LENGTH / 2);
	if (NT_SUCCESS(Status))
		Status = SbFollow(Extension, Loop);
	return Status;
}

/* The flush has stopped the channel: it serves the card no more. */
static NTSTATUS SbEndLoop(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Loop,
			  _In_ NTSTATUS Status, _In_ NTSTATUS Flushed)
{
	SbCheckCounter(Extension, Loop->Adapter, 0);
	Extension->Report.Late += SbCountLate(Extension);
	SbReset(Extension);
	return NT_SUCCESS(Flushed) ? Status : STATUS_UNSUCCESSFUL;
}

static NTSTATUS SbLoopMdl(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Loop)
{
	NTSTATUS Status;

	Status = SbTakeChannel(Extension, Loop->Adapter,
			       Extension->WordsRegisters);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = SbMap(Extension, Loop);
	if (NT_SUCCESS(Status)) {
		Status = SbRunLoop(Extension, Loop);
		Status = SbEndLoop(Extension, Loop, Status,
				   SbFlush(Extension, Loop));
	}
	SbFreeChannel(Loop->Adapter);
	return Status;
}

/* Stops the channel while the card asks; there is nothing to cancel twice. */
static NTSTATUS SbCancelLoop(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Loop)
{
	NTSTATUS Status;

	Status = SbCancelEx(Extension, Loop);
	SbCheckCounter(Extension, Loop->Adapter, 0);
	if (NT_SUCCESS(Status) && !NT_SUCCESS(SbCancelEx(Extension, Loop)))
		Extension->Report.Cancels++;
	Extension->Report.LateCancelled = SbCountLate(Extension);
	return Status;
}

static NTSTATUS SbLoopMdlEx(_In_ PSB_EXTENSION Extension, _In_ PCSB_MOVE Loop)
{
	NTSTATUS Status;

	Status = SbTakeChannelEx(Extension, Loop->Adapter,
				 Extension->WordsExRegisters);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = SbMapEx(Extension, Loop);
	if (NT_SUCCESS(Status)) {
		Status = SbRunLoop(Extension, Loop);
		if (NT_SUCCESS(Status))
			Status = SbCancelLoop(Extension, Loop);
		Status = SbEndLoop(Extension, Loop, Status,
				   SbFlushEx(Extension, Loop));
	}
	SbFreeChannel(Loop->Adapter);
	return Status;
}

typedef NTSTATUS (*PSB_LOOP)(_In_ PSB_EXTENSION Extension,
			     _In_ PCSB_MOVE Loop);

/* Mark is the lowest bit of each word. */
static NTSTATUS SbPlayLoop(_In_ PSB_EXTENSION Extension,
			   _In_ PDMA_ADAPTER Adapter, _In_ USHORT Mark,
			   _In_ PSB_LOOP Play)
{
	NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
	PHYSICAL_ADDRESS Logical;
	PUSHORT Samples;
	SB_MOVE Loop;
	ULONG Index;

	Samples = Adapter->DmaOperations->AllocateCommonBuffer(Adapter,
					SB_LOOP_LENGTH, &Logical, FALSE);
	if (!Samples)
		return Status;
	for (Index = 0; Index < SB_LOOP_LENGTH / sizeof(USHORT); Index++)
		Samples[Index] = (USHORT)((Index * 40503 + 12345) & ~1) | Mark;
	Loop.Adapter = Adapter;
	Loop.Offset = 0;
	Loop.Length = SB_LOOP_LENGTH;
	Loop.Mdl = IoAllocateMdl(Samples, SB_LOOP_LENGTH, FALSE, FALSE, NULL);
	if (Loop.Mdl) {
		MmBuildMdlForNonPagedPool(Loop.Mdl);
		Status = Play(Extension, &Loop);
		IoFreeMdl(Loop.Mdl);
	}
	Adapter->DmaOperations->FreeCommonBuffer(Adapter, SB_LOOP_LENGTH,
						 Logical, Samples, FALSE);
	return Status;
}

/* The report is valid whatever the status is. One caller at a time. */
_Use_decl_annotations_
NTSTATUS SbRunTransfers(PDEVICE_OBJECT DeviceObject, PSB_REPORT Report)
{
	PSB_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	InterlockedExchange(&Extension->Interrupts, 0);
	Status = SbPlayOnce(Extension);
	/* The card has the bytes before it has played them. */
	SbSleep(SB_DRAIN_MILLISECONDS);
	if (NT_SUCCESS(Status))
		Status = SbPlayLoop(Extension, Extension->Words, 1, SbLoopMdl);
	SbSleep(SB_DRAIN_MILLISECONDS);
	if (NT_SUCCESS(Status))
		Status = SbPlayLoop(Extension, Extension->WordsEx, 0,
				    SbLoopMdlEx);
	Extension->Report.Interrupts =
		InterlockedExchange(&Extension->Interrupts, 0);
	*Report = Extension->Report;
	return Status;
}
