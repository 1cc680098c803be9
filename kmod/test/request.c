// SPDX-License-Identifier: GPL-2.0
/*
 * Requests for lists and channels.
 *
 * Every request has its own seed, so that bytes of one never pass for those
 * of another. For a write the chain holds the image and the device must read
 * it; for a read the chain holds the image's complement, the device writes
 * the image, and bytes beside the transfer must keep the complement.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "hooks.h"
#include "request.h"

static atomic_t seeds;

static KIRQL call_level(struct rig *r)
{
	return r->passive ? KeGetCurrentIrql() : rig_raise();
}

struct request *request_new(struct rig *r, PMDL mdl, u64 offset, ULONG length,
			    bool write)
{
	struct request *q = kzalloc(sizeof(*q), GFP_KERNEL);

	if (!EXPECT(r->t, q))
		return NULL;
	q->r = r;
	q->from = r->object;
	q->mdl = mdl;
	q->offset = offset;
	q->length = length;
	q->write = write;
	q->held = DeallocateObject;
	q->action = DeallocateObject;
	init_completion(&q->done);
	q->raw = kzalloc(DMA_TRANSFER_CONTEXT_SIZE_V1 + 1, GFP_KERNEL);
	q->image = mdl ? kvmalloc(mdl_bytes(mdl), GFP_KERNEL) : NULL;
	if (!EXPECT(r->t, q->raw) || !EXPECT(r->t, !mdl || q->image)) {
		kfree(q->raw);
		kvfree(q->image);
		kfree(q);
		return NULL;
	}
	q->context = q->raw + 1;
	if (r->kind->version == DEVICE_DESCRIPTION_VERSION3)
		EXPECT_EQ(r->t, STATUS_SUCCESS,
			  r->ops->InitializeDmaTransferContext(r->adapter, q->context));
	list_add(&q->node, &r->requests);
	request_prepare(q);
	return q;
}

/* The request ran to its end; what it still holds is a failure of the case. */
void request_free(struct request *q)
{
	struct nttest *t = q->r->t;

	list_del(&q->node);
	if (q->queued && !atomic_read(&q->calls)) {
		nttest_fail(t, __FILE__, __LINE__, "a routine never ran");
		if (q->r->kind->version == DEVICE_DESCRIPTION_VERSION3)
			q->r->ops->CancelAdapterChannel(q->r->adapter,
							q->from, q->context);
		return;		/* it may still: its memory is given up */
	}
	if (!EXPECT(t, !q->list))
		request_put(q);
	if (!EXPECT_EQ(t, q->held, DeallocateObject))
		request_release(q);
	kvfree(q->room);
	kvfree(q->image);
	kfree(q->raw);
	kfree(q);
}

/* Fills the chain for one more transfer, with bytes never used before. */
bool request_prepare(struct request *q)
{
	u64 bytes, i;

	if (!q->mdl)
		return true;
	bytes = mdl_bytes(q->mdl);
	pattern_fill(q->image, bytes, atomic_inc_return(&seeds));
	if (q->write) {
		mdl_store(q->mdl, 0, q->image, bytes);
		return true;
	}
	for (i = 0; i < bytes; i++)
		q->image[i] = ~q->image[i];
	mdl_store(q->mdl, 0, q->image, bytes);
	for (i = 0; i < bytes; i++)
		q->image[i] = ~q->image[i];
	return true;
}

static void request_enter(struct request *q, PDEVICE_OBJECT object, PIRP irp)
{
	q->turn = atomic_inc_return(&q->r->turns);
	q->irql = KeGetCurrentIrql();
	q->object = object;
	q->irp = irp;
	q->thread = current;
}

static void request_leave(struct request *q)
{
	if (q->hook)
		q->hook(q);
	atomic_inc(&q->calls);
	complete(&q->done);
}

void NTAPI request_list_routine(PDEVICE_OBJECT object, PIRP irp,
				PSCATTER_GATHER_LIST list, PVOID context)
{
	struct request *q = context;

	request_enter(q, object, irp);
	q->list = list;
	request_leave(q);
}

IO_ALLOCATION_ACTION NTAPI request_channel_routine(PDEVICE_OBJECT object,
						   PIRP irp, PVOID base,
						   PVOID context)
{
	struct request *q = context;
	IO_ALLOCATION_ACTION action = q->action;

	request_enter(q, object, irp);
	q->base = base;
	q->held = action;
	request_leave(q);
	return action;
}

