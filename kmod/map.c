// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping a part of an MDL chain for the device, and taking it back.
 *
 * Model: a map holds runs. A run is a piece of memory with the address that
 * the device uses for it, and comes about in one of three ways:
 *   mapped   by the DMA API
 *   bounced  as a copy in the adapter's pool
 *   known    because it is a common buffer, which has its address already
 *            and must not be mapped again
 * With an IOMMU, several pieces are `merged`: mapped together as a scatterlist,
 * because the IOMMU then makes one run of them. That is done for the first part
 * under a set of registers; what is mapped beside it are single runs.
 *
 * A device that takes no lists gets all bytes as one run: the memory is
 * contiguous, or the IOMMU makes it so, or it is copied to a reserved area of
 * a contiguous pool.
 *
 * MapTransfer cannot report a failure. What is mapped under registers therefore
 * falls back to the pool, whose pages need no mapping: wherever something may
 * have to be copied or a mapping may fail, registers were granted with a slot
 * each.
 *
 * `pos` is where the client knows a run: an offset into the chain for lists
 * and the Ex routines, a virtual address for the others. What a flush names
 * is found by it, and not by the MDL, which clients edit.
 *
 * Nothing here takes a lock but the pool's; a map belongs to one list or one
 * set of registers, and its client does not use it from two threads.
 */
#include <linux/dma-direct.h>
#include <linux/pfn.h>

#include "ntdma.h"
#include "trace.h"

/**
 * ntdma_map_init() - an empty map
 * @map: set up
 * @adapter: the adapter
 * @entries: memory for @room entries of adapter->entry_size
 * @room: how many
 *
 * Context: any.
 */
void ntdma_map_init(struct ntdma_map *map, struct ntdma_adapter *adapter,
		    void *entries, u32 room)
{
	memset(map, 0, sizeof(*map));
	map->adapter = adapter;
	map->sgs = entries;
	map->runs = entries;
	map->room = room;
	map->area = NTDMA_NO_SLOT;
}

/* Bytes of a run, not mapped yet, that lie in its first page. */
static u32 ntdma_run_page(const struct ntdma_run *run)
{
	return min_t(u32, run->length, PAGE_SIZE - offset_in_page(run->phys));
}

static void ntdma_clip_reach(const struct ntdma_adapter *adapter,
			     struct ntdma_run *run)
{
	if (ntdma_reachable(adapter, run->phys, run->length))
		return;
	run->length = ntdma_run_page(run);
	if (!ntdma_reachable(adapter, run->phys, run->length))
		run->at = 0;
}

/*
 * Cache lines that the device writes in part hold bytes of somebody else, and
 * CPU and device would overwrite each other's. Such a page is bounced.
 */
static void ntdma_clip_edges(const struct ntdma_adapter *adapter,
			     struct ntdma_run *run)
{
	u32 page = ntdma_run_page(run);
	u32 tail = (run->phys + run->length) & (adapter->line - 1);

	if (run->phys & (adapter->line - 1)) {
		run->length = page;
		run->at = 0;
	} else if (tail && run->length > page) {
		run->length -= offset_in_page(run->phys + run->length);
	} else if (tail) {
		run->at = 0;
	}
}

/* The largest part at @phys that one address serves. */
static void ntdma_clip(const struct ntdma_map *map, struct ntdma_run *run)
{
	const struct ntdma_adapter *adapter = map->adapter;
	u64 room;

	if (adapter->backend == NTDMA_BOUNCE)
		ntdma_clip_reach(adapter, run);
	if (adapter->line > 1 && map->dir == DMA_FROM_DEVICE)
		ntdma_clip_edges(adapter, run);
	/* What is copied is a page at most, and may have no address itself. */
	if (!run->at || adapter->backend == NTDMA_IOMMU ||
	    adapter->boundary == U64_MAX)
		return;
	room = ntdma_boundary_room(phys_to_dma(adapter->dev, run->phys),
				   adapter->boundary);
	run->length = min_t(u64, run->length, room);
}

/*
 * Finds the next run without mapping it: run->at tells how, and is 0 for what
 * must bounce. Only what is known has its address by then.
 */
static bool ntdma_next(const struct ntdma_map *map,
		       const struct ntdma_walk *walk, struct ntdma_run *run)
{
	const struct ntdma_adapter *adapter = map->adapter;
	struct ntdma_piece piece;
	u32 most, known;

	if (!walk->left)
		return false;
	/* Ends at a page, so that no page counts twice. */
	most = adapter->max_seg -
	       offset_in_page(walk->mdl->ByteOffset + walk->done);

	known = ntdma_buffer_address(adapter, walk->mdl, walk->done,
				     &run->addr);
	if (known) {
		run->length = min_t(u64, min3(known, walk->left, most),
				    ntdma_boundary_room(run->addr,
							adapter->boundary));
		run->phys = run->addr;
		run->at = NTDMA_KNOWN;
		return true;
	}
	if (adapter->forced)
		most = min_t(u32, most, PAGE_SIZE);
	ntdma_walk_peek(walk, most, &piece);
	run->phys = piece.phys;
	run->length = piece.length;
	run->at = NTDMA_MAPPED;
	ntdma_clip(map, run);
	return true;
}

