#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# record.sh - what the sb16 sample played
#
#   record.sh verify FILE    look what the emulator recorded
#
# FILE is a WAV file of 44100 Hz with two channels of 16 bits, which begins with
# what the driver plays once, and goes on with its two loops, each at least three
# times round. There is nothing before, between and in them that the driver did
# not play, and nothing of it is left out.
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
sub round_of { # LOWEST BIT
	my ($mark) = @_;
	return pack 'v*', map { ($_ * 40503 + 12345) % 65536 & ~1 | $mark }
		0 .. $loop / 2 - 1;
}

sub compare { # WHAT GOT EXPECTED
	my ($what, $got, $expected) = @_;
	return if $got eq $expected;
	($got ^ $expected) =~ /^\0*/;
	bad "$what differs from byte $+[0] on";
}

my $size = length $first;
compare('what is played once', substr($data, 0, $size), $first);
my $rest = substr $data, $size;

# The lowest bit of each word tells the loops apart.
my $switch = length $rest;
for (my $at = 0; $at < length $rest; $at += 2) {
	next if vec $rest, $at * 8, 1;
	$switch = $at;
	last;
}
my @loops = (substr($rest, 0, $switch), substr $rest, $switch);
for my $n (0, 1) {
	my ($part, $name) = ($loops[$n], 'loop ' . ($n + 1));
	my $times = int(length($part) / $loop);
	bad "$name went round $times times" if $times < $rounds;
	compare($name, $part,
		substr round_of(1 - $n) x ($times + 1), 0, length $part);
}
print "$file: $size bytes once, ", join(' and ', map { length } @loops),
	" bytes of the loops\n";
PERL
