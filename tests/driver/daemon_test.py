#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real clients (virsh, python-libvirt) against virttdxd with a fake monitor: what libvirt's API promises.

Usage: daemon_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import unittest.mock

from daemon_case import DAEMON, PATIENCE, XML, DaemonTest, libvirt, main, read_stream, wait_until


class Connection(DaemonTest):
    def test_tells_what_it_is(self):
        self.assertEqual(self.connection.getType(), 'TDX')
        self.assertEqual(self.connection.getVersion(), 1000)
        self.assertEqual(self.connection.getHostname().split('.')[0], os.uname().nodename.split('.')[0])
        self.assertTrue(self.connection.isSecure())
        self.assertGreater(self.connection.getInfo()[1], 0)
        self.assertIn('<capabilities>', self.connection.getCapabilities())
        self.assertIn('tdx', self.connection.getDomainCapabilities())

    def test_tells_the_hosts_name_with_its_domain(self):
        """In namespaces where the host has another name."""
        if os.geteuid() != 0 or subprocess.run(['unshare', '-u', '-m', 'true'], check=False, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest('no namespaces can be made here')
        hosts, program = self.root / 'hosts', self.root / 'elsewhere'
        hosts.write_text('192.0.2.7 td7.example.org td7\n')
        program.write_text(f"""#!/bin/sh
exec unshare -u -m sh -c 'echo td7 >/proc/sys/kernel/hostname && mount --bind {hosts} /etc/hosts && exec "$0" "$@"' {DAEMON} "$@"
""")
        program.chmod(0o755)
        self.kill_daemon()
        with unittest.mock.patch('daemon_case.DAEMON', program):
            self.start_daemon()
        names, connections = [], [self.connect() for _ in range(8)]
        threads = [threading.Thread(target=lambda connection=connection: names.append(connection.getHostname())) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(names, ['td7.example.org'] * 8)

    def test_refuses_another_uri(self):
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'unexpected URI', libvirt.open,
                          self.uri().replace('system', 'nowhere'))

    def test_says_not_supported_for_what_is_not_served(self):
        self.assert_error(libvirt.VIR_ERR_NO_SUPPORT, 'virConnectNumOfInterfaces', self.connection.numOfInterfaces)
        self.assertEqual(self.connection.numOfNetworks(), 0)

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


class Definitions(DaemonTest):
    def test_survive_the_daemon(self):
        uuid = self.define().UUIDString()
        self.connection.lookupByName('td').setAutostart(1)
        self.restart_daemon()
        domain = self.connection.lookupByUUIDString(uuid)
        # Autostart was done when this boot's first daemon started.
        self.assertEqual((domain.name(), domain.autostart(), domain.isActive()), ('td', 1, 0))

    def test_start_once_where_they_are_marked_for_that(self):
        self.define()
        link = self.root / 'etc/libvirt/tdx/autostart/td.xml.once'
        link.symlink_to(self.root / 'etc/libvirt/tdx/td.xml')
        for is_active in (1, 0):
            self.kill_daemon()
            self.end_monitors()
            shutil.rmtree(self.root / 'run')  # as a boot does
            self.start_daemon()
            self.connection = self.connect()
            domain = self.connection.lookupByName('td')
            wait_until(lambda: domain.isActive() == is_active, 'the start')
            self.assertFalse(link.is_symlink())

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
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_RESET_NVRAM)
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

    def test_has_run_when_the_guest_was_faster_than_its_start(self):
        domain = self.define()
        self.restart_daemon(VIRTTDX_FAKE_LAUNCH='poweroff')
        domain = self.connection.lookupByName('td')
        self.record_events()
        self.assertEqual(domain.create(), 0)
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_RESUMED, 0, 1), (libvirt.VIR_DOMAIN_EVENT_STARTED, 0, 1),
                           (libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, 1, 1), (libvirt.VIR_DOMAIN_EVENT_STOPPED, 0, -1))
        wait_until(lambda: domain.state() == [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN], 'the end')

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

    def test_waits_for_quotes_as_the_daemon_says(self):
        (self.root / 'etc/libvirt/virttdxd.conf').write_text('quote_wait = 1500\n')
        self.restart_daemon()
        self.define().create()
        config = json.loads((self.root / 'run/libvirt/tdx/td.json').read_text())
        self.assertEqual(config['td']['quote_wait_ms'], 1500)

    def test_tells_its_numbers(self):
        domain = self.define()
        domain.create()
        self.assertEqual(domain.info()[1:4], [524288, 524288, 1])
        self.assertEqual(domain.OSType(), 'hvm')
        self.assertEqual(domain.maxMemory(), 524288)
        (_, stats), = self.connection.getAllDomainStats()
        self.assertEqual((stats['state.state'], stats['vcpu.current']), (1, 1))
        self.assertGreater(stats['vcpu.0.time'], 0)
        self.assertGreater(stats['balloon.rss'], 0)
        self.assertGreater(domain.memoryStats()['rss'], 0)
        self.assertGreater(domain.vcpus()[0][0][2], 0)
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
        wait_until(lambda: len(self.events) == 3, 'the events of the second')
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


