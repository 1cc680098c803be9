// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors and bounds: contract section H, scenarios S18 and S19.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "buffer.h"
#include "hooks.h"
#include "rig.h"

#define ELEMENTS	8

static PDMA_COMMON_BUFFER_VECTOR vector_new(struct rig *r, ULONG count,
					    ULONGLONG size)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 };
	PDMA_COMMON_BUFFER_VECTOR v = NULL;

	EXPECT_EQ(r->t, STATUS_SUCCESS,
		  r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						     rig_coherent(r) ?
						     MmCached : MmNonCached,
						     0, 0, count, size, &v));
	return v;
}

static u8 *element(struct rig *r, PDMA_COMMON_BUFFER_VECTOR v, ULONG i, u64 *la)
{
	PHYSICAL_ADDRESS logical;
	PVOID va = r;

	logical.QuadPart = -1;
	r->ops->GetCommonBufferFromVectorByIndex(r->adapter, v, i, &va, &logical);
	*la = logical.QuadPart;
	return va;
}

static void element_check(struct rig *r, PDMA_COMMON_BUFFER_VECTOR v, ULONG i)
{
	u64 la, again;
	u8 seen[16], image[16];
	u8 *va = element(r, v, i, &la);
	KIRQL irql;

	REQUIRE(r->t, va);
	irql = rig_raise();
	EXPECT(r->t, element(r, v, i, &again) == va && again == la);
	KeLowerIrql(irql);
	pattern_fill(image, sizeof(image), i);
	EXPECT_EQ(r->t, bus_write(&r->bus, la, image, sizeof(image)), 0);
	pattern_same(r->t, "processor", va, image, sizeof(image));
	EXPECT_EQ(r->t, bus_read(&r->bus, la, seen, sizeof(seen)), 0);
	pattern_same(r->t, "device", seen, image, sizeof(seen));
}

/* With an IOMMU the device does not reach what was freed. */
static void gone(struct rig *r, u64 la)
{
	u8 byte;

	if (dma_get_merge_boundary(r->bus.dev))
		EXPECT(r->t, bus_read(&r->bus, la, &byte, 1));
}

/* All bytes of an element are as they were written, for both sides. */
static void element_kept(struct rig *r, PDMA_COMMON_BUFFER_VECTOR v, ULONG i,
			 size_t size)
{
	u8 *image = kvmalloc(2 * size, GFP_KERNEL), *seen = image + size, *va;
	u64 la;

	REQUIRE(r->t, image);
	pattern_fill(image, size, i);
	va = element(r, v, i, &la);
	if (EXPECT(r->t, va))
		pattern_same(r->t, "the processor", va, image, size);
	EXPECT_EQ(r->t, bus_read(&r->bus, la, seen, size), 0);
	pattern_same(r->t, "the device", seen, image, size);
	kvfree(image);
}

static void s19_size(struct rig *r, size_t size)
{
	PDMA_COMMON_BUFFER_VECTOR v = vector_new(r, ELEMENTS, size);
	u64 la[ELEMENTS];
	u8 *va;
	int i;

	REQUIRE(r->t, v);
	for (i = 0; i < ELEMENTS; i++)
		element_check(r, v, i);
	for (i = 0; i < ELEMENTS; i++) {
		va = element(r, v, i, &la[i]);
		REQUIRE(r->t, va);
		pattern_fill(va, size, i);
	}
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 3);
	if (size >= PAGE_SIZE)
		gone(r, la[3]);
	for (i = 0; i < ELEMENTS; i++)
		if (i != 3)
			element_kept(r, v, i, size);
	r->ops->FreeCommonBufferVector(r->adapter, v);
	for (i = 0; i < ELEMENTS; i++)
		gone(r, la[i]);
}

static void s19(struct nttest *t, struct rig *r)
{
	static const size_t sizes[] = { 16, 256, 4096, 5000 };
	int n;

	for (n = 0; n < ARRAY_SIZE(sizes); n++)
		s19_size(r, sizes[n]);
}

static void ec_186(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR v = vector_new(r, 4, 256);
	long refused = ntdma_refused();
	u64 la;

	REQUIRE(t, v);
	EXPECT(t, !element(r, v, 4, &la) && !la);
	EXPECT(t, !element(r, v, U32_MAX, &la) && !la);
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 1);
	EXPECT(t, !element(r, v, 1, &la) && !la);
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 1);
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 4);
	EXPECT_EQ(t, ntdma_refused(), refused + 5);
	r->ops->FreeCommonBufferVector(r->adapter, v);
	r->ops->FreeCommonBufferVector(r->adapter, v);
	EXPECT_EQ(t, ntdma_refused(), refused + 6);
}

