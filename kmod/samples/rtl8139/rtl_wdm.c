// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA half of a WDM driver for the RealTek 8139, in the manner of the
 * packet drivers of its time: version 1 of the interface, one MapTransfer a
 * frame. Nothing in this file is specific to Linux.
 *
 * The chip is a bus master with 32 address bits that takes a frame as one
 * contiguous range, at most four at a time, in a fixed order. It stores what
 * it receives in a ring, which is a common buffer. In loopback, which is all
 * that this driver uses, it receives what it sends.
 *
 * A burst is up to four frames. AllocateAdapterChannel asks for the map
 * registers of each; the adapter control routine maps the frame and keeps the
 * registers; the DPC gives them back when the chip has sent the frame. As a
 * device object can wait for registers only once, a burst ends with the first
 * frame that has to wait. Until then nothing is started, so that all sets of
 * registers of a burst are alive together.
 *
 * The chip of a real board wants the address of a frame to be a multiple of
 * four; the one of the emulator does not care, and the frames here do not.
 *
 * NIC_EXTENSION.Lock protects the burst between the thread that waits for it,
 * the adapter control routine and the DPC. It is held in MapTransfer, which
 * calls nobody back, and not in FreeMapRegisters, which may call the adapter
 * control routine.
 */
#include <wdm.h>
#include "rtl.h"

/* Registers */
#define NIC_ADDRESS		0x00
#define NIC_TRANSMIT_STATUS	0x10	/* one for each descriptor */
#define NIC_TRANSMIT_ADDRESS	0x20	/* one for each descriptor */
#define NIC_RING_ADDRESS	0x30
#define NIC_COMMAND		0x37
#define NIC_RING_READ		0x38
#define NIC_INTERRUPT_MASK	0x3c
#define NIC_INTERRUPT_STATUS	0x3e
#define NIC_TRANSMIT_CONFIG	0x40
#define NIC_RECEIVE_CONFIG	0x44
#define NIC_REGISTERS_END	0x100

#define NIC_TRANSMIT_UNDERRUN	0x00004000
#define NIC_TRANSMIT_OK		0x00008000
#define NIC_TRANSMIT_ABORTED	0x40000000
#define NIC_TRANSMIT_DONE	(NIC_TRANSMIT_OK | NIC_TRANSMIT_UNDERRUN | \
				 NIC_TRANSMIT_ABORTED)

#define NIC_COMMAND_RING_EMPTY	0x01
#define NIC_COMMAND_TRANSMIT	0x04
#define NIC_COMMAND_RECEIVE	0x08
#define NIC_COMMAND_RESET	0x10

#define NIC_INTERRUPT_RECEIVED	0x0001
#define NIC_INTERRUPT_RX_ERROR	0x0002
#define NIC_INTERRUPT_SENT	0x0004
#define NIC_INTERRUPT_TX_ERROR	0x0008
#define NIC_INTERRUPT_OVERFLOW	0x0010
#define NIC_INTERRUPTS		(NIC_INTERRUPT_RECEIVED | \
				 NIC_INTERRUPT_RX_ERROR | \
				 NIC_INTERRUPT_SENT | \
				 NIC_INTERRUPT_TX_ERROR | \
				 NIC_INTERRUPT_OVERFLOW)

/* Usual gap between frames, bursts of 2 KiB, internal loopback */
#define NIC_TRANSMIT_SETTINGS	0x03060700
/*
 * All frames; no threshold, bursts of any length, 8 KiB of ring. A frame that
 * begins in the ring is stored in one piece, also beyond its end.
 */
#define NIC_RECEIVE_SETTINGS	0x0000e78f

#define NIC_RING_LENGTH		8192
#define NIC_RING_BEYOND		(16 + 2048)
#define NIC_RING_READ_BIAS	16	/* the chip counts from there */

/* Before each frame in the ring: status, and length with the checksum. */
#define NIC_HEADER_LENGTH	4
#define NIC_CHECKSUM_LENGTH	4
#define NIC_HEADER_OK		0x0001

#define NIC_MAXIMUM_LENGTH	2048

#define NIC_RESET_MICROSECONDS	10000
#define NIC_TIMEOUT_SECONDS	60

static DRIVER_CONTROL NicAdapterControl;
static IO_DPC_ROUTINE NicDpcForIsr;

/* ---- The chip ---- */

