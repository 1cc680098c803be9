// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a job on one channel of a controller; see engine.h.
 *
 * Every change of the state is made under engine->lock, but for a flush of
 * what is done. The lock is never held over a call to the client, nor to the
 * controller but for a pause or a resume, which must reach the job that they are
 * meant for. A controller may complete a job from within its start, and a client
 * may flush and start the next from within its completion routine: after such a
 * call only the number of the job tells whether it is still the same.
 *
 * Memory of a job that was stopped stays mapped until somebody has seen the
 * controller stop. A flush in between makes the memory visible to the CPU and
 * moves the mapping aside, as registers' zombie; registers that are freed in
 * between keep the channel until then. There is at most one zombie: what is
 * mapped while one exists waits until it is gone before it starts, so it can
 * be unmapped at once.
 *
 * Locks: engines_lock (mutex) for the list of engines. engine->lock, inside it
 * only what a controller takes to pause; a cancel takes it inside the channel's
 * lock, so that the owner stays the owner.
 */
#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "engine.h"
#include "regs.h"

#define NTDMA_ENGINE_SETTLER	BIT(16)	/* in @calls: one that waits */

static DEFINE_MUTEX(ntdma_engines_lock);
static LIST_HEAD(ntdma_engines);

/**
 * struct ntdma_pass - a completion routine of a cyclic job, while it runs
 * @link: in engine->passes
 * @number: of the job
 * @task: who runs it, or is interrupted by it
 * @ended: the job has ended, and who ended it left it to this to tell
 * @status: how
 * @last: whom to tell
 *
 * Bottom halves are disabled meanwhile: what @task calls comes from the routine.
 */
struct ntdma_pass {
	struct list_head link;
	u32 number;
	struct task_struct *task;
	bool ended;
	DMA_COMPLETION_STATUS status;
	struct ntdma_call last;
};

static void ntdma_engine_stop(struct ntdma_engine *engine);

/* To DISPATCH_LEVEL; true when ntdma_engine_lower() is to undo it. */
static __always_inline bool ntdma_engine_raise(void)
{
	bool raise = !softirq_count() && !irqs_disabled();

	if (raise)
		local_bh_disable();
	return raise;
}

static __always_inline void ntdma_engine_lower(bool raised)
{
	if (raised)
		local_bh_enable();
}

static __always_inline void ntdma_engine_call(const struct ntdma_call *call,
					      DMA_COMPLETION_STATUS status)
{
	bool raised;

	if (!call->routine)
		return;
	raised = ntdma_engine_raise();
	call->routine(&call->adapter->wdm, call->device_object, call->client,
		      status);
	ntdma_engine_lower(raised);
}

/* The engine may be gone once no call is left; its address is enough then. */
static __always_inline void ntdma_engine_called(struct ntdma_engine *engine)
{
	u32 left = atomic_dec_return(&engine->calls);

	if (unlikely(left && !(left % NTDMA_ENGINE_SETTLER)))
		wake_up_var(&engine->calls);
}

static __always_inline void ntdma_engine_say(struct ntdma_engine *engine,
					     struct ntdma_call call,
					     DMA_COMPLETION_STATUS status)
{
	ntdma_engine_call(&call, status);
	ntdma_engine_called(engine);
}

/* Leaves the last call of a job to a pass of it that @task does not run. */
static bool ntdma_engine_defer(struct ntdma_engine *engine,
			       const struct ntdma_call *call,
			       DMA_COMPLETION_STATUS status,
			       const struct task_struct *task)
{
	struct ntdma_pass *pass;

	lockdep_assert_held(&engine->lock);
	list_for_each_entry(pass, &engine->passes, link) {
		if (pass->number != call->number || pass->task == task)
			continue;
		pass->ended = true;
		pass->status = status;
		pass->last = *call;
		return true;
	}
	return false;
}

