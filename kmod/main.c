// SPDX-License-Identifier: GPL-2.0
/*
 * ntdma: the WDM DMA adapter interface for ported Windows drivers.
 *
 * Module parameters, start and end, and the counters in debugfs.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>

#include "isa.h"
#include "mdl.h"
#include "nt.h"
#include "ntdma.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define NTDMA_MAX_TRANSFER	SZ_16M
#define NTDMA_POOL_SIZE		SZ_1M

unsigned int ntdma_max_transfer = NTDMA_MAX_TRANSFER;
module_param_named(max_transfer, ntdma_max_transfer, uint, 0444);
MODULE_PARM_DESC(max_transfer, "longest transfer in bytes (16 MiB)");

unsigned int ntdma_pool_size = NTDMA_POOL_SIZE;
module_param_named(pool, ntdma_pool_size, uint, 0444);
MODULE_PARM_DESC(pool, "most bounce memory of one adapter in bytes (1 MiB)");

bool ntdma_force_bounce;
module_param_named(bounce, ntdma_force_bounce, bool, 0444);
MODULE_PARM_DESC(bounce, "bounce every page, to test drivers (off)");

/**
 * ntdma_bounces_all() - whether the parameter `bounce` is on
 *
 * Context: any.
 */
bool ntdma_bounces_all(void)
{
	return ntdma_force_bounce;
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_bounces_all);

bool ntdma_force_edges;
module_param_named(edges, ntdma_force_edges, bool, 0444);
MODULE_PARM_DESC(edges,
		 "bounce cache lines shared with the CPU on every device (off)");

static bool ntdma_verify_param;

static int ntdma_verify_param_set(const char *value,
				  const struct kernel_param *param)
{
	int ret = param_set_bool(value, param);

	if (!ret)
		ntdma_verify_set(ntdma_verify_param);
	return ret;
}

static const struct kernel_param_ops ntdma_verify_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = ntdma_verify_param_set,
	.get = param_get_bool,
};
module_param_cb(verify, &ntdma_verify_ops, &ntdma_verify_param, 0644);
MODULE_PARM_DESC(verify, "report what clients must not do (off)");

/*
 * What waits for transfers works without new memory. Stopping a controller does
 * not: its driver may wait for a work of its own on a queue that needs some.
 * Releases wait for both, and removals do with a lock that releases take, so
 * that they have a queue of their own.
 */
struct workqueue_struct *ntdma_wq;
struct workqueue_struct *ntdma_stop_wq;
struct workqueue_struct *ntdma_release_wq;

static struct dentry *ntdma_debugfs;

static void ntdma_adapters_line(struct ntdma_adapter *adapter, void *data)
{
	struct ntdma_stats stats;
	struct seq_file *seq = data;

	ntdma_adapter_stats(adapter, &stats);
	seq_printf(seq,
		   "%s backend=%s version=%u registers=%u width=%u lists=%llu elements=%llu mapped=%llu bounced=%llu live=%u\n",
		   dev_name(adapter->device->dev),
		   adapter->engine ? "system" :
				     ntdma_backend_names[adapter->backend],
		   adapter->version,
		   adapter->nregs, adapter->width, stats.lists,
		   stats.elements, stats.mapped, stats.bounced,
		   ntdma_handle_count(adapter, NTDMA_LIST) +
		   ntdma_handle_count(adapter, NTDMA_REGS) +
		   ntdma_handle_count(adapter, NTDMA_BUFFER) +
		   ntdma_handle_count(adapter, NTDMA_VECTOR) +
		   ntdma_handle_count(adapter, NTDMA_LENT));
}

static int ntdma_adapters_show(struct seq_file *seq, void *unused)
{
	ntdma_device_show(ntdma_adapters_line, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ntdma_adapters);

/*
 * A client was unloaded: what it did not give back is taken, and its DPCs have
 * run while their routines are still there.
 */
static int ntdma_module_event(struct notifier_block *block,
			      unsigned long event, void *data)
{
	struct module *module = data;
	unsigned int lost;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	KeFlushQueuedDpcs();
	lost = ntdma_device_disown(module);
	/* And those that routines have queued which ran until then. */
	KeFlushQueuedDpcs();
	if (lost)
		pr_warn("ntdma: %s left %u DMA objects behind, taken back\n",
			module->name, lost);
	return NOTIFY_OK;
}

static struct notifier_block ntdma_module_block = {
	.notifier_call = ntdma_module_event,
};

static int __init ntdma_queues_init(void)
{
	ntdma_wq = alloc_workqueue("ntdma", WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!ntdma_wq)
		return -ENOMEM;
	ntdma_stop_wq = alloc_workqueue("ntdma_stop", WQ_HIGHPRI, 0);
	if (!ntdma_stop_wq)
		goto destroy_wq;
	ntdma_release_wq = alloc_workqueue("ntdma_release", 0, 0);
	if (ntdma_release_wq)
		return 0;
	destroy_workqueue(ntdma_stop_wq);
destroy_wq:
	destroy_workqueue(ntdma_wq);
	return -ENOMEM;
}

static void ntdma_queues_exit(void)
{
	destroy_workqueue(ntdma_release_wq);
	destroy_workqueue(ntdma_stop_wq);
	destroy_workqueue(ntdma_wq);
}

static int __init ntdma_init(void)
{
	int ret;

	ntdma_handles_init();
	ret = ntdma_queues_init();
	if (ret)
		return ret;
	ret = ntdma_dpc_init();
	if (ret)
		goto exit_queues;
	ret = ntdma_mdl_init();
	if (ret)
		goto exit_dpc;
	ret = ntdma_isa_init();
	if (ret)
		goto exit_mdl;
	ret = register_module_notifier(&ntdma_module_block);
	if (ret)
		goto exit_isa;
	ntdma_debugfs = debugfs_create_dir("ntdma", NULL);
	debugfs_create_file("adapters", 0444, ntdma_debugfs, NULL,
			    &ntdma_adapters_fops);
	return 0;

exit_isa:
	ntdma_isa_exit();
exit_mdl:
	ntdma_mdl_exit();
exit_dpc:
	ntdma_dpc_exit();
exit_queues:
	ntdma_queues_exit();
	return ret;
}

static void __exit ntdma_exit(void)
{
	debugfs_remove(ntdma_debugfs);
	unregister_module_notifier(&ntdma_module_block);
	ntdma_devices_exit();
	/* References that were dropped last reach zero after a grace period. */
	rcu_barrier();
	ntdma_queues_exit();
	ntdma_isa_exit();
	ntdma_mdl_exit();
	ntdma_dpc_exit();
}

module_init(ntdma_init);
module_exit(ntdma_exit);

MODULE_DESCRIPTION("WDM DMA adapter interface for ported Windows drivers");
MODULE_LICENSE("GPL");
