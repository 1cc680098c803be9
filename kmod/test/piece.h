/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping by pieces: MapTransfer and MapTransferEx on the registers that a
 * request holds, the device's part of each piece, and the flush.
 */
#ifndef NTTEST_PIECE_H
#define NTTEST_PIECE_H

#include "request.h"

struct request *piece_new(struct rig *r, PMDL mdl, ULONG registers, bool write);
struct request *piece_request(struct rig *r, PMDL mdl, ULONG registers, bool write);
struct request *piece_request_ex(struct rig *r, PMDL mdl, ULONG registers,
				 ULONG flags, bool write);
ULONG piece_map_only(struct request *q, u64 at, ULONG want, u64 *la);
bool piece_device(struct request *q, u64 at, u64 la, ULONG length);
ULONG piece_map(struct request *q, u64 at, ULONG want);
ULONG piece_map_all(struct request *q, u64 at, ULONG length);
void piece_flush(struct request *q, u64 at, ULONG length);

NTSTATUS piece_map_only_ex(struct request *q, u64 at, ULONG *length, ULONG size);
ULONG piece_map_ex(struct request *q, u64 at, ULONG want, ULONG elements);
void piece_flush_ex(struct request *q, u64 at, ULONG length);

#endif /* NTTEST_PIECE_H */
