# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel sees the NUMA nodes of <numa> and the sockets, cores and threads of <topology>."""
import re

import harness
from linux_guest import GUEST, LinuxTest

CELLS = """<topology sockets='2' dies='1' cores='1' threads='2'/><numa>
  <cell id='0' cpus='0-1' memory='256' unit='MiB'><distances><sibling id='1' value='21'/></distances></cell>
  <cell id='1' cpus='2-3' memory='256' unit='MiB'/>
</numa></cpu>"""


UNEVEN = "<topology sockets='2' dies='1' cores='3' threads='1'/></cpu>"


class Numa(LinuxTest):
    def define_cpu(self, vcpus, content):
        self.define(self.make_initrd('numa.sh'), 'loglevel=4')
        xml = self.daemon.virsh('dumpxml', 'td', '--inactive')
        xml = re.sub(r'<cpu [^>]*/>', lambda match: match[0][:-2] + '>' + content, xml)
        self.daemon.define(re.sub(r'(<vcpu[^>]*>)\d+<', rf'\g<1>{vcpus}<', xml))

    def test_sockets_of_three_cores_leave_gaps_in_the_ids(self):
        self.define_cpu(6, UNEVEN)
        self.boot()
        self.expect('end')
        text = self.console.text().decode()
        self.assertEqual(re.findall(r'cpu\d package (\d+ threads \d siblings [-\d]+)', text),
                         [f'{cpu // 3} threads {cpu} siblings {"0-2" if cpu < 3 else "3-5"}' for cpu in range(6)])
        self.assertIn('guest: x2APIC ids 0 1 2 4 5 6', text)
        # A kernel that does not ask the TDX module for the topology has the vCPU's index from leaf 1, and doubts the APIC.
        self.assertEqual([line for line in re.findall('guest: error.*', text) if 'APIC ID mismatch' not in line], [])

    def test_nodes_have_their_vcpus_memory_and_distances(self):
        self.define_cpu(4, CELLS)
        self.assertIn("<memory unit='KiB'>524288</memory>", self.daemon.virsh('dumpxml', 'td'))
        self.assertIn('NUMA nodes cannot be modified', self.daemon.virsh_error('setmaxmem', 'td', '1G', '--config'))
        self.boot()
        self.expect('end')
        text = self.console.text().decode()
        self.assertIn('guest: node0 cpus 0-1 distances 10 21', text)
        self.assertIn('guest: node1 cpus 2-3 distances 21 10', text)
        # The kernel keeps some for itself.
        for mib in re.findall(r'node\d cpus .* MiB (\d+)', text):
            self.assertTrue(100 < int(mib) <= 256, text[-2000:])
        self.assertEqual(re.findall(r'cpu\d package (\d+ threads [-\d]+) ', text), ['0 threads 0-1'] * 2 + ['1 threads 2-3'] * 2)
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
