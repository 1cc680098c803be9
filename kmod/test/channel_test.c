// SPDX-License-Identifier: GPL-2.0
/*
 * AllocateAdapterChannel, its routine, and what releases: contract section C,
 * scenario S22.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

/* A routine that ran before the allocating call returned. */
static bool ran_at_once(struct request *q)
{
	return EXPECT_EQ(q->r->t, q->early, 1) && request_ran(q);
}

/* The adapter is free: a request for all registers runs at once. */
static void expect_free(struct rig *r)
{
	struct request *q = request_channel(r, r->registers, DeallocateObject);

	if (!q)
		return;
	EXPECT_EQ(r->t, request_allocate(q), STATUS_SUCCESS);
	ran_at_once(q);
	request_free(q);
}

static void ec_40(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, DeallocateObject);

	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	ran_at_once(q);
	EXPECT(t, q->thread == current);
}

/* The routine that waited ran here, before who freed what it needed went on. */
static bool ran_here(struct request *q)
{
	struct nttest *t = q->r->t;

	return EXPECT_EQ(t, atomic_read(&q->calls), 1) & request_ran(q) &
	       EXPECT(t, q->thread == current);
}

static void ec_41(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, 2, DeallocateObject);

	REQUIRE(t, held && q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	request_release(held);
	REQUIRE(t, ran_here(q));
	EXPECT_EQ(t, q->early, 0);
	expect_free(r);
	EXPECT_EQ(t, atomic_read(&q->calls), 1);
}

static void refuse_count(struct rig *r, ULONG count)
{
	struct request *q = request_channel(r, count, DeallocateObject);

	if (!q)
		return;
	EXPECT_EQ(r->t, request_allocate(q), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(r->t, atomic_read(&q->calls), 0);
	expect_free(r);
	EXPECT_EQ(r->t, atomic_read(&q->calls), 0);
}

static void ec_42(struct nttest *t, struct rig *r)
{
	refuse_count(r, r->registers + 1);
	refuse_count(r, 0xffffffff);
}

static void refused_when_busy(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, r->registers + 1, DeallocateObject);

	REQUIRE(t, held && q);
	EXPECT_EQ(t, request_allocate(q), STATUS_INSUFFICIENT_RESOURCES);
	request_release(held);
	expect_free(r);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

/* All that S3 says of an adapter with five registers. */
static void five_registers(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 12 * PAGE_SIZE);
	struct request *q;
	ULONG at, length;
	int parts, dir;

	REQUIRE(t, b);
	EXPECT_EQ(t, r->registers, 5);
	refuse_count(r, 6);
	for (dir = 0; dir < 2; dir++) {
		q = piece_request(r, b->mdl, 5, dir);
		REQUIRE(t, q);
		for (at = parts = 0; at < b->length; at += length, parts++) {
			length = min(b->length - at, 5 * (ULONG)PAGE_SIZE);
			REQUIRE(t, piece_map_all(q, at, length));
			piece_flush(q, at, length);
		}
		EXPECT_EQ(t, parts, 3);
		EXPECT_EQ(t, atomic_read(&q->calls), 1);
		request_check_memory(q);
		request_release(q);
	}
}

static const struct rig_kind five_kinds[] = {
	{ .name = "version 1, 64 bits, 5 registers", .version = 1, .width = 64,
	  .length = 4 * PAGE_SIZE },
	{ .name = "version 1, 32 bits, one run, 5 registers", .version = 1,
	  .width = 32, .single = true, .length = 4 * PAGE_SIZE },
	{ }
};

static void ec_43(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, r->registers, KeepObject);

	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	REQUIRE(t, ran_at_once(q));
	request_release(q);
	expect_free(r);
}

static void no_registers(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 0, DeallocateObjectKeepRegisters);

	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	REQUIRE(t, ran_at_once(q));
	request_release(q);
	expect_free(r);
}

static void ec_44(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, 1, DeallocateObject);
	IRP later = { };

	REQUIRE(t, held && q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	r->object->CurrentIrp = &later;
	request_release(held);
	request_ran(q);
	EXPECT(t, q->irp == &r->irp);
	r->object->CurrentIrp = &r->irp;
}

