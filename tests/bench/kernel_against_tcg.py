#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots Debian 13's stock kernel with the tests' initrd as a TD on the software TDX host and as an ordinary guest of
QEMU's TCG, one after the other, and prints seconds from launch to user space and to the end of the initrd's
programs, and their ratios.

usage: kernel_against_tcg.py VIRT_TDX MONITOR GUEST [ROUNDS [VCPUS]]: GUEST is the folder tests/guest
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

FIRMWARE = '/usr/share/ovmf/OVMF.fd'
SKIPPED = 77
APPEND = 'console=ttyS0 panic=-1'
MARKS = (b'guest: user space', b'guest: end')


def seconds_to_marks(command, environment):
    """Of one boot; the guest powers off behind the last mark."""
    start = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment) as guest:
        seen, reached = b'', []
        while part := os.read(guest.stdout.fileno(), 65536):
            seen += part
            while len(reached) < len(MARKS) and MARKS[len(reached)] in seen:
                reached.append(time.monotonic() - start)
    if len(reached) != len(MARKS):
        sys.exit(f'{command[0]} ended before {MARKS[len(reached)].decode()!r}: {seen[-2000:].decode(errors="replace")}')
    return reached


def fetched(guest):
    """The folder with the kernel, or nothing when it cannot be had."""
    cache = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache')
    files = pathlib.Path(os.environ.get('VIRTTDX_GUEST_CACHE') or cache / 'virttdx/guest')
    return files if subprocess.run([guest / 'fetch', files], check=False).returncode == 0 else None


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    virt_tdx, monitor, guest = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    rounds, vcpus = (int(text) for text in (sys.argv[4:] + ['3', '1'][len(sys.argv) - 4:])[:2])
    files = fetched(guest)
    if not (files and shutil.which('qemu-system-x86_64') and os.path.exists(FIRMWARE)):
        print(f"skipped: Debian 13's kernel, qemu-system-x86_64 (qemu-system-x86) and {FIRMWARE} (ovmf) are needed")
        return SKIPPED
    with tempfile.NamedTemporaryFile(prefix='virttdx-initrd-') as initrd:
        subprocess.run(['python3', guest / 'make_initrd.py', files / 'root', guest / 'init.sh', initrd.name], check=True)
        kernel = ['--kernel', files / 'vmlinuz', '--initrd', initrd.name, '--append', APPEND]
        ours = [virt_tdx, 'run', '--host', 'soft', '--memory', '512M', '--vcpus', str(vcpus), *kernel]
        theirs = ['qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg', '-cpu', 'max', '-m', '512', '-smp', str(vcpus),
                  '-bios', FIRMWARE, '-display', 'none', '-nodefaults', '-serial', 'stdio', '-no-reboot',
                  *(word[1:] if str(word).startswith('--') else word for word in kernel)]
        environment = os.environ | {'VIRTTDX_VMM': monitor}
        print('          user space (s)        end of programs (s)\nround   softhost   QEMU ratio   softhost   QEMU ratio')
        for number in range(1, rounds + 1):
            pairs = zip(seconds_to_marks(ours, environment), seconds_to_marks(theirs, None))
            print(f'{number:5}   ' + '   '.join(f'{a:8.2f} {b:6.2f} {a / b:5.2f}' for a, b in pairs), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
