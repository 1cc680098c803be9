/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the Windows driver model that a driver needs for DMA.
 *
 * This header is what ported driver source includes: Windows names only, with
 * the widths, values and x64 layouts of Microsoft's kit. Nothing here is
 * private to ntdma except a handful of ntdma_* symbols behind inline wrappers,
 * which driver source never names.
 *
 * How to include it
 *
 *   A driver file includes "wdm.h" and nothing else. Some names then mean what
 *   they mean on Windows and not what they mean in Linux: PAGE_ALIGN rounds
 *   down, min and max take mixed types, IN and OUT vanish. The header pulls in
 *   few Linux headers, so that one which comes later and defines such a name
 *   makes the compiler report a redefined macro.
 *
 *   A Linux glue file includes its <linux/...> headers and "glue.h", which
 *   defines NTDMA_LINUX_NAMES and includes this header. All types, constants
 *   and routines are there, and the names in question keep Linux' meaning, so
 *   that Linux headers work before and after.
 *
 * Widths
 *
 *   Windows is LLP64: ULONG, LONG and NTSTATUS have 32 bits everywhere, pointers
 *   and ULONG_PTR have the width of the machine. 64-bit members are aligned to
 *   eight bytes on 32-bit machines too. PAGE_SIZE and PAGE_SHIFT are those of the
 *   running kernel, not always 4096 and 12.
 *
 * Exceptions
 *
 *   C in the Linux kernel has no structured exceptions, and __try is left
 *   undefined on purpose: a block that silently never caught anything would be
 *   worse than a compiler error. The one routine here that raises on Windows is
 *   MmProbeAndLockPages. On failure it returns with MDL_PAGES_LOCKED clear and
 *   the MDL otherwise as it was, so that
 *
 *	__try {
 *		MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
 *	} __except (EXCEPTION_EXECUTE_HANDLER) {
 *		Status = GetExceptionCode();
 *	}
 *
 *   becomes a call and a test of that flag, or, where the status matters,
 *
 *	Status = ntdma_probe_and_lock_pages(Mdl, UserMode, IoWriteAccess);
 *
 * Incomplete types
 *
 *   struct _DRIVER_OBJECT, struct _ADAPTER_OBJECT, struct _OBJECT_HEADER,
 *   struct _EPROCESS and their like are only declared. Drivers are known to
 *   complete some of these tags themselves.
 */
#ifndef _WDMDDK_
#define _WDMDDK_
#define _NTDDK_

#include <linux/types.h>
#include <linux/stddef.h>
#include <linux/compiler.h>
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/string.h>
#include <linux/atomic.h>
#include <linux/spinlock_types.h>
#include <linux/io.h>
#include <asm/page.h>

/* Linux headers may have these, to the same effect. */
#undef TRUE
#undef FALSE
#undef VOID
#undef CONST
#undef UNALIGNED

/* ---- The compiler's and the kit's own words ---- */

#ifdef CONFIG_64BIT
#define _WIN64			1
#endif
#ifdef CONFIG_X86_64
#define _AMD64_			1
#endif
#ifdef CONFIG_ARM64
#define _ARM64_			1
#endif

#define NTDDI_WIN2K		0x05000000
#define NTDDI_WINXP		0x05010000
#define NTDDI_WS03		0x05020000
#define NTDDI_VISTA		0x06000000
#define NTDDI_LONGHORN		NTDDI_VISTA
#define NTDDI_WIN7		0x06010000
#define NTDDI_WIN8		0x06020000
#define NTDDI_WINBLUE		0x06030000
#define NTDDI_WIN10		0x0A000000
#define NTDDI_WIN10_RS4		0x0A000005
#define NTDDI_WIN10_19H1	0x0A000007
#define NTDDI_WIN10_FE		0x0A00000A
#define NTDDI_WIN10_CO		0x0A00000B
#ifndef NTDDI_VERSION
#define NTDDI_VERSION		NTDDI_WIN10_CO
#endif

#ifndef DBG
#define DBG			0
#endif

#define TRUE			1
#define FALSE			0

#define VOID			void
#define CONST			const
#define UNALIGNED
#define RESTRICTED_POINTER
#define CRITICAL

/* There is one calling convention. */
#define NTAPI
#define NTAPI_INLINE
#define FASTCALL
#define CALLBACK
#define WINAPI
#define APIENTRY
#define CDECL
#define __cdecl
#define __stdcall
#define __fastcall
#define __declspec(...)
#define __ptr32
#define __ptr64
#define __unaligned
#define __int8			char
#define __int16			short
#define __int32			int
#define __int64			long long

#define NTSYSAPI
#define NTKERNELAPI
#define NTHALAPI
#define NTSTRSAFEDDI
#define DECLSPEC_IMPORT
#define DECLSPEC_EXPORT
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_NOTHROW
#define DECLSPEC_NORETURN	__noreturn
#define DECLSPEC_NOINLINE	noinline
#define DECLSPEC_ALIGN(x)	__aligned(x)
#define DECLSPEC_CACHEALIGN	____cacheline_aligned
#define DECLSPEC_SELECTANY	__weak
#define EXTERN_C		extern
#define CFORCEINLINE		FORCEINLINE
#define __forceinline		__always_inline

/*
 * The kit's has no storage class and makes no symbol; C here needs "static" for
 * that. A driver that writes "static FORCEINLINE" is built with
 * -DFORCEINLINE=__always_inline.
 */
#ifndef FORCEINLINE
#define FORCEINLINE		static __always_inline
#endif

/*
 * Annotations: SAL 2, then those of the driver kit.
 * They mean nothing to this compiler. Those with arguments take any number.
 */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_range_(...)
#define _In_reads_(...)
#define _In_reads_opt_(...)
#define _In_reads_bytes_(...)
#define _In_reads_bytes_opt_(...)
#define _In_reads_z_(...)
#define _In_reads_or_z_(...)
#define _In_reads_to_ptr_(...)
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Inout_updates_(...)
#define _Inout_updates_opt_(...)
#define _Inout_updates_all_(...)
#define _Inout_updates_to_(...)
#define _Inout_updates_z_(...)
#define _Inout_updates_bytes_(...)
#define _Inout_updates_bytes_opt_(...)
#define _Inout_updates_bytes_all_(...)
#define _Inout_updates_bytes_to_(...)
#define _Out_
#define _Out_opt_
#define _Out_range_(...)
#define _Out_writes_(...)
#define _Out_writes_opt_(...)
#define _Out_writes_all_(...)
#define _Out_writes_to_(...)
#define _Out_writes_z_(...)
#define _Out_writes_bytes_(...)
#define _Out_writes_bytes_opt_(...)
#define _Out_writes_bytes_all_(...)
#define _Out_writes_bytes_to_(...)
#define _Out_writes_bytes_to_opt_(...)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_opt_result_maybenull_
#define _Outptr_result_nullonfailure_
#define _Outptr_result_buffer_(...)
#define _Outptr_result_bytebuffer_(...)
#define _COM_Outptr_
#define _Deref_in_range_(...)
#define _Deref_out_range_(...)
#define _Deref_pre_valid_
#define _Deref_post_valid_
#define _Ret_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_null_
#define _Ret_valid_
#define _Ret_range_(...)
#define _Ret_writes_(...)
#define _Ret_writes_bytes_(...)
#define _Ret_writes_bytes_maybenull_(...)
#define _Pre_notnull_
#define _Pre_maybenull_
#define _Pre_null_
#define _Pre_valid_
#define _Pre_satisfies_(...)
#define _Pre_writable_byte_size_(...)
#define _Pre_readable_byte_size_(...)
#define _Post_
#define _Post_notnull_
#define _Post_maybenull_
#define _Post_null_
#define _Post_valid_
#define _Post_invalid_
#define _Post_ptr_invalid_
#define _Post_satisfies_(...)
#define _Post_writable_byte_size_(...)
#define _Field_range_(...)
#define _Field_size_(...)
#define _Field_size_opt_(...)
#define _Field_size_full_(...)
#define _Field_size_bytes_(...)
#define _Field_size_bytes_opt_(...)
#define _Field_size_bytes_full_(...)
#define _Field_z_
#define _Struct_size_bytes_(...)
#define _Always_(...)
#define _At_(...)
#define _At_buffer_(...)
#define _When_(...)
#define _On_failure_(...)
#define _Group_(...)
#define _Success_(...)
#define _Return_type_success_(...)
#define _Check_return_
#define _Must_inspect_result_
#define _Const_
#define _Literal_
#define _Notliteral_
#define _Maybenull_
#define _Notnull_
#define _Null_
#define _Null_terminated_
#define _NullNull_terminated_
#define _Points_to_data_
#define _Pointer_
#define _Printf_format_string_
#define _Readable_bytes_(...)
#define _Writable_bytes_(...)
#define _Reserved_
#define _Result_nullonfailure_
#define _Result_zeroonfailure_
#define _Strict_type_match_
#define _Unchanged_(...)
#define _Use_decl_annotations_
#define _Valid_
#define _Enum_is_bitflag_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _Analysis_assume_(...)
#define _Analysis_noreturn_
#define _Analysis_assume_lock_held_(...)
#define _Analysis_assume_lock_not_held_(...)

#define _IRQL_requires_(...)
#define _IRQL_requires_max_(...)
#define _IRQL_requires_min_(...)
#define _IRQL_requires_same_
#define _IRQL_raises_(...)
#define _IRQL_always_function_max_(...)
#define _IRQL_always_function_min_(...)
#define _IRQL_saves_
#define _IRQL_saves_global_(...)
#define _IRQL_restores_
#define _IRQL_restores_global_(...)
#define _IRQL_is_cancel_
#define _IRQL_uses_cancel_
#define _Function_class_(...)
#define _Function_ignore_lock_checking_(...)
#define _Dispatch_type_(...)
#define _Acquires_lock_(...)
#define _Acquires_nonreentrant_lock_(...)
#define _Acquires_exclusive_lock_(...)
#define _Acquires_shared_lock_(...)
#define _Releases_lock_(...)
#define _Releases_nonreentrant_lock_(...)
#define _Releases_exclusive_lock_(...)
#define _Releases_shared_lock_(...)
#define _Requires_lock_held_(...)
#define _Requires_lock_not_held_(...)
#define _Requires_no_locks_held_
#define _Guarded_by_(...)
#define _Write_guarded_by_(...)
#define _Has_lock_kind_(...)
#define _Has_lock_level_(...)
#define _Lock_level_order_(...)
#define _Interlocked_
#define _Interlocked_operand_
#define _Kernel_clear_do_init_(...)
#define _Kernel_requires_resource_held_(...)
#define _Kernel_requires_resource_not_held_(...)
#define _Kernel_acquires_resource_(...)
#define _Kernel_releases_resource_(...)
#define _Kernel_float_restored_
#define _Kernel_float_saved_
#define _Kernel_IoGetDmaAdapter_
#define __drv_aliasesMem
#define __drv_freesMem(...)
#define __drv_allocatesMem(...)
#define __drv_acquiresExclusiveResource(...)
#define __drv_releasesExclusiveResource(...)
#define __drv_arg(...)
#define __drv_at(...)
#define __drv_when(...)
#define __drv_clearDoInit(...)
#define __drv_dispatchType(...)
#define __drv_functionClass(...)
#define __drv_in(...)
#define __drv_out(...)
#define __drv_interlocked
#define __drv_isObjectPointer
#define __drv_maxIRQL(...)
#define __drv_minIRQL(...)
#define __drv_requiresIRQL(...)
#define __drv_raisesIRQL(...)
#define __drv_savesIRQL
#define __drv_restoresIRQL
#define __drv_setsIRQL(...)
#define __drv_sameIRQL
#define __drv_mustHold(...)
#define __drv_mustHoldCancelSpinLock
#define __drv_neverHold(...)
#define __drv_preferredFunction(...)
#define __drv_reportError(...)
#define __drv_strictType(...)
#define __drv_strictTypeMatch(...)
#define __drv_valueIs(...)

