/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Controllers: what the adapters of system DMA know about them.
 *
 * Model: an engine is one channel of a DMA controller. The adapters that name
 * the same channel share it, with its queue of requests and its pool. It does
 * one job at a time. A controller is a set of routines behind struct
 * ntdma_engine_ops; engine.c has the life of a job and knows no controller.
 *
 * A job is idle, pending, running or done:
 *   pending   waits for the controller to stop the job before
 *   running   was handed to the controller, or is just being
 *   done      completed, failed or stopped; its memory is still mapped
 * Each start gets a new number, and what a controller reports with an old one
 * is dropped. Whoever makes a job done calls the client: the controller, a
 * cancel or a flush. A removal calls nobody. While a routine of a cyclic job
 * runs elsewhere the last call is left to whoever runs that, because the client
 * may free what its routine looks at in the last call, and nobody may wait: two
 * routines could end each other's jobs.
 *
 * Stopping takes three steps: the controller is told to stop, which works
 * anywhere; a work item waits until it has; then memory is unmapped and the
 * channel goes on to the next. A controller that has stopped when it was told
 * to needs no work. A job that is being started is not stopped before the
 * start has returned, unless the controller has reported it.
 */
#ifndef NTDMA_ENGINE_H
#define NTDMA_ENGINE_H

#include "ntdma.h"
#include "sysdma.h"

struct ntdma_engine;
struct ntdma_regs;

/**
 * struct ntdma_port - the client's side of a channel
 * @addr: DeviceAddress
 * @width: of the data register in bytes, 1 to 8
 * @demand: DemandMode
 * @cyclic: AutoInitialize
 * @blind: IgnoreCount
 * @stamp: another one for each port and each change of what follows; never 0
 * @unit: bytes of the data register that the controller is told, @width if the
 *	client says nothing else
 * @quantum: transfers are multiples of this many bytes, a power of two
 * @burst: data items of one burst
 * @flow: the device ends a transfer
 * @blob: what the controller's driver wants to know
 * @blob_size: of that, in bytes
 *
 * Belongs to an adapter, so that adapters of one channel may differ. What
 * follows @stamp is the client's to change while no job of the port is under
 * way.
 */
struct ntdma_port {
	phys_addr_t addr;
	u8 width;
	bool demand;
	bool cyclic;
	bool blind;
	unsigned int stamp;
	u8 unit;
	u32 quantum;
	u16 burst;
	bool flow;
	u16 blob_size;
	u8 blob[NTDMA_CHANNEL_BLOB_SIZE] __aligned(8);
};

/**
 * struct ntdma_call - whom to tell about the end of a job
 * @routine: the client's completion routine, or NULL
 * @adapter: its first argument
 * @device_object: of the request that owns the channel
 * @client: the client's argument
 * @number: of the job; hand it to ntdma_engine_complete()
 */
struct ntdma_call {
	PDMA_COMPLETION_ROUTINE routine;
	struct ntdma_adapter *adapter;
	PDEVICE_OBJECT device_object;
	void *client;
	u32 number;
};

/**
 * struct ntdma_job - a transfer
 * @port: of the adapter, alive as long as the job
 * @addr: @port's address and the DeviceOffset of this transfer
 * @dir: DMA_TO_DEVICE or DMA_FROM_DEVICE
 * @sgs: mapped memory, an array, read with sg_dma_address() and sg_dma_len()
 *	only
 * @nents: entries in @sgs, at least 1; exactly 1 when cyclic
 * @length: their sum in bytes
 * @period: bytes between two completions of a cyclic job
 * @call: whom to tell
 *
 * Lies in the registers and is alive, with @sgs, until ops->start has returned
 * or the job was reported, whichever is first.
 */
struct ntdma_job {
	struct ntdma_port *port;
	phys_addr_t addr;
	enum dma_data_direction dir;
	struct scatterlist *sgs;
	u32 nents;
	u32 length;
	u32 period;
	struct ntdma_call call;
};

