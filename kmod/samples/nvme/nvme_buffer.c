// SPDX-License-Identifier: GPL-2.0
/*
 * Memory to take to the disk and back.
 *
 * A buffer has space for the longest command and for some pages around it. All
 * of it holds a guard value but for what is being moved. Data is where PRPs can
 * describe it: the MDLs of a chain begin and end at pages, the first one may
 * begin and the last one may end inside a page.
 */
#include <wdm.h>
#include "nvme.h"

#define NVME_BUFFER_PAGES	(NVME_MAXIMUM_LENGTH / PAGE_SIZE + 24)
#define NVME_GUARD		0xa5
#define NVME_GUARDS		0xa5a5a5a5a5a5a5a5ULL

static const struct {
	ULONG Start;
	ULONG Length;
} NvmeChainTable[] = {
	{ 0x204, 3 * PAGE_SIZE - 0x204 },
	{ 7 * PAGE_SIZE, 2 * PAGE_SIZE },
	{ 5 * PAGE_SIZE, PAGE_SIZE },
	{ 12 * PAGE_SIZE, (NVME_BUFFER_PAGES - 13) * PAGE_SIZE - 0x100 },
};

static NTSTATUS NvmeAllocatePool(_Inout_ PNVME_BUFFER Buffer)
{
	Buffer->MemoryLength = NVME_BUFFER_PAGES * PAGE_SIZE;
	Buffer->Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED,
					 Buffer->MemoryLength, NVME_TAG);
	return Buffer->Memory ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static PMDL NvmeAllocatePoolMdl(_In_ PNVME_BUFFER Buffer, _In_ ULONG Start,
				_In_ ULONG Length)
{
	PMDL Mdl;

	Mdl = IoAllocateMdl(Buffer->Memory + Start, Length, FALSE, FALSE, NULL);
	if (Mdl)
		MmBuildMdlForNonPagedPool(Mdl);
	return Mdl;
}

