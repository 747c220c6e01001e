"""Scenarios of search (FORMAT 15): definitions, index values with every intermediate value, queries, stored values.

As in rxseal_vectors, the expected outcomes are written by hand from docs/FORMAT.md.
"""

from __future__ import annotations

from typing import Any

import rxseal_index as x
import rxseal_vectors as v
from rxseal_index import Definition, SlotTable
from rxseal_reference import b64

ROOT = "index-1"
OWNER = ("record", "P-1001")
BORN = Definition("patient", "patient.born", "whole", 14, ("date/1",))
PAIR = Definition("patient", "patient.lastdob", "compound", 17, ("family/1", "date/1"))
TABLE = SlotTable("names/1", ((b"jones", 23), (b"obrien", 16), (b"smith", 42)))
LAST = Definition("patient", "patient.last", "whole", 14, ("family/1",), TABLE)
NAMES = Definition("patient", "patient.names", "parts", 14, ("family/1",), TABLE)
SOUND = Definition("patient", "patient.sound", "sounds", 12, ("sounds/1",))


def scenarios(s: v.Scenarios) -> None:
    for add in (worked, bits, shapes, slots, sets, lengths, separation, refused, definitions, queries, stored):
        add(s)


def change(definition: Definition, **members: Any) -> Definition:
    return v.replace(definition, **members)


# --- values ----------------------------------------------------------------------------------------------------------


def run_value(given: dict[str, Any]) -> dict[str, Any]:
    """What an `index_value` scenario comes to."""
    definition = Definition.of(given["definition"]).check()
    prepared = x.Prepared.of(bytes.fromhex(given["index_root_hex"]), given["keyspace"], definition)
    forms = [tuple(component.encode() for component in form) for form in given["forms"]]
    owner = None if given["owner"] is None else (given["owner"][0], given["owner"][1])
    values = x.stored(prepared, forms, owner)
    results: dict[str, Any] = {
        "key_hex": prepared.key.hex(),
        "definition_hex": definition.bytes().hex(),
        "digest_hex": prepared.digest.hex(),
        "prefix_hex": prepared.prefix().hex(),
    }
    if definition.slots is not None:
        results["table_hex"] = definition.slots.digest().hex()
    if definition.slots is not None and values:
        results["drawn_hex"] = f"{prepared.drawn(x.check_owner(owner)):016x}"
    results["values"] = [
        {"slots": one.k, "slot": one.slot, "mac_hex": one.mac.hex(), "value_hex": one.value.hex(), "text": one.text()}
        for one in values
    ]
    results["stored"] = [b64(one) for one in x.as_set(values)]
    return results


def value(
    s: v.Scenarios,
    slug: str,
    description: str,
    rule: str,
    definition: Definition,
    *forms: tuple[str, ...],
    owner: tuple[str, str] | None = None,
    root: str | bytes = ROOT,
    keyspace: str = v.KEYSPACE,
    expect: str = "ok",
) -> None:
    given = {
        "index_root_hex": (v.key_bytes(root) if isinstance(root, str) else root).hex(),
        "keyspace": keyspace,
        "definition": definition.json(),
        "forms": [list(form) for form in forms],
        "owner": None if owner is None else list(owner),
    }
    results = run_value(given) if expect == "ok" else {}
    s.add(f"index-{slug}", description, rule, "index_value", expect, **given, results=results)


WORKED_ROOT = bytes(range(32))
WORKED_TABLE = SlotTable("test/1", ((b"obrien", 16),))
WORKED_LAST = Definition("patient", "patient.last", "whole", 14, ("family/1",), WORKED_TABLE)


def worked(s: v.Scenarios) -> None:
    given: dict[str, Any] = {"root": WORKED_ROOT, "keyspace": "pharmacy-17"}
    value(s, "worked-born", "the example of 12.9", "15.5", BORN, ("1970-01-31",), **given)
    value(s, "worked-last", "the example of 12.10", "15.5", WORKED_LAST, ("obrien",), owner=OWNER, **given)


def bits(s: v.Scenarios) -> None:
    for count in (*range(8, 65), 128):
        about = f"{count} bits of an HMAC"
        value(s, f"bits-{count}", about, "15.5", change(BORN, bits=count), ("1970-01-31",))


