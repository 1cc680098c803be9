// SPDX-License-Identifier: GPL-2.0
/*
 * Scatter/gather lists.
 *
 * Model: a list is one block of memory: the SCATTER_GATHER_LIST that the
 * client sees, its elements, and behind them struct ntdma_list with the
 * entries of its map. The routines that tell a size tell that of the whole
 * block, so the Build routines allocate nothing; the Get routines allocate
 * the same block. The SCATTER_GATHER_LIST is always at the client's first
 * byte, at any alignment.
 *
 * A list belongs to the client from the grant until PutScatterGatherList,
 * which finds it in the table of live objects by its address; what the
 * client wrote into it meanwhile does not matter.
 */
#include "ntdma.h"

#define NTDMA_LIST_GUARD	0x6c6973746e64616dULL
#define NTDMA_LIST_GUARDS	4	/* words, more than an element */

/**
 * struct ntdma_list - what is behind a list
 * @guard: overwritten first by a client that writes elements too many
 * @handle: found by @sgl
 * @request: for the channel
 * @map: the mapping
 * @sgl: what the client gets
 * @mdl: first MDL of the chain
 * @offset: chain offset of the first byte
 * @length: in bytes
 * @routine: the client's, or NULL
 * @out: where the client wants @sgl, or NULL
 * @block: memory to free with the list, NULL when it is the client's
 * @target: MDLs of BuildMdlFromScatterGatherList, or the client's own
 * @own_target: @target is to be freed
 */
struct ntdma_list {
	u64 guard[NTDMA_LIST_GUARDS];
	struct ntdma_handle handle;
	struct ntdma_request request;
	struct ntdma_map map;
	PSCATTER_GATHER_LIST sgl;
	PMDL mdl;
	u64 offset;
	u32 length;
	PDRIVER_LIST_CONTROL routine;
	PSCATTER_GATHER_LIST *out;
	void *block;
	PMDL target;
	bool own_target;
};

/**
 * struct ntdma_list_order - what the four routines that make lists ask for
 * @adapter: the adapter
 * @device_object: for the routine
 * @mdl: first MDL
 * @offset: chain offset
 * @length: in bytes
 * @routine: the client's, or NULL
 * @client: its argument
 * @write: memory to device
 * @buffer: the client's block, or NULL
 * @size: bytes of it
 * @context: transfer context, or NULL
 * @out: where the client wants the list, or NULL
 * @sync: no waiting
 */
struct ntdma_list_order {
	struct ntdma_adapter *adapter;
	PDEVICE_OBJECT device_object;
	PMDL mdl;
	u64 offset;
	u32 length;
	PDRIVER_LIST_CONTROL routine;
	void *client;
	bool write;
	void *buffer;
	u32 size;
	struct ntdma_context *context;
	PSCATTER_GATHER_LIST *out;
	bool sync;
};

static_assert(sizeof(u64[NTDMA_LIST_GUARDS]) >=
	      sizeof(SCATTER_GATHER_ELEMENT));

static bool ntdma_list_intact(const struct ntdma_list *list)
{
	u32 i;

	for (i = 0; i < NTDMA_LIST_GUARDS; i++)
		if (list->guard[i] != NTDMA_LIST_GUARD)
			return false;
	return true;
}

/* Bytes of a list of @pages pages that are the client's to read. */
static size_t ntdma_list_public(const struct ntdma_adapter *adapter, u32 pages)
{
	return offsetof(SCATTER_GATHER_LIST, Elements) +
	       sizeof(SCATTER_GATHER_ELEMENT) *
	       (size_t)(adapter->sg ? pages : 1);
}

/**
 * ntdma_list_size() - size of the block of a list
 * @adapter: the adapter
 * @pages: that the list maps, counted once per MDL
 *
 * Context: any.
 * Return: bytes, enough at any alignment.
 */
size_t ntdma_list_size(const struct ntdma_adapter *adapter, u32 pages)
{
	return ntdma_list_public(adapter, pages) +
	       __alignof__(struct ntdma_list) - 1 + sizeof(struct ntdma_list) +
	       (size_t)pages * adapter->entry_size;
}

/**
 * ntdma_list_map() - what is mapped under a list
 * @handle: of a live list
 *
 * Context: any.
 * Return: its map.
 */
struct ntdma_map *ntdma_list_map(struct ntdma_handle *handle)
{
	return &container_of(handle, struct ntdma_list, handle)->map;
}

