// SPDX-License-Identifier: GPL-2.0
/*
 * ntdma_edu_dmac.ko: QEMU's edu device as a DMA controller, a provider of
 * dmaengine. It stands where no controller of a board does: behind an IOMMU,
 * and on any size of page.
 *
 * Model: the device has a buffer and an engine that copies one range between
 * memory and the buffer per command, with an interrupt behind each. Here the
 * engine is the controller, and the buffer belongs to a device on its request
 * lines. The address in a channel's configuration is where in the buffer a
 * transfer begins; it goes on from there and must end inside. A list is one
 * command per entry, and the channels take turns at each command.
 *
 * A loop is one command per period. In the buffer it goes on from pass to pass;
 * where the next period would not end inside, it begins anew. So the device may
 * have another place for what is the same memory in the next pass.
 *
 * A client may say how often the device raises the request line during one
 * transfer: peripheral_config then is an u32 with the number of commands that
 * it lasts for. A transfer with more of them stands still until it is
 * terminated.
 *
 * The engine cannot be stopped: a command that runs when its transfer is
 * terminated ends by itself, and synchronize waits for that. The residue counts
 * whole commands, of a loop those of the present pass.
 *
 * The driver takes only devices whose driver_override names it. The first
 * channels are in a slave map, which knows one client, by the name of its device.
 * The others are for whoever has a FixedDMA resource with one of their request
 * lines, where the controller is in ACPI's namespace.
 *
 * Locks: edu_dmac.lock protects the lists, the cookies, and who has the engine.
 * It is never held over a callback.
 */
#include <linux/acpi.h>
#include <linux/acpi_dma.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/wait.h>

static unsigned int slow;
module_param(slow, uint, 0644);
MODULE_PARM_DESC(slow, "stopping a channel takes so many milliseconds more (0)");

static unsigned int stops;
module_param(stops, uint, 0444);
MODULE_PARM_DESC(stops, "how often somebody has waited until a channel stopped");

#define EDU_NAMED		2	/* channels in the slave map */
#define EDU_CHANNELS		4

static unsigned int to_device[EDU_CHANNELS];
module_param_array(to_device, uint, NULL, 0444);
MODULE_PARM_DESC(to_device, "commands that each channel had for the device");

static unsigned int to_memory[EDU_CHANNELS];
module_param_array(to_memory, uint, NULL, 0444);
MODULE_PARM_DESC(to_memory, "commands that each channel had for memory");

#define EDU_BAR			0

/* Registers */
#define EDU_INTERRUPT_STATUS	0x24
#define EDU_INTERRUPT_ACK	0x64
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_INTERRUPT_DMA	0x100

#define EDU_COMMAND_START	0x1
#define EDU_COMMAND_TO_MEMORY	0x2
#define EDU_COMMAND_INTERRUPT	0x4

/* The emulator stops when a command reaches the last byte of the buffer. */
#define EDU_BUFFER_BASE		0x40000
#define EDU_BUFFER_SIZE		4095

#define EDU_COMMANDS		4	/* of one transfer, or one pass */

/* The request line of the first channel for FixedDMA. */
#define EDU_REQUEST_LINE	0x40

#define EDU_WIDTHS	(BIT(DMA_SLAVE_BUSWIDTH_1_BYTE) |	\
			 BIT(DMA_SLAVE_BUSWIDTH_2_BYTES) |	\
			 BIT(DMA_SLAVE_BUSWIDTH_4_BYTES) |	\
			 BIT(DMA_SLAVE_BUSWIDTH_8_BYTES))

static unsigned int width = 28;
module_param(width, uint, 0444);
MODULE_PARM_DESC(width, "address bits of the device, as its dma_mask (28)");

static char *client = "slave_wdm";
module_param(client, charp, 0444);
MODULE_PARM_DESC(client, "name of the device that the slave map is for");

static const char * const edu_names[EDU_NAMED] = { "one", "two" };

struct edu_dmac;