/* Whether the part is one run for the device as it lies in memory. */
static bool ntdma_whole(const struct ntdma_map *map,
			const struct ntdma_walk *walk, struct ntdma_run *run)
{
	const struct ntdma_adapter *adapter = map->adapter;
	struct ntdma_piece piece;
	u32 known;

	known = ntdma_buffer_address(adapter, walk->mdl, walk->done,
				     &run->addr);
	run->phys = run->addr;
	run->at = NTDMA_KNOWN;
	run->length = walk->left;
	if (known)
		return min_t(u64, known,
			     ntdma_boundary_room(run->addr,
						 adapter->boundary)) >=
		       walk->left;
	if (!ntdma_walk_peek(walk, U32_MAX, &piece) ||
	    piece.length != walk->left)
		return false;
	run->phys = piece.phys;
	run->length = piece.length;
	run->at = NTDMA_MAPPED;
	ntdma_clip(map, run);
	return run->at == NTDMA_MAPPED && run->length == piece.length;
}

/**
 * ntdma_map_slots() - slots of the pool that a list needs
 * @map: of the list, empty, with its direction
 * @mdl: first MDL
 * @offset: chain offset
 * @length: in bytes, at least 1
 *
 * Context: any.
 * Return: number of slots, 0 when nothing has to be copied.
 */
u32 ntdma_map_slots(struct ntdma_map *map, PMDL mdl, u64 offset, u32 length)
{
	struct ntdma_walk walk;
	struct ntdma_run run;
	u32 slots = 0;

	if (!map->adapter->counted)
		return 0;
	ntdma_walk_start(&walk, mdl, offset, length);
	if (!map->adapter->sg) {
		if (ntdma_whole(map, &walk, &run))
			return 0;
		return ntdma_span(walk.mdl->ByteOffset + walk.done, length);
	}
	for (; ntdma_next(map, &walk, &run);
	     ntdma_walk_skip(&walk, run.length))
		slots += !run.at;
	return slots;
}

/**
 * ntdma_map_fit() - how much of a part can be mapped at once
 * @map: under which it would be, with its direction
 * @mdl: first MDL
 * @offset: chain offset
 * @length: bytes wanted
 * @pages: registers that there are
 * @elements: elements that there is space for
 *
 * A device without lists stays inside the MDL of the first byte (EC-114).
 *
 * Context: any.
 * Return: number of bytes from @offset.
 */
u32 ntdma_map_fit(struct ntdma_map *map, PMDL mdl, u64 offset, u32 length,
		  u32 pages, u32 elements)
{
	struct ntdma_walk walk;
	struct ntdma_run run;
	u32 span, most, fit = 0;

	ntdma_walk_start(&walk, mdl, offset, length);
	if (!walk.left)
		return 0;
	if (!map->adapter->sg) {
		most = min(walk.left, walk.mdl->ByteCount - walk.done);
		return min_t(u64, most, ((u64)pages << PAGE_SHIFT) -
			     offset_in_page(walk.mdl->ByteOffset + walk.done));
	}
	while (pages && elements && ntdma_next(map, &walk, &run)) {
		most = offset_in_page(run.phys);
		span = min_t(u32, ntdma_span(most, run.length), pages);
		run.length = min_t(u64, run.length,
				   ((u64)span << PAGE_SHIFT) - most);
		fit += run.length;
		pages -= span;
		elements--;
		ntdma_walk_skip(&walk, run.length);
	}
	return fit;
}

static dma_addr_t ntdma_run_address(const struct ntdma_map *map,
				    const struct ntdma_run *run)
{
	if (run->at >= NTDMA_KNOWN)
		return run->addr;
	return ntdma_pool_address(map->adapter->pool, run->at);
}

static u32 ntdma_run_span(const struct ntdma_run *run)
{
	return ntdma_span(offset_in_page(run->phys), run->length);
}

static void ntdma_run_add(struct ntdma_map *map, const struct ntdma_run *run,
			  u64 pos)
{
	map->runs[map->count] = *run;
	map->runs[map->count++].pos = pos;
	map->pages += ntdma_run_span(run);
}

/* The DMA API takes memory twice only where it need not be synced. */
static unsigned long ntdma_map_attrs(const struct ntdma_map *map)
{
	return DMA_ATTR_NO_WARN | (map->again ? DMA_ATTR_SKIP_CPU_SYNC : 0);
}

