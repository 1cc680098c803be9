// SPDX-License-Identifier: GPL-2.0
/*
 * System DMA by contract case, on the mock controller.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include "hooks.h"
#include "sys.h"

#define V3	DEVICE_DESCRIPTION_VERSION3

/* Opening */

static void unknown_line(struct nttest *t)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	ULONG version, n;

	for (version = 0; version <= V3; version++) {
		sys_describe(&dd, version, DMAC_LINES);
		EXPECT(t, !sys_adapter(s, &dd, &n));
		sys_describe(&dd, version, U32_MAX);
		EXPECT(t, !sys_adapter(s, &dd, &n));
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
	ULONG n;

	sys_describe(&dd, V3, 0);
	dd.DmaWidth = Width64Bits;
	EXPECT(t, !sys_adapter(s, &dd, &n));
	dd.DmaWidth = MaximumDmaWidth;
	EXPECT(t, !sys_adapter(s, &dd, &n));
	dd.DmaWidth = Width16Bits;
	EXPECT(t, sys_open_as(s, &dd));
}

static void info(struct nttest *t)
{
	DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
	struct sys *s = t->priv;
	struct rig *r;

	s->dmac->lines[1].limit = 4;
	r = sys_open(s, V3, 1);
	REQUIRE(t, r);
	EXPECT_EQ(t, r->ops->GetDmaAdapterInfo(r->adapter, &info),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, info.V1.ScatterGatherLimit, 4);
	EXPECT(t, info.V1.ReadDmaCounterAvailable);
	EXPECT(t, info.V1.MinimumTransferUnit >= 1);
	EXPECT(t, info.V1.MinimumTransferUnit <= 4);
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

/* Packet transfers of versions 1 and 2 */

static void packet_piece(struct nttest *t, struct job *j, ULONG at, ULONG length)
{
	struct rig *r = j->r;
	PVOID va = MmGetMdlVirtualAddress(j->q->mdl) + at;
	ULONG mapped = length;
	KIRQL old;

	job_load(j, at, length);
	old = rig_raise();
	r->ops->MapTransfer(r->adapter, j->q->mdl, j->q->base, va, &mapped,
			    j->q->write);
	KeLowerIrql(old);
	REQUIRE(t, EXPECT_EQ(t, mapped, length));
	EXPECT_EQ(t, j->line->dir, j->q->write ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM);
	EXPECT_EQ(t, j->line->width, 4);
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), length);
	EXPECT_EQ(t, dmac_step(j->line, length / 4), length / 4);
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), length - length / 4);
	EXPECT_EQ(t, dmac_step(j->line, DMAC_STREAM), length - length / 4);
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), 0);
	old = rig_raise();
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, j->q->mdl, j->q->base,
					      va, length, j->q->write));
	KeLowerIrql(old);
	job_check(j, at, length);
}

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
			packet_piece(t, &j, 0, half);
			packet_piece(t, &j, half, half);
			request_release(j.q);
			request_check_memory(j.q);
		}
	}
}

static void share(struct nttest *t)
{
	struct sys *s = t->priv;
	struct request *q;
	struct rig *other;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, 1, 2), 2, PAGE_SIZE, true));
	other = sys_open(s, 1, 2);
	REQUIRE(t, other);
	q = request_channel(other, 1, KeepObject);
	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	packet_piece(t, &j, 0, PAGE_SIZE);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	request_release(j.q);
	EXPECT(t, request_ran(q));
	request_release(q);
}

static void three(struct nttest *t)
{
	struct request *q[SYS_RIGS] = { };
	struct sys *s = t->priv;
	int i;

	for (i = 0; i < SYS_RIGS; i++) {
		struct rig *r = sys_open(s, i % 2 ? 1 : V3, 0);

		REQUIRE(t, r);
		q[i] = request_channel(r, 1, KeepObject);
		REQUIRE(t, q[i]);
		EXPECT_EQ(t, request_allocate(q[i]), STATUS_SUCCESS);
	}
	for (i = 0; i < SYS_RIGS; i++) {
		REQUIRE(t, request_ran(q[i]));
		if (i + 1 < SYS_RIGS)
			EXPECT_EQ(t, atomic_read(&q[i + 1]->calls), 0);
		request_release(q[i]);
	}
}

