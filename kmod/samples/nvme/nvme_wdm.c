// SPDX-License-Identifier: GPL-2.0
/*
 * A WDM driver for NVMe controllers: the controller, its queues and its
 * interrupt. Nothing in this file is specific to Linux.
 *
 * There are two pairs of queues, all in one common buffer: the admin queue,
 * with one command at a time, and one queue for reads and writes. Both share
 * one interrupt. The counters of a queue never wrap to the size of the queue:
 * an index is the counter modulo the entries, and the phase that marks a new
 * completion follows from how often the counter went round.
 *
 * An interrupt by message needs no more than a DPC. A pin may be shared, so
 * the service routine looks whether there is a new completion, and keeps the
 * pin down until the DPC has taken it.
 *
 * NVME_EXTENSION.Lock protects the queues and the states of all requests. It
 * is never held in a call of the adapter.
 *
 * A controller that does not answer in time is switched off before anybody
 * takes memory back from it, and stays so.
 */
#include <wdm.h>
#include "nvme.h"

/* Registers */
#define NVME_CAP_LOW			0x00
#define NVME_CAP_HIGH			0x04
#define NVME_INTERRUPT_MASK_SET		0x0c
#define NVME_INTERRUPT_MASK_CLEAR	0x10
#define NVME_CONFIGURATION		0x14
#define NVME_STATUS			0x1c
#define NVME_ADMIN_ATTRIBUTES		0x24
#define NVME_ADMIN_SUBMISSION		0x28
#define NVME_ADMIN_COMPLETION		0x30
#define NVME_DOORBELLS			0x1000

#define NVME_CAP_QUEUE_ENTRIES(Low)	(((Low) & 0xffff) + 1)
#define NVME_CAP_TIMEOUT(Low)		((Low) >> 24)	/* half seconds */
#define NVME_CAP_STRIDE(High)		((High) & 0xf)
#define NVME_CAP_NVM_COMMANDS		0x00000020
#define NVME_CAP_PAGE_MINIMUM(High)	(((High) >> 16) & 0xf)

#define NVME_CONFIGURATION_ENABLE	0x00000001
#define NVME_CONFIGURATION_SHUTDOWN	0x00004000
#define NVME_CONFIGURATION_ENTRIES	0x00460000	/* of 64 and 16 bytes */

#define NVME_STATUS_READY		0x00000001
#define NVME_STATUS_FATAL		0x00000002
#define NVME_STATUS_SHUTDOWN_MASK	0x0000000c
#define NVME_STATUS_SHUTDOWN_COMPLETE	0x00000008

/* Admin commands */
#define NVME_DELETE_SUBMISSION_QUEUE	0x00
#define NVME_CREATE_SUBMISSION_QUEUE	0x01
#define NVME_DELETE_COMPLETION_QUEUE	0x04
#define NVME_CREATE_COMPLETION_QUEUE	0x05
#define NVME_IDENTIFY			0x06
#define NVME_SET_FEATURES		0x09

#define NVME_QUEUE_CONTIGUOUS		0x1
#define NVME_QUEUE_INTERRUPTS		0x2
#define NVME_FEATURE_QUEUES		0x07
#define NVME_IDENTIFY_NAMESPACE		0x00
#define NVME_IDENTIFY_CONTROLLER	0x01

/* What identify returns, in bytes from its start */
#define NVME_CONTROLLER_MDTS		77
#define NVME_NAMESPACE_SIZE		0
#define NVME_NAMESPACE_FORMAT		26
#define NVME_NAMESPACE_FORMATS		128

#define NVME_NAMESPACE			1
#define NVME_IO_QUEUE			1
#define NVME_ADMIN_ID			0x4e54	/* of the one admin command */

#define NVME_TIMEOUT_SECONDS		30
#define NVME_SHUTDOWN_MILLISECONDS	10000

/* Pages of the shared common buffer */
enum {
	NvmePageAdminCommands,
	NvmePageAdminCompletions,
	NvmePageIoCommands,
	NvmePageIoCompletions,
	NvmePageIdentify,
	NvmeSharedPages
};

