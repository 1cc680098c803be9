// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks: memory that CPU and device share, with its address for both.
 *
 * Model: a block is whole pages of the DMA API, zeroed, one run for the
 * device. It is coherent, unless a client wants cached memory on a device
 * that is not: then the client says when to write back and when to discard
 * (flush.c). A block is known to its device: an MDL over it is recognised and
 * its address is reused, because such memory must not be mapped again.
 *
 * The DMA API takes the highest address allowed from the coherent mask of the
 * device, which need not be a mask and is narrowed for a moment. It takes no
 * lowest one. With an IOMMU the block is then mapped once more, in the window
 * (window.c), which is exact. Without one it takes from a zone what comes
 * first: a block outside the bounds is set aside until one inside is found, up
 * to a limit. Blocks that exist may not be found, blocks that are found are
 * right.
 *
 * In verify mode all that a block has behind the client's bytes is a red zone,
 * and a block without such bytes gets some, if there is memory for it.
 *
 * Locks: device->lock while the mask or the node of the device is changed.
 * device->buffers_lock, a leaf, for the tree.
 */
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/sizes.h>

#include "ntdma.h"
#include "window.h"

#define NTDMA_LARGE_PAGES	512	/* pages of a large one */
#define NTDMA_TRIES		4096	/* blocks tried for bounds, at most */
#define NTDMA_TRIED_BYTES	SZ_64M	/* the same in bytes */
#define NTDMA_RED_ZONE		32	/* bytes of the shortest one wanted */
#define NTDMA_CHECKED_BYTES	SZ_1M	/* above, look whether there is enough */

#define NTDMA_BLOCK_GFP	(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN)

/**
 * struct ntdma_aside - a block that did not fit, kept in its own memory
 * @next: the one before
 * @block: the block
 */
struct ntdma_aside {
	struct ntdma_aside *next;
	struct ntdma_block block;
};

static bool ntdma_known_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct ntdma_known, node)->va <
	       rb_entry(b, struct ntdma_known, node)->va;
}

/**
 * ntdma_known_add() - make a device know memory that has an address already
 * @device: the device
 * @known: va, addr and size set; stays in the device's tree
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_known_add(struct ntdma_device *device, struct ntdma_known *known)
{
	unsigned long flags;

	spin_lock_irqsave(&device->buffers_lock, flags);
	rb_add(&known->node, &device->buffers, ntdma_known_less);
	spin_unlock_irqrestore(&device->buffers_lock, flags);
}

/**
 * ntdma_known_remove() - undo ntdma_known_add()
 * @device: the device
 * @known: what was added
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_known_remove(struct ntdma_device *device, struct ntdma_known *known)
{
	unsigned long flags;

	spin_lock_irqsave(&device->buffers_lock, flags);
	rb_erase(&known->node, &device->buffers);
	spin_unlock_irqrestore(&device->buffers_lock, flags);
}

static struct ntdma_known *ntdma_known_at(struct ntdma_device *device,
					  const void *va)
{
	struct rb_node *node = device->buffers.rb_node;
	struct ntdma_known *known;

	lockdep_assert_held(&device->buffers_lock);
	while (node) {
		known = rb_entry(node, struct ntdma_known, node);
		if (va < known->va)
			node = node->rb_left;
		else if (va >= known->va + known->size)
			node = node->rb_right;
		else
			return known;
	}
	return NULL;
}

/**
 * ntdma_buffer_search() - ntdma_buffer_address() for what may be known
 * @adapter: whose device asks
 * @mdl: one MDL, over memory that is mapped for the CPU for good
 * @done: offset in it
 * @addr: set to the address of that byte for the device
 *
 * Clients edit ByteOffset and ByteCount to send a part: MappedSystemVa does not
 * follow.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: bytes from there that have consecutive addresses, 0 when the byte
 *	is in no common buffer of the device that the adapter reaches.
 */
u32 ntdma_buffer_search(const struct ntdma_adapter *adapter, const MDL *mdl,
			u32 done, dma_addr_t *addr)
{
	struct ntdma_device *device = adapter->device;
	const void *va = MmGetMdlVirtualAddress(mdl) + done;
	struct ntdma_known *known;
	unsigned long flags;
	u32 length = 0;

	spin_lock_irqsave(&device->buffers_lock, flags);
	known = ntdma_known_at(device, va);
	if (known && known->dev == adapter->dev &&
	    known->addr + known->size - 1 <= adapter->mask) {
		*addr = known->addr + (va - known->va);
		length = min_t(size_t, mdl->ByteCount - done,
			       known->va + known->size - va);
	}
	spin_unlock_irqrestore(&device->buffers_lock, flags);
	return length;
}

