/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to ntdma.ko.
 *
 * Vocabulary
 *   adapter   what IoGetDmaAdapter returns: one client's view of one device
 *   channel   the right to the adapter itself, and the queue for it
 *   register  the right to map one page; in a pool it is a real page
 *   regs      a set of registers, the client's MapRegisterBase
 *   chain     MDLs linked by Next, addressed by byte offset
 *   piece     part of a chain that is contiguous in physical memory
 *   run       a piece together with the address that the device uses for it
 *   list      a SCATTER_GATHER_LIST with the mapping behind it
 *   slot      one page of a bounce pool
 *   block     memory of the DMA API that CPU and device share
 *   known     memory that the device has an address for already
 *   lent      memory of a client that became a common buffer
 *   space     what an IOMMU translates for a device
 *   window    the part of a space where we choose addresses
 *   span      addresses of a window that are in use
 *
 * Lock order, outermost first
 *   device->lock (mutex)      adapters of a device, its DMA masks
 *   domains (mutex)           who shares what with whom
 *   spaces (mutex)            windows and spans
 *   channel->lock (spinlock)  queue, owner, free slots
 *   adapter->flush_lock (spinlock)  what a flush found stays
 *   engine->lock (spinlock)   the job of a controller
 *   sysdma->lock (spinlock)   resources of a controller; its driver's locks
 *   pool->lock, handle buckets, device->buffers_lock: leaves
 * No lock is held while a routine of the client runs.
 */
#ifndef NTDMA_H
#define NTDMA_H

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/rbtree.h>
#include <linux/jump_label.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "../uapi/linux/ntdma.h"
#include "compat.h"
#define NTDMA_LINUX_NAMES
#include "wdm.h"
#include "walk.h"

struct module;
struct ntdma_adapter;
struct ntdma_domain;
struct ntdma_engine;
struct ntdma_port;
struct ntdma_regs;
struct ntdma_request;
struct ntdma_shared;
struct ntdma_space;
struct ntdma_span;

/**
 * enum ntdma_backend - how an adapter's addresses come about
 * @NTDMA_DIRECT: the device reaches all memory, addresses are a fixed offset
 * @NTDMA_IOMMU: an IOMMU translates and merges
 * @NTDMA_BOUNCE: pages out of reach are copied through a pool
 */
enum ntdma_backend {
	NTDMA_DIRECT,
	NTDMA_IOMMU,
	NTDMA_BOUNCE,
};

/* handle.c: what clients hold, found by its address */

enum ntdma_kind {
	NTDMA_ADAPTER,
	NTDMA_REGS,
	NTDMA_LIST,
	NTDMA_BUFFER,
	NTDMA_VECTOR,
	NTDMA_LENT,	/* a common buffer made from an MDL */
	NTDMA_PINNED,	/* these belong to an MDL, not to an adapter */
	NTDMA_PAGES,
	NTDMA_MAPPING,
	NTDMA_KINDS,
};

/**
 * struct ntdma_handle - entry in the table of live objects
 * @node: in its bucket
 * @key: the address that the client knows
 * @adapter: whom it belongs to
 * @kind: what it is
 * @flush: number of the last flush that found it, 0 for none; under the lock of
 *	its bucket
 */
struct ntdma_handle {
	struct hlist_node node;
	const void *key;
	struct ntdma_adapter *adapter;
	enum ntdma_kind kind;
	u32 flush;
};

typedef bool (*ntdma_handle_match)(const struct ntdma_handle *handle,
				   const void *data);

/**
 * struct ntdma_collect - a search of a flush through an adapter's live objects
 * @adapter: whose
 * @kind: what they must be
 * @match: called under a spinlock, tells which of them
 * @data: its argument
 * @bucket: where to go on
 * @count: entries of @found in use
 * @found: the next ones
 */
struct ntdma_collect {
	struct ntdma_adapter *adapter;
	enum ntdma_kind kind;
	ntdma_handle_match match;
	const void *data;
	unsigned int bucket;
	unsigned int count;
	struct ntdma_handle *found[8];
};

void ntdma_handles_init(void);
void ntdma_handle_add(struct ntdma_handle *handle, enum ntdma_kind kind,
		      const void *key, struct ntdma_adapter *adapter);
struct ntdma_handle *ntdma_handle_find(enum ntdma_kind kind, const void *key,
				       struct ntdma_adapter *adapter);
struct ntdma_handle *ntdma_handle_take(enum ntdma_kind kind, const void *key,
				       struct ntdma_adapter *adapter);
struct ntdma_handle *ntdma_handle_take_if(enum ntdma_kind kind,
					  const void *key,
					  struct ntdma_adapter *adapter,
					  ntdma_handle_match match,
					  const void *data);
