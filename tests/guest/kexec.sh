#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the kexec test, in both kernels: the second one has the word "second" on its command line.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

if ! grep -q second /proc/cmdline; then
  say "first kernel with $(nproc)"
  kernel_errors
  say "$(kexec /bin/vmlinuz /bin/kexec.sh 'console=ttyS0 panic=-1 second')"
fi
say "second kernel with $(nproc)"
dmesg -r | sed -n 's/^<[0-3]>/guest: kernel /p'
poweroff -f
