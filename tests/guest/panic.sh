#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the panic test: the kernel panics when the test writes a line.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
device=/sys/bus/acpi/devices/QEMU0001:00/physical_node
[ -e "$device" ] && say "pvpanic $(cat "$device/capability")"
say "waits"
read -r _
echo c >/proc/sysrq-trigger
