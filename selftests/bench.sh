#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh - `make bench`: what ntdma costs in guest instructions
#
# Boots a machine without and one with an IOMMU, with one processor whose clock
# counts instructions, and prints what each thing costs through ntdma, what the
# same costs natively, and their ratio.  Exit status 0 only if no cost is over
# its limit.  Needs no quiet host: only instructions count.
#
# Environment: KERNEL=6.12 (default) or 6.1; V=1 for the whole console;
# NTDMA_CACHE as in vm/lib.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm/lib.sh
. "$(dirname "$0")/vm/lib.sh"

kernel=${KERNEL:-6.12}
export ACCEL=tcg,thread=single
counting="-smp 1 -icount shift=0,sleep=off -seed 1"
counting+=" -rtc base=2026-01-01T00:00:00,clock=vm"

run_machine() { # MACHINE
	local build=$out/build/$kernel/kmod
	"$here/vm.sh" -k "$kernel" -m "$1" -n "bench-$1" -t 180 -a nokaslr \
		-q "$counting" -s "$top/selftests/guest/bench.sh" \
		"$build/ntdma.ko" "$build/test/ntdma_test.ko"
}

# Fails if a case failed or none ran.
show() { # MACHINE
	"$top/selftests/tap.awk" "$out/bench-$1/guest.log" \
		>"$out/bench-$1/records"
	awk -v machine="$1" '$1 == "#" && $2 == "cost" {
		printf "%-8s  %-32s  %9s  %9s  %6s  %5s  %s\n",
		       machine, $3, $4, $5, $6, $7, $8
	}' "$out/bench-$1/guest.log"
	awk -F '\t' '{ n[$1]++ } $1 == "fail" { print $2 ": " $3 > "/dev/stderr" }
		END { exit n["fail"] > 0 || n["pass"] == 0 }' \
		"$out/bench-$1/records"
}

main() {
	local machine bad=0
	[ "$kernel" != debug ] || die "a debug kernel's costs say nothing"
	chosen_kernels "$kernel" >/dev/null
	"$here/setup.sh" demo
	"$here/kernel.sh" fetch "$kernel"
	build_modules "$kernel"
	for machine in plain iommu; do
		run_machine "$machine" || bad=1
	done
	printf '%-8s  %-32s  %9s  %9s  %6s  %5s  %s\n' \
		machine cost ours native ratio limit verdict
	for machine in plain iommu; do
		show "$machine" || bad=1
	done
	return $bad
}

main
