// SPDX-License-Identifier: GPL-2.0
/*
 * MapTransfer, FlushAdapterBuffers and FreeMapRegisters on bus masters:
 * contract section E, scenarios S2, S3, S4 and S22, legacy names of S25.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "../../uapi/linux/ntdma.h"
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

static struct request *whole(struct rig *r, struct buffer *b, bool write)
{
	return piece_request(r, b->mdl, mdl_pages(b->mdl, 0, b->length), write);
}

/* One operation over the whole buffer, from allocation to release. */
static void operation(struct rig *r, struct buffer *b, bool write)
{
	struct request *q = whole(r, b, write);
	ULONG pieces;

	if (!EXPECT(r->t, q))
		return;
	pieces = piece_map_all(q, 0, b->length);
	EXPECT(r->t, pieces && pieces <= q->registers);
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
	request_free(q);
}

static void s2(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x321, 5 * PAGE_SIZE + 99);

	REQUIRE(t, b);
	KeFlushIoBuffers(b->mdl, FALSE, TRUE);
	operation(r, b, true);
	KeFlushIoBuffers(b->mdl, TRUE, TRUE);
	operation(r, b, false);
}

static void shapes(struct nttest *t, struct rig *r)
{
	enum buffer_shape shape;
	struct buffer *b;

	for (shape = SCATTERED; shape < SHAPES; shape++) {
		b = buffer_new(r, shape, 0xffd, 3 * PAGE_SIZE + 7);
		REQUIRE(t, b);
		operation(r, b, true);
		operation(r, b, false);
	}
}

static void s3(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 12 * PAGE_SIZE - 0x10);
	ULONG at, length;
	struct request *q;
	int dir;

	REQUIRE(t, b);
	for (dir = 0; dir < 2; dir++) {
		q = piece_request(r, b->mdl, 5, dir);
		REQUIRE(t, q);
		for (at = 0; at < b->length; at += length) {
			length = min(b->length - at,
				     5 * PAGE_SIZE - offset_in_page(0x10 + at));
			REQUIRE(t, piece_map_all(q, at, length));
			piece_flush(q, at, length);
		}
		EXPECT_EQ(t, atomic_read(&q->calls), 1);
		request_check_memory(q);
		request_release(q);
	}
}

static const struct rig_kind run_kinds[] = {
	{ .name = "64 bits, one run", .version = 3, .width = 64,
	  .single = true, .length = RIG_LENGTH },
	{ }
};

static void ec_78(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x234, 6 * PAGE_SIZE);
	struct request *q;
	u64 la;

	REQUIRE(t, b);
	q = whole(r, b, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, piece_map_only(q, 0, b->length, &la), b->length);
	piece_device(q, 0, la, b->length);
	piece_flush(q, 0, b->length);
	request_release(q);
}

/* Frames in a row that the device reaches are used where they are. */
static void in_place(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, 4 * PAGE_SIZE);
	struct request *q;
	int dir;
	u64 la;

	REQUIRE(t, b);
	if (rig_copies(r) || b->far) {
		nttest_skip(t, "every page is copied");
		return;
	}
	for (dir = 0; dir < 2; dir++) {
		q = whole(r, b, dir);
		REQUIRE(t, q);
		EXPECT_EQ(t, piece_map_only(q, 0, b->length, &la), b->length);
		EXPECT(t, bus_is_page(&r->bus, la, b->pages[0]));
		EXPECT(t, bus_is_page(&r->bus, la + b->length - 1, b->pages[3]));
		piece_device(q, 0, la, b->length);
		piece_flush(q, 0, b->length);
		request_check_memory(q);
		request_release(q);
	}
}

/* Scattered frames that the IOMMU can make one run of are used there, too. */
static void merged_in_place(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 5 * PAGE_SIZE);
	struct device *dev = r->bus.dev;
	struct request *q;
	int dir, i;
	u64 la;

	REQUIRE(t, b);
	if (ntdma_bounces_all() || dma_get_merge_boundary(dev) >= PAGE_SIZE ||
	    !dma_get_merge_boundary(dev) || dma_max_mapping_size(dev) != SIZE_MAX) {
		nttest_skip(t, "no IOMMU to make one run of them");
		return;
	}
	for (dir = 0; dir < 2; dir++) {
		q = whole(r, b, dir);
		REQUIRE(t, q);
		EXPECT_EQ(t, piece_map_only(q, 0, b->length, &la), b->length);
		for (i = 0; i < 5; i++)
			EXPECT(t, bus_is_page(&r->bus, la + i * PAGE_SIZE,
					      b->pages[i]));
		piece_device(q, 0, la, b->length);
		piece_flush(q, 0, b->length);
		request_check_memory(q);
		request_release(q);
	}
}