C_ASSERT(NVME_QUEUE_ENTRIES * sizeof(NVME_COMMAND) <= NVME_PAGE_SIZE);
C_ASSERT(NVME_REQUESTS < NVME_QUEUE_ENTRIES);

static IO_DPC_ROUTINE NvmeDpcForIsr;

/* ---- Registers ---- */

static ULONG NvmeRead(_In_ PNVME_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_REGISTER_ULONG((PULONG)(Extension->Registers + Register));
}

static VOID NvmeWrite(_In_ PNVME_EXTENSION Extension, _In_ ULONG Register,
		      _In_ ULONG Value)
{
	WRITE_REGISTER_ULONG((PULONG)(Extension->Registers + Register), Value);
}

static VOID NvmeWrite64(_In_ PNVME_EXTENSION Extension, _In_ ULONG Register,
			_In_ ULONGLONG Value)
{
	NvmeWrite(Extension, Register, (ULONG)Value);
	NvmeWrite(Extension, Register + 4, (ULONG)(Value >> 32));
}

/* Memory that the controller or a DPC may write at any time. */
static ULONG NvmePeek(_In_ const VOID *Word)
{
	return *(const __volatile__ ULONG *)Word;
}

/* FALSE when the status does not become so in time. */
static BOOLEAN NvmeAwaitStatus(_In_ PNVME_EXTENSION Extension, _In_ ULONG Mask,
			       _In_ ULONG Value, _In_ ULONG Milliseconds)
{
	ULONGLONG End = KeQueryInterruptTime() + 10000ULL * Milliseconds;
	LARGE_INTEGER Interval;
	BOOLEAN Over;
	ULONG Status;

	Interval.QuadPart = -10000;
	do {
		Over = KeQueryInterruptTime() >= End;
		Status = NvmeRead(Extension, NVME_STATUS);
		if (Status == MAXULONG)
			return FALSE;	/* the controller is gone */
		if ((Status & Mask) == Value)
			return TRUE;
		KeDelayExecutionThread(KernelMode, FALSE, &Interval);
	} while (!Over);
	return FALSE;
}

/* ---- Queues ---- */

/* With the lock held. There is always room: requests are fewer than entries. */
_Use_decl_annotations_
VOID NvmeSubmit(PNVME_QUEUE Queue, PCNVME_COMMAND Command)
{
	ULONG Index = Queue->Tail % NVME_QUEUE_ENTRIES;

	RtlCopyMemory(&Queue->Commands[Index], Command, sizeof(*Command));
	Queue->Tail++;
}

/* With the lock held. Tells the controller of all commands in the queue. */
_Use_decl_annotations_
VOID NvmeRing(PNVME_EXTENSION Extension, PNVME_QUEUE Queue)
{
	if (Queue->Rung == Queue->Tail)
		return;
	Queue->Rung = Queue->Tail;
	KeMemoryBarrier();
	NvmeWrite(Extension, Queue->TailDoorbell,
		  Queue->Tail % NVME_QUEUE_ENTRIES);
}

/* Whether there is a new completion. Needs no lock. */
static BOOLEAN NvmePending(_In_ PCNVME_QUEUE Queue, _Out_ PULONG Outcome)
{
	ULONG Head = NvmePeek(&Queue->Head);
	ULONG Index = Head % NVME_QUEUE_ENTRIES;
	ULONG Phase = Head / NVME_QUEUE_ENTRIES % 2 ? 0 : NVME_OUTCOME_PHASE;

	*Outcome = NvmePeek(&Queue->Completions[Index].Outcome);
	return (*Outcome & NVME_OUTCOME_PHASE) == Phase;
}

/* With the lock held. */
static BOOLEAN NvmeTake(_Inout_ PNVME_QUEUE Queue, _Out_ PULONG Outcome)
{
	if (!NvmePending(Queue, Outcome))
		return FALSE;
	InterlockedIncrement(&Queue->Head);
	return TRUE;
}

