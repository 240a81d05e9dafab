#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One job a domain: what waits for what, and for how long, with a fake monitor.

Usage: job_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import os
import re
import signal
import threading

from daemon_case import XML, DaemonTest, libvirt, main, wait_until

FULL_CHECK = XML.replace("<cpu mode='host-passthrough'/>", "<cpu mode='host-passthrough' check='full'/>")


class Call(threading.Thread):
    """A call on a connection of its own, whose error is kept."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.function, self.arguments, self.error = function, arguments, None
        self.start()

    def run(self):
        try:
            self.function(*self.arguments)
        except libvirt.libvirtError as error:
            self.error = error

    def wait(self):
        self.join(60)
        assert not self.is_alive()
        return self.error


class JobTest(DaemonTest):
    def lookup(self, name='td'):
        """The domain on a new connection: a client's calls on one connection may wait for each other."""
        return self.connect().lookupByName(name)

    def monitor_pid(self):
        return int(re.search(r"pid='(\d+)'", (self.root / 'run/libvirt/tdx/td.xml').read_text())[1])


class LongStart(JobTest):
    def setUp(self):
        super().setUp()
        self.restart_daemon(VIRTTDX_FAKE_LAUNCH='hang')
        self.define()
        self.starting = Call(self.lookup().create)
        self.domain = self.lookup()
        wait_until(lambda: self.domain.isActive() == 1, 'the start')

    def test_keeps_no_question_waiting(self):
        self.assertEqual(self.domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        self.assertEqual(self.domain.info()[3], 1)
        self.assertIn('<name>td</name>', self.domain.XMLDesc())
        self.assertEqual(len(self.domain.connect().getAllDomainStats(0)), 1)
        self.define('other')
        self.domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'new', None, None)

    def test_is_waited_for_by_changes_and_ended_by_destroy(self):
        changes = [Call(self.lookup().suspend), Call(self.lookup().create), Call(self.lookup().shutdown)]
        for change in changes:
            change.join(0.2)
            self.assertTrue(change.is_alive())
        self.domain.destroy()
        self.assertIsNotNone(self.starting.wait())
        # Whoever waited learns what there is now: a start that hangs as the first one did, or no domain that runs.
        wait_until(lambda: not changes[0].is_alive() or self.domain.isActive(), 'the next job')
        while any(change.is_alive() for change in changes):
            if self.domain.isActive():
                try:
                    self.domain.destroy()
                except libvirt.libvirtError:
                    pass
        for change in (changes[0], changes[2]):
            self.assertEqual(change.wait().get_error_code(), libvirt.VIR_ERR_OPERATION_INVALID)


    def test_leaves_nothing_to_start_when_it_was_undefined_meanwhile(self):
        second = Call(self.lookup().create)
        second.join(0.2)
        self.domain.undefine()
        self.domain.destroy()
        self.assertIsNotNone(self.starting.wait())
        self.assertEqual(second.wait().get_error_code(), libvirt.VIR_ERR_NO_DOMAIN)
        self.assertEqual(self.connect().listAllDomains(), [])

    def test_is_not_waited_for_by_another_run_of_the_same_domain(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_INVALID, "domain 'td' is already active", self.connection.createXML, self.domain.XMLDesc())


class StuckMonitor(JobTest):
    def setUp(self):
        super().setUp()
        (self.root / 'etc/libvirt/virttdxd.conf').write_text('monitor_timeout = 1\n')
        self.restart_daemon()
        self.domain = self.define()
        self.domain.create()
        self.pid = self.monitor_pid()
        os.kill(self.pid, signal.SIGSTOP)

    def test_holds_the_job_until_it_answers(self):
        self.assert_error(libvirt.VIR_ERR_OPERATION_TIMEOUT, 'held by monitor=pause', self.domain.suspend)
        self.assert_error(libvirt.VIR_ERR_OPERATION_TIMEOUT, 'held by monitor=remoteDispatchDomainSuspend', self.domain.reset)
        self.assertEqual(self.domain.controlInfo()[0], libvirt.VIR_DOMAIN_CONTROL_OCCUPIED)
        os.kill(self.pid, signal.SIGCONT)
        wait_until(lambda: self.domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED, 'the late pause')
        wait_until(lambda: self.domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OK, 'the monitor')
        self.domain.resume()
        self.assertEqual(self.domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)

    def test_changes_no_definition_that_went_meanwhile(self):
        both = libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG
        changing = Call(self.lookup().setLifecycleAction, libvirt.VIR_DOMAIN_LIFECYCLE_REBOOT, libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY, both)
        wait_until(lambda: self.domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OCCUPIED, 'the question')
        self.domain.undefine()
        os.kill(self.pid, signal.SIGCONT)
        self.assertIn('transient domains do not have any persistent config', str(changing.wait()))
        self.assertEqual(self.domain.isPersistent(), 0)

    def test_keeps_no_other_domain_waiting(self):
        stuck = Call(self.lookup().suspend)
        other = self.define('other')
        other.create()
        other.suspend()
        self.assertEqual(other.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        stuck.wait()

    def test_is_killed_by_destroy(self):
        waiting = Call(self.lookup().suspend)
        wait_until(lambda: self.domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_OCCUPIED, 'the question')
        self.domain.destroy()
        self.assertIsNotNone(waiting.wait())
        self.assertEqual(self.domain.isActive(), 0)


class DaemonKilledInAHeldStart(JobTest):
    def begin(self, cpuid, flags=0):
        self.restart_daemon(VIRTTDX_FAKE_CPUID=cpuid)
        self.define(xml=FULL_CHECK)
        Call(self.lookup().createWithFlags, flags)
        wait_until((self.root / 'run/libvirt/tdx/td.json.asked').exists, 'the question for the CPU')
        self.restart_daemon()
        return self.connection.lookupByName('td')

    def test_lets_the_next_one_resume_it(self):
        domain = self.begin('hang-once')
        wait_until(lambda: domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED], 'the guest')

    def test_lets_the_next_one_leave_it_paused_when_that_was_asked_for(self):
        domain = self.begin('hang-once', libvirt.VIR_DOMAIN_START_PAUSED)
        wait_until(lambda: domain.state() == [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER], 'the guest')

    def test_lets_the_next_one_end_it_for_its_cpu(self):
        domain = self.begin('hang-once-other')
        wait_until(lambda: domain.isActive() == 0, 'the end')
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_FAILED])


main()
