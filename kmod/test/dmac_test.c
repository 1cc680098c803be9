// SPDX-License-Identifier: GPL-2.0
/*
 * The mock controller itself, used as any dmaengine client would, so that
 * what the cases of system DMA say about ntdma can be trusted.
 */
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include "sys.h"

#define NATIVE_LENGTH	SZ_16K

/**
 * struct native - a transfer by dmaengine's own interface
 * @t: the case
 * @line: the line
 * @chan: the channel
 * @memory: a buffer
 * @addr: the same for the controller
 * @cookie: of the last transfer
 * @calls: callbacks
 * @irql: at the last of them
 * @result: given to the last of them
 */
struct native {
	struct nttest *t;
	struct dmac_line *line;
	struct dma_chan *chan;
	u8 *memory;
	dma_addr_t addr;
	dma_cookie_t cookie;
	int calls;
	KIRQL irql;
	enum dmaengine_tx_result result;
};

static bool native_open(struct native *n, struct nttest *t, int line)
{
	struct sys *s = t->priv;

	memset(n, 0, sizeof(*n));
	n->t = t;
	n->line = &s->dmac->lines[line];
	n->chan = dma_request_chan(&s->pdev->dev, dmac_names[line]);
	if (!EXPECT(t, !IS_ERR(n->chan)))
		return false;
	EXPECT(t, n->chan == &n->line->chan);
	EXPECT(t, dmaengine_get_dma_device(n->chan) == t->dev);
	n->memory = dma_alloc_coherent(t->dev, NATIVE_LENGTH, &n->addr,
				       GFP_KERNEL);
	if (EXPECT(t, n->memory))
		return true;
	dma_release_channel(n->chan);
	return false;
}

static void native_close(struct native *n)
{
	dmaengine_terminate_sync(n->chan);
	dma_free_coherent(n->t->dev, NATIVE_LENGTH, n->memory, n->addr);
	dma_release_channel(n->chan);
}

static void native_done(void *arg, const struct dmaengine_result *result)
{
	struct native *n = arg;

	n->calls++;
	n->irql = KeGetCurrentIrql();
	n->result = result->result;
}

static int native_config(struct native *n, enum dma_slave_buswidth width)
{
	struct dma_slave_config config = {
		.src_addr = DMAC_FIFO(7),
		.dst_addr = DMAC_FIFO(8),
		.src_addr_width = width,
		.dst_addr_width = width,
	};

	return dmaengine_slave_config(n->chan, &config);
}

static bool native_issue(struct native *n, struct dma_async_tx_descriptor *tx)
{
	if (!tx)
		return false;
	tx->callback_result = native_done;
	tx->callback_param = n;
	n->cookie = dmaengine_submit(tx);
	dma_async_issue_pending(n->chan);
	return !dma_submit_error(n->cookie);
}

/* As two segments, the second half first. */
static bool native_start(struct native *n, enum dma_transfer_direction dir)
{
	struct scatterlist sg[2];

	sg_init_table(sg, 2);
	sg_dma_address(&sg[0]) = n->addr + NATIVE_LENGTH / 2;
	sg_dma_address(&sg[1]) = n->addr;
	sg_dma_len(&sg[0]) = NATIVE_LENGTH / 2;
	sg_dma_len(&sg[1]) = NATIVE_LENGTH / 2;
	return native_issue(n, dmaengine_prep_slave_sg(n->chan, sg, 2, dir,
						       DMA_PREP_INTERRUPT));
}

static u32 native_residue(struct native *n)
{
	struct dma_tx_state state;

	dmaengine_tx_status(n->chan, n->cookie, &state);
	return state.residue;
}

static void names(struct nttest *t)
{
	struct sys *s = t->priv;
	struct dma_chan *chan;
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	chan = dma_request_chan(&s->pdev->dev, dmac_names[1]);
	EXPECT(t, IS_ERR(chan));
	chan = dma_request_chan(&s->pdev->dev, "nobody");
	EXPECT(t, IS_ERR(chan));
	chan = dma_request_chan(t->dev, dmac_names[2]);
	EXPECT(t, IS_ERR(chan));
	native_close(&n);
}

