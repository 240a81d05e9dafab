# SPDX-License-Identifier: GPL-2.0-or-later
"""A panic of Debian 13's stock kernel in a TD that has a panic device, and in one that has none."""
import libvirt

import harness
from lifecycle_events import LifecycleEvents
from linux_guest import LinuxTest

PANIC_DEVICE = "<panic model='isa'/>"


class Panic(LinuxTest):
    def begin(self, on_crash, devices=PANIC_DEVICE):
        self.define(self.make_initrd('panic.sh'), devices=devices,
                    text={'  <features>': f'  <on_crash>{on_crash}</on_crash>\n  <features>'})
        connection = libvirt.open(self.daemon.uri)
        self.addCleanup(connection.close)
        self.events = LifecycleEvents(connection)
        self.boot()
        self.expect('waits')

    def wait_for(self, state):
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td', '--reason').strip() == state, state)

    def test_is_a_crash_that_can_be_kept(self):
        self.begin('preserve')
        self.assertIn(b'guest: pvpanic 3', self.console.text())
        self.console.send('\\n')
        self.wait_for('crashed (panicked)')
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_CRASHED, libvirt.VIR_DOMAIN_EVENT_CRASHED_PANICKED))
        self.assertIn(PANIC_DEVICE, self.daemon.virsh('dumpxml', 'td').replace('"', "'"))

    def test_makes_a_new_td_with_restart(self):
        self.begin('restart')
        self.console.send('\\n')
        self.expect('waits')
        self.assertEqual(self.daemon.virsh('domstate', 'td', '--reason').strip(), 'running (crashed)')

    def test_is_the_guests_own_affair_without_the_device(self):
        self.begin('preserve', devices='')
        self.assertNotIn(b'guest: pvpanic', self.console.text())
        self.console.send('\\n')
        self.expect('waits')
        self.assertNotIn(libvirt.VIR_DOMAIN_EVENT_CRASHED, [event for event, _ in self.events.seen])


if __name__ == '__main__':
    harness.main()
