#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the tests with devices: drivers, a root file system on virtio-blk, the network, a TDREPORT and a quote.
# The kernel's command line has fetch=URL, whose content is printed.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
say user space

mkdir /disk
mount -t ext4 /dev/vda /disk || say "error mount"
say "hello $(cat /disk/hello.txt)"
dd if=/dev/urandom of=/disk/random bs=1M count=2 2>/dev/null
written=$(sha256sum </disk/random)
sync
echo 3 >/proc/sys/vm/drop_caches
[ "$(sha256sum </disk/random)" = "$written" ] && say "read back"
echo "written by the guest" >/disk/written.txt
umount /disk && say "unmounted"
mount -t ext4 /dev/vdb /disk || say "error mount of qcow2"
say "qcow2 holds $(cat /disk/hello.txt)"
dd if=/dev/urandom of=/disk/random bs=1M count=2 2>/dev/null
written=$(sha256sum </disk/random)
sync
echo 3 >/proc/sys/vm/drop_caches
[ "$(sha256sum </disk/random)" = "$written" ] && say "qcow2 read back"
umount /disk && say "qcow2 unmounted"
tries=0
until [ -b /dev/sr0 ] || [ "$tries" -ge 100 ]; do tries=$((tries + 1)); sleep 0.1; done
mount -t iso9660 -o ro /dev/sr0 /disk || say "error mount of iso9660"
say "config drive holds $(cat /disk/openstack/latest/meta_data.json)"
say "config drive of $(sha256sum </dev/sr0 | cut -d' ' -f1)"
umount /disk

dhcp eth0
say "address $(address eth0)"
say "fetched $(fetch_from_host "$(word fetch)")"

talk_by_vsock

mount -t configfs configfs /sys/kernel/config
report=/sys/kernel/config/tsm/report/test
mkdir "$report" || say "error report"
say "provider $(cat "$report/provider")"
printf '%064d' 7 >"$report/inblob"
cat "$report/outblob" >/tmp/quote || say "error quote"
# A version 4 quote: 48 bytes of header, then the report's body with MRTD at 136 and REPORTDATA at 520.
say "quote version $(od -An -tu2 -N2 /tmp/quote | tr -d ' ')"
say "mrtd $(dd if=/tmp/quote bs=1 skip=184 count=48 2>/dev/null | xxd -p | tr -d '\n')"
say "report data $(dd if=/tmp/quote bs=1 skip=568 count=64 2>/dev/null)"
# The quote is compared outside with the prediction and with the log of a firmware that keeps one.
mount -t ext4 /dev/vda /disk || say "error mount"
cat /sys/firmware/acpi/tables/data/CCEL >/disk/ccel 2>/dev/null
cp /tmp/quote /disk/quote
umount /disk
kernel_errors
say end
poweroff -f
