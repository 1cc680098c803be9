// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes: from ranges of MDL chains to commands of the controller.
 *
 * A move is split into requests, each no longer than the controller takes and
 * with no more pages than there are map registers. GetScatterGatherListEx
 * queues a request; its list routine turns the elements into PRPs, the page
 * addresses that a command carries, and puts the command into the queue. The
 * DPC takes completions, puts the lists back and wakes the thread.
 *
 * PRPs describe pages of 4 KiB. The first one may begin anywhere in its page at
 * a multiple of four bytes, the last one may end anywhere; between them is no
 * gap. An element of a list may cover many such pages, and two elements may
 * meet inside one. The second PRP is in the command when there are just two,
 * otherwise the command names a page that holds all but the first.
 *
 * While the queue is plugged, commands gather in it. It is unplugged before
 * anybody waits.
 */
#include <wdm.h>
#include "nvme.h"

#define NVME_WRITE		0x01
#define NVME_READ		0x02
#define NVME_NAMESPACE		1

#define NVME_TIMEOUT_SECONDS	30

#define NVME_LIST_PRPS		(NVME_PAGE_SIZE / sizeof(ULONGLONG))

/* One page holds the list of the longest command, wherever that begins. */
C_ASSERT(NVME_MAXIMUM_LENGTH / NVME_PAGE_SIZE <= NVME_LIST_PRPS);

static DRIVER_LIST_CONTROL NvmeListReady;

/* ---- From elements to PRPs ---- */

static ULONG NvmePageOffset(_In_ ULONGLONG Address)
{
	return (ULONG)Address & (NVME_PAGE_SIZE - 1);
}

static BOOLEAN NvmeAddPrp(_Inout_ PNVME_REQUEST Request, _In_ ULONGLONG Address)
{
	if (Request->Prps == 0)
		Request->Prp1 = Address;
	else if (Request->Prps <= NVME_LIST_PRPS)
		Request->PrpList[Request->Prps - 1] = Address;
	else
		return FALSE;
	Request->Prps++;
	return TRUE;
}

/* FALSE for memory that PRPs cannot describe. */
static BOOLEAN NvmeAddElement(_Inout_ PNVME_REQUEST Request,
			      _In_ ULONGLONG Address, _In_ ULONG Length)
{
	ULONGLONG End = Address + Length;

	if (Request->Prps == 0) {
		if (Address & 3)
			return FALSE;
	} else if (Address == Request->PrpEnd) {
		/* The rest of the page is described already. */
		if (NvmePageOffset(Address))
			Address = (Address | (NVME_PAGE_SIZE - 1)) + 1;
	} else if (NvmePageOffset(Address) || NvmePageOffset(Request->PrpEnd)) {
		return FALSE;
	}
	for (; Address < End; Address = (Address | (NVME_PAGE_SIZE - 1)) + 1) {
		if (!NvmeAddPrp(Request, Address))
			return FALSE;
	}
	Request->PrpEnd = End;
	return TRUE;
}

static NTSTATUS NvmeBuildPrps(_Inout_ PNVME_REQUEST Request,
			      _In_ PSCATTER_GATHER_LIST List)
{
	PSCATTER_GATHER_ELEMENT Element;
	ULONGLONG Sum = 0;
	ULONG Index;

	Request->Prps = 0;
	Request->Elements = List->NumberOfElements;
	for (Index = 0; Index < List->NumberOfElements; Index++) {
		Element = &List->Elements[Index];
		if (Element->Length == 0 ||
		    !NvmeAddElement(Request, Element->Address.QuadPart,
				    Element->Length))
			return STATUS_INVALID_PARAMETER;
		Sum += Element->Length;
	}
	/* The controller counts blocks, whatever the list describes. */
	return Sum == Request->Length ? STATUS_SUCCESS :
					STATUS_INVALID_PARAMETER;
}

static ULONGLONG NvmeSecondPrp(_In_ PCNVME_REQUEST Request)
{
	if (Request->Prps < 2)
		return 0;
	return Request->Prps == 2 ? Request->PrpList[0] :
				    Request->PrpListAddress;
}

/* ---- Requests ---- */

