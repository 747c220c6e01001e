"""The scenarios of tests/vectors: `write` makes the files, `check` makes them again, compares and runs each one.

The expected result of each scenario is written here by hand, from docs/FORMAT.md, and never taken from a run of the
reader. All keys and nonces are SHA-256 of labels, so that two runs give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import rxseal_reference as r
from rxseal_reference import b64, frame

MAX_VECTOR_FILE = 8 * 1024

README = """\
# Vectors of the rxseal wire format

One scenario a file, made by `tests/python/rxseal_reference.py vectors tests/vectors` from `docs/FORMAT.md` and
`docs/NORMAL-FORMS.md` alone; do not edit. `rxseal_reference.py check tests/vectors` makes them again, compares, and runs each one through the Python reader.
All keys here are SHA-256 of labels in the source: they protect nothing.

Every file has `description`, `rule` (a rule of docs/FORMAT.md or docs/NORMAL-FORMS.md), `test`, inputs, `expect` (`ok` or an error code) and, for
`ok`, results. A member that ends in `_file` names a file in `keyrings/` or `root_keys/`.

| `test` | inputs | results when `ok` |
|---|---|---|
| `open` | `root_key_file`; `keyring_file` or `keyring`; `keyspace`, `record_type`, `record_id`, `binding`, `parts`, `subject_id`, `subject_key`, `field_id`, `class`, `former`; `token` (text) or `token_hex` (binary); perhaps `decode`: the content is read as a JSON value too (7.8 to 7.11) | `kind`, `content_hex`; with `decode` also `value`, as JSON text |
| `write` | `root_key_file`, `keyring_file`, `keyspace`, `kind`, `content_hex`: whether a writer seals it (7.5, 7.6) | |
| `open_large` | those of `open` without a token; `made`, of which the token is made: `header_hex`, `nonce_hex`, and the AES-256-GCM ciphertext and tag under `message_key_hex` (Kx of 5.2) with that nonce and `aad_hex` of the payload `payload_repeated`; SHA-256 of the whole is `token_sha256` | `kind`, `content_repeated`: `[hex, count]` |
| `unlock` | `root_key_files` (the trusted root keys, in order); `keyring_file`, `keyring` or `keyring_hex` (bytes), then `spaces_after` spaces if present; `keyspace`; `min_generation` and `pin` (a fingerprint in hexadecimal; both may be absent). `keys_added`: put so many keys behind `"keys":[`, number n from 1 with the fingerprint n (6 bytes) and 26 bytes 0x5A, of use `seal`, `deactivated`, suite `X`, both times 1760000000. `wrap_added`: put a wrap of so many zero bytes behind `"wraps":[`, of provider `p` and root key `n` | `generation`, `kek`, `unlocked_by` (root key name), `primary`, `primary_index`, `keys` (id to state), `canonical` (the text is what a writer writes) |
| `token` | `token` or `token_hex`, then `zeros_after` zero bytes if present | `letter`, `key_id`, `header_hex`, `nonce_hex`, `ciphertext_length`, `tag_hex` |
| `identifier` | `text`, or `integer` (decimal), or `uuid_hex` (16 bytes) | `identifier` |
| `name` | `text` | |
| `root_key` | `text` | `key_hex`, `name`, `wrap_key_hex` |
| `subject_key` | `root_key_file`, `keyring_file`, `keyspace`, `subject_id`, `subject_key` (text) or `subject_key_hex` (binary) | `secret_hex` |
| `derive` | `key_hex`, `purpose` and of `keyspace`, `letter`, `class`, `index`, `generation` those that 3.2 names; for 3.5 also `subject_id`, `subject_key_hex` | `info_hex`, `derived_hex`; for 3.5 also `subject_info_hex`, `field_key_hex` |
| `frame` | `parts`: `[tag, hex]` or `[tag, null]` for an absent part | `frame_hex` |
| `context` | `keyspace`, `record_type`, `record_id`, `binding`, `parts`, `subject_id`; perhaps `field_id`, `header_hex` | `context_hex`, `digest_hex`; `aad_hex` when a field is given |
| `payload` | `kind`, `content_hex`, `block` (pad) | `payload_hex` |
| `payload` | `payload_hex` (unpad) | `kind`, `content_hex` |
| `payload` | `payload_repeated` (unpad): `[hex, count]`, each repeated so often | `kind`, `content_repeated`: `[hex, count]` |
| `record_tag` | `root_key_file`, `keyring_file`, `keyspace`, `record_type`, `former_types`, `record_id`, `subject_id`, `parts` (of the record itself); `highest_cover` (of the reader); `fields`; `tag` (text or null) or `tag_hex` (binary); `min_version` and `min_cover` may be absent. A field is `sealed` with its `tokens` and perhaps `former` ids; or `clear` with its `text`; or a `part` with its `id` and its own `fields`; each with `since` unless that is 1 | `key_id`, `cover`, `version`, `message_hex` (what the HMAC is over) |
| `clear_text` | `kind`, `value`, perhaps `scale` (14.8). A date is year, month and day; a time is hour, minute, second and nanosecond; a decimal is all its digits, and how many of them are behind the point | `text` |
| `index_value` | `index_root_hex`, `keyspace`, `definition` (its `slots` are null, or an `id` and `entries` of a form and its number of slots; in any order), `forms` (each a list of components), `owner` (null, or kind and id) | `key_hex` (K), `definition_hex` (what d is the hash of), `digest_hex` (d), `prefix_hex`; with slots `table_hex` (digest of the table) and, if there is a value, `drawn_hex` (u); `values`, one for each distinct form: `slots` (k) and `slot` (null without slots), `mac_hex` (V), `value_hex`, `text`; `stored`: the texts as a set |
| `index_definition` | `definition`, `former` (definitions) | `digest_hex`, `former_hex`. `invalid-definition` is no code of section 13: a definition is part of a program |
| `index_query` | `root_key_file`, `keyring_file`, `keyspace`, `index` (names the definition for those who declare it), `definition`, `former`, `forms` | `prefixes`: index root, its state, d, prefix as text, whether a writer uses it; `asked`: the values as texts, ascending by their bytes |
| `index_stored` | those of `index_query`, and `owner` | `stored`: what a writer stores, as texts |
| `index_verify` | those of `index_stored`, and `value` (text or null) or `value_hex` | |
| `normal_form` | `normalizer`, `text` (rules of docs/NORMAL-FORMS.md) | `form` (null is nothing); for names also `parts`, sorted; for `sounds/1` only `codes` |
| `normal_form` | `normalizer`, `blocks`: `[first, after]` code points | `digests`: of each block the SHA-256 of a line for each character that is not refused: its code point in hexadecimal (upper case), a space, the form of the character by itself, a newline |
| `aead` | `letter`, `key_hex`, `nonce_hex` (24 bytes), `aad_hex`, `plaintext_hex` | the steps of 5.2 or 5.5; `ciphertext_hex`, `tag_hex` |
"""

# ---------------------------------------------------------------------------------------------------------------------
# Fixtures
# ---------------------------------------------------------------------------------------------------------------------

KEYSPACE = "vectors"
OTHER_KEYSPACE = "vectors-2"
PATIENT = "patient-4711"
START = 1_760_000_000


def secret(label: str, count: int = 32) -> bytes:
    return hashlib.sha256(f"rxseal vectors: {label}".encode()).digest()[:count]


ROOTS = {name: r.RootKey(secret(f"root key {name}")) for name in ("root-a", "root-b", "root-c")}

# label: (use, suite, state, primary); the bytes of a key are those of its label, in every keyring.
DEK1 = {"dek-1": ("seal", "X", "active", True)}
INDEX = {"index-1": ("index", None, "active", True)}
DEKC = {"dek-c": ("seal", "c", "active", False)}
MAIN_KEYS = {
    **DEK1,
    **DEKC,
    "dek-pre": ("seal", "X", "pre-active", False),
    "dek-old": ("seal", "X", "deactivated", False),
    "dek-c-old": ("seal", "c", "deactivated", False),
    "dek-bad": ("seal", "X", "compromised", False),
    "dek-gone": ("seal", "X", "destroyed", False),
    "index-old": ("index", None, "deactivated", False),
    **INDEX,
}
SEARCH_ROOTS = {
    "index-pre": ("index", None, "pre-active", False),
    "index-other": ("index", None, "active", False),
    "index-old": ("index", None, "deactivated", False),
    "index-bad": ("index", None, "compromised", False),
    "index-gone": ("index", None, "destroyed", False),
}
MANY_ROOTS = {f"index-many-{number}": ("index", None, "deactivated", False) for number in range(8)}
MINI_KEYS = {**DEK1, "dek-2": ("seal", "X", "active", False), "dek-gone": ("seal", "X", "destroyed", False), **INDEX}


def key_bytes(label: str) -> bytes:
    return bytes(32) if label == "zero" else secret(f"key {label}")


def key_id(label: str, keyspace: str = KEYSPACE) -> bytes:
    return r.fingerprint(key_bytes(label), keyspace)[:6]


def kek_bytes(label: str) -> bytes:
    return bytes(32) if label == "zero" else secret(f"kek {label}")


def wrap_of(root: str, kek: bytes, keyspace: str, kek_fingerprint: bytes, name: str) -> r.Wrap:
    nonce = secret(f"nonce of wrap {root} {name}", 24)
    return r.Wrap("local", ROOTS[root].name, ROOTS[root].wrap(kek, keyspace, kek_fingerprint, nonce))


def body_plaintext(file: r.KeyringFile, keys: dict[str, tuple]) -> bytes:
    """8.3"""
    secrets = {key_id(label, file.keyspace): key_bytes(label) for label in keys}
    listed = sorted(entry.id for entry in file.keys if entry.state != "destroyed")
    return b"".join(r.body_frame(ident, secrets[ident]) for ident in listed)


def make_keyring(
    name: str,
    keys: dict[str, tuple],
    generation: int = 1,
    keyspace: str = KEYSPACE,
    roots: tuple[str, ...] = ("root-a",),
    kek: str | None = None,
    body: Callable[[r.KeyringFile], bytes] | None = None,
) -> r.KeyringFile:
    """`body` replaces the plaintext of the body, which is then sealed correctly."""
    kek_secret = kek_bytes(kek or name)
    entries = []
    for number, (label, (use, suite, state, primary)) in enumerate(keys.items()):
        print_ = r.fingerprint(key_bytes(label), keyspace)
        created = START + 86_400 * number
        entries.append(r.KeyEntry(print_[:6], print_, use, state, primary, suite, created, created + 3_600 * number))
    kek_print = r.fingerprint(kek_secret, keyspace)
    wraps = [wrap_of(root, kek_secret, keyspace, kek_print, name) for root in roots]
    file = r.KeyringFile(keyspace, generation, kek_print, entries, wraps, b"")
    plaintext = body_plaintext(file, keys) if body is None else body(file)
    file.body = r.seal_body(file, kek_secret, plaintext, secret(f"nonce of body {name} {generation}", 24))
    return file


KEYRINGS = {
    "main": make_keyring("main", MAIN_KEYS, generation=7),
    "xchacha": make_keyring("xchacha", {"dek-c2": ("seal", "c", "active", True), **INDEX}, generation=2),
    "mini": make_keyring("mini", MINI_KEYS, generation=3),
    "mini-next": make_keyring("mini-next", MINI_KEYS, generation=4, kek="mini"),
    "two-wraps": make_keyring("two-wraps", {**DEK1, **INDEX}, roots=("root-a", "root-b")),
    "other": make_keyring("other", {**DEK1, **INDEX}, keyspace=OTHER_KEYSPACE),
}
# For search; apart, because each of those above has a scenario of unlocking.
SEARCH_KEYRINGS = {
    "search": make_keyring("search", {**DEK1, **SEARCH_ROOTS, **INDEX}, generation=5),
    "search-many": make_keyring("search-many", {**DEK1, **MANY_ROOTS, **INDEX}, generation=2),
}
TEXTS = {name: file.write() for name, file in (KEYRINGS | SEARCH_KEYRINGS).items()}

# The fields that the Rust side declares: id -> (class, block, former pairs).
FIELDS: dict[str, tuple[str, int, list[tuple[str, str]]]] = {
    "vector.name": ("identity", 32, []),
    "vector.drug": ("medication", 64, []),
    "vector.note": ("clinical", 256, []),
    "vector.tight": ("contact", 1, []),
    "vector.renamed": ("medication", 32, [("vector.old", "clinical"), ("vector.older", "medication")]),
    "vector.photo": ("identity", 4096, []),
    "vector.own": ("billing", 32, []),
}


# ---------------------------------------------------------------------------------------------------------------------
# Collecting scenarios
# ---------------------------------------------------------------------------------------------------------------------


class Scenarios:
    def __init__(self) -> None:
        self.list: list[tuple[str, dict[str, Any]]] = []

    def add(self, slug: str, description: str, rule: str, test: str, expect: str, **members: Any) -> None:
        head = {"description": description, "rule": f"FORMAT {rule}", "test": test}
        results = members.pop("results", {})
        assert (expect == "ok") or not results
        self.list.append((slug, {**head, **members, "expect": expect, **results}))


# --- sealing for scenarios -------------------------------------------------------------------------------------------

BASE: dict[str, Any] = {
    "keyring": "main",
    "key": "dek-1",
    "keyspace": KEYSPACE,
    "record_type": "patient",
    "record_id": "4711",
    "binding": "bound",
    "parts": [],
    "subject_id": None,
    "subject_secret": None,  # label of the subject key; None is the one of the subject
    "field_id": "vector.name",
    "class": None,  # None is the declared class
    "kind": 1,
    "content": b"Jane Doe",
    "block": None,  # None is the declared block
    "letter": None,  # None is the one of 5.1
    "payload": None,  # None is kind and content, padded
    "nonce": None,  # None is made from the slug
    "key_id": None,  # None is the one of the key
}


def subject_secret(label: str) -> bytes:
    return bytes(32) if label == "zero" else secret(f"subject key {label}")


def context_of(p: dict[str, Any]) -> r.Context:
    parts = tuple((name, ident) for name, ident in p["parts"])
    return r.Context(p["keyspace"], p["record_type"], p["record_id"], p["binding"], parts, p["subject_id"])


def suite_of(label: str) -> str:
    return "c" if label.startswith("dek-c") else "X"


def sealed(slug: str, **changes: Any) -> r.Token:
    """A token of BASE with `changes`."""
    assert set(changes) <= set(BASE), changes
    p = BASE | changes
    letter = p["letter"] or r.letter_to_seal(suite_of(p["key"]), p["binding"])
    declared = FIELDS.get(p["field_id"])
    class_id = p["class"] or declared[0]
    block = p["block"] or (declared[1] if declared else 32)
    payload = p["payload"] if p["payload"] is not None else r.pad(p["kind"], p["content"], block)
    nonce = p["nonce"] or secret(f"nonce {slug}", r.SUITES[letter].wire_nonce)
    subject_key = None
    if p["subject_id"] is not None:
        subject_key = subject_secret(p["subject_secret"] or p["subject_id"])
    ident = p["key_id"] or key_id(p["key"], p["keyspace"])
    key = key_bytes(p["key"])
    return r.seal_payload(key, ident, letter, context_of(p), p["field_id"], class_id, subject_key, nonce, payload)


def wrapped(
    subject_id: str = PATIENT,
    key: str = "dek-1",
    keyspace: str = KEYSPACE,
    label: str | None = None,
    ident: bytes | None = None,
) -> bytes:
    """A wrapped subject key. `label` names another subject key than the subject's own."""
    nonce = secret(f"nonce of subject key {subject_id} {key} {keyspace} {label}", 24)
    plain = subject_secret(label or subject_id)
    return r.wrap_subject_key(key_bytes(key), ident or key_id(key, keyspace), keyspace, subject_id, plain, nonce)


def request(**changes: Any) -> dict[str, Any]:
    """The members of an `open` scenario except the token."""
    p = BASE | {"wrapped": None} | changes
    class_id, _, former = FIELDS[p["field_id"]]
    assert p["class"] is None, "the reader opens declared fields only"
    subject_key = p["wrapped"]
    if p["subject_id"] is not None and subject_key is None:
        subject_key = b64(wrapped(p["subject_id"]))
    return {
        "root_key_file": "root-a.txt",
        "keyring_file": f"{p['keyring']}.json",
        "keyspace": p["keyspace"],
        "record_type": p["record_type"],
        "record_id": p["record_id"],
        "binding": p["binding"],
        "parts": [list(step) for step in p["parts"]],
        "subject_id": p["subject_id"],
        "subject_key": subject_key,
        "field_id": p["field_id"],
        "class": class_id,
        "former": [list(pair) for pair in former],
    }


# ---------------------------------------------------------------------------------------------------------------------
# open
# ---------------------------------------------------------------------------------------------------------------------

READ_ONLY = ("class", "kind", "content", "block", "letter", "payload", "nonce", "key", "key_id", "subject_secret")