/**
 * ntdma_engine_tell() - call the client's completion routine for the last time
 * @engine: the engine
 * @call: what to call, as the end of a job gave it out; its routine may be
 *	NULL
 * @status: how the job ended
 *
 * Left to others if the routine of a cyclic job runs elsewhere (S12).
 *
 * Context: <= DISPATCH_LEVEL, no lock held. The routine runs at
 *	DISPATCH_LEVEL (EC-127) and may give back all that @call came from.
 */
void ntdma_engine_tell(struct ntdma_engine *engine,
		       const struct ntdma_call *call,
		       DMA_COMPLETION_STATUS status)
{
	unsigned long flags;
	bool left;

	/* The job has ended, so that no pass of it begins any more. */
	spin_lock_irqsave(&engine->lock, flags);
	left = call->routine &&
	       ntdma_engine_defer(engine, call, status, current);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (!left)
		ntdma_engine_say(engine, *call, status);
}

/* A period of a cyclic job, and its end if that was left to this. */
static noinline void ntdma_engine_pass(struct ntdma_engine *engine,
				       struct ntdma_pass *pass,
				       const struct ntdma_call *call)
{
	unsigned long flags;
	bool last;

	ntdma_engine_call(call, DmaComplete);
	spin_lock_irqsave(&engine->lock, flags);
	list_del(&pass->link);
	last = pass->ended &&
	       !ntdma_engine_defer(engine, &pass->last, pass->status, NULL);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (last)
		ntdma_engine_say(engine, pass->last, pass->status);
	ntdma_engine_called(engine);
}

/* Whether a completion routine runs or is about to. */
static bool ntdma_engine_is_calling(struct ntdma_engine *engine)
{
	return (u32)atomic_read_acquire(&engine->calls) % NTDMA_ENGINE_SETTLER;
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
	wait_var_event(&engine->stopping, !READ_ONCE(engine->stopping));
	flush_work(&engine->work);
	/* A start may outlast the job that it started, if only just. */
	while (atomic_read(&engine->starts) > 1)
		usleep_range(1000, 2000);
	atomic_add(NTDMA_ENGINE_SETTLER, &engine->calls);
	wait_var_event(&engine->calls, !ntdma_engine_is_calling(engine));
	atomic_sub(NTDMA_ENGINE_SETTLER, &engine->calls);
}

/*
 * Once a job is done or idle it is the client's: what is needed of it is copied
 * before. A flush may make a job that is done idle at any time, so that code
 * reads the state once.
 */
static void ntdma_engine_turn(struct ntdma_engine *engine,
			      enum ntdma_engine_state state)
{
	lockdep_assert_held(&engine->lock);
	/* Who finds DONE by ntdma_engine_rest() sees the rest as well. */
	smp_store_release(&engine->state, state);
}

/* Whether to tell the controller to stop now, or the last of the starts will. */
static bool ntdma_engine_owe(struct ntdma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	if (engine->reported)
		return true;
	/* None begins while the engine is stopping. */
	if (atomic_fetch_or(1, &engine->starts) > 1)
		return false;
	atomic_set(&engine->starts, 0);
	return true;
}

/*
 * Ends the job if it has not ended; true when @call says whom to tell. @stop
 * tells whether the controller is to be stopped now.
 */
static bool ntdma_engine_claim(struct ntdma_engine *engine,
			       struct ntdma_call *call, bool *stop)
{
	enum ntdma_engine_state state = READ_ONCE(engine->state);

	lockdep_assert_held(&engine->lock);
	*stop = false;
	if (state == NTDMA_ENGINE_IDLE || state == NTDMA_ENGINE_DONE)
		return false;
	if (state != NTDMA_ENGINE_PENDING) {
		WRITE_ONCE(engine->stopping, true);
		*stop = ntdma_engine_owe(engine);
	}
	*call = engine->job->call;
	atomic_inc(&engine->calls);
	ntdma_engine_turn(engine, NTDMA_ENGINE_DONE);
	return true;
}

