// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites for the pure logic: the walk over a chain, the splitting into
 * pieces, the arithmetic of registers and boundaries, and the modes of the PC's
 * DMA controller.
 *
 * The MDLs here name frames that nothing backs: the walk only reads numbers.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>
#include "../compat.h"
#include "../isa.h"
#include "../walk.h"

/* An MDL over @pages frames, the first one @frame, each @step from the last. */
static PMDL new_mdl(struct kunit *test, u32 offset, u32 length, u64 frame, int step)
{
	u64 pages = ((u64)offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT, i;
	PMDL mdl = kunit_kzalloc(test, sizeof(*mdl) + pages * sizeof(PFN_NUMBER),
				 GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	mdl->ByteOffset = offset;
	mdl->ByteCount = length;
	mdl->MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
	for (i = 0; i < pages; i++)
		MmGetMdlPfnArray(mdl)[i] = frame + i * step;
	return mdl;
}

static void link_mdl(PMDL head, PMDL mdl)
{
	while (head->Next)
		head = head->Next;
	head->Next = mdl;
}

/* 100 bytes, none, 3 pages of scattered frames, none, 2 pages in a run. */
static PMDL new_chain(struct kunit *test)
{
	PMDL head = new_mdl(test, PAGE_SIZE - 50, 100, 1000, -3);

	link_mdl(head, new_mdl(test, 7, 0, 5000, 1));
	link_mdl(head, new_mdl(test, 16, 3 * PAGE_SIZE - 16, 2000, 2));
	link_mdl(head, new_mdl(test, 0, 0, 6000, 1));
	link_mdl(head, new_mdl(test, 0, 2 * PAGE_SIZE, 3000, 1));
	return head;
}

static phys_addr_t byte_at(PMDL mdl, u64 offset)
{
	u64 at;

	for (; offset >= mdl->ByteCount; mdl = mdl->Next)
		offset -= mdl->ByteCount;
	at = mdl->ByteOffset + offset;
	return PFN_PHYS(MmGetMdlPfnArray(mdl)[at >> PAGE_SHIFT]) + offset_in_page(at);
}

static u64 mdl_end(PMDL mdl, u64 offset)
{
	u64 end = 0;

	for (; mdl && end + mdl->ByteCount <= offset; mdl = mdl->Next)
		end += mdl->ByteCount;
	return mdl ? end + mdl->ByteCount : end;
}

static void span_test(struct kunit *test)
{
	static const struct {
		u32 offset;
		u64 length, pages;
	} cases[] = {
		{ 0, 0, 0 },
		{ 1, 0, 1 },
		{ 0, 1, 1 },
		{ 0, PAGE_SIZE, 1 },
		{ 1, PAGE_SIZE, 2 },
		{ PAGE_SIZE - 1, 1, 1 },
		{ PAGE_SIZE - 1, 2, 2 },
		{ PAGE_SIZE - 1, PAGE_SIZE + 1, 2 },
		{ PAGE_SIZE - 1, PAGE_SIZE + 2, 3 },
		{ PAGE_SIZE - 1, U32_MAX, (1ULL << (32 - PAGE_SHIFT)) + 1 },
		{ PAGE_SIZE + 1, PAGE_SIZE, 2 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, ntdma_span(cases[i].offset, cases[i].length),
				    cases[i].pages, "case %d", i);
}

static void length_test(struct kunit *test)
{
	PMDL chain = new_chain(test), big;

	KUNIT_EXPECT_EQ(test, ntdma_chain_length(NULL), 0);
	KUNIT_EXPECT_EQ(test, ntdma_chain_length(chain), 100 + 5 * PAGE_SIZE - 16);
	/* The sum does not fit 32 bits. */
	big = new_mdl(test, 0, 16, 1, 1);
	big->ByteCount = U32_MAX;
	link_mdl(big, new_mdl(test, 0, 16, 1, 1));
	KUNIT_EXPECT_EQ(test, ntdma_chain_length(big), U32_MAX + 16ULL);
}

static void ready_test(struct kunit *test)
{
	PMDL chain = new_chain(test);

	KUNIT_EXPECT_TRUE(test, ntdma_chain_ready(chain));
	chain->Next->MdlFlags = 0;	/* has no bytes */
	KUNIT_EXPECT_TRUE(test, ntdma_chain_ready(chain));
	chain->Next->Next->MdlFlags = MDL_PAGES_LOCKED;
	KUNIT_EXPECT_TRUE(test, ntdma_chain_ready(chain));
	chain->Next->Next->MdlFlags = 0;
	KUNIT_EXPECT_FALSE(test, ntdma_chain_ready(chain));
}

static void seek_test(struct kunit *test)
{
	PMDL chain = new_chain(test);
	const MDL *third = chain->Next->Next, *last = third->Next->Next;
	u64 total = ntdma_chain_length(chain);
	u32 done = 1;

	KUNIT_EXPECT_PTR_EQ(test, ntdma_chain_seek(chain, 0, &done), (const MDL *)chain);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_PTR_EQ(test, ntdma_chain_seek(chain, 99, &done), (const MDL *)chain);
	KUNIT_EXPECT_EQ(test, done, 99);
	KUNIT_EXPECT_PTR_EQ(test, ntdma_chain_seek(chain, 100, &done), third);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_PTR_EQ(test, ntdma_chain_seek(chain, total - 1, &done), last);
	KUNIT_EXPECT_EQ(test, done, last->ByteCount - 1);
	KUNIT_EXPECT_NULL(test, ntdma_chain_seek(chain, total, &done));
	KUNIT_EXPECT_NULL(test, ntdma_chain_seek(chain, U64_MAX, &done));
	KUNIT_EXPECT_NULL(test, ntdma_chain_seek(NULL, 0, &done));
}

static void chain_span_test(struct kunit *test)
{
	PMDL chain = new_chain(test);
	u32 total = ntdma_chain_length(chain);

	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, 0, total), 2 + 3 + 2);
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, 0, 50), 1);
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, 0, 51), 2);
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, 49, 2), 2);
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, 50, 50), 1);
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, 99, 2), 2);
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, 100, 1), 1);
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(chain, total - 1, 1), 1);
}

