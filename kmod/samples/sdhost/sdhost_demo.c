// SPDX-License-Identifier: GPL-2.0
/*
 * What the SD host driver does with its card. The image script of the nvme
 * sample prepares the card and looks afterwards what is on it:
 *
 *   blocks 0 to 4095        prepared, only read here
 *   blocks 4096 to 12287    all written here
 *   blocks 12288 to 16383   to stay as they are
 *
 * Every block holds its number, so that one that went to a wrong place shows.
 * What is written also holds the number of the run, and all bytes but these
 * are inverted. Memory around the data holds a guard value.
 */
#include <wdm.h>
#include "sdhost.h"

#define SD_WRITTEN_FROM		4096
#define SD_WRITTEN_TO		12288

/* Where the controller sees memory that the CPU has at 0. */
#define SD_MEMORY_OFFSET	0xc0000000

#define SD_BUFFER_LENGTH	(SD_MAXIMUM_LENGTH + 4 * PAGE_SIZE)
#define SD_GUARD		0xa5

_Use_decl_annotations_
VOID SdExpect(PSD_EXTENSION Extension, BOOLEAN Condition, PCSTR Text)
{
	PSD_REPORT Report = &Extension->Report;

	Report->Checks++;
	if (Condition)
		return;
	Report->Surprises++;
	if (!Report->Surprise)
		Report->Surprise = Text;
}

/* ---- Memory to move ---- */

typedef struct _SD_RANGE {
	ULONG Start;
	ULONG Length;
} SD_RANGE;

typedef struct _SD_BUFFER {
	PMDL Mdl;		/* the first of the chain */
	PUCHAR Memory;		/* all of it, the gaps as well */
} SD_BUFFER, *PSD_BUFFER;

static const SD_RANGE SdWhole[] = {
	{ 64, SD_MAXIMUM_LENGTH },
};

/* No piece is a whole number of blocks, or of lines of the cache. */
static const SD_RANGE SdFragments[] = {
	{ 4, 20 },
	{ 260, 1400 },
	{ PAGE_SIZE - 4, 8 },
	{ 2 * PAGE_SIZE + 12, 4 },
	{ 2 * PAGE_SIZE + 516, 2664 },
};

#define SD_FRAGMENTS_BLOCKS	8

static const SD_RANGE SdOdd[] = {
	{ 2, SD_BLOCK_SIZE },
};

/* Undoes SdCreateBuffer, also one that failed. */
static VOID SdDeleteBuffer(_Inout_ PSD_BUFFER Buffer)
{
	PMDL Mdl, Next;

	for (Mdl = Buffer->Mdl; Mdl; Mdl = Next) {
		Next = Mdl->Next;
		IoFreeMdl(Mdl);
	}
	if (Buffer->Memory)
		ExFreePoolWithTag(Buffer->Memory, SD_TAG);
}

static NTSTATUS SdCreateBuffer(_Out_ PSD_BUFFER Buffer,
			       _In_reads_(Count) const SD_RANGE *Ranges,
			       _In_ ULONG Count)
{
	PMDL *Link = &Buffer->Mdl;

	Buffer->Mdl = NULL;
	Buffer->Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, SD_BUFFER_LENGTH,
					 SD_TAG);
	if (!Buffer->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlFillMemory(Buffer->Memory, SD_BUFFER_LENGTH, SD_GUARD);

	for (; Count; Count--, Ranges++) {
		*Link = IoAllocateMdl(Buffer->Memory + Ranges->Start,
				      Ranges->Length, FALSE, FALSE, NULL);
		if (!*Link) {
			SdDeleteBuffer(Buffer);
			return STATUS_INSUFFICIENT_RESOURCES;
		}
		MmBuildMdlForNonPagedPool(*Link);
		Link = &(*Link)->Next;
	}
	return STATUS_SUCCESS;
}

/* The byte at an offset into a chain. */
_Use_decl_annotations_
PUCHAR SdByteOf(PMDL Mdl, ULONG Offset)
{
	while (Offset >= MmGetMdlByteCount(Mdl)) {
		Offset -= MmGetMdlByteCount(Mdl);
		Mdl = Mdl->Next;
	}
	return (PUCHAR)MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) +
	       Offset;
}

/* Byte Index of a block; blocks that were prepared have Run 0. */
static UCHAR SdPattern(_In_ ULONG Block, _In_ ULONG Run, _In_ ULONG Index)
{
	if (Index < 4)
		return (UCHAR)(Block >> (8 * Index));
	if (Index < 8)
		return (UCHAR)(Run >> (8 * (Index - 4)));
	return (UCHAR)(Block * 7 + Index) ^ (Run ? 0xff : 0);
}

