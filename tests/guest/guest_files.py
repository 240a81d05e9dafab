# SPDX-License-Identifier: GPL-2.0-or-later
"""Where tests/guest/fetch leaves what boots."""
import os
import pathlib
import subprocess
import unittest

FETCH = pathlib.Path(__file__).resolve().with_name('fetch')
# tests/guest/fetch: the archive cannot be had.
CANNOT_BE_HAD = 77


def guest_files(part='', *options):
    """Fetched once; the test skips where it cannot be."""
    cache = pathlib.Path(os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache')
    files = pathlib.Path(os.environ.get('VIRTTDX_GUEST_CACHE') or cache / 'virttdx/guest') / part
    status = subprocess.run([FETCH, *options, files], check=False).returncode
    if status == CANNOT_BE_HAD:
        raise unittest.SkipTest(f"Debian's packages cannot be fetched to {files}")
    if status != 0:
        raise RuntimeError(f'tests/guest/fetch ended with status {status}')
    return files
