//! Getting the keys: loading them, asking for one that is held, and the memory of those that are held.

use std::hint::black_box;
use std::sync::Arc;

use rxseal::keys::{Backend, Suite};
use rxseal::subjects::{LoadedSubjects, SubjectKeys};
use rxseal::{Keyring, run_local};

use crate::common::heap::watch;
use crate::common::{self, clock, median, print_table};
use crate::patients::{Counted, Folder, Patients};

const HELD: usize = 100_000;
const BATCH: usize = 10_000;
const MEMORY_TARGET_MIB: f64 = 64.0;

/// The cost of each way to get a key, and how often the store is asked.
pub fn time(backend: Backend, count: usize, rounds: usize) {
    let keys = common::unlocked_with(Suite::default(), backend).unobserved();
    let patients = Patients::new(&keys, count);
    let folder = Folder::new();
    let mut rows = Vec::new();
    for (name, store) in [("memory", patients.in_memory()), ("SQLite", patients.in_sqlite(&folder))] {
        let bench = Bench { keys: &keys, patients: &patients, store: &store };
        let whats = ["load, none held", "load, all held", "subject(), each held"];
        let works = [Bench::load_cold, Bench::load_warm, Bench::ask_warm];
        for (what, work) in whats.into_iter().zip(works) {
            let (mut times, mut queries): (Vec<_>, Vec<_>) = (0..rounds).map(|_| work(&bench)).unzip();
            queries.dedup();
            let [queries] = queries[..] else { panic!("{what}: {queries:?} queries") };
            rows.push(vec![
                format!("{name}: {what}"),
                queries.to_string(),
                format!("{:.2}", median(&mut times) / count as f64),
            ]);
        }
    }
    println!("The keys of {count} patients\n");
    print_table(&["what", "queries", "CPU us/key"], &rows);
    println!("\ntarget: one query for a batch that is loaded, none for what is held.\n");
}

struct Bench<'b> {
    keys: &'b Keyring,
    patients: &'b Patients,
    store: &'b Arc<Counted>,
}

impl Bench<'_> {
    fn load_cold(&self) -> (f64, usize) {
        let subjects = SubjectKeys::new(Arc::clone(self.store));
        self.take(1, || self.load(&subjects))
    }

    fn load_warm(&self) -> (f64, usize) {
        let subjects = self.warm();
        self.take(0, || self.load(&subjects))
    }

    fn ask_warm(&self) -> (f64, usize) {
        let subjects = self.warm();
        self.take(0, || self.patients.names().for_each(|id| drop(run_local(subjects.subject(self.keys, id)).unwrap())))
    }

    fn warm(&self) -> SubjectKeys {
        let subjects = SubjectKeys::new(Arc::clone(self.store));
        drop(self.load(&subjects));
        subjects
    }

    fn load(&self, subjects: &SubjectKeys) -> LoadedSubjects {
        run_local(subjects.load(self.keys, self.patients.names())).unwrap()
    }

    /// Microseconds of processor time, and the number of queries, which must be as expected.
    fn take<T>(&self, expected: usize, work: impl FnOnce() -> T) -> (f64, usize) {
        let begun = clock::of_thread();
        let (queries, result) = self.store.queries_of(work);
        let took = (clock::of_thread() - begun).as_secs_f64() * 1e6;
        drop(black_box(result));
        assert_eq!(queries, expected);
        (took, queries)
    }
}

/// As many keys as are held by default, loaded in batches.
pub fn memory() {
    let keys = common::keyring(Suite::default());
    let patients = Patients::new(&keys, HELD);
    let store = patients.in_memory();
    let names: Vec<_> = patients.names().collect();
    let load = |subjects: &SubjectKeys, names: &[&str]| {
        drop(run_local(subjects.load(&keys, names.iter().copied())).unwrap());
    };
    let (subjects, heap) = watch(|| {
        let subjects = SubjectKeys::new(Arc::clone(&store));
        names.chunks(BATCH).for_each(|batch| load(&subjects, batch));
        subjects
    });
    let (queries, ()) = store.queries_of(|| load(&subjects, &names));
    assert_eq!(queries, 0, "not all of them are held");
    let mib = |bytes: i64| bytes as f64 / 1024.0 / 1024.0;
    print_table(
        &["subject keys held", "MiB", "bytes each", "most MiB at once", "target"],
        &[vec![
            HELD.to_string(),
            format!("{:.1}", mib(heap.left)),
            format!("{:.0}", heap.left as f64 / HELD as f64),
            format!("{:.1}", mib(heap.peak)),
            format!("{MEMORY_TARGET_MIB:.0}"),
        ]],
    );
    assert!(mib(heap.left) < MEMORY_TARGET_MIB, "the cache takes too much memory");
}