/* With the lock held. Gives the entries back that were taken since Head. */
static VOID NvmeAcknowledge(_In_ PNVME_EXTENSION Extension,
			    _In_ PNVME_QUEUE Queue, _In_ LONG Head)
{
	if (Queue->Head != Head)
		NvmeWrite(Extension, Queue->HeadDoorbell,
			  (ULONG)Queue->Head % NVME_QUEUE_ENTRIES);
}

/* ---- Interrupts ---- */

/* With the lock held. */
static VOID NvmeReapAdmin(_In_ PNVME_EXTENSION Extension)
{
	LONG Head = Extension->Admin.Head;
	ULONG Outcome;

	while (NvmeTake(&Extension->Admin, &Outcome)) {
		if (!Extension->AdminRunning ||
		    NVME_OUTCOME_ID(Outcome) != NVME_ADMIN_ID)
			continue;
		Extension->AdminRunning = FALSE;
		Extension->AdminStatus = NVME_OUTCOME_FAILED(Outcome) ?
					 STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
		KeSetEvent(&Extension->AdminDone, IO_NO_INCREMENT, FALSE);
	}
	NvmeAcknowledge(Extension, &Extension->Admin, Head);
}

/* With the lock held. Returns the requests that ended. */
static PNVME_REQUEST NvmeReapIo(_In_ PNVME_EXTENSION Extension)
{
	LONG Head = Extension->Io.Head;
	PNVME_REQUEST Request, Ended = NULL;
	ULONG Outcome;

	while (NvmeTake(&Extension->Io, &Outcome)) {
		Request = NvmeEndRequest(Extension, Outcome);
		if (!Request)
			continue;
		Request->Next = Ended;
		Ended = Request;
	}
	NvmeAcknowledge(Extension, &Extension->Io, Head);
	return Ended;
}

_Use_decl_annotations_
static VOID NvmeDpcForIsr(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp,
			  PVOID Context)
{
	PNVME_EXTENSION Extension = DeviceObject->DeviceExtension;
	PNVME_REQUEST Ended = NULL;

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(Irp);
	UNREFERENCED_PARAMETER(Context);

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	if (!Extension->Failed) {
		NvmeReapAdmin(Extension);
		Ended = NvmeReapIo(Extension);
		if (!Extension->MessageSignaled)
			NvmeWrite(Extension, NVME_INTERRUPT_MASK_CLEAR, 1);
	}
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	NvmeCompleteRequests(Extension, Ended);
}

/* The interrupt service routine. TRUE: the interrupt was of this device. */
_Use_decl_annotations_
BOOLEAN NvmeInterrupt(PDEVICE_OBJECT DeviceObject)
{
	PNVME_EXTENSION Extension = DeviceObject->DeviceExtension;
	ULONG Outcome;

	if (!Extension->MessageSignaled) {
		if (!NvmePending(&Extension->Admin, &Outcome) &&
		    !NvmePending(&Extension->Io, &Outcome))
			return FALSE;
		NvmeWrite(Extension, NVME_INTERRUPT_MASK_SET, 1);
	}
	InterlockedIncrement(&Extension->Interrupts);
	IoRequestDpc(DeviceObject, NULL, NULL);
	return TRUE;
}

/* ---- The controller on and off ---- */

static BOOLEAN NvmeDisable(_In_ PNVME_EXTENSION Extension)
{
	NvmeWrite(Extension, NVME_CONFIGURATION,
		  NvmeRead(Extension, NVME_CONFIGURATION) &
		  ~NVME_CONFIGURATION_ENABLE);
	return NvmeAwaitStatus(Extension, NVME_STATUS_READY, 0,
			       Extension->ReadyMilliseconds);
}

/* From here on the controller does not access memory. */
static VOID NvmeSilence(_In_ PNVME_EXTENSION Extension)
{
	if (!NvmeDisable(Extension))
		NvmeDisableBusMaster(Extension->DeviceObject);
}

