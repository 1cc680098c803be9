// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of map registers, and the channel that comes with them.
 *
 * Model: AllocateAdapterChannel(Ex) asks the channel for ownership and for
 * registers. Its MapRegisterBase is the address of a struct ntdma_regs, which
 * the transfer routines map under. Registers outlive the ownership when the
 * client's routine says so.
 *
 * Life of the registers: from the grant until FreeMapRegisters,
 * FreeAdapterChannel, FreeAdapterObject(DeallocateObject) or a routine that
 * returns DeallocateObject, whichever finds them first in the table of live
 * objects. Whatever is still mapped then is unmapped without looking at the
 * memory, which may have another owner.
 *
 * The adapter remembers the registers that were granted last, as long as they
 * live: transfers mostly use those, and find them without the table. For system
 * DMA it also keeps the memory of the registers that were freed last.
 */
#include "regs.h"

#define NTDMA_GROW_MS	64	/* until more memory is asked for again */

/* Of system DMA the adapter keeps the last for the next transfer. */
static void ntdma_regs_free(struct ntdma_regs *regs)
{
	struct ntdma_adapter *adapter = regs->map.adapter;

	if (adapter->engine)
		regs = xchg(&adapter->kept, regs);
	ntdma_free(regs);
	percpu_ref_put(&adapter->ref);
}

/* Zeroed, with room for @size bytes behind. */
static struct ntdma_regs *ntdma_regs_new(struct ntdma_adapter *adapter,
					 size_t size)
{
	struct ntdma_regs *regs = NULL;

	if (adapter->engine)
		regs = xchg(&adapter->kept, NULL);
	if (regs && regs->size >= size) {
		size = regs->size;
		memset(regs, 0, sizeof(*regs) + size);
	} else {
		ntdma_free(regs);
		regs = ntdma_alloc(sizeof(*regs) + size, GFP_ATOMIC);
	}
	if (regs)
		regs->size = size;
	return regs;
}

static void ntdma_regs_abandon(struct ntdma_request *request)
{
	ntdma_regs_free(container_of(request, struct ntdma_regs, request));
}

/* Out of the table of live objects, once the short cut to them is closed. */
static struct ntdma_handle *ntdma_regs_take_if(struct ntdma_adapter *adapter,
					       const void *base,
					       ntdma_handle_match match,
					       const void *data)
{
	if (base && READ_ONCE(adapter->latest) == base)
		WRITE_ONCE(adapter->latest, NULL);
	return ntdma_handle_take_if(NTDMA_REGS, base, adapter, match, data);
}

static struct ntdma_handle *ntdma_regs_take(struct ntdma_adapter *adapter,
					    const void *base)
{
	return ntdma_regs_take_if(adapter, base, NULL, NULL);
}

/**
 * ntdma_regs_release() - let go of registers with nothing mapped
 * @regs: out of the table of live objects
 *
 * Context: <= DISPATCH_LEVEL. Waiters may be granted before the return.
 */
void ntdma_regs_release(struct ntdma_regs *regs)
{
	ntdma_channel_release(regs->map.adapter, &regs->request,
			      regs->map.area, regs->request.slots);
	ntdma_regs_free(regs);
}

/* Ends a job without a word to the client; true when it has to be waited for. */
static bool ntdma_regs_halt(struct ntdma_regs *regs)
{
	struct ntdma_engine *engine = regs->map.adapter->engine;
	struct ntdma_call call;

	/* Seen by each cancel that comes after the halt, under its lock. */
	WRITE_ONCE(regs->request.context, NULL);
	if (ntdma_engine_halt(engine, &call)) {
		call.routine = NULL;
		ntdma_engine_tell(engine, &call, DmaCancelled);
	}
	if (!ntdma_engine_keep(engine, regs))
		ntdma_map_drop(&regs->map);
	return ntdma_engine_leave(engine, regs);
}

