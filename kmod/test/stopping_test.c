// SPDX-License-Identifier: GPL-2.0
/*
 * How transfers of system DMA end before they are through: by a cancel, a
 * flush, a channel that is freed and a driver that leaves, at any moment.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/platform_device.h>
#include "../../uapi/linux/ntdma.h"
#include "hooks.h"
#include "sys.h"
#include "../sysdma.h"

#define V3	DEVICE_DESCRIPTION_VERSION3

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
	EXPECT_EQ(t, j.line->pauses, 1);
	EXPECT_EQ(t, job_cancel(&j), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter), 0);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	job_check(&j, 0, 100);
	request_release(j.q);
}

/* By neither routine, and the flush is still to come. */
static void map_cancelled(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_CANCELLED);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_cancel(&j), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_packet_map(&j, 0, PAGE_SIZE), 0);
	EXPECT_EQ(t, j.line->starts, 1);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_INVALID_PARAMETER);
	job_piece(&j, 0, PAGE_SIZE);
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
	job_piece(&j, 0, PAGE_SIZE);
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
	EXPECT_EQ(t, job_cancel(&j), STATUS_INVALID_PARAMETER);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	job_piece(&j, 0, PAGE_SIZE);
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
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	j.line->hold = false;
	dmac_fire(j.line);
	EXPECT(t, job_completed(&j, DmaCancelled));
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
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&j.calls), 1);
	EXPECT_EQ(t, j.status, DmaCancelled);
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

/* Nor does it when this one runs already, as dmaengine hardly allows. */
static void stale_running(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.line->hold = true;
	j.line->lags = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	dmac_step(j.line, DMAC_STREAM);
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	if (EXPECT(t, rig_wait(started_twice, j.line))) {
		dmac_fire(j.line);
		EXPECT_EQ(t, atomic_read(&j.calls), 0);
	}
	j.line->hold = false;
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
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

#define RACES		300	/* and until each side has won */
#define RACES_MOST	3000
#define RACE_STEPS	64
#define RACE_WAIT	5000	/* us */

/*
 * Moves all but the last step, and gives the other thread time for that, @lead
 * microseconds; below 0 so many steps more are left to it instead.
 */
static void race_lead(struct job *j, int lead)
{
	dmac_step(j->line, (RACE_STEPS - 1 + min(lead, 0)) * 64);
	if (lead > 500)
		usleep_range(lead, 2 * lead);
	else if (lead > 0)
		udelay(lead);
}

/* Closer to where the two ends meet. */
static int race_adjust(int lead, bool cancelled)
{
	int change = max(lead, 0) / 4 + 1;

	return cancelled ? min(lead + change, RACE_WAIT) :
			   max(lead - change, 1 - RACE_STEPS);
}

/* A transfer that one thread moves to its end, and this one cancels. */
static bool race_once(struct nttest *t, struct job *j, int lead)
{
	const ULONG length = RACE_STEPS * 64;
	NTSTATUS status;

	if (!EXPECT_EQ(t, job_map(j, 0, length, 0), STATUS_SUCCESS))
		return false;
	race_lead(j, lead);
	status = job_cancel(j);
	EXPECT(t, wait_for_completion_timeout(&j->done, SYS_COMPLETION));
	EXPECT_EQ(t, j->status, NT_SUCCESS(status) ? DmaCancelled : DmaComplete);
	EXPECT_EQ(t, job_flush(j, 0, length), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&j->calls), 1);
	return NT_SUCCESS(status);
}

static void cancel_race(struct nttest *t)
{
	struct task_struct *other;
	struct sys *s = t->priv;
	int i, lead = 0, won[2] = { };
	struct job j;
	bool hit;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	other = kthread_run(race_step, &j, "ntdma_race");
	REQUIRE(t, !IS_ERR(other));
	for (i = 0; i < RACES_MOST && !t->failed; i++) {
		if (i >= RACES && won[0] && won[1])
			break;
		hit = race_once(t, &j, lead);
		won[hit]++;
		lead = race_adjust(lead, hit);
		/* The next one owns the channel anew. */
		request_release(j.q);
		j.r->ops->InitializeDmaTransferContext(j.r->adapter,
						       j.q->context);
		EXPECT_EQ(t, request_allocate_ex(j.q, 0), STATUS_SUCCESS);
		if (!request_ran(j.q))
			break;
	}
	kthread_stop(other);
	nttest_note(t, "%d completed, %d cancelled", won[0], won[1]);
	EXPECT(t, won[0] && won[1]);
	request_release(j.q);
}

