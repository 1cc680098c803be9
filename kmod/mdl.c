// SPDX-License-Identifier: GPL-2.0
/*
 * Memory descriptor lists as drivers see them.
 *
 * Model: an MDL is a header and an array of page frame numbers behind it, one
 * for each page of the kernel that the buffer touches. It is built (kernel
 * memory), locked (any memory), allocated (pages of its own) or partial (part
 * of another MDL), and may have a system address. MdlFlags tells which; what
 * must be undone is a hold of pages.c, found by the MDL's address.
 *
 * Drivers allocate MDLs themselves and edit them: nothing is kept behind an
 * MDL or in its Process member, Size is trusted only where IoAllocateMdl()
 * set MDL_ALLOCATED_FIXED_SIZE, and frames are looked up by ByteOffset.
 *
 * Kernel memory is always resident: locking it takes no reference, and its
 * system address is the address that the driver has already. RAM has one
 * cache attribute, that of the kernel's own mapping; cache types other than
 * MmCached give the same mapping, as Windows does with memory that is mapped
 * elsewhere.
 *
 * The routines of one MDL are not called at the same time by two threads, as
 * on Windows. Two MDLs over the same memory are independent. No locks here.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mdl.h"

/* The frames are known. */
#define NTDMA_MDL_FRAMES	(MDL_PAGES_LOCKED | MDL_PARTIAL | \
				 MDL_SOURCE_IS_NONPAGED_POOL)
/* MappedSystemVa is valid. */
#define NTDMA_MDL_ADDRESS	(MDL_MAPPED_TO_SYSTEM_VA | \
				 MDL_SOURCE_IS_NONPAGED_POOL)

static const ULONG ntdma_page_flags =
	MM_DONT_ZERO_ALLOCATION | MM_ALLOCATE_FROM_LOCAL_NODE_ONLY |
	MM_ALLOCATE_FULLY_REQUIRED | MM_ALLOCATE_NO_WAIT |
	MM_ALLOCATE_PREFER_CONTIGUOUS | MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS |
	MM_ALLOCATE_FAST_LARGE_PAGES | MM_ALLOCATE_AND_HOT_REMOVE;

static PVOID ntdma_page_start(PVOID address)
{
	return PTR_ALIGN_DOWN(address, PAGE_SIZE);
}

/* ByteOffset passes the first page when a driver moved it on. */
static PFN_NUMBER *ntdma_mdl_frames(PMDL mdl)
{
	return MmGetMdlPfnArray(mdl) + (mdl->ByteOffset >> PAGE_SHIFT);
}

static unsigned long ntdma_mdl_span(PMDL mdl)
{
	return ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl),
					      mdl->ByteCount);
}

static bool ntdma_mdl_is_allocated(PMDL mdl)
{
	return !mdl->StartVa && (mdl->MdlFlags & MDL_PAGES_LOCKED) &&
	       ntdma_handle_find(NTDMA_PAGES, mdl, NULL);
}

static NTSTATUS ntdma_mdl_misuse(NTSTATUS status)
{
	ntdma_refuse();
	return status;
}

static PMDL ntdma_mdl_alloc(PVOID base, ULONG length, gfp_t gfp)
{
	SIZE_T end, size = MmSizeOfMdl(base, length);
	PMDL mdl;

	/* Its pages are counted with 32 bits where addresses have no more. */
	if (length > U32_MAX - PAGE_SIZE + 1 ||
	    check_add_overflow((SIZE_T)offset_in_page(base) + PAGE_SIZE - 1,
			       (SIZE_T)length, &end))
		return NULL;
	mdl = ntdma_mdl_memory(size, gfp | __GFP_ZERO);
	if (!mdl)
		return NULL;
	MmInitializeMdl(mdl, base, length);
	if (size <= S16_MAX)
		mdl->MdlFlags = MDL_ALLOCATED_FIXED_SIZE;
	return mdl;
}

static void ntdma_mdl_append(PMDL *link, PMDL mdl)
{
	while (*link)
		link = &(*link)->Next;
	*link = mdl;
}

