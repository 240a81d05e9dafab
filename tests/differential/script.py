# SPDX-License-Identifier: GPL-2.0-or-later
"""The same calls for two drivers. Each step is a name and what it does with a Session; its result or error is recorded."""
import libvirt

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
UUID = '7e6affbb-ecdb-4ad7-b728-29bbcc9f35ab'
OTHER = '11111111-2222-3333-4444-555555555555'
UNLIMITED = 9007199254740991  # VIR_DOMAIN_MEMORY_PARAM_UNLIMITED
META = libvirt.VIR_DOMAIN_METADATA_ELEMENT
TITLE, DESCRIPTION = libvirt.VIR_DOMAIN_METADATA_TITLE, libvirt.VIR_DOMAIN_METADATA_DESCRIPTION


def domain_xml(session, name='td', uuid=UUID, extra=''):
    return session.template.format(name=name, uuid=uuid, memory=128, extra=extra)


def d(call):
    """A step on the domain 'td'."""
    return lambda s: call(s.connection.lookupByName('td'))


def c(call):
    """A step on the connection."""
    return lambda s: call(s.connection)


def define(s, **changes):
    return s.connection.defineXML(domain_xml(s, **changes)).name()


LOOKUPS = [
    ('lookup by name, none', c(lambda c: c.lookupByName('none'))),
    ('lookup by uuid, none', c(lambda c: c.lookupByUUIDString(OTHER))),
    ('lookup by id, none', c(lambda c: c.lookupByID(4711))),
    ('list, none', c(lambda c: c.listAllDomains())),
    ('numbers, none', c(lambda c: (c.numOfDomains(), c.numOfDefinedDomains(), c.listDomainsID(), c.listDefinedDomains()))),
]
DEFINITIONS = [
    ('define', lambda s: define(s)),
    ('define again', lambda s: define(s)),
    ('define, uuid of another', lambda s: define(s, name='other')),
    ('define, name of another', lambda s: define(s, uuid=OTHER)),
    ('define, no XML', c(lambda c: c.defineXML('nonsense'))),
    ('define, cut off', c(lambda c: c.defineXML('<domain'))),
    ('define, wrong root', c(lambda c: c.defineXML('<network/>'))),
    ('define, no name', c(lambda c: c.defineXML("<domain type='kvm'><memory>1</memory><os><type>hvm</type></os></domain>"))),
    ('define, name with slash', lambda s: define(s, name='a/b', uuid=OTHER)),
    ('define, unknown flag', lambda s: s.connection.defineXMLFlags(domain_xml(s), 1 << 20)),
    ('list', c(lambda c: [domain.name() for domain in c.listAllDomains()])),
    ('list active', c(lambda c: [domain.name() for domain in c.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)])),
    ('list persistent', c(lambda c: [x.name() for x in c.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)])),
    ('list transient', c(lambda c: [x.name() for x in c.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT)])),
    ('list shut off', c(lambda c: [x.name() for x in c.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF)])),
    ('list autostart', c(lambda c: [x.name() for x in c.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)])),
    ('list with snapshot', c(lambda c: [x.name() for x in c.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)])),
    ('list, unknown flag', c(lambda c: c.listAllDomains(1 << 30))),
    ('uuid', d(lambda d: d.UUIDString())), ('id', d(lambda d: d.ID())), ('os type', d(lambda d: d.OSType())),
    ('state', d(lambda d: d.state())), ('info', d(lambda d: d.info()[:4])), ('active', d(lambda d: d.isActive())),
    ('persistent', d(lambda d: d.isPersistent())), ('updated', d(lambda d: d.isUpdated())),
    ('autostart', d(lambda d: d.autostart())), ('set autostart', d(lambda d: d.setAutostart(1))),
    ('autostart again', d(lambda d: d.autostart())), ('clear autostart', d(lambda d: d.setAutostart(0))),
    ('managed save image', d(lambda d: d.hasManagedSaveImage())), ('snapshots', d(lambda d: d.listAllSnapshots())),
    ('snapshot number', d(lambda d: d.snapshotNum())), ('current snapshot', d(lambda d: d.hasCurrentSnapshot())),
    ('get current snapshot', d(lambda d: d.snapshotCurrent())), ('snapshot, none', d(lambda d: d.snapshotLookupByName('x'))),
    ('checkpoints', d(lambda d: d.listAllCheckpoints())), ('checkpoint, none', d(lambda d: d.checkpointLookupByName('x'))),
]
STOPPED = [(f'{name}, not running', d(call)) for name, call in (
    ('suspend', lambda d: d.suspend()), ('resume', lambda d: d.resume()), ('destroy', lambda d: d.destroy()),
    ('shutdown', lambda d: d.shutdown()), ('reboot', lambda d: d.reboot()), ('reset', lambda d: d.reset()),
    ('job info', lambda d: d.jobInfo()), ('job stats', lambda d: d.jobStats()), ('abort job', lambda d: d.abortJob()),
    ('control info', lambda d: d.controlInfo()), ('memory stats', lambda d: d.memoryStats()),
    ('disk errors', lambda d: d.diskErrors()), ('block stats', lambda d: d.blockStats('vda')),
    ('interface stats', lambda d: d.interfaceStats('vnet0')), ('vcpus', lambda d: d.vcpus()),
    ('cpu stats', lambda d: d.getCPUStats(True)), ('managed save', lambda d: d.managedSave()),
    ('save', lambda d: d.save('/nonexistent/x')), ('core dump', lambda d: d.coreDump('/nonexistent/x')),
    ('memory peek', lambda d: d.memoryPeek(0, 8, 1)), ('send key', lambda d: d.sendKey(0, 0, [1], 1, 0)),
    ('inject nmi', lambda d: d.injectNMI()), ('time', lambda d: d.getTime()), ('freeze', lambda d: d.fsFreeze()),
    ('thaw', lambda d: d.fsThaw()), ('trim', lambda d: d.fSTrim(None, 0)), ('fsinfo', lambda d: d.fsInfo()),
    ('hostname', lambda d: d.hostname()), ('guest info', lambda d: d.guestInfo()),
    ('password', lambda d: d.setUserPassword('u', 'p')), ('guest vcpus', lambda d: d.guestVcpus()),
    ('suspend for', lambda d: d.pMSuspendForDuration(0, 0)), ('addresses', lambda d: d.interfaceAddresses(0)),
    ('set memory', lambda d: d.setMemory(131072)), ('set vcpus', lambda d: d.setVcpus(1)),
    ('pin', lambda d: d.pinVcpu(0, (True,))), ('iothreads live', lambda d: d.ioThreadInfo(LIVE)),
    ('block job info', lambda d: d.blockJobInfo('vda')), ('live memory parameters', lambda d: d.memoryParameters(LIVE)),
    ('live metadata', lambda d: d.metadata(TITLE, None, LIVE)),
    ('migrate speed', lambda d: d.migrateSetMaxDowntime(100)))]
