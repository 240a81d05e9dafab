# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-tdx as its user sees it: output, JSON against its schema, exit codes, errors."""
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

import harness
from harness import BUILD, FIRMWARE, MRTD_OF_DEBIAN_12
import json_schemas

# facts of Debian 12's image, decoded independently of this project
PAGES_ADDED, PAGES_MEASURED = 538, 480


def virt_tdx(*arguments):
    return subprocess.run([BUILD / 'tools/virt-tdx', *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=harness.PATIENCE, stdin=subprocess.DEVNULL)


class Measure(unittest.TestCase):
    def test_prints_the_mrtd_on_one_line(self):
        done = virt_tdx('measure', FIRMWARE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, MRTD_OF_DEBIAN_12 + '\n', ''))

    def test_json_has_sections_and_page_counts(self):
        report = json.loads(virt_tdx('measure', '--json', FIRMWARE).stdout)
        json_schemas.validate('measurement-report', report)
        self.assertEqual(report['mrtd'], MRTD_OF_DEBIAN_12)
        self.assertEqual((report['pages_added'], report['pages_measured']), (PAGES_ADDED, PAGES_MEASURED))
        self.assertEqual([section['type'] for section in report['sections']],
                         ['BFV', 'CFV', 'TEMP_MEM', 'TEMP_MEM', 'TD_HOB', 'TEMP_MEM'])

    def test_two_passes_give_the_known_mrtd(self):
        done = virt_tdx('measure', '--two-pass', FIRMWARE)
        self.assertEqual(done.stdout[:8], 'acccbcc8')

    def measure_example(self, *words):
        return virt_tdx('measure', '--host', 'soft', *words, harness.SOURCE / 'docs/examples/td.xml')

    def test_of_a_domain_has_all_of_tdinfo(self):
        report = json.loads(self.measure_example('--json').stdout)
        json_schemas.validate('measurement-report', report)
        self.assertEqual((report['domain'], report['mrtd'], report['attributes'], report['mr_owner']),
                         ('td', MRTD_OF_DEBIAN_12, '0x10000000', '00' * 48))
        info = struct.pack('<QQ', int(report['attributes'], 16), int(report['xfam'], 16))
        for field in ('mrtd', 'mr_config_id', 'mr_owner', 'mr_owner_config'):
            info += bytes.fromhex(report[field])
        self.assertEqual(report['td_info_hash'], hashlib.sha384(info.ljust(512, b'\0')).hexdigest())

    def test_what_is_expected_is_compared(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-tools-'))
        self.addCleanup(shutil.rmtree, directory)
        expected = directory / 'expected.json'
        report = json.loads(self.measure_example('--json').stdout)
        expected.write_text(json.dumps(report))
        done = self.measure_example('--expect', expected)
        self.assertEqual((done.returncode, done.stdout), (0, ''))
        expected.write_text(json.dumps({**report, 'mr_owner': '11' * 48}))
        done = self.measure_example('--expect', expected)
        self.assertEqual((done.returncode, done.stdout),
                         (1, f'mr_owner: expected {"11" * 48}, predicted {"00" * 48}\n'))
        done = virt_tdx('measure', '--expect', expected, FIRMWARE)
        self.assertEqual(done.returncode, 2)
        self.assertIn('depends on the domain', done.stderr)
        expected.write_text(MRTD_OF_DEBIAN_12.upper() + '\n')
        self.assertEqual(virt_tdx('measure', '--expect', expected, FIRMWARE).returncode, 0)
        for nonsense in ('', '[]', '{}', 'deadbeef'):
            expected.write_text(nonsense)
            self.assertEqual(virt_tdx('measure', '--expect', expected, FIRMWARE).returncode, 2)

    def test_an_event_log_gives_the_rtmrs_and_what_they_cover(self):
        log = harness.SOURCE / 'tests/fuzz/corpus/cc_event_log/boot.bin'
        report = json.loads(self.measure_example('--event-log', log, '--json').stdout)
        json_schemas.validate('measurement-report', report)
        rtmrs = [bytes(48)] * 4
        for register, byte in ((0, 1), (0, 2), (1, 3), (0, 4)):
            rtmrs[register] = hashlib.sha384(rtmrs[register] + bytes([byte]) * 48).digest()
        self.assertEqual([report[f'rtmr{i}'] for i in range(4)], [rtmr.hex() for rtmr in rtmrs])
        self.assertEqual([(event['rtmr'], event['covers']) for event in report['events']][:3],
                         [(0, 'TdxHob'), (0, 'variable SecureBoot'), (1, 'Calling EFI Application from Boot Option')])
        info = struct.pack('<QQ', int(report['attributes'], 16), int(report['xfam'], 16))
        for field in ('mrtd', 'mr_config_id', 'mr_owner', 'mr_owner_config', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'):
            info += bytes.fromhex(report[field])
        self.assertEqual(report['td_info_hash'], hashlib.sha384(info.ljust(512, b'\0')).hexdigest())
        self.assertEqual({event['source'] for event in report['events']}, {'log'})
        self.assertIn('RTMR0 EV_EFI_VARIABLE_DRIVER_CONFIG', self.measure_example('--event-log', log).stdout)
        done = virt_tdx('measure', '--event-log', '/etc/hostname', FIRMWARE)
        self.assertEqual(done.returncode, 2)

    def test_the_td_hob_and_the_configuration_volume_are_computed_for_the_domain(self):
        boot = (harness.SOURCE / 'tests/fuzz/corpus/cc_event_log/boot.bin').read_bytes()
        self.assertEqual(boot.count(b'TdxHob\0'), 1)
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / 'CCEL'
            # A longer description in the same event: size of the data, size of the description.
            at = boot.index(b'TdxHob\0')
            size = struct.unpack_from('<I', boot, at - 5)[0]
            log.write_bytes(boot[:at - 5] + struct.pack('<IB', size + 3, 9) + b'TdxTable\0' + boot[at + 6:])
            report = json.loads(self.measure_example('--event-log', log, '--json').stdout)
            json_schemas.validate('measurement-report', report)
            hob, variable = report['events'][:2]
            self.assertEqual((hob['covers'], hob['source']), ('TdxTable', 'computed, not as in the log'))
            self.assertEqual(variable['source'], 'log')
            rtmr0 = bytes(48)
            for event in report['events']:
                if event['rtmr'] == 0:
                    rtmr0 = hashlib.sha384(rtmr0 + bytes.fromhex(event['digest'])).digest()
            self.assertEqual(report['rtmr0'], rtmr0.hex())

    def test_of_what_is_no_firmware_fails(self):
        done = virt_tdx('measure', '/etc/hostname')
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertIn('/etc/hostname', done.stderr)


class Hob(unittest.TestCase):
    DUMPS = harness.SOURCE / 'tests/fuzz/corpus/td_hob'

    def test_of_a_domain_is_its_memory_and_the_rtmr0_event(self):
        done = virt_tdx('hob', '--host', 'soft', '--json', harness.SOURCE / 'docs/examples/td.xml')
        report = json.loads(done.stdout)
        json_schemas.validate('hob-report', report)
        accepted = [resource for resource in report['resources'] if resource['type'] == 'system memory']
        # What OVMF's metadata calls TD_HOB and TEMP_MEM.
        self.assertEqual([int(resource['base'], 16) for resource in accepted], [0x800000, 0x809000, 0x80b000, 0x810000])
        self.assertEqual(sum(int(resource['size'], 16) for resource in report['resources']), 512 << 20)
        self.assertEqual(int(report['end_of_list'], 16), 0x809000 + report['size'])
        self.assertIn(report['rtmr0_event'],
                      virt_tdx('hob', '--host', 'soft', harness.SOURCE / 'docs/examples/td.xml').stdout)

    def test_of_a_dump_has_the_digest_of_its_bytes(self):
        dump = self.DUMPS / 'ovmf.bin'
        report = json.loads(virt_tdx('hob', '--json', dump).stdout)
        json_schemas.validate('hob-report', report)
        self.assertEqual(report['rtmr0_event'], hashlib.sha384(dump.read_bytes()[:report['size'] - 8]).hexdigest())
        shown = virt_tdx('hob', self.DUMPS / 'acpi.bin')
        self.assertEqual(shown.returncode, 0)
        self.assertIn('GUID extension (', shown.stdout)

    def test_that_no_firmware_takes_is_a_finding(self):
        done = virt_tdx('hob', '--json', '/etc/hostname')
        self.assertEqual(done.returncode, 1)
        json_schemas.validate('hob-report', json.loads(done.stdout))
        self.assertIn('TD HOB: block 0', virt_tdx('hob', '/etc/hostname').stdout)
        self.assertEqual(virt_tdx('hob', '/nonexistent').returncode, 2)


class Run(unittest.TestCase):
    KERNEL = harness.SOURCE / 'docs/examples/td.xml'  # any file: nothing is read before the TD is made

    def test_json_tells_what_the_monitor_would_run(self):
        done = virt_tdx('run', '--json', '--host', 'soft', '--kernel', self.KERNEL, '--initrd', self.KERNEL,
                        '--memory', '2G', '--vcpus', '2', '--firmware', FIRMWARE)
        config = json.loads(done.stdout)
        json_schemas.validate('vm-config', config)
        self.assertEqual((config['host'], config['memory_bytes'], config['vcpu_count'], config['firmware_path']),
                         ('soft', 2 << 30, 2, str(FIRMWARE)))
        self.assertEqual(config['kernel'], {'kernel': str(self.KERNEL), 'initrd': str(self.KERNEL),
                                            'command_line': 'console=ttyS0'})
        self.assertEqual(config['on_reset'], 'recreate')
        self.assertIn('protected', done.stderr)

    def test_the_kernels_own_words_are_kept(self):
        done = virt_tdx('run', '--json', '--host', 'soft', '--kernel', self.KERNEL, '--append', 'quiet', '--no-reboot')
        config = json.loads(done.stdout)
        self.assertEqual((config['kernel']['command_line'], config['on_reset']), ('quiet', 'stop'))

    def test_a_file_that_is_no_kernel_is_named(self):
        done = virt_tdx('run', '--host', 'soft', '--kernel', self.KERNEL)
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.KERNEL), done.stderr)
        self.assertIn('EFI', done.stderr)

    def test_wrong_words_are_refused(self):
        for words in (['--memory', 'much'], ['--vcpus', '0'], ['--host', 'granite-rapids'], ['--append', 'x'],
                      ['surplus']):
            done = virt_tdx('run', *(['--host', 'soft'] if '--host' not in words else []), *words)
            self.assertEqual((done.returncode, done.stdout), (2, ''), words)


