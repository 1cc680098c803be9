// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that do not share the processor's cache (incoherent.c): a sync that
 * is missing is a wrong byte, and so is what the processor writes beside a
 * transfer when a whole cache line comes back over it.
 *
 * The limits of the suite: the cache of the model does nothing by itself.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include "../glue.h"
#include "hooks.h"
#include "incoherent.h"
#include "piece.h"

static int cache_init(struct nttest *t)
{
	if (incoherent_device())
		return 0;
	nttest_skip(t, "the kernel has no DMA operations per device");
	return -ENODEV;
}

#define BESIDE	0x3c
#define GUARD	0xa5

/* The processor writes to all that is on the transfer's pages beside it. */
static void beside_write(struct buffer *b, u8 value)
{
	size_t end = b->offset + b->length;

	memset(b->va, value, b->offset);
	memset(b->va + end, value, ((size_t)b->npages << PAGE_SHIFT) - end);
}

static void beside_check(struct buffer *b)
{
	size_t end = b->offset + b->length;
	size_t whole = (size_t)b->npages << PAGE_SHIFT;

	EXPECT(b->r->t, !memchr_inv(b->va, BESIDE, b->offset));
	EXPECT(b->r->t, !memchr_inv(b->va + end, BESIDE, whole - end));
	beside_write(b, GUARD);
}

static void one_list(struct rig *r, struct buffer *b, bool write,
		     enum producer how)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, write);

	REQUIRE(r->t, q && request_list(q, how));
	request_check_list(q);
	beside_write(b, BESIDE);
	request_move(q);
	request_put(q);
	request_check_memory(q);
	beside_check(b);
	request_free(q);
}

static void lists(struct nttest *t, struct rig *r)
{
	static const struct { size_t offset, length; } part[] = {
		{ 0, 1 }, { 0, 3 * PAGE_SIZE }, { 0x123, 5 },
		{ 0x123, 2 * PAGE_SIZE + 7 }, { PAGE_SIZE - 1, PAGE_SIZE + 2 },
		{ 0x100, 0x100 },
	};
	enum buffer_shape shape;
	enum producer how;
	struct buffer *b;
	int i;

	for (i = 0; i < ARRAY_SIZE(part); i++)
		for (shape = SCATTERED; shape <= MIXED; shape++) {
			b = buffer_new(r, shape, part[i].offset, part[i].length);
			REQUIRE(t, b);
			for (how = BY_GET; how < PRODUCERS; how++) {
				one_list(r, b, true, how);
				one_list(r, b, false, how);
			}
			buffer_free(b);
		}
}

static void one_packet(struct rig *r, struct buffer *b, bool write)
{
	struct request *q;

	KeFlushIoBuffers(b->mdl, !write, TRUE);
	q = piece_request(r, b->mdl, mdl_pages(b->mdl, 0, b->length), write);
	REQUIRE(r->t, q && piece_map_all(q, 0, b->length));
	beside_write(b, BESIDE);
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	beside_check(b);
	/* The same registers once more. */
	request_prepare(q);
	REQUIRE(r->t, piece_map_all(q, 0, b->length));
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
	request_free(q);
}

static void packets(struct nttest *t, struct rig *r)
{
	enum buffer_shape shape;
	struct buffer *b;

	for (shape = SCATTERED; shape < SHAPES; shape++) {
		b = buffer_new(r, shape, 0x231, 3 * PAGE_SIZE + 9);
		REQUIRE(t, b);
		one_packet(r, b, true);
		one_packet(r, b, false);
		buffer_free(b);
	}
}

/* What the processor sees of the first @n bytes is what the device wrote. */
static void seen_so_far(struct request *q, ULONG n)
{
	u8 *seen = kvmalloc(n, GFP_KERNEL);

	if (!EXPECT(q->r->t, seen))
		return;
	mdl_fetch(q->mdl, 0, seen, n);
	pattern_same(q->r->t, "flushed so far", seen, q->image, n);
	kvfree(seen);
}

