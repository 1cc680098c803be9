// SPDX-License-Identifier: GPL-2.0
/*
 * AllocateAdapterChannelEx, FreeAdapterObject and CancelAdapterChannel:
 * contract section D, scenarios S15 and S16.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

#define SYNC	DMA_SYNCHRONOUS_CALLBACK

static NTSTATUS call(struct request *q, ULONG flags, PDRIVER_CONTROL routine,
		     PVOID *base)
{
	struct rig *r = q->r;
	KIRQL old = rig_raise();
	NTSTATUS status;

	status = r->ops->AllocateAdapterChannelEx(r->adapter, q->from, q->context,
						  q->registers, flags, routine, q,
						  base);
	q->early = atomic_read(&q->calls);
	KeLowerIrql(old);
	return status;
}

static bool cancel(struct request *q)
{
	struct rig *r = q->r;

	if (!r->ops->CancelAdapterChannel(r->adapter, q->from, q->context))
		return false;
	q->queued = false;
	return true;
}

/* The adapter is free: a request for all registers runs at once. */
static void expect_free(struct rig *r)
{
	struct request *q = request_channel(r, r->registers, DeallocateObject);

	if (!q)
		return;
	EXPECT_EQ(r->t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	EXPECT_EQ(r->t, q->early, 1);
	request_ran(q);
	request_free(q);
}

static void refuse_form(struct rig *r, ULONG flags, PDRIVER_CONTROL routine,
			bool with_base)
{
	struct request *q = request_channel(r, 1, DeallocateObject);
	PVOID base = NULL;

	if (!q)
		return;
	EXPECT_EQ(r->t, call(q, flags, routine, with_base ? &base : NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(r->t, atomic_read(&q->calls), 0);
	EXPECT(r->t, !base);
	expect_free(r);
	EXPECT_EQ(r->t, atomic_read(&q->calls), 0);
	/* The context is free for a proper request. */
	EXPECT_EQ(r->t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	request_ran(q);
}

static void ec_55(struct nttest *t, struct rig *r)
{
	refuse_form(r, 0, NULL, false);
	refuse_form(r, 0, NULL, true);
}

static void ec_56(struct nttest *t, struct rig *r)
{
	refuse_form(r, 0, request_channel_routine, true);
}

static void ec_57(struct nttest *t, struct rig *r)
{
	refuse_form(r, SYNC, NULL, false);
}

static void ec_58(struct nttest *t, struct rig *r)
{
	static const IO_ALLOCATION_ACTION actions[] = {
		DeallocateObject, DeallocateObjectKeepRegisters, KeepObject,
	};
	struct request *q;
	int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		q = request_channel(r, 2, actions[i]);
		REQUIRE(t, q);
		EXPECT_EQ(t, call(q, SYNC, request_channel_routine, NULL),
			  STATUS_SUCCESS);
		REQUIRE(t, q->early == 1);
		EXPECT(t, q->thread == current);
		request_ran(q);
		request_release(q);
		expect_free(r);
	}
}

/* The handle is stored before the routine runs. */
static void compare_base(struct request *q)
{
	EXPECT(q->r->t, *(PVOID *)q->arg == q->base);
}

static void ec_59(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 2, DeallocateObjectKeepRegisters);
	PVOID base = &base;

	REQUIRE(t, q);
	q->hook = compare_base;
	q->arg = &base;
	EXPECT_EQ(t, call(q, SYNC, request_channel_routine, &base), STATUS_SUCCESS);
	REQUIRE(t, q->early == 1);
	EXPECT(t, base == q->base);
	request_release(q);
	expect_free(r);
}

static void ec_60(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, 1, DeallocateObject);
	PVOID base = &base;

	REQUIRE(t, held && q);
	EXPECT_EQ(t, call(q, SYNC, request_channel_routine, NULL),
		  STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, call(q, SYNC, NULL, &base), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, call(q, SYNC, request_channel_routine, &base),
		  STATUS_INSUFFICIENT_RESOURCES);
	request_release(held);
	expect_free(r);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT_EQ(t, call(q, SYNC, request_channel_routine, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&q->calls), 1);
}

static void ec_61(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 0, DeallocateObjectKeepRegisters);

	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	REQUIRE(t, request_ran(q));
	request_release(q);
	EXPECT_EQ(t, request_allocate_sync(q), STATUS_SUCCESS);
	request_release(q);
	expect_free(r);
}