class Firmware(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-tools-'))
        self.addCleanup(shutil.rmtree, self.directory)

    def changed(self, change):
        image = bytearray(FIRMWARE.read_bytes())
        change(image)
        path = self.directory / 'changed.fd'
        path.write_bytes(image)
        return path

    def test_in_order_has_no_findings(self):
        done = virt_tdx('firmware', FIRMWARE)
        self.assertEqual(done.returncode, 0)
        self.assertIn('TD_HOB', done.stdout)
        report = json.loads(virt_tdx('firmware', '--json', FIRMWARE).stdout)
        json_schemas.validate('firmware-report', report)
        self.assertEqual(report['findings'], [])

    def test_that_is_truncated_is_a_finding(self):
        path = self.changed(lambda image: image.__delitem__(slice(0, 4096)))
        done = virt_tdx('firmware', '--json', path)
        self.assertEqual(done.returncode, 1)
        report = json.loads(done.stdout)
        json_schemas.validate('firmware-report', report)
        self.assertEqual([finding['severity'] for finding in report['findings']], ['error'])

    def test_that_is_not_measured_is_a_finding(self):
        def clear_measured(image):
            # the first section's attributes: after "TDVF", length, version, count and 28 bytes of the section
            at = image.index(b'TDVF') + 16 + 28
            self.assertEqual(image[at], 1)
            image[at] = 0
        done = virt_tdx('firmware', self.changed(clear_measured))
        self.assertEqual(done.returncode, 1)
        self.assertIn('warning: BFV section 0 is not measured', done.stdout)

    def test_that_is_missing_fails(self):
        done = virt_tdx('firmware', self.directory / 'none.fd')
        self.assertEqual(done.returncode, 2)
        self.assertIn('none.fd', done.stderr)


class Check(unittest.TestCase):
    EXAMPLE = harness.SOURCE / 'docs/examples/td.xml'

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-tools-'))
        self.addCleanup(shutil.rmtree, self.directory)

    def example_with(self, old, new):
        text = self.EXAMPLE.read_text()
        self.assertIn(old, text)
        path = self.directory / 'changed.xml'
        path.write_text(text.replace(old, new))
        return path

    def record(self, **changes):
        """A record of the software TDX host that says it is another."""
        path = self.directory / 'host.json'
        self.assertEqual(virt_tdx('host', '--host', 'soft', '--save', path).returncode, 0)
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        return path

    def checked(self, *arguments):
        done = virt_tdx('check', '--json', *arguments)
        report = json.loads(done.stdout)
        json_schemas.validate('check-report', report)
        self.assertEqual({'clean': 0, 'warning': 1, 'error': 2}[report['result']], done.returncode)
        return done.returncode, report

    def test_of_a_domain_in_order_is_clean(self):
        status, report = self.checked('--host', self.record(kind='kvm'), self.EXAMPLE)
        self.assertEqual((status, report['findings'], report['domain']), (0, [], 'td'))

    def test_of_warnings_only_is_status_1(self):
        status, report = self.checked('--host', 'soft', self.EXAMPLE)
        self.assertEqual((status, [finding['id'] for finding in report['findings']]), (1, ['software-tdx-host']))

    def test_names_path_line_and_bit_of_what_cannot_start(self):
        path = self.example_with('0x10000000', '0x50000000')
        line = 1 + path.read_text()[:path.read_text().index('0x50000000')].count('\n')
        status, report = self.checked('--host', 'soft', path)
        [finding] = [finding for finding in report['findings'] if finding['severity'] == 'error']
        self.assertEqual(status, 2)
        self.assertTrue(finding['xml_path'].startswith('/domain/launchSecurity'))
        self.assertIn(finding['line'], (line, line - 1))
        self.assertEqual(finding['source_line'], path.read_text().splitlines()[finding['line'] - 1].strip())
        self.assertEqual(finding['bit'], 'ATTRIBUTES.PKS [bit 30]')
        text = virt_tdx('check', '--host', 'soft', path)
        self.assertEqual((text.returncode, text.stderr), (2, ''))
        self.assertLess(text.stdout.index('\nErrors:\n'), text.stdout.index('\nWarnings:\n'))
        self.assertIn(f" {finding['line']} | {finding['source_line']}\n    ATTRIBUTES.PKS [bit 30]\n", text.stdout)

    def test_of_xml_that_cannot_be_read_has_its_line(self):
        for old, new, name in (('</features>', '', 'xml-syntax'), ('<acpi/>', '<colour/>', 'xml-invalid'),
                               ("mode='host-passthrough'", "mode='\x1b[31m'", 'xml-syntax'),
                               ('<vcpu>1</vcpu>', '<vcpu>many</vcpu>', 'xml-invalid')):
            path = self.example_with(old, new)
            status, report = self.checked('--host', 'soft', path)
            [finding] = report['findings']
            self.assertEqual((status, finding['id']), (2, name), finding)
            self.assertGreater(finding['line'], 1)
            self.assertNotIn('\x1b', virt_tdx('check', '--host', 'soft', path).stdout)

    def test_of_a_domain_that_is_no_td_says_that_it_becomes_one(self):
        text = self.EXAMPLE.read_text()
        start, end = text.index('<launchSecurity'), text.index('</launchSecurity>') + len('</launchSecurity>')
        status, report = self.checked('--host', 'soft', self.example_with(text[start:end], ''))
        self.assertEqual((status, report['findings'][0]['id'], report['domain']), (1, 'launch-security-added', 'td'))

    def test_on_a_recorded_host_is_about_that_host(self):
        status, report = self.checked('--host', self.record(kind='kvm', max_vcpus=1), self.example_with('<vcpu>1<', '<vcpu>2<'))
        self.assertEqual((status, [finding['id'] for finding in report['findings']]), (2, ['vcpu-count']))
        self.assertIn('recorded by virt-tdx', report['host_description'])
        self.assertTrue(report['host'].endswith('host.json'))

    def test_reads_a_domain_of_a_connection(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.stop)
        daemon.define(self.EXAMPLE.read_text())
        status, report = self.checked('--host', 'soft', '--connect', daemon.uri, 'td')
        self.assertEqual((status, report['domain'], report['source']), (1, 'td', 'td'))
        done = virt_tdx('check', '--host', 'soft', '--connect', daemon.uri, 'none')
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertIn("no domain 'none'", done.stderr)

    def test_without_a_domain_or_host_fails(self):
        (self.directory / 'host.json').write_text('{"kind": "kvm"}')
        for words in (('--host', 'soft', self.directory / 'none.xml'), ('--host', self.directory / 'host.json', self.EXAMPLE),
                      ('--host', self.directory / 'none.json', self.EXAMPLE), ('--host', 'xen', self.EXAMPLE),
                      ('--connect', f'tdx:///system?socket={self.directory}/none', 'td')):
            done = virt_tdx('check', *words)
            self.assertEqual((done.returncode, done.stdout), (2, ''), (words, done.stderr))
            self.assertEqual(done.stderr.count('\n'), 1, done.stderr)


class Host(unittest.TestCase):
    def test_saves_what_it_shows(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-tools-'))
        self.addCleanup(shutil.rmtree, directory)
        done = virt_tdx('host', '--host', 'soft', '--save', directory / 'host.json')
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))
        self.assertEqual([path.name for path in directory.iterdir()], ['host.json'])
        saved = json.loads((directory / 'host.json').read_text())
        json_schemas.validate('host-capabilities', saved)
        self.assertIn('recorded by virt-tdx', saved.pop('description'))
        shown = json.loads(virt_tdx('host', '--host', 'soft', '--json').stdout)
        json_schemas.validate('host-capabilities', shown)
        self.assertEqual(saved, shown)
        again = json.loads(virt_tdx('host', '--host', directory / 'host.json', '--json').stdout)
        again.pop('description')
        self.assertEqual(again, shown)

    def test_that_cannot_be_saved_fails(self):
        done = virt_tdx('host', '--host', 'soft', '--save', '/proc/none/host.json')
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertIn('/proc/none', done.stderr)


