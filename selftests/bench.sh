#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh [RECORDS] - `make bench`: what ntdma costs in guest instructions
#
# Boots a machine without and one with an IOMMU, with one processor whose clock
# counts instructions, and prints what each thing costs through ntdma, what the
# same costs natively, and their ratio.  Exit status 0 only if no cost is over
# its limit.  Needs no quiet host: only instructions count.  RECORDS gets a
# record as of tap.awk for each limit and for whatever failed.
#
# Environment: KERNEL=6.12 (default) or 6.1; V=1 for the whole console;
# NTDMA_CACHE as in vm/lib.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm/lib.sh
. "$(dirname "$0")/vm/lib.sh"

kernel=${KERNEL:-6.12}
records=${1:-/dev/null}
export ACCEL=tcg,thread=single
counting="-smp 1 -icount shift=0,sleep=off -seed 1"
counting+=" -rtc base=2026-01-01T00:00:00,clock=vm"

run_machine() { # MACHINE
	local build=$out/build/$kernel/kmod
	"$here/vm.sh" -k "$kernel" -m "$1" -n "bench-$1" -t 900 -a nokaslr \
		-q "$counting" -s "$top/selftests/guest/bench.sh" \
		"$build/ntdma.ko" "$build/test/ntdma_test.ko"
}

show() { # MACHINE
	awk -v machine="$1" '$1 == "#" && $2 == "cost" {
		printf "%-8s  %-32s  %9s  %9s  %6s  %5s  %s\n",
		       machine, $3, $4, $5, $6, $7, $8
	}' "$out/bench-$1/guest.log"
}

# A record for each limit, and one for each failure that is not a limit's.
judge() { # MACHINE STATUS
	"$top/selftests/tap.awk" "$out/bench-$1/guest.log" |
		awk -v at="$1" -v status="$2" 'BEGIN { FS = OFS = "\t" }
			FNR == NR && /^# cost / {
				split($0, w, " ")
				if (w[7] != "-")
					print w[8] == "ok" ? "pass" : "fail",
					      "cost on " at, w[3] ": " w[6] \
					      " of at most " w[7]
			}
			FNR == NR { next }
			$1 == "fail" { $2 = at " " $2; print }
			$1 == "pass" { n++ }
			END { if (status || !n)
				print "fail", "cost on " at, "boot: status " \
				      status ", cases that passed: " n + 0
			}' "$out/bench-$1/guest.log" - >"$out/bench-$1/records"
	cat "$out/bench-$1/records" >>"$records"
	awk -F '\t' '$1 == "fail" { bad = 1; print $2 ": " $3 > "/dev/stderr" }
		END { exit bad || NR == 0 }' "$out/bench-$1/records"
}

main() {
	local machine bad=0 rc guests=() status=()
	[ "$kernel" != debug ] || die "a debug kernel's costs say nothing"
	chosen_kernels "$kernel" >/dev/null
	"$here/setup.sh" demo
	"$here/kernel.sh" fetch "$kernel"
	build_modules "$kernel"
	for machine in plain iommu; do
		run_machine "$machine" &
		guests+=($!)
	done
	for machine in plain iommu; do
		rc=0
		wait "${guests[${#status[@]}]}" || rc=$?
		[ -f "$out/bench-$machine/guest.log" ] ||
			: >"$out/bench-$machine/guest.log"
		status+=("$rc")
	done
	printf '%-8s  %-32s  %9s  %9s  %6s  %5s  %s\n' \
		machine cost ours native ratio limit verdict
	for machine in plain iommu; do
		show "$machine"
	done
	judge plain "${status[0]}" || bad=1
	judge iommu "${status[1]}" || bad=1
	return $bad
}

main
