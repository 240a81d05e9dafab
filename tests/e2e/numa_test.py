# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel sees the NUMA nodes of <numa> and the sockets, cores and threads of <topology>."""
import re

import harness
from linux_guest import GUEST, LinuxTest

CELLS = """<topology sockets='2' dies='1' cores='1' threads='2'/><numa>
  <cell id='0' cpus='0-1' memory='256' unit='MiB'><distances><sibling id='1' value='21'/></distances></cell>
  <cell id='1' cpus='2-3' memory='256' unit='MiB'/>
</numa></cpu>"""


class Numa(LinuxTest):
    def define(self, initrd, words='', devices=''):
        super().define(initrd, words, devices)
        xml = self.daemon.virsh('dumpxml', 'td', '--inactive')
        xml = re.sub(r'<cpu [^>]*/>', lambda match: match[0][:-2] + '>' + CELLS, xml)
        self.daemon.define(re.sub(r'(<vcpu[^>]*>)\d+<', r'\g<1>4<', xml))

    def test_nodes_have_their_vcpus_memory_and_distances(self):
        self.define(self.make_initrd('numa.sh'), 'loglevel=4')
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
        self.assertEqual(re.findall(r'cpu\d package (\d+ threads [-\d]+)', text), ['0 threads 0-1'] * 2 + ['1 threads 2-3'] * 2)
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