static void ec_62(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, r->registers + 1, DeallocateObject);
	PVOID base = NULL;

	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, request_allocate_ex(q, SYNC), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, call(q, SYNC, NULL, &base), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT(t, !base);
	q->registers = 0xffffffff;
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	expect_free(r);
}

/* @n requests of one device object waiting behind a holder. */
static struct request *queue(struct rig *r, struct request **q, int n,
			     IO_ALLOCATION_ACTION action)
{
	struct request *held = request_hold(r);
	int i;

	for (i = 0; held && i < n; i++) {
		q[i] = request_channel(r, 1, action);
		if (!q[i] ||
		    !EXPECT_EQ(r->t, request_allocate_ex(q[i], 0), STATUS_SUCCESS) ||
		    !EXPECT_EQ(r->t, atomic_read(&q[i]->calls), 0))
			return NULL;
	}
	return held;
}

static void ec_63(struct nttest *t, struct rig *r)
{
	struct request *q[3], *held = queue(r, q, 3, KeepObject);
	int i;

	REQUIRE(t, held);
	request_release(held);
	for (i = 0; i < 3; i++) {
		REQUIRE(t, request_ran(q[i]));
		EXPECT_EQ(t, q[i]->turn, i + 2);
		request_release(q[i]);
	}
}

static void ec_64(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 2, DeallocateObjectKeepRegisters);
	int i;

	REQUIRE(t, q);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(t, request_allocate_ex(q, i & 1 ? SYNC : 0),
			  STATUS_SUCCESS);
		REQUIRE(t, request_ran(q));
		request_release(q);
	}
}

static void ec_65(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObject);
	PDEVICE_OBJECT fdo = ntdma_device_create(t->dev, 16);

	REQUIRE(t, q && fdo);
	fdo->CurrentIrp = &r->irp;
	q->from = fdo;
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	request_ran(q);
	ntdma_device_destroy(fdo);
}

/* A synchronous owner, and one that waits for it. */
static bool own_and_wait(struct rig *r, struct request **owner,
			 struct request **waiter)
{
	*owner = request_channel(r, 2, KeepObject);
	*waiter = request_channel(r, 1, DeallocateObject);
	return *owner && *waiter &&
	       EXPECT_EQ(r->t, request_allocate_sync(*owner), STATUS_SUCCESS) &&
	       EXPECT_EQ(r->t, request_allocate_ex(*waiter, 0), STATUS_SUCCESS) &&
	       EXPECT_EQ(r->t, atomic_read(&(*waiter)->calls), 0);
}

static void ec_66(struct nttest *t, struct rig *r)
{
	struct request *owner, *waiter;

	REQUIRE(t, own_and_wait(r, &owner, &waiter));
	r->ops->FreeAdapterObject(r->adapter, KeepObject);
	EXPECT_EQ(t, atomic_read(&waiter->calls), 0);
	request_release(owner);
	request_ran(waiter);
}

static void ec_67(struct nttest *t, struct rig *r)
{
	struct request *owner, *waiter;
	int i;

	REQUIRE(t, own_and_wait(r, &owner, &waiter));
	owner->held = DeallocateObject;
	r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
	request_ran(waiter);
	expect_free(r);
	/* Were registers lost each time, no pool would have enough. */
	owner->registers = r->registers;
	for (i = 0; i < 40; i++) {
		REQUIRE(t, request_allocate_sync(owner) == STATUS_SUCCESS);
		owner->held = DeallocateObject;
		r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
	}
	expect_free(r);
}