static UCHAR NicRead8(_In_ PNIC_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_REGISTER_UCHAR(Extension->Registers + Register);
}

static VOID NicWrite8(_In_ PNIC_EXTENSION Extension, _In_ ULONG Register,
		      _In_ UCHAR Value)
{
	WRITE_REGISTER_UCHAR(Extension->Registers + Register, Value);
}

static USHORT NicRead16(_In_ PNIC_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_REGISTER_USHORT((PUSHORT)(Extension->Registers + Register));
}

static VOID NicWrite16(_In_ PNIC_EXTENSION Extension, _In_ ULONG Register,
		       _In_ USHORT Value)
{
	WRITE_REGISTER_USHORT((PUSHORT)(Extension->Registers + Register),
			      Value);
}

static ULONG NicRead32(_In_ PNIC_EXTENSION Extension, _In_ ULONG Register)
{
	return READ_REGISTER_ULONG((PULONG)(Extension->Registers + Register));
}

static VOID NicWrite32(_In_ PNIC_EXTENSION Extension, _In_ ULONG Register,
		       _In_ ULONG Value)
{
	WRITE_REGISTER_ULONG((PULONG)(Extension->Registers + Register), Value);
}

/* FALSE: the chip does not come out of its reset, or is gone. */
static BOOLEAN NicReset(_In_ PNIC_EXTENSION Extension)
{
	ULONG Waited;

	NicWrite16(Extension, NIC_INTERRUPT_MASK, 0);
	NicWrite8(Extension, NIC_COMMAND, NIC_COMMAND_RESET);
	for (Waited = 0; Waited < NIC_RESET_MICROSECONDS; Waited += 10) {
		if (!(NicRead8(Extension, NIC_COMMAND) & NIC_COMMAND_RESET))
			return TRUE;
		KeStallExecutionProcessor(10);
	}
	return FALSE;
}

/* Afterwards the chip accesses no memory, and interrupts no more. */
_Use_decl_annotations_
VOID NicStopChip(PNIC_EXTENSION Extension)
{
	if (NicReset(Extension))
		return;
	Extension->Failed = TRUE;
	NicDisableBusMaster(Extension->DeviceObject);
}

/* FALSE: a request of an earlier run still waits. */
static BOOLEAN NicIsIdle(_In_ PNIC_EXTENSION Extension)
{
	BOOLEAN Idle = TRUE;
	KIRQL OldIrql;
	ULONG Index;

	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	for (Index = 0; Index < NIC_DESCRIPTORS; Index++) {
		if (Extension->Transmits[Index].State != NicTransmitEnded)
			Idle = FALSE;
	}
	KeReleaseSpinLock(&Extension->Lock, OldIrql);
	return Idle;
}

_Use_decl_annotations_
NTSTATUS NicStartChip(PNIC_EXTENSION Extension)
{
	if (!NicIsIdle(Extension))
		return STATUS_DEVICE_BUSY;
	if (Extension->Failed || !NicReset(Extension))
		return STATUS_DEVICE_NOT_READY;

	Extension->NextDescriptor = 0;
	Extension->RingOffset = 0;
	NicWrite32(Extension, NIC_RING_ADDRESS, Extension->RingAddress.LowPart);

	/* The chip ignores the settings of what is not enabled. */
	NicWrite8(Extension, NIC_COMMAND,
		  NIC_COMMAND_TRANSMIT | NIC_COMMAND_RECEIVE);
	NicWrite32(Extension, NIC_TRANSMIT_CONFIG, NIC_TRANSMIT_SETTINGS);
	NicWrite32(Extension, NIC_RECEIVE_CONFIG, NIC_RECEIVE_SETTINGS);

	NicWrite16(Extension, NIC_INTERRUPT_STATUS, MAXUSHORT);
	NicWrite16(Extension, NIC_INTERRUPT_MASK, NIC_INTERRUPTS);
	return STATUS_SUCCESS;
}

/* ---- Map registers ---- */

static PHYSICAL_ADDRESS NicMapTransfer(_In_ PNIC_EXTENSION Extension,
				       _In_ PNIC_TRANSMIT Transmit,
				       _Inout_ PULONG Length)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	if (Transmit->Frame->Legacy)
		return IoMapTransfer(Adapter, Transmit->Irp.MdlAddress,
				     Transmit->MapRegisterBase,
				     Transmit->CurrentVa, Length, TRUE);
	return Adapter->DmaOperations->MapTransfer(Adapter,
						   Transmit->Irp.MdlAddress,
						   Transmit->MapRegisterBase,
						   Transmit->CurrentVa, Length,
						   TRUE);
}

