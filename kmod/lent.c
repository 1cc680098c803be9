// SPDX-License-Identifier: GPL-2.0
/*
 * Lent memory: an MDL of the client that becomes a common buffer.
 *
 * Model: the pages are mapped once, for as long as the buffer lives, in the
 * order of the MDL and as one run. With an IOMMU any pages will do, and the
 * direction of the mapping is what the device may do; a lowest address is had
 * in the window (window.c), or by luck. Without one they must be
 * contiguous, and the device must reach them where they are: a copy is not
 * shared. The pages stay the client's, and so does the MDL, which is not
 * needed any more afterwards.
 *
 * Locks: device->lock while the DMA mask of the device is narrowed, which is
 * what the DMA API takes the highest address from.
 */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/pfn.h>

#include "ntdma.h"
#include "window.h"

/**
 * struct ntdma_lent - memory of a client, mapped for the device
 * @handle: found by @addr, cut to the size of a pointer
 * @addr: address for the device
 * @dir: what the device may do
 * @sgt: the memory, with an IOMMU
 * @span: reserved, and @sgt not used, when the limits lie in the window
 * @va: system address of the part that is mapped
 * @length: bytes of it
 * @whole_va: system address of the MDL
 * @whole: bytes of it
 */
struct ntdma_lent {
	struct ntdma_handle handle;
	dma_addr_t addr;
	enum dma_data_direction dir;
	struct sg_table sgt;
	struct ntdma_span span;
	void *va;
	u32 length;
	void *whole_va;
	u32 whole;
};

/**
 * struct ntdma_terms - on what terms memory is lent
 * @seen: a bit per configuration type
 * @min: lowest address allowed
 * @last: highest address allowed
 * @offset: first byte of the chain
 * @length: in bytes, 0 for all of a single MDL
 * @dir: what the device may do
 */
struct ntdma_terms {
	u32 seen;
	u64 min;
	u64 last;
	u64 offset;
	u32 length;
	enum dma_data_direction dir;
};

/* Once each: no client says what the second of a kind would mean (EC-175). */
static bool ntdma_terms_once(struct ntdma_terms *terms, u32 type)
{
	if (type >= CommonBufferConfigTypeMax || terms->seen & BIT(type))
		return false;
	terms->seen |= BIT(type);
	return true;
}

static bool ntdma_terms_access(struct ntdma_terms *terms, u32 access)
{
	switch (access) {
	case CommonBufferHardwareAccessReadOnly:
		terms->dir = DMA_TO_DEVICE;
		return true;
	case CommonBufferHardwareAccessWriteOnly:
		terms->dir = DMA_FROM_DEVICE;
		return true;
	default:
		return access == CommonBufferHardwareAccessReadWrite;
	}
}

static bool ntdma_terms_add(struct ntdma_terms *terms,
			    const DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION *c)
{
	if (!ntdma_terms_once(terms, c->ConfigType))
		return false;
	switch (c->ConfigType) {
	case CommonBufferConfigTypeLogicalAddressLimits:
		terms->min = c->LogicalAddressLimits.MinimumAddress.QuadPart;
		terms->last = c->LogicalAddressLimits.MaximumAddress.QuadPart;
		return terms->min <= terms->last;
	case CommonBufferConfigTypeSubSection:
		terms->offset = c->SubSection.Offset;
		terms->length = c->SubSection.Length;
		return terms->length && PAGE_ALIGNED(terms->offset) &&
		       PAGE_ALIGNED(terms->length);
	default:
		return ntdma_terms_access(terms, c->HardwareAccessType);
	}
}

static bool ntdma_terms_read(struct ntdma_terms *terms,
			     const DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION *c,
			     u32 count)
{
	terms->last = U64_MAX;
	terms->dir = DMA_BIDIRECTIONAL;
	if (count && !c)
		return false;
	for (; count; count--)
		if (!ntdma_terms_add(terms, c++))
			return false;
	return true;
}

/* The memory, or NULL when the MDL does not lend itself to this. */
static const MDL *ntdma_lent_part(const struct ntdma_terms *terms,
				  const MDL *mdl, u32 *done)
{
	const u32 mapped = (u16)(MDL_MAPPED_TO_SYSTEM_VA |
				 MDL_SOURCE_IS_NONPAGED_POOL);

	*done = 0;
	if (terms->length)
		mdl = ntdma_chain_seek(mdl, terms->offset, done);
	else if (mdl->Next || !PAGE_ALIGNED(mdl->ByteCount))
		return NULL;
	if (!mdl || !mdl->ByteCount || !(mdl->MdlFlags & mapped) ||
	    mdl->MdlFlags & MDL_IO_SPACE ||
	    !PAGE_ALIGNED(mdl->ByteOffset + *done) ||
	    terms->length > mdl->ByteCount - *done)
		return NULL;
	return mdl;
}

