"""Scenarios of record tags (FORMAT 14): what verifies, every kind of forgery, and the texts of bound values.

As in rxseal_vectors, the expected results are written by hand from docs/FORMAT.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import rxseal_reference as r
import rxseal_vectors as v
from rxseal_reference import b64

TYPE, ID = "prescription", "4711"
RECORD = {"record_type": TYPE, "record_id": ID}
FORMER = ["vector.old", "vector.older"]


def scenarios(s: v.Scenarios) -> None:
    for add in (verified, parts, covers, former, keys, changed, tags_of_others, forms, order, refused_by_writers, clear_texts, derived):
        add(s)


# --- records ---------------------------------------------------------------------------------------------------------


def token(slug: str, field_id: str = "vector.drug", **changes: Any) -> str:
    return v.sealed(f"tag {slug}", **{**RECORD, "field_id": field_id, **changes}).text()


def sealed(field_id: str, *tokens: str, **more: Any) -> dict[str, Any]:
    return {"sealed": field_id, "tokens": list(tokens), **more}


def clear(name: str, text: str | None, **more: Any) -> dict[str, Any]:
    return {"clear": name, "text": text, **more}


def part(name: str, ident: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"part": name, "id": ident, "fields": list(fields), **more}


NAME, DRUG, NOTE = token("name", "vector.name"), token("drug"), token("note", "vector.note")
OLD_DRUG = token("older drug")
STATUS, REFILLS = clear("rx.status", "active"), clear("rx.refills", "3")
BASE = [sealed("vector.name", NAME), sealed("vector.drug", DRUG), STATUS, REFILLS]


def line(number: str, slug: str, **more: Any) -> dict[str, Any]:
    own = token(f"line {slug}", parts=[("line", number)])
    return part("line", number, sealed("vector.drug", own), clear("line.dose", "500"), **more)


LINES = [*BASE, line("1", "one"), line("2", "two")]


def tag_of(
    fields: list[dict[str, Any]],
    cover: int = 1,
    version: int = 1,
    key: str = "dek-1",
    ident: bytes | None = None,
    **context: Any,
) -> r.RecordTag:
    p = v.BASE | RECORD | context
    made = v.context_of(p)
    elements = r.elements_of(fields)
    ident = ident or v.key_id(key, p["keyspace"])
    return r.make_record_tag(v.key_bytes(key), ident, made, elements, cover, version - 1)


def case(
    s: v.Scenarios,
    slug: str,
    description: str,
    rule: str,
    fields: list[dict[str, Any]],
    tag: r.RecordTag | str | bytes | None,
    expect: str = "ok",
    highest: int = 1,
    sealed_as: list[dict[str, Any]] | None = None,
    **members: Any,
) -> None:
    """`sealed_as` are the fields whose message is under the HMAC, if they are spelled in another way."""
    context = {k: members.pop(k) for k in ("record_type", "record_id", "subject_id", "parts", "keyspace") if k in members}
    former_types = members.pop("former_types", [])
    keyring = members.pop("keyring", "main")
    message_of = members.pop("message_of", {})
    p = v.BASE | RECORD | context
    results = {}
    if isinstance(tag, r.RecordTag):
        if expect == "ok":
            of = v.context_of(p | message_of)
            message = r.tag_message(tag.head(), of, r.elements_of(sealed_as or fields), tag.cover)
            results = {"key_id": b64(tag.key_id), "cover": tag.cover, "version": tag.version, "message_hex": message.hex()}
        tag = tag.text()
    elif expect == "ok":
        parsed = r.parse_record_tag(tag)
        message = r.tag_message(parsed.head(), v.context_of(p), r.elements_of(fields), parsed.cover)
        results = {"key_id": b64(parsed.key_id), "cover": parsed.cover, "version": parsed.version, "message_hex": message.hex()}
    form = {"tag_hex": tag.hex()} if isinstance(tag, bytes) else {"tag": tag}
    s.add(
        f"tag-{slug}",
        description,
        rule,
        "record_tag",
        expect,
        root_key_file="root-a.txt",
        keyring_file=f"{keyring}.json",
        keyspace=p["keyspace"],
        record_type=p["record_type"],
        former_types=former_types,
        record_id=p["record_id"],
        subject_id=p["subject_id"],
        parts=[list(step) for step in p["parts"]],
        highest_cover=highest,
        fields=fields,
        **form,
        **members,
        results=results,
    )


# --- what verifies ---------------------------------------------------------------------------------------------------


def verified(s: v.Scenarios) -> None:
    def good(slug: str, description: str, rule: str, fields: list[dict[str, Any]], **given: Any) -> None:
        making = {k: given.pop(k) for k in ("cover", "version", "key") if k in given}
        context = {k: given[k] for k in ("record_id", "subject_id", "parts") if k in given}
        case(s, slug, description, rule, fields, tag_of(fields, **making, **context), **given)

    good("two-and-two", "two tokens and two bound values", "14.3", BASE)
    case(s, "binary", "the binary form", "14.1", BASE, tag_of(BASE).binary())
    good("order", "fields in another order", "14.6", BASE[::-1])
    good("nothing", "no element at all", "14.3", [])
    good("clear-only", "only a bound value", "14.5", [STATUS])
    good("sealed-only", "only a token", "14.4", [sealed("vector.drug", DRUG)])
    good("nulls", "a field without a token and a value that is null", "14.4", [*BASE, sealed("vector.note"), clear("rx.stop", None)])
    good("prefix", "ids of which one is the beginning of the other", "14.6", [clear("rx.a", "1"), clear("rx", "2"), clear("rx-a", "3")])
    good("same-id", "a token and a bound value of one id", "14.5", [sealed("vector.drug", DRUG), clear("vector.drug", "x")])
    good("empty-text", "a bound value that is the empty text", "14.5", [clear("rx.status", "")])
    good("utf8", "a bound value that is not ASCII", "14.5", [clear("rx.status", "nüchtern \u2014 \U0001f48a")])
    good("long-text", "a bound value of 1,000 characters", "14.6", [clear("rx.status", "x" * 1000)])
    good("looks-like-a-list", "a bound value that looks like an element", "14.6", [clear("rx.status", "\x00\x00\x00\x19\x01\x00\x00\x00\x02rx")])
    more = [token(f"list {n}") for n in range(3)]
    good("list", "three tokens of one list", "14.6", [sealed("vector.drug", *more), STATUS])
    wide = token("wide", binding="wide")
    good("letters", "tokens of every letter, under several keys", "14.4", [
        sealed("vector.drug", wide),
        sealed("vector.name", token("letter c", "vector.name", key="dek-c")),
        sealed("vector.note", token("old key", "vector.note", key="dek-old")),
    ])  # fmt: skip
    good("subject", "a record with a subject, whose key is not needed", "14.10", BASE, subject_id=v.PATIENT)
    good("in-part", "the tag of a part in a table of its own", "14.7", BASE, parts=[("line", "1")])
    good("version-2", "a second version", "14.13", BASE, version=2)
    good("version-wide", "a version of more than 4 bytes", "14.13", BASE, version=0x0102_0304_0506)
    good("version-last", "the last version", "14.13", BASE, version=r.MAX_VERSION)
    good("version-minimum", "exactly the minimum", "14.13", BASE, version=7, min_version=7)


def parts(s: v.Scenarios) -> None:
    def good(slug: str, description: str, fields: list[dict[str, Any]]) -> None:
        case(s, slug, description, "14.7", fields, tag_of(fields))

    good("lines", "two parts", LINES)
    case(s, "lines-order", "parts in another order", "14.7", [LINES[5], *LINES[:5]], tag_of(LINES))
    good("part-empty", "a part with nothing in it", [*BASE, part("line", "1")])
    good("part-nested", "a part in a part", [part("line", "1", part("fill", "2", clear("fill.note", "x"))), STATUS])
    good("part-map", "entries of a map", [part("vector.drug", "first", sealed("vector.drug", DRUG)), part("vector.drug", "second", sealed("vector.drug", OLD_DRUG))])
    deep: list[dict[str, Any]] = [STATUS]
    for step in range(8):
        deep = [part("p", str(step), *deep)]
    good("part-deepest", "eight steps", deep)
    case(s, "part-too-deep", "nine steps", "4.1", [part("p", "8", *deep)], tag_of(BASE), "invalid-id")
    case(s, "part-name", "an invalid part name", "1.3", [part("Line", "1")], tag_of(BASE), "invalid-id")
    case(s, "part-id", "an invalid part id", "1.4", [part("line", "a b")], tag_of(BASE), "invalid-id")
    refused = "tag-refused"
    tag = tag_of(LINES)
    case(s, "line-deleted", "a part was deleted", "14.7", LINES[:5], tag, refused)
    case(s, "line-added", "a part was added", "14.7", [*LINES, line("3", "three")], tag, refused)
    case(s, "line-empty-added", "a part with nothing in it was added", "14.7", [*LINES, part("line", "3")], tag, refused)
    case(s, "line-empty-deleted", "a part with nothing in it was deleted", "14.7", BASE, tag_of([*BASE, part("line", "1")]), refused)
    swapped = [*BASE, part("line", "2", *LINES[4]["fields"]), part("line", "1", *LINES[5]["fields"])]
    case(s, "line-exchanged", "two parts exchanged their ids", "14.6", swapped, tag, refused)
    case(s, "line-renamed", "a part of another name", "14.6", [*BASE, *(one | {"part": "row"} for one in LINES[4:])], tag, refused)
    case(s, "line-moved-up", "a part's fields in the record itself", "14.6", [*BASE[2:], *LINES[4]["fields"]], tag_of([*BASE[2:], LINES[4]]), refused)
    case(s, "line-twice", "two parts of one path", "14.7", [*LINES, LINES[4]], tag, "field-repeated")


def covers(s: v.Scenarios) -> None:
    later = [*BASE, sealed("vector.note", NOTE, since=2), clear("rx.stop", "2026-11-29", since=3)]
    for cover, slug in ((1, "first"), (2, "second"), (3, "third")):
        case(s, f"cover-{slug}", f"a reader of cover 3, a tag of cover {cover}", "14.9", later, tag_of(later, cover), highest=3)
    case(s, "cover-last", "the last cover number", "14.9", BASE, tag_of(BASE, 255), highest=255)
    case(s, "cover-minimum", "exactly the minimum", "14.13", later, tag_of(later, 2), highest=3, min_cover=2)
    in_part = [*BASE, part("line", "1", clear("line.dose", "500"), clear("line.unit", "mg", since=3), since=2)]
    for cover in (1, 2, 3):
        case(s, f"cover-part-{cover}", "a part is covered from 2 on, and one of its fields from 3 on", "14.9", in_part, tag_of(in_part, cover), highest=3)
    refused = "tag-refused"
    changed = [*BASE, sealed("vector.note", token("other note", "vector.note"), since=2)]
    case(s, "cover-changed", "a changed field of cover 2", "14.9", changed, tag_of(later[:5], 2), refused, highest=2)
    case(s, "cover-changed-later", "a field that the tag does not cover yet", "14.9", changed, tag_of(BASE, 1), highest=2)
    lowered = replace(tag_of(later, 2), cover=1)
    case(s, "cover-lowered", "a tag of cover 2 that says 1", "14.9", later, lowered, refused, highest=3)
    case(s, "cover-raised", "a tag of cover 1 that says 2", "14.9", later, replace(tag_of(later, 1), cover=2), refused, highest=3)
    case(s, "cover-unknown", "a tag of a newer writer", "14.9", later[:5], tag_of(later, 3), "cover-unknown", highest=2)


def former(s: v.Scenarios) -> None:
    def now(*fields: tuple[str, str], former: list[str] = FORMER) -> list[dict[str, Any]]:
        return [*BASE, *(sealed(ident, one, former=former) for ident, one in fields)]

    one, two = token("renamed", "vector.renamed"), token("renamed, in a part", "vector.renamed")
    current = now(("vector.renamed", one))
    for ident, slug in (("vector.renamed", "current"), ("vector.old", "old"), ("vector.older", "older")):
        then = [*BASE, sealed(ident, one)]
        case(s, f"former-{slug}", f"a field that was covered as {ident}", "14.11", current, tag_of(then), sealed_as=then)
    never = [*BASE, sealed("vector.oldest", one)]
    case(s, "former-never", "a field that was covered under an id which is not declared", "14.11", current, tag_of(never), "tag-refused")
    in_part = [*current, part("line", "1", sealed("vector.renamed", two, former=FORMER))]
    alike = [*BASE, sealed("vector.old", one), part("line", "1", sealed("vector.old", two))]
    case(s, "former-part", "a former id in the record and in its part", "14.11", in_part, tag_of(alike), sealed_as=alike)
    mixed = [*BASE, sealed("vector.old", one), part("line", "1", sealed("vector.older", two))]
    case(s, "former-mixed", "one field under two ids", "14.11", in_part, tag_of(mixed), "tag-refused")
    pair = [sealed("vector.renamed", one, former=FORMER), sealed("vector.drug", DRUG, former=["drug"]), clear("vector.drug", "x")]
    then = [sealed("vector.older", one), sealed("drug", DRUG), clear("vector.drug", "x")]
    case(s, "former-two", "two fields with former ids, and a bound value of one's id", "14.11", pair, tag_of(then), sealed_as=then)
    then = [sealed("vector.older", one), sealed("drug", DRUG), clear("drug", "x")]
    case(s, "former-clear", "ids of bound values have no former ones", "14.11", pair, tag_of(then), "tag-refused")
    types = ["rx", "script"]
    for old in types:
        of = {"record_type": old}
        case(s, f"former-type-{old}", f"a record that was sealed as {old}", "14.11", BASE, tag_of(BASE, **of), former_types=types, message_of=of)
    then = [*BASE, sealed("vector.older", one)]
    of = {"record_type": "script"}
    case(s, "former-both", "a former record type and a former field id", "14.11", current, tag_of(then, **of), former_types=types, message_of=of, sealed_as=then)
    case(s, "former-type-none", "a record type that is not declared", "14.11", BASE, tag_of(BASE, record_type="rx"), "tag-refused")


def keys(s: v.Scenarios) -> None:
    for key in ("dek-pre", "dek-old", "dek-c", "dek-c-old"):
        case(s, f"key-{key}", f"a tag under the key {key}", "14.10", BASE, tag_of(BASE, key=key))
    case(s, "key-primary-c", "a primary key of suite c", "14.10", BASE, tag_of(BASE, key="dek-c2"), keyring="xchacha")
    case(s, "key-compromised", "a compromised key", "14.10", BASE, tag_of(BASE, key="dek-bad"), "key-compromised")
    case(s, "key-destroyed", "a destroyed key", "14.10", BASE, tag_of(BASE, key="dek-gone"), "key-destroyed")
    case(s, "key-unknown", "a key of nobody", "3.7", BASE, tag_of(BASE, key="dek-9"), "unknown-key")
    case(s, "key-index", "an index root", "3.8", BASE, tag_of(BASE, key="index-1"), "unknown-key")
    other = tag_of(BASE, keyspace=v.OTHER_KEYSPACE)
    case(s, "key-keyspace", "the same key in another keyspace", "3.2", BASE, other, "unknown-key")
    moved = replace(other, key_id=v.key_id("dek-1"))
    case(s, "key-keyspace-moved", "a tag of another keyspace under this one's key id", "3.2", BASE, moved, "tag-refused")
    for key in ("dek-old", "dek-pre"):
        as_other = replace(tag_of(BASE), key_id=v.key_id(key))
        case(s, f"key-named-{key}", f"a tag that says {key}", "14.3", BASE, as_other, "tag-refused")
    message = r.tag_message(tag_of(BASE).head(), v.context_of(v.BASE | RECORD), r.elements_of(BASE), 1)
    for purpose, given in (("wrap", {"letter": "x"}), ("seal", {"letter": "X", "name": "medication"}), ("fingerprint", {})):
        key = r.derive(v.key_bytes("dek-1"), purpose, keyspace=v.KEYSPACE, **given)
        forged = replace(tag_of(BASE), mac=r.hmac_sha256(key, message))
        case(s, f"key-purpose-{purpose}", f"an HMAC under the key of the purpose {purpose}", "3.2", BASE, forged, "tag-refused")


def derived(s: v.Scenarios) -> None:
    for label, keyspace in (("dek-1", v.KEYSPACE), ("dek-c", v.OTHER_KEYSPACE)):
        key = v.key_bytes(label)
        results = {"info_hex": r.key_info("record", keyspace=keyspace).hex(), "derived_hex": r.record_key(key, keyspace).hex()}
        s.add(f"derive-record-{label}", "the record key", "3.2", "derive", "ok", key_hex=key.hex(), purpose="record", keyspace=keyspace, results=results)


# --- forgeries -------------------------------------------------------------------------------------------------------


def changed(s: v.Scenarios) -> None:
    tag = tag_of(BASE)

    def bad(slug: str, description: str, rule: str, fields: list[dict[str, Any]], of: r.RecordTag = tag) -> None:
        case(s, slug, description, rule, fields, of, "tag-refused")

    name, drug = BASE[:2]
    bad("field-older", "a token of an older state", "14.4", [name, sealed("vector.drug", OLD_DRUG), STATUS, REFILLS])
    bad("field-exchanged", "two tokens exchanged", "14.6", [sealed("vector.name", DRUG), sealed("vector.drug", NAME), STATUS, REFILLS])
    bad("field-removed", "a token was removed", "14.4", [name, STATUS, REFILLS])
    bad("field-emptied", "a token was set to null", "14.4", [name, sealed("vector.drug"), STATUS, REFILLS])
    bad("field-added", "a token was added", "14.4", [*BASE, sealed("vector.note", NOTE)])
    bad("field-added-twice", "a token was added to a field", "14.4", [name, sealed("vector.drug", DRUG, OLD_DRUG), STATUS, REFILLS])
    elsewhere = token("drug", record_id="4712")
    bad("field-other-record", "a token of another record", "14.4", [name, sealed("vector.drug", elsewhere), STATUS, REFILLS])
    data = r.unb64(DRUG)
    for slug, at in (("letter", 2), ("key", 8), ("nonce", 9), ("ciphertext", 21), ("tag-first", -16), ("tag-last", -1)):
        flipped = bytearray(data)
        flipped[at] = 0x31 if slug == "letter" else flipped[at] ^ 1  # the magic of letter x
        bad(f"field-bit-{slug}", f"one bit of a token: {slug}", "14.4", [name, sealed("vector.drug", b64(bytes(flipped))), STATUS, REFILLS])
    longer = b64(data + bytes(1))
    bad("field-longer", "a token with one byte more", "14.4", [name, sealed("vector.drug", longer), STATUS, REFILLS])
    three = [token(f"list {n}") for n in range(3)]
    tagged = tag_of([sealed("vector.drug", *three)])
    bad("list-order", "the tokens of a list in another order", "14.6", [sealed("vector.drug", three[1], three[0], three[2])], tagged)
    bad("list-shorter", "a token of a list is missing", "14.6", [sealed("vector.drug", *three[:2])], tagged)
    bad("list-longer", "a token of a list twice", "14.6", [sealed("vector.drug", *three, three[2])], tagged)
    bad("clear-changed", "another bound value", "14.5", [name, drug, clear("rx.status", "stopped"), REFILLS])
    bad("clear-spelled", "a bound value in another spelling", "14.8", [name, drug, STATUS, clear("rx.refills", "03")])
    bad("clear-case", "a bound value in other letters", "14.8", [name, drug, clear("rx.status", "Active"), REFILLS])
    bad("clear-padded", "a bound value with a space behind it", "14.8", [name, drug, clear("rx.status", "active "), REFILLS])
    bad("clear-null", "a bound value was set to null", "14.5", [name, drug, clear("rx.status", None), REFILLS])
    bad("clear-empty", "a bound value was emptied", "14.5", [name, drug, clear("rx.status", ""), REFILLS])
    bad("clear-added", "a bound value was added", "14.5", [*BASE, clear("rx.stop", "x")])
    bad("clear-exchanged", "two bound values exchanged", "14.6", [name, drug, clear("rx.status", "3"), clear("rx.refills", "active")])
    bad("clear-joined", "two bound values, with a letter moved from one to the next", "14.6", [clear("a", "xy"), clear("b", "z")], tag_of([clear("a", "x"), clear("b", "yz")]))
    bad("clear-id-joined", "an id and a value, with a letter moved", "14.6", [clear("ab", "c")], tag_of([clear("a", "bc")]))


def tags_of_others(s: v.Scenarios) -> None:
    def bad(slug: str, description: str, rule: str, of: r.RecordTag, **members: Any) -> None:
        case(s, slug, description, rule, BASE, of, "tag-refused", **members)

    bad("other-record", "the tag of another record", "14.3", tag_of(BASE, record_id="4712"))
    bad("other-type", "the tag of another record type", "14.3", tag_of(BASE, record_type="patient"))
    bad("other-subject", "the tag of another subject", "14.3", tag_of(BASE, subject_id="patient-1"), subject_id=v.PATIENT)
    bad("other-no-subject", "the tag of a record without a subject", "14.3", tag_of(BASE), subject_id=v.PATIENT)
    bad("other-part", "the tag of a part", "14.3", tag_of(BASE, parts=[("line", "1")]))
    bad("other-state", "the tag of an older state of this record", "14.3", tag_of([BASE[0], sealed("vector.drug", OLD_DRUG), STATUS, REFILLS]))
    bad("version-raised", "a tag with a higher version", "14.3", replace(tag_of(BASE), version=2))
    bad("version-high", "a tag with another first byte of the version", "14.3", replace(tag_of(BASE), version=1 + 2**40))
    mac = tag_of(BASE).mac
    for slug, at in (("first", 0), ("middle", 16), ("last", 31)):
        flipped = bytes(byte ^ (1 if place == at else 0) for place, byte in enumerate(mac))
        bad(f"mac-{slug}", f"one bit of the HMAC: the {slug} byte", "14.12", replace(tag_of(BASE), mac=flipped))
    bad("mac-zero", "an HMAC of zero bytes", "14.12", replace(tag_of(BASE), mac=bytes(32)))
    bad("mac-cut", "an HMAC whose second half is zero", "14.12", replace(tag_of(BASE), mac=mac[:16] + bytes(16)))
    key, context = r.record_key(v.key_bytes("dek-1"), v.KEYSPACE), v.context_of(v.BASE | RECORD)
    head = tag_of(BASE).head()
    lists = [r.element_list(r.elements_of(BASE), kind, 1, {}) for kind in (False, True)]
    for slug, description, message in (
        ("domain", "a message of another domain", r.frame((0, "rxseal/v1/context"), (1, head), (2, context.digest()), (3, lists[0]), (4, lists[1]))),
        ("lists", "a message with both lists exchanged", r.frame((0, "rxseal/v1/record"), (1, head), (2, context.digest()), (3, lists[1]), (4, lists[0]))),
        ("no-digest", "a message without the context", r.frame((0, "rxseal/v1/record"), (1, head), (3, lists[0]), (4, lists[1]))),
    ):
        bad(f"message-{slug}", description, "14.3", replace(tag_of(BASE), mac=r.hmac_sha256(key, message)))
    bad("version-old", "an authentic tag that says a lower version than it had", "14.13", replace(tag_of(BASE, version=5), version=4))
    case(s, "old-row", "a whole old row with its old tag, without a minimum", "14.13", [BASE[0]], tag_of([BASE[0]], version=4))
    case(s, "old-row-minimum", "a whole old row with its old tag", "14.13", [BASE[0]], tag_of([BASE[0]], version=4), "tag-too-old", min_version=5)
    case(s, "old-cover-minimum", "a tag that covers less than is asked for", "14.13", BASE, tag_of(BASE, 1), "tag-too-old", highest=2, min_cover=2)


def forms(s: v.Scenarios) -> None:
    tag = tag_of(BASE)
    text, data = tag.text(), tag.binary()
    missing, none = "tag-missing", "not-a-tag"
    for slug, description, form, expect in (
        ("null", "no tag", None, missing),
        ("empty", "an empty text", "", missing),
        ("empty-bytes", "no bytes", b"", missing),
        ("cut", "one character less", text[:-1], none),
        ("cut-bytes", "one byte less", data[:-1], none),
        ("longer", "one character more", text + "A", none),
        ("longer-group", "four characters more", text + "AAAA", none),
        ("longer-bytes", "one byte more", data + bytes(1), none),
        ("space", "a space behind it", text + " ", none),
        ("newline", "a newline behind it", text + "\n", none),
        ("padded", "padding behind it", text + "=", none),
        ("alphabet", "a character of the other alphabet", text[:-1] + "+", none),
        ("case", "other letters", text.lower(), none),
        ("text-bytes", "the text as bytes", text.encode(), none),
        ("token", "a token", DRUG, none),
        ("subject-key", "a wrapped subject key", b64(v.wrapped()), none),
        ("plaintext", "plaintext", "metformin 500 mg", none),
        ("magic-compact", "the reserved magic rxrR", "rxrR" + text[4:], none),
        ("magic-token", "the magic of a token", "rxsX" + text[4:], none),
        ("cover-zero", "cover number 0", data[:9] + bytes(1) + data[10:], none),
        ("version-zero", "version 0", data[:10] + bytes(6) + data[16:], none),
        ("head", "the head alone", data[:16], none),
    ):
        case(s, f"form-{slug}", description, "14.2", BASE, form, expect)


def order(s: v.Scenarios) -> None:
    """13.6"""
    bad_part = [*BASE, part("line", "a b")]
    case(s, "order-id-form", "an invalid part id before the form", "13.6", bad_part, "", "invalid-id")
    case(s, "order-form-key", "the form before the key", "13.6", BASE, tag_of(BASE, key="dek-9").text() + "A", "not-a-tag")
    case(s, "order-key-cover", "the key before the cover number", "13.6", BASE, tag_of(BASE, 9, key="dek-9"), "unknown-key")
    case(s, "order-state-cover", "the state before the cover number", "13.6", BASE, tag_of(BASE, 9, key="dek-bad"), "key-compromised")
    case(s, "order-cover-repeated", "the cover number before what repeats", "13.6", [*BASE, STATUS], tag_of(BASE, 9), "cover-unknown")
    case(s, "order-repeated-mac", "what repeats before the HMAC", "13.6", [*BASE, STATUS], replace(tag_of(BASE), mac=bytes(32)), "field-repeated")
    case(s, "order-mac-minimum", "the HMAC before the minimum", "13.6", BASE, replace(tag_of(BASE), mac=bytes(32)), "tag-refused", min_version=9)


# --- 7.5 and 7.6 -----------------------------------------------------------------------------------------------------


def refused_by_writers(s: v.Scenarios) -> None:
    tag = tag_of(BASE)
    elsewhere = replace(tag, key_id=bytes.fromhex("010203040506"))

    def write(slug: str, description: str, kind: int, content: bytes, expect: str = "ok") -> None:
        rule = "7.6" if kind == 2 else "7.5"
        s.add(
            f"write-tag-{slug}", description, rule, "write", expect, root_key_file="root-a.txt", keyring_file="main.json",
            keyspace=v.KEYSPACE, kind=kind, content_hex=content.hex(),
        )  # fmt: skip

    as_text, inside = "token-as-plaintext", "token-inside"
    write("text", "the text of a record tag", 1, tag.text().encode(), as_text)
    write("text-elsewhere", "the text of a record tag under another keyring's key", 1, elsewhere.text().encode(), as_text)
    write("text-cut", "one character less", 1, tag.text()[:-1].encode())
    write("text-compact", "the reserved magic rxrR", 1, b"rxrR" + tag.text()[4:].encode())
    write("bytes", "a binary record tag", 0, tag.binary(), as_text)
    write("bytes-elsewhere", "bytes that look like one under no key of this keyring", 0, elsewhere.binary())
    write("bytes-text", "the letters of one as bytes", 0, tag.text().encode(), as_text)
    write("json", "a string in JSON", 2, f'{{"tag":["{tag.text()}"]}}'.encode(), inside)
    write("json-bytes", "a list of numbers in JSON", 2, str(list(tag.binary())).encode(), inside)
    write("json-piece", "a piece of a string", 2, f'"see {tag.text()}"'.encode())


# --- 14.8 ------------------------------------------------------------------------------------------------------------


def clear_texts(s: v.Scenarios) -> None:
    def text(slug: str, description: str, kind: str, value: Any, expect: str | None, **more: Any) -> None:
        results = {} if expect is None else {"text": expect}
        outcome = "clear-refused" if expect is None else "ok"
        s.add(f"clear-{slug}", description, "14.8", "clear_text", outcome, kind=kind, value=value, **more, results=results)

    text("integer", "an integer", "integer", "42", "42")
    text("integer-negative", "a negative integer", "integer", "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728")
    text("true", "a truth value", "bool", True, "true")
    text("false", "a truth value", "bool", False, "false")
    text("text", "text stays as it is", "text", " Ä\n", " Ä\n")
    text("uuid", "a UUID", "uuid", "f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
    text("date", "a date", "date", [2026, 1, 9], "2026-01-09")
    text("date-first", "the first year", "date", [0, 1, 1], "0000-01-01")
    text("date-last", "the last year", "date", [9999, 12, 31], "9999-12-31")
    text("date-before", "a year before the first", "date", [-1, 12, 31], None)
    text("date-after", "a year after the last", "date", [10000, 1, 1], None)
    text("time", "a time of day", "time", [7, 30, 0, 0], "07:30:00.000000")
    text("time-micro", "a microsecond", "time", [23, 59, 59, 999_999_000], "23:59:59.999999")
    text("time-nano", "a nanosecond", "time", [7, 30, 0, 1], None)
    text("time-nano-most", "a nanosecond less than a second", "time", [7, 30, 0, 999_999_999], None)
    text("time-leap", "a leap second", "time", [23, 59, 59, 1_000_000_000], None)
    text("timestamp", "a point in time", "timestamp", [2026, 11, 29, 7, 30, 0, 120_000_000], "2026-11-29T07:30:00.120000Z")
    text("timestamp-nano", "a nanosecond", "timestamp", [2026, 11, 29, 7, 30, 0, 500], None)
    text("datetime", "without a zone", "datetime", [2026, 11, 29, 7, 30, 0, 0], "2026-11-29T07:30:00.000000")
    text("decimal", "a decimal", "decimal", ["15", 1], "1.5")
    text("decimal-small", "zeros behind the point", "decimal", ["-5", 3], "-0.005")
    text("decimal-whole", "zeros before the point", "decimal", ["100", 0], "100")
    text("decimal-zero", "zero", "decimal", ["0", 0], "0")
    text("decimal-zeros", "zeros at the end", "decimal", ["150", 2], None)
    text("decimal-zero-zeros", "zero with a fraction", "decimal", ["0", 1], None)
    text("scale-more", "fewer digits than the scale", "decimal", ["15", 1], "1.50", scale=2)
    text("scale-same", "as many digits as the scale", "decimal", ["150", 2], "1.50", scale=2)
    text("scale-zeros", "zeros beyond the scale", "decimal", ["-15000", 4], "-1.50", scale=2)
    text("scale-digits", "digits beyond the scale", "decimal", ["1501", 3], None, scale=2)
    text("scale-zero", "a scale of 0", "decimal", ["70", 1], "7", scale=0)
