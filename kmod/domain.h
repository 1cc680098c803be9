/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between domain.c and those whose memory and adapters are in domains.
 */
#ifndef NTDMA_DOMAIN_H
#define NTDMA_DOMAIN_H

#include "ntdma.h"

NTSTATUS ntdma_shared_create(struct ntdma_adapter *adapter, HANDLE handle,
			     const struct ntdma_want *want,
			     struct ntdma_block *block,
			     struct ntdma_shared **out);
void ntdma_shared_destroy(struct ntdma_adapter *adapter,
			  struct ntdma_shared *shared);
void ntdma_domain_leave(struct ntdma_adapter *adapter);
void ntdma_domain_orphan(struct ntdma_device *device);

#endif /* NTDMA_DOMAIN_H */
