// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the SD host driver: a platform driver that hands the device
 * to the WDM half in sdhost_wdm.c, as the PnP manager and the I/O manager of
 * Windows do.
 *
 * The device tree gives the device the compatible "ntdma,bcm2835-sdhost" and
 * names its channel "rx-tx". A description of WDM knows numbers only: here
 * DmaRequestLine, the index into dma-names. The controller is on the same bus
 * as the device, and knows its registers by the address that is in the tree,
 * before the bus' parent translates it.
 *
 * The attribute "transfer" of a bound device runs the demonstration, which
 * needs a card that the image script has prepared. Unbinding waits for a reader
 * of the attribute, whose transfers all have timeouts.
 */
#include <linux/clk.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "glue.h"
#include "sdhost.h"

/**
 * struct sdhost - what Linux knows of a device
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attribute at a time
 */
struct sdhost {
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attribute at a time */
};

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct sdhost *sdhost = dev_get_drvdata(dev);
	SD_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&sdhost->lock))
		return -ERESTARTSYS;
	status = SdRunTransfers(sdhost->device_object, &report);
	mutex_unlock(&sdhost->lock);

	ok = NT_SUCCESS(status) && !report.Mismatches && !report.Surprises;
	return sysfs_emit(buf,
			  "bytes=%llu\ntransfers=%u\nelements=%u\n"
			  "completions=%u\ncancelled=%u\nmismatches=%u\n"
			  "checks=%u\nsurprises=%u\nsurprise=%s\n"
			  "status=0x%08x\nverdict=%s\n",
			  report.Bytes, report.Transfers, report.Elements,
			  report.Completions, report.Cancelled,
			  report.Mismatches, report.Checks, report.Surprises,
			  report.Surprise ?: "none", (u32)status,
			  ok ? "ok" : "failed");
}
static DEVICE_ATTR_ADMIN_RO(transfer);

static struct attribute *sdhost_attrs[] = {
	&dev_attr_transfer.attr,
	NULL
};
ATTRIBUTE_GROUPS(sdhost);

/* What a driver of Windows finds in its list of translated resources. */
static int sdhost_resources(struct platform_device *pdev,
			    SD_RESOURCES *resources)
{
	struct resource *mem = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	int line = device_property_match_string(&pdev->dev, "dma-names",
						"rx-tx");
	u32 address;

	if (!mem || line < 0 ||
	    device_property_read_u32(&pdev->dev, "reg", &address))
		return -EINVAL;
	resources->RegistersBase.QuadPart = mem->start;
	resources->RegistersLength = resource_size(mem);
	resources->DmaBase.QuadPart = address;
	resources->DmaRequestLine = line;
	return 0;
}

static int sdhost_enable(struct platform_device *pdev, SD_RESOURCES *resources)
{
	struct clk *clk = devm_clk_get_enabled(&pdev->dev, NULL);

	if (IS_ERR(clk))
		return PTR_ERR(clk);
	resources->ClockRate = clk_get_rate(clk);
	return 0;
}

/* Instead of remove(), whose type is not the same in all kernels. */
static void sdhost_stop(void *data)
{
	struct sdhost *sdhost = data;

	SdStopDevice(sdhost->device_object);
	ntdma_device_destroy(sdhost->device_object);
}

static int sdhost_probe(struct platform_device *pdev)
{
	SD_RESOURCES resources;
	struct sdhost *sdhost;
	int rc;

	rc = sdhost_resources(pdev, &resources);
	if (rc)
		return rc;
	rc = sdhost_enable(pdev, &resources);
	if (rc)
		return rc;

	sdhost = devm_kzalloc(&pdev->dev, sizeof(*sdhost), GFP_KERNEL);
	if (!sdhost)
		return -ENOMEM;
	mutex_init(&sdhost->lock);
	sdhost->device_object = ntdma_device_create(&pdev->dev,
						    sizeof(SD_EXTENSION));
	if (!sdhost->device_object)
		return -ENOMEM;

	SdAddDevice(sdhost->device_object);
	rc = ntdma_errno(SdStartDevice(sdhost->device_object, &resources));
	if (rc) {
		ntdma_device_destroy(sdhost->device_object);
		return rc;
	}
	platform_set_drvdata(pdev, sdhost);
	return devm_add_action_or_reset(&pdev->dev, sdhost_stop, sdhost);
}

/*
 * No MODULE_DEVICE_TABLE: the sample is inserted by hand, and the modpost of a
 * 64-bit machine does not know the size of a 32-bit table.
 */
static const struct of_device_id sdhost_ids[] = {
	{ .compatible = "ntdma,bcm2835-sdhost" },
	{ }
};

static struct platform_driver sdhost_driver = {
	.driver = {
		.name = "sdhost_wdm",
		.of_match_table = sdhost_ids,
		.dev_groups = sdhost_groups,
	},
	.probe = sdhost_probe,
};
module_platform_driver(sdhost_driver);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for a Raspberry Pi's SD host");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
