#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /sbin/init on the root file system of a TD that has it all: disk, network, vsock, quote, power button. The kernel's command line has
# fetch=:PORT/PATH; the disk "found" takes what the TD says of itself.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
say "root on $(root_partition)"
say "secure boot $(dmesg | grep -c 'Secure boot enabled')"
dhcp eth0
say "address $(address eth0)"
say "fetched $(fetch_from_host "$(word fetch)")"
talk_by_vsock
attest "/dev/$(cd /sys/block && grep -lx found vd*/serial | cut -d/ -f1)"
echo "written by the guest" >/written.txt || say "error write"
wait_for_power_button
kernel_errors
mount -o remount,ro / || say "error remount"
say end
poweroff -f
