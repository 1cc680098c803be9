/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device that does not share the processor's cache.
 */
#ifndef NTTEST_INCOHERENT_H
#define NTTEST_INCOHERENT_H

#include <linux/device.h>
#include <linux/types.h>

int incoherent_init(void);
void incoherent_exit(void);
struct device *incoherent_device(void);
unsigned int incoherent_line(void);
int incoherent_move(u64 la, void *buf, size_t n, bool to_memory);
unsigned int incoherent_regions(void);
unsigned int incoherent_faults(void);

#endif /* NTTEST_INCOHERENT_H */
