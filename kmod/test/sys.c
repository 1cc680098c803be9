// SPDX-License-Identifier: GPL-2.0
/*
 * The bench for system DMA.
 *
 * The client is a platform device of its own, so that memory that is mapped
 * for the client instead of the controller is out of reach where an IOMMU
 * stands between. Its property dma-names names the controller's lines by
 * index, which is DmaChannel or DmaRequestLine.
 */
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include "sys.h"

#define SYS_CLIENT	"ntdma_client"

static const struct rig_kind sys_kinds[] = {
	{ .name = "version 0", .version = 0, .width = 32, .length = SYS_LENGTH },
	{ .name = "version 1", .version = 1, .width = 32, .length = SYS_LENGTH },
	{ .name = "version 2", .version = 2, .width = 32, .length = SYS_LENGTH },
	{ .name = "version 3", .version = 3, .width = 32, .length = SYS_LENGTH },
};

static const struct property_entry sys_properties[] = {
	PROPERTY_ENTRY_STRING_ARRAY("dma-names", dmac_names),
	{ }
};

static int client_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver client_driver = {
	.driver.name = SYS_CLIENT,
	.probe = client_probe,
};

static int client_add(struct sys *s)
{
	const struct platform_device_info info = {
		.name = SYS_CLIENT,
		.id = PLATFORM_DEVID_NONE,
		.properties = sys_properties,
		.dma_mask = DMA_BIT_MASK(32),
	};
	int err = platform_driver_register(&client_driver);

	if (err)
		return err;
	s->pdev = platform_device_register_full(&info);
	err = PTR_ERR_OR_ZERO(s->pdev);
	if (err)
		platform_driver_unregister(&client_driver);
	return err;
}

int sys_init(struct nttest *t)
{
	struct sys *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	s->t = t;
	t->priv = s;
	s->dmac = dmac_create(t->dev, SYS_CLIENT);
	err = PTR_ERR_OR_ZERO(s->dmac);
	if (err)
		goto free;
	err = client_add(s);
	if (!err)
		return 0;
	dmac_destroy(s->dmac);
free:
	kfree(s);
	return err;
}

void sys_exit(struct nttest *t)
{
	struct sys *s = t->priv;
	int i;

	for (i = 0; i < s->count; i++)
		rig_close(s->rigs[i]);
	platform_device_unregister(s->pdev);
	platform_driver_unregister(&client_driver);
	for (i = 0; i < DMAC_LINES; i++)
		EXPECT_EQ(t, s->dmac->lines[i].faults, 0);
	EXPECT(t, dmac_destroy(s->dmac));
	kfree(s);
}

/* A description as a driver of a device behind line @line would write it. */
void sys_describe(DEVICE_DESCRIPTION *dd, ULONG version, ULONG line)
{
	memset(dd, 0, version == DEVICE_DESCRIPTION_VERSION3 ? sizeof(*dd) :
	       offsetof(DEVICE_DESCRIPTION, DmaAddressWidth));
	dd->Version = version;
	dd->InterfaceType = ACPIBus;
	dd->DmaChannel = line;
	dd->DmaWidth = Width32Bits;
	dd->MaximumLength = SYS_LENGTH;
	if (version != DEVICE_DESCRIPTION_VERSION3)
		return;
	dd->DmaAddressWidth = 32;
	dd->DmaRequestLine = line;
	dd->DeviceAddress.QuadPart = DMAC_FIFO(line);
}

/* Whether there is an adapter of another device as in @dd; it is put at once. */
bool sys_opens_on(struct nttest *t, struct device *dev, DEVICE_DESCRIPTION *dd)
{
	PDEVICE_OBJECT object = ntdma_device_create(dev, 0);
	PDMA_ADAPTER adapter;
	ULONG registers;

	if (!EXPECT(t, object))
		return false;
	adapter = IoGetDmaAdapter(object, dd, &registers);
	ntdma_device_destroy(object);
	if (adapter)
		adapter->DmaOperations->PutDmaAdapter(adapter);
	return adapter;
}

/* The same of the client. */
bool sys_opens(struct sys *s, DEVICE_DESCRIPTION *dd)
{
	return sys_opens_on(s->t, &s->pdev->dev, dd);
}

