// SPDX-License-Identifier: GPL-2.0
/*
 * What the RTL8139 driver does with its chip in loopback: frames of all kinds
 * of lengths and starts go from memory through the chip into its ring, and
 * what comes back is compared byte by byte. They lie in pool, described by an
 * MDL each, and in single pages that one MDL describes. All memory around them
 * holds a guard value; it and the frames must be as before afterwards.
 */
#include <wdm.h>
#include "rtl.h"

#define NIC_GUARD		0xa5

/* Memory has a slot for each frame of a burst, of two pages with an edge. */
#define NIC_SLOT_PAGES		2
#define NIC_MEMORY_PAGES	(NIC_DESCRIPTORS * NIC_SLOT_PAGES)
#define NIC_MEMORY_LENGTH	(NIC_MEMORY_PAGES * PAGE_SIZE)

/* ---- Memory for frames ---- */

typedef enum _NIC_MEMORY_KIND {
	NicPool,		/* an MDL for each frame */
	NicPages,		/* scattered, with one MDL */
	NicMemoryKinds
} NIC_MEMORY_KIND;

typedef struct _NIC_MEMORY {
	NIC_MEMORY_KIND Kind;
	PUCHAR Memory;
	PMDL Mdl;			/* of pages only */
	PNIC_FRAME Frames;		/* NIC_DESCRIPTORS of them */
} NIC_MEMORY, *PNIC_MEMORY;

