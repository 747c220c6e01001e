"""What is refused: with a code, and never with a value."""

import pickle
import copy
import os
import sys
import traceback

import pyarrow as pa
import pytest

import rxseal
from conftest import CLASSES, SCHEMA, Heard, unlock
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_refuses(opener, sealer, resealer, plan, sealed):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        codes = []
        for call in (
            lambda: opener.open_batch(sealed, plan),
            lambda: opener.open(sealed["drug"], record="prescription", ids=sealed["rx_number"], field="rx.drug"),
            lambda: sealer.seal_batch(sealed, plan),
            lambda: resealer.reseal_batch(sealed, plan),
        ):
            try:
                call()
                codes.append("none")
            except rxseal.RxsealError as error:
                codes.append(error.code)
        os.write(write, " ".join(codes).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    assert os.read(read, 1000).decode().split() == ["other-process"] * 4
    opener.open_batch(sealed, plan)


def test_one_unlock_for_each_process(keys, schema):
    heard = Heard()
    arguments = dict(schema=schema, classes=CLASSES, observer=heard, **keys)
    first = rxseal.per_process(Sealer.unlock, "vectors", **arguments)
    assert rxseal.per_process(Sealer.unlock, "vectors", **arguments) is first
    assert rxseal.per_process(Sealer.unlock, "vectors", **{**arguments, "classes": ["identity"]}) is not first
    assert [event.text.split()[0] for event in heard.events] == ["unlocked", "unlocked"]
    assert rxseal.per_process(Sealer.unlock, "vectors", **arguments, seconds=-1) is first
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        other = rxseal.per_process(Sealer.unlock, "vectors", **arguments)
        os.write(write, b"other" if other is not first else b"same")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"other"


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
