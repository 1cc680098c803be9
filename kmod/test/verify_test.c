// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse, by the codes with which Windows' driver verifier reports it (bug
 * check 0xE6): each must be noticed, counted under its code, and change
 * nothing. The cases switch verify mode on.
 */
#include <linux/mm.h>
#include "../../uapi/linux/ntdma.h"
#include "../glue.h"
#include "buffer.h"
#include "hooks.h"
#include "piece.h"

static IO_ALLOCATION_ACTION keep_registers(PDEVICE_OBJECT object, PIRP irp,
					   PVOID base, PVOID context)
{
	*(PVOID *)context = base;
	return DeallocateObjectKeepRegisters;
}

/* Nothing but @rule may have been reported since @before was taken. */
static void broke(struct nttest *t, const long *before, unsigned int rule,
		  long times)
{
	unsigned int i;

	for (i = 0; i < NTDMA_RULES; i++)
		EXPECT_EQ(t, ntdma_misused(i) - before[i],
			  i == rule ? times : 0);
}

static void snapshot(long *counts)
{
	unsigned int i;

	for (i = 0; i < NTDMA_RULES; i++)
		counts[i] = ntdma_misused(i);
}

static int verify_init(struct nttest *t)
{
	ntdma_verify_set(true);
	return 0;
}

static void verify_exit(struct nttest *t)
{
	ntdma_verify_set(false);
}

static PVOID registers(struct rig *r, ULONG count)
{
	PVOID base = NULL;
	KIRQL irql = rig_raise();

	EXPECT_EQ(r->t, r->ops->AllocateAdapterChannel(r->adapter, r->object,
						       count, keep_registers,
						       &base), STATUS_SUCCESS);
	KeLowerIrql(irql);
	return base;
}

static void release(struct rig *r, PVOID base, ULONG count)
{
	KIRQL irql = rig_raise();

	r->ops->FreeMapRegisters(r->adapter, base, count);
	KeLowerIrql(irql);
}

static void freed_registers(struct nttest *t, struct rig *r)
{
	PVOID base = registers(r, 1);
	long before[NTDMA_RULES];

	REQUIRE(t, base);
	release(r, base, 1);
	snapshot(before);
	release(r, base, 1);
	broke(t, before, 0x05, 1);
}

static void freed_channel(struct nttest *t, struct rig *r)
{
	long before[NTDMA_RULES];
	KIRQL irql = rig_raise();

	snapshot(before);
	r->ops->FreeAdapterChannel(r->adapter);
	KeLowerIrql(irql);
	broke(t, before, 0x04, 1);
}

static void freed_list(struct nttest *t, struct rig *r)
{
	SCATTER_GATHER_LIST list = { .NumberOfElements = 1 };
	long before[NTDMA_RULES];
	KIRQL irql = rig_raise();

	snapshot(before);
	r->ops->PutScatterGatherList(r->adapter, &list, TRUE);
	KeLowerIrql(irql);
	broke(t, before, 0x06, 1);
}

static void freed_buffer(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS logical;
	long before[NTDMA_RULES];
	PVOID va = r->ops->AllocateCommonBuffer(r->adapter, 64, &logical,
						TRUE);

	REQUIRE(t, va);
	snapshot(before);
	r->ops->FreeCommonBuffer(r->adapter, 65, logical, va, TRUE);
	broke(t, before, 0x03, 1);
	r->ops->FreeCommonBuffer(r->adapter, 64, logical, va, TRUE);
	snapshot(before);
	r->ops->FreeCommonBuffer(r->adapter, 64, logical, va, TRUE);
	broke(t, before, 0x03, 1);
}

static PDMA_COMMON_BUFFER_VECTOR vector(struct rig *r)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 };
	PDMA_COMMON_BUFFER_VECTOR v = NULL;

	EXPECT_EQ(r->t, STATUS_SUCCESS,
		  r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						     MmCached, 0, 0, 3, 64,
						     &v));
	return v;
}

/* Elements of one page are all the client's, and what is behind them is not. */
static void used_vector(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR v = vector(r);
	PHYSICAL_ADDRESS logical;
	long before[NTDMA_RULES];
	PVOID va[3] = { };
	int i, turn;

	REQUIRE(t, v);
	snapshot(before);
	for (i = 0; i < 3; i++) {
		r->ops->GetCommonBufferFromVectorByIndex(r->adapter, v, i,
							 &va[i], &logical);
		REQUIRE(t, va[i]);
		EXPECT(t, !memchr_inv(va[i], 0, 64));
		memset(va[i], i + 1, 64);
	}
	for (turn = 0; turn < 2; turn++) {
		if (turn)
			memset(va[2] + 64, 0, 8);
		r->ops->FreeCommonBufferVector(r->adapter, v);
		broke(t, before, 0x0f, turn);
		v = vector(r);
		REQUIRE(t, v);
		r->ops->GetCommonBufferFromVectorByIndex(r->adapter, v, 2,
							 &va[2], &logical);
		REQUIRE(t, va[2]);
	}
	r->ops->FreeCommonBufferVector(r->adapter, v);
	broke(t, before, 0x0f, 1);
}

static void freed_vector(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR v = vector(r);
	long before[NTDMA_RULES];

	REQUIRE(t, v);
	snapshot(before);
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 3);
	broke(t, before, 0x03, 1);
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 1);
	r->ops->FreeCommonBufferFromVector(r->adapter, v, 1);
	broke(t, before, 0x03, 2);
	r->ops->FreeCommonBufferVector(r->adapter, v);
	broke(t, before, 0x03, 2);
	r->ops->FreeCommonBufferVector(r->adapter, v);
	broke(t, before, 0x03, 3);
}