/* Waits for the routine and checks that it ran once, as the contract says. */
bool request_ran(struct request *q)
{
	const unsigned long patience = msecs_to_jiffies(RIG_PATIENCE);
	struct nttest *t = q->r->t;

	if (!EXPECT(t, wait_for_completion_timeout(&q->done, patience)))
		return false;
	complete(&q->done);
	return EXPECT_EQ(t, atomic_read(&q->calls), 1) &
	       EXPECT_EQ(t, q->irql, DISPATCH_LEVEL) &
	       EXPECT(t, q->object == q->from) &
	       EXPECT(t, q->irp == &q->r->irp);
}

/* What the sizing routines ask for this very request. */
ULONG request_list_size(struct request *q)
{
	struct rig *r = q->r;
	ULONG size = 0;
	PVOID va;

	if (r->kind->version == DEVICE_DESCRIPTION_VERSION3) {
		DMA_TRANSFER_INFO info = { .Version = DMA_TRANSFER_INFO_VERSION1 };

		EXPECT_EQ(r->t, STATUS_SUCCESS,
			  r->ops->GetDmaTransferInfo(r->adapter, q->mdl, q->offset,
						     q->length, q->write,
						     &info));
		size = info.V1.ScatterGatherListSize;
	} else {
		va = MmGetMdlVirtualAddress(q->mdl) + q->offset;
		EXPECT_EQ(r->t, STATUS_SUCCESS,
			  r->ops->CalculateScatterGatherList(r->adapter, q->mdl,
							     va, q->length, &size,
							     NULL));
	}
	return size;
}

/* Exactly @size bytes, so that a checker sees a list that overruns them. */
bool request_make_room(struct request *q, ULONG size)
{
	if (q->room && q->size == size)
		return true;
	kvfree(q->room);
	q->size = size;
	q->room = kvmalloc(size, GFP_KERNEL);
	return EXPECT(q->r->t, q->room);
}

static NTSTATUS submit_v1(struct request *q, enum producer how)
{
	struct rig *r = q->r;
	PVOID va = MmGetMdlVirtualAddress(q->mdl) + q->offset;

	if (how == BY_GET)
		return r->ops->GetScatterGatherList(r->adapter, q->from, q->mdl,
						    va, q->length,
						    request_list_routine, q,
						    q->write);
	return r->ops->BuildScatterGatherList(r->adapter, q->from, q->mdl, va,
					      q->length, request_list_routine, q,
					      q->write, q->room, q->size);
}

static NTSTATUS submit_ex(struct request *q, enum producer how)
{
	bool sync = how == BY_GET_SYNC || how == BY_BUILD_SYNC;
	PDRIVER_LIST_CONTROL routine = sync ? NULL : request_list_routine;
	PSCATTER_GATHER_LIST *list = sync ? &q->list : NULL;
	ULONG flags = sync ? DMA_SYNCHRONOUS_CALLBACK : 0;
	struct rig *r = q->r;

	if (how == BY_GET_EX || how == BY_GET_SYNC)
		return r->ops->GetScatterGatherListEx(r->adapter, q->from,
						      q->context, q->mdl, q->offset,
						      q->length, flags, routine, q,
						      q->write, NULL, NULL, list);
	return r->ops->BuildScatterGatherListEx(r->adapter, q->from, q->context,
						q->mdl, q->offset, q->length, flags,
						routine, q, q->write, q->room,
						q->size, NULL, NULL, list);
}

/*
 * Makes the call at DISPATCH_LEVEL, or where the rig says. A Build without
 * room gets what it needs.
 */
NTSTATUS request_submit(struct request *q, enum producer how)
{
	bool build = how == BY_BUILD || how == BY_BUILD_EX || how == BY_BUILD_SYNC;
	NTSTATUS status;
	KIRQL old;

	if (build && !q->room && !request_make_room(q, request_list_size(q)))
		return STATUS_NO_MEMORY;
	atomic_set(&q->calls, 0);
	reinit_completion(&q->done);
	q->list = NULL;
	q->queued = how < BY_GET_SYNC;
	old = call_level(q->r);
	status = how < BY_GET_EX ? submit_v1(q, how) : submit_ex(q, how);
	q->early = atomic_read(&q->calls);
	KeLowerIrql(old);
	if (!NT_SUCCESS(status))
		q->queued = false;
	return status;
}

/* Submits and has the list afterwards, the channel being free again. */
bool request_list(struct request *q, enum producer how)
{
	struct rig *r = q->r;

	if (!EXPECT_EQ(r->t, request_submit(q, how), STATUS_SUCCESS))
		return false;
	if (how < BY_GET_SYNC)
		return request_ran(q);
	r->ops->FreeAdapterObject(r->adapter, DeallocateObjectKeepRegisters);
	return EXPECT(r->t, q->list);
}

