# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that boot Linux as cloud images do: GRUB or systemd-boot at the removable-media path of an EFI system partition, with Debian 13's stock
kernel and an initrd; the root file system on the partition after it."""
import pathlib
import shutil
import subprocess
import sys
import unittest

import harness

GUEST = harness.SOURCE / 'tests/guest'
sys.path.insert(0, str(GUEST))
import make_initrd  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = (('sfdisk', 'fdisk'), ('mformat', 'mtools'))
LINUX_TOOLS = TOOLS + (('mke2fs', 'e2fsprogs'), ('grub-mkimage', 'grub-common'))
GRUB_MODULES = pathlib.Path('/usr/lib/grub/x86_64-efi')
MIB = 1 << 20
ESP_START, ESP_SIZE, ROOT_SIZE = MIB, 40 * MIB, 320 * MIB
BOOT_LINUX = """linuxefi /vmlinuz console=ttyS0 panic=-1
initrdefi /initrd
boot
"""
SAY_WRONG = """echo grub: this is the wrong disk
halt
"""
SYSTEMD_BOOT = pathlib.Path('/usr/lib/systemd/boot/efi/systemd-bootx64.efi')
SYSTEMD_BOOT_FILES = {'loader.conf': 'default td.conf\ntimeout 0\n', 'entries/td.conf': """title Linux
linux /vmlinuz
initrd /initrd
options console=ttyS0 panic=-1
"""}


def skip_without(tools):
    """Skips a test where a program is absent: (program, Debian's package) each."""
    for program, package in tools:
        if not shutil.which(program, path=harness.ENVIRONMENT['PATH']):
            raise unittest.SkipTest(f'{program} is absent: install {package}')


def run(*words):
    subprocess.run(words, check=True, capture_output=True, env=harness.ENVIRONMENT)


def make_partitions(disk, size):
    """An empty system partition, for mtools, and a root partition where it fits."""
    with open(disk, 'wb') as file:
        file.truncate(size)
    layout = f'label: gpt\nstart={ESP_START // 512}, size={ESP_SIZE // 512}, type=U\n'
    if size > ESP_START + ESP_SIZE + MIB:
        layout += f'start={(ESP_START + ESP_SIZE) // 512}, size={ROOT_SIZE // 512}, type=L\n'
    subprocess.run(['sfdisk', '-q', disk], input=layout, text=True, check=True, env=harness.ENVIRONMENT, capture_output=True)
    system = f'{disk}@@{ESP_START}'
    run('mformat', '-i', system, '-T', str(ESP_SIZE // 512), '-F', '::')
    run('mmd', '-i', system, '::/EFI', '::/EFI/BOOT')
    return system


def make_root(root, files, init, *programs):
    """What the root file system holds: as an initrd, with `init` as /sbin/init and without drivers."""
    for name in make_initrd.DIRECTORIES + ('sbin',):
        (root / name).mkdir(parents=True, exist_ok=True)
    content = {name: files / 'root' / source for name, source in make_initrd.FILES.items()}
    content |= {name: GUEST / source for name, source in make_initrd.SCRIPTS.items()}
    content |= {f'bin/{program.name}': program for program in programs}
    for name, source in (content | {'sbin/init': init}).items():
        shutil.copy(source, root / name)
        (root / name).chmod(0o755)
    return root


def add_root(disk, root):
    """The file system of the root partition."""
    run('mke2fs', '-q', '-t', 'ext4', '-L', 'root', '-d', root, '-E', f'offset={ESP_START + ESP_SIZE}', disk, f'{ROOT_SIZE // 1024}k')


class DiskMaker:
    """Makes disks in `directory` of what tests/guest/fetch left in `files`."""

    def __init__(self, directory, files):
        skip_without(LINUX_TOOLS)
        if not GRUB_MODULES.exists():
            raise unittest.SkipTest(f'{GRUB_MODULES} is absent: install grub-efi-amd64-bin')
        self.directory, self.files = directory, files

    def wrong(self):
        """A disk whose loader says so and boots nothing."""
        return self.make_disk('wrong.img', self.make_grub(SAY_WRONG, 'wrong.efi'), ESP_START + ESP_SIZE + MIB)[0]

    def linux_by_grub(self):
        disk, system = self.make_disk('linux.img', self.make_grub(BOOT_LINUX, 'linux.efi'), ESP_START + ESP_SIZE + ROOT_SIZE + MIB)
        return self.add_linux(disk, system)

    def linux_by_systemd_boot(self):
        if not SYSTEMD_BOOT.exists():
            raise unittest.SkipTest(f'{SYSTEMD_BOOT} is absent: install systemd-boot-efi')
        disk, system = self.make_disk('linux.img', SYSTEMD_BOOT, ESP_START + ESP_SIZE + ROOT_SIZE + MIB)
        run('mmd', '-i', system, '::/loader', '::/loader/entries')
        for name, text in SYSTEMD_BOOT_FILES.items():
            file = self.directory / 'loader-file'
            file.write_text(text)
            run('mcopy', '-i', system, file, f'::/loader/{name}')
        return self.add_linux(disk, system)

    def make_grub(self, commands, name):
        """GRUB that carries out `commands`."""
        script, loader = self.directory / 'early.cfg', self.directory / name
        script.write_text(commands)
        run('grub-mkimage', '-O', 'x86_64-efi', '-o', loader, '-p', '/EFI/BOOT', '-c', script, 'fat', 'part_gpt',
            'linuxefi', 'boot', 'echo', 'halt')
        return loader

    def make_disk(self, name, loader, size):
        disk = self.directory / name
        system = make_partitions(disk, size)
        run('mcopy', '-i', system, loader, '::/EFI/BOOT/BOOTX64.EFI')
        return disk, system

    def add_linux(self, disk, system):
        initrd = self.directory / 'initrd'
        run('python3', GUEST / 'make_initrd.py', self.files / 'root', GUEST / 'disk_boot.sh', initrd, self.files / 'modules')
        run('mcopy', '-i', system, self.files / 'vmlinuz', initrd, '::')
        add_root(disk, make_root(self.directory / 'root', self.files, GUEST / 'disk_root.sh'))
        return disk
