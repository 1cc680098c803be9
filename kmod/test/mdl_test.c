// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs: contract section I and scenario S24, and what drivers do wrong.
 *
 * User memory is mapped into the process that reads the report. Its pages are
 * not consecutive in physical memory, so that a system address needs a mapping
 * of its own. A pinned page carries GUP_PIN_COUNTING_BIAS references per pin;
 * pages are few, so never large.
 */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/page_ref.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "hooks.h"
#include "rig.h"
#include "../wdm.h"

#define PAGES		8
#define BYTES		(PAGES * (ULONG)PAGE_SIZE)
/* An unaligned part of a buffer. */
#define SKEW		123
#define PART		(5 * (ULONG)PAGE_SIZE + 77)

#define RW		(PROT_READ | PROT_WRITE)
#define PRIVATE		(MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED		(MAP_SHARED | MAP_ANONYMOUS)

#define HAS_FRAMES	(MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | \
			 MDL_PARTIAL)

static u8 module_data[3 * PAGE_SIZE];

static PVOID va(unsigned long address)
{
	return (PVOID)address;
}

static u8 pattern(unsigned long at)
{
	return at * 7 + (at >> PAGE_SHIFT) + 1;
}

/* ---- Memory ---- */

static unsigned long user_map(struct nttest *t, unsigned long prot,
			      unsigned long flags)
{
	unsigned long address = vm_mmap(NULL, 0, BYTES, prot, flags, 0);

	return EXPECT(t, !IS_ERR_VALUE(address)) ? address : 0;
}

static bool user_write(unsigned long address, unsigned long first,
		       unsigned long count)
{
	unsigned long i;

	for (i = first; i < first + count; i++)
		if (put_user(pattern(i), (u8 __user *)(address + i)))
			return false;
	return true;
}

static bool user_fill(unsigned long address)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (!user_write(address, (i * 3 % PAGES) * PAGE_SIZE, PAGE_SIZE))
			return false;
	return true;
}

static bool user_is_scattered(unsigned long address)
{
	struct page *page[2];
	bool scattered;

	if (get_user_pages_fast(address, 2, 0, page) != 2)
		return false;
	scattered = page_to_pfn(page[1]) != page_to_pfn(page[0]) + 1;
	put_page(page[0]);
	put_page(page[1]);
	return scattered;
}

/* Filled memory; its first two pages are not consecutive frames. */
static unsigned long user_buffer(struct nttest *t)
{
	unsigned long tries[16], found = 0;
	unsigned int n = 0;

	while (!found && n < ARRAY_SIZE(tries)) {
		tries[n] = user_map(t, RW, PRIVATE);
		if (!tries[n] || !user_fill(tries[n]))
			break;
		if (user_is_scattered(tries[n]))
			found = tries[n];
		else
			n++;
	}
	while (n--)
		vm_munmap(tries[n], BYTES);
	EXPECT(t, found);
	return found;
}

/*
 * Takes a reference to the page at @address. Where that lies in memory kept for
 * contiguous allocations a lasting pin first moves it elsewhere, which it cannot
 * while we hold it: so a pin of our own goes before.
 */
static struct page *user_page(unsigned long address)
{
	struct page *page;

	if (pin_user_pages_fast(address, 1, FOLL_LONGTERM | FOLL_WRITE,
				&page) != 1)
		return NULL;
	unpin_user_page(page);
	return get_user_pages_fast(address, 1, 0, &page) == 1 ? page : NULL;
}

static void user_unmap(struct nttest *t, unsigned long address)
{
	EXPECT_EQ(t, vm_munmap(address, BYTES), 0);
}

static bool user_holds(unsigned long address, unsigned long first,
		       unsigned long count, int shift)
{
	unsigned long i;
	u8 value;

	for (i = first; i < first + count; i++)
		if (get_user(value, (u8 __user *)(address + i)) ||
		    value != (u8)(pattern(i) + shift))
			return false;
	return true;
}

static bool holds(const u8 *bytes, unsigned long first, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		if (bytes[i] != pattern(first + i))
			return false;
	return true;
}

static void shift_bytes(u8 *bytes, unsigned long count)
{
	while (count--)
		bytes[count]++;
}

static struct page *frame(PMDL mdl, unsigned int i)
{
	return pfn_to_page(MmGetMdlPfnArray(mdl)[i]);
}

/* A byte of the frames, which need not be in the linear map. */
static u8 frame_byte(PMDL mdl, ULONG at)
{
	u8 *page = kmap_local_page(frame(mdl, at >> PAGE_SHIFT));
	u8 byte = page[offset_in_page(at)];

	kunmap_local(page);
	return byte;
}

static void frame_fill(PMDL mdl, unsigned int i, u8 byte)
{
	u8 *page = kmap_local_page(frame(mdl, i));

	memset(page, byte, PAGE_SIZE);
	kunmap_local(page);
}

static unsigned int pins(struct page *page)
{
	return page_ref_count(page) / GUP_PIN_COUNTING_BIAS;
}

static s64 pinned(void)
{
	return atomic64_read(&current->mm->pinned_vm);
}

/* What is unlocked at DISPATCH_LEVEL is given back a little later. */
static bool pinned_becomes(s64 count)
{
	int i;

	for (i = 0; i < RIG_PATIENCE / 20 && pinned() != count; i++)
		msleep(20);
	return pinned() == count;
}

static bool is_scattered(PMDL mdl)
{
	ULONG n = ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl),
						 mdl->ByteCount);
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	ULONG i;

	for (i = 1; i < n; i++)
		if (pfns[i] != pfns[i - 1] + 1)
			return true;
	return false;
}

static PVOID address_of(PMDL mdl)
{
	return MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
}

static bool is_mapped(const void *address)
{
	return is_vmalloc_addr(address) && vmalloc_to_page(address);
}

static PMDL mdl_of(struct nttest *t, PVOID base, ULONG length)
{
	PMDL mdl = IoAllocateMdl(base, length, FALSE, FALSE, NULL);

	EXPECT(t, mdl);
	return mdl;
}

static PMDL mdl_locked(struct nttest *t, unsigned long address, ULONG length,
		       LOCK_OPERATION operation)
{
	PMDL mdl = mdl_of(t, va(address), length);

	if (!mdl)
		return NULL;
	MmProbeAndLockPages(mdl, UserMode, operation);
	if (EXPECT(t, mdl->MdlFlags & MDL_PAGES_LOCKED))
		return mdl;
	IoFreeMdl(mdl);
	return NULL;
}

static void mdl_done(PMDL mdl)
{
	MmUnlockPages(mdl);
	IoFreeMdl(mdl);
}

static NTSTATUS lock_once(struct nttest *t, PVOID base, ULONG length,
			  KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
	PMDL mdl = mdl_of(t, base, length);
	NTSTATUS status;

	if (!mdl)
		return STATUS_NO_MEMORY;
	status = ntdma_probe_and_lock_pages(mdl, mode, operation);
	EXPECT_EQ(t, !!(mdl->MdlFlags & MDL_PAGES_LOCKED), NT_SUCCESS(status));
	if (NT_SUCCESS(status))
		MmUnlockPages(mdl);
	EXPECT(t, !(mdl->MdlFlags & (HAS_FRAMES | MDL_WRITE_OPERATION)));
	IoFreeMdl(mdl);
	return status;
}

/* ---- Arithmetic and allocation ---- */

