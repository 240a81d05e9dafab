# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's RPC by hand, for tests that look at bytes: frames, calls, errors, and virttdxd with a fake monitor."""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

DAEMON, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
PATIENCE = 60
REMOTE, QEMU, KEEPALIVE = 0x20008086, 0x20008087, 0x6b656570
CALL, REPLY, MESSAGE, STREAM, CALL_WITH_FDS = range(5)
OK, ERROR, CONTINUE = 0, 1, 2


def text(value):
    data = value.encode()
    return struct.pack('>I', len(data)) + data + b'\0' * (-len(data) % 4)


def frame(procedure, payload=b'', serial=0, program=REMOTE, version=1, kind=CALL, status=OK):
    return struct.pack('>IIIiIII', 28 + len(payload), program, version, procedure, kind, serial, status) + payload


def receive(peer, size):
    data = b''
    while len(data) < size:
        part = peer.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def read_frame(peer):
    length, = struct.unpack('>I', receive(peer, 4))
    header = struct.unpack('>IIiIII', receive(peer, 24))
    return header, receive(peer, length - 28)


class WireTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix='virttdxd-'))
        cls.log_path = cls.root / 'log'
        cls.prepare()
        with open(cls.log_path, 'wb') as log:
            cls.daemon = subprocess.Popen(
                [DAEMON, '--host', 'soft', '--root', cls.root], stderr=log,
                env={**os.environ, 'VIRTTDX_VMM': str(SOURCE / 'tests/driver/fake_monitor.py'),
                     'VIRTTDX_FAKE_HOST': str(SOURCE / 'tests/data/plan/soft.host.json')})
        deadline = time.monotonic() + PATIENCE
        while 'listens on' not in cls.log_path.read_text():
            assert time.monotonic() < deadline and cls.daemon.poll() is None, cls.log_path.read_text()
            time.sleep(0.01)

    @classmethod
    def prepare(cls):
        """Before the daemon starts."""

    @classmethod
    def tearDownClass(cls):
        cls.daemon.kill()
        cls.daemon.wait()
        shutil.rmtree(cls.root, True)

    def tearDown(self):
        # Whatever a client did: the daemon lives and serves the next one.
        self.assertIsNone(self.daemon.poll(), self.log_path.read_text())
        self.open()

    def connect(self, suffix=''):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(self.root / f'run/libvirt/virttdxd-sock{suffix}'))
        self.addCleanup(client.close)
        return client

    def open(self, suffix=''):
        client = self.connect(suffix)
        self.assertEqual(self.call(client, 1, b'\0\0\0\1' + text('tdx:///system') + b'\0' * 4), (OK, b''))
        return client

    def receive(self, client, size):
        return receive(client, size)

    def read_frame(self, client):
        return read_frame(client)

    def call(self, client, procedure, payload=b'', **header):
        client.sendall(frame(procedure, payload, **header))
        (program, _, number, kind, serial, status), answer = self.read_frame(client)
        self.assertEqual((program, number, kind, serial),
                         (header.get('program', REMOTE), procedure, REPLY, header.get('serial', 0)))
        return status, answer

    def assert_error(self, answer, code, message):
        status, payload = answer
        self.assertEqual(status, ERROR)
        found, _, present, length = struct.unpack('>iiII', payload[:16])
        self.assertEqual((found, present), (code, 1), payload)
        self.assertIn(message, payload[16:16 + length].decode())

    def assert_closed(self, client):
        with self.assertRaises((EOFError, ConnectionResetError)):
            while True:
                self.read_frame(client)


class TapResult(unittest.TestResult):
    def stopTest(self, test):
        super().stopTest(test)
        bad = [trace for failed, trace in self.failures + self.errors if failed is test]
        for line in '\n'.join(bad).splitlines():
            print('# ' + line)
        skipped = ''.join(f' # SKIP {reason}' for known, reason in self.skipped if known is test)
        print(('not ok ' if bad else 'ok ') + f'{self.testsRun} {test.id().removeprefix("__main__.")}{skipped}', flush=True)


def main():
    tests = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    if len(sys.argv) > 3:
        tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[3:], sys.modules['__main__'])
    print(f'1..{tests.countTestCases()}')
    result = TapResult()
    tests.run(result)
    sys.stdout.flush()
    os._exit(0 if result.wasSuccessful() else 1)
