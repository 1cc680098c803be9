#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh - the kernels that guests boot and modules are built for
#
#   kernel.sh fetch NAME...   have them in the cache: those of lib.sh's table
#                             (Debian's own packages, unpacked, never installed)
#                             and debug (built from linux-source-6.12 with the
#                             fragment debug-x86_64.config)
#   kernel.sh fetch source    have linux-source-6.12 and its checkpatch there
#   kernel.sh dir source      print where
#   kernel.sh image NAME      print the path of the bootable image
#   kernel.sh kdir NAME       print the directory to build modules against; for
#                             clang, a stock amd64 kernel has another: KDIR-clang
#   kernel.sh dtbs NAME       print the directory of its device trees
#   kernel.sh busybox NAME    print the path of a static busybox for its guests
#   kernel.sh modules NAME MODULE...  print the paths of modules that came with
#                             it and of what they depend on, in order to insert
#
# Packages of another architecture come through package lists of our own in the
# cache: the machine's own apt and dpkg hear nothing of that architecture.
#
# The cache (see lib.sh) is keyed by package version; the debug kernel by
# source version, fragment and compiler.  Everything is prepared under another
# name and moved into place whole.  `fetch` notes what it settled on in
# out/kernels/NAME, so that one run does not change kernels half way.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fragment=$here/debug-x86_64.config
notes=$out/kernels

#
# Debian packages
#

host_arch=amd64

apt_user=("${apt_patience[@]}")
[ "$(id -u)" -ne 0 ] || apt_user+=(-o APT::Sandbox::User=root)

# What makes apt look at the lists of ARCH.
lists_of() { # ARCH; sets lists
	lists=()
	[ "$1" != "$host_arch" ] || return 0
	lists=(-o "APT::Architecture=$1" -o "APT::Architectures=$1"
	       -o "Dir::State::Lists=$cache/lists/$1"
	       -o Dir::State::status=/dev/null -o Dir::Cache::pkgcache=
	       -o Dir::Cache::srcpkgcache=)
}

apt_update_foreign() { # ARCH
	local lists
	lists_of "$1"
	mkdir -p "$cache/lists/$1/partial"
	say "fetching the package lists of $1"
	# A source that has nothing for ARCH is not an error of ours.
	apt-get -q "${apt_user[@]}" "${lists[@]}" -o Debug::NoLocking=true \
		update >"$out/apt-update-$1.log" 2>&1 </dev/null || true
	! compgen -G "$cache/lists/$1/*_Packages*" >/dev/null ||
		touch "$cache/lists/$1/updated"
}

# Lists of a day ago name what is there; those of a week ago need not.
freshen_lists() { # ARCH
	[ "$1" != "$host_arch" ] || return 0
	[ -n "$(find "$cache/lists/$1/updated" -mmin -1440 2>/dev/null)" ] ||
		renew_lists "$1"
}

apt_update() { # [ARCH]
	[ "${1:-$host_arch}" = "$host_arch" ] || {
		apt_update_foreign "$1"
		return
	}
	can_be_root || die "apt's package lists are too old: please run" \
			   "'apt-get update' as root"
	say "refreshing apt's package lists"
	update_lists >"$out/apt-update.log" 2>&1 </dev/null || {
		show_tail "$out/apt-update.log"
		die "apt-get update failed; is the network there?"
	}
}

# What is not in the cache is asked for by the newest name there is: lists of
# last month name packages that are gone.  Once in a run.
renew_lists() { # ARCH
	local stamp=$notes/lists-$1
	[ -z "$(find "$stamp" -newermt "@$NTDMA_T0" 2>/dev/null)" ] || return 0
	[ "$1" != "$host_arch" ] || can_be_root || return 0
	apt_update "$1"
	mkdir -p "$notes"
	touch "$stamp"
}

# Newest package whose name is PREFIX + what the pattern allows + SUFFIX.
newest_release() { # ARCH PATTERN -> release
	local lists
	lists_of "$1"
	apt-cache "${lists[@]}" search -n "^linux-image-$2(-unsigned)?\$" |
		sed -E 's/ .*//; s/^linux-image-//; s/-unsigned$//' |
		sort -Vu | tail -n 1
}

package_version() { # ARCH PACKAGE
	local lists
	lists_of "$1"
	apt-cache "${lists[@]}" show --no-all-versions "$2" 2>/dev/null |
		sed -n 's/^Version: //p' | head -n 1
}