bool ntdma_handle_collect(struct ntdma_collect *collect);
struct ntdma_handle *ntdma_handle_take_any(enum ntdma_kind kind,
					   struct ntdma_adapter *adapter);
unsigned int ntdma_handle_count(struct ntdma_adapter *adapter,
				enum ntdma_kind kind);
long ntdma_live_objects(void);

/* verify.c: what clients must not do */

extern struct static_key_false ntdma_verify;

void ntdma_verify_set(bool on);
void ntdma_refuse(void);
void ntdma_misuse(struct ntdma_adapter *adapter, enum ntdma_rule rule);
void ntdma_notice(struct ntdma_adapter *adapter, enum ntdma_rule rule);
void ntdma_red_fill(void *zone, size_t size);
bool ntdma_red_intact(const void *zone, size_t size);
void ntdma_verify_level(struct ntdma_adapter *adapter);
void ntdma_verify_left(struct ntdma_adapter *adapter);
long ntdma_refused(void);
long ntdma_misused(unsigned int rule);

static inline bool ntdma_verifying(void)
{
	return static_branch_unlikely(&ntdma_verify);
}

/* inject.c: failures on demand */

extern int ntdma_fail_mode;

bool ntdma_fail_alloc(void);
bool ntdma_fail_armed(int mode);
void *ntdma_alloc(size_t size, gfp_t gfp);
void ntdma_free(void *memory);
void ntdma_fail_nth(int nth);
bool ntdma_fail_hit(void);
void ntdma_fail_call(void (*hook)(void));
void ntdma_fail_expect(bool on);
bool ntdma_fail_expected(void);

/**
 * ntdma_fail_map() - asked before memory is mapped
 *
 * Context: any.
 * Return: true when the mapping must fail.
 */
static inline bool ntdma_fail_map(void)
{
	int mode = READ_ONCE(ntdma_fail_mode);

	return unlikely(mode) && ntdma_fail_armed(mode);
}

/* bounce.c */

/**
 * struct ntdma_slot - a page of a pool
 * @page: the page
 * @dma: address for the device
 * @from: end of the red zone before what is in use
 * @to: bytes of the red zone behind it
 */
struct ntdma_slot {
	struct page *page;
	dma_addr_t dma;
	u32 from;
	u32 to;
};

/**
 * struct ntdma_pool - pages that the device reaches, mapped for good
 * @dev: whose addresses @slots hold
 * @lock: protects @used and @count
 * @count: number of slots
 * @room: number of slots that there is space for
 * @contiguous: consecutive slots are consecutive for CPU and device
 * @boundary: address mask that no area of a contiguous pool crosses
 * @last: last address for the device
 * @used: a bit per slot
 * @slots: the pages
 */
struct ntdma_pool {
	struct device *dev;
	spinlock_t lock;	/* see @lock */
	u32 count;
	u32 room;
	bool contiguous;
	u64 boundary;
	u64 last;
	unsigned long *used;
	struct ntdma_slot slots[];
};

#define NTDMA_NO_SLOT	U32_MAX

struct ntdma_pool *ntdma_pool_create(struct device *dev, u32 count,
				     u32 least, u32 room, bool contiguous,
				     u64 boundary, u64 last);
u32 ntdma_pool_grow(struct ntdma_pool *pool, u32 count, gfp_t gfp);
u32 ntdma_pool_largest(const struct ntdma_pool *pool);
void ntdma_pool_destroy(struct ntdma_pool *pool);
u32 ntdma_pool_take(struct ntdma_pool *pool, u32 count);
void ntdma_pool_give(struct ntdma_pool *pool, u32 first, u32 count);
void ntdma_pool_paint(struct ntdma_pool *pool, u32 at, u32 length);
bool ntdma_pool_intact(struct ntdma_pool *pool, u32 first, u32 count);
dma_addr_t ntdma_pool_address(const struct ntdma_pool *pool, u32 at);
unsigned long ntdma_pool_pfn(const struct ntdma_pool *pool, u32 at);
void ntdma_bounce_in(struct ntdma_pool *pool, u32 at, phys_addr_t phys,
		     u32 length);
void ntdma_bounce_out(struct ntdma_pool *pool, u32 at, phys_addr_t phys,
		      u32 length);
bool ntdma_reachable(const struct ntdma_adapter *adapter, phys_addr_t phys,
		     u32 length);

/* device.c */