static void ec_79(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x234, 6 * PAGE_SIZE);
	struct request *q;
	ULONG length;

	REQUIRE(t, b);
	q = whole(r, b, true);
	REQUIRE(t, q);
	length = piece_map(q, 0, b->length);
	EXPECT(t, length >= 1 && length <= b->length);
	piece_flush(q, 0, length);
	request_release(q);
}

/* Where the data is copied the offset stays, too: devices want alignment. */
static void start_at(struct rig *r, enum buffer_shape shape, u64 at, ULONG length)
{
	struct buffer *b = buffer_new(r, shape, 0x234, 2 * PAGE_SIZE);
	struct request *q = b ? piece_request(r, b->mdl, 3, true) : NULL;
	u64 la;

	REQUIRE(r->t, q);
	length = piece_map_only(q, at, length, &la);
	EXPECT(r->t, length);
	EXPECT_EQ(r->t, offset_in_page(la), offset_in_page(0x234 + at));
	piece_device(q, at, la, length);
	piece_flush(q, at, length);
	request_release(q);
}

static void ec_80(struct nttest *t, struct rig *r)
{
	enum buffer_shape shape;

	for (shape = SCATTERED; shape < SHAPES; shape++) {
		start_at(r, shape, 0x111, 100);
		start_at(r, shape, 0x111, PAGE_SIZE);
	}
}

/* The same frames under an address that nobody may touch. */
static void ec_81(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x80, 3 * PAGE_SIZE);
	PVOID start;

	REQUIRE(t, b);
	start = b->mdl->StartVa;
	b->mdl->StartVa = (PVOID)(16 * PAGE_SIZE);
	operation(r, b, true);
	b->mdl->StartVa = (PVOID)~(PAGE_SIZE * 8 - 1);
	operation(r, b, false);
	b->mdl->StartVa = start;
}

static void s4(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0xfff, 8 * PAGE_SIZE);

	REQUIRE(t, b);
	operation(r, b, true);
	operation(r, b, false);
}

/* Pages per MapTransfer, 0 for no more. */
static const u8 splits[][4] = {
	{ 2, 2 }, { 1, 2, 1 }, { 3, 1 }, { 1, 3 }, { 1, 1, 1, 1 },
};

static bool map_split(struct request *q, const u8 *split)
{
	ULONG at = 0;
	int i;

	for (i = 0; i < 4 && split[i]; at += split[i++] * PAGE_SIZE)
		if (!piece_map_all(q, at, split[i] * PAGE_SIZE))
			return false;
	return true;
}

/* A flush for each MapTransfer, from the front or from the back. */
static void flush_split(struct request *q, const u8 *split, bool backwards)
{
	ULONG at[4] = { };
	int i, n;

	for (n = 1; n < 4 && split[n]; n++)
		at[n] = at[n - 1] + split[n - 1] * PAGE_SIZE;
	for (i = 0; i < n; i++) {
		int k = backwards ? n - 1 - i : i;

		piece_flush(q, at[k], split[k] * PAGE_SIZE);
	}
}

/* All the registers, in parts of several pages; each part is there to flush. */
static void parts(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	long absent[] = { ntdma_misused(0x16), ntdma_misused(0x20) };
	struct request *q;
	int i, way;

	REQUIRE(t, b);
	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		q = whole(r, b, i & 1);
		REQUIRE(t, q);
		for (way = 0; way < 3; way++) {
			request_prepare(q);
			REQUIRE(t, map_split(q, splits[i]));
			if (way < 2)
				flush_split(q, splits[i], way);
			else
				piece_flush(q, 0, b->length);
			request_check_memory(q);
		}
		EXPECT_EQ(t, ntdma_misused(0x16), absent[0]);
		/* Nothing is mapped any more. */
		piece_flush(q, 0, b->length);
		EXPECT_EQ(t, ntdma_misused(0x20), ++absent[1]);
		request_release(q);
		request_free(q);
	}
}

