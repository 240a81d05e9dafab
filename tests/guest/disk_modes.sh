#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of cache modes, discards and a storage daemon that is killed.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

for disk in vda vdb vdc vdd vde; do
  say "$disk is $(cat /sys/block/$disk/queue/write_cache)"
  dd if=/dev/urandom of=/dev/$disk bs=64k count=1 conv=fsync 2>/dev/null || say "error $disk"
done
[ "$(cat /sys/block/vdf/ro)" = 1 ] || say "error vdf can be written to"
dd if=/dev/urandom of=/dev/vdf bs=4k count=1 conv=fsync 2>/dev/null && say "error vdf was written to"
[ "$(head -c 4 /dev/vdf)" = read ] && say "vdf is read-only"

# A quarter each: discarded, zeroed and given back, zeroed, kept.
dd if=/dev/urandom of=/dev/vdg bs=1M count=8 conv=fsync 2>/dev/null || say "error vdg"
sha256sum </dev/vdg >/tmp/all
blkdiscard -o 0 -l 2M /dev/vdg || say "error discard"
fallocate -p -n -o 2M -l 2M /dev/vdg || say "error punch"
blkdiscard -z -o 4M -l 2M /dev/vdg || say "error zero"
sync
echo 3 >/proc/sys/vm/drop_caches
[ "$(head -c 6M /dev/vdg | tr -d '\0' | wc -c)" = 0 ] && say "vdg reads zeroes"

read_served() { echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vdh of=/dev/null bs=4k count=1 2>/dev/null; }
read_served && say "vdh serves"
while read_served; do sleep 0.1; done
say "vdh fails"
dd if=/dev/zero of=/dev/vdh bs=4k count=1 conv=fsync 2>/dev/null && say "error vdh takes writes"
dd if=/dev/urandom of=/dev/vda bs=64k count=1 conv=fsync 2>/dev/null && say "vda serves"
say end
poweroff -f
