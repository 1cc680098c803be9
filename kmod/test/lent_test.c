// SPDX-License-Identifier: GPL-2.0
/*
 * CreateCommonBufferFromMdl: contract section H, scenario S20.
 *
 * What a valid call must return depends on where it runs: with an IOMMU any
 * pages become one run; without one only a run of pages in reach does; on a
 * device that is not coherent nothing does.
 */
#include <linux/dma-map-ops.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>
#include "buffer.h"
#include "hooks.h"
#include "rig.h"

typedef DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION config_t;

#define LENT_PAGES	4
#define LENT_BYTES	(LENT_PAGES * (ULONG)PAGE_SIZE)

static config_t limits(u64 min, u64 last)
{
	config_t c = { .ConfigType = CommonBufferConfigTypeLogicalAddressLimits };

	c.LogicalAddressLimits.MinimumAddress.QuadPart = min;
	c.LogicalAddressLimits.MaximumAddress.QuadPart = last;
	return c;
}

static config_t section(u64 offset, ULONG length)
{
	config_t c = { .ConfigType = CommonBufferConfigTypeSubSection };

	c.SubSection.Offset = offset;
	c.SubSection.Length = length;
	return c;
}

static config_t access(int type)
{
	config_t c = {
		.ConfigType = CommonBufferConfigTypeHardwareAccessPermissions,
	};

	c.HardwareAccessType = type;
	return c;
}

static bool translated(struct rig *r)
{
	return dma_get_merge_boundary(r->bus.dev);
}