static void flush_running(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int passive;

	for (passive = 0; passive < 2; passive++) {
		struct rig *r;

		s->dmac->lines[passive].limit = passive;
		r = sys_open(s, V3, passive);
		REQUIRE(t, r);
		r->passive = passive;
		REQUIRE(t, job_begin(&j, s, r, passive, PAGE_SIZE, false));
		job_load(&j, 0, PAGE_SIZE);
		REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
				     STATUS_SUCCESS));
		dmac_step(j.line, 100);
		EXPECT_EQ(t, r->ops->FlushAdapterBuffersEx(r->adapter, NULL,
							   j.q->base, 0,
							   PAGE_SIZE, FALSE),
			  STATUS_INVALID_PARAMETER);
		EXPECT_EQ(t, j.line->stops, 0);
		EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
		EXPECT_EQ(t, j.line->stops, 1);
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
		EXPECT(t, job_completed(&j, DmaCancelled));
		job_check(&j, 0, 100);
		request_release(j.q);
	}
}

/* However fast the controller stops: what runs ends, and is still mapped. */
static void flush_nothing(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int line;

	for (line = 0; line < 4; line++) {
		REQUIRE(t, job_begin(&j, s, sys_open(s, V3, line), line,
				     2 * PAGE_SIZE, false));
		j.line->gated = line % 2;
		job_load(&j, 0, PAGE_SIZE);
		REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
				     STATUS_SUCCESS));
		dmac_step(j.line, 100);
		EXPECT_EQ(t, line < 2 ? job_flush(&j, 0, 0) :
					job_flush(&j, PAGE_SIZE, PAGE_SIZE),
			  STATUS_INVALID_PARAMETER);
		EXPECT(t, job_completed(&j, DmaCancelled));
		EXPECT_EQ(t, j.line->stops, 1);
		EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
			  STATUS_INVALID_PARAMETER);
		EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
		EXPECT_EQ(t, j.line->stops, 1);
		job_check(&j, 0, 100);
		complete_all(&j.line->gate);
		job_piece(&j, 0, PAGE_SIZE);
		request_release(j.q);
	}
}

static void flush_unmapped(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_INVALID_PARAMETER);
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
	u8 byte;

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
	if (dma_get_merge_boundary(t->dev) && !ntdma_bounces_all())
		EXPECT(t, bus_read(&j.r->bus, j.line->first, &byte, 1));
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
	job_piece(&j, 0, PAGE_SIZE);
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
	job_piece(&j, 0, PAGE_SIZE);
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

/*
 * Adapters of one line, the second of which has the channel: what is taken from
 * one must not be granted to another of the same device.
 */
static void unbind_sharing(struct nttest *t)
{
	long before = ntdma_live_objects();
	struct sys *s = t->priv;
	struct request *q[3];
	int i;

	for (i = 0; i < ARRAY_SIZE(q); i++) {
		struct rig *r = sys_open(s, V3, 0);

		q[i] = r ? request_channel(r, 1, KeepObject) : NULL;
		REQUIRE(t, q[i]);
	}
	for (i = 0; i < ARRAY_SIZE(q); i++)
		EXPECT_EQ(t, request_allocate(q[(i + 1) % 3]), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&q[1]->calls), 1);
	device_release_driver(&s->pdev->dev);
	EXPECT_EQ(t, atomic_read(&q[0]->calls), 0);
	EXPECT_EQ(t, atomic_read(&q[2]->calls), 0);
	EXPECT(t, ntdma_live_objects() <= before);
	for (i = 0; i < ARRAY_SIZE(q); i++) {
		q[i]->queued = false;
		q[i]->held = DeallocateObject;
		q[i]->r->adapter = NULL;
	}
}

