/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a case of system DMA works with: a client device whose lines are those
 * of the mock controller, adapters of it, and jobs, which are transfers with
 * their completion.
 */
#ifndef NTTEST_SYS_H
#define NTTEST_SYS_H

#include <linux/completion.h>
#include <linux/sizes.h>
#include "dmac.h"
#include "request.h"

struct platform_device;

#define SYS_RIGS	4
#define SYS_LENGTH	((ULONG)DMAC_STREAM)
#define SYS_COMPLETION	msecs_to_jiffies(RIG_PATIENCE)

/**
 * struct sys - the bench
 * @t: the case
 * @dmac: the controller, on the test device
 * @pdev: the client, another device
 * @rigs: adapters of the client, closed behind the case
 * @count: number of @rigs
 */
struct sys {
	struct nttest *t;
	struct dmac *dmac;
	struct platform_device *pdev;
	struct rig *rigs[SYS_RIGS];
	int count;
};

/**
 * struct job - a transfer by a channel
 * @r: the adapter
 * @line: the line that does it
 * @q: the request that holds the channel, with the memory
 * @mapped: what MapTransferEx made of the length
 * @calls: completions seen
 * @seen: @mapped at the first completion
 * @status: of the last completion
 * @irql: of the last completion
 * @adapter: given to the last completion
 * @object: given to the last completion
 * @hook: called in the completion, or NULL
 * @done: completed at least once
 */
struct job {
	struct rig *r;
	struct dmac_line *line;
	struct request *q;
	ULONG mapped;
	atomic_t calls;
	ULONG seen;
	DMA_COMPLETION_STATUS status;
	KIRQL irql;
	PDMA_ADAPTER adapter;
	PDEVICE_OBJECT object;
	void (*hook)(struct job *j);
	struct completion done;
};

int sys_init(struct nttest *t);
void sys_exit(struct nttest *t);
void sys_describe(DEVICE_DESCRIPTION *dd, ULONG version, ULONG line);
bool sys_opens_on(struct nttest *t, struct device *dev, DEVICE_DESCRIPTION *dd);
bool sys_opens(struct sys *s, DEVICE_DESCRIPTION *dd);
struct rig *sys_open_as(struct sys *s, DEVICE_DESCRIPTION *dd);
struct rig *sys_open(struct sys *s, ULONG version, ULONG line);
NTSTATUS sys_configure(struct rig *r, ULONG function, PVOID argument);

bool job_init(struct job *j, struct sys *s, struct rig *r, ULONG line);
bool job_hold(struct job *j, PMDL mdl, ULONG length, bool write);
bool job_begin(struct job *j, struct sys *s, struct rig *r, ULONG line,
	       size_t length, bool write);
void job_load(struct job *j, u64 offset, ULONG length);
NTSTATUS job_map(struct job *j, u64 offset, ULONG length, ULONG device_offset);
NTSTATUS job_flush(struct job *j, u64 offset, ULONG length);
NTSTATUS job_cancel(struct job *j);
bool job_started(struct job *j);
bool job_completed(struct job *j, DMA_COMPLETION_STATUS status);
void job_check(struct job *j, u64 offset, ULONG length);
void job_piece(struct job *j, ULONG at, ULONG length);
void job_packet(struct job *j, ULONG at, ULONG length);
ULONG job_packet_map(struct job *j, ULONG at, ULONG length);
void job_packet_flush(struct job *j, ULONG at, ULONG length);
void NTAPI job_done(PDMA_ADAPTER adapter, PDEVICE_OBJECT object, PVOID context,
		    DMA_COMPLETION_STATUS status);

#endif /* NTTEST_SYS_H */
