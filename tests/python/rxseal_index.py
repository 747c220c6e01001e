"""Section 15 of docs/FORMAT.md: definitions, index values, slots and queries."""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from typing import Any, Iterable

import rxseal_reference as r
from rxseal_reference import Refused, frame, hmac_sha256

PREFIX_BYTES = 3
MAX_FORM = 256
MAX_COMPONENTS = 4
MAX_SET = 8
MAX_FORMER = 4
MAX_ASKED = 1024
UNIQUE = 128

# 15.3: how many components a kind has, and whether it may be unique.
KINDS = {"whole": (1, 1, True), "compound": (2, MAX_COMPONENTS, True), "parts": (1, 1, False), "sounds": (1, 1, False)}
OWNER_KINDS = ("subject", "record", "person")

# 15.9: the states in which a query asks under an index root.
ASKED_STATES = ("pre-active", "active", "deactivated", "compromised")


def check_versioned(text: str) -> None:
    """15.4: a name, `/` and a version."""
    name, slash, version = text.partition("/")
    r.check_name(name)
    if not slash or re.fullmatch(r"[1-9][0-9]*", version) is None:
        raise Refused("invalid-id", "no version")


# ---------------------------------------------------------------------------------------------------------------------
# 15.3 and 15.6: definitions and slot tables
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SlotTable:
    id: str
    entries: tuple[tuple[bytes, int], ...]

    def slots(self, form: bytes) -> int:
        """15.6: k"""
        return dict(self.entries).get(form, 1)

    def table(self) -> bytes:
        entries = sorted(self.entries)  # bytes compare as 15.6 says
        return b"".join(
            frame((0, "rxseal/v1/index-slot-entry"), (1, form), (2, struct.pack(">H", k))) for form, k in entries
        )

    def digest(self) -> bytes:
        return hashlib.sha256(self.table()).digest()

    def frame(self) -> bytes:
        return frame((0, "rxseal/v1/index-slots"), (1, self.id), (2, self.digest()))


@dataclass(frozen=True)
class Definition:
    record_type: str
    index_id: str
    kind: str
    bits: int
    normalizers: tuple[str, ...]
    slots: SlotTable | None = None

    @staticmethod
    def of(given: dict[str, Any]) -> Definition:
        slots = given["slots"]
        table = None
        if slots is not None:
            table = SlotTable(slots["id"], tuple((form.encode(), k) for form, k in slots["entries"]))
        names = (given["record_type"], given["index_id"], given["kind"], given["bits"])
        return Definition(*names, tuple(given["normalizers"]), table)

    def json(self) -> dict[str, Any]:
        slots = None
        if self.slots is not None:
            slots = {"id": self.slots.id, "entries": [[form.decode(), k] for form, k in self.slots.entries]}
        return {
            "record_type": self.record_type,
            "index_id": self.index_id,
            "kind": self.kind,
            "bits": self.bits,
            "slots": slots,
            "normalizers": list(self.normalizers),
        }

    def check(self) -> Definition:
        """15.3, 15.4 and 15.6. A definition is part of a program, so section 13 has no code for this."""
        try:
            r.check_name(self.record_type)
            r.check_name(self.index_id)
            for normalizer in self.normalizers:
                check_versioned(normalizer)
            if self.slots is not None:
                check_versioned(self.slots.id)
        except Refused as refused:
            raise Refused("invalid-definition", str(refused)) from None
        fewest, most, unique = KINDS.get(self.kind, (1, 0, False))
        if not fewest <= len(self.normalizers) <= most:
            raise Refused("invalid-definition", "kind and components")
        if not (8 <= self.bits <= 64 or (self.bits == UNIQUE and unique and self.slots is None)):
            raise Refused("invalid-definition", "bits")
        if self.slots is not None:
            forms = [form for form, _ in self.slots.entries]
            if self.kind == "compound":
                raise Refused("invalid-definition", "slots of a compound")
            if len(set(forms)) < len(forms) or not all(1 <= len(form) <= MAX_FORM for form in forms):
                raise Refused("invalid-definition", "a form of a slot table")
            if not all(2 <= k <= 256 for _, k in self.slots.entries):
                raise Refused("invalid-definition", "a number of slots")
        return self

    def bytes(self) -> bytes:
        """15.3: what is hashed to d."""
        components = frame((0, "rxseal/v1/index-components"), *enumerate(self.normalizers, 1))
        return frame(
            (0, "rxseal/v1/index-definition"),
            (1, self.record_type),
            (2, self.index_id),
            (3, self.kind),
            (4, bytes([self.bits])),
            (5, None if self.slots is None else self.slots.frame()),
            (6, components),
        )

    def digest(self) -> bytes:
        return hashlib.sha256(self.bytes()).digest()

    def has_sets(self) -> bool:
        return self.kind in ("parts", "sounds")

    def value_bytes(self) -> int:
        return PREFIX_BYTES + (self.bits + 7) // 8

    def has_shape(self, value: bytes) -> bool:
        """15.12: the length, and zeros as the unused bits."""
        unused = -self.bits % 8
        return len(value) == self.value_bytes() and value[-1] & ((1 << unused) - 1) == 0


