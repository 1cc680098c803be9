// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory in kernel address space.
 *
 * What is mapped must be a device's: a range with system memory in it is
 * refused, as Windows does since version 1803, because two mappings of one page
 * with different caching are an error of the hardware's. The routines that read
 * and write registers are inline in wdm.h.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/overflow.h>

#include "compat.h"
#include "wdm.h"

/* iomem_resource ends with the last address that the processor can form. */
static bool ntdma_is_device_memory(u64 start, size_t size)
{
	u64 last;

	if (!size || check_add_overflow(start, (u64)size - 1, &last))
		return false;
	if (last > iomem_resource.end)
		return false;
	return region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT;
}

static void __iomem *ntdma_iospace_map(phys_addr_t start, size_t size,
				       MEMORY_CACHING_TYPE cache)
{
	switch (cache) {
	case MmCached:
	case MmHardwareCoherentCached:
		return (void __iomem __force *)memremap(start, size,
							MEMREMAP_WB);
	case MmWriteCombined:
	case MmUSWCCached:
		return ioremap_wc(start, size);
	case MmNonCached:
	case MmNonCachedUnordered:
		return ioremap(start, size);
	default:
		return NULL;
	}
}

/**
 * MmMapIoSpace() - map device memory
 * @address: CPU physical address, need not be page aligned
 * @size: in bytes
 * @cache: MmNonCached, MmWriteCombined or MmCached, or a relative of these
 *
 * Context: PASSIVE_LEVEL, sleeps.
 * Return: address for the READ_REGISTER and WRITE_REGISTER routines; NULL when
 *	@size is 0, @cache is unknown, the range is no device memory, or there
 *	is no memory.
 */
PVOID MmMapIoSpace(PHYSICAL_ADDRESS address, SIZE_T size,
		   MEMORY_CACHING_TYPE cache)
{
	u64 start = address.QuadPart;

	if (!ntdma_is_device_memory(start, size))
		return NULL;
	return (void __force *)ntdma_iospace_map(start, size, cache);
}
EXPORT_SYMBOL_NTDMA(MmMapIoSpace);

/**
 * MmMapIoSpaceEx() - map device memory
 * @address: CPU physical address, need not be page aligned
 * @size: in bytes
 * @protect: PAGE_READWRITE or PAGE_READONLY, which is mapped writable too;
 *	with PAGE_NOCACHE or PAGE_WRITECOMBINE, else cached
 *
 * Context: PASSIVE_LEVEL, sleeps.
 * Return: as MmMapIoSpace().
 */
PVOID MmMapIoSpaceEx(PHYSICAL_ADDRESS address, SIZE_T size, ULONG protect)
{
	ULONG access = protect & ~(PAGE_NOCACHE | PAGE_WRITECOMBINE);

	if (access != PAGE_READWRITE && access != PAGE_READONLY)
		return NULL;
	switch (protect & ~access) {
	case 0:
		return MmMapIoSpace(address, size, MmCached);
	case PAGE_NOCACHE:
		return MmMapIoSpace(address, size, MmNonCached);
	case PAGE_WRITECOMBINE:
		return MmMapIoSpace(address, size, MmWriteCombined);
	default:
		return NULL;
	}
}
EXPORT_SYMBOL_NTDMA(MmMapIoSpaceEx);

/**
 * MmUnmapIoSpace() - undo MmMapIoSpace() or MmMapIoSpaceEx()
 * @base: what it returned
 * @size: not used
 *
 * Context: PASSIVE_LEVEL, sleeps.
 */
void MmUnmapIoSpace(PVOID base, SIZE_T size)
{
	memunmap(base);
}
EXPORT_SYMBOL_NTDMA(MmUnmapIoSpace);
