"""Scenarios of normal forms (docs/NORMAL-FORMS.md). The expected forms are written by hand from that page."""

from __future__ import annotations

import hashlib
from typing import Any

import rxseal_forms as f
import rxseal_vectors as v

REFUSED = "not-indexable"
CHECK = "bad-check-digit"


def scenarios(s: v.Scenarios) -> None:
    for add in (names, parts, dates, phones, numbers, identifiers, sounds, tables):
        add(s)


def run(given: dict[str, Any]) -> dict[str, Any]:
    """What a `normal_form` scenario comes to."""
    normalizer = given["normalizer"]
    if "blocks" in given:
        return {"digests": digests(given["blocks"])}
    if normalizer == "sounds/1":
        return {"codes": [code.decode() for code in f.codes(given["text"])]}
    form = f.NORMALIZERS[normalizer](given["text"])
    results: dict[str, Any] = {"form": None if form is None else form.decode()}
    if normalizer in ("family/1", "given/1"):
        results["parts"] = sorted(part.decode() for part in f.parts(normalizer, given["text"]))
    return results


def _add(s: v.Scenarios, slug: str, rule: str, normalizer: str, text: str, wanted: dict[str, Any] | str) -> None:
    expect, results = (wanted, {}) if isinstance(wanted, str) else ("ok", wanted)
    about = f"{normalizer}: {slug}"
    given = {"normalizer": normalizer, "text": text}
    slug = f"form-{normalizer.split('/')[0]}-{slug}"
    s.list.append(
        (slug, {"description": about, "rule": f"NORMAL-FORMS {rule}", "test": "normal_form", **given, "expect": expect, **results})
    )