static void ec_45(struct nttest *t, struct rig *r)
{
	struct request *held, *q = request_channel(r, 1, DeallocateObject);

	/* Called from PASSIVE_LEVEL, where nothing raised the level before. */
	r->passive = true;
	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT(t, ran_at_once(q));
	held = request_hold(r);
	REQUIRE(t, held);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	request_release(held);
	request_ran(q);
}

static void ec_46(struct nttest *t, struct rig *r)
{
	struct request *a = request_channel(r, r->registers, KeepObject);
	struct request *b = request_channel(r, r->registers, KeepObject);

	REQUIRE(t, a && b);
	EXPECT_EQ(t, request_allocate(a), STATUS_SUCCESS);
	REQUIRE(t, ran_at_once(a));
	EXPECT_EQ(t, request_allocate(b), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&b->calls), 0);
	request_release(a);
	REQUIRE(t, ran_here(b));
	request_release(b);
	expect_free(r);
}

/* So many sets of all registers no pool has. */
#define SETS	40

static void ec_47(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, r->registers, DeallocateObject);
	int i;

	REQUIRE(t, held && q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	request_release(held);
	ran_here(q);
	expect_free(r);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT(t, ran_at_once(q));
	expect_free(r);
	/* Were any lost each time, one of these would have to wait. */
	for (i = 0; i < SETS; i++) {
		EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
		REQUIRE(t, ran_at_once(q));
	}
}

/* MapTransfer, the device, FlushAdapterBuffers on a base that @q holds. */
static void use_base(struct request *q, struct buffer *b)
{
	struct rig *r = q->r;
	PVOID va = MmGetMdlVirtualAddress(b->mdl);
	PHYSICAL_ADDRESS la;
	ULONG length = 64;
	u8 seen[64];

	pattern_fill(seen, sizeof(seen), 48);
	mdl_store(b->mdl, 0, seen, sizeof(seen));
	memset(seen, 0, sizeof(seen));
	la = r->ops->MapTransfer(r->adapter, b->mdl, q->base, va, &length, TRUE);
	EXPECT_EQ(r->t, length, 64);
	EXPECT_EQ(r->t, bus_read(&r->bus, la.QuadPart, seen, sizeof(seen)), 0);
	pattern_same(r->t, "the device", seen, b->va + b->offset, sizeof(seen));
	EXPECT(r->t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, q->base, va, 64,
						 TRUE));
}

static void ec_48(struct nttest *t, struct rig *r)
{
	struct request *a = request_channel(r, 2, DeallocateObjectKeepRegisters);
	struct request *b = request_channel(r, 2, DeallocateObjectKeepRegisters);
	struct buffer *memory = buffer_new(r, SCATTERED, 0x80, PAGE_SIZE);

	REQUIRE(t, a && b && memory);
	EXPECT_EQ(t, request_allocate(a), STATUS_SUCCESS);
	REQUIRE(t, ran_at_once(a));
	EXPECT_EQ(t, request_allocate(b), STATUS_SUCCESS);
	REQUIRE(t, ran_at_once(b));
	use_base(a, memory);
	use_base(b, memory);
	request_release(a);
	use_base(b, memory);
	request_release(b);
}

static void map_inside(struct request *q)
{
	use_base(q, q->arg);
}

static void ec_50(struct nttest *t, struct rig *r)
{
	static const IO_ALLOCATION_ACTION actions[] = {
		DeallocateObject, DeallocateObjectKeepRegisters, KeepObject,
	};
	struct buffer *memory = buffer_new(r, SCATTERED, 0x80, PAGE_SIZE);
	struct request *q;
	int i;

	REQUIRE(t, memory);
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		q = request_channel(r, 2, actions[i]);
		REQUIRE(t, q);
		q->hook = map_inside;
		q->arg = memory;
		EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
		REQUIRE(t, ran_at_once(q));
		request_release(q);
	}
}

static void put_inside(struct request *q)
{
	request_put(q->arg);
}

static void ec_50_put(struct nttest *t, struct rig *r)
{
	struct buffer *memory = buffer_new(r, SCATTERED, 0x80, PAGE_SIZE);
	struct request *q = request_channel(r, 1, DeallocateObject), *list;

	REQUIRE(t, memory && q);
	list = request_new(r, memory->mdl, 0, memory->length, false);
	REQUIRE(t, list && request_list(list, BY_GET));
	request_move(list);
	q->hook = put_inside;
	q->arg = list;
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	ran_at_once(q);
	request_check_memory(list);
}

