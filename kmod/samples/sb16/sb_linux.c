// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the sound card's driver. A card of the emulator says
 * nothing about itself to plug and play, so the parameters say where it is, and
 * the module makes a device for it.
 *
 * The attribute "transfer" of the device plays everything once.
 */
#include <linux/interrupt.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "glue.h"
#include "sb16.h"

#define SB_PORTS	16

static unsigned int port = 0x220;
module_param(port, uint, 0444);
MODULE_PARM_DESC(port, "base of the card's ports (0x220)");

static unsigned int irq = 5;
module_param(irq, uint, 0444);
MODULE_PARM_DESC(irq, "2, 5, 7 or 10 (5)");

static unsigned int dma = 1;
module_param(dma, uint, 0444);
MODULE_PARM_DESC(dma, "channel of bytes, 0, 1 or 3 (1)");

static unsigned int dma16 = 5;
module_param(dma16, uint, 0444);
MODULE_PARM_DESC(dma16, "channel of words, 5 to 7 (5)");

/**
 * struct sb - what Linux knows of the card
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attribute at a time
 */
struct sb {
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attribute at a time */
};

static irqreturn_t sb_irq(int line, void *data)
{
	struct sb *sb = data;

	return SbInterrupt(sb->device_object) ? IRQ_HANDLED : IRQ_NONE;
}

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct sb *sb = dev_get_drvdata(dev);
	SB_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&sb->lock))
		return -ERESTARTSYS;
	status = SbRunTransfers(sb->device_object, &report);
	mutex_unlock(&sb->lock);

	ok = NT_SUCCESS(status) && !report.Counters && !report.Late &&
	     report.Cancels == 1 && !report.LateCancelled &&
	     report.Pieces == SB_ONCE_LENGTH / SB_PIECE_LENGTH;
	return sysfs_emit(buf,
			  "pieces=%u\ninterrupts=%u\ncounters=%u\nvalues=%u\n"
			  "wraps=%u\nlate=%u\ncancels=%u\nlate_cancelled=%u\n"
			  "status=0x%08x\nverdict=%s\n",
			  report.Pieces, report.Interrupts, report.Counters,
			  report.Values, report.Wraps, report.Late,
			  report.Cancels, report.LateCancelled, (u32)status,
			  ok ? "ok" : "failed");
}
static DEVICE_ATTR_ADMIN_RO(transfer);

static struct attribute *sb_attrs[] = {
	&dev_attr_transfer.attr,
	NULL
};
ATTRIBUTE_GROUPS(sb);

static void sb_destroy(void *data)
{
	struct sb *sb = data;

	ntdma_device_destroy(sb->device_object);
}

static void sb_stop(void *data)
{
	struct sb *sb = data;

	SbStopDevice(sb->device_object);
}

static int sb_start(struct device *dev, struct sb *sb)
{
	const SB_RESOURCES resources = {
		.Port = port,
		.Irq = irq,
		.LowChannel = dma,
		.HighChannel = dma16,
	};
	int rc;

	rc = ntdma_errno(SbStartDevice(sb->device_object, &resources));
	if (rc)
		return rc;
	return devm_add_action_or_reset(dev, sb_stop, sb);
}

static int sb_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct sb *sb;
	int rc;

	if (!devm_request_region(dev, port, SB_PORTS, "sb_wdm"))
		return -EBUSY;
	sb = devm_kzalloc(dev, sizeof(*sb), GFP_KERNEL);
	if (!sb)
		return -ENOMEM;
	mutex_init(&sb->lock);
	platform_set_drvdata(pdev, sb);
	sb->device_object = ntdma_device_create(dev, sizeof(SB_EXTENSION));
	if (!sb->device_object)
		return -ENOMEM;
	rc = devm_add_action_or_reset(dev, sb_destroy, sb);
	if (rc)
		return rc;
	SbAddDevice(sb->device_object);
	rc = sb_start(dev, sb);
	if (rc)
		return rc;
	return devm_request_irq(dev, irq, sb_irq, 0, "sb_wdm", sb);
}

static struct platform_driver sb_driver = {
	.driver = {
		.name = "sb_wdm",
		.dev_groups = sb_groups,
	},
};

static struct platform_device *sb_device;

static int __init sb_init(void)
{
	sb_device = platform_create_bundle(&sb_driver, sb_probe, NULL, 0, NULL,
					   0);
	return PTR_ERR_OR_ZERO(sb_device);
}

static void __exit sb_exit(void)
{
	platform_device_unregister(sb_device);
	platform_driver_unregister(&sb_driver);
}

module_init(sb_init);
module_exit(sb_exit);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for the Sound Blaster 16");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
