# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD that starts and powers off over and over leaves nothing behind: no descriptor, no process, no file, no memory.

Usage: cycles_test.py FIRMWARE [CYCLES]: FIRMWARE powers off at once.
"""
import os
import pathlib
import re
import sys
import time
import unittest

import libvirt

import harness

FIRMWARE = pathlib.Path(sys.argv[1]).resolve()
CYCLES = int(sys.argv[2]) if len(sys.argv) > 2 else 20
# Until then the daemon reads what it keeps.
WARM_UP = 5
# Of an allocator that rounds up; a leak of 4 KiB a cycle would exceed it in 200 cycles.
MEMORY_SLACK_KIB = 768
libvirt.registerErrorHandler(lambda context, error: None, None)


def parent(stat):
    """The parent of a process (proc_pid_stat(5)), nothing once it has gone."""
    try:
        return stat.read_text().rpartition(')')[2].split()[1]
    except OSError:
        return None


class ATd(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.daemon.define(harness.td_xml(firmware=FIRMWARE, text={'<memory unit=\'MiB\'>512': '<memory unit=\'MiB\'>64'}))
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
        descriptors = sorted(re.sub(r'\d+', 'N', os.readlink(entry)) for entry in (process / 'fd').iterdir())
        children = [stat.parent.name for stat in pathlib.Path('/proc').glob('[0-9]*/stat') if parent(stat) == process.name]
        return descriptors, children, sorted(path.relative_to(self.daemon.root) for path in self.daemon.root.rglob('*'))

    def memory_kib(self):
        status = pathlib.Path(f'/proc/{self.daemon.process.pid}/status').read_text()
        return int(re.search(r'VmRSS:\s+(\d+)', status)[1])

    def test_that_starts_and_powers_off_leaves_nothing_behind(self):
        for _ in range(WARM_UP):
            self.cycle()
        before, memory, begun = self.holdings(), self.memory_kib(), time.monotonic()
        for _ in range(CYCLES):
            self.cycle()
        seconds = time.monotonic() - begun
        print(f'# {CYCLES} cycles of {1000 * seconds / CYCLES:.0f} ms; memory of the daemon from {memory} to '
              f'{self.memory_kib()} KiB; {len(before[0])} descriptors, {len(before[2])} files', flush=True)
        harness.wait_until(lambda: self.holdings() == before, f'{self.holdings()} to become {before}')
        self.assertLess(self.memory_kib(), memory + MEMORY_SLACK_KIB)


if __name__ == '__main__':
    del sys.argv[1:]
    harness.main()
