// SPDX-License-Identifier: GPL-2.0
/*
 * The operations tables, one per version.
 *
 * Size ends behind the last routine of its version: clients compare it for
 * equality, and probe for newer routines with it. What is behind it is NULL.
 * Version 3 has all that there is; CreateCommonBufferFromMdl is its last.
 */
#include "ntdma.h"
#include "table.h"

static const DMA_OPERATIONS ntdma_tables[] = {
	{ .Size = NTDMA_SIZE1, NTDMA_VERSION1(ntdma) },
	{ .Size = NTDMA_SIZE2, NTDMA_VERSION2(ntdma) },
	{ .Size = NTDMA_SIZE3, NTDMA_VERSION3(ntdma) },
};

/**
 * ntdma_table() - the operations of a version
 * @version: 1 to 3
 *
 * Context: any.
 * Return: the table, shared by all adapters and read-only for clients too.
 */
PDMA_OPERATIONS ntdma_table(u8 version)
{
	return (PDMA_OPERATIONS)&ntdma_tables[version - 1];
}
