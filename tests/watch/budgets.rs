//! Whom budgets refuse: a thief, and nobody at a busy desk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rxseal::phi::Drug;
use rxseal_watch::budget::{Budget, FrozenList, Ledger, Level, Mode, Rate, Verdict};
use rxseal_watch::{Budgets, WatchError};

use rxseal_search::Find;

use crate::patients::{BornOn, rows};
use crate::support::{Place, access, is_full, keyring, open_records};
use crate::tampering::Draw;

const HOUR: u64 = 3600;

fn is_allowed(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Allowed { .. })
}

/// A shift of 12 hours at a very busy desk: 60 fills an hour, three times that for two hours, a queue of 50 that is read again every 2 minutes,
/// and searches by name that show 20 people each. Gives how many were refused, and how many different patients there were.
fn shift(ledger: &Ledger, actor: &str, begins: u64, draw: &mut Draw) -> (u64, usize) {
    const PATIENTS: usize = 2_300_000;
    let (mut refused, mut seen) = (0, std::collections::BTreeSet::new());
    let mut queue: Vec<usize> = (0..50).map(|_| draw.below(PATIENTS)).collect();
    let mut open = |patients: &[usize], second: u64| {
        let ids: Vec<_> = patients.iter().map(|patient| format!("pat-{patient}")).collect();
        seen.extend(patients.iter().copied());
        let verdict = ledger.open(actor, ids.iter().map(String::as_str), Duration::from_secs(begins + second));
        refused += u64::from(!is_allowed(verdict));
    };
    for second in 0..12 * HOUR {
        let is_peak = (3 * HOUR..5 * HOUR).contains(&second);
        let each = if is_peak { 20 } else { 60 };
        if second % 120 == 0 {
            let at = draw.below(queue.len());
            queue[at] = draw.below(PATIENTS);
            open(&queue, second);
        }
        if second % each == 0 {
            // A fill: its patient, and on the way one search that shows 20 people, of whom some are of the queue.
            let patient = draw.below(PATIENTS);
            let shown: Vec<_> =
                (0..20).map(|n| if n < 10 { queue[draw.below(queue.len())] } else { draw.below(PATIENTS) }).collect();
            open(&shown, second);
            open(&[patient], second);
            open(&[patient], second);
        }
    }
    (refused, seen.len())
}

#[test]
fn no_shift_is_refused() {
    let shifts = if is_full() { 300 } else { 10 };
    let mut draw = Draw(300);
    let mut most = 0;
    for shift_number in 0..shifts {
        // The same pharmacist, a day later, at a desk that never rests between.
        let ledger = Ledger::new(Budgets::pharmacy()).unwrap();
        let (refused, patients) = shift(&ledger, "user:kim.rph", 0, &mut draw);
        let (again, _) = shift(&ledger, "user:kim.rph", 24 * HOUR, &mut draw);
        assert_eq!((refused, again), (0, 0), "shift {shift_number}");
        most = most.max(patients);
    }
    println!("{shifts} pairs of shifts, at most {most} patients in one: nobody refused");
}

/// T75.
#[test]
fn a_thief_is_alarmed_within_5_seconds_and_refused_after_1005_patients() {
    let ledger = Ledger::new(Budgets::pharmacy()).unwrap();
    let (mut got, mut alarmed, mut refused) = (0_u64, None, None);
    let mut after_an_hour = 0;
    for tick in 0..72 * HOUR * 100 {
        // A hundred patients a second. After the first refusals it is enough to try every second.
        if refused.is_some_and(|first| tick > first + 1000) && tick % 100 != 0 {
            continue;
        }
        if tick == HOUR * 100 {
            after_an_hour = got;
        }
        let id = format!("pat-{tick}");
        match ledger.open("user:kim.rph", [id.as_str()], Duration::from_millis(tick * 10)) {
            Verdict::Allowed { level, is_news, .. } => {
                got += 1;
                if is_news && level == Level::Half {
                    alarmed.get_or_insert(tick);
                }
            }
            Verdict::Refused { retry_after, .. } => {
                assert!(retry_after.unwrap() <= Duration::from_secs(8));
                if refused.is_none() {
                    refused = Some(tick);
                    assert_eq!(got, 1005);
                }
            }
            other => panic!("{other:?}"),
        }
    }
    println!(
        "alarmed after {alarmed:?}, refused after {refused:?} hundredths of a second, {after_an_hour} in an hour, {got} in 72 hours"
    );
    assert!(alarmed.unwrap() <= 504 && refused.unwrap() <= 1100);
    assert!((2990..=3001).contains(&after_an_hour), "{after_an_hour}");
    assert!((45_000..=46_000).contains(&got), "{got}");
}