static void ec_68(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, PAGE_SIZE);
	u8 room[sizeof(SCATTER_GATHER_LIST) + sizeof(SCATTER_GATHER_ELEMENT)]
		__aligned(8);
	PSCATTER_GATHER_LIST list = (void *)room;
	struct request *owner, *waiter;
	u8 image[100], seen[100];
	ULONG length = 100;

	REQUIRE(t, b && own_and_wait(r, &owner, &waiter));
	owner->held = DeallocateObjectKeepRegisters;
	r->ops->FreeAdapterObject(r->adapter, DeallocateObjectKeepRegisters);
	request_ran(waiter);
	/* Nobody owns the channel now: what is kept stays. */
	r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
	pattern_fill(image, sizeof(image), 68);
	mdl_store(b->mdl, 0, image, sizeof(image));
	EXPECT_EQ(t, STATUS_SUCCESS,
		  r->ops->MapTransferEx(r->adapter, b->mdl, owner->base, 0, 0, &length,
					TRUE, list, sizeof(room), NULL, NULL));
	if (EXPECT_EQ(t, length, 100) &&
	    EXPECT_EQ(t, list->NumberOfElements, 1) &&
	    EXPECT_EQ(t, bus_read_list(&r->bus, list, seen, sizeof(seen)), 100))
		pattern_same(t, "the device", seen, image, sizeof(seen));
	EXPECT_EQ(t, STATUS_SUCCESS,
		  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl, owner->base, 0,
						length, TRUE));
	request_release(owner);
}

static void ec_69(struct nttest *t, struct rig *r)
{
	static const IO_ALLOCATION_ACTION actions[] = {
		KeepObject, DeallocateObject, DeallocateObjectKeepRegisters,
	};
	long refused = ntdma_refused();
	int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		r->ops->FreeAdapterObject(r->adapter, actions[i]);
		expect_free(r);
	}
	EXPECT_EQ(t, ntdma_refused(), refused);
}

static void ec_70(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, KeepObject);
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, PAGE_SIZE);
	long live = ntdma_live_objects();

	REQUIRE(t, q && b);
	EXPECT_EQ(t, request_allocate_sync(q), STATUS_SUCCESS);
	q->held = DeallocateObject;
	r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
	EXPECT_EQ(t, ntdma_live_objects(), live);
	request_transfer(r, b->mdl, 0, b->length, true, BY_GET_EX);
}

/* After the synchronous form FreeAdapterChannel releases as well. */
static void s10_free_channel(struct nttest *t, struct rig *r)
{
	struct request *owner, *waiter;

	REQUIRE(t, own_and_wait(r, &owner, &waiter));
	request_release(owner);
	request_ran(waiter);
	expect_free(r);
}

/* Maps, moves and flushes at PASSIVE_LEVEL, in a thread of its own. */
static int use_thread(void *arg)
{
	struct request *q = arg;
	ULONG at, done;

	for (at = 0; at < q->length; at += done) {
		done = piece_map_ex(q, at, q->length - at, 8);
		if (!done)
			break;
		piece_flush_ex(q, at, done);
	}
	complete(&q->done);
	return at == q->length ? 0 : -EIO;
}

static void s10_thread(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x123, 5 * PAGE_SIZE);
	const unsigned long patience = msecs_to_jiffies(RIG_PATIENCE);
	struct task_struct *thread;
	struct request *q;
	int dir;

	REQUIRE(t, b);
	for (dir = 0; dir < 2; dir++) {
		q = request_new(r, b->mdl, 0, b->length, dir);
		REQUIRE(t, q);
		q->registers = mdl_pages(b->mdl, 0, b->length);
		REQUIRE(t, request_allocate_sync(q) == STATUS_SUCCESS);
		thread = kthread_create(use_thread, q, "nttest_use");
		REQUIRE(t, !IS_ERR(thread));
		get_task_struct(thread);
		wake_up_process(thread);
		EXPECT(t, wait_for_completion_timeout(&q->done, patience));
		EXPECT_EQ(t, kthread_stop(thread), 0);
		put_task_struct(thread);
		request_check_memory(q);
		q->held = DeallocateObject;
		r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
		expect_free(r);
	}
}

static void ec_71(struct nttest *t, struct rig *r)
{
	struct request *q[1], *held = queue(r, q, 1, DeallocateObject);

	REQUIRE(t, held);
	EXPECT(t, cancel(q[0]));
	request_release(held);
	expect_free(r);
	EXPECT_EQ(t, atomic_read(&q[0]->calls), 0);
}

