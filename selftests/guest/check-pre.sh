#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest of `make check` before the modules are inserted: keeps the
# last edu device for the sample, the test module finds the others.
last=
for d in /sys/bus/pci/devices/*; do
	[ "$(cat "$d/vendor" "$d/device" | tr -d '\n')" = 0x12340x11e8 ] &&
		last=$d
done
[ -n "$last" ] || {
	echo "there is no edu device"
	exit 1
}
echo edu_wdm >"$last/driver_override"
