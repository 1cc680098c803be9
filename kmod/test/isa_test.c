// SPDX-License-Identifier: GPL-2.0
/*
 * System DMA on the PC's controller: scenarios S5, S6, S17 and S22, and what the
 * contract says of subordinates.
 *
 * Most channels used here have no device on any machine of ours, so a transfer
 * that is started stays where it is, and its address can be read back. Whether
 * a channel may run shows in the register of masks, which the controller of
 * the emulator lets us read.
 *
 * The machine `pc` has a Gravis Ultrasound on one channel. It moves all that the
 * channel is told of to its own memory, at once when it is told to, and that
 * memory can be read.
 */
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <asm/dma.h>
#include "../../uapi/linux/ntdma.h"
#include "buffer.h"
#include "hooks.h"
#include "request.h"

#define BYTES	3	/* a channel of bytes */
#define WORDS	6	/* a channel of words */
#define MASKS1	0x09	/* of the emulator, write-only on most real ones */
#define MASKS2	0xd2

#define GUS		0	/* the channel of the sound card */
#define GUS_PORTS	0x340
#define GUS_COUNT	8
#define GUS_INDEX	(GUS_PORTS + 3)
#define GUS_LOW		(GUS_PORTS + 4)
#define GUS_HIGH	(GUS_PORTS + 5)
#define GUS_MEMORY	(GUS_PORTS + 7)

#define GUS_DMA		0x41	/* control, 8 bits */
#define GUS_DMA_START	0x42	/* address in its memory, by 16 bytes */
#define GUS_AT_LOW	0x43	/* of what GUS_MEMORY reads */
#define GUS_AT_HIGH	0x44	/* 8 bits */
#define GUS_RESET	0x4c	/* 8 bits */

#define KIND(n, c, l, ...)						\
	{ .name = n, .version = 1, .width = 24, .length = l,		\
	  .system = true, .channel = c, __VA_ARGS__ }

static const struct rig_kind words[] = {
	KIND("channel 6", WORDS, SZ_128K),
	{ }
};

static const struct rig_kind both[] = {
	KIND("channel 3", BYTES, SZ_64K),
	KIND("channel 3, demand mode", BYTES, SZ_64K, .demand = true),
	KIND("channel 6", WORDS, SZ_128K),
	{ }
};

static const struct rig_kind loops[] = {
	KIND("channel 3, looping", BYTES, SZ_64K, .loop = true),
	KIND("channel 6, looping", WORDS, SZ_128K, .loop = true),
	{ }
};

static const struct rig_kind version3[] = {
	{ .name = "channel 3, version 3", .version = 3, .width = 24,
	  .length = SZ_64K, .system = true, .channel = BYTES },
	{ }
};

static const struct rig_kind loops3[] = {
	{ .name = "channel 3, looping, version 3", .version = 3, .width = 24,
	  .length = SZ_64K, .system = true, .channel = BYTES, .loop = true },
	{ .name = "channel 6, looping, version 3", .version = 3, .width = 24,
	  .length = SZ_128K, .system = true, .channel = WORDS, .loop = true },
	{ }
};

static const struct rig_kind gus[] = {
	KIND("channel 0", GUS, SZ_64K),
	{ }
};

static const struct rig_kind words3[] = {
	{ .name = "channel 6, version 3", .version = 3, .width = 24,
	  .length = SZ_128K, .system = true, .channel = WORDS },
	{ }
};

static u64 boundary(struct rig *r)
{
	return r->kind->channel < 4 ? SZ_64K : SZ_128K;
}

/* Bytes that one transfer can have; memory below 16 MiB may be scarce. */
static ULONG most(struct rig *r)
{
	return min_t(u64, boundary(r), (u64)r->registers * PAGE_SIZE);
}

/* Whether the controller serves the channel when a device asks for it. */
static bool open(unsigned int channel)
{
	return !(inb(channel > 3 ? MASKS2 : MASKS1) & BIT(channel & 3));
}

static bool runs(struct rig *r)
{
	return open(r->kind->channel);
}

/* Where the controller is going to read or write next. */
static u32 programmed(struct rig *r)
{
	unsigned int channel = r->kind->channel;
	bool wide = channel > 3;
	unsigned int port = wide ? IO_DMA2_BASE + 4 * (channel - 4) :
				   IO_DMA1_BASE + 2 * channel;
	unsigned long flags = claim_dma_lock();
	u32 addr;

	clear_dma_ff(channel);
	addr = inb(port);
	addr |= inb(port) << 8;
	addr = wide ? addr << 1 | (inb(DMA_PAGE_6) & ~1) << 16 :
		      addr | inb(DMA_PAGE_3) << 16;
	release_dma_lock(flags);
	return addr;
}

