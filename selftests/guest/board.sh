#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest of a board: lets the sample that drives a device there move
# data by system DMA, and prints KTAP of what it and ntdma say of it.
dbg=/sys/kernel/debug
# shellcheck source-path=SCRIPTDIR source=tap.sh
. /ntdma/tap.sh

sample() { # TRANSFER
	local report lines again
	report=$(cat "$1")
	again=$(cat "$1")
	lines=$(cat $dbg/ntdma/adapters)
	plan 6 "$report" "$lines"
	result "S11 sample: all went as it must" \
		[ "$(value verdict "$report")" = ok ]
	result "S12 sample: all went as it must once more, after a loop" \
		[ "$(value verdict "$again")" = ok ]
	result "sample: the controller moved data" \
		[ "$(value bytes "$report")" -gt 0 ]
	result "EC-119 sample: transfers were stopped under way" \
		[ "$(value cancelled "$report")" -gt 0 ]
	result "sample: all adapters are of system DMA" \
		[ "$(value backend "$lines" | sort -u)" = system ]
	result "sample: no mapping is left" \
		[ "$(value live "$lines" | sort -u)" = 0 ]
}

for f in /sys/bus/platform/drivers/*_wdm/*/transfer; do
	[ -r "$f" ] || {
		echo "the sample drives no device"
		exit 1
	}
	name=${f#/sys/bus/platform/drivers/}
	suite "${name%%_wdm/*}-sample" sample "$f"
done
