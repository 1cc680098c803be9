/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mock DMA controller: a dmaengine provider with a few lines, each with
 * a fake device behind it.
 */
#ifndef NTTEST_DMAC_H
#define NTTEST_DMAC_H

#include <linux/completion.h>
#include <linux/dmaengine.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include "bus.h"
#include "test.h"

#define DMAC_LINES	4
#define DMAC_STREAM	((size_t)(16 * PAGE_SIZE))

/* Where line @n's device has its data register, for the controller. */
#define DMAC_FIFO(n)	(0xfe000000ULL + 0x1000 * (n))

struct dmac;
struct dmac_desc;

/**
 * struct dmac_line - a channel, the device at its other end and its faults
 * @chan: for dmaengine
 * @dmac: whose it is
 * @lock: protects the queues and what counts
 * @pending: submitted descriptors
 * @fired: descriptors that are through, whose callback is still to come
 * @dead: terminated descriptors
 * @active: the descriptor that runs
 * @ghost: a terminated descriptor that runs on until it is synchronized
 * @config: last configuration
 * @paused: stands still
 * @timer: moves @rate bytes each tick
 * @work: moves all on another CPU, for @fast
 * @stream: what the device sent or is about to send, a ring
 * @at: its place in @stream
 * @address: of the data register that the last descriptor used
 * @width: in bytes, of the last descriptor
 * @dir: of the last descriptor
 * @period: of the last descriptor, 0 for no loop
 * @first: where the memory of the last descriptor begins
 * @count: segments of the last descriptor
 *
 * Set by cases:
 * @rate: bytes that it moves by itself each tick, 0 when stepped by hand
 * @fast: is through before device_issue_pending() returns
 * @dry: counts bytes, but moves none
 * @hard: calls back from a hard interrupt; only stepped by hand
 * @hold: completes without its callback until dmac_fire()
 * @runs_on: termination has no effect before it is synchronized
 * @lags: synchronization leaves the callbacks that are due to dmac_fire()
 * @gated: synchronization waits for @gate
 * @gate: opened by the case
 * @stall: device_issue_pending() does not return while it is set
 * @stall_prep: @stall is about the preparation of a list instead
 * @fail_prep: nothing can be prepared
 * @fail_submit: nothing can be submitted
 * @fail_config: no configuration is accepted
 * @fail_pause: it cannot be paused now
 * @fail_alloc: its resources are not to be had
 * @error_at: fails after that many bytes of a descriptor, 0 never
 * @aborts: what fails is reported as aborted
 * @spoils: periods of a loop are reported as errors, and it goes on
 * @limit: most entries of a list, 0 any
 * @only: directions that it has, 0 for both
 * @min_burst: fewest data items of a burst, 0 for 1
 * @max_burst: most of them, 0 for any
 * @residue: how exactly it counts
 * @dawdles: takes its time to count
 * @confides: makes the callbacks that are due when it is asked for its counter
 * @surplus: bytes that it counts too many, also at the end
 *
 * Seen by cases:
 * @starts: descriptors that began
 * @stops: terminations
 * @syncs: synchronizations that ended
 * @pauses: pauses
 * @allocs: how often its resources were allocated
 * @frees: how often they were freed
 * @early: starts between a termination and its synchronization
 * @faults: accesses to memory that nothing maps
 * @fast_met: the callback returned before device_issue_pending() did
 * @stalled: it stands still for @stall
 * @counting: it counts, with @dawdles
 * @torn: how often its resources were freed meanwhile
 */
struct dmac_line {
	struct dma_chan chan;
	struct dmac *dmac;
	spinlock_t lock;	/* see @lock */
	struct list_head pending;
	struct list_head fired;
	struct list_head dead;
	struct dmac_desc *active;
	struct dmac_desc *ghost;
	struct dma_slave_config config;
	bool paused;
	struct timer_list timer;
	struct work_struct work;
	u8 *stream;
	size_t at;
	phys_addr_t address;
	unsigned int width;
	enum dma_transfer_direction dir;
	size_t period;
	dma_addr_t first;
	unsigned int count;

	size_t rate;
	bool fast;
	bool dry;
	bool hard;
	bool hold;
	bool runs_on;
	bool lags;
	bool gated;
	struct completion gate;
	bool stall;
	bool stall_prep;
	bool fail_prep;
	bool fail_submit;
	bool fail_config;
	bool fail_pause;
	bool fail_alloc;
	size_t error_at;
	bool aborts;
	bool spoils;
	u32 limit;
	u32 only;
	u32 min_burst;
	u32 max_burst;
	enum dma_residue_granularity residue;
	size_t surplus;
	bool dawdles;
	bool confides;

	int starts;
	int stops;
	int syncs;
	int pauses;
	int allocs;
	int frees;
	int early;
	int faults;
	bool fast_met;
	bool stalled;
	bool counting;
	int torn;
	bool through;		/* @work did its part */
	bool unsynced;		/* terminated and not yet synchronized */
};

/**
 * struct dmac - the controller
 * @dma: for dmaengine
 * @bus: its way to memory
 * @map: names the lines for one client device
 * @names: of the lines
 * @lines: the channels
 */
struct dmac {
	struct dma_device dma;
	struct bus bus;
	struct dma_slave_map map[DMAC_LINES];
	struct dmac_line lines[DMAC_LINES];
};

extern const char * const dmac_names[DMAC_LINES];

struct dmac *dmac_create(struct device *dev, const char *client);
bool dmac_destroy(struct dmac *dmac);
size_t dmac_step(struct dmac_line *line, size_t n);
void dmac_fire(struct dmac_line *line);
int dmac_is_free(void *line);

#endif /* NTTEST_DMAC_H */
