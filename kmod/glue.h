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

#endif /* NTDMA_GLUE_H */
