# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenStack Nova's libvirt driver (Debian's python3-nova) against virttdxd, with the configuration that docs/nova.md shows."""
import importlib.util
import pathlib
import signal
import subprocess
import sys

if importlib.util.find_spec('nova') is None:
    print('1..0 # SKIP python3-nova is not installed')
    sys.exit(0)

from compute import CONF, Compute, configure, sample_configuration  # noqa: E402  first: it patches what blocks

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

import libvirt  # noqa: E402
import os_traits  # noqa: E402
from lxml import etree  # noqa: E402
from nova import exception  # noqa: E402
from nova.compute import power_state, provider_tree  # noqa: E402

DOCUMENT = harness.SOURCE / 'docs/nova.md'


class NovaTest(harness.DaemonTest):
    """A daemon and a compute service of its own, both configured as docs/nova.md says."""

    def setUp(self):
        self.daemon = harness.Daemon(config=sample_configuration(DOCUMENT, '## virttdxd.conf'))
        self.addCleanup(self.daemon.stop)
        configure(self.daemon.root, sample_configuration(DOCUMENT, '## nova.conf of the compute node'), self.daemon.uri)
        self.nova = Compute()
        self.addCleanup(self.nova.close)
        self.nova.driver.init_host('compute')

    def spawn(self, number=1, **properties):
        instance = self.nova.new_instance(number, **properties)
        self.nova.spawn(instance)
        return instance

    def saw(self, instance, *names):
        """Waits until exactly these lifecycle events have come, in this order."""
        harness.wait_until(lambda: self.nova.lifecycle(instance)[-len(names):] == list(names),
                           f'{names}, saw {self.nova.lifecycle(instance)}')

    def console(self, instance):
        return self.nova.driver.get_console_output(self.nova.context, instance)


class AHost(NovaTest):
    def test_has_what_init_host_demands(self):
        self.assertEqual(self.nova.host.get_driver_type(), 'QEMU')
        self.assertTrue(self.nova.host.has_min_version(hv_ver=(7, 2, 0)))
        capabilities = self.nova.host.get_capabilities()
        self.assertEqual(capabilities.host.cpu.arch, 'x86_64')
        guests = {guest.arch for guest in capabilities.guests}
        self.assertEqual(guests, {'x86_64'})
        self.assertIn('kvm', capabilities.guests[0].domains)

    def test_tells_its_resources(self):
        resources = self.nova.driver.get_available_resource('compute')
        self.assertGreaterEqual(resources['vcpus'], 1)
        self.assertGreater(resources['memory_mb'], 512)
        self.assertEqual(resources['hypervisor_type'], 'QEMU')
        self.assertEqual(resources['hypervisor_version'], 7002000)
        self.assertIn(['x86_64', 'kvm', 'hvm'], [list(each) for each in resources['supported_instances']])
        self.assertIn('"arch": "x86_64"', resources['cpu_info'])

    def test_gives_inventory_and_traits_of_known_names(self):
        tree = provider_tree.ProviderTree()
        tree.new_root('compute', '11111111-2222-4333-8444-555555555555')
        self.nova.driver.update_provider_tree(tree, 'compute')
        data = tree.data('compute')
        self.assertGreater(data.inventory['VCPU']['total'], 0)
        self.assertGreater(data.inventory['MEMORY_MB']['total'], 0)
        self.assertTrue([trait for trait in data.traits if trait.startswith('HW_CPU_X86_')], data.traits)
        self.assertEqual([trait for trait in data.traits if trait not in os_traits.get_traits()], [])

    def test_has_no_instances_yet(self):
        self.assertEqual(self.nova.driver.list_instance_uuids(), [])
        self.assertEqual(self.nova.driver.get_num_instances(), 0)
        with self.assertRaises(exception.InstanceNotFound):
            self.nova.state(self.nova.new_instance(9))


