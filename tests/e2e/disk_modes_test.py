# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks of every cache mode, a read-only one, one that gives space back, and helpers that are killed, while Debian 13's stock kernel runs as a TD."""
import os
import shutil
import signal
import subprocess

import harness
from linux_guest import LinuxTest

CACHES = {'vda': 'none', 'vdb': 'writeback', 'vdc': 'writethrough', 'vdd': 'directsync', 'vde': 'unsafe'}
THROUGH = ('writethrough', 'directsync')
MIB = 1 << 20
PROGRAMS = ('/usr/sbin/blkdiscard', '/usr/bin/fallocate', '/usr/lib/x86_64-linux-gnu/libblkid.so.1')


def disk(target, image, driver="type='raw'", inner=''):
    return f"<disk type='file'><driver name='qemu' {driver}/><source file='{image}'/><target dev='{target}' bus='virtio'/>{inner}</disk>"


def pids(pattern):
    found = subprocess.run(['pgrep', '-f', pattern], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in found.split()]


class DiskModes(LinuxTest):
    def setUp(self):
        super().setUp()
        devices = ''.join(disk(target, self.image(target, MIB), f"type='raw' cache='{cache}'") for target, cache in CACHES.items())
        devices += disk('vdf', self.image('vdf', MIB), inner='<readonly/>')
        (self.daemon.root / 'vdf').write_bytes(b'read'.ljust(MIB, b'\0'))
        self.thin = self.image('vdg', 8 * MIB)
        devices += disk('vdg', self.thin, "type='raw' discard='unmap'")
        self.qcow2 = self.daemon.root / 'vdh.qcow2'
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', self.qcow2, '8M'], check=True)
        devices += disk('vdh', self.qcow2, "type='qcow2'")
        self.define(self.make_initrd('disk_modes.sh', *PROGRAMS), devices=devices)

    def image(self, name, size):
        path = self.daemon.root / name
        with open(path, 'wb') as image:
            image.truncate(size)
        return path

    def flushes(self, target):
        """Of this disk since the TD has begun."""
        stats = [line.split() for line in self.daemon.virsh('domblkstat', 'td', target).splitlines()]
        return int(next(words[2] for words in stats if words[1:2] == ['flush_operations']))

    def storage_daemon(self):
        (pid,) = pids(f'qemu-storage-daemon .*{self.qcow2}')
        return pid

    def test_are_what_libvirt_says_and_outlive_a_storage_daemon(self):
        self.boot()
        for target, cache in CACHES.items():
            self.expect(f"{target} is write {'through' if cache in THROUGH else 'back'}")
        self.expect('vdf is read-only')
        self.expect('vdg reads zeroes')
        self.expect('vdh serves')
        for target, cache in CACHES.items():
            self.assertEqual(self.flushes(target) == 0, cache in THROUGH, cache)
        self.check_space()
        os.kill(self.storage_daemon(), signal.SIGKILL)
        self.expect('vdh fails')
        self.expect('vda serves')
        self.expect('end')
        self.assert_no_errors()
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td', '--reason').strip() == 'shut off (shutdown)', 'the TD to power off')
        self.assertIn("disk 'vdh'", self.daemon.domain_log('td'))
        self.boot()
        self.expect('vdh serves')

    def check_space(self):
        """What was discarded, and what was zeroed and could be given back, is in no block of the file; the rest is."""
        content = self.thin.read_bytes()
        self.assertEqual(content[:6 * MIB].count(0), 6 * MIB)
        self.assertLess(content[6 * MIB:].count(0), MIB)
        with open(self.thin, 'rb') as image:
            try:
                data = os.lseek(image.fileno(), 0, os.SEEK_DATA)
            except OSError as error:
                self.fail(f'nothing is left of the disk: {error}')
        self.assertGreaterEqual(data, 4 * MIB)
        self.assertLessEqual(self.thin.stat().st_blocks * 512, 5 * MIB)


class Passt(LinuxTest):
    # Passed on to passt: tells this test's from those of others.
    MTU = 1280 + os.getpid() % 200
    INTERFACE = f"<interface type='user'><backend type='passt'/><model type='virtio'/><mtu size='{MTU}'/></interface>"

    def test_that_is_killed_takes_the_link_and_not_the_td(self):
        if not shutil.which('passt'):
            self.skipTest('passt is not installed')
        self.define(self.make_initrd('link_lost.sh'), devices=self.INTERFACE)
        self.boot()
        self.expect('eth0 has ')
        for pid in pids(f'^passt.* --mtu {self.MTU}'):
            os.kill(pid, signal.SIGKILL)
        self.expect('link lost')
        self.expect('end')
        self.assert_no_errors()
        self.assertIn('has lost its connection', self.daemon.domain_log('td'))


if __name__ == '__main__':
    harness.main()
