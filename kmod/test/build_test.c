// SPDX-License-Identifier: GPL-2.0
/*
 * What version 2 added: CalculateScatterGatherList, BuildScatterGatherList
 * and BuildMdlFromScatterGatherList. Contract section G, scenarios S8 and S23.
 */
#include <linux/irqflags.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "buffer.h"
#include "hooks.h"
#include "request.h"

/* Header and @n elements, without what the system wants besides. */
static u64 list_bytes(u64 n)
{
	return sizeof(SCATTER_GATHER_LIST) + n * sizeof(SCATTER_GATHER_ELEMENT);
}

static NTSTATUS calculate(struct rig *r, PMDL mdl, PVOID va, ULONG length,
			  ULONG *size, ULONG *registers)
{
	*size = 0;
	*registers = 0;
	return r->ops->CalculateScatterGatherList(r->adapter, mdl, va, length,
						  size, registers);
}

/* The size for any buffer of @length bytes. */
static ULONG worst_size(struct rig *r, ULONG length)
{
	ULONG size, registers;

	EXPECT_EQ(r->t, calculate(r, NULL, NULL, length, &size, &registers),
		  STATUS_SUCCESS);
	return size;
}

static void ec_140(struct nttest *t, struct rig *r)
{
	ULONG length = r->registers * (ULONG)PAGE_SIZE, size, registers;

	EXPECT_EQ(t, calculate(r, NULL, NULL, length, &size, &registers),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, registers, r->registers);
	EXPECT(t, size >= list_bytes(r->kind->single ? 1 : r->registers));
	EXPECT_EQ(t, calculate(r, NULL, (PVOID)(16 * PAGE_SIZE), length, &size,
			       &registers), STATUS_SUCCESS);
	EXPECT_EQ(t, registers, r->registers);
}

static void ec_141(struct nttest *t, struct rig *r)
{
	ULONG size, registers;

	EXPECT_EQ(t, calculate(r, NULL, (PVOID)(PAGE_SIZE - 1), 2, &size,
			       &registers), STATUS_SUCCESS);
	EXPECT_EQ(t, registers, 2);
	EXPECT(t, size >= list_bytes(r->kind->single ? 1 : 2));
}

static void ec_142(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 10, PAGE_SIZE);
	ULONG size = 0;

	REQUIRE(t, b);
	EXPECT_EQ(t, STATUS_SUCCESS,
		  r->ops->CalculateScatterGatherList(r->adapter, NULL, NULL, 100,
						     &size, NULL));
	EXPECT(t, size >= list_bytes(1));
	EXPECT_EQ(t, STATUS_SUCCESS,
		  r->ops->CalculateScatterGatherList(r->adapter, b->mdl,
						     MmGetMdlVirtualAddress(b->mdl),
						     b->length, &size, NULL));
	EXPECT(t, size >= list_bytes(r->kind->single ? 1 : 2));
}

static void expect_resources(struct rig *r, PMDL mdl, PVOID va, ULONG length)
{
	ULONG size, registers;

	EXPECT_EQ(r->t, calculate(r, mdl, va, length, &size, &registers),
		  STATUS_INSUFFICIENT_RESOURCES);
}

static void ec_143(struct nttest *t, struct rig *r)
{
	ULONG length = r->registers * (ULONG)PAGE_SIZE;
	struct buffer *b = buffer_new(r, SCATTERED, 0, length + PAGE_SIZE);

	REQUIRE(t, b);
	expect_resources(r, NULL, NULL, length + 1);
	expect_resources(r, NULL, (PVOID)1, length);
	expect_resources(r, NULL, NULL, 0xffffffff);
	expect_resources(r, NULL, (PVOID)(PAGE_SIZE - 1), 0xffffffff);
	expect_resources(r, b->mdl, MmGetMdlVirtualAddress(b->mdl), length + 1);
}

static void ec_144(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x50, PAGE_SIZE);
	ULONG size, registers;
	NTSTATUS status;

	REQUIRE(t, b);
	EXPECT_EQ(t, calculate(r, b->mdl, MmGetMdlVirtualAddress(b->mdl),
			       b->length + PAGE_SIZE + 1, &size, &registers),
		  STATUS_BUFFER_TOO_SMALL);
	status = calculate(r, b->mdl, MmGetMdlVirtualAddress(b->mdl), 0xffffffff,
			   &size, &registers);
	EXPECT(t, status == STATUS_BUFFER_TOO_SMALL ||
	       status == STATUS_INSUFFICIENT_RESOURCES);
}