/**
 * struct ntdma_engine_ops - a kind of controller
 * @name: for messages
 * @start: program and start @job. Any context up to DISPATCH_LEVEL, no lock
 *	held; must not sleep. May call ntdma_engine_complete() before it
 *	returns. 0, -EINVAL when the controller cannot do such a job, another
 *	error when it cannot now.
 * @stop: stop whatever runs, as far as that works without sleeping. Same
 *	context. What completes afterwards is dropped.
 * @synchronize: returns when the controller touches no memory and runs no
 *	callback of the job that @stop stopped. May sleep. NULL when that is
 *	so once @stop has returned.
 * @residue: bytes left of the job that runs, of the present pass when it is
 *	cyclic; any context up to DISPATCH_LEVEL. NULL without a counter.
 * @configure: ConfigureAdapterChannel but for pause and resume; up to
 *	DISPATCH_LEVEL. @running tells whether a job of @port is under way.
 *	Returns an NTSTATUS. May be NULL.
 * @hold: pause, or resume, the job if @running; else it only tells whether the
 *	controller could. Called with engine->lock held: no sleeping, no waiting
 *	for a callback, nothing is completed before the return. Returns an
 *	NTSTATUS. NULL without @configure.
 * @close: give the channel back; may sleep. No job, and none to come.
 */
struct ntdma_engine_ops {
	const char *name;
	int (*start)(struct ntdma_engine *engine, const struct ntdma_job *job);
	void (*stop)(struct ntdma_engine *engine);
	void (*synchronize)(struct ntdma_engine *engine);
	u32 (*residue)(struct ntdma_engine *engine);
	int (*configure)(struct ntdma_engine *engine, struct ntdma_port *port,
			 u32 function, void *argument, bool running);
	int (*hold)(struct ntdma_engine *engine, bool running, bool resume);
	void (*close)(struct ntdma_engine *engine);
};

enum ntdma_engine_state {
	NTDMA_ENGINE_IDLE,
	NTDMA_ENGINE_PENDING,
	NTDMA_ENGINE_RUNNING,
	NTDMA_ENGINE_DONE,
};

/**
 * struct ntdma_engine - one channel of a controller
 * @ops: the controller
 * @dev: whose addresses the controller uses; its limits are only read
 * @sg: takes several pieces of memory in one job
 * @cyclic: can repeat a job by itself
 * @counter: @ops->residue is worth asking
 * @silent: never reports the end of a job
 * @unit: every piece is a multiple of this many bytes, 0 for any
 * @sg_limit: most pieces of a job, 0 for any number
 * @max_seg: longest piece, 0 for what @dev says
 * @boundary: address mask that a piece does not cross, 0 for what @dev says
 * @widths: bit n set for a data register of n bytes
 * @burst: fewest data items of a transfer, 0 for 1
 *
 * The members above are set by whoever opens the engine, the rest by engine.c.
 *
 * @link: in the list of engines
 * @key: with @name, what tells engines apart
 * @name: with @key
 * @ref: one per adapter
 * @channel: ownership and queue
 * @pool: bounce pages, made by the first adapter
 * @lock: protects all below, but for @starts and @calls; inside it no lock but
 *	those of @ops->hold
 * @state: of the job; a flush makes it idle from done without the lock
 * @number: of the job
 * @job: the job, to be looked at while it is pending or running
 * @starts: calls of @ops->start that have not returned, by twos, and one if
 *	the last of them is to tell the controller to stop
 * @reported: the controller has reported the job
 * @cancelled: CancelMappedTransfer came, and no flush since
 * @stopping: the controller is to stop, and nobody has seen it stop
 * @calls: completion routines that run or are about to, and who waits for
 *	their end, by NTDMA_ENGINE_SETTLER
 * @passes: struct ntdma_pass, the routines of cyclic jobs among @calls
 * @zombie: registers whose memory the controller may still touch
 * @work: the end of stopping
 */
struct ntdma_engine {
	const struct ntdma_engine_ops *ops;
	struct device *dev;
	bool sg;
	bool cyclic;
	bool counter;
	bool silent;
	u32 unit;
	u32 sg_limit;
	u32 max_seg;
	u64 boundary;
	u32 widths;
	u32 burst;

