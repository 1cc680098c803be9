// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of our own choice behind an IOMMU.
 *
 * Model: the DMA API chooses addresses itself, below the DMA mask of the
 * device, in the mask's own words: iommu_dma_alloc_iova() looks no higher. So
 * the mask ends at a floor, and what is above it, the window, is ours: there
 * we map pages ourselves, at the address that we want, into the very domain
 * that the DMA API uses. Nothing is attached or detached, so transfers go on
 * as before, and so do interrupts, whose pages the DMA API maps below the
 * mask as well.
 *
 * A space is what one domain of the IOMMU translates. Its list has, by
 * address, the holes that must not be mapped (reserved regions, interrupts,
 * windows of the host bridge, what the bridge does not pass on) and the spans
 * that are in use. The first device decides where the floor is.
 *
 * Devices of a group share a space, and each has a mask. There is no window
 * unless all of them are ours and end below the floor, or are bridges, which
 * map nothing but the page of their interrupts, and that when they are
 * probed. It is looked up for each span; against a driver that comes later a
 * span is not protected. What somebody mapped before the mask
 * was set is found by asking the IOMMU; what was unmapped lazily may still be
 * in its cache, which is flushed before a span is used. Unmapping flushes
 * before it returns: then the pages may have another use.
 *
 * Locks: ntdma_spaces_lock, the innermost mutex, for all spaces.
 */
#include <linux/delay.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "ntdma.h"
#include "window.h"

#define NTDMA_WINDOW_LEAST	SZ_64K
#define NTDMA_SETTLES		5	/* waits for what should be free */
#define NTDMA_SETTLE_MS		20	/* twice what the DMA API waits */

/*
 * All that reach so far have one floor, and a window in common. What is above
 * is the client's to choose from, and some of what devices with registers of
 * 32 bits reach is as well.
 */
#define NTDMA_WINDOW_REACH	DMA_BIT_MASK(32)

/**
 * struct ntdma_space - what one domain of an IOMMU translates
 * @link: among all spaces
 * @domain: the domain that the DMA API uses
 * @group: whose, referenced
 * @members: devices with adapters, by struct ntdma_device.space_link
 * @granule: smallest page of the IOMMU
 * @floor: first address of the window
 * @last: highest address that is translated
 * @spans: holes and spans by address, without overlap
 */
struct ntdma_space {
	struct list_head link;
	struct iommu_domain *domain;
	struct iommu_group *group;
	struct list_head members;
	u64 granule;
	u64 floor;
	u64 last;
	struct list_head spans;
};

static DEFINE_MUTEX(ntdma_spaces_lock);
static LIST_HEAD(ntdma_spaces);

/* Holes are spans of no space. */
static bool ntdma_is_hole(const struct ntdma_span *span)
{
	return !span->space;
}

/* The first span that ends at or above an address, or the head of the list. */
static struct ntdma_span *ntdma_span_from(struct ntdma_space *space, u64 addr)
{
	struct ntdma_span *span;

	list_for_each_entry(span, &space->spans, link)
		if (span->last >= addr)
			break;
	return span;
}

/* Adds a hole, together with those that it overlaps. */
static int ntdma_hole_add(struct ntdma_space *space, u64 first, u64 last)
{
	struct ntdma_span *hole = ntdma_alloc(sizeof(*hole), GFP_KERNEL);
	struct ntdma_span *span, *next;

	if (!hole)
		return -ENOMEM;
	first = round_down(first, space->granule);
	last |= space->granule - 1;
	span = ntdma_span_from(space, first);
	while (!list_entry_is_head(span, &space->spans, link) &&
	       span->first <= last) {
		first = min(first, span->first);
		last = max(last, span->last);
		next = list_next_entry(span, link);
		list_del(&span->link);
		ntdma_free(span);
		span = next;
	}
	hole->first = first;
	hole->last = last;
	list_add_tail(&hole->link, &span->link);
	return 0;
}

/* What is between the ranges that the bridge passes on, which are in order. */
static int ntdma_holes_of_ranges(struct ntdma_space *space,
				 struct pci_host_bridge *bridge)
{
	struct resource_entry *entry;
	u64 next = 0, start;
	int ret = 0;

