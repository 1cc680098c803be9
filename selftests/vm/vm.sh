#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vm.sh - boot one guest with modules and a script, and return its verdict
#
#   vm.sh [options] [MODULE.ko[,param=value...]]...
#     -k KERNEL    one of lib.sh's table: 6.12 (the default), 6.1, debug,
#                  arm64, arm64-16k, 6.1-arm64, armhf; fetched if need be
#     -m MACHINE   one of machines.sh's table (default plain)
#     -s SCRIPT    run in the guest after the modules are in; its exit status
#                  is the verdict, its output shows as "ntdma> ..."
#     -p SCRIPT    run in the guest before the modules are inserted
#     -f FILE      another file for the guest's /ntdma (may be repeated)
#     -n NAME      logs go to out/NAME (default KERNEL-MACHINE)
#     -t SECONDS   give up after so long (default 300)
#     -a ARGS      more kernel arguments      -q ARGS   more QEMU arguments
#     -i           a shell on the console after the script
#   and for boards:
#     -d EDIT      change the device tree: words for fdtput without its file,
#                  "-t TYPE NODE PROPERTY VALUE..." or "-d NODE PROPERTY" (may
#                  be repeated)
#     -o OVERLAY   apply the overlay with this source (may be repeated)
#     -l MODULE    load a module that came with the kernel, and what it depends
#                  on, before ours (may be repeated); it is not removed
#     -u FILE      attach the board's second UART: what the guest sends is in
#                  out/NAME/uart; for each line "ntdma-feed: N" that the guest
#                  prints, it gets the next N bytes of FILE, eight each 20 ms,
#                  which is what the models' FIFOs take
#
# For example, on smdkc210 with the second UART in the hands of a driver that
# matches "ntdma,uart", and on raspi3b with a card (of a power of two in size):
#   vm.sh -k armhf -m smdkc210 -t 90 -u bytes -s script.sh \
#         -d "-t s /soc/serial@13810000 compatible ntdma,uart" ntdma.ko soc.ko
#   vm.sh -k arm64 -m raspi3b -t 90 -q "-drive if=sd,format=raw,file=sd.img" \
#         -s script.sh ntdma.ko soc.ko
# build_modules of lib.sh builds our modules for KERNEL in out/build/KERNEL.
#
# Exit status: 0 all is well; 1 the guest's verdict was bad; 3 it hung; 4 it
# died without a verdict; 5 a checker reported something; 2 it could not start.
# out/NAME/console.log is the whole console, guest.log what the scripts printed.
# V=1 streams the console.  ACCEL=tcg or kvm overrides the choice between them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kernel=6.12 machine=plain script='' pre='' name='' limit=300 shell=0
more_args='' more_qemu='' files=() modules=() more_edits=() more_drivers=''
overlays=() feed=''

usage() {
	sed -n '/^# vm.sh/,/^set/{/^set/d;s/^# \?//p}' "$0" >&2
	exit 2
}

parse() {
	local o
	while getopts k:m:s:p:f:n:t:a:q:d:o:l:u:ih o; do
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
		d) more_edits+=("$OPTARG") ;;
		o) overlays+=("$OPTARG") ;;
		l) more_drivers+=" $OPTARG" ;;
		u) feed=$OPTARG ;;
		i) shell=1 ;;
		*) usage ;;
		esac
	done
	shift $((OPTIND - 1))
	modules=("$@")
	name=${name:-$kernel-$machine}
}

check_machine() {
	case " $all_machines " in
	*" $machine "*) ;;
	*)
		say "unknown machine '$machine': ${all_machines// /, }"
		exit 2
		;;
	esac
	machine_boots "$machine" "$kernel" || {
		say "kernel $kernel does not boot machine $machine"
		exit 2
	}
}

