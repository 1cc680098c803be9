// SPDX-License-Identifier: GPL-2.0
/*
 * IoGetDmaAdapter and the operations tables: contract section A, scenario S1.
 */
#include <linux/dma-mapping.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "buffer.h"
#include "hooks.h"
#include "request.h"

#define UNTOUCHED	0x5a5a5a5au

/* Version 3, scatter/gather, 64 bits, 64 KiB: what a case then varies. */
static DEVICE_DESCRIPTION usual(void)
{
	static const struct rig_kind kind = {
		.version = 3, .width = 64, .length = SZ_64K,
	};
	DEVICE_DESCRIPTION dd;

	rig_describe(&dd, &kind);
	return dd;
}

static PDMA_ADAPTER get(struct nttest *t, DEVICE_DESCRIPTION *dd, ULONG *n)
{
	PDEVICE_OBJECT object = t->priv;

	*n = UNTOUCHED;
	return IoGetDmaAdapter(object, dd, n);
}

static void put(PDMA_ADAPTER adapter)
{
	if (adapter)
		adapter->DmaOperations->PutDmaAdapter(adapter);
}

/* Opens, expects NULL with the count untouched. */
static void expect_refused(struct nttest *t, DEVICE_DESCRIPTION *dd)
{
	PDMA_ADAPTER adapter;
	ULONG n;

	adapter = get(t, dd, &n);
	EXPECT(t, !adapter);
	EXPECT_EQ(t, n, UNTOUCHED);
	put(adapter);
}

static int object_init(struct nttest *t)
{
	t->priv = ntdma_device_create(t->dev, 0);
	return t->priv ? 0 : -ENOMEM;
}

static void object_exit(struct nttest *t)
{
	ntdma_device_destroy(t->priv);
}

static void ec_1(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();
	PDMA_ADAPTER adapter;
	ULONG n;

	dd.Dma64BitAddresses = TRUE;
	for (dd.Version = 0; dd.Version <= 3; dd.Version++) {
		adapter = get(t, &dd, &n);
		if (EXPECT(t, adapter))
			EXPECT_EQ(t, adapter->Version, 1);
		put(adapter);
	}
}

/* Slots inside Size are all there, slots behind it are all NULL. */
static void check_table(struct nttest *t, const DMA_OPERATIONS *ops)
{
	void * const *slot = (void * const *)ops;
	size_t i;

	for (i = 1; i < sizeof(*ops) / sizeof(*slot); i++) {
		bool inside = (i + 1) * sizeof(*slot) <= ops->Size;

		if (!!slot[i] != inside)
			nttest_fail(t, __FILE__, __LINE__,
				    "slot %zu is %sNULL with Size %#x", i,
				    slot[i] ? "not " : "", ops->Size);
	}
}

static void check_size(struct nttest *t, ULONG version, size_t size)
{
	DEVICE_DESCRIPTION dd = usual();
	PDMA_ADAPTER adapter;
	ULONG n;

	dd.Version = version;
	dd.Dma64BitAddresses = TRUE;
	adapter = get(t, &dd, &n);
	REQUIRE(t, adapter);
	EXPECT_EQ(t, adapter->DmaOperations->Size, size);
	check_table(t, adapter->DmaOperations);
	put(adapter);
}

static void ec_2(struct nttest *t)
{
	check_size(t, 0, offsetof(DMA_OPERATIONS, CalculateScatterGatherList));
	check_size(t, 1, offsetof(DMA_OPERATIONS, CalculateScatterGatherList));
}

static void ec_3(struct nttest *t)
{
	check_size(t, 2, offsetof(DMA_OPERATIONS, GetDmaAdapterInfo));
}

