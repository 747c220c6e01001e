#!/usr/bin/env python3
"""Counts of the bench `counts` against the limits in counts.json beside this file.

counts.py            fails if an operation takes more instructions than its limit, in multiples of the raw
                     primitive's, draws random bytes more or less often, or allocates more often
counts.py --record   makes its counts the new limits

Needs valgrind. Instructions are those of the processor that valgrind emulates, without SHA and wide AES instructions.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LIMITS = Path(__file__).with_name("counts.json")
# A recorded limit is this much above the count. Two runs differ by 2 instructions in 20,000. A change elsewhere in the crate
# was seen to change what is inlined into a floor, and so the ratio, by 1 %.
ROOM = 1.03
# The floor of a record struct is the same calls by hand. What the compiler inlines into one and not into the other makes a
# difference of less than this.
EQUAL = 0.99
# Below this, an operation has improved, and its limit should follow.
IMPROVED = 0.95


def build():
    command = ["cargo", "bench", "--locked", "--package=rxseal-counts", "--bench=counts", "--no-run", "--message-format=json-render-diagnostics"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    artifacts = [json.loads(message) for message in done.stdout.splitlines()]
    return next(a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "counts")


def lines(*command):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def instructions(program):
    """Of one call of each operation, and the parts of its floor. Each of the dumps holds the calls of one operation."""
    counted = "rxseal_counted_calls"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        operations = lines(
            "valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}", f"--toggle-collect={counted}",
            f"--dump-after={counted}", program, "--instructions",
        )
        found = {}
        for number, (name, calls, *floor) in enumerate(operations, 1):
            total = re.search(r"^totals: (\d+)$", Path(f"{out}.{number}").read_text(), re.MULTILINE)
            found[name] = int(total[1]) / int(calls), [part for part in floor if part]
    return found


def count(program):
    entries = {name: (int(draws), int(allocations)) for name, draws, allocations in lines(program)}
    found = instructions(program)
    counts = {}
    for name, (own, floor) in found.items():
        if floor:
            least = sum(found[part][0] for part in floor)
            draws, allocations = entries[name]
            counts[name] = {"instructions": own, "floor": least, "ratio": own / least, "draws": draws,
                            "allocations": allocations}
    return counts


def record(counts):
    limits = {
        name: {"ratio": round(it["ratio"] * ROOM, 3), "draws": it["draws"], "allocations": it["allocations"]}
        for name, it in counts.items()
    }
    rows = [f"  {json.dumps(name)}: {json.dumps(limit)}" for name, limit in limits.items()]
    LIMITS.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def judge(it, limit):
    """What is worse than the limit, and what is better."""
    worse = [f"takes {it['ratio']:.3f} x its floor"] * (it["ratio"] > limit["ratio"])
    # A floor is the work that cannot be avoided. An operation below its floor no longer does that work, so it is not measured.
    worse += ["takes less than its floor"] * (it["ratio"] < EQUAL)
    worse += [f"draws {it['draws']} times, not {limit['draws']}"] * (it["draws"] != limit["draws"])
    worse += [f"allocates {it['allocations']} times"] * (it["allocations"] != limit["allocations"])
    better = it["ratio"] < limit["ratio"] * IMPROVED
    return worse, better


def compare(counts, limits):
    print(f"{'operation':28} {'instructions':>12} {'floor':>10} {'ratio':>7} {'limit':>7}"
          f" {'draws':>6} {'allocations':>12} {'limit':>6}")
    good = counts.keys() == limits.keys()
    for name, it in counts.items():
        limit = limits.get(name, {"ratio": 0, "draws": 0, "allocations": 0})
        worse, better = judge(it, limit)
        good &= not worse
        print(f"{name:28} {it['instructions']:12.0f} {it['floor']:10.0f} {it['ratio']:7.3f} {limit['ratio']:7.3f}"
              f" {it['draws']:6} {it['allocations']:12} {limit['allocations']:6}"
              f"{'  WORSE: ' + ', '.join(worse) if worse else '  better: lower its limit' if better else ''}")
    for name in limits.keys() ^ counts.keys():
        print(f"{name} is not in both the bench and {LIMITS.name}")
    return good


counts = count(build())
if sys.argv[1:] == ["--record"]:
    record(counts)
sys.exit(0 if compare(counts, json.loads(LIMITS.read_text())) else 1)
