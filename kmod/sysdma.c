// SPDX-License-Identifier: GPL-2.0
/*
 * System DMA on dmaengine: a channel of a controller that Linux drives.
 *
 * Model: an engine over one exclusive slave channel. The channel is found by
 * the request line of the description, DmaRequestLine in version 3 and
 * DmaChannel before, in this order:
 *   - by the name that the client's Linux side gave for that line,
 *   - by entry number line of the property `dma-names`,
 *   - by the FixedDMA resource of the ACPI device with that line.
 * A name is looked up by dmaengine itself: device tree, ACPI, and the slave
 * maps of the providers.
 *
 * The channel holds a reference to the provider's module, so the provider
 * cannot be unloaded while there is an adapter. If the controller is taken from
 * its driver, its clients are taken from theirs before.
 *
 * Reports: most controllers call back from a tasklet. What one says in its
 * interrupt, or while it is asked for its counter, is counted there, and a
 * tasklet of ours tells the client, who is to run at DISPATCH_LEVEL with no lock
 * held. It has told all before the next job after a stop.
 *
 * Settings: each adapter has its own in its port. The channel is configured
 * when a job's are not those that it was last configured with.
 *
 * Locks: hints_lock (mutex) for what the Linux sides said. What configures a
 * channel belongs to whoever owns it and needs none. sysdma->lock keeps the
 * resources of the channel there for a counter, which may come after the job has
 * ended; inside it only what the controller's driver takes. A pause takes it
 * inside engine->lock.
 */
#include <linux/acpi.h>
#include <linux/acpi_dma.h>
#include <linux/dmaengine.h>
#include <linux/interrupt.h>
#include <linux/log2.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "engine.h"
#include "glue.h"

#define NTDMA_TAGS	16	/* jobs whose late reports are told apart */

/**
 * struct ntdma_tag - what a callback of dmaengine is about
 * @engine: the engine
 * @number: of the job
 * @good: reports of success that the tasklet has not seen
 * @bad: reports of an error
 */
struct ntdma_tag {
	struct ntdma_engine *engine;
	u32 number;
	atomic_t good;
	atomic_t bad;
};

/**
 * struct ntdma_sysdma - an engine on dmaengine
 * @engine: the engine
 * @chan: the channel
 * @looped: had a cyclic job since its resources were allocated
 * @dead: has no resources, since they could not be allocated again
 * @lock: protects @away; held while somebody who owns nothing uses the channel
 * @user: the task that does so, or NULL; written under @lock
 * @away: has no resources now
 * @pause: it can be paused
 * @resume: it can go on after a pause
 * @directions: bit n set for enum dma_transfer_direction n, 0 for any
 * @min_burst: fewest data items of a burst
 * @max_burst: most of them
 * @hook: for the vendor's functions, or NULL
 * @config: what the channel was last configured with
 * @stamp: of the port that @config is from, 0 when it must be handed over again
 * @cookie: of the last job
 * @tags: of the last jobs
 * @tasklet: tells what was reported in an interrupt
 */
struct ntdma_sysdma {
	struct ntdma_engine engine;
	struct dma_chan *chan;
	bool looped;
	bool dead;
	spinlock_t lock;	/* see @lock */
	struct task_struct *user;
	bool away;
	bool pause;
	bool resume;
	u32 directions;
	u32 min_burst;
	u32 max_burst;
	ntdma_channel_hook hook;
	struct dma_slave_config config;
	unsigned int stamp;
	dma_cookie_t cookie;
	struct ntdma_tag tags[NTDMA_TAGS];
	struct tasklet_struct tasklet;
};

/**
 * struct ntdma_hint - what a Linux side said about a request line
 * @link: in the list of all
 * @dev: the client's device
 * @line: the line
 * @name: of the channel, or NULL
 * @hook: for the vendor's functions, or NULL
 */
struct ntdma_hint {
	struct list_head link;
	struct device *dev;
	u32 line;
	const char *name;
	ntdma_channel_hook hook;
};

static DEFINE_MUTEX(ntdma_hints_lock);
static LIST_HEAD(ntdma_hints);

static struct ntdma_sysdma *to_sysdma(struct ntdma_engine *engine)
{
	return container_of(engine, struct ntdma_sysdma, engine);
}

