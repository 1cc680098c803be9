// SPDX-License-Identifier: GPL-2.0
/*
 * A device whose DMA channels are FixedDMA resources. The request lines are
 * those of ntdma_edu_dmac.ko, and not in their order.
 */
DefinitionBlock ("", "SSDT", 2, "NTDMA", "SLAVE", 1)
{
	Scope (\_SB)
	{
		Device (SLAV)
		{
			Name (_HID, "NTDM0001")
			Name (_CRS, ResourceTemplate ()
			{
				FixedDMA (0x0041, 0x0001, Width8Bit)
				FixedDMA (0x0040, 0x0000, Width8Bit)
			})
		}
	}
}