static int ntdma_run_map_page(struct ntdma_map *map, struct ntdma_run *run)
{
	struct device *dev = map->adapter->dev;
	struct page *page = pfn_to_page(PHYS_PFN(run->phys));
	dma_addr_t addr;

	if (ntdma_fail_map())
		return -ENOMEM;
	addr = dma_map_page_attrs(dev, page, offset_in_page(run->phys),
				  run->length, map->dir, ntdma_map_attrs(map));
	if (dma_mapping_error(dev, addr))
		return map->adapter->backend == NTDMA_IOMMU ? -ENOMEM : -EIO;
	run->addr = addr;
	return 0;
}

static void ntdma_run_bounce(struct ntdma_map *map, struct ntdma_run *run,
			     u32 at)
{
	struct ntdma_adapter *adapter = map->adapter;

	run->at = at;
	trace_ntdma_bounce(adapter, run->phys, at, run->length);
	ntdma_bounce_in(adapter->pool, at, run->phys, run->length);
	this_cpu_add(adapter->stats->bounced, ntdma_run_span(run));
}

static bool ntdma_run_take_slot(struct ntdma_map *map, struct ntdma_run *run)
{
	struct ntdma_adapter *adapter = map->adapter;
	u32 slot;

	if (!map->slots || adapter->pool->contiguous)
		return false;
	slot = ntdma_pool_take(adapter->pool, 1);
	if (slot == NTDMA_NO_SLOT)
		return false;
	map->slots--;
	if (adapter->checked)
		ntdma_pool_paint(adapter->pool, (slot << PAGE_SHIFT) |
				 offset_in_page(run->phys), run->length);
	ntdma_run_bounce(map, run, (slot << PAGE_SHIFT) |
				   offset_in_page(run->phys));
	return true;
}

/*
 * Maps one run, in the way that ntdma_next() found. What was granted and
 * cannot be mapped now goes through the pool, a page of it.
 */
static int ntdma_run_map(struct ntdma_map *map, struct ntdma_run *run)
{
	int ret = -EIO;

	if (map->merged + map->count == map->room)
		return -EIO;
	if (run->at == NTDMA_KNOWN)
		return 0;
	if (run->at == NTDMA_MAPPED) {
		ret = ntdma_run_map_page(map, run);
		if (!ret || !map->granted)
			return ret;
		run->length = min_t(u32, run->length,
				    PAGE_SIZE - offset_in_page(run->phys));
	}
	return ntdma_run_take_slot(map, run) ? 0 : ret;
}

/* What the device wrote beside the transfers of these slots is a misuse. */
static void ntdma_slots_check(struct ntdma_adapter *adapter, u32 first,
			      u32 count)
{
	if (adapter->checked &&
	    !ntdma_pool_intact(adapter->pool, first, count))
		ntdma_notice(adapter, NTDMA_RULE_OVERRUN);
}

static void ntdma_run_unmap(struct ntdma_map *map, struct ntdma_run *run,
			    unsigned long attrs)
{
	struct ntdma_adapter *adapter = map->adapter;

	map->pages -= ntdma_run_span(run);
	if (run->at == NTDMA_KNOWN)
		return;
	if (run->at == NTDMA_MAPPED) {
		dma_unmap_page_attrs(adapter->dev, run->addr, run->length,
				     map->dir, attrs);
	} else if (!adapter->pool->contiguous) {
		ntdma_slots_check(adapter, run->at >> PAGE_SHIFT, 1);
		ntdma_pool_give(adapter->pool, run->at >> PAGE_SHIFT, 1);
		map->slots++;
	}
}

/* Undoes the runs from @first on, which the device has not seen. */
static void ntdma_map_trim(struct ntdma_map *map, u32 first)
{
	while (map->count > first)
		ntdma_run_unmap(map, &map->runs[--map->count],
				DMA_ATTR_SKIP_CPU_SYNC);
}

/* Maps up to @most runs; stops early only for what was granted. */
static int ntdma_map_runs(struct ntdma_map *map, struct ntdma_walk *walk,
			  u64 pos, u32 most)
{
	u32 first = map->count;
	struct ntdma_run run;
	int ret;

	for (; most && ntdma_next(map, walk, &run); most--) {
		ret = ntdma_run_map(map, &run);
		if (ret && map->granted && map->count > first)
			break;
		if (ret) {
			ntdma_map_trim(map, first);
			return ret;
		}
		ntdma_run_add(map, &run, pos);
		ntdma_walk_skip(walk, run.length);
		pos += run.length;
	}
	return 0;
}

/* Whether the IOMMU can make one run of pieces with edges at @run. */
static bool ntdma_mergeable(const struct ntdma_map *map,
			    const struct ntdma_run *run, bool first, bool last)
{
	u64 granule = map->adapter->granule;

	return (first || !(run->phys & granule)) &&
	       (last || !((run->phys + run->length) & granule));
}

/*
 * Fills the scatterlist. Returns the number of entries, 0 when the part is
 * not for one: a single piece, something in it that is not mapped, or, for a
 * device without lists, edges that leave gaps.
 */
