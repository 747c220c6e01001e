//! The cost of an operation, in numbers that do not change between runs: instructions under valgrind as a ratio to the
//! floor, and the exact number of random draws and heap allocations.
//!
//! `cargo bench -p rxseal-benches --bench counts` prints draws and allocations. `.ci/counts.py` also runs this under
//! valgrind, and compares everything with `.ci/counts.json`. For times, run `ratios` on a quiet machine.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
mod floor;
mod indexes;
mod ledger;
mod operations;

use operations::Operation;

/// Calls that callgrind counts, after as many that it does not count: by then everything that is made once exists
/// (class keys, the scratch buffer, the processor's features).
const CALLS: u32 = 20;

fn main() {
    if std::env::args().any(|argument| argument == "--instructions") {
        operations::run_all(print_for_callgrind);
    } else {
        operations::run_all(print_exact);
    }
}

/// One line an operation: its name, how often it was called, and the names of the operations that make up its floor.
fn print_for_callgrind(operation: &mut Operation<'_>) {
    let calls = CALLS.div_ceil(operation.heaviness);
    repeat(&mut operation.run, calls);
    rxseal_counted_calls(&mut operation.run, calls);
    println!("{}\t{calls}\t{}", operation.name, operation.floor.join("\t"));
}

/// One line an operation: its name, draws and allocations.
fn print_exact(operation: &mut Operation<'_>) {
    repeat(&mut operation.run, 2);
    let [first, second] = [(); 2].map(|()| ledger::entries_of(&mut operation.run));
    assert_eq!(first, second, "{} does not do the same each time", operation.name);
    let (draws, allocations) = first;
    println!("{}\t{draws}\t{allocations}", operation.name);
}

/// What callgrind is told to count, by its name in the symbol table.
#[unsafe(no_mangle)]
#[inline(never)]
fn rxseal_counted_calls(run: &mut dyn FnMut(), calls: u32) {
    repeat(run, calls);
}

fn repeat(run: &mut dyn FnMut(), calls: u32) {
    for _ in 0..calls {
        run();
    }
}
