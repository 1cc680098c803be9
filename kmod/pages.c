// SPDX-License-Identifier: GPL-2.0
/*
 * Pages behind MDLs: pinned, allocated, mapped.
 *
 * Whatever has to be undone later is a hold: a record that owns all that its
 * release needs, entered in the table of live objects under the address of
 * the MDL. Nothing is read back from the MDL, because drivers edit it, and
 * free it as soon as they have unlocked it.
 *
 * Holds are given up at DISPATCH_LEVEL too, but unmapping, unpinning dirty
 * pages and freeing large records may sleep. There the record goes to a work
 * item, in order, so that a mapping goes before the pages under it if both are
 * given up there. Giving up therefore never fails and never allocates.
 *
 * Pinned pages are counted in the pinned_vm of their process, an atomic
 * counter, against RLIMIT_MEMLOCK. The locked_vm counter needs the mmap lock,
 * which is out of reach at DISPATCH_LEVEL and in other processes.
 *
 * No lock of this file: the table has its own, the lists of holds need none.
 */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pfn.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mdl.h"

/* Blocks outside the bounds that are set aside before giving up. */
#define NTDMA_ASIDE	1024

struct ntdma_mapping {
	struct ntdma_hold hold;
	void *addr;
};

static LLIST_HEAD(ntdma_dead);
static LLIST_HEAD(ntdma_lost);
static struct workqueue_struct *ntdma_mdl_wq;

static void ntdma_release_list(struct llist_head *head)
{
	struct llist_node *list = llist_reverse_order(llist_del_all(head));
	struct ntdma_hold *hold, *next;

	llist_for_each_entry_safe(hold, next, list, dead)
		hold->release(hold);
}

static void ntdma_bury(struct work_struct *work)
{
	ntdma_release_list(&ntdma_dead);
}

static DECLARE_WORK(ntdma_bury_work, ntdma_bury);

/**
 * ntdma_may_sleep() - whether this is PASSIVE_LEVEL
 *
 * Bottom halves disabled show on every kernel; a plain spin lock does not
 * without CONFIG_PREEMPT_COUNT, and ported drivers do not take any.
 *
 * Context: any.
 * Return: true when the caller may sleep.
 */
bool ntdma_may_sleep(void)
{
	return !preempt_count() && !in_interrupt() && !irqs_disabled() &&
	       !rcu_preempt_depth();
}

/**
 * ntdma_hold_add() - enter a hold
 * @hold: its release is set
 * @kind: NTDMA_PINNED, NTDMA_PAGES or NTDMA_MAPPING
 * @owner: the MDL
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_hold_add(struct ntdma_hold *hold, enum ntdma_kind kind,
		    const void *owner)
{
	ntdma_handle_add(&hold->handle, kind, owner, NULL);
}

/**
 * ntdma_hold_drop() - release a hold that is not in the table
 * @hold: not to be touched afterwards
 *
 * Context: any; at DISPATCH_LEVEL the release happens a little later.
 */
void ntdma_hold_drop(struct ntdma_hold *hold)
{
	if (ntdma_may_sleep()) {
		hold->release(hold);
		return;
	}
	llist_add(&hold->dead, &ntdma_dead);
	/* Also behind others: who put the first may not have got this far. */
	queue_work(ntdma_mdl_wq, &ntdma_bury_work);
}

static struct ntdma_hold *ntdma_hold_take(enum ntdma_kind kind,
					  const void *owner)
{
	struct ntdma_handle *handle = ntdma_handle_take(kind, owner, NULL);

	return handle ? container_of(handle, struct ntdma_hold, handle) : NULL;
}

/**
 * ntdma_hold_put() - give up what is held for an MDL
 * @kind: which hold
 * @owner: the MDL
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: whether there was one.
 */
bool ntdma_hold_put(enum ntdma_kind kind, const void *owner)
{
	struct ntdma_hold *hold = ntdma_hold_take(kind, owner);

	if (hold)
		ntdma_hold_drop(hold);
	return hold;
}

