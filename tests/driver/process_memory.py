# SPDX-License-Identifier: GPL-2.0-or-later
"""How much memory a process has or had: VmRSS, VmHWM of proc(5)."""
import pathlib
import re


def memory_kib(pid, figure):
    return int(re.search(rf'{figure}:\s+(\d+) kB', pathlib.Path(f'/proc/{pid}/status').read_text())[1])


def assert_memory_less(test, pid, figure, kib):
    """A sanitized process is not judged: its sanitizer keeps what has been freed."""
    if 'libasan' not in pathlib.Path(f'/proc/{pid}/maps').read_text():
        test.assertLess(memory_kib(pid, figure), kib)
