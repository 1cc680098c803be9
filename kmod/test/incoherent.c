// SPDX-License-Identifier: GPL-2.0
/*
 * A device that does not share the processor's cache, on any machine.
 *
 * Model: the processor's cache never writes a line back and never drops one by
 * itself, so the kernel's pages are what the cache holds. What the device sees
 * of a page is a copy of it, a view, as memory behind the cache would be. Only
 * the DMA API moves bytes between the two, whole cache lines at a time:
 *
 *   map, sync for the device    page to view
 *   unmap, sync for the CPU     view to page, unless only the device reads
 *
 * A sync that is missing shows as old bytes on either side. A line that only
 * in part belongs to a transfer brings old bytes over whatever the processor
 * has written beside the transfer meanwhile. A byte that is in no mapping does
 * not exist for the device. A view starts with bytes that nobody wrote.
 *
 * Memory of dma_alloc_coherent() has no view: both sides see the page.
 *
 * The device is a platform device of its own with a struct dma_map_ops. A twin
 * without them knows how far memory goes. Addresses are those of the bus, as
 * without an IOMMU.
 *
 * What the DMA API is asked to undo or to sync must be mapped, and what was
 * allocated as pages is synced page by page, since behind an IOMMU these are not
 * in a row: everything else is a fault, counted. The lock is a leaf.
 */
#include <linux/cache.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/list.h>
#include <linux/pfn.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include "../compat.h"
#include "hooks.h"
#include "incoherent.h"

#define UNWRITTEN	0x6b

/**
 * struct view - what the device sees of a page
 * @users: mappings that touch the page
 * @bytes: a page of them
 */
struct view {
	unsigned int users;
	u8 bytes[];
};

/**
 * struct region - a mapping
 * @node: in the list of all
 * @addr: address for the device
 * @size: in bytes
 * @dir: direction
 * @shared: the device sees the page itself
 * @apart: its pages would be anywhere if there was an IOMMU
 */
struct region {
	struct list_head node;
	dma_addr_t addr;
	size_t size;
	enum dma_data_direction dir;
	bool shared;
	bool apart;
};

static struct platform_device *device, *twin;
static DEFINE_SPINLOCK(lock);
static LIST_HEAD(regions);
static DEFINE_XARRAY(views);
static unsigned int count, faults;

/* The device, NULL where the kernel cannot have one. */
struct device *incoherent_device(void)
{
	return device ? &device->dev : NULL;
}

/* Bytes of a cache line. */
unsigned int incoherent_line(void)
{
	return max_t(unsigned int, dma_get_cache_alignment(), SMP_CACHE_BYTES);
}

/* Mappings alive, those of coherent memory and of pools included. */
unsigned int incoherent_regions(void)
{
	return READ_ONCE(count);
}

/* How often the DMA API was asked for what is not mapped. */
unsigned int incoherent_faults(void)
{
	return READ_ONCE(faults);
}

static phys_addr_t phys_of(dma_addr_t addr)
{
	return dma_to_phys(&device->dev, addr);
}

static struct view *view_of(phys_addr_t phys)
{
	return xa_load(&views, PHYS_PFN(phys));
}

static bool view_get(phys_addr_t phys)
{
	struct view *view = view_of(phys);

	lockdep_assert_held(&lock);
	if (!view) {
		view = kmalloc(struct_size(view, bytes, PAGE_SIZE), GFP_ATOMIC);
		if (!view)
			return false;
		view->users = 0;
		memset(view->bytes, UNWRITTEN, PAGE_SIZE);
		if (xa_is_err(xa_store(&views, PHYS_PFN(phys), view, GFP_ATOMIC))) {
			kfree(view);
			return false;
		}
	}
	view->users++;
	return true;
}

static void view_put(phys_addr_t phys)
{
	struct view *view = view_of(phys);

	lockdep_assert_held(&lock);
	if (--view->users)
		return;
	xa_erase(&views, PHYS_PFN(phys));
	kfree(view);
}

static bool views_get(phys_addr_t phys, size_t size)
{
	phys_addr_t first = PAGE_ALIGN_DOWN(phys), at;

	for (at = first; at < phys + size; at += PAGE_SIZE) {
		if (view_get(at))
			continue;
		while (at > first)
			view_put(at -= PAGE_SIZE);
		return false;
	}
	return true;
}

