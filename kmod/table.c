// SPDX-License-Identifier: GPL-2.0
/*
 * The operations tables, one per version.
 *
 * Size ends behind the last routine of its version: clients compare it for
 * equality, and probe for newer routines with it. What is behind it is NULL.
 * Version 3 has all that there is; CreateCommonBufferFromMdl is its last.
 */
#include "ntdma.h"

#define NTDMA_VERSION1							\
	.PutDmaAdapter = ntdma_put_adapter,				\
	.AllocateCommonBuffer = ntdma_alloc_buffer,			\
	.FreeCommonBuffer = ntdma_free_buffer,				\
	.AllocateAdapterChannel = ntdma_allocate_channel,		\
	.FlushAdapterBuffers = ntdma_flush_buffers,			\
	.FreeAdapterChannel = ntdma_free_channel,			\
	.FreeMapRegisters = ntdma_free_registers,			\
	.MapTransfer = ntdma_map_transfer,				\
	.GetDmaAlignment = ntdma_get_alignment,				\
	.ReadDmaCounter = ntdma_read_counter,				\
	.GetScatterGatherList = ntdma_get_list,				\
	.PutScatterGatherList = ntdma_put_list

#define NTDMA_VERSION2							\
	NTDMA_VERSION1,							\
	.CalculateScatterGatherList = ntdma_calculate_list,		\
	.BuildScatterGatherList = ntdma_build_list,			\
	.BuildMdlFromScatterGatherList = ntdma_build_mdl

static const DMA_OPERATIONS ntdma_tables[] = {
	{
		.Size = offsetof(DMA_OPERATIONS, CalculateScatterGatherList),
		NTDMA_VERSION1,
	}, {
		.Size = offsetof(DMA_OPERATIONS, GetDmaAdapterInfo),
		NTDMA_VERSION2,
	}, {
		.Size = sizeof(DMA_OPERATIONS),
		NTDMA_VERSION2,
		.GetDmaAdapterInfo = ntdma_get_adapter_info,
		.GetDmaTransferInfo = ntdma_get_transfer_info,
		.InitializeDmaTransferContext = ntdma_init_context,
		.AllocateCommonBufferEx = ntdma_alloc_buffer_ex,
		.AllocateAdapterChannelEx = ntdma_allocate_channel_ex,
		.ConfigureAdapterChannel = ntdma_configure_channel,
		.CancelAdapterChannel = ntdma_cancel_channel,
		.MapTransferEx = ntdma_map_transfer_ex,
		.GetScatterGatherListEx = ntdma_get_list_ex,
		.BuildScatterGatherListEx = ntdma_build_list_ex,
		.FlushAdapterBuffersEx = ntdma_flush_buffers_ex,
		.FreeAdapterObject = ntdma_free_object,
		.CancelMappedTransfer = ntdma_cancel_transfer,
		.AllocateDomainCommonBuffer = ntdma_alloc_domain_buffer,
		.FlushDmaBuffer = ntdma_flush_dma,
		.JoinDmaDomain = ntdma_join_domain,
		.LeaveDmaDomain = ntdma_leave_domain,
		.GetDmaDomain = ntdma_get_domain,
		.AllocateCommonBufferWithBounds = ntdma_alloc_buffer_bounds,
		.AllocateCommonBufferVector = ntdma_alloc_vector,
		.GetCommonBufferFromVectorByIndex = ntdma_vector_element,
		.FreeCommonBufferFromVector = ntdma_free_element,
		.FreeCommonBufferVector = ntdma_free_vector,
		.CreateCommonBufferFromMdl = ntdma_lend_mdl,
	},
};

/**
 * ntdma_table() - the operations of a version
 * @version: 1 to 3
 *
 * Context: any.
 * Return: the table, shared by all adapters and read-only for clients too.
 */
PDMA_OPERATIONS ntdma_table(u8 version)
{
	return (PDMA_OPERATIONS)&ntdma_tables[version - 1];
}
