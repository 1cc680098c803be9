// SPDX-License-Identifier: GPL-2.0
/*
 * MapTransferEx, FlushAdapterBuffersEx and the routines that bus masters must
 * refuse: contract section F, scenarios S9 and S10.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

static ULONG list_bytes(ULONG elements)
{
	return sizeof(SCATTER_GATHER_LIST) +
	       elements * sizeof(SCATTER_GATHER_ELEMENT);
}

/* Version 3 adapters that take one run at a time. */
static const struct rig_kind single_kinds[] = {
	{ .name = "64 bits, one run", .version = 3, .width = 64, .single = true,
	  .length = RIG_LENGTH },
	{ .name = "28 bits, one run", .version = 3, .width = 28, .single = true,
	  .length = RIG_LENGTH },
	{ }
};

static struct request *whole(struct rig *r, PMDL mdl, bool write)
{
	return piece_request(r, mdl, mdl_pages(mdl, 0, mdl_bytes(mdl)), write);
}

/* The same under registers of AllocateAdapterChannelEx. */
static struct request *whole_ex(struct rig *r, PMDL mdl, bool write)
{
	return piece_request_ex(r, mdl, mdl_pages(mdl, 0, mdl_bytes(mdl)), 0, write);
}

/* Maps, moves and flushes @length bytes piece by piece; how many pieces. */
static int pieces(struct request *q, u64 at, ULONG length, ULONG elements)
{
	ULONG done;
	int n = 0;

	for (; length; length -= done, at += done, n++) {
		done = piece_map_ex(q, at, length, elements);
		if (!done)
			return 0;
		piece_flush_ex(q, at, done);
	}
	return n;
}

static void operation(struct rig *r, PMDL mdl, bool write, ULONG elements)
{
	struct request *q = whole(r, mdl, write);

	if (!EXPECT(r->t, q))
		return;
	EXPECT(r->t, pieces(q, 0, q->length, elements));
	request_check_memory(q);
	request_release(q);
	request_free(q);
}

/* The whole pattern of version 3, as the guide has it. */
static void s9_one(struct rig *r, struct buffer *b, bool write)
{
	DMA_TRANSFER_INFO info = { .Version = DMA_TRANSFER_INFO_VERSION1 };
	struct request *q;

	EXPECT_EQ(r->t, STATUS_SUCCESS,
		  r->ops->GetDmaTransferInfo(r->adapter, b->mdl, 0, b->length, write,
					     &info));
	q = piece_request_ex(r, b->mdl, info.V1.MapRegisterCount, 0, write);
	REQUIRE(r->t, q);
	EXPECT_EQ(r->t, piece_map_ex(q, 0, b->length, info.V1.ScatterGatherElementCount),
		  b->length);
	piece_flush_ex(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
	request_free(q);
}

static void s9(struct nttest *t, struct rig *r)
{
	enum buffer_shape shape;
	struct buffer *b;

	for (shape = SCATTERED; shape < SHAPES; shape++) {
		b = buffer_new(r, shape, 0x321, 5 * PAGE_SIZE + 99);
		REQUIRE(t, b);
		s9_one(r, b, true);
		s9_one(r, b, false);
	}
}

/* DMA_ZERO_BUFFERS, DMA_FAIL_ON_BOUNCE and bits without a name change nothing. */
static void other_flags(struct nttest *t, struct rig *r)
{
	static const ULONG flags[] = {
		DMA_ZERO_BUFFERS, DMA_FAIL_ON_BOUNCE, ~(ULONG)7, ~(ULONG)1, ~(ULONG)0,
	};
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 4 * PAGE_SIZE);
	struct request *q;
	int i;

	REQUIRE(t, b);
	for (i = 0; i < ARRAY_SIZE(flags) && !t->failed; i++) {
		q = piece_request_ex(r, b->mdl, 5, flags[i], i & 1);
		REQUIRE(t, q);
		EXPECT_EQ(t, piece_map_ex(q, 0, q->length, 8), q->length);
		piece_flush_ex(q, 0, q->length);
		request_check_memory(q);
		request_release(q);
	}
}

