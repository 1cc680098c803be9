/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which routines a version has. The routines of a table share a prefix.
 */
#ifndef NTDMA_TABLE_H
#define NTDMA_TABLE_H

#define NTDMA_SIZE1	offsetof(DMA_OPERATIONS, CalculateScatterGatherList)
#define NTDMA_SIZE2	offsetof(DMA_OPERATIONS, GetDmaAdapterInfo)
#define NTDMA_SIZE3	sizeof(DMA_OPERATIONS)

#define NTDMA_VERSION1(prefix)						\
	.PutDmaAdapter = prefix##_put_adapter,				\
	.AllocateCommonBuffer = prefix##_alloc_buffer,			\
	.FreeCommonBuffer = prefix##_free_buffer,			\
	.AllocateAdapterChannel = prefix##_allocate_channel,		\
	.FlushAdapterBuffers = prefix##_flush_buffers,			\
	.FreeAdapterChannel = prefix##_free_channel,			\
	.FreeMapRegisters = prefix##_free_registers,			\
	.MapTransfer = prefix##_map_transfer,				\
	.GetDmaAlignment = prefix##_get_alignment,			\
	.ReadDmaCounter = prefix##_read_counter,			\
	.GetScatterGatherList = prefix##_get_list,			\
	.PutScatterGatherList = prefix##_put_list

#define NTDMA_VERSION2(prefix)						\
	NTDMA_VERSION1(prefix),						\
	.CalculateScatterGatherList = prefix##_calculate_list,		\
	.BuildScatterGatherList = prefix##_build_list,			\
	.BuildMdlFromScatterGatherList = prefix##_build_mdl

#define NTDMA_VERSION3(prefix)						\
	NTDMA_VERSION2(prefix),						\
	.GetDmaAdapterInfo = prefix##_get_adapter_info,			\
	.GetDmaTransferInfo = prefix##_get_transfer_info,		\
	.InitializeDmaTransferContext = prefix##_init_context,		\
	.AllocateCommonBufferEx = prefix##_alloc_buffer_ex,		\
	.AllocateAdapterChannelEx = prefix##_allocate_channel_ex,	\
	.ConfigureAdapterChannel = prefix##_configure_channel,		\
	.CancelAdapterChannel = prefix##_cancel_channel,		\
	.MapTransferEx = prefix##_map_transfer_ex,			\
	.GetScatterGatherListEx = prefix##_get_list_ex,			\
	.BuildScatterGatherListEx = prefix##_build_list_ex,		\
	.FlushAdapterBuffersEx = prefix##_flush_buffers_ex,		\
	.FreeAdapterObject = prefix##_free_object,			\
	.CancelMappedTransfer = prefix##_cancel_transfer,		\
	.AllocateDomainCommonBuffer = prefix##_alloc_domain_buffer,	\
	.FlushDmaBuffer = prefix##_flush_dma,				\
	.JoinDmaDomain = prefix##_join_domain,				\
	.LeaveDmaDomain = prefix##_leave_domain,			\
	.GetDmaDomain = prefix##_get_domain,				\
	.AllocateCommonBufferWithBounds = prefix##_alloc_buffer_bounds,	\
	.AllocateCommonBufferVector = prefix##_alloc_vector,		\
	.GetCommonBufferFromVectorByIndex = prefix##_vector_element,	\
	.FreeCommonBufferFromVector = prefix##_free_element,		\
	.FreeCommonBufferVector = prefix##_free_vector,			\
	.CreateCommonBufferFromMdl = prefix##_lend_mdl

#endif /* NTDMA_TABLE_H */