static u32 ntdma_sg_fill(struct ntdma_map *map, struct ntdma_walk walk)
{
	struct ntdma_adapter *adapter = map->adapter;
	struct ntdma_run run;
	u32 count = 0;

	for (; ntdma_next(map, &walk, &run); count++) {
		ntdma_walk_skip(&walk, run.length);
		if (run.at != NTDMA_MAPPED || count == map->room)
			return 0;
		if (!adapter->sg &&
		    !ntdma_mergeable(map, &run, !count, !walk.left))
			return 0;
		memset(&map->sgs[count], 0, sizeof(*map->sgs));
		sg_set_page(&map->sgs[count],
			    pfn_to_page(PHYS_PFN(run.phys)), run.length,
			    offset_in_page(run.phys));
	}
	if (count < 2)
		return 0;
	sg_mark_end(&map->sgs[count - 1]);
	return count;
}

static u32 ntdma_sg_pages(const struct ntdma_map *map)
{
	const struct scatterlist *sg;
	u32 pages = 0;

	for (sg = map->sgs; sg < map->sgs + map->merged; sg++)
		pages += ntdma_span(sg->offset, sg->length);
	return pages;
}

/* The runs move to where the space of all entries is theirs. */
static void ntdma_sg_unmap(struct ntdma_map *map, unsigned long attrs)
{
	dma_unmap_sg_attrs(map->adapter->dev, map->sgs, map->merged, map->dir,
			   attrs);
	map->pages -= ntdma_sg_pages(map);
	map->merged = 0;
	memmove(map->sgs, map->runs, map->count * sizeof(*map->runs));
	map->runs = (void *)map->sgs;
}

static int ntdma_sg_map(struct ntdma_map *map, u32 count)
{
	if (!ntdma_fail_map())
		map->nents = dma_map_sg_attrs(map->adapter->dev, map->sgs,
					      count, map->dir,
					      ntdma_map_attrs(map));
	else
		map->nents = 0;
	/* Piece by piece there may be addresses for it, or there are copies. */
	return map->nents ? 0 : 1;
}

/* Maps a part as a scatterlist; 1 when it has to be done otherwise. */
static int ntdma_map_merged(struct ntdma_map *map, struct ntdma_walk *walk,
			    u64 pos)
{
	struct ntdma_adapter *adapter = map->adapter;
	u32 count;
	int ret;

	if (adapter->backend != NTDMA_IOMMU || !ntdma_map_empty(map) ||
	    (!adapter->sg && !adapter->merge))
		return 1;
	count = ntdma_sg_fill(map, *walk);
	if (!count)
		return 1;
	ret = ntdma_sg_map(map, count);
	if (ret)
		return ret;
	map->merged = count;
	map->runs = (void *)(map->sgs + count);
	map->pages += ntdma_sg_pages(map);
	map->pos = pos;
	map->length = walk->left;
	if (!adapter->sg && map->nents > 1) {
		ntdma_sg_unmap(map, DMA_ATTR_SKIP_CPU_SYNC);
		return 1;
	}
	walk->left = 0;
	return 0;
}

/* The slots may have been those of a transfer that ended before. */
static void ntdma_area_paint(struct ntdma_adapter *adapter, u32 at, u32 length)
{
	if (!adapter->checked)
		return;
	ntdma_slots_check(adapter, at >> PAGE_SHIFT, ntdma_span(at, length));
	ntdma_pool_paint(adapter->pool, at, length);
}

/* A run in the pages from @at on, NULL when they are free. */
static const struct ntdma_run *ntdma_area_taken(const struct ntdma_map *map,
						u64 at, u64 size)
{
	const struct ntdma_run *run;

	for (run = map->runs; run < map->runs + map->count; run++)
		if (run->at < NTDMA_KNOWN &&
		    at < (u64)run->at + run->length &&
		    run->at - offset_in_page(run->at) < at + size)
			return run;
	return NULL;
}

/* First page of the first gap in the reserved area, or behind its end. */
static u64 ntdma_area_find(const struct ntdma_map *map, u64 size)
{
	u64 at = (u64)map->area << PAGE_SHIFT;
	const struct ntdma_run *run;

	while ((run = ntdma_area_taken(map, at, size)))
		at = round_up((u64)run->at + run->length, PAGE_SIZE);
	return at;
}

/*
 * Finds a place in the reserved area for *@size bytes, whole pages. Where some
 * of it is in use already it may be for fewer, but never for none: registers
 * that are free have slots that are free.
 */
static u64 ntdma_area_place(const struct ntdma_map *map, u64 *size)
{
	u64 end = ((u64)map->area + map->slots) << PAGE_SHIFT;
	u64 at = ntdma_area_find(map, *size), wanted = *size;

	if (at + *size <= end)
		return at;
	at = ntdma_area_find(map, PAGE_SIZE);
	for (*size = 0; *size < wanted && at + *size < end; *size += PAGE_SIZE)
		if (ntdma_area_taken(map, at, *size + PAGE_SIZE))
			break;
	return at;
}