/* The context is without a request then, and the next one with it fails. */
static void cancel_again(struct nttest *t, struct rig *r)
{
	struct request *q[1], *held = queue(r, q, 1, DeallocateObject);

	REQUIRE(t, held);
	EXPECT(t, cancel(q[0]));
	EXPECT(t, cancel(q[0]));
	EXPECT_EQ(t, request_allocate_ex(q[0], 0), STATUS_CANCELLED);
	request_release(held);
	expect_free(r);
	EXPECT_EQ(t, request_allocate_ex(q[0], 0), STATUS_CANCELLED);
	EXPECT_EQ(t, STATUS_SUCCESS,
		  r->ops->InitializeDmaTransferContext(r->adapter, q[0]->context));
	EXPECT_EQ(t, request_allocate_ex(q[0], 0), STATUS_SUCCESS);
	request_ran(q[0]);
}

static void ec_72(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObjectKeepRegisters);

	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	REQUIRE(t, request_ran(q));
	EXPECT(t, !cancel(q));
	request_release(q);
}

static void cancel_inside(struct request *q)
{
	EXPECT(q->r->t, !cancel(q));
}

static void ec_72_inside(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObject);

	REQUIRE(t, q);
	q->hook = cancel_inside;
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	request_ran(q);
}

#define ROUNDS		600

/**
 * struct race - two threads that act on one request at the same time
 * @q: the request
 * @go: round that may start
 * @done: round that the other thread finished
 * @cancelled: what its cancel said
 */
struct race {
	struct request *q;
	int go;
	int done;
	bool cancelled;
};

static int race_thread(void *arg)
{
	struct race *race = arg;
	int round = 0;

	while (!kthread_should_stop()) {
		/* Pairs with the release of go. */
		if (smp_load_acquire(&race->go) == round) {
			cond_resched();
			continue;
		}
		race->cancelled = cancel(race->q);
		/* Publishes what cancel said. */
		smp_store_release(&race->done, ++round);
	}
	return 0;
}

static void race_round(struct rig *r, struct race *race, int round)
{
	struct request *q = race->q, *held = request_hold(r);

	if (!held || !EXPECT_EQ(r->t, request_allocate_ex(q, 0), STATUS_SUCCESS))
		return;
	/* Publishes the request of this round. */
	smp_store_release(&race->go, round);
	udelay(round % 32 * 4);
	request_release(held);
	/* Pairs with the release of done. */
	while (smp_load_acquire(&race->done) != round)
		cond_resched();
	if (!race->cancelled)
		request_ran(q);
	EXPECT_EQ(r->t, race->cancelled + atomic_read(&q->calls), 1);
	request_free(held);
}

static void ec_73(struct nttest *t, struct rig *r)
{
	struct race race = { .q = request_channel(r, 1, DeallocateObject) };
	struct task_struct *thread;
	int round, cancelled = 0;

	REQUIRE(t, race.q);
	thread = kthread_run(race_thread, &race, "nttest_race");
	REQUIRE(t, !IS_ERR(thread));
	for (round = 1; round <= ROUNDS && !t->failed; round++) {
		race_round(r, &race, round);
		cancelled += race.cancelled;
	}
	kthread_stop(thread);
	nttest_note(t, "%d of %d cancelled", cancelled, ROUNDS);
	expect_free(r);
}

static void ec_74(struct nttest *t, struct rig *r)
{
	struct request *q[1], *held = queue(r, q, 1, DeallocateObject);

	REQUIRE(t, held);
	EXPECT(t, cancel(q[0]));
	request_free(q[0]);
	request_release(held);
	expect_free(r);
}

static void ec_75(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObject);
	PVOID base = NULL;

	REQUIRE(t, q);
	EXPECT(t, cancel(q));
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_CANCELLED);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT_EQ(t, r->ops->InitializeDmaTransferContext(r->adapter, q->context),
		  STATUS_SUCCESS);
	EXPECT(t, cancel(q));
	EXPECT_EQ(t, call(q, SYNC, NULL, &base), STATUS_CANCELLED);
	EXPECT(t, !base);
	expect_free(r);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

