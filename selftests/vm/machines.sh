# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by lib.sh: the machines that guests boot, and what each means to those
# who run something on it.
#
#   machine       kernels      back end  what it is
#   plain         all          direct    q35 or virt, no IOMMU; edu with 40 bits
#   iommu         amd64        iommu     q35 with intel-iommu
#   bounce        amd64        bounce    q35, memory out of reach of 28 bits
#   virtio-iommu  6.12, debug  iommu     q35 with virtio-iommu
#   pc            amd64        -         i440fx with i8237 and ISA slots
#   smmu          arm64        iommu     virt with SMMUv3
#   noncoherent   arm64        direct    virt, no IOMMU, PCI without coherence
#   noncoherent-smmu  arm64    iommu     both
#   smdkc210      armhf        system    Exynos 4210, three PL330, no PCI
#   raspi3b       arm64, 4 KiB system    BCM2837 with its DMA engine, no PCI
#
# Those with PCI have four edu devices, so that the sample and the test module
# both find two; iommu has two more in one IOMMU group, and pc has one: the test
# module needs it, and a debug kernel takes half a minute to see that the ACPI
# tables there have no interrupt for it. The memory of arm's virt begins at 1 GiB:
# without an IOMMU no page is in reach of fewer than 31 bits.
# shellcheck disable=SC2034 # used by those who source this
all_machines="plain iommu bounce virtio-iommu pc smmu noncoherent \
noncoherent-smmu smdkc210 raspi3b"

# The machines that a kernel boots in `make check`.
machines_of() { # KERNEL
	case $1 in
	6.12) echo plain iommu bounce virtio-iommu pc ;;
	arm64) echo smmu noncoherent noncoherent-smmu raspi3b ;;
	arm64-16k) echo smmu ;;
	armhf) echo plain smdkc210 ;;
	6.1) echo plain iommu bounce pc ;;
	debug) echo plain iommu bounce virtio-iommu pc ;;
	esac
}

# The suites that run there; nothing for all. Emulated arm is slow, and what
# the architecture changes are pages, addresses and caches; what another IOMMU
# changes is what is mapped there. The mock DMA controller's cases run where
# pages or pointers have another size.
suites_of() { # KERNEL MACHINE
	local few="bounds common domain flush lent mapex"
	case $1-$2 in
	arm64-smmu) ;;
	*-noncoherent-smmu | debug-virtio-iommu) echo "$few memory vector" ;;
	arm*) few+=" adapter info limits map mdl removal sglist vector" ;;&
	armhf-* | arm64-16k-*)
		few+=" dmac lines loops sharing stopping system" ;;&
	arm*) echo "$few" ;;
	esac
}

# Whether the table above has them together.
machine_boots() { # MACHINE KERNEL
	case $1-$(arch_of "$2") in
	plain-* | iommu-amd64 | bounce-amd64 | pc-amd64) ;;
	smmu-arm64 | noncoherent-arm64 | noncoherent-smmu-arm64) ;;
	virtio-iommu-amd64) [ "$2" = 6.12 ] || [ "$2" = debug ] ;;
	raspi3b-arm64) [ "$2" != arm64-16k ] ;;
	smdkc210-armhf) ;;
	*) return 1 ;;
	esac
}

# What MACHINE must make of a device: the back end's name in debugfs.
backend_of() { # MACHINE
	case $1 in
	iommu | *smmu | virtio-iommu) echo iommu ;;
	bounce) echo bounce ;;
	smdkc210 | raspi3b) echo system ;;
	*) echo direct ;;
	esac
}

# Address bits of the edu devices, for QEMU and for the sample.
edu_width() { # MACHINE
	case $(backend_of "$1") in
	direct) echo 40 ;;
	*) echo 28 ;;
	esac
}

#
# For vm.sh. Each sets these:
#   qemu         the emulator and what makes the machine
#   console      the guest's console
#   kernel_args  what the machine wants of the kernel
#   drivers      modules of the kernel that have to be in
#   tree         device tree: a file, "dump" for what QEMU makes, or nothing
#   edits        words for fdtput, each line an edit: -d NODE PROPERTY, or
#                -t TYPE NODE PROPERTY VALUE...
#

# shellcheck disable=SC2034 # used by vm.sh
machine_args() { # MACHINE KERNEL
	console=ttyS0 kernel_args='' drivers='' tree='' edits=''
	case $(arch_of "$2") in
	amd64) machine_amd64 "$@" ;;
	arm64) machine_arm64 "$@" ;;
	armhf) machine_armhf "$@" ;;
	esac
	# What the device had may stay in the IOMMU's cache for a while: the kernels'
	# defaults differ.
	[ "$(backend_of "$1")" != iommu ] || kernel_args+=" iommu.strict=0"
}

# qemu, with the devices that every machine with PCI has.
with_edu() { # MACHINE QEMU-ARGS...
	local slot width slots="3 4 5 6"
	width=$(edu_width "$1")
	[ "$1" != pc ] || slots=3
	shift
	qemu=("$@")
	for slot in $slots; do
		qemu+=(-device "edu,dma_mask=$(((1 << width) - 1)),addr=$slot")
	done
}