/* Inside the routine, as most drivers do it. */
static void map_inside(struct request *q)
{
	EXPECT_EQ(q->r->t, piece_map_ex(q, 0, q->length, 8), q->length);
}

static void s9_inside(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 4 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = piece_new(r, b->mdl, 5, true);
	REQUIRE(t, q);
	q->hook = map_inside;
	/* The list is made before the level is raised. */
	REQUIRE(t, request_make_room(q, list_bytes(8)));
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	REQUIRE(t, request_ran(q));
	piece_flush_ex(q, 0, q->length);
	request_release(q);
}

static void s10(struct nttest *t, struct rig *r)
{
	static const IO_ALLOCATION_ACTION ends[] = {
		DeallocateObject, DeallocateObjectKeepRegisters, KeepObject,
	};
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 4 * PAGE_SIZE);
	struct request *q;
	int i;

	REQUIRE(t, b);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		q = request_new(r, b->mdl, 0, b->length, i & 1);
		REQUIRE(t, q);
		q->registers = 5;
		EXPECT_EQ(t, request_allocate_sync(q), STATUS_SUCCESS);
		EXPECT(t, pieces(q, 0, q->length, 8));
		request_check_memory(q);
		r->ops->FreeAdapterObject(r->adapter, ends[i]);
		q->held = ends[i];
		request_release(q);
	}
}

static void ec_94(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 4 * PAGE_SIZE);
	struct request *q;
	ULONG length;

	REQUIRE(t, b);
	if (IS_ENABLED(CONFIG_64BIT))
		EXPECT_EQ(t, list_bytes(1), 40);
	q = whole(r, b->mdl, true);
	REQUIRE(t, q);
	length = piece_map_ex(q, 0, b->length, 1);
	EXPECT(t, length);
	piece_flush_ex(q, 0, length);
	request_release(q);
	operation(r, b->mdl, true, 1);
	operation(r, b->mdl, false, 1);
}

static void refuse_size(struct request *q, ULONG size)
{
	ULONG length = q->length;
	NTSTATUS status = piece_map_only_ex(q, 0, &length, size);

	EXPECT(q->r->t, status == STATUS_INVALID_PARAMETER ||
	       status == STATUS_BUFFER_TOO_SMALL);
}

static void ec_95(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 4 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b->mdl, true);
	REQUIRE(t, q);
	refuse_size(q, list_bytes(1) - 1);
	refuse_size(q, list_bytes(0));
	refuse_size(q, 1);
	EXPECT(t, pieces(q, 0, q->length, 8));
	request_release(q);
}

static void ec_96(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 5 * PAGE_SIZE);
	PSCATTER_GATHER_LIST list;
	struct request *q;
	ULONG length;

	REQUIRE(t, b);
	q = whole(r, b->mdl, true);
	REQUIRE(t, q);
	length = piece_map_ex(q, 0, b->length, 2);
	REQUIRE(t, length);
	list = q->room;
	/* Where nothing can merge them five pages are five elements. */
	if (!dma_get_merge_boundary(r->bus.dev)) {
		EXPECT_EQ(t, list->NumberOfElements, 2);
		EXPECT_EQ(t, length, 2 * PAGE_SIZE);
	}
	piece_flush_ex(q, 0, length);
	request_release(q);
}

static void ec_97(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0xffe, 0x10, 0 };
	const size_t length[] = { 5, 3 * PAGE_SIZE, PAGE_SIZE + 1 };
	PMDL mdl = buffer_chain(r, offset, length, 3);

	REQUIRE(t, mdl);
	operation(r, mdl, true, 2);
	operation(r, mdl, false, 2);
	operation(r, mdl, false, 3);
}