/* What a valid call must return for pages in a row, or not. */
static NTSTATUS wanted(struct rig *r, struct buffer *b, bool row)
{
	if (!rig_coherent(r))
		return STATUS_NOT_SUPPORTED;
	if (translated(r))
		return STATUS_SUCCESS;
	if (b->far || !row || is_swiotlb_force_bounce(r->bus.dev) ||
	    ntdma_bounces_all())
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

static NTSTATUS lend(struct rig *r, PMDL mdl, config_t *configs, ULONG count,
		     u64 *la)
{
	PHYSICAL_ADDRESS logical = { .QuadPart = -1 };
	NTSTATUS status;

	status = r->ops->CreateCommonBufferFromMdl(r->adapter, mdl, configs,
						   count, &logical);
	*la = logical.QuadPart;
	return status;
}

static void give_back(struct rig *r, ULONG length, u64 la, PVOID va)
{
	PHYSICAL_ADDRESS logical = { .QuadPart = la };

	r->ops->FreeCommonBuffer(r->adapter, length, logical, va, TRUE);
}

/* A call that must be refused; if it is not, its buffer goes back. */
static void refused(struct rig *r, PMDL mdl, config_t *configs, ULONG count)
{
	long live = ntdma_live_objects();
	u64 la;

	EXPECT_EQ(r->t, lend(r, mdl, configs, count, &la),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
}

/* The device finds a mark of its own on each page, and the CPU the device's. */
static void marked(struct rig *r, u8 *va, u64 la, int pages)
{
	u8 byte;
	int i;

	for (i = 0; i < pages; i++) {
		u64 at = la + (u64)i * PAGE_SIZE;

		va[i * PAGE_SIZE] = i + 1;
		EXPECT_EQ(r->t, bus_read(&r->bus, at, &byte, 1), 0);
		EXPECT_EQ(r->t, byte, i + 1);
		byte = 0x80 + i;
		EXPECT_EQ(r->t, bus_write(&r->bus, at + PAGE_SIZE - 1, &byte, 1),
			  0);
		EXPECT_EQ(r->t, va[(i + 1) * PAGE_SIZE - 1], byte);
	}
}

static void s20_shape(struct rig *r, enum buffer_shape shape)
{
	struct buffer *b = buffer_new(r, shape, 0, LENT_BYTES);
	struct nttest *t = r->t;
	NTSTATUS status;
	int turn;
	u8 byte;
	u64 la;

	REQUIRE(t, b);
	status = wanted(r, b, shape == RUN);
	for (turn = 0; turn < 2; turn++) {
		REQUIRE(t, EXPECT_EQ(t, lend(r, b->mdl, NULL, 0, &la), status));
		if (status)
			return;
		EXPECT(t, la + LENT_BYTES - 1 <= r->bus.last);
		marked(r, b->va, la, LENT_PAGES);
		give_back(r, LENT_BYTES, la, b->va);
		if (translated(r))
			EXPECT(t, bus_read(&r->bus, la, &byte, 1));
		/* The MDL is the client's still (EC-184). */
		EXPECT(t, MmGetSystemAddressForMdlSafe(b->mdl,
						       NormalPagePriority) ==
			  b->va);
		EXPECT_EQ(t, *(u8 *)b->va, 1);
	}
}

static void s20_scattered(struct nttest *t, struct rig *r)
{
	s20_shape(r, SCATTERED);
}

static void s20_run(struct nttest *t, struct rig *r)
{
	s20_shape(r, RUN);
}

static void ec_175(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	config_t two_limits[] = { limits(0, -1), limits(0, -1) };
	config_t two_sections[] = {
		section(0, PAGE_SIZE), section(0, PAGE_SIZE),
	};
	config_t two_accesses[] = { access(2), access(2) };
	config_t apart[] = { limits(0, -1), access(2), limits(0, -1) };

	REQUIRE(t, b);
	refused(r, b->mdl, two_limits, 2);
	refused(r, b->mdl, two_sections, 2);
	refused(r, b->mdl, two_accesses, 2);
	refused(r, b->mdl, apart, 3);
	/* Nothing is read behind the one that is too many. */
	refused(r, b->mdl, apart, U32_MAX);
	refused(r, b->mdl, NULL, 1);
}

static void ec_176(struct nttest *t, struct rig *r)
{
	/* Contiguous, so that nothing else is in the way. */
	struct buffer *odd = buffer_new(r, RUN, 8, PAGE_SIZE);
	struct buffer *cut = buffer_new(r, NEAR, 0, 100);
	struct buffer *b = buffer_new(r, NEAR, 0, PAGE_SIZE);

	REQUIRE(t, odd && cut && b);
	refused(r, odd->mdl, NULL, 0);
	refused(r, cut->mdl, NULL, 0);
	b->mdl->ByteCount = 0;
	refused(r, b->mdl, NULL, 0);
	b->mdl->ByteCount = PAGE_SIZE;
	refused(r, NULL, NULL, 0);
	EXPECT_EQ(t, r->ops->CreateCommonBufferFromMdl(r->adapter, b->mdl, NULL,
						       0, NULL),
		  STATUS_INVALID_PARAMETER);
}

/* Two MDLs of @pages pages each, in reach where anything is. */
static bool chain(struct rig *r, struct buffer **b, int pages)
{
	int i;

	for (i = 0; i < 2; i++) {
		b[i] = buffer_new(r, NEAR, 0, pages * PAGE_SIZE);
		if (!b[i])
			return false;
	}
	b[0]->mdl->Next = b[1]->mdl;
	return true;
}

static void ec_177(struct nttest *t, struct rig *r)
{
	config_t all = limits(0, -1);
	struct buffer *b[2];

	/* A page each: nothing but the chain is in the way, IOMMU or not. */
	REQUIRE(t, chain(r, b, 1));
	refused(r, b[0]->mdl, NULL, 0);
	refused(r, b[0]->mdl, &all, 1);
}

static void ec_178(struct nttest *t, struct rig *r)
{
	struct buffer *b[2];
	NTSTATUS status;
	config_t part;
	u64 la;
	int i;

	REQUIRE(t, chain(r, b, 2));
	for (i = 0; i < 4; i++) {
		u8 *va = b[i / 2]->va + i % 2 * PAGE_SIZE;

		status = wanted(r, b[i / 2], true);
		part = section(i * PAGE_SIZE, PAGE_SIZE);
		REQUIRE(t, EXPECT_EQ(t, lend(r, b[0]->mdl, &part, 1, &la),
				     status));
		if (status)
			continue;
		marked(r, va, la, 1);
		EXPECT(t, bus_is_page(&r->bus, la, b[i / 2]->pages[i % 2]));
		/* What it is freed with is the subsection, or the whole MDL. */
		if (i < 2)
			give_back(r, PAGE_SIZE, la, va);
		else
			give_back(r, 2 * PAGE_SIZE, la, b[i / 2]->va);
	}
}

static void ec_179(struct nttest *t, struct rig *r)
{
	const ULONG page = PAGE_SIZE;
	config_t bad[] = {
		section(page, 2 * page),	/* crosses */
		section(0, 4 * page),
		section(3 * page, 2 * page),	/* ends behind the chain */
		section(4 * page, page),
		section(1ULL << 63, page),
		section(-(u64)page, page),
		section(0, 0),
		section(8, page),		/* no whole pages */
		section(0, page - 1),
		section(0, -page),
	};
	struct buffer *b[2];
	int i;

	REQUIRE(t, chain(r, b, 2));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused(r, b[0]->mdl, &bad[i], 1);
}

/* MDLs over neighbours: the section is one run, and crosses all the same. */
static void neighbours(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	config_t crossing = section(PAGE_SIZE, 2 * PAGE_SIZE);
	config_t none = section(0, 0);
	PMDL half[2];
	int i;

	REQUIRE(t, b);
	refused(r, b->mdl, &none, 1);
	for (i = 0; i < 2; i++) {
		half[i] = IoAllocateMdl(b->va + i * LENT_BYTES / 2,
					LENT_BYTES / 2, FALSE, FALSE, NULL);
		if (half[i])
			MmBuildMdlForNonPagedPool(half[i]);
	}
	if (EXPECT(t, half[0] && half[1])) {
		half[0]->Next = half[1];
		refused(r, half[0], &crossing, 1);
		half[0]->Next = NULL;
	}
	for (i = 0; i < 2; i++)
		if (half[i])
			IoFreeMdl(half[i]);
}

/* Limits that exclude where the memory was: another place, or none. */
static void lend_elsewhere(struct rig *r, struct buffer *b, u64 min, u64 last)
{
	config_t c = limits(min, last);
	NTSTATUS status;
	u64 la;

	status = lend(r, b->mdl, &c, 1, &la);
	if (!status) {
		EXPECT(r->t, translated(r));
		EXPECT(r->t, la >= min && la + LENT_BYTES - 1 <= last);
		give_back(r, LENT_BYTES, la, b->va);
	} else if (!translated(r)) {
		EXPECT_EQ(r->t, status, STATUS_INVALID_PARAMETER);
	}
}

/* Both ends belong to what is allowed. */
static void ec_181(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	config_t all = limits(PAGE_SIZE, -1), exact;
	NTSTATUS status;
	u64 x, la;

	REQUIRE(t, b);
	status = wanted(r, b, true);
	REQUIRE(t, EXPECT_EQ(t, lend(r, b->mdl, &all, 1, &x), status));
	if (status)
		return;
	give_back(r, LENT_BYTES, x, b->va);
	exact = limits(x, x + LENT_BYTES - 1);
	status = lend(r, b->mdl, &exact, 1, &la);
	/* What was x may be in use again; without an IOMMU it is the memory. */
	if (status) {
		EXPECT(t, translated(r));
		EXPECT_EQ(t, status, STATUS_INSUFFICIENT_RESOURCES);
	} else {
		EXPECT_EQ(t, la, x);
		give_back(r, LENT_BYTES, la, b->va);
	}
	lend_elsewhere(r, b, x + 1, -1);
	lend_elsewhere(r, b, 0, x + LENT_BYTES - 2);
}

/* Below a limit the DMA API chooses, and there is always a place. */
static void only_last(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	u64 mask = dma_get_mask(r->bus.dev), x, la;
	config_t c;
	int cut;
	u8 byte;

	REQUIRE(t, b);
	if (!translated(r) || wanted(r, b, true)) {
		nttest_skip(t, "no IOMMU, or not coherent");
		return;
	}
	REQUIRE(t, !lend(r, b->mdl, NULL, 0, &x));
	give_back(r, LENT_BYTES, x, b->va);
	for (cut = 0; cut < 2; cut++) {
		c = limits(0, x + LENT_BYTES - 1 - cut);
		REQUIRE(t, EXPECT_EQ(t, lend(r, b->mdl, &c, 1, &la),
				     STATUS_SUCCESS));
		EXPECT(t, la + LENT_BYTES - 1 <= x + LENT_BYTES - 1 - cut);
		marked(r, b->va, la, LENT_PAGES);
		/* Where it did not fit it is no more. */
		if (cut)
			EXPECT(t, bus_read(&r->bus, x + LENT_BYTES - 1, &byte,
					   1));
		give_back(r, LENT_BYTES, la, b->va);
		EXPECT_EQ(t, dma_get_mask(r->bus.dev), mask);
	}
}

static void bad_limits(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	config_t bad[] = {
		limits(SZ_16M, SZ_16M + LENT_BYTES - 2),
		limits(SZ_16M, SZ_16M - 1),
		limits(0, 0),
		limits(-(u64)PAGE_SIZE, -1),
	};
	config_t beyond = limits(r->bus.last - PAGE_SIZE, -1);
	NTSTATUS status;
	u64 la;
	int i;

	REQUIRE(t, b);
	for (i = 0; i < ARRAY_SIZE(bad) + 1; i++) {
		status = lend(r, b->mdl, i ? &bad[i - 1] : &beyond, 1, &la);
		if (rig_coherent(r))
			EXPECT_EQ(t, status, STATUS_INVALID_PARAMETER);
		else
			EXPECT(t, !NT_SUCCESS(status));
	}
}

static void ec_182(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	config_t c;
	u64 la;
	int i;

	REQUIRE(t, b);
	for (i = CommonBufferHardwareAccessReadOnly;
	     i < CommonBufferHardwareAccessMax; i++) {
		NTSTATUS status = wanted(r, b, true);

		if (i != CommonBufferHardwareAccessReadWrite && !translated(r))
			status = STATUS_NOT_SUPPORTED;
		c = access(i);
		REQUIRE(t, EXPECT_EQ(t, lend(r, b->mdl, &c, 1, &la), status));
		if (!status) {
			EXPECT(t, bus_is_page(&r->bus, la, b->pages[0]));
			give_back(r, LENT_BYTES, la, b->va);
		}
	}
	c = access(CommonBufferHardwareAccessMax);
	refused(r, b->mdl, &c, 1);
	c = access(-1);
	refused(r, b->mdl, &c, 1);
}

static void ec_183(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	static const int types[] = { CommonBufferConfigTypeMax, 4, 32, -1 };
	config_t c[2] = { limits(0, -1) };
	int i;

	REQUIRE(t, b);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		c[1] = limits(0, -1);
		c[1].ConfigType = types[i];
		refused(r, b->mdl, &c[1], 1);
		refused(r, b->mdl, c, 2);
	}
}

/* A single page, so that it is contiguous, that does not lend itself. */
static void unmapped_page(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 }, skip = {};
	struct buffer *b = buffer_new(r, NEAR, 0, PAGE_SIZE);
	PMDL mdl;

	REQUIRE(t, b);
	mdl = MmAllocatePagesForMdlEx(low, high, skip, PAGE_SIZE, MmCached,
				      MM_ALLOCATE_FULLY_REQUIRED);
	REQUIRE(t, mdl);
	refused(r, mdl, NULL, 0);
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);
	/* Registers of a device are no memory. */
	b->mdl->MdlFlags |= MDL_IO_SPACE;
	refused(r, b->mdl, NULL, 0);
	b->mdl->MdlFlags &= ~MDL_IO_SPACE;
}

