// SPDX-License-Identifier: GPL-2.0
/*
 * GetScatterGatherListEx and BuildScatterGatherListEx: contract section G,
 * scenarios S13 and S14.
 */
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "buffer.h"
#include "hooks.h"
#include "request.h"

#define SYNC	DMA_SYNCHRONOUS_CALLBACK

/* The call with any combination of arguments, at DISPATCH_LEVEL. */
static NTSTATUS call(struct request *q, bool build, ULONG flags,
		     PDRIVER_LIST_CONTROL routine, PSCATTER_GATHER_LIST *list)
{
	struct rig *r = q->r;
	NTSTATUS status;
	KIRQL old;

	if (build && !q->room && !request_make_room(q, request_list_size(q)))
		return STATUS_NO_MEMORY;
	old = rig_raise();
	if (build)
		status = r->ops->BuildScatterGatherListEx(r->adapter, r->object,
							  q->context, q->mdl,
							  q->offset, q->length, flags,
							  routine, q, q->write,
							  q->room, q->size, NULL,
							  NULL, list);
	else
		status = r->ops->GetScatterGatherListEx(r->adapter, r->object,
							q->context, q->mdl,
							q->offset, q->length, flags,
							routine, q, q->write, NULL,
							NULL, list);
	KeLowerIrql(old);
	return status;
}

static struct request *page_request(struct rig *r, size_t length, bool write)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, length);

	return b ? request_new(r, b->mdl, 0, length, write) : NULL;
}

static void all_producers(struct rig *r, PMDL mdl, u64 offset, ULONG length)
{
	enum producer how;

	for (how = 0; how < PRODUCERS && !r->t->failed; how++) {
		/* Those of version 1 and 2 start in the first MDL. */
		if (how < BY_GET_EX && offset >= MmGetMdlByteCount(mdl))
			continue;
		request_transfer(r, mdl, offset, length, true, how);
		request_transfer(r, mdl, offset, length, false, how);
		if (r->t->failed)
			nttest_note(r->t, "producer %d, offset %llu, length %u",
				    how, offset, length);
	}
}

static void s13(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0xffe, 0x7, 0 };
	const size_t length[] = { 3, 2 * PAGE_SIZE, PAGE_SIZE + 1 };
	PMDL mdl = buffer_chain(r, offset, length, 3);

	REQUIRE(t, mdl);
	all_producers(r, mdl, 0, mdl_bytes(mdl));
	all_producers(r, mdl, 2, 2);
	all_producers(r, mdl, 3, 2 * PAGE_SIZE);
	all_producers(r, mdl, 3 + PAGE_SIZE, PAGE_SIZE + 1);
	all_producers(r, mdl, mdl_bytes(mdl) - 1, 1);
}

static void s13_empty(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0, 0xffe, 0x7, 0, 0 };
	const size_t length[] = { 0, 300, 0, 0, PAGE_SIZE };
	PMDL mdl = buffer_chain(r, offset, length, 5);

	REQUIRE(t, mdl);
	all_producers(r, mdl, 300, PAGE_SIZE);
	all_producers(r, mdl, 1, PAGE_SIZE);
}

static void s13_passive(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 9, 2 * PAGE_SIZE);

	REQUIRE(t, b);
	r->passive = true;
	all_producers(r, b->mdl, 1, b->length - 1);
}

/* The list pointer may be asked for besides the routine. */
static void async_with_list(struct nttest *t, struct rig *r)
{
	int build;

	for (build = 0; build < 2; build++) {
		struct request *q = page_request(r, 2 * PAGE_SIZE, true);
		PSCATTER_GATHER_LIST list = NULL;

		REQUIRE(t, q);
		EXPECT_EQ(t, call(q, build, 0, request_list_routine, &list),
			  STATUS_SUCCESS);
		REQUIRE(t, request_ran(q));
		EXPECT(t, list == q->list);
		request_move(q);
		request_put(q);
	}
}

static void s14(struct nttest *t, struct rig *r)
{
	static const int order[] = { 2, 0, 5, 4, 1, 3 };
	struct request *q[6];
	struct buffer *b;
	int i;

	for (i = 0; i < 6; i++) {
		b = buffer_new(r, SCATTERED, 0x40 * i, PAGE_SIZE + 100);
		q[i] = b ? request_new(r, b->mdl, 0, b->length, i & 1) : NULL;
		REQUIRE(t, q[i]);
		REQUIRE(t, request_list(q[i], i < 4 ? BY_BUILD_SYNC : BY_GET_SYNC));
		request_check_list(q[i]);
	}
	for (i = 0; i < 6; i++)
		request_move(q[i]);
	for (i = 0; i < 6; i++) {
		request_put(q[order[i]]);
		request_check_memory(q[order[i]]);
	}
}