/**
 * IoAllocateMdl() - allocate an MDL for a buffer
 * @VirtualAddress: start of the buffer, any value
 * @Length: its bytes, at most 4 GiB less one page
 * @SecondaryBuffer: append to the chain of @Irp instead of replacing it
 * @ChargeQuota: account the memory to the current process. Reserved on
 *	Windows, but shipped drivers pass TRUE
 * @Irp: gets the MDL in MdlAddress, may be NULL
 *
 * EC-200, EC-201, EC-202, S24.
 *
 * Context: <= DISPATCH_LEVEL; there a large MDL may be refused sooner.
 * Return: the MDL without page frames, NULL without memory, for a @Length
 * beyond the limit, and for a @SecondaryBuffer without @Irp.
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp)
{
	gfp_t gfp = ntdma_may_sleep() ? GFP_KERNEL : GFP_ATOMIC;
	PMDL mdl;

	if (SecondaryBuffer && !Irp) {
		ntdma_refuse();
		return NULL;
	}
	mdl = ntdma_mdl_alloc(VirtualAddress, Length,
			      ChargeQuota ? gfp | __GFP_ACCOUNT : gfp);
	if (!mdl || !Irp)
		return mdl;
	if (!SecondaryBuffer)
		Irp->MdlAddress = NULL;
	ntdma_mdl_append(&Irp->MdlAddress, mdl);
	return mdl;
}
EXPORT_SYMBOL_NTDMA(IoAllocateMdl);

static void ntdma_mdl_unmap(PMDL mdl)
{
	ntdma_hold_put(NTDMA_MAPPING, mdl);
	mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
	mdl->MappedSystemVa = NULL;
}

/**
 * IoFreeMdl() - free one MDL
 * @Mdl: from IoAllocateMdl(); its Next is not followed. NULL is ignored
 *
 * A mapping of its own goes with it, of a partial MDL above all. Pages that
 * are still locked then stay locked for good: the device may be writing to
 * them, and there is nobody left to tell when it stops.
 *
 * EC-203, EC-204, S24.
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID IoFreeMdl(PMDL Mdl)
{
	if (!Mdl)
		return;
	if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		ntdma_mdl_unmap(Mdl);
	if (Mdl->MdlFlags & MDL_PAGES_LOCKED) {
		ntdma_hold_abandon(NTDMA_PINNED, Mdl);
		ntdma_hold_abandon(NTDMA_PAGES, Mdl);
	}
	kvfree(Mdl);
}
EXPORT_SYMBOL_NTDMA(IoFreeMdl);

/**
 * MmSizeOfMdl() - bytes of an MDL
 * @Base: start of the buffer
 * @Length: its bytes
 *
 * EC-199.
 *
 * Context: any.
 * Return: size of the header and one page frame number per page.
 */
SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
	return sizeof(MDL) + ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length) *
			     sizeof(PFN_NUMBER);
}
EXPORT_SYMBOL_NTDMA(MmSizeOfMdl);

/* Whether the MDL is known to be too small for a number of pages. */
static bool ntdma_mdl_lacks(PMDL mdl, unsigned long pages)
{
	return (mdl->MdlFlags & MDL_ALLOCATED_FIXED_SIZE) &&
	       sizeof(MDL) + pages * sizeof(PFN_NUMBER) > mdl->Size;
}

static void ntdma_mdl_share_address(PMDL source, PMDL target, ULONG offset)
{
	USHORT flags = source->MdlFlags & NTDMA_MDL_ADDRESS;

	if (!flags)
		return;
	target->MdlFlags |= flags;
	target->MappedSystemVa = (PCHAR)source->MappedSystemVa + offset;
}

static bool ntdma_mdl_slice(PMDL source, PMDL target, PVOID base, ULONG offset,
			    ULONG length)
{
	unsigned long pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(base, length);
	unsigned long first = ((u64)source->ByteOffset + offset) >> PAGE_SHIFT;

	if (ntdma_mdl_lacks(target, pages))
		return false;
	target->Process = source->Process;
	target->StartVa = ntdma_page_start(base);
	target->ByteOffset = BYTE_OFFSET(base);
	target->ByteCount = length;
	memcpy(MmGetMdlPfnArray(target), MmGetMdlPfnArray(source) + first,
	       pages * sizeof(PFN_NUMBER));
	target->MdlFlags |= MDL_PARTIAL |
			    (source->MdlFlags & (MDL_IO_SPACE | MDL_IO_PAGE_READ));
	ntdma_mdl_share_address(source, target, offset);
	return true;
}

