# SPDX-License-Identifier: GPL-2.0-or-later
"""What `meson install` places: the list of files, the units, man pages, completion, and virttdxd.conf.

Usage: install_test.py SOURCE_ROOT BUILD_ROOT. ACCEPT=1 rewrites the list.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = (pathlib.Path(argument) for argument in sys.argv[1:3])
LIST = SOURCE / 'tests/data/install/files.txt'


def build_options():
    text = subprocess.run(['meson', 'introspect', '--buildoptions', BUILD], capture_output=True, text=True, check=True).stdout
    return {option['name']: option['value'] for option in json.loads(text)}


OPTIONS = build_options()
PREFIX = pathlib.Path(OPTIONS['prefix'])


def placed_name(path, mode):
    """With the directories that a build chooses by name: sysconfdir is not always below the prefix."""
    for name in ('sysconfdir', 'sbindir', 'bindir', 'libexecdir', 'mandir', 'datadir'):
        directory = PREFIX / OPTIONS[name]
        if path.is_relative_to(directory):
            return f'{mode:04o} {name}/{path.relative_to(directory)}'
    return f'{mode:04o} prefix/{path.relative_to(PREFIX)}'


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix='virttdx-install-'))
        cls.addClassCleanup(shutil.rmtree, cls.root, True)
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', cls.root], check=True,
                       stdout=subprocess.DEVNULL)

    def place(self, option, *names):
        return self.root.joinpath((PREFIX / OPTIONS[option]).relative_to('/'), *names)

    def unit(self, name):
        return self.root / PREFIX.relative_to('/') / 'lib/systemd/system' / name

    def test_files_are_those_of_the_list(self):
        files = sorted(placed_name(pathlib.Path('/') / path.relative_to(self.root), path.stat().st_mode & 0o7777)
                       for path in self.root.rglob('*') if path.is_file())
        text = '\n'.join(files) + '\n'
        if os.environ.get('ACCEPT'):
            LIST.write_text(text)
            self.skipTest(f'{LIST} rewritten')
        self.assertEqual(text, LIST.read_text())

    @unittest.skipIf(shutil.which('systemd-analyze') is None, 'systemd-analyze is not installed')
    def test_systemd_finds_nothing_wrong_with_the_units(self):
        units = self.root / 'units'
        shutil.copytree(self.unit(''), units)
        service = units / 'virttdxd.service'
        program = PREFIX / OPTIONS['sbindir'] / 'virttdxd'
        text = service.read_text()
        self.assertIn(f'ExecStart={program} ', text)
        # Nothing is installed where the unit says.
        service.write_text(text.replace(str(program), str(self.place('sbindir', 'virttdxd'))))
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', *sorted(units.iterdir())], capture_output=True, text=True,
                              env={**os.environ, 'SYSTEMD_UNIT_PATH': f'{units}:', 'SYSTEMD_LOG_LEVEL': 'warning'})
        own = [line for line in done.stderr.splitlines() if 'virttdxd' in line]
        self.assertEqual(own, [])
        self.assertEqual(done.returncode, 0, done.stderr)

    @unittest.skipIf(shutil.which('apparmor_parser', path='/usr/sbin:/sbin:/usr/bin') is None, 'apparmor_parser is not installed')
    def test_apparmor_takes_the_profiles(self):
        environment = {**os.environ, 'PATH': '/usr/sbin:/sbin:/usr/bin:/bin'}
        for profile in sorted((SOURCE / 'driver/install/apparmor').iterdir()):
            done = subprocess.run(['apparmor_parser', '--skip-kernel-load', '--skip-cache', profile], capture_output=True, text=True,
                                  env=environment)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_sockets_are_where_clients_look(self):
        for unit, path in [('virttdxd.socket', 'virttdxd-sock'), ('virttdxd-ro.socket', 'virttdxd-sock-ro'),
                           ('virttdxd-admin.socket', 'virttdxd-admin-sock')]:
            self.assertIn(f'ListenStream=/run/libvirt/{path}\n', self.unit(unit).read_text())

    def test_configuration_has_every_key_commented_out(self):
        text = self.place('sysconfdir', 'libvirt/virttdxd.conf').read_text()
        active = [line for line in text.splitlines() if line and not line.startswith('#')]
        self.assertEqual(active, [])
        keys = set(re.findall(r'^#(\w+) = ', text, re.MULTILINE))
        known = set(re.findall(r'Key{"(\w+)"', (SOURCE / 'driver/config/daemon_config.cc').read_text()))
        self.assertEqual(keys, known)
        page = (SOURCE / 'docs/man/virttdxd.conf.5.rst').read_text()
        self.assertEqual([key for key in known if f'``{key}``' not in page], [])

    @unittest.skipIf(shutil.which('augparse') is None, 'augparse is not installed')
    def test_augeas_reads_every_key_of_the_configuration(self):
        sample = self.place('sysconfdir', 'libvirt/virttdxd.conf').read_text()
        active = re.sub(r'^#(\w+ = )', r'\1', sample, flags=re.MULTILINE)
        keys = re.findall(r'^(\w+) = ', active, re.MULTILINE)
        module = self.root / 'test_sample.aug'
        quoted = active.replace('\\', '\\\\').replace('"', '\\"')
        module.write_text(f'module Test_sample =\n  test Virttdxd.lns get "{quoted}" = ?\n')
        done = subprocess.run(['augparse', '-I', self.place('datadir', 'augeas/lenses'), module], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        module.unlink()
        shown = re.findall(r'^ *\{ "(\w+)"', done.stdout, re.MULTILINE)
        self.assertEqual(shown, keys, done.stdout)

    @unittest.skipIf(shutil.which('man') is None, 'man is not installed')
    def test_man_pages_are_well_formed(self):
        pages = sorted(self.place('mandir').rglob('*.[1578]'))
        self.assertEqual(len(pages), len(list((SOURCE / 'docs/man').iterdir())))
        for page in pages:
            done = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', page], capture_output=True, text=True,
                                  env={**os.environ, 'LC_ALL': 'C.UTF-8', 'MANROFFSEQ': '', 'MANWIDTH': '100'})
            self.assertEqual((done.returncode, done.stderr), (0, ''), page)

    def test_completion_knows_commands_and_options(self):
        completion = self.place('datadir', 'bash-completion/completions/virt-tdx')
        for words, expected in [(('virt-tdx', 'ch'), 'check'), (('virt-tdx', 'host', '--sa'), '--save'),
                                (('virt-tdx', 'check', '--host', 'so'), 'soft')]:
            script = f'. {completion}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _virt_tdx; printf "%s\\n" "${{COMPREPLY[@]}}"'
            done = subprocess.run(['bash', '-c', script, 'bash', *words], capture_output=True, text=True,
                                  env={**os.environ, 'PATH': f'{self.place("bindir")}:/usr/bin:/bin'})
            self.assertEqual(done.stdout.split(), [expected], done.stderr)


class TapResult(unittest.TestResult):
    """Test Anything Protocol on standard output."""

    def line(self, verdict, test, note=''):
        print(f'{verdict} {self.testsRun} - {test.id().removeprefix("__main__.")}{note}', flush=True)

    def addSuccess(self, test):
        self.line('ok', test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line('ok', test, f' # SKIP {reason}')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line('not ok', test)
        print('\n'.join(f'# {line}' for line in self._exc_info_to_string(err, test).splitlines()), flush=True)

    addError = addFailure


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    print(f'1..{suite.countTestCases()}')
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)


main()
