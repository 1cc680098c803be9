// SPDX-License-Identifier: GPL-2.0
/*
 * Grant against cancel, as often as it takes.
 *
 * In each round one thread takes the channel, makes a request, which has to wait,
 * and cancels it while another one may free the channel: either the cancel says
 * that it came in time and the routine never runs, or it says that it did not and
 * the routine runs once. In the end the numbers must add up, and all registers
 * must be there.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
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
 * @owner: of who takes the channel
 * @armed: the channel is to be freed by whoever clears this
 * @met: how often the other thread did
 * @ran: how often the request's routine ran
 * @cancelled: how often the cancel came in time
 */
struct race {
	struct rig *r;
	u8 context[DMA_TRANSFER_CONTEXT_SIZE_V1];
	u8 owner[DMA_TRANSFER_CONTEXT_SIZE_V1];
	bool armed;
	long met;
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

static bool race_free(struct race *race)
{
	if (!READ_ONCE(race->armed) || !xchg(&race->armed, false))
		return false;
	race->r->ops->FreeAdapterChannel(race->r->adapter);
	return true;
}

static int race_thread(void *data)
{
	struct race *race = data;

	while (!kthread_should_stop()) {
		if (race_free(race))
			WRITE_ONCE(race->met, race->met + 1);
		cpu_relax();
		cond_resched();
	}
	return 0;
}

static unsigned long race_patience(void)
{
	return jiffies + msecs_to_jiffies(RIG_PATIENCE);
}

/* The other thread may be about to free what the round before has left. */
static bool race_take(struct race *race, ULONG registers)
{
	unsigned long end = race_patience();
	struct rig *r = race->r;
	PVOID base;

	while (r->ops->AllocateAdapterChannelEx(r->adapter, r->object,
						race->owner, registers,
						DMA_SYNCHRONOUS_CALLBACK, NULL,
						NULL, &base)) {
		if (time_after(jiffies, end))
			return false;
		cpu_relax();
		cond_resched();
	}
	return true;
}

/* The grant may come from another thread, but it must come. */
static bool race_ran(const struct race *race, long before)
{
	unsigned long end = race_patience();

	while (READ_ONCE(race->ran) == before && time_before(jiffies, end)) {
		cpu_relax();
		cond_resched();
	}
	return READ_ONCE(race->ran) == before + 1;
}

/*
 * Each way in turn: the cancel comes first unless the other thread is quick; it
 * has a moment; the channel is free before.
 */
static bool race_once(struct race *race, long round)
{
	long before = race->ran;
	struct rig *r = race->r;
	bool said;

	if (!race_take(race, 1) ||
	    r->ops->AllocateAdapterChannelEx(r->adapter, r->object,
					     race->context, 1, 0, race_routine,
					     race, NULL) ||
	    READ_ONCE(race->ran) != before)
		return false;
	/* From here on the channel may be freed. */
	smp_store_release(&race->armed, true);
	if (round % 4 == 3) {
		race_free(race);
	} else if (round % 2) {
		cpu_relax();
		cond_resched();
	}
	said = r->ops->CancelAdapterChannel(r->adapter, r->object,
					    race->context);
	race_free(race);
	if (!said)
		return race_ran(race, before);
	race->cancelled++;
	return READ_ONCE(race->ran) == before;
}

static void race_rounds(struct nttest *t, struct race *race)
{
	unsigned long end = race_patience();
	long i = 0;

	/* More of them until the other thread has taken part. */
	while (i < RACES / 2 ||
	       (!READ_ONCE(race->met) && time_before(jiffies, end)))
		if (!EXPECT(t, race_once(race, i++)))
			break;
	EXPECT_EQ(t, race->ran + race->cancelled, i);
	EXPECT(t, race->ran > 0 && race->cancelled > 0);
	EXPECT(t, READ_ONCE(race->met) > 0);
}

/* Were any registers lost, one of these would have to wait for ever. */
static void race_complete(struct nttest *t, struct race *race)
{
	struct rig *r = race->r;
	int i;

	for (i = 0; i < 40; i++) {
		REQUIRE(t, race_take(race, r->registers));
		r->ops->FreeAdapterChannel(r->adapter);
	}
}

static void cancel_race(struct nttest *t, struct rig *r)
{
	struct race *race = kzalloc(sizeof(*race), GFP_KERNEL);
	struct task_struct *thread;

	REQUIRE(t, race);
	race->r = r;
	r->ops->InitializeDmaTransferContext(r->adapter, race->context);
	r->ops->InitializeDmaTransferContext(r->adapter, race->owner);
	thread = kthread_run(race_thread, race, "ntdma-race");
	if (EXPECT(t, !IS_ERR(thread))) {
		race_rounds(t, race);
		kthread_stop(thread);
		race_complete(t, race);
		nttest_note(t, "%ld granted, %ld cancelled, freed by the other thread %ld times",
			    race->ran, race->cancelled, race->met);
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
