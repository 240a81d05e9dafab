#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU models, findings and the live CPU of domains, as real clients see them.

Usage: cpu_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import pathlib
import re

from daemon_case import SOURCE, XML, DaemonTest, libvirt, main, wait_until


class CpuModels(DaemonTest):
    NEHALEM = "<cpu><model>Nehalem</model><feature policy='disable' name='pse36'/></cpu>"
    VMX = "<cpu><model>Nehalem</model><feature policy='require' name='vmx'/></cpu>"

    def compare(self, xml, flags=0):
        return self.connection.compareHypervisorCPU(None, None, None, None, xml, flags)

    def baseline(self, xmls, flags=0):
        return self.connection.baselineHypervisorCPU(None, None, None, None, xmls, flags)

    def test_have_libvirts_names(self):
        names = self.connection.getCPUModelNames('x86_64')
        listed = re.findall(r"filename='x86_([^']+)\.xml'", pathlib.Path('/usr/share/libvirt/cpu_map/index.xml').read_text())
        self.assertEqual(names, [name for name in listed if name not in ('vendors', 'features')])
        self.assertEqual(self.virsh('cpu-models', 'x86_64').split(), names)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "'s390x' is not x86_64", self.connection.getCPUModelNames, 's390x')

    def test_are_compared_with_what_a_td_can_have(self):
        self.assertEqual(self.compare(self.NEHALEM), libvirt.VIR_CPU_COMPARE_SUPERSET)
        self.assertEqual(self.compare(self.VMX), libvirt.VIR_CPU_COMPARE_INCOMPATIBLE)
        self.assert_error(libvirt.VIR_ERR_CPU_INCOMPATIBLE, 'the CPU is incompatible with host CPU: A TD on this host does '
                          'not provide required features: pse36, vmx', self.compare, self.VMX,
                          libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE)
        self.assertIn('SUPERSET', self.virsh_compare(self.NEHALEM))

    def virsh_compare(self, xml):
        path = self.root / 'cpu.xml'
        path.write_text(xml)
        return self.virsh('hypervisor-cpu-compare', str(path)).upper()

    def test_are_compared_with_the_host(self):
        self.assertEqual(self.connection.compareCPU(self.NEHALEM), libvirt.VIR_CPU_COMPARE_SUPERSET)
        strange = "<cpu><model>Opteron_G5</model></cpu>"
        self.assertEqual(self.connection.compareCPU(strange), libvirt.VIR_CPU_COMPARE_INCOMPATIBLE)
        self.assert_error(libvirt.VIR_ERR_CPU_INCOMPATIBLE, 'vendor', self.connection.compareCPU, strange,
                          libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE)

    def test_have_a_baseline(self):
        baseline = self.baseline([self.NEHALEM, "<cpu><model>Haswell-noTSX</model></cpu>"])
        self.assertIn('<model', baseline)
        self.assertNotEqual(self.compare(baseline), libvirt.VIR_CPU_COMPARE_INCOMPATIBLE)
        expanded = self.baseline([self.NEHALEM], libvirt.VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES)
        self.assertIn("<feature policy='require' name='sse4.2'/>", expanded)
        self.assertNotIn("'vmx'", self.baseline([self.VMX]))
        self.assertIn("'vmx'", self.connection.baselineCPU([self.VMX]))
        path = self.root / 'cpus.xml'
        path.write_text(self.NEHALEM)
        self.assertEqual(self.virsh('hypervisor-cpu-baseline', str(path)).strip(), self.baseline([self.NEHALEM]).strip())

    def test_of_capabilities_are_understood(self):
        model = re.search(r"<mode name='host-model'.*?</mode>", self.connection.getDomainCapabilities(), re.S)[0]
        cpu = re.sub(r"<mode [^>]*>", "<cpu>", model).replace('</mode>', '</cpu>')
        self.assertEqual(self.compare(cpu), libvirt.VIR_CPU_COMPARE_IDENTICAL)

    def test_refuse_what_is_no_request_of_theirs(self):
        for code, message, function, arguments in (
                (libvirt.VIR_ERR_XML_DETAIL, '', self.compare, ('<cpu>',)),
                (libvirt.VIR_ERR_XML_ERROR, 'not by <domain>', self.compare, ('<domain/>',)),
                (libvirt.VIR_ERR_XML_ERROR, "CPU model 'zz' is unknown", self.compare, ('<cpu><model>zz</model></cpu>',)),
                (libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags (0x4)', self.compare, (self.NEHALEM, 4)),
                (libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags (0x4)', self.connection.compareCPU, (self.NEHALEM, 4)),
                (libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags (0x80)', self.baseline, ([self.NEHALEM], 0x80)),
                (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'vendors', self.baseline,
                 ([self.NEHALEM, '<cpu><model>Opteron_G5</model></cpu>'],)),
                (libvirt.VIR_ERR_INVALID_ARG, "virt type 'qemu' is not kvm", self.connection.compareHypervisorCPU,
                 (None, 'x86_64', 'q35', 'qemu', self.NEHALEM)),
                (libvirt.VIR_ERR_INVALID_ARG, "the machine 'pc' is not supported by emulator '", self.connection.compareHypervisorCPU,
                 (None, None, 'pc', None, self.NEHALEM))):
            self.assert_error(code, message, function, *arguments)

    def test_are_for_read_only_clients_where_libvirt_says_so(self):
        reader = libvirt.open(self.uri('-ro'))
        self.assertEqual(reader.compareCPU(self.NEHALEM), libvirt.VIR_CPU_COMPARE_SUPERSET)
        self.assertIn('Nehalem', reader.getCPUModelNames('x86_64'))
        self.assert_error(libvirt.VIR_ERR_OPERATION_DENIED, '', reader.compareHypervisorCPU, None, None, None, None,
                          self.NEHALEM)

    def test_of_tds_are_unknown_without_tdx(self):
        host = self.root / 'host.json'
        text = (SOURCE / 'tests/data/plan/soft.host.json').read_text()
        host.write_text(text.replace('"tdx_supported": true', '"tdx_supported": false')
                        .replace('"tdx_unsupported_reason": ""', '"tdx_unsupported_reason": "no key ids"'))
        self.restart_daemon(VIRTTDX_FAKE_HOST=str(host))
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'no key ids', self.compare, self.NEHALEM)
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'no key ids', self.baseline, [self.NEHALEM])


class Findings(DaemonTest):
    WRONG = XML.replace("<cpu mode='host-passthrough'/>", "<cpu mode='custom'><model>EPYC</model></cpu>\n"
                        "<clock offset='utc'><timer name='hpet' present='yes'/></clock>")
    NOTED = XML.replace('<devices>', "<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/></clock>\n<devices>")

    def test_of_errors_bar_the_start_and_not_the_definition(self):
        domain = self.define('td', self.WRONG)
        errors = [message for message in domain.messages() if message.startswith('error: ')]
        self.assertEqual(len(errors), 3, domain.messages())
        for error in errors:
            self.assertIn(error, self.virsh('dominfo', 'td'))
            self.assertIn(f"domain 'td': {error}", self.log_path.read_text())
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, errors[0].removeprefix('error: '), domain.create)
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, '(and 2 more errors)', domain.create)
        self.assertEqual(domain.isActive(), 0)
        # Lines are those of the definition as given, then as stored.
        def without_lines(messages):
            return [re.sub(', line [0-9]+', '', message) for message in messages]
        messages = without_lines(domain.messages())
        self.restart_daemon()
        self.assertEqual(without_lines(self.connection.lookupByName('td').messages()), messages)

    def test_of_a_running_domain_are_its_messages(self):
        domain = self.define('td', self.NOTED)
        messages = domain.messages()
        self.assertTrue(any(message.startswith('note: ') and 'tickpolicy' in message for message in messages), messages)
        domain.create()
        self.assertEqual(domain.messages(), messages)
        self.assertEqual(domain.messages(libvirt.VIR_DOMAIN_MESSAGE_DEPRECATION), [])
        for message in messages:
            self.assertIn(message, self.virsh('dominfo', 'td'))
            self.assertIn(f"domain 'td': {message}", self.log_path.read_text())
        self.restart_daemon()
        self.assertEqual(self.connection.lookupByName('td').messages(), messages)

    def test_are_never_more_than_a_client_can_be_sent(self):
        timer = "<timer name='hpet' present='yes'/>"
        domain = self.define('td', XML.replace('<devices>', f"<clock offset='utc'>{timer * 3000}</clock><devices>"))
        self.assertEqual(len(domain.messages()), 1024)
        self.assertRegex(domain.messages()[-1], '^and [0-9]+ more findings$')


