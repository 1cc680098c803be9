// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: who may use an adapter, and who waits.
 *
 * Model: a request wants slots of the adapter's pool, the channel itself, or
 * neither. What fits is granted at once in the caller's context, the rest
 * waits in one queue and is granted strictly in order by whoever frees what
 * the head waits for. An adapter without a pool has nothing to run out of, so
 * there only ownership of the channel makes anybody wait.
 *
 * A request for the channel owns it until it is released. So does one for a
 * list without a routine. One for a list with a routine only waits until
 * nobody owns the channel: those do not exclude each other.
 *
 * The adapters of system DMA that name one channel of a controller share the
 * queue, so that the channel serves them in order; a bus master has its own.
 *
 * Granting means calling request->start with bottom halves disabled and no
 * lock held. It is done
 *  - by the caller of submit, when everything fits;
 *  - by the caller of release, one drainer at a time, so that releases from
 *    within a grant only return what they free and the stack stays flat;
 *  - by the work, when interrupts are off, when the stack is deep, or when
 *    the drainer has had its share.
 *
 * Cancelling: a context is QUEUED exactly while its request is in the queue
 * and may be cancelled; both change together under the lock. So a cancel
 * either finds the request and removes it, or somebody else has taken it to
 * grant it. A cancel that comes then leaves its mark, CERTAIN: who was told
 * that the routine will run is right even if the request has to wait once
 * more, as it waits PROMISED, where no cancel finds it.
 *
 * A request that could not be mapped returns to the head and keeps its place;
 * it is tried again when something is released, or after a while. While that is
 * going on nobody is granted anything who comes later. A request that never
 * waited has no place to keep: that others may be granted which come while it
 * is mapped for the first time is the same as if they had come before it.
 *
 * Lock: channel->lock, with interrupts off. Taken inside no other spinlock;
 * inside it the pool's lock, or that of a controller's engine.
 */
#include <linux/percpu.h>
#include <linux/wait_bit.h>

#include "ntdma.h"
#include "trace.h"

#define NTDMA_CONTEXT_MAGIC	0x74436e64
#define NTDMA_DEPTH		8	/* grants within grants on one stack */
#define NTDMA_SHARE		16	/* grants before others get the CPU */
#define NTDMA_RETRY_MS		4
#define NTDMA_RETRY_SHIFTS	4	/* up to 64 ms */

enum ntdma_context_state {
	NTDMA_CONTEXT_IDLE,
	NTDMA_CONTEXT_QUEUED,
	NTDMA_CONTEXT_PROMISED,
	NTDMA_CONTEXT_GRANTED,
	NTDMA_CONTEXT_CERTAIN,
	NTDMA_CONTEXT_CANCELLED,
};

static_assert(sizeof(struct ntdma_context) +
	      __alignof__(struct ntdma_context) - 1 <=
	      DMA_TRANSFER_CONTEXT_SIZE_V1);

static DEFINE_PER_CPU(unsigned int, ntdma_depth);

static struct ntdma_context *ntdma_context_align(void *bytes)
{
	return PTR_ALIGN(bytes, __alignof__(struct ntdma_context));
}

/**
 * ntdma_context_of() - the transfer context in a client's bytes
 * @adapter: the adapter it must belong to
 * @bytes: what the client passed
 *
 * Context: any.
 * Return: the context, NULL when it was not initialised for @adapter.
 */
struct ntdma_context *ntdma_context_of(struct ntdma_adapter *adapter,
				       void *bytes)
{
	struct ntdma_context *context = ntdma_context_align(bytes);

	if (!bytes || context->magic != NTDMA_CONTEXT_MAGIC ||
	    context->adapter != adapter)
		return NULL;
	return context;
}

/*
 * Moves a context that waits for nothing to @state. The loop settles the race
 * with a cancel that marks the same context.
 */
static NTSTATUS ntdma_context_claim(struct ntdma_context *context, u32 state)
{
	u32 old = READ_ONCE(context->state);

	do {
		if (old == NTDMA_CONTEXT_CANCELLED)
			return STATUS_CANCELLED;
		if (old == NTDMA_CONTEXT_QUEUED ||
		    old == NTDMA_CONTEXT_PROMISED)
			return STATUS_INVALID_PARAMETER;
	} while (!try_cmpxchg(&context->state, &old, state));
	return STATUS_SUCCESS;
}

