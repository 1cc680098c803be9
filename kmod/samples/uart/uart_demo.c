// SPDX-License-Identifier: GPL-2.0
/*
 * What the UART driver does with its channels. At the other end of the line is
 * peer.sh, which knows what must come, and sends what it is asked for:
 *
 *   @hello           answer with one character
 *   @send N SEED     N bytes of the pattern follow
 *   @loop N          the ring of N letters follows, any number of times
 *   @periods N       so many parts of it were completed, at most four a pass
 *   @feed N SEED     send N bytes of the pattern
 *   @more N SEED     send N bytes of it, from where it was left
 *   @bye N           that was all, and N things were not as they must be
 *
 * each on a line of its own, written by the CPU unless said otherwise. All that
 * follows "@send" and "@loop", and all that is received, the DMA controller
 * moves.
 */
#include <wdm.h>
#include "uart.h"

#define UART_BUFFER_PAGES	8
#define UART_GUARD		0xa5

#define UART_RING_LENGTH	256
#define UART_RING_PERIODS	20

/* Received into a ring: two passes and a half, and what is completed a pass. */
#define UART_RECEIVED_RING	64
#define UART_RECEIVED_LENGTH	160
#define UART_RECEIVED_PERIODS	4

/* The device keeps 64 characters at most; what comes beyond these is lost. */
#define UART_FEED_AT_ONCE	32

/* Fed while the controller pauses. */
#define UART_FEED_IN_PAUSE	8

/* Functions of ConfigureAdapterChannel; the last is one that nobody has. */
#define UART_FUNCTION_PAUSE	2
#define UART_FUNCTION_RESUME	3
#define UART_FUNCTION_UNKNOWN	0x7fff

_Use_decl_annotations_
VOID UartExpect(PUART_EXTENSION Extension, BOOLEAN Condition, PCSTR Text)
{
	PUART_REPORT Report = &Extension->Report;

	Report->Checks++;
	if (Condition)
		return;
	Report->Surprises++;
	if (!Report->Surprise)
		Report->Surprise = Text;
}