static BOOLEAN NicFlush(_In_ PNIC_EXTENSION Extension,
			_In_ PNIC_TRANSMIT Transmit, _In_ ULONG Length)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	if (Transmit->Frame->Legacy)
		return IoFlushAdapterBuffers(Adapter, Transmit->Irp.MdlAddress,
					     Transmit->MapRegisterBase,
					     Transmit->CurrentVa, Length, TRUE);
	return Adapter->DmaOperations->FlushAdapterBuffers(Adapter,
						Transmit->Irp.MdlAddress,
						Transmit->MapRegisterBase,
						Transmit->CurrentVa, Length,
						TRUE);
}

static VOID NicFreeRegisters(_In_ PNIC_EXTENSION Extension,
			     _In_ PNIC_TRANSMIT Transmit)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	/* An adapter may have no use for map registers. */
	if (!Transmit->MapRegisterBase)
		return;
	if (Transmit->Frame->Legacy)
		IoFreeMapRegisters(Adapter, Transmit->MapRegisterBase,
				   Transmit->MapRegisters);
	else
		Adapter->DmaOperations->FreeMapRegisters(Adapter,
						Transmit->MapRegisterBase,
						Transmit->MapRegisters);
}

/* Tells the chip where the frame is. Called with the lock held. */
_IRQL_requires_(DISPATCH_LEVEL)
static BOOLEAN NicMap(_In_ PNIC_EXTENSION Extension,
		      _In_ PNIC_TRANSMIT Transmit)
{
	ULONG Length = Transmit->Frame->Length;
	PHYSICAL_ADDRESS Address;

	Address = NicMapTransfer(Extension, Transmit, &Length);

	/* All of it is one range, and in the reach that was described. */
	if (Length == Transmit->Frame->Length && Address.HighPart == 0 &&
	    Address.LowPart <= MAXULONG - (Length - 1)) {
		NicWrite32(Extension,
			   NIC_TRANSMIT_ADDRESS + 4 * Transmit->Descriptor,
			   Address.LowPart);
		return TRUE;
	}
	if (Length != 0)
		NicFlush(Extension, Transmit, Length);
	return FALSE;
}

/* Called by whoever set the state to NicTransmitEnded, without the lock. */
_IRQL_requires_(DISPATCH_LEVEL)
static BOOLEAN NicRelease(_In_ PNIC_EXTENSION Extension,
			  _In_ PNIC_TRANSMIT Transmit)
{
	BOOLEAN Flushed = NicFlush(Extension, Transmit,
				   Transmit->Frame->Length);

	NicFreeRegisters(Extension, Transmit);
	return Flushed;
}

/* ---- Bursts ---- */

/* TRUE: the caller sets the event. Called with the lock held. */
static BOOLEAN NicCompletes(_In_ PNIC_EXTENSION Extension)
{
	if (Extension->Holding || Extension->Complete)
		return FALSE;
	if (NT_SUCCESS(Extension->Status) &&
	    (Extension->Released < Extension->Count ||
	     Extension->Received < Extension->Count))
		return FALSE;
	Extension->Complete = TRUE;
	return TRUE;
}

/* The chip sends in the order of its descriptors. Called with the lock held. */
_IRQL_requires_(DISPATCH_LEVEL)
static VOID NicStartMapped(_In_ PNIC_EXTENSION Extension)
{
	PNIC_TRANSMIT Transmit;
	ULONG Index;

	for (Index = 0; Index < Extension->Count; Index++) {
		Transmit = &Extension->Transmits[Index];
		if (Transmit->State != NicTransmitMapped)
			continue;
		Transmit->State = NicTransmitRunning;
		NicWrite32(Extension,
			   NIC_TRANSMIT_STATUS + 4 * Transmit->Descriptor,
			   Transmit->Frame->Length);
	}
}

