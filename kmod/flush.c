// SPDX-License-Identifier: GPL-2.0
/*
 * FlushDmaBuffer: memory that stays mapped becomes the same for both sides.
 *
 * There are two kinds of memory that CPU and device see differently while it
 * is mapped: what a list or a set of registers maps, where the platform is
 * not coherent or pages are copied, and common buffers that the client wanted
 * cached. A list is found by its memory, so that any MDL over it will do.
 * Registers, which others may map and flush meanwhile, are found by the MDL
 * that was mapped last, and left alone otherwise.
 *
 * Locks: adapter->flush_lock while mappings are looked for and synced, so that
 * none of them goes away.
 */
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include "ntdma.h"
#include "regs.h"

static struct ntdma_map *ntdma_flush_map(struct ntdma_handle *handle)
{
	if (handle->kind == NTDMA_LIST)
		return ntdma_list_map(handle);
	return &container_of(handle, struct ntdma_regs, handle)->map;
}

/* Lists stay as they are: whether they concern an MDL is looked at later. */
static bool ntdma_flush_is(const struct ntdma_handle *handle, const void *mdl)
{
	return handle->kind == NTDMA_LIST ||
	       ntdma_map_is_of(ntdma_flush_map((void *)handle), mdl);
}

static void ntdma_flush_maps(struct ntdma_adapter *adapter,
			     enum ntdma_kind kind, const MDL *mdl, bool read)
{
	struct ntdma_collect maps = { adapter, kind, ntdma_flush_is, mdl };
	struct ntdma_map *map;
	u32 i;

	while (ntdma_handle_collect(&maps)) {
		for (i = 0; i < maps.count; i++) {
			map = ntdma_flush_map(maps.found[i]);
			ntdma_map_sync(map, map->mdl == mdl ? NULL : mdl,
				       read);
		}
	}
}

/* At DISPATCH_LEVEL, so that who waits for the lock does not wait for long. */
static void ntdma_flush_mapped(struct ntdma_adapter *adapter, const MDL *mdl,
			       bool read)
{
	KIRQL irql = KeRaiseIrqlToDpcLevel();

	spin_lock(&adapter->flush_lock);
	if (!++adapter->flushes)
		adapter->flushes = 1;
	ntdma_flush_maps(adapter, NTDMA_LIST, mdl, read);
	ntdma_flush_maps(adapter, NTDMA_REGS, mdl, read);
	spin_unlock(&adapter->flush_lock);
	KeLowerIrql(irql);
}

static void ntdma_flush_cached(struct ntdma_adapter *adapter, const MDL *mdl,
			       bool read)
{
	void *va = MmGetMdlVirtualAddress(mdl);
	size_t length = mdl->ByteCount, part;
	dma_addr_t addr;

	if (!(mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL))
		return;
	for (; length; va += part, length -= part) {
		part = min(length, ntdma_buffer_cached(adapter, va, &addr));
		if (!part)
			return;
		if (read) {
			ntdma_sync_pages(adapter->dev, addr, part, true);
			if (is_vmalloc_addr(va))
				invalidate_kernel_vmap_range(va, part);
		} else {
			if (is_vmalloc_addr(va))
				flush_kernel_vmap_range(va, part);
			ntdma_sync_pages(adapter->dev, addr, part, false);
		}
	}
}

/**
 * ntdma_flush_dma() - FlushDmaBuffer
 * @wdm: the adapter
 * @mdl: over memory that a list maps, or over a common buffer; the first MDL
 *	that was mapped under registers. Its Next is not followed
 * @read: TRUE when the device has written and the CPU will read, FALSE for
 *	the other way round
 *
 * Nothing is unmapped (EC-195, S27). What needs no maintenance is left alone.
 * Other lists over the MDL may be made and put meanwhile. Registers that
 * something of the MDL is mapped under may not be flushed or mapped again: that
 * is a use of them, and they have one user at a time.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER without an MDL.
 */
NTSTATUS ntdma_flush_dma(PDMA_ADAPTER wdm, PMDL mdl, BOOLEAN read)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	if (!mdl)
		return STATUS_INVALID_PARAMETER;
	ntdma_flush_mapped(adapter, mdl, read);
	ntdma_flush_cached(adapter, mdl, read);
	dma_mb();
	return STATUS_SUCCESS;
}