	if (list_empty(&bridge->dma_ranges))
		return 0;
	resource_list_for_each_entry(entry, &bridge->dma_ranges) {
		start = entry->res->start - entry->offset;
		if (start > next)
			ret = ntdma_hole_add(space, next, start - 1);
		next = max(next, entry->res->end - entry->offset + 1);
		if (ret || !next)
			return ret;
	}
	return ntdma_hole_add(space, next, U64_MAX);
}

/* Memory behind the bridge may be reached past the IOMMU. */
static int ntdma_holes_of_bridge(struct ntdma_space *space,
				 struct pci_host_bridge *bridge)
{
	struct resource_entry *entry;
	int ret;

	resource_list_for_each_entry(entry, &bridge->windows) {
		if (resource_type(entry->res) != IORESOURCE_MEM)
			continue;
		ret = ntdma_hole_add(space, entry->res->start - entry->offset,
				     entry->res->end - entry->offset);
		if (ret)
			return ret;
	}
	return ntdma_holes_of_ranges(space, bridge);
}

static int ntdma_holes_of_group(struct ntdma_space *space)
{
	struct iommu_resv_region *region, *next;
	LIST_HEAD(regions);
	int ret;

	ret = iommu_get_group_resv_regions(space->group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		/* Where software maps interrupts is up to the DMA API. */
		if (!ret && region->type != IOMMU_RESV_SW_MSI)
			ret = ntdma_hole_add(space, region->start,
					     region->start +
					     region->length - 1);
		kfree(region);
	}
	return ret;
}

static int ntdma_holes_find(struct ntdma_space *space, struct device *dev)
{
	u64 start = space->domain->geometry.aperture_start;
	int ret;

	/* Address 0 means none to many a device. */
	ret = ntdma_hole_add(space, 0, max_t(u64, start, 1) - 1) ?:
	      ntdma_holes_of_group(space);
	if (ret || !dev_is_pci(dev))
		return ret;
	return ntdma_holes_of_bridge(space,
				     pci_find_host_bridge(to_pci_dev(dev)->bus));
}

/* Bytes below and including @last that are no hole. */
static u64 ntdma_space_bytes(const struct ntdma_space *space, u64 last)
{
	const struct ntdma_span *span;
	u64 first = 0, sum = 0;

	list_for_each_entry(span, &space->spans, link) {
		if (!ntdma_is_hole(span))
			continue;
		if (span->first > last)
			break;
		sum += span->first - first;
		if (span->last >= last)
			return sum;
		first = span->last + 1;
	}
	return sum + last - first + 1;
}

/* The address from which to @last there are @want bytes that are no hole. */
static u64 ntdma_space_count_down(const struct ntdma_space *space, u64 last,
				  u64 want)
{
	const struct ntdma_span *span;

	list_for_each_entry_reverse(span, &space->spans, link) {
		if (!ntdma_is_hole(span) || span->first > last)
			continue;
		if (span->last < last) {
			if (want <= last - span->last)
				break;
			want -= last - span->last;
		}
		if (!span->first)
			return 0;
		last = span->first - 1;
	}
	return last - want + 1;
}

/* The upper quarter of what there is up to @last; 0 if that is nothing. */
static u64 ntdma_space_divide(const struct ntdma_space *space, u64 last)
{
	u64 quarter;

	last = min3(last, space->last, NTDMA_WINDOW_REACH);
	quarter = ntdma_space_bytes(space, last) >> 2;
	if (quarter < NTDMA_WINDOW_LEAST)
		return 0;
	return round_up(ntdma_space_count_down(space, last, quarter),
			PAGE_SIZE);
}

static void ntdma_space_free(struct ntdma_space *space)
{
	struct ntdma_span *span, *next;

	list_for_each_entry_safe(span, next, &space->spans, link)
		ntdma_free(span);
	iommu_group_put(space->group);
	ntdma_free(space);
}

static struct ntdma_space *ntdma_space_alloc(struct device *dev,
					     struct iommu_domain *domain)
{
	struct ntdma_space *space = ntdma_alloc(sizeof(*space), GFP_KERNEL);