static void other_line(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job a, b;

	REQUIRE(t, job_begin(&a, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	REQUIRE(t, job_begin(&b, s, sys_open(s, V3, 1), 1, PAGE_SIZE, true));
	request_release(b.q);
	request_release(a.q);
}

/* Transfers of version 3 */

static void pieces(struct nttest *t)
{
	struct sys *s = t->priv;
	struct rig *r = sys_open(s, V3, 3);
	ULONG length = 4 * PAGE_SIZE, at;
	struct job j;
	int write;

	for (write = 0; write < 2; write++) {
		REQUIRE(t, job_begin(&j, s, r, 3, length, write));
		for (at = 0; at < length && !t->failed; at += j.mapped)
			job_piece(&j, at, length - at);
		request_release(j.q);
		request_check_memory(j.q);
	}
}

static void every_shape(struct nttest *t)
{
	struct sys *s = t->priv;
	struct rig *r = sys_open(s, V3, 3);
	ULONG length = 3 * PAGE_SIZE + 52, at;
	struct buffer *b;
	struct job j;
	int shape;

	REQUIRE(t, r);
	for (shape = 0; shape < SHAPES; shape++) {
		b = buffer_new(r, shape, 64, length);
		REQUIRE(t, b && job_init(&j, s, r, 3));
		REQUIRE(t, job_hold(&j, b->mdl, length, shape % 2));
		for (at = 0; at < length && !t->failed; at += j.mapped)
			job_piece(&j, at, length - at);
		request_release(j.q);
		request_check_memory(j.q);
	}
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

static void bad_arguments(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, job_map(&j, PAGE_SIZE, 1, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE + 1, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	EXPECT_EQ(t, j.line->starts, 0);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void scribble(struct job *j)
{
	j->mapped = 0xdeadbeef;
}

static void completes_first(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	s->dmac->lines[0].limit = 2;
	s->dmac->lines[0].fast = true;
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, 4 * PAGE_SIZE, true));
	if (num_online_cpus() < 2) {
		request_release(j.q);
		nttest_skip(t, "needs two CPUs");
		return;
	}
	job_load(&j, 0, 4 * PAGE_SIZE);
	j.hook = scribble;
	EXPECT_EQ(t, job_map(&j, 0, 4 * PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT(t, j.line->fast_met);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT(t, j.seen > 0 && j.seen < 4 * PAGE_SIZE);
	EXPECT_EQ(t, j.mapped, 0xdeadbeef);
	EXPECT_EQ(t, job_flush(&j, 0, j.seen), STATUS_SUCCESS);
	job_check(&j, 0, j.seen);
	request_release(j.q);
}

static void prep_fails(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.line->fail_prep = true;
	EXPECT(t, !NT_SUCCESS(job_map(&j, 0, PAGE_SIZE, 0)));
	j.line->fail_prep = false;
	j.line->fail_config = true;
	EXPECT(t, !NT_SUCCESS(job_map(&j, 0, PAGE_SIZE, 0x20)));
	j.line->fail_config = false;
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	job_piece(&j, 0, PAGE_SIZE);
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
		if (!ntdma_fail_hit())
			break;
	}
	ntdma_fail_nth(0);
	request_release(j.q);
}

/* Memory for a transfer comes with the channel, but for the controller's. */
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
		EXPECT(t, !ntdma_fail_hit());
		ntdma_fail_nth(0);
		request_release(j.q);
	}
}

static void controller_error(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	j.line->error_at = 100;
	job_load(&j, 0, PAGE_SIZE);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 100);
	EXPECT(t, job_completed(&j, DmaError));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	j.line->error_at = 0;
	job_piece(&j, 0, PAGE_SIZE);
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

/* Loops */

struct loop {
	struct job j;
	PVOID va;
	PHYSICAL_ADDRESS logical;
	PMDL mdl;
	ULONG length;
};

static bool loop_begin(struct loop *l, struct sys *s, ULONG version, bool write)
{
	DEVICE_DESCRIPTION dd;
	struct rig *r;

	memset(l, 0, sizeof(*l));
	l->length = 4 * PAGE_SIZE;
	sys_describe(&dd, version, 2);
	dd.AutoInitialize = TRUE;
	dd.MaximumLength = l->length;
	r = sys_open_as(s, &dd);
	if (!job_init(&l->j, s, r, 2))
		return false;
	l->va = r->ops->AllocateCommonBuffer(r->adapter, l->length, &l->logical,
					     FALSE);
	if (!EXPECT(s->t, l->va))
		return false;
	l->mdl = IoAllocateMdl(l->va, l->length, FALSE, FALSE, NULL);
	if (!EXPECT(s->t, l->mdl))
		return false;
	MmBuildMdlForNonPagedPool(l->mdl);
	EXPECT(s->t, MmGetSystemAddressForMdlSafe(l->mdl, NormalPagePriority) ==
	       l->va);
	return job_hold(&l->j, l->mdl, l->length, write);
}

static void loop_end(struct loop *l)
{
	struct rig *r = l->j.r;

	if (l->j.q)
		request_release(l->j.q);
	if (l->mdl)
		IoFreeMdl(l->mdl);
	if (l->va)
		r->ops->FreeCommonBuffer(r->adapter, l->length, l->logical,
					 l->va, FALSE);
}

/* Two and a half passes; the device's ring is a multiple of the buffer. */
static void loop_passes(struct nttest *t, struct loop *l)
{
	struct rig *r = l->j.r;
	ULONG left, step = l->length / 8;
	int i;

	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), l->length);
	for (i = 1; i <= 20; i++) {
		EXPECT_EQ(t, dmac_step(l->j.line, step), step);
		left = r->ops->ReadDmaCounter(r->adapter);
		EXPECT_EQ(t, left, l->length - i * step % l->length);
	}
	EXPECT_EQ(t, l->j.line->starts, 1);
}