/* The reach is this adapter's, whatever others of the device reach. */
static void two_reaches(struct nttest *t)
{
	struct rig *far = rig_open(t, &rig_wide[0]), *near = NULL;
	struct buffer *b;

	REQUIRE(t, far);
	if (!translated(far) && rig_coherent(far) &&
	    rig_reaches(far->bus.dev, rig_last(rig_narrow[0].width)))
		near = rig_open(t, &rig_narrow[0]);
	b = near ? buffer_new(near, SCATTERED, 0, PAGE_SIZE) : NULL;
	if (b && b->far)
		refused(near, b->mdl, NULL, 0);
	else
		nttest_skip(t, "no memory is out of reach");
	if (near)
		rig_close(near);
	rig_close(far);
}

/* Pages without a system address do not lend themselves; with one they do. */
static void unmapped(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 }, skip = {};
	PMDL mdl = MmAllocatePagesForMdlEx(low, high, skip, 2 * PAGE_SIZE,
					   MmCached, MM_ALLOCATE_FULLY_REQUIRED);
	u64 la;
	u8 *va;

	REQUIRE(t, mdl);
	refused(r, mdl, NULL, 0);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	EXPECT(t, va);
	if (va && !lend(r, mdl, NULL, 0, &la)) {
		marked(r, va, la, 2);
		give_back(r, 2 * PAGE_SIZE, la, va);
	} else {
		EXPECT(t, !translated(r) || !rig_coherent(r));
	}
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);
}

