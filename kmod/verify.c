// SPDX-License-Identifier: GPL-2.0
/*
 * What clients must not do.
 *
 * Model: a misuse that the routines notice anyway is refused and counted,
 * always. With the module parameter `verify` each is reported, too, with the
 * code that Windows' driver verifier has for it (bug check 0xE6), and checks
 * are made that cost something: adapter and IRQL of every call (checked.c),
 * objects left behind by PutDmaAdapter, and red zones: bytes beside common
 * buffers, beside transfers that are copied and behind lists, which are looked
 * at when those are freed.
 */
#include <linux/device.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "ntdma.h"
#include "trace.h"

#define NTDMA_RED	0xdb

DEFINE_STATIC_KEY_FALSE(ntdma_verify);

static atomic_long_t ntdma_refusals;
static atomic_long_t ntdma_rule_counts[NTDMA_RULES];

/* Clients make a mistake in a loop as often as once, each one of its own. */
static struct ratelimit_state ntdma_rule_limits[NTDMA_RULES] = {
	[0 ... NTDMA_RULES - 1] =
		RATELIMIT_STATE_INIT(ntdma_rule_limits,
				     DEFAULT_RATELIMIT_INTERVAL,
				     DEFAULT_RATELIMIT_BURST),
};

static const char *const ntdma_rule_names[NTDMA_RULES] = {
	[NTDMA_RULE_TOO_LONG] = "more bytes than mapped, or than registers take",
	[NTDMA_RULE_FREED_BUFFER] = "no such common buffer to free",
	[NTDMA_RULE_FREED_CHANNEL] = "no channel to free",
	[NTDMA_RULE_FREED_REGISTERS] = "no such map registers to free",
	[NTDMA_RULE_FREED_LIST] = "no such scatter/gather list to put",
	[NTDMA_RULE_LEFT_BUFFERS] = "adapter put with common buffers alive",
	[NTDMA_RULE_LEFT_CHANNEL] = "adapter put with its channel held",
	[NTDMA_RULE_LEFT_REGISTERS] = "adapter put with map registers alive",
	[NTDMA_RULE_LEFT_LISTS] = "adapter put with lists alive",
	[NTDMA_RULE_CHANNELS] = "device object waits for a channel already",
	[NTDMA_RULE_REGISTERS] = "more map registers than granted",
	[NTDMA_RULE_OVERRUN] = "written outside",
	[NTDMA_RULE_STILL_MAPPED] = "map registers freed before the flush",
	[NTDMA_RULE_LEFT_WAITERS] = "adapter put with requests waiting",
	[NTDMA_RULE_IRQL] = "called at the wrong level",
	[NTDMA_RULE_NO_REGISTERS] = "no such map registers to map with",
	[NTDMA_RULE_NOT_MAPPED] = "flush of what is not mapped",
	[NTDMA_RULE_DEAD_ADAPTER] = "adapter was put",
	[NTDMA_RULE_NO_ADAPTER] = "no adapter",
	[NTDMA_RULE_OUTSIDE_MDL] = "address outside the MDL",
	[NTDMA_RULE_MAPPED_TWICE] = "mapped again before the flush",
	[NTDMA_RULE_NOTHING_MAPPED] = "flush where nothing is mapped",
	[NTDMA_RULE_NO_LENGTH] = "transfer of no bytes",
	[NTDMA_RULE_FLUSHED_RUNNING] = "flush before the completion routine",
	[NTDMA_RULE_OUTSIDE_CHAIN] = "offset or length outside the MDLs",
	[NTDMA_RULE_VERSION] = "unknown version of a device description",
};

/**
 * ntdma_verify_set() - switch reports on or off
 * @on: which
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_verify_set(bool on)
{
	if (on)
		static_branch_enable(&ntdma_verify);
	else
		static_branch_disable(&ntdma_verify);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_verify_set);

static void ntdma_report(struct ntdma_adapter *adapter, enum ntdma_rule rule,
			 unsigned long caller)
{
	atomic_long_inc(&ntdma_rule_counts[rule]);
	trace_ntdma_misuse(adapter, rule);
	if (!ntdma_verifying() || !__ratelimit(&ntdma_rule_limits[rule]))
		return;
	dev_err(adapter ? adapter->dev : NULL,
		"verifier 0x%02x: %s (%ps, %s)\n", rule,
		ntdma_rule_names[rule], (void *)caller, current->comm);
}

/**
 * ntdma_refuse() - count a misuse that no rule of Windows names
 *
 * Context: any.
 */
