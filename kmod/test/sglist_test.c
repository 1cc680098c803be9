// SPDX-License-Identifier: GPL-2.0
/*
 * GetScatterGatherList and PutScatterGatherList: contract section G and
 * scenario S7.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "buffer.h"
#include "hooks.h"
#include "request.h"

static void both_ways(struct rig *r, PMDL mdl, u64 offset, ULONG length)
{
	request_transfer(r, mdl, offset, length, true, BY_GET);
	request_transfer(r, mdl, offset, length, false, BY_GET);
}

/* Submits what must be refused with @status, the routine staying silent. */
static void expect_refused(struct request *q, enum producer how, NTSTATUS status)
{
	struct nttest *t = q->r->t;

	EXPECT_EQ(t, request_submit(q, how), status);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT(t, !q->list);
}

static void refuse_range(struct rig *r, PMDL mdl, ULONG length, NTSTATUS status)
{
	struct request *q = request_new(r, mdl, 0, length, true);

	if (!q)
		return;
	expect_refused(q, BY_GET, status);
	request_free(q);
}

static void s7(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x123, 5 * PAGE_SIZE + 77);

	REQUIRE(t, b);
	both_ways(r, b->mdl, 0, b->length);
}

static void s7_shape(struct nttest *t, struct rig *r, enum buffer_shape shape)
{
	static const size_t offsets[] = { 0, 1, 0x7ff, 0xfff };
	struct buffer *b;
	int i;

	for (i = 0; i < ARRAY_SIZE(offsets) && !t->failed; i++) {
		b = buffer_new(r, shape, offsets[i], 4 * PAGE_SIZE - 1);
		REQUIRE(t, b);
		both_ways(r, b->mdl, 0, b->length);
		both_ways(r, b->mdl, 0, 1);
		both_ways(r, b->mdl, b->length - 1, 1);
		both_ways(r, b->mdl, 3, PAGE_SIZE);
		both_ways(r, b->mdl, PAGE_SIZE - 1, 2);
		buffer_free(b);
	}
}

static void s7_scattered(struct nttest *t, struct rig *r)
{
	s7_shape(t, r, SCATTERED);
}

static void s7_run(struct nttest *t, struct rig *r)
{
	s7_shape(t, r, RUN);
}

static void s7_near(struct nttest *t, struct rig *r)
{
	s7_shape(t, r, NEAR);
}

static void s7_mixed(struct nttest *t, struct rig *r)
{
	s7_shape(t, r, MIXED);
}

/* An MDL over memory of the kernel's other allocators. */
static void memory_transfer(struct rig *r, void *memory, size_t length)
{
	PMDL mdl = IoAllocateMdl(memory, length, FALSE, FALSE, NULL);

	if (!EXPECT(r->t, mdl))
		return;
	MmBuildMdlForNonPagedPool(mdl);
	both_ways(r, mdl, 0, length);
	IoFreeMdl(mdl);
}

static void s7_vmalloc(struct nttest *t, struct rig *r)
{
	void *memory = vmalloc(4 * PAGE_SIZE);

	REQUIRE(t, memory);
	memory_transfer(r, memory + 33, 4 * PAGE_SIZE - 44);
	vfree(memory);
}

static void s7_slab(struct nttest *t, struct rig *r)
{
	static const size_t sizes[] = { 1, 8, 60, 200, 1500, 5000 };
	void *memory;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memory = kmalloc(sizes[i], GFP_KERNEL);
		REQUIRE(t, memory);
		memory_transfer(r, memory, sizes[i]);
		kfree(memory);
	}
}

static void user_transfer(struct rig *r, unsigned long at, size_t length, bool write)
{
	PMDL mdl = IoAllocateMdl((PVOID)at, length, FALSE, FALSE, NULL);

	if (!EXPECT(r->t, mdl))
		return;
	MmProbeAndLockPages(mdl, UserMode, write ? IoReadAccess : IoWriteAccess);
	if (EXPECT(r->t, mdl->MdlFlags & MDL_PAGES_LOCKED)) {
		request_transfer(r, mdl, 0, length, write, BY_GET);
		MmUnlockPages(mdl);
	}
	IoFreeMdl(mdl);
}