/* A context that was granted, and not cancelled in vain, waits now. */
static void ntdma_context_wait(struct ntdma_context *context,
			       struct ntdma_request *request)
{
	context->request = request;
	if (cmpxchg(&context->state, NTDMA_CONTEXT_GRANTED,
		    NTDMA_CONTEXT_QUEUED) != NTDMA_CONTEXT_GRANTED)
		WRITE_ONCE(context->state, NTDMA_CONTEXT_PROMISED);
}

/* The opposite of ntdma_context_wait(). */
static void ntdma_context_grant(struct ntdma_context *context)
{
	bool promised = READ_ONCE(context->state) == NTDMA_CONTEXT_PROMISED;

	WRITE_ONCE(context->state, promised ? NTDMA_CONTEXT_CERTAIN :
					      NTDMA_CONTEXT_GRANTED);
}

/*
 * What a cancel does to a context that waits for nothing: a mark for who claims
 * it next, or for who has granted its request. Returns the state before.
 */
static u32 ntdma_context_cancel(struct ntdma_context *context)
{
	u32 state = READ_ONCE(context->state), next;

	do {
		if (state == NTDMA_CONTEXT_IDLE)
			next = NTDMA_CONTEXT_CANCELLED;
		else if (state == NTDMA_CONTEXT_GRANTED)
			next = NTDMA_CONTEXT_CERTAIN;
		else
			break;
	} while (!try_cmpxchg(&context->state, &state, next));
	return state;
}

/* Whether a routine of the client may run on this stack; not under a lock. */
static bool ntdma_may_call(void)
{
	return !in_hardirq() && !irqs_disabled() &&
	       raw_cpu_read(ntdma_depth) < NTDMA_DEPTH;
}

static NTSTATUS ntdma_grant(struct ntdma_request *request)
{
	NTSTATUS status;

	trace_ntdma_grant(request->adapter, request->slots, request->exclusive);
	if (irqs_disabled())
		return request->start(request);

	/* With bottom halves off the CPU stays the same, so the count fits. */
	local_bh_disable();
	__this_cpu_inc(ntdma_depth);
	status = request->start(request);
	__this_cpu_dec(ntdma_depth);
	local_bh_enable();
	return status;
}

static void ntdma_channel_update(struct ntdma_channel *channel)
{
	bool waits = channel->trying || !list_empty(&channel->queue);

	lockdep_assert_held(&channel->lock);
	WRITE_ONCE(channel->busy, channel->owner || waits);
}

static bool ntdma_channel_take(struct ntdma_request *request)
{
	struct ntdma_adapter *adapter = request->adapter;
	struct ntdma_channel *channel = adapter->channel;

	lockdep_assert_held(&channel->lock);
	if (channel->owner || channel->slots < request->slots)
		return false;
	if (request->slots && adapter->pool->contiguous) {
		request->area = ntdma_pool_take(adapter->pool, request->slots);
		if (request->area == NTDMA_NO_SLOT)
			return false;
	}
	channel->slots -= request->slots;
	if (request->exclusive) {
		channel->owner = request;
		request->turn = ++channel->turn;
	}
	ntdma_channel_update(channel);
	return true;
}

static void ntdma_channel_give(struct ntdma_adapter *adapter,
			       struct ntdma_request *owner, u32 area, u32 slots)
{
	struct ntdma_channel *channel = adapter->channel;

	lockdep_assert_held(&channel->lock);
	if (area != NTDMA_NO_SLOT)
		ntdma_pool_give(adapter->pool, area, slots);
	channel->slots += slots;
	if (owner && channel->owner == owner)
		channel->owner = NULL;
	ntdma_channel_update(channel);
}

static void ntdma_channel_kick(struct ntdma_channel *channel,
			       unsigned long delay)
{
	lockdep_assert_held(&channel->lock);
	if (!channel->closed)
		mod_delayed_work(ntdma_wq, &channel->work, delay);
}

