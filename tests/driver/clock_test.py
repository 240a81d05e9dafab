#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of a guest that sets its clock, with a fake monitor.

Usage: clock_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
from daemon_case import XML, DaemonTest, libvirt, main, wait_until

MOVED = 7200  # by the fake monitor's guest


class Clock(DaemonTest):
    def start(self, clock):
        self.domain = self.define(xml=XML.replace('<devices>', f'<clock {clock}/><devices>'))
        self.changes = []
        self.connection.domainEventRegisterAny(self.domain, libvirt.VIR_DOMAIN_EVENT_ID_RTC_CHANGE,
                                               lambda _c, domain, seconds, _o: self.changes.append((domain.name(), seconds)), None)
        self.domain.create()

    def set_by_guest(self):
        stream = self.connection.newStream()
        self.domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        self.changes.clear()
        stream.send(b'@')
        wait_until(lambda: self.changes, 'the event')
        stream.abort()

    def test_that_is_variable_keeps_what_the_guest_has_set_over_a_restart_of_the_daemon(self):
        self.start("offset='variable' adjustment='-3600' basis='utc'")
        self.set_by_guest()
        self.assertEqual(self.changes, [('td', MOVED - 3600)])
        kept = f"<clock offset='variable' adjustment='{MOVED - 3600}' basis='utc'/>"
        self.assertIn(kept, self.domain.XMLDesc())
        self.restart_daemon()
        self.assertIn(kept, self.connection.lookupByName('td').XMLDesc())
        # The next run begins with the definition, as with libvirt's drivers.
        self.assertIn("adjustment='-3600'", self.connection.lookupByName('td').XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def test_that_was_set_while_nobody_listened_is_asked_of_the_monitor(self):
        self.start("offset='variable' adjustment='-3600' basis='utc'")
        stream = self.connection.newStream()
        self.domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        stream.send(b'#')
        stream.finish()
        self.assertIn("adjustment='-3600'", self.domain.XMLDesc())
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        wait_until(lambda: f"adjustment='{MOVED - 3600}'" in domain.XMLDesc(), 'the clock')

    def test_that_is_utc_stays_so(self):
        self.start("offset='utc'")
        self.set_by_guest()
        self.assertEqual(self.changes, [('td', MOVED)])
        self.assertIn("<clock offset='utc'/>", self.domain.XMLDesc())

    def test_that_moves_utc_or_local_time_by_seconds_is_variable(self):
        for offset in ('utc', 'localtime'):
            domain = self.define(xml=XML.replace('<devices>', f"<clock offset='{offset}' adjustment='60'/><devices>"))
            self.assertIn(f"<clock offset='variable' adjustment='60' basis='{offset}'/>", domain.XMLDesc())


if __name__ == '__main__':
    main()
