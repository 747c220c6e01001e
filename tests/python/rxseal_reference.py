#!/usr/bin/env python3
"""An independent implementation of docs/FORMAT.md (rxseal wire format, version 1).

It was written from that page and docs/NORMAL-FORMS.md alone, without looking at the Rust crate, so that the two can be compared. Numbers such
as `8.5` in the comments are rule numbers of docs/FORMAT.md. The code is clear rather than fast, and it is not for
production: Python can neither wipe keys nor promise constant time.

It needs Python 3.11 and the package `cryptography`, and uses three primitives of it: the AES block function,
AES-256-GCM and ChaCha20-Poly1305 (RFC 8439). Normal forms need the package `unicodedata2` 16.0.0. HKDF, XAES-256-GCM and XChaCha20-Poly1305 are built here. To write an
implementation of your own, start with docs/IMPLEMENTERS.md.

    rxseal_reference.py selftest                      published test vectors and round trips
    rxseal_reference.py vectors DIR                   write every file of tests/vectors
    rxseal_reference.py check DIR                     make them again, compare, and run each one
    rxseal_reference.py explain [--check FORMAT.md]   section 12 of docs/FORMAT.md
    rxseal_reference.py open  < requests.jsonl        one JSON line in, one JSON line out
    rxseal_reference.py seal  < requests.jsonl
    rxseal_reference.py index < requests.jsonl        index values; the members of an `index_value` vector
    rxseal_reference.py form  < requests.jsonl        normal forms; the members of a `normal_form` vector
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import itertools
import json
import os
import re
import struct
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305


class Refused(Exception):
    """The format rejects something. `code` is the stable error code; the text after it is for people."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


class BadRequest(Exception):
    """The caller asked for something that no rule covers: a wrong use of this program."""


# ---------------------------------------------------------------------------------------------------------------------
# 1. Conventions: base64url, names, identifiers, keys
# ---------------------------------------------------------------------------------------------------------------------

KEY_BYTES = 32
KEY_ID_BYTES = 6
TAG_BYTES = 16