static void ntdma_channel_enqueue(struct ntdma_request *request, bool head)
{
	struct ntdma_channel *channel = request->adapter->channel;

	lockdep_assert_held(&channel->lock);
	if (request->context)
		ntdma_context_wait(request->context, request);
	if (head)
		list_add(&request->link, &channel->queue);
	else
		list_add_tail(&request->link, &channel->queue);
	ntdma_channel_update(channel);
}

/* Takes what could not be mapped back, to be tried first. */
static void ntdma_channel_requeue(struct ntdma_request *request)
{
	struct ntdma_channel *channel = request->adapter->channel;
	u8 shift = min_t(u8, channel->retries, NTDMA_RETRY_SHIFTS);

	lockdep_assert_held(&channel->lock);
	ntdma_channel_give(request->adapter, request, request->area,
			   request->slots);
	request->area = NTDMA_NO_SLOT;
	ntdma_channel_enqueue(request, true);
	/* Now, so that the channel did not look free for a moment. */
	if (channel->trying == request)
		WRITE_ONCE(channel->trying, NULL);
	channel->retries = min(channel->retries + 1, U8_MAX);
	ntdma_channel_kick(channel, msecs_to_jiffies(NTDMA_RETRY_MS << shift));
}

/* Takes back what was granted to a request that will not start. */
static void ntdma_channel_undo(struct ntdma_request *request)
{
	struct ntdma_channel *channel = request->adapter->channel;

	lockdep_assert_held(&channel->lock);
	if (channel->trying == request)
		WRITE_ONCE(channel->trying, NULL);
	ntdma_channel_give(request->adapter, request, request->area,
			   request->slots);
	if (request->context)
		WRITE_ONCE(request->context->state, NTDMA_CONTEXT_IDLE);
}

/*
 * Arranges another try of what could not be mapped. There is none, and false,
 * once its adapter is closed: who closed it did not find it in the queue.
 */
static bool ntdma_channel_postpone(struct ntdma_request *request)
{
	lockdep_assert_held(&request->adapter->channel->lock);
	if (request->adapter->closed) {
		ntdma_channel_undo(request);
		return false;
	}
	ntdma_channel_requeue(request);
	return true;
}

/* The head, if it can be granted now; it is then no longer cancellable. */
static struct ntdma_request *ntdma_channel_pop(struct ntdma_channel *channel)
{
	struct ntdma_request *request;

	lockdep_assert_held(&channel->lock);
	request = list_first_entry_or_null(&channel->queue,
					   struct ntdma_request, link);
	if (!request || !ntdma_channel_take(request))
		return NULL;
	if (request->maps)
		WRITE_ONCE(channel->trying, request);
	list_del_init(&request->link);
	if (request->context)
		ntdma_context_grant(request->context);
	ntdma_channel_update(channel);
	return request;
}

/**
 * ntdma_channel_tried() - the head is mapped and has left the queue for good
 * @request: channel->trying
 *
 * Context: <= DISPATCH_LEVEL. Grants nothing: who tried the request goes on
 *	with the queue.
 */
void ntdma_channel_tried(struct ntdma_request *request)
{
	struct ntdma_channel *channel = request->adapter->channel;
	unsigned long flags;

	spin_lock_irqsave(&channel->lock, flags);
	WRITE_ONCE(channel->trying, NULL);
	ntdma_channel_update(channel);
	spin_unlock_irqrestore(&channel->lock, flags);
}

static void ntdma_channel_drain(struct ntdma_channel *channel)
{
	struct ntdma_request *request, *orphan = NULL;
	unsigned int share = NTDMA_SHARE;
	unsigned long flags;

	spin_lock_irqsave(&channel->lock, flags);
	if (channel->draining || list_empty(&channel->queue))
		goto unlock;
	channel->draining = true;
	while ((request = ntdma_channel_pop(channel))) {
		spin_unlock_irqrestore(&channel->lock, flags);
		if (ntdma_grant(request)) {
			spin_lock_irqsave(&channel->lock, flags);
			if (ntdma_channel_postpone(request))
				break;
			orphan = request;
			/* Others may wait for a channel that they share. */
			ntdma_channel_kick(channel, 0);
			break;
		}
		spin_lock_irqsave(&channel->lock, flags);
		channel->retries = 0;
		if (!--share) {
			ntdma_channel_kick(channel, 0);
			break;
		}
	}
	WRITE_ONCE(channel->draining, false);
	spin_unlock_irqrestore(&channel->lock, flags);
	/* As after any store: who waits for it must not be missed. */
	smp_mb();
	wake_up_var(&channel->draining);
	/* Last: its adapter, and the channel with it, may go then. */
	if (orphan)
		orphan->abandon(orphan);
	return;
unlock:
	spin_unlock_irqrestore(&channel->lock, flags);
}

