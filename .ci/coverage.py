#!/usr/bin/env python3
"""coverage.py SUMMARY.json LINES BRANCHES: fails where less than so many percent of src/ ran.

The summary is what `cargo llvm-cov --json --summary-only` writes.
"""

import json
import sys
from pathlib import Path


def main(summary, *bars):
    files = json.loads(Path(summary).read_text())["data"][0]["files"]
    source = str(Path("src").resolve()) + "/"
    core = [f for f in files if f["filename"].startswith(source) and not f["filename"].endswith("_tests.rs")]
    if len(core) < 20:
        sys.exit(f"only {len(core)} files of src/ were measured")
    kinds = dict(zip(("lines", "branches"), map(float, bars)))
    print(f"{'file':32}" + "".join(f"{kind:>20}" for kind in kinds))
    for f in sorted(core, key=lambda f: f["filename"]):
        counts = [f["summary"][kind] for kind in kinds]
        print(f"{f['filename'].removeprefix(source):32}" + "".join(cell(c["covered"], c["count"]) for c in counts))
    low = []
    total = ""
    for kind, bar in kinds.items():
        covered, count = (sum(f["summary"][kind][n] for f in core) for n in ("covered", "count"))
        total += cell(covered, count)
        if count == 0 or 100 * covered < bar * count:
            low.append(f"{kind} are below {bar} %")
    print(f"{'src/':32}{total}")
    sys.exit("; ".join(low) or None)


def cell(covered, count):
    percent = f"{100 * covered / count:.1f} %" if count else "-"
    return f"{covered:>6}/{count:<5}{percent:>8}"


main(*sys.argv[1:])