def b64(data: bytes) -> str:
    """1.2: base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes | None:
    """1.2: strict. Returns None for a wrong length, another character, padding, white space, or a non-zero unused bit."""
    if len(text) % 4 == 1 or re.fullmatch(r"[A-Za-z0-9_-]*", text) is None:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return data if b64(data) == text else None


def check_name(text: str) -> str:
    """1.3"""
    if not isinstance(text, str) or re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text) is None:
        raise Refused("invalid-id", "not a name")
    return text


UUID_ANY_CASE = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


def check_identifier(text: str) -> str:
    """1.4 and 1.6"""
    if not isinstance(text, str) or re.fullmatch(r"[\x21-\x7e]{1,255}", text) is None:
        raise Refused("invalid-id", "not 1 to 255 bytes of printable ASCII without space")
    if re.fullmatch(UUID_ANY_CASE, text) is not None and re.search(r"[A-F]", text) is not None:
        raise Refused("invalid-id", "a UUID with an upper-case digit")
    if re.fullmatch(r"\{" + UUID_ANY_CASE + r"\}", text) is not None:
        raise Refused("invalid-id", "a UUID in braces")
    if text.lower().startswith("urn:uuid:"):
        raise Refused("invalid-id", "a UUID as a URN")
    return text


def identifier_of_integer(number: int) -> str:
    """1.5: the shortest decimal."""
    return str(number)


def identifier_of_uuid(sixteen_bytes: bytes) -> str:
    """1.5: lower-case and hyphenated."""
    digits = sixteen_bytes.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def check_key(key: bytes) -> bool:
    """1.8: 32 bytes, not all of them zero."""
    return len(key) == KEY_BYTES and any(key)


# ---------------------------------------------------------------------------------------------------------------------
# 2. Frames
# ---------------------------------------------------------------------------------------------------------------------


def frame(*parts: tuple[int, bytes | str | None]) -> bytes:
    """2.1: `tag (1) | length (4) | bytes` for each part; None is an absent part, b"" an empty one."""
    present = [(tag, p.encode("ascii") if isinstance(p, str) else p) for tag, p in parts if p is not None]
    tags = [tag for tag, _ in present]
    assert tags and tags[0] == 0, "part 0 is always there"
    assert all(a < b for a, b in zip(tags, tags[1:])), "tags are strictly ascending"
    return b"".join(struct.pack(">BI", tag, len(p)) + p for tag, p in present)


def u64(number: int) -> bytes:
    """1.1: big-endian; the 8 bytes that 2.3 asks for in generations and times."""
    return struct.pack(">Q", number)


# ---------------------------------------------------------------------------------------------------------------------
# 3. Derivation
# ---------------------------------------------------------------------------------------------------------------------


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf_expand_32(prk: bytes, info: bytes) -> bytes:
    """RFC 5869 section 2.3 with L = 32: exactly one block, T(1) = HMAC(PRK, info | 0x01)."""
    return hmac_sha256(prk, info + b"\x01")


def hkdf_32(salt: bytes, ikm: bytes, info: bytes) -> bytes:
    """RFC 5869, Extract and Expand, L = 32."""
    return hkdf_expand_32(hmac_sha256(salt, ikm), info)


# 3.2: which parts each purpose has. No purpose takes any other part; 3.6 reserves `compact`.
PURPOSE_PARTS = {
    "fingerprint": {"keyspace"},
    "seal": {"keyspace", "letter", "name"},
    "subject": {"keyspace", "letter", "name"},
    "wrap": {"keyspace", "letter"},
    "record": {"keyspace"},
    "index": {"keyspace", "name"},
    "body": {"keyspace", "letter", "generation"},
    "root-wrap": set(),
    "root-name": set(),
}


def key_info(purpose: str, **given: Any) -> bytes:
    """3.2: keyspace (part 2), letter (3), name = class or index id (4), generation (5)."""
    assert set(given) == PURPOSE_PARTS[purpose], f"wrong parts for the purpose {purpose}"
    assert purpose not in ("wrap", "body") or given["letter"] == "x"
    generation = given.get("generation")
    return frame(
        (0, "rxseal/v1/key"),
        (1, purpose),
        (2, given.get("keyspace")),
        (3, given.get("letter")),
        (4, given.get("name")),
        (5, None if generation is None else u64(generation)),
    )


def derive(key: bytes, purpose: str, **given: Any) -> bytes:
    """3.1"""
    return hkdf_expand_32(key, key_info(purpose, **given))


def fingerprint(key: bytes, keyspace: str) -> bytes:
    """3.2, purpose `fingerprint`; its first 6 bytes are the key id (3.3)."""
    return derive(key, "fingerprint", keyspace=keyspace)


def subject_info(keyspace: str, letter: str, class_id: str, subject_id: str) -> bytes:
    """3.5: the info of a field key with a subject key. There is no part 1."""
    return frame((0, "rxseal/v1/subject"), (2, keyspace), (3, letter), (4, class_id), (7, subject_id))


def field_key(dek: bytes, keyspace: str, letter: str, class_id: str, subject: tuple[str, bytes] | None) -> bytes:
    """The AEAD key of a class: 3.2 `seal`, or 3.5 when `subject` is (subject id, subject key)."""
    if subject is None:
        return derive(dek, "seal", keyspace=keyspace, letter=letter, name=class_id)
    subject_id, subject_key = subject
    ikm = derive(dek, "subject", keyspace=keyspace, letter=letter, name=class_id)
    return hkdf_32(subject_key, ikm, subject_info(keyspace, letter, class_id, subject_id))


# ---------------------------------------------------------------------------------------------------------------------
# 5. Suites
# ---------------------------------------------------------------------------------------------------------------------


def aes256_block(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def xor(a: bytes, b: bytes) -> bytes:
    assert len(a) == len(b)
    return bytes(x ^ y for x, y in zip(a, b))


def xaes_steps(key: bytes, nonce: bytes) -> dict[str, bytes]:
    """5.2: L, K1, M1, M2 and Kx."""
    assert len(key) == KEY_BYTES and len(nonce) == 24
    l_block = aes256_block(key, bytes(16))
    k1_bytes = bytearray(((int.from_bytes(l_block, "big") << 1) & (2**128 - 1)).to_bytes(16, "big"))
    if l_block[0] & 0x80:
        k1_bytes[15] ^= 0x87
    k1 = bytes(k1_bytes)
    m1 = b"\x00\x01X\x00" + nonce[:12]
    m2 = b"\x00\x02X\x00" + nonce[:12]
    kx = aes256_block(key, xor(m1, k1)) + aes256_block(key, xor(m2, k1))
    return {"L": l_block, "K1": k1, "M1": m1, "M2": m2, "Kx": kx}


def xaes_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    return AESGCM(xaes_steps(key, nonce)["Kx"]).encrypt(nonce[12:], plaintext, aad)


def xaes_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    try:
        return AESGCM(xaes_steps(key, nonce)["Kx"]).decrypt(nonce[12:], sealed, aad)
    except InvalidTag:
        return None


def hchacha20(key: bytes, nonce16: bytes) -> bytes:
    """draft-irtf-cfrg-xchacha-03 section 2.2: 20 rounds of ChaCha without the final addition, words 0-3 and 12-15."""
    assert len(key) == KEY_BYTES and len(nonce16) == 16
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce16))

    def quarter(a: int, b: int, c: int, d: int) -> None:
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            v = s[z] ^ s[x]
            s[z] = ((v << turn) | (v >> (32 - turn))) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for diagonal in range(4):
            quarter(diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4)
    return struct.pack("<8I", *s[0:4], *s[12:16])


def xchacha_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """draft-irtf-cfrg-xchacha-03 section 2.3"""
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], plaintext, aad)


def xchacha_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    try:
        return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(bytes(4) + nonce[16:], sealed, aad)
    except InvalidTag:
        return None


def aead_steps(letter: str, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> dict[str, str]:
    """5.2 and 5.5, with every intermediate value in hexadecimal. `nonce` is that of the AEAD, 24 bytes."""
    if letter == "c":
        steps = {"subkey": hchacha20(key, nonce[:16]), "inner_nonce": bytes(4) + nonce[16:]}
        sealed = xchacha_seal(key, nonce, plaintext, aad)
    else:
        steps = xaes_steps(key, nonce)
        sealed = xaes_seal(key, nonce, plaintext, aad)
    named = {f"{name}_hex": value.hex() for name, value in steps.items()}
    return named | {"ciphertext_hex": sealed[:-TAG_BYTES].hex(), "tag_hex": sealed[-TAG_BYTES:].hex()}


@dataclass(frozen=True)
class Suite:
    """One row of the table of section 5."""

    magic: bytes  # 6.1
    wire_nonce: int
    seal: Callable[[bytes, bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes, bytes], bytes | None]


SUITES = {
    "X": Suite(bytes.fromhex("af1b17"), 12, xaes_seal, xaes_open),
    "x": Suite(bytes.fromhex("af1b31"), 24, xaes_seal, xaes_open),
    "c": Suite(bytes.fromhex("af1b1c"), 24, xchacha_seal, xchacha_open),
}

# 5.1: the letters that a DEK of a suite opens.
LETTERS_OF_SUITE = {"X": ("X", "x"), "c": ("c",)}


def letter_to_seal(suite: str, binding: str) -> str:
    """5.1: the letter that the writer uses."""
    if suite == "c":
        return "c"
    return "X" if binding == "bound" else "x"


# ---------------------------------------------------------------------------------------------------------------------
# 4. Context
# ---------------------------------------------------------------------------------------------------------------------

MAX_STEPS = 8


def part_path(steps: Iterable[tuple[str, str]]) -> bytes:
    """4.1: part 6 of the context"""
    return b"".join(frame((0, "rxseal/v1/part"), (1, name), (2, ident)) for name, ident in steps)


@dataclass(frozen=True)
class Context:
    keyspace: str
    record_type: str
    record_id: str | None
    binding: str  # 4.3: "bound", "wide" or "unbound"
    parts: tuple[tuple[str, str], ...] = ()
    subject_id: str | None = None

    def check(self) -> Context:
        """1.3, 1.4, 1.6, 4.1 and 4.3"""
        if self.binding not in ("bound", "wide", "unbound") or (self.binding == "unbound") != (self.record_id is None):
            raise BadRequest("binding and record_id do not agree")
        check_name(self.keyspace)
        check_name(self.record_type)
        if self.record_id is not None:
            check_identifier(self.record_id)
        if self.subject_id is not None:
            check_identifier(self.subject_id)
        if len(self.parts) > MAX_STEPS:
            raise Refused("invalid-id", "more than 8 steps")
        for name, identifier in self.parts:
            check_name(name)
            check_identifier(identifier)
        return self

    def bytes(self) -> bytes:
        """4.1"""
        return frame(
            (0, "rxseal/v1/context"),
            (1, self.keyspace),
            (2, self.record_type),
            (3, self.record_id),
            (4, self.subject_id),
            (6, part_path(self.parts) if self.parts else None),
        )

    def digest(self) -> bytes:
        """4.2"""
        return hashlib.sha256(self.bytes()).digest()


def field_aad(header: bytes, digest: bytes, field_id: str) -> bytes:
    """4.4"""
    assert len(header) == 9 and len(digest) == 32
    return header + digest + field_id.encode("ascii")


def aead_nonce(letter: str, wire_nonce: bytes, digest: bytes) -> bytes:
    """Section 5, column "nonce of the AEAD"."""
    return digest[:12] + wire_nonce if letter == "X" else wire_nonce


# ---------------------------------------------------------------------------------------------------------------------
# 7. Payload
# ---------------------------------------------------------------------------------------------------------------------

MAX_CONTENT = 16 * 1024 * 1024
MAX_PAYLOAD = MAX_CONTENT + 4096  # 6.3
RAW, TEXT, JSON = 0, 1, 2


def pad(kind: int, content: bytes, block: int) -> bytes:
    """7.2"""
    if kind not in (RAW, TEXT, JSON) or not 1 <= block <= 4096 or len(content) > MAX_CONTENT:
        raise BadRequest("kind, block or content out of range")
    payload = bytes([kind]) + content + b"\x80"
    return payload + bytes(-len(payload) % block)


def unpad(payload: bytes) -> tuple[int, bytes]:
    """7.3 and 7.4: (kind, content)."""
    end = len(payload.rstrip(b"\x00"))  # one past the last byte that is not 0x00
    if end == 0 or payload[end - 1] != 0x80:
        raise Refused("open-failed", "no padding")
    if end < 2:
        raise Refused("open-failed", "no kind before the padding")
    kind, content = payload[0], payload[1 : end - 1]
    if kind not in (RAW, TEXT, JSON):
        raise Refused("open-failed", "unknown kind")
    if len(content) > MAX_CONTENT:
        raise Refused("open-failed", "content over 16 MiB (7.1)")
    if kind in (TEXT, JSON):
        try:
            content.decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise Refused("open-failed", "not UTF-8") from None
    return kind, content


def _value_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """7.10: the last of repeated members."""
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _value_integer(text: str) -> int | float:
    """7.11: minus zero is a double, and so is a number beyond 64 bits."""
    number = int(text)
    exact = -(2**63) <= number < 2**64 and text != "-0"
    return number if exact else _value_double(text)


def _value_double(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("no double holds it")
    return number


def decode_value(kind: int, content: bytes) -> Any:
    """7.8 to 7.11: the value of content of kind 2, if a program asks for any JSON value."""
    if kind != JSON:
        raise BadRequest("only kind 2 is JSON")
    try:
        # From text, not from bytes: given bytes, Python guesses whether they are UTF-16 or UTF-32.
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_value_members,
            parse_constant=_no_constant,
            parse_int=_value_integer,
            parse_float=_value_double,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # Python lets lone surrogates pass
    except (ValueError, RecursionError):
        raise Refused("type-mismatch", "authentic, and not JSON") from None
    return value


# ---------------------------------------------------------------------------------------------------------------------
# 6. Token
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    letter: str
    key_id: bytes
    wire_nonce: bytes
    sealed: bytes  # ciphertext | tag

    @property
    def header(self) -> bytes:
        """6.1"""
        return SUITES[self.letter].magic + self.key_id

    def binary(self) -> bytes:
        return self.header + self.wire_nonce + self.sealed

    def text(self) -> str:
        """6.2"""
        return b64(self.binary())


def parse_token(token: str | bytes) -> Token:
    """6.1 to 6.4: text (str) or binary form; nothing here needs a key."""
    data = unb64(token) if isinstance(token, str) else token
    if data is None:
        raise Refused("not-a-token", "not base64url")
    letter = next((letter for letter, suite in SUITES.items() if suite.magic == data[:3]), None)
    if letter is None:
        raise Refused("not-a-token", "no known magic")
    start = 9 + SUITES[letter].wire_nonce
    if not start + 2 + TAG_BYTES <= len(data) <= start + MAX_PAYLOAD + TAG_BYTES:
        raise Refused("not-a-token", "wrong length")
    return Token(letter, data[3:9], data[9:start], data[start:])


def seal_payload(
    dek: bytes,
    key_id: bytes,
    letter: str,
    context: Context,
    field_id: str,
    class_id: str,
    subject_key: bytes | None,
    wire_nonce: bytes,
    payload: bytes,
) -> Token:
    """Seals any payload under any letter. Does not check states, suites or padding: `seal` does."""
    suite = SUITES[letter]
    if len(wire_nonce) != suite.wire_nonce:
        raise BadRequest(f"the nonce on the wire of letter {letter} has {suite.wire_nonce} bytes")
    digest = context.digest()
    subject = None if context.subject_id is None else (context.subject_id, subject_key)
    key = field_key(dek, context.keyspace, letter, class_id, subject)
    aad = field_aad(suite.magic + key_id, digest, field_id)
    return Token(letter, key_id, wire_nonce, suite.seal(key, aead_nonce(letter, wire_nonce, digest), payload, aad))


def open_payload(
    dek: bytes, token: Token, context: Context, field_id: str, class_id: str, subject_key: bytes | None
) -> bytes | None:
    suite = SUITES[token.letter]
    digest = context.digest()
    subject = None if context.subject_id is None else (context.subject_id, subject_key)
    key = field_key(dek, context.keyspace, token.letter, class_id, subject)
    aad = field_aad(token.header, digest, field_id)
    return suite.open(key, aead_nonce(token.letter, token.wire_nonce, digest), token.sealed, aad)


# ---------------------------------------------------------------------------------------------------------------------
# 8. Keyring file
# ---------------------------------------------------------------------------------------------------------------------

MAX_FILE = 1024 * 1024
MAX_NUMBER = 2**53 - 1
USES = ("seal", "index")
STATES = ("pre-active", "active", "deactivated", "compromised", "destroyed")


@dataclass(frozen=True)
class KeyEntry:
    """One object of `keys`. `suite` is None for the use `index`."""

    id: bytes
    fingerprint: bytes
    use: str
    state: str
    primary: bool
    suite: str | None
    created: int
    changed: int

    def frame(self) -> bytes:
        """2.3, `rxseal/v1/keyring-key`"""
        return frame(
            (0, "rxseal/v1/keyring-key"),
            (1, self.id),
            (2, self.fingerprint),
            (3, self.use),
            (4, self.state),
            (5, self.suite),
            (6, b"\x01" if self.primary else None),
            (7, u64(self.created)),
            (8, u64(self.changed)),
        )


@dataclass(frozen=True)
class Wrap:
    provider: str
    root_key: str
    wrapped: bytes


@dataclass
class KeyringFile:
    """A keyring file that passed 8 and 8.1. It is not authenticated yet."""

    keyspace: str
    generation: int
    kek: bytes
    keys: list[KeyEntry]
    wraps: list[Wrap]
    body: bytes
    kind: str = "full"
    version: int = 1

    def aad(self) -> bytes:
        """8.2: every key, destroyed ones included, ascending by key id."""
        return frame(
            (0, "rxseal/v1/keyring"),
            (1, bytes([self.version])),
            (2, self.keyspace),
            (3, self.kind),
            (5, u64(self.generation)),
            (8, self.kek),
            (9, b"".join(key.frame() for key in sorted(self.keys, key=lambda k: k.id))),
        )

    def write(self) -> str:
        """8.1: the canonical text."""
        keys = []
        for key in sorted(self.keys, key=lambda k: k.id):
            entry: dict[str, Any] = {
                "id": b64(key.id),
                "fingerprint": b64(key.fingerprint),
                "use": key.use,
                "state": key.state,
                "primary": key.primary,
            }
            if key.suite is not None:
                entry["suite"] = key.suite
            entry |= {"created": key.created, "changed": key.changed}
            keys.append(entry)
        document = {
            "rxseal_keyring": self.version,
            "kind": self.kind,
            "keyspace": self.keyspace,
            "generation": self.generation,
            "kek": b64(self.kek),
            "keys": keys,
            "wraps": [{"provider": w.provider, "root_key": w.root_key, "wrapped": b64(w.wrapped)} for w in self.wraps],
            "body": b64(self.body),
        }
        return json.dumps(document, indent=2) + "\n"


def invalid(why: str) -> Refused:
    return Refused("invalid-keyring", why)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """8.1: a repeated member. Names are compared after JSON's escapes are undone."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise invalid("repeated member")
    return members


