/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What user space reads from ntdma.
 */
#ifndef _UAPI_LINUX_NTDMA_H
#define _UAPI_LINUX_NTDMA_H

/**
 * enum ntdma_rule - a way to misuse the interface
 * @NTDMA_RULE_TOO_LONG: MapTransfer of more than the map registers take, or a
 *	flush of more than is mapped
 * @NTDMA_RULE_FREED_BUFFER: FreeCommonBuffer of no live buffer, or with other
 *	arguments than it was allocated with
 * @NTDMA_RULE_FREED_CHANNEL: FreeAdapterChannel when nobody holds the channel
 * @NTDMA_RULE_FREED_REGISTERS: FreeMapRegisters of no live registers
 * @NTDMA_RULE_FREED_LIST: PutScatterGatherList of no live list
 * @NTDMA_RULE_LEFT_BUFFERS: PutDmaAdapter with common buffers alive
 * @NTDMA_RULE_LEFT_CHANNEL: PutDmaAdapter with the channel held
 * @NTDMA_RULE_LEFT_REGISTERS: PutDmaAdapter with map registers alive
 * @NTDMA_RULE_LEFT_LISTS: PutDmaAdapter with lists alive
 * @NTDMA_RULE_CHANNELS: AllocateAdapterChannel for a device object that waits
 *	for one already
 * @NTDMA_RULE_REGISTERS: more map registers asked for than granted
 * @NTDMA_RULE_OVERRUN: written outside a common buffer, a transfer that is
 *	copied, or a list
 * @NTDMA_RULE_STILL_MAPPED: FreeMapRegisters before the flush
 * @NTDMA_RULE_LEFT_WAITERS: PutDmaAdapter with requests waiting
 * @NTDMA_RULE_IRQL: called at a level that the routine is not for
 * @NTDMA_RULE_NO_REGISTERS: a transfer with no live registers
 * @NTDMA_RULE_NOT_MAPPED: flush of other bytes than are mapped
 * @NTDMA_RULE_DEAD_ADAPTER: a call with an adapter that was put
 * @NTDMA_RULE_NO_ADAPTER: a call with no adapter
 * @NTDMA_RULE_OUTSIDE_MDL: an address outside the MDL, or no page frames in it
 * @NTDMA_RULE_MAPPED_TWICE: mapped again before the flush, or in the other
 *	direction
 * @NTDMA_RULE_NOTHING_MAPPED: flush under registers that map nothing
 * @NTDMA_RULE_NO_LENGTH: a transfer of no bytes
 * @NTDMA_RULE_FLUSHED_RUNNING: flush of a system transfer, no loop, before its
 *	completion routine was called
 * @NTDMA_RULE_OUTSIDE_CHAIN: an offset or a length that the MDLs do not have
 * @NTDMA_RULE_VERSION: a device description of an unknown version
 * @NTDMA_RULES: one more than the highest
 *
 * The values are the codes with which Windows' driver verifier reports the
 * same thing (bug check 0xE6). They are the field ``rule`` of the trace event
 * ntdma:ntdma_misuse, and the number in the reports of verify mode.
 */
enum ntdma_rule {
	NTDMA_RULE_TOO_LONG = 0x00,
	NTDMA_RULE_FREED_BUFFER = 0x03,
	NTDMA_RULE_FREED_CHANNEL = 0x04,
	NTDMA_RULE_FREED_REGISTERS = 0x05,
	NTDMA_RULE_FREED_LIST = 0x06,
	NTDMA_RULE_LEFT_BUFFERS = 0x07,
	NTDMA_RULE_LEFT_CHANNEL = 0x08,
	NTDMA_RULE_LEFT_REGISTERS = 0x09,
	NTDMA_RULE_LEFT_LISTS = 0x0A,
	NTDMA_RULE_CHANNELS = 0x0B,
	NTDMA_RULE_REGISTERS = 0x0C,
	NTDMA_RULE_OVERRUN = 0x0F,
	NTDMA_RULE_STILL_MAPPED = 0x10,
	NTDMA_RULE_LEFT_WAITERS = 0x11,
	NTDMA_RULE_IRQL = 0x13,
	NTDMA_RULE_NO_REGISTERS = 0x15,
	NTDMA_RULE_NOT_MAPPED = 0x16,
	NTDMA_RULE_DEAD_ADAPTER = 0x18,
	NTDMA_RULE_NO_ADAPTER = 0x19,
	NTDMA_RULE_OUTSIDE_MDL = 0x1B,
	NTDMA_RULE_MAPPED_TWICE = 0x1D,
	NTDMA_RULE_NOTHING_MAPPED = 0x20,
	NTDMA_RULE_NO_LENGTH = 0x21,
	NTDMA_RULE_FLUSHED_RUNNING = 0x23,
	NTDMA_RULE_OUTSIDE_CHAIN = 0x24,
	NTDMA_RULE_VERSION = 0x25,
	NTDMA_RULES = 0x26,
};

#endif /* _UAPI_LINUX_NTDMA_H */