# ---------------------------------------------------------------------------------------------------------------------
# 15.2, 15.5 and 15.7: keys, prefixes, slots and values
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A value of a normal form, and how it came about."""

    form: tuple[bytes, ...]
    k: int | None
    slot: int | None
    mac: bytes  # V
    value: bytes

    def text(self) -> str:
        return r.b64(self.value)


@dataclass(frozen=True)
class Prepared:
    """A definition under an index root."""

    definition: Definition
    key: bytes  # K
    digest: bytes  # d

    @staticmethod
    def of(root: bytes, keyspace: str, definition: Definition) -> Prepared:
        key = r.derive(root, "index", keyspace=keyspace, name=definition.index_id)
        return Prepared(definition, key, definition.digest())

    def prefix(self) -> bytes:
        return hmac_sha256(self.key, frame((0, "rxseal/v1/index-prefix"), (1, self.digest)))[:PREFIX_BYTES]

    def drawn(self, owner: tuple[str, str]) -> int:
        """15.7: u"""
        kind, ident = owner
        assert kind in OWNER_KINDS
        message = frame((0, "rxseal/v1/index-slot"), (1, self.digest), (2, kind), (3, ident))
        return int.from_bytes(hmac_sha256(self.key, message)[:8], "big")

    def slots(self, form: tuple[bytes, ...]) -> int | None:
        return None if self.definition.slots is None else self.definition.slots.slots(form[0])

    def slot(self, owner: tuple[str, str], k: int) -> int:
        return (self.drawn(owner) * k) >> 64

    def value(self, form: tuple[bytes, ...], slot: int | None) -> Value:
        assert len(form) == len(self.definition.normalizers)
        message = frame(
            (0, "rxseal/v1/index-value"),
            (1, self.digest),
            (2, None if slot is None else struct.pack(">H", slot)),
            *enumerate(form, 8),
        )
        mac = hmac_sha256(self.key, message)
        kept = int.from_bytes(mac, "big") >> (256 - self.definition.bits) << (-self.definition.bits % 8)
        value = self.prefix() + kept.to_bytes((self.definition.bits + 7) // 8, "big")
        return Value(form, self.slots(form), slot, mac, value)


def check_owner(owner: tuple[str, str] | None) -> tuple[str, str]:
    if owner is None:
        raise Refused("index-owner-missing", "whose slot is it")
    r.check_identifier(owner[1])
    return owner


def check_forms(forms: Iterable[tuple[bytes, ...]], most: int | None) -> list[tuple[bytes, ...]]:
    """15.4 and 15.8: without forms that have an empty component, each once."""
    kept: list[tuple[bytes, ...]] = []
    for form in forms:
        if not all(form):
            continue
        if any(len(component) > MAX_FORM for component in form):
            raise Refused("not-indexable", "a normal form of more than 256 bytes")
        if form not in kept:
            kept.append(form)
    if most is not None and len(kept) > most:
        raise Refused("not-indexable", "more normal forms than one record has")
    return kept


def stored(prepared: Prepared, forms: Iterable[tuple[bytes, ...]], owner: tuple[str, str] | None) -> list[Value]:
    """15.8: the values of a record, one for each normal form, in the order of the forms."""
    kept = check_forms(forms, MAX_SET if prepared.definition.has_sets() else 1)
    values = []
    for form in kept:
        k = prepared.slots(form)
        slot = None if k is None else prepared.slot(check_owner(owner), k)
        values.append(prepared.value(form, slot))
    return values


def as_set(values: Iterable[Value]) -> list[bytes]:
    """15.8: ascending, each once."""
    return sorted({value.value for value in values})


# ---------------------------------------------------------------------------------------------------------------------
# 15.9 to 15.12: what is asked, and what a stored value is
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Root:
    """A definition under an index root of a keyring."""

    key_id: bytes
    state: str
    prepared: Prepared
    is_written: bool


def readable(keyring: r.Keyring, definition: Definition, former: Iterable[Definition]) -> list[Root]:
    """15.9 to 15.11"""
    found = []
    for entry in keyring.file.keys:
        if entry.use != "index" or entry.state not in ASKED_STATES:
            continue
        for at, each in enumerate((definition, *former)):
            prepared = Prepared.of(keyring.secrets[entry.id], keyring.file.keyspace, each)
            found.append(Root(entry.id, entry.state, prepared, at == 0 and entry.primary))
    check_prefixes(root.prepared.prefix() for root in found)
    return found


def check_prefixes(prefixes: Iterable[bytes]) -> None:
    """15.11"""
    every = list(prefixes)
    if len(set(every)) < len(every):
        raise Refused("index-prefix-collision", "two prefixes are alike")


def check_former(definition: Definition, former: Iterable[Definition]) -> list[Definition]:
    """15.10"""
    every = [one.check() for one in former]
    fixed = (definition.index_id, definition.kind, len(definition.normalizers))
    if len(every) > MAX_FORMER or any((one.index_id, one.kind, len(one.normalizers)) != fixed for one in every):
        raise Refused("invalid-definition", "another index, or more than 4")
    if len({one.digest() for one in (definition, *every)}) <= len(every):
        raise Refused("invalid-definition", "one definition twice")
    return every


def asked(roots: Iterable[Root], forms: Iterable[tuple[bytes, ...]]) -> list[bytes]:
    """15.8 and 15.9: the values of a query, ascending."""
    wanted = list(forms)
    kept = check_forms(wanted, None)
    if not kept or not all(all(form) for form in wanted):
        raise Refused("empty-query", "nothing to search for")
    values = []
    for root in roots:
        for form in kept:
            k = root.prepared.slots(form)
            slots: Iterable[int | None] = [None] if k is None else range(k)
            values += [root.prepared.value(form, slot) for slot in slots]
    if len(values) > MAX_ASKED:
        raise Refused("query-too-large", "more values than one query asks for")
    return as_set(values)


def written(roots: Iterable[Root], forms: Iterable[tuple[bytes, ...]], owner: tuple[str, str] | None) -> list[bytes]:
    """15.9: the primary index root and the present definition."""
    (root,) = [root for root in roots if root.is_written]
    return as_set(stored(root.prepared, forms, owner))


def verify(
    roots: list[Root], forms: Iterable[tuple[bytes, ...]], owner: tuple[str, str] | None, value: str | bytes | None
) -> None:
    """15.12, for an index of one value."""
    kept = list(forms)

    def expected(root: Root) -> list[bytes]:
        return as_set(stored(root.prepared, kept, owner))

    if value is None:
        (root,) = [root for root in roots if root.is_written]
        if expected(root):
            raise Refused("index-stale", "null, and the record has a value")
        return
    data = r.unb64(value) if isinstance(value, str) else value
    if data is None or not any(root.prepared.definition.has_shape(data) for root in roots):
        raise Refused("index-unreadable", "not the form of a value")
    of = [root for root in roots if root.prepared.prefix() == data[:PREFIX_BYTES]]
    if not of:
        raise Refused("index-unreadable", "a prefix of no readable root")
    if expected(of[0]) != [data]:
        raise Refused("index-stale", "another value")
