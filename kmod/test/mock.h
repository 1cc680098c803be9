/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A DMA controller of one channel behind dmaengine, whose every step the test
 * commands.
 */
#ifndef NTTEST_MOCK_H
#define NTTEST_MOCK_H

#include <linux/dmaengine.h>
#include "bus.h"

#define MOCK_ROOM	(16 * PAGE_SIZE)

/**
 * struct mock - the controller and the device at its other end
 * @device: registered with dmaengine
 * @chan: the channel
 * @bus: moves bytes by the controller's addresses
 * @config: as last set
 * @desc: what is prepared or runs
 * @late: a copy of the callback of what was terminated last
 * @map: says which client has the channel
 * @sgs: pieces of @desc
 * @nents: their number
 * @write: memory to device
 * @length: bytes of @desc
 * @period: of a cyclic one, else 0
 * @moved: bytes moved of @desc
 * @running: issued
 * @paused: by the client
 * @instant: completes within issue_pending
 * @refuse: prep fails
 * @terminated: how often
 * @synchronized: how often
 * @hold: synchronize returns once this is clear
 * @store: what the device has or got
 */
struct mock {
	struct dma_device device;
	struct dma_chan chan;
	struct bus bus;
	struct dma_slave_config config;
	struct dma_async_tx_descriptor desc;
	struct dma_async_tx_descriptor late;
	struct dma_slave_map map;
	struct scatterlist sgs[16];
	unsigned int nents;
	bool write;
	u32 length;
	u32 period;
	u32 moved;
	bool running;
	bool paused;
	bool instant;
	bool refuse;
	int terminated;
	int synchronized;
	bool hold;
	u8 store[MOCK_ROOM];
};

struct mock *mock_new(struct device *client, u32 max_burst);
void mock_free(struct mock *mock);
int mock_move(struct mock *mock, u32 length);
void mock_finish(struct mock *mock, enum dmaengine_tx_result result);
void mock_finish_late(struct mock *mock);

#endif /* NTTEST_MOCK_H */