/* ---- Names that mean something else in Linux ---- */

#ifndef NTDMA_LINUX_NAMES

/*
 * Driver source has pool tags such as 'gaTx', pragmas of another compiler, and
 * PHYSICAL_ADDRESS initialised as { n }. All are fine as they are.
 */
#pragma GCC diagnostic ignored "-Wmissing-braces"
#pragma GCC diagnostic ignored "-Wmultichar"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

#undef IN
#undef OUT
#undef OPTIONAL
#undef ASSERT
#undef PAGE_ALIGN
#undef PAGE_READONLY
#undef min
#undef max

#define IN
#define OUT
#define OPTIONAL

/* The older annotations. */
#define __in
#define __in_opt
#define __in_ecount(...)
#define __in_ecount_opt(...)
#define __in_bcount(...)
#define __in_bcount_opt(...)
#define __inout
#define __inout_opt
#define __inout_ecount(...)
#define __inout_bcount(...)
#define __out
#define __out_opt
#define __out_ecount(...)
#define __out_ecount_opt(...)
#define __out_bcount(...)
#define __out_bcount_opt(...)
#define __out_bcount_part(...)
#define __out_range(...)
#define __deref_in
#define __deref_inout
#define __deref_out
#define __deref_out_opt
#define __deref_opt_out
#define __checkReturn
#define __success(...)
#define __nullterminated
#define __field_bcount(...)
#define __field_ecount(...)
#define __struct_bcount(...)
#define __callback
#define __analysis_assume(...)

#define ASSERT				NT_ASSERT

/* Rounds down. */
#define PAGE_ALIGN(Va)			((PVOID)((ULONG_PTR)(Va) & ~(PAGE_SIZE - 1)))

/* A protection of MmMapIoSpaceEx. */
#define PAGE_READONLY			0x02

/* Operands of two types, usable in a static initialiser. */
#define min(a, b)			(((a) < (b)) ? (a) : (b))
#define max(a, b)			(((a) > (b)) ? (a) : (b))

#endif /* !NTDMA_LINUX_NAMES */

/* ---- Base types ---- */

typedef char CHAR;
typedef char CCHAR;
typedef signed char SCHAR;
typedef unsigned char UCHAR;
typedef unsigned char BYTE;
typedef unsigned char BOOLEAN;
typedef short SHORT;
typedef short CSHORT;
typedef unsigned short USHORT;
typedef unsigned short WORD;
typedef unsigned short WCHAR;
typedef int INT;
typedef unsigned int UINT;
typedef int LONG;
typedef unsigned int ULONG;
typedef unsigned int DWORD;
typedef int BOOL;
typedef long long LONGLONG;
typedef unsigned long long ULONGLONG;
typedef unsigned long long DWORDLONG;

typedef signed char INT8;
typedef short INT16;
typedef int INT32;
typedef long long INT64;
typedef unsigned char UINT8;
typedef unsigned short UINT16;
typedef unsigned int UINT32;
typedef unsigned long long UINT64;
typedef int LONG32;
typedef long long LONG64;
typedef unsigned int ULONG32;
typedef unsigned int DWORD32;
typedef unsigned long long ULONG64;
typedef unsigned long long DWORD64;

typedef long LONG_PTR;
typedef long INT_PTR;
typedef long SSIZE_T;
typedef unsigned long ULONG_PTR;
typedef unsigned long UINT_PTR;
typedef unsigned long DWORD_PTR;
typedef unsigned long SIZE_T;
typedef unsigned long KAFFINITY;
typedef unsigned long PFN_NUMBER;

typedef void *PVOID;
typedef void *LPVOID;
typedef void *HANDLE;
typedef void **PHANDLE;
typedef char *PCHAR;
typedef char *PSTR;
typedef const char *PCSTR;
typedef const char *PCCHAR;
typedef unsigned char *PUCHAR;
typedef unsigned char *PBYTE;
typedef unsigned char *PBOOLEAN;
typedef short *PSHORT;
typedef short *PCSHORT;
typedef unsigned short *PUSHORT;
typedef unsigned short *PWCHAR;
typedef unsigned short *PWSTR;
typedef const unsigned short *PCWSTR;
typedef int *PLONG;
typedef int *PINT;
typedef unsigned int *PULONG;
typedef unsigned int *PUINT;
typedef unsigned int *PDWORD;
typedef unsigned int *PULONG32;
typedef unsigned int *PUINT32;
typedef long long *PLONGLONG;
typedef long long *PLONG64;
typedef unsigned long long *PULONGLONG;
typedef unsigned long long *PULONG64;
typedef unsigned long long *PUINT64;
typedef long *PLONG_PTR;
typedef unsigned long *PULONG_PTR;
typedef unsigned long *PSIZE_T;
typedef unsigned long *PKAFFINITY;
typedef unsigned long *PPFN_NUMBER;

typedef LONG NTSTATUS;
typedef int *PNTSTATUS;
typedef LONG KPRIORITY;
typedef UCHAR KIRQL;
typedef unsigned char *PKIRQL;
typedef CCHAR KPROCESSOR_MODE;
typedef ULONG NODE_REQUIREMENT;
typedef ULONG DEVICE_TYPE;
typedef PVOID PSECURITY_DESCRIPTOR;

#define MAXUCHAR		0xff
#define MAXUSHORT		0xffff
#define MAXLONG			0x7fffffff
#define MAXULONG		0xffffffff
#define MAXULONG64		(~(ULONG64)0)
#define MAXULONG_PTR		(~(ULONG_PTR)0)

/* The brace form { n } sets LowPart, as it does in the kit. */
typedef union _LARGE_INTEGER {
	struct {
		ULONG LowPart;
		LONG HighPart;
	};
	struct {
		ULONG LowPart;
		LONG HighPart;
	} u;
	LONGLONG QuadPart __aligned(8);
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
	struct {
		ULONG LowPart;
		ULONG HighPart;
	};
	struct {
		ULONG LowPart;
		ULONG HighPart;
	} u;
	ULONGLONG QuadPart __aligned(8);
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS;
typedef union _LARGE_INTEGER *PPHYSICAL_ADDRESS;

typedef struct _GUID {
	ULONG Data1;
	USHORT Data2;
	USHORT Data3;
	UCHAR Data4[8];
} GUID, *PGUID, *LPGUID;

typedef const struct _GUID *LPCGUID;

#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)	\
	static const struct _GUID name __maybe_unused = {		\
		l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 }		\
	}

#define PASSIVE_LEVEL		0
#define LOW_LEVEL		0
#define APC_LEVEL		1
#define DISPATCH_LEVEL		2
#define HIGH_LEVEL		15

/* ---- Helpers every driver uses ---- */

#define UNREFERENCED_PARAMETER(x)	((void)(x))
#define DBG_UNREFERENCED_PARAMETER(x)	((void)(x))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(x) ((void)(x))

#define FIELD_OFFSET(type, field)	((LONG)offsetof(type, field))
#define UFIELD_OFFSET(type, field)	((ULONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field)				\
	((type *)((char *)(address) - offsetof(type, field)))
#define RTL_FIELD_SIZE(type, field)	sizeof_field(type, field)
#define RTL_SIZEOF_THROUGH_FIELD(type, field)	offsetofend(type, field)
#define RTL_CONTAINS_FIELD(Struct, Size, Field)				\
	(offsetofend(typeof(*(Struct)), Field) <= (Size))
#define RTL_NUMBER_OF(array)		(sizeof(array) / sizeof((array)[0]))
#define ARRAYSIZE(array)		RTL_NUMBER_OF(array)

#define C_ASSERT(expr)			static_assert(expr)

#if DBG
#define NT_ASSERT(expr)			((void)WARN_ON_ONCE(!(expr)))
#define NT_ASSERTMSG(msg, expr)		((void)WARN_ONCE(!(expr), "%s", (msg)))
#else
#define NT_ASSERT(...)			((void)0)
#define NT_ASSERTMSG(...)		((void)0)
#endif
#define ASSERTMSG			NT_ASSERTMSG
#define PAGED_CODE()			((void)0)

/*
 * Windows formats (%I64x, %lx for 32 bits, %wZ) are not printk's, so these
 * evaluate their arguments and print nothing. A port that wants its messages
 * defines its own DbgPrint before it includes this header.
 */
#ifndef DbgPrint
static inline ULONG DbgPrint(PCSTR Format, ...)
{
	return 0;
}
#endif

#ifndef DbgPrintEx
static inline ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format,
			       ...)
{
	return 0;
}
#endif

#if DBG
#define KdPrint(args)			((void)(DbgPrint args))
#define KdPrintEx(args)			((void)(DbgPrintEx args))
#else
#define KdPrint(...)			((void)0)
#define KdPrintEx(...)			((void)0)
#endif

#define DPFLTR_IHVDRIVER_ID		77
#define DPFLTR_ERROR_LEVEL		0
#define DPFLTR_WARNING_LEVEL		1
#define DPFLTR_TRACE_LEVEL		2
#define DPFLTR_INFO_LEVEL		3

/* ---- Status values ---- */

#define NT_SUCCESS(Status)		((NTSTATUS)(Status) >= 0)
#define NT_INFORMATION(Status)		((ULONG)(Status) >> 30 == 1)
#define NT_WARNING(Status)		((ULONG)(Status) >> 30 == 2)
#define NT_ERROR(Status)		((ULONG)(Status) >> 30 == 3)

#define STATUS_SUCCESS			((NTSTATUS)0x00000000)
#define STATUS_TIMEOUT			((NTSTATUS)0x00000102)
#define STATUS_PENDING			((NTSTATUS)0x00000103)
#define STATUS_GUARD_PAGE_VIOLATION	((NTSTATUS)0x80000001)
#define STATUS_DEVICE_BUSY		((NTSTATUS)0x80000011)
#define STATUS_UNSUCCESSFUL		((NTSTATUS)0xC0000001)
#define STATUS_NOT_IMPLEMENTED		((NTSTATUS)0xC0000002)
#define STATUS_ACCESS_VIOLATION		((NTSTATUS)0xC0000005)
#define STATUS_IN_PAGE_ERROR		((NTSTATUS)0xC0000006)
#define STATUS_INVALID_HANDLE		((NTSTATUS)0xC0000008)
#define STATUS_INVALID_PARAMETER	((NTSTATUS)0xC000000D)
#define STATUS_NO_SUCH_DEVICE		((NTSTATUS)0xC000000E)
#define STATUS_INVALID_DEVICE_REQUEST	((NTSTATUS)0xC0000010)
#define STATUS_NO_MEMORY		((NTSTATUS)0xC0000017)
#define STATUS_CONFLICTING_ADDRESSES	((NTSTATUS)0xC0000018)
#define STATUS_ACCESS_DENIED		((NTSTATUS)0xC0000022)
#define STATUS_BUFFER_TOO_SMALL		((NTSTATUS)0xC0000023)
#define STATUS_INVALID_PARAMETER_MIX	((NTSTATUS)0xC0000030)
#define STATUS_DELETE_PENDING		((NTSTATUS)0xC0000056)
#define STATUS_NONE_MAPPED		((NTSTATUS)0xC0000073)
#define STATUS_INTEGER_OVERFLOW		((NTSTATUS)0xC0000095)
#define STATUS_INSUFFICIENT_RESOURCES	((NTSTATUS)0xC000009A)
#define STATUS_WORKING_SET_QUOTA	((NTSTATUS)0xC00000A1)
#define STATUS_DEVICE_NOT_READY		((NTSTATUS)0xC00000A3)
#define STATUS_NOT_SUPPORTED		((NTSTATUS)0xC00000BB)
#define STATUS_INVALID_PARAMETER_1	((NTSTATUS)0xC00000EF)
#define STATUS_INVALID_PARAMETER_2	((NTSTATUS)0xC00000F0)
#define STATUS_INVALID_PARAMETER_3	((NTSTATUS)0xC00000F1)
#define STATUS_INVALID_PARAMETER_4	((NTSTATUS)0xC00000F2)
#define STATUS_INVALID_PARAMETER_5	((NTSTATUS)0xC00000F3)
#define STATUS_INVALID_PARAMETER_6	((NTSTATUS)0xC00000F4)
#define STATUS_INVALID_PARAMETER_7	((NTSTATUS)0xC00000F5)
#define STATUS_INVALID_PARAMETER_8	((NTSTATUS)0xC00000F6)
#define STATUS_INVALID_PARAMETER_9	((NTSTATUS)0xC00000F7)
#define STATUS_INVALID_PARAMETER_10	((NTSTATUS)0xC00000F8)
#define STATUS_INVALID_PARAMETER_11	((NTSTATUS)0xC00000F9)
#define STATUS_INVALID_PARAMETER_12	((NTSTATUS)0xC00000FA)
#define STATUS_CANCELLED		((NTSTATUS)0xC0000120)
#define STATUS_INVALID_ADDRESS		((NTSTATUS)0xC0000141)
#define STATUS_INVALID_DEVICE_STATE	((NTSTATUS)0xC0000184)
#define STATUS_NOT_FOUND		((NTSTATUS)0xC0000225)

