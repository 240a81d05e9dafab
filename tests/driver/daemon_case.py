# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdxd with a fake monitor, in a folder of its own, for tests with real clients (virsh, python-libvirt).

A program of such tests is run as: PROGRAM VIRTTDXD SOURCE_ROOT [TEST...]
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    import libvirt
except ImportError:
    print('1..0 # SKIP python-libvirt is not installed')
    sys.exit(0)

DAEMON, SOURCE = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
PATIENCE = 60
XML = (SOURCE / 'docs/examples/td.xml').read_text()

libvirt.registerErrorHandler(lambda *_: None, None)
libvirt.virEventRegisterDefaultImpl()


def event_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=event_loop, daemon=True).start()


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f'waited {PATIENCE} s for {what}')
        time.sleep(0.01)


class DaemonTest(unittest.TestCase):
    OPTIONS = ()  # of the command line, besides those that a private daemon needs

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='virttdxd-'))
        self.addCleanup(shutil.rmtree, self.root, True)
        self.log_path = self.root / 'log'
        self.daemon = None
        self.start_daemon()
        self.addCleanup(self.end_monitors)
        self.addCleanup(self.kill_daemon)
        self.connection = self.connect()
        self.events = []

    def start_daemon(self, **environment):
        with open(self.log_path, 'ab') as log:
            self.daemon = subprocess.Popen(
                [DAEMON, '--host', 'soft', '--root', self.root, *self.OPTIONS], stderr=log, stdout=log,
                env={**os.environ, 'VIRTTDX_VMM': str(SOURCE / 'tests/driver/fake_monitor.py'), 'VIRTTDX_FAKE_TOLD': str(self.root / 'told'),
                     'VIRTTDX_FAKE_HOST': str(SOURCE / 'tests/data/plan/soft.host.json'), **environment})
        wait_until(lambda: 'listens on' in self.log_path.read_text() or self.daemon.poll() is not None, 'the daemon')
        self.assertIsNone(self.daemon.poll(), self.log_path.read_text())

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()
        self.log_path.write_text('')

    def restart_daemon(self, **environment):
        self.kill_daemon()
        self.start_daemon(**environment)
        self.connection = self.connect()

    def end_monitors(self):
        for status in (self.root / 'run/libvirt/tdx').glob('*.xml'):
            pid = re.search(r"pid='([1-9]\d*)'", status.read_text())
            if pid:
                try:
                    os.kill(int(pid[1]), signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def uri(self, suffix=''):
        return f'tdx:///system?socket={self.root}/run/libvirt/virttdxd-sock{suffix}'

    def connect(self):
        """Of a thread's own: libvirt's client before 10.0 may not notice that another one wants to talk while it waits."""
        return libvirt.open(self.uri())

    def define(self, name='td', xml=XML):
        return self.connection.defineXML(xml.replace('<name>td</name>', f'<name>{name}</name>'))

    def record_events(self):
        def lifecycle(_connection, domain, event, detail, _opaque):
            self.events.append((event, detail, domain.ID()))

        def reboot(_connection, domain, _opaque):
            self.events.append(('reboot', domain.ID()))

        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, reboot, None)

    def expect_events(self, *expected):
        wait_until(lambda: len(self.events) >= len(expected), f'events {expected}, have {self.events}')
        self.assertEqual(self.events, list(expected))
        self.events.clear()

    def record_tunables(self):
        """What has been changed of running domains, as events tell it."""
        told = []
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_TUNABLE,
                                               lambda _connection, _domain, tunables, _opaque: told.append(tunables), None)
        return told

    def monitor_told(self, command, name='td'):
        """The arguments of such commands to a domain's fake monitor."""
        lines = map(json.loads, (self.root / 'told').read_text().splitlines())
        return [arguments for domain, told, arguments in lines if (domain, told) == (name, command)]

    def assert_error(self, code, message, function, *arguments):
        with self.assertRaises(libvirt.libvirtError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.get_error_code(), code, caught.exception)
        self.assertIn(message, caught.exception.get_error_message())

    def virsh(self, *arguments):
        done = subprocess.run(['virsh', '-c', self.uri(), *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class TapResult(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.failed, self.skipped_because = False, ''

    def addError(self, test, err):
        super().addError(test, err)
        self.fail(test, self.errors)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fail(test, self.failures)

    def fail(self, test, traces):
        self.failed = True
        print('\n'.join('# ' + line for line in traces[-1][1].splitlines()))
        log = test.log_path.read_text() if test.log_path.exists() else ''
        print('\n'.join('# log: ' + line for line in log.splitlines()[-20:]))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skipped_because = f' # SKIP {reason}'

    def stopTest(self, test):
        super().stopTest(test)
        name = test.id().removeprefix('__main__.')
        print(('not ok ' if self.failed else 'ok ') + f'{self.testsRun} {name}{self.skipped_because}', flush=True)


def read_stream(stream, size):
    """Up to `size` bytes, fewer at the stream's end. The stream is of VIR_STREAM_NONBLOCK: with an event loop in another thread libvirt's blocking
    virStreamRecv may wait for what that thread has taken between its look and its wait (virNetClientStreamRecvPacket)."""
    data = b''

    def has_ended():
        nonlocal data
        part = stream.recv(size - len(data))
        if part == -2:
            return False
        data += part
        return part == b'' or len(data) == size
    wait_until(has_ended, f'{size} bytes of a stream')
    return data


def main():
    tests = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    if len(sys.argv) > 3:
        tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[3:], sys.modules['__main__'])
    print(f'1..{tests.countTestCases()}')
    result = TapResult()
    tests.run(result)
    sys.stdout.flush()
    os._exit(0 if result.wasSuccessful() else 1)
