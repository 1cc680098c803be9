// SPDX-License-Identifier: GPL-2.0
/*
 * A driver as they were written for Windows XP: version 2 of the DMA table,
 * packets through MapTransfer, lists through GetScatterGatherList, an adapter
 * filter with a table of its own. It never runs. It compiles against wdm.h in
 * kbuild and against the DDK headers of mingw-w64, unchanged, so it contains
 * nothing that only one of them has.
 */
#include <wdm.h>

#pragma warning(disable : 4201)	/* nameless struct/union */
#pragma code_seg("PAGE")

#define SKEL_TAG		('lekS')
#define SKEL_MAX_TRANSFER	(256 * 1024)
#define SKEL_FRAGMENTS		17

C_ASSERT(SKEL_MAX_TRANSFER / 4096 >= SKEL_FRAGMENTS);
C_ASSERT(FIELD_OFFSET(MDL, ByteCount) < sizeof(MDL));

typedef union _SKEL_DOORBELL {
	struct {
		ULONG Index : 12;
		ULONG Reserved : 19;
		ULONG Ring : 1;
	};
	ULONG AsUlong;
} SKEL_DOORBELL, *PSKEL_DOORBELL;

typedef struct _SKEL_REGISTERS {
	ULONG Control;
	ULONG Status;
	union {
		struct {
			ULONG AddressLow;
			ULONG AddressHigh;
		};
		ULONG Address[2];
	};
	ULONG Length;
	SKEL_DOORBELL Doorbell;
	UCHAR Fifo[64];
} SKEL_REGISTERS, *PSKEL_REGISTERS;

typedef struct _SKEL_REQUEST {
	LIST_ENTRY Entry;
	SINGLE_LIST_ENTRY Free;
	PMDL Mdl;
	PUCHAR CurrentVa;
	ULONG Remaining;
	BOOLEAN WriteToDevice;
	NTSTATUS Status;
	PSCATTER_GATHER_LIST List;
} SKEL_REQUEST, *PSKEL_REQUEST;

typedef struct _SKEL_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	PDEVICE_OBJECT PhysicalDeviceObject;
	PDMA_ADAPTER Adapter;
	ULONG MapRegisters;
	PVOID MapRegisterBase;
	PSKEL_REGISTERS Registers;
	PVOID Ring;
	PHYSICAL_ADDRESS RingLogical;
	KSPIN_LOCK Lock;
	LIST_ENTRY Queue;
	SINGLE_LIST_ENTRY FreeRequests;
	PSKEL_REQUEST Current;
	KDPC Dpc;
	KEVENT Idle;
	LONG Outstanding;
	LONG64 Bytes;
	BUS_INTERFACE_STANDARD Bus;
} SKEL_EXTENSION, *PSKEL_EXTENSION;

static const PHYSICAL_ADDRESS SkelHighest = { 0xFFFFFFFF };

DRIVER_CONTROL SkelAdapterControl;
DRIVER_LIST_CONTROL SkelListControl;
KDEFERRED_ROUTINE SkelDpc;

_IRQL_requires_max_(PASSIVE_LEVEL)
_Must_inspect_result_
NTSTATUS
SkelStart(_Inout_ PSKEL_EXTENSION Ext, _In_ PCM_PARTIAL_RESOURCE_DESCRIPTOR Bar);

_IRQL_requires_max_(PASSIVE_LEVEL)
VOID SkelStop(_Inout_ PSKEL_EXTENSION Ext);

_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS
SkelSubmit(_Inout_ PSKEL_EXTENSION Ext, _In_ PMDL Mdl, _In_ BOOLEAN WriteToDevice,
	   _In_opt_ PVOID Buffer);

_IRQL_requires_(DISPATCH_LEVEL)
NTSTATUS
SkelSubmitList(_Inout_ PSKEL_EXTENSION Ext, _Inout_ PSKEL_REQUEST Request);

_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS
SkelUserTransfer(_Inout_ PSKEL_EXTENSION Ext,
		 _In_reads_bytes_(Length) PVOID Buffer, _In_ ULONG Length);

_IRQL_requires_max_(PASSIVE_LEVEL)
VOID SkelAttach(_Inout_ PSKEL_EXTENSION Ext, _Inout_ PBUS_INTERFACE_STANDARD Bus);

