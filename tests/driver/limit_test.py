#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of CPU time, memory and block I/O: control groups that systemd makes, which is played on a bus of the test's own.

Usage: limit_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import json
import re
import signal
import threading

from bus_case import BusTest
from daemon_case import SOURCE, XML, libvirt, main, wait_until

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
NONE = (1 << 64) - 1
NO_QUOTA = 17592186044415  # as virsh schedinfo shows it of libvirt's own drivers
UNLIMITED = 9007199254740991
SCOPE = r'machine-tdx\x2d{}\x2dtd.scope'
TUNED = XML.replace('<vcpu', """<blkiotune><weight>500</weight></blkiotune>
  <memtune><hard_limit unit='KiB'>2097152</hard_limit><soft_limit unit='KiB'>1048576</soft_limit>
  <swap_hard_limit unit='KiB'>3145728</swap_hard_limit></memtune>
  <cputune><shares>200</shares><period>100000</period><quota>50000</quota><global_period>50000</global_period>
  <global_quota>75000</global_quota><emulator_period>100000</emulator_period><emulator_quota>20000</emulator_quota></cputune>
  <vcpu""", 1)
DEVICE_LIMITS = ('IODeviceWeight', 'IOReadBandwidthMax', 'IOWriteBandwidthMax', 'IOReadIOPSMax', 'IOWriteIOPSMax')
DEFAULTS = {'CPUWeight': NONE, 'CPUQuotaPerSecUSec': NONE, 'CPUQuotaPeriodUSec': NONE, 'MemoryHigh': NONE, 'MemoryMax': NONE,
            'MemorySwapMax': NONE, 'IOWeight': NONE}


class LimitTest(BusTest):
    def start_services(self):
        self.groups = self.root / 'sys/fs/cgroup'
        self.groups.mkdir(parents=True)
        (self.groups / 'cgroup.controllers').touch()
        (self.root / 'run/systemd/system').mkdir(parents=True)
        self.systemd = self.run_beside(['/usr/bin/python3', SOURCE / 'tests/driver/fake_systemd.py', self.bus_folder, self.groups])
        wait_until((self.bus_folder / 'ready').exists, 'systemd')

    def scope(self, number=1):
        return json.loads((self.bus_folder / (SCOPE.format(number) + '.json')).read_text())

    def assert_limits(self, number=1, **expected):
        scope = self.scope(number)
        self.assertEqual({name: scope[name] for name in DEFAULTS}, {**DEFAULTS, **expected})

    def child(self, name, file):
        return (self.groups / 'machine.slice' / SCOPE.format(1) / name / file).read_text()

    def pid(self):
        return int(re.search(r"pid='(\d+)'", (self.root / 'run/libvirt/tdx/td.xml').read_text())[1])


