# SPDX-License-Identifier: GPL-2.0-or-later
"""A domain's XML as lines, one an element, an attribute or a text, without what two kinds of machine never share."""
import re
import xml.etree.ElementTree as ElementTree

# What is a TD's alone, a PC's alone, or the host's.
WITHOUT = {
    'emulator': 'devices/emulator', 'CPU model': 'cpu', 'TD': 'launchSecurity', 'label of a security driver': 'seclabel', 'firmware': 'os/loader',
    'the interrupt controller of a TD': 'features/ioapic', 'buses of the machine': 'devices/controller', 'no balloon in a TD': 'devices/memballoon',
    'no PS/2 in a TD': 'devices/input', 'no sound in a TD': 'devices/audio'}
WITHOUT_ATTRIBUTES = {'domain': ('type', 'id'), 'domain/os/type': ('machine',)}


def tree(xml):
    root = ElementTree.fromstring(xml)
    for path in WITHOUT.values():
        parent, _, name = path.rpartition('/')
        for above in [root] if not parent else root.findall(parent):
            for element in above.findall(name):
                above.remove(element)
    for device in root.findall('devices/*'):
        for address in device.findall("address[@type='pci']"):
            device.remove(address)
    return root


def flat(element, path=''):
    path += ('/' if path else '') + element.tag
    yield f'{path} {(element.text or "").strip()}'.strip()
    for name, value in sorted(element.attrib.items()):
        if name not in WITHOUT_ATTRIBUTES.get(path, ()):
            yield f'{path}@{name} {re.sub("/dev/pts/.*", "/dev/pts/N", value)}'
    for child in element:
        yield from flat(child, path)


def lines(xml):
    return list(flat(tree(xml)))
