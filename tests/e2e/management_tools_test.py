# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-install, virt-xml, virt-clone and the Prometheus exporter against virttdxd, as Debian ships them."""
import http.client
import re
import shutil
import socket
import subprocess
import unittest
import xml.etree.ElementTree as ElementTree

import harness
from libvirtd_beside import begin_libvirtd, skip_unless_possible


def needs(program):
    return unittest.skipIf(shutil.which(program) is None, f'{program} is not installed')


class ToolsTest(harness.DaemonTest):
    def run_tool(self, program, *arguments):
        """(exit status, what it said) of a tool of virtinst's."""
        done = subprocess.run([program, '--connect', self.daemon.uri, *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=harness.PATIENCE, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout

    def tool(self, program, *arguments):
        status, text = self.run_tool(program, *arguments)
        self.assertEqual(status, 0, text)
        return text

    def definition(self, name='guest'):
        return ElementTree.fromstring(self.daemon.virsh('dumpxml', '--inactive', name))

    def install(self, *arguments, disk='none', osinfo='generic'):
        return self.tool('virt-install', '--name', 'guest', '--memory', 256, '--vcpus', 1, '--import', '--osinfo', osinfo,
                         '--disk', disk, '--network', 'none', '--noautoconsole', *arguments)


@needs('virt-install')
class VirtInstall(ToolsTest):
    def test_makes_a_trust_domain_of_what_it_writes_for_any_guest(self):
        self.assertIn('Domain creation completed', self.install())
        self.assertEqual(self.daemon.virsh('domstate', 'guest').strip(), 'running')
        self.assertEqual(self.definition().find('launchSecurity').get('type'), 'tdx')
        self.assertEqual(self.definition().find('os').get('firmware'), 'efi')
        console = self.open_console('--force', name='guest')
        self.assertTrue(console.expect('BdsDxe|Shell', harness.PATIENCE), console.text()[-500:])

    def test_hands_on_the_launch_security_that_it_is_given(self):
        self.install('--noreboot', '--launchSecurity', 'type=tdx,policy=0x0')
        self.assertEqual(int(self.definition().find('launchSecurity/policy').text, 16), 0)


@needs('virt-install')
class VirtInstallWithADisk(ToolsTest):
    """It asks for the storage pool of each path, and makes one where there is none: that is libvirt's own daemon's."""

    def setUp(self):
        skip_unless_possible()
        super().setUp()
        begin_libvirtd(self)
        harness.wait_until(lambda: 'Storage pool not found' in self.daemon.try_virsh('pool-info', 'none')[2], 'libvirtd')

    def test_starts_a_td_from_a_disk_that_is_there(self):
        image = self.daemon.root / 'disk.img'
        with open(image, 'wb') as file:
            file.truncate(8 << 20)
        self.install(disk=f'path={image},format=raw', osinfo='detect=on,require=off')
        self.assertEqual(self.daemon.virsh('domstate', 'guest').strip(), 'running')
        disk = self.definition().find('devices/disk')
        self.assertEqual((disk.find('source').get('file'), disk.find('driver').get('type'), disk.find('target').get('bus')),
                         (str(image), 'raw', 'virtio'))
        self.assertRegex(self.daemon.virsh('domblkinfo', 'guest', disk.find('target').get('dev')), f'Capacity: +{8 << 20}')
        console = self.open_console('--force', name='guest')
        self.assertTrue(console.expect('BdsDxe|Shell', harness.PATIENCE), console.text()[-500:])

    def test_makes_the_disk_that_it_is_told_to(self):
        image = self.daemon.root / 'new.img'
        self.install('--noreboot', disk=f'path={image},size=0.01,format=raw', osinfo='detect=on,require=off')
        self.assertTrue(image.exists())
        self.assertEqual(self.definition().find('devices/disk/source').get('file'), str(image))


@needs('virt-xml')
class VirtXml(ToolsTest):
    def setUp(self):
        super().setUp()
        self.daemon.define(harness.td_xml('guest'))

    def edit(self, *arguments):
        return self.tool('virt-xml', 'guest', *arguments)

    def test_changes_a_definition(self):
        self.edit('--edit', '--memory', '768,currentMemory=768')
        self.edit('--edit', '--vcpus', 2)
        self.edit('--edit', '--metadata', 'title=Of tools')
        self.edit('--edit', '--launchSecurity', 'policy=0x0')
        domain = self.definition()
        self.assertEqual([domain.find(name).text for name in ('memory', 'vcpu', 'title')], [str(768 << 10), '2', 'Of tools'])
        self.assertEqual(int(domain.find('launchSecurity/policy').text, 16), 0)

    def test_shows_what_it_would_change_and_nothing_else(self):
        before = self.daemon.virsh('dumpxml', 'guest')
        changed = [line for line in self.edit('--edit', '--vcpus', 2, '--print-diff').splitlines() if re.match('[-+] ', line)]
        self.assertEqual(len(changed), 2, changed)
        self.assertEqual(self.daemon.virsh('dumpxml', 'guest'), before)

    def test_adds_and_removes_a_device(self):
        self.edit('--add-device', '--network', 'user')
        self.assertEqual(self.definition().find('devices/interface/model').get('type'), 'virtio')
        self.edit('--remove-device', '--network', 'all')
        self.assertIsNone(self.definition().find('devices/interface'))

    def test_tells_why_a_running_td_gets_no_device(self):
        self.daemon.virsh('start', 'guest')
        status, text = self.run_tool('virt-xml', 'guest', '--add-device', '--rng', '/dev/random', '--update')
        self.assertNotEqual(status, 0)
        self.assertIn("live attach of device 'rng' is not supported", text)

    @needs('passt')
    def test_gives_a_running_td_an_interface(self):
        self.tool('virt-xml', 'guest', '--add-device', '--controller', 'pci,model=pcie-root-port')
        self.daemon.virsh('start', 'guest', '--paused')
        self.tool('virt-xml', 'guest', '--add-device', '--network', 'user', '--update')
        for options in ((), ('--inactive',)):
            self.assertEqual(self.daemon.virsh('domiflist', 'guest', *options).count(' user '), 1)


@needs('virt-clone')
@needs('passt')
class VirtClone(ToolsTest):
    def test_makes_a_second_td_with_an_identity_of_its_own(self):
        self.daemon.define(harness.td_xml('guest', text={'</devices>': "<interface type='user'/></devices>"}))
        self.tool('virt-clone', '--original', 'guest', '--name', 'copy', '--auto-clone')
        first, second = self.definition(), self.definition('copy')
        for path in ('uuid', 'name'):
            self.assertNotEqual(first.find(path).text, second.find(path).text)
        self.assertNotEqual(first.find('devices/interface/mac').get('address'), second.find('devices/interface/mac').get('address'))
        self.assertEqual(*(ElementTree.tostring(domain.find('launchSecurity')) for domain in (first, second)))
        self.daemon.virsh('start', 'copy', '--paused')


@needs('prometheus-libvirt-exporter')
class PrometheusExporter(ToolsTest):
    def scrape(self, port):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=harness.PATIENCE)
        connection.request('GET', '/metrics')
        return connection.getresponse().read().decode()

    def start_exporter(self):
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        exporter = subprocess.Popen(['prometheus-libvirt-exporter', f'--web.listen-address=127.0.0.1:{port}',
                                     f'--libvirt.uri={self.daemon.uri}'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(exporter.wait)
        self.addCleanup(exporter.kill)

        def listens():
            with socket.socket() as client:
                return client.connect_ex(('127.0.0.1', port)) == 0
        harness.wait_until(listens, 'the exporter to listen')
        return port

    def test_has_what_the_domain_has(self):
        self.daemon.define(harness.td_xml('guest'))
        self.daemon.virsh('start', 'guest', '--paused')
        text = self.scrape(self.start_exporter())
        self.assertIn('libvirt_up 1', text)
        values = dict(re.findall(r'^libvirt_domain_info_(\w+)\{.*domain="guest".*\} (\S+)$', text, re.MULTILINE))
        info = self.daemon.virsh('dominfo', 'guest')
        self.assertEqual(float(values['maximum_memory_bytes']), int(re.search(r'Max memory: +(\d+) KiB', info)[1]) << 10, text)
        self.assertEqual(float(values['virtual_cpus']), int(re.search(r'CPU\(s\): +(\d+)', info)[1]), text)


if __name__ == '__main__':
    harness.main()