/* The context is without a request: it is marked, and the next one fails. */
static void expect_marked(struct request *q)
{
	struct rig *r = q->r;

	EXPECT(r->t, cancel(q));
	EXPECT_EQ(r->t, request_allocate_ex(q, 0), STATUS_CANCELLED);
	EXPECT_EQ(r->t, atomic_read(&q->calls), 0);
	EXPECT_EQ(r->t, STATUS_SUCCESS,
		  r->ops->InitializeDmaTransferContext(r->adapter, q->context));
}

/* What was refused has left no request behind. */
static void after_refusal(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 3 * PAGE_SIZE);
	struct request *held = request_hold(r), *q;

	REQUIRE(t, b && held);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	q->registers = 1;
	EXPECT_EQ(t, call(q, SYNC, request_channel_routine, NULL),
		  STATUS_INSUFFICIENT_RESOURCES);
	expect_marked(q);
	EXPECT_EQ(t, request_submit(q, BY_GET_SYNC), STATUS_INSUFFICIENT_RESOURCES);
	expect_marked(q);
	request_release(held);
	ntdma_fail_nth(-2);
	if (request_submit(q, BY_GET_SYNC) != STATUS_SUCCESS) {
		expect_marked(q);
	} else {
		r->ops->FreeAdapterObject(r->adapter,
					  DeallocateObjectKeepRegisters);
		request_put(q);
	}
	ntdma_fail_nth(0);
	expect_free(r);
}

static void s16_clear(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObject);

	REQUIRE(t, q);
	EXPECT(t, cancel(q));
	EXPECT_EQ(t, r->ops->InitializeDmaTransferContext(r->adapter, q->context),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	EXPECT(t, request_ran(q));
}

static void s16_lists(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, PAGE_SIZE);
	enum producer how;

	REQUIRE(t, b);
	for (how = BY_GET_EX; how < PRODUCERS; how++) {
		struct request *q = request_new(r, b->mdl, 0, b->length, true);

		REQUIRE(t, q);
		EXPECT(t, cancel(q));
		EXPECT_EQ(t, request_submit(q, how), STATUS_CANCELLED);
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
		EXPECT(t, !q->list);
	}
	expect_free(r);
}

/* Nobody looks again at what a cancelled request has left with the client. */
static void spoil(struct request *q)
{
	memset(q->context, 0xff, DMA_TRANSFER_CONTEXT_SIZE_V1);
	if (q->room)
		memset(q->room, 0xff, q->size);
}

/* A list that waits between two others; cancelled, the two run in order. */
static void cancel_list(struct rig *r, struct buffer *b, enum producer how)
{
	struct request *held = request_hold(r), *q[3];
	struct nttest *t = r->t;
	long live = ntdma_live_objects();
	int i;

	REQUIRE(t, held);
	for (i = 0; i < 3; i++) {
		q[i] = i == 1 ? request_new(r, b->mdl, 0, b->length, true) :
				request_channel(r, 1, KeepObject);
		REQUIRE(t, q[i]);
		EXPECT_EQ(t, i == 1 ? request_submit(q[i], how) :
				      request_allocate_ex(q[i], 0),
			  STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&q[i]->calls), 0);
	}
	EXPECT(t, cancel(q[1]));
	spoil(q[1]);
	EXPECT_EQ(t, ntdma_live_objects(), live);
	request_release(held);
	for (i = 0; i < 3; i += 2) {
		REQUIRE(t, request_ran(q[i]));
		EXPECT_EQ(t, q[i]->turn, held->turn + 1 + i / 2);
		request_release(q[i]);
	}
	expect_free(r);
	EXPECT_EQ(t, atomic_read(&q[1]->calls), 0);
	/* The same request once more, to its end. */
	EXPECT_EQ(t, r->ops->InitializeDmaTransferContext(r->adapter,
							  q[1]->context),
		  STATUS_SUCCESS);
	REQUIRE(t, request_list(q[1], how));
	request_move(q[1]);
	request_put(q[1]);
}

static void ec_76(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, PAGE_SIZE);

	REQUIRE(t, b);
	cancel_list(r, b, BY_GET_EX);
	cancel_list(r, b, BY_BUILD_EX);
}

