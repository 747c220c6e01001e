"""Section 12 of docs/FORMAT.md: worked examples with every intermediate value."""

from __future__ import annotations

import hashlib
from pathlib import Path

import rxseal_forms as f
import rxseal_index as x
import rxseal_reference as r
import rxseal_searches
from rxseal_reference import b64

HEADING = "## 12. Worked examples"
WIDTH = 100  # hexadecimal digits on one line
LABEL = 15
FIRST = "12.1 Letter X"

KEYSPACE = "clinic-7"
SUBJECT = "patient-88"


def secret(label: str, count: int = 32) -> bytes:
    return hashlib.sha256(f"rxseal example: {label}".encode()).digest()[:count]


ROOT = r.RootKey(secret("root key"))
KEK = secret("KEK")
DEK = secret("DEK")
DEK_C = secret("DEK of suite c")
INDEX_ROOT = secret("index root")
SUBJECT_KEY = secret("subject key")
DEK_ID = r.fingerprint(DEK, KEYSPACE)[:6]


class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def title(self, text: str) -> None:
        self.lines += ["", text, ""] if self.lines else [text, ""]

    def value(self, label: str, value: bytes | str) -> None:
        """Writes text in quotes on one line, and bytes in hexadecimal, on several lines if they are long."""
        if isinstance(value, str):
            self.lines.append(f'    {label:<{LABEL}}"{value}"')
            return
        text = value.hex()
        pieces = [text[i : i + WIDTH] for i in range(0, len(text), WIDTH)]
        for number, piece in enumerate(pieces):
            self.lines.append(f"    {label if number == 0 else '':<{LABEL}}{piece}")

    def xaes(self, key: bytes, nonce: bytes) -> None:
        steps = r.xaes_steps(key, nonce)
        self.value("L, K1", steps["L"] + steps["K1"])
        self.value("M1, M2", steps["M1"] + steps["M2"])
        self.value("Kx", steps["Kx"])


def token_example(
    out: Lines,
    title: str,
    dek: bytes,
    letter: str,
    context: r.Context,
    field_id: str,
    class_id: str,
    block: int,
    content: str,
    subject_key: bytes | None = None,
) -> None:
    suite = r.SUITES[letter]
    key_id = r.fingerprint(dek, KEYSPACE)[:6]
    wire_nonce = secret(f"nonce of {title}", suite.wire_nonce)
    digest = context.digest()
    header = suite.magic + key_id
    aad = r.field_aad(header, digest, field_id)
    payload = r.pad(r.TEXT, content.encode(), block)
    about = [f'record type "{context.record_type}"', f'record id "{context.record_id}"']
    about += [f'subject "{context.subject_id}"'] if context.subject_id is not None else []
    about += [f'part "{name}" "{ident}"' for name, ident in context.parts]

    out.title(f"### {title}")
    about += [f'field "{field_id}"', f'class "{class_id}"']
    again = " (DEK: that of 12.1)" if dek == DEK and title != FIRST else ""
    out.lines.append(f'    keyspace "{context.keyspace}", {context.binding}, block {block}, text "{content}"{again}')
    out.lines.append("    " + ", ".join(about))
    if not again:
        out.value("DEK", dek)
        out.value("fingerprint", r.fingerprint(dek, KEYSPACE))
    if subject_key is None:
        out.value("info", r.key_info("seal", keyspace=KEYSPACE, letter=letter, name=class_id))
        key = r.field_key(dek, KEYSPACE, letter, class_id, None)
    else:
        info = r.key_info("subject", keyspace=KEYSPACE, letter=letter, name=class_id)
        out.value("info", info)
        ikm = r.hkdf_expand_32(dek, info)
        out.value("IKM of 3.5", ikm)
        out.value("subject key", subject_key)
        out.value("PRK of 3.5", r.hmac_sha256(subject_key, ikm))
        out.value("info of 3.5", r.subject_info(KEYSPACE, letter, class_id, context.subject_id))
        key = r.field_key(dek, KEYSPACE, letter, class_id, (context.subject_id, subject_key))
    out.value("AEAD key", key)
    out.value("context bytes", context.bytes())
    out.value("context digest", digest)
    out.value("header", header)
    out.value("AAD", aad)
    out.value("nonce on wire", wire_nonce)
    nonce = r.aead_nonce(letter, wire_nonce, digest)
    if letter == "X":
        out.value("nonce of AEAD", nonce)
    if letter == "c":
        out.value("HChaCha20", r.hchacha20(key, nonce[:16]))
        out.value("inner nonce", bytes(4) + nonce[16:])
    else:
        out.xaes(key, nonce)
    out.value("payload", payload)
    token = r.seal_payload(dek, key_id, letter, context, field_id, class_id, subject_key, wire_nonce, payload)
    assert token.header == header and token.sealed == suite.seal(key, nonce, payload, aad)
    out.value("ciphertext", token.sealed[:-16])
    out.value("tag", token.sealed[-16:])
    out.value("token", token.text())


