// SPDX-License-Identifier: GPL-2.0
/*
 * Walking the memory of an MDL chain.
 *
 * Model: a chain is a sequence of bytes. A walk covers a part of it and hands
 * out pieces, each as long as the page frames behind it are consecutive.
 * Pieces never span two MDLs; an MDL of no bytes is passed over.
 *
 * Words: `done` counts from the start of one MDL, `offset` from the start of
 * the chain, both in bytes.
 *
 * A walk reads ByteCount, ByteOffset and the page frames each time: clients
 * may edit them between two calls, so nothing is kept from one to the next.
 */
#include <linux/minmax.h>
#include <linux/pfn.h>

#include "ntdma.h"

/**
 * ntdma_chain_seek() - the MDL that holds a byte
 * @mdl: first MDL
 * @offset: chain offset of the byte
 * @done: set to the byte's offset in the MDL that is returned
 *
 * Context: any.
 * Return: the MDL, NULL when the chain is shorter.
 */
const MDL *ntdma_chain_seek(const MDL *mdl, u64 offset, u32 *done)
{
	for (; mdl; mdl = mdl->Next) {
		if (offset < mdl->ByteCount) {
			*done = offset;
			return mdl;
		}
		offset -= mdl->ByteCount;
	}
	return NULL;
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_chain_seek);

/**
 * ntdma_chain_span() - pages that a part of a chain touches
 * @mdl: first MDL
 * @offset: chain offset of the part
 * @length: its bytes; the chain has them
 *
 * A page counts once for each MDL that touches it.
 *
 * Context: any.
 * Return: number of pages.
 */
u32 ntdma_chain_span(const MDL *mdl, u64 offset, u32 length)
{
	u32 done, part, pages = 0;

	for (mdl = ntdma_chain_seek(mdl, offset, &done); mdl && length;
	     mdl = mdl->Next, done = 0) {
		part = min(length, mdl->ByteCount - done);
		if (part)
			pages += ntdma_span(mdl->ByteOffset + done, part);
		length -= part;
	}
	return pages;
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_chain_span);

/* Passes over what has no bytes left, so that @mdl holds the next byte. */
static void ntdma_walk_settle(struct ntdma_walk *walk)
{
	while (walk->left && walk->mdl && walk->done >= walk->mdl->ByteCount) {
		walk->mdl = walk->mdl->Next;
		walk->done = 0;
	}
	if (!walk->mdl)
		walk->left = 0;
}

/**
 * ntdma_walk_start() - begin to walk a part of a chain
 * @walk: set up
 * @mdl: first MDL
 * @offset: chain offset of the part
 * @length: its bytes; what the chain does not have is not walked
 *
 * Context: any.
 */
void ntdma_walk_start(struct ntdma_walk *walk, const MDL *mdl, u64 offset,
		      u32 length)
{
	walk->done = 0;
	walk->left = length;
	walk->mdl = ntdma_chain_seek(mdl, offset, &walk->done);
	ntdma_walk_settle(walk);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_walk_start);

/**
 * ntdma_walk_skip() - move on
 * @walk: position
 * @length: bytes, no more than the last peek found
 *
 * Context: any.
 */
void ntdma_walk_skip(struct ntdma_walk *walk, u32 length)
{
	walk->done += length;
	walk->left -= length;
	ntdma_walk_settle(walk);
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_walk_skip);

/**
 * ntdma_registers() - registers granted for a description
 * @maximum_length: longest transfer in bytes, any value
 * @most: what there is, at least 2
 *
 * One per page and one more for a transfer that does not start at a page
 * (EC-6), at least two (EC-7, EC-8), and never so many that their bytes leave
 * 32 bits, because clients compute that product.
 *
 * Context: any.
 * Return: the number.
 */
u32 ntdma_registers(u32 maximum_length, u32 most)
{
	u32 pages = (maximum_length >> PAGE_SHIFT) +
		    !!offset_in_page(maximum_length);

	return clamp_t(u32, pages + 1, 2, min(most, U32_MAX >> PAGE_SHIFT));
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_registers);