/**
 * struct edu_desc - a transfer
 * @tx: for dmaengine
 * @node: in one of the lists of its channel
 * @to_device: direction
 * @cyclic: begins anew after the last command
 * @start: where the first command begins in the buffer
 * @place: where the next command begins in the buffer
 * @length: of all commands, in bytes
 * @left: bytes that are still to be moved, of the present pass when cyclic
 * @next: index of the next command
 * @count: number of commands, of a pass when cyclic
 * @done: commands that are through
 * @lasts: commands for which the device raises the request line
 * @due: callbacks for periods that are still to be made
 * @dead: terminated
 * @parts: what each command moves
 */
struct edu_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	bool to_device;
	bool cyclic;
	u32 start;
	u32 place;
	u32 length;
	u32 left;
	unsigned int next;
	unsigned int count;
	unsigned int done;
	unsigned int lasts;
	unsigned int due;
	bool dead;
	struct {
		dma_addr_t addr;
		u32 length;
	} parts[EDU_COMMANDS];
};

/**
 * struct edu_chan - a channel
 * @chan: for dmaengine
 * @dmac: whose it is
 * @config: last configuration
 * @lasts: for the next descriptor
 * @submitted: descriptors that were not issued
 * @issued: descriptors in their order; the first of them is worked on
 * @ended: descriptors whose callback is due
 * @terminated: descriptors to free once the engine has let go of them
 * @tasklet: makes the callbacks
 */
struct edu_chan {
	struct dma_chan chan;
	struct edu_dmac *dmac;
	struct dma_slave_config config;
	unsigned int lasts;
	struct list_head submitted;
	struct list_head issued;
	struct list_head ended;
	struct list_head terminated;
	struct tasklet_struct tasklet;
};

/**
 * struct edu_dmac - the controller
 * @dma: for dmaengine
 * @pdev: the device
 * @regs: its registers
 * @map: names channels for the client
 * @lock: protects all below and the lists of the channels
 * @running: whose command the engine works on
 * @last: channel that had the last command
 * @gone: the device has no driver any more
 * @idle: woken at the end of each command
 * @chans: the channels
 */
struct edu_dmac {
	struct dma_device dma;
	struct pci_dev *pdev;
	void __iomem *regs;
	struct dma_slave_map map[EDU_NAMED];
	spinlock_t lock;	/* see @lock */
	struct edu_desc *running;
	unsigned int last;
	bool gone;
	wait_queue_head_t idle;
	struct edu_chan chans[EDU_CHANNELS];
};

static struct edu_chan *to_edu_chan(struct dma_chan *chan)
{
	return container_of(chan, struct edu_chan, chan);
}

static struct edu_desc *to_edu_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct edu_desc, tx);
}

/*
 * The engine
 */

/* Half a register cannot be written: see edu_set_mask(). */
static void edu_write(struct edu_dmac *dmac, unsigned int reg, u64 value)
{
#ifdef CONFIG_64BIT
	writeq(value, dmac->regs + reg);
#else
	writel(value, dmac->regs + reg);
#endif
}

static void edu_command(struct edu_dmac *dmac, struct edu_desc *desc)
{
	u64 memory = desc->parts[desc->next].addr;
	u64 device = EDU_BUFFER_BASE + desc->place;
	u32 command = EDU_COMMAND_START | EDU_COMMAND_INTERRUPT;

	lockdep_assert_held(&dmac->lock);
	dmac->running = desc;
	if (!desc->to_device)
		command |= EDU_COMMAND_TO_MEMORY;
	edu_write(dmac, EDU_DMA_SOURCE, desc->to_device ? memory : device);
	edu_write(dmac, EDU_DMA_DESTINATION, desc->to_device ? device : memory);
	edu_write(dmac, EDU_DMA_COUNT, desc->parts[desc->next].length);
	writel(command, dmac->regs + EDU_DMA_COMMAND);
}

