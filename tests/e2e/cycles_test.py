# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD that starts and powers off over and over leaves nothing behind: no descriptor, no process, no file, no memory.

Usage: cycles_test.py FIRMWARE [CYCLES]: FIRMWARE powers off at once.
"""
import contextlib
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest
from collections import Counter

import libvirt

import harness

FIRMWARE = pathlib.Path(sys.argv[1]).resolve()
CYCLES = int(sys.argv[2]) if len(sys.argv) > 2 else 20
# Until then the daemon reads what it keeps.
WARM_UP = 5
# Threads and allocators may take more at any time; a leak of 1 KiB a cycle grows by more than this in every so many.
WINDOW, WINDOW_SLACK_KIB = 10, 8
libvirt.registerErrorHandler(lambda context, error: None, None)


def links(directory):
    """Where the links of a directory lead; others go meanwhile."""
    for entry in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(entry)


def files_below(root):
    """Paths of files, directories included; some go meanwhile."""
    return sorted(os.path.relpath(os.path.join(directory, name), root)
                  for directory, directories, files in os.walk(root) for name in directories + files)


def parent(stat):
    """The parent of a process (proc_pid_stat(5)), nothing once it has gone."""
    try:
        return stat.read_text().rpartition(')')[2].split()[1]
    except OSError:
        return None


class ATd(harness.DaemonTest):
    cycles = CYCLES

    def devices(self):
        return ''

    def setUp(self):
        super().setUp()
        self.daemon.define(harness.td_xml(firmware=FIRMWARE, text={'<memory unit=\'MiB\'>512': '<memory unit=\'MiB\'>64',
                                                                   '  </devices>': self.devices() + '</devices>'}))
        connection = libvirt.open(self.daemon.uri)
        self.addCleanup(connection.close)
        self.domain = connection.lookupByName('td')

    def cycle(self):
        # Else the TD is over before the daemon has met its monitor.
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.domain.resume()
        harness.wait_until(lambda: not self.domain.isActive(), 'the TD to power off')
        self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN])

    def holdings(self):
        """What the daemon has: descriptors, children, files."""
        process = pathlib.Path(f'/proc/{self.daemon.process.pid}')
        descriptors = sorted(re.sub(r'\d+', 'N', link) for link in links(process / 'fd'))
        children = [stat.parent.name for stat in pathlib.Path('/proc').glob('[0-9]*/stat') if parent(stat) == process.name]
        return descriptors, children, files_below(self.daemon.root)

    def left_behind(self, before):
        """What there is more of than before, when a thread that was ending may have had some."""
        return [held for now, then in zip(self.holdings(), before) for held in (Counter(now) - Counter(then)).elements()]

    def memory_kib(self):
        status = pathlib.Path(f'/proc/{self.daemon.process.pid}/status').read_text()
        return int(re.search(r'VmRSS:\s+(\d+)', status)[1])

    def test_that_starts_and_powers_off_leaves_nothing_behind(self):
        for _ in range(WARM_UP):
            self.cycle()
        before, memory, begun = self.holdings(), [self.memory_kib()], time.monotonic()
        for _ in range(0, self.cycles, WINDOW):
            for _ in range(WINDOW):
                self.cycle()
            memory.append(self.memory_kib())
        seconds = time.monotonic() - begun
        print(f'# {self.cycles} cycles of {1000 * seconds / self.cycles:.0f} ms; memory of the daemon {memory} KiB; '
              f'{len(before[0])} descriptors, {len(before[2])} files', flush=True)
        harness.wait_until(lambda: not self.left_behind(before), f'{self.left_behind(before)} to go')
        self.assertLessEqual(min(after - earlier for earlier, after in itertools.pairwise(memory)), WINDOW_SLACK_KIB)


class ATdWithDevices(ATd):
    cycles = max(50, CYCLES)
    # Passed on to passt: tells this test's from those of others.
    mtu = 1480 + os.getpid() % 200

    def devices(self):
        image, qcow2 = self.daemon.root / 'disk.img', self.daemon.root / 'disk.qcow2'
        for image_format, path in (('raw', image), ('qcow2', qcow2)):
            subprocess.run(['qemu-img', 'create', '-q', '-f', image_format, path, '1M'], check=True)
        interface = f"<interface type='user'><backend type='passt'/><model type='virtio'/><mtu size='{self.mtu}'/></interface>"
        return (f"<disk type='file'><driver name='qemu' type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
                f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{qcow2}'/><target dev='vdb' bus='virtio'/></disk>"
                f"<vsock model='virtio'><cid auto='yes'/></vsock>{interface if shutil.which('passt') else ''}")

    def holdings(self):
        """And helpers of the TD that outlived it."""
        helpers = subprocess.run(['pgrep', '-fa', f'qemu-storage-daemon .*{self.daemon.root}|^passt.* --mtu {self.mtu}'],
                                 capture_output=True, text=True, check=False).stdout.splitlines()
        return *super().holdings(), helpers


if __name__ == '__main__':
    del sys.argv[1:]
    harness.main()