class MemoryNodes(DaemonTest):
    def numa(self, mode, nodes):
        return XML.replace('<vcpu>', f"<numatune><memory mode='{mode}' nodeset='{nodes}'/></numatune>\n  <vcpu>")

    def policies(self):
        pid = re.search(r"pid='(\d+)'", (self.root / 'run/libvirt/tdx/td.xml').read_text())[1]
        maps = pathlib.Path(f'/proc/{pid}/numa_maps')
        if not maps.exists():
            self.skipTest('this kernel has no NUMA')
        return {line.split()[1] for line in maps.read_text().splitlines()}

    def test_are_those_of_the_definition(self):
        for mode, policy in (('strict', 'bind:0'), ('preferred', 'prefer:0'), ('interleave', 'interleave:0')):
            domain = self.define('td', self.numa(mode, 0))
            domain.create()
            self.assertEqual(self.policies(), {policy})
            domain.destroy()
        domain = self.define()
        domain.create()
        self.assertEqual(self.policies(), {'default'})

    def test_that_there_are_not_are_refused_by_number(self):
        domain = self.define('td', self.numa('strict', 63))
        self.assert_error(libvirt.VIR_ERR_SYSTEM_ERROR, "NUMA nodes '63'", domain.create)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)


class Panic(DaemonTest):
    MESSAGE = 'guest panicked: guest reports fatal error 0x12: "disk on fire!", data at 0x123000'
    CRASHED = (libvirt.VIR_DOMAIN_EVENT_CRASHED, libvirt.VIR_DOMAIN_EVENT_CRASHED_PANICKED, 1)

    def start(self, on_crash):
        domain = self.define('td', XML.replace('<features>', f'<on_crash>{on_crash}</on_crash>\n  <features>'))
        self.assertIn(f'<on_crash>{on_crash}</on_crash>', domain.XMLDesc())
        domain.create()
        self.record_events()
        return domain

    def panic(self, domain):
        stream = self.connection.newStream()
        domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        stream.send(b'!')

    def panic_without_daemon(self):
        self.kill_daemon()
        status = next((self.root / 'run/libvirt/tdx').glob('*.xml')).read_text()
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(re.search(r"<monitor path='([^']*)'", status)[1])
            monitor.sendall(b'{"id": 1, "command": "panic", "arguments": {}}\n')
            answers = b''
            while b'"result"' not in answers:
                answers += monitor.recv(4096)
        self.start_daemon()
        self.connection = self.connect()

    def test_destroys_a_domain_whose_on_crash_says_so(self):
        domain = self.start('destroy')
        self.panic(domain)
        self.expect_events(self.CRASHED, (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED, -1))
        self.assertEqual(self.virsh('domstate', '--reason', 'td').strip(), 'shut off (crashed)')
        self.assertIn(self.MESSAGE, self.log_path.read_text())

    def test_restarts_a_domain_whose_on_crash_says_so_each_time(self):
        domain = self.start('restart')
        for number in (1, 2):
            self.panic(domain)
            self.expect_events(self.CRASHED, ('reboot', 1), (libvirt.VIR_DOMAIN_EVENT_STOPPED, 7, 1),
                               (libvirt.VIR_DOMAIN_EVENT_STARTED, 5, 1))
            self.assertEqual(self.log_path.read_text().count(self.MESSAGE), number)
        self.assertEqual(self.virsh('domstate', '--reason', 'td').strip(), 'running (crashed)')
        self.assertEqual(domain.messages().count(self.MESSAGE), 1)
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_CRASHED])
        self.assertIn(self.MESSAGE, domain.messages())

    def test_keeps_a_crashed_domain_whose_on_crash_says_so(self):
        domain = self.start('preserve')
        self.panic(domain)
        self.expect_events(self.CRASHED)
        wait_until(lambda: domain.state() == [libvirt.VIR_DOMAIN_CRASHED, libvirt.VIR_DOMAIN_CRASHED_PANICKED], 'the crash')
        self.assertIn(self.MESSAGE, domain.messages())
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain has crashed', domain.resume)
        # As the QEMU driver's: the power button is pressed, and nobody there looks.
        domain.reboot()
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        self.assertEqual(self.virsh('domstate', '--reason', 'td').strip(), 'crashed (panicked)')
        domain.reset()
        wait_until(lambda: domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_CRASHED], 'the reset')
        domain.resume()
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        domain.shutdown()
        wait_until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_SHUTOFF, 'the power-off')

    def test_finds_a_domain_that_crashed_without_the_daemon(self):
        self.start('preserve')
        self.panic_without_daemon()
        wait_until(lambda: self.virsh('domstate', '--reason', 'td').strip() == 'crashed (panicked)', 'the crash')

    def test_keeps_a_domain_that_crashes_faster_than_it_is_started(self):
        self.restart_daemon(VIRTTDX_FAKE_LAUNCH='panic')
        domain = self.start('preserve')
        wait_until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_CRASHED, 'the crash')

    def test_destroys_a_kept_domain(self):
        domain = self.start('preserve')
        self.panic(domain)
        wait_until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_CRASHED, 'the crash')
        domain.destroy()
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)

    def test_does_not_dump_a_td(self):
        for on_crash in ('coredump-destroy', 'coredump-restart'):
            domain = self.define('td', XML.replace('<features>', f'<on_crash>{on_crash}</on_crash>\n  <features>'))
            self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, f"on_crash '{on_crash}' is not offered for a TD", domain.create)


class Console(DaemonTest):
    def setUp(self):
        super().setUp()
        self.domain = self.define()
        self.domain.create()

    def open(self, flags=0):
        stream = self.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self.domain.openConsole(None, stream, flags)
        return stream

    def read(self, stream, size):
        return read_stream(stream, size)

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

    # In turns: libvirt before 10.0 may wait for ever when one thread sends and another receives (a wake-up that comes before
    # its event loop runs is lost). wire_test.py has both directions at once.
    def test_carries_much(self):
        stream = self.open()
        self.read(stream, 15)
        pattern = bytes(range(256)) * 16
        for _ in range(64):
            sent = 0
            while sent < len(pattern):
                sent += max(stream.send(pattern[sent:]), 0)
            self.assertEqual(self.read(stream, len(pattern)), pattern)


main()
