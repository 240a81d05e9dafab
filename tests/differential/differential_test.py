#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The script of script.py against libvirtd's QEMU driver (TCG) and against virttdxd; what differs must be in accepted.json.

Usage: differential_test.py VIRTTDXD SOURCE_ROOT [--accept]
--accept writes what was found into accepted.json, keeps the reasons that are there, and leaves "" for those to be written.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

DAEMON, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
ACCEPTED = SOURCE / 'tests/differential/accepted.json'
PATIENCE = 60


def skip(reason):
    print(f'1..0 # SKIP {reason}')
    sys.exit(0)


try:
    import libvirt
except ImportError:
    skip('python-libvirt is not installed')
from daemons import QEMU_XML, TDX_XML, PrivateLibvirtd, Virttdxd, missing  # noqa: E402

if missing():
    skip(missing())

from script import STEPS  # noqa: E402

libvirt.registerErrorHandler(lambda *_: None, None)
libvirt.virEventRegisterDefaultImpl()


def event_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=event_loop, daemon=True).start()


class Session:
    def __init__(self, uri, template):
        self.uri, self.template, self.events = uri, template, []
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.connection = libvirt.open(uri)
                break
            except libvirt.libvirtError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self.connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.lifecycle, None)

    def lifecycle(self, _connection, domain, event, detail, _opaque):
        self.events.append(f'{domain.name()} {domain.ID()} {event}/{detail}')

    def settled_events(self, count):
        """An event may come after the reply of the call that caused it: waits for as many as the other daemon sent, and a little for more."""
        self.connection.getLibVersion()
        deadline = time.monotonic() + PATIENCE / 10
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        taken, self.events = self.events, []
        return taken

    def virsh(self, *arguments):
        """(exit status, standard output, standard error) of virsh, without what no two runs share."""
        done = subprocess.run(['virsh', '-q', '-c', self.uri, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        return done.returncode, words(done.stdout.strip()), words(done.stderr.strip())

    def run(self, step, events=0):
        try:
            result = json.loads(json.dumps(normalise(step(self))))
        except libvirt.libvirtError as error:
            result = {'error': error.get_error_code(), 'message': words(error.get_error_message())}
        except AttributeError as error:
            result = {'missing': str(error)}
        events = self.settled_events(events)
        return {'result': result, 'events': events} if events else {'result': result}


def normalise(value):
    if isinstance(value, libvirt.virDomain):
        return value.name()
    if isinstance(value, (list, tuple)):
        return [normalise(item) for item in value]
    if isinstance(value, dict):
        return {str(key): normalise(item) for key, item in sorted(value.items())}
    return value


def words(message):
    """Without numbers and the names of a driver's own functions."""
    return re.sub(r'0x[0-9a-f]+|\d+', 'N', re.sub(r'in function \w+', 'in function F', message))


def verdict(expected, found, accepted):
    """Alike and not listed, or listed as it was found, with a reason."""
    if accepted is None:
        return expected == found
    return bool(accepted['reason']) and (accepted['libvirtd'], accepted['virttdxd']) == (expected, found) and expected != found


def compare(theirs, mine, accepted):
    """Runs all steps; {name: what was found} of those that differ, and the names of those that are not accepted."""
    differences, failures = {}, []
    print(f'1..{len(STEPS)}')
    for number, (name, step) in enumerate(STEPS, 1):
        expected = theirs.run(step)
        found = mine.run(step, len(expected.get('events', ())))
        if expected != found:
            differences[name] = {'reason': accepted.get(name, {}).get('reason', ''), 'libvirtd': expected, 'virttdxd': found}
        good = verdict(expected, found, accepted.get(name))
        if not good:
            failures.append(name)
            print(f'# {name}\n#   libvirtd {json.dumps(expected)}\n#   virttdxd {json.dumps(found)}')
        print(f'{"ok" if good else "not ok"} {number} {name}' + ('' if expected == found else ' (differs)'), flush=True)
    print(f'# {len(STEPS)} steps: {len(STEPS) - len(differences)} alike, {len(differences)} different; {len(failures)} unexpected')
    return differences, failures


def main():
    assert len({name for name, _ in STEPS}) == len(STEPS), 'steps of the same name'
    accepted = json.loads(ACCEPTED.read_text())
    folder = pathlib.Path(tempfile.mkdtemp(prefix='differential-'))
    libvirtd = PrivateLibvirtd(folder / 'libvirt')
    ours = Virttdxd(DAEMON, folder / 'tdx', VIRTTDX_VMM=str(SOURCE / 'tests/driver/fake_monitor.py'),
                    VIRTTDX_FAKE_HOST=str(SOURCE / 'tests/data/plan/soft.host.json'))
    try:
        differences, failures = compare(Session(libvirtd.uri(), QEMU_XML), Session(ours.uri(), TDX_XML), accepted)
    finally:
        libvirtd.end()
        ours.end()
        shutil.rmtree(folder, True)
    if '--accept' in sys.argv:
        ACCEPTED.write_text(json.dumps(differences, indent=1) + '\n')
    sys.stdout.flush()
    os._exit(1 if failures else 0)


main()
