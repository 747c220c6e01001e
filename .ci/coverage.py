#!/usr/bin/env python3
"""coverage.py EXPORT.json LINES BRANCHES: fails if a smaller share of src/ ran, in percent.

`cargo llvm-cov --branch --json` writes the export. Of generic code, a line or an outcome counts as taken if any of its instances took it.
The tests in src/ do not count: nearly all of their lines run, and a test that passes never takes the way on which its assertion fails.
"""

import json
import re
import sys
from pathlib import Path

# Only the compiler runs these: const fn that check declarations, and what a macro needs for that. compile_fail
# tests what they refuse.
COMPILE_TIME = {"field.rs"}
TESTS = re.compile(r"_tests(\.rs$|/)")
# rustfmt puts the end of a module where its beginning is.
TEST_MODULE = re.compile(r"^#\[cfg\(test\)\]\nmod \w+ \{\n.*?^\}$", re.M | re.S)


def main(export, lines_bar, branches_bar):
    source = str(Path("src").resolve()) + "/"
    files = {}
    for f in json.loads(Path(export).read_text())["data"][0]["files"]:
        name = f["filename"].removeprefix(source)
        if name != f["filename"] and name not in COMPILE_TIME and not TESTS.search(name):
            tests = tested_in(Path(f["filename"]).read_text())
            files[name] = lines(f["segments"], tests), *branches(f["branches"], tests)
    if len(files) < 20:
        sys.exit(f"only {len(files)} files of src/ were measured")
    print(f"{'file':32}{'lines':>21}{'branches':>21}  not taken")
    for name, (line, branch, missed) in sorted(files.items()):
        print(f"{name:32}{cell(*line)}{cell(*branch)}  {' '.join(missed)}")
    totals = [tuple(map(sum, zip(*(f[kind] for f in files.values())))) for kind in (0, 1)]
    print(f"{'src/':32}{cell(*totals[0])}{cell(*totals[1])}")
    low = [
        f"{kind} are below {bar} %"
        for kind, bar, (covered, count) in zip(("lines", "branches"), (lines_bar, branches_bar), totals)
        if count == 0 or 100 * covered < float(bar) * count
    ]
    sys.exit("; ".join(low) or None)


def tested_in(text):
    """The lines of the modules of tests in a file."""
    spans = (match.span() for match in TEST_MODULE.finditer(text))
    return {line for begin, end in spans for line in range(text.count("\n", 0, begin) + 1, text.count("\n", 0, end) + 2)}


def lines(segments, tests):
    """Covered and all lines with code, as LLVM's own reports count them: the most that a region on the line ran."""
    on = {}
    for line, _, *segment in segments:
        on.setdefault(line, []).append(segment)
    counts, (count, has_count) = [], (0, False)
    for line in range(1, max(on, default=0) + 1):
        here = on.get(line, [])
        begun = [count for count, has_count, is_entry, is_gap in here if has_count and is_entry and not is_gap]
        is_skipped = bool(here) and here[0][2] and not here[0][1]
        if (begun or (has_count and not is_skipped)) and line not in tests:
            counts.append(max([count] * has_count + begun))
        if here:
            count, has_count = here[-1][:2]
    return sum(count > 0 for count in counts), len(counts)


def branches(found, tests):
    """Covered and all outcomes of every condition."""
    taken = {}
    for line, column, _, _, true, false, *_ in found:
        before = taken.get((line, column), (0, 0))
        if line not in tests:
            taken[line, column] = (before[0] + true, before[1] + false)
    covered = sum((true > 0) + (false > 0) for true, false in taken.values())
    missed = [f"{line}{'tf'[way]}" for (line, _), ways in sorted(taken.items()) for way in (0, 1) if not ways[way]]
    return (covered, 2 * len(taken)), missed


def cell(covered, count):
    percent = f"{100 * covered / count:.1f} %" if count else "-"
    return f"{covered:>6}/{count:<5}{percent:>9}"


main(*sys.argv[1:])
