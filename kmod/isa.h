/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DMA controller of the PC: see isa.c. Where the kernel has no routines
 * for it there are no such channels.
 */
#ifndef NTDMA_ISA_H
#define NTDMA_ISA_H

#include "engine.h"

#ifdef NTDMA_HAVE_ISA
int ntdma_isa_init(void);
void ntdma_isa_exit(void);
struct ntdma_engine *ntdma_isa_get(const struct ntdma_subordinate *want);

/* For the tests: the register cannot be read. */
u8 ntdma_isa_mode(const struct ntdma_job *job);
#else
static inline int ntdma_isa_init(void)
{
	return 0;
}

static inline void ntdma_isa_exit(void)
{
}

static inline struct ntdma_engine *
ntdma_isa_get(const struct ntdma_subordinate *want)
{
	return ERR_PTR(-ENODEV);
}
#endif

#endif /* NTDMA_ISA_H */
