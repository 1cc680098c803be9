#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# record.sh - what the sb16 sample played
#
#   record.sh verify FILE    look what the emulator recorded
#
# FILE is a WAV file of 44100 Hz with two channels of 16 bits, which begins with
# what the driver plays once, and goes on with its loop, at least three times
# round. There is nothing before, between and in them that the driver did not
# play, and nothing of it is left out.
#
# Exit status: 0 all is well, 1 it is not, 2 usage or the file cannot be read.
set -euo pipefail

[ "${1:-}:$#" = verify:2 ] || {
	sed -n '/^# record.sh/,/^set/{/^set/d;s/^# \?//p}' "$0" >&2
	exit 2
}

exec perl - "$2" <<'PERL'
use strict;
use warnings;

my ($file) = @ARGV;
my ($once, $loop, $rounds) = (24576, 32768, 3);

open my $in, '<:raw', $file or do { warn "$file: $!\n"; exit 2 };
local $/;
my $bytes = <$in>;

sub bad { print "$file: @_\n"; exit 1 }

bad 'not the WAV file it should be'
	if length $bytes < 44 ||
	   substr($bytes, 0, 4) ne 'RIFF' || substr($bytes, 36, 4) ne 'data' ||
	   substr($bytes, 20, 16) ne pack 'vvVVvv', 1, 2, 44100, 176400, 4, 16;
my $data = substr $bytes, 44;

# Bytes become words on both channels.
my $first = join '', map {
	my $word = pack 'v', ($_ * 7 + ($_ >> 8)) % 256 * 256;
	$word . $word
} 0 .. $once - 1;
my $round = pack 'v*', map { ($_ * 40503 + 12345) % 65536 } 0 .. $loop / 2 - 1;

sub compare { # WHAT GOT EXPECTED
	my ($what, $got, $expected) = @_;
	return if $got eq $expected;
	($got ^ $expected) =~ /^\0*/;
	bad "$what differs from byte $+[0] on";
}

my $size = length $first;
compare('what is played once', substr($data, 0, $size), $first);
my $rest = substr $data, $size;
my $times = int(length($rest) / $loop);
bad "the loop went round $times times" if $times < $rounds;
compare('the loop', $rest, substr $round x ($times + 1), 0, length $rest);
print "$file: $size bytes once, ", length $rest, " bytes of the loop\n";
PERL