static NTSTATUS NicCreatePool(_Inout_ PNIC_MEMORY Memory)
{
	Memory->Memory = ExAllocatePoolWithTag(NonPagedPool, NIC_MEMORY_LENGTH,
					       NIC_TAG);
	return Memory->Memory ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The pages of a slot shall not be neighbours in memory. */
static VOID NicScatterPages(_Inout_ PMDL Mdl)
{
	PPFN_NUMBER Pages = MmGetMdlPfnArray(Mdl);
	const ULONG Half = NIC_MEMORY_PAGES / 2;
	PFN_NUMBER Page;
	ULONG Index;

	for (Index = 1; Index < Half; Index += 2) {
		Page = Pages[Index];
		Pages[Index] = Pages[Index + Half];
		Pages[Index + Half] = Page;
	}
}

static NTSTATUS NicCreatePages(_Inout_ PNIC_MEMORY Memory)
{
	PHYSICAL_ADDRESS Low, High, Skip;

	Low.QuadPart = 0;
	High.QuadPart = -1;
	Skip.QuadPart = 0;
	Memory->Mdl = MmAllocatePagesForMdlEx(Low, High, Skip,
					      NIC_MEMORY_LENGTH, MmCached,
					      MM_ALLOCATE_FULLY_REQUIRED);
	if (!Memory->Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;

	NicScatterPages(Memory->Mdl);
	Memory->Memory = MmGetSystemAddressForMdlSafe(Memory->Mdl,
						      NormalPagePriority);
	return Memory->Memory ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS NicCreateMemory(_In_ NIC_MEMORY_KIND Kind,
				_Out_ PNIC_MEMORY Memory)
{
	NTSTATUS Status;

	RtlZeroMemory(Memory, sizeof(*Memory));
	Memory->Kind = Kind;
	if (Kind == NicPool)
		Status = NicCreatePool(Memory);
	else
		Status = NicCreatePages(Memory);
	if (!NT_SUCCESS(Status))
		return Status;

	Memory->Frames = ExAllocatePoolWithTag(NonPagedPool,
					       NIC_DESCRIPTORS *
					       sizeof(*Memory->Frames),
					       NIC_TAG);
	if (!Memory->Frames)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlZeroMemory(Memory->Frames,
		      NIC_DESCRIPTORS * sizeof(*Memory->Frames));
	return STATUS_SUCCESS;
}

/* Undoes NicCreateMemory, also one that failed. */
static VOID NicDeleteMemory(_Inout_ PNIC_MEMORY Memory)
{
	if (Memory->Frames)
		ExFreePoolWithTag(Memory->Frames, NIC_TAG);
	if (Memory->Kind == NicPool) {
		if (Memory->Memory)
			ExFreePoolWithTag(Memory->Memory, NIC_TAG);
		return;
	}
	if (Memory->Memory)
		MmUnmapLockedPages(Memory->Memory, Memory->Mdl);
	if (Memory->Mdl) {
		MmFreePagesFromMdl(Memory->Mdl);
		ExFreePool(Memory->Mdl);
	}
}

/* ---- Frames ---- */

/* In its slot, up against the edge between the pages, or across it. */
typedef enum _NIC_PLACE {
	NicBeforeEdge,
	NicAcrossEdge,
	NicPlaces
} NIC_PLACE;

/* A round sends one frame, of one of these lengths from one of the starts. */
static const ULONG NicLengths[] = {
	NIC_SHORTEST_FRAME, 61, 64, 200, 511, 1024, 1499, NIC_LONGEST_FRAME
};

/* Starts are the numbers below this one, in their lowest bits. */
#define NIC_STARTS		16

#define NIC_ROUNDS		(ARRAYSIZE(NicLengths) * NIC_STARTS)

typedef struct _NIC_PLAN {
	ULONG Start;			/* in the memory */
	ULONG Length;
	ULONG Seed;
} NIC_PLAN, *PNIC_PLAN;

/* The lengths shift after each turn of the starts, so that all pairs occur. */
static VOID NicPlan(_In_ ULONG Round, _In_ NIC_PLACE Place, _In_ ULONG Slot,
		    _Out_ PNIC_PLAN Plan)
{
	ULONG Step = Round + Round / NIC_STARTS;
	ULONG Start = PAGE_SIZE - NIC_STARTS;

	Plan->Length = NicLengths[Step % ARRAYSIZE(NicLengths)];
	if (Place == NicBeforeEdge)
		Start -= Plan->Length;
	else
		Start -= Plan->Length / 2;
	Start -= Start % NIC_STARTS;

	Plan->Start = Slot * NIC_SLOT_PAGES * PAGE_SIZE + Start +
		      Round % NIC_STARTS;
}

/*
 * From the station to itself, of a type for experiments, then a pattern that
 * no two frames share: what an earlier one has left behind must not pass.
 */
static UCHAR NicByte(_In_ PNIC_EXTENSION Extension, _In_ ULONG Seed,
		     _In_ ULONG Index)
{
	static const UCHAR Type[] = { 0x88, 0xb5 };
	const ULONG Pattern = 2 * NIC_ADDRESS_LENGTH + sizeof(Type);

	if (Index < 2 * NIC_ADDRESS_LENGTH)
		return Extension->Address[Index % NIC_ADDRESS_LENGTH];
	if (Index < Pattern)
		return Type[Index - 2 * NIC_ADDRESS_LENGTH];
	return (UCHAR)(((Seed << 11 | Index) * 0x9e3779b1) >> 24);
}

static VOID NicWriteFrame(_In_ PNIC_EXTENSION Extension,
			  _In_ PNIC_MEMORY Memory,
			  _In_ PNIC_PLAN Plan)
{
	ULONG Index;

	for (Index = 0; Index < Plan->Length; Index++)
		Memory->Memory[Plan->Start + Index] =
			NicByte(Extension, Plan->Seed, Index);
}

/* Counts bytes that are not as sent, and erases the frame. */
static ULONG NicCheckFrame(_In_ PNIC_EXTENSION Extension,
			   _In_ PNIC_MEMORY Memory,
			   _In_ PNIC_PLAN Plan,
			   _In_ PNIC_FRAME Frame)
{
	PUCHAR Source = Memory->Memory + Plan->Start;
	ULONG Index, Mismatches = 0;
	UCHAR Byte;

	for (Index = 0; Index < Plan->Length; Index++) {
		Byte = NicByte(Extension, Plan->Seed, Index);
		if (Source[Index] != Byte)
			Mismatches++;
		if (Index >= Frame->EchoLength || Frame->Echo[Index] != Byte)
			Mismatches++;
	}
	if (Frame->EchoLength > Plan->Length)
		Mismatches += Frame->EchoLength - Plan->Length;
	RtlFillMemory(Source, Plan->Length, NIC_GUARD);
	return Mismatches;
}

static ULONG NicCheckGuard(_In_ PNIC_MEMORY Memory)
{
	ULONG Mismatches = 0;
	SIZE_T Index;

	for (Index = 0; Index < NIC_MEMORY_LENGTH; Index++) {
		if (Memory->Memory[Index] != NIC_GUARD)
			Mismatches++;
	}
	return Mismatches;
}

static NTSTATUS NicDescribeFrame(_In_ PNIC_MEMORY Memory,
				 _In_ PNIC_PLAN Plan,
				 _Inout_ PNIC_FRAME Frame)
{
	Frame->Length = Plan->Length;
	if (Memory->Kind == NicPages) {
		Frame->Mdl = Memory->Mdl;
		Frame->Offset = Plan->Start;
		return STATUS_SUCCESS;
	}
	Frame->Mdl = IoAllocateMdl(Memory->Memory + Plan->Start, Plan->Length,
				   FALSE, FALSE, NULL);
	Frame->Offset = 0;
	if (!Frame->Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmBuildMdlForNonPagedPool(Frame->Mdl);
	return STATUS_SUCCESS;
}

static VOID NicForgetFrame(_In_ PNIC_MEMORY Memory, _Inout_ PNIC_FRAME Frame)
{
	if (Memory->Kind == NicPool && Frame->Mdl)
		IoFreeMdl(Frame->Mdl);
	Frame->Mdl = NULL;
}

/* ---- The demonstration ---- */

/* Sends as many frames as the chip takes at once, and checks them. */
static NTSTATUS NicRunRounds(_In_ PNIC_EXTENSION Extension,
			     _Inout_ PNIC_MEMORY Memory, _In_ ULONG Round,
			     _In_ NIC_PLACE Place)
{
	NIC_PLAN Plans[NIC_DESCRIPTORS];
	NTSTATUS Status = STATUS_SUCCESS;
	ULONG Slot;

	for (Slot = 0; Slot < NIC_DESCRIPTORS && NT_SUCCESS(Status); Slot++) {
		NicPlan(Round + Slot, Place, Slot, &Plans[Slot]);
		Plans[Slot].Seed = Extension->NextSeed++;
		NicWriteFrame(Extension, Memory, &Plans[Slot]);
		Memory->Frames[Slot].Legacy = Round / NIC_STARTS % 2 == 1;
		Status = NicDescribeFrame(Memory, &Plans[Slot],
					  &Memory->Frames[Slot]);
	}
	if (NT_SUCCESS(Status))
		Status = NicSendFrames(Extension, Memory->Frames,
				       NIC_DESCRIPTORS);

	for (Slot = 0; Slot < NIC_DESCRIPTORS; Slot++) {
		if (NT_SUCCESS(Status))
			Extension->Report.Mismatches +=
				NicCheckFrame(Extension, Memory, &Plans[Slot],
					      &Memory->Frames[Slot]);
		NicForgetFrame(Memory, &Memory->Frames[Slot]);
	}
	if (NT_SUCCESS(Status))
		Extension->Report.Mismatches += NicCheckGuard(Memory);
	return Status;
}

static NTSTATUS NicRunMemory(_In_ PNIC_EXTENSION Extension,
			     _Inout_ PNIC_MEMORY Memory)
{
	NTSTATUS Status = STATUS_SUCCESS;
	ULONG Round, Place;

	RtlFillMemory(Memory->Memory, NIC_MEMORY_LENGTH, NIC_GUARD);
	for (Round = 0; Round < NIC_ROUNDS; Round += NIC_DESCRIPTORS) {
		for (Place = 0; Place < NicPlaces; Place++) {
			Status = NicRunRounds(Extension, Memory, Round, Place);
			if (!NT_SUCCESS(Status))
				return Status;
		}
	}
	return Status;
}

static NTSTATUS NicRunKind(_In_ PNIC_EXTENSION Extension,
			   _In_ NIC_MEMORY_KIND Kind)
{
	NIC_MEMORY Memory;
	NTSTATUS Status;

	Status = NicCreateMemory(Kind, &Memory);
	if (NT_SUCCESS(Status))
		Status = NicRunMemory(Extension, &Memory);
	NicDeleteMemory(&Memory);
	return Status;
}

/* The report is valid whatever the status is. One caller at a time. */
_Use_decl_annotations_
NTSTATUS NicRunTransfers(PDEVICE_OBJECT DeviceObject, PNIC_REPORT Report)
{
	PNIC_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;
	ULONG Kind;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	InterlockedExchange(&Extension->Interrupts, 0);

	Status = NicStartChip(Extension);
	for (Kind = 0; Kind < NicMemoryKinds && NT_SUCCESS(Status); Kind++)
		Status = NicRunKind(Extension, Kind);
	NicStopChip(Extension);

	Extension->Report.Interrupts =
		InterlockedExchange(&Extension->Interrupts, 0);
	*Report = Extension->Report;
	return Status;
}