# What every guest is told.
common_args() {
	# An oops ends the guest: what it held would only hang the rest.
	echo "console=$console panic=-1 loglevel=5 printk.devkmsg=on" \
		"oops=panic printk.time=1 cryptomgr.notests kunit.enable=1"
	# A busy host starves a guest without the guest being at fault.
	echo "rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60"
	[ $shell = 0 ] || echo "ntdma.shell"
	# A kernel that measures the TSC on a busy host gets it wrong, and with
	# it every time-out; the HPET follows the emulator's own clock.
	[[ $(arch_of "$kernel")-$(accel) != amd64-tcg* ]] ||
		echo "clocksource=hpet tsc=unstable"
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
	elif [ "$(arch_of "$kernel")" = amd64 ] && kvm_works; then
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

# The kernel's own modules, numbered in the order to insert them.
fill_drivers() { # DIR
	local file n=100
	mkdir "$1"
	# shellcheck disable=SC2086 # words
	set -- "$1" $drivers $more_drivers
	[ $# -gt 1 ] || return 0
	"$here/kernel.sh" modules "$kernel" "${@:2}" | while read -r file; do
		n=$((n + 1))
		case $file in
		*.xz) xz -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$1/$n-$(basename "${file%.xz}")"
	done
}

fill_root() { # DIR
	local m
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,ntdma}
	cp "$("$here/kernel.sh" busybox "$kernel")" "$1/bin/busybox"
	cp "$here/guest-init" "$1/init"
	fill_drivers "$1/ntdma/drivers"
	: >"$1/ntdma/modules"
	for m in ${modules[@]+"${modules[@]}"}; do
		cp "${m%%,*}" "$1/ntdma/"
		m=${m##*/}
		echo "${m//,/ }" >>"$1/ntdma/modules"
	done
	[ -z "$script" ] || cp "$script" "$1/ntdma/test.sh"
	[ -z "$pre" ] || cp "$pre" "$1/ntdma/pre.sh"
	cp "$here/../guest/tap.sh" "$1/ntdma/"
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
# The board
#

apply_overlays() { # DIR
	local file
	for file in ${overlays[@]+"${overlays[@]}"}; do
		dtc -q -@ -I dts -O dtb -o "$1/overlay.dtb" "$file"
		fdtoverlay -i "$1/tree.dtb" -o "$1/tree.new" "$1/overlay.dtb"
		mv "$1/tree.new" "$1/tree.dtb"
	done
}

make_tree() { # DIR; adds it to qemu
	local edit options words
	case $tree in
	'') return ;;
	dump)
		# QEMU exits when it has written it.
		options=${qemu[*]}
		# shellcheck disable=SC2086 # none of these words has a space
		${options/-M virt,/-M virt,dumpdtb=$1/tree.dtb,} -display none \
			>"$1/dumpdtb.log" 2>&1
		;;
	*) cp "$("$here/kernel.sh" dtbs "$kernel")/$tree" "$1/tree.dtb" ;;
	esac
	while IFS= read -r edit; do
		# fdtput wants the file behind its options.
		read -r -a words <<<"$edit"
		case $edit in
		'') ;;
		-d*) fdtput -d "$1/tree.dtb" "${words[@]:1}" ;;
		*) fdtput "${words[@]:0:2}" "$1/tree.dtb" "${words[@]:2}" ;;
		esac
	done < <(printf '%s\n' "$edits" ${more_edits[@]+"${more_edits[@]}"})
	apply_overlays "$1"
	qemu+=(-dtb "$1/tree.dtb")
}

# A FIFO each way. QEMU holds both ends of each, so nobody waits at an open,
# and the file is complete when QEMU is gone.
attach_uart() { # DIR; adds it to qemu
	[ -n "$feed" ] || return 0
	rm -f "$1"/uart{,.in,.out}
	mkfifo "$1/uart.in" "$1/uart.out"
	qemu+=(-chardev "pipe,id=uart,path=$1/uart" -serial chardev:uart)
	cat "$1/uart.out" >"$1/uart" &
	exec 3<>"$1/uart.in" 4<"$feed"
}

feed_uart() { # BYTES
	head -c "$1" <&4 |
		timeout "$limit" split -b 8 --filter='cat; sleep 0.02' - >&3
}

detach_uart() { # DIR
	[ -n "$feed" ] || return 0
	exec 3>&- 4<&-
	# Whoever reads it may wait for a guest that never came up.
	: <>"$1/uart.out"
	wait
	rm -f "$1"/uart.{in,out}
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
		*ntdma-feed:\ *)
			[ -z "$feed" ] || feed_uart "${line##*ntdma-feed: }" &
			;;
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
	# shellcheck disable=SC2206 # the user's words
	qemu+=(-accel "$(accel)" -display none -vga none -nic none -no-reboot
	       -monitor none -serial stdio $more_qemu)
	make_tree "$1"
	attach_uart "$1"
	qemu+=(-kernel "$image" -initrd "$1/initrd.gz"
	       -append "$(common_args | tr '\n' ' ')$kernel_args $more_args")
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
	detach_uart "$1"
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
	elif [ "$status" != 0 ]; then
		show_tail "$log"
		say "$name: the guest did not end, or QEMU failed: $status ($log)"
		return 3
	elif [ -s "$1/reports" ]; then
		return 5
	fi
}

main() {
	local dir
	parse "$@"
	check_machine
	machine_args "$machine" "$kernel"
	need_files ${modules[@]+"${modules[@]%%,*}"} ${files[@]+"${files[@]}"} \
		${overlays[@]+"${overlays[@]}"} \
		${script:+"$script"} ${pre:+"$pre"} ${feed:+"$feed"}
	dir=$out/$name
	mkdir -p "$dir"
	rm -f "$dir"/{console.log,guest.log,reports}
	[ -f "$out/kernels/$kernel" ] || "$here/kernel.sh" fetch "$kernel"
	make_initrd "$dir"
	# Asked once: on a busy host the next answer may be another.
	ACCEL=$(accel)
	say "booting $name: kernel $kernel, machine $machine, $ACCEL"
	boot "$dir"
	judge "$dir"
}

main "$@"
