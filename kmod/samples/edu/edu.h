/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the edu driver share: edu_wdm.c drives the device,
 * edu_demo.c, edu_domain.c and edu_lend.c are what there is to do for it,
 * edu_linux.c is its Linux half.
 * Include wdm.h first.
 */
#ifndef EDU_H
#define EDU_H

#define EDU_TAG			0x20756445	/* ' udE' */

/*
 * What the buffer of the device takes. It has one byte more, but the emulator
 * stops when a command reaches that one.
 */
#define EDU_DEVICE_LENGTH	4095

/* What one run of EduRunTransfers did. */
typedef struct _EDU_REPORT {
	ULONGLONG Bytes;	/* moved by the device, both directions */
	ULONG Transfers;	/* lists that the device worked off */
	ULONG Elements;		/* of these lists, one command each */
	ULONG Mismatches;	/* bytes that are not what they should be */
	ULONG Interrupts;	/* of this device, during the run */
} EDU_REPORT, *PEDU_REPORT;

/* What came of EduRunPermissions, in bytes. */
typedef struct _EDU_PERMISSIONS {
	ULONG Written;		/* by the device, where it may only read */
	ULONG Read;		/* where it may only write, if that can be */
	ULONG Mismatches;	/* not moved, where it may */
} EDU_PERMISSIONS, *PEDU_PERMISSIONS;

typedef enum _EDU_REQUEST_STATE {
	EduRequestWaiting,	/* for its scatter/gather list */
	EduRequestRunning,	/* the device works on it */
	EduRequestEnded,	/* whoever moved it here completes it */
} EDU_REQUEST_STATE;

/* One list on its way through the device, in one direction. */
typedef struct _EDU_REQUEST {
	EDU_REQUEST_STATE State;	/* under EDU_EXTENSION.Lock */
	PSCATTER_GATHER_LIST List;
	ULONG Element;			/* that the device works on */
	ULONG DeviceOffset;		/* where it begins in the device */
	ULONG Length;
	BOOLEAN WriteToDevice;
	NTSTATUS Status;		/* valid when Done is signaled */
	KEVENT Done;
	PSCATTER_GATHER_LIST Own;	/* of one element, for EduMoveLogical */
	UCHAR Context[DMA_TRANSFER_CONTEXT_SIZE_V1];
} EDU_REQUEST, *PEDU_REQUEST;

typedef struct _EDU_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	PUCHAR Registers;
	SIZE_T RegistersLength;
	PDMA_ADAPTER DmaAdapter;
	ULONG MapRegisters;		/* most that one list may use */
	BOOLEAN Failed;			/* timed out once, bus master off */
	LONG Interrupts;		/* interlocked */
	KSPIN_LOCK Lock;
	EDU_REQUEST Request;
	EDU_REPORT Report;
} EDU_EXTENSION, *PEDU_EXTENSION;

/* A range of an MDL chain to take to the device, or to fill from it. */
typedef struct _EDU_MOVE {
	PMDL Mdl;
	ULONG Offset;
	ULONG Length;
	BOOLEAN WriteToDevice;
	PSCATTER_GATHER_LIST List;	/* built, and not yet put */
	PVOID ListBuffer;
} EDU_MOVE, *PEDU_MOVE;

/* edu_wdm.c, called by the glue. PASSIVE_LEVEL but for EduInterrupt. */
VOID EduAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS EduStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
			_In_ PHYSICAL_ADDRESS RegistersBase,
			_In_ ULONG RegistersLength,
			_In_ ULONG DmaAddressWidth);
VOID EduStopDevice(_In_ PDEVICE_OBJECT DeviceObject);
BOOLEAN EduInterrupt(_In_ PDEVICE_OBJECT DeviceObject);

/*
 * edu_wdm.c, called by what is done. One thread at a time, PASSIVE_LEVEL. At most
 * EDU_DEVICE_LENGTH bytes; the members for lists are zero.
 */
NTSTATUS EduMoveByListRoutine(_In_ PEDU_EXTENSION Extension,
			      _In_ PEDU_MOVE Move);
NTSTATUS EduMoveWithBuiltLists(_In_ PEDU_EXTENSION Extension,
			       _Inout_ PEDU_MOVE First,
			       _Inout_ PEDU_MOVE Second);
NTSTATUS EduMoveLogical(_In_ PEDU_EXTENSION Extension,
			_In_ PHYSICAL_ADDRESS Logical, _In_ ULONG Length,
			_In_ BOOLEAN WriteToDevice);

/* edu_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS EduRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			 _Out_ PEDU_REPORT Report);

/*
 * edu_domain.c, called by the glue. PASSIVE_LEVEL. One thread at a time for
 * each of the two devices, which have a report each.
 */
NTSTATUS EduRunDomain(_In_ PDEVICE_OBJECT FirstObject,
		      _In_ PDEVICE_OBJECT SecondObject,
		      _Out_ PPHYSICAL_ADDRESS Logical,
		      _Out_writes_(2) PEDU_REPORT Reports);

/*
 * edu_lend.c, called by the glue. One thread at a time, PASSIVE_LEVEL. Without
 * an IOMMU STATUS_NOT_SUPPORTED.
 */
NTSTATUS EduRunPermissions(_In_ PDEVICE_OBJECT DeviceObject,
			   _Out_ PEDU_PERMISSIONS Report);

/* edu_linux.c, called by the driver. */
VOID EduDisableBusMaster(_In_ PDEVICE_OBJECT DeviceObject);

#endif /* EDU_H */