/* ---- Lists ---- */

typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
	struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

static inline VOID InitializeListHead(PLIST_ENTRY ListHead)
{
	ListHead->Flink = ListHead;
	ListHead->Blink = ListHead;
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
	return ListHead->Flink == ListHead;
}

/* TRUE when the list is empty afterwards. */
static inline BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
	PLIST_ENTRY Flink = Entry->Flink;
	PLIST_ENTRY Blink = Entry->Blink;

	Blink->Flink = Flink;
	Flink->Blink = Blink;
	return Flink == Blink;
}

/* On an empty list these return the head itself. */
static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY Entry = ListHead->Flink;

	RemoveEntryList(Entry);
	return Entry;
}

static inline PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY Entry = ListHead->Blink;

	RemoveEntryList(Entry);
	return Entry;
}

static inline VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	PLIST_ENTRY Blink = ListHead->Blink;

	Entry->Flink = ListHead;
	Entry->Blink = Blink;
	Blink->Flink = Entry;
	ListHead->Blink = Entry;
}

static inline VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	PLIST_ENTRY Flink = ListHead->Flink;

	Entry->Flink = Flink;
	Entry->Blink = ListHead;
	Flink->Blink = Entry;
	ListHead->Flink = Entry;
}

static inline VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend)
{
	PLIST_ENTRY Tail = ListHead->Blink;

	ListHead->Blink->Flink = ListToAppend;
	ListHead->Blink = ListToAppend->Blink;
	ListToAppend->Blink->Flink = ListHead;
	ListToAppend->Blink = Tail;
}

static inline VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead,
				 PSINGLE_LIST_ENTRY Entry)
{
	Entry->Next = ListHead->Next;
	ListHead->Next = Entry;
}

static inline PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead)
{
	PSINGLE_LIST_ENTRY Entry = ListHead->Next;

	if (Entry)
		ListHead->Next = Entry->Next;
	return Entry;
}

/* ---- Objects ---- */

typedef struct _ADAPTER_OBJECT ADAPTER_OBJECT;
typedef struct _DEVOBJ_EXTENSION *PDEVOBJ_EXTENSION;
typedef struct _DRIVER_OBJECT *PDRIVER_OBJECT;
typedef struct _EPROCESS *PEPROCESS;
typedef struct _ETHREAD *PETHREAD;
typedef struct _FILE_OBJECT *PFILE_OBJECT;
typedef struct _IO_STACK_LOCATION *PIO_STACK_LOCATION;
typedef struct _IO_TIMER *PIO_TIMER;
typedef struct _KINTERRUPT *PKINTERRUPT;
typedef struct _OBJECT_HEADER *POBJECT_HEADER;
typedef struct _UNICODE_STRING *PUNICODE_STRING;
typedef struct _VPB *PVPB;
typedef struct _DEVICE_OBJECT *PDEVICE_OBJECT;
typedef struct _IRP *PIRP;
typedef struct _MDL *PMDL;
typedef struct _KDPC *PKDPC;
typedef struct _KDPC *PRKDPC;
typedef struct _DMA_ADAPTER *PDMA_ADAPTER;
typedef struct _DMA_ADAPTER *PADAPTER_OBJECT;
typedef struct _DMA_OPERATIONS *PDMA_OPERATIONS;
typedef struct _SCATTER_GATHER_LIST *PSCATTER_GATHER_LIST;

typedef enum _MODE {
	KernelMode = 0,
	UserMode = 1,
	MaximumMode = 2,
} MODE;

typedef enum _EVENT_TYPE {
	NotificationEvent = 0,
	SynchronizationEvent = 1,
} EVENT_TYPE;

typedef enum _KDPC_IMPORTANCE {
	LowImportance = 0,
	MediumImportance = 1,
	HighImportance = 2,
	MediumHighImportance = 3,
} KDPC_IMPORTANCE;

typedef enum _KWAIT_REASON {
	Executive = 0,
	FreePage = 1,
	PageIn = 2,
	PoolAllocation = 3,
	DelayExecution = 4,
	Suspended = 5,
	UserRequest = 6,
} KWAIT_REASON;

typedef enum _INTERFACE_TYPE {
	InterfaceTypeUndefined = -1,
	Internal = 0,
	Isa = 1,
	Eisa = 2,
	MicroChannel = 3,
	TurboChannel = 4,
	PCIBus = 5,
	VMEBus = 6,
	NuBus = 7,
	PCMCIABus = 8,
	CBus = 9,
	MPIBus = 10,
	MPSABus = 11,
	ProcessorInternal = 12,
	InternalPowerBus = 13,
	PNPISABus = 14,
	PNPBus = 15,
	Vmcs = 16,
	ACPIBus = 17,
	MaximumInterfaceType = 18,
} INTERFACE_TYPE, *PINTERFACE_TYPE;

/*
 * A spin lock holds the kernel's own, so that lockdep and PREEMPT_RT see it.
 * It is larger than the kit's pointer-sized word. No documented structure of
 * this header contains one: KDEVICE_QUEUE has an opaque word in its place.
 */
typedef struct _KSPIN_LOCK {
	spinlock_t Lock;	/* what the driver says it protects */
} KSPIN_LOCK, *PKSPIN_LOCK;

