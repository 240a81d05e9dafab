# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's qemu-guest-agent in a TD that runs its stock kernel, asked by virsh; statistics of the disk and the interface that it has."""
import re
import subprocess
import time

import harness
from linux_guest import LinuxTest, guest_files

DEVICES = """
    <disk type='file'><driver name='qemu' type='raw' discard='unmap'/><source file='{disk}'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='{cdrom}'/><target dev='sda' bus='scsi'/></disk>
    <controller type='scsi' model='virtio-scsi'/>
    <interface type='user'><mac address='52:54:00:12:34:56'/><backend type='passt'/><model type='virtio'/></interface>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  """
# Seconds of the guest's clock before the host's.
AHEAD = 86400
LIBRARIES = ('libatomic.so.1', 'libcap.so.2', 'libglib-2.0.so.0', 'libgmodule-2.0.so.0', 'libnuma.so.1', 'libpcre2-8.so.0', 'libudev.so.1',
             'liburing.so.2')


class GuestAgent(LinuxTest):
    def setUp(self):
        super().setUp()
        agent = guest_files('agent', '--agent') / 'root/usr'
        disk, cdrom = self.daemon.root / 'disk.img', self.daemon.root / 'cdrom.iso'
        harness.make_ext4(disk, '32M')
        subprocess.run(['genisoimage', '-quiet', '-o', cdrom, harness.SOURCE / 'LICENSE'], check=True, capture_output=True)
        self.define(self.make_initrd('agent.sh', agent / 'sbin/qemu-ga', *(agent / 'lib/x86_64-linux-gnu' / name for name in LIBRARIES)),
                    devices=DEVICES.format(disk=disk, cdrom=cdrom))
        self.daemon.virsh('setvcpus', 'td', '2', '--maximum', '--config')
        self.daemon.virsh('setvcpus', 'td', '2', '--config')
        utc = self.daemon.virsh('dumpxml', 'td')
        self.daemon.define(utc.replace("<clock offset='utc'/>", f"<clock offset='variable' adjustment='{AHEAD}'/>"))
        self.boot()
        self.wait_for_agent()

    def wait_for_agent(self):
        self.expect('agent begins')
        harness.wait_until(lambda: self.daemon.try_virsh('domtime', 'td')[0] == 0, 'the agent')

    def table(self, *command):
        """Rows of a table that virsh prints, without its head."""
        return [line.split() for line in self.daemon.virsh(*command).strip().splitlines()[2:]]

    def numbers(self, *command):
        return {name: int(value) for name, value in re.findall(r'^\S+ (\w+) (\d+)$', self.daemon.virsh(*command), re.M)}

    def test_tells_of_its_guest(self):
        virsh = self.daemon.virsh
        self.assertIn("state='connected'", virsh('dumpxml', 'td'))
        self.assertEqual(virsh('domhostname', 'td', '--source', 'agent').strip(), 'td-guest')
        info = virsh('guestinfo', 'td')
        self.assertRegex(info, r'(?s)os\.id +: proof\n.*os\.pretty-name +: Proof of a TD\n')
        self.assertRegex(info, r'os\.kernel-release +: 6\.')
        self.assertRegex(info, r'user\.count +: 0\n')
        self.assertEqual(sorted(self.table('domfsinfo', 'td')), [['/cdrom', 'sr0', 'iso9660', 'sda'], ['/disk', 'vda', 'ext4', 'vda']])
        self.assertRegex(info, r'(?s)disk\.0\.name +: /dev/.*disk\.\d\.alias +: sda\n')
        addresses = self.table('domifaddr', 'td', '--source', 'agent')
        (said,) = re.findall(r'guest: address (\S+)', self.console.text().decode(errors='replace'))
        self.assertIn(['eth0', '52:54:00:12:34:56', 'ipv4', said], addresses)
        self.assertEqual(re.findall(r'^(\w+) +: (\S+)$', virsh('guestvcpus', 'td'), re.M), [('vcpus', '0-1'), ('online', '0-1'), ('offlinable', '1')])

        self.assertLess(abs(self.clock() - AHEAD - time.time()), 3600)
        self.check_counts()

    def clock(self):
        return int(self.daemon.virsh('domtime', 'td').split()[-1])

    def check_counts(self):
        disk = self.numbers('domblkstat', 'td', 'vda')
        self.assertTrue(disk['rd_req'] and disk['rd_bytes'] and disk['wr_req'], disk)
        interface = self.numbers('domifstat', 'td', '52:54:00:12:34:56')
        self.assertTrue(interface['rx_bytes'] and interface['tx_packets'], interface)
        self.assertEqual(interface['rx_errs'], 0)

    def test_does_what_it_is_told_and_restarts_it(self):
        virsh = self.daemon.virsh
        virsh('domtime', 'td', '--time', '2000000000')
        self.assertGreaterEqual(self.clock(), 2000000000)
        # The agent has set the clock of the machine too, and reads it.
        virsh('domtime', 'td', '--sync')
        self.assertGreaterEqual(self.clock(), 2000000000)
        virsh('domtime', 'td', '--now')
        self.assertLess(abs(self.clock() - time.time()), 3600)
        self.assertIn('Froze 1 filesystem(s)', virsh('domfsfreeze', 'td'))
        self.assertIn('Thawed 1 filesystem(s)', virsh('domfsthaw', 'td'))
        virsh('domfstrim', 'td')
        self.assertEqual(virsh('vcpucount', 'td', '--guest').strip(), '2')
        # Linux keeps the CPUs of a TD (CC_ATTR_HOTPLUG_DISABLED).
        self.assertIn('Operation not supported', self.daemon.virsh_error('guestvcpus', 'td', '--cpulist', '1', '--disable'))
        number = self.daemon.virsh('domid', 'td')
        self.daemon.virsh('reboot', 'td', '--mode', 'agent')
        self.wait_for_agent()
        self.assertEqual(self.daemon.virsh('domid', 'td'), number)
        # It has nobody who looks at a power button.
        self.daemon.virsh('shutdown', 'td')
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td', '--reason').strip() == 'shut off (shutdown)', 'the power-off')
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