class RunningDomain(LimitTest):
    def test_has_a_control_group_of_its_own(self):
        self.define().create()
        scope = self.scope()
        self.assertEqual({name: scope[name] for name in ('mode', 'Slice', 'Delegate', 'PIDs', 'CollectMode', 'After', 'Before')},
                         {'mode': 'fail', 'Slice': 'machine.slice', 'Delegate': 1, 'PIDs': [self.pid()], 'CollectMode': 'inactive-or-failed',
                          'After': ['virttdxd.service'], 'Before': ['virt-guest-shutdown.target']})
        self.assertEqual({name: kind for name, kind in scope['signatures'].items() if name in (*DEFAULTS, 'PIDs', 'Delegate', 'Slice')},
                         {**dict.fromkeys(DEFAULTS, 't'), 'PIDs': 'au', 'Delegate': 'b', 'Slice': 's'})
        self.assert_limits()

    def test_is_limited_as_its_definition_says(self):
        (self.bus_folder / 'children').touch()
        self.define(xml=TUNED).create()
        self.assert_limits(CPUWeight=200, CPUQuotaPerSecUSec=1500000, CPUQuotaPeriodUSec=50000, MemoryMax=2 << 30, MemoryHigh=1 << 30,
                           MemorySwapMax=1 << 30, IOWeight=500)
        self.assertEqual((self.child('vcpu0', 'cpu.max'), self.child('emulator', 'cpu.max')), ('50000 100000', '20000 100000'))
        self.assertEqual((self.child('vcpu0', 'cgroup.type'), self.child('', 'cgroup.subtree_control')), ('threaded', '+cpu'))
        self.assertTrue(self.child('vcpu0', 'cgroup.threads'))

    def test_is_limited_at_single_block_devices(self):
        limits = {'weight': 700, 'read_iops_sec': 10, 'write_iops_sec': 20, 'read_bytes_sec': 3000, 'write_bytes_sec': 4000}
        elements = ''.join(f'<{name}>{value}</{name}>' for name, value in limits.items())
        domain = self.define(xml=XML.replace('<vcpu', f'<blkiotune><device><path>/dev/sda</path>{elements}</device></blkiotune>\n<vcpu', 1))
        domain.create()
        scope = self.scope()
        self.assertEqual([scope[name] for name in DEVICE_LIMITS],
                         [[['/dev/sda', 700]], [['/dev/sda', 3000]], [['/dev/sda', 4000]], [['/dev/sda', 10]], [['/dev/sda', 20]]])
        self.assertEqual({scope['signatures'][name] for name in DEVICE_LIMITS}, {'a(st)'})
        domain.setBlkioParameters({'device_weight': '/dev/sda,0,/dev/sdb,300', 'weight': 200}, LIVE)
        self.assertEqual(self.scope()['IODeviceWeight'], [['/dev/sdb', 300]])
        self.assertEqual(domain.blkioParameters(LIVE),
                         {'weight': 200, 'device_weight': '/dev/sdb,300', 'device_read_iops_sec': '/dev/sda,10', 'device_write_iops_sec': '/dev/sda,20',
                          'device_read_bytes_sec': '/dev/sda,3000', 'device_write_bytes_sec': '/dev/sda,4000'})
        domain.setBlkioParameters({name: '/dev/sda,0' for name in domain.blkioParameters(LIVE) if name.startswith('device_')}, LIVE)
        self.assertEqual([self.scope()[name] for name in DEVICE_LIMITS], [[['/dev/sdb', 300]], [], [], [], []])

    def test_is_in_the_slice_of_its_partition(self):
        (self.bus_folder / 'children').touch()
        domain = self.define(xml=TUNED.replace('<vcpu', '<resource><partition>/machine/prod-a</partition></resource>\n<vcpu', 1))
        domain.create()
        self.assertEqual(self.scope()['Slice'], r'machine-prod\x2da.slice')
        group = self.groups / 'machine.slice' / r'machine-prod\x2da.slice' / SCOPE.format(1)
        self.assertEqual((group / 'vcpu0/cpu.max').read_text(), '50000 100000')

    def test_changes_its_limits(self):
        (self.bus_folder / 'children').touch()
        domain = self.define()
        domain.create()
        told = self.record_tunables()
        domain.setSchedulerParametersFlags({'cpu_shares': 300, 'vcpu_quota': 40000, 'global_quota': 200000}, LIVE)
        for impact in (LIVE, CONFIG):
            domain.setMemoryParameters({'hard_limit': 1 << 21}, impact)
        domain.setBlkioParameters({'weight': 200}, LIVE)
        self.assert_limits(CPUWeight=300, CPUQuotaPerSecUSec=2000000, CPUQuotaPeriodUSec=100000, MemoryMax=1 << 31, IOWeight=200)
        self.assertEqual(self.scope()['runtime'], 1)
        self.assertEqual(self.child('vcpu0', 'cpu.max'), '40000 100000')
        self.assertEqual(domain.schedulerParametersFlags(LIVE),
                         {'cpu_shares': 300, 'vcpu_period': 100000, 'vcpu_quota': 40000, 'emulator_period': 100000, 'emulator_quota': NO_QUOTA,
                          'global_period': 100000, 'global_quota': 200000})
        self.assertEqual(domain.schedulerParametersFlags(CONFIG)['cpu_shares'], 0)
        self.assertEqual(domain.memoryParameters(CONFIG), {'hard_limit': 1 << 21, 'soft_limit': UNLIMITED, 'swap_hard_limit': UNLIMITED})
        domain.setSchedulerParametersFlags({'emulator_quota': 5000}, CONFIG)
        domain.setSchedulerParametersFlags({'vcpu_quota': -1, 'global_quota': -1}, LIVE)
        wait_until(lambda: len(told) == 2, 'events')
        self.assertEqual(told, [{'cputune.cpu_shares': 300, 'cputune.vcpu_quota': 40000, 'cputune.global_quota': 200000},
                                {'cputune.vcpu_quota': -1, 'cputune.global_quota': -1}])
        self.assertTrue(self.child('vcpu0', 'cpu.max').startswith('max 100000'))  # an ordinary file keeps its end
        self.assert_limits(CPUWeight=300, MemoryMax=1 << 31, IOWeight=200)

    def test_tells_the_kernels_defaults(self):
        domain = self.define()
        domain.create()
        self.assertEqual(domain.schedulerParameters(),
                         {'cpu_shares': 100, 'vcpu_period': 100000, 'vcpu_quota': NO_QUOTA, 'emulator_period': 100000,
                          'emulator_quota': NO_QUOTA, 'global_period': 100000, 'global_quota': NO_QUOTA})
        self.assertEqual(domain.blkioParameters()['weight'], 100)

    def test_refuses_what_the_kernel_does_not_have(self):
        domain = self.define()
        domain.create()
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "shares '10001' must be in range [1, 10000]", domain.setSchedulerParameters,
                          {'cpu_shares': 10001})
        self.assert_limits()

    def test_keeps_what_it_has_when_a_change_fails(self):
        domain = self.define()
        domain.create()
        told = self.record_tunables()
        (self.bus_folder / (SCOPE.format(1) + '.json')).unlink()
        self.assert_error(libvirt.VIR_ERR_SYSTEM_ERROR, f"limit control group '{SCOPE.format(1)}' by systemd: org.freedesktop.systemd1.NoSuchUnit",
                          domain.setSchedulerParameters, {'cpu_shares': 300})
        self.assertEqual(domain.schedulerParameters()['cpu_shares'], 100)
        domain.pinEmulator((True,))
        wait_until(lambda: told, 'an event')
        self.assertEqual(list(told[0]), ['cputune.emulatorpin'])

    def test_changes_after_a_restart_of_the_daemon(self):
        self.define(xml=TUNED).create()
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        wait_until(domain.isActive, 'the domain')
        self.assertEqual(domain.schedulerParameters()['cpu_shares'], 200)
        domain.setSchedulerParameters({'cpu_shares': 300})
        self.assertEqual(self.scope()['CPUWeight'], 300)


