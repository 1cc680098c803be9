// SPDX-License-Identifier: GPL-2.0
/*
 * Common buffers, plain and Ex: contract section H, scenario S18.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

/**
 * struct common - one common buffer
 * @r: on which adapter
 * @length: bytes asked for
 * @la: its logical address
 * @va: its address for the processor, NULL when there was none
 */
struct common {
	struct rig *r;
	ULONG length;
	PHYSICAL_ADDRESS la;
	u8 *va;
};

static bool common_get(struct common *c, struct rig *r, ULONG length)
{
	c->r = r;
	c->length = length;
	c->la.QuadPart = -1;
	c->va = r->ops->AllocateCommonBuffer(r->adapter, length, &c->la, TRUE);
	return EXPECT(r->t, c->va);
}

static bool common_get_below(struct common *c, struct rig *r, ULONG length, u64 max)
{
	PHYSICAL_ADDRESS limit;

	c->r = r;
	c->length = length;
	c->la.QuadPart = -1;
	limit.QuadPart = max;
	c->va = r->ops->AllocateCommonBufferEx(r->adapter, &limit, length, &c->la,
					       TRUE, 0);
	return c->va;
}

static void common_put(struct common *c)
{
	u8 byte;

	c->r->ops->FreeCommonBuffer(c->r->adapter, c->length, c->la, c->va, TRUE);
	c->va = NULL;
	/* With an IOMMU the device does not reach it any more. */
	if (dma_get_merge_boundary(c->r->bus.dev))
		EXPECT(c->r->t, bus_read(&c->r->bus, c->la.QuadPart, &byte, 1));
}

/* Aligned, zeroed, in reach, and both sides see what the other wrote. */
static void common_check(struct common *c)
{
	struct nttest *t = c->r->t;
	u8 *image = kvmalloc(c->length, GFP_KERNEL);
	u8 *seen = kvmalloc(c->length, GFP_KERNEL);
	u64 la = c->la.QuadPart;

	if (!EXPECT(t, image && seen))
		goto free;
	EXPECT(t, !offset_in_page(c->va));
	EXPECT(t, !(la & (PAGE_SIZE - 1)));
	EXPECT(t, la + c->length - 1 <= c->r->bus.last);
	EXPECT(t, !memchr_inv(c->va, 0, c->length));
	pattern_fill(image, c->length, 18);
	memcpy(c->va, image, c->length);
	EXPECT_EQ(t, bus_read(&c->r->bus, la, seen, c->length), 0);
	pattern_same(t, "the device", seen, image, c->length);
	pattern_fill(image, c->length, 81);
	EXPECT_EQ(t, bus_write(&c->r->bus, la, image, c->length), 0);
	pattern_same(t, "the processor", c->va, image, c->length);
free:
	kvfree(image);
	kvfree(seen);
}

static void common_use(struct rig *r, ULONG length)
{
	struct common c;

	if (!common_get(&c, r, length))
		return;
	common_check(&c);
	common_put(&c);
}

static void s18(struct nttest *t, struct rig *r)
{
	static const ULONG lengths[] = { 100, 1, 4095, 4096, 4097, 65536, 100000 };
	int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		common_use(r, lengths[i]);
}

static void ec_160(struct nttest *t, struct rig *r)
{
	struct common a, b;

	if (!common_get(&a, r, 1))
		return;
	if (common_get(&b, r, 1)) {
		EXPECT(t, !offset_in_page(a.va) && !offset_in_page(b.va));
		EXPECT(t, (a.va < b.va ? b.va - a.va : a.va - b.va) >= PAGE_SIZE);
		common_put(&b);
	}
	common_put(&a);
}

static void ec_161(struct nttest *t, struct rig *r)
{
	struct common c = { .r = r, .length = PAGE_SIZE };

	c.va = r->ops->AllocateCommonBuffer(r->adapter, c.length, &c.la, FALSE);
	REQUIRE(t, c.va);
	common_check(&c);
	r->ops->FreeCommonBuffer(r->adapter, c.length, c.la, c.va, FALSE);
}