class AnInstance(NovaTest):
    def test_lives_through_all_that_a_tenant_asks_for(self):
        instance = self.spawn()
        driver, context = self.nova.driver, self.nova.context
        self.assertEqual(self.nova.state(instance), power_state.RUNNING)
        self.assertEqual(driver.list_instance_uuids(), [instance.uuid])
        self.saw(instance, 'Started')

        driver.pause(instance)
        self.assertEqual(self.nova.state(instance), power_state.PAUSED)
        driver.unpause(instance)
        self.assertEqual(self.nova.state(instance), power_state.RUNNING)
        self.saw(instance, 'Started', 'Paused', 'Resumed')

        harness.wait_until(lambda: b'UEFI Interactive Shell' in self.console(instance), 'the shell in the console log')
        self.check_diagnostics(instance)

        driver.power_off(instance)
        self.assertEqual(self.nova.state(instance), power_state.SHUTDOWN)
        driver.power_on(context, instance, self.nova.network())
        self.assertEqual(self.nova.state(instance), power_state.RUNNING)

        driver.destroy(context, instance, self.nova.network())
        self.assertEqual(driver.list_instance_uuids(), [])
        with self.assertRaises(exception.InstanceNotFound):
            self.nova.state(instance)

    def check_diagnostics(self, instance):
        plain = self.nova.driver.get_diagnostics(instance)
        self.assertEqual(plain['memory'], 512 * 1024)
        self.assertGreater(plain['cpu0_time'], 0)
        self.assertGreater(plain['memory-rss'], 0)
        typed = self.nova.driver.get_instance_diagnostics(instance)
        self.assertEqual(typed.state, 'running')
        self.assertEqual(len(typed.cpu_details), 1)

    def test_is_a_trust_domain_though_nova_asked_for_a_machine_with_a_display(self):
        CONF.set_override('enabled', True, group='vnc')
        self.addCleanup(CONF.clear_override, 'enabled', group='vnc')
        instance = self.spawn()
        domain = self.nova.host.get_guest(instance)._domain
        xml = etree.fromstring(domain.XMLDesc(0))
        self.assertEqual(xml.find('launchSecurity').get('type'), 'tdx')
        self.assertEqual(xml.find('metadata/*').tag, '{http://openstack.org/xmlns/libvirt/nova/1.1}instance')
        self.assertIn('tdx-mrtd', domain.launchSecurityInfo())
        for left_out in ('<graphics> is left out', '<video> is left out', 'the memory balloon is left out'):
            self.assertIn(left_out, ' '.join(domain.messages()))

    def test_that_does_not_react_to_a_soft_reboot_gets_a_hard_one(self):
        CONF.set_override('wait_soft_reboot_seconds', 1, group='libvirt')
        self.addCleanup(CONF.clear_override, 'wait_soft_reboot_seconds', group='libvirt')
        instance = self.spawn()
        before = self.nova.host.get_guest(instance).id
        self.nova.driver.reboot(self.nova.context, instance, self.nova.network(), 'SOFT')
        self.assertEqual(self.nova.state(instance), power_state.RUNNING)
        self.assertNotEqual(self.nova.host.get_guest(instance).id, before)

    def test_outlives_the_daemon_and_nova_connects_again(self):
        instance = self.spawn()
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.nova.state(instance), power_state.RUNNING)
        self.nova.driver.destroy(self.nova.context, instance, self.nova.network())
        self.assertEqual(self.nova.driver.list_instance_uuids(), [])

    def test_gets_a_volume_while_it_runs(self):
        instance = self.spawn()
        volume = self.daemon.root / 'volume'
        with open(volume, 'wb') as file:
            file.truncate(8 << 20)
        connection = {'driver_volume_type': 'local', 'serial': '5f6a1c0e-2c4d-4a0e-8b5f-6a8b3a9d7c11',
                      'data': {'device_path': str(volume), 'access_mode': 'rw'}}
        self.nova.driver.attach_volume(self.nova.context, connection, instance, '/dev/vdb', disk_bus='virtio', device_type='disk')
        domain = self.nova.host.get_guest(instance)._domain
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            targets = {disk.find('target').get('dev'): disk for disk in etree.fromstring(domain.XMLDesc(flags)).iter('disk')}
            self.assertEqual(targets['vdb'].find('source').get('dev'), str(volume))
        self.assertEqual(domain.blockInfo('vdb')[0], 8 << 20)

    def test_is_not_suspended_to_disk_and_goes_on(self):
        instance = self.spawn()
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.nova.driver.suspend(self.nova.context, instance)
        self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_OPERATION_UNSUPPORTED)
        self.assertEqual(self.nova.state(instance), power_state.RUNNING)

    def test_whose_image_asks_for_uefi_by_name_is_refused_by_nova(self):
        with self.assertRaises(exception.UEFINotSupported):
            self.spawn(hw_firmware_type='uefi')
        self.assertEqual(self.nova.driver.list_instance_uuids(), [])


class AnInterface(NovaTest):
    """Nova makes the tap device, virttdxd's monitor opens it."""
    DEVICE, ADDRESS = 'tapvirttdxnova', '52:54:00:0a:0b:0c'

    def setUp(self):
        super().setUp()
        self.addCleanup(subprocess.run, ['ip', 'link', 'delete', self.DEVICE], check=False, capture_output=True)
        made = subprocess.run(['ip', 'tuntap', 'add', self.DEVICE, 'mode', 'tap'], check=False, capture_output=True, text=True)
        if made.returncode != 0:
            self.skipTest(f'no tap device can be made here: {made.stderr.strip()}')
        subprocess.run(['ip', 'link', 'delete', self.DEVICE], check=True)
        self.interface = self.nova.interface(self.DEVICE, self.ADDRESS)

    def addresses(self, instance, flags=0):
        domain = self.nova.host.get_guest(instance)._domain
        return [mac.get('address') for mac in etree.fromstring(domain.XMLDesc(flags)).iterfind('devices/interface/mac')]

    def has_device(self):
        return pathlib.Path('/sys/class/net', self.DEVICE).exists()

    def test_is_there_from_the_start_and_goes_with_its_instance(self):
        instance = self.nova.new_instance(1)
        self.nova.spawn(instance, self.interface)
        self.assertEqual(self.addresses(instance), [self.ADDRESS])
        self.assertTrue(self.has_device())
        self.nova.driver.destroy(self.nova.context, instance, self.nova.network(self.interface))
        self.assertFalse(self.has_device())

    def test_comes_to_what_runs(self):
        instance = self.spawn()
        self.nova.driver.attach_interface(self.nova.context, instance, instance.image_meta, self.interface)
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            self.assertEqual(self.addresses(instance, flags), [self.ADDRESS])
        # The firmware's shell has no driver for slots: nothing goes before it is off.
        self.nova.driver.power_off(instance)
        self.nova.driver.detach_interface(self.nova.context, instance, self.interface)
        self.assertEqual(self.addresses(instance), [])
        self.assertFalse(self.has_device())


if __name__ == '__main__':
    # Nova opens a TD's terminal, which becomes that of a session's leader, as a test is: its end would end us.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    harness.main()