static void views_put(phys_addr_t phys, size_t size)
{
	phys_addr_t at;

	for (at = PAGE_ALIGN_DOWN(phys); at < phys + size; at += PAGE_SIZE)
		view_put(at);
}

/* Copies the lines that a part of a page touches. */
static void lines_copy(phys_addr_t phys, size_t size, bool to_view)
{
	struct view *view = view_of(phys);
	size_t from = round_down(offset_in_page(phys), incoherent_line());
	size_t to = round_up(offset_in_page(phys) + size, incoherent_line());
	u8 *page = kmap_local_page(pfn_to_page(PHYS_PFN(phys)));

	if (to_view)
		memcpy(view->bytes + from, page + from, to - from);
	else
		memcpy(page + from, view->bytes + from, to - from);
	kunmap_local(page);
}

static void range_copy(phys_addr_t phys, size_t size, bool to_view)
{
	size_t part;

	lockdep_assert_held(&lock);
	for (; size; size -= part, phys += part) {
		part = min_t(size_t, size, PAGE_SIZE - offset_in_page(phys));
		lines_copy(phys, part, to_view);
	}
}

/* The mapping that has all of a range. */
static struct region *region_at(dma_addr_t addr, size_t size)
{
	struct region *r;

	lockdep_assert_held(&lock);
	list_for_each_entry(r, &regions, node)
		if (addr >= r->addr && addr + size <= r->addr + r->size)
			return r;
	return NULL;
}

static bool region_add(dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, bool shared)
{
	struct region *r = kmalloc(sizeof(*r), GFP_ATOMIC);
	unsigned long flags;
	bool done;

	if (!r)
		return false;
	r->addr = addr;
	r->size = size;
	r->dir = dir;
	r->shared = shared;
	r->apart = false;
	spin_lock_irqsave(&lock, flags);
	done = shared || views_get(phys_of(addr), size);
	if (done) {
		list_add(&r->node, &regions);
		count++;
	}
	spin_unlock_irqrestore(&lock, flags);
	if (!done)
		kfree(r);
	return done;
}

/* Ends exactly this mapping; @sync makes its bytes the processor's. */
static void region_remove(dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, bool sync)
{
	struct region *r, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	list_for_each_entry(r, &regions, node)
		if (r->addr == addr && r->size == size && r->dir == dir)
			found = r;
	if (!found) {
		faults++;
		goto unlock;
	}
	list_del(&found->node);
	count--;
	if (sync && dir != DMA_TO_DEVICE)
		range_copy(phys_of(addr), size, false);
	if (!found->shared)
		views_put(phys_of(addr), size);
unlock:
	spin_unlock_irqrestore(&lock, flags);
	kfree(found);
}

static void region_sync(dma_addr_t addr, size_t size, bool for_device)
{
	unsigned long flags;
	struct region *r;

	spin_lock_irqsave(&lock, flags);
	r = region_at(addr, size);
	if (!r || r->shared ||
	    (r->apart && offset_in_page(addr) + size > PAGE_SIZE))
		faults++;
	else if (for_device || r->dir != DMA_TO_DEVICE)
		range_copy(phys_of(addr), size, for_device);
	spin_unlock_irqrestore(&lock, flags);
}

/* The device moves bytes that lie on one page. */
int incoherent_move(u64 la, void *buf, size_t n, bool to_memory)
{
	unsigned long flags;
	struct region *r;
	u8 *page, *at;

	spin_lock_irqsave(&lock, flags);
	r = region_at(la, n);
	if (!r) {
		spin_unlock_irqrestore(&lock, flags);
		return -EFAULT;
	}
	page = kmap_local_page(pfn_to_page(PHYS_PFN(phys_of(la))));
	at = r->shared ? page : view_of(phys_of(la))->bytes;
	at += offset_in_page(phys_of(la));
	if (to_memory)
		memcpy(at, buf, n);
	else
		memcpy(buf, at, n);
	kunmap_local(page);
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static dma_addr_t map_page(struct device *dev, struct page *page,
			   unsigned long offset, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t addr = phys_to_dma(dev, page_to_phys(page) + offset);

	if (!dma_capable(dev, addr, size, true) ||
	    !region_add(addr, size, dir, false))
		return DMA_MAPPING_ERROR;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		region_sync(addr, size, true);
	return addr;
}

static void unmap_page(struct device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	region_remove(addr, size, dir, !(attrs & DMA_ATTR_SKIP_CPU_SYNC));
}

static void sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir)
{
	region_sync(addr, size, false);
}

