// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a job on one channel of a controller; see engine.h.
 *
 * Every change of the state is made under engine->lock, which is never held
 * over a call to the controller or to the client. A controller may complete a
 * job from within its start, and a client may flush and start the next from
 * within its completion routine: after such a call only the number of the job
 * tells whether it is still the same.
 *
 * Memory of a job that was stopped stays mapped until the work has seen the
 * controller stop. A flush in between makes the memory visible to the CPU and
 * moves the mapping aside, as registers' zombie; registers that are freed in
 * between keep the channel until then. There is at most one zombie: what is
 * mapped while one exists waits for the work before it starts, so it can be
 * unmapped at once.
 *
 * Locks: engines_lock (mutex) for the list of engines. engine->lock, a leaf.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "engine.h"
#include "regs.h"

static DEFINE_MUTEX(ntdma_engines_lock);
static LIST_HEAD(ntdma_engines);

/**
 * ntdma_engine_tell() - call the client's completion routine
 * @engine: the engine
 * @call: what to call, as the end of a job gave it out; its routine may be
 *	NULL
 * @status: how the job ended
 *
 * Context: <= DISPATCH_LEVEL, no lock held. The routine runs at
 *	DISPATCH_LEVEL (EC-127) and may give back all that @call came from.
 */
void ntdma_engine_tell(struct ntdma_engine *engine,
		       const struct ntdma_call *call,
		       DMA_COMPLETION_STATUS status)
{
	bool off = irqs_disabled();

	if (call->routine) {
		if (!off)
			local_bh_disable();
		call->routine(&call->adapter->wdm, call->device_object,
			      call->client, status);
		if (!off)
			local_bh_enable();
	}
	atomic_dec_return_release(&engine->calls);
}

/**
 * ntdma_engine_settle() - wait for the end of what has begun
 * @engine: with no job of the caller under way
 *
 * Context: PASSIVE_LEVEL. Afterwards no routine of the caller runs and none of
 *	its memory is mapped.
 */
void ntdma_engine_settle(struct ntdma_engine *engine)
{
	flush_work(&engine->work);
	while (atomic_read_acquire(&engine->calls))
		usleep_range(50, 200);
}

/* Ends the job if it can be; true when @call says whom to tell. */
static bool ntdma_engine_claim(struct ntdma_engine *engine,
			       struct ntdma_call *call, bool *stop)
{
	lockdep_assert_held(&engine->lock);
	*stop = engine->state == NTDMA_ENGINE_RUNNING;
	if (!*stop && engine->state != NTDMA_ENGINE_PENDING)
		return false;
	engine->state = NTDMA_ENGINE_DONE;
	*call = engine->call;
	atomic_inc(&engine->calls);
	if (*stop)
		engine->stopping = true;
	return true;
}

/* The first step; the work is the rest. */
static void ntdma_engine_stop(struct ntdma_engine *engine)
{
	engine->ops->stop(engine);
	queue_work(ntdma_wq, &engine->work);
}

/**
 * ntdma_engine_complete() - what a controller reports about a job
 * @engine: the engine
 * @number: of the job
 * @status: DmaComplete, once per period of a cyclic job; DmaError
 *
 * Dropped when the job was ended by somebody else.
 *
 * Context: <= DISPATCH_LEVEL, no lock of the controller held: the client may
 *	start the next job before the return.
 */
