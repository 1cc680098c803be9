// SPDX-License-Identifier: GPL-2.0
/*
 * What a transfer of system DMA costs, from its start to its completion, over
 * the same by dmaengine itself. Both use lines of the mock controller that
 * count bytes without moving them: moving them would hide the difference.
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
 * @j: ours
 * @line: native's
 * @chan: native's
 * @page: native's memory
 * @calls: completions of either side
 */
struct slave {
	struct job j;
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

static bool ours_transfer(struct slave *x)
{
	struct rig *r = x->j.r;
	ULONG length = LENGTH;

	if (r->ops->MapTransferEx(r->adapter, x->j.q->mdl, x->j.q->base, 0, 0,
				  &length, TRUE, NULL, 0, ours_done, x))
		return false;
	dmac_step(x->j.line, LENGTH);
	return !r->ops->FlushAdapterBuffersEx(r->adapter, x->j.q->mdl,
					      x->j.q->base, 0, length, TRUE);
}

static bool ours(void *context, unsigned int turns)
{
	struct slave *x = context;
	unsigned int i;

	x->calls = 0;
	for (i = 0; i < turns; i++)
		if (!ours_transfer(x))
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

static void one_page(struct nttest *t)
{
	static const struct cost cost = {
		.name = "slave-4K/native",
		.turns = TURNS,
		.dispatch = true,
		.ours = { .work = ours },
		.native = { .work = native },
	};
	struct sys *s = t->priv;
	struct slave x = { };
	struct buffer *b;

	REQUIRE(t, job_init(&x.j, s, sys_open(s, V3, 0), 0));
	b = buffer_new(x.j.r, RUN, 0, LENGTH);
	REQUIRE(t, b && job_hold(&x.j, b->mdl, LENGTH, true));
	x.page = b->pages[0];
	x.line = &s->dmac->lines[1];
	x.line->dry = true;
	x.j.line->dry = true;
	x.chan = dma_request_chan(&s->pdev->dev, dmac_names[1]);
	if (EXPECT(t, !IS_ERR(x.chan))) {
		cost_compare(t, &cost, &x);
		dma_release_channel(x.chan);
	}
	request_release(x.j.q);
}

static const struct nttest_case cases[] = {
	{ "cost: system DMA of 4 KiB from start to completion", one_page },
	{ }
};

const struct nttest_suite cost_system = {
	.name = "system",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