/* The arguments of the free must be those of the buffer. */
static void ec_184(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	long live = ntdma_live_objects(), wrong = ntdma_refused();
	u64 la;

	REQUIRE(t, b);
	if (lend(r, b->mdl, NULL, 0, &la)) {
		EXPECT(t, wanted(r, b, true));
		return;
	}
	give_back(r, PAGE_SIZE, la, b->va);
	give_back(r, LENT_BYTES, la + PAGE_SIZE, b->va);
	give_back(r, LENT_BYTES, la, b->va + PAGE_SIZE);
	give_back(r, LENT_BYTES, la, NULL);
	EXPECT_EQ(t, ntdma_refused(), wrong + 4);
	EXPECT_EQ(t, ntdma_live_objects(), live + 1);
	marked(r, b->va, la, LENT_PAGES);
	give_back(r, LENT_BYTES, la, b->va);
	EXPECT_EQ(t, ntdma_live_objects(), live);
	give_back(r, LENT_BYTES, la, b->va);
	EXPECT_EQ(t, ntdma_refused(), wrong + 5);
}

/* A common buffer has its address already, and stays the client's. */
static void lent_common(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS logical;
	PMDL mdl;
	u64 la;
	u8 *va;

	va = r->ops->AllocateCommonBuffer(r->adapter, LENT_BYTES, &logical,
					  TRUE);
	REQUIRE(t, va);
	mdl = IoAllocateMdl(va, LENT_BYTES, FALSE, FALSE, NULL);
	if (EXPECT(t, mdl)) {
		MmBuildMdlForNonPagedPool(mdl);
		EXPECT_EQ(t, lend(r, mdl, NULL, 0, &la),
			  rig_coherent(r) ? STATUS_INVALID_PARAMETER :
					    STATUS_NOT_SUPPORTED);
		IoFreeMdl(mdl);
	}
	r->ops->FreeCommonBuffer(r->adapter, LENT_BYTES, logical, va, TRUE);
}

