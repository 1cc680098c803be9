// SPDX-License-Identifier: GPL-2.0
/*
 * Which line of a controller an adapter gets, what the controller must have
 * for it, and what ConfigureAdapterChannel does to it.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include "../glue.h"
#include "../sysdma.h"
#include "hooks.h"
#include "sys.h"

#define V3	DEVICE_DESCRIPTION_VERSION3
#define HINT	77	/* a line that only the glue knows */

/* Finding a line */

/* Whether there is an adapter, which is put at once. */
static bool line_opens(struct sys *s, ULONG line)
{
	DEVICE_DESCRIPTION dd;

	sys_describe(&dd, V3, line);
	return sys_opens(s, &dd);
}

static NTSTATUS hooked(struct dma_chan *chan, u32 function, void *argument)
{
	struct dma_chan **seen = argument;

	if (function != NTDMA_CHANNEL_VENDOR)
		return STATUS_NOT_IMPLEMENTED;
	*seen = chan;
	return STATUS_SUCCESS;
}

/* The line is taken, once, and the hook gets its channel. */
static void expect_hook(struct job *j)
{
	struct nttest *t = j->r->t;
	struct dma_chan *seen = NULL;

	EXPECT_EQ(t, j->line->chan.client_count, 1);
	EXPECT_EQ(t, sys_configure(j->r, NTDMA_CHANNEL_VENDOR, &seen),
		  STATUS_SUCCESS);
	EXPECT(t, seen == &j->line->chan);
}

static void named(struct nttest *t)
{
	struct sys *s = t->priv;
	struct dma_chan *unseen;
	struct job j;

	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, HINT, dmac_names[2],
					  hooked), 0);
	REQUIRE(t, job_init(&j, s, sys_open(s, V3, HINT), 2));
	expect_hook(&j);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_VENDOR + 1, &unseen),
		  STATUS_NOT_IMPLEMENTED);
	device_release_driver(&s->pdev->dev);
	j.r->adapter = NULL;
	EXPECT_EQ(t, device_attach(&s->pdev->dev), 1);
	EXPECT(t, !line_opens(s, HINT));
}

/* A hook without a name: the line is found as if there was none. */
static void hook_only(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, 1, NULL, hooked), 0);
	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, HINT, NULL, hooked), 0);
	REQUIRE(t, job_init(&j, s, sys_open(s, V3, 1), 1));
	expect_hook(&j);
	EXPECT(t, !line_opens(s, HINT));
}

/* Names are for one line of one device. */
static void named_others(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	EXPECT_EQ(t, ntdma_device_channel(t->dev, HINT, dmac_names[1], NULL), 0);
	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, HINT + 1,
					  dmac_names[2], NULL), 0);
	EXPECT(t, !line_opens(s, HINT));
	REQUIRE(t, job_init(&j, s, sys_open(s, V3, HINT + 1), 2));
	EXPECT_EQ(t, j.line->chan.client_count, 1);
	REQUIRE(t, job_init(&j, s, sys_open(s, V3, 3), 3));
	EXPECT_EQ(t, j.line->chan.client_count, 1);
}

/* The glue's name counts before dma-names, and alone. */
static void named_first(struct nttest *t)
{
	struct sys *s = t->priv;

	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, 0, dmac_names[2],
					  NULL), 0);
	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, 1, "nobody", NULL), 0);
	REQUIRE(t, sys_open(s, V3, 0));
	EXPECT_EQ(t, s->dmac->lines[0].chan.client_count, 0);
	EXPECT_EQ(t, s->dmac->lines[2].chan.client_count, 1);
	EXPECT(t, !line_opens(s, 1));
	EXPECT_EQ(t, s->dmac->lines[1].chan.client_count, 0);
}

/*
 * As a driver of a board in an ISA slot would ask: the PC has these channels,
 * too, but the names count first, also those of a channel that is taken.
 */