static void limits(struct nttest *t)
{
	struct dma_slave_caps caps;
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	n.line->limit = 1;
	EXPECT_EQ(t, dma_get_slave_caps(n.chan, &caps), 0);
	EXPECT_EQ(t, caps.max_sg_burst, 1);
	EXPECT(t, caps.cmd_pause && caps.cmd_resume && caps.cmd_terminate);
	EXPECT(t, native_config(&n, DMA_SLAVE_BUSWIDTH_8_BYTES));
	EXPECT(t, !native_config(&n, DMA_SLAVE_BUSWIDTH_4_BYTES));
	EXPECT(t, !native_start(&n, DMA_MEM_TO_DEV));
	n.line->limit = 2;
	n.line->fail_prep = true;
	EXPECT(t, !native_start(&n, DMA_MEM_TO_DEV));
	EXPECT_EQ(t, n.line->starts, 0);
	native_close(&n);
}

static void to_device(struct nttest *t)
{
	ULONG half = NATIVE_LENGTH / 2;
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	pattern_fill(n.memory, NATIVE_LENGTH, 1);
	EXPECT(t, !native_config(&n, DMA_SLAVE_BUSWIDTH_2_BYTES));
	REQUIRE(t, EXPECT(t, native_start(&n, DMA_MEM_TO_DEV)));
	EXPECT_EQ(t, dmac_step(n.line, 100), 100);
	EXPECT_EQ(t, n.calls, 0);
	EXPECT_EQ(t, dmac_step(n.line, SZ_1M), NATIVE_LENGTH - 100);
	EXPECT_EQ(t, n.calls, 1);
	EXPECT_EQ(t, n.irql, DISPATCH_LEVEL);
	EXPECT_EQ(t, n.result, DMA_TRANS_NOERROR);
	EXPECT_EQ(t, n.line->address, DMAC_FIFO(8));
	EXPECT_EQ(t, n.line->width, 2);
	pattern_same(t, "the device", n.line->stream, n.memory + half, half);
	pattern_same(t, "the device", n.line->stream + half, n.memory, half);
	EXPECT_EQ(t, dmac_step(n.line, 1), 0);
	native_close(&n);
}

static int is_called(void *arg)
{
	return READ_ONCE(((struct native *)arg)->calls);
}

static void from_device(struct nttest *t)
{
	ULONG half = NATIVE_LENGTH / 2;
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	pattern_fill(n.line->stream, NATIVE_LENGTH, 2);
	n.line->rate = 1000;
	EXPECT(t, !native_config(&n, DMA_SLAVE_BUSWIDTH_1_BYTE));
	EXPECT(t, native_start(&n, DMA_DEV_TO_MEM));
	EXPECT(t, rig_wait(is_called, &n));
	EXPECT_EQ(t, READ_ONCE(n.calls), 1);
	EXPECT_EQ(t, n.line->address, DMAC_FIFO(7));
	pattern_same(t, "memory", n.memory + half, n.line->stream, half);
	pattern_same(t, "memory", n.memory, n.line->stream + half, half);
	native_close(&n);
}

static void residue(struct nttest *t)
{
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	dmac_step(n.line, NATIVE_LENGTH / 2 + 10);
	EXPECT_EQ(t, native_residue(&n), NATIVE_LENGTH / 2 - 10);
	n.line->residue = DMA_RESIDUE_GRANULARITY_SEGMENT;
	EXPECT_EQ(t, native_residue(&n), NATIVE_LENGTH / 2);
	n.line->residue = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	EXPECT_EQ(t, native_residue(&n), NATIVE_LENGTH);
	dmac_step(n.line, SZ_1M);
	EXPECT_EQ(t, native_residue(&n), 0);
	native_close(&n);
}

static void pausing(struct nttest *t)
{
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	EXPECT_EQ(t, dmaengine_pause(n.chan), 0);
	EXPECT_EQ(t, dmaengine_tx_status(n.chan, n.cookie, NULL), DMA_PAUSED);
	EXPECT_EQ(t, dmac_step(n.line, 10), 0);
	EXPECT_EQ(t, dmaengine_resume(n.chan), 0);
	EXPECT_EQ(t, dmac_step(n.line, 10), 10);
	native_close(&n);
}

static void errors(struct nttest *t)
{
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	n.line->error_at = 10;
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	EXPECT_EQ(t, dmac_step(n.line, 1000), 10);
	EXPECT_EQ(t, n.calls, 1);
	EXPECT_EQ(t, n.result, DMA_TRANS_READ_FAILED);
	native_close(&n);
}

