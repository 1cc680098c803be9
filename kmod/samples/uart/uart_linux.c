// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux half of the UART driver: a platform driver that hands the device to
 * the WDM half in uart_wdm.c, as the PnP manager and the I/O manager of Windows
 * do.
 *
 * The device tree gives the device the compatible "ntdma,s5p-uart" and names its
 * channels "rx" and "tx". A description of WDM knows numbers only: here
 * DmaRequestLine, the index into dma-names.
 *
 * The attribute "transfer" of a bound device runs the demonstration, for which
 * peer.sh must be at the other end of the line. Unbinding waits for a reader of
 * the attribute, whose transfers all have timeouts.
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
#include "uart.h"

/**
 * struct uart - what Linux knows of a device
 * @device_object: what the WDM half knows of it
 * @lock: one reader of the attribute at a time
 */
struct uart {
	PDEVICE_OBJECT device_object;
	struct mutex lock; /* one reader of the attribute at a time */
};

static ssize_t transfer_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct uart *uart = dev_get_drvdata(dev);
	UART_REPORT report;
	NTSTATUS status;
	bool ok;

	if (mutex_lock_interruptible(&uart->lock))
		return -ERESTARTSYS;
	status = UartRunTransfers(uart->device_object, &report);
	mutex_unlock(&uart->lock);

	ok = NT_SUCCESS(status) && !report.Mismatches && !report.Surprises;
	return sysfs_emit(buf,
			  "bytes=%llu\ntransfers=%u\nelements=%u\nperiods=%u\n"
			  "completions=%u\ncancelled=%u\nmismatches=%u\n"
			  "checks=%u\nsurprises=%u\nsurprise=%s\n"
			  "status=0x%08x\nverdict=%s\n",
			  report.Bytes, report.Transfers, report.Elements,
			  report.Periods, report.Completions, report.Cancelled,
			  report.Mismatches, report.Checks, report.Surprises,
			  report.Surprise ?: "none", (u32)status,
			  ok ? "ok" : "failed");
}
static DEVICE_ATTR_ADMIN_RO(transfer);

static struct attribute *uart_attrs[] = {
	&dev_attr_transfer.attr,
	NULL
};
ATTRIBUTE_GROUPS(uart);

/* What a driver of Windows finds in its list of translated resources. */
static int uart_resources(struct platform_device *pdev,
			  UART_RESOURCES *resources)
{
	struct resource *mem = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	int rx = device_property_match_string(&pdev->dev, "dma-names", "rx");
	int tx = device_property_match_string(&pdev->dev, "dma-names", "tx");

	if (!mem || rx < 0 || tx < 0)
		return -EINVAL;
	resources->RegistersBase.QuadPart = mem->start;
	resources->RegistersLength = resource_size(mem);
	resources->DmaBase.QuadPart = mem->start;
	resources->ReceiveChannel = rx;
	resources->SendChannel = tx;
	return 0;
}

static int uart_enable(struct platform_device *pdev, UART_RESOURCES *resources)
{
	struct clk *clk;

	clk = devm_clk_get_enabled(&pdev->dev, "uart");
	if (IS_ERR(clk))
		return PTR_ERR(clk);
	clk = devm_clk_get_enabled(&pdev->dev, "clk_uart_baud0");
	if (IS_ERR(clk))
		return PTR_ERR(clk);
	resources->ClockRate = clk_get_rate(clk);
	return 0;
}

/* Instead of remove(), whose type is not the same in all kernels. */
static void uart_stop(void *data)
{
	struct uart *uart = data;

	UartStopDevice(uart->device_object);
	ntdma_device_destroy(uart->device_object);
}

static int uart_probe(struct platform_device *pdev)
{
	UART_RESOURCES resources;
	struct uart *uart;
	int rc;

	rc = uart_resources(pdev, &resources);
	if (rc)
		return rc;
	rc = uart_enable(pdev, &resources);
	if (rc)
		return rc;

	uart = devm_kzalloc(&pdev->dev, sizeof(*uart), GFP_KERNEL);
	if (!uart)
		return -ENOMEM;
	mutex_init(&uart->lock);
	uart->device_object = ntdma_device_create(&pdev->dev,
						  sizeof(UART_EXTENSION));
	if (!uart->device_object)
		return -ENOMEM;

	UartAddDevice(uart->device_object);
	rc = ntdma_errno(UartStartDevice(uart->device_object, &resources));
	if (rc) {
		ntdma_device_destroy(uart->device_object);
		return rc;
	}
	platform_set_drvdata(pdev, uart);
	return devm_add_action_or_reset(&pdev->dev, uart_stop, uart);
}

/*
 * No MODULE_DEVICE_TABLE: the sample is inserted by hand, and the modpost of a
 * 64-bit machine does not know the size of a 32-bit table.
 */
static const struct of_device_id uart_ids[] = {
	{ .compatible = "ntdma,s5p-uart" },
	{ }
};

static struct platform_driver uart_driver = {
	.driver = {
		.name = "uart_wdm",
		.of_match_table = uart_ids,
		.dev_groups = uart_groups,
	},
	.probe = uart_probe,
};
module_platform_driver(uart_driver);

MODULE_DESCRIPTION("ntdma sample: a WDM style driver for Samsung's UART");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