static void before_isa(struct nttest *t)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;

	sys_describe(&dd, 1, 1);
	dd.InterfaceType = Isa;
	dd.DmaWidth = Width8Bits;
	REQUIRE(t, sys_open_as(s, &dd));
	EXPECT_EQ(t, s->dmac->lines[1].chan.client_count, 1);
	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, 3, dmac_names[1],
					  NULL), 0);
	dd.DmaChannel = 3;
	EXPECT(t, !sys_opens(s, &dd));
	EXPECT_EQ(t, s->dmac->lines[3].chan.client_count, 0);
}

/* The same channel by two of its names is taken once only. */
static void taken(struct nttest *t)
{
	struct sys *s = t->priv;

	EXPECT_EQ(t, ntdma_device_channel(&s->pdev->dev, HINT, dmac_names[0],
					  NULL), 0);
	REQUIRE(t, sys_open(s, V3, 0));
	EXPECT(t, !line_opens(s, HINT));
	REQUIRE(t, sys_open(s, V3, 0));
	EXPECT_EQ(t, s->dmac->lines[0].chan.client_count, 1);
}

/* Line 0 of another device. */
static bool other_opens(struct nttest *t, struct device *dev)
{
	DEVICE_DESCRIPTION dd;

	sys_describe(&dd, V3, 0);
	return sys_opens_on(t, dev, &dd);
}

static void two_devices_open(struct nttest *t, struct device *other)
{
	struct sys *s = t->priv;
	struct dmac_line *line = &s->dmac->lines[0];

	EXPECT_EQ(t, ntdma_device_channel(other, 0, dmac_names[0], NULL), 0);
	REQUIRE(t, sys_open(s, V3, 0));
	EXPECT(t, !other_opens(t, other));
	REQUIRE(t, sys_open(s, V3, 0));
	EXPECT_EQ(t, line->chan.client_count, 1);
	while (s->count)
		rig_close(s->rigs[--s->count]);
	EXPECT(t, rig_wait(dmac_is_free, line));
	EXPECT(t, other_opens(t, other));
	EXPECT(t, rig_wait(dmac_is_free, line));
}

/* dmaengine gives a channel to one device, whose adapters share it. */
static void two_devices(struct nttest *t)
{
	struct sys *s = t->priv;
	struct platform_device *other =
		platform_device_register_simple(s->pdev->name, 1, NULL, 0);
	struct dma_filter *filter = &s->dmac->dma.filter;
	struct dma_slave_map map[2];

	REQUIRE(t, EXPECT(t, !IS_ERR(other)));
	map[0] = s->dmac->map[0];
	map[1] = s->dmac->map[0];
	map[1].devname = dev_name(&other->dev);
	filter->map = map;
	filter->mapcnt = ARRAY_SIZE(map);
	two_devices_open(t, &other->dev);
	filter->map = s->dmac->map;
	filter->mapcnt = DMAC_LINES;
	platform_device_unregister(other);
}

static PDMA_ADAPTER request_adapter(struct sys *s, ULONG line)
{
	PDEVICE_OBJECT object = ntdma_device_create(&s->pdev->dev, 0);
	DEVICE_DESCRIPTION dd;
	PDMA_ADAPTER adapter;
	ULONG n;

	sys_describe(&dd, V3, line);
	adapter = ntdma_request_adapter(THIS_MODULE, object, &dd, &n);
	ntdma_device_destroy(object);
	return adapter;
}

static void deferred(struct nttest *t)
{
	struct sys *s = t->priv;
	PDMA_ADAPTER adapter;

	REQUIRE(t, EXPECT(t, dmac_destroy(s->dmac)));
	EXPECT_EQ(t, PTR_ERR(request_adapter(s, 1)), -EPROBE_DEFER);
	EXPECT_EQ(t, PTR_ERR(request_adapter(s, DMAC_LINES)), -ENODEV);
	EXPECT(t, !line_opens(s, 1));
	s->dmac = dmac_create(t->dev, dev_name(&s->pdev->dev));
	REQUIRE(t, EXPECT(t, !IS_ERR(s->dmac)));
	adapter = request_adapter(s, 1);
	if (EXPECT(t, !IS_ERR(adapter)))
		adapter->DmaOperations->PutDmaAdapter(adapter);
}