/**
 * ntdma_buffer_cached() - the same for buffers that need cache maintenance
 * @adapter: whose device asks
 * @va: of a byte for the CPU
 * @addr: set to the address of that byte for the DMA API
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: bytes to the end of the buffer, 0 when there is nothing to do.
 */
size_t ntdma_buffer_cached(const struct ntdma_adapter *adapter, const void *va,
			   dma_addr_t *addr)
{
	struct ntdma_device *device = adapter->device;
	struct ntdma_known *known;
	unsigned long flags;
	size_t length = 0;

	spin_lock_irqsave(&device->buffers_lock, flags);
	known = ntdma_known_at(device, va);
	if (known && known->dev == adapter->dev && known->cached) {
		*addr = known->dma + (va - known->va);
		length = known->va + known->size - va;
	}
	spin_unlock_irqrestore(&device->buffers_lock, flags);
	return length;
}

/**
 * ntdma_want_init() - what a client wants of a block
 * @want: set up but for its bounds
 * @adapter: for whom
 * @length: in bytes
 * @flags: of the client
 * @type: kind of caching, NULL for the platform's own
 * @node: preferred NUMA node
 *
 * Only cached and not cached are known (EC-170, EC-171). On a coherent
 * device both are the same memory; what the client calls not cached is
 * coherent everywhere.
 *
 * Context: any.
 * Return: 0, -EINVAL for another kind of caching or no length, -ENOMEM when
 *	the length cannot be had.
 */
int ntdma_want_init(struct ntdma_want *want,
		    const struct ntdma_adapter *adapter, u64 length, u32 flags,
		    const MEMORY_CACHING_TYPE *type, NODE_REQUIREMENT node)
{
	u64 size;

	if (!length || (type && *type != MmNonCached && *type != MmCached))
		return -EINVAL;
	want->min = 0;
	want->last = adapter->mask;
	want->gfp = NTDMA_BLOCK_GFP | __GFP_RETRY_MAYFAIL;
	want->unit = PAGE_SIZE;
	if (flags & DOMAIN_COMMON_BUFFER_LARGE_PAGE)
		want->unit = NTDMA_LARGE_PAGES * PAGE_SIZE;
	want->node = node < MAX_NUMNODES && node_online(node) ? node :
								NUMA_NO_NODE;
	want->cached = type && *type == MmCached &&
		       !ntdma_device_coherent(adapter->dev);
	size = round_up(length, want->unit);
	if (size < length || size > SIZE_MAX)
		return -ENOMEM;
	want->length = length;
	want->size = size;
	return 0;
}

/**
 * ntdma_want_bounds() - narrow where a block may lie
 * @want: set up
 * @min: lowest address allowed
 * @last: highest address allowed
 *
 * An IOMMU counts in pages: one that a bound cuts is not to be had.
 *
 * Context: any.
 * Return: whether the block fits at all.
 */
bool ntdma_want_bounds(struct ntdma_want *want, u64 min, u64 last)
{
	last = min(last, want->last);
	if (min > U64_MAX - PAGE_SIZE || last < PAGE_SIZE - 1)
		return false;
	if (last < U64_MAX)
		last = round_down(last + 1, PAGE_SIZE) - 1;
	want->min = round_up(min, PAGE_SIZE);
	want->last = last;
	return want->min <= last && want->size - 1 <= last - want->min;
}

