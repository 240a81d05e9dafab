#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of flushes: writes to each of disks=, rounds= times, each time waiting until it is safe.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

for disk in $(word disks | tr , ' '); do
  for _ in $(seq "$(word rounds)"); do
    dd if=/dev/urandom of="/dev/$disk" bs=64k count=1 conv=fsync 2>/dev/null || say "error $disk"
  done
done
wait_for_power_button
kernel_errors
say end
poweroff -f