NAMES: list[tuple[str, str, str, str | None]] = [
    # slug, rule, text, whole form of family/1
    ("ascii", "2.7", "Smith", "smith"),
    ("apostrophe", "2.5", "O'Brien", "obrien"),
    ("apostrophe-curly", "2.5", "O\u2019Brien", "obrien"),
    ("apostrophe-letter", "2.5", "O\u02bcBrien", "obrien"),
    ("apostrophe-grave", "2.5", "O`Brien", "obrien"),
    ("apostrophe-acute", "2.5", "O\u00b4Brien", "obrien"),
    ("apostrophe-left", "2.5", "O\u2018Brien", "obrien"),
    ("apostrophe-n", "2.2", "\u0149emba", "nemba"),
    ("hyphen", "2.7", "Smith-Jones", "smithjones"),
    ("particles", "2.7", "De La Cruz", "delacruz"),
    ("particles-joined", "2.7", "DeLaCruz", "delacruz"),
    ("particles-hyphens", "2.7", "de-la-Cruz", "delacruz"),
    ("accent", "2.2", "Pe\u00f1a", "pena"),
    ("accent-decomposed", "2.2", "Pen\u0303a", "pena"),
    ("accents", "2.2", "Nguy\u1ec5n", "nguyen"),
    ("sharp-s", "2.4", "Stra\u00dfe", "strasse"),
    ("sharp-s-capital", "2.4", "STRA\u1e9eE", "strasse"),
    ("ae", "2.4", "\u00c6rø", "aero"),
    ("oe", "2.4", "C\u0153ur", "coeur"),
    ("o-slash", "2.4", "\u00d8ster", "oster"),
    ("o-slash-acute", "2.4", "\u01fester", "oster"),
    ("d-stroke", "2.4", "\u0110or\u0111evi\u0107", "dordevic"),
    ("eth", "2.4", "Gu\u00f0r\u00fan", "gudrun"),
    ("l-stroke", "2.4", "\u0141uczak", "luczak"),
    ("thorn", "2.4", "\u00de\u00f3r", "thor"),
    ("eng", "2.4", "\u014aeri", "neri"),
    ("turkish-dotless", "2.4", "I\u015f\u0131k", "isik"),
    ("turkish-dotted", "2.3", "\u0130nan", "inan"),
    ("umlaut", "2.2", "M\u00fcller", "muller"),
    ("umlaut-ae", "2.2", "Mueller", "mueller"),
    ("final-sigma", "2.3", "\u03a0\u0391\u03a0\u03a0\u0391\u03a3", "\u03c0\u03b1\u03c0\u03c0\u03b1\u03c3"),
    ("final-sigma-small", "2.3", "\u03c0\u03b1\u03c0\u03c0\u03ac\u03c2", "\u03c0\u03b1\u03c0\u03c0\u03b1\u03c3"),
    ("cyrillic", "2.3", "\u0418\u0432\u0430\u043d\u043e\u0432", "\u0438\u0432\u0430\u043d\u043e\u0432"),
    ("cyrillic-short-i", "2.2", "\u0419\u043e\u0433\u0430\u043d", "\u0438\u043e\u0433\u0430\u043d"),
    ("hebrew-points", "2.5", "\u05db\u05bc\u05b9\u05d4\u05b5\u05df", "\u05db\u05b9\u05bc\u05d4\u05b5\u05df"),
    ("arabic", "2.5", "\u0639\u0628\u062f \u0627\u0644\u0644\u0647", "\u0639\u0628\u062f\u0627\u0644\u0644\u0647"),
    ("devanagari", "2.5", "\u0915\u0943\u0937\u094d\u0923", "\u0915\u0943\u0937\u094d\u0923"),
    ("devanagari-nukta", "2.7", "\u0958\u093e\u0926\u093f\u0930", "\u0915\u093c\u093e\u0926\u093f\u0930"),
    ("thai", "2.5", "\u0e40\u0e19\u0e37\u0e49\u0e2d", "\u0e40\u0e19\u0e37\u0e49\u0e2d"),
    ("sinhala-joiner", "2.5", "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0dc1\u0dca\u0dbb\u0dd3"),
    ("hangul", "2.7", "\uae40", "\uae40"),
    ("hangul-jamo", "2.7", "\u1100\u1175\u11b7", "\uae40"),
    ("han", "2.7", "\u738b\u5c0f\u660e", "\u738b\u5c0f\u660e"),
    ("han-compatibility", "2.2", "\uf9e1", "\u674e"),
    ("han-variation", "2.2", "\u845b\U000e0100\u57ce", "\u845b\u57ce"),
    ("full-width", "2.2", "\uff33\uff4d\uff49\uff54\uff48", "smith"),
    ("ligature", "2.2", "\ufb03nger", "ffinger"),
    ("georgian", "2.3", "\u1c92\u1c98", "\u10d2\u10d8"),
    ("garay", "2.3", "\U00010d50", "\U00010d70"),
    ("cherokee", "2.3", "\u13a0", "\uab70"),
    ("digits", "2.5", "Smith 3", "smith3"),
    ("soft-hyphen", "2.5", "Smi\u00adth", "smith"),
    ("zero-width-space", "2.5", "Smi\u200bth", "smith"),
    ("byte-order-mark", "2.5", "\ufeffSmith", "smith"),
    ("no-break-space", "2.2", "De\u00a0La\u00a0Cruz", "delacruz"),
    ("spaces", "2.5", "  Smith   Jones ", "smithjones"),
    ("comma", "2.6", "Smith, Jr.", "smith"),
    ("suffix-sr", "2.6", "Smith Sr", "smith"),
    ("suffix-two", "2.6", "Smith III MD", "smith"),
    ("suffix-dots", "2.6", "Smith M.D.", "smith"),
    ("suffix-phd", "2.6", "Smith Ph.D., Esq.", "smith"),
    ("suffix-roman", "2.6", "Smith \u2162", "smith"),
    ("suffix-alone", "2.6", "Sr", "sr"),
    ("suffix-all", "2.6", "Jr Sr", "jr"),
    ("suffix-inside", "2.6", "Jr Smith", "jrsmith"),
    ("suffix-joined", "2.6", "SmithJr", "smithjr"),
    ("empty", "1.3", "", None),
    ("only-marks", "2.7", "\u0301\u0308", None),
    ("marks-many", "2.2", "\u0301" * 500, None),
    ("placeholder", "2.7", "Unknown", None),
    ("placeholder-spaces", "2.7", "Baby Boy", None),
    ("placeholder-suffix", "2.7", "Test, Jr.", None),
    ("placeholder-part", "2.7", "Test-Smith", "testsmith"),
    ("h-stroke", "2.4", "\u0126al", "hal"),
    ("t-stroke", "2.4", "\u0166al", "tal"),
    ("arabic-filler", "2.5", "\u0639\u0640\u0628\u062f", "\u0639\u0628\u062f"),
    ("ayin", "2.5", "Sa\u02bfd", "sad"),
    ("only-signs", "2.7", " .-'&/ ", None),
    ("only-format", "2.7", "\u200b\u200d", None),
    ("longest", "1.2", "n" * 256, "n" * 256),
    ("longest-utf8", "1.2", "\u0438" * 128, "\u0438" * 128),
    ("longest-spaces", "2.5", " n" * 256, "n" * 256),
]

