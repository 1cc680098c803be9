/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walking the memory of an MDL chain, and the arithmetic of its pages.
 *
 * Pure: reads MDLs and page frame arrays, touches no memory that they
 * describe and takes no lock, so it works at any IRQL.
 */
#ifndef NTDMA_WALK_H
#define NTDMA_WALK_H

#include <linux/mm.h>

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

u64 ntdma_chain_length(const MDL *mdl);
bool ntdma_chain_ready(const MDL *mdl);
const MDL *ntdma_chain_seek(const MDL *mdl, u64 offset, u32 *done);
u32 ntdma_chain_span(const MDL *mdl, u64 offset, u32 length);

void ntdma_walk_start(struct ntdma_walk *walk, const MDL *mdl, u64 offset,
		      u32 length);
bool ntdma_walk_peek(const struct ntdma_walk *walk, u32 most,
		     struct ntdma_piece *piece);
void ntdma_walk_skip(struct ntdma_walk *walk, u32 length);

u32 ntdma_registers(u32 maximum_length, u32 most);

/* Asked for each page of a list, hence inline. */

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
