#!/usr/bin/env python3
"""coverage.py EXPORT.json LINES BRANCHES: fails if a smaller share of src/ ran, in percent.

`cargo llvm-cov --branch --json` writes the export.
"""

import json
import sys
from pathlib import Path

# Only the compiler runs these: const fn that check declarations, and what a macro needs for that. compile_fail
# tests what they refuse.
COMPILE_TIME = {"field.rs"}


def main(export, lines_bar, branches_bar):
    source = str(Path("src").resolve()) + "/"
    files = {}
    for f in json.loads(Path(export).read_text())["data"][0]["files"]:
        name = f["filename"].removeprefix(source)
        if name != f["filename"] and name not in COMPILE_TIME and not name.endswith("_tests.rs"):
            lines = f["summary"]["lines"]
            files[name] = ((lines["covered"], lines["count"]), *branches(f["branches"]))
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


def branches(found):
    """Covered and all outcomes of every condition: of generic code, those that any of its instances took."""
    taken = {}
    for line, column, _, _, true, false, *_ in found:
        before = taken.get((line, column), (0, 0))
        taken[line, column] = (before[0] + true, before[1] + false)
    covered = sum((true > 0) + (false > 0) for true, false in taken.values())
    missed = [f"{line}{'tf'[way]}" for (line, _), ways in sorted(taken.items()) for way in (0, 1) if not ways[way]]
    return (covered, 2 * len(taken)), missed


def cell(covered, count):
    percent = f"{100 * covered / count:.1f} %" if count else "-"
    return f"{covered:>6}/{count:<5}{percent:>9}"


main(*sys.argv[1:])