/**
 * struct late_release - a DPC that frees the channel
 * @dpc: the DPC
 * @held: who has the channel
 * @q: who waits for it
 * @thread: where the DPC ran
 * @calls: what @q had of its routine when the channel was freed
 */
static struct late_release {
	KDPC dpc;
	struct request *held, *q;
	struct task_struct *thread;
	int calls;
} late;

static VOID NTAPI release_dpc(struct _KDPC *unused, PVOID context, PVOID a, PVOID b)
{
	struct request *held = late.held;

	held->held = DeallocateObject;
	held->r->ops->FreeAdapterChannel(held->r->adapter);
	late.calls = atomic_read(&late.q->calls);
	late.thread = current;
}

static void ec_51(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, 1, KeepObject);

	REQUIRE(t, held && q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	late = (struct late_release){ .held = held, .q = q };
	KeInitializeDpc(&late.dpc, release_dpc, NULL);
	EXPECT(t, KeInsertQueueDpc(&late.dpc, NULL, NULL));
	KeFlushQueuedDpcs();
	EXPECT_EQ(t, late.calls, 1);
	REQUIRE(t, request_ran(q));
	EXPECT(t, q->thread == late.thread);
	request_release(q);
}

/* Where no routine may run, a request waits, and so does who is released. */
static void interrupts_off(struct nttest *t, struct rig *r)
{
	struct request *a = request_channel(r, 1, KeepObject);
	struct request *b = request_channel(r, 1, DeallocateObject);
	NTSTATUS status;
	KIRQL old;

	REQUIRE(t, a && b);
	a->queued = true;
	KeRaiseIrql(HIGH_LEVEL, &old);
	status = r->ops->AllocateAdapterChannel(r->adapter, r->object, 1,
						request_channel_routine, a);
	KeLowerIrql(old);
	EXPECT_EQ(t, status, STATUS_SUCCESS);
	REQUIRE(t, request_ran(a));
	EXPECT(t, a->thread != current);
	EXPECT_EQ(t, request_allocate(b), STATUS_SUCCESS);
	a->held = DeallocateObject;
	KeRaiseIrql(HIGH_LEVEL, &old);
	r->ops->FreeAdapterChannel(r->adapter);
	KeLowerIrql(old);
	REQUIRE(t, request_ran(b));
	EXPECT(t, b->thread != current);
}

#define WAITERS		1000

static bool queue_waiter(struct rig *r, struct request **q,
			 IO_ALLOCATION_ACTION action,
			 void (*hook)(struct request *q))
{
	*q = request_channel(r, 1, action);
	if (!*q)
		return false;
	(*q)->hook = hook;
	return EXPECT_EQ(r->t, request_allocate_ex(*q, 0), STATUS_SUCCESS) &&
	       EXPECT_EQ(r->t, atomic_read(&(*q)->calls), 0);
}

static void waiters(struct nttest *t, struct rig *r,
		    IO_ALLOCATION_ACTION action,
		    void (*hook)(struct request *q))
{
	struct request **q = kvcalloc(WAITERS, sizeof(*q), GFP_KERNEL);
	struct request *held = request_hold(r);
	int i;

	REQUIRE(t, q && held);
	stack_begin();
	for (i = 0; i < WAITERS; i++)
		if (!queue_waiter(r, &q[i], action, hook))
			break;
	request_release(held);
	for (i = 0; i < WAITERS && q[i]; i++) {
		if (!request_ran(q[i]))
			break;
		EXPECT_EQ(t, q[i]->turn, i + 2);
	}
	EXPECT_EQ(t, i, WAITERS);
	EXPECT(t, stack_span() < STACK_BOUND);
	/* Who frees does not have to serve all of them. */
	if (i == WAITERS)
		EXPECT(t, q[WAITERS - 1]->thread != current);
	kvfree(q);
}

static void ec_52(struct nttest *t, struct rig *r)
{
	waiters(t, r, DeallocateObject, stack_note);
}

