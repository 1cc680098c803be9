// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA half of a WDM driver for the "edu" PCI device.
 *
 * The device has a buffer of 4 KiB and copies between it and memory, one
 * contiguous range a command, with an interrupt at the end of each. Nothing in
 * this file is specific to Linux.
 *
 * A move takes a range of an MDL chain to the device's buffer or back. The
 * range becomes a scatter/gather list in one of two ways:
 *
 *   with a list routine   GetScatterGatherListEx queues the request; the list
 *                         routine is called when there are map registers, and
 *                         starts the device
 *   without               BuildScatterGatherListEx fills a list in memory of
 *                         the driver and returns; several lists can be built
 *                         before the device starts on the first one
 *
 * From there on both are alike: the DPC starts one element after the other and
 * puts the list back after the last. A common buffer has its logical address
 * already; the list for it is the driver's own, and is not put.
 *
 * EDU_EXTENSION.Lock protects the request between the thread that waits for
 * it, the list routine and the DPC. It is never held in a call of the adapter:
 * PutScatterGatherList may call the list routine of the next request.
 */
#include <wdm.h>
#include "edu.h"

/* Registers */
#define EDU_ID			0x00
#define EDU_INTERRUPT_STATUS	0x24
#define EDU_INTERRUPT_ACK	0x64
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_REGISTERS_END	0xa0

#define EDU_ID_MASK		0xff
#define EDU_ID_VALUE		0xed

#define EDU_INTERRUPT_DMA	0x100

#define EDU_COMMAND_START	0x1
#define EDU_COMMAND_TO_MEMORY	0x2
#define EDU_COMMAND_INTERRUPT	0x4

#define EDU_BUFFER_BASE		0x40000	/* the device's own address of it */

/*
 * 17 map registers: a chain takes one for each page of each MDL, however small
 * the MDL and however large the page.
 */
#define EDU_MAXIMUM_LENGTH	(16 * PAGE_SIZE)
#ifdef _WIN64
#define EDU_MAXIMUM_WIDTH	64
#else
#define EDU_MAXIMUM_WIDTH	32
#endif

/* A command takes a tenth of a second, a list has a dozen elements at most. */
#define EDU_TIMEOUT_SECONDS	60

static DRIVER_LIST_CONTROL EduListReady;
static IO_DPC_ROUTINE EduDpcForIsr;

/* ---- The device ---- */

static ULONG EduRead(_In_ PEDU_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_REGISTER_ULONG((PULONG)(Extension->Registers + Register));
}

static VOID EduWrite(_In_ PEDU_EXTENSION Extension, _In_ ULONG Register,
		     _In_ ULONG Value)
{
	WRITE_REGISTER_ULONG((PULONG)(Extension->Registers + Register), Value);
}

/*
 * Four bytes set the whole register, too: the other four become zero. That is
 * all that a 32-bit machine can write, hence its EDU_MAXIMUM_WIDTH.
 */
static VOID EduWrite64(_In_ PEDU_EXTENSION Extension, _In_ ULONG Register,
		       _In_ ULONG64 Value)
{
#ifdef _WIN64
	WRITE_REGISTER_ULONG64((PULONG64)(Extension->Registers + Register),
			       Value);
#else
	EduWrite(Extension, Register, (ULONG)Value);
#endif
}

/* Starts the command for the current element. Called with the lock held. */
_IRQL_requires_(DISPATCH_LEVEL)
static VOID EduStartElement(_In_ PEDU_EXTENSION Extension)
{
	PEDU_REQUEST Request = &Extension->Request;
	PSCATTER_GATHER_ELEMENT Element =
		&Request->List->Elements[Request->Element];
	ULONG64 Memory = Element->Address.QuadPart;
	ULONG64 Device = EDU_BUFFER_BASE + Request->DeviceOffset;
	ULONG Command = EDU_COMMAND_START | EDU_COMMAND_INTERRUPT;

	if (Request->WriteToDevice) {
		EduWrite64(Extension, EDU_DMA_SOURCE, Memory);
		EduWrite64(Extension, EDU_DMA_DESTINATION, Device);
	} else {
		EduWrite64(Extension, EDU_DMA_SOURCE, Device);
		EduWrite64(Extension, EDU_DMA_DESTINATION, Memory);
		Command |= EDU_COMMAND_TO_MEMORY;
	}
	EduWrite64(Extension, EDU_DMA_COUNT, Element->Length);
	EduWrite(Extension, EDU_DMA_COMMAND, Command);
}

