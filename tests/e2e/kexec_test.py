# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel in a TD goes to another one by kexec."""
import subprocess

import harness
from linux_guest import GUEST, LinuxTest


class Kexec(LinuxTest):
    def test_goes_to_another_kernel(self):
        program = self.daemon.root / 'kexec'
        subprocess.run(['c++', '-O2', '-static', '-o', program, GUEST / 'kexec.cc'], check=True)
        second = self.make_initrd('kexec.sh').rename(self.daemon.root / 'second')
        (self.daemon.root / 'inner').mkdir()
        second = second.rename(self.daemon.root / 'inner/kexec.sh')
        self.define(self.make_initrd('kexec.sh', program, self.files / 'vmlinuz', second), text={'<vcpu>1</vcpu>': '<vcpu>2</vcpu>'})
        self.boot()
        self.expect('first kernel with 2')
        # The firmware's mailbox wakes a CPU up once.
        self.expect('second kernel with 1')
        self.expect(r'kernel \[ *[0-9.]*\] smpboot: do_boot_cpu failed\(-95\) to wakeup CPU#1')
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td', '--reason').strip() == 'shut off (shutdown)', 'the power-off')
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