static void ec_197(struct nttest *t)
{
	EXPECT_EQ(t, ADDRESS_AND_SIZE_TO_SPAN_PAGES(2 * PAGE_SIZE - 1, 2), 2);
	EXPECT_EQ(t, ADDRESS_AND_SIZE_TO_SPAN_PAGES(PAGE_SIZE, PAGE_SIZE), 1);
	EXPECT_EQ(t, ADDRESS_AND_SIZE_TO_SPAN_PAGES(PAGE_SIZE + 1, PAGE_SIZE), 2);
	EXPECT_EQ(t, ADDRESS_AND_SIZE_TO_SPAN_PAGES(PAGE_SIZE, 0), 0);
	EXPECT_EQ(t, ADDRESS_AND_SIZE_TO_SPAN_PAGES(PAGE_SIZE + 1, 0), 1);
}

static void ec_198(struct nttest *t)
{
	if (!IS_ENABLED(CONFIG_64BIT))
		return nttest_skip(t, "SIZE_T has 32 bits");
	EXPECT_EQ(t, ADDRESS_AND_SIZE_TO_SPAN_PAGES(PAGE_SIZE - 1, 0xFFFFFFFF),
		  (1ULL << (32 - PAGE_SHIFT)) + 1);
}

static void ec_199(struct nttest *t)
{
	EXPECT_EQ(t, MmSizeOfMdl(va(4 * PAGE_SIZE), 3 * PAGE_SIZE),
		  sizeof(MDL) + 3 * sizeof(PFN_NUMBER));
	EXPECT_EQ(t, MmSizeOfMdl(va(5 * PAGE_SIZE - 1), 2),
		  sizeof(MDL) + 2 * sizeof(PFN_NUMBER));
	if (IS_ENABLED(CONFIG_64BIT))
		EXPECT_EQ(t, MmSizeOfMdl(NULL, 3 * PAGE_SIZE), 72);
}

static void ec_200(struct nttest *t)
{
	IRP irp = {};
	PMDL a = IoAllocateMdl(va(PAGE_SIZE), 10, FALSE, FALSE, &irp);
	PMDL b;

	EXPECT(t, irp.MdlAddress == a);
	b = IoAllocateMdl(va(PAGE_SIZE), 10, FALSE, FALSE, &irp);
	EXPECT(t, irp.MdlAddress == b);
	REQUIRE(t, a && b && a != b);
	EXPECT(t, !a->Next && !b->Next);
	IoFreeMdl(a);
	IoFreeMdl(b);
}

static void ec_201(struct nttest *t)
{
	IRP irp = {};
	PMDL mdl[3];
	int i;

	for (i = 0; i < 3; i++)
		mdl[i] = IoAllocateMdl(va(PAGE_SIZE), 10, i > 0, FALSE, &irp);
	REQUIRE(t, mdl[0] && mdl[1] && mdl[2]);
	EXPECT(t, irp.MdlAddress == mdl[0]);
	EXPECT(t, mdl[0]->Next == mdl[1]);
	EXPECT(t, mdl[1]->Next == mdl[2]);
	EXPECT(t, !mdl[2]->Next);
	for (i = 0; i < 3; i++)
		IoFreeMdl(mdl[i]);
}

static void secondary_alone(struct nttest *t)
{
	IRP irp = {};
	PMDL mdl;

	EXPECT(t, !IoAllocateMdl(va(PAGE_SIZE), 10, TRUE, FALSE, NULL));
	mdl = IoAllocateMdl(va(PAGE_SIZE), 10, TRUE, FALSE, &irp);
	REQUIRE(t, mdl);
	EXPECT(t, irp.MdlAddress == mdl);
	IoFreeMdl(mdl);
}

static void ec_202(struct nttest *t)
{
	PMDL mdl = mdl_of(t, NULL, 3 * PAGE_SIZE);
	int i;

	REQUIRE(t, mdl);
	EXPECT(t, !mdl->StartVa && !mdl->Next);
	EXPECT_EQ(t, mdl->ByteOffset, 0);
	EXPECT_EQ(t, mdl->ByteCount, 3 * PAGE_SIZE);
	EXPECT_EQ(t, mdl->Size, MmSizeOfMdl(NULL, 3 * PAGE_SIZE));
	for (i = 0; i < 3; i++)
		MmGetMdlPfnArray(mdl)[i] = i;
	IoFreeMdl(mdl);
}

static void allocate_limits(struct nttest *t)
{
	ULONG most = 0xFFFFFFFF - PAGE_SIZE + 1;
	/* With 32 bits there are no addresses for one page more. */
	ULONG offset = sizeof(SIZE_T) == 8;
	PMDL mdl;

	EXPECT(t, !IoAllocateMdl(NULL, 0xFFFFFFFF, FALSE, FALSE, NULL));
	EXPECT(t, !IoAllocateMdl(NULL, most + 1, FALSE, FALSE, NULL));
	mdl = mdl_of(t, va(offset), most);
	REQUIRE(t, mdl);
	EXPECT_EQ(t, mdl->ByteCount, most);
	MmGetMdlPfnArray(mdl)[(most - 1 + offset) >> PAGE_SHIFT] = 1;
	IoFreeMdl(mdl);

	mdl = IoAllocateMdl(va(SKEW), 0, FALSE, TRUE, NULL);
	REQUIRE(t, mdl);
	EXPECT_EQ(t, mdl->ByteCount, 0);
	EXPECT_EQ(t, mdl->ByteOffset, SKEW);
	IoFreeMdl(mdl);
	IoFreeMdl(NULL);
}

static void dispatch_allocate(struct nttest *t)
{
	PMDL huge = mdl_of(t, NULL, 0xFFFFFFFF - PAGE_SIZE + 1);
	KIRQL irql;
	PMDL mdl;

	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	mdl = IoAllocateMdl(va(SKEW), BYTES, FALSE, FALSE, NULL);
	IoFreeMdl(huge);
	IoFreeMdl(mdl);
	/* Some MiB at once may or may not be there. */
	huge = IoAllocateMdl(NULL, 0xFFFFFFFF - PAGE_SIZE + 1, FALSE, FALSE,
			     NULL);
	IoFreeMdl(huge);
	KeLowerIrql(irql);
	EXPECT(t, mdl);
}

static void ec_203(struct nttest *t)
{
	PMDL a = mdl_of(t, va(PAGE_SIZE), 10);
	PMDL b = mdl_of(t, va(SKEW), BYTES);

	REQUIRE(t, a && b);
	a->Next = b;
	IoFreeMdl(a);
	EXPECT_EQ(t, b->ByteOffset, SKEW);
	EXPECT_EQ(t, b->ByteCount, BYTES);
	IoFreeMdl(b);
}

