//! Sealing fields of a record.

use std::fmt;

use serde::Serialize;

use super::core::{RecordCore, with_aad};
use super::workspace::Workspace;
use super::{MaySeal, Record};
use crate::aead::{Letter, TAG_LEN, on_wire};
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::field::{Declaration, Field};
use crate::id::{Class, FieldId};
use crate::payload::{self, Limits, PayloadPlace, Plaintext, Value};
use crate::random;
use crate::scratch;
use crate::secret::Unfinished;
use crate::token::{HEADER_LEN, Header, Token};

impl<R: MaySeal> Record<R> {
    /// Seals one field of this record: `record.seal::<phi::Drug>("warfarin 5 MG")?`. For a [`Sealed`](crate::Sealed) field, which knows
    /// its marker, use [`Sealed::seal`](crate::Sealed::seal).
    ///
    /// To seal several fields of one record, it is cheaper to seal them together: with [`seal_fields`](Self::seal_fields), or with
    /// [`sealing`](Self::sealing) for a whole struct.
    ///
    /// # Errors
    ///
    /// `too-large`, `not-finite`, `unrepresentable`, `token-as-plaintext` or `token-inside` if the value cannot be sealed;
    /// `class-locked`, `random-failed`. On an error nothing is written.
    pub fn seal<F: Field>(&self, value: &(impl Serialize + ?Sized)) -> Result<Token, Error> {
        self.seal_fields(|pass| pass.seal::<F>(value))
    }

    /// The same as [`seal`](Self::seal), but returns the token's text.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn seal_text<F: Field>(&self, value: &(impl Serialize + ?Sized)) -> Result<String, Error> {
        self.seal_fields(|pass| pass.seal_text::<F>(value))
    }

    /// Seals several fields in one pass: one draw of random bytes and one key set-up per class, however many fields.
    ///
    /// A field id is sealed at most once in a pass.
    ///
    /// ```
    /// use rxseal::{Sealed, phi};
    /// struct Row {
    ///     drug: Sealed<String, phi::Drug>,
    ///     directions: Sealed<String, phi::Directions>,
    /// }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// let rec = keys.record("prescription", "RX-1001")?;
    /// let row = rec.seal_fields(|pass| {
    ///     Ok(Row { drug: pass.seal_field("warfarin 5 MG")?, directions: pass.seal_field("one daily")? })
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub fn seal_fields<T>(&self, work: impl FnOnce(&mut SealPass<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.try_seal_fields(work)
    }

    /// As [`seal_fields`](Self::seal_fields), for `work` with an error type of its own.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub fn try_seal_fields<T, E>(&self, work: impl FnOnce(&mut SealPass<'_>) -> Result<T, E>) -> Result<T, E> {
        work(&mut SealPass::with_state(self.core(), SealState::default()))
    }
}

/// Seals fields of one record, each field id once.
///
/// [`seal_field`](Self::seal_field) and [`seal_phi`](Self::seal_phi) give a [`Sealed`](crate::Sealed), whose marker is that of the
/// row's field. The others give tokens, of the marker that the caller names.
// The typed calls are in `form/typed.rs`.
pub struct SealPass<'r> {
    pub(super) core: &'r RecordCore,
    pub(super) state: SealState,
}

impl<'r> SealPass<'r> {
    pub(crate) fn with_state(core: &'r RecordCore, state: SealState) -> Self {
        Self { core, state }
    }

    /// Seals one field.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`], and `field-repeated`.
    pub fn seal<F: Field>(&mut self, value: &(impl Serialize + ?Sized)) -> Result<Token, Error> {
        self.seal_token(Declaration::of::<F>(), value, Claim::Token)
    }

    /// Seals one field and returns its text form.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`], and `field-repeated`.
    pub fn seal_text<F: Field>(&mut self, value: &(impl Serialize + ?Sized)) -> Result<String, Error> {
        self.seal_in_scratch::<F, _>(value, |token| text::encode_behind(token).to_owned())
    }

