# SPDX-License-Identifier: GPL-2.0-or-later
"""Media of a CD-ROM drive that change while its domain runs."""
import re

import libvirt

from documents import lines
from script import CONFIG, LIVE, domain_xml

BOTH, FORCE = LIVE | CONFIG, libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE
NAME = 'media'
# Images of the test's folder.
ONE, TWO, THREE = 'vda', 'vdb', 'vdc'
DRIVE = """<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{}<target dev='{}' bus='scsi'/><readonly/>{}</disk>"""
# libvirt's default is an LSI controller.
CONTROLLER = "<controller type='scsi' model='virtio-scsi'/>"


def drive(s, image, more='', target='sda'):
    return DRIVE.format(f"<source file='{s.folder}/{image}.img'/>" if image else '', target, more)


def define(s):
    devices = CONTROLLER + drive(s, ONE)
    return s.connection.defineXML(domain_xml(s, name=NAME, uuid='2a8d6c0e-5a55-4b0e-9c63-7a6d8b7a3b11').replace('</devices>', devices + '</devices>')).name()


def media(call):
    return lambda s: call(s.connection.lookupByName(NAME))


def source(xml):
    return [re.sub(r'\S+/', '', line) for line in lines(xml) if line.startswith('domain/devices/disk') and ('@file' in line or '@tray' in line)]


def update(image, flags=LIVE, **changes):
    """What the drive has then, live and as it is defined."""
    def step(s):
        domain = s.connection.lookupByName(NAME)
        domain.updateDeviceFlags(drive(s, image, **changes), flags)
        return source(domain.XMLDesc()), source(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    return step


def attach(image, flags):
    return lambda s: s.connection.lookupByName(NAME).attachDeviceFlags(drive(s, image), flags)


STEPS = [
    ('define a drive', define), ('create the domain of a drive', media(lambda d: d.create())),
    ('medium, the same', update(ONE)), ('medium, another', update(TWO)), ('medium, none', update(None)), ('medium, none again', update(None)),
    # Not to what runs alone: libvirtd 9.0 uses what it has freed then, and crashes with MALLOC_PERTURB_.
    ('medium, one again', update(THREE)), ('medium, by attach to both', attach(TWO, BOTH)),
    ('medium, by force', update(TWO, LIVE | FORCE)), ('medium, in the definition', update(THREE, CONFIG)), ('medium, both', update(ONE, BOTH)),
    ('medium, live again', update(THREE)),
    ('drive that is absent', update(TWO, target='sdz')), ('drive of another serial number', update(TWO, more='<serial>other</serial>')),
    ('drive with a boot order', update(TWO, more="<boot order='3'/>")), ('drive of another alias', update(TWO, more="<alias name='ua-other'/>")),
    ('drive of another address', update(TWO, more="<address type='drive' controller='0' bus='0' target='0' unit='5'/>")),
    ('change-media, eject', lambda s: s.virsh('change-media', NAME, 'sda', '--eject', '--live')),
    ('change-media, eject again', lambda s: s.virsh('change-media', NAME, 'sda', '--eject', '--live')),
    ('change-media, nothing to say', lambda s: s.virsh('change-media', NAME, 'sda', '--insert', '--live')),
    ('change-media, no such drive', lambda s: s.virsh('change-media', NAME, 'sdz', '--eject', '--live')),
    ('drive, detached', media(lambda d: d.detachDeviceFlags(re.search(r"(?s)<disk .*?</disk>", d.XMLDesc())[0], LIVE))),
    ('destroy the domain of a drive', media(lambda d: d.destroy())), ('medium of what does not run', update(TWO)),
    ('undefine the domain of a drive', media(lambda d: d.undefine())),
]
