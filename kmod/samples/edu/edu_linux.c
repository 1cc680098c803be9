// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the edu driver: a PCI driver that hands the device to the
 * WDM half in edu_wdm.c, as the PnP manager and the I/O manager of Windows do.
 *
 * The attribute "transfer" of a bound device runs the demonstration: it moves
 * data through the device and reports what it found. Unbinding waits for a
 * reader of the attribute, whose transfers all have timeouts. The attribute
 * "domain" does the same with a buffer that the device shares with another one;
 * "permissions" tries what the device must not do with a page, which an IOMMU
 * reports.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "glue.h"
#include "edu.h"

#define EDU_BAR		0

static unsigned int width = 28;
module_param(width, uint, 0444);
MODULE_PARM_DESC(width, "address bits of the device, as its dma_mask (28)");

/**
 * struct edu - what Linux knows of a device
 * @link: among all bound devices
 * @pdev: the device
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attributes at a time
 */
struct edu {
	struct list_head link;
	struct pci_dev *pdev;
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attributes at a time */
};

/* For the list, and for whoever uses two devices; outside of their locks. */
static DEFINE_MUTEX(edu_devices_lock);
static LIST_HEAD(edu_devices);

static irqreturn_t edu_irq(int irq, void *data)
{
	struct edu *edu = data;

	return EduInterrupt(edu->device_object) ? IRQ_HANDLED : IRQ_NONE;
}

VOID EduDisableBusMaster(PDEVICE_OBJECT DeviceObject)
{
	pci_clear_master(to_pci_dev(ntdma_device_of(DeviceObject)));
}

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct edu *edu = dev_get_drvdata(dev);
	EDU_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&edu->lock))
		return -ERESTARTSYS;
	status = EduRunTransfers(edu->device_object, &report);
	mutex_unlock(&edu->lock);

	ok = NT_SUCCESS(status) && !report.Mismatches;
	return sysfs_emit(buf,
			  "bytes=%llu\ntransfers=%u\nelements=%u\n"
			  "mismatches=%u\ninterrupts=%u\nstatus=0x%08x\n"
			  "verdict=%s\n",
			  report.Bytes, report.Transfers, report.Elements,
			  report.Mismatches, report.Interrupts, (u32)status,
			  ok ? "ok" : "failed");
}
static DEVICE_ATTR_RO(transfer);

/* Another bound device, or NULL. */
static struct edu *edu_other(const struct edu *edu)
{
	struct edu *other;

	lockdep_assert_held(&edu_devices_lock);
	list_for_each_entry(other, &edu_devices, link)
		if (other != edu)
			return other;
	return NULL;
}

static NTSTATUS edu_run_domain(struct edu *edu, struct edu *other,
			       u64 *logical, EDU_REPORT *reports)
{
	PHYSICAL_ADDRESS address;
	NTSTATUS status;

	mutex_lock(&edu->lock);
	mutex_lock_nested(&other->lock, SINGLE_DEPTH_NESTING);
	status = EduRunDomain(edu->device_object, other->device_object,
			      &address, reports);
	mutex_unlock(&other->lock);
	mutex_unlock(&edu->lock);
	*logical = address.QuadPart;
	return status;
}

static ssize_t domain_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct edu *edu = dev_get_drvdata(dev), *other;
	EDU_REPORT reports[2] = {};
	NTSTATUS status = STATUS_NO_SUCH_DEVICE;
	bool other_msi = false;
	u64 logical = 0;
	bool ok;

	if (mutex_lock_interruptible(&edu_devices_lock))
		return -ERESTARTSYS;
	other = edu_other(edu);
	if (other) {
		status = edu_run_domain(edu, other, &logical, reports);
		other_msi = pci_dev_msi_enabled(other->pdev);
	}
	mutex_unlock(&edu_devices_lock);

	ok = NT_SUCCESS(status) && !reports[0].Mismatches &&
	     !reports[1].Mismatches;
	return sysfs_emit(buf,
			  "logical=%#llx\nbytes=%llu\nmismatches=%u\n"
			  "interrupts=%u\nother_interrupts=%u\n"
			  "msi=%u\nother_msi=%u\n"
			  "status=0x%08x\nverdict=%s\n",
			  logical, reports[0].Bytes + reports[1].Bytes,
			  reports[0].Mismatches + reports[1].Mismatches,
			  reports[0].Interrupts, reports[1].Interrupts,
			  pci_dev_msi_enabled(edu->pdev),
			  other_msi, (u32)status,
			  ok ? "ok" : "failed");
}
static DEVICE_ATTR_RO(domain);

