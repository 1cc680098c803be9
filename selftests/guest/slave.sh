# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh in the guest: system DMA of a device whose controller is
# an edu device, and what becomes of it when one of the two drivers leaves, or a
# client that has not put what it took.
slaves=/sys/bus/platform/drivers/slave_wdm
controllers=/sys/bus/pci/drivers/ntdma_edu_dmac

# The sample's last edu device, once and for all. The driver of the controller
# takes what is free and has its name.
slave_begin() {
	local d
	for d in /sys/bus/pci/drivers/edu_wdm/0*; do
		edu=${d##*/}
	done
	echo ntdma_edu_dmac >"$d/driver_override"
	echo "$edu" >/sys/bus/pci/drivers/edu_wdm/unbind
	slave_controller && insmod /ntdma/slave_sample.ko
}

slave_controller() {
	insmod /ntdma/ntdma_edu_dmac.ko \
		width="$(cat /sys/module/edu_sample/parameters/width)"
}

slave_lines() { # DEVICE
	grep "^$1 " "${dbg:?}/ntdma/adapters"
}

slave_count() {
	slave_lines slave_wdm | wc -l
}

slave_interrupts() {
	awk '$NF == "ntdma_edu_dmac" { n += $2 + $3 } END { print n + 0 }' \
		/proc/interrupts
}

slave_bounced() { # LINES
	value bounced "$1" | awk '{ n += $1 } END { print n + 0 }'
}

# How often each channel moved data to the device and to memory: a line each.
slave_moves() {
	cat /sys/module/ntdma_edu_dmac/parameters/to_device \
		/sys/module/ntdma_edu_dmac/parameters/to_memory
}

# Which of these grew: "0 5" is the first of four to the device, the second to
# memory.
slave_channels() { # BEFORE AFTER
	printf '%s\n' "$1" "$2" | tr '\n' , | awk -F , '{
		for (i = 1; i <= 8; i++)
			if ($(i + 8) != $i)
				grown = grown " " i - 1
		print substr(grown, 2) }'
}

slave() { # DEVICE CHANNELS
	local bounced report lines before moves
	read -r _ bounced _ </ntdma/expect
	before=$(slave_interrupts)
	moves=$(slave_moves)
	report=$(cat "$slaves/$1/transfer")
	moves=$(slave_channels "$moves" "$(slave_moves)")
	lines=$(slave_lines "$1")
	plan 8 "$report" "$lines" "channels $moves"
	result "S11 sample: data is the same both ways" \
		[ "$(value verdict "$report")" = ok ]
	result "S11 sample: the controller did the work, with interrupts" \
		[ "$(slave_interrupts)" -gt "$before" ]
	result "S5 S11 sample: its own channels did, each in its direction" \
		[ "$moves" = "$2" ]
	result "S17 EC-119 sample: transfers were stopped under way" \
		[ "$(value cancelled "$report")" -ge 2 ]
	result "S12 sample: loops went round, both ways" \
		[ "$(value periods "$report")" -ge 7 ]
	result "sample: all adapters are of system DMA" \
		[ "$(value backend "$lines" | sort -u)" = system ]
	result "sample: pages bounce exactly where they must" \
		bounced_as_expected "$bounced" "$(slave_bounced "$lines")"
	result "sample: no mapping is left" \
		[ "$(value live "$lines" | sort -u)" = 0 ]
}

slave_count_is() { # LINES
	[ "$(slave_count)" -eq "$1" ]
}

# What an unloaded module leaves is taken back a little later.
slave_settles() { # LINES
	eventually 60 slave_count_is "$1"
}

slave_leak() { # COMMANDS
	insmod /ntdma/ntdma_leak_slave.ko commands="$1"
}

slave_stops() {
	cat /sys/module/ntdma_edu_dmac/parameters/stops
}

slave_stopped() { # STOPS-BEFORE
	[ "$(slave_stops)" -gt "$1" ]
}

slave_works() {
	[ "$(value verdict "$(cat $slaves/slave_wdm/transfer)")" = ok ]
}

slave_bound() {
	[ -e $slaves/slave_wdm ]
}

slave_bind() {
	echo slave_wdm >$slaves/bind
}

# A client whose module goes; a device, and a controller, that lose their driver.
slave_removal() {
	local mine stops slow=/sys/module/ntdma_edu_dmac/parameters/slow
	local mark=slave
	mine=$(slave_count)
	plan 20
	result "S26 the controller's module stays under an adapter" \
		slave_fails rmmod ntdma_edu_dmac

	result "S26 a client's transfer stands still" slave_leak 0
	result "S26 it has an adapter" [ "$(slave_count)" -gt "$mine" ]
	rmmod ntdma_leak_slave
	result "S26 nothing is left once it is unloaded" slave_settles "$mine"
	result "S26 a client's transfer is under way" slave_leak 1
	rmmod ntdma_leak_slave
	result "S26 nothing is left once it is unloaded, either" \
		slave_settles "$mine"
	result "S26 the channel serves the next" slave_works

	# The client's memory goes with it, so that rmmod must not be early.
	echo 3000 >$slow
	result "S26 a controller takes its time to stop" slave_leak 0
	stops=$(slave_stops)
	rmmod ntdma_leak_slave
	result "S26 it has stopped once the client is unloaded" \
		slave_stopped "$stops"
	echo 0 >$slow

	result "S26 a transfer stands still" slave_leak 0
	echo "ntdma-leak-begin: $mark" >/dev/kmsg
	echo slave_wdm >$slaves/unbind
	result "S26 its device is unbound, with all adapters" slave_settles 0
	result "S26 one line says how much it was" \
		leak_said 1 "driver left [0-9]* DMA objects behind"
	rmmod ntdma_leak_slave
	result "S26 its device is bound again" slave_bind

	result "S26 a transfer stands still, again" slave_leak 0
	echo "$edu" >$controllers/unbind
	result "S26 a controller is not unbound before its client" \
		slave_fails slave_bound
	result "S26 it is unbound after all adapters" slave_settles 0
	rmmod ntdma_leak_slave
	result "S26 the controller's module goes without an adapter" \
		rmmod ntdma_edu_dmac

	result "S26 the controller comes back" slave_controller
	result "S26 and its client" slave_bind
	result "S26 the channel serves it again" slave_works
	# The newest is the first to be removed, and it serves an older one.
	rmmod slave_sample
}

slave_fails() { # COMMAND...
	! "$@" 2>/dev/null
}
