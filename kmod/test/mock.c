// SPDX-License-Identifier: GPL-2.0
/*
 * The mock DMA controller. It moves bytes when told to, and completes when
 * told to, so that a case decides what happens between any two calls.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include "mock.h"

static struct mock *to_mock(struct dma_chan *chan)
{
	return container_of(chan, struct mock, chan);
}

static dma_cookie_t mock_submit(struct dma_async_tx_descriptor *desc)
{
	desc->cookie = ++desc->chan->cookie;
	return desc->cookie;
}

static struct dma_async_tx_descriptor *
mock_prep(struct mock *mock, u32 length, enum dma_transfer_direction dir)
{
	if (mock->refuse || length > MOCK_ROOM || mock->running)
		return NULL;
	mock->write = dir == DMA_MEM_TO_DEV;
	mock->length = length;
	mock->moved = 0;
	dma_async_tx_descriptor_init(&mock->desc, &mock->chan);
	mock->desc.tx_submit = mock_submit;
	return &mock->desc;
}

static struct dma_async_tx_descriptor *
mock_prep_sg(struct dma_chan *chan, struct scatterlist *sgs, unsigned int nents,
	     enum dma_transfer_direction dir, unsigned long flags, void *context)
{
	struct mock *mock = to_mock(chan);
	struct scatterlist *sg;
	u32 length = 0;
	int i;

	if (nents > ARRAY_SIZE(mock->sgs))
		return NULL;
	for_each_sg(sgs, sg, nents, i) {
		mock->sgs[i] = *sg;
		length += sg_dma_len(sg);
	}
	mock->nents = nents;
	mock->period = 0;
	return mock_prep(mock, length, dir);
}

static struct dma_async_tx_descriptor *
mock_prep_cyclic(struct dma_chan *chan, dma_addr_t addr, size_t length,
		 size_t period, enum dma_transfer_direction dir,
		 unsigned long flags)
{
	struct mock *mock = to_mock(chan);

	sg_dma_address(mock->sgs) = addr;
	sg_dma_len(mock->sgs) = length;
	mock->nents = 1;
	mock->period = period;
	return mock_prep(mock, length, dir);
}

/* Moves @length bytes more between memory and the device. */
int mock_move(struct mock *mock, u32 length)
{
	struct scatterlist *sg = mock->sgs;
	u32 skip = mock->moved, part;
	dma_addr_t addr;
	int err = 0;

	for (; skip >= sg_dma_len(sg); sg++)
		skip -= sg_dma_len(sg);
	for (; length && !err; length -= part, skip = 0, sg++) {
		part = min(length, sg_dma_len(sg) - skip);
		addr = sg_dma_address(sg) + skip;
		err = mock->write ?
		      bus_read(&mock->bus, addr, mock->store + mock->moved,
			       part) :
		      bus_write(&mock->bus, addr, mock->store + mock->moved,
				part);
		mock->moved += part;
	}
	return err;
}

static void mock_call(const struct dma_async_tx_descriptor *desc,
		      enum dmaengine_tx_result result)
{
	struct dmaengine_result outcome = { .result = result };

	local_bh_disable();
	desc->callback_result(desc->callback_param, &outcome);
	local_bh_enable();
}

/* Ends what runs, or one pass of what is cyclic. */
void mock_finish(struct mock *mock, enum dmaengine_tx_result result)
{
	struct dma_async_tx_descriptor desc = mock->desc;

	if (!mock->running)
		return;
	if (mock->period) {
		mock->moved = 0;
	} else {
		mock->running = false;
		mock->chan.completed_cookie = desc.cookie;
	}
	mock_call(&desc, result);
}

/* Reports what was terminated long ago, as no controller should. */
void mock_finish_late(struct mock *mock)
{
	if (mock->late.callback_result)
		mock_call(&mock->late, DMA_TRANS_NOERROR);
}

static void mock_issue(struct dma_chan *chan)
{
	struct mock *mock = to_mock(chan);

	mock->running = true;
	if (mock->instant && !mock_move(mock, mock->length))
		mock_finish(mock, DMA_TRANS_NOERROR);
}

static enum dma_status mock_status(struct dma_chan *chan, dma_cookie_t cookie,
				   struct dma_tx_state *state)
{
	struct mock *mock = to_mock(chan);