static void ntdma_tag_tell(struct ntdma_tag *tag, atomic_t *count,
			   DMA_COMPLETION_STATUS status)
{
	int left = atomic_xchg(count, 0);

	while (left--)
		ntdma_engine_complete(tag->engine, tag->number, status);
}

static void ntdma_sysdma_tell(struct tasklet_struct *tasklet)
{
	struct ntdma_sysdma *sysdma = container_of(tasklet, struct ntdma_sysdma,
						   tasklet);
	struct ntdma_tag *tag;

	for (tag = sysdma->tags; tag < sysdma->tags + NTDMA_TAGS; tag++) {
		ntdma_tag_tell(tag, &tag->good, DmaComplete);
		ntdma_tag_tell(tag, &tag->bad, DmaError);
	}
}

/*
 * Whether the client may be told here and now. Inside sysdma->lock, where some
 * controllers report what is due when they are asked, interrupts may be on.
 */
static bool ntdma_sysdma_may_tell(struct ntdma_sysdma *sysdma)
{
	return likely(!in_hardirq() && !irqs_disabled()) &&
	       READ_ONCE(sysdma->user) != current;
}

static void ntdma_sysdma_done(void *data,
			      const struct dmaengine_result *result)
{
	struct ntdma_tag *tag = data;
	bool good = !result || result->result == DMA_TRANS_NOERROR;

	if (ntdma_sysdma_may_tell(to_sysdma(tag->engine))) {
		ntdma_engine_complete(tag->engine, tag->number,
				      good ? DmaComplete : DmaError);
		return;
	}
	atomic_inc(good ? &tag->good : &tag->bad);
	tasklet_schedule(&to_sysdma(tag->engine)->tasklet);
}

/* Tells the controller where the device is, if that is news. */
static int ntdma_sysdma_aim(struct ntdma_sysdma *sysdma,
			    const struct ntdma_job *job,
			    enum dma_transfer_direction dir)
{
	struct dma_slave_config *config = &sysdma->config;
	struct ntdma_port *port = job->port;
	/* First: who flushed this job may set something else meanwhile. */
	unsigned int stamp = smp_load_acquire(&port->stamp);
	int ret;

	if (sysdma->stamp == stamp && config->direction == dir &&
	    config->src_addr == job->addr)
		return 0;
	if (sysdma->directions && !(sysdma->directions & BIT(dir)))
		return -EINVAL;
	*config = (struct dma_slave_config) {
		.direction = dir,
		.src_addr = job->addr,
		.dst_addr = job->addr,
		.src_addr_width = port->unit,
		.dst_addr_width = port->unit,
		.src_maxburst = port->burst,
		.dst_maxburst = port->burst,
		.device_fc = port->flow,
		.peripheral_config = port->blob_size ? port->blob : NULL,
		.peripheral_size = port->blob_size,
	};
	ret = dmaengine_slave_config(sysdma->chan, config);
	sysdma->stamp = ret ? 0 : stamp;
	return ret;
}

static bool ntdma_sysdma_fits(const struct ntdma_job *job)
{
	const struct scatterlist *sg = job->sgs;
	u32 bits = sg_dma_len(sg) | (u32)sg_dma_address(sg);
	u32 left = job->nents;

	while (--left) {
		sg++;
		bits |= sg_dma_len(sg) | (u32)sg_dma_address(sg);
	}
	return !(bits & (job->port->unit - 1));
}

static struct dma_async_tx_descriptor *
ntdma_sysdma_prepare(struct ntdma_sysdma *sysdma, const struct ntdma_job *job,
		     enum dma_transfer_direction dir)
{
	unsigned long flags = DMA_PREP_INTERRUPT | DMA_CTRL_ACK;

	if (job->port->cyclic) {
		sysdma->looped = true;
		return dmaengine_prep_dma_cyclic(sysdma->chan,
						 sg_dma_address(job->sgs),
						 job->length, job->period, dir,
						 flags);
	}
	return dmaengine_prep_slave_sg(sysdma->chan, job->sgs, job->nents, dir,
				       flags);
}

