/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mock bus master: reads and writes memory as a device would, by logical
 * address only.
 */
#ifndef NTTEST_BUS_H
#define NTTEST_BUS_H

#include <linux/device.h>
#include "../glue.h"

/**
 * struct bus - what one bus master can address
 * @dev: the device whose translation applies
 * @last: highest logical address that the device can drive
 */
struct bus {
	struct device *dev;
	u64 last;
};

int bus_read(const struct bus *bus, u64 la, void *buf, size_t n);
int bus_write(const struct bus *bus, u64 la, const void *buf, size_t n);
bool bus_is_page(const struct bus *bus, u64 la, struct page *page);
ssize_t bus_read_list(const struct bus *bus, const SCATTER_GATHER_LIST *list,
		      void *buf, size_t size);
ssize_t bus_write_list(const struct bus *bus, const SCATTER_GATHER_LIST *list,
		       const void *buf, size_t size);

#endif /* NTTEST_BUS_H */