static void freed_bounds(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS min = { .QuadPart = PAGE_SIZE }, logical;
	long before[NTDMA_RULES];
	PVOID va;

	va = r->ops->AllocateCommonBufferWithBounds(r->adapter, &min, NULL, 64,
						    0, NULL, 0, &logical);
	REQUIRE(t, va);
	snapshot(before);
	r->ops->FreeCommonBuffer(r->adapter, PAGE_SIZE, logical, va, TRUE);
	broke(t, before, 0x03, 1);
	r->ops->FreeCommonBuffer(r->adapter, 64, logical, va, TRUE);
	broke(t, before, 0x03, 1);
	r->ops->FreeCommonBuffer(r->adapter, 64, logical, va, TRUE);
	broke(t, before, 0x03, 2);
}

/* False where the platform shares no page of a client's. */
static bool lent(struct rig *r, struct buffer *b, PHYSICAL_ADDRESS *logical)
{
	return b && !r->ops->CreateCommonBufferFromMdl(r->adapter, b->mdl, NULL,
						       0, logical);
}

static void freed_lent(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, NEAR, 0, PAGE_SIZE);
	long before[NTDMA_RULES];
	PHYSICAL_ADDRESS logical;

	snapshot(before);
	if (!lent(r, b, &logical)) {
		broke(t, before, NTDMA_RULES, 0);
		return;
	}
	r->ops->FreeCommonBuffer(r->adapter, 64, logical, b->va, TRUE);
	broke(t, before, 0x03, 1);
	r->ops->FreeCommonBuffer(r->adapter, PAGE_SIZE, logical, b->va, TRUE);
	broke(t, before, 0x03, 1);
	r->ops->FreeCommonBuffer(r->adapter, PAGE_SIZE, logical, b->va, TRUE);
	broke(t, before, 0x03, 2);
}

static void still_mapped(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	ULONG length = PAGE_SIZE;
	long before[NTDMA_RULES];
	PVOID base;

	REQUIRE(t, b);
	base = registers(r, 1);
	REQUIRE(t, base);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	EXPECT_EQ(t, length, PAGE_SIZE);
	snapshot(before);
	release(r, base, 1);
	broke(t, before, 0x10, 1);
}

static void settle_mapped(struct request *q)
{
	ULONG length = q->length;

	q->r->ops->MapTransfer(q->r->adapter, q->mdl, q->base,
			       MmGetMdlVirtualAddress(q->mdl), &length,
			       q->write);
}

/* The other ways in which registers come to their end. */
static void channel_still_mapped(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	long before[NTDMA_RULES];
	struct request *q;
	KIRQL irql;
	int i;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	q->registers = 1;
	q->hook = settle_mapped;
	for (i = 0; i < 3; i++) {
		q->action = i ? KeepObject : DeallocateObject;
		snapshot(before);
		REQUIRE(t, request_allocate(q) == STATUS_SUCCESS);
		REQUIRE(t, request_ran(q));
		broke(t, before, 0x10, !i);
		q->held = DeallocateObject;
		irql = rig_raise();
		if (i == 1)
			r->ops->FreeAdapterChannel(r->adapter);
		else if (i == 2)
			r->ops->FreeAdapterObject(r->adapter, DeallocateObject);
		KeLowerIrql(irql);
		broke(t, before, 0x10, 1);
	}
}

static void mapping(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	PVOID base = registers(r, 1);
	ULONG length = PAGE_SIZE;
	long before[NTDMA_RULES];

	REQUIRE(t, b && base);
	snapshot(before);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va + PAGE_SIZE,
			    &length, TRUE);
	EXPECT_EQ(t, length, 0);
	broke(t, before, 0x1B, 1);
	snapshot(before);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	broke(t, before, 0x21, 1);
	snapshot(before);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base, b->va,
					      PAGE_SIZE, TRUE));
	broke(t, before, 0x20, 1);
	length = PAGE_SIZE;
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	EXPECT_EQ(t, length, PAGE_SIZE);
	snapshot(before);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base,
					      b->va + PAGE_SIZE, 1, TRUE));
	broke(t, before, 0x16, 1);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base, b->va,
					      PAGE_SIZE, TRUE));
	release(r, base, 1);
	snapshot(before);
	length = PAGE_SIZE;
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	EXPECT_EQ(t, length, 0);
	broke(t, before, 0x15, 1);
}

static void level(struct nttest *t, struct rig *r)
{
	PVOID base = registers(r, 1);
	long before[NTDMA_RULES];

	REQUIRE(t, base);
	snapshot(before);
	r->ops->FreeMapRegisters(r->adapter, base, 1);
	broke(t, before, 0x13, 1);
}

/* A routine that wants DISPATCH_LEVEL and is called below it does its work. */
static void level_of_others(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	long before[NTDMA_RULES];
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q);
	r->passive = true;
	q->registers = 1;
	q->action = DeallocateObject;
	snapshot(before);
	EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
	broke(t, before, 0x13, 1);
	request_ran(q);
	snapshot(before);
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_SUCCESS);
	broke(t, before, 0x13, 1);
	request_ran(q);
	snapshot(before);
	REQUIRE(t, request_list(q, BY_GET));
	broke(t, before, 0x13, 1);
	request_put(q);
	broke(t, before, 0x13, 2);
	/* One of the four that make lists is not among them. */
	snapshot(before);
	EXPECT_EQ(t, request_submit(q, BY_GET_EX), STATUS_SUCCESS);
	broke(t, before, 0x13, 0);
	REQUIRE(t, request_ran(q));
	request_put(q);
	snapshot(before);
	EXPECT_EQ(t, request_submit(q, BY_BUILD_EX), STATUS_SUCCESS);
	broke(t, before, 0x13, 1);
	REQUIRE(t, request_ran(q));
	request_put(q);
	r->passive = false;
}

