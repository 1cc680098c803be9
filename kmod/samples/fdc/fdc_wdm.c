// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA half of a WDM driver for the floppy disk controller of the PC.
 * Nothing in this file is specific to Linux.
 *
 * The controller has no DMA of its own: the system's DMA controller moves its
 * bytes. A move takes the channel for as long as it needs it, as floppy
 * drivers do: AdapterControl hands it to the thread, which maps and flushes a
 * piece for each command, cylinder by cylinder, and frees it at the end.
 *
 * The DPC reads the results of a command, or asks for those of a seek. The
 * thread gives the next command only when it has seen them, so that the two
 * never use the controller at the same time. A request for the channel cannot
 * be withdrawn, so the thread waits for it without a limit; all other waits
 * have one.
 */
#include <wdm.h>
#include "fdc.h"

/* Registers, from the base port */
#define FDC_DIGITAL_OUTPUT	2
#define FDC_MAIN_STATUS		4
#define FDC_DATA		5
#define FDC_RATE		7

#define FDC_OUTPUT_RUN		0x04
#define FDC_OUTPUT_DMA		0x08	/* and interrupts */
#define FDC_OUTPUT_MOTOR	0x10	/* of the first drive */

#define FDC_STATUS_BUSY		0x10
#define FDC_STATUS_FROM		0x40
#define FDC_STATUS_READY	0x80

#define FDC_SPECIFY		0x03
#define FDC_WRITE		0x45
#define FDC_READ		0x46
#define FDC_BOTH_HEADS		0x80
#define FDC_RECALIBRATE		0x07
#define FDC_SENSE		0x08
#define FDC_SEEK		0x0f

#define FDC_RESULT_FAILED	0xc0
#define FDC_RESULT_ABNORMAL	0x40
#define FDC_RESULT_SEEK		0x20
#define FDC_RESULT_END		0x80	/* of the cylinder, in the second */

#define FDC_POLLS		1000	/* of ten microseconds */
#define FDC_TIMEOUT_SECONDS	60

static DRIVER_CONTROL FdcAdapterControl;
static IO_DPC_ROUTINE FdcDpcForIsr;

/* ---- The controller ---- */

static UCHAR FdcIn(_In_ PFDC_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_PORT_UCHAR((PUCHAR)(Extension->Ports + Register));
}

static VOID FdcOut(_In_ PFDC_EXTENSION Extension, _In_ ULONG Register,
		   _In_ UCHAR Value)
{
	WRITE_PORT_UCHAR((PUCHAR)(Extension->Ports + Register), Value);
}

/* FALSE when the controller does not take or give a byte. */
static BOOLEAN FdcAwaitData(_In_ PFDC_EXTENSION Extension,
			    _In_ UCHAR Direction)
{
	ULONG Polls;
	UCHAR Status;

	for (Polls = 0; Polls < FDC_POLLS; Polls++) {
		Status = FdcIn(Extension, FDC_MAIN_STATUS);
		if (Status & FDC_STATUS_READY)
			return (Status & FDC_STATUS_FROM) == Direction;
		KeStallExecutionProcessor(10);
	}
	return FALSE;
}

static BOOLEAN FdcPut(_In_ PFDC_EXTENSION Extension, _In_ const UCHAR *Bytes,
		      _In_ ULONG Count)
{
	for (; Count; Count--) {
		if (!FdcAwaitData(Extension, 0))
			return FALSE;
		FdcOut(Extension, FDC_DATA, *Bytes++);
	}
	return TRUE;
}

/* Reads what the controller has to say, at most as much as there is room. */
static VOID FdcGet(_In_ PFDC_EXTENSION Extension)
{
	ULONG Index = 0;

	while (Index < FDC_RESULTS &&
	       FdcAwaitData(Extension, FDC_STATUS_FROM))
		Extension->Results[Index++] = FdcIn(Extension, FDC_DATA);
}

static VOID FdcSense(_In_ PFDC_EXTENSION Extension)
{
	static const UCHAR Sense = FDC_SENSE;

	if (FdcPut(Extension, &Sense, 1))
		FdcGet(Extension);
}

/* ---- Interrupts ---- */

