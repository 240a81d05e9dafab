# SPDX-License-Identifier: GPL-2.0-or-later
"""What a container's kernel has not, in a machine that has it: vhost, macvtap, huge pages, /dev/kvm, systemd, AppArmor."""
import functools
import os
import re
import shlex
import unittest

import harness
from harness import BUILD, SOURCE
import machine

UNITS = BUILD / 'tests/vmm-backend'
PROGRAMS = {
    'back ends': f'{UNITS}/backends/test-backends --gtest_filter=Vhost*:Macvtap*',
    # The same cases in every run: what else differs from kernel to kernel is looked for by hand.
    'kvm': f'RC_PARAMS=seed=1 {UNITS}/kvm/test-kvm --gtest_filter=*/Kvm:SameAnswers*',
    'vcpu': f'{UNITS}/vcpu/test-vcpu --gtest_filter=*OnKvm*',
    'huge pages': f'{UNITS}/machine/test-machine --gtest_filter=*HugePages*',
    'shared memory': f'{UNITS}/support/test-support --gtest_filter=*HugePages*',
    'confined': f'/usr/bin/python3 {SOURCE}/tests/vm/confined.py',
}
HUGE_PAGES = 128
MARK = '=== '


@functools.cache
def outputs():
    """What each program wrote, with its exit status; one machine runs them all."""
    environment = {'VIRTTDX_BUILD': BUILD, 'VIRTTDX_SOURCE': SOURCE, 'PYTHONPATH': f'{SOURCE}/tests/e2e', 'PYTHONDONTWRITEBYTECODE': 1,
                   'VIRTTDX_PATIENCE': machine.PATIENCE, 'GTEST_COLOR': 'no'}
    lines = [f'export {name}={shlex.quote(str(value))}' for name, value in environment.items()]
    lines.append(f'echo {HUGE_PAGES} >/proc/sys/vm/nr_hugepages')
    for name, command in PROGRAMS.items():
        lines += [f'echo "{MARK}{name}"', f'{command} 2>&1', 'echo "status $?"']
    _, output = machine.run('\n'.join(lines) + '\n', below_tmp=[BUILD, SOURCE], systemd=True)
    parts = output.split(f'\n{MARK}')
    return {part.split('\n', 1)[0].removeprefix(MARK): part for part in parts}


class InAMachine(unittest.TestCase):
    def check(self, name):
        output = outputs()[name]
        self.assertIn('\nstatus 0', output, output[-6000:])
        self.assertNotIn('SKIPPED', output)
        self.assertNotIn('# SKIP', output)
        return output

    def check_units(self, name, count):
        output = self.check(name)
        passed = re.search(r'\[  PASSED  \] (\d+) test', output)
        self.assertGreaterEqual(int(passed[1] if passed else 0), count, output[-6000:])

    def test_vhost_and_macvtap_move_packets(self):
        self.check_units('back ends', 8)

    def test_the_kernel_and_the_software_host_answer_alike(self):
        self.check_units('kvm', 22)

    def test_a_vcpu_of_the_kernel_pauses(self):
        self.check_units('vcpu', 1)

    def test_shared_memory_may_be_of_huge_pages(self):
        self.check_units('huge pages', 1)
        self.check_units('shared memory', 1)

    @unittest.skipUnless(os.path.exists('/usr/sbin/apparmor_parser'), 'apparmor is not installed')
    def test_units_and_apparmor_profiles_deny_nothing_that_is_needed(self):
        self.check('confined')


if __name__ == '__main__':
    harness.main()