def text() -> str:
    out = Lines()
    kek_print = r.fingerprint(KEK, KEYSPACE)

    bound = r.Context(KEYSPACE, "prescription", "4711", "bound")
    token_example(out, FIRST, DEK, "X", bound, "rx.drug", "medication", 32, "metformin 500 mg")
    wide = r.Context(KEYSPACE, "settings", "clinic", "wide")
    token_example(out, "12.2 Letter x", DEK, "x", wide, "clinic.phone", "contact", 32, "+49 30 1234567")
    token_example(out, "12.3 Letter c", DEK_C, "c", bound, "rx.drug", "medication", 32, "metformin 500 mg")
    part = r.Context(KEYSPACE, "prescription", "4711", "bound", (("line", "2"),), SUBJECT)
    title = "12.4 Letter X with a subject key and a part"
    token_example(out, title, DEK, "X", part, "line.note", "clinical", 32, "nüchtern", SUBJECT_KEY)

    # 12.5 wrapped KEK
    out.title("### 12.5 Wrapped KEK")
    nonce = secret("nonce of the wrap", 24)
    aad = r.kek_wrap_aad(KEYSPACE, kek_print)
    wrapped = ROOT.wrap(KEK, KEYSPACE, kek_print, nonce)
    out.value("root key file", ROOT.text())
    out.value("root key", ROOT.key)
    out.value("info of name", r.key_info("root-name"))
    out.value("root-name", r.derive(ROOT.key, "root-name"))  # its first 6 bytes are `root_key` in 12.6
    out.value("info of wrap", r.key_info("root-wrap"))
    key = r.derive(ROOT.key, "root-wrap")
    out.value("root-wrap", key)
    out.value("KEK", KEK)
    out.value("info", r.key_info("fingerprint", keyspace=KEYSPACE))
    out.value("fingerprint", kek_print)
    out.value("AAD", aad)
    out.value("nonce", nonce)
    out.xaes(key, nonce)
    out.value("ciphertext", wrapped[24:-16])
    out.value("tag", wrapped[-16:])
    out.value("wrapped", b64(wrapped))

    # 12.6 keyring file
    out.title("### 12.6 Keyring file and its body")
    entries = []
    for key, use, suite, primary, state, created in (
        (DEK, "seal", "X", True, "active", 1_760_000_000),
        (INDEX_ROOT, "index", None, True, "active", 1_760_000_000),
    ):
        print_ = r.fingerprint(key, KEYSPACE)
        entries.append(r.KeyEntry(print_[:6], print_, use, state, primary, suite, created, created))
    file = r.KeyringFile(KEYSPACE, 1, kek_print, entries, [r.Wrap("local", ROOT.name, wrapped)], b"")
    secrets = {r.fingerprint(key, KEYSPACE)[:6]: key for key in (DEK, INDEX_ROOT)}
    plaintext = b"".join(r.body_frame(ident, secrets[ident]) for ident in sorted(secrets))
    nonce = secret("nonce of the body", 24)
    file.body = r.seal_body(file, KEK, plaintext, nonce)
    out.lines += ["    " + line for line in file.write().splitlines()]
    out.lines.append("")
    out.value("index root", INDEX_ROOT)
    out.value("info", r.key_info("body", keyspace=KEYSPACE, letter="x", generation=1))
    key = r.body_key(KEK, KEYSPACE, 1)
    out.value("body key", key)
    out.value("AAD", file.aad())
    out.value("nonce", nonce)
    out.xaes(key, nonce)
    out.value("plaintext", plaintext)
    out.value("ciphertext", file.body[24:-16])
    out.value("tag", file.body[-16:])
    assert r.unlock(file.write(), KEYSPACE, [ROOT]).secrets == secrets

    # 12.7 wrapped subject key
    out.title("### 12.7 Wrapped subject key")
    nonce = secret("nonce of the subject key", 24)
    out.value("subject key", SUBJECT_KEY)
    out.value("info", r.key_info("wrap", keyspace=KEYSPACE, letter="x"))
    key = r.wrap_key(DEK, KEYSPACE)
    out.value("wrap key", key)
    out.value("AAD", r.subject_wrap_aad(KEYSPACE, SUBJECT, DEK_ID))
    out.value("nonce", nonce)
    out.xaes(key, nonce)
    wrapped = r.wrap_subject_key(DEK, DEK_ID, KEYSPACE, SUBJECT, SUBJECT_KEY, nonce)
    out.value("header", wrapped[:9])
    out.value("ciphertext", wrapped[33:-16])
    out.value("tag", wrapped[-16:])
    out.value("wrapped", b64(wrapped))
    assert wrapped[:9] == r.SUBJECT_MAGIC + DEK_ID

    # 12.8 record tag
    out.title("### 12.8 Record tag")
    drug = r.Token("X", DEK_ID, secret("nonce of 12.1 Letter X", 12), b"")
    payload = r.pad(r.TEXT, b"metformin 500 mg", 32)
    drug = r.seal_payload(DEK, DEK_ID, "X", bound, "rx.drug", "medication", None, drug.wire_nonce, payload)
    line = r.Context(KEYSPACE, "prescription", "4711", "bound", (("line", "2"),))
    payload = r.pad(r.TEXT, "nüchtern".encode(), 32)
    note = r.seal_payload(DEK, DEK_ID, "X", line, "line.note", "clinical", None, secret("nonce of the note", 12), payload)
    fields = [
        {"sealed": "rx.drug", "tokens": [drug.text()]},
        {"clear": "rx.status", "text": "active"},
        {"part": "line", "id": "2", "fields": [{"sealed": "line.note", "tokens": [note.text()]}]},
    ]
    elements = r.elements_of(fields)
    tag = r.make_record_tag(DEK, DEK_ID, bound, elements, 1, 6)
    out.lines.append(f'    keyspace "{KEYSPACE}", record type "prescription", record id "4711" (DEK and context: those of 12.1)')
    out.lines.append('    sealed "rx.drug": the token of 12.1; sealed "line.note" in part "line" "2"; clear "rx.status": "active"')
    out.lines.append("    cover number 1, version 7")
    out.value("info", r.key_info("record", keyspace=KEYSPACE))
    out.value("record key", r.record_key(DEK, KEYSPACE))
    out.value("line.note", note.binary())
    out.value("head", tag.head())
    out.value("context digest", bound.digest())
    out.value("clear", r.element_list(elements, False, 1, {}))
    out.value("sealed", r.element_list(elements, True, 1, {}))
    out.value("message", r.tag_message(tag.head(), bound, elements, 1))
    out.value("HMAC", tag.mac)
    out.value("tag", tag.text())
    assert r.parse_record_tag(tag.text()) == tag

    index_example(out, "12.9 Index value", rxseal_searches.BORN, "date/1", "1970-01-31", "1970-01-31", None)
    owner = rxseal_searches.OWNER
    index_example(out, "12.10 Index value in a slot", rxseal_searches.WORKED_LAST, "family/1", "O'Brien", "obrien", owner)
    return "\n".join(out.lines) + "\n"