/* The routine gives all back itself and returns KeepObject all the same. */
static void free_inside(struct request *q)
{
	stack_note(q);
	q->held = DeallocateObject;
	q->r->ops->FreeAdapterChannel(q->r->adapter);
}

static void freed_in_routine(struct nttest *t, struct rig *r)
{
	waiters(t, r, KeepObject, free_inside);
	expect_free(r);
}

/* Each routine of a chain allocates the next one and keeps nothing. */
static void allocate_next(struct request *q)
{
	struct request *next = q->arg;

	stack_note(q);
	if (next)
		EXPECT_EQ(q->r->t, request_allocate_ex(next, 0), STATUS_SUCCESS);
}

static void nested(struct nttest *t, struct rig *r)
{
	struct request **q = kvcalloc(WAITERS, sizeof(*q), GFP_KERNEL);
	int i;

	REQUIRE(t, q);
	stack_begin();
	for (i = 0; i < WAITERS; i++) {
		q[i] = request_channel(r, 1, DeallocateObject);
		if (!q[i])
			break;
		q[i]->hook = allocate_next;
		if (i)
			q[i - 1]->arg = q[i];
	}
	if (EXPECT_EQ(t, i, WAITERS)) {
		EXPECT_EQ(t, request_allocate_ex(q[0], 0), STATUS_SUCCESS);
		for (i = 0; i < WAITERS; i++)
			if (!request_ran(q[i]))
				break;
		EXPECT_EQ(t, i, WAITERS);
		EXPECT(t, stack_span() < STACK_BOUND);
	}
	kvfree(q);
}

static void ec_53(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, 1, DeallocateObject);
	long live = ntdma_live_objects(), refused = ntdma_refused();

	REQUIRE(t, held && q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	r->ops->FreeMapRegisters(r->adapter, NULL, 0);
	r->ops->FreeMapRegisters(r->adapter, NULL, 5);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT_EQ(t, ntdma_live_objects(), live);
	EXPECT_EQ(t, ntdma_refused(), refused);
	request_release(held);
	request_ran(q);
	expect_free(r);
}

/*
 * All registers kept again and again until one has to wait. The channel is
 * free then, so what lets it run are the registers of a single set.
 */
static void ec_54(struct nttest *t, struct rig *r)
{
	struct request *q[SETS] = { };
	int i, n;

	for (n = 0; n < SETS; n++) {
		q[n] = request_channel(r, r->registers,
				       DeallocateObjectKeepRegisters);
		REQUIRE(t, q[n]);
		REQUIRE(t, request_allocate(q[n]) == STATUS_SUCCESS);
		if (!atomic_read(&q[n]->calls))
			break;
	}
	REQUIRE(t, n && n < SETS);
	request_release(q[0]);
	REQUIRE(t, request_ran(q[n]));
	for (i = 1; i <= n; i++)
		request_release(q[i]);
	expect_free(r);
}

static void order(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r), *q[3];
	PDEVICE_OBJECT object[3];
	int i;

	REQUIRE(t, held);
	for (i = 0; i < 3; i++) {
		/* Each waits in its own device object, as version 1 wants it. */
		object[i] = ntdma_device_create(t->dev, 0);
		q[i] = request_channel(r, 1, KeepObject);
		REQUIRE(t, object[i] && q[i]);
		object[i]->CurrentIrp = &r->irp;
		q[i]->from = object[i];
		EXPECT_EQ(t, request_allocate(q[i]), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&q[i]->calls), 0);
	}
	request_release(held);
	for (i = 0; i < 3; i++) {
		REQUIRE(t, request_ran(q[i]));
		EXPECT_EQ(t, q[i]->turn, i + 2);
		EXPECT(t, i == 2 || !atomic_read(&q[i + 1]->calls));
		request_release(q[i]);
		ntdma_device_destroy(object[i]);
	}
	expect_free(r);
}

/* The routine of the second releases what the first one kept. */
static void release_inside(struct request *q)
{
	request_release(q->arg);
}

