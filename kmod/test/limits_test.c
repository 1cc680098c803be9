// SPDX-License-Identifier: GPL-2.0
/*
 * What the device's limits do to a list and to a run, and devices that write too little or
 * too late.
 *
 * The limits are those of the struct device, as a glue file would set them;
 * the adapter is opened under them.
 */
#include <linux/dma-mapping.h>
#include <linux/sizes.h>
#include "../glue.h"
#include "piece.h"

/**
 * struct limits - what a device can take
 * @segment: longest element in bytes
 * @boundary: mask that no element crosses
 */
struct limits {
	unsigned int segment;
	unsigned long boundary;
};

static void check_elements(struct request *q, const struct limits *limits)
{
	PSCATTER_GATHER_ELEMENT e = q->list->Elements;
	ULONG i;

	for (i = 0; i < q->list->NumberOfElements; i++, e++) {
		u64 last = e->Address.QuadPart + e->Length - 1;

		EXPECT(q->r->t, e->Length <= limits->segment);
		EXPECT(q->r->t, !((e->Address.QuadPart ^ last) &
				  ~(u64)limits->boundary));
	}
}

static void transfer(struct rig *r, struct buffer *b, bool write,
		     const struct limits *limits)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, write);

	REQUIRE(r->t, q);
	REQUIRE(r->t, request_list(q, BY_GET));
	check_elements(q, limits);
	request_check_list(q);
	request_move(q);
	request_put(q);
	request_check_memory(q);
}

static void shapes(struct rig *r, const struct limits *limits)
{
	enum buffer_shape shape;
	struct buffer *b;

	for (shape = SCATTERED; shape <= MIXED; shape++) {
		b = buffer_new(r, shape, 0x123, 15 * PAGE_SIZE);
		REQUIRE(r->t, b);
		transfer(r, b, true, limits);
		transfer(r, b, false, limits);
		buffer_free(b);
	}
}

static void under(struct nttest *t, const struct limits *limits)
{
	unsigned int segment = dma_get_max_seg_size(t->dev);
	unsigned long boundary = dma_get_seg_boundary(t->dev);
	const struct rig_kind *kind;
	struct rig *r;

	dma_set_max_seg_size(t->dev, limits->segment);
	dma_set_seg_boundary(t->dev, limits->boundary);
	for (kind = rig_lists; kind->name && !t->failed; kind++) {
		r = rig_open(t, kind);
		if (!r)
			break;
		shapes(r, limits);
		rig_close(r);
	}
	dma_set_max_seg_size(t->dev, segment);
	dma_set_seg_boundary(t->dev, boundary);
}

static void page_elements(struct nttest *t)
{
	under(t, &(struct limits){ PAGE_SIZE, U32_MAX });
}

static void odd_elements(struct nttest *t)
{
	under(t, &(struct limits){ 3 * PAGE_SIZE + 77, U32_MAX });
}

static void narrow_boundary(struct nttest *t)
{
	under(t, &(struct limits){ SZ_64K, 2 * PAGE_SIZE - 1 });
}

static void both_limits(struct nttest *t)
{
	under(t, &(struct limits){ 3 * PAGE_SIZE, 4 * PAGE_SIZE - 1 });
}

#define RUNS	3

/* A run of as many pages as there are registers, and its neighbours. */
static void runs(struct rig *r, const struct limits *limits,
		 enum buffer_shape shape, bool write)
{
	u64 mask = ~(u64)limits->boundary, la;
	struct request *q[RUNS];
	struct buffer *b;
	ULONG length;
	int i;

	for (i = 0; i < RUNS; i++) {
		b = buffer_new(r, shape, 0x123, (r->registers - 1) * PAGE_SIZE);
		REQUIRE(r->t, b);
		q[i] = piece_request(r, b->mdl, r->registers, write);
		REQUIRE(r->t, q[i]);
		length = piece_map_only(q[i], 0, b->length, &la);
		REQUIRE(r->t, length == b->length);
		EXPECT(r->t, length <= limits->segment);
		EXPECT(r->t, !((la ^ (la + length - 1)) & mask));
		piece_device(q[i], 0, la, length);
	}
	for (i = 0; i < RUNS; i++) {
		piece_flush(q[i], 0, q[i]->length);
		request_check_memory(q[i]);
		request_release(q[i]);
	}
	transfer(r, b, write, limits);
}