void ntdma_refuse(void)
{
	atomic_long_inc(&ntdma_refusals);
}

/**
 * ntdma_misuse() - a misuse was refused
 * @adapter: whose client it was, or NULL
 * @rule: what it did
 *
 * Context: any.
 */
noinline void ntdma_misuse(struct ntdma_adapter *adapter, enum ntdma_rule rule)
{
	ntdma_refuse();
	ntdma_report(adapter, rule, _RET_IP_);
}

/**
 * ntdma_notice() - a misuse was noticed, and nothing was refused for it
 * @adapter: whose client it was, or NULL
 * @rule: what it did
 *
 * Context: any.
 */
noinline void ntdma_notice(struct ntdma_adapter *adapter, enum ntdma_rule rule)
{
	ntdma_report(adapter, rule, _RET_IP_);
}

/**
 * ntdma_red_fill() - make a red zone
 * @zone: its first byte
 * @size: in bytes
 *
 * Context: any.
 */
void ntdma_red_fill(void *zone, size_t size)
{
	memset(zone, NTDMA_RED, size);
}

/**
 * ntdma_red_intact() - whether nobody wrote to a red zone
 * @zone: its first byte
 * @size: in bytes
 *
 * Context: any.
 * Return: true when it is as it was made.
 */
bool ntdma_red_intact(const void *zone, size_t size)
{
	return !memchr_inv(zone, NTDMA_RED, size);
}

/**
 * ntdma_verify_level() - check that a routine runs at DISPATCH_LEVEL
 * @adapter: the adapter
 *
 * A lower level is tolerated, and reported when verifying.
 *
 * Context: any.
 */
noinline void ntdma_verify_level(struct ntdma_adapter *adapter)
{
	if (ntdma_verifying() && KeGetCurrentIrql() < DISPATCH_LEVEL)
		ntdma_report(adapter, NTDMA_RULE_IRQL, _RET_IP_);
}

/* Registers that are freed hold a controller's channel until it has stopped. */
static bool ntdma_verify_held(struct ntdma_adapter *adapter)
{
	return ntdma_channel_held(adapter) &&
	       (!adapter->engine || ntdma_handle_count(adapter, NTDMA_REGS));
}

/**
 * ntdma_verify_left() - report what an adapter leaves behind
 * @adapter: being put
 *
 * Context: <= DISPATCH_LEVEL.
 */
noinline void ntdma_verify_left(struct ntdma_adapter *adapter)
{
	if (!ntdma_verifying())
		return;
	if (ntdma_handle_count(adapter, NTDMA_BUFFER) ||
	    ntdma_handle_count(adapter, NTDMA_VECTOR) ||
	    ntdma_handle_count(adapter, NTDMA_LENT))
		ntdma_report(adapter, NTDMA_RULE_LEFT_BUFFERS, _RET_IP_);
	if (ntdma_verify_held(adapter))
		ntdma_report(adapter, NTDMA_RULE_LEFT_CHANNEL, _RET_IP_);
	if (ntdma_channel_waits(adapter, NULL))
		ntdma_report(adapter, NTDMA_RULE_LEFT_WAITERS, _RET_IP_);
	if (ntdma_handle_count(adapter, NTDMA_REGS))
		ntdma_report(adapter, NTDMA_RULE_LEFT_REGISTERS, _RET_IP_);
	if (ntdma_handle_count(adapter, NTDMA_LIST))
		ntdma_report(adapter, NTDMA_RULE_LEFT_LISTS, _RET_IP_);
}

/**
 * ntdma_refused() - number of misuses that were refused
 *
 * Context: any.
 * Return: count since the module was loaded.
 */
long ntdma_refused(void)
{
	return atomic_long_read(&ntdma_refusals);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_refused);

/**
 * ntdma_misused() - how often a rule was broken
 * @rule: one of enum ntdma_rule
 *
 * Context: any.
 * Return: count since the module was loaded.
 */
long ntdma_misused(unsigned int rule)
{
	return rule < NTDMA_RULES ?
	       atomic_long_read(&ntdma_rule_counts[rule]) : 0;
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_misused);
