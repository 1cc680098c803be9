// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the floppy driver: a PNP driver that hands the controller
 * to the WDM half in fdc_wdm.c, as the PnP manager of Windows does.
 *
 * The attribute "transfer" of a bound controller runs the demonstration, which
 * writes to the disk; only a disk that image.sh prepared is written to.
 */
#include <linux/interrupt.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pnp.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "glue.h"
#include "fdc.h"

static bool demand;
module_param(demand, bool, 0444);
MODULE_PARM_DESC(demand, "several bytes for one request, not a single one (N)");

/**
 * struct fdc - what Linux knows of a controller
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attribute at a time
 */
struct fdc {
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attribute at a time */
};

static irqreturn_t fdc_irq(int irq, void *data)
{
	struct fdc *fdc = data;

	return FdcInterrupt(fdc->device_object) ? IRQ_HANDLED : IRQ_NONE;
}

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct fdc *fdc = dev_get_drvdata(dev);
	FDC_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&fdc->lock))
		return -ERESTARTSYS;
	status = FdcRunTransfers(fdc->device_object, &report);
	mutex_unlock(&fdc->lock);

	ok = NT_SUCCESS(status) && !report.Mismatches && !report.Counters;
	return sysfs_emit(buf,
			  "bytes=%llu\ncommands=%u\ninterrupts=%u\n"
			  "counters=%u\nmismatches=%u\nstatus=0x%08x\n"
			  "verdict=%s\n",
			  report.Bytes, report.Commands, report.Interrupts,
			  report.Counters, report.Mismatches, (u32)status,
			  ok ? "ok" : "failed");
}
static DEVICE_ATTR_ADMIN_RO(transfer);

static struct attribute *fdc_attrs[] = {
	&dev_attr_transfer.attr,
	NULL
};
ATTRIBUTE_GROUPS(fdc);

static int fdc_start(struct pnp_dev *pdev, struct fdc *fdc)
{
	NTSTATUS status;
	int rc;

	rc = request_irq(pnp_irq(pdev, 0), fdc_irq, 0, "fdc_wdm", fdc);
	if (rc)
		return rc;
	status = FdcStartDevice(fdc->device_object,
				pnp_port_start(pdev, 0) & ~7,
				pnp_dma(pdev, 0), demand);
	if (!NT_SUCCESS(status)) {
		free_irq(pnp_irq(pdev, 0), fdc);
		/* An interrupt may have come since the WDM half gave up. */
		KeFlushQueuedDpcs();
	}
	return ntdma_errno(status);
}

static int fdc_probe(struct pnp_dev *pdev, const struct pnp_device_id *id)
{
	struct fdc *fdc;
	int rc;

	if (!pnp_port_valid(pdev, 0) || !pnp_irq_valid(pdev, 0) ||
	    !pnp_dma_valid(pdev, 0))
		return -ENODEV;
	fdc = kzalloc(sizeof(*fdc), GFP_KERNEL);
	if (!fdc)
		return -ENOMEM;
	mutex_init(&fdc->lock);
	rc = -ENOMEM;
	fdc->device_object = ntdma_device_create(&pdev->dev,
						 sizeof(FDC_EXTENSION));
	if (!fdc->device_object)
		goto free;
	FdcAddDevice(fdc->device_object);
	rc = fdc_start(pdev, fdc);
	if (rc)
		goto destroy;
	pnp_set_drvdata(pdev, fdc);
	return 0;

destroy:
	ntdma_device_destroy(fdc->device_object);
free:
	kfree(fdc);
	return rc;
}

static void fdc_remove(struct pnp_dev *pdev)
{
	struct fdc *fdc = pnp_get_drvdata(pdev);

	free_irq(pnp_irq(pdev, 0), fdc);
	FdcStopDevice(fdc->device_object);
	ntdma_device_destroy(fdc->device_object);
	kfree(fdc);
}

/* No MODULE_DEVICE_TABLE: the sample is inserted by hand. */
static const struct pnp_device_id fdc_ids[] = {
	{ .id = "PNP0700" },
	{ }
};

static struct pnp_driver fdc_driver = {
	.name = "fdc_wdm",
	.id_table = fdc_ids,
	.probe = fdc_probe,
	.remove = fdc_remove,
	.driver = { .dev_groups = fdc_groups },
};
module_pnp_driver(fdc_driver);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for floppy controllers");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
