// SPDX-License-Identifier: GPL-2.0
/*
 * System DMA by contract case, on the mock controller.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
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

static void piece(struct nttest *t, struct job *j, ULONG at, ULONG length)
{
	job_load(j, at, length);
	REQUIRE(t, EXPECT_EQ(t, job_map(j, at, length, 0), STATUS_SUCCESS));
	EXPECT(t, j->mapped > 0 && j->mapped <= length);
	EXPECT_EQ(t, j->line->address, DMAC_FIFO(j->line - j->line->dmac->lines));
	EXPECT_EQ(t, dmac_step(j->line, DMAC_STREAM), j->mapped);
	EXPECT(t, job_completed(j, DmaComplete));
	EXPECT_EQ(t, job_flush(j, at, j->mapped), STATUS_SUCCESS);
	job_check(j, at, j->mapped);
}

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
			piece(t, &j, at, length - at);
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
			piece(t, &j, at, length - at);
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
		piece(t, &j, at, 10 * SZ_4K - at);
		EXPECT(t, j.mapped <= 4 * PAGE_SIZE);
	}
	request_release(j.q);
}

static void long_segment(struct nttest *t)
{
	unsigned int before = dma_get_max_seg_size(t->dev);
	struct sys *s = t->priv;
	struct buffer *b;
	struct job j;
	ULONG at;

	dma_set_max_seg_size(t->dev, SZ_4K);
	s->dmac->lines[0].limit = 2;
	if (EXPECT(t, job_init(&j, s, sys_open(s, V3, 0), 0))) {
		b = buffer_new(j.r, RUN, 0, SZ_32K);
		if (b && job_hold(&j, b->mdl, SZ_32K, true)) {
			for (at = 0; at < SZ_32K && !t->failed; at += j.mapped)
				piece(t, &j, at, SZ_32K - at);
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
	piece(t, &j, 0, PAGE_SIZE);
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
	piece(t, &j, 0, PAGE_SIZE);
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
	piece(t, &j, 0, PAGE_SIZE);
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
	piece(t, &j, 0, PAGE_SIZE);
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

/* Stopping */

static void cancel(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	job_load(&j, 0, PAGE_SIZE);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, 100);
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	EXPECT(t, !NT_SUCCESS(job_cancel(&j)));
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	job_check(&j, 0, 100);
	request_release(j.q);
}

static void cancel_unmapped(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_CANCELLED);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	EXPECT_EQ(t, j.line->starts, 0);
	request_release(j.q);
	REQUIRE(t, job_begin(&j, s, s->rigs[0], 0, PAGE_SIZE, true));
	piece(t, &j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void cancel_completed(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_load(&j, 0, PAGE_SIZE);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, DMAC_STREAM);
	EXPECT(t, job_completed(&j, DmaComplete));
	job_cancel(&j);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* The controller was through but had not told when the cancel came. */
static void cancel_late(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_load(&j, 0, PAGE_SIZE);
	j.line->hold = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, DMAC_STREAM);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	job_cancel(&j);
	j.line->hold = false;
	dmac_fire(j.line);
	EXPECT(t, wait_for_completion_timeout(&j.done, SYS_COMPLETION));
	EXPECT_EQ(t, atomic_read(&j.calls), 1);
	EXPECT(t, j.status == DmaCancelled || j.status == DmaComplete);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&j.calls), 1);
	request_release(j.q);
}

static int started_twice(void *arg)
{
	return READ_ONCE(((struct dmac_line *)arg)->starts) == 2;
}

/* A callback of the last transfer must not complete this one. */
static void stale_callback(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_load(&j, 0, PAGE_SIZE);
	j.line->hold = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, DMAC_STREAM);
	job_cancel(&j);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&j.calls), 1);
	if (EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS)) {
		dmac_fire(j.line);
		EXPECT_EQ(t, atomic_read(&j.calls), 0);
		j.line->hold = false;
		EXPECT(t, rig_wait(started_twice, j.line));
		dmac_step(j.line, DMAC_STREAM);
		EXPECT(t, job_completed(&j, DmaComplete));
		EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	}
	request_release(j.q);
}

static int race_step(void *arg)
{
	struct job *j = arg;

	while (!kthread_should_stop()) {
		dmac_step(j->line, 64);
		cpu_relax();
		cond_resched();
	}
	return 0;
}

static void cancel_race(struct nttest *t)
{
	struct task_struct *other;
	struct sys *s = t->priv;
	int i, won[2] = { };
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	other = kthread_run(race_step, &j, "ntdma_race");
	REQUIRE(t, !IS_ERR(other));
	for (i = 0; i < 500 && !t->failed; i++) {
		if (!EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS))
			break;
		udelay(i % 100);
		job_cancel(&j);
		if (!EXPECT(t, wait_for_completion_timeout(&j.done,
							   SYS_COMPLETION)))
			break;
		EXPECT(t, j.status == DmaComplete || j.status == DmaCancelled);
		won[j.status == DmaCancelled]++;
		EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&j.calls), 1);
		/* A cancel that came late may have marked the context. */
		request_release(j.q);
		j.r->ops->InitializeDmaTransferContext(j.r->adapter,
						       j.q->context);
		EXPECT_EQ(t, request_allocate_ex(j.q, 0), STATUS_SUCCESS);
		REQUIRE(t, request_ran(j.q));
	}
	kthread_stop(other);
	nttest_note(t, "%d completed, %d cancelled", won[0], won[1]);
	request_release(j.q);
}