/* A cancel while a mapping fails. */

/**
 * struct failing - who is cancelled, and what it was told
 * @q: the request
 * @said: what its cancel said
 * @entered: somebody cancels it
 * @left: it was cancelled
 */
static struct failing {
	struct request *q;
	bool said;
	bool entered;
	struct completion left;
} failing;

static void cancel_failing(void)
{
	if (xchg(&failing.entered, true))
		return;
	failing.said = cancel(failing.q);
	complete(&failing.left);
}

static void failing_begin(struct request *q)
{
	failing.q = q;
	failing.entered = false;
	init_completion(&failing.left);
	ntdma_fail_call(cancel_failing);
}

/* A list that must wait since nothing can be mapped, or NULL. */
static struct request *unmapped(struct rig *r, bool from_first)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 2 * PAGE_SIZE);
	struct request *q = b ? request_new(r, b->mdl, 0, b->length, true) : NULL;

	if (!q)
		return NULL;
	if (from_first)
		failing_begin(q);
	ntdma_fail_nth(-2);
	EXPECT_EQ(r->t, request_submit(q, BY_GET_EX), STATUS_SUCCESS);
	if (!atomic_read(&q->calls))
		return q;
	ntdma_fail_call(NULL);
	request_put(q);
	nttest_skip(r->t, "every page is copied");
	return NULL;
}

/* Told that it will run, whoever asks again is told the same, and it does. */
static void promised(struct request *q)
{
	const unsigned long patience = msecs_to_jiffies(RIG_PATIENCE);
	struct nttest *t = q->r->t;
	int i;

	EXPECT(t, wait_for_completion_timeout(&failing.left, patience));
	ntdma_fail_call(NULL);
	EXPECT(t, !failing.said);
	for (i = 0; i < 5; i++) {
		EXPECT(t, !cancel(q));
		msleep(20);
	}
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	/* The context is in use as long as that. */
	EXPECT_EQ(t, call(q, 0, request_channel_routine, NULL),
		  STATUS_INVALID_PARAMETER);
	ntdma_fail_nth(0);
	REQUIRE(t, request_ran(q));
	EXPECT(t, !cancel(q));
	request_check_list(q);
	request_move(q);
	request_put(q);
	/* And free again then. */
	REQUIRE(t, request_list(q, BY_GET_EX));
	request_put(q);
	expect_free(q->r);
}

static void cancel_retry(struct nttest *t, struct rig *r)
{
	struct request *q = unmapped(r, false);

	if (!q)
		return;
	failing_begin(q);
	promised(q);
}

static void cancel_first(struct nttest *t, struct rig *r)
{
	struct request *q = unmapped(r, true);

	if (q)
		promised(q);
}