static void s7_user(struct nttest *t, struct rig *r)
{
	size_t length = 4 * PAGE_SIZE;
	unsigned long at;

	at = vm_mmap(NULL, 0, length, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	REQUIRE(t, !IS_ERR_VALUE(at));
	user_transfer(r, at + 0x55, length - 0x66, true);
	user_transfer(r, at + 0x55, length - 0x66, false);
	vm_munmap(at, length);
}

static void s7_passive(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 9, 3 * PAGE_SIZE);

	REQUIRE(t, b);
	r->passive = true;
	both_ways(r, b->mdl, 0, b->length);
}

static void ec_130(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x200, RIG_LENGTH - PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_GET));
	EXPECT_EQ(t, q->list->NumberOfElements, 1);
	EXPECT_EQ(t, q->list->Elements[0].Length, b->length);
	request_move(q);
	request_put(q);
}

/* @n lists alive at once, data moved in all, put in the order of @turn. */
static void many_lists(struct rig *r, int n, int step)
{
	struct request *q[4] = { };
	struct buffer *b;
	int i, k;

	for (i = 0; i < n; i++) {
		b = buffer_new(r, SCATTERED, 0x11 * i, 2 * PAGE_SIZE + i);
		q[i] = b ? request_new(r, b->mdl, 0, b->length, i & 1) : NULL;
		if (!q[i] || !request_list(q[i], BY_GET))
			return;
	}
	for (i = 0; i < n; i++)
		request_move(q[i]);
	for (i = 0, k = 0; i < n; i++, k = (k + step) % n) {
		request_put(q[k]);
		request_check_memory(q[k]);
	}
}

static void ec_131(struct nttest *t, struct rig *r)
{
	many_lists(r, 2, 1);
}

static void ec_156(struct nttest *t, struct rig *r)
{
	many_lists(r, 4, 3);
}

static void submit_other(struct request *q)
{
	struct request *other = q->arg;

	EXPECT_EQ(q->r->t, request_submit(other, BY_GET), STATUS_SUCCESS);
}

static void ec_132(struct nttest *t, struct rig *r)
{
	struct buffer *a = buffer_new(r, SCATTERED, 0, PAGE_SIZE + 5);
	struct buffer *b = buffer_new(r, SCATTERED, 7, PAGE_SIZE);
	struct request *first, *second;

	REQUIRE(t, a && b);
	first = request_new(r, a->mdl, 0, a->length, true);
	second = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, first && second);
	first->hook = submit_other;
	first->arg = second;
	REQUIRE(t, request_list(first, BY_GET) && request_ran(second));
	request_move(first);
	request_move(second);
	request_put(first);
	request_put(second);
	request_check_memory(second);
}

static void put_inside(struct request *q)
{
	request_move(q);
	request_put(q);
}

static void put_in_routine(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x40, 2 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q);
	q->hook = put_inside;
	EXPECT_EQ(t, request_submit(q, BY_GET), STATUS_SUCCESS);
	REQUIRE(t, request_ran(q));
	request_check_memory(q);
}

#define DEEP	1000

static void submit_and_put(struct request *q)
{
	stack_note(q);
	if (q->arg)
		submit_other(q);
	request_put(q);
}

/* Each list asks for the next one before its own routine ends. */
static void ec_132_deep(struct nttest *t, struct rig *r)
{
	struct request **q = kvcalloc(DEEP, sizeof(*q), GFP_KERNEL);
	struct buffer *b = buffer_new(r, SCATTERED, 0, 16);
	int i;

	REQUIRE(t, b && q);
	for (i = 0; i < DEEP; i++) {
		q[i] = request_new(r, b->mdl, 0, b->length, true);
		if (!q[i])
			break;
		q[i]->hook = submit_and_put;
		if (i)
			q[i - 1]->arg = q[i];
	}
	stack_begin();
	if (EXPECT_EQ(t, i, DEEP)) {
		EXPECT_EQ(t, request_submit(q[0], BY_GET), STATUS_SUCCESS);
		for (i = 0; i < DEEP; i++)
			if (!request_ran(q[i]))
				break;
		EXPECT(t, stack_span() < STACK_BOUND);
	}
	kvfree(q);
}