/* For whoever wants to know which channel a request line was. */
static void edu_count(unsigned int *count)
{
	WRITE_ONCE(*count, *count + 1);
}

/* Starts the next command of a channel whose request line is raised, if any. */
static void edu_go_on(struct edu_dmac *dmac)
{
	struct edu_desc *desc;
	unsigned int i, n;

	lockdep_assert_held(&dmac->lock);
	for (i = 1; i <= EDU_CHANNELS && !dmac->running && !dmac->gone; i++) {
		n = (dmac->last + i) % EDU_CHANNELS;
		desc = list_first_entry_or_null(&dmac->chans[n].issued,
						struct edu_desc, node);
		if (!desc || desc->done >= desc->lasts)
			continue;
		dmac->last = n;
		edu_count(desc->to_device ? &to_device[n] : &to_memory[n]);
		edu_command(dmac, desc);
	}
}

/* All periods have one length. */
static void edu_end_period(struct edu_chan *c, struct edu_desc *desc)
{
	lockdep_assert_held(&c->dmac->lock);
	if (desc->place + desc->parts[0].length > EDU_BUFFER_SIZE)
		desc->place = desc->start;
	if (desc->next == desc->count) {
		desc->next = 0;
		desc->left = desc->length;
	}
	desc->due++;
	tasklet_schedule(&c->tasklet);
}

/* A command of a live descriptor is through. */
static void edu_advance(struct edu_dmac *dmac, struct edu_desc *desc)
{
	struct edu_chan *c = to_edu_chan(desc->tx.chan);

	lockdep_assert_held(&dmac->lock);
	desc->place += desc->parts[desc->next].length;
	desc->left -= desc->parts[desc->next].length;
	desc->done++;
	desc->next++;
	if (desc->cyclic) {
		edu_end_period(c, desc);
	} else if (desc->next == desc->count) {
		c->chan.completed_cookie = desc->tx.cookie;
		list_move_tail(&desc->node, &c->ended);
		tasklet_schedule(&c->tasklet);
	}
}

static irqreturn_t edu_irq(int irq, void *data)
{
	struct edu_dmac *dmac = data;
	struct edu_desc *desc;
	u32 status;

	status = readl(dmac->regs + EDU_INTERRUPT_STATUS);
	if (!(status & EDU_INTERRUPT_DMA))
		return IRQ_NONE;
	writel(status, dmac->regs + EDU_INTERRUPT_ACK);

	spin_lock(&dmac->lock);
	desc = dmac->running;
	dmac->running = NULL;
	if (desc && !desc->dead)
		edu_advance(dmac, desc);
	edu_go_on(dmac);
	spin_unlock(&dmac->lock);
	wake_up_all(&dmac->idle);
	return IRQ_HANDLED;
}

/*
 * Descriptors
 */

static void edu_free(struct list_head *list)
{
	struct edu_desc *desc, *next;

	list_for_each_entry_safe(desc, next, list, node)
		kfree(desc);
	INIT_LIST_HEAD(list);
}

static struct edu_desc *edu_take_ended(struct edu_chan *c)
{
	struct edu_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&c->dmac->lock, flags);
	desc = list_first_entry_or_null(&c->ended, struct edu_desc, node);
	if (desc)
		list_del(&desc->node);
	spin_unlock_irqrestore(&c->dmac->lock, flags);
	return desc;
}

/* A loop with a callback due. Nobody frees it while the tasklet runs. */
static struct edu_desc *edu_take_period(struct edu_chan *c)
{
	struct edu_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&c->dmac->lock, flags);
	desc = list_first_entry_or_null(&c->issued, struct edu_desc, node);
	if (desc && desc->due)
		desc->due--;
	else
		desc = NULL;
	spin_unlock_irqrestore(&c->dmac->lock, flags);
	return desc;
}

static void edu_call(const struct dma_async_tx_descriptor *tx)
{
	const struct dmaengine_result fine = { .result = DMA_TRANS_NOERROR };

	if (tx->callback_result)
		tx->callback_result(tx->callback_param, &fine);
	else if (tx->callback)
		tx->callback(tx->callback_param);
}