static void flush_running(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int passive;

	for (passive = 0; passive < 2; passive++) {
		struct rig *r = sys_open(s, V3, passive);

		REQUIRE(t, r);
		r->passive = passive;
		REQUIRE(t, job_begin(&j, s, r, passive, PAGE_SIZE, false));
		job_load(&j, 0, PAGE_SIZE);
		REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
				     STATUS_SUCCESS));
		dmac_step(j.line, 100);
		EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
		EXPECT_EQ(t, j.line->stops, 1);
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
		EXPECT(t, job_completed(&j, DmaCancelled));
		job_check(&j, 0, 100);
		request_release(j.q);
	}
}

static void flush_unmapped(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_flush(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	piece(t, &j, 0, PAGE_SIZE);
	EXPECT(t, j.r->ops->FlushAdapterBuffers(j.r->adapter, j.q->mdl, j.q->base,
						MmGetMdlVirtualAddress(j.q->mdl),
						PAGE_SIZE, TRUE));
	request_release(j.q);
}

/* The controller goes on until it is synchronized, which takes its time. */
static void slow_stop(struct nttest *t)
{
	struct sys *s = t->priv;
	struct request *q;
	struct rig *other;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	other = sys_open(s, V3, 0);
	REQUIRE(t, other);
	q = request_channel(other, 1, KeepObject);
	REQUIRE(t, q);
	job_load(&j, 0, PAGE_SIZE);
	j.line->runs_on = true;
	j.line->gated = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, 100);
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, 100), 100);
	request_release(j.q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	msleep(100);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT_EQ(t, dmac_step(j.line, 100), 100);
	EXPECT_EQ(t, j.line->faults, 0);
	complete_all(&j.line->gate);
	EXPECT(t, request_ran(q));
	EXPECT(t, j.line->syncs >= 1);
	EXPECT_EQ(t, j.line->early, 0);
	request_release(q);
}

/* Owned once more by the same driver, before the controller has stopped. */
static void slow_again(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	j.line->runs_on = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
	j.line->runs_on = false;
	REQUIRE(t, job_begin(&j, s, s->rigs[0], 0, PAGE_SIZE, false));
	piece(t, &j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->early, 0);
	request_release(j.q);
}

static void free_running(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, 100);
	request_release(j.q);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT(t, atomic_read(&j.calls) <= 1);
	REQUIRE(t, job_begin(&j, s, s->rigs[0], 0, PAGE_SIZE, false));
	piece(t, &j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void unbind_running(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct sys *s = t->priv;
	struct buffer *b;
	struct job j;
	int calls;

	REQUIRE(t, job_init(&j, s, sys_open(s, V3, 0), 0));
	b = buffer_new(j.r, SCATTERED, 0, PAGE_SIZE);
	REQUIRE(t, b && job_hold(&j, b->mdl, PAGE_SIZE, false));
	j.line->runs_on = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, 100);
	device_release_driver(&s->pdev->dev);
	calls = atomic_read(&j.calls);
	EXPECT(t, calls <= 1);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, atomic_read(&j.calls), calls);
	EXPECT_EQ(t, j.line->faults, 0);
	EXPECT_EQ(t, j.line->chan.client_count, 0);
	j.q->held = DeallocateObject;
	j.r->adapter = NULL;
	buffer_free(b);
	EXPECT(t, ntdma_live_objects() <= before);
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

/* Control */

static void unknown_function(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, j.r->ops->ConfigureAdapterChannel(j.r->adapter, 0x7fff, NULL),
		  STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, j.r->ops->ConfigureAdapterChannel(j.r->adapter, U32_MAX, NULL),
		  STATUS_NOT_IMPLEMENTED);
	piece(t, &j, 0, PAGE_SIZE);
	request_release(j.q);
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
	{ "EC-128 S11 controller error", controller_error },
	{ "EC-129 EC-127 next piece from the completion", from_completion },
	{ "EC-129 all given back in the completion", all_in_completion },
	{ "S17 EC-120 EC-121 EC-124 cancel, and cancel twice", cancel },
	{ "S17 EC-122 cancel before map", cancel_unmapped },
	{ "EC-123 cancel after completion", cancel_completed },
	{ "S17 cancel before the callback of a transfer that is through", cancel_late },
	{ "EC-120 a late callback is not the next transfer's", stale_callback },
	{ "S17 cancel races with completion", cancel_race },
	{ "EC-119 flush before completion", flush_running },
	{ "EC-119 flush without map", flush_unmapped },
	{ "EC-119 nothing is unmapped or granted before the engine stopped", slow_stop },
	{ "EC-119 not started before the engine stopped", slow_again },
	{ "EC-49 channel freed with a running transfer", free_running },
	{ "S26 unbound with a running transfer", unbind_running },
	{ "S6 EC-91 EC-92 loop by MapTransfer", loop_v1 },
	{ "S12 loop with a completion per pass", loop_v3 },
	{ "S12 loop by itself", loop_by_timer },
	{ "EC-126 unknown function", unknown_function },
	{ }
};

const struct nttest_suite nttest_system = {
	.name = "system",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
