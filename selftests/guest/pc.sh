#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest of `make check` that has an ISA bus: prints the KTAP of the
# suite for its DMA controller and of the samples there, as check.sh does.
dbg=/sys/kernel/debug
# shellcheck source-path=SCRIPTDIR source=tap.sh
. /ntdma/tap.sh

sound() {
	local report
	report=$(cat /sys/bus/platform/drivers/sb_wdm/sb_wdm/transfer)
	plan 6 "$report"
	result "S5 S6 sound card: packets on channel 1, a loop on channel 5" \
		[ "$(value verdict "$report")" = ok ]
	result "EC-92 sound card: the counter stays in its bounds" \
		[ "$(value counters "$report")" = 0 ]
	result "EC-91 sound card: no interrupt after the flush" \
		[ "$(value late "$report")" = 0 ]
	result "S12 S17 sound card: a cancel stops a loop under way, once" \
		[ "$(value cancels "$report")" = 1 ]
	result "S17 sound card: no interrupt after the cancel" \
		[ "$(value late_cancelled "$report")" = 0 ]
	result "S6 S12 sound card: the card did the work, with interrupts" \
		[ "$(value interrupts "$report")" -ge 19 ]
}

floppy() { # DEMAND
	local report
	local demand=$1
	set -- /sys/bus/pnp/drivers/fdc_wdm/0*
	report=$(cat "$1/transfer")
	plan 5 "$report"
	result "S5 floppy: data is the same both ways" \
		[ "$(value verdict "$report")" = ok ]
	result "S5 floppy: the counter is what the disk left" \
		[ "$(value counters "$report")" = 0 ]
	result "S5 floppy: the controller did the work, with interrupts" \
		[ "$(value interrupts "$report")" -gt 0 ]
	result "S5 floppy: the channel belongs to ntdma" \
		grep -q '2: ntdma' /proc/dma
	result "S5 floppy: DemandMode is $demand" \
		[ "$(cat /sys/module/fdc_sample/parameters/demand)" = "$demand" ]
}

[ -f $dbg/ntdma_test/isa ] || {
	echo "the test module has no suite for the controller"
	exit 1
}
suite isa cat $dbg/ntdma_test/isa
suite fdc-sample floppy N
rmmod fdc_sample
insmod /ntdma/fdc_sample.ko demand=1
suite fdc-demand floppy Y
suite sb16-sample sound
