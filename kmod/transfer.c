// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers under map registers: map a part, let the device run, flush.
 *
 * Model: a set of registers maps as many pages as it has registers. The first
 * versions of the routines know a byte by its virtual address in one MDL and
 * may map several runs before one flush that covers them all; the Ex forms
 * know it by its offset in the chain and map one list at a time.
 *
 * The direction, the addresses and the lengths of what is mapped are in the
 * registers. What a client passes to a flush only selects.
 */
#include "regs.h"

#define NTDMA_PERIODS	4	/* of a loop */

static enum dma_data_direction ntdma_direction(BOOLEAN write)
{
	return write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

/*
 * Bytes from one report of a loop to the next. Controllers queue the periods;
 * some run dry with fewer than three of them.
 */
static u32 ntdma_regs_period(const struct ntdma_adapter *adapter, u32 length)
{
	u32 count = NTDMA_PERIODS;

	while (count > 1 && length % (count * adapter->port->quantum))
		count--;
	return length / count;
}

/* Starts the controller on all that is mapped. */
static __always_inline NTSTATUS ntdma_regs_run(struct ntdma_regs *regs,
					       u32 device_offset, u32 length,
					       PDMA_COMPLETION_ROUTINE completion,
					       PVOID client)
{
	struct ntdma_adapter *adapter = regs->map.adapter;
	struct ntdma_job *job = regs->job;

	job->addr = job->port->addr + device_offset;
	job->dir = regs->map.dir;
	job->length = length;
	if (job->port->cyclic)
		job->period = ntdma_regs_period(adapter, length);
	job->call.routine = completion;
	job->call.client = client;
	if (regs->map.again)
		ntdma_map_offer(&regs->map);
	job->nents = ntdma_map_job(&regs->map, job->sgs);
	return ntdma_engine_run(adapter->engine, job);
}

/* Bytes that the controller takes in whole units, from the front. */
static u32 ntdma_regs_units(const struct ntdma_regs *regs, u32 length)
{
	const struct ntdma_adapter *adapter = regs->map.adapter;

	return adapter->engine ?
	       round_down(length, adapter->port->quantum) : length;
}

/*
 * Ends what the controller does with these registers, and puts memory aside
 * that it may still touch; all of it, if any is of the part. True then.
 */
static bool ntdma_regs_end(struct ntdma_regs *regs, u64 pos, u32 length,
			   struct ntdma_call *call, bool *told)
{
	struct ntdma_engine *engine = regs->map.adapter->engine;