/* Between two tries it waits like any other; it may be just being tried. */
static void cancel_unmapped(struct nttest *t, struct rig *r)
{
	bool said = false;
	struct request *q;
	int i;

	for (i = 0; i < 20 && !said; i++) {
		q = unmapped(r, false);
		if (!q)
			return;
		said = cancel(q);
		if (said)
			spoil(q);
		ntdma_fail_nth(0);
		if (!said) {
			REQUIRE(t, request_ran(q));
			request_put(q);
		}
	}
	EXPECT(t, said);
	expect_free(r);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

/* Cancels the waiters in @mask, from the back; the others run in order. */
static void cancel_some(struct rig *r, unsigned int mask)
{
	struct request *q[3], *held = queue(r, q, 3, KeepObject);
	int i, turn;

	if (!EXPECT(r->t, held))
		return;
	for (i = 2; i >= 0; i--) {
		if (!(mask & BIT(i)))
			continue;
		EXPECT(r->t, cancel(q[i]));
		spoil(q[i]);
	}
	turn = held->turn;
	request_release(held);
	for (i = 0; i < 3; i++) {
		if (mask & BIT(i))
			continue;
		if (!request_ran(q[i]))
			return;
		EXPECT_EQ(r->t, q[i]->turn, ++turn);
		EXPECT_EQ(r->t, atomic_read(&r->turns), turn);
		request_release(q[i]);
	}
	expect_free(r);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(r->t, atomic_read(&q[i]->calls), !(mask & BIT(i)));
}

static void ec_77(struct nttest *t, struct rig *r)
{
	unsigned int mask;

	cancel_some(r, BIT(1));
	for (mask = 0; mask < BIT(3) && !t->failed; mask++)
		cancel_some(r, mask);
}

/* The head wants more registers than are left; cancelled, the next may run. */
static void cancel_lets_run(struct nttest *t, struct rig *r)
{
	struct request *sets[40], *head, *next;
	int i, n;

	for (n = 0; n < 40; n++) {
		sets[n] = request_channel(r, r->registers - 1,
					  DeallocateObjectKeepRegisters);
		REQUIRE(t, sets[n]);
		if (request_allocate_ex(sets[n], SYNC))
			break;
	}
	/* Who takes one run always counts registers. */
	EXPECT(t, n && (n < 40 || !r->kind->single));
	if (n < 40 && n) {
		head = request_channel(r, r->registers, DeallocateObject);
		next = request_channel(r, 0, DeallocateObject);
		REQUIRE(t, head && next);
		EXPECT_EQ(t, request_allocate_ex(head, 0), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&head->calls), 0);
		EXPECT_EQ(t, request_allocate_ex(next, 0), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&next->calls), 0);
		EXPECT(t, cancel(head));
		request_ran(next);
	}
	for (i = 0; i < n; i++)
		request_release(sets[i]);
	expect_free(r);
}

static void cancel_garbage(struct nttest *t, struct rig *r)
{
	u8 *context = kzalloc(DMA_TRANSFER_CONTEXT_SIZE_V1, GFP_KERNEL);

	REQUIRE(t, context);
	EXPECT(t, !r->ops->CancelAdapterChannel(r->adapter, r->object, NULL));
	EXPECT(t, !r->ops->CancelAdapterChannel(r->adapter, r->object, context));
	memset(context, 0xff, DMA_TRANSFER_CONTEXT_SIZE_V1);
	EXPECT(t, !r->ops->CancelAdapterChannel(r->adapter, r->object, context));
	kfree(context);
}

static void bad_context(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObject);
	struct rig *other = rig_open(t, r->kind);
	void *context;

	REQUIRE(t, q && other);
	context = q->context;
	memset(q->context, 0xff, DMA_TRANSFER_CONTEXT_SIZE_V1);
	EXPECT(t, !NT_SUCCESS(request_allocate_ex(q, 0)));
	q->context = NULL;
	EXPECT(t, !NT_SUCCESS(request_allocate_ex(q, 0)));
	q->context = context;
	/* Initialised, but for another adapter. */
	EXPECT_EQ(t, other->ops->InitializeDmaTransferContext(other->adapter, context),
		  STATUS_SUCCESS);
	EXPECT(t, !NT_SUCCESS(request_allocate_ex(q, 0)));
	EXPECT(t, !cancel(q));
	rig_close(other);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	expect_free(r);
}

/* One context for two waiting requests: refused, the first one unharmed. */
static void context_twice(struct nttest *t, struct rig *r)
{
	struct request *q[1], *held = queue(r, q, 1, DeallocateObject), *other;
	void *context;

	REQUIRE(t, held);
	other = request_channel(r, 1, DeallocateObject);
	REQUIRE(t, other);
	context = other->context;
	other->context = q[0]->context;
	EXPECT(t, !NT_SUCCESS(request_allocate_ex(other, 0)));
	other->context = context;
	request_release(held);
	request_ran(q[0]);
	EXPECT_EQ(t, atomic_read(&other->calls), 0);
}

/* The @n-th allocation fails in one form of the call; whether there was one. */
static bool sweep_once(struct rig *r, bool sync, int n)
{
	struct request *q = request_channel(r, 4, DeallocateObject);
	long live = ntdma_live_objects();
	NTSTATUS status;
	bool hit;

	if (!EXPECT(r->t, q))
		return false;
	ntdma_fail_nth(n);
	status = sync ? request_allocate_sync(q) : request_allocate_ex(q, 0);
	hit = ntdma_fail_hit();
	ntdma_fail_nth(0);
	EXPECT_EQ(r->t, status, hit ? STATUS_INSUFFICIENT_RESOURCES :
				      STATUS_SUCCESS);
	if (NT_SUCCESS(status) && !sync)
		request_ran(q);
	request_release(q);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
	expect_free(r);
	return hit;
}