/* Walks [offset, offset + length) and checks every piece as it comes. */
static u32 check_walk(struct kunit *test, PMDL chain, u64 offset, u32 length, u32 most)
{
	struct ntdma_piece piece;
	struct ntdma_walk walk;
	u32 done = 0, n = 0, at;

	ntdma_walk_start(&walk, chain, offset, length);
	while (ntdma_walk_peek(&walk, most, &piece)) {
		KUNIT_ASSERT_GT(test, piece.length, 0);
		KUNIT_ASSERT_LE(test, piece.length, most);
		KUNIT_ASSERT_LE(test, piece.length, length - done);
		KUNIT_ASSERT_LE(test, offset + done + piece.length,
				mdl_end(chain, offset + done));
		for (at = 0; at < piece.length; at += min(PAGE_SIZE, 64UL))
			KUNIT_ASSERT_EQ(test, piece.phys + at,
					byte_at(chain, offset + done + at));
		KUNIT_ASSERT_EQ(test, piece.phys + piece.length - 1,
				byte_at(chain, offset + done + piece.length - 1));
		ntdma_walk_skip(&walk, piece.length);
		done += piece.length;
		n++;
	}
	KUNIT_EXPECT_EQ(test, done, length);
	KUNIT_EXPECT_FALSE(test, ntdma_walk_peek(&walk, most, &piece));
	return n;
}

static void walk_test(struct kunit *test)
{
	PMDL chain = new_chain(test);
	u32 total = ntdma_chain_length(chain), offset;

	/* Two frames apart, three scattered ones, one run of two. */
	KUNIT_EXPECT_EQ(test, check_walk(test, chain, 0, total, U32_MAX), 2 + 3 + 1);
	for (offset = 0; offset < total; offset += 97)
		check_walk(test, chain, offset, total - offset, U32_MAX);
	for (offset = 1; offset < total; offset += 101)
		check_walk(test, chain, 0, offset, PAGE_SIZE);
}