	*told = ntdma_engine_halt(engine, call);
	/* Who has no routine is told by the device, maybe earlier than we. */
	if (*told && call->routine && !regs->map.adapter->port->cyclic)
		ntdma_notice(regs->map.adapter, NTDMA_RULE_FLUSHED_RUNNING);
	if (!ntdma_engine_is_stopping(engine) ||
	    !ntdma_map_has(&regs->map, pos, length))
		return false;
	/* The mapping may be gone once it is kept. */
	ntdma_map_sync(&regs->map, NULL, true);
	return ntdma_engine_keep(engine, regs);
}

/* A flush of a part that may be under way; whether any of it was mapped. */
static bool ntdma_regs_flush(struct ntdma_regs *regs, u64 pos, u32 length,
			     struct ntdma_call *call, bool *told)
{
	*told = false;
	if (regs->map.adapter->engine &&
	    ntdma_regs_end(regs, pos, length, call, told))
		return true;
	return ntdma_map_flush(&regs->map, pos, length);
}

/* Whether the controller is through, so that a flush has nothing to end. */
static bool ntdma_regs_rest(struct ntdma_regs *regs)
{
	struct ntdma_engine *engine = regs->map.adapter->engine;

	return !engine || (ntdma_engine_rest(engine) &&
			   !ntdma_engine_is_stopping(engine));
}

/* Prepares registers with an empty map for a job. */
static void ntdma_regs_reclaim(struct ntdma_engine *engine,
			       struct ntdma_regs *regs)
{
	regs->map.again = READ_ONCE(engine->zombie) == regs;
	if (unlikely(regs->map.slots != regs->request.slots))
		ntdma_engine_refill(engine, regs);
}

/* Whether these registers may take a run more in this direction. */
static bool ntdma_regs_accept(struct ntdma_regs *regs, BOOLEAN write)
{
	struct ntdma_map *map = &regs->map;

	if (ntdma_map_empty(map))
		map->dir = ntdma_direction(write);
	if (map->dir != ntdma_direction(write)) {
		ntdma_misuse(map->adapter, NTDMA_RULE_MAPPED_TWICE);
		return false;
	}
	return map->pages < map->room;
}

/* The controller gets all of a MapTransfer, or it is not started (EC-85). */
static u32 ntdma_regs_fit_all(struct ntdma_regs *regs, PMDL mdl, uintptr_t skip,
			      u32 length)
{
	if (!ntdma_map_empty(&regs->map)) {
		ntdma_misuse(regs->map.adapter, NTDMA_RULE_MAPPED_TWICE);
		return 0;
	}
	if (length & (regs->map.adapter->port->quantum - 1))
		return 0;
	ntdma_regs_reclaim(regs->map.adapter->engine, regs);
	if (ntdma_map_fit(&regs->map, mdl, skip, length, regs->map.room,
			  regs->map.adapter->elements) < length)
		return 0;
	return length;
}

/* Bytes that a MapTransfer @skip bytes into an MDL maps at once. */
static u32 ntdma_regs_fit(struct ntdma_regs *regs, PMDL mdl, uintptr_t skip,
			  u32 length, BOOLEAN write)
{
	if (skip >= mdl->ByteCount || !ntdma_mdl_ready(mdl)) {
		ntdma_misuse(regs->map.adapter, NTDMA_RULE_OUTSIDE_MDL);
		return 0;
	}
	if (!length)
		ntdma_misuse(regs->map.adapter, NTDMA_RULE_NO_LENGTH);
	length = min_t(u32, length, mdl->ByteCount - skip);
	if (!length || !ntdma_regs_accept(regs, write))
		return 0;
	if (regs->map.adapter->engine)
		return ntdma_regs_fit_all(regs, mdl, skip, length);
	return ntdma_map_fit(&regs->map, mdl, skip, length,
			     regs->map.room - regs->map.pages, 1);
}

/* MapTransfer of system DMA: all of it or nothing, and the address is 0. */
static PHYSICAL_ADDRESS ntdma_map_system(struct ntdma_regs *regs, PMDL mdl,
					 uintptr_t skip, PVOID current_va,
					 u32 fit, PULONG length)
{
	PHYSICAL_ADDRESS result = { .QuadPart = 0 };
	u32 mapped = fit;

	if (ntdma_map_chain(&regs->map, mdl, skip, (uintptr_t)current_va,
			    &mapped, regs->map.room))
		return result;
	/* The controller may be done, and the client go on, from here on. */
	*length = fit;
	if (mapped == fit && !ntdma_regs_run(regs, 0, fit, NULL, NULL))
		return result;
	ntdma_map_drop(&regs->map);
	*length = 0;
	return result;
}

/**
 * ntdma_map_transfer() - MapTransfer
 * @wdm: the adapter
 * @mdl: one MDL, its Next is not looked at (EC-84)
 * @base: MapRegisterBase
 * @current_va: index of the first byte, never dereferenced (EC-81)
 * @length: in: bytes wanted; out: bytes of the run that was mapped
 * @write: TRUE for memory to device
 *
 * A device with scatter/gather gets the first run (EC-79) and the client
 * calls again for the next; one without gets all bytes as one run (EC-78).
 * There is no status. When the arguments are wrong or the registers used up the
 * length is 0 and so is the address. Free registers of a bus master always map:
 * a mapping that fails is replaced by a copy of the page, for which they have
 * one. Without scatter/gather the length is less than asked for when registers
 * are free but, since others between them were not flushed, not in a row.
 *
 * System DMA: the controller is started with all bytes (EC-85). The length is
 * 0 also when it does not take them, or CancelMappedTransfer came before.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: the address for the device, 0 for system DMA.
 */
PHYSICAL_ADDRESS ntdma_map_transfer(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
				    PVOID current_va, PULONG length,
				    BOOLEAN write)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_regs *regs = ntdma_regs_find(adapter, base);
	PHYSICAL_ADDRESS result = { .QuadPart = 0 };
	u32 first, fit = 0;
	uintptr_t skip;

	if (regs && mdl) {
		skip = (uintptr_t)current_va -
		       (uintptr_t)MmGetMdlVirtualAddress(mdl);
		fit = ntdma_regs_fit(regs, mdl, skip, *length, write);
	}
	*length = 0;
	if (!fit)
		return result;
	if (adapter->engine)
		return ntdma_map_system(regs, mdl, skip, current_va, fit,
					length);
	first = regs->map.count;
	if (ntdma_map_chain(&regs->map, mdl, skip, (uintptr_t)current_va, &fit,
			    1))
		return result;
	this_cpu_inc(adapter->stats->elements);
	result.QuadPart = ntdma_map_address(&regs->map, first);
	*length = fit;
	return result;
}