/**
 * struct ntdma_device - what the adapters of one struct device share
 * @link: in the list of all devices, under its mutex
 * @dev: the device, referenced
 * @ref: one for the list, one per adapter
 * @lock: protects @adapters, @gone and the masks of @dev
 * @adapters: live adapters
 * @left: woken when an adapter leaves
 * @gone: the driver of @dev has left it, nobody joins any more
 * @mask: DMA mask of @dev before the first adapter
 * @coherent_mask: the same for its coherent mask
 * @buffers_lock: protects @buffers
 * @buffers: struct ntdma_known of all adapters by CPU address
 * @limit: last address that all live adapters reach
 * @space: where there is a window for the adapters, or NULL
 * @space_link: in @space
 * @domain: of its own, once asked for
 */
struct ntdma_device {
	struct list_head link;
	struct device *dev;
	struct kref ref;
	struct mutex lock;		/* see @lock */
	struct list_head adapters;
	wait_queue_head_t left;
	bool gone;
	u64 mask;
	u64 coherent_mask;
	spinlock_t buffers_lock;	/* see @buffers_lock */
	struct rb_root buffers;
	u64 limit;
	struct ntdma_space *space;
	struct list_head space_link;
	struct ntdma_domain *domain;
};

struct ntdma_device *ntdma_device_get(struct device *dev);
void ntdma_device_put(struct ntdma_device *device);
int ntdma_device_join(struct ntdma_device *device,
		      struct ntdma_adapter *adapter);
bool ntdma_device_expose(struct ntdma_device *device,
			 struct ntdma_adapter *adapter);
void ntdma_device_leave(struct ntdma_device *device,
			struct ntdma_adapter *adapter);
bool ntdma_device_lower(struct ntdma_device *device, u64 floor);
bool ntdma_device_coherent(const struct device *dev);
void ntdma_shares_no_cache(const struct device *dev);
u64 ntdma_device_narrow(struct ntdma_device *device, u64 limit);
void ntdma_device_restore(struct ntdma_device *device, u64 mask);
void ntdma_device_show(void (*show)(struct ntdma_adapter *adapter, void *data),
		       void *data);
unsigned int ntdma_device_disown(struct module *owner);
void ntdma_devices_exit(void);

/* channel.c */

/**
 * struct ntdma_channel - ownership of adapters and the queue for it
 * @lock: protects everything here
 * @queue: waiting requests, first come first served
 * @owner: request that holds the adapter itself, or NULL
 * @turn: number of the last that did
 * @slots: slots of the pool that are not spoken for
 * @trying: was the head of the queue and may be so again, or NULL; compared
 *	without the lock by that one
 * @busy: there is an owner or a waiter; read without the lock
 * @draining: somebody grants requests right now
 * @closed: nothing is granted any more
 * @retries: how often the head could not be mapped
 * @work: drains from a context that may run routines of the client
 */
struct ntdma_channel {
	spinlock_t lock;		/* see @lock */
	struct list_head queue;
	struct ntdma_request *owner;
	u32 turn;
	u32 slots;
	struct ntdma_request *trying;
	bool busy;
	bool draining;
	bool closed;
	u8 retries;
	struct delayed_work work;
};

/**
 * struct ntdma_context - the client's transfer context
 * @magic: set by InitializeDmaTransferContext
 * @state: one of enum ntdma_context_state
 * @adapter: whose context it is
 * @request: what waits, in the queue
 *
 * Lies inside the client's bytes at the first aligned address.
 */
struct ntdma_context {
	u32 magic;
	u32 state;
	struct ntdma_adapter *adapter;
	struct ntdma_request *request;
};

/**
 * struct ntdma_request - something that wants to be granted
 * @link: in the queue of the channel
 * @adapter: the adapter, referenced
 * @context: the client's context, or NULL; only its address counts once
 *	granted. NULL once registers of system DMA are being freed
 * @slots: slots of the pool that it needs
 * @area: first slot of a contiguous pool, once granted
 * @exclusive: wants the channel, not only registers
 * @maps: @start may fail, and says when it no longer will if it is being tried
 * @turn: once granted, of an exclusive one, tells it from all others at its
 *	address
 * @start: acts on the grant, returns an NTSTATUS; a failure leaves the request
 *	with the caller
 * @abandon: frees a request that will not be granted
 * @device_object: passed to the client's routine
 * @irp: CurrentIrp when the request was made
 * @client: the client's own argument
 */
struct ntdma_request {
	struct list_head link;
	struct ntdma_adapter *adapter;
	struct ntdma_context *context;
	u32 slots;
	u32 area;
	bool exclusive;
	bool maps;
	u32 turn;
	int (*start)(struct ntdma_request *request);
	void (*abandon)(struct ntdma_request *request);
	PDEVICE_OBJECT device_object;
	PIRP irp;
	void *client;
};

