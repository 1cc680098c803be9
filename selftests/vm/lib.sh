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
# checkpatch wants a home.
export HOME=${HOME:-/root}
out=$(realpath -m "${NTDMA_OUT:-$top/out}")
cache=$(realpath -m "${NTDMA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ntdma}")
# Some of us change directory before they start others.
export NTDMA_OUT=$out NTDMA_CACHE=$cache
verbose=${V:-0}
# One clock for a whole run: the scripts that a script starts go on counting.
export NTDMA_T0=${NTDMA_T0:-$(date +%s)}

# A make that is called from here is not the job server's that called us, and
# builds for the kernel that it is given, not for what the caller works on.
unset MAKEFLAGS MFLAGS CC ARCH CROSS_COMPILE KCFLAGS LLVM KBUILD_OUTPUT

# perl complains of a locale that is named and not there.
unset LC_ALL LC_CTYPE LC_MESSAGES LC_COLLATE LANGUAGE
export LANG=C.UTF-8

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

# A mirror may not answer at once.
# shellcheck disable=SC2034
apt_patience=(-o Acquire::Retries=5 -o Acquire::http::Timeout=60)

# apt waits for dpkg's lock, not for that of its lists.
update_lists() {
	local try
	for try in 1 2 3 4 5 6; do
		as_root apt-get -q "${apt_patience[@]}" \
			-o DPkg::Lock::Timeout=300 update && return
		[ "$try" = 6 ] || sleep 20
	done
	return 1
}

can_be_root() {
	[ "$(id -u)" -eq 0 ] && return
	command -v sudo >/dev/null || return
	sudo -n true 2>/dev/null || [ -t 0 ]
}

# Every kernel that the harness knows. Those of another architecture are named
# after it and, but for 6.1-arm64 and armhf (6.1), are 6.12.
all_kernels="6.1 6.12 debug arm64 arm64-16k 6.1-arm64 armhf"

arch_of() { # KERNEL
	case $1 in
	*arm64*) echo arm64 ;;
	armhf*) echo armhf ;;
	*) echo amd64 ;;
	esac
}

# What compiles for it, as Kbuild wants to hear it.
cross_args() { # KERNEL
	case $(arch_of "$1") in
	amd64) echo CC=gcc-12 ;;
	arm64) echo ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
		    CC=aarch64-linux-gnu-gcc-12 ;;
	armhf) echo ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf- \
		    CC=arm-linux-gnueabihf-gcc-12 ;;
	esac
}

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

# W=1 is for lint.sh, but what that built must be what others would build.
kbuild() { # KDIR DIR [ARGS]...
	local kdir=$1 dir=$2
	shift 2
	make -C "$kdir" M="$dir" $kbuild_args W=1 "$@" modules
}

build_modules() { # KERNEL
	local dir=$out/build/$1 log=$out/build/$1.log kdir
	kdir=$("$here/kernel.sh" kdir "$1")
	copy_sources "$dir"
	say "building the modules for kernel $1"
	# shellcheck disable=SC2046 # words
	kbuild "$kdir" "$dir" $(cross_args "$1") -j"$(nproc)" \
		>"$log" 2>&1 </dev/null || {
		show_errors "$log"
		say "error: the modules do not build for kernel $1 (log: $log)"
		return 1
	}
}

# shellcheck source-path=SCRIPTDIR source=machines.sh
. "$here/machines.sh"