/* Elements that a list buffer has space for. */
static u32 ntdma_list_room(PSCATTER_GATHER_LIST list, u32 length)
{
	u32 head = offsetof(SCATTER_GATHER_LIST, Elements);

	if (!list || length < head)
		return 0;
	return (length - head) / sizeof(SCATTER_GATHER_ELEMENT);
}

/* Whether a part is in an MDL that is alone and has page frames for it. */
static bool ntdma_part_alone(const MDL *mdl, u64 offset, u32 length)
{
	return mdl && !mdl->Next && length && offset < mdl->ByteCount &&
	       length <= mdl->ByteCount - offset && ntdma_mdl_ready(mdl);
}

/* Whether a chain has a part, and page frames for it. */
static noinline bool ntdma_part_valid(const MDL *mdl, u64 offset, u32 length)
{
	u64 total = ntdma_chain_length(mdl);

	return length && offset < total && length <= total - offset &&
	       ntdma_chain_ready(mdl);
}

/*
 * Maps as much of a part as goes at once into @room elements. Where mappings fail
 * that may be less than fits, and no whole units: then without the rest.
 */
static noinline NTSTATUS ntdma_regs_map(struct ntdma_regs *regs, PMDL mdl,
					u64 offset, PULONG length, u32 room)
{
	u32 fit, mapped;

	fit = ntdma_map_fit(&regs->map, mdl, offset, *length, regs->map.room,
			    room);
	fit = ntdma_regs_units(regs, fit);
	if (!fit)
		return STATUS_INVALID_PARAMETER;
	while (fit) {
		mapped = fit;
		if (ntdma_map_chain(&regs->map, mdl, offset, offset, &mapped,
				    room))
			break;
		fit = ntdma_regs_units(regs, mapped);
		if (fit == mapped) {
			*length = fit;
			return STATUS_SUCCESS;
		}
		ntdma_map_drop(&regs->map);
	}
	return STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * ntdma_map_transfer_ex() - MapTransferEx
 * @wdm: the adapter
 * @mdl: first MDL of a chain
 * @base: MapRegisterBase with nothing mapped under it
 * @offset: chain offset of the first byte
 * @device_offset: added to DeviceAddress (EC-110); not used by a bus master
 * @length: in: bytes wanted, 1 to the rest of the chain; out: bytes mapped
 * @write: TRUE for memory to device
 * @list: buffer for the elements; NULL is enough for system DMA (EC-104)
 * @list_length: its bytes, all of them for the list (EC-94)
 * @completion: system DMA: told once how the transfer ended, and once per
 *	pass of one with AutoInitialize; may be NULL
 * @client: its argument
 *
 * Maps less than asked for when registers (EC-98) or space for elements
 * (EC-96) run out. That is success; the client flushes and goes on at the
 * next byte (EC-97).
 *
 * System DMA: starts the controller. Length and list are written before, and
 * not touched afterwards (EC-107, EC-108). A transfer is shortened to what the
 * controller takes, in units of the data register (EC-111). Without success
 * @completion is not called (EC-109).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_CANCELLED after CancelMappedTransfer, until
 *	the next flush (EC-122); STATUS_INVALID_PARAMETER for a part that the chain
 *	does not have (EC-100, EC-101), a length of 0 (EC-102), a buffer that
 *	holds no element (EC-95, EC-103), and registers that are not flushed;
 *	STATUS_INSUFFICIENT_RESOURCES, of system DMA only, when the controller
 *	does not take it.
 */
NTSTATUS ntdma_map_transfer_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
			       ULONGLONG offset, ULONG device_offset,
			       PULONG length, BOOLEAN write,
			       PSCATTER_GATHER_LIST list, ULONG list_length,
			       PDMA_COMPLETION_ROUTINE completion,
			       PVOID client)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_engine *engine = adapter->engine;
	struct ntdma_regs *regs;
	u32 asked, room;
	NTSTATUS status;
	bool alone;

	room = adapter->elements;
	if (list || !engine) {
		room = ntdma_list_room(list, list_length);
		if (engine)
			room = min(room, adapter->elements);
		if (!room)
			return STATUS_INVALID_PARAMETER;
	}
	if (!length)
		return STATUS_INVALID_PARAMETER;
	asked = *length;
	alone = ntdma_part_alone(mdl, offset, asked);
	if (!alone && !ntdma_part_valid(mdl, offset, asked)) {
		if (!asked)
			ntdma_misuse(adapter, NTDMA_RULE_NO_LENGTH);
		return STATUS_INVALID_PARAMETER;
	}
	regs = ntdma_regs_find(adapter, base);
	if (!regs)
		return STATUS_INVALID_PARAMETER;
	if (engine && ntdma_engine_is_cancelled(engine))
		return STATUS_CANCELLED;
	if (!ntdma_map_empty(&regs->map)) {
		ntdma_misuse(adapter, NTDMA_RULE_MAPPED_TWICE);
		return STATUS_INVALID_PARAMETER;
	}

	if (engine)
		ntdma_regs_reclaim(engine, regs);
	regs->map.dir = ntdma_direction(write);
	alone = alone && (!engine || !(asked & (adapter->port->quantum - 1)));
	if (!alone || !ntdma_map_single(&regs->map, mdl, offset, asked)) {
		status = ntdma_regs_map(regs, mdl, offset, length, room);
		if (status)
			return status;
	}
	if (list) {
		ntdma_map_elements(&regs->map, list);
		put_unaligned(0, &list->Reserved);
	}
	if (!engine)
		return STATUS_SUCCESS;
	/* After success all of this belongs to the completion routine. */
	status = ntdma_regs_run(regs, device_offset, *length, completion,
				client);
	if (status) {
		ntdma_map_drop(&regs->map);
		*length = asked;
	}
	return status;
}