static ULONG counter(struct rig *r)
{
	return r->ops->ReadDmaCounter(r->adapter);
}

/* True when the length is still the one asked for. */
static bool map(struct request *q, PMDL mdl, size_t at, ULONG *length,
		bool write)
{
	struct rig *r = q->r;
	ULONG asked = *length;
	KIRQL old = rig_raise();

	r->ops->MapTransfer(r->adapter, mdl, q->base,
			    MmGetMdlVirtualAddress(mdl) + at, length, write);
	KeLowerIrql(old);
	return *length == asked;
}

static bool flush(struct request *q, PMDL mdl, size_t at, ULONG length,
		  bool write)
{
	struct rig *r = q->r;
	KIRQL old = rig_raise();
	BOOLEAN ok;

	ok = r->ops->FlushAdapterBuffers(r->adapter, mdl, q->base,
					 MmGetMdlVirtualAddress(mdl) + at,
					 length, write);
	KeLowerIrql(old);
	return ok;
}

/* The channel with as many registers as there are. */
static struct request *hold(struct rig *r)
{
	struct request *q = request_channel(r, r->registers, KeepObject);

	if (q && EXPECT_EQ(r->t, request_allocate(q), STATUS_SUCCESS) &&
	    request_ran(q))
		return q;
	return NULL;
}

/* One transfer that does not begin, since there is no device. */
static void still(struct request *q, PMDL mdl, size_t at, ULONG length,
		  bool write)
{
	struct rig *r = q->r;
	ULONG mapped = length;
	u64 la;

	EXPECT(r->t, map(q, mdl, at, &mapped, write));
	la = programmed(r);
	EXPECT(r->t, la && la + length <= SZ_16M);
	EXPECT_EQ(r->t, la & ~(boundary(r) - 1),
		  (la + length - 1) & ~(boundary(r) - 1));
	EXPECT(r->t, runs(r));
	EXPECT_EQ(r->t, counter(r), length);
	EXPECT(r->t, flush(q, mdl, at, length, write));
	EXPECT(r->t, !runs(r));
	EXPECT_EQ(r->t, counter(r), 0);
}

static PDMA_ADAPTER get_version(struct nttest *t, PDEVICE_OBJECT object,
				ULONG channel, DMA_WIDTH width,
				INTERFACE_TYPE type, ULONG version)
{
	DEVICE_DESCRIPTION dd = {
		.Version = version,
		.InterfaceType = type,
		.DmaChannel = channel,
		.DmaWidth = width,
		.MaximumLength = SZ_4K,
	};
	PDMA_ADAPTER adapter;
	ULONG registers;

	adapter = IoGetDmaAdapter(object, &dd, &registers);
	if (adapter)
		adapter->DmaOperations->PutDmaAdapter(adapter);
	return adapter;
}

static PDMA_ADAPTER get(struct nttest *t, PDEVICE_OBJECT object, ULONG channel,
			DMA_WIDTH width, INTERFACE_TYPE type)
{
	return get_version(t, object, channel, width, type, 1);
}

static void rules(struct nttest *t)
{
	PDEVICE_OBJECT object = ntdma_device_create(t->dev, 0);

	REQUIRE(t, object);
	EXPECT(t, get(t, object, BYTES, Width8Bits, Isa));
	EXPECT(t, get(t, object, BYTES, Width8Bits, Eisa));
	EXPECT(t, get(t, object, WORDS, Width16Bits, Internal));
	EXPECT(t, get(t, object, WORDS, Width16Bits, MicroChannel));
	EXPECT(t, !get(t, object, 4, Width8Bits, Isa));
	EXPECT(t, !get(t, object, 4, Width16Bits, Isa));
	EXPECT(t, !get(t, object, 8, Width16Bits, Isa));
	EXPECT(t, !get(t, object, 0xffffffff, Width8Bits, Isa));
	EXPECT(t, !get(t, object, BYTES, Width16Bits, Isa));
	EXPECT(t, !get(t, object, BYTES, Width32Bits, Isa));
	EXPECT(t, !get(t, object, WORDS, Width8Bits, Isa));
	EXPECT(t, !get(t, object, BYTES, Width8Bits, PCIBus));
	EXPECT(t, !get(t, object, BYTES, Width8Bits, InterfaceTypeUndefined));
	EXPECT(t, get_version(t, object, BYTES, Width8Bits, Isa, 2));
	EXPECT(t, get_version(t, object, BYTES, Width8Bits, Isa, 3));
	EXPECT(t, !get_version(t, object, BYTES, Width8Bits, Internal, 3));
	ntdma_device_destroy(object);
}

/* An adapter that was put gives its channel back by work. */
static int taken(void *arg)
{
	bool *have = arg;

	*have = *have || !request_dma(BYTES, "ntdma_test");
	return *have;
}

