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
#include "ntdma.h"
#include "regs.h"

static enum dma_data_direction ntdma_direction(BOOLEAN write)
{
	return write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

/* Whether these registers may take a run more in this direction. */
static bool ntdma_regs_accept(struct ntdma_regs *regs, BOOLEAN write)
{
	struct ntdma_map *map = &regs->map;

	if (!map->count)
		map->dir = ntdma_direction(write);
	if (map->merged || map->dir != ntdma_direction(write)) {
		ntdma_misuse(map->adapter, NTDMA_RULE_MAPPED_TWICE);
		return false;
	}
	return map->count < map->room && map->pages < map->room;
}

/* Bytes that a MapTransfer @skip bytes into an MDL maps at once. */
static u32 ntdma_regs_fit(struct ntdma_regs *regs, PMDL mdl, uintptr_t skip,
			  u32 length, BOOLEAN write)
{
	if (skip >= mdl->ByteCount || !ntdma_chain_ready(mdl)) {
		ntdma_misuse(regs->map.adapter, NTDMA_RULE_OUTSIDE_MDL);
		return 0;
	}
	if (!length)
		ntdma_misuse(regs->map.adapter, NTDMA_RULE_NO_LENGTH);
	length = min_t(u32, length, mdl->ByteCount - skip);
	if (!length || !ntdma_regs_accept(regs, write))
		return 0;
	return ntdma_map_fit(&regs->map, mdl, skip, length,
			     regs->map.room - regs->map.pages, 1);
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
 * There is no status. When nothing can be mapped, because the arguments are
 * wrong or the registers used up, the length is 0 and so is the address. A
 * mapping that fails is replaced by a copy of the page under registers of
 * AllocateAdapterChannel, which have pages for that. Those of
 * AllocateAdapterChannelEx have none where nothing else is copied, and get 0.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: the address for the device.
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

/**
 * ntdma_map_transfer_ex() - MapTransferEx
 * @wdm: the adapter
 * @mdl: first MDL of a chain
 * @base: MapRegisterBase with nothing mapped under it
 * @offset: chain offset of the first byte
 * @device_offset: not used
 * @length: in: bytes wanted, 1 to the rest of the chain; out: bytes mapped
 * @write: TRUE for memory to device
 * @list: buffer for the elements
 * @list_length: its bytes, all of them for the list (EC-94)
 * @completion: not used
 * @client: not used
 *
 * Maps less than asked for when registers (EC-98) or space for elements
 * (EC-96) run out. That is success; the client flushes and goes on at the
 * next byte (EC-97).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for a part that the chain
 *	does not have (EC-100, EC-101), a length of 0 (EC-102), a buffer that
 *	holds no element (EC-95, EC-103), and registers that are not flushed;
 *	STATUS_INSUFFICIENT_RESOURCES when not even the first mapping works
 *	and there is no page to copy through.
 */
NTSTATUS ntdma_map_transfer_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
			       ULONGLONG offset, ULONG device_offset,
			       PULONG length, BOOLEAN write,
			       PSCATTER_GATHER_LIST list, ULONG list_length,
			       PDMA_COMPLETION_ROUTINE completion,
			       PVOID client)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	u32 fit, room = ntdma_list_room(list, list_length);
	u64 total = ntdma_chain_length(mdl);
	struct ntdma_regs *regs;

	if (!room || !length || !*length || offset >= total ||
	    *length > total - offset || !ntdma_chain_ready(mdl))
		return STATUS_INVALID_PARAMETER;
	regs = ntdma_regs_find(adapter, base);
	if (!regs)
		return STATUS_INVALID_PARAMETER;
	if (regs->map.count) {
		ntdma_misuse(adapter, NTDMA_RULE_MAPPED_TWICE);
		return STATUS_INVALID_PARAMETER;
	}

	regs->map.dir = ntdma_direction(write);
	fit = ntdma_map_fit(&regs->map, mdl, offset, *length, regs->map.room,
			    room);
	if (ntdma_map_chain(&regs->map, mdl, offset, offset, &fit, room))
		return STATUS_INSUFFICIENT_RESOURCES;
	ntdma_map_elements(&regs->map, list);
	put_unaligned(0, &list->Reserved);
	*length = fit;
	return STATUS_SUCCESS;
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
 * again (EC-83). What is not mapped is left alone (EC-90).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: TRUE (EC-89); FALSE when @base is no set of registers.
 */
BOOLEAN ntdma_flush_buffers(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
			    PVOID current_va, ULONG length, BOOLEAN write)
{
	struct ntdma_regs *regs;

	if (!base)
		return TRUE;
	regs = ntdma_regs_find(to_adapter(wdm), base);
	if (!regs)
		return FALSE;
	if (!ntdma_map_flush(&regs->map, (uintptr_t)current_va, length) &&
	    length)
		ntdma_misuse(regs->map.adapter, NTDMA_RULE_NOT_MAPPED);
	return TRUE;
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
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS (EC-115, EC-117); STATUS_INVALID_PARAMETER when @mdl
 *	is NULL or nothing of the part is mapped (EC-118).
 */
NTSTATUS ntdma_flush_buffers_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
				ULONGLONG offset, ULONG length, BOOLEAN write)
{
	struct ntdma_regs *regs;

	if (!mdl)
		return STATUS_INVALID_PARAMETER;
	regs = ntdma_regs_find(to_adapter(wdm), base);
	if (!regs || !ntdma_map_flush(&regs->map, offset, length))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}