static void chain_need(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0xffe, 0, 5 };
	const size_t length[] = { 3, 0, PAGE_SIZE };
	PMDL mdl = buffer_chain(r, offset, length, 3);
	ULONG size, registers;

	REQUIRE(t, mdl);
	EXPECT_EQ(t, calculate(r, mdl, MmGetMdlVirtualAddress(mdl),
			       mdl_bytes(mdl), &size, &registers),
		  STATUS_SUCCESS);
	EXPECT(t, registers <= mdl_pages(mdl, 0, mdl_bytes(mdl)));
	EXPECT(t, size >= list_bytes(r->kind->single ? 1 : 2));
}

static void ec_145(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 1, 3 * PAGE_SIZE);
	ULONG size, registers;
	unsigned long flags;
	NTSTATUS any, exact;

	REQUIRE(t, b);
	local_irq_save(flags);
	any = calculate(r, NULL, NULL, PAGE_SIZE, &size, &registers);
	exact = calculate(r, b->mdl, MmGetMdlVirtualAddress(b->mdl), b->length,
			  &size, &registers);
	local_irq_restore(flags);
	EXPECT_EQ(t, any, STATUS_SUCCESS);
	EXPECT_EQ(t, exact, STATUS_SUCCESS);
}

static void no_size(struct nttest *t, struct rig *r)
{
	ULONG registers;

	EXPECT(t, !NT_SUCCESS(r->ops->CalculateScatterGatherList(r->adapter, NULL,
								 NULL, 1, NULL,
								 &registers)));
}

/* One buffer, sized once for the worst case, serves every list. */
static void s8_sizes(struct nttest *t, struct rig *r)
{
	ULONG size = worst_size(r, r->registers * (ULONG)PAGE_SIZE), length;
	struct buffer *b = buffer_new(r, SCATTERED, PAGE_SIZE - 1,
				      (r->registers - 1) * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	for (length = b->length; length && !t->failed; length /= 3) {
		q = request_new(r, b->mdl, 0, length, length & 1);
		REQUIRE(t, q && request_make_room(q, size));
		REQUIRE(t, request_list(q, BY_BUILD));
		request_finish(q);
		request_free(q);
	}
}

static void transfer(struct request *q)
{
	request_prepare(q);
	if (request_list(q, BY_BUILD))
		request_finish(q);
}

/* The same memory again: a put list leaves nothing of itself behind. */
static void reuse(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x777, 4 * PAGE_SIZE);
	struct request *q;
	int i;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_make_room(q, request_list_size(q)));
	for (i = 0; i < 5; i++) {
		memset(q->room, 0xff * (i & 1), q->size);
		transfer(q);
	}
}

static void expect_too_small(struct rig *r, struct buffer *b, ULONG size)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, true);
	void *before;

	if (!q || !request_make_room(q, size ?: 1))
		return;
	q->size = size;
	memset(q->room, 0xcc, size ?: 1);
	before = kmemdup(q->room, size ?: 1, GFP_KERNEL);
	EXPECT_EQ(r->t, request_submit(q, BY_BUILD), STATUS_BUFFER_TOO_SMALL);
	EXPECT_EQ(r->t, atomic_read(&q->calls), 0);
	EXPECT(r->t, before && !memcmp(before, q->room, size ?: 1));
	kfree(before);
	request_free(q);
}

static void ec_137(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x100, 4 * PAGE_SIZE);
	ULONG size, registers;

	REQUIRE(t, b);
	EXPECT_EQ(t, calculate(r, b->mdl, MmGetMdlVirtualAddress(b->mdl), b->length,
			       &size, &registers), STATUS_SUCCESS);
	expect_too_small(r, b, size - 1);
	expect_too_small(r, b, list_bytes(1) - 1);
	expect_too_small(r, b, sizeof(SCATTER_GATHER_LIST));
	expect_too_small(r, b, 0);
}

static void larger(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x100, 4 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_make_room(q, request_list_size(q) + 1000));
	transfer(q);
}

/* Drivers give memory of any alignment, from the stack for example. */
static void unaligned(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x100, 3 * PAGE_SIZE);
	struct request *q;
	void *memory;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_make_room(q, request_list_size(q) + 4));
	memory = q->room;
	q->room += 4;
	q->size -= 4;
	transfer(q);
	q->room = memory;
}

static void ec_138(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_BUILD));
	EXPECT(t, (void *)q->list == q->room);
	request_put(q);
}

static void ec_139(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x777, 5 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_make_room(q, request_list_size(q)));
	ntdma_fail_nth(-1);
	transfer(q);
	ntdma_fail_nth(0);
}