def shapes(s: v.Scenarios) -> None:
    """Each kind, and each number of components."""
    for at, (normalizer, form) in enumerate(
        [
            ("family/1", "smithjones"),
            ("given/1", "jose"),
            ("phone/1", "+12125550143"),
            ("npi/1", "1234567893"),
            ("dea/1", "AP5836727"),
            ("ssn/1", "078051120"),
            ("ndc/1", "00002821501"),
            ("id/1", "MRN0042"),
            ("email/1", "ann@example.org"),
            ("exact/1", "a B\tc"),
            ("sounds/1", "SM0"),
            ("our-own.form/12", "x"),
        ]
    ):
        one = Definition("patient", f"patient.ix-{at}", "whole", 17, (normalizer,))
        value(s, f"normalizer-{normalizer.replace('/', '-')}", f"a form of {normalizer}", "15.4", one, (form,))
    parts = ("smith", "1970-01-31", "+12125550143", "MRN0042")
    ids = ("family/1", "date/1", "phone/1", "id/1")
    for count in (2, 3, 4):
        one = Definition("patient", f"patient.of-{count}", "compound", 17, ids[:count])
        value(s, f"components-{count}", f"{count} components", "15.5", one, parts[:count])
    value(s, "component-empty", "a component is empty: there is no value", "15.4", PAIR, ("", "1970-01-31"))
    value(s, "component-empty-last", "the last component is empty", "15.4", PAIR, ("smith", ""))
    value(s, "form-empty", "the empty form: there is no value", "15.4", BORN, ("",))
    value(s, "form-none", "no form", "15.4", BORN)
    unique = change(BORN, index_id="patient.member", bits=128, normalizers=("id/1",))
    value(s, "unique", "a uniqueness check", "15.3", unique, ("W123456789",))
    value(s, "unique-compound", "a uniqueness check of two components", "15.3", change(PAIR, bits=128), ("smith", "1970-01-31"))
    value(s, "form-utf8", "a form that is not ASCII", "15.4", change(LAST, slots=None), ("\u738b\u5c0f\u660e",))
    value(s, "form-nul", "a form with a NUL", "15.4", change(BORN, normalizers=("exact/1",)), ("\0",))
    for at, names in enumerate((("a", "b"), ("a" * 64, "0"), ("x.y_z-1", "0" * 64))):
        one = Definition(names[0], names[1], "whole", 9, ("date/1",))
        value(s, f"names-{at}", "other names", "1.3", one, ("1970-01-31",))


def slots(s: v.Scenarios) -> None:
    for k in (2, 3, 4, 5, 7, 16, 42, 100, 255, 256):
        one = change(LAST, slots=SlotTable("names/1", ((b"smith", k),)))
        value(s, f"slots-{k}", f"a form of {k} slots", "15.7", one, ("smith",), owner=OWNER)
    value(s, "slots-1", "a form that the table does not have is in slot 0", "15.6", LAST, ("zyzik",), owner=OWNER)
    for kind in x.OWNER_KINDS:
        value(s, f"owner-{kind}", f"the owner is a {kind}", "15.7", LAST, ("smith",), owner=(kind, "4711"))
    for number in range(12):
        about = "the slot of another person"
        value(s, f"owner-number-{number}", about, "15.7", LAST, ("smith",), owner=("subject", f"patient-{number}"))
    value(s, "owner-longest", "the longest id of an owner", "1.4", LAST, ("smith",), owner=("person", "p" * 255))
    value(s, "owner-uuid", "a UUID", "1.4", LAST, ("smith",), owner=("person", "8c1f8d2e-6b1b-4c58-9f0e-1d2c3b4a5f60"))
    value(s, "owner-unused", "no slots: an owner changes nothing", "15.5", BORN, ("1970-01-31",), owner=OWNER)
    for slug, entries in {
        "order": ((b"smith", 42), (b"jones", 23)),
        "prefix": ((b"smi", 2), (b"smith", 42), (b"sm", 3)),
        "utf8": ((b"smith", 42), ("pe\u00f1a".encode(), 9), ("\u738b".encode(), 256)),
        "longest": ((b"s" * 256, 2), (b"smith", 42)),
    }.items():
        one = change(LAST, slots=SlotTable("names/2", entries))
        value(s, f"table-{slug}", "a slot table, its entries sorted by their bytes", "15.6", one, ("smith",), owner=OWNER)


