# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD with disks, an interface, consoles and a channel, from define to undefine with the real virsh."""
import os
import shutil
import socket
import subprocess
import unittest

import harness
from harness import PATIENCE, td_xml

MAC = '52:54:00:01:02:03'
DEVICES = """
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/>
    </disk>
    {block}
    {interface}
    <console type='pty'><target type='virtio'/></console>
    <channel type='unix'><target type='virtio' name='org.example.0'/></channel>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <vsock/>
  </devices>"""
BLOCK = """<disk type='block' device='disk'>
      <driver name='qemu' type='raw'/><source dev='{device}'/><target dev='vdb' bus='virtio'/><readonly/>
    </disk>"""
# Without a link the firmware does not wait for an address to boot from.
TAP = f"""<interface type='ethernet'>
      <mac address='{MAC}'/><target dev='{{tap}}'/><model type='virtio'/><link state='down'/>
    </interface>"""
IMAGE_SIZE = 8 << 20


def fields(text):
    """Lines of "name value" or "name: value" as a dictionary."""
    words = [line.replace(':', ' ').split() for line in text.splitlines()]
    return {line[-2]: line[-1] for line in words if len(line) >= 2}


class Devices(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.image = self.daemon.root / 'disk.img'
        with open(self.image, 'wb') as image:
            image.truncate(IMAGE_SIZE)
        backing = self.daemon.root / 'block.img'
        backing.write_bytes(bytes(1 << 20))
        self.device = harness.make_loop_device(self, backing)
        self.tap = self.make_tap()
        self.daemon.define(td_xml(text={'  </devices>': DEVICES.format(
            image=self.image, block=BLOCK.format(device=self.device) if self.device else '',
            interface=TAP.format(tap=self.tap) if self.tap else '')}))

    def make_tap(self):
        """A tap device of the test's own, where this machine lets us have one."""
        name = f'vtdx{os.getpid() % 100000}'
        if not shutil.which('ip') or not os.path.exists('/dev/net/tun'):
            return None
        made = subprocess.run(['ip', 'tuntap', 'add', 'dev', name, 'mode', 'tap'], capture_output=True, check=False)
        if made.returncode != 0:
            return None
        self.addCleanup(subprocess.run, ['ip', 'link', 'delete', name], check=False)
        return name

    def test_serve_a_td_from_define_to_undefine(self):
        daemon = self.daemon
        self.assertRegex(daemon.virsh('domblklist', 'td', '--details'), rf'file\s+disk\s+vda\s+{self.image}')
        self.assertEqual(fields(daemon.virsh('domblkinfo', 'td', 'vda'))['Capacity'], str(IMAGE_SIZE))
        daemon.virsh('start', 'td')
        self.boot_to_shell()
        self.check_disks()
        self.check_interface()
        self.check_console()
        self.check_channel()
        self.check_vsock()
        self.check_all_statistics()
        daemon.virsh('destroy', 'td')
        self.assertEqual(daemon.virsh('domstate', 'td').strip(), 'shut off')
        daemon.virsh('undefine', 'td')
        self.assertFalse((daemon.root / 'run/libvirt/tdx/td.sockets').exists())

    def check_disks(self):
        # The firmware looks for something to boot on every disk.
        stats = fields(self.daemon.virsh('domblkstat', 'td', 'vda'))
        self.assertGreater(int(stats['rd_req']), 0)
        self.assertGreater(int(stats['rd_bytes']), 0)
        self.assertEqual(int(stats['wr_bytes']), 0)
        self.assertEqual(fields(self.daemon.virsh('domblkinfo', 'td', 'vda'))['Capacity'], str(IMAGE_SIZE))
        if self.device:
            self.assertGreater(int(fields(self.daemon.virsh('domblkstat', 'td', 'vdb'))['rd_req']), 0)
            self.assertRegex(self.daemon.virsh('domblklist', 'td', '--details'), rf'block\s+disk\s+vdb\s+{self.device}')
            self.assertEqual(fields(self.daemon.virsh('domblkinfo', 'td', 'vdb'))['Capacity'], str(1 << 20))

    def check_interface(self):
        if not self.tap:
            return
        self.assertRegex(self.daemon.virsh('domiflist', 'td'), rf'{self.tap}\s+ethernet\s+-\s+virtio\s+{MAC}')
        for name in (self.tap, MAC):
            self.assertIn('rx_bytes', fields(self.daemon.virsh('domifstat', 'td', name)))
        for state in ('up', 'down'):
            self.daemon.virsh('domif-setlink', 'td', self.tap, state)
            self.assertIn(state, self.daemon.virsh('domif-getlink', 'td', self.tap))

    def check_console(self):
        """The firmware has no driver for it: it opens, and takes input that nobody reads."""
        console = self.open_console('--devname', 'console1')
        self.assertIn("tty='/dev/pts/", self.daemon.virsh('dumpxml', 'td'))
        console.close()
        self.assertIn('cannot find character device', self.refused_console('--devname', 'console7'))

    def refused_console(self, *options):
        console = self.daemon.console('td', *options)
        self.addCleanup(console.close)
        try:
            while True:
                console.read(PATIENCE)
        except EOFError:
            return console.text().decode(errors='replace')

    def check_channel(self):
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(str(self.daemon.root / 'run/libvirt/tdx/td.sockets/org.example.0'))

    def check_vsock(self):
        """The firmware has no driver for it. Without the kernel's: a client is heard, and one that says no port is turned away."""
        self.assertRegex(self.daemon.virsh('dumpxml', 'td'), r"<cid auto='yes' address='\d+'/>")
        self.assertIn("<cid auto='yes'/>", self.daemon.virsh('dumpxml', '--inactive', 'td'))
        if os.access('/dev/vhost-vsock', os.R_OK | os.W_OK):
            return
        with socket.socket(socket.AF_UNIX) as vsock:
            vsock.connect(str(self.daemon.root / 'run/libvirt/tdx/td.sockets/vsock'))
            vsock.sendall(b'HELLO\n')
            self.assertEqual(vsock.recv(1), b'')

    def check_all_statistics(self):
        stats = dict(line.strip().split('=', 1) for line in self.daemon.virsh('domstats', 'td').splitlines() if '=' in line)
        self.assertEqual(stats['block.0.path'], str(self.image))
        self.assertGreater(int(stats['block.0.rd.reqs']), 0)
        self.assertEqual(stats['block.0.capacity'], str(IMAGE_SIZE))
        if self.tap:
            self.assertEqual((stats['net.count'], stats['net.0.name']), ('1', self.tap))
        self.assertGreater(int(stats['vcpu.0.time']), 0)
        self.assertGreater(int(stats['vcpu.0.io_exits.sum']), 0)
        self.assertGreater(int(stats['vcpu.0.exits.sum']), int(stats['vcpu.0.io_exits.sum']))
        self.assertGreater(int(stats['vcpu.0.kvm_exit_mmio.sum']), 0)
        self.assertGreater(int(stats['vm.pages_4k.cur']), 0)

    def test_are_let_go_when_the_guest_powers_off(self):
        self.daemon.virsh('start', 'td')
        console = self.boot_to_shell()
        console.send('reset -s\\r')
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td').strip() == 'shut off', 'power-off')
        # The image's lock is gone with the monitor.
        self.daemon.virsh('start', 'td')
        self.daemon.virsh('destroy', 'td')


if __name__ == '__main__':
    harness.main()