/* ---- Requests ---- */

static VOID EduPrepareRequest(_In_ PEDU_EXTENSION Extension,
			      _In_ ULONG Length, _In_ BOOLEAN WriteToDevice)
{
	PEDU_REQUEST Request = &Extension->Request;

	Request->State = EduRequestWaiting;
	Request->List = NULL;
	Request->Element = 0;
	Request->DeviceOffset = 0;
	Request->Length = Length;
	Request->WriteToDevice = WriteToDevice;
	KeClearEvent(&Request->Done);
}

/* Called by whoever set the state to EduRequestEnded, without the lock. */
_IRQL_requires_(DISPATCH_LEVEL)
static VOID EduCompleteRequest(_In_ PEDU_EXTENSION Extension,
			       _In_ PSCATTER_GATHER_LIST List,
			       _In_ NTSTATUS Status)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PEDU_REQUEST Request = &Extension->Request;

	if (List != Request->Own)
		Adapter->DmaOperations->PutScatterGatherList(Adapter, List,
						     Request->WriteToDevice);
	Request->Status = Status;
	KeSetEvent(&Request->Done, IO_NO_INCREMENT, FALSE);
}

/* What the device is given must be what was asked for, and fit into it. */
static BOOLEAN EduListFits(_In_ PSCATTER_GATHER_LIST List, _In_ ULONG Length)
{
	ULONGLONG Sum = 0;
	ULONG Index;

	for (Index = 0; Index < List->NumberOfElements; Index++) {
		if (List->Elements[Index].Length == 0)
			return FALSE;
		Sum += List->Elements[Index].Length;
	}
	return Sum == Length && Length <= EDU_DEVICE_LENGTH;
}

/* Gives the device its first element, unless the thread has given up. */
_IRQL_requires_(DISPATCH_LEVEL)
static VOID EduStartRequest(_In_ PEDU_EXTENSION Extension,
			    _In_ PSCATTER_GATHER_LIST List)
{
	PEDU_REQUEST Request = &Extension->Request;
	NTSTATUS Status = STATUS_SUCCESS;

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	if (Request->State != EduRequestWaiting)
		Status = STATUS_CANCELLED;
	else if (!EduListFits(List, Request->Length))
		Status = STATUS_UNSUCCESSFUL;

	if (NT_SUCCESS(Status)) {
		Request->List = List;
		Request->State = EduRequestRunning;
		EduStartElement(Extension);
	} else {
		Request->State = EduRequestEnded;
	}
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	if (!NT_SUCCESS(Status))
		EduCompleteRequest(Extension, List, Status);
}

_Use_decl_annotations_
static VOID EduListReady(PDEVICE_OBJECT DeviceObject, PIRP Irp,
			 PSCATTER_GATHER_LIST ScatterGather, PVOID Context)
{
	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);

	EduStartRequest(Context, ScatterGather);
}

/* ---- Interrupts ---- */

/*
 * The device has finished an element: starts the next one. Returns TRUE when
 * there is none. Called with the lock held.
 */
_IRQL_requires_(DISPATCH_LEVEL)
static BOOLEAN EduAdvance(_In_ PEDU_EXTENSION Extension)
{
	PEDU_REQUEST Request = &Extension->Request;

	if (Request->State != EduRequestRunning)
		return FALSE;

	Request->DeviceOffset +=
		Request->List->Elements[Request->Element].Length;
	Request->Element++;
	if (Request->Element < Request->List->NumberOfElements) {
		EduStartElement(Extension);
		return FALSE;
	}
	Request->State = EduRequestEnded;
	return TRUE;
}