def index_example(
    out: Lines, title: str, definition: x.Definition, normalizer: str, text: str, form: str, owner: tuple[str, str] | None
) -> None:
    root, keyspace = rxseal_searches.WORKED_ROOT, "pharmacy-17"
    assert (definition.normalizers, f.NORMALIZERS[normalizer](text)) == ((normalizer,), form.encode())
    prepared = x.Prepared.of(root, keyspace, definition.check())
    (value,) = x.stored(prepared, [(form.encode(),)], owner)
    out.title(f"### {title}")
    about = f'keyspace "{keyspace}", record type "{definition.record_type}", index "{definition.index_id}"'
    out.lines.append(f"    {about}, {definition.kind}, {definition.bits} bits")
    out.lines.append(f'    {normalizer} makes "{form}" of "{text}"')
    if definition.slots is not None:
        entries = ", ".join(f'"{entry.decode()}" {k}' for entry, k in definition.slots.entries)
        out.lines.append(f'    slots "{definition.slots.id}": {entries}; owner {owner[0]} "{owner[1]}"')
    out.value("index root", root)
    out.value("info", r.key_info("index", keyspace=keyspace, name=definition.index_id))
    out.value("K", prepared.key)
    if definition.slots is not None:
        out.value("table", definition.slots.table())
        out.value("SHA-256 of it", definition.slots.digest())
    out.value("definition", definition.bytes())
    out.value("d", prepared.digest)
    out.value("prefix", prepared.prefix())
    if owner is not None:
        out.value("u", prepared.drawn(owner).to_bytes(8, "big"))
        out.lines.append(f"    {'slot':<{LABEL}}{value.slot} of {value.k}")
    out.value("V", value.mac)
    out.value("value", value.value)
    out.value("text", value.text())


def check(page: Path) -> None:
    """Section 12 has the heading, an empty line, one paragraph, an empty line, and then this text to the end."""
    whole = page.read_text("utf-8")
    section = whole.split(f"\n{HEADING}\n\n", 1)[1].split("\n## ", 1)[0]
    examples = section.split("\n\n", 1)[1] if "\n\n" in section else ""
    if examples != text():
        raise SystemExit(f"explain: section 12 of {page} is not what this program makes")
    print("explain: ok")
