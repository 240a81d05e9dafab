# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks of every cache mode, a read-only one, some that give space back, and helpers that are killed, while Debian 13's stock kernel runs as a TD."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

import harness
from linux_guest import LinuxTest

CACHES = {'vda': 'none', 'vdb': 'writeback', 'vdc': 'writethrough', 'vdd': 'directsync', 'vde': 'unsafe'}
THROUGH = ('writethrough', 'directsync')
MIB = 1 << 20
PROGRAMS = ('/usr/sbin/blkdiscard', '/usr/bin/fallocate', '/usr/lib/x86_64-linux-gnu/libblkid.so.1')


def disk(target, image, driver="type='raw'", inner='', kind='file'):
    source = {'file': 'file', 'block': 'dev'}[kind]
    return f"<disk type='{kind}'><driver name='qemu' {driver}/><source {source}='{image}'/><target dev='{target}' bus='virtio'/>{inner}</disk>"


def pids(pattern):
    found = subprocess.run(['pgrep', '-f', pattern], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in found.split()]


class DisksTest(LinuxTest):
    def image(self, name, size):
        path = self.daemon.root / name
        with open(path, 'wb') as image:
            image.truncate(size)
        return path

    def flushes(self, target):
        """That the guest has asked of this disk since it began."""
        stats = [line.split() for line in self.daemon.virsh('domblkstat', 'td', target).splitlines()]
        return int(next(words[2] for words in stats if words[1:2] == ['flush_operations']))


class DiskModes(DisksTest):
    def setUp(self):
        super().setUp()
        devices = ''.join(disk(target, self.image(target, MIB), f"type='raw' cache='{cache}'") for target, cache in CACHES.items())
        devices += disk('vdf', self.image('vdf', MIB), "type='raw' event_idx='off'", inner='<readonly/>')
        (self.daemon.root / 'vdf').write_bytes(b'read'.ljust(MIB, b'\0'))
        self.thin = self.image('vdg', 8 * MIB)
        devices += disk('vdg', self.thin, "type='raw' discard='unmap'")
        self.qcow2 = self.daemon.root / 'vdh.qcow2'
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', self.qcow2, '8M'], check=True)
        devices += disk('vdh', self.qcow2, "type='qcow2' discard='unmap'")
        self.define(self.make_initrd('disk_modes.sh', *PROGRAMS), devices=devices)

    def storage_daemon(self):
        (pid,) = pids(f'qemu-storage-daemon .*{self.qcow2}')
        return pid

    def test_are_what_libvirt_says_and_outlive_a_storage_daemon(self):
        self.boot()
        for target, cache in CACHES.items():
            self.expect(f"{target} is write {'through' if cache in THROUGH else 'back'}")
        self.expect('vdf is read-only')
        self.expect('vdg reads zeroes')
        self.expect('vdh reads zeroes')
        self.expect('vdh serves')
        for target, cache in CACHES.items():
            self.assertEqual(self.flushes(target) == 0, cache in THROUGH, cache)
        self.check_space()
        self.check_space_in_qcow2()
        # The guest keeps the file that its disk has open.
        os.unlink(self.daemon.root / 'vda')
        os.kill(self.storage_daemon(), signal.SIGKILL)
        self.expect('vdh fails')
        self.expect('vda serves')
        self.expect('end')
        self.assert_no_errors()
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td', '--reason').strip() == 'shut off (shutdown)', 'the TD to power off')
        self.assertIn("disk 'vdh'", self.daemon.domain_log('td'))
        self.assertRegex(self.daemon.virsh_error('start', 'td'), "disk 'vda'.*No such file")
        self.image('vda', MIB)
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

    def check_space_in_qcow2(self):
        """The same by the format's own map, and by the blocks of its file; what was zeroed for good keeps its place."""
        mapped = subprocess.run(['qemu-img', 'map', '--force-share', '--output=json', self.qcow2], check=True, capture_output=True, text=True).stdout
        extents = json.loads(mapped)
        kept = [extent for extent in extents if not extent['zero']]
        self.assertEqual((kept[0]['start'], sum(extent['length'] for extent in kept)), (6 * MIB, 2 * MIB), mapped)
        self.assertEqual(sum(extent['length'] for extent in extents if 'offset' not in extent), 4 * MIB, mapped)
        self.assertLessEqual(self.qcow2.stat().st_blocks * 512, 5 * MIB)