def sets(s: v.Scenarios) -> None:
    value(s, "set-none", "a set of nothing", "15.8", NAMES)
    value(s, "set-1", "a set of one", "15.8", NAMES, ("smith",), owner=OWNER)
    value(s, "set-3", "each form has a slot of its own", "15.8", NAMES, ("smithjones",), ("smith",), ("jones",), owner=OWNER)
    value(s, "set-order", "the order of the forms says nothing", "15.8", NAMES, ("jones",), ("smithjones",), ("smith",), owner=OWNER)
    value(s, "set-twice", "equal forms count once", "15.8", NAMES, ("smith",), ("smith",), owner=OWNER)
    value(s, "set-empty", "an empty form has no value", "15.8", NAMES, ("",), ("smith",), owner=OWNER)
    eight = [(f"name{letter}",) for letter in "abcdefgh"]
    value(s, "set-8", "the largest set", "15.8", NAMES, *eight, owner=OWNER)
    value(s, "set-8-twice", "eight forms, each twice", "15.8", NAMES, *eight, *eight, owner=OWNER)
    value(s, "set-9", "nine forms", "15.8", NAMES, *eight, ("namei",), owner=OWNER, expect="not-indexable")
    few = change(NAMES, bits=8, slots=None)
    equal = _collision(few)
    value(s, "set-equal-values", "two forms of one value: it is stored once", "15.8", few, *equal)
    value(s, "sounds-1", "how a name sounds", "15.8", SOUND, ("MR",))
    value(s, "sounds-2", "how two names sound", "15.8", SOUND, ("SM0",), ("JNS",))
    value(s, "sounds-none", "a name without a code", "15.8", SOUND)
    value(s, "sounds-slots", "sounds with slots", "15.7", change(SOUND, slots=SlotTable("codes/1", ((b"SM0", 40),))), ("SM0",), owner=OWNER)


def _collision(definition: Definition) -> list[tuple[str]]:
    """The first two forms with one value."""
    prepared = x.Prepared.of(v.key_bytes(ROOT), v.KEYSPACE, definition)
    seen: dict[bytes, str] = {}
    for number in range(100_000):
        form = f"form{number}"
        made = prepared.value((form.encode(),), None).value
        if made in seen:
            return [(seen[made],), (form,)]
        seen[made] = form
    raise SystemExit("no collision")


def lengths(s: v.Scenarios) -> None:
    """Around the blocks of SHA-256 and the longest form."""
    plain = change(LAST, slots=None, index_id="patient.x")
    for length in (1, 2, 3, 4, 5, 6, 7, 8, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 254, 255, 256):
        value(s, f"length-{length}", f"a form of {length} bytes", "15.4", plain, ("n" * length,))
    value(s, "length-257", "a form of 257 bytes", "15.4", plain, ("n" * 257,), expect="not-indexable")
    four = Definition("patient", "patient.four", "compound", 17, ("exact/1",) * 4)
    value(s, "length-four", "four of the longest forms", "15.4", four, ("a" * 256, "b" * 256, "c" * 256, "d" * 256))
    value(s, "length-four-257", "the last of four is too long", "15.4", four, ("a", "b", "c", "d" * 257), expect="not-indexable")
    value(s, "length-before-empty", "an empty component comes before a long one", "15.4", PAIR, ("", "d" * 257))