static VOID SdWritePattern(_In_ PSD_BUFFER Buffer, _In_ ULONG Block,
			   _In_ ULONG Count, _In_ ULONG Run)
{
	ULONG At;

	for (At = 0; At < Count * SD_BLOCK_SIZE; At++)
		*SdByteOf(Buffer->Mdl, At) =
			SdPattern(Block + At / SD_BLOCK_SIZE, Run,
				  At % SD_BLOCK_SIZE);
}

/*
 * Counts the bytes that are wrong: those of the blocks that do not have the
 * pattern, and all others of the memory that have lost their guard value.
 */
static VOID SdCheckPattern(_In_ PSD_EXTENSION Extension,
			   _In_ PSD_BUFFER Buffer, _In_ ULONG Block,
			   _In_ ULONG Count, _In_ ULONG Run)
{
	PSD_REPORT Report = &Extension->Report;
	PUCHAR Byte;
	ULONG At;

	for (At = 0; At < Count * SD_BLOCK_SIZE; At++) {
		Byte = SdByteOf(Buffer->Mdl, At);
		if (*Byte != SdPattern(Block + At / SD_BLOCK_SIZE, Run,
				       At % SD_BLOCK_SIZE))
			Report->Mismatches++;
		*Byte = SD_GUARD;
	}
	for (At = 0; At < SD_BUFFER_LENGTH; At++) {
		if (Buffer->Memory[At] != SD_GUARD)
			Report->Mismatches++;
	}
}

/* ---- Reading ---- */

static NTSTATUS SdReadInto(_In_ PSD_EXTENSION Extension,
			   _In_ PSD_BUFFER Buffer, _In_ ULONG Block,
			   _In_ ULONG Count, _In_ ULONG Run)
{
	NTSTATUS Status;

	Status = SdTransfer(Extension, Buffer->Mdl, Block, Count, FALSE,
			    SdComplete);
	if (NT_SUCCESS(Status))
		SdCheckPattern(Extension, Buffer, Block, Count, Run);
	return Status;
}

/* The stopped transfers leave anything behind, but not the card in disorder. */
static NTSTATUS SdReadAndStop(_In_ PSD_EXTENSION Extension,
			      _In_ PSD_BUFFER Buffer, _In_ SD_ENDING Ending)
{
	NTSTATUS Status;

	Status = SdTransfer(Extension, Buffer->Mdl, 777, 64, FALSE, Ending);
	if (!NT_SUCCESS(Status))
		return Status;
	RtlFillMemory(Buffer->Memory, SD_BUFFER_LENGTH, SD_GUARD);
	SdSleep(50);
	SdExpect(Extension, Extension->Completions == 1,
		 "no completion after the flush");
	return SdReadInto(Extension, Buffer, 555, 8, 0);
}

static NTSTATUS SdRunReads(_In_ PSD_EXTENSION Extension,
			   _In_ PSD_BUFFER Whole, _In_ PSD_BUFFER Fragments)
{
	NTSTATUS Status;

	Status = SdReadInto(Extension, Whole, 1, 1, 0);
	if (NT_SUCCESS(Status))
		Status = SdReadInto(Extension, Whole, 130, 128, 0);
	if (NT_SUCCESS(Status))
		Status = SdReadInto(Extension, Fragments, 4087,
				    SD_FRAGMENTS_BLOCKS, 0);
	if (NT_SUCCESS(Status))
		Status = SdReadAndStop(Extension, Whole, SdCancel);
	if (NT_SUCCESS(Status))
		Status = SdReadAndStop(Extension, Whole, SdFlush);
	return Status;
}

/* ---- Writing ---- */

static NTSTATUS SdWriteFrom(_In_ PSD_EXTENSION Extension,
			    _In_ PSD_BUFFER Buffer, _In_ ULONG Block,
			    _In_ ULONG Count, _In_ ULONG Run)
{
	NTSTATUS Status;

	SdWritePattern(Buffer, Block, Count, Run);
	Status = SdTransfer(Extension, Buffer->Mdl, Block, Count, TRUE,
			    SdComplete);
	SdCheckPattern(Extension, Buffer, Block, Count, Run);
	return Status;
}

static NTSTATUS SdRunWrites(_In_ PSD_EXTENSION Extension,
			    _In_ PSD_BUFFER Whole, _In_ PSD_BUFFER Fragments,
			    _In_ ULONG Run)
{
	ULONG Block = SD_WRITTEN_FROM, Count;
	NTSTATUS Status;

	Status = SdWriteFrom(Extension, Fragments, Block, SD_FRAGMENTS_BLOCKS,
			     Run);
	Block += SD_FRAGMENTS_BLOCKS;
	for (Count = 1; NT_SUCCESS(Status) && Block < SD_WRITTEN_TO;
	     Block += Count) {
		Count = Count >= 64 ? 128 : Count * 2;
		Count = min(Count, SD_WRITTEN_TO - Block);
		Status = SdWriteFrom(Extension, Whole, Block, Count, Run);
	}
	if (NT_SUCCESS(Status))
		Status = SdReadInto(Extension, Fragments, SD_WRITTEN_FROM + 2,
				    SD_FRAGMENTS_BLOCKS, Run);
	if (NT_SUCCESS(Status))
		Status = SdReadInto(Extension, Whole, SD_WRITTEN_TO - 128, 128,
				    Run);
	return Status;
}

