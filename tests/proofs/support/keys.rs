//! A second implementation of the key hierarchy of docs/FORMAT.md, written from its text: it gives the values that the
//! test must look for in memory. It shares no code with the crate.

use std::sync::LazyLock;

use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

pub type Key = [u8; 32];

/// FORMAT 2.1
pub fn frame(domain: &str, parts: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (tag, bytes) in [(0, domain.as_bytes())].iter().chain(parts) {
        out.push(*tag);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

/// FORMAT 3.1, 3.2
pub fn derive(key: &Key, purpose: &str, parts: &[(u8, &[u8])]) -> Key {
    let mut all = vec![(1, purpose.as_bytes())];
    all.extend_from_slice(parts);
    expand(&Hkdf::<Sha256>::from_prk(key).unwrap(), &frame("rxseal/v1/key", &all))
}

fn expand(hkdf: &Hkdf<Sha256>, info: &[u8]) -> Key {
    let mut okm = [0; 32];
    hkdf.expand(info, &mut okm).unwrap();
    okm
}

/// FORMAT 3.2, purposes `seal` and `subject`
pub fn class_key(dek: &Key, purpose: &str, keyspace: &str, letter: u8, class: &str) -> Key {
    derive(dek, purpose, &[(2, keyspace.as_bytes()), (3, &[letter]), (4, class.as_bytes())])
}

/// FORMAT 15.2
pub fn index_key(root: &Key, keyspace: &str, index: &str) -> Key {
    derive(root, "index", &[(2, keyspace.as_bytes()), (4, index.as_bytes())])
}

/// The states of SHA-256 behind the two blocks of an HMAC key, as they lie in memory.
pub fn hmac_midstates(key: &Key) -> [[u8; 32]; 2] {
    [0x36, 0x5C].map(|pad| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        // FIPS 180-4, 5.3.3
        let mut state =
            [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
        sha2::block_api::compress256(&mut state, &[block]);
        state.map(u32::to_ne_bytes).as_flattened().try_into().unwrap()
    })
}

/// FORMAT 3.5
pub fn subject_class_key(dek: &Key, subject_key: &Key, keyspace: &str, letter: u8, class: &str, subject: &str) -> Key {
    let input = class_key(dek, "subject", keyspace, letter, class);
    let info = frame(
        "rxseal/v1/subject",
        &[(2, keyspace.as_bytes()), (3, &[letter]), (4, class.as_bytes()), (7, subject.as_bytes())],
    );
    expand(&Hkdf::<Sha256>::new(Some(subject_key), &input), &info)
}

/// FORMAT 4.1, 4.2
pub fn context_digest(keyspace: &str, record_type: &str, record_id: &str, subject: Option<&str>) -> [u8; 32] {
    let mut parts = vec![(1, keyspace.as_bytes()), (2, record_type.as_bytes()), (3, record_id.as_bytes())];
    parts.extend(subject.map(|subject| (4, subject.as_bytes())));
    Sha256::digest(frame("rxseal/v1/context", &parts)).into()
}

/// The same of one part of a record.
pub fn part_digest(keyspace: &str, record_type: &str, record_id: &str, part: (&str, &str)) -> [u8; 32] {
    let path = frame("rxseal/v1/part", &[(1, part.0.as_bytes()), (2, part.1.as_bytes())]);
    let record = [(1, keyspace.as_bytes()), (2, record_type.as_bytes()), (3, record_id.as_bytes()), (6, &path)];
    Sha256::digest(frame("rxseal/v1/context", &record)).into()
}

/// FORMAT 5.2: `Kx`, and `K1` on the way to it
pub fn xaes(key: &Key, prefix: &[u8]) -> (Key, [u8; 16]) {
    let aes = Aes256::new(key.into());
    let mut block = [0; 16].into();
    aes.encrypt_block(&mut block);
    let l = u128::from_be_bytes(block.into());
    let k1 = ((l << 1) ^ ((l >> 127) * 0x87)).to_be_bytes();
    let mut kx = [0; 32];
    for (half, counter) in kx.chunks_mut(16).zip([1, 2]) {
        let mut message = [0; 16];
        message[..4].copy_from_slice(&[0, counter, b'X', 0]);
        message[4..].copy_from_slice(&prefix[..12]);
        message.iter_mut().zip(k1).for_each(|(byte, k1)| *byte ^= k1);
        let mut block = message.into();
        aes.encrypt_block(&mut block);
        half.copy_from_slice(&block);
    }
    (kx, k1)
}

/// FIPS 197, 5.2: the round keys of AES-256 that follow on the first two, which are the key itself. As AES instructions read
/// them; what computes without those has them in another order.
pub fn round_keys(key: &Key) -> Vec<[u8; 16]> {
    static SBOX: LazyLock<[u8; 256]> = LazyLock::new(sbox);
    let substituted = |word: [u8; 4]| word.map(|byte| SBOX[usize::from(byte)]);
    let mut words: Vec<[u8; 4]> = key.as_chunks().0.to_vec();
    let mut constant = 1_u8;
    for at in 8..60 {
        let mut word = words[at - 1];
        if at % 8 == 0 {
            word.rotate_left(1);
            word = substituted(word);
            word[0] ^= constant;
            constant <<= 1;
        } else if at % 8 == 4 {
            word = substituted(word);
        }
        word.iter_mut().zip(words[at - 8]).for_each(|(byte, before)| *byte ^= before);
        words.push(word);
    }
    words.as_flattened().as_chunks().0[2..].to_vec()
}

/// FIPS 197, 5.1.1: the inverse in GF(2^8), and an affine map of it.
fn sbox() -> [u8; 256] {
    let times = |mut a: u8, mut b: u8| {
        let mut product = 0;
        while b != 0 {
            product ^= if b & 1 == 1 { a } else { 0 };
            a = (a << 1) ^ if a & 0x80 == 0 { 0 } else { 0x1B };
            b >>= 1;
        }
        product
    };
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        let inverse = (1..=255).find(|other| times(byte, *other) == 1).unwrap_or_default();
        (0..5).fold(0x63, |sum, turn| sum ^ inverse.rotate_left(turn))
    })
}