/**
 * IoBuildPartialMdl() - describe a part of another MDL
 * @SourceMdl: built, locked, allocated or partial
 * @TargetMdl: gets the description; has room for the pages. Its Next and Size
 *	are not touched, a mapping of its own is removed
 * @VirtualAddress: start of the part, counted from the source's virtual
 *	address
 * @Length: its bytes, 0 for all that follow
 *
 * There is no status. A part outside the source, a source without page frames
 * and a target that is known to be too small leave a target of no bytes. A
 * locked target, the source itself and NULL are left alone.
 *
 * EC-205, EC-206, EC-207, EC-214, S24.
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length)
{
	ULONG_PTR offset;

	if (!SourceMdl || !TargetMdl || SourceMdl == TargetMdl ||
	    (TargetMdl->MdlFlags & MDL_PAGES_LOCKED)) {
		ntdma_refuse();
		return;
	}
	if (TargetMdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		ntdma_mdl_unmap(TargetMdl);
	TargetMdl->MdlFlags &= MDL_ALLOCATED_FIXED_SIZE;
	TargetMdl->ByteCount = 0;

	offset = (ULONG_PTR)VirtualAddress -
		 (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl);
	if (!(SourceMdl->MdlFlags & NTDMA_MDL_FRAMES) ||
	    offset > SourceMdl->ByteCount ||
	    Length > SourceMdl->ByteCount - offset ||
	    !ntdma_mdl_slice(SourceMdl, TargetMdl, VirtualAddress, offset,
			     Length ?: SourceMdl->ByteCount - offset))
		ntdma_refuse();
}
EXPORT_SYMBOL_NTDMA(IoBuildPartialMdl);

/* Not stacks: a device must not write where a caller's frame may end. */
static bool ntdma_describe_kernel(PMDL mdl)
{
	unsigned long i, pages = ntdma_mdl_span(mdl);
	PFN_NUMBER *pfns = ntdma_mdl_frames(mdl);
	PCHAR base = MmGetMdlVirtualAddress(mdl);
	PCHAR last = base + mdl->ByteCount - 1;
	struct page *page;

	if (!mdl->ByteCount)
		return true;
	if (last < base || object_is_on_stack(base) || object_is_on_stack(last))
		return false;
	base = ntdma_page_start(base);
	for (i = 0; i < pages; i++) {
		page = ntdma_kernel_page(base + i * PAGE_SIZE);
		if (!page)
			return false;
		pfns[i] = page_to_pfn(page);
	}
	return true;
}

/**
 * MmBuildMdlForNonPagedPool() - describe kernel memory
 * @Mdl: over memory of the kernel: pool, vmalloc, module data or a common
 *	buffer, but not a stack
 *
 * There is no status. Memory that cannot be described leaves an MDL of no
 * bytes; a locked or partial MDL and NULL are left alone.
 *
 * EC-208, EC-164.
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID MmBuildMdlForNonPagedPool(PMDL Mdl)
{
	if (!Mdl || (Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL))) {
		ntdma_refuse();
		return;
	}
	Mdl->Process = NULL;
	if (ntdma_describe_kernel(Mdl)) {
		Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
		Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
	} else {
		Mdl->ByteCount = 0;
		Mdl->MdlFlags &= ~MDL_SOURCE_IS_NONPAGED_POOL;
		ntdma_refuse();
	}
}
EXPORT_SYMBOL_NTDMA(MmBuildMdlForNonPagedPool);

static NTSTATUS ntdma_pin_status(int err)
{
	switch (err) {
	case -ENOMEM:
		return STATUS_INSUFFICIENT_RESOURCES;
	case -EDQUOT:
		return STATUS_WORKING_SET_QUOTA;
	case -EFAULT:
		return STATUS_ACCESS_VIOLATION;
	case -EHWPOISON:
		return STATUS_IN_PAGE_ERROR;
	default:
		return STATUS_UNSUCCESSFUL;
	}
}

static NTSTATUS ntdma_lock_user(PMDL mdl, bool write)
{
	struct ntdma_pages *pages;

	if (!ntdma_may_sleep())
		return ntdma_mdl_misuse(STATUS_ACCESS_VIOLATION);
	pages = ntdma_pages_pin((ULONG_PTR)MmGetMdlVirtualAddress(mdl),
				ntdma_mdl_span(mdl), write);
	if (IS_ERR(pages))
		return ntdma_pin_status(PTR_ERR(pages));
	ntdma_pages_frames(pages, ntdma_mdl_frames(mdl));
	ntdma_hold_add(&pages->hold, NTDMA_PINNED, mdl);
	return STATUS_SUCCESS;
}

static NTSTATUS ntdma_lock(PMDL mdl, KPROCESSOR_MODE mode, bool write)
{
	PVOID base = MmGetMdlVirtualAddress(mdl);

	if (access_ok((void __force __user *)base, mdl->ByteCount))
		return ntdma_lock_user(mdl, write);
	if (mode == KernelMode && ntdma_describe_kernel(mdl))
		return STATUS_SUCCESS;
	return STATUS_ACCESS_VIOLATION;
}

/**
 * ntdma_probe_and_lock_pages() - check a buffer and keep its pages resident
 * @Mdl: over at least one byte, not locked, built or partial
 * @AccessMode: UserMode allows memory of the current process only, KernelMode
 *	memory of the kernel too
 * @Operation: IoReadAccess when the buffer is only read, by driver and
 *	device; else the memory must be writable
 *
 * What MmProbeAndLockPages() does, with a status in place of the exception.
 * User pages are pinned for the long term and count against RLIMIT_MEMLOCK.
 * After a failure nothing is locked and the flags are as before.
 *
 * EC-209, EC-210, EC-211, S24.
 *
 * Context: PASSIVE_LEVEL for user memory, else <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for such an MDL, mode or
 * operation; STATUS_ACCESS_VIOLATION where the range is not accessible in
 * that way or at this level; STATUS_WORKING_SET_QUOTA over the limit;
 * STATUS_INSUFFICIENT_RESOURCES without memory; STATUS_IN_PAGE_ERROR for
 * broken memory; STATUS_UNSUCCESSFUL when the process is being killed.
 */