static void ec_133(struct nttest *t, struct rig *r)
{
	struct buffer *b;

	b = buffer_new(r, SCATTERED, 0, ((size_t)r->registers + 1) * PAGE_SIZE);
	REQUIRE(t, b);
	refuse_range(r, b->mdl, b->length, STATUS_INSUFFICIENT_RESOURCES);
	/* As many bytes as N pages hold, but one page more. */
	b = buffer_new(r, SCATTERED, 1, (size_t)r->registers * PAGE_SIZE);
	REQUIRE(t, b);
	refuse_range(r, b->mdl, b->length, STATUS_INSUFFICIENT_RESOURCES);
}

static void exactly_n(struct nttest *t, struct rig *r)
{
	struct buffer *b;

	b = buffer_new(r, SCATTERED, 0, (size_t)r->registers * PAGE_SIZE);
	REQUIRE(t, b);
	both_ways(r, b->mdl, 0, b->length);
}

static void ec_134(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { PAGE_SIZE, 0x100 };
	PMDL mdl = buffer_chain(r, offset, length, 2);

	REQUIRE(t, mdl);
	refuse_range(r, mdl, length[0] + length[1] + 1, STATUS_BUFFER_TOO_SMALL);
	refuse_range(r, mdl, length[0] + length[1] + PAGE_SIZE,
		     STATUS_BUFFER_TOO_SMALL);
}

/* Too long for the chain and for the grant: either status is right. */
static void far_too_long(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0xfff, PAGE_SIZE);
	struct request *q;
	NTSTATUS status;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, 0xffffffff, true);
	REQUIRE(t, q);
	status = request_submit(q, BY_GET);
	EXPECT(t, status == STATUS_BUFFER_TOO_SMALL ||
	       status == STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

static void no_length(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, 0, true);
	REQUIRE(t, q);
	EXPECT(t, !NT_SUCCESS(request_submit(q, BY_GET)));
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

/* CurrentVa before, at the end of and behind the first MDL. */
static void va_outside(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, PAGE_SIZE, PAGE_SIZE);
	static const ptrdiff_t distance[] = {
		-1, -(ptrdiff_t)PAGE_SIZE, PAGE_SIZE, PAGE_SIZE + 1, 1 << 30
	};
	struct request *q;
	NTSTATUS status;
	int i;

	REQUIRE(t, b);
	for (i = 0; i < ARRAY_SIZE(distance); i++) {
		q = request_new(r, b->mdl, 0, 1, true);
		REQUIRE(t, q);
		status = r->ops->GetScatterGatherList(r->adapter, r->object, b->mdl,
						      MmGetMdlVirtualAddress(b->mdl) +
						      distance[i], 1,
						      request_list_routine, q, TRUE);
		EXPECT(t, !NT_SUCCESS(status));
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
	}
}