    /// Seals one field and appends its binary form to `out`. If `out` has enough room, nothing is allocated. On an error `out` is
    /// unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`], and `field-repeated`.
    pub fn seal_into<F: Field>(&mut self, value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) -> Result<(), Error> {
        self.seal_claimed(Declaration::of::<F>(), value, Claim::Token, out)
    }

    /// Claims a field for a list or a map, the only one of that field here (FORMAT 4.5).
    pub(crate) fn claim(&mut self, field: FieldId) -> Result<(), Error> {
        self.state.claim(field).map_err(|error| self.core.located(field, error))
    }

    /// Seals a field, or an element of the list that claimed it.
    pub(crate) fn seal_token(
        &mut self,
        field: &Declaration,
        value: &(impl Serialize + ?Sized),
        claim: Claim,
    ) -> Result<Token, Error> {
        let mut bytes = Vec::new();
        self.seal_claimed(field, value, claim, &mut bytes)?;
        Ok(Token::from_sealed(bytes))
    }

    fn seal_claimed(
        &mut self,
        field: &Declaration,
        value: &(impl Serialize + ?Sized),
        claim: Claim,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Self { core, state } = self;
        core.sealing_header(field.class)
            .and_then(|header| {
                let encrypt = |sealing: PlacedPayload<'_>| sealing.encrypt(core, state, claim);
                seal_appending(field, header, &Value(value), out, encrypt)
            })
            .map_err(|error| core.located(field.id, error))
    }

    /// Seals one field and appends its text form to `out`. If `out` has enough room, nothing is allocated. On an error `out` is
    /// unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`], and `field-repeated`.
    pub fn seal_text_into<F: Field>(
        &mut self,
        value: &(impl Serialize + ?Sized),
        out: &mut String,
    ) -> Result<(), Error> {
        self.seal_in_scratch::<F, _>(value, |token| out.push_str(text::encode_behind(token)))
    }

