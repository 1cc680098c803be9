// SPDX-License-Identifier: GPL-2.0
/*
 * System DMA by contract case, on the mock controller: an adapter, and
 * transfers that run to their end.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include "../../uapi/linux/ntdma.h"
#include "hooks.h"
#include "sys.h"

#define V3	DEVICE_DESCRIPTION_VERSION3

/* Opening */

static void unknown_line(struct nttest *t)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	ULONG version;

	for (version = 0; version <= V3; version++) {
		sys_describe(&dd, version, DMAC_LINES);
		EXPECT(t, !sys_opens(s, &dd));
		sys_describe(&dd, version, U32_MAX);
		EXPECT(t, !sys_opens(s, &dd));
	}
}

static void not_unknown_line(struct nttest *t)
{
	ULONG version;

	for (version = 0; version <= V3; version++)
		EXPECT(t, sys_open(t->priv, version, version % DMAC_LINES));
}

static void unknown_width(struct nttest *t)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;

	sys_describe(&dd, V3, 0);
	dd.DmaWidth = Width64Bits;
	EXPECT(t, !sys_opens(s, &dd));
	dd.DmaWidth = MaximumDmaWidth;
	EXPECT(t, !sys_opens(s, &dd));
	dd.DmaWidth = Width16Bits;
	EXPECT(t, sys_open_as(s, &dd));
}

/* What the description says of lists and addresses is for bus masters. */
static void info(struct nttest *t)
{
	DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	struct rig *r;

	s->dmac->lines[1].limit = 4;
	sys_describe(&dd, V3, 1);
	dd.DmaAddressWidth = 0;
	r = sys_open_as(s, &dd);
	REQUIRE(t, r);
	EXPECT_EQ(t, r->ops->GetDmaAdapterInfo(r->adapter, &info),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, info.V1.ScatterGatherLimit, 4);
	EXPECT(t, info.V1.ReadDmaCounterAvailable);
	EXPECT_EQ(t, info.V1.MinimumTransferUnit, 4);
	EXPECT_EQ(t, info.V1.DmaAddressWidth, fls64(dma_get_mask(t->dev)));
	EXPECT_EQ(t, info.V1.Flags, 0);
	EXPECT_EQ(t, r->ops->GetDmaAlignment(r->adapter) % 4, 0);
}

static void info_no_counter(struct nttest *t)
{
	DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
	struct sys *s = t->priv;
	struct rig *r;

	s->dmac->lines[1].residue = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	r = sys_open(s, V3, 1);
	REQUIRE(t, r);
	EXPECT_EQ(t, r->ops->GetDmaAdapterInfo(r->adapter, &info),
		  STATUS_SUCCESS);
	EXPECT(t, !info.V1.ReadDmaCounterAvailable);
}

/* The counter is there, and the description says that it is wrong. */
static void ignore_count(struct nttest *t)
{
	DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	ULONG version;
	struct job j;

	for (version = 0; version <= V3; version += V3) {
		sys_describe(&dd, version, 1);
		dd.IgnoreCount = TRUE;
		REQUIRE(t, job_begin(&j, s, sys_open_as(s, &dd), 1, PAGE_SIZE,
				     true));
		if (version)
			EXPECT_EQ(t, j.r->ops->GetDmaAdapterInfo(j.r->adapter,
								 &info),
				  STATUS_SUCCESS);
		EXPECT(t, !info.V1.ReadDmaCounterAvailable);
		EXPECT_EQ(t, job_packet_map(&j, 0, PAGE_SIZE), PAGE_SIZE);
		EXPECT_EQ(t, dmac_step(j.line, 100), 100);
		EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter),
			  version ? 0 : PAGE_SIZE - 100);
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE - 100);
		job_packet_flush(&j, 0, PAGE_SIZE);
		request_release(j.q);
	}
}

static void unchanged(struct nttest *t)
{
	DEVICE_DESCRIPTION dd, before;
	ULONG version;

	for (version = 0; version <= V3; version++) {
		sys_describe(&dd, version, 0);
		before = dd;
		EXPECT(t, sys_open_as(t->priv, &dd));
		EXPECT(t, !memcmp(&before, &dd, sizeof(dd)));
	}
}

/* Two devices behind one line, or one device with two registers. */
static void two_widths(struct nttest *t)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	struct rig *wide = sys_open(s, V3, 0), *narrow;
	struct job j;
	int i;

	sys_describe(&dd, V3, 0);
	dd.DmaWidth = Width16Bits;
	narrow = sys_open_as(s, &dd);
	for (i = 0; i < 4; i++) {
		REQUIRE(t, job_begin(&j, s, i % 2 ? narrow : wide, 0, 256, true));
		job_piece(&j, 0, 256);
		EXPECT_EQ(t, j.line->width, i % 2 ? 2 : 4);
		request_release(j.q);
	}
}

/* Packet transfers of versions 1 and 2 */

