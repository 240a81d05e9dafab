# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-tdx as its user sees it: output, JSON against its schema, exit codes, errors."""
import json
import pathlib
import shutil
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

    def test_of_what_is_no_firmware_fails(self):
        done = virt_tdx('measure', '/etc/hostname')
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertIn('/etc/hostname', done.stderr)


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
        for command in ('cpuid', 'explain', 'firmware', 'host', 'measure'):
            self.assertIn(f'  {command} ', overview.stdout)
            done = virt_tdx(command, '--help')
            self.assertEqual(done.returncode, 0)
            self.assertIn(f'Usage: virt-tdx {command}', done.stdout)
            self.assertIn('--json', done.stdout)

    def test_wrong_usage_is_status_2(self):
        for words in ([], ['explode'], ['measure'], ['measure', 'a', 'b'], ['measure', '--colour', FIRMWARE],
                      ['host', '--host', 'xen'], ['explain'],
                      ['explain', 'EVIL'], ['explain', 'EINVAL', 'x'], ['explain', '--ioctl', 'INIT', 'EINVAL'],
                      ['explain', '--log', 'x', 'EINVAL'], ['explain', '1', '2', '3']):
            done = virt_tdx(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ''), words)
            self.assertIn('virt-tdx', done.stderr)


if __name__ == '__main__':
    harness.main()
