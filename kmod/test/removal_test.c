// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers that leave without giving back what they hold.
 *
 * A platform device with a driver of no use plays the device: it is unbound
 * in every state that a request can be in. Afterwards nothing may be alive,
 * nothing may have hung, and no routine may run any more. No IOMMU stands before
 * a platform device; where there is one it stands before the peer of the test
 * device, which then takes its place.
 */
#include <linux/delay.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/pfn.h>
#include <linux/platform_device.h>
#include <linux/swiotlb.h>
#include "../glue.h"
#include "buffer.h"
#include "hooks.h"
#include "rig.h"
#include "test.h"

#define VICTIM_LENGTH	(4 * (ULONG)PAGE_SIZE)
#define VICTIM_WAITERS	3

/**
 * struct victim - a device about to lose its driver
 * @t: the case
 * @pdev: the platform device
 * @dev: the device: @pdev, or the peer
 * @mask: its DMA mask before there was any adapter
 * @object: its device object
 * @adapter: an adapter of it
 * @ops: its table
 * @memory: a buffer
 * @mdl: describes it
 * @calls: routines that ran
 * @action: what channel routines return
 * @base: what the last of them was given
 * @list: what the last list routine was given
 * @contexts: for waiters
 */
struct victim {
	struct nttest *t;
	struct platform_device *pdev;
	struct device *dev;
	u64 mask;
	PDEVICE_OBJECT object;
	PDMA_ADAPTER adapter;
	PDMA_OPERATIONS ops;
	PVOID memory;
	PMDL mdl;
	int calls;
	IO_ALLOCATION_ACTION action;
	PVOID base;
	PSCATTER_GATHER_LIST list;
	u8 contexts[VICTIM_WAITERS][DMA_TRANSFER_CONTEXT_SIZE_V1];
};

static int victim_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver victim_driver = {
	.driver.name = "ntdma_victim",
	.probe = victim_probe,
};

static PDMA_ADAPTER victim_adapter(struct victim *v, bool sg)
{
	DEVICE_DESCRIPTION dd = {
		.Version = DEVICE_DESCRIPTION_VERSION3,
		.Master = TRUE,
		.ScatterGather = sg,
		.DmaAddressWidth = 32,
		.MaximumLength = VICTIM_LENGTH,
		.InterfaceType = ACPIBus,
	};
	ULONG registers;

	return IoGetDmaAdapter(v->object, &dd, &registers);
}

static bool victim_open(struct victim *v, bool sg)
{
	v->mask = dma_get_mask(v->dev);
	v->object = ntdma_device_create(v->dev, 0);
	if (!EXPECT(v->t, v->object))
		return false;
	v->adapter = victim_adapter(v, sg);
	if (!EXPECT(v->t, v->adapter))
		return false;
	v->ops = v->adapter->DmaOperations;
	v->memory = ExAllocatePoolWithTag(NonPagedPool, VICTIM_LENGTH, 1);
	if (!EXPECT(v->t, v->memory))
		return false;
	v->mdl = IoAllocateMdl(v->memory, VICTIM_LENGTH, FALSE, FALSE, NULL);
	if (!EXPECT(v->t, v->mdl))
		return false;
	MmBuildMdlForNonPagedPool(v->mdl);
	return true;
}

static int victim_init(struct nttest *t)
{
	struct victim *v = kzalloc(sizeof(*v), GFP_KERNEL);
	int err;

	if (!v)
		return -ENOMEM;
	v->t = t;
	t->priv = v;
	err = platform_driver_register(&victim_driver);
	if (err)
		goto free;
	v->pdev = platform_device_register_simple("ntdma_victim",
						  PLATFORM_DEVID_NONE, NULL,
						  0);
	err = PTR_ERR_OR_ZERO(v->pdev);
	if (!err) {
		v->dev = &v->pdev->dev;
		return 0;
	}
	platform_driver_unregister(&victim_driver);
free:
	kfree(v);
	return err;
}

static void victim_exit(struct nttest *t)
{
	struct victim *v = t->priv;

	platform_device_unregister(v->pdev);
	platform_driver_unregister(&victim_driver);
	if (v->object)
		ntdma_device_destroy(v->object);
	if (v->mdl)
		IoFreeMdl(v->mdl);
	if (v->memory)
		ExFreePool(v->memory);
	kfree(v);
}

