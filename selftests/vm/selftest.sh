#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftest.sh [-k KERNEL] [RESULTS] - does the harness notice?
#
# Boots small guests that fail in each way a guest can fail and checks that
# vm.sh tells them apart; then that the debug kernel's checkers (KERNEL=debug)
# report what they are there for.  Prints TAP; with RESULTS, appends a record
# per case for check.sh.  Logs are in out/selftest-*.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kernel=6.12
[ "${1:-}" != -k ] || { kernel=$2; shift 2; }
results=${1:-/dev/null}
work=$out/selftest
probe=$work/probe-$kernel/vm_probe.ko
count=0 bad=0

guest_script() { # NAME LINES...
	printf '%s\n' "${@:2}" >"$work/$1.sh"
}

tap() { # STATUS NAME [LOG]
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
		printf 'pass\tharness\t%s\n' "$2" >>"$results"
		return
	fi
	bad=1
	[ -z "${3:-}" ] || sed 's/^/# /' "$3"
	echo "not ok $count - $2"
	printf 'fail\tharness\t%s\n' "$2" >>"$results"
}

# A guest must end with STATUS, and vm.sh must say MESSAGE.
expect() { # NAME STATUS MESSAGE VM-OPTIONS...
	local name=$1 want=$2 message=$3 got=0 log=$work/said
	shift 3
	V=0 "$here/vm.sh" -k "$kernel" -n "selftest-$count" -t 600 "$@" \
		2>"$log" </dev/null || got=$?
	if [ "$got" != "$want" ]; then
		echo "status $got instead of $want" >>"$log"
		tap 1 "$name" "$log"
	elif ! grep -qE -- "$message" "$log"; then
		echo "nothing said that matches: $message" >>"$log"
		tap 1 "$name" "$log"
	else
		tap 0 "$name"
	fi
}

build_probe() {
	mkdir -p "$work"
	rm -rf "${probe%/*}"
	cp -r "$here/probe" "${probe%/*}"
	kbuild "$("$here/kernel.sh" kdir "$kernel")" "${probe%/*}" CC=gcc-12 \
		>"$work/build.log" 2>&1 </dev/null || {
		show_tail "$work/build.log"
		die "the probe module does not build"
	}
}

# Each way to fail, on a stock kernel.
test_verdicts() {
	guest_script good 'echo fine'
	guest_script bad 'exit 7'
	guest_script hang 'while :; do :; done'
	guest_script exit 'echo "ntdma-vm: verdict 0" >/dev/kmsg' \
		'echo 1 | dd of=/dev/port bs=1 count=1 seek=1281' 'sleep 100'
	guest_script expected \
		'echo "ntdma-expect-begin: warning on request" >/dev/kmsg' \
		"insmod /ntdma/vm_probe.ko act=warn" \
		'echo ntdma-expect-end >/dev/kmsg'
	guest_script missing \
		'echo "ntdma-expect-begin: warning on request" >/dev/kmsg' \
		'echo ntdma-expect-end >/dev/kmsg'
	guest_script other \
		'echo "ntdma-expect-begin: another warning" >/dev/kmsg' \
		"insmod /ntdma/vm_probe.ko act=warn" \
		'echo ntdma-expect-end >/dev/kmsg'

	echo "1..13"
	expect "a good guest passes" 0 "verdict 0" -s "$work/good.sh" "$probe"
	expect "a script's status is the verdict" 1 "verdict is 7" \
		-s "$work/bad.sh"
	expect "a guest that hangs is killed and shown" 3 \
		"guest hung: no verdict within 15 s" -t 15 -s "$work/hang.sh"
	expect "an emulator that fails behind a good verdict fails" 3 \
		"the guest did not end" -q "-device isa-debug-exit" \
		-s "$work/exit.sh"
	expect "a panic is not a verdict" 4 "died without a verdict" \
		"$probe,act=panic"
	expect "a module that does not insert fails the boot" 1 \
		"vm_probe.ko does not insert" "$probe,act=refuse"
	expect "a WARN fails a boot whose verdict is 0" 5 \
		"a warning on request" "$probe,act=warn"
	expect "an expected report passes" 0 "verdict 0" \
		-s "$work/expected.sh" -f "$probe"
	expect "an expected report that is missing fails" 5 \
		"expected report did not come" -s "$work/missing.sh" -f "$probe"
	expect "another report than the expected one fails" 5 \
		"not the report that was expected" -s "$work/other.sh" -f "$probe"
	expect "a kernel that cannot boot fails" 4 "died without a verdict" \
		-a "rdinit=/nothing"
	test_tap
}

# tap.awk on texts that must not pass.
test_tap() {
	local records=$work/records
	printf '%s\n' 'suite-begin a' 'TAP version 13' '1..3' 'ok 1 - x' \
		'# why' 'not ok 2 - y' 'ok 3 - z # SKIP no device' \
		'suite-end 0' 'suite-begin b' '1..2' 'ok 1 - x' 'suite-end 0' \
		'suite-begin c' '1..0' 'suite-end 0' 'suite-begin d' \
		'suite-end 1' 'suite-begin e' 'KTAP version 1' '1..1' \
		'    1..2' '    ok 1 p' '    ok 2 q' 'ok 1 e' 'suite-end 0' \
		'suite-begin f' '1..1' 'ok 1 - cut short' |
		"$top/selftests/tap.awk" >"$records" || true
	cut -f 1,2 "$records" | grep -v diag | tr '\n\t' '  ' >"$work/said"
	if [ "$(cat "$work/said")" = "pass a fail a skip a pass b fail b \
fail c fail d pass e pass e pass f fail f " ]; then
		tap 0 "broken plans and empty suites are failures"
	else
		tap 1 "broken plans and empty suites are failures" "$work/said"
	fi
	if grep -q "^diag.# why" "$records"; then
		tap 0 "a failed case keeps its diagnostics"
	else
		tap 1 "a failed case keeps its diagnostics" "$records"
	fi
}

# Each checker of the debug kernel. Lockdep stops at its first report and at
# KASAN's, so these two come last.
test_checkers() {
	local act pattern
	: >"$work/checkers.sh"
	while read -r act pattern; do
		cat >>"$work/checkers.sh" <<-END
			echo "ntdma-expect-begin: $pattern" >/dev/kmsg
			insmod /ntdma/vm_probe.ko act=$act || exit 1
			rmmod vm_probe || exit 1
			echo ntdma-expect-end >/dev/kmsg
		END
	done <<-'END'
		sleep sleeping function called from invalid context
		unmap_twice DMA-API: .*it has not allocated
		list list_del corruption
		free_timer ODEBUG: free active
		shift UBSAN: shift-out-of-bounds
		deadlock possible circular locking dependency
		overrun KASAN: slab-out-of-bounds
	END
	echo "1..2"
	expect "KASAN, atomic sleep, DMA-API, lists, objects, UBSAN and lockdep report" \
		0 "verdict 0" -s "$work/checkers.sh" -f "$probe"
	expect "kmemleak reports a leak" 5 "unreferenced object" \
		"$probe,act=leak"
}

"$here/kernel.sh" fetch "$kernel"
build_probe
if [ "$kernel" = debug ]; then
	test_checkers
else
	test_verdicts
fi
exit $bad
