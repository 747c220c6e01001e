//! No change of a pack is missed (T84).

use std::fs;
use std::path::PathBuf;

use rxseal_evidence::{Difference, EvidenceError, verify};

use crate::support::World;

/// The files of a pack.
fn files(world: &World) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(world.pack_folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[track_caller]
fn code(world: &World) -> &'static str {
    verify(world.pack_folder(), &[world.verifier()]).unwrap_err().code()
}

#[test]
fn a_pack_is_verified_as_it_was_made() {
    let world = World::new();
    let pack = world.write();
    let names: Vec<_> =
        files(&world).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(
        names,
        ["SHA256SUMS", "evidence.html", "evidence.json", "rxseal-map.toml", "rxseal-schema.json", "scan.json"]
    );
    let verified = verify(world.pack_folder(), &[World::new().verifier(), world.verifier()]).unwrap();
    assert_eq!((verified.digest(), verified.files(), verified.verdict()), (pack.digest(), 6, "complete"));
    assert_eq!(verified.made_by(), "user:lee.ops");
    assert!(verified.made_at() <= crate::support::now());
    assert_eq!(verify(world.pack_folder(), &[World::new().verifier()]).unwrap_err().code(), "invalid-key");
    assert_eq!(verify(world.pack_folder(), &[]).unwrap_err().code(), "invalid-key");
    assert_eq!(fs::read_to_string(world.pack_folder().join("rxseal-map.toml")).unwrap(), world.map);
}

/// One byte of every file, at many places of it: with `RXSEAL_CASES` at so many.
#[test]
fn every_changed_byte_is_noticed() {
    let world = World::new();
    world.write();
    let cases: usize = std::env::var("RXSEAL_CASES").map_or(40, |text| text.parse().unwrap());
    let mut trials = 0;
    for path in files(&world) {
        let good = fs::read(&path).unwrap();
        let is_sums = path.ends_with("SHA256SUMS");
        for at in (0..good.len()).step_by((good.len() / cases).max(1)) {
            for bit in [1, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= bit;
                fs::write(&path, &bad).unwrap();
                let code = code(&world);
                assert!(code == "tampered" || (is_sums && code == "invalid-key"), "{} {at}: {code}", path.display());
                trials += 1;
            }
        }
        for bad in [&good[..good.len() - 1], &[&good[..], b"\n"].concat(), b""] {
            fs::write(&path, bad).unwrap();
            assert_eq!(code(&world), "tampered", "{}", path.display());
        }
        fs::write(&path, &good).unwrap();
        assert!(verify(world.pack_folder(), &[world.verifier()]).is_ok());
    }
    println!("{trials} changed bytes");
}

#[test]
fn files_that_are_gone_or_new_or_no_files() {
    let world = World::new();
    world.write();
    let differences = || match verify(world.pack_folder(), &[world.verifier()]).unwrap_err() {
        EvidenceError::Changed(differences) => differences,
        error => panic!("{error}"),
    };
    for path in files(&world) {
        let good = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        fs::remove_file(&path).unwrap();
        assert_eq!(differences(), [Difference::Missing(name.clone())]);
        fs::create_dir(&path).unwrap();
        assert_ne!(verify(world.pack_folder(), &[world.verifier()]).unwrap_err().code(), "");
        fs::remove_dir(&path).unwrap();
        // A link to the same bytes is another file tomorrow.
        #[cfg(unix)]
        {
            let elsewhere = world.pack_folder().with_file_name("elsewhere.bin");
            fs::write(&elsewhere, &good).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
            assert_eq!(differences(), [Difference::Changed(name)]);
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, &good).unwrap();
    }
    for name in ["evidence.jsom", ".hidden", "zz"] {
        let path = world.pack_folder().join(name);
        fs::write(&path, "").unwrap();
        assert_eq!(differences(), [Difference::Added(name.to_owned())]);
        fs::remove_file(&path).unwrap();
    }
    fs::create_dir(world.pack_folder().join("more")).unwrap();
    assert_eq!(differences(), [Difference::Added("more".to_owned())]);
    fs::remove_dir(world.pack_folder().join("more")).unwrap();
    assert!(verify(world.pack_folder(), &[world.verifier()]).is_ok());
    assert_eq!(verify(world.pack_folder().join("absent"), &[world.verifier()]).unwrap_err().code(), "tampered");
}

/// A pack that was cut off while it was written has no digests, and nothing is written over one that is there.
#[test]
fn a_folder_has_one_pack() {
    let world = World::new();
    world.write();
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.write()));
    assert!(again.is_err(), "a second pack");
    assert!(verify(world.pack_folder(), &[world.verifier()]).is_ok());
}