/**
 * ntdma_sync_pages() - hand a part of cached memory over
 * @dev: the device
 * @addr: of the first byte for the DMA API
 * @size: in bytes
 * @back: to the processor, not to the device
 *
 * Behind an IOMMU the pages do not lie in a row, as the DMA API takes for
 * granted of what it is told in one call.
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_sync_pages(struct device *dev, dma_addr_t addr, size_t size,
		      bool back)
{
	size_t part;

	for (; size; addr += part, size -= part) {
		part = min_t(size_t, size, PAGE_SIZE - offset_in_page(addr));
		if (back)
			dma_sync_single_for_cpu(dev, addr, part,
						DMA_BIDIRECTIONAL);
		else
			dma_sync_single_for_device(dev, addr, part,
						   DMA_BIDIRECTIONAL);
	}
}

static bool ntdma_block_cached(struct device *dev,
			       const struct ntdma_want *want,
			       struct ntdma_block *block)
{
	struct ntdma_known *known = &block->known;
	size_t size = want->size;

	block->sgt = dma_alloc_noncontiguous(dev, size, DMA_BIDIRECTIONAL,
					     want->gfp, 0);
	if (!block->sgt)
		return false;
	known->va = dma_vmap_noncontiguous(dev, size, block->sgt);
	if (!known->va) {
		dma_free_noncontiguous(dev, size, block->sgt,
				       DMA_BIDIRECTIONAL);
		block->sgt = NULL;
		return false;
	}
	known->dma = sg_dma_address(block->sgt->sgl);
	known->addr = known->dma;
	/* The zeroes are in the cache: they must not follow later. */
	ntdma_sync_pages(dev, known->dma, size, false);
	return true;
}

static bool ntdma_block_pages(struct device *dev, const struct ntdma_want *want,
			      struct ntdma_block *block)
{
	struct ntdma_known *known = &block->known;

	known->dev = dev;
	known->size = want->size;
	known->cached = want->cached;
	if (want->cached)
		return ntdma_block_cached(dev, want, block);
	known->va = dma_alloc_attrs(dev, want->size, &known->dma, want->gfp,
				    0);
	known->addr = known->dma;
	return known->va;
}

/**
 * ntdma_block_free() - undo ntdma_block_alloc()
 * @dev: of the adapter
 * @block: the block, mapped nowhere else
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_block_free(struct device *dev, struct ntdma_block *block)
{
	struct ntdma_known *known = &block->known;

	if (!block->sgt) {
		dma_free_attrs(dev, known->size, known->va, known->dma, 0);
		return;
	}
	dma_vunmap_noncontiguous(dev, known->va);
	dma_free_noncontiguous(dev, known->size, block->sgt,
			       DMA_BIDIRECTIONAL);
}

/* The allocator takes node and limit from the device; both are put back. */
static bool ntdma_block_narrowed(struct ntdma_adapter *adapter,
				 const struct ntdma_want *want,
				 struct ntdma_block *block)
{
	struct ntdma_device *device = adapter->device;
	struct device *dev = adapter->dev;
	int home = dev_to_node(dev);
	bool done;
	u64 mask;

	mutex_lock(&device->lock);
	mask = ntdma_device_narrow(device, want->last);
	/* A controller belongs to others, too: nothing of it is changed. */
	if (!adapter->engine && want->node != NUMA_NO_NODE)
		set_dev_node(dev, want->node);
	done = ntdma_block_pages(dev, want, block);
	if (!adapter->engine)
		set_dev_node(dev, home);
	ntdma_device_restore(device, mask);
	mutex_unlock(&device->lock);
	return done;
}

/* Most blocks need nothing changed, and no lock for it. */
static bool ntdma_block_try(struct ntdma_adapter *adapter,
			    const struct ntdma_want *want,
			    struct ntdma_block *block)
{
	const struct ntdma_range range = { 0, want->last, want->size };
	struct ntdma_space *space = ntdma_adapter_space(adapter);
	struct device *dev = adapter->dev;
	struct ntdma_want again = *want;
	unsigned int asked = 0;

	if (want->node == NUMA_NO_NODE &&
	    READ_ONCE(dev->coherent_dma_mask) <= want->last &&
	    ntdma_block_pages(dev, want, block))
		return true;
	while (ntdma_space_again(space, &range, &asked)) {
		if (ntdma_block_narrowed(adapter, &again, block))
			return true;
		/* It is addresses that come back, not memory. */
		again.gfp = NTDMA_BLOCK_GFP | __GFP_NORETRY;
	}
	return false;
}

static bool ntdma_block_fits(const struct ntdma_want *want,
			     const struct ntdma_block *block)
{
	u64 addr = block->known.addr;

	return addr >= want->min && addr + want->size - 1 <= want->last &&
	       !(addr & (want->unit - 1));
}

/*
 * A limit inside a zone makes the DMA API look at one block of that zone, and
 * then into lower zones only. Once these are empty the rest of the zone is
 * left to look at.
 */
static bool ntdma_block_widen(const struct ntdma_adapter *adapter,
			      const struct ntdma_want *want,
			      struct ntdma_want *reach)
{
	u64 last = adapter->mask;

