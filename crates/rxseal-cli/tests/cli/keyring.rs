//! `rxseal keyring`: the life of a keyring, and the calls that must not change one.

use std::fs;
use std::time::Duration;

use rxseal::keys::KeyringAdmin;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::run_local;
use rxseal::store::FileStore;
use rxseal::subjects::SubjectKeys;
use rxseal::testing::TestClock;
use rxseal_sqlite::SqliteSubjectStore;

use crate::shop::{Shop, TENANT, states};

#[test]
fn the_life_of_a_keyring() {
    for store in ["file:HERE/rings", "sqlite:HERE/rings.db"] {
        let shop = Shop::opened(if store.starts_with("file") { "life-file" } else { "life-sqlite" }, store);
        let first = states(&shop.json("keyring inspect pharmacy-17"))[0].0.clone();
        assert_eq!(shop.ok("keyring list").trim(), TENANT);
        assert!(shop.ok("keyring inspect pharmacy-17").contains("active, primary"));

        let staged = shop.json("keyring stage pharmacy-17")["key"].as_str().unwrap().to_owned();
        let early = shop.fails("keyring promote pharmacy-17", 5);
        assert!(early.contains("staging time has not passed"), "{early}");
        shop.ok("keyring promote pharmacy-17 --staged-for 0s");
        let now = states(&shop.json("keyring inspect pharmacy-17"));
        assert!(now.contains(&(staged, "active".to_owned(), true)));
        assert!(now.contains(&(first.clone(), "deactivated".to_owned(), false)));

        let used = shop.fails(
            &format!("keyring destroy pharmacy-17 {first} --tokens 7 --subject-keys 0 --unused-for 0s --yes"),
            5,
        );
        assert!(used.contains("still under the key"), "{used}");
        shop.ok(&format!("keyring compromise pharmacy-17 {first}"));
        let destroy = format!("keyring destroy pharmacy-17 {first} --tokens 0 --subject-keys 0 --yes");
        let early = shop.fails(&destroy, 5);
        assert!(early.contains("may still seal under it") && early.contains("time left 1 h "), "{early}");
        shop.ok(&format!("{destroy} --unused-for 0s"));
        shop.ok("keyring rotate pharmacy-17");
        shop.ok("keyring index rotate pharmacy-17");
        assert!(shop.ok("keyring verify pharmacy-17").contains("unlocks"));

        // A second root key, then that one alone.
        shop.ok("key-file create escrow.key");
        shop.ok("keyring root add pharmacy-17 file:escrow.key");
        let verified = shop.ok("keyring verify pharmacy-17");
        assert!(verified.contains("not asked"), "{verified}");
        let names: Vec<_> = shop.json("keyring inspect pharmacy-17")["root_keys"].as_array().unwrap().clone();
        let old = names[0]["root_key"].as_str().unwrap().to_owned();
        let refused = shop.fails(&format!("keyring root remove pharmacy-17 local {old}"), 5);
        assert!(refused.contains("not among the trusted ones") && refused.contains(": local "), "{refused}");
        shop.ok(&format!("keyring root remove pharmacy-17 local {old} --root file:root.key --root file:escrow.key"));
        shop.fails("keyring verify pharmacy-17", 5);
        shop.ok("keyring rewrap pharmacy-17 --root file:escrow.key --to file:root.key --yes");
        shop.ok("keyring verify pharmacy-17");
    }
}

#[test]
fn a_dry_run_stores_nothing_and_says_what_it_would() {
    let shop = Shop::opened("dry", "file:HERE/rings");
    let before = shop.stored();
    let key = shop.keys().primary_key();
    for change in ["stage", "rotate", "rewrap"] {
        let text = shop.ok(&format!("keyring {change} pharmacy-17 --dry-run"));
        assert!(text.contains("nothing is stored; it would be generation 2"), "{text}");
    }
    shop.ok("keyring init pharmacy-18 --dry-run");
    // What would be refused is refused.
    shop.fails(&format!("keyring destroy pharmacy-17 {key} --force --dry-run"), 5);
    assert_eq!(shop.stored(), before);
    assert_eq!(shop.ok("keyring list").trim(), TENANT);
}

#[test]
fn a_rewrap_takes_no_root_key_off_unless_told() {
    let shop = Shop::opened("rewrap", "file:HERE/rings");
    shop.ok("key-file create escrow.key");
    shop.ok("keyring root add pharmacy-17 file:escrow.key");
    let refused = shop.fails("keyring rewrap pharmacy-17", 2);
    assert!(refused.contains("would no longer unlock the keyring"), "{refused}");
    shop.ok("keyring rewrap pharmacy-17 --root file:root.key --root file:escrow.key");
    assert_eq!(shop.stored().wraps().count(), 2);
    let unsaid = shop.fails("keyring rewrap pharmacy-17 --to file:root.key", 2);
    assert!(unsaid.contains("--yes"), "{unsaid}");
    assert!(shop.ok("keyring rewrap pharmacy-17 --to file:root.key --dry-run").contains("removed"));
    assert_eq!(shop.stored().wraps().count(), 2);
    shop.ok("keyring rewrap pharmacy-17 --to file:root.key --yes");
    // A root key that was taken off as lost, and that is configured still, does not come back.
    let lost = shop.fails("keyring rewrap pharmacy-17 --root file:root.key --root file:escrow.key", 2);
    assert!(lost.contains("does not unlock the keyring now"), "{lost}");
    assert_eq!(shop.stored().wraps().count(), 1);
    // Whoever takes a root key off next must not be told that all is well.
    let lost = shop.run("keyring verify pharmacy-17 --root file:root.key --root file:nowhere.key");
    assert_eq!(lost.status.code(), Some(1));
    assert!(String::from_utf8(lost.stderr).unwrap().contains("1 of the root keys named here could not be asked"));
    // A root key that somebody relies on, and that is not there, fails the drill.
    let verified = shop.run("keyring verify pharmacy-17 --root file:root.key --root file:escrow.key");
    assert_eq!(verified.status.code(), Some(5));
    assert!(String::from_utf8(verified.stdout).unwrap().contains("no wrap of this root key"));
}