/* The controller's driver cannot be unloaded while an adapter uses it. */
static void held(struct nttest *t)
{
	int before = module_refcount(THIS_MODULE);
	struct sys *s = t->priv;
	struct rig *r = sys_open(s, V3, 0);

	REQUIRE(t, r);
	EXPECT_EQ(t, module_refcount(THIS_MODULE), before + 1);
	REQUIRE(t, sys_open(s, 1, 0));
	EXPECT_EQ(t, module_refcount(THIS_MODULE), before + 1);
}

static void each_failure(struct nttest *t)
{
	struct sys *s = t->priv;
	PDEVICE_OBJECT object = ntdma_device_create(&s->pdev->dev, 0);
	DEVICE_DESCRIPTION dd;
	PDMA_ADAPTER adapter;
	ULONG i, n;

	REQUIRE(t, object);
	sys_describe(&dd, V3, 0);
	for (i = 1; i < 64 && !t->failed; i++) {
		ntdma_fail_nth(i);
		adapter = IoGetDmaAdapter(object, &dd, &n);
		if (adapter)
			adapter->DmaOperations->PutDmaAdapter(adapter);
		else
			EXPECT(t, ntdma_fail_hit());
		if (adapter && !ntdma_fail_hit())
			break;
	}
	ntdma_fail_nth(0);
	EXPECT(t, i > 4 && i < 64);
	ntdma_device_destroy(object);
}

/* Versions before 3 have DmaChannel, and version 3 has DmaRequestLine. */
static void which_line(struct nttest *t)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;
	int i;

	sys_describe(&dd, V3, 1);
	dd.DmaChannel = 0;
	REQUIRE(t, sys_open_as(s, &dd));
	sys_describe(&dd, 2, 2);
	dd.DmaRequestLine = 3;
	REQUIRE(t, sys_open_as(s, &dd));
	for (i = 0; i < DMAC_LINES; i++)
		EXPECT_EQ(t, s->dmac->lines[i].chan.client_count,
			  i == 1 || i == 2);
}

/* What the controller lacks */

static bool width_opens(struct sys *s, DMA_WIDTH width)
{
	DEVICE_DESCRIPTION dd;

	sys_describe(&dd, V3, 0);
	dd.DmaWidth = width;
	return sys_opens(s, &dd);
}

/* A controller that nobody can stop. */
static void unstoppable(struct nttest *t)
{
	struct sys *s = t->priv;
	struct dma_device *dma = &s->dmac->dma;
	int (*stop)(struct dma_chan *chan) = dma->device_terminate_all;

	dma->device_terminate_all = NULL;
	EXPECT(t, !width_opens(s, Width8Bits));
	dma->device_terminate_all = stop;
	EXPECT(t, width_opens(s, Width8Bits));
}

/* Widths of both directions, of one direction only, and no statement. */
static void widths(struct nttest *t)
{
	struct sys *s = t->priv;
	struct dma_device *dma = &s->dmac->dma;

	dma->src_addr_widths = BIT(1) | BIT(2);
	EXPECT(t, width_opens(s, Width16Bits));
	EXPECT(t, rig_wait(dmac_is_free, &s->dmac->lines[0]));
	EXPECT(t, !width_opens(s, Width32Bits));
	dma->src_addr_widths = 0;
	EXPECT(t, width_opens(s, Width32Bits));
	EXPECT(t, rig_wait(dmac_is_free, &s->dmac->lines[0]));
	EXPECT(t, !width_opens(s, Width64Bits));
	dma->dst_addr_widths = 0;
	EXPECT(t, width_opens(s, Width64Bits));
}