static int ntdma_sysdma_start(struct ntdma_engine *engine,
			      const struct ntdma_job *job)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);
	enum dma_transfer_direction dir = job->dir == DMA_TO_DEVICE ?
					  DMA_MEM_TO_DEV : DMA_DEV_TO_MEM;
	struct ntdma_tag *tag = &sysdma->tags[job->call.number % NTDMA_TAGS];
	struct dma_async_tx_descriptor *desc;

	if (sysdma->dead)
		return -ENODEV;
	if (!ntdma_sysdma_fits(job) || ntdma_sysdma_aim(sysdma, job, dir))
		return -EINVAL;
	desc = ntdma_fail_map() ? NULL : ntdma_sysdma_prepare(sysdma, job, dir);
	if (!desc)
		return -ENOMEM;
	tag->number = job->call.number;
	desc->callback_result = ntdma_sysdma_done;
	desc->callback_param = tag;
	sysdma->cookie = dmaengine_submit(desc);
	if (dma_submit_error(sysdma->cookie))
		return -ENOMEM;
	dma_async_issue_pending(sysdma->chan);
	return 0;
}

static void ntdma_sysdma_stop(struct ntdma_engine *engine)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);

	/* A paused controller has no burst under way when it is cut off. */
	if (sysdma->pause)
		dmaengine_pause(sysdma->chan);
	dmaengine_terminate_async(sysdma->chan);
}

static void ntdma_sysdma_leave(struct ntdma_sysdma *sysdma, bool away)
{
	unsigned long flags;

	spin_lock_irqsave(&sysdma->lock, flags);
	sysdma->away = away;
	spin_unlock_irqrestore(&sysdma->lock, flags);
}

/*
 * Gives the channel back to its driver and takes it again. Drivers expect a
 * channel to be used either for loops or for lists as long as somebody has it:
 * pl330 repeats every list that follows a loop, with memory that is unmapped
 * by then.
 */
static void ntdma_sysdma_renew(struct ntdma_sysdma *sysdma)
{
	struct dma_device *device = sysdma->chan->device;

	if (!device->device_alloc_chan_resources ||
	    !device->device_free_chan_resources)
		return;
	ntdma_sysdma_leave(sysdma, true);
	device->device_free_chan_resources(sysdma->chan);
	sysdma->dead = device->device_alloc_chan_resources(sysdma->chan) < 0;
	ntdma_sysdma_leave(sysdma, sysdma->dead);
	sysdma->stamp = 0;
}

/* Every loop is stopped, and no job starts before this has returned. */
static void ntdma_sysdma_synchronize(struct ntdma_engine *engine)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);

	dmaengine_synchronize(sysdma->chan);
	tasklet_kill(&sysdma->tasklet);
	if (sysdma->looped && !sysdma->dead)
		ntdma_sysdma_renew(sysdma);
	sysdma->looped = false;
}

static u32 ntdma_sysdma_residue(struct ntdma_engine *engine)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);
	struct dma_tx_state state = { };
	unsigned long flags;

	spin_lock_irqsave(&sysdma->lock, flags);
	WRITE_ONCE(sysdma->user, current);
	if (!sysdma->away &&
	    dmaengine_tx_status(sysdma->chan, sysdma->cookie, &state) ==
	    DMA_COMPLETE)
		state.residue = 0;
	WRITE_ONCE(sysdma->user, NULL);
	spin_unlock_irqrestore(&sysdma->lock, flags);
	return state.residue;
}

static bool ntdma_sysdma_width_valid(struct ntdma_engine *engine, u32 width)
{
	return width <= 8 && is_power_of_2(width) &&
	       engine->widths & BIT(width);
}

static bool ntdma_sysdma_burst_valid(const struct ntdma_sysdma *sysdma,
				     u32 burst)
{
	return burst >= sysdma->min_burst && burst <= sysdma->max_burst;
}

static NTSTATUS ntdma_sysdma_set_config(struct ntdma_engine *engine,
					struct ntdma_port *port,
					const struct ntdma_channel_config *arg)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);

	if (!arg || arg->size != sizeof(*arg) || arg->flow > 1 ||
	    (arg->burst && !ntdma_sysdma_burst_valid(sysdma, arg->burst)) ||
	    (arg->width && !ntdma_sysdma_width_valid(engine, arg->width)))
		return STATUS_INVALID_PARAMETER;
	ntdma_port_width(port, engine, arg->width ?: port->width);
	port->burst = arg->burst ?: sysdma->min_burst;
	port->flow = arg->flow;
	return STATUS_SUCCESS;
}