static bool is_v3_size(ULONG size)
{
	return size == offsetof(DMA_OPERATIONS, AllocateDomainCommonBuffer) ||
	       size == offsetof(DMA_OPERATIONS, AllocateCommonBufferWithBounds) ||
	       size == offsetof(DMA_OPERATIONS, AllocateCommonBufferVector) ||
	       size == offsetof(DMA_OPERATIONS, CreateCommonBufferFromMdl) ||
	       size == sizeof(DMA_OPERATIONS);
}

static void ec_4(struct nttest *t, struct rig *r)
{
	if (!EXPECT(t, is_v3_size(r->ops->Size)))
		nttest_note(t, "Size is %#x", r->ops->Size);
	check_table(t, r->ops);
}

static void ec_5(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.Dma64BitAddresses = TRUE;
	dd.Version = 4;
	expect_refused(t, &dd);
	dd.Version = 0x80000003;
	expect_refused(t, &dd);
	dd.Version = 0xffffffff;
	expect_refused(t, &dd);
}

static void ec_6(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();
	PDMA_ADAPTER adapter;
	ULONG n;

	adapter = get(t, &dd, &n);
	REQUIRE(t, adapter);
	EXPECT_EQ(t, n, SZ_64K / PAGE_SIZE + 1);
	put(adapter);
}

/* The grant for any MaximumLength is 2 at least and a 32-bit byte count. */
static void check_grant(struct nttest *t, ULONG length)
{
	DEVICE_DESCRIPTION dd = usual();
	static const u8 widths[] = { 64, 28 };
	int i;

	for (i = 0; i < 4; i++) {
		PDMA_ADAPTER adapter;
		ULONG n;

		if (!rig_reaches(t->dev, rig_last(widths[i / 2])))
			continue;
		dd.MaximumLength = length;
		dd.DmaAddressWidth = widths[i / 2];
		dd.ScatterGather = i % 2;
		adapter = get(t, &dd, &n);
		if (!EXPECT(t, adapter))
			continue;
		EXPECT(t, n >= 2);
		EXPECT(t, (u64)n * PAGE_SIZE <= U32_MAX);
		EXPECT(t, n <= (u64)length / PAGE_SIZE + 2);
		put(adapter);
	}
}

static void ec_7(struct nttest *t)
{
	check_grant(t, 0xffffffff);
	check_grant(t, 0xfffff000);
	check_grant(t, 0x80000000);
}

static void ec_8(struct nttest *t)
{
	check_grant(t, 1);
}

static void no_length(struct nttest *t)
{
	check_grant(t, 0);
}

/* The old, 40-byte description, behind which there is no memory at all. */
static void ec_9(struct nttest *t)
{
	size_t old = offsetof(DEVICE_DESCRIPTION, DmaAddressWidth);
	DEVICE_DESCRIPTION dd = usual();
	void *page = vmalloc(PAGE_SIZE);
	PDMA_ADAPTER adapter;
	ULONG n;

	REQUIRE(t, page);
	EXPECT_EQ(t, old, 40);
	dd.Dma64BitAddresses = TRUE;
	for (dd.Version = 0; dd.Version <= 2; dd.Version++) {
		memcpy(page + PAGE_SIZE - old, &dd, old);
		adapter = get(t, page + PAGE_SIZE - old, &n);
		EXPECT(t, adapter);
		put(adapter);
	}
	vfree(page);
}

static void ec_10(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.DmaAddressWidth = 0;
	expect_refused(t, &dd);
	dd.DmaAddressWidth = 65;
	expect_refused(t, &dd);
	dd.DmaAddressWidth = 0xffffffff;
	expect_refused(t, &dd);
}

static void too_narrow(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	for (dd.DmaAddressWidth = 1; dd.DmaAddressWidth < 24; dd.DmaAddressWidth++)
		expect_refused(t, &dd);
}

/* What is put may leave a little later, and only then its mask goes. */
static int nobody_left(void *arg)
{
	struct nttest *t = arg;

	return dma_get_mask(t->dev) == t->mask;
}