static void busy(struct nttest *t)
{
	PDEVICE_OBJECT object = ntdma_device_create(t->dev, 0);
	bool have = false;

	REQUIRE(t, object);
	if (EXPECT(t, rig_wait(taken, &have))) {
		EXPECT(t, !get(t, object, BYTES, Width8Bits, Isa));
		free_dma(BYTES);
	}
	EXPECT(t, get(t, object, BYTES, Width8Bits, Isa));
	EXPECT(t, get(t, object, BYTES, Width8Bits, Isa));
	ntdma_device_destroy(object);
}

static void failures(struct nttest *t)
{
	PDEVICE_OBJECT object = ntdma_device_create(t->dev, 0);
	bool hit = true;
	int n, hits = 0;

	REQUIRE(t, object);
	for (n = 1; hit && n < 1000; n++) {
		PDMA_ADAPTER adapter;

		ntdma_fail_nth(n);
		adapter = get(t, object, BYTES, Width8Bits, Isa);
		hit = ntdma_fail_hit();
		ntdma_fail_nth(0);
		hits += hit;
		EXPECT(t, hit || adapter);
	}
	EXPECT(t, !hit);
	EXPECT(t, hits);
	ntdma_device_destroy(object);
}

/* Two drivers with one channel: each has it when the other has freed it. */
static void s22(struct nttest *t, struct rig *r)
{
	struct rig *other = rig_open(t, r->kind);
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q = hold(r), *next = NULL;
	ULONG length = PAGE_SIZE;

	REQUIRE(t, other);
	if (EXPECT(t, b && q))
		next = request_channel(other, 1, KeepObject);
	if (EXPECT(t, next)) {
		EXPECT_EQ(t, request_allocate(next), STATUS_SUCCESS);
		EXPECT(t, map(q, b->mdl, 0, &length, true));
		EXPECT_EQ(t, atomic_read(&next->calls), 0);
		EXPECT(t, flush(q, b->mdl, 0, length, true));
		EXPECT_EQ(t, atomic_read(&next->calls), 0);
		request_release(q);
		EXPECT(t, request_ran(next));
		still(next, b->mdl, 0, PAGE_SIZE, false);
		request_release(next);
	}
	rig_close(other);
}

static void s5(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0x20, 5 * PAGE_SIZE);
	struct request *q = hold(r);
	struct request *next = request_channel(r, 1, DeallocateObject);

	REQUIRE(t, b && q && next);
	EXPECT_EQ(t, request_allocate(next), STATUS_SUCCESS);
	still(q, b->mdl, 0, 3 * PAGE_SIZE, true);
	still(q, b->mdl, 3 * PAGE_SIZE, 2 * PAGE_SIZE, true);
	still(q, b->mdl, 0, 5 * PAGE_SIZE, false);
	EXPECT_EQ(t, atomic_read(&next->calls), 0);
	request_release(q);
	REQUIRE(t, request_ran(next));
}

/* The controller reports no end, so that every transfer runs to its flush. */
static void flush_ends(struct nttest *t, struct rig *r)
{
	long before = ntdma_misused(NTDMA_RULE_FLUSHED_RUNNING);
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q = hold(r);

	REQUIRE(t, b && q);
	still(q, b->mdl, 0, PAGE_SIZE, true);
	still(q, b->mdl, 0, PAGE_SIZE, false);
	EXPECT_EQ(t, ntdma_misused(NTDMA_RULE_FLUSHED_RUNNING), before);
	request_release(q);
}

static void ec_14(struct nttest *t, struct rig *r)
{
	enum buffer_shape shape;
	struct request *q = hold(r);

	REQUIRE(t, q);
	for (shape = SCATTERED; shape < SHAPES; shape++) {
		struct buffer *b = buffer_new(r, shape, 0x7fe, 6 * PAGE_SIZE);

		REQUIRE(t, b);
		still(q, b->mdl, 0, b->length, true);
		still(q, b->mdl, 0, b->length, false);
	}
	request_release(q);
}

/* Low memory around a boundary: in reach, and yet not to be used as it is. */
static void crossing(struct nttest *t, struct rig *r)
{
	unsigned int order = get_order(2 * boundary(r));
	unsigned long memory = __get_free_pages(GFP_KERNEL | GFP_DMA |
						__GFP_RETRY_MAYFAIL, order);
	struct request *q = hold(r);
	PMDL mdl;

	REQUIRE(t, memory && q);
	mdl = IoAllocateMdl((void *)memory + boundary(r) - PAGE_SIZE,
			    2 * PAGE_SIZE, FALSE, FALSE, NULL);
	if (EXPECT(t, mdl)) {
		MmBuildMdlForNonPagedPool(mdl);
		still(q, mdl, 0, 2 * PAGE_SIZE, true);
		still(q, mdl, 0, PAGE_SIZE, true);
		IoFreeMdl(mdl);
	}
	free_pages(memory, order);
	request_release(q);
}