static int by_address(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Elements that overlap nowhere: sorted, each ends before the next begins. */
static void apart(struct rig *r, PDMA_COMMON_BUFFER_VECTOR v, ULONG count,
		  u64 size, u64 *las)
{
	ULONG i;

	for (i = 0; i < count; i++) {
		u8 *va = element(r, v, i, &las[i]);

		REQUIRE(r->t, va);
		REQUIRE(r->t, !((unsigned long)va & 7) && !(las[i] & 7));
		REQUIRE(r->t, las[i] + size - 1 <= r->bus.last);
		REQUIRE(r->t, !memchr_inv(va, 0, size));
	}
	sort(las, count, sizeof(*las), by_address, NULL);
	for (i = 1; i < count; i++)
		REQUIRE(r->t, las[i] - las[i - 1] >= size);
}

static void four_elements(struct rig *r, ULONGLONG size)
{
	PDMA_COMMON_BUFFER_VECTOR v = vector_new(r, 4, size);
	u64 las[4], la;

	REQUIRE(r->t, v);
	apart(r, v, 4, size, las);
	EXPECT(r->t, !element(r, v, 4, &la));
	r->ops->FreeCommonBufferVector(r->adapter, v);
}

static void ec_185(struct nttest *t, struct rig *r)
{
	four_elements(r, 4096);
}

/* Sizes that are no multiple of anything. */
static void odd_elements(struct nttest *t, struct rig *r)
{
	static const ULONGLONG sizes[] = { 1, 13, 1001, 4097 };
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		four_elements(r, sizes[i]);
}

/* What stands behind the last of so many is nobody's. */
static void full_words(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR v = vector_new(r, 2 * BITS_PER_LONG, 16);
	long refused = ntdma_refused();
	u64 la;

	REQUIRE(t, v);
	EXPECT(t, element(r, v, 2 * BITS_PER_LONG - 1, &la));
	EXPECT(t, !element(r, v, 2 * BITS_PER_LONG, &la));
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 2 * BITS_PER_LONG);
	EXPECT_EQ(t, ntdma_refused(), refused + 2);
	r->ops->FreeCommonBufferVector(r->adapter, v);
}

/* Whether a vector cannot be had when its @nth allocation fails; nothing is lost. */
static bool vector_fails(struct rig *r, ULONG count, ULONGLONG size, int nth)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 };
	PDMA_COMMON_BUFFER_VECTOR v = (void *)r;
	long live = ntdma_live_objects();
	NTSTATUS status;
	bool hit;

	ntdma_fail_nth(nth);
	status = r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						    MmCached, 0, 0, count,
						    size, &v);
	hit = ntdma_fail_hit();
	ntdma_fail_nth(0);
	EXPECT_EQ(r->t, status, hit ? STATUS_INSUFFICIENT_RESOURCES :
				      STATUS_SUCCESS);
	EXPECT_EQ(r->t, !v, hit);
	if (v)
		r->ops->FreeCommonBufferVector(r->adapter, v);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
	return hit;
}

/* How many allocations a vector takes. */
static int vector_allocations(struct rig *r, ULONG count, ULONGLONG size)
{
	int n = 0;

	while (!r->t->failed && vector_fails(r, count, size, n + 1))
		n++;
	return n;
}

static void sweep(struct nttest *t, struct rig *r)
{
	EXPECT_EQ(t, vector_allocations(r, 1, 1), 2);
	EXPECT_EQ(t, vector_allocations(r, 5, PAGE_SIZE), 6);
	EXPECT_EQ(t, vector_allocations(r, 3, 3 * PAGE_SIZE - 1), 4);
}

#define MANY		1024
#define SMALL		256

/* Pages of sorted addresses, and those behind them that are mapped, too. */
static int pages_of(struct rig *r, const u64 *las, int count, int *behind)
{
	bool translated = dma_get_merge_boundary(r->bus.dev);
	int i, used = 0;
	u64 next;
	u8 byte;

	for (i = 0; i < count; i++) {
		next = round_down(las[i], PAGE_SIZE) + PAGE_SIZE;
		if (i < count - 1 && las[i + 1] < next)
			continue;
		used++;
		*behind += translated &&
			   (i == count - 1 || las[i + 1] >= next + PAGE_SIZE) &&
			   !bus_read(&r->bus, next, &byte, 1);
	}
	return used;
}

