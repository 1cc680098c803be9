// SPDX-License-Identifier: GPL-2.0
/*
 * ntdma_test.ko: runs the suites against the ntdma module.
 *
 * The module binds to every edu PCI function that nobody else drives and runs
 * the cases on the first of them; the functions' own engines are not used.
 * Reading /sys/kernel/debug/ntdma_test/<suite> runs that suite in the
 * reader's context and returns its report. A case fails by a check that does
 * not hold, by anything of ntdma's that it leaves alive, or by leaving the
 * IRQL raised. The suites of /sys/kernel/debug/ntdma_cost/ measure (cost.h).
 *
 * run_lock serialises runs and keeps the test devices bound during a run, but
 * for what the run itself unbinds.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "../compat.h"
#include "buffer.h"
#include "cost.h"
#include "hooks.h"
#include "incoherent.h"
#include "rig.h"

/* A report that outgrows its buffer would make seq_file run the suite again. */
#define REPORT_SIZE	SZ_512K
#define NOTES_PER_CASE	16

struct nttest_function {
	struct list_head node;
	struct pci_dev *pdev;
	u64 mask;
};

static DEFINE_MUTEX(run_lock);
static struct task_struct *runner;
static LIST_HEAD(functions);
static struct dentry *root, *cost_root;

static char only[64];
module_param_string(only, only, sizeof(only), 0644);
MODULE_PARM_DESC(only, "run the cases whose name contains this");

static const struct nttest_suite * const suites[] = {
	&nttest_nt,
	&nttest_mdl,
	&nttest_adapter,
	&nttest_put,
	&nttest_info,
	&nttest_channel,
	&nttest_channelex,
	&nttest_sglist,
	&nttest_build,
	&nttest_sglistex,
	&nttest_map,
	&nttest_mapex,
	&nttest_common,
	&nttest_failing,
	&nttest_vector,
	&nttest_lent,
	&nttest_memory,
	&nttest_flush,
	&nttest_limits,
	&nttest_bounds,
	&nttest_domain,
	&nttest_race,
	&nttest_removal,
	&nttest_verify,
	&nttest_dmac,
	&nttest_lines,
	&nttest_system,
	&nttest_stopping,
	&nttest_loops,
	&nttest_sharing,
#ifdef NTDMA_HAVE_ISA
	&nttest_isa,
#endif
	&nttest_late,
	&nttest_cache,
};

static const struct nttest_suite * const costs[] = {
	&cost_buffer,
	&cost_list,
	&cost_system,
	&cost_transfer,
};

static bool nttest_may_print(struct nttest *t)
{
	if (t->notes == NOTES_PER_CASE)
		seq_puts(t->seq, "# more is not shown\n");
	return t->notes++ < NOTES_PER_CASE;
}

void nttest_note(struct nttest *t, const char *fmt, ...)
{
	va_list args;

	if (!nttest_may_print(t))
		return;
	va_start(args, fmt);
	seq_puts(t->seq, "# ");
	seq_vprintf(t->seq, fmt, args);
	seq_putc(t->seq, '\n');
	va_end(args);
}

void nttest_fail(struct nttest *t, const char *file, int line,
		 const char *fmt, ...)
{
	va_list args;

	t->failed = true;
	if (!nttest_may_print(t))
		return;
	va_start(args, fmt);
	seq_printf(t->seq, "# %s:%d: ", kbasename(file), line);
	seq_vprintf(t->seq, fmt, args);
	seq_putc(t->seq, '\n');
	va_end(args);
}

/* What is put at DISPATCH_LEVEL may go away a little later. */
static void check_nothing_left(struct nttest *t, long before)
{
	int i;

	for (i = 0; i < RIG_PATIENCE / 20 && ntdma_live_objects() > before; i++)
		msleep(20);
	if (ntdma_live_objects() != before)
		nttest_fail(t, __FILE__, __LINE__,
			    "%ld objects of ntdma alive, %ld before the case",
			    ntdma_live_objects(), before);
}