static void ec_16(struct nttest *t, struct rig *r)
{
	DMA_ADAPTER_INFO info = { .Version = 1 };

	EXPECT_EQ(t, r->ops->GetDmaAdapterInfo(r->adapter, &info),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, info.V1.ReadDmaCounterAvailable, TRUE);
	EXPECT_EQ(t, info.V1.ScatterGatherLimit, 1);
	EXPECT_EQ(t, info.V1.DmaAddressWidth, 24);
	EXPECT_EQ(t, info.V1.MinimumTransferUnit, 1);
}

static void ec_85(struct nttest *t, struct rig *r)
{
	static const ULONG lengths[] = { 2, 512, 0xfffe, SZ_64K, SZ_128K };
	struct buffer *b = buffer_new(r, SCATTERED, 0, boundary(r));
	struct request *q = hold(r);
	int i;

	REQUIRE(t, b && q);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		if (lengths[i] <= most(r))
			still(q, b->mdl, 0, lengths[i], true);
	request_release(q);
}

static void gus_set8(u8 index, u8 value)
{
	outb(index, GUS_INDEX);
	outb(value, GUS_HIGH);
}

static void gus_set16(u8 index, u16 value)
{
	outb(index, GUS_INDEX);
	outb(value, GUS_LOW);
	outb(value >> 8, GUS_HIGH);
}

static void gus_seek(u32 at)
{
	gus_set16(GUS_AT_LOW, at);
	gus_set8(GUS_AT_HIGH, at >> 16);
}

static u8 gus_peek(u32 at)
{
	gus_seek(at);
	return inb(GUS_MEMORY);
}

static bool gus_keeps(u8 value)
{
	gus_seek(0);
	outb(value, GUS_MEMORY);
	return gus_peek(0) == value;
}

/* Also makes it ready. */
static bool gus_there(void)
{
	gus_set8(GUS_RESET, 0);
	gus_set8(GUS_RESET, 1);
	return gus_keeps(0x5a) && gus_keeps(0xa5);
}

/* Whether the card has taken all that the channel was told of. */
static int gus_taken(void *arg)
{
	outb(GUS_DMA, GUS_INDEX);
	return !(inb(GUS_HIGH) & 1);
}

static void gus_take(struct nttest *t)
{
	gus_set16(GUS_DMA_START, 0);
	gus_set8(GUS_DMA, 1);
	EXPECT(t, rig_wait(gus_taken, NULL));
}

static void gus_compare(struct nttest *t, struct buffer *b)
{
	u8 *seen = kvmalloc(b->length, GFP_KERNEL);
	u32 at;

	REQUIRE(t, seen);
	for (at = 0; at < b->length; at++)
		seen[at] = gus_peek(at);
	pattern_same(t, "memory of the card", seen, b->va, b->length);
	kvfree(seen);
}

/*
 * A counter of a full-size transfer is the same at the beginning and at the
 * end. The bit that tells which is lost when another channel is programmed.
 */
static void full_size(struct nttest *t, struct rig *r, struct rig *other)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, SZ_64K);
	struct buffer *small = buffer_new(other, SCATTERED, 0, PAGE_SIZE);
	struct request *q = hold(r), *next = hold(other);
	ULONG length = SZ_64K, again = SZ_64K;

	REQUIRE(t, b && small && q && next);
	REQUIRE(t, EXPECT_EQ(t, most(r), SZ_64K));
	pattern_fill(b->va, b->length, 17);
	EXPECT(t, map(q, b->mdl, 0, &length, true));
	EXPECT_EQ(t, counter(r), SZ_64K);
	gus_take(t);
	EXPECT_EQ(t, counter(r), 0);
	still(next, small->mdl, 0, PAGE_SIZE, true);
	EXPECT_EQ(t, counter(r), 0);
	gus_compare(t, b);
	EXPECT(t, flush(q, b->mdl, 0, length, true));
	EXPECT_EQ(t, counter(r), 0);
	EXPECT(t, map(q, b->mdl, 0, &again, true));
	EXPECT_EQ(t, counter(r), SZ_64K);
	EXPECT(t, flush(q, b->mdl, 0, again, true));
	request_release(next);
	request_release(q);
}

static void ended(struct nttest *t, struct rig *r)
{
	struct rig *other;

	REQUIRE(t, request_region(GUS_PORTS, GUS_COUNT, "ntdma_test"));
	if (gus_there()) {
		other = rig_open(t, &both[0]);
		if (EXPECT(t, other)) {
			full_size(t, r, other);
			rig_close(other);
		}
	} else {
		nttest_skip(t, "no sound card with memory of its own");
	}
	release_region(GUS_PORTS, GUS_COUNT);
}