/// What GHASH under `H` keeps, as the crate `polyval` has it (RFC 8452, appendix A): the first four powers, and of each what
/// its multiplication takes beside it, the halves changed over with the lower one times `x^63 + x^62 + x^57`.
pub fn ghash_keys(h: [u8; 16]) -> Vec<[u8; 16]> {
    // `mulX_POLYVAL(ByteReverse(H))`
    let reversed = u128::from_be_bytes(h);
    let first = (reversed << 1) ^ if reversed >> 127 == 1 { POLYVAL | 1 } else { 0 };
    let second = dot(first, first);
    let powers = [first, second, dot(second, first), dot(second, second)];
    let beside = |power: u128| {
        let low = power & u128::from(u64::MAX);
        power.rotate_left(64) ^ [63, 62, 57].iter().fold(0, |product, shift| product ^ (low << shift))
    };
    powers.iter().flat_map(|power| [power.to_le_bytes(), beside(*power).to_le_bytes()]).collect()
}

/// `x^127 + x^126 + x^121`, and 1 and `x^128` more.
const POLYVAL: u128 = 1 << 127 | 1 << 126 | 1 << 121;

/// RFC 8452, section 3: `a * b * x^-128`.
fn dot(a: u128, b: u128) -> u128 {
    (0..128).fold(0, |sum, bit| {
        let sum = sum ^ if b >> bit & 1 == 1 { a } else { 0 };
        // Divided by x: where the last bit is set, the polynomial is added first.
        (sum >> 1) ^ if sum & 1 == 1 { POLYVAL >> 1 | 1 << 127 } else { 0 }
    })
}

/// draft-irtf-cfrg-xchacha-03, 2.2: the key of all messages whose nonce begins with these 16 bytes.
pub fn chacha_key(key: &Key, nonce: &[u8]) -> Key {
    let prefix: &[u8; 16] = nonce[..16].try_into().unwrap();
    chacha20::hchacha::<chacha20::R20>(key.into(), prefix.into()).into()
}