/* The members belong to the routines that take the object. */
typedef struct _DISPATCHER_HEADER {
	union {
		struct {
			UCHAR Type;
			UCHAR Signalling;
			UCHAR Size;
			UCHAR Reserved1;
		};
		LONG Lock;
	};
	LONG SignalState;
	LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

typedef struct _KEVENT {
	DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef VOID KDEFERRED_ROUTINE(struct _KDPC *Dpc, PVOID DeferredContext,
			       PVOID SystemArgument1, PVOID SystemArgument2);
typedef typeof(KDEFERRED_ROUTINE) *PKDEFERRED_ROUTINE;

typedef struct _KDPC {
	union {
		ULONG TargetInfoAsUlong;
		struct {
			UCHAR Type;
			UCHAR Importance;
			USHORT Number;
		};
	};
	SINGLE_LIST_ENTRY DpcListEntry;
	KAFFINITY ProcessorHistory;
	PKDEFERRED_ROUTINE DeferredRoutine;
	PVOID DeferredContext;
	PVOID SystemArgument1;
	PVOID SystemArgument2;
	PVOID DpcData;
} KDPC;

typedef struct _KDEVICE_QUEUE_ENTRY {
	LIST_ENTRY DeviceListEntry;
	ULONG SortKey;
	BOOLEAN Inserted;
} KDEVICE_QUEUE_ENTRY, *PKDEVICE_QUEUE_ENTRY;

typedef struct _KDEVICE_QUEUE {
	CSHORT Type;
	CSHORT Size;
	LIST_ENTRY DeviceListHead;
	ULONG_PTR Lock;
	union {
		BOOLEAN Busy;
		LONG_PTR Reserved;
	};
} KDEVICE_QUEUE, *PKDEVICE_QUEUE;

typedef enum _IO_ALLOCATION_ACTION {
	KeepObject = 1,
	DeallocateObject = 2,
	DeallocateObjectKeepRegisters = 3,
} IO_ALLOCATION_ACTION, *PIO_ALLOCATION_ACTION;

typedef IO_ALLOCATION_ACTION DRIVER_CONTROL(PDEVICE_OBJECT DeviceObject,
					    PIRP Irp, PVOID MapRegisterBase,
					    PVOID Context);
typedef typeof(DRIVER_CONTROL) *PDRIVER_CONTROL;

typedef struct _WAIT_CONTEXT_BLOCK {
	union {
		KDEVICE_QUEUE_ENTRY WaitQueueEntry;
		struct {
			LIST_ENTRY DmaWaitEntry;
			ULONG NumberOfChannels;
			ULONG SyncCallback : 1;
			ULONG DmaContext : 1;
			ULONG ZeroMapRegisters : 1;
			ULONG Reserved : 9;
			ULONG NumberOfRemapPages : 20;
		};
	};
	PDRIVER_CONTROL DeviceRoutine;
	PVOID DeviceContext;
	ULONG NumberOfMapRegisters;
	PVOID DeviceObject;
	PVOID CurrentIrp;
	PKDPC BufferChainingDpc;
} WAIT_CONTEXT_BLOCK, *PWAIT_CONTEXT_BLOCK;

typedef struct _DEVICE_OBJECT {
	CSHORT Type;
	USHORT Size;
	LONG ReferenceCount;
	PDRIVER_OBJECT DriverObject;
	struct _DEVICE_OBJECT *NextDevice;
	struct _DEVICE_OBJECT *AttachedDevice;
	PIRP CurrentIrp;
	PIO_TIMER Timer;
	ULONG Flags;
	ULONG Characteristics;
	PVPB Vpb;
	PVOID DeviceExtension;
	DEVICE_TYPE DeviceType;
	CCHAR StackSize;
	union {
		LIST_ENTRY ListEntry;
		WAIT_CONTEXT_BLOCK Wcb;
	} Queue;
	ULONG AlignmentRequirement;	/* a mask: alignment - 1 */
	KDEVICE_QUEUE DeviceQueue;
	KDPC Dpc;
	ULONG ActiveThreadCount;
	PSECURITY_DESCRIPTOR SecurityDescriptor;
	KEVENT DeviceLock;
	USHORT SectorSize;
	USHORT Spare1;
	PDEVOBJ_EXTENSION DeviceObjectExtension;
	PVOID Reserved;
} __aligned(2 * sizeof(PVOID)) DEVICE_OBJECT;

/* DEVICE_OBJECT Flags */
#define DO_VERIFY_VOLUME		0x00000002
#define DO_BUFFERED_IO			0x00000004
#define DO_EXCLUSIVE			0x00000008
#define DO_DIRECT_IO			0x00000010
#define DO_MAP_IO_BUFFER		0x00000020
#define DO_DEVICE_INITIALIZING		0x00000080
#define DO_SHUTDOWN_REGISTERED		0x00000800
#define DO_BUS_ENUMERATED_DEVICE	0x00001000
#define DO_POWER_PAGABLE		0x00002000
#define DO_POWER_INRUSH			0x00004000
#define DO_DEVICE_TO_BE_RESET		0x04000000
#define DO_DAX_VOLUME			0x10000000

/* DEVICE_OBJECT AlignmentRequirement */
#define FILE_BYTE_ALIGNMENT		0x00000000
#define FILE_WORD_ALIGNMENT		0x00000001
#define FILE_LONG_ALIGNMENT		0x00000003
#define FILE_QUAD_ALIGNMENT		0x00000007
#define FILE_OCTA_ALIGNMENT		0x0000000f
#define FILE_32_BYTE_ALIGNMENT		0x0000001f
#define FILE_64_BYTE_ALIGNMENT		0x0000003f
#define FILE_128_BYTE_ALIGNMENT		0x0000007f
#define FILE_256_BYTE_ALIGNMENT		0x000000ff
#define FILE_512_BYTE_ALIGNMENT		0x000001ff

typedef struct _IO_STATUS_BLOCK {
	union {
		NTSTATUS Status;
		PVOID Pointer;
	};
	ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

typedef VOID DRIVER_CANCEL(PDEVICE_OBJECT DeviceObject, PIRP Irp);
typedef typeof(DRIVER_CANCEL) *PDRIVER_CANCEL;

/*
 * There is no I/O manager: a glue file makes an IRP of its own where a driver
 * wants one in CurrentIrp or for IoAllocateMdl.
 */
typedef struct _IRP {
	CSHORT Type;
	USHORT Size;
	PMDL MdlAddress;
	ULONG Flags;
	union {
		struct _IRP *MasterIrp;
		LONG IrpCount;
		PVOID SystemBuffer;
	} AssociatedIrp;
	LIST_ENTRY ThreadListEntry;
	IO_STATUS_BLOCK IoStatus;
	KPROCESSOR_MODE RequestorMode;
	BOOLEAN PendingReturned;
	CHAR StackCount;
	CHAR CurrentLocation;
	BOOLEAN Cancel;
	KIRQL CancelIrql;
	CCHAR ApcEnvironment;
	UCHAR AllocationFlags;
	PIO_STATUS_BLOCK UserIosb;
	PKEVENT UserEvent;
	union {
		struct {
			PVOID UserApcRoutine;
			PVOID UserApcContext;
		} AsynchronousParameters;
		LARGE_INTEGER AllocationSize;
	} Overlay;
	PDRIVER_CANCEL CancelRoutine;
	PVOID UserBuffer;
	union {
		struct {
			union {
				KDEVICE_QUEUE_ENTRY DeviceQueueEntry;
				PVOID DriverContext[4];
			};
			PETHREAD Thread;
			PCHAR AuxiliaryBuffer;
			LIST_ENTRY ListEntry;
			union {
				PIO_STACK_LOCATION CurrentStackLocation;
				ULONG PacketType;
			};
			PFILE_OBJECT OriginalFileObject;
		} Overlay;
		PVOID CompletionKey;
#ifdef CONFIG_64BIT
		PVOID Reserved[11];
#else
		PVOID Reserved[12];
#endif
	} Tail;
} IRP;

/* ---- Memory descriptor lists ---- */

/*
 * The frame numbers follow the header, one PFN_NUMBER a page. Drivers read and
 * write Next and MdlFlags; Size is 16 bits wide and overflows for long lists.
 */
typedef struct _MDL {
	struct _MDL *Next;
	CSHORT Size;
	CSHORT MdlFlags;
	struct _EPROCESS *Process;
	PVOID MappedSystemVa;
	PVOID StartVa;
	ULONG ByteCount;
	ULONG ByteOffset;
} MDL;

#define MDL_MAPPED_TO_SYSTEM_VA		0x0001
#define MDL_PAGES_LOCKED		0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL	0x0004
#define MDL_ALLOCATED_FIXED_SIZE	0x0008
#define MDL_PARTIAL			0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED	0x0020
#define MDL_IO_PAGE_READ		0x0040
#define MDL_WRITE_OPERATION		0x0080
#define MDL_LOCKED_PAGE_TABLES		0x0100
#define MDL_PARENT_MAPPED_SYSTEM_VA	MDL_LOCKED_PAGE_TABLES
#define MDL_FREE_EXTRA_PTES		0x0200
#define MDL_DESCRIBES_AWE		0x0400
#define MDL_IO_SPACE			0x0800
#define MDL_NETWORK_HEADER		0x1000
#define MDL_MAPPING_CAN_FAIL		0x2000
#define MDL_PAGE_CONTENTS_INVARIANT	0x4000
#define MDL_ALLOCATED_MUST_SUCCEED	MDL_PAGE_CONTENTS_INVARIANT
#define MDL_INTERNAL			0x8000

typedef enum _MEMORY_CACHING_TYPE_ORIG {
	MmFrameBufferCached = 2,
} MEMORY_CACHING_TYPE_ORIG;

typedef enum _MEMORY_CACHING_TYPE {
	MmNotMapped = -1,
	MmNonCached = 0,
	MmCached = 1,
	MmWriteCombined = MmFrameBufferCached,
	MmHardwareCoherentCached = 3,
	MmNonCachedUnordered = 4,
	MmUSWCCached = 5,
	MmMaximumCacheType = 6,
} MEMORY_CACHING_TYPE;

typedef enum _LOCK_OPERATION {
	IoReadAccess = 0,
	IoWriteAccess = 1,
	IoModifyAccess = 2,
} LOCK_OPERATION;

typedef enum _MM_PAGE_PRIORITY {
	LowPagePriority = 0,
	NormalPagePriority = 16,
	HighPagePriority = 32,
} MM_PAGE_PRIORITY;

#define MdlMappingNoWrite		0x80000000
#define MdlMappingNoExecute		0x40000000
#define MdlMappingWithGuardPtes		0x20000000

#define MM_DONT_ZERO_ALLOCATION		0x00000001
#define MM_ALLOCATE_FROM_LOCAL_NODE_ONLY 0x00000002
#define MM_ALLOCATE_FULLY_REQUIRED	0x00000004
#define MM_ALLOCATE_NO_WAIT		0x00000008
#define MM_ALLOCATE_PREFER_CONTIGUOUS	0x00000010
#define MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS 0x00000020
#define MM_ALLOCATE_FAST_LARGE_PAGES	0x00000040
#define MM_ALLOCATE_AND_HOT_REMOVE	0x00000100

#define MM_ANY_NODE_OK			0x80000000

#define BYTE_OFFSET(Va)			((ULONG)((ULONG_PTR)(Va) & (PAGE_SIZE - 1)))
#define ROUND_TO_PAGES(Size)						\
	(((ULONG_PTR)(Size) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define BYTES_TO_PAGES(Size)						\
	(((Size) >> PAGE_SHIFT) + (((Size) & (PAGE_SIZE - 1)) != 0))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size)			\
	((BYTE_OFFSET(Va) + (SIZE_T)(Size) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define COMPUTE_PAGES_SPANNED(Va, Size)					\
	ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size)

#define MmGetMdlByteCount(Mdl)		((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl)		((Mdl)->ByteOffset)
#define MmGetMdlBaseVa(Mdl)		((Mdl)->StartVa)
#define MmGetMdlPfnArray(Mdl)		((PPFN_NUMBER)((PMDL)(Mdl) + 1))

static inline PVOID MmGetMdlVirtualAddress(const MDL *Mdl)
{
	return (PCHAR)Mdl->StartVa + Mdl->ByteOffset;
}

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp);
VOID IoFreeMdl(PMDL Mdl);
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length);
SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length);
VOID MmBuildMdlForNonPagedPool(PMDL Mdl);
VOID MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation);
NTSTATUS ntdma_probe_and_lock_pages(PMDL Mdl, KPROCESSOR_MODE AccessMode,
				    LOCK_OPERATION Operation);
VOID MmUnlockPages(PMDL Mdl);
PVOID MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE AccessMode,
				   MEMORY_CACHING_TYPE CacheType,
				   PVOID RequestedAddress,
				   ULONG BugCheckOnFailure, ULONG Priority);
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL Mdl);
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
			     PHYSICAL_ADDRESS HighAddress,
			     PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
			     MEMORY_CACHING_TYPE CacheType, ULONG Flags);
VOID MmFreePagesFromMdl(PMDL Mdl);
VOID KeFlushIoBuffers(PMDL Mdl, BOOLEAN ReadOperation, BOOLEAN DmaOperation);

/* Process, MappedSystemVa and the frame numbers keep what they had. */
static inline VOID MmInitializeMdl(PMDL Mdl, PVOID BaseVa, SIZE_T Length)
{
	SIZE_T Pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(BaseVa, Length);

	Mdl->Next = NULL;
	Mdl->Size = (CSHORT)(sizeof(MDL) + Pages * sizeof(PFN_NUMBER));
	Mdl->MdlFlags = 0;
	Mdl->StartVa = (PVOID)((ULONG_PTR)BaseVa & ~(PAGE_SIZE - 1));
	Mdl->ByteOffset = BYTE_OFFSET(BaseVa);
	Mdl->ByteCount = (ULONG)Length;
}

static inline PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
	if (Mdl->MdlFlags &
	    (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
		return Mdl->MappedSystemVa;
	return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL,
					    FALSE, Priority);
}

static inline VOID MmPrepareMdlForReuse(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED)
		MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
}

/* ---- DMA: descriptions and results ---- */

typedef enum _DMA_WIDTH {
	Width8Bits = 0,
	Width16Bits = 1,
	Width32Bits = 2,
	Width64Bits = 3,
	WidthNoWrap = 4,
	MaximumDmaWidth = 5,
} DMA_WIDTH, *PDMA_WIDTH;

typedef enum _DMA_SPEED {
	Compatible = 0,
	TypeA = 1,
	TypeB = 2,
	TypeC = 3,
	TypeF = 4,
	MaximumDmaSpeed = 5,
} DMA_SPEED, *PDMA_SPEED;

typedef enum _DMA_COMPLETION_STATUS {
	DmaComplete = 0,
	DmaAborted = 1,
	DmaError = 2,
	DmaCancelled = 3,
} DMA_COMPLETION_STATUS;

typedef enum _DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_TYPE {
	CommonBufferConfigTypeLogicalAddressLimits = 0,
	CommonBufferConfigTypeSubSection = 1,
	CommonBufferConfigTypeHardwareAccessPermissions = 2,
	CommonBufferConfigTypeMax = 3,
} DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_TYPE,
	*PDMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_TYPE;

typedef enum _DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_ACCESS_TYPE {
	CommonBufferHardwareAccessReadOnly = 0,
	CommonBufferHardwareAccessWriteOnly = 1,
	CommonBufferHardwareAccessReadWrite = 2,
	CommonBufferHardwareAccessMax = 3,
} DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_ACCESS_TYPE,
	*PDMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_ACCESS_TYPE;

#define DEVICE_DESCRIPTION_VERSION	0
#define DEVICE_DESCRIPTION_VERSION1	1
#define DEVICE_DESCRIPTION_VERSION2	2
#define DEVICE_DESCRIPTION_VERSION3	3

