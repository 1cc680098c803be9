#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vm.sh - boot one guest with modules and a script, and return its verdict
#
#   vm.sh [options] [MODULE.ko[,param=value...]]...
#     -k KERNEL    6.1, 6.12 or debug (fetched if need be; default 6.12)
#     -m MACHINE   plain (no IOMMU, a device that reaches all memory), iommu
#                  (intel-iommu) or bounce (no IOMMU, memory out of reach)
#     -s SCRIPT    run in the guest after the modules are in; its exit status
#                  is the verdict, its output shows as "ntdma> ..."
#     -p SCRIPT    run in the guest before the modules are inserted
#     -f FILE      another file for the guest's /ntdma (may be repeated)
#     -n NAME      logs go to out/NAME (default KERNEL-MACHINE)
#     -t SECONDS   give up after so long (default 300)
#     -a ARGS      more kernel arguments      -q ARGS   more QEMU arguments
#     -i           a shell on the console after the script
#
# Exit status: 0 all is well; 1 the guest's verdict was bad; 3 it hung; 4 it
# died without a verdict; 5 a checker reported something; 2 it could not start.
# out/NAME/console.log is the whole console, guest.log what the scripts printed.
# V=1 streams the console.  ACCEL=tcg or kvm overrides the choice between them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kernel=6.12 machine=plain script='' pre='' name='' limit=300 shell=0
more_args='' more_qemu='' files=() modules=()

usage() {
	sed -n '/^# vm.sh/,/^set/{/^set/d;s/^# \?//p}' "$0" >&2
	exit 2
}

parse() {
	local o
	while getopts k:m:s:p:f:n:t:a:q:ih o; do
		case $o in
		k) kernel=$OPTARG ;;
		m) machine=$OPTARG ;;
		s) script=$OPTARG ;;
		p) pre=$OPTARG ;;
		f) files+=("$OPTARG") ;;
		n) name=$OPTARG ;;
		t) limit=$OPTARG ;;
		a) more_args=$OPTARG ;;
		q) more_qemu=$OPTARG ;;
		i) shell=1 ;;
		*) usage ;;
		esac
	done
	shift $((OPTIND - 1))
	modules=("$@")
	name=${name:-$kernel-$machine}
}

#
# Machines.  Each has three edu devices, so that the sample and the test module
# both find one.
#

machine_args() { # sets qemu, kernel_args
	local edu slot
	# On a loaded host the kernel's own test of the timer fails now and then.
	# An oops ends the guest: what it held would only hang the rest.
	kernel_args="console=ttyS0 panic=-1 loglevel=5 printk.devkmsg=on"
	kernel_args+=" no_timer_check oops=panic"
	kernel_args+=" printk.time=1 cryptomgr.notests kunit.enable=1"
	# A busy host starves a guest without the guest being at fault.
	kernel_args+=" rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60"
	case $machine in
	plain)
		qemu=(qemu-system-x86_64 -M q35 -m 512)
		edu=edu,dma_mask=0xffffffffff
		;;
	iommu)
		qemu=(qemu-system-x86_64 -M "q35,kernel-irqchip=split" -m 512
		      -device "intel-iommu,intremap=on,caching-mode=on")
		edu=edu
		kernel_args+=" intel_iommu=on"
		;;
	bounce)
		# q35 puts 1 GB of 3 above 4 GB, and Linux takes pages from there
		# first: out of reach of 28 bits, so that they bounce.
		qemu=(qemu-system-x86_64 -M q35 -m 3G)
		edu=edu
		;;
	*)
		say "unknown machine '$machine': ${all_machines// /, }"
		exit 2
		;;
	esac
	qemu+=(-cpu max -smp 2)
	for slot in 3 4 5; do
		qemu+=(-device "$edu,addr=$slot")
	done
}

# /dev/kvm may be there and yet of no use: try it on an empty machine.
kvm_works() {
	[ -w /dev/kvm ] && [ "$(uname -m)" = x86_64 ] || return 1
	(echo quit | timeout 10 qemu-system-x86_64 -accel kvm -M q35 -cpu max \
		-S -display none -monitor stdio) >/dev/null 2>&1
}

# A kernel that patches its own code while it runs (jump labels; the debug
# kernel has none) now and then meets a stale int3 when QEMU 7.2 emulates its
# processors in threads of their own.
accel() {
	if [ -n "${ACCEL:-}" ]; then
		echo "$ACCEL"
	elif kvm_works; then
		echo kvm
	elif [ "$kernel" = debug ]; then
		echo tcg
	else
		echo tcg,thread=single
	fi
}

#
# The guest's file system
#