/**
 * ntdma_hold_abandon() - forget whose hold it is
 * @kind: which hold
 * @owner: an MDL that is about to go
 *
 * A device may still write to pages that the driver forgot to unlock. They
 * stay until the module goes, out of the way of the next MDL at this address.
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_hold_abandon(enum ntdma_kind kind, const void *owner)
{
	struct ntdma_hold *hold = ntdma_hold_take(kind, owner);

	if (!hold)
		return;
	llist_add(&hold->dead, &ntdma_lost);
	ntdma_refuse();
}

/* ---- Pages ---- */

/**
 * ntdma_mdl_memory() - memory of any size, freed by kvfree()
 * @size: in bytes
 * @gfp: sleeping or not, flags are added
 *
 * Context: as @gfp says; without sleeping there is an end at some megabytes.
 * Return: the memory, or NULL rather than the OOM killer.
 */
void *ntdma_mdl_memory(size_t size, gfp_t gfp)
{
	if (ntdma_fail_alloc())
		return NULL;
	gfp |= __GFP_NOWARN;
	if (!gfpflags_allow_blocking(gfp))
		return kmalloc(size, gfp);
	if (!(gfp & __GFP_NORETRY))
		gfp |= __GFP_RETRY_MAYFAIL;
	return kvmalloc(size, gfp);
}

static struct ntdma_pages *ntdma_pages_new(unsigned long count, gfp_t gfp,
					   void (*release)(struct ntdma_hold *))
{
	struct ntdma_pages *pages;

	pages = ntdma_mdl_memory(struct_size(pages, pages, count), gfp);
	if (!pages)
		return NULL;
	pages->hold.release = release;
	pages->mm = NULL;
	pages->charged = 0;
	pages->count = 0;
	pages->dirty = false;
	return pages;
}

static void ntdma_pinned_release(struct ntdma_hold *hold)
{
	struct ntdma_pages *pages = container_of(hold, struct ntdma_pages, hold);

	unpin_user_pages_dirty_lock(pages->pages, pages->count, pages->dirty);
	atomic64_sub(pages->charged, &pages->mm->pinned_vm);
	mmdrop(pages->mm);
	kvfree(pages);
}

static bool ntdma_try_charge(struct ntdma_pages *pages, unsigned long count)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	u64 sum = atomic64_add_return(count, &pages->mm->pinned_vm);

	if (sum > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(count, &pages->mm->pinned_vm);
		return false;
	}
	pages->charged = count;
	return true;
}

static int ntdma_charge(struct ntdma_pages *pages, unsigned long count)
{
	if (ntdma_try_charge(pages, count))
		return 0;
	/* What was unlocked at DISPATCH_LEVEL may still be counted. */
	flush_work(&ntdma_bury_work);
	return ntdma_try_charge(pages, count) ? 0 : -EDQUOT;
}

static int ntdma_pin(struct ntdma_pages *pages, unsigned long start,
		     unsigned long count, bool write)
{
	unsigned int flags = write ? FOLL_LONGTERM | FOLL_WRITE : NTDMA_PIN_READ;
	int pinned;

	while (pages->count < count) {
		pinned = pin_user_pages_fast(start + (pages->count << PAGE_SHIFT),
					     count - pages->count, flags,
					     pages->pages + pages->count);
		if (pinned > 0) {
			pages->count += pinned;
		} else if (!write && (flags & FOLL_WRITE)) {
			/* The owner cannot write here, so nothing gets stale. */
			flags &= ~FOLL_WRITE;
		} else {
			return pinned ?: -EFAULT;
		}
	}
	pages->dirty = write;
	return 0;
}

/**
 * ntdma_pages_pin() - pin memory of the current process
 * @start: user address in the first page
 * @count: number of pages, at least 1
 * @write: the device writes to them
 *
 * Context: may sleep.
 * Return: the pages, not yet entered as a hold; -EDQUOT over RLIMIT_MEMLOCK,
 * -ENOMEM, -EFAULT where the process may not access, -EINTR and the like.
 */