static void free_in_routine(struct nttest *t, struct rig *r)
{
	struct request *a = request_channel(r, 3, DeallocateObjectKeepRegisters);
	struct request *b = request_channel(r, 1, DeallocateObject);

	REQUIRE(t, a && b);
	EXPECT_EQ(t, request_allocate(a), STATUS_SUCCESS);
	REQUIRE(t, ran_at_once(a));
	b->hook = release_inside;
	b->arg = a;
	EXPECT_EQ(t, request_allocate(b), STATUS_SUCCESS);
	EXPECT(t, ran_at_once(b));
	expect_free(r);
}

static void no_routine(struct nttest *t, struct rig *r)
{
	EXPECT_EQ(t, r->ops->AllocateAdapterChannel(r->adapter, r->object, 1, NULL,
						    NULL),
		  STATUS_INVALID_PARAMETER);
	expect_free(r);
}

/* What the routine returned is none of the three: FreeAdapterChannel mends it. */
static void odd_action(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 1, 77);
	struct request *next = request_channel(r, 1, DeallocateObject);
	long refused = ntdma_refused();

	REQUIRE(t, q && next);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	ran_at_once(q);
	EXPECT_EQ(t, request_allocate(next), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&next->calls), 0);
	q->held = KeepObject;
	request_release(q);
	request_ran(next);
	EXPECT_EQ(t, ntdma_refused(), refused);
	expect_free(r);
}

static void nothing_held(struct nttest *t, struct rig *r)
{
	struct request *held;

	r->ops->FreeAdapterChannel(r->adapter);
	expect_free(r);
	held = request_hold(r);
	REQUIRE(t, held);
	request_release(held);
	r->ops->FreeAdapterChannel(r->adapter);
	expect_free(r);
}

static void registers_twice(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 3, DeallocateObjectKeepRegisters);
	long refused = ntdma_refused();
	PVOID base;

	REQUIRE(t, q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	REQUIRE(t, ran_at_once(q));
	base = q->base;
	request_release(q);
	if (base) {
		r->ops->FreeMapRegisters(r->adapter, base, 3);
		EXPECT_EQ(t, ntdma_refused(), refused + 1);
	}
	expect_free(r);
}

static void registers_foreign(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, 3, DeallocateObjectKeepRegisters);
	struct rig *other = rig_open(t, r->kind);
	long refused = ntdma_refused();

	REQUIRE(t, q && other);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	if (ran_at_once(q) && q->base) {
		other->ops->FreeMapRegisters(other->adapter, q->base, 3);
		EXPECT_EQ(t, ntdma_refused(), refused + 1);
	}
	request_release(q);
	expect_free(r);
	expect_free(other);
	rig_close(other);
}

static void free_and_take(struct request *q)
{
	q->held = DeallocateObject;
	q->r->ops->FreeMapRegisters(q->r->adapter, q->base, q->registers);
	EXPECT_EQ(q->r->t, request_allocate(q->arg), STATUS_SUCCESS);
}

/*
 * As when the device is done before the routine returns, and the next is begun.
 * Its registers may well lie where those before were.
 */
static void taken_again(struct rig *r, IO_ALLOCATION_ACTION action)
{
	struct request *q, *next, *late;
	struct nttest *t = r->t;
	int i;

	for (i = 0; i < 20 && !t->failed; i++) {
		q = request_channel(r, 2, action);
		next = request_channel(r, 2, KeepObject);
		late = request_channel(r, 2, DeallocateObject);
		REQUIRE(t, q && next && late);
		q->hook = free_and_take;
		q->arg = next;
		EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
		REQUIRE(t, ran_at_once(q) && ran_at_once(next));
		EXPECT_EQ(t, request_allocate(late), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&late->calls), 0);
		request_release(next);
		REQUIRE(t, request_ran(late));
		request_free(late);
		request_free(next);
		request_free(q);
	}
	expect_free(r);
}

static void kept_and_taken(struct nttest *t, struct rig *r)
{
	taken_again(r, DeallocateObjectKeepRegisters);
}

static void freed_and_taken(struct nttest *t, struct rig *r)
{
	taken_again(r, DeallocateObject);
}

