// SPDX-License-Identifier: GPL-2.0
/*
 * The mock DMA controller.
 *
 * A line moves bytes between memory, which it knows by DMA address only, and
 * the stream of a fake device, which has one data register. It moves when a
 * case steps it, by a timer, or at once; it counts, pauses, fails and stops
 * as late as the rules of dmaengine allow a provider to. Callbacks run with
 * bottom halves disabled, as from a tasklet, and under no lock, unless a case
 * wants them in an interrupt or from within the counter.
 *
 * It is strict: a list, a segment, a width or a direction beyond the limits
 * that it announces is refused.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/irq_work.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "dmac.h"
#include "rig.h"

#define DMAC_WIDTHS	(BIT(DMA_SLAVE_BUSWIDTH_1_BYTE) |		\
			 BIT(DMA_SLAVE_BUSWIDTH_2_BYTES) |		\
			 BIT(DMA_SLAVE_BUSWIDTH_4_BYTES))
#define GATE_TIMEOUT	msecs_to_jiffies(2 * RIG_PATIENCE)
#define FAST_TIMEOUT	(RIG_PATIENCE * 300)	/* us */
#define STALL_TIMEOUT	(RIG_PATIENCE * 300)	/* us */

const char * const dmac_names[DMAC_LINES] = { "zero", "one", "two", "three" };

struct dmac_segment {
	dma_addr_t addr;
	u32 length;
};

/**
 * struct dmac_desc - one transfer
 * @tx: for dmaengine
 * @node: in one of the line's lists
 * @line: whose it is
 * @dir: direction
 * @period: bytes between two callbacks of a cyclic transfer, else 0
 * @total: bytes
 * @done: bytes moved, of all passes
 * @called: periods whose callback came
 * @result: how it ended
 * @count: number of @segments
 * @segments: where in memory
 */
struct dmac_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	struct dmac_line *line;
	enum dma_transfer_direction dir;
	size_t period;
	size_t total;
	u64 done;
	u64 called;
	struct dmaengine_result result;
	unsigned int count;
	struct dmac_segment segments[];
};

static struct dmac_line *to_line(struct dma_chan *chan)
{
	return container_of(chan, struct dmac_line, chan);
}

static struct dmac_desc *to_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct dmac_desc, tx);
}

static void descs_free(struct list_head *list)
{
	struct dmac_desc *d, *next;

	list_for_each_entry_safe(d, next, list, node)
		kfree(d);
	INIT_LIST_HEAD(list);
}

/* Where @pos of one pass lies, and how much follows it there. */
static dma_addr_t desc_place(struct dmac_desc *d, size_t pos, size_t *room)
{
	unsigned int i;

	for (i = 0; pos >= d->segments[i].length; i++)
		pos -= d->segments[i].length;
	*room = d->segments[i].length - pos;
	return d->segments[i].addr + pos;
}

static size_t desc_left(struct dmac_desc *d)
{
	u32 pass;

	if (!d->period)
		return d->total - d->done;
	div_u64_rem(d->done, d->total, &pass);
	return d->total - pass;
}

static bool desc_move(struct dmac_desc *d, size_t n)
{
	struct dmac_line *line = d->line;
	size_t room, part;
	dma_addr_t addr;
	u8 *stream;
	int err;

	if (line->dry) {
		d->done += n;
		return true;
	}
	while (n) {
		addr = desc_place(d, d->total - desc_left(d), &room);
		part = min3(n, room, DMAC_STREAM - line->at);
		stream = line->stream + line->at;
		if (d->dir == DMA_MEM_TO_DEV)
			err = bus_read(&line->dmac->bus, addr, stream, part);
		else
			err = bus_write(&line->dmac->bus, addr, stream, part);
		if (err) {
			line->faults++;
			return false;
		}
		line->at = (line->at + part) % DMAC_STREAM;
		d->done += part;
		n -= part;
	}
	return true;
}