machine_amd64() { # MACHINE KERNEL
	local pc=(qemu-system-x86_64 -cpu max -smp 2)
	# On a loaded host the kernel's own test of the timer fails now and then.
	kernel_args=no_timer_check
	case $1 in
	plain)
		with_edu "$1" "${pc[@]}" -M q35 -m 512
		;;
	iommu)
		# The two behind the bridge are one device to the IOMMU.
		with_edu "$1" "${pc[@]}" -M q35,kernel-irqchip=split -m 512 \
			-device intel-iommu,intremap=on \
			-device pcie-pci-bridge,id=bridge,addr=8 \
			-device edu,bus=bridge,addr=1,dma_mask=0xfffffff \
			-device edu,bus=bridge,addr=2,dma_mask=0xfffffff
		kernel_args+=" intel_iommu=on"
		;;
	bounce)
		# q35 puts 1 GB of 3 above 4 GB, and Linux takes pages from there
		# first: out of reach of 28 bits, so that they bounce.
		with_edu "$1" "${pc[@]}" -M q35 -m 3G
		;;
	virtio-iommu)
		with_edu "$1" "${pc[@]}" -M q35 -m 512 -device virtio-iommu-pci
		# The debug kernel has them in itself.
		[ "$2" = debug ] || drivers="virtio_pci virtio_iommu"
		;;
	pc)
		with_edu "$1" "${pc[@]}" -M pc -m 512
		;;
	esac
}

# shellcheck disable=SC2034
machine_arm64() { # MACHINE KERNEL
	local cpu=cortex-a57 virt=virt,gic-version=3,dtb-randomness=off
	console=ttyAMA0
	# The others have no pages of 16 KiB, and the architected way to sign
	# pointers takes half of the time.
	[ "$2" != arm64-16k ] || cpu=max,pauth-impdef=on
	[[ $1 != *smmu ]] || virt+=,iommu=smmuv3
	case $1 in
	raspi3b)
		qemu=(qemu-system-aarch64 -M raspi3b)
		console+=,115200
		# Processors that wait to be started cost as much as one that works.
		kernel_args=maxcpus=1
		# Without it power-off halts for ever.
		drivers=bcm2835_wdt
		tree=broadcom/bcm2837-rpi-3-b.dtb
		;;
	*)
		with_edu "$1" qemu-system-aarch64 -M "$virt" -cpu "$cpu" \
			-smp 2 -m 512
		;;
	esac
	[[ $1 != noncoherent* ]] || {
		tree=dump
		edits="-d /pcie@10000000 dma-coherent"
	}
}

# shellcheck disable=SC2034
machine_armhf() { # MACHINE KERNEL
	case $1 in
	smdkc210)
		# The second processor has to be there, and hangs the boot if it is
		# started while the two share a thread.
		qemu=(qemu-system-arm -M smdkc210 -smp 2 -m 512)
		console=ttySAC0,115200
		kernel_args=maxcpus=1
		tree=exynos4210-smdkv310.dtb
		;;
	*)
		# More memory than the kernel's linear mapping holds. Two
		# processors in one thread do not get through the boot.
		with_edu "$1" qemu-system-arm \
			-M virt,highmem=off,dtb-randomness=off -cpu cortex-a15 \
			-smp 1 -m 1G
		console=ttyAMA0
		;;
	esac
}

#
# For those who run the samples
#

# A disk for the NVMe sample, and what it and the packet device are in QEMU.
nvme_image() { # create|verify FILE
	"${top:?}/kmod/samples/nvme/image.sh" "$@"
}

# A disk for the floppy sample.
floppy_image() { # create|verify FILE
	"${top:?}/kmod/samples/nvme/image.sh" "$@" floppy
}

# What the sample of the sound card played.
sound_record() { # verify FILE
	"${top:?}/kmod/samples/sb16/record.sh" "$@"
}

# What is in the ISA slots of the machine `pc`: a floppy drive, a sound card whose
# output the emulator records, and another, which has memory of its own.
isa_args() { # DISK WAV
	echo "-drive if=floppy,format=raw,file=$1" \
		"-audiodev wav,id=wav,path=$2 -device sb16,audiodev=wav" \
		"-audiodev none,id=none -device gus,audiodev=none,dma=0"
}

nvme_args() { # FILE
	echo "-drive file=$1,if=none,id=d0,format=raw" \
		"-device nvme,drive=d0,serial=ntdma,mdts=7"
}

# A table of ACPI for the slave sample; what machines of arm boot has no ACPI.
slave_table() { # FILE
	iasl -p "${1%.aml}" "$top/kmod/samples/slave/fixeddma.asl" \
		>"${1%.aml}.log" 2>&1
}

slave_args() { # KERNEL FILE
	[ "$(arch_of "$1")" != amd64 ] || echo "-acpitable file=$2"
}

# The bounce machine has memory in reach of 28 bits; 24 leave next to none.
nvme_module() { # KERNEL MACHINE
	local width=64
	[ "$2" != bounce ] || width=24
	echo "${out:?}/build/$1/kmod/samples/nvme/nvme_sample.ko,width=$width"
}

# shellcheck disable=SC2034
packet_args="-netdev hubport,id=n0,hubid=0 -device rtl8139,netdev=n0"

sample_module() { # KERNEL MACHINE
	echo "$out/build/$1/kmod/samples/edu/edu_sample.ko,width=$(edu_width "$2")"
}