NTSTATUS ntdma_probe_and_lock_pages(PMDL Mdl, KPROCESSOR_MODE AccessMode,
				    LOCK_OPERATION Operation)
{
	bool write = Operation != IoReadAccess;
	NTSTATUS status;

	if (!Mdl || !Mdl->ByteCount || Operation > IoModifyAccess ||
	    (AccessMode != KernelMode && AccessMode != UserMode) ||
	    (Mdl->MdlFlags & (NTDMA_MDL_FRAMES | NTDMA_MDL_ADDRESS)))
		return ntdma_mdl_misuse(STATUS_INVALID_PARAMETER);

	status = ntdma_lock(Mdl, AccessMode, write);
	if (!NT_SUCCESS(status))
		return status;
	Mdl->Process = NULL;
	Mdl->MdlFlags |= MDL_PAGES_LOCKED;
	if (write)
		Mdl->MdlFlags |= MDL_WRITE_OPERATION;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_NTDMA(ntdma_probe_and_lock_pages);

/**
 * MmProbeAndLockPages() - check a buffer and keep its pages resident
 * @Mdl: as for ntdma_probe_and_lock_pages()
 * @AccessMode: as there
 * @Operation: as there
 *
 * In place of an exception a failure leaves MDL_PAGES_LOCKED clear.
 *
 * Context: PASSIVE_LEVEL for user memory, else <= DISPATCH_LEVEL.
 */
VOID MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation)
{
	ntdma_probe_and_lock_pages(Mdl, AccessMode, Operation);
}
EXPORT_SYMBOL_NTDMA(MmProbeAndLockPages);

/**
 * MmUnlockPages() - let the pages of a locked MDL go
 * @Mdl: locked by MmProbeAndLockPages(); any other MDL and NULL are left alone
 *
 * Removes the system address first. At DISPATCH_LEVEL the last steps happen a
 * little later, without the MDL, which may be freed at once.
 *
 * EC-211, EC-212, S24.
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID MmUnlockPages(PMDL Mdl)
{
	if (!Mdl || !(Mdl->MdlFlags & MDL_PAGES_LOCKED) ||
	    ntdma_mdl_is_allocated(Mdl)) {
		ntdma_refuse();
		return;
	}
	if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		ntdma_mdl_unmap(Mdl);
	Mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
	ntdma_hold_put(NTDMA_PINNED, Mdl);
}
EXPORT_SYMBOL_NTDMA(MmUnlockPages);

/* The address that the driver knows, when it is where the frames are. */
static PVOID ntdma_mdl_own_address(PMDL mdl, const PFN_NUMBER *pfns,
				   unsigned long count)
{
	PCHAR base = ntdma_page_start(MmGetMdlVirtualAddress(mdl));
	struct page *page;
	unsigned long i;

	for (i = 0; i < count; i++) {
		page = ntdma_kernel_page(base + i * PAGE_SIZE);
		if (!page || page_to_pfn(page) != pfns[i])
			return NULL;
	}
	return base;
}

