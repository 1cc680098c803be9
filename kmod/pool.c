// SPDX-License-Identifier: GPL-2.0
/*
 * Pool memory.
 *
 * Pool comes from kmalloc(), which can be mapped for DMA, and from vmalloc()
 * where a caller that may sleep asks for more than kmalloc() can give. All of
 * it is resident, so paged and non-paged pool are the same. Tags are not kept.
 *
 * Promises of Windows that kmalloc() does not make by itself: blocks are
 * aligned to two pointers, blocks smaller than a page do not cross a page
 * boundary. Caches whose objects have a power of two for a size keep both; the
 * odd sizes between them are passed over. Blocks of a page and more start on a
 * page boundary.
 *
 * No exceptions are raised: failure is NULL even where a driver asked for one.
 */
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#define NTDMA_LINUX_NAMES
#include "wdm.h"

#define NTDMA_POOL_ALIGN	(2 * sizeof(void *))

/* The upper half of POOL_FLAGS may be ignored, the lower half may not. */
#define NTDMA_POOL_REQUIRED	0xFFFFFFFFULL
#define NTDMA_POOL_KINDS						\
	(POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED)
#define NTDMA_POOL_KNOWN						\
	(NTDMA_POOL_KINDS | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | \
	 POOL_FLAG_SESSION | POOL_FLAG_CACHE_ALIGNED |			\
	 POOL_FLAG_RAISE_ON_FAILURE)

/* The bit that tells the cache aligned members of POOL_TYPE from the others. */
#define NTDMA_POOL_TYPE_ALIGNED	4

/* Something to ask kmalloc() for that keeps the promises above. */
static size_t ntdma_pool_round(size_t size, bool cache_aligned)
{
	size_t least = NTDMA_POOL_ALIGN;
	size_t room;

	if (size >= PAGE_SIZE)
		return size;
	if (cache_aligned)
		least = max_t(size_t, L1_CACHE_BYTES,
			      dma_get_cache_alignment());
	if (size < least)
		size = least;
	room = kmalloc_size_roundup(size);
	return is_power_of_2(room) ? size : room + 1;
}

static void *ntdma_pool_get(size_t size, bool cache_aligned, bool zero)
{
	gfp_t gfp = __GFP_NOWARN | (zero ? __GFP_ZERO : 0);

	if (!size)
		return NULL;
	size = ntdma_pool_round(size, cache_aligned);
	if (KeGetCurrentIrql() >= DISPATCH_LEVEL)
		return kmalloc(size, GFP_ATOMIC | gfp);
	/* Rather no memory than the OOM killer. */
	return kvmalloc(size, GFP_KERNEL | __GFP_RETRY_MAYFAIL | gfp);
}

/**
 * ExAllocatePoolWithTag() - allocate memory
 * @type: only whether it asks for cache alignment matters
 * @size: in bytes
 * @tag: not used
 *
 * Context: <= DISPATCH_LEVEL; sleeps below it. At DISPATCH_LEVEL some megabytes
 *	are the most there is.
 * Return: the memory, not initialised; NULL when there is none or @size is 0.
 */
PVOID ExAllocatePoolWithTag(POOL_TYPE type, SIZE_T size, ULONG tag)
{
	return ntdma_pool_get(size, type & NTDMA_POOL_TYPE_ALIGNED, false);
}
EXPORT_SYMBOL_NTDMA(ExAllocatePoolWithTag);

/**
 * ExAllocatePoolZero() - allocate zeroed memory
 * @type: only whether it asks for cache alignment matters
 * @size: in bytes
 * @tag: not used
 *
 * Context: as for ExAllocatePoolWithTag().
 * Return: the memory; NULL when there is none or @size is 0.
 */
PVOID ExAllocatePoolZero(POOL_TYPE type, SIZE_T size, ULONG tag)
{
	return ntdma_pool_get(size, type & NTDMA_POOL_TYPE_ALIGNED, true);
}
EXPORT_SYMBOL_NTDMA(ExAllocatePoolZero);

/**
 * ExAllocatePool2() - allocate memory, zeroed unless told otherwise
 * @flags: exactly one of POOL_FLAG_NON_PAGED, POOL_FLAG_NON_PAGED_EXECUTE and
 *	POOL_FLAG_PAGED, with POOL_FLAG_UNINITIALIZED and
 *	POOL_FLAG_CACHE_ALIGNED as wanted
 * @size: in bytes
 * @tag: not used
 *
 * Context: as for ExAllocatePoolWithTag().
 * Return: the memory; NULL when there is none, @size is 0 or @flags is not
 *	as above.
 */
PVOID ExAllocatePool2(POOL_FLAGS flags, SIZE_T size, ULONG tag)
{
	if (hweight64(flags & NTDMA_POOL_KINDS) != 1)
		return NULL;
	if (flags & NTDMA_POOL_REQUIRED & ~NTDMA_POOL_KNOWN)
		return NULL;
	return ntdma_pool_get(size, flags & POOL_FLAG_CACHE_ALIGNED,
			      !(flags & POOL_FLAG_UNINITIALIZED));
}
EXPORT_SYMBOL_NTDMA(ExAllocatePool2);

/**
 * ExFreePoolWithTag() - free memory
 * @memory: what an allocation routine returned, or NULL
 * @tag: not used
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ExFreePoolWithTag(PVOID memory, ULONG tag)
{
	kvfree(memory);
}
EXPORT_SYMBOL_NTDMA(ExFreePoolWithTag);

/**
 * ExFreePool() - free memory
 * @memory: what an allocation routine returned, or NULL
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ExFreePool(PVOID memory)
{
	kvfree(memory);
}
EXPORT_SYMBOL_NTDMA(ExFreePool);
