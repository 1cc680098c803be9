#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh - `make demo`: a ported driver moves data, on each back end
#
# Boots three virtual machines, inserts ntdma and the edu sample in each, lets
# the sample move data through the device's DMA engine in both directions and
# prints one table.  Exit status 0 only if the data was right three times, each
# on the back end that the machine is meant to show.
#
# Environment: KERNEL=6.12 (default), 6.1 or debug; V=1 for the whole console;
# NTDMA_CACHE and ACCEL as in vm/lib.sh and vm/vm.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm/lib.sh
. "$(dirname "$0")/vm/lib.sh"

kernel=${KERNEL:-6.12}
release=$kernel

describe() { # MACHINE
	case $1 in
	iommu) echo "intel-iommu, 28-bit device" ;;
	plain) echo "no IOMMU, 40-bit device" ;;
	bounce) echo "no IOMMU, 28-bit device, 3 GB" ;;
	esac
}

value() { # KEY FILE
	tr ' ' '\n' <"$2" | sed -n "s/^$1=//p" | tail -n 1
}

# Why the result of a boot is not what it must be; nothing if it is.
objection() { # MACHINE LOG
	local machine=$1 log=$2 want bounced
	want=$(backend_of "$machine")
	bounced=$(value bounced "$log")
	if [ "$(value verdict "$log")" != ok ]; then
		echo "DATA WRONG"
	elif [ "$(value mismatches "$log")" != 0 ]; then
		echo "MISMATCHES"
	elif [ "$(value backend "$log")" != "$want" ]; then
		echo "NOT ${want^^}"
	elif [ "$(value bytes "$log")" -le 0 ] ||
	     [ "$(value interrupts "$log")" -le 0 ]; then
		echo "NOTHING MOVED"
	elif [ "$want" = bounce ] && [ "${bounced:-0}" -le 0 ]; then
		echo "DID NOT BOUNCE"
	elif [ "$want" != bounce ] && [ "${bounced:-1}" -ne 0 ]; then
		echo "BOUNCED"
	fi
}

row() {
	printf '%-8s  %-30s  %-8s  %10s  %8s  %8s  %10s  %s\n' "$@"
}

# One line of the table; fails unless the boot shows what it must.
judge() { # MACHINE STATUS
	local log=$out/demo-$1/guest.log why backend
	if [ "$2" -ne 0 ]; then
		row "-" "$(describe "$1")" "$release" - - - - "BOOT FAILED"
		return 1
	fi
	why=$(objection "$1" "$log")
	backend=$(value backend "$log")
	row "${backend^^}" "$(describe "$1")" "$release" \
		"$(value bytes "$log")" "$(value elements "$log")" \
		"$(value bounced "$log")" "$(value interrupts "$log")" \
		"${why:-verified}"
	[ -z "$why" ]
}

table() { # STATUS-OF-EACH-MACHINE...
	local machine bad=0
	echo
	row "back end" "machine" "kernel" "bytes" "list" "bounced" \
		"interrupts" "verdict"
	row "" "" "" "moved" "elements" "pages" "" ""
	for machine in iommu plain bounce; do
		judge "$machine" "$1" || bad=1
		shift
	done
	echo
	return $bad
}

run_machine() { # MACHINE
	"$here/vm.sh" -k "$kernel" -m "$1" -n "demo-$1" -t 180 \
		-s "$top/selftests/guest/demo.sh" \
		"$out/build/$kernel/kmod/ntdma.ko" \
		"$(sample_module "$kernel" "$1")"
}

main() {
	local machine step=0 rc statuses=()
	chosen_kernels "$kernel" >/dev/null
	say "1/4 packages"
	"$here/setup.sh" demo
	say "2/4 kernel $kernel"
	[ "$kernel" != debug ] || "$here/setup.sh" check
	"$here/kernel.sh" fetch "$kernel"
	release=$("$here/kernel.sh" release "$kernel")
	release=${release%%[+-]*}
	say "3/4 modules"
	build_modules "$kernel"
	say "4/4 three machines"
	for machine in iommu plain bounce; do
		step=$((step + 1))
		say "machine $step of 3: $(describe "$machine")"
		rc=0
		run_machine "$machine" || rc=$?
		statuses+=("$rc")
	done
	if table "${statuses[@]}"; then
		say "all data verified on all three back ends"
	else
		die "not verified on all three back ends; logs: $out/demo-*/"
	fi
}

main
