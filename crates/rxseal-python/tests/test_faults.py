"""What is refused: with a code, and never with a value."""

import copy
import json
import os
import pickle
import shutil
import signal
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

import rxseal
from conftest import CLASSES, SCHEMA, Heard, unlock
from rxseal import _process
from rxseal.sealing import Sealer

CANARY = "Jane-Canary-Doe"


@pytest.fixture
def plan(schema):
    return schema.plan("prescription", {"drug": "rx.drug", "directions": "rx.directions"})


@pytest.fixture
def sealed(sealer, plan):
    rows = {"rx_number": [1, 2, 3], "drug": [f"{CANARY} 1", f"{CANARY} 2", f"{CANARY} 3"], "directions": [CANARY] * 3}
    return sealer.seal_batch(pa.table(rows), plan)


def with_column(table, name, values):
    return table.set_column(table.schema.get_field_index(name), name, values)


def in_child(work):
    """The text that `work` makes in a forked process. One that raises or hangs makes none."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            os.write(write, work().encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as answer:
        return answer.read()


def test_a_token_in_the_wrong_column_names_row_and_field(opener, plan, sealed):
    swapped = with_column(sealed, "drug", sealed["directions"])
    with pytest.raises(rxseal.RxsealError, match="row 0, column drug") as refused:
        opener.open_batch(swapped, plan)
    assert (refused.value.code, refused.value.field) == ("open-failed", "rx.drug")


def test_report_gives_null_and_lists_it(opener, plan, sealed, heard):
    tokens = sealed["drug"].to_pylist()
    forged = bytearray(tokens[1])
    forged[-1] ^= 1
    damaged = with_column(sealed, "drug", pa.array([CANARY.encode(), bytes(forged), tokens[2]]))
    damaged = with_column(damaged, "rx_number", pa.array([1, 2, None]))
    opened, faults = opener.open_batch(damaged, plan, on_error="report")
    assert opened["drug"].to_pylist() == [None, None, None]
    assert opened["directions"].to_pylist() == [CANARY, CANARY, None]
    assert faults.to_pylist() == [
        {"row": 0, "field": "rx.drug", "reason": "not-a-token"},
        {"row": 1, "field": "rx.drug", "reason": "open-failed"},
        {"row": 2, "field": None, "reason": "id-missing"},
    ]
    assert heard.opened[-1].outcome == "not-a-token"
    assert heard.opened[-1].fields == 2
    assert CANARY not in repr(faults)


def test_rows_are_those_of_the_table(opener, sealer, schema):
    plan = schema.plan("prescription", {"drug": "rx.drug"})
    sealed = sealer.seal_batch(pa.table({"rx_number": [1, 2, 3, 4], "drug": ["a", "b", "c", "d"]}), plan)
    chunks = pa.concat_tables([sealed.slice(0, 2), with_column(sealed, "rx_number", pa.array([1, 2, 3, 5])).slice(2)])
    _, faults = opener.open_batch(chunks, plan, on_error="report")
    assert faults.to_pylist() == [{"row": 3, "field": "rx.drug", "reason": "open-failed"}]
    with pytest.raises(rxseal.RxsealError) as refused:
        opener.open_batch(chunks, plan)
    assert refused.value.row == 3


def test_plaintext_is_never_handed_out(opener, plan, sealed):
    for values in ([CANARY] * 3, ["rxsX" + CANARY] * 3, ["rxsX" + "A" * 60] * 3, [""] * 3):
        opened, faults = opener.open_batch(with_column(sealed, "drug", pa.array(values)), plan, on_error="report")
        assert opened["drug"].null_count == 3
        assert faults.num_rows == 3


def test_resealing_keeps_what_does_not_open(resealer, plan, sealed):
    tokens = sealed["drug"].to_pylist()
    damaged = with_column(sealed, "drug", pa.array([tokens[1], tokens[1], tokens[2]]))
    resealed, faults = resealer.reseal_batch(damaged, plan, on_error="report")
    assert faults.to_pylist() == [{"row": 0, "field": "rx.drug", "reason": "open-failed"}]
    assert resealed["drug"].to_pylist()[0] == tokens[1]
    assert resealed["drug"].to_pylist()[1] != tokens[1]
    with pytest.raises(rxseal.RxsealError):
        resealer.reseal_batch(damaged, plan)


def test_sealing_refuses_tokens_and_what_is_not_of_the_type(sealer, schema, plan, sealed):
    refills = schema.plan("prescription", {"refills": "rx.refills"})
    filled = schema.plan("prescription", {"filled_on": "rx.filled"})
    cases = [
        (plan, {"rx_number": [1], "drug": ["x" * 5000], "directions": [None]}, "too-large"),
        (refills, {"rx_number": [1], "refills": [300]}, "cell-refused"),
        (refills, {"rx_number": [1], "refills": [CANARY]}, "cell-refused"),
        (filled, {"rx_number": [1], "filled_on": [CANARY]}, "cell-refused"),
        (plan, {"rx_number": [None], "drug": ["x"], "directions": [None]}, "id-missing"),
        (plan, {"rx_number": ["has space"], "drug": ["x"], "directions": [None]}, "invalid-id"),
        (plan, {"rx_number": [1], "drug": ["x"]}, "column-missing"),
        (plan, {"rx_number": [1], "drug": [[1]], "directions": [None]}, "column-type"),
    ]
    for a_plan, rows, code in cases:
        with pytest.raises(rxseal.RxsealError) as refused:
            sealer.seal_batch(pa.table(rows), a_plan)
        assert refused.value.code == code, rows
        assert CANARY not in str(refused.value)
    text = sealed["drug"].to_pylist()[0]
    with pytest.raises(rxseal.RxsealError):
        sealer.seal_batch(pa.table({"rx_number": [1], "drug": [text], "directions": [None]}), plan)


def test_a_class_that_was_not_asked_for_stays_closed(keys, schema, heard, sealed, plan):
    opener = unlock(keys, schema, heard, classes=["identity"])
    with pytest.raises(rxseal.RxsealError) as refused:
        opener.open_batch(sealed, plan)
    assert refused.value.code == "class-locked"
    with pytest.raises(rxseal.RxsealError, match="no field of the schema is of the class billing"):
        unlock(keys, schema, heard, classes=["billing"])
    with pytest.raises(rxseal.RxsealError, match="say which classes"):
        unlock(keys, schema, heard, classes=[])


def test_an_observer_that_raises_refuses(keys, schema, sealed, plan):
    class Full:
        def __call__(self, event):
            if event.kind == "opened":
                raise OSError("the disk is full")

    class Closed(Heard):
        def before_open(self, event):
            assert event.kind == "opening"
            raise PermissionError("outside of office hours")

    for observer, cause in [(Full(), OSError), (Closed(), PermissionError)]:
        with pytest.raises(rxseal.RxsealError) as refused:
            unlock(keys, schema, observer).open_batch(sealed, plan, on_error="report")
        assert refused.value.code == "refused-by-observer"
        assert isinstance(refused.value.__cause__, cause)

    def closed(event):
        if "unlocked" in event.text:
            raise OSError("no log")

    with pytest.raises(OSError, match="no log"):
        unlock(keys, schema, closed)
    with pytest.raises(rxseal.RxsealError, match="an observer is needed"):
        unlock(keys, schema, None)


def test_what_is_required_is_required(keys, schema):
    required = dict(schema=schema, classes=CLASSES, who="user:a", purpose="HOPERAT", observer=rxseal.logging, **keys)
    rxseal.Opener.unlock("vectors", **required)
    for missing in ("roots", "schema", "classes", "who", "purpose", "observer"):
        with pytest.raises(TypeError, match=missing):
            rxseal.Opener.unlock("vectors", **{name: value for name, value in required.items() if name != missing})
    for wrong, code in [
        ({"purpose": "curiosity"}, "invalid-access"),
        ({"who": "kim"}, "invalid-access"),
        ({"roots": []}, "invalid-root-key"),
        ({"roots": ["rxseal-root:not-a-place"]}, "invalid-root-key"),
        ({"stored": "/nowhere"}, "keyring-missing"),
        ({"stored": None}, "keyring-missing"),
        ({"min_generation": 10**9}, "keyring-too-old"),
    ]:
        with pytest.raises(rxseal.RxsealError) as refused:
            rxseal.Opener.unlock("vectors", **{**required, **wrong})
        assert refused.value.code == code, wrong
    with pytest.raises(rxseal.RxsealError) as refused:
        rxseal.Opener.unlock("another", **required)
    assert refused.value.code == "keyring-mismatch"


def test_handles_are_not_pickled_or_copied(opener, sealer, resealer):
    for handle in (opener, sealer, resealer):
        for take_along in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot be pickled"):
                take_along(handle)
    with pytest.raises(TypeError):
        rxseal.Opener()


def test_a_fork_refuses(opener, sealer, resealer, plan, sealed):
    def code(call):
        try:
            call()
            return "none"
        except rxseal.RxsealError as error:
            return error.code

    calls = [
        lambda: opener.open_batch(sealed, plan),
        lambda: opener.open(sealed["drug"], record="prescription", ids=sealed["rx_number"], field="rx.drug"),
        lambda: sealer.seal_batch(sealed, plan),
        lambda: resealer.reseal_batch(sealed, plan),
    ]
    assert in_child(lambda: " ".join(map(code, calls))).split() == ["other-process"] * 4
    opener.open_batch(sealed, plan)


def test_one_unlock_for_each_process(keys, schema):
    heard = Heard()
    arguments = dict(schema=schema, classes=CLASSES, observer=heard, **keys)
    first = rxseal.per_process(Sealer.unlock, "vectors", **arguments)
    assert rxseal.per_process(Sealer.unlock, "vectors", **arguments) is first
    assert rxseal.per_process(Sealer.unlock, "vectors", **{**arguments, "classes": ["identity"]}) is not first
    assert [event.text.split()[0] for event in heard.events] == ["unlocked", "unlocked"]

    def is_another():
        return str(rxseal.per_process(Sealer.unlock, "vectors", **arguments) is not first)

    # Another thread may hold the lock while this one forks.
    with _process._lock:
        assert in_child(is_another) == "True"


def test_a_handle_is_unlocked_again_after_its_time(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(_process, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def unlock(seconds):
        return rxseal.per_process(SimpleNamespace, name=f"for {seconds} s", seconds=seconds)

    for seconds, held in [(10, 10), (3600, 300)]:
        first = unlock(seconds)
        clock.now += held
        assert unlock(seconds) is first
        clock.now += 0.1
        assert unlock(seconds) is not first


def test_where_the_keys_are(tmp_path, monkeypatch, keys, schema, heard, plan, sealed):
    stored, [root] = keys["stored"], keys["roots"]
    folder = tmp_path / "keyrings"
    folder.mkdir(mode=0o700)
    shutil.copy(stored, folder / "vectors.keyring.json")
    monkeypatch.setenv("RXSEAL_TEST_ROOT", Path(root.removeprefix("file:")).read_text().strip())
    for roots in ([root], ["file:/nowhere", root], ["env:RXSEAL_TEST_ROOT"]):
        unlock({"roots": roots, "store": f"file:{folder}"}, schema, heard).open_batch(sealed, plan)
    told = [event.text for event in heard.events if event.kind == "key" and "/nowhere" in event.text]
    assert len(told) == 1

    for places, code in [
        ({"roots": ["file:/nowhere"], "stored": stored}, "root-key-io"),
        ({"roots": [root], "stored": stored, "store": f"file:{folder}"}, "keyring-missing"),
        ({"roots": [root], "store": f"file:{tmp_path}"}, "keyring-missing"),
        ({"roots": [root], "store": f"sqlite:{folder}"}, "keyring-missing"),
    ]:
        with pytest.raises(rxseal.RxsealError) as refused:
            unlock(places, schema, heard)
        assert refused.value.code == code, places


def test_a_record_tag_is_not_verified_by_columns(keys, heard, sealed):
    prescription = {**SCHEMA["records"][0], "tag": {"member": "tag", "cover": 1}}
    schema = rxseal.Schema.parse(json.dumps({**SCHEMA, "records": [prescription]}))
    opener, drug = unlock(keys, schema, heard), {"drug": "rx.drug"}
    sealer = Sealer.unlock("vectors", **keys, schema=schema, classes=CLASSES, observer=heard)
    unverified = schema.plan("prescription", drug, unverified=True)
    for call, plan in [
        (opener.open_batch, schema.plan("prescription", drug)),
        (sealer.seal_batch, unverified),
    ]:
        with pytest.raises(rxseal.RxsealError, match="record tag") as refused:
            call(sealed, plan)
        assert refused.value.code == "plan-refused"
    assert opener.open_batch(sealed, unverified)["drug"].to_pylist()[0] == f"{CANARY} 1"


def test_nothing_shows_a_value(opener, sealer, plan, sealed, heard, caplog):
    shown = [repr(opener), str(opener), repr(sealer), repr(plan), repr(opener.schema)]
    opened = opener.open_batch(sealed, plan)
    shown += [repr(opener), *map(repr, heard.events), *map(str, heard.events)]
    assert repr(opener) == "Opener(classes=4, calls=1, rows=3)"
    rows = {"rx_number": [CANARY], "drug": ["x"], "directions": [None]}
    for call in (
        lambda: sealer.seal_batch(pa.table({"rx_number": [f"a {CANARY}"], "drug": ["x"], "directions": [None]}), plan),
        lambda: opener.open_batch(with_column(sealed, "drug", opened["drug"]), plan),
        lambda: opener.open_batch(with_column(sealed, "rx_number", pa.array([CANARY] * 3)), plan),
        lambda: opener.open_batch(opened["drug"], plan),
        lambda: opener.open_batch(CANARY, plan),
        lambda: opener.open_batch(opened, CANARY),
    ):
        try:
            call()
            raise AssertionError("nothing was refused")
        except (rxseal.RxsealError, TypeError, ValueError) as error:
            shown += [str(error), repr(error), repr(error.args), repr(error.__dict__)]
            shown += traceback.format_exception(*sys.exc_info())
    for text in shown:
        assert CANARY not in text
    assert CANARY not in caplog.text


def test_the_logging_observer_writes_counts(keys, schema, sealed, plan, caplog):
    caplog.set_level("INFO", logger="rxseal")
    unlock(keys, schema, rxseal.logging).open_batch(sealed, plan)
    assert "user:analyst opened 6 fields of 3 records of prescription for HOPERAT: opened" in caplog.text
    assert "unlocked generation" in caplog.text
    assert CANARY not in caplog.text


def test_plans_refuse_what_the_schema_does_not_have(schema):
    for arguments, text in [
        (("visit",), "no record type visit"),
        (("prescription", {"drug": "rx.nothing"}), "no field of its own"),
        (("prescription", {"a": "rx.drug", "b": "rx.drug"}), "in the plan already"),
    ]:
        with pytest.raises(rxseal.RxsealError, match=text) as refused:
            schema.plan(*arguments)
        assert refused.value.code == "plan-refused"
    assert schema.records["claim"] == ["rx.drug"]
    assert len(SCHEMA["records"]) == len(schema.records)
