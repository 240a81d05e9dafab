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
for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
  say "${cpu##*/} package $(cat "$cpu/topology/physical_package_id") threads $(cat "$cpu/topology/thread_siblings_list")" \
    "siblings $(cat "$cpu/topology/package_cpus_list")"
done
say "x2APIC ids $(sed -n 's/^apicid.*: //p' /proc/cpuinfo | tr '\n' ' ')"
kernel_errors
dmesg | grep -i -E 'not on the same node|srat: .*(fail|invalid)|slit: .*(fail|invalid)' | sed 's/^/guest: error /'
say end
poweroff -f