/* An address that nothing maps, or that the controller cannot drive. */
static void faults(struct nttest *t)
{
	dma_addr_t addr;
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	addr = n.addr;
	n.addr = (dma_addr_t)n.line->dmac->bus.last + 1;
	EXPECT(t, native_start(&n, DMA_DEV_TO_MEM));
	dmac_step(n.line, 10);
	EXPECT_EQ(t, n.line->faults, 1);
	EXPECT_EQ(t, n.result, DMA_TRANS_WRITE_FAILED);
	n.line->faults = 0;
	n.addr = addr;
	native_close(&n);
}

static void stopping(struct nttest *t)
{
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	dmaengine_terminate_async(n.chan);
	EXPECT_EQ(t, dmac_step(n.line, 10), 0);
	dmaengine_synchronize(n.chan);
	n.line->runs_on = true;
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	dmaengine_terminate_async(n.chan);
	EXPECT_EQ(t, dmac_step(n.line, 10), 10);
	dmaengine_synchronize(n.chan);
	EXPECT_EQ(t, dmac_step(n.line, 10), 0);
	EXPECT_EQ(t, n.line->early, 0);
	dmaengine_terminate_async(n.chan);
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	EXPECT_EQ(t, n.line->early, 1);
	EXPECT_EQ(t, n.calls, 0);
	native_close(&n);
}

static void late(struct nttest *t)
{
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	n.line->hold = true;
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	dmac_step(n.line, SZ_1M);
	dmaengine_terminate_async(n.chan);
	EXPECT_EQ(t, n.calls, 0);
	dmac_fire(n.line);
	EXPECT_EQ(t, n.calls, 1);
	dmaengine_synchronize(n.chan);
	EXPECT_EQ(t, n.calls, 1);
	native_close(&n);
}

static void fast(struct nttest *t)
{
	struct native n;

	if (num_online_cpus() < 2) {
		nttest_skip(t, "needs two CPUs");
		return;
	}
	REQUIRE(t, native_open(&n, t, 1));
	n.line->fast = true;
	EXPECT(t, native_start(&n, DMA_MEM_TO_DEV));
	EXPECT(t, n.line->fast_met);
	EXPECT_EQ(t, n.calls, 1);
	native_close(&n);
}

static void cyclic(struct nttest *t)
{
	struct dma_async_tx_descriptor *tx;
	struct native n;

	REQUIRE(t, native_open(&n, t, 1));
	pattern_fill(n.memory, NATIVE_LENGTH, 3);
	tx = dmaengine_prep_dma_cyclic(n.chan, n.addr, NATIVE_LENGTH,
				       NATIVE_LENGTH / 4, DMA_MEM_TO_DEV,
				       DMA_PREP_INTERRUPT);
	EXPECT(t, native_issue(&n, tx));
	EXPECT_EQ(t, dmac_step(n.line, NATIVE_LENGTH), NATIVE_LENGTH);
	EXPECT_EQ(t, n.calls, 4);
	EXPECT_EQ(t, native_residue(&n), NATIVE_LENGTH);
	dmac_step(n.line, NATIVE_LENGTH / 2 + 1);
	EXPECT_EQ(t, n.calls, 6);
	EXPECT_EQ(t, native_residue(&n), NATIVE_LENGTH / 2 - 1);
	pattern_same(t, "the device", n.line->stream, n.memory, NATIVE_LENGTH);
	pattern_same(t, "the device", n.line->stream + NATIVE_LENGTH, n.memory,
		     NATIVE_LENGTH / 2);
	dmaengine_terminate_sync(n.chan);
	EXPECT_EQ(t, dmac_step(n.line, NATIVE_LENGTH), 0);
	EXPECT_EQ(t, n.calls, 6);
	native_close(&n);
}

static const struct nttest_case cases[] = {
	{ "mock controller: names", names },
	{ "mock controller: limits", limits },
	{ "mock controller: to the device, by hand", to_device },
	{ "mock controller: from the device, by timer", from_device },
	{ "mock controller: residue", residue },
	{ "mock controller: pause", pausing },
	{ "mock controller: errors", errors },
	{ "mock controller: faults", faults },
	{ "mock controller: termination and synchronization", stopping },
	{ "mock controller: late callback", late },
	{ "mock controller: complete at once", fast },
	{ "mock controller: cyclic", cyclic },
	{ }
};

const struct nttest_suite nttest_dmac = {
	.name = "dmac",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
