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

MAX_TEXT = 256
MAX_FORM = 256
TRIM = "\t\n\v\f\r "

Form = bytes | None  # None is nothing


@functools.cache
def unicode():
    import unicodedata2

    assert unicodedata2.unidata_version == "16.0.0"
    return unicodedata2


def refuse(why: str) -> Refused:
    return Refused("not-indexable", why)


def check_text(text: str) -> str:
    """1.2"""
    if len(text.encode()) > MAX_TEXT:
        raise refuse("more than 256 bytes")
    return text


# ---------------------------------------------------------------------------------------------------------------------
# 2. Names
# ---------------------------------------------------------------------------------------------------------------------

PARTICLES = set("al bin da de del der di dos du el ibn la le mac mc o san st ten van von y zu".split())
SUFFIXES = set("jr sr ii iii iv v md phd esq".split())
LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ŋ": "n"}
DELETED = "\u0027\u2019\u02bc\u0060."
DROPPED = (
    (0x0300, 0x036F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xE0100, 0xE01EF),
)

# Case pairs that Unicode 15 and 16 added. Those of older versions are in Python, and never change.
NEWER_CASE = {0xA7CB: 0x0264, 0xA7CC: 0xA7CD, 0xA7DA: 0xA7DB, 0xA7DC: 0x019B}
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
    text = "".join(lower(c) for c in decompose(text)).replace("\u03c2", "\u03c3")
    return "".join(LETTERS.get(c, c) for c in decompose(text))


def tokens(text: str) -> list[str]:
    """2.5. (`str.split` without an argument would also split at what Python takes for white space.)"""
    kept = [c for c in fold(text) if c not in DELETED and unicode().category(c) != "Cf"]
    spaced = "".join(c if unicode().category(c)[0] in "LMN" else " " for c in kept)
    return [token for token in spaced.split(" ") if token]


def nfc(pieces: list[str]) -> bytes:
    form = unicode().normalize("NFC", "".join(pieces)).encode()
    if len(form) > MAX_FORM:
        raise refuse("a form of more than 256 bytes")
    return form


def family_tokens(text: str) -> list[str]:
    """2.6"""
    found = tokens(check_text(text))
    while len(found) > 1 and found[-1] in SUFFIXES:
        found.pop()
    return found


def family(text: str) -> Form:
    """2.7"""
    return nfc(family_tokens(text)) or None


def given(text: str) -> Form:
    """2.7"""
    return nfc(tokens(check_text(text))[:1]) or None


def family_parts(text: str) -> list[bytes]:
    """2.8, in the order of the text; the whole form first."""
    found = family_tokens(text)
    parts = [nfc(found)] if found else []
    run: list[str] = []
    for token in found:
        if token in PARTICLES:
            run.append(token)
            continue
        parts.append(nfc([token]))
        if run:
            parts.append(nfc([*run, token]))
        run = []
    return list(dict.fromkeys(parts))


def given_parts(text: str) -> list[bytes]:
    """2.8"""
    return list(dict.fromkeys(nfc([token]) for token in tokens(check_text(text))))


# ---------------------------------------------------------------------------------------------------------------------
# 3. Dates
# ---------------------------------------------------------------------------------------------------------------------

PLACEHOLDER_DATES = ("1900-01-01", "1800-01-01")


def date(text: str) -> Form:
    text = check_text(text).strip(TRIM)
    if re.fullmatch(r"([0-9]{4}(-(0[1-9]|1[0-2]))?)?", text) or text in PLACEHOLDER_DATES:
        return None
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        raise refuse("not YYYY-MM-DD")
    year, month, day = (int(part) for part in text.split("-"))
    # Python's calendar begins in the year 1; 0000 is a leap year, as 2000 is.
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year or 2000, month)[1]:
        raise refuse("no such day")
    return text.encode()


# ---------------------------------------------------------------------------------------------------------------------
# 4. Phone numbers
# ---------------------------------------------------------------------------------------------------------------------


