/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A request for a list or for a channel, as a driver would keep one: what was
 * asked for, what the routine saw, and what is held since.
 */
#ifndef NTTEST_REQUEST_H
#define NTTEST_REQUEST_H

#include <linux/completion.h>
#include "buffer.h"

/**
 * enum producer - the ways to a scatter/gather list
 * @BY_GET: GetScatterGatherList
 * @BY_BUILD: BuildScatterGatherList
 * @BY_GET_EX: GetScatterGatherListEx with a routine
 * @BY_BUILD_EX: BuildScatterGatherListEx with a routine
 * @BY_GET_SYNC: GetScatterGatherListEx, synchronous, without a routine
 * @BY_BUILD_SYNC: BuildScatterGatherListEx, synchronous, without a routine
 * @PRODUCERS: their number
 */
enum producer {
	BY_GET, BY_BUILD, BY_GET_EX, BY_BUILD_EX, BY_GET_SYNC, BY_BUILD_SYNC,
	PRODUCERS
};

/**
 * struct request - one request and its outcome
 * @node: in the rig's list
 * @r: whose it is
 * @from: device object that makes it
 * @mdl: chain to transfer, NULL for a channel alone
 * @offset: first byte in the chain
 * @length: bytes to transfer
 * @write: memory to device
 * @image: what the whole chain holds for the device or gets from it
 * @room: caller's memory for the list, @size bytes
 * @size: bytes at @room
 * @raw: memory around @context
 * @context: transfer context, at an odd address
 * @registers: map registers asked for
 * @action: what the channel routine returns
 * @hook: called inside the routine, or NULL
 * @arg: for @hook
 * @calls: how often the routine ran
 * @early: how often before the call that made the request returned
 * @turn: its place among the routines of the rig
 * @irql: what it saw
 * @object: what it was given
 * @irp: what it was given
 * @thread: where it ran
 * @base: map register base that was given
 * @list: list that was given and not yet put
 * @held: the channel (KeepObject) or registers (DeallocateObjectKeepRegisters)
 *	are held; DeallocateObject when nothing is
 * @queued: the call was accepted and the routine may be still to come
 * @done: the routine ran
 */
struct request {
	struct list_head node;
	struct rig *r;
	PDEVICE_OBJECT from;
	PMDL mdl;
	u64 offset;
	ULONG length;
	bool write;
	u8 *image;
	void *room;
	ULONG size;
	u8 *raw;
	void *context;
	ULONG registers;
	IO_ALLOCATION_ACTION action;
	void (*hook)(struct request *q);
	void *arg;
	atomic_t calls;
	int early;
	int turn;
	KIRQL irql;
	PDEVICE_OBJECT object;
	PIRP irp;
	struct task_struct *thread;
	PVOID base;
	PSCATTER_GATHER_LIST list;
	IO_ALLOCATION_ACTION held;
	bool queued;
	struct completion done;
};

struct request *request_new(struct rig *r, PMDL mdl, u64 offset, ULONG length,
			    bool write);
void request_free(struct request *q);
bool request_prepare(struct request *q);
bool request_ran(struct request *q);

/* Lists */
ULONG request_list_size(struct request *q);
bool request_make_room(struct request *q, ULONG size);
NTSTATUS request_submit(struct request *q, enum producer how);
bool request_list(struct request *q, enum producer how);
void request_check_list(struct request *q);
void request_move(struct request *q);
void request_check_memory(struct request *q);
void request_put(struct request *q);
void request_finish(struct request *q);
void request_transfer(struct rig *r, PMDL mdl, u64 offset, ULONG length,
		      bool write, enum producer how);

/* Channels */
struct request *request_channel(struct rig *r, ULONG registers,
				IO_ALLOCATION_ACTION action);
NTSTATUS request_allocate(struct request *q);
NTSTATUS request_allocate_ex(struct request *q, ULONG flags);
NTSTATUS request_allocate_sync(struct request *q);
void request_release(struct request *q);
struct request *request_hold(struct rig *r);

/* How deep routines run within routines */
#define STACK_BOUND	(THREAD_SIZE / 2)
void stack_begin(void);
void stack_note(struct request *unused);
unsigned long stack_span(void);

void NTAPI request_list_routine(PDEVICE_OBJECT object, PIRP irp,
				PSCATTER_GATHER_LIST list, PVOID context);
IO_ALLOCATION_ACTION NTAPI request_channel_routine(PDEVICE_OBJECT object,
						   PIRP irp, PVOID base,
						   PVOID context);

int request_sweep(struct rig *r, struct buffer *b, enum producer how, bool write);

#endif /* NTTEST_REQUEST_H */
