#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of media that change: does what is typed at the console, one word a line.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
mkdir /cdrom
until [ -b /dev/sr0 ]; do sleep 0.1; done

say ready
while read -r word; do
  case "$word" in
    mount) mount -t iso9660 -o ro /dev/sr0 /cdrom && say "holds $(cat /cdrom/drive.txt)" ;;
    read) say "read: $(head -c 1 /dev/sr0 2>&1 >/dev/null)" ;;
    umount) umount /cdrom && say unmounted ;;
    open | close) say "$word: $(tray /dev/sr0 "$word" && echo moved)" ;;
    end) break ;;
  esac
done
kernel_errors
say end
poweroff -f
