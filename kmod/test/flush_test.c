// SPDX-License-Identifier: GPL-2.0
/*
 * FlushDmaBuffer: EC-195, scenario S27.
 *
 * In the middle of a transfer both sides see what the other wrote once the
 * buffer was flushed, also where pages are copied, and the mapping goes on.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "buffer.h"
#include "piece.h"

#define FLUSHES		100

static void flush(struct rig *r, PMDL mdl, BOOLEAN read)
{
	KIRQL old = rig_raise();

	EXPECT_EQ(r->t, r->ops->FlushDmaBuffer(r->adapter, mdl, read),
		  STATUS_SUCCESS);
	KeLowerIrql(old);
}

/* What the CPU writes after the mapping was made reaches the device. */
static void list_to_device(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x234, 3 * PAGE_SIZE);
	struct request *q;
	int turn;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_GET));
	for (turn = 0; turn < 3; turn++) {
		request_prepare(q);
		flush(r, b->mdl, FALSE);
		request_move(q);
	}
	request_put(q);
	request_check_memory(q);
}

/* What the device wrote is there before the list is put. */
static void list_from_device(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x234, 3 * PAGE_SIZE);
	struct request *q;
	int turn;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	for (turn = 0; turn < 3; turn++) {
		pattern_fill(q->image, b->length, 195 + turn);
		request_move(q);
		flush(r, b->mdl, TRUE);
		request_check_memory(q);
	}
	request_put(q);
	request_check_memory(q);
}

/* A flush for the other direction leaves what the device wrote. */
static void other_direction(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x234, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	request_move(q);
	flush(r, b->mdl, FALSE);
	request_put(q);
	request_check_memory(q);
}

/* What the device wrote to the memory of one MDL, mapped by way of another. */
static void read_beside(struct nttest *t, struct request *q, PMDL mdl,
			u64 offset)
{
	size_t length = mdl_bytes(mdl);
	u8 *seen = kmalloc(length, GFP_KERNEL);

	REQUIRE(t, seen);
	flush(q->r, mdl, TRUE);
	mdl_fetch(mdl, 0, seen, length);
	pattern_same(t, "memory", seen, q->image + offset, length);
	kfree(seen);
}

static void other_mdl(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x234, 0x120 };
	size_t length[] = { 2 * PAGE_SIZE, 3 * PAGE_SIZE };
	PMDL mdl = buffer_chain(r, offset, length, 2), part;
	struct request *q;

	REQUIRE(t, mdl);
	part = IoAllocateMdl(MmGetMdlVirtualAddress(mdl->Next),
			     mdl->Next->ByteCount, FALSE, FALSE, NULL);
	REQUIRE(t, part);
	IoBuildPartialMdl(mdl->Next, part,
			  MmGetMdlVirtualAddress(mdl->Next) + PAGE_SIZE,
			  PAGE_SIZE);
	q = request_new(r, mdl, 0, mdl_bytes(mdl), false);
	if (EXPECT(t, q) && request_list(q, BY_GET)) {
		request_move(q);
		read_beside(t, q, part, length[0] + PAGE_SIZE);
		read_beside(t, q, mdl->Next, length[0]);
		request_put(q);
		request_check_memory(q);
	}
	IoFreeMdl(part);
}

static void registers(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, PAGE_SIZE - 0x20);
	struct request *q;
	ULONG length;
	u8 seen[64];
	u64 la;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 1, true);
	REQUIRE(t, q);
	length = piece_map_only(q, 0, b->length, &la);
	REQUIRE(t, EXPECT_EQ(t, length, b->length));
	request_prepare(q);
	flush(r, b->mdl, FALSE);
	EXPECT_EQ(t, bus_read(&r->bus, la, seen, sizeof(seen)), 0);
	pattern_same(t, "the device", seen, q->image, sizeof(seen));
	piece_device(q, 0, la, length);
	piece_flush(q, 0, length);
	request_release(q);
}

/**
 * struct flusher - a thread that flushes an MDL without end
 * @r: the adapter
 * @mdl: the MDL
 * @flushes: how often
 * @failed: how often with another status than success
 */
struct flusher {
	struct rig *r;
	PMDL mdl;
	long flushes;
	long failed;
};

static int flusher_thread(void *data)
{
	struct flusher *f = data;
	struct rig *r = f->r;
	NTSTATUS status;

	while (!kthread_should_stop()) {
		status = r->ops->FlushDmaBuffer(r->adapter, f->mdl, TRUE);
		WRITE_ONCE(f->failed, f->failed + !!status);
		WRITE_ONCE(f->flushes, f->flushes + 1);
		cond_resched();
	}
	return 0;
}

static int flusher_is_through(void *data)
{
	return READ_ONCE(((struct flusher *)data)->flushes) >= FLUSHES;
}

