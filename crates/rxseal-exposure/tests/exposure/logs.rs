//! What a log of openings proves, and what it does not.

use std::fs;
use std::path::PathBuf;

use rxseal::phi::{Drug, Note, PatientName};
use rxseal::testing::insecure_keyring_file;
use rxseal::{Access, Keyring, Purpose, run_local};
use rxseal_exposure::Theft;
use rxseal_watch::verify::Verifier;
use rxseal_watch::{CheckpointFolder, FileLog, SigningKey, Watch, WatchBuilder};

use crate::support::{Place, stolen, told};

/// A place with a log in which kim opened two of five patients, and lee a third one.
pub struct Logged {
    pub place: Place,
    pub key: SigningKey,
}

impl Logged {
    /// With an empty log.
    pub fn empty() -> Self {
        let place = Place::new();
        place.fill(5);
        Self { place, key: SigningKey::generate("ph17.example").unwrap() }
    }

    pub fn new() -> Self {
        let logged = Self::empty();
        logged.run("ph17-a", |keys| {
            for (who, number) in [("user:kim", 1), ("user:kim", 2), ("user:lee", 3)] {
                open(keys, who, number);
            }
        });
        logged
    }

    /// What a program does under a watch.
    pub fn run(&self, host: &str, work: impl FnOnce(&Keyring)) {
        self.run_by(host, |watch| watch, |_, keys| work(keys));
    }

    /// The same, with other settings of the watch.
    pub fn run_by(
        &self,
        host: &str,
        settings: impl FnOnce(WatchBuilder) -> WatchBuilder,
        work: impl FnOnce(&Watch, &Keyring),
    ) {
        fs::create_dir_all(self.log()).unwrap();
        fs::create_dir_all(self.place.path("elsewhere")).unwrap();
        let log = FileLog::in_folder(self.log(), self.key.expose_text().parse().unwrap()).unwrap();
        let elsewhere = CheckpointFolder::new(self.place.path("elsewhere"));
        let watch = settings(Watch::over(log).service("fulfil-api").host(host).copy_to(elsewhere)).start().unwrap();
        let keys = run_local(Keyring::unlock("pharmacy-17", &self.place.roots, &self.place.ring)).unwrap();
        let keys = keys.observed_by(watch.observer());
        work(&watch, &keys);
        drop(keys);
        watch.stop().unwrap();
    }

    pub fn log(&self) -> PathBuf {
        self.place.path("log")
    }

    pub fn verifier(&self) -> Verifier {
        Verifier::new([self.key.verifier()]).checkpoints(self.place.path("elsewhere")).unwrap()
    }

    /// The files of chains.
    pub fn chains(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.log()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "rxa"));
        files.sort();
        files
    }

    pub fn kim(&self) -> Theft {
        self.place.theft().stolen(stolen("actor:user:kim")).log(self.log(), self.verifier())
    }
}

pub fn open(keys: &Keyring, who: &str, number: u64) {
    open_by(keys, &Access::new(who, Purpose::TREAT).unwrap(), number);
}

pub fn open_by(keys: &Keyring, access: &Access, number: u64) {
    let record = keys.record("prescription", number).unwrap();
    let (name, drug) = (record.seal::<PatientName>("Jane Doe").unwrap(), record.seal::<Drug>("warfarin").unwrap());
    let reader = record.opened_by(access);
    let _: String = reader.open::<PatientName, _>(&name).unwrap();
    if number == 1 {
        let _: String = reader.open::<Drug, _>(&drug).unwrap();
    }
}

#[test]
fn a_whole_log_says_what_was_opened_and_what_was_not() {
    let logged = Logged::new();
    let told = told(logged.kim());
    assert_eq!((told.numbers(), told.codes()), ((2, 2, 6), vec![]), "{:?}", told.exposure.audit);
    assert_eq!((told.state("1", "medication"), told.state("2", "medication")), ("readable", "not-taken"));
    assert_eq!((told.state("2", "identity"), told.state("3", "identity")), ("readable", "not-taken"));
    let audit = told.exposure.audit.as_ref().unwrap();
    assert_eq!(
        (audit.verdict.as_str(), audit.has_checkpoints, audit.unlocks, audit.viewed[0].lines),
        ("whole", true, 1, 3)
    );
    let timeline = told.exposure.timeline.as_ref().unwrap();
    assert_eq!((timeline.of.as_str(), timeline.patients.iter().sum::<u64>()), ("user:kim", 2));
    assert!(!told.states["1"]["first"].is_empty() && told.states["3"]["first"].is_empty());
    assert_eq!(told.exposure.taken[0].patients, 2);
}