FORCEINLINE
PHYSICAL_ADDRESS
SkelAddress(IN ULONG Low, IN ULONG High)
{
	PHYSICAL_ADDRESS Address = { 0 };

	Address.LowPart = Low;
	Address.u.HighPart = (LONG)High;
	return Address;
}

static VOID SkelKick(PSKEL_EXTENSION Ext, PHYSICAL_ADDRESS Address, ULONG Length)
{
	SKEL_DOORBELL Doorbell = { { 0 } };

	WRITE_REGISTER_ULONG(&Ext->Registers->AddressLow, Address.LowPart);
	WRITE_REGISTER_ULONG(&Ext->Registers->Address[1], (ULONG)Address.HighPart);
	WRITE_REGISTER_ULONG(&Ext->Registers->Length, Length);
	Doorbell.Ring = 1;
	WRITE_REGISTER_ULONG(&Ext->Registers->Doorbell.AsUlong, Doorbell.AsUlong);
}

/* One packet of the current request: at most what the registers hold. */
static VOID SkelNextPacket(PSKEL_EXTENSION Ext)
{
	PDMA_OPERATIONS Dma = Ext->Adapter->DmaOperations;
	PSKEL_REQUEST Request = Ext->Current;
	PHYSICAL_ADDRESS Address;
	ULONG Length = Request->Remaining;

	if (ADDRESS_AND_SIZE_TO_SPAN_PAGES(Request->CurrentVa, Length) >
	    Ext->MapRegisters)
		Length = (ULONG)((Ext->MapRegisters << PAGE_SHIFT) -
				 BYTE_OFFSET(Request->CurrentVa));
	KeFlushIoBuffers(Request->Mdl, !Request->WriteToDevice, TRUE);
	Address = Dma->MapTransfer(Ext->Adapter, Request->Mdl,
				   Ext->MapRegisterBase, Request->CurrentVa,
				   &Length, Request->WriteToDevice);
	SkelKick(Ext, Address, Length);
}

_Use_decl_annotations_
IO_ALLOCATION_ACTION
SkelAdapterControl(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID MapRegisterBase,
		   PVOID Context)
{
	PSKEL_EXTENSION Ext = (PSKEL_EXTENSION)Context;

	UNREFERENCED_PARAMETER(DeviceObject);
	UNREFERENCED_PARAMETER(Irp);
	ASSERT(KeGetCurrentIrql() == DISPATCH_LEVEL);
	Ext->MapRegisterBase = MapRegisterBase;
	SkelNextPacket(Ext);
	return DeallocateObjectKeepRegisters;
}

static VOID SkelComplete(PSKEL_EXTENSION Ext, PSKEL_REQUEST Request)
{
	InterlockedExchangeAdd64(&Ext->Bytes, MmGetMdlByteCount(Request->Mdl));
	if (InterlockedDecrement(&Ext->Outstanding) == 0)
		KeSetEvent(&Ext->Idle, IO_NO_INCREMENT, FALSE);
	PushEntryList(&Ext->FreeRequests, &Request->Free);
}

_Use_decl_annotations_
VOID SkelDpc(PKDPC Dpc, PVOID DeferredContext, PVOID Argument1, PVOID Argument2)
{
	PSKEL_EXTENSION Ext = (PSKEL_EXTENSION)DeferredContext;
	PSKEL_REQUEST Request;
	PLIST_ENTRY Entry;
	ULONG Done = READ_REGISTER_ULONG(&Ext->Registers->Length);

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(Argument1);
	UNREFERENCED_PARAMETER(Argument2);

	KeAcquireSpinLockAtDpcLevel(&Ext->Lock);
	Request = Ext->Current;
	if (!IoFlushAdapterBuffers(Ext->Adapter, Request->Mdl,
				   Ext->MapRegisterBase, Request->CurrentVa,
				   Done, Request->WriteToDevice))
		Request->Status = STATUS_UNSUCCESSFUL;
	Request->CurrentVa += Done;
	Request->Remaining -= min(Done, Request->Remaining);
	if (Request->Remaining) {
		SkelNextPacket(Ext);
	} else {
		IoFreeMapRegisters(Ext->Adapter, Ext->MapRegisterBase,
				   Ext->MapRegisters);
		SkelComplete(Ext, Request);
		Ext->Current = NULL;
		if (!IsListEmpty(&Ext->Queue)) {
			Entry = RemoveHeadList(&Ext->Queue);
			Ext->Current = CONTAINING_RECORD(Entry, SKEL_REQUEST,
							 Entry);
		}
	}
	KeReleaseSpinLockFromDpcLevel(&Ext->Lock);
}

