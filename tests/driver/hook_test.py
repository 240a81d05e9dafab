#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hook scripts (/etc/libvirt/hooks/tdx), called as libvirt's daemons call theirs, with a fake monitor.

Usage: hook_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import signal
import subprocess
import threading

from daemon_case import DAEMON, XML, DaemonTest, libvirt, main, wait_until

RECORD = """#!/bin/sh
echo "$@" >> {root}/calls
cat > {root}/input-$2
test ! -e {root}/fail-$2 || {{ echo "no $2 today" >&2; exit 3; }}
test ! -e {root}/hang-$2 || exec sleep 1000
"""
START = ['td prepare begin -', 'td start begin -', 'td started begin -']


class HookTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.write_hook('tdx', RECORD.format(root=self.root))
        self.domain = self.define()

    def write_hook(self, name, text):
        path = self.root / 'etc/libvirt/hooks' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def calls(self):
        path = self.root / 'calls'
        return path.read_text().splitlines() if path.exists() else []

    def tell(self, what):
        (self.root / what).touch()


class Hooks(HookTest):
    def test_are_called_from_start_to_end(self):
        self.domain.create()
        self.assertEqual(self.calls(), START)
        self.domain.destroy()
        self.assertEqual(self.calls(), START + ['td stopped end -', 'td release end destroyed'])

    def test_are_told_no_secrets(self):
        xml = XML.replace('  </devices>', "<graphics type='vnc' autoport='yes' passwd='open-sesame'/></devices>")
        self.domain = self.define(xml=xml)
        self.assertIn('open-sesame', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))
        self.domain.create()
        self.domain.destroy()
        for operation in ('prepare', 'start', 'started', 'stopped', 'release'):
            document = (self.root / f'input-{operation}').read_text()
            self.assertIn('<name>td</name>', document)
            self.assertNotIn('open-sesame', document)

    def test_are_told_why_a_domain_ended(self):
        self.domain.create()
        self.domain.shutdown()
        wait_until(lambda: self.domain.isActive() == 0, 'the end')
        self.assertEqual(self.calls()[-1], 'td release end shutdown')

    def test_hear_of_the_start_of_a_guest_that_was_faster(self):
        self.restart_daemon(VIRTTDX_FAKE_LAUNCH='poweroff')
        self.connection.lookupByName('td').create()
        wait_until(lambda: 'td release end shutdown' in self.calls(), 'the end')
        self.assertEqual(self.calls(), START + ['td stopped end -', 'td release end shutdown'])

    def test_read_the_domain(self):
        self.domain.create()
        for operation in ('prepare', 'start', 'started'):
            text = (self.root / f'input-{operation}').read_text()
            self.assertTrue(text.startswith("<domain type='kvm' id='1'>"), text[:80])
            self.assertIn('<name>td</name>', text)

    def test_run_in_the_order_of_their_names(self):
        for name in ('20-second', '10-first'):
            self.write_hook(f'tdx.d/{name}', f'#!/bin/sh\necho {name} $2 >> {self.root}/calls\n')
        self.write_hook('tdx.d/30-not-executable', '#!/bin/sh\nexit 1\n')
        (self.root / 'etc/libvirt/hooks/tdx.d/30-not-executable').chmod(0o644)
        self.domain.create()
        self.assertEqual(self.calls()[:3], ['td prepare begin -', '10-first prepare', '20-second prepare'])

    def test_keep_a_domain_from_starting(self):
        for number, operation in enumerate(('prepare', 'start', 'started')):
            self.tell(f'fail-{operation}')
            self.assert_error(libvirt.VIR_ERR_INTERNAL_ERROR, f'unexpected exit status 3: no {operation} today', self.domain.create)
            self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED])
            self.assertEqual(self.calls(), START[:number + 1] + ['td stopped end -', 'td release end failed'])
            (self.root / f'fail-{operation}').unlink()
            (self.root / 'calls').unlink()
        self.domain.create()

    def test_that_hang_block_nobody_and_are_ended_by_destroy(self):
        self.tell('hang-prepare')
        failed = []

        def start():
            try:
                self.connect().lookupByName('td').create()
            except libvirt.libvirtError as error:
                failed.append(error)
        starting = threading.Thread(target=start, daemon=True)
        starting.start()
        wait_until(lambda: self.calls() != [], 'the hook')
        self.assertEqual(self.domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP])
        self.define('other')
        self.domain.destroy()
        starting.join(60)
        self.assertEqual(len(failed), 1)
        self.assertEqual(self.domain.isActive(), 0)

    def test_cannot_undo_an_end(self):
        self.domain.create()
        self.tell('fail-stopped')
        self.domain.destroy()
        self.assertEqual(self.calls()[-1], 'td release end destroyed')
        self.assertEqual(self.domain.isActive(), 0)

    def test_hear_of_a_daemon_that_comes_back(self):
        self.domain.create()
        self.restart_daemon()
        wait_until(lambda: self.calls()[-1] == 'td reconnect begin -', 'the hook')
        self.assertEqual(self.connection.lookupByName('td').isActive(), 1)
        self.tell('fail-reconnect')
        self.restart_daemon()
        wait_until(lambda: self.connection.lookupByName('td').isActive() == 0, 'the end')


