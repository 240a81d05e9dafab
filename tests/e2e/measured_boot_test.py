# SPDX-License-Identifier: GPL-2.0-or-later
"""TDs that virsh starts under a firmware that measures, edk2's build for TDX. Their quotes say what was predicted, and what their event
logs replay to. One has it all and boots from its disk by Debian's signed shim and GRUB, Secure Boot on with Microsoft's keys; one is given
its kernel directly, and says what Linux sees of its machine."""
import base64
import hashlib
import json
import re
import struct
import subprocess
import tarfile

import libvirt

import harness
from event_log import CCEL_OF_TDX, RTMR2, SHA384_SIZE, events, replayed
from lifecycle_events import LifecycleEvents
from linux_disk import ESP_SIZE, ESP_START, MIB, ROOT_SIZE, TOOLS, add_root, make_partitions, make_root, run, skip_without
from linux_guest import GUEST, LinuxTest
from host_side import (ECHOED, GUEST_CID, MR_CONFIG_ID, SENT_BY_GUEST, VIRT_TDX, HostSide, guest_files, report_in,
                       start_quote_service)

BOOT_LINUX = """linux /vmlinuz console=ttyS0 panic=-1 fetch=:{port}/hello.txt
initrd /initrd
boot
"""
DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='{}'/><target dev='{}' bus='virtio'/>{}</disk>"
ALL_DEVICES = f"""<interface type='user'><backend type='passt'/><model type='virtio'/></interface>
<vsock model='virtio'><cid auto='no' address='{GUEST_CID}'/></vsock>"""
SECOND_CONSOLE = "<console type='pty'><target type='virtio'/></console><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
UUID = '7e6affbb-ecdb-4ad7-b728-29bbcc9f35ab'
# As /sys/class/dmi/id names them; the rest of SMBIOS is tests/vmm-backend/firmware's.
SMBIOS = {'bios': {'vendor': 'Maker', 'version': '7.1', 'date': '11/28/2025'},
          'system': {'manufacturer': 'OpenStack', 'product': 'Nova', 'version': '31', 'serial': 'S-1', 'sku': 'K-2', 'family': 'Clouds'},
          'baseBoard': {'manufacturer': 'Boards', 'product': 'Board', 'version': 'B-3', 'serial': 'S-4', 'asset': 'A-5'},
          'chassis': {'manufacturer': 'Cases', 'version': 'C-6', 'serial': 'S-7', 'asset': 'A-8'}}
PREFIXES = {'bios': 'bios', 'system': 'product', 'baseBoard': 'board', 'chassis': 'chassis'}
NAMES = {'product_manufacturer': 'sys_vendor', 'product_product': 'product_name', 'board_manufacturer': 'board_vendor', 'board_product': 'board_name',
         'board_asset': 'board_asset_tag', 'chassis_manufacturer': 'chassis_vendor', 'chassis_asset': 'chassis_asset_tag'}
MEMORY_KIB, FOUR_GIB = 5 << 20, 4 << 30
TOPOLOGY = "<topology sockets='1' dies='2' cores='2' threads='1'/>"
# edk2, MdeModulePkg/Include/Guid/AuthenticatedVariableFormat.h: 60 bytes before the name, state third.
PLATFORM_KEY, VARIABLE, NOT_DELETED = 'PK\0'.encode('utf-16le'), b'\xaa\x55\x3f', 0xFD
VARIABLE_HEADER = 60


def sysinfo():
    blocks = (''.join(f"<entry name='{name}'>{value}</entry>" for name, value in entries.items()) for entries in SMBIOS.values())
    return ''.join(f'<{name}>{block}</{name}>' for name, block in zip(SMBIOS, blocks))


def without_secure_boot(firmware):
    """The firmware without its platform key, with which Secure Boot is off: direct boot takes no shim."""
    image = bytearray(firmware)
    name = image.index(PLATFORM_KEY, image.index(VARIABLE))
    header = name - VARIABLE_HEADER
    assert image[header:header + 3] == VARIABLE, hex(header)
    image[header + 2] &= NOT_DELETED
    return bytes(image)


