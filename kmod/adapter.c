// SPDX-License-Identifier: GPL-2.0
/*
 * Adapters: from a device description to a working table, and back.
 *
 * Model: an adapter is one client's view of one device. Its back end and its
 * limits are chosen once, from what the DMA API says about the device under
 * the mask that the description asks for:
 *
 *   the DMA API merges pages       IOMMU
 *   every page would be bounced    BOUNCE, all of them
 *   the device misses some memory  BOUNCE, what it misses
 *   otherwise                      DIRECT
 *
 * Life: the client holds one reference, every request, list, set of registers
 * and buffer holds one more. PutDmaAdapter may come while such objects are
 * alive and where nothing may sleep; what the adapter owns is freed by work
 * once the last reference is gone.
 *
 * The client may change all of the DMA_ADAPTER, the table pointer included,
 * so nothing is ever read from there.
 */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "domain.h"
#include "engine.h"
#include "glue.h"
#include "isa.h"

#define NTDMA_WIDTH_MIN	24	/* the reach of ISA, the least there is */
#define NTDMA_RESERVE	64	/* least pages for mappings that fail */

static DEFINE_MUTEX(ntdma_shared_lock);	/* pools of engines */

const char *const ntdma_backend_names[] = {
	[NTDMA_DIRECT] = "direct",
	[NTDMA_IOMMU] = "iommu",
	[NTDMA_BOUNCE] = "bounce",
};

/* The version of a description, whose older forms end before the new fields. */
static u8 ntdma_describe_version(const DEVICE_DESCRIPTION *description)
{
	switch (description->Version) {
	case DEVICE_DESCRIPTION_VERSION:
	case DEVICE_DESCRIPTION_VERSION1:
		return 1;
	case DEVICE_DESCRIPTION_VERSION2:
		return 2;
	case DEVICE_DESCRIPTION_VERSION3:
		return 3;
	default:
		return 0;
	}
}

static bool ntdma_describe_pci(const DEVICE_DESCRIPTION *description,
			       struct device *dev)
{
	return description->InterfaceType == PCIBus ||
	       (description->InterfaceType == InterfaceTypeUndefined &&
		dev_is_pci(dev));
}

/* Address bits, 0 for a description that is not valid (EC-10 to EC-14). */
static u8 ntdma_describe_width(const DEVICE_DESCRIPTION *description,
			       struct device *dev)
{
	if (description->Version == DEVICE_DESCRIPTION_VERSION3) {
		if (description->DmaAddressWidth < NTDMA_WIDTH_MIN ||
		    description->DmaAddressWidth > 64)
			return 0;
		return description->DmaAddressWidth;
	}
	if (description->Dma64BitAddresses)
		return 64;
	if (description->ScatterGather && ntdma_describe_pci(description, dev))
		return 32;
	return description->Dma32BitAddresses ? 32 : NTDMA_WIDTH_MIN;
}

static enum ntdma_backend ntdma_choose(struct ntdma_adapter *adapter)
{
	struct device *dev = adapter->dev;

	adapter->granule = dma_get_merge_boundary(dev);
	/* A limit means that the platform copies for devices it distrusts. */
	adapter->merge = adapter->granule &&
			 dma_max_mapping_size(dev) == SIZE_MAX;
	adapter->forced = ntdma_force_bounce;
	if (adapter->granule && !adapter->forced)
		return NTDMA_IOMMU;
	if (!adapter->granule && is_swiotlb_force_bounce(dev))
		adapter->forced = true;
	if (adapter->forced || dma_addressing_limited(dev) ||
	    adapter->mask < dma_get_required_mask(dev))
		return NTDMA_BOUNCE;
	return NTDMA_DIRECT;
}