/* Released only at the end, and after a build that failed. */
static void s14_after_failure(struct nttest *t, struct rig *r)
{
	struct request *q = page_request(r, PAGE_SIZE, true);
	PSCATTER_GATHER_LIST list = NULL;

	REQUIRE(t, q && request_make_room(q, 20));
	EXPECT_EQ(t, call(q, true, SYNC, NULL, &list), STATUS_BUFFER_TOO_SMALL);
	r->ops->FreeAdapterObject(r->adapter, DeallocateObjectKeepRegisters);
	r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
	EXPECT(t, request_make_room(q, request_list_size(q)));
	REQUIRE(t, request_list(q, BY_BUILD_SYNC));
	request_move(q);
	request_put(q);
}

/* Without a routine the channel is held until FreeAdapterObject. */
static void s14_holds(struct nttest *t, struct rig *r)
{
	struct request *channel = request_channel(r, 1, DeallocateObject);
	struct request *q = page_request(r, PAGE_SIZE, true);

	REQUIRE(t, channel && q);
	EXPECT_EQ(t, call(q, false, SYNC, NULL, &q->list), STATUS_SUCCESS);
	EXPECT_EQ(t, request_allocate(channel), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&channel->calls), 0);
	r->ops->FreeAdapterObject(r->adapter, KeepObject);
	EXPECT_EQ(t, atomic_read(&channel->calls), 0);
	r->ops->FreeAdapterObject(r->adapter, DeallocateObjectKeepRegisters);
	EXPECT(t, request_ran(channel));
	request_move(q);
	request_put(q);
}

/*
 * What is released by Put alone, as some drivers do it, is all released, be
 * FreeAdapterObject called behind it or not.
 */
static void s14_put_first(struct nttest *t, struct rig *r)
{
	struct request *channel = request_channel(r, 1, DeallocateObject);
	struct request *q = page_request(r, PAGE_SIZE, false);
	int way;

	REQUIRE(t, channel && q);
	for (way = 0; way < 2; way++) {
		request_prepare(q);
		EXPECT_EQ(t, call(q, false, SYNC, NULL, &q->list),
			  STATUS_SUCCESS);
		request_move(q);
		request_put(q);
		request_check_memory(q);
		if (!way)
			r->ops->FreeAdapterObject(r->adapter,
						  DeallocateObjectKeepRegisters);
		EXPECT_EQ(t, request_allocate(channel), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&channel->calls), 1);
	}
}

static void refuse_forms(struct rig *r, ULONG flags, bool with_list)
{
	PSCATTER_GATHER_LIST list = NULL;
	struct request *q;
	int build;

	for (build = 0; build < 2; build++) {
		q = page_request(r, PAGE_SIZE, true);
		if (!q)
			return;
		EXPECT_EQ(r->t, call(q, build, flags, NULL, with_list ? &list : NULL),
			  STATUS_INVALID_PARAMETER);
		EXPECT(r->t, !list);
		/* The context is free for the next request. */
		if (request_list(q, BY_BUILD_EX))
			request_put(q);
	}
}

static void ec_146(struct nttest *t, struct rig *r)
{
	refuse_forms(r, SYNC, false);
}

static void ec_147(struct nttest *t, struct rig *r)
{
	refuse_forms(r, 0, false);
	refuse_forms(r, 0, true);
}

static void ec_148(struct nttest *t, struct rig *r)
{
	struct request *held = request_hold(r), *q;
	PSCATTER_GATHER_LIST list = NULL;
	int build, with_routine;

	REQUIRE(t, held);
	q = page_request(r, PAGE_SIZE, true);
	REQUIRE(t, q);
	for (build = 0; build < 2; build++)
		for (with_routine = 0; with_routine < 2; with_routine++) {
			EXPECT_EQ(t, call(q, build, SYNC,
					  with_routine ? request_list_routine : NULL,
					  &list),
				  STATUS_INSUFFICIENT_RESOURCES);
			EXPECT(t, !list);
		}
	request_release(held);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	REQUIRE(t, request_list(q, BY_BUILD_SYNC));
	request_put(q);
}

static void expect_status(struct rig *r, PMDL mdl, u64 offset, ULONG length,
			  NTSTATUS status)
{
	static const enum producer hows[] = {
		BY_GET_EX, BY_BUILD_EX, BY_GET_SYNC, BY_BUILD_SYNC
	};
	struct request *q = request_new(r, mdl, offset, length, true);
	int i;

	if (!q || !request_make_room(q, SZ_64K))
		return;
	for (i = 0; i < ARRAY_SIZE(hows); i++) {
		EXPECT_EQ(r->t, request_submit(q, hows[i]), status);
		EXPECT_EQ(r->t, atomic_read(&q->calls), 0);
		EXPECT(r->t, !q->list);
	}
	request_free(q);
}

