// SPDX-License-Identifier: GPL-2.0
/*
 * The NT services: IRQL, spin locks, DPCs, events, time, pool, device memory,
 * device objects, and the inline helpers of wdm.h beside them.
 *
 * Checks are made by the thread of the case only. What runs elsewhere (jobs,
 * which are work items, DPCs and an interrupt handler) leaves what it saw in
 * struct nt. Every wait has an end, so that a broken service fails its case
 * rather than hang it.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "hooks.h"
#include "rig.h"
#include "test.h"
#include "../glue.h"

#define JOBS		8
#define CALLS		3
#define WAIT_MS		20000		/* for what must happen */
#define HOLD_MS		10000		/* less than what counts as a stall */
#define TAG		0x4e547374

struct nt;

/**
 * struct job - a thread beside the case
 * @work: runs @run
 * @run: what to do
 * @nt: the case
 * @status: left by @run
 */
struct job {
	struct work_struct work;
	void (*run)(struct job *job);
	struct nt *nt;
	NTSTATUS status;
};

/**
 * struct call - a DPC and what its routine saw last
 * @dpc: the DPC
 * @nt: the case
 * @again: how often the routine queues its DPC once more
 * @runs: calls so far
 * @turn: place of the call among those of all DPCs, from 1
 * @cpu: processor
 * @irql: level
 * @hardirq: inside an interrupt handler
 * @argument1: SystemArgument1
 * @argument2: SystemArgument2
 */
struct call {
	KDPC dpc;
	struct nt *nt;
	int again;
	int runs;
	int turn;
	int cpu;
	KIRQL irql;
	bool hardirq;
	PVOID argument1;
	PVOID argument2;
};

/**
 * struct nt - what a case shares with its jobs, DPCs and interrupt handler
 * @jobs: threads
 * @calls: DPCs, initialised
 * @turns: calls of all DPCs so far
 * @lock: initialised
 * @locked: changed under @lock only
 * @event: of the case
 * @ready: synchronization event, not signalled
 * @irq: runs a handler in an interrupt
 * @irq_irql: level that the handler saw
 * @irq_cpu: processor of the handler
 * @number: for Interlocked operations
 * @number64: the same
 * @met: threads that are ready to begin
 * @inserted: successful insertions of a DPC
 * @removed: successful removals
 * @limit: when a DPC stops to queue itself
 * @stop: what goes on without end shall end
 * @object: device object of the case
 */
struct nt {
	struct job jobs[JOBS];
	struct call calls[CALLS];
	atomic_t turns;
	KSPIN_LOCK lock;
	unsigned long locked;
	KEVENT event;
	KEVENT ready;
	struct irq_work irq;
	KIRQL irq_irql;
	int irq_cpu;
	LONG number;
	LONG64 number64;
	LONG met;
	LONG inserted;
	LONG removed;
	ktime_t limit;
	bool stop;
	PDEVICE_OBJECT object;
};

static void deferred(PKDPC dpc, PVOID context, PVOID argument1,
		     PVOID argument2)
{
	struct call *call = context;

	call->runs++;
	call->turn = atomic_inc_return(&call->nt->turns);
	call->cpu = raw_smp_processor_id();
	call->irql = KeGetCurrentIrql();
	call->hardirq = in_hardirq();
	call->argument1 = argument1;
	call->argument2 = argument2;
	if (call->again) {
		call->again--;
		KeInsertQueueDpc(dpc, NULL, NULL);
	} else {
		KeSetEvent(&call->nt->event, IO_NO_INCREMENT, FALSE);
	}
}

static int nt_init(struct nttest *t)
{
	struct nt *nt = kzalloc(sizeof(*nt), GFP_KERNEL);
	int i;

	if (!nt)
		return -ENOMEM;
	KeInitializeSpinLock(&nt->lock);
	KeInitializeEvent(&nt->event, NotificationEvent, FALSE);
	KeInitializeEvent(&nt->ready, SynchronizationEvent, FALSE);
	for (i = 0; i < CALLS; i++) {
		nt->calls[i].nt = nt;
		KeInitializeDpc(&nt->calls[i].dpc, deferred, &nt->calls[i]);
	}
	t->priv = nt;
	return 0;
}

static void nt_exit(struct nttest *t)
{
	KeFlushQueuedDpcs();
	kfree(t->priv);
}

static void job_run(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	job->run(job);
}

static void jobs_start(struct nt *nt, int count, void (*run)(struct job *job))
{
	int i;

	for (i = 0; i < count; i++) {
		nt->jobs[i].nt = nt;
		nt->jobs[i].run = run;
		INIT_WORK(&nt->jobs[i].work, job_run);
		queue_work(system_unbound_wq, &nt->jobs[i].work);
	}
}

static void job_start_on(struct nt *nt, int i, int cpu,
			 void (*run)(struct job *job))
{
	struct job *job = &nt->jobs[i];

	job->nt = nt;
	job->run = run;
	INIT_WORK(&job->work, job_run);
	schedule_work_on(cpu, &job->work);
}

/*
 * On another processor than @cpu where there is one: a thread that raises its
 * level may have to wait for one on the same processor that has.
 */
static bool job_start_beside(struct nt *nt, int cpu,
			     void (*run)(struct job *job))
{
	int other = cpumask_any_but(cpu_online_mask, cpu);
	bool found = other < nr_cpu_ids;

	job_start_on(nt, 0, found ? other : cpu, run);
	return found;
}

/*
 * For cases where another processor is kept busy until this thread says so:
 * stays on the present one. -1, with the case skipped, if there is no other.
 */
static int processor_pin(struct nttest *t)
{
	int other;

	migrate_disable();
	other = cpumask_any_but(cpu_online_mask, smp_processor_id());
	if (other < nr_cpu_ids)
		return other;
	migrate_enable();
	nttest_skip(t, "one processor");
	return -1;
}

/* Keeps a processor at DISPATCH_LEVEL until the case says so. */
static void hold(struct nt *nt)
{
	ktime_t limit = ktime_add_ms(ktime_get(), HOLD_MS);

	KeSetEvent(&nt->ready, IO_NO_INCREMENT, FALSE);
	while (!READ_ONCE(nt->stop) && ktime_before(ktime_get(), limit))
		cpu_relax();
}

static void jobs_join(struct nt *nt, int count)
{
	int i;

	for (i = 0; i < count; i++)
		flush_work(&nt->jobs[i].work);
}

static NTSTATUS event_wait(KEVENT *event, int ms)
{
	LARGE_INTEGER when = { .QuadPart = -10000LL * ms };

	return KeWaitForSingleObject(event, Executive, KernelMode, FALSE,
				     &when);
}

/* Runs @handler in a hard interrupt of some processor and waits for it. */
static void interrupt(struct nt *nt, void (*handler)(struct irq_work *irq))
{
	nt->irq = IRQ_WORK_INIT_HARD(handler);
	irq_work_queue(&nt->irq);
	irq_work_sync(&nt->irq);
}

static void handler_level(struct irq_work *irq)
{
	struct nt *nt = container_of(irq, struct nt, irq);

	nt->irq_irql = KeGetCurrentIrql();
	KeLowerIrql(PASSIVE_LEVEL);
	if (!in_hardirq() || !irqs_disabled())
		nt->irq_irql = PASSIVE_LEVEL;
}

static void handler_dpc(struct irq_work *irq)
{
	struct nt *nt = container_of(irq, struct nt, irq);

	nt->irq_cpu = smp_processor_id();
	nt->inserted = KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL);
	nt->removed = nt->calls[0].runs;
}

static void handler_event(struct irq_work *irq)
{
	struct nt *nt = container_of(irq, struct nt, irq);

	KeSetEvent(&nt->event, IO_NO_INCREMENT, FALSE);
}

/* ---- IRQL ---- */

static void irql_nests(struct nttest *t)
{
	KIRQL outer, inner;

	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);
	KeRaiseIrql(DISPATCH_LEVEL, &outer);
	EXPECT_EQ(t, outer, PASSIVE_LEVEL);
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	inner = KeRaiseIrqlToDpcLevel();
	EXPECT_EQ(t, inner, DISPATCH_LEVEL);
	KeLowerIrql(inner);
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeLowerIrql(outer);
	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void irql_wrong_way(struct nttest *t)
{
	KIRQL irql;

	KeRaiseIrql(APC_LEVEL, &irql);
	EXPECT_EQ(t, irql, PASSIVE_LEVEL);
	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);
	KeLowerIrql(DISPATCH_LEVEL);
	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);
	irql = KeRaiseIrqlToDpcLevel();
	EXPECT_EQ(t, KfRaiseIrql(PASSIVE_LEVEL), DISPATCH_LEVEL);
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeLowerIrql(irql);
}