def separation(s: v.Scenarios) -> None:
    """15.2: one form, and one thing that differs. The HMACs of all of these differ."""
    wide = change(PAIR, bits=64)
    value(s, "apart-base", "two components", "15.2", wide, ("ann", "asmith"))
    value(s, "apart-shift", "a letter moved from the second component to the first", "2.1", wide, ("anna", "smith"))
    value(s, "apart-swap", "the components exchanged", "2.1", wide, ("asmith", "ann"))
    value(s, "apart-joined", "what looks like the next part is in the first component", "2.1", wide, ("ann\x09\0\0\0\x06", "asmith"))
    value(s, "apart-keyspace", "another keyspace", "15.2", wide, ("ann", "asmith"), keyspace=v.OTHER_KEYSPACE)
    value(s, "apart-keyspace-prefix", "a keyspace that begins alike", "15.2", wide, ("ann", "asmith"), keyspace="vector")
    value(s, "apart-root", "another index root", "15.2", wide, ("ann", "asmith"), root="index-old")
    for slug, members in {
        "type": {"record_type": "person"},
        "type-prefix": {"record_type": "patien", "index_id": "tpatient.lastdob"},
        "index": {"index_id": "patient.lastdob2"},
        "kind": {"kind": "whole", "normalizers": ("family/1",)},
        "bits": {"bits": 63},
        "unique": {"bits": 128},
        "normalizer": {"normalizers": ("given/1", "date/1")},
        "normalizer-version": {"normalizers": ("family/2", "date/1")},
        "normalizer-order": {"normalizers": ("date/1", "family/1")},
        "components": {"normalizers": ("family/1", "date/1", "exact/1")},
    }.items():
        forms = {"kind": ("ann",), "components": ("ann", "asmith", "x")}.get(slug, ("ann", "asmith"))
        value(s, f"apart-{slug}", f"another {slug}", "15.3", change(wide, **members), forms)
    whole = change(LAST, bits=64)
    one = {"owner": OWNER}
    value(s, "apart-whole", "one component with slots", "15.3", whole, ("smith",), **one)
    value(s, "apart-parts", "the same as parts", "15.3", change(whole, kind="parts"), ("smith",), **one)
    value(s, "apart-sounds", "the same as sounds", "15.3", change(whole, kind="sounds"), ("smith",), **one)
    value(s, "apart-no-slots", "without slots", "15.3", change(whole, slots=None), ("smith",), **one)
    for slug, table in {
        "slots-id": v.replace(TABLE, id="names/2"),
        "slots-number": SlotTable("names/1", ((b"jones", 23), (b"obrien", 16), (b"smith", 41))),
        "slots-entry": SlotTable("names/1", ((b"jones", 23), (b"smith", 42))),
        "slots-other-entry": SlotTable("names/1", ((b"jones", 24), (b"obrien", 16), (b"smith", 42))),
    }.items():
        value(s, f"apart-{slug}", f"another table ({slug})", "15.6", change(whole, slots=table), ("smith",), **one)
    for number in range(16):  # the slots that these owners have differ
        value(s, f"apart-owner-{number}", "another owner", "15.7", whole, ("jones",), owner=("record", f"P-{number}"))


def nothing_in_common() -> None:
    """All HMACs of the scenarios above differ, but those of a form in one slot of one table under one key."""
    s = v.Scenarios()
    separation(s)
    seen: dict[str, str] = {}
    for slug, scenario in s.list:
        for one in scenario["values"]:
            same = f"{scenario['digest_hex']} {scenario['key_hex']} {one['slot']} {scenario['forms']}"
            if seen.setdefault(one["mac_hex"], same) != same:
                raise SystemExit(f"{slug}: the HMAC of another scenario")
    if len(seen) < 30:
        raise SystemExit(f"separation: {len(seen)} HMACs")


def refused(s: v.Scenarios) -> None:
    def refuse(slug: str, description: str, rule: str, code: str, definition: Definition, *forms: Any, **more: Any) -> None:
        value(s, f"refused-{slug}", description, rule, definition, *forms, expect=code, **more)

    refuse("no-owner", "nobody is named whose slot it is", "15.7", "index-owner-missing", LAST, ("smith",))
    refuse("no-owner-rare", "not even for a form of one slot", "15.7", "index-owner-missing", LAST, ("zyzik",))
    refuse("owner-empty", "an empty id", "1.4", "invalid-id", LAST, ("smith",), owner=("record", ""))
    refuse("owner-space", "an id with a space", "1.4", "invalid-id", LAST, ("smith",), owner=("person", "P 1"))
    refuse("owner-urn", "a URN", "1.6", "invalid-id", LAST, ("smith",), owner=("person", "urn:uuid:x"))
    refuse("owner-long", "an id of 256 bytes", "1.4", "invalid-id", LAST, ("smith",), owner=("person", "p" * 256))
    refuse("two-of-whole", "two forms for an index of one value", "15.8", "not-indexable", BORN, ("1970-01-31",), ("1970-01-30",))
    refuse("two-of-compound", "two forms for a compound", "15.8", "not-indexable", PAIR, ("a", "b"), ("a", "c"))


