// SPDX-License-Identifier: GPL-2.0
/*
 * The card: commands, and how it becomes ready for blocks to be read and
 * written. One wire, no CRC of our own, no removal.
 *
 * Commands are polled for; each takes some microseconds.
 */
#include <wdm.h>
#include "sdhost.h"

#define SD_GO_IDLE		0
#define SD_SEND_ID		2
#define SD_SEND_ADDRESS		3
#define SD_SELECT		7
#define SD_SEND_CONDITION	8
#define SD_STOP			12
#define SD_SET_BLOCK_LENGTH	16
#define SD_READ_BLOCK		17
#define SD_READ_BLOCKS		18
#define SD_WRITE_BLOCK		24
#define SD_WRITE_BLOCKS		25
#define SD_OPERATE		41	/* of the application's commands */
#define SD_APPLICATION		55

#define SD_CONDITION		0x1aa	/* 2.7 to 3.6 V, and a pattern */
#define SD_OPERATE_WANTED	0x40300000
#define SD_OPERATE_READY	0x80000000
#define SD_OPERATE_BLOCKS	0x40000000

#define SD_CLOCK_TRANSFER	12500000

/* Ten seconds of microseconds. */
#define SD_TRIES		(10 * 1000 * 1000)

/* TRUE once the bits of Mask have the value Wanted. */
static BOOLEAN SdPoll(_In_ PSD_EXTENSION Extension, _In_ ULONG Register,
		      _In_ ULONG Mask, _In_ ULONG Wanted)
{
	ULONG Tries;

	for (Tries = 0; Tries < SD_TRIES; Tries++) {
		if ((SdRead(Extension, Register) & Mask) == Wanted)
			return TRUE;
		KeStallExecutionProcessor(1);
	}
	return FALSE;
}

/* The first word of the response counts, but for SD_SEND_ID, where none does. */
static NTSTATUS SdCommand(_In_ PSD_EXTENSION Extension, _In_ ULONG Command,
			  _In_ ULONG Argument, _Out_opt_ PULONG Response)
{
	SdWrite(Extension, SD_STATUS, SD_STATUS_ALL);
	SdWrite(Extension, SD_ARGUMENT, Argument);
	SdWrite(Extension, SD_COMMAND, Command | SD_COMMAND_NEW);
	if (!SdPoll(Extension, SD_COMMAND, SD_COMMAND_NEW, 0))
		return STATUS_DEVICE_NOT_READY;
	if (SdRead(Extension, SD_COMMAND) & SD_COMMAND_FAILED)
		return STATUS_UNSUCCESSFUL;
	if (Command & SD_COMMAND_BUSY &&
	    !SdPoll(Extension, SD_STATUS, SD_STATUS_BUSY_ENDED,
		    SD_STATUS_BUSY_ENDED))
		return STATUS_DEVICE_NOT_READY;
	if (Response)
		*Response = SdRead(Extension, SD_RESPONSE);
	return STATUS_SUCCESS;
}

/* ---- Identification ---- */

/* From idle to ready; the card says when, and how it counts. */
static NTSTATUS SdWakeCard(_Inout_ PSD_EXTENSION Extension)
{
	ULONG Tries, Operate = 0;
	NTSTATUS Status;

	Status = SdCommand(Extension, SD_GO_IDLE | SD_COMMAND_NO_RESPONSE, 0,
			   NULL);
	if (NT_SUCCESS(Status))
		Status = SdCommand(Extension, SD_SEND_CONDITION, SD_CONDITION,
				   NULL);
	for (Tries = 0; NT_SUCCESS(Status) && Tries < 1000; Tries++) {
		Status = SdCommand(Extension, SD_APPLICATION, 0, NULL);
		if (NT_SUCCESS(Status))
			Status = SdCommand(Extension, SD_OPERATE,
					   SD_OPERATE_WANTED, &Operate);
		if (!NT_SUCCESS(Status) || Operate & SD_OPERATE_READY)
			break;
		SdSleep(10);
	}
	if (NT_SUCCESS(Status) && !(Operate & SD_OPERATE_READY))
		Status = STATUS_DEVICE_NOT_READY;
	Extension->BlockAddressed = !!(Operate & SD_OPERATE_BLOCKS);
	return Status;
}

static NTSTATUS SdSelectCard(_Inout_ PSD_EXTENSION Extension)
{
	NTSTATUS Status;
	ULONG Address = 0;

	Status = SdCommand(Extension, SD_SEND_ID | SD_COMMAND_LONG, 0, NULL);
	if (NT_SUCCESS(Status))
		Status = SdCommand(Extension, SD_SEND_ADDRESS, 0, &Address);
	Extension->RelativeAddress = Address & 0xffff0000;
	if (NT_SUCCESS(Status))
		Status = SdCommand(Extension, SD_SELECT | SD_COMMAND_BUSY,
				   Extension->RelativeAddress, NULL);
	return Status;
}