/* What is left to do of a report of a cyclic job. */
static noinline void ntdma_engine_looped(struct ntdma_engine *engine,
					 struct ntdma_pass *pass,
					 const struct ntdma_call *call,
					 DMA_COMPLETION_STATUS status)
{
	if (status == DmaComplete) {
		ntdma_engine_pass(engine, pass, call);
		return;
	}
	/* Not every controller ends a loop by itself. */
	ntdma_engine_stop(engine);
	ntdma_engine_tell(engine, call, status);
}

static void ntdma_engine_report(struct ntdma_engine *engine, u32 number,
				DMA_COMPLETION_STATUS status)
{
	struct ntdma_pass pass;
	struct ntdma_call call;
	unsigned long flags;
	bool cyclic;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine->number != number ||
	    READ_ONCE(engine->state) != NTDMA_ENGINE_RUNNING) {
		spin_unlock_irqrestore(&engine->lock, flags);
		return;
	}
	call = engine->job->call;
	cyclic = engine->job->port->cyclic;
	atomic_inc(&engine->calls);
	engine->reported = true;
	if (unlikely(cyclic && status == DmaComplete)) {
		pass = (struct ntdma_pass) {
			.number = number,
			.task = current,
		};
		list_add(&pass.link, &engine->passes);
	} else {
		if (unlikely(cyclic))
			WRITE_ONCE(engine->stopping, true);
		ntdma_engine_turn(engine, NTDMA_ENGINE_DONE);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (unlikely(cyclic))
		ntdma_engine_looped(engine, &pass, &call, status);
	else
		ntdma_engine_say(engine, call, status);
}

/**
 * ntdma_engine_complete() - what a controller reports about a job
 * @engine: the engine
 * @number: of the job
 * @status: DmaComplete, once per period of a cyclic job; DmaError
 *
 * Dropped when the job was ended by somebody else. A cyclic job that fails is
 * stopped.
 *
 * Context: <= DISPATCH_LEVEL, no lock of the controller held: the client may
 *	start the next job before the return.
 */
void ntdma_engine_complete(struct ntdma_engine *engine, u32 number,
			   DMA_COMPLETION_STATUS status)
{
	/* Before the job is looked at, see struct ntdma_pass. */
	bool raised = ntdma_engine_raise();

	ntdma_engine_report(engine, number, status);
	ntdma_engine_lower(raised);
}

/* The job is about to be started. */
static void ntdma_engine_begin(struct ntdma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	ntdma_engine_turn(engine, NTDMA_ENGINE_RUNNING);
	engine->reported = false;
	atomic_add(2, &engine->starts);
}

/* A start has returned: does what somebody left to it. */
static void ntdma_engine_begun(struct ntdma_engine *engine)
{
	if (likely(atomic_sub_return(2, &engine->starts) != 1))
		return;
	atomic_set(&engine->starts, 0);
	ntdma_engine_stop(engine);
}

/*
 * A start has failed; of a @late one the client is told. What somebody else
 * has ended meanwhile has not failed.
 */
static noinline int ntdma_engine_failed(struct ntdma_engine *engine,
					u32 number, bool late, int ret)
{
	struct ntdma_call call;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine->number != number ||
	    READ_ONCE(engine->state) != NTDMA_ENGINE_RUNNING)
		ret = 0;
	late = late && ret;
	if (late) {
		call = engine->job->call;
		atomic_inc(&engine->calls);
	}
	if (ret)
		ntdma_engine_turn(engine, late ? NTDMA_ENGINE_DONE :
						 NTDMA_ENGINE_IDLE);
	spin_unlock_irqrestore(&engine->lock, flags);
	ntdma_engine_begun(engine);
	if (late)
		ntdma_engine_tell(engine, &call, DmaError);
	return ret;
}

