// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers that a controller repeats by itself over a common buffer, S6 and
 * S12, and what becomes of its channel afterwards.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include "sys.h"
#include "../sysdma.h"

#define V3	DEVICE_DESCRIPTION_VERSION3

/**
 * struct loop - a transfer over a common buffer
 * @j: the transfer, on line 2
 * @va: the buffer
 * @logical: its address
 * @mdl: describes it
 * @length: its length in bytes
 * @left: what the counter said in the first completion
 * @stops: terminations that the line had seen when that one's flush returned
 */
struct loop {
	struct job j;
	PVOID va;
	PHYSICAL_ADDRESS logical;
	PMDL mdl;
	ULONG length;
	ULONG left;
	int stops;
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

/**
 * struct told - a number of completions
 * @j: of which transfer
 * @times: the number
 */
struct told {
	struct job *j;
	int times;
};

static int is_told(void *arg)
{
	struct told *told = arg;

	return atomic_read(&told->j->calls) >= told->times;
}

/* What the controller says in its interrupt the client hears afterwards. */
static void loop_interrupt(struct nttest *t)
{
	struct sys *s = t->priv;
	struct told told = { };
	struct loop l;
	int i;

	if (!loop_begin(&l, s, V3, true))
		goto end;
	l.j.line->hard = true;
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	told.j = &l.j;
	/* One period at a time, then four, whose reports come at once. */
	for (i = 0; i < 6; i++) {
		ULONG periods = i < 4 ? 1 : 4;

		told.times += periods;
		dmac_step(l.j.line, periods * l.length / 4);
		EXPECT(t, rig_wait(is_told, &told));
		EXPECT_EQ(t, atomic_read(&l.j.calls), told.times);
		EXPECT_EQ(t, l.j.status, DmaComplete);
		EXPECT_EQ(t, l.j.irql, DISPATCH_LEVEL);
	}
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&l.j.calls), told.times + 1);
	EXPECT_EQ(t, l.j.status, DmaCancelled);
end:
	loop_end(&l);
}

static void count_again(struct job *j)
{
	EXPECT(j->r->t, !irqs_disabled());
	j->r->ops->ReadDmaCounter(j->r->adapter);
}

/* What is due is reported while the counter is read, as dw_dmac does it. */
static void loop_confided(struct nttest *t)
{
	struct sys *s = t->priv;
	struct told told = { .times = 1 };
	struct loop l;
	ULONG left;

	if (!loop_begin(&l, s, V3, true))
		goto end;
	l.j.hook = count_again;
	l.j.line->hold = true;
	l.j.line->confides = true;
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	dmac_step(l.j.line, l.length / 4);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 0);
	left = l.j.r->ops->ReadDmaCounter(l.j.r->adapter);
	EXPECT_EQ(t, left, l.length - l.length / 4);
	told.j = &l.j;
	EXPECT(t, rig_wait(is_told, &told));
	EXPECT_EQ(t, atomic_read(&l.j.calls), 1);
	EXPECT_EQ(t, l.j.status, DmaComplete);
	EXPECT_EQ(t, l.j.irql, DISPATCH_LEVEL);
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
end:
	loop_end(&l);
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

/* After two and a half passes, what the device sent last in each half. */
static void loop_data(struct nttest *t, struct loop *l)
{
	ULONG half = l->length / 2;
	const u8 *sent = l->j.line->stream + 3 * half;

	pattern_same(t, "the second half", l->va + half, sent, half);
	pattern_same(t, "the first half", l->va, sent + half, half);
}

static void loop_v3(struct nttest *t)
{
	struct sys *s = t->priv;
	struct loop l;

	if (!loop_begin(&l, s, V3, false))
		goto end;
	pattern_fill(l.j.line->stream, DMAC_STREAM, 5);
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	EXPECT_EQ(t, l.j.mapped, l.length);
	loop_passes(t, &l);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 10);
	EXPECT_EQ(t, l.j.status, DmaComplete);
	EXPECT_EQ(t, l.j.irql, DISPATCH_LEVEL);
	EXPECT_EQ(t, job_cancel(&l.j), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 11);
	EXPECT_EQ(t, l.j.status, DmaCancelled);
	EXPECT_EQ(t, l.j.r->ops->ReadDmaCounter(l.j.r->adapter), 0);
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(l.j.line, 64), 0);
	loop_data(t, &l);
	msleep(50);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 11);
