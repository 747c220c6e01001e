#!/usr/bin/env python3
"""What cargo has built, according to the files that it left.

builds.py part SINCE     one line: crates and programs that were built after SINCE, in seconds of the epoch
builds.py trees SINCE    a table of the same by tree

A tree shares nothing with the others: a profile, other flags, or metadata (`check`, clippy and rustdoc) in place of code.
"""

import sys
from collections import Counter
from pathlib import Path

OUTPUT = [Path("target"), *Path().glob("*/target"), *Path().glob("*/*/target")]


def made(since):
    """(tree, kind) of each file: `core` and `crate` are libraries, `program` is what was linked."""
    for top in OUTPUT:
        for deps in top.rglob("deps"):
            for file in deps.iterdir():
                status = file.stat()
                if status.st_mtime < since:
                    continue
                is_metadata = file.suffix == ".rmeta" and not file.with_suffix(".rlib").exists()
                if is_metadata or file.suffix in (".rlib", ".so"):
                    name = file.name.rsplit("-", 1)[0]
                    yield tree(deps, is_metadata), "core" if name == "librxseal" else "crate"
                elif not file.suffix and status.st_mode & 0o100:
                    yield tree(deps, False), "program"


def tree(deps, is_metadata):
    """`target/debug/deps` is "dev", `target/tests/trybuild/debug/deps` is "tests/trybuild dev"."""
    *folders, profile = deps.parent.parts
    place = [f for f in folders if f != "target" and not f.endswith(("-gnu", "-musl"))]
    kind = "check" if is_metadata else {"debug": "dev"}.get(profile, profile)
    return " ".join(["/".join(place), kind]).strip()


def part(since):
    found = Counter(kind for _, kind in made(since))
    if found:
        print(f"{found['core'] + found['crate']} crates, {found['core']} x rxseal, {found['program']} programs")


def trees(since):
    found = Counter(made(since))
    print(f"{'tree':24} {'crates':>7} {'of these rxseal':>16} {'programs':>9}")
    for name in sorted({name for name, _ in found}):
        core = found[name, "core"]
        print(f"{name:24} {core + found[name, 'crate']:7} {core:16} {found[name, 'program']:9}")


{"part": part, "trees": trees}[sys.argv[1]](float(sys.argv[2]))
