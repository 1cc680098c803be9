/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the NT services share, and what main.c needs of them.
 * Everything else that nt.c, dpc.c, event.c, pool.c, iospace.c and devobj.c
 * offer is in wdm.h and glue.h.
 */
#ifndef NTDMA_NT_H
#define NTDMA_NT_H

/* Windows counts time in units of 100 ns, system time from 1601 on. */
#define NTDMA_NSEC_PER_UNIT	100
#define NTDMA_UNIX_EPOCH	116444736000000000LL	/* 1970 */

int ntdma_dpc_init(void);
void ntdma_dpc_exit(void);

unsigned int ntdma_event_waiters(const struct _KEVENT *event);

#endif /* NTDMA_NT_H */