    /// Seals the bytes in `buffer` in place. Use it for large values, such as a scan, to have only one copy. The token is like that of
    /// `serde_bytes`, and opens like it. On an error `buffer` is unchanged.
    ///
    /// If `buffer` has no room for 50 bytes more and the field's padding, it moves, and its old memory is wiped.
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`], and `field-repeated`.
    pub fn seal_in_place<F: Field>(&mut self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let Self { core, state } = self;
        let field = Declaration::of::<F>();
        let sealed = core.sealing_header(field.class).and_then(|header| {
            let head = header.payload_start();
            let place = PayloadPlace { limits: Limits::of(field), head, tail: TAG_LEN };
            let len = buffer.len();
            payload::wrap_bytes(place, buffer)?;
            let sealing = PlacedPayload { out: buffer, start: 0, header, field: field.id, class: field.class };
            sealing.encrypt(core, state, Claim::Token).inspect_err(|_| payload::unwrap_bytes(head, len, buffer))
        });
        sealed.map_err(|error| core.located(field.id, error))
    }

    /// Seals one field in the thread's scratch buffer; `take` gets the binary token.
    fn seal_in_scratch<F: Field, T>(
        &mut self,
        value: &(impl Serialize + ?Sized),
        take: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> Result<T, Error> {
        scratch::with(|buffer| {
            self.seal_into::<F>(value, buffer.vec())?;
            Ok(take(buffer.vec()))
        })
    }
}

impl fmt::Debug for SealPass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealPass").finish_non_exhaustive()
    }
}

/// What claims a field id in a pass: it belongs to one token, one list or one map there (FORMAT 4.5).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The token.
    Token,
    /// The list that the token is in, which did so before.
    List,
}

/// What one pass keeps from field to field.
#[derive(Default)]
pub(crate) struct SealState {
    /// The suite's whole nonce of the next token, from the first token on (FORMAT 5.3).
    /// No `Option`: see "No unwritten room" in `secret`.
    next_nonce: [u8; 24],
    drawn: bool,
    workspace: Workspace,
}

impl SealState {
    /// A state whose nonce bytes were drawn already, with those of other records.
    pub(crate) fn with_nonce(core: &RecordCore, drawn: &[u8; 24]) -> Self {
        let letter = core.shared().keys.primary().suite.sealing_letter(core.context().is_bound());
        Self { next_nonce: first_nonce(core, letter, drawn), drawn: true, ..Self::default() }
    }

    /// Notes that `field` is sealed in this pass, or refuses a second time (FORMAT 4.5).
    pub(crate) fn claim(&mut self, field: FieldId) -> Result<(), Error> {
        self.check_unclaimed(field)?;
        self.workspace.claimed.push(field);
        Ok(())
    }

    /// Takes the claim back: nobody has what was sealed.
    pub(crate) fn release(&mut self, field: FieldId) {
        self.workspace.claimed.retain(|claimed| *claimed != field);
    }

    fn check_unclaimed(&self, field: FieldId) -> Result<(), Error> {
        if self.workspace.claimed.contains(&field) { Err(ErrorKind::FieldRepeated.into()) } else { Ok(()) }
    }

    /// Gives the nonce of this token and advances (FORMAT 5.3).
    fn take_nonce(&mut self, core: &RecordCore, letter: Letter) -> Result<[u8; 24], Error> {
        if !self.drawn {
            let mut drawn = [0; 24];
            let (_, needed) = drawn.split_at_mut(24_usize.saturating_sub(letter.nonce_len()));
            random::fill(needed)?;
            self.next_nonce = first_nonce(core, letter, &drawn);
            self.drawn = true;
        }
        let nonce = self.next_nonce;
        self.next_nonce = successor(nonce);
        Ok(nonce)
    }
}

/// The number of contexts whose nonce bytes are drawn from the operating system in one request.
pub(super) const DRAWN_AT_ONCE: usize = 256;

/// The nonce bytes of one call that seals in several contexts.
pub(crate) struct Nonces {
    /// How many contexts are still to come, as far as is known.
    expected: usize,
    drawn: Vec<[u8; 24]>,
}

impl Nonces {
    pub(crate) fn for_contexts(expected: usize) -> Self {
        Self { expected, drawn: Vec::new() }
    }

    /// The state of a context's pass. A single one draws for itself, and only what it needs.
    pub(crate) fn state(&mut self, core: &RecordCore) -> Result<SealState, Error> {
        if self.drawn.is_empty() && self.expected > 1 {
            let count = self.expected.min(DRAWN_AT_ONCE);
            self.expected = self.expected.saturating_sub(count);
            let mut drawn = vec![[0; 24]; count];
            random::fill(drawn.as_flattened_mut())?;
            self.drawn = drawn;
        }
        Ok(self.drawn.pop().map_or_else(SealState::default, |nonce| SealState::with_nonce(core, &nonce)))
    }
}

/// FORMAT 5: letter `X` puts the context in front of its 12 drawn bytes.
fn first_nonce(core: &RecordCore, letter: Letter, drawn: &[u8; 24]) -> [u8; 24] {
    let mut nonce = *drawn;
    if letter.has_context_in_nonce()
        && let Some(prefix) = nonce.first_chunk_mut()
    {
        *prefix = core.context().nonce_prefix();
    }
    nonce
}

/// The last 12 bytes as an integer, plus one, modulo 2^96 (FORMAT 5.3).
fn successor(mut nonce: [u8; 24]) -> [u8; 24] {
    if let Some(number) = nonce.last_chunk_mut::<12>() {
        let mut wide = [0; 16];
        if let Some(low) = wide.last_chunk_mut() {
            *low = *number;
        }
        let next = u128::from_be_bytes(wide).wrapping_add(1).to_be_bytes();
        if let Some(low) = next.last_chunk() {
            *number = *low;
        }
    }
    nonce
}

/// A payload in place, to be encrypted: `header | room for the nonce | payload`, from `start` on.
pub(crate) struct PlacedPayload<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    header: Header,
    field: FieldId,
    class: Class,
}

/// Writes the payload of `value` behind what `out` holds, and has `encrypt` make a token of it. On an error `out` is as
/// it was.
///
/// The payload is written before any state of the pass is touched: writing it runs the value's own `Serialize`, which may
/// come here again.
#[inline]
pub(crate) fn seal_appending(
    field: &Declaration,
    header: Header,
    value: &impl Plaintext,
    out: &mut Vec<u8>,
    encrypt: impl FnOnce(PlacedPayload<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut unfinished = Unfinished::begin(out);
    let start = unfinished.start();
    let place = PayloadPlace { limits: Limits::of(field), head: header.payload_start(), tail: TAG_LEN };
    value.write_payload(place, unfinished.vec())?;
    encrypt(PlacedPayload { out: unfinished.vec(), start, header, field: field.id, class: field.class })?;
    unfinished.finish();
    Ok(())
}

impl PlacedPayload<'_> {
    /// Encrypts in place.
    pub(crate) fn encrypt(self, core: &RecordCore, state: &mut SealState, claim: Claim) -> Result<(), Error> {
        let Self { out, start, header, field, class } = self;
        let keys = &core.shared().keys;
        let letter = header.letter;
        let token = out.get_mut(start..).unwrap_or_default();
        let (head, rest) = token.split_first_chunk_mut::<HEADER_LEN>().ok_or(ErrorKind::TooLarge)?;
        let (wire_nonce, text) = rest.split_at_mut_checked(letter.nonce_len()).ok_or(ErrorKind::TooLarge)?;
        payload::refuse_nested(text, |key_id| keys.knows(key_id))?;
        if claim == Claim::Token {
            state.check_unclaimed(field)?;
        }
        let nonce = state.take_nonce(core, letter)?;
        // Its key set-up is done once: all nonces of a pass begin with the same 12 bytes.
        let cipher = state.workspace.ciphers.get(core, keys.primary(), letter, class, &nonce)?;
        *head = header.to_bytes();
        wire_nonce.copy_from_slice(on_wire(letter, &nonce));
        let tag = with_aad(core.context(), head, field, |aad| cipher.seal(letter, &nonce, aad, text))?;
        out.extend_from_slice(&tag);
        // Only now: what failed may be tried again in this pass.
        if claim == Claim::Token {
            state.workspace.claimed.push(field);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::{Directions, Drug};
    use crate::random::hooks::{draws_in, while_failing};
    use crate::testing::insecure_keyring;

    #[test]
    fn one_draw_a_pass() {
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let record = keys.record("prescription", 1).unwrap();
        let seal_two = || {
            record.seal_fields(|pass| {
                pass.seal::<Drug>("warfarin")?;
                pass.seal::<Directions>("daily")
            })
        };
        assert_eq!(draws_in(seal_two).1, 1);
        assert_eq!(draws_in(|| record.seal_fields(|_| Ok::<_, Error>(()))).1, 0, "none before the first token");
        assert_eq!(draws_in(|| record.seal::<Drug>("warfarin")).1, 1);
        let records = [(); 300].map(|()| keys.record("prescription", 1).unwrap());
        assert_eq!(draws_in(|| crate::page::seal_page(&records, |_, pass| pass.seal::<Drug>("warfarin"))).1, 2);
        let token = record.seal::<Drug>("warfarin").unwrap();
        assert_eq!(draws_in(|| record.reseal::<Drug>(&token)).1, 1);
        let text = record.seal_text::<Directions>("daily").unwrap();
        let reseal_two = || {
            record.reseal_fields(|pass| {
                pass.reseal::<Drug>(&token)?;
                pass.reseal_text::<Directions>(&text)
            })
        };
        assert_eq!(draws_in(reseal_two).1, 1);
        assert_eq!(draws_in(|| record.reseal::<Directions>(&token)).1, 0, "none for what does not open");
        assert_eq!(draws_in(|| crate::page::reseal_page(&records, |_, pass| pass.reseal::<Drug>(&token))).1, 2);
        let in_place = || record.seal_fields(|pass| pass.seal_in_place::<Drug>(&mut b"warfarin".to_vec()));
        assert_eq!(draws_in(in_place).1, 1);
    }

    #[test]
    fn nothing_is_drawn_for_a_record_that_lacks_its_subject() {
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let token = keys.record("prescription", 1).unwrap().seal::<Drug>("warfarin").unwrap();
        let record = keys.record_type("prescription").unwrap().requires_subject().record(1).unwrap();
        let drawn = |work: &dyn Fn() -> Result<(), Error>| {
            let (result, draws) = draws_in(work);
            (result.unwrap_err().code().as_str(), draws)
        };
        let value = crate::Phi::<_, Drug>::new("warfarin".to_owned());
        let page = [keys.record("prescription", 2).unwrap(), record];
        let ways: [&dyn Fn() -> Result<(), Error>; 6] = [
            &|| page[1].seal::<Drug>("warfarin").map(drop),
            &|| page[1].seal_fields(|pass| pass.seal_in_place::<Drug>(&mut b"warfarin".to_vec())),
            &|| page[1].run_sealing(|| serde_json::to_string(&value)).map(drop),
            &|| page[1].reseal::<Drug>(&token).map(drop),
            &|| crate::page::seal_page(&page, |_, pass| pass.seal::<Drug>("warfarin")).map(drop),
            &|| crate::page::reseal_page(&page, |_, pass| pass.reseal::<Drug>(&token)).map(drop),
        ];
        for way in ways {
            assert_eq!(drawn(way), ("subject-missing", 0));
        }
    }

    #[test]
    fn without_random_bytes_nothing_is_written() {
        let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
        let record = keys.record("prescription", 1).unwrap();
        let mut out = b"before".to_vec();
        let result = while_failing(|| record.seal_fields(|pass| pass.seal_into::<Drug>("warfarin", &mut out)));
        assert_eq!(result.unwrap_err().code().as_str(), "random-failed");
        assert_eq!(out, b"before");
        let json =
            while_failing(|| record.run_sealing(|| serde_json::to_string(&crate::Phi::<_, Drug>::new("x".to_owned()))));
        assert_eq!(json.unwrap_err().code().as_str(), "random-failed");
        let token = record.seal::<Drug>("warfarin").unwrap();
        for room in [0, 1000] {
            let mut scan = Vec::with_capacity(room);
            scan.extend_from_slice(b"scan");
            let result = while_failing(|| record.seal_fields(|pass| pass.seal_in_place::<Drug>(&mut scan)));
            assert_eq!((result.unwrap_err().code().as_str(), scan.as_slice()), ("random-failed", b"scan".as_slice()));
        }
        let reseal = || record.reseal_fields(|pass| pass.reseal_into::<Drug>(token.as_bytes(), &mut out));
        assert_eq!(while_failing(reseal).unwrap_err().code().as_str(), "random-failed");
        assert_eq!(out, b"before");
        let page = [record];
        assert!(while_failing(|| crate::page::reseal_page(&page, |_, pass| pass.reseal::<Drug>(&token))).is_err());
        assert!(while_failing(|| crate::page::seal_page(&page, |_, pass| pass.seal::<Drug>("warfarin"))).is_err());
        assert_eq!(while_failing(|| keys.create_subject_key("P-1").err().unwrap().code().as_str()), "random-failed");
    }

    #[test]
    fn nonces_count_in_the_last_12_bytes_only() {
        let mut nonce = [0xFF; 24];
        nonce[23] = 0xFE;
        let last = successor(nonce);
        assert_eq!(last, [0xFF; 24]);
        let mut wrapped = [0; 24];
        wrapped[..12].fill(0xFF);
        assert_eq!(successor(last), wrapped);
    }
}
