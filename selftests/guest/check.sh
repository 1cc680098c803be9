#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest of `make check`: prints the KTAP of every suite, each between
# "suite-begin NAME" and "suite-end STATUS".  The verdict on the cases is the
# host's; this script fails if there is nothing to run.  /ntdma/suites names the
# suites, or nothing for all.  /ntdma/expect holds what the edu sample must meet
# here: the name of the back end, whether its pages bounce (some, none or any), the
# type of the device's IOMMU group, or none, and whether memory can be lent to it.
# At the end an edu device is taken from the sample and becomes a DMA controller.
dbg=/sys/kernel/debug
# shellcheck source-path=SCRIPTDIR source=tap.sh
. /ntdma/tap.sh
# shellcheck source-path=SCRIPTDIR source=slave.sh
. /ntdma/slave.sh

bounced_as_expected() { # some|none|any COUNT
	case $1 in
	some) [ "$2" -gt 0 ] ;;
	none) [ "$2" -eq 0 ] ;;
	any) [ "$2" -ge 0 ] ;;
	*) false ;;
	esac
}

forced() {
	[ "$(cat /sys/module/ntdma/parameters/bounce)" = Y ] ||
		grep -qw swiotlb=force /proc/cmdline
}

# The back end that a device must meet, and whether its pages bounce.  One that
# reaches 4 GiB may meet either where there is no IOMMU.
expected_of() { # WIDTH
	local backend bounced rest
	read -r backend bounced rest </ntdma/expect
	if [ "$backend" = iommu ]; then
		# Elsewhere it may not share the cache.
		[ "$(uname -m)" = x86_64 ] || bounced=any
		echo "iommu $bounced"
	elif forced || { [ "$backend" = bounce ] && [ "$1" -lt 32 ]; }; then
		echo "bounce some"
	elif [ "$1" = 64 ] && [ "$backend" = direct ]; then
		echo "direct any"
	elif [ "$1" = 64 ]; then
		echo "direct none"
	else
		echo "any any"
	fi
}

# What a sample says of itself, and ntdma of its bytes.
sample_moved() { # REPORT LINE BACKEND BOUNCED
	result "sample: data is the same both ways" \
		[ "$(value verdict "$1")" = ok ]
	result "sample: the device did the work, with interrupts" \
		[ "$(value interrupts "$1")" -gt 0 ]
	result "sample: the back end is $3" [ "$(value backend "$2")" = "$3" ]
	result "sample: pages bounce exactly where they must" \
		bounced_as_expected "$4" "$(value bounced "$2")"
}

# Another sample than the one whose device is kept for it.
other_sample() { # DRIVER
	local report line backend bounced expected
	set -- /sys/bus/pci/drivers/"$1"/0*
	report=$(cat "$1/transfer")
	line=$(grep "^${1##*/} " $dbg/ntdma/adapters)
	expected=$(expected_of "$(value width "$line")")
	backend=${expected% *} bounced=${expected#* }
	[ "$backend" != any ] || backend=$(value backend "$line")
	plan 4 "$report" "$line"
	sample_moved "$report" "$line" "$backend" "$bounced"
}

lines() {
	wc -l <$dbg/ntdma/adapters
}

lines_are() { # NUMBER
	[ "$(lines)" -eq "$1" ]
}

leak_verify() { # Y|N
	echo "$1" >/sys/module/ntdma/parameters/verify &&
		[ "$(cat /sys/module/ntdma/parameters/verify)" = "$1" ]
}

# What ntdma said since the last client came, in so many lines.
leak_said() { # LINES TEXT
	[ "$(dmesg | sed "1,/ntdma-leak-begin: $mark/d" | grep -c "$2")" -eq "$1" ]
}

# A client that gives nothing back when it is unloaded, and its mistake, which is
# reported if ntdma is to look for some.
leak_once() { # REPORTS
	local before after objects mark=$1
	before=$(lines)
	echo "ntdma-leak-begin: $mark" >/dev/kmsg
	result "S26 a client that keeps all is inserted" \
		insmod /ntdma/ntdma_leak.ko
	after=$(lines)
	result "S26 it has an adapter" [ "$after" -gt "$before" ]
	result "0xE6:05 registers that are none are reported $1 times" \
		leak_said "$1" "verifier 0x05: "
	objects=$(cat /sys/module/ntdma_leak/parameters/objects)
	rmmod ntdma_leak
	result "S26 nothing is left once it is unloaded" \
		eventually 60 lines_are "$before"
	result "S26 one line says so, and how much it was" \
		leak_said 1 "ntdma_leak left $objects DMA objects behind"
	result "S26 nothing else is said of it" leak_said 1 "DMA objects behind"
}

leak() {
	plan 14
	leak_once 0
	result "verify mode is switched on" leak_verify Y
	leak_once 1
	result "verify mode is switched off" leak_verify N
}

# The sample on the device kept for it, judged by its own word and by ntdma's.
sample() {
	local backend bounced group rest report line
	read -r backend bounced group rest </ntdma/expect
	set -- /sys/bus/pci/drivers/edu_wdm/0*
	report=$(cat "$1/transfer")
	line=$(grep "^${1##*/} " $dbg/ntdma/adapters)
	plan 6 "$report" "$line"
	sample_moved "$report" "$line" "$backend" "$bounced"
	result "sample: the type of its IOMMU group is $group" \
		[ "$(cat "$1/iommu_group/type" 2>/dev/null || echo none)" = \
			"$group" ]
	result "sample: no mapping is left" [ "$(value live "$line")" = 0 ]
}

untranslated() { # GROUP
	[ "$1" = none ] || [ "$1" = identity ]
}

# Two of the sample's devices and one buffer, where there are domains.
domain() {
	local backend bounced group rest report
	read -r backend bounced group rest </ntdma/expect
	set -- /sys/bus/pci/drivers/edu_wdm/0*
	report=$(cat "$1/domain")
	plan 2 "$report"
	if [ "$(value status "$report")" = 0xc00000bb ]; then
		result "sample: S21 no domain without an IOMMU" \
			untranslated "$group"
		result "sample: S21 nothing was moved" \
			[ "$(value bytes "$report")" = 0 ]
		return
	fi
	result "sample: S21 two devices pass data at one address" \
		[ "$(value verdict "$report")" = ok ]
	result "sample: S21 their message interrupts go on" \
		[ "$(echo "$report" | grep -cE '^(.*msi=1|.*interrupts=2)$')" = 4 ]
}

# What the IOMMU says when it stops a device, as an expectation of reports.awk.
fault_of() { # intel|smmu|virtio
	case $1 in
	intel) echo "DMAR: (DRHD: handling fault status|\[DMA Write" \
		    ".* Write access is not set)" ;;
	smmu) echo "arm-smmu.* event 0x13 received" ;;
	virtio) echo "virtio_iommu .* page fault from EP" ;;
	esac
}

