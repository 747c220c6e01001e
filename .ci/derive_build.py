#!/usr/bin/env python3
"""What `#[derive(PhiRecord)]` costs a build: 50 record structs of 20 fields against the same structs with serde's derives.

derive_build.py           prints seconds of one core, of `cargo check` and of an unoptimized `cargo build`; fails above the limits
derive_build.py ROUNDS    takes the best of so many rounds; the default is 3

Of the 20 fields 10 are sealed, each under a marker of its own, which no two structs share: that is the dearest case. One function for each struct
uses it. What everything depends on is built before, and is not counted.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STRUCTS = 50
SEALED = ["String"] * 6 + ["Option<String>"] * 2 + ["Vec<String>", "u32"]
CLEAR = ["String", "u32", "bool", "Option<String>", "u64", "i32", "String", "u8", "bool"]
# At most so many times the seconds of serde's derives, which are read and written as JSON. Rows of columns are sealed and opened, and rows
# of documents are read and written as JSON too, so theirs is serde's work and ours.
LIMITS = {"columns": 2.5, "documents": 3.5}


def fields(sealed):
    clear = [f"    {'' if sealed is None else '#[phi(clear)] '}pub c{at}: {kind},\n" for at, kind in enumerate(CLEAR)]
    secret = [f"    {'' if sealed is None else sealed(at, kind)}pub s{at}: {kind},\n" for at, kind in enumerate(SEALED)]
    return "".join(["    pub id: u64,\n" if sealed is None else "    #[phi(id)] pub id: u64,\n", *secret, *clear])


def with_serde():
    for number in range(STRUCTS):
        yield f"""
#[derive(serde::Serialize, serde::Deserialize)]
pub struct R{number} {{
{fields(None)}}}
pub fn f{number}(record: &R{number}) -> Result<R{number}, serde_json::Error> {{
    serde_json::from_str(&serde_json::to_string(record)?)
}}
"""


def with_phi_record(documents):
    classes = ["Identity", "Medication", "Clinical"]
    markers = [
        f'    pub F{number}S{at} = "r{number}.s{at}" in {classes[at % 3]};\n' for number in range(STRUCTS) for at in range(len(SEALED))
    ]
    yield f"use rxseal::{{Access, Keyring, PhiRecord}};\nrxseal::fields! {{\n{''.join(markers)}}}\n"
    for number in range(STRUCTS):
        def seal(at, kind):
            marker = f"F{number}S{at}"
            return f"#[phi(seal = {f'Option<{marker}>' if kind.startswith('Option') else marker})] "

        derives = ", derive(serde::Serialize, serde::Deserialize)" if documents else ""
        row = f"serde_json::from_str::<SealedR{number}>(&serde_json::to_string(&keys.seal(record)?)?)?" if documents else "keys.seal(record)?"
        yield f"""
#[derive(PhiRecord)]
#[phi(record = "r{number}"{derives})]
pub struct R{number} {{
{fields(seal)}}}
pub fn f{number}(keys: &Keyring, access: &Access, record: &R{number}) -> Result<R{number}, Box<dyn std::error::Error>> {{
    Ok(keys.open(&{row}, access)?)
}}
"""


def write(folder):
    crates = {"serde": with_serde(), "columns": with_phi_record(False), "documents": with_phi_record(True)}
    for name, parts in crates.items():
        (folder / name / "src").mkdir(parents=True)
        (folder / name / "src/lib.rs").write_text("".join(parts))
        (folder / name / "Cargo.toml").write_text(f"""[package]
name = "derive-{name}"
version = "0.0.0"
edition = "2024"

[dependencies]
rxseal = {{ path = "{ROOT}", features = ["derive"] }}
serde = {{ version = "1", features = ["derive"] }}
serde_json = "1"
""")
    (folder / "Cargo.toml").write_text(f'[workspace]\nresolver = "3"\nmembers = {list(crates)}\n')
    (folder / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
    return list(crates)


def seconds(folder, command, crate, rounds):
    environment = dict(os.environ, CARGO_INCREMENTAL="0", CARGO_PROFILE_DEV_DEBUG="0", CARGO_TARGET_DIR=str(ROOT / "target/derive-build"))
    found = []
    for _ in range(rounds + 1):
        (folder / crate / "src/lib.rs").touch()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["cargo", command, "--quiet", f"--package=derive-{crate}"], cwd=folder, env=environment, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # The first round built what the crate depends on.
    return min(found[1:])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    missed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crates = write(folder)
        for command in ("check", "build"):
            base = None
            for crate in crates:
                taken = seconds(folder, command, crate, rounds)
                base = base or taken
                print(f"cargo {command:5}  {crate:9}  {taken:5.1f} s  {taken / base:4.2f} x", flush=True)
                if taken / base > LIMITS.get(crate, 1):
                    missed.append(f"cargo {command} of {crate}")
    if missed:
        sys.exit(f"above the limit: {', '.join(missed)}")


if __name__ == "__main__":
    main()