/* Mapped again, flushed and mapped once more while the controller goes on. */
static void slow_queue(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int line;

	for (line = 0; line < 4; line++) {
		s->dmac->lines[line].limit = line / 2;
		REQUIRE(t, job_begin(&j, s, sys_open(s, V3, line), line,
				     3 * PAGE_SIZE, line % 2));
		j.line->runs_on = true;
		j.line->gated = true;
		job_load(&j, 0, 3 * PAGE_SIZE);
		REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, 3 * PAGE_SIZE, 0),
				     STATUS_SUCCESS));
		dmac_step(j.line, 100);
		EXPECT_EQ(t, job_flush(&j, 0, 3 * PAGE_SIZE), STATUS_SUCCESS);
		EXPECT_EQ(t, job_map(&j, 0, 3 * PAGE_SIZE, 0), STATUS_SUCCESS);
		EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter),
			  3 * PAGE_SIZE);
		EXPECT_EQ(t, job_flush(&j, 0, 3 * PAGE_SIZE), STATUS_SUCCESS);
		EXPECT(t, job_completed(&j, DmaCancelled));
		/* Else what the controller had seen before would be right. */
		request_prepare(j.q);
		EXPECT_EQ(t, job_map(&j, 0, 3 * PAGE_SIZE, 0), STATUS_SUCCESS);
		EXPECT_EQ(t, j.line->starts, 1);
		EXPECT_EQ(t, j.line->stops, 1);
		EXPECT_EQ(t, dmac_step(j.line, 100), 100);
		job_load(&j, 0, 3 * PAGE_SIZE);
		complete_all(&j.line->gate);
		REQUIRE(t, EXPECT(t, rig_wait(started_twice, j.line)));
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 3 * PAGE_SIZE);
		EXPECT(t, job_completed(&j, DmaComplete));
		EXPECT_EQ(t, job_flush(&j, 0, 3 * PAGE_SIZE), STATUS_SUCCESS);
		job_check(&j, 0, 3 * PAGE_SIZE);
		EXPECT_EQ(t, j.line->early, 0);
		EXPECT_EQ(t, j.line->syncs, 1);
		request_release(j.q);
	}
}

static int is_synced(void *arg)
{
	return READ_ONCE(((struct dmac_line *)arg)->syncs) > 0;
}

/**
 * enum slow_end - when registers are freed whose transfer was flushed
 * @SLOW_FIRST: before the controller has stopped
 * @SLOW_MAPPED: while it may stop, and the next transfer is mapped
 * @SLOW_LAST: after it has stopped
 * @SLOW_ENDS: their number
 */
enum slow_end { SLOW_FIRST, SLOW_MAPPED, SLOW_LAST, SLOW_ENDS };

