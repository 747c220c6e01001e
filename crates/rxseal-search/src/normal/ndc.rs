//! `ndc/1`: National Drug Codes.

use rxseal::Error;

use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::tidy::write_digits;

/// National Drug Codes, as the 11 digits of billing (5-4-2): `ndc/1`. With hyphens the code may be 4-4-2, 5-3-2, 5-4-1 or 5-4-2, and gets
/// the missing zero. Without hyphens only 11 digits are taken: 10 digits could be three different codes.
///
/// ```
/// use rxseal_search::normal::{Ndc, NormalForm, Normalizes};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// for code in ["0002-7597-01", "00002-7597-01", "00002759701"] {
///     Ndc::write(code, &mut form)?;
///     assert_eq!(form.as_bytes(), b"00002759701");
/// }
/// assert!(Ndc::write("0002759701", &mut form).unwrap_err().is_not_indexable());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Ndc;

impl Normalizer for Ndc {
    const ID: &'static str = "ndc/1";
}

impl Normalizes<str> for Ndc {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        write(text.trim_ascii(), form).inspect_err(|_| form.clear())
    }
}

fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
    let mut segments = text.split('-');
    let (Some(labeler), Some(product), Some(package), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return write_digits(text, 11, form, refused);
    };
    match (labeler.len(), product.len(), package.len()) {
        (4, 4, 2) | (5, 3, 2) | (5, 4, 1 | 2) => {}
        _ => return Err(refused()),
    }
    for (segment, len) in [(labeler, 5), (product, 4), (package, 2)] {
        if segment.len() < len {
            form.push_byte(b'0')?;
        }
        if !segment.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        form.push(segment.as_bytes())?;
    }
    Ok(())
}

fn refused() -> Error {
    Error::not_indexable("an NDC is 4-4-2, 5-3-2, 5-4-1 or 5-4-2 digits with hyphens, or 11 digits without")
}
