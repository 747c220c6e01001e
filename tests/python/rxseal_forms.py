"""docs/NORMAL-FORMS.md: the normal forms of names, dates, numbers and identifiers. Rule numbers are those of that page.

The properties of characters come from the package `unicodedata2` 16.0.0, since Python has those of another Unicode in each release.
"""

from __future__ import annotations

import calendar
import functools
import re
from typing import Callable

import rxseal_metaphone
from rxseal_reference import Refused

MAX_FORM = 256
TRIM = "\t\n\f\r "
GROUPING = "\t \u00a0\u202f-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
PLACEHOLDER_NAMES = (b"unknown", b"test", b"babyboy", b"babygirl")
PLACEHOLDER_DATES = (b"1900-01-01", b"1800-01-01")

Form = bytes | None  # None is nothing


@functools.cache
def unicode():
    """1.5"""
    import unicodedata2

    assert unicodedata2.unidata_version == "16.0.0"
    return unicodedata2


def refuse(why: str) -> Refused:
    return Refused("not-indexable", why)


def form_of(text: str) -> Form:
    """1.2"""
    form = text.encode()
    if len(form) > MAX_FORM:
        raise refuse("a form of more than 256 bytes")
    return form or None


def ungrouped(text: str) -> str:
    """1.3"""
    return "".join(c for c in text if c not in GROUPING)


# ---------------------------------------------------------------------------------------------------------------------
# 2. Names
# ---------------------------------------------------------------------------------------------------------------------

PARTICLES = set("al bin da de del der di dos du el ibn la le mac mc o san st ten van von y zu".split())
SUFFIXES = set("jr sr ii iii iv v md phd esq".split())
SPELLED = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "ŧ": "t", "þ": "th"}
SPELLED |= {"ı": "i", "ŋ": "n", "\u03c2": "\u03c3"}
DELETED = "\u0027\u0060\u2018\u2019.\u0640" + "".join(map(chr, range(0x02B9, 0x02C0)))
DROPPED = (
    (0x0300, 0x036F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0x180B, 0x180F),
    (0xFE00, 0xFE0F),
    (0xE0100, 0xE01EF),
)
MAX_CHARACTERS = 256

# Case pairs that Unicode 15 and 16 added. Those of older versions are in Python, and never change.
NEWER_CASE = {0x1C89: 0x1C8A, 0xA7CB: 0x0264, 0xA7CC: 0xA7CD, 0xA7DA: 0xA7DB, 0xA7DC: 0x019B}
NEWER_CASE |= {upper: upper + 0x20 for upper in range(0x10D50, 0x10D66)}


def decompose(text: str) -> str:
    """2.2"""
    text = unicode().normalize("NFKD", text)
    return "".join(c for c in text if not any(first <= ord(c) <= last for first, last in DROPPED))


def lower(char: str) -> str:
    """1.5: the simple lower-case mapping. Only U+0130 has a longer one in Python, which begins with the simple one."""
    return chr(NEWER_CASE[ord(char)]) if ord(char) in NEWER_CASE else char.lower()[0]


def fold(text: str) -> str:
    """2.1 to 2.4"""
    if any(unicode().category(c) in ("Cn", "Cc", "Co", "Cs") for c in text):
        raise refuse("an unassigned, control or private character")
    text = decompose("".join(lower(c) for c in decompose(text)))
    return "".join(SPELLED.get(c, c) for c in text)


def tokens(text: str) -> list[str]:
    """2.5. (`str.split` without an argument would also split at what Python takes for white space.)"""
    kept = [c for c in fold(text) if c not in DELETED and unicode().category(c) != "Cf"]
    spaced = "".join(c if unicode().category(c)[0] in "LMN" else " " for c in kept)
    found = [token for token in spaced.split(" ") if token]
    if sum(map(len, found)) > MAX_CHARACTERS:
        raise refuse("more than 256 characters")
    return found


def nfc(text: str) -> Form:
    return form_of(unicode().normalize("NFC", text))


def family_tokens(text: str) -> list[str]:
    """2.6"""
    found = tokens(text)
    while len(found) > 1 and found[-1] in SUFFIXES:
        found.pop()
    return found


def whole(found: list[str]) -> Form:
    """2.7"""
    form = nfc("".join(found))
    return None if form in PLACEHOLDER_NAMES else form


def words(found: list[str]) -> list[str]:
    """2.8"""
    made, run = [], ""
    for token in found:
        run += token
        if token not in PARTICLES:
            made.append(run)
            run = ""
    return made + ([run] if run else [])


def family(text: str) -> Form:
    """2.9"""
    return whole(family_tokens(text))


def given(text: str) -> Form:
    """2.10"""
    found = tokens(text)
    return None if whole(found) is None else nfc(words(found)[0])


def family_parts(text: str) -> list[bytes]:
    """2.9"""
    found = family_tokens(text)
    form = whole(found)
    return [] if form is None else list(dict.fromkeys([form, *map(nfc, words(found))]))


def given_parts(text: str) -> list[bytes]:
    """2.10"""
    found = tokens(text)
    return [] if whole(found) is None else list(dict.fromkeys(map(nfc, words(found))))


# ---------------------------------------------------------------------------------------------------------------------
# 3. Dates
# ---------------------------------------------------------------------------------------------------------------------

