// SPDX-License-Identifier: GPL-2.0
/*
 * What the edu driver does with its moves: a transfer takes data from one piece
 * of memory to the device and on into another one, which is then compared byte
 * by byte. Sources and targets are pool, single pages and chains of fragments;
 * starts and lengths are odd. All memory around the data holds a guard value,
 * which must survive.
 */
#include <wdm.h>
#include "edu.h"

#define EDU_BUFFER_PAGES	16
#define EDU_GUARD		0xa5

/* What a device with its default of 28 address bits does not reach. */
#define EDU_OUT_OF_REACH	0x10000000

/* ---- Memory to move, and how to see that it was moved well ---- */

typedef enum _EDU_BUFFER_KIND {
	EduPool,		/* one piece of pool */
	EduPages,		/* single pages, mapped in one piece */
	EduFragments,		/* a chain of small pieces with gaps */
	EduBufferKinds
} EDU_BUFFER_KIND;

typedef struct _EDU_BUFFER {
	PMDL Mdl;		/* the first of the chain */
	PUCHAR Memory;		/* all of it, the gaps as well */
	SIZE_T MemoryLength;
} EDU_BUFFER, *PEDU_BUFFER;

/* Like a network packet: headers, then payload wherever it happens to be. */
static const struct {
	ULONG Start;
	ULONG Length;
} EduFragmentTable[] = {
	{ 1, 14 },
	{ 257, 20 },
	{ PAGE_SIZE - 700, 1400 },
	{ 2 * PAGE_SIZE + 3, 1 },
	{ 3 * PAGE_SIZE + 513, 511 },
	{ 5 * PAGE_SIZE - 1, 2 },
	{ 6 * PAGE_SIZE + 77, 2500 },
};

static NTSTATUS EduAllocateMemory(_Inout_ PEDU_BUFFER Buffer)
{
	Buffer->MemoryLength = EDU_BUFFER_PAGES * PAGE_SIZE;
	Buffer->Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED,
					 Buffer->MemoryLength, EDU_TAG);
	return Buffer->Memory ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static PMDL EduAllocatePoolMdl(_In_ PEDU_BUFFER Buffer, _In_ ULONG Start,
			       _In_ ULONG Length)
{
	PMDL Mdl;

	Mdl = IoAllocateMdl(Buffer->Memory + Start, Length, FALSE, FALSE, NULL);
	if (Mdl)
		MmBuildMdlForNonPagedPool(Mdl);
	return Mdl;
}

