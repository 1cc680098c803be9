// SPDX-License-Identifier: GPL-2.0
/*
 * DMA domains: devices that share memory at one logical address.
 *
 * Model: every device behind an IOMMU has a domain of its own, and its
 * adapters are members. An adapter may join the domain of another device
 * instead. Memory of a domain is a block (block.c) of the device whose adapter
 * allocated it, mapped once more for each device that has a member, in its
 * window (window.c), at one address that is free in all of them.
 *
 * What a device maps for its transfers is not shared, and keeps its own
 * addresses: a domain is for common buffers. Without an IOMMU nothing
 * translates, and there are no domains.
 *
 * A wide device may join a narrow one's domain: its own window then begins as
 * low as the other's. A narrow one that does not reach the window of a wide
 * one may not join it. A coherent device and one that is not do not go
 * together: the same memory would be cached and not cached.
 *
 * A domain lives as long as a member or a buffer. A buffer ends with the
 * adapter that allocated it, also for the others.
 *
 * Vocabulary
 *   home    the device whose own domain it is
 *   shared  a buffer of a domain
 *   view    its mapping in one space, which devices of one group have together
 *   share   what a device has of it
 *
 * Locks: ntdma_domains_lock for everything here, inside of device->lock.
 */
#include "domain.h"
#include "ntdma.h"
#include "window.h"

/**
 * struct ntdma_domain - devices that share memory
 * @link: among all domains
 * @id: what the client gets as a handle; never used again
 * @users: home, adapters that joined, buffers
 * @home: device whose own domain it is, NULL when that has gone
 * @coherent: all devices are, or none is
 * @joined: adapters of other devices
 * @buffers: what they share
 */
struct ntdma_domain {
	struct list_head link;
	unsigned long id;
	unsigned int users;
	struct ntdma_device *home;
	bool coherent;
	struct list_head joined;
	struct list_head buffers;
};

/**
 * struct ntdma_view - a buffer's mapping in a space
 * @users: shares
 * @span: where it is mapped
 */
struct ntdma_view {
	unsigned int users;
	struct ntdma_span span;
};

/**
 * struct ntdma_share - what a device has of a buffer
 * @link: in the buffer
 * @device: the device
 * @view: the mapping
 * @known: the buffer as the device knows it
 */
struct ntdma_share {
	struct list_head link;
	struct ntdma_device *device;
	struct ntdma_view *view;
	struct ntdma_known known;
};

/**
 * struct ntdma_shared - a buffer of a domain
 * @link: in the domain, while it has an address
 * @domain: the domain
 * @block: the memory; known.addr is the address in the domain
 * @unit: alignment of that
 * @shares: one for each device with a member
 */
struct ntdma_shared {
	struct list_head link;
	struct ntdma_domain *domain;
	struct ntdma_block *block;
	size_t unit;
	struct list_head shares;
};

static DEFINE_MUTEX(ntdma_domains_lock);
static LIST_HEAD(ntdma_domains);
static unsigned long ntdma_domain_ids;

static struct ntdma_domain *ntdma_domain_new(struct ntdma_device *home)
{
	struct ntdma_domain *domain = ntdma_alloc(sizeof(*domain), GFP_KERNEL);

	lockdep_assert_held(&ntdma_domains_lock);
	if (!domain)
		return NULL;
	INIT_LIST_HEAD(&domain->joined);
	INIT_LIST_HEAD(&domain->buffers);
	/* Like an address that is aligned, and never NULL. */
	ntdma_domain_ids += sizeof(void *);
	domain->id = ntdma_domain_ids;
	domain->users = 1;
	domain->home = home;
	domain->coherent = ntdma_device_coherent(home->dev);
	list_add(&domain->link, &ntdma_domains);
	return domain;
}

static void ntdma_domain_put(struct ntdma_domain *domain)
{
	lockdep_assert_held(&ntdma_domains_lock);
	if (--domain->users)
		return;
	list_del(&domain->link);
	ntdma_free(domain);
}

static struct ntdma_domain *ntdma_domain_find(HANDLE handle)
{
	struct ntdma_domain *domain;

	lockdep_assert_held(&ntdma_domains_lock);
	list_for_each_entry(domain, &ntdma_domains, link)
		if ((HANDLE)domain->id == handle)
			return domain;
	return NULL;
}