_Use_decl_annotations_
VOID SkelListControl(PDEVICE_OBJECT DeviceObject, PIRP Irp,
		     PSCATTER_GATHER_LIST List, PVOID Context)
{
	PSKEL_REQUEST Request = (PSKEL_REQUEST)Context;
	PSKEL_EXTENSION Ext = (PSKEL_EXTENSION)DeviceObject->DeviceExtension;
	ULONG i;

	UNREFERENCED_PARAMETER(Irp);
	Request->List = List;
	for (i = 0; i < List->NumberOfElements; i++)
		SkelKick(Ext, List->Elements[i].Address,
			 List->Elements[i].Length);
}

_Use_decl_annotations_
NTSTATUS SkelSubmitList(PSKEL_EXTENSION Ext, PSKEL_REQUEST Request)
{
	PDMA_OPERATIONS Dma = Ext->Adapter->DmaOperations;
	ULONG Size, Registers;
	NTSTATUS Status;
	PVOID Buffer;

	if (Dma->Size < RTL_SIZEOF_THROUGH_FIELD(DMA_OPERATIONS,
						 BuildScatterGatherList))
		return Dma->GetScatterGatherList(Ext->Adapter, Ext->DeviceObject, Request->Mdl,
						 MmGetMdlVirtualAddress(Request->Mdl),
						 MmGetMdlByteCount(Request->Mdl),
						 SkelListControl, Request,
						 Request->WriteToDevice);

	Status = Dma->CalculateScatterGatherList(Ext->Adapter, Request->Mdl,
						 MmGetMdlVirtualAddress(Request->Mdl),
						 MmGetMdlByteCount(Request->Mdl), &Size,
						 &Registers);
	if (!NT_SUCCESS(Status) || Registers > Ext->MapRegisters)
		return STATUS_INSUFFICIENT_RESOURCES;
	Buffer = ExAllocatePoolWithTag(NonPagedPool, Size, SKEL_TAG);
	if (!Buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	RtlZeroMemory(Buffer, Size);
	Status = Dma->BuildScatterGatherList(Ext->Adapter, Ext->DeviceObject, Request->Mdl,
					     MmGetMdlVirtualAddress(Request->Mdl),
					     MmGetMdlByteCount(Request->Mdl), SkelListControl,
					     Request, Request->WriteToDevice, Buffer, Size);
	if (Status != STATUS_SUCCESS)
		ExFreePoolWithTag(Buffer, SKEL_TAG);
	return Status;
}

_Use_decl_annotations_
NTSTATUS SkelSubmit(PSKEL_EXTENSION Ext, PMDL Mdl, BOOLEAN WriteToDevice,
		    PVOID Buffer)
{
	PSINGLE_LIST_ENTRY Free;
	PSKEL_REQUEST Request;
	NTSTATUS Status;
	KIRQL OldIrql;

	KeAcquireSpinLock(&Ext->Lock, &OldIrql);
	Free = PopEntryList(&Ext->FreeRequests);
	KeReleaseSpinLock(&Ext->Lock, OldIrql);
	if (Free)
		Request = CONTAINING_RECORD(Free, SKEL_REQUEST, Free);
	else
		Request = (PSKEL_REQUEST)ExAllocatePoolWithTag(NonPagedPool, sizeof(*Request),
							       SKEL_TAG);
	if (!Request)
		return STATUS_INSUFFICIENT_RESOURCES;

	KdPrint(("skeleton: %p, flags %04x\n", Mdl, Mdl->MdlFlags));
	if (Mdl->MdlFlags & MDL_IO_SPACE)
		Buffer = NULL;
	if (Buffer && MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority))
		RtlCopyMemory(MmGetSystemAddressForMdlSafe(Mdl, HighPagePriority),
			      Buffer, MmGetMdlByteCount(Mdl));
	RtlFillMemory(Request, sizeof(*Request), 0);
	Request->Mdl = Mdl;
	Request->CurrentVa = (PUCHAR)MmGetMdlVirtualAddress(Mdl);
	Request->Remaining = MmGetMdlByteCount(Mdl);
	Request->WriteToDevice = WriteToDevice;
	InterlockedIncrement(&Ext->Outstanding);

	KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
	if (Ext->Current) {
		InsertTailList(&Ext->Queue, &Request->Entry);
		Status = STATUS_PENDING;
	} else {
		Ext->Current = Request;
		Status = Ext->Adapter->DmaOperations->AllocateAdapterChannel(Ext->Adapter,
									     Ext->DeviceObject,
									     Ext->MapRegisters,
									     SkelAdapterControl,
									     Ext);
	}
	KeLowerIrql(OldIrql);
	return Status;
}

