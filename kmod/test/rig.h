/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a case works with: an open adapter of a given kind with its device
 * object, the mock bus master that has the adapter's reach, and everything
 * that was made on it, so that a case may stop anywhere.
 */
#ifndef NTTEST_RIG_H
#define NTTEST_RIG_H

#include <linux/list.h>
#include "bus.h"
#include "test.h"

/**
 * struct rig_kind - how an adapter is opened
 * @name: for diagnostics
 * @version: of the description; widths other than 24, 32 and 64 need 3
 * @width: address bits of the device
 * @single: the device takes one run of memory at a time (no scatter/gather)
 * @length: MaximumLength in bytes
 * @system: the device has no DMA of its own but a channel of the PC
 * @channel: which, with 8 bits below 4, else 16
 * @loop: transfers start over (AutoInitialize)
 * @demand: DemandMode
 * @incoherent: the device does not share the processor's cache
 */
struct rig_kind {
	const char *name;
	ULONG version;
	u8 width;
	bool single;
	ULONG length;
	bool system;
	u8 channel;
	bool loop;
	bool demand;
	bool incoherent;
};

/**
 * struct rig - an open adapter and what was made on it
 * @t: the case
 * @kind: how it was opened
 * @object: device object given to the routines
 * @irp: stands in @object's CurrentIrp
 * @adapter: the adapter
 * @ops: its table
 * @registers: granted map registers
 * @bus: moves bytes as the adapter's device
 * @passive: calls are made at PASSIVE_LEVEL, not at DISPATCH_LEVEL
 * @turns: routines that ran so far, gives each its place in the order
 * @buffers: struct buffer
 * @requests: struct request
 */
struct rig {
	struct nttest *t;
	const struct rig_kind *kind;
	PDEVICE_OBJECT object;
	IRP irp;
	PDMA_ADAPTER adapter;
	PDMA_OPERATIONS ops;
	ULONG registers;
	struct bus bus;
	bool passive;
	atomic_t turns;
	struct list_head buffers;
	struct list_head requests;
};

/* How long what must happen may take, in milliseconds. */
#define RIG_PATIENCE	30000

/* The length of a transfer that every kind in the lists below can take. */
#define RIG_LENGTH	(16 * (ULONG)PAGE_SIZE)

/* Each kind list ends with an entry without a name. */
extern const struct rig_kind rig_all[];		/* what a case runs on unless it says */
extern const struct rig_kind rig_lists[];	/* scatter/gather masters */
extern const struct rig_kind rig_single[];	/* one run at a time */
extern const struct rig_kind rig_wide[];	/* 64 bits */
extern const struct rig_kind rig_narrow[];	/* 28 bits */
extern const struct rig_kind rig_odd[];		/* 30 and 36 bits */
extern const struct rig_kind rig_mega[];	/* 1 MiB, 64 and 28 bits */
extern const struct rig_kind rig_v1[];		/* version 1, 24 to 64 bits */
extern const struct rig_kind rig_v2[];		/* version 2, 24 to 64 bits */
extern const struct rig_kind rig_apart[];	/* do not share the cache */

void rig_each(struct nttest *t, const struct nttest_case *c);
struct rig *rig_open(struct nttest *t, const struct rig_kind *kind);
struct rig *rig_try_on(struct nttest *t, struct device *dev,
		       const struct rig_kind *kind);
struct rig *rig_open_on(struct nttest *t, struct device *dev,
			const struct rig_kind *kind);
void rig_close(struct rig *r);

void rig_describe(DEVICE_DESCRIPTION *dd, const struct rig_kind *kind);
bool rig_coherent(const struct rig *r);
bool rig_copies(const struct rig *r);
struct device *rig_device(struct nttest *t, const struct rig_kind *kind);
u64 rig_last(u8 width);
bool rig_reaches(struct device *dev, u64 last);
KIRQL rig_raise(void);
bool rig_wait(int (*reached)(void *arg), void *arg);

#endif /* NTTEST_RIG_H */