/* More than is left of two registers when one is in use. */
static void too_long_beside(struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, 3 * PAGE_SIZE);
	PVOID base = registers(r, 2);
	long before[NTDMA_RULES];
	ULONG length = PAGE_SIZE;

	REQUIRE(r->t, b && base);
	snapshot(before);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	EXPECT_EQ(r->t, length, PAGE_SIZE);
	broke(r->t, before, 0x00, 0);
	length = 2 * PAGE_SIZE;
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va + PAGE_SIZE, &length,
			    TRUE);
	EXPECT_EQ(r->t, length, PAGE_SIZE);
	broke(r->t, before, 0x00, 1);
	EXPECT(r->t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base, b->va,
						 2 * PAGE_SIZE, TRUE));
	release(r, base, 2);
}

/* More than one register takes, and a flush of more than was mapped. */
static void too_long(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, 2 * PAGE_SIZE);
	PVOID base = registers(r, 1);
	ULONG length = 2 * PAGE_SIZE;
	long before[NTDMA_RULES];

	REQUIRE(t, b && base);
	snapshot(before);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	EXPECT_EQ(t, length, PAGE_SIZE);
	broke(t, before, 0x00, 1);
	snapshot(before);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base, b->va,
					      PAGE_SIZE + 1, TRUE));
	broke(t, before, 0x00, 1);
	release(r, base, 1);
	too_long_beside(r);
}

static void too_many_registers(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, r->registers + 1, DeallocateObject);
	long before[NTDMA_RULES];

	REQUIRE(t, q);
	snapshot(before);
	EXPECT_EQ(t, request_allocate(q), STATUS_INSUFFICIENT_RESOURCES);
	broke(t, before, 0x0C, 1);
	EXPECT_EQ(t, request_allocate_ex(q, 0), STATUS_INSUFFICIENT_RESOURCES);
	broke(t, before, 0x0C, 2);
}

/* On Windows the device object has one place to wait in. */
static void waits_twice(struct nttest *t, struct rig *r)
{
	struct request *holder = request_hold(r);
	struct request *first = request_channel(r, 1, DeallocateObject);
	struct request *second = request_channel(r, 1, DeallocateObject);
	long before[NTDMA_RULES];

	REQUIRE(t, holder && first && second);
	snapshot(before);
	EXPECT_EQ(t, request_allocate(first), STATUS_SUCCESS);
	broke(t, before, 0x0B, 0);
	EXPECT_EQ(t, request_allocate(second), STATUS_SUCCESS);
	broke(t, before, 0x0B, 1);
	request_release(holder);
	request_ran(first);
	request_ran(second);
	/* One after the other is as it should be, and so are the Ex forms. */
	snapshot(before);
	REQUIRE(t, request_allocate(holder) == STATUS_SUCCESS && request_ran(holder));
	EXPECT_EQ(t, request_allocate_ex(first, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, request_allocate_ex(second, 0), STATUS_SUCCESS);
	broke(t, before, 0x0B, 0);
	request_release(holder);
	request_ran(first);
	request_ran(second);
}

static void buffer_overrun(struct nttest *t, struct rig *r, ULONG length)
{
	PHYSICAL_ADDRESS logical;
	long before[NTDMA_RULES];
	u8 *va;

	va = r->ops->AllocateCommonBuffer(r->adapter, length, &logical, TRUE);
	REQUIRE(t, va);
	EXPECT(t, PAGE_ALIGNED(va) && PAGE_ALIGNED(logical.QuadPart));
	EXPECT(t, !memchr_inv(va, 0, length));
	snapshot(before);
	memset(va, 1, length);
	r->ops->FreeCommonBuffer(r->adapter, length, logical, va, TRUE);
	broke(t, before, 0x0F, 0);

	va = r->ops->AllocateCommonBuffer(r->adapter, length, &logical, TRUE);
	REQUIRE(t, va);
	va[length] = 1;
	r->ops->FreeCommonBuffer(r->adapter, length, logical, va, TRUE);
	broke(t, before, 0x0F, 1);

	va = r->ops->AllocateCommonBuffer(r->adapter, length, &logical, TRUE);
	REQUIRE(t, va);
	EXPECT_EQ(t, bus_write(&r->bus, logical.QuadPart + length, "x", 1), 0);
	r->ops->FreeCommonBuffer(r->adapter, length, logical, va, TRUE);
	broke(t, before, 0x0F, 2);
}

/* The buffer that fills its pages has a page more for what is behind it. */
static void buffers_overrun(struct nttest *t, struct rig *r)
{
	buffer_overrun(t, r, 1);
	buffer_overrun(t, r, 100);
	buffer_overrun(t, r, PAGE_SIZE - 1);
	buffer_overrun(t, r, PAGE_SIZE);
	buffer_overrun(t, r, 3 * PAGE_SIZE);
}

/* The device writes @beside bytes from where it should. */
static void copy_overrun(struct rig *r, struct buffer *b, long beside,
			 long times)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, false);
	long before[NTDMA_RULES];
	u64 la;

	REQUIRE(r->t, q && request_list(q, BY_GET));
	snapshot(before);
	la = q->list->Elements[0].Address.QuadPart;
	request_move(q);
	if (times)
		EXPECT_EQ(r->t, bus_write(&r->bus, la + beside, "x", 1), 0);
	request_put(q);
	broke(r->t, before, 0x0F, times);
	request_check_memory(q);
	request_free(q);
}