_Use_decl_annotations_
VOID NvmeInitializeRequests(PNVME_EXTENSION Extension)
{
	PNVME_REQUEST Request;
	ULONG Index;

	for (Index = 0; Index < NVME_REQUESTS; Index++) {
		Request = &Extension->Requests[Index];
		RtlZeroMemory(Request, sizeof(*Request));
		KeInitializeEvent(&Request->Done, NotificationEvent, FALSE);
		Request->PrpList = (PULONGLONG)(Extension->PrpLists.Memory +
						Index * NVME_PAGE_SIZE);
		Request->PrpListAddress =
			Extension->PrpLists.Address.QuadPart +
			Index * NVME_PAGE_SIZE;
	}
}

/* With the lock held. */
static VOID NvmeSubmitRequest(_In_ PNVME_EXTENSION Extension,
			      _In_ PNVME_REQUEST Request)
{
	NVME_COMMAND Command;

	RtlZeroMemory(&Command, sizeof(Command));
	Command.Opcode = Request->WriteToDevice ? NVME_WRITE : NVME_READ;
	Command.CommandId = (USHORT)(Request - Extension->Requests);
	Command.NamespaceId = NVME_NAMESPACE;
	Command.Prp1 = Request->Prp1;
	Command.Prp2 = NvmeSecondPrp(Request);
	Command.Dword10 = (ULONG)Request->Block;
	Command.Dword11 = (ULONG)(Request->Block >> 32);
	Command.Dword12 = Request->Length / NVME_BLOCK_SIZE - 1;
	NvmeSubmit(&Extension->Io, &Command);
	Extension->Running++;
}

/* With the lock held. */
static VOID NvmeKick(_In_ PNVME_EXTENSION Extension)
{
	if (Extension->Plugged || Extension->Failed)
		return;
	NvmeRing(Extension, &Extension->Io);
	Extension->MostRunning = max(Extension->MostRunning,
				     Extension->Running);
}

static VOID NvmePlug(_In_ PNVME_EXTENSION Extension, _In_ BOOLEAN Plugged)
{
	KIRQL OldIrql;

	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	Extension->Plugged = Plugged;
	NvmeKick(Extension);
	KeReleaseSpinLock(&Extension->Lock, OldIrql);
}

/* Called by whoever set the states to NvmeRequestEnded, without the lock. */
_Use_decl_annotations_
VOID NvmeCompleteRequests(PNVME_EXTENSION Extension, PNVME_REQUEST Ended)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PNVME_REQUEST Request;

	while (Ended) {
		Request = Ended;
		Ended = Request->Next;
		Adapter->DmaOperations->PutScatterGatherList(Adapter,
					Request->List, Request->WriteToDevice);
		KeSetEvent(&Request->Done, IO_NO_INCREMENT, FALSE);
	}
}

/* With the lock held. */
static VOID NvmeTakeRequest(_In_ PNVME_EXTENSION Extension,
			    _In_ PNVME_REQUEST Request, _In_ NTSTATUS Status)
{
	Request->State = NvmeRequestEnded;
	Request->Status = Status;
	Extension->Running--;
}

/*
 * With the lock held. The controller has finished a command: returns the
 * request for NvmeCompleteRequests, NULL if there is none such.
 */
_Use_decl_annotations_
PNVME_REQUEST NvmeEndRequest(PNVME_EXTENSION Extension, ULONG Outcome)
{
	ULONG Index = NVME_OUTCOME_ID(Outcome);
	PNVME_REQUEST Request;

	if (Index >= NVME_REQUESTS)
		return NULL;
	Request = &Extension->Requests[Index];
	if (Request->State != NvmeRequestRunning)
		return NULL;
	NvmeTakeRequest(Extension, Request,
			NVME_OUTCOME_FAILED(Outcome) ? STATUS_UNSUCCESSFUL :
						       STATUS_SUCCESS);
	return Request;
}