class Start(LimitTest):
    def test_fails_without_its_control_group_and_leaves_no_process(self):
        (self.bus_folder / 'result').write_text('failed')
        domain = self.define()
        self.record_events()
        self.assert_error(libvirt.VIR_ERR_SYSTEM_ERROR, f"make control group '{SCOPE.format(1)}' by systemd: systemd's job ended as 'failed'", domain.create)
        self.assertFalse(domain.isActive())
        wait_until(lambda: not self.children(), 'no process is left')
        (self.bus_folder / 'result').unlink()
        domain.create()
        self.assertTrue(domain.isActive())

    def children(self):
        with open(f'/proc/{self.daemon.pid}/task/{self.daemon.pid}/children', encoding='ascii') as file:
            return file.read().split()

    def test_waits_for_the_end_of_the_control_group_before(self):
        (self.bus_folder / 'exists').touch()
        domain = self.define()
        thread = threading.Thread(target=domain.create, daemon=True)
        thread.start()
        wait_until((self.bus_folder / 'asked-in-vain').exists, 'a refusal')
        (self.bus_folder / 'exists').unlink()
        thread.join()
        self.assertTrue(domain.isActive())
        self.assertEqual(self.scope()['PIDs'], [self.pid()])

    def test_fails_without_systemd(self):
        self.systemd.kill()
        self.systemd.wait()
        domain = self.define()
        self.assert_error(libvirt.VIR_ERR_SYSTEM_ERROR, "make control group", domain.create)
        self.assertFalse(domain.isActive())

    def test_of_a_name_with_anything_in_it_has_a_control_group(self):
        self.define('a b-é').create()
        self.assertTrue((self.bus_folder / r'machine-tdx\x2d1\x2da\x20b\x2d\xc3\xa9.scope.json').exists())

    def test_is_interrupted_while_systemd_works(self):
        self.systemd.send_signal(signal.SIGSTOP)
        domain = self.define()
        failed = []

        def start():
            try:
                self.connect().lookupByName('td').create()
            except libvirt.libvirtError as error:
                failed.append(error)

        thread = threading.Thread(target=start, daemon=True)
        thread.start()
        wait_until(lambda: self.children(), 'the process that waits')
        wait_until(domain.isActive, 'the start')
        destroyer = threading.Thread(target=domain.destroy, daemon=True)
        destroyer.start()
        self.systemd.send_signal(signal.SIGCONT)
        destroyer.join()
        thread.join()
        self.assertEqual(len(failed), 1)
        wait_until(lambda: not self.children(), 'no process is left')
        self.assertFalse(domain.isActive())


main()