	if (want->last <= U32_MAX)
		last = min_t(u64, last, U32_MAX);
	if (adapter->granule || reach->last >= last)
		return false;
	reach->last = last;
	return true;
}

/* Nobody shall give up memory for what is only set aside. */
static void ntdma_block_aside(struct ntdma_block *block,
			      struct ntdma_want *reach,
			      struct ntdma_aside **stack)
{
	struct ntdma_aside *aside = block->known.va;

	aside->next = *stack;
	aside->block = *block;
	*stack = aside;
	block->sgt = NULL;
	reach->gfp = NTDMA_BLOCK_GFP | __GFP_NORETRY;
	cond_resched();
}

static void ntdma_block_drop(struct ntdma_adapter *adapter,
			     struct ntdma_aside *aside)
{
	while (aside) {
		struct ntdma_block block = aside->block;

		aside = aside->next;
		ntdma_block_free(adapter->dev, &block);
	}
}

/* Sets aside what does not fit until something does. */
static bool ntdma_block_search(struct ntdma_adapter *adapter,
			       const struct ntdma_want *want,
			       struct ntdma_block *block)
{
	struct ntdma_aside *stack = NULL;
	struct ntdma_want reach = *want;
	bool fits = false;
	size_t tries;

	tries = clamp_t(size_t, NTDMA_TRIED_BYTES / want->size, 1,
			NTDMA_TRIES);
	while (tries && !fits) {
		if (ntdma_block_try(adapter, &reach, block)) {
			fits = ntdma_block_fits(want, block);
			if (!fits)
				ntdma_block_aside(block, &reach, &stack);
			tries--;
		} else if (!ntdma_block_widen(adapter, want, &reach)) {
			break;
		}
	}
	ntdma_block_drop(adapter, stack);
	return fits;
}

/**
 * ntdma_block_alloc() - allocate a block
 * @adapter: whose device shares it
 * @want: what is wanted; fits its bounds
 * @block: zeroed; set up
 *
 * Context: PASSIVE_LEVEL.
 * Return: true when there is one.
 */
bool ntdma_block_alloc(struct ntdma_adapter *adapter,
		       const struct ntdma_want *want,
		       struct ntdma_block *block)
{
	/* More than there is would only make others give up theirs. */
	if (want->size > NTDMA_CHECKED_BYTES &&
	    want->size >> PAGE_SHIFT > si_mem_available())
		return false;
	return !ntdma_fail_alloc() && ntdma_block_search(adapter, want, block);
}

/* The frame of a page of a block; false for what is no memory of the kernel. */
static bool ntdma_block_frame(const struct ntdma_known *known, size_t done,
			      unsigned long *pfn)
{
	const void *va = known->va + done;

	*pfn = ntdma_is_vmalloc(va) ? vmalloc_to_pfn(va) :
				      PHYS_PFN(virt_to_phys((void *)va));
	return pfn_valid(*pfn);
}

/* Bytes from @done on that are consecutive in memory. */
static size_t ntdma_block_run(const struct ntdma_known *known, size_t done,
			      unsigned long first)
{
	size_t length = PAGE_SIZE;
	unsigned long pfn;

	while (done + length < known->size &&
	       ntdma_block_frame(known, done + length, &pfn) &&
	       pfn == first + PHYS_PFN(length))
		length += PAGE_SIZE;
	return length;
}

/**
 * ntdma_block_map() - map a block at an address of our choice
 * @block: the block
 * @span: reserved, of its size
 * @dev: a device of the span's space
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when there is no memory for it; the span is for release then.
 */
bool ntdma_block_map(const struct ntdma_block *block, struct ntdma_span *span,
		     struct device *dev)
{
	const struct ntdma_known *known = &block->known;
	size_t done, length;
	unsigned long pfn;

	for (done = 0; done < known->size; done += length) {
		if (!ntdma_block_frame(known, done, &pfn))
			return false;
		length = ntdma_block_run(known, done, pfn);
		if (!ntdma_span_map(span, dev, PFN_PHYS(pfn), length,
				    DMA_BIDIRECTIONAL))
			return false;
		cond_resched();
	}
	return true;
}

static bool ntdma_block_place(struct ntdma_adapter *adapter,
			      const struct ntdma_want *want,
			      struct ntdma_block *block,
			      struct ntdma_span *span)
{
	const struct ntdma_range range = {
		want->min, want->last, want->size, want->unit
	};

