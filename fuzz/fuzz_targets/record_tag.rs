//! What parses as a record tag has one spelling, and no two covers have one message under the HMAC (FORMAT 14).
#![no_main]
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rxseal::RecordTag;
use rxseal::fuzzing::{CoverStep, tag_message};
use rxseal_fuzz::{changed, made};

/// As the fuzzer makes them up: ids, parts and tokens out of a few, so that they meet.
#[derive(Arbitrary, Debug)]
enum Step {
    Sealed(u8, u8),
    Clear(u8, String),
    Since(u8),
    Enter(u8),
    Leave,
}

fuzz_target!(|data: &[u8]| {
    let mut good = [7; 48];
    good[..3].copy_from_slice(&[0xAF, 0x1A, 0xD2]);
    let text = RecordTag::try_from(&good[..]).and_then(|tag| tag.text()).expect("a tag");
    for bytes in [data, &changed(&good, data)] {
        if let Ok(tag) = RecordTag::try_from(bytes) {
            assert!(bytes.len() == 48 && tag.cover() > 0 && tag.version() > 0);
            assert_eq!(tag.bytes().expect("its bytes"), bytes);
            assert_eq!(tag.text().expect("its text").parse::<RecordTag>().expect("its own text"), tag);
            assert_eq!(tag.key_id().expect("a key").as_bytes(), &bytes[3..9]);
        }
    }
    for text in [data, &changed(text.as_bytes(), data)].into_iter().filter_map(|bytes| std::str::from_utf8(bytes).ok())
    {
        match text.parse::<RecordTag>() {
            Ok(tag) => assert_eq!(tag.text().expect("its text"), text),
            Err(error) => assert!(["not-a-tag", "tag-missing"].contains(&error.code().as_str())),
        }
    }
    let Some((number, one, other)) = made::<(u8, Vec<Step>, Vec<Step>)>(data) else { return };
    let [one, other] = [one, other].map(|steps| covered(&steps, number));
    if let (Some((first, message)), Some((second, others))) = (one, other) {
        assert_eq!(first == second, message == others, "{first:?} {second:?}");
    }
});

const IDS: [&str; 4] = ["a", "a.b", "ab", "b"];

/// One element: its path, its id, whether it is sealed, and its value.
type Element = (Vec<u8>, &'static str, bool, Vec<u8>);

/// The elements in their order, by a second implementation, and the message of the first one.
fn covered(steps: &[Step], number: u8) -> Option<(Vec<Element>, Vec<u8>)> {
    let id = |at: &u8| IDS[usize::from(at % 4)];
    let (mut elements, mut path, mut since, mut outer) = (Vec::new(), Vec::new(), (1, 1), Vec::new());
    let mut given = Vec::new();
    for step in steps {
        let is_in = |(part, field): (u8, u8)| part.max(field) <= number;
        match step {
            Step::Sealed(at, byte) => {
                given.push(CoverStep::Sealed(id(at), *byte));
                elements.extend(is_in(since).then(|| (path.clone(), id(at), true, vec![*byte])));
            }
            Step::Clear(at, text) => {
                given.push(CoverStep::Clear(id(at), text));
                elements.extend(is_in(since).then(|| (path.clone(), id(at), false, text.clone().into_bytes())));
            }
            Step::Since(from) => {
                given.push(CoverStep::Since(*from));
                since.1 = *from;
            }
            Step::Enter(at) => {
                given.push(CoverStep::Enter(id(at)));
                outer.push((path.clone(), since));
                path.push(at % 4);
                since = (since.0.max(since.1), 1);
                elements.extend(is_in(since).then(|| (path.clone(), "", false, Vec::new())));
            }
            Step::Leave => {
                given.push(CoverStep::Leave);
                (path, since) = outer.pop().unwrap_or((path, since));
            }
        }
    }
    let message = tag_message(&given, number)?;
    // Any fixed order will do: what matters is which elements are alike. Tokens of one list stay in theirs.
    elements.sort_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)));
    Some((elements, message))
}
