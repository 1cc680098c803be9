// SPDX-License-Identifier: GPL-2.0
/*
 * Live objects, found by the address that the client holds.
 *
 * Clients give back adapters, lists, registers and buffers by address, and
 * some give them back twice or to the wrong adapter. An address is therefore
 * looked up before it is believed: what is not in the table is refused, and
 * taking an object out of the table decides who frees it.
 *
 * The table is hashed; a bucket has its own lock, a leaf that is held for a
 * few instructions with interrupts off.
 *
 * A flush looks at objects that nobody gave it and that others may give back
 * meanwhile. It marks what it finds, under the lock of the bucket, and holds
 * adapter->flush_lock until it is done with all of it. Who takes a marked
 * object out of the table waits for that lock before it frees the object.
 */
#include <linux/hash.h>
#include <linux/percpu.h>

#include "ntdma.h"

#define NTDMA_BUCKET_BITS	10

struct ntdma_bucket {
	spinlock_t lock;	/* protects @head */
	struct hlist_head head;
};

static struct ntdma_bucket ntdma_buckets[1 << NTDMA_BUCKET_BITS];
static DEFINE_PER_CPU(long, ntdma_live);

static struct ntdma_bucket *ntdma_bucket_of(const void *key)
{
	return &ntdma_buckets[hash_ptr((void *)key, NTDMA_BUCKET_BITS)];
}

/**
 * ntdma_handles_init() - make the table ready
 *
 * Context: module init.
 */
void ntdma_handles_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ntdma_buckets); i++) {
		spin_lock_init(&ntdma_buckets[i].lock);
		INIT_HLIST_HEAD(&ntdma_buckets[i].head);
	}
}

/**
 * ntdma_handle_add() - enter a live object
 * @handle: part of the object
 * @kind: what it is
 * @key: the address that the client gets
 * @adapter: whom it belongs to
 *
 * Context: any but hard interrupts of PREEMPT_RT.
 */
void ntdma_handle_add(struct ntdma_handle *handle, enum ntdma_kind kind,
		      const void *key, struct ntdma_adapter *adapter)
{
	struct ntdma_bucket *bucket = ntdma_bucket_of(key);
	unsigned long flags;

	handle->key = key;
	handle->kind = kind;
	handle->adapter = adapter;
	handle->flush = 0;
	spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head(&handle->node, &bucket->head);
	spin_unlock_irqrestore(&bucket->lock, flags);
	this_cpu_inc(ntdma_live);
}

static bool ntdma_handle_is(const struct ntdma_handle *handle,
			    enum ntdma_kind kind, const void *key,
			    const struct ntdma_adapter *adapter)
{
	return handle->key == key && handle->kind == kind &&
	       handle->adapter == adapter;
}

/* Out of the table no other flush finds it. */
static void ntdma_handle_taken(struct ntdma_handle *handle)
{
	unsigned long flags;

	this_cpu_dec(ntdma_live);
	if (likely(!handle->flush))
		return;
	spin_lock_irqsave(&handle->adapter->flush_lock, flags);
	spin_unlock_irqrestore(&handle->adapter->flush_lock, flags);
}

static struct ntdma_handle *ntdma_handle_lookup(enum ntdma_kind kind,
						const void *key,
						struct ntdma_adapter *adapter,
						ntdma_handle_match match,
						const void *data, bool take)
{
	struct ntdma_bucket *bucket = ntdma_bucket_of(key);
	struct ntdma_handle *handle, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(handle, &bucket->head, node) {
		if (!ntdma_handle_is(handle, kind, key, adapter) ||
		    (match && !match(handle, data)))
			continue;
		found = handle;
		if (take)
			hlist_del(&handle->node);
		break;
	}
	spin_unlock_irqrestore(&bucket->lock, flags);
	if (found && take)
		ntdma_handle_taken(found);
	return found;
}

/**
 * ntdma_handle_find() - the live object at an address
 * @kind: what it must be
 * @key: the client's address, any value
 * @adapter: whom it must belong to
 *
 * Context: any but hard interrupts of PREEMPT_RT.
 * Return: its handle, or NULL.
 */
struct ntdma_handle *ntdma_handle_find(enum ntdma_kind kind, const void *key,
				       struct ntdma_adapter *adapter)
{
	return ntdma_handle_lookup(kind, key, adapter, NULL, NULL, false);
}

/**
 * ntdma_handle_take() - remove the live object at an address
 * @kind: what it must be
 * @key: the client's address, any value
 * @adapter: whom it must belong to
 *
 * Of several callers one gets the object; it must free it.
 *
 * Context: <= DISPATCH_LEVEL: may wait for a flush that looks at the object.
 * Return: its handle, or NULL.
 */
struct ntdma_handle *ntdma_handle_take(enum ntdma_kind kind, const void *key,
				       struct ntdma_adapter *adapter)
{
	return ntdma_handle_lookup(kind, key, adapter, NULL, NULL, true);
}