_Use_decl_annotations_
NTSTATUS SkelUserTransfer(PSKEL_EXTENSION Ext, PVOID Buffer, ULONG Length)
{
	PMDL Mdl, Partial;
	NTSTATUS Status;

	PAGED_CODE();
	if ((ULONG_PTR)Buffer & Ext->DeviceObject->AlignmentRequirement)
		return STATUS_INVALID_PARAMETER;
	Mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);
	if (!Mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
	if (!(Mdl->MdlFlags & MDL_PAGES_LOCKED)) {
		IoFreeMdl(Mdl);
		return STATUS_ACCESS_VIOLATION;
	}
	Partial = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);
	if (Partial) {
		IoBuildPartialMdl(Mdl, Partial, PAGE_ALIGN((PUCHAR)Buffer +
							   Length - 1), 0);
		Status = SkelSubmit(Ext, Partial, FALSE, NULL);
		MmPrepareMdlForReuse(Partial);
		IoFreeMdl(Partial);
	} else {
		Status = STATUS_INSUFFICIENT_RESOURCES;
	}
	MmUnlockPages(Mdl);
	IoFreeMdl(Mdl);
	return Status;
}

_Use_decl_annotations_
NTSTATUS SkelStart(PSKEL_EXTENSION Ext, PCM_PARTIAL_RESOURCE_DESCRIPTOR Bar)
{
	DEVICE_DESCRIPTION Description;
	PHYSICAL_ADDRESS Address;
	ULONG Alignment;

	if (Bar->Type != CmResourceTypeMemory)
		return STATUS_INVALID_PARAMETER;
	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION2;
	Description.Master = TRUE;
	Description.ScatterGather = TRUE;
	Description.Dma32BitAddresses = TRUE;
	Description.Dma64BitAddresses = FALSE;
	Description.InterfaceType = PCIBus;
	Description.MaximumLength = SKEL_MAX_TRANSFER;
	Description.DmaWidth = Width32Bits;
	Description.DmaSpeed = MaximumDmaSpeed;

	KeInitializeSpinLock(&Ext->Lock);
	InitializeListHead(&Ext->Queue);
	KeInitializeDpc(&Ext->Dpc, SkelDpc, Ext);
	KeSetImportanceDpc(&Ext->Dpc, HighImportance);
	KeInitializeEvent(&Ext->Idle, NotificationEvent, TRUE);

	Ext->Adapter = IoGetDmaAdapter(Ext->PhysicalDeviceObject, &Description,
				       &Ext->MapRegisters);
	if (!Ext->Adapter)
		return STATUS_INSUFFICIENT_RESOURCES;
	Alignment = Ext->Adapter->DmaOperations->GetDmaAlignment(Ext->Adapter);
	Ext->DeviceObject->AlignmentRequirement =
		max(Alignment - 1, FILE_LONG_ALIGNMENT);
	Ext->DeviceObject->Flags |= DO_DIRECT_IO | DO_POWER_PAGABLE;
	Ext->Ring = Ext->Adapter->DmaOperations->AllocateCommonBuffer(Ext->Adapter, PAGE_SIZE,
								      &Ext->RingLogical, TRUE);
	if (!Ext->Ring || Ext->RingLogical.QuadPart > SkelHighest.QuadPart)
		goto fail;
	Address = SkelAddress(Bar->u.Memory.Start.LowPart,
			      (ULONG)Bar->u.Memory.Start.HighPart);
	Ext->Registers = (PSKEL_REGISTERS)MmMapIoSpace(Address, Bar->u.Memory.Length,
						       MmNonCached);
	if (!Ext->Registers)
		goto fail;
	return STATUS_SUCCESS;

fail:
	SkelStop(Ext);
	return STATUS_INSUFFICIENT_RESOURCES;
}

