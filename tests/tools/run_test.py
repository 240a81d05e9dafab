# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-tdx run in a terminal: how it ends, and with which exit status (EXIT STATUS of virt-tdx(1)).

Usage: run_test.py POWERS_OFF IDLES CRASHES: firmware that does so.
"""
import os
import pathlib
import pty
import select
import subprocess
import sys
import termios
import time
import unittest

import harness
from harness import PATIENCE

POWERS_OFF, IDLES, CRASHES = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
ENDED, CRASHED, WRONG_USAGE = 0, 1, 2
LOCAL_FLAGS = 3


class Run(unittest.TestCase):
    def start(self, *words):
        self.controller, terminal = pty.openpty()
        self.addCleanup(os.close, self.controller)
        # Open in the test too: its settings are to be seen when the program has ended.
        self.addCleanup(os.close, terminal)
        self.before = termios.tcgetattr(terminal)
        self.program = subprocess.Popen([harness.BUILD / 'tools/virt-tdx', 'run', '--host', 'soft', '--memory', '64M', *words],
                                        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
        self.addCleanup(self.program.wait)
        self.addCleanup(self.program.kill)
        self.output = b''

    def read(self):
        """What has come by now."""
        while select.select([self.controller], [], [], 0.05)[0]:
            self.output += os.read(self.controller, 65536)

    def wait_until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, f'{what}: {self.output}')
            self.read()

    def type(self, keys):
        """Once the program listens: it makes the terminal raw then."""
        self.wait_until(lambda: not termios.tcgetattr(self.controller)[LOCAL_FLAGS] & termios.ICANON, 'a raw terminal')
        os.write(self.controller, keys)

    def end(self):
        """The exit status. The terminal is left as it was found."""
        self.wait_until(lambda: self.program.poll() is not None, 'the end')
        self.read()
        self.assertEqual(termios.tcgetattr(self.controller), self.before)
        return self.program.returncode

    def test_ctrl_a_x_ends_it(self):
        self.start('--firmware', IDLES)
        # Ctrl-C is the guest's.
        self.type(b'\x03\x01x')
        self.assertEqual(self.end(), ENDED, self.output)

    def test_the_guests_power_off_ends_it(self):
        self.start('--firmware', POWERS_OFF)
        self.assertEqual(self.end(), ENDED, self.output)

    def test_a_crash_is_told_and_ends_it_with_status_1(self):
        self.start('--firmware', CRASHES)
        self.assertEqual(self.end(), CRASHED, self.output)
        self.assertIn(b'which the guest has not accepted', self.output)

    def test_wrong_options_end_it_with_status_2(self):
        for words, said in ((['--memory', 'much'], b'--memory'), (['--nonsense'], b'nonsense'), (['--initrd', '/dev/null'], b'--kernel'),
                            (['--firmware', '/etc/hostname'], b'no TDVF metadata')):
            self.start(*words)
            self.assertEqual(self.end(), WRONG_USAGE, self.output)
            self.assertIn(said, self.output)


if __name__ == '__main__':
    harness.main()