static void bounded(struct nttest *t, struct rig *r)
{
	struct request *q = request_channel(r, r->registers + 1, KeepObject);

	REQUIRE(t, q);
	EXPECT(t, r->registers * PAGE_SIZE <= boundary(r));
	EXPECT_EQ(t, request_allocate(q), STATUS_INSUFFICIENT_RESOURCES);
}

static void odd(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	struct request *q = hold(r);
	ULONG length = 511;

	REQUIRE(t, b && q);
	EXPECT_EQ(t, r->ops->GetDmaAlignment(r->adapter), 2);
	EXPECT(t, !map(q, b->mdl, 0, &length, true));
	EXPECT_EQ(t, length, 0);
	length = 512;
	EXPECT(t, !map(q, b->mdl, 1, &length, true));
	EXPECT_EQ(t, length, 0);
	EXPECT(t, !runs(r));
	still(q, b->mdl, 2, 512, true);
	request_release(q);
}

static void twice(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	struct request *q = hold(r);
	ULONG length = 512, second = 512;

	REQUIRE(t, b && q);
	EXPECT(t, map(q, b->mdl, 0, &length, true));
	EXPECT(t, !map(q, b->mdl, 512, &second, true));
	EXPECT_EQ(t, second, 0);
	EXPECT_EQ(t, counter(r), 512);
	EXPECT(t, flush(q, b->mdl, 0, 512, true));
	request_release(q);
}

static void ec_91(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q = hold(r);
	ULONG length = PAGE_SIZE;

	REQUIRE(t, b && q);
	EXPECT(t, map(q, b->mdl, 0, &length, false));
	EXPECT(t, runs(r));
	EXPECT(t, flush(q, b->mdl, 0, length, false));
	EXPECT(t, !runs(r));
	EXPECT(t, flush(q, b->mdl, 0, length, false));
	request_release(q);
}

static void freed(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q = hold(r);
	ULONG length = PAGE_SIZE;

	REQUIRE(t, b && q);
	EXPECT(t, map(q, b->mdl, 0, &length, false));
	EXPECT(t, runs(r));
	request_release(q);
	EXPECT(t, !runs(r));
	EXPECT_EQ(t, counter(r), 0);
}

static void s6(struct nttest *t, struct rig *r)
{
	ULONG length = 2 * PAGE_SIZE;
	struct request *q = hold(r);
	PHYSICAL_ADDRESS la;
	PVOID va;
	PMDL mdl;

	REQUIRE(t, q);
	va = r->ops->AllocateCommonBuffer(r->adapter, length, &la, FALSE);
	REQUIRE(t, va);
	EXPECT(t, la.QuadPart + length <= SZ_16M);
	mdl = IoAllocateMdl(va, length, FALSE, FALSE, NULL);
	if (EXPECT(t, mdl)) {
		MmBuildMdlForNonPagedPool(mdl);
		EXPECT(t, map(q, mdl, 0, &length, true));
		EXPECT_EQ(t, programmed(r), la.QuadPart);
		EXPECT(t, runs(r));
		EXPECT_EQ(t, counter(r), length);
		EXPECT(t, flush(q, mdl, 0, length, true));
		EXPECT(t, !runs(r));
		IoFreeMdl(mdl);
	}
	request_release(q);
	r->ops->FreeCommonBuffer(r->adapter, length, la, va, FALSE);
}

static void ec_92(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, boundary(r));
	struct request *q = hold(r);
	ULONG length;
	int i;

	REQUIRE(t, b && q);
	for (length = 2; length <= most(r); length *= 2) {
		ULONG mapped = length;

		EXPECT(t, map(q, b->mdl, 0, &mapped, true));
		for (i = 0; i < 8; i++)
			EXPECT_EQ(t, counter(r), length);
		EXPECT(t, flush(q, b->mdl, 0, length, true));
	}
	request_release(q);
}

static void completion(PDMA_ADAPTER adapter, PDEVICE_OBJECT object,
		       PVOID context, DMA_COMPLETION_STATUS status)
{
}

static NTSTATUS map_ex(struct request *q, PMDL mdl, u64 offset, ULONG *length,
		       PDMA_COMPLETION_ROUTINE routine)
{
	struct rig *r = q->r;
	KIRQL old = rig_raise();
	NTSTATUS status;

	status = r->ops->MapTransferEx(r->adapter, mdl, q->base, offset, 0,
				       length, TRUE, NULL, 0, routine, NULL);
	KeLowerIrql(old);
	return status;
}