def _integer(text: str) -> int:
    if text.startswith("-") or len(text) > 16:
        raise invalid("number out of range")
    return int(text)


def _not_an_integer(text: str) -> Any:
    raise invalid(f"not an integer: {text[:20]}")


def strict_json(text: str) -> Any:
    """RFC 8259, but numbers are unsigned integers only: no sign, no fraction, no exponent (1.1)."""
    try:
        if len(text.encode("utf-8")) > MAX_FILE:
            raise invalid("over 1 MiB")
        return json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_not_an_integer,
            parse_constant=_not_an_integer,
        )
    except (ValueError, RecursionError):  # UnicodeEncodeError and JSONDecodeError are ValueErrors
        raise invalid("not JSON") from None


class Members:
    """Takes the members of one JSON object, each exactly once; `end` refuses what is left over."""

    def __init__(self, value: Any) -> None:
        if type(value) is not dict:
            raise invalid("not an object")
        self.rest = dict(value)

    def take(self, name: str, kind: type) -> Any:
        if name not in self.rest:
            raise invalid(f"no member {name}")
        value = self.rest.pop(name)
        if type(value) is not kind:  # not isinstance: True is an int for Python
            raise invalid(f"wrong type of {name}")
        return value

    def number(self, name: str, least: int) -> int:
        value = self.take(name, int)
        if not least <= value <= MAX_NUMBER:
            raise invalid(f"{name} out of range")
        return value

    def choice(self, name: str, choices: Iterable[str]) -> str:
        value = self.take(name, str)
        if value not in choices:
            raise invalid(f"unknown {name}")
        return value

    def data(self, name: str, least: int, most: int | None = None) -> bytes:
        data = unb64(self.take(name, str))
        if data is None or len(data) < least or (most is not None and len(data) > most):
            raise invalid(f"{name} is not base64url of the right length")
        return data

    def name(self, name: str) -> str:
        try:
            return check_name(self.take(name, str))
        except Refused as refused:
            raise refused if refused.code == "invalid-keyring" else invalid(f"{name} is not a name") from None

    def array(self, name: str, most: int) -> list[Any]:
        value = self.take(name, list)
        if not 1 <= len(value) <= most:
            raise invalid(f"{name} has {len(value)} elements")
        return value

    def end(self) -> None:
        if self.rest:
            raise invalid("unknown member")