static void ec_219(struct nttest *t)
{
	IRP irp = {};
	PMDL mdl = IoAllocateMdl(module_data, sizeof(module_data), FALSE, FALSE,
				 &irp);
	u8 *raw = (u8 *)irp.MdlAddress;
	PFN_NUMBER pfn;

	REQUIRE(t, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	if (IS_ENABLED(CONFIG_64BIT)) {
		EXPECT_EQ(t, *(u16 *)(raw + 0x0A) & MDL_SOURCE_IS_NONPAGED_POOL,
			  MDL_SOURCE_IS_NONPAGED_POOL);
		EXPECT_EQ(t, *(u32 *)(raw + 0x28), sizeof(module_data));
		EXPECT_EQ(t, sizeof(MDL), 0x30);
	}
	EXPECT(t, !*(PMDL *)raw);
	pfn = vmalloc_to_pfn(module_data + PAGE_SIZE);
	EXPECT_EQ(t, ((PPFN_NUMBER)(raw + sizeof(MDL)))[1], pfn);
	IoFreeMdl(mdl);
}

/* ---- Kernel memory ---- */

static void check_built(struct nttest *t, u8 *bytes, ULONG length)
{
	PMDL mdl = mdl_of(t, bytes, length);
	ULONG i;

	if (!mdl)
		return;
	for (i = 0; i < length; i++)
		bytes[i] = pattern(i);
	MmBuildMdlForNonPagedPool(mdl);
	EXPECT_EQ(t, mdl->MdlFlags & (HAS_FRAMES | MDL_MAPPED_TO_SYSTEM_VA),
		  MDL_SOURCE_IS_NONPAGED_POOL);
	EXPECT(t, address_of(mdl) == bytes);
	EXPECT(t, MmGetMdlVirtualAddress(mdl) == bytes);
	for (i = 0; i < length; i++)
		if (!EXPECT_EQ(t, frame_byte(mdl, mdl->ByteOffset + i),
			       pattern(i)))
			break;
	MmUnlockPages(mdl);
	MmUnmapLockedPages(bytes, mdl);
	EXPECT(t, address_of(mdl) == bytes);
	IoFreeMdl(mdl);
}

static void ec_208(struct nttest *t)
{
	u8 *small = kmalloc(100, GFP_KERNEL);
	u8 *large = kmalloc(BYTES, GFP_KERNEL);
	u8 *far = vmalloc(BYTES);

	if (EXPECT(t, small && large && far)) {
		check_built(t, small, 100);
		check_built(t, large + SKEW, PART);
		check_built(t, far, BYTES);
		check_built(t, far + SKEW, PART);
		check_built(t, module_data + 1, sizeof(module_data) - 1);
	}
	vfree(far);
	kfree(large);
	kfree(small);
}

static void ec_164(struct nttest *t)
{
	dma_addr_t dma;
	u8 *buffer = dma_alloc_coherent(t->dev, BYTES, &dma, GFP_KERNEL);

	REQUIRE(t, buffer);
	check_built(t, buffer + SKEW, PART);
	dma_free_coherent(t->dev, BYTES, buffer, dma);
}

static void check_unbuildable(struct nttest *t, PVOID base, ULONG length)
{
	PMDL mdl = mdl_of(t, base, length);
	long refused = ntdma_refused();

	if (!mdl)
		return;
	MmBuildMdlForNonPagedPool(mdl);
	EXPECT(t, !(mdl->MdlFlags & HAS_FRAMES));
	EXPECT_EQ(t, mdl->ByteCount, 0);
	EXPECT(t, !address_of(mdl));
	EXPECT(t, ntdma_refused() > refused);
	IoFreeMdl(mdl);
}

static void build_bad(struct nttest *t)
{
	u8 *hole = vmalloc(PAGE_SIZE);
	u8 on_stack[16];

	REQUIRE(t, hole);
	/* The guard page behind a vmalloc area is never mapped. */
	check_unbuildable(t, hole, 2 * PAGE_SIZE);
	vfree(hole);
	check_unbuildable(t, on_stack, sizeof(on_stack));
	check_unbuildable(t, va(PAGE_SIZE), 1);
	check_unbuildable(t, NULL, PAGE_SIZE);
	check_unbuildable(t, va(-PAGE_SIZE), 2 * PAGE_SIZE);
	MmBuildMdlForNonPagedPool(NULL);
}

static void check_kernel_lock(struct nttest *t, u8 *bytes, ULONG length,
			      LOCK_OPERATION operation)
{
	PMDL mdl = mdl_of(t, bytes, length);
	USHORT write = operation == IoReadAccess ? 0 : MDL_WRITE_OPERATION;

	if (!mdl)
		return;
	MmProbeAndLockPages(mdl, KernelMode, operation);
	EXPECT_EQ(t, mdl->MdlFlags & (HAS_FRAMES | MDL_WRITE_OPERATION),
		  MDL_PAGES_LOCKED | write);
	EXPECT(t, address_of(mdl) == bytes);
	EXPECT(t, mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
	MmUnlockPages(mdl);
	EXPECT(t, !(mdl->MdlFlags & (HAS_FRAMES | MDL_WRITE_OPERATION |
				     MDL_MAPPED_TO_SYSTEM_VA)));
	IoFreeMdl(mdl);
}

static void s24_kernel(struct nttest *t)
{
	u8 *near = kmalloc(BYTES, GFP_KERNEL);
	u8 *far = vmalloc(BYTES);
	KIRQL irql;

	if (EXPECT(t, near && far)) {
		check_kernel_lock(t, near + SKEW, PART, IoReadAccess);
		check_kernel_lock(t, far + SKEW, PART, IoWriteAccess);
		check_kernel_lock(t, module_data, sizeof(module_data),
				  IoModifyAccess);
		KeRaiseIrql(DISPATCH_LEVEL, &irql);
		check_kernel_lock(t, near, BYTES, IoModifyAccess);
		check_kernel_lock(t, far + 1, PART, IoReadAccess);
		KeLowerIrql(irql);
		EXPECT_EQ(t, lock_once(t, near, BYTES, UserMode, IoReadAccess),
			  STATUS_ACCESS_VIOLATION);
		EXPECT_EQ(t, lock_once(t, far, BYTES + 1, KernelMode,
				       IoReadAccess), STATUS_ACCESS_VIOLATION);
	}
	vfree(far);
	kfree(near);
}

/* ---- User memory ---- */

static void s24_step1(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	s64 before = pinned();
	PMDL mdl;
	u8 *bytes;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user + SKEW, PART, IoWriteAccess);
	REQUIRE(t, mdl);
	EXPECT_EQ(t, mdl->MdlFlags & (HAS_FRAMES | MDL_WRITE_OPERATION |
				      MDL_MAPPED_TO_SYSTEM_VA),
		  MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
	EXPECT_EQ(t, pinned() - before,
		  ADDRESS_AND_SIZE_TO_SPAN_PAGES(SKEW, PART));
	EXPECT_EQ(t, pins(frame(mdl, 0)), 1);
	bytes = address_of(mdl);
	if (EXPECT(t, bytes)) {
		EXPECT(t, mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
		EXPECT(t, holds(bytes, SKEW, PART));
		shift_bytes(bytes, PART);
	}
	MmUnlockPages(mdl);
	EXPECT(t, !(mdl->MdlFlags & (HAS_FRAMES | MDL_WRITE_OPERATION |
				     MDL_MAPPED_TO_SYSTEM_VA)));
	EXPECT_EQ(t, pinned(), before);
	IoFreeMdl(mdl);
	EXPECT(t, user_holds(user, SKEW, PART, 1));
	EXPECT(t, user_holds(user, 0, SKEW, 0));
	EXPECT(t, user_holds(user, SKEW + PART, BYTES - SKEW - PART, 0));
	user_unmap(t, user);
}

static void s24_step2(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PMDL mdl;

	REQUIRE(t, user);
	user_unmap(t, user);
	mdl = mdl_of(t, va(user), BYTES);
	REQUIRE(t, mdl);
	MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
	EXPECT(t, !(mdl->MdlFlags & MDL_PAGES_LOCKED));
	EXPECT_EQ(t, mdl->ByteCount, BYTES);
	IoFreeMdl(mdl);
}

static void s24_step3(struct nttest *t)
{
	static const ULONG starts[] = { 0, PAGE_SIZE - SKEW - 1,
		PAGE_SIZE - SKEW, PAGE_SIZE - 1, 3 * PAGE_SIZE + SKEW };
	unsigned long user = user_buffer(t);
	PMDL source, target;
	int i;

	REQUIRE(t, user);
	source = mdl_locked(t, user + SKEW, PART, IoReadAccess);
	target = mdl_of(t, va(user), BYTES);
	REQUIRE(t, source && target);
	target->Next = source;
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		ULONG at = starts[i];
		ULONG first = (SKEW + at) >> PAGE_SHIFT;
		u8 *bytes;

		IoBuildPartialMdl(source, target, va(user + SKEW + at), 1000);
		EXPECT_EQ(t, target->MdlFlags & HAS_FRAMES, MDL_PARTIAL);
		EXPECT_EQ(t, target->ByteCount, 1000);
		EXPECT(t, target->Next == source);
		EXPECT(t, frame(target, 0) == frame(source, first));
		bytes = address_of(target);
		EXPECT(t, bytes && holds(bytes, SKEW + at, 1000));
		MmPrepareMdlForReuse(target);
		EXPECT(t, !(target->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED));
	}
	IoFreeMdl(target);
	EXPECT_EQ(t, source->MdlFlags & HAS_FRAMES, MDL_PAGES_LOCKED);
	EXPECT_EQ(t, pins(frame(source, 0)), 1);
	mdl_done(source);
	user_unmap(t, user);
}

static void ec_209(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	s64 before = pinned();
	struct page *page;

	REQUIRE(t, user);
	page = user_page(user);
	REQUIRE(t, page);
	EXPECT_EQ(t, vm_munmap(user + 4 * PAGE_SIZE, 2 * PAGE_SIZE), 0);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoReadAccess),
		  STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoWriteAccess),
		  STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, KernelMode, IoReadAccess),
		  STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, pins(page), 0);
	EXPECT_EQ(t, pinned(), before);
	EXPECT_EQ(t, lock_once(t, va(user), 4 * PAGE_SIZE, UserMode,
			       IoWriteAccess), STATUS_SUCCESS);
	put_page(page);
	user_unmap(t, user);

	user = user_map(t, PROT_NONE, PRIVATE);
	REQUIRE(t, user);
	EXPECT_EQ(t, lock_once(t, va(user), 1, UserMode, IoReadAccess),
		  STATUS_ACCESS_VIOLATION);
	user_unmap(t, user);
}