	if (!space)
		return NULL;
	INIT_LIST_HEAD(&space->spans);
	INIT_LIST_HEAD(&space->members);
	space->domain = domain;
	space->granule = 1UL << __ffs(domain->pgsize_bitmap);
	space->last = domain->geometry.force_aperture ?
		      domain->geometry.aperture_end : U64_MAX;
	space->last = min_t(u64, space->last, ULONG_MAX);
	space->group = iommu_group_get(dev);
	return space;
}

/* Success without a space means that there is no window. */
static int ntdma_space_create(struct device *dev, struct iommu_domain *domain,
			      u64 last, struct ntdma_space **out)
{
	struct ntdma_space *space = ntdma_space_alloc(dev, domain);
	int ret;

	if (!space)
		return -ENOMEM;
	ret = ntdma_holes_find(space, dev);
	space->floor = ret ? 0 : ntdma_space_divide(space, last);
	if (!space->floor) {
		ntdma_space_free(space);
		return ret;
	}
	list_add(&space->link, &ntdma_spaces);
	*out = space;
	return 0;
}

static struct ntdma_space *ntdma_space_find(struct iommu_domain *domain)
{
	struct ntdma_space *space;

	lockdep_assert_held(&ntdma_spaces_lock);
	list_for_each_entry(space, &ntdma_spaces, link)
		if (space->domain == domain)
			return space;
	return NULL;
}

/**
 * ntdma_space_join() - find what the IOMMU translates for a device
 * @device: with a driver, which keeps its domain in place; without a space
 * @last: highest address that the device reaches
 *
 * The space is NULL when the DMA API does not use an IOMMU, when the smallest
 * page of that is larger than the CPU's, and when next to no address is free.
 *
 * Context: PASSIVE_LEVEL, device->lock held.
 * Return: 0 or -ENOMEM.
 */
int ntdma_space_join(struct ntdma_device *device, u64 last)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(device->dev);
	struct ntdma_space *space;
	int ret = 0;

	lockdep_assert_held(&device->lock);
	if (!domain || !iommu_is_dma_domain(domain) ||
	    !(domain->pgsize_bitmap & (2 * PAGE_SIZE - 1)))
		return 0;
	mutex_lock(&ntdma_spaces_lock);
	space = ntdma_space_find(domain);
	if (!space)
		ret = ntdma_space_create(device->dev, domain, last, &space);
	if (space)
		list_add(&device->space_link, &space->members);
	device->space = space;
	mutex_unlock(&ntdma_spaces_lock);
	return ret;
}

/**
 * ntdma_space_leave() - let go of the space
 * @device: with no spans
 *
 * Context: PASSIVE_LEVEL, device->lock held.
 * Return: the highest address that the DMA API may give to the device now:
 *	others of its group may still have their window.
 */
u64 ntdma_space_leave(struct ntdma_device *device)
{
	struct ntdma_space *space = device->space;
	u64 last = U64_MAX;

	lockdep_assert_held(&device->lock);
	if (!space)
		return last;
	device->space = NULL;
	mutex_lock(&ntdma_spaces_lock);
	list_del(&device->space_link);
	if (list_empty(&space->members)) {
		list_del(&space->link);
		ntdma_space_free(space);
	} else {
		last = space->floor - 1;
	}
	mutex_unlock(&ntdma_spaces_lock);
	return last;
}

static bool ntdma_space_used(const struct ntdma_space *space)
{
	const struct ntdma_span *span;

	list_for_each_entry(span, &space->spans, link)
		if (!ntdma_is_hole(span))
			return true;
	return false;
}

/**
 * ntdma_space_renew() - find another place for the window
 * @device: with a space, but no live adapter of a bus master
 * @last: highest address that the next one reaches
 *
 * The window stays where it is when others have it, too, and does not go up
 * while it is used.
 *
 * Context: PASSIVE_LEVEL, device->lock held.
 */
void ntdma_space_renew(struct ntdma_device *device, u64 last)
{
	struct ntdma_space *space = device->space;
	u64 floor;

	lockdep_assert_held(&device->lock);
	mutex_lock(&ntdma_spaces_lock);
	floor = ntdma_space_divide(space, last);
	if (floor && list_is_singular(&space->members) &&
	    (floor < space->floor || !ntdma_space_used(space)))
		space->floor = floor;
	mutex_unlock(&ntdma_spaces_lock);
}

/**
 * ntdma_space_floor() - where the window begins
 * @space: the space
 *
 * Context: any.
 * Return: its first address, never 0.
 */