static PVOID ntdma_mdl_map(PMDL mdl)
{
	const PFN_NUMBER *pfns = ntdma_mdl_frames(mdl);
	unsigned long count = ntdma_mdl_span(mdl);
	PCHAR addr;

	if (!mdl->ByteCount)
		return NULL;
	addr = ntdma_mdl_own_address(mdl, pfns, count);
	if (!addr)
		addr = ntdma_frames_linear(pfns, count);
	if (!addr && ntdma_may_sleep())
		addr = ntdma_frames_map(pfns, count, mdl);
	return addr ? addr + offset_in_page(mdl->ByteOffset) : NULL;
}

/**
 * MmMapLockedPagesSpecifyCache() - give an MDL a system address
 * @Mdl: locked, allocated or partial; one that has an address keeps it
 * @AccessMode: KernelMode; there is no mapping into a process
 * @CacheType: a value of the enumeration; memory is mapped as MmCached
 * @RequestedAddress: not used
 * @BugCheckOnFailure: not used, a failure is returned
 * @Priority: not used: a mapping can be written, not executed
 *
 * Scattered pages of a process are the only ones that need a new mapping.
 *
 * EC-206, EC-207, EC-213.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: address with the MDL's offset in its page; NULL for such an MDL,
 * mode or type, without memory, and for a new mapping at DISPATCH_LEVEL.
 */
PVOID MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE AccessMode,
				   MEMORY_CACHING_TYPE CacheType,
				   PVOID RequestedAddress,
				   ULONG BugCheckOnFailure, ULONG Priority)
{
	PVOID addr;

	if (!Mdl || AccessMode != KernelMode ||
	    (u32)CacheType >= MmMaximumCacheType ||
	    !(Mdl->MdlFlags & NTDMA_MDL_FRAMES)) {
		ntdma_refuse();
		return NULL;
	}
	if (Mdl->MdlFlags & NTDMA_MDL_ADDRESS)
		return Mdl->MappedSystemVa;
	addr = ntdma_mdl_map(Mdl);
	if (!addr)
		return NULL;
	Mdl->MappedSystemVa = addr;
	Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
	if (Mdl->MdlFlags & MDL_PARTIAL)
		Mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
	return addr;
}
EXPORT_SYMBOL_NTDMA(MmMapLockedPagesSpecifyCache);

/**
 * MmUnmapLockedPages() - take the system address of an MDL away
 * @BaseAddress: the system address, at any offset in its page
 * @Mdl: has this address by MmMapLockedPagesSpecifyCache(); any other MDL and
 *	NULL are left alone
 *
 * A partial MDL that shares the address of its source loses only its share.
 *
 * EC-207, EC-215.
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL Mdl)
{
	if (!Mdl || !(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) ||
	    ntdma_page_start(BaseAddress) !=
	    ntdma_page_start(Mdl->MappedSystemVa)) {
		ntdma_refuse();
		return;
	}
	ntdma_mdl_unmap(Mdl);
}
EXPORT_SYMBOL_NTDMA(MmUnmapLockedPages);

static gfp_t ntdma_page_gfp(ULONG flags)
{
	gfp_t gfp = __GFP_NOWARN;

	if ((flags & MM_ALLOCATE_NO_WAIT) || !ntdma_may_sleep())
		gfp |= GFP_NOWAIT;
	else if (flags & MM_ALLOCATE_FULLY_REQUIRED)
		gfp |= GFP_KERNEL | __GFP_RETRY_MAYFAIL;
	else
		gfp |= GFP_KERNEL | __GFP_NORETRY;
	if (!(flags & MM_DONT_ZERO_ALLOCATION))
		gfp |= __GFP_ZERO;
	if (flags & MM_ALLOCATE_FROM_LOCAL_NODE_ONLY)
		gfp |= __GFP_THISNODE;
	return gfp;
}

/*
 * With MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS, SkipBytes is the size of the
 * chunks instead: a power of two pages, of which the total is a multiple.
 */
static bool ntdma_page_chunks(struct ntdma_page_spec *spec, SIZE_T total)
{
	if (!is_power_of_2(spec->skip) || spec->skip < PAGE_SIZE ||
	    (total & (spec->skip - 1)))
		return false;
	spec->order = ilog2(spec->skip) - PAGE_SHIFT;
	spec->skip = 0;
	return true;
}