static void kib_64(struct nttest *t, struct rig *r)
{
	common_use(r, SZ_64K);
}

static void ec_162(struct nttest *t, struct rig *r)
{
	common_use(r, SZ_1M);
}

/*
 * Without an IOMMU a narrow device reaches few pages, of which so many in a
 * row are not always to be had.
 */
static void mib_4(struct nttest *t, struct rig *r)
{
	bool must = r->kind->width > 32 || dma_get_merge_boundary(r->bus.dev);
	struct common c = { .r = r, .length = SZ_4M };

	c.va = r->ops->AllocateCommonBuffer(r->adapter, c.length, &c.la, TRUE);
	EXPECT(t, c.va || !must);
	if (!c.va)
		return;
	common_check(&c);
	common_put(&c);
}

/* Larger than any memory: NULL, and no report of the allocator. */
static void too_large(struct nttest *t, struct rig *r)
{
	static const ULONG lengths[] = { 0x40000000, 0xfffff000, 0xffffffff };
	PHYSICAL_ADDRESS la;
	PVOID va;
	int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		va = r->ops->AllocateCommonBuffer(r->adapter, lengths[i], &la, TRUE);
		if (va)
			r->ops->FreeCommonBuffer(r->adapter, lengths[i], la, va, TRUE);
		EXPECT(t, !va || r->kind->width == 64);
	}
}

static void no_length(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS la;

	EXPECT(t, !r->ops->AllocateCommonBuffer(r->adapter, 0, &la, TRUE));
	EXPECT(t, !r->ops->AllocateCommonBufferEx(r->adapter, NULL, 0, &la, TRUE, 0));
}

static void no_address(struct nttest *t, struct rig *r)
{
	EXPECT(t, !r->ops->AllocateCommonBuffer(r->adapter, 1, NULL, TRUE));
	EXPECT(t, !r->ops->AllocateCommonBufferEx(r->adapter, NULL, 1, NULL, TRUE, 0));
}

static void ec_163(struct nttest *t, struct rig *r)
{
	common_use(r, 2 * r->registers * (ULONG)PAGE_SIZE);
}

static PMDL common_mdl(struct common *c, ULONG offset, ULONG length)
{
	PMDL mdl = IoAllocateMdl(c->va + offset, length, FALSE, FALSE, NULL);

	if (EXPECT(c->r->t, mdl))
		MmBuildMdlForNonPagedPool(mdl);
	return mdl;
}

static void ec_164(struct nttest *t, struct rig *r)
{
	u8 image[64], seen[64];
	struct common c;
	PMDL mdl;

	if (!common_get(&c, r, 3 * PAGE_SIZE))
		return;
	mdl = common_mdl(&c, 0, c.length);
	if (mdl) {
		EXPECT(t, MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) ==
		       c.va);
		pattern_fill(image, sizeof(image), 164);
		memcpy(c.va + PAGE_SIZE - 32, image, sizeof(image));
		mdl_fetch(mdl, PAGE_SIZE - 32, seen, sizeof(seen));
		pattern_same(t, "frames of the MDL", seen, image, sizeof(image));
		IoFreeMdl(mdl);
	}
	common_put(&c);
}

/* A list over a common buffer: its known address, never a second mapping. */
static void list_over_common(struct nttest *t, struct rig *r)
{
	struct request *q;
	struct common c;
	PMDL mdl;

	if (!common_get(&c, r, 3 * PAGE_SIZE))
		return;
	mdl = common_mdl(&c, 100, 2 * PAGE_SIZE);
	q = mdl ? request_new(r, mdl, 10, PAGE_SIZE, true) : NULL;
	if (q && request_list(q, BY_GET)) {
		EXPECT_EQ(t, q->list->NumberOfElements, 1);
		EXPECT_EQ(t, q->list->Elements[0].Address.QuadPart,
			  c.la.QuadPart + 110);
		request_move(q);
		request_put(q);
		request_free(q);
		request_transfer(r, mdl, 0, 2 * PAGE_SIZE, false, BY_GET);
	}
	if (mdl)
		IoFreeMdl(mdl);
	common_put(&c);
}

