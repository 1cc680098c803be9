// SPDX-License-Identifier: GPL-2.0
/*
 * What the floppy driver does with its disk. image.sh prepares the disk and
 * looks afterwards what is on it.
 *
 *   host     reads what the host put on the disk; nothing is written to a disk
 *            that is not as expected
 *   write    writes the next part of the disk from memory of one kind and reads
 *            it back into memory of the other, in moves of several lengths
 *   counter  reads a sector with the channel told of more
 *
 * Every sector holds its number, so that one that went to a wrong place shows.
 * What is written also holds the number of the run. All memory around the data
 * holds a guard value.
 */
#include <wdm.h>
#include "fdc.h"

#define FDC_HOST_SECTORS	1440
#define FDC_WRITTEN_SECTORS	1080
#define FDC_MOVE_LENGTH		(3 * FDC_CYLINDER_LENGTH)
#define FDC_BUFFER_LENGTH	(FDC_MOVE_LENGTH + 2 * PAGE_SIZE)
#define FDC_GUARD		0xa5

typedef struct _FDC_BUFFER {
	PMDL Mdl;
	PUCHAR Memory;
	ULONG Start;		/* of the data */
} FDC_BUFFER, *PFDC_BUFFER;

typedef struct _FDC_RUN {
	PFDC_EXTENSION Extension;
	ULONG Number;
	FDC_BUFFER Pool;	/* one piece, begins and ends inside a page */
	FDC_BUFFER Pages;	/* single pages, far up in memory if it has any */
} FDC_RUN, *PFDC_RUN;

/* Sectors of a host have Number 0. */
static UCHAR FdcByte(_In_ ULONG Sector, _In_ ULONG Number, _In_ ULONG Index)
{
	UCHAR Value = (UCHAR)(Sector * 7 + Index);

	if (Index < 4)
		return (UCHAR)(Sector >> 8 * Index);
	if (Index < 8)
		return (UCHAR)(Number >> 8 * (Index - 4));
	return Number ? (UCHAR)~Value : Value;
}

static VOID FdcFillPattern(_In_ PFDC_BUFFER Buffer, _In_ ULONG Sector,
			   _In_ ULONG Number, _In_ ULONG Length)
{
	ULONG Index;

	for (Index = 0; Index < Length; Index++)
		Buffer->Memory[Buffer->Start + Index] =
			FdcByte(Sector + Index / FDC_SECTOR_LENGTH, Number,
				Index % FDC_SECTOR_LENGTH);
}

/* Counts the wrong bytes of all of the buffer, and leaves guards. */
static ULONG FdcCheck(_In_ PFDC_BUFFER Buffer, _In_ ULONG Sector,
		      _In_ ULONG Number, _In_ ULONG Length)
{
	ULONG Mismatches = 0;
	ULONG Index, Place;
	UCHAR Expected;

	for (Index = 0; Index < FDC_BUFFER_LENGTH; Index++) {
		Expected = FDC_GUARD;
		Place = Index - Buffer->Start;
		if (Index >= Buffer->Start && Place < Length)
			Expected = FdcByte(Sector + Place / FDC_SECTOR_LENGTH,
					   Number, Place % FDC_SECTOR_LENGTH);
		Mismatches += Buffer->Memory[Index] != Expected;
	}
	RtlFillMemory(Buffer->Memory, FDC_BUFFER_LENGTH, FDC_GUARD);
	return Mismatches;
}

static NTSTATUS FdcMoveBuffer(_In_ PFDC_RUN Run, _In_ PFDC_BUFFER Buffer,
			      _In_ ULONG Sector, _In_ ULONG Length,
			      _In_ ULONG Slack, _In_ BOOLEAN WriteToDevice)
{
	FDC_MOVE Move;

	Move.Mdl = Buffer->Mdl;
	Move.Offset = Buffer->Start;
	Move.Length = Length;
	Move.Slack = Slack;
	Move.Sector = Sector;
	Move.WriteToDevice = WriteToDevice;
	return FdcMove(Run->Extension, &Move);
}

/* Reads sectors and compares them. */
static NTSTATUS FdcRead(_In_ PFDC_RUN Run, _In_ PFDC_BUFFER Buffer,
			_In_ ULONG Sector, _In_ ULONG Number,
			_In_ ULONG Length, _In_ ULONG Slack)
{
	NTSTATUS Status;

	Status = FdcMoveBuffer(Run, Buffer, Sector, Length, Slack, FALSE);
	if (NT_SUCCESS(Status))
		Run->Extension->Report.Mismatches +=
			FdcCheck(Buffer, Sector, Number, Length);
	return Status;
}

/* Writes sectors; the memory must stay as it is. */
static NTSTATUS FdcWrite(_In_ PFDC_RUN Run, _In_ PFDC_BUFFER Buffer,
			 _In_ ULONG Sector, _In_ ULONG Length)
{
	NTSTATUS Status;

	FdcFillPattern(Buffer, Sector, Run->Number, Length);
	Status = FdcMoveBuffer(Run, Buffer, Sector, Length, 0, TRUE);
	if (NT_SUCCESS(Status))
		Run->Extension->Report.Mismatches +=
			FdcCheck(Buffer, Sector, Run->Number, Length);
	return Status;
}

