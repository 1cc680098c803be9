// SPDX-License-Identifier: GPL-2.0
/*
 * A module that misbehaves on request, so that the harness can be seen to
 * notice. Parameter "act" names what to do on insertion. Each act provokes one
 * checker; the harness's own tests say which report they expect.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *act = "none";
module_param(act, charp, 0444);
MODULE_PARM_DESC(act, "what to do wrong");

static int act_refuse(void)
{
	return -ENODEV;
}

static int act_warn(void)
{
	WARN(1, "a warning on request\n");
	return 0;
}

static int act_panic(void)
{
	panic("a panic on request");
}

/* Out of bounds by one byte; KASAN. */
static int act_overrun(void)
{
	char *p = kmalloc(24, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(p);
	p[24] = 1;
	kfree(p);
	return 0;
}

/* kmemleak. */
static int act_leak(void)
{
	char *p = kmalloc(4321, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	return p ? 0 : -ENOMEM;
}

/* DEBUG_ATOMIC_SLEEP. */
static int act_sleep(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
	return 0;
}

/* PROVE_LOCKING: two locks in both orders. */
static int act_deadlock(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
	return 0;
}

/* DMA_API_DEBUG: a mapping that is taken back twice. */
static int act_unmap_twice(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e8, NULL);
	dma_addr_t addr;
	void *p;
	int rc = -ENODEV;

	if (!pdev)
		return rc;
	p = kmalloc(512, GFP_KERNEL);
	rc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (!p || rc)
		goto put;
	rc = -EIO;
	addr = dma_map_single(&pdev->dev, p, 512, DMA_TO_DEVICE);
	if (dma_mapping_error(&pdev->dev, addr))
		goto put;
	dma_unmap_single(&pdev->dev, addr, 512, DMA_TO_DEVICE);
	dma_unmap_single(&pdev->dev, addr, 512, DMA_TO_DEVICE);
	rc = 0;
put:
	kfree(p);
	pci_dev_put(pdev);
	return rc;
}

/* DEBUG_LIST. */
static int act_list(void)
{
	struct list_head head, entry, other;

	INIT_LIST_HEAD(&head);
	INIT_LIST_HEAD(&other);
	list_add(&entry, &head);
	head.next = &other;
	list_del(&entry);
	return 0;
}

/* DEBUG_OBJECTS: a timer freed while it is pending. */
static void probe_expired(struct timer_list *timer)
{
}

static int act_free_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, probe_expired, 0);
	mod_timer(timer, jiffies + 60 * HZ);
	kfree(timer);
	return 0;
}

/* UBSAN. */
static int act_shift(void)
{
	int bits = 40;
	u32 one = 1;

	OPTIMIZER_HIDE_VAR(bits);
	OPTIMIZER_HIDE_VAR(one);
	one <<= bits;
	OPTIMIZER_HIDE_VAR(one);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} acts[] = {
	{ "refuse", act_refuse },
	{ "warn", act_warn },
	{ "panic", act_panic },
	{ "overrun", act_overrun },
	{ "leak", act_leak },
	{ "sleep", act_sleep },
	{ "deadlock", act_deadlock },
	{ "unmap_twice", act_unmap_twice },
	{ "list", act_list },
	{ "free_timer", act_free_timer },
	{ "shift", act_shift },
};

static int __init probe_init(void)
{
	size_t i;

	if (!strcmp(act, "none"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(acts); i++)
		if (!strcmp(act, acts[i].name))
			return acts[i].run();
	return -EINVAL;
}
module_init(probe_init);

static void __exit probe_exit(void)
{
}
module_exit(probe_exit);

MODULE_DESCRIPTION("Misbehaves on request, to test the test harness");
MODULE_LICENSE("GPL");
