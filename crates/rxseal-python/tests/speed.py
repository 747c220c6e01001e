"""A row of five fields, against what Rust took for it in the same run: `.ci/run full python` has its line in RXSEAL_RUST."""

import os
import re
import time

import pyarrow as pa

ROWS = 20_000
FIELDS = {
    "patient_name": "rx.name",
    "street": "rx.street",
    "drug": "rx.drug",
    "directions": "rx.directions",
    "diagnosis": "rx.diagnosis",
}
TEXTS = {"patient_name": "Jane Doe", "street": "Main Street", "drug": "warfarin 5 MG"}
SOMETIMES = {"directions": "one daily", "diagnosis": "I10"}


def rows():
    numbers = range(ROWS)
    always = {name: [f"{text} {number}" for number in numbers] for name, text in TEXTS.items()}
    some = {name: [f"{text} {number}" if number % 3 else None for number in numbers] for name, text in SOMETIMES.items()}
    return pa.record_batch({"rx_number": pa.array(numbers, pa.uint64()), **always, **some})


def nanoseconds(work):
    times = []
    for _ in range(15):
        begun = time.perf_counter_ns()
        work()
        times.append((time.perf_counter_ns() - begun) / ROWS)
    return min(times)


def test_five_fields_a_row(sealer, opener, schema):
    plan = schema.plan("prescription", FIELDS)
    batch = rows()
    sealed = sealer.seal_batch(batch, plan)
    rust_seal, rust_open = map(int, re.findall(r"(\d+) ns", os.environ["RXSEAL_RUST"]))
    seal = nanoseconds(lambda: sealer.seal_batch(batch, plan))
    opened = nanoseconds(lambda: opener.open_batch(sealed, plan))
    print(f"\npython: sealed {seal:.0f} ns a row ({seal / rust_seal:.2f} x), opened {opened:.0f} ns a row ({opened / rust_open:.2f} x)")
    print(f"python: {1e9 / seal:.0f} rows/s sealed, {1e9 / opened:.0f} rows/s opened, on one thread")
    assert opened <= 1.3 * rust_open
