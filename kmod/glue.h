/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Linux side of a ported driver needs beside wdm.h.
 *
 * A ported driver consists of its Windows sources, which include wdm.h and
 * nothing else, and a small Linux file that registers with the bus and hands
 * the device over. This header is for that file: include the Linux headers
 * first, then this one.
 */
#ifndef NTDMA_GLUE_H
#define NTDMA_GLUE_H

#include <linux/device.h>
#define NTDMA_LINUX_NAMES
#include "wdm.h"

/*
 * A device object stands for a struct device, which it keeps alive. It has
 * @extension_size zeroed bytes behind DeviceExtension, CurrentIrp NULL and
 * AlignmentRequirement 0. Several device objects may stand for one device.
 */
PDEVICE_OBJECT ntdma_device_create(struct device *dev, size_t extension_size);
void ntdma_device_destroy(PDEVICE_OBJECT device_object);
struct device *ntdma_device_of(PDEVICE_OBJECT device_object);

/* What probe() returns for the status with which the WDM half refused to start. */
int ntdma_errno(NTSTATUS status);

/*
 * IoGetDmaAdapter with an error, so that a probe may be put off: -EPROBE_DEFER
 * while the DMA controller that the description names has no driver yet.
 */
PDMA_ADAPTER ntdma_request_adapter(struct module *owner,
				   PDEVICE_OBJECT device_object,
				   PDEVICE_DESCRIPTION description,
				   PULONG registers);

struct dma_chan;

/* Returns an NTSTATUS. */
typedef int (*ntdma_channel_hook)(struct dma_chan *chan, u32 function,
				  void *argument);

/*
 * Names the DMA channel behind a request line where the firmware does not (or
 * NULL where it does), and says who takes the vendor's functions of
 * ConfigureAdapterChannel (or NULL).
 */
int ntdma_device_channel(struct device *dev, u32 line, const char *name,
			 ntdma_channel_hook hook);

#endif /* NTDMA_GLUE_H */