# --- definitions -----------------------------------------------------------------------------------------------------


def run_definition(given: dict[str, Any]) -> dict[str, Any]:
    definition = Definition.of(given["definition"]).check()
    former = x.check_former(definition, [Definition.of(one) for one in given["former"]])
    return {"digest_hex": definition.digest().hex(), "former_hex": [one.digest().hex() for one in former]}


def definitions(s: v.Scenarios) -> None:
    def define(slug: str, description: str, rule: str, definition: Definition, *former: Definition, expect: str = "ok") -> None:
        given = {"definition": definition.json(), "former": [one.json() for one in former]}
        results = run_definition(given) if expect == "ok" else {}
        s.add(f"definition-{slug}", description, rule, "index_definition", expect, **given, results=results)

    def refuse(slug: str, description: str, rule: str, definition: Definition, *former: Definition) -> None:
        define(slug, description, rule, definition, *former, expect="invalid-definition")

    define("whole", "one component", "15.3", BORN)
    define("parts", "parts with slots", "15.3", NAMES)
    define("bits-8", "the fewest bits", "15.3", change(BORN, bits=8))
    define("bits-64", "the most bits", "15.3", change(BORN, bits=64))
    define("bits-128", "a uniqueness check", "15.3", change(BORN, bits=128))
    for count in (0, 1, 7, 65, 96, 127, 129, 255):
        refuse(f"bits-{count}", f"{count} bits", "15.3", change(BORN, bits=count))
    refuse("bits-128-parts", "a uniqueness check of parts", "15.3", change(NAMES, bits=128, slots=None))
    refuse("bits-128-sounds", "a uniqueness check of sounds", "15.3", change(SOUND, bits=128))
    refuse("bits-128-slots", "a uniqueness check with slots", "15.3", change(LAST, bits=128))
    refuse("whole-2", "a whole of two components", "15.3", change(PAIR, kind="whole"))
    refuse("parts-2", "parts of two components", "15.3", change(PAIR, kind="parts"))
    refuse("sounds-2", "sounds of two components", "15.3", change(PAIR, kind="sounds"))
    refuse("compound-1", "a compound of one component", "15.3", change(BORN, kind="compound"))
    refuse("compound-5", "a compound of five components", "15.3", change(PAIR, normalizers=("exact/1",) * 5))
    refuse("no-components", "no component", "15.3", change(BORN, normalizers=()))
    refuse("compound-slots", "a compound with slots", "15.6", change(PAIR, slots=TABLE))
    for slug, name in {"empty": "", "upper": "Patient", "65": "p" * 65, "dot": ".p", "slash": "p/1", "space": "p q"}.items():
        refuse(f"type-{slug}", "a record type that is no name", "1.3", change(BORN, record_type=name))
        refuse(f"id-{slug}", "an index id that is no name", "1.3", change(BORN, index_id=name))
    for slug, name in {
        "empty": "",
        "no-version": "date",
        "version-empty": "date/",
        "version-zero": "date/0",
        "version-leading": "date/01",
        "version-sign": "date/+1",
        "version-letter": "date/1a",
        "two": "date/1/2",
        "upper": "Date/1",
        "name-empty": "/1",
    }.items():
        refuse(f"normalizer-{slug}", "an id of a normaliser without a name or a version", "15.4", change(BORN, normalizers=(name,)))
    refuse("slots-no-version", "a slot table without a version", "15.4", change(LAST, slots=v.replace(TABLE, id="names")))
    for slug, entries in {
        "k-0": ((b"smith", 0),),
        "k-1": ((b"smith", 1),),
        "k-257": ((b"smith", 257),),
        "twice": ((b"smith", 2), (b"smith", 2)),
        "twice-other": ((b"smith", 2), (b"smith", 3)),
        "form-empty": ((b"", 2),),
        "form-257": ((b"s" * 257, 2),),
    }.items():
        refuse(f"slots-{slug}", "an entry that a slot table cannot have", "15.6", change(LAST, slots=SlotTable("names/1", entries)))
    former = [change(BORN, bits=bits) for bits in (11, 12, 13, 15)]
    define("former-4", "four former definitions", "15.10", BORN, *former)
    define("former-all", "everything that a former definition may change", "15.10", LAST, Definition("person", "patient.last", "whole", 11, ("family/2",)))
    refuse("former-5", "five former definitions", "15.10", BORN, *former, change(BORN, bits=16))
    refuse("former-id", "a former definition of another index", "15.10", BORN, change(BORN, index_id="patient.other"))
    refuse("former-kind", "a former definition of another kind", "15.10", change(NAMES, kind="sounds"), NAMES)
    refuse("former-components", "a former definition of three components", "15.10", PAIR, change(PAIR, normalizers=("family/1", "date/1", "id/1")))
    refuse("former-same", "the present definition as a former one", "15.10", BORN, BORN)
    refuse("former-twice", "a former definition twice", "15.10", BORN, former[0], former[0])
    refuse("former-bits", "a former definition that is none", "15.10", BORN, change(BORN, bits=7))


