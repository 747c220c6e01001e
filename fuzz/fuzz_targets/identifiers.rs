//! Ids are accepted unchanged or refused: never changed, never confused. A token opens only in the place where it was
//! sealed (FORMAT 1.3 to 1.6, 4.1).
#![no_main]
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rxseal::Record;
use rxseal::phi::Drug;
use rxseal_fuzz::{ACCESS, KEYS, SUBJECT, made};

#[derive(Arbitrary, Clone, Debug, PartialEq)]
struct Place<'a> {
    record_type: &'a str,
    id: Option<&'a str>,
    has_subject: bool,
    parts: Vec<(&'a str, &'a str)>,
}

impl Place<'_> {
    fn record(&self, wide: bool) -> Option<Record> {
        let record = match self.id {
            Some(id) => KEYS.record(self.record_type, id),
            None => KEYS.unbound(self.record_type),
        };
        let mut record = record.ok()?;
        assert_eq!(record.record_type(), self.record_type);
        assert!(
            self.id.is_none_or(|id| id.bytes().all(|byte| byte.is_ascii_graphic()) && (1..=255).contains(&id.len()))
        );
        if wide {
            record = record.wide();
        }
        for (name, id) in &self.parts {
            record = record.part(name, *id).ok()?;
        }
        assert!(self.parts.len() <= 8);
        if self.has_subject { record.subject(&SUBJECT).ok() } else { Some(record) }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((a, mut b, same, wide)) = made::<(Place<'_>, Place<'_>, u8, bool)>(data) else { return };
    // Places that have something in common must be kept apart.
    if same & 1 != 0 {
        b.record_type = a.record_type;
    }
    if same & 2 != 0 {
        b.id = a.id;
    }
    if same & 4 != 0 {
        b.has_subject = a.has_subject;
    }
    if same & 8 != 0 {
        b.parts.clone_from(&a.parts);
    }
    let (Some(here), Some(there)) = (a.record(wide), b.record(same & 16 != 0)) else { return };
    let token = here.seal::<Drug>("warfarin").expect("a token");
    let opened = there.opened_by(&ACCESS).open::<Drug, String>(&token);
    assert_eq!(a == b, opened.is_ok(), "{a:?} and {b:?}");
    assert!(opened.map_or_else(|error| error.code().as_str() == "open-failed", |text| text == "warfarin"));
});
