//! What was done against a theft: that somebody was stopped is on the page, however much else was done.

use std::fs;
use std::time::{Duration, Instant};

use rxseal_exposure::Theft;
use rxseal_watch::budget::FrozenList;
use rxseal_watch::verify::Verifier;
use rxseal_watch::{Act, Budgets, FileLog, SigningKey, Watch};

use crate::support::{Place, stolen, told};

#[test]
fn a_freeze_is_on_the_page_after_many_other_acts() {
    let place = Place::new();
    place.fill(1);
    let log = place.path("log");
    fs::create_dir(&log).unwrap();
    let key = SigningKey::generate("ph17.example").unwrap();
    let list = FrozenList::at(place.path("frozen"));
    let watch = Watch::over(FileLog::in_folder(&log, key).unwrap())
        .service("fulfil-api")
        .budgets(Budgets::pharmacy().frozen_in(place.path("frozen")))
        .start()
        .unwrap();
    let act =
        |what: &str| watch.begin(Act::new("user:sam.ops", what, "case 2026-0007").unwrap()).unwrap().done().unwrap();
    (0..12).for_each(|_| act("keyring-rotate"));
    list.set("user:kim", true).unwrap();
    // It is read every 5 seconds.
    let has_freeze = || {
        let files = fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
        files.filter_map(|file| fs::read_to_string(file).ok()).any(|text| text.contains("\"freeze\""))
    };
    let until = Instant::now() + Duration::from_secs(20);
    while !has_freeze() {
        assert!(Instant::now() < until, "it is not frozen");
        std::thread::sleep(Duration::from_millis(100));
    }
    act("budget-freeze");
    watch.stop().unwrap();

    let theft: Theft = place.theft().stolen(stolen("actor:user:kim")).log(&log, Verifier::new([]));
    let exposure = told(theft).exposure;
    assert_eq!(exposure.mitigation.len(), 14, "{:?}", exposure.mitigation);
    let page = exposure.to_html();
    for done in ["user:kim: frozen", "budget-freeze", "keyring-rotate", "4 more are in exposure.json"] {
        assert!(page.contains(done), "{done}");
    }
}