def _read_key(value: Any) -> KeyEntry:
    m = Members(value)
    use = m.choice("use", USES)
    key = KeyEntry(
        id=m.data("id", KEY_ID_BYTES, KEY_ID_BYTES),
        fingerprint=m.data("fingerprint", 32, 32),
        use=use,
        state=m.choice("state", STATES),
        primary=m.take("primary", bool),
        suite=m.choice("suite", ("X", "c")) if use == "seal" else None,  # `suite` on an index root is left over
        created=m.number("created", 0),
        changed=m.number("changed", 0),
    )
    m.end()
    if not key.fingerprint.startswith(key.id):
        raise invalid("a key id that is not the start of its fingerprint")
    if key.primary and key.state != "active":
        raise invalid("a primary that is not active")
    return key


def _read_wrap(value: Any) -> Wrap:
    m = Members(value)
    provider = m.name("provider")
    root_key = m.take("root_key", str)
    if re.fullmatch(r"[\x21-\x7e]{1,2048}", root_key) is None:
        raise invalid("root_key is not 1 to 2,048 bytes of printable ASCII without space")
    wrap = Wrap(provider, root_key, m.data("wrapped", 1, 8192))
    m.end()
    return wrap


def read_keyring(text: str) -> KeyringFile:
    """8 and 8.1: everything that can be refused before a provider is called."""
    m = Members(strict_json(text))
    if m.take("rxseal_keyring", int) != 1:
        raise invalid("unknown format version")
    m.choice("kind", ("full",))
    file = KeyringFile(
        keyspace=m.name("keyspace"),
        generation=m.number("generation", 1),
        kek=m.data("kek", 32, 32),
        keys=[_read_key(key) for key in m.array("keys", 1024)],
        wraps=[_read_wrap(wrap) for wrap in m.array("wraps", 16)],
        body=m.data("body", 24 + TAG_BYTES),
    )
    m.end()
    if len({key.id for key in file.keys}) != len(file.keys):
        raise invalid("repeated key id")
    if len({(wrap.provider, wrap.root_key) for wrap in file.wraps}) != len(file.wraps):
        raise invalid("two wraps with the same provider and root key")
    for use in USES:
        if sum(key.primary for key in file.keys if key.use == use) != 1:
            raise invalid(f"not exactly one primary of use {use}")
    return file


def body_frame(key_id: bytes, key: bytes) -> bytes:
    return frame((0, "rxseal/v1/keyring-body"), (1, key_id), (2, key))


def read_body(plaintext: bytes) -> list[tuple[bytes, bytes]]:
    """2.4: the only frames that are ever parsed. Each has exactly part 0, part 1 (6 bytes) and part 2 (32 bytes)."""
    expected = [(0, len("rxseal/v1/keyring-body")), (1, KEY_ID_BYTES), (2, KEY_BYTES)]
    result = []
    at = 0
    while at < len(plaintext):
        parts = []
        for tag, length in expected:
            if plaintext[at : at + 5] != struct.pack(">BI", tag, length) or at + 5 + length > len(plaintext):
                raise Refused("unlock-failed", "a malformed frame in the body")
            parts.append(plaintext[at + 5 : at + 5 + length])
            at += 5 + length
        if parts[0] != b"rxseal/v1/keyring-body":
            raise Refused("unlock-failed", "wrong domain in the body")
        result.append((parts[1], parts[2]))
    return result


def body_key(kek: bytes, keyspace: str, generation: int) -> bytes:
    return derive(kek, "body", keyspace=keyspace, letter="x", generation=generation)


