// SPDX-License-Identifier: GPL-2.0
/*
 * A WDM driver for the SD host of a Raspberry Pi, as far as moving blocks needs
 * it: the registers, and the adapter for its request line. Nothing in this file
 * is specific to Linux.
 *
 * The device is no bus master. One channel of the DMA controller serves both
 * directions, 32 bits at a time. For that controller neither the memory nor
 * the data register is where it is for the CPU: DeviceAddress is an address of
 * the controller's bus, and so is what the adapter says of a common buffer.
 */
#include <wdm.h>
#include "sdhost.h"

#define SD_POWER_ON		1

#define SD_CLOCK_DIVISOR_MAX	0x7ff
#define SD_TIMEOUT_TICKS	0xf00000

#define SD_CLOCK_IDENTIFY	400000

_Use_decl_annotations_
ULONG SdRead(PSD_EXTENSION Extension, ULONG Register)
{
	return READ_REGISTER_ULONG((PULONG)(Extension->Registers + Register));
}

_Use_decl_annotations_
VOID SdWrite(PSD_EXTENSION Extension, ULONG Register, ULONG Value)
{
	WRITE_REGISTER_ULONG((PULONG)(Extension->Registers + Register), Value);
}

_Use_decl_annotations_
VOID SdSleep(ULONG Milliseconds)
{
	LARGE_INTEGER Interval;

	Interval.QuadPart = -10000LL * Milliseconds;
	KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

/* The card gets the clock divided by two more than the register says. */
_Use_decl_annotations_
VOID SdSetClock(PSD_EXTENSION Extension, ULONG Hertz)
{
	ULONG Divisor = Extension->ClockRate / Hertz;

	if (Divisor * Hertz < Extension->ClockRate)
		Divisor++;
	Divisor = max(Divisor, (ULONG)2) - 2;
	SdWrite(Extension, SD_CLOCK_DIVISOR,
		min(Divisor, (ULONG)SD_CLOCK_DIVISOR_MAX));
}

static VOID SdReset(_In_ PSD_EXTENSION Extension)
{
	ULONG Machine;

	SdWrite(Extension, SD_POWER, 0);
	SdWrite(Extension, SD_COMMAND, 0);
	SdWrite(Extension, SD_ARGUMENT, 0);
	SdWrite(Extension, SD_TIMEOUT, SD_TIMEOUT_TICKS);
	SdWrite(Extension, SD_CLOCK_DIVISOR, 0);
	SdWrite(Extension, SD_STATUS, SD_STATUS_ALL);
	SdWrite(Extension, SD_CONFIGURATION, 0);
	SdWrite(Extension, SD_BLOCK_LENGTH, 0);
	SdWrite(Extension, SD_BLOCK_COUNT, 0);

	Machine = SdRead(Extension, SD_MACHINE) & ~SD_MACHINE_THRESHOLDS_MASK;
	SdWrite(Extension, SD_MACHINE, Machine | SD_MACHINE_THRESHOLDS);
	SdSleep(20);
	SdWrite(Extension, SD_POWER, SD_POWER_ON);
	SdSleep(20);
	SdWrite(Extension, SD_CONFIGURATION,
		SD_CONFIGURATION_SLOW | SD_CONFIGURATION_WIDE |
		SD_CONFIGURATION_BUSY);
	SdSetClock(Extension, SD_CLOCK_IDENTIFY);
	SdSleep(1);
}

static NTSTATUS SdGetAdapter(_Inout_ PSD_EXTENSION Extension,
			     _In_ PSD_RESOURCES Resources)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION3;
	Description.Master = FALSE;
	Description.ScatterGather = TRUE;
	Description.InterfaceType = ACPIBus;
	Description.DmaChannel = Resources->DmaRequestLine;
	Description.DmaRequestLine = Resources->DmaRequestLine;
	Description.DmaWidth = Width32Bits;
	Description.MaximumLength = SD_MAXIMUM_LENGTH;
	Description.DeviceAddress.QuadPart =
		Resources->DmaBase.QuadPart + SD_DATA;

	Extension->DmaAdapter = IoGetDmaAdapter(Extension->DeviceObject,
						&Description,
						&Extension->MapRegisters);
	return Extension->DmaAdapter ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

_Use_decl_annotations_
VOID SdAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PSD_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	KeInitializeEvent(&Extension->Done, NotificationEvent, FALSE);
}

_Use_decl_annotations_
NTSTATUS SdStartDevice(PDEVICE_OBJECT DeviceObject, PSD_RESOURCES Resources)
{
	PSD_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	if (Resources->RegistersLength < SD_REGISTERS_END ||
	    Resources->ClockRate == 0)
		return STATUS_INVALID_PARAMETER;

	Extension->Registers = MmMapIoSpace(Resources->RegistersBase,
					    Resources->RegistersLength,
					    MmNonCached);
	if (!Extension->Registers)
		return STATUS_INSUFFICIENT_RESOURCES;
	Extension->RegistersLength = Resources->RegistersLength;
	Extension->ClockRate = Resources->ClockRate;

	Status = SdGetAdapter(Extension, Resources);
	if (!NT_SUCCESS(Status)) {
		MmUnmapIoSpace(Extension->Registers,
			       Extension->RegistersLength);
		Extension->Registers = NULL;
		return Status;
	}
	SdReset(Extension);
	return STATUS_SUCCESS;
}

/* No transfer runs any more. */
_Use_decl_annotations_
VOID SdStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PSD_EXTENSION Extension = DeviceObject->DeviceExtension;
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	SdWrite(Extension, SD_POWER, 0);
	Adapter->DmaOperations->PutDmaAdapter(Adapter);
	Extension->DmaAdapter = NULL;
	MmUnmapIoSpace(Extension->Registers, Extension->RegistersLength);
	Extension->Registers = NULL;
}