_Use_decl_annotations_
static IO_ALLOCATION_ACTION NicAdapterControl(PDEVICE_OBJECT DeviceObject,
					      PIRP Irp, PVOID MapRegisterBase,
					      PVOID Context)
{
	PNIC_EXTENSION Extension = DeviceObject->DeviceExtension;
	IO_ALLOCATION_ACTION Action = DeallocateObject;
	PNIC_TRANSMIT Transmit = Context;
	BOOLEAN Completes;

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	Transmit->MapRegisterBase = MapRegisterBase;
	if (Transmit->State == NicTransmitAbandoned) {
		Transmit->State = NicTransmitEnded;
	} else if (Irp == &Transmit->Irp && NicMap(Extension, Transmit)) {
		Transmit->State = NicTransmitMapped;
		Action = DeallocateObjectKeepRegisters;
		Extension->Sets++;
		if (Extension->Report.Sets < Extension->Sets)
			Extension->Report.Sets = Extension->Sets;
		if (!Extension->Holding)
			NicStartMapped(Extension);
	} else {
		Transmit->State = NicTransmitEnded;
		Extension->Status = STATUS_UNSUCCESSFUL;
	}
	Completes = NicCompletes(Extension);
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	if (Completes)
		KeSetEvent(&Extension->Done, IO_NO_INCREMENT, FALSE);
	return Action;
}

static VOID NicPrepareTransmit(_In_ PNIC_EXTENSION Extension,
			       _In_ PNIC_TRANSMIT Transmit,
			       _In_ PNIC_FRAME Frame)
{
	PUCHAR Start = MmGetMdlVirtualAddress(Frame->Mdl);

	Transmit->Frame = Frame;
	Transmit->Irp.MdlAddress = Frame->Mdl;
	Transmit->CurrentVa = Start + Frame->Offset;
	Transmit->MapRegisters =
		(ULONG)ADDRESS_AND_SIZE_TO_SPAN_PAGES(Transmit->CurrentVa,
						      Frame->Length);
	Transmit->Descriptor = Extension->NextDescriptor;
	Extension->NextDescriptor = (Extension->NextDescriptor + 1) %
				    NIC_DESCRIPTORS;
	Transmit->State = NicTransmitWaiting;
}

/* TRUE: the frame has its map registers, and another one may ask for some. */
_IRQL_requires_(DISPATCH_LEVEL)
static BOOLEAN NicQueueFrame(_In_ PNIC_EXTENSION Extension,
			     _Inout_ PNIC_FRAME Frame)
{
	PDEVICE_OBJECT DeviceObject = Extension->DeviceObject;
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;
	PNIC_TRANSMIT Transmit;
	NTSTATUS Status;
	BOOLEAN More;

	Frame->EchoLength = 0;
	KeFlushIoBuffers(Frame->Mdl, FALSE, TRUE);

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	Transmit = &Extension->Transmits[Extension->Count++];
	NicPrepareTransmit(Extension, Transmit, Frame);
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	DeviceObject->CurrentIrp = &Transmit->Irp;
	if (Frame->Legacy)
		Status = IoAllocateAdapterChannel(Adapter, DeviceObject,
						  Transmit->MapRegisters,
						  NicAdapterControl, Transmit);
	else
		Status = Adapter->DmaOperations->AllocateAdapterChannel(Adapter,
						DeviceObject,
						Transmit->MapRegisters,
						NicAdapterControl, Transmit);
	DeviceObject->CurrentIrp = NULL;

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	if (!NT_SUCCESS(Status)) {
		Transmit->State = NicTransmitEnded;
		Extension->Status = Status;
	}
	More = Transmit->State == NicTransmitMapped;
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);
	return More;
}

/* Starts a burst, with at least one frame in it if all is well. */
static NTSTATUS NicStartBurst(_In_ PNIC_EXTENSION Extension,
			      _Inout_updates_(Count) PNIC_FRAME Frames,
			      _In_ ULONG Count)
{
	NTSTATUS Status;
	KIRQL OldIrql;
	ULONG Index;

	if (Count > NIC_DESCRIPTORS)
		Count = NIC_DESCRIPTORS;

	KeClearEvent(&Extension->Done);
	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	Extension->Count = 0;
	Extension->Released = 0;
	Extension->Received = 0;
	Extension->Holding = TRUE;
	Extension->Complete = FALSE;
	Extension->Status = STATUS_SUCCESS;
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	for (Index = 0; Index < Count; Index++) {
		if (!NicQueueFrame(Extension, &Frames[Index]))
			break;
	}

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	Extension->Holding = FALSE;
	Status = Extension->Status;
	if (NT_SUCCESS(Status))
		NicStartMapped(Extension);
	KeReleaseSpinLock(&Extension->Lock, OldIrql);
	return Status;
}