static NTSTATUS EduCreatePool(_Inout_ PEDU_BUFFER Buffer)
{
	NTSTATUS Status;

	Status = EduAllocateMemory(Buffer);
	if (!NT_SUCCESS(Status))
		return Status;

	Buffer->Mdl = EduAllocatePoolMdl(Buffer, 0,
					 (ULONG)Buffer->MemoryLength);
	return Buffer->Mdl ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Pages that are neighbours in the buffer shall not be so in memory. */
static VOID EduScatterPages(_Inout_ PMDL Mdl)
{
	PPFN_NUMBER Pages = MmGetMdlPfnArray(Mdl);
	const ULONG Half = EDU_BUFFER_PAGES / 2;
	PFN_NUMBER Page;
	ULONG Index;

	for (Index = 1; Index < Half; Index += 2) {
		Page = Pages[Index];
		Pages[Index] = Pages[Index + Half];
		Pages[Index + Half] = Page;
	}
}

static PMDL EduAllocatePages(_In_ LONGLONG LowAddress, _In_ SIZE_T Length)
{
	PHYSICAL_ADDRESS Low, High, Skip;

	Low.QuadPart = LowAddress;
	High.QuadPart = -1;
	Skip.QuadPart = 0;
	return MmAllocatePagesForMdlEx(Low, High, Skip, Length, MmCached,
				       MM_ALLOCATE_FULLY_REQUIRED);
}

static NTSTATUS EduCreatePages(_Inout_ PEDU_BUFFER Buffer)
{
	Buffer->MemoryLength = EDU_BUFFER_PAGES * PAGE_SIZE;
	Buffer->Mdl = EduAllocatePages(EDU_OUT_OF_REACH, Buffer->MemoryLength);
	if (!Buffer->Mdl)
		Buffer->Mdl = EduAllocatePages(0, Buffer->MemoryLength);
	if (!Buffer->Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;

	EduScatterPages(Buffer->Mdl);
	Buffer->Memory = MmGetSystemAddressForMdlSafe(Buffer->Mdl,
						      NormalPagePriority);
	return Buffer->Memory ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS EduCreateFragments(_Inout_ PEDU_BUFFER Buffer)
{
	PMDL *Link = &Buffer->Mdl;
	NTSTATUS Status;
	ULONG Index;

	Status = EduAllocateMemory(Buffer);
	if (!NT_SUCCESS(Status))
		return Status;

	for (Index = 0; Index < ARRAYSIZE(EduFragmentTable); Index++) {
		*Link = EduAllocatePoolMdl(Buffer,
					   EduFragmentTable[Index].Start,
					   EduFragmentTable[Index].Length);
		if (!*Link)
			return STATUS_INSUFFICIENT_RESOURCES;
		Link = &(*Link)->Next;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS EduCreateBuffer(_In_ EDU_BUFFER_KIND Kind,
				_Out_ PEDU_BUFFER Buffer)
{
	RtlZeroMemory(Buffer, sizeof(*Buffer));
	switch (Kind) {
	case EduPool:
		return EduCreatePool(Buffer);
	case EduPages:
		return EduCreatePages(Buffer);
	default:
		return EduCreateFragments(Buffer);
	}
}

static VOID EduDeletePages(_Inout_ PEDU_BUFFER Buffer)
{
	if (Buffer->Memory)
		MmUnmapLockedPages(Buffer->Memory, Buffer->Mdl);
	if (Buffer->Mdl) {
		MmFreePagesFromMdl(Buffer->Mdl);
		ExFreePool(Buffer->Mdl);
	}
}

/* Undoes EduCreateBuffer, also one that failed. */
static VOID EduDeleteBuffer(_In_ EDU_BUFFER_KIND Kind,
			    _Inout_ PEDU_BUFFER Buffer)
{
	PMDL Mdl, Next;

	if (Kind == EduPages) {
		EduDeletePages(Buffer);
		return;
	}
	for (Mdl = Buffer->Mdl; Mdl; Mdl = Next) {
		Next = Mdl->Next;
		IoFreeMdl(Mdl);
	}
	if (Buffer->Memory)
		ExFreePoolWithTag(Buffer->Memory, EDU_TAG);
}

/* The byte at an offset into the chain. */
static PUCHAR EduByteOf(_In_ PEDU_BUFFER Buffer, _In_ ULONG Offset)
{
	PMDL Mdl = Buffer->Mdl;

	while (Offset >= MmGetMdlByteCount(Mdl)) {
		Offset -= MmGetMdlByteCount(Mdl);
		Mdl = Mdl->Next;
	}
	return (PUCHAR)MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) +
	       Offset;
}

/* Differs from transfer to transfer, and after each of its 256 byte periods. */
static UCHAR EduPattern(_In_ ULONG Seed, _In_ ULONG Index)
{
	return (UCHAR)(Seed * 31 + Index * 7 + (Index >> 8) * 5 + 3);
}

static VOID EduFill(_In_ PEDU_BUFFER Buffer)
{
	RtlFillMemory(Buffer->Memory, Buffer->MemoryLength, EDU_GUARD);
}

static VOID EduWritePattern(_In_ PEDU_BUFFER Buffer, _In_ ULONG Offset,
			    _In_ ULONG Length, _In_ ULONG Seed)
{
	ULONG Index;

	for (Index = 0; Index < Length; Index++)
		*EduByteOf(Buffer, Offset + Index) = EduPattern(Seed, Index);
}

/*
 * Counts the bytes that are wrong: those of the range that do not have the
 * pattern, and all others of the memory that have lost their guard value.
 */
static ULONG EduCheck(_In_ PEDU_BUFFER Buffer, _In_ ULONG Offset,
		      _In_ ULONG Length, _In_ ULONG Seed)
{
	ULONG Mismatches = 0;
	PUCHAR Byte;
	SIZE_T Rest;
	ULONG Index;

	for (Index = 0; Index < Length; Index++) {
		Byte = EduByteOf(Buffer, Offset + Index);
		if (*Byte != EduPattern(Seed, Index))
			Mismatches++;
		*Byte = EDU_GUARD;
	}
	for (Rest = 0; Rest < Buffer->MemoryLength; Rest++) {
		if (Buffer->Memory[Rest] != EDU_GUARD)
			Mismatches++;
	}
	return Mismatches;
}

/* ---- The demonstration ---- */

typedef struct _EDU_TRANSFER {
	EDU_BUFFER_KIND From;
	ULONG FromOffset;
	EDU_BUFFER_KIND To;
	ULONG ToOffset;
	ULONG Length;
	BOOLEAN UseListRoutine;
} EDU_TRANSFER;

static const EDU_TRANSFER EduTransfers[] = {
	{ EduPool, 0, EduPages, 0, 1, TRUE },
	{ EduPages, PAGE_SIZE - 1, EduPool, 3, 3, TRUE },
	{ EduPool, 5, EduPages, PAGE_SIZE - 6, 13, FALSE },
	{ EduFragments, 7, EduPool, 1, 33, TRUE },
	{ EduPool, PAGE_SIZE - 255, EduFragments, 30, 511, FALSE },
	{ EduFragments, 1434, EduPages, 5 * PAGE_SIZE - 1, 4, TRUE },
	{ EduPages, 2 * PAGE_SIZE - 1000, EduPool, 32769, 2049, TRUE },
	{ EduPages, 4 * PAGE_SIZE - 95, EduPages, 7 * PAGE_SIZE - 4001, 4093,
	  FALSE },
	{ EduFragments, 0, EduFragments, 300, 4093, TRUE },
	{ EduPool, 12345, EduPool, 40001, EDU_DEVICE_LENGTH, FALSE },
};

static NTSTATUS EduRunTransfer(_In_ PEDU_EXTENSION Extension,
			       _In_ const EDU_TRANSFER *Transfer,
			       _In_ ULONG Seed,
			       _In_ PEDU_BUFFER From, _In_ PEDU_BUFFER To)
{
	EDU_MOVE Out, In;
	NTSTATUS Status;

	RtlZeroMemory(&Out, sizeof(Out));
	Out.Mdl = From->Mdl;
	Out.Offset = Transfer->FromOffset;
	Out.Length = Transfer->Length;
	Out.WriteToDevice = TRUE;

	RtlZeroMemory(&In, sizeof(In));
	In.Mdl = To->Mdl;
	In.Offset = Transfer->ToOffset;
	In.Length = Transfer->Length;
	In.WriteToDevice = FALSE;

	EduFill(From);
	EduFill(To);
	EduWritePattern(From, Out.Offset, Out.Length, Seed);

	if (Transfer->UseListRoutine) {
		Status = EduMoveByListRoutine(Extension, &Out);
		if (NT_SUCCESS(Status))
			Status = EduMoveByListRoutine(Extension, &In);
	} else {
		Status = EduMoveWithBuiltLists(Extension, &Out, &In);
	}
	if (!NT_SUCCESS(Status))
		return Status;

	Extension->Report.Mismatches +=
		EduCheck(From, Out.Offset, Out.Length, Seed) +
		EduCheck(To, In.Offset, In.Length, Seed);
	return STATUS_SUCCESS;
}

static NTSTATUS EduRunTable(_In_ PEDU_EXTENSION Extension,
			    _In_reads_(EduBufferKinds) PEDU_BUFFER Sources,
			    _In_reads_(EduBufferKinds) PEDU_BUFFER Targets)
{
	NTSTATUS Status = STATUS_SUCCESS;
	const EDU_TRANSFER *Transfer;
	ULONG Index;

	for (Index = 0; Index < ARRAYSIZE(EduTransfers); Index++) {
		Transfer = &EduTransfers[Index];
		Status = EduRunTransfer(Extension, Transfer, Index,
					&Sources[Transfer->From],
					&Targets[Transfer->To]);
		if (!NT_SUCCESS(Status))
			break;
	}
	return Status;
}

/* The report is valid whatever the status is. One caller at a time. */
_Use_decl_annotations_
NTSTATUS EduRunTransfers(PDEVICE_OBJECT DeviceObject, PEDU_REPORT Report)
{
	PEDU_EXTENSION Extension = DeviceObject->DeviceExtension;
	EDU_BUFFER Sources[EduBufferKinds];
	EDU_BUFFER Targets[EduBufferKinds];
	NTSTATUS Status = STATUS_SUCCESS;
	ULONG Kind, Created;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	InterlockedExchange(&Extension->Interrupts, 0);

	if (Extension->Failed)
		Status = STATUS_DEVICE_NOT_READY;

	for (Created = 0; Created < EduBufferKinds && NT_SUCCESS(Status);
	     Created++) {
		RtlZeroMemory(&Targets[Created], sizeof(Targets[Created]));
		Status = EduCreateBuffer(Created, &Sources[Created]);
		if (NT_SUCCESS(Status))
			Status = EduCreateBuffer(Created, &Targets[Created]);
	}

	if (NT_SUCCESS(Status))
		Status = EduRunTable(Extension, Sources, Targets);

	for (Kind = 0; Kind < Created; Kind++) {
		EduDeleteBuffer(Kind, &Targets[Kind]);
		EduDeleteBuffer(Kind, &Sources[Kind]);
	}

	Extension->Report.Interrupts =
		InterlockedExchange(&Extension->Interrupts, 0);
	*Report = Extension->Report;
	return Status;
}
