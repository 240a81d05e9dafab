# SPDX-License-Identifier: GPL-2.0-or-later
"""What the quickstart does, step by step, with the real virsh."""
import re
import subprocess
import unittest

import harness
from harness import BUILD, MRTD_OF_DEBIAN_12, PATIENCE, td_xml


class TheWholeWay(harness.DaemonTest):
    def test_from_define_to_the_shell_and_back(self):
        daemon = self.daemon
        self.assertIn("<tdx supported='yes'", daemon.virsh('domcapabilities'))
        self.assertIn('td', daemon.define(td_xml()))
        daemon.virsh('start', 'td')
        console = self.boot_to_shell()
        console.send('ver\\r')
        self.assertTrue(console.expect(r'UEFI v\d', PATIENCE))
        self.check_dominfo(daemon.virsh('dominfo', 'td'))
        self.check_launch_security(daemon.virsh('domlaunchsecinfo', 'td'))
        self.check_cpuid()
        daemon.virsh('destroy', 'td')
        self.assertEqual(daemon.virsh('domstate', 'td').strip(), 'shut off')
        daemon.virsh('undefine', 'td')
        self.assertEqual(daemon.virsh('list', '--all', '--name').strip(), '')

    def check_dominfo(self, text):
        self.assertRegex(text, r'State:\s+running')
        self.assertRegex(text, r'Max memory:\s+524288 KiB')
        self.assertRegex(text, r'CPU\(s\):\s+1')
        self.assertIn('software TDX host', text)

    def check_launch_security(self, text):
        self.assertIn(MRTD_OF_DEBIAN_12, text)
        self.assertRegex(text, r'tdx-attributes\s*:\s*(0x10000000|268435456)')
        self.assertIn('software TDX host', text)

    def check_cpuid(self):
        done = subprocess.run([BUILD / 'tools/virt-tdx', 'cpuid', '--connect', self.daemon.uri, 'td'],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertRegex(done.stdout, r'CPUID\.\w+')

    def test_the_guest_resets_and_comes_back_in_the_same_console(self):
        self.daemon.define(td_xml())
        self.daemon.virsh('start', 'td')
        console = self.boot_to_shell()
        console.send('reset\\r')
        self.assertTrue(console.expect('UEFI Interactive Shell', PATIENCE), console.text()[-500:])
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'running')

    def test_the_guest_powers_off(self):
        self.daemon.define(td_xml())
        self.daemon.virsh('start', 'td')
        console = self.boot_to_shell()
        console.send('reset -s\\r')
        harness.wait_until(lambda: self.daemon.virsh('domstate', 'td').strip() == 'shut off', 'power-off')
        self.assertRegex(self.daemon.virsh('domstate', '--reason', 'td'), r'shut off \(shutdown\)')

    def test_suspend_stops_the_guest_and_resume_goes_on(self):
        self.daemon.define(td_xml())
        self.daemon.virsh('start', 'td')
        console = self.boot_to_shell()
        self.daemon.virsh('suspend', 'td')
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'paused')
        console.send('ver\\r')
        self.assertFalse(console.expect('UEFI v', 1))
        self.daemon.virsh('resume', 'td')
        self.assertTrue(console.expect('UEFI v', PATIENCE))


class TheConsole(harness.DaemonTest):
    def test_is_given_to_one_and_taken_with_force(self):
        self.daemon.define(td_xml())
        self.daemon.virsh('start', 'td')
        first = self.boot_to_shell()
        self.assertIn('Active console session exists', self.refused_console())
        second = self.open_console('--force')
        second.send('ver\\r')
        self.assertTrue(second.expect('UEFI v', PATIENCE), second.text()[-300:])
        self.assertFalse(re.search(b'UEFI v2[^I]*$', first.text()[first.matched:]))

    def refused_console(self):
        console = self.daemon.console('td')
        self.addCleanup(console.close)
        try:
            while True:
                console.read(PATIENCE)
        except EOFError:
            return console.text().decode(errors='replace')


class TwoTds(harness.DaemonTest):
    def test_run_at_once(self):
        for name in ('one', 'two'):
            self.daemon.define(td_xml(name))
            self.daemon.virsh('start', name)
        for name in ('one', 'two'):
            self.boot_to_shell(name)
        self.assertEqual(sorted(self.daemon.virsh('list', '--name').split()), ['one', 'two'])
        self.daemon.virsh('destroy', 'one')
        self.assertEqual(self.daemon.virsh('domstate', 'two').strip(), 'running')


class AKilledDaemon(harness.DaemonTest):
    def test_finds_its_td_again_with_id_state_and_console(self):
        self.daemon.define(td_xml())
        self.daemon.virsh('start', 'td')
        self.boot_to_shell()
        before = self.daemon.virsh('domid', 'td')
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.daemon.virsh('domid', 'td'), before)
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'running')
        console = self.open_console()
        console.send('ver\\r')
        self.assertTrue(console.expect('UEFI v', PATIENCE), console.text()[-300:])
        self.assertIn(MRTD_OF_DEBIAN_12, self.daemon.virsh('domlaunchsecinfo', 'td'))

    def test_learns_of_a_td_that_died_meanwhile(self):
        self.daemon.define(td_xml())
        self.daemon.virsh('start', 'td')
        pid = self.monitor_pid()
        self.daemon.kill()
        subprocess.run(['kill', '-9', pid], check=True)
        self.daemon.start()
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'shut off')
        self.daemon.virsh('start', 'td')

    def monitor_pid(self):
        found = re.search(r"pid='(\d+)'", (self.daemon.root / 'run/libvirt/tdx/td.xml').read_text())
        self.assertTrue(found)
        return found[1]


if __name__ == '__main__':
    harness.main()
