#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh - `make check`: every test there is
#
# Quick things first: lint, the cross-check of wdm.h, the harness's own tests,
# the costs that have a limit; then one guest per kernel and machine in which
# every suite of ntdma_test.ko (on the debug kernel also the KUnit suites) and
# the samples run; and boards, each with the sample for it.  Each prints KTAP;
# the cases that fail are shown with what they said and where the log is.
# The last line is "N passed, N failed, N skipped"; the exit status is not 0
# exactly if a case failed.
#
# Environment: KERNEL=6.1, 6.12, arm64, arm64-16k, armhf or debug leaves only
# that; V=1 shows the guests' consoles; NTDMA_TIME seconds after the start no
# guest is booted any more; NTDMA_CACHE and ACCEL as in vm/lib.sh and vm/vm.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm/lib.sh
. "$(dirname "$0")/vm/lib.sh"
# shellcheck source-path=SCRIPTDIR source=vm/boards.sh
. "$here/boards.sh"

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

# Whoever ends badly says why, or is said to have.
failed() { # FILE SUITE TEXT
	grep -q '^fail' "$records/$1" 2>/dev/null || record "$1" fail "$2" "$3"
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

# Every test also in these settings on stock kernels, and on one of them in
# those; checkers make a guest several times as slow. Without a word
# machines with an IOMMU are lazy (iommu.strict=0), see machine_args().
variants="plain+swiotlb plain+bounce iommu+strict iommu+passthrough"
more_variants="plain+edges plain+incoherent iommu+bounce"

# What a setting is: kernel arguments, parameters of ntdma and of its tests, and
# what the edu sample must meet: a back end, whether its pages bounce, the type of
# its IOMMU group, and whether memory can be lent to it.
setting() { # MACHINE[+VARIANT]
	local backend bounces=none group=none lends=yes
	args='' params='' test_params='' backend=$(backend_of "${1%+*}")
	[ "$backend" != iommu ] || group=DMA-FQ
	case $1 in
	bounce) bounces=some ;;
	noncoherent*) bounces=some ;;
	*+swiotlb) args=swiotlb=force backend=bounce bounces=some ;;
	*+bounce) params=,bounce=1 backend=bounce bounces=some ;;
	*+edges) params=,edges=1 bounces=some ;;
	*+incoherent) test_params=,incoherent=1 ;;
	*+strict) args=iommu.strict=1 group=DMA ;;
	*+passthrough)
		args=iommu.passthrough=1 group=identity
		backend=bounce bounces=any
		;;
	esac
	case $group-$1 in
	none-* | identity-* | *-noncoherent*) lends=no ;;
	esac
	expect="$backend $bounces $group $lends"
}

boot() { # KERNEL MACHINE[+VARIANT]
	local k=$1 m=${2%+*} name=check-$1-$2 build=$out/build/$1/kmod rc=0
	local limit=2400
	local args params test_params expect modules image=$out/check-$1-$2/disk.img
	# Checkers cost much, a busy host the rest.
	[ "$k" = debug ] || limit=1200
	setting "$2"
	modules=("$build/ntdma.ko$params" "$build/test/ntdma_test.ko$test_params")
	[ "$k" != debug ] || modules+=("$build/test/ntdma_kunit.ko")
	modules+=("$(sample_module "$k" "$m")" "$(nvme_module "$k" "$m")"
		  "$build/samples/rtl8139/rtl_sample.ko")
	mkdir -p "$out/$name"
	echo "$expect" >"$out/$name/expect"
	suites_of "$k" "$m" >"$out/$name/suites"
	slave_table "$out/$name/fixeddma.aml"
	nvme_image create "$image"
	"$here/vm.sh" -k "$k" -m "$m" -n "$name" \
		-t "$limit" -f "$out/$name/expect" \
		-f "$out/$name/suites" -f "$build/test/ntdma_leak.ko" \
		-f "$top/selftests/guest/slave.sh" \
		-f "$build/test/ntdma_edu_dmac.ko" \
		-f "$build/test/ntdma_leak_slave.ko" \
		-f "$build/samples/slave/slave_sample.ko" -a "$args" \
		-q "${packet_args:?} $(nvme_args "$image") \
			$(slave_args "$k" "$out/$name/fixeddma.aml")" \
		-p "$top/selftests/guest/check-pre.sh" \
		-s "$top/selftests/guest/check.sh" "${modules[@]}" || rc=$?
	records_of "$name" "$k-$2"
	judge_boot "$name" "$k-$2" "$rc"
	judge_disk "$name" "$k-$2" "$image" nvme
	tell "$k on $2" "$records/$name" "$out/$name/console.log"
}

# The board with an ISA bus: only what needs one.
boot_pc() { # KERNEL
	local k=$1 name=check-$1-pc build=$out/build/$1/kmod rc=0
	local image=$out/$name/disk.img sound=$out/$name/sound.wav
	local text="sb16: the emulator recorded what was played" verdict=fail
	mkdir -p "$out/$name"
	floppy_image create "$image"
	"$here/vm.sh" -k "$k" -m pc -n "$name" -t 1200 \
		-q "$(isa_args "$image" "$sound")" \
		-s "$top/selftests/guest/pc.sh" "$build/ntdma.ko" \
		"$build/test/ntdma_test.ko" \
		"$build/samples/fdc/fdc_sample.ko" \
		"$build/samples/sb16/sb_sample.ko" || rc=$?
	records_of "$name" "$k-pc"
	judge_boot "$name" "$k-pc" "$rc"
	judge_disk "$name" "$k-pc" "$image" floppy
	! sound_record verify "$sound" >/dev/null || verdict=pass
	record "$name" "$verdict" "$k-pc" "$text"
	tell "$k on pc" "$records/$name" "$out/$name/console.log"
}