static NTSTATUS FdcRunHost(_In_ PFDC_RUN Run)
{
	NTSTATUS Status = STATUS_SUCCESS;
	PFDC_BUFFER Buffer = &Run->Pool;
	ULONG Sector, Length;

	for (Sector = 0; Sector < FDC_HOST_SECTORS && NT_SUCCESS(Status);
	     Sector += Length / FDC_SECTOR_LENGTH) {
		Length = min(FDC_MOVE_LENGTH, (FDC_HOST_SECTORS - Sector) *
					      FDC_SECTOR_LENGTH);
		Status = FdcRead(Run, Buffer, Sector, 0, Length, 0);
		Buffer = Buffer == &Run->Pool ? &Run->Pages : &Run->Pool;
	}
	if (NT_SUCCESS(Status) && Run->Extension->Report.Mismatches)
		Status = STATUS_UNSUCCESSFUL;
	return Status;
}

static NTSTATUS FdcRunWrite(_In_ PFDC_RUN Run)
{
	static const ULONG Sectors[] = { 1, 2, 15, 18, 36, 37, 72, 107, 108 };
	ULONG End = FDC_HOST_SECTORS + FDC_WRITTEN_SECTORS;
	PFDC_BUFFER From = &Run->Pages, To = &Run->Pool, Other;
	ULONG Sector, Length, Turn = 0;
	NTSTATUS Status;

	for (Sector = FDC_HOST_SECTORS; Sector < End;
	     Sector += Length / FDC_SECTOR_LENGTH) {
		Length = min(Sectors[Turn++ % ARRAYSIZE(Sectors)],
			     End - Sector) * FDC_SECTOR_LENGTH;
		Status = FdcWrite(Run, From, Sector, Length);
		if (NT_SUCCESS(Status))
			Status = FdcRead(Run, To, Sector, Run->Number, Length,
					 0);
		if (!NT_SUCCESS(Status))
			return Status;
		Other = From;
		From = To;
		To = Other;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS FdcRunCounter(_In_ PFDC_RUN Run)
{
	NTSTATUS Status;

	Status = FdcRead(Run, &Run->Pool, 5, 0, FDC_SECTOR_LENGTH, 1);
	if (NT_SUCCESS(Status))
		Status = FdcRead(Run, &Run->Pages, 700, 0, FDC_SECTOR_LENGTH,
				 3 * FDC_SECTOR_LENGTH);
	return Status;
}

/* ---- Memory ---- */

static NTSTATUS FdcCreateBuffers(_In_ PFDC_RUN Run)
{
	PHYSICAL_ADDRESS Low, High, Skip;
	PFDC_BUFFER Pool = &Run->Pool, Pages = &Run->Pages;

	Low.QuadPart = 0;
	High.QuadPart = -1;
	Skip.QuadPart = 0;
	Pool->Start = 0x4fe;
	Pages->Start = 0x201;
	Pool->Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, FDC_BUFFER_LENGTH,
				       FDC_TAG);
	if (!Pool->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	Pool->Mdl = IoAllocateMdl(Pool->Memory, FDC_BUFFER_LENGTH, FALSE,
				  FALSE, NULL);
	Pages->Mdl = MmAllocatePagesForMdlEx(Low, High, Skip,
					     FDC_BUFFER_LENGTH, MmCached,
					     MM_ALLOCATE_FULLY_REQUIRED);
	if (!Pool->Mdl || !Pages->Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmBuildMdlForNonPagedPool(Pool->Mdl);
	Pages->Memory = MmGetSystemAddressForMdlSafe(Pages->Mdl,
						     NormalPagePriority);
	if (!Pages->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlFillMemory(Pool->Memory, FDC_BUFFER_LENGTH, FDC_GUARD);
	RtlFillMemory(Pages->Memory, FDC_BUFFER_LENGTH, FDC_GUARD);
	return STATUS_SUCCESS;
}

static VOID FdcDeleteBuffers(_In_ PFDC_RUN Run)
{
	PFDC_BUFFER Pool = &Run->Pool, Pages = &Run->Pages;

	if (Pages->Memory)
		MmUnmapLockedPages(Pages->Memory, Pages->Mdl);
	if (Pages->Mdl) {
		MmFreePagesFromMdl(Pages->Mdl);
		ExFreePool(Pages->Mdl);
	}
	if (Pool->Mdl)
		IoFreeMdl(Pool->Mdl);
	if (Pool->Memory)
		ExFreePoolWithTag(Pool->Memory, FDC_TAG);
}

static NTSTATUS FdcRunAll(_In_ PFDC_RUN Run)
{
	NTSTATUS Status;

	Status = FdcStartMotor(Run->Extension);
	if (NT_SUCCESS(Status))
		Status = FdcRunHost(Run);
	if (NT_SUCCESS(Status))
		Status = FdcRunWrite(Run);
	if (NT_SUCCESS(Status))
		Status = FdcRunCounter(Run);
	FdcStopMotor(Run->Extension);
	return Status;
}

/* The report is valid whatever the status is. One caller at a time. */
_Use_decl_annotations_
NTSTATUS FdcRunTransfers(PDEVICE_OBJECT DeviceObject, PFDC_REPORT Report)
{
	PFDC_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status = STATUS_DEVICE_NOT_READY;
	FDC_RUN Run;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	InterlockedExchange(&Extension->Interrupts, 0);
	if (!Extension->Failed) {
		RtlZeroMemory(&Run, sizeof(Run));
		Run.Extension = Extension;
		Run.Number = ++Extension->Runs;
		Status = FdcCreateBuffers(&Run);
		if (NT_SUCCESS(Status))
			Status = FdcRunAll(&Run);
		FdcDeleteBuffers(&Run);
	}
	Extension->Report.Interrupts =
		InterlockedExchange(&Extension->Interrupts, 0);
	*Report = Extension->Report;
	return Status;
}