static void slow_flush(struct job *j, ULONG length)
{
	struct nttest *t = j->r->t;

	EXPECT_EQ(t, job_map(j, 0, length, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, j->mapped, length);
	EXPECT_EQ(t, job_flush(j, 0, length), STATUS_SUCCESS);
}

static void slow_turn(struct job *j, PMDL mdl, ULONG length, enum slow_end end)
{
	struct nttest *t = j->r->t;

	REQUIRE(t, job_hold(j, mdl, length, false));
	reinit_completion(&j->line->gate);
	j->line->gated = true;
	j->line->syncs = 0;
	slow_flush(j, length);
	if (end == SLOW_FIRST)
		slow_flush(j, length);
	else if (end == SLOW_MAPPED)
		EXPECT_EQ(t, job_map(j, 0, length, 0), STATUS_SUCCESS);
	if (end != SLOW_FIRST)
		complete_all(&j->line->gate);
	if (end == SLOW_LAST)
		EXPECT(t, rig_wait(is_synced, j->line));
	request_release(j->q);
	complete_all(&j->line->gate);
}

/* The pages that transfers are copied through all come back. */
static void slow_pages(struct nttest *t)
{
	struct sys *s = t->priv;
	struct request *all;
	struct buffer *b;
	struct job j;
	int line, i;

	for (line = 0; line < 2; line++) {
		s->dmac->lines[line].limit = line;
		REQUIRE(t, job_init(&j, s, sys_open(s, V3, line), line));
		b = buffer_new(j.r, SCATTERED, 0,
			       j.r->registers / 2 * PAGE_SIZE);
		REQUIRE(t, b);
		for (i = 0; i < 40 * SLOW_ENDS && !t->failed; i++)
			slow_turn(&j, b->mdl, b->length, i % SLOW_ENDS);
		all = request_channel(j.r, j.r->registers, KeepObject);
		REQUIRE(t, all);
		EXPECT_EQ(t, request_allocate_ex(all, 0), STATUS_SUCCESS);
		if (request_ran(all))
			request_release(all);
	}
}

/*
 * Registers of more than half of the pages there are: while the controller stops
 * the next transfer has no pages of its own, and needs none.
 */
static void slow_large_turn(struct job *j, const struct buffer *b)
{
	struct nttest *t = j->r->t;
	NTSTATUS status;

	j->line->gated = true;
	slow_flush(j, PAGE_SIZE);
	status = job_map(j, 0, PAGE_SIZE, 0);
	complete_all(&j->line->gate);
	if (status) {
		EXPECT(t, rig_copies(j->r) || b->far);
		EXPECT_EQ(t, status, STATUS_INSUFFICIENT_RESOURCES);
		return;
	}
	REQUIRE(t, EXPECT(t, rig_wait(started_twice, j->line)));
	reinit_completion(&j->line->gate);
	EXPECT_EQ(t, job_flush(j, 0, PAGE_SIZE), STATUS_SUCCESS);
}

static void slow_large(struct nttest *t)
{
	unsigned int before = dma_get_max_seg_size(t->dev);
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	struct request *all;
	struct buffer *b;
	struct job j;

	dma_set_max_seg_size(t->dev, SZ_1M);
	s->dmac->lines[0].limit = 1;
	sys_describe(&dd, V3, 0);
	dd.MaximumLength = SZ_1M / 4 * 3 - PAGE_SIZE;
	if (!job_init(&j, s, sys_open_as(s, &dd), 0))
		goto restore;
	b = buffer_new(j.r, RUN, 0, PAGE_SIZE);
	all = request_channel(j.r, j.r->registers, KeepObject);
	if (!b || !all)
		goto restore;
	j.q = request_new(j.r, b->mdl, 0, PAGE_SIZE, false);
	if (!j.q)
		goto restore;
	j.q->registers = j.r->registers;
	j.q->action = KeepObject;
	if (!EXPECT_EQ(t, request_allocate_ex(j.q, 0), STATUS_SUCCESS) ||
	    !request_ran(j.q))
		goto restore;
	slow_large_turn(&j, b);
	request_release(j.q);
	complete_all(&j.line->gate);
	EXPECT_EQ(t, request_allocate_ex(all, 0), STATUS_SUCCESS);
	if (request_ran(all))
		request_release(all);
restore:
	dma_set_max_seg_size(t->dev, before);
}

static int can_pause(void *arg)
{
	struct job *j = arg;

	return sys_configure(j->r, NTDMA_CHANNEL_PAUSE, NULL) == STATUS_SUCCESS;
}

/* What has not started cannot stand still, and does not seem to. */
static void slow_pause(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int pauses;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.line->gated = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	job_load(&j, 0, PAGE_SIZE);
	pauses = j.line->pauses;
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PAUSE, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_RESUME, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, j.line->pauses, pauses);
	complete_all(&j.line->gate);
	EXPECT(t, rig_wait(can_pause, &j));
	EXPECT_EQ(t, j.line->starts, 2);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_RESUME, NULL),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* What was only remembered cannot be refused any more when its turn comes. */