/* The first part is given up and mapped again while the last is in use. */
static void part_again(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	struct request *q;
	ULONG length;
	u64 la;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 4, false);
	REQUIRE(t, q);
	REQUIRE(t, piece_map_all(q, 0, 2 * PAGE_SIZE));
	length = piece_map_only(q, 2 * PAGE_SIZE, 2 * PAGE_SIZE, &la);
	REQUIRE(t, length);
	piece_flush(q, 0, 2 * PAGE_SIZE);
	REQUIRE(t, piece_map_all(q, 0, 2 * PAGE_SIZE));
	piece_device(q, 2 * PAGE_SIZE, la, length);
	if (length < 2 * PAGE_SIZE)
		REQUIRE(t, piece_map_all(q, 2 * PAGE_SIZE + length,
					 2 * PAGE_SIZE - length));
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
}

/* Pages free, but no two in a row: fewer, but never nothing. */
static void part_between(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	struct buffer *other = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	struct request *q, *beside;
	ULONG at, length, taken;
	u64 la, next;

	REQUIRE(t, b && other);
	q = whole(r, b, true);
	beside = whole(r, other, true);
	REQUIRE(t, q && beside);
	taken = piece_map_only(beside, 0, other->length, &next);
	REQUIRE(t, taken);
	for (at = 0; at < b->length; at += PAGE_SIZE)
		REQUIRE(t, piece_map(q, at, PAGE_SIZE) == PAGE_SIZE);
	piece_flush(q, 0, PAGE_SIZE);
	piece_flush(q, 2 * PAGE_SIZE, PAGE_SIZE);
	for (at = 0; at < 2 * PAGE_SIZE; at += length) {
		length = 2 * PAGE_SIZE - at;
		la = r->ops->MapTransfer(r->adapter, b->mdl, q->base,
					 MmGetMdlVirtualAddress(b->mdl) + at,
					 &length, TRUE).QuadPart;
		REQUIRE(t, length && length <= 2 * PAGE_SIZE - at);
		piece_device(q, at, la, length);
	}
	piece_device(beside, 0, next, taken);
	piece_flush(q, 0, b->length);
	piece_flush(beside, 0, other->length);
	request_release(q);
	request_release(beside);
}

/* Pieces of the caller's own choice, one flush for them all. */
static void ec_82(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	long left = ntdma_misused(0x10);
	struct request *q;
	ULONG at;
	int i;

	REQUIRE(t, b);
	q = whole(r, b, false);
	REQUIRE(t, q);
	/* The second time takes every register that the first one used. */
	for (i = 0; i < 2; i++) {
		request_prepare(q);
		for (at = 0; at < b->length; at += PAGE_SIZE)
			REQUIRE(t, piece_map_all(q, at, PAGE_SIZE));
		piece_flush(q, 0, b->length);
		request_check_memory(q);
	}
	request_release(q);
	/* Nothing was mapped any more. */
	EXPECT_EQ(t, ntdma_misused(0x10), left);
}

static void ec_83(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x40, 4 * PAGE_SIZE);
	struct request *q;
	int i;

	REQUIRE(t, b);
	q = whole(r, b, false);
	REQUIRE(t, q);
	for (i = 0; i < 4; i++) {
		request_prepare(q);
		REQUIRE(t, piece_map_all(q, 0, b->length));
		piece_flush(q, 0, b->length);
		request_check_memory(q);
	}
	request_release(q);
}

/* Nor is it looked at, be it built or not. */
static void next_not_built(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 2 * PAGE_SIZE);
	long before = ntdma_misused(NTDMA_RULE_OUTSIDE_MDL);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b, true);
	REQUIRE(t, q);
	b->mdl->Next = IoAllocateMdl(b->mdl, PAGE_SIZE, FALSE, FALSE, NULL);
	if (EXPECT(t, b->mdl->Next)) {
		EXPECT(t, piece_map_all(q, 0, b->length));
		piece_flush(q, 0, b->length);
		EXPECT_EQ(t, ntdma_misused(NTDMA_RULE_OUTSIDE_MDL), before);
		IoFreeMdl(b->mdl->Next);
		b->mdl->Next = NULL;
	}
	request_release(q);
}

