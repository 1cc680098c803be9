// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that fail, all of them, for as long as a case lasts.
 *
 * MapTransfer has no status: under registers it works all the same, and so does
 * MapTransferEx. Lists wait or report.
 *
 * Where real mappings cannot fail adapters prepare for nothing; the cases open
 * theirs as if they could, so that they show the same on every machine.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

#define SETS	3

static struct request *whole(struct rig *r, struct buffer *b, bool write)
{
	return piece_request(r, b->mdl, mdl_pages(b->mdl, 0, b->length), write);
}

/* The same by AllocateAdapterChannelEx in either form. */
static struct request *whole_ex(struct rig *r, struct buffer *b, bool write,
				bool sync)
{
	ULONG registers = mdl_pages(b->mdl, 0, b->length);
	struct request *q;

	if (!sync)
		return piece_request_ex(r, b->mdl, registers, 0, write);
	q = piece_new(r, b->mdl, registers, write);
	return q && EXPECT_EQ(r->t, request_allocate_sync(q), STATUS_SUCCESS) ?
	       q : NULL;
}

/* Several sets of registers, all mapped before the first is flushed. */
static void sets(struct rig *r, enum buffer_shape shape, size_t length)
{
	struct request *q[SETS];
	struct buffer *b;
	int i;

	for (i = 0; i < SETS; i++) {
		b = buffer_new(r, shape, 0x123 * i, length);
		q[i] = b ? whole(r, b, i & 1) : NULL;
		REQUIRE(r->t, q[i]);
	}
	ntdma_fail_nth(-2);
	for (i = 0; i < SETS; i++)
		REQUIRE(r->t, piece_map_all(q[i], 0, length));
	for (i = SETS - 1; i >= 0; i--) {
		piece_flush(q[i], 0, length);
		request_check_memory(q[i]);
	}
	/* The registers serve again, the other way round. */
	for (i = 0; i < SETS; i++) {
		q[i]->write = !q[i]->write;
		request_prepare(q[i]);
		REQUIRE(r->t, piece_map_all(q[i], 0, length));
		piece_flush(q[i], 0, length);
		request_check_memory(q[i]);
	}
	ntdma_fail_nth(0);
	for (i = 0; i < SETS; i++)
		request_release(q[i]);
}

static void several_sets(struct nttest *t, struct rig *r)
{
	enum buffer_shape shape;

	for (shape = SCATTERED; shape < SHAPES && !t->failed; shape++)
		sets(r, shape, 4 * PAGE_SIZE + 77);
}

/* Every byte moves, though mappings fail if @fails says so. */
static bool moves(struct request *q, bool fails)
{
	ntdma_fail_nth(fails ? -2 : 0);
	if (!EXPECT(q->r->t, piece_map_all(q, 0, q->length)))
		return false;
	ntdma_fail_nth(0);
	piece_flush(q, 0, q->length);
	request_check_memory(q);
	return true;
}

/* As much as the adapter grants, in one set. */
static void all_registers(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 1,
				      (r->registers - 1) * PAGE_SIZE);
	struct request *q;
	int dir;

	REQUIRE(t, b);
	for (dir = 0; dir < 2; dir++) {
		q = whole(r, b, dir);
		REQUIRE(t, q && moves(q, true));
		request_release(q);
		request_free(q);
	}
}

/* More registers than the adapter was opened with pages to copy through. */
static void large(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 1,
				      (r->registers - 1) * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = whole(r, b, false);
	REQUIRE(t, q && moves(q, true));
	/* The same where nothing fails, the other way round. */
	q->write = true;
	request_prepare(q);
	REQUIRE(t, moves(q, false));
	request_release(q);
}

static int granted_now(void *arg)
{
	struct request *q = arg;

	return q->base || request_allocate_sync(q) == STATUS_SUCCESS;
}

/*
 * There is no memory at first for the pages of so many registers: who waits gets
 * them once there is, who does not wait is refused.
 */
static void short_of_memory(struct nttest *t, struct rig *r)
{
	struct rig *other;
	struct request *q;

	if (r->registers <= SZ_2M / PAGE_SIZE) {
		nttest_skip(t, "as many pages as registers from the start");
		return;
	}
	q = request_channel(r, r->registers, DeallocateObjectKeepRegisters);
	REQUIRE(t, q);
	/* First the registers, then the pages. */
	ntdma_fail_nth(2);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	EXPECT(t, ntdma_fail_hit());
	ntdma_fail_nth(0);
	EXPECT_EQ(t, q->early, 0);
	EXPECT(t, request_ran(q));
	request_release(q);

	ntdma_fail_expect(true);
	other = rig_open(t, r->kind);
	ntdma_fail_expect(false);
	REQUIRE(t, other);
	q = request_channel(other, other->registers, KeepObject);
	if (EXPECT(t, q)) {
		ntdma_fail_nth(2);
		EXPECT_EQ(t, request_allocate_sync(q),
			  STATUS_INSUFFICIENT_RESOURCES);
		EXPECT(t, ntdma_fail_hit());
		ntdma_fail_nth(0);
		EXPECT(t, rig_wait(granted_now, q));
		request_release(q);
	}
	rig_close(other);
}

