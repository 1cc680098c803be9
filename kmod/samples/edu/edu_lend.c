// SPDX-License-Identifier: GPL-2.0
/*
 * A page of the driver's own that becomes a common buffer, and what the device
 * may do with it:
 *
 *   to read and to write   the device takes pattern 1
 *   to read                it tries to store pattern 1 over pattern 2, takes 2
 *   to read and to write   it stores pattern 2, so it has taken it
 *   to write               it tries to take pattern 3, and stores what it has
 *
 * What it must not do is tried first: an IOMMU that remembers the page from
 * another access stops it as well, but need not report it.
 */
#include <wdm.h>
#include "edu.h"

#define EDU_LEND_LENGTH		64	/* that the device moves */

/* No two patterns have the same byte at a place, and none is zero. */
static UCHAR EduLendPattern(_In_ ULONG Pattern, _In_ ULONG Index)
{
	return (UCHAR)(Pattern << 5 | (Index * 11 & 0x1f));
}

static VOID EduLendFill(_Out_writes_(PAGE_SIZE) PUCHAR Memory,
			_In_ ULONG Pattern)
{
	ULONG Index;

	for (Index = 0; Index < PAGE_SIZE; Index++)
		Memory[Index] = EduLendPattern(Pattern, Index);
}

/* How many bytes have a pattern. */
static ULONG EduLendCount(_In_reads_(Length) PUCHAR Memory, _In_ ULONG Length,
			  _In_ ULONG Pattern)
{
	ULONG Count = 0;
	ULONG Index;

	for (Index = 0; Index < Length; Index++) {
		if (Memory[Index] == EduLendPattern(Pattern, Index))
			Count++;
	}
	return Count;
}

static NTSTATUS EduLend(_In_ PEDU_EXTENSION Extension, _In_ PMDL Mdl,
			_In_ ULONG Access,
			_Out_ PPHYSICAL_ADDRESS Logical)
{
	DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION Configuration;
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	RtlZeroMemory(&Configuration, sizeof(Configuration));
	Configuration.ConfigType =
		CommonBufferConfigTypeHardwareAccessPermissions;
	Configuration.HardwareAccessType = Access;
	return Adapter->DmaOperations->CreateCommonBufferFromMdl(Adapter, Mdl,
						&Configuration, 1, Logical);
}

static VOID EduLendEnd(_In_ PEDU_EXTENSION Extension, _In_ PMDL Mdl,
		       _In_ PHYSICAL_ADDRESS Logical)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PVOID Memory = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);

	Adapter->DmaOperations->FreeCommonBuffer(Adapter,
						 MmGetMdlByteCount(Mdl),
						 Logical, Memory, TRUE);
}

static NTSTATUS EduLendBoth(_In_ PEDU_EXTENSION Extension, _In_ PMDL Mdl,
			    _In_ BOOLEAN WriteToDevice)
{
	PHYSICAL_ADDRESS Logical;
	NTSTATUS Status;

	Status = EduLend(Extension, Mdl, CommonBufferHardwareAccessReadWrite,
			 &Logical);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = EduMoveLogical(Extension, Logical, EDU_LEND_LENGTH,
				WriteToDevice);
	EduLendEnd(Extension, Mdl, Logical);
	return Status;
}

static NTSTATUS EduLendReadOnly(_In_ PEDU_EXTENSION Extension, _In_ PMDL Mdl,
				_In_ PUCHAR Memory,
				_Inout_ PEDU_PERMISSIONS Report)
{
	PHYSICAL_ADDRESS Logical;
	NTSTATUS Status;

	EduLendFill(Memory, 2);
	Status = EduLend(Extension, Mdl, CommonBufferHardwareAccessReadOnly,
			 &Logical);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = EduMoveLogical(Extension, Logical, EDU_LEND_LENGTH, FALSE);
	Report->Written = PAGE_SIZE - EduLendCount(Memory, PAGE_SIZE, 2);
	EduLendFill(Memory, 2);
	if (NT_SUCCESS(Status))
		Status = EduMoveLogical(Extension, Logical, EDU_LEND_LENGTH,
					TRUE);
	EduLendEnd(Extension, Mdl, Logical);
	return Status;
}

static NTSTATUS EduLendWriteOnly(_In_ PEDU_EXTENSION Extension, _In_ PMDL Mdl,
				 _In_ PUCHAR Memory,
				 _Inout_ PEDU_PERMISSIONS Report)
{
	PHYSICAL_ADDRESS Logical;
	NTSTATUS Status;

	EduLendFill(Memory, 3);
	Status = EduLend(Extension, Mdl, CommonBufferHardwareAccessWriteOnly,
			 &Logical);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = EduMoveLogical(Extension, Logical, EDU_LEND_LENGTH, TRUE);
	EduLendFill(Memory, 4);
	if (NT_SUCCESS(Status))
		Status = EduMoveLogical(Extension, Logical, EDU_LEND_LENGTH,
					FALSE);
	EduLendEnd(Extension, Mdl, Logical);
	Report->Read = EduLendCount(Memory, EDU_LEND_LENGTH, 3);
	Report->Mismatches += EduLendCount(Memory, EDU_LEND_LENGTH, 4);
	return Status;
}

static NTSTATUS EduLendPage(_In_ PEDU_EXTENSION Extension, _In_ PMDL Mdl,
			    _In_ PUCHAR Memory,
			    _Inout_ PEDU_PERMISSIONS Report)
{
	PHYSICAL_ADDRESS Logical;
	NTSTATUS Status;

	/* Where there are no permissions this fails, wherever the page is. */
	Status = EduLend(Extension, Mdl, CommonBufferHardwareAccessReadOnly,
			 &Logical);
	if (!NT_SUCCESS(Status))
		return Status;
	EduLendEnd(Extension, Mdl, Logical);

	EduLendFill(Memory, 1);
	Status = EduLendBoth(Extension, Mdl, TRUE);
	if (NT_SUCCESS(Status))
		Status = EduLendReadOnly(Extension, Mdl, Memory, Report);
	if (NT_SUCCESS(Status)) {
		EduLendFill(Memory, 4);
		Status = EduLendBoth(Extension, Mdl, FALSE);
	}
	if (!NT_SUCCESS(Status))
		return Status;
	/* It stores what it took when it might read. */
	Report->Mismatches += EDU_LEND_LENGTH -
			      EduLendCount(Memory, EDU_LEND_LENGTH, 2);
	return EduLendWriteOnly(Extension, Mdl, Memory, Report);
}

_Use_decl_annotations_
NTSTATUS EduRunPermissions(PDEVICE_OBJECT DeviceObject,
			   PEDU_PERMISSIONS Report)
{
	PEDU_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
	PHYSICAL_ADDRESS Low, High, Skip;
	PUCHAR Memory;
	PMDL Mdl;

	RtlZeroMemory(Report, sizeof(*Report));
	if (Extension->Failed)
		return STATUS_DEVICE_NOT_READY;
	Low.QuadPart = 0;
	High.QuadPart = -1;
	Skip.QuadPart = 0;
	Mdl = MmAllocatePagesForMdlEx(Low, High, Skip, PAGE_SIZE, MmCached,
				      MM_ALLOCATE_FULLY_REQUIRED);
	if (!Mdl)
		return Status;
	Memory = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
	if (Memory) {
		Status = EduLendPage(Extension, Mdl, Memory, Report);
		MmUnmapLockedPages(Memory, Mdl);
	}
	MmFreePagesFromMdl(Mdl);
	ExFreePool(Mdl);
	return Status;
}
