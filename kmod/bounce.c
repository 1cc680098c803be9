// SPDX-License-Identifier: GPL-2.0
/*
 * Bounce pools: pages that a limited device reaches, mapped once for good.
 *
 * Model: a pool is an array of slots of one page each. A position in the pool
 * counts bytes from the first slot. In a contiguous pool consecutive slots
 * are consecutive addresses for the device and pages for the CPU, so that a
 * device without scatter/gather sees one run; there slots are taken in areas,
 * and no area crosses a boundary that the device's runs must not cross.
 *
 * Slots are spoken for by the channel before anything takes one, so taking a
 * single slot never fails. That is why the pool exists beside the kernel's
 * own bouncing: a transfer that was granted can always be mapped.
 *
 * Stale data: a slot is filled from the client's memory before the device
 * sees it, for reads too. What the device leaves unwritten is then the
 * client's own old bytes and never those of another transfer.
 *
 * Lock: pool->lock, a leaf, protects the bitmap and the adding of slots. The
 * bytes of a slot belong to whoever took it.
 */
#include <linux/bitmap.h>
#include <linux/dma-direct.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "ntdma.h"

#define NTDMA_POOL_GFP	(GFP_KERNEL | __GFP_NOWARN)

/* Memory in reach, which the coherent mask may be too wide for. */
static struct page *ntdma_pool_pages(const struct ntdma_pool *pool, size_t size,
				     dma_addr_t *dma, gfp_t gfp)
{
	struct page *page;

	if (ntdma_fail_alloc())
		return NULL;
	page = dma_alloc_pages(pool->dev, size, dma, DMA_BIDIRECTIONAL, gfp);
	if (!page || *dma + (u64)size - 1 <= pool->last)
		return page;
	dma_free_pages(pool->dev, size, page, *dma, DMA_BIDIRECTIONAL);
	return NULL;
}

static bool ntdma_slot_fill(const struct ntdma_pool *pool,
			    struct ntdma_slot *slot, gfp_t gfp)
{
	slot->page = ntdma_pool_pages(pool, PAGE_SIZE, &slot->dma, gfp);
	return slot->page;
}

static bool ntdma_pool_fill_pages(struct ntdma_pool *pool)
{
	struct ntdma_slot *slot;

	for (slot = pool->slots; slot < pool->slots + pool->count; slot++)
		if (!ntdma_slot_fill(pool, slot,
				     NTDMA_POOL_GFP | __GFP_RETRY_MAYFAIL))
			break;
	pool->count = slot - pool->slots;
	return pool->count;
}

static bool ntdma_pool_fill_block(struct ntdma_pool *pool)
{
	dma_addr_t dma;
	struct page *page;
	u32 i;

	page = ntdma_pool_pages(pool, (size_t)pool->count << PAGE_SHIFT, &dma,
				NTDMA_POOL_GFP);
	if (!page)
		return false;
	for (i = 0; i < pool->count; i++) {
		pool->slots[i].page = nth_page(page, i);
		pool->slots[i].dma = dma + ((dma_addr_t)i << PAGE_SHIFT);
	}
	return true;
}

static struct ntdma_pool *ntdma_pool_alloc(struct device *dev, u32 count,
					   u32 room, bool contiguous,
					   u64 boundary, u64 last)
{
	struct ntdma_pool *pool;

	room = max(room, count);
	if (ntdma_fail_alloc())
		return NULL;
	pool = kvzalloc(struct_size(pool, slots, room), GFP_KERNEL);
	if (!pool)
		return NULL;
	pool->used = bitmap_zalloc(room, GFP_KERNEL);
	if (!pool->used) {
		kvfree(pool);
		return NULL;
	}
	spin_lock_init(&pool->lock);
	pool->dev = dev;
	pool->count = count;
	pool->room = room;
	pool->contiguous = contiguous;
	pool->boundary = boundary;
	pool->last = last;
	return pool;
}