class Validate(unittest.TestCase):
    """On files of a host that is made here; what KVM offers comes from a record of a host with TDX."""
    GOOD = {'proc/cpuinfo': 'vendor_id\t: GenuineIntel\nflags\t\t: fpu tdx_host_platform\n', 'proc/sys/kernel/osrelease': '6.16.3-amd64\n',
            'dev/kvm': '', 'sys/module/kvm_intel/parameters/tdx': 'Y\n', 'usr/share/libvirt/cpu_map/index.xml': '<cpus/>'}

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-host-'))
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in self.GOOD.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        (self.root / 'usr/share/ovmf').mkdir(parents=True)
        (self.root / 'usr/share/ovmf/OVMF.fd').symlink_to(FIRMWARE)
        self.host = json.loads((harness.SOURCE / 'tests/data/plan/kvm.host.json').read_text())
        self.host.update(key_ids=31, key_ids_used=2)

    def validate(self):
        monitor = self.root / 'monitor'
        monitor.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(self.host)}\nEND\n")
        monitor.chmod(0o755)
        done = subprocess.run([BUILD / 'tools/virt-tdx', 'host', '--validate', '--root', self.root], capture_output=True, text=True,
                              env={**os.environ, 'VIRTTDX_VMM': str(monitor)}, timeout=harness.PATIENCE, check=False)
        lines = [line.split(': ', 2) for line in done.stdout.splitlines()]
        return done.returncode, {what.removeprefix('Checking for ').strip(): verdict for _, what, verdict in lines}

    def test_host_with_everything_passes_but_for_services(self):
        status, found = self.validate()
        self.assertEqual(status, 0, found)
        self.assertEqual({name for name, verdict in found.items() if not verdict.startswith('PASS')},
                         {'quote generation service', 'libvirt daemon for TDs'})
        self.assertEqual(found['private key ids'], 'PASS (29 of 31 free)')

    def test_each_missing_thing_is_named_with_a_remedy(self):
        for name, text, check, hint in [
                ('proc/cpuinfo', 'vendor_id: GenuineIntel', 'BIOS and CPU for TDX key ids', 'BIOS'),
                ('proc/cpuinfo', 'vendor_id: AuthenticAMD', 'BIOS and CPU for TDX key ids', 'not Intel'),
                ('sys/module/kvm_intel/parameters/tdx', 'N', 'module parameter kvm_intel.tdx', 'options kvm_intel tdx=1')]:
            (self.root / name).write_text(text)
            status, found = self.validate()
            self.assertEqual(status, 1)
            self.assertTrue(found[check].startswith('FAIL ('), found)
            self.assertIn(hint, found[check])

    def test_key_ids_in_use_and_old_kernels_are_told(self):
        self.host.update(key_ids_used=31)
        (self.root / 'proc/sys/kernel/osrelease').write_text('6.1.0-44-amd64')
        status, found = self.validate()
        self.assertEqual(status, 1)
        self.assertIn('all 31 are in use', found['private key ids'])
        self.assertIn('WARN (6.1.0-44-amd64 is older than 6.16', found['kernel version'])

    def test_host_without_firmware_fails(self):
        (self.root / 'usr/share/ovmf/OVMF.fd').unlink()
        status, found = self.validate()
        self.assertEqual(status, 1)
        self.assertIn('install ovmf', found['firmware for TDs'])


