#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest of `make demo`: lets each sample move data through the first
# device that it drives and prints what it and ntdma say of it, each line behind
# the sample's name. Then two edu devices share a buffer; without an IOMMU they
# say that they do not.
transfer() { # SAMPLE
	set -- "$1" /sys/bus/pci/drivers/"$1"_wdm/0*
	[ -r "$2/transfer" ] || {
		echo "the $1 sample drives no device"
		return 1
	}
	cat "$2/transfer" >/tmp/report || return 1
	grep "^${2##*/} " /sys/kernel/debug/ntdma/adapters >>/tmp/report
	sed "s/^/$1 /" /tmp/report
}

domain() {
	set -- /sys/bus/pci/drivers/edu_wdm/0*
	cat "$1/domain" >/tmp/report || return 1
	sed "s/^/domain /" /tmp/report
}

transfer edu && transfer nvme && domain
