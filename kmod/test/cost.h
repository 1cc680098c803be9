/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ntdma costs: something done through the operations table, timed
 * against the same done by Linux' own services, in the same boot and in turn.
 *
 * Each suite of costs has a file in /sys/kernel/debug/ntdma_cost/. Reading it
 * measures, and reports each figure as a line
 *   # cost NAME OURS NATIVE RATIO LIMIT VERDICT
 * with OURS and NATIVE in nanoseconds for one turn. In an emulator that counts
 * instructions a nanosecond is an instruction. LIMIT is - and VERDICT `figure`
 * where nothing is promised, else VERDICT is `ok`, or `over`, which fails the
 * case.
 */
#ifndef NTTEST_COST_H
#define NTTEST_COST_H

#include "rig.h"

/**
 * struct cost_side - one of the two ways to do it
 * @prepare: not timed, before each measurement, or NULL
 * @work: timed; does it @turns times
 * @finish: not timed, after each measurement, or NULL
 *
 * Each returns false when something went wrong: what fails early is cheap.
 */
struct cost_side {
	bool (*prepare)(void *context, unsigned int turns);
	bool (*work)(void *context, unsigned int turns);
	bool (*finish)(void *context, unsigned int turns);
};

/**
 * struct cost - a figure
 * @name: one word
 * @turns: in one measurement
 * @limit: most that ours may take, in percent of native; 0 for no promise
 * @dispatch: @work runs at DISPATCH_LEVEL
 * @ours: through the operations table
 * @native: with Linux' own services
 */
struct cost {
	const char *name;
	unsigned int turns;
	unsigned int limit;
	bool dispatch;
	struct cost_side ours;
	struct cost_side native;
};

void cost_compare(struct nttest *t, const struct cost *cost, void *context);
bool cost_translated(struct nttest *t);

extern const struct nttest_suite cost_buffer;
extern const struct nttest_suite cost_list;
extern const struct nttest_suite cost_system;
extern const struct nttest_suite cost_transfer;

#endif /* NTTEST_COST_H */