/**
 * ntdma_regs_forget() - unmap and free a set of registers
 * @handle: out of the table of live objects
 *
 * Context: <= DISPATCH_LEVEL. Waiters may be granted before the return.
 */
void ntdma_regs_forget(struct ntdma_handle *handle)
{
	struct ntdma_regs *regs = container_of(handle, struct ntdma_regs,
					       handle);
	struct ntdma_adapter *adapter = regs->map.adapter;

	/* Nobody but their own grant makes them the latest ones again. */
	if (READ_ONCE(adapter->latest) == regs)
		WRITE_ONCE(adapter->latest, NULL);
	if (adapter->engine) {
		if (ntdma_regs_halt(regs))
			return;
	} else {
		ntdma_map_drop(&regs->map);
	}
	ntdma_regs_release(regs);
}

/* The same for the client that has them. What it read is lost if still mapped. */
static void ntdma_regs_give(struct ntdma_handle *handle)
{
	struct ntdma_map *map = &container_of(handle, struct ntdma_regs,
					      handle)->map;

	if (!ntdma_map_empty(map))
		ntdma_misuse(map->adapter, NTDMA_RULE_STILL_MAPPED);
	ntdma_regs_forget(handle);
}

/**
 * ntdma_regs_search() - ntdma_regs_find() in the table of live objects
 * @adapter: whom they must belong to
 * @base: what the client passed
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: the registers, NULL when there are none, which is counted.
 */
struct ntdma_regs *ntdma_regs_search(struct ntdma_adapter *adapter,
				     const void *base)
{
	struct ntdma_handle *handle = ntdma_handle_find(NTDMA_REGS, base,
							adapter);

	if (!handle) {
		ntdma_misuse(adapter, NTDMA_RULE_NO_REGISTERS);
		return NULL;
	}
	return container_of(handle, struct ntdma_regs, handle);
}

static bool ntdma_regs_of_turn(const struct ntdma_handle *handle,
			       const void *turn)
{
	return container_of(handle, struct ntdma_regs, handle)->request.turn ==
	       *(const u32 *)turn;
}

/*
 * Acts on what the client's routine returned. The routine may have freed the
 * registers, so @regs is only an address here until the table says otherwise.
 * With what it started others may have, and have the channel again, with
 * registers at the same address: @turn tells.
 */
static void ntdma_regs_settle(struct ntdma_adapter *adapter,
			      struct ntdma_regs *regs, u32 turn,
			      IO_ALLOCATION_ACTION action)
{
	struct ntdma_handle *handle;

	if (action == DeallocateObject) {
		handle = ntdma_regs_take_if(adapter, regs, ntdma_regs_of_turn,
					    &turn);
		if (handle)
			ntdma_regs_give(handle);
	} else if (action == DeallocateObjectKeepRegisters &&
		   !adapter->engine) {
		ntdma_channel_pass(adapter, turn);
	}
}

static NTSTATUS ntdma_regs_start(struct ntdma_request *request)
{
	struct ntdma_regs *regs = container_of(request, struct ntdma_regs,
					       request);
	struct ntdma_adapter *adapter = request->adapter;
	IO_ALLOCATION_ACTION action;
	u32 turn = request->turn;

	regs->map.area = request->area;
	regs->map.slots = request->slots;
	/* Before anybody can find them, so that the end of them comes after. */
	WRITE_ONCE(adapter->latest, regs);
	ntdma_handle_add(&regs->handle, NTDMA_REGS, regs, adapter);
	if (regs->base)
		*regs->base = regs;
	if (!regs->routine)
		return STATUS_SUCCESS;
	action = regs->routine(request->device_object, request->irp, regs,
			       request->client);
	ntdma_regs_settle(adapter, regs, turn, action);
	return STATUS_SUCCESS;
}

