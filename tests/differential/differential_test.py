#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of script*.py against libvirtd's QEMU driver (TCG) and against virttdxd; what differs must be in accepted.json.

Usage: differential_test.py VIRTTDXD SOURCE_ROOT [--accept]
--accept writes what was found into accepted.json, keeps the reasons that are there, and leaves "" for those to be written.
"""
import difflib
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
import uuid

DAEMON, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
ACCEPTED = SOURCE / 'tests/differential/accepted.json'
PATIENCE = 240
LAST = 'last-of-a-step'
KINDS = ('LIFECYCLE', 'REBOOT', 'METADATA_CHANGE', 'DEVICE_ADDED', 'DEVICE_REMOVED', 'DEVICE_REMOVAL_FAILED', 'TUNABLE', 'BLOCK_THRESHOLD',
         'TRAY_CHANGE')


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

import script  # noqa: E402
import script_documents  # noqa: E402
import script_media  # noqa: E402
import script_traffic  # noqa: E402
import script_running  # noqa: E402

STEPS = script.STEPS + script_documents.STEPS + script_running.STEPS + script_media.STEPS + script_traffic.STEPS

libvirt.registerErrorHandler(lambda *_: None, None)
libvirt.virEventRegisterDefaultImpl()


def event_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=event_loop, daemon=True).start()


class Session:
    def __init__(self, uri, template, folder):
        self.uri, self.template, self.events, self.last = uri, template, [], threading.Semaphore(0)
        self.folder = folder
        folder.mkdir()
        for name in ('vda', 'vdb', 'vdc'):
            with open(self.folder / f'{name}.img', 'wb') as image:
                image.truncate(1 << 20)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.connection = libvirt.open(uri)
                break
            except libvirt.libvirtError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        for kind in KINDS:
            self.connection.domainEventRegisterAny(None, getattr(libvirt, 'VIR_DOMAIN_EVENT_ID_' + kind), self.event, kind.lower())

    def event(self, _connection, domain, *details):
        *details, name = details
        self.events.append(' '.join([domain.name(), str(domain.ID()), name, *map(str, details)]))
        if domain.name() == LAST:
            self.last.release()

    def settled_events(self):
        """An event may come after the reply of the call that caused it, and after those of no later call: a domain that is made and goes has them all
        sent."""
        self.connection.defineXML(self.template.format(name=LAST, uuid=uuid.uuid4(), memory=128, extra='')).undefine()
        for _ in ('defined', 'undefined'):
            if not self.last.acquire(timeout=PATIENCE):
                raise TimeoutError(f'{self.uri} tells no events')
        taken, self.events = self.events, []
        return [event for event in taken if not event.startswith(LAST)]

    def virsh(self, *arguments):
        """(exit status, standard output, standard error) of virsh, without what no two runs share."""
        done = subprocess.run(['virsh', '-q', '-c', self.uri, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        return done.returncode, words(done.stdout.strip()), words(done.stderr.strip())

    def run(self, step):
        try:
            result = json.loads(json.dumps(normalise(step(self))))
        except libvirt.libvirtError as error:
            result = {'error': error.get_error_code(), 'message': words(error.get_error_message())}
        except AttributeError as error:
            result = {'missing': str(error)}
        events = self.settled_events()
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


def apart(expected, found):
    """Both without what their documents have in common; of a document beside an error, that it was kept."""
    pair = [{**each, 'result': dict(each['result'])} if isinstance(each['result'], dict) else each for each in (expected, found)]
    documents = [each['result'].pop('document', None) if isinstance(each['result'], dict) else None for each in pair]
    if None not in documents:
        differences = list(difflib.ndiff(*documents))
        documents = [[line[2:] for line in differences if line[0] == sign] for sign in '-+']
    for each, document in zip(pair, documents):
        if document is not None:
            each['result']['document'] = document if None not in documents else 'kept'
    return pair


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
        found = mine.run(step)
        if expected != found:
            expected, found = apart(expected, found)
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
                    VIRTTDX_FAKE_HOST=str(SOURCE / 'tests/data/plan/soft.host.json'), VIRTTDX_FAKE_PORTS='1')
    try:
        differences, failures = compare(Session(libvirtd.uri(), QEMU_XML, folder / 'libvirt-images'), Session(ours.uri(), TDX_XML, folder / 'tdx-images'), accepted)
    finally:
        libvirtd.end()
        ours.end()
        shutil.rmtree(folder, True)
    if '--accept' in sys.argv:
        ACCEPTED.write_text(json.dumps(differences, indent=1) + '\n')
    sys.stdout.flush()
    os._exit(1 if failures else 0)


main()
