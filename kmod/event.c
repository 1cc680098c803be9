// SPDX-License-Identifier: GPL-2.0
/*
 * Events and waiting.
 *
 * The state of an event is SignalState of its header, and the threads that
 * wait for it are linked at WaitListHead, each by a block on its own stack.
 * There are waiters only while SignalState is 0. Setting a notification event
 * releases all of them and leaves the event signalled, setting a
 * synchronization event releases the one that waits longest and leaves it not
 * signalled, or becomes signalled when nobody waits.
 *
 * A KEVENT is never destroyed: it vanishes with the memory around it, often as
 * soon as a waiter has been released. So the lock is not in the event but in a
 * table, chosen by the event's address, and every waiter takes it once more
 * before it returns. Nothing here touches an event after the lock that
 * released its waiters was dropped, nor after its state says that it is
 * signalled, which can be read without the lock.
 *
 * The locks are leaves, held with interrupts off, because events are set at any
 * level. The scheduler's own locks nest inside.
 *
 * Threads wait in TASK_IDLE: on Windows waiting for ever is no sign of a hang.
 * Nothing alerts a thread and there are no APCs, so a wait ends with the event
 * or with its timeout, whatever WaitMode and Alertable are.
 */
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "compat.h"
#define NTDMA_LINUX_NAMES
#include "wdm.h"
#include "nt.h"

#define NTDMA_EVENT_BITS	6

/* Lateness that lets the kernel serve several timeouts with one interrupt. */
#define NTDMA_TIMEOUT_SLACK	(50 * NSEC_PER_USEC)

struct ntdma_event_lock {
	raw_spinlock_t lock;
} ____cacheline_aligned_in_smp;

static struct ntdma_event_lock ntdma_event_locks[1 << NTDMA_EVENT_BITS] = {
	[0 ... (1 << NTDMA_EVENT_BITS) - 1] = {
		.lock = __RAW_SPIN_LOCK_UNLOCKED(ntdma_event_locks),
	},
};

/**
 * struct ntdma_waiter - a thread that waits, on its own stack
 * @link: in WaitListHead of the event, until @released
 * @task: the thread
 * @released: set once, under the lock of the event
 */
struct ntdma_waiter {
	LIST_ENTRY link;
	struct task_struct *task;
	bool released;
};

/**
 * struct ntdma_timeout - when a wait ends
 * @forever: never
 * @clock: what @at is a time of
 * @at: the moment
 */
struct ntdma_timeout {
	bool forever;
	clockid_t clock;
	ktime_t at;
};

static raw_spinlock_t *ntdma_event_lock(PKEVENT event)
{
	return &ntdma_event_locks[hash_ptr(event, NTDMA_EVENT_BITS)].lock;
}

/* Units of 100 ns; what ktime_t cannot hold is centuries away. */
static bool ntdma_units_to_ktime(u64 units, ktime_t *time)
{
	if (units >= div_u64(KTIME_MAX, NTDMA_NSEC_PER_UNIT))
		return false;
	*time = ns_to_ktime(units * NTDMA_NSEC_PER_UNIT);
	return true;
}

static struct ntdma_timeout ntdma_timeout_of(const LARGE_INTEGER *when)
{
	struct ntdma_timeout timeout = { .clock = CLOCK_MONOTONIC };
	ktime_t delay;

	if (!when) {
		timeout.forever = true;
	} else if (when->QuadPart < 0) {
		timeout.forever = !ntdma_units_to_ktime(-(u64)when->QuadPart,
							&delay);
		if (!timeout.forever)
			timeout.at = ktime_add_safe(ktime_get(), delay);
	} else if (when->QuadPart > NTDMA_UNIX_EPOCH) {
		timeout.clock = CLOCK_REALTIME;
		timeout.forever =
			!ntdma_units_to_ktime(when->QuadPart - NTDMA_UNIX_EPOCH,
					      &timeout.at);
	}
	return timeout;
}

/* The caller has set its task state. True when the time is over. */
static bool ntdma_timeout_sleep(struct ntdma_timeout *timeout)
{
	if (timeout->forever) {
		schedule();
		return false;
	}
	return !schedule_hrtimeout_range_clock(&timeout->at,
					       NTDMA_TIMEOUT_SLACK,
					       HRTIMER_MODE_ABS,
					       timeout->clock);
}