static void irql_above_dispatch(struct nttest *t)
{
	KIRQL outer, inner, high;
	bool off, on;

	KeRaiseIrql(HIGH_LEVEL, &outer);
	off = irqs_disabled();
	high = KeGetCurrentIrql();
	KeLowerIrql(outer);
	EXPECT(t, off);
	EXPECT(t, high > DISPATCH_LEVEL);
	EXPECT(t, !irqs_disabled());

	KeRaiseIrql(DISPATCH_LEVEL, &outer);
	KeRaiseIrql(HIGH_LEVEL, &inner);
	off = irqs_disabled();
	KeLowerIrql(inner);
	on = !irqs_disabled();
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeLowerIrql(outer);
	EXPECT_EQ(t, inner, DISPATCH_LEVEL);
	EXPECT(t, off);
	EXPECT(t, on);
}

static void irql_of_linux(struct nttest *t)
{
	unsigned long flags;
	KIRQL bh, off;

	local_bh_disable();
	bh = KeRaiseIrqlToDpcLevel();
	KeLowerIrql(bh);
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	local_bh_enable();
	EXPECT_EQ(t, bh, DISPATCH_LEVEL);

	local_irq_save(flags);
	off = KeRaiseIrqlToDpcLevel();
	KeLowerIrql(off);
	if (!irqs_disabled())
		off = PASSIVE_LEVEL;
	local_irq_restore(flags);
	EXPECT(t, off > DISPATCH_LEVEL);
	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void irql_of_interrupt(struct nttest *t)
{
	struct nt *nt = t->priv;

	interrupt(nt, handler_level);
	EXPECT(t, nt->irq_irql > DISPATCH_LEVEL);
}

/* ---- Spin locks ---- */

static void lock_levels(struct nttest *t)
{
	KSPIN_LOCK other;
	struct nt *nt = t->priv;
	KIRQL outer, inner;

	KeInitializeSpinLock(&other);
	KeAcquireSpinLock(&nt->lock, &outer);
	EXPECT_EQ(t, outer, PASSIVE_LEVEL);
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeAcquireSpinLock(&other, &inner);
	EXPECT_EQ(t, inner, DISPATCH_LEVEL);
	KeReleaseSpinLock(&other, inner);
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeReleaseSpinLock(&nt->lock, outer);
	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

/* Raised by one routine, restored by another: all of these are in use. */
static void lock_mixed(struct nttest *t)
{
	struct nt *nt = t->priv;
	KIRQL irql;

	irql = KeRaiseIrqlToDpcLevel();
	KeAcquireSpinLockAtDpcLevel(&nt->lock);
	KeReleaseSpinLock(&nt->lock, irql);
	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);

	KeAcquireSpinLock(&nt->lock, &irql);
	KeReleaseSpinLockFromDpcLevel(&nt->lock);
	EXPECT_EQ(t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeLowerIrql(irql);
	EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void job_try(struct job *job)
{
	KIRQL irql = KeRaiseIrqlToDpcLevel();

	job->status = KeTryToAcquireSpinLockAtDpcLevel(&job->nt->lock);
	if (job->status) {
		__acquire(&job->nt->lock);	/* for sparse */
		KeReleaseSpinLockFromDpcLevel(&job->nt->lock);
	}
	KeLowerIrql(irql);
	KeSetEvent(&job->nt->ready, IO_NO_INCREMENT, FALSE);
}

static void lock_try(struct nttest *t)
{
	struct nt *nt = t->priv;
	bool beside, done = false;
	KIRQL irql;
	int i;

	KeAcquireSpinLock(&nt->lock, &irql);
	beside = job_start_beside(nt, smp_processor_id(), job_try);
	for (i = 0; beside && i < HOLD_MS && !done; i++) {
		KeStallExecutionProcessor(1000);
		done = KeReadStateEvent(&nt->ready);
	}
	KeReleaseSpinLock(&nt->lock, irql);
	jobs_join(nt, 1);
	if (beside) {
		EXPECT(t, done);
		EXPECT_EQ(t, nt->jobs[0].status, FALSE);
	}
	jobs_start(nt, 1, job_try);
	jobs_join(nt, 1);
	EXPECT_EQ(t, nt->jobs[0].status, TRUE);
}

/* Work begins when all of its threads are there, or it would be over before. */
static void jobs_meet(struct nt *nt, int count)
{
	int i;

	InterlockedIncrement(&nt->met);
	for (i = 0; i < WAIT_MS && READ_ONCE(nt->met) < count; i++)
		fsleep(1000);
}

#define LOCK_ROUNDS	20000

static void job_lock(struct job *job)
{
	KIRQL irql;
	int i;

	jobs_meet(job->nt, 4);
	for (i = 0; i < LOCK_ROUNDS; i++) {
		KeAcquireSpinLock(&job->nt->lock, &irql);
		job->nt->locked++;
		KeReleaseSpinLock(&job->nt->lock, irql);
	}
}

static void lock_excludes(struct nttest *t)
{
	struct nt *nt = t->priv;

	jobs_start(nt, 4, job_lock);
	jobs_join(nt, 4);
	EXPECT_EQ(t, nt->locked, 4 * LOCK_ROUNDS);
}

static void lock_lists(struct nttest *t)
{
	struct nt *nt = t->priv;
	LIST_ENTRY head, a, b, c;

	InitializeListHead(&head);
	EXPECT(t, !ExInterlockedRemoveHeadList(&head, &nt->lock));
	EXPECT(t, !ExInterlockedInsertTailList(&head, &b, &nt->lock));
	EXPECT(t, ExInterlockedInsertHeadList(&head, &a, &nt->lock) == &b);
	EXPECT(t, ExInterlockedInsertTailList(&head, &c, &nt->lock) == &b);
	EXPECT(t, ExInterlockedRemoveHeadList(&head, &nt->lock) == &a);
	EXPECT(t, ExInterlockedRemoveHeadList(&head, &nt->lock) == &b);
	EXPECT(t, ExInterlockedRemoveHeadList(&head, &nt->lock) == &c);
	EXPECT(t, IsListEmpty(&head));
}

/* ---- DPCs ---- */

static void dpc_after_dispatch(struct nttest *t)
{
	struct nt *nt = t->priv;
	struct call *call = &nt->calls[0];
	KIRQL irql;
	int cpu;

	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	cpu = KeGetCurrentProcessorNumber();
	EXPECT_EQ(t, KeInsertQueueDpc(&call->dpc, nt, call), TRUE);
	EXPECT_EQ(t, KeInsertQueueDpc(&call->dpc, NULL, NULL), FALSE);
	KeStallExecutionProcessor(5000);
	EXPECT_EQ(t, call->runs, 0);
	KeLowerIrql(irql);
	EXPECT_EQ(t, event_wait(&nt->event, WAIT_MS), STATUS_SUCCESS);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, call->runs, 1);
	EXPECT_EQ(t, call->cpu, cpu);
	EXPECT_EQ(t, call->irql, DISPATCH_LEVEL);
	EXPECT(t, call->argument1 == nt);
	EXPECT(t, call->argument2 == call);
}

static void dpc_below_dispatch(struct nttest *t)
{
	struct nt *nt = t->priv;
	int i;

	for (i = 1; i <= 100; i++) {
		if (!EXPECT(t, KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL)))
			break;
		KeFlushQueuedDpcs();
		EXPECT_EQ(t, nt->calls[0].runs, i);
	}
}

static void dpc_removed(struct nttest *t)
{
	struct nt *nt = t->priv;
	KIRQL irql;

	EXPECT_EQ(t, KeRemoveQueueDpc(&nt->calls[0].dpc), FALSE);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL);
	KeInsertQueueDpc(&nt->calls[1].dpc, NULL, NULL);
	KeInsertQueueDpc(&nt->calls[2].dpc, NULL, NULL);
	EXPECT_EQ(t, KeRemoveQueueDpc(&nt->calls[2].dpc), TRUE);
	EXPECT_EQ(t, KeRemoveQueueDpc(&nt->calls[0].dpc), TRUE);
	EXPECT_EQ(t, KeRemoveQueueDpc(&nt->calls[0].dpc), FALSE);
	EXPECT_EQ(t, KeInsertQueueDpc(&nt->calls[2].dpc, nt, NULL), TRUE);
	KeLowerIrql(irql);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, nt->calls[0].runs, 0);
	EXPECT_EQ(t, nt->calls[1].turn, 1);
	EXPECT_EQ(t, nt->calls[2].turn, 2);
	EXPECT(t, nt->calls[2].argument1 == nt);
}