/* Clients edit ByteOffset and ByteCount to send a part of what they have. */
static void edited_over_common(struct nttest *t, struct rig *r)
{
	struct request *q = NULL;
	struct common c;
	PMDL mdl;

	if (!common_get(&c, r, 3 * PAGE_SIZE))
		return;
	mdl = common_mdl(&c, 100, 2 * PAGE_SIZE);
	if (mdl) {
		mdl->ByteOffset += 64;
		mdl->ByteCount -= 64;
		q = request_new(r, mdl, 0, mdl->ByteCount, true);
	}
	if (q && request_list(q, BY_GET)) {
		EXPECT_EQ(t, q->list->Elements[0].Address.QuadPart,
			  c.la.QuadPart + 164);
		request_move(q);
		request_put(q);
		request_free(q);
	}
	if (mdl)
		IoFreeMdl(mdl);
	common_put(&c);
}

/* ---- MDLs over common buffers, in every routine that takes one ---- */

#define OVER	(3 * (ULONG)PAGE_SIZE)

static void address_is(struct request *q, const SCATTER_GATHER_LIST *list,
		       u64 la, ULONG length)
{
	struct nttest *t = q->r->t;

	EXPECT_EQ(t, list->Elements[0].Address.QuadPart, la);
	/* What follows in a chain may be next to it. */
	EXPECT(t, list->Elements[0].Length >= length);
	EXPECT(t, list->NumberOfElements == 1 || q->mdl->Next);
}

static void list_is(struct rig *r, PMDL mdl, u64 la, enum producer how)
{
	ULONG length = mdl_bytes(mdl);
	struct request *q = request_new(r, mdl, 0, length, how & 1);
	PMDL target = NULL;

	if (!q)
		return;
	if (EXPECT(r->t, request_list(q, how))) {
		address_is(q, q->list, la, mdl->ByteCount);
		EXPECT_EQ(r->t, STATUS_SUCCESS,
			  r->ops->BuildMdlFromScatterGatherList(r->adapter,
								q->list, mdl,
								&target));
		EXPECT(r->t, target && mdl_bytes(target) == length);
		request_move(q);
		request_put(q);
		request_check_memory(q);
	}
	request_free(q);
}

static void transfer_is(struct rig *r, PMDL mdl, u64 la)
{
	struct request *q = piece_request(r, mdl, mdl_pages(mdl, 0, mdl->ByteCount),
					  true);
	ULONG length;
	u64 at;

	if (!q)
		return;
	length = piece_map_only(q, 0, mdl->ByteCount, &at);
	EXPECT_EQ(r->t, length, mdl->ByteCount);
	EXPECT_EQ(r->t, at, la);
	piece_device(q, 0, at, length);
	piece_flush(q, 0, length);
	request_release(q);
	request_free(q);
}

static void transfer_ex_is(struct rig *r, PMDL mdl, u64 la)
{
	ULONG bytes = mdl_bytes(mdl), elements = mdl_pages(mdl, 0, bytes), done;
	struct request *q = piece_request(r, mdl, elements, false);

	if (!q)
		return;
	done = piece_map_ex(q, 0, bytes, elements);
	EXPECT(r->t, done >= mdl->ByteCount);
	address_is(q, q->room, la, mdl->ByteCount);
	if (done < bytes)
		EXPECT_EQ(r->t, piece_map_ex(q, done, bytes - done, elements),
			  bytes - done);
	piece_flush_ex(q, 0, bytes);
	request_check_memory(q);
	request_release(q);
	request_free(q);
}

/* The device has an address for the first MDL, and gets no other. */
static void over(struct rig *r, PMDL mdl, u64 la)
{
	enum producer how;

	for (how = 0; how < PRODUCERS; how++)
		list_is(r, mdl, la, how);
	if (!mdl->Next)
		transfer_is(r, mdl, la);
	transfer_ex_is(r, mdl, la);
}