_Use_decl_annotations_
VOID SkelStop(PSKEL_EXTENSION Ext)
{
	LARGE_INTEGER Timeout;

	Timeout.QuadPart = -10 * 1000 * 1000;
	if (KeWaitForSingleObject(&Ext->Idle, Executive, KernelMode, FALSE,
				  &Timeout) == STATUS_TIMEOUT)
		KeRemoveQueueDpc(&Ext->Dpc);
	KeFlushQueuedDpcs();
	if (Ext->Registers)
		MmUnmapIoSpace(Ext->Registers, sizeof(*Ext->Registers));
	if (Ext->Ring)
		Ext->Adapter->DmaOperations->FreeCommonBuffer(Ext->Adapter, PAGE_SIZE,
							      Ext->RingLogical, Ext->Ring,
							      TRUE);
	Ext->Adapter->DmaOperations->PutDmaAdapter(Ext->Adapter);
	Ext->Adapter = NULL;
}

/*
 * The adapter filter: the caller's adapter goes on living inside ours, with a
 * table that is filled by position as far as version 2 reaches.
 */
typedef struct _SKEL_FILTER {
	DMA_ADAPTER Public;
	PDMA_ADAPTER Lower;
	LONG Calls;
} SKEL_FILTER, *PSKEL_FILTER;

static PDMA_ADAPTER SkelLower(PDMA_ADAPTER Adapter)
{
	PSKEL_FILTER Filter = CONTAINING_RECORD(Adapter, SKEL_FILTER, Public);

	InterlockedIncrement(&Filter->Calls);
	return Filter->Lower;
}

static VOID NTAPI SkelPutDmaAdapter(PDMA_ADAPTER Adapter)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	Lower->DmaOperations->PutDmaAdapter(Lower);
	ExFreePoolWithTag(Adapter, SKEL_TAG);
}

static PVOID NTAPI SkelAllocateCommonBuffer(PDMA_ADAPTER Adapter, ULONG Length,
					    PPHYSICAL_ADDRESS LogicalAddress,
					    BOOLEAN CacheEnabled)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->AllocateCommonBuffer(Lower, Length, LogicalAddress,
							  CacheEnabled);
}

static VOID NTAPI SkelFreeCommonBuffer(PDMA_ADAPTER Adapter, ULONG Length,
				       PHYSICAL_ADDRESS LogicalAddress,
				       PVOID VirtualAddress,
				       BOOLEAN CacheEnabled)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	Lower->DmaOperations->FreeCommonBuffer(Lower, Length, LogicalAddress,
					       VirtualAddress, CacheEnabled);
}

static NTSTATUS NTAPI SkelAllocateAdapterChannel(PDMA_ADAPTER Adapter,
						 PDEVICE_OBJECT DeviceObject,
						 ULONG NumberOfMapRegisters,
						 PDRIVER_CONTROL Routine,
						 PVOID Context)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->AllocateAdapterChannel(Lower, DeviceObject,
							    NumberOfMapRegisters, Routine,
							    Context);
}

static BOOLEAN NTAPI SkelFlushAdapterBuffers(PDMA_ADAPTER Adapter, PMDL Mdl,
					     PVOID MapRegisterBase,
					     PVOID CurrentVa, ULONG Length,
					     BOOLEAN WriteToDevice)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->FlushAdapterBuffers(Lower, Mdl, MapRegisterBase, CurrentVa,
							 Length, WriteToDevice);
}

static VOID NTAPI SkelFreeAdapterChannel(PDMA_ADAPTER Adapter)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	Lower->DmaOperations->FreeAdapterChannel(Lower);
}

static VOID NTAPI SkelFreeMapRegisters(PDMA_ADAPTER Adapter,
				       PVOID MapRegisterBase,
				       ULONG NumberOfMapRegisters)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	Lower->DmaOperations->FreeMapRegisters(Lower, MapRegisterBase,
					       NumberOfMapRegisters);
}

static PHYSICAL_ADDRESS NTAPI SkelMapTransfer(PDMA_ADAPTER Adapter, PMDL Mdl,
					      PVOID MapRegisterBase,
					      PVOID CurrentVa, PULONG Length,
					      BOOLEAN WriteToDevice)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->MapTransfer(Lower, Mdl, MapRegisterBase, CurrentVa, Length,
						 WriteToDevice);
}

static ULONG NTAPI SkelGetDmaAlignment(PDMA_ADAPTER Adapter)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->GetDmaAlignment(Lower);
}

