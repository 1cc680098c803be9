// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the nvme driver: a PCI driver that hands the device to the
 * WDM half in nvme_wdm.c, as the PnP manager and the I/O manager of Windows do.
 *
 * The attribute "transfer" of a bound device runs the demonstration, which
 * writes to the disk; only a disk that image.sh prepared is written to.
 * Unbinding waits for a reader of the attribute, which gives up on a controller
 * that does not answer.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "glue.h"
#include "nvme.h"

#define NVME_BAR	0

static unsigned int width = 64;
module_param(width, uint, 0444);
MODULE_PARM_DESC(width, "address bits that the device is said to have (64)");

/**
 * struct nvme - what Linux knows of a device
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attribute at a time
 */
struct nvme {
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attribute at a time */
};

static struct pci_dev *nvme_pdev(PDEVICE_OBJECT device_object)
{
	return to_pci_dev(ntdma_device_of(device_object));
}

static irqreturn_t nvme_irq(int irq, void *data)
{
	return NvmeInterrupt(data) ? IRQ_HANDLED : IRQ_NONE;
}

NTSTATUS NvmeConnectInterrupt(PDEVICE_OBJECT DeviceObject)
{
	int rc = request_irq(pci_irq_vector(nvme_pdev(DeviceObject), 0),
			     nvme_irq, IRQF_SHARED, "nvme_wdm", DeviceObject);

	return rc ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

VOID NvmeDisconnectInterrupt(PDEVICE_OBJECT DeviceObject)
{
	free_irq(pci_irq_vector(nvme_pdev(DeviceObject), 0), DeviceObject);
}

VOID NvmeDisableBusMaster(PDEVICE_OBJECT DeviceObject)
{
	pci_clear_master(nvme_pdev(DeviceObject));
}

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct nvme *nvme = dev_get_drvdata(dev);
	NVME_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&nvme->lock))
		return -ERESTARTSYS;
	status = NvmeRunTransfers(nvme->device_object, &report);
	mutex_unlock(&nvme->lock);

	ok = NT_SUCCESS(status) && !report.Mismatches;
	return sysfs_emit(buf,
			  "bytes=%llu\ncommands=%u\nelements=%u\nprps=%u\n"
			  "inflight=%u\ninterrupts=%u\nmismatches=%u\n"
			  "status=0x%08x\nverdict=%s\n",
			  report.Bytes, report.Commands, report.Elements,
			  report.Prps, report.InFlight, report.Interrupts,
			  report.Mismatches, (u32)status, ok ? "ok" : "failed");
}
static DEVICE_ATTR_ADMIN_RO(transfer);

static struct attribute *nvme_attrs[] = {
	&dev_attr_transfer.attr,
	NULL
};
ATTRIBUTE_GROUPS(nvme);

static int nvme_enable(struct pci_dev *pdev)
{
	int rc;

	rc = pci_enable_device_mem(pdev);
	if (rc)
		return rc;
	rc = pci_request_region(pdev, NVME_BAR, "nvme_wdm");
	if (rc)
		goto disable;
	rc = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (rc < 0)
		goto release;
	pci_set_master(pdev);
	return 0;

release:
	pci_release_region(pdev, NVME_BAR);
disable:
	pci_disable_device(pdev);
	return rc;
}

static void nvme_disable(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
	pci_free_irq_vectors(pdev);
	pci_release_region(pdev, NVME_BAR);
	pci_disable_device(pdev);
}

static int nvme_start(struct pci_dev *pdev, struct nvme *nvme)
{
	NVME_RESOURCES resources = {
		.RegistersBase.QuadPart = pci_resource_start(pdev, NVME_BAR),
		.RegistersLength = pci_resource_len(pdev, NVME_BAR),
		.MessageSignaled = pci_dev_msi_enabled(pdev),
		.DmaAddressWidth = width,
	};

	return ntdma_errno(NvmeStartDevice(nvme->device_object, &resources));
}

static int nvme_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct nvme *nvme;
	int rc;

	nvme = kzalloc(sizeof(*nvme), GFP_KERNEL);
	if (!nvme)
		return -ENOMEM;
	mutex_init(&nvme->lock);

	rc = nvme_enable(pdev);
	if (rc)
		goto free;

	rc = -ENOMEM;
	nvme->device_object = ntdma_device_create(&pdev->dev,
						  sizeof(NVME_EXTENSION));
	if (!nvme->device_object)
		goto disable;
	NvmeAddDevice(nvme->device_object);

	rc = nvme_start(pdev, nvme);
	if (rc)
		goto destroy;
	pci_set_drvdata(pdev, nvme);
	return 0;

destroy:
	ntdma_device_destroy(nvme->device_object);
disable:
	nvme_disable(pdev);
free:
	kfree(nvme);
	return rc;
}

static void nvme_remove(struct pci_dev *pdev)
{
	struct nvme *nvme = pci_get_drvdata(pdev);

	NvmeStopDevice(nvme->device_object);
	ntdma_device_destroy(nvme->device_object);
	nvme_disable(pdev);
	kfree(nvme);
}

/*
 * QEMU's controller only: a driver that tests on a disk is not for others. No
 * MODULE_DEVICE_TABLE: the sample is inserted by hand.
 */
static const struct pci_device_id nvme_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, 0x0010),
	  .class = PCI_CLASS_STORAGE_EXPRESS, .class_mask = ~0 },
	{ }
};

static struct pci_driver nvme_driver = {
	.name = "nvme_wdm",
	.id_table = nvme_ids,
	.probe = nvme_probe,
	.remove = nvme_remove,
	.dev_groups = nvme_groups,
};
module_pci_driver(nvme_driver);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for QEMU's nvme device");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