_Use_decl_annotations_
static VOID FdcDpcForIsr(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp,
			 PVOID Context)
{
	PFDC_EXTENSION Extension = DeviceObject->DeviceExtension;

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(Irp);
	UNREFERENCED_PARAMETER(Context);

	/* Only commands that move data have results of their own. */
	if (FdcIn(Extension, FDC_MAIN_STATUS) & FDC_STATUS_BUSY)
		FdcGet(Extension);
	else
		FdcSense(Extension);
	KeSetEvent(&Extension->Interrupted, IO_NO_INCREMENT, FALSE);
}

/* The interrupt service routine. The line is not shared. */
_Use_decl_annotations_
BOOLEAN FdcInterrupt(PDEVICE_OBJECT DeviceObject)
{
	PFDC_EXTENSION Extension = DeviceObject->DeviceExtension;

	InterlockedIncrement(&Extension->Interrupts);
	IoRequestDpc(DeviceObject, NULL, NULL);
	return TRUE;
}

static NTSTATUS FdcWait(_In_ PFDC_EXTENSION Extension)
{
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Timeout.QuadPart = -10000000LL * FDC_TIMEOUT_SECONDS;
	Status = KeWaitForSingleObject(&Extension->Interrupted, Executive,
				       KernelMode, FALSE, &Timeout);
	if (Status == STATUS_SUCCESS)
		return STATUS_SUCCESS;
	Extension->Failed = TRUE;
	return STATUS_DEVICE_NOT_READY;
}

/* A command that ends with an interrupt. */
static NTSTATUS FdcCommand(_In_ PFDC_EXTENSION Extension,
			   _In_ const UCHAR *Bytes, _In_ ULONG Count)
{
	KeClearEvent(&Extension->Interrupted);
	if (!FdcPut(Extension, Bytes, Count)) {
		Extension->Failed = TRUE;
		return STATUS_DEVICE_NOT_READY;
	}
	return FdcWait(Extension);
}

static NTSTATUS FdcSeek(_In_ PFDC_EXTENSION Extension, _In_ UCHAR Cylinder)
{
	const UCHAR Seek[] = { FDC_SEEK, 0, Cylinder };
	NTSTATUS Status;

	Status = FdcCommand(Extension, Seek, sizeof(Seek));
	if (!NT_SUCCESS(Status))
		return Status;
	if ((Extension->Results[0] & ~0x07) != FDC_RESULT_SEEK ||
	    Extension->Results[1] != Cylinder)
		return STATUS_UNSUCCESSFUL;
	return STATUS_SUCCESS;
}

/* Out of reset there is an interrupt, and something to sense per drive. */
static NTSTATUS FdcReset(_In_ PFDC_EXTENSION Extension)
{
	static const UCHAR Specify[] = { FDC_SPECIFY, 0xdf, 0x02 };
	NTSTATUS Status;
	ULONG Drive;

	KeClearEvent(&Extension->Interrupted);
	FdcOut(Extension, FDC_DIGITAL_OUTPUT, 0);
	KeStallExecutionProcessor(50);
	FdcOut(Extension, FDC_RATE, 0);
	FdcOut(Extension, FDC_DIGITAL_OUTPUT, FDC_OUTPUT_RUN | FDC_OUTPUT_DMA);
	Status = FdcWait(Extension);
	if (!NT_SUCCESS(Status))
		return Status;
	for (Drive = 1; Drive < 4; Drive++)
		FdcSense(Extension);
	if (!FdcPut(Extension, Specify, sizeof(Specify)))
		return STATUS_DEVICE_NOT_READY;
	return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS FdcStartMotor(PFDC_EXTENSION Extension)
{
	static const UCHAR Recalibrate[] = { FDC_RECALIBRATE, 0 };
	LARGE_INTEGER Interval;

	FdcOut(Extension, FDC_DIGITAL_OUTPUT,
	       FDC_OUTPUT_RUN | FDC_OUTPUT_DMA | FDC_OUTPUT_MOTOR);
	Interval.QuadPart = -10000LL * 500;
	KeDelayExecutionThread(KernelMode, FALSE, &Interval);
	return FdcCommand(Extension, Recalibrate, sizeof(Recalibrate));
}

_Use_decl_annotations_
VOID FdcStopMotor(PFDC_EXTENSION Extension)
{
	FdcOut(Extension, FDC_DIGITAL_OUTPUT, FDC_OUTPUT_RUN | FDC_OUTPUT_DMA);
}

/* ---- Moves ---- */

_Use_decl_annotations_
static IO_ALLOCATION_ACTION FdcAdapterControl(PDEVICE_OBJECT DeviceObject,
					      PIRP Irp, PVOID MapRegisterBase,
					      PVOID Context)
{
	PFDC_EXTENSION Extension = Context;

	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);

	Extension->MapRegisterBase = MapRegisterBase;
	KeSetEvent(&Extension->Granted, IO_NO_INCREMENT, FALSE);
	return KeepObject;
}

