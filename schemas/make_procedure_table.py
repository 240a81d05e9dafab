#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_procedure_table.py PROCEDURES.txt OUTPUT.inc: the rows of the procedure table, as C++ initializers."""
import sys

source, output = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
with open(output, "w", encoding="utf-8") as file:
    for number, name, rule, function, object_class in rows:
        function = "" if function == "-" else function
        file.write(f'{{{number}, "{name}", ReadOnlyRule::{rule.capitalize()}, "{function}", ObjectClass::{object_class.capitalize()}}},\n')