/*
 * Takes the driver away; nothing but the MDL's memory may be left, and the device
 * is as it was before anybody else may have it.
 */
static void victim_unbind(struct victim *v, long before)
{
	int calls = v->calls;

	if (v->dev == &v->pdev->dev)
		device_release_driver(v->dev);
	else
		EXPECT(v->t, nttest_rebind(v->dev));
	/* What others had put before may have left only now. */
	EXPECT(v->t, v->mask != v->t->mask ||
	       dma_get_mask(v->dev) == v->mask);
	EXPECT_EQ(v->t, ntdma_live_objects(), before);
	EXPECT_EQ(v->t, v->calls, calls);
	EXPECT(v->t, v->dev != &v->pdev->dev || !v->dev->driver);
}

static IO_ALLOCATION_ACTION channel_routine(PDEVICE_OBJECT object, PIRP irp,
					    PVOID base, PVOID context)
{
	struct victim *v = context;

	v->calls++;
	v->base = base;
	return v->action;
}

static VOID list_routine(PDEVICE_OBJECT object, PIRP irp,
			 PSCATTER_GATHER_LIST list, PVOID context)
{
	struct victim *v = context;

	v->list = list;
	/* For who sees it from another processor. */
	smp_store_release(&v->calls, v->calls + 1);
}

static NTSTATUS victim_channel(struct victim *v, IO_ALLOCATION_ACTION action)
{
	v->action = action;
	return v->ops->AllocateAdapterChannel(v->adapter, v->object, 2,
					      channel_routine, v);
}

static NTSTATUS victim_list(struct victim *v)
{
	return v->ops->GetScatterGatherList(v->adapter, v->object, v->mdl,
					    v->memory, VICTIM_LENGTH,
					    list_routine, v, FALSE);
}

static NTSTATUS victim_wait(struct victim *v, PVOID context)
{
	v->ops->InitializeDmaTransferContext(v->adapter, context);
	return v->ops->AllocateAdapterChannelEx(v->adapter, v->object, context,
						1, 0, channel_routine, v,
						NULL);
}

static bool victim_map(struct victim *v, ULONG at)
{
	ULONG length = PAGE_SIZE;

	v->ops->MapTransfer(v->adapter, v->mdl, v->base, v->memory + at,
			    &length, FALSE);
	return length;
}

/* Whether the memory is a run of pages that the device reaches. */
static bool victim_run(struct victim *v)
{
	const PFN_NUMBER *pfn = MmGetMdlPfnArray(v->mdl);
	int i, last = mdl_pages(v->mdl, 0, VICTIM_LENGTH) - 1;

	for (i = 0; i < last; i++)
		if (pfn[i + 1] != pfn[i] + 1)
			return false;
	return PFN_PHYS(pfn[last] + 1) - 1 <= U32_MAX;
}

/* What lending the memory must answer here. */
static NTSTATUS victim_lent(struct victim *v)
{
	struct device *dev = v->dev;

	if (!dev_is_dma_coherent(dev))
		return STATUS_NOT_SUPPORTED;
	if (dma_get_merge_boundary(dev))
		return STATUS_SUCCESS;
	return victim_run(v) && !is_swiotlb_force_bounce(dev) &&
	       !ntdma_bounces_all() ? STATUS_SUCCESS :
				      STATUS_INVALID_PARAMETER;
}

static void restart(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct victim *v = t->priv;
	PHYSICAL_ADDRESS logical;
	PVOID va;
	int i;

	REQUIRE(t, victim_open(v, true));
	for (i = 0; i < 3; i++) {
		va = v->ops->AllocateCommonBuffer(v->adapter, 100, &logical,
						  TRUE);
		EXPECT(t, va);
		EXPECT_EQ(t, victim_list(v), STATUS_SUCCESS);
		v->ops->PutScatterGatherList(v->adapter, v->list, FALSE);
		v->ops->FreeCommonBuffer(v->adapter, 100, logical, va, TRUE);
		v->ops->PutDmaAdapter(v->adapter);
		v->adapter = victim_adapter(v, true);
		REQUIRE(t, v->adapter);
		v->ops = v->adapter->DmaOperations;
	}
	v->ops->PutDmaAdapter(v->adapter);
	victim_unbind(v, before);
}