/* Gets, uses and puts a list over a part of what is being flushed. */
static void put_once(struct nttest *t, struct request *q, u8 *seen)
{
	REQUIRE(t, request_list(q, BY_GET));
	request_move(q);
	request_put(q);
	mdl_fetch(q->mdl, q->offset, seen, q->length);
	pattern_same(t, "memory", seen, q->image + q->offset, q->length);
}

/* One list of the MDL stays, another comes and goes while it is flushed. */
static void put_beside(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x234, 4 * PAGE_SIZE);
	struct flusher f = { .r = r };
	struct request *kept, *q;
	struct task_struct *thread;
	u8 *seen;
	int i;

	REQUIRE(t, b);
	kept = request_new(r, b->mdl, 0, PAGE_SIZE, false);
	q = request_new(r, b->mdl, PAGE_SIZE, 2 * PAGE_SIZE, false);
	REQUIRE(t, kept && q && request_list(kept, BY_GET));
	seen = kmalloc(q->length, GFP_KERNEL);
	f.mdl = b->mdl;
	thread = kthread_run(flusher_thread, &f, "nttest_flush");
	if (EXPECT(t, !IS_ERR(thread)) && EXPECT(t, seen)) {
		for (i = 0; i < FLUSHES && !t->failed; i++) {
			put_once(t, q, seen);
			cond_resched();
		}
		EXPECT(t, rig_wait(flusher_is_through, &f));
	}
	if (!IS_ERR(thread))
		kthread_stop(thread);
	EXPECT_EQ(t, f.failed, 0);
	kfree(seen);
	request_put(kept);
}

/* Nothing is mapped: nothing to do, whatever the MDL describes. */
static void s27(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	u8 before[64];

	REQUIRE(t, b);
	pattern_fill(b->va, b->length, 27);
	memcpy(before, b->va, sizeof(before));
	flush(r, b->mdl, TRUE);
	flush(r, b->mdl, FALSE);
	pattern_same(t, "memory", b->va, before, sizeof(before));
	EXPECT_EQ(t, r->ops->FlushDmaBuffer(r->adapter, NULL, FALSE),
		  STATUS_INVALID_PARAMETER);
}

/* Cached memory where the platform is not coherent, else like any other. */
static void common_buffer(struct nttest *t, struct rig *r)
{
	MEMORY_CACHING_TYPE cached = MmCached;
	u8 image[300], seen[300];
	PHYSICAL_ADDRESS la;
	PMDL mdl;
	u8 *va;

	va = r->ops->AllocateCommonBufferWithBounds(r->adapter, NULL, NULL,
						    3 * PAGE_SIZE, 0, &cached,
						    0, &la);
	REQUIRE(t, va);
	mdl = IoAllocateMdl(va, 3 * PAGE_SIZE, FALSE, FALSE, NULL);
	if (EXPECT(t, mdl)) {
		u64 at = la.QuadPart + PAGE_SIZE - 100;

		MmBuildMdlForNonPagedPool(mdl);
		EXPECT(t, !memchr_inv(va, 0, 3 * PAGE_SIZE));
		pattern_fill(image, sizeof(image), 1);
		memcpy(va + PAGE_SIZE - 100, image, sizeof(image));
		flush(r, mdl, FALSE);
		EXPECT_EQ(t, bus_read(&r->bus, at, seen, sizeof(seen)), 0);
		pattern_same(t, "the device", seen, image, sizeof(seen));
		pattern_fill(image, sizeof(image), 2);
		EXPECT_EQ(t, bus_write(&r->bus, at, image, sizeof(image)), 0);
		flush(r, mdl, TRUE);
		pattern_same(t, "the processor", va + PAGE_SIZE - 100, image,
			     sizeof(image));
		IoFreeMdl(mdl);
	}
	r->ops->FreeCommonBuffer(r->adapter, 3 * PAGE_SIZE, la, va, TRUE);
}

static const struct nttest_case cases[] = {
	{ "EC-195 a list, from the processor to the device",
	  .run_on = list_to_device },
	{ "EC-195 a list, from the device to the processor",
	  .run_on = list_from_device },
	{ "EC-195 against the direction", .run_on = other_direction },
	{ "EC-195 a later MDL of a chain, and one over a part of it",
	  .run_on = other_mdl },
	{ "EC-195 map registers", .run_on = registers },
	{ "EC-195 while another list of the MDL is put",
	  .run_on = put_beside, .kinds = rig_lists },
	{ "S27 nothing is mapped", .run_on = s27 },
	{ "S27 EC-171 a cached common buffer", .run_on = common_buffer },
	{ }
};

const struct nttest_suite nttest_flush = {
	.name = "flush",
	.cases = cases,
};