/* More than is free would only bring the rest of the system down. */
static bool ntdma_page_count(struct ntdma_page_spec *spec, SIZE_T total,
			     ULONG flags)
{
	unsigned long chunk = 1UL << spec->order;
	unsigned long most = max(si_mem_available(), 0L) & ~(chunk - 1);

	spec->count = BYTES_TO_PAGES(total);
	spec->least = flags & MM_ALLOCATE_FULLY_REQUIRED ? spec->count : 1;
	spec->count = min(spec->count, most);
	return spec->count && spec->count >= spec->least;
}

static bool ntdma_page_spec(struct ntdma_page_spec *spec, SIZE_T total,
			    MEMORY_CACHING_TYPE type, ULONG flags)
{
	if (spec->low > spec->last || !total ||
	    total > U32_MAX - PAGE_SIZE + 1 ||
	    (u32)type >= MmMaximumCacheType || (flags & ~ntdma_page_flags))
		return false;
	if ((flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) &&
	    !ntdma_page_chunks(spec, total))
		return false;
	spec->gfp = ntdma_page_gfp(flags);
	spec->node = numa_mem_id();
	return ntdma_page_count(spec, total, flags);
}

/**
 * MmAllocatePagesForMdlEx() - allocate pages and describe them
 * @LowAddress: first physical address allowed
 * @HighAddress: last physical address allowed
 * @SkipBytes: further windows of the same size begin every so many bytes, 0
 *	for none; with MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS the size of a chunk
 * @TotalBytes: up to 4 GiB less one page, rounded up to pages
 * @CacheType: a value of the enumeration; memory is mapped as MmCached
 * @Flags: MM_ALLOCATE_*, MM_DONT_ZERO_ALLOCATION; hints may have no effect
 *
 * The pages have no system address. MmFreePagesFromMdl() frees them, then
 * ExFreePool() or IoFreeMdl() the MDL.
 *
 * EC-216, EC-217.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: the MDL, of fewer bytes when there are no more pages within the
 * bounds and MM_ALLOCATE_FULLY_REQUIRED is not set; NULL when there are none,
 * and for parameters outside their ranges.
 */
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
			     PHYSICAL_ADDRESS HighAddress,
			     PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
			     MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
	struct ntdma_page_spec spec = {
		.low = LowAddress.QuadPart,
		.last = HighAddress.QuadPart,
		.skip = SkipBytes.QuadPart,
	};
	struct ntdma_pages *pages;
	PMDL mdl;

	if (!ntdma_page_spec(&spec, TotalBytes, CacheType, Flags))
		return NULL;
	pages = ntdma_pages_alloc(&spec);
	if (!pages)
		return NULL;
	mdl = ntdma_mdl_alloc(NULL, pages->count << PAGE_SHIFT,
			      spec.gfp & ~(__GFP_THISNODE | __GFP_ZERO));
	if (!mdl) {
		ntdma_hold_drop(&pages->hold);
		return NULL;
	}
	ntdma_pages_frames(pages, MmGetMdlPfnArray(mdl));
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	ntdma_hold_add(&pages->hold, NTDMA_PAGES, mdl);
	return mdl;
}
EXPORT_SYMBOL_NTDMA(MmAllocatePagesForMdlEx);

/**
 * MmFreePagesFromMdl() - free the pages of an MDL, but not the MDL
 * @Mdl: from MmAllocatePagesForMdlEx(); any other MDL and NULL are left alone
 *
 * Removes a system address, too.
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID MmFreePagesFromMdl(PMDL Mdl)
{
	if (!Mdl || !ntdma_mdl_is_allocated(Mdl)) {
		ntdma_refuse();
		return;
	}
	if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		ntdma_mdl_unmap(Mdl);
	Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
	ntdma_hold_put(NTDMA_PAGES, Mdl);
}
EXPORT_SYMBOL_NTDMA(MmFreePagesFromMdl);

/**
 * KeFlushIoBuffers() - make memory ready for a transfer
 * @Mdl: the buffer; its Next is not followed
 * @ReadOperation: TRUE from the device to memory
 * @DmaOperation: TRUE for DMA, FALSE for programmed I/O
 *
 * There is no device in this call, and so nothing to know about its caches:
 * they are taken care of when the buffer is mapped and flushed. What remains
 * is the order of the processor's accesses.
 *
 * EC-218, S27.
 *
 * Context: <= DISPATCH_LEVEL.
 */
VOID KeFlushIoBuffers(PMDL Mdl, BOOLEAN ReadOperation, BOOLEAN DmaOperation)
{
	dma_mb();
}
EXPORT_SYMBOL_NTDMA(KeFlushIoBuffers);