/* Nothing was undone twice, and a pool goes a little later than its adapter. */
static void check_mappings(struct nttest *t, unsigned int regions,
			   unsigned int faults)
{
	int i;

	EXPECT_EQ(t, incoherent_faults(), faults);
	for (i = 0; i < RIG_PATIENCE / 20 && incoherent_regions() > regions; i++)
		msleep(20);
	EXPECT_EQ(t, incoherent_regions(), regions);
}

static void check_irql(struct nttest *t)
{
	if (EXPECT_EQ(t, KeGetCurrentIrql(), PASSIVE_LEVEL))
		return;
	KeLowerIrql(PASSIVE_LEVEL);
}

static int has_own_mask(void *arg)
{
	struct nttest *t = arg;

	return dma_get_mask(t->dev) == t->mask;
}

static void run_prepared(struct nttest *t, const struct nttest_suite *suite,
			 const struct nttest_case *c)
{
	unsigned int regions = incoherent_regions();
	unsigned int faults = incoherent_faults();
	long before = ntdma_live_objects();
	int err;

	/* An adapter that was put gives the mask back a little later. */
	if (!EXPECT(t, rig_wait(has_own_mask, t)))
		return;
	err = suite->init ? suite->init(t) : 0;
	if (err && !t->skipped)
		nttest_fail(t, __FILE__, __LINE__, "init: %d", err);
	if (err)
		return;
	if (c->run)
		c->run(t);
	else
		rig_each(t, c);
	ntdma_fail_nth(0);
	ntdma_fail_call(NULL);
	check_irql(t);
	if (suite->exit)
		suite->exit(t);
	check_nothing_left(t, before);
	check_mappings(t, regions, faults);
}

static bool same_group(struct device *a, struct device *b)
{
	struct iommu_group *group = iommu_group_get(a);
	struct iommu_group *other = iommu_group_get(b);
	bool same = group && group == other;

	iommu_group_put(other);
	iommu_group_put(group);
	return same;
}

/* Neighbours on a bus that an IOMMU knows by one name. */
static void find_twins(struct nttest *t)
{
	struct nttest_function *f, *next;

	lockdep_assert_held(&run_lock);
	list_for_each_entry(f, &functions, node) {
		next = list_next_entry(f, node);
		if (list_is_last(&f->node, &functions) ||
		    !same_group(&f->pdev->dev, &next->pdev->dev))
			continue;
		t->twins[0] = &f->pdev->dev;
		t->twins[1] = &next->pdev->dev;
	}
}

static bool find_device(struct nttest *t)
{
	struct nttest_function *f;

	lockdep_assert_held(&run_lock);
	f = list_first_entry_or_null(&functions, struct nttest_function, node);
	if (!f)
		return false;
	t->dev = &f->pdev->dev;
	t->mask = f->mask;
	if (!list_is_last(&f->node, &functions))
		t->peer = &list_next_entry(f, node)->pdev->dev;
	find_twins(t);
	return true;
}

static void run_case(struct seq_file *seq, const struct nttest_suite *suite,
		     const struct nttest_case *c, int no)
{
	struct nttest t = { .seq = seq };

	pr_info("%s %d: %s\n", suite->name, no, c->name);
	if (find_device(&t))
		run_prepared(&t, suite, c);
	else
		nttest_skip(&t, "no edu device");
	seq_printf(seq, "%sok %d - %s", t.failed ? "not " : "", no, c->name);
	if (t.skipped && !t.failed)
		seq_printf(seq, " # SKIP %s", t.skipped);
	seq_putc(seq, '\n');
	cond_resched();
}

static bool is_chosen(const struct nttest_case *c)
{
	return strstr(c->name, strim(only));
}