/* An MDL over it, a part of that, and a chain that goes on elsewhere. */
static void over_all(struct rig *r, u8 *va, u64 la)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 2 * PAGE_SIZE);
	PMDL mdl = IoAllocateMdl(va, OVER, FALSE, FALSE, NULL);
	PMDL part = IoAllocateMdl(va + 100, PAGE_SIZE, FALSE, FALSE, NULL);

	if (EXPECT(r->t, b && mdl && part)) {
		MmBuildMdlForNonPagedPool(mdl);
		over(r, mdl, la);
		IoBuildPartialMdl(mdl, part, va + 100, PAGE_SIZE);
		over(r, part, la + 100);
		mdl->Next = b->mdl;
		over(r, mdl, la);
		mdl->Next = NULL;
	}
	if (part)
		IoFreeMdl(part);
	if (mdl)
		IoFreeMdl(mdl);
	if (b)
		buffer_free(b);
}

static void over_plain(struct nttest *t, struct rig *r)
{
	struct common c;

	if (!common_get(&c, r, OVER))
		return;
	over_all(r, c.va, c.la.QuadPart);
	common_put(&c);
}

/* Behind an IOMMU in the window, where the DMA API knows another address. */
static void over_bounded(struct nttest *t, struct rig *r)
{
	bool window = dma_get_merge_boundary(r->bus.dev);
	struct common c = { .r = r, .length = OVER };
	PHYSICAL_ADDRESS min = { .QuadPart = PAGE_SIZE };

	if (window)
		min.QuadPart = r->kind->width == 28 ? 0xe000000 : 0x3480000000;
	c.va = r->ops->AllocateCommonBufferWithBounds(r->adapter, &min, NULL,
						      OVER, 0, NULL,
						      MM_ANY_NODE_OK, &c.la);
	REQUIRE(t, c.va);
	EXPECT(t, c.la.QuadPart >= min.QuadPart);
	over_all(r, c.va, c.la.QuadPart);
	common_put(&c);
}

static void over_element(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 }, la;
	PDMA_COMMON_BUFFER_VECTOR v;
	PVOID va;

	REQUIRE(t, !r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						       MmNonCached,
						       MM_ANY_NODE_OK, 0, 4,
						       OVER, &v));
	r->ops->GetCommonBufferFromVectorByIndex(r->adapter, v, 2, &va, &la);
	if (EXPECT(t, va))
		over_all(r, va, la.QuadPart);
	r->ops->FreeCommonBufferVector(r->adapter, v);
}

/* A buffer of another device is memory like any other. */
static void over_other(struct nttest *t)
{
	struct rig *r, *other;
	struct common c;
	PMDL mdl;

	if (!t->peer) {
		nttest_skip(t, "one edu device only");
		return;
	}
	r = rig_open_on(t, t->dev, &rig_wide[0]);
	other = rig_open_on(t, t->peer, &rig_wide[0]);
	REQUIRE(t, r && other);
	if (rig_coherent(r) && common_get(&c, other, OVER)) {
		mdl = common_mdl(&c, 0, OVER);
		if (mdl) {
			request_transfer(r, mdl, 0, OVER, true, BY_GET);
			/* The checker takes that for a mistake. */
			if (!IS_ENABLED(CONFIG_DMA_API_DEBUG))
				request_transfer(r, mdl, 0, OVER, false,
						 BY_GET);
			over(other, mdl, c.la.QuadPart);
			IoFreeMdl(mdl);
		}
		common_put(&c);
	}
	rig_close(other);
	rig_close(r);
}

/*
 * A page is to be had wherever there is memory. More in a row is not where
 * pages are taken as they lie, but then there is nothing, not something else.
 */
static void expect_below(struct rig *r, ULONG length, u64 max)
{
	bool must = dma_get_merge_boundary(r->bus.dev) || max >= U32_MAX ||
		    (length <= PAGE_SIZE && rig_reaches(r->bus.dev, max));
	struct common c;

	if (!common_get_below(&c, r, length, max)) {
		EXPECT(r->t, !must);
		return;
	}
	EXPECT(r->t, c.la.QuadPart + length <= max);
	common_check(&c);
	common_put(&c);
}