/* A transfer that is copied has the rest of its pages as red zones. */
static void copies_overrun(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 0x100);
	struct request *q;
	bool copied;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, false);
	REQUIRE(t, q && request_list(q, BY_GET));
	copied = !bus_is_page(&r->bus, q->list->Elements[0].Address.QuadPart,
			      b->pages[0]);
	request_move(q);
	request_put(q);
	request_free(q);
	if (!copied)
		return;
	copy_overrun(r, b, 0, 0);
	copy_overrun(r, b, 0x100, 1);
	copy_overrun(r, b, -1, 1);
	copy_overrun(r, b, 0, 0);
}

/* The same under map registers, over several pages. */
static void packets_overrun(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 2 * PAGE_SIZE);
	PVOID base = registers(r, 3);
	ULONG length = 2 * PAGE_SIZE;
	long before[NTDMA_RULES];
	PHYSICAL_ADDRESS la;
	bool copied;

	REQUIRE(t, b && base);
	la = r->ops->MapTransfer(r->adapter, b->mdl, base, b->va + b->offset,
				 &length, FALSE);
	REQUIRE(t, length);
	snapshot(before);
	copied = !bus_is_page(&r->bus, la.QuadPart, b->pages[0]);
	if (copied) {
		EXPECT_EQ(t, bus_write(&r->bus, la.QuadPart - 1, "x", 1), 0);
		if (r->kind->single)
			EXPECT_EQ(t, bus_write(&r->bus, la.QuadPart + length,
					       "x", 1), 0);
	}
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base,
					      b->va + b->offset, length, FALSE));
	release(r, base, 3);
	EXPECT_EQ(t, ntdma_misused(0x0F) - before[0x0F], copied);
}

/* A transfer may use what was a red zone of the one before. */
static void packets_in_turn(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 2 * PAGE_SIZE);
	long before[NTDMA_RULES];
	struct request *q;

	REQUIRE(t, b);
	snapshot(before);
	q = piece_request(r, b->mdl, 3, false);
	REQUIRE(t, q && piece_map_all(q, 0, 0x100));
	piece_flush(q, 0, 0x100);
	REQUIRE(t, piece_map_all(q, 0, b->length));
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	/* The second page begins a transfer, and is then within one. */
	request_prepare(q);
	REQUIRE(t, piece_map_all(q, 0, 0x80));
	REQUIRE(t, piece_map_all(q, 0x80, 0x80));
	piece_flush(q, 0, 0x100);
	REQUIRE(t, piece_map_all(q, 0, b->length));
	piece_flush(q, 0, b->length);
	request_check_memory(q);
	request_release(q);
	broke(t, before, 0x0F, 0);
}

/* Nothing that sleeps is done where it must not. */
static void level_passive(struct nttest *t, struct rig *r)
{
	PDMA_COMMON_BUFFER_VECTOR none, whole;
	MEMORY_CACHING_TYPE type = MmCached;
	PHYSICAL_ADDRESS logical, low, high;
	long before[NTDMA_RULES];
	DEVICE_DESCRIPTION dd;
	PVOID va, taken;
	ULONG count;
	KIRQL irql;

	low.QuadPart = 0;
	high.QuadPart = -1;
	rig_describe(&dd, r->kind);
	taken = r->ops->AllocateCommonBuffer(r->adapter, 64, &logical, TRUE);
	whole = vector(r);
	REQUIRE(t, taken && whole);
	snapshot(before);
	irql = rig_raise();
	EXPECT(t, !IoGetDmaAdapter(r->object, &dd, &count));
	broke(t, before, 0x13, 1);
	EXPECT(t, r->ops->GetDmaAlignment(r->adapter));
	broke(t, before, 0x13, 2);
	r->ops->FreeCommonBuffer(r->adapter, 64, logical, taken, TRUE);
	broke(t, before, 0x13, 3);
	va = r->ops->AllocateCommonBuffer(r->adapter, 64, &low, TRUE);
	EXPECT(t, !va);
	va = r->ops->AllocateCommonBufferEx(r->adapter, NULL, 64, &low, TRUE, 0);
	EXPECT(t, !va);
	va = r->ops->AllocateCommonBufferWithBounds(r->adapter, NULL, NULL, 64, 0,
						    &type, 0, &low);
	EXPECT(t, !va);
	broke(t, before, 0x13, 6);
	EXPECT(t, r->ops->AllocateCommonBufferVector(r->adapter, low, high,
						     MmCached, 0, 0, 1, 64,
						     &none));
	EXPECT(t, r->ops->CreateCommonBufferFromMdl(r->adapter, NULL, NULL, 0,
						    &low));
	EXPECT(t, !r->ops->GetDmaDomain(r->adapter));
	EXPECT(t, r->ops->LeaveDmaDomain(r->adapter));
	EXPECT(t, r->ops->JoinDmaDomain(r->adapter, NULL));
	EXPECT(t, r->ops->AllocateDomainCommonBuffer(r->adapter, NULL, NULL, 64, 0,
						     NULL, 0, &low, &va));
	broke(t, before, 0x13, 12);
	r->ops->FreeCommonBufferFromVector(r->adapter, whole, 1);
	r->ops->FreeCommonBufferVector(r->adapter, whole);
	broke(t, before, 0x13, 14);
	KeLowerIrql(irql);
	/* What was refused is still there. */
	r->ops->FreeCommonBufferFromVector(r->adapter, whole, 1);
	r->ops->FreeCommonBufferVector(r->adapter, whole);
	r->ops->FreeCommonBuffer(r->adapter, 64, logical, taken, TRUE);
	broke(t, before, 0x13, 14);
}