/* Copies a part into the reserved area, where it is one run. */
static int ntdma_map_copied(struct ntdma_map *map, struct ntdma_walk *walk,
			    u64 pos)
{
	u32 offset = offset_in_page(walk->mdl->ByteOffset + walk->done);
	u32 left, first = map->count;
	struct ntdma_piece piece;
	struct ntdma_run run;
	u64 at, size;

	if (map->area == NTDMA_NO_SLOT)
		return -EIO;
	size = (u64)ntdma_span(offset, walk->left) << PAGE_SHIFT;
	at = ntdma_area_place(map, &size) + offset;
	if (!size)
		return -EIO;
	left = min_t(u64, walk->left, size - offset);
	ntdma_area_paint(map->adapter, at, left);
	for (; left && ntdma_walk_peek(walk, left, &piece);
	     left -= piece.length) {
		if (map->merged + map->count == map->room) {
			ntdma_map_trim(map, first);
			return -EIO;
		}
		ntdma_walk_skip(walk, piece.length);
		run.phys = piece.phys;
		run.length = piece.length;
		ntdma_run_bounce(map, &run, at);
		ntdma_run_add(map, &run, pos);
		at += piece.length;
		pos += piece.length;
	}
	return 0;
}

/* A device without lists: all of the part becomes one run. */
static int ntdma_map_whole(struct ntdma_map *map, struct ntdma_walk *walk,
			   u64 pos)
{
	struct ntdma_run run;
	int ret;

	if (ntdma_whole(map, walk, &run)) {
		ret = run.at == NTDMA_KNOWN ? 0 :
					      ntdma_run_map_page(map, &run);
		if (!ret) {
			ntdma_run_add(map, &run, pos);
			walk->left = 0;
		}
		if (!ret || !map->granted)
			return ret;
	}
	ret = ntdma_map_merged(map, walk, pos);
	return ret > 0 ? ntdma_map_copied(map, walk, pos) : ret;
}

/**
 * ntdma_map_chain() - map a part of a chain
 * @map: with room for its pages and its direction; may hold other runs
 * @mdl: first MDL
 * @offset: chain offset
 * @pos: where the client knows the first byte
 * @length: in: bytes to map, at least 1, the chain has them; out: bytes mapped
 * @most: most runs that the device can be told
 *
 * All or nothing, unless the map is granted: then at least one run is mapped,
 * for a device without lists as long a one as there is room for.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: 0, -ENOMEM when it may succeed later, -EIO when it will not.
 */
int ntdma_map_chain(struct ntdma_map *map, PMDL mdl, u64 offset, u64 pos,
		    u32 *length, u32 most)
{
	struct ntdma_adapter *adapter = map->adapter;
	u32 before = map->merged + map->count;
	struct ntdma_walk walk;
	int ret;

	map->mdl = mdl;
	ntdma_walk_start(&walk, mdl, offset, *length);
	if (adapter->sg) {
		ret = ntdma_map_merged(map, &walk, pos);
		if (ret > 0)
			ret = ntdma_map_runs(map, &walk, pos, most);
	} else {
		ret = ntdma_map_whole(map, &walk, pos);
	}
	if (ret)
		return ret;
	*length -= walk.left;
	this_cpu_add(adapter->stats->mapped, *length);
	trace_ntdma_mapped(adapter, pos, *length,
			   map->merged + map->count - before);
	return 0;
}

/* Whether a stretch of memory is one run for a device that takes it as it is. */
static bool ntdma_is_run(const struct ntdma_adapter *adapter,
			 const PFN_NUMBER *pfns, u32 pages, u32 offset,
			 u32 length)
{
	u32 i;

	/* No limit is below a page. */
	if (pages == 1)
		return true;
	if (length > adapter->max_seg - offset)
		return false;
	for (i = 1; i < pages; i++)
		if (pfns[i] != pfns[0] + i)
			return false;
	return adapter->backend == NTDMA_IOMMU ||
	       ntdma_boundary_room(phys_to_dma(adapter->dev,
					       PFN_PHYS(pfns[0]) + offset),
				   adapter->boundary) >= length;
}

/**
 * ntdma_map_single() - map a part that is one run, as short ones mostly are
 * @map: of registers, empty, with its direction
 * @mdl: the MDL that has all of the part
 * @done: offset in it
 * @length: bytes to map, at least 1
 *
 * What ntdma_map_fit() and ntdma_map_chain() do with such a part, in one pass.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: false, with nothing done, for any other part and where a mapping
 *	fails.
 */