fill_root() { # DIR
	local m
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,ntdma}
	cp /bin/busybox "$1/bin/"
	cp "$here/guest-init" "$1/init"
	: >"$1/ntdma/modules"
	for m in ${modules[@]+"${modules[@]}"}; do
		cp "${m%%,*}" "$1/ntdma/"
		m=${m##*/}
		echo "${m//,/ }" >>"$1/ntdma/modules"
	done
	[ -z "$script" ] || cp "$script" "$1/ntdma/test.sh"
	[ -z "$pre" ] || cp "$pre" "$1/ntdma/pre.sh"
	[ ${#files[@]} -eq 0 ] || cp "${files[@]}" "$1/ntdma/"
}

make_initrd() { # DIR
	rm -rf "$1/root"
	fill_root "$1/root"
	(cd "$1/root" && find . | cpio -o -H newc --quiet --owner=0:0) |
		gzip -1 >"$1/initrd.gz"
	rm -rf "$1/root"
}

need_files() { # FILE...
	local f
	for f; do
		[ -f "$f" ] || {
			say "$name: there is no file $f"
			exit 2
		}
	done
}

#
# The console
#

# Short progress lines, or the whole console.
show_progress() {
	local line
	while IFS= read -r line; do
		line=${line//[$'\r\e']/}
		case $line in
		*ntdma-vm:\ loaded:*) ;;
		*ntdma-vm:\ *)
			[ "$verbose" != 0 ] ||
				say "  $name: ${line#*ntdma-vm: }"
			;;
		esac
		[ "$verbose" = 0 ] || printf '%s| %s\n' "$name" "$line" >&2
	done
}

boot() { # DIR; sets status
	local image
	image=$("$here/kernel.sh" image "$kernel")
	machine_args
	[ $shell = 0 ] || kernel_args+=" ntdma.shell"
	# A kernel that measures the TSC on a busy host gets it wrong, and with
	# it every time-out; the HPET follows the emulator's own clock.
	[[ $(accel) != tcg* ]] || kernel_args+=" clocksource=hpet tsc=unstable"
	# shellcheck disable=SC2206 # the user's words
	qemu+=(-accel "$(accel)" -display none -vga none -nic none -no-reboot
	       -monitor none -serial stdio
	       -kernel "$image" -initrd "$1/initrd.gz"
	       -append "$kernel_args $more_args" $more_qemu)
	printf '%q ' "${qemu[@]}" >"$1/command"
	set +e
	if [ $shell = 1 ]; then
		"${qemu[@]}" | tee "$1/console.log"
		status=${PIPESTATUS[0]}
	else
		timeout --foreground -k 5 "$limit" "${qemu[@]}" </dev/null 2>&1 |
			tee "$1/console.log" | show_progress
		status=${PIPESTATUS[0]}
	fi
	set -e
}

# Sorts the log into guest.log, reports and verdict.
sort_log() { # DIR; sets verdict
	local log=$1/console.log
	sed -n 's/\r*$//; s/^.*ntdma> //p' "$log" >"$1/guest.log"
	verdict=$(sed -n 's/\r*$//; s/^.*ntdma-vm: verdict //p' "$log" | tail -n 1)
	"$here/reports.awk" "$log" >"$1/reports"
	[ ! -s "$1/reports" ] || {
		say "$name: report in the guest's log ($log):"
		head -n 60 "$1/reports" | sed 's/^/        | /' >&2
	}
}

no_verdict() { # DIR
	local log=$1/console.log
	show_tail "$log"
	case $status in
	124 | 137)
		say "$name: guest hung: no verdict within $limit s ($log)"
		return 3
		;;
	esac
	say "$name: guest died without a verdict ($log)"
	return 4
}

judge() { # DIR
	local log=$1/console.log verdict
	sort_log "$1"
	if [ -z "$verdict" ]; then
		no_verdict "$1"
	elif [ "$verdict" != 0 ]; then
		show_tail "$1/guest.log" 8
		sed -n 's/\r*$//; s/^.*ntdma-vm: failed: /        | failed: /p' \
			"$log" >&2
		say "$name: the guest's verdict is $verdict ($log)"
		return 1
	elif [ -s "$1/reports" ]; then
		return 5
	fi
}

main() {
	local dir
	parse "$@"
	machine_args
	need_files ${modules[@]+"${modules[@]%%,*}"} ${files[@]+"${files[@]}"} \
		${script:+"$script"} ${pre:+"$pre"}
	dir=$out/$name
	mkdir -p "$dir"
	rm -f "$dir"/{console.log,guest.log,reports}
	[ -f "$out/kernels/$kernel" ] || "$here/kernel.sh" fetch "$kernel"
	make_initrd "$dir"
	say "booting $name: kernel $kernel, machine $machine, $(accel)"
	boot "$dir"
	judge "$dir"
}

main "$@"