/**
 * ntdma_handle_take_if() - remove a live object if it is the right one
 * @kind: what it must be
 * @key: the client's address, any value
 * @adapter: whom it must belong to
 * @match: called under a spinlock for each object at the address
 * @data: its argument
 *
 * Context: <= DISPATCH_LEVEL: may wait for a flush that looks at the object.
 * Return: the handle of the first that matches, or NULL.
 */
struct ntdma_handle *ntdma_handle_take_if(enum ntdma_kind kind,
					  const void *key,
					  struct ntdma_adapter *adapter,
					  ntdma_handle_match match,
					  const void *data)
{
	return ntdma_handle_lookup(kind, key, adapter, match, data, true);
}

/* True when the bucket has no more. */
static bool ntdma_bucket_collect(struct ntdma_bucket *bucket,
				 struct ntdma_collect *collect)
{
	u32 flush = collect->adapter->flushes;
	struct ntdma_handle *handle;
	unsigned long flags;
	bool done = true;

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(handle, &bucket->head, node) {
		if (handle->kind != collect->kind ||
		    handle->adapter != collect->adapter ||
		    handle->flush == flush ||
		    !collect->match(handle, collect->data))
			continue;
		done = collect->count < ARRAY_SIZE(collect->found);
		if (!done)
			break;
		handle->flush = flush;
		collect->found[collect->count++] = handle;
	}
	spin_unlock_irqrestore(&bucket->lock, flags);
	return done;
}

/**
 * ntdma_handle_collect() - find live objects of an adapter for a flush
 * @collect: what to look for, and where to go on; count set
 *
 * Walks the whole table, once in all calls. The objects stay as long as the
 * caller holds adapter->flush_lock.
 *
 * Context: <= DISPATCH_LEVEL, under adapter->flush_lock, with a number of its
 *	own in adapter->flushes.
 * Return: false when there are no more.
 */
bool ntdma_handle_collect(struct ntdma_collect *collect)
{
	lockdep_assert_held(&collect->adapter->flush_lock);
	collect->count = 0;
	while (collect->bucket < ARRAY_SIZE(ntdma_buckets) &&
	       ntdma_bucket_collect(&ntdma_buckets[collect->bucket], collect))
		collect->bucket++;
	return collect->count;
}

static struct ntdma_handle *ntdma_bucket_pop(struct ntdma_bucket *bucket,
					     enum ntdma_kind kind,
					     struct ntdma_adapter *adapter)
{
	struct ntdma_handle *handle, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(handle, &bucket->head, node) {
		if (handle->kind != kind || handle->adapter != adapter)
			continue;
		found = handle;
		hlist_del(&handle->node);
		break;
	}
	spin_unlock_irqrestore(&bucket->lock, flags);
	return found;
}

/**
 * ntdma_handle_take_any() - remove some live object of an adapter
 * @kind: what it must be
 * @adapter: whom it belongs to
 *
 * For tearing down; walks the whole table.
 *
 * Context: <= DISPATCH_LEVEL: may wait for a flush that looks at the object.
 * Return: a handle, or NULL when there is none.
 */
struct ntdma_handle *ntdma_handle_take_any(enum ntdma_kind kind,
					   struct ntdma_adapter *adapter)
{
	struct ntdma_handle *handle;
	int i;

	for (i = 0; i < ARRAY_SIZE(ntdma_buckets); i++) {
		handle = ntdma_bucket_pop(&ntdma_buckets[i], kind, adapter);
		if (handle) {
			ntdma_handle_taken(handle);
			return handle;
		}
	}
	return NULL;
}

/**
 * ntdma_handle_count() - live objects of an adapter
 * @adapter: the adapter
 * @kind: which
 *
 * For showing and for verifying; walks the whole table.
 *
 * Context: any but hard interrupts of PREEMPT_RT.
 * Return: their number.
 */
unsigned int ntdma_handle_count(struct ntdma_adapter *adapter,
				enum ntdma_kind kind)
{
	struct ntdma_handle *handle;
	unsigned int count = 0;
	unsigned long flags;
	int i;

	for (i = 0; i < ARRAY_SIZE(ntdma_buckets); i++) {
		spin_lock_irqsave(&ntdma_buckets[i].lock, flags);
		hlist_for_each_entry(handle, &ntdma_buckets[i].head, node)
			count += handle->adapter == adapter &&
				 handle->kind == kind;
		spin_unlock_irqrestore(&ntdma_buckets[i].lock, flags);
	}
	return count;
}

/**
 * ntdma_live_objects() - objects that clients hold
 *
 * Context: any; a snapshot.
 * Return: live adapters, lists, sets of registers and common buffers.
 */
long ntdma_live_objects(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(ntdma_live, cpu);
	return sum;
}
EXPORT_SYMBOL_NTDMA_INTERNAL(ntdma_live_objects);