static void ntdma_pool_free(struct ntdma_pool *pool)
{
	bitmap_free(pool->used);
	kvfree(pool);
}

/**
 * ntdma_pool_create() - allocate and map bounce pages
 * @dev: whose coherent mask says where memory is looked for
 * @count: slots wanted
 * @least: slots without which the pool is of no use
 * @room: slots up to which it can grow; more than @count only where they are
 *	taken one by one
 * @contiguous: one run for the device
 * @boundary: address mask that no area crosses
 * @last: last address in reach
 *
 * Memory in reach of a limited device is scarce, so fewer slots than wanted
 * are accepted.
 *
 * Context: PASSIVE_LEVEL.
 * Return: the pool, NULL when not even @least slots can be had.
 */
struct ntdma_pool *ntdma_pool_create(struct device *dev, u32 count,
				     u32 least, u32 room, bool contiguous,
				     u64 boundary, u64 last)
{
	struct ntdma_pool *pool;
	bool filled;

	for (; count >= least; count /= 2) {
		pool = ntdma_pool_alloc(dev, count, room, contiguous,
					boundary, last);
		if (!pool)
			return NULL;
		filled = contiguous ? ntdma_pool_fill_block(pool) :
				      ntdma_pool_fill_pages(pool);
		if (filled && pool->count >= least)
			return pool;
		if (filled)
			ntdma_pool_destroy(pool);
		else
			ntdma_pool_free(pool);
	}
	return NULL;
}

/**
 * ntdma_pool_destroy() - free a pool
 * @pool: without slots in use, or NULL
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_pool_destroy(struct ntdma_pool *pool)
{
	size_t size = PAGE_SIZE;
	u32 i, step = 1;

	if (!pool)
		return;
	if (pool->contiguous) {
		size = (size_t)pool->count << PAGE_SHIFT;
		step = pool->count;
	}
	for (i = 0; i < pool->count; i += step)
		dma_free_pages(pool->dev, size, pool->slots[i].page,
			       pool->slots[i].dma, DMA_BIDIRECTIONAL);
	ntdma_pool_free(pool);
}

static bool ntdma_pool_add(struct ntdma_pool *pool,
			   const struct ntdma_slot *slot)
{
	unsigned long flags;
	bool added;

	spin_lock_irqsave(&pool->lock, flags);
	added = pool->count < pool->room;
	if (added) {
		pool->slots[pool->count] = *slot;
		WRITE_ONCE(pool->count, pool->count + 1);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
	return added;
}

/**
 * ntdma_pool_grow() - add slots to a pool whose slots are taken one by one
 * @pool: the pool
 * @count: slots that it should have
 * @gfp: how hard to try
 *
 * Nothing makes it smaller again. The slots are in use until somebody who
 * counts them says that they are not.
 *
 * Context: as @gfp says, any number at a time.
 * Return: number of slots added.
 */
u32 ntdma_pool_grow(struct ntdma_pool *pool, u32 count, gfp_t gfp)
{
	struct ntdma_slot slot = { };
	u32 added = 0;

	while (READ_ONCE(pool->count) < min(count, pool->room)) {
		slot.page = NULL;
		if (!ntdma_slot_fill(pool, &slot, gfp))
			break;
		if (!ntdma_pool_add(pool, &slot)) {
			dma_free_pages(pool->dev, PAGE_SIZE, slot.page,
				       slot.dma, DMA_BIDIRECTIONAL);
			break;
		}
		added++;
	}
	return added;
}

/* Slots from @at on up to the next boundary. */
static u64 ntdma_pool_room(const struct ntdma_pool *pool, u32 at)
{
	return ntdma_boundary_room(pool->slots[at].dma, pool->boundary) >>
	       PAGE_SHIFT;
}

/**
 * ntdma_pool_largest() - slots of the largest area that can be had
 * @pool: the pool
 *
 * Context: any.
 * Return: number of slots; all of them when they are taken one by one.
 */