def seal_body(file: KeyringFile, kek: bytes, plaintext: bytes, nonce: bytes) -> bytes:
    """8.3"""
    return nonce + xaes_seal(body_key(kek, file.keyspace, file.generation), nonce, plaintext, file.aad())


def open_body(file: KeyringFile, kek: bytes) -> dict[bytes, bytes]:
    """8.3 and 3.4: key id -> key bytes of every key that is not destroyed."""
    nonce, sealed = file.body[:24], file.body[24:]
    plaintext = xaes_open(body_key(kek, file.keyspace, file.generation), nonce, sealed, file.aad())
    if plaintext is None:
        raise Refused("unlock-failed", "the body does not open")
    pairs = read_body(plaintext)
    listed = sorted(key.id for key in file.keys if key.state != "destroyed")
    if [key_id for key_id, _ in pairs] != listed:  # order, repetition, missing and extra keys at once
        raise Refused("unlock-failed", "the body does not hold exactly the keys that are not destroyed, in order")
    entries = {key.id: key for key in file.keys}
    for key_id, key in pairs:
        if not check_key(key) or fingerprint(key, file.keyspace) != entries[key_id].fingerprint:
            raise Refused("unlock-failed", "a key does not have its fingerprint")
    return dict(pairs)


@dataclass
class Keyring:
    """An unlocked keyring."""

    file: KeyringFile
    secrets: dict[bytes, bytes]
    unlocked_by: str
    entries: dict[bytes, KeyEntry] = field(init=False)

    def __post_init__(self) -> None:
        self.entries = {key.id: key for key in self.file.keys}

    def primary(self, use: str = "seal") -> KeyEntry:
        return next(key for key in self.file.keys if key.use == use and key.primary)

    def dek(self, key_id: bytes) -> tuple[KeyEntry, bytes]:
        """3.7 and 8.7: the one DEK with a key id, if it may open. An index root is not a DEK."""
        entry = self.entries.get(key_id)
        if entry is None or entry.use != "seal":
            raise Refused("unknown-key", "no DEK with this key id")
        if entry.state == "destroyed":
            raise Refused("key-destroyed", "the key is destroyed")
        if entry.state == "compromised":
            raise Refused("key-compromised", "the key is compromised")
        return entry, self.secrets[key_id]


def text_of(data: bytes) -> str:
    """8.1: a file given as bytes."""
    try:
        return data.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise invalid("not UTF-8") from None


def unlock(
    text: str, keyspace: str, roots: list[RootKey], min_generation: int = 0, pin: bytes | None = None
) -> Keyring:
    """8.5"""
    check_name(keyspace)
    file = read_keyring(text)
    if file.keyspace != keyspace:
        raise Refused("keyring-mismatch", "the keyring of another keyspace")
    if file.generation < min_generation:
        raise Refused("keyring-too-old", "below the least generation")
    for root in roots:
        for wrap in file.wraps:
            if (wrap.provider, wrap.root_key) != ("local", root.name):
                continue
            kek = root.unwrap(wrap.wrapped, file.keyspace, file.kek)
            if kek is None or not check_key(kek) or fingerprint(kek, file.keyspace) != file.kek:
                continue
            try:
                keyring = Keyring(file, open_body(file, kek), root.name)
            except Refused:
                continue
            if pin is not None and all(key.fingerprint != pin or key.state == "destroyed" for key in file.keys):
                raise Refused("pin-mismatch", "no key that is not destroyed has the pinned fingerprint")
            return keyring
    raise Refused("unlock-failed", "no trusted root key unlocks this keyring")


# ---------------------------------------------------------------------------------------------------------------------
# 9. Local root key
# ---------------------------------------------------------------------------------------------------------------------


def kek_wrap_aad(keyspace: str, kek_fingerprint: bytes) -> bytes:
    """8.4"""
    return frame((0, "rxseal/v1/kek-wrap"), (2, keyspace), (8, kek_fingerprint))


@dataclass(frozen=True)
class RootKey:
    key: bytes

    @staticmethod
    def parse(text: str) -> RootKey:
        """9.1: one newline (0x0A) may end the line, and nothing else may surround it."""
        prefix = "rxseal-root-v1:"
        line = text[:-1] if text.endswith("\n") else text
        key = unb64(line[len(prefix) :]) if line.startswith(prefix) else None
        if key is None or not check_key(key):
            raise Refused("invalid-root-key", "not `rxseal-root-v1:` and the base64url of a key")
        return RootKey(key)

    def text(self) -> str:
        return "rxseal-root-v1:" + b64(self.key)

    @property
    def name(self) -> str:
        """9.2 and 3.2 `root-name`"""
        return b64(derive(self.key, "root-name")[:6])

    def wrap(self, kek: bytes, keyspace: str, kek_fingerprint: bytes, nonce: bytes) -> bytes:
        """9.2: 72 bytes."""
        return nonce + xaes_seal(derive(self.key, "root-wrap"), nonce, kek, kek_wrap_aad(keyspace, kek_fingerprint))

    def unwrap(self, wrapped: bytes, keyspace: str, kek_fingerprint: bytes) -> bytes | None:
        if len(wrapped) != 72:
            return None
        aad = kek_wrap_aad(keyspace, kek_fingerprint)
        return xaes_open(derive(self.key, "root-wrap"), wrapped[:24], wrapped[24:], aad)


# ---------------------------------------------------------------------------------------------------------------------
# 10. Wrapped subject key
# ---------------------------------------------------------------------------------------------------------------------

SUBJECT_MAGIC = bytes.fromhex("af1931")


def subject_wrap_aad(keyspace: str, subject_id: str, key_id: bytes) -> bytes:
    """10.1"""
    return frame((0, "rxseal/v1/subject-wrap"), (2, keyspace), (7, subject_id), (8, key_id))


def wrap_key(dek: bytes, keyspace: str) -> bytes:
    """3.2 `wrap`: letter `x`, whatever suite the DEK has."""
    return derive(dek, "wrap", keyspace=keyspace, letter="x")


def wrap_subject_key(
    dek: bytes, key_id: bytes, keyspace: str, subject_id: str, subject_key: bytes, nonce: bytes
) -> bytes:
    aad = subject_wrap_aad(keyspace, subject_id, key_id)
    return SUBJECT_MAGIC + key_id + nonce + xaes_seal(wrap_key(dek, keyspace), nonce, subject_key, aad)


def unwrap_subject_key(keyring: Keyring, subject_id: str, wrapped: str | bytes) -> bytes:
    data = unb64(wrapped) if isinstance(wrapped, str) else wrapped
    if data is None or len(data) != 81 or data[:3] != SUBJECT_MAGIC:
        raise Refused("invalid-subject-key", "not a wrapped subject key")
    key_id = data[3:9]
    _, dek = keyring.dek(key_id)  # the states of 8.7 hold for the wrapping DEK as well
    keyspace = keyring.file.keyspace
    aad = subject_wrap_aad(keyspace, subject_id, key_id)
    subject_key = xaes_open(wrap_key(dek, keyspace), data[9:33], data[33:], aad)
    if subject_key is None or not check_key(subject_key):
        raise Refused("subject-key-refused", "it does not open for this subject under this key")
    return subject_key


