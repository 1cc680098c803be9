// SPDX-License-Identifier: GPL-2.0
/*
 * Common buffers: memory that CPU and device share for as long as it lives.
 *
 * Model: a buffer is coherent memory of the DMA API, whole pages, zeroed. It
 * is remembered twice: in the table of live objects, so that a free with
 * wrong arguments does nothing, and in a tree of its device by CPU address,
 * so that an MDL over it is recognised and its address is reused; coherent
 * memory must not be mapped a second time.
 *
 * CacheEnabled is a hint that nothing follows from: the memory is coherent
 * whatever the platform has to do for it.
 *
 * Locks: device->lock around the allocation, whose address limit is the
 * coherent mask of the device. device->buffers_lock, a leaf, for the tree.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "ntdma.h"

/**
 * struct ntdma_buffer - a common buffer
 * @handle: found by @va
 * @node: in the tree of its device
 * @va: address for the CPU
 * @addr: address for the device
 * @length: what the client asked for, in bytes
 * @size: what there is, in bytes
 */
struct ntdma_buffer {
	struct ntdma_handle handle;
	struct rb_node node;
	void *va;
	dma_addr_t addr;
	u32 length;
	size_t size;
};

static bool ntdma_buffer_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct ntdma_buffer, node)->va <
	       rb_entry(b, struct ntdma_buffer, node)->va;
}

static void ntdma_buffer_link(struct ntdma_device *device,
			      struct ntdma_buffer *buffer)
{
	unsigned long flags;

	spin_lock_irqsave(&device->buffers_lock, flags);
	rb_add(&buffer->node, &device->buffers, ntdma_buffer_less);
	spin_unlock_irqrestore(&device->buffers_lock, flags);
}

static void ntdma_buffer_unlink(struct ntdma_device *device,
				struct ntdma_buffer *buffer)
{
	unsigned long flags;

	spin_lock_irqsave(&device->buffers_lock, flags);
	rb_erase(&buffer->node, &device->buffers);
	spin_unlock_irqrestore(&device->buffers_lock, flags);
}

static struct ntdma_buffer *ntdma_buffer_at(struct ntdma_device *device,
					    const void *va)
{
	struct rb_node *node = device->buffers.rb_node;
	struct ntdma_buffer *buffer;

	lockdep_assert_held(&device->buffers_lock);
	while (node) {
		buffer = rb_entry(node, struct ntdma_buffer, node);
		if (va < buffer->va)
			node = node->rb_left;
		else if (va >= buffer->va + buffer->size)
			node = node->rb_right;
		else
			return buffer;
	}
	return NULL;
}

/**
 * ntdma_buffer_address() - the address of an MDL over a common buffer
 * @adapter: whose device asks
 * @mdl: one MDL
 * @done: offset in it
 * @addr: set to the address of that byte for the device
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: bytes from there that have consecutive addresses, 0 when the byte
 *	is in no common buffer of the device that the adapter reaches.
 */
u32 ntdma_buffer_address(const struct ntdma_adapter *adapter, const MDL *mdl,
			 u32 done, dma_addr_t *addr)
{
	struct ntdma_device *device = adapter->device;
	const void *va = mdl->MappedSystemVa + done;
	struct ntdma_buffer *buffer;
	unsigned long flags;
	u32 length = 0;

	if (!(mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL) ||
	    !READ_ONCE(device->buffers.rb_node))
		return 0;
	spin_lock_irqsave(&device->buffers_lock, flags);
	buffer = ntdma_buffer_at(device, va);
	if (buffer && buffer->addr + buffer->size - 1 <= adapter->mask) {
		*addr = buffer->addr + (va - buffer->va);
		length = min_t(size_t, mdl->ByteCount - done,
			       buffer->va + buffer->size - va);
	}
	spin_unlock_irqrestore(&device->buffers_lock, flags);
	return length;
}

/* The allocator takes node and limit from the device; both are put back. */
static void *ntdma_buffer_pages(struct ntdma_adapter *adapter, size_t size,
				u64 limit, NODE_REQUIREMENT node,
				dma_addr_t *addr)
{
	struct ntdma_device *device = adapter->device;
	struct device *dev = adapter->dev;
	int home = dev_to_node(dev);
	void *va;
	u64 mask;

	mutex_lock(&device->lock);
	mask = ntdma_device_narrow(device, limit);
	if (node < MAX_NUMNODES && node_online(node))
		set_dev_node(dev, node);
	va = dma_alloc_attrs(dev, size, addr, GFP_KERNEL | __GFP_NOWARN |
			     __GFP_RETRY_MAYFAIL, 0);
	set_dev_node(dev, home);
	ntdma_device_restore(device, mask);
	mutex_unlock(&device->lock);
	if (va && *addr + size - 1 > limit) {
		dma_free_attrs(dev, size, va, *addr, 0);
		return NULL;
	}
	return va;
}