/* Afterwards there may be blocks to move. */
_Use_decl_annotations_
NTSTATUS SdIdentifyCard(PSD_EXTENSION Extension)
{
	NTSTATUS Status;

	Status = SdWakeCard(Extension);
	if (NT_SUCCESS(Status))
		Status = SdSelectCard(Extension);
	if (NT_SUCCESS(Status))
		Status = SdCommand(Extension, SD_SET_BLOCK_LENGTH,
				   SD_BLOCK_SIZE, NULL);
	if (NT_SUCCESS(Status))
		SdSetClock(Extension, SD_CLOCK_TRANSFER);
	return Status;
}

/* ---- Blocks ---- */

static ULONG SdBlockCommand(_In_ ULONG Count, _In_ BOOLEAN WriteToDevice)
{
	if (WriteToDevice)
		return (Count > 1 ? SD_WRITE_BLOCKS : SD_WRITE_BLOCK) |
		       SD_COMMAND_WRITE;
	return (Count > 1 ? SD_READ_BLOCKS : SD_READ_BLOCK) | SD_COMMAND_READ;
}

/* After success the host waits for its FIFO to be emptied, or filled. */
_Use_decl_annotations_
NTSTATUS SdBeginBlocks(PSD_EXTENSION Extension, ULONG Block, ULONG Count,
		       BOOLEAN WriteToDevice)
{
	ULONG Argument = Extension->BlockAddressed ? Block :
			 Block * SD_BLOCK_SIZE;

	SdWrite(Extension, SD_BLOCK_LENGTH, SD_BLOCK_SIZE);
	SdWrite(Extension, SD_BLOCK_COUNT, Count);
	return SdCommand(Extension, SdBlockCommand(Count, WriteToDevice),
			 Argument, NULL);
}

/* The host's machine does not always come to rest by itself. */
static BOOLEAN SdSettle(_In_ PSD_EXTENSION Extension)
{
	ULONG Machine, Tries;

	for (Tries = 0; Tries < SD_TRIES; Tries++) {
		Machine = SdRead(Extension, SD_MACHINE);
		switch (Machine & SD_MACHINE_STATE) {
		case SD_STATE_IDENTIFY:
		case SD_STATE_DATA:
			return TRUE;
		case SD_STATE_READ_WAIT:
		case SD_STATE_WRITE_START:
			SdWrite(Extension, SD_MACHINE,
				Machine | SD_MACHINE_FORCE_DATA);
			return TRUE;
		}
		KeStallExecutionProcessor(1);
	}
	return FALSE;
}

static NTSTATUS SdStopCard(_In_ PSD_EXTENSION Extension)
{
	return SdCommand(Extension, SD_STOP | SD_COMMAND_BUSY, 0, NULL);
}

/* All has been moved through the FIFO. */
_Use_decl_annotations_
NTSTATUS SdEndBlocks(PSD_EXTENSION Extension, ULONG Count)
{
	ULONG Errors;

	if (!SdSettle(Extension))
		return STATUS_DEVICE_NOT_READY;
	Errors = SdRead(Extension, SD_STATUS) & SD_STATUS_ERRORS;
	if (Count > 1 && !NT_SUCCESS(SdStopCard(Extension)))
		return STATUS_UNSUCCESSFUL;
	return Errors ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

/* Of several blocks; what is in the FIFO is lost. */
_Use_decl_annotations_
VOID SdAbortBlocks(PSD_EXTENSION Extension)
{
	ULONG Tries;

	SdStopCard(Extension);
	for (Tries = 0; Tries < SD_TRIES; Tries++) {
		if (!SD_MACHINE_WORDS(SdRead(Extension, SD_MACHINE)))
			break;
		SdRead(Extension, SD_DATA);
	}
	SdSettle(Extension);
	SdWrite(Extension, SD_BLOCK_COUNT, 0);
}

/* FALSE: none comes. */
_Use_decl_annotations_
BOOLEAN SdReadWord(PSD_EXTENSION Extension, PULONG Word)
{
	ULONG Tries;

	for (Tries = 0; Tries < SD_TRIES; Tries++) {
		if (SD_MACHINE_WORDS(SdRead(Extension, SD_MACHINE))) {
			*Word = SdRead(Extension, SD_DATA);
			return TRUE;
		}
		KeStallExecutionProcessor(1);
	}
	return FALSE;
}
