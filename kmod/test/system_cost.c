// SPDX-License-Identifier: GPL-2.0
/*
 * What a transfer of system DMA costs, from its start to its completion, over
 * the same by dmaengine itself. Both use lines of the mock controller that
 * count bytes without moving them: moving them would hide the difference.
 *
 * The channel is held from before on either side, as dma_request_chan() does
 * it once. What a driver does that takes the channel for each transfer is a
 * figure beside it.
 */
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include "cost.h"
#include "sys.h"

#define TURNS	64
#define LENGTH	SZ_4K
#define V3	DEVICE_DESCRIPTION_VERSION3

/**
 * struct slave - the two sides
 * @j: ours, with the channel held
 * @free: ours, with the channel not held
 * @line: native's
 * @chan: native's
 * @page: native's memory
 * @calls: completions of either side
 */
struct slave {
	struct job j;
	struct job free;
	struct dmac_line *line;
	struct dma_chan *chan;
	struct page *page;
	unsigned int calls;
};

static void NTAPI ours_done(PDMA_ADAPTER adapter, PDEVICE_OBJECT object,
			    PVOID context, DMA_COMPLETION_STATUS status)
{
	struct slave *x = context;

	x->calls += status == DmaComplete;
}

/* Inlined, as native's are: a call between would be the test's own cost. */
static __always_inline bool ours_transfer(struct slave *x, struct job *j,
					  PVOID base)
{
	struct rig *r = j->r;
	ULONG length = LENGTH;

	if (r->ops->MapTransferEx(r->adapter, j->q->mdl, base, 0, 0, &length,
				  TRUE, NULL, 0, ours_done, x))
		return false;
	dmac_step(j->line, LENGTH);
	return !r->ops->FlushAdapterBuffersEx(r->adapter, j->q->mdl, base, 0,
					      length, TRUE);
}

static bool ours(void *context, unsigned int turns)
{
	struct slave *x = context;
	unsigned int i;

	x->calls = 0;
	for (i = 0; i < turns; i++)
		if (!ours_transfer(x, &x->j, x->j.q->base))
			return false;
	return x->calls == turns;
}

/* The channel is taken and given back, too. */
static bool ours_packet(struct slave *x)
{
	struct job *j = &x->free;
	struct rig *r = j->r;
	PVOID base;
	bool ok;

	if (r->ops->InitializeDmaTransferContext(r->adapter, j->q->context) ||
	    r->ops->AllocateAdapterChannelEx(r->adapter, r->object,
					     j->q->context, 1,
					     DMA_SYNCHRONOUS_CALLBACK, NULL,
					     NULL, &base))
		return false;
	ok = ours_transfer(x, j, base);
	r->ops->FreeAdapterChannel(r->adapter);
	return ok;
}

static bool ours_packets(void *context, unsigned int turns)
{
	struct slave *x = context;
	unsigned int i;

	x->calls = 0;
	for (i = 0; i < turns; i++)
		if (!ours_packet(x))
			return false;
	return x->calls == turns;
}

static void native_done(void *arg, const struct dmaengine_result *result)
{
	struct slave *x = arg;

	x->calls += result->result == DMA_TRANS_NOERROR;
}

static bool native_start(struct slave *x, struct scatterlist *sg)
{
	struct dma_slave_config config = {
		.dst_addr = DMAC_FIFO(1),
		.dst_addr_width = DMA_SLAVE_BUSWIDTH_4_BYTES,
		.dst_maxburst = 1,
	};
	struct dma_async_tx_descriptor *tx;

	if (dmaengine_slave_config(x->chan, &config))
		return false;
	tx = dmaengine_prep_slave_sg(x->chan, sg, 1, DMA_MEM_TO_DEV,
				     DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return false;
	tx->callback_result = native_done;
	tx->callback_param = x;
	if (dma_submit_error(dmaengine_submit(tx)))
		return false;
	dma_async_issue_pending(x->chan);
	dmac_step(x->line, LENGTH);
	return true;
}

static bool native_transfer(struct slave *x)
{
	struct device *dev = dmaengine_get_dma_device(x->chan);
	struct scatterlist sg;
	bool ok;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, x->page, LENGTH, 0);
	if (!dma_map_sg(dev, &sg, 1, DMA_TO_DEVICE))
		return false;
	ok = native_start(x, &sg);
	dma_unmap_sg(dev, &sg, 1, DMA_TO_DEVICE);
	return ok;
}

static bool native(void *context, unsigned int turns)
{
	struct slave *x = context;
	unsigned int i;

	x->calls = 0;
	for (i = 0; i < turns; i++)
		if (!native_transfer(x))
			return false;
	return x->calls == turns;
}

static bool slave_init(struct slave *x, struct sys *s)
{
	struct buffer *b;

	if (!job_init(&x->j, s, sys_open(s, V3, 0), 0) ||
	    !job_init(&x->free, s, sys_open(s, V3, 2), 2))
		return false;
	b = buffer_new(x->j.r, RUN, 0, LENGTH);
	if (!b || !job_hold(&x->j, b->mdl, LENGTH, true))
		return false;
	x->free.q = request_new(x->free.r, b->mdl, 0, LENGTH, true);
	x->page = b->pages[0];
	x->line = &s->dmac->lines[1];
	x->line->dry = true;
	x->j.line->dry = true;
	x->free.line->dry = true;
	return x->free.q;
}

static void compare(struct nttest *t, const struct cost *cost)
{
	struct sys *s = t->priv;
	struct slave x = { };

	REQUIRE(t, slave_init(&x, s));
	x.chan = dma_request_chan(&s->pdev->dev, dmac_names[1]);
	if (EXPECT(t, !IS_ERR(x.chan))) {
		cost_compare(t, cost, &x);
		dma_release_channel(x.chan);
	}
	request_release(x.j.q);
}

static void one_page(struct nttest *t)
{
	static const struct cost cost = {
		.name = "slave-4K/native",
		.turns = TURNS,
		.limit = 125,
		.dispatch = true,
		.ours = { .work = ours },
		.native = { .work = native },
	};

	compare(t, &cost);
}

static void one_packet(struct nttest *t)
{
	static const struct cost cost = {
		.name = "slave-packet-4K/native",
		.turns = TURNS,
		.dispatch = true,
		.ours = { .work = ours_packets },
		.native = { .work = native },
	};

	compare(t, &cost);
}

static const struct nttest_case cases[] = {
	{ "cost: system DMA of 4 KiB from start to completion", one_page },
	{ "cost: system DMA of 4 KiB, and the channel for it", one_packet },
	{ }
};

const struct nttest_suite cost_system = {
	.name = "system",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