/* ---- Interrupts ---- */

/* Finds the frames that were sent. Called with the lock held. */
_IRQL_requires_(DISPATCH_LEVEL)
static ULONG NicTakeSent(_In_ PNIC_EXTENSION Extension,
			 _Out_writes_(NIC_DESCRIPTORS) PNIC_TRANSMIT *Sent)
{
	PNIC_TRANSMIT Transmit;
	ULONG Index, Result, Number = 0;

	for (Index = 0; Index < Extension->Count; Index++) {
		Transmit = &Extension->Transmits[Index];
		if (Transmit->State != NicTransmitRunning)
			continue;
		Result = NicRead32(Extension, NIC_TRANSMIT_STATUS +
					      4 * Transmit->Descriptor);
		if (!(Result & NIC_TRANSMIT_DONE))
			continue;
		Transmit->State = NicTransmitEnded;
		Sent[Number++] = Transmit;
		if (!(Result & NIC_TRANSMIT_OK))
			Extension->Status = STATUS_UNSUCCESSFUL;
	}
	return Number;
}

/* Takes the next frame out of the ring. Called with the lock held. */
_IRQL_requires_(DISPATCH_LEVEL)
static BOOLEAN NicReceiveFrame(_In_ PNIC_EXTENSION Extension,
			       _Inout_ PNIC_FRAME Frame)
{
	PUCHAR Header = Extension->Ring + Extension->RingOffset;
	ULONG Status = Header[0] | Header[1] << 8;
	ULONG Length = Header[2] | Header[3] << 8;
	ULONG Next;

	if (!(Status & NIC_HEADER_OK) ||
	    Length < NIC_SHORTEST_FRAME + NIC_CHECKSUM_LENGTH ||
	    Length > NIC_LONGEST_FRAME + NIC_CHECKSUM_LENGTH)
		return FALSE;

	Frame->EchoLength = Length - NIC_CHECKSUM_LENGTH;
	RtlCopyMemory(Frame->Echo, Header + NIC_HEADER_LENGTH,
		      Frame->EchoLength);

	/* The chip begins each frame at a multiple of four. */
	Next = Extension->RingOffset + NIC_HEADER_LENGTH + Length;
	Next = ((Next + 3) & ~3U) % NIC_RING_LENGTH;
	Extension->RingOffset = Next;
	NicWrite16(Extension, NIC_RING_READ,
		   (USHORT)(Next - NIC_RING_READ_BIAS));
	return TRUE;
}

/*
 * Frames come back in the order in which they were sent, and no others.
 * Called with the lock held.
 */
_IRQL_requires_(DISPATCH_LEVEL)
static VOID NicReceive(_In_ PNIC_EXTENSION Extension)
{
	PNIC_TRANSMIT Next;

	while (!Extension->Complete && NT_SUCCESS(Extension->Status) &&
	       !(NicRead8(Extension, NIC_COMMAND) & NIC_COMMAND_RING_EMPTY)) {
		Next = &Extension->Transmits[Extension->Received];
		if (Extension->Received < Extension->Count &&
		    NicReceiveFrame(Extension, Next->Frame))
			Extension->Received++;
		else
			Extension->Status = STATUS_UNSUCCESSFUL;
	}
}

_Use_decl_annotations_
static VOID NicDpcForIsr(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp,
			 PVOID Context)
{
	PNIC_EXTENSION Extension = DeviceObject->DeviceExtension;
	PNIC_TRANSMIT Sent[NIC_DESCRIPTORS];
	BOOLEAN Completes, Flushed = TRUE;
	ULONG Index, Number;

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(Irp);
	UNREFERENCED_PARAMETER(Context);

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	Number = NicTakeSent(Extension, Sent);
	NicReceive(Extension);
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	for (Index = 0; Index < Number; Index++) {
		if (!NicRelease(Extension, Sent[Index]))
			Flushed = FALSE;
	}

	KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
	Extension->Sets -= Number;
	Extension->Released += Number;
	if (!Flushed)
		Extension->Status = STATUS_UNSUCCESSFUL;
	Completes = NicCompletes(Extension);
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	if (Completes)
		KeSetEvent(&Extension->Done, IO_NO_INCREMENT, FALSE);
}