struct ntdma_pages *ntdma_pages_pin(unsigned long start, unsigned long count,
				    bool write)
{
	struct ntdma_pages *pages;
	int err;

	if (!current->mm)
		return ERR_PTR(-EFAULT);
	pages = ntdma_pages_new(count, GFP_KERNEL_ACCOUNT, ntdma_pinned_release);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	pages->mm = current->mm;
	mmgrab(pages->mm);

	err = ntdma_charge(pages, count);
	if (!err)
		err = ntdma_pin(pages, start & PAGE_MASK, count, write);
	if (!err)
		return pages;
	ntdma_pinned_release(&pages->hold);
	return ERR_PTR(err);
}

static void ntdma_allocated_release(struct ntdma_hold *hold)
{
	struct ntdma_pages *pages = container_of(hold, struct ntdma_pages, hold);

	while (pages->count)
		__free_page(pages->pages[--pages->count]);
	kvfree(pages);
}

/* Windows follow each other every @skip bytes; @skip 0 leaves only one. */
static bool ntdma_page_fits(const struct ntdma_page_spec *spec,
			    struct page *page)
{
	u64 size = (u64)PAGE_SIZE << spec->order;
	u64 at = page_to_phys(page);

	if (at < spec->low)
		return false;
	at -= spec->low;
	if (spec->skip)
		div64_u64_rem(at, spec->skip, &at);
	return at + size - 1 <= spec->last - spec->low;
}

static void ntdma_pages_append(struct ntdma_pages *pages, struct page *page,
			       unsigned int order)
{
	unsigned long i;

	if (order)
		split_page(page, order);
	for (i = 0; i < 1UL << order; i++)
		pages->pages[pages->count++] = pfn_to_page(page_to_pfn(page) + i);
}

/*
 * Whether it is worth to look in a lower zone: pages were found, but not
 * where they are wanted.
 */
static bool ntdma_pages_fill(struct ntdma_pages *pages,
			     const struct ntdma_page_spec *spec, gfp_t zone)
{
	struct page *page, *next;
	unsigned int aside = 0;
	LIST_HEAD(list);

	while (pages->count < spec->count && aside < NTDMA_ASIDE) {
		page = alloc_pages_node(spec->node, spec->gfp | zone,
					spec->order);
		if (!page)
			break;
		if (ntdma_page_fits(spec, page)) {
			ntdma_pages_append(pages, page, spec->order);
		} else {
			list_add(&page->lru, &list);
			aside++;
		}
		if (gfpflags_allow_blocking(spec->gfp))
			cond_resched();
	}
	list_for_each_entry_safe(page, next, &list, lru)
		__free_pages(page, spec->order);
	return aside && pages->count < spec->count;
}

/* The highest zone that is not certain to be beyond the bounds. */
static int ntdma_first_zone(const struct ntdma_page_spec *spec)
{
	if (spec->skip || spec->last > U32_MAX)
		return 0;
	return spec->last >= SZ_16M ? 1 : 2;
}

/**
 * ntdma_pages_alloc() - allocate pages between bounds
 * @spec: which; @low <= @last, @count and @least at least 1
 *
 * Linux has no allocator with free bounds. Zones narrow the search and what
 * lies outside is set aside meanwhile, up to a limit: pages that exist may
 * not be found, pages that are found are right.
 *
 * Context: as the @gfp of @spec says.
 * Return: the pages, not yet entered as a hold, or NULL.
 */
struct ntdma_pages *ntdma_pages_alloc(const struct ntdma_page_spec *spec)
{
	static const gfp_t zones[] = { 0, GFP_DMA32, GFP_DMA };
	gfp_t gfp = spec->gfp & ~(__GFP_ZERO | __GFP_THISNODE);
	struct ntdma_pages *pages;
	int zone;

	pages = ntdma_pages_new(spec->count, gfp, ntdma_allocated_release);
	if (!pages)
		return NULL;
	for (zone = ntdma_first_zone(spec); zone < ARRAY_SIZE(zones); zone++)
		if (!ntdma_pages_fill(pages, spec, zones[zone]))
			break;
	if (pages->count >= spec->least)
		return pages;
	ntdma_hold_drop(&pages->hold);
	return NULL;
}

/**
 * ntdma_pages_frames() - write down page frame numbers
 * @pages: whose
 * @pfns: has room for them
 *
 * Context: any.
 */