NAMES_REFUSED = [
    ("too-long", "2.5", "n" * 257),
    ("too-long-words", "2.5", "nnn " * 86),
    ("too-long-utf8", "2.7", "\u0438" * 129),
    ("suffix-too-long", "2.5", "n" * 254 + " iii"),
    ("grows-too-long", "1.2", "\ufdfa" * 9),
    ("nul", "2.1", "Smith\0"),
    ("newline", "2.1", "Smith\n"),
    ("tab", "2.1", "Smith\tJones"),
    ("delete", "2.1", "Smith\x7f"),
    ("next-line", "2.1", "Smith\u0085"),
    ("private", "2.1", "\ue000"),
    ("private-plane", "2.1", "\U000f0000"),
    ("unassigned", "2.1", "\u0378"),
    ("unassigned-plane", "2.1", "\U000e1000"),
    ("noncharacter", "2.1", "\ufffe"),
    ("unicode-17", "2.1", "\U00016ea0"),
]


def names(s: v.Scenarios) -> None:
    for slug, rule, text, form in NAMES:
        _add(s, slug, rule, "family/1", text, {"form": form, "parts": run({"normalizer": "family/1", "text": text})["parts"]})
    for slug, rule, text in NAMES_REFUSED:
        _add(s, slug, rule, "family/1", text, REFUSED)
        _add(s, slug, rule, "given/1", text, REFUSED)
    for slug, text, form, more in [
        ("two", "Jos\u00e9 Eduardo", "jose", ["eduardo"]),
        ("hyphen", "Mary-Ann", "mary", ["ann"]),
        ("joined", "Maryann", "maryann", []),
        ("suffix", "John Jr", "john", ["jr"]),
        ("suffix-alone", "V", "v", []),
        ("particle", "Mar\u00eda de los \u00c1ngeles", "maria", ["angeles", "delos"]),
        ("particle-first", "La Toya", "latoya", []),
        ("placeholder", "Baby Girl", None, []),
        ("placeholder-more", "Unknown Ann", "unknown", ["ann"]),
        ("initial", "J. Robert", "j", ["robert"]),
        ("initials", "J.R.", "jr", []),
        ("twice", "Ann Ann", "ann", []),
        ("empty", "", None, []),
        ("signs", "--", None, []),
    ]:
        every = sorted({*more, *([] if form is None else [form])})
        _add(s, slug, "2.10", "given/1", text, {"form": form, "parts": every})


def parts(s: v.Scenarios) -> None:
    for slug, text, form, more in [
        ("hyphen-parts", "Smith-Jones", "smithjones", ["smith", "jones"]),
        ("particles-parts", "De La Cruz", "delacruz", []),
        ("particles-behind", "Garc\u00eda de la Cruz", "garciadelacruz", ["garcia", "delacruz"]),
        ("particle-y", "Ram\u00f3n y Cajal", "ramonycajal", ["ramon", "ycajal"]),
        ("particle-only", "Le", "le", []),
        ("particles-only", "Van Le", "vanle", []),
        ("particle-last", "Smith Van", "smithvan", ["smith", "van"]),
        ("particle-apostrophe", "O'Brien-Smith", "obriensmith", ["obrien", "smith"]),
        ("particle-mac", "Mac Donald", "macdonald", []),
        ("suffix-parts", "Smith-Jones Jr.", "smithjones", ["smith", "jones"]),
        ("twice", "Ng Ng", "ngng", ["ng"]),
        ("nine", "a b c e f g h i j", "abcefghij", [*"abcefghij"]),
    ]:
        _add(s, slug, "2.9", "family/1", text, {"form": form, "parts": sorted({form, *more})})


