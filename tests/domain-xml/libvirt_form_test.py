# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's own formatter (its test driver) writes each golden document as domain-xml does: order, spelling, defaults."""
import os
import pathlib
import re
import unittest

import libvirt

import harness

DATA = pathlib.Path(os.environ['VIRTTDX_SOURCE']) / 'tests/data/domain-xml'

# What libvirt 9.0's parser does not take, or adds, beside order and spelling.
NOT_OF_LIBVIRT_9 = [
    (r'  <launchSecurity type=.tdx.>.*?</launchSecurity>\n|  <launchSecurity type=.tdx./>\n', ''),
    (r'    <emulator>.*?</emulator>\n', ''),
    (r" stateless='yes'| format='raw'", ''),
]


def as_test_domain(text):
    for pattern, replacement in NOT_OF_LIBVIRT_9:
        text = re.sub(pattern, replacement, text, flags=re.S)
    return text.replace("<domain type='kvm'>", "<domain type='test'>", 1)


class LibvirtsFormatter(unittest.TestCase):
    def setUp(self):
        libvirt.registerErrorHandler(lambda *_: None, None)
        self.connection = libvirt.open('test:///default')

    def written_by_libvirt(self, text):
        domain = self.connection.defineXML(text)
        self.addCleanup(domain.undefine)
        return domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)

    def check(self, name):
        ours = as_test_domain((DATA / name).read_text())
        theirs = self.written_by_libvirt(ours)
        # The test driver's own names of host devices.
        theirs = re.sub(r"      <target dev='testnet\d+'/>\n|    <emulator>.*?</emulator>\n", '', theirs).rstrip('\n') + '\n'
        self.maxDiff = None
        self.assertMultiLineEqual(ours, theirs)

    def test_writes_the_completed_devices_alike(self):
        self.check('complete/devices.out.xml')

    def test_writes_every_other_device_alike(self):
        self.check('libvirt-form.out.xml')


if __name__ == '__main__':
    harness.main()
