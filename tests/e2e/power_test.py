# SPDX-License-Identifier: GPL-2.0-or-later
"""virsh shutdown and reboot of Debian 13's stock kernel in a TD, which is told by its ACPI power button."""
import harness
from linux_guest import LinuxTest


class PowerButton(LinuxTest):
    def setUp(self):
        super().setUp()
        self.define(self.make_initrd('power.sh'))
        self.boot()
        self.expect('waits at event')

    def test_ends_a_td_by_shutdown(self):
        self.daemon.virsh('shutdown', 'td', '--mode', 'acpi')
        self.expect('power button')
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td', '--reason').strip() == 'shut off (shutdown)', 'the power-off')
        self.assert_no_errors()

    def test_begins_it_anew_by_reboot(self):
        number = self.daemon.virsh('domid', 'td')
        self.daemon.virsh('reboot', 'td')
        self.expect('power button')
        self.expect('waits at event')
        self.assertEqual(self.daemon.virsh('domid', 'td'), number)
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'running')
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