static void ec_149(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { 2 * PAGE_SIZE, 0x100 };
	PMDL mdl = buffer_chain(r, offset, length, 2);
	u64 end = length[0] + length[1];

	REQUIRE(t, mdl);
	expect_status(r, mdl, 0, 0, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, end, 1, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, end, 0, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, end - 1, 2, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, 0, end + 1, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, 0, 0xffffffff, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, 1, 0xffffffff, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, U64_MAX, 1, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, U64_MAX, 0xffffffff, STATUS_INVALID_PARAMETER);
	expect_status(r, mdl, 1ULL << 32, 1, STATUS_INVALID_PARAMETER);
	expect_status(r, NULL, 0, 1, STATUS_INVALID_PARAMETER);
}

static void over_n(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0,
				      ((size_t)r->registers + 1) * PAGE_SIZE);

	REQUIRE(t, b);
	expect_status(r, b->mdl, 0, b->length, STATUS_INSUFFICIENT_RESOURCES);
}

static void no_context(struct nttest *t, struct rig *r)
{
	struct request *q = page_request(r, PAGE_SIZE, true);
	void *context;

	REQUIRE(t, q);
	context = q->context;
	q->context = NULL;
	EXPECT(t, !NT_SUCCESS(call(q, false, 0, request_list_routine, NULL)));
	EXPECT(t, !NT_SUCCESS(call(q, true, SYNC, NULL, &q->list)));
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT(t, !q->list);
	q->context = context;
}

static void ec_150(struct nttest *t, struct rig *r)
{
	struct request *q = page_request(r, 3 * PAGE_SIZE, false), *other;

	REQUIRE(t, q && request_list(q, BY_GET_SYNC));
	/* The adapter serves others meanwhile. */
	other = page_request(r, 2 * PAGE_SIZE, true);
	REQUIRE(t, other && request_list(other, BY_GET));
	request_move(other);
	request_put(other);
	request_finish(q);
}

static void ec_151(struct nttest *t, struct rig *r)
{
	struct request *q = page_request(r, PAGE_SIZE, true);

	REQUIRE(t, q && request_list(q, BY_BUILD_SYNC));
	EXPECT(t, (void *)q->list == q->room);
	request_put(q);
	REQUIRE(t, request_list(q, BY_BUILD_EX));
	EXPECT(t, (void *)q->list == q->room);
	request_put(q);
}

static void ec_152(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x100, 5 * PAGE_SIZE);
	struct request *q;
	ULONG size;
	int i;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	size = request_list_size(q);
	for (i = 0; i < 3; i++) {
		REQUIRE(t, request_make_room(q, i == 0 ? size - 1 : i == 1 ? 39 : 16));
		memset(q->room, 0xcc, q->size);
		EXPECT_EQ(t, request_submit(q, BY_BUILD_EX), STATUS_BUFFER_TOO_SMALL);
		EXPECT_EQ(t, request_submit(q, BY_BUILD_SYNC), STATUS_BUFFER_TOO_SMALL);
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
		EXPECT(t, !q->list);
		EXPECT(t, !memchr_inv(q->room, 0xcc, q->size));
	}
}

/* Synchronous with a routine: done when the call returns, by this thread. */
static void ec_153(struct nttest *t, struct rig *r)
{
	int build, with_list;

	for (build = 0; build < 2; build++)
		for (with_list = 0; with_list < 2; with_list++) {
			struct request *q = page_request(r, 2 * PAGE_SIZE, false);
			PSCATTER_GATHER_LIST list = NULL;

			REQUIRE(t, q);
			EXPECT_EQ(t, call(q, build, SYNC, request_list_routine,
					  with_list ? &list : NULL),
				  STATUS_SUCCESS);
			REQUIRE(t, atomic_read(&q->calls) == 1);
			EXPECT(t, q->thread == current);
			EXPECT(t, request_ran(q));
			EXPECT(t, !with_list || list == q->list);
			request_finish(q);
		}
}

/* After the routine of a synchronous call the channel is free again. */
static void sync_leaves_free(struct nttest *t, struct rig *r)
{
	struct request *q = page_request(r, PAGE_SIZE, true), *channel;

	channel = request_channel(r, 1, DeallocateObject);
	REQUIRE(t, q && channel);
	EXPECT_EQ(t, call(q, false, SYNC, request_list_routine, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, request_allocate(channel), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&channel->calls), 1);
	request_put(q);
}

static void ec_64(struct nttest *t, struct rig *r)
{
	struct request *q = page_request(r, PAGE_SIZE, true);
	enum producer how;

	REQUIRE(t, q);
	for (how = BY_GET_EX; how < PRODUCERS; how++) {
		request_prepare(q);
		REQUIRE(t, request_list(q, how));
		request_move(q);
		request_put(q);
	}
}