static void ec_84(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { 0x100, 0x200 };
	PMDL mdl = buffer_chain(r, offset, length, 2);
	struct request *q;
	ULONG mapped;
	u64 la;

	REQUIRE(t, mdl);
	q = piece_request(r, mdl, 2, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, piece_map(q, 0, 0x100), 0x100);
	piece_flush(q, 0, 0x100);
	/* One byte more than this MDL has: what comes may not be the other's. */
	mapped = 0x101;
	la = r->ops->MapTransfer(r->adapter, mdl, q->base, MmGetMdlVirtualAddress(mdl),
				 &mapped, TRUE).QuadPart;
	EXPECT(t, mapped <= 0x100);
	if (mapped) {
		piece_device(q, 0, la, mapped);
		piece_flush(q, 0, mapped);
	}
	request_release(q);
}

static void ec_86(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;
	ULONG length;
	u64 la;

	REQUIRE(t, b);
	if (!b->far) {
		nttest_skip(t, "no memory above the reach");
		return;
	}
	q = piece_request(r, b->mdl, 1, true);
	REQUIRE(t, q);
	length = piece_map_only(q, 0, PAGE_SIZE, &la);
	EXPECT(t, length && la + length - 1 <= r->bus.last);
	piece_device(q, 0, la, length);
	piece_flush(q, 0, length);
	request_release(q);
}

static void ec_87(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x123, 2 * PAGE_SIZE - 0x246);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b, false);
	REQUIRE(t, q && piece_map_all(q, 0, b->length));
	piece_flush(q, 0, b->length);
	request_check_memory(q);	/* the guards are checked with the buffer */
	request_release(q);
}

/* Reaches little of the memory, so that pages are copied. */
static const struct rig_kind copied_kinds[] = {
	{ .name = "28 bits", .version = 3, .width = 28, .length = RIG_LENGTH },
	{ .name = "28 bits, one run", .version = 3, .width = 28,
	  .single = true, .length = RIG_LENGTH },
	{ .name = "version 1, 24 bits, one run", .version = 1, .width = 24,
	  .single = true, .length = RIG_LENGTH },
	{ }
};

/*
 * The device writes to what it was given to read: on each page of a run, which
 * without scatter/gather is several.
 */
static void ec_88(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 3 * PAGE_SIZE);
	struct request *q;
	ULONG at, length;
	u8 noise[16];
	u64 la;

	REQUIRE(t, b);
	if (b->far < 3) {
		nttest_skip(t, "no memory above the reach");
		return;
	}
	q = whole(r, b, true);
	REQUIRE(t, q);
	length = piece_map_only(q, 0, b->length, &la);
	REQUIRE(t, length);
	if (bus_is_page(&r->bus, la, b->pages[0])) {
		nttest_skip(t, "not bounced");
	} else {
		memset(noise, 0xee, sizeof(noise));
		for (at = 8; at < length; at += PAGE_SIZE)
			EXPECT_EQ(t, 0, bus_write(&r->bus, la + at, noise,
						  sizeof(noise)));
	}
	piece_flush(q, 0, PAGE_SIZE);
	request_check_memory(q);
	piece_flush(q, 0, length);
	request_check_memory(q);
	request_release(q);
}

static void ec_90(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x20, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b, false);
	REQUIRE(t, q);
	piece_flush(q, 0, b->length);
	piece_flush(q, 0, 0);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, NULL,
					      MmGetMdlVirtualAddress(b->mdl),
					      b->length, FALSE));
	REQUIRE(t, piece_map_all(q, 0, b->length));
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
}

/* Flushed in parts, and once with no bytes at all. */
static void partial_flush(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x20, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b, false);
	REQUIRE(t, q && piece_map_all(q, 0, b->length));
	piece_flush(q, 0, 0);
	piece_flush(q, 0, PAGE_SIZE / 2);
	piece_flush(q, PAGE_SIZE / 2, b->length - PAGE_SIZE / 2);
	request_check_memory(q);
	request_release(q);
}

static void flush_wrong_direction(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x20, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b, false);
	REQUIRE(t, q && piece_map_all(q, 0, b->length));
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, q->base,
					      MmGetMdlVirtualAddress(b->mdl),
					      b->length, TRUE));
	request_check_memory(q);
	request_release(q);
}

/* More often than any pool has pages: were one lost each time, none is left. */
#define LOSSES	80

