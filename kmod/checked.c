// SPDX-License-Identifier: GPL-2.0
/*
 * The operations tables of verify mode.
 *
 * Each routine looks first at what a client may get wrong in any call: that
 * there is an adapter, that it was not put, and the IRQL. Some look at more.
 * Adapters that are made in verify mode get these tables.
 *
 * A call goes on after the report, but for what would harm the kernel: with no
 * adapter, with one of which nothing is left, and with one that would sleep
 * where it must not. Those are refused.
 *
 * DISPATCH_LEVEL where a routine asks for it is looked at by that routine.
 */
#include "ntdma.h"
#include "regs.h"
#include "table.h"

static bool checked_given(PDMA_ADAPTER wdm)
{
	if (wdm)
		return true;
	ntdma_misuse(NULL, NTDMA_RULE_NO_ADAPTER);
	return false;
}

/* Whether something that an adapter made is alive, and so the adapter. */
static bool checked_remains(struct ntdma_adapter *adapter)
{
	static const enum ntdma_kind kinds[] = {
		NTDMA_REGS, NTDMA_LIST, NTDMA_BUFFER, NTDMA_VECTOR, NTDMA_LENT,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (ntdma_handle_count(adapter, kinds[i]))
			return true;
	return false;
}

/* What is left of an adapter that was put can be given back (EC-22). */
static bool checked_alive(PDMA_ADAPTER wdm)
{
	struct ntdma_adapter *adapter = to_adapter(wdm);

	if (!checked_given(wdm))
		return false;
	if (ntdma_handle_find(NTDMA_ADAPTER, adapter, adapter))
		return true;
	ntdma_misuse(NULL, NTDMA_RULE_DEAD_ADAPTER);
	return checked_remains(adapter);
}

/* The table cannot be looked at where a spin lock sleeps (EC-145). */
static bool checked_any_level(PDMA_ADAPTER wdm)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && irqs_disabled())
		return checked_given(wdm);
	return checked_alive(wdm);
}

/* Nothing can be done about a level that is too high. */
static void checked_level(struct ntdma_adapter *adapter)
{
	if (KeGetCurrentIrql() > DISPATCH_LEVEL)
		ntdma_notice(adapter, NTDMA_RULE_IRQL);
}

static bool checked_call(PDMA_ADAPTER wdm)
{
	bool alive = checked_alive(wdm);

	if (alive)
		checked_level(to_adapter(wdm));
	return alive;
}

/**
 * ntdma_checked_passive() - check that a routine runs at PASSIVE_LEVEL
 * @adapter: the adapter, NULL for none yet
 *
 * Context: any.
 * Return: false when it does not, which is reported as refused.
 */
bool ntdma_checked_passive(struct ntdma_adapter *adapter)
{
	if (KeGetCurrentIrql() == PASSIVE_LEVEL)
		return true;
	ntdma_misuse(adapter, NTDMA_RULE_IRQL);
	return false;
}

static bool checked_passive(PDMA_ADAPTER wdm)
{
	return checked_alive(wdm) && ntdma_checked_passive(to_adapter(wdm));
}

static void checked_count(struct ntdma_adapter *adapter, ULONG count)
{
	if (count > adapter->nregs)
		ntdma_notice(adapter, NTDMA_RULE_REGISTERS);
}

static const struct ntdma_map *checked_map(struct ntdma_adapter *adapter,
					   PVOID base)
{
	struct ntdma_handle *handle = ntdma_handle_find(NTDMA_REGS, base,
							adapter);

	return handle ? &container_of(handle, struct ntdma_regs, handle)->map :
			NULL;
}

/* The registers that are left must take all of a MapTransfer. */
static void checked_room(struct ntdma_adapter *adapter, PVOID base,
			 PVOID current_va, ULONG length)
{
	const struct ntdma_map *map = checked_map(adapter, base);

	if (map && map->pages + ntdma_span(offset_in_page(current_va), length) >
		   map->room)
		ntdma_notice(adapter, NTDMA_RULE_TOO_LONG);
}

