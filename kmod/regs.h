/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NTDMA_REGS_H
#define NTDMA_REGS_H

#include "engine.h"

/**
 * struct ntdma_regs - a set of map registers
 * @handle: found by its own address
 * @request: for the channel
 * @map: what is mapped under the registers; map.room is their number
 * @routine: the client's, or NULL
 * @base: where the client wants the address of this, or NULL
 * @zombie: what was mapped under a system transfer that has not stopped yet
 * @spare: entries of an empty map for system DMA, else NULL
 * @orphan: freed by the client, @zombie is all that is left
 * @replaced: @zombie's slots are not this request's any more
 * @size: bytes that follow this, for entries
 * @job: for the next job, one of @jobs
 * @jobs: for system DMA, each with its half of adapter->sgs; a controller may
 *	still read one while the other is written
 *
 * The entries of @map follow, and for system DMA as many again.
 */
struct ntdma_regs {
	struct ntdma_handle handle;
	struct ntdma_request request;
	struct ntdma_map map;
	PDRIVER_CONTROL routine;
	PVOID *base;
	struct ntdma_map zombie;
	void *spare;
	bool orphan;
	bool replaced;
	size_t size;
	struct ntdma_job *job;
	struct ntdma_job jobs[2];
};

struct ntdma_regs *ntdma_regs_search(struct ntdma_adapter *adapter,
				     const void *base);

/**
 * ntdma_regs_find() - the registers behind a MapRegisterBase
 * @adapter: whom they must belong to
 * @base: what the client passed
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: the registers, NULL when there are none, which is counted.
 */
static inline struct ntdma_regs *ntdma_regs_find(struct ntdma_adapter *adapter,
						 const void *base)
{
	struct ntdma_regs *latest = READ_ONCE(adapter->latest);

	return likely(latest && base == latest) ?
	       latest : ntdma_regs_search(adapter, base);
}

void ntdma_regs_release(struct ntdma_regs *regs);

#endif /* NTDMA_REGS_H */