static NTSTATUS flush_ex(struct request *q, PMDL mdl, u64 offset, ULONG length)
{
	struct rig *r = q->r;
	KIRQL old = rig_raise();
	NTSTATUS status;

	status = r->ops->FlushAdapterBuffersEx(r->adapter, mdl, q->base,
					       offset, length, TRUE);
	KeLowerIrql(old);
	return status;
}

/* As hold(), with a context that a cancel can name. */
static struct request *hold_ex(struct rig *r)
{
	struct request *q = request_channel(r, r->registers, KeepObject);

	if (q && EXPECT_EQ(r->t, request_allocate_ex(q, 0), STATUS_SUCCESS) &&
	    request_ran(q))
		return q;
	return NULL;
}

static void ec_104(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 3 * PAGE_SIZE);
	struct request *q = hold_ex(r);
	ULONG length = 3 * PAGE_SIZE;

	REQUIRE(t, b && q);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, NULL), STATUS_SUCCESS);
	EXPECT(t, length && length <= b->length);
	EXPECT_EQ(t, counter(r), length);
	EXPECT_EQ(t, flush_ex(q, b->mdl, 0, length), STATUS_SUCCESS);
	EXPECT(t, !runs(r));
	request_release(q);
}

static void odd_ex(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	DMA_ADAPTER_INFO info = { .Version = 1 };
	struct request *q = hold_ex(r);
	ULONG length = 511;

	REQUIRE(t, b && q);
	EXPECT_EQ(t, r->ops->GetDmaAdapterInfo(r->adapter, &info),
		  STATUS_SUCCESS);
	EXPECT_EQ(t, info.V1.MinimumTransferUnit, 2);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, length, 510);
	EXPECT_EQ(t, counter(r), 510);
	EXPECT_EQ(t, flush_ex(q, b->mdl, 0, length), STATUS_SUCCESS);
	length = 512;
	EXPECT_EQ(t, map_ex(q, b->mdl, 1, &length, NULL),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, length, 512);
	EXPECT(t, !runs(r));
	request_release(q);
}

static void s11(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q = hold_ex(r);
	ULONG length = PAGE_SIZE;

	REQUIRE(t, b && q);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, completion),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, length, PAGE_SIZE);
	EXPECT(t, !runs(r));
	EXPECT_EQ(t, flush_ex(q, b->mdl, 0, length), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, flush_ex(q, b->mdl, 0, length), STATUS_SUCCESS);
	request_release(q);
}

static void ec_126(struct nttest *t, struct rig *r)
{
	EXPECT_EQ(t, r->ops->ConfigureAdapterChannel(r->adapter, 1, NULL),
		  STATUS_NOT_IMPLEMENTED);
	EXPECT_EQ(t, r->ops->ConfigureAdapterChannel(r->adapter, 0x8000, NULL),
		  STATUS_NOT_IMPLEMENTED);
}

static void s17(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q = hold_ex(r);
	ULONG length = PAGE_SIZE;

	REQUIRE(t, b && q);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, NULL), STATUS_SUCCESS);
	EXPECT(t, runs(r));
	EXPECT_EQ(t, r->ops->CancelMappedTransfer(r->adapter, q->context),
		  STATUS_SUCCESS);
	EXPECT(t, !runs(r));
	EXPECT_EQ(t, counter(r), 0);
	EXPECT_EQ(t, r->ops->CancelMappedTransfer(r->adapter, q->context),
		  STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, NULL), STATUS_CANCELLED);
	EXPECT_EQ(t, flush_ex(q, b->mdl, 0, length), STATUS_SUCCESS);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, NULL), STATUS_SUCCESS);
	EXPECT(t, runs(r));
	EXPECT_EQ(t, flush_ex(q, b->mdl, 0, length), STATUS_SUCCESS);
	request_release(q);
}

static void s12(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 2 * PAGE_SIZE);
	struct request *q = hold_ex(r);
	ULONG length = 2 * PAGE_SIZE;
	int i;

	REQUIRE(t, b && q);
	EXPECT_EQ(t, map_ex(q, b->mdl, 0, &length, NULL), STATUS_SUCCESS);
	EXPECT_EQ(t, length, 2 * PAGE_SIZE);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(t, counter(r), length);
	EXPECT(t, runs(r));
	EXPECT_EQ(t, r->ops->CancelMappedTransfer(r->adapter, q->context),
		  STATUS_SUCCESS);
	EXPECT(t, !runs(r));
	EXPECT_EQ(t, counter(r), 0);
	EXPECT_EQ(t, flush_ex(q, b->mdl, 0, length), STATUS_SUCCESS);
	request_release(q);
}

/* One stop after the other, each complete before the next start. */
static void at_once(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, 4 * PAGE_SIZE);
	struct request *q = hold(r);
	int i;

	REQUIRE(t, b && q);
	for (i = 0; i < 200 && !t->failed; i++)
		still(q, b->mdl, i % 4 * PAGE_SIZE, PAGE_SIZE, i & 1);
	request_release(q);
}

