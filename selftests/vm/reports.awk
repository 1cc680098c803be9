#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
#
# reports.awk CONSOLE-LOG - print the reports of the kernel's checkers
#
# Prints nothing if there is none.  A guest that provokes a report brackets it
# with lines of its own in the kernel log:
#	ntdma-expect-begin: PATTERN      (an extended regular expression)
#	ntdma-expect-end
# Between them at least one report must match PATTERN, and no other may occur.
# A WARN is taken whole, from its "cut here" to its "end trace"; any other
# report by its headline, and what follows it is printed too, for the reader.

BEGIN {
	context = 25
	head = "WARNING:|(^|[^E])BUG:|BUG [a-z]|kernel BUG at|Oops[: ]" \
	       "|Internal error:|Unable to handle|UBSAN:|KASAN:|KCSAN:" \
	       "|INFO: task|INFO: trying to register" \
	       "|rcu:? INFO:|rcu_.*detected|detected stalls|self-detected stall" \
	       "|possible circular locking|possible recursive locking" \
	       "|inconsistent lock state|possible irq lock inversion" \
	       "|suspicious RCU usage|DEBUG_LOCKS_WARN_ON|bad unlock balance" \
	       "|sleeping function called|scheduling while atomic" \
	       "|soft lockup|hard LOCKUP|workqueue lockup|nobody cared" \
	       "|ODEBUG:|list_(add|del).*corruption|refcount_t:" \
	       "|general protection|unable to handle|Kernel panic" \
	       "|Bad page|page allocation failure|stack-protector" \
	       "|unreferenced object|new suspected memory leaks" \
	       "|leak detector disabled|dma-pool: failed" \
	       "|DMAR:.*(fault|DRHD: handling)|DMA-API:|AMD-Vi: Event" \
	       "|arm-smmu.*event 0x|page fault from EP" \
	       "|printk messages dropped"
	# What the kernel says of the same subjects when all is well
	calm = "DMA-API: (preallocated|debugging enabled|dump)" \
	       "|kasan: KernelAddressSanitizer|RCU CPU stall warnings" \
	       "|RETBleed: WARNING|Spectre V2 : WARNING"
}

function bad(text) {
	print text
}

# A whole report: expected, or printed.
function report(text) {
	if (expect == "")
		bad(text)
	else if (text ~ expect)
		seen++
	else
		bad("not the report that was expected (" expect "):\n" text)
}

{
	sub(/\r$/, "")
}

/ntdma-expect-begin: / {
	if (expect != "")
		bad("expectation within an expectation: " $0)
	expect = $0
	sub(/^.*ntdma-expect-begin: /, "", expect)
	sub(/ +$/, "", expect)
	seen = 0
	next
}

/ntdma-expect-end/ {
	if (expect == "")
		bad("end of an expectation that never began: " $0)
	else if (!seen)
		bad("expected report did not come: " expect)
	expect = ""
	next
}

# Words of the guest's scripts are not the kernel's
/ntdma> |ntdma-vm: / {
	next
}

/cut here \]-/ {
	if (warn != "")
		report(warn)
	warn = $0
	next
}

warn != "" {
	warn = warn "\n" $0
	if (/\[ end trace/) {
		report(warn)
		warn = ""
	}
	next
}

$0 ~ head && $0 !~ calm {
	report($0)
	if (expect == "")
		follow = context
	next
}

follow > 0 {
	print "  " $0
	follow--
}

END {
	if (warn != "")
		report(warn)
	if (expect != "")
		bad("expectation without an end: " expect)
}