# ---------------------------------------------------------------------------------------------------------------------
# Reader and writer of tokens: sections 3 to 8 together
# ---------------------------------------------------------------------------------------------------------------------


def open_token(
    keyring: Keyring,
    context: Context,
    subject_key: bytes | None,
    field_id: str,
    class_id: str,
    former: Iterable[tuple[str, str]],
    token: str | bytes,
) -> tuple[int, bytes]:
    """Returns (kind, content)."""
    parsed = parse_token(token)  # 6.4: before any key is used
    entry, dek = keyring.dek(parsed.key_id)  # 3.7, 8.7
    if parsed.letter not in LETTERS_OF_SUITE[entry.suite]:
        raise Refused("open-failed", "a letter that this key does not open (5.1)")
    if parsed.letter == "X" and context.record_id is None:
        raise Refused("open-failed", "letter X needs a record id (5.1)")
    for pair in [(field_id, class_id), *former]:  # 4.6
        payload = open_payload(dek, parsed, context, *pair, subject_key)
        if payload is not None:
            return unpad(payload)
    raise Refused("open-failed", "the tag is wrong")


def _is_text_token(text: str) -> bool:
    """7.5: the text of a token, of a wrapped subject key, or of a record tag."""
    data = unb64(text) if text.isascii() else None
    return data is not None and (_key_id_of(data) is not None)


def _key_id_of(data: bytes) -> bytes | None:
    """The key id of a well-formed binary token, wrapped subject key or record tag."""
    for parse in (parse_token, parse_record_tag):
        try:
            return parse(data).key_id
        except Refused:
            pass
    return data[3:9] if len(data) == 81 and data[:3] == SUBJECT_MAGIC else None


def _are_token(keyring: Keyring, data: bytes) -> bool:
    """7.5: the binary form under a key of the keyring, or the characters of the text form."""
    return _key_id_of(data) in keyring.entries or (data.isascii() and _is_text_token(data.decode("ascii")))


def _holds_token(keyring: Keyring, value: Any) -> bool:
    """7.6: anywhere in a JSON value."""
    if isinstance(value, str):
        return _is_text_token(value)
    if isinstance(value, dict):
        return any(_is_text_token(name) or _holds_token(keyring, inner) for name, inner in value.items())
    if isinstance(value, list):
        if value and all(type(item) is int and 0 <= item <= 255 for item in value):
            return _are_token(keyring, bytes(value))
        return any(_holds_token(keyring, item) for item in value)
    return False


def check_holds_no_token(keyring: Keyring, kind: int, content: bytes) -> None:
    """7.5 and 7.6: values that the writer refuses."""
    if kind == TEXT and _is_text_token(content.decode("utf-8")):
        raise Refused("token-as-plaintext", "the text is a token")
    if kind == RAW and _are_token(keyring, content):
        raise Refused("token-as-plaintext", "the bytes are a token")
    if kind == JSON and _holds_token(keyring, json.loads(content.decode("utf-8"))):
        raise Refused("token-inside", "a token is inside")


def seal_token(
    keyring: Keyring,
    context: Context,
    subject_key: bytes | None,
    field_id: str,
    class_id: str,
    kind: int,
    content: bytes,
    block: int,
    wire_nonce: bytes | None,
) -> Token:
    """Seals under the primary DEK. Without `wire_nonce`, the operating system gives the nonce bytes (5.3)."""
    if kind in (TEXT, JSON):
        content.decode("utf-8")
    if kind == JSON:
        json.loads(content.decode("utf-8"))
        if content.strip(b" \t\r\n") != content:
            raise BadRequest("white space around the JSON value")
    check_holds_no_token(keyring, kind, content)
    entry = keyring.primary()
    letter = letter_to_seal(entry.suite, context.binding)
    nonce = os.urandom(SUITES[letter].wire_nonce) if wire_nonce is None else wire_nonce
    payload = pad(kind, content, block)
    dek = keyring.secrets[entry.id]
    return seal_payload(dek, entry.id, letter, context, field_id, class_id, subject_key, nonce, payload)


# ---------------------------------------------------------------------------------------------------------------------
# 14. Record tags
# ---------------------------------------------------------------------------------------------------------------------

RECORD_MAGIC = bytes.fromhex("af1ad2")
MAX_VERSION = 2**48 - 1
MAX_SPELLINGS = 256


@dataclass(frozen=True)
class RecordTag:
    key_id: bytes
    cover: int
    version: int
    mac: bytes = bytes(32)

    def head(self) -> bytes:
        """14.1"""
        return RECORD_MAGIC + self.key_id + struct.pack(">BHI", self.cover, self.version >> 32, self.version % 2**32)

    def binary(self) -> bytes:
        return self.head() + self.mac

    def text(self) -> str:
        return b64(self.binary())


def parse_record_tag(tag: str | bytes | None) -> RecordTag:
    """14.2"""
    if not tag:
        raise Refused("tag-missing", "there is no tag")
    data = unb64(tag) if isinstance(tag, str) else tag
    if data is None or len(data) != 48 or data[:3] != RECORD_MAGIC:
        raise Refused("not-a-tag", "not 48 bytes with the magic of a tag")
    cover, high, low = struct.unpack(">BHI", data[9:16])
    if cover == 0 or high == low == 0:
        raise Refused("not-a-tag", "cover number or version 0")
    return RecordTag(data[3:9], cover, high << 32 | low, data[16:])


@dataclass(frozen=True)
class Element:
    """14.4 to 14.7. A part itself is a clear element without id and bytes."""

    sealed: bool
    id: str
    data: bytes
    path: bytes
    since: int
    former: tuple[str, ...] = ()


def elements_of(fields: list[dict[str, Any]], steps: tuple[tuple[str, str], ...] = (), since: int = 1) -> list[Element]:
    """The elements of a record or a part, whose fields are as in the vectors of the type `record_tag`."""
    found = []
    for one in fields:
        own = max(since, one.get("since", 1))  # 14.9
        if "part" in one:
            inner = (*steps, (check_name(one["part"]), check_identifier(one["id"])))
            if len(inner) > MAX_STEPS:
                raise Refused("invalid-id", "more than 8 steps")
            found += [Element(False, "", b"", part_path(inner), own), *elements_of(one["fields"], inner, own)]
        elif "clear" in one:
            if one["text"] is not None:
                found.append(Element(False, check_name(one["clear"]), one["text"].encode(), part_path(steps), own))
        else:
            former = tuple(one.get("former", ()))
            for token in one["tokens"]:
                data = parse_token(token).binary()
                found.append(Element(True, check_name(one["sealed"]), data, part_path(steps), own, former))
    return found


