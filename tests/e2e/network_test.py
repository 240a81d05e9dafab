# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian 13's stock kernel as a TD on a network of libvirt's own daemon: made, asked for leases and ended through tdx:///system;
and data in bulk by two pairs of queues."""
import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import harness
from libvirtd_beside import PATH, begin_libvirtd, skip_unless_possible
from linux_guest import LinuxTest

MAC = '52:54:00:0a:0b:0d'
BRIDGE = 'virttdxbr0'
LINKS = pathlib.Path('/sys/class/net')
# Without rules of a firewall, which a test had better not make.
NETWORK = f"""<network><name>proof</name><bridge name='{BRIDGE}' stp='off' delay='0'/><forward mode='open'/>
<ip address='10.199.86.1' netmask='255.255.255.0'><dhcp><range start='10.199.86.2' end='10.199.86.9'/></dhcp></ip></network>"""
LIMIT = "<bandwidth><inbound average='1000000' peak='2000000' burst='65536'/></bandwidth>"
INTERFACE = f"<interface type='network'><mac address='{MAC}'/><source network='proof'/><model type='virtio'/><driver queues='2'/>{LIMIT}</interface>"
CPUS = 2
# Of each CPU: 64 MiB each way.
BULK = 32 << 20
# Of the bridge's address: one sends, the next takes.
SENDING, TAKING = 7001, 7002


class Network(LinuxTest):
    def setUp(self):
        skip_unless_possible()
        if not shutil.which('dnsmasq', path=PATH):
            self.skipTest('dnsmasq is not installed')
        super().setUp()
        begin_libvirtd(self)
        self.make_network()

    def make_network(self):
        path = self.daemon.root / 'network.xml'
        path.write_text(NETWORK)
        status, _, error = self.daemon.try_virsh('net-create', path)
        if status != 0:
            self.skipTest(f'no network can be made here: {error}')
        self.addCleanup(self.daemon.virsh, 'net-destroy', 'proof')
        subprocess.run(['ip', 'link', 'set', 'dev', BRIDGE, 'mtu', '9000'], check=True, env=harness.ENVIRONMENT)

    def check_bridge(self):
        """A port makes its MTU no smaller, and has a higher address than it."""
        self.assertEqual((LINKS / BRIDGE / 'mtu').read_text().strip(), '9000')
        (port,) = (LINKS / BRIDGE / 'brif').iterdir()
        self.assertEqual((LINKS / port.name / 'address').read_text().strip(), 'fe' + MAC[2:])

    def bucket(self, port):
        """In bits a second, where the XML has kilobytes."""
        return subprocess.run(['tc', 'class', 'show', 'dev', port], capture_output=True, text=True, check=True, env=harness.ENVIRONMENT).stdout

    def check_limit(self):
        (port,) = (path.name for path in (LINKS / BRIDGE / 'brif').iterdir())
        self.assertRegex(self.bucket(port), r'class htb 1:1 root .*rate 8Gbit ceil 16Gbit burst')
        self.assertIn("<inbound average='1000000' peak='2000000' burst='65536'/>", self.daemon.virsh('net-port-dumpxml', 'proof', self.ports()[0]))
        self.daemon.virsh('domiftune', 'td', port, '--inbound', '500000', '--live')
        self.assertRegex(self.bucket(port), r'class htb 1:1 root .*rate 4Gbit ceil 4Gbit')

    def serve_bulk(self):
        """Random bytes for each CPU of the guest, and the digests of what comes back."""
        content = os.urandom(BULK)
        taken = []

        def serve():
            for _ in range(CPUS):
                with listeners[0].accept()[0] as connection:
                    connection.sendall(content)
                with listeners[1].accept()[0] as connection, connection.makefile('rb') as stream:
                    taken.append(hashlib.sha256(stream.read()).hexdigest())

        listeners = [socket.create_server(('10.199.86.1', port)) for port in (SENDING, TAKING)]
        for listener in listeners:
            self.addCleanup(listener.close)
        threading.Thread(target=serve, daemon=True).start()
        return hashlib.sha256(content).hexdigest(), taken

    def check_bulk(self, digest, taken):
        """Both pairs of queues moved it, in both directions."""
        for cpu in range(CPUS):
            self.expect(f'CPU {cpu} had {BULK} bytes')
        self.expect('queues rx-0 rx-1 tx-0 tx-1')
        for name in ('input.0', 'output.0', 'input.1', 'output.1'):
            self.expect(rf'interrupts virtio\d+-{name} 1')
        self.assertEqual(taken, [digest] * CPUS)

    def ports(self):
        return self.daemon.virsh('net-port-list', 'proof').split()[2:]

    def test_gives_a_td_its_address(self):
        digest, taken = self.serve_bulk()
        self.define(self.make_initrd('hotplug_interface.sh'), f'turns=dhcp bulk={SENDING}', INTERFACE, {'<vcpu>1</vcpu>': f'<vcpu>{CPUS}</vcpu>'})
        self.boot()
        harness.wait_until(lambda: MAC in self.daemon.virsh('domifaddr', 'td'), 'a lease')
        (address,) = re.findall(rf'vnet\d+ +{MAC} +ipv4 +(10\.199\.86\.\d/24)\n', self.daemon.virsh('domifaddr', 'td'))
        self.expect(f'{MAC} has {address}')
        self.check_bulk(digest, taken)
        self.assertIn(address, self.daemon.virsh('net-dhcp-leases', 'proof'))
        self.assertEqual(self.daemon.virsh('domhostname', 'td', '--source', 'lease').strip(), 'td-guest')
        self.assertIn(address.split('/', maxsplit=1)[0], self.daemon.virsh('domifaddr', 'td', '--source', 'arp'))
        self.assertRegex(self.daemon.virsh('domiflist', 'td'), rf'vnet\d+ +network +proof +virtio +{MAC}')
        self.assertRegex(self.daemon.virsh('domifstat', 'td', MAC), r'rx_bytes [1-9]')
        self.assertEqual(len(self.ports()), 1)
        self.check_bridge()
        self.check_limit()
        self.daemon.virsh('destroy', 'td')
        self.assertEqual(self.ports(), [])
        self.assert_no_errors()


if __name__ == '__main__':
    harness.main()
