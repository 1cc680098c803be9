// SPDX-License-Identifier: GPL-2.0
/*
 * The mock bus master.
 *
 * It knows memory by logical addresses only and finds the bytes as the
 * hardware would: through the translation that the IOMMU has installed for
 * the device where there is one, else by the bus's own rule. An address that
 * nothing translates, or that the device cannot drive, is -EFAULT. So a wrong
 * address, a missing copy and a mapping that ends too early each show as an
 * error or as a wrong byte.
 *
 * The accesses are made at once, or posted: then they become visible later, in
 * another context, and the device interrupts when they are.
 */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/dma-direct.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "bus.h"
#include "incoherent.h"

/* The smallest page of any IOMMU: consecutive logical addresses end there. */
#define BUS_GRANULE	SZ_4K

static int bus_translate(const struct bus *bus, u64 la, phys_addr_t *phys)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(bus->dev);

	if (la > bus->last)
		return -EFAULT;
	if (domain)
		*phys = iommu_iova_to_phys(domain, la);
	else
		*phys = dma_to_phys(bus->dev, la);
	if (!*phys || !pfn_valid(PHYS_PFN(*phys)))
		return -EFAULT;
	return 0;
}

/* Within one page. */
static int bus_move_part(const struct bus *bus, u64 la, void *buf, size_t n,
			 bool to_memory)
{
	phys_addr_t phys;
	void *va;
	int err;

	err = bus_translate(bus, la + n - 1, &phys);
	if (!err)
		err = bus_translate(bus, la, &phys);
	if (err)
		return err;
	if (bus->dev == incoherent_device())
		return incoherent_move(la, buf, n, to_memory);
	va = kmap_local_page(pfn_to_page(PHYS_PFN(phys)));
	if (to_memory)
		memcpy(va + offset_in_page(phys), buf, n);
	else
		memcpy(buf, va + offset_in_page(phys), n);
	kunmap_local(va);
	return 0;
}

static int bus_move(const struct bus *bus, u64 la, void *buf, size_t n,
		    bool to_memory)
{
	while (n) {
		size_t part = min_t(size_t, n,
				    BUS_GRANULE - (la & (BUS_GRANULE - 1)));
		int err = bus_move_part(bus, la, buf, part, to_memory);

		if (err)
			return err;
		la += part;
		buf += part;
		n -= part;
	}
	return 0;
}

/* The device fetches @n bytes of memory from @la on. */
int bus_read(const struct bus *bus, u64 la, void *buf, size_t n)
{
	return bus_move(bus, la, buf, n, false);
}

/* The device stores @n bytes to memory from @la on. */
int bus_write(const struct bus *bus, u64 la, const void *buf, size_t n)
{
	return bus_move(bus, la, (void *)buf, n, true);
}

/* Whether the device that drives @la reaches this very page, not a copy. */
bool bus_is_page(const struct bus *bus, u64 la, struct page *page)
{
	phys_addr_t phys;

	return !bus_translate(bus, la, &phys) &&
	       PHYS_PFN(phys) == page_to_pfn(page);
}

static ssize_t bus_move_list(const struct bus *bus,
			     const SCATTER_GATHER_LIST *list, void *buf,
			     size_t size, bool to_memory)
{
	size_t moved = 0;
	ULONG i;

	for (i = 0; i < list->NumberOfElements; i++) {
		const SCATTER_GATHER_ELEMENT *e = &list->Elements[i];
		int err;

		if (e->Length > size - moved)
			return -E2BIG;
		err = bus_move(bus, e->Address.QuadPart, buf + moved,
			       e->Length, to_memory);
		if (err)
			return err;
		moved += e->Length;
	}
	return moved;
}

/* The device fetches all that @list describes; returns the bytes moved. */
ssize_t bus_read_list(const struct bus *bus, const SCATTER_GATHER_LIST *list,
		      void *buf, size_t size)
{
	return bus_move_list(bus, list, buf, size, false);
}

/* The device stores to all that @list describes; returns the bytes moved. */
ssize_t bus_write_list(const struct bus *bus, const SCATTER_GATHER_LIST *list,
		       const void *buf, size_t size)
{
	return bus_move_list(bus, list, (void *)buf, size, true);
}

static void bus_post_work(struct work_struct *work)
{
	struct bus_post *post = container_of(work, struct bus_post, work);

	if (post->gate)
		wait_for_completion(post->gate);
	if (post->delay)
		usleep_range(post->delay, post->delay + 100);
	local_bh_disable();
	post->moved = bus_move_list(post->bus, post->list, post->buf,
				    post->size, post->to_memory);
	if (post->interrupt)
		post->interrupt(post);
	local_bh_enable();
	complete_all(&post->over);
}

/*
 * Starts accesses to all that @list describes; false when there is no memory.
 * The caller has set up @post, which is on its stack, and waits for the end.
 */
bool bus_post(struct bus_post *post, const SCATTER_GATHER_LIST *list)
{
	size_t size = struct_size(list, Elements, list->NumberOfElements);

	post->list = kmemdup(list, size, GFP_KERNEL);
	if (!post->list)
		return false;
	init_completion(&post->over);
	INIT_WORK_ONSTACK(&post->work, bus_post_work);
	queue_work(system_unbound_wq, &post->work);
	return true;
}

/* Waits for the end of what was posted; false when it never comes. */
bool bus_over(struct bus_post *post)
{
	bool over = wait_for_completion_timeout(&post->over, 30 * HZ);

	if (!over)
		return false;
	flush_work(&post->work);
	destroy_work_on_stack(&post->work);
	kfree(post->list);
	return true;
}