u32 ntdma_pool_largest(const struct ntdma_pool *pool)
{
	u64 room;
	u32 at, largest = 0;

	if (!pool->contiguous)
		return pool->count;
	for (at = 0; at < pool->count; at += room) {
		room = min_t(u64, ntdma_pool_room(pool, at), pool->count - at);
		largest = max_t(u32, largest, room);
	}
	return largest;
}

/* The first free area, pool->count or more when there is none. */
static unsigned long ntdma_pool_find(const struct ntdma_pool *pool, u32 count)
{
	unsigned long at = 0;
	u64 room;

	lockdep_assert_held(&pool->lock);
	for (;;) {
		at = bitmap_find_next_zero_area(pool->used, pool->count, at,
						count, 0);
		if (at >= pool->count || !pool->contiguous)
			return at;
		room = ntdma_pool_room(pool, at);
		if (room >= count)
			return at;
		at += room;
	}
}

/**
 * ntdma_pool_take() - take consecutive slots
 * @pool: the pool
 * @count: how many, at least 1
 *
 * In a contiguous pool they are one run, which crosses no boundary.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: the first slot, NTDMA_NO_SLOT when no such gap is free.
 */
u32 ntdma_pool_take(struct ntdma_pool *pool, u32 count)
{
	unsigned long flags, first;

	spin_lock_irqsave(&pool->lock, flags);
	first = ntdma_pool_find(pool, count);
	if (first < pool->count)
		bitmap_set(pool->used, first, count);
	spin_unlock_irqrestore(&pool->lock, flags);
	return first < pool->count ? first : NTDMA_NO_SLOT;
}

/**
 * ntdma_pool_give() - give slots back
 * @pool: the pool
 * @first: first slot
 * @count: how many
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_pool_give(struct ntdma_pool *pool, u32 first, u32 count)
{
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	bitmap_clear(pool->used, first, count);
	spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * ntdma_pool_address() - what the device calls a position
 * @pool: the pool
 * @at: position in bytes
 *
 * Context: any.
 * Return: the address.
 */
dma_addr_t ntdma_pool_address(const struct ntdma_pool *pool, u32 at)
{
	return pool->slots[at >> PAGE_SHIFT].dma + offset_in_page(at);
}

/**
 * ntdma_pool_pfn() - the page frame behind a position
 * @pool: the pool
 * @at: position in bytes
 *
 * Context: any.
 * Return: the page frame number.
 */
unsigned long ntdma_pool_pfn(const struct ntdma_pool *pool, u32 at)
{
	return page_to_pfn(pool->slots[at >> PAGE_SHIFT].page);
}

static void ntdma_copy_page(struct page *page, u32 page_offset,
			    phys_addr_t phys, u32 length, bool in)
{
	u8 *slot = kmap_local_page(page);
	u8 *memory = kmap_local_page(pfn_to_page(PHYS_PFN(phys)));

	if (in)
		memcpy(slot + page_offset, memory + offset_in_page(phys),
		       length);
	else
		memcpy(memory + offset_in_page(phys), slot + page_offset,
		       length);
	kunmap_local(memory);
	kunmap_local(slot);
}

/* One stretch that crosses a page on neither side at a time. */
static void ntdma_bounce_copy(struct ntdma_pool *pool, u32 at,
			      phys_addr_t phys, u32 length, bool in)
{
	u32 part;

	for (; length; length -= part, at += part, phys += part) {
		struct ntdma_slot *slot = &pool->slots[at >> PAGE_SHIFT];
		u32 offset = offset_in_page(at);

		part = min3(length, (u32)PAGE_SIZE - offset,
			    (u32)(PAGE_SIZE - offset_in_page(phys)));
		if (!in)
			dma_sync_single_for_cpu(pool->dev, slot->dma + offset,
						part, DMA_FROM_DEVICE);
		ntdma_copy_page(slot->page, offset, phys, part, in);
		if (in)
			dma_sync_single_for_device(pool->dev,
						   slot->dma + offset, part,
						   DMA_BIDIRECTIONAL);
	}
}

