# SPDX-License-Identifier: GPL-2.0-or-later
"""virsh attach-disk and detach-disk while Debian 13's stock kernel runs as a TD and uses the disk."""
import os
import pathlib
import subprocess
import sys

import harness

GUEST = harness.SOURCE / 'tests/guest'
sys.path.insert(0, str(harness.SOURCE / 'tests/tools'))
from linux_devices_test import guest_files  # noqa: E402  pylint: disable=wrong-import-position

ENVIRONMENT = os.environ | {'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}


class HotPlug(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        files = guest_files()
        self.disk, initrd = self.daemon.root / 'disk.img', self.daemon.root / 'initrd'
        content = pathlib.Path(self.daemon.root / 'content')
        content.mkdir()
        (content / 'hello.txt').write_text('from the disk')
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-d', content, self.disk, '32M'], check=True, env=ENVIRONMENT, capture_output=True)
        subprocess.run(['python3', GUEST / 'make_initrd.py', files / 'root', GUEST / 'hotplug.sh', initrd, files / 'modules'], check=True)
        boot = f'<kernel>{files}/vmlinuz</kernel><initrd>{initrd}</initrd><cmdline>console=ttyS0 panic=-1</cmdline></os>'
        port = "<controller type='pci' model='pcie-root-port'/></devices>"
        self.daemon.define(harness.td_xml(text={'</os>': boot, '</devices>': port}))

    def expect(self, text):
        self.assertTrue(self.console.expect(f'guest: {text}', harness.PATIENCE), self.console.text()[-2000:])

    def written(self):
        return subprocess.run(['debugfs', '-R', 'cat /written.txt', self.disk], check=True, capture_output=True, text=True,
                              env=ENVIRONMENT).stdout

    def boot(self):
        self.daemon.virsh('start', 'td', '--paused')
        self.console = self.open_console()
        self.daemon.virsh('resume', 'td')

    def attach(self):
        self.daemon.virsh('attach-disk', 'td', self.disk, 'vda', '--targetbus', 'virtio', '--live')

    def test_a_disk_that_came_is_there_after_a_reset(self):
        self.boot()
        self.expect('waiting for the first disk')
        self.attach()
        self.expect('first disk unmounted')
        self.daemon.virsh('reset', 'td')
        self.expect('waiting for the first disk')
        self.expect('first disk unmounted')
        self.assertIn('vda', self.daemon.virsh('domblklist', 'td'))

    def test_a_disk_comes_is_used_goes_and_comes_again(self):
        self.boot()
        for turn in ('first', 'second'):
            self.expect(f'waiting for the {turn} disk')
            self.attach()
            self.expect(f'{turn} disk holds from the disk')
            self.assertIn('vda', self.daemon.virsh('domblklist', 'td'))
            self.expect(f'{turn} disk unmounted')
            self.daemon.virsh('detach-disk', 'td', 'vda', '--live')
            self.expect(f'{turn} disk gone')
            harness.wait_until(lambda: 'vda' not in self.daemon.virsh('domblklist', 'td'), 'the disk to be gone')
            self.assertEqual(self.written(), f'written in the {turn} turn\n')
        self.expect('end')
        self.assertNotIn(b'guest: error', self.console.text())


if __name__ == '__main__':
    harness.main()
