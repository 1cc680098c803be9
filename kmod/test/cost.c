// SPDX-License-Identifier: GPL-2.0
/*
 * Measuring: the median of several rounds, after some that only warm up
 * caches, free lists and IOVA magazines. The two sides take turns round by
 * round, so that both meet the machine in the same state. A round is short
 * against the period of the timer: an interrupt spoils few rounds, and the
 * median leaves them out.
 */
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include "cost.h"

#define WARM	4
#define ROUNDS	15	/* odd: one is in the middle */

/* Whether an IOMMU translates for the test device. */
bool cost_translated(struct nttest *t)
{
	return dma_get_merge_boundary(t->dev);
}

static bool run(bool (*part)(void *context, unsigned int turns), void *context,
		unsigned int turns)
{
	return !part || part(context, turns);
}

/* Nanoseconds of one round, 0 when something went wrong. */
static u64 measure(const struct cost *cost, const struct cost_side *side,
		   void *context)
{
	KIRQL irql = PASSIVE_LEVEL;
	u64 begin, end;
	bool ok;

	if (!run(side->prepare, context, cost->turns))
		return 0;
	if (cost->dispatch)
		irql = rig_raise();
	begin = ktime_get_raw_ns();
	ok = side->work(context, cost->turns);
	end = ktime_get_raw_ns();
	if (cost->dispatch)
		KeLowerIrql(irql);
	if (!run(side->finish, context, cost->turns))
		ok = false;
	cond_resched();
	return ok ? end - begin : 0;
}

static int by_size(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 median(u64 *times)
{
	sort(times, ROUNDS, sizeof(*times), by_size, NULL);
	return times[ROUNDS / 2];
}

static void report(struct nttest *t, const struct cost *cost, u64 ours,
		   u64 native)
{
	bool over = cost->limit && ours * 100 > native * cost->limit;
	u32 rest, limit;
	u64 ratio;

	ratio = div_u64_rem(div64_u64(ours * 100 + native / 2, native), 100,
			    &rest);
	limit = cost->limit;
	if (limit)
		nttest_note(t, "cost %s %llu %llu %llu.%02u %u.%02u %s",
			    cost->name, div_u64(ours, cost->turns),
			    div_u64(native, cost->turns), ratio, rest,
			    limit / 100, limit % 100, over ? "over" : "ok");
	else
		nttest_note(t, "cost %s %llu %llu %llu.%02u - figure",
			    cost->name, div_u64(ours, cost->turns),
			    div_u64(native, cost->turns), ratio, rest);
	EXPECT(t, !over);
}

/**
 * cost_compare() - measure both sides, report, and fail when over the limit
 * @t: the case
 * @cost: what to measure
 * @context: for its functions
 */
void cost_compare(struct nttest *t, const struct cost *cost, void *context)
{
	u64 ours[ROUNDS], native[ROUNDS];
	int i;

	for (i = -WARM; i < ROUNDS; i++) {
		int at = max(i, 0);

		native[at] = measure(cost, &cost->native, context);
		REQUIRE(t, native[at]);
		ours[at] = measure(cost, &cost->ours, context);
		REQUIRE(t, ours[at]);
	}
	report(t, cost, median(ours), median(native));
}