bool ntdma_map_single(struct ntdma_map *map, PMDL mdl, u32 done, u32 length)
{
	const struct ntdma_adapter *adapter = map->adapter;
	u64 start = (u64)mdl->ByteOffset + done;
	const PFN_NUMBER *pfns = MmGetMdlPfnArray(mdl) + (start >> PAGE_SHIFT);
	u32 offset = offset_in_page(start);
	u32 pages = ntdma_span(offset, length);
	struct ntdma_run *run = map->runs;
	dma_addr_t addr;

	if (!adapter->plain || ntdma_buffer_possible(adapter, mdl) ||
	    pages > map->room ||
	    !ntdma_is_run(adapter, pfns, pages, offset, length) ||
	    ntdma_fail_map())
		return false;
	addr = dma_map_page_attrs(adapter->dev, pfn_to_page(pfns[0]), offset,
				  length, map->dir, ntdma_map_attrs(map));
	if (dma_mapping_error(adapter->dev, addr))
		return false;
	run->addr = addr;
	run->phys = PFN_PHYS(pfns[0]) + offset;
	run->pos = done;
	run->length = length;
	run->at = NTDMA_MAPPED;
	map->mdl = mdl;
	map->count = 1;
	map->pages = pages;
	this_cpu_add(adapter->stats->mapped, length);
	trace_ntdma_mapped(map->adapter, done, length, 1);
	return true;
}

/**
 * ntdma_map_address() - what the device calls a run
 * @map: the map
 * @index: of the run; their number for what is merged
 *
 * Context: any.
 * Return: the address of its first byte.
 */
dma_addr_t ntdma_map_address(const struct ntdma_map *map, u32 index)
{
	return index < map->count ? ntdma_run_address(map, &map->runs[index]) :
				    sg_dma_address(map->sgs);
}

static void ntdma_element(PSCATTER_GATHER_LIST list, u32 index, u64 addr,
			  u32 length)
{
	PSCATTER_GATHER_ELEMENT element = &list->Elements[index];

	/* Clients' buffers have any alignment. */
	put_unaligned(addr, &element->Address.QuadPart);
	put_unaligned(length, &element->Length);
	put_unaligned(0, &element->Reserved);
}

static u32 ntdma_elements_merged(const struct ntdma_map *map,
				 PSCATTER_GATHER_LIST list)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(map->sgs, sg, map->nents, i)
		ntdma_element(list, i, sg_dma_address(sg), sg_dma_len(sg));
	return map->nents;
}

static u32 ntdma_elements_whole(const struct ntdma_map *map,
				PSCATTER_GATHER_LIST list)
{
	u32 i, length = 0;

	for (i = 0; i < map->count; i++)
		length += map->runs[i].length;
	ntdma_element(list, 0, ntdma_run_address(map, map->runs), length);
	return 1;
}

/**
 * ntdma_map_elements() - write out a map as a list
 * @map: of one part
 * @list: with space for as many elements as the part has pieces
 *
 * Writes NumberOfElements and the elements, in chain order.
 *
 * Context: any.
 * Return: number of elements.
 */
u32 ntdma_map_elements(const struct ntdma_map *map, PSCATTER_GATHER_LIST list)
{
	u32 i, count = map->count;

	if (map->merged)
		count = ntdma_elements_merged(map, list);
	else if (!map->adapter->sg)
		count = ntdma_elements_whole(map, list);
	else
		for (i = 0; i < count; i++)
			ntdma_element(list, i,
				      ntdma_run_address(map, &map->runs[i]),
				      map->runs[i].length);
	put_unaligned(count, &list->NumberOfElements);
	this_cpu_add(map->adapter->stats->elements, count);
	return count;
}

/**
 * ntdma_map_bounced() - whether the device sees a copy of some of the memory
 * @map: the map
 *
 * Context: any.
 * Return: true when a run is bounced.
 */
bool ntdma_map_bounced(const struct ntdma_map *map)
{
	u32 i;

	for (i = 0; i < map->count; i++)
		if (map->runs[i].at < NTDMA_KNOWN)
			return true;
	return false;
}

/* Makes the part of a run that starts @skip bytes in visible to the CPU. */
static void ntdma_run_sync(struct ntdma_map *map, const struct ntdma_run *run,
			   u32 skip, u32 length)
{
	if (map->dir != DMA_FROM_DEVICE || run->at == NTDMA_KNOWN)
		return;
	if (run->at == NTDMA_MAPPED)
		dma_sync_single_for_cpu(map->adapter->dev, run->addr + skip,
					length, map->dir);
	else
		ntdma_bounce_out(map->adapter->pool, run->at + skip,
				 run->phys + skip, length);
}

static bool ntdma_run_in(const struct ntdma_run *run, u64 pos, u64 end)
{
	return run->pos < end && pos < run->pos + run->length;
}

static bool ntdma_merged_in(const struct ntdma_map *map, u64 pos, u64 end)
{
	return map->merged && map->pos < end && pos < map->pos + map->length;
}

/* Flushes what [pos, end) has of a run; true when that is all of it. */
static bool ntdma_run_flush(struct ntdma_map *map, struct ntdma_run *run,
			    u64 pos, u64 end)
{
	u64 from = max(pos, run->pos);
	u64 to = min(end, run->pos + run->length);
	bool whole = to - from == run->length;

	/* The unmap of a whole mapping syncs it. */
	if (!whole || run->at != NTDMA_MAPPED)
		ntdma_run_sync(map, run, from - run->pos, to - from);
	if (whole)
		ntdma_run_unmap(map, run, 0);
	return whole;
}