void ntdma_pages_frames(const struct ntdma_pages *pages, PFN_NUMBER *pfns)
{
	unsigned long i;

	for (i = 0; i < pages->count; i++)
		pfns[i] = page_to_pfn(pages->pages[i]);
}

/* ---- Kernel addresses ---- */

/**
 * ntdma_kernel_page() - the page at a kernel address
 * @addr: any value
 *
 * Context: any.
 * Return: the page, or NULL when no memory of the kernel is mapped there.
 */
struct page *ntdma_kernel_page(const void *addr)
{
	if (ntdma_is_vmalloc(addr))
		return vmalloc_to_page(addr);
	return virt_addr_valid(addr) ? virt_to_page(addr) : NULL;
}

/**
 * ntdma_frames_linear() - where frames are mapped one after the other anyway
 * @pfns: the frames, any values
 * @count: their number, at least 1
 *
 * Context: any.
 * Return: address of the first frame in the linear map, or NULL when they are
 * not consecutive or not in it.
 */
void *ntdma_frames_linear(const PFN_NUMBER *pfns, unsigned long count)
{
	unsigned long i;

	for (i = 1; i < count; i++)
		if (pfns[i] != pfns[0] + i)
			return NULL;
	if (!pfn_valid(pfns[0]) || !pfn_valid(pfns[count - 1]) ||
	    PageHighMem(pfn_to_page(pfns[count - 1])))
		return NULL;
	return page_address(pfn_to_page(pfns[0]));
}

static void ntdma_mapping_release(struct ntdma_hold *hold)
{
	struct ntdma_mapping *mapping =
		container_of(hold, struct ntdma_mapping, hold);

	vunmap(mapping->addr);
	ntdma_free(mapping);
}

static void *ntdma_frames_vmap(const PFN_NUMBER *pfns, unsigned long count)
{
	struct page **pages;
	void *addr = NULL;
	unsigned long i;

	pages = ntdma_mdl_memory(array_size(count, sizeof(*pages)), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < count && pfn_valid(pfns[i]); i++)
		pages[i] = pfn_to_page(pfns[i]);
	if (i == count)
		addr = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return addr;
}

/**
 * ntdma_frames_map() - map scattered frames one after the other
 * @pfns: the frames, any values
 * @count: their number, at least 1
 * @owner: the MDL, given to ntdma_hold_put() with NTDMA_MAPPING to unmap
 *
 * Context: may sleep.
 * Return: address of the first frame, or NULL.
 */
void *ntdma_frames_map(const PFN_NUMBER *pfns, unsigned long count,
		       const void *owner)
{
	struct ntdma_mapping *mapping;

	mapping = ntdma_alloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return NULL;
	mapping->hold.release = ntdma_mapping_release;
	mapping->addr = ntdma_frames_vmap(pfns, count);
	if (!mapping->addr) {
		ntdma_free(mapping);
		return NULL;
	}
	ntdma_hold_add(&mapping->hold, NTDMA_MAPPING, owner);
	return mapping->addr;
}

/* ---- Module ---- */

/**
 * ntdma_mdl_init() - get ready to hold pages
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int ntdma_mdl_init(void)
{
	/* Giving up pages is how memory gets free. */
	ntdma_mdl_wq = alloc_workqueue("ntdma_mdl", WQ_MEM_RECLAIM | WQ_UNBOUND,
				       0);
	return ntdma_mdl_wq ? 0 : -ENOMEM;
}

static void ntdma_release_all(enum ntdma_kind kind)
{
	struct ntdma_handle *handle;
	struct ntdma_hold *hold;

	while ((handle = ntdma_handle_take_any(kind, NULL))) {
		hold = container_of(handle, struct ntdma_hold, handle);
		hold->release(hold);
	}
}

/**
 * ntdma_mdl_exit() - release what drivers left behind
 *
 * Context: module exit, when no driver uses the module any more.
 */
void ntdma_mdl_exit(void)
{
	destroy_workqueue(ntdma_mdl_wq);
	ntdma_release_list(&ntdma_lost);
	ntdma_release_all(NTDMA_MAPPING);
	ntdma_release_all(NTDMA_PINNED);
	ntdma_release_all(NTDMA_PAGES);
}