static void slow_refused(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.line->gated = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	j.line->fail_prep = true;
	complete_all(&j.line->gate);
	EXPECT(t, job_completed(&j, DmaError));
	EXPECT(t, !NT_SUCCESS(job_cancel(&j)));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	j.line->fail_prep = false;
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/**
 * struct starter - a MapTransferEx that another thread makes
 * @j: of which job
 * @status: what it returned
 * @ended: it has
 * @work: ends the stall of the line after a while
 */
struct starter {
	struct job *j;
	NTSTATUS status;
	struct completion ended;
	struct work_struct work;
};

static int starter_run(void *arg)
{
	struct starter *starter = arg;

	starter->status = job_map(starter->j, 0, PAGE_SIZE, 0);
	kthread_complete_and_exit(&starter->ended, 0);
}

static int is_stalled(void *arg)
{
	return READ_ONCE(((struct dmac_line *)arg)->stalled);
}

/* On another processor, which has no timer of this thread's to see to. */
static bool starter_go(struct nttest *t, struct starter *starter,
		       int (*run)(void *arg))
{
	struct dmac_line *line = starter->j->line;
	struct task_struct *thread;
	unsigned int cpu;

	thread = kthread_create(run, starter, "ntdma_start");
	if (!EXPECT(t, !IS_ERR(thread)))
		return false;
	migrate_disable();
	cpu = raw_smp_processor_id();
	kthread_bind(thread, cpumask_any_but(cpu_online_mask, cpu));
	wake_up_process(thread);
	if (EXPECT(t, rig_wait(is_stalled, line)))
		return true;
	WRITE_ONCE(line->stall, false);
	wait_for_completion(&starter->ended);
	migrate_enable();
	return false;
}

/* Until starter_end() the other thread stands in the controller's driver. */
static bool starter_begin(struct nttest *t, struct starter *starter,
			  struct job *j)
{
	struct sys *s = t->priv;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return false;
	}
	if (!job_begin(j, s, sys_open(s, V3, 0), 0, 2 * PAGE_SIZE, false))
		return false;
	job_piece(j, 0, PAGE_SIZE);
	job_load(j, 0, PAGE_SIZE);
	j->line->stall = true;
	j->line->runs_on = true;
	starter->j = j;
	init_completion(&starter->ended);
	return starter_go(t, starter, starter_run);
}

/* The start was a success, as the client was told of its end. */
static void starter_end(struct nttest *t, struct starter *starter)
{
	struct dmac_line *line = starter->j->line;

	EXPECT_EQ(t, line->stops, 0);
	EXPECT_EQ(t, dmac_step(line, 100), 100);
	EXPECT_EQ(t, line->faults, 0);
	WRITE_ONCE(line->stall, false);
	wait_for_completion(&starter->ended);
	migrate_enable();
	EXPECT_EQ(t, starter->status, STATUS_SUCCESS);
	EXPECT_EQ(t, line->stops, 1);
	EXPECT(t, rig_wait(is_synced, line));
	EXPECT_EQ(t, dmac_step(line, 100), 0);
	line->runs_on = false;
}

