#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh - `make demo`: ported drivers move data, on each back end
#
# Boots three virtual machines, inserts ntdma and the edu and NVMe samples in
# each, lets them move data in both directions and prints one table.  The disk
# is compared on this side, too.  Where there is an IOMMU two edu devices pass
# data to each other through one buffer of a DMA domain.  Then a board whose DMA
# controller moves the data: a UART, with the other end of its line here.  Exit
# status 0 only if the data was right each time, on the back end that the machine
# is meant to show.
#
# Environment: KERNEL=6.12 (default), 6.1 or debug for the machines, the board
# has a kernel of its own; V=1 for the whole console; NTDMA_CACHE and ACCEL as
# in vm/lib.sh and vm/vm.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm/lib.sh
. "$(dirname "$0")/vm/lib.sh"
# shellcheck source-path=SCRIPTDIR source=vm/boards.sh
. "$here/boards.sh"

board=smdkc210 board_kernel=armhf
kernel=${KERNEL:-6.12}

describe() { # SAMPLE MACHINE
	case $1-$2 in
	edu-iommu) echo "edu, 28 bits, intel-iommu" ;;
	edu-plain) echo "edu, 40 bits" ;;
	edu-bounce) echo "edu, 28 bits, memory above" ;;
	nvme-iommu) echo "NVMe disk, intel-iommu" ;;
	nvme-plain) echo "NVMe disk" ;;
	nvme-bounce) echo "NVMe disk, told 24 bits" ;;
	uart-smdkc210) echo "UART of an Exynos, PL330" ;;
	esac
}

# What a sample and ntdma said of a transfer; the guest prefixes each line.
value() { # SAMPLE KEY FILE
	sed -n "s/^$1 //p" "$3" | tr ' ' '\n' | sed -n "s/^$2=//p" | tail -n 1
}

# A sample that says nothing has not done it.
any() { # COUNT
	[ "${1:-0}" -gt 0 ]
}

# Why the result of a sample is not what it must be; nothing if it is.
objection() { # SAMPLE MACHINE LOG
	local sample=$1 log=$3 want bounced
	want=$(backend_of "$2")
	bounced=$(value "$sample" bounced "$log")
	if [ "$(value "$sample" verdict "$log")" != ok ]; then
		echo "DATA WRONG"
	elif [ "$(value "$sample" mismatches "$log")" != 0 ]; then
		echo "MISMATCHES"
	elif [ "$(value "$sample" backend "$log")" != "$want" ]; then
		echo "NOT ${want^^}"
	elif ! any "$(value "$sample" bytes "$log")" ||
	     ! any "$(value "$sample" interrupts "$log")"; then
		echo "NOTHING MOVED"
	elif [ "$sample" = uart ]; then
		# Single bytes share lines of the cache with others.
		[ "$device_verdict" = pass ] || echo "PEER SAW OTHERS"
	elif [ "$want" = bounce ] && ! any "$bounced"; then
		echo "DID NOT BOUNCE"
	elif [ "$want" != bounce ] && [ "${bounced:-1}" -ne 0 ]; then
		echo "BOUNCED"
	elif [ "$sample" = nvme ] &&
	     ! nvme_image verify "$out/demo-$2/disk.img" >/dev/null; then
		echo "DISK WRONG"
	fi
}

# The same for two devices that share a buffer: both are told its one address,
# and both end each move with a message interrupt.
domain_objection() { # LOG
	if [ "$(value domain verdict "$1")" != ok ]; then
		echo "DATA WRONG"
	elif [ "$(value domain mismatches "$1")" != 0 ]; then
		echo "MISMATCHES"
	elif [ "$(value domain msi "$1")" != 1 ] ||
	     [ "$(value domain other_msi "$1")" != 1 ]; then
		echo "NO MESSAGES"
	elif [ "$(value domain interrupts "$1")" != 2 ] ||
	     [ "$(value domain other_interrupts "$1")" != 2 ]; then
		echo "INTERRUPTS LOST"
	fi
}

