/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the floppy driver share: fdc_wdm.c drives the controller,
 * fdc_demo.c is what there is to do for it, fdc_linux.c is its Linux half.
 * Include wdm.h first.
 */
#ifndef FDC_H
#define FDC_H

#define FDC_TAG			0x20636446	/* ' cdF' */

/* A disk of 1440 KiB */
#define FDC_SECTOR_LENGTH	512
#define FDC_TRACK_SECTORS	18
#define FDC_CYLINDER_SECTORS	(2 * FDC_TRACK_SECTORS)
#define FDC_CYLINDER_LENGTH	(FDC_CYLINDER_SECTORS * FDC_SECTOR_LENGTH)

#define FDC_RESULTS		7

/* What one run of FdcRunTransfers did. */
typedef struct _FDC_REPORT {
	ULONGLONG Bytes;	/* moved by the channel, both directions */
	ULONG Commands;		/* that moved them */
	ULONG Interrupts;	/* of this controller, during the run */
	ULONG Counters;		/* values of the counter that were wrong */
	ULONG Mismatches;	/* bytes that are not what they should be */
} FDC_REPORT, *PFDC_REPORT;

typedef struct _FDC_EXTENSION {
	PDEVICE_OBJECT DeviceObject;
	ULONG_PTR Ports;
	PDMA_ADAPTER DmaAdapter;
	ULONG MapRegisters;		/* most that one command may use */
	PVOID MapRegisterBase;		/* while the channel is ours */
	BOOLEAN Failed;			/* did not answer */
	LONG Interrupts;		/* interlocked */
	ULONG Runs;
	KEVENT Granted;			/* the channel is ours */
	KEVENT Interrupted;		/* Results are those of the command */
	UCHAR Results[FDC_RESULTS];
	FDC_REPORT Report;
} FDC_EXTENSION, *PFDC_EXTENSION;

/*
 * Sectors to take to the disk or to read from it. The channel is told of Slack
 * more bytes than the disk moves, for one sector only.
 */
typedef struct _FDC_MOVE {
	PMDL Mdl;
	ULONG Offset;
	ULONG Length;
	ULONG Slack;
	ULONG Sector;
	BOOLEAN WriteToDevice;
} FDC_MOVE;

typedef const struct _FDC_MOVE *PCFDC_MOVE;

/* fdc_wdm.c, called by the glue. PASSIVE_LEVEL but for FdcInterrupt. */
VOID FdcAddDevice(_In_ PDEVICE_OBJECT DeviceObject);
NTSTATUS FdcStartDevice(_In_ PDEVICE_OBJECT DeviceObject,
			_In_ ULONG PortBase, _In_ ULONG DmaChannel,
			_In_ BOOLEAN DemandMode);
VOID FdcStopDevice(_In_ PDEVICE_OBJECT DeviceObject);
BOOLEAN FdcInterrupt(_In_ PDEVICE_OBJECT DeviceObject);

/* fdc_wdm.c, called by fdc_demo.c. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS FdcStartMotor(_In_ PFDC_EXTENSION Extension);
VOID FdcStopMotor(_In_ PFDC_EXTENSION Extension);
NTSTATUS FdcMove(_In_ PFDC_EXTENSION Extension, _In_ PCFDC_MOVE Move);

/* fdc_demo.c, called by the glue. One thread at a time, PASSIVE_LEVEL. */
NTSTATUS FdcRunTransfers(_In_ PDEVICE_OBJECT DeviceObject,
			 _Out_ PFDC_REPORT Report);

#endif /* FDC_H */