static void ntdma_list_free(struct ntdma_list *list)
{
	struct ntdma_adapter *adapter = list->map.adapter;

	ntdma_free(list->block);
	percpu_ref_put(&adapter->ref);
}

static void ntdma_list_abandon(struct ntdma_request *request)
{
	ntdma_list_free(container_of(request, struct ntdma_list, request));
}

/* Maps and hands over; the list may be gone when this returns. */
static NTSTATUS ntdma_list_start(struct ntdma_request *request)
{
	struct ntdma_list *list = container_of(request, struct ntdma_list,
					       request);
	struct ntdma_adapter *adapter = request->adapter;
	u32 length = list->length;
	int ret;

	list->map.area = request->area;
	list->map.slots = request->slots;
	ret = ntdma_map_chain(&list->map, list->mdl, list->offset,
			      list->offset, &length, U32_MAX);
	if (ret)
		return ret == -ENOMEM ? STATUS_INSUFFICIENT_RESOURCES :
					STATUS_NONE_MAPPED;

	ntdma_map_elements(&list->map, list->sgl);
	this_cpu_inc(adapter->stats->lists);
	ntdma_handle_add(&list->handle, NTDMA_LIST, list->sgl, adapter);
	if (list->out)
		*list->out = list->sgl;
	if (READ_ONCE(adapter->channel->trying) == request)
		ntdma_channel_tried(request);
	if (list->routine)
		list->routine(request->device_object, request->irp, list->sgl,
			      request->client);
	return STATUS_SUCCESS;
}

static struct ntdma_list *
ntdma_list_init(const struct ntdma_list_order *order, void *buffer, u32 pages)
{
	struct ntdma_adapter *adapter = order->adapter;
	struct ntdma_list *list;

	list = PTR_ALIGN(buffer + ntdma_list_public(adapter, pages),
			 __alignof__(struct ntdma_list));
	memset(list, 0, sizeof(*list));
	memset64(list->guard, NTDMA_LIST_GUARD, NTDMA_LIST_GUARDS);
	ntdma_map_init(&list->map, adapter, list + 1, pages);
	list->map.dir = order->write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	list->sgl = buffer;
	list->mdl = order->mdl;
	list->offset = order->offset;
	list->length = order->length;
	list->routine = order->routine;
	list->out = order->out;
	list->request = (struct ntdma_request) {
		.adapter = adapter,
		.context = order->context,
		.slots = ntdma_map_slots(&list->map, order->mdl,
					 order->offset, order->length),
		.exclusive = !order->routine,
		.maps = true,
		.start = ntdma_list_start,
		.abandon = ntdma_list_abandon,
		.device_object = order->device_object,
		.irp = order->device_object ?
		       order->device_object->CurrentIrp : NULL,
		.client = order->client,
	};
	put_unaligned(0, &list->sgl->NumberOfElements);
	put_unaligned(0, &list->sgl->Reserved);
	percpu_ref_get(&adapter->ref);
	return list;
}

/*
 * Makes a list for a part that the chain has. A failure that nothing can
 * mend is reported like a lack of memory: clients then copy by themselves.
 */
static NTSTATUS ntdma_list_make(const struct ntdma_list_order *order)
{
	u32 pages = ntdma_chain_span(order->mdl, order->offset, order->length);
	size_t size = ntdma_list_size(order->adapter, pages);
	void *block = NULL, *buffer = order->buffer;
	struct ntdma_list *list;
	NTSTATUS status;

	if (order->adapter->engine || !ntdma_chain_ready(order->mdl))
		return STATUS_INVALID_PARAMETER;
	if (pages > order->adapter->nregs)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (buffer && order->size < size)
		return STATUS_BUFFER_TOO_SMALL;
	if (!buffer)
		block = ntdma_alloc(size, GFP_ATOMIC);
	buffer = buffer ?: block;
	if (!buffer)
		return STATUS_INSUFFICIENT_RESOURCES;

	list = ntdma_list_init(order, buffer, pages);
	list->block = block;
	status = ntdma_channel_submit(&list->request, !order->sync);
	if (status)
		ntdma_list_free(list);
	return status == STATUS_NONE_MAPPED ? STATUS_INSUFFICIENT_RESOURCES :
					      status;
}

