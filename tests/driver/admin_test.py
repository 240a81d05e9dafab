#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-admin against virttdxd's admin socket, and that socket's protocol by hand.

Usage: admin_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import os
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

from daemon_case import PATIENCE, DaemonTest, libvirt, main, wait_until

if shutil.which('virt-admin') is None:
    print('1..0 # SKIP virt-admin is not installed')
    raise SystemExit(0)


class Admin(DaemonTest):
    def admin(self, *arguments, code=0):
        uri = f'virttdxd:///system?socket={self.root}/run/libvirt/virttdxd-admin-sock'
        done = subprocess.run(['virt-admin', '-c', uri, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def table(self, *arguments):
        return [line.split() for line in self.admin(*arguments).splitlines()[2:] if line.strip()]

    def pairs(self, *arguments):
        return dict(map(str.strip, line.split(':', 1)) for line in self.admin(*arguments).splitlines() if ':' in line)

    def test_lists_servers_and_what_they_are(self):
        self.assertEqual([row[1] for row in self.table('srv-list')], ['virttdxd', 'admin'])
        self.assertEqual(self.pairs('srv-threadpool-info', 'virttdxd')['nWorkers'], '1')
        self.assertIn('No server named', self.admin('srv-clients-info', 'none', code=1))
        self.assertIn('no workers to set', self.admin('srv-threadpool-set', 'virttdxd', '--max-workers', '5', code=1))

    def test_lists_clients_and_who_they_are(self):
        reader = libvirt.open(self.uri('-ro'))
        rows = self.table('client-list', 'virttdxd')
        self.assertEqual([row[1] for row in rows], ['unix', 'unix'])
        info = self.pairs('client-info', 'virttdxd', rows[1][0])
        self.assertEqual((info['readonly'], info['unix_user_id'], info['unix_process_id']),
                         ('yes', str(os.getuid()), str(os.getpid())))
        self.assertEqual(self.pairs('client-info', 'virttdxd', rows[0][0])['readonly'], 'no')
        reader.close()
        wait_until(lambda: len(self.table('client-list', 'virttdxd')) == 1, 'the client to go')

    def test_disconnects_a_client(self):
        (number, *_), = self.table('client-list', 'virttdxd')
        self.admin('client-disconnect', 'virttdxd', number)
        wait_until(lambda: self.connection.isAlive() == 0 or self.fails(), 'the connection to end')
        self.assertIn("No client with matching ID '4711'", self.admin('client-info', 'virttdxd', '4711', code=1))

    def fails(self):
        try:
            self.connection.getHostname()
        except libvirt.libvirtError:
            return True
        return False

    def test_limits_clients(self):
        self.admin('srv-clients-set', 'virttdxd', '--max-clients', '1', '--max-unauth-clients', '1')
        limits = self.pairs('srv-clients-info', 'virttdxd')
        self.assertEqual((limits['nclients_max'], limits['nclients'], limits['nclients_unauth_max']), ('1', '1', '1'))
        self.assertIn('Temporarily suspending services', self.log_path.read_text())
        self.assertIn('must not be less', self.admin('srv-clients-set', 'virttdxd', '--max-unauth-clients', '2', code=1))
        # One more is not sent away: it is taken when another goes, or when there may be more.
        others = [self.beside(libvirt.open, self.uri(suffix)) for suffix in ('', '-ro')]
        self.assertEqual(self.pairs('srv-clients-info', 'virttdxd')['nclients'], '1')
        self.assertEqual([other.done() for other in others], [False, False])
        self.connection.close()
        wait_until(lambda: sum(other.done() for other in others) == 1, 'one of them to be taken')
        self.assertEqual(self.pairs('srv-clients-info', 'virttdxd')['nclients'], '1')
        self.admin('srv-clients-set', 'virttdxd', '--max-clients', '2')
        connections = [other.result(PATIENCE) for other in others]
        self.assertEqual([connection.getType() for connection in connections], ['TDX', 'TDX'])

    def test_limits_its_own_clients(self):
        self.admin('srv-clients-set', 'admin', '--max-clients', '2')
        limits = self.pairs('srv-clients-info', 'admin')
        self.assertEqual((limits['nclients_max'], limits['nclients_unauth_max']), ('2', '0'))
        held = [self.raw_admin() for _ in range(2)]
        listed = self.beside(self.table, 'srv-list')
        held.pop().close()
        self.assertEqual(len(listed.result(PATIENCE)), 2)

    def beside(self, function, *arguments):
        """What may have to wait for what comes next."""
        threads = ThreadPoolExecutor()
        self.addCleanup(threads.shutdown, False)
        return threads.submit(function, *arguments)

    def raw_admin(self):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(peer.close)
        peer.connect(f'{self.root}/run/libvirt/virttdxd-admin-sock')
        return peer

    def test_sends_the_log_elsewhere(self):
        log = self.root / 'other.log'
        self.admin('daemon-log-outputs', f'2:file:{log}')
        self.assertEqual(self.admin('daemon-log-outputs').split()[-1], f'2:file:{log}')
        domain = self.define()
        domain.create()
        self.assertIn("domain 'td' started", log.read_text())
        self.assertIn('is not LEVEL', self.admin('daemon-log-outputs', '9:nowhere', code=1))
        self.admin('daemon-log-outputs', '4:stderr')
        size = log.stat().st_size
        domain.destroy()
        self.assertEqual(log.stat().st_size, size)

    def test_sends_the_log_to_the_default_again(self):
        other = self.root / 'other.log'
        (self.root / 'etc/libvirt/virttdxd.conf').write_text('log_outputs = ""\n')
        self.restart_daemon()  # which waits for a message
        for words in (['--outputs', ''], ['--outputs=']):
            self.admin('daemon-log-outputs', f'2:file:{other}')
            self.admin('daemon-log-outputs', *words)
            self.assertEqual(self.admin('daemon-log-outputs').split()[-1], '1:stderr')
        size = other.stat().st_size
        self.define().create()
        self.assertIn("domain 'td' started", self.log_path.read_text())
        self.assertEqual(other.stat().st_size, size)

    def test_logs_more_of_what_a_filter_names(self):
        def listed():
            return self.admin('daemon-log-filters').split(':', 1)[1].split()

        self.assertEqual(listed(), [])
        self.connection.listAllDomains()
        self.assertNotIn(': debug : ', self.log_path.read_text())
        self.admin('daemon-log-filters', '1:rpc 4:domain')
        self.assertEqual(listed(), ['1:rpc', '4:domain'])
        self.define().create()
        log = self.log_path.read_text()
        self.assertIn(': debug : ', log)
        self.assertNotIn("domain 'td' started", log)
        self.assertIn("'7:rpc' is not LEVEL:MATCH", self.admin('daemon-log-filters', '7:rpc', code=1))
        self.assertEqual(listed(), ['1:rpc', '4:domain'])
        self.admin('daemon-log-filters', '')
        self.assertEqual(listed(), [])
        self.connection.lookupByName('td').destroy()
        self.assertIn("domain 'td' ", self.log_path.read_text()[len(log):])


main()
