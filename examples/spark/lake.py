"""Sealing, reporting and resealing Parquet files with Spark.

    python lake.py seal PLAIN SEALED        # Parquet to Parquet, one folder a store
    python lake.py report SEALED            # opens one class, and shows how often each drug was filled
    python lake.py reseal SEALED RESEALED   # moves the tokens to the primary key, store by store

The functions that take `batches` run in Spark's Python workers. Each worker unlocks the keyring itself, once, with what its own environment
says. No key is in a closure, a broadcast or the plan of a query.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

import rxseal

RECORD = "prescription"
PARTITION = "store"
TOKENS = ["patient_name", "street", "drug", "directions", "diagnosis"]
DRUG = {"drug": "phi.rx.drug"}


def keys() -> dict[str, object]:
    """Where this machine finds the keys. A worker has the environment of its executor."""
    return {
        "roots": os.environ["RXSEAL_ROOTS"].split(),
        "stored": os.environ["RXSEAL_STORED"],
        "schema": os.environ["RXSEAL_SCHEMA"],
        "observer": rxseal.logging,
    }


def keyspace() -> str:
    return os.environ["RXSEAL_KEYSPACE"]


# In the workers.


def seal(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """All fields of each row, in one pass."""
    from rxseal.sealing import Sealer

    classes = ["identity", "contact", "medication", "clinical"]
    sealer = rxseal.per_process(Sealer.unlock, keyspace(), classes=classes, **keys())
    plan = sealer.schema.plan(RECORD)
    for batch in batches:
        yield sealer.seal_batch(batch, plan)


def opener(classes: list[str]) -> rxseal.Opener:
    who = {"who": "job:formulary-report", "purpose": "HOPERAT"}
    return rxseal.per_process(rxseal.Opener.unlock, keyspace(), classes=classes, **who, **keys())


def count_drugs(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Opens the drugs, and lets only names of drugs go on, with how often each was filled: what comes behind this may be spilled to a disk."""
    drugs: Counter[str] = Counter()
    reader = opener(["medication"])
    plan = reader.schema.plan(RECORD, DRUG)
    for batch in batches:
        drugs.update(reader.open_batch(batch, plan)["drug"].to_pylist())
    names, counts = list(drugs.keys()), list(drugs.values())
    yield pa.RecordBatch.from_pydict({"drug": pa.array(names, pa.string()), "fills": pa.array(counts, pa.int64())})


def open_all(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Every field, for a program that hands rows to a person and writes none."""
    reader = opener(["identity", "contact", "medication", "clinical"])
    plan = reader.schema.plan(RECORD)
    for batch in batches:
        yield reader.open_batch(batch, plan)


def reseal(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Tokens in, tokens out. A token that does not open ends the job: nothing is left behind unnoticed."""
    from rxseal.sealing import Resealer

    resealer = rxseal.per_process(Resealer.unlock, keyspace(), **keys())
    plan = resealer.schema.plan(RECORD)
    for batch in batches:
        yield resealer.reseal_batch(batch, plan)


# On the driver, which has the schema and no key.


ENCRYPTED = {
    "spark.io.encryption.enabled": "true",  # what a shuffle or a sort spills
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",  # or the keys of the above are visible on the wire
}


def session(**settings: str) -> SparkSession:
    """What Spark writes to local disks and sends between executors is encrypted with keys of its own."""
    builder = SparkSession.builder.appName("rxseal")
    for name, value in {**ENCRYPTED, **settings}.items():
        builder = builder.config(name.replace("__", "."), value)
    return builder.getOrCreate()


def sealed_type(frame: DataFrame) -> StructType:
    plan = rxseal.Schema.read(os.environ["RXSEAL_SCHEMA"]).plan(RECORD)
    return from_arrow_schema(plan.sealed_schema(to_arrow_schema(frame.schema)))


def opened_type(frame: DataFrame) -> StructType:
    plan = rxseal.Schema.read(os.environ["RXSEAL_SCHEMA"]).plan(RECORD)
    return from_arrow_schema(plan.opened_schema(to_arrow_schema(frame.schema)))


def seal_lake(spark: SparkSession, plain: str, sealed: str, work: Callable = seal) -> None:
    """A task that is tried again seals again, with new random bytes, and one of its outputs is committed. A job that is run again replaces
    what it wrote."""
    frame = spark.read.parquet(plain)
    frame.mapInArrow(work, sealed_type(frame)).write.mode("overwrite").partitionBy(PARTITION).parquet(sealed)


def report(spark: SparkSession, sealed: str) -> list[tuple[str, int]]:
    """How often each drug was filled. Only the two columns that are needed are read, and one class is opened."""
    frame = spark.read.parquet(sealed).select("rx_number", "drug")
    fills = frame.mapInArrow(count_drugs, "drug string, fills long").groupBy("drug").sum("fills")
    return sorted((row[0], row[1]) for row in fills.collect())


def reseal_lake(spark: SparkSession, sealed: str, resealed: str, work: Callable = reseal) -> dict[str, bool]:
    """One partition after the other. A partition is done if it has Spark's `_SUCCESS`: a job that was interrupted goes on with the others, and
    a second run writes nothing. Returns which of them were written."""
    written = {}
    for folder in sorted(Path(sealed).glob(f"{PARTITION}=*")):
        target = Path(resealed) / folder.name
        written[folder.name] = not (target / "_SUCCESS").exists()
        if written[folder.name]:
            frame = spark.read.parquet(str(folder))
            frame.mapInArrow(work, frame.schema).write.mode("overwrite").parquet(str(target))
    return written


def count_keys(folder: str) -> dict[str, int]:
    """How many tokens are under which key. It needs no key."""
    import pyarrow.dataset as ds

    counts: Counter[str] = Counter()
    for batch in ds.dataset(folder, format="parquet", partitioning="hive").to_batches(columns=TOKENS):
        of_batch = rxseal.count_by_key(batch, TOKENS)
        assert of_batch.not_tokens == 0, "there is plaintext in a column of tokens"
        counts.update(of_batch.keys)
    return dict(counts)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["seal", plain, sealed]:
            seal_lake(session(), plain, sealed)
            print("tokens by key:", count_keys(sealed))
        case ["report", sealed]:
            for drug, fills in report(session(), sealed):
                print(f"{fills:8} {drug}")
        case ["reseal", sealed, resealed]:
            print("written:", reseal_lake(session(), sealed, resealed))
            print("tokens by key:", count_keys(resealed))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