static void few_registers(struct rig *r, enum buffer_shape shape)
{
	struct buffer *b = buffer_new(r, shape, 0x100, 6 * PAGE_SIZE);
	struct request *q;
	ULONG length, n;

	for (n = 1; b && n < 5; n++) {
		q = piece_request(r, b->mdl, n, false);
		if (!q)
			return;
		length = piece_map_ex(q, 0, b->length, 16);
		EXPECT(r->t, length <= n * PAGE_SIZE - 0x100);
		piece_flush_ex(q, 0, length);
		EXPECT(r->t, pieces(q, length, b->length - length, 16));
		request_check_memory(q);
		request_release(q);
	}
}

static void ec_98(struct nttest *t, struct rig *r)
{
	few_registers(r, SCATTERED);
	few_registers(r, PAIRS);
	few_registers(r, RUN);
}

static void ec_99(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { 0x100, 2 * PAGE_SIZE };
	PMDL mdl = buffer_chain(r, offset, length, 2);
	struct request *q;

	REQUIRE(t, mdl);
	q = whole(r, mdl, true);
	REQUIRE(t, q);
	EXPECT(t, pieces(q, 0x100, 2 * PAGE_SIZE, 8));
	EXPECT(t, pieces(q, 0x180, 300, 8));
	request_release(q);
}

static void expect_invalid(struct request *q, u64 at, ULONG want)
{
	ULONG length = want;

	EXPECT_EQ(q->r->t, piece_map_only_ex(q, at, &length, list_bytes(8)),
		  STATUS_INVALID_PARAMETER);
}

static void bad_ranges(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { 0x100, 2 * PAGE_SIZE };
	PMDL mdl = buffer_chain(r, offset, length, 2);
	struct request *q;

	REQUIRE(t, mdl);
	q = whole(r, mdl, true);
	REQUIRE(t, q);
	expect_invalid(q, q->length, 1);
	expect_invalid(q, q->length + 1, 1);
	expect_invalid(q, U64_MAX, 1);
	expect_invalid(q, U64_MAX, 0xffffffff);
	expect_invalid(q, 1ULL << 32, 1);
	expect_invalid(q, 0, q->length + 1);
	expect_invalid(q, 1, q->length);
	expect_invalid(q, q->length - 1, 2);
	expect_invalid(q, 0, 0xffffffff);
	EXPECT(t, pieces(q, 0, q->length, 8));
	request_release(q);
}

static void ec_102(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	ULONG length = 0;
	NTSTATUS status;
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b->mdl, true);
	REQUIRE(t, q);
	status = piece_map_only_ex(q, 0, &length, list_bytes(1));
	EXPECT(t, status == STATUS_INVALID_PARAMETER ||
	       (status == STATUS_SUCCESS &&
		((PSCATTER_GATHER_LIST)q->room)->NumberOfElements == 0));
	EXPECT_EQ(t, length, 0);
	EXPECT(t, pieces(q, 0, q->length, 1));
	request_release(q);
}

static void ec_103(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;
	ULONG length;

	REQUIRE(t, b);
	q = whole(r, b->mdl, true);
	REQUIRE(t, q);
	length = q->length;
	EXPECT_EQ(t, piece_map_only_ex(q, 0, &length, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->MapTransferEx(r->adapter, b->mdl, q->base, 0, 0, &length,
					TRUE, NULL, 4096, NULL, NULL));
	EXPECT(t, pieces(q, 0, q->length, 1));
	request_release(q);
}

static void bad_arguments(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	u8 *garbage = kzalloc(64, GFP_KERNEL);
	struct request *q;
	SHORT flags;
	ULONG length = 1;

	REQUIRE(t, b && garbage);
	q = whole(r, b->mdl, true);
	REQUIRE(t, q && request_make_room(q, list_bytes(4)));
	EXPECT(t, !NT_SUCCESS(r->ops->MapTransferEx(r->adapter, NULL, q->base, 0, 0,
						    &length, TRUE, q->room, q->size,
						    NULL, NULL)));
	EXPECT(t, !NT_SUCCESS(r->ops->MapTransferEx(r->adapter, b->mdl, garbage, 0, 0,
						    &length, TRUE, q->room, q->size,
						    NULL, NULL)));
	EXPECT(t, !NT_SUCCESS(r->ops->MapTransferEx(r->adapter, b->mdl, q->base, 0, 0,
						    NULL, TRUE, q->room, q->size,
						    NULL, NULL)));
	/* An MDL that nobody has locked or built describes no frames. */
	flags = b->mdl->MdlFlags;
	b->mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
			      MDL_PARTIAL);
	expect_invalid(q, 0, 1);
	b->mdl->MdlFlags = flags;
	EXPECT(t, pieces(q, 0, q->length, 1));
	request_release(q);
	kfree(garbage);
}