static NTSTATUS ntdma_sysdma_set_burst(struct ntdma_engine *engine,
				       struct ntdma_port *port,
				       const ULONG *burst)
{
	if (!burst || !ntdma_sysdma_burst_valid(to_sysdma(engine), *burst))
		return STATUS_INVALID_PARAMETER;
	port->burst = *burst;
	return STATUS_SUCCESS;
}

static NTSTATUS ntdma_sysdma_set_blob(struct ntdma_port *port,
				      const struct ntdma_channel_blob *blob)
{
	if (!blob || !blob->data != !blob->size ||
	    blob->size > sizeof(port->blob))
		return STATUS_INVALID_PARAMETER;
	memcpy(port->blob, blob->data, blob->size);
	port->blob_size = blob->size;
	return STATUS_SUCCESS;
}

static int ntdma_sysdma_hold(struct ntdma_engine *engine, bool running,
			     bool resume)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);
	unsigned long flags;
	int ret = -ENODEV;

	if (!(resume ? sysdma->resume : sysdma->pause))
		return STATUS_NOT_IMPLEMENTED;
	if (!running)
		return STATUS_INVALID_DEVICE_STATE;
	spin_lock_irqsave(&sysdma->lock, flags);
	WRITE_ONCE(sysdma->user, current);
	if (!sysdma->away)
		ret = resume ? dmaengine_resume(sysdma->chan) :
			       dmaengine_pause(sysdma->chan);
	WRITE_ONCE(sysdma->user, NULL);
	spin_unlock_irqrestore(&sysdma->lock, flags);
	return ret ? STATUS_INVALID_DEVICE_STATE : STATUS_SUCCESS;
}

static NTSTATUS ntdma_sysdma_set(struct ntdma_engine *engine,
				 struct ntdma_port *port, u32 function,
				 void *argument)
{
	switch (function) {
	case NTDMA_CHANNEL_CONFIG:
		return ntdma_sysdma_set_config(engine, port, argument);
	case NTDMA_CHANNEL_BURST:
		return ntdma_sysdma_set_burst(engine, port, argument);
	case NTDMA_CHANNEL_PERIPHERAL:
		return ntdma_sysdma_set_blob(port, argument);
	default:
		return STATUS_NOT_IMPLEMENTED;
	}
}

static int ntdma_sysdma_configure(struct ntdma_engine *engine,
				  struct ntdma_port *port, u32 function,
				  void *argument, bool running)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);
	NTSTATUS status;

	if (function >= NTDMA_CHANNEL_VENDOR)
		return sysdma->hook ? sysdma->hook(sysdma->chan, function,
						   argument) :
				      STATUS_NOT_IMPLEMENTED;
	if (!function || function > NTDMA_CHANNEL_PERIPHERAL)
		return STATUS_NOT_IMPLEMENTED;
	if (running)
		return STATUS_INVALID_DEVICE_STATE;
	status = ntdma_sysdma_set(engine, port, function, argument);
	if (!status)
		ntdma_port_renew(port);
	return status;
}

/*
 * A release gives the resources back, so they must be there. Where they are
 * still not to be had the channel stays taken: its driver might free twice.
 */
static void ntdma_sysdma_close(struct ntdma_engine *engine)
{
	struct ntdma_sysdma *sysdma = to_sysdma(engine);
	struct dma_chan *chan = sysdma->chan;

	if (sysdma->dead && chan->device->device_alloc_chan_resources(chan) < 0)
		return;
	dma_release_channel(chan);
	tasklet_kill(&sysdma->tasklet);
}

static const struct ntdma_engine_ops ntdma_sysdma_ops = {
	.name = "dmaengine",
	.start = ntdma_sysdma_start,
	.stop = ntdma_sysdma_stop,
	.synchronize = ntdma_sysdma_synchronize,
	.residue = ntdma_sysdma_residue,
	.configure = ntdma_sysdma_configure,
	.hold = ntdma_sysdma_hold,
	.close = ntdma_sysdma_close,
};