static void ntdma_channel_work(struct work_struct *work)
{
	ntdma_channel_drain(container_of(to_delayed_work(work),
					 struct ntdma_channel, work));
}

/* Lets waiters run, in the work. */
static void ntdma_channel_later(struct ntdma_channel *channel)
{
	unsigned long flags;

	spin_lock_irqsave(&channel->lock, flags);
	if (!list_empty(&channel->queue))
		ntdma_channel_kick(channel, 0);
	spin_unlock_irqrestore(&channel->lock, flags);
}

/* Lets waiters run, here if this context allows it. */
static void ntdma_channel_wake(struct ntdma_channel *channel)
{
	if (!READ_ONCE(channel->busy))
		return;
	if (ntdma_may_call())
		ntdma_channel_drain(channel);
	else
		ntdma_channel_later(channel);
}

/**
 * ntdma_channel_init() - set up a channel
 * @channel: with nothing in it
 * @slots: of the pool of its adapters, 0 when requests need none
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_channel_init(struct ntdma_channel *channel, u32 slots)
{
	spin_lock_init(&channel->lock);
	INIT_LIST_HEAD(&channel->queue);
	INIT_DELAYED_WORK(&channel->work, ntdma_channel_work);
	channel->slots = slots;
}

/**
 * ntdma_channel_exit() - the end of a channel
 * @channel: without requests
 *
 * Context: PASSIVE_LEVEL, waits for the work.
 */
void ntdma_channel_exit(struct ntdma_channel *channel)
{
	spin_lock_irq(&channel->lock);
	channel->closed = true;
	spin_unlock_irq(&channel->lock);
	cancel_delayed_work_sync(&channel->work);
}

/* Takes the requests of one adapter out of the queue. */
static void ntdma_channel_orphan(struct ntdma_adapter *adapter,
				 struct list_head *orphans)
{
	struct ntdma_channel *channel = adapter->channel;
	struct ntdma_request *request, *next;

	lockdep_assert_held(&channel->lock);
	list_for_each_entry_safe(request, next, &channel->queue, link) {
		if (request->adapter != adapter)
			continue;
		if (request->context)
			WRITE_ONCE(request->context->state,
				   NTDMA_CONTEXT_IDLE);
		list_move_tail(&request->link, orphans);
	}
	ntdma_channel_update(channel);
}

/* A shared channel may be granting a request of the adapter right now. */
static void ntdma_channel_settle(struct ntdma_channel *channel)
{
	wait_var_event(&channel->draining, !READ_ONCE(channel->draining));
}

/**
 * ntdma_channel_close() - grant an adapter nothing any more
 * @adapter: its device is gone, or nobody holds it
 *
 * Waiters are freed without a call to their routines. Those of other adapters
 * stay in the queue until ntdma_channel_reopen().
 *
 * Context: PASSIVE_LEVEL, waits for who grants, but for adapter->grow.
 * Return: number of waiters.
 */
unsigned int ntdma_channel_close(struct ntdma_adapter *adapter)
{
	struct ntdma_channel *channel = adapter->channel;
	struct ntdma_request *request, *next;
	unsigned int count = 0;
	LIST_HEAD(orphans);

	spin_lock_irq(&channel->lock);
	WRITE_ONCE(adapter->closed, true);
	ntdma_channel_orphan(adapter, &orphans);
	spin_unlock_irq(&channel->lock);

	if (channel == &adapter->own)
		ntdma_channel_exit(channel);
	else
		ntdma_channel_settle(channel);
	list_for_each_entry_safe(request, next, &orphans, link) {
		request->abandon(request);
		count++;
	}
	return count;
}