static void adapters(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct victim *v = t->priv;

	REQUIRE(t, victim_open(v, true));
	EXPECT(t, victim_adapter(v, true));
	EXPECT(t, victim_adapter(v, false));
	victim_unbind(v, before);
}

static void lists(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct victim *v = t->priv;

	REQUIRE(t, victim_open(v, true));
	EXPECT_EQ(t, victim_list(v), STATUS_SUCCESS);
	EXPECT_EQ(t, v->calls, 1);
	victim_unbind(v, before);
}

static void orphans(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct victim *v = t->priv;

	REQUIRE(t, victim_open(v, false));
	EXPECT_EQ(t, victim_list(v), STATUS_SUCCESS);
	v->ops->PutDmaAdapter(v->adapter);
	EXPECT_EQ(t, ntdma_live_objects(), before + 1);
	victim_unbind(v, before);
}

static void buffers(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct victim *v = t->priv;
	PHYSICAL_ADDRESS logical;

	REQUIRE(t, victim_open(v, true));
	EXPECT(t, v->ops->AllocateCommonBuffer(v->adapter, 3 * PAGE_SIZE,
					       &logical, TRUE));
	EXPECT(t, v->ops->AllocateCommonBuffer(v->adapter, 1, &logical,
					       FALSE));
	victim_unbind(v, before);
}

/* The memory of the MDL is nobody's but the client's, before and after. */
static void other_buffers(struct nttest *t)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 }, logical;
	PDMA_COMMON_BUFFER_VECTOR vector = NULL;
	long before = ntdma_live_objects();
	struct victim *v = t->priv;

	REQUIRE(t, victim_open(v, true));
	EXPECT_EQ(t, STATUS_SUCCESS,
		  v->ops->AllocateCommonBufferVector(v->adapter, low, high,
						     MmCached, 0, 0, 40, 300,
						     &vector));
	v->ops->FreeCommonBufferFromVector(v->adapter, vector, 17);
	low.QuadPart = PAGE_SIZE;
	EXPECT(t, v->ops->AllocateCommonBufferWithBounds(v->adapter, &low, NULL,
							 1, 0, NULL, 0,
							 &logical));
	memset(v->memory, 0x26, VICTIM_LENGTH);
	EXPECT_EQ(t, victim_lent(v),
		  v->ops->CreateCommonBufferFromMdl(v->adapter, v->mdl, NULL,
						    0, &logical));
	victim_unbind(v, before);
	EXPECT(t, !memchr_inv(v->memory, 0x26, VICTIM_LENGTH));
}

static void mapped(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct victim *v = t->priv;

	REQUIRE(t, victim_open(v, true));
	EXPECT_EQ(t, victim_channel(v, DeallocateObjectKeepRegisters),
		  STATUS_SUCCESS);
	EXPECT(t, victim_map(v, 0));
	EXPECT_EQ(t, victim_channel(v, KeepObject), STATUS_SUCCESS);
	EXPECT(t, victim_map(v, PAGE_SIZE));
	EXPECT_EQ(t, v->calls, 2);
	victim_unbind(v, before);
}

static void waiting(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct victim *v = t->priv;
	int i;

	REQUIRE(t, victim_open(v, false));
	EXPECT_EQ(t, victim_channel(v, KeepObject), STATUS_SUCCESS);
	EXPECT(t, victim_map(v, 0));
	for (i = 0; i < VICTIM_WAITERS; i++)
		EXPECT_EQ(t, victim_wait(v, v->contexts[i]), STATUS_SUCCESS);
	EXPECT_EQ(t, victim_list(v), STATUS_SUCCESS);
	EXPECT_EQ(t, v->calls, 1);
	victim_unbind(v, before);
}

/* The peer instead, which an IOMMU stands before. */
static void behind_iommu(struct nttest *t, void (*run)(struct nttest *t))
{
	struct victim *v = t->priv;

	if (!t->peer || !dma_get_merge_boundary(t->peer)) {
		nttest_skip(t, "no IOMMU, or no other device");
		return;
	}
	v->dev = t->peer;
	run(t);
}

