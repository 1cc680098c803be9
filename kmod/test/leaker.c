// SPDX-License-Identifier: GPL-2.0
/*
 * ntdma_leak.ko: a client that does not drive its device and gives nothing
 * back. Once it is unloaded its adapter, its buffers, one of which is its own
 * memory, and the request that waits to call into it must be gone.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include "../compat.h"
#include "../glue.h"

static PDEVICE_OBJECT leak_object;
static struct pci_dev *leak_pdev;

static u8 leak_page[PAGE_SIZE] __aligned(PAGE_SIZE);
static PMDL leak_mdl;

/* A platform may share no page of ours: there is one buffer less then. */
static bool leak_buffers(PDMA_ADAPTER adapter)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 }, logical;
	PDMA_OPERATIONS ops = adapter->DmaOperations;
	PDMA_COMMON_BUFFER_VECTOR vector;

	leak_mdl = IoAllocateMdl(leak_page, PAGE_SIZE, FALSE, FALSE, NULL);
	if (!leak_mdl)
		return false;
	MmBuildMdlForNonPagedPool(leak_mdl);
	ops->CreateCommonBufferFromMdl(adapter, leak_mdl, NULL, 0, &logical);
	return !ops->AllocateCommonBufferVector(adapter, low, high, MmCached,
						0, 0, 20, 500, &vector) &&
	       ops->AllocateCommonBuffer(adapter, 1, &logical, TRUE);
}

static IO_ALLOCATION_ACTION leak_routine(PDEVICE_OBJECT object, PIRP irp,
					 PVOID base, PVOID context)
{
	return KeepObject;
}

static bool leak(void)
{
	DEVICE_DESCRIPTION dd = {
		.Version = DEVICE_DESCRIPTION_VERSION3,
		.Master = TRUE,
		.ScatterGather = TRUE,
		.DmaAddressWidth = 64,
		.MaximumLength = 65536,
	};
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
	return leak_buffers(adapter);
}

static void leak_mdl_free(void)
{
	if (leak_mdl)
		IoFreeMdl(leak_mdl);
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
	leak_mdl_free();
	pci_dev_put(leak_pdev);
	return -ENOMEM;
}

static void __exit leak_exit(void)
{
	ntdma_device_destroy(leak_object);
	leak_mdl_free();
	pci_dev_put(leak_pdev);
}

module_init(leak_init);
module_exit(leak_exit);

MODULE_DESCRIPTION("client of ntdma that gives nothing back");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
