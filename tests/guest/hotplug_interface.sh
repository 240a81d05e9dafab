#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the hot-plug test of interfaces. The kernel's command line has turns=WORD,...: for each it waits for an
# interface, configures it (by DHCP, or statically), uses it, and waits until it is gone.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

for turn in $(sed -n 's/.*turns=\([a-z,]*\).*/\1/p' /proc/cmdline | tr , ' '); do
  say "waiting for $turn"
  until [ -d /sys/class/net/eth0 ]; do sleep 0.1; done
  if [ "$turn" = dhcp ]; then
    dhcp eth0
    say "$(cat /sys/class/net/eth0/address) has $(address eth0)"
  else
    ip addr add 198.51.100.2/30 dev eth0
    ip link set eth0 up
    until ping -c 1 -W 1 198.51.100.1 >/dev/null; do sleep 0.1; done
    say "$(cat /sys/class/net/eth0/address) reaches the host"
  fi
  while [ -d /sys/class/net/eth0 ]; do sleep 0.1; done
  say "$turn gone"
done
dmesg -r | sed -n 's/^<[0-3]>/guest: error /p'
say end
poweroff -f
