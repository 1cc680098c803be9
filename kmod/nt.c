// SPDX-License-Identifier: GPL-2.0
/*
 * IRQL, spin locks and clocks.
 *
 * An IRQL is stored nowhere. It is read off what the kernel itself knows about
 * the running context, so that code of both worlds agrees on it:
 *
 *   PASSIVE_LEVEL   the context may sleep. APC_LEVEL is the same level, there
 *                   are no APCs to keep out
 *   DISPATCH_LEVEL  bottom halves are disabled, or one runs
 *   NTDMA_DIRQL     an interrupt handler runs, or interrupts are disabled
 *   HIGH_LEVEL      in an NMI
 *
 * Preemption is never disabled for its own sake: on PREEMPT_RT a thread at
 * DISPATCH_LEVEL is preempted and may block on a spin lock, and keeps its
 * processor all the same. An interrupt handler is a thread there and runs at
 * DISPATCH_LEVEL unless it was requested otherwise.
 *
 * Raising and lowering change the context by exactly one step, and only where
 * the level really changes. A level that Linux code set is thus left alone by
 * a driver that restores what it found.
 *
 * A KSPIN_LOCK is a spinlock_t taken at DISPATCH_LEVEL, the equivalent of
 * spin_lock_bh(). No lock of ours is held in this file.
 */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "compat.h"
#define NTDMA_LINUX_NAMES
#include "wdm.h"
#include "nt.h"

/* The lowest level of a device on x64; no interrupt has a level of its own. */
#define NTDMA_DIRQL		3

#define NTDMA_UNITS_PER_SEC	(NSEC_PER_SEC / NTDMA_NSEC_PER_UNIT)

/**
 * KeGetCurrentIrql() - level of the running context
 *
 * Context: any.
 * Return: PASSIVE_LEVEL, DISPATCH_LEVEL, 3 with interrupts disabled or in an
 *	interrupt handler, HIGH_LEVEL in an NMI.
 */
KIRQL KeGetCurrentIrql(void)
{
	if (in_nmi())
		return HIGH_LEVEL;
	if (in_hardirq() || irqs_disabled())
		return NTDMA_DIRQL;
	return softirq_count() ? DISPATCH_LEVEL : PASSIVE_LEVEL;
}
EXPORT_SYMBOL_NTDMA(KeGetCurrentIrql);

/**
 * KfRaiseIrql() - raise the level of the running context
 * @new_irql: the level, APC_LEVEL counts as PASSIVE_LEVEL; every level above
 *	DISPATCH_LEVEL disables interrupts
 *
 * A level below the present one leaves everything as it is.
 *
 * Context: any.
 * Return: the level found, for KeLowerIrql().
 */
KIRQL KfRaiseIrql(KIRQL new_irql)
{
	KIRQL old_irql = KeGetCurrentIrql();

	if (new_irql <= old_irql || new_irql < DISPATCH_LEVEL)
		return old_irql;
	if (new_irql == DISPATCH_LEVEL)
		local_bh_disable();
	else
		local_irq_disable();
	return old_irql;
}
EXPORT_SYMBOL_NTDMA(KfRaiseIrql);

/**
 * KeRaiseIrqlToDpcLevel() - raise to DISPATCH_LEVEL
 *
 * Context: any; above DISPATCH_LEVEL nothing changes.
 * Return: the level found, for KeLowerIrql().
 */
KIRQL KeRaiseIrqlToDpcLevel(void)
{
	return KfRaiseIrql(DISPATCH_LEVEL);
}
EXPORT_SYMBOL_NTDMA(KeRaiseIrqlToDpcLevel);

/**
 * KeLowerIrql() - go back to the level before the matching raise
 * @new_irql: what the raise returned
 *
 * DPCs that were queued meanwhile run on this processor when the level falls
 * below DISPATCH_LEVEL; of those that a thread with interrupts disabled queued,
 * a kernel thread of the processor takes care a little later. A level above the
 * present one, or one that an interrupt handler or a DPC cannot have, leaves
 * everything as it is.
 *
 * Context: any.
 */
void KeLowerIrql(KIRQL new_irql)
{
	if (new_irql > DISPATCH_LEVEL || in_hardirq())
		return;
	if (irqs_disabled())
		local_irq_enable();
	if (new_irql < DISPATCH_LEVEL && softirq_count() &&
	    !in_serving_softirq())
		local_bh_enable();
}
EXPORT_SYMBOL_NTDMA(KeLowerIrql);