static void desc_end(struct dmac_desc *d, bool ok)
{
	struct dmac_line *line = d->line;

	d->result.residue = desc_left(d);
	d->result.result = DMA_TRANS_NOERROR;
	if (!ok)
		d->result.result = d->dir == DMA_MEM_TO_DEV ?
				   DMA_TRANS_READ_FAILED : DMA_TRANS_WRITE_FAILED;
	if (!ok && line->aborts)
		d->result.result = DMA_TRANS_ABORTED;
	line->active = NULL;
	line->chan.completed_cookie = d->tx.cookie;
	list_add_tail(&d->node, &line->fired);
}

static void line_next(struct dmac_line *line)
{
	struct dmac_desc *d;

	lockdep_assert_held(&line->lock);
	d = list_first_entry_or_null(&line->pending, struct dmac_desc, node);
	if (line->active || !d)
		return;
	list_del(&d->node);
	line->active = d;
	line->starts++;
	line->early += line->unsynced;
	line->dir = d->dir;
	line->period = d->period;
	line->first = d->segments[0].addr;
	line->count = d->count;
	if (d->dir == DMA_MEM_TO_DEV) {
		line->address = line->config.dst_addr;
		line->width = line->config.dst_addr_width;
	} else {
		line->address = line->config.src_addr;
		line->width = line->config.src_addr_width;
	}
}

/**
 * struct hard_call - callbacks in a hard interrupt
 * @irq: the interrupt
 * @tx: whose callback
 * @result: its argument
 * @times: how often it is called
 */
struct hard_call {
	struct irq_work irq;
	struct dma_async_tx_descriptor *tx;
	const struct dmaengine_result *result;
	unsigned int times;
};