#[test]
fn a_log_that_nobody_verified_is_a_least_number() {
    let logged = Logged::new();
    let unverified = told(logged.place.theft().stolen(stolen("actor:user:kim")).log(logged.log(), Verifier::new([])));
    assert_eq!((unverified.numbers(), unverified.codes()), ((2, 6, 6), vec!["log-unverified"]));
    let none = told(logged.place.theft().stolen(stolen("actor:user:kim")));
    assert_eq!((none.numbers(), none.codes()), ((0, 6, 6), vec!["log-missing"]));
}

#[test]
fn a_time_that_the_log_does_not_cover_is_undecided() {
    let logged = Logged::new();
    let at = |window: &str| {
        told(
            logged
                .place
                .theft()
                .stolen(stolen(&format!("actor:user:kim@{window}")))
                .log(logged.log(), logged.verifier()),
        )
    };
    let before = at("2020-01-01..2020-01-02");
    assert_eq!((before.numbers(), before.codes()), ((0, 6, 6), vec!["log-begins-later"]));
    let after = at("2090-01-01..2090-01-02");
    assert_eq!((after.numbers(), after.codes()), ((0, 6, 6), vec!["log-ends-before"]));
}

#[test]
fn a_log_that_somebody_changed_proves_nothing() {
    type Change = fn(&[u8]) -> Vec<u8>;
    let cut: Change = |bytes| {
        let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        lines[..lines.len() - 2].concat()
    };
    let edited: Change = |bytes| String::from_utf8_lossy(bytes).replace("\"user:kim\"", "\"user:eve\"").into_bytes();
    let reordered: Change = |bytes| {
        let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        lines.swap(2, 3);
        lines.concat()
    };
    for (name, change, code) in
        [("cut", cut, "log-tampered"), ("edited", edited, "log-tampered"), ("reordered", reordered, "log-tampered")]
    {
        let logged = Logged::new();
        let file = &logged.chains()[0];
        fs::write(file, change(&fs::read(file).unwrap())).unwrap();
        let told = told(logged.kim());
        let (proven, at_most, all) = told.numbers();
        assert!((proven, at_most) == (0, 6) && all == 6, "{name}: {:?}", told.numbers());
        assert!(told.codes().contains(&code), "{name}: {:?}", told.codes());
    }
}

#[test]
fn what_is_no_log_proves_nothing() {
    // 0 bytes, a later form, bytes of chance, and no folder at all.
    let contents: [&[u8]; 3] = [b"", b"{\"v\":2}\n", &[0xFF; 64]];
    for content in contents {
        let logged = Logged::new();
        fs::write(&logged.chains()[0], content).unwrap();
        let told = told(logged.kim());
        assert_eq!((told.exposure.totals.proven, told.exposure.totals.at_most), (0, 6), "{:?}", told.codes());
    }
    let logged = Logged::new();
    fs::remove_dir_all(logged.log()).unwrap();
    let told = told(logged.kim());
    assert_eq!((told.numbers(), told.exposure.audit.as_ref().unwrap().events), ((0, 6, 6), 0));
    assert!(told.codes().contains(&"log-not-read"));
}

#[test]
fn events_that_were_lost_leave_everybody_possible() {
    let logged = Logged::new();
    // The program was killed: the last line is not there, and no checkpoint elsewhere covers it.
    let file = &logged.chains()[0];
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    fs::write(file, lines[..lines.len() - 1].concat()).unwrap();
    fs::remove_dir_all(logged.place.path("elsewhere")).unwrap();
    fs::create_dir_all(logged.place.path("elsewhere")).unwrap();
    for entry in fs::read_dir(logged.log()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "rxa") {
            fs::remove_file(path).unwrap();
        }
    }
    let told = told(logged.kim());
    assert_eq!(told.exposure.totals.proven, 2);
    assert_eq!(told.exposure.totals.at_most, 6);
    assert_eq!(told.state("4", "identity"), "could-be-read", "{:?}", told.codes());
}