static void edu_tasklet(struct tasklet_struct *tasklet)
{
	struct edu_chan *c = from_tasklet(c, tasklet, tasklet);
	struct edu_desc *desc;

	while ((desc = edu_take_ended(c))) {
		edu_call(&desc->tx);
		kfree(desc);
	}
	while ((desc = edu_take_period(c)))
		edu_call(&desc->tx);
}

static dma_cookie_t edu_submit(struct dma_async_tx_descriptor *tx)
{
	struct edu_chan *c = to_edu_chan(tx->chan);
	unsigned long flags;

	spin_lock_irqsave(&c->dmac->lock, flags);
	tx->cookie = c->chan.cookie == INT_MAX ? DMA_MIN_COOKIE :
						 c->chan.cookie + 1;
	c->chan.cookie = tx->cookie;
	list_add_tail(&to_edu_desc(tx)->node, &c->submitted);
	spin_unlock_irqrestore(&c->dmac->lock, flags);
	return tx->cookie;
}

/* Where in the buffer a transfer of the channel begins; U32_MAX for nowhere. */
static u32 edu_place(const struct edu_chan *c, enum dma_transfer_direction dir)
{
	phys_addr_t addr = dir == DMA_MEM_TO_DEV ? c->config.dst_addr :
						   c->config.src_addr;

	if (addr < EDU_BUFFER_BASE || addr >= EDU_BUFFER_BASE + EDU_BUFFER_SIZE)
		return U32_MAX;
	return addr - EDU_BUFFER_BASE;
}

static bool edu_ends_inside(const struct edu_desc *desc, u64 length)
{
	return desc->start <= EDU_BUFFER_SIZE &&
	       length <= EDU_BUFFER_SIZE - desc->start;
}

static bool edu_fill(struct edu_desc *desc, struct scatterlist *sgl,
		     unsigned int count)
{
	struct scatterlist *sg;
	u64 total = 0;
	unsigned int i;

	for_each_sg(sgl, sg, count, i) {
		desc->parts[i].addr = sg_dma_address(sg);
		desc->parts[i].length = sg_dma_len(sg);
		total += sg_dma_len(sg);
	}
	desc->count = count;
	desc->length = total;
	desc->left = total;
	return total && edu_ends_inside(desc, total);
}

static bool edu_fill_loop(struct edu_desc *desc, dma_addr_t addr, size_t length,
			  size_t period)
{
	size_t done;

	for (done = 0; done < length; done += period) {
		desc->parts[desc->count].addr = addr + done;
		desc->parts[desc->count].length = period;
		desc->count++;
	}
	desc->cyclic = true;
	desc->length = length;
	desc->left = length;
	return edu_ends_inside(desc, period);
}

static struct edu_desc *edu_alloc(struct edu_chan *c,
				  enum dma_transfer_direction dir)
{
	struct edu_desc *desc = kzalloc(sizeof(*desc), GFP_NOWAIT);

	if (!desc)
		return NULL;
	desc->to_device = dir == DMA_MEM_TO_DEV;
	desc->start = edu_place(c, dir);
	desc->place = desc->start;
	desc->lasts = c->lasts;
	return desc;
}

static struct dma_async_tx_descriptor *
edu_ready(struct edu_chan *c, struct edu_desc *desc, unsigned long flags)
{
	dma_async_tx_descriptor_init(&desc->tx, &c->chan);
	desc->tx.tx_submit = edu_submit;
	desc->tx.flags = flags;
	return &desc->tx;
}

static struct dma_async_tx_descriptor *
edu_prep_slave_sg(struct dma_chan *chan, struct scatterlist *sgl,
		  unsigned int count, enum dma_transfer_direction dir,
		  unsigned long flags, void *context)
{
	struct edu_chan *c = to_edu_chan(chan);
	struct edu_desc *desc;

	if (!count || count > EDU_COMMANDS || !is_slave_direction(dir))
		return NULL;
	desc = edu_alloc(c, dir);
	if (!desc)
		return NULL;
	if (!edu_fill(desc, sgl, count)) {
		kfree(desc);
		return NULL;
	}
	return edu_ready(c, desc, flags);
}

