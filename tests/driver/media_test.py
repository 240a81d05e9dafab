#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Media of CD-ROM drives that change while the domain runs, with a fake monitor.

Usage: media_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import threading

from daemon_case import XML, DaemonTest, libvirt, main, wait_until

DRIVE = """<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{source}<target dev='sda' bus='sata'/>
<serial>{serial}</serial></disk>"""
FIRST = "<source file='/one.iso'/>"
LIVE, CONFIG, FORCE = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE
ALIAS = 'scsi0-0-0-0'


class Media(DaemonTest):
    serial = 'free'

    def setUp(self):
        super().setUp()
        self.moves = []
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
                                               lambda *arguments: self.moves.append(arguments[2:4]), None)
        self.domain = self.define(xml=XML.replace('  </devices>', self.drive() + '</devices>'))
        self.domain.create()

    def drive(self, source=FIRST):
        return DRIVE.format(source=source, serial=self.serial)

    def update(self, source, flags=LIVE):
        self.domain.updateDeviceFlags(self.drive(source), flags)

    def paths(self):
        """What the monitor was offered."""
        return [arguments['disk'].get('source', {}).get('path') for arguments in self.monitor_told('medium-offer')]

    def start_update(self, function, *arguments):
        """That the guest is asked for."""
        domain = self.connect().lookupByName('td')
        update = threading.Thread(target=function, args=(*arguments, domain.updateDeviceFlags, self.drive("<source file='/two.iso'/>"), LIVE))
        update.start()
        wait_until(lambda: self.monitor_told('tray-open'), 'the request')
        return update


class OfAFreeDrive(Media):
    def test_change_with_their_events(self):
        self.update("<source file='/two.iso'/>")
        self.assertIn("<source file='/two.iso' index='", self.domain.XMLDesc())
        self.assertIn('/one.iso', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        wait_until(lambda: len(self.moves) == 2, 'the events')
        self.assertEqual(self.moves, [(ALIAS, libvirt.VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN), (ALIAS, libvirt.VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE)])
        self.assertEqual(self.monitor_told('tray-open'), [{'id': ALIAS, 'force': False}])
        self.restart_daemon()
        self.assertIn('/two.iso', self.connection.lookupByName('td').XMLDesc())

    def test_change_in_the_definition_too(self):
        self.update("<source file='/two.iso'/>", LIVE | CONFIG)
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            self.assertIn('/two.iso', self.domain.XMLDesc(flags))

    def test_are_taken_out_and_laid_in_by_virsh(self):
        self.virsh('change-media', 'td', 'sda', '--eject', '--live')
        self.assertNotIn('.iso', self.domain.XMLDesc())
        self.virsh('change-media', 'td', 'sda', '/two.iso', '--insert', '--live')
        self.virsh('change-media', 'td', 'sda', '/three.iso', '--update', '--live', '--force')
        self.assertEqual(self.paths(), [None, '/two.iso', '/three.iso'])
        self.assertEqual([arguments['force'] for arguments in self.monitor_told('tray-open')], [False, False, True])

    def test_come_by_an_attach(self):
        self.domain.attachDeviceFlags(self.drive("<source file='/two.iso'/>"), LIVE)
        self.assertEqual(self.paths(), ['/two.iso'])
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, 'target sda already exists', self.domain.attachDeviceFlags,
                          self.drive("<source file='/three.iso'/>"), LIVE | CONFIG)
        self.assertEqual(self.paths(), ['/two.iso'])

    def test_that_are_there_stay(self):
        self.update(FIRST)
        self.assertEqual(self.monitor_told('tray-open'), [])

    def test_that_cannot_be_opened_leave_the_old_one(self):
        self.assert_error(libvirt.VIR_ERR_SYSTEM_ERROR, "cannot open '/absent.img'", self.update, "<source file='/absent.img'/>")
        self.assertIn('/one.iso', self.domain.XMLDesc())
        self.assertEqual(self.monitor_told('tray-open'), [])

    def test_are_all_that_changes(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify field 'serial' of the disk", self.domain.updateDeviceFlags,
                          DRIVE.format(source='', serial='other'), LIVE)
        self.assertEqual(self.monitor_told('tray-open'), [])


class OfALockedDrive(Media):
    serial = 'locked'

    def test_stay_when_the_guest_does_not_open_it(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_FAILED, "timed out waiting to open tray of 'sda'", self.update, '')
        self.assertEqual((self.moves, self.monitor_told('medium-change')), ([], []))
        self.assertEqual(self.paths(), [None, None], 'what was offered is taken back')
        self.assertIn('/one.iso', self.domain.XMLDesc())

    def test_change_when_the_guest_opens_it(self):
        update = self.start_update(lambda call, *arguments: call(*arguments))
        console = self.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        self.domain.openConsole(None, console, 0)
        console.send(b'_')
        update.join()
        self.assertEqual(self.paths(), ['/two.iso'])

    def test_change_by_force(self):
        self.update("<source file='/two.iso'/>", LIVE | FORCE)
        self.assertEqual(self.paths(), ['/two.iso'])

    def test_end_with_the_domain(self):
        update = self.start_update(self.assert_error, libvirt.VIR_ERR_OPERATION_INVALID, 'domain is not running')
        self.domain.destroy()
        update.join()


if __name__ == '__main__':
    main()
