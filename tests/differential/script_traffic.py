# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of interfaces that are defined, ports of Open vSwitch, bytes of images."""
import re

from documents import lines
from script import CONFIG, LIVE, domain_xml

NAME = 'traffic'
BRIDGED, USER, SWITCHED = '52:54:00:11:00:01', '52:54:00:11:00:02', '52:54:00:11:00:03'
INTERFACES = f"""<interface type='bridge'><mac address='{BRIDGED}'/><source bridge='br0'/><model type='virtio'/>
    <bandwidth><inbound average='1000' peak='5000' burst='1024'/></bandwidth></interface>
  <interface type='user'><mac address='{USER}'/><model type='virtio'/></interface>
  <interface type='bridge'><mac address='{SWITCHED}'/><source bridge='br1'/><model type='virtio'/>
    <vlan trunk='yes'><tag id='42' nativeMode='untagged'/><tag id='47'/></vlan><virtualport type='openvswitch'/></interface>
  <disk type='file'><driver name='qemu' type='qcow2'/><source file='/none.qcow2'/><target dev='vdq' bus='virtio'/></disk>"""


def define(s):
    return s.connection.defineXML(domain_xml(s, name=NAME, uuid='2a8d6c0e-5a55-4b0e-9c63-7a6d8b7a3b12')
                                  .replace('</devices>', INTERFACES + '</devices>')).name()


def traffic(call):
    return lambda s: call(s.connection.lookupByName(NAME))


def interfaces(domain):
    """An id that is made is a random one."""
    said = [line for line in lines(domain.XMLDesc()) if line.startswith('domain/devices/interface') and 'address' not in line]
    return [re.sub(r"[-0-9a-f]{36}", 'ID', line) for line in said]


def limit(device, flags=CONFIG, **limits):
    """What all interfaces look like then."""
    def step(s):
        domain = s.connection.lookupByName(NAME)
        domain.setInterfaceParameters(device, {name.replace('_', '.'): value for name, value in limits.items()}, flags)
        return domain.interfaceParameters(device), interfaces(domain)
    return step


STEPS = [
    ('define limits', define), ('interfaces with limits', traffic(interfaces)),
    ('limits', traffic(lambda d: d.interfaceParameters(BRIDGED))), ('limits, none', traffic(lambda d: d.interfaceParameters(USER))),
    ('limits, live', traffic(lambda d: d.interfaceParameters(BRIDGED, LIVE))),
    ('limits, both', traffic(lambda d: d.interfaceParameters(BRIDGED, LIVE | CONFIG))),
    ('limits, unknown flag', traffic(lambda d: d.interfaceParameters(BRIDGED, 1 << 20))),
    ('limits of no interface', traffic(lambda d: d.interfaceParameters('52:54:00:11:00:09'))),
    ('limit outbound', limit(BRIDGED, outbound_average=128, outbound_burst=2)), ('limit inbound anew', limit(BRIDGED, inbound_average=7)),
    ('limit, a peak alone', limit(BRIDGED, inbound_peak=9)), ('limit inbound, none', limit(BRIDGED, inbound_average=0)),
    ('limit, a floor', limit(BRIDGED, inbound_floor=9)), ('limit outbound, none', limit(BRIDGED, outbound_average=0)),
    ('limit of user networking', limit(USER, inbound_average=1)), ('limit of no interface', limit('vnet77', inbound_average=1)),
    ('limit, live', limit(BRIDGED, LIVE, inbound_average=1)),
    ('domiftune', lambda s: s.virsh('domiftune', NAME, BRIDGED)),
    ('domiftune, set', lambda s: s.virsh('domiftune', NAME, BRIDGED, '--inbound', '100,200,300', '--outbound', '5', '--config')),
    ('domiftune, wrong', lambda s: s.virsh('domiftune', NAME, BRIDGED, '--inbound', 'fast', '--config')),
    ('interfaces after domiftune', traffic(interfaces)),
    ('peek', traffic(lambda d: d.blockPeek('vda', 0, 16).hex())), ('peek, beyond the end', traffic(lambda d: d.blockPeek('vda', 1 << 40, 16))),
    ('peek, no disk', traffic(lambda d: d.blockPeek('vdz', 0, 16))), ('peek, unknown flag', traffic(lambda d: d.blockPeek('vda', 0, 16, 1))),
    ('peek, qcow2', traffic(lambda d: d.blockPeek('vdq', 0, 16))),
    ('undefine limits', traffic(lambda d: d.undefine())),
]