/* What does not change from one job under the registers to the next. */
static void ntdma_regs_equip(struct ntdma_regs *regs, void *spare)
{
	struct ntdma_adapter *adapter = regs->map.adapter;
	int i;

	ntdma_map_init(&regs->zombie, adapter, NULL, 0);
	regs->spare = spare;
	regs->job = regs->jobs;
	for (i = 0; i < ARRAY_SIZE(regs->jobs); i++)
		regs->jobs[i] = (struct ntdma_job) {
			.port = adapter->port,
			.sgs = adapter->sgs + i * adapter->nregs,
			.call.adapter = adapter,
			.call.device_object = regs->request.device_object,
		};
}

/* NULL also for more registers than granted. */
static struct ntdma_regs *ntdma_regs_alloc(struct ntdma_adapter *adapter,
					   PDEVICE_OBJECT device_object,
					   u32 count)
{
	struct ntdma_regs *regs;
	size_t size;

	if (count > adapter->nregs)
		return NULL;
	/* A transfer that was told to need none is still mapped somewhere. */
	count = max(count, 1U);
	size = (size_t)count * adapter->entry_size;
	regs = ntdma_regs_new(adapter, adapter->engine ? 2 * size : size);
	if (!regs)
		return NULL;
	ntdma_map_init(&regs->map, adapter, regs + 1, count);
	regs->map.granted = true;
	regs->request = (struct ntdma_request) {
		.adapter = adapter,
		.slots = adapter->counted || adapter->fallible ? count : 0,
		.exclusive = true,
		.start = ntdma_regs_start,
		.abandon = ntdma_regs_abandon,
		.device_object = device_object,
		.irp = device_object ? device_object->CurrentIrp : NULL,
	};
	if (adapter->engine)
		ntdma_regs_equip(regs, (void *)(regs + 1) + size);
	percpu_ref_get(&adapter->ref);
	return regs;
}

/* Lets the pool have as many slots as a request wants; false without memory. */
static bool ntdma_regs_reserve(struct ntdma_adapter *adapter, u32 slots,
			       gfp_t gfp)
{
	u32 added = ntdma_pool_grow(adapter->pool, slots, gfp);

	if (added)
		ntdma_channel_release(adapter, NULL, NTDMA_NO_SLOT, added);
	return READ_ONCE(adapter->pool->count) >= slots;
}

/**
 * ntdma_regs_grow() - add slots where sleeping is allowed
 * @work: adapter->grow
 *
 * Again and again, as long as anybody waits.
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_regs_grow(struct work_struct *work)
{
	struct ntdma_adapter *adapter = container_of(to_delayed_work(work),
						     struct ntdma_adapter,
						     grow);

	/* Memory may be on its way to a disk by a transfer that waits here. */
	if (!ntdma_regs_reserve(adapter, READ_ONCE(adapter->goal),
				GFP_NOIO | __GFP_NOWARN |
				__GFP_RETRY_MAYFAIL) &&
	    ntdma_channel_waits(adapter, NULL))
		mod_delayed_work(ntdma_wq, &adapter->grow,
				 msecs_to_jiffies(NTDMA_GROW_MS));
}

/* A request for more slots than there is memory for at once. */
static noinline NTSTATUS ntdma_regs_submit_large(struct ntdma_regs *regs,
						 bool wait)
{
	struct ntdma_adapter *adapter = regs->map.adapter;
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	u32 slots = regs->request.slots;
	u32 goal = READ_ONCE(adapter->goal);

	while (goal < slots && !try_cmpxchg(&adapter->goal, &goal, slots))
		;
	/* The request may end, and with it the adapter, at any time. */
	percpu_ref_get(&adapter->ref);
	if (wait)
		status = ntdma_channel_submit(&regs->request, true);
	mod_delayed_work(ntdma_wq, &adapter->grow, 0);
	percpu_ref_put(&adapter->ref);
	return status;
}