static void iommu_lists(struct nttest *t)
{
	behind_iommu(t, lists);
}

static void iommu_buffers(struct nttest *t)
{
	behind_iommu(t, other_buffers);
}

static void iommu_mapped(struct nttest *t)
{
	behind_iommu(t, mapped);
}

static void iommu_waiting(struct nttest *t)
{
	behind_iommu(t, waiting);
}

/* The device goes on after its driver has left; the IOMMU stops it. */
static void running(struct nttest *t)
{
	DECLARE_COMPLETION_ONSTACK(gate);
	long before = ntdma_live_objects();
	struct victim *v = t->priv;
	struct bus bus = { .dev = v->dev, .last = U32_MAX };
	struct bus_post post = {
		.bus = &bus, .size = VICTIM_LENGTH, .to_memory = true,
		.gate = &gate,
	};

	REQUIRE(t, victim_open(v, true));
	post.buf = kvmalloc(VICTIM_LENGTH, GFP_KERNEL);
	REQUIRE(t, post.buf);
	memset(post.buf, 0x27, VICTIM_LENGTH);
	memset(v->memory, 0x26, VICTIM_LENGTH);
	EXPECT_EQ(t, victim_list(v), STATUS_SUCCESS);
	if (EXPECT(t, v->calls) && EXPECT(t, bus_post(&post, v->list))) {
		victim_unbind(v, before);
		complete(&gate);
		if (!EXPECT(t, bus_over(&post)))
			return;
		EXPECT_EQ(t, post.moved, -EFAULT);
		EXPECT(t, !memchr_inv(v->memory, 0x26, VICTIM_LENGTH));
	}
	kvfree(post.buf);
}

static void iommu_running(struct nttest *t)
{
	behind_iommu(t, running);
}

static void unbound(struct nttest *t)
{
	struct victim *v = t->priv;

	v->object = ntdma_device_create(&v->pdev->dev, 0);
	REQUIRE(t, v->object);
	device_release_driver(&v->pdev->dev);
	EXPECT(t, !victim_adapter(v, true));
	REQUIRE(t, !device_attach(&v->pdev->dev) || v->pdev->dev.driver);
	v->adapter = victim_adapter(v, true);
	REQUIRE(t, v->adapter);
	v->adapter->DmaOperations->PutDmaAdapter(v->adapter);
}

/* A mapping that fails while the driver goes: nobody is to try it again. */

/**
 * struct failing - what holds up the mapping
 * @entered: it has begun to fail
 * @going: the removal begins
 * @live: objects of ntdma that are left once the channel is closed
 * @patience: milliseconds to wait for that
 * @status: what the thread that asks was answered
 * @done: that it was
 */
static struct failing {
	bool entered;
	bool going;
	long live;
	int patience;
	NTSTATUS status;
	struct completion done;
} failing;

/* At DISPATCH_LEVEL: whoever else is on this processor has to wait. */
static void failing_hook(void)
{
	ktime_t end = ktime_add_ms(ktime_get(), RIG_PATIENCE / 2);

	if (xchg(&failing.entered, true))
		return;
	while (!READ_ONCE(failing.going) && ktime_before(ktime_get(), end))
		cpu_relax();
	end = ktime_add_ms(ktime_get(), failing.patience);
	while (ntdma_live_objects() > failing.live &&
	       ktime_before(ktime_get(), end))
		cpu_relax();
}

static int failing_done(void *arg)
{
	struct victim *v = arg;

	/* With the list, which is older. */
	return smp_load_acquire(&v->calls);
}

static int failing_thread(void *arg)
{
	failing.status = victim_list(arg);
	kthread_complete_and_exit(&failing.done, 0);
}

/* Asks for a list on another processor than this one. */
static bool failing_ask(struct victim *v)
{
	struct task_struct *thread = kthread_create(failing_thread, v,
						    "ntdma_asks");

	if (!EXPECT(v->t, !IS_ERR(thread)))
		return false;
	init_completion(&failing.done);
	kthread_bind(thread, cpumask_any_but(cpu_online_mask,
					     raw_smp_processor_id()));
	wake_up_process(thread);
	return true;
}

