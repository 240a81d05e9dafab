#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the hot-plug test: twice, waits for a disk, uses it, and waits until it is gone.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
mkdir /disk

for turn in first second; do
  say "waiting for the $turn disk"
  until [ -b /dev/vda ]; do sleep 0.1; done
  mount -t ext4 /dev/vda /disk || say "error mount"
  say "$turn disk holds $(cat /disk/hello.txt)"
  echo "written in the $turn turn" >/disk/written.txt
  umount /disk && say "$turn disk unmounted"
  while [ -b /dev/vda ]; do sleep 0.1; done
  say "$turn disk gone"
done
kernel_errors
say end
poweroff -f