class Profiles(unittest.TestCase):
    """The profiles that come with virttdx, each of which says where it is from."""
    NAMED_HOST_VCPUS = {'granite-rapids': 344, 'sapphire-rapids': 224}
    PROFILES = sorted(NAMED_HOST_VCPUS)

    def changed_example(self, old, new):
        directory = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-tools-'))
        self.addCleanup(shutil.rmtree, directory)
        path = directory / 'changed.xml'
        path.write_text(Check.EXAMPLE.read_text().replace(old, new))
        return path

    def test_hold_for_the_schema_and_name_source_and_inference(self):
        there = {path.stem for path in (harness.SOURCE / 'tools/hosts').glob('*.json')}
        self.assertEqual(there, {*self.PROFILES, 'minimal'})
        for name in self.PROFILES:
            profile = json.loads((harness.SOURCE / f'tools/hosts/{name}.json').read_text())
            json_schemas.validate('host-capabilities', profile)
            for word in ('public data', 'TDX module 1.5.34', 'Inferred: '):
                self.assertIn(word, profile['description'])
            done = virt_tdx('host', '--host', name, '--json')
            # A profile says nothing of the host's kernel devices.
            self.assertEqual((done.returncode, json.loads(done.stdout)), (0, {**profile, 'vhost_net': False, 'vhost_vsock': False}))

    def test_offer_what_upstream_kvm_does(self):
        for name in self.PROFILES:
            host = json.loads(virt_tdx('host', '--host', name, '--json').stdout)
            # x87, SSE, AVX, AVX-512, PKRU, CET and AMX
            self.assertEqual((host['supported_attributes'], host['supported_xfam']), ('0x10000000', '0x61ae7'))
            entries = {(entry['function'], entry['index']): entry for entry in host['configurable_cpuid']}
            self.assertEqual(len(entries), 28)
            features = entries[('0x7', '0x0')]
            self.assertEqual((int(features['ebx'], 16) & (1 << 4 | 1 << 11), int(features['ecx'], 16) & 1 << 5), (0, 0))
            self.assertEqual(int(entries[('0x80000008', '0x0')]['eax'], 16), 0xff00ff)

    def test_run_the_example(self):
        for name in self.PROFILES:
            done = virt_tdx('check', '--host', name, Check.EXAMPLE)
            self.assertEqual((done.returncode, done.stderr), (0, ''), done.stdout)
            self.assertIn('it would start, nothing to say', done.stdout)

    def test_minimal_runs_the_example_without_what_it_lacks(self):
        profile = json.loads((harness.SOURCE / 'tools/hosts/minimal.json').read_text())
        json_schemas.validate('host-capabilities', profile)
        self.assertIn('no record of a machine', profile['description'])
        self.assertIn('it would start', virt_tdx('check', '--host', 'minimal', Check.EXAMPLE).stdout)
        three = self.changed_example('<vcpu>1<', '<vcpu>3<')
        self.assertEqual(virt_tdx('check', '--host', 'minimal', three).returncode, 2)

    def test_refuse_what_they_have_not(self):
        cpu = "<cpu mode='host-passthrough'/>"
        rtm = self.changed_example(cpu, cpu.replace('/>', "><feature policy='require' name='rtm'/></cpu>"))
        for name, vcpus in self.NAMED_HOST_VCPUS.items():
            self.assertIn('CPUID.07H:EBX.rtm [bit 11]', virt_tdx('check', '--host', name, rtm).stdout)
            for count, status in ((vcpus, 0), (vcpus + 1, 2)):
                done = virt_tdx('check', '--host', name, self.changed_example('<vcpu>1<', f'<vcpu>{count}<'))
                self.assertEqual(done.returncode, status, done.stdout)