static void packet(struct nttest *t)
{
	ULONG half = 2 * PAGE_SIZE;
	struct sys *s = t->priv;
	ULONG version;
	struct job j;
	int write;

	for (version = 1; version <= 2; version++) {
		struct rig *r = sys_open(s, version, 2);

		for (write = 0; write < 2; write++) {
			REQUIRE(t, job_begin(&j, s, r, 2, 2 * half, write));
			job_packet(&j, 0, half);
			job_packet(&j, half, half);
			request_release(j.q);
			request_check_memory(j.q);
		}
	}
}

/*
 * The device's interrupt may come before the controller tells of its end, and
 * then no client of versions 1 and 2 can know that the controller has not.
 */
static void packet_untold(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	long before;

	REQUIRE(t, job_begin(&j, s, sys_open(s, 1, 2), 2, PAGE_SIZE, false));
	before = ntdma_misused(NTDMA_RULE_FLUSHED_RUNNING);
	j.line->hold = true;
	job_packet(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, ntdma_misused(NTDMA_RULE_FLUSHED_RUNNING), before);
	j.line->hold = false;
	dmac_fire(j.line);
	request_release(j.q);
	REQUIRE(t, job_begin(&j, s, j.r, 2, PAGE_SIZE, false));
	job_packet(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* What the controller does not take whole is not started, and nothing stays. */
static void packet_refused(struct nttest *t)
{
	static const ULONG length[] = { 254, PAGE_SIZE, 256, 256 };
	static const size_t at[] = { 0, 0, 2, 2 * PAGE_SIZE };
	struct sys *s = t->priv;
	struct job j;
	int i;

	REQUIRE(t, job_begin(&j, s, sys_open(s, 1, 2), 2, 2 * PAGE_SIZE, true));
	for (i = 0; i < ARRAY_SIZE(length); i++) {
		j.line->fail_prep = length[i] == PAGE_SIZE;
		EXPECT_EQ(t, job_packet_map(&j, at[i], length[i]), 0);
		EXPECT_EQ(t, j.line->starts, 0);
		j.line->fail_prep = false;
	}
	job_packet(&j, 0, 2 * PAGE_SIZE);
	request_release(j.q);
}

/* The second is refused, and the first is not disturbed. */
static void packet_twice(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, 1, 2), 2, 2 * PAGE_SIZE, true));
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_packet_map(&j, 0, PAGE_SIZE), PAGE_SIZE);
	EXPECT_EQ(t, job_packet_map(&j, PAGE_SIZE, PAGE_SIZE), 0);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
	job_packet_flush(&j, 0, PAGE_SIZE);
	job_check(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->starts, 1);
	request_release(j.q);
}

/* As many as the controller takes at once, since nothing is left for later. */
static void packet_limit(struct nttest *t)
{
	struct sys *s = t->priv;
	struct request *q;
	struct job j;

	s->dmac->lines[2].limit = 4;
	REQUIRE(t, job_begin(&j, s, sys_open(s, 1, 2), 2, 4 * PAGE_SIZE, true));
	EXPECT_EQ(t, j.r->registers, 4);
	job_packet(&j, 0, 4 * PAGE_SIZE);
	request_release(j.q);
	q = request_channel(j.r, 5, KeepObject);
	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

/* All or nothing, also with registers that have no pages to copy through. */
static void packet_failures(struct nttest *t)
{
	ULONG mapped, length = 3 * PAGE_SIZE;
	struct sys *s = t->priv;
	bool hit = true;
	struct job j;
	int n;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, length, true));
	for (n = 1; n < 64 && hit && !t->failed; n++) {
		job_load(&j, 0, length);
		ntdma_fail_nth(n);
		mapped = job_packet_map(&j, 0, length);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT(t, mapped == length || (hit && !mapped));
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), mapped);
		job_packet_flush(&j, 0, mapped);
		job_check(&j, 0, mapped);
	}
	EXPECT(t, n > 2 && !hit);
	request_release(j.q);
}

/* Transfers of version 3 */

static void pieces(struct nttest *t)
{
	struct sys *s = t->priv;
	ULONG length = 5 * PAGE_SIZE, at;
	struct job j;
	int write, n;

	s->dmac->lines[3].limit = 2;
	for (write = 0; write < 2; write++) {
		REQUIRE(t, job_begin(&j, s, write ? s->rigs[0] :
				     sys_open(s, V3, 3), 3, length, write));
		for (at = 0, n = 0; at < length && !t->failed; n++) {
			job_piece(&j, at, length - at);
			EXPECT_EQ(t, j.line->config.direction, j.line->dir);
			at += j.mapped;
		}
		EXPECT(t, n >= 3);
		request_release(j.q);
		request_check_memory(j.q);
	}
}

