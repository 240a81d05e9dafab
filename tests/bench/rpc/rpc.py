# SPDX-License-Identifier: GPL-2.0-or-later
"""What calls cost: virttdxd next to libvirtd's QEMU driver (TCG), the same client and the same calls in one run.

Usage: rpc.py VIRTTDXD SOURCE_ROOT [SECONDS]
Every client is a process with a connection of its own that does nothing but call for SECONDS (default 1). Prints a table of calls per second and
of latencies, each with the ratio; judges nothing.
"""
import multiprocessing
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time
import uuid

import libvirt

PROGRAM, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
sys.path.insert(0, str(SOURCE / 'tests/differential'))
from daemons import QEMU_XML, TDX_XML, PrivateLibvirtd, Virttdxd, missing  # noqa: E402

CLIENTS = (1, 10, 50)
DOMAINS = 300
PREDEFINED = 100
STARTS = 5
PATIENCE = 120
libvirt.registerErrorHandler(lambda *_: None, None)


def domain_xml(template, name):
    return template.format(name=name, uuid=uuid.uuid5(uuid.NAMESPACE_DNS, name), memory=256, extra='')


def connect(uri):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return libvirt.open(uri)
        except libvirt.libvirtError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


# What a client does with its connection, or with the domains that it has prepared; and with its template, its own number and the count of what it did
# before.
def round_trip(connection, *_):
    connection.getLibVersion()


def lookup(connection, _template, _client, count):
    connection.lookupByName(f'idle-{count % DOMAINS}')


def dump_xml(connection, _template, _client, count):
    connection.lookupByName(f'idle-{count % DOMAINS}').XMLDesc()


def list_all(connection, *_):
    connection.listAllDomains()


def statistics_of_all(connection, *_):
    connection.getAllDomainStats()


def define_undefine(connection, template, client, count):
    connection.defineXML(domain_xml(template, f'new-{client}-{count}')).undefine()


def define_again(connection, template, client, count):
    connection.defineXML(domain_xml(template, f'idle-{(client * 7 + count) % DOMAINS}'))


def dump_xml_only(domains, _template, _client, count):
    domains[count % DOMAINS].XMLDesc()


def undefine(domains, *_):
    domains.pop().undefine()


# What a client prepares before its time begins. Without any left it stops.
def look_all_up(connection, *_):
    return [connection.lookupByName(f'idle-{number}') for number in range(DOMAINS)]


def define_some(connection, template, client):
    return [connection.defineXML(domain_xml(template, f'old-{client}-{number}')) for number in range(PREDEFINED)]


PREPARATIONS = {dump_xml_only: look_all_up, undefine: define_some}
CALLS = {'round trip': round_trip, 'lookup by name': lookup, 'lookup and XML': dump_xml, 'XML': dump_xml_only, f'list {DOMAINS}': list_all,
         f'stats of {DOMAINS}': statistics_of_all, 'define what is there': define_again, 'define new, undefine': define_undefine,
         'undefine': undefine}


def client_process(uri, template, call, number, start, counts):
    subject = connect(uri)
    if call in PREPARATIONS:
        subject = PREPARATIONS[call](subject, template, number)
    start.wait()
    end, count = time.monotonic() + SECONDS, 0
    begun = time.monotonic()
    while subject and time.monotonic() < end:
        call(subject, template, number, count)
        count += 1
    counts.put(count / (time.monotonic() - begun))
    if call is undefine:
        for domain in subject:
            domain.undefine()


def rate(uri, template, call, clients):
    context = multiprocessing.get_context('fork')
    start, counts = context.Barrier(clients), context.Queue()
    processes = [context.Process(target=client_process, args=(uri, template, call, number, start, counts))
                 for number in range(clients)]
    for process in processes:
        process.start()
    total = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return total


def milliseconds(call):
    begun = time.monotonic()
    call()
    return (time.monotonic() - begun) * 1000


def start_and_destroy(connection, template):
    domain = connection.defineXML(domain_xml(template, 'started'))
    times = [(milliseconds(domain.create), milliseconds(domain.destroy)) for _ in range(STARTS)]
    domain.undefine()
    return [statistics.median(column) for column in zip(*times)]


def resident_kib(pid):
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith('Pss:'))


def measure(daemon, template):
    connection = connect(daemon.uri())
    for number in range(DOMAINS):
        connection.defineXML(domain_xml(template, f'idle-{number}'))
    results = {'memory (KiB, PSS)': resident_kib(daemon.pid())}
    results['start (ms)'], results['destroy (ms)'] = start_and_destroy(connection, template)
    for name, call in CALLS.items():
        for clients in CLIENTS:
            results[f'{name}, {clients} client{"s" if clients > 1 else ""} (1/s)'] = rate(daemon.uri(), template, call, clients)
    return results


def main():
    if missing():
        sys.exit(f'rpc: {missing()}')
    folder = pathlib.Path(tempfile.mkdtemp(prefix='bench-rpc-'))
    try:
        results = []
        for make, template in ((lambda: PrivateLibvirtd(folder / 'libvirt'), QEMU_XML),
                               (lambda: Virttdxd(PROGRAM, folder / 'tdx'), TDX_XML)):
            daemon = make()
            try:
                results.append(measure(daemon, template))
            finally:
                daemon.end()
        print(f'{"":44}{"libvirtd":>12}{"virttdxd":>12}{"ratio":>9}')
        for name, theirs in results[0].items():
            print(f'{name:44}{theirs:12.1f}{results[1][name]:12.1f}{results[1][name] / theirs:9.2f}')
    finally:
        shutil.rmtree(folder, True)
    sys.stdout.flush()
    os._exit(0)


main()