/* Version 1 and 2: the first byte is an address in the first MDL. */
static NTSTATUS ntdma_list_locate(PMDL mdl, PVOID current_va, ULONG length,
				  u64 *offset)
{
	uintptr_t skip;

	if (!mdl || !length)
		return STATUS_INVALID_PARAMETER;
	skip = (uintptr_t)current_va - (uintptr_t)MmGetMdlVirtualAddress(mdl);
	if (skip >= mdl->ByteCount)
		return STATUS_INVALID_PARAMETER;
	if (length > ntdma_chain_length(mdl) - skip)
		return STATUS_BUFFER_TOO_SMALL;
	*offset = skip;
	return STATUS_SUCCESS;
}

static NTSTATUS ntdma_list_make_at(struct ntdma_list_order *order,
				   PVOID current_va)
{
	NTSTATUS status;

	if (!order->routine)
		return STATUS_INVALID_PARAMETER;
	status = ntdma_list_locate(order->mdl, current_va, order->length,
				   &order->offset);
	return status ? status : ntdma_list_make(order);
}

/**
 * ntdma_get_list() - GetScatterGatherList
 * @wdm: the adapter
 * @device_object: passed on, with its CurrentIrp of now
 * @mdl: first MDL of a chain
 * @current_va: address of the first byte, in the first MDL
 * @length: in bytes, at least 1
 * @routine: gets the list
 * @client: its argument
 * @write: TRUE for memory to device
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. @routine runs at
 *	DISPATCH_LEVEL, before the return when nothing is in the way.
 * Return: STATUS_SUCCESS when @routine ran or will run;
 *	STATUS_INSUFFICIENT_RESOURCES when there is no memory or the part
 *	needs more registers than granted (EC-133);
 *	STATUS_BUFFER_TOO_SMALL when the chain is shorter (EC-134);
 *	STATUS_INVALID_PARAMETER for a missing argument, an address outside
 *	the first MDL, an MDL without page frames, and system DMA, which has
 *	no use for lists.
 */
NTSTATUS ntdma_get_list(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			PMDL mdl, PVOID current_va, ULONG length,
			PDRIVER_LIST_CONTROL routine, PVOID client,
			BOOLEAN write)
{
	struct ntdma_list_order order = {
		.adapter = to_adapter(wdm),
		.device_object = device_object,
		.mdl = mdl,
		.length = length,
		.routine = routine,
		.client = client,
		.write = write,
	};

	ntdma_verify_level(order.adapter);
	return ntdma_list_make_at(&order, current_va);
}

/**
 * ntdma_build_list() - BuildScatterGatherList
 * @wdm: the adapter
 * @device_object: passed on, with its CurrentIrp of now
 * @mdl: first MDL of a chain
 * @current_va: address of the first byte, in the first MDL
 * @length: in bytes, at least 1
 * @routine: gets the list, which is at @buffer (EC-138)
 * @client: its argument
 * @write: TRUE for memory to device
 * @buffer: memory for the list, the adapter's until PutScatterGatherList
 * @buffer_length: as CalculateScatterGatherList says, or more
 *
 * Allocates nothing (EC-139).
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. @routine runs at
 *	DISPATCH_LEVEL, before the return when nothing is in the way.
 * Return: as GetScatterGatherList, and STATUS_BUFFER_TOO_SMALL when @buffer
 *	is too short (EC-137).
 */
NTSTATUS ntdma_build_list(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			  PMDL mdl, PVOID current_va, ULONG length,
			  PDRIVER_LIST_CONTROL routine, PVOID client,
			  BOOLEAN write, PVOID buffer, ULONG buffer_length)
{
	struct ntdma_list_order order = {
		.adapter = to_adapter(wdm),
		.device_object = device_object,
		.mdl = mdl,
		.length = length,
		.routine = routine,
		.client = client,
		.write = write,
		.buffer = buffer,
		.size = buffer_length,
	};

	ntdma_verify_level(order.adapter);
	return buffer ? ntdma_list_make_at(&order, current_va) :
			STATUS_INVALID_PARAMETER;
}

/* What the Ex forms check before anything else. */
static NTSTATUS ntdma_list_make_ex(struct ntdma_list_order *order,
				   PVOID bytes, ULONG flags)
{
	u64 total = ntdma_chain_length(order->mdl);

	order->sync = flags & DMA_SYNCHRONOUS_CALLBACK;
	order->context = ntdma_context_of(order->adapter, bytes);
	if (!order->context || !order->length || order->offset >= total ||
	    order->length > total - order->offset)
		return STATUS_INVALID_PARAMETER;
	if (!order->routine && (!order->sync || !order->out))
		return STATUS_INVALID_PARAMETER;
	return ntdma_list_make(order);
}

