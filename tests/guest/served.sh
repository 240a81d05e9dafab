#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# /init of the test of forwarded ports: what DHCP gives, and an answer to who asks at TCP port 80, at UDP port 81.
# shellcheck source=tests/guest/begin.sh
. /begin.sh

dhcp eth0
say "eth0 has $(address eth0), router $(router)"
# busybox has nothing that answers datagrams; perl without modules: AF_INET is 2, SOCK_DGRAM 2.
# shellcheck disable=SC2016
perl -e 'socket(S, 2, 2, 0) && bind(S, pack("Snx12", 2, 81)) && ($client = recv(S, $question, 100, 0))
  && send(S, "$question, says the guest\n", 0, $client) or die' &
udp=$!
say serves
# A connection that passt has given up asks nothing.
until [ -s /tmp/question ]; do echo 'from the guest' | nc -l -p 80 >/tmp/question; done
say "answered $(cat /tmp/question) by TCP"
wait $udp || say "error perl"
say "answered by UDP"
kernel_errors
say end
poweroff -f
