"""Keys of the format vectors: SHA-256 of labels, which protect nothing."""

import json
import shutil
from pathlib import Path

import pytest

import rxseal
from rxseal.sealing import Resealer, Sealer

VECTORS = Path(__file__).resolve().parents[3] / "tests" / "vectors"
CLASSES = ["clinical", "contact", "identity", "medication"]


def field(member: str, field_id: str, of_class: str, content: str, **more: object) -> dict[str, object]:
    return {"member": member, "id": field_id, "class": of_class, "block": 32, "max": 4096, "content": content, **more}


SCHEMA = {
    "rxseal_schema": 1,
    "records": [
        {
            "record": "prescription",
            "ids": [{"member": "rx_number", "content": "u64"}],
            "fields": [
                field("patient_name", "rx.name", "identity", "text"),
                field("street", "rx.street", "contact", "text"),
                field("drug", "rx.drug", "medication", "text"),
                field("directions", "rx.directions", "medication", "text", optional=True),
                field("diagnosis", "rx.diagnosis", "clinical", "text", seals_null=True),
                field("refills", "rx.refills", "medication", "u8"),
                field("filled_on", "rx.filled", "clinical", "date"),
                field("is_generic", "rx.generic", "medication", "bool"),
                field("weight", "rx.weight", "clinical", "f64"),
                field("scan", "rx.scan", "clinical", "bytes", optional=True),
            ],
        },
        {
            "record": "claim",
            "ids": [{"member": "payer", "content": "text"}, {"member": "number", "content": "i64"}],
            "fields": [field("drug", "rx.drug", "medication", "text")],
        },
    ],
}


class Heard:
    """An observer that keeps the events."""

    def __init__(self) -> None:
        self.events: list[rxseal.Event] = []

    def __call__(self, event: rxseal.Event) -> None:
        self.events.append(event)

    @property
    def opened(self) -> list[rxseal.Event]:
        return [event for event in self.events if event.kind == "opened"]


@pytest.fixture
def schema() -> rxseal.Schema:
    return rxseal.Schema.parse(json.dumps(SCHEMA))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, object]:
    """What `unlock` needs to find the keys: a root key that nobody else can read, and a keyring."""
    return keys_in(tmp_path)


def keys_in(folder: Path, root: str = "root-a.txt", keyring: str = "main.json") -> dict[str, object]:
    place = folder / root
    shutil.copy(VECTORS / "root_keys" / root, place)
    place.chmod(0o600)
    return {"roots": [f"file:{place}"], "stored": VECTORS / "keyrings" / keyring}


@pytest.fixture
def opener(keys: dict[str, object], schema: rxseal.Schema, heard: Heard) -> rxseal.Opener:
    return unlock(keys, schema, heard)


def unlock(keys, schema, observer, classes=CLASSES) -> rxseal.Opener:
    return rxseal.Opener.unlock(
        "vectors",
        **keys,
        schema=schema,
        classes=classes,
        who="user:analyst",
        purpose="HOPERAT",
        request_id="formulary-review-2027-Q1",
        observer=observer,
    )


@pytest.fixture
def sealer(keys: dict[str, object], schema: rxseal.Schema, heard: Heard) -> Sealer:
    return Sealer.unlock("vectors", **keys, schema=schema, classes=CLASSES, observer=heard)


@pytest.fixture
def resealer(keys: dict[str, object], schema: rxseal.Schema, heard: Heard) -> Resealer:
    return Resealer.unlock("vectors", **keys, schema=schema, observer=heard)
