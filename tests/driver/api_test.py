#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What virttdxd's API promises beyond the life of a domain: changes of definitions, pins, tuning, refusals, the host.

Usage: api_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import glob
import os
import re
import signal
import time

from daemon_case import XML, DaemonTest, libvirt, main, wait_until

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG


class Metadata(DaemonTest):
    def test_is_kept_changed_and_removed(self):
        domain = self.define()
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'a title', None, None, CONFIG)
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, 'a\ndescription', None, None, CONFIG)
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        self.assertEqual(domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None), 'a title')
        self.assertEqual(domain.metadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None), 'a\ndescription')
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, None, None)
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, '', None, None)
        for kind in (libvirt.VIR_DOMAIN_METADATA_TITLE, libvirt.VIR_DOMAIN_METADATA_DESCRIPTION):
            self.assert_error(libvirt.VIR_ERR_NO_DOMAIN_METADATA, 'Requested metadata element is not present', domain.metadata, kind, None)

    def test_of_applications_has_its_namespace(self):
        domain = self.define()
        element, uri = libvirt.VIR_DOMAIN_METADATA_ELEMENT, 'http://example.org/app'
        domain.setMetadata(element, "<owner name='a'><tag/></owner>", 'app', uri)
        self.assertIn("<app:owner xmlns:app='http://example.org/app' name='a'>", domain.XMLDesc())
        self.assertIn("<owner name='a'>", domain.metadata(element, uri))
        domain.setMetadata(element, "<owner name='b'/>", 'app', uri)
        self.assertEqual(domain.metadata(element, uri), "<owner name='b'/>")
        domain.setMetadata(element, None, 'app', uri)
        self.assertNotIn('owner', domain.XMLDesc())
        self.assert_error(libvirt.VIR_ERR_XML_DETAIL, '', domain.setMetadata, element, '<owner', 'app', uri)

    def test_is_changed_where_it_is_asked_to_be(self):
        domain = self.define()
        title = libvirt.VIR_DOMAIN_METADATA_TITLE
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', domain.setMetadata, title, 'x', None,
                          None, LIVE)
        domain.create()
        domain.setMetadata(title, 'live', None, None)
        self.assert_error(libvirt.VIR_ERR_NO_DOMAIN_METADATA, '', domain.metadata, title, None, CONFIG)
        domain.setMetadata(title, 'both', None, None, LIVE | CONFIG)
        self.assertEqual((domain.metadata(title, None), domain.metadata(title, None, CONFIG)), ('both', 'both'))
        self.assertEqual(domain.isUpdated(), 1)
        transient = self.connection.createXML(XML.replace('>td<', '>other<'))
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'do not have any persistent config', transient.setMetadata, title,
                          'x', None, None, CONFIG)

    def test_announces_its_change(self):
        domain, seen = self.define(), []
        self.connection.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                                               lambda _c, _d, kind, uri, _o: seen.append((kind, uri)), None)
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, '<a/>', 'k', 'urn:k')
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 't', None, None)
        wait_until(lambda: len(seen) == 2, 'events')
        self.assertEqual(seen, [(libvirt.VIR_DOMAIN_METADATA_ELEMENT, 'urn:k'), (libvirt.VIR_DOMAIN_METADATA_TITLE, None)])


class Secrets(DaemonTest):
    SECURE, MIGRATABLE = libvirt.VIR_DOMAIN_XML_SECURE, libvirt.VIR_DOMAIN_XML_MIGRATABLE

    def setUp(self):
        super().setUp()
        self.domain = self.define('td', XML.replace('</devices>', """
          <disk type='network' device='disk'><source protocol='https' name='image'><host name='there'/>
            <cookies><cookie name='session'>hidden</cookie></cookies></source><target dev='vdz' bus='virtio'/></disk>
          <graphics type='vnc' passwd='hidden' passwdValidTo='2030-01-01T00:00:00'/></devices>"""))

    def test_are_shown_to_those_who_ask(self):
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            self.assertNotIn('hidden', self.domain.XMLDesc(flags))
            self.assertIn("<graphics type='vnc' passwdValidTo=", self.domain.XMLDesc(flags))
            for secret in (self.SECURE, self.MIGRATABLE):
                self.assertEqual(self.domain.XMLDesc(flags | secret).count('hidden'), 2)
        self.assertIn("passwd='hidden'", self.virsh('dumpxml', 'td', '--security-info'))
        self.assertNotIn('hidden', self.virsh('dumpxml', 'td'))

    def test_are_not_shown_to_those_who_may_only_read(self):
        reader = libvirt.open(self.uri('-ro')).lookupByName('td')
        self.assertNotIn('hidden', reader.XMLDesc() + reader.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        for flags in (self.SECURE, self.MIGRATABLE):
            self.assert_error(libvirt.VIR_ERR_OPERATION_DENIED, 'virDomainGetXMLDesc with secure flag', reader.XMLDesc, flags)

    def test_stay_in_what_is_stored(self):
        self.restart_daemon()
        self.domain = self.connection.lookupByName('td')
        self.domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'a title', None, None, CONFIG)
        self.assertEqual(self.domain.XMLDesc(self.SECURE).count('hidden'), 2)

    def test_are_gone_with_a_definition_that_has_none(self):
        self.connection.defineXML(self.domain.XMLDesc())
        self.assertNotIn('hidden', self.domain.XMLDesc(self.SECURE))