CHANGES = [
    ('no title', d(lambda d: d.metadata(TITLE, None))), ('no description', d(lambda d: d.metadata(DESCRIPTION, None))),
    ('set title', d(lambda d: d.setMetadata(TITLE, 'a title', None, None))), ('title', d(lambda d: d.metadata(TITLE, None))),
    ('set title of two lines', d(lambda d: d.setMetadata(TITLE, 'a\nb', None, None))),
    ('set description', d(lambda d: d.setMetadata(DESCRIPTION, 'a\nb', None, None, CONFIG))),
    ('description', d(lambda d: d.metadata(DESCRIPTION, None, CONFIG))),
    ('clear title', d(lambda d: d.setMetadata(TITLE, None, None, None))), ('title gone', d(lambda d: d.metadata(TITLE, None))),
    ('no element', d(lambda d: d.metadata(META, 'urn:a'))),
    ('set element', d(lambda d: d.setMetadata(META, "<note a='1'><b/></note>", 'k', 'urn:a'))),
    ('element', d(lambda d: d.metadata(META, 'urn:a'))),
    ('set element, not XML', d(lambda d: d.setMetadata(META, '<note', 'k', 'urn:a'))),
    ('clear element', d(lambda d: d.setMetadata(META, None, None, 'urn:a'))),
    ('unknown metadata', d(lambda d: d.metadata(9, None))), ('metadata, unknown flag', d(lambda d: d.metadata(TITLE, None, 8))),
    ('max memory', d(lambda d: d.maxMemory())), ('set max memory', d(lambda d: d.setMaxMemory(524288))),
    ('max memory then', d(lambda d: d.maxMemory())), ('set current memory', d(lambda d: d.setMemoryFlags(262144, CONFIG))),
    ('info then', d(lambda d: d.info()[1:3])), ('too much memory', d(lambda d: d.setMemoryFlags(1 << 30, CONFIG))),
    ('no memory', d(lambda d: d.setMemoryFlags(0, CONFIG))), ('memory, unknown flag', d(lambda d: d.setMemoryFlags(1024, 64))),
    ('memory back', d(lambda d: d.setMemoryFlags(524288, CONFIG))),
    ('vcpus max', d(lambda d: d.maxVcpus())), ('set vcpus max', d(lambda d: d.setVcpusFlags(4, CONFIG | 4))),
    ('set vcpus', d(lambda d: d.setVcpusFlags(2, CONFIG))), ('vcpus flags', d(lambda d: (d.vcpusFlags(CONFIG), d.vcpusFlags(CONFIG | 4)))),
    ('too many vcpus', d(lambda d: d.setVcpusFlags(9, CONFIG))), ('no vcpus', d(lambda d: d.setVcpusFlags(0, CONFIG))),
    ('vcpus back', d(lambda d: (d.setVcpusFlags(1, CONFIG), d.setVcpusFlags(1, CONFIG | 4)))),
    ('vcpus of the guest', d(lambda d: d.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST))),
    ('scheduler type', d(lambda d: d.schedulerType()[0])),
    ('set shares', d(lambda d: d.setSchedulerParametersFlags({'cpu_shares': 2048}, CONFIG))),
    ('shares', d(lambda d: d.schedulerParametersFlags(CONFIG)['cpu_shares'])),
    ('quota', d(lambda d: d.schedulerParametersFlags(CONFIG)['vcpu_quota'])),
    ('set period too small', d(lambda d: d.setSchedulerParametersFlags({'vcpu_period': 1}, CONFIG))),
    ('set hard limit', d(lambda d: d.setMemoryParameters({'hard_limit': 1 << 20}, CONFIG))),
    ('memory parameters', d(lambda d: d.memoryParameters(CONFIG))),
    ('swap below hard limit', d(lambda d: d.setMemoryParameters({'swap_hard_limit': 1024}, CONFIG))),
    ('no hard limit', d(lambda d: d.setMemoryParameters({'hard_limit': UNLIMITED}, CONFIG))),
    ('set weight', d(lambda d: d.setBlkioParameters({'weight': 500}, CONFIG))),
    ('weight', d(lambda d: d.blkioParameters(CONFIG)['weight'])),
    ('weight too large', d(lambda d: d.setBlkioParameters({'weight': 5000}, CONFIG))),
    ('numa', d(lambda d: d.numaParameters(CONFIG))),
    ('set numa', d(lambda d: d.setNumaParameters({'numa_nodeset': '0', 'numa_mode': 0}, CONFIG))),
    ('numa then', d(lambda d: d.numaParameters(CONFIG))),
    ('bad nodeset', d(lambda d: d.setNumaParameters({'numa_nodeset': 'x'}, CONFIG))),
    ('pin', d(lambda d: d.pinVcpuFlags(0, (True, False), CONFIG))), ('pins', d(lambda d: d.vcpuPinInfo(CONFIG))),
    ('pin, no such vcpu', d(lambda d: d.pinVcpuFlags(7, (True,), CONFIG))),
    ('pin to nothing', d(lambda d: d.pinVcpuFlags(0, (False, False), CONFIG))),
    ('pin emulator', d(lambda d: d.pinEmulator((True, False), CONFIG))), ('emulator pin', d(lambda d: d.emulatorPinInfo(CONFIG))),
    ('perf events', d(lambda d: d.perfEvents(CONFIG))), ('iothreads', d(lambda d: d.ioThreadInfo(CONFIG))),
    ('rename', d(lambda d: d.rename('new'))), ('renamed', c(lambda c: [x.name() for x in c.listAllDomains()])),
    ('rename back', lambda s: s.connection.lookupByName('new').rename('td')),
    ('rename to itself', d(lambda d: d.rename('td'))), ('rename with slash', d(lambda d: d.rename('a/b'))),
    ('undefine, unknown flag', d(lambda d: d.undefineFlags(1 << 20))),
    ('undefine, exclusive flags', d(lambda d: d.undefineFlags(4 | 8))),
    ('destroy, unknown flag', d(lambda d: d.destroyFlags(1 << 20))), ('create, unknown flag', d(lambda d: d.createWithFlags(1 << 20))),
    ('XML, unknown flag', d(lambda d: d.XMLDesc(1 << 20))), ('state after all', d(lambda d: d.state())),
]
RUNNING = [
    ('create', d(lambda d: d.create())), ('running', d(lambda d: (d.ID(), d.state(), d.isActive(), d.isUpdated()))),
    ('create again', d(lambda d: d.create())), ('createXML of it', lambda s: s.connection.createXML(domain_xml(s))),
    ('define what runs', lambda s: define(s)), ('rename what runs', d(lambda d: d.rename('new'))),
    ('suspend', d(lambda d: d.suspend())), ('suspend again', d(lambda d: d.suspend())), ('paused', d(lambda d: d.state())),
    ('resume', d(lambda d: d.resume())), ('resume again', d(lambda d: d.resume())), ('resumed', d(lambda d: d.state())),
    ('job', d(lambda d: d.jobInfo()[0])), ('job type', d(lambda d: d.jobStats()['type'])), ('abort, no job', d(lambda d: d.abortJob())),
    ('control', d(lambda d: d.controlInfo()[0])), ('errors of disks', d(lambda d: d.diskErrors())),
    ('stats of no disk', d(lambda d: d.blockStats('vdz'))), ('info of no disk', d(lambda d: d.blockInfo('vdz'))),
    ('job of no disk', d(lambda d: d.blockJobInfo('vdz'))), ('stats of no interface', d(lambda d: d.interfaceStats('vnet9'))),
    ('addresses by lease', d(lambda d: d.interfaceAddresses(0))), ('addresses by agent', d(lambda d: d.interfaceAddresses(1))),
    ('addresses by whatever', d(lambda d: d.interfaceAddresses(9))),
    ('time', d(lambda d: d.getTime())), ('freeze', d(lambda d: d.fsFreeze())), ('fsinfo', d(lambda d: d.fsInfo())),
    ('guest info', d(lambda d: d.guestInfo())), ('guest vcpus', d(lambda d: d.guestVcpus())),
    ('password', d(lambda d: d.setUserPassword('u', 'p'))), ('vcpus by agent', d(lambda d: d.setVcpusFlags(1, 8))),
    ('too many vcpus live', d(lambda d: d.setVcpus(9))), ('as many vcpus', d(lambda d: d.setVcpus(1))),
    ('max memory live', d(lambda d: d.setMaxMemory(131072))), ('too much memory live', d(lambda d: d.setMemory(1 << 30))),
    ('pin live, no such vcpu', d(lambda d: d.pinVcpu(9, (True,)))), ('live title', d(lambda d: d.setMetadata(TITLE, 'x', None, None))),
    ('live title only', d(lambda d: (d.metadata(TITLE, None, LIVE),))), ('no title in config', d(lambda d: d.metadata(TITLE, None, CONFIG))),
    ('list running', c(lambda c: [x.name() for x in c.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)])),
    ('by id', lambda s: s.connection.lookupByID(s.connection.lookupByName('td').ID()).name()),
    ('stats', c(lambda c: sorted(k for k in c.getAllDomainStats(1 | 4)[0][1]))),
    ('launch security', d(lambda d: d.setLaunchSecurityState({'sev-secret': 'x', 'sev-secret-header': 'y'}))),
    ('no console', lambda s: s.connection.lookupByName('td').openConsole('nothing', s.connection.newStream(), 0)),
    ('undefine what runs', d(lambda d: d.undefine())), ('transient', d(lambda d: (d.isPersistent(), d.isActive()))),
    ('undefine transient', d(lambda d: d.undefine())), ('autostart transient', d(lambda d: d.setAutostart(1))),
    ('config of transient', d(lambda d: d.metadata(TITLE, None, CONFIG))), ('define it again', lambda s: define(s)),
    ('destroy', d(lambda d: d.destroy())), ('destroyed', d(lambda d: (d.ID(), d.state()))),
    ('create paused', d(lambda d: d.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED))), ('paused from the start', d(lambda d: d.state())),
    ('destroy gracefully', d(lambda d: d.destroyFlags(1))), ('undefine', d(lambda d: d.undefine())),
    ('gone', c(lambda c: c.lookupByName('td'))),
    ('createXML', lambda s: s.connection.createXML(domain_xml(s)).isPersistent()), ('destroy transient', d(lambda d: d.destroy())),
    ('gone with its run', c(lambda c: c.listAllDomains())),
]
HOST = [
    ('cpu stats', c(lambda c: sorted(c.getCPUStats(-1)))), ('cpu stats of one', c(lambda c: sorted(c.getCPUStats(0)))),
    ('cpu stats of none', c(lambda c: c.getCPUStats(99999))), ('memory stats', c(lambda c: sorted(c.getMemoryStats(-1)))),
    ('memory stats of a cell', c(lambda c: sorted(c.getMemoryStats(0)))), ('of no cell', c(lambda c: c.getMemoryStats(99))),
    ('cells free', c(lambda c: len(c.getCellsFreeMemory(0, 9)))), ('no cells free', c(lambda c: c.getCellsFreeMemory(99, 1))),
    ('pages of no size', c(lambda c: c.getFreePages([3], 0, 1))), ('cpu map', c(lambda c: c.getCPUMap())),
    ('node info', c(lambda c: c.getInfo()[2:3] + c.getInfo()[4:])), ('secure', c(lambda c: (c.isSecure(), c.isEncrypted(), c.isAlive()))),
    ('max vcpus of no type', c(lambda c: c.getMaxVcpus('nothing'))), ('hostname', c(lambda c: c.getHostname())),
    ('domain capabilities of no type', c(lambda c: c.getDomainCapabilities(None, None, None, 'nothing'))),
    ('domain capabilities of no arch', c(lambda c: c.getDomainCapabilities(None, 'nothing', None, None))),
    ('restore nothing', c(lambda c: c.restore('/nonexistent/x'))),
]


