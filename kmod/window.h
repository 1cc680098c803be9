/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between window.c, which knows the IOMMU, and those who want an address of
 * their choice.
 */
#ifndef NTDMA_WINDOW_H
#define NTDMA_WINDOW_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/types.h>

struct device;
struct ntdma_device;
struct ntdma_space;

/**
 * struct ntdma_span - a range of addresses in a space
 * @link: among the spans of the space, by address; unused when not reserved
 * @space: where it is reserved, or NULL
 * @first: first address
 * @last: last address
 * @mapped: bytes from @first on that are mapped
 */
struct ntdma_span {
	struct list_head link;
	struct ntdma_space *space;
	u64 first;
	u64 last;
	u64 mapped;
};

/**
 * struct ntdma_range - what a span must be like
 * @min: lowest address allowed
 * @last: highest address allowed
 * @size: in bytes, a multiple of the page size
 * @unit: alignment, a power of two, at least a page
 */
struct ntdma_range {
	u64 min;
	u64 last;
	u64 size;
	u64 unit;
};

#if IS_ENABLED(CONFIG_IOMMU_API)
int ntdma_space_join(struct ntdma_device *device, u64 last);
u64 ntdma_space_leave(struct ntdma_device *device);
void ntdma_space_renew(struct ntdma_device *device, u64 last);
u64 ntdma_space_floor(const struct ntdma_space *space);
bool ntdma_space_lower(struct ntdma_space *space, u64 floor);
bool ntdma_space_room(struct ntdma_space *space,
		      const struct ntdma_range *range);
bool ntdma_space_again(struct ntdma_space *space,
		       const struct ntdma_range *range, unsigned int *asked);
bool ntdma_space_fit(struct ntdma_space *space,
		     const struct ntdma_range *range, u64 *first);
bool ntdma_span_reserve(struct ntdma_space *space, struct ntdma_span *span,
			const struct ntdma_range *range);
bool ntdma_span_map(struct ntdma_span *span, struct device *dev,
		    phys_addr_t phys, u64 size, enum dma_data_direction dir);
void ntdma_span_release(struct ntdma_span *span);
#else
static inline int ntdma_space_join(struct ntdma_device *device, u64 last)
{
	return 0;
}

static inline u64 ntdma_space_leave(struct ntdma_device *device)
{
	return U64_MAX;
}

static inline void ntdma_space_renew(struct ntdma_device *device, u64 last)
{
}

static inline u64 ntdma_space_floor(const struct ntdma_space *space)
{
	return 0;
}

static inline bool ntdma_space_lower(struct ntdma_space *space, u64 floor)
{
	return false;
}

static inline bool ntdma_space_room(struct ntdma_space *space,
				    const struct ntdma_range *range)
{
	return true;
}

static inline bool ntdma_space_again(struct ntdma_space *space,
				     const struct ntdma_range *range,
				     unsigned int *asked)
{
	return !(*asked)++;
}

static inline bool ntdma_space_fit(struct ntdma_space *space,
				   const struct ntdma_range *range, u64 *first)
{
	return false;
}

static inline bool ntdma_span_reserve(struct ntdma_space *space,
				      struct ntdma_span *span,
				      const struct ntdma_range *range)
{
	return false;
}

static inline bool ntdma_span_map(struct ntdma_span *span, struct device *dev,
				  phys_addr_t phys, u64 size,
				  enum dma_data_direction dir)
{
	return false;
}

static inline void ntdma_span_release(struct ntdma_span *span)
{
}
#endif

#endif /* NTDMA_WINDOW_H */