/* The domain that an adapter is a member of, made when first asked for. */
static struct ntdma_domain *ntdma_domain_of(struct ntdma_adapter *adapter)
{
	struct ntdma_device *device = adapter->device;

	lockdep_assert_held(&ntdma_domains_lock);
	if (adapter->joined)
		return adapter->joined;
	if (!ntdma_adapter_space(adapter))
		return NULL;
	if (!device->domain)
		device->domain = ntdma_domain_new(device);
	return device->domain;
}

/* One that was put lingers, and keeps what it has, but gets nothing more. */
static bool ntdma_is_member(struct ntdma_adapter *adapter)
{
	return !percpu_ref_is_dying(&adapter->ref);
}

/* Whether a device has a member in a domain. */
static bool ntdma_domain_has(const struct ntdma_domain *domain,
			     const struct ntdma_device *device)
{
	struct ntdma_adapter *adapter;

	if (domain->home == device)
		return true;
	list_for_each_entry(adapter, &domain->joined, domain_link)
		if (adapter->device == device && ntdma_is_member(adapter))
			return true;
	return false;
}

/* Narrows a range to where the windows of all members are. */
static void ntdma_domain_window(const struct ntdma_domain *domain, u64 *first,
				u64 *last)
{
	const struct ntdma_device *home = domain->home;
	struct ntdma_adapter *adapter;

	if (home) {
		*first = max(*first, ntdma_space_floor(home->space));
		*last = min(*last, home->limit);
	}
	list_for_each_entry(adapter, &domain->joined, domain_link) {
		if (!ntdma_is_member(adapter))
			continue;
		*first = max(*first, ntdma_space_floor(adapter->device->space));
		*last = min(*last, adapter->mask);
	}
}

/* ---- Buffers ---- */

static struct ntdma_share *ntdma_share_of(const struct ntdma_shared *shared,
					  const struct ntdma_device *device)
{
	struct ntdma_share *share;

	list_for_each_entry(share, &shared->shares, link)
		if (share->device == device)
			return share;
	return NULL;
}

/* The mapping that another device of the group has already, or NULL. */
static struct ntdma_view *ntdma_view_of(const struct ntdma_shared *shared,
					const struct ntdma_space *space)
{
	struct ntdma_share *share;

	list_for_each_entry(share, &shared->shares, link)
		if (share->view->span.space == space)
			return share->view;
	return NULL;
}

static void ntdma_view_put(struct ntdma_view *view)
{
	if (--view->users)
		return;
	ntdma_span_release(&view->span);
	ntdma_free(view);
}

/* Maps a buffer at its address: -EBUSY when that is taken, -ENOMEM. */
static int ntdma_view_get(struct ntdma_shared *shared,
			  struct ntdma_device *device, struct ntdma_view **out)
{
	const struct ntdma_known *known = &shared->block->known;
	const struct ntdma_range range = {
		known->addr, known->addr + known->size - 1, known->size,
		PAGE_SIZE
	};
	struct ntdma_view *view = ntdma_view_of(shared, device->space);
	int ret = -EBUSY;

	if (view) {
		view->users++;
		*out = view;
		return 0;
	}
	view = ntdma_alloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		return -ENOMEM;
	view->users = 1;
	if (!ntdma_span_reserve(device->space, &view->span, &range))
		goto put_view;
	ret = -ENOMEM;
	if (!ntdma_block_map(shared->block, &view->span, device->dev))
		goto put_view;
	*out = view;
	return 0;

put_view:
	ntdma_view_put(view);
	return ret;
}

static void ntdma_share_drop(struct ntdma_share *share)
{
	lockdep_assert_held(&ntdma_domains_lock);
	ntdma_known_remove(share->device, &share->known);
	ntdma_view_put(share->view);
	list_del(&share->link);
	ntdma_free(share);
}

/* Gives a buffer to a device, unless it has it: -EBUSY or -ENOMEM. */
static int ntdma_share_add(struct ntdma_shared *shared,
			   struct ntdma_device *device)
{
	struct ntdma_share *share;
	int ret;