/* The controller takes lists, and what is not merged goes as one. */
static void every_shape(struct nttest *t)
{
	struct sys *s = t->priv;
	struct rig *r = sys_open(s, V3, 3);
	ULONG length = 3 * PAGE_SIZE + 52, at;
	unsigned int count = 0;
	struct buffer *b;
	struct job j;
	int shape;

	REQUIRE(t, r);
	for (shape = 0; shape < SHAPES; shape++) {
		b = buffer_new(r, shape, 64, length);
		REQUIRE(t, b && job_init(&j, s, r, 3));
		REQUIRE(t, job_hold(&j, b->mdl, length, shape % 2));
		for (at = 0; at < length && !t->failed; at += j.mapped) {
			job_piece(&j, at, length - at);
			count = max(count, j.line->count);
		}
		request_release(j.q);
		request_check_memory(j.q);
	}
	if (!dma_get_merge_boundary(t->dev))
		EXPECT(t, count > 1);
}

static void device_offset(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 1), 1, 256, true));
	job_load(&j, 0, 256);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, 256, 0x10), STATUS_SUCCESS));
	EXPECT_EQ(t, j.line->address, DMAC_FIFO(1) + 0x10);
	dmac_step(j.line, 256);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, 256), STATUS_SUCCESS);
	EXPECT_EQ(t, job_map(&j, 0, 256, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, j.line->address, DMAC_FIFO(1));
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&j, 0, 256), STATUS_SUCCESS);
	request_release(j.q);
}

/* Where the kernel's physical addresses have 32 bits there is no such device. */
static void far_device(struct nttest *t)
{
	const u64 address = 0x1234567000ULL;
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	struct job j;

	sys_describe(&dd, V3, 1);
	dd.DeviceAddress.QuadPart = address;
	if (sizeof(phys_addr_t) < sizeof(u64)) {
		EXPECT(t, !sys_opens(s, &dd));
		EXPECT_EQ(t, s->dmac->lines[1].chan.client_count, 0);
		return;
	}
	REQUIRE(t, job_begin(&j, s, sys_open_as(s, &dd), 1, 256, true));
	EXPECT_EQ(t, job_map(&j, 0, 256, 0x10), STATUS_SUCCESS);
	EXPECT_EQ(t, j.line->address, address + 0x10);
	EXPECT_EQ(t, dmac_step(j.line, 256), 256);
	EXPECT_EQ(t, job_flush(&j, 0, 256), STATUS_SUCCESS);
	request_release(j.q);
}

static void sg_limit(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	ULONG at;
	int n = 0;

	s->dmac->lines[0].limit = 4;
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, 4 * PAGE_SIZE, true));
	request_release(j.q);
	j.q = NULL;
	REQUIRE(t, job_begin(&j, s, s->rigs[0], 0, 10 * SZ_4K, true));
	for (at = 0; at < 10 * SZ_4K && !t->failed; at += j.mapped, n++) {
		job_piece(&j, at, 10 * SZ_4K - at);
		EXPECT(t, j.mapped <= 4 * PAGE_SIZE);
	}
	EXPECT(t, n >= DIV_ROUND_UP(10 * SZ_4K, 4 * PAGE_SIZE));
	request_release(j.q);
}

static void long_segment(struct nttest *t)
{
	unsigned int before = dma_get_max_seg_size(t->dev);
	const ULONG length = 8 * PAGE_SIZE;
	struct sys *s = t->priv;
	struct buffer *b;
	struct job j;
	ULONG at;

	dma_set_max_seg_size(t->dev, PAGE_SIZE);
	s->dmac->lines[0].limit = 2;
	if (EXPECT(t, job_init(&j, s, sys_open(s, V3, 0), 0))) {
		b = buffer_new(j.r, RUN, 0, length);
		if (b && job_hold(&j, b->mdl, length, true)) {
			for (at = 0; at < length && !t->failed; at += j.mapped)
				job_piece(&j, at, length - at);
			request_release(j.q);
		}
	}
	dma_set_max_seg_size(t->dev, before);
}

static void null_list(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	s->dmac->lines[0].limit = 1;
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* Whole units, so that nothing but the range is wrong. */
static void bad_arguments(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, job_map(&j, PAGE_SIZE, 4, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE + 4, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_map(&j, 0, 0, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	EXPECT_EQ(t, j.line->starts, 0);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* While one runs it is refused, and the one that runs is not disturbed. */
static void mapped_twice(struct nttest *t)
{
	ULONG second = PAGE_SIZE;
	struct sys *s = t->priv;
	struct job j;
	KIRQL old;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, 2 * PAGE_SIZE, true));
	job_load(&j, 0, 2 * PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, 100), 100);
	old = rig_raise();
	EXPECT_EQ(t, j.r->ops->MapTransferEx(j.r->adapter, j.q->mdl, j.q->base,
					     PAGE_SIZE, 0, &second, TRUE, NULL,
					     0, job_done, &j),
		  STATUS_INVALID_PARAMETER);
	KeLowerIrql(old);
	EXPECT_EQ(t, second, PAGE_SIZE);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE - 100);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, j.line->starts, 1);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/**
 * struct listed - a transfer with a list
 * @j: the transfer
 * @size: of @list in bytes
 * @list: where MapTransferEx writes the list
 */
