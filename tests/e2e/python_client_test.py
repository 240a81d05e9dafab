# SPDX-License-Identifier: GPL-2.0-or-later
"""python-libvirt against virttdxd: objects, events, statistics, errors."""
import os
import unittest

import libvirt

import harness
from harness import td_xml
from lifecycle_events import LifecycleEvents


class PythonTest(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.connection = libvirt.open(self.daemon.uri)
        self.events = LifecycleEvents(self.connection)
        self.addCleanup(self.connection.close)


class AConnection(PythonTest):
    def test_tells_about_itself(self):
        self.assertEqual(self.connection.getURI(), self.daemon.uri)
        self.assertEqual(self.connection.getType(), 'TDX')
        self.assertTrue(self.connection.isAlive())
        self.assertIn('<capabilities>', self.connection.getCapabilities())
        self.assertIn('software-tdx-host', self.connection.getCapabilities())
        self.assertGreater(self.connection.getInfo()[2], 0)

    def test_unsupported_calls_say_so(self):
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.connection.networkLookupByName('default')
        self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_NO_SUPPORT)

    def test_missing_domain_is_no_domain(self):
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.connection.lookupByName('none')
        self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_NO_DOMAIN)


class ADomain(PythonTest):
    @unittest.skipUnless({0, 1} <= os.sched_getaffinity(0), 'CPUs 0 and 1 are not both for this test to use')
    def test_has_its_pins_in_each_td(self):
        domain = self.connection.defineXML(td_xml(text={'<vcpu>1</vcpu>': "<vcpu>1</vcpu><cputune><emulatorpin cpuset='0'/></cputune>"}))
        domain.create()
        self.assertEqual({cpu for cpu, may in enumerate(domain.vcpus()[1][0]) if may}, os.sched_getaffinity(0))
        domain.pinVcpu(0, (False, True))
        domain.reset()
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_STARTED, 5))
        self.assertEqual((domain.vcpus()[1][0][:2], domain.emulatorPinInfo()[:2]), ((False, True), (True, False)))

    def test_lives_with_events_in_order(self):
        domain = self.connection.defineXML(td_xml())
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_DEFINED, 0))
        domain.create()
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_STARTED, 0))
        self.assertGreater(domain.ID(), 0)
        self.assertTrue(domain.isActive())
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])
        domain.suspend()
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_SUSPENDED, 0))
        domain.resume()
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_RESUMED, 0))
        domain.destroy()
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED))
        self.assertEqual(domain.ID(), -1)
        domain.undefine()
        self.events.wait_for((libvirt.VIR_DOMAIN_EVENT_UNDEFINED, 0))
        kinds = [event for event, _ in self.events.seen]
        self.assertEqual(kinds[0], libvirt.VIR_DOMAIN_EVENT_DEFINED)
        self.assertEqual(kinds[-1], libvirt.VIR_DOMAIN_EVENT_UNDEFINED)

    def test_transient_one_vanishes_when_destroyed(self):
        domain = self.connection.createXML(td_xml())
        self.assertFalse(domain.isPersistent())
        domain.destroy()
        self.assertEqual(self.connection.listAllDomains(), [])

    def test_statistics_and_information(self):
        domain = self.connection.createXML(td_xml())
        stats = self.connection.getAllDomainStats()[0][1]
        self.assertEqual(stats['state.state'], libvirt.VIR_DOMAIN_RUNNING)
        self.assertEqual(stats['balloon.maximum'], 524288)
        self.assertEqual(stats['vcpu.current'], 1)
        self.assertEqual(domain.info()[1], 524288)
        self.assertIn('tdx-mrtd', domain.launchSecurityInfo())
        domain.destroy()

    def test_definition_survives_the_daemon(self):
        xml = self.connection.defineXML(td_xml()).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        self.daemon.kill()
        self.daemon.start()
        again = libvirt.open(self.daemon.uri)
        self.assertEqual(again.lookupByName('td').XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), xml)
        again.close()

    def test_starting_twice_is_refused(self):
        domain = self.connection.createXML(td_xml())
        with self.assertRaises(libvirt.libvirtError) as caught:
            domain.create()
        self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_OPERATION_INVALID)


if __name__ == '__main__':
    harness.main()