static void foreign_base(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct rig *other = rig_open(t, r->kind);
	struct request *q;
	ULONG length = 1;

	REQUIRE(t, b && other);
	q = whole(r, b->mdl, true);
	if (q && q->base && request_make_room(q, list_bytes(4))) {
		EXPECT(t, !NT_SUCCESS(other->ops->MapTransferEx(other->adapter, b->mdl,
								q->base, 0, 0, &length,
								TRUE, q->room, q->size,
								NULL, NULL)));
		EXPECT(t, pieces(q, 0, q->length, 1));
	}
	if (q)
		request_release(q);
	rig_close(other);
}

static void ec_105(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0, 0x40, 0, 5, 0x20, 9 };
	const size_t length[] = { 0, 0x100, 0, 0, PAGE_SIZE, 0 };
	PMDL mdl = buffer_chain(r, offset, length, 6);

	REQUIRE(t, mdl);
	operation(r, mdl, true, 8);
	operation(r, mdl, false, 8);
	operation(r, mdl, false, 1);
}

static void ec_106(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x456, 8 * PAGE_SIZE);

	REQUIRE(t, b);
	operation(r, b->mdl, true, 16);
	operation(r, b->mdl, false, 16);
}

/* Allocated with no registers: the base, whatever it is, maps all the same. */
static void no_registers(struct rig *r, struct buffer *b, bool write)
{
	struct request *q = piece_request_ex(r, b->mdl, 0, 0, write);

	REQUIRE(r->t, q);
	EXPECT(r->t, pieces(q, 0, q->length, 8));
	request_check_memory(q);
	request_release(q);
	request_free(q);
}

/* However many registers the query wants, what the allocation gave is enough. */
static void ec_112(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, NEAR, 0x40, 2 * PAGE_SIZE);

	REQUIRE(t, b);
	s9_one(r, b, true);
	s9_one(r, b, false);
	no_registers(r, b, true);
	no_registers(r, b, false);
}

#define SETS	3

static void ec_113(struct nttest *t, struct rig *r)
{
	struct request *q[SETS];
	struct buffer *b;
	int i;

	for (i = 0; i < SETS; i++) {
		b = buffer_new(r, SCATTERED, 0x100 * i, 3 * PAGE_SIZE);
		q[i] = b ? whole(r, b->mdl, i & 1) : NULL;
		REQUIRE(t, q[i]);
	}
	for (i = 0; i < SETS; i++)
		EXPECT_EQ(t, piece_map_ex(q[i], 0, q[i]->length, 8), q[i]->length);
	for (i = 0; i < SETS; i++) {
		piece_flush_ex(q[i], 0, q[i]->length);
		request_check_memory(q[i]);
		request_release(q[i]);
	}
}

static void ec_114(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { PAGE_SIZE + 5, 2 * PAGE_SIZE };
	PMDL mdl = buffer_chain(r, offset, length, 2);
	struct request *q;
	ULONG mapped;

	REQUIRE(t, mdl);
	q = whole(r, mdl, true);
	REQUIRE(t, q);
	mapped = piece_map_ex(q, 0, q->length, 1);
	EXPECT(t, mapped && mapped <= length[0]);
	piece_flush_ex(q, 0, mapped);
	EXPECT(t, pieces(q, mapped, q->length - mapped, 1));
	request_release(q);
}

/*
 * Behind an IOMMU the device finds nothing any more where the list says, unless
 * that is a page for copies, which stays.
 */