static void build_over_n(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0,
				      ((size_t)r->registers + 1) * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_make_room(q, SZ_64K));
	EXPECT_EQ(t, request_submit(q, BY_BUILD), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

static void build_over_chain(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length + 1, true);
	REQUIRE(t, q && request_make_room(q, SZ_64K));
	EXPECT_EQ(t, request_submit(q, BY_BUILD), STATUS_BUFFER_TOO_SMALL);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

static void no_buffer(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;
	NTSTATUS status;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	status = r->ops->BuildScatterGatherList(r->adapter, r->object, b->mdl,
						MmGetMdlVirtualAddress(b->mdl), 1,
						request_list_routine, q, TRUE, NULL,
						0x1000);
	EXPECT(t, !NT_SUCCESS(status));
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
}

static void no_routine(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;
	NTSTATUS status;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_make_room(q, request_list_size(q)));
	status = r->ops->BuildScatterGatherList(r->adapter, r->object, b->mdl,
						MmGetMdlVirtualAddress(b->mdl), 1,
						NULL, q, TRUE, q->room, q->size);
	EXPECT_EQ(t, status, STATUS_INVALID_PARAMETER);
}

static void ec_154(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_BUILD));
	request_put(q);
	/* A freed buffer would be reported by KASAN here, or freed twice. */
	memset(q->room, 0, q->size);
}

static void put_twice(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	long refused = ntdma_refused();
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_BUILD));
	request_put(q);
	r->ops->PutScatterGatherList(r->adapter, q->room, TRUE);
	EXPECT_EQ(t, ntdma_refused(), refused + 1);
}

static struct request *list_for_mdl(struct rig *r, PMDL mdl, u64 offset,
				    ULONG length, bool write)
{
	struct request *q = request_new(r, mdl, offset, length, write);

	return q && request_list(q, BY_GET) ? q : NULL;
}

static NTSTATUS build_mdl(struct request *q, PMDL original, PMDL *target)
{
	struct rig *r = q->r;

	return r->ops->BuildMdlFromScatterGatherList(r->adapter, q->list, original,
						     target);
}

/* Exactly the bytes that the device moves; the original if those are its own. */
static void check_target(struct request *q, PMDL target)
{
	struct nttest *t = q->r->t;
	void *seen = kvmalloc(q->length, GFP_KERNEL);

	if (!EXPECT(t, seen))
		return;
	if (EXPECT_EQ(t, mdl_bytes(target), q->length)) {
		mdl_fetch(target, 0, seen, q->length);
		pattern_same(t, "target MDL", seen, q->image + q->offset, q->length);
	}
	kvfree(seen);
}

static void target_transfer(struct rig *r, PMDL mdl, u64 offset, ULONG length,
			    bool write)
{
	struct request *q = list_for_mdl(r, mdl, offset, length, write);
	PMDL target = NULL;

	if (!EXPECT(r->t, q))
		return;
	EXPECT_EQ(r->t, build_mdl(q, mdl, &target), STATUS_SUCCESS);
	request_move(q);
	/* What a device wrote past the cache is there only after the put. */
	if (EXPECT(r->t, target) && (write || rig_coherent(r)))
		check_target(q, target);
	request_put(q);
	request_check_memory(q);
	request_free(q);
}

static void s23(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x321, 4 * PAGE_SIZE);

	REQUIRE(t, b);
	target_transfer(r, b->mdl, 0, b->length, true);
	target_transfer(r, b->mdl, 0, b->length, false);
	target_transfer(r, b->mdl, 5, PAGE_SIZE, true);
	target_transfer(r, b->mdl, 0, PAGE_SIZE, true);
	target_transfer(r, b->mdl, PAGE_SIZE, 2 * PAGE_SIZE + 1, false);
}

static void s23_mixed(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, MIXED, 0x321, 4 * PAGE_SIZE);

	REQUIRE(t, b);
	target_transfer(r, b->mdl, 0, b->length, true);
	target_transfer(r, b->mdl, 0, b->length, false);
}

static void s23_chain(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0xffe, 0, 0x10 };
	const size_t length[] = { 3, PAGE_SIZE, 2 * PAGE_SIZE + 1 };
	PMDL mdl = buffer_chain(r, offset, length, 3);

	REQUIRE(t, mdl);
	target_transfer(r, mdl, 0, mdl_bytes(mdl), true);
	target_transfer(r, mdl, 1, mdl_bytes(mdl) - 2, false);
}

