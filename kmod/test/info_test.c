// SPDX-License-Identifier: GPL-2.0
/*
 * Alignment, info queries and transfer contexts: contract section B.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "buffer.h"
#include "hooks.h"
#include "request.h"

#define FILL		0xcc
#define FILL_ULONG	0xccccccccu

static void ec_23(struct nttest *t, struct rig *r)
{
	ULONG alignment = r->ops->GetDmaAlignment(r->adapter);

	EXPECT(t, alignment && !(alignment & (alignment - 1)));
	if (IS_ENABLED(CONFIG_X86_64) && rig_coherent(r))
		EXPECT_EQ(t, alignment, 1);
}

/* Asks with every byte preset, so that a stray write shows. */
static NTSTATUS adapter_info(struct rig *r, DMA_ADAPTER_INFO *info, ULONG version)
{
	memset(info, FILL, sizeof(*info));
	info->Version = version;
	return r->ops->GetDmaAdapterInfo(r->adapter, info);
}

static bool info_untouched(const DMA_ADAPTER_INFO *info)
{
	return !memchr_inv((u8 *)info + sizeof(ULONG), FILL,
			   sizeof(*info) - sizeof(ULONG));
}

static void check_v1(struct nttest *t, struct rig *r, const DMA_ADAPTER_INFO *info)
{
	size_t end = offsetof(DMA_ADAPTER_INFO, V1) + sizeof(info->V1);

	EXPECT_EQ(t, end, 24);
	EXPECT_EQ(t, info->V1.ReadDmaCounterAvailable, FALSE);
	EXPECT(t, info->V1.ScatterGatherLimit >= 1);
	EXPECT(t, info->V1.ScatterGatherLimit != FILL_ULONG);
	EXPECT_EQ(t, info->V1.DmaAddressWidth, r->kind->width);
	EXPECT_EQ(t, info->V1.MinimumTransferUnit, 1);
	EXPECT(t, !(info->V1.Flags & ~(ADAPTER_INFO_SYNCHRONOUS_CALLBACK |
				       ADAPTER_INFO_API_BYPASS)));
	EXPECT(t, !memchr_inv((u8 *)info + end, FILL, sizeof(*info) - end));
}

static void ec_24(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO info;

	EXPECT_EQ(t, adapter_info(r, &info, DMA_ADAPTER_INFO_VERSION1),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, info.Version, DMA_ADAPTER_INFO_VERSION1);
	check_v1(t, r, &info);
}

/* The caller owns 24 bytes: a checker sees the 25th. */
static void ec_24_exact(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO *info = kzalloc(24, GFP_KERNEL);

	REQUIRE(t, info);
	info->Version = DMA_ADAPTER_INFO_VERSION1;
	EXPECT_EQ(t, r->ops->GetDmaAdapterInfo(r->adapter, info), STATUS_SUCCESS);
	kfree(info);
}

static void ec_25(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO info;

	EXPECT_EQ(t, adapter_info(r, &info, 7), STATUS_NOT_SUPPORTED);
	EXPECT(t, info_untouched(&info));
	EXPECT_EQ(t, adapter_info(r, &info, 2), STATUS_NOT_SUPPORTED);
	EXPECT(t, info_untouched(&info));
}

static void ec_26(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO info;

	EXPECT_EQ(t, adapter_info(r, &info, DMA_ADAPTER_INFO_VERSION_CRASHDUMP),
		  STATUS_NOT_SUPPORTED);
	EXPECT(t, info_untouched(&info));
}

static void ec_27(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO info;

	EXPECT_EQ(t, adapter_info(r, &info, 0), STATUS_SUCCESS);
	check_v1(t, r, &info);
}

static void ec_28(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	DMA_ADAPTER_INFO info;

	REQUIRE(t, b);
	EXPECT_EQ(t, adapter_info(r, &info, DMA_ADAPTER_INFO_VERSION1),
		  STATUS_SUCCESS);
	if (b->far || r->kind->width < 64 ||
	    !bus_is_page(&r->bus, page_to_phys(b->pages[0]), b->pages[0]))
		EXPECT(t, !(info.V1.Flags & ADAPTER_INFO_API_BYPASS));
}

static void no_info(struct nttest *t, struct rig *r)
{
	EXPECT(t, !NT_SUCCESS(r->ops->GetDmaAdapterInfo(r->adapter, NULL)));
}

static NTSTATUS transfer_info(struct rig *r, DMA_TRANSFER_INFO *info,
			      ULONG version, PMDL mdl, u64 offset, ULONG length)
{
	memset(info, FILL, sizeof(*info));
	info->Version = version;
	return r->ops->GetDmaTransferInfo(r->adapter, mdl, offset, length, FALSE,
					  info);
}

static bool transfer_untouched(const DMA_TRANSFER_INFO *info)
{
	return !memchr_inv((u8 *)info + sizeof(ULONG), FILL,
			   sizeof(*info) - sizeof(ULONG));
}

