#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of what Linux sees of its machine: SMBIOS, memory, topology, clock, entropy, a second console. What the TD says of
# itself goes to its disk.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
attest /dev/vda
for file in /sys/class/dmi/id/*; do
  [ ! -f "$file" ] || [ ! -r "$file" ] || say "dmi ${file##*/}=$(cat "$file")"
done
sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : System RAM/guest: ram \1 \2/p' /proc/iomem
say "memory $(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
  say "topology $(cd "$cpu/topology" && cat physical_package_id die_id core_id core_cpus_list die_cpus_list | tr '\n' ' ')"
done
clock=/sys/devices/system/clocksource/clocksource0
say "clock $(cat $clock/current_clocksource) of $(cat $clock/available_clocksource)"
dmesg | grep -iE 'kvm-?clock' | sed 's/^/guest: error /'
say "entropy $(cat /sys/class/misc/hw_random/rng_current) $(dd if=/dev/hwrng bs=512 count=8 iflag=fullblock 2>/dev/null | wc -c)"

# A login as any getty gives; it ends with "exit".
say "login on hvc0"
getty -n -l /bin/sh 0 hvc0 vt100
say "hvc0 left $(cat /tmp/from_hvc0)"
kernel_errors
say end
poweroff -f