class Rename(DaemonTest):
    def test_gives_another_name(self):
        domain = self.define()
        uuid = domain.UUIDString()
        domain.setAutostart(1)
        self.record_events()
        domain.rename('new')
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_UNDEFINED, 1, -1), (libvirt.VIR_DOMAIN_EVENT_DEFINED, 2, -1))
        self.restart_daemon()
        self.assertEqual([(d.name(), d.UUIDString(), d.autostart()) for d in self.connection.listAllDomains()],
                         [('new', uuid, 1)])
        self.assertEqual(sorted(os.listdir(self.root / 'etc/libvirt/tdx/autostart')), ['new.xml'])

    def test_is_refused_when_it_cannot_be(self):
        domain = self.define()
        self.define('other')
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, "domain with name 'other' already exists", domain.rename, 'other')
        self.assert_error(libvirt.VIR_ERR_XML_ERROR, "cannot contain '/'", domain.rename, 'a/b')
        domain.create()
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'cannot rename active domain', domain.rename, 'new')

    def test_is_finished_when_the_daemon_was_killed_in_between(self):
        domain = self.define()
        uuid = domain.UUIDString()
        self.kill_daemon()
        old = self.root / 'etc/libvirt/tdx/td.xml'
        os.utime(old, (1, 1))
        (old.parent / 'new.xml').write_text(old.read_text().replace('>td<', '>new<'))
        self.start_daemon()
        self.connection = self.connect()
        self.assertEqual([(d.name(), d.UUIDString()) for d in self.connection.listAllDomains()], [('new', uuid)])
        self.assertFalse(old.exists())


class Sizes(DaemonTest):
    def test_of_memory_change_in_the_definition(self):
        domain = self.define()
        domain.setMemoryFlags(524288 * 2, CONFIG | libvirt.VIR_DOMAIN_MEM_MAXIMUM)
        self.assertEqual(domain.maxMemory(), 524288 * 2)
        domain.setMemoryFlags(262144, CONFIG)
        self.assertEqual(domain.info()[1:3], [524288 * 2, 262144])
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'cannot set memory higher than max memory', domain.setMemoryFlags,
                          1 << 30, CONFIG)
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', domain.setMemory, 262144)
        domain.setMemoryFlags(524288 * 2, CONFIG)
        domain.create()
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'without the balloon device', domain.setMemory, 262144)
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'cannot resize the maximum memory on an active domain',
                          domain.setMaxMemory, 524288)

    def test_of_vcpus_change_in_the_definition(self):
        domain = self.define()
        domain.setVcpusFlags(4, CONFIG | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)
        domain.setVcpusFlags(2, CONFIG)
        self.assertEqual((domain.vcpusFlags(CONFIG), domain.vcpusFlags(CONFIG | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)), (2, 4))
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'greater than max allowable vcpus for the persistent domain: 5 > 4',
                          domain.setVcpusFlags, 5, CONFIG)
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', domain.setVcpus, 1)
        domain.setVcpusFlags(1, CONFIG)
        domain.setVcpusFlags(1, CONFIG | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)
        domain.create()
        domain.setVcpus(1)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'max allowable vcpus for the live domain: 3 > 1', domain.setVcpus, 3)

    def test_lifecycle_actions_change_in_the_definition(self):
        domain = self.define()
        self.virsh('set-lifecycle-action', 'td', 'crash', 'restart', '--config')
        self.assertIn('<on_crash>restart</on_crash>', domain.XMLDesc())

    def test_lifecycle_actions_of_a_running_domain_change_in_its_monitor(self):
        domain = self.define()
        domain.create()
        self.virsh('set-lifecycle-action', 'td', 'poweroff', 'restart', '--live')
        self.assertIn('<on_poweroff>restart</on_poweroff>', domain.XMLDesc())
        self.assertNotIn('<on_poweroff>restart</on_poweroff>', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        self.assertEqual([told['power_off'] for told in self.monitor_told('set-actions')], ['recreate'])
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "on_reboot 'rename-restart' is not offered for a TD",
                          domain.setLifecycleAction, libvirt.VIR_DOMAIN_LIFECYCLE_REBOOT,
                          libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME, LIVE)