_Use_decl_annotations_
static VOID EduDpcForIsr(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp,
			 PVOID Context)
{
	PEDU_EXTENSION Extension = DeviceObject->DeviceExtension;
	BOOLEAN Complete;

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(Irp);
	UNREFERENCED_PARAMETER(Context);

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	Complete = EduAdvance(Extension);
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	if (Complete)
		EduCompleteRequest(Extension, Extension->Request.List,
				   STATUS_SUCCESS);
}

/* The interrupt service routine. TRUE: the interrupt was of this device. */
_Use_decl_annotations_
BOOLEAN EduInterrupt(PDEVICE_OBJECT DeviceObject)
{
	PEDU_EXTENSION Extension = DeviceObject->DeviceExtension;
	ULONG Reasons = EduRead(Extension, EDU_INTERRUPT_STATUS);

	/* All ones: the device is gone. */
	if (Reasons == 0 || Reasons == MAXULONG)
		return FALSE;
	EduWrite(Extension, EDU_INTERRUPT_ACK, Reasons);
	if (Reasons & EDU_INTERRUPT_DMA) {
		InterlockedIncrement(&Extension->Interrupts);
		IoRequestDpc(DeviceObject, NULL, NULL);
	}
	return TRUE;
}

/* ---- Waiting for a request ---- */

/*
 * Nothing came of the request in time. The device cannot be told to stop, so
 * it loses its access to memory before the memory is taken back.
 */
static NTSTATUS EduAbandonRequest(_In_ PEDU_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PEDU_REQUEST Request = &Extension->Request;
	EDU_REQUEST_STATE State;
	KIRQL OldIrql;

	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	State = Request->State;
	Request->State = EduRequestEnded;
	KeReleaseSpinLock(&Extension->Lock, OldIrql);

	if (State == EduRequestRunning) {
		Extension->Failed = TRUE;
		EduDisableBusMaster(Extension->DeviceObject);
		KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
		EduCompleteRequest(Extension, Request->List, STATUS_TIMEOUT);
		KeLowerIrql(OldIrql);
	} else if (State == EduRequestWaiting &&
		   Adapter->DmaOperations->CancelAdapterChannel(Adapter,
				Extension->DeviceObject, Request->Context)) {
		return STATUS_CANCELLED;
	}

	/* The list routine or the DPC is on its way to complete it. */
	KeWaitForSingleObject(&Request->Done, Executive, KernelMode, FALSE,
			      NULL);
	return Request->Status;
}

static NTSTATUS EduWaitForRequest(_In_ PEDU_EXTENSION Extension)
{
	PEDU_REQUEST Request = &Extension->Request;
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Timeout.QuadPart = -10000000LL * EDU_TIMEOUT_SECONDS;
	Status = KeWaitForSingleObject(&Request->Done, Executive, KernelMode,
				       FALSE, &Timeout);
	if (Status == STATUS_TIMEOUT)
		Status = EduAbandonRequest(Extension);
	else
		Status = Request->Status;

	/* STATUS_TIMEOUT is a success code: a timed out request must not be. */
	if (Status != STATUS_SUCCESS)
		return NT_SUCCESS(Status) ? STATUS_UNSUCCESSFUL : Status;

	Extension->Report.Transfers++;
	Extension->Report.Elements += Request->Element;
	Extension->Report.Bytes += Request->DeviceOffset;
	return STATUS_SUCCESS;
}

/* ---- The two ways to a list ---- */

/* With a list routine: asks for a list and waits until it was worked off. */
_Use_decl_annotations_
NTSTATUS EduMoveByListRoutine(PEDU_EXTENSION Extension, PEDU_MOVE Move)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PEDU_REQUEST Request = &Extension->Request;
	NTSTATUS Status;
	KIRQL OldIrql;

	EduPrepareRequest(Extension, Move->Length, Move->WriteToDevice);
	Status = Adapter->DmaOperations->InitializeDmaTransferContext(Adapter,
							Request->Context);
	if (!NT_SUCCESS(Status))
		return Status;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->GetScatterGatherListEx(Adapter,
				Extension->DeviceObject, Request->Context,
				Move->Mdl, Move->Offset, Move->Length, 0,
				EduListReady, Extension, Move->WriteToDevice,
				NULL, NULL, NULL);
	KeLowerIrql(OldIrql);
	if (!NT_SUCCESS(Status))
		return Status;

	return EduWaitForRequest(Extension);
}

