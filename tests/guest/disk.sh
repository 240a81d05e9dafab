#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of a disk on Ceph: the file system on it is read, written and read back.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
mkdir /disk
mount -t ext4 /dev/vda /disk || say "error mount"
say "hello $(cat /disk/hello.txt)"
dd if=/dev/urandom of=/disk/random bs=1M count=8 2>/dev/null
written=$(sha256sum </disk/random)
sync
echo 3 >/proc/sys/vm/drop_caches
[ "$(sha256sum </disk/random)" = "$written" ] && say "read back"
umount /disk && say "unmounted"
kernel_errors
say end
poweroff -f