struct listed {
	struct job j;
	ULONG size;
	PSCATTER_GATHER_LIST list;
};

static bool listed_begin(struct listed *l, struct sys *s, struct rig *r,
			 ULONG length, bool write, int elements)
{
	l->size = offsetof(SCATTER_GATHER_LIST, Elements) +
		  elements * sizeof(SCATTER_GATHER_ELEMENT);
	if (!job_begin(&l->j, s, r, 0, length, write))
		return false;
	l->list = kzalloc(l->size, GFP_KERNEL);
	if (EXPECT(s->t, l->list))
		return true;
	request_release(l->j.q);
	return false;
}

static void listed_end(struct listed *l)
{
	request_release(l->j.q);
	kfree(l->list);
}

/* MapTransferEx with the first @size bytes of the list. */
static NTSTATUS listed_map(struct listed *l, ULONG length, ULONG size)
{
	struct job *j = &l->j;
	NTSTATUS status;
	KIRQL old;

	j->mapped = length;
	old = rig_raise();
	status = j->r->ops->MapTransferEx(j->r->adapter, j->q->mdl, j->q->base,
					  0, 0, &j->mapped, j->q->write,
					  l->list, size, job_done, j);
	KeLowerIrql(old);
	return status;
}

/* Elements are there, and what they cover is @mapped. */
static bool listed_sum(struct listed *l, ULONG mapped)
{
	struct nttest *t = l->j.r->t;
	ULONG i, sum = 0;

	for (i = 0; i < l->list->NumberOfElements; i++)
		sum += l->list->Elements[i].Length;
	return EXPECT(t, l->list->NumberOfElements >= 1) &
	       EXPECT_EQ(t, sum, mapped);
}

/* What the elements name is the first bytes of the image, in order. */
static void listed_show(struct listed *l)
{
	struct nttest *t = l->j.r->t;
	u8 *seen = kvmalloc(l->j.mapped, GFP_KERNEL);
	ULONG i, at = 0;

	REQUIRE(t, seen);
	for (i = 0; i < l->list->NumberOfElements; i++) {
		PSCATTER_GATHER_ELEMENT e = &l->list->Elements[i];

		EXPECT_EQ(t, bus_read(&l->j.r->bus, e->Address.QuadPart,
				      seen + at, e->Length), 0);
		at += e->Length;
	}
	pattern_same(t, "the list", seen, l->j.q->image, at);
	kvfree(seen);
}

#define SCRIBBLE	0xa5

static void scribble(struct job *j)
{
	struct listed *l = container_of(j, struct listed, j);

	listed_sum(l, j->mapped);
	j->mapped = 0xdeadbeef;
	memset(l->list, SCRIBBLE, l->size);
}

static void completes_first(struct nttest *t)
{
	struct sys *s = t->priv;
	struct listed l;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return;
	}
	s->dmac->lines[0].limit = 2;
	s->dmac->lines[0].fast = true;
	REQUIRE(t, listed_begin(&l, s, sys_open(s, V3, 0), 4 * PAGE_SIZE, true,
				4));
	job_load(&l.j, 0, 4 * PAGE_SIZE);
	l.j.hook = scribble;
	EXPECT_EQ(t, listed_map(&l, 4 * PAGE_SIZE, l.size), STATUS_SUCCESS);
	EXPECT(t, l.j.line->fast_met);
	EXPECT(t, job_completed(&l.j, DmaComplete));
	EXPECT(t, l.j.seen > 0 && l.j.seen < 4 * PAGE_SIZE);
	EXPECT_EQ(t, l.j.mapped, 0xdeadbeef);
	EXPECT(t, !memchr_inv(l.list, SCRIBBLE, l.size));
	EXPECT_EQ(t, job_flush(&l.j, 0, l.j.seen), STATUS_SUCCESS);
	job_check(&l.j, 0, l.j.seen);
	listed_end(&l);
}

static void prep_fails(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.line->fail_prep = true;
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
		  STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_map(&j, 0, 255, 0), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, j.mapped, 255);
	j.line->fail_prep = false;
	j.line->fail_submit = true;
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
		  STATUS_INSUFFICIENT_RESOURCES);
	j.line->fail_submit = false;
	j.line->fail_config = true;
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0x20), STATUS_INVALID_PARAMETER);
	j.line->fail_config = false;
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	EXPECT_EQ(t, j.line->starts, 0);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0x20), STATUS_SUCCESS);
	EXPECT_EQ(t, j.line->address, DMAC_FIFO(0) + 0x20);
	dmac_step(j.line, DMAC_STREAM);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* Nothing is mapped after a refusal, and a cancel is for the next then. */
