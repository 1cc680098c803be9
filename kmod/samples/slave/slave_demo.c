// SPDX-License-Identifier: GPL-2.0
/*
 * What the slave driver does with its channels: data goes from one piece of
 * memory to the device through one channel, and through the other one into
 * another piece, which is then compared byte by byte. All memory around the
 * data holds a guard value, which must survive.
 */
#include <wdm.h>
#include "slave.h"

#define SLAVE_BUFFER_PAGES	8
#define SLAVE_GUARD		0xa5

/* What a long transfer moves at a time: the device holds no more. */
#define SLAVE_AT_ONCE		4080

#define SLAVE_COMMAND_MILLISECONDS	100

/* Entries of a list that the controller takes. */
#define SLAVE_LIST_LIMIT	4

/* ---- Memory to move, and how to see that it was moved well ---- */

typedef struct _SLAVE_RANGE {
	ULONG Start;
	ULONG Length;
} SLAVE_RANGE;

typedef struct _SLAVE_BUFFER {
	PMDL Mdl;		/* the first of the chain */
	PUCHAR Memory;		/* all of it, the gaps as well */
	SIZE_T MemoryLength;
} SLAVE_BUFFER, *PSLAVE_BUFFER;

static const SLAVE_RANGE SlaveWhole[] = {
	{ 5, 6 * PAGE_SIZE },
};

/* More than the controller takes at once. */
static const SLAVE_RANGE SlaveFragments[] = {
	{ 1, 14 },
	{ 257, 20 },
	{ PAGE_SIZE + 3, 1 },
	{ 2 * PAGE_SIZE + 513, 511 },
	{ 3 * PAGE_SIZE + 100, 2 },
	{ 5 * PAGE_SIZE + 77, 1500 },
};

/* Undoes SlaveCreateBuffer, also one that failed. */
static VOID SlaveDeleteBuffer(_Inout_ PSLAVE_BUFFER Buffer)
{
	PMDL Mdl, Next;

	for (Mdl = Buffer->Mdl; Mdl; Mdl = Next) {
		Next = Mdl->Next;
		IoFreeMdl(Mdl);
	}
	if (Buffer->Memory)
		ExFreePoolWithTag(Buffer->Memory, SLAVE_TAG);
}

static NTSTATUS SlaveCreateBuffer(_Out_ PSLAVE_BUFFER Buffer,
				  _In_reads_(Count) const SLAVE_RANGE *Ranges,
				  _In_ ULONG Count)
{
	PMDL *Link = &Buffer->Mdl;

	Buffer->Mdl = NULL;
	Buffer->MemoryLength = SLAVE_BUFFER_PAGES * PAGE_SIZE;
	Buffer->Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED,
					 Buffer->MemoryLength, SLAVE_TAG);
	if (!Buffer->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlFillMemory(Buffer->Memory, Buffer->MemoryLength, SLAVE_GUARD);

	for (; Count; Count--, Ranges++) {
		*Link = IoAllocateMdl(Buffer->Memory + Ranges->Start,
				      Ranges->Length, FALSE, FALSE, NULL);
		if (!*Link)
			return STATUS_INSUFFICIENT_RESOURCES;
		MmBuildMdlForNonPagedPool(*Link);
		Link = &(*Link)->Next;
	}
	return STATUS_SUCCESS;
}

/* The byte at an offset into the chain. */
static PUCHAR SlaveByteOf(_In_ PSLAVE_BUFFER Buffer, _In_ ULONG Offset)
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
static UCHAR SlavePattern(_In_ ULONG Seed, _In_ ULONG Index)
{
	return (UCHAR)(Seed * 31 + Index * 7 + (Index >> 8) * 5 + 3);
}

static VOID SlaveWritePattern(_In_ PSLAVE_BUFFER Buffer, _In_ ULONG Offset,
			      _In_ ULONG Length, _In_ ULONG Seed)
{
	ULONG Index;

	for (Index = 0; Index < Length; Index++)
		*SlaveByteOf(Buffer, Offset + Index) = SlavePattern(Seed, Index);
}