static void flush_starting(struct nttest *t)
{
	struct starter starter;
	struct job j;

	if (!starter_begin(t, &starter, &j))
		return;
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	starter_end(t, &starter);
	EXPECT(t, job_completed(&j, DmaCancelled));
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void cancel_starting(struct nttest *t)
{
	struct starter starter;
	struct job j;

	if (!starter_begin(t, &starter, &j))
		return;
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	EXPECT(t, !NT_SUCCESS(job_cancel(&j)));
	starter_end(t, &starter);
	EXPECT(t, job_completed(&j, DmaCancelled));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void free_starting(struct nttest *t)
{
	struct sys *s = t->priv;
	struct starter starter;
	struct request *q;
	struct rig *other;
	struct job j;

	if (!starter_begin(t, &starter, &j))
		return;
	request_release(j.q);
	other = sys_open(s, V3, 0);
	q = other ? request_channel(other, 1, KeepObject) : NULL;
	if (EXPECT(t, q)) {
		EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
	}
	starter_end(t, &starter);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	if (q && request_ran(q))
		request_release(q);
}

/* Another list is mapped while the controller's driver still reads the first. */
static void map_starting(struct nttest *t)
{
	struct sys *s = t->priv;
	struct starter starter;
	dma_addr_t first;
	struct job j;

	s->dmac->lines[0].stall_prep = true;
	s->dmac->lines[0].gated = true;
	if (!starter_begin(t, &starter, &j))
		return;
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	EXPECT_EQ(t, job_map(&j, PAGE_SIZE, PAGE_SIZE, 0), STATUS_SUCCESS);
	WRITE_ONCE(j.line->stall, false);
	wait_for_completion(&starter.ended);
	migrate_enable();
	EXPECT_EQ(t, starter.status, STATUS_SUCCESS);
	EXPECT_EQ(t, j.line->starts, 2);
	first = j.line->first;
	complete_all(&j.line->gate);
	EXPECT(t, job_started(&j));
	EXPECT(t, j.line->first != first);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, PAGE_SIZE, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
}

/* The client was told of a cancel, so the transfer has not failed. */
static void refused_starting(struct nttest *t)
{
	struct sys *s = t->priv;
	struct starter starter;
	struct job j;

	s->dmac->lines[0].stall_prep = true;
	if (!starter_begin(t, &starter, &j))
		return;
	j.line->fail_prep = true;
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	WRITE_ONCE(j.line->stall, false);
	wait_for_completion(&starter.ended);
	migrate_enable();
	j.line->fail_prep = false;
	EXPECT_EQ(t, starter.status, STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaCancelled));
	EXPECT_EQ(t, job_cancel(&j), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* Once for what runs, not for what ended and not for what was cancelled. */
static void flush_reported(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	long before;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	before = ntdma_misused(NTDMA_RULE_FLUSHED_RUNNING);
	job_piece(&j, 0, PAGE_SIZE);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, ntdma_misused(NTDMA_RULE_FLUSHED_RUNNING) - before, 0);
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	ntdma_verify_set(true);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	ntdma_verify_set(false);
	EXPECT_EQ(t, ntdma_misused(NTDMA_RULE_FLUSHED_RUNNING) - before, 1);
	request_release(j.q);
}

static void open_gate(struct work_struct *work)
{
	struct dmac_line *line = container_of(work, struct dmac_line, work);

	msleep(100);
	complete_all(&line->gate);
}

/* The client's driver leaves; its memory may not go before the controller. */
static void unbind_slow(struct nttest *t)
{
	struct sys *s = t->priv;
	struct buffer *b;
	struct job j;

	REQUIRE(t, job_init(&j, s, sys_open(s, V3, 0), 0));
	b = buffer_new(j.r, SCATTERED, 0, PAGE_SIZE);
	REQUIRE(t, b && job_hold(&j, b->mdl, PAGE_SIZE, false));
	j.line->runs_on = true;
	j.line->gated = true;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	INIT_WORK(&j.line->work, open_gate);
	schedule_work(&j.line->work);
	device_release_driver(&s->pdev->dev);
	EXPECT(t, j.line->syncs > 0);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, j.line->chan.client_count, 0);
	j.q->held = DeallocateObject;
	j.r->adapter = NULL;
	buffer_free(b);
}

static void go_on(struct work_struct *work)
{
	struct starter *starter = container_of(work, struct starter, work);

	msleep(100);
	WRITE_ONCE(starter->j->line->stall, false);
}

/* The driver leaves while another thread stands still until the work. */
static void unbind_stalled(struct nttest *t, struct starter *starter)
{
	struct dmac_line *line = starter->j->line;
	struct sys *s = t->priv;

	INIT_WORK_ONSTACK(&starter->work, go_on);
	queue_work_on(raw_smp_processor_id(), system_wq, &starter->work);
	device_release_driver(&s->pdev->dev);
	EXPECT(t, !READ_ONCE(line->stalled));
	flush_work(&starter->work);
	destroy_work_on_stack(&starter->work);
	wait_for_completion(&starter->ended);
	migrate_enable();
	EXPECT_EQ(t, dmac_step(line, DMAC_STREAM), 0);
	starter->j->q->held = DeallocateObject;
	starter->j->r->adapter = NULL;
}

/* A start that goes on holds the removal up, and is stopped then. */
static void unbind_starting(struct nttest *t)
{
	struct starter starter;
	struct job j;

	if (!starter_begin(t, &starter, &j))
		return;
	unbind_stalled(t, &starter);
	EXPECT_EQ(t, starter.status, STATUS_SUCCESS);
	EXPECT_EQ(t, j.line->stops, 1);
	EXPECT(t, j.line->syncs > 0);
	EXPECT_EQ(t, atomic_read(&j.calls), 0);
}

/* The completion routine takes its time. */
static void linger(struct job *j)
{
	int i;

	WRITE_ONCE(j->line->stalled, true);
	for (i = 0; i < RIG_PATIENCE * 300 && READ_ONCE(j->line->stall); i++)
		udelay(1);
	WRITE_ONCE(j->line->stalled, false);
}

static int step_run(void *arg)
{
	struct starter *starter = arg;

	dmac_step(starter->j->line, DMAC_STREAM);
	kthread_complete_and_exit(&starter->ended, 0);
}

/* A routine of the client is not left alone when its driver is gone. */
static void unbind_completing(struct nttest *t)
{
	struct sys *s = t->priv;
	struct starter starter;
	struct job j;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return;
	}
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	j.hook = linger;
	REQUIRE(t, EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS));
	j.line->stall = true;
	starter.j = &j;
	init_completion(&starter.ended);
	if (!starter_go(t, &starter, step_run))
		return;
	unbind_stalled(t, &starter);
	EXPECT_EQ(t, atomic_read(&j.calls), 1);
	EXPECT_EQ(t, j.status, DmaComplete);
}

