#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdxd's command line, and those keys of virttdxd.conf that it has in common with libvirt's daemons, with a fake monitor.

Usage: options_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from daemon_case import DAEMON, PATIENCE, SOURCE, DaemonTest, libvirt, main, wait_until

JOURNAL = pathlib.Path('/run/systemd/journal/socket')
MACHINE_ID = pathlib.Path('/etc/machine-id')
ENVIRONMENT = {**os.environ, 'VIRTTDX_VMM': str(SOURCE / 'tests/driver/fake_monitor.py'),
               'VIRTTDX_FAKE_HOST': str(SOURCE / 'tests/data/plan/soft.host.json')}


def has_ended(pid):
    """Whoever has the orphans need not collect them."""
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] in 'ZX'
    except FileNotFoundError:
        return True


class OptionsTest(DaemonTest):
    def configure(self, text):
        path = self.root / 'etc/libvirt/virttdxd.conf'
        path.write_text(text)
        self.restart_daemon()
        return path

    def raw_connection(self, suffix=''):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(peer.close)
        peer.setblocking(False)
        peer.connect(f'{self.root}/run/libvirt/virttdxd-sock{suffix}')
        return peer


class Configuration(OptionsTest):
    def test_tells_what_it_does_not_follow_and_goes_on(self):
        path = self.configure('tls_port = "16514"\nmax_workers = 30\naccess_drivers = [\n  "nop",\n]\n')
        self.assertEqual(self.connection.getType(), 'TDX')
        log = self.log_path.read_text()
        self.assertIn(f": warning : {path}:1: unknown key 'tls_port' is ignored", log)
        self.assertIn(f': warning : {path}:2: max_workers has no effect', log)

    def test_names_the_host(self):
        uuid = '6fd4ed8b-6a38-4d3c-8e2b-3a6f5c2e1d07'
        self.configure(f'host_uuid = "{uuid.upper()}"\nhost_uuid_source = "machine-id"\n')
        self.assertIn(f'<uuid>{uuid}</uuid>', self.connection.getCapabilities())

    @unittest.skipUnless(MACHINE_ID.exists() and len(MACHINE_ID.read_text().strip()) == 32, 'this system has no machine-id')
    def test_calls_the_host_as_its_installation(self):
        self.configure('host_uuid_source = "machine-id"\n')
        uuid = re.search('<uuid>(.*)</uuid>', self.connection.getCapabilities())[1]
        self.assertEqual(uuid.replace('-', ''), MACHINE_ID.read_text().strip())

    def test_puts_the_sockets_elsewhere(self):
        folder = self.root / 'sockets'
        folder.mkdir()
        self.kill_daemon()
        (self.root / 'etc/libvirt/virttdxd.conf').write_text(f'unix_sock_dir = "{folder}"\n')
        self.start_daemon()
        self.assertEqual({path.name for path in folder.iterdir()}, {'virttdxd-sock', 'virttdxd-sock-ro', 'virttdxd-admin-sock'})
        self.assertEqual(libvirt.open(f'tdx:///system?socket={folder}/virttdxd-sock').getType(), 'TDX')

    def test_bounds_who_waits_to_be_accepted(self):
        self.configure('max_clients = 1\nmax_queued_clients = 2\n')
        # The kernel lets in one more than listen(2) says.
        waiting = [self.raw_connection() for _ in range(3)]
        with self.assertRaises(BlockingIOError):
            self.raw_connection()
        self.connection.close()
        wait_until(lambda: self.is_free(), 'one that waited to be accepted')
        self.assertEqual(len(waiting), 3)

    def is_free(self):
        try:
            self.raw_connection()
            return True
        except BlockingIOError:
            return False