/* Up to version 2 a caller may own only the first 40 bytes. */
typedef struct _DEVICE_DESCRIPTION {
	ULONG Version;
	BOOLEAN Master;
	BOOLEAN ScatterGather;
	BOOLEAN DemandMode;
	BOOLEAN AutoInitialize;
	BOOLEAN Dma32BitAddresses;
	BOOLEAN IgnoreCount;
	BOOLEAN Reserved1;
	BOOLEAN Dma64BitAddresses;
	ULONG BusNumber;
	ULONG DmaChannel;
	INTERFACE_TYPE InterfaceType;
	DMA_WIDTH DmaWidth;
	DMA_SPEED DmaSpeed;
	ULONG MaximumLength;
	ULONG DmaPort;
	/* version 3 */
	ULONG DmaAddressWidth;
	ULONG DmaControllerInstance;
	ULONG DmaRequestLine;
	PHYSICAL_ADDRESS DeviceAddress;
} DEVICE_DESCRIPTION, *PDEVICE_DESCRIPTION;

#define DMA_ADAPTER_INFO_VERSION1	1
#define DMA_ADAPTER_INFO_VERSION_CRASHDUMP MAXULONG

#define ADAPTER_INFO_SYNCHRONOUS_CALLBACK 0x0001
#define ADAPTER_INFO_API_BYPASS		0x0002
#define ADAPTER_INFO_HYBRID_PASSTHROUGH	0x0004

typedef struct _DMA_ADAPTER_INFO_V1 {
	ULONG ReadDmaCounterAvailable;
	ULONG ScatterGatherLimit;
	ULONG DmaAddressWidth;
	ULONG Flags;
	ULONG MinimumTransferUnit;
} DMA_ADAPTER_INFO_V1, *PDMA_ADAPTER_INFO_V1;

typedef struct _DMA_ADAPTER_INFO_CRASHDUMP {
	DEVICE_DESCRIPTION DeviceDescription;
	SIZE_T DeviceIdSize;
	PVOID DeviceId;
} DMA_ADAPTER_INFO_CRASHDUMP, *PDMA_ADAPTER_INFO_CRASHDUMP;

/*
 * V1 stands at offset 4 although Crashdump needs an alignment of 8. A caller
 * that asks for version 1 may own only the first 24 bytes.
 */
typedef struct _DMA_ADAPTER_INFO {
	union {
		struct {
			ULONG Version;
			DMA_ADAPTER_INFO_V1 V1;
		};
		struct {
			ULONGLONG Reserved __aligned(8);
			DMA_ADAPTER_INFO_CRASHDUMP Crashdump;
		};
	};
} DMA_ADAPTER_INFO, *PDMA_ADAPTER_INFO;

#define DMA_TRANSFER_INFO_VERSION1	1
#define DMA_TRANSFER_INFO_VERSION2	2

typedef struct _DMA_TRANSFER_INFO_V1 {
	ULONG MapRegisterCount;
	ULONG ScatterGatherElementCount;
	ULONG ScatterGatherListSize;
} DMA_TRANSFER_INFO_V1, *PDMA_TRANSFER_INFO_V1;

typedef struct _DMA_TRANSFER_INFO_V2 {
	ULONG MapRegisterCount;
	ULONG ScatterGatherElementCount;
	ULONG ScatterGatherListSize;
	ULONG LogicalPageCount;
} DMA_TRANSFER_INFO_V2, *PDMA_TRANSFER_INFO_V2;

/* A caller that asks for version 1 may own only the first 16 bytes. */
typedef struct _DMA_TRANSFER_INFO {
	ULONG Version;
	union {
		DMA_TRANSFER_INFO_V1 V1;
		DMA_TRANSFER_INFO_V2 V2;
	};
} DMA_TRANSFER_INFO, *PDMA_TRANSFER_INFO;

#define DMA_TRANSFER_CONTEXT_VERSION1	1
#ifdef CONFIG_64BIT
#define DMA_TRANSFER_CONTEXT_SIZE_V1	128
#else
#define DMA_TRANSFER_CONTEXT_SIZE_V1	64
#endif

#define DMA_SYNCHRONOUS_CALLBACK	0x01
#define DMA_ZERO_BUFFERS		0x02
#define DMA_FAIL_ON_BOUNCE		0x04

#define DOMAIN_COMMON_BUFFER_LARGE_PAGE	0x01

/* Address is the device's address, whatever its type says. */
typedef struct _SCATTER_GATHER_ELEMENT {
	PHYSICAL_ADDRESS Address;
	ULONG Length;
	ULONG_PTR Reserved;
} SCATTER_GATHER_ELEMENT, *PSCATTER_GATHER_ELEMENT;

typedef struct _SCATTER_GATHER_LIST {
	ULONG NumberOfElements;
	ULONG_PTR Reserved;
	SCATTER_GATHER_ELEMENT Elements[];
} SCATTER_GATHER_LIST;

typedef struct _DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION {
	DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_TYPE ConfigType;
	union {
		struct {
			PHYSICAL_ADDRESS MinimumAddress;
			PHYSICAL_ADDRESS MaximumAddress;
		} LogicalAddressLimits;
		struct {
			ULONGLONG Offset __aligned(8);
			ULONG Length;
		} SubSection;
		DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION_ACCESS_TYPE
			HardwareAccessType;
		ULONGLONG Reserved[4] __aligned(8);
	};
} DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION,
	*PDMA_COMMON_BUFFER_EXTENDED_CONFIGURATION;

typedef struct _DMA_COMMON_BUFFER_VECTOR DMA_COMMON_BUFFER_VECTOR;
typedef struct _DMA_COMMON_BUFFER_VECTOR *PDMA_COMMON_BUFFER_VECTOR;

/* ---- DMA: callbacks, run at DISPATCH_LEVEL ---- */

typedef VOID DRIVER_LIST_CONTROL(PDEVICE_OBJECT DeviceObject, PIRP Irp,
				 PSCATTER_GATHER_LIST ScatterGather,
				 PVOID Context);
typedef typeof(DRIVER_LIST_CONTROL) *PDRIVER_LIST_CONTROL;

typedef VOID DMA_COMPLETION_ROUTINE(PDMA_ADAPTER DmaAdapter,
				    PDEVICE_OBJECT DeviceObject,
				    PVOID CompletionContext,
				    DMA_COMPLETION_STATUS Status);
typedef typeof(DMA_COMPLETION_ROUTINE) *PDMA_COMPLETION_ROUTINE;

/* ---- DMA: the routines of the table ---- */

typedef VOID (*PPUT_DMA_ADAPTER)(PDMA_ADAPTER DmaAdapter);

typedef PVOID (*PALLOCATE_COMMON_BUFFER)(PDMA_ADAPTER DmaAdapter, ULONG Length,
					 PPHYSICAL_ADDRESS LogicalAddress,
					 BOOLEAN CacheEnabled);

typedef VOID (*PFREE_COMMON_BUFFER)(PDMA_ADAPTER DmaAdapter, ULONG Length,
				    PHYSICAL_ADDRESS LogicalAddress,
				    PVOID VirtualAddress, BOOLEAN CacheEnabled);

typedef NTSTATUS (*PALLOCATE_ADAPTER_CHANNEL)(PDMA_ADAPTER DmaAdapter,
					      PDEVICE_OBJECT DeviceObject,
					      ULONG NumberOfMapRegisters,
					      PDRIVER_CONTROL ExecutionRoutine,
					      PVOID Context);

typedef BOOLEAN (*PFLUSH_ADAPTER_BUFFERS)(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
					  PVOID MapRegisterBase,
					  PVOID CurrentVa, ULONG Length,
					  BOOLEAN WriteToDevice);

typedef VOID (*PFREE_ADAPTER_CHANNEL)(PDMA_ADAPTER DmaAdapter);

typedef VOID (*PFREE_MAP_REGISTERS)(PDMA_ADAPTER DmaAdapter,
				    PVOID MapRegisterBase,
				    ULONG NumberOfMapRegisters);

typedef PHYSICAL_ADDRESS (*PMAP_TRANSFER)(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
					  PVOID MapRegisterBase,
					  PVOID CurrentVa, PULONG Length,
					  BOOLEAN WriteToDevice);

typedef ULONG (*PGET_DMA_ALIGNMENT)(PDMA_ADAPTER DmaAdapter);

typedef ULONG (*PREAD_DMA_COUNTER)(PDMA_ADAPTER DmaAdapter);

typedef NTSTATUS
(*PGET_SCATTER_GATHER_LIST)(PDMA_ADAPTER DmaAdapter,
			    PDEVICE_OBJECT DeviceObject, PMDL Mdl,
			    PVOID CurrentVa, ULONG Length,
			    PDRIVER_LIST_CONTROL ExecutionRoutine,
			    PVOID Context, BOOLEAN WriteToDevice);

typedef VOID (*PPUT_SCATTER_GATHER_LIST)(PDMA_ADAPTER DmaAdapter,
					 PSCATTER_GATHER_LIST ScatterGather,
					 BOOLEAN WriteToDevice);

typedef NTSTATUS
(*PCALCULATE_SCATTER_GATHER_LIST_SIZE)(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
				       PVOID CurrentVa, ULONG Length,
				       PULONG ScatterGatherListSize,
				       PULONG pNumberOfMapRegisters);

typedef NTSTATUS
(*PBUILD_SCATTER_GATHER_LIST)(PDMA_ADAPTER DmaAdapter,
			      PDEVICE_OBJECT DeviceObject, PMDL Mdl,
			      PVOID CurrentVa, ULONG Length,
			      PDRIVER_LIST_CONTROL ExecutionRoutine,
			      PVOID Context, BOOLEAN WriteToDevice,
			      PVOID ScatterGatherBuffer,
			      ULONG ScatterGatherLength);

typedef NTSTATUS
(*PBUILD_MDL_FROM_SCATTER_GATHER_LIST)(PDMA_ADAPTER DmaAdapter,
				       PSCATTER_GATHER_LIST ScatterGather,
				       PMDL OriginalMdl, PMDL *TargetMdl);

typedef NTSTATUS (*PGET_DMA_ADAPTER_INFO)(PDMA_ADAPTER DmaAdapter,
					  PDMA_ADAPTER_INFO AdapterInfo);

typedef NTSTATUS (*PGET_DMA_TRANSFER_INFO)(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
					   ULONGLONG Offset, ULONG Length,
					   BOOLEAN WriteOnly,
					   PDMA_TRANSFER_INFO TransferInfo);

typedef NTSTATUS (*PINITIALIZE_DMA_TRANSFER_CONTEXT)(PDMA_ADAPTER DmaAdapter,
						     PVOID DmaTransferContext);

typedef PVOID (*PALLOCATE_COMMON_BUFFER_EX)(PDMA_ADAPTER DmaAdapter,
					    PPHYSICAL_ADDRESS MaximumAddress,
					    ULONG Length,
					    PPHYSICAL_ADDRESS LogicalAddress,
					    BOOLEAN CacheEnabled,
					    NODE_REQUIREMENT PreferredNode);

typedef NTSTATUS
(*PALLOCATE_ADAPTER_CHANNEL_EX)(PDMA_ADAPTER DmaAdapter,
				PDEVICE_OBJECT DeviceObject,
				PVOID DmaTransferContext,
				ULONG NumberOfMapRegisters, ULONG Flags,
				PDRIVER_CONTROL ExecutionRoutine,
				PVOID ExecutionContext, PVOID *MapRegisterBase);

typedef NTSTATUS (*PCONFIGURE_ADAPTER_CHANNEL)(PDMA_ADAPTER DmaAdapter,
					       ULONG FunctionNumber,
					       PVOID Context);

typedef BOOLEAN (*PCANCEL_ADAPTER_CHANNEL)(PDMA_ADAPTER DmaAdapter,
					   PDEVICE_OBJECT DeviceObject,
					   PVOID DmaTransferContext);

