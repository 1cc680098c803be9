// SPDX-License-Identifier: GPL-2.0
/*
 * What the adapters of one struct device share: its DMA masks and the end.
 *
 * Masks: a client states its reach per adapter, Linux knows one mask per
 * device. Without an IOMMU the device gets the widest reach of its adapters,
 * and each adapter checks its own; memory out of reach bounces. With an IOMMU
 * the mask is what bounds the addresses, so the device gets the narrowest. An
 * adapter that was put maps nothing any more and does not count. The masks that
 * the device had are put back when its last adapter leaves.
 *
 * Window: with an IOMMU the mask ends below the window (window.c), where we
 * choose addresses ourselves. The first bus master's adapter of a device decides
 * where it begins.
 *
 * End: a devres action is the last resort. A driver that leaves without
 * giving back what it holds has it taken away there, after its remove
 * callback and before anything else may bind: waiters are dropped, of all its
 * adapters first, then mappings undone and buffers freed.
 *
 * Locks: ntdma_devices_lock, then device->lock.
 */
#include <linux/dma-map-ops.h>
#include <linux/slab.h>

#include "domain.h"
#include "ntdma.h"
#include "window.h"

static DEFINE_MUTEX(ntdma_devices_lock);
static LIST_HEAD(ntdma_devices);
static const struct device *ntdma_incoherent;

static void ntdma_device_free(struct kref *ref)
{
	struct ntdma_device *device = container_of(ref, struct ntdma_device,
						   ref);

	put_device(device->dev);
	ntdma_free(device);
}

/**
 * ntdma_device_put() - let go of a device
 * @device: the device
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_device_put(struct ntdma_device *device)
{
	kref_put(&device->ref, ntdma_device_free);
}

/* Takes something away from adapters of a device: @owner's, or all. */
static unsigned int ntdma_device_take(struct ntdma_device *device,
				      const struct module *owner,
				      unsigned int (*take)(struct ntdma_adapter *))
{
	struct ntdma_adapter *adapter;
	unsigned int lost = 0;

	/* The list does not shrink here: leaving needs the lock, too. */
	mutex_lock(&device->lock);
	list_for_each_entry(adapter, &device->adapters, link)
		if (!owner || adapter->owner == owner)
			lost += take(adapter);
	mutex_unlock(&device->lock);
	return lost;
}

/**
 * ntdma_device_disown() - take back what a module left
 * @owner: a client that is being unloaded
 *
 * Context: PASSIVE_LEVEL.
 * Return: number of objects.
 */
unsigned int ntdma_device_disown(struct module *owner)
{
	struct ntdma_device *device;
	unsigned int lost = 0;

	mutex_lock(&ntdma_devices_lock);
	list_for_each_entry(device, &ntdma_devices, link)
		lost += ntdma_device_take(device, owner, ntdma_adapter_silence);
	list_for_each_entry(device, &ntdma_devices, link)
		lost += ntdma_device_take(device, owner, ntdma_adapter_detach);
	mutex_unlock(&ntdma_devices_lock);
	return lost;
}

/* Waits until all adapters have left, and left the device as it was. */
static void ntdma_device_settle(struct ntdma_device *device)
{
	wait_event(device->left, list_empty_careful(&device->adapters));
	/* The last of them may be about to put the masks back. */
	mutex_lock(&device->lock);
	mutex_unlock(&device->lock);
}

/*
 * The driver has left the device: nothing may reach it any more. It stays in the
 * list until the end, for ntdma_devices_exit() to wait for that.
 */
static void ntdma_device_gone(void *data)
{
	struct ntdma_device *device = data;
	unsigned int lost;

	mutex_lock(&device->lock);
	device->gone = true;
	mutex_unlock(&device->lock);
	lost = ntdma_device_take(device, NULL, ntdma_adapter_silence);
	lost += ntdma_device_take(device, NULL, ntdma_adapter_detach);
	if (lost)
		dev_warn(device->dev,
			 "driver left %u DMA objects behind, taken back\n",
			 lost);
	ntdma_device_settle(device);

	mutex_lock(&ntdma_devices_lock);
	list_del_init(&device->link);
	mutex_unlock(&ntdma_devices_lock);
	ntdma_device_put(device);
}

static struct ntdma_device *ntdma_device_find(struct device *dev)
{
	struct ntdma_device *device;

	lockdep_assert_held(&ntdma_devices_lock);
	list_for_each_entry(device, &ntdma_devices, link)
		if (device->dev == dev)
			return device;
	return NULL;
}

static struct ntdma_device *ntdma_device_create(struct device *dev)
{
	struct ntdma_device *device;

	lockdep_assert_held(&ntdma_devices_lock);
	device = ntdma_alloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return NULL;
	device->dev = get_device(dev);
	kref_init(&device->ref);
	mutex_init(&device->lock);
	INIT_LIST_HEAD(&device->adapters);
	init_waitqueue_head(&device->left);
	spin_lock_init(&device->buffers_lock);
	device->buffers = RB_ROOT;
	if (devm_add_action(dev, ntdma_device_gone, device)) {
		ntdma_device_put(device);
		return NULL;
	}
	list_add(&device->link, &ntdma_devices);
	return device;
}

