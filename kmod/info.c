// SPDX-License-Identifier: GPL-2.0
/*
 * What a client may ask about an adapter, and the routines that a bus master
 * has no use for.
 *
 * The queries of what an adapter is like are pure: nothing is allocated, locked
 * or changed. The counter, the configuration and the cancel of system DMA are the
 * engine's, with its locks.
 */
#include <linux/dma-mapping.h>

#include "engine.h"

/* The parts of the structs that exist in each version. */
#define NTDMA_INFO_V1_END	24
#define NTDMA_TRANSFER_V1_END	16

static_assert(offsetof(DMA_ADAPTER_INFO, V1) +
	      sizeof(DMA_ADAPTER_INFO_V1) == NTDMA_INFO_V1_END);
static_assert(offsetof(DMA_TRANSFER_INFO, V1) +
	      sizeof(DMA_TRANSFER_INFO_V1) == NTDMA_TRANSFER_V1_END);

/**
 * ntdma_get_alignment() - GetDmaAlignment
 * @wdm: the adapter
 *
 * Buffers that share no cache line with other data need no copies on devices
 * that are not coherent. A controller takes whole units of the data register.
 *
 * Context: any; documented for PASSIVE_LEVEL.
 * Return: alignment in bytes, a power of two; 1 for a coherent device
 *	(EC-23, S27), DmaWidth in bytes for system DMA. AlignmentRequirement is
 *	this less one.
 */
ULONG ntdma_get_alignment(PDMA_ADAPTER wdm)
{
	return to_adapter(wdm)->alignment;
}

/**
 * ntdma_read_counter() - ReadDmaCounter
 * @wdm: the adapter
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: bytes left of the adapter's system transfer (EC-92), 0 when it is
 *	over, when the controller cannot tell or the description has
 *	IgnoreCount, and for a bus master (EC-93).
 */
ULONG ntdma_read_counter(PDMA_ADAPTER wdm)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	return adapter->engine ?
	       ntdma_engine_residue(adapter->engine, adapter->port) : 0;
}

/**
 * ntdma_get_adapter_info() - GetDmaAdapterInfo
 * @wdm: the adapter
 * @info: Version 1, or 0 for clients that never set it (EC-27)
 *
 * Writes the 20 bytes of V1 and nothing else (EC-24). Flags is 0: addresses
 * always come from the map routines (EC-28).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_NOT_SUPPORTED for another version, the crash
 *	dump one included (EC-25, EC-26); STATUS_INVALID_PARAMETER for NULL.
 */
NTSTATUS ntdma_get_adapter_info(PDMA_ADAPTER wdm, PDMA_ADAPTER_INFO info)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	if (!info)
		return STATUS_INVALID_PARAMETER;
	if (info->Version > DMA_ADAPTER_INFO_VERSION1)
		return STATUS_NOT_SUPPORTED;
	info->V1.ReadDmaCounterAvailable = adapter->engine &&
					   adapter->engine->counter &&
					   !adapter->port->blind;
	info->V1.ScatterGatherLimit = adapter->elements;
	info->V1.DmaAddressWidth = adapter->width;
	info->V1.Flags = 0;
	info->V1.MinimumTransferUnit = adapter->engine ?
				       adapter->port->quantum : 1;
	return STATUS_SUCCESS;
}

/**
 * ntdma_get_transfer_info() - GetDmaTransferInfo
 * @wdm: the adapter
 * @mdl: first MDL of a chain
 * @offset: chain offset, below its length
 * @length: in bytes, 1 to the rest of the chain
 * @write_only: not used, the answer holds for both directions
 * @info: Version 1 or 2, or 0 for clients that never set it
 *
 * The answers are upper bounds, and enough for BuildScatterGatherListEx and
 * MapTransferEx with the same part (EC-29, EC-36). Version 1 gets 12 bytes
 * (EC-30).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_NOT_SUPPORTED for another version (EC-31);
 *	STATUS_INVALID_PARAMETER for a part that the chain does not have
 *	(EC-35).
 */
NTSTATUS ntdma_get_transfer_info(PDMA_ADAPTER wdm, PMDL mdl, ULONGLONG offset,
				 ULONG length, BOOLEAN write_only,
				 PDMA_TRANSFER_INFO info)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	u64 total = ntdma_chain_length(mdl);
	u32 pages;

	if (!info)
		return STATUS_INVALID_PARAMETER;
	if (info->Version > DMA_TRANSFER_INFO_VERSION2)
		return STATUS_NOT_SUPPORTED;
	if (!length || offset >= total || length > total - offset)
		return STATUS_INVALID_PARAMETER;

	pages = ntdma_chain_span(mdl, offset, length);
	info->V1.MapRegisterCount = pages;
	info->V1.ScatterGatherElementCount = adapter->sg ? pages : 1;
	info->V1.ScatterGatherListSize = ntdma_list_size(adapter, pages);
	if (info->Version == DMA_TRANSFER_INFO_VERSION2)
		info->V2.LogicalPageCount = pages;
	return STATUS_SUCCESS;
}

/**
 * ntdma_configure_channel() - ConfigureAdapterChannel
 * @wdm: the adapter
 * @function: see the documentation of the controller's numbers
 * @argument: for the function
 *
 * Settings are this adapter's; others of the channel keep their own. What the
 * hook of the vendor's functions does is its own affair.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_NOT_IMPLEMENTED for a bus master and for a
 *	number that the controller does not know (EC-126);
 *	STATUS_INVALID_PARAMETER for an argument that is wrong;
 *	STATUS_INVALID_DEVICE_STATE when the state of the transfer forbids it.
 */
NTSTATUS ntdma_configure_channel(PDMA_ADAPTER wdm, ULONG function,
				 PVOID argument)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	if (!adapter->engine)
		return STATUS_NOT_IMPLEMENTED;
	return ntdma_engine_configure(adapter->engine, adapter->port, function,
				      argument);
}

/**
 * ntdma_cancel_transfer() - CancelMappedTransfer
 * @wdm: the adapter
 * @bytes: transfer context of the request that owns the channel
 *
 * A transfer that runs is stopped and told DmaCancelled (EC-120) before the
 * return, or, if the completion routine of a loop runs on another processor just
 * then, when it has returned there. Before one is mapped, this marks the channel:
 * until the next flush MapTransferEx returns STATUS_CANCELLED (EC-122). Nothing is
 * released (EC-121).
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for a bus master (EC-125),
 *	a context that does not own the channel, a transfer that has ended
 *	(EC-123), and a second cancel (EC-124).
 */
NTSTATUS ntdma_cancel_transfer(PDMA_ADAPTER wdm, PVOID bytes)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_context *context;

	if (!adapter->engine)
		return STATUS_INVALID_PARAMETER;
	context = ntdma_context_of(adapter, bytes);
	return context ? ntdma_engine_cancel(adapter, context) :
			 STATUS_INVALID_PARAMETER;
}
