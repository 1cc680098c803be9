#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Compares kmod/wdm.h with the DDK headers of mingw-w64: one driver source must
# compile against both, and every layout and constant that both define must have
# the same value. KTAP on stdout; exit status 0 passed, 1 failed, 4 skipped.
#
#   KDIR       kernel headers of a 64-bit machine with 4 KiB pages
#              (default: those of the running kernel)
#   CC         the mingw-w64 compiler (default: x86_64-w64-mingw32-gcc)
#   MAKEARGS   more arguments for kbuild

export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd) || exit 1
wdm=$here/../../kmod/wdm.h
KDIR=${KDIR:-/lib/modules/$(uname -r)/build}
mingw=${CC:-x86_64-w64-mingw32-gcc}
unset CC

# Fewer records than this means that the extraction is broken.
least_records=650

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

skip() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 4
}

# result STATUS TEXT [FILE]: queue one test; the lines of FILE explain it.
tests=0
failed=0
result() {
	tests=$((tests + 1))
	[ -n "$3" ] && [ "$1" -ne 0 ] && sed -n '1,40s/^/# /p' "$3" >>"$work/tap"
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2" >>"$work/tap"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $2" >>"$work/tap"
	fi
}

finish() {
	echo "TAP version 13"
	echo "1..$tests"
	cat "$work/tap"
	[ "$failed" -eq 0 ] || exit 1
	exit 0
}

# kernel DIR TARGET...: build in DIR against the kernel's headers.
kernel() {
	kernel_dir=$1
	shift
	# shellcheck disable=SC2086
	make -s -C "$KDIR" M="$kernel_dir" KCFLAGS=-Werror W=1 $MAKEARGS "$@"
}

ddk() {
	"$mingw" -O2 -Wall -Wextra -Werror -Wno-unknown-pragmas \
		"-D__used=__attribute__((__used__))" \
		-Wno-multichar -Wno-missing-braces \
		-Wno-missing-field-initializers -I"$work/include" "$@"
}

# records ASSEMBLY: the "group|item|value" lines of a values.s, sorted.
records() {
	sed -n -e 's/^[[:space:]]*\.ascii[[:space:]]*"-> //' \
		-e 's/^\([^|]*|[^|]*|\)[$#]*\(-\{0,1\}[0-9][0-9]*\)".*/\1\2/p' \
		"$1" | sort
}

enough() {
	count=$(wc -l <"$1")
	echo "$count records, at least $least_records expected"
	[ "$count" -ge $least_records ]
}

# compare OURS THEIRS OUT: "group|pass" or "group|fail" lines into OUT, then
# "group|note|text" ones. A name that only one side has counts as a difference.
compare() {
	awk -F'|' -v differences="$here/differences" -v theirs_file="$2" '
	function note(key, text) {
		group = group_of[key]
		notes[group] = notes[group] group "|note|" key ": " text "\n"
	}
	FILENAME == differences {
		if ($0 !~ /^(#|[[:space:]]*$)/)
			known[$1 " " $2] = $3 "|" $4
		next
	}
	{
		key = $1 " " $2
		group_of[key] = $1
		seen[$1] = 1
		if (FILENAME == theirs_file)
			theirs[key] = $3
		else
			ours[key] = $3
	}
	END {
		for (key in group_of) {
			o = (key in ours) ? ours[key] : "missing"
			t = (key in theirs) ? theirs[key] : "missing"
			text = "wdm.h " o ", mingw-w64 " t
			if (key in known && known[key] != o "|" t)
				note(key, text ", listed " known[key])
			else if (!(key in known) && o != t)
				note(key, text)
		}
		for (key in known) {
			if (key in group_of)
				continue
			split(key, part, " ")
			group_of[key] = part[1]
			seen[part[1]] = 1
			note(key, "listed as a difference, not compared")
		}
		for (group in seen) {
			print group "|" (group in notes ? "fail" : "pass")
			printf "%s", notes[group]
		}
	}' "$here/differences" "$1" "$2" | sort >"$3"
}

command -v "$mingw" >/dev/null || skip "no $mingw (Debian: gcc-mingw-w64-x86-64)"
[ -f "$KDIR/Makefile" ] || skip "no kernel headers in $KDIR"

mkdir "$work/kernel" "$work/include" || exit 1
cp "$here/skeleton.c" "$here/values.c" "$here/Kbuild" "$wdm" "$work/kernel" ||
	exit 1
echo '#include <ddk/wdm.h>' >"$work/include/wdm.h"

kernel "$work/kernel" skeleton.o >"$work/log" 2>&1
result $? "driver source compiles against wdm.h in kbuild" "$work/log"

ddk -c -o "$work/skeleton.obj" "$here/skeleton.c" >"$work/log" 2>&1
result $? "driver source compiles against the DDK headers of mingw-w64" \
	"$work/log"

kernel "$work/kernel" values.s >"$work/log" 2>&1 &&
	records "$work/kernel/values.s" >"$work/ours" &&
	enough "$work/ours" >>"$work/log"
status=$?
result $status "values of wdm.h are extracted" "$work/log"

ddk -S -o "$work/values.s" "$here/values.c" >"$work/log" 2>&1 &&
	records "$work/values.s" >"$work/theirs" &&
	enough "$work/theirs" >>"$work/log"
status=$((status + $?))
result $status "values of mingw-w64 are extracted" "$work/log"

[ $status -eq 0 ] || finish

compare "$work/ours" "$work/theirs" "$work/compared"
for group in $(cut -d'|' -f1 "$work/compared" | uniq); do
	sed -n "s/^$group|note|//p" "$work/compared" >"$work/log"
	grep -q "^$group|pass" "$work/compared"
	result $? "$group" "$work/log"
done

# A comparison that cannot fail proves nothing: swap two members, change one
# status, and see both.
sed -e 's/ULONG ByteCount;/ULONG ByteSwap;/' \
	-e 's/ULONG ByteOffset;/ULONG ByteCount;/' \
	-e 's/ULONG ByteSwap;/ULONG ByteOffset;/' \
	-e 's/0xC000009A/0xC000009B/' "$wdm" >"$work/kernel/wdm.h"
rm -f "$work/kernel/values.s"
kernel "$work/kernel" values.s >"$work/log" 2>&1 &&
	records "$work/kernel/values.s" >"$work/wrong" &&
	compare "$work/wrong" "$work/theirs" "$work/compared" &&
	grep -q '^MDL|note|MDL ByteCount: wdm.h 44, mingw-w64 40$' \
		"$work/compared" &&
	grep -q '^MDL|note|MDL ByteOffset: wdm.h 40, mingw-w64 44$' \
		"$work/compared" &&
	grep -q '^NTSTATUS|note|NTSTATUS STATUS_INSUFFICIENT_RESOURCES: ' \
		"$work/compared"
result $? "swapped members and a wrong status are noticed" "$work/log"

finish