static void linger_once(struct job *j)
{
	if (j->status == DmaComplete)
		linger(j);
}

/**
 * struct passing - a loop whose routine takes its time on another processor
 * @j: the loop
 * @va: its memory
 * @logical: the same for the controller
 * @mdl: describes it
 * @starter: the other thread
 */
struct passing {
	struct job j;
	PVOID va;
	PHYSICAL_ADDRESS logical;
	PMDL mdl;
	struct starter starter;
};

/* Memory that no machine refuses to a loop, and the channel. */
static bool passing_hold(struct nttest *t, struct passing *p, ULONG line)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	struct rig *r;

	sys_describe(&dd, V3, line);
	dd.AutoInitialize = TRUE;
	r = sys_open_as(s, &dd);
	if (!job_init(&p->j, s, r, line))
		return false;
	p->va = r->ops->AllocateCommonBuffer(r->adapter, PAGE_SIZE, &p->logical,
					     FALSE);
	if (!EXPECT(t, p->va))
		return false;
	p->mdl = IoAllocateMdl(p->va, PAGE_SIZE, FALSE, FALSE, NULL);
	if (!EXPECT(t, p->mdl))
		return false;
	MmBuildMdlForNonPagedPool(p->mdl);
	return job_hold(&p->j, p->mdl, PAGE_SIZE, true);
}

/* Until its stall ends the other thread stands in the routine. */
static bool passing_begin(struct nttest *t, struct passing *p, ULONG line)
{
	memset(p, 0, sizeof(*p));
	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return false;
	}
	if (!passing_hold(t, p, line))
		return false;
	p->j.hook = linger_once;
	if (!EXPECT_EQ(t, job_map(&p->j, 0, PAGE_SIZE, 0), STATUS_SUCCESS))
		return false;
	p->j.line->stall = true;
	p->starter.j = &p->j;
	init_completion(&p->starter.ended);
	return starter_go(t, &p->starter, step_run);
}

/* What the adapter gave goes with it, if that is gone already. */
static void passing_end(struct passing *p)
{
	struct rig *r = p->j.r;

	if (p->j.q && r->adapter)
		request_release(p->j.q);
	if (p->mdl)
		IoFreeMdl(p->mdl);
	if (p->va && r->adapter)
		r->ops->FreeCommonBuffer(r->adapter, PAGE_SIZE, p->logical,
					 p->va, FALSE);
}

/*
 * The client may free in the last call what its routine uses, so no other call
 * goes on then, nor follows. The flush does not wait for it.
 */