#[test]
fn what_was_refused_is_no_cheaper_the_next_time() {
    let budget = Budget::new(Rate::per_hour(3600, 3), Rate::per_day(86_400, 1000));
    let ledger = Ledger::new(Budgets::of_all(budget)).unwrap();
    let open = |ids: &[&str], at: u64| ledger.open("svc:x", ids.iter().copied(), Duration::from_secs(at));
    assert!(is_allowed(open(&["a", "b"], 0)));
    // A page is charged as a whole, and each patient once.
    assert!(matches!(open(&["c", "d"], 0), Verdict::Refused { retry_after: Some(wait), .. } if wait.as_secs() == 1));
    for _ in 0..3 {
        assert!(!is_allowed(open(&["d", "c"], 0)), "a refused patient is refused again");
    }
    assert!(is_allowed(open(&["c", "c", "a", "b", "c"], 0)));
    assert!(is_allowed(open(&["a", "b", "c"], 0)), "what was opened lately is free");
    assert!(is_allowed(open(&[], 0)));
    assert!(!is_allowed(open(&["e"], 0)));
    assert!(is_allowed(open(&["e"], 1)));
    // More at once than the budget ever allows.
    assert!(matches!(open(&["f", "g", "h", "i"], 1000), Verdict::Refused { retry_after: None, .. }));
    assert!(is_allowed(open(&["f", "g", "h"], 1000)));
}

/// The threads of one actor get together what one thread would, whatever their order: a model that knows nothing of threads says how much.
#[test]
fn eight_threads_get_no_more_than_one() {
    let charges: u64 = match (cfg!(debug_assertions), is_full()) {
        (true, _) => 40_000,
        (false, false) => 1_000_000,
        (false, true) => 10_000_000,
    };
    const BURST: u64 = 20_000;
    let budget = Budget::new(Rate::per_hour(1, BURST), Rate::per_day(1, BURST));
    let ledger = Arc::new(Ledger::new(Budgets::of_all(budget)).unwrap());
    let (allowed, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (ledger, allowed, refused) = (Arc::clone(&ledger), Arc::clone(&allowed), Arc::clone(&refused));
            scope.spawn(move || {
                for n in 0..charges / 8 {
                    let id = format!("pat-{thread}-{n}");
                    let verdict = ledger.open("svc:x", [id.as_str()], Duration::ZERO);
                    if is_allowed(verdict) {
                        allowed.fetch_add(1, Ordering::Relaxed);
                    } else {
                        refused.fetch_add(1, Ordering::Relaxed);
                        assert!(!is_allowed(ledger.open("svc:x", [id.as_str()], Duration::ZERO)));
                    }
                }
            });
        }
    });
    assert_eq!(allowed.load(Ordering::Relaxed), BURST.min(charges));
    assert_eq!(refused.load(Ordering::Relaxed), charges - BURST.min(charges));
}

/// The budget against a model: a window that is computed in rational numbers, over random times and pages.
#[test]
fn charges_are_those_of_a_sequential_model() {
    let cases = if is_full() { 1_000_000 } else { 20_000 };
    let mut draw = Draw(9);
    // One patient each 36 seconds in the hour's bucket, each 8.64 in the day's.
    let (hour, day) = ((36_000_u64, 40_u64), (8_640, 300));
    let budget = Budget::new(Rate::per_hour(100, 40), Rate::per_day(10_000, 300));
    let ledger = Ledger::new(Budgets::of_all(budget)).unwrap();
    let mut used = [0_u64; 2];
    let (mut now, mut next, mut last) = (0_u64, 0_u64, 0_u64);
    let mut outcomes = [0; 2];
    for _ in 0..cases {
        now += draw.below(40_000) as u64 * u64::from(draw.below(4) == 0);
        for level in &mut used {
            *level = level.saturating_sub(now - last);
        }
        last = now;
        let patients = 1 + draw.below(6) as u64;
        let ids: Vec<_> = (0..patients).map(|n| format!("{}", next + n)).collect();
        next += patients;
        let after = [used[0] + patients * hour.0, used[1] + patients * day.0];
        let fits = after[0] <= hour.0 * hour.1 && after[1] <= day.0 * day.1;
        let verdict = ledger.open("svc:x", ids.iter().map(String::as_str), Duration::from_millis(now));
        assert_eq!(is_allowed(verdict), fits, "at {now} with {used:?}");
        if fits {
            used = after;
        }
        outcomes[usize::from(fits)] += 1;
    }
    println!("{} refused, {} allowed", outcomes[0], outcomes[1]);
    assert!(outcomes.iter().all(|count| *count > 0));
}

