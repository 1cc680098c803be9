// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of the client's choice behind an IOMMU: scenarios S18 and S20,
 * contract section H. They lie in the window, which the DMA API leaves alone.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include "../compat.h"
#include "buffer.h"
#include "hooks.h"
#include "rig.h"

#define LENGTH	(3 * (ULONG)PAGE_SIZE)

static bool translated(const struct nttest *t)
{
	return dma_get_merge_boundary(t->dev);
}

static PVOID bounded(struct rig *r, u64 min, u64 end, ULONG length,
		     PHYSICAL_ADDRESS *la)
{
	PHYSICAL_ADDRESS from, to;

	from.QuadPart = min;
	to.QuadPart = end;
	return r->ops->AllocateCommonBufferWithBounds(r->adapter, &from, &to,
						      length, 0, NULL,
						      MM_ANY_NODE_OK, la);
}

/* Two halves of a range, exactly, and no third. */
static void exact(struct rig *r, u64 x, ULONG length)
{
	PHYSICAL_ADDRESS la[3];
	struct nttest *t = r->t;
	PVOID va[3];
	u8 byte;
	int i;

	va[0] = bounded(r, x, x + 2 * length, length, &la[0]);
	/* Half of it is not enough. */
	EXPECT(t, !bounded(r, x, x + 2 * length, 2 * length, &la[1]));
	for (i = 1; i < 3; i++)
		va[i] = bounded(r, x, x + 2 * length, length, &la[i]);
	EXPECT(t, va[0] && va[1] && !va[2]);
	for (i = 0; i < 2 && va[i]; i++) {
		EXPECT_EQ(t, la[i].QuadPart, x + i * length);
		*(u8 *)(va[i] + length - 1) = 0x51 + i;
		EXPECT_EQ(t, bus_read(&r->bus,
				      la[i].QuadPart + length - 1, &byte, 1),
			  0);
		EXPECT_EQ(t, byte, 0x51 + i);
	}
	for (i = 0; i < 2; i++)
		if (va[i])
			r->ops->FreeCommonBuffer(r->adapter, length, la[i],
						 va[i], TRUE);
	EXPECT(t, bus_read(&r->bus, x, &byte, 1));
}

/* An address in the window of every kind that the machine has. */
static u64 window_of(const struct rig *r)
{
	return r->kind->width == 28 ? 0xe000000 : 0x3480000000;
}

static void s18(struct nttest *t, struct rig *r)
{
	u64 x = window_of(r);
	PHYSICAL_ADDRESS la;
	PVOID va;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	exact(r, x, PAGE_SIZE);
	exact(r, x + 5 * PAGE_SIZE, PAGE_SIZE);
	exact(r, x + SZ_1M, 17 * PAGE_SIZE);
	/* A page that a bound cuts is not in the range. */
	EXPECT(t, !bounded(r, x + 1, x + 2 * PAGE_SIZE - 1, 1, &la));
	EXPECT(t, !bounded(r, x, x + PAGE_SIZE - 1, 1, &la));
	va = bounded(r, x + 1, x + 2 * PAGE_SIZE, 1, &la);
	if (EXPECT(t, va)) {
		EXPECT_EQ(t, la.QuadPart, x + PAGE_SIZE);
		r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
	}
	/* Nothing, too little, the wrong way round, out of reach. */
	EXPECT(t, !bounded(r, x, x, 1, &la));
	EXPECT(t, !bounded(r, x, x + PAGE_SIZE, PAGE_SIZE + 1, &la));
	EXPECT(t, !bounded(r, x + SZ_1M, x, 1, &la));
	EXPECT(t, !bounded(r, x, x + SZ_1M, SZ_1M + 1, &la));
	if (r->kind->width < 64)
		EXPECT(t, !bounded(r, r->bus.last + 1, U64_MAX, 1, &la));
}

/* Whether the host bridge decodes a part of a range itself. */
static bool decoded(struct nttest *t, u64 first, u64 length)
{
	struct pci_host_bridge *bridge =
		pci_find_host_bridge(to_pci_dev(t->dev)->bus);
	struct resource_entry *entry;

	resource_list_for_each_entry(entry, &bridge->windows)
		if (resource_type(entry->res) == IORESOURCE_MEM &&
		    entry->res->start - entry->offset < first + length &&
		    entry->res->end - entry->offset >= first)
			return true;
	return false;
}