static ssize_t permissions_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	struct edu *edu = dev_get_drvdata(dev);
	EDU_PERMISSIONS report;
	NTSTATUS status;

	if (mutex_lock_interruptible(&edu->lock))
		return -ERESTARTSYS;
	status = EduRunPermissions(edu->device_object, &report);
	mutex_unlock(&edu->lock);
	return sysfs_emit(buf, "written=%u\nread=%u\nmismatches=%u\n"
			  "status=0x%08x\n", report.Written, report.Read,
			  report.Mismatches, (u32)status);
}

/* The IOMMU reports what it stops: not for every user. */
static DEVICE_ATTR_ADMIN_RO(permissions);

static struct attribute *edu_attrs[] = {
	&dev_attr_transfer.attr,
	&dev_attr_domain.attr,
	&dev_attr_permissions.attr,
	NULL
};
ATTRIBUTE_GROUPS(edu);

static int edu_enable(struct pci_dev *pdev)
{
	int rc;

	rc = pci_enable_device(pdev);
	if (rc)
		return rc;
	rc = pci_request_region(pdev, EDU_BAR, "edu_wdm");
	if (rc)
		goto disable;
	rc = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (rc < 0)
		goto release;
	pci_set_master(pdev);
	return 0;

release:
	pci_release_region(pdev, EDU_BAR);
disable:
	pci_disable_device(pdev);
	return rc;
}

static void edu_disable(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
	pci_free_irq_vectors(pdev);
	pci_release_region(pdev, EDU_BAR);
	pci_disable_device(pdev);
}

/* What a driver of Windows finds in its list of translated resources. */
static int edu_start(struct pci_dev *pdev, struct edu *edu)
{
	PHYSICAL_ADDRESS base;

	base.QuadPart = pci_resource_start(pdev, EDU_BAR);
	return ntdma_errno(EduStartDevice(edu->device_object, base,
					  pci_resource_len(pdev, EDU_BAR),
					  width));
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int rc;

	edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	mutex_init(&edu->lock);

	rc = edu_enable(pdev);
	if (rc)
		goto free;

	rc = -ENOMEM;
	edu->pdev = pdev;
	edu->device_object = ntdma_device_create(&pdev->dev,
						 sizeof(EDU_EXTENSION));
	if (!edu->device_object)
		goto disable;
	EduAddDevice(edu->device_object);

	rc = edu_start(pdev, edu);
	if (rc)
		goto destroy;
	rc = request_irq(pci_irq_vector(pdev, 0), edu_irq, IRQF_SHARED,
			 "edu_wdm", edu);
	if (rc)
		goto stop;
	pci_set_drvdata(pdev, edu);
	mutex_lock(&edu_devices_lock);
	list_add_tail(&edu->link, &edu_devices);
	mutex_unlock(&edu_devices_lock);
	return 0;

stop:
	EduStopDevice(edu->device_object);
destroy:
	ntdma_device_destroy(edu->device_object);
disable:
	edu_disable(pdev);
free:
	kfree(edu);
	return rc;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	mutex_lock(&edu_devices_lock);
	list_del(&edu->link);
	mutex_unlock(&edu_devices_lock);
	free_irq(pci_irq_vector(pdev, 0), edu);
	EduStopDevice(edu->device_object);
	ntdma_device_destroy(edu->device_object);
	edu_disable(pdev);
	kfree(edu);
}

/* No MODULE_DEVICE_TABLE: the sample is inserted by hand. */
static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};

static struct pci_driver edu_driver = {
	.name = "edu_wdm",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.dev_groups = edu_groups,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for QEMU's edu device");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