static void sweep(struct nttest *t, struct rig *r)
{
	int n, hits = 0;
	bool hit = true;

	for (n = 1; n < 50 && hit; n++) {
		struct request *q = request_channel(r, 4, DeallocateObject);
		long live = ntdma_live_objects();
		NTSTATUS status;

		REQUIRE(t, q);
		ntdma_fail_nth(n);
		status = request_allocate(q);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT(t, status == STATUS_SUCCESS ||
		       (hit && status == STATUS_INSUFFICIENT_RESOURCES));
		if (NT_SUCCESS(status))
			request_ran(q);
		EXPECT_EQ(t, ntdma_live_objects(), live);
		expect_free(r);
		hits += hit;
	}
	EXPECT(t, hits > 0 && !hit);
}

/* A list that must wait since nothing can be mapped, or NULL. */
static struct request *unmapped(struct rig *r, enum producer how)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 2 * PAGE_SIZE);
	struct request *q = b ? request_new(r, b->mdl, 0, b->length, true) : NULL;

	ntdma_fail_nth(-2);
	if (!q || !EXPECT_EQ(r->t, request_submit(q, how), STATUS_SUCCESS))
		return NULL;
	if (!atomic_read(&q->calls))
		return q;
	request_put(q);
	nttest_skip(r->t, "every page is copied");
	return NULL;
}

/**
 * struct meanwhile - who comes while the head fails to be mapped once more
 * @list: a list, or NULL
 * @channel: for the channel, or NULL
 * @sync: a list at once or not at all, or NULL
 * @status: what each was answered
 * @calls: routines that ran before the head's was tried again
 * @entered: the head is being tried
 * @left: all have come
 */
static struct meanwhile {
	struct request *list, *channel, *sync;
	NTSTATUS status[3];
	int calls;
	bool entered;
	struct completion left;
} meanwhile;

/* They could all be mapped. */
static void come_meanwhile(void)
{
	struct meanwhile *m = &meanwhile;

	if (xchg(&m->entered, true))
		return;
	ntdma_fail_nth(0);
	if (m->list)
		m->status[0] = request_submit(m->list, BY_GET);
	if (m->channel)
		m->status[1] = request_allocate(m->channel);
	if (m->sync)
		m->status[2] = request_submit(m->sync, BY_GET_SYNC);
	m->calls = m->list ? atomic_read(&m->list->calls) : 0;
	m->calls += m->channel ? atomic_read(&m->channel->calls) : 0;
	complete(&m->left);
}

static struct request *any_list(struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, PAGE_SIZE);

	return b ? request_new(r, b->mdl, 0, b->length, true) : NULL;
}

/* Lets who there is in `meanwhile` come in a retry of @head. */
static bool retried_with(struct request *head)
{
	const unsigned long patience = msecs_to_jiffies(RIG_PATIENCE);
	struct meanwhile *m = &meanwhile;
	bool came;

	m->entered = false;
	init_completion(&m->left);
	ntdma_fail_call(come_meanwhile);
	came = wait_for_completion_timeout(&m->left, patience);
	ntdma_fail_call(NULL);
	ntdma_fail_nth(0);
	return EXPECT(head->r->t, came) && request_ran(head);
}

/* Who comes while the head is being tried again waits behind it. */
static void keeps_place(struct nttest *t, struct rig *r)
{
	struct meanwhile *m = &meanwhile;
	struct request *head;

	memset(m, 0, sizeof(*m));
	m->list = any_list(r);
	REQUIRE(t, m->list);
	head = unmapped(r, BY_GET);
	if (!head)
		return;
	REQUIRE(t, retried_with(head));
	EXPECT_EQ(t, m->status[0], STATUS_SUCCESS);
	EXPECT_EQ(t, m->calls, 0);
	REQUIRE(t, request_ran(m->list));
	EXPECT_EQ(t, head->turn, 1);
	EXPECT_EQ(t, m->list->turn, 2);
	request_finish(head);
	request_finish(m->list);
	expect_free(r);
}

/* So does who wants the channel, though no list owns it. */
static void keeps_channel(struct nttest *t, struct rig *r)
{
	struct meanwhile *m = &meanwhile;
	struct request *head;

	memset(m, 0, sizeof(*m));
	m->channel = request_channel(r, 1, DeallocateObject);
	REQUIRE(t, m->channel);
	head = unmapped(r, BY_GET);
	if (!head)
		return;
	REQUIRE(t, retried_with(head));
	EXPECT_EQ(t, m->status[1], STATUS_SUCCESS);
	EXPECT_EQ(t, m->calls, 0);
	REQUIRE(t, request_ran(m->channel));
	EXPECT_EQ(t, head->turn, 1);
	EXPECT_EQ(t, m->channel->turn, 2);
	request_finish(head);
	expect_free(r);
}

