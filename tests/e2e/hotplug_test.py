# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks and interfaces that come and go while Debian 13's stock kernel runs as a TD and uses them, by virsh."""
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
from linux_guest import LinuxTest

PORT = "<controller type='pci' model='pcie-root-port'/>"


class Disks(LinuxTest):
    def setUp(self):
        super().setUp()
        self.disk = self.daemon.root / 'disk.img'
        harness.make_ext4(self.disk, '32M')
        self.qcow2 = self.daemon.root / 'disk.qcow2'
        self.convert(self.disk, 'raw', self.qcow2, 'qcow2')
        self.define(self.make_initrd('hotplug.sh'), devices=PORT)

    @staticmethod
    def convert(source, source_format, target, target_format):
        subprocess.run(['qemu-img', 'convert', '-f', source_format, '-O', target_format, source, target], check=True)

    def log_of_td(self):
        return (self.daemon.root / 'var/log/libvirt/tdx/td.log').read_text()

    def written(self):
        return subprocess.run(['debugfs', '-R', 'cat /written.txt', self.disk], check=True, capture_output=True, text=True,
                              env=harness.ENVIRONMENT).stdout

    def attach(self, image, image_format):
        self.daemon.virsh('attach-disk', 'td', image, 'vda', '--targetbus', 'virtio', '--subdriver', image_format, '--live')

    def storage_daemons(self):
        """The commands that have the image of format qcow2."""
        return subprocess.run(['pgrep', '-fa', f'qemu-storage-daemon .*{self.qcow2}'], capture_output=True, text=True, check=False).stdout

    def test_a_disk_that_came_is_there_after_a_reset(self):
        self.boot()
        self.expect('waiting for the first disk')
        self.attach(self.qcow2, 'qcow2')
        self.expect('first disk unmounted')
        self.daemon.virsh('reset', 'td')
        self.expect('waiting for the first disk')
        self.expect('first disk unmounted')
        self.assertIn('vda', self.daemon.virsh('domblklist', 'td'))
        storage_daemon = self.storage_daemons().split()[0]
        self.assertTrue(os.path.samefile(f'/proc/{storage_daemon}/fd/2', self.daemon.root / 'var/log/libvirt/tdx/td.log'))
        self.daemon.virsh('destroy', 'td')
        harness.wait_until(lambda: not self.storage_daemons(), 'the storage daemon to end with its TD')

    def test_what_no_storage_daemon_can_open_is_refused_with_its_words(self):
        self.boot()
        self.expect('waiting for the first disk')
        error = self.daemon.virsh_error('attach-disk', 'td', self.disk, 'vda', '--targetbus', 'virtio', '--subdriver', 'qcow2', '--live')
        self.assertIn("disk 'vda': qemu-storage-daemon exited with status 1", error)
        self.assertIn('Image is not in qcow2 format', error)
        self.assertNotIn('vda', self.daemon.virsh('domblklist', 'td'))
        self.assertIn('Image is not in qcow2 format', self.log_of_td())

    def test_a_disk_comes_is_used_goes_and_comes_again(self):
        self.boot()
        for turn, image, image_format in (('first', self.disk, 'raw'), ('second', self.qcow2, 'qcow2')):
            self.expect(f'waiting for the {turn} disk')
            self.attach(image, image_format)
            self.assertEqual(bool(self.storage_daemons()), image_format == 'qcow2')
            self.expect(f'{turn} disk holds from the disk')
            self.assertIn('vda', self.daemon.virsh('domblklist', 'td'))
            self.expect(f'{turn} disk unmounted')
            self.daemon.virsh('detach-disk', 'td', 'vda', '--live')
            self.expect(f'{turn} disk gone')
            harness.wait_until(lambda: 'vda' not in self.daemon.virsh('domblklist', 'td'), 'the disk to be gone')
            harness.wait_until(lambda: not self.storage_daemons(), 'the storage daemon to end')
            if image_format == 'qcow2':
                self.convert(self.qcow2, 'qcow2', self.disk, 'raw')
            self.assertEqual(self.written(), f'written in the {turn} turn\n')
        self.expect('end')
        self.assert_no_errors()


