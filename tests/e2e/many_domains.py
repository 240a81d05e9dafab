# SPDX-License-Identifier: GPL-2.0-or-later
"""Many domains of one daemon, some of which run a tiny TD that waits for ever, and costs no CPU time (tests/vmm-backend/payload/idle.s)."""
import re

import libvirt

import harness

libvirt.registerErrorHandler(lambda context, error: None, None)


class Domains:
    def __init__(self, daemon, firmware, defined, running):
        self.daemon, self.running = daemon, running
        xml = harness.td_xml('{}', firmware=firmware, text={"<memory unit='MiB'>512": "<memory unit='MiB'>64"})
        connection = libvirt.open(daemon.uri)
        for number in range(defined):
            domain = connection.defineXML(xml.replace('{}', f'td-{number}'))
            if number < running:
                domain.create()
        connection.close()

    def lives(self):
        """Of each domain that runs: its name, id, state, and its monitor's process."""
        connection = libvirt.open(self.daemon.uri)
        try:
            return sorted((domain.name(), domain.ID(), domain.state(), self.monitor(domain.name()))
                          for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE))
        finally:
            connection.close()

    def monitor(self, name):
        return int(re.search(r"pid='(\d+)'", (self.daemon.root / f'run/libvirt/tdx/{name}.xml').read_text())[1])


def are_running(connection, count):
    return len(connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)) == count


def have_answered(connection, count):
    """Exits of vCPUs are known to monitors alone."""
    stats = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_VCPU, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING)
    return sum('vcpu.0.exits.sum' in each for _, each in stats) == count
