/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ntdma.ko offers to its tests, exported in the namespace
 * NTDMA_INTERNAL.
 *
 * Counters tell what a driver cannot see through the operations table; the
 * failure switch makes one chosen allocation or mapping inside ntdma fail, so
 * that a test can walk through every failure path of a call.
 */
#ifndef NTDMA_TEST_HOOKS_H
#define NTDMA_TEST_HOOKS_H

#include <linux/types.h>

struct device;
struct _KEVENT;

/* Adapters, lists, held map registers and common buffers alive, all devices. */
long ntdma_live_objects(void);

/* Calls refused because the object was put already or is another adapter's. */
long ntdma_refused(void);

/*
 * The @n-th allocation or mapping from now on fails, once: 0 none, -1 every
 * allocation but no mapping, -2 every mapping but no allocation. Setting it
 * forgets whether an earlier one failed.
 */
void ntdma_fail_nth(int n);

/* Called where something fails by arrangement, in any context; NULL for none. */
void ntdma_fail_call(void (*hook)(void));

/* Adapters that are opened from now on prepare for mappings that fail. */
void ntdma_fail_expect(bool on);

/*
 * Adapters of @dev that are opened from now on take it for a device that does
 * not share the processor's cache; NULL for none.
 */
void ntdma_shares_no_cache(const struct device *dev);

/* Whether the parameter `bounce` is on: no memory is reached where it is. */
bool ntdma_bounces_all(void);

/* Threads that wait for an event. */
unsigned int ntdma_event_waiters(const struct _KEVENT *event);

/* Whether ntdma_fail_nth() made something fail since it was set. */
bool ntdma_fail_hit(void);

/* Verify mode, and how often the misuse with a code of 0xE6 was noticed. */
void ntdma_verify_set(bool on);
long ntdma_misused(unsigned int code);

#endif /* NTDMA_TEST_HOOKS_H */
