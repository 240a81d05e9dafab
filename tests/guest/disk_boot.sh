#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of a TD that boots from its disk: finds the root file system and goes there.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
mkdir -p /root
mount -t ext4 "$(findfs LABEL=root)" /root || say "error mount"
mount --move /dev /root/dev
umount /proc /sys
exec switch_root /root /sbin/init
