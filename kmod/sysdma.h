/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of ConfigureAdapterChannel on system DMA, for ported drivers.
 *
 * Settings are those of one adapter, for its transfers only, until it is put;
 * they want none of its transfers to run.
 */
#ifndef NTDMA_SYSDMA_H
#define NTDMA_SYSDMA_H

/* Argument: struct ntdma_channel_config. */
#define NTDMA_CHANNEL_CONFIG		1
/* No argument; the controller keeps its place. */
#define NTDMA_CHANNEL_PAUSE		2
#define NTDMA_CHANNEL_RESUME		3
/*
 * Argument: pointer to a ULONG, data items of one burst, 1 to 65535 as far as
 * the controller has them.
 */
#define NTDMA_CHANNEL_BURST		4
/* Argument: struct ntdma_channel_blob. */
#define NTDMA_CHANNEL_PERIPHERAL	5
/* From here on the numbers are those of the controller's own hook. */
#define NTDMA_CHANNEL_VENDOR		0x8000

/**
 * struct ntdma_channel_config - how the controller serves the device
 * @size: of this, in bytes
 * @width: of the data register, 1, 2, 4 or 8 bytes; 0 for DmaWidth
 * @burst: data items of one burst, 1 to 65535 as far as the controller has
 *	them; 0 for the fewest
 * @flow: 1 when the device, not the controller, ends a transfer; else 0
 */
struct ntdma_channel_config {
	ULONG size;
	ULONG width;
	ULONG burst;
	ULONG flow;
};

#define NTDMA_CHANNEL_BLOB_SIZE	256

/**
 * struct ntdma_channel_blob - what the controller's driver wants to know
 * @data: is copied
 * @size: in bytes, up to NTDMA_CHANNEL_BLOB_SIZE; 0, without @data, for nothing
 */
struct ntdma_channel_blob {
	PVOID data;
	SIZE_T size;
};

#endif /* NTDMA_SYSDMA_H */
