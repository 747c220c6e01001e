//! One unlocked keyring and many threads: records per second, what sharing costs, and how much memory and time a
//! keyring takes.
//!
//! `cargo bench -p rxseal-benches --bench threads` prints the tables; `--features aws-lc` adds those of AWS-LC, and
//! `-- --test` runs everything once.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;
#[path = "threads/keyring.rs"]
mod keyring;

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use common::heap::Watched;
use common::{clock, median, open_record, print_table, seal_record};
use rxseal::keys::{Backend, Suite};
use rxseal::{Access, Class, Keyring, Opener};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Two threads compared with one, over one keyring.
const TARGET: f64 = 1.95;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    let (rounds, window) = if quick { (1, 2) } else { (40, 50) };
    for backend in common::backends() {
        println!("{backend:?}\n");
        scaling(backend, rounds, Duration::from_millis(window));
        keyring::unlock(backend, if quick { 1 } else { 500 });
        keyring::memory(backend);
        keyring::many_records(backend, if quick { 1_000 } else { 1_000_000 });
    }
}

/// Work that each of several threads repeats, and how fast it was: by number of threads, by round.
struct Case<'s> {
    name: &'static str,
    /// Makes the work of one thread on one record.
    worker: Box<dyn Fn() -> Worker<'s> + 's>,
    speeds: Vec<Vec<Speed>>,
}

type Worker<'s> = Box<dyn FnMut() + Send + 's>;

/// How fast a number of threads was in one round.
struct Speed {
    records_per_second: f64,
    /// Processor time for a record. It grows if threads wait for each other's memory, and hardly if another program
    /// only took the processor away.
    cpu_ns: f64,
}

fn scaling(backend: Backend, rounds: usize, window: Duration) {
    let cores = thread::available_parallelism().unwrap().get();
    let counts = thread_counts(cores);
    println!("One keyring, {cores} cores, records of 5 sealed fields as text\n");
    let shared = Shared::new(backend);
    let mut groups = [sealing_and_opening(&shared), opening(&shared)];
    for _ in 0..rounds {
        for case in groups.iter_mut().flatten() {
            // One thread, two threads, one thread again: what the machine does meanwhile affects all of them alike.
            for (at, &threads) in counts.iter().enumerate() {
                let speed = measure(case, threads, window);
                case.speeds.resize_with(counts.len(), Vec::new);
                case.speeds[at].push(speed);
            }
        }
    }
    let rows: Vec<_> =
        groups.iter().flat_map(|group| group.iter().flat_map(|case| rows(case, &group[0], &counts))).collect();
    print_table(&["what", "threads", "records/s", "x 1 thread", "of the machine's", "CPU ns/record"], &rows);
    println!("\ntarget: two threads at least {TARGET} x one. The machine's: what threads that share nothing gain.\n");
}

/// All of them on a small machine, powers of two on a large one. Also twice as many threads as there are cores.
fn thread_counts(cores: usize) -> Vec<usize> {
    let few = |count: &usize| *count <= 4 || count.is_power_of_two() || *count == cores;
    (1..=cores).filter(few).chain([2 * cores.max(2)]).collect()
}

/// The values that threads share.
struct Shared {
    backend: Backend,
    keys: Keyring,
    /// An `Access` is counted by reference, so threads that share one contend for its count.
    access: Access,
    opener: Opener,
    limited: Opener,
    tokens: [String; 5],
}

impl Shared {
    fn new(backend: Backend) -> Self {
        let keys = common::unlocked_with(Suite::default(), backend).unobserved();
        let limited = keys.opener().only([Class::IDENTITY, Class::MEDICATION, Class::PRESCRIBER]);
        let tokens = seal_record(&keys.record("prescription", common::RECORD_ID).unwrap());
        Self { backend, access: common::access(), opener: keys.opener(), limited, tokens, keys }
    }
}

fn case<'s>(name: &'static str, worker: impl Fn() -> Worker<'s> + 's) -> Case<'s> {
    Case { name, worker: Box::new(worker), speeds: Vec::new() }
}

