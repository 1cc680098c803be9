// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping by pieces. Offsets count from the start of the request's MDL; what
 * the device moves for a piece are the bytes of the request's image there.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "piece.h"

/* A request that is to hold @registers for a transfer of the whole of @mdl. */
struct request *piece_new(struct rig *r, PMDL mdl, ULONG registers, bool write)
{
	struct request *q = request_new(r, mdl, 0, mdl_bytes(mdl), write);

	if (!q)
		return NULL;
	q->registers = registers;
	q->action = DeallocateObjectKeepRegisters;
	return q;
}

/* The same that holds them, by AllocateAdapterChannel. */
struct request *piece_request(struct rig *r, PMDL mdl, ULONG registers, bool write)
{
	struct request *q = piece_new(r, mdl, registers, write);

	if (q && EXPECT_EQ(r->t, request_allocate(q), STATUS_SUCCESS) &&
	    request_ran(q))
		return q;
	return NULL;
}

/* The same by AllocateAdapterChannelEx. */
struct request *piece_request_ex(struct rig *r, PMDL mdl, ULONG registers,
				 ULONG flags, bool write)
{
	struct request *q = piece_new(r, mdl, registers, write);

	if (q && EXPECT_EQ(r->t, request_allocate_ex(q, flags), STATUS_SUCCESS) &&
	    request_ran(q))
		return q;
	return NULL;
}

static void check_range(struct request *q, u64 la, ULONG length)
{
	EXPECT(q->r->t, la + length - 1 >= la);
	EXPECT(q->r->t, la + length - 1 <= q->r->bus.last);
}

/* MapTransfer alone; the length that it mapped, 0 when it failed. */
ULONG piece_map_only(struct request *q, u64 at, ULONG want, u64 *la)
{
	struct rig *r = q->r;
	PHYSICAL_ADDRESS address;
	ULONG length = want;

	address = r->ops->MapTransfer(r->adapter, q->mdl, q->base,
				      MmGetMdlVirtualAddress(q->mdl) + at, &length,
				      q->write);
	*la = address.QuadPart;
	if (!length) {
		EXPECT_EQ(r->t, *la, 0);
		return 0;
	}
	EXPECT(r->t, length <= want);
	if (r->kind->single)
		EXPECT_EQ(r->t, length, want);
	check_range(q, *la, length);
	return length;
}

/* The device moves the image's bytes from @at on over @la. */
bool piece_device(struct request *q, u64 at, u64 la, ULONG length)
{
	struct nttest *t = q->r->t;
	ULONG part, done;
	u8 seen[256];

	if (!q->write)
		return EXPECT_EQ(t, bus_write(&q->r->bus, la, q->image + at, length), 0);
	for (done = 0; done < length; done += part) {
		part = min_t(ULONG, length - done, sizeof(seen));
		if (!EXPECT_EQ(t, bus_read(&q->r->bus, la + done, seen, part), 0) ||
		    !pattern_same(t, "the device", seen, q->image + at + done, part))
			return false;
	}
	return true;
}

/* MapTransfer and the device's part. */
ULONG piece_map(struct request *q, u64 at, ULONG want)
{
	ULONG length;
	u64 la;

	length = piece_map_only(q, at, want, &la);
	if (!EXPECT(q->r->t, length) || !piece_device(q, at, la, length))
		return 0;
	return length;
}

/* As many MapTransfers as @length bytes take; how many that were. */
ULONG piece_map_all(struct request *q, u64 at, ULONG length)
{
	ULONG done, pieces = 0;

	for (; length; length -= done, at += done) {
		done = piece_map(q, at, length);
		if (!done)
			return 0;
		pieces++;
	}
	return pieces;
}

void piece_flush(struct request *q, u64 at, ULONG length)
{
	struct rig *r = q->r;

	EXPECT(r->t, r->ops->FlushAdapterBuffers(r->adapter, q->mdl, q->base,
						 MmGetMdlVirtualAddress(q->mdl) + at,
						 length, q->write));
}

/* MapTransferEx with a list of @size bytes in the request's room. */
NTSTATUS piece_map_only_ex(struct request *q, u64 at, ULONG *length, ULONG size)
{
	struct rig *r = q->r;

	if (!request_make_room(q, size ?: 1))
		return STATUS_NO_MEMORY;
	memset(q->room, 0xff, size);
	return r->ops->MapTransferEx(r->adapter, q->mdl, q->base, at, 0, length,
				     q->write, size ? q->room : NULL, size, NULL, NULL);
}

static bool elements_moved(struct request *q, u64 at, ULONG length, ULONG most)
{
	PSCATTER_GATHER_LIST list = q->room;
	ULONG i, sum = 0;

	EXPECT(q->r->t, list->NumberOfElements >= 1);
	EXPECT_EQ(q->r->t, list->Reserved, 0);
	if (!EXPECT(q->r->t, list->NumberOfElements <= most))
		return false;
	if (q->r->kind->single && !q->mdl->Next)
		EXPECT_EQ(q->r->t, list->NumberOfElements, 1);
	for (i = 0; i < list->NumberOfElements; i++) {
		const SCATTER_GATHER_ELEMENT *e = &list->Elements[i];

		if (!EXPECT(q->r->t, e->Length && e->Length <= length - sum))
			return false;
		check_range(q, e->Address.QuadPart, e->Length);
		if (!piece_device(q, at + sum, e->Address.QuadPart, e->Length))
			return false;
		sum += e->Length;
	}
	return EXPECT_EQ(q->r->t, sum, length);
}

/* MapTransferEx with room for @elements, and the device's part. */
ULONG piece_map_ex(struct request *q, u64 at, ULONG want, ULONG elements)
{
	ULONG length = want, size = sizeof(SCATTER_GATHER_LIST) +
				    elements * sizeof(SCATTER_GATHER_ELEMENT);

	if (!EXPECT_EQ(q->r->t, piece_map_only_ex(q, at, &length, size),
		       STATUS_SUCCESS) ||
	    !EXPECT(q->r->t, length && length <= want) ||
	    !elements_moved(q, at, length, elements))
		return 0;
	return length;
}

void piece_flush_ex(struct request *q, u64 at, ULONG length)
{
	struct rig *r = q->r;

	EXPECT_EQ(r->t, STATUS_SUCCESS,
		  r->ops->FlushAdapterBuffersEx(r->adapter, q->mdl, q->base, at, length,
						q->write));
}