static void refused_cancelled(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.line->fail_prep = true;
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
		  STATUS_INSUFFICIENT_RESOURCES);
	j.line->fail_prep = false;
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_CANCELLED);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_INVALID_PARAMETER);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* A register of four bytes wants memory in fours. */
static void part_units(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_load(&j, 0, 255);
	EXPECT_EQ(t, job_map(&j, 0, 255, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, j.mapped, 252);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 252);
	EXPECT_EQ(t, job_flush(&j, 0, 252), STATUS_SUCCESS);
	EXPECT_EQ(t, job_map(&j, 2, 256, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, j.mapped, 256);
	EXPECT_EQ(t, job_map(&j, 0, 3, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, j.line->starts, 1);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static int fails_left;

static void fail_again(void)
{
	if (--fails_left > 0)
		ntdma_fail_nth(1);
}

/* Fewer bytes than fit, because a page of its own replaces what cannot map. */
static void part_units_failing(struct nttest *t)
{
	struct sys *s = t->priv;
	struct buffer *b;
	struct rig *r;
	struct job j;
	bool fails;

	s->dmac->lines[0].min_burst = 16;
	s->dmac->lines[0].limit = 4;
	ntdma_fail_expect(true);
	r = sys_open(s, V3, 0);
	ntdma_fail_expect(false);
	REQUIRE(t, job_init(&j, s, r, 0));
	b = buffer_new(j.r, PAIRS, 4, 8 * PAGE_SIZE - 4);
	REQUIRE(t, b && job_hold(&j, b->mdl, b->length, true));
	fails = !b->far && !rig_copies(j.r);
	fails_left = 2;
	ntdma_fail_call(fail_again);
	ntdma_fail_nth(fails);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, b->length, 0), STATUS_SUCCESS));
	ntdma_fail_nth(0);
	ntdma_fail_call(NULL);
	EXPECT(t, j.mapped);
	EXPECT_EQ(t, j.mapped % 64, 0);
	if (fails) {
		EXPECT_EQ(t, fails_left, 0);
		EXPECT_EQ(t, j.mapped, 6 * PAGE_SIZE - 64);
	}
	job_load(&j, 0, b->length);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), j.mapped);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, j.mapped), STATUS_SUCCESS);
	job_check(&j, 0, j.mapped);
	request_release(j.q);
}

static void each_failure(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int n;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, 4 * SZ_4K, true));
	for (n = 1; n < 64 && !t->failed; n++) {
		NTSTATUS status;

		job_load(&j, 0, 4 * SZ_4K);
		ntdma_fail_nth(n);
		status = job_map(&j, 0, 4 * SZ_4K, 0);
		if (!NT_SUCCESS(status)) {
			EXPECT_EQ(t, status, STATUS_INSUFFICIENT_RESOURCES);
			EXPECT(t, ntdma_fail_hit());
			EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
			EXPECT_EQ(t, atomic_read(&j.calls), 0);
			continue;
		}
		dmac_step(j.line, DMAC_STREAM);
		EXPECT(t, job_completed(&j, DmaComplete));
		EXPECT_EQ(t, job_flush(&j, 0, j.mapped), STATUS_SUCCESS);
		job_check(&j, 0, j.mapped);
		if (!ntdma_fail_hit())
			break;
	}
	ntdma_fail_nth(0);
	request_release(j.q);
}

/* The channel once more for @q, whose context is as good as new. */
static bool again(struct request *q, ULONG registers)
{
	struct rig *r = q->r;

	q->registers = registers;
	r->ops->InitializeDmaTransferContext(r->adapter, q->context);
	return EXPECT_EQ(r->t, r->kind->version < V3 ? request_allocate(q) :
			       request_allocate_ex(q, 0), STATUS_SUCCESS) &&
	       request_ran(q);
}

/*
 * Memory for a transfer comes with the channel, but for the controller's, and
 * the adapter has it from its last transfer.
 */
static void no_allocation(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int write;

	for (write = 0; write < 2; write++) {
		REQUIRE(t, job_begin(&j, s, sys_open(s, V3, write), write,
				     4 * PAGE_SIZE, write));
		ntdma_fail_nth(-1);
		job_piece(&j, 0, 4 * PAGE_SIZE);
		job_piece(&j, 0, PAGE_SIZE);
		request_release(j.q);
		if (again(j.q, 1)) {
			job_piece(&j, 0, PAGE_SIZE);
			request_release(j.q);
		}
		if (again(j.q, 4)) {
			job_piece(&j, 0, 4 * PAGE_SIZE);
			request_release(j.q);
		}
		EXPECT(t, !ntdma_fail_hit());
		ntdma_fail_nth(0);
	}
}

/* Those that are kept are too few, and the new ones are kept then. */
static void more_registers(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int i;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, 4 * PAGE_SIZE, true));
	request_release(j.q);
	for (i = 0; i < 3; i++) {
		ULONG count = i < 2 ? 1 << (2 * i) : 2;

		REQUIRE(t, again(j.q, count));
		EXPECT_EQ(t, job_map(&j, 0, 4 * PAGE_SIZE, 0), STATUS_SUCCESS);
		EXPECT_EQ(t, j.mapped, count * PAGE_SIZE);
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), j.mapped);
		EXPECT_EQ(t, job_flush(&j, 0, j.mapped), STATUS_SUCCESS);
		request_release(j.q);
	}
}