/* NULL, with the case failed, when the adapter does not open. */
struct rig *sys_open_as(struct sys *s, DEVICE_DESCRIPTION *dd)
{
	struct rig *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!EXPECT(s->t, r))
		return NULL;
	if (!EXPECT(s->t, s->count < SYS_RIGS))
		goto free_rig;
	r->t = s->t;
	r->kind = &sys_kinds[dd->Version];
	INIT_LIST_HEAD(&r->buffers);
	INIT_LIST_HEAD(&r->requests);
	r->bus = s->dmac->bus;
	r->object = ntdma_device_create(&s->pdev->dev, 0);
	if (!EXPECT(s->t, r->object))
		goto free_rig;
	r->object->CurrentIrp = &r->irp;
	r->adapter = IoGetDmaAdapter(r->object, dd, &r->registers);
	if (!EXPECT(s->t, r->adapter))
		goto destroy_object;
	r->ops = r->adapter->DmaOperations;
	s->rigs[s->count++] = r;
	return r;

destroy_object:
	ntdma_device_destroy(r->object);
free_rig:
	kfree(r);
	return NULL;
}

struct rig *sys_open(struct sys *s, ULONG version, ULONG line)
{
	DEVICE_DESCRIPTION dd;

	sys_describe(&dd, version, line);
	return sys_open_as(s, &dd);
}

/* ConfigureAdapterChannel at DISPATCH_LEVEL. */
NTSTATUS sys_configure(struct rig *r, ULONG function, PVOID argument)
{
	KIRQL old = rig_raise();
	NTSTATUS status;

	status = r->ops->ConfigureAdapterChannel(r->adapter, function,
						 argument);
	KeLowerIrql(old);
	return status;
}

bool job_init(struct job *j, struct sys *s, struct rig *r, ULONG line)
{
	memset(j, 0, sizeof(*j));
	j->r = r;
	j->line = &s->dmac->lines[line];
	init_completion(&j->done);
	return r;
}

/* Owns the channel, with registers for all of @length. */
bool job_hold(struct job *j, PMDL mdl, ULONG length, bool write)
{
	struct rig *r = j->r;

	j->q = request_new(r, mdl, 0, length, write);
	if (!j->q)
		return false;
	j->q->registers = mdl_pages(mdl, 0, length);
	j->q->action = KeepObject;
	if (r->kind->version < DEVICE_DESCRIPTION_VERSION3)
		return EXPECT_EQ(r->t, request_allocate(j->q), STATUS_SUCCESS) &&
		       request_ran(j->q);
	return EXPECT_EQ(r->t, request_allocate_ex(j->q, 0), STATUS_SUCCESS) &&
	       request_ran(j->q);
}

/* All up to the channel, with scattered memory of @length bytes. */
bool job_begin(struct job *j, struct sys *s, struct rig *r, ULONG line,
	       size_t length, bool write)
{
	struct buffer *b;

	if (!job_init(j, s, r, line))
		return false;
	b = buffer_new(r, SCATTERED, 0, length);
	return b && job_hold(j, b->mdl, length, write);
}

/* Gives the device what it will send, or room for what it will get. */
void job_load(struct job *j, u64 offset, ULONG length)
{
	j->line->at = 0;
	memset(j->line->stream, 0, DMAC_STREAM);
	if (!j->q->write)
		memcpy(j->line->stream, j->q->image + offset, length);
}

void NTAPI job_done(PDMA_ADAPTER adapter, PDEVICE_OBJECT object, PVOID context,
		    DMA_COMPLETION_STATUS status)
{
	struct job *j = context;

	if (!atomic_read(&j->calls))
		j->seen = j->mapped;
	j->status = status;
	j->irql = KeGetCurrentIrql();
	j->adapter = adapter;
	j->object = object;
	if (j->hook)
		j->hook(j);
	atomic_inc(&j->calls);
	complete(&j->done);
}

/* MapTransferEx at DISPATCH_LEVEL without a list. */
NTSTATUS job_map(struct job *j, u64 offset, ULONG length, ULONG device_offset)
{
	struct rig *r = j->r;
	NTSTATUS status;
	KIRQL old;

	atomic_set(&j->calls, 0);
	reinit_completion(&j->done);
	j->mapped = length;
	old = rig_raise();
	status = r->ops->MapTransferEx(r->adapter, j->q->mdl, j->q->base, offset,
				       device_offset, &j->mapped, j->q->write,
				       NULL, 0, job_done, j);
	KeLowerIrql(old);
	return status;
}

/* FlushAdapterBuffersEx at DISPATCH_LEVEL, or where the rig says. */
NTSTATUS job_flush(struct job *j, u64 offset, ULONG length)
{
	struct rig *r = j->r;
	NTSTATUS status;
	KIRQL old;

	old = r->passive ? KeGetCurrentIrql() : rig_raise();
	status = r->ops->FlushAdapterBuffersEx(r->adapter, j->q->mdl, j->q->base,
					       offset, length, j->q->write);
	KeLowerIrql(old);
	return status;
}