typedef NTSTATUS
(*PMAP_TRANSFER_EX)(PDMA_ADAPTER DmaAdapter, PMDL Mdl, PVOID MapRegisterBase,
		    ULONGLONG Offset, ULONG DeviceOffset, PULONG Length,
		    BOOLEAN WriteToDevice,
		    PSCATTER_GATHER_LIST ScatterGatherBuffer,
		    ULONG ScatterGatherBufferLength,
		    PDMA_COMPLETION_ROUTINE DmaCompletionRoutine,
		    PVOID CompletionContext);

typedef NTSTATUS
(*PGET_SCATTER_GATHER_LIST_EX)(PDMA_ADAPTER DmaAdapter,
			       PDEVICE_OBJECT DeviceObject,
			       PVOID DmaTransferContext, PMDL Mdl,
			       ULONGLONG Offset, ULONG Length, ULONG Flags,
			       PDRIVER_LIST_CONTROL ExecutionRoutine,
			       PVOID Context, BOOLEAN WriteToDevice,
			       PDMA_COMPLETION_ROUTINE DmaCompletionRoutine,
			       PVOID CompletionContext,
			       PSCATTER_GATHER_LIST *ScatterGatherList);

/* ScatterGatherList is really a PSCATTER_GATHER_LIST *. */
typedef NTSTATUS
(*PBUILD_SCATTER_GATHER_LIST_EX)(PDMA_ADAPTER DmaAdapter,
				 PDEVICE_OBJECT DeviceObject,
				 PVOID DmaTransferContext, PMDL Mdl,
				 ULONGLONG Offset, ULONG Length, ULONG Flags,
				 PDRIVER_LIST_CONTROL ExecutionRoutine,
				 PVOID Context, BOOLEAN WriteToDevice,
				 PVOID ScatterGatherBuffer,
				 ULONG ScatterGatherLength,
				 PDMA_COMPLETION_ROUTINE DmaCompletionRoutine,
				 PVOID CompletionContext,
				 PVOID ScatterGatherList);

typedef NTSTATUS (*PFLUSH_ADAPTER_BUFFERS_EX)(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
					      PVOID MapRegisterBase,
					      ULONGLONG Offset, ULONG Length,
					      BOOLEAN WriteToDevice);

typedef VOID (*PFREE_ADAPTER_OBJECT)(PDMA_ADAPTER DmaAdapter,
				     IO_ALLOCATION_ACTION AllocationAction);

typedef NTSTATUS (*PCANCEL_MAPPED_TRANSFER)(PDMA_ADAPTER DmaAdapter,
					    PVOID DmaTransferContext);

typedef NTSTATUS
(*PALLOCATE_DOMAIN_COMMON_BUFFER)(PDMA_ADAPTER DmaAdapter, HANDLE DomainHandle,
				  PPHYSICAL_ADDRESS MaximumAddress,
				  ULONG Length, ULONG Flags,
				  MEMORY_CACHING_TYPE *CacheType,
				  NODE_REQUIREMENT PreferredNode,
				  PPHYSICAL_ADDRESS LogicalAddress,
				  PVOID *VirtualAddress);

typedef NTSTATUS (*PFLUSH_DMA_BUFFER)(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
				      BOOLEAN ReadOperation);

typedef NTSTATUS (*PJOIN_DMA_DOMAIN)(PDMA_ADAPTER DmaAdapter,
				     HANDLE DomainHandle);

typedef NTSTATUS (*PLEAVE_DMA_DOMAIN)(PDMA_ADAPTER DmaAdapter);

typedef HANDLE (*PGET_DMA_DOMAIN)(PDMA_ADAPTER DmaAdapter);

typedef PVOID
(*PALLOCATE_COMMON_BUFFER_WITH_BOUNDS)(PDMA_ADAPTER DmaAdapter,
				       PPHYSICAL_ADDRESS MinimumAddress,
				       PPHYSICAL_ADDRESS MaximumAddress,
				       ULONG Length, ULONG Flags,
				       MEMORY_CACHING_TYPE *CacheType,
				       NODE_REQUIREMENT PreferredNode,
				       PPHYSICAL_ADDRESS LogicalAddress);

typedef NTSTATUS
(*PALLOCATE_COMMON_BUFFER_VECTOR)(PDMA_ADAPTER DmaAdapter,
				  PHYSICAL_ADDRESS LowAddress,
				  PHYSICAL_ADDRESS HighAddress,
				  MEMORY_CACHING_TYPE CacheType,
				  NODE_REQUIREMENT IdealNode, ULONG Flags,
				  ULONG NumberOfElements,
				  ULONGLONG SizeOfElements,
				  PDMA_COMMON_BUFFER_VECTOR *VectorOut);

typedef VOID
(*PGET_COMMON_BUFFER_FROM_VECTOR_BY_INDEX)(PDMA_ADAPTER DmaAdapter,
					   PDMA_COMMON_BUFFER_VECTOR Vector,
					   ULONG Index,
					   PVOID *VirtualAddressOut,
					   PPHYSICAL_ADDRESS LogicalAddressOut);

typedef VOID
(*PFREE_COMMON_BUFFER_FROM_VECTOR)(PDMA_ADAPTER DmaAdapter,
				   PDMA_COMMON_BUFFER_VECTOR Vector,
				   ULONG Index);

typedef VOID
(*PFREE_COMMON_BUFFER_VECTOR)(PDMA_ADAPTER DmaAdapter,
			      PDMA_COMMON_BUFFER_VECTOR Vector);

typedef NTSTATUS
(*PCREATE_COMMON_BUFFER_FROM_MDL)(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
				  PDMA_COMMON_BUFFER_EXTENDED_CONFIGURATION
					ExtendedConfigs,
				  ULONG ExtendedConfigsCount,
				  PPHYSICAL_ADDRESS LogicalAddress);

/* ---- DMA: the adapter and its table ---- */

#define HAL_DMA_ADAPTER_VERSION_1	1

/* Version is 1 whatever was asked for; the table's Size tells what there is. */
typedef struct _DMA_ADAPTER {
	USHORT Version;
	USHORT Size;
	PDMA_OPERATIONS DmaOperations;
} DMA_ADAPTER;

/*
 * Order, names and types of the members are interface: drivers initialise
 * tables of their own by position. Size ends after the last slot that may be
 * read; a slot inside Size without a routine is NULL.
 */
typedef struct _DMA_OPERATIONS {
	ULONG Size;
	/* version 1 */
	PPUT_DMA_ADAPTER PutDmaAdapter;
	PALLOCATE_COMMON_BUFFER AllocateCommonBuffer;
	PFREE_COMMON_BUFFER FreeCommonBuffer;
	PALLOCATE_ADAPTER_CHANNEL AllocateAdapterChannel;
	PFLUSH_ADAPTER_BUFFERS FlushAdapterBuffers;
	PFREE_ADAPTER_CHANNEL FreeAdapterChannel;
	PFREE_MAP_REGISTERS FreeMapRegisters;
	PMAP_TRANSFER MapTransfer;
	PGET_DMA_ALIGNMENT GetDmaAlignment;
	PREAD_DMA_COUNTER ReadDmaCounter;
	PGET_SCATTER_GATHER_LIST GetScatterGatherList;
	PPUT_SCATTER_GATHER_LIST PutScatterGatherList;
	/* version 2 */
	PCALCULATE_SCATTER_GATHER_LIST_SIZE CalculateScatterGatherList;
	PBUILD_SCATTER_GATHER_LIST BuildScatterGatherList;
	PBUILD_MDL_FROM_SCATTER_GATHER_LIST BuildMdlFromScatterGatherList;
	/* version 3: Windows 8 */
	PGET_DMA_ADAPTER_INFO GetDmaAdapterInfo;
	PGET_DMA_TRANSFER_INFO GetDmaTransferInfo;
	PINITIALIZE_DMA_TRANSFER_CONTEXT InitializeDmaTransferContext;
	PALLOCATE_COMMON_BUFFER_EX AllocateCommonBufferEx;
	PALLOCATE_ADAPTER_CHANNEL_EX AllocateAdapterChannelEx;
	PCONFIGURE_ADAPTER_CHANNEL ConfigureAdapterChannel;
	PCANCEL_ADAPTER_CHANNEL CancelAdapterChannel;
	PMAP_TRANSFER_EX MapTransferEx;
	PGET_SCATTER_GATHER_LIST_EX GetScatterGatherListEx;
	PBUILD_SCATTER_GATHER_LIST_EX BuildScatterGatherListEx;
	PFLUSH_ADAPTER_BUFFERS_EX FlushAdapterBuffersEx;
	PFREE_ADAPTER_OBJECT FreeAdapterObject;
	PCANCEL_MAPPED_TRANSFER CancelMappedTransfer;
	/* version 3: Windows 10 */
	PALLOCATE_DOMAIN_COMMON_BUFFER AllocateDomainCommonBuffer;
	PFLUSH_DMA_BUFFER FlushDmaBuffer;
	PJOIN_DMA_DOMAIN JoinDmaDomain;
	PLEAVE_DMA_DOMAIN LeaveDmaDomain;
	PGET_DMA_DOMAIN GetDmaDomain;
	/* version 3: Windows 10 1803 */
	PALLOCATE_COMMON_BUFFER_WITH_BOUNDS AllocateCommonBufferWithBounds;
	/* version 3: Windows 10 1903 */
	PALLOCATE_COMMON_BUFFER_VECTOR AllocateCommonBufferVector;
	PGET_COMMON_BUFFER_FROM_VECTOR_BY_INDEX GetCommonBufferFromVectorByIndex;
	PFREE_COMMON_BUFFER_FROM_VECTOR FreeCommonBufferFromVector;
	PFREE_COMMON_BUFFER_VECTOR FreeCommonBufferVector;
	/* version 3: Server 2022 */
	PCREATE_COMMON_BUFFER_FROM_MDL CreateCommonBufferFromMdl;
} DMA_OPERATIONS;

PDMA_ADAPTER ntdma_get_adapter(struct module *owner,
			       PDEVICE_OBJECT PhysicalDeviceObject,
			       PDEVICE_DESCRIPTION DeviceDescription,
			       PULONG NumberOfMapRegisters);

#ifdef MODULE
extern struct module __this_module;
#endif

/* Tells which module owns the adapter: an adapter may outlive its owner. */
static inline PDMA_ADAPTER IoGetDmaAdapter(PDEVICE_OBJECT PhysicalDeviceObject,
					   PDEVICE_DESCRIPTION DeviceDescription,
					   PULONG NumberOfMapRegisters)
{
#ifdef MODULE
	struct module *owner = &__this_module;
#else
	struct module *owner = NULL;
#endif

	return ntdma_get_adapter(owner, PhysicalDeviceObject,
				 DeviceDescription, NumberOfMapRegisters);
}

/* ---- DMA: names from before the table ---- */

static inline NTSTATUS
IoAllocateAdapterChannel(PADAPTER_OBJECT AdapterObject,
			 PDEVICE_OBJECT DeviceObject,
			 ULONG NumberOfMapRegisters,
			 PDRIVER_CONTROL ExecutionRoutine, PVOID Context)
{
	return AdapterObject->DmaOperations->AllocateAdapterChannel
		(AdapterObject, DeviceObject, NumberOfMapRegisters,
		 ExecutionRoutine, Context);
}

static inline BOOLEAN IoFlushAdapterBuffers(PADAPTER_OBJECT AdapterObject,
					    PMDL Mdl, PVOID MapRegisterBase,
					    PVOID CurrentVa, ULONG Length,
					    BOOLEAN WriteToDevice)
{
	return AdapterObject->DmaOperations->FlushAdapterBuffers
		(AdapterObject, Mdl, MapRegisterBase, CurrentVa, Length,
		 WriteToDevice);
}