static void check_element(struct request *q, const SCATTER_GATHER_ELEMENT *e)
{
	struct nttest *t = q->r->t;
	u64 first = e->Address.QuadPart;

	EXPECT(t, e->Length > 0);
	EXPECT(t, first + e->Length - 1 >= first);
	EXPECT(t, first + e->Length - 1 <= q->r->bus.last);
}

/* The list covers the request exactly, in elements the device can reach. */
void request_check_list(struct request *q)
{
	struct nttest *t = q->r->t;
	u64 sum = 0;
	ULONG i;

	EXPECT(t, q->list->NumberOfElements >= 1);
	EXPECT(t, q->list->NumberOfElements <=
	       mdl_pages(q->mdl, q->offset, q->length));
	if (q->r->kind->single)
		EXPECT_EQ(t, q->list->NumberOfElements, 1);
	if (q->room)
		EXPECT(t, (void *)q->list == q->room);
	for (i = 0; i < q->list->NumberOfElements; i++) {
		check_element(q, &q->list->Elements[i]);
		sum += q->list->Elements[i].Length;
	}
	EXPECT_EQ(t, sum, q->length);
}

static void device_reads(struct request *q)
{
	struct nttest *t = q->r->t;
	void *seen = kvmalloc(q->length, GFP_KERNEL);

	if (!EXPECT(t, seen))
		return;
	if (EXPECT_EQ(t, bus_read_list(&q->r->bus, q->list, seen, q->length),
		      q->length))
		pattern_same(t, "the device", seen, q->image + q->offset,
			     q->length);
	kvfree(seen);
}

/* The device does its part of the transfer over the list. */
void request_move(struct request *q)
{
	if (q->write)
		device_reads(q);
	else
		EXPECT_EQ(q->r->t,
			  bus_write_list(&q->r->bus, q->list,
					 q->image + q->offset, q->length),
			  q->length);
}

/* After the transfer: all the chain's bytes are what they must be. */
void request_check_memory(struct request *q)
{
	u64 bytes = mdl_bytes(q->mdl), end = q->offset + q->length, i;
	u8 *seen = kvmalloc(bytes, GFP_KERNEL);

	if (!EXPECT(q->r->t, seen))
		return;
	mdl_fetch(q->mdl, 0, seen, bytes);
	for (i = 0; i < bytes && !q->write; i++)
		if (i < q->offset || i >= end)
			seen[i] = ~seen[i];
	pattern_same(q->r->t, q->write ? "memory after a write" :
		     "memory after a read", seen, q->image, bytes);
	kvfree(seen);
}

void request_put(struct request *q)
{
	struct rig *r = q->r;
	KIRQL old = call_level(r);

	r->ops->PutScatterGatherList(r->adapter, q->list, q->write);
	KeLowerIrql(old);
	q->list = NULL;
}

/* The device's part over the list that came, put, and every byte checked. */
void request_finish(struct request *q)
{
	request_check_list(q);
	request_move(q);
	request_put(q);
	request_check_memory(q);
}

/* One whole transfer. */
void request_transfer(struct rig *r, PMDL mdl, u64 offset, ULONG length,
		      bool write, enum producer how)
{
	struct request *q = request_new(r, mdl, offset, length, write);

	if (!q)
		return;
	if (request_list(q, how))
		request_finish(q);
	request_free(q);
}

/* A request for a channel alone. */
struct request *request_channel(struct rig *r, ULONG registers,
				IO_ALLOCATION_ACTION action)
{
	struct request *q = request_new(r, NULL, 0, 0, true);

	if (!q)
		return NULL;
	q->registers = registers;
	q->action = action;
	return q;
}

static void request_start(struct request *q)
{
	atomic_set(&q->calls, 0);
	reinit_completion(&q->done);
	q->base = NULL;
	q->queued = true;
}

/* AllocateAdapterChannel at DISPATCH_LEVEL. */
NTSTATUS request_allocate(struct request *q)
{
	struct rig *r = q->r;
	NTSTATUS status;
	KIRQL old;

	request_start(q);
	old = call_level(r);
	status = r->ops->AllocateAdapterChannel(r->adapter, q->from, q->registers,
						request_channel_routine, q);
	q->early = atomic_read(&q->calls);
	KeLowerIrql(old);
	if (!NT_SUCCESS(status))
		q->queued = false;
	return status;
}

