# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user can get wrong: every refusal names the object, the value and the reason, and loses nothing."""
import pathlib

import harness
from harness import FIRMWARE, td_xml


class WrongXml(harness.DaemonTest):
    def define_error(self, xml):
        path = self.daemon.root / 'wrong.xml'
        path.write_text(xml)
        error = self.daemon.virsh_error('define', path)
        self.assertEqual(self.daemon.virsh('list', '--all', '--name').strip(), '')
        return error

    def test_not_well_formed_names_the_line(self):
        self.assertRegex(self.define_error("<domain type='kvm'>\n<name>x</domain>"), r'(?i)line 2|:2')

    def test_unknown_element_is_named(self):
        xml = td_xml(text={'<devices>': '<devices><hovercraft/>'})
        self.assertIn('hovercraft', self.define_error(xml))

    def test_without_a_name(self):
        self.assertIn('name', self.define_error("<domain type='kvm'><memory>1</memory></domain>"))

    def test_entities_are_refused(self):
        self.define_error('<!DOCTYPE domain [<!ENTITY a "aaaa">]><domain type="kvm"><name>&a;</name></domain>')


class WrongLaunch(harness.DaemonTest):
    def start_error(self, xml):
        self.daemon.define(xml)
        error = self.daemon.virsh_error('start', 'td')
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'shut off')
        return error

    def firmware(self, content):
        path = pathlib.Path(self.daemon.root) / 'wrong.fd'
        path.write_bytes(content)
        return path

    def test_missing_firmware_is_named(self):
        self.assertIn('/nowhere/OVMF.fd', self.start_error(td_xml(firmware='/nowhere/OVMF.fd')))

    def test_firmware_without_tdvf_metadata_says_so(self):
        path = self.firmware(bytes(2 << 20))
        error = self.start_error(td_xml(firmware=path))
        self.assertIn('wrong.fd', error)
        self.assertRegex(error, '(?i)TDVF')

    def test_truncated_firmware_says_so(self):
        whole = FIRMWARE.read_bytes()
        path = self.firmware(whole[len(whole) // 2:])
        self.assertIn('wrong.fd', self.start_error(td_xml(firmware=path)))

    def test_policy_bits_that_are_not_offered_are_named(self):
        error = self.start_error(td_xml(text={'0x10000000': '0x40000000'}))
        self.assertIn('bit 30', error)
        self.assertIn('PKS', error)

    def test_too_many_vcpus_are_refused(self):
        error = self.start_error(td_xml(text={'>1</vcpu>': '>4096</vcpu>'}))
        self.assertIn('4096', error)


class AutoHost(harness.DaemonTest):
    def setUp(self):
        self.daemon = harness.Daemon(host='auto')
        self.addCleanup(self.daemon.stop)

    def test_never_takes_the_software_host(self):
        if "<tdx supported='yes'" in self.daemon.virsh('domcapabilities'):
            self.skipTest('this machine has TDX')
        self.daemon.define(td_xml())
        self.assertRegex(self.daemon.virsh_error('start', 'td'), '(?i)tdx')
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'shut off')


class ReadOnly(harness.DaemonTest):
    def test_connection_may_look_but_not_touch(self):
        self.daemon.define(td_xml())
        uri = self.daemon.read_only_uri
        self.assertEqual(self.daemon.try_virsh('list', '--all', uri=uri)[0], 0)
        status, _, error = self.daemon.try_virsh('start', 'td', uri=uri)
        self.assertNotEqual(status, 0)
        self.assertIn('read only', error)


if __name__ == '__main__':
    harness.main()
