# shellcheck shell=dash disable=SC2034 # cases is of tap.sh
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh in the guest: system DMA of a device whose controller is
# an edu device.
slaves=/sys/bus/platform/drivers/slave_wdm

# The sample's last edu device, once and for all. The driver of the controller
# takes what is free and has its name.
slave_begin() {
	local d
	for d in /sys/bus/pci/drivers/edu_wdm/0*; do
		edu=${d##*/}
	done
	echo ntdma_edu_dmac >"$d/driver_override"
	echo "$edu" >/sys/bus/pci/drivers/edu_wdm/unbind
	slave_controller && insmod /ntdma/slave_sample.ko
}

slave_controller() {
	insmod /ntdma/ntdma_edu_dmac.ko \
		width="$(cat /sys/module/edu_sample/parameters/width)"
}

slave_lines() { # DEVICE
	grep "^$1 " "${dbg:?}/ntdma/adapters"
}

slave_interrupts() {
	awk '$NF == "ntdma_edu_dmac" { n += $2 + $3 } END { print n + 0 }' \
		/proc/interrupts
}

slave_bounced() { # LINES
	value bounced "$1" | awk '{ n += $1 } END { print n + 0 }'
}

slave() { # DEVICE
	local bounced report lines before
	read -r _ bounced </ntdma/expect
	before=$(slave_interrupts)
	report=$(cat "$slaves/$1/transfer")
	lines=$(slave_lines "$1")
	cases=0
	echo "TAP version 13"
	echo "1..6"
	printf '%s\n' "$report" "$lines" | sed 's/^/# /'
	result "S11 sample: data is the same both ways" \
		[ "$(value verdict "$report")" = ok ]
	result "S11 sample: the controller did the work, with interrupts" \
		[ "$(slave_interrupts)" -gt "$before" ]
	result "S17 EC-119 sample: transfers were stopped under way" \
		[ "$(value cancelled "$report")" -ge 2 ]
	result "sample: all adapters are of system DMA" \
		[ "$(value backend "$lines" | sort -u)" = system ]
	result "sample: pages bounce exactly where they must" \
		bounced_as_expected "$bounced" "$(slave_bounced "$lines")"
	result "sample: no mapping is left" \
		[ "$(value live "$lines" | sort -u)" = 0 ]
}