static void loop_v1(struct nttest *t)
{
	struct sys *s = t->priv;
	ULONG length;
	struct loop l;

	if (!loop_begin(&l, s, 1, true))
		goto end;
	job_load(&l.j, 0, l.length);
	length = l.length;
	l.j.r->ops->MapTransfer(l.j.r->adapter, l.mdl, l.j.q->base, l.va, &length,
				TRUE);
	if (!EXPECT_EQ(t, length, l.length))
		goto end;
	loop_passes(t, &l);
	pattern_same(t, "the device", l.j.line->stream, l.va, l.length);
	EXPECT(t, l.j.r->ops->FlushAdapterBuffers(l.j.r->adapter, l.mdl,
						  l.j.q->base, l.va, l.length,
						  TRUE));
	EXPECT_EQ(t, dmac_step(l.j.line, 64), 0);
end:
	loop_end(&l);
}

static void loop_v3(struct nttest *t)
{
	struct sys *s = t->priv;
	struct loop l;
	int calls;

	if (!loop_begin(&l, s, V3, false))
		goto end;
	job_load(&l.j, 0, l.length);
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	EXPECT_EQ(t, l.j.mapped, l.length);
	loop_passes(t, &l);
	calls = atomic_read(&l.j.calls);
	EXPECT(t, calls >= 2);
	EXPECT_EQ(t, l.j.status, DmaComplete);
	EXPECT_EQ(t, job_cancel(&l.j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(l.j.line, 64), 0);
	EXPECT(t, atomic_read(&l.j.calls) <= calls + 1);
	calls = atomic_read(&l.j.calls);
	msleep(50);
	EXPECT_EQ(t, atomic_read(&l.j.calls), calls);
end:
	loop_end(&l);
}

static void loop_by_timer(struct nttest *t)
{
	struct sys *s = t->priv;
	struct loop l;
	int i;

	if (!loop_begin(&l, s, V3, true))
		goto end;
	l.j.line->rate = l.length / 2;
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	for (i = 0; i < 250 && atomic_read(&l.j.calls) < 5; i++) {
		ULONG left = l.j.r->ops->ReadDmaCounter(l.j.r->adapter);

		EXPECT(t, left >= 1 && left <= l.length);
		msleep(20);
	}
	EXPECT(t, atomic_read(&l.j.calls) >= 5);
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	i = atomic_read(&l.j.calls);
	msleep(50);
	EXPECT_EQ(t, atomic_read(&l.j.calls), i);
end:
	loop_end(&l);
}

/* All periods are due at once, and a late one comes after the flush. */
static void loop_overrun(struct nttest *t)
{
	struct sys *s = t->priv;
	struct loop l;
	ULONG left;

	if (!loop_begin(&l, s, V3, true))
		goto end;
	l.j.line->hold = true;
	l.j.line->runs_on = true;
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	EXPECT_EQ(t, dmac_step(l.j.line, 3 * l.length + l.length / 4),
		  3 * l.length + l.length / 4);
	left = l.j.r->ops->ReadDmaCounter(l.j.r->adapter);
	EXPECT_EQ(t, left, l.length - l.length / 4);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 0);
	dmac_fire(l.j.line);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 13);
	EXPECT_EQ(t, l.j.status, DmaComplete);
	dmac_step(l.j.line, l.length);
	l.j.line->gated = true;
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	EXPECT_EQ(t, l.j.status, DmaCancelled);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 14);
	dmac_fire(l.j.line);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 14);
	complete_all(&l.j.line->gate);
end:
	loop_end(&l);
}

static ULONG period_of(struct nttest *t, ULONG length)
{
	struct sys *s = t->priv;
	struct dmac_line *line = &s->dmac->lines[2];
	struct job *j;
	struct loop l;
	ULONG period = 0;

	if (loop_begin(&l, s, V3, true)) {
		j = &l.j;
		if (EXPECT_EQ(t, job_map(j, 0, length, 0), STATUS_SUCCESS)) {
			if (job_started(j))
				period = line->period;
			EXPECT_EQ(t, job_flush(j, 0, length), STATUS_SUCCESS);
		}
	}
	loop_end(&l);
	return period;
}

