#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the machine that tests/vm/run boots: this machine's files, readable, under a layer in memory that takes what is
# written; then /command in it. Its output, and a last line with its status, go to the first virtio console.
# shellcheck source=tests/guest/begin.sh
. /begin.sh
mkdir -p /host /layer /root
mount -t virtiofs -o ro host /host || say "error host"
mount -t tmpfs -o size=75% layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work root /root || say "error root"
for directory in dev proc sys; do mount -o move "/$directory" "/root/$directory"; done
mount -t tmpfs -o mode=755 run /root/run
mount -t tmpfs -o mode=1777 tmp /root/tmp
# What of /tmp the command needs.
while read -r directory; do
  mkdir -p "/root/$directory"
  mount -o bind "/host/$directory" "/root/$directory"
done </below_tmp
mkdir -p /root/dev/shm /root/dev/pts
mount -t tmpfs shm /root/dev/shm
mount -t devpts pts /root/dev/pts
mount -t cgroup2 cgroup /root/sys/fs/cgroup
mount -t securityfs security /root/sys/kernel/security
ip link set lo up
# An outside that leads nowhere: passt starts with none other.
ip link add outside type dummy
ip address add 203.0.113.2/24 dev outside
ip link set outside up
ip route add default via 203.0.113.1
cp /command /root/run/command
cat >/root/run/begin <<'EOF'
/bin/bash /run/command >/dev/hvc0 2>&1 </dev/null
echo "exit status $?" >/dev/hvc0
echo o >/proc/sysrq-trigger
sleep infinity
EOF
mkdir -p /root/run/systemd/system
cat >/root/run/systemd/system/command.service <<'EOF'
[Unit]
DefaultDependencies=no
Requires=dbus.socket
After=dbus.socket
[Service]
ExecStart=/bin/bash /run/begin
Delegate=yes
EOF
# Not chroot: AppArmor tells paths from the root of the mounts.
case $(cat /root/proc/cmdline) in
  *with-systemd*) exec switch_root /root /lib/systemd/systemd --unit=command.service ;;
esac
exec switch_root /root /bin/bash /run/begin