/* The interrupt service routine. TRUE: the interrupt was of this device. */
_Use_decl_annotations_
BOOLEAN NicInterrupt(PDEVICE_OBJECT DeviceObject)
{
	PNIC_EXTENSION Extension = DeviceObject->DeviceExtension;
	USHORT Reasons = NicRead16(Extension, NIC_INTERRUPT_STATUS);

	/* All ones: the device is gone. */
	if (!(Reasons & NIC_INTERRUPTS) || Reasons == MAXUSHORT)
		return FALSE;
	NicWrite16(Extension, NIC_INTERRUPT_STATUS, Reasons);
	InterlockedIncrement(&Extension->Interrupts);
	IoRequestDpc(DeviceObject, NULL, NULL);
	return TRUE;
}

/* ---- Waiting for a burst ---- */

/*
 * Takes back what is left of a burst that failed. On return nobody uses the
 * frames any more.
 */
static VOID NicAbandonBurst(_In_ PNIC_EXTENSION Extension)
{
	PNIC_TRANSMIT Transmit, Left[NIC_DESCRIPTORS];
	ULONG Index, Number = 0;
	KIRQL OldIrql;

	NicStopChip(Extension);

	KeAcquireSpinLock(&Extension->Lock, &OldIrql);
	Extension->Complete = TRUE;
	for (Index = 0; Index < Extension->Count; Index++) {
		Transmit = &Extension->Transmits[Index];
		if (Transmit->State == NicTransmitWaiting) {
			Transmit->State = NicTransmitAbandoned;
		} else if (Transmit->State != NicTransmitEnded) {
			Transmit->State = NicTransmitEnded;
			Left[Number++] = Transmit;
		}
	}
	Extension->Sets -= Number;
	KeReleaseSpinLockFromDpcLevel(&Extension->Lock);

	for (Index = 0; Index < Number; Index++)
		NicRelease(Extension, Left[Index]);
	KeLowerIrql(OldIrql);

	/* The DPC may be releasing others. */
	KeFlushQueuedDpcs();
}

static NTSTATUS NicWaitForBurst(_In_ PNIC_EXTENSION Extension)
{
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Timeout.QuadPart = -10000000LL * NIC_TIMEOUT_SECONDS;
	Status = KeWaitForSingleObject(&Extension->Done, Executive, KernelMode,
				       FALSE, &Timeout);
	/* STATUS_TIMEOUT is a success code: a timed out burst must not be. */
	if (Status != STATUS_SUCCESS)
		return NT_SUCCESS(Status) ? STATUS_UNSUCCESSFUL : Status;
	return Extension->Status;
}

static VOID NicReportBurst(_In_ PNIC_EXTENSION Extension)
{
	PNIC_TRANSMIT Transmit;
	ULONG Index;

	for (Index = 0; Index < Extension->Count; Index++) {
		Transmit = &Extension->Transmits[Index];
		Extension->Report.Frames++;
		Extension->Report.Bytes += Transmit->Frame->Length;
		Extension->Report.Registers += Transmit->MapRegisters;
	}
}

/*
 * Sends frames, as many at a time as there are descriptors and map registers,
 * and waits until they are back. After a failure the chip is stopped.
 */
_Use_decl_annotations_
NTSTATUS NicSendFrames(PNIC_EXTENSION Extension, PNIC_FRAME Frames, ULONG Count)
{
	NTSTATUS Status = STATUS_SUCCESS;
	ULONG First;

	for (First = 0; First < Count; First += Extension->Count) {
		Status = NicStartBurst(Extension, &Frames[First],
				       Count - First);
		if (NT_SUCCESS(Status))
			Status = NicWaitForBurst(Extension);
		if (!NT_SUCCESS(Status)) {
			NicAbandonBurst(Extension);
			break;
		}
		NicReportBurst(Extension);
	}
	return Status;
}

/* ---- Start and stop ---- */

_Use_decl_annotations_
VOID NicAddDevice(PDEVICE_OBJECT DeviceObject)
{
	PNIC_EXTENSION Extension = DeviceObject->DeviceExtension;

	Extension->DeviceObject = DeviceObject;
	Extension->Complete = TRUE;
	KeInitializeSpinLock(&Extension->Lock);
	KeInitializeEvent(&Extension->Done, NotificationEvent, FALSE);
	IoInitializeDpcRequest(DeviceObject, NicDpcForIsr);
}

