/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walking the memory of an MDL chain, and the arithmetic of its pages.
 *
 * Pure: reads MDLs and page frame arrays, touches no memory that they
 * describe and takes no lock, so it works at any IRQL.
 */
#ifndef NTDMA_WALK_H
#define NTDMA_WALK_H

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
u64 ntdma_span(u32 offset, u64 length);
u32 ntdma_chain_span(const MDL *mdl, u64 offset, u32 length);

void ntdma_walk_start(struct ntdma_walk *walk, const MDL *mdl, u64 offset,
		      u32 length);
bool ntdma_walk_peek(const struct ntdma_walk *walk, u32 most,
		     struct ntdma_piece *piece);
void ntdma_walk_skip(struct ntdma_walk *walk, u32 length);

u32 ntdma_registers(u32 maximum_length, u32 most);
u64 ntdma_boundary_room(u64 addr, u64 boundary);

#endif /* NTDMA_WALK_H */
