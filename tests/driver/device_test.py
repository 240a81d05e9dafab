#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks, interfaces, consoles and channels as clients see them, with a fake monitor.

Usage: device_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import fcntl
import json
import os
import re
import signal
import socket
import threading
import time

from daemon_case import XML, DaemonTest, libvirt, main, read_stream, wait_until

MAC = '52:54:00:01:02:03'
DEVICES = """
    <disk type='file'><driver name='qemu' type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file'><driver name='qemu' type='raw'/><source file='{image}'/><target dev='vdb' bus='virtio'/><readonly/></disk>
    <interface type='bridge'><mac address='52:54:00:01:02:03'/><source bridge='br0'/><model type='virtio'/></interface>
    <interface type='user'><mac address='52:54:00:01:02:04'/><model type='virtio'/></interface>
    <console type='pty'><target type='virtio'/></console>
    <channel type='unix'><target type='virtio' name='org.example.echo'/></channel>
    <channel type='pty'><target type='virtio' name='org.example.pty'/></channel>
  </devices>"""


class DeviceTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.image = self.root / 'image'
        self.image.write_bytes(b'x' * 8192)
        os.truncate(self.image, 1 << 20)
        self.domain = self.define(xml=XML.replace('  </devices>', DEVICES.format(image=self.image)))

    def all_stats(self, groups=0, flags=0):
        (_, stats), = self.connection.getAllDomainStats(groups, flags)
        return stats


LEFT_OUT = ("<graphics type='vnc' port='-1'/>", "<video><model type='vga'/></video>", "<input type='tablet' bus='usb'/>",
            "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>")


