/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walking the memory of an MDL chain, and the arithmetic of its pages.
 *
 * Pure: reads MDLs and page frame arrays, touches no memory that they
 * describe and takes no lock, so it works at any IRQL.
 */
#ifndef NTDMA_WALK_H
#define NTDMA_WALK_H

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pfn.h>

#include "wdm.h"

/**
 * struct ntdma_piece - memory that is contiguous for the CPU's bus
 * @phys: physical address of the first byte
 * @length: in bytes, at least 1
 */
struct ntdma_piece {
	phys_addr_t phys;
	u32 length;
};

/**
 * struct ntdma_walk - position in a chain
 * @mdl: MDL of the next byte
 * @done: bytes of @mdl that are behind
 * @left: bytes to come
 */
struct ntdma_walk {
	const MDL *mdl;
	u32 done;
	u32 left;
};

const MDL *ntdma_chain_seek(const MDL *mdl, u64 offset, u32 *done);
u32 ntdma_chain_span(const MDL *mdl, u64 offset, u32 length);

void ntdma_walk_start(struct ntdma_walk *walk, const MDL *mdl, u64 offset,
		      u32 length);
void ntdma_walk_skip(struct ntdma_walk *walk, u32 length);

u32 ntdma_registers(u32 maximum_length, u32 most);

/* Asked for each transfer or each page of a list, hence inline. */

/* Frames behind an MDL are valid in these states only. */
#define NTDMA_MDL_READY	(MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | \
			 MDL_PARTIAL)

/**
 * ntdma_chain_length() - bytes that a chain describes
 * @mdl: first MDL, or NULL
 *
 * Context: any.
 * Return: the sum of the byte counts.
 */
static inline u64 ntdma_chain_length(const MDL *mdl)
{
	u64 sum = 0;

	for (; mdl; mdl = mdl->Next)
		sum += mdl->ByteCount;
	return sum;
}

/* Whether there are page frames behind an MDL. */
static inline bool ntdma_mdl_ready(const MDL *mdl)
{
	return mdl->MdlFlags & NTDMA_MDL_READY;
}

/**
 * ntdma_chain_ready() - whether the page frames of a chain may be read
 * @mdl: first MDL
 *
 * An MDL that was neither locked nor built has an array of garbage behind it.
 *
 * Context: any.
 * Return: false when an MDL with bytes has no frames.
 */
static inline bool ntdma_chain_ready(const MDL *mdl)
{
	for (; mdl; mdl = mdl->Next)
		if (mdl->ByteCount && !ntdma_mdl_ready(mdl))
			return false;
	return true;
}

/**
 * ntdma_walk_peek() - the next piece
 * @walk: position, not moved
 * @most: no longer than this many bytes, at least 1
 * @piece: set to the piece
 *
 * Context: any.
 * Return: false at the end.
 */
static inline bool ntdma_walk_peek(const struct ntdma_walk *walk, u32 most,
				   struct ntdma_piece *piece)
{
	const MDL *mdl = walk->mdl;
	const PFN_NUMBER *pfn;
	u32 offset, length;

	if (!walk->left)
		return false;
	most = min3(most, walk->left, mdl->ByteCount - walk->done);
	pfn = MmGetMdlPfnArray((PMDL)mdl);
	pfn += ((u64)mdl->ByteOffset + walk->done) >> PAGE_SHIFT;
	offset = offset_in_page((u64)mdl->ByteOffset + walk->done);

	piece->phys = PFN_PHYS(*pfn) + offset;
	length = PAGE_SIZE - offset;
	for (; length < most && pfn[1] == pfn[0] + 1; pfn++)
		length = length > U32_MAX - PAGE_SIZE ? U32_MAX :
							length + PAGE_SIZE;
	piece->length = min(length, most);
	return true;
}

/**
 * ntdma_span() - pages that a stretch of bytes touches
 * @offset: of its first byte in a page
 * @length: in bytes
 *
 * Context: any.
 * Return: number of pages.
 */
static inline u64 ntdma_span(u32 offset, u64 length)
{
	return (offset_in_page(offset) + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/**
 * ntdma_boundary_room() - bytes up to the next boundary
 * @addr: address for the device
 * @boundary: mask that one run does not cross, all ones for none
 *
 * Context: any.
 * Return: number of bytes, U64_MAX when there is no boundary.
 */
static inline u64 ntdma_boundary_room(u64 addr, u64 boundary)
{
	return boundary == U64_MAX ? U64_MAX : boundary - (addr & boundary) + 1;
}

#endif /* NTDMA_WALK_H */
