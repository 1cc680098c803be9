# SPDX-License-Identifier: GPL-2.0
#
# ntdma: the modules are described by Kbuild; this file is for people.
# `make help` says what there is.

KDIR ?= /lib/modules/$(shell uname -r)/build

modules:

help:
	@echo 'make [modules]        build the modules for the running kernel, or for KDIR=dir'
	@echo '                      NTDMA_ONLY=1: without samples and tests'
	@echo 'make modules_install  install what was built'
	@echo 'make clean            remove what was built here, and out/'
	@echo 'make demo             virtual machines and a board move data on every back end'
	@echo 'make check            all tests; ends with "N passed, N failed, N skipped"'
	@echo 'make bench            costs in guest instructions, against native ones'
	@echo 'make lint             W=1, sparse, clang and checkpatch, on 6.1 and 6.12; gcc for arm'
	@echo
	@echo 'KERNEL: check 6.1|6.12|arm64|arm64-16k|armhf|debug; demo 6.1|6.12|debug;'
	@echo 'lint 6.1|6.12|arm64|armhf; bench 6.1|6.12, which always counts with tcg.'
	@echo 'All take V=1 (whole console of the guests), ACCEL=tcg|kvm, and NTDMA_CACHE=dir'
	@echo '(kernels, default ~/.cache/ntdma).'

modules modules_install: need-kdir
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

need-kdir:
	@test -f $(KDIR)/Makefile || { \
		echo "no kernel headers in $(KDIR):" \
		     "install linux-headers-$$(uname -r) or give KDIR=dir" >&2; \
		exit 1; }

# Needs no kernel headers, and leaves the copies of other kernels to out/.
clean:
	find Kbuild kmod uapi selftests \( -name '*.o' -o -name '*.ko' \
		-o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '*.a' -o -name '*.gcno' \) -type f -delete
	rm -f Module.symvers modules.order .Module.symvers.cmd \
		.modules.order.cmd kmod/modules.order
	find kmod -name modules.order -delete
	rm -rf out

export KERNEL V NTDMA_CACHE NTDMA_OUT ACCEL

demo check lint bench:
	@selftests/$@.sh

.PHONY: modules help modules_install need-kdir clean demo check lint bench
