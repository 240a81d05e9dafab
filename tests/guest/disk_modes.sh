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
# VIRTIO_F_EVENT_IDX is bit 29, the thirtieth digit.
[ "$(cut -c30 /sys/block/vda/device/features)$(cut -c30 /sys/block/vdf/device/features)" = 10 ] || say "error event_idx"
[ "$(cat /sys/block/vdf/ro)" = 1 ] || say "error vdf can be written to"
dd if=/dev/urandom of=/dev/vdf bs=4k count=1 conv=fsync 2>/dev/null && say "error vdf was written to"
[ "$(head -c 4 /dev/vdf)" = read ] && say "vdf is read-only"

# A quarter each: discarded, zeroed and given back, zeroed, kept.
give_back() {
  dd if=/dev/urandom of="/dev/$1" bs=1M count=8 conv=fsync 2>/dev/null || say "error $1"
  blkdiscard -o 0 -l 2M "/dev/$1" || say "error discard $1"
  fallocate -p -n -o 2M -l 2M "/dev/$1" || say "error punch $1"
  blkdiscard -z -o 4M -l 2M "/dev/$1" || say "error zero $1"
  # Only this flushes; sync(2) has no data to write.
  sync "/dev/$1"
  echo 3 >/proc/sys/vm/drop_caches
  [ "$(head -c 6M "/dev/$1" | tr -d '\0' | wc -c)" = 0 ] && say "$1 reads zeroes"
}
give_back vdg
give_back vdh

read_served() { echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vdh of=/dev/null bs=4k count=1 2>/dev/null; }
read_served && say "vdh serves"
while read_served; do sleep 0.1; done
say "vdh fails"
dd if=/dev/zero of=/dev/vdh bs=4k count=1 conv=fsync 2>/dev/null && say "error vdh takes writes"
dd if=/dev/urandom of=/dev/vda bs=64k count=1 conv=fsync 2>/dev/null && say "vda serves"
say end
poweroff -f