/**
 * ntdma_device_get() - what stands for a struct device
 * @dev: with a driver and a DMA mask
 *
 * Context: PASSIVE_LEVEL.
 * Return: the device, referenced, or NULL.
 */
struct ntdma_device *ntdma_device_get(struct device *dev)
{
	struct ntdma_device *device;

	/* Without a driver nothing would call the action, and a later probe
	 * would stumble over it.
	 */
	if (!dev->driver || !dev->dma_mask)
		return NULL;
	mutex_lock(&ntdma_devices_lock);
	device = ntdma_device_find(dev);
	if (!device)
		device = ntdma_device_create(dev);
	if (device)
		kref_get(&device->ref);
	mutex_unlock(&ntdma_devices_lock);
	return device;
}

/**
 * ntdma_devices_exit() - forget devices that outlive this module
 *
 * Their adapters are gone; only the actions are left.
 *
 * Context: module exit.
 */
void ntdma_devices_exit(void)
{
	struct ntdma_device *device;

	mutex_lock(&ntdma_devices_lock);
	while ((device = list_first_entry_or_null(&ntdma_devices,
						  struct ntdma_device, link))) {
		kref_get(&device->ref);
		mutex_unlock(&ntdma_devices_lock);

		/* An unbind that runs now is waited for and leaves no action. */
		device_lock(device->dev);
		if (!list_empty(&device->link))
			devm_release_action(device->dev, ntdma_device_gone,
					    device);
		device_unlock(device->dev);
		ntdma_device_put(device);
		mutex_lock(&ntdma_devices_lock);
	}
	mutex_unlock(&ntdma_devices_lock);
}

/**
 * ntdma_shares_no_cache() - have a device taken for one that is not coherent
 * @dev: the device; NULL for none
 *
 * Context: any; tests only. For adapters that are opened from now on.
 */
void ntdma_shares_no_cache(const struct device *dev)
{
	WRITE_ONCE(ntdma_incoherent, dev);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_shares_no_cache);

/**
 * ntdma_device_coherent() - whether a device shares the processor's cache
 * @dev: the device
 *
 * Context: any.
 * Return: false when the DMA API has to write back and to discard.
 */
bool ntdma_device_coherent(const struct device *dev)
{
	return dev_is_dma_coherent((struct device *)dev) &&
	       dev != READ_ONCE(ntdma_incoherent);
}

static u64 ntdma_device_reach(const struct ntdma_device *device,
			      const struct ntdma_adapter *adapter)
{
	return min_not_zero(DMA_BIT_MASK(adapter->width),
			    device->dev->bus_dma_limit);
}

/* Where the DMA API must end, if the narrowest adapter ends at @last. */
static u64 ntdma_device_below(const struct ntdma_device *device, u64 last)
{
	return device->space ? min(last, ntdma_space_floor(device->space) - 1) :
			       last;
}

/* Sets the masks for the adapters that are in use; 0 when there are none. */
static int ntdma_device_tune(struct ntdma_device *device)
{
	bool translated = dma_get_merge_boundary(device->dev);
	u64 reach, widest = 0, narrowest = U64_MAX;
	struct ntdma_adapter *adapter;

	lockdep_assert_held(&device->lock);
	list_for_each_entry(adapter, &device->adapters, link) {
		/* What a controller reaches is not for this device to say. */
		if (adapter->engine || percpu_ref_is_dying(&adapter->ref))
			continue;
		reach = DMA_BIT_MASK(adapter->width);
		widest = max(widest, reach);
		narrowest = min(narrowest, reach);
	}
	if (!widest)
		return 0;
	device->limit = min_not_zero(narrowest, device->dev->bus_dma_limit);
	if (translated)
		widest = ntdma_device_below(device, narrowest);
	return dma_set_mask_and_coherent(device->dev, widest);
}

/* Whether no adapter of a bus master is left, or they only linger. */
static bool ntdma_device_idle(const struct ntdma_device *device)
{
	struct ntdma_adapter *adapter;

	lockdep_assert_held(&device->lock);
	list_for_each_entry(adapter, &device->adapters, link)
		if (!adapter->engine && !percpu_ref_is_dying(&adapter->ref))
			return false;
	return true;
}

/* Remembers what the device was like, and finds the window. */
static int ntdma_device_open(struct ntdma_device *device,
			     const struct ntdma_adapter *adapter)
{
	u64 last = ntdma_device_reach(device, adapter);

	lockdep_assert_held(&device->lock);
	if (list_empty(&device->adapters)) {
		device->mask = dma_get_mask(device->dev);
		device->coherent_mask = device->dev->coherent_dma_mask;
	}
	if (adapter->engine || !ntdma_device_idle(device))
		return 0;
	if (!device->space)
		return ntdma_space_join(device, last);
	ntdma_space_renew(device, last);
	return 0;
}