def open_scenarios(s: Scenarios) -> None:
    def good(
        slug: str, description: str, rule: str, binary: bool = False, opened: dict | None = None, **p: Any
    ) -> None:
        """Sealed with `p`, and opened with `p` and the changes in `opened`."""
        token = sealed(slug, **p)
        reading = {k: v for k, v in p.items() if k not in READ_ONLY} | (opened or {})
        form = {"token_hex": token.binary().hex()} if binary else {"token": token.text()}
        whole = BASE | p
        results = {"kind": whole["kind"], "content_hex": whole["content"].hex()}
        s.add(slug, description, rule, "open", "ok", **request(**reading), **form, results=results)

    def bad(
        slug: str, description: str, rule: str, token: r.Token | str | bytes, expect: str = "open-failed", **opened: Any
    ) -> None:
        if isinstance(token, r.Token):
            token = token.text()
        form = {"token": token} if isinstance(token, str) else {"token_hex": token.hex()}
        s.add(slug, description, rule, "open", expect, **request(**opened), **form)

    wide = {"binding": "wide", "record_id": "settings"}
    unbound = {"binding": "unbound", "record_id": None}
    subject = {"subject_id": PATIENT}

    # -- suites and bindings
    good("bound-upper-x", "letter X, bound context, text form", "5.1")
    good("bound-upper-x-binary", "letter X, bound context, binary form", "6", binary=True)
    good("wide-lower-x", "letter x, wide context", "5.1", **wide)
    good("wide-lower-x-binary", "letter x, wide context, binary form", "6", binary=True, **wide)
    good("unbound-lower-x", "letter x, no record id", "5.1", **unbound)
    for binding, where in (("bound", {}), ("wide", wide), ("unbound", unbound)):
        good(f"{binding}-c", f"letter c, {binding} context", "5.1", key="dek-c", **where)
    good("bound-c-binary", "letter c, binary form", "6", binary=True, key="dek-c")
    good("xchacha-primary", "a keyring whose primary has suite c", "5.1", keyring="xchacha", key="dek-c2")
    good("xchacha-primary-wide", "as before, wide", "5.1", keyring="xchacha", key="dek-c2", **wide)
    good(
        "lower-x-in-bound",
        "letter x opens in a bound context of the same ids: a DEK of suite X opens both letters, and the context bytes"
        " are the same",
        "5.1",
        letter="x",
    )
    good(
        "upper-x-in-wide",
        "letter X opens in a wide context of the same ids: only a context without record id excludes it",
        "5.1",
        letter="X",
        **wide,
    )
    good("wide-to-bound", "sealed wide, opened bound, same ids", "4.3", opened={"binding": "bound"}, **wide)
    good("bound-to-wide", "sealed bound, opened wide, same ids", "4.3", opened={"binding": "wide"})

    # -- every declared field, every kind
    for name, (class_id, block, _) in FIELDS.items():
        slug = name.replace(".", "-")
        good(f"{slug}-text", f"field {name}, class {class_id}, block {block}, kind 1", "7", field_id=name)
        raw = bytes(range(0xF0, 0x100)) + b"\x00\x80\x00"
        good(
            f"{slug}-raw",
            f"field {name}, kind 0, bytes that look like padding",
            "7.3",
            field_id=name,
            kind=0,
            content=raw,
        )
        text = '{"name":"Jåne","list":[1,2.5,null]}'.encode()
        good(f"{slug}-json", f"field {name}, kind 2", "7", field_id=name, kind=2, content=text)
    for text in ("null", "true", "0", '""', "[]", "-1.5e3", '"\\u00e5"'):
        slug = "json-" + {"null": "null", "true": "true", "0": "zero", '""': "empty-text", "[]": "empty-list"}.get(
            text, "number" if text[0] == "-" else "escape"
        )
        good(slug, f"kind 2 holding {text}", "7", kind=2, content=text.encode(), field_id="vector.own")

    # -- content
    for kind in (0, 1):
        good(f"empty-kind-{kind}", f"empty content, kind {kind}", "7.3", kind=kind, content=b"")
    good(
        "empty-tight",
        "empty content, block 1: the shortest payload and token",
        "6.3",
        field_id="vector.tight",
        content=b"",
    )
    good(
        "empty-tight-raw",
        "empty raw content, block 1: payload 00 80",
        "7.3",
        field_id="vector.tight",
        kind=0,
        content=b"",
    )
    good("empty-tight-c", "the shortest token of letter c", "6.3", field_id="vector.tight", content=b"", key="dek-c")
    good("empty-tight-lower-x", "the shortest token of letter x", "6.3", field_id="vector.tight", content=b"", **wide)
    good("raw-zeros", "raw content of zero bytes", "7.3", kind=0, content=bytes(40))
    good("raw-markers", "raw content of bytes 0x80", "7.3", kind=0, content=b"\x80" * 40)
    good("raw-marker-zeros", "raw content that ends as padding does", "7.3", kind=0, content=b"A\x80\x00\x00")
    good("raw-all-bytes", "raw content of all 256 byte values", "7", kind=0, content=bytes(range(256)))
    for slug, text in (
        ("two-byte", "Müller, Jörg"),
        ("three-byte", "阿司匹林 €"),
        ("four-byte", "💊 aspirin 🩺"),
        ("combining", "Zoe\u0308 A\u030a"),
        ("highest", "\U0010ffff"),
        ("around-surrogates", "\ud7ff\ue000"),
        ("nul", "a\x00b"),
        ("trailing-nul", "a\x00"),
        ("newline", "line 1\r\nline 2\n"),
        ("bom", "\ufefftext"),
        ("ends-in-u0080", "\u0080"),
        ("looks-like-a-prefix", "rxsX"),
    ):
        good(f"utf8-{slug}", f"UTF-8 text: {slug}", "7.4", content=text.encode("utf-8"), field_id="vector.drug")
    for name in ("vector.name", "vector.drug", "vector.note", "vector.tight"):
        block = FIELDS[name][1]
        for length in sorted({block - 2, block - 1, block, 2 * block - 2, 2 * block - 1} - {-1}):
            if length < 0 or length == 1 and block == 1:
                continue
            good(
                f"{name.split('.')[1]}-length-{length}",
                f"{length} bytes of content in blocks of {block}",
                "7.2",
                field_id=name,
                content=bytes(0x61 + i % 26 for i in range(length)),
            )
    good("photo-short", "block 4096", "7.2", field_id="vector.photo", kind=0, content=secret("photo"))
    for block in (1, 2, 32, 64, 100, 256, 1024):
        good(f"sealed-block-{block}", f"a reader does not know the block: sealed with {block}", "7.3", block=block)
    good(
        "padding-longer",
        "200 zero bytes of padding, more than any block needs",
        "7.3",
        payload=b"\x01Jane Doe\x80" + bytes(200),
    )
    good(
        "padding-odd",
        "padding to a length that is no multiple of the block",
        "7.3",
        payload=b"\x01Jane Doe\x80" + bytes(3),
    )

    # -- ids
    for slug, ident in (
        ("leading-zeros", "0042"),
        ("plus", "+42"),
        ("negative", "-42"),
        ("one-byte", "~"),
        ("255-bytes", "r" * 255),
        ("uuid", "0190b5e4-7c1a-7d3e-8f00-0123456789ab"),
        ("32-hex", "0190b5e47c1a7d3e8f000123456789ab"),
        ("32-hex-upper", "0190B5E47C1A7D3E8F000123456789AB"),
        ("punctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ):
        good(f"record-id-{slug}", f"record id: {slug}", "1.4", record_id=ident)
    good("record-type-64", "a record type of 64 characters", "1.3", record_type="t" * 64)
    good("record-type-punctuation", "a record type with every kind of character", "1.3", record_type="0a.b_c-d")

    # -- parts
    steps = [
        ["line", "1"],
        ["dose", "a"],
        ["x", "0"],
        ["x", "0"],
        ["line", "2"],
        ["n.o_t-e", "~"],
        ["q", "-7"],
        ["z", "Z" * 255],
    ]
    for count in (1, 2, 3, 8):
        good(f"parts-{count}", f"{count} steps of parts", "4.1", parts=steps[:count], field_id="vector.drug")
    good("parts-2-c", "2 steps, letter c", "4.1", parts=steps[:2], key="dek-c")
    good("parts-1-wide", "1 step, wide", "4.1", parts=steps[:1], **wide)
    good("parts-1-unbound", "1 step without record id", "4.1", parts=steps[:1], **unbound)
    good("parts-8-wide", "8 steps, wide", "4.1", parts=steps, **wide)

    # -- subject keys
    good("subject-upper-x", "a subject key, letter X", "3.5", **subject)
    good("subject-wide", "a subject key, letter x, wide", "3.5", **subject, **wide)
    good("subject-unbound", "a subject key, letter x, unbound", "3.5", **subject, **unbound)
    good("subject-c", "a subject key, letter c", "3.5", key="dek-c", **subject)
    good("subject-parts", "a subject key and 2 steps", "3.5", parts=steps[:2], **subject)
    good("subject-binary", "a subject key, binary token", "3.5", binary=True, **subject)
    good("subject-id-is-record-id", "subject id and record id are equal", "4.1", subject_id="4711")
    good("subject-id-255", "a subject id of 255 bytes", "1.4", subject_id="s" * 255)
    for key in ("dek-old", "dek-pre", "dek-c", "dek-c-old"):
        good(
            f"subject-wrapped-by-{key}",
            f"the subject key is wrapped under {key}, the token sealed under dek-1",
            "10.1",
            opened={"wrapped": b64(wrapped(key=key))},
            **subject,
        )
    good(
        "subject-sealed-by-dek-old",
        "token under dek-old, subject key wrapped under dek-1",
        "10.1",
        key="dek-old",
        **subject,
    )
    for name in ("vector.drug", "vector.own", "vector.renamed"):
        good(f"subject-{name.split('.')[1]}", f"a subject key, field {name}", "3.5", field_id=name, **subject)

    # -- former pairs
    for slug, more in (
        ("", {}),
        ("-wide", wide),
        ("-c", {"key": "dek-c"}),
        ("-subject", subject),
        ("-parts", {"parts": steps[:1]}),
        ("-old-key", {"key": "dek-old"}),
    ):
        for former, class_id in FIELDS["vector.renamed"][2]:
            good(
                f"former-{former.split('.')[1]}{slug}",
                f"sealed as {former} of class {class_id}, opened as vector.renamed",
                "4.6",
                opened={"field_id": "vector.renamed"},
                field_id=former,
                **{"class": class_id},
                **more,
            )
    for slug, field_id, class_id in (
        ("mixed-1", "vector.old", "medication"),
        ("mixed-2", "vector.older", "clinical"),
        ("current-id-former-class", "vector.renamed", "clinical"),
        ("unlisted", "vector.oldest", "medication"),
        ("unlisted-class", "vector.older", "identity"),
    ):
        name = f"former-{slug}"
        token = sealed(name, field_id=field_id, **{"class": class_id})
        bad(
            name,
            f"sealed as {field_id} of class {class_id}, which is no pair of the field",
            "4.6",
            token,
            field_id="vector.renamed",
        )
    token = sealed("former-elsewhere", field_id="vector.old", **{"class": "clinical"})
    bad("former-elsewhere", "a former pair of another field", "4.6", token, field_id="vector.note")
    token = sealed("former-reverse", field_id="vector.renamed")
    bad(
        "former-reverse",
        "vector.renamed is not a former id of vector.drug (same class)",
        "4.6",
        token,
        field_id="vector.drug",
    )

    # -- states
    for key, state in (
        ("dek-pre", "pre-active"),
        ("dek-old", "deactivated"),
        ("dek-c", "active"),
        ("dek-c-old", "deactivated"),
    ):
        good(f"state-{key}", f"a key in the state {state} opens ({key})", "8.7", key=key)
        good(f"state-{key}-wide", f"a key in the state {state} opens ({key}), wide", "8.7", key=key, **wide)
    bad("state-compromised", "a compromised key", "8.7", sealed("state-compromised", key="dek-bad"), "key-compromised")
    bad(
        "state-compromised-wide",
        "a compromised key, wide",
        "8.7",
        sealed("state-compromised-wide", key="dek-bad", **wide),
        "key-compromised",
        **wide,
    )
    bad("state-destroyed", "a destroyed key", "8.7", sealed("state-destroyed", key="dek-gone"), "key-destroyed")
    bad(
        "state-destroyed-wide",
        "a destroyed key, wide",
        "8.7",
        sealed("state-destroyed-wide", key="dek-gone", **wide),
        "key-destroyed",
        **wide,
    )
    token = sealed("state-former", key="dek-bad", field_id="vector.old", **{"class": "clinical"})
    bad(
        "state-former-compromised",
        "a former pair under a compromised key",
        "8.7",
        token,
        "key-compromised",
        field_id="vector.renamed",
    )
    token = sealed("state-damaged", key="dek-bad")
    damaged = replace(token, sealed=token.sealed[:-1] + bytes([token.sealed[-1] ^ 1]))
    bad(
        "state-compromised-damaged",
        "a damaged token under a compromised key: the key is refused first",
        "8.7",
        damaged,
        "key-compromised",
    )
    bad(
        "state-unknown",
        "a key that the keyring does not have",
        "3.7",
        sealed("state-unknown", key="dek-nowhere"),
        "unknown-key",
    )
    bad("state-zero-id", "key id of zero bytes", "3.7", sealed("state-zero-id", key_id=bytes(6)), "unknown-key")
    for key in ("index-1", "index-old"):
        bad(
            f"state-{key}",
            "the key id of an index root, which is not a DEK",
            "3.7",
            sealed(f"state-{key}", key=key),
            "unknown-key",
        )
    token = sealed("state-kek", key_id=KEYRINGS["main"].kek[:6])
    bad("state-kek", "the start of the fingerprint of the KEK as a key id", "3.7", token, "unknown-key")
    bad(
        "state-other-keyring",
        "the key of another keyring",
        "3.7",
        sealed("state-other-keyring"),
        "unknown-key",
        keyring="xchacha",
    )

    # -- swaps: sealed with one thing, opened with another
    def swap(slug: str, description: str, rule: str, opened: dict | None = None, **p: Any) -> None:
        reading = {k: v for k, v in p.items() if k not in READ_ONLY} | (opened or {})
        bad(f"swap-{slug}", description, rule, sealed(f"swap-{slug}", **p), **reading)

    for slug, more in (("", {}), ("-x", {"letter": "x"}), ("-c", {"key": "dek-c"}), ("-subject", subject)):
        swap(f"record-type{slug}", "another record type", "4.1", opened={"record_type": "claim"}, **more)
        swap(f"record-id{slug}", "another record id", "4.1", opened={"record_id": "4712"}, **more)
        swap(f"field-id{slug}", "another field of the same class", "4.4", opened={"field_id": "vector.photo"}, **more)
        swap(f"class{slug}", "the field id is right, the class was another one", "3.2", **{"class": "clinical"}, **more)
        swap(f"field{slug}", "another field of another class", "4.4", opened={"field_id": "vector.drug"}, **more)
        swap(f"part-added{slug}", "opened with a part, sealed without", "4.1", opened={"parts": steps[:1]}, **more)
        swap(
            f"part-removed{slug}",
            "sealed with a part, opened without",
            "4.1",
            opened={"parts": []},
            parts=steps[:1],
            **more,
        )
    swap("record-id-zeros", "42 is not 0042", "1.4", opened={"record_id": "42"}, record_id="0042")
    swap("record-id-plus", "42 is not +42", "1.4", opened={"record_id": "42"}, record_id="+42")
    swap("record-id-case", "abc is not ABC", "1.4", opened={"record_id": "abc"}, record_id="ABC")
    swap(
        "record-id-uuid-hyphens",
        "a UUID is not its 32 digits",
        "1.6",
        opened={"record_id": "0190b5e47c1a7d3e8f000123456789ab"},
        record_id="0190b5e4-7c1a-7d3e-8f00-0123456789ab",
    )
    swap("wide-record-id", "another record id, wide", "4.1", opened={"record_id": "settings2"}, **wide)
    swap(
        "unbound-to-bound",
        "sealed without record id, opened with",
        "4.1",
        opened={"record_id": "4711", "binding": "bound"},
        **unbound,
    )
    swap(
        "unbound-to-wide",
        "sealed without record id, opened wide",
        "4.1",
        opened={"record_id": "4711", "binding": "wide"},
        **unbound,
    )
    swap("wide-to-unbound", "sealed wide, opened without record id", "4.1", opened=unbound, **wide)
    swap("bound-to-unbound", "letter X in a context without record id", "5.1", opened=unbound)
    swap("bound-to-unbound-c", "letter c: bound, opened without record id", "4.1", opened=unbound, key="dek-c")
    swap(
        "type-and-id-shifted",
        "the end of the record type moved to the record id",
        "2.1",
        opened={"record_type": "pat", "record_id": "ient4711"},
    )
    swap("part-name", "another part name", "4.1", opened={"parts": [["row", "1"]]}, parts=steps[:1])
    swap("part-id", "another part id", "4.1", opened={"parts": [["line", "2"]]}, parts=steps[:1])
    swap("part-order", "two steps in the other order", "4.1", opened={"parts": steps[1::-1]}, parts=steps[:2])
    swap("part-outer-only", "the inner step is missing", "4.1", opened={"parts": steps[:1]}, parts=steps[:2])
    swap("part-inner-only", "the outer step is missing", "4.1", opened={"parts": steps[1:2]}, parts=steps[:2])
    swap(
        "part-joined",
        "two steps are not one with a joined id",
        "4.1",
        opened={"parts": [["line", "1dosea"]]},
        parts=steps[:2],
    )
    swap(
        "part-to-record",
        "a part is not a record of its own",
        "4.1",
        opened={"record_type": "line", "record_id": "1"},
        parts=steps[:1],
    )
    swap("part-8-7", "8 steps opened as 7", "4.1", opened={"parts": steps[:7]}, parts=steps)
    swap(
        "subject-other",
        "another subject, each with its own subject key",
        "3.5",
        opened={"subject_id": "patient-4712"},
        **subject,
    )
    swap("subject-added", "sealed without a subject, opened with one", "3.5", opened=subject)
    swap("subject-removed", "sealed with a subject, opened without", "3.5", opened={"subject_id": None}, **subject)
    swap(
        "subject-removed-c",
        "letter c: sealed with a subject, opened without",
        "3.5",
        opened={"subject_id": None},
        key="dek-c",
        **subject,
    )
    swap(
        "subject-key",
        "the right subject, another subject key",
        "3.5",
        opened={"wrapped": b64(wrapped(label="another"))},
        **subject,
    )
    swap(
        "subject-key-c",
        "letter c: the right subject, another subject key",
        "3.5",
        opened={"wrapped": b64(wrapped(label="another"))},
        key="dek-c",
        **subject,
    )
    swap(
        "subject-as-record",
        "the subject id in the place of the record id",
        "4.1",
        opened={"record_id": PATIENT, "subject_id": None},
        record_id="4711",
        **subject,
    )
    swap(
        "subject-and-record-exchanged",
        "subject id and record id exchanged",
        "4.1",
        opened={"record_id": PATIENT, "subject_id": "4711"},
        **subject,
    )
    # keyspaces: the other keyring holds the same DEK bytes
    bad(
        "swap-keyspace",
        "sealed in another keyspace: its key ids are others",
        "3.3",
        sealed("swap-keyspace", keyspace=OTHER_KEYSPACE),
        "unknown-key",
    )
    token = sealed("swap-keyspace-back")
    bad(
        "swap-keyspace-back",
        "opened in another keyspace with the same DEK bytes",
        "3.3",
        token,
        "unknown-key",
        keyspace=OTHER_KEYSPACE,
        keyring="other",
    )
    for key in ("dek-1", "dek-c"):
        slug = f"swap-keyspace-key-id-{key}"
        token = sealed(slug, keyspace=OTHER_KEYSPACE, key=key, key_id=key_id(key))
        bad(slug, f"sealed in another keyspace with the bytes of {key} and its key id of this keyspace", "4.1", token)
    for key, letter in (("dek-1", "X"), ("dek-c", "c")):
        # the class key of this keyspace, the context of the other
        slug = f"swap-keyspace-context-{key}"
        other = context_of(BASE | {"keyspace": OTHER_KEYSPACE})
        nonce = secret(slug, r.SUITES[letter].wire_nonce)
        aead_key = r.field_key(key_bytes(key), KEYSPACE, letter, "identity", None)
        header = r.SUITES[letter].magic + key_id(key)
        ciphertext = r.SUITES[letter].seal(
            aead_key,
            r.aead_nonce(letter, nonce, other.digest()),
            r.pad(1, b"Jane Doe", 32),
            r.field_aad(header, other.digest(), "vector.name"),
        )
        bad(
            slug,
            f"letter {letter}: only the keyspace in the context is another one",
            "4.1",
            r.Token(letter, key_id(key), nonce, ciphertext),
        )
        # the context of this keyspace, the class key of the other
        slug = f"swap-keyspace-derivation-{key}"
        here = context_of(BASE)
        aead_key = r.field_key(key_bytes(key), OTHER_KEYSPACE, letter, "identity", None)
        ciphertext = r.SUITES[letter].seal(
            aead_key,
            r.aead_nonce(letter, nonce, here.digest()),
            r.pad(1, b"Jane Doe", 32),
            r.field_aad(header, here.digest(), "vector.name"),
        )
        bad(
            slug,
            f"letter {letter}: only the keyspace in the derivation is another one",
            "3.2",
            r.Token(letter, key_id(key), nonce, ciphertext),
        )
    # key ids
    for slug, p, other, expect in (
        ("key-id-old", {}, "dek-old", "open-failed"),
        ("key-id-pre", wide, "dek-pre", "open-failed"),
        ("key-id-c", {"key": "dek-c"}, "dek-c-old", "open-failed"),
        ("key-id-bad", {}, "dek-bad", "key-compromised"),
        ("key-id-gone", {}, "dek-gone", "key-destroyed"),
        ("key-id-index", {}, "index-1", "unknown-key"),
        ("key-id-nowhere", {}, "dek-nowhere", "unknown-key"),
    ):
        token = replace(sealed(f"swap-{slug}", **p), key_id=key_id(other))
        reading = {k: v for k, v in p.items() if k not in READ_ONLY}
        bad(f"swap-{slug}", f"the key id is replaced by that of {other}", "3.7", token, expect, **reading)
    token = sealed("swap-key-id-in-aad", key_id=key_id("dek-old"))
    token = replace(token, key_id=key_id("dek-1"))
    bad("swap-key-id-in-aad", "sealed under dek-1 with the key id of dek-old in the AAD, then corrected", "4.4", token)

    # letters
    bound_digest = context_of(BASE).digest()
    token = sealed("letter-upper-to-lower")
    bad(
        "letter-upper-to-lower",
        "letter X made x, with the 12 bytes of the digest put in front of the nonce",
        "5",
        replace(token, letter="x", wire_nonce=bound_digest[:12] + token.wire_nonce),
    )
    token = sealed("letter-lower-to-upper", letter="x", nonce=bound_digest[:12] + secret("letter-lower-to-upper", 12))
    bad(
        "letter-lower-to-upper",
        "letter x, whose nonce starts with the digest, made X without those 12 bytes",
        "5",
        replace(token, letter="X", wire_nonce=token.wire_nonce[12:]),
    )
    token = sealed("letter-x-only-magic", letter="x")
    bad(
        "letter-x-only-magic",
        "letter x made X, all other bytes as they were",
        "5",
        replace(token, letter="X", wire_nonce=token.wire_nonce[:12], sealed=token.wire_nonce[12:] + token.sealed),
    )
    token = sealed("letter-upper-only-magic", content=b"Jane Doe, a name of more bytes")
    data = r.SUITES["x"].magic + token.binary()[3:]
    bad("letter-upper-only-magic", "letter X made x, all other bytes as they were", "5", b64(data))
    data = r.SUITES["c"].magic + token.binary()[3:]
    bad("letter-upper-c-only-magic", "letter X made c, all other bytes as they were", "5.1", b64(data))
    bad("letter-lower-to-c", "letter x made c", "5.1", replace(sealed("letter-lower-to-c", **wide), letter="c"), **wide)
    bad("letter-c-to-lower", "letter c made x", "5.1", replace(sealed("letter-c-to-lower", key="dek-c"), letter="x"))
    token = sealed("letter-c-to-upper", key="dek-c")
    bad(
        "letter-c-to-upper",
        "letter c made X, the nonce cut to 12 bytes",
        "5.1",
        replace(token, letter="X", wire_nonce=token.wire_nonce[12:]),
    )
    bad(
        "letter-c-under-suite-x",
        "sealed as it should be with letter c, but the suite of the key is X",
        "5.1",
        sealed("letter-c-under-suite-x", letter="c"),
    )
    bad(
        "letter-c-under-suite-x-wide",
        "as before, wide",
        "5.1",
        sealed("letter-c-under-suite-x-wide", letter="c", **wide),
        **wide,
    )
    bad(
        "letter-upper-x-under-suite-c",
        "sealed as it should be with letter X, but the suite of the key is c",
        "5.1",
        sealed("letter-upper-x-under-suite-c", key="dek-c", letter="X"),
    )
    bad(
        "letter-lower-x-under-suite-c",
        "sealed as it should be with letter x, but the suite of the key is c",
        "5.1",
        sealed("letter-lower-x-under-suite-c", key="dek-c", letter="x"),
    )
    bad(
        "letter-lower-x-under-suite-c-wide",
        "as before, wide",
        "5.1",
        sealed("letter-lower-x-under-suite-c-wide", key="dek-c", letter="x", **wide),
        **wide,
    )
    bad(
        "letter-upper-x-unbound",
        "sealed consistently with letter X in a context without record id",
        "5.1",
        sealed("letter-upper-x-unbound", letter="X", **unbound),
        **unbound,
    )
    bad(
        "letter-c-under-suite-x-subject",
        "letter c under a key of suite X, with a subject key",
        "5.1",
        sealed("letter-c-under-suite-x-subject", letter="c", **subject),
        **subject,
    )
    # nonces of the AEAD
    aead_key = r.field_key(key_bytes("dek-1"), KEYSPACE, "X", "identity", None)
    header = r.SUITES["X"].magic + key_id("dek-1")
    for slug, prefix in (
        ("zero", bytes(12)),
        ("digest-end", bound_digest[20:]),
        ("digest-middle", bound_digest[12:24]),
    ):
        nonce = secret(f"nonce prefix {slug}", 12)
        ciphertext = r.xaes_seal(
            aead_key, prefix + nonce, r.pad(1, b"Jane Doe", 32), r.field_aad(header, bound_digest, "vector.name")
        )
        bad(
            f"nonce-prefix-{slug}",
            "letter X with other bytes than digest[0..12] in front of the nonce",
            "5",
            r.Token("X", key_id("dek-1"), nonce, ciphertext),
        )
    nonce = secret("nonce order", 12)
    ciphertext = r.xaes_seal(
        aead_key, nonce + bound_digest[:12], r.pad(1, b"Jane Doe", 32), r.field_aad(header, bound_digest, "vector.name")
    )
    bad(
        "nonce-order",
        "letter X with the digest behind the nonce bytes",
        "5",
        r.Token("X", key_id("dek-1"), nonce, ciphertext),
    )
    # AAD
    full = bound_digest[:12] + nonce
    for slug, aad in (
        ("none", b""),
        ("no-header", bound_digest + b"vector.name"),
        ("no-field", header + bound_digest),
        ("no-digest", header + b"vector.name"),
        ("short-digest", header + bound_digest[:31] + b"vector.name"),
        ("field-first", b"vector.name" + header + bound_digest),
        ("extra-zero", r.field_aad(header, bound_digest, "vector.name") + b"\x00"),
    ):
        ciphertext = r.xaes_seal(aead_key, full, r.pad(1, b"Jane Doe", 32), aad)
        bad(f"aad-{slug}", f"an AAD of another form: {slug}", "4.4", r.Token("X", key_id("dek-1"), nonce, ciphertext))
    # other keys in place of the class key
    for slug, wrong in (
        ("dek", key_bytes("dek-1")),
        ("subject-purpose", r.derive(key_bytes("dek-1"), "subject", keyspace=KEYSPACE, letter="X", name="identity")),
        ("wrap-purpose", r.derive(key_bytes("dek-1"), "wrap", keyspace=KEYSPACE, letter="x")),
        ("letter-x", r.field_key(key_bytes("dek-1"), KEYSPACE, "x", "identity", None)),
    ):
        ciphertext = r.xaes_seal(
            wrong, full, r.pad(1, b"Jane Doe", 32), r.field_aad(header, bound_digest, "vector.name")
        )
        bad(
            f"class-key-{slug}",
            f"sealed under another key than the class key: {slug}",
            "3.2",
            r.Token("X", key_id("dek-1"), nonce, ciphertext),
        )

    # -- damage
    for letter, p in (("upper-x", {}), ("lower-x", wide), ("c", {"key": "dek-c"})):
        reading = {k: v for k, v in p.items() if k not in READ_ONLY}
        whole = sealed(f"damage-{letter}", **p).binary()
        start = 9 + (12 if letter == "upper-x" else 24)
        regions = (
            ("magic-1", 0, "not-a-token"),
            ("magic-2", 1, "not-a-token"),
            ("key-id-first", 3, "unknown-key"),
            ("key-id-last", 8, "unknown-key"),
            ("nonce-first", 9, "open-failed"),
            ("nonce-last", start - 1, "open-failed"),
            ("ciphertext-first", start, "open-failed"),
            ("ciphertext-last", len(whole) - 17, "open-failed"),
            ("tag-first", len(whole) - 16, "open-failed"),
            ("tag-last", len(whole) - 1, "open-failed"),
        )
        for where, at, expect in regions:
            bit = 0x80 if "first" in where else 0x01
            flipped = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
            bad(f"flip-{letter}-{where}", f"one bit flipped: {where}", "6", b64(flipped), expect, **reading)
        bad(f"cut-{letter}-last-byte", "the last byte is missing", "6", b64(whole[:-1]), **reading)
        bad(f"cut-{letter}-nonce-byte", "a byte of the nonce is missing", "6", b64(whole[:9] + whole[10:]), **reading)
        bad(f"cut-{letter}-no-tag", "the tag is missing", "6", b64(whole[:-16]), **reading)
        bad(
            f"longer-{letter}",
            "a byte is appended: the length is still possible, the tag is not",
            "6.4",
            b64(whole + b"\x00"),
            **reading,
        )
        bad(
            f"longer-{letter}-inside",
            "a byte is inserted before the tag",
            "6.4",
            b64(whole[:-16] + b"\x00" + whole[-16:]),
            **reading,
        )
        zero_tag = whole[:-16] + bytes(16)
        bad(f"zero-tag-{letter}", "a tag of zero bytes", "6", b64(zero_tag), **reading)
    one, two = sealed("splice-1").binary(), sealed("splice-2", content=b"John Roe").binary()
    bad("splice-tag", "ciphertext of one token, tag of another", "6", b64(one[:-16] + two[-16:]))
    bad("splice-nonce", "nonce of another token", "6", b64(one[:9] + two[9:21] + one[21:]))
    bad(
        "splice-ciphertext",
        "nonce and tag of one token, ciphertext of another",
        "6",
        b64(one[:21] + two[21:-16] + one[-16:]),
    )
    bad("splice-joined", "two tokens, one after the other, as one text", "6.4", b64(one) + b64(two))
    bad("splice-joined-binary", "two tokens, one after the other, as bytes", "6.4", one + two)

    # -- payloads that were sealed correctly, but are malformed
    for slug, rule, payload in MALFORMED_PAYLOADS:
        bad(
            f"payload-{slug}",
            f"a good tag over a malformed payload: {slug}",
            rule,
            sealed(f"payload-{slug}", payload=payload),
        )
    for letter, p in (("lower-x", wide), ("c", {"key": "dek-c"}), ("subject", subject)):
        reading = {k: v for k, v in p.items() if k not in READ_ONLY}
        slug = f"payload-no-marker-{letter}"
        bad(slug, "a good tag over a payload without padding", "7.4", sealed(slug, payload=b"\x01abc", **p), **reading)
    token = sealed("payload-one-byte", payload=b"\x80")
    bad("payload-one-byte", "a payload of one byte: the token is shorter than any", "6.3", token, "not-a-token")
    bad(
        "payload-empty",
        "an empty payload: the token is shorter than any",
        "6.3",
        sealed("payload-empty", payload=b""),
        "not-a-token",
    )
    token = sealed("payload-former", field_id="vector.older", payload=b"\x01abc", **{"class": "medication"})
    bad("payload-former", "a malformed payload under a former pair", "7.4", token, field_id="vector.renamed")

    # -- values that are not tokens
    for slug, text in NOT_TOKENS[:12]:
        bad(f"open-{slug}", f"no token: {slug}", "6.4", text, "not-a-token")
    for slug, data in (
        ("plaintext", b"Jane Doe"),
        ("empty", b""),
        ("text-form", sealed("open-binary-text-form").text().encode()),
    ):
        bad(f"open-binary-{slug}", f"no binary token: {slug}", "6.4", data, "not-a-token")

    # -- names, identifiers, subject keys
    token = sealed("invalid-context").text()
    for slug, rule, changes in (
        ("record-type-upper", "1.3", {"record_type": "Patient"}),
        ("record-type-empty", "1.3", {"record_type": ""}),
        ("record-id-empty", "1.4", {"record_id": ""}),
        ("record-id-space", "1.4", {"record_id": "47 11"}),
        ("record-id-uuid-upper", "1.6", {"record_id": "0190B5E4-7C1A-7D3E-8F00-0123456789AB"}),
        ("record-id-256", "1.4", {"record_id": "r" * 256}),
        ("part-name", "1.3", {"parts": [["Line", "1"]]}),
        ("part-id", "1.4", {"parts": [["line", ""]]}),
        ("part-id-urn", "1.6", {"parts": [["line", "urn:uuid:1"]]}),
    ):
        bad(f"context-{slug}", f"the context is refused: {slug}", rule, token, "invalid-id", **changes)
    token = sealed("subject-form", **subject).text()
    good_wrap = b64(wrapped())
    for slug, text, expect, rule in (
        ("cut", good_wrap[:-1], "invalid-subject-key", "10.1"),
        ("empty", "", "invalid-subject-key", "10.1"),
        ("other-subject", b64(wrapped("patient-4712")), "subject-key-refused", "10.1"),
        ("other-keyspace", b64(wrapped(keyspace=OTHER_KEYSPACE, ident=key_id("dek-1"))), "subject-key-refused", "10.1"),
        ("zero", b64(wrapped(label="zero")), "subject-key-refused", "1.8"),
    ):
        bad(
            f"open-subject-key-{slug}",
            f"the wrapped subject key is refused: {slug}",
            rule,
            token,
            expect,
            wrapped=text,
            **subject,
        )


# (slug, rule, payload)
MALFORMED_PAYLOADS = [
    ("no-marker", "7.4", b"\x01Jane Doe"),
    ("no-marker-zeros", "7.4", b"\x01Jane Doe" + bytes(23)),
    ("zeros", "7.4", bytes(32)),
    ("two-zeros", "7.4", bytes(2)),
    ("marker-only", "7.3", b"\x80" + bytes(31)),
    ("marker-only-short", "7.3", b"\x80\x00"),
    ("after-marker", "7.3", b"\x01Jane Doe\x80\x01"),
    ("marker-81", "7.3", b"\x01Jane Doe\x81" + bytes(8)),
    ("marker-40", "7.3", b"\x01Jane Doe\x40" + bytes(8)),
    ("pkcs7", "7.3", b"\x01Jane Doe" + bytes([7]) * 7),
    ("kind-3", "7.4", b"\x03Jane Doe\x80" + bytes(22)),
    ("kind-4", "7.4", b"\x04\x80" + bytes(30)),
    ("kind-7f", "7.4", b"\x7fJane Doe\x80"),
    ("kind-80", "7.4", b"\x80\x80" + bytes(30)),
    ("kind-81", "7.4", b"\x81Jane Doe\x80"),
    ("kind-ff", "7.4", b"\xffJane Doe\x80"),
    ("kind-ascii-1", "7.4", b"1Jane Doe\x80"),
    ("utf8-lone-continuation", "7.4", b"\x01\x80\x80"),
    ("utf8-latin-1", "7.4", "Müller".encode("latin-1").join([b"\x01", b"\x80"])),
    ("utf8-cut", "7.4", b"\x01\xe2\x82\x80"),
    ("utf8-overlong-2", "7.4", b"\x01\xc0\xaf\x80"),
    ("utf8-overlong-3", "7.4", b"\x01\xe0\x80\xaf\x80"),
    ("utf8-overlong-nul", "7.4", b"\x01a\xc0\x80a\x80"),
    ("utf8-surrogate", "7.4", b"\x01\xed\xa0\x80a\x80"),
    ("utf8-cesu", "7.4", b"\x01\xed\xa0\xbd\xed\xb2\x8a\x80"),
    ("utf8-above-10ffff", "7.4", b"\x01\xf4\x90\x80\x80a\x80"),
    ("utf8-five-bytes", "7.4", b"\x01\xf8\x88\x80\x80\x80a\x80"),
    ("utf8-ff", "7.4", b"\x01\xff\x80"),
    ("utf16", "7.4", b"\x01\xff\xfeJ\x00a\x00\x80"),
    ("json-utf8", "7.4", b'\x02"\xff"\x80'),
    ("json-utf8-cut", "7.4", b'\x02"\xc3"\x80'),
    ("json-utf8-surrogate", "7.4", b'\x02"\xed\xbf\xbf"\x80'),
]

# ---------------------------------------------------------------------------------------------------------------------
# token
# ---------------------------------------------------------------------------------------------------------------------

_UPPER = sealed("not-tokens upper", content=b"Jane Doe, 1980")  # 21 + 32 + 16 = 69 bytes, 92 characters
_ODD = sealed("not-tokens odd", block=1)  # 21 + 10 + 16 = 47 bytes, 63 characters: 2 unused bits
_ODD2 = sealed("not-tokens odd 2", block=1, content=b"Jane D.")  # 46 bytes, 62 characters: 4 unused bits
_T = _UPPER.text()


def _bump(text: str, by: int) -> str:
    """The last character with `by` added to its value: sets unused bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + by]


def _with_dash() -> str:
    """A token whose text has both - and _ after the header."""
    for n in range(1000):
        text = sealed(f"not-tokens alphabet {n}").text()
        if "-" in text[12:] and "_" in text[12:]:
            return text
    raise AssertionError


_DASH = _with_dash()

NOT_TOKENS = [
    ("empty", ""),
    ("plaintext", "Jane Doe"),
    ("plaintext-umlaut", "Jörg Müller"),
    ("json", '{"name":"Jane Doe"}'),
    ("uuid", "0190b5e4-7c1a-7d3e-8f00-0123456789ab"),
    ("prefix", "rxsX"),
    ("standard-alphabet", _DASH.replace("-", "+").replace("_", "/")),
    ("trailing-newline", _T + "\n"),
    ("padding", _ODD.text() + "="),
    ("unused-bits-2", _bump(_ODD.text(), 1)),
    ("unused-bits-4", _bump(_ODD2.text(), 1)),
    ("unknown-letter", "rxsY" + _T[4:]),
    # the first twelve are run through `open` as well
    ("unused-bits-2-high", _bump(_ODD.text(), 2)),
    ("unused-bits-2-all", _bump(_ODD.text(), 3)),
    ("unused-bits-4-high", _bump(_ODD2.text(), 8)),
    ("unused-bits-4-all", _bump(_ODD2.text(), 15)),
    ("padding-2", _ODD2.text() + "=="),
    ("padding-on-whole", _T + "="),
    ("padding-dot", _ODD.text() + "."),
    ("length-1-mod-4", _T + "A"),
    ("length-1-mod-4-cut", _ODD2.text()[:-1]),
    ("standard-alphabet-plus", _T[:20] + "+" + _T[21:]),
    ("standard-alphabet-slash", _T[:20] + "/" + _T[21:]),
    ("leading-space", " " + _T),
    ("trailing-space", _T + " "),
    ("trailing-crlf", _T + "\r\n"),
    ("leading-newline", "\n" + _T),
    ("inner-newline", _T[:76] + "\n" + _T[76:]),
    ("inner-space", _T[:12] + " " + _T[12:]),
    ("tab", _T + "\t"),
    ("trailing-nul", _T + "\x00"),
    ("leading-bom", "\ufeff" + _T),
    ("zero-width-space", _T[:12] + "\u200b" + _T[12:]),
    ("no-break-space", _T + "\u00a0"),
    ("full-width", _T[:-1] + "\uff21"),
    ("quoted", f'"{_T}"'),
    ("percent", _T[:-1] + "%41"),
    ("comma", f"{_T},{_T}"),
    ("dot", _T[:40] + "." + _T[41:]),
    ("tilde", _T[:40] + "~" + _T[41:]),
    ("hex", _UPPER.binary().hex()),
    ("data-url", "data:;base64," + _T),
    ("upper-case", _T.upper()),
    ("first-letter", "Rxs" + _T[3:]),
    ("second-letter", "rXs" + _T[3:]),
    ("third-letter", "rxS" + _T[3:]),
    ("letter-s", "rxsS" + _T[4:]),
    ("letter-capital-c", "rxsC" + _T[4:]),
    ("letter-digit", "rxs0" + _T[4:]),
    ("letter-dash", "rxs-" + _T[4:]),
    ("reserved-rxr", "rxrS" + _T[4:]),
    ("reserved-rxf", "rxfR" + _T[4:]),
    ("reserved-rxr-x", "rxrX" + _T[4:]),
    ("subject-key", b64(wrapped())),
    ("root-key", ROOTS["root-c"].text()),
    ("key-id-only", _T[:12]),
    ("prefix-3", "rxs"),
    ("shifted", "A" + _T),
    ("escaped", "\\x" + _UPPER.binary().hex()),
]


def token_scenarios(s: Scenarios) -> None:
    def ok(slug: str, description: str, rule: str, token: r.Token, text: bool = True, zeros: int = 0) -> None:
        form: dict[str, Any] = {"token": token.text()} if text else {"token_hex": token.binary().hex()}
        if zeros:
            form["zeros_after"] = zeros
        results = {
            "letter": token.letter,
            "key_id": b64(token.key_id),
            "header_hex": token.header.hex(),
            "nonce_hex": token.wire_nonce.hex(),
            "ciphertext_length": len(token.sealed) - 16 + zeros,
            "tag_hex": (token.sealed + bytes(min(zeros, 16)))[-16:].hex(),
        }
        s.add(f"token-{slug}", description, rule, "token", "ok", **form, results=results)

    def no(slug: str, description: str, rule: str, token: str | bytes, zeros: int = 0) -> None:
        form: dict[str, Any] = {"token": token} if isinstance(token, str) else {"token_hex": token.hex()}
        if zeros:
            form["zeros_after"] = zeros
        s.add(f"token-{slug}", description, rule, "token", "not-a-token", **form)

    for letter, name in (("X", "upper-x"), ("x", "lower-x"), ("c", "c")):
        nonce = secret(f"token {letter}", r.SUITES[letter].wire_nonce)

        def made(count: int) -> r.Token:
            data = b"".join(secret(f"token {letter} {i}") for i in range(count // 32 + 1))
            return r.Token(letter, key_id("dek-1"), nonce, data[:count])

        least = 9 + len(nonce) + 18
        for count in (18, 19, 20, 48):
            ok(
                f"{name}-{count - 16}",
                f"letter {letter}, payload of {count - 16} bytes: {least + count - 18} bytes",
                "6.3",
                made(count),
            )
            ok(f"{name}-{count - 16}-binary", "as before, binary", "6.3", made(count), text=False)
        for count in (17, 16, 15, 0):
            no(
                f"{name}-short-{count}",
                f"letter {letter}, {count} bytes behind the nonce: {least - 18 + count} bytes in all",
                "6.3",
                made(count).text(),
            )
            no(f"{name}-short-{count}-binary", "as before, binary", "6.3", made(count).binary())
        no(f"{name}-header", "the header alone", "6.3", made(0).header)
        no(f"{name}-magic", "the magic alone", "6.3", made(0).header[:3])
        longest = r.MAX_PAYLOAD + 16 - 18
        ok(
            f"{name}-longest",
            f"the longest token of letter {letter}, binary",
            "6.3",
            made(18),
            text=False,
            zeros=longest,
        )
        no(
            f"{name}-too-long",
            f"one byte more than the longest token of letter {letter}",
            "6.3",
            made(18).binary(),
            zeros=longest + 1,
        )
    ok("unknown-key-id", "any key id is well formed", "6.4", r.Token("X", bytes(6), bytes(12), bytes(18)))
    ok("all-ones", "all bits set behind the magic", "6.4", r.Token("c", b"\xff" * 6, b"\xff" * 24, b"\xff" * 18))
    ok("dash-and-underscore", "a text with - and _", "1.2", r.parse_token(_DASH))
    for slug, text in NOT_TOKENS:
        no(slug, f"no text token: {slug}", "6.4" if slug.startswith(("letter", "unknown", "reserved")) else "1.2", text)
    whole = _UPPER.binary()
    for slug, data in (
        ("plaintext", b"Jane Doe"),
        ("empty", b""),
        ("text-form", _T.encode()),
        ("first-byte", b"\xae" + whole[1:]),
        ("second-byte", b"\xaf\x1a" + whole[2:]),
        ("third-byte", b"\xaf\x1b\x16" + whole[3:]),
        ("reserved-rxr", r.unb64("rxrX") + whole[3:]),
        ("reserved-rxf", r.unb64("rxfR") + whole[3:]),
        ("subject-key", wrapped()),
        ("leading-zero", b"\x00" + whole),
        ("zeros", bytes(69)),
    ):
        no(f"binary-{slug}", f"no binary token: {slug}", "6.4", data)


# ---------------------------------------------------------------------------------------------------------------------
# unlock
# ---------------------------------------------------------------------------------------------------------------------


def unlock_scenarios(s: Scenarios) -> None:
    mini = KEYRINGS["mini"]
    mini_kek = kek_bytes("mini")

    def given(
        keyring: str | r.KeyringFile, roots: tuple[str, ...], keyspace: str, extra: dict[str, Any]
    ) -> dict[str, Any]:
        if isinstance(keyring, r.KeyringFile):
            source = {"keyring": keyring.write()}
        elif keyring in TEXTS:
            source = {"keyring_file": f"{keyring}.json"}
        else:
            source = {"keyring": keyring}
        return {"root_key_files": [f"{root}.txt" for root in roots], **source, "keyspace": keyspace, **extra}

    def ok(
        slug: str,
        description: str,
        rule: str,
        keyring: str | r.KeyringFile,
        file: r.KeyringFile | None = None,
        roots: tuple[str, ...] = ("root-a",),
        by: str | None = None,
        keyspace: str = KEYSPACE,
        canonical: bool = True,
        **extra: Any,
    ) -> None:
        """`file` is what the text says. `by` is the root key that unlocks it."""
        content = file or (keyring if isinstance(keyring, r.KeyringFile) else KEYRINGS[keyring])

        def primary(use: str) -> str:
            return next(b64(key.id) for key in content.keys if key.use == use and key.primary)

        results = {
            "generation": content.generation,
            "kek": b64(content.kek),
            "unlocked_by": ROOTS[by or roots[0]].name,
            "primary": primary("seal"),
            "primary_index": primary("index"),
            "keys": {b64(key.id): key.state for key in sorted(content.keys, key=lambda k: k.id)},
            "canonical": canonical,
        }
        s.add(
            f"unlock-{slug}",
            description,
            rule,
            "unlock",
            "ok",
            **given(keyring, roots, keyspace, extra),
            results=results,
        )

    def no(
        slug: str,
        description: str,
        rule: str,
        keyring: str | r.KeyringFile,
        expect: str = "invalid-keyring",
        roots: tuple[str, ...] = ("root-a",),
        keyspace: str = KEYSPACE,
        **extra: Any,
    ) -> None:
        s.add(f"unlock-{slug}", description, rule, "unlock", expect, **given(keyring, roots, keyspace, extra))

    # -- good files
    for name, file in KEYRINGS.items():
        ok(name, f"the keyring {name}", "8", name, keyspace=file.keyspace)
    for name, base in (("least", 1), ("greatest", r.MAX_NUMBER)):
        ok(
            f"generation-{name}",
            f"generation {base}",
            "8",
            make_keyring(f"generation-{name}", {**DEK1, **INDEX}, generation=base),
        )
    file = make_keyring("times", {**DEK1, **INDEX})
    file.keys = [
        replace(file.keys[0], created=0, changed=0),
        replace(file.keys[1], created=r.MAX_NUMBER, changed=r.MAX_NUMBER),
    ]
    file.body = r.seal_body(file, kek_bytes("times"), body_plaintext(file, {**DEK1, **INDEX}), secret("times", 24))
    ok("times", "times at both limits", "8", file)
    ok(
        "suite-c",
        "a DEK of suite c as the primary",
        "8",
        make_keyring("suite-c", {"dek-c": ("seal", "c", "active", True), **INDEX}),
    )
    every = {f"state-{state}": ("seal", "X", state, False) for state in r.STATES}
    ok("states", "DEKs in every state", "8.7", make_keyring("states", {**DEK1, **every, **INDEX}))
    every = {f"istate-{state}": ("index", None, state, False) for state in r.STATES}
    ok("index-states", "index roots in every state", "8.7", make_keyring("index-states", {**DEK1, **every, **INDEX}))

    # -- the same file, written differently
    document = json.loads(TEXTS["mini"])
    ok("minified", "without white space", "8.1", json.dumps(document, separators=(",", ":")), mini, canonical=False)
    ok("indented", "indented by 4 spaces", "8.1", json.dumps(document, indent=4), mini, canonical=False)
    ok("tabs", "indented by tabs", "8.1", json.dumps(document, indent="\t"), mini, canonical=False)
    ok("crlf", "with CR LF", "8.1", TEXTS["mini"].replace("\n", "\r\n"), mini, canonical=False)
    ok("no-newline", "without the newline at the end", "8.1", TEXTS["mini"].rstrip("\n"), mini, canonical=False)
    ok(
        "white-space-around",
        "white space in front and behind",
        "8.1",
        " \t\r\n" + TEXTS["mini"] + "\n \t",
        mini,
        canonical=False,
    )
    ok(
        "sorted-members",
        "members in alphabetical order",
        "8.1",
        json.dumps(document, indent=2, sort_keys=True) + "\n",
        mini,
        canonical=False,
    )
    backwards = {
        k: (v if k != "keys" else [dict(reversed(e.items())) for e in v]) for k, v in reversed(document.items())
    }
    ok(
        "reversed-members",
        "members in the reverse order",
        "8.1",
        json.dumps(backwards, indent=2) + "\n",
        mini,
        canonical=False,
    )
    ok(
        "reversed-keys",
        "keys in descending order",
        "8.1",
        json.dumps(document | {"keys": document["keys"][::-1]}, indent=2) + "\n",
        mini,
        canonical=False,
    )
    rotated = document["keys"][1:] + document["keys"][:1]
    ok(
        "rotated-keys",
        "keys in another order",
        "8.1",
        json.dumps(document | {"keys": rotated}, indent=2) + "\n",
        mini,
        canonical=False,
    )
    escaped = TEXTS["mini"].replace('"active"', '"\\u0061ctive"').replace('"keyspace"', '"key\\u0073pace"')
    ok("escapes", "JSON escapes in a member name and a value", "8.1", escaped, mini, canonical=False)
    size = len(TEXTS["mini"].encode())
    ok("size-limit", "a file of exactly 1 MiB", "8", "mini", spaces_after=r.MAX_FILE - size, canonical=False)
    no("size-over-limit", "a file of 1 MiB and 1 byte", "8", "mini", spaces_after=r.MAX_FILE - size + 1)

    # -- what the caller states
    no("other-keyspace", "the keyring of another keyspace", "8.5", "other", "keyring-mismatch")
    no(
        "keyspace-prefix",
        "the caller states a longer keyspace",
        "8.5",
        "mini",
        "keyring-mismatch",
        keyspace="vectors.1",
    )
    no(
        "keyspace-invalid",
        "the caller states something that is not a name",
        "1.3",
        "mini",
        "invalid-id",
        keyspace="Vectors",
    )
    no("keyspace-empty", "the caller states an empty keyspace", "1.3", "mini", "invalid-id", keyspace="")
    ok("min-generation-below", "the generation is above the least one", "8.5", "mini", min_generation=2)
    ok("min-generation-equal", "the generation is the least one", "8.5", "mini", min_generation=3)
    no(
        "min-generation-above",
        "the generation is below the least one",
        "8.5",
        "mini",
        "keyring-too-old",
        min_generation=4,
    )
    ok("min-generation-next", "the next generation passes", "8.5", "mini-next", min_generation=4)
    no(
        "min-generation-max",
        "the greatest possible minimum",
        "8.5",
        "mini-next",
        "keyring-too-old",
        min_generation=r.MAX_NUMBER,
    )

    # -- root keys and wraps
    no("untrusted", "no trusted root key has a wrap", "8.5", "mini", "unlock-failed", roots=("root-b",))
    no(
        "untrusted-two",
        "none of two trusted root keys has a wrap",
        "8.5",
        "mini",
        "unlock-failed",
        roots=("root-b", "root-c"),
    )
    no("no-roots", "no root key is trusted", "8.5", "mini", "unlock-failed", roots=())
    ok(
        "second-root",
        "the second trusted root key has the wrap",
        "8.5",
        "mini",
        roots=("root-c", "root-a"),
        by="root-a",
    )
    ok("two-wraps-a", "two wraps, root-a trusted", "8.5", "two-wraps")
    ok("two-wraps-b", "two wraps, root-b trusted", "8.5", "two-wraps", roots=("root-b",))
    ok(
        "two-wraps-order",
        "two wraps, both trusted: the order of the caller",
        "8.5",
        "two-wraps",
        roots=("root-b", "root-a"),
    )
    two = KEYRINGS["two-wraps"]

    def first_wrap(file: r.KeyringFile, data: bytes) -> r.KeyringFile:
        return replace(file, wraps=[replace(file.wraps[0], wrapped=data), *file.wraps[1:]])

    good_wrap = two.wraps[0].wrapped
    other_kek = kek_bytes("another")
    root_a = ROOTS["root-a"]
    nonce = secret("wrap nonce", 24)
    two_kek = kek_bytes("two-wraps")
    damages = [
        ("nonce", bytes([good_wrap[0] ^ 1]) + good_wrap[1:]),
        ("ciphertext", good_wrap[:30] + bytes([good_wrap[30] ^ 0x10]) + good_wrap[31:]),
        ("tag", good_wrap[:-1] + bytes([good_wrap[-1] ^ 0x80])),
        ("cut", good_wrap[:-1]),
        ("longer", good_wrap + b"\x00"),
        ("one-byte", b"\x00"),
        ("other-kek", root_a.wrap(other_kek, KEYSPACE, two.kek, nonce)),
        ("zero-kek", root_a.wrap(bytes(32), KEYSPACE, two.kek, nonce)),
        ("other-keyspace", root_a.wrap(two_kek, OTHER_KEYSPACE, two.kek, nonce)),
        ("other-fingerprint", root_a.wrap(two_kek, KEYSPACE, KEYRINGS["main"].kek, nonce)),
        ("other-root", ROOTS["root-c"].wrap(two_kek, KEYSPACE, two.kek, nonce)),
        (
            "short-kek",
            nonce
            + r.xaes_seal(r.derive(root_a.key, "root-wrap"), nonce, two_kek[:31], r.kek_wrap_aad(KEYSPACE, two.kek)),
        ),
        ("no-aad", nonce + r.xaes_seal(r.derive(root_a.key, "root-wrap"), nonce, two_kek, b"")),
        ("root-as-aead-key", nonce + r.xaes_seal(root_a.key, nonce, two_kek, r.kek_wrap_aad(KEYSPACE, two.kek))),
        ("exchanged", two.wraps[1].wrapped),
    ]
    for slug, data in damages:
        file = first_wrap(two, data)
        no(f"wrap-{slug}", f"the only trusted wrap is damaged: {slug}", "8.4", file, "unlock-failed")
        ok(
            f"wrap-{slug}-second",
            f"as before, but a second wrap is good and trusted: {slug}",
            "8.4",
            file,
            roots=("root-a", "root-b"),
            by="root-b",
        )
    file = replace(two, wraps=[r.Wrap("aws-kms", root_a.name, good_wrap), two.wraps[1]])
    no(
        "wrap-other-provider",
        "the wrap is of another provider with the same root key name",
        "8.5",
        file,
        "unlock-failed",
    )
    file = replace(
        two, wraps=[r.Wrap("aws-kms", "arn:aws:kms:eu-west-1:000000000000:key/0", b"\x01\x02\x03"), *two.wraps]
    )
    ok("wrap-unknown-provider", "a wrap of a provider that nobody trusts does no harm", "8.5", file)
    file = replace(two, wraps=[r.Wrap("aws-kms", root_a.name, b"\x01"), *two.wraps])
    ok("wrap-same-name", "two providers with the same root key name", "8.1", file)
    ok(
        "wraps-reversed",
        "wraps in the other order: they are outside the AAD",
        "8.4",
        replace(two, wraps=two.wraps[::-1]),
    )
    ok("wrap-removed", "a wrap removed: they are outside the AAD", "8.4", replace(two, wraps=two.wraps[:1]))
    many = [r.Wrap("aws-kms", f"key-{i}", b"\x00") for i in range(15)]
    ok("wraps-16", "16 wraps", "8", replace(mini, wraps=mini.wraps + many))
    no("wraps-17", "17 wraps", "8", replace(mini, wraps=mini.wraps + many + [r.Wrap("aws-kms", "key-15", b"\x00")]))
    no("wraps-none", "no wrap", "8", replace(mini, wraps=[]))
    no(
        "wraps-same",
        "two wraps with the same provider and root key",
        "8.1",
        replace(two, wraps=[two.wraps[0], replace(two.wraps[0], wrapped=two.wraps[1].wrapped)]),
    )
    long_name = r.Wrap("aws-kms", "n" * 2048, b"\x00")
    ok("wrap-name-2048", "a root key name of 2,048 bytes", "8", replace(two, wraps=two.wraps + [long_name]))
    no(
        "wrap-name-2049",
        "a root key name of 2,049 bytes",
        "8",
        replace(two, wraps=two.wraps + [replace(long_name, root_key="n" * 2049)]),
    )
    quotes = r.Wrap("p", 'a"b\\c/d<e>', b"\x00")
    ok(
        "wrap-name-escapes",
        "a root key name with characters that JSON escapes",
        "8.1",
        replace(two, wraps=two.wraps + [quotes]),
    )
    for slug, name in (("empty", ""), ("space", "a b"), ("newline", "a\n"), ("umlaut", "ä"), ("del", "a\x7f")):
        no(
            f"wrap-name-{slug}",
            f"a root key name that is not printable ASCII: {slug}",
            "8",
            replace(two, wraps=two.wraps + [r.Wrap("p", name, b"\x00")]),
        )
    for slug, name in (("empty", ""), ("upper", "AWS"), ("65", "p" * 65)):
        no(
            f"wrap-provider-{slug}",
            f"a provider that is not a name: {slug}",
            "8",
            replace(two, wraps=two.wraps + [r.Wrap(name, "n", b"\x00")]),
        )
    no("wrap-data-empty", "an empty wrap", "8", first_wrap(two, b""))

    # -- text faults
    text = TEXTS["mini"]
    tiny = json.dumps(json.loads(text), separators=(",", ":"))
    for slug, changed in (
        ("empty", ""),
        ("null", "null"),
        ("array", "[]"),
        ("object", "{}"),
        ("text", '"keyring"'),
        ("cut", text[:-3]),
        ("cut-early", text[:100]),
        ("trailing-brace", text + "}"),
        ("trailing-document", tiny + tiny),
        ("trailing-nul", tiny + "\x00"),
        ("bom", "\ufeff" + tiny),
        ("comment", "// keyring\n" + tiny),
        ("trailing-comma", tiny[:-1] + ",}"),
        ("single-quotes", tiny.replace('"', "'")),
        ("no-break-space", tiny + "\u00a0"),
        ("in-array", f"[{tiny}]"),
        ("base64", b64(tiny.encode())[:200]),
        ("deep", "[" * 3000),
    ):
        no(f"json-{slug}", f"not one JSON object with the members of section 8: {slug}", "8", changed)

    # -- members: missing, unknown, repeated, wrong type
    def edited(edit: Callable[[dict[str, Any]], Any]) -> str:
        copy = json.loads(text)
        edit(copy)
        return json.dumps(copy, separators=(",", ":"))

    def at(path: str) -> tuple[Callable[[dict[str, Any]], dict[str, Any]], str, str]:
        where, _, name = path.rpartition(".")
        get = {"": lambda d: d, "key": lambda d: d["keys"][dek_at], "wrap": lambda d: d["wraps"][0]}[where]
        return get, name, path.replace(".", "-").replace("_", "-")

    ids = [entry["id"] for entry in document["keys"]]
    dek_at, second_at = ids.index(b64(key_id("dek-1"))), ids.index(b64(key_id("dek-2")))
    gone_at, index_at = ids.index(b64(key_id("dek-gone"))), ids.index(b64(key_id("index-1")))
    top = ["rxseal_keyring", "kind", "keyspace", "generation", "kek", "keys", "wraps", "body"]
    of_key = [f"key.{m}" for m in ("id", "fingerprint", "use", "state", "primary", "suite", "created", "changed")]
    of_wrap = [f"wrap.{m}" for m in ("provider", "root_key", "wrapped")]
    for path in top + of_key + of_wrap:
        get, name, slug = at(path)
        value = get(document)[name]
        no(f"missing-{slug}", f"{path} is missing", "8.1", edited(lambda d: get(d).pop(name)))
        no(f"null-{slug}", f"{path} is null", "8.1", edited(lambda d: get(d).update({name: None})))
        wrong = {str: 7, int: str(value), bool: 1, list: {}}[type(value)]
        no(f"type-{slug}", f"{path} has a wrong type", "8.1", edited(lambda d: get(d).update({name: wrong})))
        marked = edited(lambda d: get(d).update({"zz": 0}))
        member = json.dumps({name: value}, separators=(",", ":"))[1:-1]
        no(
            f"repeated-{slug}",
            f"{path} stands there twice with the same value",
            "8.1",
            marked.replace('"zz":0', member),
        )
    no(
        "repeated-escaped",
        "a repeated member, once written with an escape",
        "8.1",
        edited(lambda d: d.update({"zz": 0})).replace('"zz":0', '"k\\u0069nd":"full"'),
    )
    no(
        "repeated-first-wins",
        "a repeated generation with another value, behind",
        "8.1",
        tiny.replace('"generation":3', '"generation":3,"generation":4'),
    )
    no(
        "repeated-last-wins",
        "a repeated generation with another value, in front",
        "8.1",
        tiny.replace('"generation":3', '"generation":4,"generation":3'),
    )
    for path in ("comment", "key.comment", "wrap.comment"):
        get, name, slug = at(path)
        no(f"unknown-{slug}", f"an unknown member {path}", "8.1", edited(lambda d: get(d).update({name: "x"})))
    no("unknown-case", "member names are compared exactly", "8.1", tiny.replace('"kind"', '"Kind"'))
    no("unknown-null", "an unknown member with the value null", "8.1", edited(lambda d: d.update({"pin": None})))

    # -- values
    values: list[tuple[str, str, list[Any]]] = [
        ("rxseal_keyring", "8", [0, 2, "1", True, 1.5, 257]),
        ("kind", "8", ["class", "Full", "", "full "]),
        ("keyspace", "8", ["", "Vectors", "-vectors", "v" * 65, "vectors\n", "vector s"]),
        ("generation", "8", [0, -1, 2**53, 2**64, 3.5, "3", [3]]),
        (
            "kek",
            "8",
            [
                "",
                b64(mini.kek) + "A",
                b64(mini.kek)[:-1],
                b64(mini.kek[:31]),
                b64(mini.kek + b"\x00"),
                _bump(b64(mini.kek), 1),
                b64(mini.kek) + "=",
            ],
        ),
        ("keys", "8", [[], {}, ["x"], [[]]]),
        ("wraps", "8", [{}, ["x"], [[]]]),
        (
            "body",
            "8",
            [
                "",
                "A",
                b64(bytes(39)),
                b64(mini.body) + "=",
                b64(mini.body) + "\n",
                " " + b64(mini.body),
                b64(mini.body).replace("-", "+").replace("_", "/") + "+",
            ],
        ),
        (
            "key.id",
            "8",
            [
                "",
                b64(key_id("dek-1"))[:-1],
                b64(key_id("dek-1")) + "AA",
                "+" * 8,
                b64(key_id("dek-2")),
                b64(key_id("dek-nowhere")),
            ],
        ),
        (
            "key.fingerprint",
            "8",
            [
                "",
                b64(bytes(31)),
                b64(bytes(33)),
                b64(r.fingerprint(key_bytes("dek-2"), KEYSPACE)),
                _bump(b64(r.fingerprint(key_bytes("dek-1"), KEYSPACE)), 1),
            ],
        ),
        ("key.use", "8", ["", "Seal", "wrap", "sign"]),
        ("key.state", "8", ["", "Active", "suspended", "preactive", "pre_active"]),
        ("key.primary", "8", ["true", 0, 1]),
        ("key.suite", "8", ["x", "C", "", "XX", "X "]),
        ("key.created", "8", [-1, 2**53, 1.5, "0"]),
        ("key.changed", "8", [-1, 2**53, 1e300, "2026-01-01"]),
        ("wrap.wrapped", "8", ["", "A", b64(mini.wraps[0].wrapped) + "=", b64(mini.wraps[0].wrapped) + "AA=="]),
    ]
    for path, rule, wrongs in values:
        get, name, slug = at(path)
        for number, wrong in enumerate(wrongs, 1):
            no(
                f"value-{slug}-{number}",
                f"{path} is {json.dumps(wrong)[:90]}",
                rule,
                edited(lambda d: get(d).update({name: wrong})),
            )
    for slug, literal in (
        ("fraction-zero", "3.0"),
        ("exponent", "3e0"),
        ("leading-zero", "03"),
        ("plus", "+3"),
        ("minus-zero", "-0"),
        ("hex", "0x3"),
        ("nan", "NaN"),
        ("infinity", "Infinity"),
        ("many-digits", "9" * 400),
    ):
        no(
            f"number-{slug}",
            f"the generation is written {literal[:12]}",
            "1.1",
            tiny.replace('"generation":3', f'"generation":{literal}'),
        )

    no(
        "number-created-minus-zero",
        "a time is written -0",
        "1.1",
        tiny.replace('"created":', '"created":-0,"created_":', 1).replace(
            f'"created_":{document["keys"][0]["created"]},', ""
        ),
    )

    # -- rules across members
    def keys_changed(**changes: dict[str, Any]) -> str:
        where = {"dek": dek_at, "second": second_at, "gone": gone_at, "index": index_at}
        return edited(lambda d: [d["keys"][where[k]].update(v) for k, v in changes.items()])

    no("two-primaries", "two primary DEKs", "8.1", keys_changed(second={"primary": True}))
    no("no-primary", "no primary DEK", "8.1", keys_changed(dek={"primary": False}))
    no("no-primary-index", "no primary index root", "8.1", keys_changed(index={"primary": False}))
    no("no-index-root", "no key of the use index at all", "8.1", make_keyring("no-index-root", DEK1))
    no("no-dek", "no key of the use seal at all", "8.1", make_keyring("no-dek", INDEX))
    two_index = make_keyring("two-index", {**DEK1, **INDEX, "index-2": ("index", None, "active", True)})
    no("two-primaries-index", "two primary index roots", "8.1", two_index)
    two_deks = make_keyring("two-deks", {**DEK1, **INDEX, "dek-2": ("seal", "X", "active", True)})
    no("two-primaries-sealed", "two primary DEKs in a file whose body was sealed like that", "8.1", two_deks)
    for state in r.STATES:
        if state != "active":
            no(f"primary-{state}", f"a primary DEK in the state {state}", "8.1", keys_changed(dek={"state": state}))
            no(
                f"primary-index-{state}",
                f"a primary index root in the state {state}",
                "8.1",
                keys_changed(index={"state": state}),
            )
    sealed_so = make_keyring("primary-old", {"dek-1": ("seal", "X", "deactivated", True), **INDEX})
    no(
        "primary-deactivated-sealed",
        "a primary that is deactivated, in a file whose body was sealed like that",
        "8.1",
        sealed_so,
    )
    no("suite-on-index", "an index root with a suite", "8.1", keys_changed(index={"suite": "X"}))
    no("suite-null-on-index", "an index root with the suite null", "8.1", keys_changed(index={"suite": None}))
    no("index-made-seal", "an index root made a DEK without a suite", "8.1", keys_changed(index={"use": "seal"}))
    no("repeated-key", "one key twice", "8.1", edited(lambda d: d["keys"].append(d["keys"][second_at])))
    no(
        "repeated-key-other-state",
        "one key twice, in two states",
        "8.1",
        edited(lambda d: d["keys"].append(d["keys"][second_at] | {"state": "compromised"})),
    )
    near = bytearray(r.fingerprint(key_bytes("dek-2"), KEYSPACE))
    near[31] ^= 1
    no(
        "repeated-id",
        "two keys whose fingerprints differ behind the id",
        "8.1",
        edited(lambda d: d["keys"].append(d["keys"][second_at] | {"fingerprint": b64(bytes(near))})),
    )

    # -- what the AAD protects: well-formed files that were changed after they had been sealed
    def refused(slug: str, description: str, changed: str | r.KeyringFile, rule: str = "8.2") -> None:
        no(f"changed-{slug}", description, rule, changed, "unlock-failed")

    refused("generation", "the generation is another one", edited(lambda d: d.update(generation=4)))
    refused(
        "generation-big", "the generation is the greatest possible", edited(lambda d: d.update(generation=r.MAX_NUMBER))
    )
    for state in ("pre-active", "deactivated", "compromised", "destroyed"):
        refused(f"state-{state}", f"a key made {state}", keys_changed(second={"state": state}))
    refused("state-revived", "a destroyed key made active", keys_changed(gone={"state": "active"}))
    refused("state-gone", "a destroyed key made deactivated", keys_changed(gone={"state": "deactivated"}))
    refused("created", "another creation time", keys_changed(second={"created": START}))
    refused("created-gone", "another creation time of a destroyed key", keys_changed(gone={"created": START}))
    refused("changed", "another time of change", keys_changed(dek={"changed": START + 1}))
    refused("suite", "another suite", keys_changed(second={"suite": "c"}))
    refused("suite-primary", "another suite of the primary", keys_changed(dek={"suite": "c"}))
    refused("suite-gone", "another suite of a destroyed key", keys_changed(gone={"suite": "c"}))
    refused("primary", "another primary", keys_changed(dek={"primary": False}, second={"primary": True}))
    refused("key-removed", "a key removed", edited(lambda d: d["keys"].pop(second_at)))
    refused("gone-removed", "a destroyed key removed", edited(lambda d: d["keys"].pop(gone_at)))
    extra = make_keyring("extra", {**DEK1, "dek-old": ("seal", "X", "deactivated", False), **INDEX})
    extra_entry = next(e for e in json.loads(extra.write())["keys"] if e["id"] == b64(key_id("dek-old")))
    refused("key-added", "a key added", edited(lambda d: d["keys"].append(extra_entry)))
    refused(
        "destroyed-added",
        "a destroyed key added",
        edited(lambda d: d["keys"].append(extra_entry | {"state": "destroyed"})),
    )
    behind = bytearray(r.fingerprint(key_bytes("dek-2"), KEYSPACE))
    behind[31] ^= 0x01
    refused(
        "fingerprint", "a fingerprint changed behind the id", keys_changed(second={"fingerprint": b64(bytes(behind))})
    )
    behind = bytearray(r.fingerprint(key_bytes("dek-gone"), KEYSPACE))
    behind[31] ^= 0x01
    refused(
        "fingerprint-gone",
        "a fingerprint of a destroyed key changed",
        keys_changed(gone={"fingerprint": b64(bytes(behind))}),
    )
    index_2 = next(e for e in json.loads(two_index.write())["keys"] if e["id"] == b64(key_id("index-2")))

    def index_made_dek(d: dict[str, Any]) -> None:
        d["keys"][index_at].update(use="seal", primary=False, suite="X")
        d["keys"].append(index_2)

    refused(
        "use",
        "an index root turned into a DEK that is not the primary, and another index root added",
        edited(index_made_dek),
    )
    refused("kek", "the fingerprint of another KEK", edited(lambda d: d.update(kek=b64(KEYRINGS["main"].kek))), "8.5")
    refused(
        "kek-bit",
        "one bit of the fingerprint of the KEK",
        edited(lambda d: d.update(kek=b64(bytes([mini.kek[0] ^ 1]) + mini.kek[1:]))),
        "8.5",
    )
    moved = make_keyring("mini", MINI_KEYS, generation=3, keyspace=OTHER_KEYSPACE)
    no(
        "changed-keyspace",
        "the keyspace of the file is changed to the one that the caller states",
        "8.5",
        edited(lambda d: d.update(keyspace=OTHER_KEYSPACE)),
        "unlock-failed",
        keyspace=OTHER_KEYSPACE,
    )
    no(
        "changed-keyspace-and-kek",
        "keyspace and KEK fingerprint are those of another keyspace, the wrap and the body are not",
        "8.4",
        edited(lambda d: d.update(keyspace=OTHER_KEYSPACE, kek=b64(moved.kek))),
        "unlock-failed",
        keyspace=OTHER_KEYSPACE,
    )
    following = KEYRINGS["mini-next"]
    refused("body-of-next", "the body of the next generation", edited(lambda d: d.update(body=b64(following.body))))
    no(
        "changed-body-of-previous",
        "the body of the previous generation",
        "8.2",
        replace(following, body=mini.body),
        "unlock-failed",
    )
    refused("body-of-other", "the body of another keyring", edited(lambda d: d.update(body=b64(KEYRINGS["main"].body))))
    refused("wraps-of-other", "the wraps of another keyring", replace(mini, wraps=KEYRINGS["main"].wraps), "8.4")
    refused("body-cut", "the body cut by one byte", replace(mini, body=mini.body[:-1]), "8.3")
    refused("body-cut-frame", "the body cut by one frame", replace(mini, body=mini.body[:-75]), "8.3")
    refused("body-longer", "the body longer by one byte", replace(mini, body=mini.body + b"\x00"), "8.3")
    refused("body-40", "a body of 40 bytes", replace(mini, body=mini.body[:40]), "8.3")
    for where, offset in (
        ("nonce-first", 0),
        ("nonce-last", 23),
        ("ciphertext-first", 24),
        ("ciphertext-last", -17),
        ("tag-first", -16),
        ("tag-last", -1),
    ):
        data = bytearray(mini.body)
        data[offset] ^= 0x20
        refused(f"body-flip-{where}", f"one bit of the body: {where}", replace(mini, body=bytes(data)), "8.3")

    # -- bodies that were sealed correctly, but contain something else
    def frames(file: r.KeyringFile) -> list[bytes]:
        whole = body_plaintext(file, MINI_KEYS)
        return [whole[i : i + 75] for i in range(0, len(whole), 75)]

    def pair(ident: bytes, key: bytes) -> bytes:
        return r.body_frame(ident, key)

    def other_frame(*parts: tuple[int, bytes]) -> bytes:
        """Any tags in any order."""
        return b"".join(bytes([tag]) + len(p).to_bytes(4, "big") + p for tag, p in parts)

    one, two_id, gone = key_id("dek-1"), key_id("dek-2"), key_id("dek-gone")
    domain = b"rxseal/v1/keyring-body"
    listed = sorted((key_id(label), key_bytes(label)) for label in ("dek-1", "dek-2", "index-1"))

    def instead(made: Callable[[bytes, bytes], bytes]) -> bytes:
        """All frames, with that of dek-1 made another way."""
        return b"".join(made(i, k) if i == one else pair(i, k) for i, k in listed)

    bodies: list[tuple[str, str, Callable[[r.KeyringFile], bytes]]] = [
        ("descending", "keys in descending order", lambda f: b"".join(reversed(frames(f)))),
        (
            "first-two-exchanged",
            "the first two keys exchanged",
            lambda f: b"".join([frames(f)[1], frames(f)[0], *frames(f)[2:]]),
        ),
        ("missing-first", "the first key is missing", lambda f: b"".join(frames(f)[1:])),
        ("missing-last", "the last key is missing", lambda f: b"".join(frames(f)[:-1])),
        ("empty", "no key", lambda f: b""),
        ("repeated", "one key twice", lambda f: b"".join([frames(f)[0], *frames(f)])),
        (
            "extra",
            "a key that the file does not have",
            lambda f: b"".join(pair(i, k) for i, k in sorted([*listed, (key_id("dek-old"), key_bytes("dek-old"))])),
        ),
        (
            "destroyed-included",
            "a destroyed key is included",
            lambda f: b"".join(pair(i, k) for i, k in sorted([*listed, (gone, key_bytes("dek-gone"))])),
        ),
        ("trailing-zero", "a zero byte at the end", lambda f: b"".join(frames(f)) + b"\x00"),
        ("trailing-five", "the start of a frame at the end", lambda f: b"".join(frames(f)) + b"\x00\x00\x00\x00\x16"),
        ("leading-zero", "a zero byte in front", lambda f: b"\x00" + b"".join(frames(f))),
        ("cut", "the last byte is missing", lambda f: b"".join(frames(f))[:-1]),
        (
            "wrong-domain",
            "the domain of another frame",
            lambda f: instead(lambda i, k: other_frame((0, b"rxseal/v1/keyring-Body"), (1, i), (2, k))),
        ),
        (
            "short-domain",
            "a shorter domain",
            lambda f: instead(lambda i, k: other_frame((0, b"rxseal/v1/keyring"), (1, i), (2, k))),
        ),
        ("no-domain", "part 0 is missing", lambda f: instead(lambda i, k: other_frame((1, i), (2, k)))),
        ("no-id", "part 1 is missing", lambda f: instead(lambda i, k: other_frame((0, domain), (2, k)))),
        ("no-key", "part 2 is missing", lambda f: instead(lambda i, k: other_frame((0, domain), (1, i)))),
        (
            "repeated-tag",
            "part 1 twice",
            lambda f: instead(lambda i, k: other_frame((0, domain), (1, i), (1, i), (2, k))),
        ),
        ("unknown-tag", "a part 3", lambda f: instead(lambda i, k: other_frame((0, domain), (1, i), (2, k), (3, b"")))),
        (
            "descending-tags",
            "part 2 before part 1",
            lambda f: instead(lambda i, k: other_frame((0, domain), (2, k), (1, i))),
        ),
        (
            "id-7-bytes",
            "a key id of 7 bytes",
            lambda f: instead(lambda i, k: other_frame((0, domain), (1, i + b"\x00"), (2, k))),
        ),
        (
            "id-5-bytes",
            "a key id of 5 bytes",
            lambda f: instead(lambda i, k: other_frame((0, domain), (1, i[:5]), (2, k))),
        ),
        (
            "key-31-bytes",
            "a key of 31 bytes",
            lambda f: instead(lambda i, k: other_frame((0, domain), (1, i), (2, k[:31]))),
        ),
        (
            "key-33-bytes",
            "a key of 33 bytes",
            lambda f: instead(lambda i, k: other_frame((0, domain), (1, i), (2, k + b"\x00"))),
        ),
        ("empty-key", "an empty key", lambda f: instead(lambda i, k: other_frame((0, domain), (1, i), (2, b"")))),
        ("huge-length", "a length of 2^32 - 1", lambda f: b"".join(frames(f)) + b"\x00\xff\xff\xff\xff" + domain),
        (
            "wrong-key",
            "other bytes than those of the fingerprint",
            lambda f: instead(lambda i, k: pair(i, key_bytes("dek-nowhere"))),
        ),
        ("one-bit", "one bit of a key", lambda f: instead(lambda i, k: pair(i, k[:31] + bytes([k[31] ^ 1])))),
        ("zero-key", "a key of zero bytes", lambda f: instead(lambda i, k: pair(i, bytes(32)))),
        (
            "exchanged",
            "the bytes of two keys exchanged",
            lambda f: b"".join(
                pair(i, {one: key_bytes("dek-2"), two_id: key_bytes("dek-1")}.get(i, k)) for i, k in listed
            ),
        ),
        (
            "dek-index-exchanged",
            "the bytes of a DEK and an index root exchanged",
            lambda f: b"".join(
                pair(i, {one: key_bytes("index-1"), key_id("index-1"): key_bytes("dek-1")}.get(i, k)) for i, k in listed
            ),
        ),
        ("plain-list", "keys without frames", lambda f: b"".join(i + k for i, k in listed)),
    ]
    for slug, description, body in bodies:
        rule = (
            "3.4"
            if slug in ("wrong-key", "one-bit", "exchanged", "dek-index-exchanged")
            else "1.8" if slug == "zero-key" else "8.3"
        )
        if (
            slug in ("wrong-domain", "short-domain", "huge-length")
            or "-tag" in slug
            or "-bytes" in slug
            or slug.startswith(("no-", "trailing", "leading"))
        ):
            rule = "2.4"
        no(
            f"body-{slug}",
            f"a good tag over a body that is wrong: {slug.replace('-', ' ')}: {description}",
            rule,
            make_keyring("mini", MINI_KEYS, generation=3, body=body),
            "unlock-failed",
        )
    with_zero = make_keyring("with-zero", {**DEK1, "zero": ("seal", "X", "deactivated", False), **INDEX})
    no("zero-dek", "a DEK of zero bytes with the fingerprint that it has", "1.8", with_zero, "unlock-failed")
    zero_kek = make_keyring("zero-kek", {**DEK1, **INDEX}, kek="zero")
    no("zero-kek", "a KEK of zero bytes with the fingerprint that it has", "1.8", zero_kek, "unlock-failed")
    # fingerprints that are wrong after the id, in files that were sealed like that
    lying = make_keyring("lying", {**DEK1, **INDEX})
    entry = lying.keys[0]
    lying.keys[0] = replace(entry, fingerprint=entry.fingerprint[:31] + bytes([entry.fingerprint[31] ^ 1]))
    plain = body_plaintext(lying, {**DEK1, **INDEX})
    lying.body = r.seal_body(lying, kek_bytes("lying"), plain, secret("nonce of body lying", 24))
    no("lying-fingerprint", "a key with a wrong fingerprint, sealed like that", "3.4", lying, "unlock-failed")
    lying = make_keyring("lying-kek", {**DEK1, **INDEX})
    lying.kek = lying.kek[:31] + bytes([lying.kek[31] ^ 1])
    lying.wraps = [wrap_of("root-a", kek_bytes("lying-kek"), KEYSPACE, lying.kek, "lying-kek")]
    lying.body = r.seal_body(lying, kek_bytes("lying-kek"), plain, secret("nonce of body lying-kek", 24))
    no("lying-kek", "a KEK with a wrong fingerprint, wrapped and sealed like that", "8.5", lying, "unlock-failed")
    # a writer's other mistakes: everything authentic, one derivation or AAD wrong
    plain = body_plaintext(mini, MINI_KEYS)
    nonce = secret("body nonce", 24)

    def resealed(key: bytes, aad: bytes) -> r.KeyringFile:
        return replace(mini, body=nonce + r.xaes_seal(key, nonce, plain, aad))

    good_key = r.body_key(mini_kek, KEYSPACE, 3)
    refused(
        "body-key-generation",
        "sealed under the body key of another generation",
        resealed(r.body_key(mini_kek, KEYSPACE, 2), mini.aad()),
        "8.3",
    )
    refused("body-key-kek", "sealed under the KEK itself", resealed(mini_kek, mini.aad()), "8.3")
    refused(
        "body-key-dek",
        "sealed under a body key of a DEK",
        resealed(r.body_key(key_bytes("dek-1"), KEYSPACE, 3), mini.aad()),
        "8.3",
    )
    refused("aad-empty", "sealed with an empty AAD", resealed(good_key, b""))
    unsorted = b"".join(k.frame() for k in sorted(mini.keys, key=lambda k: k.id, reverse=True))
    aad = frame(
        (0, "rxseal/v1/keyring"), (1, b"\x01"), (2, KEYSPACE), (3, "full"), (5, r.u64(3)), (8, mini.kek), (9, unsorted)
    )
    refused("aad-unsorted", "sealed with an AAD whose keys descend", resealed(good_key, aad))
    aad = replace(mini, keys=[k for k in mini.keys if k.state != "destroyed"]).aad()
    refused("aad-no-destroyed", "sealed with an AAD without the destroyed key", resealed(good_key, aad))
    aad = replace(mini, version=2).aad()
    refused("aad-version", "sealed with an AAD of format version 2", resealed(good_key, aad))
    aad = replace(mini, kind="class").aad()
    refused("aad-kind", "sealed with an AAD of kind class", resealed(good_key, aad))
    refused("aad-json", "sealed with the JSON text as AAD", resealed(good_key, TEXTS["mini"].encode()))


# ---------------------------------------------------------------------------------------------------------------------
# identifier, name, root_key, subject_key
# ---------------------------------------------------------------------------------------------------------------------


def text_scenarios(s: Scenarios) -> None:
    lower = "0190b5e4-7c1a-7d3e-8f00-0123456789ab"
    upper = lower.upper()
    accepted = {
        "one": "1",
        "digits": "42",
        "zeros": "0042",
        "plus": "+42",
        "minus": "-42",
        "exclamation": "!",
        "tilde": "~",
        "upper": "ABC",
        "255": "i" * 255,
        "all-characters": "".join(chr(c) for c in range(0x21, 0x7F)),
        "uuid": lower,
        "uuid-nil": "00000000-0000-0000-0000-000000000000",
        "32-hex": lower.replace("-", ""),
        "32-hex-upper": upper.replace("-", ""),
        "uuid-35": upper[:-1],
        "uuid-37": upper + "0",
        "uuid-not-hex": upper[:-1] + "G",
        "uuid-hyphens-elsewhere": "0190B5E47-C1A-7D3E-8F00-0123456789AB",
        "uuid-underscores": upper.replace("-", "_"),
        "braces": "{}",
        "braces-32-hex": "{" + lower.replace("-", "") + "}",
        "half-brace": "{" + upper,
        "parentheses": "(" + upper + ")",
        "urn": "urn:isbn:0451450523",
        "urn-cut": "urn:uuid",
        "uuid-colon": "uuid:" + lower,
        "x-urn": "xurn:uuid:" + lower,
        "email": "jane@example.org",
        "slash": "a/b\\c",
        "quotes": "\"'`",
        "sql": "';--",
        "base64": "QUJD+/8=",
        "token": "rxsX",
    }
    for slug, text in accepted.items():
        s.add(
            f"identifier-{slug}",
            f"accepted: {slug}",
            "1.6" if "uuid" in slug or "urn" in slug or "hex" in slug else "1.4",
            "identifier",
            "ok",
            text=text,
            results={"identifier": text},
        )
    refused = {
        "empty": "",
        "256": "i" * 256,
        "space": " ",
        "inner-space": "a b",
        "leading-space": " a",
        "trailing-space": "a ",
        "tab": "a\tb",
        "newline": "a\n",
        "only-newline": "\n",
        "nul": "a\x00",
        "unit-separator": "\x1f",
        "del": "a\x7f",
        "c1": "a\x80",
        "umlaut": "ä",
        "emoji": "💊",
        "full-width-digit": "４２",
        "arabic-digit": "٤٢",
        "no-break-space": "a\u00a0b",
        "zero-width": "a\u200b",
        "bom": "\ufeffa",
        "uuid-upper": upper,
        "uuid-mixed": lower[:-1] + "B",
        "uuid-first-digit": "A" + lower[1:],
        "uuid-braces": "{" + lower + "}",
        "uuid-braces-upper": "{" + upper + "}",
        "uuid-braces-digits": "{00000000-0000-0000-0000-000000000000}",
        "urn-uuid": "urn:uuid:" + lower,
        "urn-uuid-upper": "URN:UUID:" + upper,
        "urn-uuid-mixed": "Urn:uUid:" + lower,
        "urn-uuid-empty": "urn:uuid:",
        "urn-uuid-other": "urn:uuid:42",
    }
    for slug, text in refused.items():
        s.add(
            f"identifier-refused-{slug}",
            f"refused: {slug}",
            "1.6" if slug.startswith(("uuid", "urn")) else "1.4",
            "identifier",
            "invalid-id",
            text=text,
        )
    for number in (0, 7, -7, 42, 2**31, -(2**31), 2**63 - 1, -(2**63), 2**64 - 1):
        slug = f"identifier-integer-{'minus-' if number < 0 else ''}{abs(number)}"
        s.add(
            slug,
            "an integer as its shortest decimal",
            "1.5",
            "identifier",
            "ok",
            integer=str(number),
            results={"identifier": str(number)},
        )
    for slug, data in (("v7", bytes.fromhex(lower.replace("-", ""))), ("nil", bytes(16)), ("max", b"\xff" * 16)):
        h = data.hex()
        text = f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
        s.add(
            f"identifier-uuid-{slug}-bytes",
            "a UUID, lower-case and hyphenated",
            "1.5",
            "identifier",
            "ok",
            uuid_hex=h,
            results={"identifier": text},
        )

    names = {
        "letter": "a",
        "digit": "0",
        "64": "n" * 64,
        "all-characters": "abcdefghijklmnopqrstuvwxyz0123456789._-",
        "ends-in-dot": "a.",
        "ends-in-dash": "a-",
        "dots": "a..b",
        "digits": "42",
        "underscores": "0__",
    }
    for slug, text in names.items():
        s.add(f"name-{slug}", f"accepted: {slug}", "1.3", "name", "ok", text=text)
    names = {
        "empty": "",
        "65": "n" * 65,
        "upper": "Patient",
        "upper-inside": "pAtient",
        "dash-first": "-a",
        "dot-first": ".a",
        "underscore-first": "_a",
        "space": "a b",
        "leading-space": " a",
        "trailing-space": "a ",
        "newline": "a\n",
        "only-newline": "\n",
        "nul": "a\x00",
        "slash": "a/b",
        "colon": "a::b",
        "plus": "a+b",
        "umlaut": "ä",
        "umlaut-inside": "aä",
        "dotless-i": "aı",
        "kelvin-sign": "\u212a",
        "long-s": "\u017f",
        "full-width": "ａ",
        "arabic-digit": "٤",
        "superscript": "a²",
    }
    for slug, text in names.items():
        s.add(f"name-refused-{slug}", f"refused: {slug}", "1.3", "name", "invalid-id", text=text)

    # -- root keys
    root = ROOTS["root-a"]
    line = root.text()
    data = line.removeprefix("rxseal-root-v1:")

    def result(key: r.RootKey) -> dict[str, Any]:
        return {"key_hex": key.key.hex(), "name": key.name, "wrap_key_hex": r.derive(key.key, "root-wrap").hex()}

    for name, key in ROOTS.items():
        s.add(
            f"root-key-{name}",
            "one line without newline",
            "9.1",
            "root_key",
            "ok",
            text=key.text(),
            results=result(key),
        )
    s.add("root-key-newline", "one newline at the end", "9.1", "root_key", "ok", text=line + "\n", results=result(root))
    for slug, key in (("ones", b"\xff" * 32), ("one-bit", bytes(31) + b"\x01")):
        s.add(
            f"root-key-{slug}",
            f"a key with bits {slug}",
            "1.8",
            "root_key",
            "ok",
            text=r.RootKey(key).text(),
            results=result(r.RootKey(key)),
        )
    for slug, text in {
        "empty": "",
        "newline-only": "\n",
        "prefix-only": "rxseal-root-v1:",
        "no-prefix": data,
        "v2": line.replace("v1", "v2"),
        "upper-prefix": line.replace("rxseal", "RXSEAL"),
        "no-colon": line.replace(":", ""),
        "two-colons": line.replace(":", "::"),
        "space-behind-colon": line.replace(":", ": "),
        "leading-space": " " + line,
        "leading-newline": "\n" + line,
        "leading-bom": "\ufeff" + line,
        "trailing-space": line + " ",
        "two-newlines": line + "\n\n",
        "crlf": line + "\r\n",
        "cr": line + "\r",
        "tab": line + "\t",
        "nul": line + "\x00",
        "two-lines": line + "\n" + line,
        "comment": line + "\n# root key",
        "inner-newline": line[:40] + "\n" + line[40:],
        "padding": line + "=",
        "standard-alphabet": "rxseal-root-v1:" + "+/" * 21 + "A",
        "31-bytes": "rxseal-root-v1:" + b64(root.key[:31]),
        "33-bytes": "rxseal-root-v1:" + b64(root.key + b"\x01"),
        "unused-bits": _bump(line, 1),
        "length-1-mod-4": line + "AA",
        "hex": "rxseal-root-v1:" + root.key.hex(),
        "zero": "rxseal-root-v1:" + b64(bytes(32)),
        "quoted": f'"{line}"',
        "umlaut": "rxseal-root-v1:ä" + data[1:],
    }.items():
        s.add(
            f"root-key-refused-{slug}",
            f"refused: {slug}",
            "1.8" if slug == "zero" else "9.1",
            "root_key",
            "invalid-root-key",
            text=text,
        )

    # -- wrapped subject keys
    def subject(
        slug: str,
        description: str,
        wrap: str | bytes,
        expect: str = "ok",
        rule: str = "10.1",
        subject_id: str = PATIENT,
        secret_of: str | None = None,
    ) -> None:
        form = {"subject_key": wrap} if isinstance(wrap, str) else {"subject_key_hex": wrap.hex()}
        members = {
            "root_key_file": "root-a.txt",
            "keyring_file": "main.json",
            "keyspace": KEYSPACE,
            "subject_id": subject_id,
        }
        results = {"secret_hex": subject_secret(secret_of or subject_id).hex()} if expect == "ok" else {}
        s.add(f"subject-key-{slug}", description, rule, "subject_key", expect, **members, **form, results=results)

    for key in ("dek-1", "dek-pre", "dek-old", "dek-c", "dek-c-old"):
        subject(f"by-{key}", f"wrapped under {key}", b64(wrapped(key=key)))
    subject("binary", "binary form", wrapped())
    subject("subject-255", "a subject id of 255 bytes", b64(wrapped("s" * 255)), subject_id="s" * 255)
    subject("subject-zeros", "the subject 0042", b64(wrapped("0042")), subject_id="0042")
    subject(
        "second",
        "another subject key of the same subject opens as well: the store decides which one there is",
        b64(wrapped(label="another")),
        rule="10.2",
        secret_of="another",
    )
    whole = wrapped()
    text = b64(whole)
    refused_id = "subject-key-refused"
    subject("subject-42", "wrapped for 0042, asked for 42", b64(wrapped("0042")), refused_id, subject_id="42")
    subject("other-subject", "wrapped for another subject", b64(wrapped("patient-4712")), refused_id)
    subject(
        "other-keyspace",
        "wrapped in another keyspace with the same DEK bytes and this key id",
        b64(wrapped(keyspace=OTHER_KEYSPACE, ident=key_id("dek-1"))),
        refused_id,
    )
    subject(
        "key-id-replaced",
        "the key id is that of another DEK",
        b64(whole[:3] + key_id("dek-old") + whole[9:]),
        refused_id,
    )
    subject(
        "key-id-in-aad",
        "wrapped under dek-1 with the key id of dek-old in the AAD",
        b64(whole[:9] + wrapped(ident=key_id("dek-old"))[9:]),
        refused_id,
    )
    subject("zero", "a subject key of zero bytes", b64(wrapped(label="zero")), refused_id, rule="1.8")
    for where, at in (
        ("nonce-first", 9),
        ("nonce-last", 32),
        ("ciphertext-first", 33),
        ("ciphertext-last", 64),
        ("tag-first", 65),
        ("tag-last", 80),
    ):
        flipped = whole[:at] + bytes([whole[at] ^ 0x04]) + whole[at + 1 :]
        subject(f"flip-{where}", f"one bit flipped: {where}", b64(flipped), refused_id)
    nonce = secret("subject wrong key", 24)
    aad = r.subject_wrap_aad(KEYSPACE, PATIENT, key_id("dek-1"))
    for slug, key in (
        ("class-key", r.field_key(key_bytes("dek-1"), KEYSPACE, "x", "identity", None)),
        ("subject-purpose", r.derive(key_bytes("dek-1"), "subject", keyspace=KEYSPACE, letter="x", name="identity")),
        ("dek", key_bytes("dek-1")),
    ):
        made = whole[:9] + nonce + r.xaes_seal(key, nonce, subject_secret(PATIENT), aad)
        subject(
            f"under-{slug}", f"wrapped under another key than the wrap key: {slug}", b64(made), refused_id, rule="3.2"
        )
    c_info = frame((0, "rxseal/v1/key"), (1, "wrap"), (2, KEYSPACE), (3, "c"))
    c_aad = r.subject_wrap_aad(KEYSPACE, PATIENT, key_id("dek-c"))
    c_key = r.hkdf_expand_32(key_bytes("dek-c"), c_info)
    for slug, cipher in (
        ("c-letter", r.xaes_seal(c_key, nonce, subject_secret(PATIENT), c_aad)),
        ("c-aead", r.xchacha_seal(c_key, nonce, subject_secret(PATIENT), c_aad)),
    ):
        subject(
            f"under-{slug}",
            "a DEK of suite c wraps with letter x and XAES all the same",
            b64(r.SUBJECT_MAGIC + key_id("dek-c") + nonce + cipher),
            refused_id,
            rule="3.2",
        )
    subject(
        "state-compromised",
        "wrapped under a compromised key",
        b64(wrapped(key="dek-bad")),
        "key-compromised",
        rule="8.7",
    )
    subject(
        "state-destroyed", "wrapped under a destroyed key", b64(wrapped(key="dek-gone")), "key-destroyed", rule="8.7"
    )
    subject(
        "state-unknown",
        "wrapped under a key that the keyring does not have",
        b64(wrapped(key="dek-nowhere")),
        "unknown-key",
        rule="3.7",
    )
    subject("state-index", "wrapped under an index root", b64(wrapped(key="index-1")), "unknown-key", rule="3.7")
    for slug, bad in {
        "empty": "",
        "plaintext": "Jane Doe",
        "cut": text[:-1],
        "cut-4": text[:-4],
        "longer": text + "A",
        "longer-4": text + "AAAA",
        "padding": text + "====",
        "space": text + " ",
        "newline": text + "\n",
        "leading-space": " " + text,
        "standard-alphabet": text[:50] + "+" + text[51:],
        "umlaut": text[:-1] + "ä",
        "magic-letter": "rxky" + text[4:],
        "magic-token": "rxsx" + text[4:],
        "magic-case": "rxkX" + text[4:],
        "token": sealed("subject key token", **{"binding": "wide"}).text(),
        "hex": whole.hex(),
    }.items():
        subject(f"form-{slug}", f"wrong form: {slug}", bad, "invalid-subject-key")
    for slug, bad in {
        "cut": whole[:-1],
        "longer": whole + b"\x00",
        "empty": b"",
        "magic": b"\xaf\x19\x30" + whole[3:],
        "text": text.encode(),
        "key-only": subject_secret(PATIENT),
    }.items():
        subject(f"form-binary-{slug}", f"wrong form, binary: {slug}", bad, "invalid-subject-key")


# ---------------------------------------------------------------------------------------------------------------------
# derive, frame, context, payload
# ---------------------------------------------------------------------------------------------------------------------


def value_scenarios(s: Scenarios) -> None:
    dek, index, kek = key_bytes("dek-1"), key_bytes("index-1"), kek_bytes("main")

    def derived(slug: str, purpose: str, key: bytes, **given: Any) -> None:
        parts = {("name" if k in ("class", "index") else k): v for k, v in given.items()}
        results = {"info_hex": r.key_info(purpose, **parts).hex(), "derived_hex": r.derive(key, purpose, **parts).hex()}
        s.add(
            f"derive-{slug}",
            f"purpose {purpose}: {slug}",
            "3.2",
            "derive",
            "ok",
            purpose=purpose,
            key_hex=key.hex(),
            **given,
            results=results,
        )

    derived("fingerprint-dek", "fingerprint", dek, keyspace=KEYSPACE)
    derived("fingerprint-index", "fingerprint", index, keyspace=KEYSPACE)
    derived("fingerprint-kek", "fingerprint", kek, keyspace=KEYSPACE)
    derived("fingerprint-other-keyspace", "fingerprint", dek, keyspace=OTHER_KEYSPACE)
    derived("fingerprint-64", "fingerprint", dek, keyspace="k" * 64)
    classes = ("identity", "contact", "medication", "prescriber", "clinical", "coverage", "billing")
    for class_id in classes:
        derived(f"seal-upper-x-{class_id}", "seal", dek, keyspace=KEYSPACE, letter="X", **{"class": class_id})
    for letter, name in (("x", "lower-x"), ("c", "c")):
        derived(f"seal-{name}-identity", "seal", dek, keyspace=KEYSPACE, letter=letter, **{"class": "identity"})
    for letter, name in (("X", "upper-x"), ("x", "lower-x"), ("c", "c")):
        derived(f"subject-{name}", "subject", dek, keyspace=KEYSPACE, letter=letter, **{"class": "clinical"})
    derived("wrap", "wrap", dek, keyspace=KEYSPACE, letter="x")
    derived("wrap-c", "wrap", key_bytes("dek-c"), keyspace=KEYSPACE, letter="x")
    derived("index", "index", index, keyspace=KEYSPACE, index="vector.name-exact")
    derived("index-same-name-as-class", "index", index, keyspace=KEYSPACE, index="identity")
    for generation in (1, 7, 256, 2**32, r.MAX_NUMBER):
        derived(f"body-{generation}", "body", kek, keyspace=KEYSPACE, letter="x", generation=generation)
    for name, root in ROOTS.items():
        derived(f"root-wrap-{name}", "root-wrap", root.key)
        derived(f"root-name-{name}", "root-name", root.key)
    for letter, name in (("X", "upper-x"), ("x", "lower-x"), ("c", "c")):
        for class_id, ident in (("clinical", PATIENT), ("identity", "0042")):
            info = r.key_info("subject", keyspace=KEYSPACE, letter=letter, name=class_id)
            key = subject_secret(ident)
            s.add(
                f"derive-field-key-{name}-{class_id}",
                f"the AEAD key of a class with a subject key, letter {letter}",
                "3.5",
                "derive",
                "ok",
                purpose="subject",
                key_hex=dek.hex(),
                keyspace=KEYSPACE,
                letter=letter,
                **{"class": class_id},
                subject_id=ident,
                subject_key_hex=key.hex(),
                results={
                    "info_hex": info.hex(),
                    "derived_hex": r.hkdf_expand_32(dek, info).hex(),
                    "subject_info_hex": r.subject_info(KEYSPACE, letter, class_id, ident).hex(),
                    "field_key_hex": r.field_key(dek, KEYSPACE, letter, class_id, (ident, key)).hex(),
                },
            )

    def framed(slug: str, description: str, rule: str, *parts: tuple[int, bytes | None]) -> None:
        shown = [[tag, None if p is None else p.hex()] for tag, p in parts]
        s.add(
            f"frame-{slug}", description, rule, "frame", "ok", parts=shown, results={"frame_hex": frame(*parts).hex()}
        )

    framed("domain-only", "part 0 alone", "2.1", (0, b"rxseal/v1/context"))
    framed("absent", "an absent part is omitted", "2.1", (0, b"d"), (1, None), (2, b"b"))
    framed("empty", "an empty part is there", "2.1", (0, b"d"), (1, b""), (2, b"b"))
    framed("empty-last", "an empty part at the end", "2.1", (0, b"d"), (1, b"a"), (2, b""))
    framed("empty-domain", "an empty domain", "2.1", (0, b""))
    framed("zeros", "bytes that look like a frame", "2.1", (0, b"d"), (1, b"\x00\x00\x00\x00\x01d"))
    framed("256", "a length of two bytes", "2.1", (0, b"d"), (1, bytes(range(256))))
    framed("tags", "many tags, up to 255", "2.1", (0, b"d"), (1, b"1"), (7, b"7"), (9, b"9"), (255, b"\xff"))
    framed("shift-1", "ab | c", "2.1", (0, b"d"), (1, b"ab"), (2, b"c"))
    framed("shift-2", "a | bc", "2.1", (0, b"d"), (1, b"a"), (2, b"bc"))
    for key in MINI_KEYS:
        use, suite, state, primary = MINI_KEYS[key]
        entry = next(e for e in KEYRINGS["mini"].keys if e.id == key_id(key))
        framed(
            f"keyring-key-{key}",
            f"{key} of the keyring mini in the AAD of its body",
            "8.2",
            (0, b"rxseal/v1/keyring-key"),
            (1, entry.id),
            (2, entry.fingerprint),
            (3, use.encode()),
            (4, state.encode()),
            (5, suite.encode() if suite else None),
            (6, b"\x01" if primary else None),
            (7, r.u64(entry.created)),
            (8, r.u64(entry.changed)),
        )
        assert entry.frame().hex() == s.list[-1][1]["frame_hex"]
    framed(
        "keyring-body-key",
        "one key in the plaintext of a body",
        "8.3",
        (0, b"rxseal/v1/keyring-body"),
        (1, key_id("dek-1")),
        (2, dek),
    )
    mini = KEYRINGS["mini"]
    keys = b"".join(k.frame() for k in sorted(mini.keys, key=lambda k: k.id))
    framed(
        "keyring",
        "the AAD of the body of the keyring mini",
        "8.2",
        (0, b"rxseal/v1/keyring"),
        (1, b"\x01"),
        (2, KEYSPACE.encode()),
        (3, b"full"),
        (5, r.u64(3)),
        (8, mini.kek),
        (9, keys),
    )
    assert mini.aad().hex() == s.list[-1][1]["frame_hex"]
    framed(
        "kek-wrap", "the AAD of a wrapped KEK", "8.4", (0, b"rxseal/v1/kek-wrap"), (2, KEYSPACE.encode()), (8, mini.kek)
    )
    framed(
        "subject-wrap",
        "the AAD of a wrapped subject key",
        "10.1",
        (0, b"rxseal/v1/subject-wrap"),
        (2, KEYSPACE.encode()),
        (7, PATIENT.encode()),
        (8, key_id("dek-1")),
    )

    def context(
        slug: str, description: str, expect: str = "ok", rule: str = "4.1", field_id: str | None = None, **changes: Any
    ) -> None:
        p = {k: BASE[k] for k in ("keyspace", "record_type", "record_id", "binding", "parts", "subject_id")} | changes
        members = dict(p)
        results = {}
        if expect == "ok":
            made = context_of(p)
            results = {"context_hex": made.bytes().hex(), "digest_hex": made.digest().hex()}
            if field_id is not None:
                header = r.SUITES["X"].magic + key_id("dek-1")
                members |= {"field_id": field_id, "header_hex": header.hex()}
                results["aad_hex"] = r.field_aad(header, made.digest(), field_id).hex()
        s.add(f"context-of-{slug}", description, rule, "context", expect, **members, results=results)

    unbound = {"record_id": None, "binding": "unbound"}
    steps = [
        ["line", "1"],
        ["dose", "a"],
        ["x", "0"],
        ["x", "0"],
        ["line", "2"],
        ["note", "~"],
        ["q", "-7"],
        ["z", "Z"],
    ]
    context("bound", "bound", field_id="vector.name")
    context("wide", "wide: the bytes are those of bound", binding="wide", rule="4.3")
    context("unbound", "unbound: part 3 is absent", rule="4.3", **unbound)
    context("subject", "with a subject", subject_id=PATIENT, field_id="vector.drug")
    context("unbound-subject", "a subject without record", subject_id=PATIENT, **unbound)
    for count in (1, 2, 8):
        context(f"parts-{count}", f"{count} steps", parts=steps[:count])
    context("everything", "subject and parts", parts=steps[:2], subject_id=PATIENT, field_id="vector.note", rule="4.4")
    context("unbound-parts", "parts without record", parts=steps[:1], **unbound)
    context(
        "longest",
        "the longest context",
        keyspace="k" * 64,
        record_type="t" * 64,
        record_id="r" * 255,
        subject_id="s" * 255,
    )
    for slug, rule, changes in (
        ("keyspace-upper", "1.3", {"keyspace": "Vectors"}),
        ("keyspace-empty", "1.3", {"keyspace": ""}),
        ("record-type-65", "1.3", {"record_type": "t" * 65}),
        ("record-id-empty", "1.4", {"record_id": ""}),
        ("record-id-256", "1.4", {"record_id": "r" * 256}),
        ("record-id-uuid-upper", "1.6", {"record_id": "0190B5E4-7C1A-7D3E-8F00-0123456789AB"}),
        ("subject-empty", "1.4", {"subject_id": ""}),
        ("subject-space", "1.4", {"subject_id": "a b"}),
        ("subject-urn", "1.6", {"subject_id": "URN:UUID:1"}),
        ("part-name-upper", "1.3", {"parts": [["Line", "1"]]}),
        ("part-name-empty", "1.3", {"parts": [["", "1"]]}),
        ("part-id-empty", "1.4", {"parts": [["line", ""]]}),
        ("part-id-braces", "1.6", {"parts": [["line", "1"], ["dose", "{0190b5e4-7c1a-7d3e-8f00-0123456789ab}"]]}),
    ):
        context(slug, f"refused: {slug}", "invalid-id", rule, **changes)

    def padded(slug: str, kind: int, content: bytes, block: int) -> None:
        results = {"payload_hex": r.pad(kind, content, block).hex()}
        s.add(
            f"payload-pad-{slug}",
            f"kind {kind}, {len(content)} bytes, block {block}",
            "7.2",
            "payload",
            "ok",
            kind=kind,
            content_hex=content.hex(),
            block=block,
            results=results,
        )

    for block in (1, 2, 3, 32, 64, 255, 256):
        for length in sorted({0, block - 2, block - 1, block}):
            if length >= 0:
                padded(f"{block}-{length}", 1, b"a" * length, block)
    padded("1024-0", 0, b"", 1024)
    padded("marker", 0, b"\x80\x80\x80", 8)
    padded("zeros", 0, bytes(6), 8)
    padded("json", 2, b'{"a":1}', 32)
    padded("utf8", 1, "阿司匹林".encode(), 16)

    def unpadded(slug: str, payload: bytes, kind: int, content: bytes) -> None:
        s.add(
            f"payload-unpad-{slug}",
            f"unpad: {slug}",
            "7.3",
            "payload",
            "ok",
            payload_hex=payload.hex(),
            results={"kind": kind, "content_hex": content.hex()},
        )

    unpadded("least", b"\x00\x80", 0, b"")
    unpadded("least-text", b"\x01\x80", 1, b"")
    unpadded("zeros-behind", b"\x01a\x80" + bytes(300), 1, b"a")
    unpadded("two-markers", b"\x00\x80\x80", 0, b"\x80")
    unpadded("marker-zero-marker", b"\x00\x80\x00\x80\x00", 0, b"\x80\x00")
    unpadded("raw-not-utf8", b"\x00\xff\xfe\x80", 0, b"\xff\xfe")
    unpadded("raw-starts-with-kind", b"\x00\x03\x80", 0, b"\x03")
    unpadded("no-zero", b"\x01Jane\x80", 1, b"Jane")
    for slug, rule, payload in MALFORMED_PAYLOADS:
        s.add(
            f"payload-unpad-refused-{slug}",
            f"malformed: {slug}",
            rule,
            "payload",
            "open-failed",
            payload_hex=payload.hex(),
        )


# ---------------------------------------------------------------------------------------------------------------------
# Running a scenario through the reader
# ---------------------------------------------------------------------------------------------------------------------


def _keyring_text(v: dict[str, Any], files: dict[str, str]) -> str:
    if "keyring_hex" in v:
        return r.text_of(bytes.fromhex(v["keyring_hex"]))
    text = files["keyrings/" + v["keyring_file"]] if "keyring_file" in v else v["keyring"]
    added = ""
    for number in range(1, v.get("keys_added", 0) + 1):
        print_ = number.to_bytes(6, "big") + b"\x5a" * 26
        added += (
            f'{{"id":"{b64(print_[:6])}","fingerprint":"{b64(print_)}","use":"seal","state":"deactivated",'
            '"primary":false,"suite":"X","created":1760000000,"changed":1760000000},'
        )
    text = text.replace('"keys":[', '"keys":[' + added, 1)
    if "wrap_added" in v:
        wrap = f'{{"provider":"p","root_key":"n","wrapped":"{b64(bytes(v["wrap_added"]))}"}},'
        text = text.replace('"wraps":[', '"wraps":[' + wrap, 1)
    return text + " " * v.get("spaces_after", 0)


def _repeated(pieces: list[list[Any]]) -> bytes:
    return b"".join(bytes.fromhex(piece) * count for piece, count in pieces)


def _open_large(v: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    """Makes the token that the scenario describes, and opens it like any other."""
    made = v["made"]
    head = bytes.fromhex(made["header_hex"]) + bytes.fromhex(made["nonce_hex"])
    key, nonce, aad = (bytes.fromhex(made[name]) for name in ("message_key_hex", "nonce_hex", "aad_hex"))
    token = head + r.AESGCM(key).encrypt(nonce, _repeated(made["payload_repeated"]), aad)
    if hashlib.sha256(token).hexdigest() != made["token_sha256"]:
        raise SystemExit("the token made is another one")
    line = {k: v[k] for k in v if k not in ("root_key_file", "keyring_file", "made")} | {"token_hex": token.hex()}
    line |= {"root_key": files["root_keys/" + v["root_key_file"]], "keyring": _keyring_text(v, files)}
    answer = r.run_open(line)
    return {"kind": answer["kind"], "content_repeated": _as_repeated(bytes.fromhex(answer["content_hex"]))}


def _as_repeated(content: bytes) -> list[Any]:
    """One byte and how often it repeats, if the content is nothing else."""
    assert content.strip(content[:1]) == b""
    return [content[:1].hex(), len(content)]


def _unlocked(v: dict[str, Any], files: dict[str, str]) -> r.Keyring:
    return r.cached_unlock(files["root_keys/" + v["root_key_file"]], _keyring_text(v, files), v["keyspace"], 0)


def run(v: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    """The results of a scenario; raises Refused."""
    import rxseal_normal  # these import this module
    import rxseal_searches

    match v["test"]:
        case "open":
            line = {k: v[k] for k in v if k not in ("root_key_file", "keyring_file", "keyring")}
            line |= {"root_key": files["root_keys/" + v["root_key_file"]], "keyring": _keyring_text(v, files)}
            answer = r.run_open(line)
            results = {"kind": answer["kind"], "content_hex": answer["content_hex"]}
            if v.get("decode"):
                value = r.decode_value(answer["kind"], bytes.fromhex(answer["content_hex"]))
                results["value"] = json.dumps(value, separators=(",", ":"))
            return results
        case "write":
            root = files["root_keys/" + v["root_key_file"]]
            keyring = r.cached_unlock(root, _keyring_text(v, files), v["keyspace"], 0)
            r.check_holds_no_token(keyring, v["kind"], bytes.fromhex(v["content_hex"]))
            return {}
        case "open_large":
            return _open_large(v, files)
        case "aead":
            return r.aead_steps(
                v["letter"], *(bytes.fromhex(v[f"{name}_hex"]) for name in ("key", "nonce", "plaintext", "aad"))
            )
        case "unlock":
            roots = [r.RootKey.parse(files["root_keys/" + name]) for name in v["root_key_files"]]
            text = _keyring_text(v, files)
            pin = bytes.fromhex(v["pin"]) if "pin" in v else None
            keyring = r.unlock(text, v["keyspace"], roots, v.get("min_generation", 0), pin)
            return {
                "generation": keyring.file.generation,
                "kek": b64(keyring.file.kek),
                "unlocked_by": keyring.unlocked_by,
                "primary": b64(keyring.primary("seal").id),
                "primary_index": b64(keyring.primary("index").id),
                "keys": {b64(i): keyring.entries[i].state for i in sorted(keyring.entries)},
                "canonical": keyring.file.write() == text,
            }
        case "token":
            token = v.get("token")
            if token is None:
                token = bytes.fromhex(v["token_hex"]) + bytes(v.get("zeros_after", 0))
            parsed = r.parse_token(token)
            return {
                "letter": parsed.letter,
                "key_id": b64(parsed.key_id),
                "header_hex": parsed.header.hex(),
                "nonce_hex": parsed.wire_nonce.hex(),
                "ciphertext_length": len(parsed.sealed) - 16,
                "tag_hex": parsed.sealed[-16:].hex(),
            }
        case "identifier":
            if "integer" in v:
                return {"identifier": r.check_identifier(r.identifier_of_integer(int(v["integer"])))}
            if "uuid_hex" in v:
                return {"identifier": r.check_identifier(r.identifier_of_uuid(bytes.fromhex(v["uuid_hex"])))}
            return {"identifier": r.check_identifier(v["text"])}
        case "name":
            r.check_name(v["text"])
            return {}
        case "root_key":
            root = r.RootKey.parse(v["text"])
            return {"key_hex": root.key.hex(), "name": root.name, "wrap_key_hex": r.derive(root.key, "root-wrap").hex()}
        case "subject_key":
            root = files["root_keys/" + v["root_key_file"]]
            keyring = r.cached_unlock(root, _keyring_text(v, files), v["keyspace"], 0)
            form = v["subject_key"] if "subject_key" in v else bytes.fromhex(v["subject_key_hex"])
            return {"secret_hex": r.unwrap_subject_key(keyring, v["subject_id"], form).hex()}
        case "derive":
            key = bytes.fromhex(v["key_hex"])
            parts = {k: v[k] for k in ("keyspace", "letter", "generation") if k in v}
            name = v.get("class", v.get("index"))
            if name is not None:
                parts["name"] = name
            info = r.key_info(v["purpose"], **parts)
            results = {"info_hex": info.hex(), "derived_hex": r.derive(key, v["purpose"], **parts).hex()}
            if "subject_id" in v:
                subject = (v["subject_id"], bytes.fromhex(v["subject_key_hex"]))
                results["subject_info_hex"] = r.subject_info(
                    v["keyspace"], v["letter"], v["class"], v["subject_id"]
                ).hex()
                results["field_key_hex"] = r.field_key(key, v["keyspace"], v["letter"], v["class"], subject).hex()
            return results
        case "frame":
            return {
                "frame_hex": frame(*((tag, None if p is None else bytes.fromhex(p)) for tag, p in v["parts"])).hex()
            }
        case "context":
            context = context_of(v).check()
            results = {"context_hex": context.bytes().hex(), "digest_hex": context.digest().hex()}
            if "field_id" in v:
                results["aad_hex"] = r.field_aad(bytes.fromhex(v["header_hex"]), context.digest(), v["field_id"]).hex()
            return results
        case "payload":
            if "block" in v:
                return {"payload_hex": r.pad(v["kind"], bytes.fromhex(v["content_hex"]), v["block"]).hex()}
            if "payload_repeated" in v:
                kind, content = r.unpad(_repeated(v["payload_repeated"]))
                return {"kind": kind, "content_repeated": _as_repeated(content)}
            kind, content = r.unpad(bytes.fromhex(v["payload_hex"]))
            return {"kind": kind, "content_hex": content.hex()}
        case "record_tag":
            root = files["root_keys/" + v["root_key_file"]]
            keyring = r.cached_unlock(root, _keyring_text(v, files), v["keyspace"], 0)
            context = context_of(v | {"binding": "bound"}).check()
            tag = v["tag"] if "tag" in v else bytes.fromhex(v["tag_hex"])
            minimums = (v.get("min_version", 0), v.get("min_cover", 0))
            given = (v["former_types"], v["fields"], v["highest_cover"], tag)
            parsed, message = r.verify_record_tag(keyring, context, *given, *minimums)
            return {
                "key_id": b64(parsed.key_id),
                "cover": parsed.cover,
                "version": parsed.version,
                "message_hex": message.hex(),
            }
        case "clear_text":
            return {"text": r.clear_text(v["kind"], v["value"], v.get("scale"))}
        case "index_value":
            return rxseal_searches.run_value(v)
        case "index_definition":
            return rxseal_searches.run_definition(v)
        case "index_query":
            return rxseal_searches.run_query(v, _unlocked(v, files))
        case "index_stored":
            return rxseal_searches.run_stored(v, _unlocked(v, files))
        case "index_verify":
            return rxseal_searches.run_verify(v, _unlocked(v, files))
        case "normal_form":
            return rxseal_normal.run(v)
    raise SystemExit(f"unknown test {v['test']}")


# ---------------------------------------------------------------------------------------------------------------------
# Files
# ---------------------------------------------------------------------------------------------------------------------


def scenarios() -> list[tuple[str, dict[str, Any]]]:
    import rxseal_edges  # imports this module
    import rxseal_normal
    import rxseal_searches
    import rxseal_tags

    s = Scenarios()
    # New scenarios go to the end, so that the numbers of the files do not change.
    every = (
        open_scenarios,
        token_scenarios,
        unlock_scenarios,
        text_scenarios,
        value_scenarios,
        rxseal_edges.scenarios,
        rxseal_tags.scenarios,
        rxseal_searches.scenarios,
        rxseal_normal.scenarios,
    )
    for add in every:
        add(s)
    slugs = Counter(slug for slug, _ in s.list)
    repeated = [slug for slug, count in slugs.items() if count > 1]
    if repeated:
        raise SystemExit(f"repeated slugs: {repeated}")
    return s.list


def files() -> dict[str, str]:
    """Every file of tests/vectors, by its path."""
    made = {"README.md": README}
    made |= {f"root_keys/{name}.txt": root.text() + "\n" for name, root in ROOTS.items()}
    made |= {f"keyrings/{name}.json": text for name, text in TEXTS.items()}
    for number, (slug, vector) in enumerate(scenarios(), 1):
        text = json.dumps(vector, indent=2) + "\n"
        if len(text.encode()) >= MAX_VECTOR_FILE:
            raise SystemExit(f"{slug}: {len(text.encode())} bytes")
        made[f"{number:04}-{slug}.json"] = text
    return made


def write(directory: Path) -> None:
    made = files()
    for folder in ("", "keyrings", "root_keys"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    for old in _present(directory) - set(made):
        os.remove(directory / old)
    for path, text in made.items():
        (directory / path).write_bytes(text.encode())
    print(f"vectors: {len(made)} files")


def _present(directory: Path) -> set[str]:
    return {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}


def check(directory: Path) -> None:
    made = files()
    present = _present(directory)
    faults = [f"missing: {path}" for path in sorted(set(made) - present)]
    faults += [f"not one of ours: {path}" for path in sorted(present - set(made))]
    faults += [
        f"different: {path}"
        for path in sorted(present & set(made))
        if (directory / path).read_bytes() != made[path].encode()
    ]
    counts: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for path in sorted(present & set(made)):
        if not path.endswith(".json") or "/" in path:
            continue
        v = json.loads((directory / path).read_text("utf-8"))
        try:
            got = {"expect": "ok", **run(v, made)}
        except r.Refused as refused:
            got = {"expect": refused.code}
        # the results of a scenario are what follows `expect`
        names = list(v)
        want = {name: v[name] for name in names[names.index("expect") :]}
        if got != want:
            faults.append(f"{path}: want {want}, got {got}")
        counts[v["expect"]] += 1
        tests[v["test"]] += 1
    for fault in faults:
        print(fault)
    print("by test:   ", dict(sorted(tests.items())))
    print("by outcome:", dict(sorted(counts.items())))
    if faults:
        raise SystemExit(f"check: {len(faults)} faults")
    print(f"check: ok ({sum(counts.values())} scenarios)")


# ---------------------------------------------------------------------------------------------------------------------
# Round trips through `seal` and `open`
# ---------------------------------------------------------------------------------------------------------------------


def round_trips() -> int:
    count = 0
    for keyring in ("main", "xchacha"):
        for binding in ("bound", "wide", "unbound"):
            for name, (class_id, block, former) in FIELDS.items():
                for subject_id in (None, PATIENT):
                    for parts in ([], [["line", "1"], ["dose", "2"]]):
                        wrapper = "dek-1" if keyring == "main" else "dek-c2"
                        line = {
                            "root_key": ROOTS["root-a"].text(),
                            "keyring": TEXTS[keyring],
                            "keyspace": KEYSPACE,
                            "record_type": "patient",
                            "record_id": None if binding == "unbound" else "4711",
                            "binding": binding,
                            "parts": parts,
                            "subject_id": subject_id,
                            "subject_key": b64(wrapped(key=wrapper)) if subject_id else None,
                            "field_id": name,
                            "class": class_id,
                            "former": [list(pair) for pair in former],
                        }
                        content = secret(f"round trip {count}").hex().encode()[: count % 65]
                        sealing = {"kind": count % 2, "content_hex": content.hex(), "block": block}
                        token = r.run_seal(line | sealing)["token"]
                        got = r.run_open(line | {"token": token})
                        want = {"outcome": "ok", "kind": count % 2, "content_hex": content.hex()}
                        if got != want:
                            raise SystemExit(f"round trip: {line}: {got}")
                        letter = "c" if keyring == "xchacha" else "X" if binding == "bound" else "x"
                        if not token.startswith("rxs" + letter):
                            raise SystemExit(f"round trip: letter {token[:4]}")
                        count += 1
    return count


def limits() -> None:
    """8: 1,024 keys and wraps of 8,192 bytes are accepted, one more is not."""

    def outcome(file: r.KeyringFile) -> str:
        try:
            r.unlock(file.write(), KEYSPACE, [ROOTS["root-a"]])
        except r.Refused as refused:
            return refused.code
        return "ok"

    for count, want in ((1024, "ok"), (1025, "invalid-keyring")):
        more = {f"many-{i}": ("seal", "X", "deactivated", False) for i in range(count - 2)}
        got = outcome(make_keyring("many", {**DEK1, **more, **INDEX}))
        if got != want:
            raise SystemExit(f"limits: {count} keys: {got}")
    for count, want in ((8192, "ok"), (8193, "invalid-keyring")):
        mini = KEYRINGS["mini"]
        got = outcome(replace(mini, wraps=[*mini.wraps, r.Wrap("p", "n", bytes(count))]))
        if got != want:
            raise SystemExit(f"limits: a wrap of {count} bytes: {got}")
