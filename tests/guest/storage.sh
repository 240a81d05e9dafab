#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the storage test: opens a channel, waits for a disk to grow, fills another.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

until [ -e /sys/class/virtio-ports ] && grep -q org.example.0 /sys/class/virtio-ports/*/name 2>/dev/null; do sleep 0.1; done
port=$(grep -l org.example.0 /sys/class/virtio-ports/*/name)
exec 9<>"/dev/$(basename "$(dirname "$port")")" || say "error open"
before=$(cat /sys/block/vdb/size)
say "vdb has $before sectors"
until [ "$(cat /sys/block/vdb/size)" != "$before" ]; do sleep 0.1; done
say "vdb has $(cat /sys/block/vdb/size) sectors now"
dd if=/dev/urandom of=/dev/vdb bs=1M seek=31 count=1 conv=fsync 2>/dev/null || say "error vdb"
exec 9>&-
say "channel closed"

dd if=/dev/urandom of=/content bs=1M count=8 2>/dev/null
dd if=/content of=/dev/vda bs=64k conv=fsync 2>/dev/null || say "error vda"
echo 3 >/proc/sys/vm/drop_caches
[ "$(sha256sum </dev/vda)" = "$(sha256sum </content)" ] && say "vda read back"
kernel_errors
say end
poweroff -f
