#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest of `make demo`: lets each sample move data through the first
# device that it drives and prints what it and ntdma say of it, each line behind
# the sample's name. Then two edu devices share a buffer; without an IOMMU they
# say that they do not.
report() { # SAMPLE TRANSFER
	[ -r "$2" ] || {
		echo "the $1 sample drives no device"
		return 1
	}
	cat "$2" >/tmp/report
}

tell() { # SAMPLE
	sed "s/^/$1 /" /tmp/report
}

transfer() { # SAMPLE
	set -- "$1" /sys/bus/pci/drivers/"$1"_wdm/0*
	report "$1" "$2/transfer" || return 1
	grep "^${2##*/} " /sys/kernel/debug/ntdma/adapters >>/tmp/report
	tell "$1"
}

# System DMA: ntdma makes no lists, and the interrupts are those of the
# controller that the device's channel belongs to.
uart_transfer() {
	local controller
	set -- /sys/bus/platform/drivers/uart_wdm/*/transfer
	report uart "$1" || return 1
	controller=$(readlink -f "${1%/transfer}/dma:tx")
	controller=${controller%/dma/*}
	tr ' ' '\n' </sys/kernel/debug/ntdma/adapters >/tmp/adapters
	{
		grep -m 1 backend= /tmp/adapters
		echo "elements=-"
		awk -F = '$1 == "bounced" { n += $2 }
			END { print "bounced=" n + 0 }' /tmp/adapters
		awk -v name="${controller##*/}" '$NF == name { n += $2 }
			END { print "interrupts=" n + 0 }' /proc/interrupts
	} >>/tmp/report
	tell uart
}

domain() {
	set -- /sys/bus/pci/drivers/edu_wdm/0*
	report edu "$1/domain" || return 1
	tell domain
}

if [ -d /sys/module/uart_sample ]; then
	uart_transfer
else
	transfer edu && transfer nvme && domain
fi