/// `nonce (24) | ciphertext | tag (16)` under XAES-256-GCM
pub fn open_envelope(key: &Key, aad: &[u8], sealed: &[u8]) -> Vec<u8> {
    let (nonce, rest) = sealed.split_at(24);
    let (text, tag) = rest.split_at(rest.len() - 16);
    let mut text = text.to_vec();
    let nonce: &[u8; 24] = nonce.try_into().unwrap();
    let tag: &[u8; 16] = tag.try_into().unwrap();
    let cipher = Aes256Gcm::new((&xaes(key, nonce).0).into());
    let gcm_nonce: &[u8; 12] = nonce[12..].try_into().unwrap();
    cipher.decrypt_inout_detached(gcm_nonce.into(), aad, text.as_mut_slice().into(), tag.into()).unwrap();
    text
}

/// The key in the line of a root key file (FORMAT 9.1).
pub fn root_key(line: &str) -> Key {
    let text = line.trim_end().strip_prefix("rxseal-root-v1:").unwrap();
    URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
}

/// Every key of a keyring file: what each is, and its bytes.
pub struct Unlocked {
    pub root_wrap: Key,
    pub kek: Key,
    pub body_key: Key,
    /// By key id.
    pub body: Vec<(Vec<u8>, Key)>,
}

/// FORMAT 8.2, 8.3, 9.2
pub fn unlock(root: &Key, file: &str) -> Unlocked {
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let bytes = |value: &serde_json::Value| URL_SAFE_NO_PAD.decode(text(value)).unwrap();
    let number = |value: &serde_json::Value| value.as_u64().unwrap().to_be_bytes();
    let keyspace = text(&file["keyspace"]);
    let kek_fingerprint = bytes(&file["kek"]);

    let root_wrap = derive(root, "root-wrap", &[]);
    let aad = frame("rxseal/v1/kek-wrap", &[(2, keyspace.as_bytes()), (8, &kek_fingerprint)]);
    let kek: Key = open_envelope(&root_wrap, &aad, &bytes(&file["wraps"][0]["wrapped"])).try_into().unwrap();

    let mut list = Vec::new();
    for key in file["keys"].as_array().unwrap() {
        let (id, fingerprint) = (bytes(&key["id"]), bytes(&key["fingerprint"]));
        let (usage, state) = (text(&key["use"]), text(&key["state"]));
        let (created, changed) = (number(&key["created"]), number(&key["changed"]));
        let suite = key.get("suite").map(&text);
        let mut parts: Vec<(u8, &[u8])> =
            vec![(1, &id), (2, &fingerprint), (3, usage.as_bytes()), (4, state.as_bytes())];
        parts.extend(suite.as_ref().map(|suite| (5, suite.as_bytes())));
        parts.extend(key["primary"].as_bool().unwrap().then_some((6, [1].as_slice())));
        parts.extend([(7, created.as_slice()), (8, changed.as_slice())]);
        list.extend(frame("rxseal/v1/keyring-key", &parts));
    }
    let generation = number(&file["generation"]);
    let aad = frame(
        "rxseal/v1/keyring",
        &[(1, &[1]), (2, keyspace.as_bytes()), (3, b"full"), (5, &generation), (8, &kek_fingerprint), (9, &list)],
    );
    let body_key = derive(&kek, "body", &[(2, keyspace.as_bytes()), (3, b"x"), (5, &generation)]);
    let plain = open_envelope(&body_key, &aad, &bytes(&file["body"]));
    // Each entry: domain (5 + 22), id (5 + 6), key (5 + 32).
    let body = plain.chunks(75).map(|entry| (entry[32..38].to_vec(), entry[43..].try_into().unwrap())).collect();
    Unlocked { root_wrap, kek, body_key, body }
}

/// FORMAT 8.2, 8.3: the wrapped KEK and the sealed body of a keyring file; each begins with its nonce.
pub fn envelopes(file: &str) -> [Vec<u8>; 2] {
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    [&file["wraps"][0]["wrapped"], &file["body"]].map(|text| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap())
}

/// FORMAT 10.1: the key in a wrapped subject key, under `dek`.
pub fn subject_key(dek: &Key, keyspace: &str, subject: &str, wrapped: &[u8]) -> (Key, Key) {
    let wrap_key = derive(dek, "wrap", &[(2, keyspace.as_bytes()), (3, b"x")]);
    let aad =
        frame("rxseal/v1/subject-wrap", &[(2, keyspace.as_bytes()), (7, subject.as_bytes()), (8, &wrapped[3..9])]);
    (wrap_key, open_envelope(&wrap_key, &aad, &wrapped[9..]).try_into().unwrap())
}
