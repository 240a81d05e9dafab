#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the guest agent's test: a file system, an address, and QEMU's guest agent with what it calls.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
mkdir /disk /cdrom /sbin
mount -t ext4 /dev/vda /disk || say "error mount"
until [ -b /dev/sr0 ]; do sleep 0.1; done
mount -t iso9660 -o ro /dev/sr0 /cdrom || say "error mount of iso9660"
dhcp eth0
hostname td-guest
cat >/etc/os-release <<'EOT'
ID=proof
PRETTY_NAME="Proof of a TD"
EOT
ln -s /bin/busybox /sbin/hwclock
cat >/sbin/shutdown <<'EOT'
#!/bin/sh
# As the agent calls it: -h, one of these, a time and a message.
for word; do
  case "$word" in
    -P) poweroff -f ;;
    -r) reboot -f ;;
    -H) halt -f ;;
  esac
done
EOT
chmod +x /sbin/shutdown
port=$(grep -l '^org.qemu.guest_agent.0$' /sys/class/virtio-ports/*/name | cut -d/ -f5)
[ -c "/dev/$port" ] || say "error no port of the agent"
kernel_errors
say "address $(address eth0)"
say "agent begins"
qemu-ga --method virtio-serial --path "/dev/$port" --statedir /run
say "error the agent ended with status $?"
poweroff -f
