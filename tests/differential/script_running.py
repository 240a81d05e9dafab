# SPDX-License-Identifier: GPL-2.0-or-later
"""What a domain with a little of everything says of itself, defined and running, and what becomes of it as it is changed."""
import os
import re

import libvirt

from documents import lines
from script import CONFIG, DESCRIPTION, LIVE, META, TITLE, domain_xml

BOTH = LIVE | CONFIG
NAME = 'rich'
MAC = '52:54:00:00:00:01'
# One that the test may use.
CPU = min(os.sched_getaffinity(0))
FLAGS = {'': 0, ', inactive': libvirt.VIR_DOMAIN_XML_INACTIVE, ', secure': libvirt.VIR_DOMAIN_XML_SECURE, ', with CPU': libvirt.VIR_DOMAIN_XML_UPDATE_CPU,
         ', migratable': libvirt.VIR_DOMAIN_XML_MIGRATABLE, ', inactive and secure': libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE}
IN_DOMAIN = f"""<title>A title</title><description>two
lines</description><metadata><a:note xmlns:a='urn:a' b='1'>t</a:note></metadata>
<cputune><vcpupin vcpu='0' cpuset='{CPU}'/><emulatorpin cpuset='{CPU}'/></cputune><genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>
<iothreads>1</iothreads><on_crash>restart</on_crash>"""
DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{0}/{1}.img'/><target dev='{1}' bus='virtio'/>{2}</disk>"""
INTERFACE = "<interface type='user'><mac address='{}'/><model type='virtio'/>{}</interface>"
IN_DEVICES = (DISK + INTERFACE.format(MAC, '') + "<controller type='pci' index='0' model='pcie-root'/>" +
              ''.join(f"<controller type='pci' index='{index}' model='pcie-root-port'/>" for index in range(1, 12)) + """
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>""")


def rich(call):
    """A step on the domain."""
    return lambda s: call(s.connection.lookupByName(NAME))


def define(s):
    devices = IN_DEVICES.format(s.folder, 'vda', '<serial>first</serial>')
    return s.connection.defineXML(domain_xml(s, name=NAME, extra=IN_DOMAIN).replace('</devices>', devices + '</devices>')).name()


def document(flags):
    return lambda s: {'document': [re.sub(r'/\S+/', 'FOLDER/', line) if '.img' in line or '@path' in line else line
                                   for line in lines(s.connection.lookupByName(NAME).XMLDesc(flags))]}


def documents(phase, flags=FLAGS):
    return [(f'XML{name}, {phase}', document(value)) for name, value in flags.items()]


def pinned(domain):
    """Of the CPUs of a domain's pins, this test's own."""
    vcpus, emulator = domain.vcpuPinInfo(LIVE), domain.emulatorPinInfo(LIVE)
    return [[cpu for cpu, may in enumerate(pins) if may] == [CPU] for pins in (*vcpus, emulator)]


def disk(target, more=''):
    return lambda s: DISK.format(s.folder, target, more)


def device(call, xml, *flags):
    return lambda s: getattr(s.connection.lookupByName(NAME), call)(xml(s) if callable(xml) else xml, *flags)


CHANGES = [
    ('pins, live', rich(pinned)),
    ('title, both', rich(lambda d: d.setMetadata(TITLE, 'another', None, None, BOTH))),
    ('title, live', rich(lambda d: d.setMetadata(TITLE, 'of a run', None, None, LIVE))),
    ('description, both', rich(lambda d: d.setMetadata(DESCRIPTION, None, None, None, BOTH))),
    ('element, both', rich(lambda d: d.setMetadata(META, "<n c='2'/>", 'k', 'urn:n', BOTH))),
    ('element, live', rich(lambda d: d.setMetadata(META, None, None, 'urn:a', LIVE))),
    ('elements then', rich(lambda d: [d.metadata(META, 'urn:n', flags) for flags in (LIVE, CONFIG)])),
    ('element that went', rich(lambda d: d.metadata(META, 'urn:a', LIVE))),
    ('element that stayed', rich(lambda d: d.metadata(META, 'urn:a', CONFIG))),
    ('shares live', rich(lambda d: d.setSchedulerParametersFlags({'cpu_shares': 200}, LIVE))),
    ('hard limit live', rich(lambda d: d.setMemoryParameters({'hard_limit': 1 << 21}, LIVE))),
    ('bandwidth of a disk', rich(lambda d: d.setBlockIoTune('vda', {'total_bytes_sec': 1 << 20}, BOTH))),
    ('its bandwidth', rich(lambda d: {name: value for name, value in d.blockIoTune('vda', LIVE).items() if value and name != 'group_name'})),
    ('no bandwidth', rich(lambda d: d.setBlockIoTune('vda', {'total_bytes_sec': 0}, BOTH))),
    ('resize a disk', rich(lambda d: d.blockResize('vda', 2 << 20, 1))),
    ('attach a disk', device('attachDevice', disk('vdb'))),
    ('attach a disk, config', device('attachDeviceFlags', disk('vdc'), CONFIG)),
    ('detach a disk that is not there', device('detachDevice', disk('vdz'))),
    ('attach an interface', device('attachDeviceFlags', INTERFACE.format('52:54:00:00:00:02', ''), BOTH)),
    ('attach one of the same address', device('attachDeviceFlags', INTERFACE.format('52:54:00:00:00:02', ''), BOTH)),
    ('attach nonsense', device('attachDevice', '<nonsense/>')), ('attach no XML', device('attachDevice', 'x')),
    ('link down', device('updateDeviceFlags', INTERFACE.format(MAC, "<link state='down'/>"), BOTH)),
    ('detach an interface that is not there', device('detachDevice', INTERFACE.format('52:54:00:00:00:09', ''))),
    ('detach by an alias that is not there', rich(lambda d: d.detachDeviceAlias('ua-none', LIVE))),
    ('detach a disk, config', device('detachDeviceFlags', disk('vdc'), CONFIG)),
    ('lifecycle action', rich(lambda d: d.setLifecycleAction(libvirt.VIR_DOMAIN_LIFECYCLE_CRASH, libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE, BOTH))),
    ('statistics of a disk', rich(lambda d: len(d.blockStats('vda')))), ('statistics of an interface', rich(lambda d: len(d.interfaceStats(MAC)))),
]
STEPS = ([('define a rich one', define)] + documents('defined') + [('create the rich one', rich(lambda d: d.create()))] + documents('running') + CHANGES +
         documents('changed', {name: value for name, value in FLAGS.items() if value != libvirt.VIR_DOMAIN_XML_MIGRATABLE}) +
         [('detach a disk', device('detachDevice', disk('vdb'))), ('destroy the rich one', rich(lambda d: d.destroy()))] + documents('destroyed') +
         [('undefine the rich one', rich(lambda d: d.undefine()))])
