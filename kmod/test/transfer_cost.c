// SPDX-License-Identifier: GPL-2.0
/*
 * What a transfer under map registers costs, against a driver that maps the
 * same pages one by one and unmaps them. The registers are held throughout,
 * but for the packet: a channel for each transfer, as drivers for devices
 * without scatter/gather are written.
 */
#include <linux/dma-mapping.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "buffer.h"
#include "cost.h"

#define TURNS		64
#define PIECES		(SZ_64K / SZ_4K)
#define LIST_ROOM	(offsetof(SCATTER_GATHER_LIST, Elements) +	\
			 PIECES * sizeof(SCATTER_GATHER_ELEMENT))

/**
 * struct transfer - what is mapped again and again
 * @r: adapter and device
 * @b: the memory
 * @base: registers that are held
 * @list: room for the elements of MapTransferEx
 * @addr: native's addresses
 */
struct transfer {
	struct rig *r;
	struct buffer *b;
	PVOID base;
	PSCATTER_GATHER_LIST list;
	dma_addr_t addr[PIECES];
};

static IO_ALLOCATION_ACTION keep_registers(PDEVICE_OBJECT object, PIRP irp,
					   PVOID base, PVOID context)
{
	struct transfer *x = context;

	x->base = base;
	return DeallocateObjectKeepRegisters;
}

static IO_ALLOCATION_ACTION keep_all(PDEVICE_OBJECT object, PIRP irp,
				     PVOID base, PVOID context)
{
	struct transfer *x = context;

	x->base = base;
	return KeepObject;
}

static PUCHAR start_of(const struct transfer *x)
{
	return MmGetMdlVirtualAddress(x->b->mdl);
}

/* Maps all, run by run, and flushes it. */
static bool ours_move(struct transfer *x)
{
	struct rig *r = x->r;
	ULONG done = 0, part;

	while (done < x->b->length) {
		part = x->b->length - done;
		r->ops->MapTransfer(r->adapter, x->b->mdl, x->base,
				    start_of(x) + done, &part, TRUE);
		if (!part)
			return false;
		done += part;
	}
	return r->ops->FlushAdapterBuffers(r->adapter, x->b->mdl, x->base,
					   start_of(x), done, TRUE);
}

static bool ours_map(void *context, unsigned int turns)
{
	while (turns--)
		if (!ours_move(context))
			return false;
	return true;
}

static bool ours_map_ex(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct rig *r = x->r;
	ULONG length;

	while (turns--) {
		length = x->b->length;
		if (r->ops->MapTransferEx(r->adapter, x->b->mdl, x->base, 0, 0,
					  &length, TRUE, x->list, LIST_ROOM,
					  NULL, NULL) ||
		    length != x->b->length ||
		    r->ops->FlushAdapterBuffersEx(r->adapter, x->b->mdl,
						  x->base, 0, length, TRUE))
			return false;
	}
	return true;
}

static bool ours_packet(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct rig *r = x->r;
	PVOID held = x->base;
	bool ok = true;

	while (turns-- && ok) {
		if (r->ops->AllocateAdapterChannel(r->adapter, r->object,
						   PIECES, keep_all, x))
			return false;
		ok = ours_move(x);
		r->ops->FreeAdapterChannel(r->adapter);
	}
	x->base = held;
	return ok;
}

static bool native_map(void *context, unsigned int turns)
{
	struct transfer *x = context;
	struct device *dev = x->r->t->dev;
	unsigned int i;

	while (turns--) {
		for (i = 0; i < x->b->npages; i++) {
			x->addr[i] = dma_map_page(dev, x->b->pages[i], 0,
						  PAGE_SIZE, DMA_TO_DEVICE);
			if (dma_mapping_error(dev, x->addr[i]))
				return false;
		}
		for (i = 0; i < x->b->npages; i++)
			dma_unmap_page(dev, x->addr[i], PAGE_SIZE,
				       DMA_TO_DEVICE);
	}
	return true;
}

#define COST(n, o, l) {							\
	.name = n, .turns = TURNS, .dispatch = true, .limit = l,	\
	.ours = { .work = o }, .native = { .work = native_map } }

static bool hold(struct transfer *x)
{
	struct rig *r = x->r;
	KIRQL irql = rig_raise();
	NTSTATUS status;

	status = r->ops->AllocateAdapterChannel(r->adapter, r->object, PIECES,
						keep_registers, x);
	KeLowerIrql(irql);
	return EXPECT_EQ(r->t, status, STATUS_SUCCESS) && EXPECT(r->t, x->base);
}

/* Every figure of one piece of memory. */
static void compare(struct rig *r, enum buffer_shape shape, size_t length,
		    const struct cost *costs)
{
	struct transfer x = { .r = r };

	x.list = kmalloc(LIST_ROOM, GFP_KERNEL);
	REQUIRE(r->t, x.list);
	x.b = buffer_new(r, shape, 0, length);
	if (!EXPECT(r->t, x.b) || !hold(&x))
		goto free_list;
	for (; costs->name; costs++)
		cost_compare(r->t, costs, &x);
	r->ops->FreeMapRegisters(r->adapter, x.base, PIECES);
	buffer_free(x.b);
free_list:
	kfree(x.list);
}

static void one_page(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		COST("map-4K/page", ours_map, 0),
		COST("map-ex-4K/page", ours_map_ex, 0),
		COST("packet-4K/page", ours_packet, 0),
		{ }
	};

	compare(r, RUN, SZ_4K, costs);
}

static void far_apart(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		COST("map-64K-scattered/pages", ours_map, 0),
		COST("map-ex-64K-scattered/pages", ours_map_ex, 0),
		{ }
	};

	compare(r, SCATTERED, SZ_64K, costs);
}

static void run_of_pages(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		COST("map-64K-run/pages", ours_map, 0),
		COST("map-ex-64K-run/pages", ours_map_ex, 0),
		{ }
	};

	compare(r, RUN, SZ_64K, costs);
}

static const struct nttest_case cases[] = {
	{ .name = "cost: a transfer of 4 KiB",
	  .run_on = one_page, .kinds = rig_wide },
	{ .name = "cost: a transfer of 64 KiB, no page next to another",
	  .run_on = far_apart, .kinds = rig_wide },
	{ .name = "cost: a transfer of 64 KiB in a row",
	  .run_on = run_of_pages, .kinds = rig_wide },
	{ }
};

const struct nttest_suite cost_transfer = { .name = "transfer", .cases = cases };