/* Takes the limits of the channel over; without a statement any width goes. */
static int ntdma_sysdma_limits(struct ntdma_sysdma *sysdma)
{
	struct ntdma_engine *engine = &sysdma->engine;
	struct dma_slave_caps caps;
	int ret;

	ret = dma_get_slave_caps(sysdma->chan, &caps);
	if (ret)
		return ret;
	/* No memory could be unmapped before the controller is through. */
	if (!caps.cmd_terminate)
		return -EINVAL;
	engine->ops = &ntdma_sysdma_ops;
	engine->dev = dmaengine_get_dma_device(sysdma->chan);
	engine->sg_limit = caps.max_sg_burst;
	engine->sg = caps.max_sg_burst != 1;
	engine->cyclic = sysdma->chan->device->device_prep_dma_cyclic;
	engine->counter = caps.residue_granularity !=
			  DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
	engine->widths = caps.src_addr_widths & caps.dst_addr_widths;
	if (!engine->widths)
		engine->widths = caps.src_addr_widths | caps.dst_addr_widths;
	if (!engine->widths)
		engine->widths = BIT(1) | BIT(2) | BIT(4) | BIT(8);
	sysdma->directions = caps.directions;
	sysdma->min_burst = clamp_t(u32, caps.min_burst, 1, U16_MAX);
	sysdma->max_burst = min_not_zero(caps.max_burst, (u32)U16_MAX);
	sysdma->max_burst = clamp_t(u32, sysdma->max_burst, sysdma->min_burst,
				    U16_MAX);
	engine->burst = sysdma->min_burst;
	sysdma->pause = caps.cmd_pause;
	sysdma->resume = caps.cmd_resume;
	return 0;
}

static struct ntdma_engine *ntdma_sysdma_adopt(struct dma_chan *chan,
					       ntdma_channel_hook hook)
{
	struct ntdma_sysdma *sysdma;
	int i, ret = -ENOMEM;

	sysdma = ntdma_alloc(sizeof(*sysdma), GFP_KERNEL);
	if (!sysdma)
		goto release_channel;
	for (i = 0; i < NTDMA_TAGS; i++)
		sysdma->tags[i].engine = &sysdma->engine;
	spin_lock_init(&sysdma->lock);
	tasklet_setup(&sysdma->tasklet, ntdma_sysdma_tell);
	sysdma->chan = chan;
	sysdma->hook = hook;
	ret = ntdma_sysdma_limits(sysdma);
	if (ret)
		goto free_sysdma;
	return &sysdma->engine;

free_sysdma:
	ntdma_free(sysdma);
release_channel:
	dma_release_channel(chan);
	return ERR_PTR(ret);
}

/*
 * A controller that leaves its driver takes its clients from theirs first, and
 * so from the channel; the device tree's tie does the same, a slave map has
 * none. The link is the client's until it leaves its driver. There is none
 * where one device is a part of the other.
 */
static void ntdma_sysdma_tie(struct device *client, struct dma_chan *chan)
{
	device_link_add(client, chan->device->dev,
			DL_FLAG_AUTOREMOVE_CONSUMER);
}

static u32 ntdma_want_line(const struct ntdma_subordinate *want)
{
	return want->version == 3 ? want->description->DmaRequestLine :
				    want->description->DmaChannel;
}

/* The hint for a line, copied; its name must outlive the adapters. */
static bool ntdma_hint_find(const struct ntdma_subordinate *want,
			    struct ntdma_hint *found)
{
	struct ntdma_hint *hint;
	bool hit = false;

	mutex_lock(&ntdma_hints_lock);
	list_for_each_entry(hint, &ntdma_hints, link) {
		hit = hint->dev == want->dev &&
		      hint->line == ntdma_want_line(want);
		if (hit) {
			*found = *hint;
			break;
		}
	}
	mutex_unlock(&ntdma_hints_lock);
	return hit;
}

static struct dma_chan *ntdma_request_named(const struct ntdma_subordinate *want,
					    u32 line)
{
	struct dma_chan *chan = ERR_PTR(-ENODEV);
	const char **names;
	int count;

	count = device_property_string_array_count(want->dev, "dma-names");
	if (count <= 0 || line >= count)
		return chan;
	names = kcalloc(count, sizeof(*names), GFP_KERNEL);
	if (!names)
		return ERR_PTR(-ENOMEM);
	if (device_property_read_string_array(want->dev, "dma-names", names,
					      count) == count)
		chan = dma_request_chan(want->dev, names[line]);
	kfree(names);
	return chan;
}

#ifdef CONFIG_ACPI
/**
 * struct ntdma_fixed - the search for a FixedDMA resource
 * @line: request line
 * @count: resources passed so far
 * @index: of the one with @line, or -1
 */
struct ntdma_fixed {
	u32 line;
	int count;
	int index;
};