static void no_list(struct nttest *t, struct rig *r)
{
	struct buffer *b = buffer_new(r, SCATTERED, 0, PAGE_SIZE);
	struct request *q;

	REQUIRE(t, b);
	q = request_new(r, b->mdl, 0, PAGE_SIZE, true);
	REQUIRE(t, q);
	EXPECT_EQ(t, request_submit(q, BY_GET), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(t, atomic_read(&q->calls), 0);
	EXPECT(t, !runs(r));
}

static int leaver_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver leaver = {
	.driver.name = "ntdma_isa_leaver",
};

static IO_ALLOCATION_ACTION NTAPI leaver_routine(PDEVICE_OBJECT object,
						 PIRP irp, PVOID base,
						 PVOID context)
{
	*(PVOID *)context = base;
	return KeepObject;
}

/* Asks for the channel, and has @base once it is there. */
static PDMA_ADAPTER leaver_ask(struct nttest *t, PDEVICE_OBJECT object,
			       PVOID *base)
{
	DEVICE_DESCRIPTION dd = {
		.Version = 1,
		.InterfaceType = Isa,
		.DmaChannel = BYTES,
		.DmaWidth = Width8Bits,
		.MaximumLength = PAGE_SIZE,
	};
	PDMA_ADAPTER adapter;
	ULONG registers;
	NTSTATUS status;
	KIRQL old;

	adapter = IoGetDmaAdapter(object, &dd, &registers);
	if (!EXPECT(t, adapter))
		return NULL;
	old = rig_raise();
	status = adapter->DmaOperations->AllocateAdapterChannel(adapter, object,
								registers,
								leaver_routine,
								base);
	KeLowerIrql(old);
	EXPECT_EQ(t, status, STATUS_SUCCESS);
	return adapter;
}

/* Opens an adapter, starts its channel, and gives nothing back. */
static void leaver_start(struct nttest *t, PDEVICE_OBJECT object, PMDL mdl)
{
	ULONG length = PAGE_SIZE;
	PDMA_ADAPTER adapter;
	PVOID base = NULL;
	KIRQL old;

	adapter = leaver_ask(t, object, &base);
	REQUIRE(t, adapter && EXPECT(t, base));
	old = rig_raise();
	adapter->DmaOperations->MapTransfer(adapter, mdl, base,
					    MmGetMdlVirtualAddress(mdl),
					    &length, FALSE);
	KeLowerIrql(old);
	EXPECT(t, open(BYTES));
}

static void left_with(struct nttest *t, struct platform_device *pdev,
		      PVOID memory)
{
	PDEVICE_OBJECT object = ntdma_device_create(&pdev->dev, 0);
	PMDL mdl = IoAllocateMdl(memory, PAGE_SIZE, FALSE, FALSE, NULL);
	long before = ntdma_live_objects();
	bool have = false;

	if (EXPECT(t, object && mdl)) {
		MmBuildMdlForNonPagedPool(mdl);
		leaver_start(t, object, mdl);
		device_release_driver(&pdev->dev);
		EXPECT(t, !open(BYTES));
		EXPECT_EQ(t, ntdma_live_objects(), before);
		if (EXPECT(t, rig_wait(taken, &have)))
			free_dma(BYTES);
	}
	if (mdl)
		IoFreeMdl(mdl);
	if (object)
		ntdma_device_destroy(object);
}

/* Another device's driver waits for the channel of the one that leaves. */
static void left_to(struct nttest *t, struct platform_device *pdev, PVOID memory)
{
	PDEVICE_OBJECT object = ntdma_device_create(&pdev->dev, 0);
	PMDL mdl = IoAllocateMdl(memory, PAGE_SIZE, FALSE, FALSE, NULL);
	struct rig *r = rig_open(t, &both[0]);
	struct request *q = r ? request_channel(r, 1, KeepObject) : NULL;

	if (EXPECT(t, object && mdl && q)) {
		MmBuildMdlForNonPagedPool(mdl);
		leaver_start(t, object, mdl);
		EXPECT_EQ(t, request_allocate(q), STATUS_SUCCESS);
		EXPECT_EQ(t, atomic_read(&q->calls), 0);
		device_release_driver(&pdev->dev);
		EXPECT(t, !open(BYTES));
		if (request_ran(q))
			request_release(q);
	}
	if (r)
		rig_close(r);
	if (mdl)
		IoFreeMdl(mdl);
	if (object)
		ntdma_device_destroy(object);
}

/* The one that leaves waits, between requests of another device's driver. */
static void left_queue(struct nttest *t, struct platform_device *pdev,
		       PVOID memory)
{
	PDEVICE_OBJECT object = ntdma_device_create(&pdev->dev, 0);
	struct rig *r = rig_open(t, &both[0]);
	struct request *q = r ? hold(r) : NULL;
	struct request *next = q ? request_channel(r, 1, KeepObject) : NULL;
	PVOID base = NULL;

	if (EXPECT(t, object && next)) {
		EXPECT(t, leaver_ask(t, object, &base));
		EXPECT_EQ(t, request_allocate(next), STATUS_SUCCESS);
		device_release_driver(&pdev->dev);
		EXPECT_EQ(t, atomic_read(&next->calls), 0);
		request_release(q);
		EXPECT(t, !base);
		if (request_ran(next))
			request_release(next);
		EXPECT(t, !base);
	}
	if (r)
		rig_close(r);
	if (object)
		ntdma_device_destroy(object);
}

static void with_leaver(struct nttest *t,
			void (*run)(struct nttest *t,
				    struct platform_device *pdev, PVOID memory))
{
	void *memory = (void *)get_zeroed_page(GFP_KERNEL);
	struct platform_device *pdev;

	pdev = platform_create_bundle(&leaver, leaver_probe, NULL, 0, NULL, 0);
	if (EXPECT(t, memory && !IS_ERR(pdev)))
		run(t, pdev, memory);
	if (!IS_ERR(pdev)) {
		platform_device_unregister(pdev);
		platform_driver_unregister(&leaver);
	}
	free_page((unsigned long)memory);
}

static void left(struct nttest *t)
{
	with_leaver(t, left_with);
}

static void left_to_other(struct nttest *t)
{
	with_leaver(t, left_to);
}

static void left_others(struct nttest *t)
{
	with_leaver(t, left_queue);
}

static const struct nttest_case cases[] = {
	{ "S5 channels that do not exist or have another width are NULL", rules },
	{ "S5 a channel of another driver is NULL, one just put is not", busy },
	{ "S5 what fails on the way to an adapter gives NULL", failures },
	{ "S5 pieces on one channel, the next waits for its release",
	  .run_on = s5, .kinds = both },
	{ "S5 a transfer starts at once after a flush",
	  .run_on = at_once, .kinds = both },
	{ "0xE6:23 S5 the flush is what ends a transfer",
	  .run_on = flush_ends, .kinds = both },
	{ "S5 a scatter/gather list is refused",
	  .run_on = no_list, .kinds = both },
	{ "S22 two adapters of a channel take turns",
	  .run_on = s22, .kinds = both },
	{ "EC-14 memory of any kind is below 16 MiB",
	  .run_on = ec_14, .kinds = both },
	{ "EC-14 a run does not cross 64 or 128 KiB",
	  .run_on = crossing, .kinds = both },
	{ "EC-16 limits are the controller's",
	  .run_on = ec_16, .kinds = version3 },
	{ "EC-85 exactly Length bytes are programmed",
	  .run_on = ec_85, .kinds = both },
	{ "EC-85 registers bound a transfer to 64 or 128 KiB",
	  .run_on = bounded, .kinds = both },
	{ "EC-85 odd bytes on a channel of words are refused",
	  .run_on = odd, .kinds = words },
	{ "EC-85 a second transfer before the flush is refused",
	  .run_on = twice, .kinds = both },
	{ "EC-91 a flush stops the channel, again does no harm",
	  .run_on = ec_91, .kinds = both },
	{ "EC-91 FreeAdapterChannel stops the channel",
	  .run_on = freed, .kinds = both },
	{ "S6 a looping common buffer is used where it is",
	  .run_on = s6, .kinds = loops },
	{ "EC-92 a loop that has not begun has all bytes left",
	  .run_on = ec_92, .kinds = loops },
	{ "S5 EC-85 a device takes all of 64 KiB, and the counter knows",
	  .run_on = ended, .kinds = gus },
	{ "EC-104 MapTransferEx without a list",
	  .run_on = ec_104, .kinds = version3 },
	{ "EC-111 MapTransferEx of odd bytes on a channel of words",
	  .run_on = odd_ex, .kinds = words3 },
	{ "S11 a completion routine is refused, nothing starts",
	  .run_on = s11, .kinds = version3 },
	{ "S17 a cancel stops the channel, once",
	  .run_on = s17, .kinds = version3 },
	{ "S12 a loop of version 3 has its counter and its end",
	  .run_on = s12, .kinds = loops3 },
	{ "S26 a driver that leaves has its channel stopped and free", left },
	{ "S26 S22 a driver that leaves makes way for another's", left_to_other },
	{ "S26 S22 a driver that leaves does not wait, others do", left_others },
	{ "EC-126 no functions",
	  .run_on = ec_126, .kinds = version3 },
	{ }
};

const struct nttest_suite nttest_isa = { .name = "isa", .cases = cases };
