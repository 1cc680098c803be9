// SPDX-License-Identifier: GPL-2.0
/*
 * What the device's limits do to a list and to a run, and devices that write
 * too little or too late.
 *
 * The limits are those of the struct device, as a glue file would set them;
 * the adapter is opened under them.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>
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

static void check_run(struct rig *r, u64 la, ULONG length,
		      const struct limits *limits)
{
	EXPECT(r->t, length <= limits->segment);
	EXPECT(r->t, !((la ^ (la + length - 1)) & ~(u64)limits->boundary));
}

static void check_elements(struct rig *r, const SCATTER_GATHER_LIST *list,
			   const struct limits *limits)
{
	const SCATTER_GATHER_ELEMENT *e = list->Elements;
	ULONG i;

	for (i = 0; i < list->NumberOfElements; i++, e++)
		check_run(r, e->Address.QuadPart, e->Length, limits);
}

static void transfer(struct rig *r, struct buffer *b, bool write,
		     const struct limits *limits)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, write);

	REQUIRE(r->t, q);
	REQUIRE(r->t, request_list(q, BY_GET));
	check_elements(r, q->list, limits);
	request_finish(q);
}

/* The same by MapTransfer, as many as it takes. */
static void transfer_runs(struct rig *r, struct buffer *b, bool write,
			  const struct limits *limits)
{
	struct request *q = piece_request(r, b->mdl,
					  mdl_pages(b->mdl, 0, b->length), write);
	ULONG at, length;
	u64 la;

	REQUIRE(r->t, q);
	for (at = 0; at < b->length; at += length) {
		length = piece_map_only(q, at, b->length - at, &la);
		REQUIRE(r->t, length);
		check_run(r, la, length, limits);
		REQUIRE(r->t, piece_device(q, at, la, length));
	}
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
}

/* A part by MapTransferEx; its length. */
static ULONG transfer_part(struct request *q, ULONG at, ULONG length,
			   const struct limits *limits)
{
	length = piece_map_ex(q, at, length, 32);
	if (!length)
		return 0;
	check_elements(q->r, q->room, limits);
	piece_flush_ex(q, at, length);
	return length;
}

/* The same by MapTransferEx. */
static void transfer_ex(struct rig *r, struct buffer *b, bool write,
			const struct limits *limits)
{
	struct request *q = piece_request(r, b->mdl,
					  mdl_pages(b->mdl, 0, b->length), write);

	REQUIRE(r->t, q);
	EXPECT_EQ(r->t, transfer_part(q, 0, b->length, limits), b->length);
	request_check_memory(q);
	request_release(q);
}

/*
 * Parts from a page on that end just before, at and just behind each page: one
 * run in memory, for which there is a shorter way.
 */
static void parts(struct rig *r, struct buffer *b, ULONG start,
		  const struct limits *limits)
{
	struct request *q = piece_request(r, b->mdl, 7, true);
	ULONG page, length;
	int more;

	REQUIRE(r->t, q);
	for (page = 1; page < 6; page++) {
		for (more = -1; more < 2 && !r->t->failed; more++) {
			length = page * PAGE_SIZE - b->offset + more;
			EXPECT_EQ(r->t, length,
				  transfer_part(q, start * PAGE_SIZE, length,
						limits));
		}
	}
	request_release(q);
	request_free(q);
}

static void shapes(struct rig *r, const struct limits *limits)
{
	enum buffer_shape shape;
	struct buffer *b;
	ULONG start;

	for (shape = SCATTERED; shape < SHAPES; shape++) {
		b = buffer_new(r, shape, 0x123, 15 * PAGE_SIZE);
		REQUIRE(r->t, b);
		transfer(r, b, true, limits);
		transfer(r, b, false, limits);
		transfer_runs(r, b, true, limits);
		transfer_runs(r, b, false, limits);
		transfer_ex(r, b, true, limits);
		transfer_ex(r, b, false, limits);
		for (start = 0; shape == RUN && start < 4; start++)
			parts(r, b, start, limits);
		buffer_free(b);
	}
}

