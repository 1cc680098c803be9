#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# setup.sh USE... - make sure that the Debian packages for a use are there
#
# USE is any of: demo (boot guests), arm (build for arm and boot boards), check
# (all of these, the debug kernel, the lint and the cross-check), lint.  Says what
# is missing, then installs it with apt-get as root or through sudo.  On a system
# other than Debian 12 it prints what is missing and fails.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

build="make gcc-12 gcc libc6-dev libelf1 perl"
boot="qemu-system-x86 seabios busybox-static cpio gzip kmod"
arm="gcc-12-aarch64-linux-gnu gcc-12-arm-linux-gnueabihf qemu-system-arm
device-tree-compiler xz-utils"
lint="clang sparse"
kernel="bc bison flex libelf-dev rsync xz-utils"
cross="gcc-mingw-w64-x86-64-win32"
acpi="acpica-tools"

packages_for() { # USE...
	local use
	for use; do
		case $use in
		demo) echo "$build $boot" ;;
		arm) echo "$build $boot $arm" ;;
		lint) echo "$build $lint $arm" ;;
		check) echo "$build $boot $arm $lint $kernel $cross $acpi" ;;
		*) die "unknown use '$use': demo, arm, lint or check" ;;
		esac
	done | tr ' ' '\n' | sort -u
}

is_installed() {
	dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null |
		grep -qx installed
}

missing_packages() { # PACKAGE...
	local p
	for p; do
		is_installed "$p" || echo "$p"
	done
}

is_debian_12() {
	local ID='' VERSION_ID=''
	# shellcheck disable=SC1091
	[ -r /etc/os-release ] && . /etc/os-release
	[ "$ID" = debian ] && [ "$VERSION_ID" = 12 ] &&
		command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
}

# Another system has other package names: go by the commands.
complain_elsewhere() { # PACKAGE...
	local c lacks=()
	for c in make gcc perl qemu-system-x86_64 busybox cpio clang sparse \
		 bc bison flex xz modprobe qemu-system-arm qemu-system-aarch64 \
		 aarch64-linux-gnu-gcc-12 arm-linux-gnueabihf-gcc-12 fdtput iasl \
		 apt-get apt-cache dpkg; do
		command -v "$c" >/dev/null || lacks+=("$c")
	done
	say "this is not a Debian 12: nothing is installed automatically here"
	say "commands that are not found: ${lacks[*]:-none}"
	say "on Debian 12 these packages provide them: $*"
	exit 1
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=300 "${apt_patience[@]}" "$@"
}

install_packages() { # LOG PACKAGE...
	local log=$1
	shift
	{
		apt install --no-install-recommends "$@" || {
			update_lists &&
			apt install --no-install-recommends "$@"
		}
	} >"$log" 2>&1 </dev/null
}

main() {
	local wanted missing log=$out/setup.log
	mapfile -t wanted < <(packages_for "$@")
	is_debian_12 || complain_elsewhere "${wanted[@]}"
	mapfile -t missing < <(missing_packages "${wanted[@]}")
	[ ${#missing[@]} -gt 0 ] || return 0
	say "missing packages: ${missing[*]}"
	can_be_root || {
		say "not root, and no usable sudo. Please run:"
		say "  apt-get install --no-install-recommends ${missing[*]}"
		exit 1
	}
	say "installing them with apt-get (log: $log)"
	mkdir -p "$out"
	install_packages "$log" "${missing[@]}" || {
		show_tail "$log"
		die "apt-get could not install the packages; is the network there?"
	}
	say "packages installed"
}

[ $# -gt 0 ] || die "usage: setup.sh demo|arm|check|lint..."
main "$@"
