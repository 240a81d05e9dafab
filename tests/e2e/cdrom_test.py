# SPDX-License-Identifier: GPL-2.0-or-later
"""CD-ROM drives whose images are no raw files of the host, while Debian 13's stock kernel runs as a TD."""
import hashlib
import os
import signal
import subprocess
import unittest

import harness
from linux_guest import LinuxTest

DRIVES = """
    <disk type='file' device='cdrom'><driver name='qemu' type='qcow2' cache='none' io='native'/>
      <source file='{qcow2}'/><target dev='sda' bus='sata'/></disk>
    <disk type='network' device='cdrom'><driver name='qemu' type='raw'/>
      <source protocol='nbd' name='drive'><host transport='unix' socket='{socket}'/></source><target dev='sdb' bus='sata'/></disk>
  """


class Cdrom(LinuxTest):
    def make_image(self, name):
        """An ISO image larger than one piece of a read."""
        content = self.daemon.root / f'content-{name}'
        content.mkdir()
        (content / 'drive.txt').write_text(f'the drive {name}')
        (content / 'more').write_bytes(os.urandom(1 << 20))
        image = self.daemon.root / f'{name}.iso'
        subprocess.run(['genisoimage', '-quiet', '-r', '-J', '-o', image, content], check=True, capture_output=True)
        return image

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
        qcow2 = self.daemon.root / 'one.qcow2'
        subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', self.images['sr0'], qcow2], check=True)
        self.define(self.make_initrd('cdrom.sh'), 'drives=sr0,sr1', DRIVES.format(qcow2=qcow2, socket=self.serve(self.images['sr1'])))

    def test_are_read_as_the_images_are(self):
        self.boot()
        for drive, name in (('sr0', 'one'), ('sr1', 'two')):
            self.expect(f'{drive} holds the drive {name}')
            self.expect(f'{drive} is {hashlib.sha256(self.images[drive].read_bytes()).hexdigest()}')
        self.expect('end')
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