#[test]
fn a_host_had_the_keys_that_were_unlocked_on_it() {
    let logged = Logged::new();
    logged.run("ph17-b", |_| {});
    let theft = || logged.place.theft().log(logged.log(), logged.verifier());
    // What was opened there is proven, and all that its keys open could be read.
    let host = told(theft().stolen(stolen("host:ph17-a")));
    assert_eq!((host.numbers(), host.state("4", "identity")), ((3, 6, 6), "could-be-read"), "{:?}", host.codes());
    assert_eq!((host.state("3", "identity"), host.state("v-1", "clinical")), ("readable", "could-be-read"));
    // With a copy it is proven.
    fs::copy(logged.place.path("rx.csv"), logged.place.path("copy.csv")).unwrap();
    let with_copy = told(theft().stolen(stolen("host:ph17-b")).stolen(logged.place.copy("copy.csv", "csv:rx.csv")));
    assert_eq!((with_copy.numbers(), with_copy.state("4", "identity")), ((5, 6, 6), "readable"));
    // Nobody knows what a host had of which the log knows nothing.
    let unknown = told(theft().stolen(stolen("host:ph17-c")).stolen(logged.place.copy("copy.csv", "csv:rx.csv")));
    assert_eq!(unknown.numbers(), (0, 6, 6));
    assert!(unknown.codes().contains(&"host-unknown"));
}

#[test]
fn logs_of_two_machines_need_the_keys_of_both() {
    let logged = Logged::new();
    let other = Logged { place: Place::new(), key: SigningKey::generate("ph18.example").unwrap() };
    other.run("ph18-a", |keys| open(keys, "user:kim", 4));
    for folder in ["log", "elsewhere"] {
        for entry in fs::read_dir(other.place.path(folder)).unwrap() {
            let path = entry.unwrap().path();
            let to = logged.place.path(folder).join(path.file_name().unwrap());
            if to.exists() {
                let both = [fs::read(&to).unwrap(), fs::read(&path).unwrap()].concat();
                fs::write(to, both).unwrap();
            } else {
                fs::copy(&path, to).unwrap();
            }
        }
    }
    let one = told(logged.kim());
    assert_eq!(one.exposure.totals.at_most, 6, "{:?}", one.exposure.audit);
    assert!(one.exposure.totals.proven >= 2);
}

#[test]
fn a_page_says_how_many_and_not_whose() {
    let logged = Logged::new();
    logged.run("ph17-a", |keys| {
        let access = Access::new("user:page", Purpose::TREAT).unwrap();
        let records: Vec<_> = (3..=4).map(|number| keys.record("prescription", number).unwrap()).collect();
        let names: Vec<_> = records.iter().map(|record| record.seal::<PatientName>("Jane Doe").unwrap()).collect();
        let drug = records[0].seal::<Drug>("warfarin").unwrap();
        let opened = rxseal::page::open_page(&records, &access, |at, pass| {
            pass.open::<PatientName, String>(&names[at])?;
            if at == 0 {
                pass.open::<Drug, String>(&drug)?;
            }
            Ok::<(), rxseal::Error>(())
        });
        opened.unwrap();
    });
    let told = told(logged.place.theft().stolen(stolen("actor:user:page")).log(logged.log(), logged.verifier()));
    assert_eq!((told.state("3", "identity"), told.state("4", "identity")), ("readable", "readable"));
    // One drug of two records: of which one, the log does not say.
    assert_eq!((told.state("3", "medication"), told.state("4", "medication")), ("could-be-read", "could-be-read"));
    assert_eq!(told.numbers(), (2, 2, 6));
}

#[test]
fn a_log_that_was_taken_has_the_ids_of_patients() {
    let logged = Logged::new();
    let told = told(
        logged
            .place
            .theft()
            .stolen(stolen(&format!("audit:{}", logged.log().display())))
            .keyring(logged.place.ring.clone()),
    );
    assert_eq!((told.numbers(), told.exposure.totals.clear), ((0, 0, 6), 3));
    assert_eq!((told.state("1", "identifier"), told.state("4", "identifier")), ("readable", "not-taken"));
}