void ntdma_channel_init(struct ntdma_channel *channel, u32 slots);
void ntdma_channel_exit(struct ntdma_channel *channel);
unsigned int ntdma_channel_close(struct ntdma_adapter *adapter);
void ntdma_channel_reopen(struct ntdma_adapter *adapter);
NTSTATUS ntdma_channel_submit(struct ntdma_request *request, bool wait);
void ntdma_channel_tried(struct ntdma_request *request);
void ntdma_channel_pass(struct ntdma_adapter *adapter, u32 turn);
void ntdma_channel_release(struct ntdma_adapter *adapter,
			   struct ntdma_request *owner, u32 area, u32 slots);
bool ntdma_channel_extra(struct ntdma_adapter *adapter, u32 slots, u32 *area);
struct ntdma_request *ntdma_channel_disown(struct ntdma_adapter *adapter);
bool ntdma_channel_owned(struct ntdma_adapter *adapter,
			 const struct ntdma_context *context);
bool ntdma_channel_held(struct ntdma_adapter *adapter);
bool ntdma_channel_waits(struct ntdma_adapter *adapter,
			 const DEVICE_OBJECT *device_object);
struct ntdma_context *ntdma_context_of(struct ntdma_adapter *adapter,
				       void *bytes);

/* map.c */

/**
 * struct ntdma_run - a mapped piece
 * @addr: address for the device, when not bounced
 * @phys: the memory; of what is known only the offset in the page counts
 * @pos: where the client knows it: chain offset or virtual address
 * @length: in bytes
 * @at: position in the pool, NTDMA_MAPPED or NTDMA_KNOWN
 */
struct ntdma_run {
	dma_addr_t addr;
	phys_addr_t phys;
	u64 pos;
	u32 length;
	u32 at;
};

#define NTDMA_MAPPED	U32_MAX		/* by the DMA API */
#define NTDMA_KNOWN	(U32_MAX - 1)	/* a common buffer's own address */

/**
 * struct ntdma_map - what is mapped under one list or one set of registers
 * @adapter: the adapter
 * @mdl: what it was last given; may be gone, and is not looked into
 * @dir: direction of the transfer
 * @granted: what is asked for must be mapped, if not at once
 * @again: the memory may be mapped for a controller that is being stopped
 * @merged: entries of @sgs in use
 * @nents: entries that the IOMMU made of them
 * @count: entries of @runs in use
 * @room: entries that there is space for
 * @slots: slots of the pool that are this map's and not in use
 * @area: where they are in a contiguous pool, or NTDMA_NO_SLOT
 * @pages: pages that are mapped
 * @pos: where a merged mapping starts
 * @length: bytes of a merged mapping
 * @sgs: pieces mapped together; the entries begin here
 * @runs: pieces mapped one by one, behind them
 */
struct ntdma_map {
	struct ntdma_adapter *adapter;
	const MDL *mdl;
	enum dma_data_direction dir;
	bool granted;
	bool again;
	u32 merged;
	u32 nents;
	u32 count;
	u32 room;
	u32 slots;
	u32 area;
	u32 pages;
	u64 pos;
	u32 length;
	struct scatterlist *sgs;
	struct ntdma_run *runs;
};

static inline bool ntdma_map_empty(const struct ntdma_map *map)
{
	return !READ_ONCE(map->merged) && !READ_ONCE(map->count);
}

void ntdma_map_init(struct ntdma_map *map, struct ntdma_adapter *adapter,
		    void *entries, u32 room);
u32 ntdma_map_slots(struct ntdma_map *map, PMDL mdl, u64 offset, u32 length);
u32 ntdma_map_fit(struct ntdma_map *map, PMDL mdl, u64 offset, u32 length,
		  u32 pages, u32 elements);
int ntdma_map_chain(struct ntdma_map *map, PMDL mdl, u64 offset, u64 pos,
		    u32 *length, u32 most);
bool ntdma_map_single(struct ntdma_map *map, PMDL mdl, u32 done, u32 length);
dma_addr_t ntdma_map_address(const struct ntdma_map *map, u32 index);
u32 ntdma_map_elements(const struct ntdma_map *map, PSCATTER_GATHER_LIST list);
bool ntdma_map_bounced(const struct ntdma_map *map);
bool ntdma_map_has(const struct ntdma_map *map, u64 pos, u32 length);
bool ntdma_map_flush(struct ntdma_map *map, u64 pos, u32 length);
void ntdma_map_finish(struct ntdma_map *map);
u32 ntdma_map_pieces(const struct ntdma_map *map, struct scatterlist *sgs);
void ntdma_map_drop(struct ntdma_map *map);
u64 ntdma_map_bytes(const struct ntdma_map *map);
bool ntdma_map_is_of(const struct ntdma_map *map, const MDL *mdl);
void ntdma_map_sync(struct ntdma_map *map, const MDL *mdl, bool read);
void ntdma_map_offer(struct ntdma_map *map);