class CommandLine(OptionsTest):
    def test_tells_more_when_it_is_asked_to(self):
        (self.root / 'etc/libvirt/virttdxd.conf').write_text('log_level = 4\n')
        self.OPTIONS = ('-v',)
        self.restart_daemon()
        self.assertIn(': info : ', self.log_path.read_text())

    def test_keeps_a_pid_file(self):
        file = self.root / 'my.pid'
        self.OPTIONS = ('--pid-file', file)
        self.restart_daemon()
        self.assertEqual(file.read_text(), f'{self.daemon.pid}\n')
        other = subprocess.run([DAEMON, '--root', self.root / 'other', '-p', file], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(other.returncode, 1)
        self.assertIn(f"another virttdxd holds '{file}'", other.stderr)
        self.connection.close()
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(PATIENCE), 0)
        self.assertFalse(file.exists())

    def test_explains_itself(self):
        for words in (['-h'], ['--help']):
            done = subprocess.run([DAEMON, *words], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertIn('-d, --daemon', done.stdout)
        page = (SOURCE / 'docs/man/virttdxd.8.rst').read_text()
        self.assertEqual([option for option in re.findall(r'--[a-z-]+', done.stdout) if f'``{option}``' not in page], [])


class TheBackground(OptionsTest):
    def start_daemon(self, **environment):
        self.pid_file = self.root / 'run.pid'
        done = self.go_to_background()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))
        self.pid = int(self.pid_file.read_text())

    def go_to_background(self):
        """Relative paths are those of the caller's directory."""
        return subprocess.run([DAEMON, '-d', '-p', 'run.pid', '--host', 'soft', '--root', '.', *self.OPTIONS], cwd=self.root, env=ENVIRONMENT,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)

    def kill_daemon(self):
        if not has_ended(self.pid):
            os.kill(self.pid, signal.SIGKILL)
            wait_until(lambda: has_ended(self.pid), 'the daemon to end')

    def test_is_without_terminal_and_directory(self):
        self.assertEqual({os.readlink(f'/proc/{self.pid}/fd/{stream}') for stream in range(3)}, {'/dev/null'})
        self.assertEqual(os.readlink(f'/proc/{self.pid}/cwd'), '/')
        self.assertNotEqual(os.getsid(self.pid), os.getsid(0))
        self.assertNotEqual(os.getsid(self.pid), self.pid)
        self.define().create()

    def test_is_left_on_a_signal(self):
        self.connection.close()
        os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: has_ended(self.pid), 'the daemon to end')
        self.assertFalse(self.pid_file.exists())

    @unittest.skipIf(JOURNAL.exists(), 'the log goes to the journal')
    def test_has_its_log_in_a_file(self):
        self.assertIn('listens on', (self.root / 'var/log/libvirt/virttdxd.log').read_text())

    def test_is_not_reached_by_one_that_fails(self):
        done = self.go_to_background()
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('virttdxd: another virttdxd holds', done.stderr)


class TheTimeout(OptionsTest):
    OPTIONS = ('-t', '1')

    def outlasted(self):
        """Starts a daemon with a longer timeout, and waits until it has ended: the other one would have done so before."""
        root = tempfile.mkdtemp(prefix='virttdxd-')
        self.addCleanup(shutil.rmtree, root, True)
        done = subprocess.run([DAEMON, '--host', 'soft', '--root', root, '--timeout', '4'], env=ENVIRONMENT, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0)

    def ends(self):
        self.assertEqual(self.daemon.wait(PATIENCE), 0)

    def test_begins_when_the_last_client_goes(self):
        self.outlasted()
        self.assertIsNone(self.daemon.poll())
        self.connection.close()
        self.ends()

    def test_begins_when_the_last_domain_ends(self):
        self.define().create()
        self.connection.close()
        self.outlasted()
        self.assertIsNone(self.daemon.poll())
        self.connect().lookupByName('td').destroy()
        self.ends()

    def test_does_not_begin_before_virt_admin_goes(self):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(peer.close)
        peer.connect(f'{self.root}/run/libvirt/virttdxd-admin-sock')
        self.connection.close()
        self.outlasted()
        self.assertIsNone(self.daemon.poll())
        peer.close()
        self.ends()

    @unittest.skipIf(shutil.which('virt-admin') is None, 'virt-admin is not installed')
    def test_is_changed_by_virt_admin(self):
        self.set_timeout(0)
        self.connection.close()
        self.outlasted()
        self.assertIsNone(self.daemon.poll())
        self.set_timeout(1)
        self.ends()

    def set_timeout(self, seconds):
        uri = f'virttdxd:///system?socket={self.root}/run/libvirt/virttdxd-admin-sock'
        done = subprocess.run(['virt-admin', '-c', uri, 'daemon-timeout', '--timeout', str(seconds)], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)


main()
