#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# peer.sh - the other end of the line of the UART sample
#
#   peer.sh FIFO            be the peer on FIFO.in and FIFO.out, which QEMU has
#                           as "-chardev pipe,path=FIFO", until QEMU ends
#
# Answers what uart_demo.c writes (its head has the commands), compares every
# byte that comes with what must come, and says how each command went. The last
# line of a session is "verdict ok" or "verdict failed".
#
# Exit status: 0 all sessions were well, and there was one; 1 they were not;
# 2 usage, or no such FIFO.
set -euo pipefail

if [ $# -ne 1 ] || [ ! -p "$1.in" ] || [ ! -p "$1.out" ]; then
	sed -n '/^# peer.sh/,/^set/{/^set/d;s/^# \?//p}' "$0" >&2
	exit 2
fi

exec perl - "$1" <<'PERL'
use strict;
use warnings;

my ($buffer, $bad, $sessions, $failures) = ('', 0, 0, 0);
my ($looped, $lap) = (0, 1);	# letters of all rings, and of one
my $fed = 0;	# bytes of the pattern

$| = 1;
open my $from, '<:raw', "$ARGV[0].out" or die "$ARGV[0].out: $!\n";
open my $to, '>:raw', "$ARGV[0].in" or die "$ARGV[0].in: $!\n";

sub more {
	my $got = sysread $from, $buffer, 65536, length $buffer;
	die "reading: $!\n" unless defined $got;
	return $got;
}

sub pattern { # N SEED
	my ($n, $seed) = @_;
	return pack 'C*', map { ($seed * 31 + $_ * 7 + ($_ >> 8) * 5 + 3) & 255 }
		0 .. $n - 1;
}

sub letters { # N
	return join '', map { chr(65 + ($_ * 7 + int($_ / 26)) % 26) }
		0 .. $_[0] - 1;
}

sub told { # TEXT WHETHER-WELL
	print "$_[0]: ", $_[1] ? "ok\n" : "WRONG\n";
	$bad++ unless $_[1];
}

sub send_bytes { # BYTES
	my $sent = syswrite $to, $_[0];
	die "writing: $!\n" unless defined $sent && $sent == length $_[0];
}

sub feed { # N SEED
	send_bytes(substr pattern($fed + $_[0], $_[1]), $fed);
	$fed += $_[0];
	print "sent $_[0] bytes\n";
}

sub take_pattern { # N SEED
	my ($n, $seed) = @_;
	while (length $buffer < $n) {
		last unless more();
	}
	my $got = substr $buffer, 0, $n, '';
	told("received $n bytes", $got eq pattern($n, $seed));
}

# The ring is what comes until something else does: nothing in it is a newline.
sub take_ring { # N
	my $ring = letters($_[0]);
	my $twice = $ring . $ring;
	my ($at, $right) = (0, 1);
	while ($right) {
		last if $buffer eq '' && !more();
		$buffer =~ /^([^\n]*)/;
		my $run = $1 or last;
		$run = substr $run, 0, length $ring;
		$right = $run eq substr $twice, $at % $_[0], length $run;
		substr $buffer, 0, length $run, '';
		$at += length $run;
	}
	($looped, $lap) = ($at, $_[0]);
	told(sprintf("received a ring of $_[0] letters, %.2f times",
		     $at / $_[0]), $right && $at);
}

sub obey { # WORD FIRST SECOND
	my ($word, $first, $second) = @_;
	if ($word eq 'hello') {
		$bad = $looped = 0;
		$sessions++;
		send_bytes('!');
	} elsif ($word eq 'send') {
		take_pattern($first, $second);
	} elsif ($word eq 'loop') {
		take_ring($first);
	} elsif ($word eq 'periods') {
		told("$first periods of it",
		     $looped >= 2 * $lap && 4 * $looped >= $first * $lap);
	} elsif ($word eq 'feed') {
		$fed = 0;
		feed($first, $second);
	} elsif ($word eq 'more') {
		feed($first, $second);
	} elsif ($word eq 'bye') {
		told("nothing wrong at the other end", !$first);
		print 'verdict ', $bad ? 'failed' : 'ok', "\n";
		$sessions--;
		$failures++ if $bad;
	} else {
		told("a command \"$word\"", 0);
	}
}

my $sessions_done = 0;
while (1) {
	if ($buffer =~ s/^\n?@([a-z]+) (\d+) (\d+)\n//) {
		my $word = $1;
		obey($1, $2, $3);
		$sessions_done++ if $word eq 'bye';
		next;
	}
	if ($buffer =~ s/^(?!\n?(?:@|$))[^\n]*\n?//s && length $&) {
		told('bytes that nobody announced', 0);
		next;
	}
	last unless more();
}
exit($failures || $sessions || !$sessions_done ? 1 : 0);
PERL