static int has_run(void *arg)
{
	struct request *q = arg;

	return atomic_read(&q->calls);
}

#define CROWD	400
#define SMALL	3

/* Takes registers until a request has to wait; how many requests that were. */
static int crowd(struct rig *r, struct request **q)
{
	int n;

	for (n = 0; n < CROWD; n++) {
		q[n] = request_channel(r, r->registers,
				       DeallocateObjectKeepRegisters);
		if (!q[n] || !EXPECT_EQ(r->t, request_allocate(q[n]),
					STATUS_SUCCESS))
			return 0;
		if (!has_run(q[n]))
			return n + 1;
	}
	EXPECT(r->t, n < CROWD);
	return 0;
}

/* Who waits for pages of the reserve is served in order. */
static void waiting(struct nttest *t, struct rig *r)
{
	struct request **q = kvcalloc(CROWD + SMALL, sizeof(*q), GFP_KERNEL);
	int i, n;

	REQUIRE(t, q);
	n = crowd(r, q);
	if (EXPECT(t, n > 1)) {
		/* A big one waits; for small ones there may be enough. */
		for (i = n; i < n + SMALL; i++) {
			q[i] = request_channel(r, 1, DeallocateObjectKeepRegisters);
			EXPECT_EQ(t, request_allocate(q[i]), STATUS_SUCCESS);
			EXPECT_EQ(t, has_run(q[i]), 0);
		}
		for (i = 0; i < n + SMALL; i++) {
			EXPECT(t, rig_wait(has_run, q[i]));
			EXPECT_EQ(t, q[i]->turn, i + 1);
			request_release(q[i]);
		}
	}
	kvfree(q);
}

/* The reserve has pages for four transfers of the length in the description. */
static void sized(struct nttest *t, struct rig *r)
{
	struct request **q = kvcalloc(CROWD, sizeof(*q), GFP_KERNEL);
	ULONG most = SZ_1M / PAGE_SIZE;
	int i, n;

	REQUIRE(t, q);
	EXPECT_EQ(t, r->registers, r->kind->length / PAGE_SIZE + 1);
	n = crowd(r, q);
	EXPECT_EQ(t, n, min(4 * r->registers, most) / r->registers + 1);
	for (i = 0; i < n; i++) {
		EXPECT(t, rig_wait(has_run, q[i]));
		request_release(q[i]);
	}
	kvfree(q);
}

#define OTHERS	40

/* A transfer of all registers; false when it has to wait for them. */
static bool fill(struct rig *r, struct request **q)
{
	struct buffer *b = buffer_new(r, SCATTERED, 1,
				      (r->registers - 1) * PAGE_SIZE);

	*q = b ? piece_new(r, b->mdl, r->registers, true) : NULL;
	return *q && EXPECT_EQ(r->t, request_allocate(*q), STATUS_SUCCESS) &&
	       has_run(*q);
}

/*
 * Registers of the Ex routine have pages of their own: what is mapped under them
 * takes none from those who were promised all that there are.
 */
static void promised(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x55, 3 * PAGE_SIZE);
	struct request *ex, *q[OTHERS];
	int i, n;

	REQUIRE(t, b);
	ex = whole_ex(r, b, true, false);
	REQUIRE(t, ex);
	for (n = 0; n < OTHERS && fill(r, &q[n]); n++)
		;
	REQUIRE(t, n && n < OTHERS && q[n]);
	ntdma_fail_nth(-2);
	EXPECT(t, piece_map_all(ex, 0, b->length));
	for (i = 0; i < n; i++)
		EXPECT(t, piece_map_all(q[i], 0, q[i]->length));
	ntdma_fail_nth(0);
	piece_flush(ex, 0, b->length);
	request_release(ex);
	for (i = 0; i < n; i++) {
		piece_flush(q[i], 0, q[i]->length);
		request_release(q[i]);
	}
	EXPECT(t, rig_wait(has_run, q[n]));
	request_release(q[n]);
}

/* Lists claim nothing: they run while the last register is taken. */
static void lists(struct nttest *t, struct rig *r)
{
	struct request **q = kvcalloc(CROWD, sizeof(*q), GFP_KERNEL);
	struct buffer *b = buffer_new(r, NEAR, 0, PAGE_SIZE);
	struct request *list, *probe;
	bool copied;
	int i, n;

	REQUIRE(t, q && b);
	list = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, list && request_list(list, BY_GET));
	copied = !bus_is_page(&r->bus, list->list->Elements[0].Address.QuadPart,
			      b->pages[0]);
	request_move(list);
	request_put(list);
	n = copied ? 0 : crowd(r, q);
	if (n) {
		/* Nothing may be in the queue, where a list would wait, too. */
		request_release(q[0]);
		EXPECT(t, rig_wait(has_run, q[n - 1]));
		probe = request_new(r, b->mdl, 0, b->length, false);
		EXPECT(t, probe && request_list(probe, BY_GET));
		if (probe && probe->list) {
			request_move(probe);
			request_put(probe);
			request_check_memory(probe);
		}
		for (i = 1; i < n; i++)
			request_release(q[i]);
	} else if (copied) {
		nttest_skip(t, "every page is copied");
	}
	kvfree(q);
}