static void no_loops(struct nttest *t)
{
	struct sys *s = t->priv;
	DEVICE_DESCRIPTION dd;

	s->dmac->dma.device_prep_dma_cyclic = NULL;
	sys_describe(&dd, V3, 0);
	dd.AutoInitialize = TRUE;
	EXPECT(t, !sys_opens(s, &dd));
	dd.AutoInitialize = FALSE;
	EXPECT(t, sys_open_as(s, &dd));
}

/* It can be stopped all the same. */
static void no_pause(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	s->dmac->dma.device_pause = NULL;
	s->dmac->dma.device_resume = NULL;
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PAUSE, NULL),
		  STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_RESUME, NULL),
		  STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, job_cancel(&j), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, 1), 0);
	EXPECT(t, job_completed(&j, DmaCancelled));
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
}

static void no_resume(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	s->dmac->dma.device_resume = NULL;
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PAUSE, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_RESUME, NULL),
		  STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	request_release(j.q);
}

/* ConfigureAdapterChannel */

static void unknown_function(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, sys_configure(j.r, 0, NULL), STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, sys_configure(j.r, 6, NULL), STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, sys_configure(j.r, 0x7fff, NULL), STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, sys_configure(j.r, 0x8000, NULL), STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, sys_configure(j.r, U32_MAX, NULL), STATUS_NOT_IMPLEMENTED);
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void bad_config(struct nttest *t, struct rig *r, ULONG size, ULONG width,
		       ULONG burst, ULONG flow)
{
	struct ntdma_channel_config config = {
		.size = size, .width = width, .burst = burst, .flow = flow,
	};

	EXPECT_EQ(t, sys_configure(r, NTDMA_CHANNEL_CONFIG, &config),
		  STATUS_INVALID_PARAMETER);
}

/* Units are those that the controller was told, not those of DmaWidth. */
static void job_units(struct job *j, ULONG unit)
{
	DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
	struct nttest *t = j->r->t;
	ULONG length = PAGE_SIZE - unit;

	EXPECT_EQ(t, STATUS_SUCCESS,
		  j->r->ops->GetDmaAdapterInfo(j->r->adapter, &info));
	EXPECT_EQ(t, info.V1.MinimumTransferUnit, unit);
	job_load(j, 0, length);
	EXPECT_EQ(t, job_map(j, 0, length + unit / 2, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, j->mapped, length);
	EXPECT_EQ(t, dmac_step(j->line, DMAC_STREAM), length);
	EXPECT(t, job_completed(j, DmaComplete));
	EXPECT_EQ(t, job_flush(j, 0, length), STATUS_SUCCESS);
	job_check(j, 0, length);
}

static void config(struct nttest *t)
{
	struct ntdma_channel_config config = {
		.size = sizeof(config), .width = 2, .burst = 16, .flow = 1,
	};
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	bad_config(t, j.r, sizeof(config) - 1, 2, 1, 0);
	bad_config(t, j.r, sizeof(config), 3, 1, 0);
	bad_config(t, j.r, sizeof(config), 8, 1, 0);
	bad_config(t, j.r, sizeof(config), 33, 1, 0);
	bad_config(t, j.r, sizeof(config), 0x80000000, 1, 0);
	bad_config(t, j.r, sizeof(config), 2, 65536, 0);
	bad_config(t, j.r, sizeof(config), 2, 1, 2);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_CONFIG, NULL),
		  STATUS_INVALID_PARAMETER);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->width, 4);
	EXPECT_EQ(t, j.line->config.dst_maxburst, 1);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_CONFIG, &config),
		  STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->width, 2);
	EXPECT_EQ(t, j.line->config.dst_maxburst, 16);
	EXPECT(t, j.line->config.device_fc);
	job_units(&j, 2);
	config.width = 0;
	config.burst = 0;
	config.flow = 0;
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_CONFIG, &config),
		  STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->width, 4);
	EXPECT_EQ(t, j.line->config.dst_maxburst, 1);
	request_release(j.q);
}