/**
 * ntdma_get_list_ex() - GetScatterGatherListEx
 * @wdm: the adapter
 * @device_object: passed on, with its CurrentIrp of now
 * @bytes: initialised transfer context
 * @mdl: first MDL of a chain
 * @offset: chain offset of the first byte
 * @length: in bytes, 1 to the rest of the chain
 * @flags: DMA_SYNCHRONOUS_CALLBACK for no waiting; others are ignored
 * @routine: gets the list; NULL only with the flag and @out
 * @client: its argument
 * @write: TRUE for memory to device
 * @completion: not used
 * @completion_context: not used
 * @out: set to the list before @routine runs, or NULL
 *
 * Without @routine the channel is held until FreeAdapterObject (S14); with it
 * the channel is free when @routine returns. List and registers are kept until
 * PutScatterGatherList either way (EC-136, EC-150).
 *
 * Context: <= DISPATCH_LEVEL. @routine runs at DISPATCH_LEVEL, before the
 *	return when nothing is in the way, and always so with the flag.
 * Return: STATUS_SUCCESS when the list is there or will be;
 *	STATUS_INSUFFICIENT_RESOURCES for no memory, too many registers, or,
 *	with the flag, resources in use (EC-148); STATUS_CANCELLED when the
 *	context was marked; STATUS_INVALID_PARAMETER for arguments that do
 *	not fit each other (EC-146, EC-147) or the chain (EC-149), and for
 *	system DMA.
 */
NTSTATUS ntdma_get_list_ex(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			   PVOID bytes, PMDL mdl, ULONGLONG offset,
			   ULONG length, ULONG flags,
			   PDRIVER_LIST_CONTROL routine, PVOID client,
			   BOOLEAN write, PDMA_COMPLETION_ROUTINE completion,
			   PVOID completion_context, PSCATTER_GATHER_LIST *out)
{
	struct ntdma_list_order order = {
		.adapter = to_adapter(wdm),
		.device_object = device_object,
		.mdl = mdl,
		.offset = offset,
		.length = length,
		.routine = routine,
		.client = client,
		.write = write,
		.out = out,
	};

	return ntdma_list_make_ex(&order, bytes, flags);
}

/**
 * ntdma_build_list_ex() - BuildScatterGatherListEx
 * @wdm: the adapter
 * @device_object: passed on, with its CurrentIrp of now
 * @bytes: initialised transfer context
 * @mdl: first MDL of a chain
 * @offset: chain offset of the first byte
 * @length: in bytes, 1 to the rest of the chain
 * @flags: DMA_SYNCHRONOUS_CALLBACK for no waiting; others are ignored
 * @routine: gets the list; NULL only with the flag and @out
 * @client: its argument
 * @write: TRUE for memory to device
 * @buffer: memory for the list, the adapter's until PutScatterGatherList
 * @buffer_length: as GetDmaTransferInfo says, or more (EC-36)
 * @completion: not used
 * @completion_context: not used
 * @out: a PSCATTER_GATHER_LIST, set to @buffer (EC-151), or NULL
 *
 * Allocates nothing.
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. @routine runs as for
 *	GetScatterGatherListEx.
 * Return: as GetScatterGatherListEx, and STATUS_BUFFER_TOO_SMALL when
 *	@buffer is too short (EC-152).
 */
NTSTATUS ntdma_build_list_ex(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			     PVOID bytes, PMDL mdl, ULONGLONG offset,
			     ULONG length, ULONG flags,
			     PDRIVER_LIST_CONTROL routine, PVOID client,
			     BOOLEAN write, PVOID buffer, ULONG buffer_length,
			     PDMA_COMPLETION_ROUTINE completion,
			     PVOID completion_context, PVOID out)
{
	struct ntdma_list_order order = {
		.adapter = to_adapter(wdm),
		.device_object = device_object,
		.mdl = mdl,
		.offset = offset,
		.length = length,
		.routine = routine,
		.client = client,
		.write = write,
		.buffer = buffer,
		.size = buffer_length,
		.out = out,
	};

	ntdma_verify_level(order.adapter);
	return buffer ? ntdma_list_make_ex(&order, bytes, flags) :
			STATUS_INVALID_PARAMETER;
}

