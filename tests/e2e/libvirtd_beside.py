# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's own daemon beside a private virttdxd, which finds in its /run/libvirt what it would find in the host's."""
import sys
import unittest

import harness

sys.path.insert(0, str(harness.SOURCE / 'tests/differential'))
import daemons  # noqa: E402  pylint: disable=wrong-import-position

PATH = daemons.PATH


def skip_unless_possible():
    if reason := daemons.missing():
        raise unittest.SkipTest(reason)


def begin_libvirtd(test):
    """Its socket, and the token that opens private secrets. Ends with the test."""
    libvirtd = daemons.PrivateLibvirtd(test.daemon.root / 'libvirtd')
    test.addCleanup(libvirtd.end)
    harness.wait_until((libvirtd.folder / 'libvirt-sock').exists, 'libvirtd')
    for name in ('libvirt-sock', 'common'):
        (test.daemon.root / 'run/libvirt' / name).symlink_to(libvirtd.folder / name)