# --- queries and stored values, under the index roots of a keyring ---------------------------------------------------

# The definitions that the Rust side declares: the present one, and the former ones.
DECLARED: dict[str, tuple[Definition, list[Definition]]] = {
    "patient.born": (BORN, []),
    "patient.last": (LAST, [change(LAST, bits=11), change(LAST, slots=None)]),
    "patient.names": (NAMES, []),
    "patient.lastdob": (PAIR, [change(PAIR, bits=20)]),
}


def _roots(given: dict[str, Any], keyring: Any) -> list[x.Root]:
    definition, former = DECLARED[given["index"]]
    return x.readable(keyring, definition.check(), x.check_former(definition, former))


def _forms(given: dict[str, Any]) -> list[tuple[bytes, ...]]:
    return [tuple(component.encode() for component in form) for form in given["forms"]]


def _owner(given: dict[str, Any]) -> tuple[str, str] | None:
    return None if given["owner"] is None else (given["owner"][0], given["owner"][1])


def run_query(given: dict[str, Any], keyring: Any) -> dict[str, Any]:
    roots = _roots(given, keyring)
    prefixes = [
        {
            "root": b64(root.key_id),
            "state": root.state,
            "digest_hex": root.prepared.digest.hex(),
            "prefix": b64(root.prepared.prefix()),
            "written": root.is_written,
        }
        for root in roots
    ]
    asked = [b64(value) for value in x.asked(roots, _forms(given))]
    return {"prefixes": prefixes, "asked": asked}


def run_stored(given: dict[str, Any], keyring: Any) -> dict[str, Any]:
    roots = _roots(given, keyring)
    return {"stored": [b64(value) for value in x.written(roots, _forms(given), _owner(given))]}


def run_verify(given: dict[str, Any], keyring: Any) -> dict[str, Any]:
    value = bytes.fromhex(given["value_hex"]) if "value_hex" in given else given["value"]
    x.verify(_roots(given, keyring), _forms(given), _owner(given), value)
    return {}


def _given(index: str, forms: tuple[tuple[str, ...], ...], keyring: str) -> dict[str, Any]:
    definition, former = DECLARED[index]
    return {
        "root_key_file": "root-a.txt",
        "keyring_file": f"{keyring}.json",
        "keyspace": v.KEYSPACE,
        "index": index,
        "definition": definition.json(),
        "former": [one.json() for one in former],
        "forms": [list(form) for form in forms],
    }


def _unlocked(keyring: str) -> Any:
    return v.r.unlock(v.TEXTS[keyring], v.KEYSPACE, [v.ROOTS["root-a"]])


