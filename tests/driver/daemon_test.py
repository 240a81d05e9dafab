#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real clients (virsh, python-libvirt) against virttdxd with a fake monitor: what libvirt's API promises.

Usage: daemon_test.py VIRTTDXD SOURCE_ROOT
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    import libvirt
except ImportError:
    print('1..0 # SKIP python-libvirt is not installed')
    sys.exit(0)

DAEMON, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
PATIENCE = 60
XML = (SOURCE / 'docs/examples/td.xml').read_text()

libvirt.registerErrorHandler(lambda *_: None, None)
libvirt.virEventRegisterDefaultImpl()


def event_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=event_loop, daemon=True).start()


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f'waited {PATIENCE} s for {what}')
        time.sleep(0.01)


class DaemonTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='virttdxd-'))
        self.addCleanup(shutil.rmtree, self.root, True)
        self.log_path = self.root / 'log'
        self.daemon = None
        self.start_daemon()
        self.addCleanup(self.end_monitors)
        self.addCleanup(self.kill_daemon)
        self.connection = self.connect()
        self.events = []

    def start_daemon(self, **environment):
        with open(self.log_path, 'ab') as log:
            self.daemon = subprocess.Popen(
                [DAEMON, '--host', 'soft', '--root', self.root], stderr=log, stdout=log,
                env={**os.environ, 'VIRTTDX_VMM': str(SOURCE / 'tests/driver/fake_monitor.py'),
                     'VIRTTDX_FAKE_HOST': str(SOURCE / 'tests/data/plan/soft.host.json'), **environment})
        wait_until(lambda: 'listens on' in self.log_path.read_text() or self.daemon.poll() is not None, 'the daemon')
        self.assertIsNone(self.daemon.poll(), self.log_path.read_text())

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()
        self.log_path.write_text('')

    def restart_daemon(self, **environment):
        self.kill_daemon()
        self.start_daemon(**environment)
        self.connection = self.connect()

    def end_monitors(self):
        for status in (self.root / 'run/libvirt/tdx').glob('*.xml'):
            pid = re.search(r"pid='(\d+)'", status.read_text())
            if pid:
                try:
                    os.kill(int(pid[1]), signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def uri(self, suffix=''):
        return f'tdx:///system?socket={self.root}/run/libvirt/virttdxd-sock{suffix}'

    def connect(self):
        return libvirt.open(self.uri())

    def define(self, name='td', xml=XML):
        return self.connection.defineXML(xml.replace('<name>td</name>', f'<name>{name}</name>'))

    def record_events(self):
        def lifecycle(_connection, domain, event, detail, _opaque):
            self.events.append((event, detail, domain.ID()))

        def reboot(_connection, domain, _opaque):
            self.events.append(('reboot', domain.ID()))

        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, reboot, None)

    def expect_events(self, *expected):
        wait_until(lambda: len(self.events) >= len(expected), f'events {expected}, have {self.events}')
        self.assertEqual(self.events, list(expected))
        self.events.clear()

    def assert_error(self, code, message, function, *arguments):
        with self.assertRaises(libvirt.libvirtError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.get_error_code(), code, caught.exception)
        self.assertIn(message, caught.exception.get_error_message())

    def virsh(self, *arguments):
        done = subprocess.run(['virsh', '-c', self.uri(), *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class Connection(DaemonTest):
    def test_tells_what_it_is(self):
        self.assertEqual(self.connection.getType(), 'TDX')
        self.assertEqual(self.connection.getVersion(), 1000)
        self.assertEqual(self.connection.getHostname(), os.uname().nodename)
        self.assertTrue(self.connection.isSecure())
        self.assertGreater(self.connection.getInfo()[1], 0)
        self.assertIn('<capabilities>', self.connection.getCapabilities())
        self.assertIn('tdx', self.connection.getDomainCapabilities())

    def test_refuses_another_uri(self):
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'unexpected URI', libvirt.open,
                          self.uri().replace('system', 'nowhere'))

    def test_says_not_supported_for_what_is_not_served(self):
        self.assert_error(libvirt.VIR_ERR_NO_SUPPORT, 'virConnectNumOfNetworks', self.connection.numOfNetworks)

    def test_keeps_read_only_clients_from_changing_anything(self):
        self.define()
        reader = libvirt.open(self.uri('-ro'))
        domain = reader.lookupByName('td')
        self.assertIn('<name>td</name>', domain.XMLDesc())
        # The plain open() leaves the refusal to the daemon.
        for function, arguments in ((domain.create, ()), (domain.undefine, ()), (domain.destroy, ()),
                                    (reader.defineXML, (XML,)), (domain.XMLDesc, (libvirt.VIR_DOMAIN_XML_SECURE,))):
            self.assert_error(libvirt.VIR_ERR_OPERATION_DENIED, '', function, *arguments)

    def test_answers_virsh(self):
        self.define()
        self.assertIn('TDX 0.1.0', self.virsh('version'))
        self.assertIn('shut off', self.virsh('list', '--all'))
        self.assertIn('td', self.virsh('dominfo', 'td'))
        self.assertIn('current', self.virsh('vcpucount', 'td'))
        self.virsh('nodeinfo')
        self.virsh('nodecpumap')


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
                (libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags (0x2)', self.compare, (self.NEHALEM, 2)),
                (libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags (0x2)', self.connection.compareCPU, (self.NEHALEM, 2)),
                (libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags (0x80)', self.baseline, ([self.NEHALEM], 0x80)),
                (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'vendors', self.baseline,
                 ([self.NEHALEM, '<cpu><model>Opteron_G5</model></cpu>'],)),
                (libvirt.VIR_ERR_INVALID_ARG, "virt type 'qemu' is not kvm", self.connection.compareHypervisorCPU,
                 (None, 'x86_64', 'q35', 'qemu', self.NEHALEM))):
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


class Definitions(DaemonTest):
    def test_survive_the_daemon(self):
        uuid = self.define().UUIDString()
        self.connection.lookupByName('td').setAutostart(1)
        self.restart_daemon()
        domain = self.connection.lookupByUUIDString(uuid)
        # Autostart was done when this boot's first daemon started.
        self.assertEqual((domain.name(), domain.autostart(), domain.isActive()), ('td', 1, 0))

    def test_are_told_apart_by_name_and_uuid(self):
        first = self.define().UUIDString()
        other = '11111111-2222-3333-4444-555555555555'
        self.assert_error(libvirt.VIR_ERR_OPERATION_FAILED, f"domain 'td' already exists with uuid {first}", self.define,
                          'td', XML.replace('<memory', f'<uuid>{other}</uuid><memory'))
        self.assert_error(libvirt.VIR_ERR_OPERATION_FAILED, f"domain 'td' is already defined with uuid {first}",
                          self.define, 'other', XML.replace('<memory', f'<uuid>{first}</uuid><memory'))

    def test_have_uuids_in_one_form(self):
        uuid = '5F4F866E728E4A6BB6BDF995F0634555'
        domain = self.define('td', XML.replace('<memory', f'<uuid>{uuid}</uuid><memory'))
        self.assertEqual(domain.UUIDString(), '5f4f866e-728e-4a6b-b6bd-f995f0634555')

    def test_announce_themselves(self):
        self.record_events()
        domain = self.define()
        self.define()
        domain.undefine()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_DEFINED, 0, -1), (libvirt.VIR_DOMAIN_EVENT_DEFINED, 1, -1),
                           (libvirt.VIR_DOMAIN_EVENT_UNDEFINED, 0, -1))
        self.assert_error(libvirt.VIR_ERR_NO_DOMAIN, 'no domain with matching uuid', domain.create)

    def test_report_what_is_wrong(self):
        for code, message, xml in ((libvirt.VIR_ERR_XML_DETAIL, '', '<domain'),
                                   (libvirt.VIR_ERR_XML_ERROR, '', '<network/>'),
                                   (libvirt.VIR_ERR_XML_ERROR, "cannot contain '/'", XML.replace('>td<', '>a/b<')),
                                   (libvirt.VIR_ERR_XML_ERROR, '', XML.replace('<memory', '<uuid>zz</uuid><memory')),
                                   (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, '', XML.replace("'kvm'", "'xen'"))):
            self.assert_error(code, message, self.connection.defineXML, xml)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags', self.connection.defineXMLFlags, XML, 1 << 20)
        self.assert_error(libvirt.VIR_ERR_NO_DOMAIN, "Domain not found: no domain with matching name 'zz'",
                          self.connection.lookupByName, 'zz')

    def test_are_filtered(self):
        self.define('a').create()
        self.define('b')
        def names(flags):
            return [domain.name() for domain in self.connection.listAllDomains(flags)]
        self.assertEqual(names(0), ['a', 'b'])
        self.assertEqual(names(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE), ['a'])
        self.assertEqual(names(libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF), ['b'])
        self.assertEqual(names(libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT), [])
        self.assertEqual(self.connection.listDefinedDomains(), ['b'])
        self.assertEqual(self.connection.listDomainsID(), [1])


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

    def test_that_is_not_told_keeps_nothing_from_running(self):
        self.restart_daemon(VIRTTDX_FAKE_CPUID='fail')
        domain = self.define('td', self.HOST_MODEL)
        domain.create()
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertIn("<cpu mode='host-model'", self.cpu(domain))
        self.assertIn("CPU of domain 'td': ", self.log_path.read_text())


class Life(DaemonTest):
    def test_starts_and_is_destroyed(self):
        domain = self.define()
        self.record_events()
        domain.create()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_RESUMED, 0, 1), (libvirt.VIR_DOMAIN_EVENT_STARTED, 0, 1))
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is already running', domain.create)
        domain.destroy()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, 2, 1), (libvirt.VIR_DOMAIN_EVENT_STOPPED, 1, -1))
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED])
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', domain.destroy)
        domain.create()
        self.assertEqual(domain.ID(), 2)

    def test_pauses(self):
        domain = self.define()
        self.record_events()
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
        domain.resume()
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is already running', domain.resume)
        domain.suspend()
        domain.suspend()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_STARTED, 0, 1), (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, 0, 1),
                           (libvirt.VIR_DOMAIN_EVENT_RESUMED, 0, 1), (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, 0, 1))

    def test_powers_off(self):
        domain = self.define()
        domain.create()
        self.record_events()
        domain.shutdown()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, 1, 1), (libvirt.VIR_DOMAIN_EVENT_STOPPED, 0, -1))
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN])

    def test_is_made_anew_by_a_reset_and_by_a_reboot(self):
        domain = self.define()
        domain.create()
        self.record_events()
        anew = (('reboot', 1), (libvirt.VIR_DOMAIN_EVENT_STOPPED, 7, 1), (libvirt.VIR_DOMAIN_EVENT_STARTED, 5, 1))
        domain.reset()
        self.expect_events(*anew)
        domain.reboot()
        self.expect_events(*anew)
        self.assertEqual((domain.isActive(), domain.ID()), (1, 1))

    def test_is_gone_when_transient_and_destroyed(self):
        self.record_events()
        domain = self.connection.createXML(XML)
        self.assertEqual((domain.ID(), domain.isPersistent()), (1, 0))
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'cannot undefine transient domain', domain.undefine)
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, "domain 'td' is already active", self.connection.createXML, XML)
        domain.destroy()
        self.assert_error(libvirt.VIR_ERR_NO_DOMAIN, "'td'", self.connection.lookupByName, 'td')

    def test_becomes_transient_and_persistent_again(self):
        domain = self.define()
        domain.create()
        domain.undefine()
        self.assertEqual((domain.isPersistent(), domain.isActive()), (0, 1))
        self.connection.defineXML(domain.XMLDesc())
        self.assertEqual(domain.isPersistent(), 1)

    def test_reports_a_launch_that_fails(self):
        self.restart_daemon(VIRTTDX_FAKE_LAUNCH='fail')
        domain = self.define()
        self.record_events()
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'KVM_TDX_INIT_VM: told to fail', domain.create)
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED, -1))
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)

    def test_can_be_destroyed_while_it_launches(self):
        self.restart_daemon(VIRTTDX_FAKE_LAUNCH='hang')
        domain = self.define()
        other = self.connect().lookupByName('td')
        failed = []
        def start():
            try:
                domain.create()
            except libvirt.libvirtError as error:
                failed.append(error)
        starting = threading.Thread(target=start)
        starting.start()
        wait_until(lambda: other.isActive() == 1, 'the start')
        # Other calls are answered meanwhile.
        self.assertEqual(other.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP])
        other.destroy()
        starting.join()
        self.assertEqual(len(failed), 1)
        self.assertEqual(other.isActive(), 0)

    def test_tells_its_numbers(self):
        domain = self.define()
        domain.create()
        self.assertEqual(domain.info()[1:4], [524288, 524288, 1])
        self.assertEqual(domain.OSType(), 'hvm')
        self.assertEqual(domain.maxMemory(), 524288)
        (_, stats), = self.connection.getAllDomainStats()
        self.assertEqual((stats['state.state'], stats['vcpu.current'], stats['vcpu.0.time']), (1, 1, 1000000))
        self.assertGreater(stats['balloon.rss'], 0)
        self.assertGreater(domain.memoryStats()['rss'], 0)
        self.assertEqual(domain.vcpus()[0][0][2], 1000000)
        self.assertEqual(domain.launchSecurityInfo()['tdx-mrtd'], '4c' * 48)
        self.assertTrue(any('software TDX host' in message for message in domain.messages()))
        self.assertIn('/dev/pts/fake', domain.XMLDesc())
        self.assertNotIn('/dev/pts/fake', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


class Restart(DaemonTest):
    def test_of_the_daemon_leaves_domains_running(self):
        domain = self.define()
        domain.create()
        pid = (self.root / 'run/libvirt/tdx/td.xml').read_text()
        self.restart_daemon()
        self.record_events()
        domain = self.connection.lookupByName('td')
        self.assertEqual((domain.ID(), domain.state()), (1, [1, 1]))
        self.assertEqual(pid, (self.root / 'run/libvirt/tdx/td.xml').read_text())
        self.define('second').create()
        self.assertEqual(self.connection.lookupByName('second').ID(), 2)
        self.events.clear()
        domain.destroy()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, 2, 1), (libvirt.VIR_DOMAIN_EVENT_STOPPED, 1, -1))

    def test_notices_monitors_that_ended_meanwhile(self):
        self.define().create()
        self.connection.createXML(XML.replace('>td<', '>transient<'))
        self.kill_daemon()
        self.end_monitors()
        self.start_daemon()
        self.connection = self.connect()
        self.assertEqual(self.connection.lookupByName('td').state(),
                         [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED])
        self.assertEqual(len(self.connection.listAllDomains()), 1)

    def test_notices_a_monitor_that_is_killed(self):
        domain = self.define()
        domain.create()
        self.record_events()
        self.end_monitors()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED, -1))

    def test_is_refused_while_a_daemon_runs(self):
        done = subprocess.run([DAEMON, '--root', self.root], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn('another virttdxd', done.stderr)


class Console(DaemonTest):
    def setUp(self):
        super().setUp()
        self.domain = self.define()
        self.domain.create()

    def open(self, flags=0):
        stream = self.connection.newStream()
        self.domain.openConsole(None, stream, flags)
        return stream

    def read(self, stream, size):
        data = b''
        while len(data) < size:
            part = stream.recv(size - len(data))
            if part == b'':
                break
            data += part
        return data

    def test_carries_bytes_both_ways(self):
        stream = self.open()
        self.assertEqual(self.read(stream, 15), b'fake firmware\r\n')
        stream.send(b'hello')
        self.assertEqual(self.read(stream, 5), b'hello')
        stream.finish()
        self.open().finish()

    def test_belongs_to_one_client_unless_forced(self):
        first = self.open()
        self.read(first, 15)
        self.assert_error(libvirt.VIR_ERR_OPERATION_FAILED, 'Active console session', self.open)
        second = self.open(libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        self.assertEqual(self.read(first, 1), b'')
        second.send(b'x')
        self.assertEqual(self.read(second, 1), b'x')

    def test_ends_with_the_domain(self):
        stream = self.open()
        self.read(stream, 15)
        stream.send(b'p')
        self.assertEqual(self.read(stream, 1), b'')
        wait_until(lambda: self.domain.isActive() == 0, 'power-off')

    def test_carries_much(self):
        stream = self.open()
        self.read(stream, 15)
        pattern = bytes(range(256)) * 1024
        sender = threading.Thread(target=lambda: self.send_all(stream, pattern))
        sender.start()
        self.assertEqual(self.read(stream, len(pattern)), pattern)
        sender.join()

    def send_all(self, stream, data):
        while data:
            data = data[stream.send(data[:4096]):]


class TapResult(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.failed = False

    def addError(self, test, err):
        super().addError(test, err)
        self.fail(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fail(test)

    def fail(self, test):
        self.failed = True
        print('\n'.join('# ' + line for line in (self.failures + self.errors)[-1][1].splitlines()))
        log = test.log_path.read_text() if test.log_path.exists() else ''
        print('\n'.join('# log: ' + line for line in log.splitlines()[-20:]))

    def stopTest(self, test):
        super().stopTest(test)
        print(('not ok ' if self.failed else 'ok ') + f'{self.testsRun} {test.id().removeprefix("__main__.")}', flush=True)


def main():
    tests = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    if len(sys.argv) > 3:
        tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[3:], sys.modules['__main__'])
    print(f'1..{tests.countTestCases()}')
    result = TapResult()
    tests.run(result)
    sys.stdout.flush()
    os._exit(0 if result.wasSuccessful() else 1)


main()