	lockdep_assert_held(&ntdma_domains_lock);
	if (ntdma_share_of(shared, device))
		return 0;
	share = ntdma_alloc(sizeof(*share), GFP_KERNEL);
	if (!share)
		return -ENOMEM;
	ret = ntdma_view_get(shared, device, &share->view);
	if (ret) {
		ntdma_free(share);
		return ret;
	}
	share->device = device;
	share->known = shared->block->known;
	share->known.dev = device->dev;
	list_add(&share->link, &shared->shares);
	ntdma_known_add(device, &share->known);
	return 0;
}

static void ntdma_shared_drop(struct ntdma_shared *shared)
{
	struct ntdma_share *share, *next;

	list_for_each_entry_safe(share, next, &shared->shares, link)
		ntdma_share_drop(share);
}

/* Gives a buffer to all members, or to none. */
static int ntdma_shared_spread(struct ntdma_shared *shared)
{
	struct ntdma_domain *domain = shared->domain;
	struct ntdma_adapter *adapter;
	int ret = 0;

	if (domain->home)
		ret = ntdma_share_add(shared, domain->home);
	list_for_each_entry(adapter, &domain->joined, domain_link)
		if (!ret && ntdma_is_member(adapter))
			ret = ntdma_share_add(shared, adapter->device);
	if (ret)
		ntdma_shared_drop(shared);
	return ret;
}

/* Moves range->min up to the first address that is free for a device. */
static bool ntdma_range_move(struct ntdma_range *range,
			     const struct ntdma_device *device, bool *moved)
{
	u64 first;

	if (!ntdma_space_fit(device->space, range, &first))
		return false;
	*moved |= first != range->min;
	range->min = first;
	return true;
}

/* The same for all members. */
static bool ntdma_domain_fit(const struct ntdma_domain *domain,
			     struct ntdma_range *range)
{
	struct ntdma_adapter *adapter;
	bool moved;

	do {
		moved = false;
		if (domain->home &&
		    !ntdma_range_move(range, domain->home, &moved))
			return false;
		list_for_each_entry(adapter, &domain->joined, domain_link)
			if (ntdma_is_member(adapter) &&
			    !ntdma_range_move(range, adapter->device, &moved))
				return false;
	} while (moved);
	return true;
}

/* Finds an address that all members can have, and maps the buffer there. */
static int ntdma_shared_place(struct ntdma_shared *shared,
			      const struct ntdma_want *want)
{
	struct ntdma_domain *domain = shared->domain;
	struct ntdma_range range = {
		0, want->last, want->size, want->unit
	};
	int ret;

	lockdep_assert_held(&ntdma_domains_lock);
	ntdma_domain_window(domain, &range.min, &range.last);
	do {
		if (!ntdma_domain_fit(domain, &range))
			return -EBUSY;
		shared->block->known.addr = range.min;
		ret = ntdma_shared_spread(shared);
		/* A buffer with bounds was faster. */
	} while (ret == -EBUSY);
	if (!ret)
		list_add(&shared->link, &domain->buffers);
	return ret;
}

/* A buffer without address yet, which keeps the domain. */
static NTSTATUS ntdma_shared_new(struct ntdma_adapter *adapter, HANDLE handle,
				 struct ntdma_shared **out)
{
	struct ntdma_shared *shared = ntdma_alloc(sizeof(*shared), GFP_KERNEL);
	NTSTATUS status = STATUS_SUCCESS;

	if (!shared)
		return STATUS_INSUFFICIENT_RESOURCES;
	INIT_LIST_HEAD(&shared->link);
	INIT_LIST_HEAD(&shared->shares);
	mutex_lock(&ntdma_domains_lock);
	shared->domain = ntdma_domain_find(handle);
	if (!shared->domain)
		status = STATUS_INVALID_HANDLE;
	else if (shared->domain != ntdma_domain_of(adapter))
		status = STATUS_INVALID_PARAMETER;
	else
		shared->domain->users++;
	mutex_unlock(&ntdma_domains_lock);
	if (status)
		ntdma_free(shared);
	else
		*out = shared;
	return status;
}

static void ntdma_shared_free(struct ntdma_shared *shared)
{
	mutex_lock(&ntdma_domains_lock);
	ntdma_shared_drop(shared);
	list_del_init(&shared->link);
	ntdma_domain_put(shared->domain);
	mutex_unlock(&ntdma_domains_lock);
	ntdma_free(shared);
}