static void ec_210(struct nttest *t)
{
	unsigned long user = user_map(t, PROT_READ, PRIVATE);

	REQUIRE(t, user);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoWriteAccess),
		  STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoModifyAccess),
		  STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoReadAccess),
		  STATUS_SUCCESS);
	user_unmap(t, user);

	user = user_map(t, PROT_READ, SHARED);
	REQUIRE(t, user);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoWriteAccess),
		  STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoReadAccess),
		  STATUS_SUCCESS);
	user_unmap(t, user);
}

/* A page never written is shared by all; locked, it must follow its owner. */
static void read_lock_follows(struct nttest *t)
{
	unsigned long user = user_map(t, RW, PRIVATE);
	PMDL mdl;
	ULONG i;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user, PAGE_SIZE, IoReadAccess);
	REQUIRE(t, mdl);
	EXPECT(t, user_write(user, 0, PAGE_SIZE));
	for (i = 0; i < PAGE_SIZE; i++)
		if (!EXPECT_EQ(t, frame_byte(mdl, i), pattern(i)))
			break;
	mdl_done(mdl);
	user_unmap(t, user);
}

static void check_dirtied(struct nttest *t, bool dispatch)
{
	unsigned long user = user_map(t, RW, SHARED);
	s64 before = pinned();
	KIRQL irql = PASSIVE_LEVEL;
	struct page *page;
	PMDL mdl;

	REQUIRE(t, user && user_write(user, 0, PAGE_SIZE));
	mdl = mdl_locked(t, user, PAGE_SIZE, IoWriteAccess);
	REQUIRE(t, mdl);
	page = frame(mdl, 0);
	get_page(page);
	ClearPageDirty(page);
	if (dispatch)
		KeRaiseIrql(DISPATCH_LEVEL, &irql);
	mdl_done(mdl);
	if (dispatch)
		KeLowerIrql(irql);
	EXPECT(t, pinned_becomes(before));
	EXPECT(t, PageDirty(page));
	put_page(page);
	user_unmap(t, user);
}

static void written_is_dirty(struct nttest *t)
{
	check_dirtied(t, false);
	check_dirtied(t, true);
}

static void ec_211(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	struct page *page;
	PMDL a, b;

	REQUIRE(t, user);
	a = mdl_locked(t, user, BYTES, IoReadAccess);
	b = mdl_locked(t, user + 10, 10, IoWriteAccess);
	REQUIRE(t, a && b);
	page = frame(a, 0);
	get_page(page);
	EXPECT(t, frame(b, 0) == page);
	EXPECT_EQ(t, pins(page), 2);
	mdl_done(a);
	EXPECT_EQ(t, pins(page), 1);
	mdl_done(b);
	EXPECT_EQ(t, pins(page), 0);
	put_page(page);
	user_unmap(t, user);
}

static void ec_212(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PVOID address;
	PMDL mdl;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user + SKEW, PART, IoReadAccess);
	REQUIRE(t, mdl && EXPECT(t, is_scattered(mdl)));
	address = address_of(mdl);
	EXPECT(t, is_mapped(address));
	MmUnlockPages(mdl);
	EXPECT(t, !is_mapped(address));
	EXPECT(t, !address_of(mdl));
	IoFreeMdl(mdl);
	user_unmap(t, user);
}

static void dispatch_unlock(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	s64 before = pinned();
	struct page *page;
	PVOID address;
	KIRQL irql;
	PMDL mdl;
	int i;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user + SKEW, PART, IoWriteAccess);
	REQUIRE(t, mdl && EXPECT(t, is_scattered(mdl)));
	page = frame(mdl, 0);
	get_page(page);
	address = address_of(mdl);
	EXPECT(t, is_mapped(address));
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	MmUnlockPages(mdl);
	EXPECT(t, !(mdl->MdlFlags & (HAS_FRAMES | MDL_MAPPED_TO_SYSTEM_VA)));
	memset(MmGetMdlPfnArray(mdl), 0xff, sizeof(PFN_NUMBER));
	IoFreeMdl(mdl);
	KeLowerIrql(irql);
	EXPECT(t, pinned_becomes(before));
	for (i = 0; i < RIG_PATIENCE / 20 &&
	     (pins(page) || is_mapped(address)); i++)
		msleep(20);
	EXPECT_EQ(t, pins(page), 0);
	EXPECT(t, !is_mapped(address));
	put_page(page);
	user_unmap(t, user);
}

static void dispatch_lock(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	NTSTATUS status;
	PVOID address;
	KIRQL irql;
	PMDL mdl;

	REQUIRE(t, user);
	mdl = mdl_of(t, va(user + SKEW), PART);
	REQUIRE(t, mdl);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	status = ntdma_probe_and_lock_pages(mdl, UserMode, IoReadAccess);
	KeLowerIrql(irql);
	EXPECT_EQ(t, status, STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, ntdma_probe_and_lock_pages(mdl, UserMode, IoReadAccess),
		  STATUS_SUCCESS);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	address = address_of(mdl);
	KeLowerIrql(irql);
	EXPECT_EQ(t, !address, is_scattered(mdl));
	EXPECT(t, address_of(mdl));
	mdl_done(mdl);
	user_unmap(t, user);
}

static void ec_213(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PVOID address;
	PMDL mdl;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user + SKEW, PART, IoReadAccess);
	REQUIRE(t, mdl);
	address = address_of(mdl);
	REQUIRE(t, address);
	EXPECT_EQ(t, offset_in_page(address), SKEW);
	EXPECT(t, address_of(mdl) == address);
	EXPECT(t, MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmNonCached,
					       NULL, FALSE, 0) == address);
	MmUnmapLockedPages(address, mdl);
	EXPECT(t, !is_mapped(address));
	EXPECT(t, !(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
	mdl_done(mdl);

	/* One page is in the linear map already. */
	mdl = mdl_locked(t, user + SKEW, 100, IoReadAccess);
	REQUIRE(t, mdl);
	address = address_of(mdl);
	EXPECT_EQ(t, offset_in_page(address), SKEW);
	EXPECT(t, !IS_ENABLED(CONFIG_64BIT) || !is_vmalloc_addr(address));
	EXPECT(t, holds(address, SKEW, 100));
	mdl_done(mdl);
	user_unmap(t, user);
}

static void ec_215(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PVOID address;
	PMDL mdl;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user, BYTES, IoReadAccess);
	REQUIRE(t, mdl);
	address = address_of(mdl);
	MmPrepareMdlForReuse(mdl);
	EXPECT(t, is_mapped(address));
	EXPECT(t, address_of(mdl) == address);
	mdl_done(mdl);
	user_unmap(t, user);
}

