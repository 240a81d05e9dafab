#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of interfaces and ports of Open vSwitch: the programs of the host that are run for them, with a fake monitor and programs that
write down what they are told. An image's bytes, too.

Usage: traffic_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import os
import re

from daemon_case import XML, DaemonTest, libvirt, main, wait_until
from resource_test import Daemon

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
MAC, SECOND = '52:54:00:00:00:01', '52:54:00:00:00:02'
PROGRAM = """#!/bin/sh
test ! -e {root}/fail-{name} || {{ echo "no {name} today" >&2; exit 1; }}
echo {name} "$@" >> {root}/commands
"""
LIMITS = "<bandwidth><inbound average='1000' peak='5000' burst='1024'/><outbound average='128'/></bandwidth>"
INTERFACE = "<interface type='{type}'><mac address='{mac}'/>{source}{more}<model type='virtio'/></interface>"
SLOT = "<controller type='pci' model='pcie-root-port'/>"
BRIDGE = "<source bridge='br0'/>"
CLEAR = ['tc qdisc del dev vnet0 root', 'tc qdisc del dev vnet0 ingress']
SENT = ['tc qdisc add dev vnet0 root handle 1: htb default 1',
        'tc class add dev vnet0 parent 1: classid 1:1 htb rate 1000kbps ceil 5000kbps burst 1024kb quantum 85',
        'tc qdisc add dev vnet0 parent 1:1 handle 2: sfq perturb 10']
RECEIVED = ['tc qdisc add dev vnet0 ingress',
            'tc filter add dev vnet0 parent ffff: protocol all u32 match u32 0 0 police rate 128kbps burst 128kb mtu 64kb drop flowid :1']
NOTHING = {name: 0 for name in ('inbound.average', 'inbound.peak', 'inbound.burst', 'inbound.floor', 'outbound.average', 'outbound.peak',
                                'outbound.burst')}


def interface(more='', source=BRIDGE, kind='bridge', mac=MAC):
    return INTERFACE.format(type=kind, mac=mac, source=source, more=more)


class Programs(DaemonTest):
    def start_daemon(self, **environment):
        folder = self.root / 'programs'
        folder.mkdir(exist_ok=True)
        for name in ('tc', 'ovs-vsctl'):
            (folder / name).write_text(PROGRAM.format(root=self.root, name=name))
            (folder / name).chmod(0o755)
        super().start_daemon(PATH=f'{folder}:{os.environ["PATH"]}', **environment)

    def commands(self):
        path = self.root / 'commands'
        commands = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return commands

    def define_with(self, *interfaces):
        return self.define(xml=XML.replace('</devices>', SLOT + ''.join(interfaces) + '</devices>'))

    def code_of(self, call):
        with self.assertRaises(libvirt.libvirtError) as raised:
            call()
        return raised.exception.get_error_code()


