#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
#
# tap.awk GUEST-LOG - judge the KTAP of the suites in a guest's output
#
# Prints one record per case, fields parted by tabs: pass, fail or skip; the
# suite; the name; the reason of a skip.  A fail is followed by the lines that
# led to it, each as a record "diag".  A plan that is not kept, a suite without
# a case, one that never ended and one whose reader failed are each a fail.

function record(verdict, name, reason) {
	print verdict "\t" suite "\t" name (reason != "" ? "\t" reason : "")
	if (verdict == "fail") {
		printf "%s", diag
		nfails++
	}
	diag = ""
}

function reset(depth) {
	planned[depth] = -1
	ran[depth] = 0
	failed[depth] = 0
}

# All that was said at DEPTH is over.
function settle(depth, what) {
	if (planned[depth] >= 0 && ran[depth] != planned[depth])
		record("fail", what ": planned " planned[depth] \
		       " cases, ran " ran[depth])
	reset(depth)
}

function result(depth, line,	ok, name, reason, child, before) {
	ok = line !~ /^not /
	name = line
	sub(/^(not )?ok [0-9]*( - | |$)/, "", name)
	child = depth + 1
	ran[depth]++
	if (!ok)
		failed[depth]++
	if (ran[child] > 0 || planned[child] >= 0) {
		before = nfails
		if (!ok && !failed[child])
			record("fail", name " (failed outside its cases)")
		settle(child, name)
		return
	}
	if (match(name, / *# *SKIP */)) {
		reason = substr(name, RSTART + RLENGTH)
		name = substr(name, 1, RSTART - 1)
		record(ok ? "skip" : "fail", name, reason)
		return
	}
	record(ok ? "pass" : "fail", name)
}

BEGIN {
	for (d = 0; d < 8; d++)
		reset(d)
}

/^suite-begin / {
	if (suite != "")
		record("fail", "the suite did not end")
	suite = $2
	before_suite = nfails
	diag = ""
	for (d = 0; d < 8; d++)
		reset(d)
	noplan = 1
	next
}

/^suite-end / {
	if ($2 != 0 && nfails == before_suite)
		record("fail", "reading the suite failed with status " $2)
	else if (noplan && nfails == before_suite)
		record("fail", "the suite has no plan")
	else if (!ran[0] && !skipall)
		record("fail", "the suite has no cases")
	settle(0, "the suite")
	suite = ""
	skipall = 0
	next
}

suite == "" {
	next
}

{
	match($0, /^ */)
	depth = int(RLENGTH / 4)
	text = substr($0, RLENGTH + 1)
}

text ~ /^K?TAP version/ {
	next
}

text ~ /^1\.\.[0-9]+/ {
	planned[depth] = substr(text, 4) + 0
	if (depth == 0)
		noplan = 0
	if (text ~ /^1\.\.0 *# *SKIP/) {
		sub(/^1\.\.0 *# *SKIP */, "", text)
		record("skip", "the whole suite", text)
		skipall = 1
	}
	next
}

text ~ /^(not )?ok( |$)/ {
	result(depth, text)
	next
}

text ~ /^Bail out!/ {
	record("fail", text)
	next
}

{
	diag = diag "diag\t" $0 "\n"
}

END {
	if (suite != "")
		record("fail", "the suite did not end")
}