static void dpc_importance(struct nttest *t)
{
	struct nt *nt = t->priv;
	KIRQL irql;

	KeSetImportanceDpc(&nt->calls[2].dpc, HighImportance);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL);
	KeInsertQueueDpc(&nt->calls[1].dpc, NULL, NULL);
	KeInsertQueueDpc(&nt->calls[2].dpc, NULL, NULL);
	KeLowerIrql(irql);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, nt->calls[2].turn, 1);
	EXPECT_EQ(t, nt->calls[0].turn, 2);
	EXPECT_EQ(t, nt->calls[1].turn, 3);
}

static void dpc_from_interrupt(struct nttest *t)
{
	struct nt *nt = t->priv;

	interrupt(nt, handler_dpc);
	EXPECT_EQ(t, nt->inserted, TRUE);
	EXPECT_EQ(t, event_wait(&nt->event, WAIT_MS), STATUS_SUCCESS);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, nt->calls[0].runs, 1);
	EXPECT_EQ(t, nt->removed, 0);
	EXPECT_EQ(t, nt->calls[0].cpu, nt->irq_cpu);
	EXPECT_EQ(t, nt->calls[0].irql, DISPATCH_LEVEL);
	EXPECT(t, !nt->calls[0].hardirq);
}

/* The second DPC must get its turn between the calls of the first. */
static void again(struct nttest *t, int most)
{
	struct nt *nt = t->priv;
	KIRQL irql;
	int i;

	nt->calls[0].again = 99;
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL);
	KeInsertQueueDpc(&nt->calls[1].dpc, NULL, NULL);
	KeLowerIrql(irql);
	for (i = 0; i < RIG_PATIENCE && READ_ONCE(nt->calls[0].runs) < 100; i++)
		event_wait(&nt->ready, 1);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, nt->calls[0].runs, 100);
	EXPECT_EQ(t, nt->calls[1].runs, 1);
	EXPECT(t, nt->calls[1].turn <= most);
}

static void dpc_again(struct nttest *t)
{
	again(t, 2);
}

/* At the head of the queue it overtakes, but not what had its turn coming. */
static void dpc_again_high(struct nttest *t)
{
	struct nt *nt = t->priv;

	KeSetImportanceDpc(&nt->calls[0].dpc, HighImportance);
	again(t, 3);
}

static void deferred_forever(PKDPC dpc, PVOID context, PVOID argument1,
			     PVOID argument2)
{
	struct nt *nt = context;

	if (!READ_ONCE(nt->stop) && ktime_before(ktime_get(), nt->limit))
		KeInsertQueueDpc(dpc, NULL, NULL);
}

static void dpc_forever(struct nttest *t)
{
	struct nt *nt = t->priv;
	bool in_time;

	nt->limit = ktime_add_ms(ktime_get(), WAIT_MS);
	KeInitializeDpc(&nt->calls[0].dpc, deferred_forever, nt);
	KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL);
	in_time = ktime_before(ktime_get(), nt->limit);
	WRITE_ONCE(nt->stop, true);
	EXPECT(t, in_time);
}

static void deferred_free(PKDPC dpc, PVOID context, PVOID argument1,
			  PVOID argument2)
{
	ExFreePoolWithTag(dpc, TAG);
	InterlockedIncrement(context);
}

static void dpc_freed(struct nttest *t)
{
	struct nt *nt = t->priv;
	PKDPC dpc;
	int i;

	for (i = 1; i <= 50; i++) {
		dpc = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*dpc), TAG);
		REQUIRE(t, dpc);
		KeInitializeDpc(dpc, deferred_free, &nt->number);
		KeInsertQueueDpc(dpc, NULL, NULL);
		KeFlushQueuedDpcs();
		EXPECT_EQ(t, nt->number, i);
	}
}

static void deferred_count(PKDPC dpc, PVOID context, PVOID argument1,
			   PVOID argument2)
{
	InterlockedIncrement(context);
}

static void job_queue_hold(struct job *job)
{
	struct nt *nt = job->nt;
	KIRQL irql;

	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL);
	hold(nt);
	KeLowerIrql(irql);
}

static void job_flush(struct job *job)
{
	struct nt *nt = job->nt;

	KeSetEvent(&nt->event, IO_NO_INCREMENT, FALSE);
	KeFlushQueuedDpcs();
	job->status = READ_ONCE(nt->number);
	WRITE_ONCE(nt->removed, 1);
}

/*
 * The job of one thread sets the event, and ends after this one has let the DPC
 * go that @run has queued on another processor.
 */
static void must_wait(struct nttest *t, int other, void (*run)(struct job *job),
		      void (*waits)(struct job *job))
{
	struct nt *nt = t->priv;

	job_start_on(nt, 0, other, run);
	EXPECT_EQ(t, event_wait(&nt->ready, WAIT_MS), STATUS_SUCCESS);
	job_start_on(nt, 1, smp_processor_id(), waits);
	EXPECT_EQ(t, event_wait(&nt->event, WAIT_MS), STATUS_SUCCESS);
	fsleep(10000);
	EXPECT_EQ(t, READ_ONCE(nt->removed), 0);
	EXPECT_EQ(t, READ_ONCE(nt->number), 0);
	WRITE_ONCE(nt->stop, true);
	jobs_join(nt, 2);
	EXPECT_EQ(t, nt->jobs[1].status, 1);
}

static void dpc_flush_waits(struct nttest *t)
{
	struct nt *nt = t->priv;
	int other = processor_pin(t);

	if (other < 0)
		return;
	KeInitializeDpc(&nt->calls[0].dpc, deferred_count, &nt->number);
	must_wait(t, other, job_queue_hold, job_flush);
	migrate_enable();
}

static void deferred_hold(PKDPC dpc, PVOID context, PVOID argument1,
			  PVOID argument2)
{
	struct nt *nt = context;

	hold(nt);
	InterlockedIncrement(&nt->number);
}

static void job_insert(struct job *job)
{
	KeInsertQueueDpc(&job->nt->calls[0].dpc, NULL, NULL);
}

static void dpc_flush_running(struct nttest *t)
{
	struct nt *nt = t->priv;
	int other = processor_pin(t);

	if (other < 0)
		return;
	KeInitializeDpc(&nt->calls[0].dpc, deferred_hold, nt);
	must_wait(t, other, job_insert, job_flush);
	migrate_enable();
}

/* It is in no queue any more, and may be queued anew. */
static void dpc_removed_running(struct nttest *t)
{
	struct nt *nt = t->priv;
	int other = processor_pin(t);

	if (other < 0)
		return;
	KeInitializeDpc(&nt->calls[0].dpc, deferred_hold, nt);
	job_start_on(nt, 0, other, job_insert);
	EXPECT_EQ(t, event_wait(&nt->ready, WAIT_MS), STATUS_SUCCESS);
	EXPECT_EQ(t, KeRemoveQueueDpc(&nt->calls[0].dpc), FALSE);
	EXPECT_EQ(t, READ_ONCE(nt->number), 0);
	WRITE_ONCE(nt->stop, true);
	EXPECT_EQ(t, KeInsertQueueDpc(&nt->calls[0].dpc, NULL, NULL), TRUE);
	jobs_join(nt, 1);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, nt->number, 2);
	migrate_enable();
}

#define DPC_ROUNDS	3000

static void job_insert_remove(struct job *job)
{
	struct nt *nt = job->nt;
	PKDPC dpc = &nt->calls[0].dpc;
	bool remove = (job - nt->jobs) & 1;
	int i;

	for (i = 0; i < DPC_ROUNDS; i++) {
		if (remove && KeRemoveQueueDpc(dpc))
			InterlockedIncrement(&nt->removed);
		else if (!remove && KeInsertQueueDpc(dpc, NULL, NULL))
			InterlockedIncrement(&nt->inserted);
		if (i % 256 == 0)
			KeFlushQueuedDpcs();
		cond_resched();
	}
}

