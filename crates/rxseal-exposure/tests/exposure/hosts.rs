//! The keys that a stolen host had: those that its programs unlocked, whenever that was, and perhaps those that its root keys open.

use std::time::Duration;

use rxseal::keys::{KeyringFile, Suite};
use rxseal::phi::Note;
use rxseal::testing::{TestClock, create_keyring, insecure_keyring_file, rotate_keyring};
use rxseal::{Keyring, run_local};
use rxseal_exposure::Theft;

use crate::logs::{Logged, open};
use crate::support::{MAP, stolen, told};

fn place_copy(logged: &Logged) {
    std::fs::copy(logged.place.path("rx.csv"), logged.place.path("copy.csv")).unwrap();
}

/// A keyring is unlocked once, and a chain begins each day.
#[test]
fn a_program_has_the_keys_that_it_unlocked_days_ago() {
    let logged = Logged::empty();
    place_copy(&logged);
    let clock = TestClock::default();
    clock.set_back(Duration::from_secs(5 * 86_400));
    let time = |clock: &TestClock| humantime::format_rfc3339_seconds(clock.now()).to_string();
    let mut times = Vec::new();
    logged.run_by(
        "ph17-a",
        |watch| watch.clock(&clock),
        |watch, keys| {
            for _ in 0..3 {
                // Each is in a chain of its own.
                open(keys, "user:lee", 1);
                watch.commit().unwrap();
                clock.advance(Duration::from_secs(60));
                times.push(time(&clock));
                clock.advance(Duration::from_secs(86_400));
            }
        },
    );
    assert!(logged.chains().len() > 2);
    let host = |from: &str, to: &str| {
        let theft = logged.place.theft().stolen(stolen(&format!("host:ph17-a@{from}..{to}")));
        theft.stolen(logged.place.copy("copy.csv", "csv:rx.csv")).log(logged.log(), logged.verifier())
    };
    for pair in times.windows(2) {
        let told = told(host(&pair[0], &pair[1]));
        assert_eq!((told.state("4", "identity"), told.codes()), ("readable", vec![]));
    }
    // The chain with the unlocking is gone with its checkpoints, as old chains are: nobody knows what was unlocked.
    let first = logged.chains().remove(0);
    let id = first.file_stem().unwrap().to_str().unwrap().split_once('-').unwrap().1.to_owned();
    for folder in [logged.log(), logged.place.path("elsewhere")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().contains(&id) {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    let told = told(host(&times[1], &times[2]).keyring(logged.place.ring.clone()));
    assert_eq!((told.state("4", "identity"), told.codes()), ("could-be-read", vec!["log-begins-later"]));
}

/// The root key of a host opens every keyring that is under it, and the log says only which were unlocked.
#[test]
fn a_host_could_open_every_keyring_under_its_root_keys() {
    let logged = Logged::new();
    let own = run_local(create_keyring("clinic-3", &logged.place.roots, Suite::default())).unwrap();
    let (roots, foreign) = insecure_keyring_file("clinic-3").unwrap();
    let later = run_local(rotate_keyring("clinic-3", &roots, &foreign)).unwrap();
    logged
        .place
        .write("map.toml", MAP.replace("at = 'csv:visits.csv'", "at = 'csv:visits.csv'\nkeyspace = 'clinic-3'"));
    let theft = |roots, ring: &KeyringFile| -> Theft {
        let keys = run_local(Keyring::unlock("clinic-3", roots, ring)).unwrap().unobserved();
        let note = keys.record("visit", "v-1").unwrap().seal_text::<Note>("doing well").unwrap();
        for file in ["visits.csv", "copy-of-visits.csv"] {
            logged.place.write(file, format!("visit,note\nv-1,{note}\n"));
        }
        let theft = logged.place.theft().stolen(stolen("host:ph17-a")).log(logged.log(), logged.verifier());
        let theft = theft.stolen(logged.place.copy("copy-of-visits.csv", "csv:visits.csv"));
        theft.keyring(logged.place.ring.clone()).keyring(ring.clone())
    };
    assert_eq!(told(theft(&logged.place.roots, &own)).state("v-1", "clinical"), "could-be-read");
    assert_eq!(told(theft(&roots, &foreign)).state("v-1", "clinical"), "sealed");
    // Nobody gave its first generation, which may have been under the root key of the host.
    let moved = told(theft(&roots, &later));
    assert_eq!((moved.state("v-1", "clinical"), moved.codes()), ("undecided", vec!["key-undecided"]));
    let assumed = |text: &str| moved.exposure.assumed.iter().any(|assumed| assumed.text.contains(text));
    assert!(assumed("the log of the key service was not given"));
}