/* The limits of @dev become @limits, and @limits what they were. */
static void swap_limits(struct device *dev, struct limits *limits)
{
	struct limits old = {
		dma_get_max_seg_size(dev), dma_get_seg_boundary(dev)
	};

	dma_set_max_seg_size(dev, limits->segment);
	dma_set_seg_boundary(dev, limits->boundary);
	*limits = old;
}

/* Runs @check on an adapter of each of @kinds that is opened under @limits. */
static void under(struct nttest *t, const struct limits *limits,
		  const struct rig_kind *kinds,
		  void (*check)(struct rig *r, const struct limits *limits))
{
	struct device *dev = rig_device(t, kinds);
	struct limits now = *limits;
	const struct rig_kind *kind;
	struct rig *r;

	swap_limits(dev, &now);
	for (kind = kinds; kind->name && !t->failed; kind++) {
		if (!rig_reaches(t->dev, rig_last(kind->width)))
			continue;
		r = rig_open(t, kind);
		if (!r)
			break;
		check(r, limits);
		rig_close(r);
	}
	swap_limits(dev, &now);
}

/* No adapter of @kind is to be had under @limits. */
static void none_under(struct nttest *t, const struct limits *limits,
		       const struct rig_kind *kind)
{
	struct device *dev = rig_device(t, kind);
	PDEVICE_OBJECT object = ntdma_device_create(dev, 0);
	struct limits now = *limits;
	DEVICE_DESCRIPTION dd;
	ULONG registers;

	REQUIRE(t, object);
	rig_describe(&dd, kind);
	swap_limits(dev, &now);
	EXPECT(t, !IoGetDmaAdapter(object, &dd, &registers));
	swap_limits(dev, &now);
	ntdma_device_destroy(object);
}

static void page_elements(struct nttest *t)
{
	under(t, &(struct limits){ PAGE_SIZE, U32_MAX }, rig_lists, shapes);
}

static void odd_elements(struct nttest *t)
{
	under(t, &(struct limits){ 3 * PAGE_SIZE + 77, U32_MAX }, rig_lists,
	      shapes);
}

static void narrow_boundary(struct nttest *t)
{
	under(t, &(struct limits){ SZ_64K, 2 * PAGE_SIZE - 1 }, rig_lists,
	      shapes);
}

static void both_limits(struct nttest *t)
{
	under(t, &(struct limits){ 3 * PAGE_SIZE, 4 * PAGE_SIZE - 1 }, rig_lists,
	      shapes);
}

/* Memory that no address of the bus stands for, as on a Raspberry Pi 4. */
static void beyond_the_bus(struct nttest *t)
{
	static const struct bus_dma_region map[] = { { .size = SZ_128M }, { } };
	const struct rig_kind *kind = rig_lists;
	struct device *dev = rig_device(t, kind);
	const struct bus_dma_region *old = dev->dma_range_map;
	u64 limit = dev->bus_dma_limit;

	if (dma_get_merge_boundary(dev) || old ||
	    !rig_reaches(dev, SZ_128M - 1)) {
		nttest_skip(t, "not a bus whose addresses are those of memory");
		return;
	}
	dev->dma_range_map = map;
	dev->bus_dma_limit = SZ_128M - 1;
	under(t, &(struct limits){ SZ_64K, U32_MAX }, rig_lists, shapes);
	dev->dma_range_map = old;
	dev->bus_dma_limit = limit;
}

#define ACROSS	6

