// SPDX-License-Identifier: GPL-2.0
/*
 * System DMA on the mock controller: scenarios S5, S6, S11, S12, S17, S22 and
 * the system cases of sections A to F.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include "buffer.h"
#include "mock.h"
#include "rig.h"

#define LINE	5
#define BYTES	(2 * PAGE_SIZE)
#define FIFO	0x12340000

/**
 * struct sys - a client of the mock controller
 * @t: the case
 * @mock: the controller
 * @object: the device object
 * @a: the adapter
 * @ops: its table
 * @n: registers granted
 * @va: BYTES of memory
 * @mdl: over it
 * @base: registers that are held
 * @context: transfer context
 * @calls: completions so far
 * @grants: channel routines so far
 * @status: of the last completion
 * @length: in and out of MapTransferEx
 * @seen: what @length was in the last completion
 * @level: level that the last completion saw
 * @again: bytes to map from within the completion, after a flush
 */
struct sys {
	struct nttest *t;
	struct mock *mock;
	PDEVICE_OBJECT object;
	PDMA_ADAPTER a;
	PDMA_OPERATIONS ops;
	ULONG n;
	u8 *va;
	PMDL mdl;
	PVOID base;
	u64 context[DMA_TRANSFER_CONTEXT_SIZE_V1 / sizeof(u64)];
	int calls;
	int grants;
	DMA_COMPLETION_STATUS status;
	ULONG length;
	ULONG seen;
	KIRQL level;
	ULONG again;
};

static int sys_hook(struct dma_chan *chan, u32 function, void *argument)
{
	*(u32 *)argument = function;
	return STATUS_SUCCESS;
}

static void describe(DEVICE_DESCRIPTION *dd)
{
	memset(dd, 0, sizeof(*dd));
	dd->Version = DEVICE_DESCRIPTION_VERSION3;
	dd->DmaRequestLine = LINE;
	dd->DmaWidth = Width32Bits;
	dd->MaximumLength = BYTES;
	dd->DeviceAddress.QuadPart = FIFO;
}

static void NTAPI completed(PDMA_ADAPTER adapter, PDEVICE_OBJECT object,
			    PVOID context, DMA_COMPLETION_STATUS status)
{
	struct sys *s = context;

	EXPECT(s->t, adapter == s->a && object == s->object);
	s->calls++;
	s->status = status;
	s->seen = s->length;
	s->level = KeGetCurrentIrql();
	if (!s->again)
		return;
	EXPECT_EQ(s->t, s->ops->FlushAdapterBuffersEx(s->a, s->mdl, s->base, 0,
						      s->length, TRUE),
		  STATUS_SUCCESS);
	s->length = s->again;
	s->again = 0;
	EXPECT_EQ(s->t, s->ops->MapTransferEx(s->a, s->mdl, s->base,
					      s->seen, 0, &s->length, TRUE,
					      NULL, 0, completed, s),
		  STATUS_SUCCESS);
}

static IO_ALLOCATION_ACTION NTAPI granted(PDEVICE_OBJECT object, PIRP irp,
					  PVOID base, PVOID context)
{
	struct sys *s = context;

	s->grants++;
	s->base = base;
	return KeepObject;
}

static bool open_with(struct sys *s, const DEVICE_DESCRIPTION *dd)
{
	DEVICE_DESCRIPTION copy = *dd;

	s->a = IoGetDmaAdapter(s->object, &copy, &s->n);
	if (!EXPECT(s->t, s->a))
		return false;
	s->ops = s->a->DmaOperations;
	return EXPECT_EQ(s->t, s->ops->InitializeDmaTransferContext(s->a,
								    s->context),
			 STATUS_SUCCESS);
}

static void sys_close(struct sys *s)
{
	if (s->a)
		s->ops->PutDmaAdapter(s->a);
	if (s->mdl)
		IoFreeMdl(s->mdl);
	kfree(s->va);
	ntdma_device_destroy(s->object);
	/* What an adapter held is given back by work. */
	msleep(50);
	mock_free(s->mock);
	kfree(s);
}

static struct sys *sys_new(struct nttest *t, u32 max_burst)
{
	struct sys *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->t = t;
	s->mock = mock_new(t->dev, max_burst);
	s->object = ntdma_device_create(t->dev, 0);
	s->va = kzalloc(BYTES, GFP_KERNEL);
	s->mdl = IoAllocateMdl(s->va, BYTES, FALSE, FALSE, NULL);
	MmBuildMdlForNonPagedPool(s->mdl);
	pattern_fill(s->va, BYTES, 1);
	return s;
}

static struct sys *sys_open(struct nttest *t)
{
	struct sys *s = sys_new(t, 0);
	DEVICE_DESCRIPTION dd;

	describe(&dd);
	if (s && open_with(s, &dd))
		return s;
	EXPECT(t, !"opened");
	return NULL;
}