static void flush_by_parts(struct nttest *t, struct rig *r)
{
	static const ULONG part[] = { 1, 62, 1000, PAGE_SIZE };
	struct buffer *b = buffer_new(r, MIXED, 0x10, 3 * PAGE_SIZE);
	struct request *q;
	ULONG at = 0;
	int i;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 4, false);
	REQUIRE(t, q && piece_map_all(q, 0, b->length));
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		piece_flush(q, at, part[i]);
		at += part[i];
		seen_so_far(q, at);
	}
	piece_flush(q, at, b->length - at);
	request_check_memory(q);
	request_release(q);
}

/* MapTransferEx, two elements at a time, flushed by what was mapped. */
static void lists_by_parts(struct rig *r, PMDL mdl, bool write)
{
	u64 bytes = mdl_bytes(mdl), at;
	struct request *q;
	ULONG done;

	q = piece_request(r, mdl, mdl_pages(mdl, 0, bytes), write);
	REQUIRE(r->t, q);
	for (at = 0; at < bytes; at += done) {
		done = piece_map_ex(q, at, bytes - at, 2);
		REQUIRE(r->t, done);
		piece_flush_ex(q, at, done);
		if (!write)
			seen_so_far(q, at + done);
	}
	request_check_memory(q);
	request_release(q);
	request_free(q);
}

static void ex(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0xffe, 0x10, 0 };
	const size_t length[] = { 5, 2 * PAGE_SIZE, PAGE_SIZE + 1 };
	PMDL mdl = buffer_chain(r, offset, length, 3);

	REQUIRE(t, mdl);
	lists_by_parts(r, mdl, true);
	lists_by_parts(r, mdl, false);
}

static void fetched(struct request *q, const char *what)
{
	u8 *seen = kvmalloc(q->length, GFP_KERNEL);

	if (!EXPECT(q->r->t, seen))
		return;
	mdl_fetch(q->mdl, 0, seen, q->length);
	pattern_same(q->r->t, what, seen, q->image, q->length);
	kvfree(seen);
}

/* The mapping stays, and both sides change the memory in turn. */
static void flush_dma(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x77, 2 * PAGE_SIZE);
	struct request *q;
	int turn;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_GET));
	for (turn = 0; turn < 3; turn++) {
		request_move(q);
		request_prepare(q);
		EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, b->mdl, FALSE),
			  STATUS_SUCCESS);
	}
	request_move(q);
	request_put(q);

	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	for (turn = 0; turn < 3; turn++) {
		pattern_fill(q->image, b->length, 1000 + turn);
		request_move(q);
		EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, b->mdl, TRUE),
			  STATUS_SUCCESS);
		fetched(q, "after FlushDmaBuffer");
	}
	request_put(q);
	request_check_memory(q);
}

/* The same under map registers. */
static void flush_dma_registers(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x77, 2 * PAGE_SIZE);
	struct request *q;
	ULONG length;
	u64 la;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 3, true);
	REQUIRE(t, q);
	length = piece_map_only(q, 0, b->length, &la);
	REQUIRE(t, length && piece_device(q, 0, la, length));
	request_prepare(q);
	EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, b->mdl, FALSE),
		  STATUS_SUCCESS);
	piece_device(q, 0, la, length);
	piece_flush(q, 0, length);
	request_release(q);

	q = piece_request(r, b->mdl, 3, false);
	REQUIRE(t, q);
	length = piece_map(q, 0, b->length);
	REQUIRE(t, length);
	EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, b->mdl, TRUE),
		  STATUS_SUCCESS);
	seen_so_far(q, length);
	piece_flush(q, 0, length);
	request_release(q);
}

/* The MDL of a list names what the device sees, which may be a copy. */
static void built_mdl(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x80, 2 * PAGE_SIZE);
	struct request *q;
	PMDL target;
	u8 *seen;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_GET));
	REQUIRE(t, !r->ops->BuildMdlFromScatterGatherList(r->adapter, q->list,
							  b->mdl, &target));
	seen = kvmalloc(b->length, GFP_KERNEL);
	if (EXPECT(t, seen)) {
		mdl_fetch(target, 0, seen, b->length);
		pattern_same(t, "the built MDL", seen, q->image, b->length);
	}
	kvfree(seen);
	request_move(q);
	request_put(q);

	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	REQUIRE(t, !r->ops->BuildMdlFromScatterGatherList(r->adapter, q->list,
							  b->mdl, &target));
	request_move(q);
	request_put(q);
	request_check_memory(q);
}