static void ntdma_set_limits(struct ntdma_adapter *adapter)
{
	struct device *dev = adapter->dev;

	adapter->mask = min_not_zero(DMA_BIT_MASK(adapter->width),
				     dev->bus_dma_limit);
	adapter->boundary = dma_get_seg_boundary(dev);
	if (adapter->engine && adapter->engine->boundary)
		adapter->boundary = adapter->engine->boundary;
	/* An IOMMU aligns a run to its size: what is shorter does not cross. */
	adapter->max_seg = round_down(min_t(u64, dma_get_max_seg_size(dev) - 1,
					    adapter->boundary) + 1, PAGE_SIZE);
	if (adapter->engine && adapter->engine->max_seg)
		adapter->max_seg = min(adapter->max_seg,
				       round_down(adapter->engine->max_seg,
						  (u32)PAGE_SIZE));
	/* With 32 bits all ones may be no boundary, or one of 4 GiB. */
	if (BITS_PER_LONG == 64 && adapter->boundary == ULONG_MAX)
		adapter->boundary = U64_MAX;
	adapter->alignment = ntdma_device_coherent(dev) ? 1 :
			     max_t(u32, dma_get_cache_alignment(),
				   SMP_CACHE_BYTES);
	adapter->line = adapter->alignment;
	if (adapter->engine)
		adapter->alignment = max_t(u32, adapter->alignment,
					   adapter->port->width);
	if (ntdma_force_edges)
		adapter->line = max_t(u32, adapter->line, SMP_CACHE_BYTES);
	adapter->backend = ntdma_choose(adapter);
	adapter->entry_size = sizeof(struct ntdma_run);
	if (adapter->backend != NTDMA_IOMMU)
		return;
	adapter->entry_size = max_t(u32, adapter->entry_size,
				    sizeof(struct scatterlist));
	/* For a device that it distrusts the platform copies. */
	adapter->max_seg = min_t(u64, adapter->max_seg,
				 round_down(dma_max_mapping_size(dev),
					    PAGE_SIZE));
}

static struct ntdma_pool *ntdma_open_pool(struct ntdma_adapter *adapter,
					  u32 count, u32 room)
{
	struct ntdma_device *device = adapter->device;
	struct ntdma_pool *pool;
	u64 mask;

	mutex_lock(&device->lock);
	mask = ntdma_device_narrow(device, adapter->mask);
	pool = ntdma_pool_create(adapter->dev, count, 2, room, !adapter->sg,
				 adapter->boundary, adapter->mask);
	ntdma_device_restore(device, mask);
	mutex_unlock(&device->lock);
	return pool;
}

/* Slots for some transfers at a time, without taking all that is in reach. */
static u32 ntdma_pool_want(u32 maximum_length, u32 most)
{
	u32 need = ntdma_registers(maximum_length, most);

	return clamp_t(u64, 4ULL * need, need, most);
}

/* Slots that the pool should have, 0 where nothing is ever copied. */
static u32 ntdma_pool_size_of(const struct ntdma_adapter *adapter,
			      u32 maximum_length)
{
	u32 most = max(ntdma_pool_size >> PAGE_SHIFT, 2U);
	u32 want = ntdma_pool_want(maximum_length, most);

	if (adapter->counted)
		return want;
	return adapter->fallible ? min(max(want, NTDMA_RESERVE), most) : 0;
}

/*
 * As many as one block of memory describes for any routine. Behind an IOMMU also
 * not more than a quarter of what the device reaches: addresses are aligned to
 * the size of what they are for, and others need some.
 */
static u32 ntdma_most_registers(const struct ntdma_adapter *adapter)
{
	u32 most = max((ntdma_max_transfer >> PAGE_SHIFT) + 1, 2U);
	size_t each = 2 * adapter->entry_size + sizeof(SCATTER_GATHER_ELEMENT);

	most = min_t(size_t, most, (KMALLOC_MAX_SIZE - PAGE_SIZE) / each);
	if (adapter->backend == NTDMA_IOMMU)
		most = min_t(u64, most, adapter->mask >> (PAGE_SHIFT + 2));
	return most;
}

