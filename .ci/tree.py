#!/usr/bin/env python3
"""The crates that a user builds.

tree.py default LIST   fails if the core's default tree has other crates than LIST (one name a line), or a crate twice
tree.py msrv           fails if a dependency of a published package or of one of its features needs a newer Rust than its Cargo.toml
                       says, or its README says of the feature
"""

import json
import re
import subprocess
import sys
from pathlib import Path

TARGET = "x86_64-unknown-linux-gnu"


def tree(package, edges, *features):
    """Names and versions, by `cargo tree`: its features are a user's, without those that our own tests enable."""
    options = ["--package", package, "--edges", edges, "--target", TARGET]
    options += [f"--features={feature}" for feature in features]
    lines = cargo("tree", "--prefix=none", "--format={p}", *options).split("\n")
    return {(words[0], words[1].removeprefix("v")) for words in map(str.split, lines) if words}


def cargo(command, *arguments):
    done = subprocess.run(["cargo", command, "--locked", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def check_default(path):
    crates = tree("rxseal", "normal")
    found = {name for name, _ in crates}
    held = set(Path(path).read_text().split())
    print(f"{len(crates)} crates in the default tree, this one among them")
    for name in sorted(found):
        if len(versions := [v for n, v in crates if n == name]) > 1:
            print(f"{name} is there in {len(versions)} versions: {', '.join(versions)}")
    for name in sorted(found - held):
        print(f"{name} is new: give its reason in Cargo.toml and add it to {path}")
    for name in sorted(held - found):
        print(f"{name} is gone: take it from {path}")
    return found == held and len(crates) == len(found)


def check_msrv():
    packages = json.loads(cargo("metadata", "--format-version=1", "--all-features"))
    ours = set(packages["workspace_members"])
    packages = {(package["name"], package["version"]): package for package in packages["packages"]}
    good = True
    for root in packages.values():
        if root["id"] in ours and root["publish"] != []:
            good &= check_promises(root, packages)
    return good


def check_promises(root, packages):
    name = root["name"]
    text = Path(root["manifest_path"]).with_name("README.md").read_text()
    good = f"Rust {root['rust_version']}" in text
    if not good:
        print(f"{name}: README.md does not say `Rust {root['rust_version']}`")
    for features in [[], *([feature] for feature in root["features"] if feature != "default")]:
        said = re.findall(rf"`{features[0]}`[^.;]{{0,120}}? asks? for ([0-9]+\.[0-9]+)", text) if features else []
        promised = said[0] if said else root["rust_version"]
        used = [packages[key] for key in tree(name, "normal,build", *features) if key[0] != name]
        if not used:
            # Its own code is checked by clippy against the same version.
            print(f"{name:20} {(features or ['no feature'])[0]:20} has no dependency")
            continue
        newest = max(used, key=lambda package: (version(package["rust_version"]), package["name"]))
        asked = newest["rust_version"]
        holds = version(asked) <= version(promised)
        good &= holds
        print(f"{name:20} {(features or ['no feature'])[0]:20} {newest['name']} {newest['version']} asks for Rust {asked},"
              f" promised is {promised}{'' if holds else ': TOO NEW'}")
    return good


def version(text):
    return tuple(int(part) for part in (text or "0").split("."))[:2]


good = {"default": check_default, "msrv": check_msrv}[sys.argv[1]](*sys.argv[2:])
sys.exit(0 if good else 1)