def simple(s: v.Scenarios, normalizer: str, rows: list[tuple[str, str, str, str | None, str | None]]) -> None:
    """slug, rule, text, form, code of the refusal"""
    for slug, rule, text, form, code in rows:
        _add(s, slug, rule, normalizer, text, code if code is not None else {"form": form})


def _good(rule: str, *rows: tuple[str, str, str | None]) -> list[tuple[str, str, str, str | None, str | None]]:
    return [(slug, rule, text, form, None) for slug, text, form in rows]


def _bad(rule: str, *rows: tuple[str, str], code: str = REFUSED) -> list[tuple[str, str, str, str | None, str | None]]:
    return [(slug, rule, text, None, code) for slug, text in rows]


def dates(s: v.Scenarios) -> None:
    day = "1970-01-31"
    simple(s, "date/1", [
        *_good("3.1", ("day", day, day), ("leap", "2000-02-29", "2000-02-29"), ("leap-4", "1996-02-29", "1996-02-29"),
               ("first", "0001-01-01", "0001-01-01"), ("last", "9999-12-31", "9999-12-31"),
               ("trimmed", f" \t{day}\r\n", day)),
        *_good("3.2", ("year", "1970", None), ("month", "1970-01", None), ("empty", "", None), ("spaces", "  ", None),
               ("placeholder", "1900-01-01", None), ("placeholder-1800", "1800-01-01", None)),
        *_bad("3.3", ("no-leap", "1970-02-29"), ("no-leap-1900", "1900-02-29"), ("day-0", "1970-01-00"), ("day-32", "1970-01-32"),
              ("april-31", "1970-04-31"), ("month-0", "1970-00-01"), ("month-13", "1970-13-01"), ("slashes", "01/02/1970"), ("dots", "31.01.1970"),
              ("compact", "19700131"), ("short", "1970-1-31"), ("time", f"{day}T00:00:00"), ("zone", f"{day}Z"), ("sign", "-1970-01-31"),
              ("five", "11970-01-31"), ("letters", "1970-Jan-31"), ("digits-other", "\u0661\u0669\u0667\u0660-01-31"), ("year-3", "970"),
              ("month-00", "1970-00"), ("year-0", "0000-01-01"), ("vertical-tab", "\v" + day), ("hyphens", "1970\u201001\u201031"), ("inner-space", "1970 -01-31"), ("nul", f"{day}\0")),
    ])  # fmt: skip


def phones(s: v.Scenarios) -> None:
    number = "+12125550143"
    simple(s, "phone/1", [
        *_good("4.4", ("ten", "2125550143", number), ("hyphens", "212-555-0143", number), ("brackets", "(212) 555-0143", number),
               ("dots", "212.555.0143", number), ("eleven", "1 212 555 0143", number), ("slash", "212/555-0143", number), ("trimmed", "\t2125550143 ", number)),
        *_good("4.3", ("plus", "+1 (212) 555-0143", number), ("berlin", "+49 30 1234567", "+49301234567"), ("shortest", "+12345678", "+12345678"),
               ("longest", "+123456789012345", "+123456789012345"), ("dashes", "+49\u201330\u00a01234567", "+49301234567")),
        *_good("4.1", ("x", "212-555-0143 x12", number), ("ext", "212-555-0143 ext. 12", number), ("ext-upper", "2125550143EXT12", number),
               ("sign", "212-555-0143 #12", number), ("rfc", "+1-212-555-0143;ext=12", number), ("extension", "212-555-0143 Extension 12345678", number)),
        *_good("4.3", ("same", "999-999-9999", None), ("same-plus", "+99999999", None), ("same-zero", "000", None), ("one", "5", None)),
        *_good("1.3", ("empty", "", None), ("spaces", "   ", None)),
        *_bad("4.1", ("x-empty", "212-555-0143 x"), ("ext-letters", "212-555-0143 ext. a"), ("ext-only", "x12"), ("ext-9", "212-555-0143 x123456789"),
              ("ext-colon", "212-555-0143 ext: 12"), ("ext-behind", "212-555-0143 x12 a"), ("kelvin", "212-555-0143 e\u212at 1")),
        *_bad("4.2", ("letters", "1-800-FLOWERS"), ("two-plus", "++12125550143"), ("plus-inside", "212+5550143"), ("comma", "212,5550143"),
              ("digits-other", "\u0662\u0661\u06625550143"), ("newline", "212555\n0143"), ("signs", "()-"), ("bracket-plus", "(+49) 30 1234567")),
        *_bad("4.4", ("seven", "555-0143"), ("nine", "212555014"), ("twelve", "112125550143"), ("eleven-2", "22125550143"), ("area-0", "0125550143"),
              ("area-1", "1125550143"), ("exchange-0", "2120550143"), ("exchange-1", "2121550143")),
        *_bad("4.3", ("plus-7", "+1234567"), ("plus-16", "+1234567890123456"), ("plus-none", "+"), ("plus-0", "+012345678"), ("plus-zero", "+44 (0)20 1234 5678")),
        *_good("4.3", ("same-1", "1-999-999-9999", None)),
    ])  # fmt: skip


