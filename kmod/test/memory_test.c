// SPDX-License-Identifier: GPL-2.0
/*
 * What is freed, and what was refused, gives its memory back: contract section
 * H, scenarios S18, S19 and S21.
 *
 * A page is held on to while its owner frees it: then nobody else must have it.
 * What was refused never showed its pages: it is so much that it would be missed.
 * The processors keep some of what is freed for themselves, and it does not count
 * as available then: not as much as that on a small machine.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include "buffer.h"
#include "hooks.h"
#include "rig.h"

static PVOID one_page(struct rig *r, PHYSICAL_ADDRESS *la)
{
	PVOID va = r->ops->AllocateCommonBuffer(r->adapter, 1, la, TRUE);

	EXPECT(r->t, va);
	return va;
}

static void ec_172(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS la;
	PVOID va = one_page(r, &la);
	struct page *page;

	REQUIRE(t, va);
	page = page_hold(va);
	r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
	EXPECT(t, page_is_back(page));
}

static void ec_173(struct nttest *t, struct rig *r)
{
	MEMORY_CACHING_TYPE type;
	PHYSICAL_ADDRESS la, min;
	struct page *page;
	PVOID va;

	for (type = MmNonCached; type <= MmCached; type++) {
		min.QuadPart = type == MmCached ? PAGE_SIZE : 0;
		va = r->ops->AllocateCommonBufferWithBounds(r->adapter, &min,
							    NULL, 1, 0, &type,
							    MM_ANY_NODE_OK, &la);
		REQUIRE(t, va);
		page = page_hold(va);
		r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
		EXPECT(t, page_is_back(page));
	}
}

static void ec_174(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS la, wrong;
	PVOID va = one_page(r, &la);
	struct page *page;

	REQUIRE(t, va);
	page = page_hold(va);
	wrong.QuadPart = la.QuadPart + PAGE_SIZE;
	r->ops->FreeCommonBuffer(r->adapter, 2, la, va, TRUE);
	r->ops->FreeCommonBuffer(r->adapter, 1, wrong, va, TRUE);
	EXPECT(t, page_is_owned(page));
	r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
	EXPECT(t, page_is_back(page));
}

static NTSTATUS vector(struct rig *r, ULONG count, ULONGLONG size,
		       PDMA_COMMON_BUFFER_VECTOR *v)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 };

	return r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						  MmNonCached, MM_ANY_NODE_OK,
						  0, count, size, v);
}

static struct page *element(struct rig *r, PDMA_COMMON_BUFFER_VECTOR v,
			    ULONG i)
{
	PHYSICAL_ADDRESS la;
	PVOID va;

	r->ops->GetCommonBufferFromVectorByIndex(r->adapter, v, i, &va, &la);
	return EXPECT(r->t, va) ? page_hold(va) : NULL;
}

#define SHARERS		4	/* of a page */

/* Two pages of elements: each goes with its last one. */
static void ec_188(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR v;
	struct page *first, *second;
	ULONG i;

	REQUIRE(t, !vector(r, 2 * SHARERS, PAGE_SIZE / SHARERS, &v));
	first = element(r, v, 0);
	second = element(r, v, SHARERS);
	for (i = 1; i < 2 * SHARERS; i++) {
		EXPECT(t, page_is_owned(first) && page_is_owned(second));
		r->ops->FreeCommonBufferFromVector(r->adapter, v, i);
	}
	EXPECT(t, page_is_owned(first));
	EXPECT(t, page_is_back(second));
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 0);
	EXPECT(t, page_is_back(first));
	r->ops->FreeCommonBufferVector(r->adapter, v);
}

static void ec_190(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR v;
	struct page *pages[3];
	ULONG i;

	REQUIRE(t, !vector(r, ARRAY_SIZE(pages), PAGE_SIZE, &v));
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = element(r, v, i);
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 1);
	EXPECT(t, page_is_back(pages[1]));
	EXPECT(t, page_is_owned(pages[0]) && page_is_owned(pages[2]));
	r->ops->FreeCommonBufferVector(r->adapter, v);
	EXPECT(t, page_is_back(pages[0]) && page_is_back(pages[2]));
}

/* What is refused each time. */
#define REFUSED_BYTES	SZ_64M
#define TURNS		3

/* It comes in blocks that need not be looked for. */
static ULONG block_bytes(const struct rig *r)
{
	return dma_get_merge_boundary(r->bus.dev) ? SZ_1M : SZ_32K;
}

static int memory_is_back(void *least)
{
	return si_mem_available() >= *(long *)least;
}