/* Every byte arrives, and what the device reaches is not copied. */
static void across(struct rig *r, struct buffer *b, unsigned int near)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, true);
	unsigned int i;
	u64 la;

	REQUIRE(r->t, q && request_list(q, BY_GET));
	request_check_list(q);
	if (!r->kind->single)
		EXPECT(r->t, q->list->NumberOfElements > 1);
	la = q->list->Elements[0].Address.QuadPart;
	for (i = 0; i < near && !r->kind->single && !rig_copies(r); i++) {
		la = q->list->Elements[i].Address.QuadPart;
		EXPECT(r->t, bus_is_page(&r->bus, la, b->pages[i]));
	}
	request_move(q);
	request_put(q);
	request_transfer(r, b->mdl, 0, b->length, false, BY_GET);
	request_transfer(r, b->mdl, 0x10, b->length - 0x20, false, BY_GET);
}

/* A run of frames, of which the device reaches the first @near only. */
static int across_with(struct nttest *t, const struct rig_kind *kind,
		       struct buffer *b, unsigned int near)
{
	struct device *dev = b->r->bus.dev;
	u64 limit = dev->bus_dma_limit;
	u64 last = phys_to_dma(dev, page_to_phys(b->pages[near])) - 1;
	struct rig *r;
	int done = 0;

	dev->bus_dma_limit = last;
	r = rig_try_on(t, dev, kind);
	if (EXPECT(t, r)) {
		r->bus.last = min(r->bus.last, last);
		done = r->adapter && r->registers >= ACROSS;
		if (done)
			across(r, b, near);
		rig_close(r);
	}
	dev->bus_dma_limit = limit;
	return done;
}

static void across_the_end(struct nttest *t, struct rig *r)
{
	struct device *dev = r->bus.dev;
	const struct rig_kind *kind;
	struct buffer *b;
	int done = 0;

	if (dma_get_merge_boundary(dev) || dev->dma_range_map ||
	    dev->bus_dma_limit) {
		nttest_skip(t, "not a bus whose addresses are those of memory");
		return;
	}
	b = buffer_new(r, RUN, 0, ACROSS * PAGE_SIZE);
	REQUIRE(t, b);
	for (kind = rig_all; kind->name && !t->failed; kind++) {
		if (kind->width < 64)
			continue;
		done += across_with(t, kind, b, 1);
		done += across_with(t, kind, b, ACROSS / 2);
		done += across_with(t, kind, b, ACROSS - 1);
	}
	if (!done && !t->failed)
		nttest_skip(t, "no pages to copy through are in reach");
}

static int lone_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver lone_driver = {
	.driver.name = "ntdma_lone",
	.probe = lone_probe,
};

/* A device whose mask for transfers is the one for memory that it shares. */
static struct platform_device *lone_create(void)
{
	const struct platform_device_info info = {
		.name = "ntdma_lone",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(32),
	};
	struct platform_device *pdev;
	int err = platform_driver_register(&lone_driver);

	if (err)
		return ERR_PTR(err);
	pdev = platform_device_register_full(&info);
	if (IS_ERR(pdev))
		platform_driver_unregister(&lone_driver);
	else
		pdev->dev.dma_mask = &pdev->dev.coherent_dma_mask;
	return pdev;
}

/*
 * An adapter of @kind, one with as many pages to copy through as happen to be
 * near, or none, but not one that copies to what is too far; and meanwhile
 * @wide, which reaches more.
 */
static void lone_narrow(struct nttest *t, struct device *dev,
			const struct rig_kind *kind, struct rig *wide)
{
	static const struct limits limits = { SZ_64K, U32_MAX };
	struct rig *r = rig_try_on(t, dev, kind);

	REQUIRE(t, r);
	if (r->adapter && r->registers > 16)
		shapes(r, &limits);
	shapes(wide, &limits);
	rig_close(r);
}

/* A second adapter does not narrow what the transfers of the first need. */
static void one_mask(struct nttest *t)
{
	struct platform_device *pdev = lone_create();
	const struct rig_kind *kind;
	struct rig *wide;

	REQUIRE(t, !IS_ERR(pdev));
	wide = rig_open_on(t, &pdev->dev, &rig_wide[0]);
	for (kind = rig_all; wide && kind->name; kind++)
		if (kind->width == 28)
			lone_narrow(t, &pdev->dev, kind, wide);
	if (wide)
		rig_close(wide);
	platform_device_unregister(pdev);
	platform_driver_unregister(&lone_driver);
}

