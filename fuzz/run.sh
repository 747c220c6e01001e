#!/usr/bin/env bash
# Runs every fuzz target for the given number of seconds (default 60), with the address sanitizer. As many targets run at once
# as there are cores, each on one.
#
#   fuzz/run.sh [SECONDS [TARGET...]]
#
# `RUSTC_BOOTSTRAP=1` lets the stable compiler take the sanitizer's flag. One allocation of more than 64 MiB counts as a crash.
# New inputs go to a folder that is not the repository's corpus. A crash stays in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
export RUSTC_BOOTSTRAP=1
mapfile -t targets < <(if (($# > 1)); then printf '%s\n' "${@:2}"; else cargo fuzz list; fi)
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
cargo fuzz build

# fuzz TARGET: its output is printed in one piece at its end
fuzz() {
    local target=$1 status=0
    local options=(-max_total_time="$seconds" -malloc_limit_mb=64 -max_len=4096 -timeout=20 -verbosity=0 -print_final_stats=1)
    [[ ! -f fuzz/dictionaries/$target.dict ]] || options+=(-dict="fuzz/dictionaries/$target.dict")
    mkdir -p "$found/$target" "fuzz/corpus/$target"
    cargo fuzz run "$target" "$found/$target" "fuzz/corpus/$target" -- "${options[@]}" >"$found/$target.log" 2>&1 || status=$?
    echo "== fuzz $target, $seconds s"
    sed -E '/^(INFO|#)/d' "$found/$target.log"
    return "$status"
}

failed=0 running=0
for target in "${targets[@]}"; do
    if ((running == $(nproc))); then
        wait -n || failed=1
        running=$((running - 1))
    fi
    fuzz "$target" &
    running=$((running + 1))
done
for ((; running > 0; running--)); do
    wait -n || failed=1
done
((failed == 0)) || exit 1
echo "fuzzed ${#targets[@]} targets for $seconds s each"
