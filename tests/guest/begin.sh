# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the /init of a test begins with (make_initrd.py packs it beside): commands, file systems, the drivers of /modules.
export PATH=/bin
/bin/busybox --install -s /bin
say() { echo "guest: $*"; }

mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for module in /modules/*; do
  [ ! -e "$module" ] || insmod "$module" || say "error $module"
done

# Brings an interface up with what DHCP gives it.
dhcp() {
  cat >/tmp/lease.sh <<'EOF'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
EOF
  chmod +x /tmp/lease.sh
  ip link set "$1" up
  udhcpc -i "$1" -x hostname:td-guest -n -q -t 5 -s /tmp/lease.sh >/dev/null || say "error udhcpc"
}

# The IPv4 address of an interface, with the bits of its network.
address() { ip -4 -o addr show dev "$1" | tr -s ' ' | cut -d' ' -f4; }