static struct dma_async_tx_descriptor *
edu_prep_cyclic(struct dma_chan *chan, dma_addr_t addr, size_t length,
		size_t period, enum dma_transfer_direction dir,
		unsigned long flags)
{
	struct edu_chan *c = to_edu_chan(chan);
	struct edu_desc *desc;

	if (!period || !length || length % period ||
	    length / period > EDU_COMMANDS || !is_slave_direction(dir))
		return NULL;
	desc = edu_alloc(c, dir);
	if (!desc)
		return NULL;
	if (!edu_fill_loop(desc, addr, length, period)) {
		kfree(desc);
		return NULL;
	}
	return edu_ready(c, desc, flags);
}

/*
 * Channels
 */

static int edu_config(struct dma_chan *chan, struct dma_slave_config *config)
{
	struct edu_chan *c = to_edu_chan(chan);

	if (config->peripheral_size && config->peripheral_size != sizeof(u32))
		return -EINVAL;
	c->config = *config;
	c->lasts = UINT_MAX;
	if (config->peripheral_size)
		c->lasts = *(u32 *)config->peripheral_config;
	return 0;
}

static void edu_issue_pending(struct dma_chan *chan)
{
	struct edu_chan *c = to_edu_chan(chan);
	unsigned long flags;

	spin_lock_irqsave(&c->dmac->lock, flags);
	list_splice_tail_init(&c->submitted, &c->issued);
	edu_go_on(c->dmac);
	spin_unlock_irqrestore(&c->dmac->lock, flags);
}

static u32 edu_residue(struct edu_chan *c, dma_cookie_t cookie)
{
	struct edu_desc *desc;

	lockdep_assert_held(&c->dmac->lock);
	list_for_each_entry(desc, &c->issued, node)
		if (desc->tx.cookie == cookie)
			return desc->left;
	list_for_each_entry(desc, &c->submitted, node)
		if (desc->tx.cookie == cookie)
			return desc->left;
	return 0;
}

static enum dma_status edu_tx_status(struct dma_chan *chan,
				     dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct edu_chan *c = to_edu_chan(chan);
	enum dma_status status;
	unsigned long flags;

	spin_lock_irqsave(&c->dmac->lock, flags);
	status = dma_async_is_complete(cookie, chan->completed_cookie,
				       chan->cookie);
	if (state) {
		state->last = chan->completed_cookie;
		state->used = chan->cookie;
		state->residue = edu_residue(c, cookie);
		state->in_flight_bytes = 0;
	}
	spin_unlock_irqrestore(&c->dmac->lock, flags);
	return status;
}

static int edu_terminate_all(struct dma_chan *chan)
{
	struct edu_chan *c = to_edu_chan(chan);
	struct edu_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&c->dmac->lock, flags);
	list_for_each_entry(desc, &c->issued, node)
		desc->dead = true;
	list_splice_tail_init(&c->issued, &c->terminated);
	list_splice_tail_init(&c->submitted, &c->terminated);
	list_splice_tail_init(&c->ended, &c->terminated);
	spin_unlock_irqrestore(&c->dmac->lock, flags);
	return 0;
}

static bool edu_stopped(struct edu_chan *c)
{
	unsigned long flags;
	bool stopped;

	spin_lock_irqsave(&c->dmac->lock, flags);
	stopped = !c->dmac->running || c->dmac->running->tx.chan != &c->chan ||
		  !c->dmac->running->dead;
	spin_unlock_irqrestore(&c->dmac->lock, flags);
	return stopped;
}

