# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel as the TD of a private virttdxd, with a script of tests/guest as its /init."""
import subprocess
import sys

import harness

GUEST = harness.SOURCE / 'tests/guest'
sys.path.insert(0, str(harness.SOURCE / 'tests/tools'))
from host_side import guest_files  # noqa: E402  pylint: disable=wrong-import-position


class LinuxTest(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.files = guest_files()

    def make_initrd(self, init, *programs):
        """In the daemon's directory, under the name of `init`; programs go to bin/."""
        initrd = self.daemon.root / init
        subprocess.run(['python3', GUEST / 'make_initrd.py', self.files / 'root', GUEST / init, initrd, self.files / 'modules', *programs],
                       check=True)
        return initrd

    def define(self, initrd, words='', devices='', text=None):
        """`words` for the kernel, devices besides the example's, and `text` as harness.td_xml() replaces it."""
        boot = (f'<kernel>{self.files}/vmlinuz</kernel><initrd>{initrd}</initrd>'
                f'<cmdline>console=ttyS0 panic=-1 {words}</cmdline></os>')
        self.daemon.define(harness.td_xml(text={'</os>': boot, '  </devices>': devices + '</devices>'} | (text or {})))

    def boot(self):
        self.daemon.virsh('start', 'td', '--paused')
        self.console = self.open_console()
        self.daemon.virsh('resume', 'td')

    def expect(self, text):
        self.assertTrue(self.console.expect(f'guest: {text}', harness.PATIENCE), self.console.text()[-2000:])

    def assert_no_errors(self):
        self.assertNotIn(b'guest: error', self.console.text())