/* There is a place for a buffer between an address and its double. */
static void check_far(struct nttest *t, PDMA_ADAPTER adapter, u64 at)
{
	PHYSICAL_ADDRESS min = { .QuadPart = at };
	PHYSICAL_ADDRESS max = { .QuadPart = 2 * at }, la;
	PDMA_OPERATIONS ops = adapter->DmaOperations;
	PVOID va;

	va = ops->AllocateCommonBufferWithBounds(adapter, &min, &max, 1, 0,
						 NULL, MM_ANY_NODE_OK, &la);
	if (EXPECT(t, va))
		ops->FreeCommonBuffer(adapter, 1, la, va, TRUE);
}

/* Opens and compares the reach that the device was given. */
static void check_reach(struct nttest *t, DEVICE_DESCRIPTION *dd, u8 width)
{
	PHYSICAL_ADDRESS la;
	PDMA_ADAPTER adapter;
	PVOID va;
	ULONG n;

	REQUIRE(t, rig_wait(nobody_left, t));
	if (!rig_reaches(t->dev, rig_last(width))) {
		expect_refused(t, dd);
		return;
	}
	adapter = get(t, dd, &n);
	REQUIRE(t, adapter);
	if (dma_get_merge_boundary(t->dev)) {
		/* What is above is for buffers with bounds, and shared ones. */
		EXPECT(t, dma_get_mask(t->dev) < DMA_BIT_MASK(width));
		EXPECT(t, dma_get_mask(t->dev) > DMA_BIT_MASK(min(width, 32) - 6));
		if (width >= 38 && dd->Version == DEVICE_DESCRIPTION_VERSION3)
			check_far(t, adapter, 1ULL << 37);
	} else if (width == 64) {
		EXPECT(t, dma_get_mask(t->dev) > DMA_BIT_MASK(32));
	} else {
		EXPECT_EQ(t, dma_get_mask(t->dev), DMA_BIT_MASK(width));
	}
	va = adapter->DmaOperations->AllocateCommonBuffer(adapter, SZ_64K, &la, TRUE);
	if (EXPECT(t, va)) {
		EXPECT(t, (u64)la.QuadPart + SZ_64K - 1 <= rig_last(width));
		adapter->DmaOperations->FreeCommonBuffer(adapter, SZ_64K, la, va, TRUE);
	}
	put(adapter);
}

static void ec_11(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.DmaAddressWidth = 32;
	dd.Dma64BitAddresses = TRUE;
	check_reach(t, &dd, 32);
}

static void ec_12(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.Version = DEVICE_DESCRIPTION_VERSION2;
	dd.Dma64BitAddresses = TRUE;
	dd.Dma32BitAddresses = FALSE;
	check_reach(t, &dd, 64);
}

static void ec_13(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.Version = DEVICE_DESCRIPTION_VERSION1;
	dd.InterfaceType = PCIBus;
	check_reach(t, &dd, 32);
}

static void dma32_on_isa(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.Version = DEVICE_DESCRIPTION_VERSION;
	dd.InterfaceType = Isa;
	dd.ScatterGather = FALSE;
	dd.Dma32BitAddresses = TRUE;
	check_reach(t, &dd, 32);
}

static void ec_14(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.Version = DEVICE_DESCRIPTION_VERSION1;
	dd.InterfaceType = Isa;
	dd.ScatterGather = FALSE;
	check_reach(t, &dd, 24);
}

static void ec_14_transfer(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 100, 3 * PAGE_SIZE);

	REQUIRE(t, b);
	request_transfer(r, b->mdl, 0, b->length, true, BY_GET);
	request_transfer(r, b->mdl, 0, b->length, false, BY_GET);
}

static const struct rig_kind isa_kind[] = {
	{ .name = "version 1, Isa, 24 bits", .version = 1, .width = 24,
	  .single = true, .length = SZ_64K },
	{ }
};