static NTSTATUS FdcTakeChannel(_In_ PFDC_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeClearEvent(&Extension->Granted);
	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->AllocateAdapterChannel(Adapter,
					Extension->DeviceObject,
					Extension->MapRegisters,
					FdcAdapterControl, Extension);
	KeLowerIrql(OldIrql);
	if (!NT_SUCCESS(Status))
		return Status;
	KeWaitForSingleObject(&Extension->Granted, Executive, KernelMode,
			      FALSE, NULL);
	return STATUS_SUCCESS;
}

static VOID FdcFreeChannel(_In_ PFDC_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Adapter->DmaOperations->FreeAdapterChannel(Adapter);
	KeLowerIrql(OldIrql);
}

static VOID FdcCheckCounter(_In_ PFDC_EXTENSION Extension, _In_ ULONG Expected)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	if (Adapter->DmaOperations->ReadDmaCounter(Adapter) != Expected)
		Extension->Report.Counters++;
}

/* The command for a piece, which lies in one cylinder. */
static NTSTATUS FdcTransfer(_In_ PFDC_EXTENSION Extension,
			    _In_ PCFDC_MOVE Piece)
{
	UCHAR Cylinder = (UCHAR)(Piece->Sector / FDC_CYLINDER_SECTORS);
	UCHAR Head = (UCHAR)(Piece->Sector / FDC_TRACK_SECTORS % 2);
	UCHAR Sector = (UCHAR)(Piece->Sector % FDC_TRACK_SECTORS + 1);
	UCHAR Code = Piece->WriteToDevice ? FDC_WRITE : FDC_READ;
	UCHAR Bytes[] = { Code | FDC_BOTH_HEADS, Head << 2, Cylinder, Head,
			  Sector, 2, FDC_TRACK_SECTORS, 0x1b, 0xff };
	const UCHAR *Results = Extension->Results;
	NTSTATUS Status;

	/* Ends because there are no more sectors, and not by the channel. */
	if (Piece->Slack) {
		Bytes[0] = Code;
		Bytes[6] = Sector;
	}
	Status = FdcCommand(Extension, Bytes, sizeof(Bytes));
	if (!NT_SUCCESS(Status))
		return Status;
	if (Piece->Slack &&
	    (Results[0] & FDC_RESULT_FAILED) == FDC_RESULT_ABNORMAL &&
	    Results[1] == FDC_RESULT_END)
		return STATUS_SUCCESS;
	return Results[0] & FDC_RESULT_FAILED ? STATUS_UNSUCCESSFUL :
						STATUS_SUCCESS;
}

/* Maps a piece, which starts the channel. */
static NTSTATUS FdcMap(_In_ PFDC_EXTENSION Extension,
		       _In_ PCFDC_MOVE Piece, _In_ PVOID CurrentVa)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	ULONG Armed = Piece->Length + Piece->Slack;
	ULONG Length = Armed;
	KIRQL OldIrql;

	KeFlushIoBuffers(Piece->Mdl, !Piece->WriteToDevice, TRUE);
	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Adapter->DmaOperations->MapTransfer(Adapter, Piece->Mdl,
					    Extension->MapRegisterBase,
					    CurrentVa, &Length,
					    Piece->WriteToDevice);
	KeLowerIrql(OldIrql);
	return Length == Armed ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static BOOLEAN FdcFlush(_In_ PFDC_EXTENSION Extension,
			_In_ PCFDC_MOVE Piece, _In_ PVOID CurrentVa)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	BOOLEAN Flushed;
	KIRQL OldIrql;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Flushed = Adapter->DmaOperations->FlushAdapterBuffers(Adapter,
					Piece->Mdl, Extension->MapRegisterBase,
					CurrentVa, Piece->Length + Piece->Slack,
					Piece->WriteToDevice);
	KeLowerIrql(OldIrql);
	return Flushed;
}

