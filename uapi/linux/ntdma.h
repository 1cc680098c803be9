/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What user space reads from ntdma.
 */
#ifndef _UAPI_LINUX_NTDMA_H
#define _UAPI_LINUX_NTDMA_H

/**
 * enum ntdma_rule - a way to misuse the interface
 * @NTDMA_RULE_FREED_BUFFER: FreeCommonBuffer of no live buffer, or with other
 *	arguments than it was allocated with
 * @NTDMA_RULE_FREED_CHANNEL: FreeAdapterChannel when nobody holds the channel
 * @NTDMA_RULE_FREED_REGISTERS: FreeMapRegisters of no live registers
 * @NTDMA_RULE_FREED_LIST: PutScatterGatherList of no live list
 * @NTDMA_RULE_LEFT_BUFFERS: PutDmaAdapter with common buffers alive
 * @NTDMA_RULE_LEFT_REGISTERS: PutDmaAdapter with map registers alive
 * @NTDMA_RULE_LEFT_LISTS: PutDmaAdapter with lists alive
 * @NTDMA_RULE_OVERRUN: written outside a common buffer, a transfer that is
 *	copied, or a list
 * @NTDMA_RULE_STILL_MAPPED: FreeMapRegisters before the flush
 * @NTDMA_RULE_IRQL: called below DISPATCH_LEVEL
 * @NTDMA_RULE_NO_REGISTERS: a transfer with no live registers
 * @NTDMA_RULE_NOT_MAPPED: flush of what is not mapped
 * @NTDMA_RULE_DEAD_ADAPTER: PutDmaAdapter of no live adapter
 * @NTDMA_RULE_OUTSIDE_MDL: an address outside the MDL, or no page frames in it
 * @NTDMA_RULE_MAPPED_TWICE: mapped again before the flush, or in the other
 *	direction
 * @NTDMA_RULE_NO_LENGTH: a transfer of no bytes
 * @NTDMA_RULE_FLUSHED_RUNNING: flush of a system transfer that has neither
 *	ended nor was cancelled, and is no loop
 * @NTDMA_RULE_CONTEXT: a transfer context that was not initialised
 * @NTDMA_RULE_VERSION: a device description of an unknown version
 * @NTDMA_RULES: one more than the highest
 *
 * The values are the codes with which Windows' driver verifier reports the
 * same thing (bug check 0xE6). They are the field ``rule`` of the trace event
 * ntdma:ntdma_misuse, and the number in the reports of verify mode.
 */
enum ntdma_rule {
	NTDMA_RULE_FREED_BUFFER = 0x03,
	NTDMA_RULE_FREED_CHANNEL = 0x04,
	NTDMA_RULE_FREED_REGISTERS = 0x05,
	NTDMA_RULE_FREED_LIST = 0x06,
	NTDMA_RULE_LEFT_BUFFERS = 0x07,
	NTDMA_RULE_LEFT_REGISTERS = 0x09,
	NTDMA_RULE_LEFT_LISTS = 0x0A,
	NTDMA_RULE_OVERRUN = 0x0F,
	NTDMA_RULE_STILL_MAPPED = 0x10,
	NTDMA_RULE_IRQL = 0x13,
	NTDMA_RULE_NO_REGISTERS = 0x15,
	NTDMA_RULE_NOT_MAPPED = 0x16,
	NTDMA_RULE_DEAD_ADAPTER = 0x18,
	NTDMA_RULE_OUTSIDE_MDL = 0x1B,
	NTDMA_RULE_MAPPED_TWICE = 0x1D,
	NTDMA_RULE_NO_LENGTH = 0x21,
	NTDMA_RULE_FLUSHED_RUNNING = 0x23,
	NTDMA_RULE_CONTEXT = 0x24,
	NTDMA_RULE_VERSION = 0x25,
	NTDMA_RULES = 0x26,
};

#endif /* _UAPI_LINUX_NTDMA_H */
