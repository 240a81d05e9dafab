#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of user networking: an address by DHCP, and one line to who connects to port 80.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

dhcp eth0
say "eth0 has $(address eth0)"
say serves
echo 'from the guest' | nc -l -p 80 || say "error nc"
kernel_errors
say end
poweroff -f
