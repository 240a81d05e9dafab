# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel as a TD behind passt: the address that it gets, and ports of the host that lead to it."""
import contextlib
import shutil
import socket

import harness
from linux_guest import LinuxTest

INTERFACE = """<interface type='user'>{address}
<portForward proto='tcp' address='127.0.0.1'><range start='{tcp}' to='80'/></portForward>
<portForward proto='udp' address='127.0.0.1'><range start='{udp}' to='81'/></portForward>
<model type='virtio'/><backend type='passt'/></interface>"""
# Of documentation (RFC 5737), and of no test's interfaces: nothing is sent there.
ELSEWHERE = ('203.0.113.1', 9)
# A datagram that comes before the guest listens is lost; its answer comes to the same socket, however late.
QUESTION_INTERVAL = 0.5


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def host_address():
    """Of the interface with the default route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(ELSEWHERE)
        except OSError:
            return None
        return sock.getsockname()[0]


def poll(ask, what):
    """The first answer of ask() that says something; one that fails says nothing."""
    answers = []

    def is_answered():
        with contextlib.suppress(OSError):
            answers.append(ask())
        return any(answers)
    harness.wait_until(is_answered, what)
    return answers[-1]


class UserNetwork(LinuxTest):
    def setUp(self):
        if not shutil.which('passt', path=harness.ENVIRONMENT['PATH']):
            self.skipTest('passt is absent: install package passt')
        if not host_address():
            self.skipTest('this host has no default route, from which passt takes its addresses')
        super().setUp()
        self.tcp, self.udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)

    def start(self, address=''):
        initrd = self.make_initrd('served.sh', '/usr/bin/perl', '/usr/lib/x86_64-linux-gnu/libcrypt.so.1')
        self.define(initrd, devices=INTERFACE.format(address=address, tcp=self.tcp, udp=self.udp))
        self.boot()

    def test_forwards_ports_to_the_host_s_own_address(self):
        self.start()
        self.expect(f'eth0 has {host_address()}/')
        self.check_ports()

    def test_forwards_ports_to_an_address_outside_of_the_host_s_network(self):
        self.start("<ip family='ipv4' address='10.199.87.15' prefix='24'/>")
        self.expect('eth0 has 10.199.87.15/24, router ')
        self.check_ports()

    def check_ports(self):
        self.expect('serves')
        self.assertEqual(poll(self.ask_tcp, 'an answer by TCP'), b'from the guest\n')
        self.expect('answered the host by TCP')
        self.assertEqual(self.ask_udp(), b'the host, says the guest\n')
        self.expect('answered by UDP')
        self.expect('end')
        self.assert_no_errors()

    def ask_tcp(self):
        """passt takes the connection at once, and gives it up when the guest does not. That of Debian 12 acknowledges the guest's with what the
        client says: one that waits for the guest to speak first waits for good."""
        with socket.create_connection(('127.0.0.1', self.tcp), timeout=harness.PATIENCE) as client:
            client.send(b'the host')
            return client.recv(100)

    def ask_udp(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(QUESTION_INTERVAL)
            client.connect(('127.0.0.1', self.udp))

            def ask():
                client.send(b'the host')
                return client.recv(100)
            return poll(ask, 'an answer by UDP')


if __name__ == '__main__':
    harness.main()
