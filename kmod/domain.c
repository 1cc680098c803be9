// SPDX-License-Identifier: GPL-2.0
/*
 * DMA domains: none are served.
 *
 * Sharing addresses between devices needs mappings beside those of the DMA
 * API, which ntdma does not make. The routines answer what the interface has
 * for a platform without domains.
 */
#include "ntdma.h"

/**
 * ntdma_get_domain() - GetDmaDomain
 * @wdm: the adapter
 *
 * S21.
 *
 * Context: PASSIVE_LEVEL.
 * Return: NULL, always.
 */
HANDLE ntdma_get_domain(PDMA_ADAPTER wdm)
{
	return NULL;
}

/**
 * ntdma_join_domain() - JoinDmaDomain
 * @wdm: the adapter
 * @domain: a handle that GetDmaDomain never returned (EC-192)
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_NOT_SUPPORTED.
 */
NTSTATUS ntdma_join_domain(PDMA_ADAPTER wdm, HANDLE domain)
{
	return STATUS_NOT_SUPPORTED;
}

/**
 * ntdma_leave_domain() - LeaveDmaDomain
 * @wdm: the adapter, which joined nothing (EC-196)
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_INVALID_DEVICE_STATE.
 */
NTSTATUS ntdma_leave_domain(PDMA_ADAPTER wdm)
{
	return STATUS_INVALID_DEVICE_STATE;
}

/**
 * ntdma_alloc_domain_buffer() - AllocateDomainCommonBuffer
 * @wdm: the adapter
 * @domain: a handle that GetDmaDomain never returned (EC-194)
 * @maximum: not used
 * @length: not used
 * @flags: not used
 * @type: not used
 * @node: not used
 * @logical: not written
 * @va: set to NULL
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_INVALID_HANDLE.
 */
NTSTATUS ntdma_alloc_domain_buffer(PDMA_ADAPTER wdm, HANDLE domain,
				   PPHYSICAL_ADDRESS maximum, ULONG length,
				   ULONG flags, MEMORY_CACHING_TYPE *type,
				   NODE_REQUIREMENT node,
				   PPHYSICAL_ADDRESS logical, PVOID *va)
{
	if (va)
		*va = NULL;
	return STATUS_INVALID_HANDLE;
}
