#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""org.freedesktop.PolicyKit1 with answers that a test chooses.

Usage: fake_polkit.py FOLDER. The bus is DBUS_SYSTEM_BUS_ADDRESS. FOLDER/rules.json is read at each question: rules of {"action": regular
expression, "domain": name or absent, "answer": "yes", "no", "challenge", "dismissed", "unknown" or "never"}; the first that fits holds, without
one the answer is "no". Each question is a line of FOLDER/questions.jsonl.
"""
import json
import pathlib
import re
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

FOLDER = pathlib.Path(sys.argv[1])
ANSWERS = {'yes': (True, False, {}), 'no': (False, False, {}), 'challenge': (False, True, {}),
           'dismissed': (False, True, {'polkit.dismissed': 'true'})}


class Failed(dbus.DBusException):
    _dbus_error_name = 'org.freedesktop.PolicyKit1.Error.Failed'


class Authority(dbus.service.Object):
    @dbus.service.method('org.freedesktop.PolicyKit1.Authority', in_signature='(sa{sv})sa{ss}us', out_signature='(bba{ss})',
                         async_callbacks=('reply', 'fail'))
    def CheckAuthorization(self, subject, action, details, flags, _cancellation, reply, fail):
        question = {'kind': str(subject[0]), 'subject': {str(key): int(value) for key, value in subject[1].items()},
                    'signature': {str(key): value.__class__.__name__ for key, value in subject[1].items()}, 'action': str(action),
                    'details': {str(key): str(value) for key, value in details.items()}, 'flags': int(flags)}
        with open(FOLDER / 'questions.jsonl', 'a', encoding='utf-8') as file:
            file.write(json.dumps(question) + '\n')
        answer = self.answer(question)
        if answer == 'unknown':
            fail(Failed(f"Action {action} is not registered"))
        elif answer != 'never':
            authorized, challenge, result = ANSWERS[answer]
            reply((authorized, challenge, dbus.Dictionary(result, signature='ss')))

    @staticmethod
    def answer(question):
        for rule in json.loads((FOLDER / 'rules.json').read_text()):
            if re.fullmatch(rule['action'], question['action']) and rule.get('domain', question['details'].get('domain_name')) == \
                    question['details'].get('domain_name'):
                return rule['answer']
        return 'no'


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
name = dbus.service.BusName('org.freedesktop.PolicyKit1', bus)
authority = Authority(bus, '/org/freedesktop/PolicyKit1/Authority')
(FOLDER / 'ready').touch()
GLib.MainLoop().run()
