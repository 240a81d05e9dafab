# SPDX-License-Identifier: GPL-2.0-or-later
"""Packs an initrd (cpio, newc) with busybox, the C library and an init script.

Usage: make_initrd.py ROOT INIT OUTPUT [MODULES [PROGRAM...]]: ROOT is fetch's root/, INIT the script that becomes /init,
MODULES fetch's modules/: then the drivers that init.sh loads are packed too; each PROGRAM goes to bin/, and a shared
library to where the loader looks for it. The same inputs give the same bytes.
"""
import lzma
import pathlib
import stat
import sys

LIBRARIES = 'usr/lib/x86_64-linux-gnu'
FILES = {
    'bin/busybox': 'usr/bin/busybox',
    'bin/numfmt': 'usr/bin/numfmt',
    'bin/seq': 'usr/bin/seq',
    'lib64/ld-linux-x86-64.so.2': f'{LIBRARIES}/ld-linux-x86-64.so.2',
    'lib/x86_64-linux-gnu/libc.so.6': f'{LIBRARIES}/libc.so.6',
    'lib/x86_64-linux-gnu/libm.so.6': f'{LIBRARIES}/libm.so.6',
    'lib/x86_64-linux-gnu/libresolv.so.2': f'{LIBRARIES}/libresolv.so.2',
}
# Of this folder.
SCRIPTS = {'begin.sh': 'begin.sh', 'bin/kernel_errors': 'kernel_errors.sh'}
# In the order in which they are loaded.
DRIVERS = ('net/core/failover', 'drivers/net/net_failover', 'drivers/net/virtio_net', 'drivers/block/virtio_blk',
           'drivers/scsi/scsi_common', 'drivers/scsi/scsi_mod', 'drivers/scsi/virtio_scsi', 'drivers/cdrom/cdrom',
           'drivers/scsi/sr_mod', 'fs/isofs/isofs',
           'net/vmw_vsock/vsock', 'net/vmw_vsock/vmw_vsock_virtio_transport_common', 'net/vmw_vsock/vmw_vsock_virtio_transport',
           'drivers/char/hw_random/virtio-rng', 'drivers/acpi/button', 'drivers/input/evdev', 'drivers/misc/pvpanic/pvpanic', 'drivers/misc/pvpanic/pvpanic-mmio', 'fs/configfs/configfs', 'drivers/virt/coco/tsm', 'drivers/virt/coco/tdx-guest/tdx-guest')
DIRECTORIES = ('bin', 'dev', 'etc', 'lib', 'lib/x86_64-linux-gnu', 'lib64', 'proc', 'run', 'sys', 'tmp')
# The kernel opens it for /init before anything is mounted.
CONSOLE = ('dev/console', stat.S_IFCHR | 0o600, 5, 1)


class Archive:
    """Entries of a newc archive (Linux: Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self):
        self.parts = []
        self.count = 0

    def add(self, name, mode, content=b'', device=(0, 0)):
        self.count += 1
        fields = (self.count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
        header = b'070701' + b''.join(b'%08X' % field for field in fields)
        self.parts += [padded(header + name.encode() + b'\0'), padded(content)]

    def finish(self):
        self.add('TRAILER!!!', 0)
        return b''.join(self.parts)


def padded(data):
    return data + b'\0' * (-len(data) % 4)


def add_drivers(archive, modules):
    archive.add('modules', stat.S_IFDIR | 0o755)
    (kernel,) = pathlib.Path(modules).glob('*/kernel')
    for number, name in enumerate(DRIVERS):
        content = lzma.decompress((kernel / f'{name}.ko.xz').read_bytes())
        archive.add(f'modules/{number:02}-{pathlib.Path(name).name}.ko', stat.S_IFREG | 0o644, content)


def with_programs(root):
    """An archive that has busybox and the C library."""
    archive = Archive()
    for name in DIRECTORIES:
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add(CONSOLE[0], CONSOLE[1], device=CONSOLE[2:])
    for name, source in FILES.items():
        archive.add(name, stat.S_IFREG | 0o755, (pathlib.Path(root) / source).read_bytes())
    for name, source in SCRIPTS.items():
        archive.add(name, stat.S_IFREG | 0o755, pathlib.Path(__file__).with_name(source).read_bytes())
    return archive


def initrd(root, init, modules=None, *programs):
    archive = with_programs(root)
    if modules:
        add_drivers(archive, modules)
    for program in map(pathlib.Path, programs):
        directory = 'lib/x86_64-linux-gnu' if '.so.' in program.name else 'bin'
        archive.add(f'{directory}/{program.name}', stat.S_IFREG | 0o755, program.read_bytes())
    archive.add('init', stat.S_IFREG | 0o755, pathlib.Path(init).read_bytes())
    return archive.finish()


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    pathlib.Path(sys.argv[3]).write_bytes(initrd(sys.argv[1], sys.argv[2], *sys.argv[4:]))