def queries(s: v.Scenarios) -> None:
    def query(slug: str, description: str, rule: str, index: str, *forms: Any, keyring: str = "search", expect: str = "ok") -> None:
        given = _given(index, forms, keyring)
        results = run_query(given, _unlocked(keyring)) if expect == "ok" else {}
        s.add(f"query-{slug}", description, rule, "index_query", expect, **given, results=results)

    query("one-root", "one index root", "15.8", "patient.born", ("1970-01-31",), keyring="mini")
    query("two-roots", "an active and a deactivated index root", "15.9", "patient.born", ("1970-01-31",), keyring="main")
    query("states", "index roots in every state", "15.9", "patient.born", ("1970-01-31",))
    query("slots", "every slot, and former definitions", "15.10", "patient.last", ("smith",), keyring="mini")
    query("slots-rare", "a form of one slot", "15.10", "patient.last", ("zyzik",), keyring="main")
    query("compound", "a compound and its former definition", "15.10", "patient.lastdob", ("smith", "1970-01-31"), keyring="main")
    query("parts", "a part of a name", "15.8", "patient.names", ("jones",), keyring="mini")
    query("any", "one of several forms", "15.8", "patient.born", ("1970-01-02",), ("1970-02-01",), keyring="main")
    query("any-equal", "equal forms are asked once", "15.8", "patient.born", ("1970-01-31",), ("1970-01-31",), keyring="mini")
    query("any-empty", "an empty form among others", "15.8", "patient.born", ("1970-01-31",), ("",), keyring="mini", expect="empty-query")
    query("empty", "nothing to search for", "15.8", "patient.born", expect="empty-query")
    query("empty-form", "an empty form", "15.8", "patient.born", ("",), expect="empty-query")
    query("empty-component", "an empty component", "15.8", "patient.lastdob", ("smith", ""), expect="empty-query")
    query("long", "a form of 257 bytes", "15.4", "patient.born", ("n" * 257,), expect="not-indexable")
    many = [("smith",), ("jones",), ("obrien",)]
    query("many", "three common names", "15.8", "patient.last", *many, keyring="mini")
    days = [(f"1970-{month:02}-{day:02}",) for month in (1, 2) for day in range(1, 17)]
    query("days", "32 days", "15.8", "patient.born", *days, keyring="mini")
    names = [("smith",), ("jones",), *((f"name{n}",) for n in range(30))]
    query("too-large", "more than 1,024 values", "15.8", "patient.last", *names, keyring="search-many", expect="query-too-large")


