//! Each red line, and what raises it.

use rxseal::keys::{KeyState, Suite};
use rxseal::run_local;
use rxseal_evidence::{Topic, Verdict};
use serde_json::json;

use crate::support::{ARN, World, ring, scan, unwrapped};

const DAY: u64 = 86_400;

#[test]
fn nothing_is_red_where_nothing_is_wrong() {
    let world = World::new();
    let pack = world.write();
    assert_eq!((pack.verdict(), pack.remarks()), (Verdict::Complete, &[][..]));
}

#[test]
fn a_root_key_beside_the_data() {
    let local = [("local", "AAAAAAAAAAA"), ("local", "BBBBBBBBBBB")];
    let mut world = World::new();
    world.ring = ring(&local, Suite::default());
    world.scan = Some(scan(&world.map, &world.ring));
    world.data_host = "localhost";
    world.has_local_root = Some(true);
    // What is seen counts more than what is said.
    world.stated.push((Topic::Apart, "yes"));
    let twice = vec!["root-key-beside-data"; 2];
    assert_eq!(world.codes(), (twice.clone(), vec![]));

    // Elsewhere, but somebody says that it is not apart. Who says no is heard.
    let mut world = World::new();
    world.stated.extend([(Topic::Apart, "yes"), (Topic::Apart, "no")]);
    assert_eq!(world.codes(), (twice, vec![]));
}

#[test]
fn files_of_the_map_are_data_on_this_machine() {
    let mut world = World::new();
    world.ring = ring(&[("local", "AAAAAAAAAAA"), ("aws-kms", &format!("{ARN}a"))], Suite::default());
    world.map = crate::support::MAP.to_owned();
    world.scan = Some(scan(&world.map, &world.ring));
    world.has_local_root = Some(true);
    assert_eq!(world.codes(), (vec!["root-key-beside-data"], vec![]));
}

#[test]
fn one_root_key_alone() {
    let mut world = World::new();
    world.ring = ring(&[("aws-kms", &format!("{ARN}a"))], Suite::default());
    world.scan = Some(scan(&world.map, &world.ring));
    assert_eq!(world.codes(), (vec!["one-root-key"], vec![]));
}

#[test]
fn a_suite_that_nist_has_not_approved() {
    let mut world = World::new();
    let two = [("aws-kms", &*format!("{ARN}a")), ("aws-kms", &*format!("{ARN}b"))];
    world.ring = ring(&two, Suite::XChaCha20Poly1305);
    world.scan = Some(scan(&world.map, &world.ring));
    assert_eq!(world.codes(), (vec!["algorithm-not-approved"], vec![]));
}

#[test]
fn findings_of_a_scan() {
    for (kind, certainty, code) in [
        ("plaintext", "certain", "plaintext-found"),
        ("index-plaintext", "certain", "plaintext-found"),
        ("known-value", "certain", "plaintext-found"),
        ("ssn", "possible", "plaintext-possible"),
        ("token-elsewhere", "certain", "tokens-wrong"),
        ("key-compromised", "certain", "tokens-wrong"),
        // Of a newer scan.
        ("a-new-kind", "certain", "plaintext-found"),
    ] {
        let mut world = World::new();
        world.find(kind, certainty);
        // Whatever the scan says of itself.
        assert_eq!(world.codes(), (vec![code], vec![]), "{kind}");
    }
}

#[test]
fn no_scan_of_the_last_thirty_days() {
    let mut world = World::new();
    world.scan = None;
    assert_eq!(world.codes(), (vec!["no-scan"], vec![]));
    let mut world = World::new();
    world.is_scanned_now = false;
    assert_eq!(world.codes(), (vec![], vec![]), "the log has it");
    for (later, red) in [(30 * DAY - 60, vec![]), (30 * DAY + 60, vec!["scan-old"])] {
        let mut world = World::new();
        world.is_scanned_now = false;
        world.later = later;
        assert_eq!(world.codes(), (red, vec![]), "{later}");
    }
    // A date that is still to come, and none.
    for at in [json!(u64::MAX), json!(null)] {
        let mut world = World::new();
        world.has_log = false;
        world.is_scanned_now = false;
        world.change_scan(|scan| scan["at"] = at);
        assert_eq!(world.codes(), (vec!["scan-old", "restore-drill-old"], vec!["scan-undated", "no-log"]));
    }
}

#[test]
fn no_restore_drill_of_the_last_180_days() {
    let mut world = World::new();
    world.drills = vec![("theft", "passed"), ("key-loss", "passed")];
    assert_eq!(world.codes(), (vec!["restore-drill-old"], vec![]));
    for (later, red) in [(180 * DAY - 60, vec!["scan-old"]), (180 * DAY + 60, vec!["scan-old", "restore-drill-old"])] {
        let mut world = World::new();
        world.later = later;
        assert_eq!(world.codes(), (red, vec![]), "{later}");
    }
    // One of another keyspace proves nothing of this one. One of the map is of all that it has.
    let mut world = World::new();
    world.drill_of = Some("pharmacy-18");
    assert_eq!(world.codes(), (vec!["restore-drill-old"], vec![]));
    let mut world = World::new();
    world.drill_of = None;
    assert_eq!(world.codes(), (vec![], vec![]));
    // The last one counts, and only if it passed.
    let mut world = World::new();
    world.drills = vec![("restore", "passed"), ("restore", "failed")];
    assert_eq!(world.codes(), (vec!["restore-drill-failed"], vec![]));
    let mut world = World::new();
    world.drills = vec![("restore", "failed"), ("restore", "passed")];
    assert_eq!(world.codes(), (vec![], vec![]));
}

/// An unlocking at the key service that no log has.
#[test]
fn a_keyring_that_nobody_watches() {
    let mut world = World::new();
    world.service = Some([unwrapped("pharmacy-17"), unwrapped("pharmacy-17")].join("\n"));
    assert_eq!(world.codes(), (vec!["unobserved"], vec![]));
    let mut world = World::new();
    world.stated = vec![(Topic::Observed, "no")];
    assert_eq!(world.codes(), (vec!["unobserved"], vec![]));
}

/// What a changed log says is not believed: it has the drill and the scan.
#[test]
fn a_log_that_somebody_changed() {
    let mut world = World::new();
    world.changes_log = true;
    world.is_scanned_now = false;
    assert_eq!(world.codes(), (vec!["log-tampered", "restore-drill-old"], vec!["scan-undated"]));
}

#[test]
fn tokens_under_a_key_that_is_no_key_any_more() {
    for (state, code) in [(KeyState::Compromised, "compromised-key-used"), (KeyState::Destroyed, "destroyed-key-used")]
    {
        let mut world = World::new();
        let (roots, first) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
        let old = first.keys().iter().find(|key| key.is_primary() && key.suite().is_some()).unwrap().id();
        let second = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
        world.scan = Some(scan(&world.map, &first));
        let forced = rxseal::testing::force_key_state("pharmacy-17", &roots, &second, old, state);
        world.ring = run_local(forced).unwrap();
        world.stated.push((Topic::Apart, "yes"));
        assert_eq!(world.codes(), (vec!["one-root-key", code], vec![]));
    }
}