end:
	loop_end(&l);
}

/* A controller that counts whole periods, of which a pass has four. */
static void loop_counts_periods(struct nttest *t)
{
	struct sys *s = t->priv;
	struct loop l;
	ULONG step;
	int i;

	s->dmac->lines[2].residue = DMA_RESIDUE_GRANULARITY_SEGMENT;
	if (!loop_begin(&l, s, V3, true) ||
	    !EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	step = l.length / 8;
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(t, l.j.r->ops->ReadDmaCounter(l.j.r->adapter),
			  l.length - i % 8 / 2 * (l.length / 4));
		EXPECT_EQ(t, dmac_step(l.j.line, step), step);
	}
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
end:
	loop_end(&l);
}

/* The controller gets all of it as one run, or nothing. */
static void loop_scattered(struct nttest *t)
{
	ULONG length = 4 * PAGE_SIZE;
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	NTSTATUS status;
	struct job j;

	sys_describe(&dd, V3, 2);
	dd.AutoInitialize = TRUE;
	REQUIRE(t, job_begin(&j, s, sys_open_as(s, &dd), 2, length, true));
	job_load(&j, 0, length);
	status = job_map(&j, 0, length, 0);
	if (NT_SUCCESS(status)) {
		EXPECT_EQ(t, j.mapped, length);
		EXPECT_EQ(t, dmac_step(j.line, length), length);
		EXPECT_EQ(t, job_flush(&j, 0, length), STATUS_SUCCESS);
		job_check(&j, 0, length);
	} else {
		EXPECT_EQ(t, status, STATUS_INSUFFICIENT_RESOURCES);
		EXPECT_EQ(t, j.line->starts, 0);
	}
	request_release(j.q);
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
	for (i = 0; i < RIG_PATIENCE / 20 && atomic_read(&l.j.calls) < 5; i++) {
		ULONG left = l.j.r->ops->ReadDmaCounter(l.j.r->adapter);

		EXPECT(t, left >= 1 && left <= l.length);
		msleep(20);
	}
	EXPECT(t, atomic_read(&l.j.calls) >= 5);
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	/* One may have been on its way. */
	msleep(50);
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

static ULONG period_of(struct nttest *t, ULONG length, ULONG width)
{
	struct ntdma_channel_config config = {
		.size = sizeof(config), .width = width,
	};
	struct sys *s = t->priv;
	struct dmac_line *line = &s->dmac->lines[2];
	struct job *j;
	struct loop l;
	ULONG period = 0;

	if (loop_begin(&l, s, V3, true)) {
		j = &l.j;
		EXPECT_EQ(t, sys_configure(j->r, NTDMA_CHANNEL_CONFIG, &config),
			  STATUS_SUCCESS);
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
	EXPECT_EQ(t, period_of(t, PAGE_SIZE, 0), PAGE_SIZE / 4);
	EXPECT_EQ(t, period_of(t, 12, 0), 4);
	EXPECT_EQ(t, period_of(t, 40, 0), 20);
	EXPECT_EQ(t, period_of(t, 20, 0), 20);
}

/* The unit is the controller's, whatever DmaWidth says. */
static void loop_units(struct nttest *t)
{
	EXPECT_EQ(t, period_of(t, 20, 1), 5);
	EXPECT_EQ(t, period_of(t, 20, 2), 10);
}

/* The error ends the loop, so the flush has nobody to tell of it. */
static void loop_error(struct nttest *t)
{
	struct sys *s = t->priv;
	struct loop l;

	if (!loop_begin(&l, s, V3, false))
		goto end;
	l.j.line->error_at = l.length / 2;
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	dmac_step(l.j.line, l.length / 4);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 1);
	EXPECT_EQ(t, l.j.status, DmaComplete);
	dmac_step(l.j.line, l.length);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 2);
	EXPECT_EQ(t, l.j.status, DmaError);
	EXPECT(t, !NT_SUCCESS(job_cancel(&l.j)));
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 2);
	l.j.line->error_at = 0;
	EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS);
	EXPECT(t, job_started(&l.j));
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
end:
	loop_end(&l);
}