class Limits(Programs):
    def test_are_those_of_the_definition_when_it_starts(self):
        domain = self.define_with(interface(LIMITS))
        domain.create()
        self.assertEqual(self.commands(), CLEAR + SENT + RECEIVED)
        self.assertEqual(domain.interfaceParameters('vnet0'), NOTHING | {'inbound.average': 1000, 'inbound.peak': 5000, 'inbound.burst': 1024,
                                                                         'outbound.average': 128})
        domain.destroy()
        self.assertEqual(self.commands(), [])

    def test_keep_a_domain_from_starting_that_cannot_have_them(self):
        domain = self.define_with(interface(LIMITS))
        (self.root / 'fail-tc').touch()
        with self.assertRaisesRegex(libvirt.libvirtError, "'tc qdisc add dev vnet0 root handle 1: htb default 1': no tc today"):
            domain.create()
        self.assertFalse(domain.isActive())
        (self.root / 'fail-tc').unlink()
        domain.create()

    def test_change_while_it_runs(self):
        domain = self.define_with(interface())
        domain.create()
        self.assertEqual(self.commands(), [])
        self.assertEqual(domain.interfaceParameters(MAC), NOTHING)
        domain.setInterfaceParameters('vnet0', {'inbound.average': 1000, 'inbound.peak': 5000, 'inbound.burst': 1024}, LIVE)
        self.assertEqual(self.commands(), CLEAR + SENT)
        for flags in (LIVE, CONFIG):
            domain.setInterfaceParameters(MAC, {'outbound.average': 128}, flags)
        self.assertEqual(self.commands(), CLEAR + SENT + RECEIVED)
        self.assertIn(LIMITS, re.sub(r'\n\s*', '', domain.XMLDesc()))
        self.assertIn("<bandwidth><outbound average='128'/></bandwidth>",
                      re.sub(r'\n\s*', '', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))
        # A peak alone says nothing.
        domain.setInterfaceParameters(MAC, {'inbound.peak': 1}, LIVE)
        self.assertEqual(self.commands(), CLEAR + SENT + RECEIVED)
        domain.setInterfaceParameters(MAC, {'inbound.average': 0, 'outbound.average': 0}, LIVE)
        self.assertEqual(self.commands(), CLEAR)
        self.assertNotIn('bandwidth', domain.XMLDesc())

    def test_stay_as_they_were_when_the_host_refuses(self):
        domain = self.define_with(interface())
        domain.create()
        (self.root / 'fail-tc').touch()
        self.assertEqual(self.code_of(lambda: domain.setInterfaceParameters(MAC, {'inbound.average': 1}, LIVE)), libvirt.VIR_ERR_INTERNAL_ERROR)
        self.assertEqual(domain.interfaceParameters(MAC), NOTHING)

    def test_come_with_an_interface_that_is_plugged_and_with_one_that_is_updated(self):
        domain = self.define_with()
        domain.create()
        domain.attachDeviceFlags(interface(LIMITS), LIVE)
        self.assertEqual(self.commands(), CLEAR + SENT + RECEIVED)
        domain.updateDeviceFlags(interface(LIMITS + "<link state='down'/>"), LIVE)
        self.assertEqual(self.commands(), [])
        domain.updateDeviceFlags(interface("<bandwidth><outbound average='128'/></bandwidth>"), LIVE)
        self.assertEqual(self.commands(), CLEAR + RECEIVED)
        self.assertEqual(domain.interfaceParameters(MAC)['inbound.average'], 0)

    def test_are_refused_where_nobody_can_set_them(self):
        user = interface(kind='user', source='')
        domain = self.define_with(user, interface("<virtualport type='openvswitch'/>", mac=SECOND))
        set_limit = domain.setInterfaceParameters
        self.assertEqual(self.code_of(lambda: set_limit(MAC, {'inbound.average': 1})), libvirt.VIR_ERR_CONFIG_UNSUPPORTED)
        self.assertEqual(self.code_of(lambda: set_limit(SECOND, {'inbound.average': 1})), libvirt.VIR_ERR_OPERATION_UNSUPPORTED)
        self.assertEqual(self.code_of(lambda: set_limit('vnet9', {'inbound.average': 1})), libvirt.VIR_ERR_INVALID_ARG)
        self.assertEqual(self.code_of(lambda: set_limit(MAC, {'inbound.average': 1}, LIVE)), libvirt.VIR_ERR_OPERATION_INVALID)
        floor = self.define(xml=XML.replace('</devices>', interface("<bandwidth><inbound average='1' floor='1'/></bandwidth>") + '</devices>')
                            .replace('<name>td<', '<name>floor<'))
        with self.assertRaisesRegex(libvirt.libvirtError, "'floor' of <bandwidth>"):
            floor.create()