static void pausing(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PAUSE, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_RESUME, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, 100), 100);
	j.line->fail_pause = true;
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PAUSE, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	j.line->fail_pause = false;
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PAUSE, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, 100), 0);
	EXPECT_EQ(t, j.r->ops->ReadDmaCounter(j.r->adapter), PAGE_SIZE - 100);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_RESUME, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE - 100);
	EXPECT(t, job_completed(&j, DmaComplete));
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PAUSE, NULL),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static void burst(struct nttest *t)
{
	ULONG none = 0, many = 65536, burst = 8;
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, &none),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, &many),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, &burst),
		  STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->config.src_maxburst, 8);
	request_release(j.q);
}

/* A transfer is at least as long as the shortest burst. */
static void burst_limits(struct nttest *t)
{
	struct ntdma_channel_config config = {
		.size = sizeof(config), .width = 2,
	};
	static const ULONG bad[] = { 3, 17 }, good[] = { 16, 4 };
	struct sys *s = t->priv;
	struct job j;
	ULONG burst;
	int i;

	s->dmac->lines[0].min_burst = 4;
	s->dmac->lines[0].max_burst = 16;
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_units(&j, 16);
	EXPECT_EQ(t, j.line->config.dst_maxburst, 4);
	for (i = 0; i < 2; i++) {
		burst = bad[i];
		EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, &burst),
			  STATUS_INVALID_PARAMETER);
		bad_config(t, j.r, sizeof(config), 2, burst, 0);
		burst = good[i];
		EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, &burst),
			  STATUS_SUCCESS);
		job_piece(&j, 0, PAGE_SIZE);
		EXPECT_EQ(t, j.line->config.dst_maxburst, burst);
	}
	EXPECT_EQ(t, job_map(&j, 0, 15, 0), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, job_packet_map(&j, 0, 24), 0);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_CONFIG, &config),
		  STATUS_SUCCESS);
	job_units(&j, 8);
	EXPECT_EQ(t, j.line->config.dst_maxburst, 4);
	request_release(j.q);
}

/* A controller for one direction. */
static void one_way(struct nttest *t)
{
	struct sys *s = t->priv;
	struct job j;
	int write;

	for (write = 0; write < 2; write++) {
		struct dmac_line *line = &s->dmac->lines[write];

		line->only = BIT(write ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM);
		REQUIRE(t, job_begin(&j, s, sys_open(s, V3, write), write,
				     PAGE_SIZE, !write));
		EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0),
			  STATUS_INVALID_PARAMETER);
		EXPECT_EQ(t, atomic_read(&j.calls), 0);
		EXPECT_EQ(t, line->starts, 0);
		request_release(j.q);
		REQUIRE(t, job_begin(&j, s, j.r, write, PAGE_SIZE, write));
		job_piece(&j, 0, PAGE_SIZE);
		request_release(j.q);
	}
}

static void blob(struct nttest *t)
{
	u8 data[NTDMA_CHANNEL_BLOB_SIZE + 1] = "same", copy[5] = "same";
	struct ntdma_channel_blob blob = { .data = data, .size = 5 };
	struct ntdma_channel_blob bad = { .size = 5 };
	struct sys *s = t->priv;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, false));
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PERIPHERAL, NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PERIPHERAL, &bad),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PERIPHERAL, &blob),
		  STATUS_SUCCESS);
	memset(data, 'x', sizeof(data));
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->config.peripheral_size, sizeof(copy));
	EXPECT(t, !memcmp(j.line->config.peripheral_config, copy,
			  sizeof(copy)));
	blob.size = sizeof(data);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PERIPHERAL, &blob),
		  STATUS_INVALID_PARAMETER);
	blob.size--;
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PERIPHERAL, &blob),
		  STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->config.peripheral_size, NTDMA_CHANNEL_BLOB_SIZE);
	blob.data = NULL;
	blob.size = 0;
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PERIPHERAL, &blob),
		  STATUS_SUCCESS);
	job_piece(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, j.line->config.peripheral_size, 0);
	EXPECT(t, !j.line->config.peripheral_config);
	request_release(j.q);
}