/* A register for each of @pages pages, and no more elements than that. */
static void check_transfer(struct nttest *t, const DMA_TRANSFER_INFO *info,
			   ULONG pages)
{
	EXPECT_EQ(t, info->V1.MapRegisterCount, pages);
	EXPECT(t, info->V1.ScatterGatherElementCount >= 1);
	EXPECT(t, info->V1.ScatterGatherElementCount <= pages);
	EXPECT(t, info->V1.ScatterGatherListSize >=
	       sizeof(SCATTER_GATHER_LIST) +
	       (u64)info->V1.ScatterGatherElementCount *
	       sizeof(SCATTER_GATHER_ELEMENT));
	EXPECT(t, info->V1.ScatterGatherListSize != FILL_ULONG);
}

static void expect_pages(struct rig *r, PMDL mdl, u64 offset, ULONG length,
			 ULONG pages)
{
	DMA_TRANSFER_INFO info;

	EXPECT_EQ(r->t, transfer_info(r, &info, 1, mdl, offset, length),
		  STATUS_SUCCESS);
	EXPECT_EQ(r->t, info.Version, 1);
	check_transfer(r->t, &info, pages);
}

static void ec_29(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x123, 6 * PAGE_SIZE);

	REQUIRE(t, b);
	expect_pages(r, b->mdl, 0, b->length, 7);
	expect_pages(r, b->mdl, 1, PAGE_SIZE, 2);
	expect_pages(r, b->mdl, b->length - 1, 1, 1);
}

static void ec_30(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x10, 3 * PAGE_SIZE);
	DMA_TRANSFER_INFO info;

	REQUIRE(t, b);
	EXPECT_EQ(t, offsetof(DMA_TRANSFER_INFO, V2.LogicalPageCount), 16);
	EXPECT_EQ(t, transfer_info(r, &info, 2, b->mdl, 0, b->length),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, info.Version, 2);
	check_transfer(t, &info, 4);
	EXPECT(t, info.V2.LogicalPageCount >= 1);
	EXPECT(t, info.V2.LogicalPageCount <= 4);
	EXPECT_EQ(t, transfer_info(r, &info, 1, b->mdl, 0, b->length),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, info.V2.LogicalPageCount, FILL_ULONG);
}

static void version_0(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	DMA_TRANSFER_INFO info;

	REQUIRE(t, b);
	EXPECT_EQ(t, transfer_info(r, &info, 0, b->mdl, 0, b->length),
		  STATUS_SUCCESS);
	check_transfer(t, &info, 1);
	EXPECT_EQ(t, info.V2.LogicalPageCount, FILL_ULONG);
}

static void ec_31(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	DMA_TRANSFER_INFO info;

	REQUIRE(t, b);
	EXPECT_EQ(t, transfer_info(r, &info, 99, b->mdl, 0, b->length),
		  STATUS_NOT_SUPPORTED);
	EXPECT(t, transfer_untouched(&info));
	EXPECT_EQ(t, transfer_info(r, &info, 3, b->mdl, 0, b->length),
		  STATUS_NOT_SUPPORTED);
	EXPECT(t, transfer_untouched(&info));
}

static void ec_32(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, PAGE_SIZE - 1, 1);

	REQUIRE(t, b);
	expect_pages(r, b->mdl, 0, 1, 1);
}

static void ec_33(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, PAGE_SIZE - 1, 2);

	REQUIRE(t, b);
	expect_pages(r, b->mdl, 0, 2, 2);
}

/* The first MDL has many pages, the second one: counts tell which was used. */
static void ec_34(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { 5 * PAGE_SIZE, 0x100 };
	PMDL mdl = buffer_chain(r, offset, length, 2);

	REQUIRE(t, mdl);
	expect_pages(r, mdl, length[0], length[1], 1);
	expect_pages(r, mdl, length[0] + 0x80, 0x80, 1);
	expect_pages(r, mdl, length[0] - 1, 2, 2);
}

static void expect_no_range(struct rig *r, PMDL mdl, u64 offset, ULONG length)
{
	DMA_TRANSFER_INFO info;

	EXPECT_EQ(r->t, transfer_info(r, &info, 1, mdl, offset, length),
		  STATUS_INVALID_PARAMETER);
	EXPECT(r->t, transfer_untouched(&info));
}

static void ec_35(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { 0x40, 0x20 };
	const size_t length[] = { 2 * PAGE_SIZE, 0x100 };
	PMDL mdl = buffer_chain(r, offset, length, 2);
	u64 end = length[0] + length[1];

	REQUIRE(t, mdl);
	expect_no_range(r, mdl, 0, 0);
	expect_no_range(r, mdl, end, 1);
	expect_no_range(r, mdl, end, 0);
	expect_no_range(r, mdl, end - 1, 2);
	expect_no_range(r, mdl, 0, end + 1);
	expect_no_range(r, mdl, 0, 0xffffffff);
	expect_no_range(r, mdl, 1, 0xffffffff);
	expect_no_range(r, mdl, U64_MAX, 1);
	expect_no_range(r, mdl, U64_MAX, 0xffffffff);
	expect_no_range(r, mdl, 1ULL << 32, 1);
	expect_no_range(r, NULL, 0, 1);
}

