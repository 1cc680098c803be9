/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the RTL8139 driver share: rtl_wdm.c drives the chip,
 * rtl_demo.c gives it frames to send, rtl_linux.c is its Linux half. Rtl is
 * the prefix of the run-time library, so the names here begin with Nic.
 * Include wdm.h first.
 */
#ifndef RTL_H
#define RTL_H

#define NIC_TAG			0x2063694e	/* ' ciN' */

#define NIC_ADDRESS_LENGTH	6
#define NIC_SHORTEST_FRAME	60	/* without the checksum, as below */
#define NIC_LONGEST_FRAME	1514
#define NIC_DESCRIPTORS		4

/* What one run of NicRunTransfers did. */
typedef struct _NIC_REPORT {
	ULONGLONG Bytes;	/* of these frames, one way */
	ULONG Frames;		/* sent, and received again */
	ULONG Registers;	/* map registers used for them, in sum */
	ULONG Sets;		/* of map registers, most at the same time */
	ULONG Mismatches;	/* bytes that are not what they should be */
	ULONG Interrupts;	/* of this device, during the run */
} NIC_REPORT, *PNIC_REPORT;

/* A frame to send, and what came back of it. */
typedef struct _NIC_FRAME {
	PMDL Mdl;
	ULONG Offset;			/* of the frame, in what Mdl describes */
	ULONG Length;
	BOOLEAN Legacy;			/* by the names from before the table */
	ULONG EchoLength;
	UCHAR Echo[NIC_LONGEST_FRAME];
} NIC_FRAME, *PNIC_FRAME;

typedef enum _NIC_TRANSMIT_STATE {
	NicTransmitEnded,	/* whoever moved it here releases it */
	NicTransmitWaiting,	/* for its map registers */
	NicTransmitMapped,	/* the chip has the address */
	NicTransmitRunning,	/* the chip may read the frame */
	NicTransmitAbandoned,	/* still waits, but nobody wants it any more */
} NIC_TRANSMIT_STATE;

/*
 * One frame on its way through the chip. Kept in the extension, because a
 * request for map registers cannot be withdrawn.
 */
typedef struct _NIC_TRANSMIT {
	NIC_TRANSMIT_STATE State;
	PNIC_FRAME Frame;
	IRP Irp;
	PVOID CurrentVa;
	PVOID MapRegisterBase;
	ULONG MapRegisters;
	ULONG Descriptor;	/* of the chip */
} NIC_TRANSMIT, *PNIC_TRANSMIT;

typedef struct _NIC_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	PUCHAR Registers;
	SIZE_T RegistersLength;
	UCHAR Address[NIC_ADDRESS_LENGTH];
	PDMA_ADAPTER DmaAdapter;
	ULONG MapRegisters;		/* most that one frame may use */
	PUCHAR Ring;
	PHYSICAL_ADDRESS RingAddress;
	BOOLEAN Failed;			/* the chip did not stop when told to */
	LONG Interrupts;		/* interlocked */
	KEVENT Done;			/* the burst is complete */
	NIC_REPORT Report;		/* Sets is under the lock */
	ULONG NextSeed;			/* of the frames, in all runs */

	KSPIN_LOCK Lock;
	NIC_TRANSMIT Transmits[NIC_DESCRIPTORS];
	ULONG Count;			/* of them are in the burst */
	ULONG Released;			/* of these have no registers any more */
	ULONG Received;			/* of these have come back */
	ULONG Sets;			/* of map registers, now */
	BOOLEAN Holding;		/* map only, somebody will start it */
	BOOLEAN Complete;		/* Done was set, or never will be */
	NTSTATUS Status;
	ULONG NextDescriptor;
	ULONG RingOffset;		/* of the next frame to come */
} NIC_EXTENSION, *PNIC_EXTENSION;

/* rtl_wdm.c, called by the glue. PASSIVE_LEVEL but for NicInterrupt. */
VOID NicAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS NicStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
			_In_ PHYSICAL_ADDRESS RegistersBase,
			_In_ ULONG RegistersLength);
VOID NicStopDevice(_In_ PDEVICE_OBJECT DeviceObject);
BOOLEAN NicInterrupt(_In_ PDEVICE_OBJECT DeviceObject);

/* rtl_wdm.c, called by rtl_demo.c. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS NicStartChip(_In_ PNIC_EXTENSION Extension);
VOID NicStopChip(_In_ PNIC_EXTENSION Extension);
NTSTATUS NicSendFrames(_In_ PNIC_EXTENSION Extension,
		       _Inout_updates_(Count) PNIC_FRAME Frames,
		       _In_ ULONG Count);

/* rtl_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS NicRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			 _Out_ PNIC_REPORT Report);

/* rtl_linux.c, called by the driver. */
VOID NicDisableBusMaster(_In_ PDEVICE_OBJECT DeviceObject);

#endif /* RTL_H */
