# SPDX-License-Identifier: GPL-2.0-or-later
"""Definitions that have one thing more, and what both drivers make of it: the document that is kept, or the error."""
import libvirt

from documents import lines
from script import UUID, domain_xml

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE
# By a name: what stands in <domain>.
IN_DOMAIN = {
    'title and description': '<title>A title</title><description>two\n  lines &amp; more</description>',
    'empty title': '<title/>',
    'title of two lines': '<title>a\nb</title>',
    'metadata': "<metadata><a:x xmlns:a='urn:a' b='1'><a:y>t</a:y><!-- c --></a:x></metadata>",
    'metadata, default namespace': "<metadata><x xmlns='urn:b'><y z='1'/></x></metadata>",
    'metadata, no namespace': '<metadata><x/></metadata>',
    'metadata, one namespace twice': "<metadata><x xmlns='urn:b'/><y xmlns='urn:b'/></metadata>",
    'genid': '<genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>',
    'genid, bad': '<genid>x</genid>',
    'current memory': "<currentMemory unit='MiB'>64</currentMemory>",
    'current memory above': "<currentMemory unit='MiB'>640</currentMemory>",
    'no current memory': "<currentMemory unit='MiB'>0</currentMemory>",
    'memory of a bad unit': "<currentMemory unit='parsec'>1</currentMemory>",
    'maxMemory': "<maxMemory slots='4' unit='MiB'>1024</maxMemory>",
    'memoryBacking': "<memoryBacking><nosharepages/><locked/></memoryBacking>",
    'memoryBacking, source': "<memoryBacking><source type='memfd'/><access mode='shared'/><allocation mode='immediate'/></memoryBacking>",
    'memoryBacking, hugepages': "<memoryBacking><hugepages/></memoryBacking>",
    'memoryBacking, pages': "<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages></memoryBacking>",
    'memtune': "<memtune><hard_limit unit='GiB'>1</hard_limit><soft_limit unit='MiB'>512</soft_limit><swap_hard_limit>2097152</swap_hard_limit></memtune>",
    'blkiotune': '<blkiotune><weight>500</weight><device><path>/dev/sda</path><weight>300</weight><read_bytes_sec>1000</read_bytes_sec></device></blkiotune>',
    'blkiotune, weight too large': '<blkiotune><weight>5000</weight></blkiotune>',
    'cputune': "<cputune><shares>2048</shares><period>100000</period><quota>-1</quota><global_period>50000</global_period><global_quota>60000</global_quota>"
               "<emulator_period>70000</emulator_period><emulator_quota>80000</emulator_quota></cputune>",
    'cputune, period too small': '<cputune><period>10</period></cputune>',
    'cputune, period too large': '<cputune><global_period>1000001</global_period></cputune>',
    'cputune, quota too small': '<cputune><emulator_quota>999</emulator_quota></cputune>',
    'cputune, defaults': '<cputune><period>0</period><quota>0</quota></cputune>',
    'cputune, shares too small': '<cputune><shares>1</shares></cputune>',
    'cputune, pins': "<cputune><vcpupin vcpu='0' cpuset='0-1,^1'/><emulatorpin cpuset='1'/></cputune>",
    'cputune, pin to no CPU': "<cputune><vcpupin vcpu='0' cpuset='x'/></cputune>",
    'iothreads': '<iothreads>2</iothreads>',
    'iothread ids': "<iothreads>2</iothreads><iothreadids><iothread id='2'/><iothread id='5'/></iothreadids>",
    'numatune': "<numatune><memory mode='strict' nodeset='0'/></numatune>",
    'numatune, bad mode': "<numatune><memory mode='lax' nodeset='0'/></numatune>",
    'resource': '<resource><partition>/machine/a</partition></resource>',
    'resource, relative': '<resource><partition>a</partition></resource>',
    'sysinfo': "<sysinfo type='smbios'><bios><entry name='vendor'>v</entry></bios><system><entry name='serial'>s</entry></system></sysinfo>",
    'fwcfg': "<sysinfo type='fwcfg'><entry name='opt/com.example/x'>v</entry></sysinfo>",
    'clock, localtime': "<clock offset='localtime'/>",
    'clock, variable': "<clock offset='variable' adjustment='3600' basis='utc'/>",
    'clock, timers': "<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/><timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/></clock>",
    'clock, bad': "<clock offset='moon'/>",
    'life cycle': '<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>restart</on_crash>',
    'life cycle, bad': '<on_crash>weep</on_crash>',
    'on_lockfailure': '<on_lockfailure>poweroff</on_lockfailure>',
    'pm': "<pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>",
    'perf': "<perf><event name='cmt' enabled='no'/></perf>",
    'unknown element': '<nonsense/>',
    'two uuids': f'<uuid>{UUID}</uuid>',
}
DISK = "<disk type='file' device='disk'>{}<source file='/nonexistent/a.img'/><target dev='vda' bus='virtio'/></disk>"
NAMED = "<disk type='file'><source file='/a'/><target dev='{}' bus='virtio'/></disk>"
INTERFACE = "<interface type='{}'><mac address='52:54:00:00:00:01'/>{}<model type='virtio'/></interface>"
# By a name: what stands in <devices>.
IN_DEVICES = {
    'disk': DISK.format(''),
    'disk, driver': DISK.format("<driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap' detect_zeroes='unmap'/>"),
    'disk, bad driver': DISK.format("<driver name='qemu' type='tape'/>"),
    'disk, read-only': DISK.format('<readonly/><shareable/>'),
    'disk, serial': DISK.format('<serial>abc</serial>'),
    'disk, boot': DISK.format("<boot order='1'/>"),
    'disk, volume': "<disk type='volume'><driver type='qcow2'/><source pool='p' volume='v'/><target dev='vda'/></disk>",
    'disk, volume of no format': "<disk type='volume'><source pool='p' volume='v'/><target dev='vda'/></disk>",
    'disk, two of one target': DISK.format('') + DISK.format(''),
    'disk, no target': "<disk type='file'><source file='/a'/></disk>",
    'disk, no such target': NAMED.format('/x'),
    'disk, target without a letter': NAMED.format('vd'),
    'disk, target of a partition': NAMED.format('vda1'),
    'disk, target of a floppy': NAMED.format('fda'),
    'disk, no type': "<disk><source file='/a'/><target dev='vda'/></disk>",
    'disk, alias': DISK.format("<alias name='ua-disk'/>"),
    'disk, alias of a driver': DISK.format("<alias name='disk7'/>"),
    'disk, block sizes': DISK.format("<blockio logical_block_size='512' physical_block_size='4096'/>"),
    'disk, iotune': DISK.format('<iotune><total_bytes_sec>1000</total_bytes_sec><read_iops_sec>10</read_iops_sec></iotune>'),
    'disk, iotune of both': DISK.format('<iotune><total_bytes_sec>1</total_bytes_sec><read_bytes_sec>1</read_bytes_sec></iotune>'),
    'disk, backing store': DISK.format("<driver type='qcow2'/><backingStore type='file'><format type='raw'/><source file='/b'/></backingStore>"),
    'disk, scsi': "<disk type='block' device='disk'><source dev='/dev/x'/><target dev='sda' bus='scsi'/></disk>",
    'disk, network': "<disk type='network'><driver type='raw'/><source protocol='rbd' name='pool/i'><host name='h' port='6789'/></source><target dev='vda'/></disk>",
    'disk, nbd': "<disk type='network'><source protocol='nbd' name='x'><host transport='unix' socket='/s'/></source><target dev='vda'/></disk>",
    'cdrom': "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>",
    'floppy': "<disk type='file' device='floppy'><target dev='fda'/></disk>",
    'interface, network': INTERFACE.format('network', "<source network='default' portgroup='g'/>"),
    'interface, bridge': INTERFACE.format('bridge', "<source bridge='br0'/><target dev='tap0'/>"),
    'interface, driver\'s target': INTERFACE.format('bridge', "<source bridge='br0'/><target dev='vnet0'/>"),
    'interface, direct': INTERFACE.format('direct', "<source dev='eth0' mode='bridge'/>"),
    'interface, ethernet': INTERFACE.format('ethernet', "<target dev='tap0' managed='no'/>"),
    'interface, user': INTERFACE.format('user', ''),
    'interface, vhostuser': INTERFACE.format('vhostuser', "<source type='unix' path='/s' mode='client'/>"),
    'interface, link and mtu': INTERFACE.format('bridge', "<source bridge='br0'/><link state='down'/><mtu size='1400'/>"),
    'interface, bandwidth': INTERFACE.format('bridge', "<source bridge='br0'/><bandwidth><inbound average='1000' peak='2000' burst='100'/>"
                                             "<outbound average='10'/></bandwidth>"),
    'interface, filter': INTERFACE.format('bridge', "<source bridge='br0'/><filterref filter='clean-traffic'><parameter name='IP' value='10.0.0.1'/></filterref>"),
    'interface, vlan': INTERFACE.format('bridge', "<source bridge='br0'/><vlan><tag id='42'/></vlan>"),
    'interface, port': INTERFACE.format('bridge', "<source bridge='br0'/><port isolated='yes'/>"),
    'interface, driver': INTERFACE.format('bridge', "<source bridge='br0'/><driver name='vhost' queues='4'/>"),
    'interface, boot and alias': INTERFACE.format('bridge', "<source bridge='br0'/><boot order='2'/><alias name='ua-net'/>"),
    'interface, coalesce': INTERFACE.format('bridge', "<source bridge='br0'/><coalesce><rx><frames max='7'/></rx></coalesce>"),
    'interface, no source': INTERFACE.format('bridge', ''),
    'interface, multicast': "<interface type='user'><mac address='01:00:00:00:00:01'/></interface>",
    'interface, bad mac': "<interface type='user'><mac address='x'/></interface>",
    'serial, null': "<serial type='null'/>",
    'serial, log': "<serial type='pty'><log file='/tmp/l' append='on'/></serial>",
    'channel': "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
    'channel, path': "<channel type='unix'><source mode='bind' path='/tmp/c'/><target type='virtio' name='x'/></channel>",
    'channel, no name': "<channel type='unix'><target type='virtio'/></channel>",
    'rng': "<rng model='virtio'><rate bytes='1024' period='1000'/><backend model='random'>/dev/urandom</backend></rng>",
    'rng, builtin': "<rng model='virtio'><backend model='builtin'/></rng>",
    'watchdog': "<watchdog model='i6300esb' action='poweroff'/>",
    'panic': "<panic model='isa'/>",
    'vsock': "<vsock model='virtio'><cid auto='no' address='3'/></vsock>",
    'vsock, auto': "<vsock model='virtio'><cid auto='yes'/></vsock>",
    'filesystem': "<filesystem type='mount' accessmode='mapped'><source dir='/tmp'/><target dir='t'/></filesystem>",
    'hostdev': "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></source></hostdev>",
    'tpm': "<tpm model='tpm-crb'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
    'unknown device': '<nonsense/>',
}


def kept(s, domain='', devices=''):
    """What is kept of a definition that has this. What was there before goes, so that nothing of it stays."""
    xml = domain_xml(s, name='documented', extra=domain).replace('</devices>', devices + '</devices>')
    defined = s.connection.defineXML(xml)
    document = lines(defined.XMLDesc(INACTIVE))
    defined.undefine()
    return {'document': document}


STEPS = ([(f'XML, {name}', lambda s, text=text: kept(s, domain=text)) for name, text in IN_DOMAIN.items()] +
         [(f'XML, {name}', lambda s, text=text: kept(s, devices=text)) for name, text in IN_DEVICES.items()])
