#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /sbin/init on the root file system of a TD that boots from its disk: the first time it writes what the disk "data"
# holds and reboots, the second time it copies that to the disk "copy" and powers off.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
# The disk with that serial number.
disk() { echo "/dev/$(cd /sys/block && grep -lx "$1" vd*/serial | cut -d/ -f1)"; }
say "$(grep -c ^processor /proc/cpuinfo) CPUs"
say "root on $(root_partition)"
if [ ! -e /written ]; then
  say "boot 1"
  dd if="$(disk data)" of=/written bs=4M 2>/dev/null || say "error dd"
  sync
  say "wrote $(stat -c %s /written) bytes"
  mount -o remount,ro / || say "error remount"
  reboot -f
fi
say "boot 2"
dd if=/written of="$(disk copy)" bs=4M 2>/dev/null || say "error dd"
sync
say "read back"
kernel_errors
mount -o remount,ro / || say "error remount"
say end
poweroff -f
