// SPDX-License-Identifier: GPL-2.0
/*
 * What the nvme driver does with its disk. image.sh prepares the disk and looks
 * afterwards what is on it.
 *
 *   host     reads what the host put on the disk; nothing is written to a disk
 *            that is not as expected
 *   table    writes lengths from one block to 1 MiB from memory of one kind and
 *            reads them back into memory of another kind
 *   burst    the rest of the space, in many commands at a time
 *
 * Every block holds its number, so that one that went to a wrong place shows.
 * What is written also holds the number of the run, so that what an earlier
 * run left behind shows. All memory around the data holds a guard value.
 */
#include <wdm.h>
#include "nvme.h"

#define NVME_BURST		16	/* moves */
#define NVME_BURST_IN_FLIGHT	4	/* at least this many at a time */

typedef struct _NVME_RUN {
	PNVME_EXTENSION Extension;
	ULONG Number;
	ULONGLONG Block;		/* the next to write */
	NVME_BUFFER Sources[NvmeBufferKinds];
	NVME_BUFFER Targets[NvmeBufferKinds];
	NVME_MOVE Moves[NVME_BURST];
	UCHAR Expected[NVME_BLOCK_SIZE];
	UCHAR Found[NVME_BLOCK_SIZE];
} NVME_RUN, *PNVME_RUN;

typedef struct _NVME_TRANSFER {
	NVME_BUFFER_KIND From;
	ULONG FromOffset;
	NVME_BUFFER_KIND To;
	ULONG ToOffset;
	ULONG Length;
} NVME_TRANSFER;

typedef const struct _NVME_TRANSFER *PCNVME_TRANSFER;

#define KIB	1024

static const NVME_TRANSFER NvmeTransfers[] = {
	{ NvmePages, 0x1f4, NvmePool, 0, 512 },
	{ NvmeChain, 0xc00, NvmePages, 0xe00, 3072 },
	{ NvmePool, 0, NvmePages, 0, 4 * KIB },
	{ NvmePages, 0x200, NvmeChain, 0, 4 * KIB },
	{ NvmeChain, PAGE_SIZE - 0x204, NvmePages, PAGE_SIZE - 4, 4608 },
	{ NvmePages, 0xffc, NvmePool, 4, 8 * KIB },
	{ NvmeChain, 0, NvmePages, 0x204, 8 * KIB },
	{ NvmePool, 0x200, NvmeChain, 2 * PAGE_SIZE, 12 * KIB },
	{ NvmeChain, 3 * PAGE_SIZE - 0x404, NvmePool, PAGE_SIZE, 12 * KIB },
	{ NvmePages, PAGE_SIZE, NvmeChain, 0, 64 * KIB },
	{ NvmeChain, 0x600, NvmePages, 0xe00, 64 * KIB },
	{ NvmePages, 0, NvmePages, 0x200, 132 * KIB },
	{ NvmePool, 5 * PAGE_SIZE + 0x10, NvmeChain, 0xc, 132 * KIB },
	{ NvmePages, 0, NvmePool, 0, 1024 * KIB },
	{ NvmePool, 0x200, NvmePages, 0xffc, 1024 * KIB },
	{ NvmeChain, 0, NvmeChain, PAGE_SIZE - 0x204, 1024 * KIB },
};

/* ---- What the blocks hold ---- */

/* Blocks of the host have Number 0. */
static VOID NvmeFillBlock(_Out_writes_(NVME_BLOCK_SIZE) PUCHAR Bytes,
			  _In_ ULONGLONG Block, _In_ ULONG Number)
{
	ULONGLONG Header = Block | (ULONGLONG)Number << 32;
	UCHAR Flip = Number ? 0xff : 0;
	ULONG Index;

	RtlCopyMemory(Bytes, &Header, sizeof(Header));
	for (Index = sizeof(Header); Index < NVME_BLOCK_SIZE; Index++)
		Bytes[Index] = (UCHAR)(Block * 7 + Index) ^ Flip;
}

static VOID NvmeWritePattern(_In_ PNVME_RUN Run, _In_ PNVME_BUFFER Buffer,
			     _In_ PCNVME_MOVE Move)
{
	ULONG Done;

	for (Done = 0; Done < Move->Length; Done += NVME_BLOCK_SIZE) {
		NvmeFillBlock(Run->Expected,
			      Move->Block + Done / NVME_BLOCK_SIZE,
			      Run->Number);
		NvmeCopyIn(Buffer, Move->Offset + Done, Run->Expected,
			   NVME_BLOCK_SIZE);
	}
}

static ULONG NvmeCompare(_In_ const UCHAR *Expected, _In_ const UCHAR *Found)
{
	ULONG Mismatches = 0;
	ULONG Index;

	if (RtlEqualMemory(Expected, Found, NVME_BLOCK_SIZE))
		return 0;
	for (Index = 0; Index < NVME_BLOCK_SIZE; Index++)
		Mismatches += Expected[Index] != Found[Index];
	return Mismatches;
}

