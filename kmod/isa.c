// SPDX-License-Identifier: GPL-2.0
/*
 * System DMA on the controller of the PC: two i8237, channels 0 to 3 and 5 to 7.
 *
 * Model: an engine over one channel, which belongs to ntdma from the first
 * adapter that names it to the last. It moves bytes (channels 0 to 3) or words
 * of two bytes (5 to 7) between a device and one run of memory below 16 MiB
 * that does not cross a multiple of 64 or 128 KiB. Memory is mapped for a
 * platform device of ours with these limits, because the controller is not
 * behind an IOMMU that the client's device may have.
 *
 * The controller reports no end: the device does, with its interrupt, and its
 * driver flushes then. A channel that is masked is not served any more, so
 * there is nothing to wait for after a stop.
 *
 * Counter: the register counts units less one and reads as all ones both
 * before and after a transfer of full size. The status register tells which,
 * but reading it clears the bits of all channels of the chip. They are kept
 * here; nothing else in the kernel reads that register.
 *
 * Lock: the kernel's lock for the controller, claim_dma_lock(), which also
 * protects the state of the channels here. Nothing is taken inside it.
 */
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <asm/dma.h>

#include "isa.h"

#define NTDMA_ISA_WIDE		5	/* the first channel of words */
#define NTDMA_ISA_CASCADE	4
#define NTDMA_ISA_REACH		DMA_BIT_MASK(24)
#define NTDMA_ISA_AUTOINIT	0x10
#define NTDMA_ISA_MODES		0xc0	/* none of them is demand mode */

/**
 * struct ntdma_isa - a channel
 * @engine: the engine
 * @channel: its number
 * @length: of the job that was started last in bytes, 0 once it is stopped
 * @cyclic: that job starts over at its end
 */
struct ntdma_isa {
	struct ntdma_engine engine;
	unsigned int channel;
	u32 length;
	bool cyclic;
};

static struct platform_device *ntdma_isa_devices[2];	/* bytes, words */
static u8 ntdma_isa_ended[2];	/* terminal counts by channel of a chip */

static struct ntdma_isa *to_isa(struct ntdma_engine *engine)
{
	return container_of(engine, struct ntdma_isa, engine);
}

static bool ntdma_isa_wide(const struct ntdma_isa *isa)
{
	return isa->channel >= NTDMA_ISA_WIDE;
}

static u32 ntdma_isa_most(const struct ntdma_isa *isa)
{
	return ntdma_isa_wide(isa) ? SZ_128K : SZ_64K;
}

/* Reads the terminal counts, which the controller then forgets. */
static bool ntdma_isa_take_ended(const struct ntdma_isa *isa, bool forget)
{
	u8 *ended = &ntdma_isa_ended[ntdma_isa_wide(isa)];
	u8 bit = BIT(isa->channel & 3);
	bool hit;

	lockdep_assert_held(&dma_spin_lock);
	*ended |= inb(ntdma_isa_wide(isa) ? DMA2_STAT_REG : DMA1_STAT_REG) &
		  0xf;
	hit = *ended & bit;
	if (forget)
		*ended &= ~bit;
	return hit;
}

/**
 * ntdma_isa_mode() - the mode register for a job
 * @job: the job; only its port and its direction are looked at
 *
 * Context: any.
 * Return: single or demand mode (DemandMode), starting over or not
 *	(AutoInitialize), and the direction; not the number of the channel.
 */
u8 ntdma_isa_mode(const struct ntdma_job *job)
{
	u8 mode = job->dir == DMA_TO_DEVICE ? DMA_MODE_WRITE : DMA_MODE_READ;

	if (job->port->demand)
		mode &= ~NTDMA_ISA_MODES;
	return job->port->cyclic ? mode | NTDMA_ISA_AUTOINIT : mode;
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_isa_mode);

static void ntdma_isa_program(const struct ntdma_isa *isa, dma_addr_t addr,
			      u32 length, u8 mode)
{
	unsigned int channel = isa->channel;

	lockdep_assert_held(&dma_spin_lock);
	disable_dma(channel);
	ntdma_isa_take_ended(isa, true);
	clear_dma_ff(channel);
	set_dma_mode(channel, mode);
	set_dma_addr(channel, addr);
	set_dma_count(channel, length);
	enable_dma(channel);
}

/* Units that are whole, in reach, and inside the page that the channel has. */
static bool ntdma_isa_fits(const struct ntdma_isa *isa, dma_addr_t addr,
			   u32 length)
{
	u32 most = ntdma_isa_most(isa);

	return !((addr | length) & (isa->engine.unit - 1)) &&
	       addr <= NTDMA_ISA_REACH && length <= most - (addr & (most - 1));
}

static int ntdma_isa_start(struct ntdma_engine *engine,
			   const struct ntdma_job *job)
{
	dma_addr_t addr = sg_dma_address(job->sgs);
	struct ntdma_isa *isa = to_isa(engine);
	unsigned long flags;

	if (!ntdma_isa_fits(isa, addr, job->length))
		return -EINVAL;
	flags = claim_dma_lock();
	isa->length = job->length;
	isa->cyclic = job->port->cyclic;
	ntdma_isa_program(isa, addr, job->length, ntdma_isa_mode(job));
	release_dma_lock(flags);
	return 0;
}