/* Who cannot wait is refused, as with any queue. */
static void refuses_sync(struct nttest *t, struct rig *r)
{
	struct meanwhile *m = &meanwhile;
	struct request *head;

	memset(m, 0, sizeof(*m));
	m->sync = any_list(r);
	REQUIRE(t, m->sync);
	head = unmapped(r, BY_GET);
	if (!head)
		return;
	REQUIRE(t, retried_with(head));
	if (!EXPECT_EQ(t, m->status[2], STATUS_INSUFFICIENT_RESOURCES)) {
		r->ops->FreeAdapterObject(r->adapter,
					  DeallocateObjectKeepRegisters);
		request_put(m->sync);
	}
	request_finish(head);
	expect_free(r);
}

#define UNMAPPED	4

/* Tried over and over, they stay in order. */
static void unmapped_in_order(struct nttest *t, struct rig *r)
{
	struct request *q[UNMAPPED];
	int i;

	for (i = 0; i < UNMAPPED; i++) {
		q[i] = unmapped(r, BY_GET);
		if (!q[i])
			return;
	}
	/* Time for some of them to be tried again, to no avail. */
	msleep(50);
	for (i = 0; i < UNMAPPED; i++)
		EXPECT_EQ(t, atomic_read(&q[i]->calls), 0);
	ntdma_fail_nth(0);
	for (i = 0; i < UNMAPPED; i++) {
		REQUIRE(t, request_ran(q[i]));
		EXPECT_EQ(t, q[i]->turn, i + 1);
		request_finish(q[i]);
	}
	expect_free(r);
}

#define FILLERS		64

/**
 * struct filled - lists that took all addresses there are
 * @q: the lists, and one that did not get any
 * @n: number of lists
 */
struct filled {
	struct request *q[FILLERS];
	int n;
};

/* One list after another; false for the one that there is no address for. */
static bool fill_more(struct rig *r, struct buffer *b, struct filled *f,
		      enum producer how)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, true);
	NTSTATUS status;

	if (!EXPECT(r->t, q && f->n < FILLERS))
		return false;
	f->q[f->n] = q;
	status = request_submit(q, how);
	if (how == BY_GET)
		return EXPECT_EQ(r->t, status, STATUS_SUCCESS) &&
		       q->early && ++f->n;
	EXPECT(r->t, !status || status == STATUS_INSUFFICIENT_RESOURCES);
	if (status)
		return false;
	r->ops->FreeAdapterObject(r->adapter, DeallocateObjectKeepRegisters);
	return ++f->n;
}

/* The one that found no addresses waits, and a small one behind it. */
static void wait_for_addresses(struct rig *r, struct filled *f)
{
	struct request *q = f->q[f->n], *small = any_list(r);
	struct nttest *t = r->t;

	REQUIRE(t, small);
	EXPECT_EQ(t, request_submit(small, BY_GET), STATUS_SUCCESS);
	/* An IOMMU that is lazy may find some addresses after a while. */
	EXPECT(t, !small->early || atomic_read(&q->calls));
	request_put(f->q[0]);
	REQUIRE(t, request_ran(q) && request_ran(small));
	EXPECT_EQ(t, small->turn, q->turn + 1);
	request_finish(q);
	request_finish(small);
}

/* No injection: the device has few addresses, and lists take them all. */
static void no_addresses(struct nttest *t)
{
	static const struct rig_kind kind = {
		.name = "24 bits, 16 MiB", .version = 3, .width = 24,
		.length = SZ_16M,
	};
	struct filled f = { };
	struct buffer *b;
	struct rig *r;
	int i;

	if (!dma_get_merge_boundary(rig_device(t, &kind)) ||
	    ntdma_bounces_all()) {
		nttest_skip(t, "no IOMMU, or no mappings");
		return;
	}
	r = rig_open(t, &kind);
	REQUIRE(t, r);
	b = buffer_new(r, SCATTERED, 0, (size_t)r->registers * PAGE_SIZE);
	REQUIRE(t, b);
	while (fill_more(r, b, &f, BY_GET_SYNC))
		;
	while (!t->failed && fill_more(r, b, &f, BY_GET))
		;
	EXPECT(t, f.n > 0);
	if (!t->failed)
		wait_for_addresses(r, &f);
	for (i = 0; i < f.n; i++)
		if (f.q[i]->list)
			request_put(f.q[i]);
	expect_free(r);
	rig_close(r);
}