static void sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir)
{
	region_sync(addr, size, true);
}

/*
 * Zeroed pages that the device reaches. The DMA API accounts for them as the
 * device's, and must not as another's as well: hence not by its own means.
 */
static struct page *reached_alloc(struct device *dev, size_t size, gfp_t gfp)
{
	static const gfp_t zones[] = { 0, GFP_DMA32, GFP_DMA };
	struct page *page;
	phys_addr_t phys;
	int i;

	gfp &= ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM);
	for (i = 0; i < ARRAY_SIZE(zones); i++) {
		page = alloc_pages(gfp | __GFP_NOWARN | __GFP_ZERO | zones[i],
				   get_order(size));
		if (!page)
			continue;
		phys = page_to_phys(page);
		if (phys_to_dma(dev, phys + size - 1) <= dev->coherent_dma_mask)
			return page;
		__free_pages(page, get_order(size));
	}
	return NULL;
}

static struct page *region_alloc(struct device *dev, size_t size,
				 dma_addr_t *addr, gfp_t gfp,
				 enum dma_data_direction dir, bool shared)
{
	struct page *page = reached_alloc(dev, size, gfp);

	if (!page)
		return NULL;
	*addr = phys_to_dma(dev, page_to_phys(page));
	if (region_add(*addr, size, dir, shared))
		return page;
	__free_pages(page, get_order(size));
	return NULL;
}

static void *coherent_alloc(struct device *dev, size_t size, dma_addr_t *addr,
			    gfp_t gfp, unsigned long attrs)
{
	struct page *page;

	size = PAGE_ALIGN(size);
	page = region_alloc(dev, size, addr, gfp, DMA_NONE, true);
	return page ? page_address(page) : NULL;
}

static void coherent_free(struct device *dev, size_t size, void *va,
			  dma_addr_t addr, unsigned long attrs)
{
	size = PAGE_ALIGN(size);
	region_remove(addr, size, DMA_NONE, false);
	free_pages((unsigned long)va, get_order(size));
}

static struct page *pages_alloc(struct device *dev, size_t size,
				dma_addr_t *addr, enum dma_data_direction dir,
				gfp_t gfp)
{
	struct page *page = region_alloc(dev, size, addr, gfp, dir, false);
	unsigned long flags;

	if (page) {
		spin_lock_irqsave(&lock, flags);
		region_at(*addr, size)->apart = true;
		spin_unlock_irqrestore(&lock, flags);
	}
	return page;
}

static void pages_free(struct device *dev, size_t size, struct page *page,
		       dma_addr_t addr, enum dma_data_direction dir)
{
	region_remove(addr, size, dir, false);
	__free_pages(page, get_order(size));
}

static u64 required_mask(struct device *dev)
{
	return dma_get_required_mask(&twin->dev);
}

static const struct dma_map_ops ops = {
	.alloc = coherent_alloc,
	.free = coherent_free,
	.NTDMA_OP_ALLOC_PAGES = pages_alloc,
	.free_pages = pages_free,
	.map_page = map_page,
	.unmap_page = unmap_page,
	.sync_single_for_cpu = sync_for_cpu,
	.sync_single_for_device = sync_for_device,
	.get_required_mask = required_mask,
};

static int incoherent_probe(struct platform_device *pdev)
{
	set_dma_ops(&pdev->dev, &ops);
	/* Where a device has none of its own, that did nothing. */
	return get_dma_ops(&pdev->dev) == &ops ? 0 : -ENODEV;
}

static struct platform_driver driver = {
	.driver.name = "ntdma_incoherent",
};

/* Makes the device; that a kernel cannot have it is no error. */
int incoherent_init(void)
{
	struct platform_device *made;

	twin = platform_device_register_simple("ntdma_twin",
					       PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(twin))
		return PTR_ERR(twin);
	made = platform_create_bundle(&driver, incoherent_probe, NULL, 0, NULL,
				      0);
	if (IS_ERR(made)) {
		platform_device_unregister(twin);
		return PTR_ERR(made) == -ENODEV ? 0 : PTR_ERR(made);
	}
	device = made;
	ntdma_shares_no_cache(&device->dev);
	return 0;
}

void incoherent_exit(void)
{
	if (!device)
		return;
	ntdma_shares_no_cache(NULL);
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
	platform_device_unregister(twin);
}