static int ntdma_fixed_look(struct acpi_resource *resource, void *data)
{
	struct ntdma_fixed *fixed = data;

	if (resource->type != ACPI_RESOURCE_TYPE_FIXED_DMA)
		return 1;
	if (fixed->index < 0 &&
	    resource->data.fixed_dma.request_lines == fixed->line)
		fixed->index = fixed->count;
	fixed->count++;
	return 1;
}

static struct dma_chan *ntdma_request_fixed(const struct ntdma_subordinate *want,
					    u32 line)
{
	struct acpi_device *adev = ACPI_COMPANION(want->dev);
	struct ntdma_fixed fixed = { .line = line, .index = -1 };
	LIST_HEAD(resources);

	if (!adev || acpi_dev_get_resources(adev, &resources, ntdma_fixed_look,
					    &fixed) < 0)
		return ERR_PTR(-ENODEV);
	acpi_dev_free_resource_list(&resources);
	if (fixed.index < 0)
		return ERR_PTR(-ENODEV);
	return acpi_dma_request_slave_chan_by_index(want->dev, fixed.index);
}
#else
static struct dma_chan *ntdma_request_fixed(const struct ntdma_subordinate *want,
					    u32 line)
{
	return ERR_PTR(-ENODEV);
}
#endif

static struct ntdma_engine *ntdma_sysdma_open(void *data)
{
	const struct ntdma_subordinate *want = data;
	u32 line = ntdma_want_line(want);
	struct ntdma_hint hint = { };
	struct dma_chan *chan;

	if (ntdma_fail_alloc())
		return ERR_PTR(-ENOMEM);
	if (ntdma_hint_find(want, &hint) && hint.name) {
		chan = dma_request_chan(want->dev, hint.name);
	} else {
		chan = ntdma_request_named(want, line);
		if (PTR_ERR_OR_ZERO(chan) == -ENODEV)
			chan = ntdma_request_fixed(want, line);
	}
	if (IS_ERR_OR_NULL(chan))
		return chan ? ERR_CAST(chan) : ERR_PTR(-ENODEV);
	ntdma_sysdma_tie(want->dev, chan);
	return ntdma_sysdma_adopt(chan, hint.hook);
}

/**
 * ntdma_sysdma_get() - the channel that a description names
 * @want: the description
 *
 * Context: PASSIVE_LEVEL.
 * Return: the engine, referenced; -EPROBE_DEFER while the controller has no
 *	driver yet, another error when there is no such channel.
 */
struct ntdma_engine *ntdma_sysdma_get(const struct ntdma_subordinate *want)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", ntdma_want_line(want));
	return ntdma_engine_get(want->dev, name, ntdma_sysdma_open,
				(void *)want);
}

static void ntdma_hint_forget(void *data)
{
	struct ntdma_hint *hint = data;

	mutex_lock(&ntdma_hints_lock);
	list_del(&hint->link);
	mutex_unlock(&ntdma_hints_lock);
	ntdma_free(hint);
}

/**
 * ntdma_device_channel() - what a Linux side knows of a request line
 * @dev: a device whose driver is probing or bound; the name is forgotten when
 *	it leaves
 * @line: DmaRequestLine of version 3, DmaChannel before
 * @name: of the channel, as dma_request_chan() knows it, must live as long;
 *	NULL where the firmware names the channel and only the hook is new
 * @hook: functions of ConfigureAdapterChannel from 0x8000 on, called up to
 *	DISPATCH_LEVEL with no lock held, or NULL
 *
 * Context: PASSIVE_LEVEL.
 * Return: 0 or -ENOMEM.
 */
int ntdma_device_channel(struct device *dev, u32 line, const char *name,
			 ntdma_channel_hook hook)
{
	struct ntdma_hint *hint = ntdma_alloc(sizeof(*hint), GFP_KERNEL);

	if (!hint)
		return -ENOMEM;
	hint->dev = dev;
	hint->line = line;
	hint->name = name;
	hint->hook = hook;
	mutex_lock(&ntdma_hints_lock);
	list_add(&hint->link, &ntdma_hints);
	mutex_unlock(&ntdma_hints_lock);
	return devm_add_action_or_reset(dev, ntdma_hint_forget, hint);
}
EXPORT_SYMBOL_NTDMA(ntdma_device_channel);