/*
 * The pool and the register count. No more are granted than the pool has slots,
 * but for version 3 where only failures need some: its lists may be large, and
 * the pool grows for whoever wants as many registers.
 */
static int ntdma_open_registers(struct ntdma_adapter *adapter,
				u32 maximum_length)
{
	u32 most = ntdma_most_registers(adapter);
	u32 want, room = 0;

	adapter->counted = adapter->backend == NTDMA_BOUNCE || !adapter->sg ||
			   adapter->line > 1;
	adapter->plain = !adapter->counted;
	adapter->fallible = adapter->backend == NTDMA_IOMMU ||
			    ntdma_fail_expected();
	want = ntdma_pool_size_of(adapter, maximum_length);
	if (!adapter->counted && adapter->version == 3)
		room = ntdma_registers(maximum_length, most);
	if (want) {
		adapter->pool = ntdma_open_pool(adapter, want, room);
		if (!adapter->pool)
			return -ENOMEM;
	}
	if (want && !room)
		most = min(most, ntdma_pool_largest(adapter->pool));
	if (!adapter->sg)
		most = min(most, adapter->max_seg >> PAGE_SHIFT);
	if (most < 2) {
		ntdma_pool_destroy(adapter->pool);
		return -EINVAL;
	}
	adapter->nregs = ntdma_registers(maximum_length, most);
	adapter->elements = adapter->sg ? adapter->nregs : 1;
	return 0;
}

/* The pool of a channel is made by the first adapter that needs one. */
static int ntdma_open_shared(struct ntdma_adapter *adapter)
{
	struct ntdma_engine *engine = adapter->engine;
	u32 count = max(ntdma_pool_size >> PAGE_SHIFT, 2U);
	bool want = adapter->counted || adapter->fallible;
	int ret = 0;

	/* No area waits for a stop, so one is enough, and that is one run. */
	if (!engine->sg && !engine->ops->synchronize)
		count = min(count, adapter->max_seg >> PAGE_SHIFT);
	mutex_lock(&ntdma_shared_lock);
	if (want && !engine->pool) {
		engine->pool = ntdma_pool_create(engine->dev, count, 2,
						 count, !engine->sg,
						 adapter->boundary,
						 adapter->mask);
		if (engine->pool)
			engine->channel.slots = engine->pool->count;
		else
			ret = -ENOMEM;
	}
	adapter->pool = engine->pool;
	mutex_unlock(&ntdma_shared_lock);
	return ret;
}

/* The channel's pool, the register count, and a list for the controller. */
static int ntdma_open_system(struct ntdma_adapter *adapter, u32 maximum_length)
{
	struct ntdma_engine *engine = adapter->engine;
	u32 most = ntdma_most_registers(adapter);
	int ret;

	adapter->counted = adapter->backend == NTDMA_BOUNCE || !engine->sg ||
			   adapter->line > 1;
	adapter->plain = !adapter->counted && adapter->sg;
	adapter->fallible = adapter->backend == NTDMA_IOMMU ||
			    ntdma_fail_expected();
	ret = ntdma_open_shared(adapter);
	if (ret)
		return ret;
	if (adapter->counted || adapter->fallible)
		most = min(most, ntdma_pool_largest(adapter->pool));
	if (!adapter->sg)
		most = min(most, adapter->max_seg >> PAGE_SHIFT);
	if (most < 2)
		return -EINVAL;
	/* MapTransfer takes all or nothing, and a page may be an element. */
	if (engine->sg_limit > 1 && adapter->version < 3)
		most = min(most, engine->sg_limit);
	adapter->nregs = ntdma_registers(maximum_length, most);
	adapter->elements = adapter->sg ? adapter->nregs : 1;
	if (adapter->sg && engine->sg_limit)
		adapter->elements = min(adapter->nregs, engine->sg_limit);
	if (!ntdma_fail_alloc())
		adapter->sgs = kvcalloc(adapter->nregs,
					2 * sizeof(*adapter->sgs), GFP_KERNEL);
	if (!adapter->sgs)
		return -ENOMEM;
	sg_init_table(adapter->sgs, adapter->nregs);
	sg_init_table(adapter->sgs + adapter->nregs, adapter->nregs);
	return 0;
}

