# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD's disk inside LUKS, with its passphrase as a private secret of a libvirtd of the test's own."""
import pathlib
import shutil
import subprocess
import sys
import unittest

import harness
from harness import SOURCE, td_xml, wait_until

sys.path.insert(0, str(SOURCE / 'tests/differential'))
import daemons  # noqa: E402

PASSPHRASE = 'open sesame'
SECRET = """<secret ephemeral='no' private='yes'><uuid>11111111-2222-3333-4444-555555555555</uuid>
<usage type='volume'><volume>{image}</volume></usage></secret>"""
DISK = """
    <disk type='file'><driver name='qemu' type='qcow2'/><source file='{image}'/>
      <target dev='vda' bus='virtio'/>
      <encryption format='luks'><secret type='passphrase' usage='{image}'/></encryption></disk>
  </devices>"""


class AnEncryptedDisk(harness.DaemonTest):
    def setUp(self):
        missing = daemons.missing() or next(
            (f'{program} is not installed' for program in ('qemu-storage-daemon', 'qemu-img') if not shutil.which(program)), None)
        if missing:
            self.skipTest(missing)
        super().setUp()
        self.image = self.daemon.root / 'disk.qcow2'
        self.make_image()
        self.libvirtd = daemons.PrivateLibvirtd(self.daemon.root / 'host')
        self.addCleanup(self.libvirtd.end)
        self.secrets = self.libvirtd.uri().replace('qemu:', 'secret:')
        wait_until(lambda: self.daemon.try_virsh('secret-list', uri=self.secrets)[0] == 0, 'libvirtd')
        for name in ('libvirt-sock', 'common'):
            (self.daemon.root / 'run/libvirt' / name).symlink_to(self.daemon.root / 'host' / name)
        self.daemon.define(td_xml(text={'  </devices>': DISK.format(image=self.image)}))

    def make_image(self):
        made = subprocess.run(
            ['qemu-img', 'create', '-q', '-f', 'qcow2', '--object', f'secret,id=s,data={PASSPHRASE}', '-o',
             'encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10', self.image, '4M'], check=False, capture_output=True)
        if made.returncode != 0:
            self.skipTest('qemu-img makes no LUKS image on this busy machine')

    def set_secret(self, value):
        file = self.daemon.root / 'secret'
        for command, text in (('secret-define', SECRET.format(image=self.image)),
                              ('secret-set-value 11111111-2222-3333-4444-555555555555 --plain --file', value)):
            file.write_text(text)
            status, _, error = self.daemon.try_virsh(*command.split(), file, uri=self.secrets)
            self.assertEqual(status, 0, error)
        file.unlink()

    def children(self, pid):
        listed = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
        return [pathlib.Path(f'/proc/{child}/cmdline').read_text() for child in listed]

    def test_opens_with_a_private_secret_that_is_shown_nowhere(self):
        self.set_secret(PASSPHRASE)
        self.daemon.virsh('start', 'td')
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'running')
        status = (self.daemon.root / 'run/libvirt/tdx/td.xml').read_text()
        pid = status.split("pid='")[1].split("'")[0]
        (command,) = [line for line in self.children(pid) if 'qemu-storage-daemon' in line]
        self.assertIn('"key-secret":"luks"', command.replace(' ', ''))
        self.assertNotIn('sesame', command)
        shown = [file for file in self.daemon.root.rglob('*')
                 if file.is_file() and 'libvirtd' not in file.parts and b'sesame' in file.read_bytes()]
        self.assertEqual(shown, [])

    def test_comes_to_a_running_domain(self):
        self.set_secret(PASSPHRASE)
        disk = self.daemon.root / 'disk.xml'
        disk.write_text(DISK.replace('</devices>', '').format(image=self.image))
        self.daemon.virsh('undefine', 'td')
        self.daemon.define(td_xml(text={'  </devices>': "<controller type='pci' model='pcie-root-port'/></devices>"}))
        self.daemon.virsh('start', 'td')
        self.daemon.virsh('attach-device', 'td', disk, '--live')
        self.assertIn(str(self.image), self.daemon.virsh('domblklist', 'td'))
        self.assertEqual(self.daemon.virsh('domblkinfo', 'td', 'vda').split()[1], str(4 << 20))
        self.set_secret('open barley')
        self.daemon.virsh('destroy', 'td')
        self.daemon.virsh('start', 'td')
        self.assertIn('qemu-storage-daemon exited with status 1', self.daemon.virsh_error('attach-device', 'td', disk, '--live'))

    def test_stays_closed_to_another_passphrase(self):
        self.set_secret('open barley')
        self.assertIn('qemu-storage-daemon exited with status 1', self.daemon.virsh_error('start', 'td'))
        self.assertIn('Invalid password', self.daemon.domain_log('td'))


if __name__ == '__main__':
    harness.main()