# A board: only the sample for it.
boot_soc() { # KERNEL MACHINE
	local name=check-$1-$2 rc=0
	boot_board "$1" "$2" "$name" "$top/selftests/guest/board.sh" || rc=$?
	records_of "$name" "$1-$2"
	judge_boot "$name" "$1-$2" "$rc"
	record "$name" "${device_verdict:?}" "$1-$2" \
		"sample: the other side of the device saw what it must"
	tell "$1 on $2" "$records/$name" "$out/$name/console.log"
	[ "$device_verdict" = pass ] || show_tail "$out/$name/device.log"
}

# What the guest said of its cases.  Each has the device that cases need.
records_of() { # NAME AT
	local log=$out/$1/guest.log
	[ -f "$log" ] || : >"$log"
	"$top/selftests/tap.awk" "$log" |
		awk -v at="$2" 'BEGIN { FS = OFS = "\t" }
			$1 == "skip" && $4 == "no edu device" { $1 = "fail" }
			$1 != "diag" { $2 = at " " $2 } { print }' \
		>"$records/$1"
}

# What a sample wrote to its disk, read by somebody else.
judge_disk() { # NAME AT IMAGE DISK
	local text="$4: the disk image holds what was written" verdict=fail
	! "$4_image" verify "$3" >/dev/null || verdict=pass
	record "$1" "$verdict" "$2" "$text"
	rm -f "$3"
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

# Costs that have a limit; the other figures are for `make bench`.  They are
# counted, not timed: the host may be as busy as it likes.
costs() { # KERNEL
	local log=$out/costs.log
	say "costs, kernel $1"
	KERNEL=$1 "$top/selftests/bench.sh" "$records/costs" >"$log" 2>&1 \
		</dev/null || failed costs costs "did not run to their end"
	tell "costs, kernel $1" "$records/costs" "$log"
}

# Whether to begin with something more; who is killed for its time cannot tell
# what it was at.
in_time() {
	[ $(($(date +%s) - NTDMA_T0)) -lt "${NTDMA_TIME:-86400}" ]
}

# A guest keeps about one processor busy.
boot_all() { # KERNEL MACHINE...
	local m k=$1
	shift
	build_modules "$k" || {
		record "build-$k" fail build "the modules for kernel $k"
		return 0
	}
	printf '%s\n' "$@" |
		xargs -P $(($(nproc) >= 2 ? 2 : 1)) -I '{}' "$0" boot "$k" '{}' ||
		true
	for m; do
		grep -q "$(printf '\t')boot: " "$records/check-$k-$m" \
			2>/dev/null ||
			record "check-$k-$m" fail "$k-$m" "did not run to its end"
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
	"$top/selftests/lint.sh" "$records/lint" ||
		failed lint lint "did not run to its end"
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
	"$here/selftest.sh" -k "$1" "$records/harness-$1" >"$log" 2>&1 || {
		grep -v '^ok ' "$log" >&2
		failed "harness-$1" harness "did not run to their end on $1"
	}
	tell "harness, kernel $1" "$records/harness-$1" "$log"
}

main() {
	local k stock arm debug
	chosen_kernels >/dev/null
	mapfile -t stock < <(chosen_kernels 6.12 6.1)
	mapfile -t arm < <(chosen_kernels arm64 arm64-16k armhf)
	debug=$(chosen_kernels debug)
	rm -rf "$records"
	mkdir -p "$records"
	trap finish EXIT
	trap 'exit 130' INT TERM
	"$here/setup.sh" check
	"$here/kernel.sh" fetch source
	[ -z "$debug" ] || start_debug_kernel
	"$here/kernel.sh" fetch 6.12 "${stock[@]}" "${arm[@]}"
	lint
	crosscheck
	if [ ${#stock[@]} -gt 0 ]; then
		harness "${stock[0]}"
		costs "${stock[0]}"
	fi
	for k in ${stock[@]+"${stock[@]}"}; do
		# shellcheck disable=SC2046,SC2086 # words
		boot_all "$k" $(machines_of "$k") $variants \
			$([ "$k" != "${stock[0]}" ] || echo $more_variants)
	done
	for k in ${arm[@]+"${arm[@]}"}; do
		# shellcheck disable=SC2046 # words
		boot_all "$k" $(machines_of "$k")
	done
	if [ -n "$debug" ] && finish_debug_kernel; then
		harness debug
		# shellcheck disable=SC2046 # words
		boot_all debug $(machines_of debug)
	fi
	complete=1
}

case ${1:-} in
'') main ;;
boot)
	in_time || die "$2 on $3: not begun, the time is up"
	case $3 in
	pc) boot_pc "$2" ;;
	smdkc210 | raspi3b) boot_soc "$2" "$3" ;;
	*) boot "$2" "$3" ;;
	esac
	;;
*) die "usage: check.sh" ;;
esac