static VOID UartSleep(_In_ ULONG Milliseconds)
{
	LARGE_INTEGER Interval;

	Interval.QuadPart = -10000LL * Milliseconds;
	KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

/* ---- Memory to move, and how to see that it was moved well ---- */

typedef struct _UART_RANGE {
	ULONG Start;
	ULONG Length;
} UART_RANGE;

typedef struct _UART_BUFFER {
	PMDL Mdl;		/* the first of the chain */
	PUCHAR Memory;		/* all of it, the gaps as well */
	SIZE_T MemoryLength;
} UART_BUFFER, *PUART_BUFFER;

static const UART_RANGE UartWhole[] = {
	{ 3, 5 * PAGE_SIZE },
};

/* Like a packet of a network: headers, then payload wherever it happens to be. */
static const UART_RANGE UartFragments[] = {
	{ 1, 14 },
	{ 257, 20 },
	{ PAGE_SIZE - 700, 1400 },
	{ 2 * PAGE_SIZE + 3, 1 },
	{ 3 * PAGE_SIZE + 513, 511 },
	{ 5 * PAGE_SIZE - 1, 2 },
	{ 6 * PAGE_SIZE + 77, 2500 },
};

/* Undoes UartCreateBuffer, also one that failed. */
static VOID UartDeleteBuffer(_Inout_ PUART_BUFFER Buffer)
{
	PMDL Mdl, Next;

	for (Mdl = Buffer->Mdl; Mdl; Mdl = Next) {
		Next = Mdl->Next;
		IoFreeMdl(Mdl);
	}
	if (Buffer->Memory)
		ExFreePoolWithTag(Buffer->Memory, UART_TAG);
}

static NTSTATUS UartCreateBuffer(_Out_ PUART_BUFFER Buffer,
				 _In_reads_(Count) const UART_RANGE *Ranges,
				 _In_ ULONG Count)
{
	PMDL *Link = &Buffer->Mdl;

	Buffer->Mdl = NULL;
	Buffer->MemoryLength = UART_BUFFER_PAGES * PAGE_SIZE;
	Buffer->Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED,
					 Buffer->MemoryLength, UART_TAG);
	if (!Buffer->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlFillMemory(Buffer->Memory, Buffer->MemoryLength, UART_GUARD);

	for (; Count; Count--, Ranges++) {
		*Link = IoAllocateMdl(Buffer->Memory + Ranges->Start,
				      Ranges->Length, FALSE, FALSE, NULL);
		if (!*Link) {
			UartDeleteBuffer(Buffer);
			return STATUS_INSUFFICIENT_RESOURCES;
		}
		MmBuildMdlForNonPagedPool(*Link);
		Link = &(*Link)->Next;
	}
	return STATUS_SUCCESS;
}

/* The byte at an offset into the chain. */
static PUCHAR UartByteOf(_In_ PUART_BUFFER Buffer, _In_ ULONG Offset)
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
static UCHAR UartPattern(_In_ ULONG Seed, _In_ ULONG Index)
{
	return (UCHAR)(Seed * 31 + Index * 7 + (Index >> 8) * 5 + 3);
}

static CHAR UartLetter(_In_ ULONG Index)
{
	return (CHAR)('A' + (Index * 7 + Index / 26) % 26);
}

static VOID UartWritePattern(_In_ PUART_BUFFER Buffer, _In_ ULONG Offset,
			     _In_ ULONG Length, _In_ ULONG Seed)
{
	ULONG Index;

	for (Index = 0; Index < Length; Index++)
		*UartByteOf(Buffer, Offset + Index) = UartPattern(Seed, Index);
}

/*
 * Counts the bytes that are wrong: those of the range that do not have the
 * pattern, and all others of the memory that have lost their guard value.
 */
static VOID UartCheckPattern(_In_ PUART_EXTENSION Extension,
			     _In_ PUART_BUFFER Buffer, _In_ ULONG Offset,
			     _In_ ULONG Length, _In_ ULONG Seed)
{
	PUART_REPORT Report = &Extension->Report;
	PUCHAR Byte;
	SIZE_T Rest;
	ULONG Index;

	for (Index = 0; Index < Length; Index++) {
		Byte = UartByteOf(Buffer, Offset + Index);
		if (*Byte != UartPattern(Seed, Index))
			Report->Mismatches++;
		*Byte = UART_GUARD;
	}
	for (Rest = 0; Rest < Buffer->MemoryLength; Rest++) {
		if (Buffer->Memory[Rest] != UART_GUARD)
			Report->Mismatches++;
	}
}

/* ---- Lines for the peer ---- */

typedef struct _UART_LINE {
	CHAR Text[64];
	ULONG Length;
} UART_LINE, *PUART_LINE;

static VOID UartAddText(_Inout_ PUART_LINE Line, _In_z_ PCSTR Text)
{
	while (*Text && Line->Length < sizeof(Line->Text))
		Line->Text[Line->Length++] = *Text++;
}

static VOID UartAddNumber(_Inout_ PUART_LINE Line, _In_ ULONG Number)
{
	CHAR Digits[12];
	ULONG Index = sizeof(Digits);

	Digits[--Index] = 0;
	do {
		Digits[--Index] = (CHAR)('0' + Number % 10);
		Number /= 10;
	} while (Number);
	Digits[--Index] = ' ';
	UartAddText(Line, Digits + Index);
}

static VOID UartMakeLine(_Out_ PUART_LINE Line, _In_z_ PCSTR Word,
			 _In_ ULONG First, _In_ ULONG Second)
{
	Line->Length = 0;
	UartAddText(Line, "\n@");
	UartAddText(Line, Word);
	UartAddNumber(Line, First);
	UartAddNumber(Line, Second);
	UartAddText(Line, "\n");
}

static VOID UartSay(_In_ PUART_EXTENSION Extension, _In_z_ PCSTR Word,
		    _In_ ULONG First, _In_ ULONG Second)
{
	UART_LINE Line;

	UartMakeLine(&Line, Word, First, Second);
	UartPutCharacters(Extension, Line.Text, Line.Length);
}

/* Whether somebody is there; whatever came before is dropped. */
static NTSTATUS UartGreetPeer(_In_ PUART_EXTENSION Extension)
{
	UCHAR Character;
	ULONG Tries;

	while (UartGetCharacter(Extension, &Character))
		;
	UartSay(Extension, "hello", 0, 0);
	for (Tries = 0; Tries < UART_TIMEOUT_SECONDS * 100; Tries++) {
		if (UartGetCharacter(Extension, &Character))
			return STATUS_SUCCESS;
		UartSleep(10);
	}
	return STATUS_DEVICE_NOT_READY;
}

/* ---- Sending ---- */

static NTSTATUS UartSendFrom(_In_ PUART_EXTENSION Extension,
			     _In_reads_(Count) const UART_RANGE *Ranges,
			     _In_ ULONG Count, _In_ ULONG Offset,
			     _In_ ULONG Length, _In_ ULONG Seed)
{
	PUART_CHANNEL Channel = &Extension->Send;
	UART_BUFFER Buffer;
	NTSTATUS Status;

	Status = UartCreateBuffer(&Buffer, Ranges, Count);
	if (!NT_SUCCESS(Status))
		return Status;
	UartWritePattern(&Buffer, Offset, Length, Seed);

	UartSay(Extension, "send", Length, Seed);
	Status = UartBeginTransfer(Channel, Buffer.Mdl, Offset, Length);
	if (NT_SUCCESS(Status))
		Status = UartWaitForTransfer(Channel);
	UartExpect(Extension, Channel->Completions == (LONG)Channel->Pieces,
		   "one completion for each piece");

	UartCheckPattern(Extension, &Buffer, Offset, Length, Seed);
	UartDeleteBuffer(&Buffer);
	return Status;
}

static NTSTATUS UartSendByPolling(_In_ PUART_EXTENSION Extension,
				  _In_ ULONG Length, _In_ ULONG Seed)
{
	UART_BUFFER Buffer;
	NTSTATUS Status;

	Status = UartCreateBuffer(&Buffer, UartWhole, ARRAYSIZE(UartWhole));
	if (!NT_SUCCESS(Status))
		return Status;
	UartWritePattern(&Buffer, 0, Length, Seed);

	UartSay(Extension, "send", Length, Seed);
	Status = UartTransferByPolling(&Extension->Send, Buffer.Mdl, Length);

	UartCheckPattern(Extension, &Buffer, 0, Length, Seed);
	UartDeleteBuffer(&Buffer);
	return Status;
}

static NTSTATUS UartRunSends(_In_ PUART_EXTENSION Extension)
{
	NTSTATUS Status;

	Status = UartSendFrom(Extension, UartWhole, ARRAYSIZE(UartWhole), 0, 1,
			      1);
	if (NT_SUCCESS(Status))
		Status = UartSendFrom(Extension, UartWhole,
				      ARRAYSIZE(UartWhole), 1021, 9001, 2);
	if (NT_SUCCESS(Status))
		Status = UartSendFrom(Extension, UartFragments,
				      ARRAYSIZE(UartFragments), 7, 4400, 3);
	if (NT_SUCCESS(Status))
		Status = UartSendByPolling(Extension, 4099, 4);
	return Status;
}

/* ---- Sending over and over again ---- */

/* The counter of a loop goes round: 1 to the length of the ring. */
static VOID UartWatchLoop(_In_ PUART_EXTENSION Extension)
{
	ULONG Counter, Tries;

	for (Tries = 0; Tries < 50; Tries++) {
		Counter = UartReadCounter(&Extension->Loop);
		UartExpect(Extension,
			   Counter >= 1 && Counter <= UART_RING_LENGTH,
			   "the counter of a loop is within the ring");
	}
}

/*
 * The loop is stopped, and another transfer has gone through its channel: so no
 * completion routine of the loop runs. None must come any more.
 */
static VOID UartCountLoop(_In_ PUART_EXTENSION Extension)
{
	PUART_CHANNEL Channel = &Extension->Loop;
	LONG Completions = Channel->Completions;
	LONG Periods = Completions - Channel->Cancellations;

	UartExpect(Extension, Channel->Cancellations == 1,
		   "a loop is told once that it is cancelled");
	UartExpect(Extension, Periods >= UART_RING_PERIODS,
		   "a completion for each period");
	UartSleep(50);
	UartExpect(Extension, Completions == Channel->Completions,
		   "no completion after the flush");
	Extension->Report.Periods += Periods;
	Extension->Report.Bytes += UART_RING_PERIODS / 4 * UART_RING_LENGTH;
}

/*
 * The loop owns the channel that the other adapter sends through, too: what it
 * is given meanwhile goes out when the loop has been stopped.
 */
static NTSTATUS UartLoopOver(_In_ PUART_EXTENSION Extension, _In_ PMDL Ring,
			     _In_ PMDL Next, _In_ ULONG NextLength)
{
	PUART_CHANNEL Loop = &Extension->Loop;
	PUART_CHANNEL Send = &Extension->Send;
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Loop->WantedPeriods = UART_RING_PERIODS;
	UartSay(Extension, "loop", UART_RING_LENGTH, 0);
	Status = UartBeginTransfer(Loop, Ring, 0, UART_RING_LENGTH);
	if (!NT_SUCCESS(Status))
		return Status;

	Status = UartBeginTransfer(Send, Next, 0, NextLength);
	UartWatchLoop(Extension);
	Timeout.QuadPart = -10000000LL * UART_TIMEOUT_SECONDS;
	KeWaitForSingleObject(&Loop->Done, Executive, KernelMode, FALSE,
			      &Timeout);
	UartExpect(Extension, Send->State == UartChannelWaiting,
		   "another user of the channel waits");
	UartExpect(Extension, NT_SUCCESS(UartStopTransfer(Loop, TRUE)),
		   "a loop can be cancelled");
	if (NT_SUCCESS(Status))
		Status = UartWaitForTransfer(Send);
	UartCountLoop(Extension);
	return Status;
}

static NTSTATUS UartRunRing(_In_ PUART_EXTENSION Extension,
			    _In_ PUCHAR Memory, _In_ PUART_BUFFER Buffer)
{
	const ULONG Length = 500, Seed = 5;
	NTSTATUS Status;
	UART_LINE Line;
	ULONG Index;
	PMDL Ring;

	Ring = IoAllocateMdl(Memory, UART_RING_LENGTH, FALSE, FALSE, NULL);
	if (!Ring)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmBuildMdlForNonPagedPool(Ring);
	for (Index = 0; Index < UART_RING_LENGTH; Index++)
		Memory[Index] = (UCHAR)UartLetter(Index);

	/* The CPU cannot announce it between the loop and the send. */
	UartMakeLine(&Line, "send", Length, Seed);
	RtlCopyMemory(UartByteOf(Buffer, 0), Line.Text, Line.Length);
	UartWritePattern(Buffer, Line.Length, Length, Seed);

	Status = UartLoopOver(Extension, Ring, Buffer->Mdl,
			      Line.Length + Length);
	UartSay(Extension, "periods", Extension->Report.Periods, 0);
	IoFreeMdl(Ring);
	return Status;
}

static NTSTATUS UartRunLoop(_In_ PUART_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->Loop.DmaAdapter;
	PHYSICAL_ADDRESS LogicalAddress;
	UART_BUFFER Buffer;
	NTSTATUS Status;
	PUCHAR Memory;

	Memory = Adapter->DmaOperations->AllocateCommonBuffer(Adapter,
				UART_RING_LENGTH, &LogicalAddress, FALSE);
	if (!Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	Status = UartCreateBuffer(&Buffer, UartWhole, ARRAYSIZE(UartWhole));
	if (NT_SUCCESS(Status)) {
		Status = UartRunRing(Extension, Memory, &Buffer);
		UartDeleteBuffer(&Buffer);
	}
	Adapter->DmaOperations->FreeCommonBuffer(Adapter, UART_RING_LENGTH,
						 LogicalAddress, Memory, FALSE);
	return Status;
}

/* ---- Receiving ---- */

/* The controller waits for the request line when the counter is Left. */
static BOOLEAN UartWaitForCounter(_In_ PUART_CHANNEL Channel, _In_ ULONG Left)
{
	ULONG Tries;

	for (Tries = 0; Tries < UART_TIMEOUT_SECONDS * 100; Tries++) {
		if (UartReadCounter(Channel) <= Left)
			break;
		UartSleep(10);
	}
	UartSleep(20);
	return UartReadCounter(Channel) == Left;
}

/* Of Length bytes that the controller waits for, Fed come. */
static VOID UartFeed(_In_ PUART_EXTENSION Extension, _In_ ULONG Length,
		     _In_ ULONG Fed, _In_ ULONG Seed)
{
	ULONG Done, Now;

	for (Done = 0; Done < Fed; Done += Now) {
		Now = min(Fed - Done, (ULONG)UART_FEED_AT_ONCE);
		UartSay(Extension, Done ? "more" : "feed", Now, Seed);
		UartExpect(Extension,
			   UartWaitForCounter(&Extension->Receive,
					      Length - Done - Now),
			   "the counter says what is missing");
	}
}

/* All that is asked for comes. */
static NTSTATUS UartReceiveInto(_In_ PUART_EXTENSION Extension,
				_In_ PUART_BUFFER Buffer, _In_ ULONG Offset,
				_In_ ULONG Length, _In_ ULONG Seed)
{
	PUART_CHANNEL Channel = &Extension->Receive;
	NTSTATUS Status;

	Status = UartBeginTransfer(Channel, Buffer->Mdl, Offset, Length);
	if (!NT_SUCCESS(Status))
		return Status;
	UartFeed(Extension, Length, Length, Seed);
	Status = UartWaitForTransfer(Channel);
	UartCheckPattern(Extension, Buffer, Offset, Length, Seed);
	return Status;
}

/* What comes while the controller pauses stays in the device, for the CPU. */
static VOID UartFeedPaused(_In_ PUART_EXTENSION Extension, _In_ ULONG Left,
			   _In_ ULONG Fed, _In_ ULONG Seed)
{
	PUART_CHANNEL Channel = &Extension->Receive;
	UCHAR Character;
	ULONG Tries;

	UartSay(Extension, "more", UART_FEED_IN_PAUSE, Seed);
	for (Tries = 0; Tries < UART_TIMEOUT_SECONDS * 100; Tries++) {
		if (UartCountReceived(Extension) >= UART_FEED_IN_PAUSE ||
		    UartReadCounter(Channel) != Left)
			break;
		UartSleep(10);
	}
	UartSleep(20);
	UartExpect(Extension, UartReadCounter(Channel) == Left,
		   "a paused counter stays");
	UartExpect(Extension,
		   UartCountReceived(Extension) == UART_FEED_IN_PAUSE,
		   "a paused controller takes nothing");
	for (; UartGetCharacter(Extension, &Character); Fed++) {
		if (Character != UartPattern(Seed, Fed))
			Extension->Report.Mismatches++;
	}
}

static VOID UartTryFunctions(_In_ PUART_EXTENSION Extension, _In_ ULONG Left,
			     _In_ ULONG Fed, _In_ ULONG Seed)
{
	PUART_CHANNEL Channel = &Extension->Receive;
	NTSTATUS Status;

	Status = UartConfigure(Channel, UART_FUNCTION_UNKNOWN);
	UartExpect(Extension, Status == STATUS_NOT_IMPLEMENTED,
		   "an unknown function is not implemented");
	Status = UartConfigure(Channel, UART_FUNCTION_PAUSE);
	UartExpect(Extension, NT_SUCCESS(Status), "the controller can pause");
	UartFeedPaused(Extension, Left, Fed, Seed);
	Status = UartConfigure(Channel, UART_FUNCTION_RESUME);
	UartExpect(Extension, !NT_SUCCESS(Status),
		   "this controller cannot go on after a pause");
}

/* Of what is asked for only Fed bytes come, then the transfer is stopped. */
static NTSTATUS UartReceivePart(_In_ PUART_EXTENSION Extension,
				_In_ PUART_BUFFER Buffer, _In_ ULONG Length,
				_In_ ULONG Fed, _In_ ULONG Seed,
				_In_ BOOLEAN Cancel)
{
	PUART_CHANNEL Channel = &Extension->Receive;
	NTSTATUS Status;

	Status = UartBeginTransfer(Channel, Buffer->Mdl, 0, Length);
	if (!NT_SUCCESS(Status))
		return Status;
	UartSleep(20);
	UartExpect(Extension, UartReadCounter(Channel) == Length,
		   "nothing is received before something is sent");

	UartFeed(Extension, Length, Fed, Seed);
	if (Cancel)
		UartTryFunctions(Extension, Length - Fed, Fed, Seed);

	Status = UartStopTransfer(Channel, Cancel);
	UartExpect(Extension, Channel->Completions == 1 &&
		   Channel->Cancellations == 1,
		   "a stopped transfer is completed once, as cancelled");
	if (NT_SUCCESS(Status))
		Extension->Report.Cancelled++;
	UartCheckPattern(Extension, Buffer, 0, Fed, Seed);
	Extension->Report.Bytes += Fed;
	return Status;
}

/* ---- Receiving over and over again ---- */

/* The counter stops at Left when all that was sent has arrived. */
static BOOLEAN UartWaitForPlace(_In_ PUART_CHANNEL Channel, _In_ ULONG Left)
{
	ULONG Tries;

	for (Tries = 0; Tries < UART_TIMEOUT_SECONDS * 100; Tries++) {
		if (UartReadCounter(Channel) == Left)
			return TRUE;
		UartSleep(10);
	}
	return FALSE;
}

/*
 * Feeds the ring, a part at a time. The controller's driver may report several
 * periods at once.
 */
static VOID UartFeedRing(_In_ PUART_EXTENSION Extension, _In_ ULONG Seed)
{
	const ULONG Period = UART_RECEIVED_RING / UART_RECEIVED_PERIODS;
	PUART_CHANNEL Channel = &Extension->Ring;
	ULONG Done, Left;

	for (Done = 0; Done < UART_RECEIVED_LENGTH; Done += UART_FEED_AT_ONCE) {
		UartSay(Extension, Done ? "more" : "feed", UART_FEED_AT_ONCE,
			Seed);
		Left = UART_RECEIVED_RING -
		       (Done + UART_FEED_AT_ONCE) % UART_RECEIVED_RING;
		UartExpect(Extension, UartWaitForPlace(Channel, Left),
			   "the counter says what is missing in the ring");
	}
	UartExpect(Extension, Channel->Completions >= 1 &&
		   Channel->Completions <= (LONG)(UART_RECEIVED_LENGTH / Period),
		   "completions for periods that were received");
}

/* Each byte of the ring is the last that came to its place. */
static VOID UartCheckRing(_In_ PUART_EXTENSION Extension, _In_ PUCHAR Memory,
			  _In_ ULONG Seed)
{
	ULONG Index;

	for (Index = UART_RECEIVED_LENGTH - UART_RECEIVED_RING;
	     Index < UART_RECEIVED_LENGTH; Index++) {
		if (Memory[Index % UART_RECEIVED_RING] !=
		    UartPattern(Seed, Index))
			Extension->Report.Mismatches++;
	}
}

static NTSTATUS UartReceiveRing(_In_ PUART_EXTENSION Extension,
				_In_ PUCHAR Memory, _In_ ULONG Seed)
{
	PUART_CHANNEL Channel = &Extension->Ring;
	NTSTATUS Status;
	PMDL Mdl;

	Mdl = IoAllocateMdl(Memory, UART_RECEIVED_RING, FALSE, FALSE, NULL);
	if (!Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmBuildMdlForNonPagedPool(Mdl);
	Channel->WantedPeriods = 0;
	Status = UartBeginTransfer(Channel, Mdl, 0, UART_RECEIVED_RING);
	if (NT_SUCCESS(Status)) {
		UartFeedRing(Extension, Seed);
		Status = UartStopTransfer(Channel, TRUE);
		UartExpect(Extension, Channel->Cancellations == 1,
			   "a received loop ends as cancelled");
		UartCheckRing(Extension, Memory, Seed);
		Extension->Report.Bytes += UART_RECEIVED_LENGTH;
	}
	IoFreeMdl(Mdl);
	return Status;
}

static NTSTATUS UartRunReceivedLoop(_In_ PUART_EXTENSION Extension,
				    _In_ ULONG Seed)
{
	PDMA_ADAPTER Adapter = Extension->Ring.DmaAdapter;
	PHYSICAL_ADDRESS LogicalAddress;
	NTSTATUS Status;
	PUCHAR Memory;

	Memory = Adapter->DmaOperations->AllocateCommonBuffer(Adapter,
				UART_RECEIVED_RING, &LogicalAddress, FALSE);
	if (!Memory)
		return STATUS_INSUFFICIENT_RESOURCES;
	Status = UartReceiveRing(Extension, Memory, Seed);
	Adapter->DmaOperations->FreeCommonBuffer(Adapter, UART_RECEIVED_RING,
						 LogicalAddress, Memory, FALSE);
	return Status;
}

/* ---- All that is received ---- */

static NTSTATUS UartRunReceives(_In_ PUART_EXTENSION Extension)
{
	UART_BUFFER Buffer;
	NTSTATUS Status;

	Status = UartCreateBuffer(&Buffer, UartFragments,
				  ARRAYSIZE(UartFragments));
	if (!NT_SUCCESS(Status))
		return Status;

	Status = UartReceiveInto(Extension, &Buffer, 5, 64, 6);
	if (NT_SUCCESS(Status))
		Status = UartReceivePart(Extension, &Buffer, 256, 137, 7, TRUE);
	if (NT_SUCCESS(Status))
		Status = UartReceiveInto(Extension, &Buffer, 1430, 48, 8);
	if (NT_SUCCESS(Status))
		Status = UartReceivePart(Extension, &Buffer, 64, 20, 9, FALSE);
	if (NT_SUCCESS(Status))
		Status = UartRunReceivedLoop(Extension, 11);
	if (NT_SUCCESS(Status))
		Status = UartReceiveInto(Extension, &Buffer, 0, 33, 10);

	UartDeleteBuffer(&Buffer);
	return Status;
}

/* ---- The demonstration ---- */

static VOID UartCheckLimits(_In_ PUART_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->Send.DmaAdapter;
	DMA_ADAPTER_INFO Info;
	NTSTATUS Status;

	RtlZeroMemory(&Info, sizeof(Info));
	Info.Version = DMA_ADAPTER_INFO_VERSION1;
	Status = Adapter->DmaOperations->GetDmaAdapterInfo(Adapter, &Info);
	UartExpect(Extension, NT_SUCCESS(Status), "the adapter has limits");
	UartExpect(Extension, Info.V1.ReadDmaCounterAvailable,
		   "the controller has a counter");
	UartExpect(Extension, Info.V1.ScatterGatherLimit >= 1,
		   "the controller takes an element");
	UartExpect(Extension, Info.V1.MinimumTransferUnit == 1,
		   "the controller moves single bytes");
	UartExpect(Extension, UartReadCounter(&Extension->Send) == 0,
		   "the counter is 0 where nothing runs");
}

/* The report is valid whatever the status is. One caller at a time. */
_Use_decl_annotations_
NTSTATUS UartRunTransfers(PDEVICE_OBJECT DeviceObject, PUART_REPORT Report)
{
	PUART_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;
	ULONG Wrong;

	RtlZeroMemory(&Extension->Report, sizeof(Extension->Report));
	Status = UartGreetPeer(Extension);
	if (NT_SUCCESS(Status)) {
		UartCheckLimits(Extension);
		Status = UartRunSends(Extension);
	}
	if (NT_SUCCESS(Status))
		Status = UartRunLoop(Extension);
	if (NT_SUCCESS(Status))
		Status = UartRunReceives(Extension);

	Wrong = Extension->Report.Mismatches + Extension->Report.Surprises;
	UartSay(Extension, "bye", Wrong + !NT_SUCCESS(Status), 0);
	*Report = Extension->Report;
	return Status;
}