	struct list_head link;
	const void *key;
	char name[32];
	struct kref ref;
	struct ntdma_channel channel;
	struct ntdma_pool *pool;
	spinlock_t lock;		/* see @lock */
	enum ntdma_engine_state state;
	u32 number;
	struct ntdma_job *job;
	atomic_t starts;
	bool reported;
	bool cancelled;
	bool stopping;
	atomic_t calls;
	struct list_head passes;
	struct ntdma_regs *zombie;
	struct work_struct work;
};

struct ntdma_engine *ntdma_engine_get(const void *key, const char *name,
				      struct ntdma_engine *(*open)(void *data),
				      void *data);
void ntdma_engine_put(struct ntdma_engine *engine);

void ntdma_engine_complete(struct ntdma_engine *engine, u32 number,
			   DMA_COMPLETION_STATUS status);

NTSTATUS ntdma_engine_run(struct ntdma_engine *engine, struct ntdma_job *job);
bool ntdma_engine_halt(struct ntdma_engine *engine, struct ntdma_call *call);
void ntdma_engine_tell(struct ntdma_engine *engine,
		       const struct ntdma_call *call,
		       DMA_COMPLETION_STATUS status);
void ntdma_engine_settle(struct ntdma_engine *engine);
bool ntdma_engine_keep(struct ntdma_engine *engine, struct ntdma_regs *regs);
bool ntdma_engine_leave(struct ntdma_engine *engine, struct ntdma_regs *regs);
void ntdma_engine_refill(struct ntdma_engine *engine, struct ntdma_regs *regs);
NTSTATUS ntdma_engine_cancel(struct ntdma_adapter *adapter,
			     const struct ntdma_context *context);
void ntdma_port_renew(struct ntdma_port *port);
void ntdma_port_width(struct ntdma_port *port,
		      const struct ntdma_engine *engine, u8 width);
NTSTATUS ntdma_engine_configure(struct ntdma_engine *engine,
				struct ntdma_port *port, u32 function,
				void *argument);
u32 ntdma_engine_residue(struct ntdma_engine *engine,
			 const struct ntdma_port *port);

/* Asked in each transfer, hence inline. */

/**
 * ntdma_engine_is_cancelled() - whether a cancel came, and no flush since
 * @engine: the engine
 *
 * Context: any.
 */
static inline bool ntdma_engine_is_cancelled(struct ntdma_engine *engine)
{
	return READ_ONCE(engine->cancelled);
}

/**
 * ntdma_engine_is_stopping() - whether the controller may still touch memory
 * @engine: halted, or at rest
 *
 * Context: any.
 */
static inline bool ntdma_engine_is_stopping(struct ntdma_engine *engine)
{
	return READ_ONCE(engine->stopping);
}

/**
 * ntdma_engine_rest() - ntdma_engine_halt() where there is nothing to end
 * @engine: the engine
 *
 * While a job is done no cancel leaves anything behind, so that none is
 * forgotten here.
 *
 * Context: any.
 * Return: false when it is to be halted.
 */
static inline bool ntdma_engine_rest(struct ntdma_engine *engine)
{
	/* As ntdma_engine_turn() left it: with the @cancelled of that time. */
	return smp_load_acquire(&engine->state) == NTDMA_ENGINE_DONE &&
	       !READ_ONCE(engine->cancelled) &&
	       cmpxchg(&engine->state, NTDMA_ENGINE_DONE,
		       NTDMA_ENGINE_IDLE) == NTDMA_ENGINE_DONE;
}

/**
 * struct ntdma_subordinate - the channel that a description names
 * @dev: the client's device
 * @description: valid, not for a bus master
 * @version: of it, 1 to 3
 */
struct ntdma_subordinate {
	struct device *dev;
	const DEVICE_DESCRIPTION *description;
	u8 version;
};

/* sysdma.c: ERR_PTR for a channel that is not there, or not yet */
struct ntdma_engine *ntdma_sysdma_get(const struct ntdma_subordinate *want);

#endif /* NTDMA_ENGINE_H */