class Pins(DaemonTest):
    def test_are_defined_and_take_effect(self):
        domain = self.define()
        domain.pinVcpuFlags(0, (True, False), CONFIG)
        domain.pinEmulator((True, False), CONFIG)
        self.assertIn("<vcpupin vcpu='0' cpuset='0'/>", domain.XMLDesc())
        self.assertEqual(domain.vcpuPinInfo(CONFIG)[0][0], True)
        self.assertFalse(any(domain.vcpuPinInfo(CONFIG)[0][1:]))
        domain.create()
        info = domain.vcpus()
        self.assertEqual((info[0][0][0], info[1][0][0], any(info[1][0][1:])), (0, True, False))
        self.assertFalse(any(domain.emulatorPinInfo(LIVE)[1:]))

    def test_are_those_of_the_next_td_too(self):
        if not {0, 1} <= os.sched_getaffinity(0):
            self.skipTest('CPUs 0 and 1 are not both for this test to use')
        domain = self.define()
        domain.pinEmulator((True, False), CONFIG)
        domain.create()
        self.assertEqual({cpu for cpu, may in enumerate(domain.vcpus()[1][0]) if may}, os.sched_getaffinity(0))
        domain.pinVcpu(0, (False, True))
        self.record_events()
        for count, begin_anew in enumerate((domain.reset, domain.reboot), 1):
            begin_anew()
            wait_until(lambda wanted=3 * count: len(self.events) == wanted, 'the next TD')
            self.assertEqual(domain.vcpus()[1][0][:2], (False, True))
            self.assertEqual(domain.emulatorPinInfo(LIVE)[:2], (True, False))

    def test_of_what_runs_change(self):
        domain = self.define()
        domain.create()
        cpus = len(domain.vcpus()[1][0])
        told = self.record_tunables()
        domain.pinEmulator((True,), CONFIG)
        domain.pinVcpu(0, (True,) + (False,) * (cpus - 1))
        domain.pinEmulator((True,) + (False,) * (cpus - 1), LIVE | CONFIG)
        wait_until(lambda: len(told) == 2, 'events')
        self.assertEqual(told, [{'cputune.vcpupin0': '0'}, {'cputune.emulatorpin': '0'}])
        self.assertEqual(domain.vcpus()[1][0], (True,) + (False,) * (cpus - 1))
        self.assertNotIn('vcpupin', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        migratable = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE)
        self.assertIn("<vcpupin vcpu='0' cpuset='0'/>", migratable)
        self.assertNotRegex(migratable, r'<alias|<domain [^>]*\bid=')
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'out of range of live cpu count 1', domain.pinVcpu, 7, (True,))
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'Empty cpu list', domain.pinVcpu, 0, (False,) * cpus)