static void ntdma_adapter_free(struct ntdma_adapter *adapter)
{
	percpu_ref_exit(&adapter->ref);
	free_percpu(adapter->stats);
	kvfree(adapter->sgs);
	ntdma_free(adapter->kept);
	ntdma_free(adapter->port);
	ntdma_free(adapter);
}

/* Gives up what @adapter has of its channel, or the pool of a bus master. */
static void ntdma_adapter_close(struct ntdma_adapter *adapter)
{
	if (!adapter->engine) {
		ntdma_pool_destroy(adapter->pool);
		return;
	}
	ntdma_engine_settle(adapter->engine);
	ntdma_engine_put(adapter->engine);
}

static void ntdma_adapter_work(struct work_struct *work)
{
	struct ntdma_adapter *adapter = container_of(work,
						     struct ntdma_adapter,
						     release);
	struct ntdma_device *device = adapter->device;

	cancel_delayed_work_sync(&adapter->grow);
	ntdma_channel_close(adapter);
	ntdma_domain_leave(adapter);
	ntdma_adapter_close(adapter);
	/* Until then a removal or a reader of the counters may look at it. */
	ntdma_device_leave(device, adapter);
	ntdma_adapter_free(adapter);
	ntdma_device_put(device);
}

static void ntdma_adapter_unused(struct percpu_ref *ref)
{
	struct ntdma_adapter *adapter = container_of(ref, struct ntdma_adapter,
						     ref);

	queue_work(ntdma_release_wq, &adapter->release);
}

static struct ntdma_adapter *ntdma_adapter_alloc(struct module *owner)
{
	struct ntdma_adapter *adapter;

	adapter = ntdma_alloc(sizeof(*adapter), GFP_KERNEL);
	if (!adapter)
		return NULL;
	adapter->owner = owner;
	INIT_WORK(&adapter->release, ntdma_adapter_work);
	INIT_DELAYED_WORK(&adapter->grow, ntdma_regs_grow);
	if (!ntdma_fail_alloc())
		adapter->stats = alloc_percpu(struct ntdma_stats);
	if (!adapter->stats)
		goto free_adapter;
	if (ntdma_fail_alloc() ||
	    percpu_ref_init(&adapter->ref, ntdma_adapter_unused, 0, GFP_KERNEL))
		goto free_stats;
	return adapter;

free_stats:
	free_percpu(adapter->stats);
free_adapter:
	ntdma_free(adapter);
	return NULL;
}

/* Bytes of the data register, 0 for none that there is. */
static u8 ntdma_describe_unit(const DEVICE_DESCRIPTION *description)
{
	switch (description->DmaWidth) {
	case Width8Bits:
	case Width16Bits:
	case Width32Bits:
	case Width64Bits:
		return 1 << description->DmaWidth;
	default:
		return 0;
	}
}

static int ntdma_adapter_port(struct ntdma_adapter *adapter,
			      const DEVICE_DESCRIPTION *description)
{
	struct ntdma_port *port = ntdma_alloc(sizeof(*port), GFP_KERNEL);

	if (!port)
		return -ENOMEM;
	adapter->port = port;
	port->width = ntdma_describe_unit(description);
	port->demand = description->DemandMode;
	port->cyclic = description->AutoInitialize;
	port->blind = description->Version && description->IgnoreCount;
	if (adapter->version == 3) {
		port->addr = description->DeviceAddress.QuadPart;
		if (port->addr != (u64)description->DeviceAddress.QuadPart)
			return -EINVAL;
	}
	return port->width ? 0 : -EINVAL;
}

