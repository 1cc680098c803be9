# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh and demo.sh after lib.sh: boards, each with the sample for
# it. The sample's directory has the overlay that gives it a device, and a
# program that knows what the device must have done: peer.sh is the other end
# of a line, image.sh looks at a card.

board_sample() { # MACHINE
	case $1 in
	smdkc210) echo uart ;;
	raspi3b) echo sdhost ;;
	esac
}

# shellcheck disable=SC2034 # used by those who source this
device_verdict=fail

# Boots KERNEL on MACHINE as NAME, with SCRIPT and the options of vm.sh that
# follow. Returns what vm.sh does; device_verdict is pass or fail, and
# out/NAME/device.log says why.
boot_board() { # KERNEL MACHINE NAME SCRIPT OPTION...
	local k=$1 m=$2 name=$3 script=$4 sample
	shift 4
	sample=$(board_sample "$m")
	mkdir -p "${out:?}/$name"
	set -- -k "$k" -m "$m" -n "$name" -t 1200 -s "$script" \
		-o "$(echo "${top:?}/kmod/samples/$sample"/*.dtso)" "$@" \
		"$out/build/$k/kmod/ntdma.ko" \
		"$out/build/$k/kmod/samples/$sample/${sample}_sample.ko"
	device_verdict=fail
	case $sample in
	uart) boot_with_peer "$out/$name" "$@" ;;
	sdhost) boot_with_card "$out/$name" "$@" ;;
	esac
}

boot_with_peer() { # DIR VM-ARGS...
	local dir=$1 peer rc=0 i
	shift
	rm -f "$dir"/line.{in,out}
	mkfifo "$dir"/line.{in,out}
	"$top/kmod/samples/uart/peer.sh" "$dir/line" >"$dir/device.log" 2>&1 &
	peer=$!
	"${here:?}/vm.sh" -q "-chardev pipe,id=line,path=$dir/line \
		-serial chardev:line" "$@" || rc=$?
	# It ends with the emulator, unless that never came up.
	for ((i = 0; i < 600; i++)); do
		kill -0 $peer 2>/dev/null || break
		sleep 0.1
	done
	kill $peer 2>/dev/null || true
	# shellcheck disable=SC2034
	! wait $peer || device_verdict=pass
	rm -f "$dir"/line.{in,out}
	return $rc
}

boot_with_card() { # DIR VM-ARGS...
	local dir=$1 rc=0
	shift
	nvme_image create "$dir/card.img"
	"$here/vm.sh" -q "-drive if=sd,format=raw,file=$dir/card.img" "$@" ||
		rc=$?
	# shellcheck disable=SC2034
	! nvme_image verify "$dir/card.img" >"$dir/device.log" ||
		device_verdict=pass
	rm -f "$dir/card.img"
	return $rc
}
