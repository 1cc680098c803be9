// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the slave driver: a platform driver that hands the device to
 * the WDM half in slave_wdm.c, as the PnP manager and the I/O manager of Windows
 * do. ntdma_edu_dmac.ko has the device's buffer, and the controller for it.
 *
 * The module makes a device, which no firmware describes. Its property
 * dma-names, an array with one name, gives the channel of line 0; that of line
 * 7 is named by this half. Both names are in the slave map of the controller's
 * driver. A device of ACPI with the id NTDM0001 has its channels from FixedDMA
 * resources instead: request lines 0x40 and 0x41.
 *
 * The attribute "transfer" of a bound device runs the demonstration. Unbinding
 * waits for a reader of the attribute, whose transfers all have timeouts.
 */
#include <linux/acpi.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "glue.h"
#include "slave.h"

#define SLAVE_FIXED_LINE	0x40
#define SLAVE_NAMED_LINE	7

/**
 * struct slave - what Linux knows of a device
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attribute at a time
 */
struct slave {
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attribute at a time */
};

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct slave *slave = dev_get_drvdata(dev);
	SLAVE_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&slave->lock))
		return -ERESTARTSYS;
	status = SlaveRunTransfers(slave->device_object, &report);
	mutex_unlock(&slave->lock);

	ok = NT_SUCCESS(status) && !report.Mismatches && !report.Surprises;
	return sysfs_emit(buf,
			  "bytes=%llu\ntransfers=%u\nelements=%u\n"
			  "periods=%u\ncancelled=%u\nmismatches=%u\n"
			  "checks=%u\nsurprises=%u\nsurprise=%s\n"
			  "status=0x%08x\nverdict=%s\n",
			  report.Bytes, report.Transfers, report.Elements,
			  report.Periods, report.Cancelled, report.Mismatches,
			  report.Checks, report.Surprises,
			  report.Surprise ?: "none", (u32)status,
			  ok ? "ok" : "failed");
}
static DEVICE_ATTR_ADMIN_RO(transfer);

static struct attribute *slave_attrs[] = {
	&dev_attr_transfer.attr,
	NULL
};
ATTRIBUTE_GROUPS(slave);

static const char * const slave_names[] = { "one" };

/* What a driver of Windows finds in its list of translated resources. */
static int slave_resources(struct device *dev, SLAVE_RESOURCES *resources)
{
	if (has_acpi_companion(dev)) {
		resources->FirstLine = SLAVE_FIXED_LINE;
		resources->SecondLine = SLAVE_FIXED_LINE + 1;
		resources->OtherLine = SLAVE_FIXED_LINE + 2;
		return 0;
	}
	resources->FirstLine = 0;
	resources->SecondLine = SLAVE_NAMED_LINE;
	/* One beyond those that dma-names has. */
	resources->OtherLine = ARRAY_SIZE(slave_names);
	return ntdma_device_channel(dev, SLAVE_NAMED_LINE, "two", NULL);
}

/* Instead of remove(), whose type is not the same in all kernels. */
static void slave_stop(void *data)
{
	struct slave *slave = data;

	SlaveStopDevice(slave->device_object);
	ntdma_device_destroy(slave->device_object);
}

static int slave_probe(struct platform_device *pdev)
{
	SLAVE_RESOURCES resources;
	struct slave *slave;
	int rc;

	rc = slave_resources(&pdev->dev, &resources);
	if (rc)
		return rc;
	slave = devm_kzalloc(&pdev->dev, sizeof(*slave), GFP_KERNEL);
	if (!slave)
		return -ENOMEM;
	mutex_init(&slave->lock);
	slave->device_object = ntdma_device_create(&pdev->dev,
						   sizeof(SLAVE_EXTENSION));
	if (!slave->device_object)
		return -ENOMEM;

	SlaveAddDevice(slave->device_object);
	rc = ntdma_errno(SlaveStartDevice(slave->device_object, &resources));
	if (rc) {
		ntdma_device_destroy(slave->device_object);
		return rc;
	}
	platform_set_drvdata(pdev, slave);
	return devm_add_action_or_reset(&pdev->dev, slave_stop, slave);
}

/* No MODULE_DEVICE_TABLE: the sample is inserted by hand. */
static const struct acpi_device_id slave_ids[] = {
	{ "NTDM0001" },
	{ }
};

static struct platform_driver slave_driver = {
	.driver = {
		.name = "slave_wdm",
		.acpi_match_table = slave_ids,
		.dev_groups = slave_groups,
	},
	.probe = slave_probe,
};

static const struct property_entry slave_properties[] = {
	PROPERTY_ENTRY_STRING_ARRAY("dma-names", slave_names),
	{ }
};

static const struct platform_device_info slave_info = {
	.name = "slave_wdm",
	.id = PLATFORM_DEVID_NONE,
	.properties = slave_properties,
	.dma_mask = DMA_BIT_MASK(32),
};

static struct platform_device *slave_device;

static int __init slave_init(void)
{
	int rc;

	rc = platform_driver_register(&slave_driver);
	if (rc)
		return rc;
	slave_device = platform_device_register_full(&slave_info);
	rc = PTR_ERR_OR_ZERO(slave_device);
	if (rc)
		platform_driver_unregister(&slave_driver);
	return rc;
}

static void __exit slave_exit(void)
{
	platform_device_unregister(slave_device);
	platform_driver_unregister(&slave_driver);
}

module_init(slave_init);
module_exit(slave_exit);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for a DMA slave");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
