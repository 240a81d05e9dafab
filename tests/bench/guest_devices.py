#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Throughput and latency of virtio-blk and virtio-net as Debian 13's stock kernel sees them, as a TD on the software TDX
host and as an ordinary guest of QEMU's TCG with the same image and passt, one after the other, and their ratios. QEMU's
guest copies through bounce buffers too (swiotlb=force), as a TD has to: that is most of what a TD pays.

usage: guest_devices.py VIRT_TDX MONITOR GUEST: GUEST is the folder tests/guest
"""
import json
import os
import pathlib
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading

from kernel_against_tcg import FIRMWARE, SKIPPED, fetched

PROGRAMS = {'qemu-system-x86_64': 'qemu-system-x86', 'passt': 'passt', 'c++': 'g++'}
DISK_BYTES = 128 << 20
BOUNCED = 'iommu_platform=on,disable-legacy=on'
# What tests/guest/speeds.sh does: units, and how many of them.
MEASURED = {'disk-read': ('MiB/s', 128), 'disk-write': ('MiB/s', 128), 'disk-read-4k': ('us', 4000),
            'network-receive': ('MiB/s', 64), 'network-send': ('MiB/s', 64), 'network-round-trip': ('us', 2000)}
PATIENCE = 600


class Server(socketserver.BaseRequestHandler):
    """The host's end of device_load: the first letter says what it wants."""

    def handle(self):
        kind = self.request.recv(1)
        try:
            while kind == b'f':
                self.request.sendall(bytes(65536))
            while part := self.request.recv(65536):
                if kind == b'e':
                    self.request.sendall(part)
            self.request.sendall(b'.')
        except ConnectionError:
            pass  # it has what it wanted


def seconds_said(command, descriptors=()):
    """Of one boot: what the guest measured, by name."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=descriptors, check=False, timeout=PATIENCE)
    output = done.stdout.decode(errors='replace')
    said = dict(re.findall(r'guest: ([\w-]+) ([\d.]+)\r?$', output, re.M))
    if set(said) != set(MEASURED):
        sys.exit(f'{command[0]} measured {sorted(said)}: {output[-2000:]}')
    return {name: float(text) for name, text in said.items()}


def on_software_host(virt_tdx, monitor, kernel, disk, directory):
    done = subprocess.run([virt_tdx, 'run', '--host', 'soft', '--json', '--memory', '512M', *kernel], check=True, stdout=subprocess.PIPE)
    config = json.loads(done.stdout)
    config['devices'] = {
        'disks': [{'id': 'virtio-disk0', 'target': 'vda', 'bus': 'virtio-blk', 'address': {'slot': 3},
                   'source': {'protocol': 'file', 'path': str(disk)}}],
        'interfaces': [{'id': 'net0', 'address': {'slot': 4}, 'mac': '52:54:00:12:34:56', 'backend': 'passt'}]}
    file = directory / 'config.json'
    file.write_text(json.dumps(config))
    return seconds_said([monitor, '--config', file, '--console', '--log-level', 'error'])


def in_qemu(kernel, disk):
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(['passt', '--quiet', '--foreground', '--fd', str(theirs.fileno())], pass_fds=[theirs.fileno()]) as passt:
        try:
            return seconds_said(
                ['qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg', '-cpu', 'max', '-m', '512', '-bios', FIRMWARE, '-display', 'none',
                 '-nodefaults', '-serial', 'stdio', '-no-reboot', '-drive', f'file={disk},if=none,id=disk0,format=raw',
                 '-device', f'virtio-blk-pci,drive=disk0,{BOUNCED}', '-netdev',
                 f'stream,id=net0,server=off,addr.type=fd,addr.str={ours.fileno()}', '-device', f'virtio-net-pci,netdev=net0,{BOUNCED}',
                 *(word[1:] if str(word).startswith('--') else word for word in kernel)], [ours.fileno()])
        finally:
            passt.terminate()


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    virt_tdx, monitor, guest = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    files = fetched(guest)
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if not files or missing or not os.path.exists(FIRMWARE):
        print(f"skipped: Debian 13's kernel, {FIRMWARE} (ovmf) and {', '.join(PROGRAMS.values())} are needed")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix='virttdx-speeds-') as name, \
            socketserver.ThreadingTCPServer(('127.0.0.1', 0), Server) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        directory = pathlib.Path(name)
        disk, load, initrd = directory / 'disk.img', directory / 'device_load', directory / 'initrd'
        disk.write_bytes(os.urandom(1 << 20) * (DISK_BYTES >> 20))
        subprocess.run(['c++', '-O2', '-static', '-o', load, guest / 'device_load.cc'], check=True)
        subprocess.run(['python3', guest / 'make_initrd.py', files / 'root', guest / 'speeds.sh', initrd, files / 'modules', load], check=True)
        kernel = ['--kernel', files / 'vmlinuz', '--initrd', initrd, '--append',
                  f'console=ttyS0 panic=-1 swiotlb=force port={server.server_address[1]}']
        ours = on_software_host(virt_tdx, monitor, kernel, disk, directory)
        theirs = in_qemu(kernel, disk)
        server.shutdown()
    print(f'{"":24}  softhost      QEMU  times as fast')
    for name, (unit, amount) in MEASURED.items():
        values = [amount / seconds if unit == 'MiB/s' else seconds / amount * 1e6 for seconds in (ours[name], theirs[name])]
        print(f'{name + " (" + unit + ")":24}{values[0]:10.1f}{values[1]:10.1f}{theirs[name] / ours[name]:15.2f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