static bool ntdma_flush_merged(struct ntdma_map *map, u64 pos, u64 end)
{
	if (!ntdma_merged_in(map, pos, end))
		return false;
	if (pos <= map->pos && end >= map->pos + map->length)
		ntdma_sg_unmap(map, 0);
	else if (map->dir == DMA_FROM_DEVICE)
		dma_sync_sg_for_cpu(map->adapter->dev, map->sgs, map->merged,
				    map->dir);
	return true;
}

static noinline bool ntdma_flush_parts(struct ntdma_map *map, u64 pos, u64 end)
{
	u32 i, kept = 0, count = map->count;
	bool hit;

	if (pos == end)
		return false;
	hit = ntdma_flush_merged(map, pos, end);
	for (i = 0; i < count; i++) {
		struct ntdma_run run = map->runs[i];

		if (ntdma_run_in(&run, pos, end)) {
			hit = true;
			if (ntdma_run_flush(map, &run, pos, end))
				continue;
		}
		map->runs[kept++] = run;
	}
	map->count = kept;
	return hit;
}

/**
 * ntdma_map_has() - whether a flush would find anything
 * @map: the map
 * @pos: first byte, as given to ntdma_map_chain()
 * @length: in bytes; may reach beyond what is mapped
 *
 * Context: any.
 * Return: what ntdma_map_flush() returns.
 */
bool ntdma_map_has(const struct ntdma_map *map, u64 pos, u32 length)
{
	u64 end = pos + length;
	u32 i;

	if (!length)
		return false;
	for (i = 0; i < map->count; i++)
		if (ntdma_run_in(&map->runs[i], pos, end))
			return true;
	return ntdma_merged_in(map, pos, end);
}

/**
 * ntdma_map_flush() - end a transfer, or a part of it
 * @map: the map
 * @pos: first byte, as given to ntdma_map_chain()
 * @length: in bytes; may reach beyond what is mapped
 *
 * What is covered becomes visible to the CPU; runs that are covered whole are
 * unmapped. Repeating a flush does nothing, and so does one of no bytes.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: whether something of it was mapped.
 */
bool ntdma_map_flush(struct ntdma_map *map, u64 pos, u32 length)
{
	struct ntdma_run *run = map->runs;
	u64 end = pos + length;

	trace_ntdma_flushed(map->adapter, pos, length,
			    map->merged + map->count);
	if (map->merged || map->count != 1 || run->at != NTDMA_MAPPED ||
	    pos > run->pos || end < run->pos + run->length)
		return ntdma_flush_parts(map, pos, end);
	map->count = 0;
	map->pages = 0;
	dma_unmap_page_attrs(map->adapter->dev, run->addr, run->length,
			     map->dir, 0);
	return true;
}

/* A reserved area is looked at once nothing is mapped there any more. */
static void ntdma_area_check(struct ntdma_map *map)
{
	if (map->area != NTDMA_NO_SLOT)
		ntdma_slots_check(map->adapter, map->area, map->slots);
}

/**
 * ntdma_map_finish() - end everything that is mapped
 * @map: the map
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_map_finish(struct ntdma_map *map)
{
	u32 i;

	if (map->merged)
		ntdma_sg_unmap(map, 0);
	for (i = 0; i < map->count; i++) {
		struct ntdma_run *run = &map->runs[i];

		if (run->at != NTDMA_MAPPED)
			ntdma_run_sync(map, run, 0, run->length);
		ntdma_run_unmap(map, run, 0);
	}
	map->count = 0;
	ntdma_area_check(map);
}

/**
 * ntdma_map_pieces() - ntdma_map_job() for any map
 * @map: of one part
 * @sgs: the table
 *
 * Context: any.
 * Return: number of entries.
 */
u32 ntdma_map_pieces(const struct ntdma_map *map, struct scatterlist *sgs)
{
	struct scatterlist *sg;
	u32 length = 0;
	int i;

	if (map->merged) {
		for_each_sg(map->sgs, sg, map->nents, i)
			ntdma_job_piece(&sgs[i], sg_dma_address(sg),
					sg_dma_len(sg));
		return map->nents;
	}
	for (i = 0; i < map->count; i++) {
		ntdma_job_piece(&sgs[i], ntdma_run_address(map, &map->runs[i]),
				map->runs[i].length);
		length += map->runs[i].length;
	}
	if (map->adapter->sg)
		return map->count;
	ntdma_job_piece(sgs, sg_dma_address(sgs), length);
	return 1;
}

