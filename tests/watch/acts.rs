//! Acts: in the log before anything is done. And what the log says of changed keys.

use rxseal::phi::Drug;
use rxseal_watch::Act;

use crate::support::{Place, access, keyring, open_records};

fn act() -> Act {
    Act::new("svc:key-rotation", "keyring-rotate", "yearly \"rotation\"").unwrap()
}

#[test]
fn the_beginning_is_on_the_disk_before_anything_is_done() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let begun = watch.begin(act().keyspace("pharmacy-17").subject("pat-7").actor("user:kim")).unwrap();
    let events = place.events();
    let written = events.last().unwrap();
    assert_eq!(
        (&written["e"], &written["out"], &written["why"]),
        (&"act".into(), &"begun".into(), &"yearly \"rotation\"".into())
    );
    assert_eq!(
        (&written["ks"], &written["sub"], &written["whom"]),
        (&"pharmacy-17".into(), &"pat-7".into(), &"user:kim".into())
    );
    begun.done().unwrap();
    let failed = watch.begin(act()).unwrap();
    failed.failed("store-conflict").unwrap();
    let cut_off = watch.begin(act()).unwrap();
    drop((cut_off, watch));
    let acts: Vec<_> = place.events().into_iter().filter(|event| event["e"] == "act").collect();
    let outs: Vec<_> = acts.iter().map(|event| event["out"].as_str().unwrap()).collect();
    assert_eq!(outs, ["begun", "ok", "begun", "failed", "begun"]);
    assert_eq!(acts[3]["code"], "store-conflict");
    let ids: Vec<_> = acts.iter().map(|event| event["act"].as_str().unwrap()).collect();
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2] && ids[2] != ids[4], "{ids:?}");
    // Each is under a checkpoint of its own, which is elsewhere too.
    assert!(place.codes().is_empty(), "{:?}", place.codes());
    assert!(crate::support::files(&place.elsewhere(), "note").len() >= 5);
}

#[test]
fn what_cannot_be_written_is_not_begun() {
    for (who, what, why) in [
        ("kim", "keyring-rotate", "yearly rotation"),
        ("user:kim", "", "yearly rotation"),
        ("user:kim", "Keyring rotate", "yearly rotation"),
        ("user:kim", "keyring-rotate", "short"),
        ("user:kim", "keyring-rotate", "yearly\nrotation"),
        ("user:kim", "keyring-rotate", &"x".repeat(201)),
    ] {
        assert_eq!(Act::new(who, what, why).unwrap_err().code(), "invalid-settings", "{who} {what} {why}");
    }
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    // However long the text of somebody else is.
    watch.begin(act().keyspace(&"é".repeat(100_000)).subject(&"x".repeat(1_000_000))).unwrap().done().unwrap();
    watch.stop().unwrap();
    let refused = watch.begin(act()).unwrap_err();
    assert!(refused.is_audit_unavailable(), "{refused}");
    drop(watch);
    assert!(place.codes().is_empty(), "{:?}", place.codes());
}

#[test]
fn a_reseal_says_how_much() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), [1]);
    let record = keys.record("prescription", 1).unwrap();
    record.reseal::<Drug>(&record.seal::<Drug>("warfarin 5 MG").unwrap()).unwrap();
    drop((record, keys, watch));
    let resealed: Vec<_> = place.events().into_iter().filter(|event| event["what"] == "resealed").collect();
    assert_eq!(resealed.len(), 1, "{resealed:?}");
    assert_eq!((&resealed[0]["recs"], &resealed[0]["fields"]), (&1.into(), &1.into()));
}