static void free_without_flush(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x40, 3 * PAGE_SIZE);
	struct request *q;
	ULONG length;
	int i;
	u64 la;
	u8 byte;

	REQUIRE(t, b);
	for (i = 0; i < LOSSES && !t->failed; i++) {
		q = whole(r, b, i & 1);
		REQUIRE(t, q);
		length = piece_map_only(q, 0, b->length, &la);
		REQUIRE(t, length);
		if (length < b->length)
			REQUIRE(t, piece_map_all(q, length, b->length - length));
		request_release(q);
		request_free(q);
		/* Behind an IOMMU the device finds nothing there any more. */
		EXPECT(t, !dma_get_merge_boundary(r->bus.dev) ||
		       ntdma_bounces_all() || bus_read(&r->bus, la, &byte, 1));
	}
	operation(r, b, false);
}

static void keep_object(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x20, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q);
	q->registers = 4;
	q->action = KeepObject;
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	REQUIRE(t, request_ran(q) && piece_map_all(q, 0, b->length));
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
}

static void ec_93(struct nttest *t, struct rig *r)
{
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), 0);
}

#define SETS	3

/* Several operations mapped at once, ended in another order. */
static void s22(struct nttest *t, struct rig *r)
{
	struct request *q[SETS];
	struct buffer *b;
	int i;

	for (i = 0; i < SETS; i++) {
		b = buffer_new(r, i == 1 ? NEAR : SCATTERED, 0x100 * i, 3 * PAGE_SIZE);
		q[i] = b ? whole(r, b, i & 1) : NULL;
		REQUIRE(t, q[i]);
		EXPECT(t, !i || q[i]->base != q[0]->base || !q[0]->base);
	}
	for (i = 0; i < SETS; i++)
		REQUIRE(t, piece_map_all(q[i], 0, q[i]->length));
	for (i = SETS - 1; i >= 0; i--) {
		piece_flush(q[i], 0, q[i]->length);
		request_check_memory(q[i]);
		request_release(q[i]);
	}
}

/* A mapping that cannot be: no bytes, no address, and nothing to release. */
static void expect_none(struct request *q, PMDL mdl, PVOID base, PVOID va, ULONG want)
{
	struct rig *r = q->r;
	PHYSICAL_ADDRESS la;
	ULONG length = want;

	la = r->ops->MapTransfer(r->adapter, mdl, base, va, &length, TRUE);
	EXPECT_EQ(r->t, length, 0);
	EXPECT_EQ(r->t, la.QuadPart, 0);
}

static void bad_arguments(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, PAGE_SIZE + 8, PAGE_SIZE);
	struct request *q;
	u8 garbage[64];
	SHORT flags;
	PVOID va;

	REQUIRE(t, b);
	q = whole(r, b, true);
	REQUIRE(t, q);
	va = MmGetMdlVirtualAddress(b->mdl);
	memset(garbage, 0, sizeof(garbage));
	expect_none(q, NULL, q->base, va, 1);
	expect_none(q, b->mdl, garbage, va, 1);
	expect_none(q, b->mdl, q->base, va - 1, 1);
	expect_none(q, b->mdl, q->base, va + PAGE_SIZE, 1);
	expect_none(q, b->mdl, q->base, NULL, 1);
	expect_none(q, b->mdl, q->base, va, 0);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, garbage, va, 1,
					      TRUE) <= 1);
	/* An MDL that nobody has locked or built describes no frames. */
	flags = b->mdl->MdlFlags;
	b->mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
			      MDL_PARTIAL);
	expect_none(q, b->mdl, q->base, va, 1);
	b->mdl->MdlFlags = flags;
	/* Nothing of that harmed the base. */
	EXPECT(t, piece_map_all(q, 0, b->length));
	piece_flush(q, 0, b->length);
	request_release(q);
}

static void foreign_base(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 8, PAGE_SIZE);
	struct rig *other = rig_open(t, r->kind);
	PHYSICAL_ADDRESS la;
	struct request *q;
	ULONG length = 1;

	REQUIRE(t, b && other);
	q = whole(r, b, true);
	if (q && q->base) {
		la = other->ops->MapTransfer(other->adapter, b->mdl, q->base,
					     MmGetMdlVirtualAddress(b->mdl), &length,
					     TRUE);
		EXPECT_EQ(t, length, 0);
		EXPECT_EQ(t, la.QuadPart, 0);
	}
	if (q)
		request_release(q);
	rig_close(other);
}