class PortsOfNetworks(Programs):
    def test_have_the_limits_that_their_network_gives(self):
        network = Daemon(self.root / 'run/libvirt/virtnetworkd-sock')
        self.addCleanup(network.listener.close)
        network.plug = "<bandwidth><inbound average='1000' peak='5000' burst='1024'/></bandwidth>" + network.plug
        domain = self.define_with(interface(kind='network', source="<source network='blue' portgroup='fast'/>"))
        domain.create()
        self.assertEqual(self.commands(), CLEAR + SENT)
        self.assertEqual(domain.interfaceParameters(MAC)['inbound.average'], 1000)
        self.assertNotIn('bandwidth', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        # Who says nothing of limits changes none.
        domain.updateDeviceFlags(interface("<link state='down'/>", kind='network', source="<source network='blue' portgroup='fast'/>"), LIVE)
        self.assertEqual(self.commands(), [])
        domain.destroy()
        self.assertEqual(network.ports, {})

    def test_are_told_the_limits_of_the_interface(self):
        network = Daemon(self.root / 'run/libvirt/virtnetworkd-sock')
        self.addCleanup(network.listener.close)
        self.define_with(interface(LIMITS, kind='network', source="<source network='blue'/>")).create()
        (port,) = network.ports.values()
        self.assertIn(LIMITS, re.sub(r'\n\s*', '', port))


class SwitchPorts(Programs):
    PORT = "<virtualport type='openvswitch'><parameters interfaceid='{}' profileid='blue'/></virtualport>"
    ID = '09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'

    def test_are_made_for_a_run_and_go_with_it(self):
        vlan = "<vlan trunk='yes'><tag id='42' nativeMode='untagged'/><tag id='47'/></vlan>"
        domain = self.define_with(interface(vlan + self.PORT.format(self.ID).replace('blue', 'blue,vm-id=&quot;1')))
        domain.create()
        words = [f'ovs-vsctl --timeout=5 -- --if-exists del-port vnet0 -- add-port br0 vnet0 vlan_mode=native-untagged tag=42 trunk=42,47',
                 f'external-ids:attached-mac="{MAC}"', f'external-ids:iface-id="{self.ID}"', f'external-ids:vm-id="{domain.UUIDString()}"',
                 'external-ids:port-profile="blue,vm-id=\\"1"', 'external-ids:iface-status="active"']
        self.assertEqual(self.commands(), [' -- set Interface vnet0 '.join(words)])
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        domain.destroy()
        self.assertEqual(self.commands(), ['ovs-vsctl --timeout=5 -- --if-exists del-port vnet0'])

    def test_have_an_id_of_their_own_and_one_vlan(self):
        domain = self.define_with(interface("<vlan><tag id='7'/></vlan><virtualport type='openvswitch'/>"))
        number = re.search(r"<parameters interfaceid='([-0-9a-f]{36})'/>", domain.XMLDesc())[1]
        domain.create()
        (command,) = self.commands()
        self.assertIn(f'add-port br0 vnet0 tag=7 -- set Interface vnet0 external-ids:attached-mac="{MAC}"', command)
        self.assertIn(f'external-ids:iface-id="{number}"', command)

    def test_go_with_an_interface_that_is_unplugged(self):
        domain = self.define_with()
        domain.create()
        domain.attachDeviceFlags(interface(self.PORT.format(self.ID)), LIVE)
        self.assertEqual(len(self.commands()), 1)
        domain.detachDeviceFlags(interface(self.PORT.format(self.ID)), LIVE)
        gone = []
        wait_until(lambda: gone.extend(self.commands()) or gone, 'the port to go')
        self.assertEqual(gone, ['ovs-vsctl --timeout=5 -- --if-exists del-port vnet0'])

    def test_keep_a_domain_from_starting_that_cannot_have_them(self):
        domain = self.define_with(interface(self.PORT.format(self.ID)))
        (self.root / 'fail-ovs-vsctl').touch()
        with self.assertRaisesRegex(libvirt.libvirtError, 'no ovs-vsctl today'):
            domain.create()
        self.assertFalse(domain.isActive())

    def test_are_the_only_ones_with_vlans(self):
        domain = self.define_with(interface("<vlan><tag id='7'/></vlan>"))
        with self.assertRaisesRegex(libvirt.libvirtError, '<vlan> is not offered'):
            domain.create()


class Peek(DaemonTest):
    def test_reads_a_raw_image_and_no_other(self):
        image = self.root / 'image'
        image.write_bytes(bytes(range(256)) * 16)
        disk = "<disk type='{}'><driver name='qemu' type='{}'/><source {}/><target dev='{}' bus='virtio'/></disk>"
        devices = disk.format('file', 'raw', f"file='{image}'", 'vda') + disk.format('file', 'qcow2', f"file='{image}2'", 'vdb')
        devices += disk.format('volume', 'raw', "pool='p' volume='v'", 'vdc')
        domain = self.define(xml=XML.replace('</devices>', devices + '</devices>'))
        self.assertEqual(domain.blockPeek('vda', 254, 4), b'\xfe\xff\x00\x01')
        self.assertEqual(domain.blockPeek(str(image), 4095, 1), b'\xff')
        for path, offset, code in (('vda', 4095, libvirt.VIR_ERR_INVALID_ARG), ('vda', 2 ** 64 - 1, libvirt.VIR_ERR_INVALID_ARG),
                                   ('vdz', 0, libvirt.VIR_ERR_INVALID_ARG), ('vdb', 0, libvirt.VIR_ERR_OPERATION_UNSUPPORTED),
                                   ('vdc', 0, libvirt.VIR_ERR_INTERNAL_ERROR)):
            with self.subTest(path=path, offset=offset), self.assertRaises(libvirt.libvirtError) as raised:
                domain.blockPeek(path, offset, 2)
            self.assertEqual(raised.exception.get_error_code(), code)


if __name__ == '__main__':
    main()