/* One piece of a job: what the device knows, nothing of the memory. */
static inline void ntdma_job_piece(struct scatterlist *sg, dma_addr_t addr,
				   u32 length)
{
	sg_dma_address(sg) = addr;
	sg_dma_len(sg) = length;
	sg->length = length;
}

/**
 * ntdma_map_job() - write out a map for a controller
 * @map: of one part
 * @sgs: initialised table with room for all runs; only addresses and lengths
 *	are set
 *
 * Context: any.
 * Return: number of entries.
 */
static inline u32 ntdma_map_job(const struct ntdma_map *map,
				struct scatterlist *sgs)
{
	if (map->merged || map->count != 1 || map->runs->at != NTDMA_MAPPED)
		return ntdma_map_pieces(map, sgs);
	ntdma_job_piece(sgs, map->runs->addr, map->runs->length);
	return 1;
}

/* regs.c */

void ntdma_regs_forget(struct ntdma_handle *handle);
void ntdma_regs_grow(struct work_struct *work);

/* sglist.c */

size_t ntdma_list_size(const struct ntdma_adapter *adapter, u32 pages);
void ntdma_list_forget(struct ntdma_handle *handle);
struct ntdma_map *ntdma_list_map(struct ntdma_handle *handle);

/* block.c */

/**
 * struct ntdma_known - memory that a device has an address for already
 * @node: in the tree of the device
 * @va: address for the CPU
 * @addr: address for the device
 * @dma: the same for the DMA API; another one when @addr is in the window
 * @size: in bytes
 * @dev: whose address @addr is
 * @cached: CPU and device see each other's writes after a flush only
 */
struct ntdma_known {
	struct rb_node node;
	void *va;
	dma_addr_t addr;
	dma_addr_t dma;
	size_t size;
	const struct device *dev;
	bool cached;
};

/**
 * struct ntdma_want - what a block must be like
 * @min: lowest address for the device
 * @last: highest address for the device
 * @length: what the client asked for, in bytes
 * @size: in bytes, a multiple of @unit
 * @unit: alignment, a power of two, at least a page
 * @gfp: how hard to try
 * @node: preferred NUMA node, or NUMA_NO_NODE
 * @cached: cached memory although the device is not coherent
 */
struct ntdma_want {
	u64 min;
	u64 last;
	size_t length;
	size_t size;
	size_t unit;
	gfp_t gfp;
	int node;
	bool cached;
};

/**
 * struct ntdma_block - memory shared with a device
 * @known: its addresses
 * @sgt: of cached memory, else NULL
 * @span: of memory that is mapped in the window, else NULL
 * @red: where the red zone begins that fills the rest, 0 for none
 */
struct ntdma_block {
	struct ntdma_known known;
	struct sg_table *sgt;
	struct ntdma_span *span;
	size_t red;
};

int ntdma_want_init(struct ntdma_want *want,
		    const struct ntdma_adapter *adapter, u64 length, u32 flags,
		    const MEMORY_CACHING_TYPE *type, NODE_REQUIREMENT node);
bool ntdma_want_bounds(struct ntdma_want *want, u64 min, u64 last);
bool ntdma_block_get(struct ntdma_adapter *adapter,
		     const struct ntdma_want *want, struct ntdma_block *block);
void ntdma_block_put(struct ntdma_adapter *adapter, struct ntdma_block *block);
bool ntdma_block_alloc(struct ntdma_adapter *adapter,
		       const struct ntdma_want *want,
		       struct ntdma_block *block);
void ntdma_sync_pages(struct device *dev, dma_addr_t addr, size_t size,
		      bool back);
void ntdma_block_free(struct device *dev, struct ntdma_block *block);
bool ntdma_block_map(const struct ntdma_block *block, struct ntdma_span *span,
		     struct device *dev);
void ntdma_known_add(struct ntdma_device *device, struct ntdma_known *known);
void ntdma_known_remove(struct ntdma_device *device,
			struct ntdma_known *known);
u32 ntdma_buffer_search(const struct ntdma_adapter *adapter, const MDL *mdl,
			u32 done, dma_addr_t *addr);
size_t ntdma_buffer_cached(const struct ntdma_adapter *adapter, const void *va,
			   dma_addr_t *addr);

/* common.c */

void ntdma_buffer_forget(struct ntdma_handle *handle);
bool ntdma_last_below(const PHYSICAL_ADDRESS *maximum, u64 *last);

/* vector.c */

void ntdma_vector_forget(struct ntdma_handle *handle);

/* lent.c */

