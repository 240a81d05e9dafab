# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel as a TD behind passt: the address that its definition names, and a port of the host that leads to it."""
import contextlib
import shutil
import socket

import harness
from linux_guest import LinuxTest

MAC = '52:54:00:0a:0b:0e'
INTERFACE = """<interface type='user'><mac address='{mac}'/><ip family='ipv4' address='10.199.87.15' prefix='24'/>
<portForward proto='tcp' address='127.0.0.1'><range start='{port}' to='80'/></portForward>
<model type='virtio'/><backend type='passt'/></interface>"""


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


class UserNetwork(LinuxTest):
    def setUp(self):
        if not shutil.which('passt', path=harness.ENVIRONMENT['PATH']):
            self.skipTest('passt is not installed')
        super().setUp()

    def test_forwards_a_port_to_the_td(self):
        port = free_port()
        self.define(self.make_initrd('served.sh'), '', INTERFACE.format(mac=MAC, port=port))
        self.boot()
        self.expect('has 10.199.87.15/24')
        self.expect('serves')
        self.assertEqual(self.ask(port), b'from the guest\n')
        self.expect('end')
        self.assert_no_errors()

    @staticmethod
    def ask(port):
        """passt takes the connection at once, and gives it up when the guest does not."""
        answers = []

        def is_answered():
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), timeout=harness.PATIENCE) as client:
                answers.append(client.recv(100))
            return any(answers)
        harness.wait_until(is_answered, 'an answer')
        return answers[-1]


if __name__ == '__main__':
    harness.main()