static void *ntdma_buffer_create(struct ntdma_adapter *adapter, u64 limit,
				 u32 length, NODE_REQUIREMENT node,
				 PPHYSICAL_ADDRESS logical)
{
	size_t size = round_up((size_t)length, PAGE_SIZE);
	struct ntdma_buffer *buffer;

	/* More than there is would only wake the OOM killer. */
	if (!length || !logical || size < length || size - 1 > limit ||
	    size >> PAGE_SHIFT > si_mem_available())
		return NULL;
	/* An IOMMU counts in pages: one that the limit cuts is not to be had. */
	if (limit < U64_MAX)
		limit = round_down(limit + 1, PAGE_SIZE) - 1;
	if (size - 1 > limit)
		return NULL;
	buffer = ntdma_alloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return NULL;
	if (!ntdma_fail_alloc())
		buffer->va = ntdma_buffer_pages(adapter, size, limit, node,
						&buffer->addr);
	if (!buffer->va) {
		ntdma_free(buffer);
		return NULL;
	}
	buffer->length = length;
	buffer->size = size;
	percpu_ref_get(&adapter->ref);
	ntdma_buffer_link(adapter->device, buffer);
	ntdma_handle_add(&buffer->handle, NTDMA_BUFFER, buffer->va, adapter);
	logical->QuadPart = buffer->addr;
	return buffer->va;
}

/**
 * ntdma_buffer_forget() - free a common buffer
 * @handle: out of the table of live objects
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_buffer_forget(struct ntdma_handle *handle)
{
	struct ntdma_buffer *buffer = container_of(handle, struct ntdma_buffer,
						   handle);
	struct ntdma_adapter *adapter = handle->adapter;

	ntdma_buffer_unlink(adapter->device, buffer);
	dma_free_attrs(adapter->dev, buffer->size, buffer->va, buffer->addr,
		       0);
	ntdma_free(buffer);
	percpu_ref_put(&adapter->ref);
}

/**
 * ntdma_alloc_buffer() - AllocateCommonBuffer
 * @wdm: the adapter
 * @length: in bytes, at least 1; may exceed MaximumLength (EC-163)
 * @logical: set to the address for the device
 * @cached: not used, the memory is coherent (EC-161)
 *
 * The buffer is page aligned, zeroed and one run within the adapter's reach
 * (EC-160, EC-162).
 *
 * Context: PASSIVE_LEVEL.
 * Return: the address for the CPU, or NULL.
 */
PVOID ntdma_alloc_buffer(PDMA_ADAPTER wdm, ULONG length,
			 PPHYSICAL_ADDRESS logical, BOOLEAN cached)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	return ntdma_buffer_create(adapter, adapter->mask, length,
				   MM_ANY_NODE_OK, logical);
}

/**
 * ntdma_alloc_buffer_ex() - AllocateCommonBufferEx
 * @wdm: the adapter
 * @maximum: no byte of the buffer is at or above this address, which need not
 *	be a power of two; NULL for the adapter's reach only (EC-165, EC-166)
 * @length: in bytes, at least 1
 * @logical: set to the address for the device
 * @cached: not used, the memory is coherent
 * @node: preferred NUMA node, ignored when there is none such (EC-167)
 *
 * Context: PASSIVE_LEVEL.
 * Return: the address for the CPU, or NULL.
 */
PVOID ntdma_alloc_buffer_ex(PDMA_ADAPTER wdm, PPHYSICAL_ADDRESS maximum,
			    ULONG length, PPHYSICAL_ADDRESS logical,
			    BOOLEAN cached, NODE_REQUIREMENT node)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	u64 limit = adapter->mask;

	if (maximum) {
		if (!maximum->QuadPart)
			return NULL;
		limit = min(limit, (u64)maximum->QuadPart - 1);
	}
	return ntdma_buffer_create(adapter, limit, length, node, logical);
}

static bool ntdma_buffer_is(const struct ntdma_handle *handle, u32 length,
			    u64 addr)
{
	const struct ntdma_buffer *buffer =
		container_of(handle, struct ntdma_buffer, handle);

	return buffer->length == length && buffer->addr == addr;
}

/**
 * ntdma_free_buffer() - FreeCommonBuffer
 * @wdm: the adapter that allocated it
 * @length: as allocated
 * @logical: as allocated
 * @va: as allocated
 * @cached: not used; clients get it wrong
 *
 * Does nothing unless all three are those of a live buffer (EC-172, EC-174).
 *
 * Context: PASSIVE_LEVEL.
 */
VOID ntdma_free_buffer(PDMA_ADAPTER wdm, ULONG length,
		       PHYSICAL_ADDRESS logical, PVOID va, BOOLEAN cached)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_handle *handle = ntdma_handle_find(NTDMA_BUFFER, va,
							adapter);

	if (handle && ntdma_buffer_is(handle, length, logical.QuadPart))
		handle = ntdma_handle_take(NTDMA_BUFFER, va, adapter);
	else
		handle = NULL;
	if (handle)
		ntdma_buffer_forget(handle);
	else
		ntdma_misuse(adapter, NTDMA_RULE_FREED_BUFFER);
}
