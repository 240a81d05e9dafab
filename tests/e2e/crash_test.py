# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD that reports a fatal error (tests/vmm-backend/payload, which does it at its end), seen from outside."""
import re

import harness
from harness import BUILD, PATIENCE, td_xml, wait_until

PAYLOAD = BUILD / 'tests/vmm-backend/payload/payload.fd'
# The payload's last words: TDG.VP.VMCALL<ReportFatalError>.
MESSAGE = 'guest reports fatal error 0x99: "all good!", data at 0x123000'


class Crash(harness.DaemonTest):
    def start(self, on_crash):
        # Without SEPT_VE_DISABLE the payload goes through all of its cases.
        self.daemon.define(td_xml(firmware=PAYLOAD, text={
            '0x10000000': '0x0', '  <features>': f'  <on_crash>{on_crash}</on_crash>\n  <features>'}))
        self.daemon.virsh('start', 'td')

    def wait_for(self, state):
        wait_until(lambda: self.daemon.virsh('domstate', '--reason', 'td').strip() == state, state)

    def test_ends_the_domain(self):
        self.start('destroy')
        self.wait_for('shut off (crashed)')
        self.assertIn(MESSAGE, self.daemon.domain_log('td'))

    def test_can_be_kept(self):
        self.start('preserve')
        self.wait_for('crashed (panicked)')
        self.assertIn(MESSAGE, self.daemon.virsh('dominfo', 'td'))
        console = self.open_console('--force')
        self.assertTrue(console.expect('TDG.VM.WR locked', PATIENCE), 'what the guest had written')
        console.close()
        self.assertRegex(self.daemon.virsh('domlaunchsecinfo', 'td'), re.compile('mrtd', re.IGNORECASE))
        self.assertIn('domain has crashed', self.daemon.virsh_error('resume', 'td'))
        self.daemon.kill()
        self.daemon.start()
        self.wait_for('crashed (panicked)')
        self.daemon.virsh('reset', 'td')
        self.wait_for('paused (crashed)')
        self.daemon.virsh('resume', 'td')
        self.wait_for('crashed (panicked)')
        self.daemon.virsh('destroy', 'td')
        self.wait_for('shut off (destroyed)')


if __name__ == '__main__':
    harness.main()