class Flushes(DisksTest):
    """That each flush of the guest reaches what the image lies on, seen from below it: images are block devices, whose flushes the host's kernel
    counts, and fdatasync and io_uring's fsync end in one. With cache='unsafe' none does, though the guest asks; where the disk is write-through,
    none is asked, and what is written is durable all the same. Not seen: what a file system makes of fdatasync, and that the guest's answer waits
    for it."""
    ROUNDS = 3
    DISKS = {target: ('raw', cache) for target, cache in CACHES.items()}
    DISKS |= {'vdf': ('qcow2', 'none'), 'vdg': ('qcow2', 'writeback'), 'vdh': ('qcow2', 'writethrough'), 'vdi': ('qcow2', 'unsafe')}

    def setUp(self):
        super().setUp()
        self.devices = {target: self.device(target, kind) for target, (kind, _) in self.DISKS.items()}
        self.define(self.make_initrd('flushes.sh'), f"disks={','.join(self.DISKS)} rounds={self.ROUNDS}", ''.join(
            disk(target, self.devices[target], f"type='{kind}' cache='{cache}'", kind='block') for target, (kind, cache) in self.DISKS.items()))

    def device(self, target, kind):
        device = harness.make_loop_device(self, self.image(target, 4 * MIB))
        if not device:
            self.skipTest('no loop device, whose flushes could be counted, can be had here')
        if kind == 'qcow2':
            subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', device, '2M'], check=True)
        return device

    def host_flushes(self):
        """By disk (Linux: Documentation/block/stat.rst, "flush I/Os")."""
        return {target: int(pathlib.Path(f'/sys/block/{pathlib.Path(device).name}/stat').read_text().split()[15])
                for target, device in self.devices.items()}

    def test_reach_the_host_s_device_unless_they_may_be_lost(self):
        before = self.host_flushes()
        self.boot()
        self.expect('waits at')
        host = {target: count - before[target] for target, count in self.host_flushes().items()}
        for target, (kind, cache) in self.DISKS.items():
            self.check(kind, cache, self.flushes(target), host[target])
        self.daemon.virsh('shutdown', 'td')
        self.expect('end')
        self.assert_no_errors()

    def check(self, kind, cache, guest, host):
        found = f"{kind}, cache='{cache}': the guest asked {guest} times, the host's device flushed {host} times"
        if cache in THROUGH:
            self.assertEqual(guest, 0, found)
        else:
            self.assertGreaterEqual(guest, self.ROUNDS, found)
        if cache == 'unsafe':
            self.assertEqual(host, 0, found)
        elif kind == 'raw' and cache not in THROUGH:
            self.assertEqual(host, guest, found)
        else:
            self.assertGreaterEqual(host, self.ROUNDS, found)


class Passt(LinuxTest):
    # Passed on to passt: tells this test's from those of others.
    MTU, MAC = 1280 + os.getpid() % 200, '52:54:00:0a:0b:0f'
    INTERFACE = f"<interface type='user'><mac address='{MAC}'/><backend type='passt'/><model type='virtio'/><mtu size='{MTU}'/></interface>"

    def test_that_is_killed_takes_the_link_and_not_the_td(self):
        if not shutil.which('passt'):
            self.skipTest('passt is not installed')
        self.define(self.make_initrd('link_lost.sh'), devices=self.INTERFACE)
        self.boot()
        self.expect('eth0 has ')
        for pid in pids(f'^passt.* --mtu {self.MTU}'):
            os.kill(pid, signal.SIGKILL)
        self.expect('link lost')
        self.expect('waits at')
        self.assertIn('down', self.daemon.virsh('domif-getlink', 'td', self.MAC))
        self.assertIn('cannot go up', self.daemon.virsh_error('domif-setlink', 'td', self.MAC, 'up'))
        self.daemon.virsh('shutdown', 'td', '--mode', 'acpi')
        self.expect('link of the end: 0')
        self.expect('end')
        self.assert_no_errors()
        self.assertIn('has lost its connection', self.daemon.domain_log('td'))


if __name__ == '__main__':
    harness.main()