static NTSTATUS EduAllocateListBuffer(_In_ PEDU_EXTENSION Extension,
				      _Inout_ PEDU_MOVE Move,
				      _Out_ PULONG ListSize)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	DMA_TRANSFER_INFO Info;
	NTSTATUS Status;

	RtlZeroMemory(&Info, sizeof(Info));
	Info.Version = DMA_TRANSFER_INFO_VERSION1;
	Status = Adapter->DmaOperations->GetDmaTransferInfo(Adapter, Move->Mdl,
				Move->Offset, Move->Length,
				Move->WriteToDevice, &Info);
	if (!NT_SUCCESS(Status))
		return Status;
	if (Info.V1.MapRegisterCount > Extension->MapRegisters)
		return STATUS_INSUFFICIENT_RESOURCES;

	*ListSize = Info.V1.ScatterGatherListSize;
	Move->ListBuffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, *ListSize,
					   EDU_TAG);
	return Move->ListBuffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Without a list routine: the list is there when the call returns. */
static NTSTATUS EduBuildList(_In_ PEDU_EXTENSION Extension,
			     _Inout_ PEDU_MOVE Move)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PDMA_OPERATIONS Operations = Adapter->DmaOperations;
	PVOID Context = Extension->Request.Context;
	ULONG ListSize = 0;
	NTSTATUS Status;
	KIRQL OldIrql;

	Status = EduAllocateListBuffer(Extension, Move, &ListSize);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = Operations->InitializeDmaTransferContext(Adapter, Context);
	if (!NT_SUCCESS(Status))
		return Status;

	/* The channel is released at once, also after a failure. */
	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Operations->BuildScatterGatherListEx(Adapter,
				Extension->DeviceObject, Context, Move->Mdl,
				Move->Offset, Move->Length,
				DMA_SYNCHRONOUS_CALLBACK, NULL, NULL,
				Move->WriteToDevice, Move->ListBuffer, ListSize,
				NULL, NULL, &Move->List);
	Operations->FreeAdapterObject(Adapter, DeallocateObjectKeepRegisters);
	KeLowerIrql(OldIrql);

	if (!NT_SUCCESS(Status))
		Move->List = NULL;
	return Status;
}

static VOID EduReleaseList(_In_ PEDU_EXTENSION Extension,
			   _Inout_ PEDU_MOVE Move)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	KIRQL OldIrql;

	if (Move->List) {
		KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
		Adapter->DmaOperations->PutScatterGatherList(Adapter,
					Move->List, Move->WriteToDevice);
		KeLowerIrql(OldIrql);
	}
	if (Move->ListBuffer)
		ExFreePoolWithTag(Move->ListBuffer, EDU_TAG);
}

/* The list belongs to the request from here on, and is put with it. */
static NTSTATUS EduMoveBuiltList(_In_ PEDU_EXTENSION Extension,
				 _Inout_ PEDU_MOVE Move)
{
	PSCATTER_GATHER_LIST List = Move->List;
	KIRQL OldIrql;

	EduPrepareRequest(Extension, Move->Length, Move->WriteToDevice);
	Move->List = NULL;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	EduStartRequest(Extension, List);
	KeLowerIrql(OldIrql);

	return EduWaitForRequest(Extension);
}

/* Both lists exist before the device starts on the first one. */
_Use_decl_annotations_
NTSTATUS EduMoveWithBuiltLists(PEDU_EXTENSION Extension, PEDU_MOVE First,
			       PEDU_MOVE Second)
{
	NTSTATUS Status;

	Status = EduBuildList(Extension, First);
	if (NT_SUCCESS(Status))
		Status = EduBuildList(Extension, Second);
	if (NT_SUCCESS(Status))
		Status = EduMoveBuiltList(Extension, First);
	if (NT_SUCCESS(Status))
		Status = EduMoveBuiltList(Extension, Second);

	EduReleaseList(Extension, Second);
	EduReleaseList(Extension, First);
	return Status;
}