static ULONG NTAPI SkelReadDmaCounter(PDMA_ADAPTER Adapter)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->ReadDmaCounter(Lower);
}

static NTSTATUS NTAPI SkelGetScatterGatherList(PDMA_ADAPTER Adapter,
					       PDEVICE_OBJECT DeviceObject,
					       PMDL Mdl, PVOID CurrentVa,
					       ULONG Length,
					       PDRIVER_LIST_CONTROL Routine,
					       PVOID Context,
					       BOOLEAN WriteToDevice)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->GetScatterGatherList(Lower, DeviceObject, Mdl, CurrentVa,
							  Length, Routine, Context,
							  WriteToDevice);
}

static VOID NTAPI SkelPutScatterGatherList(PDMA_ADAPTER Adapter,
					   PSCATTER_GATHER_LIST List,
					   BOOLEAN WriteToDevice)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	Lower->DmaOperations->PutScatterGatherList(Lower, List, WriteToDevice);
}

static NTSTATUS NTAPI SkelCalculateList(PDMA_ADAPTER Adapter, PMDL Mdl,
					PVOID CurrentVa, ULONG Length,
					PULONG Size, PULONG Registers)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->CalculateScatterGatherList(Lower, Mdl, CurrentVa, Length,
								Size, Registers);
}

static NTSTATUS NTAPI SkelBuildList(PDMA_ADAPTER Adapter,
				    PDEVICE_OBJECT DeviceObject, PMDL Mdl,
				    PVOID CurrentVa, ULONG Length,
				    PDRIVER_LIST_CONTROL Routine, PVOID Context,
				    BOOLEAN WriteToDevice, PVOID Buffer,
				    ULONG BufferLength)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->BuildScatterGatherList(Lower, DeviceObject, Mdl, CurrentVa,
							    Length, Routine, Context,
							    WriteToDevice, Buffer,
							    BufferLength);
}

static NTSTATUS NTAPI SkelBuildMdl(PDMA_ADAPTER Adapter,
				   PSCATTER_GATHER_LIST List, PMDL Original,
				   PMDL *Target)
{
	PDMA_ADAPTER Lower = SkelLower(Adapter);

	return Lower->DmaOperations->BuildMdlFromScatterGatherList(Lower, List, Original,
								   Target);
}

static DMA_OPERATIONS SkelFilterOperations = {
	RTL_SIZEOF_THROUGH_FIELD(DMA_OPERATIONS, BuildMdlFromScatterGatherList),
	SkelPutDmaAdapter,
	SkelAllocateCommonBuffer,
	SkelFreeCommonBuffer,
	SkelAllocateAdapterChannel,
	SkelFlushAdapterBuffers,
	SkelFreeAdapterChannel,
	SkelFreeMapRegisters,
	SkelMapTransfer,
	SkelGetDmaAlignment,
	SkelReadDmaCounter,
	SkelGetScatterGatherList,
	SkelPutScatterGatherList,
	SkelCalculateList,
	SkelBuildList,
	SkelBuildMdl,
};

static PDMA_ADAPTER NTAPI SkelFilterAdapter(PVOID Context,
					    PDEVICE_DESCRIPTION Description,
					    PULONG NumberOfMapRegisters)
{
	PSKEL_EXTENSION Ext = (PSKEL_EXTENSION)Context;
	PDMA_ADAPTER Lower;
	PSKEL_FILTER Filter;

	Lower = Ext->Bus.GetDmaAdapter(Ext->Bus.Context, Description,
				       NumberOfMapRegisters);
	if (!Lower)
		return NULL;
	Filter = (PSKEL_FILTER)ExAllocatePoolWithTag(NonPagedPool,
						     sizeof(*Filter), SKEL_TAG);
	if (!Filter) {
		Lower->DmaOperations->PutDmaAdapter(Lower);
		return NULL;
	}
	RtlCopyMemory(&Filter->Public, Lower, sizeof(DMA_ADAPTER));
	Filter->Public.DmaOperations = &SkelFilterOperations;
	Filter->Lower = Lower;
	Filter->Calls = 0;
	return &Filter->Public;
}

_Use_decl_annotations_
VOID SkelAttach(PSKEL_EXTENSION Ext, PBUS_INTERFACE_STANDARD Bus)
{
	Ext->Bus = *Bus;
	Bus->Context = Ext;
	Bus->GetDmaAdapter = SkelFilterAdapter;
}

#pragma code_seg()
