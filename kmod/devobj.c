// SPDX-License-Identifier: GPL-2.0
/*
 * Device objects.
 *
 * A device object is what a ported driver knows its device by. It stands for
 * one struct device, which it keeps alive, and carries the driver's device
 * extension behind itself. The Linux glue of the driver makes and destroys it;
 * ntdma itself only asks which struct device is meant.
 *
 * Drivers also hand over device objects that they made up. Those are told apart
 * by DeviceObjectExtension, which leads back to our structure, so that nothing
 * outside a foreign object is read.
 */
#include <linux/device.h>
#include <linux/overflow.h>

#include "ntdma.h"
#include "glue.h"

#define NTDMA_IO_TYPE_DEVICE	3	/* DEVICE_OBJECT.Type as on Windows */

/**
 * struct ntdma_device_object - a device object of ours
 * @wdm: what the driver sees
 * @dev: the device, referenced
 * @extension: the driver's
 */
struct ntdma_device_object {
	DEVICE_OBJECT wdm;
	struct device *dev;
	u8 extension[] __aligned(2 * sizeof(void *));
};

static struct ntdma_device_object *to_device_object(PDEVICE_OBJECT wdm)
{
	struct ntdma_device_object *object =
		container_of(wdm, struct ntdma_device_object, wdm);

	if (!wdm || wdm->DeviceObjectExtension != (PDEVOBJ_EXTENSION)object)
		return NULL;
	return object;
}

static void ntdma_device_object_init(struct ntdma_device_object *object,
				     size_t extension_size)
{
	PDEVICE_OBJECT wdm = &object->wdm;

	wdm->Type = NTDMA_IO_TYPE_DEVICE;
	wdm->Size = sizeof(*wdm) + extension_size;
	wdm->StackSize = 1;
	if (extension_size)
		wdm->DeviceExtension = object->extension;
	KeInitializeEvent(&wdm->DeviceLock, SynchronizationEvent, TRUE);
	wdm->DeviceObjectExtension = (PDEVOBJ_EXTENSION)object;
}

/**
 * ntdma_device_create() - make a device object
 * @dev: the device that it stands for, referenced until it is destroyed
 * @extension_size: bytes behind DeviceExtension, zeroed; with 0 that is NULL
 *
 * CurrentIrp is NULL and AlignmentRequirement 0. Size has 16 bits, as on
 * Windows, and is of no use with a large extension.
 *
 * Context: PASSIVE_LEVEL, sleeps.
 * Return: the device object; NULL without @dev or without memory.
 */
PDEVICE_OBJECT ntdma_device_create(struct device *dev, size_t extension_size)
{
	struct ntdma_device_object *object;
	size_t size;

	if (!dev || check_add_overflow(sizeof(*object), extension_size, &size))
		return NULL;
	object = ntdma_alloc(size, GFP_KERNEL);
	if (!object)
		return NULL;
	object->dev = get_device(dev);
	ntdma_device_object_init(object, extension_size);
	return &object->wdm;
}
EXPORT_SYMBOL_NTDMA(ntdma_device_create);

/*
 * The routine may wait for its turn, or run, after all interrupts are over. It
 * must not queue itself any more.
 */
static void ntdma_device_end_dpc(PKDPC dpc)
{
	if (!dpc->DeferredRoutine)
		return;
	KeRemoveQueueDpc(dpc);
	KeFlushQueuedDpcs();
}

/**
 * ntdma_device_destroy() - free a device object
 * @device_object: from ntdma_device_create(), or NULL; nothing but the routine
 *	of its DPC uses it or its extension any more
 *
 * A DPC that is queued is not called; a routine that runs has returned.
 *
 * Context: PASSIVE_LEVEL, sleeps.
 */
void ntdma_device_destroy(PDEVICE_OBJECT device_object)
{
	struct ntdma_device_object *object = to_device_object(device_object);

	if (!object)
		return;
	ntdma_device_end_dpc(&device_object->Dpc);
	device_object->DeviceObjectExtension = NULL;
	put_device(object->dev);
	ntdma_free(object);
}
EXPORT_SYMBOL_NTDMA(ntdma_device_destroy);

/**
 * ntdma_device_of() - the device that a device object stands for
 * @device_object: any device object, or NULL
 *
 * Context: any.
 * Return: the device, referenced by the device object only; NULL when
 *	@device_object is not of ntdma_device_create().
 */
struct device *ntdma_device_of(PDEVICE_OBJECT device_object)
{
	struct ntdma_device_object *object = to_device_object(device_object);

	return object ? object->dev : NULL;
}
EXPORT_SYMBOL_NTDMA(ntdma_device_of);

/* The types of IO_DPC_ROUTINE and KDEFERRED_ROUTINE are not the same. */
static void ntdma_device_dpc(PKDPC dpc, PVOID context, PVOID irp,
			     PVOID argument)
{
	PDEVICE_OBJECT device_object = context;
	PIO_DPC_ROUTINE routine = device_object->Reserved;

	routine(dpc, device_object, irp, argument);
}

/**
 * IoInitializeDpcRequest() - make the DPC of a device object ready
 * @device_object: the device object
 * @routine: called at DISPATCH_LEVEL after IoRequestDpc()
 *
 * Context: any.
 */
void IoInitializeDpcRequest(PDEVICE_OBJECT device_object,
			    PIO_DPC_ROUTINE routine)
{
	device_object->Reserved = routine;
	KeInitializeDpc(&device_object->Dpc, ntdma_device_dpc, device_object);
}
EXPORT_SYMBOL_NTDMA(IoInitializeDpcRequest);

/**
 * IoRequestDpc() - queue the DPC of a device object
 * @device_object: the device object, after IoInitializeDpcRequest()
 * @irp: passed to the routine
 * @context: passed to the routine
 *
 * Context: any, also interrupt handlers, but not an NMI. When the DPC is queued
 *	already, nothing changes.
 */
void IoRequestDpc(PDEVICE_OBJECT device_object, PIRP irp, PVOID context)
{
	KeInsertQueueDpc(&device_object->Dpc, irp, context);
}
EXPORT_SYMBOL_NTDMA(IoRequestDpc);

/**
 * ntdma_errno() - a status in the words of Linux
 * @status: of any routine
 *
 * Context: any.
 * Return: 0 for what NT_SUCCESS() takes for success, else an error number,
 *	-EIO for a status that has no counterpart.
 */
int ntdma_errno(NTSTATUS status)
{
	if (NT_SUCCESS(status))
		return 0;
	switch (status) {
	case STATUS_INSUFFICIENT_RESOURCES:
	case STATUS_NO_MEMORY:
		return -ENOMEM;
	case STATUS_INVALID_PARAMETER:
	case STATUS_INVALID_PARAMETER_1 ... STATUS_INVALID_PARAMETER_12:
		return -EINVAL;
	case STATUS_NO_SUCH_DEVICE:
		return -ENODEV;
	case STATUS_DEVICE_BUSY:
		return -EBUSY;
	case STATUS_DEVICE_NOT_READY:
		return -ETIMEDOUT;
	case STATUS_NOT_SUPPORTED:
	case STATUS_NOT_IMPLEMENTED:
		return -EOPNOTSUPP;
	case STATUS_ACCESS_DENIED:
		return -EACCES;
	case STATUS_CANCELLED:
		return -ECANCELED;
	default:
		return -EIO;
	}
}
EXPORT_SYMBOL_NTDMA(ntdma_errno);
