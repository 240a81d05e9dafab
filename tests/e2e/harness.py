# SPDX-License-Identifier: GPL-2.0-or-later
"""A private virttdxd on the software TDX host, stock clients against it, and a TAP reporter for unittest.

Environment: VIRTTDX_BUILD (build directory), VIRTTDX_SOURCE (source root).
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(os.environ['VIRTTDX_BUILD'])
SOURCE = pathlib.Path(os.environ['VIRTTDX_SOURCE'])
FIRMWARE = pathlib.Path('/usr/share/ovmf/OVMF.fd')
MRTD_OF_DEBIAN_12 = '4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47'
# Bounds a hang; never a measure of speed.
PATIENCE = int(os.environ.get('VIRTTDX_PATIENCE', 240))

sys.path.insert(0, str(SOURCE / 'tools'))
from console_expect import Console  # noqa: E402


# Programs of system administration too.
ENVIRONMENT = os.environ | {'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}


class Failed(Exception):
    """A client command that exited with an error."""


class Daemon:
    """virttdxd with directories of its own below a temporary one."""

    def __init__(self, host='soft', config=''):
        self.host = host
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-e2e-'))
        (self.root / 'etc/libvirt').mkdir(parents=True)
        (self.root / 'etc/libvirt/virttdxd.conf').write_text(config)
        self.socket = self.root / 'run/libvirt/virttdxd-sock'
        self.process = None
        self.start()

    @property
    def uri(self):
        return f'tdx:///system?socket={self.socket}'

    @property
    def read_only_uri(self):
        return f'tdx:///system?socket={self.socket}-ro'

    def start(self):
        with open(self.root / 'virttdxd.log', 'ab') as log:
            self.process = subprocess.Popen([BUILD / 'driver/virttdxd', '--host', self.host, '--root', self.root],
                                            stderr=log, start_new_session=True)
        wait_until(lambda: self.process.poll() is not None or self.answers(), 'the daemon to answer')
        if self.process.poll() is not None:
            raise Failed(self.log())

    def answers(self):
        return self.socket.exists() and self.try_virsh('uri')[0] == 0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log(self):
        return (self.root / 'virttdxd.log').read_text(errors='replace')

    def domain_log(self, name):
        return (self.root / f'var/log/libvirt/tdx/{name}.log').read_text(errors='replace')

    def try_virsh(self, *arguments, uri=None):
        """(exit status, standard output, standard error) of virsh."""
        done = subprocess.run(['virsh', '-c', uri or self.uri, *map(str, arguments)], capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def virsh(self, *arguments):
        status, output, error = self.try_virsh(*arguments)
        if status != 0:
            raise Failed(f'virsh {" ".join(map(str, arguments))}: {error.strip()}')
        return output

    def virsh_error(self, *arguments):
        """The error text of a virsh command that must fail."""
        status, output, error = self.try_virsh(*arguments)
        if status == 0:
            raise Failed(f'virsh {" ".join(map(str, arguments))} succeeded: {output.strip()}')
        return error

    def console(self, name, *options):
        return Console(['virsh', '-c', self.uri, 'console', name, *options])

    def define(self, xml):
        path = self.root / 'input.xml'
        path.write_text(xml)
        return self.virsh('define', path)

    def stop(self):
        try:
            if self.process.poll() is None:
                for name in self.virsh('list', '--name').split():
                    self.try_virsh('destroy', name)
                self.process.terminate()
                self.process.wait(PATIENCE)
        finally:
            shutil.rmtree(self.root, ignore_errors=True)


def wait_until(condition, what):
    """Polls until condition() is true; PATIENCE bounds it."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Failed(f'gave up waiting for {what}')
        time.sleep(0.05)


def make_ext4(image, size, hello='from the disk'):
    """An image of a file system that has a file hello.txt."""
    with tempfile.TemporaryDirectory(prefix='virttdx-ext4-') as content:
        (pathlib.Path(content) / 'hello.txt').write_text(hello)
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-d', content, image, size], check=True, env=ENVIRONMENT, capture_output=True)


def make_loop_device(test, backing):
    """A block device of the file's, until the test ends; None where this machine lets us have none."""
    if not shutil.which('losetup', path=ENVIRONMENT['PATH']) or os.geteuid() != 0:
        return None
    made = subprocess.run(['losetup', '--find', '--show', backing], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if made.returncode != 0:
        return None
    device = made.stdout.strip()
    test.addCleanup(subprocess.run, ['losetup', '--detach', device], check=False, env=ENVIRONMENT)
    return device


def td_xml(name='td', uuid=None, firmware=FIRMWARE, **replace):
    """The example domain with another name; replace maps text to text."""
    xml = (SOURCE / 'docs/examples/td.xml').read_text()
    xml = xml.replace('<name>td</name>', f'<name>{name}</name>' + (f'<uuid>{uuid}</uuid>' if uuid else ''))
    xml = xml.replace(str(FIRMWARE), str(firmware))
    for old, new in replace.get('text', {}).items():
        if old not in xml:
            raise Failed(f'{old!r} is not in the example domain')
        xml = xml.replace(old, new)
    return xml


class DaemonTest(unittest.TestCase):
    """A fresh daemon for each test."""

    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.stop)

    def open_console(self, *options, name='td'):
        """A console that takes input: virsh discards what comes before it has set up its terminal."""
        console = self.daemon.console(name, *options)
        self.addCleanup(console.close)
        self.assertTrue(console.expect('Escape character', PATIENCE), console.text())
        return console

    def boot_to_shell(self, name='td'):
        console = self.open_console(name=name)
        self.assertTrue(console.expect('UEFI Interactive Shell', PATIENCE), console.text()[-500:])
        self.assertTrue(console.expect('Shell> ', PATIENCE), console.text()[-500:])
        return console


class TapResult(unittest.TestResult):
    """Test Anything Protocol on standard output."""

    def startTest(self, test):
        super().startTest(test)
        self.number = self.testsRun

    def line(self, verdict, test, note=''):
        print(f'{verdict} {self.number} - {test.id().split(".", 1)[1]}{note}', flush=True)

    def addSuccess(self, test):
        self.line('ok', test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line('ok', test, f' # SKIP {reason}')

    def bad(self, test, err):
        self.line('not ok', test)
        for text in self._exc_info_to_string(err, test).splitlines():
            print(f'# {text}', flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.bad(test, err)


def main(module='__main__'):
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    if not FIRMWARE.exists():
        print(f'1..0 # SKIP {FIRMWARE} is absent: install ovmf')
        return
    print(f'1..{suite.countTestCases()}', flush=True)
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