static bool allocate(struct sys *s)
{
	KIRQL irql = rig_raise();
	NTSTATUS status;

	status = s->ops->AllocateAdapterChannelEx(s->a, s->object, s->context,
						  s->n, 0, granted, s, NULL);
	KeLowerIrql(irql);
	return EXPECT_EQ(s->t, status, STATUS_SUCCESS) &&
	       EXPECT_EQ(s->t, s->grants, 1);
}

static NTSTATUS map(struct sys *s, ULONG offset, ULONG length, BOOLEAN write)
{
	s->length = length;
	return s->ops->MapTransferEx(s->a, s->mdl, s->base, offset, 0x10,
				     &s->length, write, NULL, 0, completed, s);
}

static NTSTATUS flush(struct sys *s, BOOLEAN write)
{
	return s->ops->FlushAdapterBuffersEx(s->a, s->mdl, s->base, 0, BYTES,
					     write);
}

static struct sys *sys_owner(struct nttest *t)
{
	struct sys *s = sys_open(t);

	if (s)
		allocate(s);
	return s;
}

static void leave(struct sys *s)
{
	s->ops->FreeAdapterChannel(s->a);
	sys_close(s);
}

static void ec17(struct nttest *t)
{
	struct sys *s = sys_new(t, 0);
	DEVICE_DESCRIPTION dd;
	ULONG n;

	describe(&dd);
	dd.DmaRequestLine = LINE + 1;
	EXPECT(t, !IoGetDmaAdapter(s->object, &dd, &n));
	describe(&dd);
	dd.DmaWidth = Width64Bits;
	EXPECT(t, !IoGetDmaAdapter(s->object, &dd, &n));
	dd.DmaWidth = MaximumDmaWidth;
	EXPECT(t, !IoGetDmaAdapter(s->object, &dd, &n));
	sys_close(s);
}

static void s11(struct nttest *t)
{
	DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
	struct sys *s = sys_owner(t);

	EXPECT_EQ(t, s->ops->GetDmaAdapterInfo(s->a, &info), STATUS_SUCCESS);
	EXPECT_EQ(t, info.V1.MinimumTransferUnit, 4);
	EXPECT(t, info.V1.ScatterGatherLimit > 1);
	EXPECT(t, info.V1.ReadDmaCounterAvailable);

	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, s->length, BYTES);
	EXPECT_EQ(t, s->mock->config.dst_addr, FIFO + 0x10);
	EXPECT_EQ(t, s->mock->config.dst_addr_width, 4);
	EXPECT_EQ(t, s->ops->ReadDmaCounter(s->a), BYTES);
	EXPECT_EQ(t, mock_move(s->mock, PAGE_SIZE), 0);
	EXPECT_EQ(t, s->ops->ReadDmaCounter(s->a), BYTES - PAGE_SIZE);
	EXPECT_EQ(t, mock_move(s->mock, PAGE_SIZE), 0);
	EXPECT_EQ(t, s->calls, 0);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, s->calls, 1);
	EXPECT_EQ(t, s->status, DmaComplete);
	EXPECT_EQ(t, s->level, DISPATCH_LEVEL);
	EXPECT_EQ(t, s->ops->ReadDmaCounter(s->a), 0);
	pattern_same(t, "device", s->mock->store, s->va, BYTES);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, s->mock->terminated, 0);
	leave(s);
}

static void s11_read(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	pattern_fill(s->mock->store, BYTES, 7);
	EXPECT_EQ(t, map(s, 0, BYTES, FALSE), STATUS_SUCCESS);
	EXPECT_EQ(t, mock_move(s->mock, BYTES), 0);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, flush(s, FALSE), STATUS_SUCCESS);
	pattern_same(t, "memory", s->va, s->mock->store, BYTES);
	leave(s);
}

