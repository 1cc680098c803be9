#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh - hold Documentation/coverage.rst against the tests
#
# The table of routines names suites and, behind each, the cases that prove the
# routine: "map: EC-78 to EC-84, S2; verify: 0xE6:15 1B".  Every case must be
# in the name of a test of that suite.  Prints what is not; silent otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

# The names of the tests of one suite.
names() { # SUITE
	sed -n 's/^\t{ "\([^"]*\)".*/\1/p' "kmod/test/$1_test.c"
}

# "SUITE CASE" for each case that the table claims.
claims() {
	awk '
	function claim(token,    from, to, prefix) {
		split(token, part, / to /)
		from = part[1]
		to = (part[2] == "") ? from : part[2]
		prefix = from
		sub(/[0-9A-F]+$/, "", prefix)
		if (prefix == "0xE6:") {
			print suite, token
			return
		}
		sub(/^[^0-9]*/, "", from)
		sub(/^[^0-9]*/, "", to)
		for (from += 0; from <= to + 0; from++)
			print suite, prefix from
	}
	function cell(text,    i, n, token, rest) {
		n = split(text, field, /[;,] */)
		for (i = 1; i <= n; i++) {
			token = field[i]
			if (match(token, /^[a-z]+: /)) {
				suite = substr(token, 1, RLENGTH - 2)
				token = substr(token, RLENGTH + 1)
			} else if (token ~ /^[a-z]+$/) {
				suite = token
				token = ""
			}
			if (token ~ /^0xE6:/) {
				rest = split(substr(token, 6), code, / /)
				for (token = 1; token <= rest; token++)
					print suite, "0xE6:" code[token]
			} else if (token ~ /^(EC-|S)[0-9]+( to (EC-|S)[0-9]+)?$/) {
				claim(token)
			}
		}
	}
	/list-table:: Routines/ { on = 1 }
	on && /^Failures/ { exit }
	on && /^     - / { cell(text); text = substr($0, 8); suite = ""; next }
	on && /^       [^:]/ { text = text " " substr($0, 8); next }
	on { cell(text); text = "" }
	END { cell(text) }' Documentation/coverage.rst | sort -u
}

# Whether a name of SUITE has ID as a word, maybe with a step behind it (S24.1);
# codes of 0xE6 share the prefix.
proven() { # SUITE ID
	case $2 in
	0xE6:*) names "$1" | grep -q "^0xE6:.*\<${2#0xE6:}\>" ;;
	*) names "$1" | grep -Eq "(^| )$2(\.[0-9]+)?( |,|\$)" ;;
	esac
}

missing=0 count=0
while read -r suite id; do
	count=$((count + 1))
	if [ ! -f "kmod/test/${suite}_test.c" ]; then
		echo "coverage.rst: no suite $suite for $id"
		missing=1
	elif ! proven "$suite" "$id"; then
		echo "coverage.rst: no test of $suite is named $id"
		missing=1
	fi
done < <(claims)
[ $count -gt 100 ] || {
	echo "coverage.rst: only $count claims found"
	missing=1
}
exit $missing
