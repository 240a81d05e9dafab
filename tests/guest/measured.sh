#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of a TD whose firmware measures: leaves CCEL, its event log and a quote as a tar archive on the first disk
# without partitions.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
say "secure boot $(dmesg | grep -c 'Secure boot enabled')"

mount -t configfs configfs /sys/kernel/config
report=/sys/kernel/config/tsm/report/test
mkdir "$report" || say "error report"
printf '%064d' 7 >"$report/inblob"
mkdir /found
cat "$report/outblob" >/found/quote || say "error quote"
cat /sys/firmware/acpi/tables/CCEL >/found/table || say "error CCEL"
cat /sys/firmware/acpi/tables/data/CCEL >/found/log || say "error event log"
for disk in /dev/vda /dev/vdb; do
  [ -e "${disk}1" ] || tar c -C /found quote table log >"$disk" || say "error tar"
done
sync
dmesg -r | sed -n 's/^<[0-3]>/guest: error /p'
say end
poweroff -f