def numbers(s: v.Scenarios) -> None:
    simple(s, "npi/1", [
        *_good("5.1", ("one", "1234567893", "1234567893"), ("two", "1993999998", "1993999998"), ("trimmed", " 1234567893 ", "1234567893"),
               ("nine-first", "9941339100", "9941339100"), ("grouped", "12345-67 893", "1234567893"), ("empty", "", None)),
        *_bad("5.1", ("check", "1234567890"), ("check-swap", "1234568793"), ("check-zeros", "0000000000"), code=CHECK),
        *_bad("5.1", ("nine", "123456789"), ("eleven", "12345678930"), ("newline", "1234567893\n"), ("letter", "123456789X"), ("digits-other", "\u06611234567893")),
    ])  # fmt: skip
    simple(s, "dea/1", [
        *_good("5.2", ("one", "AP5836727", "AP5836727"), ("lower", "ap5836727", "AP5836727"), ("business", "A95836727", "A95836727"),
               ("grouped", " AP-583 6727", "AP5836727"), ("empty", "", None)),
        *_bad("5.2", ("check", "AP5836728"), ("check-swap", "AP5386727"), code=CHECK),
        *_bad("5.2", ("short", "AP583672"), ("long", "AP58367271"), ("digit-first", "9P5836727"), ("second-8", "A85836727"), ("newline", "AP5836727\n"),
              ("suffix", "AP5836727-01")),
    ])  # fmt: skip
    simple(s, "ssn/1", [
        *_good("5.3", ("hyphens", "078-05-1120", "078051120"), ("spaces", " 078 05 1120 ", "078051120"), ("plain", "078051120", "078051120"),
               ("nine-first", "987-65-4320", "987654320"), ("zeros", "000-00-0000", "000000000"), ("dash", "078\u201305\u20131120", "078051120"), ("empty", "", None), ("hyphens-only", "--", None)),
        *_bad("5.3", ("eight", "07805112"), ("ten", "0780511200"), ("letter", "07805112O"), ("dots", "078.05.1120"), ("masked", "***-**-1120")),
    ])  # fmt: skip
    simple(s, "ndc/1", [
        *_good("5.4", ("4-4-2", "0002-8215-01", "00002821501"), ("5-3-2", "50242-040-62", "50242004062"), ("5-4-1", "60575-4112-1", "60575411201"),
               ("5-4-2", "00002-8215-01", "00002821501"), ("plain", "00002821501", "00002821501"), ("trimmed", " 0002-8215-01 ", "00002821501"),
               ("one-hyphen-11", "00002-821501", "00002821501"), ("spaces-11", "00002 8215 01", "00002821501"), ("empty", "", None)),
        *_bad("5.4", ("hyphens-only", "--"), ("spaces-inside", "0002 -8215-01"), ("ten", "0002821501"), ("twelve", "000028215012"), ("3-4-2", "002-8215-01"), ("5-4-3", "00002-8215-010"), ("one-hyphen", "0002-821501"),
              ("three-hyphens", "0002-82-15-01"), ("letters", "0002-8215-O1"), ("star", "0002-*215-01"), ("spaces", "0002 8215 01")),
    ])  # fmt: skip


