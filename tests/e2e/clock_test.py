# SPDX-License-Identifier: GPL-2.0-or-later
"""What time Debian 13's stock kernel, as a TD, finds in its RTC, and what becomes of the definition when it sets it."""
import re
import time

import harness
from linux_guest import LinuxTest

INDIA = 19800  # Asia/Kolkata has no summer time
HOUR = 3600


class Clock(LinuxTest):
    def boot_with(self, clock):
        """The time that the guest began with, and the host's before it."""
        self.define(self.make_initrd('clock.sh'), text={'  <devices>': f'  <clock {clock}/>\n  <devices>'})
        before = int(time.time())
        self.boot()
        self.expect('rtc set')
        return int(re.search(rb'guest: time (\d+)\n', self.console.text())[1]), before

    def assert_about(self, seconds, expected):
        """A boot is no longer than a quarter of an hour; the second that an RTC is in can be the one before."""
        self.assertTrue(expected - 5 <= seconds < expected + HOUR // 4, f'{seconds}, not {expected}')

    def test_is_local_time_of_a_zone(self):
        told, before = self.boot_with("offset='timezone' timezone='Asia/Kolkata'")
        self.assert_about(told, before + INDIA)
        self.console.send('\\n')
        self.expect('end')
        self.assert_no_errors()

    def test_begins_with_a_moment(self):
        told, _ = self.boot_with("offset='absolute' start='1000000000'")
        self.assert_about(told, 1000000000)

    def test_is_kept_in_the_live_definition_when_the_guest_sets_it(self):
        told, before = self.boot_with("offset='variable' adjustment='-86400' basis='localtime'")
        self.assert_about(told, before + time.localtime().tm_gmtoff - 24 * HOUR)

        def adjustment():
            return int(re.search(r"<clock offset='variable' adjustment='(-?\d+)'", self.daemon.virsh('dumpxml', 'td'))[1])
        harness.wait_until(lambda: adjustment() != -86400, 'the new adjustment')
        self.assert_about(adjustment(), 2 * HOUR - 24 * HOUR)


if __name__ == '__main__':
    harness.main()