/* With interrupts off only CalculateScatterGatherList is allowed (EC-145). */
static void level_too_high(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO info = { .Version = 1 };
	long before[NTDMA_RULES];
	ULONG size;
	KIRQL irql;

	snapshot(before);
	KeRaiseIrql(HIGH_LEVEL, &irql);
	EXPECT_EQ(t, STATUS_SUCCESS,
		  r->ops->CalculateScatterGatherList(r->adapter, NULL, NULL,
						     PAGE_SIZE, &size, NULL));
	broke(t, before, 0x13, 0);
	EXPECT_EQ(t, r->ops->GetDmaAdapterInfo(r->adapter, &info), STATUS_SUCCESS);
	broke(t, before, 0x13, 1);
	KeLowerIrql(irql);
}

/* Without an adapter: no crash, and the answer of a failure. */
static void no_channel(struct nttest *t, struct rig *r)
{
	u8 bytes[DMA_TRANSFER_CONTEXT_SIZE_V1] = {};
	SCATTER_GATHER_LIST list = {};
	ULONG length = 1;
	PVOID base = r;

	EXPECT(t, r->ops->AllocateAdapterChannel(NULL, r->object, 1,
						 keep_registers, &base));
	EXPECT(t, r->ops->AllocateAdapterChannelEx(NULL, r->object, bytes, 1, 0,
						   keep_registers, &base, NULL));
	EXPECT(t, !r->ops->FlushAdapterBuffers(NULL, NULL, NULL, NULL, 1, TRUE));
	EXPECT(t, r->ops->FlushAdapterBuffersEx(NULL, NULL, r, 0, 1, TRUE));
	EXPECT(t, !r->ops->MapTransfer(NULL, NULL, r, NULL, &length, TRUE).QuadPart);
	EXPECT_EQ(t, length, 0);
	EXPECT(t, r->ops->MapTransferEx(NULL, NULL, r, 0, 0, &length, TRUE, &list,
					sizeof(list), NULL, NULL));
	r->ops->FreeAdapterChannel(NULL);
	r->ops->FreeMapRegisters(NULL, r, 1);
	r->ops->FreeAdapterObject(NULL, DeallocateObject);
	EXPECT(t, !r->ops->CancelAdapterChannel(NULL, r->object, bytes));
	EXPECT(t, r->ops->CancelMappedTransfer(NULL, bytes));
	EXPECT(t, r->ops->ConfigureAdapterChannel(NULL, 1, NULL));
	EXPECT(t, r->ops->InitializeDmaTransferContext(NULL, bytes));
	EXPECT_EQ(t, r->ops->ReadDmaCounter(NULL), 0);
	EXPECT(t, base == r);
}

static void no_list(struct nttest *t, struct rig *r, PMDL mdl)
{
	u8 bytes[DMA_TRANSFER_CONTEXT_SIZE_V1] = {};
	SCATTER_GATHER_LIST list = {}, *out = NULL;
	PVOID va = MmGetMdlVirtualAddress(mdl);
	ULONG size = 0;
	PMDL target = NULL;

	EXPECT(t, r->ops->GetScatterGatherList(NULL, r->object, mdl, va, 1,
					       request_list_routine, NULL, TRUE));
	EXPECT(t, r->ops->BuildScatterGatherList(NULL, r->object, mdl, va, 1,
						 request_list_routine, NULL, TRUE,
						 &list, sizeof(list)));
	EXPECT(t, r->ops->GetScatterGatherListEx(NULL, r->object, bytes, mdl, 0, 1,
						 DMA_SYNCHRONOUS_CALLBACK, NULL,
						 NULL, TRUE, NULL, NULL, &out));
	EXPECT(t, r->ops->BuildScatterGatherListEx(NULL, r->object, bytes, mdl, 0, 1,
						   DMA_SYNCHRONOUS_CALLBACK, NULL,
						   NULL, TRUE, &list, sizeof(list),
						   NULL, NULL, &out));
	EXPECT(t, r->ops->CalculateScatterGatherList(NULL, mdl, va, 1, &size, NULL));
	EXPECT(t, r->ops->BuildMdlFromScatterGatherList(NULL, &list, mdl, &target));
	r->ops->PutScatterGatherList(NULL, &list, TRUE);
	EXPECT(t, !out && !size && !target);
}

static void no_buffer(struct nttest *t, struct rig *r)
{
	PHYSICAL_ADDRESS la = {}, high = { .QuadPart = -1 };
	PDMA_COMMON_BUFFER_VECTOR v = (void *)r;
	PVOID va = r;

	EXPECT(t, !r->ops->AllocateCommonBuffer(NULL, 1, &la, TRUE));
	EXPECT(t, !r->ops->AllocateCommonBufferEx(NULL, NULL, 1, &la, TRUE, 0));
	EXPECT(t, !r->ops->AllocateCommonBufferWithBounds(NULL, NULL, NULL, 1, 0,
							  NULL, 0, &la));
	r->ops->FreeCommonBuffer(NULL, 1, la, r, TRUE);
	EXPECT(t, r->ops->AllocateCommonBufferVector(NULL, la, high, MmCached, 0, 0,
						     1, 64, &v));
	r->ops->FreeCommonBufferFromVector(NULL, (void *)r, 0);
	r->ops->FreeCommonBufferVector(NULL, (void *)r);
	la.QuadPart = 1;
	r->ops->GetCommonBufferFromVectorByIndex(NULL, (void *)r, 0, &va, &la);
	EXPECT(t, !va && !la.QuadPart && !v);
	va = r;
	EXPECT(t, r->ops->CreateCommonBufferFromMdl(NULL, NULL, NULL, 0, &la));
	EXPECT(t, !r->ops->GetDmaDomain(NULL));
	EXPECT(t, r->ops->JoinDmaDomain(NULL, NULL));
	EXPECT(t, r->ops->LeaveDmaDomain(NULL));
	EXPECT(t, r->ops->AllocateDomainCommonBuffer(NULL, NULL, NULL, 1, 0, NULL, 0,
						     &la, &va));
	EXPECT(t, !va);
	EXPECT(t, r->ops->FlushDmaBuffer(NULL, NULL, TRUE));
}