static void checked_part(struct ntdma_adapter *adapter, PMDL mdl, u64 offset,
			 ULONG length)
{
	u64 total = ntdma_chain_length(mdl);

	if (mdl && length && (offset >= total || length > total - offset))
		ntdma_notice(adapter, NTDMA_RULE_OUTSIDE_CHAIN);
}

/* The same for those who know the first byte by its address. */
static void checked_part_at(struct ntdma_adapter *adapter, PMDL mdl,
			    PVOID current_va, ULONG length)
{
	if (mdl)
		checked_part(adapter, mdl, (uintptr_t)current_va -
			     (uintptr_t)MmGetMdlVirtualAddress(mdl), length);
}

/* MapTransfer knows one MDL, and refuses to begin outside. */
static void checked_rest(struct ntdma_adapter *adapter, PMDL mdl,
			 PVOID current_va, ULONG length)
{
	uintptr_t skip = (uintptr_t)current_va -
			 (uintptr_t)MmGetMdlVirtualAddress(mdl);

	if (skip < mdl->ByteCount && length > mdl->ByteCount - skip)
		ntdma_notice(adapter, NTDMA_RULE_OUTSIDE_CHAIN);
}

/* A run that is mapped must be flushed before any of it is mapped again. */
static void checked_again(struct ntdma_adapter *adapter, PMDL mdl, PVOID base,
			  PVOID current_va, ULONG length)
{
	const struct ntdma_map *map = checked_map(adapter, base);

	if (map && !adapter->engine && ntdma_map_is_of(map, mdl) &&
	    ntdma_map_has(map, (uintptr_t)current_va, length))
		ntdma_notice(adapter, NTDMA_RULE_MAPPED_TWICE);
}

static void checked_flush(struct ntdma_adapter *adapter, PVOID base,
			  ULONG length)
{
	const struct ntdma_map *map = checked_map(adapter, base);

	if (map && !ntdma_map_empty(map) && length > ntdma_map_bytes(map))
		ntdma_notice(adapter, NTDMA_RULE_TOO_LONG);
}

static VOID checked_put_adapter(PDMA_ADAPTER wdm)
{
	if (!checked_given(wdm))
		return;
	checked_level(NULL);
	ntdma_put_adapter(wdm);
}

/* Sleeps nowhere: a wrong level is a word to the client only. */
static ULONG checked_get_alignment(PDMA_ADAPTER wdm)
{
	if (!checked_alive(wdm))
		return 1;
	if (KeGetCurrentIrql() != PASSIVE_LEVEL)
		ntdma_notice(to_adapter(wdm), NTDMA_RULE_IRQL);
	return ntdma_get_alignment(wdm);
}

static ULONG checked_read_counter(PDMA_ADAPTER wdm)
{
	if (!checked_call(wdm))
		return 0;
	return ntdma_read_counter(wdm);
}

static NTSTATUS checked_get_adapter_info(PDMA_ADAPTER wdm,
					 PDMA_ADAPTER_INFO info)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_get_adapter_info(wdm, info);
}

static NTSTATUS checked_get_transfer_info(PDMA_ADAPTER wdm, PMDL mdl,
					  ULONGLONG offset, ULONG length,
					  BOOLEAN write_only,
					  PDMA_TRANSFER_INFO info)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	checked_part(to_adapter(wdm), mdl, offset, length);
	return ntdma_get_transfer_info(wdm, mdl, offset, length, write_only,
				       info);
}

static NTSTATUS checked_configure_channel(PDMA_ADAPTER wdm, ULONG function,
					  PVOID argument)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_configure_channel(wdm, function, argument);
}

static NTSTATUS checked_cancel_transfer(PDMA_ADAPTER wdm, PVOID context)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_cancel_transfer(wdm, context);
}

static NTSTATUS checked_init_context(PDMA_ADAPTER wdm, PVOID bytes)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_init_context(wdm, bytes);
}

static BOOLEAN checked_cancel_channel(PDMA_ADAPTER wdm,
				      PDEVICE_OBJECT device_object, PVOID bytes)
{
	if (!checked_call(wdm))
		return FALSE;
	return ntdma_cancel_channel(wdm, device_object, bytes);
}