static void dpc_races(struct nttest *t)
{
	struct nt *nt = t->priv;

	KeInitializeDpc(&nt->calls[0].dpc, deferred_count, &nt->number);
	jobs_start(nt, 6, job_insert_remove);
	jobs_join(nt, 6);
	KeFlushQueuedDpcs();
	EXPECT(t, nt->inserted > 0);
	EXPECT_EQ(t, nt->inserted, nt->number + nt->removed);
}

/* ---- Events and waiting ---- */

static void event_notification(struct nttest *t)
{
	struct nt *nt = t->priv;

	EXPECT_EQ(t, KeReadStateEvent(&nt->event), 0);
	EXPECT_EQ(t, KeSetEvent(&nt->event, EVENT_INCREMENT, FALSE), 0);
	EXPECT(t, KeSetEvent(&nt->event, EVENT_INCREMENT, FALSE));
	EXPECT_EQ(t, event_wait(&nt->event, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, event_wait(&nt->event, 1), STATUS_SUCCESS);
	EXPECT(t, KeReadStateEvent(&nt->event));
	EXPECT(t, KeResetEvent(&nt->event));
	EXPECT_EQ(t, KeResetEvent(&nt->event), 0);
	EXPECT_EQ(t, event_wait(&nt->event, 0), STATUS_TIMEOUT);
	KeInitializeEvent(&nt->event, NotificationEvent, TRUE);
	EXPECT_EQ(t, event_wait(&nt->event, 0), STATUS_SUCCESS);
	KeClearEvent(&nt->event);
	EXPECT_EQ(t, KeReadStateEvent(&nt->event), 0);
}

static void event_synchronization(struct nttest *t)
{
	struct nt *nt = t->priv;

	KeSetEvent(&nt->ready, IO_NO_INCREMENT, FALSE);
	KeSetEvent(&nt->ready, IO_NO_INCREMENT, FALSE);
	EXPECT_EQ(t, event_wait(&nt->ready, 1), STATUS_SUCCESS);
	EXPECT_EQ(t, KeReadStateEvent(&nt->ready), 0);
	EXPECT_EQ(t, event_wait(&nt->ready, 1), STATUS_TIMEOUT);
	KeSetEvent(&nt->ready, IO_NO_INCREMENT, FALSE);
	EXPECT_EQ(t, event_wait(&nt->ready, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, event_wait(&nt->ready, 0), STATUS_TIMEOUT);
}

static void event_poll(struct nttest *t)
{
	struct nt *nt = t->priv;
	NTSTATUS before, after;
	KIRQL irql;

	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	before = event_wait(&nt->ready, 0);
	KeSetEvent(&nt->ready, IO_NO_INCREMENT, FALSE);
	after = event_wait(&nt->ready, 0);
	KeLowerIrql(irql);
	EXPECT_EQ(t, before, STATUS_TIMEOUT);
	EXPECT_EQ(t, after, STATUS_SUCCESS);
}

/* Ends a wait for the event that would have no end. */
static void job_guard(struct job *job)
{
	job->status = event_wait(&job->nt->ready, WAIT_MS / 2);
	if (job->status == STATUS_TIMEOUT)
		KeSetEvent(&job->nt->event, IO_NO_INCREMENT, FALSE);
}

/* No success when it was the guard who set the event. */
static NTSTATUS event_wait_guarded(struct nt *nt, LARGE_INTEGER *when)
{
	NTSTATUS status;

	jobs_start(nt, 1, job_guard);
	status = KeWaitForSingleObject(&nt->event, Executive, KernelMode,
				       FALSE, when);
	KeSetEvent(&nt->ready, IO_NO_INCREMENT, FALSE);
	jobs_join(nt, 1);
	KeClearEvent(&nt->ready);
	return nt->jobs[0].status == STATUS_TIMEOUT ? STATUS_UNSUCCESSFUL :
						      status;
}

static void event_timeouts(struct nttest *t)
{
	struct nt *nt = t->priv;
	LARGE_INTEGER when;
	ktime_t start;
	s64 ms;

	start = ktime_get();
	EXPECT_EQ(t, event_wait(&nt->event, 30), STATUS_TIMEOUT);
	ms = ktime_ms_delta(ktime_get(), start);
	EXPECT(t, ms >= 30 && ms < WAIT_MS);

	start = ktime_get();
	KeQuerySystemTime(&when);
	when.QuadPart += 30 * 10000;
	EXPECT_EQ(t, event_wait_guarded(nt, &when), STATUS_TIMEOUT);
	ms = ktime_ms_delta(ktime_get(), start);
	EXPECT(t, ms >= 29 && ms < WAIT_MS);
	EXPECT_EQ(t, ntdma_event_waiters(&nt->event), 0);
}

static void event_past(struct nttest *t)
{
	struct nt *nt = t->priv;
	LARGE_INTEGER when;
	ktime_t start = ktime_get();

	when.QuadPart = 1;
	EXPECT_EQ(t, event_wait_guarded(nt, &when), STATUS_TIMEOUT);
	KeQuerySystemTime(&when);
	when.QuadPart -= 1;
	EXPECT_EQ(t, event_wait_guarded(nt, &when), STATUS_TIMEOUT);
	EXPECT(t, ktime_ms_delta(ktime_get(), start) < WAIT_MS / 2);
}

/* Until a thread waits for the event. */
static void job_await_waiter(struct nt *nt)
{
	int i;

	for (i = 0; i < WAIT_MS && ntdma_event_waiters(&nt->event) != 1; i++)
		fsleep(1000);
}

/* Long after a wait would have ended that has no time to it. */
static void job_set_event(struct job *job)
{
	job_await_waiter(job->nt);
	msleep(50);
	KeSetEvent(&job->nt->event, IO_NO_INCREMENT, FALSE);
}

/* The longest intervals there are must not wrap to short ones. */
static void event_far_future(struct nttest *t)
{
	static const LONGLONG whens[] = { S64_MIN, S64_MIN + 1, S64_MAX };
	struct nt *nt = t->priv;
	LARGE_INTEGER when;
	NTSTATUS status;
	int i;

	for (i = 0; i < ARRAY_SIZE(whens); i++) {
		when.QuadPart = whens[i];
		jobs_start(nt, 1, job_set_event);
		status = KeWaitForSingleObject(&nt->event, Executive,
					       KernelMode, FALSE, &when);
		jobs_join(nt, 1);
		EXPECT_EQ(t, status, STATUS_SUCCESS);
		KeClearEvent(&nt->event);
	}
}

static void job_insert_late(struct job *job)
{
	job_await_waiter(job->nt);
	KeInsertQueueDpc(&job->nt->calls[0].dpc, NULL, NULL);
}

static void event_from_dpc(struct nttest *t)
{
	struct nt *nt = t->priv;

	job_start_on(nt, 1, raw_smp_processor_id(), job_insert_late);
	EXPECT_EQ(t, event_wait_guarded(nt, NULL), STATUS_SUCCESS);
	jobs_join(nt, 2);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, nt->calls[0].runs, 1);
}

static void job_wait(struct job *job)
{
	job->status = event_wait(&job->nt->event, WAIT_MS);
	InterlockedIncrement(&job->nt->removed);
}

/* Nobody leaves @event while jobs line up, so that its list only grows. */
static bool jobs_wait_start(struct nt *nt)
{
	int i;

	jobs_start(nt, JOBS, job_wait);
	for (i = 0; i < WAIT_MS / 10; i++) {
		if (ntdma_event_waiters(&nt->event) == JOBS)
			return true;
		fsleep(10000);
	}
	return false;
}

static void event_from_interrupt(struct nttest *t)
{
	struct nt *nt = t->priv;
	int i;

	EXPECT(t, jobs_wait_start(nt));
	interrupt(nt, handler_event);
	jobs_join(nt, JOBS);
	for (i = 0; i < JOBS; i++)
		EXPECT_EQ(t, nt->jobs[i].status, STATUS_SUCCESS);
	EXPECT(t, KeReadStateEvent(&nt->event));
}

static void event_releases_one(struct nttest *t)
{
	struct nt *nt = t->priv;
	int i, set;

	KeInitializeEvent(&nt->event, SynchronizationEvent, FALSE);
	EXPECT(t, jobs_wait_start(nt));
	for (set = 1; set <= JOBS; set++) {
		EXPECT_EQ(t, KeSetEvent(&nt->event, IO_NO_INCREMENT, FALSE), 0);
		EXPECT_EQ(t, KeReadStateEvent(&nt->event), 0);
		for (i = 0; i < WAIT_MS && READ_ONCE(nt->removed) < set; i++)
			fsleep(1000);
		EXPECT_EQ(t, READ_ONCE(nt->removed), set);
	}
	jobs_join(nt, JOBS);
	for (i = 0; i < JOBS; i++)
		EXPECT_EQ(t, nt->jobs[i].status, STATUS_SUCCESS);
	EXPECT_EQ(t, KeReadStateEvent(&nt->event), 0);
}

static void job_set_ready(struct job *job)
{
	KeStallExecutionProcessor(1000);
	KeSetEvent(&job->nt->ready, IO_NO_INCREMENT, FALSE);
}

/*
 * Set and timeout meet: the signal is taken by the waiter or stays. The timeout
 * follows the signal, so that each comes first now and then.
 */
static void event_timeout_race(struct nttest *t)
{
	struct nt *nt = t->priv;
	int i, us = 1000, taken = 0;
	LARGE_INTEGER when;
	NTSTATUS status;

	for (i = 0; i < 300; i++) {
		when.QuadPart = -10 * us;
		jobs_start(nt, 1, job_set_ready);
		status = KeWaitForSingleObject(&nt->ready, Executive,
					       KernelMode, FALSE, &when);
		jobs_join(nt, 1);
		EXPECT_EQ(t, !KeReadStateEvent(&nt->ready),
			  status == STATUS_SUCCESS);
		KeClearEvent(&nt->ready);
		if (status == STATUS_SUCCESS) {
			taken++;
			us = us * 7 / 8 + 1;
		} else {
			us = min(us * 5 / 4 + 10, WAIT_MS * 1000);
		}
	}
	nttest_note(t, "%d of 300 signals in time", taken);
	if (!taken || taken == 300)
		nttest_skip(t, "the host lets only one of the two come first");
}

static void job_set_new(struct job *job)
{
	PKEVENT event = READ_ONCE(job->nt->calls[0].argument1);

	KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

/* An event in memory of its own, which a job sets. */
static PKEVENT event_new(struct nt *nt)
{
	PKEVENT event = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*event), TAG);

	if (!event)
		return NULL;
	KeInitializeEvent(event, NotificationEvent, FALSE);
	WRITE_ONCE(nt->calls[0].argument1, event);
	jobs_start(nt, 1, job_set_new);
	return event;
}