class Tuning(DaemonTest):
    def test_is_part_of_the_definition(self):
        domain = self.define()
        domain.setSchedulerParametersFlags({'cpu_shares': 2048, 'vcpu_period': 100000, 'vcpu_quota': -1}, CONFIG)
        self.assertEqual(domain.schedulerParametersFlags(CONFIG)['cpu_shares'], 2048)
        domain.setMemoryParameters({'hard_limit': 1 << 20}, CONFIG)
        self.assertEqual(domain.memoryParameters(CONFIG)['hard_limit'], 1 << 20)
        domain.setBlkioParameters({'weight': 500}, CONFIG)
        domain.setBlkioParameters({'device_read_bytes_sec': '/dev/sda,1000'}, CONFIG)
        self.assertEqual(domain.blkioParameters(CONFIG)['device_read_bytes_sec'], '/dev/sda,1000')
        self.assertIn('<read_bytes_sec>1000</read_bytes_sec>', domain.XMLDesc())
        for wrong in ('sda,1', '/dev/sda', '/dev/sda,', '/dev/sda,x', '/dev/sda,-1', '/dev/sda,1,'):
            self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'unable to parse blkio device', domain.setBlkioParameters,
                              {'device_read_bytes_sec': wrong}, CONFIG)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'device weight range', domain.setBlkioParameters, {'device_weight': '/dev/sda,10001'}, CONFIG)
        domain.setBlkioParameters({'device_read_bytes_sec': '/dev/sda,0'}, CONFIG)
        self.assertEqual(domain.blkioParameters(CONFIG)['weight'], 500)
        domain.setNumaParameters({'numa_nodeset': '0', 'numa_mode': 0}, CONFIG)
        self.assertEqual(domain.numaParameters(CONFIG), {'numa_nodeset': '0', 'numa_mode': 0})
        xml = domain.XMLDesc()
        self.restart_daemon()
        self.assertEqual(self.connection.lookupByName('td').XMLDesc(), xml)
        self.assertIn('<shares>2048</shares>', xml)
        self.assertEqual(self.connection.lookupByName('td').schedulerType()[0], 'posix')

    def test_refuses_what_it_cannot(self):
        domain = self.define()
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'out of range', domain.setSchedulerParametersFlags, {'vcpu_period': 1}, CONFIG)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'must be lower than or equal', domain.setMemoryParameters,
                          {'swap_hard_limit': 1 << 10}, CONFIG)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'weight range', domain.setBlkioParameters, {'weight': 5000}, CONFIG)
        domain.create()
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'controller is not mounted', domain.setMemoryParameters,
                          {'hard_limit': 1 << 20}, LIVE)


class Refusals(DaemonTest):
    def test_tell_why(self):
        domain = self.define()
        unsupported = libvirt.VIR_ERR_OPERATION_UNSUPPORTED
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', domain.managedSave)
        domain.create()
        for message, function, arguments in (
                ('encrypted', domain.managedSave, ()), ('encrypted', domain.save, ('/tmp/x',)),
                ('encrypted', domain.coreDump, ('/tmp/x',)), ('encrypted', domain.memoryPeek, (0, 8, 1)),
                ('no snapshots of disks', domain.snapshotCreateXML, ('<domainsnapshot/>',)),
                ('keyboard', domain.sendKey, (0, 0, [1], 1, 0)), ('NMI', domain.injectNMI, ()),
                ('encrypted', self.connection.restore, ('/tmp/x',)),
                ('display', domain.screenshot, (self.connection.newStream(), 0))):
            self.assert_error(unsupported, message, function, *arguments)
        for function, arguments in ((domain.getTime, ()), (domain.fsFreeze, ()), (domain.fsInfo, ()), (domain.guestInfo, ()),
                                    (domain.hostname, ()), (domain.setUserPassword, ('u', 'p'))):
            self.assert_error(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, 'agent is not configured', function, *arguments)
        self.assert_error(libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT, '', domain.snapshotLookupByName, 'x')
        self.assert_error(libvirt.VIR_ERR_NO_DOMAIN_CHECKPOINT, '', domain.checkpointLookupByName, 'x')
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'no job is active', domain.abortJob)

    def test_leave_empty_lists_empty(self):
        domain = self.define()
        self.assertEqual((domain.listAllSnapshots(), domain.snapshotListNames(), domain.hasCurrentSnapshot(),
                          domain.listAllCheckpoints()), ([], [], 0, []))
        domain.create()
        self.assertEqual((domain.jobInfo()[0], domain.jobStats()['type'], domain.diskErrors(), domain.ioThreadInfo()),
                         (0, 0, {}, []))
        self.assertEqual(domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE), {})
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'invalid path', domain.blockStats, 'vda')
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "'vnet0' is not a known interface", domain.interfaceStats, 'vnet0')
        self.assertEqual(domain.controlInfo()[0], 0)