/**
 * ntdma_shared_create() - allocate a block that a domain shares
 * @adapter: a member, whose device allocates it
 * @handle: of the domain
 * @want: what is wanted; fits its bounds
 * @block: zeroed; set up, lives until ntdma_shared_destroy()
 * @out: set to what destroys it
 *
 * Context: PASSIVE_LEVEL.
 * Return: as ntdma_alloc_domain_buffer().
 */
NTSTATUS ntdma_shared_create(struct ntdma_adapter *adapter, HANDLE handle,
			     const struct ntdma_want *want,
			     struct ntdma_block *block,
			     struct ntdma_shared **out)
{
	struct ntdma_want any = *want;
	struct ntdma_shared *shared;
	NTSTATUS status;
	int ret;

	status = ntdma_shared_new(adapter, handle, &shared);
	if (status)
		return status;
	any.last = adapter->mask;
	any.unit = PAGE_SIZE;
	shared->block = block;
	if (!ntdma_block_alloc(adapter, &any, block))
		goto free_shared;
	mutex_lock(&ntdma_domains_lock);
	ret = ntdma_shared_place(shared, want);
	mutex_unlock(&ntdma_domains_lock);
	if (ret)
		goto free_block;
	*out = shared;
	return STATUS_SUCCESS;

free_block:
	ntdma_block_free(adapter->dev, block);
free_shared:
	ntdma_shared_free(shared);
	return STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * ntdma_shared_destroy() - free a block that a domain shares
 * @adapter: as it was allocated
 * @shared: what ntdma_shared_create() made
 *
 * No device reaches the memory any more afterwards.
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_shared_destroy(struct ntdma_adapter *adapter,
			  struct ntdma_shared *shared)
{
	struct ntdma_block *block = shared->block;

	ntdma_shared_free(shared);
	ntdma_block_free(adapter->dev, block);
}

/* ---- Members ---- */

/* Takes all buffers of a domain from a device that has no member any more. */
static void ntdma_domain_forget(struct ntdma_domain *domain,
				const struct ntdma_device *device)
{
	struct ntdma_shared *shared;
	struct ntdma_share *share;

	lockdep_assert_held(&ntdma_domains_lock);
	if (ntdma_domain_has(domain, device))
		return;
	list_for_each_entry(shared, &domain->buffers, link) {
		share = ntdma_share_of(shared, device);
		if (share)
			ntdma_share_drop(share);
	}
}

/**
 * ntdma_domain_leave() - end the membership that an adapter joined for
 * @adapter: one that joined a domain, or not
 *
 * Context: PASSIVE_LEVEL.
 */
void ntdma_domain_leave(struct ntdma_adapter *adapter)
{
	struct ntdma_domain *domain;

	mutex_lock(&ntdma_domains_lock);
	domain = adapter->joined;
	if (domain) {
		adapter->joined = NULL;
		list_del(&adapter->domain_link);
		ntdma_domain_forget(domain, adapter->device);
		ntdma_domain_put(domain);
	}
	mutex_unlock(&ntdma_domains_lock);
}

/**
 * ntdma_domain_orphan() - let a domain do without its home
 * @device: whose last adapter has left
 *
 * Context: PASSIVE_LEVEL, device->lock held.
 */
void ntdma_domain_orphan(struct ntdma_device *device)
{
	struct ntdma_domain *domain;

	lockdep_assert_held(&device->lock);
	mutex_lock(&ntdma_domains_lock);
	domain = device->domain;
	if (domain) {
		device->domain = NULL;
		domain->home = NULL;
		ntdma_domain_forget(domain, device);
		ntdma_domain_put(domain);
	}
	mutex_unlock(&ntdma_domains_lock);
}

/* Whether the joiner reaches where the others are, or can be made to. */
static NTSTATUS ntdma_domain_meet(const struct ntdma_domain *domain,
				  struct ntdma_adapter *adapter)
{
	struct ntdma_device *device = adapter->device;
	u64 first = 0, last = adapter->mask;

	ntdma_domain_window(domain, &first, &last);
	if (first > last)
		return STATUS_NOT_SUPPORTED;
	if (ntdma_space_floor(device->space) > last &&
	    !ntdma_device_lower(device, first))
		return STATUS_INVALID_DEVICE_STATE;
	return STATUS_SUCCESS;
}

/* Makes an adapter a member, with all that is shared already. */
static NTSTATUS ntdma_domain_enter(struct ntdma_domain *domain,
				   struct ntdma_adapter *adapter)
{
	struct ntdma_shared *shared;
	int ret = 0;

