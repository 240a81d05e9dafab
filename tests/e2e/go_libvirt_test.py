# SPDX-License-Identifier: GPL-2.0-or-later
"""go-libvirt (Debian's package golang-github-digitalocean-go-libvirt-dev), which speaks the wire protocol itself, takes a TD through its life."""
import pathlib
import shutil
import subprocess

import harness

PACKAGES = pathlib.Path('/usr/share/gocode')
PROGRAM = harness.SOURCE / 'tests/e2e/go_libvirt.go'
SAID = """type: TDX
defined: td -1
is a TD: true
started: state 1, reason 1
suspended: state 3, reason 1
statistics: td, more than 20: true
memory is told: true
destroyed: state 5, reason 2
event: 0, 0
event: 4, 0
event: 2, 0
event: 3, 0
event: 4, 0
event: 6, 2
event: 5, 1
event: 1, 0
gone: true
"""


class GoLibvirt(harness.DaemonTest):
    def setUp(self):
        if not shutil.which('go') or not (PACKAGES / 'src/github.com/digitalocean/go-libvirt').exists():
            self.skipTest('no packages golang-go and golang-github-digitalocean-go-libvirt-dev')
        super().setUp()

    def test_takes_a_td_through_its_life(self):
        client, definition = self.daemon.root / 'client', self.daemon.root / 'td.xml'
        definition.write_text(harness.td_xml())
        environment = harness.ENVIRONMENT | {'GOPATH': str(PACKAGES), 'GO111MODULE': 'off', 'GOFLAGS': '', 'GOCACHE': str(self.daemon.root / 'cache')}
        subprocess.run(['go', 'build', '-o', client, PROGRAM], check=True, env=environment, cwd=self.daemon.root)
        result = subprocess.run([client, self.daemon.socket, definition], capture_output=True, text=True, check=False, timeout=harness.PATIENCE)
        self.assertEqual(result.stdout, SAID, result.stderr)


if __name__ == '__main__':
    harness.main()