static void edited_mdl(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	s64 before = pinned();
	u8 *bytes;
	PMDL mdl;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user, BYTES, IoReadAccess);
	REQUIRE(t, mdl);
	mdl->ByteOffset = 2 * PAGE_SIZE + SKEW;
	mdl->ByteCount = PAGE_SIZE;
	bytes = address_of(mdl);
	EXPECT(t, bytes && holds(bytes, 2 * PAGE_SIZE + SKEW, PAGE_SIZE));
	mdl->Process = va(1);
	MmGetMdlPfnArray(mdl)[0] = 0;
	mdl->ByteCount = 0;
	mdl_done(mdl);
	EXPECT_EQ(t, pinned(), before);
	user_unmap(t, user);
}

static void bad_lock(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	s64 before = pinned();
	PMDL mdl;

	REQUIRE(t, user);
	EXPECT_EQ(t, ntdma_probe_and_lock_pages(NULL, UserMode, IoReadAccess),
		  STATUS_INVALID_PARAMETER);
	MmProbeAndLockPages(NULL, KernelMode, IoWriteAccess);
	MmUnlockPages(NULL);
	EXPECT_EQ(t, lock_once(t, va(user), 0, UserMode, IoReadAccess),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, lock_once(t, va(user), 1, UserMode, 3),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, lock_once(t, va(user), 1, 2, IoReadAccess),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, lock_once(t, NULL, 1, UserMode, IoReadAccess),
		  STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(-PAGE_SIZE), 2 * PAGE_SIZE, UserMode,
			       IoReadAccess), STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(-PAGE_SIZE), 2 * PAGE_SIZE, KernelMode,
			       IoReadAccess), STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, va(user), 0 - (ULONG)PAGE_SIZE, UserMode,
			       IoReadAccess), STATUS_ACCESS_VIOLATION);
	EXPECT_EQ(t, lock_once(t, &mdl, sizeof(mdl), KernelMode, IoReadAccess),
		  STATUS_ACCESS_VIOLATION);

	mdl = mdl_locked(t, user, BYTES, IoReadAccess);
	REQUIRE(t, mdl);
	EXPECT_EQ(t, ntdma_probe_and_lock_pages(mdl, UserMode, IoWriteAccess),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, mdl->MdlFlags & (HAS_FRAMES | MDL_WRITE_OPERATION),
		  MDL_PAGES_LOCKED);
	MmBuildMdlForNonPagedPool(mdl);
	MmFreePagesFromMdl(mdl);
	EXPECT_EQ(t, mdl->MdlFlags & HAS_FRAMES, MDL_PAGES_LOCKED);
	EXPECT_EQ(t, pinned() - before, PAGES);
	MmUnlockPages(mdl);
	EXPECT_EQ(t, pinned(), before);
	MmUnlockPages(mdl);
	EXPECT_EQ(t, pinned(), before);
	IoFreeMdl(mdl);
	user_unmap(t, user);
}

static void bad_map(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PVOID address;
	PMDL mdl;

	REQUIRE(t, user);
	mdl = mdl_of(t, va(user), BYTES);
	REQUIRE(t, mdl);
	EXPECT(t, !address_of(mdl));
	MmUnmapLockedPages(va(user), mdl);
	MmUnmapLockedPages(NULL, NULL);
	MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
	EXPECT(t, !MmMapLockedPagesSpecifyCache(mdl, UserMode, MmCached, NULL,
						FALSE, 0));
	EXPECT(t, !MmMapLockedPagesSpecifyCache(mdl, KernelMode,
						MmMaximumCacheType, NULL,
						FALSE, 0));
	EXPECT(t, !MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmNotMapped,
						NULL, FALSE, 0));
	EXPECT(t, !MmMapLockedPagesSpecifyCache(NULL, KernelMode, MmCached,
						NULL, FALSE, 0));
	address = address_of(mdl);
	REQUIRE(t, address);
	MmUnmapLockedPages(address + PAGE_SIZE, mdl);
	EXPECT(t, is_mapped(address));
	MmUnmapLockedPages(address + 5, mdl);
	EXPECT(t, !is_mapped(address));
	MmUnmapLockedPages(address, mdl);
	EXPECT_EQ(t, mdl->MdlFlags & HAS_FRAMES, MDL_PAGES_LOCKED);

	MmGetMdlPfnArray(mdl)[1] = ~(PFN_NUMBER)0 >> PAGE_SHIFT;
	EXPECT(t, !address_of(mdl));
	mdl_done(mdl);
	user_unmap(t, user);
}

static void memlock_limit(struct nttest *t)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_MEMLOCK];
	unsigned long user = user_buffer(t), rlim = limit->rlim_cur;
	struct cred *cred = prepare_creds();
	const struct cred *old;
	s64 before = pinned();
	KIRQL irql;
	PMDL mdl;

	REQUIRE(t, user && cred);
	cap_clear(cred->cap_effective);
	old = override_creds(cred);
	WRITE_ONCE(limit->rlim_cur, (before + PAGES) << PAGE_SHIFT);
	mdl = mdl_locked(t, user, PAGE_SIZE, IoReadAccess);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoReadAccess),
		  STATUS_WORKING_SET_QUOTA);
	EXPECT_EQ(t, pinned(), before + 1);
	/* Room that an unlock at DISPATCH_LEVEL makes can be used at once. */
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	mdl_done(mdl);
	KeLowerIrql(irql);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoReadAccess),
		  STATUS_SUCCESS);
	revert_creds(old);
	put_cred(cred);
	WRITE_ONCE(limit->rlim_cur, before << PAGE_SHIFT);
	EXPECT_EQ(t, lock_once(t, va(user), BYTES, UserMode, IoReadAccess),
		  STATUS_SUCCESS);
	WRITE_ONCE(limit->rlim_cur, rlim);
	user_unmap(t, user);
}

static void freed_while_locked(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	long live = ntdma_live_objects(), refused = ntdma_refused();
	s64 before = pinned();
	struct page *page;
	PVOID address;
	PMDL mdl;

	REQUIRE(t, user);
	mdl = mdl_locked(t, user, BYTES, IoReadAccess);
	REQUIRE(t, mdl);
	page = frame(mdl, 0);
	address = address_of(mdl);
	EXPECT(t, is_mapped(address));
	EXPECT_EQ(t, ntdma_live_objects(), live + 2);
	IoFreeMdl(mdl);
	EXPECT_EQ(t, ntdma_refused(), refused + 1);
	EXPECT_EQ(t, ntdma_live_objects(), live);
	EXPECT(t, !is_mapped(address));
	/* A device may still write there: the pages stay until rmmod. */
	EXPECT_EQ(t, pins(page), 1);
	EXPECT_EQ(t, pinned(), before + PAGES);
	user_unmap(t, user);
}

/* ---- Partial MDLs ---- */

static void ec_204(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PMDL source, target;
	PVOID address;

	REQUIRE(t, user);
	source = mdl_locked(t, user, BYTES, IoReadAccess);
	target = mdl_of(t, va(user), BYTES);
	REQUIRE(t, source && target);
	IoBuildPartialMdl(source, target, va(user), 0);
	address = address_of(target);
	EXPECT(t, is_mapped(address));
	IoFreeMdl(target);
	EXPECT(t, !is_mapped(address));
	mdl_done(source);
	user_unmap(t, user);
}

