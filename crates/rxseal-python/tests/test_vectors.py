"""The format vectors through the binding: what a column can have, that is records without parts in a bound context."""

import hashlib
import json

import pyarrow as pa
import pytest

import rxseal
from conftest import VECTORS, Heard, field, keys_in

CONTENT = {0: "bytes", 1: "text", 2: "json"}


def vectors(test):
    read = ((path, json.loads(path.read_text())) for path in sorted(VECTORS.glob("*.json")))
    return [(path.stem, vector) for path, vector in read if vector["test"] == test]


def is_a_column(vector):
    plain = vector["binding"] == "bound" and not vector["parts"] and (not vector["subject_id"] or "subject_key" in vector)
    return plain and "keyring_file" in vector and "decode" not in vector


def schema_of(record, a_field, **more):
    records = [{"record": record, "ids": [{"member": "id", "content": "text"}], "fields": [a_field], **more}]
    return rxseal.Schema.parse(json.dumps({"rxseal_schema": 1, "records": records}))


def subject_store(vector, folder):
    """The subject's wrapped key, as `FileSubjectStore` keeps it."""
    subject = vector["subject_id"]
    digest = hashlib.sha256(subject.encode()).hexdigest()
    file = folder / vector["keyspace"] / digest[:2] / f"{digest}.subject.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"subject": subject, "wrapped": vector["subject_key"]}))
    return f"file:{folder}"


def opened(vector, kind, folder):
    former = [{"id": field_id, "class": of_class} for field_id, of_class in vector["former"]]
    a_field = field("value", vector["field_id"], vector["class"], CONTENT[kind], was=former)
    subject, patient, store = {}, {}, None
    if vector["subject_id"]:
        subject = {"subject": {"member": "subject", "content": "text"}}
        patient = {"patient": [vector["subject_id"]]}
        store = subject_store(vector, folder / "subjects")
    schema = schema_of(vector["record_type"], a_field, **subject)
    opener = rxseal.Opener.unlock(
        vector["keyspace"],
        **keys_in(folder, vector["root_key_file"], vector["keyring_file"]),
        schema=schema,
        classes=sorted({vector["class"], *(was["class"] for was in former)}),
        who="job:vectors",
        purpose="HTEST",
        observer=Heard(),
        subjects=store,
    )
    token = bytes.fromhex(vector["token_hex"]) if "token_hex" in vector else vector["token"]
    table = pa.table({"record": [vector["record_id"]], "value": [token], **patient})
    plan = schema.plan(vector["record_type"], ids=["record"], subject="patient")
    return opener.open_batch(table, plan)["value"][0].as_py()


def test_open(tmp_path):
    """Each vector that opens, as its kind; each other one as every kind."""
    tried = {"opens": 0, "opens with a subject": 0, "is refused": 0}
    for name, vector in vectors("open"):
        if not is_a_column(vector):
            continue
        if vector["expect"] == "ok":
            value = opened(vector, vector["kind"], tmp_path)
            content = value if isinstance(value, bytes) else value.encode()
            assert content.hex() == vector["content_hex"], name
            tried["opens with a subject" if vector["subject_id"] else "opens"] += 1
            continue
        for kind in CONTENT:
            with pytest.raises(rxseal.RxsealError) as refused:
                opened(vector, kind, tmp_path)
            assert refused.value.code == vector["expect"], name
        tried["is refused"] += 1
    print(tried)
    assert tried["opens"] >= 100
    assert tried["opens with a subject"] >= 15
    assert sum(tried.values()) >= 300


def test_unlock(tmp_path):
    schema = schema_of("patient", field("value", "vector.name", "identity", "text"))
    tried = 0
    for name, vector in vectors("unlock"):
        made = {"keys_added", "wrap_added", "pin", "spaces_after"} & vector.keys()
        if made or not vector["root_key_files"]:
            continue
        stored = tmp_path / "keyring.json"
        if "keyring_file" in vector:
            stored = VECTORS / "keyrings" / vector["keyring_file"]
        elif "keyring_hex" in vector:
            stored.write_bytes(bytes.fromhex(vector["keyring_hex"]))
        else:
            stored.write_text(vector["keyring"] if isinstance(vector["keyring"], str) else json.dumps(vector["keyring"]))
        roots = [root for file in vector["root_key_files"] for root in keys_in(tmp_path, file)["roots"]]
        unlock = lambda: rxseal.Opener.unlock(  # noqa: E731
            vector["keyspace"],
            roots=roots,
            stored=stored,
            schema=schema,
            classes=["identity"],
            who="job:vectors",
            purpose="HTEST",
            observer=Heard(),
            min_generation=vector.get("min_generation") or 0,
        )
        if vector["expect"] == "ok":
            unlock()
        else:
            with pytest.raises(rxseal.RxsealError) as refused:
                unlock()
            assert refused.value.code == vector["expect"], name
        tried += 1
    print(tried)
    assert tried >= 300