/* The channel of the controller, and what it can do of the description. */
static int ntdma_adapter_engine(struct ntdma_adapter *adapter,
				struct device *dev,
				const DEVICE_DESCRIPTION *description)
{
	struct ntdma_subordinate want = {
		.dev = dev,
		.description = description,
		.version = adapter->version,
	};
	struct ntdma_port *port;
	struct ntdma_engine *engine;
	int ret;

	ret = ntdma_adapter_port(adapter, description);
	if (ret)
		return ret;
	engine = ntdma_sysdma_get(&want);
	if (engine == ERR_PTR(-ENODEV))
		engine = ntdma_isa_get(&want);
	if (IS_ERR(engine))
		return PTR_ERR(engine);
	port = adapter->port;
	if (!(engine->widths & BIT(port->width)) ||
	    (port->cyclic && !engine->cyclic)) {
		ntdma_engine_put(engine);
		return -EINVAL;
	}
	ntdma_port_width(port, engine, port->width);
	port->burst = max(engine->burst, 1U);
	ntdma_port_renew(port);
	adapter->engine = engine;
	adapter->channel = &engine->channel;
	adapter->dev = engine->dev;
	/* A loop is over one piece of memory, whatever the controller takes. */
	adapter->sg = engine->sg && !port->cyclic;
	adapter->width = fls64(dma_get_mask(engine->dev));
	return 0;
}

/* Joins the device and takes from it what the description asks for. */
static int ntdma_adapter_join(struct ntdma_adapter *adapter,
			      struct device *dev,
			      const DEVICE_DESCRIPTION *description)
{
	u32 length = description->MaximumLength;
	int ret;

	adapter->device = ntdma_device_get(dev);
	if (!adapter->device)
		return -ENODEV;
	ret = ntdma_device_join(adapter->device, adapter);
	if (ret)
		goto put_device;
	ntdma_set_limits(adapter);
	ret = -EINVAL;
	if (adapter->max_seg)
		ret = adapter->engine ? ntdma_open_system(adapter, length) :
					ntdma_open_registers(adapter, length);
	if (!ret)
		return 0;
	ntdma_device_leave(adapter->device, adapter);
put_device:
	ntdma_device_put(adapter->device);
	return ret;
}

static int ntdma_adapter_open(struct ntdma_adapter *adapter, struct device *dev,
			      const DEVICE_DESCRIPTION *description)
{
	int ret;

	adapter->dev = dev;
	adapter->version = ntdma_describe_version(description);
	adapter->width = ntdma_describe_width(description, dev);
	adapter->sg = description->ScatterGather;
	adapter->channel = &adapter->own;
	spin_lock_init(&adapter->flush_lock);
	/* A removal may close it as soon as the device knows of the adapter. */
	ntdma_channel_init(&adapter->own, 0);
	if (!description->Master) {
		ret = ntdma_adapter_engine(adapter, dev, description);
		if (ret)
			return ret;
	}
	ret = ntdma_adapter_join(adapter, dev, description);
	if (ret && adapter->engine)
		ntdma_engine_put(adapter->engine);
	if (!ret && adapter->pool && !adapter->engine)
		adapter->own.slots = adapter->pool->count;
	return ret;
}

/* Only what can be served gets as far as an allocation. */
static bool ntdma_describe_valid(const DEVICE_DESCRIPTION *description,
				 struct device *dev)
{
	return ntdma_describe_version(description) &&
	       (!description->Master || ntdma_describe_width(description, dev));
}

/**
 * ntdma_request_adapter() - IoGetDmaAdapter with an error
 * @owner: as ntdma_get_adapter()
 * @device_object: the same
 * @description: the same
 * @registers: the same
 *
 * Context: PASSIVE_LEVEL.
 * Return: the adapter or ERR_PTR: -EPROBE_DEFER while the controller that
 *	@description names has no driver yet.
 */
