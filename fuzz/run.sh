#!/usr/bin/env bash
# Runs every fuzz target in turn, each for the given number of seconds (default 60), with the address sanitizer.
#
#   fuzz/run.sh [SECONDS [TARGET...]]
#
# `RUSTC_BOOTSTRAP=1` lets the stable compiler take the sanitizer's flag. One allocation of more than 64 MiB counts as a crash.
# What a run finds goes to a folder that is not the repository's corpus; a crash stays in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
export RUSTC_BOOTSTRAP=1
mapfile -t targets < <(if (($# > 1)); then printf '%s\n' "${@:2}"; else cargo fuzz list; fi)
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
cargo fuzz build
for target in "${targets[@]}"; do
    echo "== fuzz $target, $seconds s"
    options=(-max_total_time="$seconds" -malloc_limit_mb=64 -max_len=4096 -timeout=20 -verbosity=0 -print_final_stats=1)
    [[ ! -f fuzz/dictionaries/$target.dict ]] || options+=(-dict="fuzz/dictionaries/$target.dict")
    mkdir -p "$found/$target" "fuzz/corpus/$target"
    cargo fuzz run "$target" "$found/$target" "fuzz/corpus/$target" -- "${options[@]}" 2>&1 | sed -E '/^(INFO|#)/d'
done
echo "fuzzed ${#targets[@]} targets for $seconds s each"