/**
 * ntdma_map_drop() - unmap what was never flushed
 * @map: the map
 *
 * The client's memory may have another owner by now: it is not written, and
 * its cache lines are left alone.
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_map_drop(struct ntdma_map *map)
{
	if (map->merged)
		ntdma_sg_unmap(map, DMA_ATTR_SKIP_CPU_SYNC);
	ntdma_map_trim(map, 0);
	ntdma_area_check(map);
}

/* The device is to see again what the CPU has written since. */
static void ntdma_run_resync(struct ntdma_map *map,
			     const struct ntdma_run *run)
{
	if (run->at == NTDMA_KNOWN)
		return;
	if (run->at == NTDMA_MAPPED)
		dma_sync_single_for_device(map->adapter->dev, run->addr,
					   run->length, map->dir);
	else
		ntdma_bounce_in(map->adapter->pool, run->at, run->phys,
				run->length);
}

/**
 * ntdma_map_bytes() - bytes that are mapped
 * @map: the map
 *
 * Context: any; for verifying.
 * Return: their number.
 */
u64 ntdma_map_bytes(const struct ntdma_map *map)
{
	u64 bytes = map->merged ? map->length : 0;
	u32 i;

	for (i = 0; i < map->count; i++)
		bytes += map->runs[i].length;
	return bytes;
}

/**
 * ntdma_map_is_of() - whether something is mapped with an MDL
 * @map: the map
 * @mdl: any value
 *
 * Context: any; the map may change meanwhile.
 * Return: true when the last mapping was made with it, and something is left.
 */
bool ntdma_map_is_of(const struct ntdma_map *map, const MDL *mdl)
{
	return READ_ONCE(map->mdl) == mdl && !ntdma_map_empty(map);
}

/* Whether an MDL, or any for NULL, has something of a stretch of memory. */
static bool ntdma_mdl_has(const MDL *mdl, phys_addr_t phys, u32 length)
{
	struct ntdma_walk walk = { .mdl = mdl };
	struct ntdma_piece piece;

	if (!mdl)
		return true;
	walk.left = ntdma_mdl_ready(mdl) ? mdl->ByteCount : 0;
	while (ntdma_walk_peek(&walk, U32_MAX, &piece)) {
		if (phys - piece.phys < piece.length ||
		    piece.phys - phys < length)
			return true;
		walk.done += piece.length;
		walk.left -= piece.length;
	}
	return false;
}

/* Whether there is something to sync in a run, and it has memory of an MDL. */
static bool ntdma_run_concerns(const struct ntdma_map *map,
			       const struct ntdma_run *run, const MDL *mdl)
{
	if (run->at == NTDMA_KNOWN)
		return false;
	if (mdl && run->at == NTDMA_MAPPED &&
	    !dma_need_sync(map->adapter->dev, run->addr))
		return false;
	return ntdma_mdl_has(mdl, run->phys, run->length);
}

/* The same for what is merged, which is synced as a whole. */
static bool ntdma_merged_concerns(const struct ntdma_map *map, const MDL *mdl)
{
	const struct ntdma_adapter *adapter = map->adapter;
	u32 i;

	/* It takes long to look, and nothing is copied, or in a cache. */
	if (mdl && adapter->merge && ntdma_device_coherent(adapter->dev))
		return false;
	for (i = 0; i < map->merged; i++)
		if (ntdma_mdl_has(mdl, sg_phys(&map->sgs[i]),
				  map->sgs[i].length))
			return true;
	return false;
}

/**
 * ntdma_map_sync() - make memory agree while it stays mapped
 * @map: the map
 * @mdl: whose memory, NULL for all that is mapped
 * @read: the CPU is going to read what the device wrote; else the device is
 *	going to read what the CPU wrote
 *
 * What does not go with the direction of the mapping does nothing.
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_map_sync(struct ntdma_map *map, const MDL *mdl, bool read)
{
	struct device *dev = map->adapter->dev;
	bool merged;
	u32 i;

	if (map->dir != (read ? DMA_FROM_DEVICE : DMA_TO_DEVICE))
		return;
	merged = ntdma_merged_concerns(map, mdl);
	if (merged && read)
		dma_sync_sg_for_cpu(dev, map->sgs, map->merged, map->dir);
	else if (merged)
		dma_sync_sg_for_device(dev, map->sgs, map->merged, map->dir);
	for (i = 0; i < map->count; i++) {
		struct ntdma_run *run = &map->runs[i];

		if (!ntdma_run_concerns(map, run, mdl))
			continue;
		if (read)
			ntdma_run_sync(map, run, 0, run->length);
		else
			ntdma_run_resync(map, run);
	}
}

/**
 * ntdma_map_offer() - sync for the device what was mapped again
 * @map: of one part
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_map_offer(struct ntdma_map *map)
{
	u32 i;

	if (!map->again)
		return;
	if (map->merged)
		dma_sync_sg_for_device(map->adapter->dev, map->sgs, map->merged,
				       map->dir);
	for (i = 0; i < map->count; i++)
		ntdma_run_resync(map, &map->runs[i]);
}