	if (cookie <= chan->completed_cookie)
		return DMA_COMPLETE;
	if (state)
		state->residue = mock->length - mock->moved;
	return mock->paused ? DMA_PAUSED : DMA_IN_PROGRESS;
}

static int mock_configure(struct dma_chan *chan,
			  struct dma_slave_config *config)
{
	to_mock(chan)->config = *config;
	return 0;
}

static int mock_pause(struct dma_chan *chan)
{
	to_mock(chan)->paused = true;
	return 0;
}

static int mock_resume(struct dma_chan *chan)
{
	to_mock(chan)->paused = false;
	return 0;
}

static int mock_terminate(struct dma_chan *chan)
{
	struct mock *mock = to_mock(chan);

	mock->late = mock->desc;
	mock->running = false;
	mock->paused = false;
	mock->terminated++;
	return 0;
}

static void mock_synchronize(struct dma_chan *chan)
{
	struct mock *mock = to_mock(chan);

	while (READ_ONCE(mock->hold))
		usleep_range(500, 1000);
	mock->synchronized++;
}

static int mock_alloc(struct dma_chan *chan)
{
	return 0;
}

static void mock_release(struct dma_chan *chan)
{
	mock_terminate(chan);
}

/* Only the map below gives the channel out. */
static bool mock_filter(struct dma_chan *chan, void *param)
{
	return chan->device->dev == param;
}

static int mock_register(struct mock *mock, struct device *dev,
			 struct device *client)
{
	struct dma_device *device = &mock->device;

	dma_cap_set(DMA_SLAVE, device->cap_mask);
	dma_cap_set(DMA_CYCLIC, device->cap_mask);
	dma_cap_set(DMA_PRIVATE, device->cap_mask);
	device->dev = dev;
	device->src_addr_widths = BIT(1) | BIT(2) | BIT(4);
	device->dst_addr_widths = BIT(1) | BIT(2) | BIT(4);
	device->directions = BIT(DMA_DEV_TO_MEM) | BIT(DMA_MEM_TO_DEV);
	device->residue_granularity = DMA_RESIDUE_GRANULARITY_BURST;
	device->device_alloc_chan_resources = mock_alloc;
	device->device_free_chan_resources = mock_release;
	device->device_prep_slave_sg = mock_prep_sg;
	device->device_prep_dma_cyclic = mock_prep_cyclic;
	device->device_config = mock_configure;
	device->device_pause = mock_pause;
	device->device_resume = mock_resume;
	device->device_terminate_all = mock_terminate;
	device->device_synchronize = mock_synchronize;
	device->device_tx_status = mock_status;
	device->device_issue_pending = mock_issue;
	mock->map.devname = dev_name(client);
	mock->map.slave = "mock";
	mock->map.param = dev;
	device->filter.map = &mock->map;
	device->filter.mapcnt = 1;
	device->filter.fn = mock_filter;
	INIT_LIST_HEAD(&device->channels);
	mock->chan.device = device;
	mock->chan.cookie = 1;
	mock->chan.completed_cookie = 1;
	list_add_tail(&mock->chan.device_node, &device->channels);
	return dma_async_device_register(device);
}

/* A controller without a driver has no module that could be held. */
static struct platform_driver mock_driver = {
	.driver.name = "ntdma_mock_dma",
};

/* A controller whose channel "mock" @client has. */
struct mock *mock_new(struct device *client, u32 max_burst)
{
	struct platform_device *pdev;
	struct mock *mock;

	mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	if (!mock)
		return NULL;
	if (platform_driver_register(&mock_driver))
		goto free_mock;
	pdev = platform_device_register_simple(mock_driver.driver.name,
					       PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(pdev))
		goto unregister_driver;
	if (dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)))
		goto unregister_pdev;
	mock->bus.dev = &pdev->dev;
	mock->bus.last = U64_MAX;
	mock->device.max_sg_burst = max_burst;
	if (mock_register(mock, &pdev->dev, client))
		goto unregister_pdev;
	return mock;

unregister_pdev:
	platform_device_unregister(pdev);
unregister_driver:
	platform_driver_unregister(&mock_driver);
free_mock:
	kfree(mock);
	return NULL;
}

void mock_free(struct mock *mock)
{
	dma_async_device_unregister(&mock->device);
	platform_device_unregister(to_platform_device(mock->bus.dev));
	platform_driver_unregister(&mock_driver);
	kfree(mock);
}