void ntdma_engine_complete(struct ntdma_engine *engine, u32 number,
			   DMA_COMPLETION_STATUS status)
{
	struct ntdma_call call;
	unsigned long flags;
	bool alive;

	spin_lock_irqsave(&engine->lock, flags);
	alive = engine->number == number &&
		(engine->state == NTDMA_ENGINE_RUNNING ||
		 engine->state == NTDMA_ENGINE_STARTING);
	if (alive) {
		call = engine->call;
		atomic_inc(&engine->calls);
		if (status != DmaComplete || !engine->job.port->cyclic)
			engine->state = NTDMA_ENGINE_DONE;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (alive)
		ntdma_engine_tell(engine, &call, status);
}

/* Hands a job in state STARTING to the controller. */
static int ntdma_engine_start(struct ntdma_engine *engine)
{
	struct ntdma_job job = engine->job;
	struct ntdma_call call;
	bool told = false, stop = false;
	unsigned long flags;
	int ret;

	ret = engine->ops->start(engine, &job);
	spin_lock_irqsave(&engine->lock, flags);
	if (engine->number == job.number &&
	    engine->state == NTDMA_ENGINE_STARTING) {
		engine->state = ret ? NTDMA_ENGINE_IDLE : NTDMA_ENGINE_RUNNING;
		/* A cancel came while it could not be stopped yet. */
		if (!ret && engine->cancelled)
			told = ntdma_engine_claim(engine, &call, &stop);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (stop)
		ntdma_engine_stop(engine);
	if (told)
		ntdma_engine_tell(engine, &call, DmaCancelled);
	return ret;
}

/**
 * ntdma_engine_run() - start a job
 * @engine: owned by the caller's registers, whose map is flushed
 * @job: mapped; @job->number is not used
 * @call: whom to tell
 *
 * While the job before is being stopped, the new one is only remembered. Its
 * failure to start then reaches the client as DmaError.
 *
 * Context: <= DISPATCH_LEVEL. The completion may be told before the return.
 * Return: STATUS_SUCCESS; STATUS_CANCELLED when a cancel came before;
 *	STATUS_INVALID_DEVICE_STATE while a job runs; STATUS_INVALID_PARAMETER
 *	for a job that the controller cannot do, and
 *	STATUS_INSUFFICIENT_RESOURCES when it cannot now. Without success
 *	nothing is told.
 */
NTSTATUS ntdma_engine_run(struct ntdma_engine *engine,
			  const struct ntdma_job *job,
			  const struct ntdma_call *call)
{
	NTSTATUS status = STATUS_SUCCESS;
	unsigned long flags;
	bool wait = false;
	int ret;

	spin_lock_irqsave(&engine->lock, flags);
	wait = engine->stopping;
	if (engine->cancelled) {
		status = STATUS_CANCELLED;
	} else if (engine->state != NTDMA_ENGINE_IDLE &&
		   engine->state != NTDMA_ENGINE_DONE) {
		status = STATUS_INVALID_DEVICE_STATE;
	} else {
		engine->job = *job;
		engine->job.number = ++engine->number;
		engine->call = *call;
		engine->state = wait ? NTDMA_ENGINE_PENDING :
				       NTDMA_ENGINE_STARTING;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (status || wait)
		return status;
	ret = ntdma_engine_start(engine);
	if (!ret)
		return STATUS_SUCCESS;
	return ret == -EINVAL ? STATUS_INVALID_PARAMETER :
				STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * ntdma_engine_halt() - end a job that has not ended, for a flush or a removal
 * @engine: the engine
 * @call: set when the client has to be told DmaCancelled
 *
 * Forgets that there was a cancel, too.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: whether @call was set, for ntdma_engine_tell().
 */
bool ntdma_engine_halt(struct ntdma_engine *engine, struct ntdma_call *call)
{
	unsigned long flags;
	bool told, stop;

	spin_lock_irqsave(&engine->lock, flags);
	told = ntdma_engine_claim(engine, call, &stop);
	/* Only a client that starts and flushes at once gets there. */
	engine->cancelled = engine->state == NTDMA_ENGINE_STARTING;
	if (!engine->cancelled)
		engine->state = NTDMA_ENGINE_IDLE;
	spin_unlock_irqrestore(&engine->lock, flags);
	if (stop)
		ntdma_engine_stop(engine);
	return told;
}

static bool ntdma_engine_bury(struct ntdma_engine *engine,
			      struct ntdma_regs *regs)
{
	lockdep_assert_held(&engine->lock);
	if (!engine->stopping || engine->zombie ||
	    (!regs->map.count && !regs->map.merged))
		return false;
	engine->zombie = regs;
	return true;
}

/**
 * ntdma_engine_keep() - whether what is mapped must stay mapped for now
 * @engine: with no job under way
 * @regs: registers that are flushed
 *
 * The mapping is moved to @regs->zombie then, and the map is empty.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: true when the work will unmap it.
 */
bool ntdma_engine_keep(struct ntdma_engine *engine, struct ntdma_regs *regs)
{
	struct ntdma_map *map = &regs->map;
	unsigned long flags;
	bool kept;

	spin_lock_irqsave(&engine->lock, flags);
	kept = ntdma_engine_bury(engine, regs);
	if (kept) {
		regs->zombie = *map;
		regs->zombie.slots = 0;
		map->runs = regs->spare;
		regs->spare = regs->zombie.runs;
		map->merged = false;
		map->count = 0;
		map->pages = 0;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return kept;
}

/**
 * ntdma_engine_leave() - leave registers to the work
 * @engine: the engine
 * @regs: registers that are freed, with an empty map
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: true when the work will free them and release the channel.
 */
bool ntdma_engine_leave(struct ntdma_engine *engine, struct ntdma_regs *regs)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	regs->orphan = engine->zombie == regs;
	spin_unlock_irqrestore(&engine->lock, flags);
	return regs->orphan;
}

/**
 * ntdma_engine_reclaim() - take back the slots of a zombie that is gone
 * @engine: the engine
 * @regs: registers that are to be mapped
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_engine_reclaim(struct ntdma_engine *engine, struct ntdma_regs *regs)
{
	unsigned long flags;

	if (!READ_ONCE(regs->zombie.slots))
		return;
	spin_lock_irqsave(&engine->lock, flags);
	if (engine->zombie != regs) {
		regs->map.slots += regs->zombie.slots;
		regs->zombie.slots = 0;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
}

/* The controller has stopped: lets go of what waited for that. */
static void ntdma_engine_work(struct work_struct *work)
{
	struct ntdma_engine *engine = container_of(work, struct ntdma_engine,
						   work);
	struct ntdma_regs *zombie;
	struct ntdma_call call;
	bool next, orphan;

	if (engine->ops->synchronize)
		engine->ops->synchronize(engine);
	/* Whoever flushes now finds the controller stopped or leaves it here. */
	spin_lock_irq(&engine->lock);
	zombie = engine->zombie;
	if (!zombie)
		engine->stopping = false;
	spin_unlock_irq(&engine->lock);
	if (zombie)
		ntdma_map_drop(&zombie->zombie);

	spin_lock_irq(&engine->lock);
	orphan = zombie && zombie->orphan;
	engine->zombie = NULL;
	engine->stopping = false;
	next = engine->state == NTDMA_ENGINE_PENDING;
	if (next)
		engine->state = NTDMA_ENGINE_STARTING;
	call = engine->call;
	if (next)
		atomic_inc(&engine->calls);
	spin_unlock_irq(&engine->lock);
	if (next && !ntdma_engine_start(engine))
		atomic_dec(&engine->calls);
	else if (next)
		ntdma_engine_tell(engine, &call, DmaError);
	if (orphan)
		ntdma_regs_release(zombie);
}

/**
 * ntdma_engine_cancel() - cancel what the owner does or is about to do
 * @engine: the engine
 *
 * Context: <= DISPATCH_LEVEL. A job under way is told DmaCancelled before the
 *	return (EC-120), or, while it is being started, right after that.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER after a job that has ended
 *	(EC-123) and for a second cancel (EC-124).
 */
NTSTATUS ntdma_engine_cancel(struct ntdma_engine *engine)
{
	struct ntdma_call call;
	bool told = false, stop = false, ended;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	ended = engine->cancelled || engine->state == NTDMA_ENGINE_DONE;
	if (!ended) {
		engine->cancelled = true;
		told = ntdma_engine_claim(engine, &call, &stop);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (stop)
		ntdma_engine_stop(engine);
	if (told)
		ntdma_engine_tell(engine, &call, DmaCancelled);
	return ended ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/**
 * ntdma_engine_is_cancelled() - whether a cancel came, and no flush since
 * @engine: the engine
 *
 * Context: any.
 */
bool ntdma_engine_is_cancelled(struct ntdma_engine *engine)
{
	return READ_ONCE(engine->cancelled);
}

/* A snapshot of the state. */
static enum ntdma_engine_state ntdma_engine_look(struct ntdma_engine *engine,
						 u32 *length, bool *cyclic)
{
	enum ntdma_engine_state state;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	state = engine->state;
	*length = engine->job.length;
	*cyclic = engine->job.port && engine->job.port->cyclic;
	spin_unlock_irqrestore(&engine->lock, flags);
	return state;
}

/**
 * ntdma_engine_configure() - ConfigureAdapterChannel of a controller
 * @engine: the engine
 * @function: number
 * @argument: for the function
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: see the controller; STATUS_NOT_IMPLEMENTED when it knows none.
 */
NTSTATUS ntdma_engine_configure(struct ntdma_engine *engine, u32 function,
				void *argument)
{
	enum ntdma_engine_state state;
	bool cyclic;
	u32 length;

	if (!engine->ops->configure)
		return STATUS_NOT_IMPLEMENTED;
	state = ntdma_engine_look(engine, &length, &cyclic);
	return engine->ops->configure(engine, function, argument,
				      state != NTDMA_ENGINE_IDLE &&
				      state != NTDMA_ENGINE_DONE);
}

/**
 * ntdma_engine_residue() - ReadDmaCounter of a controller
 * @engine: the engine
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: bytes left; 0 without a job under way and without a counter, 1 to
 *	the length while a cyclic job runs (EC-92).
 */
u32 ntdma_engine_residue(struct ntdma_engine *engine)
{
	enum ntdma_engine_state state;
	bool cyclic;
	u32 length, left;

	state = ntdma_engine_look(engine, &length, &cyclic);
	if (state == NTDMA_ENGINE_PENDING && engine->counter)
		return length;
	if (state != NTDMA_ENGINE_RUNNING || !engine->counter)
		return 0;
	left = min(engine->ops->residue(engine), length);
	return cyclic && !left ? length : left;
}

static struct ntdma_engine *ntdma_engine_find(const void *key, const char *name)
{
	struct ntdma_engine *engine;

	lockdep_assert_held(&ntdma_engines_lock);
	list_for_each_entry(engine, &ntdma_engines, link)
		if (engine->key == key && !strcmp(engine->name, name))
			return engine;
	return NULL;
}

/**
 * ntdma_engine_get() - find or open a channel
 * @key: the client's device, or whatever the names of channels belong to
 * @name: of the channel
 * @open: allocates an engine by ntdma_alloc() and fills in its first members;
 *	ERR_PTR on failure
 * @data: its argument
 *
 * Context: PASSIVE_LEVEL.
 * Return: the engine, referenced, or what @open failed with.
 */
struct ntdma_engine *ntdma_engine_get(const void *key, const char *name,
				      struct ntdma_engine *(*open)(void *data),
				      void *data)
{
	struct ntdma_engine *engine;

	mutex_lock(&ntdma_engines_lock);
	engine = ntdma_engine_find(key, name);
	if (engine) {
		kref_get(&engine->ref);
		goto unlock;
	}
	engine = open(data);
	if (IS_ERR(engine))
		goto unlock;
	engine->key = key;
	strscpy(engine->name, name, sizeof(engine->name));
	kref_init(&engine->ref);
	spin_lock_init(&engine->lock);
	INIT_WORK(&engine->work, ntdma_engine_work);
	ntdma_channel_init(&engine->channel, 0);
	list_add(&engine->link, &ntdma_engines);
unlock:
	mutex_unlock(&ntdma_engines_lock);
	return engine;
}

static void ntdma_engine_free(struct kref *ref)
{
	struct ntdma_engine *engine = container_of(ref, struct ntdma_engine,
						   ref);

	list_del(&engine->link);
	ntdma_channel_exit(&engine->channel);
	flush_work(&engine->work);
	engine->ops->close(engine);
	ntdma_pool_destroy(engine->pool);
	ntdma_free(engine);
}

/**
 * ntdma_engine_put() - let go of a channel
 * @engine: one that an adapter got; no registers of the adapter are left
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_engine_put(struct ntdma_engine *engine)
{
	mutex_lock(&ntdma_engines_lock);
	kref_put(&engine->ref, ntdma_engine_free);
	mutex_unlock(&ntdma_engines_lock);
}
