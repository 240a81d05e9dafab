#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of an interface whose host side dies: has an address, waits for the loss of the link, then for the power button.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

dhcp eth0
say "eth0 has $(address eth0), link $(cat /sys/class/net/eth0/carrier)"
until [ "$(cat /sys/class/net/eth0/carrier)" = 0 ]; do sleep 0.1; done
say "link lost"
wait_for_power_button
say "link of the end: $(cat /sys/class/net/eth0/carrier)"
kernel_errors
say end
poweroff -f