/*
 * Whoever moved data last has put its adapter, which goes a little later: the
 * debug kernel sees it if anybody still looks there.
 */
static void last_gone(struct nttest *t)
{
	struct sys *s = t->priv;
	struct rig *other = sys_open(s, V3, 0);
	ULONG items = 4;
	struct job j;
	int i;

	REQUIRE(t, other);
	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_piece(&j, 0, PAGE_SIZE);
	request_release(j.q);
	j.r->ops->PutDmaAdapter(j.r->adapter);
	j.r->adapter = NULL;
	for (i = 0; i < 25; i++) {
		EXPECT_EQ(t, other->ops->ReadDmaCounter(other->adapter), 0);
		EXPECT_EQ(t, sys_configure(other, NTDMA_CHANNEL_BURST, &items),
			  STATUS_SUCCESS);
		msleep(20);
	}
}

static void while_running(struct nttest *t)
{
	struct ntdma_channel_config config = { .size = sizeof(config) };
	struct ntdma_channel_blob blob = { };
	struct sys *s = t->priv;
	ULONG burst = 8;
	struct job j;

	REQUIRE(t, job_begin(&j, s, sys_open(s, V3, 0), 0, PAGE_SIZE, true));
	job_load(&j, 0, PAGE_SIZE);
	EXPECT_EQ(t, job_map(&j, 0, PAGE_SIZE, 0), STATUS_SUCCESS);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_CONFIG, &config),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, &burst),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_PERIPHERAL, &blob),
		  STATUS_INVALID_DEVICE_STATE);
	EXPECT_EQ(t, sys_configure(j.r, 6, NULL), STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, dmac_step(j.line, DMAC_STREAM), PAGE_SIZE);
	EXPECT_EQ(t, sys_configure(j.r, NTDMA_CHANNEL_BURST, &burst),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, job_flush(&j, 0, PAGE_SIZE), STATUS_SUCCESS);
	job_check(&j, 0, PAGE_SIZE);
	request_release(j.q);
}

static const struct nttest_case cases[] = {
	{ "S5 a line that the glue names, and its hook", named },
	{ "S5 EC-126 a hook without a name", hook_only },
	{ "S5 names that the glue gives to others", named_others },
	{ "S5 EC-17 the glue's name counts before dma-names", named_first },
	{ "S5 EC-17 names count before the channels of the PC", before_isa },
	{ "S5 S11 DmaChannel before version 3, then DmaRequestLine", which_line },
	{ "EC-17 a line that another name has taken", taken },
	{ "EC-17 S22 a channel that another device has", two_devices },
	{ "EC-17 a controller without a driver yet", deferred },
	{ "S26 the controller's module stays", held },
	{ "EC-17 each failure inside", each_failure },
	{ "EC-17 widths as far as the controller states them", widths },
	{ "S12 a controller that cannot loop", no_loops },
	{ "EC-126 a controller that cannot pause", no_pause },
	{ "EC-126 a controller that cannot resume", no_resume },
	{ "EC-126 unknown function", unknown_function },
	{ "EC-126 width, burst and flow control", config },
	{ "EC-126 pause and resume", pausing },
	{ "EC-126 burst", burst },
	{ "EC-119 bad input: a controller that cannot be stopped", unstoppable },
	{ "EC-126 EC-111 S11 bursts as the controller has them", burst_limits },
	{ "EC-109 a direction that the controller lacks", one_way },
	{ "EC-126 what the controller's driver wants", blob },
	{ "EC-126 while a transfer runs", while_running },
	{ "EC-126 whoever moved data last is gone", last_gone },
	{ }
};

const struct nttest_suite nttest_lines = {
	.name = "lines",
	.init = sys_init,
	.exit = sys_exit,
	.cases = cases,
};