static void ntdma_lent_unmap(struct ntdma_adapter *adapter,
			     struct ntdma_lent *lent)
{
	if (lent->span.space) {
		ntdma_span_release(&lent->span);
		return;
	}
	if (!lent->sgt.orig_nents) {
		dma_unmap_page(adapter->dev, lent->addr, lent->length,
			       lent->dir);
		return;
	}
	dma_unmap_sgtable(adapter->dev, &lent->sgt, lent->dir, 0);
	sg_free_table(&lent->sgt);
}

/* Where the device finds the first byte if no copy was made of it. */
static NTSTATUS ntdma_lent_direct(struct ntdma_adapter *adapter,
				  struct ntdma_lent *lent,
				  const struct ntdma_walk *walk)
{
	struct device *dev = adapter->dev;
	struct ntdma_piece piece;

	if (!ntdma_walk_peek(walk, U32_MAX, &piece) ||
	    piece.length != lent->length ||
	    !pfn_valid(PHYS_PFN(piece.phys)) ||
	    !ntdma_reachable(adapter, piece.phys, piece.length))
		return STATUS_INVALID_PARAMETER;
	if (ntdma_fail_map())
		return STATUS_INSUFFICIENT_RESOURCES;
	lent->addr = dma_map_page_attrs(dev, pfn_to_page(PHYS_PFN(piece.phys)),
					0, piece.length, lent->dir,
					DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, lent->addr))
		return STATUS_INVALID_PARAMETER;
	if (lent->addr == phys_to_dma(dev, piece.phys))
		return STATUS_SUCCESS;
	dma_unmap_page_attrs(dev, lent->addr, piece.length, lent->dir,
			     DMA_ATTR_SKIP_CPU_SYNC);
	return STATUS_INVALID_PARAMETER;
}

static u32 ntdma_lent_pieces(struct ntdma_walk walk, u32 most,
			     struct scatterlist *sg)
{
	struct ntdma_piece piece;
	u32 count = 0;

	for (; ntdma_walk_peek(&walk, most, &piece); count++) {
		ntdma_walk_skip(&walk, piece.length);
		if (!pfn_valid(PHYS_PFN(piece.phys)))
			return 0;
		if (!sg)
			continue;
		sg_set_page(sg, pfn_to_page(PHYS_PFN(piece.phys)),
			    piece.length, 0);
		sg = sg_next(sg);
	}
	return count;
}

/* Whether what the IOMMU made of the pieces is one run within bounds. */
static bool ntdma_lent_fits(const struct ntdma_lent *lent,
			    const struct ntdma_terms *terms)
{
	dma_addr_t next = sg_dma_address(lent->sgt.sgl);
	struct scatterlist *sg;
	int i;

	if (next < terms->min || next + lent->length - 1 > terms->last)
		return false;
	for_each_sgtable_dma_sg(&lent->sgt, sg, i) {
		if (sg_dma_address(sg) != next)
			return false;
		next += sg_dma_len(sg);
	}
	return true;
}