static void split_test(struct kunit *test)
{
	static const u32 most[] = { 1, 3, 64, 511, 512 };
	PMDL chain = new_chain(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(most); i++)
		check_walk(test, chain, 60, 2000, most[i]);
	chain = new_mdl(test, 0, 16 * PAGE_SIZE, 100, 1);
	KUNIT_EXPECT_EQ(test, check_walk(test, chain, 0, 16 * PAGE_SIZE, U32_MAX), 1);
	KUNIT_EXPECT_EQ(test, check_walk(test, chain, 0, 16 * PAGE_SIZE,
					 4 * PAGE_SIZE), 4);
	KUNIT_EXPECT_EQ(test, check_walk(test, chain, 1, 16 * PAGE_SIZE - 1,
					 4 * PAGE_SIZE), 4);
	/* Descending frames never form a run. */
	chain = new_mdl(test, 0, 16 * PAGE_SIZE, 100, -1);
	KUNIT_EXPECT_EQ(test, check_walk(test, chain, 0, 16 * PAGE_SIZE, U32_MAX), 16);
}

/* A skip may be shorter than the piece: the rest comes next. */
static void skip_test(struct kunit *test)
{
	PMDL chain = new_mdl(test, 10, 4 * PAGE_SIZE, 100, 1);
	struct ntdma_piece piece;
	struct ntdma_walk walk;

	ntdma_walk_start(&walk, chain, 5, 3 * PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, ntdma_walk_peek(&walk, U32_MAX, &piece));
	KUNIT_EXPECT_EQ(test, piece.phys, PFN_PHYS(100) + 15);
	KUNIT_EXPECT_EQ(test, piece.length, 3 * PAGE_SIZE);
	ntdma_walk_skip(&walk, 1);
	KUNIT_ASSERT_TRUE(test, ntdma_walk_peek(&walk, U32_MAX, &piece));
	KUNIT_EXPECT_EQ(test, piece.phys, PFN_PHYS(100) + 16);
	KUNIT_EXPECT_EQ(test, piece.length, 3 * PAGE_SIZE - 1);
}

/* What the chain does not have is not walked. */
static void short_chain_test(struct kunit *test)
{
	PMDL chain = new_mdl(test, 0, 100, 5, 1);
	struct ntdma_piece piece;
	struct ntdma_walk walk;

	ntdma_walk_start(&walk, chain, 90, 20);
	KUNIT_ASSERT_TRUE(test, ntdma_walk_peek(&walk, U32_MAX, &piece));
	KUNIT_EXPECT_EQ(test, piece.length, 10);
	ntdma_walk_skip(&walk, 10);
	KUNIT_EXPECT_FALSE(test, ntdma_walk_peek(&walk, U32_MAX, &piece));
	ntdma_walk_start(&walk, chain, 100, 1);
	KUNIT_EXPECT_FALSE(test, ntdma_walk_peek(&walk, U32_MAX, &piece));
	ntdma_walk_start(&walk, NULL, 0, 1);
	KUNIT_EXPECT_FALSE(test, ntdma_walk_peek(&walk, U32_MAX, &piece));
}

/* The longest MDL there is, in one run: 32-bit lengths must not wrap. */
static void largest_test(struct kunit *test)
{
	u32 length = U32_MAX - PAGE_SIZE + 1, offset = PAGE_SIZE - 1;
	u64 pages = ntdma_span(offset, length), i;
	struct ntdma_piece piece;
	struct ntdma_walk walk;
	PMDL mdl;

	mdl = vzalloc(sizeof(*mdl) + pages * sizeof(PFN_NUMBER));
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	mdl->ByteOffset = offset;
	mdl->ByteCount = length;
	for (i = 0; i < pages; i++)
		MmGetMdlPfnArray(mdl)[i] = 0x100000 + i;
	KUNIT_EXPECT_EQ(test, ntdma_chain_span(mdl, 0, length), pages);
	ntdma_walk_start(&walk, mdl, 0, length);
	KUNIT_EXPECT_TRUE(test, ntdma_walk_peek(&walk, U32_MAX, &piece));
	KUNIT_EXPECT_EQ(test, piece.phys, PFN_PHYS(0x100000) + offset);
	KUNIT_EXPECT_EQ(test, piece.length, length);
	vfree(mdl);
}