/* Where the DMA API is not, all of it is the client's. */
static void everywhere(struct nttest *t, struct rig *r)
{
	static const u64 places[] = {
		4ULL * SZ_1G, 8ULL * SZ_1G, 40ULL * SZ_1G, 100ULL * SZ_1G,
		191ULL * SZ_1G, 300ULL * SZ_1G,
	};
	PHYSICAL_ADDRESS la;
	int i, seen = 0;
	PVOID va;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (decoded(t, places[i], SZ_16M))
			continue;
		exact(r, places[i] + 3 * PAGE_SIZE, PAGE_SIZE);
		exact(r, places[i] + SZ_1M, 17 * PAGE_SIZE);
		va = bounded(r, places[i], 2 * places[i], LENGTH, &la);
		if (EXPECT(t, va))
			r->ops->FreeCommonBuffer(r->adapter, LENGTH, la, va,
						 TRUE);
		seen++;
	}
	EXPECT(t, seen > 2);
}

static bool is_free(struct rig *r, u64 at)
{
	PHYSICAL_ADDRESS la;
	PVOID va = bounded(r, at, at + PAGE_SIZE, 1, &la);

	if (va)
		r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
	return va;
}

/* Whether the window begins below @end. */
static bool window_below(struct rig *r, u64 end)
{
	u64 at = round_down(end, SZ_16M);

	while (at && !is_free(r, at))
		at -= SZ_16M;
	return at;
}

#define INTERRUPTS	0xfee00000	/* where messages go on x86, 1 MiB */

/* What the bus itself decodes does not come to the IOMMU. */
static void holes(struct nttest *t, struct rig *r)
{
	u64 registers = pci_resource_start(to_pci_dev(t->dev), 0), at;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	EXPECT(t, !is_free(r, round_down(registers, PAGE_SIZE)));
	if (!IS_ENABLED(CONFIG_X86))
		return;
	EXPECT(t, window_below(r, registers));
	for (at = INTERRUPTS; at < INTERRUPTS + SZ_1M; at += PAGE_SIZE)
		EXPECT(t, !is_free(r, at));
}

/* Somebody else has a page in the window, from before there was one. */
static void foreign(struct nttest *t, struct rig *r)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(r->bus.dev);
	u64 x = window_of(r) + SZ_2M;
	struct page *page;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	page = alloc_page(GFP_KERNEL);
	REQUIRE(t, page);
	EXPECT(t, is_free(r, x));
	if (EXPECT(t, !ntdma_iommu_map(domain, x, page_to_phys(page), PAGE_SIZE,
				       IOMMU_READ))) {
		EXPECT(t, !is_free(r, x));
		EXPECT(t, is_free(r, x + PAGE_SIZE));
		iommu_unmap(domain, x, PAGE_SIZE);
	}
	EXPECT(t, is_free(r, x));
	__free_page(page);
}

/* A buffer somewhere in a range; none unless it @must be found. */
static void within(struct rig *r, u64 first, u64 end, ULONG length, bool must)
{
	PHYSICAL_ADDRESS la;
	PVOID va = bounded(r, first, end, length, &la);

	EXPECT(r->t, va || !must);
	if (va) {
		EXPECT(r->t, la.QuadPart >= first);
		EXPECT(r->t, la.QuadPart + length <= end);
		r->ops->FreeCommonBuffer(r->adapter, length, la, va, TRUE);
	}
}

#define MANY	16
#define LARGE	(64 * (ULONG)PAGE_SIZE)	/* more than the DMA API keeps in stock */

/*
 * Below the window the DMA API gives the highest address below a limit, if what
 * is asked for is aligned to its size.
 */
static void low(struct nttest *t, struct rig *r)
{
	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	within(r, SZ_64M, SZ_64M + SZ_16M, LARGE, true);
	within(r, SZ_64M, SZ_64M + SZ_16M, PAGE_SIZE, true);
	/* It goes on below what it gave last, where that is still in use. */
	if (r->bus.last >= SZ_2G)
		within(r, SZ_1G, SZ_1G + SZ_512M, LARGE, false);
}

/* Whether a buffer shares addresses with one of those before it. */
static bool overlaps(const PVOID *va, const PHYSICAL_ADDRESS *la, int i)
{
	u64 x = la[i].QuadPart;
	int j;

	for (j = 0; j < i; j++)
		if (va[j] && x < la[j].QuadPart + LARGE &&
		    la[j].QuadPart < x + LARGE)
			return true;
	return false;
}