static void ec_15(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.InterfaceType = InterfaceTypeUndefined;
	check_reach(t, &dd, 64);
	/* The bus matters here: PCI lends a list master 32 bits, ISA does not. */
	dd.Version = DEVICE_DESCRIPTION_VERSION1;
	check_reach(t, &dd, 32);
}

static void ec_17(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();

	dd.Master = FALSE;
	dd.DmaRequestLine = 0xfff0;
	expect_refused(t, &dd);
}

static void ec_18(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual(), before;
	PDMA_ADAPTER adapter;
	ULONG n;

	dd.Dma64BitAddresses = TRUE;
	dd.InterfaceType = InterfaceTypeUndefined;
	dd.MaximumLength = 0xffffffff;
	for (dd.Version = 0; dd.Version <= 4; dd.Version++) {
		before = dd;
		adapter = get(t, &dd, &n);
		EXPECT(t, !memcmp(&before, &dd, sizeof(dd)));
		put(adapter);
	}
}

static void ec_19(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	struct request *held, *q;

	REQUIRE(t, other);
	EXPECT(t, other->adapter != r->adapter);
	held = request_hold(r);
	q = request_channel(other, 1, DeallocateObject);
	if (held && q) {
		EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&q->calls), 1);
		request_release(held);
	}
	rig_close(other);
}

/* A request that must wait, made by the device object of @from. */
static struct request *one_waits(struct rig *r, struct rig *from)
{
	struct request *q = request_channel(r, 1, KeepObject);

	if (!q)
		return NULL;
	q->from = from->object;
	from->object->CurrentIrp = &r->irp;
	EXPECT_EQ(r->t, request_allocate(q), STATUS_SUCCESS);
	from->object->CurrentIrp = &from->irp;
	return EXPECT_EQ(r->t, atomic_read(&q->calls), 0) ? q : NULL;
}

/* One device object waits in both, for each in its own place. */
static void one_object(struct nttest *t, struct rig *r)
{
	struct request *held, *also, *q, *next;
	struct rig *other = rig_open(t, r->kind);

	REQUIRE(t, other);
	held = request_hold(r);
	also = request_hold(other);
	q = one_waits(r, r);
	next = one_waits(other, r);
	if (EXPECT(t, held && also && q && next)) {
		request_release(also);
		request_ran(next);
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
		request_release(held);
		request_ran(q);
		request_release(q);
		request_release(next);
	}
	rig_close(other);
}

static struct {
	PDMA_OPERATIONS real;
	int lists, puts;
} filter;

static NTSTATUS NTAPI filter_get(PDMA_ADAPTER adapter, PDEVICE_OBJECT object,
				 PMDL mdl, PVOID va, ULONG length,
				 PDRIVER_LIST_CONTROL routine, PVOID context,
				 BOOLEAN write)
{
	filter.lists++;
	return filter.real->GetScatterGatherList(adapter, object, mdl, va, length,
						 routine, context, write);
}

static VOID NTAPI filter_put(PDMA_ADAPTER adapter, PSCATTER_GATHER_LIST list,
			     BOOLEAN write)
{
	filter.puts++;
	filter.real->PutScatterGatherList(adapter, list, write);
}

static void ec_20(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 10, 2 * PAGE_SIZE);
	DMA_OPERATIONS mine = *r->ops;
	PDMA_OPERATIONS real = r->ops;

	REQUIRE(t, b);
	filter.real = real;
	filter.lists = 0;
	filter.puts = 0;
	mine.GetScatterGatherList = filter_get;
	mine.PutScatterGatherList = filter_put;
	r->adapter->DmaOperations = &mine;
	r->ops = &mine;
	request_transfer(r, b->mdl, 0, b->length, false, BY_GET);
	EXPECT_EQ(t, filter.lists, 1);
	EXPECT_EQ(t, filter.puts, 1);
	EXPECT(t, r->adapter->DmaOperations == &mine);
	r->ops = real;
	r->adapter->DmaOperations = real;
}

