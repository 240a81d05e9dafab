# SPDX-License-Identifier: GPL-2.0-or-later
"""virsh shutdown and reboot of Debian 13's stock kernel in a TD, which is told by its ACPI power button."""
import libvirt

import harness
from lifecycle_events import LifecycleEvents
from linux_guest import LinuxTest


class PowerButton(LinuxTest):
    def setUp(self):
        super().setUp()
        self.define(self.make_initrd('power.sh'))
        self.connection = libvirt.open(self.daemon.uri)
        self.addCleanup(self.connection.close)
        self.events = LifecycleEvents(self.connection)
        self.boot()
        self.expect('waits at event')

    def test_ends_a_td_by_shutdown(self):
        self.daemon.virsh('shutdown', 'td', '--mode', 'acpi')
        self.expect('power button')
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN))
        self.assertEqual(self.events.seen[-2], (libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_GUEST))
        self.assertEqual(self.daemon.virsh('domstate', 'td', '--reason').strip(), 'shut off (shutdown)')
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