reported() { # KIND
	dmesg | sed '1,/ntdma-expect-begin: /d' | grep -qE "$(fault_of "$1")"
}

faults() { # KIND
	dmesg | grep -cE "$(fault_of "$1")"
}

# There is one for each word that the device tried to write.
faults_are_over() { # KIND
	local before
	before=$(faults "$1")
	sleep 1
	[ "$(faults "$1")" = "$before" ]
}

iommu_kind() {
	local iommu
	for iommu in /sys/class/iommu/*; do
		case ${iommu##*/} in
		dmar*) echo intel ;;
		smmu*) echo smmu ;;
		*) echo virtio ;;
		esac
		return
	done
}

# What the device must not do with memory that it was lent.  Each IOMMU reports
# that it stopped it from writing; with Linux' drivers neither Intel's nor an
# SMMU has memory to write only.
permissions() {
	local backend bounced group lends report kind=none
	read -r backend bounced group lends </ntdma/expect
	set -- /sys/bus/pci/drivers/edu_wdm/0*
	[ "$lends" = no ] || kind=$(iommu_kind)
	[ "$kind" = none ] ||
		echo "ntdma-expect-begin: $(fault_of "$kind")" >/dev/kmsg
	report=$(cat "$1/permissions")
	echo "TAP version 13"
	echo "$report" | sed 's/^/# /'
	if [ "$kind" = none ]; then
		result "sample: EC-182 S20 nothing is lent to this device" \
			[ "$(value status "$report")" = 0xc00000bb ]
		echo "1..$cases"
		return
	fi
	result "sample: EC-182 S20 lent for this and for that" \
		[ "$(value status "$report")" = 0x00000000 ]
	result "sample: EC-182 S20 the device does what it may" \
		[ "$(value mismatches "$report")" = 0 ]
	result "sample: EC-182 S20 it does not write what it may read" \
		[ "$(value written "$report")" = 0 ]
	[ "$kind" != virtio ] ||
		result "sample: EC-182 S20 it does not read what it may write" \
			[ "$(value read "$report")" = 0 ]
	result "sample: EC-182 S20 the IOMMU stopped it from writing" \
		eventually 60 reported "$kind"
	eventually 60 faults_are_over "$kind"
	echo "ntdma-expect-end" >/dev/kmsg
	echo "1..$cases"
}

[ -d $dbg/ntdma_test ] || {
	echo "the test module offers no suites"
	exit 1
}
read -r suites </ntdma/suites || suites=$(ls "$dbg/ntdma_test")
for name in $suites; do
	suite "$name" cat "$dbg/ntdma_test/$name"
done
[ ! -d /sys/module/ntdma_kunit ] || ls "$dbg"/kunit/ntdma*/results || {
	echo "ntdma_kunit is inserted, yet it reports nothing"
	exit 1
}
for f in "$dbg"/kunit/ntdma*/results; do
	[ -f "$f" ] || continue
	name=${f%/results}
	suite "${name##*/}" cat "$f"
done
suite edu-sample sample
suite edu-domain domain
suite edu-permissions permissions
suite rtl8139-sample other_sample rtl_wdm
suite nvme-sample other_sample nvme_wdm
suite leak leak
slave_begin || {
	echo "there is no controller for the slave sample"
	exit 1
}
suite slave-sample slave slave_wdm "0 5"
# What the machines of arm boot here has no ACPI.
[ "$(uname -m)" != x86_64 ] ||
	suite fixeddma-sample slave NTDM0001:00 "2 7"
suite slave-removal slave_removal