static void ec_165(struct nttest *t, struct rig *r)
{
	expect_below(r, SZ_64K, 0xffffffff);
	expect_below(r, SZ_64K, 0x100000000);
}

/* Limits that are no mask, and the one that just fits. */
static void odd_limits(struct nttest *t, struct rig *r)
{
	expect_below(r, SZ_64K, 0xbfffffff);
	expect_below(r, SZ_64K, 0x0c345678);
	expect_below(r, SZ_64K, 0x01ffffff);
	expect_below(r, 1, 0x0c345678);
	expect_below(r, 1, 0x00ffffff);
}

static void impossible(struct nttest *t, struct rig *r)
{
	struct common c;

	EXPECT(t, !common_get_below(&c, r, PAGE_SIZE + 1, PAGE_SIZE));
	EXPECT(t, !common_get_below(&c, r, PAGE_SIZE, 0));
	EXPECT(t, !common_get_below(&c, r, SZ_1M, SZ_1M - 1));
}

/*
 * A limit that leaves nothing: there is none, and the next is to be had. Page 0
 * is nobody's, and 16 pages are aligned to their size.
 */
static void nothing_below(struct nttest *t, struct rig *r)
{
	static const ULONG pages[] = { 1, 16, 64 };
	bool must = dma_get_merge_boundary(r->bus.dev);
	struct common c;
	ULONG length;
	int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		length = pages[i] * PAGE_SIZE;
		if (common_get_below(&c, r, length, length)) {
			EXPECT(t, !must);
			common_put(&c);
		}
		common_use(r, length);
	}
}

/*
 * Another adapter of the same device reaches farther, and memory that only that
 * one reaches comes first where there is any.
 */
static void two_reaches(struct nttest *t)
{
	struct rig *far = rig_open(t, &rig_wide[0]), *near;
	int i;

	REQUIRE(t, far);
	near = rig_reaches(far->bus.dev, rig_last(rig_narrow[0].width)) ?
	       rig_open(t, &rig_narrow[0]) : NULL;
	for (i = 0; near && i < 4; i++) {
		common_use(near, PAGE_SIZE << i);
		common_use(far, PAGE_SIZE << i);
	}
	if (near)
		rig_close(near);
	else
		nttest_skip(t, "no memory in reach of such a device");
	rig_close(far);
}

/* A limit and a node are the buffer's, and no other's of the device. */
static void device_kept(struct nttest *t, struct rig *r)
{
	struct device *dev = r->bus.dev;
	u64 coherent = dev->coherent_dma_mask, mask = dma_get_mask(dev);
	int home = dev_to_node(dev);
	struct common c;

	set_dev_node(dev, NUMA_NO_NODE);
	if (common_get_below(&c, r, PAGE_SIZE, min_t(u64, mask, SZ_256M) - 1))
		common_put(&c);
	EXPECT(t, !common_get_below(&c, r, SZ_1M, SZ_1M - 1));
	EXPECT_EQ(t, dev->coherent_dma_mask, coherent);
	EXPECT_EQ(t, dma_get_mask(dev), mask);
	EXPECT_EQ(t, dev_to_node(dev), NUMA_NO_NODE);
	set_dev_node(dev, home);
}

static void ec_166(struct nttest *t, struct rig *r)
{
	struct common c = { .r = r, .length = SZ_64K };

	c.va = r->ops->AllocateCommonBufferEx(r->adapter, NULL, c.length, &c.la,
					      TRUE, 0);
	REQUIRE(t, c.va);
	common_check(&c);
	common_put(&c);
}

/* A wish that cannot be granted is none. */
static void ec_167(struct nttest *t, struct rig *r)
{
	static const NODE_REQUIREMENT nodes[] = {
		0, 1, MAX_NUMNODES - 1, MAX_NUMNODES, 1000000, 0x7fffffff,
		MM_ANY_NODE_OK, MM_ANY_NODE_OK | 1, 0xffffffff,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		struct common c = { .r = r, .length = PAGE_SIZE };

		c.va = r->ops->AllocateCommonBufferEx(r->adapter, NULL, c.length,
						      &c.la, TRUE, nodes[i]);
		REQUIRE(t, c.va);
		common_check(&c);
		common_put(&c);
	}
}