u64 ntdma_space_floor(const struct ntdma_space *space)
{
	return space->floor;
}

/**
 * ntdma_space_lower() - let the window begin lower
 * @space: of a device that is locked
 * @floor: where; page aligned, not 0
 *
 * The window is of no use until the mask of the device ends there.
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when the space is not that device's alone.
 */
bool ntdma_space_lower(struct ntdma_space *space, u64 floor)
{
	bool alone;

	mutex_lock(&ntdma_spaces_lock);
	alone = list_is_singular(&space->members);
	if (alone)
		space->floor = min(space->floor, floor);
	mutex_unlock(&ntdma_spaces_lock);
	return alone;
}

static bool ntdma_space_has(const struct ntdma_space *space,
			    const struct device *dev)
{
	const struct ntdma_device *device;

	lockdep_assert_held(&ntdma_spaces_lock);
	list_for_each_entry(device, &space->members, space_link)
		if (device->dev == dev)
			return true;
	return false;
}

/* Whether a device of the group might be given addresses in the window. */
static int ntdma_space_threat(struct device *dev, void *data)
{
	struct ntdma_space *space = data;

	if (dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev)))
		return 0;
	if (!ntdma_space_has(space, dev) ||
	    max(*dev->dma_mask, dev->coherent_dma_mask) >= space->floor)
		return -EBUSY;
	return 0;
}

/* The first address in a range that somebody else has mapped, or none. */
static bool ntdma_space_foreign(struct ntdma_space *space, u64 first,
				u64 size, u64 *addr)
{
	u64 end = first + size;

	for (*addr = first; *addr != end; *addr += space->granule)
		if (iommu_iova_to_phys(space->domain, *addr))
			return true;
	return false;
}

static bool ntdma_range_has(const struct ntdma_range *range, u64 first)
{
	return first >= range->min && first <= range->last &&
	       range->size - 1 <= range->last - first;
}

/*
 * Moves @first up to where nothing of ours is in the way; the span behind
 * that, or the head of the list, becomes @next.
 */
static bool ntdma_space_gap(struct ntdma_space *space,
			    const struct ntdma_range *range, u64 *first,
			    struct ntdma_span **next)
{
	struct ntdma_span *span;

	list_for_each_entry(span, &space->spans, link) {
		if (span->last < *first)
			continue;
		if (span->first > *first &&
		    span->first - *first >= range->size)
			break;
		if (!ntdma_range_has(range, span->last + 1))
			return false;
		*first = round_up(span->last + 1, range->unit);
	}
	*next = span;
	return ntdma_range_has(range, *first);
}

/* The lowest address from @min on that is free, and the span behind it. */
static bool ntdma_space_search(struct ntdma_space *space,
			       const struct ntdma_range *range, u64 min,
			       u64 *first, struct ntdma_span **next)
{
	struct ntdma_range part = *range;
	u64 foreign;

	lockdep_assert_held(&ntdma_spaces_lock);
	part.min = max(part.min, min);
	part.last = min(part.last, space->last);
	*first = round_up(part.min, part.unit);
	if (part.min > part.last)
		return false;
	while (ntdma_space_gap(space, &part, first, next)) {
		if (!ntdma_space_foreign(space, *first, part.size, &foreign))
			return true;
		*first = round_up(foreign + space->granule, part.unit);
		cond_resched();
	}
	return false;
}

/* The same in the window. */
static bool ntdma_window_search(struct ntdma_space *space,
				const struct ntdma_range *range, u64 *first,
				struct ntdma_span **next)
{
	return !iommu_group_for_each_dev(space->group, space,
					 ntdma_space_threat) &&
	       ntdma_space_search(space, range, space->floor, first, next);
}

/**
 * ntdma_space_room() - whether the DMA API may find addresses
 * @space: where
 * @range: what it is to be asked for; its alignment is not used
 *
 * For limits below the DMA mask. Once the DMA API has found nothing for so much
 * memory it answers no at once, to all who ask for as much, until somebody gives
 * back addresses below 4 GiB. So it must not be asked for what cannot be. It
 * aligns to the size, rounded up to a power of two.
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when everything is in use there, or is none of its own.
 */