/*
 * One allocation for each page of data, and one block to remember them. What
 * is behind a page is another one of the vector, or not mapped but by chance.
 */
static void small_elements(struct nttest *t, struct rig *r)
{
	const int pages = DIV_ROUND_UP(MANY * SMALL, PAGE_SIZE);
	u64 *las = kvmalloc_array(MANY, sizeof(*las), GFP_KERNEL);
	PDMA_COMMON_BUFFER_VECTOR v = vector_new(r, MANY, SMALL);
	int used, behind = 0;

	if (EXPECT(t, las && v)) {
		apart(r, v, MANY, SMALL, las);
		used = pages_of(r, las, MANY, &behind);
		EXPECT(t, used * 10 <= pages * 11);
		EXPECT(t, behind * 4 <= pages);
		r->ops->FreeCommonBufferVector(r->adapter, v);
		EXPECT(t, vector_fails(r, MANY, SMALL, used + 1));
		EXPECT(t, !vector_fails(r, MANY, SMALL, used + 2));
	}
	kvfree(las);
}

/* What is left of a page goes with its last element, in any order. */
static void ec_188(struct nttest *t, struct rig *r)
{
	const ULONG count = 3 * PAGE_SIZE / 512;
	PDMA_COMMON_BUFFER_VECTOR v = vector_new(r, count, 512);
	long live = ntdma_live_objects();
	u8 *va[2];
	ULONG i;
	u64 la;

	REQUIRE(t, v);
	for (i = 0; i < 2; i++) {
		va[i] = element(r, v, i * (count - 1), &la);
		REQUIRE(t, va[i]);
		pattern_fill(va[i], 512, i);
	}
	for (i = 1; i < count - 1; i++)
		r->ops->FreeCommonBufferFromVector(r->adapter, v,
						   i * 7 % (count - 1) ?: 1);
	for (i = 0; i < 2; i++) {
		u8 image[512];

		pattern_fill(image, sizeof(image), i);
		pattern_same(t, "an element", va[i], image, sizeof(image));
		EXPECT(t, element(r, v, i * (count - 1), &la) == va[i]);
		element_check(r, v, i * (count - 1));
	}
	for (i = 0; i < 2; i++)
		r->ops->FreeCommonBufferFromVector(r->adapter, v,
						   i * (count - 1));
	/* Empty it is still a vector. */
	EXPECT(t, !element(r, v, 0, &la));
	EXPECT_EQ(t, ntdma_live_objects(), live);
	r->ops->FreeCommonBufferVector(r->adapter, v);
	EXPECT_EQ(t, ntdma_live_objects(), live - 1);
}

struct vector_args {
	u64 low, high;
	MEMORY_CACHING_TYPE type;
	ULONG count;
	ULONGLONG size;
	NTSTATUS status;
};

static void bad_vectors(struct nttest *t, struct rig *r)
{
	static const struct vector_args bad[] = {
		{ 0, -1, MmCached, 0, 16, STATUS_INVALID_PARAMETER },
		{ 0, -1, MmCached, 4, 0, STATUS_INVALID_PARAMETER },
		{ 0, -1, MmWriteCombined, 4, 16, STATUS_INVALID_PARAMETER },
		{ SZ_32M, SZ_16M, MmCached, 4, 16, STATUS_INVALID_PARAMETER },
		{ SZ_16M, SZ_16M + 15, MmCached, 4, 16,
		  STATUS_INSUFFICIENT_RESOURCES },
		{ 0, -1, MmCached, U32_MAX, 1ULL << 40,
		  STATUS_INSUFFICIENT_RESOURCES },
		{ 0, -1, MmCached, 1, -1, STATUS_INSUFFICIENT_RESOURCES },
		{ 0, -1, MmCached, U32_MAX, 4096,
		  STATUS_INSUFFICIENT_RESOURCES },
	};
	long live = ntdma_live_objects();
	PDMA_COMMON_BUFFER_VECTOR v;
	PHYSICAL_ADDRESS low, high;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		v = (void *)r;
		low.QuadPart = bad[i].low;
		high.QuadPart = bad[i].high;
		EXPECT_EQ(t, bad[i].status,
			  r->ops->AllocateCommonBufferVector(r->adapter, low,
							     high, bad[i].type,
							     0, 0, bad[i].count,
							     bad[i].size, &v));
		EXPECT(t, !v);
	}
	low.QuadPart = 0;
	high.QuadPart = 0;
	EXPECT_EQ(t, r->ops->AllocateCommonBufferVector(r->adapter, low, high,
							MmCached, 0, 0, 1, 1,
							NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, ntdma_live_objects(), live);
}

