// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that take their time: the driver goes on, and ends the transfer when
 * the device interrupts, not before. Until then nothing may have come, and
 * what the device is to read must stay.
 *
 * What has to be seen in between is held behind a gate; no case depends on
 * how long anything takes.
 */
#include <linux/slab.h>
#include "../glue.h"
#include "piece.h"

#define TRANSFERS	6

/**
 * struct late - a transfer under way
 * @q: the request
 * @post: what the device does
 * @pieces: the addresses that were mapped, of MapTransfer
 */
struct late {
	struct request *q;
	struct bus_post post;
	PSCATTER_GATHER_LIST pieces;
};

static bool late_start(struct late *l, PSCATTER_GATHER_LIST list,
		       struct completion *gate, unsigned int delay,
		       void (*interrupt)(struct bus_post *post))
{
	struct request *q = l->q;

	l->post.bus = &q->r->bus;
	l->post.size = q->length;
	l->post.to_memory = !q->write;
	l->post.gate = gate;
	l->post.delay = delay;
	l->post.interrupt = interrupt;
	l->post.arg = l;
	l->post.buf = kvzalloc(q->length, GFP_KERNEL);
	if (!EXPECT(q->r->t, l->post.buf))
		return false;
	if (!q->write)
		memcpy(l->post.buf, q->image, q->length);
	return EXPECT(q->r->t, bus_post(&l->post, list));
}

/* All has come, and both sides have the same bytes. */
static void late_end(struct late *l)
{
	struct nttest *t = l->q->r->t;

	if (!EXPECT(t, bus_over(&l->post)))
		return;
	EXPECT_EQ(t, l->post.moved, l->q->length);
	if (l->q->write)
		pattern_same(t, "the late device", l->post.buf, l->q->image,
			     l->q->length);
	request_check_memory(l->q);
	kvfree(l->post.buf);
	kfree(l->pieces);
}

static void put_list(struct bus_post *post)
{
	struct late *l = post->arg;

	EXPECT_EQ(l->q->r->t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	request_put(l->q);
}

/* Several lists at once, which end in another order than they began. */
static void lists(struct nttest *t, struct rig *r)
{
	static const unsigned int delay[TRANSFERS] = { 3000, 200, 1500, 0, 900, 50 };
	struct late late[TRANSFERS] = {};
	struct buffer *b;
	int i, n;

	for (n = 0; n < TRANSFERS && !t->failed; n++) {
		b = buffer_new(r, n % SHAPES, 0x123, 2 * PAGE_SIZE + 7);
		if (!b)
			break;
		late[n].q = request_new(r, b->mdl, 0, b->length, n % 2);
		if (!late[n].q || !request_list(late[n].q, BY_GET) ||
		    !late_start(&late[n], late[n].q->list, NULL, delay[n],
				put_list))
			break;
	}
	EXPECT_EQ(t, n, TRANSFERS);
	for (i = 0; i < n; i++)
		late_end(&late[i]);
}

static bool untouched(struct request *q)
{
	u8 *seen = kvmalloc(q->length, GFP_KERNEL);
	bool same = false;
	ULONG i;

	if (!seen)
		return false;
	mdl_fetch(q->mdl, 0, seen, q->length);
	for (i = 0; i < q->length && seen[i] == (u8)~q->image[i]; i++)
		;
	same = i == q->length;
	kvfree(seen);
	return same;
}

/* Nothing comes before the device writes it, and all before the put ends. */
static void read_gate(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 3 * PAGE_SIZE);
	DECLARE_COMPLETION_ONSTACK(gate);
	struct late late = {};
	bool started;

	REQUIRE(t, b);
	late.q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, late.q && request_list(late.q, BY_GET));
	started = late_start(&late, late.q->list, &gate, 0, put_list);
	EXPECT(t, untouched(late.q));
	complete(&gate);
	if (started)
		late_end(&late);
}

/* What the device is to read stays until it does, whatever goes on beside. */
static void write_gate(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 3 * PAGE_SIZE);
	struct buffer *other = buffer_new(r, SCATTERED, 0x10, 3 * PAGE_SIZE);
	DECLARE_COMPLETION_ONSTACK(gate);
	struct late late = {};
	bool started;

	REQUIRE(t, b && other);
	late.q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, late.q && request_list(late.q, BY_GET));
	started = late_start(&late, late.q->list, &gate, 0, put_list);
	request_transfer(r, other->mdl, 0, other->length, true, BY_GET);
	request_transfer(r, other->mdl, 0, other->length, false, BY_GET);
	complete(&gate);
	if (started)
		late_end(&late);
}

static void flush_pieces(struct bus_post *post)
{
	struct late *l = post->arg;

	EXPECT_EQ(l->q->r->t, KeGetCurrentIrql(), DISPATCH_LEVEL);
	piece_flush(l->q, 0, l->q->length);
	request_release(l->q);
}

/* All runs that MapTransfer makes of the request, for the device. */
static bool map_pieces(struct late *l)
{
	PSCATTER_GATHER_LIST list;
	struct request *q = l->q;
	ULONG done = 0, length;
	u64 la;

	list = kzalloc(struct_size(list, Elements, q->registers), GFP_KERNEL);
	l->pieces = list;
	if (!EXPECT(q->r->t, list))
		return false;
	for (; done < q->length; done += length) {
		PSCATTER_GATHER_ELEMENT e = &list->Elements[list->NumberOfElements];

		if (!EXPECT(q->r->t, list->NumberOfElements < q->registers))
			return false;
		length = piece_map_only(q, done, q->length - done, &la);
		if (!EXPECT(q->r->t, length))
			return false;
		e->Address.QuadPart = la;
		e->Length = length;
		list->NumberOfElements++;
	}
	return true;
}

/* Packets under registers of their own, ended by the device's interrupt. */
static void packets(struct nttest *t, struct rig *r)
{
	static const unsigned int delay[] = { 700, 0, 300 };
	struct late late[ARRAY_SIZE(delay)] = {};
	struct buffer *b;
	int i, n;

	for (n = 0; n < ARRAY_SIZE(delay) && !t->failed; n++) {
		b = buffer_new(r, n % SHAPES, 0x321, 2 * PAGE_SIZE + 1);
		if (!b)
			break;
		late[n].q = piece_request(r, b->mdl, b->npages, n % 2);
		if (!late[n].q || !map_pieces(&late[n]) ||
		    !late_start(&late[n], late[n].pieces, NULL, delay[n],
				flush_pieces))
			break;
	}
	EXPECT_EQ(t, n, ARRAY_SIZE(delay));
	for (i = 0; i < n; i++)
		late_end(&late[i]);
}

static const struct nttest_case cases[] = {
	{ "S7 lists put by the interrupts of a late device", .run_on = lists },
	{ "S7 EC-87 nothing comes before the device", .run_on = read_gate },
	{ "S7 EC-86 what a late device reads stays", .run_on = write_gate },
	{ "S2 S4 EC-113 packets flushed by interrupts", .run_on = packets },
	{ }
};

const struct nttest_suite nttest_late = {
	.name = "late",
	.cases = cases,
};
