#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Adds up meson's test logs: prints the reason of each failed or skipped case, what failed programs said and, last,
"N passed, N failed, N skipped".

Usage: totals.py BUILD_DIRECTORY/meson-logs
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

# meson prints none of what a program says in TAP.
LAST_WORDS = 60


def outcome(case):
    if case.find('failure') is not None or case.find('error') is not None:
        return 'failed'
    return 'skipped' if case.find('skipped') is not None or case.get('result') == 'skipped' else 'passed'


def reason_of(case, result):
    found = case.find('skipped') if result == 'skipped' else case.find('failure')
    text = (found.get('message') or found.text or '').strip() if found is not None else ''
    return text.splitlines()[-1] if text else ''


def count_cases(logs, counts):
    for suite in ElementTree.parse(logs / 'testlog.junit.xml').iter('testsuite'):
        for case in suite.iter('testcase'):
            result = outcome(case)
            counts[result] += 1
            if result != 'passed':
                print(f'{result}: {suite.get("name")}: {case.get("name")}: {reason_of(case, result)}')


def failed_programs(logs):
    """Test programs that ended badly, with the end of what they said: one that crashes leaves no cases behind."""
    lines = (logs / 'testlog.json').read_text().splitlines()
    return {test['name']: (test.get('stdout', '') + test.get('stderr', '')).splitlines()[-LAST_WORDS:]
            for test in map(json.loads, lines) if test['result'] not in ('OK', 'SKIP', 'EXPECTEDFAIL')}


def main():
    logs = pathlib.Path(sys.argv[1])
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    count_cases(logs, counts)
    bad = failed_programs(logs)
    for name, last_words in bad.items():
        print(f'failed program: {name}', *last_words, sep='\n  ')
    counts['failed'] = max(counts['failed'], len(bad))
    print(', '.join(f'{count} {name}' for name, count in counts.items()))


main()
