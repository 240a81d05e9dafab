#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the NUMA test: what the kernel makes of SRAT and SLIT, and of the topology in CPUID.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
for node in /sys/devices/system/node/node*; do
  say "${node##*/} cpus $(cat "$node/cpulist") distances $(cat "$node/distance")" \
    "MiB $(awk '/MemTotal/ { print int($4 / 1024) }' "$node/meminfo")"
done
for cpu in 0 1 2 3; do
  topology=/sys/devices/system/cpu/cpu$cpu/topology
  say "cpu$cpu package $(cat "$topology/physical_package_id") threads $(cat "$topology/thread_siblings_list")"
done
kernel_errors
dmesg | grep -i -E 'not on the same node|srat: .*(fail|invalid)|slit: .*(fail|invalid)' | sed 's/^/guest: error /'
say end
poweroff -f