/* As many registers as there can be addresses for, and all of them mapped. */
static void few_addresses(struct nttest *t)
{
	static const struct rig_kind kind = {
		.name = "24 bits, 16 MiB", .version = 3, .width = 24,
		.length = SZ_16M,
	};
	struct request *q;
	struct buffer *b;
	struct rig *r;
	int write;

	if (!dma_get_merge_boundary(rig_device(t, &kind))) {
		nttest_skip(t, "no IOMMU");
		return;
	}
	r = rig_open(t, &kind);
	REQUIRE(t, r);
	EXPECT(t, r->registers > 16 && r->registers * PAGE_SIZE <= SZ_4M);
	for (write = 0; write < 2 && !t->failed; write++) {
		b = buffer_new(r, SCATTERED, 0x123,
			       (r->registers - 1) * PAGE_SIZE);
		q = b ? request_new(r, b->mdl, 0, b->length, write) : NULL;
		if (!EXPECT(t, q) || !request_list(q, BY_BUILD))
			break;
		request_finish(q);
	}
	rig_close(r);
}

#define RUNS	3

/* A run of as many pages as there are registers, and its neighbours. */
static void runs(struct rig *r, const struct limits *limits,
		 enum buffer_shape shape, size_t offset, bool write)
{
	struct request *q[RUNS];
	struct buffer *b;
	ULONG length;
	u64 la;
	int i;

	for (i = 0; i < RUNS; i++) {
		b = buffer_new(r, shape, offset + 0x123,
			       (r->registers - 1) * PAGE_SIZE);
		REQUIRE(r->t, b);
		q[i] = piece_request(r, b->mdl, r->registers, write);
		REQUIRE(r->t, q[i]);
		length = piece_map_only(q[i], 0, b->length, &la);
		REQUIRE(r->t, length == b->length);
		check_run(r, la, length, limits);
		piece_device(q[i], 0, la, length);
	}
	for (i = 0; i < RUNS; i++) {
		piece_flush(q[i], 0, q[i]->length);
		request_check_memory(q[i]);
		request_release(q[i]);
	}
	transfer(r, b, write, limits);
	if (r->kind->version == DEVICE_DESCRIPTION_VERSION3)
		transfer_ex(r, b, write, limits);
}

static void single(struct rig *r, const struct limits *limits)
{
	u64 most = min_t(u64, limits->segment, (u64)limits->boundary + 1);
	enum buffer_shape shape;

	EXPECT(r->t, r->registers >= 2);
	EXPECT(r->t, r->registers <= most >> PAGE_SHIFT);
	for (shape = SCATTERED; shape < SHAPES; shape++) {
		runs(r, limits, shape, 0, true);
		runs(r, limits, shape, 0, false);
		/* As it lies in memory, a run then crosses what is aligned. */
		runs(r, limits, shape, 2 * PAGE_SIZE, true);
		runs(r, limits, shape, 2 * PAGE_SIZE, false);
	}
}

static void single_boundary(struct nttest *t)
{
	under(t, &(struct limits){ SZ_1M, 4 * PAGE_SIZE - 1 }, rig_single,
	      single);
}

static void single_segment(struct nttest *t)
{
	under(t, &(struct limits){ 3 * PAGE_SIZE + 77, U32_MAX }, rig_single,
	      single);
}

static void single_both(struct nttest *t)
{
	under(t, &(struct limits){ 3 * PAGE_SIZE, 8 * PAGE_SIZE - 1 },
	      rig_single, single);
}

/* A run of two pages, which any driver may ask for, would cross. */
static void single_too_small(struct nttest *t)
{
	none_under(t, &(struct limits){ SZ_64K, PAGE_SIZE - 1 }, rig_single);
}

