"""Double Metaphone (rule 6.2 of docs/NORMAL-FORMS.md), for words of the letters a to z.

Each letter has a function that adds to the two codes and says how many letters it has used.
"""

from __future__ import annotations

import functools

LONGEST = 4
VOWELS = "AEIOUY"


@functools.lru_cache(maxsize=65536)
def double_metaphone(word: str) -> tuple[str, str]:
    """The primary and the alternate code, each of at most 4 characters."""
    return _Word(word.upper()).codes()


class _Word:
    def __init__(self, text: str) -> None:
        assert text.isascii() and text.isalpha()
        self.text = text
        self.last = len(text) - 1
        self.primary = self.alternate = ""
        self.slavic = any(piece in text for piece in ("W", "K", "CZ"))

    def codes(self) -> tuple[str, str]:
        at = 1 if self.text.startswith(("GN", "KN", "PN", "WR", "PS")) else 0
        while at <= self.last and min(len(self.primary), len(self.alternate)) < LONGEST:
            at += getattr(self, _RULES[self.text[at]])(at)
        return self.primary[:LONGEST], self.alternate[:LONGEST]

    # --- looking at letters ---

    def at(self, i: int) -> str:
        return self.text[i] if 0 <= i <= self.last else "\0"

    def has(self, i: int, *pieces: str) -> bool:
        return i >= 0 and self.text.startswith(pieces, i)

    def vowel(self, i: int) -> bool:
        return self.at(i) in VOWELS

    # --- adding to the codes ---

    def add(self, primary: str, alternate: str | None = None) -> None:
        alternate = primary if alternate is None else alternate
        self.primary += primary[: max(0, LONGEST - len(self.primary))]
        self.alternate += alternate[: max(0, LONGEST - len(self.alternate))]

    # --- letters ---

    def plain(self, i: int) -> int:
        """A letter that sounds one way; doubled, it counts once."""
        self.add({"B": "P", "Q": "K", "V": "F"}.get(self.text[i], self.text[i]))
        return 2 if self.at(i + 1) == self.text[i] else 1

    def vowels(self, i: int) -> int:
        if i == 0:
            self.add("A")
        return 1

    def c(self, i: int) -> int:
        if self._hard_ch(i):
            self.add("K")
            return 2
        if i == 0 and self.has(0, "CAESAR"):
            self.add("S")
            return 2
        if self.has(i, "CH"):
            return self._ch(i)
        if self.has(i, "CZ") and not self.has(i - 2, "WICZ"):
            self.add("S", "X")
            return 2
        if self.has(i + 1, "CIA"):
            self.add("X")
            return 3
        if self.has(i, "CC") and not (i == 1 and self.at(0) == "M"):
            return self._cc(i)
        if self.has(i, "CK", "CG", "CQ"):
            self.add("K")
            return 2
        if self.has(i, "CI", "CE", "CY"):
            self.add("S", "X" if self.has(i, "CIO", "CIE", "CIA") else "S")
            return 2
        self.add("K")
        return 2 if self.has(i + 1, "C", "K", "Q") and not self.has(i + 1, "CE", "CI") else 1

    def _hard_ch(self, i: int) -> bool:
        if self.has(i, "CHIA"):
            return True
        if i <= 1 or self.vowel(i - 2) or not self.has(i - 1, "ACH"):
            return False
        return self.at(i + 2) not in "IE" or self.has(i - 2, "BACHER", "MACHER")

    def _cc(self, i: int) -> int:
        if self.has(i + 2, "I", "E", "H") and not self.has(i + 2, "HU"):
            hard = (i == 1 and self.at(0) == "A") or self.has(i - 1, "UCCEE", "UCCES")
            self.add("KS" if hard else "X")
            return 3
        self.add("K")
        return 2

    def _ch(self, i: int) -> int:
        if i > 0 and self.has(i, "CHAE"):
            self.add("K", "X")
        elif i == 0 and self.has(1, "HARAC", "HARIS", "HOR", "HYM", "HIA", "HEM") and not self.has(0, "CHORE"):
            self.add("K")
        elif (
            self.has(0, "SCH")
            or self.has(i - 2, "ORCHES", "ARCHIT", "ORCHID")
            or (i > 1 and self.has(i + 2, "T", "S"))  # 6.2: from the third letter on
            or ((i == 0 or self.has(i - 1, *"AOUE")) and (self.has(i + 2, *"LRNMBHFVW") or i + 1 == self.last))
        ):
            self.add("K")
        elif i == 0:
            self.add("X")
        elif self.has(0, "MC"):
            self.add("K")
        else:
            self.add("X", "K")
        return 2

    def d(self, i: int) -> int:
        if self.has(i, "DG"):
            soft = self.has(i + 2, "I", "E", "Y")
            self.add("J" if soft else "TK")
            return 3 if soft else 2
        self.add("T")
        return 2 if self.has(i, "DT", "DD") else 1

    def g(self, i: int) -> int:
        following = self.at(i + 1)
        if following == "H":
            return self._gh(i)
        if following == "N":
            if i == 1 and self.vowel(0) and not self.slavic:
                self.add("KN", "N")
            elif not self.has(i + 2, "EY") and not self.slavic:
                self.add("N", "KN")
            else:
                self.add("KN")
            return 2
        if self.has(i + 1, "LI") and not self.slavic:
            self.add("KL", "L")
            return 2
        first = ("Y", "ES", "EP", "EB", "EL", "EY", "IB", "IL", "IN", "IE", "EI", "ER")
        if i == 0 and self.has(1, *first):
            self.add("K", "J")
            return 2
        if (
            self.has(i + 1, "ER", "Y")
            and not self.has(0, "DANGER", "RANGER", "MANGER")
            and not self.has(i - 1, "E", "I")
            and not self.has(i - 1, "RGY", "OGY")
        ):
            self.add("K", "J")
            return 2
        if self.has(i + 1, "E", "I", "Y") or self.has(i - 1, "AGGI", "OGGI"):
            if self.has(0, "SCH") or self.has(i + 1, "ET"):
                self.add("K")
            elif self.has(i + 1, "IER"):
                self.add("J")
            else:
                self.add("J", "K")
            return 2
        self.add("K")
        return 2 if following == "G" else 1

    def _gh(self, i: int) -> int:
        if i > 0 and not self.vowel(i - 1):
            self.add("K")
        elif i == 0:
            self.add("J" if self.at(2) == "I" else "K")
        elif self.has(i - 2, *"BHD") or self.has(i - 3, *"BHD") or self.has(i - 4, *"BH"):
            pass
        elif i > 2 and self.at(i - 1) == "U" and self.has(i - 3, *"CGLRT"):
            self.add("F")
        elif self.at(i - 1) != "I":
            self.add("K")
        return 2

    def h(self, i: int) -> int:
        if (i == 0 or self.vowel(i - 1)) and self.vowel(i + 1):
            self.add("H")
            return 2
        return 1

    def j(self, i: int) -> int:
        if self.has(i, "JOSE"):
            if len(self.text) == 4:
                self.add("H")
            else:
                self.add("J", "H")
            return 1
        if i == 0:
            self.add("J", "A")
        elif self.vowel(i - 1) and not self.slavic and self.at(i + 1) in "AO":
            self.add("J", "H")
        elif i == self.last:
            self.add("J", " ")
        elif not self.has(i + 1, *"LTKSNMBZ") and not self.has(i - 1, *"SKL"):
            self.add("J")
        return 2 if self.at(i + 1) == "J" else 1

    def l(self, i: int) -> int:
        if self.at(i + 1) != "L":
            self.add("L")
            return 1
        spanish = (i == self.last - 2 and self.has(i - 1, "ILLO", "ILLA", "ALLE")) or (
            self.text.endswith(("AS", "OS", "A", "O")) and self.has(i - 1, "ALLE")
        )
        self.add("L", "" if spanish else "L")
        return 2

    def m(self, i: int) -> int:
        self.add("M")
        silent_b = self.has(i - 1, "UMB") and (i + 1 == self.last or self.has(i + 2, "ER"))
        return 2 if self.at(i + 1) == "M" or silent_b else 1

    def p(self, i: int) -> int:
        if self.at(i + 1) == "H":
            self.add("F")
            return 2
        self.add("P")
        return 2 if self.has(i + 1, "P", "B") else 1

    def r(self, i: int) -> int:
        french = i == self.last > 3 and not self.slavic and self.has(i - 2, "IE") and not self.has(i - 4, "ME", "MA")
        self.add("" if french else "R", "R")  # 6.2: from the fifth letter on
        return 2 if self.at(i + 1) == "R" else 1

    def s(self, i: int) -> int:
        if self.has(i - 1, "ISL", "YSL"):
            return 1
        if i == 0 and self.has(0, "SUGAR"):
            self.add("X", "S")
            return 1
        if self.has(i, "SH"):
            self.add("S" if self.has(i + 1, "HEIM", "HOEK", "HOLM", "HOLZ") else "X")
            return 2
        if self.has(i, "SIO", "SIA"):
            self.add("S", "S" if self.slavic else "X")
            return 3
        if (i == 0 and self.has(1, *"MNLW")) or self.has(i + 1, "Z"):
            self.add("S", "X")
            return 2 if self.has(i + 1, "Z") else 1
        if self.has(i, "SC"):
            self._sc(i)
            return 3
        french = i == self.last and self.has(i - 2, "AI", "OI")
        self.add("" if french else "S", "S")
        return 2 if self.has(i + 1, "S", "Z") else 1

    def _sc(self, i: int) -> None:
        if self.at(i + 2) == "H":
            if self.has(i + 3, "ER", "EN"):
                self.add("X", "SK")
            elif self.has(i + 3, "OO", "UY", "ED", "EM"):
                self.add("SK")
            elif i == 0 and not self.vowel(3) and self.at(3) != "W":
                self.add("X", "S")
            else:
                self.add("X")
        elif self.has(i + 2, *"IEY"):
            self.add("S")
        else:
            self.add("SK")

    def t(self, i: int) -> int:
        if self.has(i, "TION", "TIA", "TCH"):
            self.add("X")
            return 3
        if self.has(i, "TH", "TTH"):
            if self.has(i + 2, "OM", "AM") or self.has(0, "SCH"):
                self.add("T")
            else:
                self.add("0", "T")
            return 2
        self.add("T")
        return 2 if self.has(i + 1, "T", "D") else 1

    def w(self, i: int) -> int:
        if self.has(i, "WR"):
            self.add("R")
            return 2
        if i == 0 and (self.vowel(1) or self.has(0, "WH")):
            self.add("A", "F" if self.vowel(1) else "A")
        elif (
            (i == self.last and self.vowel(i - 1))
            or self.has(i - 1, "EWSKI", "EWSKY", "OWSKI", "OWSKY")
            or self.has(0, "SCH")
        ):
            self.add("", "F")
        elif self.has(i, "WICZ", "WITZ"):
            self.add("TS", "FX")
            return 4
        return 1

    def x(self, i: int) -> int:
        if i == 0:
            self.add("S")
            return 1
        french = i == self.last and (self.has(i - 3, "IAU", "EAU") or self.has(i - 2, "AU", "OU"))
        self.add("" if french else "KS")
        return 2 if self.has(i + 1, "C", "X") else 1

    def z(self, i: int) -> int:
        if self.at(i + 1) == "H":
            self.add("J")
            return 2
        slavic = self.slavic and i > 0 and self.at(i - 1) != "T"
        self.add("S", "TS" if slavic or self.has(i + 1, "ZO", "ZI", "ZA") else "S")
        return 2 if self.at(i + 1) == "Z" else 1


_RULES = {letter: "vowels" for letter in VOWELS}
_RULES |= {letter: "plain" for letter in "BFKNQV"}
_RULES |= {letter: letter.lower() for letter in "CDGHJLMPRSTWXZ"}