/* Two reads that share a cache line, put in either order. */
static void shared_line(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	struct request *first, *second;
	int turn;
	u8 *at;

	REQUIRE(t, b);
	at = b->va;
	for (turn = 0; turn < 2; turn++) {
		first = request_new(r, b->mdl, 7, 10, false);
		second = request_new(r, b->mdl, 17, 10, false);
		REQUIRE(t, first && second);
		REQUIRE(t, request_list(first, BY_GET));
		REQUIRE(t, request_list(second, BY_GET));
		request_move(first);
		request_move(second);
		request_put(turn ? second : first);
		request_put(turn ? first : second);
		pattern_same(t, "the first", at + 7, first->image + 7, 10);
		request_free(first);
		/* All but the first is what the second made it. */
		memcpy(second->image + 7, at + 7, 10);
		memcpy(at + 7, second->image + 7, 10);
		pattern_same(t, "the second", at + 17, second->image + 17, 10);
		request_free(second);
	}
}

/* What is never flushed does not reach the memory any more. */
static void never_flushed(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	struct request *q;
	u8 *seen;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 2, false);
	REQUIRE(t, q && piece_map_all(q, 0, b->length));
	seen = b->va;
	EXPECT_EQ(t, seen[0], (u8)~q->image[0]);
	request_release(q);
	EXPECT_EQ(t, seen[0], (u8)~q->image[0]);
	EXPECT_EQ(t, seen[PAGE_SIZE], (u8)~q->image[PAGE_SIZE]);
}

/* Coherent whatever CacheEnabled says: no call in between. */
static void coherent_buffer(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS logical;
	BOOLEAN cached;
	u32 *va, seen;

	for (cached = FALSE; cached <= TRUE; cached++) {
		va = r->ops->AllocateCommonBuffer(r->adapter, 100, &logical, cached);
		REQUIRE(t, va);
		*va = 0x12345678;
		EXPECT_EQ(t, bus_read(&r->bus, logical.QuadPart, &seen, 4), 0);
		EXPECT_EQ(t, seen, 0x12345678);
		seen = 0x9abcdef0;
		EXPECT_EQ(t, bus_write(&r->bus, logical.QuadPart, &seen, 4), 0);
		EXPECT_EQ(t, READ_ONCE(*va), 0x9abcdef0);
		r->ops->FreeCommonBuffer(r->adapter, 100, logical, va, cached);
	}
}