static void expect_unmapped(struct request *q)
{
	const PSCATTER_GATHER_LIST list = q->room;
	const struct bus *bus = &q->r->bus;
	ULONG i;
	u8 byte;

	for (i = 0; i < list->NumberOfElements; i++)
		EXPECT(q->r->t, !dma_get_merge_boundary(bus->dev) ||
		       ntdma_bounces_all() ||
		       bus_read(bus, list->Elements[i].Address.QuadPart, &byte, 1));
}

static void ec_115(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b->mdl, false);
	REQUIRE(t, q);
	EXPECT_EQ(t, piece_map_ex(q, 0, b->length, 8), b->length);
	piece_flush_ex(q, 0, b->length);
	expect_unmapped(q);
	request_check_memory(q);
	request_release(q);
}

/* No bytes are none that are mapped, wherever they would begin. */
static void flush_nothing(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 3 * PAGE_SIZE);
	const u64 at[] = { 0, 100, PAGE_SIZE, 3 * PAGE_SIZE - 1, 3 * PAGE_SIZE };
	struct request *q;
	int i;

	REQUIRE(t, b);
	q = whole(r, b->mdl, false);
	REQUIRE(t, q);
	EXPECT_EQ(t, piece_map_ex(q, 0, b->length, 8), b->length);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
			  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl,
							q->base, at[i], 0, FALSE));
	EXPECT_EQ(t, bus_write_list(&r->bus, q->room, q->image, q->length),
		  q->length);
	piece_flush_ex(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
}

/* What is flushed in part stays the device's until the rest is flushed. */
static void part_flushed(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b->mdl, false);
	REQUIRE(t, q);
	EXPECT_EQ(t, piece_map_ex(q, 0, b->length, 8), b->length);
	piece_flush_ex(q, 0, 100);
	EXPECT_EQ(t, bus_write_list(&r->bus, q->room, q->image, q->length),
		  q->length);
	piece_flush_ex(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
}

static void ec_116(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 3 * PAGE_SIZE);
	struct request *q;
	ULONG mapped;

	REQUIRE(t, b);
	/* Too few for all of it, on every kind of adapter. */
	q = piece_request(r, b->mdl, 2, false);
	REQUIRE(t, q);
	mapped = piece_map_ex(q, 0, b->length, 8);
	REQUIRE(t, mapped && mapped < b->length);
	piece_flush_ex(q, 0, b->length);
	EXPECT(t, pieces(q, mapped, b->length - mapped, 8));
	request_check_memory(q);
	request_release(q);
}

static void ec_117(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20, 0 };
	const size_t length[] = { 0x100, PAGE_SIZE, 7 };
	PMDL mdl = buffer_chain(r, offset, length, 3);
	struct request *q;
	ULONG mapped;

	REQUIRE(t, mdl);
	q = whole(r, mdl, false);
	REQUIRE(t, q);
	mapped = piece_map_ex(q, 0, q->length, 8);
	piece_flush_ex(q, 0, mapped);
	EXPECT(t, r->kind->single || mapped == q->length);
	EXPECT(t, mapped == q->length || pieces(q, mapped, q->length - mapped, 8));
	request_check_memory(q);
	request_release(q);
}

static void ec_118(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b->mdl, false);
	REQUIRE(t, q);
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, NULL, q->base, 0, 1, FALSE));
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl, q->base, 0, 1, FALSE));
	EXPECT_EQ(t, piece_map_ex(q, 0, q->length, 8), q->length);
	/* No MDL, though something is mapped: it stays so. */
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, NULL, q->base, 0,
						q->length, FALSE));
	piece_flush_ex(q, 0, q->length);
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl, q->base, 0,
						q->length, FALSE));
	request_check_memory(q);
	/* What is beside it is not mapped. */
	request_prepare(q);
	EXPECT_EQ(t, piece_map_ex(q, 64, 64, 8), 64);
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl, q->base, 0,
						64, FALSE));
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl, q->base, 128,
						64, FALSE));
	piece_flush_ex(q, 64, 64);
	request_release(q);
}