static void tx_report(struct dma_async_tx_descriptor *tx,
		      const struct dmaengine_result *result)
{
	if (tx->callback_result)
		tx->callback_result(tx->callback_param, result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
}

static void hard_call_report(struct irq_work *irq)
{
	struct hard_call *call = container_of(irq, struct hard_call, irq);

	while (call->times--)
		tx_report(call->tx, call->result);
}

static void tx_call(struct dma_async_tx_descriptor *tx,
		    const struct dmaengine_result *result, unsigned int times)
{
	struct hard_call call = {
		.irq = IRQ_WORK_INIT_HARD(hard_call_report),
		.tx = tx,
		.result = result,
		.times = times,
	};

	if (!times || !(tx->flags & DMA_PREP_INTERRUPT))
		return;
	if (to_line(tx->chan)->hard) {
		irq_work_queue(&call.irq);
		irq_work_sync(&call.irq);
		return;
	}
	if (irqs_disabled()) {
		tx_report(tx, result);
		return;
	}
	local_bh_disable();
	tx_report(tx, result);
	local_bh_enable();
}

static struct dmac_desc *line_fired(struct dmac_line *line)
{
	struct dmac_desc *d;
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	d = list_first_entry_or_null(&line->fired, struct dmac_desc, node);
	if (d)
		list_del(&d->node);
	spin_unlock_irqrestore(&line->lock, flags);
	return d;
}

/* Whether a period of a cyclic transfer ended that nobody was told of. */
static bool line_period(struct dmac_line *line,
			struct dma_async_tx_descriptor *tx)
{
	struct dmac_desc *d;
	unsigned long flags;
	bool due;

	spin_lock_irqsave(&line->lock, flags);
	d = line->active ?: line->ghost;
	due = d && d->period && d->called < div_u64(d->done, d->period);
	if (due) {
		d->called++;
		*tx = d->tx;
	}
	spin_unlock_irqrestore(&line->lock, flags);
	return due;
}

/* Makes the callbacks that are due; one interrupt is for all periods. */
void dmac_fire(struct dmac_line *line)
{
	const struct dmaengine_result period = {
		.result = line->spoils ? DMA_TRANS_ABORTED : DMA_TRANS_NOERROR,
	};
	struct dma_async_tx_descriptor tx = { };
	unsigned int periods = 0;
	struct dmac_desc *d;

	while (line_period(line, &tx)) {
		if (line->hard)
			periods++;
		else
			tx_call(&tx, &period, 1);
	}
	tx_call(&tx, &period, periods);
	while ((d = line_fired(line))) {
		tx_call(&d->tx, &d->result, 1);
		kfree(d);
	}
}

static size_t line_move(struct dmac_line *line, size_t n)
{
	struct dmac_desc *d = line->ghost ?: line->active;
	size_t fail = line->error_at;
	bool ok;

	lockdep_assert_held(&line->lock);
	if (!d || line->paused)
		return 0;
	if (!d->period)
		n = min(n, desc_left(d));
	if (fail && d->done + n >= fail)
		n = fail - d->done;
	ok = desc_move(d, n) && !(fail && d->done == fail);
	if (d == line->active && (!ok || (!d->period && d->done == d->total)))
		desc_end(d, ok);
	line_next(line);
	return n;
}

/* Moves up to @n bytes, and tells so; returns how many. */
size_t dmac_step(struct dmac_line *line, size_t n)
{
	unsigned long flags;
	size_t moved;
	bool hold;

	spin_lock_irqsave(&line->lock, flags);
	moved = line_move(line, n);
	hold = line->hold;
	spin_unlock_irqrestore(&line->lock, flags);
	if (!hold)
		dmac_fire(line);
	return moved;
}

/* Whether no client has the channel, nor its resources; for rig_wait(). */
int dmac_is_free(void *arg)
{
	struct dmac_line *line = arg;

	return !READ_ONCE(line->chan.client_count) &&
	       READ_ONCE(line->frees) >= READ_ONCE(line->allocs);
}

static void line_tick(struct timer_list *timer)
{
	struct dmac_line *line = container_of(timer, struct dmac_line, timer);

	if (dmac_step(line, line->rate) || READ_ONCE(line->paused))
		mod_timer(&line->timer, jiffies + 1);
}

static void line_work(struct work_struct *work)
{
	struct dmac_line *line = container_of(work, struct dmac_line, work);

	dmac_step(line, DMAC_STREAM);
	WRITE_ONCE(line->through, true);
}

/* Another CPU is through with it while this one is still on its way. */
static void line_fast(struct dmac_line *line)
{
	int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	int i;

	if (cpu >= nr_cpu_ids)
		return;
	WRITE_ONCE(line->through, false);
	queue_work_on(cpu, system_highpri_wq, &line->work);
	for (i = 0; i < FAST_TIMEOUT && !READ_ONCE(line->through); i++)
		udelay(1);
	line->fast_met = READ_ONCE(line->through);
}

/* The caller stays inside while others go on. */
static void line_stall(struct dmac_line *line)
{
	int i;

	WRITE_ONCE(line->stalled, true);
	for (i = 0; i < STALL_TIMEOUT && READ_ONCE(line->stall); i++)
		udelay(1);
	WRITE_ONCE(line->stalled, false);
}

static dma_cookie_t desc_submit(struct dma_async_tx_descriptor *tx)
{
	struct dmac_line *line = to_line(tx->chan);
	unsigned long flags;

	if (line->fail_submit) {
		kfree(to_desc(tx));
		return -EIO;
	}
	spin_lock_irqsave(&line->lock, flags);
	tx->cookie = line->chan.cookie == INT_MAX ? DMA_MIN_COOKIE :
		     line->chan.cookie + 1;
	line->chan.cookie = tx->cookie;
	list_add_tail(&to_desc(tx)->node, &line->pending);
	spin_unlock_irqrestore(&line->lock, flags);
	return tx->cookie;
}

static struct dmac_desc *desc_new(struct dmac_line *line, unsigned int count,
				  enum dma_transfer_direction dir,
				  unsigned long flags)
{
	struct dmac_desc *d;

	if (line->fail_prep || !count || !is_slave_direction(dir) ||
	    (line->only && !(line->only & BIT(dir))))
		return NULL;
	d = kzalloc(struct_size(d, segments, count), GFP_NOWAIT);
	if (!d)
		return NULL;
	dma_async_tx_descriptor_init(&d->tx, &line->chan);
	d->tx.tx_submit = desc_submit;
	d->tx.flags = flags;
	d->line = line;
	d->dir = dir;
	d->count = count;
	return d;
}

static struct dma_async_tx_descriptor *
prep_slave_sg(struct dma_chan *chan, struct scatterlist *sgl,
	      unsigned int count, enum dma_transfer_direction dir,
	      unsigned long flags, void *context)
{
	struct dmac_line *line = to_line(chan);
	struct scatterlist *sg;
	struct dmac_desc *d;
	unsigned int i;

	if (line->stall && line->stall_prep)
		line_stall(line);
	if (line->limit && count > line->limit)
		return NULL;
	d = desc_new(line, count, dir, flags);
	if (!d)
		return NULL;
	for_each_sg(sgl, sg, count, i) {
		d->segments[i].addr = sg_dma_address(sg);
		d->segments[i].length = sg_dma_len(sg);
		d->total += sg_dma_len(sg);
		if (!sg_dma_len(sg) ||
		    sg_dma_len(sg) > dma_get_max_seg_size(line->dmac->bus.dev)) {
			kfree(d);
			return NULL;
		}
	}
	return &d->tx;
}

static struct dma_async_tx_descriptor *
prep_cyclic(struct dma_chan *chan, dma_addr_t addr, size_t length,
	    size_t period, enum dma_transfer_direction dir,
	    unsigned long flags)
{
	struct dmac_desc *d;

	if (!period || !length || length % period)
		return NULL;
	d = desc_new(to_line(chan), 1, dir, flags);
	if (!d)
		return NULL;
	d->segments[0].addr = addr;
	d->segments[0].length = length;
	d->total = length;
	d->period = period;
	return &d->tx;
}

static void issue_pending(struct dma_chan *chan)
{
	struct dmac_line *line = to_line(chan);
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	line_next(line);
	spin_unlock_irqrestore(&line->lock, flags);
	if (line->stall && !line->stall_prep)
		line_stall(line);
	if (line->fast)
		line_fast(line);
	else if (line->rate)
		mod_timer(&line->timer, jiffies + 1);
}

/* The segment or period that runs counts as if nothing of it were done. */
static size_t segment_residue(struct dmac_desc *d, size_t left)
{
	size_t rest = 0;
	unsigned int i;

	if (d->period)
		return roundup(left, d->period);
	for (i = d->count; i && rest < left; i--)
		rest += d->segments[i - 1].length;
	return rest;
}

static size_t line_residue(struct dmac_line *line, struct dmac_desc *d)
{
	size_t left = desc_left(d);

	switch (line->residue) {
	case DMA_RESIDUE_GRANULARITY_DESCRIPTOR:
		return d->total;
	case DMA_RESIDUE_GRANULARITY_SEGMENT:
		return segment_residue(d, left);
	default:
		return left;
	}
}

static void line_dawdle(struct dmac_line *line)
{
	int i;

	WRITE_ONCE(line->counting, true);
	for (i = 0; i < 500; i++)
		udelay(1);
}

static enum dma_status tx_status(struct dma_chan *chan, dma_cookie_t cookie,
				 struct dma_tx_state *state)
{
	struct dmac_line *line = to_line(chan);
	enum dma_status status;
	size_t residue = line->surplus;
	unsigned long flags;

	if (line->dawdles)
		line_dawdle(line);
	if (line->confides)
		dmac_fire(line);
	spin_lock_irqsave(&line->lock, flags);
	status = dma_async_is_complete(cookie, chan->completed_cookie,
				       chan->cookie);
	if (line->active && line->active->tx.cookie == cookie) {
		residue += line_residue(line, line->active);
		if (line->paused)
			status = DMA_PAUSED;
	}
	if (state) {
		state->last = chan->completed_cookie;
		state->used = chan->cookie;
		state->residue = residue;
		state->in_flight_bytes = 0;
	}
	spin_unlock_irqrestore(&line->lock, flags);
	WRITE_ONCE(line->counting, false);
	return status;
}

static bool line_takes(enum dma_slave_buswidth width)
{
	return width < 32 && (DMAC_WIDTHS & BIT(width));
}

static bool line_bursts(struct dmac_line *line, u32 items)
{
	return items >= line->min_burst &&
	       (!line->max_burst || items <= line->max_burst);
}

static int line_config(struct dma_chan *chan, struct dma_slave_config *config)
{
	struct dmac_line *line = to_line(chan);

	if (line->fail_config)
		return -EINVAL;
	if (!line_takes(config->src_addr_width) &&
	    !line_takes(config->dst_addr_width))
		return -EINVAL;
	if (!line_bursts(line, config->dst_maxburst) ||
	    !line_bursts(line, config->src_maxburst))
		return -EINVAL;
	line->config = *config;
	return 0;
}

static int line_pause(struct dma_chan *chan)
{
	struct dmac_line *line = to_line(chan);

	if (line->fail_pause)
		return -EIO;
	line->pauses++;
	WRITE_ONCE(line->paused, true);
	return 0;
}

static int line_resume(struct dma_chan *chan)
{
	WRITE_ONCE(to_line(chan)->paused, false);
	return 0;
}

static int terminate_all(struct dma_chan *chan)
{
	struct dmac_line *line = to_line(chan);
	unsigned long flags;

	spin_lock_irqsave(&line->lock, flags);
	line->stops++;
	line->unsynced = true;
	line->paused = false;
	if (line->active) {
		if (line->runs_on)
			line->ghost = line->active;
		list_add_tail(&line->active->node, &line->dead);
		line->active = NULL;
	}
	list_splice_tail_init(&line->pending, &line->dead);
	spin_unlock_irqrestore(&line->lock, flags);
	return 0;
}

static void synchronize(struct dma_chan *chan)
{
	struct dmac_line *line = to_line(chan);
	unsigned long flags;
	LIST_HEAD(dead);

	might_sleep();
	if (line->gated)
		wait_for_completion_timeout(&line->gate, GATE_TIMEOUT);
	if (!line->lags)
		dmac_fire(line);
	spin_lock_irqsave(&line->lock, flags);
	line->ghost = NULL;
	list_splice_init(&line->dead, &dead);
	line->unsynced = false;
	line->syncs++;
	spin_unlock_irqrestore(&line->lock, flags);
	descs_free(&dead);
}

static void line_caps(struct dma_chan *chan, struct dma_slave_caps *caps)
{
	struct dmac_line *line = to_line(chan);

	caps->max_sg_burst = line->limit;
	caps->min_burst = line->min_burst;
	caps->max_burst = line->max_burst;
	if (line->only)
		caps->directions = line->only;
	caps->residue_granularity = line->residue;
}

static int alloc_resources(struct dma_chan *chan)
{
	struct dmac_line *line = to_line(chan);

	if (line->fail_alloc)
		return -ENOMEM;
	line->allocs++;
	memset(&line->config, 0, sizeof(line->config));
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	line->unsynced = false;
	return 0;
}

static void free_resources(struct dma_chan *chan)
{
	struct dmac_line *line = to_line(chan);
	int stops = line->stops;

	line->torn += READ_ONCE(line->counting);
	del_timer_sync(&line->timer);
	cancel_work_sync(&line->work);
	terminate_all(chan);
	line->gated = false;
	line->lags = false;
	synchronize(chan);
	line->stops = stops;
	line->frees++;
}

static bool chan_filter(struct dma_chan *chan, void *param)
{
	return chan == param;
}

static int line_init(struct dmac *dmac, int n, const char *client)
{
	struct dmac_line *line = &dmac->lines[n];

	spin_lock_init(&line->lock);
	INIT_LIST_HEAD(&line->pending);
	INIT_LIST_HEAD(&line->fired);
	INIT_LIST_HEAD(&line->dead);
	timer_setup(&line->timer, line_tick, 0);
	INIT_WORK(&line->work, line_work);
	init_completion(&line->gate);
	line->dmac = dmac;
	line->residue = DMA_RESIDUE_GRANULARITY_BURST;
	line->chan.device = &dmac->dma;
	list_add_tail(&line->chan.device_node, &dmac->dma.channels);
	dmac->map[n].devname = client;
	dmac->map[n].slave = dmac_names[n];
	dmac->map[n].param = &line->chan;
	line->stream = vzalloc(DMAC_STREAM);
	return line->stream ? 0 : -ENOMEM;
}

static void dmac_free(struct dmac *dmac)
{
	int i;

	for (i = 0; i < DMAC_LINES; i++)
		vfree(dmac->lines[i].stream);
	kfree(dmac);
}

static void dmac_released(struct dma_device *dma)
{
	dmac_free(container_of(dma, struct dmac, dma));
}

static void dmac_setup(struct dmac *dmac)
{
	struct dma_device *dma = &dmac->dma;

	INIT_LIST_HEAD(&dma->channels);
	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_CYCLIC, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->dev = dmac->bus.dev;
	dma->filter.fn = chan_filter;
	dma->filter.map = dmac->map;
	dma->filter.mapcnt = DMAC_LINES;
	dma->src_addr_widths = DMAC_WIDTHS;
	dma->dst_addr_widths = DMAC_WIDTHS;
	dma->directions = BIT(DMA_MEM_TO_DEV) | BIT(DMA_DEV_TO_MEM);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_BURST;
	dma->device_alloc_chan_resources = alloc_resources;
	dma->device_free_chan_resources = free_resources;
	dma->device_prep_slave_sg = prep_slave_sg;
	dma->device_prep_dma_cyclic = prep_cyclic;
	dma->device_caps = line_caps;
	dma->device_config = line_config;
	dma->device_pause = line_pause;
	dma->device_resume = line_resume;
	dma->device_terminate_all = terminate_all;
	dma->device_synchronize = synchronize;
	dma->device_tx_status = tx_status;
	dma->device_issue_pending = issue_pending;
	dma->device_release = dmac_released;
}

/*
 * A controller that is @dev, which must have a driver, and whose lines are
 * named for the device called @client.
 */
struct dmac *dmac_create(struct device *dev, const char *client)
{
	struct dmac *dmac = kzalloc(sizeof(*dmac), GFP_KERNEL);
	int err = 0, i;

	if (!dmac)
		return ERR_PTR(-ENOMEM);
	dmac->bus.dev = dev;
	dmac->bus.last = dma_get_mask(dev);
	dmac_setup(dmac);
	for (i = 0; i < DMAC_LINES && !err; i++)
		err = line_init(dmac, i, client);
	if (!err)
		err = dma_async_device_register(&dmac->dma);
	if (!err)
		return dmac;
	dmac_free(dmac);
	return ERR_PTR(err);
}

static int clients_left(void *arg)
{
	struct dmac *dmac = arg;
	int i;

	for (i = 0; i < DMAC_LINES; i++)
		if (READ_ONCE(dmac->lines[i].chan.client_count))
			return false;
	return true;
}

/* False, and the controller stays, when a client does not let go of a line. */
bool dmac_destroy(struct dmac *dmac)
{
	if (!rig_wait(clients_left, dmac))
		return false;
	dma_async_device_unregister(&dmac->dma);
	return true;
}
