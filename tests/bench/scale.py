# SPDX-License-Identifier: GPL-2.0-or-later
"""Many domains in one daemon: how long a new daemon takes until all that ran are its own again, and what clients that poll as virt-manager does wait.

Usage: scale.py FIRMWARE [DEFINED [RUNNING [CLIENTS]]]: FIRMWARE waits for ever. Needs the environment of tests/e2e/harness.py. Judges nothing.
"""
import multiprocessing
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.environ['VIRTTDX_SOURCE'] + '/tests/e2e')
import libvirt  # noqa: E402

import harness  # noqa: E402
from many_domains import Domains, are_running, have_answered  # noqa: E402

FIRMWARE = pathlib.Path(sys.argv[1]).resolve()
DEFINED, RUNNING, CLIENTS = [*map(int, sys.argv[2:]), *(1000, 50, 10)[len(sys.argv) - 2:]]
RESTARTS = 5
POLLS = 10
STATS = (libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL | libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_BALLOON |
         libvirt.VIR_DOMAIN_STATS_BLOCK | libvirt.VIR_DOMAIN_STATS_INTERFACE)
TICKS = os.sysconf('SC_CLK_TCK')


def process(pid):
    """(seconds of CPU time, resident memory in KiB)"""
    stat = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    resident = re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text())[1]
    return (int(stat[11]) + int(stat[12])) / TICKS, int(resident)


def first_connection(uri):
    end = time.monotonic() + harness.PATIENCE
    while time.monotonic() < end:
        try:
            return libvirt.open(uri)
        except libvirt.libvirtError:
            time.sleep(0.002)
    raise harness.Failed('the daemon does not answer')


def seconds_until(condition, begun):
    while not condition():
        time.sleep(0.002)
    return time.monotonic() - begun


def restart(daemon):
    """Seconds from the start of the program to: an answer, all running ones in the list, all monitors asked."""
    daemon.kill()
    begun = time.monotonic()
    with open(daemon.root / 'virttdxd.log', 'ab') as log:
        daemon.process = subprocess.Popen([harness.BUILD / 'driver/virttdxd', '--host', daemon.host, '--root', daemon.root], stderr=log,
                                          start_new_session=True)
    connection = first_connection(daemon.uri)
    answered = time.monotonic() - begun
    listed = seconds_until(lambda: are_running(connection, RUNNING), begun)
    attached = seconds_until(lambda: have_answered(connection, RUNNING), begun)
    connection.close()
    return answered, listed, attached


def poll(uri, number, results):
    """Node information and statistics of all, once a second; clients begin one after another."""
    connection = libvirt.open(uri)
    # A second's clients are spread over it.
    begun, times = time.monotonic() + number / CLIENTS, []
    for turn in range(POLLS):
        time.sleep(max(0, begun + turn - time.monotonic()))
        before = time.monotonic()
        connection.getInfo()
        between = time.monotonic()
        connection.getAllDomainStats(STATS)
        times.append((between - before, time.monotonic() - between))
    results.put(times)


def polled(daemon):
    context = multiprocessing.get_context('fork')
    results = context.Queue()
    clients = [context.Process(target=poll, args=(daemon.uri, number, results)) for number in range(CLIENTS)]
    before, begun = process(daemon.process.pid)[0], time.monotonic()
    for client in clients:
        client.start()
    times = [each for _ in clients for each in results.get()]
    for client in clients:
        client.join()
    return times, (process(daemon.process.pid)[0] - before) / (time.monotonic() - begun)


def row(name, values):
    print(f'{name:48}{1000 * statistics.median(values):10.1f}{1000 * max(values):10.1f}', flush=True)


def main():
    daemon = harness.Daemon()
    try:
        begun = time.monotonic()
        Domains(daemon, FIRMWARE, DEFINED, RUNNING)
        print(f'{DEFINED} defined and {RUNNING} started in {time.monotonic() - begun:.1f} s; memory of the daemon {process(daemon.process.pid)[1]} KiB')
        print(f'{"ms":48}{"median":>10}{"most":>10}')
        restarts = [restart(daemon) for _ in range(RESTARTS)]
        for name, values in zip(('answers', f'has all {RUNNING} in the list of running ones', f'has asked all {RUNNING} monitors'), zip(*restarts)):
            row(f'restarted daemon {name}', values)
        times, load = polled(daemon)
        for name, values in zip(('node information', f'statistics of {DEFINED}'), zip(*times)):
            row(f'{CLIENTS} clients poll {name}', values)
        print(f'{100 * load:.0f} % of a CPU for the daemon while they poll; memory {process(daemon.process.pid)[1]} KiB')
    finally:
        daemon.stop()


main()