static NTSTATUS FdcMovePiece(_In_ PFDC_EXTENSION Extension,
			     _In_ PCFDC_MOVE Piece)
{
	PVOID CurrentVa = (PUCHAR)MmGetMdlVirtualAddress(Piece->Mdl) +
			  Piece->Offset;
	NTSTATUS Status;

	Status = FdcSeek(Extension,
			 (UCHAR)(Piece->Sector / FDC_CYLINDER_SECTORS));
	if (NT_SUCCESS(Status))
		Status = FdcMap(Extension, Piece, CurrentVa);
	if (!NT_SUCCESS(Status))
		return Status;
	FdcCheckCounter(Extension, Piece->Length + Piece->Slack);
	Status = FdcTransfer(Extension, Piece);
	if (NT_SUCCESS(Status))
		FdcCheckCounter(Extension, Piece->Slack);
	if (!FdcFlush(Extension, Piece, CurrentVa))
		Status = STATUS_UNSUCCESSFUL;
	FdcCheckCounter(Extension, 0);
	if (NT_SUCCESS(Status)) {
		Extension->Report.Bytes += Piece->Length;
		Extension->Report.Commands++;
	}
	return Status;
}

_Use_decl_annotations_
NTSTATUS FdcMove(PFDC_EXTENSION Extension, PCFDC_MOVE Move)
{
	FDC_MOVE Piece = *Move;
	NTSTATUS Status;
	ULONG Rest;

	Status = FdcTakeChannel(Extension);
	if (!NT_SUCCESS(Status))
		return Status;
	for (Rest = Move->Length; Rest && NT_SUCCESS(Status);
	     Rest -= Piece.Length) {
		Piece.Length = (FDC_CYLINDER_SECTORS -
				Piece.Sector % FDC_CYLINDER_SECTORS) *
			       FDC_SECTOR_LENGTH;
		Piece.Length = min(Piece.Length, Rest);
		Status = FdcMovePiece(Extension, &Piece);
		Piece.Offset += Piece.Length;
		Piece.Sector += Piece.Length / FDC_SECTOR_LENGTH;
	}
	FdcFreeChannel(Extension);
	return Status;
}

/* ---- Start and stop ---- */

_Use_decl_annotations_
VOID FdcAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PFDC_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	KeInitializeEvent(&Extension->Granted, SynchronizationEvent, FALSE);
	KeInitializeEvent(&Extension->Interrupted, SynchronizationEvent,
			  FALSE);
	IoInitializeDpcRequest(DeviceObject, FdcDpcForIsr);
}

static NTSTATUS FdcGetAdapter(_In_ PFDC_EXTENSION Extension,
			      _In_ ULONG DmaChannel, _In_ BOOLEAN DemandMode)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION1;
	Description.Master = FALSE;
	Description.DemandMode = DemandMode;
	Description.InterfaceType = Isa;
	Description.DmaChannel = DmaChannel;
	Description.DmaWidth = Width8Bits;
	Description.DmaSpeed = Compatible;
	Description.MaximumLength = FDC_CYLINDER_LENGTH;

	Extension->DmaAdapter = IoGetDmaAdapter(Extension->DeviceObject,
						&Description,
						&Extension->MapRegisters);
	return Extension->DmaAdapter ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* The interrupt is connected: the controller answers a reset with one. */
_Use_decl_annotations_
NTSTATUS FdcStartDevice(PDEVICE_OBJECT DeviceObject, ULONG PortBase,
			ULONG DmaChannel, BOOLEAN DemandMode)
{
	PFDC_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	Extension->Ports = PortBase;
	Status = FdcGetAdapter(Extension, DmaChannel, DemandMode);
	if (NT_SUCCESS(Status))
		Status = FdcReset(Extension);
	if (!NT_SUCCESS(Status))
		FdcStopDevice(DeviceObject);
	return Status;
}

/* No transfer runs any more. Undoes FdcStartDevice, also one that failed. */
_Use_decl_annotations_
VOID FdcStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PFDC_EXTENSION Extension = DeviceObject->DeviceExtension;
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	FdcOut(Extension, FDC_DIGITAL_OUTPUT, 0);
	KeFlushQueuedDpcs();
	if (Adapter)
		Adapter->DmaOperations->PutDmaAdapter(Adapter);
	Extension->DmaAdapter = NULL;
}