# Download into the current directory; old lists name files that are gone.
download() { # ARCH PACKAGE...
	local try arch=$1 lists
	lists_of "$arch"
	shift
	for try in 1 2; do
		apt-get -q "${apt_user[@]}" "${lists[@]}" download "$@" \
			>"$out/apt-download.log" 2>&1 </dev/null && return
		[ "$try" = 2 ] || apt_update "$arch"
	done
	show_tail "$out/apt-download.log"
	die "cannot download $*; is the network there?"
}

#
# Stock kernels
#

stock_pattern() {
	case $1 in
	6.1) echo '6\.1\.0-[0-9]+-amd64' ;;
	6.12) echo '6\.12\.[0-9]+\+deb12-amd64' ;;
	6.1-arm64) echo '6\.1\.0-[0-9]+-arm64' ;;
	arm64) echo '6\.12\.[0-9]+\+deb12-arm64' ;;
	arm64-16k) echo '6\.12\.[0-9]+\+deb12-arm64-16k' ;;
	armhf) echo '6\.1\.0-[0-9]+-armmp' ;;
	esac
}

# 6.1.0-50-armmp is of the version 6.1.0-50, 6.12.95+deb12-arm64-16k of
# 6.12.95+deb12.
release_version() { # RELEASE
	sed -E 's/^(6\.1\.0-[0-9]+|[^-]*)-.*/\1/' <<<"$1"
}

# linux-headers-REL brings little; the bulk is in its -common and the tools,
# which are the host's.
kbuild_package() { # RELEASE
	case $1 in
	6.1.0-*) echo linux-kbuild-6.1 ;;
	*) echo "linux-kbuild-$(release_version "$1")" ;;
	esac
}

image_package() { # ARCH RELEASE
	local p=linux-image-$2
	[ -n "$(package_version "$1" "$p")" ] || p=$p-unsigned
	echo "$p"
}

