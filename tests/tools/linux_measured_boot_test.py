# SPDX-License-Identifier: GPL-2.0-or-later
"""A firmware that measures: edk2's build for TDX, Secure Boot on with Microsoft's keys, boots Debian 13's stock kernel by
Debian's signed shim and GRUB. What the TD's quote says then is what was predicted, and what its event log replays to."""
import base64
import hashlib
import json
import pathlib
import re
import struct
import subprocess
import tarfile
import tempfile
import unittest

import harness
from linux_devices_test import GUEST, MONITOR, MR_CONFIG_ID, PATIENCE, VIRT_TDX, guest_files, report_in, start_quote_service
from linux_disk import ESP_SIZE, ESP_START, MIB, TOOLS, make_partitions, run, skip_without

BOOT_LINUX = """linux /vmlinuz console=ttyS0 panic=-1
initrd /initrd
boot
"""
# Linux takes the log's header for a TPM's, whose register is 0; edk2's is the MRTD's neighbour, 1. On every TD.
KNOWN_ERRORS = ('Failed to parse event in TPM Final Events Log',)
DOMAIN = """<domain type='kvm'>
  <name>measured</name>
  <memory unit='MiB'>512</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><loader type='rom'>{firmware}</loader></os>
  <features><acpi/><ioapic driver='qemu'/></features>
  <cpu mode='host-passthrough'/>
  <launchSecurity type='tdx'><mrConfigId>{mr_config_id}</mrConfigId></launchSecurity>
</domain>
"""
NO_ACTION, SHA384, SHA384_SIZE = 3, 0x0C, 48
CCEL_OF_TDX = 2


def replayed(log):
    """RTMR0 to RTMR3 after an event log of one digest an event (TCG PC Client Platform Firmware Profile, "Event Logging";
    register 0 is MRTD: UEFI Specification, "Confidential Computing")."""
    rtmrs = [bytes(SHA384_SIZE)] * 4
    position = 32 + struct.unpack_from('<I', log, 28)[0]
    while position + 8 <= len(log):
        register, kind, count, algorithm = struct.unpack_from('<IIIH', log, position)
        if (register, kind) in ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF)):
            break
        assert (count, algorithm) == (1, SHA384), (position, count, algorithm)
        digest = log[position + 14:position + 14 + SHA384_SIZE]
        if kind != NO_ACTION:
            rtmrs[register - 1] = hashlib.sha384(rtmrs[register - 1] + digest).digest()
        position += 14 + SHA384_SIZE + 4 + struct.unpack_from('<I', log, position + 14 + SHA384_SIZE)[0]
    return {f'rtmr{i}': rtmr.hex() for i, rtmr in enumerate(rtmrs)}


class MeasuredBoot(unittest.TestCase):
    def setUp(self):
        skip_without(TOOLS)
        self.files = guest_files()
        self.signed = guest_files('secure-boot', '--secure-boot')
        self.firmware = self.signed / 'OVMF.inteltdx.ms.fd'
        directory = tempfile.TemporaryDirectory(prefix='virttdx-measured-')  # pylint: disable=consider-using-with
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.found = self.directory / 'found.tar'

    def make_disk(self):
        """As Debian's images are: shim and GRUB at the removable-media path, GRUB's configuration where its prefix is."""
        disk, initrd, script = (self.directory / name for name in ('disk.img', 'initrd', 'grub.cfg'))
        run('python3', GUEST / 'make_initrd.py', self.files / 'root', GUEST / 'measured.sh', initrd, self.files / 'modules')
        script.write_text(BOOT_LINUX)
        system = make_partitions(disk, ESP_START + ESP_SIZE + MIB)
        run('mmd', '-i', system, '::/EFI/debian')
        for source, target in ((self.signed / 'shimx64.efi', 'EFI/BOOT/BOOTX64.EFI'),
                               (self.signed / 'grubx64.efi', 'EFI/BOOT/grubx64.efi'), (script, 'EFI/debian/grub.cfg'),
                               (self.files / 'vmlinuz', 'vmlinuz'), (initrd, 'initrd')):
            run('mcopy', '-i', system, source, f'::/{target}')
        return disk

    def configuration(self):
        done = subprocess.run([VIRT_TDX, 'run', '--host', 'soft', '--json', '--memory', '512M', '--vcpus', '2', '--firmware',
                               self.firmware], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        config = json.loads(done.stdout)
        config['td']['mr_config_id'] = MR_CONFIG_ID
        config['td']['quote_service_socket'] = f'unix:{self.directory / "qgs"}'
        with open(self.found, 'wb') as file:
            file.truncate(MIB)
        config['devices'] = {'disks': [
            {'id': f'virtio-disk{i}', 'target': f'vd{"ab"[i]}', 'bus': 'virtio-blk', 'address': {'slot': 3 + i},
             'source': {'protocol': 'file', 'path': str(path)}} for i, path in enumerate((self.make_disk(), self.found))]}
        file = self.directory / 'config.json'
        file.write_text(json.dumps(config))
        return file

    def boot(self):
        """What the guest said, and the files that it left."""
        start_quote_service(self, self.directory / 'qgs')
        done = subprocess.run([MONITOR, '--config', self.configuration(), '--console', '--log-level', 'warning'], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE,
                              errors='replace')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = re.findall(r'^guest: (.*?)\r?$', done.stdout, re.M)
        said = [line for line in said if not any(known in line for known in KNOWN_ERRORS)]
        self.assertEqual(said, ['secure boot 1', 'end'], done.stdout)
        with tarfile.open(self.found) as archive:
            return {name: archive.extractfile(name).read() for name in ('quote', 'table', 'log')}

    def measure(self, log):
        """What virt-tdx says of the domain as it was booted."""
        mr_config_id = base64.b64encode(bytes.fromhex(MR_CONFIG_ID)).decode()
        domain, file = self.directory / 'domain.xml', self.directory / 'log'
        domain.write_text(DOMAIN.format(firmware=self.firmware, mr_config_id=mr_config_id))
        file.write_bytes(log)
        done = subprocess.run([VIRT_TDX, 'measure', '--json', '--host', 'soft', '--event-log', file, domain], check=True,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def test_the_quote_says_what_was_predicted_and_what_the_event_log_replays_to(self):
        found = self.boot()
        said = report_in(found['quote'])
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


if __name__ == '__main__':
    harness.main()