/* A part of a common buffer, which there is nothing to map for. */
_Use_decl_annotations_
NTSTATUS EduMoveLogical(PEDU_EXTENSION Extension, PHYSICAL_ADDRESS Logical,
			ULONG Length, BOOLEAN WriteToDevice)
{
	PEDU_REQUEST Request = &Extension->Request;
	KIRQL OldIrql;

	EduPrepareRequest(Extension, Length, WriteToDevice);
	Request->Own->NumberOfElements = 1;
	Request->Own->Elements[0].Address = Logical;
	Request->Own->Elements[0].Length = Length;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	EduStartRequest(Extension, Request->Own);
	KeLowerIrql(OldIrql);

	return EduWaitForRequest(Extension);
}

/* ---- Start and stop ---- */

_Use_decl_annotations_
VOID EduAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PEDU_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	KeInitializeSpinLock(&Extension->Lock);
	KeInitializeEvent(&Extension->Request.Done, NotificationEvent, FALSE);
	IoInitializeDpcRequest(DeviceObject, EduDpcForIsr);
}

static NTSTATUS EduGetAdapter(_In_ PEDU_EXTENSION Extension,
			      _In_ ULONG DmaAddressWidth)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION3;
	Description.Master = TRUE;
	Description.ScatterGather = TRUE;
	Description.InterfaceType = PCIBus;
	Description.MaximumLength = EDU_MAXIMUM_LENGTH;
	Description.DmaAddressWidth = min(DmaAddressWidth, EDU_MAXIMUM_WIDTH);

	Extension->DmaAdapter = IoGetDmaAdapter(Extension->DeviceObject,
						&Description,
						&Extension->MapRegisters);
	return Extension->DmaAdapter ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static NTSTATUS EduAllocateOwnList(_In_ PEDU_EXTENSION Extension)
{
	SIZE_T Size = sizeof(SCATTER_GATHER_LIST) +
		      sizeof(SCATTER_GATHER_ELEMENT);

	Extension->Request.Own = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size,
						 EDU_TAG);
	return Extension->Request.Own ? STATUS_SUCCESS :
					STATUS_INSUFFICIENT_RESOURCES;
}

static VOID EduReleaseResources(_In_ PEDU_EXTENSION Extension)
{
	if (Extension->Request.Own)
		ExFreePoolWithTag(Extension->Request.Own, EDU_TAG);
	Extension->Request.Own = NULL;
	MmUnmapIoSpace(Extension->Registers, Extension->RegistersLength);
	Extension->Registers = NULL;
}

/*
 * What the handler of IRP_MN_START_DEVICE does with the translated resources:
 * maps the registers, looks whether the device is there, gets an adapter.
 */
_Use_decl_annotations_
NTSTATUS EduStartDevice(PDEVICE_OBJECT DeviceObject,
			PHYSICAL_ADDRESS RegistersBase, ULONG RegistersLength,
			ULONG DmaAddressWidth)
{
	PEDU_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status = STATUS_NO_SUCH_DEVICE;

	if (RegistersLength < EDU_REGISTERS_END)
		return STATUS_INVALID_PARAMETER;

	Extension->Registers = MmMapIoSpace(RegistersBase, RegistersLength,
					    MmNonCached);
	if (!Extension->Registers)
		return STATUS_INSUFFICIENT_RESOURCES;
	Extension->RegistersLength = RegistersLength;

	if ((EduRead(Extension, EDU_ID) & EDU_ID_MASK) == EDU_ID_VALUE)
		Status = EduAllocateOwnList(Extension);
	if (NT_SUCCESS(Status))
		Status = EduGetAdapter(Extension, DmaAddressWidth);
	if (!NT_SUCCESS(Status))
		EduReleaseResources(Extension);
	return Status;
}

/* The interrupt is disconnected and no transfer runs any more. */
_Use_decl_annotations_
VOID EduStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PEDU_EXTENSION Extension = DeviceObject->DeviceExtension;
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	KeFlushQueuedDpcs();
	Adapter->DmaOperations->PutDmaAdapter(Adapter);
	Extension->DmaAdapter = NULL;
	EduReleaseResources(Extension);
}