static void flush_once(struct job *j)
{
	struct loop *l = container_of(j, struct loop, j);

	if (l->stops >= 0)
		return;
	l->stops = 0;
	l->left = j->r->ops->ReadDmaCounter(j->r->adapter);
	EXPECT_EQ(j->r->t, job_flush(j, 0, j->mapped), STATUS_SUCCESS);
	l->stops = j->line->stops;
}

/* What was reported runs and can be stopped, even if its start goes on. */
static void loop_starting(struct nttest *t)
{
	ULONG length = 3 * PAGE_SIZE;
	struct sys *s = t->priv;
	struct loop l;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return;
	}
	if (!loop_begin(&l, s, V3, true))
		goto end;
	l.stops = -1;
	l.j.hook = flush_once;
	l.j.line->fast = true;
	EXPECT_EQ(t, job_map(&l.j, 0, length, 0), STATUS_SUCCESS);
	EXPECT(t, l.j.line->fast_met);
	EXPECT_EQ(t, l.left, length - DMAC_STREAM % length);
	EXPECT_EQ(t, l.stops, 1);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 2);
	EXPECT_EQ(t, dmac_step(l.j.line, 64), 0);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 2);
	l.j.line->fast = false;
end:
	loop_end(&l);
}

/* Has the channel, which is free only once whatever ran there has stopped. */
static bool packet_hold(struct nttest *t, struct rig *r, struct job *j)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);

	return EXPECT(t, b) && job_init(j, t->priv, r, 2) &&
	       job_hold(j, b->mdl, PAGE_SIZE, false);
}

/* One that ends and one that is stopped, on resources allocated @allocs times. */
static void packet(struct nttest *t, struct rig *r, int allocs)
{
	struct job j;

	REQUIRE(t, packet_hold(t, r, &j));
	EXPECT_EQ(t, j.line->allocs, allocs);
	EXPECT_EQ(t, j.line->frees, allocs - 1);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
}

/* Not every controller ends a loop by itself that it reports as failed. */
static void loop_error_running(struct nttest *t)
{
	struct sys *s = t->priv;
	struct rig *r = sys_open(s, V3, 2);
	struct loop l;

	REQUIRE(t, r);
	if (!loop_begin(&l, s, V3, false))
		goto end;
	l.j.line->runs_on = true;
	l.j.line->gated = true;
	if (!EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS))
		goto end;
	l.j.line->spoils = true;
	dmac_step(l.j.line, l.length / 2);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 1);
	EXPECT_EQ(t, l.j.status, DmaError);
	EXPECT_EQ(t, l.j.line->stops, 1);
	EXPECT_EQ(t, job_cancel(&l.j), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	EXPECT_EQ(t, l.j.line->stops, 1);
	dmac_step(l.j.line, l.length);
	EXPECT_EQ(t, atomic_read(&l.j.calls), 1);
	complete_all(&l.j.line->gate);
end:
	loop_end(&l);
	if (!t->failed)
		packet(t, r, 2);
}

/* @fail: its channel's resources cannot be allocated again. */
static void loop_once(struct nttest *t, bool fail)
{
	struct loop l;

	if (loop_begin(&l, t->priv, V3, false)) {
		l.j.line->gated = true;
		EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS);
		EXPECT(t, job_started(&l.j));
		EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
		l.j.line->fail_alloc = fail;
		complete_all(&l.j.line->gate);
	}
	loop_end(&l);
}

