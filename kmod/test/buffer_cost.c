// SPDX-License-Identifier: GPL-2.0
/*
 * What common buffers cost, against dma_alloc_coherent(), which is what they
 * are made of. A driver allocates many when it starts and frees them when it
 * ends. All have the limit but the free of a page, which natively is next to
 * nothing: for that the pair of both has it.
 *
 * And what it costs to look an element of a vector up: the last of many
 * against the last of few.
 */
#include <linux/dma-mapping.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "cost.h"

#define MOST	64
#define LIMIT	120	/* percent of native */

/**
 * struct held - what is allocated
 * @r: adapter and device
 * @size: of each buffer in bytes
 * @va: addresses for the CPU
 * @logical: ours' addresses for the device
 * @addr: native's addresses for the device
 */
struct held {
	struct rig *r;
	ULONG size;
	void *va[MOST];
	PHYSICAL_ADDRESS logical[MOST];
	dma_addr_t addr[MOST];
};

static bool ours_free(void *context, unsigned int turns)
{
	struct held *h = context;
	struct rig *r = h->r;
	unsigned int i;

	for (i = 0; i < turns; i++) {
		if (h->va[i])
			r->ops->FreeCommonBuffer(r->adapter, h->size,
						 h->logical[i], h->va[i], TRUE);
		h->va[i] = NULL;
	}
	return true;
}

static bool ours_alloc(void *context, unsigned int turns)
{
	struct held *h = context;
	struct rig *r = h->r;
	unsigned int i;

	for (i = 0; i < turns; i++) {
		h->va[i] = r->ops->AllocateCommonBuffer(r->adapter, h->size,
							&h->logical[i], TRUE);
		if (!h->va[i])
			return !ours_free(h, i);
	}
	return true;
}

static bool ours_both(void *context, unsigned int turns)
{
	unsigned int i;

	for (i = 0; i < turns; i++)
		if (!ours_alloc(context, 1) || !ours_free(context, 1))
			return false;
	return true;
}

static bool native_free(void *context, unsigned int turns)
{
	struct held *h = context;
	unsigned int i;

	for (i = 0; i < turns; i++) {
		if (h->va[i])
			dma_free_coherent(h->r->t->dev, h->size, h->va[i],
					  h->addr[i]);
		h->va[i] = NULL;
	}
	return true;
}

static bool native_alloc(void *context, unsigned int turns)
{
	struct held *h = context;
	unsigned int i;

	for (i = 0; i < turns; i++) {
		h->va[i] = dma_alloc_coherent(h->r->t->dev, h->size,
					      &h->addr[i], GFP_KERNEL);
		if (!h->va[i])
			return !native_free(h, i);
	}
	return true;
}

static bool native_both(void *context, unsigned int turns)
{
	unsigned int i;

	for (i = 0; i < turns; i++)
		if (!native_alloc(context, 1) || !native_free(context, 1))
			return false;
	return true;
}

#define ALLOC(n, t) {							\
	.name = n, .turns = t, .limit = LIMIT,				\
	.ours = { .work = ours_alloc, .finish = ours_free },		\
	.native = { .work = native_alloc, .finish = native_free } }
#define FREE(n, t, l) {							\
	.name = n, .turns = t, .limit = l,				\
	.ours = { .prepare = ours_alloc, .work = ours_free },		\
	.native = { .prepare = native_alloc, .work = native_free } }
#define BOTH(n, t) {							\
	.name = n, .turns = t, .limit = LIMIT,				\
	.ours = { .work = ours_both }, .native = { .work = native_both } }

static void compare(struct rig *r, ULONG size, const struct cost *costs)
{
	struct held *h = kzalloc(sizeof(*h), GFP_KERNEL);

	REQUIRE(r->t, h);
	h->r = r;
	h->size = size;
	for (; costs->name; costs++)
		cost_compare(r->t, costs, h);
	kfree(h);
}

static void small(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		ALLOC("buffer-4K-alloc", 32),
		FREE("buffer-4K-free", 32, 0),
		BOTH("buffer-4K-alloc+free", 32),
		{ }
	};

	compare(r, SZ_4K, costs);
}

static void large(struct nttest *t, struct rig *r)
{
	static const struct cost costs[] = {
		ALLOC("buffer-1M-alloc", 4),
		FREE("buffer-1M-free", 4, LIMIT),
		BOTH("buffer-1M-alloc+free", 4),
		{ }
	};

	compare(r, SZ_1M, costs);
}

#define FEW	8
#define MANY	4096
#define LOOKUP_LIMIT	110	/* percent */

/**
 * struct looked - two vectors
 * @r: adapter and device
 * @few: one with FEW elements
 * @many: one with MANY
 */
struct looked {
	struct rig *r;
	PDMA_COMMON_BUFFER_VECTOR few;
	PDMA_COMMON_BUFFER_VECTOR many;
};

static bool look_up(struct rig *r, PDMA_COMMON_BUFFER_VECTOR v, ULONG index,
		    unsigned int turns)
{
	PHYSICAL_ADDRESS logical;
	PVOID va = NULL;

	while (turns--)
		r->ops->GetCommonBufferFromVectorByIndex(r->adapter, v, index,
							 &va, &logical);
	return va;
}

static bool look_up_few(void *context, unsigned int turns)
{
	struct looked *l = context;

	return look_up(l->r, l->few, FEW - 1, turns);
}

static bool look_up_many(void *context, unsigned int turns)
{
	struct looked *l = context;

	return look_up(l->r, l->many, MANY - 1, turns);
}

static PDMA_COMMON_BUFFER_VECTOR elements(struct rig *r, ULONG count)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 };
	PDMA_COMMON_BUFFER_VECTOR v = NULL;

	EXPECT_EQ(r->t, STATUS_SUCCESS,
		  r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						     MmCached, MM_ANY_NODE_OK,
						     0, count, 256, &v));
	return v;
}

static void look_ups(struct nttest *t, struct rig *r)
{
	static const struct cost cost = {
		.name = "vector-lookup/few", .turns = 64,
		.limit = LOOKUP_LIMIT, .dispatch = true,
		.ours = { .work = look_up_many },
		.native = { .work = look_up_few },
	};
	struct looked l = { r, elements(r, FEW), elements(r, MANY) };

	if (l.few && l.many)
		cost_compare(t, &cost, &l);
	if (l.few)
		r->ops->FreeCommonBufferVector(r->adapter, l.few);
	if (l.many)
		r->ops->FreeCommonBufferVector(r->adapter, l.many);
}

static const struct nttest_case cases[] = {
	{ .name = "cost: a common buffer of 4 KiB",
	  .run_on = small, .kinds = rig_wide },
	{ .name = "cost: a common buffer of 1 MiB",
	  .run_on = large, .kinds = rig_wide },
	{ .name = "cost: an element of a vector by its index",
	  .run_on = look_ups, .kinds = rig_wide },
	{ }
};

const struct nttest_suite cost_buffer = { .name = "buffer", .cases = cases };
