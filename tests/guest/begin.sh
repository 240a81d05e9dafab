# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the /init of a test begins with (make_initrd.py packs it beside): commands, file systems, the drivers of /modules.
export PATH=/bin
/bin/busybox --install -s /bin
say() { echo "guest: $*"; }

mount -t proc proc /proc
grep -q ' /dev ' /proc/mounts || mount -t devtmpfs devtmpfs /dev
mount -t sysfs sysfs /sys
for module in /modules/*; do
  [ ! -e "$module" ] || insmod "$module" || say "error $module"
done

# Brings an interface up with what DHCP gives it. Routes of option 121 stand for the router (RFC 3442): they lead to one outside of its network too.
dhcp() {
  cat >/tmp/lease.sh <<'EOF'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
router=${router%% *}
set -- ${staticroutes:-${router:+0.0.0.0/0 $router}}
while [ $# -gt 1 ]; do
  if [ "$2" = 0.0.0.0 ]; then ip route add "$1" dev "$interface"; else ip route add "$1" via "$2" dev "$interface"; fi
  shift 2
done
EOF
  chmod +x /tmp/lease.sh
  ip link set "$1" up
  udhcpc -i "$1" -O staticroutes -x hostname:td-guest -n -q -t 5 -s /tmp/lease.sh >/dev/null || say "error udhcpc"
}

# The IPv4 address of an interface, with the bits of its network.
address() { ip -4 -o addr show dev "$1" | tr -s ' ' | cut -d' ' -f4; }

# Where the root file system of a TD that boots from its disk is.
root_partition() { sed -n 's,^/dev/vd[a-d]\([0-9]\) / ext4.*,partition \1,p' /proc/mounts; }

# What DHCP named as the router.
router() { ip route | sed -n 's/^default via \([^ ]*\).*/\1/p'; }

# Gets a file by HTTP from there: :PORT/PATH.
fetch_from_host() { wget -q -O - "http://$(router)$1"; }

# The word NAME=... on the kernel's command line.
word() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

# A line to port 80 of the host and back, and one connection at port 1234 that sends back what comes.
talk_by_vsock() {
  say "vsock of the host: $(vsock_talk 80 || echo "error $?")"
  vsock_talk -l 1234 >/tmp/listening &
  until [ -s /tmp/listening ]; do sleep 0.1; done
  say "vsock listening"
  wait $! || say "error vsock_talk"
}

# Leaves CCEL, its event log and a quote as a tar archive on a disk.
attest() {
  mount -t configfs configfs /sys/kernel/config
  report=/sys/kernel/config/tsm/report/test
  mkdir "$report" || say "error report"
  printf '%064d' 7 >"$report/inblob"
  mkdir /tmp/found
  cat "$report/outblob" >/tmp/found/quote || say "error quote"
  cat /sys/firmware/acpi/tables/CCEL >/tmp/found/table || say "error CCEL"
  cat /sys/firmware/acpi/tables/data/CCEL >/tmp/found/log || say "error event log"
  tar c -C /tmp/found quote table log >"$1" || say "error tar"
  sync
}

wait_for_power_button() {
  button=$(grep -l '^Power Button$' /sys/class/input/event*/device/name | head -1 | cut -d/ -f5)
  [ -n "$button" ] || say "error no power button"
  # What is pressed while nobody has it open is lost.
  exec 3<"/dev/input/$button"
  say "waits at $button"
  # An event is 24 bytes: time, type, code, value.
  dd of=/dev/null bs=24 count=1 <&3 2>/dev/null || say "error read"
  say "power button"
}
