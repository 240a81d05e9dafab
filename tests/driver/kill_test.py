#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""virttdxd killed in the middle: before each system call of an operation that changes a file, makes a process or tells
somebody, as strace counts them. The next daemon finds nothing lost, doubled or half there.

Usage: kill_test.py VIRTTDXD SOURCE_ROOT [TEST...]
"""
import collections
import pathlib
import re
import subprocess
import threading
import unittest

from daemon_case import XML, DaemonTest, libvirt, main, wait_until

POINTS = ('rename', 'renameat2', 'unlink', 'unlinkat', 'rmdir', 'symlink', 'symlinkat', 'mkdir', 'mkdirat', 'fsync', 'fdatasync',
          'clone', 'clone3', 'fork', 'vfork', 'connect', 'kill', 'sendto', 'sendmsg')
OLD, NEW = (XML.replace('</name>', f'</name><title>{title}</title>') for title in ('old', 'new'))


def can_trace():
    try:
        return subprocess.run(['strace', '-qq', '-e', 'trace=none', 'true'], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class Tracer:
    """strace at threads of the daemon; not at the monitors that it makes."""

    def __init__(self, test, threads, *options):
        self.output = test.root / 'trace'
        self.process = subprocess.Popen(['strace', '-o', self.output, *options, *(f'--attach={thread}' for thread in threads)],
                                        stderr=subprocess.PIPE, text=True)
        for _ in threads:
            line = self.process.stderr.readline()
            assert 'attached' in line, line
        # What else it says must not fill the pipe.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def end(self):
        self.process.terminate()
        self.process.wait()

    def calls(self):
        return collections.Counter(re.findall(r'^(?:\d+ +)?(\w+)\(', self.output.read_text(), re.MULTILINE))


@unittest.skipUnless(can_trace(), 'strace may trace nothing here')
class KilledDaemon(DaemonTest):
    def try_each_point(self, prepare, operate, check):
        """Kills the daemon at one point of `operate` after another."""
        points = 0
        for threads in (self.main_thread, self.storing_threads):
            for call, count in self.points_of(threads, prepare, operate).items():
                for number in range(1, count + 1):
                    try:
                        prepare()
                        self.kill_at(threads, call, number, operate)
                        check()
                        self.clear()
                        points += 1
                    except Exception as error:
                        error.add_note(f'killed before {call} number {number} of {threads.__name__}')
                        raise
        self.assertTrue(points)

    def main_thread(self):
        return [self.daemon.pid]

    def storing_threads(self):
        """There is one at least, that waits for work: the daemon makes them when there is work for them."""
        self.connection.defineXML(XML.replace('<name>td<', '<name>other<')).undefine()
        threads = [int(entry.name) for entry in pathlib.Path(f'/proc/{self.daemon.pid}/task').iterdir()]
        return [thread for thread in threads if thread != self.daemon.pid]

    def points_of(self, threads, prepare, operate):
        """The calls of `operate` in these threads, and how many of each."""
        prepare()
        tracer = Tracer(self, threads(), '-e', 'trace=' + ','.join(POINTS))
        operate()
        tracer.end()
        self.clear()
        return tracer.calls()

    def kill_at(self, threads, call, number, operate):
        # strace counts the calls of each thread for itself; one thread does all of one piece of work.
        tracer = Tracer(self, threads(), '-e', f'trace={call}', '-e', f'inject={call}:signal=KILL:when={number}')
        try:
            operate()
        except libvirt.libvirtError:
            pass
        # It lives where a timer's calls were among those counted.
        tracer.end()
        self.restart_daemon()

    def clear(self):
        for domain in self.connection.listAllDomains():
            persistent = domain.isPersistent()
            if domain.isActive():
                domain.destroy()
            if persistent:
                domain.undefine()
        self.assert_no_litter()

    def monitors(self):
        found = []
        for entry in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
            try:
                words = entry.read_bytes().decode().split('\0')
            except OSError:
                continue
            if str(self.root) in ' '.join(words) and any(word.endswith('fake_monitor.py') for word in words):
                found.append(int(entry.parent.name))
        return found

    def assert_no_litter(self):
        domains = self.connection.listAllDomains()
        active = {domain.name() for domain in domains if domain.isActive()}
        kept = [domain for domain in domains if domain.isPersistent()]
        definitions = self.root / 'etc/libvirt/tdx'
        self.assertEqual({path.name for path in definitions.glob('*') if path.is_file()}, {domain.name() + '.xml' for domain in kept})
        self.assertEqual({path.name for path in definitions.glob('autostart/*')},
                         {domain.name() + '.xml' for domain in kept if domain.autostart()})
        wait_until(lambda: len(self.monitors()) == len(active), f'as many monitors as there are in {active}')
        run = {path.stem for path in (self.root / 'run/libvirt/tdx').glob('td*')}
        self.assertLessEqual(run, active)

    def titles(self):
        """Of the definitions there are, once what was under way is over."""
        domains = self.connection.listAllDomains()
        for domain in domains:
            wait_until(lambda: domain.state()[0] in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_SHUTOFF), domain.name())
        return [re.search('<title>(.*)</title>', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))[1] for domain in domains]

    def assert_titles(self, *possible):
        self.assertIn(self.titles(), possible)
        self.assert_no_litter()

    def td(self):
        return self.connection.lookupByName('td')

    def define_old(self):
        self.connection.defineXML(OLD)

    def define_new(self):
        self.connection.defineXML(NEW)

    def start_old(self):
        self.define_old()
        self.td().create()


class Killed(KilledDaemon):
    def test_in_define_has_the_domain_or_not(self):
        self.try_each_point(lambda: None, self.define_new, lambda: self.assert_titles([], ['new']))

    def test_in_redefine_has_one_of_both(self):
        self.try_each_point(self.define_old, self.define_new, lambda: self.assert_titles(['old'], ['new']))

    def test_in_undefine_has_the_domain_or_not(self):
        self.try_each_point(self.define_old, lambda: self.td().undefine(), lambda: self.assert_titles([], ['old']))

    def test_in_autostart_has_the_link_or_not(self):
        self.try_each_point(self.define_old, lambda: self.td().setAutostart(True), lambda: self.assert_titles(['old']))

    def test_in_start_runs_it_or_not(self):
        self.try_each_point(self.define_old, lambda: self.td().create(), lambda: self.assert_titles(['old']))

    def test_in_a_transient_start_has_all_or_nothing(self):
        self.try_each_point(lambda: None, lambda: self.connection.createXML(NEW), lambda: self.assert_titles([], ['new']))

    def test_in_destroy_runs_it_or_not(self):
        self.try_each_point(self.start_old, lambda: self.td().destroy(), lambda: self.assert_titles(['old']))


main()
