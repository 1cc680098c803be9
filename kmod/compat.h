/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that differs between the kernels ntdma supports.
 *
 * No other file tests a kernel version. What a macro or a header can reveal is
 * tested by feature, the rest by version.
 */
#ifndef NTDMA_COMPAT_H
#define NTDMA_COMPAT_H

#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "ntdma needs Linux 6.1 or later"
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* Namespaces became string literals in 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define EXPORT_SYMBOL_NTDMA(sym)	EXPORT_SYMBOL_NS_GPL(sym, "NTDMA")
#define EXPORT_SYMBOL_NTDMA_INTERNAL(sym) \
	EXPORT_SYMBOL_NS_GPL(sym, "NTDMA_INTERNAL")
#define NTDMA_IMPORT			MODULE_IMPORT_NS("NTDMA")
#define NTDMA_IMPORT_INTERNAL		MODULE_IMPORT_NS("NTDMA_INTERNAL")
#else
#define EXPORT_SYMBOL_NTDMA(sym)	EXPORT_SYMBOL_NS_GPL(sym, NTDMA)
#define EXPORT_SYMBOL_NTDMA_INTERNAL(sym) \
	EXPORT_SYMBOL_NS_GPL(sym, NTDMA_INTERNAL)
#define NTDMA_IMPORT			MODULE_IMPORT_NS(NTDMA)
#define NTDMA_IMPORT_INTERNAL		MODULE_IMPORT_NS(NTDMA_INTERNAL)
#endif

/*
 * Before 6.2 a pin for reading left private pages shared with whom they were
 * copied from, and the next write of their owner went elsewhere.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define NTDMA_PIN_READ			(FOLL_LONGTERM | FOLL_WRITE)
#else
#define NTDMA_PIN_READ			FOLL_LONGTERM
#endif

/* The controller of the PC and the routines that drive it. */
#if defined(CONFIG_X86) && defined(CONFIG_ISA_DMA_API)
#define NTDMA_HAVE_ISA
#endif

/* Since 6.10 allocators are macros around functions, and this member moved. */
#ifdef alloc_pages
#define NTDMA_OP_ALLOC_PAGES		alloc_pages_op
#else
#define NTDMA_OP_ALLOC_PAGES		alloc_pages
#endif

/* Stands in for is_vmalloc_or_module_addr(), which 6.1 does not export. */
static inline bool ntdma_is_vmalloc(const void *addr)
{
#ifdef MODULES_VADDR
	if ((unsigned long)addr >= MODULES_VADDR &&
	    (unsigned long)addr < MODULES_END)
		return true;
#endif
	return is_vmalloc_addr(addr);
}

/* Said how to allocate since 6.3; before, it always might sleep. */
#if IS_ENABLED(CONFIG_IOMMU_API)
static inline int ntdma_iommu_map(struct iommu_domain *domain,
				  unsigned long iova, phys_addr_t phys,
				  size_t size, int prot)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return iommu_map(domain, iova, phys, size, prot, GFP_KERNEL);
#else
	return iommu_map(domain, iova, phys, size, prot);
#endif
}
#else
static inline int ntdma_iommu_map(struct iommu_domain *domain,
				  unsigned long iova, phys_addr_t phys,
				  size_t size, int prot)
{
	return -ENODEV;
}
#endif

#endif /* NTDMA_COMPAT_H */