static void sweep(struct nttest *t, struct rig *r)
{
	int sync, n;

	for (sync = 0; sync < 2; sync++) {
		for (n = 1; n < 50 && !t->failed; n++)
			if (!sweep_once(r, sync, n))
				break;
		EXPECT(t, n > 1 && n < 50);
	}
}

static const struct nttest_case cases[] = {
	{ "EC-55 no routine without the flag", .run_on = ec_55 },
	{ "EC-56 routine and base without the flag", .run_on = ec_56 },
	{ "EC-57 synchronous with neither routine nor base", .run_on = ec_57 },
	{ "EC-58 synchronous with a routine", .run_on = ec_58 },
	{ "EC-59 synchronous with routine and base", .run_on = ec_59 },
	{ "EC-60 synchronous on a busy adapter", .run_on = ec_60 },
	{ "EC-61 no registers", .run_on = ec_61 },
	{ "EC-62 more registers than N", .run_on = ec_62 },
	{ "EC-63 several requests of one device object, in order", .run_on = ec_63 },
	{ "EC-64 the same context again", .run_on = ec_64 },
	{ "EC-65 another device object of the device", .run_on = ec_65 },
	{ "EC-66 FreeAdapterObject KeepObject", .run_on = ec_66 },
	{ "EC-67 FreeAdapterObject DeallocateObject", .run_on = ec_67 },
	{ "EC-68 FreeAdapterObject DeallocateObjectKeepRegisters", .run_on = ec_68 },
	{ "EC-69 FreeAdapterObject with nothing held", .run_on = ec_69 },
	{ "EC-70 the adapter outlives FreeAdapterObject", .run_on = ec_70 },
	{ "S10 FreeAdapterChannel after the synchronous form",
	  .run_on = s10_free_channel },
	{ "S10 a transfer in another thread than the synchronous call",
	  .run_on = s10_thread },
	{ "EC-71 cancel of a waiting request", .run_on = ec_71 },
	{ "S15 EC-75 cancelled once more, the next request fails",
	  .run_on = cancel_again },
	{ "EC-72 cancel after the routine ran", .run_on = ec_72 },
	{ "EC-72 cancel inside the routine", .run_on = ec_72_inside },
	{ "EC-73 cancel against release", .run_on = ec_73, .kinds = rig_lists },
	{ "EC-74 the context is free after a cancel", .run_on = ec_74 },
	{ "EC-75 cancel before the request", .run_on = ec_75 },
	{ "EC-75 cancel after a refusal", .run_on = after_refusal,
	  .failing = true },
	{ "S16 initialising clears the mark", .run_on = s16_clear },
	{ "S16 lists of a cancelled context", .run_on = s16_lists },
	{ "EC-76 cancel of a waiting list", .run_on = ec_76 },
	{ "EC-76 cancel of a list that cannot be mapped",
	  .run_on = cancel_unmapped, .kinds = rig_wide, .failing = true },
	{ "EC-72 cancel while a list fails to be mapped", .run_on = cancel_first,
	  .kinds = rig_wide, .failing = true },
	{ "EC-72 cancel while a list fails once more", .run_on = cancel_retry,
	  .kinds = rig_wide, .failing = true },
	{ "EC-77 cancel keeps the order of the others", .run_on = ec_77 },
	{ "EC-77 cancel of the head lets the next one run", .run_on = cancel_lets_run },
	{ "EC-71 bad input: cancel of no context", .run_on = cancel_garbage },
	{ "EC-55 bad input: no context", .run_on = bad_context },
	{ "EC-63 bad input: one context for two requests", .run_on = context_twice },
	{ "S15 every allocation fails once", .run_on = sweep },
	{ }
};

const struct nttest_suite nttest_channelex = {
	.name = "channelex",
	.cases = cases,
};