/*
 * The controller did not answer in time. No DPC takes completions any more,
 * so that what runs can be taken back from the controller by the caller.
 */
_Use_decl_annotations_
VOID NvmeFailController(PNVME_EXTENSION Extension)
{
	KIRQL OldIrql;

	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	Extension->Failed = TRUE;
	KeReleaseSpinLock(&Extension->Lock, OldIrql);

	NvmeSilence(Extension);
}

static NTSTATUS NvmeEnable(_In_ PNVME_EXTENSION Extension)
{
	ULONG Entries = NVME_QUEUE_ENTRIES - 1;

	NvmeWrite(Extension, NVME_ADMIN_ATTRIBUTES, Entries << 16 | Entries);
	NvmeWrite64(Extension, NVME_ADMIN_SUBMISSION,
		    Extension->Admin.CommandsAddress);
	NvmeWrite64(Extension, NVME_ADMIN_COMPLETION,
		    Extension->Admin.CompletionsAddress);
	NvmeWrite(Extension, NVME_CONFIGURATION,
		  NVME_CONFIGURATION_ENTRIES | NVME_CONFIGURATION_ENABLE);
	if (!NvmeAwaitStatus(Extension, NVME_STATUS_READY | NVME_STATUS_FATAL,
			     NVME_STATUS_READY, Extension->ReadyMilliseconds))
		return STATUS_DEVICE_NOT_READY;
	return STATUS_SUCCESS;
}

/* Lets the controller write what it holds back. */
static VOID NvmeShutDown(_In_ PNVME_EXTENSION Extension)
{
	NvmeWrite(Extension, NVME_CONFIGURATION,
		  NvmeRead(Extension, NVME_CONFIGURATION) |
		  NVME_CONFIGURATION_SHUTDOWN);
	NvmeAwaitStatus(Extension, NVME_STATUS_SHUTDOWN_MASK,
			NVME_STATUS_SHUTDOWN_COMPLETE,
			NVME_SHUTDOWN_MILLISECONDS);
}

/* ---- Admin commands ---- */

static VOID NvmeStartAdmin(_In_ PNVME_EXTENSION Extension,
			   _Inout_ PNVME_COMMAND Command)
{
	KIRQL OldIrql;

	Command->CommandId = NVME_ADMIN_ID;
	KeClearEvent(&Extension->AdminDone);
	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	Extension->AdminRunning = TRUE;
	NvmeSubmit(&Extension->Admin, Command);
	NvmeRing(Extension, &Extension->Admin);
	KeReleaseSpinLock(&Extension->Lock, OldIrql);
}

/* One thread at a time. */
static NTSTATUS NvmeAdmin(_In_ PNVME_EXTENSION Extension,
			  _Inout_ PNVME_COMMAND Command)
{
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	NvmeStartAdmin(Extension, Command);
	Timeout.QuadPart = -10000000LL * NVME_TIMEOUT_SECONDS;
	Status = KeWaitForSingleObject(&Extension->AdminDone, Executive,
				       KernelMode, FALSE, &Timeout);
	if (Status == STATUS_SUCCESS)
		return Extension->AdminStatus;

	NvmeFailController(Extension);
	return STATUS_DEVICE_NOT_READY;
}

static NTSTATUS NvmeIdentify(_In_ PNVME_EXTENSION Extension, _In_ ULONG What,
			     _In_ ULONG NamespaceId)
{
	NVME_COMMAND Command;

	RtlZeroMemory(&Command, sizeof(Command));
	Command.Opcode = NVME_IDENTIFY;
	Command.NamespaceId = NamespaceId;
	Command.Prp1 = Extension->Shared.Address.QuadPart +
		       NvmePageIdentify * NVME_PAGE_SIZE;
	Command.Dword10 = What;
	return NvmeAdmin(Extension, &Command);
}