/*
 * Counts the bytes that are wrong: those of the range that do not have the
 * pattern, and all others of the memory that have lost their guard value.
 */
static VOID SlaveCheckPattern(_In_ PSLAVE_EXTENSION Extension,
			      _In_ PSLAVE_BUFFER Buffer, _In_ ULONG Offset,
			      _In_ ULONG Length, _In_ ULONG Seed)
{
	PSLAVE_REPORT Report = &Extension->Report;
	PUCHAR Byte;
	SIZE_T Rest;
	ULONG Index;

	for (Index = 0; Index < Length; Index++) {
		Byte = SlaveByteOf(Buffer, Offset + Index);
		if (*Byte != SlavePattern(Seed, Index))
			Report->Mismatches++;
		*Byte = SLAVE_GUARD;
	}
	for (Rest = 0; Rest < Buffer->MemoryLength; Rest++) {
		if (Buffer->Memory[Rest] != SLAVE_GUARD)
			Report->Mismatches++;
		Buffer->Memory[Rest] = SLAVE_GUARD;
	}
}

static VOID SlaveExpect(_In_ PSLAVE_EXTENSION Extension, _In_ BOOLEAN Condition,
			_In_z_ PCSTR Text)
{
	PSLAVE_REPORT Report = &Extension->Report;

	Report->Checks++;
	if (Condition)
		return;
	Report->Surprises++;
	if (!Report->Surprise)
		Report->Surprise = Text;
}