/* ---- What the adapter says ---- */

static VOID SdCheckLimits(_In_ PSD_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	DMA_ADAPTER_INFO Info;
	NTSTATUS Status;

	RtlZeroMemory(&Info, sizeof(Info));
	Info.Version = DMA_ADAPTER_INFO_VERSION1;
	Status = Adapter->DmaOperations->GetDmaAdapterInfo(Adapter, &Info);
	SdExpect(Extension, NT_SUCCESS(Status), "the adapter has limits");
	SdExpect(Extension, Info.V1.MinimumTransferUnit == 4,
		 "the controller moves words");
	SdExpect(Extension, Info.V1.ReadDmaCounterAvailable,
		 "the controller has a counter");
}

static VOID SdCompareAddress(_In_ PSD_EXTENSION Extension, _In_ PVOID Memory,
			     _In_ PHYSICAL_ADDRESS Logical)
{
	LONGLONG Physical;
	PMDL Mdl;

	Mdl = IoAllocateMdl(Memory, PAGE_SIZE, FALSE, FALSE, NULL);
	SdExpect(Extension, !!Mdl, "there is an MDL");
	if (!Mdl)
		return;
	MmBuildMdlForNonPagedPool(Mdl);
	Physical = (LONGLONG)MmGetMdlPfnArray(Mdl)[0] << PAGE_SHIFT;
	SdExpect(Extension, Logical.QuadPart == Physical + SD_MEMORY_OFFSET,
		 "the controller has memory 3 GiB above its physical address");
	IoFreeMdl(Mdl);
}

/* The controller sees memory elsewhere than the CPU does. */
static VOID SdCheckAddress(_In_ PSD_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PHYSICAL_ADDRESS Logical;
	PVOID Memory;

	Memory = Adapter->DmaOperations->AllocateCommonBuffer(Adapter,
				PAGE_SIZE, &Logical, FALSE);
	SdExpect(Extension, !!Memory, "there is a common buffer");
	if (!Memory)
		return;
	SdCompareAddress(Extension, Memory, Logical);
	Adapter->DmaOperations->FreeCommonBuffer(Adapter, PAGE_SIZE, Logical,
						 Memory, FALSE);
}

static VOID SdCheckOdd(_In_ PSD_EXTENSION Extension)
{
	SD_BUFFER Odd;

	if (!NT_SUCCESS(SdCreateBuffer(&Odd, SdOdd, ARRAYSIZE(SdOdd))))
		return;
	SdExpect(Extension,
		 !NT_SUCCESS(SdTryMapping(Extension, Odd.Mdl, SD_BLOCK_SIZE)),
		 "memory between two words is refused");
	SdDeleteBuffer(&Odd);
}

/* ---- The demonstration ---- */

static NTSTATUS SdRun(_In_ PSD_EXTENSION Extension, _In_ ULONG Run)
{
	SD_BUFFER Whole, Fragments;
	NTSTATUS Status;

	Status = SdCreateBuffer(&Whole, SdWhole, ARRAYSIZE(SdWhole));
	if (!NT_SUCCESS(Status))
		return Status;
	Status = SdCreateBuffer(&Fragments, SdFragments,
				ARRAYSIZE(SdFragments));
	if (NT_SUCCESS(Status)) {
		Status = SdRunReads(Extension, &Whole, &Fragments);
		if (NT_SUCCESS(Status) && !Extension->Report.Mismatches)
			Status = SdRunWrites(Extension, &Whole, &Fragments,
					     Run);
		SdDeleteBuffer(&Fragments);
	}
	SdDeleteBuffer(&Whole);
	return Status;
}

/*
 * The report is valid whatever the status is. Nothing is written to a card that
 * is not as expected. One caller at a time.
 */
_Use_decl_annotations_
NTSTATUS SdRunTransfers(PDEVICE_OBJECT DeviceObject, PSD_REPORT Report)
{
	PSD_EXTENSION Extension = DeviceObject->DeviceExtension;
	LARGE_INTEGER Now;
	NTSTATUS Status;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	SdCheckLimits(Extension);
	SdCheckAddress(Extension);
	SdCheckOdd(Extension);
	Status = SdIdentifyCard(Extension);
	if (NT_SUCCESS(Status)) {
		KeQuerySystemTime(&Now);
		Status = SdRun(Extension, Now.LowPart | 1);
	}
	*Report = Extension->Report;
	return Status;
}