static void ec_139_ex(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x777, 5 * PAGE_SIZE);
	static const enum producer hows[] = { BY_BUILD_EX, BY_BUILD_SYNC };
	struct request *q;
	int i;

	REQUIRE(t, b);
	for (i = 0; i < 2; i++) {
		q = request_new(r, b->mdl, 0, b->length, i);
		REQUIRE(t, q && request_make_room(q, request_list_size(q)));
		ntdma_fail_nth(-1);
		if (request_list(q, hows[i])) {
			request_move(q);
			request_put(q);
			request_check_memory(q);
		}
		ntdma_fail_nth(0);
	}
}

/* DMA_ZERO_BUFFERS, DMA_FAIL_ON_BOUNCE and bits without a name change nothing. */
static void other_flags(struct nttest *t, struct rig *r)
{
	static const ULONG flags[] = {
		DMA_ZERO_BUFFERS, DMA_FAIL_ON_BOUNCE, ~(ULONG)7, ~SYNC, ~(ULONG)0,
	};
	struct request *q;
	int i;

	for (i = 0; i < 2 * ARRAY_SIZE(flags) && !t->failed; i++) {
		q = page_request(r, 3 * PAGE_SIZE, i & 1);
		REQUIRE(t, q);
		EXPECT_EQ(t, call(q, i & 1, flags[i / 2], request_list_routine,
				  NULL), STATUS_SUCCESS);
		REQUIRE(t, request_ran(q));
		request_finish(q);
	}
}

static void sweep(struct nttest *t, struct rig *r)
{
	struct buffer *mixed = buffer_new(r, MIXED, 0x77, 5 * PAGE_SIZE);
	struct buffer *page = buffer_new(r, NEAR, 0, PAGE_SIZE);
	int form, least;
	enum producer how;

	REQUIRE(t, mixed && page);
	for (form = 0; form < 2 * (PRODUCERS - BY_GET_EX); form++) {
		how = BY_GET_EX + form / 2;
		least = how == BY_GET_EX || how == BY_GET_SYNC;
		EXPECT(t, request_sweep(r, mixed, how, form & 1) >= least);
		EXPECT(t, request_sweep(r, page, how, form & 1) >=
		       least + !rig_copies(r));
	}
}

static void double_put(struct nttest *t, struct rig *r)
{
	struct request *q = page_request(r, PAGE_SIZE, true);
	long refused = ntdma_refused();

	REQUIRE(t, q && request_list(q, BY_BUILD_SYNC));
	request_put(q);
	r->ops->PutScatterGatherList(r->adapter, q->room, TRUE);
	EXPECT_EQ(t, ntdma_refused(), refused + 1);
}

static const struct nttest_case cases[] = {
	{ "S13 all ways to a list, offsets anywhere in a chain", .run_on = s13 },
	{ "S13 MDLs of no bytes in the chain", .run_on = s13_empty },
	{ "S13 calls at PASSIVE_LEVEL are tolerated", .run_on = s13_passive },
	{ "S13 the list pointer besides the routine", .run_on = async_with_list },
	{ "S14 many lists without a routine, put in any order", .run_on = s14 },
	{ "S14 FreeAdapterObject after a failed build", .run_on = s14_after_failure },
	{ "S14 the channel is held until FreeAdapterObject", .run_on = s14_holds },
	{ "S14 put before FreeAdapterObject", .run_on = s14_put_first },
	{ "EC-146 synchronous with neither routine nor list pointer",
	  .run_on = ec_146 },
	{ "EC-147 no routine without the flag", .run_on = ec_147 },
	{ "EC-148 synchronous on a busy adapter", .run_on = ec_148 },
	{ "EC-149 ranges outside the chain", .run_on = ec_149 },
	{ "EC-133 more pages than N", .run_on = over_n },
	{ "S13 bad input: no context", .run_on = no_context },
	{ "EC-150 the list outlives the channel", .run_on = ec_150 },
	{ "EC-151 the list is the caller's memory", .run_on = ec_151 },
	{ "EC-152 memory too small", .run_on = ec_152 },
	{ "EC-153 synchronous with a routine", .run_on = ec_153 },
	{ "EC-153 the channel is free after the routine", .run_on = sync_leaves_free },
	{ "EC-64 the same context again", .run_on = ec_64 },
	{ "EC-139 build when every allocation fails", .run_on = ec_139_ex },
	{ "S13 flags that mean nothing here", .run_on = other_flags },
	{ "S13 every allocation and mapping fails once", .run_on = sweep },
	{ "S14 bad input: put twice", .run_on = double_put },
	{ }
};

const struct nttest_suite nttest_sglistex = {
	.name = "sglistex",
	.cases = cases,
};