/* Both bounds are inclusive, and 0 is no upper one. */
static void vector_bounds(struct nttest *t, struct rig *r)
{
	u64 last = r->bus.last < U32_MAX ? r->bus.last : U32_MAX, la;
	PHYSICAL_ADDRESS low = { .QuadPart = PAGE_SIZE }, high;
	PDMA_COMMON_BUFFER_VECTOR v;
	int i, turn;

	for (turn = 0; turn < 2; turn++) {
		high.QuadPart = turn ? last : 0;
		v = NULL;
		EXPECT_EQ(t, r->ops->AllocateCommonBufferVector(r->adapter, low,
								high,
								MmNonCached,
								MM_ANY_NODE_OK,
								0, ELEMENTS,
								3000, &v),
			  STATUS_SUCCESS);
		REQUIRE(t, v);
		for (i = 0; i < ELEMENTS; i++) {
			EXPECT(t, element(r, v, i, &la));
			EXPECT(t, la >= PAGE_SIZE && la + 2999 <= r->bus.last);
			EXPECT(t, !turn || la + 2999 <= last);
		}
		r->ops->FreeCommonBufferVector(r->adapter, v);
	}
}

static NTSTATUS vector_within(struct rig *r, u64 first, u64 last,
			      PDMA_COMMON_BUFFER_VECTOR *v)
{
	PHYSICAL_ADDRESS low, high;

	low.QuadPart = first;
	high.QuadPart = last;
	*v = NULL;
	return r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						  MmNonCached, MM_ANY_NODE_OK,
						  0, ELEMENTS, PAGE_SIZE, v);
}

/* Behind an IOMMU a range that just has room for all, and none that is less. */
static void exact_bounds(struct nttest *t, struct rig *r)
{
	u64 first = r->kind->width == 28 ? 0xe000000 : 0x3480000000, la;
	u64 last = first + ELEMENTS * PAGE_SIZE - 1;
	PDMA_COMMON_BUFFER_VECTOR v, other;
	int i;

	if (!dma_get_merge_boundary(r->bus.dev)) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	EXPECT_EQ(t, vector_within(r, first + 1, last, &v),
		  STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, vector_within(r, first, last - 1, &v),
		  STATUS_INSUFFICIENT_RESOURCES);
	REQUIRE(t, EXPECT_EQ(t, vector_within(r, first, last, &v),
			     STATUS_SUCCESS));
	for (i = 0; i < ELEMENTS; i++) {
		EXPECT(t, element(r, v, i, &la));
		EXPECT(t, la >= first && la + PAGE_SIZE - 1 <= last);
		element_check(r, v, i);
	}
	EXPECT_EQ(t, vector_within(r, first, last, &other),
		  STATUS_INSUFFICIENT_RESOURCES);
	r->ops->FreeCommonBufferVector(r->adapter, v);
}

/* Of another adapter, or not a vector at all. */
static void foreign(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR v = vector_new(r, 2, 100);
	struct rig *other = rig_open(t, r->kind);
	u64 la;

	REQUIRE(t, v && other);
	EXPECT(t, !element(other, v, 0, &la) && !la);
	other->ops->FreeCommonBufferFromVector(other->adapter, v, 0);
	other->ops->FreeCommonBufferVector(other->adapter, v);
	other->ops->FreeCommonBufferVector(other->adapter, NULL);
	other->ops->FreeCommonBufferVector(other->adapter, (void *)other);
	rig_close(other);
	element_check(r, v, 0);
	r->ops->FreeCommonBufferVector(r->adapter, v);
}

#define LARGE_PAGE	(512 * (u64)PAGE_SIZE)

static void is_large(struct rig *r, const void *va, u64 la)
{
	EXPECT_EQ(r->t, la & (LARGE_PAGE - 1), 0);
	EXPECT(r->t, la + LARGE_PAGE - 1 <= r->bus.last);
	EXPECT(r->t, !memchr_inv(va, 0, LARGE_PAGE));
}

/*
 * A buffer of one byte that takes a large page. Without an IOMMU there is one
 * only where memory lies like that.
 */