static void edu_synchronize(struct dma_chan *chan)
{
	struct edu_chan *c = to_edu_chan(chan);
	unsigned long flags;
	LIST_HEAD(dead);

	wait_event(c->dmac->idle, edu_stopped(c));
	tasklet_unlock_wait(&c->tasklet);
	spin_lock_irqsave(&c->dmac->lock, flags);
	list_splice_init(&c->terminated, &dead);
	spin_unlock_irqrestore(&c->dmac->lock, flags);
	edu_free(&dead);
	if (slow)
		msleep(slow);
	WRITE_ONCE(stops, stops + 1);
}

static int edu_alloc_resources(struct dma_chan *chan)
{
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	return 0;
}

static void edu_free_resources(struct dma_chan *chan)
{
	struct edu_chan *c = to_edu_chan(chan);

	edu_terminate_all(chan);
	edu_synchronize(chan);
	tasklet_kill(&c->tasklet);
	memset(&c->config, 0, sizeof(c->config));
}

static bool edu_filter(struct dma_chan *chan, void *param)
{
	return chan == param;
}

/*
 * The controller
 */

static void edu_add_channel(struct edu_dmac *dmac, unsigned int n)
{
	struct edu_chan *c = &dmac->chans[n];

	c->dmac = dmac;
	INIT_LIST_HEAD(&c->submitted);
	INIT_LIST_HEAD(&c->issued);
	INIT_LIST_HEAD(&c->ended);
	INIT_LIST_HEAD(&c->terminated);
	tasklet_setup(&c->tasklet, edu_tasklet);
	c->chan.device = &dmac->dma;
	list_add_tail(&c->chan.device_node, &dmac->dma.channels);
	if (n >= EDU_NAMED)
		return;
	dmac->map[n].devname = client;
	dmac->map[n].slave = edu_names[n];
	dmac->map[n].param = &c->chan;
}

static void edu_release(struct dma_device *dma)
{
	kfree(container_of(dma, struct edu_dmac, dma));
}

static void edu_describe(struct edu_dmac *dmac)
{
	struct dma_device *dma = &dmac->dma;

	dma_cap_set(DMA_SLAVE, dma->cap_mask);
	dma_cap_set(DMA_CYCLIC, dma->cap_mask);
	dma_cap_set(DMA_PRIVATE, dma->cap_mask);
	dma->dev = &dmac->pdev->dev;
	dma->filter.fn = edu_filter;
	dma->filter.map = dmac->map;
	dma->filter.mapcnt = EDU_NAMED;
	dma->src_addr_widths = EDU_WIDTHS;
	dma->dst_addr_widths = EDU_WIDTHS;
	dma->directions = BIT(DMA_MEM_TO_DEV) | BIT(DMA_DEV_TO_MEM);
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_SEGMENT;
	dma->max_sg_burst = EDU_COMMANDS;
	dma->device_alloc_chan_resources = edu_alloc_resources;
	dma->device_free_chan_resources = edu_free_resources;
	dma->device_prep_slave_sg = edu_prep_slave_sg;
	dma->device_prep_dma_cyclic = edu_prep_cyclic;
	dma->device_config = edu_config;
	dma->device_terminate_all = edu_terminate_all;
	dma->device_synchronize = edu_synchronize;
	dma->device_tx_status = edu_tx_status;
	dma->device_issue_pending = edu_issue_pending;
	dma->device_release = edu_release;
}

static struct edu_dmac *edu_create(struct pci_dev *pdev)
{
	struct edu_dmac *dmac = kzalloc(sizeof(*dmac), GFP_KERNEL);
	unsigned int n;

	if (!dmac)
		return NULL;
	dmac->pdev = pdev;
	dmac->regs = pcim_iomap_table(pdev)[EDU_BAR];
	spin_lock_init(&dmac->lock);
	init_waitqueue_head(&dmac->idle);
	INIT_LIST_HEAD(&dmac->dma.channels);
	edu_describe(dmac);
	for (n = 0; n < EDU_CHANNELS; n++)
		edu_add_channel(dmac, n);
	return dmac;
}

