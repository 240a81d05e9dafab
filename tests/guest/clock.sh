#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the clock test: what the kernel took for the time when it read the RTC, which is then set two hours on; goes
# on when the test writes a line.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

say "time $(date -u +%s)"
date -u -s "@$(($(date -u +%s) + 7200))" >/dev/null
hwclock -w -u || say "error hwclock"
say "rtc $(hwclock -r -u >/dev/null && echo set)"
read -r _
kernel_errors
say end
poweroff -f