static void registers_test(struct kunit *test)
{
	static const struct {
		u32 length, most, registers;
	} cases[] = {
		{ 0, 1000, 2 },
		{ 1, 1000, 2 },
		{ PAGE_SIZE, 1000, 2 },
		{ PAGE_SIZE + 1, 1000, 3 },
		{ 16 * PAGE_SIZE, 1000, 17 },
		{ 16 * PAGE_SIZE - 1, 1000, 17 },
		{ 16 * PAGE_SIZE + 1, 1000, 18 },
		{ 999 * PAGE_SIZE, 1000, 1000 },
		{ 1000 * PAGE_SIZE, 1000, 1000 },
		{ U32_MAX, 1000, 1000 },
		{ U32_MAX, 2, 2 },
		{ U32_MAX, U32_MAX, U32_MAX >> PAGE_SHIFT },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    ntdma_registers(cases[i].length, cases[i].most),
				    cases[i].registers, "case %d", i);
}

static void boundary_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ntdma_boundary_room(0x1234, U64_MAX), U64_MAX);
	KUNIT_EXPECT_EQ(test, ntdma_boundary_room(0, 0xffff), 0x10000);
	KUNIT_EXPECT_EQ(test, ntdma_boundary_room(1, 0xffff), 0xffff);
	KUNIT_EXPECT_EQ(test, ntdma_boundary_room(0xffff, 0xffff), 1);
	KUNIT_EXPECT_EQ(test, ntdma_boundary_room(0x10000, 0xffff), 0x10000);
	KUNIT_EXPECT_EQ(test, ntdma_boundary_room(0xfffffffeULL, U32_MAX), 2);
	KUNIT_EXPECT_EQ(test, ntdma_boundary_room(0x100000000ULL, U32_MAX),
			0x100000000ULL);
}

#ifdef NTDMA_HAVE_ISA
/*
 * As the 8237's data sheet has it: bits 7 and 6 are 0 for demand mode and 1 for
 * single mode, bit 5 counts down, bit 4 starts over; bits 3 and 2 are 1 where
 * memory is written and 2 where it is read.
 */
static void mode_test(struct kunit *test)
{
	static const struct {
		bool demand, cyclic;
		enum dma_data_direction dir;
		u8 mode;
	} cases[] = {
		{ false, false, DMA_TO_DEVICE, 0x48 },
		{ false, false, DMA_FROM_DEVICE, 0x44 },
		{ false, true, DMA_TO_DEVICE, 0x58 },
		{ false, true, DMA_FROM_DEVICE, 0x54 },
		{ true, false, DMA_TO_DEVICE, 0x08 },
		{ true, false, DMA_FROM_DEVICE, 0x04 },
		{ true, true, DMA_TO_DEVICE, 0x18 },
		{ true, true, DMA_FROM_DEVICE, 0x14 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ntdma_port port = {
			.demand = cases[i].demand,
			.cyclic = cases[i].cyclic,
		};
		struct ntdma_job job = { .port = &port, .dir = cases[i].dir };

		KUNIT_EXPECT_EQ_MSG(test, ntdma_isa_mode(&job), cases[i].mode,
				    "case %d", i);
	}
}

static struct kunit_case isa_cases[] = {
	KUNIT_CASE(mode_test),
	{ }
};

static struct kunit_suite isa_suite = {
	.name = "ntdma-isa",
	.test_cases = isa_cases,
};

kunit_test_suite(isa_suite);
#endif

static struct kunit_case walk_cases[] = {
	KUNIT_CASE(span_test),
	KUNIT_CASE(length_test),
	KUNIT_CASE(ready_test),
	KUNIT_CASE(seek_test),
	KUNIT_CASE(chain_span_test),
	KUNIT_CASE(walk_test),
	KUNIT_CASE(largest_test),
	{ }
};

static struct kunit_case split_cases[] = {
	KUNIT_CASE(split_test),
	KUNIT_CASE(skip_test),
	KUNIT_CASE(short_chain_test),
	{ }
};

static struct kunit_case register_cases[] = {
	KUNIT_CASE(registers_test),
	KUNIT_CASE(boundary_test),
	{ }
};

static struct kunit_suite walk_suite = {
	.name = "ntdma-walk",
	.test_cases = walk_cases,
};

static struct kunit_suite split_suite = {
	.name = "ntdma-split",
	.test_cases = split_cases,
};

static struct kunit_suite register_suite = {
	.name = "ntdma-registers",
	.test_cases = register_cases,
};

kunit_test_suites(&walk_suite, &split_suite, &register_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suites of ntdma");
NTDMA_IMPORT_INTERNAL;