void ntdma_lent_forget(struct ntdma_handle *handle);
bool ntdma_lent_free(struct ntdma_adapter *adapter, u32 length, u64 addr,
		     const void *va);

/* adapter.c */

/**
 * struct ntdma_stats - what an adapter did, per CPU
 * @lists: lists made
 * @elements: elements in them and runs returned
 * @mapped: bytes mapped
 * @bounced: pages copied
 */
struct ntdma_stats {
	u64 lists;
	u64 elements;
	u64 mapped;
	u64 bounced;
};

/**
 * struct ntdma_adapter - one client's view of one device
 * @wdm: what the client holds; never read back, clients change it
 * @handle: in the table of live objects
 * @ref: one for the client and one for each request, list and set of regs
 * @device: shared between the adapters of the device
 * @dev: the device
 * @owner: module of the client
 * @link: in @device
 * @backend: how addresses come about
 * @version: of the table, 1 to 3
 * @width: address bits of the description
 * @sg: the device takes lists
 * @forced: every page bounces
 * @checked: made in verify mode
 * @plain: the device takes lists, and no memory is copied unless its mapping
 *	fails
 * @merge: the IOMMU may be trusted to make one run of many pages
 * @mask: last address that the device reaches
 * @max_seg: longest run in bytes, a multiple of the page size
 * @boundary: address mask that a run does not cross
 * @granule: IOMMU page size less one
 * @counted: requests need slots of the pool for what they copy
 * @fallible: mappings may fail; registers need slots, lists do not
 * @alignment: what buffers should be aligned to, 1 when coherent
 * @line: bytes of a cache line that must not be shared
 * @nregs: most registers of one request
 * @elements: most elements of one list
 * @entry_size: bytes per entry of a struct ntdma_map
 * @pool: bounce pages, NULL where nothing is ever copied; @engine's for system
 *	DMA
 * @engine: the controller's channel, NULL for a bus master
 * @port: the client's side of it
 * @sgs: twice @nregs entries for jobs, NULL for a bus master; a controller may
 *	still read one half while the other is written
 * @latest: live registers that are found without a search, or NULL
 * @kept: registers of system DMA that are free, for the next transfer, or NULL
 * @closed: the device is gone or nobody holds the adapter; under @channel's
 *	lock
 * @silent: closed because its client left, and not detached yet; under the
 *	device's lock
 * @channel: ownership and queue: @own, or that of @engine
 * @own: of a bus master
 * @flush_lock: protects @flushes; held as long as a flush looks at what it found
 * @flushes: number of the last flush
 * @joined: domain of another device, or NULL
 * @domain_link: in @joined
 * @stats: counters
 * @release: frees the adapter where sleeping is allowed
 * @grow: adds slots to @pool where sleeping is allowed
 * @goal: slots that it should have then
 */
struct ntdma_adapter {
	DMA_ADAPTER wdm;
	struct ntdma_handle handle;
	struct percpu_ref ref;
	struct ntdma_device *device;
	struct device *dev;
	struct module *owner;
	struct list_head link;
	enum ntdma_backend backend;
	u8 version;
	u8 width;
	bool sg;
	bool forced;
	bool checked;
	bool plain;
	bool merge;
	u64 mask;
	u32 max_seg;
	u64 boundary;
	u64 granule;
	bool counted;
	bool fallible;
	u32 alignment;
	u32 line;
	u32 nregs;
	u32 elements;
	u32 entry_size;
	struct ntdma_pool *pool;
	struct ntdma_engine *engine;
	struct ntdma_port *port;
	struct scatterlist *sgs;
	struct ntdma_regs *latest;
	struct ntdma_regs *kept;
	bool closed;
	bool silent;
	struct ntdma_channel *channel;
	struct ntdma_channel own;
	spinlock_t flush_lock;		/* see @flush_lock */
	u32 flushes;
	struct ntdma_domain *joined;
	struct list_head domain_link;
	struct ntdma_stats __percpu *stats;
	struct work_struct release;
	struct delayed_work grow;
	u32 goal;
};

/* Where there is a window for an adapter; never for a controller's channel. */
static inline struct ntdma_space *
ntdma_adapter_space(const struct ntdma_adapter *adapter)
{
	return adapter->engine ? NULL : adapter->device->space;
}

static inline struct ntdma_adapter *to_adapter(PDMA_ADAPTER wdm)
{
	return container_of(wdm, struct ntdma_adapter, wdm);
}

/**
 * ntdma_buffer_possible() - whether an MDL may be over a common buffer
 * @adapter: whose device asks
 * @mdl: one MDL
 *
 * Context: any.
 * Return: false when the device surely has no address for any of it.
 */
