"""Tables of pyarrow, pandas and Polars."""

import datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rxseal

ROWS = {
    "rx_number": [1001, 1002, 1003],
    "patient_name": ["Jane Doe", "Zoë Müller", "李雷"],
    "street": ["1 Main St", "2 Main St", "3 Main St"],
    "drug": ["warfarin 5 MG", "lisinopril 10 MG", "metformin 500 MG"],
    "directions": ["one daily", None, ""],
    "diagnosis": [None, "I10", "E11"],
    "refills": [0, 3, 11],
    "filled_on": [datetime.date(2026, 1, 31), datetime.date(1969, 12, 31), datetime.date(2024, 2, 29)],
    "is_generic": [True, False, True],
    "weight": [70.5, 81.25, 64.0],
    "scan": [b"\x00\xff", None, b""],
    "store": ["A", "B", "A"],
}


def table() -> pa.Table:
    return pa.table(ROWS).set_column(6, "refills", pa.array(ROWS["refills"], pa.uint8()))


def test_pyarrow_in_and_out(sealer, opener, schema):
    plan = schema.plan("prescription")
    sealed = sealer.seal_batch(table(), plan)
    assert isinstance(sealed, pa.Table)
    assert sealed.schema == plan.sealed_schema(table().schema)
    assert sealed["drug"].type == pa.binary()
    assert sealed["store"].to_pylist() == ROWS["store"]
    assert sealed["directions"].null_count == 1
    opened = opener.open_batch(sealed, plan)
    assert opened.to_pydict() == ROWS
    assert opened["refills"].type == pa.int64()
    assert opened["filled_on"].type == pa.date32()
    assert opened.schema == plan.opened_schema(sealed.schema)


def test_a_record_batch_stays_one(sealer, opener, schema):
    plan = schema.plan("prescription", tokens="text")
    batch = table().to_batches()[0]
    sealed = sealer.seal_batch(batch, plan)
    assert isinstance(sealed, pa.RecordBatch)
    assert sealed["drug"][0].as_py().startswith("rxs")
    opened = opener.open_batch(sealed, plan)
    assert isinstance(opened, pa.RecordBatch)
    assert opened.to_pydict() == ROWS


def test_pandas(sealer, opener, schema):
    plan = schema.plan("prescription", {"drug": "rx.drug", "patient_name": "rx.name"})
    frame = table().select(["rx_number", "patient_name", "drug", "store"]).to_pandas()
    sealed = sealer.seal_batch(frame, plan).to_pandas()
    opened = opener.open_batch(sealed, plan).to_pandas()
    pd.testing.assert_frame_equal(opened, frame)
    drugs = opener.open(sealed["drug"], record="prescription", ids=sealed["rx_number"], field="rx.drug")
    assert drugs.to_pylist() == ROWS["drug"]
    assert isinstance(drugs, pa.ChunkedArray)
    tokens, ids = sealed["drug"].to_list(), sealed["rx_number"].to_list()
    assert opener.open(tokens, record="prescription", ids=ids, field="rx.drug").to_pylist() == ROWS["drug"]


def test_polars(sealer, opener, schema):
    plan = schema.plan("prescription")
    frame = pl.from_arrow(table())
    sealed = pl.from_arrow(sealer.seal_batch(frame, plan))
    assert sealed["drug"].dtype == pl.Binary
    opened = pl.from_arrow(opener.open_batch(sealed, plan))
    assert opened.to_dict(as_series=False) == ROWS
    drugs = opener.open(sealed["drug"], record="prescription", ids=sealed["rx_number"], field="rx.drug")
    assert drugs.to_pylist() == ROWS["drug"]
    lazy = sealed.lazy().map_batches(lambda batch: pl.from_arrow(opener.open_batch(batch, plan)), schema=opened.schema)
    assert lazy.collect().to_dict(as_series=False) == ROWS


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize("tokens", ["text", "binary"])
def test_every_layout_of_text_stays_as_wide(sealer, opener, schema, text, tokens):
    plan = schema.plan("prescription", {"drug": "rx.drug"}, tokens=tokens)
    given = pa.table({"rx_number": [1, 2], "drug": pa.array(["warfarin", None], text)})
    sealed = sealer.seal_batch(given, plan)
    binary = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}
    assert sealed["drug"].type == (text if tokens == "text" else binary[text])
    opened = opener.open_batch(sealed, plan)
    assert opened["drug"].type == text
    assert opened["drug"].to_pylist() == ["warfarin", None]


def test_composite_ids_and_slices(sealer, opener, schema):
    plan = schema.plan("claim")
    given = pa.table({"payer": ["A", "B", "A"], "number": [1, 1, 2], "drug": ["x", "y", "z"]})
    sealed = sealer.seal_batch(given.slice(1), plan)
    assert opener.open_batch(sealed, plan)["drug"].to_pylist() == ["y", "z"]
    drugs = opener.open(sealed["drug"], record="claim", ids=(sealed["payer"], sealed["number"]), field="rx.drug")
    assert drugs.to_pylist() == ["y", "z"]
    moved = sealed.set_column(1, "number", pa.array([1, 3]))
    with pytest.raises(rxseal.RxsealError) as refused:
        opener.open_batch(moved, plan)
    assert (refused.value.code, refused.value.row, refused.value.column) == ("open-failed", 1, "drug")


def test_pages_of_a_thousand_are_an_event_each(sealer, opener, schema, heard):
    plan = schema.plan("prescription", {"drug": "rx.drug", "patient_name": "rx.name"})
    many = pa.table({"rx_number": range(2500), "drug": ["x"] * 2500, "patient_name": ["y"] * 2500})
    opener.open_batch(sealer.seal_batch(many, plan), plan)
    assert [(len(event.record_ids), event.fields) for event in heard.opened] == [(1000, 2000), (1000, 2000), (500, 1000)]
    event = heard.opened[0]
    assert (event.actor, event.purpose, event.request_id) == ("user:analyst", "HOPERAT", "formulary-review-2027-Q1")
    assert (event.record_type, event.classes, event.outcome) == ("prescription", ["identity", "medication"], "opened")
    assert len(event.keys) == 1


def test_empty_tables_have_the_types(sealer, opener, schema):
    plan = schema.plan("prescription")
    sealed = sealer.seal_batch(table().slice(0, 0), plan)
    opened = opener.open_batch(sealed, plan)
    assert opened.num_rows == 0
    assert opened["filled_on"].type == pa.date32()


def test_resealing_moves_tokens(sealer, opener, resealer, schema, heard):
    plan = schema.plan("prescription", tokens="text")
    sealed = sealer.seal_batch(table(), plan)
    events = len(heard.opened)
    resealed = resealer.reseal_batch(sealed, plan)
    assert resealed.schema == sealed.schema
    assert resealed["drug"].to_pylist() != sealed["drug"].to_pylist()
    counts = rxseal.count_by_key(resealed, ["drug", "directions"])
    assert (counts.keys, counts.nulls, counts.not_tokens) == ({resealer.primary_key: 5}, 1, 0)
    assert rxseal.count_by_key(resealed, ["store"]).not_tokens == 3
    assert len(heard.opened) == events
    assert opener.open_batch(resealed, plan).to_pydict() == ROWS
