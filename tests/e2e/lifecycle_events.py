# SPDX-License-Identifier: GPL-2.0-or-later
"""The lifecycle events that a client with python-libvirt sees."""
import threading

import libvirt

import harness

libvirt.virEventRegisterDefaultImpl()
libvirt.registerErrorHandler(lambda context, error: None, None)


def run_event_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=run_event_loop, daemon=True).start()


class LifecycleEvents:
    """Of all domains of a connection, from now on: (event, detail) each, in order."""

    def __init__(self, connection):
        self.seen = []
        connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                          lambda _connection, _domain, event, detail, _opaque: self.seen.append((event, detail)), None)

    def wait_for(self, *events):
        harness.wait_until(lambda: all(event in self.seen for event in events), f'{events}, saw {self.seen}')