def virsh(*lines):
    """A step a line, named after it, that two daemons are to answer alike."""
    return [(f'virsh {line}', lambda s, words=line.split(): s.virsh(*words)) for line in lines]


def again(phase, steps):
    return [(f'{name}, {phase}', step) for name, step in steps]


SHELL = virsh(
    'domstate td', 'domstate td --reason', 'domid td', 'domname ' + UUID, 'domuuid td', 'domcontrol td', 'dominfo none', 'domblklist td',
    'domblklist td --details', 'domiflist td', 'domifaddr td', 'domjobinfo td', 'domfsinfo td', 'domhostname td', 'domtime td',
    'domblkerror td', 'dommemstat none', 'vcpucount td', 'vcpucount td --maximum --config', 'vcpucount td --current --live',
    'vcpuinfo none', 'emulatorpin td --config', 'iothreadinfo td', 'schedinfo none', 'blkdeviotune td vda', 'domblkinfo td vda',
    'domblkstat td vda', 'domifstat td vnet9', 'domif-getlink td 52:54:00:00:00:01', 'snapshot-list td', 'snapshot-current td',
    'checkpoint-list td', 'managedsave-remove none', 'desc td', 'desc td --title', 'metadata td urn:none', 'perf td --config',
    'dompmwakeup td', 'guestvcpus td', 'guestinfo td', 'set-user-password td u p', 'qemu-monitor-command none info', 'screenshot none /x',
    'send-key td KEY_A', 'send-process-signal td 1 SIGTERM', 'memtune td --config', 'numatune none', 'blkiotune none',
    'undefine none', 'start none', 'destroy none', 'suspend none', 'shutdown td --mode nothing', 'dumpxml none', 'dumpxml td --nothing',
    'console none', 'edit none', 'detach-disk td vdz', 'detach-interface td bridge', 'attach-disk none /x vdb', 'update-memory-device td --node 0')
LISTS = virsh('list --name', 'list --all --name', 'list --inactive --name', 'list --transient --name', 'list --autostart --name',
              'list --all --state-running --name', 'list --state-paused --name', 'list --all --managed-save --name')
STEPS = (HOST + LOOKUPS + DEFINITIONS + again('stopped', SHELL + LISTS) + STOPPED + CHANGES + RUNNING[:2] + again('running', SHELL + LISTS) +
         RUNNING[2:])
