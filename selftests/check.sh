#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh - `make check`: every test there is
#
# Quick things first: lint, the cross-check of wdm.h, the harness's own tests,
# then one guest per kernel and machine in which every suite of ntdma_test.ko
# (on the debug kernel also the KUnit suites) and the sample run.  Each prints
# KTAP; the cases that fail are shown with what they said and where the log is.
# The last line is "N passed, N failed, N skipped"; the exit status is not 0
# exactly if a case failed.
#
# Environment: KERNEL=6.1, 6.12 or debug leaves only that kernel; V=1 shows the
# guests' consoles; NTDMA_CACHE and ACCEL as in vm/lib.sh and vm/vm.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm/lib.sh
. "$(dirname "$0")/vm/lib.sh"

# Records, one file per producer; tap.awk says what a record is.
records=$out/check
builder=''
complete=0

#
# Records
#

# Show the failures of one producer and say how it went.
tell() { # TITLE RECORDS LOG
	local counts
	awk -F '\t' -v log_file="$3" '
		$1 == "fail" { print "        not ok: " $2 ": " $3; n++ }
		$1 == "diag" { print "          " substr($0, 6) }
		END { if (n) print "        log: " log_file }
	' "$2" >&2
	counts=$(awk -F '\t' '{ n[$1]++ } END {
		printf "%d passed, %d failed, %d skipped",
		       n["pass"], n["fail"], n["skip"] }' "$2")
	say "$1: $counts"
}

record() { # FILE VERDICT SUITE NAME
	printf '%s\t%s\t%s\n' "$2" "$3" "$4" >>"$records/$1"
}

# Runs whenever and however the script ends.
finish() {
	local status=$?
	trap - EXIT
	[ -z "$builder" ] || kill -- "-$builder" 2>/dev/null || true
	[ $complete = 1 ] || record run fail check "the run did not complete"
	cat "$records"/* | awk -F '\t' '
		$1 == "skip" { skipped[$4 == "" ? "no reason given" : $4]++ }
		$1 == "fail" { print "FAILED: " $2 ": " $3 > "/dev/stderr" }
		{ n[$1]++ }
		END {
			for (why in skipped)
				print "skipped " skipped[why] ": " why > "/dev/stderr"
			printf "%d passed, %d failed, %d skipped\n",
			       n["pass"], n["fail"], n["skip"]
			exit n["fail"] > 0 || n["pass"] == 0
		}' || status=1
	exit "$status"
}

#
# The guests
#

boot() { # KERNEL MACHINE
	local k=$1 m=$2 name=check-$1-$2 build=$out/build/$1/kmod rc=0 modules
	modules=("$build/ntdma.ko" "$build/test/ntdma_test.ko")
	[ "$k" != debug ] || modules+=("$build/test/ntdma_kunit.ko")
	modules+=("$(sample_module "$k" "$m")")
	mkdir -p "$out/$name"
	backend_of "$m" >"$out/$name/backend"
	"$here/vm.sh" -k "$k" -m "$m" -n "$name" -t 900 -f "$out/$name/backend" \
		-p "$top/selftests/guest/check-pre.sh" \
		-s "$top/selftests/guest/check.sh" "${modules[@]}" || rc=$?
	[ -f "$out/$name/guest.log" ] || : >"$out/$name/guest.log"
	"$top/selftests/tap.awk" "$out/$name/guest.log" |
		awk -v at="$k-$m" 'BEGIN { FS = OFS = "\t" }
			$1 != "diag" { $2 = at " " $2 } { print }' \
		>"$records/$name"
	judge_boot "$name" "$k-$m" "$rc"
	tell "$k on $m" "$records/$name" "$out/$name/console.log"
}

# The boot is a case of its own: vm.sh's verdict.
judge_boot() { # NAME AT STATUS
	[ -s "$records/$1" ] || record "$1" fail "$2" "no test ran"
	case $3 in
	0) record "$1" pass "$2" "boot: verdict 0, no report, modules removed" ;;
	3) record "$1" fail "$2" "boot: the guest hung" ;;
	4) record "$1" fail "$2" "boot: the guest died" ;;
	5) record "$1" fail "$2" "boot: a checker reported" ;;
	*) record "$1" fail "$2" "boot: the guest's verdict was bad" ;;
	esac
}

# A guest keeps about one processor busy.
boot_all() { # KERNEL
	local m
	build_modules "$1" || {
		record "build-$1" fail build "the modules for kernel $1"
		return 0
	}
	# shellcheck disable=SC2086 # words
	printf '%s\n' $all_machines |
		xargs -P $(($(nproc) >= 2 ? 2 : 1)) -I '{}' "$0" boot "$1" '{}' ||
		true
	for m in $all_machines; do
		[ -s "$records/check-$1-$m" ] ||
			record "check-$1-$m" fail "$1-$m" "did not run"
	done
}

#
# The rest
#

start_debug_kernel() {
	setsid nice "$here/kernel.sh" fetch debug </dev/null &
	builder=$!
}

finish_debug_kernel() {
	local rc=0
	say "waiting for the debug kernel"
	wait "$builder" || rc=$?
	builder=''
	[ $rc = 0 ] || record build-debug fail build "the debug kernel"
	return $rc
}

lint() {
	say "lint"
	"$top/selftests/lint.sh" "$records/lint" || true
	[ -s "$records/lint" ] || record lint fail lint "did not run"
}

crosscheck() {
	local script=$top/selftests/crosscheck/run.sh log=$out/crosscheck.log
	[ -f "$script" ] || return 0
	say "cross-check of wdm.h"
	{
		echo "suite-begin crosscheck"
		rc=0
		KDIR=$("$here/kernel.sh" kdir 6.12) MAKEARGS="$kbuild_args" \
			"$script" </dev/null || rc=$?
		echo "suite-end $rc"
	} >"$log" 2>&1
	"$top/selftests/tap.awk" "$log" >"$records/crosscheck"
	tell "crosscheck" "$records/crosscheck" "$log"
}

harness() { # KERNEL
	local log=$out/selftest-$1.log
	say "tests of the harness, kernel $1"
	"$here/selftest.sh" -k "$1" "$records/harness-$1" >"$log" 2>&1 ||
		grep -v '^ok ' "$log" >&2
	[ -s "$records/harness-$1" ] ||
		record "harness-$1" fail harness "did not run on $1"
	tell "harness, kernel $1" "$records/harness-$1" "$log"
}

main() {
	local k stock debug
	chosen_kernels >/dev/null
	mapfile -t stock < <(chosen_kernels 6.12 6.1)
	debug=$(chosen_kernels debug)
	rm -rf "$records"
	mkdir -p "$records"
	trap finish EXIT
	trap 'exit 130' INT TERM
	"$here/setup.sh" check
	"$here/kernel.sh" fetch 6.12 "${stock[@]}" source
	[ -z "$debug" ] || start_debug_kernel
	lint
	crosscheck
	[ ${#stock[@]} -eq 0 ] || harness "${stock[0]}"
	for k in ${stock[@]+"${stock[@]}"}; do
		boot_all "$k"
	done
	if [ -n "$debug" ] && finish_debug_kernel; then
		harness debug
		boot_all debug
	fi
	complete=1
}

case ${1:-} in
'') main ;;
boot) boot "$2" "$3" ;;
*) die "usage: check.sh" ;;
esac
