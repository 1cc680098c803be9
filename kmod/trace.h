/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ntdma

#if !defined(NTDMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NTDMA_TRACE_H

#include <linux/tracepoint.h>

struct ntdma_adapter;

TRACE_EVENT(ntdma_grant,
	TP_PROTO(struct ntdma_adapter *adapter, u32 slots, bool exclusive),
	TP_ARGS(adapter, slots, exclusive),
	TP_STRUCT__entry(
		__field(void *, adapter)
		__field(u32, slots)
		__field(bool, exclusive)
	),
	TP_fast_assign(
		__entry->adapter = adapter;
		__entry->slots = slots;
		__entry->exclusive = exclusive;
	),
	TP_printk("adapter=%p slots=%u channel=%d", __entry->adapter,
		  __entry->slots, __entry->exclusive)
);

TRACE_EVENT(ntdma_cancel,
	TP_PROTO(struct ntdma_adapter *adapter),
	TP_ARGS(adapter),
	TP_STRUCT__entry(__field(void *, adapter)),
	TP_fast_assign(__entry->adapter = adapter;),
	TP_printk("adapter=%p", __entry->adapter)
);

DECLARE_EVENT_CLASS(ntdma_bytes,
	TP_PROTO(struct ntdma_adapter *adapter, u64 pos, u32 length,
		 u32 entries),
	TP_ARGS(adapter, pos, length, entries),
	TP_STRUCT__entry(
		__field(void *, adapter)
		__field(u64, pos)
		__field(u32, length)
		__field(u32, entries)
	),
	TP_fast_assign(
		__entry->adapter = adapter;
		__entry->pos = pos;
		__entry->length = length;
		__entry->entries = entries;
	),
	TP_printk("adapter=%p pos=%#llx length=%u entries=%u",
		  __entry->adapter, __entry->pos, __entry->length,
		  __entry->entries)
);

DEFINE_EVENT(ntdma_bytes, ntdma_mapped,
	TP_PROTO(struct ntdma_adapter *adapter, u64 pos, u32 length,
		 u32 entries),
	TP_ARGS(adapter, pos, length, entries));

DEFINE_EVENT(ntdma_bytes, ntdma_flushed,
	TP_PROTO(struct ntdma_adapter *adapter, u64 pos, u32 length,
		 u32 entries),
	TP_ARGS(adapter, pos, length, entries));

TRACE_EVENT(ntdma_misuse,
	TP_PROTO(struct ntdma_adapter *adapter, unsigned int rule),
	TP_ARGS(adapter, rule),
	TP_STRUCT__entry(
		__field(void *, adapter)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->adapter = adapter;
		__entry->rule = rule;
	),
	TP_printk("adapter=%p rule=%#x", __entry->adapter, __entry->rule)
);

TRACE_EVENT(ntdma_bounce,
	TP_PROTO(struct ntdma_adapter *adapter, phys_addr_t phys, u32 at,
		 u32 length),
	TP_ARGS(adapter, phys, at, length),
	TP_STRUCT__entry(
		__field(void *, adapter)
		__field(u64, phys)
		__field(u32, at)
		__field(u32, length)
	),
	TP_fast_assign(
		__entry->adapter = adapter;
		__entry->phys = phys;
		__entry->at = at;
		__entry->length = length;
	),
	TP_printk("adapter=%p phys=%#llx pool=%#x length=%u",
		  __entry->adapter, __entry->phys, __entry->at,
		  __entry->length)
);

#endif /* NTDMA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
