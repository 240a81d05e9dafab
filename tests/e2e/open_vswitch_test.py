# SPDX-License-Identifier: GPL-2.0-or-later
"""A TD's interface as a port of an Open vSwitch of its own (Debian's package openvswitch-switch), whose daemons run for this test."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness

BRIDGE, MAC = 'virttdxovs0', '52:54:00:0a:0b:0e'
ID = '09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'
SCHEMA = pathlib.Path('/usr/share/openvswitch/vswitch.ovsschema')
INTERFACE = f"""<interface type='bridge'><mac address='{MAC}'/><source bridge='{BRIDGE}'/>{{vlan}}
  <virtualport type='openvswitch'><parameters interfaceid='{ID}'/></virtualport><model type='virtio'/></interface>"""
TRUNK = "<vlan trunk='yes'><tag id='42' nativeMode='untagged'/><tag id='47'/></vlan>"


def run(*words):
    result = subprocess.run(words, capture_output=True, text=True, check=False, env=harness.ENVIRONMENT | {'OVS_RUNDIR': os.environ['OVS_RUNDIR']})
    if result.returncode != 0:
        raise harness.Failed(f'{words}: {result.stderr}')
    return result.stdout.strip()


class OpenVswitch(harness.DaemonTest):
    def setUp(self):
        if not SCHEMA.exists() or not shutil.which('ovs-vswitchd', path=harness.ENVIRONMENT['PATH']):
            self.skipTest('no package openvswitch-switch')
        folder = tempfile.mkdtemp(prefix='virttdx-ovs-')
        self.addCleanup(shutil.rmtree, folder, True)
        for name in ('OVS_RUNDIR', 'OVS_DBDIR', 'OVS_LOGDIR'):
            os.environ[name] = folder
        self.start_switch(pathlib.Path(folder))
        super().setUp()

    def start_switch(self, folder):
        run('ovsdb-tool', 'create', folder / 'conf.db', SCHEMA)
        detached = ('--detach', '--pidfile', '--log-file')
        for words in (('ovsdb-server', folder / 'conf.db', f'--remote=punix:{folder}/db.sock'), ('ovs-vswitchd', f'unix:{folder}/db.sock')):
            run(*words, *detached)
            pid = int((folder / f'{words[0]}.pid').read_text())
            self.addCleanup(os.kill, pid, signal.SIGTERM)
        try:
            # In user space: it needs no module of the kernel.
            run('ovs-vsctl', '--timeout=20', 'add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'datapath_type=netdev')
        except harness.Failed as failure:
            raise unittest.SkipTest(f'no switch can be made here: {failure}') from failure
        self.addCleanup(run, 'ovs-vsctl', '--timeout=20', 'del-br', BRIDGE)

    def ports(self):
        return run('ovs-vsctl', 'list-ports', BRIDGE).split()

    def column(self, table, name, column):
        return run('ovs-vsctl', 'get', table, name, column)

    def device(self):
        (line,) = [line for line in self.daemon.virsh('domiflist', 'td').splitlines() if MAC in line]
        return line.split()[0]

    def check_port(self, device):
        self.assertEqual(self.ports(), [device])
        self.assertEqual(self.column('Interface', device, 'external_ids:iface-id'), f'"{ID}"')
        self.assertEqual(self.column('Interface', device, 'external_ids:attached-mac'), f'"{MAC}"')
        self.assertEqual(self.column('Interface', device, 'external_ids:vm-id').strip('"'), self.daemon.virsh('domuuid', 'td').strip())
        # The switch has found the device, and says nothing against it.
        harness.wait_until(lambda: self.column('Interface', device, 'ofport') not in ('[]', '-1'), 'a number of the port')
        self.assertEqual(self.column('Interface', device, 'error'), '[]')

    def test_has_a_port_while_the_domain_runs(self):
        self.daemon.define(harness.td_xml(text={'  </devices>': INTERFACE.format(vlan=TRUNK) + '</devices>'}))
        self.daemon.virsh('start', 'td', '--paused')
        device = self.device()
        self.check_port(device)
        self.assertEqual(self.column('Port', device, 'tag'), '42')
        self.assertEqual(self.column('Port', device, 'trunks'), '[42, 47]')
        self.assertEqual(self.column('Port', device, 'vlan_mode'), 'native-untagged')
        self.daemon.virsh('destroy', 'td')
        self.assertEqual(self.ports(), [])

    def test_has_a_port_when_it_is_plugged_and_the_daemon_was_killed(self):
        self.daemon.define(harness.td_xml(text={'  </devices>': "<controller type='pci' model='pcie-root-port'/></devices>"}))
        self.daemon.virsh('start', 'td', '--paused')
        path = self.daemon.root / 'interface.xml'
        path.write_text(INTERFACE.format(vlan="<vlan><tag id='7'/></vlan>"))
        self.daemon.virsh('attach-device', 'td', path, '--live')
        self.check_port(self.device())
        self.assertEqual(self.column('Port', self.device(), 'tag'), '7')
        self.daemon.kill()
        self.daemon.start()
        self.daemon.virsh('destroy', 'td')
        self.assertEqual(self.ports(), [])

    def test_that_the_switch_refuses_keeps_the_domain_from_starting(self):
        self.daemon.define(harness.td_xml(text={'  </devices>': INTERFACE.format(vlan='').replace(BRIDGE, 'virttdxnone') + '</devices>'}))
        self.assertIn('no bridge named virttdxnone', self.daemon.virsh_error('start', 'td'))
        self.assertEqual(self.daemon.virsh('domstate', 'td').strip(), 'shut off')


if __name__ == '__main__':
    harness.main()
