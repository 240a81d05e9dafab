#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Says what the kernel has complained about: lines of level error or worse, and at any level a WARNING or a trace. Known is:
# - MSR 0x19b, the thermal interrupt of features that CPUID always tells a TD; the kernel shows a trace of the first access.
# - Linux takes CCEL's header for a TPM's, whose register is 0; edk2's is the MRTD's neighbour, 1. On every TD that has a log.
dmesg -r | awk '
  /unchecked MSR access error: .*0x19b/ { known = 1; next }
  known && /Call Trace:/ { known = 0; next }
  /Failed to parse event in TPM Final Events Log/ { next }
  /^<[0-3]>/ || /WARNING: / || /Call Trace:/ || /BUG: / { print "guest: error " $0 }'
