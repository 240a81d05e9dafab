# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that grow, fill up and are limited, and a channel that the guest opens, while Debian 13's stock kernel runs as a TD."""
import os
import pathlib
import subprocess
import unittest

import harness
from linux_guest import LinuxTest

DEVICES = """
    <disk type='file'><driver name='qemu' type='raw'/><source file='{small}'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file'><driver name='qemu' type='qcow2'/><source file='{image}'/><target dev='vdb' bus='virtio'/></disk>
    <channel type='unix'><target type='virtio' name='org.example.0'/></channel>
  """
MIB = 1 << 20


class Storage(LinuxTest):
    def setUp(self):
        super().setUp()
        self.full = pathlib.Path(self.daemon.root / 'full')
        self.full.mkdir()
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=12m', 'none', self.full], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            raise unittest.SkipTest(f'a tmpfs cannot be mounted: {mounted.stderr}')
        self.addCleanup(subprocess.run, ['umount', '--lazy', self.full], check=True)
        small, image = self.full / 'disk.img', self.daemon.root / 'disk.qcow2'
        with open(small, 'wb') as disk:
            disk.truncate(8 * MIB)
        (self.full / 'other').write_bytes(bytes(8 * MIB))
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', image, '16M'], check=True)
        self.define(self.make_initrd('storage.sh'), devices=DEVICES.format(small=small, image=image))

    def test_grows_fills_up_and_goes_on(self):
        virsh = self.daemon.virsh
        virsh('start', 'td', '--paused')
        self.console = self.open_console()
        self.assertIn("state='disconnected'", virsh('dumpxml', 'td'))
        virsh('resume', 'td')
        self.expect('vdb has 32768 sectors')
        self.assertIn("state='connected'", virsh('dumpxml', 'td'))
        virsh('blockresize', 'td', 'vdb', '32M')
        self.expect('vdb has 65536 sectors now')
        self.expect('channel closed')
        harness.wait_until(lambda: "state='disconnected'" in virsh('dumpxml', 'td'), 'the channel to be closed')
        virsh('blkdeviotune', 'td', 'vda', '--write-bytes-sec', str(64 * MIB), '--live')
        harness.wait_until(lambda: virsh('domstate', 'td', '--reason').strip() == 'paused (I/O error)', 'the disk to be full')
        self.assertEqual(virsh('domblkerror', 'td').split(), ['vda:', 'no', 'space'])
        os.unlink(self.full / 'other')
        virsh('resume', 'td')
        self.expect('vda read back')
        self.expect('end')
        self.assertNotIn(b'guest: error', self.console.text())


if __name__ == '__main__':
    harness.main()
