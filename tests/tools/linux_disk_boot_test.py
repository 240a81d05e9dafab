# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD that boots from its disk as cloud images do: firmware, GRUB or systemd-boot at the removable-media path, Debian 13's
stock kernel with its initrd from the EFI system partition, root file system on virtio-blk; then a reboot from inside."""
import filecmp
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
from linux_devices_test import GUEST, MONITOR, PATIENCE, VIRT_TDX, guest_files

sys.path.insert(0, str(GUEST))
import make_initrd  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = (('mke2fs', 'e2fsprogs'), ('sfdisk', 'fdisk'), ('mformat', 'mtools'), ('grub-mkimage', 'grub-common'),
         ('qemu-img', 'qemu-utils'), ('qemu-storage-daemon', 'qemu-system-common'))
GRUB_MODULES = pathlib.Path('/usr/lib/grub/x86_64-efi')
ENVIRONMENT = os.environ | {'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}
MIB = 1 << 20
# An EFI system partition, then the root file system.
ESP_START, ESP_SIZE, ROOT_SIZE = MIB, 40 * MIB, 320 * MIB
BOOT_LINUX = """linuxefi /vmlinuz console=ttyS0 panic=-1
initrdefi /initrd
boot
"""
SYSTEMD_BOOT = pathlib.Path('/usr/lib/systemd/boot/efi/systemd-bootx64.efi')
LOADER_CONF = 'default td.conf\ntimeout 0\n'
LOADER_ENTRY = """title Linux
linux /vmlinuz
initrd /initrd
options console=ttyS0 panic=-1
"""
SAY_WRONG = """echo grub: this is the wrong disk
halt
"""


def run(*words):
    subprocess.run(words, check=True, capture_output=True, env=ENVIRONMENT)


def make_partitions(disk, size):
    """An empty system partition, for mtools, and a root partition where it fits."""
    with open(disk, 'wb') as file:
        file.truncate(size)
    layout = f'label: gpt\nstart={ESP_START // 512}, size={ESP_SIZE // 512}, type=U\n'
    if size > ESP_START + ESP_SIZE + MIB:
        layout += f'start={(ESP_START + ESP_SIZE) // 512}, size={ROOT_SIZE // 512}, type=L\n'
    subprocess.run(['sfdisk', '-q', disk], input=layout, text=True, check=True, env=ENVIRONMENT, capture_output=True)
    system = f'{disk}@@{ESP_START}'
    run('mformat', '-i', system, '-T', str(ESP_SIZE // 512), '-F', '::')
    run('mmd', '-i', system, '::/EFI', '::/EFI/BOOT')
    return system


class LinuxFromDisk(unittest.TestCase):
    def setUp(self):
        for program, package in TOOLS:
            if not shutil.which(program, path=ENVIRONMENT['PATH']):
                self.skipTest(f'{program} is absent: install {package}')
        if not GRUB_MODULES.exists():
            self.skipTest(f'{GRUB_MODULES} is absent: install grub-efi-amd64-bin')
        if not harness.FIRMWARE.exists():
            self.skipTest(f'{harness.FIRMWARE} is absent: install ovmf')
        self.files = guest_files()
        directory = tempfile.TemporaryDirectory(prefix='virttdx-boot-')  # pylint: disable=consider-using-with
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.data, self.copy = self.directory / 'data.img', self.directory / 'copy.img'

    def make_loader(self, commands, name):
        """GRUB that carries out `commands`."""
        script = self.directory / 'early.cfg'
        script.write_text(commands)
        loader = self.directory / name
        run('grub-mkimage', '-O', 'x86_64-efi', '-o', loader, '-p', '/EFI/BOOT', '-c', script, 'fat', 'part_gpt',
            'linuxefi', 'boot', 'echo', 'halt')
        return loader

    def make_disk(self, name, loader, size):
        """A disk with a system partition that has this loader."""
        disk = self.directory / name
        system = make_partitions(disk, size)
        run('mcopy', '-i', system, loader, '::/EFI/BOOT/BOOTX64.EFI')
        return disk, system

    def make_wrong_disk(self):
        disk, _ = self.make_disk('wrong.img', self.make_loader(SAY_WRONG, 'wrong.efi'), ESP_START + ESP_SIZE + MIB)
        return disk

    def configure_systemd_boot(self, system):
        run('mmd', '-i', system, '::/loader', '::/loader/entries')
        for name, text in (('loader.conf', LOADER_CONF), ('entries/td.conf', LOADER_ENTRY)):
            file = self.directory / 'loader-file'
            file.write_text(text)
            run('mcopy', '-i', system, file, f'::/loader/{name}')

    def make_root(self):
        """What the root file system holds."""
        root = self.directory / 'root'
        for name in make_initrd.DIRECTORIES + ('sbin',):
            (root / name).mkdir(parents=True, exist_ok=True)
        for name, source in make_initrd.FILES.items():
            shutil.copy(self.files / 'root' / source, root / name)
            (root / name).chmod(0o755)
        shutil.copy(GUEST / 'disk_root.sh', root / 'sbin/init')
        (root / 'sbin/init').chmod(0o755)
        return root

    def make_linux_disk(self, loader):
        disk, system = self.make_disk('linux.img', loader, ESP_START + ESP_SIZE + ROOT_SIZE + MIB)
        if loader == SYSTEMD_BOOT:
            self.configure_systemd_boot(system)
        initrd = self.directory / 'initrd'
        run('python3', GUEST / 'make_initrd.py', self.files / 'root', GUEST / 'disk_boot.sh', initrd,
            self.files / 'modules')
        run('mcopy', '-i', system, self.files / 'vmlinuz', initrd, '::')
        root = self.make_root()
        run('mke2fs', '-q', '-t', 'ext4', '-L', 'root', '-d', root, '-E', f'offset={ESP_START + ESP_SIZE}', disk, f'{ROOT_SIZE // 1024}k')
        return disk

    def configuration(self, linux_disk, data_size, vcpus):
        done = subprocess.run([VIRT_TDX, 'run', '--host', 'soft', '--json', '--memory', '512M', '--vcpus', str(vcpus)], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        config = json.loads(done.stdout)
        config['on_reset'] = 'recreate'
        self.data.write_bytes(os.urandom(MIB) * (data_size // MIB))
        with open(self.copy, 'wb') as file:
            file.truncate(data_size)
        disks = ((self.make_wrong_disk(), 2, False), (linux_disk, 1, False), (self.data, None, True),
                 (self.copy, None, False))
        config['devices'] = {
            'root_ports': [{'id': f'pci.{i}', 'address': {'slot': 2, 'function': i - 1}, 'bus': i, 'chassis': i}
                           for i in (1, 2, 3)],
            'disks': [{'id': f'virtio-disk{i}', 'target': f'vd{"abcd"[i]}', 'bus': 'virtio-blk',
                       'address': {'slot': 3} if i == 1 else {'bus': max(i, 1), 'slot': 0}, 'read_only': read_only, 'serial': path.stem,
                       'format': path.suffix[1:] if path.suffix == '.qcow2' else 'raw', 'source': {'protocol': 'file', 'path': str(path)}} | ({'boot_index': index} if index else {})
                      for i, (path, index, read_only) in enumerate(disks)]}
        file = self.directory / 'config.json'
        file.write_text(json.dumps(config))
        return file

    def test_boots_by_grub_from_the_disk_that_comes_first_and_keeps_what_it_wrote(self):
        self.boot(self.make_linux_disk(self.make_loader(BOOT_LINUX, 'linux.efi')), 256 * MIB, 2)

    def test_boots_by_systemd_boot_from_qcow2(self):
        if not SYSTEMD_BOOT.exists():
            self.skipTest(f'{SYSTEMD_BOOT} is absent: install systemd-boot-efi')
        raw = self.make_linux_disk(SYSTEMD_BOOT)
        qcow2 = raw.with_suffix('.qcow2')
        run('qemu-img', 'convert', '-O', 'qcow2', raw, qcow2)
        self.boot(qcow2, 8 * MIB, 4)

    def boot(self, linux_disk, data_size, vcpus):
        done = subprocess.run([MONITOR, '--config', self.configuration(linux_disk, data_size, vcpus), '--console', '--log-level', 'warning'], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE,
                              errors='replace')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn('this is the wrong disk', done.stdout)
        said = re.findall(r'^guest: (.*?)\r?$', done.stdout, re.M)
        self.assertEqual([line for line in said if line.startswith('error')], [], done.stdout)
        self.assertEqual(said, ['root on partition 2', 'boot 1', f'wrote {data_size} bytes', 'root on partition 2', 'boot 2',
                                'read back', 'end'], done.stdout)
        self.assertTrue(filecmp.cmp(self.data, self.copy, shallow=False))


if __name__ == '__main__':
    harness.main()
