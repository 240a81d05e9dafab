# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt-python's own example programs against virttdxd, unchanged.

Debian's python3-libvirt leaves them out; they are examples/ of libvirt-python's source. $LIBVIRT_PYTHON_EXAMPLES says where they are, else they are
looked for where other distributions install them. The source of the installed version fits: newer ones use what it does not have yet.
"""
import importlib.util
import os
import pathlib
import subprocess
import unittest

import harness
from libvirtd_beside import begin_libvirtd, skip_unless_possible

PLACES = (os.environ.get('LIBVIRT_PYTHON_EXAMPLES'), *(f'/usr/share/doc/{name}/examples' for name in ('python3-libvirt', 'libvirt-python')))
PYTHON = '/usr/bin/python3'
WHY_NOT_SAVED = "the memory of a TD is encrypted"


def path_of(name):
    return next((path for place in PLACES if place for path in pathlib.Path(place).rglob(name)), None)


def example(name, *modules):
    """For a test of such a program."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    reason = f"libvirt-python's example {name} is not here (LIBVIRT_PYTHON_EXAMPLES)" if path_of(name) is None else f'{name} needs {absent}'
    return unittest.skipIf(path_of(name) is None or absent, reason)


class Examples(harness.DaemonTest):
    def environment(self):
        return os.environ | {'LIBVIRT_DEFAULT_URI': self.daemon.uri}

    def run_example(self, name, *arguments):
        """(exit status, what it said)"""
        done = subprocess.run([PYTHON, path_of(name), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL, timeout=harness.PATIENCE, env=self.environment(), cwd=self.daemon.root)
        return done.returncode, done.stdout

    def says(self, name, *arguments):
        status, said = self.run_example(name, *arguments)
        self.assertEqual(status, 0, said)
        return said

    def begin(self, name, *arguments):
        """A program that goes on, and the file with what it says."""
        output = self.daemon.root / f'{name}.output'
        with open(output, 'wb') as file:
            program = subprocess.Popen([PYTHON, '-u', path_of(name), *arguments], stdout=file, stderr=file, stdin=subprocess.DEVNULL,
                                       env=self.environment(), cwd=self.daemon.root)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)

        def wait_for(*texts):
            harness.wait_until(lambda: program.poll() is not None or all(text in output.read_text() for text in texts), texts)
            self.assertIsNone(program.poll(), output.read_text())
        return wait_for

    def start_td(self):
        self.daemon.define(harness.td_xml())
        self.daemon.virsh('start', 'td', '--paused')

    @example('dominfo.py', 'libxml2')
    def test_dominfo(self):
        self.start_td()
        self.assertRegex(self.says('dominfo.py', 'td'), r'(?s)State: +3 .*MaxMem: +524288 .*VCPUs: +1 .*Type: +hvm.*Type: +pty')
        self.assertIn('not running', self.says('dominfo.py', 'none'))

    @example('domstart.py', 'libxml2')
    def test_domstart(self):
        xml = self.daemon.root / 'td.xml'
        xml.write_text(harness.td_xml())
        self.assertRegex(self.says('domstart.py', xml), 'Starting domain td')
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'running')
        self.assertEqual(self.says('domstart.py', xml), '')

    @example('domipaddrs.py')
    def test_domipaddrs(self):
        self.start_td()
        self.assertIn('Interface', self.says('domipaddrs.py', self.daemon.uri, 'td'))

    @example('nodestats.py', 'libxml2')
    def test_nodestats(self):
        self.start_td()
        self.assertRegex(self.says('nodestats.py'), r"MemTotal:\t\d+[\s\S]*Domain 'td':")

    @example('topology.py')
    def test_topology(self):
        self.assertRegex(self.says('topology.py'), r'NUMA nodes: \d+\n +Sockets: \d+\n +Cores: \d+\n +Threads: \d+')

    @example('domsave.py')
    def test_domsave_and_domrestore_are_told_why_not(self):
        self.start_td()
        (self.daemon.root / 'saved').mkdir()
        (self.daemon.root / 'saved/td').touch()
        for program in ('domsave.py', 'domrestore.py'):
            status, said = self.run_example(program, self.daemon.root / 'saved')
            self.assertNotEqual(status, 0)
            self.assertIn(WHY_NOT_SAVED, said)
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'paused')

    @example('event-test.py')
    def test_event_test_with_each_of_its_event_loops(self):
        # It wants the events of networks, pools, node devices and secrets too.
        skip_unless_possible()
        begin_libvirtd(self)
        # It only reads.
        (self.daemon.root / 'run/libvirt/libvirt-sock-ro').symlink_to(self.daemon.root / 'libvirtd/libvirt-sock-ro')
        harness.wait_until(lambda: 'Network not found' in self.daemon.try_virsh('net-info', 'none', uri=self.daemon.read_only_uri)[2], 'libvirtd')
        for loop in ('native', 'poll', 'asyncio'):
            self.follow_events(loop)

    def follow_events(self, loop):
        wait_for = self.begin('event-test.py', '--loop', loop, self.daemon.uri)
        # It does not say when it listens.
        harness.wait_until(lambda: self.daemon.define(harness.td_xml()) and 'Defined' in (self.daemon.root / 'event-test.py.output').read_text(),
                           'an event')
        self.daemon.virsh('start', 'td')
        self.daemon.virsh('desc', 'td', '--title', 'a title')
        self.daemon.virsh('destroy', 'td')
        self.daemon.virsh('undefine', 'td')
        wait_for('Started Booted', 'Stopped Destroyed', 'Undefined Removed')

    @example('guest-vcpu-daemon.py')
    def test_guest_vcpu_daemon(self):
        self.begin('guest-vcpu-daemon.py', self.daemon.uri)('Connected to ' + self.daemon.uri)

    @example('consolecallback.py')
    def test_consolecallback(self):
        self.daemon.define(harness.td_xml())
        uuid = self.daemon.virsh('domuuid', 'td').strip()
        console = harness.Console(['env', '-C', str(self.daemon.root), PYTHON, str(path_of('consolecallback.py')), self.daemon.uri, uuid])
        self.addCleanup(console.close)
        self.assertTrue(console.expect('Escape character', harness.PATIENCE), console.text())
        self.daemon.virsh('start', 'td')
        self.assertTrue(console.expect('BdsDxe|UEFI Interactive Shell', harness.PATIENCE), console.text()[-500:])


if __name__ == '__main__':
    harness.main()