def stored(s: v.Scenarios) -> None:
    def store(slug: str, description: str, rule: str, index: str, *forms: Any, owner: Any = None, keyring: str = "search") -> None:
        given = _given(index, forms, keyring) | {"owner": None if owner is None else list(owner)}
        s.add(f"stored-{slug}", description, rule, "index_stored", "ok", **given, results=run_stored(given, _unlocked(keyring)))

    def verify(
        slug: str,
        description: str,
        index: str,
        form: tuple[str, ...] | None,
        value: str | bytes | None,
        expect: str = "ok",
        owner: Any = None,
        rule: str = "15.12",
    ) -> None:
        given = _given(index, () if form is None else (form,), "search") | {"owner": None if owner is None else list(owner)}
        given |= {"value_hex": value.hex()} if isinstance(value, bytes) else {"value": value}
        s.add(f"verify-{slug}", description, rule, "index_verify", expect, **given)

    store("born", "the value of the primary index root", "15.9", "patient.born", ("1970-01-31",))
    store("compound", "the present definition, not the former one", "15.10", "patient.lastdob", ("smith", "1970-01-31"))
    store("nothing", "null", "15.4", "patient.born")
    store("slots", "one value of 42", "15.7", "patient.last", ("smith",), owner=("subject", v.PATIENT))
    store("parts", "a set", "15.8", "patient.names", ("smithjones",), ("smith",), ("jones",), owner=OWNER)

    day = ("1970-01-31",)

    def of(root: str, definition: Definition, form: tuple[str, ...], owner: Any = None) -> bytes:
        prepared = x.Prepared.of(v.key_bytes(root), v.KEYSPACE, definition)
        (made,) = x.stored(prepared, [tuple(part.encode() for part in form)], owner)
        return made.value

    born = of("index-1", BORN, day)
    verify("text", "as text", "patient.born", day, b64(born))
    verify("bytes", "as bytes", "patient.born", day, born)
    for label in ("index-pre", "index-old", "index-bad"):
        verify(f"root-{label}", f"of the index root {label}", "patient.born", day, of(label, BORN, day))
    verify("root-destroyed", "of a destroyed index root", "patient.born", day, of("index-gone", BORN, day), "index-unreadable")
    verify("root-unknown", "of an index root that the keyring does not have", "patient.born", day, of("index-x", BORN, day), "index-unreadable")
    verify("other-index", "of another index", "patient.born", day, of("index-1", change(BORN, index_id="patient.x"), day), "index-unreadable")
    verify("unlisted", "of a definition that is not listed", "patient.born", day, of("index-1", change(BORN, bits=13), day), "index-unreadable")
    verify("unlisted-root", "of another keyspace", "patient.born", day, x.Prepared.of(v.key_bytes("index-1"), v.OTHER_KEYSPACE, BORN).value((b"1970-01-31",), None).value, "index-unreadable")
    pair = ("smith", "1970-01-31")
    verify("former", "of a former definition", "patient.lastdob", pair, of("index-old", change(PAIR, bits=20), pair))
    swapped = of("index-1", PAIR, pair)[:3] + of("index-1", change(PAIR, bits=20), pair)[3:]
    verify("former-mixed", "of the right length and the prefix of the other definition", "patient.lastdob", pair, swapped[:5] + bytes([swapped[5] | 0x10]), "index-stale")
    verify("stale", "of another day", "patient.born", day, of("index-1", BORN, ("1970-01-30",)), "index-stale")
    verify("stale-null", "a value, and the record has none", "patient.born", None, born, "index-stale")
    verify("null", "null, and the record has none", "patient.born", None, None)
    verify("null-stale", "null, and the record has a value", "patient.born", day, None, "index-stale")
    smith = of("index-1", LAST, ("smith",), OWNER)
    verify("slot", "in the owner's slot", "patient.last", ("smith",), smith, owner=OWNER)
    verify("slot-other", "in the slot of another owner", "patient.last", ("smith",), smith, "index-stale", owner=("record", "P-1002"))
    verify("slot-kind", "of an owner of another kind", "patient.last", ("smith",), smith, "index-stale", owner=("person", "P-1001"))
    verify("slot-no-owner-unreadable", "nobody is named whose it is, and the prefix is unknown", "patient.last", ("smith",), bytes([smith[0] ^ 1]) + smith[1:], "index-unreadable")
    verify("slot-no-owner", "nobody is named whose it is", "patient.last", ("smith",), smith, "index-owner-missing")
    verify("cut", "a byte is missing", "patient.born", day, born[:-1], "index-unreadable")
    verify("longer", "a byte more", "patient.born", day, born + b"\0", "index-unreadable")
    verify("empty", "no bytes", "patient.born", day, b"", "index-unreadable")
    verify("prefix-only", "only the prefix", "patient.born", day, born[:3], "index-unreadable")
    verify("unused-bit", "an unused bit is set", "patient.born", day, born[:-1] + bytes([born[-1] | 1]), "index-unreadable")
    verify("unused-bits", "both unused bits are set", "patient.born", day, born[:-1] + bytes([born[-1] | 3]), "index-unreadable")
    verify("bit", "another bit", "patient.born", day, born[:-1] + bytes([born[-1] ^ 4]), "index-stale")
    verify("prefix-bit", "another bit of the prefix", "patient.born", day, bytes([born[0] ^ 1]) + born[1:], "index-unreadable")
    text = b64(born)
    verify("text-padded", "text with padding", "patient.born", day, text + "=", "index-unreadable", rule="1.2")
    verify("text-newline", "text and a line end", "patient.born", day, text + "\n", "index-unreadable", rule="1.2")
    verify("text-space", "text after a space", "patient.born", day, " " + text, "index-unreadable", rule="1.2")
    verify("text-empty", "empty text", "patient.born", day, "", "index-unreadable")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = text[:-1] + last[last.index(text[-1]) + 1]
    verify("text-loose", "text whose last character has unused bits", "patient.born", day, loose, "index-unreadable", rule="1.2")
    verify("text-in-bytes", "the characters of the text as bytes", "patient.born", day, text.encode(), "index-unreadable")
    verify("token", "a token", "patient.born", day, v.sealed("token for an index").text(), "index-unreadable")