/// One key id of 64 begins with a hyphen, and `-h` and `-V` are options.
#[test]
fn a_key_id_may_begin_with_a_hyphen() {
    let shop = Shop::opened("hyphen", "file:HERE/rings");
    for key in ["-hAbCdEf", "-VAbCdEf", "--AbCdEf", "-1234567"] {
        let text = shop.fails(&format!("keyring compromise pharmacy-17 {key}"), 1);
        assert!(text.contains("not in this keyring"), "{text}");
        let text = shop
            .fails(&format!("keyring destroy pharmacy-17 {key} --tokens 0 --subject-keys 0 --unused-for 0s --yes"), 1);
        assert!(text.contains("not in this keyring"), "{text}");
        let text = shop.fails(&format!("keyring root remove pharmacy-17 local {key}"), 5);
        assert!(text.contains("does not unlock the keyring"), "{text}");
    }
}

/// An older keyring that was put back must not become the newest by a change.
#[test]
fn a_keyring_that_lacks_a_key_in_use_is_not_changed() {
    let shop = Shop::opened("restored", "file:HERE/rings");
    let rings: Vec<_> = fs::read_dir(shop.path("rings")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let file = rings
        .iter()
        .find(|path| path.is_file() && path.file_name().unwrap().to_str().unwrap().contains(TENANT))
        .unwrap();
    let backup = fs::read(file).unwrap();
    shop.ok("keyring rotate pharmacy-17");
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    fs::write(file, backup).unwrap();
    shop.ok("key-file create other.key");
    for change in
        ["rotate pharmacy-17", "stage pharmacy-17", "rewrap pharmacy-17", "root add pharmacy-17 file:other.key"]
    {
        let command = format!("keyring {change} --subject-store sqlite:subjects.db");
        let text = shop.fails(&command, 5);
        assert!(text.contains("an older keyring was put back") && text.contains("--min-generation 1"), "{text}");
        shop.ok(&format!("{command} --min-generation 1 --dry-run"));
    }
    let key = shop.keys().primary_key().to_string();
    for change in ["promote", "deactivate", "compromise"] {
        let text = shop.fails(&format!("keyring {change} pharmacy-17 {key} --subject-store sqlite:subjects.db"), 5);
        assert!(text.contains("an older keyring was put back"), "{change}: {text}");
    }
    // Nor is there a first keyring of a keyspace that has subject keys already.
    let init = "keyring init pharmacy-17 --store file:typo --subject-store sqlite:subjects.db";
    let text = shop.fails(init, 1);
    assert!(text.contains("1 subject keys of pharmacy-17 are stored"), "{text}");
    shop.ok(&format!("{init} --min-generation 1"));
    shop.ok("keyring init pharmacy-18 --store file:typo --subject-store sqlite:subjects.db");
}

/// A machine whose clock is ten years ahead stages a key: the refusal names the skew, and there is a way out.
#[test]
fn a_clock_that_was_ahead_is_named_and_got_over() {
    let shop = Shop::opened("skew", "file:HERE/rings");
    let clock = TestClock::default();
    clock.set_forward(Duration::from_secs(3653 * 86_400));
    let roots = RootKeys::from(RootKeyFile::new(shop.path("root.key")).load().unwrap());
    let ahead = KeyringAdmin::new(FileStore::new(shop.path("rings")), roots).clock(&clock);
    let (_, staged) = run_local(ahead.stage(TENANT)).unwrap();
    for change in ["promote pharmacy-17", "promote pharmacy-17 --staged-for 0s", "rotate pharmacy-17"] {
        let text = shop.fails(&format!("keyring {change}"), 5);
        assert!(text.contains("clock skew: ") && text.contains("--clock-is-right (ahead by 365"), "{change}: {text}");
    }
    let text = shop.fails("keyring promote pharmacy-17 --clock-is-right", 5);
    assert!(text.contains("wait that long by another clock"), "{text}");
    // Without the key that has the wrong time all is as before.
    shop.ok(&format!("keyring destroy pharmacy-17 {staged} --tokens 0 --subject-keys 0 --yes"));
    shop.ok("keyring stage pharmacy-17");
    let early = shop.fails("keyring promote pharmacy-17", 5);
    assert!(early.contains("time left 9 min ") || early.contains("time left 10 min 0 s"), "{early}");

    // One that rotated can be rotated out by who says that this clock is right.
    run_local(ahead.rotate(TENANT)).unwrap();
    shop.fails("keyring rotate pharmacy-17", 5);
    shop.ok("keyring rotate pharmacy-17 --clock-is-right");
}