def element_list(elements: list[Element], sealed: bool, cover: int, spelled: dict[str, str]) -> bytes:
    """14.6"""
    spelled = spelled if sealed else {}  # ids of bound values have no former ones
    chosen = [(e.path, spelled.get(e.id, e.id), e.data) for e in elements if e.sealed == sealed and e.since <= cover]
    chosen.sort(key=lambda one: (one[0], one[1].encode()))  # stable: tokens of one list stay in their order
    keys = [(path, ident) for path, ident, _ in chosen]
    if not sealed and len(set(keys)) < len(keys):
        raise Refused("field-repeated", "two clear elements of one id and path")
    bodies = []
    for path, ident, data in chosen:
        parts = [(1, ident.encode()), (2, data)] + ([(3, path)] if path else [])
        bodies.append(b"".join(struct.pack(">BI", number, len(part)) + part for number, part in parts))
    return b"".join(struct.pack(">I", len(body)) + body for body in bodies)


def tag_message(
    head: bytes, context: Context, elements: list[Element], cover: int, spelled: dict[str, str] | None = None
) -> bytes:
    """14.3"""
    clear, sealed = (element_list(elements, kind, cover, spelled or {}) for kind in (False, True))
    return frame((0, "rxseal/v1/record"), (1, head), (2, context.digest()), (3, clear), (4, sealed))


def record_key(dek: bytes, keyspace: str) -> bytes:
    """14.1"""
    return derive(dek, "record", keyspace=keyspace)


def make_record_tag(
    dek: bytes, key_id: bytes, context: Context, elements: list[Element], cover: int, former_version: int
) -> RecordTag:
    """14.13"""
    if former_version >= MAX_VERSION:
        raise Refused("unrepresentable", "the version has no successor")
    head = RecordTag(key_id, cover, former_version + 1)
    message = tag_message(head.head(), context, elements, cover)
    return RecordTag(key_id, cover, former_version + 1, hmac_sha256(record_key(dek, context.keyspace), message))


def spellings(context: Context, former_types: Iterable[str], elements: list[Element]) -> Iterable[tuple[Context, dict[str, str]]]:
    """14.11: the current one first"""
    fields = {e.id: list(dict.fromkeys((e.id, *e.former))) for e in elements if e.sealed and e.former}
    for ids in itertools.product(*fields.values()):
        for record_type in (context.record_type, *former_types):
            yield replace(context, record_type=record_type), dict(zip(fields, ids))


def verify_record_tag(
    keyring: Keyring,
    context: Context,
    former_types: Iterable[str],
    fields: list[dict[str, Any]],
    highest: int,
    tag: str | bytes | None,
    min_version: int = 0,
    min_cover: int = 0,
) -> tuple[RecordTag, bytes]:
    """13.6. Returns the tag and the message that verified."""
    elements = elements_of(fields)
    parsed = parse_record_tag(tag)
    _, dek = keyring.dek(parsed.key_id)
    if parsed.cover > highest:
        raise Refused("cover-unknown", "a cover number that this reader does not know")
    element_list(elements, False, 255, {})
    for count, (of, spelled) in enumerate(spellings(context, former_types, elements)):
        if count == MAX_SPELLINGS:
            break
        message = tag_message(parsed.head(), of, elements, parsed.cover, spelled)
        if hmac.compare_digest(hmac_sha256(record_key(dek, context.keyspace), message), parsed.mac):
            if parsed.version < min_version or parsed.cover < min_cover:
                raise Refused("tag-too-old", "below the minimum")
            return parsed, message
    raise Refused("tag-refused", "the HMAC is wrong")


# 14.8: how each kind of value is given here, and its text.


def clear_text(kind: str, value: Any, scale: int | None = None) -> str:
    match kind:
        case "integer":
            return str(int(value))
        case "bool":
            return "true" if value else "false"
        case "text":
            return value
        case "uuid":
            return identifier_of_uuid(bytes.fromhex(value))
        case "date":
            return _clear_date(*value)
        case "time":
            return _clear_time(*value)
        case "timestamp":  # in UTC
            return f"{_clear_date(*value[:3])}T{_clear_time(*value[3:])}Z"
        case "datetime":
            return f"{_clear_date(*value[:3])}T{_clear_time(*value[3:])}"
        case "decimal":  # digits, and how many of them are behind the point
            return _clear_decimal(int(value[0]), value[1], scale)
    raise BadRequest(f"unknown kind {kind}")


def _clear_date(year: int, month: int, day: int) -> str:
    if not 0 <= year <= 9999:
        raise Refused("clear-refused", "a year that is not one of 0000 to 9999")
    return f"{year:04}-{month:02}-{day:02}"


def _clear_time(hour: int, minute: int, second: int, nanos: int) -> str:
    if second > 59 or nanos >= 10**9:
        raise Refused("clear-refused", "a leap second")
    if nanos % 1000:
        raise Refused("clear-refused", "finer than a microsecond")
    return f"{hour:02}:{minute:02}:{second:02}.{nanos // 1000:06}"


def _clear_decimal(digits: int, behind: int, scale: int | None) -> str:
    if scale is None:
        if behind > 0 and digits % 10 == 0:
            raise Refused("clear-refused", "zeros at the end")
        scale = behind
    while behind > scale:
        if digits % 10:
            raise Refused("clear-refused", "more digits than the scale")
        digits, behind = digits // 10, behind - 1
    digits *= 10 ** (scale - behind)
    whole, fraction = divmod(abs(digits), 10**scale)
    sign = "-" if digits < 0 else ""
    return f"{sign}{whole}" + (f".{fraction:0{scale}}" if scale else "")


# ---------------------------------------------------------------------------------------------------------------------
# The requests of `open` and `seal`
# ---------------------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def cached_unlock(root_key: str, keyring: str, keyspace: str, min_generation: int) -> Keyring:
    return unlock(keyring, keyspace, [RootKey.parse(root_key)], min_generation)


def prepare(request: dict[str, Any]) -> tuple[Keyring, Context, bytes | None]:
    """What `open` and `seal` share: unlock, check the names, unwrap the subject key."""
    keyring = cached_unlock(
        request["root_key"], request["keyring"], request["keyspace"], request.get("min_generation", 0)
    )
    context = Context(
        request["keyspace"],
        request["record_type"],
        request["record_id"],
        request["binding"],
        tuple((name, ident) for name, ident in request["parts"]),
        request["subject_id"],
    ).check()
    for name, class_id in [(request["field_id"], request["class"]), *request["former"]]:
        check_name(name)
        check_name(class_id)
    if len(request["former"]) > 4:
        raise BadRequest("more than 4 former pairs (4.6)")
    if (request["subject_id"] is None) != (request["subject_key"] is None):
        raise BadRequest("a subject id needs a subject key, and the reverse (3.5)")
    subject_key = None
    if context.subject_id is not None:
        subject_key = unwrap_subject_key(keyring, context.subject_id, request["subject_key"])
    return keyring, context, subject_key


