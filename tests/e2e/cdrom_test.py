# SPDX-License-Identifier: GPL-2.0-or-later
"""CD-ROM drives whose images are no raw files of the host, while Debian 13's stock kernel runs as a TD."""
import hashlib
import os
import signal
import subprocess
import unittest

import libvirt

import harness
import lifecycle_events  # noqa: F401  runs libvirt's event loop
from linux_guest import GUEST, LinuxTest

DRIVES = """
    <disk type='file' device='cdrom'><driver name='qemu' type='qcow2' cache='none' io='native'/>
      <source file='{qcow2}'/><target dev='sda' bus='sata'/></disk>
    <disk type='network' device='cdrom'><driver name='qemu' type='raw'/>
      <source protocol='nbd' name='drive'><host transport='unix' socket='{socket}'/></source><target dev='sdb' bus='sata'/></disk>
  """


class DriveTest(LinuxTest):
    def make_image(self, name):
        """An ISO image larger than one piece of a read."""
        content = self.daemon.root / f'content-{name}'
        content.mkdir()
        (content / 'drive.txt').write_text(f'the drive {name}')
        (content / 'more').write_bytes(os.urandom(1 << 20))
        image = self.daemon.root / f'{name}.iso'
        subprocess.run(['genisoimage', '-quiet', '-r', '-J', '-o', image, content], check=True, capture_output=True)
        return image

    def make_qcow2(self, image):
        qcow2 = image.with_suffix('.qcow2')
        subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', image, qcow2], check=True)
        return qcow2


class Cdrom(DriveTest):
    def serve(self, image):
        """The Unix socket of an NBD server."""
        path, pid = self.daemon.root / 'nbd', self.daemon.root / 'nbd.pid'
        subprocess.run(['qemu-nbd', '--fork', '--persistent', '--read-only', '--format', 'raw', '--export-name', 'drive', '--socket', path,
                        '--pid-file', pid, image], check=True, env=harness.ENVIRONMENT)
        self.addCleanup(os.kill, int(pid.read_text()), signal.SIGTERM)
        return path

    def setUp(self):
        super().setUp()
        if not os.path.exists('/usr/bin/qemu-nbd'):
            raise unittest.SkipTest('qemu-nbd is absent: install qemu-utils')
        self.images = {'sr0': self.make_image('one'), 'sr1': self.make_image('two')}
        self.define(self.make_initrd('cdrom.sh'), 'drives=sr0,sr1',
                    DRIVES.format(qcow2=self.make_qcow2(self.images['sr0']), socket=self.serve(self.images['sr1'])))

    def test_are_read_as_the_images_are(self):
        self.boot()
        for drive, name in (('sr0', 'one'), ('sr1', 'two')):
            self.expect(f'{drive} holds the drive {name}')
            self.expect(f'{drive} is {hashlib.sha256(self.images[drive].read_bytes()).hexdigest()}')
        self.expect('end')
        self.assert_no_errors()


class Medium(DriveTest):
    """change-media, eject by the guest, and what a client sees of it."""
    DRIVE = "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='{}'/><target dev='sda' bus='sata'/></disk>"

    def setUp(self):
        super().setUp()
        program = self.daemon.root / 'tray'
        subprocess.run(['c++', '-O2', '-static', '-o', program, GUEST / 'tray.cc'], check=True)
        self.image = self.make_image('one')
        self.define(self.make_initrd('media.sh', program), '', self.DRIVE.format(self.image))
        connection = libvirt.open(self.daemon.uri)
        self.addCleanup(connection.close)
        self.domain, self.moves = connection.lookupByName('td'), []
        connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
            lambda _connection, _domain, alias, reason, _opaque: self.moves.append((alias, 'open' if reason == 0 else 'closed')), None)

    def ask_guest(self, word, answer):
        self.console.send(word + '\n')
        self.expect(answer)

    def change_media(self, *options):
        return self.daemon.virsh('change-media', 'td', 'sda', *options, '--live')

    def wait_for_moves(self, *moves):
        harness.wait_until(lambda: self.moves == [('scsi0-0-0-0', move) for move in moves], f'{moves}, saw {self.moves}')
        self.moves.clear()

    def assert_holds(self, what):
        self.ask_guest('mount', f'holds the drive {what}')
        self.ask_guest('umount', 'unmounted')

    def boot_with_first_medium(self):
        self.boot()
        self.expect('ready')
        self.ask_guest('mount', 'holds the drive one')

    def end(self):
        self.ask_guest('end', 'end')
        self.assert_no_errors()

    def test_is_changed_while_the_guest_runs(self):
        self.boot_with_first_medium()
        self.assertIn("timed out waiting to open tray of 'sda'",
                      self.daemon.virsh_error('change-media', 'td', 'sda', '--eject', '--live'))
        self.assertEqual(self.moves, [])
        self.ask_guest('umount', 'unmounted')
        self.change_media('--eject')
        self.wait_for_moves('open', 'closed')
        self.ask_guest('read', 'read: head: /dev/sr0: No medium found')
        self.assertEqual(self.source(), '-')
        self.change_media('--insert', self.make_image('two'))
        self.assert_holds('two')
        self.assertIn('No such file', self.daemon.virsh_error('change-media', 'td', 'sda', '--update', '/absent.iso', '--live'))
        self.assert_holds('two')
        three = self.DRIVE.format(self.make_qcow2(self.make_image('three'))).replace("'raw'", "'qcow2'")
        self.domain.updateDeviceFlags(three, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        self.assert_holds('three')
        self.end()

    def test_is_ejected_by_the_guest(self):
        self.boot_with_first_medium()
        self.ask_guest('umount', 'unmounted')
        self.ask_guest('open', 'open: moved')
        self.wait_for_moves('open')
        self.assertIn("tray='open'", self.domain.XMLDesc())
        self.daemon.kill()
        self.daemon.start()
        self.console = self.open_console()
        self.assertIn("tray='open'", self.daemon.virsh('dumpxml', 'td'))
        two = self.make_image('two')
        self.change_media('--update', two)
        self.assertNotIn('tray=', self.daemon.virsh('dumpxml', 'td'))
        self.assertEqual(self.source(), str(two))
        self.assert_holds('two')
        self.end()

    def source(self):
        (line,) = [line for line in self.daemon.virsh('domblklist', 'td').splitlines() if 'sda' in line]
        return line.split()[-1]


if __name__ == '__main__':
    harness.main()
