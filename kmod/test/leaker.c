// SPDX-License-Identifier: GPL-2.0
/*
 * ntdma_leak.ko: a client that does not drive its device and gives nothing
 * back. Once it is unloaded its adapter, its buffers, one of which is its own
 * memory, its list, what it mapped under its registers, and the request that
 * waits to call into it must be gone. It also frees what it never had, which is
 * to be reported in verify mode only.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include "../compat.h"
#include "../glue.h"

static PDEVICE_OBJECT leak_object;
static struct pci_dev *leak_pdev;

static u8 leak_page[PAGE_SIZE] __aligned(PAGE_SIZE);
static PMDL leak_mdl;

/* A page for the list, and one for the registers */
static u8 leak_memory[2 * PAGE_SIZE] __aligned(PAGE_SIZE);
static PMDL leak_memory_mdl;

static unsigned int objects;
module_param(objects, uint, 0444);
MODULE_PARM_DESC(objects, "what it has that it will not give back (read only)");

/* A platform may share no page of ours: there is one buffer less then. */
static bool leak_buffers(PDMA_ADAPTER adapter)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 }, logical;
	PDMA_OPERATIONS ops = adapter->DmaOperations;
	PDMA_COMMON_BUFFER_VECTOR vector;

	if (!ops->CreateCommonBufferFromMdl(adapter, leak_mdl, NULL, 0,
					    &logical))
		objects++;
	objects += 2;
	return !ops->AllocateCommonBufferVector(adapter, low, high, MmCached,
						0, 0, 20, 500, &vector) &&
	       ops->AllocateCommonBuffer(adapter, 1, &logical, TRUE);
}

static VOID leak_list_routine(PDEVICE_OBJECT object, PIRP irp,
			      PSCATTER_GATHER_LIST list, PVOID context)
{
	*(PSCATTER_GATHER_LIST *)context = list;
}

static bool leak_list(PDMA_ADAPTER adapter)
{
	PDMA_OPERATIONS ops = adapter->DmaOperations;
	PSCATTER_GATHER_LIST list = NULL;
	NTSTATUS status;

	status = ops->GetScatterGatherList(adapter, leak_object,
					   leak_memory_mdl, leak_memory,
					   PAGE_SIZE, leak_list_routine, &list,
					   FALSE);
	objects++;
	return !status && list;
}

static IO_ALLOCATION_ACTION leak_routine(PDEVICE_OBJECT object, PIRP irp,
					 PVOID base, PVOID context)
{
	*(PVOID *)context = base;
	return KeepObject;
}

/* Registers with a page mapped, and another request that waits for them. */
static bool leak_registers(PDMA_ADAPTER adapter)
{
	PDMA_OPERATIONS ops = adapter->DmaOperations;
	ULONG length = PAGE_SIZE;
	static PVOID base;
	int i;

	base = NULL;
	for (i = 0; i < 2; i++)
		if (ops->AllocateAdapterChannel(adapter, leak_object, 1,
						leak_routine, &base))
			return false;
	objects += 2;
	if (!base)
		return false;
	ops->MapTransfer(adapter, leak_memory_mdl, base,
			 leak_memory + PAGE_SIZE, &length, FALSE);
	return length;
}

static PMDL leak_mdl_of(void *memory, ULONG size)
{
	PMDL mdl = IoAllocateMdl(memory, size, FALSE, FALSE, NULL);

	if (mdl)
		MmBuildMdlForNonPagedPool(mdl);
	return mdl;
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
	PDMA_ADAPTER adapter;
	ULONG registers;

	adapter = IoGetDmaAdapter(leak_object, &dd, &registers);
	if (!adapter)
		return false;
	objects++;
	adapter->DmaOperations->FreeMapRegisters(adapter, leak_page, 1);
	leak_mdl = leak_mdl_of(leak_page, sizeof(leak_page));
	leak_memory_mdl = leak_mdl_of(leak_memory, sizeof(leak_memory));
	if (!leak_mdl || !leak_memory_mdl)
		return false;
	/* The list first, as it would have to wait for the channel. */
	return leak_list(adapter) && leak_registers(adapter) &&
	       leak_buffers(adapter);
}

static void leak_mdl_free(void)
{
	if (leak_mdl)
		IoFreeMdl(leak_mdl);
	if (leak_memory_mdl)
		IoFreeMdl(leak_memory_mdl);
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