class LiveCpu(DaemonTest):
    HOST_MODEL = XML.replace("mode='host-passthrough'", "mode='host-model'")

    def cpu(self, domain, flags=0):
        return re.search('<cpu[^>]*/>|<cpu.*?</cpu>', domain.XMLDesc(flags), re.S)[0]

    def test_is_what_the_guest_got(self):
        domain = self.define('td', self.HOST_MODEL)
        before = self.cpu(domain)
        domain.create()
        live = self.cpu(domain)
        self.assertRegex(live, "^<cpu mode='custom' match='exact' check='full'>\n +<model fallback='forbid'>")
        self.assertIn("<feature policy='require' name='hypervisor'/>", live)
        self.assertIn("<feature policy='disable'", live)
        self.assertEqual(self.cpu(domain, libvirt.VIR_DOMAIN_XML_INACTIVE), before)
        self.assertFalse([message for message in domain.messages() if 'not as predicted' in message])
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        self.assertEqual(self.cpu(domain), live)
        domain.destroy()
        self.assertEqual(self.cpu(domain), before)

    def test_and_the_launch_stay_the_same_over_a_reboot(self):
        self.record_events()
        domain = self.define('td', self.HOST_MODEL)
        domain.create()
        config = (self.root / 'run/libvirt/tdx/td.json').read_text()
        before = (self.cpu(domain), domain.messages())
        wait_until(lambda: len(self.events) == 3, 'the start')
        self.events.clear()
        domain.reboot()
        self.expect_events(('reboot', 1), (libvirt.VIR_DOMAIN_EVENT_STOPPED, 7, 1), (libvirt.VIR_DOMAIN_EVENT_STARTED, 5, 1))
        self.assertEqual((self.root / 'run/libvirt/tdx/td.json').read_text(), config)
        self.assertEqual((self.cpu(domain), domain.messages()), before)

    def test_of_host_passthrough_is_as_defined(self):
        domain = self.define()
        before = self.cpu(domain)
        domain.create()
        self.assertEqual(self.cpu(domain), before)
        self.assertIn("<cpu mode='host-passthrough'", before)

    def test_that_was_predicted_otherwise_is_told(self):
        self.restart_daemon(VIRTTDX_FAKE_CPUID='other')
        domain = self.define('td', self.HOST_MODEL)
        domain.create()
        told, = [message for message in domain.messages() if 'not as predicted' in message]
        self.assertIn('in 2 bits: CPUID.01H:ECX.vmx [bit 5] is 1, CPUID.01H:ECX.aes [bit 25] is 0;', told)
        self.assertIn(f"domain 'td': {told}", self.log_path.read_text())
        self.assertIn(told, self.virsh('dominfo', 'td'))
        self.assertIn("<feature policy='require' name='vmx'/>", self.cpu(domain))
        self.assertIn("<feature policy='disable' name='aes'/>", self.cpu(domain))
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        self.assertIn(told, domain.messages())
        self.assertIn("<feature policy='require' name='vmx'/>", self.cpu(domain))

    def test_of_one_vcpu_that_differs_from_the_others_is_told(self):
        self.restart_daemon(VIRTTDX_FAKE_CPUID='vcpus-differ')
        domain = self.define('td', self.HOST_MODEL.replace('<vcpu>1<', '<vcpu>2<'))
        domain.create()
        told, = [message for message in domain.messages() if 'not as predicted' in message]
        self.assertIn('in 2 bits: vCPU 1: CPUID.01H:ECX.vmx [bit 5] is 1, vCPU 1: CPUID.01H:ECX.aes [bit 25] is 0;', told)
        self.assertIn(f"domain 'td': {told}", self.log_path.read_text())
        self.assertIn(told, self.virsh('dominfo', 'td'))
        # The live XML shows what vCPU 0 has.
        self.assertNotIn("<feature policy='require' name='vmx'/>", self.cpu(domain))
        self.assertNotIn("<feature policy='disable' name='aes'/>", self.cpu(domain))

    def test_that_is_not_told_keeps_nothing_from_running(self):
        self.restart_daemon(VIRTTDX_FAKE_CPUID='fail')
        domain = self.define('td', self.HOST_MODEL)
        domain.create()
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertIn("<cpu mode='host-model'", self.cpu(domain))
        self.assertIn("CPU of domain 'td': ", self.log_path.read_text())


