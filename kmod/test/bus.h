/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mock bus master: reads and writes memory as a device would, by logical
 * address only.
 */
#ifndef NTTEST_BUS_H
#define NTTEST_BUS_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/workqueue.h>
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

/**
 * struct bus_post - accesses that a device makes while the driver goes on
 * @bus: of which device
 * @list: what it was told, its own copy
 * @buf: its own bytes: where they come from, or go to
 * @size: bytes at @buf
 * @to_memory: the device stores
 * @delay: microseconds until then, at least
 * @gate: not before this either, or NULL
 * @interrupt: called at DISPATCH_LEVEL once the accesses are made, or NULL
 * @arg: for @interrupt
 * @moved: bytes moved, or why not
 * @over: @interrupt returned
 * @work: does it
 */
struct bus_post {
	const struct bus *bus;
	PSCATTER_GATHER_LIST list;
	void *buf;
	size_t size;
	bool to_memory;
	unsigned int delay;
	struct completion *gate;
	void (*interrupt)(struct bus_post *post);
	void *arg;
	ssize_t moved;
	struct completion over;
	struct work_struct work;
};

bool bus_post(struct bus_post *post, const SCATTER_GATHER_LIST *list);
bool bus_over(struct bus_post *post);

#endif /* NTTEST_BUS_H */