static void ec_157(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	PMDL target = NULL;
	struct request *q;

	REQUIRE(t, b);
	q = list_for_mdl(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, build_mdl(q, NULL, &target), STATUS_INVALID_PARAMETER);
	request_put(q);
}

static void ec_158(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	PMDL target = NULL, again = NULL;
	struct request *q;

	REQUIRE(t, b);
	q = list_for_mdl(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, build_mdl(q, b->mdl, &target), STATUS_SUCCESS);
	EXPECT_EQ(t, build_mdl(q, b->mdl, &again), STATUS_NONE_MAPPED);
	EXPECT(t, !again);
	request_put(q);
}

static void ec_159(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, NEAR, 0x11, 2 * PAGE_SIZE);
	PMDL target = NULL;
	struct request *q;

	REQUIRE(t, b);
	q = list_for_mdl(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, build_mdl(q, b->mdl, &target), STATUS_SUCCESS);
	EXPECT(t, target);
	request_put(q);
	/* The original is whole: it serves another transfer. */
	request_transfer(r, b->mdl, 0, b->length, false, BY_GET);
}

static void foreign_list(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	SCATTER_GATHER_LIST *list = kzalloc(sizeof(*list), GFP_KERNEL);
	PMDL target = NULL;

	REQUIRE(t, b && list);
	EXPECT(t, !NT_SUCCESS(r->ops->BuildMdlFromScatterGatherList(r->adapter,
								    list, b->mdl,
								    &target)));
	EXPECT(t, !target);
	kfree(list);
}

static void mdl_sweep(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x321, 4 * PAGE_SIZE);
	NTSTATUS status;
	bool hit = true;
	int n;

	REQUIRE(t, b);
	for (n = 1; n < 50 && hit; n++) {
		struct request *q = list_for_mdl(r, b->mdl, 1, PAGE_SIZE, true);
		PMDL target = NULL;

		REQUIRE(t, q);
		ntdma_fail_nth(n);
		status = build_mdl(q, b->mdl, &target);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT(t, status == (hit ? STATUS_INSUFFICIENT_RESOURCES :
					   STATUS_SUCCESS));
		EXPECT_EQ(t, !!target, NT_SUCCESS(status));
		request_put(q);
		request_free(q);
	}
	EXPECT(t, n > 2 && !hit);
}

static const struct nttest_case cases[] = {
	{ "EC-140 N pages of any buffer need N registers", .run_on = ec_140 },
	{ "EC-141 worst page offset", .run_on = ec_141 },
	{ "EC-142 nowhere to store the registers", .run_on = ec_142 },
	{ "EC-143 more registers than N", .run_on = ec_143 },
	{ "EC-144 length beyond the MDL", .run_on = ec_144 },
	{ "EC-144 need of a chain", .run_on = chain_need },
	{ "EC-145 calculate with interrupts off", .run_on = ec_145 },
	{ "EC-142 bad input: nowhere to store the size", .run_on = no_size },
	{ "S8 one size for every list", .run_on = s8_sizes },
	{ "S8 version 2 adapters", .run_on = s8_sizes, .kinds = rig_v2 },
	{ "S8 the same memory again", .run_on = reuse },
	{ "S8 more memory than needed", .run_on = larger },
	{ "S8 unaligned memory", .run_on = unaligned },
	{ "EC-137 memory one byte too small", .run_on = ec_137 },
	{ "EC-138 the list starts the caller's memory", .run_on = ec_138 },
	{ "EC-139 build when every allocation fails", .run_on = ec_139 },
	{ "EC-133 build over more pages than N", .run_on = build_over_n },
	{ "EC-134 build beyond the chain", .run_on = build_over_chain },
	{ "EC-137 bad input: no memory for the list", .run_on = no_buffer },
	{ "EC-137 bad input: no routine", .run_on = no_routine },
	{ "EC-154 the caller's memory is not freed", .run_on = ec_154 },
	{ "S8 bad input: put twice", .run_on = put_twice },
	{ "S23 an MDL of what the device accesses", .run_on = s23 },
	{ "S23 partly bounced", .run_on = s23_mixed },
	{ "S23 over a chain", .run_on = s23_chain },
	{ "EC-157 bad input: no original MDL", .run_on = ec_157 },
	{ "EC-158 only once for a list", .run_on = ec_158 },
	{ "EC-159 put leaves the original alone", .run_on = ec_159 },
	{ "S23 bad input: not a list", .run_on = foreign_list },
	{ "S23 every allocation fails once", .run_on = mdl_sweep },
	{ }
};

const struct nttest_suite nttest_build = {
	.name = "build",
	.cases = cases,
};