NTSTATUS job_cancel(struct job *j)
{
	KIRQL old = rig_raise();
	NTSTATUS status;

	status = j->r->ops->CancelMappedTransfer(j->r->adapter, j->q->context);
	KeLowerIrql(old);
	return status;
}

/* Waits for the completion and checks it, and that there was only one. */
bool job_completed(struct job *j, DMA_COMPLETION_STATUS status)
{
	struct nttest *t = j->r->t;

	if (!EXPECT(t, wait_for_completion_timeout(&j->done, SYS_COMPLETION)))
		return false;
	complete(&j->done);
	return EXPECT_EQ(t, atomic_read(&j->calls), 1) &
	       EXPECT_EQ(t, j->status, status) &
	       EXPECT_EQ(t, j->irql, DISPATCH_LEVEL) &
	       EXPECT(t, j->adapter == j->r->adapter) &
	       EXPECT(t, j->object == j->q->from);
}

/* After the flush: memory, or the device, has these bytes of the image. */
void job_check(struct job *j, u64 offset, ULONG length)
{
	struct nttest *t = j->r->t;
	u8 *seen;

	if (j->q->write) {
		pattern_same(t, "the device", j->line->stream,
			     j->q->image + offset, length);
		return;
	}
	seen = kvmalloc(length, GFP_KERNEL);
	if (!EXPECT(t, seen))
		return;
	mdl_fetch(j->q->mdl, offset, seen, length);
	pattern_same(t, "memory after a read", seen, j->q->image + offset,
		     length);
	kvfree(seen);
}

static int line_runs(void *arg)
{
	struct dmac_line *line = arg;

	return READ_ONCE(line->active) && !READ_ONCE(line->ghost);
}

/*
 * Waits until what was mapped has been started: a transfer that follows one
 * that was stopped waits for another thread, which sees that one's end.
 */
bool job_started(struct job *j)
{
	return EXPECT(j->r->t, rig_wait(line_runs, j->line));
}

/* A transfer of what MapTransferEx makes of @length, from start to end. */
void job_piece(struct job *j, ULONG at, ULONG length)
{
	struct nttest *t = j->r->t;

	job_load(j, at, length);
	REQUIRE(t, EXPECT_EQ(t, job_map(j, at, length, 0), STATUS_SUCCESS));
	EXPECT(t, j->mapped > 0 && j->mapped <= length);
	REQUIRE(t, job_started(j));
	EXPECT_EQ(t, j->line->address, DMAC_FIFO(j->line - j->line->dmac->lines));
	EXPECT_EQ(t, dmac_step(j->line, DMAC_STREAM), j->mapped);
	EXPECT(t, job_completed(j, DmaComplete));
	EXPECT_EQ(t, job_flush(j, at, j->mapped), STATUS_SUCCESS);
	job_check(j, at, j->mapped);
}

/* MapTransfer at DISPATCH_LEVEL: how much it mapped. */
ULONG job_packet_map(struct job *j, ULONG at, ULONG length)
{
	struct rig *r = j->r;
	KIRQL old = rig_raise();

	r->ops->MapTransfer(r->adapter, j->q->mdl, j->q->base,
			    MmGetMdlVirtualAddress(j->q->mdl) + at, &length,
			    j->q->write);
	KeLowerIrql(old);
	return length;
}

void job_packet_flush(struct job *j, ULONG at, ULONG length)
{
	struct rig *r = j->r;
	PVOID va = MmGetMdlVirtualAddress(j->q->mdl) + at;
	KIRQL old = rig_raise();

	EXPECT(r->t, r->ops->FlushAdapterBuffers(r->adapter, j->q->mdl,
						 j->q->base, va, length,
						 j->q->write));
	KeLowerIrql(old);
}

/* A transfer of @length bytes by MapTransfer, from start to end. */
void job_packet(struct job *j, ULONG at, ULONG length)
{
	struct rig *r = j->r;
	struct nttest *t = r->t;

	job_load(j, at, length);
	REQUIRE(t, EXPECT_EQ(t, job_packet_map(j, at, length), length));
	EXPECT_EQ(t, j->line->dir, j->q->write ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM);
	EXPECT_EQ(t, j->line->width, 4);
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), length);
	EXPECT_EQ(t, dmac_step(j->line, length / 4), length / 4);
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), length - length / 4);
	EXPECT_EQ(t, dmac_step(j->line, DMAC_STREAM), length - length / 4);
	EXPECT_EQ(t, r->ops->ReadDmaCounter(r->adapter), 0);
	job_packet_flush(j, at, length);
	job_check(j, at, length);
}