static void sweep(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, LENT_BYTES);
	long live = ntdma_live_objects();
	int n, hits = 0;
	NTSTATUS status;
	bool hit = true;
	u64 la;

	REQUIRE(t, b);
	if (wanted(r, b, true))
		return;
	for (n = 1; n < 50 && hit; n++) {
		ntdma_fail_nth(n);
		status = lend(r, b->mdl, NULL, 0, &la);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		/* A mapping that fails is tried again in another way. */
		if (NT_SUCCESS(status))
			give_back(r, LENT_BYTES, la, b->va);
		else
			EXPECT(t, hit && status == STATUS_INSUFFICIENT_RESOURCES);
		EXPECT_EQ(t, ntdma_live_objects(), live);
		hits += hit;
	}
	EXPECT(t, hits > 0 && !hit);
	ntdma_fail_nth(-2);
	status = lend(r, b->mdl, NULL, 0, &la);
	ntdma_fail_nth(0);
	EXPECT_EQ(t, status, STATUS_INSUFFICIENT_RESOURCES);
}

static const struct rig_kind isa_reach[] = {
	{ .name = "24 bits", .version = DEVICE_DESCRIPTION_VERSION3,
	  .width = 24, .length = RIG_LENGTH },
	{ }
};

/* What is left once the DMA API has no address is above its own. */
static void last_resort(struct nttest *t, struct rig *r)
{
	struct buffer *b[8];
	u64 la[8];
	int i, count = 0;

	if (!translated(r) || !rig_coherent(r)) {
		nttest_skip(t, "addresses are not chosen");
		return;
	}
	do {
		b[count] = buffer_new(r, SCATTERED, 0, SZ_2M);
		REQUIRE(t, b[count]);
		REQUIRE(t, EXPECT_EQ(t, lend(r, b[count]->mdl, NULL, 0,
					     &la[count]), STATUS_SUCCESS));
		marked(r, b[count]->va, la[count], LENT_PAGES);
	} while (la[count++] < SZ_8M + SZ_4M && count < ARRAY_SIZE(b));
	EXPECT(t, la[count - 1] >= SZ_8M + SZ_4M);
	EXPECT(t, la[count - 1] + SZ_2M <= SZ_16M);
	for (i = 0; i < count; i++)
		give_back(r, SZ_2M, la[i], b[i]->va);
}

