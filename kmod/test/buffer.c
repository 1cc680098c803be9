// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers: pages chosen by where they lie, mapped in a row, with an MDL over a
 * part of them. The bytes around that part hold a guard value, which is
 * checked when the buffer is freed: no transfer may change its neighbours.
 *
 * Contents are read and written through the frames that the MDL names, so
 * that an MDL over any kind of memory can be filled and compared.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>
#include "buffer.h"

#define GUARD		0xa5

/*
 * Far pages: where the allocator hands out low memory first, a stock of pages
 * beyond 28 bits is looked for once and kept, because setting aside all that
 * comes before them takes long.
 */
#define STOCK_LAST	((1ULL << 28) - 1)
#define STOCK_PAGES	1024
#define STOCK_SEARCH	(SZ_256M >> PAGE_SHIFT)
#define STOCK_MARK	0x6e746474
#define NEAR_TRIES	32

/* A run of pages is worth to move others. */
#define RUN_GFP		(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

static LIST_HEAD(stock);
static bool stock_searched;

static bool page_is_far(struct rig *r, struct page *page)
{
	return page_to_phys(page) + PAGE_SIZE - 1 > r->bus.last;
}

static void pages_drop(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru)
		__free_page(page);
	INIT_LIST_HEAD(pages);
}

