#!/usr/bin/env python3
"""package.py FOLDER: checks the .crate files that `cargo package` left in FOLDER, and compiles their contents.

It fails if a file is missing, superfluous or too large, or if the crates do not compile from their own files alone. They are unpacked
into one workspace, where each replaces the others' dependency on the registry. So their dependencies have the features that .ci/run
checks elsewhere, and are not compiled again.
"""

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

WANTED = ["Cargo.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"]
# And of the core.
CORE = ["CHANGELOG.md", "src/lib.rs", "docs/FORMAT.md"]
UNWANTED = re.compile(r"^(\.ci|\.github|docs/api|fuzz|target|tests/vectors|pharmacy-data)/|\.(db|sqlite|key|profraw|log|pyc)$")
LARGEST = 1024 * 1024


def judge(crate, files):
    name = crate.name.rsplit("-", 1)[0]
    print(f"{crate.name}: {crate.stat().st_size} bytes, {len(files)} files")
    for file in files:
        print(f"    {file}")
    wanted = WANTED + (CORE if name == "rxseal" else [])
    yield from (f"{file} is not in it" for file in wanted if file not in files)
    yield from (f"{file} does not belong into it" for file in files if UNWANTED.search(file))
    if crate.stat().st_size > LARGEST:
        yield "it is too large"


def main(folder):
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    problems, patches = [], []
    for crate in sorted(folder.glob("*.crate")):
        with tarfile.open(crate) as archive:
            archive.extractall(unpacked, filter="data")
            files = sorted(str(Path(*Path(member.name).parts[1:])) for member in archive.getmembers())
        problems += [f"{crate.name}: {problem}" for problem in judge(crate, files)]
        stem = crate.name.removesuffix(".crate")
        patches.append(f'{stem.rsplit("-", 1)[0]} = {{ path = "{stem}" }}')
    if problems or not patches:
        sys.exit("\n".join(problems) or f"no crate in {folder}")
    manifest = ["[workspace]", 'members = ["*"]', 'resolver = "3"', "[patch.crates-io]", *patches, ""]
    (unpacked / "Cargo.toml").write_text("\n".join(manifest))
    shutil.copy("Cargo.lock", unpacked)
    command = ["cargo", "check", "--workspace", "--lib", "--bins", "--all-features", "--manifest-path"]
    subprocess.run([*command, unpacked / "Cargo.toml", "--target-dir", "target"], check=True)


main(Path(sys.argv[1]))