class Cpuid(unittest.TestCase):
    def test_of_a_domain_that_does_not_run_says_so(self):
        directory = tempfile.mkdtemp(prefix='virttdx-tools-')
        self.addCleanup(shutil.rmtree, directory)
        done = virt_tdx('cpuid', '--connect', f'tdx:///system?socket={directory}/virttdxd-sock', 'td')
        self.assertEqual(done.returncode, 2)
        self.assertIn(f'{directory}/tdx/td.monitor', done.stderr)

    def test_wants_one_of_domain_and_monitor(self):
        self.assertEqual(virt_tdx('cpuid').returncode, 2)
        self.assertEqual(virt_tdx('cpuid', '--monitor', '/x', 'td').returncode, 2)

    def test_refuses_a_remote_uri(self):
        done = virt_tdx('cpuid', '--connect', 'tdx+ssh://host/system', 'td')
        self.assertEqual(done.returncode, 2)
        self.assertIn('tdx+ssh://host/system', done.stderr)


class Explain(unittest.TestCase):
    def explained(self, *arguments, **options):
        done = subprocess.run([BUILD / 'tools/virt-tdx', 'explain', '--json', *arguments], capture_output=True, check=False,
                              timeout=harness.PATIENCE, **{'stdin': subprocess.DEVNULL, **options})
        report = json.loads(done.stdout)
        json_schemas.validate('explain-report', report)
        return done.returncode, report['explanations']

    def test_names_the_operand_of_hw_error(self):
        for words in (('--ioctl', 'INIT_VM', 'EINVAL', '0xc000010000000041'), ('0xc000010000000041',),
                      ('--ioctl', 'KVM_TDX_INIT_VM', '22', '0xC000010000000041')):
            status, [explanation] = self.explained(*words)
            self.assertEqual(status, 0)
            self.assertEqual([cause['id'] for cause in explanation['causes']], ['init-vm.module-xfam'])
            self.assertEqual(explanation['causes'][0]['certainty'], 'certain')

    def test_lists_what_an_errno_alone_can_mean(self):
        status, [explanation] = self.explained('--ioctl', 'init_vm', 'EINVAL')
        self.assertEqual(status, 0)
        self.assertIn('init-vm.guest-phys-bits', [cause['id'] for cause in explanation['causes']])
        self.assertEqual({cause['certainty'] for cause in explanation['causes']}, {'possible'})

    def test_reads_a_line_of_a_log(self):
        status, [explanation] = self.explained('--log', 'qemu-system-x86_64: vm-type tdx not supported by KVM')
        self.assertEqual((status, explanation['causes'][0]['id']), (0, 'create-vm.no-tdx'))

    def test_picks_the_failures_out_of_a_whole_log(self):
        log = (b'[    1.0] virt/tdx: BIOS enabled: private KeyID range [32, 64)\n'
               b'[   10.8] virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000050500000000\n'
               b'\xff\x00\x1b[31m nothing\n' + b'x' * 200000 + b'\n'
               b'qemu: KVM_TDX_INIT_VM failed: No space left on device\r\n')
        status, explanations = self.explained('-', stdin=None, input=log)
        self.assertEqual(status, 0)
        self.assertEqual([explanation['causes'][0]['id'] for explanation in explanations],
                         ['status.not-ready', 'init-vm.no-key-id'])
        self.assertEqual(explanations[0]['seamcall'], 'TDH.SYS.RD')

    def test_of_the_unknown_is_status_1(self):
        for words in (('--ioctl', 'INIT_VM', 'ENOTDIR'), ('0xc0000fff00000000',), ('--log', 'all is well'), ('-',)):
            status, explanations = self.explained(*words)
            self.assertEqual(status, 1, words)
            self.assertFalse(any(explanation['causes'] for explanation in explanations))

    def test_as_text_has_cause_and_remedy_and_no_escape_sequences(self):
        done = virt_tdx('explain', '--log', '\x1b[31mKVM_TDX_INIT_VM failed: No space left on device')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('cause [init-vm.no-key-id]: all private key ids of the host are in use\n    remedy: end', done.stdout)
        told = virt_tdx('explain', '--log', 'KVM_TDX_INIT_VM: EINVAL because \x1b[31mred; \x1b[0mblue')
        self.assertIn('cause [log.told]', told.stdout)
        self.assertNotIn('\x1b', done.stdout + told.stdout)