static void passing_flush(struct nttest *t, struct passing *p, bool cancelled)
{
	struct job *j = &p->j;

	if (cancelled)
		EXPECT_EQ(t, job_cancel(j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(j, 0, PAGE_SIZE), STATUS_SUCCESS);
	EXPECT_EQ(t, j->line->stops, 1);
	EXPECT(t, READ_ONCE(j->line->stalled));
	EXPECT_EQ(t, atomic_read(&j->calls), 0);
	WRITE_ONCE(j->line->stall, false);
	wait_for_completion(&p->starter.ended);
	migrate_enable();
	EXPECT_EQ(t, atomic_read(&j->calls), 2);
	EXPECT_EQ(t, j->status, DmaCancelled);
	EXPECT_EQ(t, j->irql, DISPATCH_LEVEL);
}

static void flush_passing(struct nttest *t)
{
	struct passing p;
	int line;

	for (line = 0; line < 2; line++) {
		if (passing_begin(t, &p, line))
			passing_flush(t, &p, line);
		passing_end(&p);
	}
}

/* What was left to the client's routine is done before its driver is gone. */
static void unbind_passing(struct nttest *t)
{
	struct passing p;

	if (passing_begin(t, &p, 0)) {
		EXPECT_EQ(t, job_cancel(&p.j), STATUS_SUCCESS);
		unbind_stalled(t, &p.starter);
		EXPECT_EQ(t, atomic_read(&p.j.calls), 2);
		EXPECT_EQ(t, p.j.status, DmaCancelled);
	}
	passing_end(&p);
}

static const struct nttest_case cases[] = {
	{ "S17 EC-120 EC-121 EC-124 cancel, and cancel twice", cancel },
	{ "S17 EC-122 EC-124 a cancel lasts until the flush", map_cancelled },
	{ "S17 EC-122 cancel before map", cancel_unmapped },
	{ "EC-123 cancel after completion", cancel_completed },
	{ "S17 cancel before the callback of a transfer that is through", cancel_late },
	{ "EC-120 a late callback is not the next transfer's", stale_callback },
	{ "EC-120 a callback that comes even later", stale_running },
	{ "S17 cancel races with completion", cancel_race },
	{ "EC-119 flush before completion", flush_running },
	{ "EC-118 EC-119 flush of nothing before completion", flush_nothing },
	{ "EC-118 flush without map", flush_unmapped },
	{ "EC-119 nothing is unmapped or granted before the engine stopped", slow_stop },
	{ "EC-119 not started before the engine stopped", slow_again },
	{ "EC-49 channel freed with a running transfer", free_running },
	{ "S26 unbound with a running transfer", unbind_running },
	{ "S26 unbound, and one adapter waits for another", unbind_sharing },
	{ "EC-119 mapped and flushed again before the engine stopped", slow_queue },
	{ "EC-119 EC-49 what a slow stop holds comes back", slow_pages },
	{ "EC-119 EC-49 what two slow stops hold comes back", slow_large },
	{ "EC-126 pause of a transfer that has not started", slow_pause },
	{ "EC-128 a late start that the controller refuses", slow_refused },
	{ "EC-119 flush of a transfer that is being started", flush_starting },
	{ "EC-120 EC-124 cancel of a transfer that is being started", cancel_starting },
	{ "EC-49 channel freed while a transfer is being started", free_starting },
	{ "0xE6:23 flush of a transfer that runs", flush_reported },
	{ "EC-119 mapped while another transfer is being started", map_starting },
	{ "EC-109 EC-120 cancelled while being started, then refused",
	  refused_starting },
	{ "S26 unbound, and the controller is slow to stop", unbind_slow },
	{ "S26 unbound while a transfer is being started", unbind_starting },
	{ "S26 unbound while the completion routine runs", unbind_completing },
	{ "S12 EC-119 EC-120 a loop ends while its routine runs elsewhere",
	  flush_passing },
	{ "S26 unbound while the routine of a cancelled loop runs", unbind_passing },
	{ }
};

const struct nttest_suite nttest_stopping = {
	.name = "stopping",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
