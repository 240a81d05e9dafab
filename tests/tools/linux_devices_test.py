# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel as a TD of the software TDX host, with the real programs: file systems on virtio-blk (raw and qcow2), a config drive, an
address and a file over virtio-net and passt, a vsock both ways, a TDREPORT and a quote through configfs-tsm and virt-tdx qgs-sim."""
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

import harness
from harness import BUILD, MRTD_OF_DEBIAN_12
from host_side import (ECHOED, GUEST, GUEST_CID, MR_CONFIG_ID, SENT_BY_GUEST, VIRT_TDX, HostSide, guest_files, report_in,
                       start_quote_service)

MONITOR = BUILD / 'vmm-backend/virttdx-vmm'
# Bounds a guest that makes no progress; many times what it needs.
PATIENCE = max(600, harness.PATIENCE)


class LinuxWithDevices(HostSide):
    def setUp(self):
        for program, package in (('mke2fs', 'e2fsprogs'), ('passt', 'passt'), ('qemu-img', 'qemu-utils'),
                                 ('qemu-storage-daemon', 'qemu-system-common'), ('genisoimage', 'genisoimage')):
            if not shutil.which(program, path=harness.ENVIRONMENT['PATH']):
                self.skipTest(f'{program} is absent: install {package}')
        if not harness.FIRMWARE.exists():
            self.skipTest(f'{harness.FIRMWARE} is absent: install ovmf')
        self.files = guest_files()
        directory = tempfile.TemporaryDirectory(prefix='virttdx-linux-')  # pylint: disable=consider-using-with
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.disk = self.directory / 'disk.img'
        self.qcow2 = self.directory / 'disk.qcow2'
        self.config_drive = self.directory / 'disk.config'
        self.initrd = self.directory / 'initrd'
        self.quote_socket = self.directory / 'qgs'
        self.vsock = self.directory / 'vsock'

    def make_disk(self):
        harness.make_ext4(self.disk, '64M')
        subprocess.run(['qemu-img', 'convert', '-O', 'qcow2', self.disk, self.qcow2], check=True)

    def make_config_drive(self):
        """As Nova makes it: the digest of its bytes."""
        latest = self.directory / 'config/openstack/latest'
        latest.mkdir(parents=True)
        (latest / 'meta_data.json').write_text('{"name": "td"}')
        subprocess.run(['genisoimage', '-o', self.config_drive, '-ldots', '-allow-lowercase', '-allow-multidot', '-l',
                        '-quiet', '-J', '-r', '-V', 'config-2', self.directory / 'config'], check=True,
                       capture_output=True)
        return hashlib.sha256(self.config_drive.read_bytes()).hexdigest()

    def make_initrd(self):
        subprocess.run(['python3', GUEST / 'make_initrd.py', self.files / 'root', GUEST / 'devices.sh', self.initrd,
                        self.files / 'modules', self.make_vsock_talk()], check=True)

    def configuration(self, port):
        self.make_initrd()
        done = subprocess.run(
            [VIRT_TDX, 'run', '--host', 'soft', '--json', '--memory', '512M', '--vcpus', '2', '--kernel',
             self.files / 'vmlinuz', '--initrd', self.initrd, '--append',
             f'console=ttyS0 panic=-1 fetch=:{port}/hello.txt'], check=True, stdout=subprocess.PIPE)
        config = json.loads(done.stdout)
        config['td']['mr_config_id'] = MR_CONFIG_ID
        config['td']['quote_service_socket'] = f'unix:{self.quote_socket}'
        config['devices'] = {
            'disks': [{'id': 'virtio-disk0', 'target': 'vda', 'bus': 'virtio-blk', 'address': {'slot': 3}, 'queues': 2,
                       'source': {'protocol': 'file', 'path': str(self.disk)}},
                      {'id': 'virtio-disk1', 'target': 'vdb', 'bus': 'virtio-blk', 'address': {'slot': 5}, 'queues': 2,
                       'format': 'qcow2', 'discard': True,
                       'source': {'protocol': 'file', 'path': str(self.qcow2)}},
                      {'id': 'scsi0-0-0-0', 'target': 'sda', 'bus': 'scsi', 'kind': 'cdrom', 'read_only': True,
                       'source': {'protocol': 'file', 'path': str(self.config_drive)}}],
            'vsock': {'id': 'vsock0', 'address': {'slot': 7}, 'guest_cid': GUEST_CID},
            'scsi_controllers': [{'id': 'scsi0', 'index': 0, 'address': {'slot': 6}}],
            'interfaces': [{'id': 'net0', 'address': {'slot': 4}, 'mac': '52:54:00:12:34:56', 'backend': 'passt'}]}
        file = self.directory / 'config.json'
        file.write_text(json.dumps(config))
        return file

    def from_disk(self, name):
        """A file that the guest left on its first disk."""
        dumped = self.directory / name
        subprocess.run(['/usr/sbin/debugfs', '-R', f'dump /{name} {dumped}', self.disk], check=True, capture_output=True)
        return dumped

    def check_measurements(self):
        """The quote says what the prediction says, and its RTMRs what the replayed event log says: Debian 12's firmware
        keeps none, and extends none of them."""
        log = self.from_disk('ccel')
        options = ['--event-log', log] if log.stat().st_size > 0 else []
        done = subprocess.run([VIRT_TDX, 'measure', '--json', *options, harness.FIRMWARE], check=True,
                              stdout=subprocess.PIPE, text=True)
        predicted = {f'rtmr{i}': bytes(48).hex() for i in range(4)} | json.loads(done.stdout)
        said = report_in(self.from_disk('quote').read_bytes())
        self.assertEqual(said.pop('mr_config_id'), MR_CONFIG_ID)
        self.assertEqual(said, {name: predicted[name] for name in said})

    def run_monitor(self, config):
        """What the guest says to its end; on the way the host talks to it."""
        monitor = subprocess.Popen([MONITOR, '--config', config, '--console', '--log-level', 'warning', '--vsock-socket', self.vsock],
                                   text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace')
        self.addCleanup(monitor.kill)
        watchdog = threading.Timer(PATIENCE, monitor.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        output = ''
        for line in monitor.stdout:
            output += line
            if 'guest: vsock listening' in line:
                answer, echoed = self.talk_to_guest()
                self.assertRegex(answer.decode(), r'^OK \d+\n$', output)
                self.assertEqual(hashlib.sha256(echoed).digest(), hashlib.sha256(ECHOED).digest(), len(echoed))
        self.assertEqual(monitor.wait(), 0, output)
        return output

    def test_disk_network_and_quote_work(self):
        self.make_disk()
        config_drive = self.make_config_drive()
        port = self.serve_file()
        start_quote_service(self, self.quote_socket)
        config = self.configuration(port)
        sent = self.listen_for_guest()
        output = self.run_monitor(config)
        said = re.findall(r'guest: (.*?)\r?$', output, re.M)
        self.assertEqual(sent, [SENT_BY_GUEST])
        self.assertEqual([line for line in said if line.startswith('error')], [], output)
        for expected in ('hello from the disk', 'read back', 'unmounted', 'qcow2 holds from the disk', 'qcow2 read back',
                         'qcow2 unmounted', 'config drive holds {"name": "td"}', f'config drive of {config_drive}', 'fetched from the host', 'vsock of the host: hello from the host', 'provider tdx_guest',
                         'quote version 4', f'mrtd {MRTD_OF_DEBIAN_12}', f'report data {7:064}', 'end'):
            self.assertIn(expected, said, output)
        self.assertTrue(any(line.startswith('address ') for line in said), output)
        written = subprocess.run(['/usr/sbin/debugfs', '-R', 'cat /written.txt', self.disk], check=False,
                                 capture_output=True, text=True)
        self.assertEqual(written.stdout, 'written by the guest\n', written.stderr)
        self.check_measurements()
        checked = subprocess.run(['qemu-img', 'check', self.qcow2], check=False, capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == '__main__':
    harness.main()