static void ntdma_target_free(PMDL mdl)
{
	PMDL next;

	for (; mdl; mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
}

static void ntdma_list_end(struct ntdma_list *list, bool finish)
{
	struct ntdma_adapter *adapter = list->map.adapter;

	if (list->own_target)
		ntdma_target_free(list->target);
	if (finish)
		ntdma_map_finish(&list->map);
	else
		ntdma_map_drop(&list->map);
	ntdma_channel_release(adapter,
			      list->request.exclusive ? &list->request : NULL,
			      list->map.area, list->request.slots);
	ntdma_list_free(list);
}

/**
 * ntdma_list_forget() - unmap a list that its client lost
 * @handle: out of the table of live objects
 *
 * Context: <= DISPATCH_LEVEL.
 */
void ntdma_list_forget(struct ntdma_handle *handle)
{
	ntdma_list_end(container_of(handle, struct ntdma_list, handle), false);
}

/**
 * ntdma_put_list() - PutScatterGatherList
 * @wdm: the adapter that made it
 * @sgl: the list
 * @write: not used, the list knows its direction
 *
 * Makes what the device wrote visible, unmaps, and frees the list if the
 * adapter allocated it (EC-154). Lists may be put in any order (EC-156). The
 * client's MDL is not touched (EC-155). What is no live list of this adapter
 * is refused.
 *
 * Context: DISPATCH_LEVEL, lower is tolerated. Waiters may be granted before
 *	the return.
 */
VOID ntdma_put_list(PDMA_ADAPTER wdm, PSCATTER_GATHER_LIST sgl, BOOLEAN write)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	struct ntdma_handle *handle = ntdma_handle_take(NTDMA_LIST, sgl,
							adapter);
	struct ntdma_list *list;

	ntdma_verify_level(adapter);
	if (!handle) {
		ntdma_misuse(adapter, NTDMA_RULE_FREED_LIST);
		return;
	}
	list = container_of(handle, struct ntdma_list, handle);
	if (!ntdma_list_intact(list))
		ntdma_misuse(adapter, NTDMA_RULE_OVERRUN);
	ntdma_list_end(list, true);
}

/**
 * ntdma_calculate_list() - CalculateScatterGatherList
 * @wdm: the adapter
 * @mdl: first MDL of a chain, or NULL for any memory
 * @current_va: address of the first byte; without @mdl its page offset counts
 * @length: in bytes
 * @size: set to the size of a buffer for BuildScatterGatherList(Ex)
 * @registers: set to the number of registers, or NULL (EC-142)
 *
 * Without @mdl the answer is for the worst memory: no list of that offset
 * and length, or less, is larger.
 *
 * Context: any, interrupts may be off (EC-145).
 * Return: STATUS_SUCCESS; STATUS_INSUFFICIENT_RESOURCES when more registers
 *	are needed than granted (EC-143); STATUS_BUFFER_TOO_SMALL when the
 *	chain is shorter (EC-144); STATUS_INVALID_PARAMETER for a missing
 *	@size or an address outside the first MDL.
 */
NTSTATUS ntdma_calculate_list(PDMA_ADAPTER wdm, PMDL mdl, PVOID current_va,
			      ULONG length, PULONG size, PULONG registers)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);
	u64 offset, pages;
	NTSTATUS status;

	if (!size || !length)
		return STATUS_INVALID_PARAMETER;
	if (mdl) {
		status = ntdma_list_locate(mdl, current_va, length, &offset);
		if (status)
			return status;
		pages = ntdma_chain_span(mdl, offset, length);
	} else {
		pages = ntdma_span(offset_in_page(current_va), length);
	}
	if (pages > adapter->nregs)
		return STATUS_INSUFFICIENT_RESOURCES;
	*size = ntdma_list_size(adapter, pages);
	if (registers)
		*registers = pages;
	return STATUS_SUCCESS;
}

/* An MDL of @length bytes from @offset in its first page, without frames. */
static PMDL ntdma_target_mdl(u32 offset, u32 length)
{
	PMDL mdl = NULL;

	if (!ntdma_fail_alloc())
		mdl = IoAllocateMdl((PVOID)(uintptr_t)offset_in_page(offset),
				    length, FALSE, FALSE, NULL);
	if (mdl)
		mdl->MdlFlags |= MDL_PARTIAL;
	return mdl;
}

/* The frames of the part of @source that starts @done bytes in. */
static void ntdma_target_frames(PMDL target, const MDL *source, u32 done)
{
	u32 pages = ntdma_span(target->ByteOffset, target->ByteCount);
	u32 first = ((u64)source->ByteOffset + done) >> PAGE_SHIFT;

	memcpy(MmGetMdlPfnArray(target), MmGetMdlPfnArray((PMDL)source) + first,
	       pages * sizeof(PFN_NUMBER));
}