static inline bool ntdma_buffer_possible(const struct ntdma_adapter *adapter,
					 const MDL *mdl)
{
	return mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL &&
	       READ_ONCE(adapter->device->buffers.rb_node);
}

/**
 * ntdma_buffer_address() - the address of an MDL over a common buffer
 * @adapter: whose device asks
 * @mdl: one MDL
 * @done: offset in it
 * @addr: set to the address of that byte for the device
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: bytes from there that have consecutive addresses, 0 when the byte
 *	is in no common buffer of the device that the adapter reaches.
 */
static inline u32 ntdma_buffer_address(const struct ntdma_adapter *adapter,
				       const MDL *mdl, u32 done,
				       dma_addr_t *addr)
{
	return ntdma_buffer_possible(adapter, mdl) ?
	       ntdma_buffer_search(adapter, mdl, done, addr) : 0;
}

void ntdma_adapter_stats(struct ntdma_adapter *adapter,
			 struct ntdma_stats *sum);
unsigned int ntdma_adapter_silence(struct ntdma_adapter *adapter);
unsigned int ntdma_adapter_detach(struct ntdma_adapter *adapter);
bool ntdma_adapter_busy(struct ntdma_adapter *adapter);
extern const char *const ntdma_backend_names[];

/* main.c */

extern struct workqueue_struct *ntdma_wq;
extern struct workqueue_struct *ntdma_stop_wq;
extern struct workqueue_struct *ntdma_release_wq;
extern unsigned int ntdma_max_transfer;
extern unsigned int ntdma_pool_size;
extern bool ntdma_force_bounce;
bool ntdma_bounces_all(void);
extern bool ntdma_force_edges;

/* table.c */

PDMA_OPERATIONS ntdma_table(u8 version);

/* checked.c */

PDMA_OPERATIONS ntdma_checked_table(u8 version);
bool ntdma_checked_passive(struct ntdma_adapter *adapter);

/*
 * The routines of the table, by file. Each has the type of its slot in
 * DMA_OPERATIONS.
 */

/* adapter.c */
VOID ntdma_put_adapter(PDMA_ADAPTER wdm);

/* info.c */
ULONG ntdma_get_alignment(PDMA_ADAPTER wdm);
ULONG ntdma_read_counter(PDMA_ADAPTER wdm);
NTSTATUS ntdma_get_adapter_info(PDMA_ADAPTER wdm, PDMA_ADAPTER_INFO info);
NTSTATUS ntdma_get_transfer_info(PDMA_ADAPTER wdm, PMDL mdl, ULONGLONG offset,
				 ULONG length, BOOLEAN write_only,
				 PDMA_TRANSFER_INFO info);
NTSTATUS ntdma_configure_channel(PDMA_ADAPTER wdm, ULONG function,
				 PVOID argument);
NTSTATUS ntdma_cancel_transfer(PDMA_ADAPTER wdm, PVOID context);

/* channel.c */
NTSTATUS ntdma_init_context(PDMA_ADAPTER wdm, PVOID bytes);
BOOLEAN ntdma_cancel_channel(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			     PVOID bytes);

/* regs.c */
NTSTATUS ntdma_allocate_channel(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
				ULONG count, PDRIVER_CONTROL routine,
				PVOID client);
NTSTATUS ntdma_allocate_channel_ex(PDMA_ADAPTER wdm,
				   PDEVICE_OBJECT device_object, PVOID bytes,
				   ULONG count, ULONG flags,
				   PDRIVER_CONTROL routine, PVOID client,
				   PVOID *base);
VOID ntdma_free_channel(PDMA_ADAPTER wdm);
VOID ntdma_free_object(PDMA_ADAPTER wdm, IO_ALLOCATION_ACTION action);
VOID ntdma_free_registers(PDMA_ADAPTER wdm, PVOID base, ULONG count);

/* transfer.c */
PHYSICAL_ADDRESS ntdma_map_transfer(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
				    PVOID current_va, PULONG length,
				    BOOLEAN write);
NTSTATUS ntdma_map_transfer_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
			       ULONGLONG offset, ULONG device_offset,
			       PULONG length, BOOLEAN write,
			       PSCATTER_GATHER_LIST list, ULONG list_length,
			       PDMA_COMPLETION_ROUTINE completion,
			       PVOID client);
BOOLEAN ntdma_flush_buffers(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
			    PVOID current_va, ULONG length, BOOLEAN write);
NTSTATUS ntdma_flush_buffers_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
				ULONGLONG offset, ULONG length, BOOLEAN write);

/* sglist.c */
NTSTATUS ntdma_get_list(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			PMDL mdl, PVOID current_va, ULONG length,
			PDRIVER_LIST_CONTROL routine, PVOID client,
			BOOLEAN write);