static void stock_search(void)
{
	unsigned int found = 0, tries;
	struct page *page;
	LIST_HEAD(aside);

	stock_searched = true;
	for (tries = 0; tries < STOCK_SEARCH && found < STOCK_PAGES; tries++) {
		page = alloc_page(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
		if (!page)
			break;
		if (page_to_phys(page) > STOCK_LAST) {
			set_page_private(page, STOCK_MARK);
			list_add(&page->lru, &stock);
			found++;
		} else {
			list_add(&page->lru, &aside);
		}
	}
	pages_drop(&aside);
}

static struct page *stock_get(struct rig *r)
{
	struct page *page;

	if (r->bus.last > STOCK_LAST)
		return NULL;
	if (!stock_searched)
		stock_search();
	page = list_first_entry_or_null(&stock, struct page, lru);
	if (page)
		list_del(&page->lru);
	return page;
}

/* Gives back what buffers kept between cases. */
void buffer_exit(void)
{
	struct page *page;

	list_for_each_entry(page, &stock, lru)
		set_page_private(page, 0);
	pages_drop(&stock);
	stock_searched = false;
}

static void page_put(struct page *page)
{
	if (page_private(page) == STOCK_MARK)
		list_add(&page->lru, &stock);
	else
		__free_page(page);
}

/* A page beyond the adapter's reach, or any one when none is found. */
static struct page *page_get(struct rig *r)
{
	int tries = stock_searched ? 1 : NEAR_TRIES;
	struct page *page = NULL, *far;
	LIST_HEAD(aside);

	for (; tries && r->bus.last < U32_MAX; tries--) {
		page = alloc_page(GFP_KERNEL);
		if (!page || page_is_far(r, page))
			break;
		list_add(&page->lru, &aside);
		page = NULL;
	}
	pages_drop(&aside);
	if (page)
		return page;
	far = stock_get(r);
	return far ?: alloc_page(GFP_KERNEL);
}

static bool pages_get(struct buffer *b)
{
	unsigned int i;

	for (i = 0; i < b->npages; i++) {
		if (b->shape == NEAR || (b->shape == MIXED && i % 2))
			b->pages[i] = alloc_page(GFP_KERNEL | GFP_DMA);
		else
			b->pages[i] = page_get(b->r);
		if (!b->pages[i])
			return false;
	}
	return true;
}

static int by_frame_descending(const void *a, const void *b)
{
	unsigned long x = page_to_pfn(*(struct page * const *)a);
	unsigned long y = page_to_pfn(*(struct page * const *)b);

	return x < y ? 1 : -1;
}

static bool scattered_get(struct buffer *b)
{
	if (!pages_get(b))
		return false;
	if (b->shape != MIXED)
		sort(b->pages, b->npages, sizeof(*b->pages),
		     by_frame_descending, NULL);
	return true;
}

static bool run_get(struct buffer *b)
{
	unsigned int i, order = get_order((size_t)b->npages << PAGE_SHIFT);
	struct page *first = alloc_pages(RUN_GFP, order);

	if (!first)
		return false;
	split_page(first, order);
	for (i = 0; i < b->npages; i++)
		b->pages[i] = first + i;
	for (; i < 1U << order; i++)
		__free_page(first + i);
	return true;
}

static bool pairs_get(struct buffer *b)
{
	unsigned int i, pairs = b->npages / 2;
	struct page *page;

	for (i = 0; i < pairs; i++) {
		page = alloc_pages(RUN_GFP, 1);
		if (!page)
			return false;
		split_page(page, 1);
		b->pages[2 * i] = page;
		b->pages[2 * i + 1] = page + 1;
	}
	sort(b->pages, pairs, 2 * sizeof(*b->pages), by_frame_descending, NULL);
	if (b->npages % 2)
		b->pages[2 * i] = alloc_page(GFP_KERNEL);
	return b->pages[b->npages - 1];
}

static bool frames_get(struct buffer *b)
{
	switch (b->shape) {
	case RUN:
		return run_get(b);
	case PAIRS:
		return pairs_get(b);
	default:
		return scattered_get(b);
	}
}

static bool buffer_map(struct buffer *b)
{
	unsigned int i;

	for (i = 0; i < b->npages; i++)
		b->far += page_is_far(b->r, b->pages[i]);
	b->va = vmap(b->pages, b->npages, VM_MAP, PAGE_KERNEL);
	if (!b->va)
		return false;
	memset(b->va, GUARD, (size_t)b->npages << PAGE_SHIFT);
	b->mdl = IoAllocateMdl(b->va + b->offset, b->length, FALSE, FALSE, NULL);
	if (!b->mdl)
		return false;
	MmBuildMdlForNonPagedPool(b->mdl);
	return true;
}

static void buffer_release(struct buffer *b)
{
	unsigned int i;

	if (b->mdl)
		IoFreeMdl(b->mdl);
	vunmap(b->va);
	for (i = 0; i < b->npages && b->pages; i++)
		if (b->pages[i])
			page_put(b->pages[i]);
	kvfree(b->pages);
	kfree(b);
}

/* NULL, with the case failed, when there is no memory for it. */
struct buffer *buffer_new(struct rig *r, enum buffer_shape shape,
			  size_t offset, size_t length)
{
	struct buffer *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!EXPECT(r->t, b))
		return NULL;
	b->r = r;
	b->shape = shape;
	b->offset = offset;
	b->length = length;
	b->npages = DIV_ROUND_UP(offset + length, PAGE_SIZE);
	b->pages = kvcalloc(b->npages, sizeof(*b->pages), GFP_KERNEL);
	if (!EXPECT(r->t, b->pages) ||
	    !EXPECT(r->t, frames_get(b)) ||
	    !EXPECT(r->t, buffer_map(b))) {
		buffer_release(b);
		return NULL;
	}
	list_add(&b->node, &r->buffers);
	return b;
}

static void check_guards(struct buffer *b)
{
	size_t end = b->offset + b->length;
	size_t whole = (size_t)b->npages << PAGE_SHIFT;

	EXPECT(b->r->t, !memchr_inv(b->va, GUARD, b->offset));
	EXPECT(b->r->t, !memchr_inv(b->va + end, GUARD, whole - end));
}

void buffer_free(struct buffer *b)
{
	check_guards(b);
	list_del(&b->node);
	buffer_release(b);
}

/*
 * Holds on to the page behind an address, so that it can be seen whether its
 * owner gives it back. The page must be a block of its own. NULL where the
 * allocator itself minds others that hold its pages.
 */
struct page *page_hold(const void *va)
{
	struct page *page;

	if (IS_ENABLED(CONFIG_ARM))
		return NULL;
	page = is_vmalloc_addr(va) ? vmalloc_to_page(va) : virt_to_page(va);
	return get_page_unless_zero(page) ? page : NULL;
}