static const struct nttest_case cases[] = {
	{ "EC-40 a free adapter: the routine ran before the return", .run_on = ec_40 },
	{ "EC-40 version 1 adapters", .run_on = ec_40, .kinds = rig_v1 },
	{ "EC-41 a busy adapter: the routine runs after the release", .run_on = ec_41 },
	{ "EC-42 more registers than N", .run_on = ec_42 },
	{ "EC-42 more registers than N on a busy adapter", .run_on = refused_when_busy },
	{ "S3 EC-42 a transfer in three parts on five registers",
	  .run_on = five_registers, .kinds = five_kinds },
	{ "EC-43 exactly N registers", .run_on = ec_43 },
	{ "EC-43 exactly N registers of 1 MiB", .run_on = ec_43,
	  .kinds = rig_mega, .failing = true },
	{ "EC-43 no registers", .run_on = no_registers },
	{ "EC-44 the IRP is that of the call", .run_on = ec_44 },
	{ "EC-45 the routine runs at DISPATCH_LEVEL", .run_on = ec_45 },
	{ "EC-46 KeepObject makes the next one wait", .run_on = ec_46 },
	{ "EC-47 DeallocateObject leaves all free", .run_on = ec_47 },
	{ "EC-48 kept registers and the next requester", .run_on = ec_48 },
	{ "EC-50 map and flush inside the routine", .run_on = ec_50 },
	{ "EC-50 put inside the routine", .run_on = ec_50_put },
	{ "EC-51 released from a DPC", .run_on = ec_51 },
	{ "EC-41 EC-51 called with interrupts off", .run_on = interrupts_off },
	{ "EC-52 1000 waiters on a bounded stack", .run_on = ec_52 },
	{ "EC-52 1000 nested allocations on a bounded stack", .run_on = nested,
	  .kinds = rig_lists },
	{ "EC-53 bad input: no base", .run_on = ec_53 },
	{ "EC-54 registers freed let a waiter run", .run_on = ec_54,
	  .failing = true },
	{ "EC-48 EC-51 registers to keep freed, and all taken again, inside",
	  .run_on = kept_and_taken },
	{ "EC-47 EC-51 all freed, and taken again, inside",
	  .run_on = freed_and_taken },
	{ "S22 one after another in order", .run_on = order },
	{ "S22 registers freed inside a routine", .run_on = free_in_routine },
	{ "S22 the channel freed inside 1000 routines",
	  .run_on = freed_in_routine },
	{ "EC-40 bad input: no routine", .run_on = no_routine },
	{ "EC-46 bad input: an unknown action", .run_on = odd_action },
	{ "EC-46 bad input: released twice", .run_on = nothing_held },
	{ "EC-53 bad input: registers freed twice", .run_on = registers_twice },
	{ "EC-53 bad input: registers freed by another adapter",
	  .run_on = registers_foreign },
	{ "S22 every allocation fails once", .run_on = sweep },
	{ "S22 lists that cannot be mapped stay in order",
	  .run_on = unmapped_in_order, .kinds = rig_wide, .failing = true },
	{ "S22 a list that fails once more is before a new one",
	  .run_on = keeps_place, .kinds = rig_wide, .failing = true },
	{ "EC-41 a list that fails once more is before who wants the channel",
	  .run_on = keeps_channel, .kinds = rig_wide, .failing = true },
	{ "EC-60 nothing at once while a list fails once more",
	  .run_on = refuses_sync, .kinds = rig_wide, .failing = true },
	{ "S22 a list waits in order until there are addresses", no_addresses },
	{ }
};

const struct nttest_suite nttest_channel = {
	.name = "channel",
	.cases = cases,
};