class Host(DaemonTest):
    def test_tells_its_cpus_and_memory(self):
        before = self.connection.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
        self.assertEqual(set(before), {'kernel', 'user', 'idle', 'iowait'})
        self.assertLessEqual(before['idle'], self.connection.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)['idle'])
        self.assertEqual(set(self.connection.getCPUStats(0)), set(before))
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'Invalid cpuNum', self.connection.getCPUStats, 100000)
        memory = self.connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        with open('/proc/meminfo', encoding='ascii') as file:
            total = next(int(line.split()[1]) for line in file if line.startswith('MemTotal'))
        self.assertEqual(memory['total'], total)
        self.assertGreater(self.connection.getFreeMemory(), 0)
        self.assertEqual(len(self.connection.getCellsFreeMemory(0, 1)), 1)
        page = os.sysconf('SC_PAGESIZE') // 1024
        self.assertGreater(self.connection.getFreePages([page], 0, 1)[0][page], 0)
        self.assert_error(libvirt.VIR_ERR_OPERATION_FAILED, 'page size 3', self.connection.getFreePages, [3], 0, 1)

    def test_has_capabilities_of_this_machine(self):
        capabilities = self.connection.getCapabilities()
        for folder in glob.glob('/sys/kernel/mm/hugepages/hugepages-*kB'):
            self.assertIn(f"<pages unit='KiB' size='{re.search('-([0-9]+)kB', folder)[1]}'/>", capabilities)
        self.assertIn(f"<iommu support='{'yes' if glob.glob('/sys/kernel/iommu_groups/*') else 'no'}'/>", capabilities)
        self.assertRegex(capabilities, "<topology sockets='[0-9]+' dies='[1-9][0-9]*' ")

    def test_has_domain_capabilities_of_its_machines(self):
        for machine, canonical in ((None, 'pc-q35-virttdx'), ('q35', 'pc-q35-virttdx'), ('pc-q35-7.2', 'pc-q35-7.2')):
            self.assertIn(f'<machine>{canonical}</machine>', self.connection.getDomainCapabilities(None, None, machine, None))
        for machine in ('pc', 'pc-i440fx-7.2', 'microvm', ''):
            self.assert_error(libvirt.VIR_ERR_INVALID_ARG, f"the machine '{machine}' is not supported by emulator '",
                              self.connection.getDomainCapabilities, None, None, machine, None)

    def test_tells_of_a_domain(self):
        domain = self.define()
        domain.create()
        (_, stats), = self.connection.getAllDomainStats(0)
        for key in ('state.state', 'cpu.time', 'cpu.user', 'cpu.system', 'balloon.rss', 'vcpu.0.time', 'net.count', 'block.count'):
            self.assertIn(key, stats)
        self.assertEqual(set(domain.getCPUStats(True)[0]), {'cpu_time', 'user_time', 'system_time'})
        self.assertEqual(self.virsh('domstats', '--nowait', '--state').split()[2:], ['state.state=1', 'state.reason=1'])


class StuckMonitor(DaemonTest):
    def setUp(self):
        super().setUp()
        (self.root / 'etc/libvirt/virttdxd.conf').write_text('monitor_timeout = 1\n')
        self.restart_daemon()
        self.domain = self.define()
        self.domain.create()
        status = (self.root / 'run/libvirt/tdx/td.xml').read_text()
        self.pid = int(status.split("pid='")[1].split("'")[0])
        os.kill(self.pid, signal.SIGSTOP)
        self.addCleanup(self.wake)

    def wake(self):
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def test_fails_what_needs_it_and_nothing_else(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_TIMEOUT, 'cannot acquire state change lock (held by monitor=pause)',
                          self.domain.suspend)
        self.define('other').create()
        self.assertEqual(len(self.connection.getAllDomainStats(0)), 2)
        self.assertEqual(self.domain.info()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.wake()
        wait_until(lambda: self.domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED, 'the late pause')

    def test_is_destroyed(self):
        self.domain.destroy()
        self.assertEqual(self.domain.isActive(), 0)

    def test_does_not_keep_a_daemon_from_starting(self):
        self.restart_daemon()
        started = time.monotonic()
        domain = self.connection.lookupByName('td')
        self.assertEqual(domain.isActive(), 1)
        self.assertLess(time.monotonic() - started, 10)
        self.wake()
        wait_until(lambda: self.pauses(domain), 'the monitor')

    def pauses(self, domain):
        try:
            domain.suspend()
        except libvirt.libvirtError:
            return False
        return True


main()
