#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Domains that end with the connection that started them (virsh start --autodestroy), with a fake monitor.

Usage: autodestroy_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import signal
import subprocess
import sys

from daemon_case import PATIENCE, XML, DaemonTest, libvirt, main, wait_until

AUTODESTROY = libvirt.VIR_DOMAIN_START_AUTODESTROY
RUNNING = [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]
DESTROYED = [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED]
CLIENT = """
import libvirt, sys
domain = libvirt.open(sys.argv[1]).lookupByName('td')
print('starts', flush=True)
domain.createWithFlags(libvirt.VIR_DOMAIN_START_AUTODESTROY)
print('started', flush=True)
sys.stdin.read()
"""
SLOW_HOOK = """#!/bin/sh
[ "$2" = started ] || exit 0
touch {root}/waits
until [ -e {root}/go-on ]; do sleep 0.05; done
"""


class AutoDestroyTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.domain, self.other = self.define(), self.define('other')

    def start(self, *names):
        connection = self.connect()
        for name in names:
            connection.lookupByName(name).createWithFlags(AUTODESTROY)
        return connection

    @staticmethod
    def wait_for_end(domain):
        wait_until(lambda: domain.state() == DESTROYED, 'the end')


class AutoDestroy(AutoDestroyTest):
    def begin_client(self):
        client = subprocess.Popen([sys.executable, '-c', CLIENT, self.uri()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(client.communicate)
        self.addCleanup(client.kill)
        self.assertEqual(client.stdout.readline(), 'starts\n')
        return client

    def test_happens_when_the_connection_closes(self):
        connection, others = self.start('td'), self.start('other')
        third = self.define('third')
        connection.lookupByName('third').create()
        others.close()
        self.wait_for_end(self.other)
        self.assertEqual(self.domain.state(), RUNNING)
        self.record_events()
        connection.close()
        self.wait_for_end(self.domain)
        wait_until(lambda: (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED, -1) in self.events, 'the event')
        self.assertEqual(third.state(), RUNNING)

    def test_happens_when_the_client_is_killed(self):
        client = self.begin_client()
        self.assertEqual(client.stdout.readline(), 'started\n')
        client.kill()
        self.wait_for_end(self.domain)

    def test_happens_when_the_client_is_killed_before_the_domain_has_started(self):
        hook = self.root / 'etc/libvirt/hooks/tdx'
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(SLOW_HOOK.format(root=self.root))
        hook.chmod(0o755)
        client = self.begin_client()
        wait_until((self.root / 'waits').exists, 'the hook')
        client.kill()
        client.wait()
        (self.root / 'go-on').touch()
        self.wait_for_end(self.domain)

    def test_happens_at_the_end_of_virsh(self):
        self.virsh('start', 'td', '--autodestroy')
        self.wait_for_end(self.domain)
        self.domain.undefine()
        path = self.root / 'td.xml'
        path.write_text(XML)
        self.virsh('create', path, '--autodestroy', '--paused')
        wait_until(lambda: [domain.name() for domain in self.connection.listAllDomains()] == ['other'], 'the end')

    def test_is_of_one_run(self):
        connection = self.start('td', 'other')
        self.domain.destroy()
        self.assertEqual(self.domain.state(), DESTROYED)
        self.domain.create()
        connection.close()
        self.wait_for_end(self.other)
        self.assertEqual(self.domain.state(), RUNNING)

    def test_is_not_asked_for_by_a_start_that_fails(self):
        self.domain.create()
        connection = self.start('other')
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is already running', connection.lookupByName('td').createWithFlags, AUTODESTROY)
        connection.close()
        self.wait_for_end(self.other)
        self.assertEqual(self.domain.state(), RUNNING)


class TheDaemonsEnd(AutoDestroyTest):
    """As with libvirt's: it closes the connections, and a daemon that is killed does not."""

    def end_daemon(self, how):
        self.daemon.send_signal(how)
        self.daemon.wait(PATIENCE)
        self.log_path.write_text('')
        self.start_daemon()
        self.connection = self.connect()
        return self.connection.lookupByName('td')

    def test_ends_what_ends_with_a_connection(self):
        self.other.create()
        _connection = self.start('td')
        domain = self.end_daemon(signal.SIGTERM)
        self.assertFalse(domain.isActive())
        self.assertEqual([path.name for path in (self.root / 'run/libvirt/tdx').glob('td.*')], [])
        wait_until(self.connection.lookupByName('other').isActive, 'the other domain')

    def test_leaves_it_when_it_is_killed(self):
        _connection = self.start('td')
        domain = self.end_daemon(signal.SIGKILL)
        wait_until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING, 'the domain')


main()
