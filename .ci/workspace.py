#!/usr/bin/env python3
"""The contents of the workspace, one answer a line, so that .ci/run names no package and no program.

workspace.py published                packages that go to the registry, each after those that it depends on
workspace.py manifests                Cargo.toml of the workspace, and of each workspace of its own below it
workspace.py msrv                     PACKAGE RUST: the oldest Rust that each published package promises
workspace.py features                 PACKAGE FEATURES: each feature of each published package alone, and none
workspace.py pairs                    PACKAGE FEATURES: the same in fewer lines for a package with many features: no feature, and mixtures in
                                      which every two features occur in each of their four combinations of on and off
workspace.py mixtures                 PACKAGE FEATURES: mixtures in which every three features of a published package occur in each of their
                                      eight combinations of on and off
workspace.py tests [TEXT [NAME...]]   PACKAGE PROGRAM: test programs that have TEXT (a regular expression) in their sources, and
                                      those with the given names; all of them without either
"""

import itertools
import json
import random
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def packages():
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version=1"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return json.loads(done.stdout)["packages"]


def published():
    """In an order that a registry would take them."""
    left = {p["name"]: p for p in packages() if p["publish"] != []}
    needs = {name: {d["name"] for d in p["dependencies"] if d["kind"] != "dev"} & set(left) - {name}
             for name, p in left.items()}
    ordered = []
    while left:
        name = next(name for name in sorted(left) if not needs[name] & set(left))
        ordered.append(left.pop(name))
    return ordered


def manifests():
    own = [Path("Cargo.toml")]
    files = subprocess.run(["git", "ls-files", "*/Cargo.toml"], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return own + [Path(f) for f in files.stdout.split() if re.search(r"^\[workspace\]", (ROOT / f).read_text(), re.M)]


def features(package):
    """Those that a user may turn on. A default that is one of them is the others' business too."""
    return [feature for feature in package["features"] if feature != "default"]


def alone():
    for package in published():
        for feature in ["", *features(package)]:
            yield package["name"], feature


def pairs(many=5):
    """What uses a feature that is off fails in a mixture that has the one on and the other off, as it does alone."""
    for package in published():
        few = len(features(package)) < many
        for feature in ["", *features(package)] if few else [""]:
            yield package["name"], feature
        if not few:
            yield from mixtures_of(package, 2)


def mixtures():
    for package in published():
        yield from mixtures_of(package, 3)


def mixtures_of(package, every, tries=20):
    """Each mixture is the best of a few random ones. So 24 features take about 30 mixtures for every three, where their pairs alone would be 276."""
    chance = random.Random(package["name"])
    size = min(every, len(features(package)))
    left = {frozenset(zip(some, ways))
            for some in itertools.combinations(features(package), size)
            for ways in itertools.product((True, False), repeat=size)} if size else set()
    left = {ways for ways in left if is_possible(package, dict(ways))}
    while left:
        tried = [mix(package, size, left, chance) for _ in range(tries)]
        mixture, new = max(tried, key=lambda mixture_and_new: len(mixture_and_new[1]))
        left -= new
        yield package["name"], ",".join(feature for feature, on in mixture.items() if on)


def mix(package, size, left, chance):
    """One mixture, and which of the combinations that are left it has: one of them, then feature by feature on or off by what adds more."""
    first = chance.choice(sorted(left, key=sorted))
    mixture, new = dict(first), {first}
    for feature in chance.sample(features(package), len(features(package))):
        def added(on):
            rest = itertools.combinations(mixture.items(), size - 1)
            return left & {frozenset((*others, (feature, on))) for others in rest}

        if feature not in mixture:
            ways = {on: added(on) for on in chance.sample((True, False), 2) if is_possible(package, mixture | {feature: on})}
            mixture[feature] = max(ways, key=lambda on: len(ways[on]))
            new |= ways[mixture[feature]]
    return mixture, new


def is_possible(package, mixture):
    """Whether no feature that is on turns on one that is off."""
    on = [feature for feature, is_on in mixture.items() if is_on]
    for feature in on:
        on.extend(other for other in package["features"][feature] if other in package["features"] and other not in on)
    return all(mixture.get(feature, True) for feature in on)


def tests(text="", *names):
    for package in packages():
        for target in package["targets"]:
            if target["kind"] == ["test"] and (target["name"] in names or has(target, text)):
                yield package["name"], target["name"]


def has(target, text):
    return any(re.search(text, source.read_text()) for source in sources(target))


def sources(target):
    """The file of a program and what lies in its folder."""
    file = Path(target["src_path"])
    folder = file.parent if file.name == "main.rs" else file.with_suffix("")
    return {file, *folder.rglob("*.rs")}


question, *words = sys.argv[1:]
answers = {
    "published": lambda: ((p["name"],) for p in published()),
    "msrv": lambda: ((p["name"], p["rust_version"]) for p in published()),
    "manifests": lambda: ((str(file),) for file in manifests()),
    "features": alone,
    "pairs": pairs,
    "mixtures": mixtures,
    "tests": lambda: tests(*words),
}
for answer in answers[question]():
    print(*answer)