static NTSTATUS NvmeCreatePool(_Inout_ PNVME_BUFFER Buffer)
{
	NTSTATUS Status;

	Status = NvmeAllocatePool(Buffer);
	if (!NT_SUCCESS(Status))
		return Status;

	Buffer->Mdl = NvmeAllocatePoolMdl(Buffer, 0,
					  (ULONG)Buffer->MemoryLength);
	return Buffer->Mdl ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Pages that are neighbours in the buffer shall not be so in memory. */
static VOID NvmeScatterPages(_Inout_ PMDL Mdl)
{
	PPFN_NUMBER Pages = MmGetMdlPfnArray(Mdl);
	const ULONG Half = NVME_BUFFER_PAGES / 2;
	PFN_NUMBER Page;
	ULONG Index;

	for (Index = 1; Index < Half; Index += 2) {
		Page = Pages[Index];
		Pages[Index] = Pages[Index + Half];
		Pages[Index + Half] = Page;
	}
}

static NTSTATUS NvmeCreatePages(_Inout_ PNVME_BUFFER Buffer)
{
	PHYSICAL_ADDRESS Low, High, Skip;

	Low.QuadPart = 0;
	High.QuadPart = -1;
	Skip.QuadPart = 0;
	Buffer->MemoryLength = NVME_BUFFER_PAGES * PAGE_SIZE;
	Buffer->Mdl = MmAllocatePagesForMdlEx(Low, High, Skip,
					      Buffer->MemoryLength, MmCached,
					      MM_ALLOCATE_FULLY_REQUIRED);
	if (!Buffer->Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;

	NvmeScatterPages(Buffer->Mdl);
	Buffer->Memory = MmGetSystemAddressForMdlSafe(Buffer->Mdl,
						      NormalPagePriority);
	return Buffer->Memory ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS NvmeCreateChain(_Inout_ PNVME_BUFFER Buffer)
{
	PMDL *Link = &Buffer->Mdl;
	NTSTATUS Status;
	ULONG Index;

	Status = NvmeAllocatePool(Buffer);
	if (!NT_SUCCESS(Status))
		return Status;

	for (Index = 0; Index < ARRAYSIZE(NvmeChainTable); Index++) {
		*Link = NvmeAllocatePoolMdl(Buffer, NvmeChainTable[Index].Start,
					    NvmeChainTable[Index].Length);
		if (!*Link)
			return STATUS_INSUFFICIENT_RESOURCES;
		Link = &(*Link)->Next;
	}
	return STATUS_SUCCESS;
}

/* Undone by NvmeDeleteBuffer, also when it failed. */
_Use_decl_annotations_
NTSTATUS NvmeCreateBuffer(NVME_BUFFER_KIND Kind, PNVME_BUFFER Buffer)
{
	NTSTATUS Status;

	RtlZeroMemory(Buffer, sizeof(*Buffer));
	Buffer->Kind = Kind;
	if (Kind == NvmePool)
		Status = NvmeCreatePool(Buffer);
	else if (Kind == NvmePages)
		Status = NvmeCreatePages(Buffer);
	else
		Status = NvmeCreateChain(Buffer);
	if (NT_SUCCESS(Status))
		RtlFillMemory(Buffer->Memory, Buffer->MemoryLength, NVME_GUARD);
	return Status;
}

static VOID NvmeDeletePages(_Inout_ PNVME_BUFFER Buffer)
{
	if (Buffer->Memory)
		MmUnmapLockedPages(Buffer->Memory, Buffer->Mdl);
	if (Buffer->Mdl) {
		MmFreePagesFromMdl(Buffer->Mdl);
		ExFreePool(Buffer->Mdl);
	}
}

_Use_decl_annotations_
VOID NvmeDeleteBuffer(PNVME_BUFFER Buffer)
{
	PMDL Mdl, Next;

	if (Buffer->Kind == NvmePages) {
		NvmeDeletePages(Buffer);
		return;
	}
	for (Mdl = Buffer->Mdl; Mdl; Mdl = Next) {
		Next = Mdl->Next;
		IoFreeMdl(Mdl);
	}
	if (Buffer->Memory)
		ExFreePoolWithTag(Buffer->Memory, NVME_TAG);
}

/* The memory at an offset into the chain, as much as is in one MDL. */
static PUCHAR NvmePiece(_In_ PNVME_BUFFER Buffer, _In_ ULONG Offset,
			_Inout_ PULONG Length)
{
	PMDL Mdl = Buffer->Mdl;

	while (Offset >= MmGetMdlByteCount(Mdl)) {
		Offset -= MmGetMdlByteCount(Mdl);
		Mdl = Mdl->Next;
	}
	*Length = min(*Length, MmGetMdlByteCount(Mdl) - Offset);
	return (PUCHAR)MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) +
	       Offset;
}

_Use_decl_annotations_
VOID NvmeCopyIn(PNVME_BUFFER Buffer, ULONG Offset, const VOID *Source,
		ULONG Length)
{
	const UCHAR *Byte = Source;
	PUCHAR Piece;
	ULONG Part;

	for (; Length; Length -= Part, Offset += Part, Byte += Part) {
		Part = Length;
		Piece = NvmePiece(Buffer, Offset, &Part);
		RtlCopyMemory(Piece, Byte, Part);
	}
}

_Use_decl_annotations_
VOID NvmeCopyOut(PNVME_BUFFER Buffer, ULONG Offset, PVOID Target, ULONG Length)
{
	const UCHAR *Piece;
	PUCHAR Byte = Target;
	ULONG Part;

	for (; Length; Length -= Part, Offset += Part, Byte += Part) {
		Part = Length;
		Piece = NvmePiece(Buffer, Offset, &Part);
		RtlCopyMemory(Byte, Piece, Part);
	}
}

_Use_decl_annotations_
VOID NvmeFillGuard(PNVME_BUFFER Buffer, ULONG Offset, ULONG Length)
{
	PUCHAR Piece;
	ULONG Part;

	for (; Length; Length -= Part, Offset += Part) {
		Part = Length;
		Piece = NvmePiece(Buffer, Offset, &Part);
		RtlFillMemory(Piece, Part, NVME_GUARD);
	}
}

static ULONG NvmeCheckWord(_Inout_ PUCHAR Word)
{
	ULONG Mismatches = 0;
	ULONG Index;

	for (Index = 0; Index < sizeof(ULONGLONG); Index++) {
		if (Word[Index] == NVME_GUARD)
			continue;
		Mismatches++;
		Word[Index] = NVME_GUARD;
	}
	return Mismatches;
}

/* Counts the bytes without the guard value, and gives it back to them. */
_Use_decl_annotations_
ULONG NvmeCheckGuard(PNVME_BUFFER Buffer)
{
	PULONGLONG Words = (PULONGLONG)Buffer->Memory;
	ULONG Mismatches = 0;
	SIZE_T Index;

	for (Index = 0; Index < Buffer->MemoryLength / sizeof(*Words); Index++) {
		if (Words[Index] != NVME_GUARDS)
			Mismatches += NvmeCheckWord((PUCHAR)&Words[Index]);
	}
	return Mismatches;
}
