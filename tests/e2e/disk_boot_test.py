# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD that virsh starts and that boots from its disk as cloud images do: firmware, GRUB or systemd-boot, Debian 13's stock kernel,
root file system on virtio-blk; then a reboot from inside and a power-off, as clients see them."""
import filecmp
import os
import re

import libvirt

import harness
from lifecycle_events import LifecycleEvents
from linux_disk import MIB, DiskMaker, run, skip_without
from linux_guest import LinuxTest

# The firmware would take the first disk, were it not for the order.
DISKS = """
    <disk type='file'><driver name='qemu' type='raw'/><source file='{wrong}'/><target dev='vda' bus='virtio'/><boot order='2'/></disk>
    <disk type='file'><driver name='qemu' type='{format}'/><source file='{linux}'/><target dev='vdb' bus='virtio'/><boot order='1'/></disk>
    <disk type='file'><driver name='qemu' type='raw'/><source file='{data}'/><target dev='vdc' bus='virtio'/><readonly/><serial>data</serial></disk>
    <disk type='file'><driver name='qemu' type='raw'/><source file='{copy}'/><target dev='vdd' bus='virtio'/><serial>copy</serial></disk>
  </devices>"""
SHUT_DOWN_BY_GUEST = [(libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_GUEST),
                      (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN)]


class LinuxFromDisk(LinuxTest):
    def setUp(self):
        super().setUp()
        self.maker = DiskMaker(self.daemon.root, self.files)
        self.data, self.copy = self.daemon.root / 'data.img', self.daemon.root / 'copy.img'

    def test_boots_by_grub_with_1_vcpu(self):
        self.check(self.maker.linux_by_grub(), 8 * MIB, 1)

    def test_boots_by_grub_with_2_vcpus_and_keeps_what_it_wrote(self):
        self.check(self.maker.linux_by_grub(), 256 * MIB, 2)

    def test_boots_by_systemd_boot_from_qcow2_with_4_vcpus(self):
        skip_without([('qemu-img', 'qemu-utils'), ('qemu-storage-daemon', 'qemu-system-common')])
        raw = self.maker.linux_by_systemd_boot()
        run('qemu-img', 'convert', '-O', 'qcow2', raw, raw.with_suffix('.qcow2'))
        self.check(raw.with_suffix('.qcow2'), 8 * MIB, 4)

    def define_td(self, linux, size, vcpus):
        self.data.write_bytes(os.urandom(MIB) * (size // MIB))
        with open(self.copy, 'wb') as file:
            file.truncate(size)
        disks = DISKS.format(wrong=self.maker.wrong(), linux=linux, data=self.data, copy=self.copy,
                             format='qcow2' if linux.suffix == '.qcow2' else 'raw')
        self.daemon.define(harness.td_xml(text={'  </devices>': disks, '<vcpu>1</vcpu>': f'<vcpu>{vcpus}</vcpu>'}))

    def check(self, linux, size, vcpus):
        self.define_td(linux, size, vcpus)
        connection = libvirt.open(self.daemon.uri)
        self.addCleanup(connection.close)
        events = LifecycleEvents(connection)
        self.boot()
        self.expect('end')
        events.wait_for(*SHUT_DOWN_BY_GUEST)
        self.assertEqual(events.seen[-2:], SHUT_DOWN_BY_GUEST)
        self.assertEqual(self.daemon.virsh('domstate', 'td', '--reason').strip(), 'shut off (shutdown)')
        text = self.console.text().decode(errors='replace')
        self.assertNotIn('this is the wrong disk', text)
        self.assertEqual(re.findall(r'^guest: (.*?)\r?$', text, re.M),
                         [f'{vcpus} CPUs', 'root on partition 2', 'boot 1', f'wrote {size} bytes',
                          f'{vcpus} CPUs', 'root on partition 2', 'boot 2', 'read back', 'end'], text)
        self.assertTrue(filecmp.cmp(self.data, self.copy, shallow=False))


if __name__ == '__main__':
    harness.main()
