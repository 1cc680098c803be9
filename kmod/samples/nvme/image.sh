#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# image.sh - the disk image for a sample that drives a disk
#
#   image.sh create FILE [DISK]   an image for the driver to work on
#   image.sh verify FILE [DISK]   look what the driver left on it
#
# DISK is nvme (8 MiB, the default) or floppy (1440 KiB).
#
# A sector holds its number, 8 bytes little-endian, then byte i is
# (7 * number + i) mod 256.
#   nvme            floppy
#   0 to 4095       0 to 1439      prepared here, the driver only reads them
#   4096 to 12287   1440 to 2519   zeros; the driver writes all of them, with
#                                  the number of its run in the upper half of
#                                  the number and all other bytes inverted
#   12288 to 16383  2520 to 2879   zeros, and to stay so
#
# Exit status: 0 all is well, 1 the image is not as it should be, 2 usage or
# the file cannot be read or written.
set -euo pipefail

case ${1:-}:$#:${3:-nvme} in
create:[23]:nvme | verify:[23]:nvme) ;;
create:3:floppy | verify:3:floppy) ;;
*)
	sed -n '/^# image.sh/,/^set/{/^set/d;s/^# \?//p}' "$0" >&2
	exit 2
	;;
esac

exec perl - "$@" <<'PERL'
use strict;
use warnings;

my ($action, $file, $disk) = (@ARGV, 'nvme');
my %layouts = (nvme => [4096, 12288, 16384], floppy => [1440, 2520, 2880]);
my ($host, $written, $sectors) = @{ $layouts{$disk} };
my $ramp = pack 'C*', map { $_ & 255 } 0 .. 767;
my $zeros = "\0" x 512;

sub fail { warn "@_\n"; exit 2 }

sub tail_of { substr $ramp, ($_[0] * 7 + 8) & 255, 504 }

sub expected { # SECTOR RUN
	my ($sector, $run) = @_;
	return pack('V2', $sector, 0) . tail_of($sector) if $sector < $host;
	return $zeros if $sector >= $written;
	return pack('V2', $sector, $run) . ~tail_of($sector);
}

if ($action eq 'create') {
	open my $out, '>:raw', $file or fail "$file: $!";
	print $out $_ < $host ? expected($_) : $zeros for 0 .. $sectors - 1;
	close $out or fail "$file: $!";
	exit;
}

open my $in, '<:raw', $file or fail "$file: $!";
my ($bad, $run) = (0, 0);
for my $sector (0 .. $sectors - 1) {
	my $got = read $in, my $bytes, 512;
	fail "$file: $!" unless defined $got;
	fail "$file: too short" unless $got == 512;
	$run = (unpack 'V2', $bytes)[1] if $sector == $host;
	next if $bytes eq expected($sector, $run) &&
		($sector != $host || $run);
	print "sector $sector is wrong\n" if $bad++ < 10;
}
print $bad ? "$file: $bad of $sectors sectors are wrong\n"
	   : "$file: all $sectors sectors are right, run $run\n";
exit($bad ? 1 : 0);
PERL