class DevicesThatATdCannotHave(DaemonTest):
    def test_are_in_the_definition_and_not_in_the_live_xml(self):
        domain = self.define(xml=XML.replace('  </devices>', ''.join(LEFT_OUT) + '</devices>'))
        domain.create()
        for kind in ('graphics', 'video', 'input', 'spicevmc'):
            self.assertIn(kind, domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            self.assertNotIn(kind, domain.XMLDesc())
        self.assertTrue(any('<graphics> is left out' in message for message in domain.messages()))


class RatesOfDisks(DeviceTest):
    CONFIG, LIVE = libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE

    def test_are_read_and_set_in_the_definition(self):
        self.assertEqual(self.domain.blockIoTune('vda')['total_bytes_sec'], 0)
        self.assertEqual(len(self.domain.blockIoTune('vda')), 20)
        self.virsh('blkdeviotune', 'td', 'vda', '--read-bytes-sec', '1000', '--write-iops-sec', '7', '--size-iops-sec', '4096', '--config')
        tune = self.domain.blockIoTune(str(self.image))
        self.assertEqual((tune['read_bytes_sec'], tune['write_iops_sec'], tune['size_iops_sec'], tune['group_name']), (1000, 7, 4096, ''))
        self.assertIn('<read_bytes_sec>1000</read_bytes_sec>', self.domain.XMLDesc())
        self.assertRegex(self.virsh('blkdeviotune', 'td', 'vda'), r'read_bytes_sec : 1000')

    def test_that_are_named_take_the_place_of_others_of_their_kind(self):
        self.domain.setBlockIoTune('vda', {'read_bytes_sec': 1000, 'read_iops_sec': 5}, self.CONFIG)
        self.domain.setBlockIoTune('vda', {'total_bytes_sec': 3000}, self.CONFIG)
        tune = self.domain.blockIoTune('vda')
        self.assertEqual((tune['total_bytes_sec'], tune['read_bytes_sec'], tune['read_iops_sec']), (3000, 0, 5))
        self.domain.setBlockIoTune('vda', {'total_bytes_sec': 0, 'read_iops_sec': 0}, self.CONFIG)
        self.assertNotIn('iotune', self.domain.XMLDesc())

    def test_are_refused_in_libvirts_words(self):
        for disk, params, message in (
                ('vdz', {'total_bytes_sec': 1}, "disk 'vdz' was not found in the domain config"),
                ('vda', {'total_bytes_sec': 1, 'read_bytes_sec': 1}, 'total and read/write of bytes_sec cannot be set at the same time'),
                ('vda', {'read_iops_sec': 10 ** 16}, 'throttle limit must be no more than 1000000000000000')):
            self.assert_error(libvirt.VIR_ERR_INVALID_ARG, message, self.domain.setBlockIoTune, disk, params, self.CONFIG)
        self.domain.create()
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "disk 'vdz' not found in domain", self.domain.setBlockIoTune, 'vdz',
                          {'total_bytes_sec': 1}, self.LIVE)
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'group of a running', self.domain.setBlockIoTune, 'vda',
                          {'group_name': 'other'}, self.LIVE)

    def test_of_a_running_domain_change_in_its_monitor(self):
        self.domain.create()
        told = self.record_tunables()
        self.domain.setBlockIoTune('vda', {'total_iops_sec': 1}, self.CONFIG)
        self.virsh('blkdeviotune', 'td', 'vda', '--total-bytes-sec', '5000', '--live')
        wait_until(lambda: told, 'an event')
        self.assertEqual(told, [{'blkdeviotune.disk': 'vda', 'blkdeviotune.total_bytes_sec': 5000}])
        self.domain.setBlockIoTune('vda', {'total_iops_sec': 0}, self.CONFIG)
        self.assertEqual(self.domain.blockIoTune('vda')['total_bytes_sec'], 5000)
        self.assertNotIn('iotune', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        (told,) = self.monitor_told('disk-limits')
        self.assertEqual((told['id'], told['limits']['total_bytes']['per_second']), ('virtio-disk0', 5000))
        # The monitor's refusal leaves all as it was.
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'told to refuse', self.domain.setBlockIoTune, 'vda', {'total_bytes_sec': 13},
                          self.LIVE)
        self.assertEqual(self.domain.blockIoTune('vda')['total_bytes_sec'], 5000)
        self.assertNotIn('iotune', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def test_are_those_of_a_group(self):
        for disk in ('vda', 'vdb'):
            self.domain.setBlockIoTune(disk, {'total_iops_sec': 7, 'group_name': 'g'}, self.CONFIG)
        self.domain.create()
        self.domain.setBlockIoTune('vdb', {'total_iops_sec': 9}, self.LIVE)
        self.assertEqual(self.domain.blockIoTune('vda', self.LIVE)['total_iops_sec'], 9)
        self.assertEqual(self.domain.blockIoTune('vda', self.CONFIG)['total_iops_sec'], 7)


class Disks(DeviceTest):
    def test_tell_what_they_did(self):
        self.domain.create()
        self.assertEqual(self.domain.blockStats('vda'), (10, 11, 13, 14, 20))
        self.assertEqual(self.domain.blockStats(str(self.image)), (10, 11, 13, 14, 20))
        self.assertEqual(self.domain.blockStats(''), (20, 22, 26, 28, 40))
        self.assertEqual(self.domain.blockStatsFlags('vdb'), {
            'wr_bytes': 14, 'wr_operations': 13, 'rd_bytes': 11, 'rd_operations': 10, 'flush_operations': 16,
            'wr_total_times': 15, 'rd_total_times': 12, 'flush_total_times': 17})
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'invalid path: vdc', self.domain.blockStats, 'vdc')

    def test_tell_their_size_whether_they_run_or_not(self):
        self.assertEqual(self.domain.blockInfo('vda')[0::2], [1 << 20, 1 << 20])
        self.assertLess(self.domain.blockInfo('vda')[1], 1 << 20)
        self.domain.create()
        self.assertEqual(self.domain.blockInfo('vda'), [21, 22, 23])
        self.domain.destroy()
        self.image.unlink()
        self.assert_error(libvirt.VIR_ERR_SYSTEM_ERROR, 'No such file', self.domain.blockInfo, 'vda')
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'invalid path vdz', self.domain.blockInfo, 'vdz')

    def test_of_a_server_that_does_not_answer_keep_nobody_else_waiting(self):
        # Whoever opens a file that another has a lease on waits for it, as for a file system.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        told = []
        with open(self.image, 'r+b') as image:
            fcntl.fcntl(image, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            clients = [threading.Thread(target=lambda: told.append(self.connect().lookupByName('td').blockInfo('vda'))),
                       threading.Thread(target=lambda: told.append(self.connect().getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BLOCK)[0][1]))]
            for client in clients:
                client.start()
            wait_until(lambda: fcntl.fcntl(image, fcntl.F_GETLEASE) != fcntl.F_WRLCK, 'the image to be opened')
            self.assertEqual(self.connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE)[0][1]['state.state'], libvirt.VIR_DOMAIN_SHUTOFF)
            self.assertEqual(told, [])
            fcntl.fcntl(image, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        for client in clients:
            client.join()
        self.assertCountEqual([isinstance(each, dict) and each['block.0.capacity'] for each in told], [False, 1 << 20])

    def test_have_no_jobs_and_no_errors(self):
        self.domain.create()
        self.assertIn(self.domain.blockJobInfo('vda'), ({}, None))
        self.assertEqual(self.domain.diskErrors(), {})


    def test_become_larger(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', self.domain.blockResize, 'vda', 2048)
        self.domain.create()
        self.virsh('blockresize', 'td', 'vda', '4M')
        self.domain.blockResize(str(self.image), 1 << 22, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'invalid path: vdz', self.domain.blockResize, 'vdz', 2048)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'no whole number of blocks', self.domain.blockResize, 'vda', 100,
                          libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
        self.assert_error(libvirt.VIR_ERR_OVERFLOW, 'must be less than', self.domain.blockResize, 'vda', (1 << 63) - 1)

    def test_that_are_full_pause_their_domain_until_it_is_resumed(self):
        errors = []
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_IO_ERROR,
                                               lambda _c, _d, path, alias, action, _o: errors.append((path, alias, action)), None)
        self.connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
            lambda _c, _d, path, alias, action, reason, _o: errors.append((path, alias, action, reason)), None)
        self.domain.create()
        self.record_events()
        stream = self.connection.newStream()
        self.domain.openConsole(None, stream, 0)
        stream.send(b'%')
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_IOERROR, 1))
        told = (str(self.image), 'virtio-disk0', libvirt.VIR_DOMAIN_EVENT_IO_ERROR_PAUSE)
        self.assertEqual(errors, [told, (*told, 'enospc')])
        self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR])
        self.assertEqual(self.domain.diskErrors(), {'vda': libvirt.VIR_DOMAIN_DISK_ERROR_NO_SPACE})
        self.assertIn('disk full', self.domain.messages())
        self.assertEqual(self.virsh('domblkerror', 'td').split(), ['vda:', 'no', 'space'])
        stream.abort()
        # Neither does a daemon that has started anew forget why.
        self.restart_daemon()
        self.domain = self.connection.lookupByName('td')
        wait_until(lambda: self.domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR], 'the pause')
        wait_until(self.can_resume, 'the resume')
        self.assertEqual(self.domain.diskErrors(), {})

    def can_resume(self):
        """A daemon that has just started has to reach the monitor first."""
        try:
            return self.domain.resume() == 0
        except libvirt.libvirtError:
            return False


