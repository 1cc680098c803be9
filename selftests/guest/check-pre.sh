#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest of `make check` before the modules are inserted: keeps the
# last two edu devices of the root bus for the sample, the test module finds the
# others.
last='' other=''
for d in /sys/bus/pci/devices/0000:00:*; do
	[ "$(cat "$d/vendor" "$d/device" | tr -d '\n')" = 0x12340x11e8 ] ||
		continue
	other=$last
	last=$d
done
[ -n "$other" ] || {
	echo "there are no two edu devices"
	exit 1
}
echo edu_wdm >"$last/driver_override"
echo edu_wdm >"$other/driver_override"