class FullCheck(DaemonTest):
    """check='full': the guest runs with the CPU that was asked for, or not at all."""

    def full_xml(self):
        domain = self.define('td', LiveCpu.HOST_MODEL)
        domain.create()
        cpu = re.search('<cpu.*?</cpu>', domain.XMLDesc(), re.S)[0]
        self.assertIn("check='full'", cpu)
        domain.destroy()
        domain.undefine()
        return XML.replace("<cpu mode='host-passthrough'/>", cpu)

    def start_paused_of(self, domain):
        return '"start_paused":true' in (self.root / f'run/libvirt/tdx/{domain.name()}.json').read_text().replace(' ', '')

    def test_of_the_cpu_that_a_guest_had_starts_it_again(self):
        domain = self.define('td', self.full_xml())
        self.assertEqual([message for message in domain.messages() if message.startswith('error')], [])
        self.record_events()
        domain.create()
        # It was held until its CPU was known.
        self.assertTrue(self.start_paused_of(domain))
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_RESUMED, 0, 2), (libvirt.VIR_DOMAIN_EVENT_STARTED, 0, 2))
        domain.destroy()
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)

    def test_refuses_the_start_with_another_cpu(self):
        xml = self.full_xml()
        self.restart_daemon(VIRTTDX_FAKE_CPUID='other')
        domain = self.define('td', xml)
        self.record_events()
        for words in ("start of domain 'td': guest CPU doesn't match specification: ",
                      'missing features: aes (CPUID.01H:ECX.aes [bit 25]), extra features: vmx (CPUID.01H:ECX.vmx [bit 5]);'):
            self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, words, domain.create)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED])
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED, -1),
                           (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED, -1))
        self.assertIn("guest CPU doesn't match", self.log_path.read_text())
        self.assertFalse((self.root / 'run/libvirt/tdx/td.xml').exists())

    def test_of_host_passthrough_is_about_features_and_the_prediction(self):
        feature = "<cpu mode='host-passthrough' check='full'><feature policy='require' name='aes'/></cpu>"
        xml = XML.replace("<cpu mode='host-passthrough'/>", feature)
        domain = self.define('td', xml)
        domain.create()
        domain.destroy()
        self.restart_daemon(VIRTTDX_FAKE_CPUID='other')
        domain = self.connection.lookupByName('td')
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'missing features: aes (CPUID.01H:ECX.aes [bit 25])',
                          domain.create)
        self.define('td', xml.replace('full', 'partial')).create()

    def test_refuses_the_start_with_one_vcpu_that_differs(self):
        xml = self.full_xml()
        self.restart_daemon(VIRTTDX_FAKE_CPUID='vcpus-differ')
        domain = self.define('td', xml)
        for words in ("guest CPU doesn't match specification: other bits: vCPU 1: CPUID.01H:ECX.vmx [bit 5] is 1, ",
                      'vCPU 1: CPUID.01H:ECX.aes [bit 25] is 0;'):
            self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, words, domain.create)
        self.assertEqual(domain.isActive(), 0)

    def test_refuses_the_start_with_a_cpu_that_cannot_be_told(self):
        xml = self.full_xml()
        self.restart_daemon(VIRTTDX_FAKE_CPUID='fail')
        domain = self.define('td', xml)
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'told not to tell', domain.create)
        self.assertEqual(domain.isActive(), 0)


main()
