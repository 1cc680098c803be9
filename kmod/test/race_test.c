// SPDX-License-Identifier: GPL-2.0
/*
 * Grant against cancel, as often as it takes.
 *
 * One thread takes and frees the channel as fast as it can. The other makes a
 * request and cancels it at once: either the cancel says that it came in time
 * and the routine never runs, or it says that it did not and the routine runs
 * once. In the end the numbers must add up.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include "../glue.h"
#include "rig.h"

#ifdef CONFIG_KASAN
#define RACES	10000
#else
#define RACES	1000000
#endif

/**
 * struct race - the two threads' business
 * @r: the adapter
 * @context: of the request
 * @owner: of the thread that takes and frees the channel
 * @held: how often it held the channel
 * @ran: how often the request's routine ran
 * @cancelled: how often the cancel came in time
 */
struct race {
	struct rig *r;
	u8 context[DMA_TRANSFER_CONTEXT_SIZE_V1];
	u8 owner[DMA_TRANSFER_CONTEXT_SIZE_V1];
	long held;
	long ran;
	long cancelled;
};

static IO_ALLOCATION_ACTION race_routine(PDEVICE_OBJECT object, PIRP irp,
					 PVOID base, PVOID context)
{
	struct race *race = context;

	WRITE_ONCE(race->ran, race->ran + 1);
	return DeallocateObject;
}

static int race_owner(void *data)
{
	struct race *race = data;
	struct rig *r = race->r;
	PVOID base;

	while (!kthread_should_stop()) {
		if (!r->ops->AllocateAdapterChannelEx(r->adapter, r->object,
						      race->owner, 1,
						      DMA_SYNCHRONOUS_CALLBACK,
						      NULL, NULL, &base)) {
			race->held++;
			cond_resched();
			r->ops->FreeAdapterChannel(r->adapter);
		}
		cond_resched();
	}
	return 0;
}

/* The grant may come from another thread, but it must come. */
static bool race_ran(const struct race *race, long before)
{
	unsigned long end = jiffies + msecs_to_jiffies(RIG_PATIENCE);

	while (READ_ONCE(race->ran) == before && time_before(jiffies, end))
		cond_resched();
	return READ_ONCE(race->ran) == before + 1;
}

static bool race_once(struct race *race)
{
	long before = race->ran;
	struct rig *r = race->r;

	if (r->ops->AllocateAdapterChannelEx(r->adapter, r->object,
					     race->context, 1, 0, race_routine,
					     race, NULL))
		return false;
	if (r->ops->CancelAdapterChannel(r->adapter, r->object,
					 race->context)) {
		race->cancelled++;
		return READ_ONCE(race->ran) == before;
	}
	return race_ran(race, before);
}

static void cancel_race(struct nttest *t, struct rig *r)
{
	struct race *race = kzalloc(sizeof(*race), GFP_KERNEL);
	struct task_struct *owner;
	long i;

	REQUIRE(t, race);
	race->r = r;
	r->ops->InitializeDmaTransferContext(r->adapter, race->context);
	r->ops->InitializeDmaTransferContext(r->adapter, race->owner);
	owner = kthread_run(race_owner, race, "ntdma-race");
	if (EXPECT(t, !IS_ERR(owner))) {
		for (i = 0; i < RACES / 2; i++)
			if (!EXPECT(t, race_once(race)))
				break;
		kthread_stop(owner);
		EXPECT_EQ(t, race->ran + race->cancelled, RACES / 2);
		nttest_note(t, "%ld granted, %ld cancelled, held %ld times",
			    race->ran, race->cancelled, race->held);
	}
	kfree(race);
}

static const struct nttest_case cases[] = {
	{ "S15 grant against cancel", .run_on = cancel_race,
	  .kinds = rig_lists },
	{ }
};

const struct nttest_suite nttest_race = {
	.name = "race",
	.cases = cases,
};