#[test]
fn an_idle_actor_is_never_refused_and_no_clock_overflows() {
    let ledger = Ledger::new(Budgets::pharmacy()).unwrap();
    let century = 100 * 366 * 24 * HOUR;
    // A suspended machine, a jump, a hundred years of uptime, and the last second that is counted.
    for at in [0, 1, 8 * HOUR, 30 * 24 * HOUR, century, u64::MAX / 1_000_000_000] {
        let ids: Vec<_> = (0..1000).map(|n| format!("{at}-{n}")).collect();
        let verdict = ledger.open("user:kim", ids.iter().map(String::as_str), Duration::from_secs(at));
        assert!(is_allowed(verdict) || at == 1, "{at}: {verdict:?}");
    }
}

#[test]
fn too_many_actors_share_one_budget() {
    let ledger = Ledger::new(Budgets::of_all(Budget::new(Rate::per_hour(1, 2), Rate::per_day(1, 2)))).unwrap();
    let open = |actor: u64, patient: &str| ledger.open(&format!("user:{actor}"), [patient], Duration::ZERO);
    for actor in 0..10_000 {
        assert!(is_allowed(open(actor, "a")));
    }
    assert!(is_allowed(open(10_000, "a")) && is_allowed(open(10_001, "b")));
    assert!(!is_allowed(open(10_002, "c")), "the rest shares one budget");
    assert!(is_allowed(open(7, "b")), "those that are known have their own");
    // A day later, the idle ones are forgotten.
    let later = Duration::from_secs(25 * HOUR);
    assert!(is_allowed(ledger.open("user:new", ["x"], later)));
    assert!(is_allowed(ledger.open("user:new", ["y"], later)));
}

#[test]
fn modes_and_shares() {
    let rates = (Rate::per_hour(4, 4), Rate::per_day(4, 4));
    let patients: Vec<_> = (0..4).map(|n| n.to_string()).collect();
    let verdicts = |budgets: Budgets| -> Vec<Verdict> {
        let ledger = Ledger::new(budgets).unwrap();
        (0..6)
            .map(|n: usize| {
                ledger.open("svc:x", [patients.get(n).map_or("other", String::as_str), "z"], Duration::ZERO)
            })
            .collect()
    };
    let budget = Budget::new(rates.0, rates.1);
    let allowed = |verdicts: &[Verdict]| verdicts.iter().filter(|verdict| is_allowed(**verdict)).count();
    assert_eq!(allowed(&verdicts(Budgets::of_all(budget))), 3);
    assert_eq!(allowed(&verdicts(Budgets::of_all(budget).share(2))), 1);
    let observed = verdicts(Budgets::of_all(budget.mode(Mode::Observe)));
    assert_eq!(allowed(&observed), 6);
    let levels: BTreeMap<_, _> = observed.iter().enumerate().collect();
    assert!(matches!(levels[&4], Verdict::Allowed { level: Level::Over, is_news: false, .. }), "{observed:?}");
    let alarmed = verdicts(Budgets::of_all(budget.mode(Mode::Alarm)));
    assert!(matches!(alarmed[3], Verdict::Allowed { level: Level::Over, is_news: true, .. }), "{alarmed:?}");
}