static NTSTATUS checked_allocate_channel(PDMA_ADAPTER wdm,
					 PDEVICE_OBJECT device_object,
					 ULONG count, PDRIVER_CONTROL routine,
					 PVOID client)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	checked_count(to_adapter(wdm), count);
	if (device_object && ntdma_channel_waits(to_adapter(wdm), device_object))
		ntdma_notice(to_adapter(wdm), NTDMA_RULE_CHANNELS);
	return ntdma_allocate_channel(wdm, device_object, count, routine,
				      client);
}

static NTSTATUS
checked_allocate_channel_ex(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
			    PVOID bytes, ULONG count, ULONG flags,
			    PDRIVER_CONTROL routine, PVOID client, PVOID *base)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	checked_count(to_adapter(wdm), count);
	return ntdma_allocate_channel_ex(wdm, device_object, bytes, count,
					 flags, routine, client, base);
}

static VOID checked_free_channel(PDMA_ADAPTER wdm)
{
	if (checked_call(wdm))
		ntdma_free_channel(wdm);
}

static VOID checked_free_object(PDMA_ADAPTER wdm, IO_ALLOCATION_ACTION action)
{
	if (checked_call(wdm))
		ntdma_free_object(wdm, action);
}

static VOID checked_free_registers(PDMA_ADAPTER wdm, PVOID base, ULONG count)
{
	if (checked_call(wdm))
		ntdma_free_registers(wdm, base, count);
}

static PHYSICAL_ADDRESS checked_map_transfer(PDMA_ADAPTER wdm, PMDL mdl,
					     PVOID base, PVOID current_va,
					     PULONG length, BOOLEAN write)
{
	PHYSICAL_ADDRESS nowhere = { .QuadPart = 0 };

	if (!checked_call(wdm)) {
		*length = 0;
		return nowhere;
	}
	if (mdl) {
		checked_room(to_adapter(wdm), base, current_va, *length);
		checked_rest(to_adapter(wdm), mdl, current_va, *length);
		checked_again(to_adapter(wdm), mdl, base, current_va, *length);
	}
	return ntdma_map_transfer(wdm, mdl, base, current_va, length, write);
}

static NTSTATUS
checked_map_transfer_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
			ULONGLONG offset, ULONG device_offset, PULONG length,
			BOOLEAN write, PSCATTER_GATHER_LIST list,
			ULONG list_length, PDMA_COMPLETION_ROUTINE completion,
			PVOID client)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	if (length)
		checked_part(to_adapter(wdm), mdl, offset, *length);
	return ntdma_map_transfer_ex(wdm, mdl, base, offset, device_offset,
				     length, write, list, list_length,
				     completion, client);
}

static BOOLEAN checked_flush_buffers(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
				     PVOID current_va, ULONG length,
				     BOOLEAN write)
{
	if (!checked_call(wdm))
		return FALSE;
	checked_flush(to_adapter(wdm), base, length);
	return ntdma_flush_buffers(wdm, mdl, base, current_va, length, write);
}

static NTSTATUS checked_flush_buffers_ex(PDMA_ADAPTER wdm, PMDL mdl, PVOID base,
					 ULONGLONG offset, ULONG length,
					 BOOLEAN write)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_flush_buffers_ex(wdm, mdl, base, offset, length, write);
}

static NTSTATUS checked_get_list(PDMA_ADAPTER wdm, PDEVICE_OBJECT device_object,
				 PMDL mdl, PVOID current_va, ULONG length,
				 PDRIVER_LIST_CONTROL routine, PVOID client,
				 BOOLEAN write)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	checked_part_at(to_adapter(wdm), mdl, current_va, length);
	return ntdma_get_list(wdm, device_object, mdl, current_va, length,
			      routine, client, write);
}

static NTSTATUS checked_build_list(PDMA_ADAPTER wdm,
				   PDEVICE_OBJECT device_object, PMDL mdl,
				   PVOID current_va, ULONG length,
				   PDRIVER_LIST_CONTROL routine, PVOID client,
				   BOOLEAN write, PVOID buffer,
				   ULONG buffer_length)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	checked_part_at(to_adapter(wdm), mdl, current_va, length);
	return ntdma_build_list(wdm, device_object, mdl, current_va, length,
				routine, client, write, buffer, buffer_length);
}