static void free_without_flush(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x40, 3 * PAGE_SIZE);
	struct request *q;
	int dir;

	REQUIRE(t, b);
	for (dir = 0; dir < 2; dir++) {
		q = whole(r, b->mdl, dir);
		REQUIRE(t, q);
		EXPECT_EQ(t, piece_map_ex(q, 0, q->length, 8), q->length);
		request_release(q);
		expect_unmapped(q);
	}
	operation(r, b->mdl, false, 8);
}

static void edited(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x40, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b->mdl, false);
	REQUIRE(t, q);
	EXPECT_EQ(t, piece_map_ex(q, 0, q->length, 8), q->length);
	memset(q->room, 0xff, q->size);
	kvfree(q->room);
	q->room = NULL;
	piece_flush_ex(q, 0, q->length);
	request_check_memory(q);
	request_release(q);
}

static void at_dispatch(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x40, 3 * PAGE_SIZE);
	struct request *q;
	ULONG length;
	NTSTATUS status;
	KIRQL old;

	REQUIRE(t, b);
	q = whole(r, b->mdl, true);
	REQUIRE(t, q && request_make_room(q, list_bytes(8)));
	length = q->length;
	old = rig_raise();
	status = r->ops->MapTransferEx(r->adapter, b->mdl, q->base, 0, 0, &length, TRUE,
				       q->room, q->size, NULL, NULL);
	EXPECT_EQ(t, status, STATUS_SUCCESS);
	piece_flush_ex(q, 0, length);
	KeLowerIrql(old);
	EXPECT_EQ(t, length, q->length);
	request_release(q);
}

/* The @n-th mapping fails, which nobody notices; whether there was one. */
static bool sweep_once(struct rig *r, struct buffer *b, bool ex, bool write, int n)
{
	struct request *q = ex ? whole_ex(r, b->mdl, write) : whole(r, b->mdl, write);
	long live = ntdma_live_objects();
	bool hit;

	if (!EXPECT(r->t, q) || !request_make_room(q, list_bytes(8)))
		return false;
	ntdma_fail_nth(n);
	EXPECT_EQ(r->t, piece_map_ex(q, 0, q->length, 8), q->length);
	hit = ntdma_fail_hit();
	ntdma_fail_nth(0);
	piece_flush_ex(q, 0, q->length);
	request_check_memory(q);
	request_prepare(q);
	EXPECT(r->t, pieces(q, 0, q->length, 8));
	request_check_memory(q);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
	request_release(q);
	request_free(q);
	return hit;
}

/* Each mapping of a transfer fails once; how many there were. */
static int sweep_buffer(struct rig *r, struct buffer *b, bool ex, bool write)
{
	int n = 1;

	while (n < 100 && !r->t->failed && sweep_once(r, b, ex, write, n))
		n++;
	EXPECT(r->t, n < 100);
	return n - 1;
}

static void sweep_by(struct nttest *t, struct rig *r, bool ex)
{
	struct buffer *mixed = buffer_new(r, MIXED, 0x77, 4 * PAGE_SIZE);
	struct buffer *page = buffer_new(r, NEAR, 0, PAGE_SIZE);
	int write;

	REQUIRE(t, mixed && page);
	for (write = 0; write < 2; write++) {
		sweep_buffer(r, mixed, ex, write);
		EXPECT(t, sweep_buffer(r, page, ex, write) || rig_copies(r));
	}
}

static void sweep(struct nttest *t, struct rig *r)
{
	sweep_by(t, r, false);
}

static void sweep_ex(struct nttest *t, struct rig *r)
{
	sweep_by(t, r, true);
}