unpack_stock() { # ARCH RELEASE DIR
	local arch=$1 rel=$2 dir=$3 tmp deb
	tmp=$(mktemp -d "$cache/.unpack.XXXXXX")
	mkdir "$tmp/debs" "$tmp/tree"
	(
		cd "$tmp/debs"
		download "$arch" "$(image_package "$arch" "$rel")" \
			"linux-headers-$rel" \
			"linux-headers-$(release_version "$rel")-common"
		download "$host_arch" "$(kbuild_package "$rel")"
	)
	for deb in "$tmp"/debs/*.deb; do
		dpkg -x "$deb" "$tmp/tree"
	done
	# The headers' Makefile includes the place where they would be installed.
	sed -i "s#^include /usr/src/#include $dir/usr/src/#" \
		"$tmp/tree/usr/src/linux-headers-$rel/Makefile"
	mv -T "$tmp/tree" "$dir"
	rm -rf "$tmp"
}

# The busybox of the machine runs on the machine only.
fetch_busybox() { # ARCH -> path
	local arch=$1 tmp dir
	[ "$arch" != "$host_arch" ] || {
		echo /bin/busybox
		return
	}
	dir=$cache/busybox/$arch
	[ -d "$dir" ] || {
		tmp=$(mktemp -d "$cache/.unpack.XXXXXX")
		(cd "$tmp" && download "$arch" busybox-static)
		mkdir -p "$cache/busybox"
		dpkg -x "$tmp"/*.deb "$tmp/tree"
		mv -T "$tmp/tree" "$dir"
		rm -rf "$tmp"
	}
	find "$dir" -type f -name busybox -perm -u+x | head -n 1
}

# Where the modules of an unpacked kernel are, with what depmod makes of them.
modules_base() { # DIR RELEASE
	local base=$1
	[ -d "$base/lib/modules" ] || base=$1/usr
	[ -f "$base/lib/modules/$2/modules.dep.bin" ] ||
		/sbin/depmod -b "$base" "$2"
	echo "$base"
}

module_paths() { # NAME MODULE...
	local base rel m
	base=$(noted "$1" modules)
	rel=$(noted "$1" release)
	shift
	for m; do
		/sbin/modprobe -d "$base" -S "$rel" --show-depends "$m" ||
			die "the kernel has no module $m"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# Debian configured its headers for gcc and ships no Kconfig files: a copy
# beside them with other answers to the questions about the compiler.
gcc_only="CC_IS_GCC CC_HAS_NAMED_AS USE_X86_SEG_SUPPORT INIT_STACK_ALL_ZERO
	  FTRACE_MCOUNT_USE_CC RETHUNK MITIGATION_RETHUNK SLS MITIGATION_SLS
	  GCC_VERSION CC_IMPLICIT_FALLTHROUGH"

make_clang_headers() { # KDIR
	local new=$1-clang.new name
	[ ! -d "$1-clang" ] || return 0
	rm -rf "$new"
	cp -a "$1" "$new"
	for name in $gcc_only; do
		sed -i "/^CONFIG_$name=/d" "$new/include/config/auto.conf"
		sed -i "/^#define CONFIG_$name /d" \
			"$new/include/generated/autoconf.h"
	done
	printf '%s\n' CONFIG_CC_IS_CLANG=y CONFIG_GCC_VERSION=0 \
		'CONFIG_CC_IMPLICIT_FALLTHROUGH="-Wimplicit-fallthrough"' \
		>>"$new/include/config/auto.conf"
	printf '#define CONFIG_CC_IS_CLANG 1\n#define CONFIG_GCC_VERSION 0\n' \
		>>"$new/include/generated/autoconf.h"
	mv -T "$new" "$1-clang"
}

newest_cached() { # GLOB
	compgen -G "$1" | sort -V | tail -n 1 || true
}

# The newest that apt knows, or what is in the cache if it knows none.
choose_stock() { # NAME ARCH; sets rel, dir
	rel=$(newest_release "$2" "$(stock_pattern "$1")")
	if [ -n "$rel" ]; then
		dir=$cache/stock/$1-$(package_version "$2" "linux-headers-$rel")
		return
	fi
	dir=$(newest_cached "$cache/stock/$1-6.*")
	[ -n "$dir" ] || return 0
	rel=$(basename "$dir"/boot/vmlinuz-*)
	rel=${rel#vmlinuz-}
}

fetch_stock() { # NAME
	local name=$1 arch rel dir
	arch=$(arch_of "$name")
	freshen_lists "$arch"
	choose_stock "$name" "$arch"
	[ -d "$dir" ] || {
		renew_lists "$arch"
		choose_stock "$name" "$arch"
	}
	[ -n "$dir" ] || die "no $arch kernel package matches" \
		"linux-image-$(stock_pattern "$name");" \
		"is bookworm-security in apt's sources?"
	[ -d "$dir" ] || {
		say "kernel $name: downloading and unpacking $rel"
		unpack_stock "$arch" "$rel" "$dir"
	}
	[ "$arch" != "$host_arch" ] ||
		make_clang_headers "$dir/usr/src/linux-headers-$rel"
	note "$name" "$dir/boot/vmlinuz-$rel" \
		"$dir/usr/src/linux-headers-$rel" "$rel"
	{
		echo "modules=$(modules_base "$dir" "$rel")"
		echo "dtbs=$dir/usr/lib/linux-image-$rel"
		echo "busybox=$(fetch_busybox "$arch")"
	} >>"$notes/$name"
}

#
# The kernel's source: for the debug kernel and for checkpatch
#

source_package=linux-source-6.12
checkpatch_files="checkpatch.pl spelling.txt const_structs.checkpatch"

source_dir() { # -> where the newest source is or belongs
	local version
	version=$(package_version "$host_arch" "$source_package")
	if [ -n "$version" ]; then
		echo "$cache/source/$version"
	else
		newest_cached "$cache/source/*"
	fi
}

unpack_source_package() { # DIR
	local tmp tar=$source_package.tar.xz
	tmp=$(mktemp -d "$cache/.unpack.XXXXXX")
	(
		cd "$tmp"
		download "$host_arch" "$source_package"
		dpkg -x ./*.deb deb
		mkdir new
		mv "deb/usr/src/$tar" new/
		# shellcheck disable=SC2046,SC2086 # words
		tar -xf "new/$tar" --strip-components=2 -C new \
			$(printf "$source_package/scripts/%s " $checkpatch_files)
	)
	mv -T "$tmp/new" "$1"
	rm -rf "$tmp"
}

fetch_source() {
	local dir
	dir=$(source_dir)
	[ -d "$dir" ] || {
		renew_lists "$host_arch"
		dir=$(source_dir)
	}
	[ -n "$dir" ] || die "apt knows no $source_package;" \
		"is bookworm-security in its sources?"
	[ -d "$dir" ] || {
		say "downloading $source_package"
		unpack_source_package "$dir"
	}
	mkdir -p "$notes"
	printf 'dir=%s\n' "$dir" >"$notes/source"
}

#
# The debug kernel
#

debug_key() {
	{
		cat "$fragment"
		gcc-12 --version | head -n 1
		echo "recipe 1"
	} | sha256sum | cut -c 1-12
}

# Each line of the fragment must have survived Kconfig.
verify_config() { # CONFIG
	local line name bad=0
	while read -r line; do
		case $line in
		CONFIG_*=n)
			name=${line%=n}
			! grep -q "^$name=" "$1" && continue
			;;
		CONFIG_*)
			grep -qxF "$line" "$1" && continue
			name=${line%%=*}
			;;
		*) continue ;;
		esac
		bad=1
		say "asked for $line, got: $(grep -E "^(# )?${name}[ =]" "$1" ||
			echo nothing)"
	done <"$fragment"
	return $bad
}

configure_debug() { # SOURCE-DIR LOG
	make -C "$1" CC=gcc-12 KCONFIG_ALLCONFIG="$fragment" allnoconfig \
		>"$2" 2>&1 </dev/null || {
		show_tail "$2"
		die "the debug kernel could not be configured"
	}
	verify_config "$1/.config" ||
		die "Kconfig did not take the lines above from $fragment"
}

count_objects() { # LOG
	say "debug kernel: $(grep -c '^  CC' "$1") files compiled so far"
}

# Module builds need headers, Kbuild's scripts and objtool; the rest is 95 %.
prune_build() { # SOURCE-DIR
	cd "$1"
	cp arch/x86/boot/bzImage bzImage
	rm -rf Documentation LICENSES block certs crypto drivers fs init io_uring \
	       ipc kernel lib mm net rust samples security sound usr virt vmlinux*
	find arch -mindepth 1 -maxdepth 1 -type d ! -name x86 -exec rm -rf {} +
	find tools -mindepth 1 -maxdepth 1 ! -name objtool -exec rm -rf {} +
	find arch tools -name '*.[och]' ! -path '*/include/*' -delete
	find . -name '*.cmd' ! -path './scripts/*' -delete
}

build_debug() { # DIR SOURCE-DIR
	local dir=$1 tmp src log=$cache/debug/build.log
	rm -rf "$cache"/debug/.build.*
	tmp=$(mktemp -d "$cache/debug/.build.XXXXXX")
	say "debug kernel: unpacking the source"
	tar -xf "$2/$source_package.tar.xz" -C "$tmp"
	src=$tmp/$source_package
	say "debug kernel: building, about 10 minutes on 2 cores (log: $log)"
	configure_debug "$src" "$log"
	run_logged "$log" count_objects make -C "$src" CC=gcc-12 \
		-j"$(nproc)" bzImage modules || {
		show_tail "$log"
		die "the debug kernel did not build"
	}
	prune_build "$src"
	mv -T "$src" "$dir"
	rm -rf "$tmp"
	say "debug kernel: done"
}

fetch_debug() {
	local src dir
	fetch source
	src=$(noted source dir)
	dir=$cache/debug/$(basename "$src")-$(debug_key)
	[ -d "$dir" ] || (
		exec 8>"$cache/debug/lock"
		flock -n 8 || {
			say "debug kernel: another run is building it, waiting"
			flock 8
		}
		[ -d "$dir" ] || build_debug "$dir" "$src"
	)
	note debug "$dir/bzImage" "$dir" "$(cat "$dir/include/config/kernel.release")"
	echo busybox=/bin/busybox >>"$notes/debug"
}

#
# Entry
#

note() { # NAME IMAGE KDIR RELEASE
	[ -f "$2" ] || die "the cached kernel $1 is not whole: remove ${2%/boot/*}"
	mkdir -p "$notes"
	printf 'image=%s\nkdir=%s\nrelease=%s\n' "$2" "$3" "$4" >"$notes/$1"
}

noted() { # NAME KEY
	[ -f "$notes/$1" ] || die "kernel $1 was not fetched yet"
	sed -n "s/^$2=//p" "$notes/$1"
}

# One download at a time; a build of half an hour must not block the others.
fetch() { # NAME
	mkdir -p "$cache/stock" "$cache/source" "$cache/debug" "$out"
	case $1 in
	debug) fetch_debug ;;
	*)
		[ "$1" = source ] || [ -n "$(stock_pattern "$1")" ] ||
			die "no such kernel: $1"
		(
			exec 9>"$cache/lock"
			flock 9
			rm -rf "$cache"/.unpack.*
			if [ "$1" = source ]; then
				fetch_source
			else
				fetch_stock "$1"
			fi
		)
		;;
	esac
}

main() {
	local verb=${1:-} name
	[ $# -ge 2 ] ||
		die "usage: kernel.sh fetch|image|kdir|release|dir|dtbs|busybox|modules NAME"
	shift
	case $verb in
	fetch)
		for name; do
			fetch "$name"
		done
		;;
	image | kdir | release | dir | dtbs | busybox) noted "$1" "$verb" ;;
	modules) module_paths "$@" ;;
	*) die "unknown verb '$verb'" ;;
	esac
}

main "$@"
