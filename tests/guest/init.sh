#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the boot tests: prints facts between markers, then powers off.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
say user space
say "uptime $(cat /proc/uptime)"
say "kernel $(uname -r)"
say "flags $(sed -n 's/^flags[^:]*: //p' /proc/cpuinfo | head -1)"
say "processors $(grep -c '^processor' /proc/cpuinfo)"
say "clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
say "iomem $(grep -c . /proc/iomem)"

# Programs with the C library: start, compute, pipe, fork, memory, floating point, signals.
say "numfmt $(numfmt --to=iec 123456789)"
say "seq $(seq 0.1 0.1 250 | tail -1)"
dd if=/dev/zero of=/tmp/zero bs=1M count=8 2>/dev/null
say "sha256 $(sha256sum /tmp/zero | cut -d' ' -f1)"
say "gzip $(gzip -c /tmp/zero | gunzip -c | md5sum | cut -d' ' -f1)"
say "awk $(awk 'BEGIN { for (i = 1; i <= 1000; ++i) s += i / 7; printf "%.6f", s }')"
count=0
while [ "$count" -lt 50 ]; do /bin/true; count=$((count + 1)); done
say "forks $count"
sleep 100 & child=$!
kill -TERM "$child"
wait "$child"
say "signal $?"
say "devices $(cd /sys/bus/pci/devices && echo *)"

dmesg | grep -F 'tdx: Guest detected' | sed 's/^/guest: dmesg /'
kernel_errors
say "uptime $(cat /proc/uptime)"
say end
poweroff -f