/* Every routine of the table once. */
static void no_adapter(struct nttest *t, struct rig *r)
{
	DMA_TRANSFER_INFO transfer = { .Version = DMA_TRANSFER_INFO_VERSION1 };
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	DMA_ADAPTER_INFO info = { .Version = 1 };
	long before[NTDMA_RULES];

	REQUIRE(t, b);
	snapshot(before);
	r->ops->PutDmaAdapter(NULL);
	EXPECT_EQ(t, r->ops->GetDmaAlignment(NULL), 1);
	EXPECT(t, r->ops->GetDmaAdapterInfo(NULL, &info));
	EXPECT(t, r->ops->GetDmaTransferInfo(NULL, b->mdl, 0, 1, TRUE, &transfer));
	broke(t, before, 0x19, 4);
	no_channel(t, r);
	broke(t, before, 0x19, 18);
	no_list(t, r, b->mdl);
	broke(t, before, 0x19, 25);
	no_buffer(t, r);
	broke(t, before, 0x19, sizeof(DMA_OPERATIONS) / sizeof(PVOID) - 1);
}

/* Of an adapter that left nothing only the address is looked at. */
static void dead_adapter(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO info = { .Version = 1 };
	struct rig *other = rig_open(t, r->kind);
	PHYSICAL_ADDRESS logical;
	long before[NTDMA_RULES];
	PDMA_ADAPTER adapter;

	REQUIRE(t, other);
	adapter = other->adapter;
	other->adapter = NULL;
	r->ops->PutDmaAdapter(adapter);
	rig_close(other);
	snapshot(before);
	EXPECT(t, !r->ops->AllocateCommonBuffer(adapter, 1, &logical, TRUE));
	EXPECT(t, r->ops->GetDmaAdapterInfo(adapter, &info));
	EXPECT_EQ(t, r->ops->GetDmaAlignment(adapter), 1);
	r->ops->FreeAdapterChannel(adapter);
	broke(t, before, 0x18, 4);
}

/* An adapter that is put while somebody has its channel and others wait. */
static void left_channel(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	struct request *holder, *waiter;
	long before[NTDMA_RULES];

	REQUIRE(t, other);
	holder = request_hold(other);
	waiter = holder ? request_channel(other, 1, DeallocateObject) : NULL;
	if (waiter && EXPECT_EQ(t, request_allocate(waiter), STATUS_SUCCESS)) {
		snapshot(before);
		other->ops->PutDmaAdapter(other->adapter);
		EXPECT_EQ(t, ntdma_misused(0x08) - before[0x08], 1);
		EXPECT_EQ(t, ntdma_misused(0x09) - before[0x09], 1);
		EXPECT_EQ(t, ntdma_misused(0x11) - before[0x11], 1);
		request_release(holder);
		request_ran(waiter);
		other->adapter = NULL;
	}
	rig_close(other);
}

static void outside_chain(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	struct request *q;
	long before[NTDMA_RULES];
	ULONG length;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 2, true);
	REQUIRE(t, q);
	snapshot(before);
	length = PAGE_SIZE + 1;
	EXPECT_EQ(t, piece_map_only_ex(q, 0, &length, 64), STATUS_INVALID_PARAMETER);
	broke(t, before, 0x24, 1);
	length = 1;
	EXPECT_EQ(t, piece_map_only_ex(q, PAGE_SIZE, &length, 64),
		  STATUS_INVALID_PARAMETER);
	broke(t, before, 0x24, 2);
	length = PAGE_SIZE;
	EXPECT_EQ(t, piece_map_only_ex(q, 0, &length, 64), STATUS_SUCCESS);
	broke(t, before, 0x24, 2);
	piece_flush_ex(q, 0, length);
	request_release(q);
}

/* One element more than the list has, written by the client. */
static void overrun(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 3 * PAGE_SIZE);
	long before[NTDMA_RULES];
	struct request *q;
	ULONG room;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, b->length, true);
	REQUIRE(t, q && request_list(q, BY_GET));
	room = r->kind->single ? 1 : mdl_pages(b->mdl, 0, b->length);
	snapshot(before);
	memset(&q->list->Elements[room], 0xff, sizeof(*q->list->Elements));
	request_put(q);
	broke(t, before, 0x0F, 1);
}

static void mapped_twice(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, 2 * PAGE_SIZE);
	PVOID base = registers(r, 2);
	ULONG length = PAGE_SIZE;
	long before[NTDMA_RULES];
	struct {
		SCATTER_GATHER_LIST list;
		SCATTER_GATHER_ELEMENT element;
	} room;

	REQUIRE(t, b && base);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	EXPECT_EQ(t, length, PAGE_SIZE);
	snapshot(before);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va + PAGE_SIZE,
			    &length, FALSE);
	EXPECT_EQ(t, length, 0);
	broke(t, before, 0x1D, 1);
	snapshot(before);
	length = PAGE_SIZE;
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->MapTransferEx(r->adapter, b->mdl, base, 0, 0,
					&length, TRUE, &room.list,
					sizeof(room), NULL, NULL));
	broke(t, before, 0x1D, 1);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base, b->va,
					      PAGE_SIZE, TRUE));
	release(r, base, 2);
}

