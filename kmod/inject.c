// SPDX-License-Identifier: GPL-2.0
/*
 * Failures on demand, so that error paths are tested on stock kernels too.
 *
 * Every allocation and every mapping of a transfer asks here first, or leaves
 * what it does to somebody who asks; that a controller's driver prepares a
 * transfer counts as a mapping. Disarmed, that is one read of a variable nobody
 * writes.
 */
#include <linux/slab.h>

#include "ntdma.h"

int ntdma_fail_mode;		/* as ntdma_fail_nth(), 1 for any nth */
static atomic_t ntdma_fail_left;
static bool ntdma_fail_seen;
static bool ntdma_fail_later;
static void (*ntdma_fail_hook)(void);

/**
 * ntdma_fail_nth() - arrange a failure
 * @nth: the nth allocation or mapping from now fails, once; 0 for none;
 *	-1 for every allocation, but no mapping; -2 for every mapping, but no
 *	allocation
 *
 * Context: any; tests only.
 */
void ntdma_fail_nth(int nth)
{
	WRITE_ONCE(ntdma_fail_mode, 0);
	WRITE_ONCE(ntdma_fail_seen, false);
	atomic_set(&ntdma_fail_left, max(nth, 0));
	WRITE_ONCE(ntdma_fail_mode, clamp(nth, -2, 1));
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_fail_nth);

/**
 * ntdma_fail_hit() - whether the arranged failure happened
 *
 * Context: any; tests only.
 * Return: true once something failed by arrangement.
 */
bool ntdma_fail_hit(void)
{
	return READ_ONCE(ntdma_fail_seen);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_fail_hit);

/**
 * ntdma_fail_call() - do something while something fails
 * @hook: called where an arranged failure happens, in any context; NULL for none
 *
 * Context: any; tests only. It may still be running when this returns.
 */
void ntdma_fail_call(void (*hook)(void))
{
	WRITE_ONCE(ntdma_fail_hook, hook);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_fail_call);

/**
 * ntdma_fail_expect() - whether mappings of new adapters are going to fail
 * @on: adapters prepare for it from now on, on every back end
 *
 * Where real mappings cannot fail, adapters set nothing aside for it.
 *
 * Context: any; tests only.
 */
void ntdma_fail_expect(bool on)
{
	WRITE_ONCE(ntdma_fail_later, on);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_fail_expect);

/**
 * ntdma_fail_expected() - asked when an adapter is made
 *
 * Context: any.
 * Return: what ntdma_fail_expect() said last.
 */
bool ntdma_fail_expected(void)
{
	return READ_ONCE(ntdma_fail_later);
}

static bool ntdma_fail_now(int mode)
{
	void (*hook)(void);

	if (mode > 0 && atomic_dec_return(&ntdma_fail_left) != 0)
		return false;
	WRITE_ONCE(ntdma_fail_seen, true);
	hook = READ_ONCE(ntdma_fail_hook);
	if (hook)
		hook();
	return true;
}

/**
 * ntdma_fail_alloc() - asked before memory is allocated
 *
 * Context: any.
 * Return: true when the allocation must fail.
 */
bool ntdma_fail_alloc(void)
{
	int mode = READ_ONCE(ntdma_fail_mode);

	return unlikely(mode && mode != -2) && ntdma_fail_now(mode);
}

/**
 * ntdma_fail_armed() - ntdma_fail_map() while something is arranged
 * @mode: what
 *
 * Context: any.
 * Return: true when the mapping must fail.
 */
bool ntdma_fail_armed(int mode)
{
	return mode != -1 && ntdma_fail_now(mode);
}

/**
 * ntdma_alloc() - zeroed memory
 * @size: in bytes
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Context: as @gfp says.
 * Return: the memory, NULL when there is none; never warns.
 */
void *ntdma_alloc(size_t size, gfp_t gfp)
{
	return ntdma_fail_alloc() ? NULL : kzalloc(size, gfp | __GFP_NOWARN);
}

/**
 * ntdma_free() - free memory of ntdma_alloc()
 * @memory: the memory, or NULL
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_free(void *memory)
{
	kfree(memory);
}
