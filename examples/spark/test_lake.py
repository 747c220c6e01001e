"""The example with Spark in local mode: 200,000 rows, a worker that is killed, and a search for plaintext in what Spark wrote."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

ROWS = int(os.environ.get("RXSEAL_ROWS", "200000"))
HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "tests" / "vectors"
CANARY = "Canary-Jane-Doe"
DRUGS = ["warfarin 5 MG", "lisinopril 10 MG", "metformin 500 MG", "sertraline 50 MG", "Canary-drug 1 MG"]
ORDER = ["rx_number", *"patient_name street drug directions diagnosis store filled_on".split()]

# The workers import it, as they import any module of a job: it is on their path.
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake")
    root = folder / "root.key"
    shutil.copy(VECTORS / "root_keys" / "root-a.txt", root)
    root.chmod(0o600)
    os.environ["RXSEAL_KEYSPACE"] = "vectors"
    os.environ["RXSEAL_ROOTS"] = f"file:{root}"
    os.environ["RXSEAL_STORED"] = str(VECTORS / "keyrings" / "main.json")
    os.environ["RXSEAL_SCHEMA"] = str(HERE / "rxseal-schema.json")
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    pq.write_table(rows(), folder / "plain.parquet", row_group_size=ROWS // 8)
    return folder


@pytest.fixture(scope="module")
def spark(place):
    import lake

    (place / "events").mkdir()
    spark = lake.session(
        # Four attempts a task, as on a cluster.
        spark__master="local[2,4]",
        spark__local__dir=str(place / "local"),
        spark__eventLog__enabled="true",
        spark__eventLog__dir=f"file://{place}/events",
        spark__eventLog__compress="false",
        spark__ui__enabled="false",
        spark__sql__shuffle__partitions="2",
        spark__sql__files__maxPartitionBytes="4m",
        spark__driver__memory="2g",
    )
    yield spark
    spark.stop()


def rows() -> pa.Table:
    numbers = range(ROWS)
    return pa.table(
        {
            "rx_number": pa.array(numbers, pa.int64()),
            "patient_name": [f"{CANARY} {number}" for number in numbers],
            "street": [f"{number} Main Street, {CANARY}" for number in numbers],
            "drug": [DRUGS[number % len(DRUGS)] for number in numbers],
            "directions": [None if number % 7 == 0 else f"take one {CANARY} {number % 100}" for number in numbers],
            "diagnosis": [None if number % 5 == 0 else f"I10 {CANARY} {number % 100}" for number in numbers],
            "store": [f"S{number % 4}" for number in numbers],
            "filled_on": pa.array([number % 1000 for number in numbers], pa.date32()),
        }
    )


def read(folder: Path) -> pa.Table:
    table = ds.dataset(folder, format="parquet", partitioning="hive").to_table()
    store = table["store"].cast(pa.string())
    return table.set_column(table.schema.get_field_index("store"), "store", store).select(ORDER).sort_by("rx_number")


def opened(folder: Path) -> pa.Table:
    """What the same keys open in this process, without Spark."""
    import lake
    import rxseal

    opener = lake.opener(["identity", "contact", "medication", "clinical"])
    plan = opener.schema.plan(lake.RECORD)
    return opener.open_batch(read(folder), plan)


def files_with(folder: Path, text: str) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if text.encode() in path.read_bytes()]


def test_the_lake(spark, place):
    import lake

    sealed, resealed, marker = place / "sealed", place / "resealed", place / "killed"

    def seal_and_die(batches):
        """As `lake.seal`, in a worker that is killed in the middle of its work, once."""
        for number, batch in enumerate(lake.seal(batches)):
            yield batch
            if number == 0 and not marker.exists():
                marker.write_text("")
                os.kill(os.getpid(), signal.SIGKILL)

    lake.seal_lake(spark, str(place / "plain.parquet"), str(sealed), seal_and_die)
    assert marker.exists()
    assert read(sealed).num_rows == ROWS
    assert opened(sealed).equals(rows())
    nulls = sum(rows()[name].null_count for name in lake.TOKENS)
    assert sum(lake.count_keys(str(sealed)).values()) == 5 * ROWS - nulls

    # A second run replaces what the first one wrote.
    lake.seal_lake(spark, str(place / "plain.parquet"), str(sealed))
    assert opened(sealed).equals(rows())

    assert lake.report(spark, str(sealed)) == sorted((drug, ROWS // len(DRUGS)) for drug in DRUGS)

    # Interrupted after two partitions, resumed, and run again.
    calls = []

    def counted(folder):
        calls.append(folder)
        if len(calls) == 3:
            raise InterruptedError

    real = type(spark.read).parquet
    reader = type(spark.read)
    try:
        reader.parquet = lambda self, path: (counted(path), real(self, path))[1]
        with pytest.raises(InterruptedError):
            lake.reseal_lake(spark, str(sealed), str(resealed))
    finally:
        reader.parquet = real
    assert lake.reseal_lake(spark, str(sealed), str(resealed)) == {"store=S0": False, "store=S1": False, "store=S2": True, "store=S3": True}
    assert not any(lake.reseal_lake(spark, str(sealed), str(resealed)).values())
    assert opened(resealed).equals(rows())
    assert len(lake.count_keys(str(resealed))) == 1

    # Nothing that Spark wrote has plaintext in it, but for the file that it was given.
    for folder in ("events", "local", "sealed", "resealed"):
        for text in (CANARY, "Canary-drug"):
            assert files_with(place / folder, text) == [], folder
    assert files_with(place, CANARY) == [] or files_with(place, CANARY) == [str(place / "plain.parquet")]
    events = "".join(path.read_text() for path in (place / "events").rglob("*") if path.is_file())
    assert "SparkListenerTaskEnd" in events
    assert "rxseal-root" not in events


def test_a_token_that_does_not_open_ends_the_job(spark, place):
    import lake
    from pyspark.errors import PythonException

    batch = read(place / "sealed").slice(0, 2000)
    drugs = batch["drug"].to_pylist()
    drugs[77], drugs[78] = drugs[78], drugs[77]
    forged = place / "forged"
    forged.mkdir()
    batch = batch.set_column(batch.schema.get_field_index("drug"), "drug", pa.array(drugs, pa.binary()))
    pq.write_table(batch, forged / "forged.parquet")
    frame = spark.read.parquet(str(forged))
    with pytest.raises(PythonException) as refused:
        frame.mapInArrow(lake.open_all, lake.opened_type(frame)).collect()
    assert "row 77, column drug" in str(refused.value)
    assert CANARY not in str(refused.value)


def test_it_is_not_much_slower_than_a_copy(spark, place):
    """Warm, in one run: sealing and opening each take at most three times a plain copy of the same rows."""
    import lake

    plain, sealed = str(place / "plain.parquet"), str(place / "sealed")
    out = str(place / "out")

    def copy():
        spark.read.parquet(plain).write.mode("overwrite").parquet(out)

    def seal():
        frame = spark.read.parquet(plain)
        frame.mapInArrow(lake.seal, lake.sealed_type(frame)).write.mode("overwrite").parquet(out)

    def open_():
        frame = spark.read.parquet(sealed)
        frame.mapInArrow(lake.open_all, lake.opened_type(frame)).write.mode("overwrite").parquet(out)

    def seconds(work):
        work()
        times = []
        for _ in range(3):
            begun = time.monotonic()
            work()
            times.append(time.monotonic() - begun)
        return min(times)

    took = {work.__name__.strip("_"): seconds(work) for work in (copy, seal, open_)}
    rates = {name: round(ROWS / taken) for name, taken in took.items()}
    ratios = {name: round(took[name] / took["copy"], 2) for name in ("seal", "open")}
    print("\n" + json.dumps({"rows": ROWS, "rows_per_second": rates, "times_a_copy": ratios}))
    assert max(ratios.values()) <= 3