/* The waiter frees the event at once, as with one on its stack. */
static void event_freed(struct nttest *t)
{
	struct nt *nt = t->priv;
	PKEVENT event;
	NTSTATUS status;
	int i;

	for (i = 0; i < 300; i++) {
		event = event_new(nt);
		REQUIRE(t, event);
		status = event_wait(event, WAIT_MS);
		if (status != STATUS_SUCCESS)
			jobs_join(nt, 1);
		ExFreePoolWithTag(event, TAG);
		jobs_join(nt, 1);
		REQUIRE(t, status == STATUS_SUCCESS);
	}
}

/* So does who only looks at its state. */
static void event_freed_unseen(struct nttest *t)
{
	struct nt *nt = t->priv;
	PKEVENT event;
	LONG state = 0;
	int i, turn;

	for (turn = 0; turn < 300; turn++) {
		event = event_new(nt);
		REQUIRE(t, event);
		for (i = 0; i < 1000 && !state; i++) {
			state = KeReadStateEvent(event);
			cond_resched();
		}
		if (!state)
			jobs_join(nt, 1);
		ExFreePoolWithTag(event, TAG);
		jobs_join(nt, 1);
		state = 0;
	}
}

static void event_refused(struct nttest *t)
{
	struct nt *nt = t->priv;
	LARGE_INTEGER zero = { .QuadPart = 0 };

	EXPECT_EQ(t, KeWaitForSingleObject(NULL, Executive, KernelMode, FALSE,
					   &zero), STATUS_INVALID_PARAMETER);
	nt->event.Header.Type = 2;
	EXPECT_EQ(t, KeWaitForSingleObject(&nt->event, Executive, KernelMode,
					   FALSE, &zero),
		  STATUS_INVALID_PARAMETER);
}

static void delay(struct nttest *t)
{
	LARGE_INTEGER when = { .QuadPart = -30 * 10000 };
	ktime_t start = ktime_get();

	EXPECT_EQ(t, KeDelayExecutionThread(KernelMode, FALSE, &when),
		  STATUS_SUCCESS);
	EXPECT(t, ktime_ms_delta(ktime_get(), start) >= 30);
	when.QuadPart = 0;
	EXPECT_EQ(t, KeDelayExecutionThread(KernelMode, FALSE, &when),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, KeDelayExecutionThread(KernelMode, FALSE, NULL),
		  STATUS_INVALID_PARAMETER);
}

static void clocks(struct nttest *t)
{
	LARGE_INTEGER frequency, count, later, system;
	ULONGLONG interrupt_time = KeQueryInterruptTime();
	s64 unix_seconds;

	count = KeQueryPerformanceCounter(&frequency);
	KeStallExecutionProcessor(5500);
	later = KeQueryPerformanceCounter(NULL);
	EXPECT(t, frequency.QuadPart > 0);
	EXPECT(t, (later.QuadPart - count.QuadPart) * 10000 >=
		  54 * frequency.QuadPart);
	EXPECT(t, KeQueryInterruptTime() - interrupt_time >= 54000);
	KeQuerySystemTime(&system);
	/* 369 years with 89 leap days lie between the two epochs. */
	unix_seconds = div_s64(system.QuadPart, 10000000) -
		       (369LL * 365 + 89) * 86400;
	EXPECT(t, abs(unix_seconds - ktime_get_real_seconds()) < 60);
}

/* ---- Pool ---- */

static void check_block(struct nttest *t, const void *block, size_t size,
			size_t align)
{
	size_t offset = (ULONG_PTR)block % PAGE_SIZE;

	if (size >= PAGE_SIZE ? offset : offset + size > PAGE_SIZE ||
	    offset % align)
		nttest_fail(t, __FILE__, __LINE__,
			    "%zu bytes at offset %#zx of a page", size, offset);
}

/* Several of a size at once, because the first of a slab is well aligned. */
static void check_size(struct nttest *t, size_t size, POOL_FLAGS flags,
		       size_t align)
{
	void *blocks[16] = { };
	int i;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		blocks[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED | flags, size,
					    TAG);
		if (!EXPECT(t, blocks[i]))
			break;
		check_block(t, blocks[i], size, align);
		if (size <= SZ_32K)
			EXPECT(t, virt_addr_valid(blocks[i]));
		if (!(flags & POOL_FLAG_UNINITIALIZED))
			EXPECT(t, !memchr_inv(blocks[i], 0, size));
		memset(blocks[i], 0xa5, size);
	}
	while (i--)
		ExFreePoolWithTag(blocks[i], TAG);
}

static void pool_alignment(struct nttest *t)
{
	size_t size;

	for (size = 1; size < 4 * PAGE_SIZE; size += 1 + size / 16) {
		check_size(t, size, POOL_FLAG_UNINITIALIZED,
			   2 * sizeof(void *));
		check_size(t, size, POOL_FLAG_CACHE_ALIGNED, L1_CACHE_BYTES);
	}
	check_size(t, PAGE_SIZE - 1, 0, 2 * sizeof(void *));
	check_size(t, PAGE_SIZE, 0, PAGE_SIZE);
	check_size(t, PAGE_SIZE + 1, 0, PAGE_SIZE);
}

static void pool_old_routines(struct nttest *t)
{
	void *block;

	block = ExAllocatePoolWithTag(NonPagedPoolCacheAligned, 100, TAG);
	if (EXPECT(t, block)) {
		check_block(t, block, 100, L1_CACHE_BYTES);
		memset(block, 0xa5, 100);
	}
	ExFreePool(block);
	block = ExAllocatePoolZero(PagedPool, 100, TAG);
	if (EXPECT(t, block))
		EXPECT(t, !memchr_inv(block, 0, 100));
	ExFreePool(block);
}

static void pool_large(struct nttest *t)
{
	size_t size = SZ_8M + 1;
	void *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
	KIRQL irql;

	REQUIRE(t, block);
	check_block(t, block, size, PAGE_SIZE);
	EXPECT(t, !memchr_inv(block, 0, size));
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	ExFreePoolWithTag(block, TAG);
	KeLowerIrql(irql);
}