def run_open(request: dict[str, Any]) -> dict[str, Any]:
    token = bytes.fromhex(request["token_hex"]) if "token_hex" in request else request["token"]
    keyring, context, subject_key = prepare(request)
    former = [(name, class_id) for name, class_id in request["former"]]
    kind, content = open_token(keyring, context, subject_key, request["field_id"], request["class"], former, token)
    return {"outcome": "ok", "kind": kind, "content_hex": content.hex()}


def run_seal(request: dict[str, Any]) -> dict[str, Any]:
    keyring, context, subject_key = prepare(request)
    nonce = request.get("nonce_hex")
    token = seal_token(
        keyring,
        context,
        subject_key,
        request["field_id"],
        request["class"],
        request["kind"],
        bytes.fromhex(request["content_hex"]),
        request["block"],
        None if nonce is None else bytes.fromhex(nonce),
    )
    return {"token": token.text()}


def run_lines(run: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            answer = run(json.loads(line))
        except Refused as refused:
            answer = {"outcome": refused.code}
        except (BadRequest, KeyError, TypeError, ValueError) as error:
            answer = {"outcome": "bad-request", "why": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


# ---------------------------------------------------------------------------------------------------------------------
# selftest
# ---------------------------------------------------------------------------------------------------------------------


def selftest() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

    def equal(what: str, got: Any, want: Any) -> None:
        if got != want:
            raise SystemExit(f"selftest: {what}: got {got!r}, want {want!r}")

    # HChaCha20 and XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03, sections 2.2.1 and A.3.1
    subkey = hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927"))
    equal("HChaCha20", subkey.hex(), "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")
    key, nonce, aad = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58)), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    plaintext = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    sealed = xchacha_seal(key, nonce, plaintext, aad)
    equal(
        "XChaCha20-Poly1305",
        sealed.hex(),
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
        "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
    )
    equal("XChaCha20-Poly1305 open", xchacha_open(key, nonce, sealed, aad), plaintext)

    # XAES-256-GCM: the two vectors of C2SP XAES-256-GCM.md, one for each value of the first bit of L,
    # and its accumulated test of 10,000 random inputs
    nonce, plaintext = b"ABCDEFGHIJKLMNOPQRSTUVWX", b"XAES-256-GCM"
    for byte, aad, want in (
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ):
        sealed = xaes_seal(bytes([byte]) * 32, nonce, plaintext, aad)
        equal("XAES-256-GCM", sealed.hex(), want)
        equal("XAES-256-GCM open", xaes_open(bytes([byte]) * 32, nonce, sealed, aad), plaintext)
    stream = hashlib.shake_128(b"").digest(4_000_000)
    at = 0

    def read(count: int) -> bytes:
        nonlocal at
        at += count
        return stream[at - count : at]

    total = hashlib.shake_128()
    for _ in range(10_000):
        key, nonce = read(32), read(24)
        plaintext = read(read(1)[0])
        aad = read(read(1)[0])
        total.update(xaes_seal(key, nonce, plaintext, aad))
    equal(
        "XAES-256-GCM, 10,000 inputs",
        total.digest(32).hex(),
        "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939",
    )

    # HKDF against the package
    for n in range(0, 200, 7):
        salt, ikm, info = hashlib.sha256(b"%d" % n).digest(), bytes([n]) * 32, bytes(range(n))
        want = HKDF(hashes.SHA256(), 32, salt, info).derive(ikm)
        equal("HKDF", hkdf_32(salt, ikm, info), want)
        equal("HKDF-Expand", hkdf_expand_32(salt, info), HKDFExpand(hashes.SHA256(), 32, info).derive(salt))

    # 6.1 and 10: the magics are what their text says
    for text, magic in (("rxsX", SUITES["X"].magic), ("rxsx", SUITES["x"].magic), ("rxsc", SUITES["c"].magic)):
        equal("magic", unb64(text), magic)
    equal("magic", unb64("rxkx"), SUBJECT_MAGIC)
    equal("magic", unb64("rxrS"), RECORD_MAGIC)

    # 1.2
    for text in ("", "A", "AA", "AB", "AQ", "AAA", "AAB", "AAE", "A=", "A A", "AA==", "A+", "A/", "A\n", "AA\n"):
        canonical = text in ("", "AA", "AQ", "AAA", "AAE")
        equal(f"base64url {text!r}", unb64(text) is not None, canonical)

    # padding: every length around the block boundaries, with content that looks like padding
    for block in (1, 2, 3, 16, 32, 64, 256, 4096):
        for length in {0, 1, block - 2, block - 1, block, block + 1, 2 * block - 2, 2 * block - 1}:
            if length < 0:
                continue
            for content in (bytes(length), b"\x80" * length, b"a" * length):
                payload = pad(RAW, content, block)
                equal("padded to a block", len(payload) % block, 0)
                equal("as few zero bytes as needed", len(payload) - length - 2 < block, True)
                equal("unpad", unpad(payload), (RAW, content))
                equal("more padding", unpad(payload + bytes(block)), (RAW, content))
    equal("longest payload", len(pad(RAW, bytes(MAX_CONTENT), 4096)), MAX_PAYLOAD)

    import rxseal_vectors

    # 8: limits that are too large for a vector file
    rxseal_vectors.limits()

    # 15.2, 15.3, 15.5: values of one form have nothing in common, if anything else differs
    import rxseal_searches

    rxseal_searches.nothing_in_common()

    # round trips of every suite and binding through the requests, as `seal` and `open` see them
    count = rxseal_vectors.round_trips()
    print(f"selftest: ok ({count} round trips)")


def main() -> None:
    arguments = sys.argv[1:]
    match arguments:
        case ["selftest"]:
            selftest()
        case ["open"]:
            run_lines(run_open)
        case ["seal"]:
            run_lines(run_seal)
        case ["index"]:
            import rxseal_searches

            run_lines(lambda request: {"outcome": "ok", **rxseal_searches.run_value(request)})
        case ["form"]:
            import rxseal_normal

            run_lines(lambda request: {"outcome": "ok", **rxseal_normal.run(request)})
        case ["vectors", directory]:
            import rxseal_vectors

            rxseal_vectors.write(Path(directory))
        case ["check", directory]:
            import rxseal_vectors

            rxseal_vectors.check(Path(directory))
        case ["explain"]:
            import rxseal_explain

            sys.stdout.write(rxseal_explain.text())
        case ["explain", "--check", page]:
            import rxseal_explain

            rxseal_explain.check(Path(page))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    # Run as a module, so that rxseal_vectors and rxseal_explain see these classes and not a second copy of them.
    import rxseal_reference

    rxseal_reference.main()
