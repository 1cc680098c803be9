// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the RTL8139 driver: a PCI driver that hands the device to
 * the WDM half in rtl_wdm.c, as the PnP manager and the I/O manager of Windows
 * do.
 *
 * The attribute "transfer" of a bound device runs the demonstration: it sends
 * frames in loopback and reports what came back. Unbinding waits for a reader
 * of the attribute, whose transfers all have timeouts.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "glue.h"
#include "rtl.h"

#define RTL_BAR		1

/**
 * struct rtl - what Linux knows of a device
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attribute at a time
 */
struct rtl {
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attribute at a time */
};

static irqreturn_t rtl_irq(int irq, void *data)
{
	struct rtl *rtl = data;

	return NicInterrupt(rtl->device_object) ? IRQ_HANDLED : IRQ_NONE;
}

VOID NicDisableBusMaster(PDEVICE_OBJECT DeviceObject)
{
	pci_clear_master(to_pci_dev(ntdma_device_of(DeviceObject)));
}

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct rtl *rtl = dev_get_drvdata(dev);
	NIC_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&rtl->lock))
		return -ERESTARTSYS;
	status = NicRunTransfers(rtl->device_object, &report);
	mutex_unlock(&rtl->lock);

	ok = NT_SUCCESS(status) && !report.Mismatches;
	return sysfs_emit(buf,
			  "frames=%u\nbytes=%llu\nregisters=%u\nsets=%u\n"
			  "interrupts=%u\nmismatches=%u\nstatus=0x%08x\n"
			  "verdict=%s\n",
			  report.Frames, report.Bytes, report.Registers,
			  report.Sets, report.Interrupts, report.Mismatches,
			  (u32)status, ok ? "ok" : "failed");
}
static DEVICE_ATTR_RO(transfer);

static struct attribute *rtl_attrs[] = {
	&dev_attr_transfer.attr,
	NULL
};
ATTRIBUTE_GROUPS(rtl);

static int rtl_enable(struct pci_dev *pdev)
{
	int rc;

	rc = pci_enable_device(pdev);
	if (rc)
		return rc;
	rc = pci_request_region(pdev, RTL_BAR, "rtl_wdm");
	if (rc)
		goto disable;
	rc = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (rc < 0)
		goto release;
	pci_set_master(pdev);
	return 0;

release:
	pci_release_region(pdev, RTL_BAR);
disable:
	pci_disable_device(pdev);
	return rc;
}

static void rtl_disable(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
	pci_free_irq_vectors(pdev);
	pci_release_region(pdev, RTL_BAR);
	pci_disable_device(pdev);
}

/* What a driver of Windows finds in its list of translated resources. */
static int rtl_start(struct pci_dev *pdev, struct rtl *rtl)
{
	PHYSICAL_ADDRESS base;

	base.QuadPart = pci_resource_start(pdev, RTL_BAR);
	return ntdma_errno(NicStartDevice(rtl->device_object, base,
					  pci_resource_len(pdev, RTL_BAR)));
}

static int rtl_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct rtl *rtl;
	int rc;

	rtl = kzalloc(sizeof(*rtl), GFP_KERNEL);
	if (!rtl)
		return -ENOMEM;
	mutex_init(&rtl->lock);

	rc = rtl_enable(pdev);
	if (rc)
		goto free;

	rc = -ENOMEM;
	rtl->device_object = ntdma_device_create(&pdev->dev,
						 sizeof(NIC_EXTENSION));
	if (!rtl->device_object)
		goto disable;
	NicAddDevice(rtl->device_object);

	rc = rtl_start(pdev, rtl);
	if (rc)
		goto destroy;
	rc = request_irq(pci_irq_vector(pdev, 0), rtl_irq, IRQF_SHARED,
			 "rtl_wdm", rtl);
	if (rc)
		goto stop;
	pci_set_drvdata(pdev, rtl);
	return 0;

stop:
	NicStopDevice(rtl->device_object);
destroy:
	ntdma_device_destroy(rtl->device_object);
disable:
	rtl_disable(pdev);
free:
	kfree(rtl);
	return rc;
}

static void rtl_remove(struct pci_dev *pdev)
{
	struct rtl *rtl = pci_get_drvdata(pdev);

	free_irq(pci_irq_vector(pdev, 0), rtl);
	NicStopDevice(rtl->device_object);
	ntdma_device_destroy(rtl->device_object);
	rtl_disable(pdev);
	kfree(rtl);
}

/* No MODULE_DEVICE_TABLE: the sample is inserted by hand. */
static const struct pci_device_id rtl_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REALTEK, PCI_DEVICE_ID_REALTEK_8139) },
	{ }
};

static struct pci_driver rtl_driver = {
	.name = "rtl_wdm",
	.id_table = rtl_ids,
	.probe = rtl_probe,
	.remove = rtl_remove,
	.dev_groups = rtl_groups,
};
module_pci_driver(rtl_driver);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for the RealTek 8139");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