static struct dma_chan *edu_translate(struct acpi_dma_spec *spec,
				      struct acpi_dma *adma)
{
	struct edu_dmac *dmac = adma->data;
	int n = spec->slave_id - EDU_REQUEST_LINE + EDU_NAMED;

	if (n < EDU_NAMED || n >= EDU_CHANNELS)
		return NULL;
	return dma_request_channel(dmac->dma.cap_mask, edu_filter,
				   &dmac->chans[n].chan);
}

/* A machine without ACPI, and a device without a node there, are fine. */
static int edu_register_acpi(struct edu_dmac *dmac)
{
	struct device *dev = &dmac->pdev->dev;

	return has_acpi_companion(dev) ?
	       acpi_dma_controller_register(dev, edu_translate, dmac) : 0;
}

/* A 32-bit machine writes half of an address register, the rest becomes 0. */
static int edu_set_mask(struct pci_dev *pdev)
{
	unsigned int bits = min_t(unsigned int, width, BITS_PER_LONG);

	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(bits));
}

static int edu_enable(struct pci_dev *pdev)
{
	int rc;

	rc = pcim_enable_device(pdev);
	if (rc)
		return rc;
	rc = pcim_iomap_regions(pdev, BIT(EDU_BAR), "ntdma_edu_dmac");
	if (rc)
		return rc;
	rc = edu_set_mask(pdev);
	if (rc)
		return rc;
	/* More than the buffer, and a loop that crosses a page is one piece. */
	dma_set_max_seg_size(&pdev->dev, 2 * PAGE_SIZE);
	pci_set_master(pdev);
	rc = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	return rc < 0 ? rc : 0;
}

static bool edu_idle(struct edu_dmac *dmac)
{
	unsigned long flags;
	bool idle;

	spin_lock_irqsave(&dmac->lock, flags);
	dmac->gone = true;
	idle = !dmac->running;
	spin_unlock_irqrestore(&dmac->lock, flags);
	return idle;
}

/* Nothing can be started any more, and nothing runs. */
static void edu_quiesce(struct edu_dmac *dmac)
{
	wait_event(dmac->idle, edu_idle(dmac));
	free_irq(pci_irq_vector(dmac->pdev, 0), dmac);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_dmac *dmac;
	int rc;

	rc = edu_enable(pdev);
	if (rc)
		return rc;
	dmac = edu_create(pdev);
	if (!dmac) {
		rc = -ENOMEM;
		goto free_vectors;
	}
	rc = request_irq(pci_irq_vector(pdev, 0), edu_irq, IRQF_SHARED,
			 "ntdma_edu_dmac", dmac);
	if (rc)
		goto free_dmac;
	rc = dma_async_device_register(&dmac->dma);
	if (rc)
		goto free_irq;
	rc = edu_register_acpi(dmac);
	if (rc)
		goto unregister;
	pci_set_drvdata(pdev, dmac);
	return 0;

unregister:
	edu_quiesce(dmac);
	/* The last to let go of the controller frees it. */
	dma_async_device_unregister(&dmac->dma);
	goto free_vectors;
free_irq:
	free_irq(pci_irq_vector(pdev, 0), dmac);
free_dmac:
	kfree(dmac);
free_vectors:
	pci_free_irq_vectors(pdev);
	return rc;
}

/* Whoever still has a channel can start nothing on it. */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu_dmac *dmac = pci_get_drvdata(pdev);

	if (has_acpi_companion(&pdev->dev))
		acpi_dma_controller_free(&pdev->dev);
	edu_quiesce(dmac);
	pci_free_irq_vectors(pdev);
	pci_clear_master(pdev);
	dma_async_device_unregister(&dmac->dma);
}

/* Without a table of devices it takes what driver_override gives to it. */
static struct pci_driver edu_driver = {
	.name = "ntdma_edu_dmac",
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("dmaengine provider over QEMU's edu device");
MODULE_LICENSE("GPL");