class HooksOfTheDaemon(HookTest):
    def setUp(self):
        super().setUp()
        self.write_hook('daemon', RECORD.format(root=self.root))

    def end_daemon(self):
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(), 0)
        self.log_path.write_text('')

    def test_are_told_of_its_start_reload_and_end(self):
        self.end_daemon()
        self.start_daemon()
        self.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: len(self.calls()) == 3, f'the hooks, have {self.calls()}')
        self.assertEqual(self.calls(), ['- shutdown - shutdown', '- start - start', '- reload begin SIGHUP'])

    def test_do_not_keep_it_from_starting(self):
        self.tell('fail-start')
        self.restart_daemon()
        self.assertIn("daemon - start - start': unexpected exit status 3: no start today", self.log_path.read_text())
        self.assertEqual(self.connection.numOfDefinedDomains(), 1)

    def test_that_hang_end_with_it(self):
        self.end_daemon()
        self.tell('hang-start')
        with open(self.log_path, 'ab') as log:
            self.daemon = subprocess.Popen([DAEMON, '--host', 'soft', '--root', self.root], stderr=log, stdout=log)
        wait_until((self.root / 'input-start').exists, 'the hook')
        self.end_daemon()
        self.start_daemon_again()

    def start_daemon_again(self):
        (self.root / 'hang-start').unlink()
        self.start_daemon()
        self.assertEqual(self.connect().numOfDefinedDomains(), 1)


class Reloading(HookTest):
    def reload(self):
        self.daemon.send_signal(signal.SIGHUP)

    def test_reads_definitions_that_are_new_or_changed(self):
        self.record_events()
        folder = self.root / 'etc/libvirt/tdx'
        text = (folder / 'td.xml').read_text()
        new = text.replace('<name>td</name>', '<name>copy</name>').replace(self.domain.UUIDString(), '01234567-89ab-cdef-0123-456789abcdef')
        (folder / 'copy.xml').write_text(new)
        (folder / 'td.xml').write_text(text.replace('<name>td</name>', '<name>td</name><title>by hand</title>'))
        (folder / 'bad.xml').write_text('<domain>')
        self.domain.create()
        wait_until(lambda: len(self.events) == 2, 'the start')
        self.events.clear()
        self.reload()
        self.expect_events((libvirt.VIR_DOMAIN_EVENT_DEFINED, libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED, -1))
        self.assertEqual(self.connection.lookupByName('copy').UUIDString(), '01234567-89ab-cdef-0123-456789abcdef')
        self.assertIn('by hand', self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        self.assertNotIn('by hand', self.domain.XMLDesc())
        self.assertTrue(self.domain.isActive())

    def test_keeps_domains_whose_file_has_gone(self):
        (self.root / 'etc/libvirt/tdx/td.xml').unlink()
        self.reload()
        wait_until(lambda: 'reloading' in self.log_path.read_text(), 'the signal')
        self.assertEqual(self.connection.lookupByName('td').isPersistent(), 1)


main()