static void ec_205(struct nttest *t)
{
	u8 *bytes = kmalloc(BYTES, GFP_KERNEL);
	PMDL source = mdl_of(t, bytes + SKEW, PART);
	PMDL target = mdl_of(t, bytes, BYTES);

	REQUIRE(t, bytes && source && target);
	MmBuildMdlForNonPagedPool(source);
	IoBuildPartialMdl(source, target, bytes + SKEW + 1000, 0);
	EXPECT_EQ(t, target->ByteCount, PART - 1000);
	EXPECT(t, MmGetMdlVirtualAddress(target) == bytes + SKEW + 1000);
	EXPECT_EQ(t, target->MdlFlags & MDL_PARTIAL, MDL_PARTIAL);
	IoBuildPartialMdl(source, target, bytes + SKEW + PART, 0);
	EXPECT_EQ(t, target->ByteCount, 0);
	IoFreeMdl(target);
	IoFreeMdl(source);
	kfree(bytes);
}

static void ec_206(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PMDL source, target;
	PVOID address;
	long live;

	REQUIRE(t, user);
	source = mdl_locked(t, user, BYTES, IoReadAccess);
	target = mdl_of(t, va(user), BYTES);
	REQUIRE(t, source && target);
	address = address_of(source);
	live = ntdma_live_objects();
	IoBuildPartialMdl(source, target, va(user + PAGE_SIZE + SKEW), PART);
	EXPECT(t, address_of(target) == address + PAGE_SIZE + SKEW);
	EXPECT_EQ(t, ntdma_live_objects(), live);
	EXPECT(t, !(target->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED));
	MmPrepareMdlForReuse(target);
	IoFreeMdl(target);
	EXPECT(t, is_mapped(address));
	EXPECT(t, address_of(source) == address);
	mdl_done(source);
	user_unmap(t, user);
}

