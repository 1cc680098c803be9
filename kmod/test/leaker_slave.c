// SPDX-License-Identifier: GPL-2.0
/*
 * ntdma_leak_slave.ko: a client that does not drive its device, has a DMA
 * controller move data into its own memory, and gives nothing back. Once it is
 * unloaded the controller must no longer touch the memory nor anybody call the
 * completion routine: neither is there any more.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include "../compat.h"
#include "../glue.h"
#include "../sysdma.h"

#define LEAK_BUFFER	0x40000	/* the edu device's, for its controller */
#define LEAK_LENGTH	3000

static unsigned int commands;
module_param(commands, uint, 0444);
MODULE_PARM_DESC(commands, "the transfer stands still after as many (0)");

static struct device *leak_device;
static PDEVICE_OBJECT leak_object;
static PVOID leak_base;
static PMDL leak_mdl;
static u8 leak_page[PAGE_SIZE] __aligned(PAGE_SIZE);
static u8 leak_context[DMA_TRANSFER_CONTEXT_SIZE_V1] __aligned(8);
static int leak_calls;

static IO_ALLOCATION_ACTION leak_routine(PDEVICE_OBJECT object, PIRP irp,
					 PVOID base, PVOID context)
{
	leak_base = base;
	return KeepObject;
}

static void leak_done(PDMA_ADAPTER adapter, PDEVICE_OBJECT object,
		      PVOID context, DMA_COMPLETION_STATUS status)
{
	leak_calls++;
}

/* Nobody else uses the channel: it is granted before the return. */
static bool leak_start(PDMA_ADAPTER adapter)
{
	struct ntdma_channel_blob blob = {
		.data = &commands,
		.size = sizeof(commands),
	};
	PDMA_OPERATIONS ops = adapter->DmaOperations;
	ULONG length = LEAK_LENGTH;
	NTSTATUS status;
	KIRQL irql;

	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	status = ops->InitializeDmaTransferContext(adapter, leak_context);
	if (!status)
		status = ops->AllocateAdapterChannelEx(adapter, leak_object,
						       leak_context, 1, 0,
						       leak_routine, NULL,
						       NULL);
	if (!status && leak_base)
		status = ops->ConfigureAdapterChannel(adapter,
					NTDMA_CHANNEL_PERIPHERAL, &blob);
	if (!status && leak_base)
		status = ops->MapTransferEx(adapter, leak_mdl, leak_base, 0, 0,
					    &length, FALSE, NULL, 0, leak_done,
					    NULL);
	KeLowerIrql(irql);
	return !status && leak_base && length == LEAK_LENGTH;
}

static bool leak(void)
{
	DEVICE_DESCRIPTION dd = {
		.Version = DEVICE_DESCRIPTION_VERSION3,
		.InterfaceType = ACPIBus,
		.DmaWidth = Width8Bits,
		.MaximumLength = PAGE_SIZE,
		.DeviceAddress.QuadPart = LEAK_BUFFER,
	};
	PDMA_ADAPTER adapter;
	ULONG registers;

	leak_mdl = IoAllocateMdl(leak_page, LEAK_LENGTH, FALSE, FALSE, NULL);
	if (!leak_mdl)
		return false;
	MmBuildMdlForNonPagedPool(leak_mdl);
	adapter = IoGetDmaAdapter(leak_object, &dd, &registers);
	return adapter && leak_start(adapter);
}

static void leak_forget(void)
{
	if (leak_mdl)
		IoFreeMdl(leak_mdl);
	if (leak_object)
		ntdma_device_destroy(leak_object);
	put_device(leak_device);
}

static int __init leak_init(void)
{
	leak_device = bus_find_device_by_name(&platform_bus_type, NULL,
					      "slave_wdm");
	if (!leak_device)
		return -ENODEV;
	leak_object = ntdma_device_create(leak_device, 0);
	if (leak_object && leak())
		return 0;
	leak_forget();
	return -EIO;
}

static void __exit leak_exit(void)
{
	leak_forget();
}

module_init(leak_init);
module_exit(leak_exit);

MODULE_DESCRIPTION("client of ntdma that leaves a transfer under way");
MODULE_LICENSE("GPL");
NTDMA_IMPORT;