row() {
	printf '%-8s  %-27s  %-8s  %9s  %8s  %7s  %10s  %s\n' "$@"
}

release_of() { # KERNEL
	local release
	release=$("$here/kernel.sh" release "$1")
	echo "${release%%[+-]*}"
}

# One line of the table; fails unless the boot shows what it must.
judge() { # SAMPLE MACHINE KERNEL STATUS
	local log=$out/demo-$2/guest.log what why backend release
	what=$(describe "$1" "$2")
	release=$(release_of "$3")
	if [ "$4" -ne 0 ]; then
		row "-" "$what" "$release" - - - - "BOOT FAILED"
		return 1
	fi
	why=$(objection "$1" "$2" "$log")
	backend=$(value "$1" backend "$log")
	row "${backend^^}" "$what" "$release" \
		"$(value "$1" bytes "$log")" "$(value "$1" elements "$log")" \
		"$(value "$1" bounced "$log")" \
		"$(value "$1" interrupts "$log")" "${why:-verified}"
	[ -z "$why" ]
}

# The line of two devices with one buffer; only an IOMMU has domains.
judge_domain() { # STATUS
	local log=$out/demo-iommu/guest.log why
	[ "$1" -eq 0 ] || return 1
	why=$(domain_objection "$log")
	row "IOMMU" "two edu, one domain buffer" "$(release_of "$kernel")" \
		"$(value domain bytes "$log")" - 0 \
		"$(($(value domain interrupts "$log") +
		    $(value domain other_interrupts "$log")))" \
		"${why:-verified at $(value domain logical "$log")}"
	[ -z "$why" ]
}

table() { # STATUS-OF-EACH-MACHINE...
	local machine bad=0
	echo
	row "back end" "device" "kernel" "bytes" "list" "bounced" \
		"interrupts" "verdict"
	row "" "" "" "moved" "elements" "pages" "" ""
	for machine in iommu plain bounce; do
		judge edu "$machine" "$kernel" "$1" || bad=1
		judge nvme "$machine" "$kernel" "$1" || bad=1
		[ "$machine" != iommu ] || judge_domain "$1" || bad=1
		shift
	done
	judge uart "$board" "$board_kernel" "$1" || bad=1
	echo
	return $bad
}

run_machine() { # MACHINE
	local image=$out/demo-$1/disk.img
	mkdir -p "$out/demo-$1"
	nvme_image create "$image"
	"$here/vm.sh" -k "$kernel" -m "$1" -n "demo-$1" -t 900 \
		-s "$top/selftests/guest/demo.sh" -q "$(nvme_args "$image")" \
		"$out/build/$kernel/kmod/ntdma.ko" \
		"$(sample_module "$kernel" "$1")" "$(nvme_module "$kernel" "$1")"
}

build() { # KERNEL...
	local k
	for k; do
		build_modules "$k"
	done
}

main() {
	local machine step=0 rc statuses=()
	chosen_kernels "$kernel" >/dev/null
	say "1/4 packages"
	"$here/setup.sh" demo arm
	say "2/4 kernels $kernel and $board_kernel"
	[ "$kernel" != debug ] || "$here/setup.sh" check
	"$here/kernel.sh" fetch "$kernel" "$board_kernel"
	say "3/4 modules"
	build "$kernel" "$board_kernel"
	say "4/4 four machines"
	for machine in iommu plain bounce; do
		step=$((step + 1))
		say "machine $step of 4: $machine"
		rc=0
		run_machine "$machine" || rc=$?
		statuses+=("$rc")
	done
	say "machine 4 of 4: $board"
	rc=0
	boot_board "$board_kernel" "$board" "demo-$board" \
		"$top/selftests/guest/demo.sh" || rc=$?
	statuses+=("$rc")
	if table "${statuses[@]}"; then
		say "all data verified on all three back ends and the board"
	else
		die "not verified on all machines; logs: $out/demo-*/"
	fi
}

main