/**
 * ntdma_channel_reopen() - go on with those that share the channel
 * @adapter: closed
 *
 * Context: PASSIVE_LEVEL. Grants nothing before the return.
 */
void ntdma_channel_reopen(struct ntdma_adapter *adapter)
{
	ntdma_channel_later(adapter->channel);
}

/* Grants or queues under the lock; @granted tells which. */
static NTSTATUS ntdma_channel_decide(struct ntdma_request *request, bool wait,
				     bool call, bool *granted)
{
	struct ntdma_channel *channel = request->adapter->channel;
	struct ntdma_context *context = request->context;
	NTSTATUS status;

	lockdep_assert_held(&channel->lock);
	if (request->adapter->closed)
		return STATUS_NO_SUCH_DEVICE;
	if (context) {
		status = ntdma_context_claim(context, NTDMA_CONTEXT_GRANTED);
		if (status)
			return status;
	}
	*granted = (call || !wait) && list_empty(&channel->queue) &&
		   !channel->trying && ntdma_channel_take(request);
	if (*granted)
		return STATUS_SUCCESS;
	if (!wait) {
		if (context)
			WRITE_ONCE(context->state, NTDMA_CONTEXT_IDLE);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	ntdma_channel_enqueue(request, false);
	if (!call)
		ntdma_channel_kick(channel, 0);
	return STATUS_SUCCESS;
}

/* What has no use for the lock: a list that needs no slots, nobody waiting. */
static bool ntdma_channel_idle(const struct ntdma_request *request)
{
	const struct ntdma_channel *channel = request->adapter->channel;

	return !request->exclusive && !request->slots &&
	       !READ_ONCE(channel->busy) &&
	       !READ_ONCE(request->adapter->closed);
}

static NTSTATUS ntdma_channel_failed(struct ntdma_request *request, bool wait,
				     NTSTATUS status)
{
	struct ntdma_channel *channel = request->adapter->channel;
	unsigned long flags;

	spin_lock_irqsave(&channel->lock, flags);
	if (!wait || status != STATUS_INSUFFICIENT_RESOURCES)
		ntdma_channel_undo(request);
	else if (ntdma_channel_postpone(request))
		status = STATUS_SUCCESS;
	else
		status = STATUS_NO_SUCH_DEVICE;
	spin_unlock_irqrestore(&channel->lock, flags);
	if (status)
		ntdma_channel_wake(channel);
	return status;
}

/**
 * ntdma_channel_submit() - ask for a grant
 * @request: filled in; must not be touched after success
 * @wait: whether it may be queued
 *
 * Context: <= DISPATCH_LEVEL. request->start runs before the return when
 *	nothing is in the way, later otherwise.
 * Return: STATUS_SUCCESS when it was or will be granted. The request stays
 *	the caller's after STATUS_INSUFFICIENT_RESOURCES (not @wait, and not
 *	free, or not to be mapped), STATUS_CANCELLED (context was marked,
 *	EC-75), STATUS_INVALID_PARAMETER (context in use),
 *	STATUS_NO_SUCH_DEVICE, and whatever else request->start answers, such
 *	as STATUS_NONE_MAPPED.
 */
NTSTATUS ntdma_channel_submit(struct ntdma_request *request, bool wait)
{
	struct ntdma_channel *channel = request->adapter->channel;
	bool call = ntdma_may_call();
	bool granted = true;
	unsigned long flags;
	NTSTATUS status;

	request->area = NTDMA_NO_SLOT;
	INIT_LIST_HEAD(&request->link);
	if (ntdma_channel_idle(request) && (call || !wait)) {
		status = request->context ?
			 ntdma_context_claim(request->context,
					     NTDMA_CONTEXT_GRANTED) :
			 STATUS_SUCCESS;
	} else {
		spin_lock_irqsave(&channel->lock, flags);
		status = ntdma_channel_decide(request, wait, call, &granted);
		spin_unlock_irqrestore(&channel->lock, flags);
	}
	if (status || !granted)
		return status;
	status = ntdma_grant(request);
	return status ? ntdma_channel_failed(request, wait, status) : status;
}

/**
 * ntdma_channel_pass() - go without the channel, but keep the registers
 * @adapter: the adapter
 * @turn: of the request, which may be gone, and another one in its place
 *
 * Context: <= DISPATCH_LEVEL. Waiters may be granted before the return.
 */
void ntdma_channel_pass(struct ntdma_adapter *adapter, u32 turn)
{
	struct ntdma_channel *channel = adapter->channel;
	unsigned long flags;

	spin_lock_irqsave(&channel->lock, flags);
	if (channel->turn == turn)
		channel->owner = NULL;
	ntdma_channel_update(channel);
	spin_unlock_irqrestore(&channel->lock, flags);
	ntdma_channel_wake(channel);
}

/**
 * ntdma_channel_release() - give back what a request was granted
 * @adapter: the adapter
 * @owner: the request, if it may still own the channel, or NULL
 * @area: its slots in a contiguous pool, or NTDMA_NO_SLOT
 * @slots: their number
 *
 * Context: <= DISPATCH_LEVEL. Waiters may be granted before the return, but
 *	not when @adapter is closed: that is done under locks.
 */
void ntdma_channel_release(struct ntdma_adapter *adapter,
			   struct ntdma_request *owner, u32 area, u32 slots)
{
	struct ntdma_channel *channel = adapter->channel;
	unsigned long flags;

	if (owner || slots) {
		spin_lock_irqsave(&channel->lock, flags);
		ntdma_channel_give(adapter, owner, area, slots);
		spin_unlock_irqrestore(&channel->lock, flags);
	}
	if (READ_ONCE(adapter->closed))
		ntdma_channel_later(channel);
	else
		ntdma_channel_wake(channel);
}

/**
 * ntdma_channel_extra() - slots beyond those of a request, if there are any
 * @adapter: the adapter
 * @slots: their number
 * @area: set to where they are in a contiguous pool
 *
 * They are given back by ntdma_channel_release().
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: whether they were free.
 */
bool ntdma_channel_extra(struct ntdma_adapter *adapter, u32 slots, u32 *area)
{
	struct ntdma_channel *channel = adapter->channel;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&channel->lock, flags);
	ok = channel->slots >= slots;
	if (ok && adapter->pool->contiguous) {
		*area = ntdma_pool_take(adapter->pool, slots);
		ok = *area != NTDMA_NO_SLOT;
	}
	if (ok)
		channel->slots -= slots;
	spin_unlock_irqrestore(&channel->lock, flags);
	return ok;
}