static void any_node(struct nttest *t, struct rig *r)
{
	struct common c = { .r = r, .length = PAGE_SIZE };

	c.va = r->ops->AllocateCommonBufferEx(r->adapter, NULL, c.length, &c.la, TRUE,
					      MM_ANY_NODE_OK);
	REQUIRE(t, c.va);
	common_put(&c);
}

static void uncached(struct nttest *t, struct rig *r)
{
	struct common c = { .r = r, .length = PAGE_SIZE };

	c.va = r->ops->AllocateCommonBufferEx(r->adapter, NULL, c.length, &c.la,
					      FALSE, 0);
	REQUIRE(t, c.va);
	common_check(&c);
	common_put(&c);
}

static void ec_172(struct nttest *t, struct rig *r)
{
	long live = ntdma_live_objects();
	struct common c[8];
	int i;

	for (i = 0; i < ARRAY_SIZE(c); i++)
		if (!common_get(&c[i], r, PAGE_SIZE * (i + 1)))
			return;
	EXPECT_EQ(t, ntdma_live_objects(), live + ARRAY_SIZE(c));
	for (i = 0; i < ARRAY_SIZE(c); i++)
		common_put(&c[i ^ 5]);
	EXPECT_EQ(t, ntdma_live_objects(), live);
}

static void wrong_flag(struct nttest *t, struct rig *r)
{
	long live = ntdma_live_objects();
	struct common c;

	if (!common_get(&c, r, PAGE_SIZE))
		return;
	r->ops->FreeCommonBuffer(r->adapter, c.length, c.la, c.va, FALSE);
	EXPECT_EQ(t, ntdma_live_objects(), live);
}

static void ec_173(struct nttest *t, struct rig *r)
{
	long live = ntdma_live_objects();
	struct common c;

	REQUIRE(t, common_get_below(&c, r, 5000, U32_MAX));
	common_put(&c);
	EXPECT_EQ(t, ntdma_live_objects(), live);
}

/* Refused: not a part of it is freed. */
static void ec_174(struct nttest *t, struct rig *r)
{
	long live = ntdma_live_objects();
	struct common c;

	if (!common_get(&c, r, 4 * PAGE_SIZE))
		return;
	r->ops->FreeCommonBuffer(r->adapter, PAGE_SIZE, c.la, c.va, TRUE);
	REQUIRE(t, EXPECT_EQ(t, ntdma_live_objects(), live + 1));
	common_check(&c);
	common_put(&c);
	EXPECT_EQ(t, ntdma_live_objects(), live);
}

static void expect_free_refused(struct common *c, struct rig *r, PVOID va, u64 la)
{
	long live = ntdma_live_objects(), refused = ntdma_refused();
	PHYSICAL_ADDRESS address;

	address.QuadPart = la;
	r->ops->FreeCommonBuffer(r->adapter, c->length, address, va, TRUE);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
	EXPECT_EQ(r->t, ntdma_refused(), refused + 1);
}

static void wrong_free(struct nttest *t, struct rig *r)
{
	struct common c;
	u8 *va;

	if (!common_get(&c, r, 2 * PAGE_SIZE))
		return;
	expect_free_refused(&c, r, c.va + PAGE_SIZE, c.la.QuadPart + PAGE_SIZE);
	expect_free_refused(&c, r, c.va + 1, c.la.QuadPart);
	expect_free_refused(&c, r, c.va, c.la.QuadPart + PAGE_SIZE);
	expect_free_refused(&c, r, c.va, c.la.QuadPart + (1ULL << 32));
	expect_free_refused(&c, r, NULL, c.la.QuadPart);
	common_check(&c);
	va = c.va;
	common_put(&c);
	expect_free_refused(&c, r, va, c.la.QuadPart);
}

static void foreign_free(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	struct common c;

	REQUIRE(t, other);
	if (common_get(&c, r, PAGE_SIZE)) {
		expect_free_refused(&c, other, c.va, c.la.QuadPart);
		common_check(&c);
		common_put(&c);
	}
	rig_close(other);
}