static const struct nttest_case cases[] = {
	{ "S20 EC-180 scattered pages", .run_on = s20_scattered },
	{ "S20 a run of pages", .run_on = s20_run },
	{ "EC-175 two configurations of a type", .run_on = ec_175 },
	{ "EC-176 MDLs that are not whole pages", .run_on = ec_176 },
	{ "EC-177 a chain", .run_on = ec_177 },
	{ "EC-178 a subsection of each MDL of a chain", .run_on = ec_178 },
	{ "EC-179 bad input: subsections", .run_on = ec_179 },
	{ "EC-179 bad input: a subsection across MDLs of one run",
	  .run_on = neighbours },
	{ "S20 until no address is left", .run_on = last_resort,
	  .kinds = isa_reach },
	{ "EC-181 limits are inclusive", .run_on = ec_181 },
	{ "EC-181 a highest address only", .run_on = only_last },
	{ "EC-181 bad input: limits", .run_on = bad_limits },
	{ "EC-182 what the device may do", .run_on = ec_182 },
	{ "EC-183 unknown configurations", .run_on = ec_183 },
	{ "S20 an MDL without a system address", .run_on = unmapped },
	{ "S20 bad input: a page not mapped, or none of memory",
	  .run_on = unmapped_page },
	{ "EC-180 out of reach of this adapter, not of the device's others",
	  two_reaches },
	{ "EC-184 bad input: freed with other arguments", .run_on = ec_184 },
	{ "S20 bad input: a common buffer", .run_on = lent_common },
	{ "S20 every allocation and mapping fails once", .run_on = sweep },
	{ }
};

const struct nttest_suite nttest_lent = {
	.name = "lent",
	.cases = cases,
};