/// The log and the sources name a record alike, so it is one patient; another record type with the same id is another one.
#[test]
fn the_same_id_in_two_record_types_of_a_log_is_two_patients() {
    let logged = Logged::new();
    logged.run("ph17-a", |keys| {
        let record = keys.record("visit", "1").unwrap();
        let note = record.seal::<Note>("doing well").unwrap();
        let access = Access::new("user:kim", Purpose::TREAT).unwrap();
        let _: String = record.opened_by(&access).open::<Note, _>(&note).unwrap();
    });
    // Two of the prescriptions that the sources have, and a visit of which only the log knows.
    assert_eq!(told(logged.kim()).numbers(), (3, 3, 7));
    let taken = stolen(&format!("audit:{}", logged.log().display()));
    assert_eq!(told(logged.place.theft().stolen(taken).keyring(logged.place.ring.clone())).exposure.totals.clear, 4);
}

#[test]
fn keys_of_a_log_are_known() {
    let logged = Logged::new();
    fs::copy(logged.place.path("rx.csv"), logged.place.path("copy.csv")).unwrap();
    let theft =
        logged.place.theft().stolen(logged.place.copy("copy.csv", "csv:rx.csv")).log(logged.log(), logged.verifier());
    // No keyring file is needed.
    let known = told(theft);
    assert_eq!((known.numbers(), known.codes()), ((0, 0, 6), vec![]));
    let (_, other) = insecure_keyring_file("pharmacy-17").unwrap();
    assert_ne!(other.keys()[0].id(), logged.place.ring.keys()[0].id());
}

#[test]
fn a_login_that_the_log_does_not_know_is_undecided() {
    let logged = Logged::new();
    for name in ["user:Kim", "kim"] {
        let theft = logged.place.theft().stolen(stolen(&format!("actor:{name}"))).log(logged.log(), logged.verifier());
        let told = told(theft);
        assert_eq!((told.numbers(), told.codes()), ((0, 6, 6), vec!["actor-unknown"]), "{name}");
    }
}

/// The times of a gap are since its chain began.
#[test]
fn lost_events_were_lost_when_the_log_says_it() {
    let logged = Logged::new();
    let path = &logged.chains()[0];
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
    let (at, (hash, json)) = lines.iter().enumerate().rfind(|(_, (_, json))| json.contains("\"e\":\"open\"")).unwrap();
    let (head, _) = json.split_once(",\"e\"").unwrap();
    let gap = format!("{hash} {head},\"e\":\"gap\",\"lost\":5,\"from\":0,\"to\":1,\"why\":\"buffer full\"}}");
    let changed: Vec<_> = text.lines().enumerate().map(|(line, text)| if line == at { &gap } else { text }).collect();
    fs::write(path, changed.join("\n") + "\n").unwrap();
    // Somebody changed the log, too.
    assert_eq!(told(logged.kim()).codes(), ["log-gap", "log-tampered"]);
}

#[test]
fn a_host_that_was_stolen_twice_had_the_keys_of_both_times() {
    let logged = Logged::new();
    let host = |window: &str| stolen(&format!("host:ph17-a@{window}"));
    let theft = logged.place.theft().stolen(host("2020-01-01..2020-01-02")).stolen(host("2020-01-01..2099-01-01"));
    let told = told(theft.log(logged.log(), logged.verifier()));
    assert!(told.exposure.taken.iter().all(|taken| taken.opens.contains(" keys, and ")), "{:?}", told.exposure.taken);
}

#[test]
fn the_report_says_whether_the_log_of_the_key_service_was_given() {
    let logged = Logged::new();
    let said = |verifier: Verifier| {
        let told = told(logged.place.theft().stolen(stolen("actor:user:kim")).log(logged.log(), verifier));
        let has = told.exposure.audit.as_ref().unwrap().has_service_log;
        (has, told.exposure.to_html().contains("the log of the key service was not given"))
    };
    assert_eq!(said(logged.verifier()), (false, true));
    logged.place.write("cloudtrail.json", "{\"Records\":[]}");
    assert_eq!(said(logged.verifier().kms_log(logged.place.path("cloudtrail.json")).unwrap()), (true, false));
}