/* Makes the device as it was. */
static void ntdma_device_close(struct ntdma_device *device)
{
	u64 last;

	lockdep_assert_held(&device->lock);
	ntdma_domain_orphan(device);
	last = ntdma_space_leave(device);
	*device->dev->dma_mask = min(device->mask, last);
	device->dev->coherent_dma_mask = min(device->coherent_mask, last);
}

/**
 * ntdma_device_join() - count an adapter in
 * @device: the device
 * @adapter: with its width
 *
 * Context: PASSIVE_LEVEL.
 * Return: 0, the error with which the platform refuses the mask, -ENOMEM, or
 *	-ENODEV for a device that is losing its driver.
 */
int ntdma_device_join(struct ntdma_device *device,
		      struct ntdma_adapter *adapter)
{
	int ret;

	mutex_lock(&device->lock);
	ret = device->gone ? -ENODEV : ntdma_device_open(device, adapter);
	if (ret)
		goto unlock;
	list_add_tail(&adapter->link, &device->adapters);
	ret = ntdma_device_tune(device);
	if (!ret)
		goto unlock;
	list_del(&adapter->link);
	if (list_empty(&device->adapters))
		ntdma_device_close(device);
unlock:
	mutex_unlock(&device->lock);
	return ret;
}

/**
 * ntdma_device_expose() - have a removal see to an adapter from now on
 * @device: the device
 * @adapter: one that joined, ready for use, and is not a live object yet
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when the removal has begun, and did not see it.
 */
bool ntdma_device_expose(struct ntdma_device *device,
			 struct ntdma_adapter *adapter)
{
	bool gone;

	mutex_lock(&device->lock);
	gone = device->gone;
	if (!gone)
		ntdma_handle_add(&adapter->handle, NTDMA_ADAPTER, adapter,
				 adapter);
	mutex_unlock(&device->lock);
	return !gone;
}

/**
 * ntdma_device_leave() - count an adapter out
 * @device: the device
 * @adapter: one that joined
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_device_leave(struct ntdma_device *device,
			struct ntdma_adapter *adapter)
{
	mutex_lock(&device->lock);
	list_del(&adapter->link);
	if (list_empty(&device->adapters))
		ntdma_device_close(device);
	else
		ntdma_device_tune(device);
	mutex_unlock(&device->lock);
	wake_up_all(&device->left);
}

/* Whether an adapter of the device has anything mapped. */
static bool ntdma_device_busy(const struct ntdma_device *device)
{
	struct ntdma_adapter *adapter;

	lockdep_assert_held(&device->lock);
	list_for_each_entry(adapter, &device->adapters, link)
		if (ntdma_adapter_busy(adapter))
			return true;
	return false;
}

/**
 * ntdma_device_lower() - let the window of a device begin lower
 * @device: the device, locked, with a window
 * @floor: where
 *
 * It stays there until the last adapter of the device leaves.
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when something is mapped, and the DMA API might be about to
 *	give addresses above @floor; when another device has the same window;
 *	and when the platform refuses the mask.
 */
bool ntdma_device_lower(struct ntdma_device *device, u64 floor)
{
	return !ntdma_device_busy(device) &&
	       ntdma_space_lower(device->space, floor) &&
	       !ntdma_device_tune(device);
}

/**
 * ntdma_device_narrow() - limit what the allocator gives to this device
 * @device: the device, locked
 * @limit: last address allowed, any value but 0
 *
 * Does nothing where that is the mask of transfers, too: those that run would
 * find their memory out of reach. So the caller looks at what it gets.
 *
 * Context: PASSIVE_LEVEL.
 * Return: for ntdma_device_restore().
 */
u64 ntdma_device_narrow(struct ntdma_device *device, u64 limit)
{
	u64 mask = device->dev->coherent_dma_mask;

	lockdep_assert_held(&device->lock);
	if (device->dev->dma_mask != &device->dev->coherent_dma_mask)
		device->dev->coherent_dma_mask = min(mask, limit);
	return mask;
}

/**
 * ntdma_device_restore() - undo ntdma_device_narrow()
 * @device: the device, locked
 * @mask: what it returned
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_device_restore(struct ntdma_device *device, u64 mask)
{
	lockdep_assert_held(&device->lock);
	device->dev->coherent_dma_mask = mask;
}

/**
 * ntdma_device_show() - visit all adapters
 * @show: called for each, under locks
 * @data: its argument
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_device_show(void (*show)(struct ntdma_adapter *adapter, void *data),
		       void *data)
{
	struct ntdma_adapter *adapter;
	struct ntdma_device *device;

	mutex_lock(&ntdma_devices_lock);
	list_for_each_entry(device, &ntdma_devices, link) {
		mutex_lock(&device->lock);
		list_for_each_entry(adapter, &device->adapters, link)
			show(adapter, data);
		mutex_unlock(&device->lock);
	}
	mutex_unlock(&ntdma_devices_lock);
}