	if (!ntdma_span_reserve(ntdma_adapter_space(adapter), span, &range))
		return false;
	if (ntdma_block_map(block, span, adapter->dev)) {
		block->span = span;
		block->known.addr = span->first;
		return true;
	}
	ntdma_span_release(span);
	return false;
}

/* A block that lies in the window, if that can be. */
static bool ntdma_block_window(struct ntdma_adapter *adapter,
			       const struct ntdma_want *want,
			       struct ntdma_block *block)
{
	struct ntdma_want any = *want;
	struct ntdma_span *span;

	any.min = 0;
	any.last = adapter->mask;
	any.unit = PAGE_SIZE;
	if (!ntdma_block_alloc(adapter, &any, block))
		return false;
	span = ntdma_alloc(sizeof(*span), GFP_KERNEL);
	if (span && ntdma_block_place(adapter, want, block, span))
		return true;
	ntdma_free(span);
	ntdma_block_free(adapter->dev, block);
	memset(block, 0, sizeof(*block));
	return false;
}

static bool ntdma_block_find(struct ntdma_adapter *adapter,
			     const struct ntdma_want *want,
			     struct ntdma_block *block)
{
	const struct ntdma_range range = { want->min, want->last, want->size };
	struct ntdma_space *space = ntdma_adapter_space(adapter);

	if (!want->min || !space)
		return ntdma_block_alloc(adapter, want, block);
	if (ntdma_block_window(adapter, want, block))
		return true;
	/* The DMA API has nothing in the window. */
	return want->min < ntdma_space_floor(space) &&
	       ntdma_space_room(space, &range) &&
	       ntdma_block_alloc(adapter, want, block);
}

/* Verify mode wants room for a red zone, a unit more if there is none. */
static bool ntdma_block_widened(struct ntdma_adapter *adapter,
				const struct ntdma_want *want,
				struct ntdma_block *block)
{
	struct ntdma_want wider = *want;

	if (!adapter->checked || want->size - want->length >= NTDMA_RED_ZONE)
		return false;
	return !check_add_overflow(want->size, want->unit, &wider.size) &&
	       wider.size - 1 <= want->last - want->min &&
	       ntdma_block_find(adapter, &wider, block);
}

/* What is behind the client's bytes becomes a red zone. */
static void ntdma_block_paint(struct ntdma_adapter *adapter,
			      const struct ntdma_want *want,
			      struct ntdma_block *block)
{
	struct ntdma_known *known = &block->known;
	size_t size = known->size - want->length;

	if (!size)
		return;
	block->red = want->length;
	ntdma_red_fill(known->va + block->red, size);
	if (block->sgt)
		ntdma_sync_pages(adapter->dev, known->dma + block->red, size,
				 false);
}

/* The processor may have written to the red zone, or the device. */
static bool ntdma_block_intact(struct ntdma_adapter *adapter,
			       struct ntdma_block *block)
{
	struct ntdma_known *known = &block->known;
	size_t size = known->size - block->red;
	void *zone = known->va + block->red;

	if (!block->red)
		return true;
	if (!ntdma_red_intact(zone, size))
		return false;
	if (!block->sgt)
		return true;
	ntdma_sync_pages(adapter->dev, known->dma + block->red, size, true);
	return ntdma_red_intact(zone, size);
}

/**
 * ntdma_block_get() - allocate a block that the device knows
 * @adapter: whose device shares it
 * @want: what is wanted; fits its bounds
 * @block: zeroed; set up, and known to the device
 *
 * Context: PASSIVE_LEVEL.
 * Return: true when there is one.
 */
bool ntdma_block_get(struct ntdma_adapter *adapter,
		     const struct ntdma_want *want, struct ntdma_block *block)
{
	if (!ntdma_block_widened(adapter, want, block) &&
	    !ntdma_block_find(adapter, want, block))
		return false;
	if (adapter->checked)
		ntdma_block_paint(adapter, want, block);
	ntdma_known_add(adapter->device, &block->known);
	return true;
}

/**
 * ntdma_block_put() - free a block
 * @adapter: as it was allocated
 * @block: the block
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_block_put(struct ntdma_adapter *adapter, struct ntdma_block *block)
{
	ntdma_known_remove(adapter->device, &block->known);
	if (!ntdma_block_intact(adapter, block))
		ntdma_notice(adapter, NTDMA_RULE_OVERRUN);
	if (block->span) {
		ntdma_span_release(block->span);
		ntdma_free(block->span);
	}
	ntdma_block_free(adapter->dev, block);
}