/* MapTransfer maps it all the same: it has no status. */
static void mapped_again_of(struct nttest *t, struct rig *r,
			    enum buffer_shape shape)
{
	struct buffer *b = buffer_new(r, shape, 0, 3 * PAGE_SIZE);
	PVOID base = registers(r, 6);
	long before[NTDMA_RULES];
	ULONG length = 2 * PAGE_SIZE, first;

	REQUIRE(t, b && base);
	snapshot(before);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	REQUIRE(t, length);
	first = length;
	broke(t, before, 0x1D, 0);
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va, &length, TRUE);
	EXPECT_EQ(t, length, first);
	broke(t, before, 0x1D, 1);
	length = PAGE_SIZE;
	r->ops->MapTransfer(r->adapter, b->mdl, base, b->va + first, &length,
			    TRUE);
	broke(t, before, 0x1D, 1);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, base, b->va,
					      3 * PAGE_SIZE, TRUE));
	release(r, base, 6);
}

static void mapped_again(struct nttest *t, struct rig *r)
{
	mapped_again_of(t, r, RUN);
	if (!t->failed)
		mapped_again_of(t, r, SCATTERED);
}

/* The Ex forms have a status as well. */
static void mapping_ex(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	long before[NTDMA_RULES];
	struct request *q;
	ULONG length = 0;

	REQUIRE(t, b);
	q = piece_request(r, b->mdl, 2, true);
	REQUIRE(t, q);
	snapshot(before);
	EXPECT_EQ(t, piece_map_only_ex(q, 0, &length, 64),
		  STATUS_INVALID_PARAMETER);
	broke(t, before, 0x21, 1);
	snapshot(before);
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl, q->base, 0,
						PAGE_SIZE, TRUE));
	broke(t, before, 0x20, 1);
	length = PAGE_SIZE / 2;
	EXPECT_EQ(t, piece_map_only_ex(q, 0, &length, 64), STATUS_SUCCESS);
	snapshot(before);
	EXPECT_EQ(t, STATUS_INVALID_PARAMETER,
		  r->ops->FlushAdapterBuffersEx(r->adapter, b->mdl, q->base,
						PAGE_SIZE / 2, 1, TRUE));
	broke(t, before, 0x16, 1);
	piece_flush_ex(q, 0, length);
	request_release(q);
}

static void transfer_info(struct rig *r, PMDL mdl, u64 offset, ULONG length)
{
	DMA_TRANSFER_INFO info = { .Version = DMA_TRANSFER_INFO_VERSION1 };

	EXPECT(r->t, r->ops->GetDmaTransferInfo(r->adapter, mdl, offset, length,
						TRUE, &info));
}

/* By the other routines that are told a part. */
static void outside_lists(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, RUN, 0, PAGE_SIZE);
	ULONG length = PAGE_SIZE + 1;
	long before[NTDMA_RULES];
	struct request *q;
	int i;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, PAGE_SIZE, true);
	REQUIRE(t, q && request_make_room(q, request_list_size(q)));
	q->length++;
	for (i = 0; i < PRODUCERS; i++) {
		snapshot(before);
		EXPECT(t, request_submit(q, i));
		broke(t, before, 0x24, 1);
	}
	snapshot(before);
	transfer_info(r, b->mdl, 0, PAGE_SIZE + 1);
	broke(t, before, 0x24, 1);
	transfer_info(r, b->mdl, PAGE_SIZE, 1);
	broke(t, before, 0x24, 2);
	request_free(q);

	q = piece_request(r, b->mdl, 2, true);
	REQUIRE(t, q);
	snapshot(before);
	r->ops->MapTransfer(r->adapter, b->mdl, q->base, b->va, &length, TRUE);
	EXPECT_EQ(t, length, PAGE_SIZE);
	broke(t, before, 0x24, 1);
	EXPECT(t, r->ops->FlushAdapterBuffers(r->adapter, b->mdl, q->base,
					      b->va, PAGE_SIZE, TRUE));
	request_release(q);
}

static void no_context(struct nttest *t, struct rig *r)
{
	u8 bytes[DMA_TRANSFER_CONTEXT_SIZE_V1] = {};
	long refused = ntdma_refused();

	EXPECT(t, !r->ops->CancelAdapterChannel(r->adapter, r->object, bytes));
	EXPECT_EQ(t, ntdma_refused(), refused + 1);
}

/* A list of an adapter that is put; it works until it is put, too. */
static void left_list(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	long before[NTDMA_RULES];
	struct request *q;
	struct buffer *b;

	REQUIRE(t, other);
	b = buffer_new(other, SCATTERED, 0, 3 * PAGE_SIZE);
	q = b ? request_new(other, b->mdl, 0, b->length, false) : NULL;
	if (q && EXPECT(t, request_list(q, BY_GET))) {
		snapshot(before);
		other->ops->PutDmaAdapter(other->adapter);
		broke(t, before, 0x0A, 1);
		request_move(q);
		request_put(q);
		request_check_memory(q);
		other->adapter = NULL;
	}
	rig_close(other);
}

static void left(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	PHYSICAL_ADDRESS logical;
	PDMA_OPERATIONS ops;
	PDMA_ADAPTER adapter;
	long before[NTDMA_RULES];
	PVOID va, base;

	REQUIRE(t, other);
	adapter = other->adapter;
	ops = other->ops;
	base = registers(other, 1);
	va = ops->AllocateCommonBuffer(adapter, 1, &logical, TRUE);
	snapshot(before);
	ops->PutDmaAdapter(adapter);
	EXPECT_EQ(t, ntdma_misused(0x07) - before[0x07], 1);
	EXPECT_EQ(t, ntdma_misused(0x09) - before[0x09], 1);
	EXPECT_EQ(t, ntdma_misused(0x0A) - before[0x0A], 0);
	/* They are there still, and only the adapter is not. */
	snapshot(before);
	release(other, base, 1);
	broke(t, before, 0x18, 1);
	snapshot(before);
	ops->PutDmaAdapter(adapter);
	broke(t, before, 0x18, 1);
	ops->FreeCommonBuffer(adapter, 1, logical, va, TRUE);
	other->adapter = NULL;
	rig_close(other);
}