/* A controller that calls back from its interrupt, of success and of failure. */
static void from_interrupt(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int i;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.line->hard = true;
	for (i = 0; i < 20; i++)
		job_piece(&j, 0, PAGE_SIZE);
	j.line->error_at = 100;
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	dmac_step(j.line, DMAC_STREAM);
	EXPECT(t, job_completed(&j, DmaError));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
}

/* Also when the controller calls it an abort. */
static void controller_error(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int aborts;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	for (aborts = 0; aborts < 2; aborts++) {
		j.line->aborts = aborts;
		j.line->error_at = 100;
		job_load(&j, 0, PAGE_SIZE);
		REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
				     STATUS_SUCCESS));
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 100);
		EXPECT(t, job_completed(&j, DmaError));
		EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
		EXPECT(t, job_completed(&j, DmaError));
		j.line->error_at = 0;
		job_piece(&j, 0, PAGE_SIZE);
	}
	request_release(j.q);
}

static void next_piece(struct job *j)
{
	struct rig *r = j->r;
	ULONG half = PAGE_SIZE / 2;

	if (atomic_read(&j->calls))
		return;
	EXPECT_EQ(r->t, r->ops->FlushAdapterBuffersEx(r->adapter, j->q->mdl,
						      j->q->base, 0, half,
						      j->q->write),
		  STATUS_SUCCESS);
	j->mapped = half;
	EXPECT_EQ(r->t, r->ops->MapTransferEx(r->adapter, j->q->mdl, j->q->base,
					      half, 0, &j->mapped, j->q->write,
					      NULL, 0, job_done, j),
		  STATUS_SUCCESS);
}

static void from_completion(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.hook = next_piece;
	job_load(&j, 0, PAGE_SIZE);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE / 2, 0), STATUS_SUCCESS));
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE / 2);
	EXPECT_EQ(t, atomic_read(&j.calls), 1);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE / 2);
	EXPECT_EQ(t, atomic_read(&j.calls), 2);
	EXPECT_EQ(t, j.status, DmaComplete);
	EXPECT_EQ(t, job_flush(&j, PAGE_SIZE / 2, PAGE_SIZE / 2), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* By hand, as another processor is just busy with the first. */
static void next_by_hand(struct job *j)
{
	j->line->fast = false;
	next_piece(j);
}

/* The next is mapped and started while MapTransferEx of the first goes on. */
static void from_early_completion(struct nttest *t)
{
	const ULONG half = PAGE_SIZE / 2;
	struct sys *s = t->priv;
	struct job j;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return;
	}
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.hook = next_by_hand;
	j.line->fast = true;
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, half, 0), STATUS_SUCCESS);
	EXPECT(t, j.line->fast_met);
	EXPECT_EQ(t, atomic_read(&j.calls), 1);
	EXPECT_EQ(t, j.line->starts, 2);
	EXPECT_EQ(t, j.mapped, half);
	EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter), half);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), half);
	EXPECT_EQ(t, atomic_read(&j.calls), 2);
	EXPECT_EQ(t, j.status, DmaComplete);
	EXPECT_EQ(t, job_flush(&j, half, half), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void free_all(struct job *j)
{
	job_flush(j, 0, PAGE_SIZE);
	request_release(j->q);
}

static void all_in_completion(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.hook = free_all;
	j.line->rate = 512;
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaComplete));
	job_check(&j, 0, PAGE_SIZE);
}

/* Counting */

static void counts(struct nttest *t, struct job *j,
		   enum dma_residue_granularity residue, ULONG most)
{
	ULONG length = 4 * PAGE_SIZE, done, left;

	j->line->residue = residue;
	REQUIRE(t, EXPECT_EQ(t, job_map(j, 0, length, 0), STATUS_SUCCESS));
	for (done = 0; done < length; done += PAGE_SIZE / 2) {
		left = j->r->ops->ReadDmaCounter(j->r->adapter);
		EXPECT(t, left >= length - done && left <= length);
		EXPECT(t, left - (length - done) <= most);
		dmac_step(j->line, PAGE_SIZE / 2);
	}
	EXPECT_EQ(t, j->r->ops->ReadDmaCounter(j->r->adapter), 0);
	EXPECT_EQ(t, job_flush(j, 0, length), STATUS_SUCCESS);
}

static void counter(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, 4 * PAGE_SIZE, true));
	counts(t, &j, DMA_RESIDUE_GRANULARITY_BURST, 0);
	j.line->surplus = 2 * PAGE_SIZE;
	counts(t, &j, DMA_RESIDUE_GRANULARITY_BURST, 2 * PAGE_SIZE);
	j.line->hold = true;
	EXPECT_EQ(t, job_map(&j, 0, 4 * PAGE_SIZE, 0), STATUS_SUCCESS);
	dmac_step(j.line, DMAC_STREAM);
	EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter), 0);
	dmac_fire(j.line);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, 4 * PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
}