static void pool_at_dispatch(struct nttest *t)
{
	void *small, *page, *large;
	KIRQL irql;

	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	small = ExAllocatePoolWithTag(NonPagedPoolNx, 72, TAG);
	page = ExAllocatePool2(POOL_FLAG_NON_PAGED, 2 * PAGE_SIZE, TAG);
	large = ExAllocatePool2(POOL_FLAG_NON_PAGED, SZ_1G, TAG);
	KeLowerIrql(irql);
	EXPECT(t, small);
	if (EXPECT(t, page))
		EXPECT(t, !memchr_inv(page, 0, 2 * PAGE_SIZE));
	EXPECT(t, !large);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	ExFreePool(small);
	ExFreePool(page);
	ExFreePool(large);
	KeLowerIrql(irql);
}

static void pool_refused(struct nttest *t)
{
	static const POOL_FLAGS bad[] = {
		0, POOL_FLAG_UNINITIALIZED,
		POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED,
		POOL_FLAG_NON_PAGED | 0x10, POOL_FLAG_NON_PAGED | 0x80000000,
	};
	static const SIZE_T sizes[] = {
		0, SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
		SIZE_MAX - PAGE_SIZE, (SIZE_T)INT_MAX + 1, UINT_MAX,
	};
	void *block;
	KIRQL irql;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT(t, !ExAllocatePool2(POOL_FLAG_NON_PAGED, sizes[i], TAG));
		EXPECT(t, !ExAllocatePoolWithTag(PagedPool, sizes[i], TAG));
		KeRaiseIrql(DISPATCH_LEVEL, &irql);
		block = ExAllocatePoolZero(NonPagedPool, sizes[i], TAG);
		KeLowerIrql(irql);
		EXPECT(t, !block);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(t, !ExAllocatePool2(bad[i], 16, TAG));
	block = ExAllocatePool2(POOL_FLAG_PAGED | BIT_ULL(40), 16, TAG);
	EXPECT(t, block);
	ExFreePool(block);
	ExFreePool(NULL);
}

/* ---- Device memory ---- */

static void registers_in_memory(struct nttest *t)
{
	UCHAR bytes[16], back[16];
	ULONG_PTR memory[4] = { };
	int i;

	for (i = 0; i < ARRAY_SIZE(bytes); i++)
		bytes[i] = 0x11 * i;
	WRITE_REGISTER_UCHAR((PUCHAR)memory + 3, 0x5a);
	EXPECT_EQ(t, READ_REGISTER_UCHAR((PUCHAR)memory + 3), 0x5a);
	EXPECT_EQ(t, READ_REGISTER_ULONG((PULONG)memory), 0x5a000000);
	WRITE_REGISTER_USHORT((PUSHORT)memory, 0xbeef);
	EXPECT_EQ(t, READ_REGISTER_USHORT((PUSHORT)memory), 0xbeef);
	WRITE_REGISTER_ULONG((PULONG)memory + 1, 0x01234567);
	EXPECT_EQ(t, READ_REGISTER_ULONG((PULONG)memory), 0x5a00beef);
	EXPECT_EQ(t, READ_REGISTER_ULONG((PULONG)memory + 1), 0x01234567);
	WRITE_REGISTER_BUFFER_ULONG((PULONG)memory, (PULONG)bytes, 4);
	EXPECT(t, !memcmp(memory, bytes, sizeof(bytes)));
	READ_REGISTER_BUFFER_USHORT((PUSHORT)memory, (PUSHORT)back, 8);
	EXPECT(t, !memcmp(back, bytes, sizeof(bytes)));
	READ_REGISTER_BUFFER_UCHAR((PUCHAR)memory, back + 1, 15);
	EXPECT(t, !memcmp(back + 1, bytes, 15));
	memset(memory, 0, sizeof(memory));
	WRITE_REGISTER_BUFFER_USHORT((PUSHORT)memory, (PUSHORT)bytes, 4);
	EXPECT(t, !memcmp(memory, bytes, 8));
	EXPECT(t, !memchr_inv((PUCHAR)memory + 8, 0, 8));
	WRITE_REGISTER_BUFFER_UCHAR((PUCHAR)memory + 1, bytes, 7);
	EXPECT(t, !memcmp((PUCHAR)memory + 1, bytes, 7));
	EXPECT(t, !memchr_inv((PUCHAR)memory + 8, 0, 8));
}

/* QEMU's edu: 0 identifies, 4 gives back the complement of what it was given */
static void registers_of_device(struct nttest *t)
{
	struct pci_dev *pdev = to_pci_dev(t->dev);
	PHYSICAL_ADDRESS where = { .QuadPart = pci_resource_start(pdev, 0) };
	UCHAR *bar = MmMapIoSpace(where, 8, MmNonCached);
	ULONG *liveness;

	REQUIRE(t, bar);
	liveness = (ULONG *)(bar + 4);
	EXPECT_EQ(t, READ_REGISTER_ULONG((ULONG *)bar) & 0xffff, 0x00ed);
	WRITE_REGISTER_ULONG(liveness, 0x12345678);
	EXPECT_EQ(t, READ_REGISTER_ULONG(liveness), 0xedcba987);
	MmUnmapIoSpace(bar, 8);

	where.QuadPart += 4;
	liveness = MmMapIoSpaceEx(where, 4, PAGE_READWRITE | PAGE_NOCACHE);
	REQUIRE(t, liveness);
	WRITE_REGISTER_ULONG(liveness, 0xffff0000);
	EXPECT_EQ(t, READ_REGISTER_ULONG(liveness), 0x0000ffff);
	MmUnmapIoSpace(liveness, 4);
}

/* The same register through the other kinds of mapping, one at a time. */
static void iospace_kinds(struct nttest *t)
{
	static const MEMORY_CACHING_TYPE kinds[] = {
		MmCached, MmHardwareCoherentCached, MmWriteCombined,
		MmUSWCCached, MmNonCachedUnordered,
	};
	struct pci_dev *pdev = to_pci_dev(t->dev);
	PHYSICAL_ADDRESS bar = { .QuadPart = pci_resource_start(pdev, 0) };
	ULONG *id;
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		id = MmMapIoSpace(bar, PAGE_SIZE, kinds[i]);
		if (!EXPECT(t, id))
			continue;
		EXPECT_EQ(t, READ_REGISTER_ULONG(id) & 0xffff, 0x00ed);
		MmUnmapIoSpace(id, PAGE_SIZE);
	}
}

static void iospace_refused(struct nttest *t)
{
	struct pci_dev *pdev = to_pci_dev(t->dev);
	PHYSICAL_ADDRESS bar = { .QuadPart = pci_resource_start(pdev, 0) };
	PHYSICAL_ADDRESS last = { .QuadPart = -1 };
	PHYSICAL_ADDRESS far = { .QuadPart = S64_MAX & PAGE_MASK };
	unsigned long page = __get_free_page(GFP_KERNEL);
	PHYSICAL_ADDRESS ram;

	EXPECT(t, !MmMapIoSpace(bar, 0, MmNonCached));
	EXPECT(t, !MmMapIoSpace(bar, SIZE_MAX, MmNonCached));
	EXPECT(t, !MmMapIoSpace(bar, 4, MmMaximumCacheType));
	EXPECT(t, !MmMapIoSpace(bar, 4, MmNotMapped));
	EXPECT(t, !MmMapIoSpace(last, 1, MmNonCached));
	EXPECT(t, !MmMapIoSpace(last, 2, MmNonCached));
	EXPECT(t, !MmMapIoSpace(far, PAGE_SIZE, MmNonCached));
	EXPECT(t, !MmMapIoSpaceEx(bar, 4, PAGE_NOACCESS));
	EXPECT(t, !MmMapIoSpaceEx(bar, 4, PAGE_NOCACHE));
	EXPECT(t, !MmMapIoSpaceEx(bar, 4, PAGE_READWRITE | PAGE_NOCACHE |
				  PAGE_WRITECOMBINE));
	REQUIRE(t, page);
	ram.QuadPart = virt_to_phys((void *)page);
	EXPECT(t, !MmMapIoSpace(ram, 4, MmNonCached));
	EXPECT(t, !MmMapIoSpace(ram, PAGE_SIZE, MmCached));
	EXPECT(t, !MmMapIoSpace(ram, PAGE_SIZE, MmWriteCombined));
	free_page(page);
}

/* ---- Device objects ---- */

