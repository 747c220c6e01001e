//! How long a column of tokens must be, known at compile time.

use crate::aead::{Letter, NONCE_LEN, TAG_LEN};
use crate::codec::text;
use crate::field::Field;
use crate::token::HEADER_LEN;

/// The length of the longest token in a column, in bytes and as text.
///
/// Count a value's *bytes*, not its characters: 60 characters of a name may be 120 bytes or more. The length is exact: a value of
/// `max_plain` bytes has a token of this length.
///
/// ```
/// use rxseal::columns::ColumnLen;
/// use rxseal::phi::Drug;
///
/// // Beside the migration that says VARCHAR(160): it does not compile if 60 bytes of a drug no longer fit.
/// const DRUG: ColumnLen = ColumnLen::of::<Drug>(60).any_suite();
/// const _: () = assert!(DRUG.text() <= 160);
///
/// assert_eq!((ColumnLen::of::<Drug>(60).bytes(), ColumnLen::of::<Drug>(60).text()), (101, 135));
/// assert_eq!((DRUG.bytes(), DRUG.text()), (113, 151));
/// ```
///
/// To have a longer value refused when it is sealed, and not by the database, declare the field with `max`, and use
/// [`of_longest`](Self::of_longest):
///
/// ```
/// use rxseal::columns::ColumnLen;
/// rxseal::fields! { pub LotNumber = "fill.lot" in Medication { max: 20 }; }
/// const _: () = assert!(ColumnLen::of_longest::<LotNumber>().text() == 92);
///
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let refused = keys.record("fill", 1)?.seal::<LotNumber>("a lot number that is too long").unwrap_err();
/// assert_eq!(refused.code(), rxseal::ErrorCode::TooLarge);
/// # Ok(())
/// # }
/// ```
///
/// What is counted depends on the value's type (FORMAT 7):
///
/// | value | its bytes |
/// |---|---|
/// | text, characters, enum variants without data | those of the UTF-8 text |
/// | `serde_bytes` and its like | the bytes |
/// | numbers | their decimal digits, with sign, point and exponent: at most 20 for integers of 64 bits, 24 for `f64` |
/// | `bool` | at most 5 |
/// | dates and decimals that are serialized as text | those of the text: 10 for a date, for example |
/// | lists, maps, structs | those of their JSON, without spaces: brackets, commas, colons, and two quotes around each name and text. In a text, `"` and `\` are two bytes each, and a control character is two or six |
///
/// So 10 allergies of at most 40 bytes each are 10 x 42 bytes, 9 commas and 2 brackets, which is 431; twice the 400 if every
/// letter may be a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnLen {
    /// Of the payload, with its padding.
    payload: usize,
    nonce: usize,
}

impl ColumnLen {
    /// For values of at most `max_plain` bytes in the field `F`, whose block is added to.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "it widens, and `From` is not const")]
    pub const fn of<F: Field>(max_plain: usize) -> Self {
        const { crate::field::check::<F>() };
        Self { payload: padded(max_plain, F::BLOCK as usize), nonce: Letter::BoundXaes.nonce_len() }
    }

    /// For values of at most [`F::MAX_LEN`](Field::MAX_LEN) bytes, which is the `max` of [`fields!`](crate::fields). Sealing refuses longer
    /// ones, so no token is longer.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "it widens, and `From` is not const")]
    pub const fn of_longest<F: Field>() -> Self {
        Self::of::<F>(F::MAX_LEN as usize)
    }

    /// For values of at most `max_plain` bytes that are padded to a multiple of `block` bytes; a block of 0 counts as 1.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "it widens, and `From` is not const")]
    pub const fn padded_to(block: u16, max_plain: usize) -> Self {
        Self { payload: padded(max_plain, block as usize), nonce: Letter::BoundXaes.nonce_len() }
    }

    /// With room for every token: 12 bytes, or 16 characters, more. Tokens are longer under keys of
    /// [`Suite::XChaCha20Poly1305`](crate::keys::Suite::XChaCha20Poly1305), in [`wide`](crate::Record::wide) records and in records
    /// without an id. A column whose keyring may one day get a key of the other suite needs this.
    #[must_use]
    pub const fn any_suite(self) -> Self {
        Self { nonce: NONCE_LEN, ..self }
    }

    /// The length of a binary token, in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        HEADER_LEN.saturating_add(self.nonce).saturating_add(self.payload).saturating_add(TAG_LEN)
    }

    /// The length of a token's text, in characters, each of which is one byte.
    #[must_use]
    pub const fn text(self) -> usize {
        text::encoded_len(self.bytes())
    }
}

/// FORMAT 7.2: the kind, the content and at least one byte of padding, in whole blocks.
const fn padded(content: usize, block: usize) -> usize {
    let least = content.saturating_add(2);
    match least.checked_rem(block) {
        None | Some(0) => least,
        Some(over) => least.saturating_add(block.saturating_sub(over)),
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnLen;

    #[test]
    fn a_length_beyond_all_is_no_overflow() {
        assert_eq!(ColumnLen::padded_to(32, usize::MAX).bytes(), usize::MAX);
        assert_eq!(ColumnLen::padded_to(0, 0), ColumnLen::padded_to(1, 0));
        assert_eq!(ColumnLen::padded_to(1, 0).bytes(), 39, "FORMAT 6.3: the shortest token");
        assert_eq!(ColumnLen::padded_to(1, 0).any_suite().text(), 68);
    }
}
