"""The whole example in the present folder, with keys that protect nothing: `python demo.py`."""

import os
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 20_000
HERE = Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "tests" / "vectors"
DRUGS = ["warfarin 5 MG", "lisinopril 10 MG", "metformin 500 MG"]


def make_keys(folder: Path) -> None:
    """Keys of the format's test vectors. A service has its own: `rxseal keyring init`."""
    shutil.copy(VECTORS / "root_keys" / "root-a.txt", folder / "root.key")
    (folder / "root.key").chmod(0o600)
    os.environ["RXSEAL_KEYSPACE"] = "vectors"
    os.environ["RXSEAL_ROOTS"] = f"file:{folder / 'root.key'}"
    os.environ["RXSEAL_STORED"] = str(VECTORS / "keyrings" / "main.json")
    os.environ["RXSEAL_SCHEMA"] = str(HERE / "rxseal-schema.json")


def make_rows(file: Path) -> None:
    numbers = range(ROWS)
    rows = {
        "rx_number": pa.array(numbers, pa.int64()),
        "patient_name": [f"Jane Doe {number}" for number in numbers],
        "street": [f"{number} Main Street" for number in numbers],
        "drug": [DRUGS[number % len(DRUGS)] for number in numbers],
        "directions": ["one daily" if number % 3 else None for number in numbers],
        "diagnosis": ["I10" if number % 4 else None for number in numbers],
        "store": [f"S{number % 4}" for number in numbers],
        "filled_on": pa.array([20_000 + number % 100 for number in numbers], pa.date32()),
    }
    pq.write_table(pa.table(rows), file)


def main() -> None:
    # Workers of this machine find `lake` where the driver does.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    here = Path.cwd()
    make_keys(here)
    make_rows(here / "plain.parquet")
    import lake

    spark = lake.session(spark__master="local[2]", spark__ui__enabled="false")
    lake.seal_lake(spark, str(here / "plain.parquet"), str(here / "sealed"))
    print("sealed, tokens by key:", lake.count_keys(str(here / "sealed")))
    for drug, fills in lake.report(spark, str(here / "sealed")):
        print(f"{fills:8} {drug}")
    written = lake.reseal_lake(spark, str(here / "sealed"), str(here / "resealed"))
    print("resealed:", ", ".join(written), lake.count_keys(str(here / "resealed")))
    spark.stop()


if __name__ == "__main__":
    main()
