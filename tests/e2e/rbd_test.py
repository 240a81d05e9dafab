# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk and a config drive on Ceph as Nova has them: a user's key in a private secret of libvirtd's, the images served by qemu-storage-daemon to a TD with
Debian 13's stock kernel."""
import pathlib
import subprocess
import unittest

import ceph_cluster
import harness
from libvirtd_beside import begin_libvirtd, skip_unless_possible
from linux_guest import LinuxTest

DRIVER = pathlib.Path('/usr/lib/x86_64-linux-gnu/qemu/block-rbd.so')
SECRET_UUID = '11111111-2222-3333-4444-555555555555'
SECRET = f"<secret ephemeral='no' private='yes'><uuid>{SECRET_UUID}</uuid><usage type='ceph'><name>client.nova secret</name></usage></secret>"
DISK = f"""
    <disk type='network'><driver name='qemu' type='raw' cache='writeback' discard='unmap'/>
      <auth username='nova'><secret type='ceph' uuid='{SECRET_UUID}'/></auth>
      <source protocol='rbd' name='vms/disk'><host name='127.0.0.1' port='{{port}}'/></source><target dev='vda' bus='virtio'/></disk>
  """
CONFIG_DRIVE = DISK.replace("type='network'", "type='network' device='cdrom'").replace('vms/disk', 'vms/disk.config').replace(
    "dev='vda' bus='virtio'", "dev='sda' bus='sata'")


class Rbd(LinuxTest):
    def setUp(self):
        skip_unless_possible()
        reason = ceph_cluster.missing() or (None if DRIVER.exists() else f'{DRIVER} is absent: install qemu-block-extra')
        if reason:
            raise unittest.SkipTest(reason)
        super().setUp()
        begin_libvirtd(self)
        self.cluster = ceph_cluster.CephCluster(self.daemon.root / 'ceph')
        self.addCleanup(self.cluster.end)
        self.disk = self.daemon.root / 'disk.img'
        harness.make_ext4(self.disk, '64M')
        key = self.cluster.make_pool('vms', 'nova')
        self.cluster.run('rbd', 'import', self.disk, 'vms/disk')
        self.make_secret(key)

    def make_secret(self, key):
        xml, value = self.daemon.root / 'secret.xml', self.daemon.root / 'secret'
        xml.write_text(SECRET)
        value.write_text(key)
        self.daemon.virsh('secret-define', xml)
        self.daemon.virsh('secret-set-value', SECRET_UUID, '--file', value)

    def test_is_read_and_written(self):
        self.define(self.make_initrd('disk.sh'), devices=DISK.format(port=self.cluster.port))
        self.boot()
        self.expect('hello from the disk')
        self.expect('read back')
        self.expect('unmounted')
        self.expect('end')
        self.assert_no_errors()
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td').strip() == 'shut off', 'the power-off')
        written = self.daemon.root / 'written.img'
        self.cluster.run('rbd', 'export', 'vms/disk', written)
        checked = subprocess.run(['e2fsck', '-f', '-n', written], capture_output=True, text=True, check=False, env=harness.ENVIRONMENT)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertNotEqual(written.read_bytes(), self.disk.read_bytes())

    def test_holds_a_config_drive(self):
        content, image = self.daemon.root / 'drive.txt', self.daemon.root / 'disk.config'
        content.write_text('what Nova says')
        subprocess.run(['genisoimage', '-quiet', '-r', '-o', image, content], check=True, capture_output=True)
        self.cluster.run('rbd', 'import', image, 'vms/disk.config')
        self.define(self.make_initrd('cdrom.sh'), 'drives=sr0', CONFIG_DRIVE.format(port=self.cluster.port))
        self.boot()
        self.expect('sr0 holds what Nova says')
        self.expect('end')
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
