#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest of `make bench`: prints the KTAP of every suite of costs, each
# between "suite-begin NAME" and "suite-end STATUS".
dir=/sys/kernel/debug/ntdma_cost

[ -d $dir ] || {
	echo "the test module offers no costs"
	exit 1
}
for f in "$dir"/*; do
	echo "suite-begin cost-${f##*/}"
	cat "$f"
	echo "suite-end $?"
done
