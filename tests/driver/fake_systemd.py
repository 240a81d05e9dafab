#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""org.freedesktop.systemd1 with scopes alone, and control groups that are ordinary files.

Usage: fake_systemd.py FOLDER GROUPS. The bus is DBUS_SYSTEM_BUS_ADDRESS. A scope is a folder below GROUPS/machine.slice with the files that the
kernel would have there, and FOLDER/NAME.json with its properties. FOLDER/result, if it is there, is what jobs come to; FOLDER/children says that
groups of threads are there beforehand: nobody makes the files of a new folder here; FOLDER/exists that the scopes of runs before have not ended yet.
"""
import json
import pathlib
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

FOLDER, GROUPS = map(pathlib.Path, sys.argv[1:])
MANAGER = 'org.freedesktop.systemd1.Manager'
CHILDREN = ('vcpu0', 'vcpu1', 'emulator')


class NoSuchUnit(dbus.DBusException):
    _dbus_error_name = 'org.freedesktop.systemd1.NoSuchUnit'


class UnitExists(dbus.DBusException):
    _dbus_error_name = 'org.freedesktop.systemd1.UnitExists'


def plain(value):
    if isinstance(value, (dbus.Array, dbus.Struct)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else int(value)


def signature(value):
    if isinstance(value, dbus.Array):
        return f'a{value.signature}'
    return {dbus.UInt64: 't', dbus.String: 's', dbus.Boolean: 'b'}[type(value)]


def folder_of(slice_name):
    """machine-prod.slice is in machine.slice."""
    words = slice_name.removesuffix('.slice').split('-')
    return pathlib.Path(*('-'.join(words[:count]) + '.slice' for count in range(1, len(words) + 1)))


class Manager(dbus.service.Object):
    jobs = 0

    @dbus.service.method(MANAGER, in_signature='ssa(sv)a(sa(sv))', out_signature='o')
    def StartTransientUnit(self, name, mode, properties, _more):
        if (FOLDER / 'exists').exists():
            (FOLDER / 'asked-in-vain').touch()
            raise UnitExists(f'Unit {name} was already loaded or has a fragment file.')
        group = GROUPS / folder_of(str(dict(properties)['Slice'])) / str(name)
        group.mkdir(parents=True)
        (group / 'cgroup.subtree_control').touch()
        if (FOLDER / 'children').exists():
            for child in CHILDREN:
                (group / child).mkdir()
                for file in ('cgroup.type', 'cgroup.threads', 'cpu.max'):
                    (group / child / file).touch()
        self.write(name, {'mode': str(mode)}, properties)
        self.jobs += 1
        path = dbus.ObjectPath(f'/org/freedesktop/systemd1/job/{self.jobs}')
        GLib.idle_add(self.end_job, self.jobs, path, name)
        return path

    def end_job(self, number, path, name):
        result = FOLDER / 'result'
        self.JobRemoved(number, path, name, result.read_text() if result.exists() else 'done')

    @dbus.service.signal(MANAGER, signature='uoss')
    def JobRemoved(self, number, path, unit, result):
        pass

    @dbus.service.method(MANAGER, in_signature='sba(sv)')
    def SetUnitProperties(self, name, runtime, properties):
        file = FOLDER / f'{name}.json'
        if not file.exists():
            raise NoSuchUnit(f'Unit {name} not loaded.')
        self.write(name, {**json.loads(file.read_text()), 'runtime': int(runtime)}, properties)

    @staticmethod
    def write(name, known, properties):
        known.update({str(key): plain(value) for key, value in properties})
        known['signatures'] = {**known.get('signatures', {}), **{str(key): signature(value) for key, value in properties}}
        new = FOLDER / 'new'
        new.write_text(json.dumps(known))
        new.rename(FOLDER / f'{name}.json')


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
name = dbus.service.BusName('org.freedesktop.systemd1', bus)
manager = Manager(bus, '/org/freedesktop/systemd1')
(FOLDER / 'ready').touch()
GLib.MainLoop().run()