static NTSTATUS NvmeIdentifyController(_In_ PNVME_EXTENSION Extension)
{
	const UCHAR *Data = Extension->Shared.Memory +
			    NvmePageIdentify * NVME_PAGE_SIZE;
	NTSTATUS Status;
	ULONG Shift;

	Status = NvmeIdentify(Extension, NVME_IDENTIFY_CONTROLLER, 0);
	if (!NT_SUCCESS(Status))
		return Status;

	/* 0 stands for no limit. */
	Shift = Data[NVME_CONTROLLER_MDTS];
	Extension->MaximumTransfer = NVME_MAXIMUM_LENGTH;
	if (Shift != 0 && Shift < 8)
		Extension->MaximumTransfer = NVME_PAGE_SIZE << Shift;
	return STATUS_SUCCESS;
}

static NTSTATUS NvmeIdentifyNamespace(_In_ PNVME_EXTENSION Extension)
{
	const UCHAR *Data = Extension->Shared.Memory +
			    NvmePageIdentify * NVME_PAGE_SIZE;
	NTSTATUS Status;
	ULONG Format, Layout;

	Status = NvmeIdentify(Extension, NVME_IDENTIFY_NAMESPACE,
			      NVME_NAMESPACE);
	if (!NT_SUCCESS(Status))
		return Status;

	Format = Data[NVME_NAMESPACE_FORMAT] & 0xf;
	RtlCopyMemory(&Layout, Data + NVME_NAMESPACE_FORMATS + 4 * Format,
		      sizeof(Layout));
	/* Metadata a block in bits 0 to 15, size of a block in 16 to 23. */
	if ((Layout & 0xffffff) != 9 << 16)
		return STATUS_NOT_SUPPORTED;
	RtlCopyMemory(&Extension->Blocks, Data + NVME_NAMESPACE_SIZE,
		      sizeof(Extension->Blocks));
	return STATUS_SUCCESS;
}

/* Asks for one queue of each kind; every controller has that. */
static NTSTATUS NvmeSetQueueCount(_In_ PNVME_EXTENSION Extension)
{
	NVME_COMMAND Command;

	RtlZeroMemory(&Command, sizeof(Command));
	Command.Opcode = NVME_SET_FEATURES;
	Command.Dword10 = NVME_FEATURE_QUEUES;
	return NvmeAdmin(Extension, &Command);
}

static NTSTATUS NvmeCreateIoQueue(_In_ PNVME_EXTENSION Extension)
{
	NVME_COMMAND Command;
	NTSTATUS Status;

	RtlZeroMemory(&Command, sizeof(Command));
	Command.Opcode = NVME_CREATE_COMPLETION_QUEUE;
	Command.Prp1 = Extension->Io.CompletionsAddress;
	Command.Dword10 = (NVME_QUEUE_ENTRIES - 1) << 16 | NVME_IO_QUEUE;
	Command.Dword11 = NVME_QUEUE_INTERRUPTS | NVME_QUEUE_CONTIGUOUS;
	Status = NvmeAdmin(Extension, &Command);
	if (!NT_SUCCESS(Status))
		return Status;

	Command.Opcode = NVME_CREATE_SUBMISSION_QUEUE;
	Command.Prp1 = Extension->Io.CommandsAddress;
	Command.Dword11 = NVME_IO_QUEUE << 16 | NVME_QUEUE_CONTIGUOUS;
	return NvmeAdmin(Extension, &Command);
}

static VOID NvmeDeleteIoQueue(_In_ PNVME_EXTENSION Extension)
{
	NVME_COMMAND Command;

	RtlZeroMemory(&Command, sizeof(Command));
	Command.Opcode = NVME_DELETE_SUBMISSION_QUEUE;
	Command.Dword10 = NVME_IO_QUEUE;
	if (!NT_SUCCESS(NvmeAdmin(Extension, &Command)))
		return;
	Command.Opcode = NVME_DELETE_COMPLETION_QUEUE;
	NvmeAdmin(Extension, &Command);
}

/* ---- Start and stop ---- */

