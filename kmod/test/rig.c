// SPDX-License-Identifier: GPL-2.0
/*
 * Opens adapters for the cases and cleans up behind them.
 *
 * A case that ran to its end must have put and freed all that it made; what
 * it left is a failure of its own, and is freed so that the next case starts
 * clean.
 */
#include <linux/delay.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include "buffer.h"
#include "hooks.h"
#include "incoherent.h"
#include "request.h"
#include "rig.h"

#define KIND(n, v, w, s)						\
	{ .name = n, .version = v, .width = w, .single = s, .length = RIG_LENGTH }

const struct rig_kind rig_all[] = {
	KIND("64 bits", 3, 64, false),
	KIND("28 bits", 3, 28, false),
	KIND("64 bits, one run", 3, 64, true),
	KIND("28 bits, one run", 3, 28, true),
	{ }
};

const struct rig_kind rig_lists[] = {
	KIND("64 bits", 3, 64, false),
	KIND("28 bits", 3, 28, false),
	{ }
};

const struct rig_kind rig_single[] = {
	KIND("64 bits, one run", 3, 64, true),
	KIND("28 bits, one run", 3, 28, true),
	KIND("version 1, 24 bits, one run", 1, 24, true),
	{ }
};

const struct rig_kind rig_wide[] = {
	KIND("64 bits", 3, 64, false),
	{ }
};

const struct rig_kind rig_narrow[] = {
	KIND("28 bits", 3, 28, false),
	{ }
};

const struct rig_kind rig_odd[] = {
	KIND("30 bits", 3, 30, false),
	KIND("36 bits", 3, 36, false),
	KIND("30 bits, one run", 3, 30, true),
	KIND("36 bits, one run", 3, 36, true),
	{ }
};

const struct rig_kind rig_mega[] = {
	{ .name = "64 bits, 1 MiB", .version = 3, .width = 64, .length = SZ_1M },
	{ .name = "28 bits, 1 MiB", .version = 3, .width = 28, .length = SZ_1M },
	{ }
};

const struct rig_kind rig_v1[] = {
	KIND("version 1, 64 bits", 1, 64, false),
	KIND("version 1, 32 bits", 1, 32, false),
	KIND("version 1, 24 bits, one run", 1, 24, true),
	KIND("version 0, 32 bits, one run", 0, 32, true),
	{ }
};

const struct rig_kind rig_v2[] = {
	KIND("version 2, 64 bits", 2, 64, false),
	KIND("version 2, 64 bits, one run", 2, 64, true),
	KIND("version 2, 24 bits, one run", 2, 24, true),
	{ }
};

#define APART(n, v, w, s)						\
	{ .name = n ", not coherent", .version = v, .width = w, .single = s,	\
	  .length = RIG_LENGTH, .incoherent = true }

const struct rig_kind rig_apart[] = {
	APART("64 bits", 3, 64, false),
	APART("28 bits", 3, 28, false),
	APART("64 bits, one run", 3, 64, true),
	APART("28 bits, one run", 3, 28, true),
	{ }
};

/* Every adapter is of the device that does not share the cache. */
static bool incoherent;
module_param(incoherent, bool, 0444);
MODULE_PARM_DESC(incoherent,
		 "run all on a device that does not share the processor's cache (off)");

/* The device that adapters of @kind are opened on. */
struct device *rig_device(struct nttest *t, const struct rig_kind *kind)
{
	if (kind->incoherent || (incoherent && !kind->system))
		return incoherent_device();
	return t->dev;
}

/* Whether the device sees what the processor writes, and the other way. */
bool rig_coherent(const struct rig *r)
{
	return dev_is_dma_coherent(r->bus.dev) &&
	       r->bus.dev != incoherent_device();
}

/* Whether even whole pages that the device reaches are copied. */
bool rig_copies(const struct rig *r)
{
	return ntdma_bounces_all() || is_swiotlb_force_bounce(r->bus.dev);
}

/* The highest address that @width bits can express. */
u64 rig_last(u8 width)
{
	return width < 64 ? (1ULL << width) - 1 : U64_MAX;
}