static void large_page(struct nttest *t, struct rig *r)
{
	bool must = dma_get_merge_boundary(r->bus.dev);
	PHYSICAL_ADDRESS min = { .QuadPart = PAGE_SIZE }, la;
	PVOID va;
	int turn;

	/* The second time behind an IOMMU it is one of the window. */
	for (turn = 0; turn < 2; turn++) {
		va = r->ops->AllocateCommonBufferWithBounds(r->adapter,
							    turn ? &min : NULL,
							    NULL, 1,
							    DOMAIN_COMMON_BUFFER_LARGE_PAGE,
							    NULL, 0, &la);
		EXPECT(t, va || !must);
		if (!va)
			continue;
		is_large(r, va, la.QuadPart);
		r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
	}
}

/* The elements of a vector that share a large page. */
static void large_elements(struct nttest *t, struct rig *r)
{
	bool must = dma_get_merge_boundary(r->bus.dev);
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 };
	PDMA_COMMON_BUFFER_VECTOR v;
	u64 la, first;
	NTSTATUS status;
	u8 *va;

	status = r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						    MmNonCached,
						    MM_ANY_NODE_OK,
						    DOMAIN_COMMON_BUFFER_LARGE_PAGE,
						    4, PAGE_SIZE, &v);
	EXPECT(t, !status || !must);
	if (status)
		return;
	va = element(r, v, 0, &first);
	is_large(r, va, first);
	EXPECT(t, element(r, v, 3, &la) == va + 3 * PAGE_SIZE);
	EXPECT_EQ(t, la, first + 3 * PAGE_SIZE);
	r->ops->FreeCommonBufferVector(r->adapter, v);
}

/* A domain's, where there is one. */
static void large_shared(struct nttest *t, struct rig *r)
{
	HANDLE domain = r->ops->GetDmaDomain(r->adapter);
	PHYSICAL_ADDRESS la;
	PVOID va;

	if (!domain) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	REQUIRE(t, !r->ops->AllocateDomainCommonBuffer(r->adapter, domain,
						       NULL, 1,
						       DOMAIN_COMMON_BUFFER_LARGE_PAGE,
						       NULL, MM_ANY_NODE_OK,
						       &la, &va));
	is_large(r, va, la.QuadPart);
	r->ops->FreeCommonBuffer(r->adapter, 1, la, va, TRUE);
}

/* Lengths that cannot be, with bounds and without. */
static void no_buffer(struct rig *r, u64 low, ULONG length)
{
	PHYSICAL_ADDRESS min = { .QuadPart = low }, la;
	PHYSICAL_ADDRESS max = { .QuadPart = SZ_128M };
	long live = ntdma_live_objects();
	PVOID va;

	va = r->ops->AllocateCommonBufferWithBounds(r->adapter,
						    low ? &min : NULL, &max,
						    length, 0, NULL,
						    MM_ANY_NODE_OK, &la);
	EXPECT(r->t, !va);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
}

/* Whether there was a buffer; it lies where it may, and goes back. */
static bool bounded(struct rig *r, u64 low, u64 high, MEMORY_CACHING_TYPE *type)
{
	long live = ntdma_live_objects();
	PHYSICAL_ADDRESS min, max, la;
	u8 *va, byte = 0;

	min.QuadPart = low;
	max.QuadPart = high;
	va = r->ops->AllocateCommonBufferWithBounds(r->adapter, &min,
						    high ? &max : NULL, SZ_64K,
						    0, type, 0, &la);
	if (!va)
		return false;
	EXPECT(r->t, (u64)la.QuadPart >= low);
	EXPECT(r->t, !high || (u64)la.QuadPart + SZ_64K <= high);
	EXPECT(r->t, (u64)la.QuadPart + SZ_64K - 1 <= r->bus.last);
	EXPECT(r->t, !memchr_inv(va, 0, SZ_64K));
	if (rig_coherent(r) || !type || *type == MmNonCached) {
		WRITE_ONCE(va[SZ_64K - 1], 0x5a);
		EXPECT_EQ(r->t, bus_read(&r->bus, la.QuadPart + SZ_64K - 1,
					 &byte, 1), 0);
		EXPECT_EQ(r->t, byte, 0x5a);
	}
	r->ops->FreeCommonBuffer(r->adapter, SZ_64K, la, va, TRUE);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
	gone(r, la.QuadPart);
	return true;
}

