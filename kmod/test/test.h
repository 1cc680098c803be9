/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test runner of ntdma_test.ko: suites of cases, each reported as one
 * line of KTAP by the file /sys/kernel/debug/ntdma_test/<suite>.
 *
 * Reading the file runs the suite in the reader's context, which may sleep
 * and owns user memory. A case fails by a check that does not hold; every
 * check prints what it saw.
 */
#ifndef NTDMA_TEST_H
#define NTDMA_TEST_H

#include <linux/device.h>
#include <linux/seq_file.h>

struct nttest;
struct rig;
struct rig_kind;

/**
 * struct nttest_case - one named test
 * @name: contract case and what it shows, for example "EC-57 sync without..."
 * @run: the test; may sleep. NULL when @run_on is the test
 * @run_on: the test, called once for each of @kinds with an open adapter
 * @kinds: adapters to run on, ends with an entry without a name; NULL for
 *	all the usual ones (rig.h)
 * @failing: mappings will fail, which the adapters must be prepared for
 */
struct nttest_case {
	const char *name;
	void (*run)(struct nttest *t);
	void (*run_on)(struct nttest *t, struct rig *r);
	const struct rig_kind *kinds;
	bool failing;
};

/**
 * struct nttest_suite - cases that share one file
 * @name: name of the debugfs file
 * @init: prepares @t->priv before each case, or NULL; not 0 skips the case
 *	when it gave a reason, else fails it
 * @exit: undoes @init after each case, or NULL
 * @cases: ends with an entry without a name
 */
struct nttest_suite {
	const char *name;
	int (*init)(struct nttest *t);
	void (*exit)(struct nttest *t);
	const struct nttest_case *cases;
};

/**
 * struct nttest - a running case
 * @seq: where the report goes
 * @dev: the test device (an edu PCI function), never NULL inside a case
 * @peer: another one, or NULL
 * @twins: two that an IOMMU does not tell apart, or NULL
 * @mask: DMA mask of @dev before there was any adapter
 * @priv: for the suite
 * @failed: a check did not hold
 * @notes: diagnostic lines printed; the rest of a case is silent after many
 * @skipped: why the case cannot run here, or NULL
 */
struct nttest {
	struct seq_file *seq;
	struct device *dev;
	struct device *peer;
	struct device *twins[2];
	u64 mask;
	void *priv;
	bool failed;
	unsigned int notes;
	const char *skipped;
};

void nttest_fail(struct nttest *t, const char *file, int line,
		 const char *fmt, ...) __printf(4, 5);
void nttest_note(struct nttest *t, const char *fmt, ...) __printf(2, 3);

bool nttest_rebind(struct device *dev);

static inline void nttest_skip(struct nttest *t, const char *why)
{
	t->skipped = why;
}

/* Both evaluate to whether the check held, so that a case can stop. */
#define EXPECT(t, cond) ({						\
	bool __ok = !!(cond);						\
	if (!__ok)							\
		nttest_fail(t, __FILE__, __LINE__, "%s", #cond);	\
	__ok; })

#define EXPECT_EQ(t, a, b) ({						\
	u64 __a = (u64)(a), __b = (u64)(b);				\
	if (__a != __b)							\
		nttest_fail(t, __FILE__, __LINE__,			\
			    "%s is %#llx, not %#llx (%s)",		\
			    #a, __a, __b, #b);				\
	__a == __b; })

/* Leaves the case when the check does not hold. */
#define REQUIRE(t, cond) do { if (!EXPECT(t, cond)) return; } while (0)

extern const struct nttest_suite nttest_nt;
extern const struct nttest_suite nttest_mdl;
extern const struct nttest_suite nttest_adapter;
extern const struct nttest_suite nttest_put;
extern const struct nttest_suite nttest_info;
extern const struct nttest_suite nttest_channel;
extern const struct nttest_suite nttest_channelex;
extern const struct nttest_suite nttest_sglist;
extern const struct nttest_suite nttest_build;
extern const struct nttest_suite nttest_sglistex;
extern const struct nttest_suite nttest_map;
extern const struct nttest_suite nttest_mapex;
extern const struct nttest_suite nttest_common;
extern const struct nttest_suite nttest_failing;
extern const struct nttest_suite nttest_vector;
extern const struct nttest_suite nttest_lent;
extern const struct nttest_suite nttest_memory;
extern const struct nttest_suite nttest_flush;
extern const struct nttest_suite nttest_limits;
extern const struct nttest_suite nttest_bounds;
extern const struct nttest_suite nttest_domain;
extern const struct nttest_suite nttest_race;
extern const struct nttest_suite nttest_removal;
extern const struct nttest_suite nttest_verify;
extern const struct nttest_suite nttest_dmac;
extern const struct nttest_suite nttest_lines;
extern const struct nttest_suite nttest_system;
extern const struct nttest_suite nttest_stopping;
extern const struct nttest_suite nttest_loops;
extern const struct nttest_suite nttest_sharing;
extern const struct nttest_suite nttest_isa;
extern const struct nttest_suite nttest_late;
extern const struct nttest_suite nttest_cache;

#endif /* NTDMA_TEST_H */