/* Whether its owner still has a page. */
bool page_is_owned(struct page *page)
{
	return !page || page_count(page) > 1;
}

static int page_is_ours(void *page)
{
	return page_count(page) == 1;
}

/* Whether its owner has given a page back; lets go of it. */
bool page_is_back(struct page *page)
{
	bool back = !page || rig_wait(page_is_ours, page);

	if (page)
		put_page(page);
	return back;
}

/* A chain of @n MDLs over one scattered buffer each; a length may be 0. */
PMDL buffer_chain(struct rig *r, const size_t *offset, const size_t *length,
		  int n)
{
	PMDL head = NULL, *link = &head;
	struct buffer *b;
	int i;

	for (i = 0; i < n; i++) {
		b = buffer_new(r, SCATTERED, offset[i], length[i] ?: 1);
		if (!b)
			return NULL;
		b->length = length[i];
		b->mdl->ByteCount = length[i];
		*link = b->mdl;
		link = &b->mdl->Next;
	}
	return head;
}

/* Bytes of a whole chain. */
u64 mdl_bytes(PMDL mdl)
{
	u64 sum = 0;

	for (; mdl; mdl = mdl->Next)
		sum += MmGetMdlByteCount(mdl);
	return sum;
}

/* Pages touched by @length bytes from @offset of a chain on. */
ULONG mdl_pages(PMDL mdl, u64 offset, u64 length)
{
	ULONG pages = 0;

	for (; mdl && length; mdl = mdl->Next) {
		u64 n = MmGetMdlByteCount(mdl);

		if (offset < n) {
			n = min(n - offset, length);
			pages += ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl) +
								offset, n);
			length -= n;
			offset = 0;
		} else {
			offset -= n;
		}
	}
	return pages;
}

static void mdl_move_one(PMDL mdl, size_t offset, void *linear, size_t n,
			 bool store)
{
	size_t at = MmGetMdlByteOffset(mdl) + offset;

	while (n) {
		size_t part = min(n, PAGE_SIZE - offset_in_page(at));
		void *va = kmap_local_page(pfn_to_page(MmGetMdlPfnArray(mdl)[at >> PAGE_SHIFT]));

		if (store)
			memcpy(va + offset_in_page(at), linear, part);
		else
			memcpy(linear, va + offset_in_page(at), part);
		kunmap_local(va);
		at += part;
		linear += part;
		n -= part;
	}
}

static void mdl_move(PMDL mdl, u64 offset, void *linear, size_t n, bool store)
{
	for (; mdl && n; mdl = mdl->Next) {
		size_t part, count = MmGetMdlByteCount(mdl);

		if (offset >= count) {
			offset -= count;
			continue;
		}
		part = min(n, (size_t)(count - offset));
		mdl_move_one(mdl, offset, linear, part, store);
		offset = 0;
		linear += part;
		n -= part;
	}
}

/* The processor writes to the frames of a chain. */
void mdl_store(PMDL mdl, u64 offset, const void *from, size_t n)
{
	mdl_move(mdl, offset, (void *)from, n, true);
}

/* The processor reads the frames of a chain. */
void mdl_fetch(PMDL mdl, u64 offset, void *to, size_t n)
{
	mdl_move(mdl, offset, to, n, false);
}

/* Bytes that differ by position, also from one page to the next, and by seed. */
void pattern_fill(void *to, size_t n, u32 seed)
{
	u64 word = seed;
	size_t i;

	for (i = 0; i < n; i += sizeof(word)) {
		word = word * 6364136223846793005ULL + 1442695040888963407ULL;
		memcpy(to + i, &word, min(n - i, sizeof(word)));
	}
}

/* Fails the case with the first difference. */
bool pattern_same(struct nttest *t, const char *what, const void *seen,
		  const void *wanted, size_t n)
{
	const u8 *a = seen, *b = wanted;
	size_t i;

	if (!memcmp(a, b, n))
		return true;
	for (i = 0; a[i] == b[i]; i++)
		;
	nttest_fail(t, __FILE__, __LINE__,
		    "%s: byte %zu of %zu is %#x, not %#x", what, i, n, a[i], b[i]);
	return false;
}
