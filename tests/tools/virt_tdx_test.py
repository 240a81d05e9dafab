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


class CommandLine(unittest.TestCase):
    def test_help_is_there_for_every_command(self):
        overview = virt_tdx('--help')
        self.assertEqual(overview.returncode, 0)
        for command in ('cpuid', 'firmware', 'host', 'measure'):
            self.assertIn(f'  {command} ', overview.stdout)
            done = virt_tdx(command, '--help')
            self.assertEqual(done.returncode, 0)
            self.assertIn(f'Usage: virt-tdx {command}', done.stdout)
            self.assertIn('--json', done.stdout)

    def test_wrong_usage_is_status_2(self):
        for words in ([], ['explode'], ['measure'], ['measure', 'a', 'b'], ['measure', '--colour', FIRMWARE],
                      ['host', '--host', 'xen']):
            done = virt_tdx(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ''), words)
            self.assertIn('virt-tdx', done.stderr)


if __name__ == '__main__':
    harness.main()