PDMA_ADAPTER ntdma_request_adapter(struct module *owner,
				   PDEVICE_OBJECT device_object,
				   PDEVICE_DESCRIPTION description,
				   PULONG registers)
{
	struct ntdma_adapter *adapter;
	struct device *dev;
	int ret;

	if (ntdma_verifying() && !ntdma_checked_passive(NULL))
		return ERR_PTR(-EINVAL);
	might_sleep();
	if (!device_object || !description || !registers)
		return ERR_PTR(-EINVAL);
	dev = ntdma_device_of(device_object);
	if (!ntdma_describe_version(description))
		ntdma_misuse(NULL, NTDMA_RULE_VERSION);
	if (!dev || !ntdma_describe_valid(description, dev))
		return ERR_PTR(-EINVAL);
	adapter = ntdma_adapter_alloc(owner);
	if (!adapter)
		return ERR_PTR(-ENOMEM);
	adapter->checked = ntdma_verifying();
	ret = ntdma_adapter_open(adapter, dev, description);
	if (ret) {
		ntdma_adapter_free(adapter);
		return ERR_PTR(ret);
	}
	adapter->wdm.Version = 1;
	adapter->wdm.Size = sizeof(adapter->wdm);
	adapter->wdm.DmaOperations = adapter->checked ?
				     ntdma_checked_table(adapter->version) :
				     ntdma_table(adapter->version);
	if (!ntdma_device_expose(adapter->device, adapter)) {
		percpu_ref_kill(&adapter->ref);
		return ERR_PTR(-ENODEV);
	}
	*registers = adapter->nregs;
	return &adapter->wdm;
}
EXPORT_SYMBOL_NTDMA(ntdma_request_adapter);

/**
 * ntdma_get_adapter() - IoGetDmaAdapter
 * @owner: module of the client
 * @device_object: made by ntdma_device_create() for a device with a driver;
 *	PDO and FDO are alike
 * @description: of Version 0 to 3; older ones are read up to their end only
 *	(EC-9); not changed (EC-18)
 * @registers: set to the most registers of one transfer, at least 2, usually
 *	pages of MaximumLength and one (EC-6 to EC-8)
 *
 * A subordinate gets the channel of a controller that its request line names;
 * sysdma.c has the order of the search. When there is none, DmaChannel on an
 * ISA bus is a channel of the PC's controller. ScatterGather and
 * DmaAddressWidth are then the controller's (EC-16).
 * Every call makes an adapter of its own (EC-19).
 *
 * Context: PASSIVE_LEVEL.
 * Return: the adapter; NULL for an unknown version (EC-5), a width outside 24
 *	to 64 (EC-10), a missing argument, a device without driver or DMA, a
 *	reach that the platform cannot serve, and no memory. For a subordinate
 *	also when no controller serves the line (EC-17), has the DmaWidth, can
 *	be stopped, takes a page in an element, or two where a transfer is one,
 *	or repeats a transfer by itself as AutoInitialize asks, and when another
 *	driver has the channel.
 */
PDMA_ADAPTER ntdma_get_adapter(struct module *owner,
			       PDEVICE_OBJECT device_object,
			       PDEVICE_DESCRIPTION description,
			       PULONG registers)
{
	PDMA_ADAPTER wdm = ntdma_request_adapter(owner, device_object,
						 description, registers);

	return IS_ERR(wdm) ? NULL : wdm;
}
EXPORT_SYMBOL_NTDMA(ntdma_get_adapter);

/**
 * ntdma_put_adapter() - PutDmaAdapter
 * @wdm: the adapter
 *
 * Lists, registers and buffers that are still alive stay so, and can be given
 * back later (EC-22). What is no live adapter is refused.
 *
 * Context: <= DISPATCH_LEVEL (EC-21).
 */