class CommandLine(unittest.TestCase):
    def test_help_is_there_for_every_command(self):
        overview = virt_tdx('--help')
        self.assertEqual(overview.returncode, 0)
        for command in ('check', 'cpuid', 'explain', 'firmware', 'host', 'measure', 'qgs-sim', 'run', 'trace'):
            self.assertIn(f'  {command} ', overview.stdout)
            done = virt_tdx(command, '--help')
            self.assertEqual(done.returncode, 0)
            self.assertIn(f'Usage: virt-tdx {command}', done.stdout)
            self.assertIn('--json', done.stdout)

    def test_wrong_usage_is_status_2(self):
        for words in ([], ['explode'], ['measure'], ['measure', 'a', 'b'], ['measure', '--colour', FIRMWARE],
                      ['host', '--host', 'xen'], ['check'], ['check', 'a', 'b'], ['explain'],
                      ['explain', 'EVIL'], ['explain', 'EINVAL', 'x'], ['explain', '--ioctl', 'INIT', 'EINVAL'],
                      ['explain', '--log', 'x', 'EINVAL'], ['explain', '1', '2', '3'], ['qgs-sim'],
                      ['qgs-sim', '--socket', '/nonexistent/s', '--delay', 'x']):
            done = virt_tdx(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ''), words)
            self.assertIn('virt-tdx', done.stderr)


if __name__ == '__main__':
    harness.main()
