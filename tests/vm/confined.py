# SPDX-License-Identifier: GPL-2.0-or-later
"""Inside a machine of tests/vm that has systemd: the daemon and its monitors where a package puts them, started by the daemon's
units, under their AppArmor profiles, with every back end that a monitor opens or starts, from the start and while the TD runs.
Nothing may be denied."""
import pathlib
import shutil
import subprocess
import sys
import unittest

import harness
from harness import BUILD, SOURCE

PLACES = {'driver/virttdxd': '/usr/sbin/virttdxd', 'vmm-backend/virttdx-vmm': '/usr/libexec/virttdx-vmm'}
IMAGES = pathlib.Path('/var/lib/libvirt/images')
LOWER = 'outside'
DEVICES = f'''
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{IMAGES}/a.img'/><target dev='vda' bus='virtio'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{IMAGES}/b.qcow2'/><target dev='vdb' bus='virtio'/></disk>
<interface type='ethernet'><model type='virtio'/></interface>
<interface type='user'><model type='virtio'/></interface>
<interface type='direct'><source dev='{LOWER}' mode='bridge'/><model type='virtio'/></interface>
<vsock model='virtio'><cid auto='yes'/></vsock>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
''' + "<controller type='pci' model='pcie-root-port'/>" * 16


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def profile_of(pid):
    return pathlib.Path(f'/proc/{pid}/attr/current').read_text().strip()


def pids_of(text):
    return subprocess.run(['pgrep', '-f', text], capture_output=True, text=True, check=False).stdout.split()


class Confined(unittest.TestCase):
    uri = 'tdx:///system'

    @classmethod
    def setUpClass(cls):
        for source, place in PLACES.items():
            pathlib.Path(place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(BUILD / source, place)
        for profile in sorted((SOURCE / 'driver/install/apparmor').iterdir()):
            run('apparmor_parser', '--replace', '--skip-cache', str(profile))
        IMAGES.mkdir(parents=True, exist_ok=True)
        for name in ('a.img', 'c.img'):
            (IMAGES / name).write_bytes(bytes(1 << 20))
        for name in ('b.qcow2', 'd.qcow2'):
            run('qemu-img', 'create', '-q', '-f', 'qcow2', str(IMAGES / name), '1M')
        cls.install_units()

    @staticmethod
    def install_units():
        units = pathlib.Path('/run/systemd/system')
        unit = (SOURCE / 'driver/install/virttdxd.service.in').read_text().replace('@sbindir@', '/usr/sbin')
        (units / 'virttdxd.service').write_text(unit)
        for socket in (SOURCE / 'driver/install').glob('*.socket'):
            shutil.copy(socket, units)
        pathlib.Path('/etc/default/virttdxd').write_text('VIRTTDXD_ARGS="--timeout 120 --host soft"\n'
                                                         f'VIRTTDX_VMM={PLACES["vmm-backend/virttdx-vmm"]}\n')
        run('systemd-sysusers', str(SOURCE / 'driver/install/virttdxd.sysusers'))
        run('systemctl', 'daemon-reload')
        run('systemctl', 'start', 'virttdxd.socket', 'virttdxd-ro.socket', 'virttdxd-admin.socket')

    @classmethod
    def tearDownClass(cls):
        run('systemctl', 'stop', 'virttdxd.socket', 'virttdxd-ro.socket', 'virttdxd-admin.socket', 'virttdxd.service')

    @classmethod
    def try_virsh(cls, *words):
        return subprocess.run(['virsh', '-c', cls.uri, *map(str, words)], capture_output=True, text=True, check=False)

    def virsh(self, *words):
        done = self.try_virsh(*words)
        self.assertEqual(done.returncode, 0, f'{words}: {done.stderr}\n{self.denials()}')
        return done.stdout

    @staticmethod
    def denials():
        return [line for line in run('dmesg').splitlines() if 'apparmor="DENIED"' in line]

    def start(self):
        xml = pathlib.Path('/run/td.xml')
        xml.write_text(harness.td_xml(text={'  </devices>': DEVICES + '</devices>'}))
        self.virsh('define', xml)
        self.virsh('start', 'td', '--paused')
        (monitor,) = pids_of('^/usr/libexec/virttdx-vmm .*--control-socket /run/libvirt/tdx/td.monitor')
        return monitor

    def assert_confined(self, what):
        pids = pids_of(what)
        self.assertTrue(pids, what)
        for pid in pids:
            self.assertEqual(profile_of(pid), 'virttdx-vmm (enforce)', what)

    def attach_everything(self):
        self.virsh('attach-disk', 'td', IMAGES / 'c.img', 'vdc', '--targetbus', 'virtio', '--subdriver', 'raw', '--live')
        self.virsh('attach-disk', 'td', IMAGES / 'd.qcow2', 'vdd', '--targetbus', 'virtio', '--subdriver', 'qcow2', '--live')
        for kind, source in (('ethernet', ''), ('direct', f"<source dev='{LOWER}' mode='bridge'/>"), ('user', '')):
            xml = pathlib.Path('/run/interface.xml')
            xml.write_text(f"<interface type='{kind}'>{source}<model type='virtio'/></interface>")
            self.virsh('attach-device', 'td', xml, '--live')

    def test_with_every_back_end(self):
        monitor = self.start()
        self.assertEqual(profile_of(monitor), 'virttdx-vmm (enforce)')
        self.assertEqual(profile_of(run('systemctl', 'show', '--value', '-p', 'MainPID', 'virttdxd.service').strip()), 'virttdxd (enforce)')
        scope = pathlib.Path(f'/proc/{monitor}/cgroup').read_text()
        self.assertRegex(scope, r'^0::/machine\.slice/machine-tdx\S*\.scope')
        self.assert_confined(f'^/?.*qemu-storage-daemon .*{IMAGES}/b.qcow2')
        self.attach_everything()
        self.assert_confined(f'^/?.*qemu-storage-daemon .*{IMAGES}/d.qcow2')
        self.assert_confined('virttdx-vmm --add-disk')
        self.assertEqual(len(self.virsh('domiflist', 'td').split('virtio')), 7)
        self.virsh('schedinfo', 'td', '--live', 'cpu_shares=512', 'vcpu_quota=50000', 'emulator_quota=60000')
        self.assertRegex(self.virsh('schedinfo', 'td'), r'cpu_shares\s*: 512')
        run('systemctl', 'restart', 'virttdxd.service')
        self.assertEqual(self.virsh('domstate', 'td').strip(), 'paused')
        self.virsh('resume', 'td')
        self.virsh('domstats', 'td')
        self.virsh('reset', 'td')
        self.virsh('destroy', 'td')
        harness.wait_until(lambda: not pids_of('qemu-storage-daemon|virttdx-vmm'), 'the monitor to end')
        self.virsh('undefine', 'td')
        self.assertEqual(self.denials(), [])

    def test_what_is_not_its_own_is_out_of_reach(self):
        secret = pathlib.Path('/etc/shadow')
        xml = pathlib.Path('/run/thief.xml')
        xml.write_text(harness.td_xml('thief', text={'  </devices>': (
            f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{secret}'/>"
            "<target dev='vda' bus='virtio'/><readonly/></disk></devices>")}))
        self.virsh('define', xml)
        done = self.try_virsh('start', 'thief')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('Permission denied', done.stderr)
        self.assertTrue([line for line in self.denials() if 'name="/etc/shadow"' in line])
        run('dmesg', '--clear')
        self.virsh('undefine', 'thief')


if __name__ == '__main__':
    sys.exit(harness.main())