/* A flush left everything as it was. */
static noinline void ntdma_regs_missed(struct ntdma_regs *regs)
{
	ntdma_misuse(regs->map.adapter, ntdma_map_empty(&regs->map) ?
					NTDMA_RULE_NOTHING_MAPPED :
					NTDMA_RULE_NOT_MAPPED);
}

/**
 * ntdma_flush_buffers() - FlushAdapterBuffers
 * @wdm: the adapter
 * @mdl: not used, the registers know what is mapped
 * @base: MapRegisterBase; NULL when the allocation gave none
 * @current_va: as in the first MapTransfer
 * @length: in bytes; fewer than mapped flush a part, 0 none
 * @write: not used, the registers know the direction
 *
 * Covers any number of MapTransfer calls (EC-82). The registers can be mapped
 * again (EC-83). What is not mapped is left alone (EC-90). A system transfer
 * that still runs is stopped (EC-91).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: TRUE (EC-89); FALSE when @base is no set of registers.
 */
BOOLEAN ntdma_flush_buffers(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
			    PVOID current_va, ULONG length, BOOLEAN write)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_regs *regs;
	struct ntdma_call call;
	bool told;

	if (!base)
		return TRUE;
	regs = ntdma_regs_find(adapter, base);
	if (!regs)
		return FALSE;
	if (!ntdma_regs_flush(regs, (uintptr_t)current_va, length, &call,
			      &told) && length)
		ntdma_regs_missed(regs);
	if (told)
		ntdma_engine_tell(adapter->engine, &call, DmaCancelled);
	return TRUE;
}

/* A flush of registers with a job that may be under way. */
static noinline bool ntdma_regs_cut(struct ntdma_regs *regs, u64 pos,
				    u32 length)
{
	struct ntdma_engine *engine = regs->map.adapter->engine;
	bool cancelled = ntdma_engine_is_cancelled(engine);
	struct ntdma_call call;
	bool told, hit;

	hit = ntdma_regs_flush(regs, pos, length, &call, &told);
	/* A flush after a cancel ends that, whatever is mapped (EC-122). */
	if (!hit && !cancelled)
		ntdma_regs_missed(regs);
	/* The client may free the registers there. */
	if (told)
		ntdma_engine_tell(engine, &call, DmaCancelled);
	return hit;
}

/**
 * ntdma_flush_buffers_ex() - FlushAdapterBuffersEx
 * @wdm: the adapter
 * @mdl: first MDL of the chain, only looked at for NULL
 * @base: MapRegisterBase
 * @offset: as in MapTransferEx
 * @length: what was mapped or asked for (EC-116); fewer flush a part
 * @write: not used, the registers know the direction
 *
 * A system transfer that still runs is stopped, whatever the part is, and its
 * completion routine called with DmaCancelled before the return (EC-119), or, if
 * that of a loop runs on another processor just then, when it has returned
 * there. A part of it may be flushed as if it were all.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS (EC-115, EC-117); STATUS_INVALID_PARAMETER when @mdl
 *	is NULL or nothing of the part is mapped (EC-118), as nothing is of 0
 *	bytes.
 */
NTSTATUS ntdma_flush_buffers_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
				ULONGLONG offset, ULONG length, BOOLEAN write)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_regs *regs;
	bool hit;

	if (!mdl)
		return STATUS_INVALID_PARAMETER;
	regs = ntdma_regs_find(adapter, base);
	if (!regs)
		return STATUS_INVALID_PARAMETER;
	if (likely(ntdma_regs_rest(regs))) {
		hit = ntdma_map_flush(&regs->map, offset, length);
		if (!hit)
			ntdma_regs_missed(regs);
	} else {
		hit = ntdma_regs_cut(regs, offset, length);
	}
	return hit ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}