static VOID SlaveSleep(_In_ ULONG Milliseconds)
{
	LARGE_INTEGER Interval;

	Interval.QuadPart = -10000LL * Milliseconds;
	KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

/* ---- Transfers ---- */

/* Owns the channel for all of Length. */
static NTSTATUS SlaveTakeChannel(_Inout_ PSLAVE_CHANNEL Channel, _In_ PMDL Mdl,
				 _In_ ULONG Offset, _In_ ULONG Length)
{
	NTSTATUS Status;

	Status = SlaveAskForChannel(Channel, Mdl, Offset, Length);
	if (!NT_SUCCESS(Status))
		return Status;
	return SlaveWaitForChannel(Channel) ? STATUS_SUCCESS :
					      STATUS_DEVICE_NOT_READY;
}

/* One piece, from start to end; how much it was is in Channel->Length. */
static NTSTATUS SlaveMovePiece(_In_ PSLAVE_EXTENSION Extension,
			       _Inout_ PSLAVE_CHANNEL Channel,
			       _In_ PCSLAVE_PIECE Piece)
{
	PSLAVE_REPORT Report = &Extension->Report;
	NTSTATUS Status, Flushed;
	BOOLEAN Ended;

	Status = SlaveStartPiece(Channel, Piece);
	if (!NT_SUCCESS(Status))
		return Status;
	Ended = SlaveWaitForPiece(Channel);
	SlaveExpect(Extension, !Ended || SlaveReadCounter(Channel) == 0,
		    "the counter is 0 when the routine has been called");
	Flushed = SlaveFlushPiece(Channel);
	if (!Ended)
		return STATUS_DEVICE_NOT_READY;
	SlaveExpect(Extension, Channel->Completions == 1,
		    "a piece is completed once");
	if (Channel->Status != DmaComplete || !NT_SUCCESS(Flushed))
		return STATUS_UNSUCCESSFUL;
	Report->Elements++;
	Report->Bytes += Channel->Length;
	return STATUS_SUCCESS;
}

/*
 * A range, in as many pieces as it takes: no more than the device holds, and no
 * more than the controller takes of it. The device keeps only the last.
 */
static NTSTATUS SlaveMoveRange(_In_ PSLAVE_EXTENSION Extension,
			       _Inout_ PSLAVE_CHANNEL Channel,
			       _In_ PCSLAVE_PIECE Range)
{
	SLAVE_PIECE Piece = *Range;
	NTSTATUS Status;
	ULONG Done;

	Status = SlaveTakeChannel(Channel, Range->Mdl, Range->Offset,
				  Range->Length);
	if (!NT_SUCCESS(Status))
		return Status;
	for (Done = 0; NT_SUCCESS(Status) && Done < Range->Length;
	     Done += Channel->Length) {
		Piece.Offset = Range->Offset + Done;
		Piece.DeviceOffset = Range->DeviceOffset + Done;
		Piece.Length = Range->Length - Done;
		Status = SlaveMovePiece(Extension, Channel, &Piece);
	}
	SlaveFreeChannel(Channel);
	if (NT_SUCCESS(Status))
		Extension->Report.Transfers++;
	return Status;
}

/* Out of one buffer through one channel, into the other through the other. */
static NTSTATUS SlaveMoveThrough(_In_ PSLAVE_EXTENSION Extension,
				 _In_ PSLAVE_BUFFER From, _In_ ULONG FromOffset,
				 _In_ PSLAVE_BUFFER To, _In_ ULONG ToOffset,
				 _In_ ULONG Length, _In_ ULONG Seed)
{
	const ULONG DeviceOffset = (SLAVE_LENGTH - Length) / 2;
	SLAVE_PIECE Out = { From->Mdl, FromOffset, Length, DeviceOffset, TRUE,
			    SLAVE_ALL_COMMANDS };
	SLAVE_PIECE In = { To->Mdl, ToOffset, Length, DeviceOffset, FALSE,
			   SLAVE_ALL_COMMANDS };
	NTSTATUS Status;

	SlaveWritePattern(From, FromOffset, Length, Seed);
	Status = SlaveMoveRange(Extension, &Extension->First, &Out);
	SlaveCheckPattern(Extension, From, FromOffset, Length, Seed);
	if (NT_SUCCESS(Status))
		Status = SlaveMoveRange(Extension, &Extension->Second, &In);
	if (NT_SUCCESS(Status))
		SlaveCheckPattern(Extension, To, ToOffset, Length, Seed);
	return Status;
}

static NTSTATUS SlaveRunMoves(_In_ PSLAVE_EXTENSION Extension,
			      _In_ PSLAVE_BUFFER Whole,
			      _In_ PSLAVE_BUFFER Fragments)
{
	const ULONG Long = 2 * SLAVE_AT_ONCE + 839;
	ULONG Before, Done, Now;
	NTSTATUS Status;

	Status = SlaveMoveThrough(Extension, Whole, PAGE_SIZE - 6, Fragments, 13,
				  1, 1);
	if (!NT_SUCCESS(Status))
		return Status;

	Before = Extension->Report.Elements;
	Status = SlaveMoveThrough(Extension, Fragments, 3, Whole,
				  2 * PAGE_SIZE - 1000, 2040, 2);
	if (!NT_SUCCESS(Status))
		return Status;
	SlaveExpect(Extension, Extension->Report.Elements - Before >= 3,
		    "a list that is too long is shortened");

	/* The device holds a piece of it, so each has to come back at once. */
	for (Done = 0; Done < Long && NT_SUCCESS(Status); Done += Now) {
		Now = min(Long - Done, (ULONG)SLAVE_AT_ONCE);
		Status = SlaveMoveThrough(Extension, Whole, 1021 + Done, Whole,
					  PAGE_SIZE + 1021 + Done, Now, 3 + Done);
	}
	return Status;
}

/* ---- What is stopped under way ---- */

/* A transfer that the device lets stand still after some commands. */
static NTSTATUS SlaveStall(_In_ PSLAVE_EXTENSION Extension,
			   _Inout_ PSLAVE_CHANNEL Channel, _In_ PMDL Mdl,
			   _In_ ULONG Length, _In_ ULONG Commands)
{
	SLAVE_PIECE Piece = { Mdl, 0, Length, 0, FALSE, Commands };
	NTSTATUS Status;

	Status = SlaveTakeChannel(Channel, Mdl, 0, Length);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = SlaveStartPiece(Channel, &Piece);
	if (!NT_SUCCESS(Status))
		SlaveFreeChannel(Channel);
	return Status;
}

static VOID SlaveExpectCancelled(_In_ PSLAVE_EXTENSION Extension,
				 _In_ PSLAVE_CHANNEL Channel)
{
	const BOOLEAN Once = Channel->Completions == 1 &&
			     Channel->Status == DmaCancelled;

	SlaveExpect(Extension, Once,
		    "a stopped transfer is completed once, as cancelled");
	if (Once)
		Extension->Report.Cancelled++;
}

/*
 * The device does nothing, and another user waits for the channel: it is
 * served when the transfer has been cancelled.
 */
static NTSTATUS SlaveRunCancel(_In_ PSLAVE_EXTENSION Extension,
			       _In_ PSLAVE_BUFFER Buffer)
{
	PSLAVE_CHANNEL Channel = &Extension->First;
	PSLAVE_CHANNEL Other = &Extension->FirstAgain;
	const ULONG Length = 1000;
	SLAVE_PIECE Next = { Buffer->Mdl, 7, 300, 1, TRUE, SLAVE_ALL_COMMANDS };
	NTSTATUS Status;

	Status = SlaveStall(Extension, Channel, Buffer->Mdl, Length, 0);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = SlaveAskForChannel(Other, Buffer->Mdl, Next.Offset,
				    Next.Length);
	SlaveExpect(Extension, KeReadStateEvent(&Other->Granted) == 0,
		    "another user of the channel waits");
	SlaveExpect(Extension, SlaveReadCounter(Channel) == Length,
		    "the counter stays where nothing is moved");
	SlaveExpect(Extension, NT_SUCCESS(SlaveCancelPiece(Channel)),
		    "what is under way can be cancelled");
	SlaveExpectCancelled(Extension, Channel);
	SlaveExpect(Extension, !NT_SUCCESS(SlaveCancelPiece(Channel)),
		    "a second cancel fails");
	SlaveExpect(Extension, NT_SUCCESS(SlaveFlushPiece(Channel)),
		    "what was cancelled can be flushed");
	SlaveFreeChannel(Channel);
	SlaveCheckPattern(Extension, Buffer, 0, 0, 0);

	if (!NT_SUCCESS(Status) || !SlaveWaitForChannel(Other))
		return STATUS_DEVICE_NOT_READY;
	Status = SlaveMovePiece(Extension, Other, &Next);
	SlaveFreeChannel(Other);
	return Status;
}

/* The counter goes down to Left and stays there. */
static BOOLEAN SlaveWaitForCounter(_In_ PSLAVE_CHANNEL Channel, _In_ ULONG Left)
{
	ULONG Tries;

	for (Tries = 0; Tries < SLAVE_TIMEOUT_SECONDS * 100; Tries++) {
		if (SlaveReadCounter(Channel) <= Left)
			break;
		SlaveSleep(10);
	}
	return SlaveReadCounter(Channel) == Left;
}

/* One fragment arrives, then the flush ends it. The device has the pattern. */
static NTSTATUS SlaveRunFlush(_In_ PSLAVE_EXTENSION Extension,
			      _In_ PSLAVE_BUFFER Whole,
			      _In_ PSLAVE_BUFFER Fragments)
{
	PSLAVE_CHANNEL Channel = &Extension->Second;
	const ULONG First = SlaveFragments[0].Length;
	const ULONG Length = First + SlaveFragments[1].Length;
	SLAVE_PIECE Out = { Whole->Mdl, 0, Length, 0, TRUE, SLAVE_ALL_COMMANDS };
	NTSTATUS Status;

	SlaveWritePattern(Whole, 0, Length, 4);
	Status = SlaveMoveRange(Extension, &Extension->First, &Out);
	SlaveCheckPattern(Extension, Whole, 0, Length, 4);
	if (NT_SUCCESS(Status))
		Status = SlaveStall(Extension, Channel, Fragments->Mdl, Length,
				    1);
	if (!NT_SUCCESS(Status))
		return Status;
	SlaveExpect(Extension, SlaveWaitForCounter(Channel, Length - First),
		    "the counter says what is missing");
	SlaveExpect(Extension, NT_SUCCESS(SlaveFlushPiece(Channel)),
		    "what is under way can be flushed");
	SlaveExpectCancelled(Extension, Channel);
	SlaveFreeChannel(Channel);
	SlaveCheckPattern(Extension, Fragments, 0, First, 4);
	Extension->Report.Bytes += First;
	return STATUS_SUCCESS;
}

/*
 * The controller is at work, and cannot be stopped at once; or it has just
 * ended. The channel must not be granted, nor the memory given to anybody,
 * before it has. What it brings in either case is what the device holds.
 */
static NTSTATUS SlaveRunHurry(_In_ PSLAVE_EXTENSION Extension,
			      _In_ PSLAVE_BUFFER Buffer)
{
	PSLAVE_CHANNEL Channel = &Extension->Second;
	const ULONG Length = SLAVE_AT_ONCE;
	BOOLEAN Cancelled;
	NTSTATUS Status;

	Status = SlaveStall(Extension, Channel, Buffer->Mdl, Length,
			    SLAVE_ALL_COMMANDS);
	if (!NT_SUCCESS(Status))
		return Status;
	Cancelled = NT_SUCCESS(SlaveCancelPiece(Channel));
	SlaveExpect(Extension, NT_SUCCESS(SlaveFlushPiece(Channel)),
		    "what ends or is stopped can be flushed");
	if (Cancelled)
		SlaveExpectCancelled(Extension, Channel);
	else
		SlaveExpect(Extension, Channel->Status == DmaComplete,
			    "what cannot be cancelled is complete");
	SlaveFreeChannel(Channel);

	/* Whoever gets the channel next finds a controller that has ended. */
	Status = SlaveTakeChannel(Channel, Buffer->Mdl, 0, Length);
	if (NT_SUCCESS(Status))
		SlaveFreeChannel(Channel);
	RtlFillMemory(SlaveByteOf(Buffer, 0), Length, SLAVE_GUARD);
	SlaveSleep(SLAVE_COMMAND_MILLISECONDS * 3 / 2);
	SlaveCheckPattern(Extension, Buffer, 0, 0, 0);
	return Status;
}

/* ---- Over and over again ---- */

/*
 * A common buffer, two pages of which the ring lies across the border. The rest
 * holds a guard value.
 */
typedef struct _SLAVE_RING {
	PSLAVE_CHANNEL Channel;
	PUCHAR Memory;
	PHYSICAL_ADDRESS LogicalAddress;
	PMDL Mdl;
	PUCHAR Ring;
	ULONG Length;
} SLAVE_RING, *PSLAVE_RING;

/* Undoes SlaveCreateRing, also one that failed. */
static VOID SlaveDeleteRing(_Inout_ PSLAVE_RING Ring)
{
	PDMA_ADAPTER Adapter = Ring->Channel->DmaAdapter;

	if (Ring->Mdl)
		IoFreeMdl(Ring->Mdl);
	if (Ring->Memory)
		Adapter->DmaOperations->FreeCommonBuffer(Adapter, 2 * PAGE_SIZE,
				Ring->LogicalAddress, Ring->Memory, FALSE);
}

static NTSTATUS SlaveCreateRing(_Out_ PSLAVE_RING Ring,
				_In_ PSLAVE_CHANNEL Channel, _In_ ULONG Length)
{
	PDMA_ADAPTER Adapter = Channel->DmaAdapter;

	RtlZeroMemory(Ring, sizeof(*Ring));
	Ring->Channel = Channel;
	Ring->Length = Length;
	Ring->Memory = Adapter->DmaOperations->AllocateCommonBuffer(Adapter,
				2 * PAGE_SIZE, &Ring->LogicalAddress, FALSE);
	if (!Ring->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlFillMemory(Ring->Memory, 2 * PAGE_SIZE, SLAVE_GUARD);
	Ring->Ring = Ring->Memory + PAGE_SIZE - SLAVE_PERIOD / 2;
	Ring->Mdl = IoAllocateMdl(Ring->Ring, Length, FALSE, FALSE, NULL);
	if (!Ring->Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmBuildMdlForNonPagedPool(Ring->Mdl);
	return STATUS_SUCCESS;
}

/* Counts the bytes around the ring that have lost their guard value. */
static VOID SlaveCheckAround(_In_ PSLAVE_EXTENSION Extension,
			     _In_ PSLAVE_RING Ring)
{
	PUCHAR Byte;

	for (Byte = Ring->Memory; Byte < Ring->Memory + 2 * PAGE_SIZE; Byte++) {
		if (Byte == Ring->Ring)
			Byte += Ring->Length;
		if (*Byte != SLAVE_GUARD)
			Extension->Report.Mismatches++;
	}
}

/* Starts it, and waits for some periods: Wanted, after which it goes on. */
static NTSTATUS SlaveBeginLoop(_In_ PSLAVE_RING Ring, _In_ ULONG DeviceOffset,
			       _In_ BOOLEAN WriteToDevice, _In_ ULONG Commands,
			       _In_ LONG Wanted)
{
	SLAVE_PIECE Piece = { Ring->Mdl, 0, Ring->Length, DeviceOffset,
			      WriteToDevice, Commands };
	PSLAVE_CHANNEL Channel = Ring->Channel;
	NTSTATUS Status;

	Status = SlaveTakeChannel(Channel, Ring->Mdl, 0, Ring->Length);
	if (!NT_SUCCESS(Status))
		return Status;
	Channel->WantedPeriods = Wanted;
	Status = SlaveStartPiece(Channel, &Piece);
	if (NT_SUCCESS(Status) && !SlaveWaitForPiece(Channel)) {
		SlaveFlushPiece(Channel);
		Status = STATUS_DEVICE_NOT_READY;
	}
	if (!NT_SUCCESS(Status))
		SlaveFreeChannel(Channel);
	return Status;
}

/*
 * The loop is stopped: once the channel is granted again its controller has
 * ended, and no completion routine runs. None must come any more.
 */
static NTSTATUS SlaveEndLoop(_In_ PSLAVE_EXTENSION Extension,
			     _In_ PSLAVE_RING Ring, _In_ LONG Least)
{
	PSLAVE_CHANNEL Channel = Ring->Channel;
	NTSTATUS Status;
	LONG Completions;

	SlaveExpect(Extension, SlaveReadCounter(Channel) == 0,
		    "the counter of a stopped loop is 0");
	SlaveFreeChannel(Channel);
	Status = SlaveTakeChannel(Channel, Ring->Mdl, 0, Ring->Length);
	if (!NT_SUCCESS(Status))
		return Status;
	SlaveFreeChannel(Channel);

	Completions = Channel->Completions;
	SlaveSleep(SLAVE_COMMAND_MILLISECONDS * 3 / 2);
	SlaveExpect(Extension, Channel->Completions == Completions,
		    "no completion after the flush of a loop");
	SlaveExpect(Extension, Channel->Cancellations == 1,
		    "a stopped loop is told once that it is cancelled");
	SlaveExpect(Extension, Completions > Least,
		    "a completion for each period");
	Extension->Report.Periods += Completions - 1;
	Extension->Report.Bytes += (Completions - 1) * SLAVE_PERIOD;
	Extension->Report.Cancelled++;
	return STATUS_SUCCESS;
}

/* Fills the device's buffer, all of it if need be, until it is cancelled. */
static NTSTATUS SlaveLoopOut(_In_ PSLAVE_EXTENSION Extension,
			     _In_ PSLAVE_RING Ring)
{
	const LONG Wanted = 4;
	ULONG Counter;
	NTSTATUS Status;

	Status = SlaveBeginLoop(Ring, 0, TRUE, SLAVE_ALL_COMMANDS, Wanted);
	if (!NT_SUCCESS(Status))
		return Status;
	Counter = SlaveReadCounter(Ring->Channel);
	SlaveExpect(Extension, Counter >= 1 && Counter <= Ring->Length &&
		    Counter % SLAVE_PERIOD == 0,
		    "the counter of a loop is within the ring");
	SlaveExpect(Extension, NT_SUCCESS(SlaveCancelPiece(Ring->Channel)),
		    "a loop can be cancelled");
	SlaveExpect(Extension, !NT_SUCCESS(SlaveCancelPiece(Ring->Channel)),
		    "a second cancel of a loop fails");
	SlaveExpect(Extension, NT_SUCCESS(SlaveFlushPiece(Ring->Channel)),
		    "a cancelled loop can be flushed");
	return SlaveEndLoop(Extension, Ring, Wanted);
}

/* Stands still after a pass and a half, then a flush alone stops it. */
static NTSTATUS SlaveLoopIn(_In_ PSLAVE_EXTENSION Extension,
			    _In_ PSLAVE_RING Ring)
{
	const LONG Periods = 3;
	NTSTATUS Status;

	Status = SlaveBeginLoop(Ring, SLAVE_PERIOD, FALSE, Periods, Periods);
	if (!NT_SUCCESS(Status))
		return Status;
	SlaveExpect(Extension, Ring->Channel->Completions == Periods,
		    "no completion where nothing is moved");
	SlaveExpect(Extension,
		    SlaveReadCounter(Ring->Channel) == SLAVE_PERIOD,
		    "the counter says what is missing in the pass");
	SlaveExpect(Extension, NT_SUCCESS(SlaveFlushPiece(Ring->Channel)),
		    "a loop can be flushed");
	SlaveExpect(Extension, Ring->Channel->Completions == Periods + 1,
		    "the flush of a loop tells of it before it returns");
	return SlaveEndLoop(Extension, Ring, Periods);
}

/*
 * A ring of three periods, 0 1 2, goes out for a pass and more: 0 1 2 0 ... From
 * the second of these on it comes back into a ring of two: 1 2, then 0 over the
 * first.
 */
static NTSTATUS SlaveRunLoop(_In_ PSLAVE_EXTENSION Extension)
{
	SLAVE_RING Out, In;
	NTSTATUS Status;
	ULONG Index;

	RtlZeroMemory(&In, sizeof(In));
	In.Channel = &Extension->SecondLoop;
	Status = SlaveCreateRing(&Out, &Extension->FirstLoop, 3 * SLAVE_PERIOD);
	if (NT_SUCCESS(Status))
		Status = SlaveCreateRing(&In, &Extension->SecondLoop,
					 2 * SLAVE_PERIOD);
	if (NT_SUCCESS(Status)) {
		for (Index = 0; Index < Out.Length; Index++)
			Out.Ring[Index] = SlavePattern(6, Index);
		Status = SlaveLoopOut(Extension, &Out);
	}
	if (NT_SUCCESS(Status))
		Status = SlaveLoopIn(Extension, &In);
	for (Index = 0; NT_SUCCESS(Status) && Index < SLAVE_PERIOD; Index++) {
		if (In.Ring[Index] != SlavePattern(6, Index))
			Extension->Report.Mismatches++;
		if (In.Ring[SLAVE_PERIOD + Index] !=
		    SlavePattern(6, 2 * SLAVE_PERIOD + Index))
			Extension->Report.Mismatches++;
	}
	if (NT_SUCCESS(Status)) {
		SlaveCheckAround(Extension, &Out);
		SlaveCheckAround(Extension, &In);
	}
	SlaveDeleteRing(&In);
	SlaveDeleteRing(&Out);
	return Status;
}

/* ---- What the controller refuses ---- */

static VOID SlaveTryPiece(_In_ PSLAVE_EXTENSION Extension,
			  _In_ PSLAVE_BUFFER Buffer, _In_ ULONG Length,
			  _In_ ULONG DeviceOffset, _In_z_ PCSTR Text)
{
	PSLAVE_CHANNEL Channel = &Extension->First;
	SLAVE_PIECE Piece = { Buffer->Mdl, 0, Length, DeviceOffset, FALSE,
			      SLAVE_ALL_COMMANDS };
	NTSTATUS Status;

	Status = SlaveTakeChannel(Channel, Buffer->Mdl, 0, Length);
	if (!NT_SUCCESS(Status)) {
		SlaveExpect(Extension, FALSE, "the channel is free");
		return;
	}
	Status = SlaveStartPiece(Channel, &Piece);
	SlaveExpect(Extension, Status == STATUS_INSUFFICIENT_RESOURCES, Text);
	SlaveExpect(Extension, Channel->Completions == 0,
		    "what was refused is not completed");
	if (NT_SUCCESS(Status))
		SlaveFlushPiece(Channel);
	SlaveFreeChannel(Channel);
	SlaveCheckPattern(Extension, Buffer, 0, 0, 0);
}

static VOID SlaveCheckLimits(_In_ PSLAVE_EXTENSION Extension,
			     _In_ PSLAVE_BUFFER Buffer)
{
	PDMA_ADAPTER Adapter = Extension->First.DmaAdapter;
	DMA_ADAPTER_INFO Info;
	NTSTATUS Status;

	RtlZeroMemory(&Info, sizeof(Info));
	Info.Version = DMA_ADAPTER_INFO_VERSION1;
	Status = Adapter->DmaOperations->GetDmaAdapterInfo(Adapter, &Info);
	SlaveExpect(Extension, NT_SUCCESS(Status), "the adapter has limits");
	SlaveExpect(Extension, Info.V1.ReadDmaCounterAvailable,
		    "the controller has a counter");
	SlaveExpect(Extension, Info.V1.ScatterGatherLimit == SLAVE_LIST_LIMIT,
		    "the controller takes lists");
	SlaveExpect(Extension, SlaveReadCounter(&Extension->First) == 0,
		    "the counter is 0 where nothing runs");
	SlaveTryPiece(Extension, Buffer, SLAVE_LENGTH + 1, 0,
		      "more than the device holds is refused");
	SlaveTryPiece(Extension, Buffer, 2, SLAVE_LENGTH - 1,
		      "nothing goes beyond the device's buffer");
	SlaveTryPiece(Extension, Buffer, 1, SLAVE_LENGTH,
		      "nothing begins beyond the device's buffer");
}

/* ---- The demonstration ---- */

static NTSTATUS SlaveRunAll(_In_ PSLAVE_EXTENSION Extension,
			    _In_ PSLAVE_BUFFER Whole,
			    _In_ PSLAVE_BUFFER Fragments)
{
	NTSTATUS Status;

	SlaveCheckLimits(Extension, Whole);
	Status = SlaveRunMoves(Extension, Whole, Fragments);
	if (NT_SUCCESS(Status))
		Status = SlaveRunCancel(Extension, Whole);
	if (NT_SUCCESS(Status))
		Status = SlaveRunFlush(Extension, Whole, Fragments);
	if (NT_SUCCESS(Status))
		Status = SlaveRunHurry(Extension, Whole);
	if (NT_SUCCESS(Status))
		Status = SlaveRunLoop(Extension);
	if (NT_SUCCESS(Status))
		Status = SlaveMoveThrough(Extension, Fragments, 0, Whole, 0, 34,
					  5);
	return Status;
}

/* The report is valid whatever the status is. One caller at a time. */
_Use_decl_annotations_
NTSTATUS SlaveRunTransfers(PDEVICE_OBJECT DeviceObject, PSLAVE_REPORT Report)
{
	PSLAVE_EXTENSION Extension = DeviceObject->DeviceExtension;
	SLAVE_BUFFER Whole, Fragments;
	NTSTATUS Status;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	RtlZeroMemory(&Fragments, sizeof(Fragments));
	Status = SlaveCreateBuffer(&Whole, SlaveWhole, ARRAYSIZE(SlaveWhole));
	if (NT_SUCCESS(Status))
		Status = SlaveCreateBuffer(&Fragments, SlaveFragments,
					   ARRAYSIZE(SlaveFragments));
	if (NT_SUCCESS(Status))
		Status = SlaveRunAll(Extension, &Whole, &Fragments);
	SlaveDeleteBuffer(&Fragments);
	SlaveDeleteBuffer(&Whole);
	*Report = Extension->Report;
	return Status;
}
