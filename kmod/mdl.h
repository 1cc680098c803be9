/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between mdl.c, which knows MDLs, and pages.c, which knows pages.
 */
#ifndef NTDMA_MDL_H
#define NTDMA_MDL_H

#include <linux/llist.h>
#include <linux/mm_types.h>

#include "ntdma.h"

/**
 * struct ntdma_hold - something kept for an MDL until the driver gives it up
 * @handle: found by the MDL's address
 * @dead: waits for the work item that calls @release
 * @release: frees the hold and what it stands for; may sleep
 */
struct ntdma_hold {
	struct ntdma_handle handle;
	struct llist_node dead;
	void (*release)(struct ntdma_hold *hold);
};

/**
 * struct ntdma_pages - pages pinned or allocated for an MDL
 * @hold: of kind NTDMA_PINNED or NTDMA_PAGES
 * @mm: the process whose pages are pinned, grabbed; else NULL
 * @charged: pages counted as pinned in @mm
 * @count: entries of @pages in use
 * @dirty: the pages may have been written
 * @pages: the pages, in the order of the MDL
 */
struct ntdma_pages {
	struct ntdma_hold hold;
	struct mm_struct *mm;
	unsigned long charged;
	unsigned long count;
	bool dirty;
	struct page *pages[];
};

/**
 * struct ntdma_page_spec - which pages to allocate
 * @low: first physical address allowed
 * @last: last physical address allowed
 * @skip: distance between one window of that size and the next, 0 for a
 *	single window
 * @order: of the physically contiguous blocks
 * @count: number of pages, a multiple of the block
 * @least: fewer pages than this are none
 * @gfp: how to allocate
 * @node: preferred node
 */
struct ntdma_page_spec {
	u64 low;
	u64 last;
	u64 skip;
	unsigned int order;
	unsigned long count;
	unsigned long least;
	gfp_t gfp;
	int node;
};

/* pages.c */
bool ntdma_may_sleep(void);
void ntdma_hold_add(struct ntdma_hold *hold, enum ntdma_kind kind,
		    const void *owner);
void ntdma_hold_drop(struct ntdma_hold *hold);
bool ntdma_hold_put(enum ntdma_kind kind, const void *owner);
void ntdma_hold_abandon(enum ntdma_kind kind, const void *owner);
void *ntdma_mdl_memory(size_t size, gfp_t gfp);
struct ntdma_pages *ntdma_pages_pin(unsigned long start, unsigned long count,
				    bool write);
struct ntdma_pages *ntdma_pages_alloc(const struct ntdma_page_spec *spec);
void ntdma_pages_frames(const struct ntdma_pages *pages, PFN_NUMBER *pfns);
struct page *ntdma_kernel_page(const void *addr);
void *ntdma_frames_linear(const PFN_NUMBER *pfns, unsigned long count);
void *ntdma_frames_map(const PFN_NUMBER *pfns, unsigned long count,
		       const void *owner);

/* For main.c: after the table of handles, and before it goes. */
int ntdma_mdl_init(void);
void ntdma_mdl_exit(void);

#endif /* NTDMA_MDL_H */