/* Below the window the DMA API gives what it has, and nobody has it twice. */
static void below(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS la[MANY];
	PVOID va[MANY];
	u64 at;
	int i;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	va[0] = r->ops->AllocateCommonBuffer(r->adapter, LARGE, &la[0], TRUE);
	REQUIRE(t, va[0]);
	r->ops->FreeCommonBuffer(r->adapter, LARGE, la[0], va[0], TRUE);
	/* It goes down, and would come by here. */
	at = la[0].QuadPart - 4 * LARGE;
	va[0] = bounded(r, at, at + LARGE, LARGE, &la[0]);
	for (i = 1; i < MANY; i++) {
		va[i] = r->ops->AllocateCommonBuffer(r->adapter, LARGE, &la[i],
						     TRUE);
		EXPECT(t, va[i] && !overlaps(va, la, i));
	}
	if (!va[0])
		nttest_skip(t, "somebody had the addresses on the way");
	for (i = 0; i < MANY; i++)
		if (va[i])
			r->ops->FreeCommonBuffer(r->adapter, LARGE, la[i],
						 va[i], TRUE);
}

static void s20(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION c = {
		.ConfigType = CommonBufferConfigTypeLogicalAddressLimits,
	};
	u64 x = window_of(r) + 3 * PAGE_SIZE;
	PHYSICAL_ADDRESS la;
	u8 byte;

	if (!translated(t) || !dev_is_dma_coherent(t->dev)) {
		nttest_skip(t, "no IOMMU, or not coherent");
		return;
	}
	REQUIRE(t, b);
	c.LogicalAddressLimits.MinimumAddress.QuadPart = x;
	c.LogicalAddressLimits.MaximumAddress.QuadPart = x + b->length - 1;
	REQUIRE(t, !r->ops->CreateCommonBufferFromMdl(r->adapter, b->mdl, &c,
						      1, &la));
	EXPECT_EQ(t, la.QuadPart, x);
	((u8 *)b->va)[3 * PAGE_SIZE] = 0x77;
	EXPECT_EQ(t, bus_read(&r->bus, x + 3 * PAGE_SIZE, &byte, 1), 0);
	EXPECT_EQ(t, byte, 0x77);
	/* Taken. */
	EXPECT_EQ(t, r->ops->CreateCommonBufferFromMdl(r->adapter, b->mdl, &c,
						       1, &la),
		  STATUS_INSUFFICIENT_RESOURCES);
	la.QuadPart = x;
	r->ops->FreeCommonBuffer(r->adapter, b->length, la, b->va, TRUE);
	EXPECT(t, bus_read(&r->bus, x, &byte, 1));
}

/* Runs of memory that a buffer consists of. */
static unsigned long runs_of(const u8 *va, size_t length)
{
	unsigned long pfn, last = 0, runs = 0;
	size_t at;

	for (at = 0; at < length; at += PAGE_SIZE) {
		pfn = ntdma_is_vmalloc(va + at) ?
		      vmalloc_to_pfn(va + at) :
		      PHYS_PFN(virt_to_phys((void *)(va + at)));
		runs += !at || pfn != last + 1;
		last = pfn;
	}
	return runs;
}

#define BLOCKS		16
#define BLOCK_ORDER	9	/* what is mapped as one where there is that */

/* Leaves free blocks of memory with neighbours that are not. */
static int blocks_hold(struct page **block)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
	int i, apart = 0;

	for (i = 0; i < BLOCKS; i++)
		block[i] = alloc_pages(gfp, BLOCK_ORDER);
	for (i = 0; i < BLOCKS; i += 2) {
		if (!block[i])
			continue;
		__free_pages(block[i], BLOCK_ORDER);
		block[i] = NULL;
		apart++;
	}
	return apart;
}

static void blocks_give(struct page **block)
{
	int i;

	for (i = 0; i < BLOCKS; i++)
		if (block[i])
			__free_pages(block[i], BLOCK_ORDER);
}

static void large_check(struct rig *r, u8 *va, u64 la)
{
	struct nttest *t = r->t;
	u64 at;
	u8 byte;

	for (at = 0; at < SZ_64M && !t->failed; at += SZ_256K + PAGE_SIZE) {
		va[at] = at >> PAGE_SHIFT;
		EXPECT_EQ(t, bus_read(&r->bus, la + at, &byte, 1), 0);
		EXPECT_EQ(t, byte, va[at]);
	}
}

/*
 * As a driver for a large device has it, where the DMA API says, and at an
 * address of its own. In 28 bits a run of addresses that long is a matter of luck.
 */
