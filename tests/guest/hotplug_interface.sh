#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the hot-plug test of interfaces. The kernel's command line has turns=WORD,...: for each it waits for an
# interface, configures it (by DHCP, or statically), uses it, and waits until it is gone. With bulk=PORT the machine that DHCP
# named as the router sends at PORT what the next port takes back: each CPU has a go, with its own pair of queues.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

bulk() {
  for cpu in 0 1; do
    taskset -c "$cpu" nc "$1" "$2" </dev/null >/tmp/bulk || say "error nc from the host"
    taskset -c "$cpu" nc "$1" "$(($2 + 1))" </tmp/bulk || say "error nc to the host"
    say "CPU $cpu had $(stat -c %s /tmp/bulk) bytes"
  done
  say "queues $(cd /sys/class/net/eth0/queues && echo *)"
  awk '/virtio[0-9]*-(in|out)put/ { print "guest: interrupts " $NF " " ($2 + $3 > 100) }' /proc/interrupts
}

for turn in $(sed -n 's/.*turns=\([a-z,]*\).*/\1/p' /proc/cmdline | tr , ' '); do
  say "waiting for $turn"
  until [ -d /sys/class/net/eth0 ]; do sleep 0.1; done
  if [ "$turn" = dhcp ]; then
    dhcp eth0
    say "$(cat /sys/class/net/eth0/address) has $(address eth0)"
    port=$(word bulk)
    [ -z "$port" ] || bulk "$(router)" "$port"
  else
    ip addr add 198.51.100.2/30 dev eth0
    ip link set eth0 up
    until ping -c 1 -W 1 198.51.100.1 >/dev/null; do sleep 0.1; done
    say "$(cat /sys/class/net/eth0/address) reaches the host"
  fi
  while [ -d /sys/class/net/eth0 ]; do sleep 0.1; done
  say "$turn gone"
done
kernel_errors
say end
poweroff -f