/* Drivers ignore the status of a wait without a timeout, hence the warning. */
static bool ntdma_may_wait(void)
{
	return !WARN_ONCE(KeGetCurrentIrql() >= DISPATCH_LEVEL,
			  "ntdma: wait at IRQL %d\n", KeGetCurrentIrql());
}

/**
 * KeInitializeEvent() - make an event ready
 * @event: the event, non-paged memory of the caller
 * @type: NotificationEvent or SynchronizationEvent
 * @state: whether it is signalled
 *
 * Context: any.
 */
void KeInitializeEvent(PRKEVENT event, EVENT_TYPE type, BOOLEAN state)
{
	*event = (KEVENT) {
		.Header.Type = type,
		.Header.Size = sizeof(*event) / sizeof(LONG),
		.Header.SignalState = !!state,
	};
	InitializeListHead(&event->Header.WaitListHead);
}
EXPORT_SYMBOL_NTDMA(KeInitializeEvent);

static void ntdma_event_release_one(PKEVENT event)
{
	PLIST_ENTRY link = RemoveHeadList(&event->Header.WaitListHead);
	struct ntdma_waiter *waiter;

	lockdep_assert_held(ntdma_event_lock(event));
	waiter = container_of(link, struct ntdma_waiter, link);
	WRITE_ONCE(waiter->released, true);
	wake_up_process(waiter->task);
}

static void ntdma_event_signal(PKEVENT event)
{
	PLIST_ENTRY waiters = &event->Header.WaitListHead;

	lockdep_assert_held(ntdma_event_lock(event));
	if (event->Header.Type == SynchronizationEvent &&
	    !IsListEmpty(waiters)) {
		ntdma_event_release_one(event);
		return;
	}
	while (!IsListEmpty(waiters))
		ntdma_event_release_one(event);
	/* Who reads the state may free the event from here on. */
	smp_store_release(&event->Header.SignalState, 1);
}

/**
 * KeSetEvent() - signal an event
 * @event: the event
 * @increment: not used, the scheduler needs no hint
 * @wait: not used, a wait that follows needs no preparation
 *
 * Context: any, also interrupt handlers, but not an NMI.
 * Return: the former state, not 0 when it was signalled already.
 */
LONG KeSetEvent(PRKEVENT event, KPRIORITY increment, BOOLEAN wait)
{
	raw_spinlock_t *lock = ntdma_event_lock(event);
	unsigned long flags;
	LONG former;

	raw_spin_lock_irqsave(lock, flags);
	former = event->Header.SignalState;
	if (!former)
		ntdma_event_signal(event);
	raw_spin_unlock_irqrestore(lock, flags);
	return former;
}
EXPORT_SYMBOL_NTDMA(KeSetEvent);

/**
 * KeResetEvent() - make an event not signalled
 * @event: the event
 *
 * Context: any, but not an NMI.
 * Return: the former state, not 0 when it was signalled.
 */
LONG KeResetEvent(PRKEVENT event)
{
	raw_spinlock_t *lock = ntdma_event_lock(event);
	unsigned long flags;
	LONG former;

	raw_spin_lock_irqsave(lock, flags);
	former = event->Header.SignalState;
	WRITE_ONCE(event->Header.SignalState, 0);
	raw_spin_unlock_irqrestore(lock, flags);
	return former;
}
EXPORT_SYMBOL_NTDMA(KeResetEvent);

/**
 * KeClearEvent() - make an event not signalled
 * @event: the event
 *
 * Context: any, but not an NMI.
 */
void KeClearEvent(PRKEVENT event)
{
	KeResetEvent(event);
}
EXPORT_SYMBOL_NTDMA(KeClearEvent);

/**
 * KeReadStateEvent() - look at an event
 * @event: the event
 *
 * Context: any.
 * Return: not 0 when it is signalled.
 */
LONG KeReadStateEvent(PRKEVENT event)
{
	/* Pairs with ntdma_event_signal(). */
	return smp_load_acquire(&event->Header.SignalState);
}
EXPORT_SYMBOL_NTDMA(KeReadStateEvent);

/**
 * ntdma_event_waiters() - count the threads that wait for an event
 * @event: the event
 *
 * Context: any; tests only.
 * Return: their number.
 */
unsigned int ntdma_event_waiters(const struct _KEVENT *event)
{
	raw_spinlock_t *lock = ntdma_event_lock((PKEVENT)event);
	const LIST_ENTRY *head = &event->Header.WaitListHead, *link;
	unsigned int count = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	for (link = head->Flink; link != head; link = link->Flink)
		count++;
	raw_spin_unlock_irqrestore(lock, flags);
	return count;
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_event_waiters);