VOID ntdma_put_adapter(PDMA_ADAPTER wdm)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	if (!ntdma_handle_take(NTDMA_ADAPTER, adapter, adapter)) {
		ntdma_misuse(NULL, NTDMA_RULE_DEAD_ADAPTER);
		return;
	}
	ntdma_verify_left(adapter);
	percpu_ref_kill(&adapter->ref);
}

static unsigned int ntdma_adapter_forget(struct ntdma_adapter *adapter,
					 enum ntdma_kind kind,
					 void (*forget)(struct ntdma_handle *))
{
	struct ntdma_handle *handle;
	unsigned int count = 0;

	for (; (handle = ntdma_handle_take_any(kind, adapter)); count++)
		forget(handle);
	return count;
}

/**
 * ntdma_adapter_busy() - whether the client has anything mapped
 * @adapter: the adapter
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: true with a list, registers or a common buffer of any kind.
 */
bool ntdma_adapter_busy(struct ntdma_adapter *adapter)
{
	enum ntdma_kind kind;

	for (kind = NTDMA_REGS; kind <= NTDMA_LENT; kind++)
		if (ntdma_handle_count(adapter, kind))
			return true;
	return false;
}

/**
 * ntdma_adapter_silence() - call no routine of a client that left
 * @adapter: an adapter of a device that loses its driver
 *
 * Must be done to all its adapters before ntdma_adapter_detach() for any: what
 * one gives back is what another waits for.
 *
 * Context: PASSIVE_LEVEL, device->lock held.
 * Return: number of waiters that were dropped.
 */
unsigned int ntdma_adapter_silence(struct ntdma_adapter *adapter)
{
	unsigned int count;

	lockdep_assert_held(&adapter->device->lock);
	/* What is taken back drops references; without any it is leaving. */
	if (adapter->silent || !percpu_ref_tryget(&adapter->ref))
		return 0;
	adapter->silent = true;
	count = ntdma_channel_close(adapter);
	/* It may be granting what it found slots for. */
	cancel_delayed_work_sync(&adapter->grow);
	return count;
}

/**
 * ntdma_adapter_detach() - take everything from a client that left
 * @adapter: silent; others are passed over
 *
 * Context: PASSIVE_LEVEL, device->lock held.
 * Return: number of objects that were taken back.
 */
unsigned int ntdma_adapter_detach(struct ntdma_adapter *adapter)
{
	unsigned int count = 0;

	lockdep_assert_held(&adapter->device->lock);
	if (!adapter->silent)
		return 0;
	count += ntdma_adapter_forget(adapter, NTDMA_LIST, ntdma_list_forget);
	count += ntdma_adapter_forget(adapter, NTDMA_REGS, ntdma_regs_forget);
	count += ntdma_adapter_forget(adapter, NTDMA_BUFFER,
				      ntdma_buffer_forget);
	count += ntdma_adapter_forget(adapter, NTDMA_VECTOR,
				      ntdma_vector_forget);
	count += ntdma_adapter_forget(adapter, NTDMA_LENT, ntdma_lent_forget);
	ntdma_domain_leave(adapter);
	if (ntdma_handle_take(NTDMA_ADAPTER, adapter, adapter)) {
		percpu_ref_kill(&adapter->ref);
		count++;
	}
	if (adapter->engine)
		ntdma_engine_settle(adapter->engine);
	ntdma_channel_reopen(adapter);
	adapter->silent = false;
	percpu_ref_put(&adapter->ref);
	return count;
}

/**
 * ntdma_adapter_stats() - what an adapter did
 * @adapter: the adapter
 * @sum: set to the counters over all CPUs
 *
 * Context: any; a snapshot.
 */
void ntdma_adapter_stats(struct ntdma_adapter *adapter,
			 struct ntdma_stats *sum)
{
	const struct ntdma_stats *stats;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		stats = per_cpu_ptr(adapter->stats, cpu);
		sum->lists += stats->lists;
		sum->elements += stats->elements;
		sum->mapped += stats->mapped;
		sum->bounced += stats->bounced;
	}
}
