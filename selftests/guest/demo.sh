#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest of `make demo`: lets the sample move data through the first
# device that it drives and prints what it and ntdma say of it.
set -- /sys/bus/pci/drivers/edu_wdm/0*
[ -r "$1/transfer" ] || {
	echo "the sample drives no device"
	exit 1
}
cat "$1/transfer" || exit 1
grep "^${1##*/} " /sys/kernel/debug/ntdma/adapters