/* Makes @turn be refused memory; false stops it. */
static void refuse(struct rig *r, bool (*turn)(struct rig *r))
{
	long least = si_mem_available() -
		     (long)((TURNS - 1) * (REFUSED_BYTES >> PAGE_SHIFT));
	int i;

	if ((u64)totalram_pages() << PAGE_SHIFT > SZ_1G) {
		nttest_skip(r->t, "too much memory to miss some");
		return;
	}
	for (i = 0; i < TURNS && !r->t->failed; i++)
		EXPECT(r->t, turn(r));
	EXPECT(r->t, rig_wait(memory_is_back, &least));
}

/* All but the last of its blocks are there, and what remembers them. */
static bool vector_refused(struct rig *r)
{
	const ULONG count = REFUSED_BYTES / block_bytes(r);
	PDMA_COMMON_BUFFER_VECTOR v;
	NTSTATUS status;
	bool hit;

	ntdma_fail_nth(count + 1);
	status = vector(r, count, block_bytes(r), &v);
	hit = ntdma_fail_hit();
	ntdma_fail_nth(0);
	return hit && status == STATUS_INSUFFICIENT_RESOURCES;
}

static void s19(struct nttest *t, struct rig *r)
{
	refuse(r, vector_refused);
}

/* No memory is that high, so each block that is found is put aside. */
static bool bounds_refused(struct rig *r)
{
	u64 last = min_t(u64, r->bus.last, DMA_BIT_MASK(52));
	PHYSICAL_ADDRESS min, la;

	min.QuadPart = last + 1 - block_bytes(r);
	return !r->ops->AllocateCommonBufferWithBounds(r->adapter, &min, NULL,
						       block_bytes(r), 0, NULL,
						       MM_ANY_NODE_OK, &la);
}

static void ec_168(struct nttest *t, struct rig *r)
{
	if (dma_get_merge_boundary(r->bus.dev)) {
		nttest_skip(t, "there is an IOMMU");
		return;
	}
	refuse(r, bounds_refused);
}

/* The memory is there, but nothing remembers its address in the window. */
static bool address_refused(struct rig *r)
{
	PHYSICAL_ADDRESS min, la;
	PVOID va;
	bool hit;

	min.QuadPart = PAGE_SIZE;
	ntdma_fail_nth(3);
	va = r->ops->AllocateCommonBufferWithBounds(r->adapter, &min, NULL,
						    REFUSED_BYTES, 0, NULL,
						    MM_ANY_NODE_OK, &la);
	hit = ntdma_fail_hit();
	ntdma_fail_nth(0);
	/* The DMA API may have found another one. */
	if (va)
		r->ops->FreeCommonBuffer(r->adapter, REFUSED_BYTES, la, va,
					 TRUE);
	return hit;
}

static bool shared_refused(struct rig *r)
{
	HANDLE domain = r->ops->GetDmaDomain(r->adapter);
	PHYSICAL_ADDRESS la;
	NTSTATUS status;
	PVOID va;
	bool hit;

	/* After the buffer, what shares it, and its memory. */
	ntdma_fail_nth(4);
	status = r->ops->AllocateDomainCommonBuffer(r->adapter, domain, NULL,
						    REFUSED_BYTES, 0, NULL,
						    MM_ANY_NODE_OK, &la, &va);
	hit = ntdma_fail_hit();
	ntdma_fail_nth(0);
	return hit && status == STATUS_INSUFFICIENT_RESOURCES;
}

static void refused_addresses(struct nttest *t, struct rig *r)
{
	if (!dma_get_merge_boundary(r->bus.dev)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	refuse(r, address_refused);
	refuse(r, shared_refused);
}

static const struct nttest_case cases[] = {
	{ "EC-172 a common buffer gives its page back", .run_on = ec_172 },
	{ "EC-173 one with bounds or of cached memory, too", .run_on = ec_173 },
	{ "EC-174 one that was freed wrongly keeps it", .run_on = ec_174 },
	{ "EC-188 a page goes with the last element in it", .run_on = ec_188 },
	{ "EC-190 a vector takes the elements that remain with it",
	  .run_on = ec_190 },
	{ "S19 vectors that are refused give back what they had",
	  .run_on = s19, .kinds = rig_wide },
	{ "S18 EC-168 what is out of bounds goes back", .run_on = ec_168,
	  .kinds = rig_wide },
	{ "S18 S21 what there is no address for goes back",
	  .run_on = refused_addresses, .kinds = rig_wide },
	{ }
};

const struct nttest_suite nttest_memory = {
	.name = "memory",
	.cases = cases,
};