/* A shape of memory of which every piece is copied, or all in one run. */
static void copied_ex(struct rig *r, enum buffer_shape shape, bool write,
		      bool sync)
{
	struct buffer *b = buffer_new(r, shape, 0x55, 3 * PAGE_SIZE);
	struct request *q = b ? whole_ex(r, b, write, sync) : NULL;
	ULONG at, done;

	REQUIRE(r->t, q);
	ntdma_fail_nth(-2);
	for (at = 0; at < q->length; at += done) {
		done = piece_map_ex(q, at, q->length - at, 8);
		REQUIRE(r->t, done);
		piece_flush_ex(q, at, done);
	}
	ntdma_fail_nth(0);
	request_check_memory(q);
	request_prepare(q);
	EXPECT_EQ(r->t, piece_map_ex(q, 0, q->length, 8), q->length);
	piece_flush_ex(q, 0, q->length);
	request_check_memory(q);
	request_release(q);
}

static void ex_maps(struct nttest *t, struct rig *r)
{
	enum buffer_shape shape;
	int form;

	for (shape = SCATTERED; shape < SHAPES; shape++)
		for (form = 0; form < 4 && !t->failed; form++)
			copied_ex(r, shape, form & 1, form & 2);
}

/* MapTransfer under registers of AllocateAdapterChannelEx. */
static void mixed(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x55, 3 * PAGE_SIZE);
	struct request *q;
	int form;

	REQUIRE(t, b);
	for (form = 0; form < 4 && !t->failed; form++) {
		q = whole_ex(r, b, form & 1, form & 2);
		REQUIRE(t, q && moves(q, true));
		request_prepare(q);
		REQUIRE(t, moves(q, false));
		request_release(q);
	}
}

static const struct rig_kind v1_mega[] = {
	{ .name = "version 1, 64 bits, 1 MiB", .version = 1, .width = 64,
	  .length = SZ_1M },
	{ .name = "version 2, 64 bits, 16 MiB", .version = 2, .width = 64,
	  .length = SZ_16M },
	{ .name = "version 1, 32 bits, one run, 1 MiB", .version = 1,
	  .width = 32, .single = true, .length = SZ_1M },
	{ }
};

/* What four of them take is more than the least there is of the reserve. */
static const struct rig_kind some_lengths[] = {
	{ .name = "64 bits, 16 pages", .version = 3, .width = 64,
	  .length = 16 * PAGE_SIZE },
	{ .name = "28 bits, 16 pages", .version = 3, .width = 28,
	  .length = 16 * PAGE_SIZE },
	{ .name = "64 bits, 33 pages", .version = 3, .width = 64,
	  .length = 33 * PAGE_SIZE },
	{ .name = "28 bits, 33 pages", .version = 3, .width = 28,
	  .length = 33 * PAGE_SIZE },
	{ }
};

static const struct rig_kind v3_large[] = {
	{ .name = "64 bits, 1 MiB", .version = 3, .width = 64, .length = SZ_1M },
	{ .name = "64 bits, 4 MiB", .version = 3, .width = 64, .length = SZ_4M },
	{ .name = "28 bits, 4 MiB", .version = 3, .width = 28, .length = SZ_4M },
	{ .name = "64 bits, one run, 4 MiB", .version = 3, .width = 64,
	  .single = true, .length = SZ_4M },
	{ }
};

static const struct rig_kind v3_large_lists[] = {
	{ .name = "64 bits, 4 MiB", .version = 3, .width = 64, .length = SZ_4M },
	{ }
};

static const struct nttest_case cases[] = {
	{ "S22 several sets while every mapping fails",
	  .run_on = several_sets, .failing = true },
	{ "S22 several sets while every mapping fails, version 1",
	  .run_on = several_sets, .kinds = rig_v1, .failing = true },
	{ "EC-43 all registers while every mapping fails",
	  .run_on = all_registers, .failing = true },
	{ "EC-43 all registers of large transfers", .run_on = all_registers,
	  .kinds = v1_mega, .failing = true },
	{ "EC-43 all registers of version 3 while every mapping fails",
	  .run_on = large, .kinds = v3_large, .failing = true },
	{ "EC-43 no memory yet for so many registers",
	  .run_on = short_of_memory, .kinds = v3_large_lists, .failing = true },
	{ "EC-54 who waits for the reserve is served in order",
	  .run_on = waiting, .failing = true },
	{ "EC-54 pages for four transfers of the description", .run_on = sized,
	  .kinds = some_lengths, .failing = true },
	{ "EC-54 pages of the reserve are nobody else's", .run_on = promised,
	  .failing = true },
	{ "EC-136 lists do not wait for the reserve", .run_on = lists,
	  .kinds = rig_wide, .failing = true },
	{ "S9 MapTransferEx while every mapping fails", .run_on = ex_maps,
	  .failing = true },
	{ "S10 MapTransfer under registers of the Ex routine",
	  .run_on = mixed, .failing = true },
	{ }
};

const struct nttest_suite nttest_failing = {
	.name = "failing",
	.cases = cases,
};
