// SPDX-License-Identifier: GPL-2.0
/*
 * Deferred procedure calls.
 *
 * Each processor has a queue of DPCs and a tasklet that serves it. A DPC goes
 * to the queue of the processor that queues it, and the tasklet runs there when
 * that processor is below DISPATCH_LEVEL. Routines of a driver are
 * called at DISPATCH_LEVEL, so a DPC never runs inside the routine that queued
 * it. A processor that goes offline leaves its tasklet, and with it the queue,
 * to another one.
 *
 * The KDPC is memory of the driver. DpcData says whether it is queued and
 * where: it holds the queue from insertion until just before the routine is
 * called, and changes under the lock of that queue. From then on the routine
 * may queue or free the DPC; nothing here touches it again.
 *
 * A pass of the tasklet owes a call to what was queued when it began, and calls
 * nothing else, so that a DPC that queues itself does not keep the processor.
 * What is put at the head meanwhile comes behind what the pass owes, or a DPC
 * that puts itself there would keep the others from their turn.
 *
 * The lock of a queue is a leaf, held for a few instructions with interrupts
 * off, because DPCs are queued by interrupt handlers. It is not held while a
 * routine runs.
 */
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "compat.h"
#define NTDMA_LINUX_NAMES
#include "wdm.h"
#include "nt.h"

#define NTDMA_DPC_OBJECT	0x13	/* KDPC.Type as on Windows */

/**
 * struct ntdma_dpc_queue - the DPCs of one processor
 * @lock: protects everything here but @tasklet
 * @first: first entry, or NULL
 * @last: the link that the next entry at the tail goes to
 * @owed: the link behind what the pass owes, @first's when it owes nothing
 * @running: a pass is under way
 * @tasklet: serves the queue
 */
struct ntdma_dpc_queue {
	raw_spinlock_t lock;
	PSINGLE_LIST_ENTRY first;
	PSINGLE_LIST_ENTRY *last;
	PSINGLE_LIST_ENTRY *owed;
	bool running;
	struct tasklet_struct tasklet;
};

static struct ntdma_dpc_queue __percpu *ntdma_dpc_queues;

static PKDPC to_dpc(PSINGLE_LIST_ENTRY entry)
{
	return container_of(entry, KDPC, DpcListEntry);
}

static void ntdma_dpc_add(struct ntdma_dpc_queue *queue, PKDPC dpc)
{
	PSINGLE_LIST_ENTRY entry = &dpc->DpcListEntry;
	PSINGLE_LIST_ENTRY *link = queue->last;

	lockdep_assert_held(&queue->lock);
	if (dpc->Importance == HighImportance)
		link = queue->owed;
	entry->Next = *link;
	*link = entry;
	if (!entry->Next)
		queue->last = &entry->Next;
}

static void ntdma_dpc_del(struct ntdma_dpc_queue *queue, PKDPC dpc)
{
	PSINGLE_LIST_ENTRY entry = &dpc->DpcListEntry;
	PSINGLE_LIST_ENTRY *link = &queue->first;

	lockdep_assert_held(&queue->lock);
	while (*link != entry)
		link = &(*link)->Next;
	*link = entry->Next;
	if (!entry->Next)
		queue->last = link;
	if (queue->owed == &entry->Next)
		queue->owed = link;
	/* Pairs with cmpxchg() in ntdma_dpc_claim(). */
	smp_store_release(&dpc->DpcData, NULL);
}

static bool ntdma_dpc_claim(struct ntdma_dpc_queue *queue, PKDPC dpc,
			    PVOID argument1, PVOID argument2)
{
	lockdep_assert_held(&queue->lock);
	if (cmpxchg(&dpc->DpcData, NULL, queue))
		return false;
	dpc->SystemArgument1 = argument1;
	dpc->SystemArgument2 = argument2;
	ntdma_dpc_add(queue, dpc);
	return true;
}

/* False when the pass owes nothing more. */
static bool ntdma_dpc_run_one(struct ntdma_dpc_queue *queue)
{
	PKDPC dpc = NULL;
	KDPC call;

	raw_spin_lock_irq(&queue->lock);
	if (queue->owed != &queue->first) {
		dpc = to_dpc(queue->first);
		call = *dpc;
		ntdma_dpc_del(queue, dpc);
	}
	raw_spin_unlock_irq(&queue->lock);
	if (!dpc)
		return false;
	call.DeferredRoutine(dpc, call.DeferredContext, call.SystemArgument1,
			     call.SystemArgument2);
	return true;
}

static void ntdma_dpc_begin(struct ntdma_dpc_queue *queue)
{
	raw_spin_lock_irq(&queue->lock);
	queue->running = true;
	queue->owed = queue->last;
	raw_spin_unlock_irq(&queue->lock);
}

static bool ntdma_dpc_end(struct ntdma_dpc_queue *queue)
{
	bool more;

	raw_spin_lock_irq(&queue->lock);
	queue->running = false;
	more = queue->first;
	raw_spin_unlock_irq(&queue->lock);
	return more;
}

static void ntdma_dpc_pass(struct tasklet_struct *tasklet)
{
	struct ntdma_dpc_queue *queue = from_tasklet(queue, tasklet, tasklet);

	ntdma_dpc_begin(queue);
	while (ntdma_dpc_run_one(queue))
		;
	if (ntdma_dpc_end(queue))
		tasklet_schedule(tasklet);
}

/**
 * KeInitializeDpc() - make a DPC ready, not queued
 * @dpc: the DPC, non-paged memory of the caller
 * @routine: called at DISPATCH_LEVEL for each time the DPC is queued
 * @context: passed to @routine
 *
 * Context: any.
 */
void KeInitializeDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, PVOID context)
{
	*dpc = (KDPC) {
		.Type = NTDMA_DPC_OBJECT,
		.Importance = MediumImportance,
		.DeferredRoutine = routine,
		.DeferredContext = context,
	};
}
EXPORT_SYMBOL_NTDMA(KeInitializeDpc);

/**
 * KeSetImportanceDpc() - choose the end of the queue
 * @dpc: a DPC that is not queued
 * @importance: HighImportance for the head, anything else for the tail; what is
 *	about to be called is not overtaken
 *
 * Context: any.
 */
void KeSetImportanceDpc(PRKDPC dpc, KDPC_IMPORTANCE importance)
{
	dpc->Importance = importance;
}
EXPORT_SYMBOL_NTDMA(KeSetImportanceDpc);

/**
 * KeInsertQueueDpc() - have a DPC called on this processor
 * @dpc: an initialised DPC
 * @argument1: passed to the routine
 * @argument2: passed to the routine
 *
 * The routine runs when this processor is below DISPATCH_LEVEL, which may be
 * before this returns. A DPC in a queue stays as it is; one whose routine has
 * begun can be queued again.
 *
 * Context: any, also interrupt handlers, but not an NMI.
 * Return: TRUE when queued, FALSE when it was queued before.
 */
BOOLEAN KeInsertQueueDpc(PRKDPC dpc, PVOID argument1, PVOID argument2)
{
	KIRQL old_irql = KeRaiseIrqlToDpcLevel();
	struct ntdma_dpc_queue *queue;
	unsigned long flags;
	bool queued;

	local_irq_save(flags);
	queue = this_cpu_ptr(ntdma_dpc_queues);
	raw_spin_lock(&queue->lock);
	queued = ntdma_dpc_claim(queue, dpc, argument1, argument2);
	raw_spin_unlock(&queue->lock);
	if (queued)
		tasklet_schedule(&queue->tasklet);
	local_irq_restore(flags);
	KeLowerIrql(old_irql);
	return queued;
}
EXPORT_SYMBOL_NTDMA(KeInsertQueueDpc);

/**
 * KeRemoveQueueDpc() - take a DPC out of its queue
 * @dpc: an initialised DPC
 *
 * Does not wait: a routine that has begun may still run when this returns, see
 * KeFlushQueuedDpcs().
 *
 * Context: any, also interrupt handlers, but not an NMI.
 * Return: TRUE when it was queued and will not be called, FALSE otherwise.
 */
BOOLEAN KeRemoveQueueDpc(PRKDPC dpc)
{
	struct ntdma_dpc_queue *queue = READ_ONCE(dpc->DpcData);
	unsigned long flags;
	bool queued;

	if (!queue)
		return FALSE;
	raw_spin_lock_irqsave(&queue->lock, flags);
	queued = READ_ONCE(dpc->DpcData) == queue;
	if (queued)
		ntdma_dpc_del(queue, dpc);
	raw_spin_unlock_irqrestore(&queue->lock, flags);
	return queued;
}
EXPORT_SYMBOL_NTDMA(KeRemoveQueueDpc);

static void ntdma_dpc_flushed(PKDPC dpc, PVOID done, PVOID argument1,
			      PVOID argument2)
{
	complete(done);
}

/*
 * A busy queue has its tasklet scheduled or running, and a running pass
 * schedules it again for what remains: the marker needs no push, which would
 * come from the wrong processor.
 */
static bool ntdma_dpc_mark(struct ntdma_dpc_queue *queue, PKDPC marker)
{
	bool busy;

	raw_spin_lock_irq(&queue->lock);
	busy = queue->first || queue->running;
	if (busy)
		ntdma_dpc_claim(queue, marker, NULL, NULL);
	raw_spin_unlock_irq(&queue->lock);
	return busy;
}

/**
 * KeFlushQueuedDpcs() - wait until all DPCs queued so far have run
 *
 * On return their routines have returned, on all processors.
 *
 * Context: PASSIVE_LEVEL, sleeps.
 */
void KeFlushQueuedDpcs(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	KDPC marker;
	int cpu;

	might_sleep();
	for_each_possible_cpu(cpu) {
		KeInitializeDpc(&marker, ntdma_dpc_flushed, &done);
		reinit_completion(&done);
		if (ntdma_dpc_mark(per_cpu_ptr(ntdma_dpc_queues, cpu), &marker))
			wait_for_completion(&done);
	}
}
EXPORT_SYMBOL_NTDMA(KeFlushQueuedDpcs);

static void ntdma_dpc_queue_init(struct ntdma_dpc_queue *queue)
{
	raw_spin_lock_init(&queue->lock);
	queue->last = &queue->first;
	queue->owed = &queue->first;
	tasklet_setup(&queue->tasklet, ntdma_dpc_pass);
}

/**
 * ntdma_dpc_init() - make the queues
 *
 * Context: module init, before a driver can queue a DPC.
 * Return: 0 or -ENOMEM.
 */
int ntdma_dpc_init(void)
{
	int cpu;

	ntdma_dpc_queues = alloc_percpu(struct ntdma_dpc_queue);
	if (!ntdma_dpc_queues)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		ntdma_dpc_queue_init(per_cpu_ptr(ntdma_dpc_queues, cpu));
	return 0;
}

/**
 * ntdma_dpc_exit() - let all DPCs run and free the queues
 *
 * Context: module exit, when no driver is left that could queue a DPC.
 */
void ntdma_dpc_exit(void)
{
	int cpu;

	KeFlushQueuedDpcs();
	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu_ptr(ntdma_dpc_queues, cpu)->tasklet);
	free_percpu(ntdma_dpc_queues);
}