bool ntdma_space_room(struct ntdma_space *space,
		      const struct ntdma_range *range)
{
	struct ntdma_range aligned = *range;
	struct ntdma_span *next;
	bool found;
	u64 first;

	aligned.unit = 1ULL << fls64(range->size - 1);
	mutex_lock(&ntdma_spaces_lock);
	aligned.last = min(aligned.last, space->floor - 1);
	found = ntdma_space_search(space, &aligned, PAGE_SIZE, &first, &next);
	mutex_unlock(&ntdma_spaces_lock);
	return found;
}

/**
 * ntdma_space_again() - whether to ask the DMA API for addresses below limits
 * @space: where, or NULL
 * @range: what it is to be asked for, see ntdma_space_room()
 * @asked: how often it was asked, 0 at first; counted here
 *
 * What was unmapped lazily looks free, and is not to be had for 10 ms: then it
 * is waited before the DMA API is asked again.
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when asking, or asking again, is in vain.
 */
bool ntdma_space_again(struct ntdma_space *space,
		       const struct ntdma_range *range, unsigned int *asked)
{
	unsigned int before = (*asked)++;

	if (!space)
		return !before;
	if (before) {
		if (before > NTDMA_SETTLES ||
		    space->domain->type != IOMMU_DOMAIN_DMA_FQ)
			return false;
		msleep(NTDMA_SETTLE_MS);
	}
	return ntdma_space_room(space, range);
}

/**
 * ntdma_space_fit() - find addresses, without reserving them
 * @space: where
 * @range: what is wanted
 * @first: set to the lowest that is free
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when there is no such range in the window.
 */
bool ntdma_space_fit(struct ntdma_space *space,
		     const struct ntdma_range *range, u64 *first)
{
	struct ntdma_span *next;
	bool found;

	mutex_lock(&ntdma_spaces_lock);
	found = ntdma_window_search(space, range, first, &next);
	mutex_unlock(&ntdma_spaces_lock);
	return found;
}

/**
 * ntdma_span_reserve() - get addresses
 * @space: where
 * @span: not reserved; becomes the lowest range that is free
 * @range: what is wanted
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when there is no such range in the window.
 */
bool ntdma_span_reserve(struct ntdma_space *space, struct ntdma_span *span,
			const struct ntdma_range *range)
{
	struct ntdma_span *next;
	bool found;
	u64 first;

	mutex_lock(&ntdma_spaces_lock);
	found = ntdma_window_search(space, range, &first, &next);
	if (found) {
		span->first = first;
		span->last = first + range->size - 1;
		span->mapped = 0;
		span->space = space;
		list_add_tail(&span->link, &next->link);
	}
	mutex_unlock(&ntdma_spaces_lock);
	if (found)
		iommu_flush_iotlb_all(space->domain);
	return found;
}

static int ntdma_prot(struct device *dev, enum dma_data_direction dir)
{
	int prot = dev_is_dma_coherent(dev) ? IOMMU_CACHE : 0;

	if (dir != DMA_FROM_DEVICE)
		prot |= IOMMU_READ;
	if (dir != DMA_TO_DEVICE)
		prot |= IOMMU_WRITE;
	return prot;
}

/**
 * ntdma_span_map() - map memory behind what is mapped already
 * @span: with that much room
 * @dev: a device of the space
 * @phys: the memory, page aligned
 * @size: in bytes, whole pages
 * @dir: what the device may do
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when there is no memory for it.
 */
bool ntdma_span_map(struct ntdma_span *span, struct device *dev,
		    phys_addr_t phys, u64 size, enum dma_data_direction dir)
{
	if (ntdma_fail_map() ||
	    ntdma_iommu_map(span->space->domain, span->first + span->mapped,
			    phys, size, ntdma_prot(dev, dir)))
		return false;
	span->mapped += size;
	return true;
}

/**
 * ntdma_span_release() - unmap, and give the addresses back
 * @span: reserved or not
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_span_release(struct ntdma_span *span)
{
	if (!span->space)
		return;
	if (span->mapped)
		iommu_unmap(span->space->domain, span->first, span->mapped);
	mutex_lock(&ntdma_spaces_lock);
	list_del(&span->link);
	mutex_unlock(&ntdma_spaces_lock);
	span->space = NULL;
}