/* One run at a time under @limits, which leave at most @most registers. */
static void single_under(struct nttest *t, const struct limits *limits,
			 ULONG most)
{
	unsigned int segment = dma_get_max_seg_size(t->dev);
	unsigned long boundary = dma_get_seg_boundary(t->dev);
	const struct rig_kind *kind;
	enum buffer_shape shape;
	struct rig *r;

	dma_set_max_seg_size(t->dev, limits->segment);
	dma_set_seg_boundary(t->dev, limits->boundary);
	for (kind = rig_single; kind->name && !t->failed; kind++) {
		r = rig_open(t, kind);
		if (!r)
			break;
		EXPECT(t, r->registers >= 2 && r->registers <= most);
		for (shape = SCATTERED; shape < SHAPES; shape++) {
			runs(r, limits, shape, true);
			runs(r, limits, shape, false);
		}
		rig_close(r);
	}
	dma_set_max_seg_size(t->dev, segment);
	dma_set_seg_boundary(t->dev, boundary);
}

static void single_boundary(struct nttest *t)
{
	single_under(t, &(struct limits){ SZ_1M, 4 * PAGE_SIZE - 1 }, 4);
}

static void single_segment(struct nttest *t)
{
	single_under(t, &(struct limits){ 3 * PAGE_SIZE + 77, U32_MAX }, 3);
}

static void single_both(struct nttest *t)
{
	single_under(t, &(struct limits){ 3 * PAGE_SIZE, 8 * PAGE_SIZE - 1 },
		     3);
}

/* A run of two pages, which any driver may ask for, would cross. */
static void single_too_small(struct nttest *t)
{
	unsigned long boundary = dma_get_seg_boundary(t->dev);
	PDEVICE_OBJECT object = ntdma_device_create(t->dev, 0);
	DEVICE_DESCRIPTION dd;
	ULONG registers;

	REQUIRE(t, object);
	rig_describe(&dd, rig_single);
	dma_set_seg_boundary(t->dev, PAGE_SIZE - 1);
	EXPECT(t, !IoGetDmaAdapter(object, &dd, &registers));
	dma_set_seg_boundary(t->dev, boundary);
	ntdma_device_destroy(object);
}

/* A list element below a page could not be counted in map registers. */
static void too_small(struct nttest *t)
{
	unsigned int segment = dma_get_max_seg_size(t->dev);
	PDEVICE_OBJECT object = ntdma_device_create(t->dev, 0);
	DEVICE_DESCRIPTION dd;
	ULONG registers;

	REQUIRE(t, object);
	rig_describe(&dd, rig_wide);
	dma_set_max_seg_size(t->dev, PAGE_SIZE - 1);
	EXPECT(t, !IoGetDmaAdapter(object, &dd, &registers));
	dma_set_max_seg_size(t->dev, segment);
	ntdma_device_destroy(object);
}

/* The device writes ten bytes where it was given many. */
static void short_transfer(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x321, 2 * PAGE_SIZE);
	struct request *q;
	u8 *seen;

	REQUIRE(t, b);
	seen = b->va + b->offset;
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	memset(seen, 0xa5, b->length);
	EXPECT_EQ(t, bus_write(&r->bus, q->list->Elements[0].Address.QuadPart,
			       "0123456789", 10), 0);
	request_put(q);
	request_free(q);

	memset(seen, 0x5a, b->length);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q);
	mdl_store(b->mdl, 0, q->image, b->length);
	REQUIRE(t, request_list(q, BY_GET));
	EXPECT_EQ(t, bus_write(&r->bus, q->list->Elements[0].Address.QuadPart,
			       "abcdefghij", 10), 0);
	request_put(q);
	EXPECT(t, !memcmp(seen, "abcdefghij", 10));
	pattern_same(t, "the rest", seen + 10, q->image + 10, b->length - 10);
	request_free(q);
}

/* The device writes once more after its list was put. */
static void late_write(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;
	bool copied;
	u64 la;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	la = q->list->Elements[0].Address.QuadPart;
	copied = !bus_is_page(&r->bus, la, b->pages[0]);
	request_move(q);
	request_put(q);
	if (copied)
		bus_write(&r->bus, la, "too late", 8);
	request_check_memory(q);
	request_free(q);

	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_GET));
	request_move(q);
	request_put(q);
	request_free(q);
}

static const struct nttest_case cases[] = {
	{ "S7 elements of one page at most", page_elements },
	{ "S7 elements of an odd limit", odd_elements },
	{ "S7 no element crosses two pages", narrow_boundary },
	{ "S7 a limit and a boundary", both_limits },
	{ "S2 no run crosses a boundary", single_boundary },
	{ "S2 no run is longer than the limit", single_segment },
	{ "S2 a limit and a boundary for runs", single_both },
	{ "S2 bad input: no run of two pages", single_too_small },
	{ "S7 bad input: elements below a page", too_small },
	{ "EC-87 a device that writes too little",
	  .run_on = short_transfer },
	{ "EC-87 a device that writes too late", .run_on = late_write },
	{ }
};

const struct nttest_suite nttest_limits = {
	.name = "limits",
	.cases = cases,
};