static void ec_20_put(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();
	DMA_OPERATIONS mine;
	PDMA_ADAPTER adapter;
	ULONG n;

	adapter = get(t, &dd, &n);
	REQUIRE(t, adapter);
	mine = *adapter->DmaOperations;
	memset(&filter, 0, sizeof(filter));
	filter.real = adapter->DmaOperations;
	adapter->DmaOperations = NULL;
	mine.PutDmaAdapter(adapter);
}

static void s1_optional(struct nttest *t, struct rig *r)
{
	bool there = RTL_CONTAINS_FIELD(r->ops, r->ops->Size,
					CreateCommonBufferFromMdl);

	EXPECT_EQ(t, there, r->ops->Size >= sizeof(DMA_OPERATIONS));
	EXPECT_EQ(t, !!r->ops->CreateCommonBufferFromMdl, there);
}

static void no_description(struct nttest *t)
{
	expect_refused(t, NULL);
}

static void no_object(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();
	ULONG n = UNTOUCHED;

	EXPECT(t, !IoGetDmaAdapter(NULL, &dd, &n));
	EXPECT_EQ(t, n, UNTOUCHED);
}

static void no_count(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();
	PDMA_ADAPTER adapter;

	adapter = IoGetDmaAdapter(t->priv, &dd, NULL);
	EXPECT(t, !adapter);
	put(adapter);
}

/* Six members set, all else zero, no limit of length: how many drivers do it. */
static void six_fields(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = { };
	PDMA_ADAPTER adapter;
	ULONG n;

	dd.Version = DEVICE_DESCRIPTION_VERSION3;
	dd.Master = TRUE;
	dd.ScatterGather = TRUE;
	dd.InterfaceType = PCIBus;
	dd.MaximumLength = 0xffffffff;
	dd.DmaAddressWidth = 64;
	adapter = get(t, &dd, &n);
	EXPECT(t, adapter);
	EXPECT(t, n >= 2);
	put(adapter);
}

static void widths(struct nttest *t)
{
	static const u8 all[] = { 24, 28, 30, 32, 36, 40, 48, 63, 64 };
	DEVICE_DESCRIPTION dd = usual();
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		dd.DmaAddressWidth = all[i];
		check_reach(t, &dd, all[i]);
	}
}

/* The narrower of two adapters of one device keeps its reach beside the wider. */
static void two_widths(struct nttest *t, struct rig *wide)
{
	struct rig *narrow;
	struct buffer *b;

	if (!rig_reaches(t->dev, rig_last(rig_narrow->width))) {
		nttest_skip(t, "no memory in reach of the narrower one");
		return;
	}
	narrow = rig_open(t, rig_narrow);
	REQUIRE(t, narrow);
	b = buffer_new(narrow, SCATTERED, 5, 3 * PAGE_SIZE);
	if (b) {
		request_transfer(narrow, b->mdl, 0, b->length, true, BY_GET);
		request_transfer(wide, b->mdl, 0, b->length, true, BY_GET);
		request_transfer(narrow, b->mdl, 0, b->length, false, BY_GET);
	}
	rig_close(narrow);
}

/* Of no use to anybody, alone or beside a device that reaches memory. */
static void no_memory(struct nttest *t)
{
	DEVICE_DESCRIPTION dd = usual();
	PDMA_ADAPTER wide = NULL;
	int i, tried = 0;
	ULONG n;

	for (i = 0; i < 4; i++) {
		dd.DmaAddressWidth = 28;
		dd.ScatterGather = i % 2;
		if (rig_reaches(t->dev, rig_last(28)))
			continue;
		expect_refused(t, &dd);
		tried++;
		if (i != 1)
			continue;
		dd.DmaAddressWidth = 64;
		wide = get(t, &dd, &n);
		EXPECT(t, wide);
	}
	put(wide);
	if (!tried)
		nttest_skip(t, "every device reaches memory here");
}