static NTSTATUS checked_get_list_ex(PDMA_ADAPTER wdm,
				    PDEVICE_OBJECT device_object, PVOID bytes,
				    PMDL mdl, ULONGLONG offset, ULONG length,
				    ULONG flags, PDRIVER_LIST_CONTROL routine,
				    PVOID client, BOOLEAN write,
				    PDMA_COMPLETION_ROUTINE completion,
				    PVOID completion_context,
				    PSCATTER_GATHER_LIST *out)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	checked_part(to_adapter(wdm), mdl, offset, length);
	return ntdma_get_list_ex(wdm, device_object, bytes, mdl, offset, length,
				 flags, routine, client, write, completion,
				 completion_context, out);
}

static NTSTATUS checked_build_list_ex(PDMA_ADAPTER wdm,
				      PDEVICE_OBJECT device_object, PVOID bytes,
				      PMDL mdl, ULONGLONG offset, ULONG length,
				      ULONG flags, PDRIVER_LIST_CONTROL routine,
				      PVOID client, BOOLEAN write, PVOID buffer,
				      ULONG buffer_length,
				      PDMA_COMPLETION_ROUTINE completion,
				      PVOID completion_context, PVOID out)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	checked_part(to_adapter(wdm), mdl, offset, length);
	return ntdma_build_list_ex(wdm, device_object, bytes, mdl, offset,
				   length, flags, routine, client, write,
				   buffer, buffer_length, completion,
				   completion_context, out);
}

static VOID checked_put_list(PDMA_ADAPTER wdm, PSCATTER_GATHER_LIST list,
			     BOOLEAN write)
{
	if (checked_call(wdm))
		ntdma_put_list(wdm, list, write);
}

