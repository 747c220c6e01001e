#!/usr/bin/env python3
"""mutants.py MINUTES PERCENT OPTION...: changes the core at random places, and fails if the tests notice too few of the changes.

The options are those of `cargo test` that select tests. Only files that have changed since the last release (a tag `v*`), or since the
commit MUTANTS_SINCE, are mutated. Before a first release these are the files that compute and read. The changes are tried in random
order until the time is over, so each run tries others.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

FIRST = ["aead*", "codec*", "kdf*", "key/*", "payload*", "record/*", "token*"]
# What serde says of a type that it wanted never comes out of this crate, and a hint of a size is only for speed.
WITHOUT_EFFECT = r"::(expecting|size_hint) "
OUTPUT = Path("target/mutants")


def git(*arguments):
    done = subprocess.run(["git", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.split()


def changed():
    since = os.environ.get("MUTANTS_SINCE") or next(iter(git("describe", "--tags", "--abbrev=0", "--match=v*")), None)
    if since:
        files = git("diff", "--name-only", "--diff-filter=d", since, "--", "src/*.rs")
    else:
        files = git("ls-files", *(f"src/{name}.rs" for name in FIRST))
    # The tests build the core without AWS-LC.
    files = [file for file in files if not file.endswith(("_tests.rs", "/aws_lc.rs"))]
    print(f"since {since or 'there was nothing'}: {len(files)} files", flush=True)
    return files


def run(files, minutes, tests):
    # As options for all of cargo's calls: --test-package would not be there when it tests the code without a change.
    command = ["cargo", "mutants", "--shuffle", "--no-times", "--colors=never", f"--output={OUTPUT}", "--package=rxseal",
               f"--exclude-re={WITHOUT_EFFECT}",
               *(f"--file={file}" for file in files), *(f"--cargo-arg={option}" for option in ("--locked", *tests))]
    OUTPUT.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(command)
    try:
        process.wait(60 * minutes)
    except subprocess.TimeoutExpired:
        print(f"{minutes} minutes are over", flush=True)
        process.send_signal(signal.SIGINT)
        process.wait()


def main(minutes, percent, *tests):
    files = changed()
    if not files:
        return
    run(files, float(minutes), tests)
    counts = {kind: len((OUTPUT / f"mutants.out/{kind}.txt").read_text().splitlines())
              for kind in ("caught", "timeout", "missed", "unviable")}
    print(counts)
    # A change that makes the tests run for ever counts as noticed too.
    noticed = counts["caught"] + counts["timeout"]
    tried = noticed + counts["missed"]
    if not tried or 100 * noticed < float(percent) * tried:
        sys.exit(f"the tests noticed {noticed} of {tried} changes")


main(*sys.argv[1:])
