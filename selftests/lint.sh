#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh [RESULTS] - `make lint`: everything that must build without a word
#
# Builds all modules with W=1 by gcc (with sparse) and by clang against the
# headers of Debian's 6.1 and 6.12, by gcc (with sparse) for arm64 and armhf,
# and runs checkpatch --strict over all our C files.  Every case that
# coverage.rst names must be in the name of a test, and every overlay must apply
# to the device tree that it is for.  Any output of any of them is a failure.
# With RESULTS, appends a record per step for check.sh.  KERNEL= leaves only
# that one.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=vm/lib.sh
. "$(dirname "$0")/vm/lib.sh"

results=${1:-/dev/null}
bad=0

step() { # NAME COMMAND...
	local name=$1 log
	shift
	log=$out/lint/${name//[^a-z0-9.]/-}.log
	if "$@" >"$log" 2>&1 </dev/null && [ ! -s "$log" ]; then
		say "lint: $name: silent"
		printf 'pass\tlint\t%s\n' "$name" >>"$results"
		return
	fi
	bad=1
	say "lint: $name: FAILED ($log)"
	head -n 60 "$log" | sed 's/^/        | /' >&2
	printf 'fail\tlint\t%s\n' "$name" >>"$results"
}

# -s leaves only what the tools complain of.  What gcc makes is what guests
# load: build_modules finds it and has nothing left to do.
quiet_build() { # KERNEL gcc|clang ARGS...
	local dir=$out/build/$1 kdir cc
	kdir=$("$here/kernel.sh" kdir "$1")
	cc=$(cross_args "$1")
	[ "$2" != clang ] || {
		dir=$out/lint/$1-clang
		kdir+=-clang
		cc=CC=clang
	}
	rm -rf "$dir"
	copy_sources "$dir"
	# shellcheck disable=SC2086 # words
	kbuild "$kdir" "$dir" $cc -s -j"$(nproc)" "${@:3}"
}

# What checkpatch cannot excuse by itself: the one file for kernel versions,
# and the form that trace headers have in the kernel too.
excuses() { # FILE
	case $1 in
	kmod/compat.h)
		echo "--ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON,EXPORT_SYMBOL"
		;;
	kmod/wdm.h)		# FORCEINLINE is three words
		echo "--ignore COMPLEX_MACRO"
		;;
	kmod/samples/*_linux.c)	# a sample's binding is not the kernel's
		echo "--ignore UNDOCUMENTED_DT_STRING"
		;;
	kmod/trace.h)
		echo "--ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,SPACING"
		;;
	kmod/test/test.h)	# REQUIRE() leaves the case: that is its use
		echo "--ignore MACRO_WITH_FLOW_CONTROL"
		;;
	esac
}

checkpatch_one() { # TOOL FILE
	# shellcheck disable=SC2046 # words
	perl "$1" --root=. --quiet --no-summary --terse --show-types \
		$(excuses "$2") --file "$2"
}

# In a copy, since checkpatch looks for a kernel tree's include/ and bindings
# and leaves a cache.
checkpatch() {
	local dir=$out/lint/checkpatch tool
	tool=$("$here/kernel.sh" dir source)/checkpatch.pl
	rm -rf "$dir"
	mkdir -p "$dir"/{include,Documentation/devicetree/bindings}
	: >"$dir/Documentation/devicetree/bindings/vendor-prefixes.yaml"
	copy_sources "$dir"
	cp "$top/.checkpatch.conf" "$dir/"
	cp -r "$top/selftests" "$dir/"
	cd "$dir"
	export -f checkpatch_one excuses
	find kmod uapi selftests -name '*.[ch]' ! -name '*.mod.c' | sort |
		xargs -P "$(nproc)" -I '{}' \
			bash -c 'checkpatch_one "$@"' _ "$tool" '{}'
}

# The samples' overlays are named after Debian's tree of the board.
overlays() {
	local dir=$out/lint/overlays trees file name
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top"/kmod/samples/*/*.dtso "$dir/"
	# The example of the manual, which is the only code there in this language.
	awk '/^\t\/dts-v1\/;/ { on = 1 }
	     /^[^\t]/ { on = 0 }
	     on { sub(/^\t/, ""); print }' "$top/Documentation/boards.rst" \
		>"$dir/bcm2837-rpi-3-a-plus.dtso"
	trees="$("$here/kernel.sh" dtbs arm64) $("$here/kernel.sh" dtbs armhf)"
	for file in "$dir"/*.dtso; do
		name=${file##*/}
		name=${name%.dtso}
		dtc -@ -I dts -O dtb -o "$dir/$name.dtbo" "$file"
		# shellcheck disable=SC2086 # words
		fdtoverlay -i "$(find $trees -name "$name.dtb" | head -n 1)" \
			-o "$dir/$name.dtb" "$dir/$name.dtbo"
	done
}

main() {
	local k kernels
	mapfile -t kernels < <(chosen_kernels 6.12 6.1 arm64 armhf)
	"$here/setup.sh" lint
	mkdir -p "$out/lint"
	"$here/kernel.sh" fetch "${kernels[@]}" source
	step "coverage.rst names real cases" "$top/selftests/coverage.sh"
	step "checkpatch --strict" checkpatch
	# Their trees come with two of the kernels.
	[ -n "${KERNEL:-}" ] || step "overlays apply" overlays
	for k in "${kernels[@]}"; do
		step "gcc W=1 and sparse, $k" quiet_build "$k" gcc C=2
		[ "$(arch_of "$k")" = amd64 ] || continue
		step "clang W=1, $k" quiet_build "$k" clang
	done
	return $bad
}

main