static void ec_125(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, PAGE_SIZE);
	struct request *q;
	ULONG length;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q);
	q->registers = mdl_pages(b->mdl, 0, b->length);
	q->action = KeepObject;
	/* The context is the channel owner's. */
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	REQUIRE(t, request_ran(q));
	EXPECT(t, !NT_SUCCESS(r->ops->CancelMappedTransfer(r->adapter, q->context)));
	EXPECT(t, !NT_SUCCESS(r->ops->CancelMappedTransfer(r->adapter, NULL)));
	length = q->length;
	EXPECT_EQ(t, piece_map_only_ex(q, 0, &length, list_bytes(8)),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, length, q->length);
	EXPECT(t, !NT_SUCCESS(r->ops->CancelMappedTransfer(r->adapter, q->context)));
	/* The device goes on, and so does the client. */
	EXPECT_EQ(t, bus_write_list(&r->bus, q->room, q->image, q->length),
		  q->length);
	piece_flush_ex(q, 0, q->length);
	request_check_memory(q);
	EXPECT(t, pieces(q, 0, q->length, 8));
	request_release(q);
}

static void ec_126(struct nttest *t, struct rig *r)
{
	static const ULONG functions[] = { 0, 1, 0x8001, 0xffffffff };
	int i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		EXPECT_EQ(t, STATUS_NOT_IMPLEMENTED,
			  r->ops->ConfigureAdapterChannel(r->adapter, functions[i],
							  NULL));
}

static const struct nttest_case cases[] = {
	{ "S9 the asynchronous pattern", .run_on = s9 },
	{ "S9 mapped inside the routine", .run_on = s9_inside },
	{ "S10 the synchronous pattern and its three ends", .run_on = s10 },
	{ "EC-94 a list of one element", .run_on = ec_94 },
	{ "EC-95 a list too small for one element", .run_on = ec_95 },
	{ "EC-96 room for two elements of five", .run_on = ec_96, .kinds = rig_lists },
	{ "EC-97 piece by piece over a chain", .run_on = ec_97 },
	{ "EC-98 fewer registers than pages", .run_on = ec_98 },
	{ "EC-99 an offset in the second MDL", .run_on = ec_99 },
	{ "EC-100 EC-101 ranges outside the chain", .run_on = bad_ranges },
	{ "EC-102 length 0", .run_on = ec_102 },
	{ "EC-103 bad input: no list", .run_on = ec_103 },
	{ "EC-100 bad input: no MDL, no length, not a base", .run_on = bad_arguments },
	{ "EC-100 bad input: base of another adapter", .run_on = foreign_base },
	{ "EC-105 MDLs of no bytes are passed over", .run_on = ec_105 },
	{ "EC-106 elements in order, partly bounced", .run_on = ec_106 },
	{ "EC-112 as many registers as the query wants", .run_on = ec_112 },
	{ "EC-113 three transfers mapped at once", .run_on = ec_113 },
	{ "EC-114 one element and a chain of two", .run_on = ec_114,
	  .kinds = single_kinds },
	{ "EC-115 flush makes read data visible", .run_on = ec_115 },
	{ "EC-115 flush of a part", .run_on = part_flushed },
	{ "EC-116 flush with the length asked for", .run_on = ec_116 },
	{ "EC-117 one flush over a chain of three", .run_on = ec_117 },
	{ "EC-118 flush of nothing", .run_on = ec_118 },
	{ "EC-118 flush of no bytes", .run_on = flush_nothing },
	{ "EC-90 registers freed without a flush", .run_on = free_without_flush },
	{ "EC-115 the list is gone before the flush", .run_on = edited },
	{ "EC-115 map and flush at DISPATCH_LEVEL", .run_on = at_dispatch },
	{ "S9 flags that mean nothing here", .run_on = other_flags },
	{ "S9 every mapping fails once", .run_on = sweep, .failing = true },
	{ "S9 every mapping fails once under registers of the Ex routine",
	  .run_on = sweep_ex, .failing = true },
	{ "EC-125 CancelMappedTransfer of a bus master", .run_on = ec_125 },
	{ "EC-126 ConfigureAdapterChannel of a bus master", .run_on = ec_126 },
	{ }
};

const struct nttest_suite nttest_mapex = {
	.name = "mapex",
	.cases = cases,
};