#[test]
fn a_watch_denies_from_the_first_day_and_charges_hits() {
    let place = Place::new();
    let budget = Budget::new(Rate::per_hour(1, 3), Rate::per_day(1, 3));
    let watch = place.watch().budgets(Budgets::of_all(budget)).start().unwrap();
    let (roots, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let options = rxseal::keys::UnlockOptions::default().with_index_roots();
    let unlocked = rxseal::run_local(rxseal::Keyring::unlock_with(options, "pharmacy-17", &roots, &file)).unwrap();
    let keys = unlocked.observed_by(watch.observer());
    let rows = rows(&keys, 8);
    let born = keys.indexer().unwrap().find::<BornOn>("1970-01-31").unwrap();
    // Eight candidates, two hits: two are charged.
    let access = access();
    let hits = born.hits(&keys, rows.clone(), &access).only(|patient| patient.id <= 2);
    assert_eq!(hits.filter(Result::is_ok).count(), 2);
    keys.open(&rows[2], &access).unwrap();
    // Three more are too many for the budget, and no hit is handed out.
    let all: Vec<_> = born.hits(&keys, rows.clone(), &access).collect();
    assert_eq!(all.len(), 1);
    let refused = rxseal_search_error(all.into_iter().next().unwrap().err().unwrap());
    assert_eq!(refused, "page-over-burst");
    // An index is computed anew without a budget.
    assert!(keys.reindex_all(&rows, &access).iter().all(Result::is_ok));
    let error = keys.open(&rows[5], &access).err().unwrap();
    let error = WatchError::of(&error).unwrap();
    assert!(error.is_over_budget() && error.retry_after().unwrap() > Duration::from_secs(3000));
    // Each record of a page says why.
    let page = keys.open_all(&rows, &access).into_iter();
    assert!(page.map(|row| rxseal_search_error(row.err().unwrap())).all(|code| code == "page-over-burst"));
    watch.stop().unwrap();
    let outcomes: Vec<_> = place.openings().iter().map(|event| event["out"].clone()).collect();
    assert_eq!(outcomes, ["ok", "ok", "over_budget", "ok", "over_budget", "over_budget"]);
    let refused = &place.openings()[2];
    assert_eq!((refused["rec"].as_array().unwrap().len(), &refused["bud"]), (8, &serde_json::json!("over")));
    let told: Vec<_> = place.events().into_iter().filter(|event| event["e"] == "budget").collect();
    assert!(told.iter().any(|event| event["what"] == "deny" && event["who"] == "user:kim.rph"), "{told:?}");
}

fn rxseal_search_error(error: rxseal::Error) -> &'static str {
    WatchError::of(&error).unwrap().code()
}

/// A list of a service that runs as another user, and two operators at once.
#[test]
fn a_list_keeps_its_mode_and_loses_no_actor() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    let path = place.folder().join("frozen");
    std::fs::write(&path, "user:first\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::thread::scope(|threads| {
        for operator in 0..4 {
            let list = FrozenList::at(&path);
            threads.spawn(move || {
                for at in 0..25 {
                    assert!(list.set(&format!("user:{operator}-{at}"), true).unwrap());
                }
            });
        }
    });
    assert_eq!(FrozenList::at(&path).actors().unwrap().len(), 101);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_frozen_actor_opens_nothing_until_a_person_unfreezes_it() {
    let place = Place::new();
    let list = FrozenList::at(place.folder().join("frozen"));
    assert!(list.set("user:kim.rph", true).unwrap() && !list.set("user:kim.rph", true).unwrap());
    assert_eq!(list.set("kim", true).unwrap_err().code(), "invalid-settings");
    let budgets = Budgets::pharmacy().frozen_in(place.folder().join("frozen"));
    let watch = place.watch().budgets(budgets).start().unwrap();
    let keys = keyring(&watch);
    let record = keys.record("prescription", 1).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    let code = || {
        let opened = record.opened_by(&access()).open::<Drug, String>(&token);
        opened.err().map(|error| WatchError::of(&error).unwrap().code())
    };
    assert_eq!(code(), Some("frozen"));
    let glass = access().break_glass("1", "patient unconscious").unwrap();
    assert!(record.opened_by(&glass).open::<Drug, String>(&token).is_err(), "nor by breaking the glass");
    open_records(&keys, &rxseal::Access::new("user:lee.rph", rxseal::Purpose::TREAT).unwrap(), [1]);
    assert!(list.set("user:kim.rph", false).unwrap());
    // It is read every 5 seconds.
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while code().is_some() {
        assert!(std::time::Instant::now() < until, "it stays frozen");
        std::thread::sleep(Duration::from_millis(100));
    }
    watch.stop().unwrap();
    let told: Vec<_> = place.events().into_iter().filter(|event| event["e"] == "budget").collect();
    assert_eq!(told.iter().map(|event| event["what"].clone()).collect::<Vec<_>>(), ["unfreeze"]);
    assert!(place.openings().iter().any(|event| event["out"] == "frozen"));
}