static void device_object(struct nttest *t)
{
	unsigned int refs = kref_read(&t->dev->kobj.kref);
	PDEVICE_OBJECT object = ntdma_device_create(t->dev, 300);
	PDEVICE_OBJECT other = ntdma_device_create(t->dev, 0);

	if (EXPECT(t, object)) {
		EXPECT(t, ntdma_device_of(object) == t->dev);
		EXPECT(t, !object->CurrentIrp);
		EXPECT_EQ(t, object->AlignmentRequirement, 0);
		EXPECT(t, object->DeviceExtension);
		EXPECT_EQ(t, (ULONG_PTR)object->DeviceExtension %
			     (2 * sizeof(void *)), 0);
		EXPECT(t, !memchr_inv(object->DeviceExtension, 0, 300));
		memset(object->DeviceExtension, 0xa5, 300);
	}
	if (EXPECT(t, other)) {
		EXPECT(t, other != object);
		EXPECT(t, ntdma_device_of(other) == t->dev);
		EXPECT(t, !other->DeviceExtension);
	}
	EXPECT_EQ(t, kref_read(&t->dev->kobj.kref), refs + 2);
	ntdma_device_destroy(object);
	ntdma_device_destroy(other);
	EXPECT_EQ(t, kref_read(&t->dev->kobj.kref), refs);
}

static void device_object_refused(struct nttest *t)
{
	struct {
		DEVICE_OBJECT object;
		ULONG_PTR behind[8];
	} *foreign = kzalloc(sizeof(*foreign), GFP_KERNEL);

	EXPECT(t, !ntdma_device_create(NULL, 16));
	EXPECT(t, !ntdma_device_create(t->dev, SIZE_MAX));
	EXPECT(t, !ntdma_device_create(t->dev, SIZE_MAX / 2));
	ntdma_fail_nth(1);
	EXPECT(t, !ntdma_device_create(t->dev, 16));
	EXPECT(t, ntdma_fail_hit());
	ntdma_fail_nth(0);
	EXPECT(t, !ntdma_device_of(NULL));
	ntdma_device_destroy(NULL);
	REQUIRE(t, foreign);
	memset(foreign->behind, 0xa5, sizeof(foreign->behind));
	EXPECT(t, !ntdma_device_of(&foreign->object));
	kfree(foreign);
}

static void errnos(struct nttest *t)
{
	static const struct {
		NTSTATUS status;
		int error;
	} known[] = {
		{ STATUS_SUCCESS, 0 },
		{ STATUS_PENDING, 0 },
		{ STATUS_INSUFFICIENT_RESOURCES, -ENOMEM },
		{ STATUS_INVALID_PARAMETER, -EINVAL },
		{ STATUS_INVALID_PARAMETER_1, -EINVAL },
		{ STATUS_INVALID_PARAMETER_12, -EINVAL },
		{ STATUS_NO_SUCH_DEVICE, -ENODEV },
		{ STATUS_DEVICE_BUSY, -EBUSY },
		{ STATUS_NOT_SUPPORTED, -EOPNOTSUPP },
		{ STATUS_UNSUCCESSFUL, -EIO },
		{ STATUS_CANCELLED, -ECANCELED },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		EXPECT_EQ(t, ntdma_errno(known[i].status), known[i].error);
}

static void deferred_device(PKDPC dpc, PDEVICE_OBJECT object, PIRP irp,
			    PVOID context)
{
	struct nt *nt = context;

	nt->calls[0].argument1 = object;
	nt->calls[0].argument2 = irp;
	nt->calls[0].irql = KeGetCurrentIrql();
	KeSetEvent(&nt->event, IO_NO_INCREMENT, FALSE);
}

static void device_object_dpc(struct nttest *t)
{
	PDEVICE_OBJECT object = ntdma_device_create(t->dev, 0);
	struct nt *nt = t->priv;
	IRP irp;

	REQUIRE(t, object);
	IoInitializeDpcRequest(object, deferred_device);
	IoRequestDpc(object, &irp, nt);
	EXPECT_EQ(t, event_wait(&nt->event, WAIT_MS), STATUS_SUCCESS);
	KeFlushQueuedDpcs();
	EXPECT(t, nt->calls[0].argument1 == object);
	EXPECT(t, nt->calls[0].argument2 == &irp);
	EXPECT_EQ(t, nt->calls[0].irql, DISPATCH_LEVEL);
	ntdma_device_destroy(object);
}

static void deferred_device_hold(PKDPC dpc, PDEVICE_OBJECT object, PIRP irp,
				 PVOID context)
{
	struct nt *nt = context;

	hold(nt);
	InterlockedIncrement(&nt->number);
}

static void job_request_hold(struct job *job)
{
	struct nt *nt = job->nt;
	KIRQL irql;

	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	IoRequestDpc(nt->object, NULL, nt);
	hold(nt);
	KeLowerIrql(irql);
}

/* @run destroys a device object whose DPC is held on another processor. */
static void device_object_held(struct nttest *t,
			       void (*run)(struct nttest *t, int other))
{
	struct nt *nt = t->priv;
	int other = processor_pin(t);

	if (other < 0)
		return;
	nt->object = ntdma_device_create(t->dev, 0);
	if (EXPECT(t, nt->object)) {
		IoInitializeDpcRequest(nt->object, deferred_device_hold);
		run(t, other);
	}
	migrate_enable();
}

/* The processor that would run the DPC gets to it after the end only. */
static void destroy_queued(struct nttest *t, int other)
{
	struct nt *nt = t->priv;

	job_start_on(nt, 0, other, job_request_hold);
	EXPECT_EQ(t, event_wait(&nt->ready, WAIT_MS), STATUS_SUCCESS);
	ntdma_device_destroy(nt->object);
	WRITE_ONCE(nt->stop, true);
	jobs_join(nt, 1);
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, nt->number, 0);
}

static void device_object_queued(struct nttest *t)
{
	device_object_held(t, destroy_queued);
}

static void job_request(struct job *job)
{
	IoRequestDpc(job->nt->object, NULL, job->nt);
}

static void job_destroy(struct job *job)
{
	struct nt *nt = job->nt;

	KeSetEvent(&nt->event, IO_NO_INCREMENT, FALSE);
	ntdma_device_destroy(nt->object);
	job->status = READ_ONCE(nt->number);
	WRITE_ONCE(nt->removed, 1);
}

static void destroy_running(struct nttest *t, int other)
{
	must_wait(t, other, job_request, job_destroy);
}

static void device_object_running(struct nttest *t)
{
	device_object_held(t, destroy_running);
}

/* ---- Inline helpers ---- */

/* No constant to a checker: branches of arm64's exchange would cut it. */
static LONG64 beyond_32_bits = 1LL << 40;

static void interlocked_values(struct nttest *t)
{
	LONG64 wide = READ_ONCE(beyond_32_bits);
	LONG n = 5;
	LONG64 w = 5;
	PVOID p = &n;

	EXPECT_EQ(t, InterlockedIncrement(&n), 6);
	EXPECT_EQ(t, InterlockedDecrement(&n), 5);
	EXPECT_EQ(t, InterlockedExchange(&n, 7), 5);
	EXPECT_EQ(t, InterlockedExchangeAdd(&n, -3), 7);
	EXPECT_EQ(t, InterlockedCompareExchange(&n, 9, 3), 4);
	EXPECT_EQ(t, InterlockedCompareExchange(&n, 9, 4), 4);
	EXPECT_EQ(t, InterlockedOr(&n, 0x30), 9);
	EXPECT_EQ(t, InterlockedAnd(&n, 0x18), 0x39);
	EXPECT_EQ(t, InterlockedXor(&n, 0xf), 0x18);
	EXPECT_EQ(t, n, 0x17);
	EXPECT_EQ(t, InterlockedAdd(&n, -7), 0x10);
	EXPECT_EQ(t, n, 0x10);
	EXPECT_EQ(t, InterlockedIncrement64(&w), 6);
	EXPECT_EQ(t, InterlockedExchange64(&w, wide), 6);
	EXPECT_EQ(t, InterlockedExchangeAdd64(&w, 1), wide);
	EXPECT_EQ(t, InterlockedCompareExchange64(&w, 2, wide + 1), wide + 1);
	EXPECT_EQ(t, w, 2);
	EXPECT_EQ(t, InterlockedAdd64(&w, wide), wide + 2);
	EXPECT_EQ(t, InterlockedDecrement64(&w), wide + 1);
	EXPECT_EQ(t, InterlockedOr64(&w, wide << 1), wide + 1);
	EXPECT_EQ(t, InterlockedAnd64(&w, 3 * wide), 3 * wide + 1);
	EXPECT_EQ(t, InterlockedXor64(&w, wide + 5), 3 * wide);
	EXPECT_EQ(t, w, 2 * wide + 5);
	EXPECT(t, InterlockedExchangePointer(&p, &w) == &n);
	EXPECT(t, InterlockedCompareExchangePointer(&p, &n, &n) == &w);
	EXPECT(t, InterlockedCompareExchangePointer(&p, NULL, &w) == &w);
	EXPECT(t, !p);
}