/* Counts wrong bytes, and turns the range back into guards. */
static ULONG NvmeCheckPattern(_In_ PNVME_RUN Run, _In_ PNVME_BUFFER Buffer,
			      _In_ PCNVME_MOVE Move, _In_ ULONG Number)
{
	ULONG Mismatches = 0;
	ULONG Done;

	for (Done = 0; Done < Move->Length; Done += NVME_BLOCK_SIZE) {
		NvmeFillBlock(Run->Expected,
			      Move->Block + Done / NVME_BLOCK_SIZE, Number);
		NvmeCopyOut(Buffer, Move->Offset + Done, Run->Found,
			    NVME_BLOCK_SIZE);
		Mismatches += NvmeCompare(Run->Expected, Run->Found);
	}
	NvmeFillGuard(Buffer, Move->Offset, Move->Length);
	return Mismatches;
}

static VOID NvmeDescribe(_Out_ PNVME_MOVE Move, _In_ PNVME_BUFFER Buffer,
			 _In_ ULONG Offset, _In_ ULONG Length,
			 _In_ ULONGLONG Block, _In_ BOOLEAN WriteToDevice)
{
	Move->Mdl = Buffer->Mdl;
	Move->Offset = Offset;
	Move->Length = Length;
	Move->Block = Block;
	Move->WriteToDevice = WriteToDevice;
}

/* ---- The three parts ---- */

