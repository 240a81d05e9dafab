# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine under QEMU with Debian 13's stock kernel, which has what the kernel of a container has not: vhost, macvtap,
AppArmor, huge pages, and a /dev/kvm (QEMU emulates AMD's SVM). It sees this machine's files, read only, by virtiofs.

The kernel is what tests/guest/fetch leaves. Nothing of this machine is changed, and the machine has no network.
"""
import lzma
import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'guest'))
import make_initrd  # noqa: E402
from guest_files import guest_files  # noqa: E402

VIRTIOFSD = ('/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd')
MODULES = ('overlay', 'virtio_net', 'tun', 'vhost_net', 'vhost_vsock', 'macvtap', 'bridge', 'dummy', 'veth', 'kvm_amd', 'loop')
# Bounds a machine that hangs.
PATIENCE = 3000
ENDED = re.compile(rb'exit status (\d+)\n\Z')


def find_virtiofsd():
    if os.geteuid() != 0:
        raise unittest.SkipTest('only root can show all files to a machine')
    found = next((path for path in VIRTIOFSD if pathlib.Path(path).exists()), None)
    if not found or not shutil.which('qemu-system-x86_64'):
        raise unittest.SkipTest('qemu-system-x86_64 or its virtiofsd is absent: install qemu-system-x86')
    return found


class Modules:
    """Those of a kernel, each behind what it depends on."""

    def __init__(self, directory):
        self.files = {path.name.removesuffix('.ko.xz').replace('-', '_'): path
                      for path in pathlib.Path(directory).rglob('*.ko.xz')}
        self.contents = {}

    def add(self, name):
        if name in self.contents or name not in self.files:  # what is not there is built in
            return
        content = lzma.decompress(self.files[name].read_bytes())
        depends = re.search(rb'\0depends=([^\0]*)\0', content)[1].decode()
        for other in filter(None, depends.split(',')):
            self.add(other.replace('-', '_'))
        self.contents[name] = content


def initrd(files, command, below_tmp):
    archive = make_initrd.with_programs(files / 'root')
    archive.add('modules', stat.S_IFDIR | 0o755)
    modules = Modules(files / 'modules')
    for name in MODULES:
        modules.add(name)
    for number, (name, content) in enumerate(modules.contents.items()):
        archive.add(f'modules/{number:02}-{name}.ko', stat.S_IFREG | 0o644, content)
    archive.add('init', stat.S_IFREG | 0o755, (HERE / 'init.sh').read_bytes())
    beginning = f'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root VIRTTDX_GUEST_CACHE={shlex.quote(str(files))}\n'
    archive.add('command', stat.S_IFREG | 0o644, (beginning + command).encode())
    archive.add('below_tmp', stat.S_IFREG | 0o644, ''.join(f'{path}\n' for path in below_tmp if path.is_relative_to('/tmp')).encode())
    return archive.finish()


def wait_for_socket(path, service):
    while not path.exists():
        if service.poll() is not None:
            raise unittest.SkipTest(f'virtiofsd does not run here: {(path.parent / "virtiofsd.log").read_text()}')
        time.sleep(0.02)


def qemu(files, directory, memory, words):
    return ['qemu-system-x86_64', '-machine', 'q35,memory-backend=ram', '-accel', 'tcg,thread=single', '-cpu', 'max,la57=off', '-smp', '2', '-m', memory,
            '-object', f'memory-backend-memfd,id=ram,size={memory}', '-nodefaults', '-display', 'none', '-no-reboot',
            '-serial', f'file:{directory}/kernel', '-device', 'virtio-serial-pci',
            '-chardev', f'file,id=out,path={directory}/output', '-device', 'virtconsole,chardev=out',
            '-chardev', f'socket,id=files,path={directory}/files', '-device', 'vhost-user-fs-pci,chardev=files,tag=host',
            '-kernel', str(files / 'vmlinuz'), '-initrd', f'{directory}/initrd',
            '-append', f'console=ttyS0 quiet panic=-1 apparmor=1 security=apparmor {words}']


def run(command, memory='4G', below_tmp=(), systemd=False):
    """Runs the shell script `command` as root in a machine. Its exit status and what it wrote, both streams.

    `systemd`: with a system manager and its bus. In the machine /tmp is empty but for the directories of `below_tmp`."""
    files = guest_files()
    with tempfile.TemporaryDirectory(prefix='virttdx-vm-') as name:
        directory = pathlib.Path(name)
        (directory / 'initrd').write_bytes(initrd(files, command, (*below_tmp, files)))
        with open(directory / 'virtiofsd.log', 'wb') as log:
            service = subprocess.Popen(  # pylint: disable=consider-using-with
                [find_virtiofsd(), f'--socket-path={directory}/files', '-o', 'source=/', '-o', 'sandbox=chroot', '-o', 'cache=always'],
                stdout=log, stderr=log)
        try:
            wait_for_socket(directory / 'files', service)
            subprocess.run(qemu(files, directory, memory, 'with-systemd' if systemd else ''), check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        finally:
            service.kill()
            service.wait()
        # The console of the machine ends lines as terminals do.
        output = (directory / 'output').read_bytes().replace(b'\r\n', b'\n')
        ended = ENDED.search(output)
        if not ended:
            kernel = (directory / 'kernel').read_bytes()
            raise RuntimeError('the machine ended early: '
                               f'{output[-4000:].decode(errors="replace")}\nkernel: {kernel[-4000:].decode(errors="replace")}')
        return int(ended[1]), output[:ended.start()].decode(errors='replace')