static inline VOID IoFreeAdapterChannel(PADAPTER_OBJECT AdapterObject)
{
	AdapterObject->DmaOperations->FreeAdapterChannel(AdapterObject);
}

static inline VOID IoFreeMapRegisters(PADAPTER_OBJECT AdapterObject,
				      PVOID MapRegisterBase,
				      ULONG NumberOfMapRegisters)
{
	AdapterObject->DmaOperations->FreeMapRegisters
		(AdapterObject, MapRegisterBase, NumberOfMapRegisters);
}

static inline PHYSICAL_ADDRESS IoMapTransfer(PADAPTER_OBJECT AdapterObject,
					     PMDL Mdl, PVOID MapRegisterBase,
					     PVOID CurrentVa, PULONG Length,
					     BOOLEAN WriteToDevice)
{
	return AdapterObject->DmaOperations->MapTransfer
		(AdapterObject, Mdl, MapRegisterBase, CurrentVa, Length,
		 WriteToDevice);
}

static inline PVOID HalAllocateCommonBuffer(PADAPTER_OBJECT AdapterObject,
					    ULONG Length,
					    PPHYSICAL_ADDRESS LogicalAddress,
					    BOOLEAN CacheEnabled)
{
	return AdapterObject->DmaOperations->AllocateCommonBuffer
		(AdapterObject, Length, LogicalAddress, CacheEnabled);
}

static inline VOID HalFreeCommonBuffer(PADAPTER_OBJECT AdapterObject,
				       ULONG Length,
				       PHYSICAL_ADDRESS LogicalAddress,
				       PVOID VirtualAddress,
				       BOOLEAN CacheEnabled)
{
	AdapterObject->DmaOperations->FreeCommonBuffer
		(AdapterObject, Length, LogicalAddress, VirtualAddress,
		 CacheEnabled);
}

static inline ULONG HalGetDmaAlignment(PADAPTER_OBJECT AdapterObject)
{
	return AdapterObject->DmaOperations->GetDmaAlignment(AdapterObject);
}

static inline ULONG HalReadDmaCounter(PADAPTER_OBJECT AdapterObject)
{
	return AdapterObject->DmaOperations->ReadDmaCounter(AdapterObject);
}

/* ---- DMA: bus interface and resources ---- */

typedef VOID INTERFACE_REFERENCE(PVOID Context);
typedef typeof(INTERFACE_REFERENCE) *PINTERFACE_REFERENCE;
typedef VOID INTERFACE_DEREFERENCE(PVOID Context);
typedef typeof(INTERFACE_DEREFERENCE) *PINTERFACE_DEREFERENCE;
typedef BOOLEAN TRANSLATE_BUS_ADDRESS(PVOID Context,
				      PHYSICAL_ADDRESS BusAddress, ULONG Length,
				      PULONG AddressSpace,
				      PPHYSICAL_ADDRESS TranslatedAddress);
typedef typeof(TRANSLATE_BUS_ADDRESS) *PTRANSLATE_BUS_ADDRESS;
typedef PDMA_ADAPTER GET_DMA_ADAPTER(PVOID Context,
				     PDEVICE_DESCRIPTION DeviceDescriptor,
				     PULONG NumberOfMapRegisters);
typedef typeof(GET_DMA_ADAPTER) *PGET_DMA_ADAPTER;
typedef ULONG GET_SET_DEVICE_DATA(PVOID Context, ULONG DataType, PVOID Buffer,
				  ULONG Offset, ULONG Length);
typedef typeof(GET_SET_DEVICE_DATA) *PGET_SET_DEVICE_DATA;

typedef struct _BUS_INTERFACE_STANDARD {
	USHORT Size;
	USHORT Version;
	PVOID Context;
	PINTERFACE_REFERENCE InterfaceReference;
	PINTERFACE_DEREFERENCE InterfaceDereference;
	PTRANSLATE_BUS_ADDRESS TranslateBusAddress;
	PGET_DMA_ADAPTER GetDmaAdapter;
	PGET_SET_DEVICE_DATA SetBusData;
	PGET_SET_DEVICE_DATA GetBusData;
} BUS_INTERFACE_STANDARD, *PBUS_INTERFACE_STANDARD;

DEFINE_GUID(GUID_BUS_INTERFACE_STANDARD, 0x496B8280, 0x6F25, 0x11D0,
	    0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F);

#define CmResourceTypeNull		0
#define CmResourceTypePort		1
#define CmResourceTypeInterrupt		2
#define CmResourceTypeMemory		3
#define CmResourceTypeDma		4

#define CM_RESOURCE_DMA_8		0x0000
#define CM_RESOURCE_DMA_16		0x0001
#define CM_RESOURCE_DMA_32		0x0002
#define CM_RESOURCE_DMA_8_AND_16	0x0004
#define CM_RESOURCE_DMA_BUS_MASTER	0x0008
#define CM_RESOURCE_DMA_TYPE_A		0x0010
#define CM_RESOURCE_DMA_TYPE_B		0x0020
#define CM_RESOURCE_DMA_TYPE_F		0x0040
#define CM_RESOURCE_DMA_V3		0x0080

/* The spelling is the kit's; TransferWidth holds one of these codes. */
#define DMAV3_TRANFER_WIDTH_8		0
#define DMAV3_TRANFER_WIDTH_16		1
#define DMAV3_TRANFER_WIDTH_32		2
#define DMAV3_TRANFER_WIDTH_64		3
#define DMAV3_TRANFER_WIDTH_128		4
#define DMAV3_TRANFER_WIDTH_256		5

/* Packed to four bytes: nothing in it is aligned to more. */
typedef struct _CM_PARTIAL_RESOURCE_DESCRIPTOR {
	UCHAR Type;
	UCHAR ShareDisposition;
	USHORT Flags;
	union {
		struct {
			PHYSICAL_ADDRESS Start;
			ULONG Length;
		} __packed __aligned(4) Generic, Port, Memory;
		struct {
			ULONG Level;
			ULONG Vector;
			KAFFINITY Affinity;
		} __packed __aligned(4) Interrupt;
		struct {
			ULONG Channel;
			ULONG Port;
			ULONG Reserved1;
		} __packed __aligned(4) Dma;
		struct {
			ULONG Channel;
			ULONG RequestLine;
			UCHAR TransferWidth;
			UCHAR Reserved1;
			UCHAR Reserved2;
			UCHAR Reserved3;
		} __packed __aligned(4) DmaV3;
		struct {
			ULONG Data[3];
		} __packed __aligned(4) DevicePrivate;
	} u;
} __packed __aligned(4) CM_PARTIAL_RESOURCE_DESCRIPTOR,
	*PCM_PARTIAL_RESOURCE_DESCRIPTOR;

typedef struct _DMA_CONFIGURATION_BYTE0 {
	UCHAR Channel : 3;
	UCHAR Reserved : 3;
	UCHAR Shared : 1;
	UCHAR MoreEntries : 1;
} DMA_CONFIGURATION_BYTE0;

typedef struct _DMA_CONFIGURATION_BYTE1 {
	UCHAR Reserved0 : 2;
	UCHAR TransferSize : 2;
	UCHAR Timing : 2;
	UCHAR Reserved1 : 2;
} DMA_CONFIGURATION_BYTE1;

typedef struct _EISA_DMA_CONFIGURATION {
	DMA_CONFIGURATION_BYTE0 ConfigurationByte0;
	DMA_CONFIGURATION_BYTE1 ConfigurationByte1;
} EISA_DMA_CONFIGURATION, *PEISA_DMA_CONFIGURATION;

#define EISA_HAS_DMA_ENTRY		0x08

/* ---- IRQL and spin locks ---- */

/*
 * DISPATCH_LEVEL is "bottom halves disabled": a thread at that level stays on
 * its processor, DPCs of the processor wait, and nothing may sleep. Every level
 * above it is "interrupts disabled", where no spin lock may be taken either.
 */
KIRQL KeGetCurrentIrql(void);
KIRQL KfRaiseIrql(KIRQL NewIrql);
KIRQL KeRaiseIrqlToDpcLevel(void);
VOID KeLowerIrql(KIRQL NewIrql);

#define KeRaiseIrql(NewIrql, OldIrql)	(*(OldIrql) = KfRaiseIrql(NewIrql))

void ntdma_spin_lock_init(PKSPIN_LOCK SpinLock, const char *name,
			  struct lock_class_key *key);

/* A macro, so that lockdep has a class for each place that makes a lock. */
#define KeInitializeSpinLock(SpinLock)					\
do {									\
	static struct lock_class_key ntdma_key;				\
									\
	ntdma_spin_lock_init((SpinLock), #SpinLock, &ntdma_key);	\
} while (0)

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) __acquires(SpinLock);
VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
	__releases(SpinLock);
VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) __acquires(SpinLock);
VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) __releases(SpinLock);
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);

#define KeAcquireSpinLock(SpinLock, OldIrql)				\
	(*(OldIrql) = KeAcquireSpinLockRaiseToDpc(SpinLock))

/* ---- DPCs ---- */

typedef VOID IO_DPC_ROUTINE(PKDPC Dpc, PDEVICE_OBJECT DeviceObject, PIRP Irp,
			    PVOID Context);
typedef typeof(IO_DPC_ROUTINE) *PIO_DPC_ROUTINE;

typedef BOOLEAN KSERVICE_ROUTINE(PKINTERRUPT Interrupt, PVOID ServiceContext);
typedef typeof(KSERVICE_ROUTINE) *PKSERVICE_ROUTINE;

VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
		     PVOID DeferredContext);
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1,
			 PVOID SystemArgument2);
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc);
VOID KeFlushQueuedDpcs(void);
VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance);
VOID IoInitializeDpcRequest(PDEVICE_OBJECT DeviceObject,
			    PIO_DPC_ROUTINE DpcRoutine);
VOID IoRequestDpc(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context);

/* ---- Events and time ---- */

#define IO_NO_INCREMENT			0
#define EVENT_INCREMENT			1

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
LONG KeResetEvent(PRKEVENT Event);
VOID KeClearEvent(PRKEVENT Event);
LONG KeReadStateEvent(PRKEVENT Event);

/* A negative *Timeout is relative, in units of 100 ns; NULL waits for ever. */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
			       KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
			       PLARGE_INTEGER Timeout);
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
				PLARGE_INTEGER Interval);
VOID KeStallExecutionProcessor(ULONG MicroSeconds);
VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime);
LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency);
ULONGLONG KeQueryInterruptTime(void);
ULONG KeGetCurrentProcessorNumber(void);

/* ---- Pool ---- */

typedef enum _POOL_TYPE {
	NonPagedPool = 0,
	NonPagedPoolExecute = NonPagedPool,
	PagedPool = 1,
	NonPagedPoolMustSucceed = 2,
	DontUseThisType = 3,
	NonPagedPoolCacheAligned = 4,
	PagedPoolCacheAligned = 5,
	NonPagedPoolCacheAlignedMustS = 6,
	MaxPoolType = 7,
	NonPagedPoolNx = 512,
	NonPagedPoolNxCacheAligned = 516,
} POOL_TYPE;

typedef ULONG64 POOL_FLAGS;

#define POOL_FLAG_USE_QUOTA		0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED		0x0000000000000002ULL
#define POOL_FLAG_SESSION		0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED		0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE	0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED		0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE	0x0000000000000080ULL
#define POOL_FLAG_PAGED			0x0000000000000100ULL

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
			    ULONG Tag);
PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
VOID ExFreePoolWithTag(PVOID P, ULONG Tag);
VOID ExFreePool(PVOID P);

static inline PVOID ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
	return ExAllocatePoolWithTag(PoolType, NumberOfBytes, 0x656e6f4e);
}

/* ---- Run-time library ---- */

#define RtlCopyMemory(Destination, Source, Length)			\
	memcpy((Destination), (Source), (Length))
#define RtlMoveMemory(Destination, Source, Length)			\
	memmove((Destination), (Source), (Length))
#define RtlFillMemory(Destination, Length, Fill)			\
	memset((Destination), (Fill), (Length))
#define RtlZeroMemory(Destination, Length)				\
	memset((Destination), 0, (Length))
#define RtlEqualMemory(Destination, Source, Length)			\
	(!memcmp((Destination), (Source), (Length)))

SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2,
			SIZE_T Length);

static inline PVOID RtlSecureZeroMemory(PVOID Ptr, SIZE_T Count)
{
	memzero_explicit(Ptr, Count);
	return Ptr;
}

/* ---- Interlocked operations: full barriers, as on Windows ---- */

/* Orders device accesses too. */
#define KeMemoryBarrier()		mb()

static inline LONG InterlockedIncrement(__volatile__ LONG *Addend)
{
	return atomic_inc_return((atomic_t *)Addend);
}

static inline LONG InterlockedDecrement(__volatile__ LONG *Addend)
{
	return atomic_dec_return((atomic_t *)Addend);
}

static inline LONG InterlockedExchange(__volatile__ LONG *Target, LONG Value)
{
	return atomic_xchg((atomic_t *)Target, Value);
}

static inline LONG InterlockedExchangeAdd(__volatile__ LONG *Addend, LONG Value)
{
	return atomic_fetch_add(Value, (atomic_t *)Addend);
}

static inline LONG InterlockedAdd(__volatile__ LONG *Addend, LONG Value)
{
	return atomic_add_return(Value, (atomic_t *)Addend);
}

static inline LONG InterlockedCompareExchange(__volatile__ LONG *Destination,
					      LONG Exchange, LONG Comperand)
{
	LONG Old = atomic_cmpxchg((atomic_t *)Destination, Comperand, Exchange);

	if (Old != Comperand)
		smp_mb__after_atomic();	/* a failed one orders nothing */
	return Old;
}

static inline LONG InterlockedOr(__volatile__ LONG *Destination, LONG Value)
{
	return atomic_fetch_or(Value, (atomic_t *)Destination);
}

static inline LONG InterlockedAnd(__volatile__ LONG *Destination, LONG Value)
{
	return atomic_fetch_and(Value, (atomic_t *)Destination);
}

static inline LONG InterlockedXor(__volatile__ LONG *Destination, LONG Value)
{
	return atomic_fetch_xor(Value, (atomic_t *)Destination);
}

static inline LONG64 InterlockedIncrement64(__volatile__ LONG64 *Addend)
{
	return atomic64_inc_return((atomic64_t *)Addend);
}

static inline LONG64 InterlockedDecrement64(__volatile__ LONG64 *Addend)
{
	return atomic64_dec_return((atomic64_t *)Addend);
}

static inline LONG64 InterlockedExchange64(__volatile__ LONG64 *Target,
					   LONG64 Value)
{
	return atomic64_xchg((atomic64_t *)Target, Value);
}

static inline LONG64 InterlockedExchangeAdd64(__volatile__ LONG64 *Addend,
					      LONG64 Value)
{
	return atomic64_fetch_add(Value, (atomic64_t *)Addend);
}

static inline LONG64 InterlockedAdd64(__volatile__ LONG64 *Addend, LONG64 Value)
{
	return atomic64_add_return(Value, (atomic64_t *)Addend);
}

static inline LONG64
InterlockedCompareExchange64(__volatile__ LONG64 *Destination, LONG64 Exchange,
			     LONG64 Comperand)
{
	LONG64 Old = atomic64_cmpxchg((atomic64_t *)Destination, Comperand,
				      Exchange);

	if (Old != Comperand)
		smp_mb__after_atomic();	/* a failed one orders nothing */
	return Old;
}

static inline LONG64 InterlockedOr64(__volatile__ LONG64 *Destination,
				     LONG64 Value)
{
	return atomic64_fetch_or(Value, (atomic64_t *)Destination);
}

static inline LONG64 InterlockedAnd64(__volatile__ LONG64 *Destination,
				      LONG64 Value)
{
	return atomic64_fetch_and(Value, (atomic64_t *)Destination);
}

static inline LONG64 InterlockedXor64(__volatile__ LONG64 *Destination,
				      LONG64 Value)
{
	return atomic64_fetch_xor(Value, (atomic64_t *)Destination);
}

static inline PVOID InterlockedExchangePointer(__volatile__ PVOID *Target,
					       PVOID Value)
{
	return xchg(Target, Value);
}

static inline PVOID
InterlockedCompareExchangePointer(__volatile__ PVOID *Destination,
				  PVOID Exchange, PVOID Comperand)
{
	PVOID Old = cmpxchg(Destination, Comperand, Exchange);

	if (Old != Comperand)
		smp_mb__after_atomic();	/* a failed one orders nothing */
	return Old;
}

/* These return NULL for an empty list, else the former first or last entry. */
PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead,
					PLIST_ENTRY ListEntry,
					PKSPIN_LOCK Lock);
PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead,
					PLIST_ENTRY ListEntry,
					PKSPIN_LOCK Lock);
PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead,
					PKSPIN_LOCK Lock);

/* ---- Device registers ---- */

#define PAGE_NOACCESS			0x01
#define PAGE_READWRITE			0x04
#define PAGE_NOCACHE			0x200
#define PAGE_WRITECOMBINE		0x400

PVOID MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
		   MEMORY_CACHING_TYPE CacheType);
PVOID MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
		     ULONG Protect);
VOID MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes);

static inline void __iomem *ntdma_iomem(const __volatile__ void *Register)
{
	return (void __force __iomem *)Register;
}

static inline UCHAR READ_REGISTER_UCHAR(__volatile__ UCHAR *Register)
{
	return readb(ntdma_iomem(Register));
}

static inline VOID WRITE_REGISTER_UCHAR(__volatile__ UCHAR *Register,
					UCHAR Value)
{
	writeb(Value, ntdma_iomem(Register));
}

static inline USHORT READ_REGISTER_USHORT(__volatile__ USHORT *Register)
{
	return readw(ntdma_iomem(Register));
}

static inline VOID WRITE_REGISTER_USHORT(__volatile__ USHORT *Register,
					 USHORT Value)
{
	writew(Value, ntdma_iomem(Register));
}

static inline ULONG READ_REGISTER_ULONG(__volatile__ ULONG *Register)
{
	return readl(ntdma_iomem(Register));
}

static inline VOID WRITE_REGISTER_ULONG(__volatile__ ULONG *Register,
					ULONG Value)
{
	writel(Value, ntdma_iomem(Register));
}

/* A buffer of registers is a range of addresses; a buffer of a port is one. */
static inline VOID READ_REGISTER_BUFFER_UCHAR(__volatile__ UCHAR *Register,
					      PUCHAR Buffer, ULONG Count)
{
	while (Count--)
		*Buffer++ = READ_REGISTER_UCHAR(Register++);
}

static inline VOID WRITE_REGISTER_BUFFER_UCHAR(__volatile__ UCHAR *Register,
					       PUCHAR Buffer, ULONG Count)
{
	while (Count--)
		WRITE_REGISTER_UCHAR(Register++, *Buffer++);
}

static inline VOID READ_REGISTER_BUFFER_USHORT(__volatile__ USHORT *Register,
					       PUSHORT Buffer, ULONG Count)
{
	while (Count--)
		*Buffer++ = READ_REGISTER_USHORT(Register++);
}

static inline VOID WRITE_REGISTER_BUFFER_USHORT(__volatile__ USHORT *Register,
						PUSHORT Buffer, ULONG Count)
{
	while (Count--)
		WRITE_REGISTER_USHORT(Register++, *Buffer++);
}

static inline VOID READ_REGISTER_BUFFER_ULONG(__volatile__ ULONG *Register,
					      PULONG Buffer, ULONG Count)
{
	while (Count--)
		*Buffer++ = READ_REGISTER_ULONG(Register++);
}

static inline VOID WRITE_REGISTER_BUFFER_ULONG(__volatile__ ULONG *Register,
					       PULONG Buffer, ULONG Count)
{
	while (Count--)
		WRITE_REGISTER_ULONG(Register++, *Buffer++);
}

#ifdef CONFIG_64BIT
static inline ULONG64 READ_REGISTER_ULONG64(__volatile__ ULONG64 *Register)
{
	return readq(ntdma_iomem(Register));
}

static inline VOID WRITE_REGISTER_ULONG64(__volatile__ ULONG64 *Register,
					  ULONG64 Value)
{
	writeq(Value, ntdma_iomem(Register));
}

static inline VOID READ_REGISTER_BUFFER_ULONG64(__volatile__ ULONG64 *Register,
						PULONG64 Buffer, ULONG Count)
{
	while (Count--)
		*Buffer++ = READ_REGISTER_ULONG64(Register++);
}

static inline VOID WRITE_REGISTER_BUFFER_ULONG64(__volatile__ ULONG64 *Register,
						 PULONG64 Buffer, ULONG Count)
{
	while (Count--)
		WRITE_REGISTER_ULONG64(Register++, *Buffer++);
}
#endif

static inline UCHAR READ_PORT_UCHAR(PUCHAR Port)
{
	return inb((ULONG_PTR)Port);
}

static inline VOID WRITE_PORT_UCHAR(PUCHAR Port, UCHAR Value)
{
	outb(Value, (ULONG_PTR)Port);
}

static inline VOID READ_PORT_BUFFER_UCHAR(PUCHAR Port, PUCHAR Buffer,
					  ULONG Count)
{
	insb((ULONG_PTR)Port, Buffer, Count);
}

static inline VOID WRITE_PORT_BUFFER_UCHAR(PUCHAR Port, PUCHAR Buffer,
					   ULONG Count)
{
	outsb((ULONG_PTR)Port, Buffer, Count);
}

static inline USHORT READ_PORT_USHORT(PUSHORT Port)
{
	return inw((ULONG_PTR)Port);
}

static inline VOID WRITE_PORT_USHORT(PUSHORT Port, USHORT Value)
{
	outw(Value, (ULONG_PTR)Port);
}

static inline VOID READ_PORT_BUFFER_USHORT(PUSHORT Port, PUSHORT Buffer,
					   ULONG Count)
{
	insw((ULONG_PTR)Port, Buffer, Count);
}

static inline VOID WRITE_PORT_BUFFER_USHORT(PUSHORT Port, PUSHORT Buffer,
					    ULONG Count)
{
	outsw((ULONG_PTR)Port, Buffer, Count);
}

static inline ULONG READ_PORT_ULONG(PULONG Port)
{
	return inl((ULONG_PTR)Port);
}

static inline VOID WRITE_PORT_ULONG(PULONG Port, ULONG Value)
{
	outl(Value, (ULONG_PTR)Port);
}

static inline VOID READ_PORT_BUFFER_ULONG(PULONG Port, PULONG Buffer,
					  ULONG Count)
{
	insl((ULONG_PTR)Port, Buffer, Count);
}

static inline VOID WRITE_PORT_BUFFER_ULONG(PULONG Port, PULONG Buffer,
					   ULONG Count)
{
	outsl((ULONG_PTR)Port, Buffer, Count);
}

#endif /* _WDMDDK_ */
