// SPDX-License-Identifier: GPL-2.0
/*
 * PutDmaAdapter, also by drivers that forget what they hold: contract section
 * A, scenario S26.
 */
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

static void ec_21(struct nttest *t, struct rig *r)
{
	PDMA_ADAPTER adapter = r->adapter;
	KIRQL old = rig_raise();

	r->adapter = NULL;
	r->ops->PutDmaAdapter(adapter);
	KeLowerIrql(old);
}

/*
 * A driver's mistake: nothing may crash and what it has must outlive it, so that
 * it can be given back, and nothing is refused.
 */
static void ec_22_common(struct nttest *t, struct rig *r)
{
	PDMA_ADAPTER adapter = r->adapter;
	long refused = ntdma_refused();
	PHYSICAL_ADDRESS la;
	u8 seen[16];
	u8 *va;

	va = r->ops->AllocateCommonBuffer(adapter, PAGE_SIZE, &la, TRUE);
	REQUIRE(t, va);
	r->adapter = NULL;
	r->ops->PutDmaAdapter(adapter);
	pattern_fill(va, PAGE_SIZE, 22);
	EXPECT_EQ(t, bus_read(&r->bus, la.QuadPart + 100, seen, sizeof(seen)), 0);
	pattern_same(t, "common buffer", seen, va + 100, sizeof(seen));
	r->ops->FreeCommonBuffer(adapter, PAGE_SIZE, la, va, TRUE);
	EXPECT_EQ(t, ntdma_refused(), refused);
}

static void ec_22_list(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x20, 3 * PAGE_SIZE);
	PDMA_ADAPTER adapter = r->adapter;
	long refused = ntdma_refused();
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	r->ops->PutDmaAdapter(adapter);
	request_move(q);
	request_put(q);
	EXPECT_EQ(t, ntdma_refused(), refused);
	request_check_memory(q);
	request_free(q);
	r->adapter = NULL;
}

static void ec_22_registers(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x20, PAGE_SIZE - 0x20);
	long refused = ntdma_refused();
	struct request *q;
	ULONG length;
	u64 la;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 2, false);
	REQUIRE(t, q);
	length = piece_map_only(q, 0, PAGE_SIZE - 0x20, &la);
	EXPECT_EQ(t, length, PAGE_SIZE - 0x20);
	r->ops->PutDmaAdapter(r->adapter);
	piece_device(q, 0, la, length);
	piece_flush(q, 0, length);
	request_check_memory(q);
	request_release(q);
	EXPECT_EQ(t, ntdma_refused(), refused);
	request_free(q);
	r->adapter = NULL;
}

static int only_others_live(void *arg)
{
	return ntdma_live_objects() <= *(long *)arg;
}

/* Who waits when the adapter is put is served all the same, once. */
static void ec_22_waiter(struct nttest *t, struct rig *r)
{
	long others = ntdma_live_objects() - 1, refused = ntdma_refused();
	struct request *held = request_hold(r);
	struct request *q = request_channel(r, 1, DeallocateObject);

	REQUIRE(t, held && q);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	r->ops->PutDmaAdapter(r->adapter);
	request_release(held);
	EXPECT_EQ(t, ntdma_refused(), refused);
	request_ran(q);
	EXPECT(t, rig_wait(only_others_live, &others));
	EXPECT_EQ(t, atomic_read(&q->calls), 1);
	request_free(held);
	request_free(q);
	r->adapter = NULL;
}

static void put_twice(struct nttest *t, struct rig *r)
{
	long live = ntdma_live_objects(), refused = ntdma_refused();
	PDMA_ADAPTER adapter = r->adapter;

	r->adapter = NULL;
	r->ops->PutDmaAdapter(adapter);
	EXPECT_EQ(t, ntdma_refused(), refused);
	r->ops->PutDmaAdapter(adapter);
	EXPECT_EQ(t, ntdma_refused(), refused + 1);
	EXPECT(t, ntdma_live_objects() >= live - 1);
}

static void put_nothing(struct nttest *t, struct rig *r)
{
	long live = ntdma_live_objects();

	r->ops->PutDmaAdapter(NULL);
	EXPECT_EQ(t, ntdma_live_objects(), live);
}

static void s26(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 1, 2 * PAGE_SIZE);
	DEVICE_DESCRIPTION dd;

	REQUIRE(t, b);
	request_transfer(r, b->mdl, 0, b->length, true, BY_GET);
	r->ops->PutDmaAdapter(r->adapter);
	rig_describe(&dd, r->kind);
	r->adapter = IoGetDmaAdapter(r->object, &dd, &r->registers);
	REQUIRE(t, r->adapter);
	r->ops = r->adapter->DmaOperations;
	request_transfer(r, b->mdl, 0, b->length, true, BY_GET);
}

/* Adapters come and go faster than they are freed. */
static void many(struct nttest *t, struct rig *r)
{
	DEVICE_DESCRIPTION dd;
	PDMA_ADAPTER adapter;
	ULONG n;
	int i;

	rig_describe(&dd, r->kind);
	for (i = 0; i < 20; i++) {
		adapter = IoGetDmaAdapter(r->object, &dd, &n);
		REQUIRE(t, adapter);
		EXPECT_EQ(t, n, r->registers);
		adapter->DmaOperations->PutDmaAdapter(adapter);
	}
}

static const struct nttest_case cases[] = {
	{ "EC-21 PutDmaAdapter at DISPATCH_LEVEL", .run_on = ec_21 },
	{ "EC-22 put with a common buffer: it stays valid until freed",
	  .run_on = ec_22_common },
	{ "EC-22 put with a list: it stays valid until put", .run_on = ec_22_list },
	{ "EC-22 put with map registers", .run_on = ec_22_registers },
	{ "EC-22 put with a waiter", .run_on = ec_22_waiter },
	{ "S1 bad input: put twice", .run_on = put_twice },
	{ "S1 bad input: put of nothing", .run_on = put_nothing },
	{ "S26 stop and restart", .run_on = s26 },
	{ "S26 adapters come and go", .run_on = many },
	{ }
};

const struct nttest_suite nttest_put = {
	.name = "put",
	.cases = cases,
};