/* More pages than registers: never more than the registers cover. */
static void map_beyond(struct rig *r, enum buffer_shape shape)
{
	struct buffer *b = buffer_new(r, shape, 0, 8 * PAGE_SIZE);
	struct request *q = b ? piece_request(r, b->mdl, 3, true) : NULL;
	ULONG length = 1, sum = 0;
	u64 la;

	while (q && length && sum < b->length) {
		length = b->length - sum;
		la = r->ops->MapTransfer(r->adapter, b->mdl, q->base,
					 MmGetMdlVirtualAddress(b->mdl) + sum, &length,
					 TRUE).QuadPart;
		if (length)
			piece_device(q, sum, la, length);
		sum += length;
	}
	EXPECT(r->t, sum <= 3 * PAGE_SIZE);
	if (!q)
		return;
	piece_flush(q, 0, b->length);
	request_release(q);
}

/* As many pieces as registers, far less than their bytes; then no more. */
static void too_many(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0x40, PAGE_SIZE);
	PHYSICAL_ADDRESS la;
	struct request *q;
	ULONG length;
	int i;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 3, true);
	REQUIRE(t, q);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(t, piece_map(q, 0x10 * i, 0x10), 0x10);
	length = 0x10;
	la = r->ops->MapTransfer(r->adapter, b->mdl, q->base,
				 MmGetMdlVirtualAddress(b->mdl) + 0x30, &length,
				 TRUE);
	EXPECT_EQ(t, length, 0);
	EXPECT_EQ(t, la.QuadPart, 0);
	piece_flush(q, 0, b->length);
	request_release(q);
}

static void too_long(struct nttest *t, struct rig *r)
{
	map_beyond(r, RUN);
	map_beyond(r, PAIRS);
	map_beyond(r, SCATTERED);
}

/* The @n-th mapping fails, which nobody notices; whether there was one. */
static bool sweep_once(struct rig *r, struct buffer *b, bool write, int n)
{
	struct request *q = whole(r, b, write);
	long live = ntdma_live_objects();
	bool hit;

	if (!EXPECT(r->t, q))
		return false;
	ntdma_fail_nth(n);
	EXPECT(r->t, piece_map_all(q, 0, b->length));
	hit = ntdma_fail_hit();
	ntdma_fail_nth(0);
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
	request_release(q);
	request_free(q);
	operation(r, b, true);
	return hit;
}

/* Each mapping of a transfer fails once; how many there were. */
static int sweep_buffer(struct rig *r, struct buffer *b, bool write)
{
	int n = 1;

	while (n < 100 && !r->t->failed && sweep_once(r, b, write, n))
		n++;
	EXPECT(r->t, n < 100);
	return n - 1;
}

static void sweep(struct nttest *t, struct rig *r)
{
	struct buffer *mixed = buffer_new(r, MIXED, 0x77, 4 * PAGE_SIZE);
	struct buffer *page = buffer_new(r, NEAR, 0, PAGE_SIZE);
	int write;

	REQUIRE(t, mixed && page);
	for (write = 0; write < 2; write++) {
		sweep_buffer(r, mixed, write);
		EXPECT(t, sweep_buffer(r, page, write) || rig_copies(r));
	}
}

static bool allocate_old(struct request *q)
{
	struct rig *r = q->r;

	q->queued = true;
	return EXPECT_EQ(r->t, STATUS_SUCCESS,
			 IoAllocateAdapterChannel(r->adapter, r->object, q->registers,
						  request_channel_routine, q));
}

static void s25(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObjectKeepRegisters);
	struct buffer *b = buffer_new(r, SCATTERED, 0x30, PAGE_SIZE - 0x30);
	PHYSICAL_ADDRESS la;
	u8 seen[16];
	ULONG length;
	PVOID va;

	REQUIRE(t, b && q && allocate_old(q) && request_ran(q));
	va = MmGetMdlVirtualAddress(b->mdl);
	length = b->length;
	pattern_fill(b->va + b->offset, b->length, 25);
	la = IoMapTransfer(r->adapter, b->mdl, q->base, va, &length, TRUE);
	EXPECT_EQ(t, length, b->length);
	EXPECT_EQ(t, bus_read(&r->bus, la.QuadPart, seen, sizeof(seen)), 0);
	pattern_same(t, "the device", seen, b->va + b->offset, sizeof(seen));
	EXPECT(t, IoFlushAdapterBuffers(r->adapter, b->mdl, q->base, va, length, TRUE));
	if (q->base)
		IoFreeMapRegisters(r->adapter, q->base, 1);
	q->held = DeallocateObject;
	EXPECT(t, HalGetDmaAlignment(r->adapter) >= 1);
	EXPECT_EQ(t, HalReadDmaCounter(r->adapter), 0);
}