/*
 * Drivers of controllers take a channel either for loops or for lists, for as
 * long as somebody has it: after a loop it is given back and taken again.
 */
static void renewed(struct nttest *t)
{
	struct sys *s = t->priv;
	struct rig *r = sys_open(s, V3, 2);

	REQUIRE(t, r);
	packet(t, r, 1);
	packet(t, r, 1);
	loop_once(t, false);
	packet(t, r, 2);
	packet(t, r, 2);
}

/* The channel is then of no use, and what it lacks is not freed twice. */
static void not_renewed(struct nttest *t)
{
	struct sys *s = t->priv;
	struct dmac_line *line = &s->dmac->lines[2];
	struct rig *r = sys_open(s, V3, 2);
	struct job j;

	REQUIRE(t, r);
	loop_once(t, true);
	if (packet_hold(t, r, &j)) {
		EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
			  STATUS_INSUFFICIENT_RESOURCES);
		EXPECT_EQ(t, line->starts, 1);
		EXPECT_EQ(t, atomic_read(&j.calls), 0);
		request_release(j.q);
	}
	EXPECT_EQ(t, line->frees, line->allocs);
	line->fail_alloc = false;
	while (s->count)
		rig_close(s->rigs[--s->count]);
	EXPECT(t, rig_wait(dmac_is_free, line));
	EXPECT_EQ(t, line->frees, line->allocs);
}

static int count_run(void *arg)
{
	struct rig *r = arg;

	while (!kthread_should_stop()) {
		r->ops->ReadDmaCounter(r->adapter);
		cond_resched();
	}
	return 0;
}

/* Loops that begin and end while another processor reads the counter. */
static void renewed_counting(struct nttest *t)
{
	struct task_struct *other;
	struct sys *s = t->priv;
	struct loop l;
	int i;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return;
	}
	if (!loop_begin(&l, s, V3, true))
		goto end;
	l.j.line->dawdles = true;
	other = kthread_run(count_run, l.j.r, "ntdma_count");
	if (!EXPECT(t, !IS_ERR(other)))
		goto end;
	for (i = 0; i < 20 && !t->failed; i++) {
		EXPECT_EQ(t, job_map(&l.j, 0, l.length, 0), STATUS_SUCCESS);
		job_started(&l.j);
		usleep_range(1000, 2000);
		EXPECT_EQ(t, job_flush(&l.j, 0, l.length), STATUS_SUCCESS);
	}
	kthread_stop(other);
	EXPECT_EQ(t, l.j.line->torn, 0);
	EXPECT(t, l.j.line->frees > 0);
end:
	loop_end(&l);
}

static const struct nttest_case cases[] = {
	{ "S6 EC-91 EC-92 loop by MapTransfer", loop_v1 },
	{ "S12 loop with a completion per period", loop_v3 },
	{ "S12 EC-127 periods reported in a hard interrupt", loop_interrupt },
	{ "S12 EC-127 periods reported while the counter is read",
	  loop_confided },
	{ "S12 EC-92 a counter of whole periods", loop_counts_periods },
	{ "S12 loop over scattered memory: one run, or refused", loop_scattered },
	{ "S12 loop by itself", loop_by_timer },
	{ "S12 EC-92 loop faster than its reports, and a late one", loop_overrun },
	{ "S12 periods of a loop", loop_periods },
	{ "S12 EC-126 periods of a loop of another width", loop_units },
	{ "S12 EC-128 a loop that fails", loop_error },
	{ "S12 EC-91 EC-128 a loop that fails and goes on", loop_error_running },
	{ "S12 EC-119 a loop flushed in its report, while it is being started",
	  loop_starting },
	{ "S12 the channel is renewed after a loop", renewed },
	{ "S12 EC-92 the channel is renewed while its counter is read",
	  renewed_counting },
	{ "S12 EC-109 the channel cannot be renewed after a loop", not_renewed },
	{ }
};

const struct nttest_suite nttest_loops = {
	.name = "loops",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
