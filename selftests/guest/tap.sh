#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts that print KTAP in a guest share; vm.sh puts it at
# /ntdma/tap.sh.

suite() { # NAME COMMAND...
	echo "suite-begin $1"
	shift
	cases=0
	"$@"
	echo "suite-end $?"
}

value() { # KEY TEXT
	echo "$2" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# What takes a while: tries once a second.
eventually() { # SECONDS COMMAND...
	local left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 1
	done
}

# How many results come, and from what they are.
plan() { # COUNT TEXT...
	echo "TAP version 13"
	echo "1..$1"
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}

result() { # TEXT COMMAND...
	local text="$1"
	shift
	cases=$((cases + 1))
	if "$@"; then
		echo "ok $cases - $text"
	else
		echo "not ok $cases - $text"
	fi
}