/* What is left from the start of the element that @done is in. */
static ULONG listed_left(const struct listed *l, ULONG done)
{
	ULONG i, at = 0;

	for (i = 0; i < l->list->NumberOfElements; i++) {
		if (at + l->list->Elements[i].Length > done)
			break;
		at += l->list->Elements[i].Length;
	}
	return l->j.mapped - at;
}

/* Where nothing merges the pages, each of the four is an element. */
static void counter_elements(struct nttest *t)
{
	ULONG length = 4 * PAGE_SIZE, step = PAGE_SIZE / 4, done;
	struct sys *s = t->priv;
	struct listed l;
	struct rig *r;

	s->dmac->lines[0].residue = DMA_RESIDUE_GRANULARITY_SEGMENT;
	REQUIRE(t, listed_begin(&l, s, sys_open(s, V3, 0), length, true, 4));
	r = l.j.r;
	EXPECT_EQ(t, listed_map(&l, length, l.size), STATUS_SUCCESS);
	EXPECT_EQ(t, l.j.mapped, length);
	if (!dma_get_merge_boundary(t->dev))
		EXPECT_EQ(t, l.list->NumberOfElements, 4);
	for (done = 0; done < length && !t->failed; done += step) {
		EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter),
			  listed_left(&l, done));
		EXPECT_EQ(t, dmac_step(l.j.line, step), step);
	}
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), 0);
	EXPECT_EQ(t, job_flush(&l.j, 0, length), STATUS_SUCCESS);
	listed_end(&l);
}

static void no_counter(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	s->dmac->lines[0].residue = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	dmac_step(j.line, 100);
	EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter), 0);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
}

/* What only bus masters have */

static void no_lists(struct nttest *t)
{
	struct sys *s = t->priv;
	enum producer how;
	struct request *q;
	struct buffer *b;
	struct rig *r;

	r = sys_open(s, V3, 0);
	REQUIRE(t, r);
	b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	REQUIRE(t, b);
	for (how = 0; how < PRODUCERS; how++) {
		q = request_new(r, b->mdl, 0, PAGE_SIZE, true);
		REQUIRE(t, q);
		EXPECT(t, request_make_room(q, SZ_4K));
		EXPECT_EQ(t, request_submit(q, how), STATUS_INVALID_PARAMETER);
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
		request_free(q);
	}
}

/* The list is optional, and then true. */
static void with_list(struct nttest *t)
{
	ULONG length = 4 * PAGE_SIZE;
	struct sys *s = t->priv;
	struct listed l;

	REQUIRE(t, listed_begin(&l, s, sys_open(s, V3, 0), length, true, 8));
	job_load(&l.j, 0, length);
	EXPECT_EQ(t, listed_map(&l, length, l.size), STATUS_SUCCESS);
	EXPECT_EQ(t, l.j.mapped, length);
	if (listed_sum(&l, length))
		listed_show(&l);
	EXPECT_EQ(t, dmac_step(l.j.line, DMAC_STREAM), length);
	EXPECT_EQ(t, job_flush(&l.j, 0, length), STATUS_SUCCESS);
	job_check(&l.j, 0, length);
	listed_end(&l);
}

/* Room for no element, and for one. */
static void short_list(struct nttest *t)
{
	ULONG length = 4 * PAGE_SIZE;
	struct sys *s = t->priv;
	struct listed l;

	REQUIRE(t, listed_begin(&l, s, sys_open(s, V3, 0), length, true, 1));
	EXPECT_EQ(t, listed_map(&l, length, l.size - 1),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, l.j.line->starts, 0);
	job_load(&l.j, 0, length);
	EXPECT_EQ(t, listed_map(&l, length, l.size), STATUS_SUCCESS);
	EXPECT_EQ(t, l.j.mapped, PAGE_SIZE);
	if (listed_sum(&l, PAGE_SIZE))
		listed_show(&l);
	EXPECT_EQ(t, dmac_step(l.j.line, DMAC_STREAM), PAGE_SIZE);
	EXPECT_EQ(t, job_flush(&l.j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&l.j, 0, PAGE_SIZE);
	listed_end(&l);
}

/* Room as GetDmaTransferInfo says takes all of the transfer. */
static void told_size(struct nttest *t)
{
	DMA_TRANSFER_INFO told = { .Version = DMA_TRANSFER_INFO_VERSION1 };
	ULONG length = 3 * PAGE_SIZE + 52;
	struct sys *s = t->priv;
	struct listed l;

	REQUIRE(t, listed_begin(&l, s, sys_open(s, V3, 0), length, true, 64));
	EXPECT_EQ(t, l.j.r->ops->GetDmaTransferInfo(l.j.r->adapter, l.j.q->mdl,
						    0, length, TRUE, &told),
		  STATUS_SUCCESS);
	EXPECT(t, told.V1.MapRegisterCount <= l.j.q->registers);
	if (EXPECT(t, told.V1.ScatterGatherListSize <= l.size)) {
		job_load(&l.j, 0, length);
		EXPECT_EQ(t, listed_map(&l, length,
					told.V1.ScatterGatherListSize),
			  STATUS_SUCCESS);
		EXPECT_EQ(t, l.j.mapped, length);
		EXPECT(t, l.list->NumberOfElements <=
		       told.V1.ScatterGatherElementCount);
		EXPECT_EQ(t, job_flush(&l.j, 0, length), STATUS_SUCCESS);
	}
	listed_end(&l);
}

/* Three MDLs, the flush with what was asked for instead of what was mapped. */
static void chain(struct nttest *t)
{
	const size_t offset[] = { 0, 64, 0 };
	const size_t length[] = { PAGE_SIZE, PAGE_SIZE, 256 };
	ULONG total = 2 * PAGE_SIZE + 256;
	struct sys *s = t->priv;
	struct job j;
	int write;

	s->dmac->lines[0].limit = 3;
	for (write = 0; write < 2; write++) {
		ULONG at;
		PMDL mdl;

		REQUIRE(t, job_init(&j, s, write ? s->rigs[0] :
				    sys_open(s, V3, 0), 0));
		mdl = buffer_chain(j.r, offset, length, 3);
		REQUIRE(t, mdl && job_hold(&j, mdl, total, write));
		for (at = 0; at < total && !t->failed; at += j.mapped) {
			job_load(&j, at, total - at);
			EXPECT_EQ(t, job_map(&j, at, total - at, 0),
				  STATUS_SUCCESS);
			EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), j.mapped);
			EXPECT_EQ(t, job_flush(&j, at, total - at),
				  STATUS_SUCCESS);
			job_check(&j, at, j.mapped);
		}
		request_release(j.q);
	}
}