static NTSTATUS ntdma_regs_submit(struct ntdma_regs *regs, bool wait)
{
	struct ntdma_adapter *adapter = regs->map.adapter;
	u32 slots = regs->request.slots;
	NTSTATUS status;

	if (slots > (adapter->pool ? READ_ONCE(adapter->pool->count) : 0) &&
	    !ntdma_regs_reserve(adapter, slots, GFP_NOWAIT | __GFP_NOWARN))
		status = ntdma_regs_submit_large(regs, wait);
	else
		status = ntdma_channel_submit(&regs->request, wait);
	if (status)
		ntdma_regs_free(regs);
	return status;
}

/**
 * ntdma_allocate_channel() - AllocateAdapterChannel
 * @wdm: the adapter
 * @device_object: passed on, with its CurrentIrp of now (EC-44)
 * @count: registers, up to the number granted with the adapter (EC-43)
 * @routine: runs once the channel and the registers are there
 * @client: its argument
 *
 * Requests of one device object do not share anything: any number may wait.
 *
 * MapTransfer has no status, so it cannot fail under registers: where a mapping
 * may fail they come with a page each that the data can be copied through, and
 * the request waits in order until so many are free. A version 3 adapter may
 * grant more registers than it has such pages; those are allocated for the first
 * request that wants as many, now or, when memory is short, while it waits.
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. @routine runs at
 *	DISPATCH_LEVEL (EC-45), before the return when the adapter is free
 *	(EC-40), else when it is released (EC-41).
 * Return: STATUS_SUCCESS when @routine ran or will run;
 *	STATUS_INSUFFICIENT_RESOURCES for too many registers (EC-42), or no
 *	memory;
 *	STATUS_INVALID_PARAMETER without @routine.
 */
NTSTATUS ntdma_allocate_channel(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
				ULONG count, PDRIVER_CONTROL routine,
				PVOID client)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_regs *regs;

	ntdma_verify_level(adapter);
	if (!routine)
		return STATUS_INVALID_PARAMETER;
	regs = ntdma_regs_alloc(adapter, device_object, count);
	if (!regs)
		return STATUS_INSUFFICIENT_RESOURCES;
	regs->routine = routine;
	regs->request.client = client;
	return ntdma_regs_submit(regs, true);
}

/* The forms that the call has; see the table in the documentation. */
static bool ntdma_form_valid(bool sync, PDRIVER_CONTROL routine, PVOID *base)
{
	return sync ? routine || base : routine && !base;
}

/**
 * ntdma_allocate_channel_ex() - AllocateAdapterChannelEx
 * @wdm: the adapter
 * @device_object: passed on, with its CurrentIrp of now
 * @bytes: initialised transfer context, used by no other request
 * @count: registers, up to the number granted; 0 is allowed (EC-61)
 * @flags: DMA_SYNCHRONOUS_CALLBACK for no waiting; others are ignored
 * @routine: NULL only with the flag and @base
 * @client: its argument
 * @base: set to MapRegisterBase before @routine runs; only with the flag
 *
 * Without @routine the channel is held as if one had returned KeepObject.
 *
 * What is promised with the registers is that of AllocateAdapterChannel.
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. @routine runs at
 *	DISPATCH_LEVEL; with the flag always before the return (EC-58).
 * Return: STATUS_SUCCESS; STATUS_INSUFFICIENT_RESOURCES for too many
 *	registers (EC-62), no memory, or, with the flag, an adapter or
 *	registers in use (EC-60); STATUS_CANCELLED when the context was marked
 *	(EC-75); STATUS_INVALID_PARAMETER for a form that there is not (EC-55
 *	to EC-57) and for a context that is in use or not initialised.
 */
NTSTATUS ntdma_allocate_channel_ex(PDMA_ADAPTER wdm,
				   PDEVICE_OBJECT device_object, PVOID bytes,
				   ULONG count, ULONG flags,
				   PDRIVER_CONTROL routine, PVOID client,
				   PVOID *base)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_context *context = ntdma_context_of(adapter, bytes);
	bool sync = flags & DMA_SYNCHRONOUS_CALLBACK;
	struct ntdma_regs *regs;

	ntdma_verify_level(adapter);
	if (!context || !ntdma_form_valid(sync, routine, base))
		return STATUS_INVALID_PARAMETER;
	regs = ntdma_regs_alloc(adapter, device_object, count);
	if (!regs)
		return STATUS_INSUFFICIENT_RESOURCES;
	regs->routine = routine;
	regs->base = base;
	regs->request.client = client;
	regs->request.context = context;
	return ntdma_regs_submit(regs, !sync);
}

