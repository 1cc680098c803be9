# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by the scripts beside it: places, messages and the few helpers that
# more than one of them needs.  Messages go to stderr so that a script's stdout
# holds its result only.
#
# Environment: NTDMA_CACHE (kernels; default ~/.cache/ntdma), NTDMA_OUT (logs
# and work copies; default out/ in the tree), V=1 (more output).

# shellcheck disable=SC2034 # used by the scripts that source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/selftests/vm
out=$(realpath -m "${NTDMA_OUT:-$top/out}")
cache=$(realpath -m "${NTDMA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ntdma}")
verbose=${V:-0}
# One clock for a whole run: the scripts that a script starts go on counting.
export NTDMA_T0=${NTDMA_T0:-$(date +%s)}

say() {
	printf '[%4d s] %s\n' $(($(date +%s) - NTDMA_T0)) "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

# Show the end of a log, indented, where it cannot be mistaken for our words.
show_tail() { # FILE [LINES]
	[ -s "$1" ] || return 0
	echo "        ---- last lines of $1" >&2
	tail -n "${2:-25}" "$1" | tr -d '\r' | sed 's/^/        | /' >&2
	echo "        ----" >&2
}

# A compiler's errors may be far from the end of its log.
show_errors() { # LOG
	if grep -qE 'error:|ERROR:' "$1"; then
		grep -E -A 3 'error:|ERROR:' "$1" | head -n 40 |
			sed 's/^/        | /' >&2
	else
		show_tail "$1"
	fi
}

# Run COMMAND with its output in LOG.  While it runs, say every half minute
# what the function NOTE (optional) makes of the log.
run_logged() { # LOG NOTE COMMAND...
	local log=$1 note=$2 pid beat=0
	shift 2
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		beat=$((beat + 1))
		[ $((beat % 30)) -ne 0 ] || [ -z "$note" ] || "$note" "$log"
	done
	wait "$pid"
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

can_be_root() {
	[ "$(id -u)" -eq 0 ] && return
	command -v sudo >/dev/null || return
	sudo -n true 2>/dev/null || [ -t 0 ]
}

# "6.12" and so on: every kernel that the harness knows.
all_kernels="6.1 6.12 debug"
all_machines="plain iommu bounce"

# The kernels that KERNEL= leaves, in the order given.
chosen_kernels() { # NAME...
	local k
	if [ -n "${KERNEL:-}" ]; then
		case " $all_kernels " in
		*" $KERNEL "*) ;;
		*) die "KERNEL=$KERNEL is not one of: $all_kernels" ;;
		esac
	fi
	for k; do
		[ -n "${KERNEL:-}" ] && [ "$k" != "$KERNEL" ] && continue
		echo "$k"
	done
}

#
# Building the modules, each time in a copy: several kernels share the tree.
#

copy_sources() { # DIR
	mkdir -p "$1"
	tar -C "$top" -cf - --exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*.cmd' --exclude='*.symvers' \
		--exclude='modules.order' Kbuild kmod uapi |
		tar -C "$1" -xf -
}

# Stock headers ask for BTF of modules, which needs their own pahole.
kbuild_args="CONFIG_DEBUG_INFO_BTF_MODULES="

kbuild() { # KDIR DIR [ARGS]...
	local kdir=$1 dir=$2
	shift 2
	make -C "$kdir" M="$dir" $kbuild_args "$@" modules
}

build_modules() { # KERNEL
	local dir=$out/build/$1 log=$out/build/$1.log kdir
	kdir=$("$here/kernel.sh" kdir "$1")
	copy_sources "$dir"
	say "building the modules for kernel $1"
	kbuild "$kdir" "$dir" CC=gcc-12 -j"$(nproc)" >"$log" 2>&1 </dev/null || {
		show_errors "$log"
		say "error: the modules do not build for kernel $1 (log: $log)"
		return 1
	}
}

# What MACHINE must make of a device: the back end's name in debugfs.
backend_of() { # MACHINE
	case $1 in
	plain) echo direct ;;
	*) echo "$1" ;;
	esac
}

# A disk for the NVMe sample, and what it and the packet device are in QEMU.
nvme_image() { # create|verify FILE
	"$top/kmod/samples/nvme/image.sh" "$@"
}

nvme_args() { # FILE
	echo "-drive file=$1,if=none,id=d0,format=raw" \
		"-device nvme,drive=d0,serial=ntdma,mdts=7"
}

# The bounce machine has memory in reach of 28 bits; 24 leave next to none.
nvme_module() { # KERNEL MACHINE
	local width=64
	[ "$2" != bounce ] || width=24
	echo "$out/build/$1/kmod/samples/nvme/nvme_sample.ko,width=$width"
}

packet_args="-netdev hubport,id=n0,hubid=0 -device rtl8139,netdev=n0"

# The sample and its parameters: the device of `plain` has a 40-bit mask.
sample_module() { # KERNEL MACHINE
	local width=28
	[ "$2" != plain ] || width=40
	echo "$out/build/$1/kmod/samples/edu/edu_sample.ko,width=$width"
}
