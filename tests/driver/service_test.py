# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdxd as systemd starts it: on sockets that are there already, and told how far it is."""
import os
import pathlib
import socket
import subprocess

import daemon_case
from daemon_case import DAEMON, SOURCE, wait_until

SOCKETS = ('virttdxd-sock', 'virttdxd-sock-ro', 'virttdxd-admin-sock')
FIRST = 3  # SD_LISTEN_FDS_START


class AService(daemon_case.DaemonTest):
    def start_daemon(self, **environment):
        """With listening sockets as descriptors 3 to 5 and a notification socket."""
        self.run_directory = self.root / 'run/libvirt'
        self.run_directory.mkdir(parents=True, exist_ok=True)
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        (self.root / 'notify').unlink(missing_ok=True)
        self.notifications.bind(str(self.root / 'notify'))
        self.notifications.settimeout(daemon_case.PATIENCE)
        self.addCleanup(self.notifications.close)
        listening = [self.listen(self.run_directory / name) for name in environment.pop('sockets', SOCKETS)]

        def hand_over():
            kept = [os.dup(each.fileno()) for each in listening]
            for number, fd in enumerate(kept):
                os.dup2(fd, FIRST + number)

        with open(self.log_path, 'ab') as log:
            self.daemon = subprocess.Popen(
                ['/bin/sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh', DAEMON, '--host', 'soft', '--root', self.root],
                stderr=log, stdout=log, preexec_fn=hand_over, pass_fds=range(FIRST, FIRST + len(listening)),
                env={**os.environ, 'VIRTTDX_VMM': str(SOURCE / 'tests/driver/fake_monitor.py'),
                     'VIRTTDX_FAKE_HOST': str(SOURCE / 'tests/data/plan/soft.host.json'),
                     'LISTEN_FDS': str(len(listening)), 'NOTIFY_SOCKET': str(self.root / 'notify')})

    def listen(self, path):
        path.unlink(missing_ok=True)
        each = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        each.bind(str(path))
        each.listen()
        self.addCleanup(each.close)
        return each

    def identity(self, path):
        return pathlib.Path(path).stat().st_ino

    def test_tells_when_it_is_ready_and_when_it_ends(self):
        self.assertEqual(self.notifications.recv(100), b'READY=1')
        self.daemon.terminate()
        self.assertEqual(self.notifications.recv(100), b'STOPPING=1')
        self.assertEqual(self.daemon.wait(daemon_case.PATIENCE), 0, self.log_path.read_text())

    def test_serves_on_the_sockets_it_was_given_and_leaves_them(self):
        before = [self.identity(self.run_directory / name) for name in SOCKETS]
        self.assertEqual(self.connection.getType(), 'TDX')
        self.connection.close()
        self.daemon.terminate()
        self.daemon.wait(daemon_case.PATIENCE)
        self.assertEqual([self.identity(self.run_directory / name) for name in SOCKETS], before)

    def test_makes_the_sockets_that_it_was_not_given(self):
        self.kill_daemon()
        self.start_daemon(sockets=SOCKETS[:1])
        wait_until(lambda: 'listens on' in self.log_path.read_text(), 'the daemon')
        self.daemon.terminate()
        self.daemon.wait(daemon_case.PATIENCE)
        self.assertTrue((self.run_directory / SOCKETS[0]).exists())
        self.assertFalse((self.run_directory / SOCKETS[2]).exists())

    def test_warns_of_a_socket_that_is_none_of_its_own(self):
        self.kill_daemon()
        self.start_daemon(sockets=(*SOCKETS, 'other'))
        wait_until(lambda: "other', which is no socket of virttdxd" in self.log_path.read_text(), 'the warning')


daemon_case.main()
