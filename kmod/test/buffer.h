/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for transfers, with MDLs over it, and what such memory holds.
 */
#ifndef NTTEST_BUFFER_H
#define NTTEST_BUFFER_H

#include <linux/list.h>
#include "rig.h"

/**
 * enum buffer_shape - which frames a buffer lies on
 * @SCATTERED: no frame follows its predecessor, all out of the adapter's
 *	reach where the machine has such memory
 * @RUN: one run of frames
 * @NEAR: low frames, in reach of every adapter
 * @MIXED: low frames and frames as of @SCATTERED in turn
 * @PAIRS: runs of two frames
 * @SHAPES: their number
 */
enum buffer_shape { SCATTERED, RUN, NEAR, MIXED, PAIRS, SHAPES };

/**
 * struct buffer - whole pages, a part of which the MDL describes
 * @node: in the rig's list
 * @r: whose it is
 * @shape: how the pages were made
 * @pages: the pages, @npages of them
 * @npages: number of pages
 * @far: how many of them are beyond the adapter's reach
 * @va: where all of them are mapped in a row
 * @offset: of the described part
 * @length: bytes described
 * @mdl: describes @length bytes from @va + @offset
 */
struct buffer {
	struct list_head node;
	struct rig *r;
	enum buffer_shape shape;
	struct page **pages;
	unsigned int npages;
	unsigned int far;
	void *va;
	size_t offset;
	size_t length;
	PMDL mdl;
};

struct buffer *buffer_new(struct rig *r, enum buffer_shape shape,
			  size_t offset, size_t length);
void buffer_free(struct buffer *b);
void buffer_exit(void);
PMDL buffer_chain(struct rig *r, const size_t *offset, const size_t *length,
		  int n);

struct page *page_hold(const void *va);
bool page_is_owned(struct page *page);
bool page_is_back(struct page *page);

u64 mdl_bytes(PMDL mdl);
ULONG mdl_pages(PMDL mdl, u64 offset, u64 length);
void mdl_store(PMDL mdl, u64 offset, const void *from, size_t n);
void mdl_fetch(PMDL mdl, u64 offset, void *to, size_t n);

void pattern_fill(void *to, size_t n, u32 seed);
bool pattern_same(struct nttest *t, const char *what, const void *seen,
		  const void *wanted, size_t n);

#endif /* NTTEST_BUFFER_H */