/* Puts the command into the queue, unless the thread has given up. */
_Use_decl_annotations_
static VOID NvmeListReady(PDEVICE_OBJECT DeviceObject, PIRP Irp,
			  PSCATTER_GATHER_LIST ScatterGather, PVOID Context)
{
	PNVME_EXTENSION Extension = DeviceObject->DeviceExtension;
	PNVME_REQUEST Request = Context;
	NTSTATUS Status;

	UNREFERENCED_PARAMETER(Irp);

	Request->List = ScatterGather;
	Request->Next = NULL;
	Status = NvmeBuildPrps(Request, ScatterGather);

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	if (Request->State != NvmeRequestWaiting || Extension->Failed)
		Status = STATUS_CANCELLED;
	if (NT_SUCCESS(Status)) {
		Request->State = NvmeRequestRunning;
		NvmeSubmitRequest(Extension, Request);
		NvmeKick(Extension);
	} else {
		Request->State = NvmeRequestEnded;
		Request->Status = Status;
	}
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	if (!NT_SUCCESS(Status))
		NvmeCompleteRequests(Extension, Request);
}

/* ---- Waiting for a request ---- */

/* Takes everything back from a controller that does not answer. */
static VOID NvmeAbandonAll(_In_ PNVME_EXTENSION Extension)
{
	PNVME_REQUEST Request, Ended = NULL;
	KIRQL OldIrql;
	ULONG Index;

	NvmeFailController(Extension);

	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	for (Index = 0; Index < NVME_REQUESTS; Index++) {
		Request = &Extension->Requests[Index];
		if (Request->State != NvmeRequestRunning)
			continue;
		NvmeTakeRequest(Extension, Request, STATUS_DEVICE_NOT_READY);
		Request->Next = Ended;
		Ended = Request;
	}
	KeReleaseSpinLock(&Extension->Lock, OldIrql);

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	NvmeCompleteRequests(Extension, Ended);
	KeLowerIrql(OldIrql);
}

/* Nothing came of the request in time. */
static NTSTATUS NvmeAbandonRequest(_In_ PNVME_EXTENSION Extension,
				   _In_ PNVME_REQUEST Request)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	NVME_REQUEST_STATE State;
	KIRQL OldIrql;

	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	State = Request->State;
	if (State == NvmeRequestWaiting)
		Request->State = NvmeRequestEnded;
	KeReleaseSpinLock(&Extension->Lock, OldIrql);

	if (State == NvmeRequestRunning) {
		NvmeAbandonAll(Extension);
	} else if (State == NvmeRequestWaiting &&
		   Adapter->DmaOperations->CancelAdapterChannel(Adapter,
				Extension->DeviceObject, Request->Context)) {
		return STATUS_CANCELLED;
	}

	/*
	 * The list routine or the DPC is on its way to complete it, and neither
	 * waits for the controller.
	 */
	KeWaitForSingleObject(&Request->Done, Executive, KernelMode, FALSE,
			      NULL);
	return Request->Status;
}

static NTSTATUS NvmeWaitForRequest(_In_ PNVME_EXTENSION Extension,
				   _In_ PNVME_REQUEST Request)
{
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Timeout.QuadPart = -10000000LL * NVME_TIMEOUT_SECONDS;
	Status = KeWaitForSingleObject(&Request->Done, Executive, KernelMode,
				       FALSE, &Timeout);
	if (Status == STATUS_TIMEOUT)
		Status = NvmeAbandonRequest(Extension, Request);
	else
		Status = Request->Status;
	if (!NT_SUCCESS(Status))
		return Status;

	Extension->Report.Commands++;
	Extension->Report.Elements += Request->Elements;
	Extension->Report.Prps += Request->Prps;
	Extension->Report.Bytes += Request->Length;
	return STATUS_SUCCESS;
}

/* ---- Moves ---- */

/* Bytes of the move that one request may take, 0 when none may. */
static ULONG NvmeRequestLength(_In_ PNVME_EXTENSION Extension,
			       _In_ PCNVME_MOVE Move)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	ULONG Length = min(Move->Length, Extension->MaximumTransfer);
	DMA_TRANSFER_INFO Info;
	NTSTATUS Status;

	for (; Length; Length = Length / 2 & ~(NVME_BLOCK_SIZE - 1)) {
		RtlZeroMemory(&Info, sizeof(Info));
		Info.Version = DMA_TRANSFER_INFO_VERSION1;
		Status = Adapter->DmaOperations->GetDmaTransferInfo(Adapter,
					Move->Mdl, Move->Offset, Length,
					Move->WriteToDevice, &Info);
		if (!NT_SUCCESS(Status))
			return 0;
		if (Info.V1.MapRegisterCount <= Extension->MapRegisters)
			break;
	}
	return Length;
}

