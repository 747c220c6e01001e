//! The vectors of type `normal_form` in tests/vectors.

use std::fs;
use std::path::{Path, PathBuf};

use rxseal_search::normal::Family;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Made, form_of, made};

/// How many there are. One that gets lost, or one that nobody runs, fails here.
const COUNT: usize = 347;

#[test]
fn vectors_of_normal_forms() {
    let files = files();
    assert_eq!(files.len(), COUNT);
    for (path, vector) in files.iter().filter(|(_, vector)| vector.get("text").is_some()) {
        let text = |member: &str| vector[member].as_str().unwrap();
        let outcome = made(text("normalizer"), text("text"));
        let code = outcome.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok");
        assert_eq!(code, text("expect"), "{}", path.display());
        let Ok(outcome) = outcome else { continue };
        let list = vector.get("parts").or_else(|| vector.get("codes"));
        let list =
            list.map(|list| list.as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect());
        let expected = Made { form: vector.get("form").and_then(Value::as_str).map(str::to_owned), parts: list };
        assert_eq!(outcome, expected, "{}", path.display());
    }
}

/// NORMAL-FORMS 1.5: the tables of Unicode 16.
#[test]
fn the_form_of_every_code_point() {
    let files = files();
    let (_, vector) = files.iter().find(|(_, vector)| vector.get("blocks").is_some()).unwrap();
    let digests = vector["digests"].as_array().unwrap();
    let mut blocks = 0;
    for (block, digest) in vector["blocks"].as_array().unwrap().iter().zip(digests) {
        let bound = |at: usize| u32::try_from(block[at].as_u64().unwrap()).unwrap();
        let mut total = Sha256::new();
        for c in (bound(0)..bound(1)).filter_map(char::from_u32) {
            if let Ok(form) = form_of::<Family>(c.encode_utf8(&mut [0; 4])) {
                total.update(format!("{:X} {}\n", u32::from(c), form.unwrap_or_default()));
            }
        }
        let made: String = total.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(made.as_str()), digest.as_str(), "the block {block}");
        blocks += 1;
    }
    assert_eq!(blocks, digests.len());
}

fn files() -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = entries.filter(|path| path.extension().is_some_and(|end| end == "json"));
    json.map(|path| (serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap(), path))
        .filter(|(vector, _)| vector["test"] == "normal_form")
        .map(|(vector, path)| (path, vector))
        .collect()
}