class MeasuredTest(HostSide, LinuxTest):
    def setUp(self):
        skip_without(TOOLS + (('passt', 'passt'),))
        super().setUp()
        self.signed = guest_files('secure-boot', '--secure-boot')
        self.directory = self.daemon.root
        self.firmware = self.signed / 'OVMF.inteltdx.ms.fd'
        self.found = self.directory / 'found.tar'
        with open(self.found, 'wb') as file:
            file.truncate(MIB)
        start_quote_service(self, self.directory / 'qgs')
        connection = libvirt.open(self.daemon.uri)
        self.addCleanup(connection.close)
        self.events = LifecycleEvents(connection)

    def define_measured(self, devices, text):
        mr_config_id = base64.b64encode(bytes.fromhex(MR_CONFIG_ID)).decode()
        security = f"<mrConfigId>{mr_config_id}</mrConfigId><quoteGenerationService path='{self.directory}/qgs'/></launchSecurity>"
        self.daemon.define(harness.td_xml(firmware=self.firmware, uuid=UUID, text={
            '  </devices>': devices + '</devices>', '</launchSecurity>': security} | text))

    def said(self):
        return re.findall(r'^guest: (.*)$', self.console.text().decode(errors='replace'), re.M)

    def wait_for_shutdown(self):
        ended = [(libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, libvirt.VIR_DOMAIN_EVENT_SHUTDOWN_GUEST),
                 (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN)]
        self.events.wait_for(*ended)
        self.assertEqual(self.events.seen[-2:], ended)
        self.assertEqual(self.daemon.virsh('domstate', 'td', '--reason').strip(), 'shut off (shutdown)')

    def measure(self, log):
        """What virt-tdx says of the domain as it was booted."""
        file = self.directory / 'log'
        file.write_bytes(log)
        done = subprocess.run([VIRT_TDX, 'measure', '--json', '--host', 'soft', '--connect', self.daemon.uri, '--event-log', file, 'td'],
                              check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def check_quote(self):
        """The log, once quote, prediction and log agree."""
        with tarfile.open(self.found) as archive:
            found = {name: archive.extractfile(name).read() for name in ('quote', 'table', 'log')}
        said = report_in(found['quote'])
        self.assertEqual(said['mr_config_id'], MR_CONFIG_ID)
        for register, value in replayed(found['log']).items():
            self.assertEqual(said[register], value, register)
            self.assertEqual(value == bytes(SHA384_SIZE).hex(), register == 'rtmr3')
        predicted = self.measure(found['log'])
        self.assertEqual(said, {name: predicted[name] for name in said})
        sources = {event['covers'].split('(')[0]: event['source'] for event in reversed(predicted['events'])}
        self.assertEqual((sources['TdxTable'], sources['Fv']), ('computed, as in the log',) * 2)
        table = found['table']
        self.assertEqual((table[:4], sum(table) % 256, table[36]), (b'CCEL', 0, CCEL_OF_TDX))
        self.assertEqual(struct.unpack_from('<Q', table, 40)[0], len(found['log']))
        return found['log']


class FromDisk(MeasuredTest):
    def make_disk(self, port):
        """As Debian's images are: shim and GRUB at the removable-media path, GRUB's configuration where its prefix is."""
        disk, script = self.directory / 'disk.img', self.directory / 'grub.cfg'
        script.write_text(BOOT_LINUX.format(port=port))
        system = make_partitions(disk, ESP_START + ESP_SIZE + ROOT_SIZE + MIB)
        run('mmd', '-i', system, '::/EFI/debian')
        for source, target in ((self.signed / 'shimx64.efi', 'EFI/BOOT/BOOTX64.EFI'),
                               (self.signed / 'grubx64.efi', 'EFI/BOOT/grubx64.efi'), (script, 'EFI/debian/grub.cfg'),
                               (self.files / 'vmlinuz', 'vmlinuz'), (self.make_initrd('disk_boot.sh'), 'initrd')):
            run('mcopy', '-i', system, source, f'::/{target}')
        add_root(disk, make_root(self.directory / 'root', self.files, GUEST / 'whole_root.sh', self.make_vsock_talk()))
        return disk

    def test_has_root_network_vsock_and_quote_and_is_shut_down(self):
        disk = self.make_disk(self.serve_file())
        devices = DISK.format(disk, 'vda', "<boot order='1'/>") + DISK.format(self.found, 'vdb', '<serial>found</serial>') + ALL_DEVICES
        self.define_measured(devices, {'<vcpu>1</vcpu>': '<vcpu>2</vcpu>'})
        self.daemon.virsh('start', 'td', '--paused')
        self.vsock = self.directory / 'run/libvirt/tdx/td.sockets/vsock'
        sent = self.listen_for_guest()
        self.console = self.open_console()
        self.daemon.virsh('resume', 'td')
        self.expect('vsock listening')
        answer, echoed = self.talk_to_guest()
        self.assertRegex(answer.decode(), r'^OK \d+\n$')
        self.assertEqual(hashlib.sha256(echoed).digest(), hashlib.sha256(ECHOED).digest(), len(echoed))
        self.expect('waits at event')
        self.assertEqual(sent, [SENT_BY_GUEST])
        self.daemon.virsh('shutdown', 'td')
        self.expect('end')
        self.wait_for_shutdown()
        said = self.said()
        address = [line for line in said if re.match(r'address \d+\.\d+\.\d+\.\d+/\d+', line)]
        self.assertEqual(len(address), 1, said)
        self.assertEqual([line for line in said if not line.startswith(('address', 'waits at'))],
                         ['root on partition 2', 'secure boot 1', 'fetched from the host', 'vsock of the host: hello from the host',
                          'vsock listening', 'power button', 'end'])
        self.check_quote()


class ByKernel(MeasuredTest):
    def setUp(self):
        super().setUp()
        firmware = self.directory / 'OVMF.fd'
        firmware.write_bytes(without_secure_boot(self.firmware.read_bytes()))
        self.firmware = firmware

    def define_by_kernel(self):
        initrd = self.make_initrd('seen.sh')
        words = 'console=ttyS0 panic=-1'
        boot = (f'<kernel>{self.files}/vmlinuz</kernel><initrd>{initrd}</initrd><cmdline>{words}</cmdline>'
                "<smbios mode='sysinfo'/></os>")
        self.define_measured(DISK.format(self.found, 'vda', '') + SECOND_CONSOLE, {
            "<memory unit='MiB'>512": f"<memory unit='KiB'>{MEMORY_KIB}", '<vcpu>1</vcpu>': '<vcpu>4</vcpu>', '</os>': boot, '  <os>':
            f"<sysinfo type='smbios'>{sysinfo()}</sysinfo><os>", "<cpu mode='host-passthrough'/>":
            f"<cpu mode='host-passthrough'>{TOPOLOGY}</cpu>"})
        return initrd, words

    def use_second_console(self):
        """A shell at hvc0 takes what is typed, and its answer comes back."""
        self.expect('login on hvc0')
        console = self.open_console('--devname', 'console1')
        console.send('\\r')
        self.assertTrue(console.expect('# ', harness.PATIENCE), console.text())
        console.send('echo echoed $((6 * 7)) | tee /tmp/from_hvc0\\r')
        self.assertTrue(console.expect('echoed 42', harness.PATIENCE), console.text())
        console.send('exit\\r')
        self.expect('hvc0 left echoed 42')

    def check_smbios(self, said):
        seen = dict(line.removeprefix('dmi ').split('=', maxsplit=1) for line in said if line.startswith('dmi '))
        for block, entries in SMBIOS.items():
            for name, value in entries.items():
                field = f'{PREFIXES[block]}_{name}'
                self.assertEqual(seen[NAMES.get(field, field)], value, field)
        self.assertEqual(seen['product_uuid'], UUID)

    def check_memory(self, said):
        ranges = [(int(line.split()[1], 16), int(line.split()[2], 16) + 1) for line in said if line.startswith('ram ')]
        ram_kib = sum(end - begin for begin, end in ranges) >> 10
        (above,) = [(begin, end) for begin, end in ranges if begin >= FOUR_GIB]
        self.assertEqual(above[0], FOUR_GIB)
        # The firmware keeps some below 4 GiB.
        self.assertTrue(MEMORY_KIB * 0.97 < ram_kib <= MEMORY_KIB, ranges)
        # The kernel keeps bounce buffers (a tenth here), descriptors of pages, and itself.
        free, known, kept = map(int, re.search(rb'Memory: (\d+)K/(\d+)K available .* (\d+)K reserved', self.console.text()).groups())
        self.assertLessEqual(abs(known - ram_kib), 8, ranges)
        (total,) = [int(line.split()[1]) for line in said if line.startswith('memory ')]
        self.assertTrue(free <= total <= known, (free, total, known))
        self.assertLess(kept, MEMORY_KIB * 0.2)

    def test_says_what_linux_sees(self):
        initrd, words = self.define_by_kernel()
        self.boot()
        self.use_second_console()
        self.expect('end')
        self.wait_for_shutdown()
        said = self.said()
        self.check_smbios(said)
        self.check_memory(said)
        # Leaf 0x1F tells of the dies, but until 6.13 Linux does not turn it on in a TD (TD_CTLS.ENUM_TOPOLOGY).
        self.assertEqual([line.split()[1:] for line in said if line.startswith('topology ')],
                         [['0', '0', str(core), str(core), '0-3'] for core in range(4)])
        self.assertIn('clock tsc of tsc', '\n'.join(said))
        self.assertNotIn('kvm-clock', '\n'.join(said))
        self.assertIn('entropy virtio_rng.0 4096', said)
        self.assertEqual([line for line in said if line.startswith('error')], [])
        # The kernel's EFI stub measures both into RTMR2; before the words stand the firmware's own.
        extended = {digest for register, _, digest in events(self.check_quote()) if register == RTMR2}
        for content in (initrd.read_bytes(), f'initrd=initrd {words}\0'.encode('utf-16le')):
            self.assertIn(hashlib.sha384(content).digest(), extended)


if __name__ == '__main__':
    harness.main()