static int nttest_show(struct seq_file *seq, void *unused)
{
	const struct nttest_suite *suite = seq->private;
	const struct nttest_case *c;
	int no = 0;

	mutex_lock(&run_lock);
	WRITE_ONCE(runner, current);
	for (c = suite->cases; c->name; c++)
		no += is_chosen(c);
	seq_printf(seq, "TAP version 13\n1..%d\n", no);
	no = 0;
	for (c = suite->cases; c->name; c++)
		if (is_chosen(c))
			run_case(seq, suite, c, ++no);
	WRITE_ONCE(runner, NULL);
	mutex_unlock(&run_lock);
	return 0;
}

static int nttest_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, nttest_show, inode->i_private,
				REPORT_SIZE);
}

static const struct file_operations nttest_fops = {
	.owner = THIS_MODULE,
	.open = nttest_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/* In the order of the bus: what is bound again is where it was. */
static void add_function(struct nttest_function *f)
{
	struct nttest_function *next;

	list_for_each_entry(next, &functions, node)
		if (pci_dev_id(next->pdev) > pci_dev_id(f->pdev))
			break;
	list_add_tail(&f->node, &next->node);
}

/* A run that unbinds a device has the lock already. */
static void change_functions(struct nttest_function *add,
			     struct nttest_function *del)
{
	bool running = READ_ONCE(runner) == current;

	if (!running)
		mutex_lock(&run_lock);
	if (add)
		add_function(add);
	if (del)
		list_del(&del->node);
	if (!running)
		mutex_unlock(&run_lock);
}

/* Takes the driver from the peer of a running case, and gives it back. */
bool nttest_rebind(struct device *dev)
{
	device_release_driver(dev);
	return device_attach(dev) == 1;
}

static int nttest_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct nttest_function *f;
	int err;

	f = devm_kzalloc(&pdev->dev, sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	err = pcim_enable_device(pdev);
	if (err)
		return err;
	pci_set_master(pdev);
	/* The bus says 64 KiB, which need not be what the cases transfer. */
	dma_set_max_seg_size(&pdev->dev, max_t(u32, SZ_64K, RIG_LENGTH));
	f->pdev = pdev;
	f->mask = dma_get_mask(&pdev->dev);
	pci_set_drvdata(pdev, f);
	change_functions(f, NULL);
	return 0;
}

static void nttest_remove(struct pci_dev *pdev)
{
	struct nttest_function *f = pci_get_drvdata(pdev);

	change_functions(NULL, f);
	pci_clear_master(pdev);
}

/* No MODULE_DEVICE_TABLE: the module is inserted by hand. */
static const struct pci_device_id nttest_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};

static struct pci_driver nttest_driver = {
	.name = "ntdma_test",
	.id_table = nttest_ids,
	.probe = nttest_probe,
	.remove = nttest_remove,
};

static void offer(struct dentry *dir, const struct nttest_suite *suite)
{
	debugfs_create_file(suite->name, 0400, dir, (void *)suite,
			    &nttest_fops);
}

static int __init nttest_init(void)
{
	int err, i;

	err = incoherent_init();
	if (err)
		return err;
	err = pci_register_driver(&nttest_driver);
	if (err) {
		incoherent_exit();
		return err;
	}
	root = debugfs_create_dir("ntdma_test", NULL);
	for (i = 0; i < ARRAY_SIZE(suites); i++)
		offer(root, suites[i]);
	cost_root = debugfs_create_dir("ntdma_cost", NULL);
	for (i = 0; i < ARRAY_SIZE(costs); i++)
		offer(cost_root, costs[i]);
	return 0;
}

static void __exit nttest_exit(void)
{
	debugfs_remove(cost_root);
	debugfs_remove(root);
	pci_unregister_driver(&nttest_driver);
	incoherent_exit();
	buffer_exit();
}

module_init(nttest_init);
module_exit(nttest_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of ntdma by contract case");
NTDMA_IMPORT;
NTDMA_IMPORT_INTERNAL;