/* A lowest address above what the allocator gives of its own accord. */
static void above(struct rig *r)
{
	PHYSICAL_ADDRESS la;
	PVOID va;

	va = r->ops->AllocateCommonBuffer(r->adapter, SZ_64K, &la, TRUE);
	REQUIRE(r->t, va);
	r->ops->FreeCommonBuffer(r->adapter, SZ_64K, la, va, TRUE);
	bounded(r, la.QuadPart + 1, 0, NULL);
	/* What is below is kept for those who reach nothing else. */
	EXPECT(r->t, bounded(r, SZ_16M, 0, NULL) || r->kind->width < 64);
}

/* All that there is but the first page. */
static void ec_169(struct nttest *t, struct rig *r)
{
	MEMORY_CACHING_TYPE cached = MmCached, uncached = MmNonCached;
	u64 high = r->bus.last < U32_MAX ? r->bus.last : U32_MAX;

	EXPECT(t, bounded(r, PAGE_SIZE, high, &cached));
	EXPECT(t, bounded(r, PAGE_SIZE, high, &uncached));
	/* The platform's own kind of memory. */
	EXPECT(t, bounded(r, PAGE_SIZE, high, NULL));
	EXPECT(t, bounded(r, PAGE_SIZE, 0, NULL));
	above(r);
}

/* What is there may be in use. */
static void narrow_bounds(struct nttest *t, struct rig *r)
{
	static const struct {
		u64 low, high;
	} bounds[] = {
		{ SZ_8M, SZ_128M },
		{ SZ_4M + 1, SZ_16M - 1 },
		{ SZ_32M, SZ_32M + SZ_1M },
		{ SZ_32M, 0 },
		{ SZ_1G, SZ_1G + SZ_512M },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		bool found = bounded(r, bounds[i].low, bounds[i].high, NULL);

		EXPECT(t, !found || bounds[i].low <= r->bus.last);
	}
}

static void ec_168(struct nttest *t, struct rig *r)
{
	MEMORY_CACHING_TYPE combined = MmWriteCombined;

	EXPECT(t, !bounded(r, SZ_128M, SZ_8M, NULL));
	EXPECT(t, !bounded(r, PAGE_SIZE, PAGE_SIZE + SZ_64K - 1, NULL));
	EXPECT(t, !bounded(r, PAGE_SIZE, 0, &combined));
	no_buffer(r, 0, 0);
	no_buffer(r, 0, U32_MAX);
	no_buffer(r, SZ_8M, 0);
	no_buffer(r, SZ_8M, U32_MAX);
	if (r->kind->width < 64) {
		EXPECT(t, !bounded(r, r->bus.last - SZ_32K, 0, NULL));
		EXPECT(t, !bounded(r, r->bus.last + 1, 0, NULL));
	}
}

static const struct nttest_case cases[] = {
	{ "S19 EC-185 EC-188 EC-190 elements of a vector", .run_on = s19 },
	{ "EC-185 four elements of 4096 bytes", .run_on = ec_185 },
	{ "EC-185 elements of odd sizes", .run_on = odd_elements },
	{ "EC-186 bad input: the index behind the last", .run_on = full_words },
	{ "EC-186 EC-187 EC-189 bad input: indices, freed twice", .run_on = ec_186 },
	{ "EC-188 the others stay, down to the last", .run_on = ec_188 },
	{ "S19 every allocation fails once", .run_on = sweep },
	{ "S19 1024 small elements share pages", .run_on = small_elements,
	  .kinds = rig_lists },
	{ "S19 bounds of a vector", .run_on = vector_bounds },
	{ "S19 EC-169 exact bounds of a vector", .run_on = exact_bounds,
	  .kinds = rig_lists },
	{ "EC-185 bad input: vectors that cannot be", .run_on = bad_vectors },
	{ "EC-190 bad input: not a vector of this adapter", .run_on = foreign },
	{ "S18 large pages", .run_on = large_page },
	{ "S19 EC-185 large pages of a vector", .run_on = large_elements },
	{ "EC-193 large pages of a domain", .run_on = large_shared },
	{ "S18 EC-169 EC-171 bounds that can be met", .run_on = ec_169 },
	{ "S18 EC-169 a buffer is never out of bounds", .run_on = narrow_bounds,
	  .kinds = rig_lists },
	{ "EC-168 EC-170 bounds and types that cannot be met", .run_on = ec_168 },
	{ }
};

const struct nttest_suite nttest_vector = {
	.name = "vector",
	.cases = cases,
};
