// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors: many common buffers of one size, allocated at once.
 *
 * Model: a vector has blocks (block.c), and elements lie in them in order: as
 * many as fit into a page where they are smaller, else one in each block. All
 * that there is to remember is in one piece of memory. An element that was
 * freed has no bit any more; with the last of its elements a block goes, and
 * not before.
 *
 * A vector is used by index, also where nothing may sleep; the client does not
 * free what it looks up at the same time.
 */
#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "ntdma.h"

/**
 * struct ntdma_chunk - a block and who is in it
 * @block: the memory
 * @used: its elements that are not free
 */
struct ntdma_chunk {
	struct ntdma_block block;
	atomic_t used;
};

/**
 * struct ntdma_vector - what PDMA_COMMON_BUFFER_VECTOR points to
 * @handle: found by its own address
 * @count: number of elements
 * @share: elements in a chunk
 * @stride: bytes from one element of a chunk to the next
 * @chunks: number of chunks
 * @live: a bit per element, behind the chunks
 * @chunk: the chunks
 */
struct ntdma_vector {
	struct ntdma_handle handle;
	u32 count;
	u32 share;
	size_t stride;
	u32 chunks;
	unsigned long *live;
	struct ntdma_chunk chunk[];
};

/* Elements of cached memory must not share a line with others. */
static size_t ntdma_vector_stride(const struct ntdma_want *want, u64 size)
{
	return round_up(size, want->cached ? dma_get_cache_alignment() :
					     sizeof(u64));
}

/* How elements of @size lie in chunks; @want becomes what a chunk must be. */
static void ntdma_vector_shape(struct ntdma_vector *shape,
			       const struct ntdma_want *want, u32 count,
			       u64 size)
{
	shape->count = count;
	shape->stride = ntdma_vector_stride(want, size);
	shape->share = 1;
	if (shape->stride < want->size)
		shape->share = want->size / shape->stride;
	shape->chunks = (count - 1) / shape->share + 1;
}

static struct ntdma_vector *
ntdma_vector_new(const struct ntdma_vector *shape)
{
	size_t size = struct_size(shape, chunk, shape->chunks);
	struct ntdma_vector *vector;

	size = size_add(size, BITS_TO_LONGS(shape->count) * sizeof(long));
	if (ntdma_fail_alloc())
		return NULL;
	vector = kvzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!vector)
		return NULL;
	*vector = *shape;
	vector->live = (void *)&vector->chunk[shape->chunks];
	return vector;
}

static u32 ntdma_vector_members(const struct ntdma_vector *vector, u32 chunk)
{
	return min(vector->share, vector->count - chunk * vector->share);
}

static void ntdma_vector_delete(struct ntdma_adapter *adapter,
				struct ntdma_vector *vector)
{
	u32 i;

	for (i = 0; i < vector->chunks; i++)
		if (atomic_read(&vector->chunk[i].used))
			ntdma_block_put(adapter, &vector->chunk[i].block);
	kvfree(vector);
}

static bool ntdma_vector_fill(struct ntdma_adapter *adapter,
			      const struct ntdma_want *want,
			      struct ntdma_vector *vector)
{
	u32 i;

	for (i = 0; i < vector->chunks; i++) {
		if (!ntdma_block_get(adapter, want, &vector->chunk[i].block))
			return false;
		atomic_set(&vector->chunk[i].used,
			   ntdma_vector_members(vector, i));
		cond_resched();
	}
	bitmap_set(vector->live, 0, vector->count);
	return true;
}

static NTSTATUS ntdma_vector_create(struct ntdma_adapter *adapter,
				    const struct ntdma_want *want, u32 count,
				    u64 size, PDMA_COMMON_BUFFER_VECTOR *out)
{
	struct ntdma_vector shape = {}, *vector;
	struct ntdma_want chunk = *want;
	u64 pages;

	/* More than a bitmap numbers. */
	if (count > INT_MAX)
		return STATUS_INSUFFICIENT_RESOURCES;
	ntdma_vector_shape(&shape, want, count, size);
	/* All elements of a chunk are the client's. */
	chunk.length = (min(count, shape.share) - 1) * shape.stride + size;
	pages = (u64)(want->size >> PAGE_SHIFT) * shape.chunks;
	if (pages > si_mem_available())
		return STATUS_INSUFFICIENT_RESOURCES;
	vector = ntdma_vector_new(&shape);
	if (!vector)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!ntdma_vector_fill(adapter, &chunk, vector)) {
		ntdma_vector_delete(adapter, vector);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	percpu_ref_get(&adapter->ref);
	ntdma_handle_add(&vector->handle, NTDMA_VECTOR, vector, adapter);
	*out = (PDMA_COMMON_BUFFER_VECTOR)vector;
	return STATUS_SUCCESS;
}

