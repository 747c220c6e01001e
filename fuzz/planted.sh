#!/usr/bin/env bash
# Checks that the fuzz targets find bugs: each bug that is planted behind `cfg(rxseal_planted)` must be found from an empty
# corpus within the given number of executions (default 100,000). The cfg does nothing outside of builds of cargo-fuzz.
#
#   fuzz/planted.sh [EXECUTIONS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
executions=${1:-100000}
export RUSTC_BOOTSTRAP=1

# plant BUG TARGET
plant() {
    local folder log
    folder=$(mktemp -d)
    log=$folder/log
    mkdir "$folder/corpus"
    export RUSTFLAGS="--cfg rxseal_planted=\"$1\""
    cargo fuzz build --target-dir fuzz/target/planted "$2" 2>/dev/null
    if cargo fuzz run --target-dir fuzz/target/planted "$2" "$folder/corpus" -- \
        -runs="$executions" -malloc_limit_mb=64 -max_len=4096 -artifact_prefix="$folder/" >"$log" 2>&1; then
        echo "planted $1: $2 did not find it in $executions executions"
        rm -rf "$folder"
        return 1
    fi
    grep -qE 'panicked at|out-of-memory|ERROR: libFuzzer' "$log" || { cat "$log" && rm -rf "$folder" && return 1; }
    echo "planted $1: found by $2 before execution $(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -1) of $executions"
    rm -rf "$folder"
}

plant length token_bytes
plant allocation frame_injective
plant context identifiers
echo "all planted bugs were found"
