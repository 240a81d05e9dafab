#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks, volumes and secrets of a domain, asked of the daemons that have them at start, with a fake monitor and fake daemons.

Usage: resource_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import threading

from daemon_case import PATIENCE, XML, DaemonTest, libvirt, main, wait_until
from wire_case import ERROR, OK, REPLY, frame, read_frame, text

MAC = '52:54:00:01:02:03'
DEVICES = f"""
    <interface type='network'><mac address='{MAC}'/><source network='blue' portgroup='fast'/><model type='virtio'/></interface>
    <disk type='volume'><driver type='raw'/><source pool='images' volume='a.img'/><target dev='vda' bus='virtio'/></disk>
  </devices>"""
AUTH_LIST, OPEN, CLOSE, FEATURE = 66, 1, 2, 60
NETWORK_XML, NETWORK_LOOKUP, PORT_LOOKUP, PORT_CREATE, PORT_XML, PORT_DELETE, LEASES = 43, 46, 405, 406, 409, 410, 341
SECRET_BY_UUID, SECRET_VALUE, SECRET_BY_USAGE, SET_IDENTITY = 141, 145, 147, 419
POOL_LOOKUP, VOLUME_LOOKUP, VOLUME_INFO, VOLUME_PATH = 84, 95, 98, 100
TOKEN = '0123456789abcdef' * 2
NETWORK = text('blue') + bytes(range(16))
SECRET, SECRET_UUID = bytes(range(16, 32)), '10111213-1415-1617-1819-1a1b1c1d1e1f'
VOLUME = text('images') + text('a.img') + text('/images/a.img')


def failure(code, message):
    """virNetMessageError of the network driver."""
    return struct.pack('>iiI', code, 19, 1) + text(message) + struct.pack('>i', 2) + bytes(4 * 8)


class Daemon:
    """A daemon of libvirt's that has one network, one volume and one secret, which is private."""

    def __init__(self, path):
        self.ports, self.created, self.active = {}, [], True
        self.identity = b''
        self.hostname = None
        self.asked, self.may_create = False, threading.Event()
        self.may_create.set()
        self.may_delete = threading.Event()
        self.may_delete.set()
        self.plug = "<plug type='network' bridge='virbr7'/>"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    def talk(self, peer):
        try:
            while True:
                header, payload = read_frame(peer)
                status, answer = self.answer(header[2], payload)
                peer.sendall(frame(header[2], answer, header[4], kind=REPLY, status=status))
        except (EOFError, OSError):
            peer.close()

    def answer(self, procedure, payload):
        port = payload[-20:-4] if procedure in (PORT_DELETE, PORT_XML) else payload[-16:]
        if procedure == AUTH_LIST:
            return OK, struct.pack('>II', 1, 0)
        if procedure in (OPEN, CLOSE):
            return OK, b''
        if procedure == FEATURE:
            return OK, bytes(4)
        if procedure == NETWORK_LOOKUP:
            if b'blue' not in payload:
                return ERROR, failure(43, "Network not found: no network with matching name 'green'")
            return OK, NETWORK
        if procedure == NETWORK_XML:
            return OK, text("<network><name>blue</name><mtu size='9000'/></network>")
        if procedure == PORT_CREATE:
            return self.create(payload.decode(errors='replace'))
        if procedure == PORT_XML:
            return OK, text(f'<networkport>{self.plug}</networkport>')
        if procedure == PORT_LOOKUP:
            return (OK, NETWORK + port) if port in self.ports else (ERROR, failure(104, 'network port not found'))
        if procedure == PORT_DELETE:
            self.may_delete.wait()
            del self.ports[port]
            return OK, b''
        if procedure == SET_IDENTITY:
            self.identity = payload
            return OK, b''
        if procedure in (SECRET_BY_UUID, SECRET_BY_USAGE):
            return self.find_secret(payload)
        if procedure == SECRET_VALUE:
            return (OK, text('open sesame')) if TOKEN.encode() in self.identity else (ERROR, failure(65, 'secret is private'))
        if procedure == LEASES:
            return OK, self.leases(payload)
        if procedure == POOL_LOOKUP:
            return OK, text('images') + bytes(16)
        if procedure == VOLUME_LOOKUP:
            return OK, VOLUME
        if procedure == VOLUME_INFO:
            return OK, struct.pack('>iQQ', 0, 1 << 20, 1 << 20)
        if procedure == VOLUME_PATH:
            return OK, text('/images/a.img')
        return ERROR, failure(3, f'procedure {procedure}')

    def leases(self, payload):
        none = bytes(4)

        def some(value):
            return struct.pack('>i', 1) + text(value)

        assert text(MAC) in payload
        rows = [text('virbr7') + struct.pack('>qi', 0, kind) + some(MAC) + none + text(address) + struct.pack('>I', prefix) + name + none
                for kind, address, prefix, name in ((0, '192.0.2.9', 24, none), (1, '2001:db8::9', 64, some(self.hostname) if self.hostname else none))]
        return struct.pack('>I', len(rows)) + b''.join(rows) + struct.pack('>I', len(rows))

    def find_secret(self, payload):
        if payload[-16:] != SECRET and payload != struct.pack('>i', 1) + text('disk'):
            return ERROR, failure(66, 'Secret not found: no secret with matching usage')
        return OK, SECRET + struct.pack('>i', 1) + text('disk')

    def create(self, xml):
        if not self.active:
            return ERROR, failure(55, "Requested operation is not valid: network 'blue' is not active")
        self.asked = True
        self.may_create.wait()
        self.created.append(xml)
        uuid = bytes.fromhex(re.search('<uuid>(.*?)</uuid>', xml)[1].replace('-', ''))
        self.ports[uuid] = xml
        return OK, NETWORK + uuid


class ResourceTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.domain = self.define(xml=XML.replace('  </devices>', DEVICES))

    def serve(self, *classes):
        daemons = [Daemon(self.root / f'run/libvirt/virt{name}d-sock') for name in classes]
        for daemon in daemons:
            self.addCleanup(daemon.listener.close)
        return daemons

    def monitor_devices(self):
        return json.loads((self.root / 'run/libvirt/tdx/td.json').read_text())['devices']


class Resources(ResourceTest):
    def test_are_asked_for_at_start_and_given_back_at_the_end(self):
        network, _ = self.serve('network', 'storage')
        self.domain.create()
        (xml,) = network.ports.values()
        for part in ('<name>td</name>', self.domain.UUIDString(), f"<mac address='{MAC}'/>", '<group>fast</group>'):
            self.assertIn(part, xml)
        (interface,), (disk,) = self.monitor_devices()['interfaces'], self.monitor_devices()['disks']
        self.assertEqual((interface['bridge'], interface['mtu'], interface['backend']), ('virbr7', 9000, 'tap'))
        self.assertEqual((disk['source']['path'], disk['source']['protocol']), ('/images/a.img', 'file'))
        self.assertRegex(self.domain.XMLDesc(), r"<source network='blue' portgroup='fast' portid='[-0-9a-f]{36}' bridge='virbr7'/>")
        self.assertNotIn('virbr7', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        self.domain.destroy()
        self.assertEqual(network.ports, {})

    def test_of_a_volume_without_a_format_are_its_bytes(self):
        self.serve('network', 'storage')
        self.domain = self.define(xml=XML.replace('  </devices>', DEVICES.replace("<driver type='raw'/>", '')))
        self.assertNotIn("type='raw'", self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        self.assertIn("the format of volume 'a.img' of pool 'images' is not given", '\n'.join(self.domain.messages()))
        self.domain.create()
        self.domain.attachDevice("<disk type='volume'><source pool='images' volume='a.img'/><target dev='vdb' bus='virtio'/></disk>")
        self.restart_daemon()
        self.domain = self.connection.lookupByName('td')
        self.assertEqual(self.monitor_devices()['disks'][0]['format'], 'raw')
        self.assertEqual(self.domain.XMLDesc().count("<driver name='qemu' type='raw'/>"), 2)
        self.assertNotIn("type='raw'", self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def test_of_an_interface_that_comes_go_with_it(self):
        network, _ = self.serve('network', 'storage')
        self.domain.create()
        other = "<interface type='network'><mac address='{}'/><source network='blue'/></interface>"
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'told to fail', self.domain.attachDevice, other.format('52:54:00:00:00:99'))
        wait_until(lambda: len(network.ports) == 1, 'the port to be given back')
        self.assertEqual(len(network.created), 2)
        self.domain.attachDevice(other.format('52:54:00:00:00:98'))
        self.assertEqual(len(network.ports), 2)
        self.assertEqual(self.monitor_told('device-add')[-1]['interface']['bridge'], 'virbr7')
        self.assertEqual(len(re.findall("portid=.* bridge='virbr7'", self.domain.XMLDesc())), 2)
        self.domain.detachDevice(other.format('52:54:00:00:00:98'))
        wait_until(lambda: len(network.ports) == 1, 'the port to be given back')

    def test_of_a_disk_that_comes_are_asked_for(self):
        self.serve('network', 'storage')
        self.domain.create()
        disk = "<disk type='volume'><driver type='raw'/>{}<source pool='images' volume='a.img'/><target dev='vdb' bus='virtio'/></disk>"
        self.domain.attachDevice(disk.format(''))
        self.assertEqual(self.monitor_told('device-add')[-1]['disk']['source']['path'], '/images/a.img')
        self.domain.detachDevice(disk.format(''))
        wait_until(lambda: 'vdb' not in self.domain.XMLDesc(), 'the disk to go')
        secret = "<encryption format='luks'><secret type='passphrase' uuid='11111111-2222-3333-4444-555555555555'/></encryption>"
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'no secret daemon runs', self.domain.attachDevice, disk.format(secret))
        self.assertNotIn('vdb', self.domain.XMLDesc())

    def test_tell_the_addresses_that_they_have_leased(self):
        network, _ = self.serve('network', 'storage')
        self.domain.create()
        (interface, told), = self.domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE).items()
        self.assertIn(f"<target dev='{interface}'/>", self.domain.XMLDesc())
        self.assertEqual(told, {'hwaddr': MAC, 'addrs': [{'addr': '192.0.2.9', 'prefix': 24, 'type': 0},
                                                         {'addr': '2001:db8::9', 'prefix': 64, 'type': 1}]})
        self.assertRegex(self.virsh('domifaddr', 'td'), r'192\.0\.2\.9/24')
        (self.root / 'run/libvirt/virtnetworkd-sock').unlink()
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'no network daemon runs', self.domain.interfaceAddresses,
                          libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)

    def test_tell_the_name_that_the_guest_gave(self):
        lease, agent = libvirt.VIR_DOMAIN_GET_HOSTNAME_LEASE, libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', self.domain.hostname, lease)
        network, _ = self.serve('network', 'storage')
        self.domain.create()
        self.assert_error(libvirt.VIR_ERR_NO_HOSTNAME, 'no hostname found for domain td', self.domain.hostname, lease)
        network.hostname = 'guest-7'
        self.assertEqual(self.domain.hostname(lease), 'guest-7')
        self.assertEqual(self.virsh('domhostname', 'td', '--source', 'lease').strip(), 'guest-7')
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'are mutually exclusive', self.domain.hostname, lease | agent)
        (self.root / 'run/libvirt/virtnetworkd-sock').unlink()
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'no network daemon runs', self.domain.hostname, lease)

    def test_are_given_back_when_the_start_fails(self):
        network, _ = self.serve('network', 'storage')
        self.restart_daemon(VIRTTDX_FAKE_LAUNCH='fail')
        self.domain = self.connection.lookupByName('td')
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'told to fail', self.domain.create)
        self.assertEqual((len(network.created), network.ports), (1, {}))

    def test_are_given_back_by_the_next_daemon(self):
        network, _ = self.serve('network', 'storage')
        hook = self.root / 'etc/libvirt/hooks/tdx'
        hook.parent.mkdir()
        hook.write_text(f'#!/bin/sh\n[ $2 != start ] || {{ echo $$ > {self.root}/hook-pid; exec sleep 1000; }}\n')
        hook.chmod(0o755)
        threading.Thread(target=self.create_and_fail, daemon=True).start()
        wait_until((self.root / 'hook-pid').exists, 'the hook')
        wait_until((self.root / 'hook-pid').read_text, 'the pid of the hook')
        self.assertEqual(len(network.ports), 1)
        self.restart_daemon()
        os.kill(int((self.root / 'hook-pid').read_text()), signal.SIGKILL)
        wait_until(lambda: network.ports == {}, 'its end')
        wait_until(lambda: self.connection.lookupByName('td').isActive() == 0, 'the end of the start')

    def create_and_fail(self):
        try:
            self.connect().lookupByName('td').create()
        except libvirt.libvirtError:
            pass

    def test_are_refused_by_name_without_a_daemon(self):
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "volume 'a.img' of pool 'images': no storage daemon runs",
                          self.domain.create)
        self.serve('storage')
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "network 'blue': no network daemon runs", self.domain.create)
        self.assertEqual(self.domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)

    def test_are_refused_in_the_words_of_their_daemon(self):
        network, _ = self.serve('network', 'storage')
        network.active = False
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "network 'blue' is not active", self.domain.create)
        network.active = True
        network.plug = "<plug type='hostdev-pci'/>"
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "a port of type 'hostdev-pci', which is not offered",
                          self.domain.create)
        for more, named in (("<port isolated='yes'/>", "port isolated='yes'"), ("<vlan><tag id='4'/></vlan>", 'vlan'),
                            ("<virtualport type='openvswitch'/>", 'virtualport')):
            network.plug = f"{more}<plug type='bridge' bridge='virbr7'/>"
            self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, f"a port with <{named}>, which is not offered", self.domain.create)
        self.assertEqual(network.ports, {})

    def silent_daemon(self):
        """A storage daemon that takes connections, and says nothing."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.root / 'run/libvirt/virtstoraged-sock'))
        listener.listen()
        self.addCleanup(listener.close)
        return listener

    def test_of_a_daemon_that_does_not_answer_keep_nobody_waiting(self):
        listener = self.silent_daemon()
        threading.Thread(target=self.create_and_fail, daemon=True).start()
        peer, _ = listener.accept()
        self.define('other', xml=XML).create()
        self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP])
        peer.close()
        wait_until(lambda: self.domain.isActive() == 0, 'the end of the start')

    def test_of_a_daemon_that_does_not_answer_keep_no_domain_from_being_destroyed(self):
        listener = self.silent_daemon()
        peers = []
        # More often than there are threads for it.
        for _ in range(20):
            start = threading.Thread(target=self.create_and_fail)
            start.start()
            peers.append(listener.accept()[0])
            self.domain.destroy()
            start.join()
            self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED])
        pathlib.Path(listener.getsockname()).unlink()
        self.serve('network', 'storage')
        self.domain.create()
        for peer in peers:
            peer.close()
        self.assertEqual(self.domain.isActive(), 1)

    def test_that_nobody_takes_back_keep_no_domain_from_ending(self):
        network, _ = self.serve('network', 'storage')
        self.domain.create()
        network.may_delete.clear()
        self.domain.destroy()
        self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED])
        self.assertEqual(len(network.ports), 1)
        network.may_delete.set()
        wait_until(lambda: not network.ports, 'the port to be given back')

    def test_that_come_too_late_are_given_back(self):
        network, _ = self.serve('network', 'storage')
        network.may_create.clear()
        start = threading.Thread(target=self.create_and_fail)
        start.start()
        wait_until(lambda: network.asked, 'the network to be asked')
        self.domain.destroy()
        start.join()
        self.assertEqual(self.domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)
        network.may_create.set()
        wait_until(lambda: network.created and not network.ports, 'the port to be given back')

    def test_of_a_daemon_that_does_not_answer_do_not_keep_this_one(self):
        listener = self.silent_daemon()
        threading.Thread(target=self.create_and_fail, daemon=True).start()
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        self.daemon.terminate()
        self.daemon.wait(PATIENCE)


# Two disks, one of them with both of its secrets from the same daemon.
ENCRYPTED = """
    <disk type='file'><driver name='qemu' type='qcow2'/><source file='/a.qcow2'>
      <encryption format='luks'><secret type='passphrase' {name}/></encryption></source>
      <target dev='vda' bus='virtio'/></disk>
    <disk type='network'><driver name='qemu' type='raw'/>
      <auth username='me'><secret type='ceph' uuid='{uuid}'/></auth>
      <source protocol='rbd' name='pool/image'><host name='monitor'/>
        <encryption format='luks'><secret type='passphrase' uuid='{uuid}'/></encryption></source>
      <target dev='vdb' bus='virtio'/></disk>
  </devices>"""


class Secrets(ResourceTest):
    def setUp(self):
        super().setUp()
        self.token = self.root / 'run/libvirt/common/system.token'
        self.token.parent.mkdir()
        self.token.write_text(TOKEN)

    def define_encrypted(self, name=f"uuid='{SECRET_UUID}'"):
        return self.define('encrypted', xml=XML.replace('  </devices>', ENCRYPTED.format(name=name, uuid=SECRET_UUID)))

    def monitor(self):
        return int(re.search(r"pid='(\d+)'", (self.root / 'run/libvirt/tdx/encrypted.xml').read_text())[1])

    def read_pipes(self):
        """What the monitor can read, as it would."""
        config = json.loads((self.root / 'run/libvirt/tdx/encrypted.json').read_text())
        sources = [disk['source'] for disk in config['devices']['disks']]
        files = [source[name] for source in sources for name in ('secret_file', 'luks_passphrase_file') if name in source]
        return [pathlib.Path(file.replace('self', str(self.monitor()))).read_text() for file in files]

    def test_reach_the_monitor_in_pipes_and_are_in_no_file(self):
        self.serve('secret')
        for name in (f"uuid='{SECRET_UUID}'", "usage='disk'"):
            domain = self.define_encrypted(name)
            domain.create()
            self.assertEqual(self.read_pipes(), ['open sesame'] * 3)
            self.assertEqual(self.read_pipes(), [''] * 3)
            domain.destroy()
        files = [file for file in self.root.rglob('*') if file.is_file()]
        self.assertEqual([file for file in files if b'sesame' in file.read_bytes()], [])

    def test_are_not_needed_again_for_a_reboot(self):
        daemon, = self.serve('secret')
        domain = self.define_encrypted()
        domain.create()
        (self.root / 'run/libvirt/virtsecretd-sock').unlink()
        daemon.listener.close()
        self.record_events()
        domain.reboot()
        wait_until(lambda: len(self.events) == 3, 'the next TD')
        self.assertEqual(domain.isActive(), 1)

    def test_that_are_private_need_the_token_of_libvirts_daemons(self):
        self.serve('secret')
        self.token.unlink()
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'secret is private', self.define_encrypted().create)

    def test_that_are_not_there_keep_a_domain_from_starting(self):
        domain = self.define_encrypted("usage='other'")
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "disk 'vda': secret 'other': no secret daemon runs", domain.create)
        self.serve('secret')
        self.assert_error(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'no secret with matching usage', domain.create)


if __name__ == '__main__':
    main()