/* AllocateAdapterChannelEx with the routine and no base. */
NTSTATUS request_allocate_ex(struct request *q, ULONG flags)
{
	struct rig *r = q->r;
	NTSTATUS status;
	KIRQL old;

	request_start(q);
	old = call_level(r);
	status = r->ops->AllocateAdapterChannelEx(r->adapter, q->from, q->context,
						  q->registers, flags,
						  request_channel_routine, q, NULL);
	q->early = atomic_read(&q->calls);
	KeLowerIrql(old);
	if (!NT_SUCCESS(status))
		q->queued = false;
	return status;
}

/* AllocateAdapterChannelEx, synchronous, without a routine. */
NTSTATUS request_allocate_sync(struct request *q)
{
	struct rig *r = q->r;
	NTSTATUS status;
	KIRQL old;

	q->base = NULL;
	old = call_level(r);
	status = r->ops->AllocateAdapterChannelEx(r->adapter, q->from, q->context,
						  q->registers,
						  DMA_SYNCHRONOUS_CALLBACK, NULL,
						  NULL, &q->base);
	KeLowerIrql(old);
	if (NT_SUCCESS(status))
		q->held = KeepObject;
	return status;
}

/* Gives back what the routine kept: the channel with all, or the registers. */
void request_release(struct request *q)
{
	IO_ALLOCATION_ACTION held = q->held;
	struct rig *r = q->r;
	KIRQL old = call_level(r);

	q->held = DeallocateObject;
	if (held == KeepObject)
		r->ops->FreeAdapterChannel(r->adapter);
	else if (held == DeallocateObjectKeepRegisters && q->base)
		r->ops->FreeMapRegisters(r->adapter, q->base, q->registers);
	KeLowerIrql(old);
}

/* Makes the adapter busy until the request is released. */
struct request *request_hold(struct rig *r)
{
	struct request *q = request_channel(r, 1, KeepObject);

	if (q && EXPECT_EQ(r->t, request_allocate(q), STATUS_SUCCESS) &&
	    request_ran(q))
		return q;
	return NULL;
}

static struct {
	struct task_struct *thread;
	unsigned long low, high;
} stack;

/* Starts to measure how deep routines run on this thread's stack. */
void stack_begin(void)
{
	stack.thread = current;
	stack.low = ULONG_MAX;
	stack.high = 0;
}

/* Called in a routine. */
void stack_note(struct request *unused)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	if (current != stack.thread)
		return;
	if (here < stack.low)
		stack.low = here;
	if (here > stack.high)
		stack.high = here;
}

/* Bytes between the shallowest and the deepest routine. */
unsigned long stack_span(void)
{
	return stack.high > stack.low ? stack.high - stack.low : 0;
}

/*
 * Submits while something fails by arrangement. What allocates is refused, what
 * only maps waits, or is refused when it may not wait. True with a list.
 */
static bool sweep_submit(struct request *q, enum producer how, bool first, bool *hit)
{
	bool get = how == BY_GET || how == BY_GET_EX, sync = how >= BY_GET_SYNC;
	NTSTATUS status = request_submit(q, how);
	struct rig *r = q->r;

	*hit = ntdma_fail_hit();
	EXPECT(r->t, status == STATUS_SUCCESS ||
	       (*hit && (sync || (get && first)) &&
		status == STATUS_INSUFFICIENT_RESOURCES));
	if (sync)
		r->ops->FreeAdapterObject(r->adapter,
					  DeallocateObjectKeepRegisters);
	return NT_SUCCESS(status) && (sync || request_ran(q));
}

/* The @n-th allocation or mapping fails; whether there was one. */
static bool sweep_once(struct rig *r, struct buffer *b, enum producer how,
		       bool write, int n)
{
	struct request *q = request_new(r, b->mdl, 0, b->length, write);
	long live = ntdma_live_objects();
	bool hit;

	if (!q)
		return false;
	ntdma_fail_nth(n);
	if (sweep_submit(q, how, n == 1, &hit))
		request_finish(q);
	ntdma_fail_nth(0);
	EXPECT_EQ(r->t, ntdma_live_objects(), live);
	request_free(q);
	return hit;
}

/* Each allocation and mapping of a list fails once; how many there were. */
int request_sweep(struct rig *r, struct buffer *b, enum producer how, bool write)
{
	int n = 1;

	while (n < 100 && !r->t->failed && sweep_once(r, b, how, write, n))
		n++;
	EXPECT(r->t, n < 100);
	return n - 1;
}
