#!/usr/bin/env bash
# Runs every fuzz target in turn, each for the given number of seconds (default 60), with the address sanitizer.
# `RUSTC_BOOTSTRAP=1` lets the stable compiler take the sanitizer's flag.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
export RUSTC_BOOTSTRAP=1
targets=$(cargo fuzz list)
cargo fuzz build
for target in $targets; do
    echo "== fuzz $target, $seconds s"
    mkdir -p "fuzz/corpus/$target"
    # What it finds goes to a folder that is not the repository's corpus.
    found=$(mktemp -d)
    cargo fuzz run "$target" "$found" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -malloc_limit_mb=64 -print_final_stats=1 -verbosity=0 -max_len=4096 \
        2>&1 | sed -E '/^(INFO|#)/d'
    rm -rf "$found"
done
echo "fuzzed $(wc -w <<<"$targets") targets for $seconds s each"