/* A list element below a page could not be counted in map registers. */
static void too_small(struct nttest *t)
{
	none_under(t, &(struct limits){ PAGE_SIZE - 1, U32_MAX }, rig_wide);
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

enum late_way { LATE_LIST, LATE_RUN, LATE_LIST_EX, LATE_WAYS };

/* One transfer; @la is where the device found its first byte. */
static bool late_begin(struct request *q, enum late_way way, u64 *la)
{
	PSCATTER_GATHER_LIST list;
	ULONG length = q->length;

	switch (way) {
	case LATE_LIST:
		if (!request_list(q, BY_GET))
			return false;
		*la = q->list->Elements[0].Address.QuadPart;
		request_move(q);
		return true;
	case LATE_RUN:
		return EXPECT_EQ(q->r->t, piece_map_only(q, 0, length, la),
				 length) && piece_device(q, 0, *la, length);
	default:
		if (!EXPECT_EQ(q->r->t, piece_map_ex(q, 0, length, 1), length))
			return false;
		list = q->room;
		*la = list->Elements[0].Address.QuadPart;
		return true;
	}
}

static void late_end(struct request *q, enum late_way way)
{
	if (way == LATE_LIST)
		request_put(q);
	else if (way == LATE_RUN)
		piece_flush(q, 0, q->length);
	else
		piece_flush_ex(q, 0, q->length);
}

/*
 * The device reads and writes once more where it was told before. What was
 * copied is not copied again; behind an IOMMU it finds nothing there any more;
 * memory that it was given as it is nothing protects, so there it does not.
 */
static void late_access(struct rig *r, struct buffer *b, enum late_way way,
			bool write)
{
	struct request *q;
	int err = 0;
	u8 seen[8];
	u64 la = 0;

	q = way == LATE_LIST ? request_new(r, b->mdl, 0, b->length, write) :
			       piece_request(r, b->mdl, 1, write);
	REQUIRE(r->t, q && late_begin(q, way, &la));
	if (bus_is_page(&r->bus, la, b->pages[0]))
		err = dma_get_merge_boundary(r->bus.dev) ? -EFAULT : 1;
	late_end(q, way);
	if (err <= 0) {
		EXPECT_EQ(r->t, bus_read(&r->bus, la, seen, sizeof(seen)), err);
		EXPECT_EQ(r->t, bus_write(&r->bus, la, "too late", 8), err);
	}
	request_check_memory(q);
	request_release(q);
	request_check_memory(q);
	request_free(q);
}

static void late(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	enum late_way way;

	REQUIRE(t, b);
	for (way = 0; way < LATE_WAYS && !t->failed; way++) {
		if (way == LATE_LIST_EX && r->kind->version < 3)
			break;
		late_access(r, b, way, false);
		late_access(r, b, way, true);
	}
}

static const struct nttest_case cases[] = {
	{ "S7 elements of one page at most", page_elements },
	{ "S7 elements of an odd limit", odd_elements },
	{ "S7 no element crosses two pages", narrow_boundary },
	{ "S7 a limit and a boundary", both_limits },
	{ "S7 memory beyond what the bus reaches", beyond_the_bus },
	{ "S7 a run of memory across the end of the reach",
	  .run_on = across_the_end, .kinds = rig_wide },
	{ "S7 two reaches of a device with one mask", one_mask },
	{ "S7 all that there are addresses for", few_addresses },
	{ "S2 no run crosses a boundary", single_boundary },
	{ "S2 no run is longer than the limit", single_segment },
	{ "S2 a limit and a boundary for runs", single_both },
	{ "S2 bad input: no run of two pages", single_too_small },
	{ "S7 bad input: elements below a page", too_small },
	{ "EC-87 a device that writes too little",
	  .run_on = short_transfer },
	{ "EC-87 a device that comes too late", .run_on = late },
	{ "EC-87 a device that comes too late, version 1", .run_on = late,
	  .kinds = rig_v1 },
	{ }
};

const struct nttest_suite nttest_limits = {
	.name = "limits",
	.cases = cases,
};