/* Hands a job that has begun to the controller. */
static __always_inline int ntdma_engine_start(struct ntdma_engine *engine,
					      const struct ntdma_job *job,
					      u32 number, bool late)
{
	int ret = engine->ops->start(engine, job);

	if (unlikely(ret))
		return ntdma_engine_failed(engine, number, late, ret);
	ntdma_engine_begun(engine);
	return 0;
}

/* Why no job can be started now, if so. */
static NTSTATUS ntdma_engine_admit(const struct ntdma_engine *engine)
{
	enum ntdma_engine_state state = READ_ONCE(engine->state);

	lockdep_assert_held(&engine->lock);
	if (engine->cancelled)
		return STATUS_CANCELLED;
	if (state != NTDMA_ENGINE_IDLE && state != NTDMA_ENGINE_DONE)
		return STATUS_INVALID_DEVICE_STATE;
	return STATUS_SUCCESS;
}

/**
 * ntdma_engine_run() - start a job
 * @engine: owned by the caller's registers, whose map is flushed
 * @job: mapped; its number is set
 *
 * While the job before is being stopped, the new one is only remembered. Its
 * failure to start then reaches the client as DmaError.
 *
 * Context: <= DISPATCH_LEVEL. The completion may be told before the return.
 * Return: STATUS_SUCCESS; STATUS_CANCELLED when a cancel came before;
 *	STATUS_INVALID_DEVICE_STATE while a job runs; STATUS_INVALID_PARAMETER
 *	for a job that the controller cannot do, and for a routine that it
 *	would never call; STATUS_INSUFFICIENT_RESOURCES when it cannot now.
 *	Without success nothing is told.
 */
