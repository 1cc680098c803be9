// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors, bounds, buffers from MDLs, flushes and the absence of domains:
 * contract section H, scenarios S18 to S21 and S27.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include "buffer.h"
#include "hooks.h"
#include "rig.h"

#define ELEMENTS	8

static PDMA_COMMON_BUFFER_VECTOR vector_new(struct rig *r, ULONG count,
					    ULONGLONG size)
{
	PDMA_COMMON_BUFFER_VECTOR v = NULL;
	PHYSICAL_ADDRESS low = {}, high;

	high.QuadPart = -1;
	EXPECT_EQ(r->t, r->ops->AllocateCommonBufferVector(r->adapter, low, high,
							   MmCached, 0, 0, count,
							   size, &v),
		  STATUS_SUCCESS);
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

	REQUIRE(r->t, va);
	EXPECT(r->t, element(r, v, i, &again) == va && again == la);
	pattern_fill(image, sizeof(image), i);
	EXPECT_EQ(r->t, bus_write(&r->bus, la, image, sizeof(image)), 0);
	pattern_same(r->t, "processor", va, image, sizeof(image));
	EXPECT_EQ(r->t, bus_read(&r->bus, la, seen, sizeof(seen)), 0);
	pattern_same(r->t, "device", seen, image, sizeof(seen));
}

static void s19(struct nttest *t, struct rig *r)
{
	static const ULONGLONG sizes[] = { 16, 256, 4096, 5000 };
	PDMA_COMMON_BUFFER_VECTOR v;
	int i, n;

	for (n = 0; n < ARRAY_SIZE(sizes); n++) {
		v = vector_new(r, ELEMENTS, sizes[n]);
		REQUIRE(t, v);
		for (i = 0; i < ELEMENTS; i++)
			element_check(r, v, i);
		r->ops->FreeCommonBufferFromVector(r->adapter, v, 3);
		for (i = 0; i < ELEMENTS; i++)
			if (i != 3)
				element_check(r, v, i);
		r->ops->FreeCommonBufferVector(r->adapter, v);
	}
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

/* Whether there was a buffer; it lies where it may, and goes back. */
static bool bounded(struct rig *r, u64 low, u64 high, MEMORY_CACHING_TYPE *type)
{
	PHYSICAL_ADDRESS min, max, la;
	PVOID va;

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
	r->ops->FreeCommonBuffer(r->adapter, SZ_64K, la, va, TRUE);
	return true;
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
	if (r->kind->width < 64)
		EXPECT(t, !bounded(r, r->bus.last - SZ_32K, 0, NULL));
}

/* The device finds a mark of its own on each page. */
static void marked(struct nttest *t, struct rig *r, struct buffer *b, u64 la)
{
	u8 byte;
	int i;

	for (i = 0; i < 4; i++) {
		((u8 *)b->va)[i * PAGE_SIZE] = i + 1;
		EXPECT_EQ(t, bus_read(&r->bus, la + i * PAGE_SIZE, &byte, 1),
			  0);
		EXPECT_EQ(t, byte, i + 1);
	}
}

static void s20(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	PHYSICAL_ADDRESS la;
	NTSTATUS status;
	int turn;

	REQUIRE(t, b);
	for (turn = 0; turn < 2; turn++) {
		status = r->ops->CreateCommonBufferFromMdl(r->adapter, b->mdl,
							   NULL, 0, &la);
		/* Scattered pages want an IOMMU (EC-180). */
		if (!dma_get_merge_boundary(r->bus.dev)) {
			EXPECT_EQ(t, status, STATUS_INVALID_PARAMETER);
			return;
		}
		REQUIRE(t, !status);
		marked(t, r, b, la.QuadPart);
		r->ops->FreeCommonBuffer(r->adapter, 4 * PAGE_SIZE, la, b->va,
					 TRUE);
		/* The MDL is the client's still (EC-184). */
		EXPECT(t, MmGetSystemAddressForMdlSafe(b->mdl,
						       NormalPagePriority) ==
			  b->va);
	}
}

static void ec_176(struct nttest *t, struct rig *r)
{
	struct buffer *odd = buffer_new(r, NEAR, 8, PAGE_SIZE);
	struct buffer *cut = buffer_new(r, NEAR, 0, 100);
	PHYSICAL_ADDRESS la;

	REQUIRE(t, odd && cut);
	EXPECT_EQ(t, r->ops->CreateCommonBufferFromMdl(r->adapter, odd->mdl, NULL,
						       0, &la),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, r->ops->CreateCommonBufferFromMdl(r->adapter, cut->mdl, NULL,
						       0, &la),
		  STATUS_INVALID_PARAMETER);
}

static void s21(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS la;
	PVOID va = r;

	EXPECT(t, !r->ops->GetDmaDomain(r->adapter));
	EXPECT_EQ(t, r->ops->JoinDmaDomain(r->adapter, r), STATUS_NOT_SUPPORTED);
	EXPECT(t, !NT_SUCCESS(r->ops->LeaveDmaDomain(r->adapter)));
	EXPECT(t, !NT_SUCCESS(r->ops->AllocateDomainCommonBuffer(r->adapter, r,
								 NULL, 1, 0, NULL,
								 0, &la, &va)));
	EXPECT(t, !va);
}

static void s27(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, NEAR, 0, 100);

	REQUIRE(t, b);
	EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, b->mdl, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, b->mdl, FALSE), STATUS_SUCCESS);
	EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, NULL, FALSE),
		  STATUS_INVALID_PARAMETER);
}

static const struct nttest_case cases[] = {
	{ "S19 EC-185 EC-188 EC-190 elements of a vector", .run_on = s19 },
	{ "EC-186 EC-187 EC-189 bad input: indices, freed twice", .run_on = ec_186 },
	{ "S18 EC-169 EC-171 bounds that can be met", .run_on = ec_169 },
	{ "S18 EC-169 a buffer is never out of bounds", .run_on = narrow_bounds,
	  .kinds = rig_lists },
	{ "EC-168 EC-170 bounds and types that cannot be met", .run_on = ec_168 },
	{ "S20 EC-180 EC-184 an MDL as a common buffer", .run_on = s20 },
	{ "EC-176 MDLs that are not whole pages", .run_on = ec_176 },
	{ "S21 EC-192 EC-194 EC-196 no domains", .run_on = s21 },
	{ "S27 FlushDmaBuffer", .run_on = s27 },
	{ }
};

const struct nttest_suite nttest_vector = {
	.name = "vector",
	.cases = cases,
};