/* A description as a driver for a device of this kind would write it. */
void rig_describe(DEVICE_DESCRIPTION *dd, const struct rig_kind *kind)
{
	memset(dd, 0, sizeof(*dd));
	dd->Version = kind->version;
	dd->Master = TRUE;
	dd->ScatterGather = !kind->single;
	dd->InterfaceType = kind->width == 24 ? Isa : PCIBus;
	dd->MaximumLength = kind->length;
	if (kind->system) {
		dd->Master = FALSE;
		dd->InterfaceType = Isa;
		dd->DmaChannel = kind->channel;
		dd->DmaWidth = kind->channel < 4 ? Width8Bits : Width16Bits;
		dd->AutoInitialize = kind->loop;
		dd->DemandMode = kind->demand;
		return;
	}
	if (kind->version == DEVICE_DESCRIPTION_VERSION3) {
		dd->DmaAddressWidth = kind->width;
	} else {
		dd->Dma32BitAddresses = kind->width == 32;
		dd->Dma64BitAddresses = kind->width == 64;
	}
}

KIRQL rig_raise(void)
{
	KIRQL old;

	KeRaiseIrql(DISPATCH_LEVEL, &old);
	return old;
}

/* Waits for what happens in another context; a busy host may take its time. */
bool rig_wait(int (*reached)(void *arg), void *arg)
{
	int i;

	for (i = 0; i < RIG_PATIENCE / 20 && !reached(arg); i++)
		msleep(20);
	return reached(arg);
}

/* NULL, with the case failed, when the adapter does not open. */
struct rig *rig_open(struct nttest *t, const struct rig_kind *kind)
{
	return rig_open_on(t, rig_device(t, kind), kind);
}

/* On another device than the test device; without an adapter if none opens. */
struct rig *rig_try_on(struct nttest *t, struct device *dev,
		       const struct rig_kind *kind)
{
	struct rig *r = kzalloc(sizeof(*r), GFP_KERNEL);
	DEVICE_DESCRIPTION dd;

	if (!EXPECT(t, r))
		return NULL;
	r->t = t;
	r->kind = kind;
	INIT_LIST_HEAD(&r->buffers);
	INIT_LIST_HEAD(&r->requests);
	r->bus.dev = dev;
	r->bus.last = rig_last(kind->width);
	r->object = ntdma_device_create(dev, 0);
	if (!EXPECT(t, r->object)) {
		kfree(r);
		return NULL;
	}
	r->object->CurrentIrp = &r->irp;
	rig_describe(&dd, kind);
	r->adapter = IoGetDmaAdapter(r->object, &dd, &r->registers);
	if (r->adapter)
		r->ops = r->adapter->DmaOperations;
	return r;
}

/* rig_open() on another device than the test device. */
struct rig *rig_open_on(struct nttest *t, struct device *dev,
			const struct rig_kind *kind)
{
	struct rig *r = rig_try_on(t, dev, kind);

	if (r && !EXPECT(t, r->adapter)) {
		rig_close(r);
		return NULL;
	}
	return r;
}

void rig_close(struct rig *r)
{
	struct request *q, *next_q;
	struct buffer *b, *next_b;

	list_for_each_entry_safe(q, next_q, &r->requests, node)
		request_free(q);
	list_for_each_entry_safe(b, next_b, &r->buffers, node)
		buffer_free(b);
	if (r->adapter)
		r->ops->PutDmaAdapter(r->adapter);
	ntdma_device_destroy(r->object);
	kfree(r);
}

/*
 * Whether a device finds any memory up to @last: with an IOMMU always, else
 * only where memory begins low enough.
 */
bool rig_reaches(struct device *dev, u64 last)
{
	u64 at;

	if (dma_get_merge_boundary(dev))
		return true;
	for (at = 0; at < min_t(u64, last, U32_MAX); at += SZ_1M)
		if (pfn_valid(PHYS_PFN(at)) && page_is_ram(PHYS_PFN(at)))
			return true;
	return false;
}

static void rig_run(struct nttest *t, const struct nttest_case *c,
		    const struct rig_kind *kind)
{
	struct rig *r;

	ntdma_fail_expect(c->failing);
	r = rig_open(t, kind);
	ntdma_fail_expect(false);
	if (r) {
		c->run_on(t, r);
		ntdma_fail_nth(0);
		rig_close(r);
	}
	if (t->failed)
		nttest_note(t, "on an adapter of %s", kind->name);
}

/*
 * Runs a case once for each kind of adapter that it wants and there can be. It is
 * skipped when it is on all of them.
 */
void rig_each(struct nttest *t, const struct nttest_case *c)
{
	const struct rig_kind *kind = c->kinds ?: rig_all;
	const char *why = "no memory in reach of such a device";
	bool run = false;

	for (; kind->name && !t->failed; kind++) {
		if (!rig_reaches(rig_device(t, kind), rig_last(kind->width)))
			continue;
		rig_run(t, c, kind);
		why = t->skipped ?: why;
		run |= !t->skipped;
		t->skipped = NULL;
	}
	if (!run && !t->failed)
		nttest_skip(t, why);
}