class Interfaces(LinuxTest):
    MAC = '52:54:00:0a:0b:0c'

    def attach(self, kind, inner=''):
        path = self.daemon.root / 'interface.xml'
        path.write_text(f"<interface type='{kind}'><mac address='{self.MAC}'/>{inner}<model type='virtio'/></interface>")
        self.daemon.virsh('attach-device', 'td', path, '--live')

    def detach(self, kind):
        self.daemon.virsh('detach-interface', 'td', kind, '--mac', self.MAC, '--live')
        harness.wait_until(lambda: self.MAC not in self.daemon.virsh('domiflist', 'td'), 'the interface to be gone')

    def host_device(self):
        return self.daemon.virsh('domiflist', 'td').split(self.MAC)[0].split('\n')[-1].split()[0]

    @staticmethod
    def ip(*words):
        subprocess.run(['ip', *words], check=True, env=harness.ENVIRONMENT)

    def assert_vhost_is_used(self):
        """Where the kernel has vhost-net, it moves the packets."""
        if not os.access('/dev/vhost-net', os.R_OK | os.W_OK):
            return
        monitors = subprocess.run(['pgrep', '-f', f'virttdx-vmm .*{self.daemon.root}'], capture_output=True, text=True, check=True).stdout.split()
        opened = [os.readlink(link) for monitor in monitors for link in pathlib.Path(f'/proc/{monitor}/fd').iterdir()]
        self.assertIn('/dev/vhost-net', opened)

    @unittest.skipUnless(shutil.which('passt'), 'passt is not installed')
    def test_of_passt_comes_is_used_goes_and_comes_again(self):
        self.define(self.make_initrd('hotplug_interface.sh'), 'turns=dhcp,dhcp', PORT)
        self.boot()
        self.expect('waiting for dhcp')
        self.attach('user')
        self.expect(f'{self.MAC} has ')
        self.assertRegex(self.daemon.virsh('domifstat', 'td', self.MAC), r'rx_bytes [1-9]')
        self.detach('user')
        self.expect('dhcp gone')
        self.expect('waiting for dhcp')
        self.attach('user')
        self.expect(f'{self.MAC} has ')
        self.detach('user')
        self.expect('end')
        self.assert_no_errors()

    def test_on_a_tap_device_comes_is_there_after_a_reset_and_goes(self):
        self.define(self.make_initrd('hotplug_interface.sh'), 'turns=static', PORT)
        self.boot()
        self.expect('waiting for static')
        try:
            self.attach('ethernet')
        except harness.Failed as failed:
            self.assertIn('tap device', str(failed))
            self.skipTest(f'no tap device can be made here: {failed}')
        self.ip('address', 'add', '198.51.100.1/30', 'dev', self.host_device())
        self.expect(f'{self.MAC} reaches the host')
        self.assert_vhost_is_used()
        self.daemon.virsh('reset', 'td')
        self.expect('waiting for static')
        self.expect(f'{self.MAC} reaches the host')
        device = self.host_device()
        self.detach('ethernet')
        self.expect('static gone')
        self.assertFalse(pathlib.Path(f'/sys/class/net/{device}').exists())
        self.expect('end')
        self.assert_no_errors()

    def make_veth(self):
        """A pair of the test's own: the name of the first, whose peer has the address that the guest looks for."""
        names = [f'vtdx{os.getpid() % 100000}{end}' for end in 'ab']
        made = subprocess.run(['ip', 'link', 'add', names[0], 'type', 'veth', 'peer', names[1]], capture_output=True, text=True, check=False,
                              env=harness.ENVIRONMENT)
        if made.returncode != 0:
            self.skipTest(f'no pair of devices can be made here: {made.stderr}')
        self.addCleanup(self.ip, 'link', 'delete', names[0])
        self.ip('address', 'add', '198.51.100.1/30', 'dev', names[1])
        for name in names:
            self.ip('link', 'set', name, 'up')
        return names[0]

    def test_on_a_macvtap_device_is_there_from_the_start_goes_and_comes_again(self):
        inner = f"<source dev='{self.make_veth()}' mode='bridge'/>"
        self.define(self.make_initrd('hotplug_interface.sh'), 'turns=static,static',
                    f"{PORT}<interface type='direct'><mac address='{self.MAC}'/>{inner}<model type='virtio'/></interface>")
        try:
            self.boot()
        except harness.Failed as failed:
            self.assertIn('macvtap', str(failed))
            self.skipTest(f'no macvtap device can be made here: {failed}')
        self.expect(f'{self.MAC} reaches the host')
        self.assert_vhost_is_used()
        self.assertRegex(self.daemon.virsh('domifstat', 'td', self.MAC), r'rx_bytes [1-9]')
        device = self.host_device()
        self.assertEqual(pathlib.Path(f'/sys/class/net/{device}/address').read_text().strip(), self.MAC)
        self.detach('direct')
        self.expect('static gone')
        self.assertFalse(pathlib.Path(f'/sys/class/net/{device}').exists())
        self.expect('waiting for static')
        self.attach('direct', inner)
        self.expect(f'{self.MAC} reaches the host')
        self.assert_vhost_is_used()
        self.assert_no_errors()
        device = self.host_device()
        self.daemon.virsh('destroy', 'td')
        self.assertFalse(pathlib.Path(f'/sys/class/net/{device}').exists())


if __name__ == '__main__':
    harness.main()