static void sweep(struct nttest *t, struct rig *r)
{
	long live = ntdma_live_objects();
	bool hit = true;
	int n, hits = 0;

	for (n = 1; n < 50 && hit; n++) {
		struct common c = { .r = r, .length = PAGE_SIZE };

		ntdma_fail_nth(n);
		c.va = r->ops->AllocateCommonBuffer(r->adapter, c.length, &c.la, TRUE);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT_EQ(t, !c.va, hit);
		if (c.va)
			common_put(&c);
		EXPECT_EQ(t, ntdma_live_objects(), live);
		hits += hit;
	}
	EXPECT(t, hits > 0 && !hit);
}

static void s25(struct nttest *t, struct rig *r)
{
	struct common c = { .r = r, .length = 5000 };

	c.va = HalAllocateCommonBuffer(r->adapter, c.length, &c.la, FALSE);
	REQUIRE(t, c.va);
	common_check(&c);
	HalFreeCommonBuffer(r->adapter, c.length, c.la, c.va, FALSE);
}

static const struct nttest_case cases[] = {
	{ "S18 both sides see the same bytes", .run_on = s18 },
	{ "S18 version 1 adapters", .run_on = s18, .kinds = rig_v1 },
	{ "EC-160 one byte takes a page", .run_on = ec_160 },
	{ "EC-161 CacheEnabled FALSE", .run_on = ec_161 },
	{ "EC-162 64 KiB are contiguous and in reach", .run_on = kib_64 },
	{ "EC-162 1 MiB is contiguous and in reach", .run_on = ec_162 },
	{ "EC-162 4 MiB are contiguous and in reach", .run_on = mib_4 },
	{ "EC-162 more than there is", .run_on = too_large },
	{ "EC-160 bad input: length 0", .run_on = no_length },
	{ "EC-160 bad input: nowhere to store the address", .run_on = no_address },
	{ "EC-163 larger than MaximumLength", .run_on = ec_163 },
	{ "EC-164 an MDL over a common buffer", .run_on = ec_164 },
	{ "EC-164 a list over a common buffer", .run_on = list_over_common },
	{ "EC-164 an MDL that was edited, over a common buffer",
	  .run_on = edited_over_common },
	{ "EC-164 all routines over a common buffer", .run_on = over_plain,
	  .kinds = rig_lists },
	{ "EC-164 all routines over a buffer with bounds",
	  .run_on = over_bounded, .kinds = rig_lists },
	{ "EC-164 all routines over an element of a vector",
	  .run_on = over_element, .kinds = rig_lists },
	{ "EC-164 over a common buffer of another device", over_other },
	{ "EC-165 below 4 GiB", .run_on = ec_165 },
	{ "EC-165 limits that are no mask", .run_on = odd_limits },
	{ "EC-165 limits that nothing satisfies", .run_on = impossible },
	{ "EC-165 after a limit that leaves nothing", .run_on = nothing_below },
	{ "EC-162 in reach of this adapter, not of the device's others",
	  two_reaches },
	{ "EC-165 EC-167 the device is as it was", .run_on = device_kept },
	{ "EC-166 no limit but the reach", .run_on = ec_166 },
	{ "EC-167 absent nodes", .run_on = ec_167 },
	{ "EC-167 any node", .run_on = any_node },
	{ "EC-165 CacheEnabled FALSE", .run_on = uncached },
	{ "EC-172 freed with the exact arguments", .run_on = ec_172 },
	{ "EC-172 freed with another CacheEnabled", .run_on = wrong_flag },
	{ "EC-173 freed after the Ex form", .run_on = ec_173 },
	{ "EC-174 freed with another length", .run_on = ec_174 },
	{ "EC-174 bad input: wrong address, freed twice", .run_on = wrong_free },
	{ "EC-174 bad input: freed by another adapter", .run_on = foreign_free },
	{ "S18 every allocation fails once", .run_on = sweep },
	{ "S25 the old names", .run_on = s25 },
	{ }
};

const struct nttest_suite nttest_common = {
	.name = "common",
	.cases = cases,
};