static NTSTATUS checked_calculate_list(PDMA_ADAPTER wdm, PMDL mdl,
				       PVOID current_va, ULONG length,
				       PULONG size, PULONG registers)
{
	if (!checked_any_level(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_calculate_list(wdm, mdl, current_va, length, size,
				    registers);
}

static NTSTATUS checked_build_mdl(PDMA_ADAPTER wdm, PSCATTER_GATHER_LIST list,
				  PMDL original, PMDL *target)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_build_mdl(wdm, list, original, target);
}

static PVOID checked_alloc_buffer(PDMA_ADAPTER wdm, ULONG length,
				  PPHYSICAL_ADDRESS logical, BOOLEAN cached)
{
	if (!checked_passive(wdm))
		return NULL;
	return ntdma_alloc_buffer(wdm, length, logical, cached);
}

static PVOID checked_alloc_buffer_ex(PDMA_ADAPTER wdm,
				     PPHYSICAL_ADDRESS maximum, ULONG length,
				     PPHYSICAL_ADDRESS logical, BOOLEAN cached,
				     NODE_REQUIREMENT node)
{
	if (!checked_passive(wdm))
		return NULL;
	return ntdma_alloc_buffer_ex(wdm, maximum, length, logical, cached,
				     node);
}

static PVOID checked_alloc_buffer_bounds(PDMA_ADAPTER wdm,
					 PPHYSICAL_ADDRESS minimum,
					 PPHYSICAL_ADDRESS maximum,
					 ULONG length, ULONG flags,
					 MEMORY_CACHING_TYPE *type,
					 NODE_REQUIREMENT node,
					 PPHYSICAL_ADDRESS logical)
{
	if (!checked_passive(wdm))
		return NULL;
	return ntdma_alloc_buffer_bounds(wdm, minimum, maximum, length, flags,
					 type, node, logical);
}

static VOID checked_free_buffer(PDMA_ADAPTER wdm, ULONG length,
				PHYSICAL_ADDRESS logical, PVOID va,
				BOOLEAN cached)
{
	if (checked_passive(wdm))
		ntdma_free_buffer(wdm, length, logical, va, cached);
}

static NTSTATUS checked_alloc_vector(PDMA_ADAPTER wdm, PHYSICAL_ADDRESS low,
				     PHYSICAL_ADDRESS high,
				     MEMORY_CACHING_TYPE type,
				     NODE_REQUIREMENT node, ULONG flags,
				     ULONG count, ULONGLONG size,
				     PDMA_COMMON_BUFFER_VECTOR *out)
{
	if (!checked_passive(wdm)) {
		if (out)
			*out = NULL;
		return STATUS_INVALID_PARAMETER;
	}
	return ntdma_alloc_vector(wdm, low, high, type, node, flags, count,
				  size, out);
}

static VOID checked_vector_element(PDMA_ADAPTER wdm,
				   PDMA_COMMON_BUFFER_VECTOR opaque,
				   ULONG index, PVOID *va,
				   PPHYSICAL_ADDRESS logical)
{
	if (checked_call(wdm)) {
		ntdma_vector_element(wdm, opaque, index, va, logical);
		return;
	}
	*va = NULL;
	logical->QuadPart = 0;
}

static VOID checked_free_element(PDMA_ADAPTER wdm,
				 PDMA_COMMON_BUFFER_VECTOR opaque, ULONG index)
{
	if (checked_passive(wdm))
		ntdma_free_element(wdm, opaque, index);
}

static VOID checked_free_vector(PDMA_ADAPTER wdm,
				PDMA_COMMON_BUFFER_VECTOR opaque)
{
	if (checked_passive(wdm))
		ntdma_free_vector(wdm, opaque);
}

static NTSTATUS
checked_lend_mdl(PDMA_ADAPTER wdm, PMDL mdl,
		 PDMA_COMMON_BUFFER_EXTENDED_CONFIGURATION configs, ULONG count,
		 PPHYSICAL_ADDRESS logical)
{
	if (!checked_passive(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_lend_mdl(wdm, mdl, configs, count, logical);
}

static HANDLE checked_get_domain(PDMA_ADAPTER wdm)
{
	if (!checked_passive(wdm))
		return NULL;
	return ntdma_get_domain(wdm);
}

static NTSTATUS checked_join_domain(PDMA_ADAPTER wdm, HANDLE domain)
{
	if (!checked_passive(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_join_domain(wdm, domain);
}

static NTSTATUS checked_leave_domain(PDMA_ADAPTER wdm)
{
	if (!checked_passive(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_leave_domain(wdm);
}

static NTSTATUS checked_alloc_domain_buffer(PDMA_ADAPTER wdm, HANDLE domain,
					    PPHYSICAL_ADDRESS maximum,
					    ULONG length, ULONG flags,
					    MEMORY_CACHING_TYPE *type,
					    NODE_REQUIREMENT node,
					    PPHYSICAL_ADDRESS logical,
					    PVOID *va)
{
	if (!checked_passive(wdm)) {
		if (va)
			*va = NULL;
		return STATUS_INVALID_PARAMETER;
	}
	return ntdma_alloc_domain_buffer(wdm, domain, maximum, length, flags,
					 type, node, logical, va);
}

static NTSTATUS checked_flush_dma(PDMA_ADAPTER wdm, PMDL mdl, BOOLEAN read)
{
	if (!checked_call(wdm))
		return STATUS_INVALID_PARAMETER;
	return ntdma_flush_dma(wdm, mdl, read);
}

static const DMA_OPERATIONS ntdma_checked_tables[] = {
	{ .Size = NTDMA_SIZE1, NTDMA_VERSION1(checked) },
	{ .Size = NTDMA_SIZE2, NTDMA_VERSION2(checked) },
	{ .Size = NTDMA_SIZE3, NTDMA_VERSION3(checked) },
};

/**
 * ntdma_checked_table() - the operations of a version, with checks
 * @version: 1 to 3
 *
 * Context: any.
 * Return: the table.
 */
PDMA_OPERATIONS ntdma_checked_table(u8 version)
{
	return (PDMA_OPERATIONS)&ntdma_checked_tables[version - 1];
}