	lockdep_assert_held(&ntdma_domains_lock);
	list_for_each_entry(shared, &domain->buffers, link)
		if (!ret)
			ret = ntdma_share_add(shared, adapter->device);
	if (ret) {
		ntdma_domain_forget(domain, adapter->device);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	adapter->joined = domain;
	list_add(&adapter->domain_link, &domain->joined);
	domain->users++;
	return STATUS_SUCCESS;
}

static NTSTATUS ntdma_domain_admit(struct ntdma_adapter *adapter,
				   HANDLE handle)
{
	struct ntdma_device *device = adapter->device;
	struct ntdma_domain *domain;
	NTSTATUS status;

	lockdep_assert_held(&device->lock);
	lockdep_assert_held(&ntdma_domains_lock);
	if (!ntdma_adapter_space(adapter))
		return STATUS_NOT_SUPPORTED;
	domain = ntdma_domain_find(handle);
	if (!domain)
		return STATUS_INVALID_HANDLE;
	if (adapter->joined || domain == device->domain ||
	    ntdma_adapter_busy(adapter))
		return STATUS_INVALID_DEVICE_STATE;
	if (domain->coherent != ntdma_device_coherent(device->dev))
		return STATUS_NOT_SUPPORTED;
	status = ntdma_domain_meet(domain, adapter);
	return status ?: ntdma_domain_enter(domain, adapter);
}

/* ---- Routines ---- */

/**
 * ntdma_get_domain() - GetDmaDomain
 * @wdm: the adapter
 *
 * The handle stays the same until the adapter joins or leaves a domain
 * (EC-191, S21). Adapters of one device that joined nothing have one domain.
 *
 * Context: PASSIVE_LEVEL.
 * Return: the domain that the adapter is a member of; NULL when no IOMMU
 *	translates for the device, or one without a window, and without memory.
 */
HANDLE ntdma_get_domain(PDMA_ADAPTER wdm)
{
	struct ntdma_domain *domain;
	HANDLE handle = NULL;

	mutex_lock(&ntdma_domains_lock);
	domain = ntdma_domain_of(to_adapter(wdm));
	if (domain)
		handle = (HANDLE)domain->id;
	mutex_unlock(&ntdma_domains_lock);
	return handle;
}

/**
 * ntdma_join_domain() - JoinDmaDomain
 * @wdm: the adapter, with nothing mapped or allocated
 * @domain: what GetDmaDomain of an adapter of another device returned
 *
 * What the domain shares already is mapped for the device, too, at the same
 * addresses. Nothing may be mapped for the device meanwhile.
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_HANDLE for what is no domain (EC-192);
 *	STATUS_NOT_SUPPORTED without an IOMMU, for a device that does not reach
 *	what the others share, and for a coherent one among others that are not;
 *	STATUS_INVALID_DEVICE_STATE for a member of this domain, for one that
 *	joined another, and for one with lists, registers or common buffers;
 *	STATUS_INSUFFICIENT_RESOURCES when an address that is shared already is
 *	taken, and without memory.
 */
NTSTATUS ntdma_join_domain(PDMA_ADAPTER wdm, HANDLE domain)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	NTSTATUS status;

	mutex_lock(&adapter->device->lock);
	mutex_lock(&ntdma_domains_lock);
	status = ntdma_domain_admit(adapter, domain);
	mutex_unlock(&ntdma_domains_lock);
	mutex_unlock(&adapter->device->lock);
	return status;
}

/**
 * ntdma_leave_domain() - LeaveDmaDomain
 * @wdm: the adapter
 *
 * The adapter is a member of its own domain again (S21). What is shared stays
 * so for the others; the device does not reach it any more, unless another of
 * its adapters is a member. What the adapter allocated is still to be freed.
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_DEVICE_STATE for an adapter that
 *	joined nothing (EC-196).
 */
NTSTATUS ntdma_leave_domain(PDMA_ADAPTER wdm)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	if (!READ_ONCE(adapter->joined))
		return STATUS_INVALID_DEVICE_STATE;
	ntdma_domain_leave(adapter);
	return STATUS_SUCCESS;
}
