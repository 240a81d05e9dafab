#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the power test: powers off when the ACPI power button is pressed.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
button=$(grep -l '^Power Button$' /sys/class/input/event*/device/name | head -1 | cut -d/ -f5)
[ -n "$button" ] || say "error no power button"
# What is pressed while nobody has it open is lost.
exec 3<"/dev/input/$button"
say "waits at $button"
# An event is 24 bytes: time, type, code, value.
dd of=/dev/null bs=24 count=1 <&3 2>/dev/null || say "error read"
say "power button"
dmesg -r | sed -n 's/^<[0-3]>/guest: error /p'
poweroff -f
