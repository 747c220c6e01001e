"""More scenarios of tests/vectors: limits, the order of checks, what is inside a payload, and what JSON readers get wrong.

They follow those of rxseal_vectors, so that the numbers of older files do not change. As there, the expected results are
written by hand from docs/FORMAT.md.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from typing import Any

import rxseal_reference as r
import rxseal_vectors as v
from rxseal_reference import b64

WIDE = {"binding": "wide", "record_id": "settings"}
UNBOUND = {"binding": "unbound", "record_id": None}
RENAMED = {"field_id": "vector.renamed"}
CURRENT, OLD, OLDER = ("vector.renamed", "medication"), ("vector.old", "clinical"), ("vector.older", "medication")


def scenarios(s: v.Scenarios) -> None:
    for add in (
        former_pairs,
        order_of_opening,
        order_of_unlocking,
        order_of_subject_keys,
        parts,
        json_content,
        tokens_inside,
        large_content,
        text_forms,
        identifiers,
        large_files,
        file_bytes,
        file_members,
        file_keys,
        pins,
        suites,
        what_writers_refuse,
        json_zeros,
    ):
        add(s)


def opening(s: v.Scenarios, slug: str, description: str, rule: str, token: Any, expect: str, **members: Any) -> None:
    """An `open` scenario. Those of `members` that say what is opened go to `request`; the others stay."""
    reading = {k: members.pop(k) for k in list(members) if k in v.BASE or k == "wrapped"}
    if isinstance(token, r.Token):
        token = token.text()
    form = {"token": token} if isinstance(token, str) else {"token_hex": token.hex()}
    s.add(slug, description, rule, "open", expect, **v.request(**reading), **form, **members)


# ---------------------------------------------------------------------------------------------------------------------
# 4.6: one token that opens under two pairs
# ---------------------------------------------------------------------------------------------------------------------


def _times(a: int, b: int) -> int:
    """GF(2^128) as in GCM (SP 800-38D, 6.3): the first bit of a block is the coefficient of x^0."""
    product = 0
    for bit in range(127, -1, -1):
        if b >> bit & 1:
            product ^= a
        a = a >> 1 ^ (0xE1 << 120 if a & 1 else 0)
    return product


def _power(a: int, exponent: int) -> int:
    result = 1 << 127
    while exponent:
        if exponent & 1:
            result = _times(result, a)
        a, exponent = _times(a, a), exponent >> 1
    return result


def _blocks(data: bytes) -> list[int]:
    data += bytes(-len(data) % 16)
    return [int.from_bytes(data[at : at + 16], "big") for at in range(0, len(data), 16)]


def two_faced(
    slug: str, first: tuple[str, str], second: tuple[str, str], kinds: tuple[int, int]
) -> tuple[r.Token, bytes, bytes]:
    """A token of letter X that opens under two pairs of different classes, with another payload under each. GCM does not
    commit to its key: whoever holds both keys can solve one block so that the tags agree. Only such a token shows in which
    order a reader tries the pairs."""
    context = v.context_of(v.BASE | RENAMED)
    header = r.SUITES["X"].magic + v.key_id("dek-1")
    digest = context.digest()
    keys = []
    for _, class_id in (first, second):
        class_key = r.field_key(v.key_bytes("dek-1"), v.KEYSPACE, "X", class_id, None)
        keys.append(r.xaes_steps(class_key, digest[:12] + bytes(12))["Kx"])
    aads = [r.field_aad(header, digest, field_id) for field_id, _ in (first, second)]

    # 48 bytes: the first is the kind, the last the mark of the padding. Find a nonce whose two key streams agree on these.
    start = v.secret(f"nonce {slug}", 8)
    counters = b"".join(
        start + struct.pack(">I", i) + struct.pack(">I", block) for i in range(1 << 19) for block in (2, 4)
    )
    streams = [_encrypt(key, counters) for key in keys]
    differ = kinds[0] ^ kinds[1]
    for i in range(1 << 19):
        at = 32 * i
        if streams[0][at] ^ streams[1][at] == differ and streams[0][at + 31] == streams[1][at + 31]:
            nonce = start + struct.pack(">I", i)
            break
    else:
        raise SystemExit(f"{slug}: no nonce found")

    streams = [_encrypt(key, b"".join(nonce + struct.pack(">I", block) for block in (2, 3, 4))) for key in keys]
    plain = bytes([kinds[0]]) + b"opened by the first of the two pairs, in order"[:46] + b"\x80"
    ciphertext = r.xor(plain.ljust(48, b"\x00"), streams[0])
    blocks = _blocks(ciphertext)
    wanted = coefficient = 0
    for key, aad in zip(keys, aads):
        h = int.from_bytes(_encrypt(key, bytes(16)), "big")
        sizes = struct.pack(">QQ", 8 * len(aad), 8 * len(ciphertext))
        hashed = [*_blocks(aad), blocks[0], 0, blocks[2], *_blocks(sizes)]
        wanted ^= int.from_bytes(_encrypt(key, nonce + struct.pack(">I", 1)), "big")
        for at, block in enumerate(hashed):
            wanted ^= _times(block, _power(h, len(hashed) - at))
        coefficient ^= _power(h, 3)
    middle = _times(wanted, _power(coefficient, 2**128 - 2))
    ciphertext = ciphertext[:16] + middle.to_bytes(16, "big") + ciphertext[32:]
    payloads = [r.xor(ciphertext, stream) for stream in streams]
    sealed = r.AESGCM(keys[0]).encrypt(nonce, payloads[0], aads[0])
    assert sealed == r.AESGCM(keys[1]).encrypt(nonce, payloads[1], aads[1]), "the tags agree"
    return r.Token("X", v.key_id("dek-1"), nonce, sealed), payloads[0], payloads[1]


def _encrypt(key: bytes, blocks: bytes) -> bytes:
    encryptor = r.Cipher(r.algorithms.AES(key), r.modes.ECB()).encryptor()
    return encryptor.update(blocks) + encryptor.finalize()


def former_pairs(s: v.Scenarios) -> None:
    for slug, description, pairs in (
        (
            "current-and-former",
            "it opens under the current pair and under a former one: the current one rules",
            (CURRENT, OLD),
        ),
        ("former-and-former", "it opens under both former pairs: the first one rules", (OLD, OLDER)),
    ):
        token, payload, _ = two_faced(slug, *pairs, (r.RAW, r.RAW))
        results = {"kind": r.RAW, "content_hex": payload[1:47].hex()}
        opening(s, f"order-{slug}", description, "4.6", token, "ok", **RENAMED, results=results)
    for slug, description, pairs in (
        (
            "malformed-current",
            "authentic and malformed under the current pair, well formed under a former one",
            (CURRENT, OLD),
        ),
        (
            "malformed-former",
            "authentic and malformed under the first former pair, well formed under the next",
            (OLD, OLDER),
        ),
    ):
        token, _, _ = two_faced(slug, *pairs, (3, r.RAW))
        opening(s, f"order-{slug}", description, "4.6", token, "open-failed", **RENAMED)


# ---------------------------------------------------------------------------------------------------------------------
# 13: input that is wrong in two ways
# ---------------------------------------------------------------------------------------------------------------------


def _damaged(token: r.Token) -> r.Token:
    return replace(token, sealed=token.sealed[:-1] + bytes([token.sealed[-1] ^ 1]))


def order_of_opening(s: v.Scenarios) -> None:
    def no(slug: str, description: str, token: Any, expect: str, **reading: Any) -> None:
        opening(s, f"order-{slug}", description, "13.2", token, expect, **reading)

    nowhere = bytes.fromhex("010203040506")
    for slug, ident, why in (
        ("unknown", nowhere, "an unknown key"),
        ("destroyed", v.key_id("dek-gone"), "a destroyed key"),
        ("compromised", v.key_id("dek-bad"), "a compromised key"),
    ):
        token = v.sealed(f"order form {slug}", key_id=ident)
        no(f"form-{slug}", f"a line end after a token of {why}", token.text() + "\n", "not-a-token")
        no(f"form-{slug}-cut", f"too short, of {why}", token.binary()[:38], "not-a-token")
    for slug, expect in (
        ("unknown", "unknown-key"),
        ("destroyed", "key-destroyed"),
        ("compromised", "key-compromised"),
    ):
        ident = {"unknown": nowhere, "destroyed": v.key_id("dek-gone"), "compromised": v.key_id("dek-bad")}[slug]
        token = v.sealed(f"order {slug}", key_id=ident)
        no(f"{slug}-damaged", "the key, before the tag", _damaged(token), expect)
        no(f"{slug}-other-record", "the key, before the context", token, expect, record_id="4712")
        no(f"{slug}-upper-x-unbound", "the key, before the letter", token, expect, **UNBOUND)
        token = v.sealed(f"order {slug} c", key="dek-c", key_id=ident)
        no(f"{slug}-letter-c", "the key, before a letter that it does not open", token, expect)
    token = v.sealed("order index root", key_id=v.key_id("index-1"))
    no("index-root-damaged", "an index root is no DEK, before the tag", _damaged(token), "unknown-key")
    token = v.sealed("order not json", kind=2, content=b"not JSON")
    no("tag-not-json", "the tag, before the content", _damaged(token), "open-failed", decode=True)
    no("context-not-json", "the context, before the content", token, "open-failed", decode=True, record_id="4712")
    token = v.sealed("order kind", payload=b"\x03not JSON\x80")
    no("kind-not-json", "the kind, before the content", token, "open-failed", decode=True)
    token = v.sealed("order utf-8", payload=b"\x02\xff not JSON\x80")
    no("utf8-not-json", "UTF-8, before JSON", token, "open-failed", decode=True)
    token = v.sealed("order compromised content", key="dek-bad", kind=2, content=b"not JSON")
    no("compromised-not-json", "the state of the key, before the content", token, "key-compromised", decode=True)


def _unlock(s: v.Scenarios, slug: str, description: str, rule: str, expect: str, **members: Any) -> None:
    """An `unlock` scenario that is refused, or whose results the caller gives. `file` is a keyring as canonical text."""
    file = members.pop("file", None)
    if file is not None:
        members["keyring"] = file.write()
    given = {"root_key_files": [f"{root}.txt" for root in members.pop("roots", ("root-a",))]}
    given |= {k: members.pop(k) for k in ("keyring_file", "keyring", "keyring_hex") if k in members}
    given["keyspace"] = members.pop("keyspace", v.KEYSPACE)
    s.add(f"unlock-{slug}", description, rule, "unlock", expect, **given, **members)


def _unlocked(file: r.KeyringFile, canonical: bool = True, by: str = "root-a") -> dict[str, Any]:
    def primary(use: str) -> str:
        return next(b64(key.id) for key in file.keys if key.use == use and key.primary)

    return {
        "generation": file.generation,
        "kek": b64(file.kek),
        "unlocked_by": v.ROOTS[by].name,
        "primary": primary("seal"),
        "primary_index": primary("index"),
        "keys": {b64(key.id): key.state for key in sorted(file.keys, key=lambda k: k.id)},
        "canonical": canonical,
    }


def order_of_unlocking(s: v.Scenarios) -> None:
    def no(slug: str, description: str, expect: str, **members: Any) -> None:
        _unlock(s, f"order-{slug}", description, "13.3", expect, **members)

    mini = v.KEYRINGS["mini"]
    two_primaries = [
        replace(key, primary=key.use == "seal" and key.state == "active" or key.primary) for key in mini.keys
    ]
    no(
        "form-keyspace",
        "two primaries, in a file of another keyspace",
        "invalid-keyring",
        file=replace(mini, keys=two_primaries),
        keyspace=v.OTHER_KEYSPACE,
    )
    no(
        "form-generation",
        "two primaries, in a file below the minimum generation",
        "invalid-keyring",
        file=replace(mini, keys=two_primaries),
        min_generation=4,
    )
    no(
        "keyspace-generation",
        "another keyspace, and below the minimum generation",
        "keyring-mismatch",
        keyring_file="mini.json",
        keyspace=v.OTHER_KEYSPACE,
        min_generation=4,
    )
    no(
        "keyspace-untrusted",
        "another keyspace, and no trusted root key",
        "keyring-mismatch",
        keyring_file="mini.json",
        keyspace=v.OTHER_KEYSPACE,
        roots=("root-c",),
    )
    no(
        "generation-untrusted",
        "below the minimum generation, and no trusted root key",
        "keyring-too-old",
        keyring_file="mini.json",
        min_generation=4,
        roots=("root-c",),
    )
    body = mini.body[:-1] + bytes([mini.body[-1] ^ 1])
    no(
        "generation-body",
        "below the minimum generation, and a changed body",
        "keyring-too-old",
        file=replace(mini, body=body),
        min_generation=4,
    )


def order_of_subject_keys(s: v.Scenarios) -> None:
    def no(slug: str, description: str, expect: str, wrapped: bytes | str, subject_id: str = v.PATIENT) -> None:
        form = {"subject_key": wrapped if isinstance(wrapped, str) else b64(wrapped)}
        s.add(
            f"subject-key-order-{slug}",
            description,
            "13.4",
            "subject_key",
            expect,
            root_key_file="root-a.txt",
            keyring_file="main.json",
            keyspace=v.KEYSPACE,
            subject_id=subject_id,
            **form,
        )

    nowhere = bytes.fromhex("010203040506")
    for slug, ident, expect in (
        ("unknown", nowhere, "unknown-key"),
        ("destroyed", v.key_id("dek-gone"), "key-destroyed"),
        ("compromised", v.key_id("dek-bad"), "key-compromised"),
    ):
        whole = v.wrapped(ident=ident)
        no(f"form-{slug}", "one byte short, before the key", "invalid-subject-key", whole[:80])
        no(f"{slug}-damaged", "the key, before the tag", expect, whole[:80] + bytes([whole[80] ^ 1]))
        no(f"{slug}-subject", "the key, before the subject", expect, whole, subject_id="patient-4712")


# ---------------------------------------------------------------------------------------------------------------------
# 4.1: steps of a part path
# ---------------------------------------------------------------------------------------------------------------------


def parts(s: v.Scenarios) -> None:
    steps = [["step", str(n)] for n in range(9)]
    token = v.sealed("parts-9", parts=steps)
    opening(s, "parts-9", "nine steps, sealed like that", "4.1", token, "invalid-id", parts=steps)
    opening(s, "parts-9-wide", "nine steps, wide", "4.1", token, "invalid-id", parts=steps, **WIDE)
    for binding, record_id in (("bound", "4711"), ("unbound", None)):
        s.add(
            f"context-of-parts-9-{binding}",
            f"nine steps, {binding}",
            "4.1",
            "context",
            "invalid-id",
            keyspace=v.KEYSPACE,
            record_type="patient",
            record_id=record_id,
            binding=binding,
            parts=steps,
            subject_id=None,
        )


# ---------------------------------------------------------------------------------------------------------------------
# 7: JSON content and its value
# ---------------------------------------------------------------------------------------------------------------------


def json_content(s: v.Scenarios) -> None:
    def opened(slug: str, description: str, rule: str, content: bytes, value: Any = v) -> None:
        """`value` is what a program gets. Without it, the content is authentic but has no value."""
        token = v.sealed(f"json {slug}", kind=2, content=content)
        if value is v:
            opening(s, f"json-{slug}", description, rule, token, "type-mismatch", decode=True)
        else:
            results = {"kind": 2, "content_hex": content.hex(), "value": json.dumps(value, separators=(",", ":"))}
            opening(s, f"json-{slug}", description, rule, token, "ok", decode=True, results=results)

    for slug, text in (
        ("text", "Jane Doe"),
        ("empty", ""),
        ("only-spaces", " \n"),
        ("cut", '{"name":"Jane'),
        ("two-values", "1 2"),
        ("trailing-comma", "[1,2,]"),
        ("single-quotes", "{'name':'Jane'}"),
        ("comment", "[1] // one"),
        ("nan", "NaN"),
        ("infinity", "[-Infinity]"),
        ("python", "None"),
        ("leading-zero", "01"),
        ("plus", "+1"),
        ("no-digit-behind-point", "1."),
        ("hexadecimal", "0x10"),
        ("upper-true", "TRUE"),
        ("line-feed-in-text", '"a\nb"'),
        ("nul-in-text", '"a\x00b"'),
        ("unknown-escape", '"\\x41"'),
        ("lone-surrogate", '"\\ud83d"'),
        ("lone-surrogate-low", '["\\ude00"]'),
        ("surrogates-exchanged", '"\\ude00\\ud83d"'),
        ("bom", "\ufeff{}"),
        ("no-break-space", "\u00a0{}"),
        ("form-feed", "{}\f"),
        ("nul-behind", "{}\x00"),
        ("name-is-no-text", "{1:2}"),
    ):
        opened(f"not-{slug}", f"authentic content of kind 2 that is not JSON: {slug}", "7.8", text.encode())
    for slug, text in (("before", ' {"a":1}'), ("behind", '{"a":1}\n'), ("around", '\r\n\t {"a":1} \t\r\n')):
        opened(f"space-{slug}", f"white space {slug} the value", "7.9", text.encode(), {"a": 1})
    opened("space-inside", "white space inside the value is the value's own", "7.9", b'{ "a" : [ 1 ] }', {"a": [1]})
    for slug, text, value in (
        ("top", '{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        ("inside", '[{"a":null,"a":{"x":1}}]', [{"a": {"x": 1}}]),
        ("escaped", '{"a":1,"\\u0061":2}', {"a": 2}),
        ("case", '{"a":1,"A":2}', {"a": 1, "A": 2}),
        ("normal-form", '{"\u00e9":1,"e\u0301":2}', {"\u00e9": 1, "e\u0301": 2}),
    ):
        opened(
            f"members-{slug}",
            (
                f"repeated members, the last one rules: {slug}"
                if slug not in ("case", "normal-form")
                else f"two members, not one: {slug}"
            ),
            "7.10",
            text.encode(),
            value,
        )
    for slug, text, value in (
        ("above-53-bits", "9007199254740993", 2**53 + 1),
        ("least", "-9223372036854775808", -(2**63)),
        ("greatest", "18446744073709551615", 2**64 - 1),
        ("double", "0.1", 0.1),
        ("least-double", "5e-324", 5e-324),
    ):
        opened(f"number-{slug}", f"a number that a reader has to keep: {slug}", "7.11", text.encode(), value)
    deep = "[" * 100 + "]" * 100
    opened("depth-100", "a hundred levels", "7.11", deep.encode(), json.loads(deep))
    opened(
        "pair-of-surrogates", "an escaped character outside the basic plane", "7.8", b'"\\ud83d\\ude00"', "\U0001f600"
    )


def tokens_inside(s: v.Scenarios) -> None:
    """7.6: content that a writer refuses now. What release 0.1.0 sealed like that opens as any other value."""
    text = v.sealed("inside").text()
    subject = b64(v.wrapped())
    for slug, kind, content in (
        ("text", 1, text),
        ("text-of-subject-key", 1, subject),
        ("text-around", 1, f"see {text}"),
        ("json-text", 2, json.dumps(text)),
        ("json-member", 2, json.dumps({"drug": text, "times": 2}, separators=(",", ":"))),
        ("json-list", 2, json.dumps([text, text], separators=(",", ":"))),
        ("json-name", 2, json.dumps({text: 1}, separators=(",", ":"))),
        ("json-deep", 2, json.dumps([[{"a": [text]}]], separators=(",", ":"))),
        ("json-subject-key", 2, json.dumps({"key": subject}, separators=(",", ":"))),
    ):
        content = content.encode()
        results = {"kind": kind, "content_hex": content.hex()}
        token = v.sealed(f"inside {slug}", kind=kind, content=content)
        opening(s, f"inside-{slug}", f"a sealed value that holds a token: {slug}", "7.6", token, "ok", results=results)
    binary = v.sealed("inside").binary()
    numbers = json.dumps(list(binary), separators=(",", ":")).encode()
    for slug, kind, content in (
        ("bytes", 0, binary),
        ("bytes-of-text", 0, text.encode()),
        ("bytes-subject-key", 0, v.wrapped()),
        ("json-bytes", 2, numbers),
    ):
        results = {"kind": kind, "content_hex": content.hex()}
        token = v.sealed(f"inside {slug}", kind=kind, content=content)
        opening(s, f"inside-{slug}", f"a sealed value that holds a token: {slug}", "7.6", token, "ok", results=results)


def large_content(s: v.Scenarios) -> None:
    """7.1: 16 MiB. The files say how often something is repeated."""

    def payload(slug: str, description: str, kind: int, pieces: list[tuple[bytes, int]], expect: str = "ok") -> None:
        repeated = [[piece.hex(), count] for piece, count in pieces]
        results = {"kind": kind, "content_repeated": repeated[1]} if expect == "ok" else {}
        s.add(
            f"payload-large-{slug}", description, "7.1", "payload", expect, payload_repeated=repeated, results=results
        )

    most = r.MAX_CONTENT
    for kind, name in ((0, "raw"), (1, "text"), (2, "json")):
        byte = b"1"
        payload(f"{name}-most", f"kind {kind}, 16 MiB", kind, [(bytes([kind]), 1), (byte, most), (b"\x80", 1)])
        payload(
            f"{name}-over",
            f"kind {kind}, 16 MiB and a byte",
            kind,
            [(bytes([kind]), 1), (byte, most + 1), (b"\x80", 1)],
            "open-failed",
        )
    payload(
        "zeros-most",
        "16 MiB of zero bytes, padded to 4,096 bytes",
        0,
        [(b"\x00", 1), (b"\x00", most), (b"\x80", 1), (bytes(2), 2047)],
    )
    payload(
        "zeros-over",
        "as much content as the longest payload has room for",
        0,
        [(b"\x00", 1), (b"a", most + 4094), (b"\x80", 1)],
        "open-failed",
    )

    for slug, description, count, padding, expect in (
        ("most", "16 MiB in an authentic token", most, 4094, "ok"),
        ("over", "16 MiB and a byte in an authentic token", most + 1, 4093, "open-failed"),
    ):
        pieces = [(b"\x00", 1), (b"a", count), (b"\x80", 1), (b"\x00", padding)]
        whole = b"".join(piece * count for piece, count in pieces)
        token = v.sealed(f"large {slug}", payload=whole, field_id="vector.photo")
        digest = v.context_of(v.BASE).digest()
        key = r.field_key(v.key_bytes("dek-1"), v.KEYSPACE, "X", "identity", None)
        made = {
            "header_hex": token.header.hex(),
            "nonce_hex": token.wire_nonce.hex(),
            "message_key_hex": r.xaes_steps(key, digest[:12] + token.wire_nonce)["Kx"].hex(),
            "aad_hex": r.field_aad(token.header, digest, "vector.photo").hex(),
            "payload_repeated": [[piece.hex(), count] for piece, count in pieces],
            "token_sha256": hashlib.sha256(token.binary()).hexdigest(),
        }
        results = {"kind": 0, "content_repeated": [b"a".hex(), count]} if expect == "ok" else {}
        s.add(
            f"large-{slug}",
            description,
            "7.1",
            "open_large",
            expect,
            **v.request(field_id="vector.photo"),
            made=made,
            results=results,
        )


# ---------------------------------------------------------------------------------------------------------------------
# 1: text
# ---------------------------------------------------------------------------------------------------------------------


def text_forms(s: v.Scenarios) -> None:
    long = v.sealed("text forms long", content=b"a" * 100).text()
    lines = [long[at : at + 76] for at in range(0, len(long), 76)]
    odd = v.sealed("text forms odd", block=1).text()
    assert len(odd) % 4 == 3
    for slug, text in (
        ("mime-crlf", "\r\n".join(lines)),
        ("mime-lf", "\n".join(lines)),
        ("carriage-return", long[:40] + "\r" + long[40:]),
        ("vertical-tab", long[:40] + "\v" + long[40:]),
        ("inner-nul", long[:40] + "\x00" + long[40:]),
        ("inner-padding", odd[:40] + "=" + odd[40:]),
        ("padding-newline", odd + "=\n"),
        ("two-paddings", odd + "=="),
        ("inner-soft-hyphen", long[:40] + "\u00ad" + long[40:]),
        ("line-separator", long + "\u2028"),
        ("surrounded", f"<{long}>"),
        ("bytes-above-ascii", long[:40] + "\u0141" + long[41:]),
    ):
        s.add(f"token-form-{slug}", f"no text token: {slug}", "1.2", "token", "not-a-token", token=text)
    wrapped = b64(v.wrapped())
    for slug, text in (
        ("mime", wrapped[:76] + "\r\n" + wrapped[76:]),
        ("inner-padding", wrapped[:54] + "=" + wrapped[54:]),
    ):
        s.add(
            f"subject-key-form-{slug}",
            f"no wrapped subject key: {slug}",
            "1.2",
            "subject_key",
            "invalid-subject-key",
            root_key_file="root-a.txt",
            keyring_file="main.json",
            keyspace=v.KEYSPACE,
            subject_id=v.PATIENT,
            subject_key=text,
        )


def identifiers(s: v.Scenarios) -> None:
    lower = "0190b5e4-7c1a-7d3e-8f00-0123456789ab"
    for slug, text in (
        ("double-braces", "{{" + lower + "}}"),
        ("braces-empty", "{}"),
        ("braces-35", "{" + lower[:-1] + "}"),
        ("braces-not-hex", "{" + lower[:-1] + "g}"),
        ("braces-and-more", "{" + lower + "}1"),
        ("braces-behind", lower + "{}"),
        ("half-brace-behind", lower + "}"),
        ("brackets", "[" + lower + "]"),
        ("uuid-35-upper", lower[:-1].upper()),
        ("32-hex-braces-upper", "{" + lower.replace("-", "").upper() + "}"),
    ):
        s.add(
            f"identifier-{slug}",
            f"an ordinary identifier: {slug}",
            "1.6",
            "identifier",
            "ok",
            text=text,
            results={"identifier": text},
        )
    for slug, text in (
        ("braces-one-upper", "{" + lower[:-1] + "B}"),
        ("braces-nil", "{00000000-0000-0000-0000-000000000000}"),
        ("urn-braces", "urn:uuid:{" + lower + "}"),
    ):
        s.add(
            f"identifier-refused-{slug}",
            f"a UUID in another spelling: {slug}",
            "1.6",
            "identifier",
            "invalid-id",
            text=text,
        )


# ---------------------------------------------------------------------------------------------------------------------
# 8: keyring files
# ---------------------------------------------------------------------------------------------------------------------


def large_files(s: v.Scenarios) -> None:
    mini = v.KEYRINGS["mini"]
    minified = json.dumps(json.loads(mini.write()), separators=(",", ":"))
    for total, expect in ((1024, "unlock-failed"), (1025, "invalid-keyring")):
        _unlock(
            s,
            f"keys-{total}",
            f"{total} keys, of which the body has four: a file of 1,024 is well formed",
            "8",
            expect,
            keyring=minified,
            keys_added=total - len(mini.keys),
        )
    results = _unlocked(replace(mini), canonical=False)
    _unlock(s, "wrap-8192", "a wrap of 8,192 bytes", "8", "ok", keyring=minified, wrap_added=8192, results=results)
    _unlock(s, "wrap-8193", "a wrap of 8,193 bytes", "8", "invalid-keyring", keyring=minified, wrap_added=8193)


def file_bytes(s: v.Scenarios) -> None:
    text = v.TEXTS["mini"]
    short = v.make_keyring("bytes", {**v.DEK1, **v.INDEX}).write()
    for slug, data in (
        ("utf-8-bom", b"\xef\xbb\xbf" + text.encode()),
        ("utf-16", short.encode("utf-16")),
        ("utf-16-le", short.encode("utf-16-le")),
        ("utf-16-be", short.encode("utf-16-be")),
        ("latin-1", text.replace("local", "loc\u00e4l").encode("latin-1")),
        ("overlong", text.encode().replace(b'"local"', b'"loca\xc1\xac"')),
        ("surrogate", text.encode().replace(b'"local"', b'"loca\xed\xa0\x80"')),
        ("byte-ff-behind", text.encode() + b"\xff"),
    ):
        _unlock(
            s,
            f"bytes-{slug}",
            f"bytes that are not UTF-8 without a byte order mark: {slug}",
            "8.1",
            "invalid-keyring",
            keyring_hex=data.hex(),
        )
    _unlock(
        s,
        "bytes-utf-8",
        "the bytes of a canonical file",
        "8.1",
        "ok",
        keyring_hex=text.encode().hex(),
        results=_unlocked(v.KEYRINGS["mini"]),
    )


def file_members(s: v.Scenarios) -> None:
    two = v.make_keyring("names", {**v.DEK1, **v.INDEX})

    def named(slug: str, description: str, name: str, expect: str, **results: Any) -> None:
        """A second wrap whose `root_key` is written as `name`, including its escapes."""
        document = json.loads(two.write())
        document["wraps"].append({"provider": "p", "root_key": "NAME", "wrapped": "AA"})
        text = json.dumps(document, separators=(",", ":")).replace('"NAME"', f'"{name}"')
        _unlock(s, f"root-key-{slug}", description, "8.1", expect, keyring=text, **results)

    good = {"results": _unlocked(two, canonical=False)}
    named("escaped", "a name written with escapes", '\\u0061\\/b\\\\\\"c', "ok", **good)
    for slug, name in (
        ("escaped-space", "a\\u0020b"),
        ("escaped-tab", "a\\tb"),
        ("escaped-del", "a\\u007f"),
        ("escaped-nul", "a\\u0000"),
        ("escaped-umlaut", "\\u00e4"),
        ("escaped-pair", "\\ud83d\\ude00"),
        ("lone-surrogate", "a\\ud83d"),
        ("bad-escape", "\\x61"),
        ("short-escape", "\\u61"),
    ):
        named(slug, "escapes are undone before the characters are checked", name, "invalid-keyring")
    document = json.loads(two.write())
    document["wraps"].append(dict(document["wraps"][0]))
    text = json.dumps(document, separators=(",", ":"))
    name = document["wraps"][0]["root_key"]
    at = text.rindex(name)
    text = f"{text[:at]}\\u{ord(name[0]):04x}{text[at + 1 :]}"
    _unlock(
        s, "wraps-same-escaped", "two wraps of one root key, in two spellings", "8.1", "invalid-keyring", keyring=text
    )
    body = b64(two.body)
    for slug, changed in (
        ("crlf", body[:76] + "\\r\\n" + body[76:]),
        ("line-feed", body + "\\n"),
        ("padding", body + "="),
    ):
        text = two.write().replace(f'"{body}"', f'"{changed}"')
        _unlock(s, f"body-text-{slug}", "the body is canonical base64url", "1.2", "invalid-keyring", keyring=text)


def _resealed(name: str, file: r.KeyringFile, keys: dict[str, tuple]) -> r.KeyringFile:
    file.body = r.seal_body(
        file, v.kek_bytes(name), v.body_plaintext(file, keys), v.secret(f"nonce of body {name}", 24)
    )
    return file


def file_keys(s: v.Scenarios) -> None:
    def ok(slug: str, description: str, rule: str, file: r.KeyringFile) -> None:
        _unlock(s, slug, description, rule, "ok", file=file, results=_unlocked(file))

    # Times are data: neither their order nor their distance from today is checked.
    for slug, created, changed in (
        ("changed-first", v.START, v.START - 1),
        ("changed-zero", r.MAX_NUMBER, 0),
    ):
        name = f"times {slug}"
        file = v.make_keyring(name, v.MINI_KEYS)
        file.keys = [replace(key, created=created, changed=changed) for key in file.keys]
        ok(f"times-{slug}", "`changed` before `created`", "8", _resealed(name, file, v.MINI_KEYS))

    # A destroyed key has no bytes to compare its fingerprint with.
    for slug, use, suite in (("dek", "seal", "X"), ("index", "index", None)):
        name = f"unfounded {slug}"
        keys = {**v.DEK1, **v.INDEX}
        file = v.make_keyring(name, keys)
        print_ = v.secret(f"fingerprint of nothing {slug}")
        file.keys.append(r.KeyEntry(print_[:6], print_, use, "destroyed", False, suite, v.START, v.START))
        ok(
            f"destroyed-{slug}-fingerprint",
            "a destroyed key whose fingerprint is that of no key",
            "3.4",
            _resealed(name, file, keys),
        )
    name = "unfounded zero"
    keys = {**v.DEK1, "zero": ("seal", "X", "destroyed", False), **v.INDEX}
    ok("destroyed-zero", "a destroyed key that has the fingerprint of 32 zero bytes", "3.4", v.make_keyring(name, keys))

    for slug, entry in (
        ("index", ("index", None, "deactivated", False)),
        ("pre-active", ("seal", "c", "pre-active", False)),
    ):
        file = v.make_keyring(f"zero {slug}", {**v.DEK1, "zero": entry, **v.INDEX})
        _unlock(
            s, f"zero-{slug}", "a key of zero bytes with the fingerprint that it has", "1.8", "unlock-failed", file=file
        )
    name = "lying deactivated index"
    keys = {**v.DEK1, "index-old": ("index", None, "deactivated", False), **v.INDEX}
    file = v.make_keyring(name, keys)
    key = file.keys[1]
    file.keys[1] = replace(key, fingerprint=key.fingerprint[:31] + bytes([key.fingerprint[31] ^ 1]))
    _unlock(
        s,
        "lying-index",
        "an index root that is not in use, with a wrong fingerprint",
        "3.4",
        "unlock-failed",
        file=_resealed(name, file, keys),
    )


def pins(s: v.Scenarios) -> None:
    main = v.KEYRINGS["main"]
    prints = {label: r.fingerprint(v.key_bytes(label), v.KEYSPACE).hex() for label in (*v.MAIN_KEYS, "nowhere")}
    for label in ("dek-1", "dek-pre", "dek-old", "dek-bad", "index-old"):
        _unlock(
            s,
            f"pin-{label}",
            "the pinned fingerprint is that of a key that is not destroyed",
            "8.5",
            "ok",
            keyring_file="main.json",
            pin=prints[label],
            results=_unlocked(main),
        )
    for label in ("dek-gone", "nowhere"):
        _unlock(
            s,
            f"pin-{label}",
            "no key that is not destroyed has the pinned fingerprint",
            "8.5",
            "pin-mismatch",
            keyring_file="main.json",
            pin=prints[label],
        )
    kek = main.kek.hex()
    _unlock(
        s,
        "pin-kek",
        "the fingerprint of the KEK is that of no key",
        "8.5",
        "pin-mismatch",
        keyring_file="main.json",
        pin=kek,
    )
    almost = prints["dek-1"][:-1] + ("0" if prints["dek-1"][-1] != "0" else "1")
    _unlock(
        s,
        "pin-last-digit",
        "all of the fingerprint is compared",
        "8.5",
        "pin-mismatch",
        keyring_file="main.json",
        pin=almost,
    )
    for slug, expect, members in (
        ("untrusted", "unlock-failed", {"roots": ("root-c",)}),
        ("generation", "keyring-too-old", {"min_generation": 8}),
        ("keyspace", "keyring-mismatch", {"keyspace": v.OTHER_KEYSPACE}),
    ):
        _unlock(
            s,
            f"order-pin-{slug}",
            "the pin comes last",
            "13.3",
            expect,
            keyring_file="main.json",
            pin=prints["nowhere"],
            **members,
        )


# ---------------------------------------------------------------------------------------------------------------------
# 5: suites, step by step
# ---------------------------------------------------------------------------------------------------------------------


def suites(s: v.Scenarios) -> None:
    for letter, name in (("x", "xaes"), ("c", "xchacha")):
        # 64 bytes of a ChaCha20 block, 16 of AES and of Poly1305: each side of each.
        for text, aad in ((0, 0), (1, 15), (16, 16), (17, 0), (63, 1), (65, 33)):
            slug = f"{name}-{text}-{aad}"
            key, nonce = v.secret(f"aead key {slug}"), v.secret(f"aead nonce {slug}", 24)
            data = [b"".join(v.secret(f"aead {slug} {what} {i}") for i in range(3)) for what in ("text", "aad")]
            plaintext, context = data[0][:text], data[1][:aad]
            given = {
                "letter": letter,
                "key_hex": key.hex(),
                "nonce_hex": nonce.hex(),
                "aad_hex": context.hex(),
                "plaintext_hex": plaintext.hex(),
            }
            rule = "5.2" if letter == "x" else "5.5"
            s.add(
                f"aead-{slug}",
                f"{text} bytes with {aad} bytes of AAD",
                rule,
                "aead",
                "ok",
                **given,
                results=r.aead_steps(letter, key, nonce, plaintext, context),
            )


# ---------------------------------------------------------------------------------------------------------------------
# 7.5 and 7.6: what a writer refuses
# ---------------------------------------------------------------------------------------------------------------------


def what_writers_refuse(s: v.Scenarios) -> None:
    def write(slug: str, description: str, kind: int, content: Any, expect: str = "ok") -> None:
        if kind == r.JSON and not isinstance(content, bytes):
            content = json.dumps(content, separators=(",", ":"))
        data = content if isinstance(content, bytes) else content.encode()
        rule = "7.6" if kind == r.JSON else "7.5"
        s.add(
            f"write-{slug}",
            description,
            rule,
            "write",
            expect,
            root_key_file="root-a.txt",
            keyring_file="main.json",
            keyspace=v.KEYSPACE,
            kind=kind,
            content_hex=data.hex(),
        )

    token = v.sealed("write")
    text, binary, subject = token.text(), token.binary(), v.wrapped()
    elsewhere = replace(token, key_id=bytes.fromhex("010203040506"))
    gone = replace(token, key_id=v.key_id("dek-gone"))
    as_text, inside = "token-as-plaintext", "token-inside"
    # The value itself.
    write("text", "the text of a token", 1, text, as_text)
    write("text-elsewhere", "the text of a token under another keyring's key", 1, elsewhere.text(), as_text)
    write("text-subject-key", "the text of a wrapped subject key", 1, b64(subject), as_text)
    write("text-cut", "a text that is no token: one character less", 1, text[:-1])
    write("text-space", "a text that is no token: a space behind it", 1, text + " ")
    write("text-around", "a token as a piece of a text", 1, f"see {text}")
    write("bytes", "a binary token", 0, binary, as_text)
    write("bytes-destroyed", "a binary token under a destroyed key", 0, gone.binary(), as_text)
    write(
        "bytes-index",
        "a binary token that names an index root",
        0,
        replace(token, key_id=v.key_id("index-1")).binary(),
        as_text,
    )
    write("bytes-elsewhere", "bytes that look like a token under no key of this keyring", 0, elsewhere.binary())
    write("bytes-subject-key", "a wrapped subject key", 0, subject, as_text)
    write("bytes-text", "the letters of the text form as bytes", 0, text.encode(), as_text)
    # Inside JSON.
    write("json-text", "a JSON string", 2, text, inside)
    write("json-elsewhere", "under another keyring's key", 2, [elsewhere.text()], inside)
    write("json-list", "in a list", 2, ["Jane", text], inside)
    write("json-member", "as a member's value", 2, {"a": {"b": [{"c": text}]}}, inside)
    write("json-name", "as a member's name", 2, {text: 1}, inside)
    write("json-subject-key", "a wrapped subject key", 2, {"key": b64(subject)}, inside)
    write("json-bytes", "a binary token as a list of numbers", 2, list(binary), inside)
    write("json-bytes-deep", "a binary token as a list of numbers, deep inside", 2, {"a": [[list(binary)]]}, inside)
    write("json-bytes-subject-key", "a wrapped subject key as a list of numbers", 2, [list(subject)], inside)
    write(
        "json-bytes-elsewhere",
        "numbers that look like a token under no key of this keyring",
        2,
        list(elsewhere.binary()),
    )
    write("json-bytes-longer", "a list that begins as a token and has a greater number", 2, [*binary, 256])
    write("json-bytes-double", "a list that begins as a token and has no integer at its end", 2, [*binary, 0.5])
    write("json-piece", "a token as a piece of a string", 2, [f"see {text}"])
    write("json-cut", "a string that is no token", 2, {"a": text[:-1]})
    write("json-plain", "no token at all", 2, {"rxsX": ["rxsX", 175, 27, 23]})
    # In the spelling of another writer.
    escaped = "".join(f"\\u{ord(c):04x}" for c in text)
    write("json-escaped", "a token in escapes", 2, f'["{escaped}"]'.encode(), inside)
    write(
        "json-escaped-name",
        "a member's name with one escape in it",
        2,
        f'{{"{escaped[:6]}{text[1:]}":1}}'.encode(),
        inside,
    )
    write("json-escaped-solidus", "a text that only begins as a token", 2, f'["{text[:40]}\\/{text[41:]}"]'.encode())
    spaced = "[ " + " ,\n ".join(str(byte) for byte in binary) + " ]"
    write("json-bytes-spaced", "a list of numbers with white space", 2, spaced.encode(), inside)
    write(
        "json-bytes-fraction",
        "a list with a number that is written as a fraction",
        2,
        json.dumps([*binary[:-1], float(binary[-1])]).encode(),
    )
    # The characters of the text form as bytes.
    write("bytes-text-elsewhere", "under another keyring's key", 0, elsewhere.text().encode(), as_text)
    write("bytes-text-subject-key", "the letters of a wrapped subject key", 0, b64(subject).encode(), as_text)
    write("bytes-text-around", "letters of a token as a piece of more", 0, f"{text}\n".encode())
    write("json-bytes-text", "the letters as a list of numbers", 2, [list(text.encode())], inside)
    write("json-bytes-text-cut", "letters of no token as a list of numbers", 2, list(text[:-1].encode()))


def json_zeros(s: v.Scenarios) -> None:
    for slug, text, value in (("minus", "-0", "-0.0"), ("minus-double", "-0.0", "-0.0"), ("minus-exponent", "[-0e9]", "[-0.0]")):
        token = v.sealed(f"json zero {slug}", kind=2, content=text.encode())
        results = {"kind": 2, "content_hex": text.encode().hex(), "value": value}
        opening(s, f"json-zero-{slug}", "minus zero keeps its sign", "7.11", token, "ok", decode=True, results=results)