static NTSTATUS NvmeRunHost(_In_ PNVME_RUN Run)
{
	const ULONG Length = NVME_HOST_BLOCKS / 2 * NVME_BLOCK_SIZE;
	PNVME_BUFFER First = &Run->Targets[NvmePages];
	PNVME_BUFFER Second = &Run->Targets[NvmeChain];
	ULONG Mismatches;
	NTSTATUS Status;

	NvmeDescribe(&Run->Moves[0], First, 0x200, Length, 0, FALSE);
	NvmeDescribe(&Run->Moves[1], Second, 0, Length, NVME_HOST_BLOCKS / 2,
		     FALSE);
	Status = NvmeRunMoves(Run->Extension, Run->Moves, 2);
	if (!NT_SUCCESS(Status))
		return Status;

	Mismatches = NvmeCheckPattern(Run, First, &Run->Moves[0], 0);
	Mismatches += NvmeCheckPattern(Run, Second, &Run->Moves[1], 0);
	Mismatches += NvmeCheckGuard(First) + NvmeCheckGuard(Second);
	Run->Extension->Report.Mismatches += Mismatches;
	return Mismatches ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static NTSTATUS NvmeRunTransfer(_In_ PNVME_RUN Run,
				_In_ PCNVME_TRANSFER Transfer)
{
	PNVME_BUFFER From = &Run->Sources[Transfer->From];
	PNVME_BUFFER To = &Run->Targets[Transfer->To];
	NVME_MOVE Out, In;
	NTSTATUS Status;

	NvmeDescribe(&Out, From, Transfer->FromOffset, Transfer->Length,
		     Run->Block, TRUE);
	NvmeDescribe(&In, To, Transfer->ToOffset, Transfer->Length, Run->Block,
		     FALSE);
	NvmeWritePattern(Run, From, &Out);
	Status = NvmeRunMoves(Run->Extension, &Out, 1);
	if (NT_SUCCESS(Status))
		Status = NvmeRunMoves(Run->Extension, &In, 1);
	if (!NT_SUCCESS(Status))
		return Status;

	Run->Block += Transfer->Length / NVME_BLOCK_SIZE;
	Run->Extension->Report.Mismatches +=
		NvmeCheckPattern(Run, From, &Out, Run->Number) +
		NvmeCheckPattern(Run, To, &In, Run->Number) +
		NvmeCheckGuard(From) + NvmeCheckGuard(To);
	return STATUS_SUCCESS;
}

static NTSTATUS NvmeRunTable(_In_ PNVME_RUN Run)
{
	NTSTATUS Status = STATUS_SUCCESS;
	ULONG Index;

	for (Index = 0; Index < ARRAYSIZE(NvmeTransfers); Index++) {
		Status = NvmeRunTransfer(Run, &NvmeTransfers[Index]);
		if (!NT_SUCCESS(Status))
			break;
	}
	return Status;
}

/* Neighbours in memory are not neighbours on the disk. */
static NTSTATUS NvmeRunBurstMoves(_In_ PNVME_RUN Run,
				  _In_ PNVME_BUFFER Buffer, _In_ ULONG Start,
				  _In_ ULONG Length, _In_ BOOLEAN WriteToDevice)
{
	ULONG Index, Place;

	for (Index = 0; Index < NVME_BURST; Index++) {
		Place = (Index * 5 + WriteToDevice) % NVME_BURST;
		NvmeDescribe(&Run->Moves[Index], Buffer, Start + Index * Length,
			     Length,
			     Run->Block + Place * (Length / NVME_BLOCK_SIZE),
			     WriteToDevice);
		if (WriteToDevice)
			NvmeWritePattern(Run, Buffer, &Run->Moves[Index]);
	}
	return NvmeRunMoves(Run->Extension, Run->Moves, NVME_BURST);
}

static VOID NvmeCheckBurst(_In_ PNVME_RUN Run, _In_ PNVME_BUFFER Buffer)
{
	ULONG Mismatches = 0;
	ULONG Index;

	for (Index = 0; Index < NVME_BURST; Index++)
		Mismatches += NvmeCheckPattern(Run, Buffer, &Run->Moves[Index],
					       Run->Number);
	Mismatches += NvmeCheckGuard(Buffer);
	Run->Extension->Report.Mismatches += Mismatches;
}

static NTSTATUS NvmeRunBurst(_In_ PNVME_RUN Run)
{
	const ULONGLONG End = NVME_WRITTEN_BLOCK + NVME_WRITTEN_BLOCKS;
	ULONG Blocks = (ULONG)(End - Run->Block);
	ULONG Length = Blocks / NVME_BURST * NVME_BLOCK_SIZE;
	PNVME_BUFFER From = &Run->Sources[NvmePages];
	PNVME_BUFFER To = &Run->Targets[NvmePages];
	PNVME_EXTENSION Extension = Run->Extension;
	NTSTATUS Status;

	if (Blocks % NVME_BURST || Blocks > NVME_MAXIMUM_LENGTH / NVME_BLOCK_SIZE)
		return STATUS_INVALID_PARAMETER;
	Status = NvmeRunBurstMoves(Run, From, 0x200, Length, TRUE);
	if (!NT_SUCCESS(Status))
		return Status;
	NvmeCheckBurst(Run, From);

	Status = NvmeRunBurstMoves(Run, To, 0x404, Length, FALSE);
	if (!NT_SUCCESS(Status))
		return Status;
	NvmeCheckBurst(Run, To);
	return Extension->MostRunning < NVME_BURST_IN_FLIGHT ?
	       STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static NTSTATUS NvmeRunAll(_In_ PNVME_RUN Run)
{
	NTSTATUS Status = STATUS_SUCCESS;
	ULONG Kind;

	for (Kind = 0; Kind < NvmeBufferKinds && NT_SUCCESS(Status); Kind++) {
		Status = NvmeCreateBuffer(Kind, &Run->Sources[Kind]);
		if (NT_SUCCESS(Status))
			Status = NvmeCreateBuffer(Kind, &Run->Targets[Kind]);
	}
	if (NT_SUCCESS(Status))
		Status = NvmeRunHost(Run);
	if (NT_SUCCESS(Status))
		Status = NvmeRunTable(Run);
	if (NT_SUCCESS(Status))
		Status = NvmeRunBurst(Run);
	for (Kind = 0; Kind < NvmeBufferKinds; Kind++) {
		NvmeDeleteBuffer(&Run->Targets[Kind]);
		NvmeDeleteBuffer(&Run->Sources[Kind]);
	}
	return Status;
}

static NTSTATUS NvmeRun(_In_ PNVME_EXTENSION Extension)
{
	NTSTATUS Status;
	PNVME_RUN Run;

	if (Extension->Failed)
		return STATUS_DEVICE_NOT_READY;
	if (Extension->Blocks < NVME_DISK_BLOCKS)
		return STATUS_NOT_SUPPORTED;
	/* Zeroed, so that buffers that were never created can be deleted. */
	Run = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Run), NVME_TAG);
	if (!Run)
		return STATUS_INSUFFICIENT_RESOURCES;
	Run->Extension = Extension;
	Run->Number = ++Extension->Runs;
	Run->Block = NVME_WRITTEN_BLOCK;
	Status = NvmeRunAll(Run);
	ExFreePoolWithTag(Run, NVME_TAG);
	return Status;
}

/* The report is valid whatever the status is. One caller at a time. */
_Use_decl_annotations_
NTSTATUS NvmeRunTransfers(PDEVICE_OBJECT DeviceObject, PNVME_REPORT Report)
{
	PNVME_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	InterlockedExchange(&Extension->Interrupts, 0);
	Extension->MostRunning = 0;	/* nothing runs that could change it */

	Status = NvmeRun(Extension);

	Extension->Report.InFlight = Extension->MostRunning;
	Extension->Report.Interrupts =
		InterlockedExchange(&Extension->Interrupts, 0);
	*Report = Extension->Report;
	return Status;
}