/* Every failure on the way leaves nothing behind and says NULL. */
static void open_sweep(struct nttest *t)
{
	static const u8 widths[] = { 64, 28 };
	DEVICE_DESCRIPTION dd = usual();
	int i, n, hits = 0;

	for (i = 0; i < 4; i++) {
		if (!rig_reaches(t->dev, rig_last(widths[i / 2])))
			continue;
		dd.DmaAddressWidth = widths[i / 2];
		dd.ScatterGather = i % 2;
		for (n = 1; n < 1000; n++) {
			PDMA_ADAPTER adapter;
			ULONG count;
			bool hit;

			ntdma_fail_nth(n);
			adapter = get(t, &dd, &count);
			hit = ntdma_fail_hit();
			ntdma_fail_nth(0);
			put(adapter);
			hits += hit;
			EXPECT(t, hit || adapter);
			if (!hit)
				break;
		}
		EXPECT(t, n < 1000);
	}
	EXPECT(t, hits > 0);
}

static const struct nttest_case cases[] = {
	{ "EC-1 the adapter's version is 1 for every description", ec_1 },
	{ "EC-2 versions 0 and 1 get the version 1 table", ec_2 },
	{ "EC-3 version 2 gets the version 2 table", ec_3 },
	{ "EC-4 version 3: Size is a known one and all inside is there", .run_on = ec_4 },
	{ "EC-5 an unknown version is refused", ec_5 },
	{ "EC-6 64 KiB get 17 map registers", ec_6 },
	{ "EC-7 MaximumLength 0xffffffff does not overflow", ec_7 },
	{ "EC-8 MaximumLength 1 gets two map registers", ec_8 },
	{ "EC-8 MaximumLength 0 gets two map registers", no_length },
	{ "EC-9 nothing behind the 40 bytes of version 0 to 2 is read", ec_9 },
	{ "EC-10 DmaAddressWidth 0 and 65 are refused", ec_10 },
	{ "EC-10 DmaAddressWidth 1 to 23 are refused", too_narrow },
	{ "EC-11 version 3 goes by the width alone", ec_11 },
	{ "EC-12 version 2 with Dma64BitAddresses reaches 64 bits", ec_12 },
	{ "EC-13 version 1, PCI, scatter/gather reaches 32 bits", ec_13 },
	{ "EC-13 version 0 with Dma32BitAddresses reaches 32 bits", dma32_on_isa },
	{ "EC-14 version 1, ISA, no boolean reaches 16 MiB", ec_14 },
	{ "EC-14 transfers stay below 16 MiB", .run_on = ec_14_transfer,
	  .kinds = isa_kind },
	{ "EC-15 an undefined interface comes from the device", ec_15 },
	{ "EC-17 a request line that nobody serves is refused", ec_17 },
	{ "EC-18 the description is not changed", ec_18 },
	{ "EC-19 two adapters of one device own their channels apart", .run_on = ec_19 },
	{ "EC-19 one device object waits for two adapters", .run_on = one_object },
	{ "EC-20 a replaced table keeps working", .run_on = ec_20 },
	{ "EC-20 the adapter is put without its table", ec_20_put },
	{ "S1 an optional member is inside Size or NULL", .run_on = s1_optional },
	{ "S1 widths from 24 to 64 keep their reach", widths },
	{ "S1 two widths on one device", .run_on = two_widths, .kinds = rig_wide },
	{ "S1 a device that reaches no memory is refused", no_memory },
	{ "S1 bad input: no description", no_description },
	{ "S1 bad input: no device object", no_object },
	{ "S1 bad input: nowhere to store the count", no_count },
	{ "S1 six members set and no limit of length", six_fields },
	{ "S1 every allocation fails once", open_sweep },
	{ }
};

const struct nttest_suite nttest_adapter = {
	.name = "adapter",
	.init = object_init,
	.exit = object_exit,
	.cases = cases,
};