/**
 * ntdma_channel_disown() - take the channel from whoever owns it
 * @adapter: the adapter
 *
 * Grants nothing: the caller releases once it is done with the request.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: the request that owned it, NULL when none of this adapter did.
 */
struct ntdma_request *ntdma_channel_disown(struct ntdma_adapter *adapter)
{
	struct ntdma_channel *channel = adapter->channel;
	struct ntdma_request *owner;
	unsigned long flags;

	spin_lock_irqsave(&channel->lock, flags);
	owner = channel->owner;
	if (owner && owner->adapter == adapter)
		channel->owner = NULL;
	else
		owner = NULL;
	ntdma_channel_update(channel);
	spin_unlock_irqrestore(&channel->lock, flags);
	return owner;
}

/**
 * ntdma_channel_owned() - whether the request of a context owns the channel
 * @adapter: of the request
 * @context: that the request was made with
 *
 * Context: <= DISPATCH_LEVEL, the channel's lock held.
 * Return: true for the owner.
 */
bool ntdma_channel_owned(struct ntdma_adapter *adapter,
			 const struct ntdma_context *context)
{
	struct ntdma_channel *channel = adapter->channel;

	lockdep_assert_held(&channel->lock);
	return channel->owner && channel->owner->adapter == adapter &&
	       READ_ONCE(channel->owner->context) == context;
}

/**
 * ntdma_channel_held() - whether an adapter owns its channel
 * @adapter: the adapter
 *
 * Context: <= DISPATCH_LEVEL; a snapshot, for verifying.
 * Return: true when one of its requests owns it.
 */