/**
 * ntdma_bounce_in() - copy memory into the pool, for the device to see
 * @pool: the pool
 * @at: position in bytes
 * @phys: the client's memory
 * @length: in bytes
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_bounce_in(struct ntdma_pool *pool, u32 at, phys_addr_t phys,
		     u32 length)
{
	ntdma_bounce_copy(pool, at, phys, length, true);
}

/**
 * ntdma_bounce_out() - copy what the device wrote to the client's memory
 * @pool: the pool
 * @at: position in bytes
 * @phys: the client's memory
 * @length: in bytes
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_bounce_out(struct ntdma_pool *pool, u32 at, phys_addr_t phys,
		      u32 length)
{
	ntdma_bounce_copy(pool, at, phys, length, false);
}

/* The part of a slot that is a red zone: all before, or all behind. */
static void ntdma_slot_paint(struct ntdma_pool *pool, struct ntdma_slot *slot,
			     u32 offset, u32 length)
{
	u8 *page = kmap_local_page(slot->page);

	ntdma_red_fill(page + offset, length);
	kunmap_local(page);
	dma_sync_single_for_device(pool->dev, slot->dma + offset, length,
				   DMA_BIDIRECTIONAL);
}

static bool ntdma_slot_intact(struct ntdma_pool *pool, struct ntdma_slot *slot,
			      u32 offset, u32 length)
{
	u8 *page;
	bool intact;

	if (!length)
		return true;
	dma_sync_single_for_cpu(pool->dev, slot->dma + offset, length,
				DMA_FROM_DEVICE);
	page = kmap_local_page(slot->page);
	intact = ntdma_red_intact(page + offset, length);
	kunmap_local(page);
	return intact;
}

/**
 * ntdma_pool_paint() - make red zones of the rest of the slots of a transfer
 * @pool: the pool
 * @at: position of the first byte
 * @length: in bytes, at least 1
 *
 * Context: <= DISPATCH_LEVEL; before the bytes themselves are copied in.
 */
void ntdma_pool_paint(struct ntdma_pool *pool, u32 at, u32 length)
{
	struct ntdma_slot *first = &pool->slots[at >> PAGE_SHIFT];
	struct ntdma_slot *last = &pool->slots[(at + length - 1) >> PAGE_SHIFT];
	u32 end = offset_in_page(at + length - 1) + 1;

	first->from = offset_in_page(at);
	last->to = PAGE_SIZE - end;
	if (first->from)
		ntdma_slot_paint(pool, first, 0, first->from);
	if (last->to)
		ntdma_slot_paint(pool, last, end, last->to);
}

/**
 * ntdma_pool_intact() - look at the red zones of slots, and end them
 * @pool: the pool
 * @first: first slot
 * @count: how many
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: false when the device wrote beside a transfer.
 */
bool ntdma_pool_intact(struct ntdma_pool *pool, u32 first, u32 count)
{
	struct ntdma_slot *slot = &pool->slots[first];
	bool intact = true;

	for (; count; count--, slot++) {
		intact &= ntdma_slot_intact(pool, slot, 0, slot->from) &&
			  ntdma_slot_intact(pool, slot, PAGE_SIZE - slot->to,
					    slot->to);
		slot->from = 0;
		slot->to = 0;
	}
	return intact;
}

/**
 * ntdma_reachable() - whether the device may be given memory as it is
 * @adapter: the adapter
 * @phys: physical address
 * @length: in bytes, contiguous
 *
 * Context: any.
 * Return: false when it must bounce.
 */
bool ntdma_reachable(const struct ntdma_adapter *adapter, phys_addr_t phys,
		     u32 length)
{
	dma_addr_t addr;

	if (adapter->backend != NTDMA_BOUNCE)
		return true;
	if (adapter->forced)
		return false;
	addr = phys_to_dma(adapter->dev, phys);
	return addr + length - 1 <= adapter->mask &&
	       dma_capable(adapter->dev, addr, length, true);
}