/**
 * ntdma_alloc_vector() - AllocateCommonBufferVector
 * @wdm: the adapter
 * @low: lowest logical address allowed
 * @high: highest logical address allowed; 0 and -1 for the adapter's reach
 * @type: MmNonCached or MmCached, as for AllocateCommonBufferWithBounds
 * @node: preferred NUMA node, ignored when there is none such
 * @flags: DOMAIN_COMMON_BUFFER_LARGE_PAGE to take the memory in large pages;
 *	others are ignored
 * @count: number of elements, at least 1
 * @size: bytes of an element, at least 1
 * @out: set to the vector, or NULL
 *
 * All elements or none. Each is one run for the device and aligned to 8
 * bytes, larger than half a page to a page unless they are in large pages; small
 * ones share pages.
 *
 * EC-185, S19.
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for a count or size of 0,
 *	another type, @low above @high, or no @out;
 *	STATUS_INSUFFICIENT_RESOURCES when there is no memory, or none within
 *	bounds.
 */
NTSTATUS ntdma_alloc_vector(PDMA_ADAPTER wdm, PHYSICAL_ADDRESS low,
			    PHYSICAL_ADDRESS high, MEMORY_CACHING_TYPE type,
			    NODE_REQUIREMENT node, ULONG flags, ULONG count,
			    ULONGLONG size, PDMA_COMMON_BUFFER_VECTOR *out)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	u64 last = high.QuadPart ?: U64_MAX;
	struct ntdma_want want;
	int ret;

	if (!out)
		return STATUS_INVALID_PARAMETER;
	*out = NULL;
	ret = ntdma_want_init(&want, adapter, size, flags, &type, node);
	if (ret == -EINVAL || !count || (u64)low.QuadPart > last)
		return STATUS_INVALID_PARAMETER;
	if (ret || !ntdma_want_bounds(&want, low.QuadPart, last))
		return STATUS_INSUFFICIENT_RESOURCES;
	return ntdma_vector_create(adapter, &want, count, size, out);
}

static struct ntdma_vector *ntdma_vector_find(struct ntdma_adapter *adapter,
					      const void *opaque, u32 index)
{
	struct ntdma_handle *handle = ntdma_handle_find(NTDMA_VECTOR, opaque,
							adapter);
	struct ntdma_vector *vector;

	if (!handle)
		return NULL;
	vector = container_of(handle, struct ntdma_vector, handle);
	if (index >= vector->count || !test_bit(index, vector->live))
		return NULL;
	return vector;
}

/**
 * ntdma_vector_element() - GetCommonBufferFromVectorByIndex
 * @wdm: the adapter
 * @opaque: a vector of it
 * @index: from 0
 * @va: set to the address for the CPU, or NULL for what is no live element
 *	(EC-186, EC-187)
 * @logical: set to the address for the device, or 0
 *
 * Takes the same time for any vector. The answer is always the same (S19).
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID ntdma_vector_element(PDMA_ADAPTER wdm, PDMA_COMMON_BUFFER_VECTOR opaque,
			  ULONG index, PVOID *va, PPHYSICAL_ADDRESS logical)
{
	struct ntdma_vector *vector = ntdma_vector_find(to_adapter(wdm),
							opaque, index);
	struct ntdma_known *known;
	size_t offset;

	if (vector) {
		known = &vector->chunk[index / vector->share].block.known;
		offset = index % vector->share * vector->stride;
		*va = known->va + offset;
		logical->QuadPart = known->addr + offset;
	} else {
		*va = NULL;
		logical->QuadPart = 0;
		ntdma_refuse();
	}
}

/**
 * ntdma_free_element() - FreeCommonBufferFromVector
 * @wdm: the adapter
 * @opaque: a vector of it
 * @index: from 0
 *
 * The other elements keep addresses and contents (EC-188). What is no live
 * element is refused (EC-189).
 *
 * Context: PASSIVE_LEVEL.
 */
VOID ntdma_free_element(PDMA_ADAPTER wdm, PDMA_COMMON_BUFFER_VECTOR opaque,
			ULONG index)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_vector *vector = ntdma_vector_find(adapter, opaque,
							index);
	struct ntdma_chunk *chunk;

	if (!vector || !test_and_clear_bit(index, vector->live)) {
		ntdma_misuse(adapter, NTDMA_RULE_FREED_BUFFER);
		return;
	}
	chunk = &vector->chunk[index / vector->share];
	if (atomic_dec_and_test(&chunk->used))
		ntdma_block_put(adapter, &chunk->block);
}

/**
 * ntdma_vector_forget() - free a vector
 * @handle: out of the table of live objects
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_vector_forget(struct ntdma_handle *handle)
{
	struct ntdma_adapter *adapter = handle->adapter;

	ntdma_vector_delete(adapter, container_of(handle, struct ntdma_vector,
						  handle));
	percpu_ref_put(&adapter->ref);
}

/**
 * ntdma_free_vector() - FreeCommonBufferVector
 * @wdm: the adapter
 * @opaque: a vector of it
 *
 * Frees its elements, too (EC-190). What is no live vector is refused.
 *
 * Context: PASSIVE_LEVEL.
 */
VOID ntdma_free_vector(PDMA_ADAPTER wdm, PDMA_COMMON_BUFFER_VECTOR opaque)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_handle *handle = ntdma_handle_take(NTDMA_VECTOR, opaque,
							adapter);

	if (handle)
		ntdma_vector_forget(handle);
	else
		ntdma_misuse(adapter, NTDMA_RULE_FREED_BUFFER);
}