/*
 * A channel of a controller is free only once the controller has stopped. Until
 * then the registers that were freed own it, and nobody finds those.
 */
static bool ntdma_free_system(struct ntdma_adapter *adapter)
{
	struct ntdma_regs *latest = READ_ONCE(adapter->latest);
	struct ntdma_handle *handle = NULL;

	if (latest)
		handle = ntdma_regs_take(adapter, latest);
	if (!handle)
		handle = ntdma_handle_take_any(NTDMA_REGS, adapter);
	if (handle)
		ntdma_regs_give(handle);
	return handle;
}

/*
 * Frees the channel, and the registers if its owner is a set of them. A list
 * keeps what it has until it is put: the device may still write there.
 */
static bool ntdma_free_owner(struct ntdma_adapter *adapter)
{
	struct ntdma_request *owner;
	struct ntdma_handle *handle;

	if (adapter->engine)
		return ntdma_free_system(adapter);
	owner = ntdma_channel_disown(adapter);
	if (!owner)
		return false;
	handle = ntdma_regs_take(adapter,
				 container_of(owner, struct ntdma_regs,
					      request));
	if (handle)
		ntdma_regs_give(handle);
	else
		ntdma_channel_release(adapter, NULL, NTDMA_NO_SLOT, 0);
	return true;
}

/**
 * ntdma_free_channel() - FreeAdapterChannel
 * @wdm: the adapter
 *
 * Frees the channel and the registers of its owner (EC-49). Refused when
 * nobody owns it.
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. Waiters may be granted before
 *	the return (EC-51).
 */
VOID ntdma_free_channel(PDMA_ADAPTER wdm)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	ntdma_verify_level(adapter);
	if (!ntdma_free_owner(adapter))
		ntdma_misuse(adapter, NTDMA_RULE_FREED_CHANNEL);
}

/**
 * ntdma_free_object() - FreeAdapterObject
 * @wdm: the adapter, which stays alive (EC-70)
 * @action: KeepObject does nothing (EC-66); DeallocateObject frees channel
 *	and registers (EC-67); DeallocateObjectKeepRegisters the channel only
 *	(EC-68), and nothing for system DMA, where both go together
 *
 * Harmless when nothing is held (EC-69).
 *
 * Context: <= DISPATCH_LEVEL. Waiters may be granted before the return.
 */
VOID ntdma_free_object(PDMA_ADAPTER wdm, IO_ALLOCATION_ACTION action)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	if (action == DeallocateObject)
		ntdma_free_owner(adapter);
	else if (action == DeallocateObjectKeepRegisters &&
		 !adapter->engine && ntdma_channel_disown(adapter))
		ntdma_channel_release(adapter, NULL, NTDMA_NO_SLOT, 0);
}

/**
 * ntdma_free_registers() - FreeMapRegisters
 * @wdm: the adapter
 * @base: MapRegisterBase; NULL does nothing (EC-53)
 * @count: not used, all registers of @base are freed
 *
 * What is no set of live registers of this adapter is refused.
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. Waiters may be granted before
 *	the return (EC-54).
 */
VOID ntdma_free_registers(PDMA_ADAPTER wdm, PVOID base, ULONG count)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_handle *handle;

	if (!base)
		return;
	ntdma_verify_level(adapter);
	handle = ntdma_regs_take(adapter, base);
	if (!handle) {
		ntdma_misuse(adapter, NTDMA_RULE_FREED_REGISTERS);
		return;
	}
	ntdma_regs_give(handle);
}