_Use_decl_annotations_
VOID NvmeAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PNVME_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	KeInitializeSpinLock(&Extension->Lock);
	KeInitializeEvent(&Extension->AdminDone, NotificationEvent, FALSE);
	IoInitializeDpcRequest(DeviceObject, NvmeDpcForIsr);
}

static VOID NvmeInitializeQueue(_In_ PNVME_EXTENSION Extension,
				_Out_ PNVME_QUEUE Queue, _In_ ULONG QueueId,
				_In_ ULONG Page)
{
	ULONG Stride = 4U << NVME_CAP_STRIDE(NvmeRead(Extension,
						      NVME_CAP_HIGH));
	ULONG Offset = Page * NVME_PAGE_SIZE;

	RtlZeroMemory(Queue, sizeof(*Queue));
	Queue->Commands = (PNVME_COMMAND)(Extension->Shared.Memory + Offset);
	Queue->CommandsAddress = Extension->Shared.Address.QuadPart + Offset;
	Offset += NVME_PAGE_SIZE;
	Queue->Completions =
		(PNVME_COMPLETION)(Extension->Shared.Memory + Offset);
	Queue->CompletionsAddress = Extension->Shared.Address.QuadPart + Offset;
	Queue->TailDoorbell = NVME_DOORBELLS + 2 * QueueId * Stride;
	Queue->HeadDoorbell = Queue->TailDoorbell + Stride;
}

static NTSTATUS NvmeMapRegisters(_In_ PNVME_EXTENSION Extension,
				 _In_ PCNVME_RESOURCES Resources)
{
	ULONG Low, High, End;

	if (Resources->RegistersLength < NVME_DOORBELLS)
		return STATUS_INVALID_PARAMETER;
	Extension->Registers = MmMapIoSpace(Resources->RegistersBase,
					    Resources->RegistersLength,
					    MmNonCached);
	if (!Extension->Registers)
		return STATUS_INSUFFICIENT_RESOURCES;
	Extension->RegistersLength = Resources->RegistersLength;

	Low = NvmeRead(Extension, NVME_CAP_LOW);
	High = NvmeRead(Extension, NVME_CAP_HIGH);
	if (Low == MAXULONG && High == MAXULONG)
		return STATUS_NO_SUCH_DEVICE;
	End = NVME_DOORBELLS +
	      2 * (NVME_IO_QUEUE + 1) * (4U << NVME_CAP_STRIDE(High));
	if (!(High & NVME_CAP_NVM_COMMANDS) ||
	    NVME_CAP_PAGE_MINIMUM(High) != 0 ||
	    NVME_CAP_QUEUE_ENTRIES(Low) < NVME_QUEUE_ENTRIES ||
	    Resources->RegistersLength < End)
		return STATUS_NOT_SUPPORTED;
	Extension->ReadyMilliseconds = 500 * (NVME_CAP_TIMEOUT(Low) + 1);
	return STATUS_SUCCESS;
}

static NTSTATUS NvmeGetAdapter(_In_ PNVME_EXTENSION Extension,
			       _In_ ULONG DmaAddressWidth)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION3;
	Description.Master = TRUE;
	Description.ScatterGather = TRUE;
	Description.InterfaceType = PCIBus;
	Description.MaximumLength = NVME_MAXIMUM_LENGTH;
	Description.DmaAddressWidth = DmaAddressWidth;

	Extension->DmaAdapter = IoGetDmaAdapter(Extension->DeviceObject,
						&Description,
						&Extension->MapRegisters);
	return Extension->DmaAdapter ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static NTSTATUS NvmeAllocateMemory(_In_ PNVME_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PNVME_COMMON Shared = &Extension->Shared;
	PNVME_COMMON Lists = &Extension->PrpLists;

	Shared->Length = NvmeSharedPages * NVME_PAGE_SIZE;
	Shared->Memory =
		Adapter->DmaOperations->AllocateCommonBufferEx(Adapter, NULL,
					Shared->Length, &Shared->Address, TRUE,
					MM_ANY_NODE_OK);
	Lists->Length = NVME_REQUESTS * NVME_PAGE_SIZE;
	Lists->Memory =
		Adapter->DmaOperations->AllocateCommonBuffer(Adapter,
					Lists->Length, &Lists->Address, TRUE);
	if (!Shared->Memory || !Lists->Memory)
		return STATUS_INSUFFICIENT_RESOURCES;

	NvmeInitializeQueue(Extension, &Extension->Admin, 0,
			    NvmePageAdminCommands);
	NvmeInitializeQueue(Extension, &Extension->Io, NVME_IO_QUEUE,
			    NvmePageIoCommands);
	NvmeInitializeRequests(Extension);
	return STATUS_SUCCESS;
}