#define ATOMIC_ROUNDS	20000

static void job_interlocked(struct job *job)
{
	struct nt *nt = job->nt;
	LONG seen;
	int i;

	jobs_meet(nt, 2);
	for (i = 0; i < ATOMIC_ROUNDS; i++) {
		InterlockedIncrement(&nt->number);
		InterlockedExchangeAdd64(&nt->number64, 1LL << 32);
		do {
			seen = READ_ONCE(nt->removed);
		} while (InterlockedCompareExchange(&nt->removed, seen + 1,
						    seen) != seen);
	}
}

static void interlocked_threads(struct nttest *t)
{
	struct nt *nt = t->priv;

	jobs_start(nt, 2, job_interlocked);
	jobs_join(nt, 2);
	EXPECT_EQ(t, nt->number, 2 * ATOMIC_ROUNDS);
	EXPECT_EQ(t, nt->number64, (LONG64)(2 * ATOMIC_ROUNDS) << 32);
	EXPECT_EQ(t, nt->removed, 2 * ATOMIC_ROUNDS);
}

static void lists(struct nttest *t)
{
	SINGLE_LIST_ENTRY top = { }, x, y;
	LIST_ENTRY head, a, b, c;

	InitializeListHead(&head);
	EXPECT(t, IsListEmpty(&head));
	EXPECT(t, RemoveHeadList(&head) == &head);
	InsertTailList(&head, &b);
	InsertHeadList(&head, &a);
	InsertTailList(&head, &c);
	EXPECT(t, !RemoveEntryList(&b));
	EXPECT(t, head.Flink == &a && a.Flink == &c && c.Flink == &head);
	EXPECT(t, head.Blink == &c && c.Blink == &a && a.Blink == &head);
	EXPECT(t, RemoveTailList(&head) == &c);
	EXPECT(t, RemoveEntryList(&a));
	EXPECT(t, IsListEmpty(&head));

	/* What is appended has no head: a is the first of a and b. */
	InsertTailList(&head, &c);
	InitializeListHead(&a);
	InsertTailList(&a, &b);
	AppendTailList(&head, &a);
	EXPECT(t, head.Flink == &c && c.Flink == &a);
	EXPECT(t, a.Flink == &b && b.Flink == &head);
	EXPECT(t, head.Blink == &b && b.Blink == &a);
	EXPECT(t, a.Blink == &c && c.Blink == &head);

	EXPECT(t, !PopEntryList(&top));
	PushEntryList(&top, &x);
	PushEntryList(&top, &y);
	EXPECT(t, PopEntryList(&top) == &y);
	EXPECT(t, PopEntryList(&top) == &x);
	EXPECT(t, !PopEntryList(&top));
}

static void rtl_memory(struct nttest *t)
{
	UCHAR a[40], b[40];

	RtlFillMemory(a, sizeof(a), 0x77);
	RtlCopyMemory(b, a, sizeof(b));
	EXPECT(t, RtlEqualMemory(a, b, sizeof(a)));
	EXPECT_EQ(t, RtlCompareMemory(a, b, sizeof(a)), sizeof(a));
	b[39] = 0;
	EXPECT(t, !RtlEqualMemory(a, b, sizeof(a)));
	EXPECT_EQ(t, RtlCompareMemory(a, b, sizeof(a)), 39);
	EXPECT_EQ(t, RtlCompareMemory(a, b, 0), 0);
	RtlZeroMemory(a, sizeof(a));
	EXPECT_EQ(t, RtlCompareMemory(a, b, sizeof(a)), 0);
	EXPECT(t, !memchr_inv(a, 0, sizeof(a)));
	b[0] = 1;
	RtlMoveMemory(b + 1, b, 2);
	EXPECT_EQ(t, b[1], 1);
}

static const struct nttest_case nt_cases[] = {
	{ "NT irql: raise and lower nest", irql_nests },
	{ "NT irql: APC_LEVEL and the wrong direction change nothing",
	  irql_wrong_way },
	{ "NT irql: above DISPATCH_LEVEL interrupts are off",
	  irql_above_dispatch },
	{ "NT irql: a level that Linux code set is kept", irql_of_linux },
	{ "NT irql: an interrupt handler is above DISPATCH_LEVEL",
	  irql_of_interrupt },
	{ "NT spin lock: raises and restores", lock_levels },
	{ "NT spin lock: raised by one routine, restored by another",
	  lock_mixed },
	{ "NT spin lock: try fails while held", lock_try },
	{ "NT spin lock: four threads exclude each other", lock_excludes },
	{ "NT spin lock: ExInterlocked lists", lock_lists },
	{ "NT dpc: runs after DISPATCH_LEVEL on the same processor, once",
	  dpc_after_dispatch },
	{ "NT dpc: queued below DISPATCH_LEVEL", dpc_below_dispatch },
	{ "NT dpc: removed before it runs", dpc_removed },
	{ "NT dpc: high importance goes first", dpc_importance },
	{ "NT dpc: queued by an interrupt handler", dpc_from_interrupt },
	{ "NT dpc: queues itself, others get their turn", dpc_again },
	{ "NT dpc: queues itself at the head, others get their turn",
	  dpc_again_high },
	{ "NT dpc: queues itself without end, threads get their turn",
	  dpc_forever },
	{ "NT dpc: freed by its routine", dpc_freed },
	{ "NT dpc: flush waits for other processors", dpc_flush_waits },
	{ "NT dpc: flush waits for a routine that runs", dpc_flush_running },
	{ "NT dpc: not removed while its routine runs", dpc_removed_running },
	{ "NT dpc: insertions equal calls and removals", dpc_races },
	{ "NT event: notification event", event_notification },
	{ "NT event: synchronization event", event_synchronization },
	{ "NT event: no wait at DISPATCH_LEVEL", event_poll },
	{ "NT event: relative and absolute timeout", event_timeouts },
	{ "NT event: a time in the past", event_past },
	{ "NT event: the farthest times", event_far_future },
	{ "NT event: set by a DPC", event_from_dpc },
	{ "NT event: an interrupt handler releases all waiters",
	  event_from_interrupt },
	{ "NT event: a synchronization event releases one waiter",
	  event_releases_one },
	{ "NT event: timeout and signal at once", event_timeout_race },
	{ "NT event: freed by the waiter", event_freed },
	{ "NT event: freed by who reads its state", event_freed_unseen },
	{ "NT event: not an event", event_refused },
	{ "NT time: KeDelayExecutionThread", delay },
	{ "NT time: clocks and stalls", clocks },
	{ "NT pool: alignment, zeroing, page boundaries", pool_alignment },
	{ "NT pool: ExAllocatePoolWithTag and ExAllocatePoolZero",
	  pool_old_routines },
	{ "NT pool: large block freed at DISPATCH_LEVEL", pool_large },
	{ "NT pool: at DISPATCH_LEVEL", pool_at_dispatch },
	{ "NT pool: no bytes, absurd sizes, bad flags", pool_refused },
	{ "NT registers: round trip in memory", registers_in_memory },
	{ "NT registers: a device's, mapped", registers_of_device },
	{ "NT registers: a device's, every kind of mapping", iospace_kinds },
	{ "NT registers: what cannot be mapped", iospace_refused },
	{ "NT device object: extension, references", device_object },
	{ "NT device object: refused", device_object_refused },
	{ "NT status: what probe() returns for it", errnos },
	{ "NT device object: IoRequestDpc", device_object_dpc },
	{ "NT device object: destroyed with its DPC queued",
	  device_object_queued },
	{ "NT device object: destroyed while its DPC runs",
	  device_object_running },
	{ "NT interlocked: values", interlocked_values },
	{ "NT interlocked: two threads", interlocked_threads },
	{ "NT lists: LIST_ENTRY and SINGLE_LIST_ENTRY", lists },
	{ "NT rtl: memory", rtl_memory },
	{ }
};

const struct nttest_suite nttest_nt = {
	.name = "nt",
	.init = nt_init,
	.exit = nt_exit,
	.cases = nt_cases,
};