static void large(struct nttest *t, struct rig *r)
{
	u64 x = window_of(r) + SZ_64M;
	struct page *block[BLOCKS];
	PHYSICAL_ADDRESS la;
	bool scattered = false;
	int turn, apart;
	u8 *va;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	apart = blocks_hold(block);
	for (turn = 0; turn < 2; turn++) {
		va = turn ? bounded(r, x, x + SZ_64M, SZ_64M, &la) :
			    r->ops->AllocateCommonBuffer(r->adapter, SZ_64M,
							 &la, TRUE);
		if (!EXPECT(t, va))
			break;
		EXPECT(t, !turn || la.QuadPart == x);
		large_check(r, va, la.QuadPart);
		scattered |= runs_of(va, SZ_64M) > 1;
		r->ops->FreeCommonBuffer(r->adapter, SZ_64M, la, va, TRUE);
	}
	blocks_give(block);
	/* An IOMMU that takes pages of any size is given the largest there are. */
	if (!t->failed && !(scattered && apart > 2))
		nttest_skip(t, "the pages lie in one run");
}

/* Each allocation and each mapping fails in turn, and nothing is left. */
static void bound_failures(struct nttest *t, struct rig *r)
{
	long before = ntdma_live_objects();
	u64 x = window_of(r);
	PHYSICAL_ADDRESS la;
	bool hit = true;
	PVOID va;
	int nth;

	if (!translated(t)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	for (nth = 1; hit && nth < 200 && !t->failed; nth++) {
		ntdma_fail_nth(nth);
		va = bounded(r, x, x + LENGTH, LENGTH, &la);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT_EQ(t, !va, hit);
		if (va)
			r->ops->FreeCommonBuffer(r->adapter, LENGTH, la, va,
						 TRUE);
		EXPECT_EQ(t, ntdma_live_objects(), before);
	}
	EXPECT(t, !hit && nth > 4);
}

/* The same for an MDL with limits: what failed holds no addresses. */
static void limit_failures(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, LENGTH);
	DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION c = {
		.ConfigType = CommonBufferConfigTypeLogicalAddressLimits,
	};
	u64 x = window_of(r);
	PHYSICAL_ADDRESS la;
	NTSTATUS status;
	bool hit = true;
	int nth;

	if (!translated(t) || !rig_coherent(r)) {
		nttest_skip(t, "no IOMMU, or not coherent");
		return;
	}
	REQUIRE(t, b);
	c.LogicalAddressLimits.MinimumAddress.QuadPart = x;
	c.LogicalAddressLimits.MaximumAddress.QuadPart = x + LENGTH - 1;
	for (nth = 1; hit && nth < 200 && !t->failed; nth++) {
		ntdma_fail_nth(nth);
		status = r->ops->CreateCommonBufferFromMdl(r->adapter, b->mdl,
							   &c, 1, &la);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT_EQ(t, status, hit ? STATUS_INSUFFICIENT_RESOURCES : 0);
		if (!status)
			r->ops->FreeCommonBuffer(r->adapter, LENGTH, la, b->va,
						 TRUE);
	}
	EXPECT(t, !hit && nth > 3);
}

static const struct rig_kind middle[] = {
	{ .name = "32 bits", .version = 3, .width = 32, .length = RIG_LENGTH },
	{ }
};

static const struct nttest_case cases[] = {
	{ "S18 EC-168 EC-169 exact bounds", .run_on = s18,
	  .kinds = rig_lists },
	{ "S18 EC-169 exact bounds from 4 GiB on", .run_on = everywhere,
	  .kinds = rig_wide },
	{ "S20 EC-181 exact limits of an MDL", .run_on = s20,
	  .kinds = rig_lists },
	{ "S18 EC-169 nothing where the bus has something itself",
	  .run_on = holes, .kinds = middle },
	{ "S18 EC-169 nothing where somebody else has mapped",
	  .run_on = foreign, .kinds = rig_lists },
	{ "S18 EC-169 bounds below the window", .run_on = low,
	  .kinds = rig_lists },
	{ "S18 EC-169 below the window nothing is given twice",
	  .run_on = below, .kinds = rig_lists },
	{ "S18 64 MiB in one run, of scattered pages", .run_on = large, .kinds = rig_wide },
	{ "S18 failures of buffers with bounds", .run_on = bound_failures,
	  .kinds = rig_lists },
	{ "S20 failures of an MDL with limits", .run_on = limit_failures,
	  .kinds = rig_lists },
	{ }
};

const struct nttest_suite nttest_bounds = {
	.name = "bounds",
	.cases = cases,
};
