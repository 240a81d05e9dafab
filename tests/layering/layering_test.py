#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds the source tree against the arrows of docs/architecture.md: who may include what, sizes, cards, licences.

Prints TAP. Usage: layering_test.py SOURCE_ROOT
"""
import pathlib
import re
import sys

ROOMS = ('driver', 'domain-xml', 'vmm-backend', 'tools', 'schemas', 'tests')
TOP_LEVEL = {'meson.build', 'driver', 'domain-xml', 'vmm-backend', 'tools', 'schemas', 'tests', 'docs', 'README.md', 'LICENSE'}
SOURCE_LIMIT = 400

# Room -> the first path parts that its quoted includes may have.
BACKEND_PUBLIC = {'vmm_backend', 'support'}
BACKEND_FOLDERS = {'kvm', 'tdx', 'softhost', 'memory', 'vcpu', 'bus', 'devices', 'firmware', 'machine', 'control',
                   'backends'}
QUOTED = {
    'vmm-backend': BACKEND_PUBLIC | BACKEND_FOLDERS,
    'domain-xml': BACKEND_PUBLIC | {'domain_xml', 'elements', 'values', 'xml', 'change', 'cpu', 'plan', 'capabilities', 'status', 'complete'},
    'driver': BACKEND_PUBLIC | {'domain_xml', 'driver', 'access', 'rpc', 'api', 'admin', 'domain', 'forward', 'process', 'host', 'config', 'schemas'},
    'tools': BACKEND_PUBLIC | {'domain_xml', 'tools', 'qgs_sim'},
}

# Folder of vmm-backend -> the folders of vmm-backend that it may include besides itself.
INSIDE_BACKEND = {
    'support': set(),
    'kvm': set(),
    'memory': {'kvm', 'bus'},
    'tdx': {'kvm', 'memory', 'vcpu', 'bus'},
    'softhost': {'kvm', 'tdx'},
    'bus': set(),
    'vcpu': {'kvm', 'memory', 'bus', 'tdx'},
    'devices': {'bus', 'memory'},
    'firmware': {'devices', 'memory'},
    'machine': {'bus', 'devices', 'firmware', 'kvm', 'memory', 'tdx', 'vcpu', 'control', 'softhost'},
    'control': {'devices'},
    'backends': {'devices', 'bus', 'control'},
}

# A library header -> the only places that may include it.
LIBRARY_PLACES = {
    r'^libxml/': ['domain-xml/xml/'],
    r'^unicorn/': ['vmm-backend/softhost/cpu/'],
    r'^Q[A-Z]|^QtCore': ['driver/', 'tools/'],
    r'^libvirt/': ['driver/', 'tools/'],
    r'^linux/kvm\.h$': [],
    r'^seccomp\.h$': ['vmm-backend/control/', 'vmm-backend/backends/storage_daemon/'],
    r'^liburing\.h$': ['vmm-backend/backends/'],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def sources(root, *rooms):
    for room in rooms:
        for path in sorted((root / room).rglob('*')):
            if path.suffix in ('.h', '.cc'):
                yield path


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found[1] == '"', found[2]


def check_rooms(root):
    for room, allowed in QUOTED.items():
        for path in sources(root, room):
            for number, quoted, name in includes(path):
                own = (path.parent / name).exists()
                if quoted and '/' in name and name.split('/')[0] not in allowed:
                    yield f'{path.relative_to(root)}:{number}: {room} must not include "{name}"'
                elif quoted and '/' not in name and not own and not name.endswith('_protocol.h'):
                    yield f'{path.relative_to(root)}:{number}: "{name}" is not in this folder'


def check_backend_folders(root):
    for folder, allowed in INSIDE_BACKEND.items():
        for path in sources(root, f'vmm-backend/{folder}'):
            for number, quoted, name in includes(path):
                first = name.split('/')[0]
                if quoted and first in BACKEND_FOLDERS and first != folder and first not in allowed:
                    yield f'{path.relative_to(root)}:{number}: {folder}/ must not include "{name}"'


def check_libraries(root):
    for path in sources(root, 'driver', 'domain-xml', 'vmm-backend', 'tools'):
        relative = str(path.relative_to(root))
        for number, quoted, name in includes(path):
            for pattern, places in LIBRARY_PLACES.items():
                if not quoted and re.search(pattern, name) and not any(relative.startswith(p) for p in places):
                    yield f'{relative}:{number}: <{name}> is allowed only in {places or "no file"}'


def check_sizes(root):
    for path in sources(root, *ROOMS):
        lines = len(path.read_text().splitlines())
        if lines > SOURCE_LIMIT and not path.name.endswith('_spec.h'):
            yield f'{path.relative_to(root)}: {lines} lines; at most {SOURCE_LIMIT}'


def check_licences(root):
    for path in sources(root, *ROOMS):
        if 'SPDX-License-Identifier: GPL-2.0-or-later' not in path.read_text()[:200]:
            yield f'{path.relative_to(root)}: no SPDX line'


def check_cards(root):
    folders = [root / room for room in ROOMS] + [root / 'vmm-backend' / folder for folder in INSIDE_BACKEND]
    for folder in folders:
        if not (folder / 'README.md').exists():
            yield f'{folder.relative_to(root)}: no README.md card'


def check_top_level(root):
    for path in root.iterdir():
        if not path.name.startswith('.') and not path.name.startswith('build') and path.name not in TOP_LEVEL:
            yield f'{path.name}: not one of the top level\'s names'


def check_links(root):
    for page in [root / 'README.md', *sorted((root / 'docs').rglob('*.md'))]:
        for target in re.findall(r'\]\(([^)#]+)', page.read_text()):
            if '://' not in target and not (page.parent / target).exists():
                yield f'{page.relative_to(root)}: link to missing {target}'


CHECKS = [check_rooms, check_backend_folders, check_libraries, check_sizes, check_licences, check_cards,
          check_top_level, check_links]


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    print(f'1..{len(CHECKS)}')
    for number, check in enumerate(CHECKS, 1):
        problems = list(check(root))
        print(f'{"not ok" if problems else "ok"} {number} - {check.__name__}')
        for problem in problems:
            print(f'# {problem}')


main()