class Interfaces(DeviceTest):
    def test_show_the_device_that_they_got(self):
        self.assertNotIn('vnet', self.domain.XMLDesc())
        self.domain.create()
        self.assertIn("<target dev='vnet0'/>", self.domain.XMLDesc())
        self.assertNotIn('vnet', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def test_tell_what_they_did(self):
        self.domain.create()
        counts = (30, 31, 33, 32, 34, 35, 37, 36)
        self.assertEqual(self.domain.interfaceStats('vnet0'), counts)
        self.assertEqual(self.domain.interfaceStats(MAC.upper()), counts)
        self.assertEqual(self.domain.interfaceStats('52:54:00:01:02:04'), counts)
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "'vnet7' is not a known interface", self.domain.interfaceStats, 'vnet7')

    def test_have_no_address_that_nobody_has_heard_of(self):
        self.domain.create()
        self.assertEqual(self.domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP), {})


class Statistics(DeviceTest):
    def test_have_disks_and_interfaces_in_all_groups(self):
        self.domain.create()
        stats = self.all_stats()
        self.assertEqual((stats['block.count'], stats['net.count']), (2, 2))
        self.assertEqual((stats['block.0.name'], stats['block.1.path'], stats['block.1.backingIndex']),
                         ('vda', str(self.image), 2))
        self.assertEqual((stats['block.0.rd.reqs'], stats['block.1.fl.times'], stats['block.0.capacity']), (10, 17, 21))
        self.assertEqual((stats['net.0.name'], stats['net.0.rx.bytes'], stats['net.1.tx.drop']), ('vnet0', 30, 36))

    def test_have_images_of_domains_that_do_not_run(self):
        stats = self.all_stats(libvirt.VIR_DOMAIN_STATS_BLOCK)
        self.assertEqual((stats['block.0.name'], stats['block.0.capacity']), ('vda', 1 << 20))
        self.assertNotIn('block.0.rd.reqs', stats)

    def test_have_what_kvm_counts_under_libvirts_names(self):
        self.domain.create()
        stats = self.all_stats(libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_VM)
        self.assertEqual((stats['vcpu.0.exits.sum'], stats['vcpu.0.halt_poll.max'], stats['vm.pages_4k.cur']), (100, 200, 4711))
        self.assertIs(stats['vcpu.0.blocking.cur'], True)
        self.assertNotIn(f"vcpu.{stats['vcpu.maximum']}.exits.sum", stats)  # which it has not
        polls = self.all_stats(libvirt.VIR_DOMAIN_STATS_CPU_TOTAL)
        self.assertEqual(polls['cpu.haltpoll.success.time'], 7000 * stats['vcpu.maximum'])
        self.assertNotIn('cpu.haltpoll.fail.time', polls)  # which this kernel has not
        self.assertLess(max(map(len, stats)), 80)  # VIR_TYPED_PARAM_FIELD_LENGTH
        self.assertNotIn('vm.pages_4k.cur', self.all_stats(libvirt.VIR_DOMAIN_STATS_VCPU))
        self.assertNotIn('vcpu.0.exits.sum', self.all_stats(libvirt.VIR_DOMAIN_STATS_VM))
        self.domain.destroy()
        self.assertNotIn('vcpu.0.exits.sum', self.all_stats())

    def test_do_not_wait_for_a_stuck_monitor_when_told_not_to(self):
        self.domain.create()
        stop_monitor(self.root)
        other = self.connect()
        waiting = threading.Thread(target=other.getAllDomainStats, args=(libvirt.VIR_DOMAIN_STATS_BLOCK, 0), daemon=True)
        waiting.start()
        wait_until(lambda: self.domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OCCUPIED, 'the question')
        begin = time.monotonic()
        stats = self.all_stats(0, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual((stats['block.0.name'], stats['state.state']), ('vda', 1))
        self.assertNotIn('block.0.rd.reqs', stats)
        self.assertNotIn('vcpu.0.exits.sum', stats)


class HotPlug(DeviceTest):
    """Disks and interfaces of what runs."""
    BOTH, LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE
    DISK = "<disk type='file'><source file='/new.img'/><target dev='vdc' bus='virtio'/>{serial}</disk>"

    def setUp(self):
        super().setUp()
        self.told = []
        for event in (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED):
            self.connection.domainEventRegisterAny(None, event, lambda *arguments: self.told.append((arguments[-1], arguments[2])), event)
        self.domain.create()

    def disk(self, serial=''):
        return self.DISK.format(serial=f'<serial>{serial}</serial>' if serial else '')

    def inactive_xml(self):
        return self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)

    def monitor_answers(self):
        try:
            return bool(self.domain.blockStats('vda'))
        except libvirt.libvirtError:
            return False

    def test_a_disk_comes_and_goes_with_its_events(self):
        self.domain.attachDeviceFlags(self.disk(), self.BOTH)
        live = self.domain.XMLDesc()
        self.assertRegex(live, r"(?s)/new\.img.*<target dev='vdc' bus='virtio'/>\s*<alias name='virtio-disk2'/>\s*<address type='pci'")
        self.assertIn('/new.img', self.inactive_xml())
        self.assertEqual(len(self.domain.blockStats('vdc')), 5)
        self.restart_daemon()
        self.domain = self.connection.lookupByName('td')
        self.assertIn('/new.img', self.domain.XMLDesc())
        wait_until(self.monitor_answers, 'the monitor to be attached again')
        self.domain.detachDeviceFlags(self.disk(), self.BOTH)
        for xml in (self.domain.XMLDesc(), self.inactive_xml()):
            self.assertNotIn('/new.img', xml)

    def test_a_detach_waits_for_the_guest_and_nobody_waits_for_it(self):
        self.domain.attachDevice(self.disk('slow'))
        detach = threading.Thread(target=self.connect().lookupByName('td').detachDevice, args=(self.disk(),))
        detach.start()
        wait_until(lambda: self.monitor_told('device-remove'), 'the request')
        self.assertIn('/new.img', self.domain.XMLDesc())
        console = self.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self.domain.openConsole(None, console, 0)
        self.assertTrue(detach.is_alive())
        console.send(b'^')
        detach.join()
        self.assertNotIn('/new.img', self.domain.XMLDesc())

    def test_a_detach_ends_with_its_domain(self):
        self.domain.attachDevice(self.disk('kept'))
        detach = threading.Thread(target=self.assert_error, args=(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running',
                                                                  self.connect().lookupByName('td').detachDevice, self.disk()))
        detach.start()
        wait_until(lambda: self.monitor_told('device-remove'), 'the request')
        self.domain.destroy()
        detach.join()

    def test_its_events_name_the_alias(self):
        self.domain.attachDevice(self.disk())
        self.domain.detachDeviceAlias('virtio-disk2', self.LIVE)
        wait_until(lambda: len(self.told) == 2, 'the events')
        self.assertEqual(self.told, [(libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, 'virtio-disk2'),
                                     (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, 'virtio-disk2')])
        self.assertNotIn('/new.img', self.inactive_xml())

    def test_a_disk_of_a_storage_daemon_comes_by_another_process(self):
        qcow2 = self.disk().replace("type='file'>", "type='file'><driver name='qemu' type='qcow2'/>")
        self.domain.attachDeviceFlags(qcow2, self.BOTH)
        self.assertIn('/new.img', self.domain.XMLDesc())
        self.assertEqual(len(self.domain.blockStats('vdc')), 5)
        self.domain.detachDeviceFlags(qcow2, self.BOTH)
        wait_until(lambda: '/new.img' not in self.domain.XMLDesc(), 'the disk to go')
        unopened = qcow2.replace('</disk>', '<serial>unopened</serial></disk>')
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, "disk 'virtio-disk2': told to fail", self.domain.attachDeviceFlags, unopened, self.BOTH)
        for xml in (self.domain.XMLDesc(), self.inactive_xml()):
            self.assertNotIn('/new.img', xml)

    def test_a_disk_that_the_monitor_refuses_changes_nothing(self):
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'PCI bus 9 is taken', self.domain.attachDeviceFlags, self.disk('full'), self.BOTH)
        for xml in (self.domain.XMLDesc(), self.inactive_xml()):
            self.assertNotIn('/new.img', xml)

    def test_a_disk_that_the_guest_keeps_stays_and_is_asked_for_once(self):
        self.domain.attachDevice(self.disk('kept'))
        self.domain.detachDevice(self.disk())
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'already in the process of unplug', self.domain.detachDevice, self.disk())
        self.assertIn('/new.img', self.domain.XMLDesc())

    def test_what_cannot_come_is_told(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'target vda already exists', self.domain.attachDevice,
                          self.disk().replace('vdc', 'vda'))
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "live attach of device 'disk'", self.domain.attachDevice,
                          self.disk().replace("type='file'", "type='file' device='cdrom'").replace("bus='virtio'", "bus='scsi'"))
        self.assert_error(libvirt.VIR_ERR_DEVICE_MISSING, 'disk vdz not found', self.domain.detachDevice, self.disk().replace('vdc', 'vdz'))
        self.domain.attachDevice(self.disk())
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'No more available PCI slots', self.domain.attachDevice,
                          self.disk().replace('vdc', 'vdd'))


    INTERFACE = "<interface type='user'>{mac}<model type='virtio'/></interface>"

    def test_an_interface_comes_and_goes_with_its_events(self):
        self.domain.attachDeviceFlags(self.INTERFACE.format(mac=''), self.BOTH)
        live = self.domain.XMLDesc()
        (mac,) = set(re.findall(r"<mac address='([^']+)'", live)) - {MAC, '52:54:00:01:02:04'}
        self.assertRegex(live, rf"(?s){mac}.*<alias name='net2'/>\s*<address type='pci'")
        self.assertIn(mac, self.inactive_xml())
        self.assertIn(mac, self.virsh('domiflist', 'td'))
        self.assertEqual(len(self.domain.interfaceStats(mac)), 8)
        self.assertEqual([told['interface']['mac'] for told in self.monitor_told('device-add')], [mac])
        self.domain.detachDeviceFlags(self.INTERFACE.format(mac=f"<mac address='{mac}'/>"), self.BOTH)
        wait_until(lambda: len(self.told) == 2, 'the events')
        self.assertEqual(self.told, [(libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, 'net2'),
                                     (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, 'net2')])
        for xml in (self.domain.XMLDesc(), self.inactive_xml()):
            self.assertNotIn(mac, xml)

    def test_an_interface_that_cannot_be_opened_changes_nothing(self):
        interface = self.INTERFACE.format(mac="<mac address='52:54:00:00:00:99'/>")
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, "interface 'net2': told to fail", self.domain.attachDeviceFlags, interface,
                          self.BOTH)
        for xml in (self.domain.XMLDesc(), self.inactive_xml(), (self.root / 'run/libvirt/tdx/td.xml').read_text()):
            self.assertNotIn('52:54:00:00:00:99', xml)
        self.assert_error(libvirt.VIR_ERR_DEVICE_MISSING, 'no device matching MAC address', self.domain.detachDevice, interface)

    def test_what_the_guest_let_go_while_no_daemon_ran_is_gone(self):
        self.kill_daemon()
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.root / 'run/libvirt/tdx/td.monitor'))
            for number, alias in enumerate(('net0', 'virtio-disk1')):
                monitor.sendall((json.dumps({'id': number, 'command': 'device-remove', 'arguments': {'id': alias}}) + '\n').encode())
            for line in monitor.makefile():
                if json.loads(line).get('message') == 'virtio-disk1':
                    break
        self.start_daemon()
        self.connection = self.connect()
        self.domain = self.connection.lookupByName('td')
        wait_until(lambda: MAC not in self.domain.XMLDesc(), 'the interface to be missed')
        self.assertNotIn("dev='vdb'", self.domain.XMLDesc())
        self.assertIn("dev='vda'", self.domain.XMLDesc())
        self.assertIn(MAC, self.inactive_xml())