static void no_transfer_info(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);

	REQUIRE(t, b);
	EXPECT_EQ(t, r->ops->GetDmaTransferInfo(r->adapter, b->mdl, 0, 1, FALSE,
						NULL),
		  STATUS_INVALID_PARAMETER);
}

/* Many ranges of one chain: the size that was told is always enough. */
static void ec_36(struct nttest *t, struct rig *r)
{
	static const size_t offset[] = { PAGE_SIZE - 1, 0, 0x7ff };
	const size_t length[] = { 2 * PAGE_SIZE + 2, 1, 3 * PAGE_SIZE - 3 };
	PMDL mdl = buffer_chain(r, offset, length, 3);
	u64 bytes, at;

	REQUIRE(t, mdl);
	bytes = mdl_bytes(mdl);
	for (at = 0; at < bytes && !t->failed; at += PAGE_SIZE / 2 + 1)
		request_transfer(r, mdl, at, bytes - at, true, BY_BUILD_EX);
	for (at = bytes; at && !t->failed; at -= min(at, PAGE_SIZE / 2 + 3))
		request_transfer(r, mdl, 0, at, false, BY_BUILD_SYNC);
}

static void at_dispatch(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	DMA_ADAPTER_INFO info;
	KIRQL old;

	REQUIRE(t, b);
	old = rig_raise();
	EXPECT_EQ(t, adapter_info(r, &info, 1), STATUS_SUCCESS);
	expect_pages(r, b->mdl, 0, 100, 1);
	KeLowerIrql(old);
}

static void ec_37(struct nttest *t, struct rig *r)
{
	u8 *memory = kmalloc(DMA_TRANSFER_CONTEXT_SIZE_V1 + 32, GFP_KERNEL);
	int at;

	REQUIRE(t, memory);
	for (at = 8; at < 16; at++) {
		memset(memory, FILL, DMA_TRANSFER_CONTEXT_SIZE_V1 + 32);
		EXPECT_EQ(t, STATUS_SUCCESS,
			  r->ops->InitializeDmaTransferContext(r->adapter,
							       memory + at));
		EXPECT(t, !memchr_inv(memory, FILL, at));
		EXPECT(t, !memchr_inv(memory + at + DMA_TRANSFER_CONTEXT_SIZE_V1,
				      FILL, 32 - at));
	}
	kfree(memory);
}

static void ec_38(struct nttest *t, struct rig *r)
{
	EXPECT_EQ(t, r->ops->InitializeDmaTransferContext(r->adapter, NULL),
		  STATUS_INVALID_PARAMETER);
}

static void ec_39(struct nttest *t, struct rig *r)
{
	void *context;
	int i;

	for (i = 0; i < 3; i++) {
		context = kmalloc(DMA_TRANSFER_CONTEXT_SIZE_V1, GFP_KERNEL);
		REQUIRE(t, context);
		EXPECT_EQ(t, STATUS_SUCCESS,
			  r->ops->InitializeDmaTransferContext(r->adapter, context));
		EXPECT_EQ(t, STATUS_SUCCESS,
			  r->ops->InitializeDmaTransferContext(r->adapter, context));
		kfree(context);
	}
}

static const struct nttest_case cases[] = {
	{ "EC-23 S27 alignment is 1 byte on x64 and a power of two", .run_on = ec_23 },
	{ "EC-24 adapter info version 1 changes bytes 4 to 23 only", .run_on = ec_24 },
	{ "EC-24 adapter info version 1 needs no more than 24 bytes",
	  .run_on = ec_24_exact },
	{ "EC-25 adapter info of an unknown version", .run_on = ec_25 },
	{ "EC-26 adapter info for a crash dump", .run_on = ec_26 },
	{ "EC-27 adapter info version 0 is taken as 1", .run_on = ec_27 },
	{ "EC-28 no bypass with translation or bouncing", .run_on = ec_28 },
	{ "EC-24 bad input: no adapter info", .run_on = no_info },
	{ "EC-29 transfer info: counts and size", .run_on = ec_29 },
	{ "EC-30 transfer info version 2 has the page count, 1 has not",
	  .run_on = ec_30 },
	{ "EC-30 transfer info version 0 is taken as 1", .run_on = version_0 },
	{ "EC-31 transfer info of an unknown version", .run_on = ec_31 },
	{ "EC-32 one byte at the end of a page", .run_on = ec_32 },
	{ "EC-33 two bytes across a page border", .run_on = ec_33 },
	{ "EC-34 an offset in the second MDL", .run_on = ec_34 },
	{ "EC-35 ranges outside the chain", .run_on = ec_35 },
	{ "EC-35 bad input: no transfer info", .run_on = no_transfer_info },
	{ "EC-36 the size told is enough to build", .run_on = ec_36 },
	{ "EC-29 queries at DISPATCH_LEVEL", .run_on = at_dispatch },
	{ "EC-37 a context at an odd address, and nothing beside it",
	  .run_on = ec_37 },
	{ "EC-38 bad input: no context", .run_on = ec_38 },
	{ "EC-39 a context that is never used", .run_on = ec_39 },
	{ }
};

const struct nttest_suite nttest_info = {
	.name = "info",
	.cases = cases,
};
