#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the CD-ROM test: what lies in the drives that the kernel's command line names: drives=sr0,sr1.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
mkdir /cdrom

for drive in $(sed -n 's/.*drives=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' '); do
  until [ -b "/dev/$drive" ]; do sleep 0.1; done
  mount -t iso9660 -o ro "/dev/$drive" /cdrom || say "error mount of $drive"
  say "$drive holds $(cat /cdrom/drive.txt)"
  say "$drive is $(sha256sum <"/dev/$drive" | cut -d' ' -f1)"
  umount /cdrom
done
kernel_errors
say end
poweroff -f
