#!/usr/bin/env python3
"""What a user of the crate builds.

tree.py default LIST   fails where the default tree has other crates than LIST, one name a line, or one twice
tree.py msrv README    fails where a tree asks for a newer Rust than Cargo.toml, or than README says of a feature
"""

import json
import re
import subprocess
import sys
from pathlib import Path

TARGET = "x86_64-unknown-linux-gnu"


def tree(edges, *features):
    """Names and versions, by `cargo tree`: its features are a user's, without those that our own tests enable."""
    options = ["--edges", edges, "--target", TARGET, *(f"--features={feature}" for feature in features)]
    lines = cargo("tree", "--prefix=none", "--format={p}", *options).split("\n")
    return {(words[0], words[1].removeprefix("v")) for words in map(str.split, lines) if words}


def cargo(command, *arguments):
    done = subprocess.run(["cargo", command, "--locked", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def check_default(path):
    crates = tree("normal")
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


def check_msrv(readme):
    packages = {
        (package["name"], package["version"]): package
        for package in json.loads(cargo("metadata", "--format-version=1", "--all-features"))["packages"]
    }
    root = next(package for package in packages.values() if package["name"] == "rxseal")
    text = Path(readme).read_text()
    good = True
    for features in [[], *([feature] for feature in root["features"] if feature != "default")]:
        said = re.findall(rf"`{features[0]}` asks for ([0-9.]+)", text) if features else []
        promised = said[0] if said else root["rust_version"]
        used = [packages[key] for key in tree("normal,build", *features) if key[0] != "rxseal"]
        newest = max(used, key=lambda package: (version(package["rust_version"]), package["name"]))
        asked = newest["rust_version"]
        holds = version(asked) <= version(promised)
        good &= holds
        print(f"{(features or ['no feature'])[0]:20} {newest['name']} {newest['version']} asks for Rust {asked},"
              f" promised is {promised}{'' if holds else ': TOO NEW'}")
    return good


def version(text):
    return tuple(int(part) for part in (text or "0").split("."))[:2]


good = {"default": check_default, "msrv": check_msrv}[sys.argv[1]](sys.argv[2])
sys.exit(0 if good else 1)