/* Cached memory is the client's to keep coherent. */
static void cached_buffer(struct nttest *t, struct rig *r)
{
	MEMORY_CACHING_TYPE type = MmCached;
	PHYSICAL_ADDRESS logical;
	u32 *va, seen;
	PMDL mdl;

	va = r->ops->AllocateCommonBufferWithBounds(r->adapter, NULL, NULL,
						    2 * PAGE_SIZE, 0, &type, 0,
						    &logical);
	REQUIRE(t, va);
	mdl = IoAllocateMdl(va, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
	if (!EXPECT(t, mdl))
		goto free_buffer;
	MmBuildMdlForNonPagedPool(mdl);
	EXPECT_EQ(t, bus_read(&r->bus, logical.QuadPart, &seen, 4), 0);
	EXPECT_EQ(t, seen, 0);
	*va = 0x12345678;
	EXPECT_EQ(t, bus_read(&r->bus, logical.QuadPart, &seen, 4), 0);
	EXPECT_EQ(t, seen, 0);
	r->ops->FlushDmaBuffer(r->adapter, mdl, FALSE);
	EXPECT_EQ(t, bus_read(&r->bus, logical.QuadPart, &seen, 4), 0);
	EXPECT_EQ(t, seen, 0x12345678);
	seen = 0x9abcdef0;
	EXPECT_EQ(t, bus_write(&r->bus, logical.QuadPart + PAGE_SIZE, &seen, 4), 0);
	r->ops->FlushDmaBuffer(r->adapter, mdl, TRUE);
	EXPECT_EQ(t, READ_ONCE(va[PAGE_SIZE / sizeof(*va)]), 0x9abcdef0);
	IoFreeMdl(mdl);
free_buffer:
	r->ops->FreeCommonBuffer(r->adapter, 2 * PAGE_SIZE, logical, va, TRUE);
}

static void alignment(struct nttest *t, struct rig *r)
{
	EXPECT_EQ(t, r->ops->GetDmaAlignment(r->adapter), incoherent_line());
}

/* That the model shows what it is there for. */
static void model(struct nttest *t)
{
	struct device *dev = incoherent_device();
	struct bus bus = { .dev = dev, .last = U64_MAX };
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL | __GFP_ZERO), seen;
	dma_addr_t addr;

	REQUIRE(t, page);
	EXPECT_EQ(t, dma_set_mask(dev, DMA_BIT_MASK(64)), 0);
	addr = dma_map_single(dev, page + 1, 2, DMA_FROM_DEVICE);
	if (!EXPECT(t, !dma_mapping_error(dev, addr)))
		goto free;
	page[0] = 'c';		/* the processor's, beside the transfer */
	EXPECT_EQ(t, bus_write(&bus, addr, "dd", 2), 0);
	EXPECT_EQ(t, bus_write(&bus, addr, "ddd", 3), -EFAULT);
	EXPECT_EQ(t, bus_write(&bus, addr - 1, "d", 1), -EFAULT);
	EXPECT_EQ(t, page[1], 0);
	dma_unmap_single(dev, addr, 2, DMA_FROM_DEVICE);
	EXPECT_EQ(t, page[1], 'd');
	EXPECT_EQ(t, page[0], 0);	/* the line came back over it */
	EXPECT_EQ(t, bus_read(&bus, addr, &seen, 1), -EFAULT);

	addr = dma_map_single(dev, page, 1, DMA_TO_DEVICE);
	if (!EXPECT(t, !dma_mapping_error(dev, addr)))
		goto free;
	page[0] = 'n';
	EXPECT_EQ(t, bus_read(&bus, addr, &seen, 1), 0);
	EXPECT_EQ(t, seen, 0);
	dma_sync_single_for_device(dev, addr, 1, DMA_TO_DEVICE);
	EXPECT_EQ(t, bus_read(&bus, addr, &seen, 1), 0);
	EXPECT_EQ(t, seen, 'n');
	dma_unmap_single(dev, addr, 1, DMA_TO_DEVICE);
free:
	free_page((unsigned long)page);
}

static const struct nttest_case cases[] = {
	{ "the model keeps device and processor apart", .run = model },
	{ "S7 S8 S13 S14 EC-86 EC-87 lists",
	  .run_on = lists, .kinds = rig_apart },
	{ "S2 S4 EC-82 EC-83 MapTransfer and its flush",
	  .run_on = packets, .kinds = rig_apart },
	{ "EC-87 a flush by parts",
	  .run_on = flush_by_parts, .kinds = rig_apart },
	{ "S9 EC-97 EC-115 MapTransferEx by parts",
	  .run_on = ex, .kinds = rig_apart },
	{ "S27 EC-195 FlushDmaBuffer of a list",
	  .run_on = flush_dma, .kinds = rig_apart },
	{ "S27 EC-195 FlushDmaBuffer of registers",
	  .run_on = flush_dma_registers, .kinds = rig_apart },
	{ "S23 the MDL of a list",
	  .run_on = built_mdl, .kinds = rig_apart },
	{ "EC-87 two reads within one cache line",
	  .run_on = shared_line, .kinds = rig_apart },
	{ "S26 registers freed before the flush",
	  .run_on = never_flushed, .kinds = rig_apart },
	{ "S18 EC-161 common buffers are coherent",
	  .run_on = coherent_buffer, .kinds = rig_apart },
	{ "S18 S27 cached common buffers",
	  .run_on = cached_buffer, .kinds = rig_apart },
	{ "EC-23 the alignment is a cache line",
	  .run_on = alignment, .kinds = rig_apart },
	{ }
};

const struct nttest_suite nttest_cache = {
	.name = "cache",
	.init = cache_init,
	.cases = cases,
};