static NTSTATUS NicGetAdapter(_In_ PNIC_EXTENSION Extension)
{
	DEVICE_DESCRIPTION Description;

	RtlZeroMemory(&Description, sizeof(Description));
	Description.Version = DEVICE_DESCRIPTION_VERSION1;
	Description.Master = TRUE;
	Description.ScatterGather = FALSE;
	Description.Dma32BitAddresses = TRUE;
	Description.InterfaceType = PCIBus;
	Description.MaximumLength = NIC_MAXIMUM_LENGTH;

	Extension->DmaAdapter = IoGetDmaAdapter(Extension->DeviceObject,
						&Description,
						&Extension->MapRegisters);
	return Extension->DmaAdapter ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID NicPutAdapter(_In_ PNIC_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	Adapter->DmaOperations->PutDmaAdapter(Adapter);
	Extension->DmaAdapter = NULL;
}

/* What the adapter must have: registers for any frame, and a ring. */
static NTSTATUS NicCreateRing(_In_ PNIC_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	/* A frame of any start may touch one page more than it fills. */
	if (Extension->MapRegisters <
	    ADDRESS_AND_SIZE_TO_SPAN_PAGES(PAGE_SIZE - 1, NIC_LONGEST_FRAME))
		return STATUS_INSUFFICIENT_RESOURCES;

	Extension->Ring = Adapter->DmaOperations->AllocateCommonBuffer(Adapter,
				NIC_RING_LENGTH + NIC_RING_BEYOND,
				&Extension->RingAddress, TRUE);
	if (!Extension->Ring)
		return STATUS_INSUFFICIENT_RESOURCES;

	Extension->DeviceObject->AlignmentRequirement =
		HalGetDmaAlignment(Adapter) - 1;
	return STATUS_SUCCESS;
}

static VOID NicDeleteRing(_In_ PNIC_EXTENSION Extension)
{
	PDMA_ADAPTER Adapter = Extension->DmaAdapter;

	Adapter->DmaOperations->FreeCommonBuffer(Adapter,
				NIC_RING_LENGTH + NIC_RING_BEYOND,
				Extension->RingAddress, Extension->Ring, TRUE);
	Extension->Ring = NULL;
}

static NTSTATUS NicStartAdapter(_In_ PNIC_EXTENSION Extension)
{
	NTSTATUS Status;
	ULONG Index;

	if (!NicReset(Extension))
		return STATUS_NO_SUCH_DEVICE;
	for (Index = 0; Index < NIC_ADDRESS_LENGTH; Index++)
		Extension->Address[Index] = NicRead8(Extension,
						     NIC_ADDRESS + Index);

	Status = NicGetAdapter(Extension);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = NicCreateRing(Extension);
	if (!NT_SUCCESS(Status))
		NicPutAdapter(Extension);
	return Status;
}

/*
 * What the handler of IRP_MN_START_DEVICE does with the translated resources:
 * maps the registers, looks whether the chip is there, gets what it needs for
 * DMA. The chip is started by whoever has frames for it.
 */
_Use_decl_annotations_
NTSTATUS NicStartDevice(PDEVICE_OBJECT DeviceObject,
			PHYSICAL_ADDRESS RegistersBase, ULONG RegistersLength)
{
	PNIC_EXTENSION Extension = DeviceObject->DeviceExtension;
	NTSTATUS Status;

	if (RegistersLength < NIC_REGISTERS_END)
		return STATUS_INVALID_PARAMETER;

	Extension->Registers = MmMapIoSpace(RegistersBase, RegistersLength,
					    MmNonCached);
	if (!Extension->Registers)
		return STATUS_INSUFFICIENT_RESOURCES;
	Extension->RegistersLength = RegistersLength;

	Status = NicStartAdapter(Extension);
	if (!NT_SUCCESS(Status)) {
		MmUnmapIoSpace(Extension->Registers, RegistersLength);
		Extension->Registers = NULL;
	}
	return Status;
}

/* The interrupt is disconnected and nobody sends any more. */
_Use_decl_annotations_
VOID NicStopDevice(PDEVICE_OBJECT DeviceObject)
{
	PNIC_EXTENSION Extension = DeviceObject->DeviceExtension;

	NicStopChip(Extension);
	KeFlushQueuedDpcs();
	NicDeleteRing(Extension);
	NicPutAdapter(Extension);
	MmUnmapIoSpace(Extension->Registers, Extension->RegistersLength);
	Extension->Registers = NULL;
}