/// Each record is made, sealed and opened again. In the first case nothing is shared, so it shows what the machine
/// itself gains: two of its cores may be one.
fn sealing_and_opening(shared: &Shared) -> Vec<Case<'_>> {
    let keys = || shared.keys.clone();
    vec![
        case("a keyring each", || seal_and_open(Shared::new(shared.backend).keys, common::access())),
        case("one keyring, an Access each", move || seal_and_open(keys(), common::access())),
        case("one keyring, one Access", move || seal_and_open(keys(), shared.access.clone())),
    ]
}

/// Each record is made and opened.
fn opening(shared: &Shared) -> Vec<Case<'_>> {
    let open = |opener: &Opener, access: Access| open_only(opener.clone(), access, shared.tokens.clone());
    vec![
        case("opening, a keyring each", || {
            let own = Shared::new(shared.backend);
            open_only(own.opener, own.access, own.tokens)
        }),
        case("opening, one Opener, an Access each", move || open(&shared.opener, common::access())),
        case("opening, one Opener of 3 classes, an Access each", move || open(&shared.limited, common::access())),
        case("opening, one Opener, one Access", move || open(&shared.opener, shared.access.clone())),
    ]
}

fn seal_and_open(keys: Keyring, access: Access) -> Worker<'static> {
    let mut id = 0_u64;
    Box::new(move || {
        id += 1;
        let record = keys.record("prescription", id).unwrap();
        let tokens = seal_record(&record);
        black_box(open_record(&record.opened_by(&access), &tokens));
    })
}

fn open_only(opener: Opener, access: Access, tokens: [String; 5]) -> Worker<'static> {
    Box::new(move || {
        let record = opener.record("prescription", common::RECORD_ID).unwrap();
        black_box(open_record(&record.opened_by(&access), &tokens));
    })
}

/// The results of one thread.
struct Run {
    begun: Instant,
    ended: Instant,
    cpu: Duration,
    records: u64,
}

fn measure(case: &Case<'_>, threads: usize, window: Duration) -> Speed {
    let workers: Vec<Worker<'_>> = (0..threads).map(|_| (case.worker)()).collect();
    let start = Barrier::new(threads);
    let runs: Vec<Run> = thread::scope(|scope| {
        let start = &start;
        let threads = workers.into_iter().map(|worker| scope.spawn(move || run(worker, start, window)));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let records = runs.iter().map(|run| run.records).sum::<u64>() as f64;
    let begun = runs.iter().map(|run| run.begun).min().unwrap();
    let ended = runs.iter().map(|run| run.ended).max().unwrap();
    let cpu = runs.iter().map(|run| run.cpu).sum::<Duration>();
    Speed { records_per_second: records / (ended - begun).as_secs_f64(), cpu_ns: cpu.as_secs_f64() * 1e9 / records }
}

fn run(mut worker: Worker<'_>, start: &Barrier, window: Duration) -> Run {
    // The measurement leaves out what a thread makes once (its buffers, class keys).
    (0..20).for_each(|_| worker());
    start.wait();
    let (begun, cpu) = (Instant::now(), clock::of_thread());
    let mut records = 0;
    loop {
        (0..8).for_each(|_| worker());
        records += 8;
        let ended = Instant::now();
        if ended - begun >= window {
            return Run { begun, ended, cpu: clock::of_thread() - cpu, records };
        }
    }
}

fn rows(case: &Case<'_>, alone: &Case<'_>, counts: &[usize]) -> Vec<Vec<String>> {
    let of = |value: fn(&Speed) -> f64, at: usize| median_of(case.speeds[at].iter().map(value));
    let row = |(at, threads): (usize, &usize)| {
        let machine = factors(alone, at);
        vec![
            case.name.to_owned(),
            threads.to_string(),
            format!("{:.0}", of(|speed| speed.records_per_second, at)),
            format!("{:.2}", median_of(factors(case, at))),
            format!("{:.0} %", 100.0 * median_of(factors(case, at).zip(machine).map(|(own, machine)| own / machine))),
            format!("{:.0}", of(|speed| speed.cpu_ns, at)),
        ]
    };
    counts.iter().enumerate().map(row).collect()
}

/// The gain over one thread, round by round.
fn factors(case: &Case<'_>, at: usize) -> impl Iterator<Item = f64> {
    let pairs = case.speeds[0].iter().zip(&case.speeds[at]);
    pairs.map(|(one, many)| many.records_per_second / one.records_per_second)
}

fn median_of(values: impl Iterator<Item = f64>) -> f64 {
    median(&mut values.collect::<Vec<_>>())
}
