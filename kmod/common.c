// SPDX-License-Identifier: GPL-2.0
/*
 * Common buffers: memory that CPU and device share for as long as it lives.
 *
 * Model: a buffer is a block (block.c) and what the client was told of it. It
 * is in the table of live objects, so that a free with wrong arguments does
 * nothing.
 *
 * CacheEnabled is a hint that nothing follows from: the memory is coherent
 * whatever the platform has to do for it. Only the routines that take a
 * MEMORY_CACHING_TYPE give cached memory on a device that is not coherent.
 */
#include "domain.h"
#include "ntdma.h"

/**
 * struct ntdma_buffer - a common buffer
 * @handle: found by its address for the CPU
 * @block: the memory
 * @shared: of a domain, or NULL
 * @length: what the client asked for, in bytes
 */
struct ntdma_buffer {
	struct ntdma_handle handle;
	struct ntdma_block block;
	struct ntdma_shared *shared;
	u32 length;
};

/* Shows a buffer to the client. */
static void *ntdma_buffer_add(struct ntdma_adapter *adapter,
			      struct ntdma_buffer *buffer, u32 length,
			      PPHYSICAL_ADDRESS logical)
{
	struct ntdma_known *known = &buffer->block.known;

	buffer->length = length;
	percpu_ref_get(&adapter->ref);
	ntdma_handle_add(&buffer->handle, NTDMA_BUFFER, known->va, adapter);
	logical->QuadPart = known->addr;
	return known->va;
}

static void *ntdma_buffer_create(struct ntdma_adapter *adapter,
				 const struct ntdma_want *want, u32 length,
				 PPHYSICAL_ADDRESS logical)
{
	struct ntdma_buffer *buffer;

	if (!logical)
		return NULL;
	buffer = ntdma_alloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return NULL;
	if (!ntdma_block_get(adapter, want, &buffer->block)) {
		ntdma_free(buffer);
		return NULL;
	}
	return ntdma_buffer_add(adapter, buffer, length, logical);
}

/**
 * ntdma_buffer_forget() - free a common buffer
 * @handle: out of the table of live objects
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_buffer_forget(struct ntdma_handle *handle)
{
	struct ntdma_buffer *buffer = container_of(handle, struct ntdma_buffer,
						   handle);
	struct ntdma_adapter *adapter = handle->adapter;

	if (buffer->shared)
		ntdma_shared_destroy(adapter, buffer->shared);
	else
		ntdma_block_put(adapter, &buffer->block);
	ntdma_free(buffer);
	percpu_ref_put(&adapter->ref);
}

/**
 * ntdma_alloc_buffer() - AllocateCommonBuffer
 * @wdm: the adapter
 * @length: in bytes, at least 1; may exceed MaximumLength (EC-163)
 * @logical: set to the address for the device
 * @cached: not used, the memory is coherent (EC-161)
 *
 * The buffer is page aligned, zeroed and one run within the adapter's reach
 * (EC-160, EC-162).
 *
 * Context: PASSIVE_LEVEL.
 * Return: the address for the CPU, or NULL.
 */
PVOID ntdma_alloc_buffer(PDMA_ADAPTER wdm, ULONG length,
			 PPHYSICAL_ADDRESS logical, BOOLEAN cached)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_want want;

	if (ntdma_want_init(&want, adapter, length, 0, NULL, MM_ANY_NODE_OK) ||
	    !ntdma_want_bounds(&want, 0, U64_MAX))
		return NULL;
	return ntdma_buffer_create(adapter, &want, length, logical);
}

/**
 * ntdma_alloc_buffer_ex() - AllocateCommonBufferEx
 * @wdm: the adapter
 * @maximum: no byte of the buffer is at or above this address, which need not
 *	be a power of two; NULL for the adapter's reach only (EC-165, EC-166)
 * @length: in bytes, at least 1
 * @logical: set to the address for the device
 * @cached: not used, the memory is coherent
 * @node: preferred NUMA node, ignored when there is none such (EC-167)
 *
 * Context: PASSIVE_LEVEL.
 * Return: the address for the CPU, or NULL.
 */
PVOID ntdma_alloc_buffer_ex(PDMA_ADAPTER wdm, PPHYSICAL_ADDRESS maximum,
			    ULONG length, PPHYSICAL_ADDRESS logical,
			    BOOLEAN cached, NODE_REQUIREMENT node)
{
	return ntdma_alloc_buffer_bounds(wdm, NULL, maximum, length, 0, NULL,
					 node, logical);
}

/* The highest address below the limit of a client; false for none. */
bool ntdma_last_below(const PHYSICAL_ADDRESS *maximum, u64 *last)
{
	*last = U64_MAX;
	if (!maximum)
		return true;
	*last = (u64)maximum->QuadPart - 1;
	return maximum->QuadPart;
}

