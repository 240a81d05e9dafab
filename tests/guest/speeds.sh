#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of tests/bench/guest_devices.py: requests on /dev/vda and bytes to the host's server at port=N of the command line.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
say user space
device_load disk-read read /dev/vda 1048576 128
device_load disk-write write /dev/vda 1048576 128
device_load disk-read-4k read /dev/vda 4096 4000
dhcp eth0
router=$(ip route | sed -n 's/^default via \([^ ]*\).*/\1/p')
port=$(sed -n 's/.*port=\([0-9]*\).*/\1/p' /proc/cmdline)
device_load network-receive fetch "$router" "$port" 65536 1024
device_load network-send send "$router" "$port" 65536 1024
device_load network-round-trip echo "$router" "$port" 1 2000
say end
poweroff -f
