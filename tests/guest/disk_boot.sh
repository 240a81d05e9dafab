#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of a TD that boots from its disk: finds the root file system and goes there.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
insmod /modules/*-virtio_blk.ko || echo "guest: error virtio_blk"
mkdir -p /root
mount -t ext4 "$(findfs LABEL=root)" /root || echo "guest: error mount"
mount --move /dev /root/dev
umount /proc
exec switch_root /root /sbin/init