def date(text: str) -> Form:
    text = text.strip(TRIM)
    if re.fullmatch(r"([0-9]{4}(-(0[1-9]|1[0-2]))?)?", text):
        return None
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        raise refuse("not YYYY-MM-DD")
    year, month, day = (int(part) for part in text.split("-"))
    if year == 0 or not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        raise refuse("no such day")
    return None if text.encode() in PLACEHOLDER_DATES else text.encode()


# ---------------------------------------------------------------------------------------------------------------------
# 4. Phone numbers
# ---------------------------------------------------------------------------------------------------------------------


GAP = re.escape(GROUPING)
EXTENSION = re.compile(rf"(;ext=|extension|ext\.|ext|x|#)[{GAP}]*[0-9]{{1,8}}[{GAP}]*", re.ASCII | re.IGNORECASE)


def phone(text: str) -> Form:
    text = text.strip(GROUPING)
    if not text:
        return None
    international = text.startswith("+")
    text = text.removeprefix("+")
    digits = ""
    for at, c in enumerate(text):
        if c in "0123456789":
            digits += c
        elif c not in GROUPING + "()./":
            if EXTENSION.fullmatch(text, at) is None:
                raise refuse("not a phone number")
            break
        if len(digits) > 15:
            raise refuse("more than 15 digits")
    number = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    if len(set(number)) == 1:
        return None
    if international:
        if re.fullmatch(r"[1-9][0-9]{7,14}", digits) is None or "(0)" in text:
            raise refuse("not an international number")
        return b"+" + digits.encode()
    if re.fullmatch(r"[2-9][0-9]{2}[2-9][0-9]{6}", number) is None:
        raise refuse("not a number of North America")
    return b"+1" + number.encode()


# ---------------------------------------------------------------------------------------------------------------------
# 5. Identifiers
# ---------------------------------------------------------------------------------------------------------------------


def number_of(text: str, count: int) -> str | None:
    text = ungrouped(text)
    if not text:
        return None
    if re.fullmatch(rf"[0-9]{{{count}}}", text) is None:
        raise refuse(f"not {count} digits")
    return text


def npi(text: str) -> Form:
    number = number_of(text, 10)
    if number is None:
        return None
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed("80840" + number))]
    if sum(n - 9 if n > 9 else n for n in doubled) % 10:
        raise Refused("bad-check-digit", "NPI")
    return number.encode()


def dea(text: str) -> Form:
    text = ungrouped(text)
    if not text:
        return None
    if re.fullmatch(r"[A-Za-z][A-Za-z9][0-9]{7}", text) is None:
        raise refuse("not a DEA number")
    d1, d2, d3, d4, d5, d6, d7 = (int(digit) for digit in text[2:])
    if (d1 + d3 + d5 + 2 * (d2 + d4 + d6)) % 10 != d7:
        raise Refused("bad-check-digit", "DEA number")
    return text.upper().encode()


def ssn(text: str) -> Form:
    number = number_of(text, 9)
    return None if number is None else number.encode()


def ndc(text: str) -> Form:
    groups = text.strip(TRIM).split("-")
    if len(groups) != 3:
        number = number_of(text.strip(TRIM), 11)
        return None if number is None else number.encode()
    if not all(re.fullmatch(r"[0-9]+", group) for group in groups):
        raise refuse("not digits")
    if tuple(map(len, groups)) not in ((4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)):
        raise refuse("other groups of digits")
    return "".join(group.zfill(size) for group, size in zip(groups, (5, 4, 2))).encode()


def ascii_upper(text: str) -> str:
    return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in text)


def ident(text: str) -> Form:
    text = ascii_upper(ungrouped(unicode().normalize("NFKD", text)))
    if not text:
        return None
    if re.fullmatch(r"[\x21-\x7e]{1,64}", text) is None:
        raise refuse("not an identifier")
    return text.encode()


def email(text: str) -> Form:
    text = text.strip(TRIM)
    if not text:
        return None
    if re.fullmatch(r"[\x21-\x7e]+", text) is None or not 0 < text.rfind("@") < len(text) - 1:
        raise refuse("not an e-mail address")
    return form_of(text.lower())


def exact(text: str) -> Form:
    return form_of(text)


# ---------------------------------------------------------------------------------------------------------------------
# 6. Sound
# ---------------------------------------------------------------------------------------------------------------------


def codes(text: str) -> list[bytes]:
    """6.1 to 6.3: the primary code, and the alternate one if it is another. The form of `sounds/1` is both."""
    name = family(text)
    if name is None or re.fullmatch(rb"[a-z]+", name) is None:
        return []
    primary, alternate = rxseal_metaphone.double_metaphone(name.decode())
    return [code.encode() for code in dict.fromkeys((primary, alternate)) if code]


NORMALIZERS: dict[str, Callable[[str], Form]] = {
    "family/1": family,
    "given/1": given,
    "date/1": date,
    "phone/1": phone,
    "npi/1": npi,
    "dea/1": dea,
    "ssn/1": ssn,
    "ndc/1": ndc,
    "id/1": ident,
    "email/1": email,
    "exact/1": exact,
}


def parts(normalizer: str, text: str) -> list[bytes]:
    """2.11 and 6.3: the forms of a record in an index of kind `parts` or `sounds`."""
    if normalizer == "family/1":
        return family_parts(text)
    if normalizer == "given/1":
        return given_parts(text)
    if normalizer == "sounds/1":
        return codes(text)
    form = NORMALIZERS[normalizer](text)
    return [] if form is None else [form]