NTSTATUS ntdma_build_list(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			  PMDL mdl, PVOID current_va, ULONG length,
			  PDRIVER_LIST_CONTROL routine, PVOID client,
			  BOOLEAN write, PVOID buffer, ULONG buffer_length);
NTSTATUS ntdma_get_list_ex(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			   PVOID bytes, PMDL mdl, ULONGLONG offset,
			   ULONG length, ULONG flags,
			   PDRIVER_LIST_CONTROL routine, PVOID client,
			   BOOLEAN write, PDMA_COMPLETION_ROUTINE completion,
			   PVOID completion_context,
			   PSCATTER_GATHER_LIST *out);
NTSTATUS ntdma_build_list_ex(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			     PVOID bytes, PMDL mdl, ULONGLONG offset,
			     ULONG length, ULONG flags,
			     PDRIVER_LIST_CONTROL routine, PVOID client,
			     BOOLEAN write, PVOID buffer, ULONG buffer_length,
			     PDMA_COMPLETION_ROUTINE completion,
			     PVOID completion_context, PVOID out);
VOID ntdma_put_list(PDMA_ADAPTER wdm, PSCATTER_GATHER_LIST list,
		    BOOLEAN write);
NTSTATUS ntdma_calculate_list(PDMA_ADAPTER wdm, PMDL mdl, PVOID current_va,
			      ULONG length, PULONG size, PULONG registers);
NTSTATUS ntdma_build_mdl(PDMA_ADAPTER wdm, PSCATTER_GATHER_LIST list,
			 PMDL original, PMDL *target);

/* common.c */
PVOID ntdma_alloc_buffer(PDMA_ADAPTER wdm, ULONG length,
			 PPHYSICAL_ADDRESS logical, BOOLEAN cached);
PVOID ntdma_alloc_buffer_ex(PDMA_ADAPTER wdm, PPHYSICAL_ADDRESS maximum,
			    ULONG length, PPHYSICAL_ADDRESS logical,
			    BOOLEAN cached, NODE_REQUIREMENT node);
PVOID ntdma_alloc_buffer_bounds(PDMA_ADAPTER wdm, PPHYSICAL_ADDRESS minimum,
				PPHYSICAL_ADDRESS maximum, ULONG length,
				ULONG flags, MEMORY_CACHING_TYPE *type,
				NODE_REQUIREMENT node,
				PPHYSICAL_ADDRESS logical);
NTSTATUS ntdma_alloc_domain_buffer(PDMA_ADAPTER wdm, HANDLE domain,
				   PPHYSICAL_ADDRESS maximum, ULONG length,
				   ULONG flags, MEMORY_CACHING_TYPE *type,
				   NODE_REQUIREMENT node,
				   PPHYSICAL_ADDRESS logical, PVOID *va);
VOID ntdma_free_buffer(PDMA_ADAPTER wdm, ULONG length,
		       PHYSICAL_ADDRESS logical, PVOID va, BOOLEAN cached);

/* vector.c */
NTSTATUS ntdma_alloc_vector(PDMA_ADAPTER wdm, PHYSICAL_ADDRESS low,
			    PHYSICAL_ADDRESS high, MEMORY_CACHING_TYPE type,
			    NODE_REQUIREMENT node, ULONG flags, ULONG count,
			    ULONGLONG size, PDMA_COMMON_BUFFER_VECTOR *out);
VOID ntdma_vector_element(PDMA_ADAPTER wdm, PDMA_COMMON_BUFFER_VECTOR opaque,
			  ULONG index, PVOID *va, PPHYSICAL_ADDRESS logical);
VOID ntdma_free_element(PDMA_ADAPTER wdm, PDMA_COMMON_BUFFER_VECTOR opaque,
			ULONG index);
VOID ntdma_free_vector(PDMA_ADAPTER wdm, PDMA_COMMON_BUFFER_VECTOR opaque);

/* lent.c */
NTSTATUS ntdma_lend_mdl(PDMA_ADAPTER wdm, PMDL mdl,
			PDMA_COMMON_BUFFER_EXTENDED_CONFIGURATION configs,
			ULONG count, PPHYSICAL_ADDRESS logical);

/* domain.c */
HANDLE ntdma_get_domain(PDMA_ADAPTER wdm);
NTSTATUS ntdma_join_domain(PDMA_ADAPTER wdm, HANDLE domain);
NTSTATUS ntdma_leave_domain(PDMA_ADAPTER wdm);

/* flush.c */
NTSTATUS ntdma_flush_dma(PDMA_ADAPTER wdm, PMDL mdl, BOOLEAN read);

#endif /* NTDMA_H */