static const struct nttest_case cases[] = {
	{ "EC-17 a line that no controller has", unknown_line },
	{ "S5 adapters of every version", not_unknown_line },
	{ "EC-17 a width that the controller lacks", unknown_width },
	{ "EC-18 the description of a subordinate is not changed", unchanged },
	{ "EC-16 EC-23 S11 GetDmaAdapterInfo has the controller's limits", info },
	{ "S11 no counter where the controller has none", info_no_counter },
	{ "S5 EC-92 IgnoreCount, which version 0 has not", ignore_count },
	{ "S5 EC-85 packets by MapTransfer, and the counter", packet },
	{ "0xE6:23 S5 the flush is what ends a packet", packet_untold },
	{ "EC-85 a packet that the controller does not take", packet_refused },
	{ "EC-85 a second packet before the flush", packet_twice },
	{ "EC-42 EC-85 registers as the controller has elements", packet_limit },
	{ "EC-85 each failure inside a packet", packet_failures },
	{ "S22 adapters of one line with their own widths", two_widths },
	{ "S11 several pieces", pieces },
	{ "EC-16 S11 memory of every shape", every_shape },
	{ "EC-110 DeviceOffset", device_offset },
	{ "EC-17 EC-110 DeviceAddress above 4 GiB", far_device },
	{ "EC-111 no more elements than the controller takes", sg_limit },
	{ "EC-111 no longer elements than the controller takes", long_segment },
	{ "EC-104 no list", null_list },
	{ "EC-100 EC-101 EC-102 EC-109 bad arguments", bad_arguments },
	{ "S17 EC-97 a second MapTransferEx while one runs", mapped_twice },
	{ "EC-107 EC-108 complete before MapTransferEx returns", completes_first },
	{ "EC-109 EC-110 the controller refuses", prep_fails },
	{ "EC-109 EC-122 cancel after the controller refused", refused_cancelled },
	{ "EC-111 parts of a data register", part_units },
	{ "EC-111 parts of a burst where mappings fail", part_units_failing },
	{ "EC-109 each failure inside", each_failure },
	{ "EC-115 nothing is allocated for a transfer", no_allocation },
	{ "EC-98 EC-115 more registers than the last transfer had", more_registers },
	{ "EC-128 S11 controller error", controller_error },
	{ "EC-127 EC-128 reported in a hard interrupt", from_interrupt },
	{ "EC-129 EC-127 next piece from the completion", from_completion },
	{ "EC-129 EC-107 S11 next piece before MapTransferEx returns",
	  from_early_completion },
	{ "EC-129 all given back in the completion", all_in_completion },
	{ "S5 EC-92 counter as exact as the controller's", counter },
	{ "S5 EC-92 a counter of whole elements", counter_elements },
	{ "S5 EC-92 no counter, no count", no_counter },
	{ "EC-146 no lists of system DMA", no_lists },
	{ "EC-106 a list of what is transferred", with_list },
	{ "EC-94 EC-95 EC-96 a list with room for one element, and for none",
	  short_list },
	{ "EC-29 EC-36 a list of the size that GetDmaTransferInfo tells", told_size },
	{ "EC-97 EC-115 EC-116 EC-117 chain of three MDLs", chain },
	{ }
};

const struct nttest_suite nttest_system = {
	.name = "system",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