static bool ntdma_lent_try(struct ntdma_adapter *adapter,
			   struct ntdma_lent *lent,
			   const struct ntdma_terms *terms)
{
	if (ntdma_fail_map() ||
	    dma_map_sgtable(adapter->dev, &lent->sgt, lent->dir,
			    DMA_ATTR_NO_WARN))
		return false;
	if (ntdma_lent_fits(lent, terms)) {
		lent->addr = sg_dma_address(lent->sgt.sgl);
		return true;
	}
	dma_unmap_sgtable(adapter->dev, &lent->sgt, lent->dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
	return false;
}

/*
 * Transfers that are mapped meanwhile find their addresses below the limit,
 * too, or have to wait: it is tried without one first. The DMA API takes a page
 * that the limit cuts for a whole one.
 */
static bool ntdma_lent_below(struct ntdma_adapter *adapter,
			     struct ntdma_lent *lent,
			     const struct ntdma_terms *terms, u64 last)
{
	struct device *dev = adapter->dev;
	bool done;
	u64 mask;

	mutex_lock(&adapter->device->lock);
	mask = *dev->dma_mask;
	*dev->dma_mask = min(mask, last);
	done = ntdma_lent_try(adapter, lent, terms);
	*dev->dma_mask = mask;
	mutex_unlock(&adapter->device->lock);
	return done;
}

/*
 * Not for system DMA: the mask is that of the controller, which others use under
 * other locks.
 */
static bool ntdma_lent_narrowed(struct ntdma_adapter *adapter,
				struct ntdma_lent *lent,
				const struct ntdma_terms *terms)
{
	u64 last = round_down(terms->last + 1, PAGE_SIZE) - 1;
	const struct ntdma_range range = { terms->min, last, lent->length };
	struct ntdma_space *space = ntdma_adapter_space(adapter);
	unsigned int asked = 0;

	if (adapter->engine)
		return false;
	while (ntdma_space_again(space, &range, &asked))
		if (ntdma_lent_below(adapter, lent, terms, last))
			return true;
	return false;
}

/* At an address of our choice, if the limits leave us one. */
static bool ntdma_lent_window(struct ntdma_adapter *adapter,
			      struct ntdma_lent *lent,
			      const struct ntdma_terms *terms,
			      struct ntdma_walk walk)
{
	const struct ntdma_range range = {
		round_up(terms->min, PAGE_SIZE), terms->last, lent->length,
		PAGE_SIZE
	};
	struct ntdma_space *space = ntdma_adapter_space(adapter);
	struct ntdma_piece piece;

	if (!space || range.min < terms->min ||
	    !ntdma_span_reserve(space, &lent->span, &range))
		return false;
	for (; ntdma_walk_peek(&walk, adapter->max_seg, &piece);
	     ntdma_walk_skip(&walk, piece.length))
		if (!ntdma_span_map(&lent->span, adapter->dev, piece.phys,
				    piece.length, lent->dir)) {
			ntdma_span_release(&lent->span);
			return false;
		}
	lent->addr = lent->span.first;
	return true;
}

static NTSTATUS ntdma_lent_translated(struct ntdma_adapter *adapter,
				      struct ntdma_lent *lent,
				      const struct ntdma_terms *terms,
				      const struct ntdma_walk *walk)
{
	const struct ntdma_space *space = ntdma_adapter_space(adapter);
	u32 count = ntdma_lent_pieces(*walk, adapter->max_seg, NULL);

	/* Where the platform copies for devices it distrusts. */
	if (!adapter->merge)
		return STATUS_NOT_SUPPORTED;
	if (!count)
		return STATUS_INVALID_PARAMETER;
	if (terms->min && ntdma_lent_window(adapter, lent, terms, *walk))
		return STATUS_SUCCESS;
	/* The DMA API has nothing in the window. */
	if (space && terms->min >= ntdma_space_floor(space))
		return STATUS_INSUFFICIENT_RESOURCES;
	if (ntdma_fail_alloc() ||
	    sg_alloc_table(&lent->sgt, count, GFP_KERNEL | __GFP_NOWARN))
		return STATUS_INSUFFICIENT_RESOURCES;
	ntdma_lent_pieces(*walk, adapter->max_seg, lent->sgt.sgl);
	if (ntdma_lent_try(adapter, lent, terms) ||
	    ntdma_lent_narrowed(adapter, lent, terms))
		return STATUS_SUCCESS;
	sg_free_table(&lent->sgt);
	/* What is used up below the window is not so in it. */
	return !terms->min && ntdma_lent_window(adapter, lent, terms, *walk) ?
	       STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS ntdma_lent_map(struct ntdma_adapter *adapter,
			       struct ntdma_lent *lent,
			       struct ntdma_terms *terms,
			       const MDL *mdl, u32 done)
{
	struct ntdma_walk walk;
	NTSTATUS status;

	terms->last = min(terms->last, adapter->mask);
	if (terms->min > terms->last ||
	    lent->length - 1 > terms->last - terms->min)
		return STATUS_INVALID_PARAMETER;
	ntdma_walk_start(&walk, mdl, done, lent->length);
	if (adapter->granule)
		return ntdma_lent_translated(adapter, lent, terms, &walk);
	if (terms->dir != DMA_BIDIRECTIONAL)
		return STATUS_NOT_SUPPORTED;
	status = ntdma_lent_direct(adapter, lent, &walk);
	if (!NT_SUCCESS(status) ||
	    (lent->addr >= terms->min &&
	     lent->addr + lent->length - 1 <= terms->last))
		return status;
	ntdma_lent_unmap(adapter, lent);
	return STATUS_INVALID_PARAMETER;
}

static NTSTATUS ntdma_lent_create(struct ntdma_adapter *adapter,
				  struct ntdma_terms *terms, const MDL *mdl,
				  u32 done, PPHYSICAL_ADDRESS logical)
{
	struct ntdma_lent *lent = ntdma_alloc(sizeof(*lent), GFP_KERNEL);
	NTSTATUS status;

	if (!lent)
		return STATUS_INSUFFICIENT_RESOURCES;
	lent->dir = terms->dir;
	lent->whole_va = mdl->MappedSystemVa;
	lent->whole = mdl->ByteCount;
	lent->va = lent->whole_va + done;
	lent->length = terms->length ?: mdl->ByteCount;
	status = ntdma_lent_map(adapter, lent, terms, mdl, done);
	if (!NT_SUCCESS(status)) {
		ntdma_free(lent);
		return status;
	}
	percpu_ref_get(&adapter->ref);
	ntdma_handle_add(&lent->handle, NTDMA_LENT,
			 (void *)(unsigned long)lent->addr, adapter);
	logical->QuadPart = lent->addr;
	return STATUS_SUCCESS;
}

/**
 * ntdma_lend_mdl() - CreateCommonBufferFromMdl
 * @wdm: the adapter
 * @mdl: locked or built, and mapped in system space; page aligned, whole
 *	pages, not chained, but for a subsection
 * @configs: @count of them, NULL for none, at most one of each type:
 *	lowest and highest logical address, both inclusive (EC-181);
 *	a subsection, whole pages inside one MDL of a chain (EC-178, EC-179);
 *	what the device may do, other than both only with an IOMMU (EC-182).
 *	What it may only write it can also read, if Linux' driver for the IOMMU
 *	has no such pages: Intel's and Arm's
 * @count: number of @configs
 * @logical: set to the address of the first byte for the device
 *
 * FreeCommonBuffer with the system address undoes it; pages and MDL remain
 * the client's (EC-184). The length it takes is that of the MDL, or of the
 * subsection. For system DMA the addresses are the controller's, and are not
 * chosen: limits are met where they happen to be.
 *
 * S20.
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for an MDL or a
 *	configuration that is none of the above (EC-175 to EC-177, EC-179,
 *	EC-183), or, without an IOMMU, for pages that are not contiguous
 *	(EC-180) or not where the device and the limits want them, and for
 *	memory of a common buffer, which has its address;
 *	STATUS_NOT_SUPPORTED for a restricted access without an IOMMU (EC-182),
 *	on a device that is not coherent, and on one behind an IOMMU that the
 *	platform copies for, because it distrusts it;
 *	STATUS_INSUFFICIENT_RESOURCES when there is no memory, or no free
 *	address within the limits.
 */
NTSTATUS ntdma_lend_mdl(PDMA_ADAPTER wdm, PMDL mdl,
			PDMA_COMMON_BUFFER_EXTENDED_CONFIGURATION configs,
			ULONG count, PPHYSICAL_ADDRESS logical)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_terms terms = {};
	const MDL *part;
	dma_addr_t addr;
	u32 done;

	if (!mdl || !logical || !ntdma_terms_read(&terms, configs, count))
		return STATUS_INVALID_PARAMETER;
	part = ntdma_lent_part(&terms, mdl, &done);
	if (!part)
		return STATUS_INVALID_PARAMETER;
	if (!ntdma_device_coherent(adapter->dev))
		return STATUS_NOT_SUPPORTED;
	/* A common buffer has its address, and must not be mapped again. */
	if (ntdma_buffer_address(adapter, part, done, &addr))
		return STATUS_INVALID_PARAMETER;
	return ntdma_lent_create(adapter, &terms, part, done, logical);
}

/**
 * ntdma_lent_forget() - give lent memory back
 * @handle: out of the table of live objects
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_lent_forget(struct ntdma_handle *handle)
{
	struct ntdma_lent *lent = container_of(handle, struct ntdma_lent,
					       handle);
	struct ntdma_adapter *adapter = handle->adapter;

	ntdma_lent_unmap(adapter, lent);
	ntdma_free(lent);
	percpu_ref_put(&adapter->ref);
}

/**
 * struct ntdma_lent_claim - what a client says that it frees
 * @addr: the address for the device
 * @va: the system address
 * @length: in bytes
 */
struct ntdma_lent_claim {
	u64 addr;
	const void *va;
	u32 length;
};

static bool ntdma_lent_is(const struct ntdma_handle *handle, const void *data)
{
	const struct ntdma_lent *lent = container_of(handle, struct ntdma_lent,
						     handle);
	const struct ntdma_lent_claim *claim = data;

	return lent->addr == claim->addr &&
	       (lent->va == claim->va || lent->whole_va == claim->va) &&
	       (lent->length == claim->length || lent->whole == claim->length);
}

/**
 * ntdma_lent_free() - FreeCommonBuffer of lent memory
 * @adapter: the adapter
 * @length: of the MDL, or of the subsection
 * @addr: address for the device
 * @va: system address of the MDL, or of the subsection
 *
 * Context: PASSIVE_LEVEL.
 * Return: false when no memory was lent like that.
 */
bool ntdma_lent_free(struct ntdma_adapter *adapter, u32 length, u64 addr,
		     const void *va)
{
	struct ntdma_lent_claim claim = { addr, va, length };
	struct ntdma_handle *handle;

	handle = ntdma_handle_take_if(NTDMA_LENT, (void *)(unsigned long)addr,
				      adapter, ntdma_lent_is, &claim);
	if (handle)
		ntdma_lent_forget(handle);
	return handle;
}
