# SPDX-License-Identifier: GPL-2.0-or-later
"""Many definitions and monitors, and a daemon that is killed: the next one has all of them.

Usage: many_test.py FIRMWARE: FIRMWARE waits for ever.
"""
import pathlib
import sys

import libvirt

import harness
from many_domains import Domains, are_running, have_answered

FIRMWARE = pathlib.Path(sys.argv[1]).resolve()
DEFINED, RUNNING, RESTARTS = 200, 10, 3


class ManyDomains(harness.DaemonTest):
    def test_survive_the_daemon(self):
        domains = Domains(self.daemon, FIRMWARE, DEFINED, RUNNING)
        lives = domains.lives()
        self.assertEqual([state for _, _, state, _ in lives], RUNNING * [[libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED]])
        for _ in range(RESTARTS):
            self.daemon.kill()
            self.daemon.start()
            connection = libvirt.open(self.daemon.uri)
            self.assertEqual(len(connection.listAllDomains()), DEFINED)
            self.assertTrue(are_running(connection, RUNNING))
            harness.wait_until(lambda: have_answered(connection, RUNNING), 'the monitors')
            self.assertEqual(domains.lives(), lives)
            self.assertEqual(connection.numOfDefinedDomains(), DEFINED - RUNNING)
            connection.close()


if __name__ == '__main__':
    del sys.argv[1:]
    harness.main()
