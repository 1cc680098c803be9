// SPDX-License-Identifier: GPL-2.0
/*
 * What a scatter/gather list costs: GetScatterGatherList with its routine and
 * PutScatterGatherList, against a driver that maps a scatterlist and unmaps
 * it. The memory is described already, by an MDL here and by an array of pages
 * there. Native comes in three kinds:
 *   full   makes the scatterlist, maps, unmaps, frees it
 *   table  has the scatterlist from before
 *   page   knows that it is one run, and maps that
 * BuildScatterGatherList, which allocates nothing either, is measured against
 * a table.
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "buffer.h"
#include "cost.h"

#define TURNS	64

/**
 * struct transfer - what is mapped again and again
 * @r: adapter and device
 * @b: the memory
 * @list: what the routine got
 * @room: for BuildScatterGatherList, @size bytes
 * @size: bytes at @room
 * @table: native's scatterlist
 */
struct transfer {
	struct rig *r;
	struct buffer *b;
	PSCATTER_GATHER_LIST list;
	void *room;
	ULONG size;
	struct sg_table table;
};

static VOID routine(PDEVICE_OBJECT object, PIRP irp, PSCATTER_GATHER_LIST list,
		    PVOID context)
{
	struct transfer *x = context;

	x->list = list;
}

static void *start_of(const struct transfer *x)
{
	return MmGetMdlVirtualAddress(x->b->mdl);
}

static bool ours_get(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct rig *r = x->r;

	while (turns--) {
		if (r->ops->GetScatterGatherList(r->adapter, r->object,
						 x->b->mdl, start_of(x),
						 x->b->length, routine, x,
						 TRUE))
			return false;
		r->ops->PutScatterGatherList(r->adapter, x->list, TRUE);
	}
	return true;
}

static bool ours_build(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct rig *r = x->r;

	while (turns--) {
		if (r->ops->BuildScatterGatherList(r->adapter, r->object,
						   x->b->mdl, start_of(x),
						   x->b->length, routine, x,
						   TRUE, x->room, x->size))
			return false;
		r->ops->PutScatterGatherList(r->adapter, x->list, TRUE);
	}
	return true;
}

static void fill(struct transfer *x)
{
	struct page **page = x->b->pages;
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(&x->table, sg, i)
		sg_set_page(sg, *page++, PAGE_SIZE, 0);
}

static bool native_full(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct device *dev = x->r->t->dev;

	while (turns--) {
		if (sg_alloc_table(&x->table, x->b->npages, GFP_ATOMIC))
			return false;
		fill(x);
		if (dma_map_sgtable(dev, &x->table, DMA_TO_DEVICE, 0)) {
			sg_free_table(&x->table);
			return false;
		}
		dma_unmap_sgtable(dev, &x->table, DMA_TO_DEVICE, 0);
		sg_free_table(&x->table);
	}
	return true;
}

static bool table_make(void *context, unsigned int turns)
{
	struct transfer *x = context;

	if (sg_alloc_table(&x->table, x->b->npages, GFP_KERNEL))
		return false;
	fill(x);
	return true;
}

static bool table_free(void *context, unsigned int turns)
{
	struct transfer *x = context;

	sg_free_table(&x->table);
	return true;
}

static bool native_table(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct device *dev = x->r->t->dev;

	while (turns--) {
		if (dma_map_sgtable(dev, &x->table, DMA_TO_DEVICE, 0))
			return false;
		dma_unmap_sgtable(dev, &x->table, DMA_TO_DEVICE, 0);
	}
	return true;
}

static bool native_page(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct device *dev = x->r->t->dev;
	dma_addr_t addr;

	while (turns--) {
		addr = dma_map_page(dev, x->b->pages[0], 0, x->b->length,
				    DMA_TO_DEVICE);
		if (dma_mapping_error(dev, addr))
			return false;
		dma_unmap_page(dev, addr, x->b->length, DMA_TO_DEVICE);
	}
	return true;
}

#define FULL	{ .work = native_full }
#define TABLE	{ .prepare = table_make, .work = native_table,		\
		  .finish = table_free }
#define PAGE	{ .work = native_page }
#define COST(n, o, v, l) {						\
	.name = n, .turns = TURNS, .dispatch = true, .limit = l,	\
	.ours = { .work = o }, .native = v }

/* Every figure of one piece of memory. */
static void compare(struct rig *r, enum buffer_shape shape, size_t length,
		    const struct cost *costs)
{
	struct transfer x = { .r = r };

	x.b = buffer_new(r, shape, 0, length);
	REQUIRE(r->t, x.b);
	if (!EXPECT(r->t, !r->ops->CalculateScatterGatherList(r->adapter,
							      x.b->mdl,
							      start_of(&x),
							      length, &x.size,
							      NULL)))
		goto free_buffer;
	x.room = kmalloc(x.size, GFP_KERNEL);
	if (EXPECT(r->t, x.room))
		for (; costs->name; costs++)
			cost_compare(r->t, costs, &x);
	kfree(x.room);
free_buffer:
	buffer_free(x.b);
}

static void one_page(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		COST("list-4K/full", ours_get, FULL, 0),
		COST("list-4K/table", ours_get, TABLE, 0),
		COST("list-4K-build/table", ours_build, TABLE, 0),
		COST("list-4K-build/page", ours_build, PAGE, 0),
		{ }
	};

	compare(r, RUN, SZ_4K, costs);
}

static void far_apart(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		COST("list-64K-scattered/full", ours_get, FULL, 0),
		COST("list-64K-scattered/table", ours_get, TABLE, 0),
		COST("list-64K-scattered-build/table", ours_build, TABLE, 0),
		{ }
	};

	compare(r, SCATTERED, SZ_64K, costs);
}

static void run_of_pages(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		COST("list-64K-run/full", ours_get, FULL, 0),
		COST("list-64K-run/table", ours_get, TABLE, 0),
		COST("list-64K-run/page", ours_get, PAGE, 0),
		{ }
	};

	compare(r, RUN, SZ_64K, costs);
}

static void mega(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		COST("list-1M-scattered/full", ours_get, FULL, 0),
		COST("list-1M-scattered/table", ours_get, TABLE, 0),
		{ }
	};

	compare(r, SCATTERED, SZ_1M, costs);
}

static const struct rig_kind kinds[] = {
	{ .name = "64 bits, 1 MiB", .version = 3, .width = 64, .length = SZ_1M },
	{ }
};

static const struct nttest_case cases[] = {
	{ .name = "cost: a list of 4 KiB", .run_on = one_page, .kinds = kinds },
	{ .name = "cost: a list of 64 KiB, no page next to another",
	  .run_on = far_apart, .kinds = kinds },
	{ .name = "cost: a list of 64 KiB in a row",
	  .run_on = run_of_pages, .kinds = kinds },
	{ .name = "cost: a list of 1 MiB, no page next to another",
	  .run_on = mega, .kinds = kinds },
	{ }
};

const struct nttest_suite cost_list = { .name = "list", .cases = cases };