NTSTATUS ntdma_engine_run(struct ntdma_engine *engine, struct ntdma_job *job)
{
	unsigned long flags;
	NTSTATUS status;
	u32 number;
	bool wait;
	int ret;

	if (engine->silent && job->call.routine)
		return STATUS_INVALID_PARAMETER;
	spin_lock_irqsave(&engine->lock, flags);
	wait = engine->stopping;
	number = engine->number + 1;
	status = ntdma_engine_admit(engine);
	if (!status) {
		job->call.number = number;
		engine->number = number;
		engine->job = job;
		if (wait)
			ntdma_engine_turn(engine, NTDMA_ENGINE_PENDING);
		else
			ntdma_engine_begin(engine);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (status || wait)
		return status;
	ret = ntdma_engine_start(engine, job, number, false);
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
	WRITE_ONCE(engine->cancelled, false);
	ntdma_engine_turn(engine, NTDMA_ENGINE_IDLE);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (stop)
		ntdma_engine_stop(engine);
	return told;
}

/* Moves the mapping, and the slots that it may need, aside. */
static void ntdma_engine_bury(struct ntdma_engine *engine,
			      struct ntdma_regs *regs)
{
	struct ntdma_map *map = &regs->map;

	lockdep_assert_held(&engine->lock);
	engine->zombie = regs;
	regs->zombie = *map;
	map->sgs = regs->spare;
	map->runs = regs->spare;
	regs->spare = regs->zombie.sgs;
	regs->job = &regs->jobs[regs->job == regs->jobs];
	map->merged = 0;
	map->count = 0;
	map->pages = 0;
	map->slots = 0;
	map->area = NTDMA_NO_SLOT;
}

/*
 * Takes the slots of a zombie that is no more back. The map is empty, or moved
 * aside next: nobody counts there what it uses.
 */
static void ntdma_engine_unbury(struct ntdma_engine *engine,
				struct ntdma_regs *regs)
{
	lockdep_assert_held(&engine->lock);
	if (regs->map.slots == regs->request.slots)
		return;
	regs->map.slots = regs->request.slots;
	regs->map.area = regs->zombie.area;
}

/**
 * ntdma_engine_keep() - whether what is mapped must stay mapped for now
 * @engine: halted
 * @regs: registers that are flushed
 *
 * The mapping is moved to @regs->zombie then, and the map is empty. It may be
 * unmapped before the return.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: true when whoever sees the controller stop will unmap it.
 */
bool ntdma_engine_keep(struct ntdma_engine *engine, struct ntdma_regs *regs)
{
	unsigned long flags;
	bool kept;

	spin_lock_irqsave(&engine->lock, flags);
	kept = engine->stopping && !engine->zombie &&
	       !ntdma_map_empty(&regs->map);
	if (kept) {
		/* Or the zombie before would be forgotten with its slots. */
		ntdma_engine_unbury(engine, regs);
		ntdma_engine_bury(engine, regs);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return kept;
}

/**
 * ntdma_engine_leave() - leave registers until the controller has stopped
 * @engine: halted
 * @regs: registers that are freed, with an empty map
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: true when whoever sees it stop will free them and release the
 *	channel.
 */
bool ntdma_engine_leave(struct ntdma_engine *engine, struct ntdma_regs *regs)
{
	unsigned long flags;
	bool left;

	spin_lock_irqsave(&engine->lock, flags);
	left = engine->stopping;
	if (left) {
		engine->zombie = regs;
		regs->orphan = true;
	} else {
		ntdma_engine_unbury(engine, regs);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return left;
}

/**
 * ntdma_engine_refill() - slots for registers that have none
 * @engine: the engine
 * @regs: registers with an empty map
 *
 * While a zombie has the slots, the map gets others if the pool has any. The
 * zombie's then go back to the pool with it.
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_engine_refill(struct ntdma_engine *engine, struct ntdma_regs *regs)
{
	struct ntdma_adapter *adapter = regs->map.adapter;
	u32 slots = regs->request.slots, area = NTDMA_NO_SLOT;
	unsigned long flags;
	bool extra;

	extra = ntdma_channel_extra(adapter, slots, &area);
	spin_lock_irqsave(&engine->lock, flags);
	if (engine->zombie != regs) {
		ntdma_engine_unbury(engine, regs);
	} else if (extra) {
		regs->map.slots = slots;
		regs->map.area = area;
		regs->replaced = true;
		extra = false;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (extra)
		ntdma_channel_release(adapter, NULL, area, slots);
}

/**
 * struct ntdma_remains - what is left of a zombie that is unmapped
 * @adapter: its adapter, referenced, when slots are to be given back
 * @area: where the slots are
 * @slots: their number
 * @orphan: the registers, when their client has freed them
 */
struct ntdma_remains {
	struct ntdma_adapter *adapter;
	u32 area;
	u32 slots;
	struct ntdma_regs *orphan;
};

/* The registers may be gone afterwards, unless they are an orphan. */
static void ntdma_engine_exhume(struct ntdma_engine *engine,
				struct ntdma_remains *remains)
{
	struct ntdma_regs *regs = engine->zombie;

	lockdep_assert_held(&engine->lock);
	if (regs->replaced) {
		regs->replaced = false;
		remains->adapter = regs->map.adapter;
		remains->area = regs->zombie.area;
		remains->slots = regs->request.slots;
		percpu_ref_get(&remains->adapter->ref);
	}
	if (regs->orphan) {
		ntdma_engine_unbury(engine, regs);
		remains->orphan = regs;
	}
	engine->zombie = NULL;
}

static void ntdma_engine_release(const struct ntdma_remains *remains)
{
	struct ntdma_adapter *adapter = remains->adapter;

	if (adapter) {
		ntdma_channel_release(adapter, NULL, remains->area,
				      remains->slots);
		percpu_ref_put(&adapter->ref);
	}
	if (remains->orphan)
		ntdma_regs_release(remains->orphan);
}

/* The controller has stopped: lets go of what waited for that. */
static void ntdma_engine_stopped(struct ntdma_engine *engine)
{
	struct ntdma_remains remains = { };
	struct ntdma_regs *zombie;
	struct ntdma_job *job;
	unsigned long flags;
	u32 number;
	bool next;

	/* Whoever flushes before @stopping is clear leaves its memory here. */
	spin_lock_irqsave(&engine->lock, flags);
	zombie = engine->zombie;
	if (zombie) {
		spin_unlock_irqrestore(&engine->lock, flags);
		ntdma_map_drop(&zombie->zombie);
		spin_lock_irqsave(&engine->lock, flags);
		ntdma_engine_exhume(engine, &remains);
	}
	next = READ_ONCE(engine->state) == NTDMA_ENGINE_PENDING;
	if (next)
		ntdma_engine_begin(engine);
	job = engine->job;
	number = engine->number;
	WRITE_ONCE(engine->stopping, false);
	spin_unlock_irqrestore(&engine->lock, flags);
	/* As after any store: who waits for it must not be missed. */
	smp_mb();
	wake_up_var(&engine->stopping);
	if (next)
		ntdma_engine_start(engine, job, number, true);
	ntdma_engine_release(&remains);
}

static void ntdma_engine_work(struct work_struct *work)
{
	struct ntdma_engine *engine = container_of(work, struct ntdma_engine,
						   work);

	engine->ops->synchronize(engine);
	ntdma_engine_stopped(engine);
}

/* The first step, and the rest or its arrangement. */
static void ntdma_engine_stop(struct ntdma_engine *engine)
{
	engine->ops->stop(engine);
	if (engine->ops->synchronize)
		queue_work(ntdma_stop_wq, &engine->work);
	else
		ntdma_engine_stopped(engine);
}

/* Whether a cancel by the owner has anything to cancel, or to come before. */
static bool ntdma_engine_cancellable(const struct ntdma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return !engine->cancelled &&
	       READ_ONCE(engine->state) != NTDMA_ENGINE_DONE;
}

/**
 * ntdma_engine_cancel() - cancel what the owner does or is about to do
 * @adapter: of system DMA
 * @context: whose request owns the channel
 *
 * An owner that is being freed loses its context before the engine is halted.
 * So what is cancelled here is that owner's, or the halt forgets it.
 *
 * Context: <= DISPATCH_LEVEL. A job under way is told DmaCancelled (EC-120)
 *	before the return, unless ntdma_engine_tell() leaves it to others.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for a context that does not
 *	own the channel, after a job that has ended (EC-123) and for a second
 *	cancel (EC-124).
 */
NTSTATUS ntdma_engine_cancel(struct ntdma_adapter *adapter,
			     const struct ntdma_context *context)
{
	struct ntdma_engine *engine = adapter->engine;
	bool told = false, stop = false, ok;
	struct ntdma_call call;
	unsigned long flags;

	spin_lock_irqsave(&engine->channel.lock, flags);
	spin_lock(&engine->lock);
	ok = ntdma_channel_owned(adapter, context) &&
	     ntdma_engine_cancellable(engine);
	if (ok) {
		WRITE_ONCE(engine->cancelled, true);
		told = ntdma_engine_claim(engine, &call, &stop);
	}
	spin_unlock(&engine->lock);
	spin_unlock_irqrestore(&engine->channel.lock, flags);
	if (stop)
		ntdma_engine_stop(engine);
	if (told)
		ntdma_engine_tell(engine, &call, DmaCancelled);
	return ok ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/*
 * The length of the job that is under way, 0 unless there is one of the port. Of
 * a job that is over the adapter may be gone.
 */
static u32 ntdma_engine_underway(const struct ntdma_engine *engine,
				 const struct ntdma_port *port)
{
	enum ntdma_engine_state state = READ_ONCE(engine->state);

	lockdep_assert_held(&engine->lock);
	if (state != NTDMA_ENGINE_PENDING && state != NTDMA_ENGINE_RUNNING)
		return 0;
	return engine->job->port == port ? engine->job->length : 0;
}

/*
 * Whether the controller has the job. What was reported runs, even if its start
 * has not returned. What was not looks pending while any start has not, be it
 * that of a job before.
 */
static bool ntdma_engine_started(const struct ntdma_engine *engine)
{
	lockdep_assert_held(&engine->lock);
	return READ_ONCE(engine->state) == NTDMA_ENGINE_RUNNING &&
	       (engine->reported || !atomic_read(&engine->starts));
}

static u32 ntdma_engine_look(struct ntdma_engine *engine,
			     const struct ntdma_port *port, bool *started)
{
	unsigned long flags;
	u32 length;

	spin_lock_irqsave(&engine->lock, flags);
	length = ntdma_engine_underway(engine, port);
	*started = ntdma_engine_started(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	return length;
}

/* The job does not end, nor the next begin, before the controller knows. */
static NTSTATUS ntdma_engine_hold(struct ntdma_engine *engine,
				  const struct ntdma_port *port, bool resume)
{
	unsigned long flags;
	NTSTATUS status;
	bool running, raised;

	/* On PREEMPT_RT, too, no callback may run on top of this. */
	raised = ntdma_engine_raise();
	spin_lock_irqsave(&engine->lock, flags);
	running = ntdma_engine_underway(engine, port) &&
		  ntdma_engine_started(engine);
	status = engine->ops->hold(engine, running, resume);
	spin_unlock_irqrestore(&engine->lock, flags);
	ntdma_engine_lower(raised);
	return status;
}

/**
 * ntdma_port_renew() - have the controller told of a port at its next job
 * @port: new, or with other settings
 *
 * Context: any.
 */
void ntdma_port_renew(struct ntdma_port *port)
{
	static atomic_t stamps = ATOMIC_INIT(1);

	/* Odd; and who sees it sees what was set before. */
	smp_store_release(&port->stamp, atomic_add_return(2, &stamps));
}

/**
 * ntdma_port_width() - set the width of the data register
 * @port: with no job under way
 * @engine: which has that width
 * @width: in bytes
 *
 * A transfer is never shorter than the shortest burst.
 *
 * Context: any.
 */
void ntdma_port_width(struct ntdma_port *port,
		      const struct ntdma_engine *engine, u8 width)
{
	port->unit = width;
	port->quantum = width * roundup_pow_of_two(max(engine->burst, 1U));
}

/**
 * ntdma_engine_configure() - ConfigureAdapterChannel of a controller
 * @engine: the engine
 * @port: the client's side; other ports of @engine stay as they are
 * @function: number
 * @argument: for the function
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: see the controller; STATUS_NOT_IMPLEMENTED when it knows none.
 */
NTSTATUS ntdma_engine_configure(struct ntdma_engine *engine,
				struct ntdma_port *port, u32 function,
				void *argument)
{
	bool running, started;

	if (!engine->ops->configure)
		return STATUS_NOT_IMPLEMENTED;
	if (function == NTDMA_CHANNEL_PAUSE || function == NTDMA_CHANNEL_RESUME)
		return ntdma_engine_hold(engine, port,
					 function == NTDMA_CHANNEL_RESUME);
	running = ntdma_engine_look(engine, port, &started);
	return engine->ops->configure(engine, port, function, argument,
				      running);
}

/**
 * ntdma_engine_residue() - ReadDmaCounter of a controller
 * @engine: the engine
 * @port: the client's side
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: bytes left; 0 without a job of @port under way, without a counter
 *	and where the client said that it is wrong, 1 to the length while a
 *	cyclic job runs (EC-92).
 */
u32 ntdma_engine_residue(struct ntdma_engine *engine,
			 const struct ntdma_port *port)
{
	bool started, raised;
	u32 length, left;

	if (!engine->counter || port->blind)
		return 0;
	length = ntdma_engine_look(engine, port, &started);
	if (!length || !started)
		return length;
	raised = ntdma_engine_raise();
	left = min(engine->ops->residue(engine), length);
	ntdma_engine_lower(raised);
	return port->cyclic && !left ? length : left;
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
	INIT_LIST_HEAD(&engine->passes);
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