/* Where the first MDL ends the next one begins, but not its addresses. */
static void va_at_end(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { 0x100, 0x200 };
	PMDL mdl = buffer_chain(r, offset, length, 2);
	struct request *q;

	REQUIRE(t, mdl);
	q = request_new(r, mdl, 0, 1, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->GetScatterGatherList(r->adapter, r->object, mdl,
					       MmGetMdlVirtualAddress(mdl) + 0x100,
					       1, request_list_routine, q, TRUE));
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

/* An MDL that nobody has locked or built describes no frames. */
static void no_frames(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;
	SHORT flags;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	flags = b->mdl->MdlFlags;
	b->mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
			      MDL_PARTIAL);
	EXPECT_EQ(t, request_submit(q, BY_GET), STATUS_INVALID_PARAMETER);
	b->mdl->MdlFlags = flags;
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

static void no_routine(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	NTSTATUS status;

	REQUIRE(t, b);
	status = r->ops->GetScatterGatherList(r->adapter, r->object, b->mdl,
					      MmGetMdlVirtualAddress(b->mdl), 1,
					      NULL, NULL, TRUE);
	EXPECT_EQ(t, status, STATUS_INVALID_PARAMETER);
}

static void no_mdl(struct nttest *t, struct rig *r)
{
	struct request *q = request_new(r, NULL, 0, 1, true);
	NTSTATUS status;

	REQUIRE(t, q);
	status = r->ops->GetScatterGatherList(r->adapter, r->object, NULL, NULL, 1,
					      request_list_routine, q, TRUE);
	EXPECT(t, !NT_SUCCESS(status));
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

static void ec_135(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0xffe, 0, 0x10 };
	const size_t length[] = { 3, 2 * PAGE_SIZE, PAGE_SIZE + 1 };
	PMDL mdl = buffer_chain(r, offset, length, 3);

	REQUIRE(t, mdl);
	both_ways(r, mdl, 0, mdl_bytes(mdl));
	both_ways(r, mdl, 1, mdl_bytes(mdl) - 2);
}

static void chain_over_n(struct nttest *t, struct rig *r)
{
	size_t each = (size_t)r->registers * PAGE_SIZE / 2;
	const size_t length[] = { each, each, PAGE_SIZE };
	const size_t offset[] = { 0, 0, 0 };
	PMDL mdl = buffer_chain(r, offset, length, 3);

	REQUIRE(t, mdl);
	refuse_range(r, mdl, mdl_bytes(mdl), STATUS_INSUFFICIENT_RESOURCES);
}

/* MDLs of no bytes at the start, in the middle and at the end of a chain. */
static void empty_mdls(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 1, 0x10, 0x20, 0, 0x30, 5 };
	const size_t length[] = { 10, 0, 0, PAGE_SIZE + 10, 20, 0 };
	PMDL mdl = buffer_chain(r, offset, length, 6);

	REQUIRE(t, mdl);
	both_ways(r, mdl, 0, mdl_bytes(mdl));
	both_ways(r, mdl, 9, 2);
	both_ways(r, mdl, 9, mdl_bytes(mdl) - 9);
}

static void ec_136(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q, *channel;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	channel = request_channel(r, 1, DeallocateObject);
	REQUIRE(t, q && channel && request_list(q, BY_GET));
	EXPECT_EQ(t, request_allocate(channel), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&channel->calls), 1);
	request_move(q);
	request_put(q);
	request_check_memory(q);
}

/* While somebody owns the channel a list waits, and then it comes. */
static void waits_for_channel(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x30, 2 * PAGE_SIZE);
	struct request *held = request_hold(r), *q;

	REQUIRE(t, b && held);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, request_submit(q, BY_GET), STATUS_SUCCESS);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	request_release(held);
	REQUIRE(t, request_ran(q));
	request_check_list(q);
	request_move(q);
	request_put(q);
}

#define CROWD	33

/* More lists than any pool has pages for, the last a small one: in order. */
static void in_order(struct nttest *t, struct rig *r)
{
	struct request *q[CROWD];
	struct buffer *b;
	int i;

	for (i = 0; i < CROWD; i++) {
		b = buffer_new(r, SCATTERED, 0, i < CROWD - 1 ? RIG_LENGTH : 100);
		q[i] = b ? request_new(r, b->mdl, 0, b->length, true) : NULL;
		REQUIRE(t, q[i]);
		EXPECT_EQ(t, request_submit(q[i], BY_GET), STATUS_SUCCESS);
	}
	for (i = 0; i < CROWD; i++) {
		REQUIRE(t, request_ran(q[i]));
		EXPECT_EQ(t, q[i]->turn, i + 1);
		request_check_list(q[i]);
		request_move(q[i]);
		request_put(q[i]);
	}
}

static void count_fragments(struct rig *r, unsigned int n)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, (size_t)n * PAGE_SIZE);

	if (!b)
		return;
	if (n <= r->registers)
		both_ways(r, b->mdl, 0, b->length);
	else
		refuse_range(r, b->mdl, b->length, STATUS_INSUFFICIENT_RESOURCES);
	buffer_free(b);
}

static void fragments(struct nttest *t, struct rig *r)
{
	static const unsigned int counts[] = { 1, 16, 17, 48, 49, 256 };
	int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++)
		count_fragments(r, counts[i]);
}