bool ntdma_channel_held(struct ntdma_adapter *adapter)
{
	struct ntdma_channel *channel = adapter->channel;
	unsigned long flags;
	bool held;

	spin_lock_irqsave(&channel->lock, flags);
	held = channel->owner && channel->owner->adapter == adapter;
	spin_unlock_irqrestore(&channel->lock, flags);
	return held;
}

/**
 * ntdma_channel_waits() - whether a request waits
 * @adapter: whose request
 * @device_object: that made it by AllocateAdapterChannel; NULL for any at all
 *
 * Context: <= DISPATCH_LEVEL; a snapshot, for verifying.
 * Return: true when there is one in the queue.
 */
bool ntdma_channel_waits(struct ntdma_adapter *adapter,
			 const DEVICE_OBJECT *device_object)
{
	struct ntdma_channel *channel = adapter->channel;
	struct ntdma_request *request;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&channel->lock, flags);
	list_for_each_entry(request, &channel->queue, link)
		found |= request->adapter == adapter &&
			 (!device_object ||
			  (request->device_object == device_object &&
			   request->exclusive && !request->context));
	spin_unlock_irqrestore(&channel->lock, flags);
	return found;
}

/**
 * ntdma_init_context() - InitializeDmaTransferContext
 * @wdm: the adapter
 * @bytes: DMA_TRANSFER_CONTEXT_SIZE_V1 bytes at any alignment (EC-37)
 *
 * A context owns nothing and may vanish unused (EC-39). Initialising it
 * again clears the mark of a cancel (S16).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER when @bytes is NULL
 *	(EC-38).
 */
NTSTATUS ntdma_init_context(PDMA_ADAPTER wdm, PVOID bytes)
{
	struct ntdma_context *context = ntdma_context_align(bytes);

	if (!bytes)
		return STATUS_INVALID_PARAMETER;
	context->magic = NTDMA_CONTEXT_MAGIC;
	context->adapter = to_adapter(wdm);
	context->request = NULL;
	WRITE_ONCE(context->state, NTDMA_CONTEXT_IDLE);
	return STATUS_SUCCESS;
}

/*
 * Removes the request of a context from the queue, if it is there. @state is set
 * to that of the context before. It changes under the lock alone as long as
 * there is a request that may wait.
 */
static struct ntdma_request *ntdma_channel_unqueue(struct ntdma_channel *channel,
						   struct ntdma_context *context,
						   u32 *state)
{
	struct ntdma_request *request = NULL;
	unsigned long flags;

	spin_lock_irqsave(&channel->lock, flags);
	*state = ntdma_context_cancel(context);
	if (*state == NTDMA_CONTEXT_QUEUED) {
		request = context->request;
		list_del_init(&request->link);
		WRITE_ONCE(context->state, NTDMA_CONTEXT_IDLE);
		ntdma_channel_update(channel);
	}
	spin_unlock_irqrestore(&channel->lock, flags);
	return request;
}

/**
 * ntdma_cancel_channel() - CancelAdapterChannel
 * @wdm: the adapter of the request
 * @device_object: not used, the context names the request
 * @bytes: its transfer context
 *
 * A context without a request is marked, and the next request with it fails
 * (EC-75).
 *
 * Context: <= DISPATCH_LEVEL. Waiters behind the request may be granted
 *	before the return.
 * Return: TRUE when the request was waiting, its routine never runs and the
 *	context may be freed (EC-71, EC-74), and when the context was marked;
 *	FALSE when the routine ran or is certain to run (EC-72), unless the
 *	call that asked for it is just about to fail.
 */
BOOLEAN ntdma_cancel_channel(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			     PVOID bytes)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_context *context = ntdma_context_of(adapter, bytes);
	struct ntdma_channel *channel = adapter->channel;
	struct ntdma_request *request;
	u32 state;

	if (!context) {
		ntdma_refuse();
		return FALSE;
	}
	request = ntdma_channel_unqueue(channel, context, &state);
	if (!request)
		return state == NTDMA_CONTEXT_IDLE ||
		       state == NTDMA_CONTEXT_CANCELLED;
	trace_ntdma_cancel(adapter);
	ntdma_channel_wake(channel);
	/* Last, as it may be the last that the adapter waits for. */
	request->abandon(request);
	return TRUE;
}