/* Takes the first part of the move. */
static NTSTATUS NvmeStartRequest(_In_ PNVME_EXTENSION Extension,
				 _In_ PNVME_REQUEST Request,
				 _Inout_ PNVME_MOVE Move)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	ULONG Offset = Move->Offset;
	NTSTATUS Status;
	KIRQL OldIrql;

	Request->Length = NvmeRequestLength(Extension, Move);
	if (Request->Length == 0)
		return STATUS_INSUFFICIENT_RESOURCES;
	Request->Block = Move->Block;
	Request->WriteToDevice = Move->WriteToDevice;
	Request->State = NvmeRequestWaiting;
	KeClearEvent(&Request->Done);
	Status = Adapter->DmaOperations->InitializeDmaTransferContext(Adapter,
							Request->Context);
	if (!NT_SUCCESS(Status))
		return Status;

	Move->Offset += Request->Length;
	Move->Block += Request->Length / NVME_BLOCK_SIZE;
	Move->Length -= Request->Length;

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	Status = Adapter->DmaOperations->GetScatterGatherListEx(Adapter,
				Extension->DeviceObject, Request->Context,
				Move->Mdl, Offset, Request->Length, 0,
				NvmeListReady, Request, Move->WriteToDevice,
				NULL, NULL, NULL);
	KeLowerIrql(OldIrql);
	return Status;
}

static BOOLEAN NvmeMoveValid(_In_ PNVME_EXTENSION Extension,
			     _In_ PCNVME_MOVE Move)
{
	return Move->Length != 0 && Move->Length % NVME_BLOCK_SIZE == 0 &&
	       Move->Block < Extension->Blocks &&
	       Move->Length / NVME_BLOCK_SIZE <=
	       Extension->Blocks - Move->Block;
}

/* The requests that were started and not waited for, oldest first. */
typedef struct _NVME_FLIGHT {
	ULONG First;		/* both only grow */
	ULONG Next;
} NVME_FLIGHT, *PNVME_FLIGHT;

static NTSTATUS NvmeWaitForFirst(_In_ PNVME_EXTENSION Extension,
				 _Inout_ PNVME_FLIGHT Flight)
{
	ULONG Index = Flight->First++ % NVME_REQUESTS;

	return NvmeWaitForRequest(Extension, &Extension->Requests[Index]);
}

/* Starts requests for all of the move, waiting only while all are in use. */
static NTSTATUS NvmeStartMove(_In_ PNVME_EXTENSION Extension,
			      _In_ NVME_MOVE Move, _Inout_ PNVME_FLIGHT Flight)
{
	PNVME_REQUEST Request;
	NTSTATUS Status;

	if (!NvmeMoveValid(Extension, &Move))
		return STATUS_INVALID_PARAMETER;
	while (Move.Length) {
		if (Flight->Next - Flight->First == NVME_REQUESTS) {
			NvmePlug(Extension, FALSE);
			Status = NvmeWaitForFirst(Extension, Flight);
			if (!NT_SUCCESS(Status))
				return Status;
			NvmePlug(Extension, TRUE);
		}
		Request = &Extension->Requests[Flight->Next % NVME_REQUESTS];
		Status = NvmeStartRequest(Extension, Request, &Move);
		if (!NT_SUCCESS(Status))
			return Status;
		Flight->Next++;
	}
	return STATUS_SUCCESS;
}

/* Nothing of the moves is in the controller when this returns. */
_Use_decl_annotations_
NTSTATUS NvmeRunMoves(PNVME_EXTENSION Extension, PCNVME_MOVE Moves,
		      ULONG Count)
{
	NTSTATUS Status = STATUS_SUCCESS, Ended;
	NVME_FLIGHT Flight = { 0, 0 };
	ULONG Index;

	NvmePlug(Extension, TRUE);
	for (Index = 0; Index < Count && NT_SUCCESS(Status); Index++)
		Status = NvmeStartMove(Extension, Moves[Index], &Flight);
	NvmePlug(Extension, FALSE);

	while (Flight.First != Flight.Next) {
		Ended = NvmeWaitForFirst(Extension, &Flight);
		if (NT_SUCCESS(Status))
			Status = Ended;
	}
	return Status;
}