/**
 * ntdma_alloc_buffer_bounds() - AllocateCommonBufferWithBounds
 * @wdm: the adapter
 * @minimum: lowest logical address allowed, NULL for none (EC-169)
 * @maximum: no byte of the buffer is at or above this address, NULL for the
 *	adapter's reach only
 * @length: in bytes, at least 1
 * @flags: DOMAIN_COMMON_BUFFER_LARGE_PAGE for a buffer of whole large pages,
 *	512 pages each, aligned to them; others are ignored
 * @type: MmNonCached or MmCached, NULL for the platform's own (EC-170, EC-171).
 *	MmCached on a device that is not coherent gives memory that needs
 *	FlushDmaBuffer
 * @node: preferred NUMA node, ignored when there is none such
 * @logical: set to the address for the device
 *
 * Behind an IOMMU bounds are exact in the window, which has all from 4 GiB up
 * and the upper quarter of what the device reaches below. There is no allocator
 * with a lowest address below it, and none without an IOMMU: what exists there
 * may not be found.
 *
 * Context: PASSIVE_LEVEL.
 * Return: the address for the CPU, or NULL, also when the bounds exclude each
 *	other or all that the device reaches (EC-168, S18).
 */
PVOID ntdma_alloc_buffer_bounds(PDMA_ADAPTER wdm, PPHYSICAL_ADDRESS minimum,
				PPHYSICAL_ADDRESS maximum, ULONG length,
				ULONG flags, MEMORY_CACHING_TYPE *type,
				NODE_REQUIREMENT node,
				PPHYSICAL_ADDRESS logical)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	u64 min = minimum ? minimum->QuadPart : 0, last;
	struct ntdma_want want;

	if (!ntdma_last_below(maximum, &last) ||
	    ntdma_want_init(&want, adapter, length, flags, type, node) ||
	    !ntdma_want_bounds(&want, min, last))
		return NULL;
	return ntdma_buffer_create(adapter, &want, length, logical);
}

/**
 * ntdma_alloc_domain_buffer() - AllocateDomainCommonBuffer
 * @wdm: an adapter that is a member
 * @domain: what its GetDmaDomain returned
 * @maximum: no byte of the buffer is at or above this address, NULL for what
 *	all members reach
 * @length: in bytes, at least 1
 * @flags: as for AllocateCommonBufferWithBounds
 * @type: the same, but that the memory is coherent also when it is cached
 * @node: the same
 * @logical: set to the address for all devices of the domain
 * @va: set to the address for the CPU, NULL on failure
 *
 * FreeCommonBuffer of this adapter frees it, whoever is a member then (S21,
 * EC-173). It also ends when the adapter's device loses its driver.
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_SUCCESS (EC-193); STATUS_INVALID_HANDLE for what is no domain
 *	(EC-194); STATUS_INVALID_PARAMETER for the domain of others, no length,
 *	an unknown kind of caching, and nowhere to put the addresses;
 *	STATUS_INSUFFICIENT_RESOURCES when there is no memory, or no address
 *	that is free for all members, which is never one below their windows.
 */
NTSTATUS ntdma_alloc_domain_buffer(PDMA_ADAPTER wdm, HANDLE domain,
				   PPHYSICAL_ADDRESS maximum, ULONG length,
				   ULONG flags, MEMORY_CACHING_TYPE *type,
				   NODE_REQUIREMENT node,
				   PPHYSICAL_ADDRESS logical, PVOID *va)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_buffer *buffer;
	struct ntdma_want want;
	NTSTATUS status;
	u64 last;
	int ret;

	if (!va || !logical)
		return STATUS_INVALID_PARAMETER;
	*va = NULL;
	ret = ntdma_want_init(&want, adapter, length, flags, type, node);
	if (ret == -EINVAL)
		return STATUS_INVALID_PARAMETER;
	if (ret || !ntdma_last_below(maximum, &last) ||
	    !ntdma_want_bounds(&want, 0, last))
		return STATUS_INSUFFICIENT_RESOURCES;
	want.cached = false;
	buffer = ntdma_alloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = ntdma_shared_create(adapter, domain, &want, &buffer->block,
				     &buffer->shared);
	if (status) {
		ntdma_free(buffer);
		return status;
	}
	*va = ntdma_buffer_add(adapter, buffer, length, logical);
	return STATUS_SUCCESS;
}

/**
 * struct ntdma_claim - what a client says that it frees
 * @length: in bytes
 * @addr: the address for the device
 */
struct ntdma_claim {
	u32 length;
	u64 addr;
};

static bool ntdma_buffer_is(const struct ntdma_handle *handle,
			    const void *data)
{
	const struct ntdma_buffer *buffer =
		container_of(handle, struct ntdma_buffer, handle);
	const struct ntdma_claim *claim = data;

	return buffer->length == claim->length &&
	       buffer->block.known.addr == claim->addr;
}

/**
 * ntdma_free_buffer() - FreeCommonBuffer
 * @wdm: the adapter that allocated it
 * @length: as allocated
 * @logical: as allocated
 * @va: as allocated; of a buffer made from an MDL the system address
 * @cached: not used; clients get it wrong
 *
 * Does nothing unless all three are those of a live buffer, whichever routine
 * made it (EC-172 to EC-174, EC-184).
 *
 * Context: PASSIVE_LEVEL.
 */
VOID ntdma_free_buffer(PDMA_ADAPTER wdm, ULONG length,
		       PHYSICAL_ADDRESS logical, PVOID va, BOOLEAN cached)
{
	struct ntdma_claim claim = { length, logical.QuadPart };
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_handle *handle;

	handle = ntdma_handle_take_if(NTDMA_BUFFER, va, adapter,
				      ntdma_buffer_is, &claim);
	if (handle)
		ntdma_buffer_forget(handle);
	else if (!ntdma_lent_free(adapter, length, logical.QuadPart, va))
		ntdma_misuse(adapter, NTDMA_RULE_FREED_BUFFER);
}