class Changes(DeviceTest):
    """attach, detach and update: of the definition."""
    CONFIG, LIVE = libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE
    DISK = "<disk type='file'><source file='/new.img'/><target dev='{dev}' bus='virtio'/></disk>"
    INTERFACE = "<interface type='bridge'><mac address='{mac}'/><source bridge='br1'/></interface>"

    def attach(self, xml):
        self.domain.attachDeviceFlags(xml, self.CONFIG)

    def detach(self, xml):
        self.domain.detachDeviceFlags(xml, self.CONFIG)

    def test_attach_a_disk_with_a_place_of_its_own(self):
        self.attach(self.DISK.format(dev='vdc'))
        self.restart_daemon()
        xml = self.connection.lookupByName('td').XMLDesc()
        disk = xml[xml.index('/new.img'):]
        self.assertRegex(disk[:disk.index('</disk>')], r"<target dev='vdc' bus='virtio'/>\s*<address type='pci'")
        self.domain = self.connection.lookupByName('td')
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'target vdc already exists', self.attach,
                          self.DISK.format(dev='vdc'))

    def test_detach_what_is_meant(self):
        self.detach(self.DISK.format(dev='vdb'))
        self.detach(self.INTERFACE.format(mac=MAC))
        self.detach("<channel type='unix'><target type='virtio' name='org.example.echo'/></channel>")
        xml = self.domain.XMLDesc()
        for gone in ("'vdb'", MAC, 'org.example.echo'):
            self.assertNotIn(gone, xml)
        for kept in ("'vda'", '52:54:00:01:02:04', 'org.example.pty'):
            self.assertIn(kept, xml)
        for code, text, device in (
                (libvirt.VIR_ERR_DEVICE_MISSING, 'no target device vdb', self.DISK.format(dev='vdb')),
                (libvirt.VIR_ERR_DEVICE_MISSING, f'no device matching MAC address {MAC} found', self.INTERFACE.format(mac=MAC)),
                (libvirt.VIR_ERR_DEVICE_MISSING, 'device not present', "<controller type='scsi' index='3'/>")):
            self.assert_error(code, text, self.detach, device)

    def test_detach_by_a_users_alias(self):
        self.attach(self.DISK.format(dev='vdc').replace('<target', "<alias name='ua-mine'/><target"))
        self.domain.detachDeviceAlias('ua-mine', self.CONFIG)
        self.assertNotIn('/new.img', self.domain.XMLDesc())
        self.assert_error(libvirt.VIR_ERR_DEVICE_MISSING, 'no device found with alias ua-mine', self.domain.detachDeviceAlias,
                          'ua-mine', self.CONFIG)

    def test_update_in_place(self):
        before = self.domain.XMLDesc()
        self.domain.updateDeviceFlags(self.DISK.format(dev='vda'), self.CONFIG)
        self.domain.updateDeviceFlags(self.INTERFACE.format(mac=MAC), self.CONFIG)
        after = self.domain.XMLDesc()
        self.assertIn('/new.img', after)
        self.assertIn("bridge='br1'", after)
        self.assertEqual(before.count('<address'), after.count('<address'))
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, "target vdq doesn't exist", self.domain.updateDeviceFlags,
                          self.DISK.format(dev='vdq'), self.CONFIG)
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "persistent update of device 'rng' is not supported",
                          self.domain.updateDeviceFlags, "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>",
                          self.CONFIG)

    def test_leave_what_runs_alone(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running', self.domain.attachDevice,
                          self.DISK.format(dev='vdc'))
        self.domain.create()
        disk, rng = self.DISK.format(dev='vdc'), "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>"
        for function, arguments in ((self.domain.attachDevice, (rng,)), (self.domain.detachDevice, (rng,)),
                                    (self.domain.updateDeviceFlags, (rng, self.LIVE)),
                                    (self.domain.attachDeviceFlags, (rng, self.LIVE | self.CONFIG))):
            self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'is not supported', function, *arguments)
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, "disk 'vdc' not found", self.domain.updateDeviceFlags, disk, self.LIVE)
        self.attach(disk)
        self.assertNotIn('/new.img', self.domain.XMLDesc())
        self.assertIn('/new.img', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def test_report_what_is_wrong(self):
        self.assert_error(libvirt.VIR_ERR_XML_DETAIL, '', self.attach, '<disk')
        self.assert_error(libvirt.VIR_ERR_XML_ERROR, '', self.attach, '<nonsense/>')
        self.assert_error(libvirt.VIR_ERR_INVALID_ARG, 'unsupported flags', self.domain.attachDeviceFlags,
                          self.DISK.format(dev='vdc'), 1 << 10)

    def test_serve_virsh(self):
        self.virsh('attach-disk', 'td', '/new.img', 'vdc', '--config')
        self.assertIn('/new.img', self.virsh('domblklist', 'td'))
        self.virsh('detach-disk', 'td', 'vdc', '--config')
        self.virsh('attach-interface', 'td', 'bridge', 'br3', '--mac', '52:54:00:0a:0b:0c', '--config')
        self.assertIn('br3', self.virsh('domiflist', 'td'))
        self.virsh('detach-interface', 'td', 'bridge', '--mac', '52:54:00:0a:0b:0c', '--config')
        self.assertNotIn('br3', self.virsh('domiflist', 'td'))


def stop_monitor(root):
    """Nothing more is heard of it."""
    pid = re.search(r"pid='(\d+)'", (root / 'run/libvirt/tdx/td.xml').read_text())[1]
    os.kill(int(pid), signal.SIGSTOP)


class AVsock(DaemonTest):
    def test_has_the_context_id_that_the_host_gave_it_while_it_runs(self):
        domain = self.define(xml=XML.replace('  </devices>', "<vsock><cid auto='yes'/></vsock></devices>"))
        domain.create()
        self.restart_daemon()
        domain = self.connection.lookupByName('td')
        self.assertIn("<cid auto='yes' address='7'/>", domain.XMLDesc())
        self.assertIn("<cid auto='yes'/>", domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


class Links(DeviceTest):
    """domif-setlink and domif-getlink."""
    LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG

    def told(self):
        return [(arguments['id'], arguments['up']) for arguments in self.monitor_told('link-set')]

    def link(self, *options):
        return self.virsh('domif-getlink', 'td', MAC, *options).split()[-1]

    def test_change_while_the_domain_runs(self):
        self.domain.create()
        self.assertEqual(self.link(), 'up')
        self.virsh('domif-setlink', 'td', 'vnet0', 'down')
        self.assertEqual((self.link(), self.link('--config')), ('down', 'up'))
        self.restart_daemon()
        self.assertEqual(self.link(), 'down')
        self.virsh('domif-setlink', 'td', MAC, 'up')
        self.assertEqual(self.link(), 'up')
        self.assertEqual(self.told(), [('net0', False), ('net0', True)])

    def test_change_with_the_definition(self):
        self.domain.create()
        xml = f"<interface type='bridge'><mac address='{MAC}'/><source bridge='br0'/><link state='down'/></interface>"
        self.domain.updateDeviceFlags(xml, self.LIVE | self.CONFIG)
        self.assertEqual((self.link(), self.link('--config'), self.told()), ('down', 'down', [('net0', False)]))

    def test_that_are_lost_are_down_for_good(self):
        self.domain.create()
        console = self.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self.domain.openConsole(None, console, 0)
        console.send(b'~')
        wait_until(lambda: self.link() == 'down', 'the loss')
        self.assertTrue(any("interface 'net0' is down" in message for message in self.domain.messages()))
        up = f"<interface type='bridge'><mac address='{MAC}'/><source bridge='br0'/><link state='up'/></interface>"
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'the link cannot go up', self.domain.updateDeviceFlags, up, self.LIVE)
        self.restart_daemon()
        self.assertEqual((self.link(), self.link('--config')), ('down', 'up'))

    def test_are_all_that_an_update_changes_of_what_runs(self):
        self.domain.create()
        interface = f"<interface type='bridge'><mac address='{MAC}'/><source bridge='{{}}'/>{{}}</interface>"
        for code, text, xml in (
                (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "unable to change config on 'bridge' network type", interface.format('br1', '')),
                (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, 'cannot modify MTU', interface.format('br0', "<mtu size='9000'/>")),
                (libvirt.VIR_ERR_DEVICE_MISSING, 'no device matching MAC address', interface.format('br0', '').replace(MAC, '52:54:00:01:02:0f'))):
            self.assert_error(code, text, self.domain.updateDeviceFlags, xml, self.LIVE)
        self.assertEqual(self.link(), 'up')


class Streams(DeviceTest):
    def setUp(self):
        super().setUp()
        self.domain.create()

    def read(self, stream, size):
        return read_stream(stream, size)

    def console(self, name, flags=0):
        stream = self.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self.domain.openConsole(name, stream, flags)
        return stream

    def channel(self, name, flags=0):
        stream = self.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self.domain.openChannel(name, stream, flags)
        return stream

    def test_to_a_virtio_console_go_by_its_alias(self):
        self.assertIn("<console type='pty' tty='/dev/pts/console1'>", self.domain.XMLDesc())
        stream = self.console('console1')
        self.assertEqual(self.read(stream, 18), b'this is console1\r\n')
        stream.send(b'hello')
        self.assertEqual(self.read(stream, 5), b'hello')
        self.assert_error(libvirt.VIR_ERR_OPERATION_FAILED, 'Active console session exists', self.console, 'console1')
        # The serial port is another console.
        self.assertEqual(self.read(self.console(None), 15), b'fake firmware\r\n')
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, "cannot find character device console9", self.console, 'console9')

    def test_to_a_channel_go_by_its_alias_or_name(self):
        for name in ('channel0', 'org.example.echo', None):
            stream = self.channel(name, libvirt.VIR_DOMAIN_CHANNEL_FORCE)
            stream.send(b'hello')
            self.assertEqual(self.read(stream, 5), b'hello')
        self.assert_error(libvirt.VIR_ERR_OPERATION_FAILED, 'Active channel stream exists', self.channel, 'channel0')
        stream.finish()
        self.channel('channel0').finish()
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'cannot find channel nothing', self.channel, 'nothing')
        self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, 'is not using a UNIX socket', self.channel, 'org.example.pty')

    def test_to_a_channel_end_when_another_takes_it(self):
        first = self.channel('channel0')
        second = self.channel('channel0', libvirt.VIR_DOMAIN_CHANNEL_FORCE)
        self.assertEqual(self.read(first, 1), b'')
        second.send(b'x')
        self.assertEqual(self.read(second, 1), b'x')


main()