/* Bytes that the device still has in a FIFO of its own are lost. */
static void ntdma_isa_stop(struct ntdma_engine *engine)
{
	struct ntdma_isa *isa = to_isa(engine);
	unsigned long flags = claim_dma_lock();

	disable_dma(isa->channel);
	isa->length = 0;
	release_dma_lock(flags);
}

/*
 * The two halves of the counter are read one after the other. What was read
 * while the upper half changed shows by the next value.
 */
static u32 ntdma_isa_count(const struct ntdma_isa *isa)
{
	u32 last, now = 0;
	int tries = 4;

	lockdep_assert_held(&dma_spin_lock);
	clear_dma_ff(isa->channel);
	last = get_dma_residue(isa->channel);
	for (; tries; tries--, last = now) {
		clear_dma_ff(isa->channel);
		now = get_dma_residue(isa->channel);
		if (now <= last && last - now < 256)
			break;
	}
	return now;
}

static u32 ntdma_isa_residue(struct ntdma_engine *engine)
{
	struct ntdma_isa *isa = to_isa(engine);
	unsigned long flags = claim_dma_lock();
	u32 left = 0;

	if (isa->length)
		left = ntdma_isa_count(isa);
	if (!left && isa->length == ntdma_isa_most(isa) && !isa->cyclic &&
	    !ntdma_isa_take_ended(isa, false))
		left = isa->length;
	release_dma_lock(flags);
	return left;
}

static void ntdma_isa_close(struct ntdma_engine *engine)
{
	ntdma_isa_stop(engine);
	free_dma(to_isa(engine)->channel);
}

static const struct ntdma_engine_ops ntdma_isa_ops = {
	.name = "i8237",
	.start = ntdma_isa_start,
	.stop = ntdma_isa_stop,
	.residue = ntdma_isa_residue,
	.close = ntdma_isa_close,
};

static struct ntdma_engine *ntdma_isa_open(void *data)
{
	const struct ntdma_subordinate *want = data;
	struct ntdma_isa *isa = ntdma_alloc(sizeof(*isa), GFP_KERNEL);
	struct ntdma_engine *engine;
	int ret;

	if (!isa)
		return ERR_PTR(-ENOMEM);
	isa->channel = want->description->DmaChannel;
	engine = &isa->engine;
	engine->ops = &ntdma_isa_ops;
	engine->dev = &ntdma_isa_devices[ntdma_isa_wide(isa)]->dev;
	engine->cyclic = true;
	engine->counter = true;
	engine->silent = true;
	engine->unit = ntdma_isa_wide(isa) ? 2 : 1;
	engine->sg_limit = 1;
	engine->widths = BIT(engine->unit);
	ret = request_dma(isa->channel, "ntdma");
	if (!ret)
		return engine;
	ntdma_free(isa);
	return ERR_PTR(ret);
}

/* Before version 3 a device on no bus at all is one of the board of the PC. */
static bool ntdma_isa_bus(const struct ntdma_subordinate *want)
{
	switch (want->description->InterfaceType) {
	case Isa:
	case Eisa:
	case MicroChannel:
		return true;
	case Internal:
		return want->version < 3;
	default:
		return false;
	}
}

/**
 * ntdma_isa_get() - the channel that a description names
 * @want: the description; DmaChannel counts in all versions
 *
 * Context: PASSIVE_LEVEL.
 * Return: the engine, referenced; -ENODEV for another bus and for what is no
 *	channel (S5); -EBUSY when another driver has it; -ENOMEM.
 */
struct ntdma_engine *ntdma_isa_get(const struct ntdma_subordinate *want)
{
	u32 channel = want->description->DmaChannel;
	char name[16];

	if (!ntdma_isa_bus(want) || channel >= MAX_DMA_CHANNELS ||
	    channel == NTDMA_ISA_CASCADE)
		return ERR_PTR(-ENODEV);
	snprintf(name, sizeof(name), "%u", channel);
	return ntdma_engine_get(&ntdma_isa_ops, name, ntdma_isa_open,
				(void *)want);
}

static struct platform_device *ntdma_isa_register(int id, u32 most)
{
	struct platform_device_info info = {
		.name = "ntdma-isa",
		.id = id,
		.dma_mask = NTDMA_ISA_REACH,
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	if (IS_ERR(pdev))
		return pdev;
	dma_set_max_seg_size(&pdev->dev, most);
	dma_set_seg_boundary(&pdev->dev, most - 1);
	return pdev;
}

/**
 * ntdma_isa_init() - make the devices that memory is mapped for
 *
 * Context: module init.
 * Return: 0 or an errno.
 */
int ntdma_isa_init(void)
{
	struct platform_device *bytes, *words;

	bytes = ntdma_isa_register(0, SZ_64K);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	words = ntdma_isa_register(1, SZ_128K);
	if (IS_ERR(words)) {
		platform_device_unregister(bytes);
		return PTR_ERR(words);
	}
	ntdma_isa_devices[0] = bytes;
	ntdma_isa_devices[1] = words;
	return 0;
}

/**
 * ntdma_isa_exit() - undo ntdma_isa_init()
 *
 * Context: module exit, no channel is open.
 */
void ntdma_isa_exit(void)
{
	platform_device_unregister(ntdma_isa_devices[1]);
	platform_device_unregister(ntdma_isa_devices[0]);
}