/* The same for what else is a common buffer; it is freed afterwards. */
static void left_vector(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	PDMA_COMMON_BUFFER_VECTOR v;
	long before[NTDMA_RULES];
	PDMA_ADAPTER adapter;
	PDMA_OPERATIONS ops;

	REQUIRE(t, other);
	adapter = other->adapter;
	ops = other->ops;
	v = vector(other);
	snapshot(before);
	ops->PutDmaAdapter(adapter);
	broke(t, before, 0x07, 1);
	snapshot(before);
	ops->FreeCommonBufferVector(adapter, v);
	broke(t, before, 0x18, 1);
	other->adapter = NULL;
	rig_close(other);
}

static void left_lent(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	long before[NTDMA_RULES];
	PHYSICAL_ADDRESS logical;
	PDMA_ADAPTER adapter;
	struct buffer *b;

	REQUIRE(t, other);
	adapter = other->adapter;
	b = buffer_new(other, NEAR, 0, PAGE_SIZE);
	if (lent(other, b, &logical)) {
		snapshot(before);
		other->ops->PutDmaAdapter(adapter);
		broke(t, before, 0x07, 1);
		snapshot(before);
		other->ops->FreeCommonBuffer(adapter, PAGE_SIZE, logical,
					     b->va, TRUE);
		broke(t, before, 0x18, 1);
		other->adapter = NULL;
	}
	rig_close(other);
}

static void version(struct nttest *t, struct rig *r)
{
	DEVICE_DESCRIPTION dd;
	long before[NTDMA_RULES];
	ULONG count;

	rig_describe(&dd, r->kind);
	dd.Version = 4;
	snapshot(before);
	EXPECT(t, !IoGetDmaAdapter(r->object, &dd, &count));
	broke(t, before, 0x25, 1);
}

static const struct nttest_case cases[] = {
	{ "0xE6:00 more than registers take, or than is mapped",
	  .run_on = too_long },
	{ "0xE6:03 common buffer freed wrongly", .run_on = freed_buffer },
	{ "0xE6:0F S19 elements of a vector and what is behind them",
	  .run_on = used_vector },
	{ "0xE6:03 elements and vectors freed wrongly",
	  .run_on = freed_vector },
	{ "0xE6:03 buffer with bounds freed wrongly", .run_on = freed_bounds },
	{ "0xE6:03 memory of an MDL freed wrongly", .run_on = freed_lent },
	{ "0xE6:04 channel freed that nobody holds", .run_on = freed_channel },
	{ "0xE6:05 registers freed twice", .run_on = freed_registers },
	{ "0xE6:06 no list put", .run_on = freed_list },
	{ "0xE6:07 09 18 adapter put too early, and twice", .run_on = left },
	{ "0xE6:07 adapter put before its vector", .run_on = left_vector },
	{ "0xE6:07 adapter put before memory of an MDL", .run_on = left_lent },
	{ "0xE6:08 11 adapter put with its channel held and waited for",
	  .run_on = left_channel },
	{ "0xE6:0A adapter put before its list", .run_on = left_list },
	{ "0xE6:0B a device object waits twice", .run_on = waits_twice },
	{ "0xE6:0C more registers than granted",
	  .run_on = too_many_registers },
	{ "0xE6:0F written past the end of a list", .run_on = overrun },
	{ "0xE6:0F written past the end of a common buffer",
	  .run_on = buffers_overrun },
	{ "0xE6:0F written beside a transfer that is copied",
	  .run_on = copies_overrun },
	{ "0xE6:0F written beside copied map registers",
	  .run_on = packets_overrun },
	{ "0xE6:0F nothing is written beside, one after the other",
	  .run_on = packets_in_turn },
	{ "0xE6:10 registers freed before the flush", .run_on = still_mapped },
	{ "0xE6:10 channel freed before the flush",
	  .run_on = channel_still_mapped },
	{ "0xE6:13 called below DISPATCH_LEVEL", .run_on = level },
	{ "0xE6:13 allocation and lists below DISPATCH_LEVEL",
	  .run_on = level_of_others },
	{ "0xE6:13 called above PASSIVE_LEVEL", .run_on = level_passive },
	{ "0xE6:13 called with interrupts off", .run_on = level_too_high },
	{ "0xE6:15 16 1B 20 21 transfers of nothing", .run_on = mapping },
	{ "0xE6:18 an adapter that is gone", .run_on = dead_adapter },
	{ "0xE6:19 no adapter", .run_on = no_adapter },
	{ "0xE6:1D mapped again before the flush", .run_on = mapped_twice },
	{ "0xE6:1D one range mapped again before the flush",
	  .run_on = mapped_again },
	{ "0xE6:16 20 21 transfers of nothing, the Ex forms",
	  .run_on = mapping_ex },
	{ "0xE6:24 lists and transfers outside the chain",
	  .run_on = outside_lists },
	{ "0xE6:24 EC-101 outside the chain", .run_on = outside_chain },
	{ "0xE6:25 unknown version", .run_on = version },
	{ "EC-71 cancel without a context", .run_on = no_context },
	{ }
};

const struct nttest_suite nttest_verify = {
	.name = "verify",
	.init = verify_init,
	.exit = verify_exit,
	.cases = cases,
};
