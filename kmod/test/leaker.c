// SPDX-License-Identifier: GPL-2.0
/*
 * ntdma_leak.ko: a client that does not drive its device and gives nothing
 * back. Once it is unloaded its adapter, its buffer and the request that
 * waits to call into it must be gone.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include "../compat.h"
#include "../glue.h"

static PDEVICE_OBJECT leak_object;
static struct pci_dev *leak_pdev;

static IO_ALLOCATION_ACTION leak_routine(PDEVICE_OBJECT object, PIRP irp,
					 PVOID base, PVOID context)
{
	return KeepObject;
}

static bool leak(void)
{
	DEVICE_DESCRIPTION dd = {
		.Version = DEVICE_DESCRIPTION_VERSION2,
		.Master = TRUE,
		.ScatterGather = TRUE,
		.Dma64BitAddresses = TRUE,
		.MaximumLength = 65536,
	};
	PHYSICAL_ADDRESS logical;
	PDMA_OPERATIONS ops;
	PDMA_ADAPTER adapter;
	ULONG registers;
	int i;

	adapter = IoGetDmaAdapter(leak_object, &dd, &registers);
	if (!adapter)
		return false;
	ops = adapter->DmaOperations;
	for (i = 0; i < 2; i++)
		if (ops->AllocateAdapterChannel(adapter, leak_object, 1,
						leak_routine, NULL))
			return false;
	return ops->AllocateCommonBuffer(adapter, 1, &logical, TRUE);
}

static int __init leak_init(void)
{
	leak_pdev = pci_get_device(0x1234, 0x11e8, NULL);
	if (!leak_pdev)
		return -ENODEV;
	leak_object = ntdma_device_create(&leak_pdev->dev, 0);
	if (leak_object && leak())
		return 0;
	if (leak_object)
		ntdma_device_destroy(leak_object);
	pci_dev_put(leak_pdev);
	return -ENOMEM;
}

static void __exit leak_exit(void)
{
	ntdma_device_destroy(leak_object);
	pci_dev_put(leak_pdev);
}

module_init(leak_init);
module_exit(leak_exit);

MODULE_DESCRIPTION("client of ntdma that gives nothing back");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