static const struct rig_kind unlimited[] = {
	{ .name = "64 bits, 4 GiB", .version = 3, .width = 64, .length = 0xffffffff },
	{ }
};

/* Comes whole or is refused, never short and never silently lost. */
static void ten_thousand(struct nttest *t, struct rig *r)
{
	count_fragments(r, 10000);
}

static void ec_155(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x99, 3 * PAGE_SIZE);
	size_t size;
	void *before;

	REQUIRE(t, b);
	size = MmSizeOfMdl(MmGetMdlVirtualAddress(b->mdl), b->length);
	before = kmemdup(b->mdl, size, GFP_KERNEL);
	REQUIRE(t, before);
	both_ways(r, b->mdl, 0, b->length);
	EXPECT(t, !memcmp(before, b->mdl, size));
	both_ways(r, b->mdl, 0, b->length);
	kfree(before);
}

/* The direction of Put is wrong: what the list was made for counts. */
static void wrong_direction(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x99, 3 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	request_move(q);
	r->ops->PutScatterGatherList(r->adapter, q->list, TRUE);
	q->list = NULL;
	request_check_memory(q);
}

/* Clients edit the list and the MDL while they are mapped. */
static void edited(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x99, 3 * PAGE_SIZE);
	struct request *q;
	ULONG i;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	request_move(q);
	for (i = 0; i < q->list->NumberOfElements; i++)
		memset(&q->list->Elements[i], 0xff, sizeof(q->list->Elements[i]));
	q->list->NumberOfElements = 0xffffffff;
	b->mdl->ByteCount = 1;
	request_put(q);
	b->mdl->ByteCount = b->length;
	request_check_memory(q);
}

static void double_put(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 3, 2 * PAGE_SIZE);
	long refused = ntdma_refused();
	PSCATTER_GATHER_LIST list;
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	list = q->list;
	request_move(q);
	request_put(q);
	EXPECT_EQ(t, ntdma_refused(), refused);
	r->ops->PutScatterGatherList(r->adapter, list, FALSE);
	EXPECT_EQ(t, ntdma_refused(), refused + 1);
	request_check_memory(q);
}

static void foreign_put(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 3, 2 * PAGE_SIZE);
	struct rig *other = rig_open(t, r->kind);
	long refused = ntdma_refused();
	struct request *q;

	REQUIRE(t, b && other);
	q = request_new(r, b->mdl, 0, b->length, false);
	if (q && request_list(q, BY_GET)) {
		other->ops->PutScatterGatherList(other->adapter, q->list, FALSE);
		EXPECT_EQ(t, ntdma_refused(), refused + 1);
		request_move(q);
		request_put(q);
		request_check_memory(q);
	}
	rig_close(other);
}

static void put_garbage(struct nttest *t, struct rig *r)
{
	SCATTER_GATHER_LIST *list = kzalloc(sizeof(*list), GFP_KERNEL);
	long refused = ntdma_refused();

	REQUIRE(t, list);
	r->ops->PutScatterGatherList(r->adapter, NULL, TRUE);
	r->ops->PutScatterGatherList(r->adapter, list, TRUE);
	EXPECT_EQ(t, ntdma_refused(), refused + 2);
	kfree(list);
}

/* GetScatterGatherList allocates once, BuildScatterGatherList never. */
static void sweep(struct nttest *t, struct rig *r)
{
	struct buffer *mixed = buffer_new(r, MIXED, 0x77, 5 * PAGE_SIZE);
	struct buffer *page = buffer_new(r, NEAR, 0, PAGE_SIZE);
	enum producer how;
	int write, least;

	REQUIRE(t, mixed && page);
	for (how = BY_GET; how <= BY_BUILD; how++) {
		for (write = 0; write < 2; write++) {
			least = (how == BY_GET) + !rig_copies(r);
			EXPECT(t, request_sweep(r, mixed, how, write) >=
			       (how == BY_GET));
			EXPECT(t, request_sweep(r, page, how, write) >= least);
		}
	}
}

/*
 * A list that cannot be mapped waits and is tried again. What it was granted
 * is free meanwhile: were anything lost each time, the last would wait for ever.
 */