static void s25_channel(struct nttest *t, struct rig *r)
{
	struct request *held = request_channel(r, 1, KeepObject);
	struct request *q = request_channel(r, 1, DeallocateObject);

	REQUIRE(t, held && q && allocate_old(held) && request_ran(held));
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	IoFreeAdapterChannel(r->adapter);
	held->held = DeallocateObject;
	request_ran(q);
}

static const struct nttest_case cases[] = {
	{ "S2 packet transfers both ways", .run_on = s2, .kinds = rig_single },
	{ "S2 version 1 adapters", .run_on = s2, .kinds = rig_v1 },
	{ "S2 every shape of memory", .run_on = shapes },
	{ "S2 every shape of memory, 30 and 36 bits", .run_on = shapes,
	  .kinds = rig_odd },
	{ "S3 a transfer in parts on few registers", .run_on = s3 },
	{ "S4 scatter/gather by repeated MapTransfer", .run_on = s4,
	  .kinds = rig_lists },
	{ "EC-78 one run without scatter/gather", .run_on = ec_78,
	  .kinds = rig_single },
	{ "EC-78 a run of pages is not copied", .run_on = in_place,
	  .kinds = run_kinds },
	{ "EC-78 pages that an IOMMU makes one run of are not copied",
	  .run_on = merged_in_place, .kinds = rig_single },
	{ "EC-79 the first run with scatter/gather", .run_on = ec_79,
	  .kinds = rig_lists },
	{ "EC-80 a start in the middle of a page", .run_on = ec_80 },
	{ "EC-81 CurrentVa is never dereferenced", .run_on = ec_81 },
	{ "EC-82 several maps and one flush", .run_on = ec_82 },
	{ "EC-82 several maps and one flush, version 1", .run_on = ec_82,
	  .kinds = rig_v1 },
	{ "EC-82 several maps of several pages", .run_on = parts },
	{ "EC-82 several maps of several pages, version 1", .run_on = parts,
	  .kinds = rig_v1 },
	{ "EC-83 a part is flushed and mapped again", .run_on = part_again },
	{ "EC-83 no room in a row for what is mapped again",
	  .run_on = part_between },
	{ "EC-83 the base serves again after a flush", .run_on = ec_83 },
	{ "EC-84 only this MDL of a chain", .run_on = ec_84 },
	{ "EC-84 the next MDL is not built yet", .run_on = next_not_built },
	{ "EC-86 a page above the reach", .run_on = ec_86, .kinds = rig_narrow },
	{ "EC-87 bytes beside the buffer stay", .run_on = ec_87 },
	{ "EC-88 what the device did to a bounce page is dropped", .run_on = ec_88,
	  .kinds = copied_kinds },
	{ "EC-90 flush of what is not mapped", .run_on = ec_90 },
	{ "EC-89 flush in parts and of no bytes", .run_on = partial_flush },
	{ "EC-89 flush with the wrong direction", .run_on = flush_wrong_direction },
	{ "EC-90 registers freed without a flush", .run_on = free_without_flush },
	{ "EC-46 KeepObject around a transfer", .run_on = keep_object },
	{ "EC-93 the counter of a bus master is 0", .run_on = ec_93 },
	{ "S22 three transfers mapped at once", .run_on = s22 },
	{ "EC-81 bad input: MDL, base, address, length", .run_on = bad_arguments },
	{ "EC-81 bad input: base of another adapter", .run_on = foreign_base },
	{ "EC-79 bad input: more pages than registers", .run_on = too_long },
	{ "EC-79 bad input: more pieces than registers", .run_on = too_many },
	{ "S4 every mapping fails once", .run_on = sweep, .failing = true },
	{ "S2 every mapping fails once, version 1", .run_on = sweep,
	  .kinds = rig_v1, .failing = true },
	{ "S25 the old names", .run_on = s25 },
	{ "S25 the old names of the channel", .run_on = s25_channel },
	{ }
};

const struct nttest_suite nttest_map = {
	.name = "map",
	.cases = cases,
};