/* Puts the copies of bounced pages in, for bytes from @pos of the chain. */
static void ntdma_target_bounced(const struct ntdma_list *list, PMDL target,
				 u64 pos)
{
	const struct ntdma_pool *pool = list->map.adapter->pool;
	PFN_NUMBER *pfns = MmGetMdlPfnArray(target);
	const struct ntdma_run *run = list->map.runs;
	const struct ntdma_run *end = run + list->map.count;

	for (; run < end; run++)
		if (run->at < NTDMA_KNOWN && run->pos >= pos &&
		    run->pos < pos + target->ByteCount)
			pfns[(target->ByteOffset + run->pos - pos) >>
			     PAGE_SHIFT] = ntdma_pool_pfn(pool, run->at);
}

/* What was copied to one area is one MDL, whatever it was before. */
static PMDL ntdma_target_area(const struct ntdma_list *list)
{
	const struct ntdma_pool *pool = list->map.adapter->pool;
	u32 i, at = list->map.runs[0].at;
	PMDL mdl = ntdma_target_mdl(at, list->length);

	if (!mdl)
		return NULL;
	for (i = 0; i < ntdma_span(mdl->ByteOffset, mdl->ByteCount); i++)
		MmGetMdlPfnArray(mdl)[i] = ntdma_pool_pfn(pool, at) + i;
	return mdl;
}

/* An MDL for each one of the client's that the list touches. */
static PMDL ntdma_target_chain(const struct ntdma_list *list)
{
	u64 pos = list->offset, end = pos + list->length;
	PMDL first = NULL, *link = &first;
	const MDL *mdl;
	u32 done, part;

	for (mdl = ntdma_chain_seek(list->mdl, pos, &done); pos < end;
	     mdl = mdl->Next, done = 0, pos += part) {
		part = min_t(u64, end - pos, mdl->ByteCount - done);
		if (!part)
			continue;
		*link = ntdma_target_mdl(mdl->ByteOffset + done, part);
		if (!*link) {
			ntdma_target_free(first);
			return NULL;
		}
		ntdma_target_frames(*link, mdl, done);
		ntdma_target_bounced(list, *link, pos);
		link = &(*link)->Next;
	}
	return first;
}

static NTSTATUS ntdma_target_build(struct ntdma_list *list)
{
	bool bounced = ntdma_map_bounced(&list->map);

	if (bounced && list->map.adapter->pool->contiguous)
		list->target = ntdma_target_area(list);
	else
		list->target = ntdma_target_chain(list);
	list->own_target = list->target;
	return list->target ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Whether the client's MDL already describes what the device accesses. */
static bool ntdma_target_same(const struct ntdma_list *list, PMDL original)
{
	return original == list->mdl && !list->offset &&
	       list->length == ntdma_chain_length(original) &&
	       !ntdma_map_bounced(&list->map);
}

/**
 * ntdma_build_mdl() - BuildMdlFromScatterGatherList
 * @wdm: the adapter that made the list
 * @sgl: the list
 * @original: the MDL that the list was made of
 * @target: set to MDLs over the memory that the device accesses
 *
 * When no page is bounced and the list covers all of @original, that is the
 * result (EC-159). Otherwise the result is new, one MDL for each of the
 * client's that the list touches. It belongs to the list and ends with it.
 *
 * Context: <= DISPATCH_LEVEL.
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER for a missing argument
 *	(EC-157) or what is no list of this adapter; STATUS_NONE_MAPPED for
 *	the second call on a list (EC-158); STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ntdma_build_mdl(PDMA_ADAPTER wdm, PSCATTER_GATHER_LIST sgl,
			 PMDL original, PMDL *target)
{
	struct ntdma_handle *handle;
	struct ntdma_list *list;
	NTSTATUS status;

	if (!original || !target)
		return STATUS_INVALID_PARAMETER;
	handle = ntdma_handle_find(NTDMA_LIST, sgl, to_adapter(wdm));
	if (!handle)
		return STATUS_INVALID_PARAMETER;
	list = container_of(handle, struct ntdma_list, handle);
	if (list->target)
		return STATUS_NONE_MAPPED;
	if (ntdma_target_same(list, original)) {
		list->target = original;
	} else {
		status = ntdma_target_build(list);
		if (status)
			return status;
	}
	*target = list->target;
	return STATUS_SUCCESS;
}