static NTSTATUS failing_answer(void)
{
	wait_for_completion(&failing.done);
	return failing.status;
}

static bool failing_open(struct victim *v)
{
	bool open;

	if (num_online_cpus() < 2) {
		nttest_skip(v->t, "needs two CPUs");
		return false;
	}
	failing = (struct failing) { .live = ntdma_live_objects() };
	ntdma_fail_expect(true);
	open = victim_open(v, true);
	ntdma_fail_expect(false);
	return open;
}

/* No timer would wake this if the hook was on the same processor. */
static void failing_unbind(struct victim *v)
{
	ktime_t end = ktime_add_ms(ktime_get(), RIG_PATIENCE);

	while (!READ_ONCE(failing.entered) && ktime_before(ktime_get(), end))
		cond_resched();
	EXPECT(v->t, failing.entered);
	WRITE_ONCE(failing.going, true);
	victim_unbind(v, failing.live);
}

/* Who waits is tried again, on some processor. */
static void failing_waits(struct nttest *t, struct victim *v)
{
	ntdma_fail_nth(-2);
	if (!failing_ask(v))
		return;
	EXPECT_EQ(t, failing_answer(), STATUS_SUCCESS);
	if (v->calls) {
		ntdma_fail_nth(0);
		v->ops->PutScatterGatherList(v->adapter, v->list, FALSE);
		nttest_skip(t, "every page is copied");
		return;
	}
	/* The removal waits for the end of this before it goes on. */
	failing.patience = 500;
	ntdma_fail_call(failing_hook);
	failing_unbind(v);
	ntdma_fail_nth(0);
	msleep(200);
	EXPECT_EQ(t, v->calls, 0);
}

static void retried(struct nttest *t)
{
	struct victim *v = t->priv;

	if (failing_open(v))
		failing_waits(t, v);
}

static void failing_comes(struct nttest *t, struct victim *v)
{
	/* Whether mappings fail here at all. */
	ntdma_fail_nth(-2);
	EXPECT_EQ(t, victim_list(v), STATUS_SUCCESS);
	if (v->calls)
		nttest_skip(t, "every page is copied");
	ntdma_fail_nth(0);
	REQUIRE(t, rig_wait(failing_done, v));
	v->ops->PutScatterGatherList(v->adapter, v->list, FALSE);
	if (t->skipped)
		return;
	failing.patience = RIG_PATIENCE / 2;
	ntdma_fail_call(failing_hook);
	ntdma_fail_nth(-2);
	if (!failing_ask(v))
		return;
	failing_unbind(v);
	EXPECT_EQ(t, failing_answer(), STATUS_NO_SUCH_DEVICE);
	EXPECT_EQ(t, v->calls, 1);
}

/* One that is tried for the first time, by somebody who comes too late. */
static void refused(struct nttest *t)
{
	struct victim *v = t->priv;

	migrate_disable();
	if (failing_open(v))
		failing_comes(t, v);
	migrate_enable();
}

static const struct nttest_case cases[] = {
	{ "S26 stop and start again", restart },
	{ "S26 unbound with adapters alive", adapters },
	{ "S26 unbound with a list mapped", lists },
	{ "S26 unbound with a list of an adapter that was put", orphans },
	{ "S26 unbound with common buffers alive", buffers },
	{ "S26 unbound with a vector, bounds and memory of an MDL alive",
	  other_buffers },
	{ "S26 unbound with the channel held and registers mapped", mapped },
	{ "S26 unbound with requests waiting", waiting },
	{ "S26 unbound behind an IOMMU with a list mapped", iommu_lists },
	{ "S26 unbound behind an IOMMU with buffers alive", iommu_buffers },
	{ "S26 unbound behind an IOMMU with registers mapped", iommu_mapped },
	{ "S26 unbound behind an IOMMU with requests waiting", iommu_waiting },
	{ "S26 unbound while the device runs", iommu_running },
	{ "S26 unbound while a list that waits cannot be mapped", retried },
	{ "S26 unbound while a new list cannot be mapped", refused },
	{ "S26 no adapter without a driver", unbound },
	{ }
};

const struct nttest_suite nttest_removal = {
	.name = "removal",
	.init = victim_init,
	.exit = victim_exit,
	.cases = cases,
};