def phone(text: str) -> Form:
    text = check_text(text).strip(TRIM)
    if not text:
        return None
    begins = re.search(r"[xX#;]|[eE][xX][tT]", text)
    if begins is not None:
        extension = text[begins.start() :]
        if re.fullmatch(r"([0-9 .:=xX#;]|[eE][xX][tT])*", extension) is None or re.search("[0-9]", extension) is None:
            raise refuse("not an extension")
        text = text[: begins.start()]
    if re.fullmatch(r"[ \-./()]*\+?[0-9 \-./()]*", text) is None:
        raise refuse("not a phone number")
    digits = re.sub(r"[^0-9]", "", text)
    if "+" in text:
        if not 8 <= len(digits) <= 15 or len(set(digits)) == 1:
            raise refuse("not 8 to 15 digits, or one of them repeated")
        return b"+" + digits.encode()
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    if re.fullmatch(r"[2-9][0-9]{2}[2-9][0-9]{6}", digits) is None or len(set(digits)) == 1:
        raise refuse("not a number of North America")
    return b"+1" + digits.encode()


# ---------------------------------------------------------------------------------------------------------------------
# 5. Identifiers
# ---------------------------------------------------------------------------------------------------------------------


def npi(text: str) -> Form:
    text = check_text(text).strip(TRIM)
    if not text:
        return None
    if re.fullmatch(r"[0-9]{10}", text) is None:
        raise refuse("not 10 digits")
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed("80840" + text))]
    if sum(n - 9 if n > 9 else n for n in doubled) % 10:
        raise Refused("bad-check-digit", "NPI")
    return text.encode()


def dea(text: str) -> Form:
    text = check_text(text).strip(TRIM)
    if not text:
        return None
    if re.fullmatch(r"[A-Za-z][A-Za-z9][0-9]{7}", text) is None:
        raise refuse("not a DEA number")
    d1, d2, d3, d4, d5, d6, d7 = (int(digit) for digit in text[2:])
    if (d1 + d3 + d5 + 2 * (d2 + d4 + d6)) % 10 != d7:
        raise Refused("bad-check-digit", "DEA number")
    return text.upper().encode()


def ssn(text: str) -> Form:
    text = check_text(text).replace(" ", "").replace("-", "")
    if not text:
        return None
    if re.fullmatch(r"[0-9]{9}", text) is None:
        raise refuse("not 9 digits")
    return text.encode()


def ndc(text: str) -> Form:
    text = check_text(text).strip(TRIM)
    if not text:
        return None
    if re.fullmatch(r"[0-9]{11}", text):
        return text.encode()
    groups = text.split("-")
    if re.fullmatch(r"[0-9-]*", text) is None or tuple(map(len, groups)) not in ((4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)):
        raise refuse("not an NDC of 11 digits or with hyphens")
    return "".join(group.zfill(size) for group, size in zip(groups, (5, 4, 2))).encode()


def ascii_upper(text: str) -> str:
    return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in text)


def ident(text: str) -> Form:
    text = unicode().normalize("NFKC", check_text(text))
    text = ascii_upper(text).replace(" ", "").replace("-", "")
    if not text:
        return None
    if re.fullmatch(r"[\x21-\x7e]{1,64}", text) is None:
        raise refuse("not an identifier")
    return text.encode()


def email(text: str) -> Form:
    text = check_text(text).strip(TRIM)
    if not text:
        return None
    if re.fullmatch(r"[\x21-\x7e]+", text) is None or "@" not in text[1:-1]:
        raise refuse("not an e-mail address")
    return text.lower().encode()


def exact(text: str) -> Form:
    return check_text(text).encode() or None


# ---------------------------------------------------------------------------------------------------------------------
# 6. Sound
# ---------------------------------------------------------------------------------------------------------------------


def codes(text: str) -> list[bytes]:
    """6.1 to 6.3: the primary code, and the alternate one if it is another."""
    whole = family(text)
    if whole is None or re.fullmatch(rb"[a-z]+", whole) is None:
        return []
    primary, alternate = rxseal_metaphone.double_metaphone(whole.decode())
    return [code.encode() for code in dict.fromkeys((primary, alternate)) if code]


def sounds(text: str) -> Form:
    found = codes(text)
    return found[0] if found else None


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
    "sounds/1": sounds,
}


def parts(normalizer: str, text: str) -> list[bytes]:
    """2.9 and 6.3: the forms of a record in an index of kind `parts` or `sounds`."""
    if normalizer == "family/1":
        return family_parts(text)
    if normalizer == "given/1":
        return given_parts(text)
    form = NORMALIZERS[normalizer](text)
    return [] if form is None else [form]