static void ec128(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	mock_finish(s->mock, DMA_TRANS_READ_FAILED);
	EXPECT_EQ(t, s->status, DmaError);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	mock_finish(s->mock, DMA_TRANS_ABORTED);
	EXPECT_EQ(t, s->status, DmaError);
	EXPECT_EQ(t, s->calls, 2);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void ec107(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	s->mock->instant = true;
	EXPECT_EQ(t, map(s, 0, BYTES - 3, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, s->calls, 1);
	EXPECT_EQ(t, s->seen, BYTES - 4);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void ec129(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	s->again = PAGE_SIZE;
	EXPECT_EQ(t, map(s, 0, PAGE_SIZE, TRUE), STATUS_SUCCESS);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, s->calls, 1);
	EXPECT_EQ(t, mock_move(s->mock, PAGE_SIZE), 0);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, s->calls, 2);
	pattern_same(t, "second piece", s->mock->store, s->va + PAGE_SIZE,
		     PAGE_SIZE);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void ec109(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	s->mock->refuse = true;
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_INSUFFICIENT_RESOURCES);
	EXPECT_EQ(t, map(s, 2, BYTES - 2, TRUE), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, s->calls, 0);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_INVALID_PARAMETER);
	s->mock->refuse = false;
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void s17(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, s->ops->CancelMappedTransfer(s->a, s->context),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, s->calls, 1);
	EXPECT_EQ(t, s->status, DmaCancelled);
	EXPECT_EQ(t, s->mock->terminated, 1);
	EXPECT(t, !NT_SUCCESS(s->ops->CancelMappedTransfer(s->a, s->context)));
	mock_finish_late(s->mock);
	EXPECT_EQ(t, s->calls, 1);
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_CANCELLED);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void ec122(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	EXPECT_EQ(t, s->ops->CancelMappedTransfer(s->a, s->context),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_CANCELLED);
	EXPECT_EQ(t, s->calls, 0);
	flush(s, TRUE);
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT(t, !NT_SUCCESS(s->ops->CancelMappedTransfer(s->a, s->context)));
	EXPECT_EQ(t, s->calls, 1);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void ec119(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	s->mock->hold = true;
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, s->mock->terminated, 1);
	EXPECT_EQ(t, s->calls, 1);
	EXPECT_EQ(t, s->status, DmaCancelled);
	/* The next waits until the controller has stopped. */
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	EXPECT(t, !s->mock->running);
	EXPECT_EQ(t, s->mock->synchronized, 0);
	WRITE_ONCE(s->mock->hold, false);
	msleep(50);
	EXPECT(t, s->mock->running);
	EXPECT_EQ(t, s->mock->synchronized, 1);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, s->calls, 2);
	EXPECT_EQ(t, s->status, DmaComplete);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void stop_first(struct nttest *t)
{
	struct sys *s = sys_owner(t);
	KIRQL irql;

	s->mock->hold = true;
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	flush(s, TRUE);
	s->ops->FreeAdapterChannel(s->a);
	irql = rig_raise();
	EXPECT_EQ(t, s->ops->AllocateAdapterChannelEx(s->a, s->object,
						      s->context, 1, 0, granted,
						      s, NULL), STATUS_SUCCESS);
	KeLowerIrql(irql);
	EXPECT_EQ(t, s->grants, 1);
	WRITE_ONCE(s->mock->hold, false);
	msleep(50);
	EXPECT_EQ(t, s->grants, 2);
	leave(s);
}

static void s12(struct nttest *t)
{
	struct sys *s = sys_new(t, 0);
	PHYSICAL_ADDRESS la;
	DEVICE_DESCRIPTION dd;
	PMDL mdl, own;
	PVOID va;
	int i;

	describe(&dd);
	dd.AutoInitialize = TRUE;
	if (!open_with(s, &dd)) {
		sys_close(s);
		return;
	}
	va = s->ops->AllocateCommonBuffer(s->a, BYTES, &la, FALSE);
	EXPECT(t, va);
	mdl = IoAllocateMdl(va, BYTES, FALSE, FALSE, NULL);
	MmBuildMdlForNonPagedPool(mdl);
	own = s->mdl;
	s->mdl = mdl;
	allocate(s);
	EXPECT_EQ(t, map(s, 0, BYTES, FALSE), STATUS_SUCCESS);
	EXPECT_EQ(t, s->mock->period, BYTES / 4);
	EXPECT_EQ(t, sg_dma_address(s->mock->sgs), la.QuadPart);
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(t, s->ops->ReadDmaCounter(s->a), BYTES);
		pattern_fill(s->mock->store, BYTES, i);
		EXPECT_EQ(t, mock_move(s->mock, BYTES), 0);
		EXPECT_EQ(t, s->ops->ReadDmaCounter(s->a), BYTES);
		mock_finish(s->mock, DMA_TRANS_NOERROR);
		EXPECT_EQ(t, s->calls, i);
		pattern_same(t, "pass", va, s->mock->store, BYTES);
	}
	EXPECT_EQ(t, s->ops->CancelMappedTransfer(s->a, s->context),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, s->status, DmaCancelled);
	EXPECT_EQ(t, flush(s, FALSE), STATUS_SUCCESS);
	mock_finish_late(s->mock);
	EXPECT_EQ(t, s->calls, 4);
	s->ops->FreeAdapterChannel(s->a);
	s->mdl = own;
	IoFreeMdl(mdl);
	s->ops->FreeCommonBuffer(s->a, BYTES, la, va, FALSE);
	sys_close(s);
}