static void ec_207(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PMDL source, target;
	PVOID address;

	REQUIRE(t, user);
	source = mdl_locked(t, user, BYTES, IoReadAccess);
	target = mdl_of(t, va(user), BYTES);
	REQUIRE(t, source && target);
	IoBuildPartialMdl(source, target, va(user + SKEW), PART);
	EXPECT(t, !(target->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
	address = address_of(target);
	EXPECT(t, is_mapped(address));
	EXPECT(t, holds(address, SKEW, PART));
	EXPECT(t, target->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED);
	EXPECT(t, !(source->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
	MmPrepareMdlForReuse(target);
	EXPECT(t, !is_mapped(address));
	/* A driver that forgot to prepare loses nothing either. */
	address = address_of(target);
	IoBuildPartialMdl(source, target, va(user + 1), PART);
	EXPECT(t, !is_mapped(address));
	IoFreeMdl(target);
	mdl_done(source);
	user_unmap(t, user);
}

static void ec_214(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PMDL source, target, part;

	REQUIRE(t, user);
	source = mdl_locked(t, user + SKEW, PART, IoReadAccess);
	target = mdl_of(t, va(user), BYTES);
	part = mdl_of(t, va(user), BYTES);
	REQUIRE(t, source && target && part);
	IoBuildPartialMdl(source, target, va(user + SKEW + 5000), 3000);
	EXPECT(t, MmGetMdlVirtualAddress(target) == va(user + SKEW + 5000));
	EXPECT(t, address_of(target) != MmGetMdlVirtualAddress(target));
	IoBuildPartialMdl(target, part, va(user + SKEW + 6000), 0);
	EXPECT_EQ(t, part->ByteCount, 2000);
	EXPECT(t, MmGetMdlVirtualAddress(part) == va(user + SKEW + 6000));
	EXPECT(t, holds(address_of(part), SKEW + 6000, 2000));
	IoFreeMdl(part);
	IoFreeMdl(target);
	mdl_done(source);
	user_unmap(t, user);
}

static void check_no_part(struct nttest *t, PMDL source, PMDL target,
			  PVOID base, ULONG length)
{
	long refused = ntdma_refused();

	IoBuildPartialMdl(source, target, base, length);
	EXPECT_EQ(t, target->ByteCount, 0);
	EXPECT(t, !(target->MdlFlags & HAS_FRAMES));
	EXPECT(t, !address_of(target));
	EXPECT(t, ntdma_refused() > refused);
}

static void bad_partial(struct nttest *t)
{
	u8 *bytes = kmalloc(BYTES, GFP_KERNEL);
	PMDL source = mdl_of(t, bytes + SKEW, PART);
	PMDL target = mdl_of(t, bytes, BYTES);
	PMDL small = mdl_of(t, bytes, PAGE_SIZE);

	REQUIRE(t, bytes && source && target && small);
	check_no_part(t, source, target, bytes + SKEW, 10);
	MmBuildMdlForNonPagedPool(source);
	check_no_part(t, source, target, bytes, 10);
	check_no_part(t, source, target, bytes + SKEW + PART + 1, 0);
	check_no_part(t, source, target, bytes + SKEW + PART, 1);
	check_no_part(t, source, target, bytes + SKEW, PART + 1);
	check_no_part(t, source, target, bytes + SKEW + 1, 0xFFFFFFFF);
	check_no_part(t, source, target, NULL, 0);
	check_no_part(t, source, small, bytes + SKEW, PAGE_SIZE);
	IoBuildPartialMdl(source, small, bytes + PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(t, small->ByteCount, PAGE_SIZE);

	IoBuildPartialMdl(source, source, bytes + SKEW + 1, 1);
	EXPECT_EQ(t, source->ByteCount, PART);
	IoBuildPartialMdl(NULL, target, bytes, 1);
	IoBuildPartialMdl(source, NULL, bytes, 1);
	MmProbeAndLockPages(target, KernelMode, IoReadAccess);
	IoFreeMdl(small);
	IoFreeMdl(target);
	IoFreeMdl(source);
	kfree(bytes);
}

/* The 16 bits of Size do not limit an MDL. */
static void huge_partial(struct nttest *t)
{
	ULONG pages = 9000, length = pages * (ULONG)PAGE_SIZE;
	PMDL source = mdl_of(t, NULL, length);
	PMDL target = mdl_of(t, NULL, length);
	ULONG i;

	REQUIRE(t, source && target);
	for (i = 0; i < pages; i++)
		MmGetMdlPfnArray(source)[i] = i + 1;
	source->MdlFlags |= MDL_PAGES_LOCKED;
	IoBuildPartialMdl(source, target, va(PAGE_SIZE), 0);
	EXPECT_EQ(t, target->ByteCount, length - PAGE_SIZE);
	EXPECT_EQ(t, MmGetMdlPfnArray(target)[0], 2);
	EXPECT_EQ(t, MmGetMdlPfnArray(target)[pages - 2], pages);
	IoBuildPartialMdl(source, target, NULL, 1000 * (ULONG)PAGE_SIZE);
	EXPECT_EQ(t, target->ByteCount, 1000 * (ULONG)PAGE_SIZE);
	IoFreeMdl(target);
	source->MdlFlags &= ~MDL_PAGES_LOCKED;
	IoFreeMdl(source);
}

/* A driver's own MDL: nothing of ntdma lies behind the frames. */
static void drivers_mdl(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	PMDL mdl = kmalloc(sizeof(MDL) + PAGES * sizeof(PFN_NUMBER), GFP_KERNEL);
	s64 before = pinned();

	REQUIRE(t, user && mdl);
	memset(mdl, 0xa5, sizeof(MDL) + PAGES * sizeof(PFN_NUMBER));
	MmInitializeMdl(mdl, va(user), BYTES);
	EXPECT_EQ(t, ntdma_probe_and_lock_pages(mdl, UserMode, IoWriteAccess),
		  STATUS_SUCCESS);
	EXPECT(t, holds(address_of(mdl), 0, BYTES));
	MmUnlockPages(mdl);
	EXPECT_EQ(t, pinned(), before);
	MmInitializeMdl(mdl, module_data, PAGE_SIZE);
	MmBuildMdlForNonPagedPool(mdl);
	EXPECT(t, address_of(mdl) == module_data);
	kfree(mdl);
	user_unmap(t, user);
}

/* ---- Allocated pages ---- */

static PHYSICAL_ADDRESS phys(u64 address)
{
	return (PHYSICAL_ADDRESS){ .QuadPart = address };
}

static PMDL pages_between(u64 low, u64 last, u64 skip, SIZE_T bytes,
			  ULONG flags)
{
	return MmAllocatePagesForMdlEx(phys(low), phys(last), phys(skip), bytes,
				       MmCached, flags);
}

static void pages_free(PMDL mdl)
{
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);
}

static void check_pages(struct nttest *t, PMDL mdl, u64 low, u64 last)
{
	ULONG i;

	EXPECT(t, !(mdl->ByteCount & (PAGE_SIZE - 1)) && mdl->ByteCount);
	EXPECT(t, !mdl->StartVa && !mdl->ByteOffset && !mdl->Next);
	EXPECT(t, !(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
	for (i = 0; i < mdl->ByteCount >> PAGE_SHIFT; i++) {
		u64 at = page_to_phys(frame(mdl, i));

		if (!EXPECT(t, at >= low && at + PAGE_SIZE - 1 <= last))
			break;
	}
}

static void ec_216(struct nttest *t)
{
	struct page *page;
	u64 base;
	PMDL mdl;

	/*
	 * A window around a page that can be had, too small for the request.
	 * This processor gets that page again.
	 */
	migrate_disable();
	page = alloc_page(GFP_KERNEL | GFP_DMA | __GFP_NOWARN);
	base = page ? page_to_phys(page) & ~(u64)(SZ_4M - 1) : 0;
	if (EXPECT(t, page))
		__free_page(page);
	EXPECT(t, !pages_between(base, base + SZ_4M - 1, 0, SZ_16M,
				 MM_ALLOCATE_FULLY_REQUIRED));
	mdl = pages_between(base, base + SZ_4M - 1, 0, SZ_16M, 0);
	migrate_enable();
	REQUIRE(t, mdl);
	EXPECT(t, mdl->ByteCount <= SZ_4M);
	check_pages(t, mdl, base, base + SZ_4M - 1);
	pages_free(mdl);
}

/* Leaves memory that is not zero where the next allocation looks first. */
static void pages_soil(struct nttest *t)
{
	PMDL mdl = pages_between(0, ~0ULL, 0, BYTES, MM_DONT_ZERO_ALLOCATION);
	int i;

	REQUIRE(t, mdl);
	for (i = 0; i < PAGES; i++)
		frame_fill(mdl, i, 0xa5);
	pages_free(mdl);
}

static void ec_217(struct nttest *t)
{
	KIRQL irql;
	u8 *bytes;
	PMDL mdl;

	pages_soil(t);
	mdl = pages_between(0, ~0ULL, 0, BYTES - 100, 0);
	REQUIRE(t, mdl);
	EXPECT_EQ(t, mdl->ByteCount, BYTES);
	check_pages(t, mdl, 0, ~0ULL);
	bytes = address_of(mdl);
	REQUIRE(t, bytes);
	EXPECT(t, !memchr_inv(bytes, 0, BYTES));
	memset(bytes, 0xff, BYTES);
	EXPECT_EQ(t, frame_byte(mdl, BYTES - 1), 0xff);
	MmUnlockPages(mdl);
	EXPECT(t, address_of(mdl) == bytes);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	MmFreePagesFromMdl(mdl);
	MmFreePagesFromMdl(mdl);
	EXPECT(t, !(mdl->MdlFlags & (HAS_FRAMES | MDL_MAPPED_TO_SYSTEM_VA)));
	ExFreePool(mdl);
	mdl = pages_between(0, ~0ULL, 0, BYTES, MM_DONT_ZERO_ALLOCATION);
	KeLowerIrql(irql);
	REQUIRE(t, mdl);
	pages_free(mdl);
}

static void pages_in_bounds(struct nttest *t)
{
	ULONG flags = MM_ALLOCATE_FULLY_REQUIRED;
	PMDL mdl;
	ULONG i;

	mdl = pages_between(0, U32_MAX, 0, BYTES, flags);
	REQUIRE(t, mdl);
	check_pages(t, mdl, 0, U32_MAX);
	pages_free(mdl);

	/* Every other 64 KiB. */
	mdl = pages_between(0, SZ_64K - 1, SZ_128K, BYTES, flags);
	REQUIRE(t, mdl);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(t, page_to_phys(frame(mdl, i)) & SZ_64K, 0);
	pages_free(mdl);
}

static void pages_in_chunks(struct nttest *t)
{
	ULONG flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS |
		      MM_ALLOCATE_FULLY_REQUIRED;
	PMDL mdl = pages_between(0, ~0ULL, 4 * PAGE_SIZE, BYTES, flags);
	ULONG i;

	REQUIRE(t, mdl);
	for (i = 0; i < PAGES; i++)
		if (i % 4)
			EXPECT_EQ(t, page_to_pfn(frame(mdl, i)),
				  page_to_pfn(frame(mdl, i - 1)) + 1);
	pages_free(mdl);
	EXPECT(t, !pages_between(0, ~0ULL, 3 * PAGE_SIZE, 3 * BYTES, flags));
	EXPECT(t, !pages_between(0, ~0ULL, 16 * PAGE_SIZE, BYTES, flags));
	EXPECT(t, !pages_between(0, ~0ULL, 0, BYTES, flags));
	EXPECT(t, !pages_between(0, ~0ULL, SZ_1G, SZ_1G, flags));
}

static void bad_pages(struct nttest *t)
{
	EXPECT(t, !pages_between(0, ~0ULL, 0, 0, 0));
	EXPECT(t, !pages_between(0, ~0ULL, 0, 0xFFFFFFFF, 0));
	EXPECT(t, !pages_between(0, ~0ULL, 0, ~(SIZE_T)0, 0));
	EXPECT(t, !pages_between(PAGE_SIZE, 0, 0, PAGE_SIZE, 0));
	EXPECT(t, !pages_between(0, PAGE_SIZE - 2, 0, PAGE_SIZE, 0));
	EXPECT(t, !pages_between(1ULL << 62, ~0ULL, 0, PAGE_SIZE, 0));
	EXPECT(t, !pages_between(0, ~0ULL, 0, PAGE_SIZE, 0x80000000));
	EXPECT(t, !MmAllocatePagesForMdlEx(phys(0), phys(~0ULL), phys(0),
					   PAGE_SIZE, MmMaximumCacheType, 0));
	MmFreePagesFromMdl(NULL);
}

/* ---- The rest ---- */

static void ec_218(struct nttest *t)
{
	u8 *bytes = kmalloc(BYTES, GFP_KERNEL);
	PMDL a = mdl_of(t, bytes, PAGE_SIZE);
	PMDL b = mdl_of(t, bytes + PAGE_SIZE, PAGE_SIZE);
	MDL before[2];
	KIRQL irql;

	REQUIRE(t, bytes && a && b);
	MmBuildMdlForNonPagedPool(a);
	a->Next = b;
	before[0] = *a;
	before[1] = *b;
	KeFlushIoBuffers(a, TRUE, TRUE);
	KeRaiseIrql(DISPATCH_LEVEL, &irql);
	KeFlushIoBuffers(a, FALSE, TRUE);
	KeLowerIrql(irql);
	EXPECT(t, !memcmp(&before[0], a, sizeof(*a)));
	EXPECT(t, !memcmp(&before[1], b, sizeof(*b)));
	IoFreeMdl(b);
	IoFreeMdl(a);
	kfree(bytes);
}

/* A life cycle that may fail anywhere; what it says is what it did. */
static NTSTATUS life_cycle(unsigned long user)
{
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	PMDL mdl = IoAllocateMdl(va(user), BYTES, FALSE, FALSE, NULL);
	PMDL own = NULL;

	if (!mdl)
		return status;
	status = ntdma_probe_and_lock_pages(mdl, UserMode, IoWriteAccess);
	if (NT_SUCCESS(status)) {
		own = pages_between(0, ~0ULL, 0, BYTES, 0);
		if (!own || !address_of(mdl))
			status = STATUS_INSUFFICIENT_RESOURCES;
		MmUnlockPages(mdl);
	}
	IoFreeMdl(mdl);
	if (own)
		pages_free(own);
	return status;
}

static void failures(struct nttest *t)
{
	unsigned long user = user_buffer(t);
	long live = ntdma_live_objects();
	s64 before = pinned();
	NTSTATUS status;
	bool hit = true;
	int n;

	REQUIRE(t, user);
	for (n = 1; hit && n < 100; n++) {
		ntdma_fail_nth(n);
		status = life_cycle(user);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		EXPECT_EQ(t, status, hit ? STATUS_INSUFFICIENT_RESOURCES :
					   STATUS_SUCCESS);
		EXPECT_EQ(t, pinned(), before);
		EXPECT_EQ(t, ntdma_live_objects(), live);
	}
	EXPECT(t, n > 5 && !hit);
	user_unmap(t, user);
}

/* ---- Several threads ---- */

#define THREADS		4
#define ROUNDS		200

struct crowd {
	struct mm_struct *mm;
	unsigned long user;
	atomic_t failed;
};

static void crowd_round(struct crowd *c, unsigned int i)
{
	PMDL mdl = IoAllocateMdl(va(c->user + i), BYTES - i, FALSE, FALSE, NULL);
	KIRQL irql = PASSIVE_LEVEL;
	u8 *bytes;

	if (!mdl) {
		atomic_inc(&c->failed);
		return;
	}
	MmProbeAndLockPages(mdl, UserMode, i % 3 ? IoReadAccess : IoWriteAccess);
	bytes = address_of(mdl);
	if (!bytes || !holds(bytes, i, BYTES - i))
		atomic_inc(&c->failed);
	if (i & 1)
		KeRaiseIrql(DISPATCH_LEVEL, &irql);
	mdl_done(mdl);
	if (i & 1)
		KeLowerIrql(irql);
}

static int crowd_thread(void *data)
{
	struct crowd *c = data;
	unsigned int i;

	kthread_use_mm(c->mm);
	for (i = 0; i < ROUNDS; i++) {
		crowd_round(c, i);
		cond_resched();
	}
	kthread_unuse_mm(c->mm);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static void same_pages(struct nttest *t)
{
	struct crowd c = { .mm = current->mm, .user = user_buffer(t) };
	struct task_struct *threads[THREADS];
	s64 before = pinned();
	PMDL first;
	int i;

	REQUIRE(t, c.user);
	/* Leaves the memory for contiguous blocks, while nobody is in the way. */
	first = mdl_locked(t, c.user, BYTES, IoWriteAccess);
	REQUIRE(t, first);
	mdl_done(first);
	for (i = 0; i < THREADS; i++)
		threads[i] = kthread_run(crowd_thread, &c, "nttest_mdl/%d", i);
	for (i = 0; i < THREADS; i++)
		if (EXPECT(t, !IS_ERR(threads[i])))
			kthread_stop(threads[i]);
	EXPECT_EQ(t, atomic_read(&c.failed), 0);
	EXPECT(t, pinned_becomes(before));
	user_unmap(t, c.user);
}

/* The pages that this spans are not to be counted with 32 bits. */
static void too_long(struct nttest *t)
{
	if (sizeof(SIZE_T) == 4)
		EXPECT(t, !IoAllocateMdl((PVOID)2, 0xfffff000, FALSE, FALSE,
					 NULL));
	else
		nttest_skip(t, "SIZE_T has 64 bits");
}

static const struct nttest_case cases[] = {
	{ "EC-197 pages spanned", ec_197 },
	{ "EC-198 pages spanned by almost 4 GiB", ec_198 },
	{ "EC-198 bad input: more than there are addresses", too_long },
	{ "EC-199 size of an MDL", ec_199 },
	{ "EC-200 the second MDL of an IRP replaces the first", ec_200 },
	{ "EC-201 S24.4 secondary buffers are appended", ec_201 },
	{ "EC-201 secondary buffer without IRP, or of an empty IRP",
	  secondary_alone },
	{ "EC-202 MDL over no address", ec_202 },
	{ "EC-202 lengths at and beyond the limits", allocate_limits },
	{ "EC-202 allocate and free at DISPATCH_LEVEL", dispatch_allocate },
	{ "EC-203 free one MDL of a chain", ec_203 },
	{ "EC-204 free a mapped partial MDL", ec_204 },
	{ "EC-205 partial to the end of the source", ec_205 },
	{ "EC-206 partial of a mapped source shares its address", ec_206 },
	{ "EC-207 partial of an unmapped source", ec_207 },
	{ "EC-207 partial of more pages than Size can tell", huge_partial },
	{ "EC-207 partial outside the source or too large", bad_partial },
	{ "EC-208 pool, vmalloc and module data", ec_208 },
	{ "EC-208 memory that cannot be described", build_bad },
	{ "EC-164 MDL over coherent memory", ec_164 },
	{ "EC-209 inaccessible user memory", ec_209 },
	{ "EC-210 read-only user memory", ec_210 },
	{ "EC-210 memory locked for reading follows its owner",
	  read_lock_follows },
	{ "EC-211 a page locked by two MDLs", ec_211 },
	{ "EC-211 two MDLs over the same pages in several threads", same_pages },
	{ "EC-212 unlocking removes the mapping", ec_212 },
	{ "EC-212 unlocking at DISPATCH_LEVEL with a mapping", dispatch_unlock },
	{ "EC-213 system address is kept and has the offset", ec_213 },
	{ "EC-213 locking and mapping at DISPATCH_LEVEL", dispatch_lock },
	{ "EC-213 bad mode, type, address and frames", bad_map },
	{ "EC-214 virtual address of a partial MDL", ec_214 },
	{ "EC-215 reuse does not unmap a locked MDL", ec_215 },
	{ "EC-216 fewer pages than asked for", ec_216 },
	{ "EC-216 bounds and windows", pages_in_bounds },
	{ "EC-216 contiguous chunks", pages_in_chunks },
	{ "EC-216 bad parameters", bad_pages },
	{ "EC-217 allocated pages are zero", ec_217 },
	{ "EC-218 S27 flushing changes nothing", ec_218 },
	{ "EC-219 layout", ec_219 },
	{ "S24.1 user memory", s24_step1 },
	{ "S24.1 kernel memory", s24_kernel },
	{ "S24.1 written pages become dirty", written_is_dirty },
	{ "S24.1 a driver's own MDL", drivers_mdl },
	{ "S24.1 MDL edited while locked", edited_mdl },
	{ "S24.1 RLIMIT_MEMLOCK", memlock_limit },
	{ "S24.1 every allocation fails once", failures },
	{ "S24.2 bad user address", s24_step2 },
	{ "S24.2 bad arguments and double calls", bad_lock },
	{ "S24.2 MDL freed while its pages are locked", freed_while_locked },
	{ "S24.3 partial MDL built again and again", s24_step3 },
	{}
};

const struct nttest_suite nttest_mdl = {
	.name = "mdl",
	.cases = cases,
};