def identifiers(s: v.Scenarios) -> None:
    simple(s, "id/1", [
        *_good("5.5", ("upper", "mrn-0042", "MRN0042"), ("zeros", "00042", "00042"), ("spaces", " W 123-456 ", "W123456"), ("signs", "a/b.c_d", "A/B.C_D"),
               ("full-width", "\uff37\uff11\uff12", "W12"), ("no-break", "W\u00a012", "W12"), ("longest", "a" * 64, "A" * 64),
               ("longest-hyphens", "a-" * 64, "A" * 64), ("dash", "W\u201312", "W12"), ("tab", "W\t12", "W12"), ("empty", "", None), ("hyphens", "- -", None)),
        *_bad("5.5", ("accent", "caf\u00e9"), ("cyrillic", "\u0410123"), ("newline", "W12\n"), ("nul", "W\0"), ("long", "a" * 65), ("grow", "\ufdfa")),
    ])  # fmt: skip
    simple(s, "email/1", [
        *_good("5.6", ("lower", "Ann@Example.ORG", "ann@example.org"), ("trimmed", " ann@example.org\n", "ann@example.org"), ("plus", "a+b@c", "a+b@c"),
               ("two", "a@b@c", "a@b@c"), ("empty", "", None), ("spaces", " ", None)),
        *_bad("5.6", ("no-at", "ann.example.org"), ("at-first", "@example.org"), ("at-last", "ann@"), ("at-last-two", "a@b@"), ("accent", "jos\u00e9@example.org"), ("space", "a n@example.org"),
              ("nul", "ann@example.org\0"), ("long", "a" * 250 + "@b.example")),
    ])  # fmt: skip
    simple(s, "exact/1", [
        *_good("5.7", ("as-is", " Ab\tC ", " Ab\tC "), ("utf8", "\u00c9\u0301", "\u00c9\u0301"), ("longest", "x" * 256, "x" * 256), ("empty", "", None)),
        *_bad("1.2", ("long", "x" * 257)),
    ])  # fmt: skip


def sounds(s: v.Scenarios) -> None:
    for slug, text, codes in [
        ("smith", "Smith", ["SM0", "XMT"]),
        ("schmidt", "Schmidt", ["XMT", "SMT"]),
        ("meyer", "Meyer", ["MR"]),
        ("meier", "Meier", ["MR"]),
        ("accent", "Jos\u00e9", ["HS"]),
        ("apostrophe", "O'Brien", ["APRN"]),
        ("thomas", "Thomas", ["TMS"]),
        ("wright", "Wright", ["RT"]),
        ("silent-k", "Knight", ["NT"]),
        ("pena", "Pe\u00f1a", ["PN"]),
        ("caesar", "Caesar", ["SSR"]),
        ("bacher", "Bacher", ["PKR"]),
        ("joined", "De La Cruz", ["TLKR"]),
        ("longer", "Gonzalez", ["KNSL"]),
        ("empty", "", []),
        ("han", "\u738b", []),
        ("cyrillic", "\u0418\u0432\u0430\u043d\u043e\u0432", []),
        ("digit", "Smith 3", []),
        ("silent", "H", []),
    ]:
        _add(s, slug, "6.2", "sounds/1", text, {"codes": codes})
    _add(s, "control", "2.1", "sounds/1", "Smith\n", REFUSED)


BLOCKS = [(first, first + 0x1000) for first in range(0, 0x4000, 0x1000)] + [
    (0x4000, 0xD800), (0xE000, 0x10000), (0x10000, 0x12000), (0x12000, 0x1C000), (0x1C000, 0x20000), (0x20000, 0x40000), (0x40000, 0x110000),
]  # fmt: skip


def digests(blocks: list[list[int]]) -> list[str]:
    """Of each block of code points: SHA-256 over what `family/1` makes of each by itself, a line for each that is not refused."""
    made = []
    for first, after in blocks:
        total = hashlib.sha256()
        for code in range(first, after):
            try:
                form = f.family(chr(code))
            except f.Refused:
                continue
            total.update(f"{code:X} {'' if form is None else form.decode()}\n".encode())
        made.append(total.hexdigest())
    return made


def tables(s: v.Scenarios) -> None:
    blocks = [list(block) for block in BLOCKS]
    given = {"normalizer": "family/1", "blocks": blocks}
    about = "family/1 of every code point: SHA-256 of a line for each that is not refused, `HEX FORM\\n`"
    s.list.append(
        ("form-family-every", {"description": about, "rule": "NORMAL-FORMS 1.5", "test": "normal_form", **given, "expect": "ok", "digests": digests(blocks)})
    )