static void s5(struct nttest *t)
{
	struct sys *s = sys_new(t, 0);
	DEVICE_DESCRIPTION dd;
	ULONG length = BYTES;
	KIRQL irql;

	describe(&dd);
	dd.Version = DEVICE_DESCRIPTION_VERSION1;
	dd.DmaRequestLine = 0;
	dd.DmaChannel = LINE;
	s->a = IoGetDmaAdapter(s->object, &dd, &s->n);
	if (!EXPECT(t, s->a)) {
		sys_close(s);
		return;
	}
	s->ops = s->a->DmaOperations;
	irql = rig_raise();
	EXPECT_EQ(t, s->ops->AllocateAdapterChannel(s->a, s->object, 3, granted,
						    s), STATUS_SUCCESS);
	KeLowerIrql(irql);
	s->ops->MapTransfer(s->a, s->mdl, s->base, s->va, &length, TRUE);
	EXPECT_EQ(t, length, BYTES);
	EXPECT_EQ(t, s->mock->length, BYTES);
	EXPECT_EQ(t, s->ops->ReadDmaCounter(s->a), BYTES);
	EXPECT_EQ(t, mock_move(s->mock, BYTES), 0);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT(t, s->ops->FlushAdapterBuffers(s->a, s->mdl, s->base, s->va,
					      BYTES, TRUE));
	pattern_same(t, "device", s->mock->store, s->va, BYTES);
	leave(s);
}

static void s22(struct nttest *t)
{
	struct sys *s = sys_owner(t);
	struct sys *o = kzalloc(sizeof(*o), GFP_KERNEL);
	DEVICE_DESCRIPTION dd;
	KIRQL irql;

	describe(&dd);
	o->t = t;
	o->object = s->object;
	if (!open_with(o, &dd))
		goto done;
	irql = rig_raise();
	EXPECT_EQ(t, o->ops->AllocateAdapterChannelEx(o->a, o->object,
						      o->context, 1, 0, granted,
						      o, NULL), STATUS_SUCCESS);
	KeLowerIrql(irql);
	EXPECT_EQ(t, o->grants, 0);
	o->ops->FreeAdapterChannel(o->a);
	EXPECT_EQ(t, o->grants, 0);
	s->ops->FreeAdapterChannel(s->a);
	EXPECT_EQ(t, o->grants, 1);
	o->ops->FreeAdapterChannel(o->a);
	o->ops->PutDmaAdapter(o->a);
done:
	kfree(o);
	sys_close(s);
}

static void ec126(struct nttest *t)
{
	struct sys *s = sys_owner(t);
	ULONG burst = 8, seen = 0, none = 0;

	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 77, NULL),
		  STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 0x8001, &seen),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, seen, 0x8001);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 4, &none),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 4, NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 4, &burst),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 2, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, map(s, 0, BYTES, TRUE), STATUS_SUCCESS);
	EXPECT_EQ(t, s->mock->config.dst_maxburst, 8);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 4, &burst),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 2, NULL),
		  STATUS_SUCCESS);
	EXPECT(t, s->mock->paused);
	EXPECT_EQ(t, s->ops->ConfigureAdapterChannel(s->a, 3, NULL),
		  STATUS_SUCCESS);
	EXPECT(t, !s->mock->paused);
	mock_finish(s->mock, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, flush(s, TRUE), STATUS_SUCCESS);
	leave(s);
}

static void free_running(struct nttest *t)
{
	struct sys *s = sys_owner(t);

	EXPECT_EQ(t, map(s, 0, BYTES, FALSE), STATUS_SUCCESS);
	s->ops->FreeAdapterChannel(s->a);
	EXPECT_EQ(t, s->mock->terminated, 1);
	EXPECT_EQ(t, s->calls, 0);
	sys_close(s);
}

static int sys_init(struct nttest *t)
{
	return ntdma_device_channel(t->dev, LINE, "mock", sys_hook);
}

static const struct nttest_case cases[] = {
	{ "EC-17 a line, a width that no controller has", ec17 },
	{ "S5 EC-85 EC-49 packet of version 1", s5 },
	{ "S11 EC-104 EC-110 EC-127 memory to device", s11 },
	{ "S11 device to memory", s11_read },
	{ "EC-128 errors of the controller", ec128 },
	{ "EC-107 completes before the call returns", ec107 },
	{ "EC-129 maps the rest from the completion", ec129 },
	{ "EC-109 nothing is told after a failure", ec109 },
	{ "S12 S6 EC-92 a loop, its counter and its end", s12 },
	{ "S17 EC-120 EC-121 EC-124 cancel in flight", s17 },
	{ "S17 EC-122 EC-123 cancel before and after", ec122 },
	{ "EC-119 flush stops, the next waits", ec119 },
	{ "channel stays taken until the controller stopped", stop_first },
	{ "S22 adapters share a channel in order", s22 },
	{ "EC-126 ConfigureAdapterChannel", ec126 },
	{ "channel freed under a running transfer", free_running },
	{ }
};

const struct nttest_suite nttest_system = {
	.name = "system",
	.init = sys_init,
	.cases = cases,
};