/**
 * ntdma_spin_lock_init() - make a KSPIN_LOCK ready, unlocked
 * @lock: the lock
 * @name: for lockdep
 * @key: for lockdep, one for each place that initialises locks
 *
 * Called by the KeInitializeSpinLock() macro.
 *
 * Context: any.
 */
void ntdma_spin_lock_init(PKSPIN_LOCK lock, const char *name,
			  struct lock_class_key *key)
{
	spin_lock_init(&lock->Lock);
	lockdep_set_class_and_name(&lock->Lock, key, name);
}
EXPORT_SYMBOL_NTDMA(ntdma_spin_lock_init);

/**
 * KeAcquireSpinLockRaiseToDpc() - raise to DISPATCH_LEVEL and take a lock
 * @lock: the lock
 *
 * Context: <= DISPATCH_LEVEL. Does not sleep, except as any spinlock_t of
 *	PREEMPT_RT does.
 * Return: the level found, for KeReleaseSpinLock().
 */
KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK lock) __acquires(lock)
{
	KIRQL old_irql = KeRaiseIrqlToDpcLevel();

	spin_lock(&lock->Lock);
	return old_irql;
}
EXPORT_SYMBOL_NTDMA(KeAcquireSpinLockRaiseToDpc);

/**
 * KeReleaseSpinLock() - release a lock and restore the level
 * @lock: the lock
 * @new_irql: the level before it was taken
 *
 * Context: DISPATCH_LEVEL.
 */
void KeReleaseSpinLock(PKSPIN_LOCK lock, KIRQL new_irql) __releases(lock)
{
	spin_unlock(&lock->Lock);
	KeLowerIrql(new_irql);
}
EXPORT_SYMBOL_NTDMA(KeReleaseSpinLock);

/**
 * KeAcquireSpinLockAtDpcLevel() - take a lock, leave the level
 * @lock: the lock
 *
 * Context: DISPATCH_LEVEL. Lower, it still excludes other processors, but a
 *	DPC of this processor that wants the lock never gets it.
 */
void KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock) __acquires(lock)
{
	spin_lock(&lock->Lock);
}
EXPORT_SYMBOL_NTDMA(KeAcquireSpinLockAtDpcLevel);

/**
 * KeReleaseSpinLockFromDpcLevel() - release a lock, leave the level
 * @lock: the lock
 *
 * Context: DISPATCH_LEVEL.
 */
void KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK lock) __releases(lock)
{
	spin_unlock(&lock->Lock);
}
EXPORT_SYMBOL_NTDMA(KeReleaseSpinLockFromDpcLevel);

/**
 * KeTryToAcquireSpinLockAtDpcLevel() - take a lock if it is free
 * @lock: the lock
 *
 * Context: DISPATCH_LEVEL.
 * Return: TRUE when the caller has the lock now.
 */
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock)
{
	int taken = spin_trylock(&lock->Lock);

	if (taken)
		__release(lock);	/* sparse: no function takes it sometimes */
	return taken;
}
EXPORT_SYMBOL_NTDMA(KeTryToAcquireSpinLockAtDpcLevel);

/**
 * ExInterlockedInsertHeadList() - put an entry first
 * @head: the list
 * @entry: the entry
 * @lock: protects the list
 *
 * Context: any; on PREEMPT_RT not with interrupts disabled.
 * Return: the former first entry, NULL when the list was empty.
 */
PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY head, PLIST_ENTRY entry,
					PKSPIN_LOCK lock)
{
	PLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(&lock->Lock, flags);
	first = IsListEmpty(head) ? NULL : head->Flink;
	InsertHeadList(head, entry);
	spin_unlock_irqrestore(&lock->Lock, flags);
	return first;
}
EXPORT_SYMBOL_NTDMA(ExInterlockedInsertHeadList);

/**
 * ExInterlockedInsertTailList() - put an entry last
 * @head: the list
 * @entry: the entry
 * @lock: protects the list
 *
 * Context: any; on PREEMPT_RT not with interrupts disabled.
 * Return: the former last entry, NULL when the list was empty.
 */
PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY head, PLIST_ENTRY entry,
					PKSPIN_LOCK lock)
{
	PLIST_ENTRY last;
	unsigned long flags;

	spin_lock_irqsave(&lock->Lock, flags);
	last = IsListEmpty(head) ? NULL : head->Blink;
	InsertTailList(head, entry);
	spin_unlock_irqrestore(&lock->Lock, flags);
	return last;
}
EXPORT_SYMBOL_NTDMA(ExInterlockedInsertTailList);

/**
 * ExInterlockedRemoveHeadList() - take the first entry
 * @head: the list
 * @lock: protects the list
 *
 * Context: any; on PREEMPT_RT not with interrupts disabled.
 * Return: the entry, NULL when the list is empty.
 */
PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY head, PKSPIN_LOCK lock)
{
	PLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(&lock->Lock, flags);
	first = IsListEmpty(head) ? NULL : RemoveHeadList(head);
	spin_unlock_irqrestore(&lock->Lock, flags);
	return first;
}
EXPORT_SYMBOL_NTDMA(ExInterlockedRemoveHeadList);

/**
 * RtlCompareMemory() - length of the equal part of two buffers
 * @left: one buffer
 * @right: the other buffer
 * @length: of both, in bytes
 *
 * Context: any.
 * Return: number of bytes before the first difference, @length when there is
 *	none.
 */
SIZE_T RtlCompareMemory(const VOID *left, const VOID *right, SIZE_T length)
{
	const u8 *a = left, *b = right;
	SIZE_T same = 0;

	while (same < length && a[same] == b[same])
		same++;
	return same;
}
EXPORT_SYMBOL_NTDMA(RtlCompareMemory);

/**
 * KeStallExecutionProcessor() - busy wait
 * @microseconds: at least this long
 *
 * Context: any.
 */
void KeStallExecutionProcessor(ULONG microseconds)
{
	u64 end = ktime_get_mono_fast_ns() + (u64)microseconds * NSEC_PER_USEC;

	/* udelay() takes small numbers only and may come back early. */
	for (; microseconds > USEC_PER_MSEC; microseconds -= USEC_PER_MSEC)
		udelay(USEC_PER_MSEC);
	udelay(microseconds);
	while (ktime_get_mono_fast_ns() < end)
		udelay(1);
}
EXPORT_SYMBOL_NTDMA(KeStallExecutionProcessor);

/**
 * KeQuerySystemTime() - wall clock
 * @current_time: receives the time since 1601, UTC, in units of 100 ns
 *
 * Context: any, but not in an NMI.
 */
void KeQuerySystemTime(PLARGE_INTEGER current_time)
{
	current_time->QuadPart = NTDMA_UNIX_EPOCH +
		div_u64(ktime_get_real_ns(), NTDMA_NSEC_PER_UNIT);
}
EXPORT_SYMBOL_NTDMA(KeQuerySystemTime);

/**
 * KeQueryInterruptTime() - time since the system started
 *
 * Context: any, but not in an NMI.
 * Return: the time in units of 100 ns, sleep states included.
 */
ULONGLONG KeQueryInterruptTime(void)
{
	return div_u64(ktime_get_boottime_ns(), NTDMA_NSEC_PER_UNIT);
}
EXPORT_SYMBOL_NTDMA(KeQueryInterruptTime);

/**
 * KeQueryPerformanceCounter() - time stamp for short intervals
 * @frequency: receives the counts per second, or NULL
 *
 * Context: any, but not in an NMI.
 * Return: the count; it never goes back.
 */
LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER frequency)
{
	LARGE_INTEGER count = { .QuadPart = KeQueryInterruptTime() };

	if (frequency)
		frequency->QuadPart = NTDMA_UNITS_PER_SEC;
	return count;
}
EXPORT_SYMBOL_NTDMA(KeQueryPerformanceCounter);

/**
 * KeGetCurrentProcessorNumber() - number of the running processor
 *
 * Context: any; below DISPATCH_LEVEL the answer may be old when it arrives.
 * Return: Linux' number of the processor.
 */
ULONG KeGetCurrentProcessorNumber(void)
{
	return raw_smp_processor_id();
}
EXPORT_SYMBOL_NTDMA(KeGetCurrentProcessorNumber);
