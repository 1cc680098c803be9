// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a channel of a controller: one request at a time, of any number of
 * adapters, in their order.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "../../uapi/linux/ntdma.h"
#include "hooks.h"
#include "sys.h"
#include "../sysdma.h"

#define V3	DEVICE_DESCRIPTION_VERSION3

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
	job_packet(&j, 0, PAGE_SIZE);
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

/* Waiting */

/* Two adapters have line 0: the first owns it, the other waits with @q. */
static bool contend(struct nttest *t, struct job *j, struct request **q)
{
	struct sys *s = t->priv;
	struct rig *other;

	if (!job_begin(j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true))
		return false;
	other = sys_open(s, V3, 0);
	*q = other ? request_channel(other, 1, KeepObject) : NULL;
	return EXPECT(t, *q) &&
	       EXPECT_EQ(t, request_allocate_ex(*q, 0), STATUS_SUCCESS) &&
	       EXPECT_EQ(t, atomic_read(&(*q)->calls), 0);
}

/* Of three that wait the second goes, and the others keep their order. */
static void cancel_waiter(struct nttest *t)
{
	struct request *first, *q, *last;
	struct sys *s = t->priv;
	struct rig *other;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	other = sys_open(s, V3, 0);
	REQUIRE(t, other);
	first = request_channel(j.r, 1, KeepObject);
	q = request_channel(other, 1, KeepObject);
	last = request_channel(j.r, 1, KeepObject);
	REQUIRE(t, first && q && last);
	EXPECT_EQ(t, request_allocate_ex(first, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, request_allocate_ex(last, 0), STATUS_SUCCESS);
	EXPECT(t, !other->ops->CancelAdapterChannel(other->adapter, last->from,
						    last->context));
	EXPECT(t, other->ops->CancelAdapterChannel(other->adapter, q->from,
						   q->context));
	q->queued = false;
	EXPECT(t, !j.r->ops->CancelAdapterChannel(j.r->adapter, j.q->from,
						  j.q->context));
	request_release(j.q);
	EXPECT(t, request_ran(first));
	EXPECT_EQ(t, atomic_read(&last->calls), 0);
	request_release(first);
	EXPECT(t, request_ran(last));
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	request_release(last);
}

/* What a waiter does to the channel does nothing to its owner. */
static void not_owner(struct nttest *t)
{
	struct request *q, *second;
	struct rig *other;
	long refused;
	struct job j;

	REQUIRE(t, contend(t, &j, &q));
	other = q->r;
	second = request_channel(j.r, 1, KeepObject);
	REQUIRE(t, second);
	EXPECT_EQ(t, request_allocate_ex(second, 0), STATUS_SUCCESS);
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	refused = ntdma_refused();
	other->ops->FreeAdapterChannel(other->adapter);
	EXPECT_EQ(t, ntdma_refused() - refused, 1);
	EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter), PAGE_SIZE);
	EXPECT_EQ(t, other->ops->ReadDmaCounter(other->adapter), 0);
	other->ops->FreeAdapterObject(other->adapter, DeallocateObject);
	EXPECT_EQ(t, other->ops->CancelMappedTransfer(other->adapter,
						      q->context),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, other->ops->CancelMappedTransfer(other->adapter,
						      j.q->context),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, j.r->ops->CancelMappedTransfer(j.r->adapter,
						    second->context),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, j.r->ops->CancelMappedTransfer(j.r->adapter, NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
	EXPECT(t, request_ran(q));
	request_release(q);
	EXPECT(t, request_ran(second));
	request_release(second);
}

/* Settings, of which each adapter has its own */

static bool configured(const struct dmac_line *line, u32 width, u32 burst,
		       bool flow, size_t size)
{
	return line->width == width && line->config.dst_maxburst == burst &&
	       line->config.device_fc == flow &&
	       line->config.peripheral_size == size;
}

static void settings(struct nttest *t)
{
	struct ntdma_channel_config config = {
		.size = sizeof(config), .width = 2, .burst = 16, .flow = 1,
	};
	u32 data = 7;
	struct ntdma_channel_blob blob = { &data, sizeof(data) };
	struct sys *s = t->priv;
	struct job a, b;
	int i;

	REQUIRE(t, job_begin(&a, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, sys_configure(a.r, NTDMA_CHANNEL_CONFIG, &config),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(a.r, NTDMA_CHANNEL_PERIPHERAL, &blob),
		  STATUS_SUCCESS);
	job_piece(&a, 0, PAGE_SIZE);
	EXPECT(t, configured(a.line, 2, 16, true, sizeof(data)));
	request_release(a.q);

	REQUIRE(t, job_begin(&b, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	for (i = 0; i < 2; i++) {
		job_piece(&b, 0, PAGE_SIZE);
		EXPECT(t, configured(b.line, 4, 1, false, 0));
	}
	request_release(b.q);
	REQUIRE(t, job_begin(&a, s, a.r, 0, PAGE_SIZE, true));
	job_piece(&a, 0, PAGE_SIZE);
	EXPECT(t, configured(a.line, 2, 16, true, sizeof(data)));
	request_release(a.q);
}

/* What an adapter set is not used once it is put. */
static void settings_gone(struct nttest *t)
{
	ULONG burst = 8;
	struct sys *s = t->priv;
	struct job a, b;

	REQUIRE(t, job_begin(&a, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	REQUIRE(t, job_init(&b, s, sys_open(s, V3, 0), 0));
	EXPECT_EQ(t, sys_configure(a.r, NTDMA_CHANNEL_BURST, &burst),
		  STATUS_SUCCESS);
	job_piece(&a, 0, PAGE_SIZE);
	request_release(a.q);
	a.r->ops->PutDmaAdapter(a.r->adapter);
	a.r->adapter = NULL;
	REQUIRE(t, job_begin(&b, s, b.r, 0, PAGE_SIZE, true));
	job_piece(&b, 0, PAGE_SIZE);
	EXPECT(t, configured(b.line, 4, 1, false, 0));
	request_release(b.q);
}

/* One who waits sets up its own transfers while those of the owner run. */
static void settings_waiting(struct nttest *t)
{
	ULONG burst = 8;
	struct request *q;
	struct job a, b;

	REQUIRE(t, contend(t, &a, &q));
	job_load(&a, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&a, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(q->r, NTDMA_CHANNEL_BURST, &burst),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(q->r, NTDMA_CHANNEL_PAUSE, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, sys_configure(a.r, NTDMA_CHANNEL_PAUSE, NULL),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(q->r, NTDMA_CHANNEL_RESUME, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, dmac_step(a.line, DMAC_STREAM), 0);
	EXPECT_EQ(t, sys_configure(a.r, NTDMA_CHANNEL_RESUME, NULL),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(a.line, DMAC_STREAM), PAGE_SIZE);
	EXPECT(t, job_completed(&a, DmaComplete));
	EXPECT_EQ(t, job_flush(&a, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&a, 0, PAGE_SIZE);
	EXPECT(t, configured(a.line, 4, 1, false, 0));
	request_release(a.q);
	EXPECT(t, request_ran(q));
	request_release(q);
	REQUIRE(t, job_begin(&b, t->priv, q->r, 0, PAGE_SIZE, true));
	job_piece(&b, 0, PAGE_SIZE);
	EXPECT(t, configured(b.line, 4, 8, false, 0));
	request_release(b.q);
}

#define WAITERS	200

static void many(struct nttest *t)
{
	struct request **q = kvcalloc(WAITERS, sizeof(*q), GFP_KERNEL);
	struct request *first;
	struct sys *s = t->priv;
	struct rig *r[2];
	struct job j;
	int i;

	REQUIRE(t, q);
	if (!contend(t, &j, &first))
		goto free_q;
	r[0] = s->rigs[0];
	r[1] = s->rigs[1];
	first->action = DeallocateObject;
	stack_begin();
	for (i = 0; i < WAITERS; i++) {
		q[i] = request_channel(r[i % 2], 1, DeallocateObject);
		if (!q[i])
			break;
		q[i]->hook = stack_note;
		EXPECT_EQ(t, request_allocate_ex(q[i], 0), STATUS_SUCCESS);
	}
	request_release(j.q);
	request_ran(first);
	for (i = 0; i < WAITERS && q[i]; i++)
		if (!request_ran(q[i]))
			break;
	EXPECT_EQ(t, i, WAITERS);
	EXPECT(t, stack_span() < STACK_BOUND);
free_q:
	kvfree(q);
}

/* Starting in the routine that gets the channel */

static void start_inside(struct request *q)
{
	struct job *j = q->arg;

	j->q = q;
	EXPECT_EQ(q->r->t, job_map(j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
}

static void end_inside(struct request *q)
{
	struct job *j = q->arg;

	start_inside(q);
	EXPECT_EQ(q->r->t, dmac_step(j->line, DMAC_STREAM), PAGE_SIZE);
}

/* A request that gets the channel with @hook, for memory of one page. */
static struct request *inside(struct job *j, struct rig *r, bool write,
			      void (*hook)(struct request *q))
{
	struct sys *s = r->t->priv;
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);

	if (!EXPECT(r->t, b) || !job_init(j, s, r, 0))
		return NULL;
	j->q = request_new(r, b->mdl, 0, PAGE_SIZE, write);
	if (!j->q)
		return NULL;
	j->q->registers = 1;
	j->q->action = KeepObject;
	j->q->hook = hook;
	j->q->arg = j;
	job_load(j, 0, PAGE_SIZE);
	return j->q;
}

static void started_inside(struct nttest *t)
{
	struct rig *r = sys_open(t->priv, V3, 0);
	struct request *q;
	struct job j;
	int write;

	REQUIRE(t, r);
	for (write = 0; write < 2; write++) {
		q = inside(&j, r, write, start_inside);
		REQUIRE(t, q);
		EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
		EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
		EXPECT(t, job_completed(&j, DmaComplete));
		EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
		job_check(&j, 0, PAGE_SIZE);
		request_release(q);
	}
}

static void packet_inside(struct request *q)
{
	struct rig *r = q->r;
	ULONG length = PAGE_SIZE;

	r->ops->MapTransfer(r->adapter, q->mdl, q->base,
			    MmGetMdlVirtualAddress(q->mdl), &length, q->write);
	EXPECT_EQ(r->t, length, PAGE_SIZE);
}

static void packet_started_inside(struct nttest *t)
{
	struct rig *r = sys_open(t->priv, 1, 0);
	struct request *q;
	struct job j;
	KIRQL old;

	REQUIRE(t, r);
	q = inside(&j, r, false, packet_inside);
	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
	old = rig_raise();
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, q->mdl, q->base,
					      MmGetMdlVirtualAddress(q->mdl),
					      PAGE_SIZE, FALSE));
	KeLowerIrql(old);
	job_check(&j, 0, PAGE_SIZE);
	request_release(q);
}

static void give_all_back(struct job *j)
{
	EXPECT_EQ(j->r->t, job_flush(j, 0, PAGE_SIZE), STATUS_SUCCESS);
	j->q->held = DeallocateObject;
	j->r->ops->FreeAdapterChannel(j->r->adapter);
}

/* Mapped, completed, flushed and freed before the routine returns KeepObject. */
static void ended_inside(struct nttest *t)
{
	struct rig *r = sys_open(t->priv, V3, 0);
	struct request *q, *next;
	struct job j;

	REQUIRE(t, r);
	q = inside(&j, r, true, end_inside);
	REQUIRE(t, q);
	j.hook = give_all_back;
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	EXPECT(t, job_completed(&j, DmaComplete));
	job_check(&j, 0, PAGE_SIZE);
	next = request_channel(r, 1, KeepObject);
	REQUIRE(t, next);
	EXPECT_EQ(t, request_allocate_sync(next), STATUS_SUCCESS);
	request_release(next);
}

/* Putting */

/* What was there goes on and can be given back. */
static void put_running(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	KIRQL old;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	dmac_step(j.line, 100);
	old = rig_raise();
	j.r->ops->PutDmaAdapter(j.r->adapter);
	KeLowerIrql(old);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE - 100);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->chan.client_count, 1);
	request_release(j.q);
	j.r->adapter = NULL;
}

/* Freeing before the controller has stopped */

/* Cancelled, flushed and freed, while line 0 is not seen to stop. */
static bool freed_early(struct nttest *t, struct job *j)
{
	reinit_completion(&j->line->gate);
	j->line->gated = true;
	if (!EXPECT_EQ(t, job_map(j, 0, PAGE_SIZE, 0), STATUS_SUCCESS))
		return false;
	EXPECT_EQ(t, job_cancel(j), STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j->q);
	return true;
}

/* What was freed is not the client's any more, so once more frees nothing. */
static void freed_twice(struct nttest *t)
{
	struct request *q;
	struct job j;
	long before;
	KIRQL old;
	int way;

	for (way = 0; way < 2; way++) {
		REQUIRE(t, contend(t, &j, &q));
		q->action = DeallocateObject;
		REQUIRE(t, freed_early(t, &j));
		before = ntdma_misused(NTDMA_RULE_FREED_CHANNEL);
		old = rig_raise();
		if (way)
			j.r->ops->FreeAdapterChannel(j.r->adapter);
		else
			j.r->ops->FreeAdapterObject(j.r->adapter,
						    DeallocateObject);
		KeLowerIrql(old);
		EXPECT_EQ(t, ntdma_misused(NTDMA_RULE_FREED_CHANNEL) - before,
			  way);
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
		complete_all(&j.line->gate);
		EXPECT(t, request_ran(q));
	}
}

/* Nor may it be cancelled, least of all for who is granted next. */
static void freed_cancelled(struct nttest *t)
{
	struct sys *s = t->priv;
	struct rig *other;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	other = sys_open(s, V3, 0);
	REQUIRE(t, other);
	REQUIRE(t, freed_early(t, &j));
	EXPECT_EQ(t, job_cancel(&j), STATUS_INVALID_PARAMETER);
	complete_all(&j.line->gate);
	REQUIRE(t, job_begin(&j, s, other, 0, PAGE_SIZE, true));
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

/* Nor does a client that puts the adapter then leave the channel held. */
static void freed_put(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	long before;
	KIRQL old;
	int held;

	for (held = 0; held < 2; held++) {
		REQUIRE(t, job_begin(&j, s, sys_open(s, V3, held), held,
				     PAGE_SIZE, true));
		if (!held)
			REQUIRE(t, freed_early(t, &j));
		before = ntdma_misused(NTDMA_RULE_LEFT_CHANNEL);
		ntdma_verify_set(true);
		old = rig_raise();
		j.r->ops->PutDmaAdapter(j.r->adapter);
		KeLowerIrql(old);
		ntdma_verify_set(false);
		EXPECT_EQ(t, ntdma_misused(NTDMA_RULE_LEFT_CHANNEL) - before,
			  held);
		complete_all(&j.line->gate);
		request_release(j.q);
		j.r->adapter = NULL;
	}
}

#define RACES	100

/**
 * struct canceller - a thread that cancels the transfer of a request
 * @j: which
 * @stands: it was interrupted, and goes on when this is cleared
 */
struct canceller {
	struct job j;
	bool stands;
};

static int canceller_run(void *arg)
{
	struct canceller *x = arg;

	while (!kthread_should_stop()) {
		job_cancel(&x->j);
		cond_resched();
	}
	return 0;
}

/* An interrupt: wherever the thread is, it stays there for a while. */
static void canceller_stand(void *arg)
{
	struct canceller *x = arg;
	int i;

	WRITE_ONCE(x->stands, true);
	for (i = 0; i < 2000 && READ_ONCE(x->stands); i++)
		udelay(1);
}

static void canceller_halt(struct canceller *x, int cpu)
{
	int i;

	smp_call_function_single(cpu, canceller_stand, x, false);
	for (i = 0; i < 2000 && !READ_ONCE(x->stands); i++)
		udelay(1);
}

/* One gives the channel to the other while the thread is in its cancel. */
static bool canceller_turn(struct canceller *x, struct request *q, int cpu)
{
	struct nttest *t = q->r->t;
	struct job *j = q->arg;

	if (!EXPECT_EQ(t, request_allocate_ex(x->j.q, 0), STATUS_SUCCESS) ||
	    !request_ran(x->j.q) ||
	    !EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS))
		return false;
	/* It has begun to see who owns the channel now. */
	usleep_range(20, 40);
	canceller_halt(x, cpu);
	request_release(x->j.q);
	if (!request_ran(q))
		return false;
	EXPECT_EQ(t, job_map(j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	WRITE_ONCE(x->stands, false);
	/* It is through with the cancel that it was in. */
	usleep_range(100, 200);
	EXPECT_EQ(t, dmac_step(j->line, DMAC_STREAM), PAGE_SIZE);
	EXPECT(t, job_completed(j, DmaComplete));
	EXPECT_EQ(t, job_flush(j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(q);
	return !t->failed;
}

/* A cancel that looked at the owner before it was freed, and goes on later. */
static void cancel_overtaken(struct nttest *t)
{
	struct sys *s = t->priv;
	struct task_struct *thread;
	struct canceller x = { };
	struct job j;
	int cpu, i;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return;
	}
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	request_release(j.q);
	REQUIRE(t, job_begin(&x.j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	request_release(x.j.q);
	j.q->arg = &j;
	thread = kthread_create(canceller_run, &x, "ntdma_cancel");
	REQUIRE(t, !IS_ERR(thread));
	migrate_disable();
	cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	kthread_bind(thread, cpu);
	wake_up_process(thread);
	for (i = 0; i < RACES && canceller_turn(&x, j.q, cpu); i++)
		;
	WRITE_ONCE(x.stands, false);
	kthread_stop(thread);
	/* Whoever comes late is there before this one. */
	smp_call_function_single(cpu, canceller_stand, &x, true);
	migrate_enable();
	EXPECT_EQ(t, i, RACES);
	request_release(x.j.q);
	request_release(j.q);
}

static const struct nttest_case cases[] = {
	{ "S5 EC-49 a second adapter waits for the channel", share },
	{ "S22 requests of several adapters in their order", three },
	{ "S22 lines do not wait for each other", other_line },
	{ "EC-60 EC-66 EC-67 EC-68 channel and registers go together", together },
	{ "S15 EC-71 EC-72 EC-77 a waiter of another adapter is cancelled",
	  cancel_waiter },
	{ "0xE6:04 EC-69 EC-92 S17 free, counter and cancel of one who waits", not_owner },
	{ "S5 EC-126 each adapter of a channel has its own settings", settings },
	{ "EC-126 EC-21 the settings of an adapter that is put", settings_gone },
	{ "EC-126 S22 settings by one who waits", settings_waiting },
	{ "EC-52 200 waiters of two adapters on a bounded stack", many },
	{ "EC-50 S11 a transfer started in AdapterControl", started_inside },
	{ "EC-50 S5 MapTransfer in AdapterControl", packet_started_inside },
	{ "EC-50 EC-129 all is over before AdapterControl returns", ended_inside },
	{ "EC-21 EC-22 an adapter is put while its transfer runs", put_running },
	{ "EC-123 EC-124 cancel after the channel was freed", freed_cancelled },
	{ "EC-123 S17 a cancel that another's grant overtakes", cancel_overtaken },
	{ "0xE6:08 EC-21 put before the engine stopped", freed_put },
	{ "0xE6:04 EC-49 EC-69 freed twice before the engine stopped", freed_twice },
	{ }
};

const struct nttest_suite nttest_sharing = {
	.name = "sharing",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