/* Takes the signal, or lines @waiter up for it unless that is NULL. */
static bool ntdma_event_take(PKEVENT event, struct ntdma_waiter *waiter)
{
	raw_spinlock_t *lock = ntdma_event_lock(event);
	unsigned long flags;
	bool taken;

	raw_spin_lock_irqsave(lock, flags);
	taken = event->Header.SignalState;
	if (taken && event->Header.Type == SynchronizationEvent)
		WRITE_ONCE(event->Header.SignalState, 0);
	if (!taken && waiter)
		InsertTailList(&event->Header.WaitListHead, &waiter->link);
	raw_spin_unlock_irqrestore(lock, flags);
	return taken;
}

/* After this the event may be gone when @waiter was released. */
static void ntdma_event_leave(PKEVENT event, struct ntdma_waiter *waiter)
{
	raw_spinlock_t *lock = ntdma_event_lock(event);
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	if (!waiter->released)
		RemoveEntryList(&waiter->link);
	raw_spin_unlock_irqrestore(lock, flags);
}

static NTSTATUS ntdma_event_wait(PKEVENT event, struct ntdma_timeout timeout)
{
	struct ntdma_waiter waiter = { .task = current };
	bool over = false;

	if (ntdma_event_take(event, &waiter))
		return STATUS_SUCCESS;
	while (!over) {
		set_current_state(TASK_IDLE);
		if (READ_ONCE(waiter.released))
			break;
		over = ntdma_timeout_sleep(&timeout);
	}
	__set_current_state(TASK_RUNNING);
	ntdma_event_leave(event, &waiter);
	return waiter.released ? STATUS_SUCCESS : STATUS_TIMEOUT;
}

/**
 * KeWaitForSingleObject() - wait until an event is signalled
 * @object: a KEVENT
 * @reason: not used
 * @mode: not used, see the head of the file
 * @alertable: not used, see the head of the file
 * @when: NULL waits for ever, 0 does not wait; negative for an interval,
 *	positive for a system time (KeQuerySystemTime()), units of 100 ns. A
 *	system time follows the clock when that is set.
 *
 * Context: PASSIVE_LEVEL, sleeps; <= DISPATCH_LEVEL with an interval of 0.
 * Return: STATUS_SUCCESS when the event was signalled, STATUS_TIMEOUT when the
 *	time is over, STATUS_INVALID_PARAMETER when @object is no event,
 *	STATUS_INVALID_DEVICE_STATE at a level that cannot wait.
 */
NTSTATUS KeWaitForSingleObject(PVOID object, KWAIT_REASON reason,
			       KPROCESSOR_MODE mode, BOOLEAN alertable,
			       PLARGE_INTEGER when)
{
	PKEVENT event = object;

	if (!event || event->Header.Type > SynchronizationEvent)
		return STATUS_INVALID_PARAMETER;
	if (when && !when->QuadPart)
		return ntdma_event_take(event, NULL) ? STATUS_SUCCESS :
						       STATUS_TIMEOUT;
	if (!ntdma_may_wait())
		return STATUS_INVALID_DEVICE_STATE;
	might_sleep();
	return ntdma_event_wait(event, ntdma_timeout_of(when));
}
EXPORT_SYMBOL_NTDMA(KeWaitForSingleObject);

/**
 * KeDelayExecutionThread() - sleep
 * @mode: not used, see the head of the file
 * @alertable: not used, see the head of the file
 * @when: as for KeWaitForSingleObject(), not NULL; 0 lets others run
 *
 * Context: PASSIVE_LEVEL, sleeps.
 * Return: STATUS_SUCCESS when the time is over, STATUS_INVALID_PARAMETER
 *	without @when, STATUS_INVALID_DEVICE_STATE at a level that cannot wait.
 */
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE mode, BOOLEAN alertable,
				PLARGE_INTEGER when)
{
	struct ntdma_timeout timeout;

	if (!when)
		return STATUS_INVALID_PARAMETER;
	if (!ntdma_may_wait())
		return STATUS_INVALID_DEVICE_STATE;
	might_sleep();
	if (!when->QuadPart) {
		cond_resched();
		return STATUS_SUCCESS;
	}
	timeout = ntdma_timeout_of(when);
	do {
		set_current_state(TASK_IDLE);
	} while (!ntdma_timeout_sleep(&timeout));
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_NTDMA(KeDelayExecutionThread);