/* A few units make fewer periods; no period has a part of a unit. */
static void loop_periods(struct nttest *t)
{
	EXPECT_EQ(t, period_of(t, PAGE_SIZE), PAGE_SIZE / 4);
	EXPECT_EQ(t, period_of(t, 12), 4);
	EXPECT_EQ(t, period_of(t, 40), 20);
	EXPECT_EQ(t, period_of(t, 20), 20);
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
	counts(t, &j, DMA_RESIDUE_GRANULARITY_SEGMENT, 4 * PAGE_SIZE);
	request_release(j.q);
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
	ULONG size = offsetof(SCATTER_GATHER_LIST, Elements) +
		     8 * sizeof(SCATTER_GATHER_ELEMENT);
	PSCATTER_GATHER_LIST list = kzalloc(size, GFP_KERNEL);
	ULONG length = 4 * PAGE_SIZE, sum = 0, i;
	struct sys *s = t->priv;
	struct job j;

	if (!EXPECT(t, list) ||
	    !job_begin(&j, s, sys_open(s, V3, 0), 0, length, true))
		goto free_list;
	job_load(&j, 0, length);
	EXPECT_EQ(t, j.r->ops->MapTransferEx(j.r->adapter, j.q->mdl, j.q->base,
					     0, 0, &length, TRUE, list, size,
					     NULL, NULL), STATUS_SUCCESS);
	for (i = 0; i < list->NumberOfElements; i++)
		sum += list->Elements[i].Length;
	EXPECT(t, list->NumberOfElements >= 1);
	EXPECT_EQ(t, sum, length);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), length);
	EXPECT_EQ(t, job_flush(&j, 0, length), STATUS_SUCCESS);
	job_check(&j, 0, length);
	request_release(j.q);
free_list:
	kfree(list);
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

/* A channel and its registers of system DMA go together. */
static void together(struct nttest *t)
{
	struct sys *s = t->priv;
	struct request *q;
	struct rig *r;

	r = sys_open(s, V3, 0);
	REQUIRE(t, r);
	q = request_channel(r, 1, DeallocateObjectKeepRegisters);
	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	r->ops->FreeAdapterObject(r->adapter, KeepObject);
	r->ops->FreeAdapterObject(r->adapter, DeallocateObjectKeepRegisters);
	EXPECT_EQ(t, request_allocate_sync(request_channel(r, 1, KeepObject)),
		  STATUS_INSUFFICIENT_RESOURCES);
	q->held = DeallocateObject;
	r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
	q = request_channel(r, 1, KeepObject);
	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate_sync(q), STATUS_SUCCESS);
	EXPECT(t, q->base);
	request_release(q);
}

static const struct nttest_case cases[] = {
	{ "EC-17 a line that no controller has", unknown_line },
	{ "S5 adapters of every version", not_unknown_line },
	{ "EC-17 a width that the controller lacks", unknown_width },
	{ "S11 GetDmaAdapterInfo has the controller's limits", info },
	{ "S11 no counter where the controller has none", info_no_counter },
	{ "S5 EC-85 packets by MapTransfer, and the counter", packet },
	{ "S5 EC-49 a second adapter waits for the channel", share },
	{ "S22 requests of several adapters in their order", three },
	{ "S22 lines do not wait for each other", other_line },
	{ "S11 several pieces", pieces },
	{ "EC-16 S11 memory of every shape", every_shape },
	{ "EC-110 DeviceOffset", device_offset },
	{ "EC-111 no more elements than the controller takes", sg_limit },
	{ "EC-111 no longer elements than the controller takes", long_segment },
	{ "EC-104 no list", null_list },
	{ "EC-109 bad arguments", bad_arguments },
	{ "EC-107 EC-108 complete before MapTransferEx returns", completes_first },
	{ "EC-109 the controller refuses", prep_fails },
	{ "EC-109 each failure inside", each_failure },
	{ "EC-115 nothing is allocated for a transfer", no_allocation },
	{ "EC-128 S11 controller error", controller_error },
	{ "EC-129 EC-127 next piece from the completion", from_completion },
	{ "EC-129 all given back in the completion", all_in_completion },
	{ "S6 EC-91 EC-92 loop by MapTransfer", loop_v1 },
	{ "S12 loop with a completion per pass", loop_v3 },
	{ "S12 loop by itself", loop_by_timer },
	{ "S12 EC-92 loop faster than its reports, and a late one", loop_overrun },
	{ "S12 periods of a loop", loop_periods },
	{ "S5 EC-92 counter as exact as the controller's", counter },
	{ "S5 EC-92 no counter, no count", no_counter },
	{ "EC-146 no lists of system DMA", no_lists },
	{ "EC-106 a list of what is transferred", with_list },
	{ "EC-97 EC-115 EC-116 EC-117 chain of three MDLs", chain },
	{ "EC-60 EC-66 EC-67 EC-68 channel and registers go together", together },
	{ }
};

const struct nttest_suite nttest_system = {
	.name = "system",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