static void waits_for_mapping(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0, 4 * PAGE_SIZE);
	struct request *q;
	int i;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_make_room(q, request_list_size(q)));
	for (i = 0; i < 50 && !t->failed; i++) {
		ntdma_fail_nth(-2);
		EXPECT_EQ(t, request_submit(q, BY_BUILD), STATUS_SUCCESS);
		ntdma_fail_nth(0);
		REQUIRE(t, request_ran(q));
		request_check_list(q);
		request_move(q);
		request_put(q);
	}
}

static const struct nttest_case cases[] = {
	{ "S7 a list moves every byte both ways", .run_on = s7 },
	{ "S7 version 1 adapters", .run_on = s7, .kinds = rig_v1 },
	{ "S7 30 and 36 bits", .run_on = s7, .kinds = rig_odd },
	{ "S7 scattered pages, every kind of start and length", .run_on = s7_scattered },
	{ "S7 one run of pages", .run_on = s7_run },
	{ "S7 pages in reach", .run_on = s7_near },
	{ "S7 pages in and out of reach in one list", .run_on = s7_mixed },
	{ "S7 vmalloc memory", .run_on = s7_vmalloc },
	{ "S7 slab memory", .run_on = s7_slab },
	{ "S7 user memory", .run_on = s7_user },
	{ "S7 calls at PASSIVE_LEVEL are tolerated", .run_on = s7_passive },
	{ "EC-130 one element without scatter/gather", .run_on = ec_130,
	  .kinds = rig_single },
	{ "EC-131 two lists alive at once", .run_on = ec_131 },
	{ "EC-132 a list from inside the list routine", .run_on = ec_132 },
	{ "EC-132 put from inside the list routine", .run_on = put_in_routine },
	{ "EC-132 1000 nested lists on a bounded stack", .run_on = ec_132_deep,
	  .kinds = rig_lists },
	{ "EC-133 more pages than N", .run_on = ec_133 },
	{ "EC-133 exactly N pages", .run_on = exactly_n },
	{ "EC-134 length beyond the chain", .run_on = ec_134 },
	{ "EC-134 length 0xffffffff", .run_on = far_too_long },
	{ "EC-134 bad input: length 0", .run_on = no_length },
	{ "EC-134 bad input: CurrentVa outside the first MDL", .run_on = va_outside },
	{ "EC-134 bad input: CurrentVa at the end of the first MDL",
	  .run_on = va_at_end },
	{ "EC-134 bad input: an MDL without frames", .run_on = no_frames },
	{ "EC-134 bad input: no routine", .run_on = no_routine },
	{ "EC-134 bad input: no MDL", .run_on = no_mdl },
	{ "EC-135 one list over a chain", .run_on = ec_135 },
	{ "EC-135 a chain of more pages than N", .run_on = chain_over_n },
	{ "EC-135 MDLs of no bytes are passed over", .run_on = empty_mdls },
	{ "EC-136 the adapter is free while the list is mapped", .run_on = ec_136 },
	{ "S7 a list waits for the channel", .run_on = waits_for_channel },
	{ "S7 lists come in order when pages run short", .run_on = in_order },
	{ "S7 1 to 256 fragments", .run_on = fragments, .kinds = rig_mega },
	{ "S7 10000 fragments", .run_on = ten_thousand, .kinds = unlimited },
	{ "EC-155 the caller's MDL is not changed", .run_on = ec_155 },
	{ "EC-156 lists put in another order", .run_on = ec_156 },
	{ "S7 put with the wrong direction", .run_on = wrong_direction },
	{ "S7 list and MDL edited while mapped", .run_on = edited },
	{ "S7 bad input: put twice", .run_on = double_put },
	{ "S7 bad input: put to another adapter", .run_on = foreign_put },
	{ "S7 bad input: put of what is no list", .run_on = put_garbage },
	{ "S7 every allocation and mapping fails once", .run_on = sweep },
	{ "S7 a list that cannot be mapped waits", .run_on = waits_for_mapping,
	  .failing = true },
	{ }
};

const struct nttest_suite nttest_sglist = {
	.name = "sglist",
	.cases = cases,
};
