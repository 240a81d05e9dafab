# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-manager, as Debian ships it, against virttdxd: what it shows, and what its buttons, menus, console and wizard do.

Pictures of every step and virt-manager's log are left in the build directory, below tests/e2e/virt-manager-screens.
"""
import re
import unittest

import desktop
import harness
from libvirtd_beside import begin_libvirtd, skip_unless_possible

SCREENS = harness.BUILD / 'tests/e2e/virt-manager-screens'
IMAGE_SIZE = 8 << 20
DISK = """<disk type='file'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vda' bus='virtio'/></disk>
  </devices>"""
HARDWARE = ['Overview', 'OS information', 'Performance', 'CPUs', 'Memory', 'Boot Options', 'VirtIO Disk 1', 'Serial 1', 'Controller PCIe 0']
# What it asks of the daemons for networks, storage and devices of the host.
OF_OTHER_DAEMONS = {'virConnectNetworkEventRegisterAny', 'virConnectStoragePoolEventRegisterAny', 'virConnectNodeDeviceEventRegisterAny',
                    'virStoragePoolDefineXML'}
MISSING = desktop.missing('virt-manager')


@unittest.skipIf(MISSING, MISSING)
class VirtManager(harness.DaemonTest):
    desktop = None

    def setUp(self):
        super().setUp()
        if self.desktop is None:
            type(self).desktop = desktop.Desktop()
        self.screens = SCREENS / self.id().rsplit('.', 1)[1].removeprefix('test_')
        self.screens.mkdir(parents=True, exist_ok=True)
        for old in self.screens.iterdir():
            old.unlink()
        self.log = self.screens / 'virt-manager.log'
        self.pictures = 0
        self.image = self.daemon.root / 'disk.img'
        with open(self.image, 'wb') as file:
            file.truncate(IMAGE_SIZE)

    @classmethod
    def tearDownClass(cls):
        if cls.desktop is not None:
            cls.desktop.end()

    def begin(self):
        command = ['virt-manager', '--no-fork', '--debug', '--connect', self.daemon.uri]
        self.program = desktop.Program(self.desktop, 'virt-manager', command, self.log)
        self.addCleanup(self.program.end)
        self.addCleanup(self.save_picture, 'end')

    def save_picture(self, name):
        self.pictures += 1
        self.desktop.save_picture(self.screens / f'{self.pictures:02}-{name}.png')

    def see(self, name):
        """A picture, on which nothing complains."""
        self.save_picture(name)
        alerts = self.program.shown('alert')
        self.assertEqual([self.program.name_of(label) for alert in alerts for label in self.program.shown('label', '.*', alert)], [])

    def wait_for_state(self, state, name='td'):
        """In the list of all domains."""
        self.program.find('table cell', f'{name}\n{state}')

    def open_domain(self):
        self.program.select('table cell', 'td\n.*')
        self.program.press('push button', 'Open')
        return self.program.find('frame', 'td on tdx')

    def confirm(self, picture, question):
        alert = self.program.find('alert')
        self.save_picture(picture)
        self.assertIn(question, map(self.program.name_of, self.program.shown('label', '.+', alert)))
        self.program.click('push button', 'Yes', alert)
        self.program.wait_until_gone('alert')

    def expect_on_console(self, window, pattern):
        terminal = self.program.find('terminal', 'Serial Terminal', window)
        harness.wait_until(lambda: re.search(pattern, self.program.text(terminal)), f'{pattern!r} on the console')

    def force_off(self, window, name='td'):
        self.program.click('toggle button', 'Menu', window)
        self.program.click('menu item', 'Force Off')
        self.confirm('force-off', f"Are you sure you want to force poweroff '{name}'?")
        self.wait_for_state('Shutoff', name)
        self.assertEqual(self.daemon.virsh('domstate', name, '--reason').strip(), 'shut off (destroyed)')

    def check_log(self):
        """Nothing that it asks about domains is unknown to the daemon."""
        unknown = set(re.findall(r'not supported by the connection driver: (\w+)', self.log.read_text()))
        self.assertLessEqual(unknown, OF_OTHER_DAEMONS)

    def test_shows_and_runs_a_td(self):
        self.daemon.define(harness.td_xml(text={'  </devices>': DISK.format(self.image)}))
        self.begin()
        self.wait_for_state('Shutoff')
        self.see('list')
        window = self.open_domain()
        self.see('not-running')
        self.check_hardware(window)
        self.check_console(window)
        self.check_pause(window)
        self.force_off(window)
        self.program.find('label', 'Guest is not running\\.', window)
        self.see('off')
        self.check_edit(window)
        self.check_events()
        self.check_log()

    def check_hardware(self, window):
        self.program.press('radio button', 'Details', window)
        cells = self.program.shown('table cell', '.+', self.program.find('table', 'hw-list', window))
        self.assertEqual(list(map(self.program.name_of, cells)), HARDWARE)
        # A label may have another name than it shows.
        shown = {'Overview': f'UEFI x86_64: {harness.FIRMWARE}', 'VirtIO Disk 1': str(self.image), 'Serial 1': 'pty'}
        for name in HARDWARE:
            self.program.select('table cell', name, window)
            if name in shown:
                harness.wait_until(lambda: shown[name] in map(self.program.text, self.program.shown('label', '.*', window)), f'{name} to show')
            self.see(name.lower().replace(' ', '-'))

    def check_edit(self, window):
        self.program.press('radio button', 'Details', window)
        self.program.select('table cell', 'CPUs', window)
        self.program.set_number(2, 'spin button', 'Virtual CPU Select', window)
        self.program.click('push button', 'config-apply', window)
        harness.wait_until(lambda: self.daemon.virsh('vcpucount', 'td', '--maximum', '--config').strip() == '2', 'the second vCPU')
        self.see('edited')

    def check_console(self, window):
        self.program.press('radio button', 'Console', window)
        self.program.press('push button', 'Run', window)
        self.wait_for_state('Running')
        self.expect_on_console(window, 'Shell> ')
        self.see('shell')
        self.program.click('terminal', 'Serial Terminal', window)
        self.program.type_line('ver')
        self.expect_on_console(window, r'Shell> ver\n(.+\n)+Shell>')
        self.see('typed')

    def check_pause(self, window):
        for state, said in (('Paused', 'paused (user)'), ('Running', 'running (unpaused)')):
            self.program.press('toggle button', 'Pause', window)
            self.wait_for_state(state)
            self.assertEqual(self.daemon.virsh('domstate', 'td', '--reason').strip(), said)
            self.see(state.lower())

    def check_events(self):
        """What others do is seen."""
        self.daemon.virsh('start', 'td', '--paused')
        self.wait_for_state('Paused')
        self.daemon.virsh('destroy', 'td')
        self.wait_for_state('Shutoff')
        self.daemon.virsh('undefine', 'td')
        self.program.wait_until_gone('table cell', 'td\n.*')
        self.see('undefined')

    def test_makes_a_td_from_an_image(self):
        skip_unless_possible()
        begin_libvirtd(self)
        harness.wait_until(lambda: 'Storage pool not found' in self.daemon.try_virsh('pool-info', 'none')[2], 'libvirtd')
        self.begin()
        self.program.press('push button', 'New')
        wizard = self.program.find('frame', 'New VM')
        self.see('how')
        self.program.press('radio button', 'Import existing disk image', wizard)
        self.choose_image(wizard)
        self.go_on(wizard, 'Step 3 of 4')
        self.see('memory')
        self.go_on(wizard, 'Step 4 of 4')
        window = self.finish(wizard)
        self.wait_for_state('Running', 'made')
        self.expect_on_console(window, 'Shell> ')
        self.see('shell')
        self.force_off(window, 'made')
        self.check_definition()
        self.check_log()

    def go_on(self, wizard, page):
        self.program.click('push button', 'Forward', wizard)
        number = self.program.find('label', 'pagenum-label', wizard)
        harness.wait_until(lambda: self.program.text(number) == page, page)

    def choose_image(self, wizard):
        self.go_on(wizard, 'Step 2 of 4')
        self.program.write(self.program.find('text', 'import-entry', wizard), str(self.image))
        self.program.write(self.program.find('text', 'oslist-entry', wizard), 'generic')
        unknown = 'table cell', r'.*\(generic\)'
        self.program.select(*unknown)
        self.see('system')
        self.program.press(*unknown, action='activate')
        self.program.wait_until_gone('panel', 'oslist-popover')
        self.see('image')

    def finish(self, wizard):
        """Without the interface, for which it asks: bridges and networks are the host's."""
        name, bridge = self.program.shown('text', '.*', wizard)
        self.program.write(name, 'made')
        self.program.write(bridge, 'virttdxnone0')
        self.program.press('check box', 'Customize.*', wizard)
        self.see('summary')
        self.program.click('push button', 'Finish', wizard)
        window = self.program.find('frame', 'made on tdx')
        self.see('customize')
        self.program.select('table cell', 'NIC.*', window)
        self.program.click('push button', 'config-remove', window)
        self.confirm('remove-interface', 'Are you sure you want to remove this device?')
        self.program.wait_until_gone('table cell', 'NIC.*', window)
        self.program.click('push button', 'Begin Installation', window)
        self.program.wait_until_gone('push button', 'Begin Installation')
        return self.program.find('frame', 'made on tdx')

    def check_definition(self):
        xml = self.daemon.virsh('dumpxml', '--inactive', 'made')
        for part in ("<launchSecurity type='tdx'>", "<os firmware='efi'>", f"<source file='{self.image}'/>", "bus='virtio'"):
            self.assertIn(part, xml)


if __name__ == '__main__':
    harness.main()