static VOID NvmeFreeCommon(_In_ PNVME_EXTENSION Extension,
			   _Inout_ PNVME_COMMON Common)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	if (Common->Memory)
		Adapter->DmaOperations->FreeCommonBuffer(Adapter,
					Common->Length, Common->Address,
					Common->Memory, TRUE);
	Common->Memory = NULL;
}

/* From a controller that is off to one that takes reads and writes. */
static NTSTATUS NvmeBringUp(_In_ PNVME_EXTENSION Extension)
{
	NTSTATUS Status;

	Status = NvmeConnectInterrupt(Extension->DeviceObject);
	if (!NT_SUCCESS(Status))
		return Status;
	Extension->Connected = TRUE;

	Status = NvmeEnable(Extension);
	if (NT_SUCCESS(Status))
		Status = NvmeIdentifyController(Extension);
	if (NT_SUCCESS(Status))
		Status = NvmeIdentifyNamespace(Extension);
	if (NT_SUCCESS(Status))
		Status = NvmeSetQueueCount(Extension);
	if (NT_SUCCESS(Status))
		Status = NvmeCreateIoQueue(Extension);
	return Status;
}

/* Undoes NvmeStartDevice, also one that failed. */
static VOID NvmeTearDown(_In_ PNVME_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	if (Adapter)
		NvmeSilence(Extension);
	if (Extension->Connected)
		NvmeDisconnectInterrupt(Extension->DeviceObject);
	Extension->Connected = FALSE;
	KeFlushQueuedDpcs();

	if (Adapter) {
		NvmeFreeCommon(Extension, &Extension->PrpLists);
		NvmeFreeCommon(Extension, &Extension->Shared);
		Adapter->DmaOperations->PutDmaAdapter(Adapter);
	}
	Extension->DmaAdapter = NULL;
	if (Extension->Registers)
		MmUnmapIoSpace(Extension->Registers,
			       Extension->RegistersLength);
	Extension->Registers = NULL;
}

/* What the handler of IRP_MN_START_DEVICE does with its resources. */
_Use_decl_annotations_
NTSTATUS NvmeStartDevice(PDEVICE_OBJECT DeviceObject,
			 PCNVME_RESOURCES Resources)
{
	PNVME_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	Extension->MessageSignaled = Resources->MessageSignaled;
	Status = NvmeMapRegisters(Extension, Resources);
	if (NT_SUCCESS(Status))
		Status = NvmeGetAdapter(Extension, Resources->DmaAddressWidth);
	/* The firmware may have left it on. */
	if (NT_SUCCESS(Status) && !NvmeDisable(Extension))
		Status = STATUS_DEVICE_NOT_READY;
	if (NT_SUCCESS(Status))
		Status = NvmeAllocateMemory(Extension);
	if (NT_SUCCESS(Status))
		Status = NvmeBringUp(Extension);
	if (!NT_SUCCESS(Status))
		NvmeTearDown(Extension);
	return Status;
}

/* No transfer runs any more. */
_Use_decl_annotations_
VOID NvmeStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PNVME_EXTENSION Extension = DeviceObject->DeviceExtension;

	if (!Extension->Failed)
		NvmeDeleteIoQueue(Extension);
	if (!Extension->Failed)
		NvmeShutDown(Extension);
	NvmeTearDown(Extension);
}
