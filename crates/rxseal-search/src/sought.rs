//! What is asked of an index: how a query's input becomes normal forms.

use rxseal::Error;
use rxseal::index::{Definition, Forms, Index};

use crate::normal::{Date, NormalForm, Normalizer, Normalizes, NormalizesParts};

/// An index that can be searched. [`indexes!`](crate::indexes) implements it for each marker.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an index",
    note = "declare indexes with `rxseal_search::indexes!`, once for each record struct"
)]
pub trait SearchIndex: Index {
    /// The normalisers of its components.
    #[doc(hidden)]
    type Normalizers;
}

/// What an index can be asked for: text or a date for an index of one field, and a tuple of them for a compound index.
///
/// It is implemented for whatever the normalisers of the index take, so a program never implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that this index can be asked for",
    note = "an index of one field takes text, and one of dates a date too; a compound index takes a tuple with a value for each component"
)]
pub trait Sought<I: SearchIndex> {
    #[doc(hidden)]
    fn write(&self, definition: &Definition, forms: &mut Forms) -> Result<(), Error>;
}

// Without this the compiler names traits that no program knows, and nobody reads the note above.
#[diagnostic::do_not_recommend]
impl<I: SearchIndex<Normalizers: AskAny<Q>>, Q> Sought<I> for Q {
    fn write(&self, definition: &Definition, forms: &mut Forms) -> Result<(), Error> {
        I::Normalizers::write_any(self, definition, forms)
    }
}

/// The normalisers of a definition, one for each component.
pub trait Normalizers {
    /// Their ids.
    const IDS: &'static [&'static str];
}

/// Normalisers that take a query's input.
pub trait Ask<Q>: Normalizers {
    /// Writes what it asks for.
    ///
    /// # Errors
    ///
    /// `not-indexable`, `bad-check-digit`.
    fn write(sought: &Q, forms: &mut Forms) -> Result<(), Error>;
}

/// Lists of normalisers, the present one and then former ones, as pairs that end with `()`.
pub trait AskAny<Q> {
    /// Writes what it asks for by the list that `definition` names.
    ///
    /// # Errors
    ///
    /// `not-indexable`, `bad-check-digit`.
    fn write_any(sought: &Q, definition: &Definition, forms: &mut Forms) -> Result<(), Error>;
}

impl<Q, L: Ask<Q>, Rest: AskAny<Q>> AskAny<Q> for (L, Rest) {
    fn write_any(sought: &Q, definition: &Definition, forms: &mut Forms) -> Result<(), Error> {
        if is_by::<L>(definition) { L::write(sought, forms) } else { Rest::write_any(sought, definition, forms) }
    }
}

impl<Q> AskAny<Q> for () {
    fn write_any(_: &Q, _: &Definition, _: &mut Forms) -> Result<(), Error> {
        Err(Error::not_indexable("a definition whose normalisers the index has"))
    }
}

/// Whether a definition is by these normalisers.
#[must_use]
pub fn is_by<L: Normalizers>(definition: &Definition) -> bool {
    definition.normalizers() == L::IDS
}

/// One normaliser.
#[expect(missing_debug_implementations, reason = "it has no values")]
pub enum One<N> {
    #[doc(hidden)]
    Never(std::convert::Infallible, std::marker::PhantomData<N>),
}

impl<N: Normalizer> Normalizers for One<N> {
    const IDS: &'static [&'static str] = &[N::ID];
}

impl<Q, N: Normalizes<Q>> Ask<Q> for One<N> {
    fn write(sought: &Q, forms: &mut Forms) -> Result<(), Error> {
        let mut form = NormalForm::new();
        N::write(sought, &mut form)?;
        forms.push(&[form.as_bytes()])
    }
}

/// A normaliser of sounds: a name is asked for by each of its codes.
#[expect(missing_debug_implementations, reason = "it has no values")]
pub enum BySound<N> {
    #[doc(hidden)]
    Never(std::convert::Infallible, std::marker::PhantomData<N>),
}

impl<N: Normalizer> Normalizers for BySound<N> {
    const IDS: &'static [&'static str] = &[N::ID];
}

impl<Q, N: NormalizesParts<Q>> Ask<Q> for BySound<N> {
    fn write(sought: &Q, forms: &mut Forms) -> Result<(), Error> {
        let before = forms.len();
        N::write_parts(sought, &mut |code| forms.push(&[code]))?;
        // One of several inputs is not left out in silence.
        if forms.len() == before { Err(Error::empty_query()) } else { Ok(()) }
    }
}

/// Normalisers of an index of dates.
#[diagnostic::on_unimplemented(
    message = "this is no index of dates",
    note = "days are asked of an index that says `date(..)`"
)]
pub trait ByDate {}

impl<P, Former> ByDate for (One<Date<P>>, Former) {}

macro_rules! compound {
    ($(($($n:ident $q:ident $at:tt),+))*) => {$(
        impl<$($n: Normalizer),+> Normalizers for ($($n,)+) {
            const IDS: &'static [&'static str] = &[$($n::ID),+];
        }

        impl<$($q),+, $($n: Normalizes<$q>),+> Ask<($($q,)+)> for ($($n,)+) {
            fn write(sought: &($($q,)+), forms: &mut Forms) -> Result<(), Error> {
                let mut written = [$({
                    let _ = stringify!($n);
                    NormalForm::new()
                }),+];
                let mut next = written.iter_mut();
                $(if let Some(form) = next.next() {
                    $n::write(&sought.$at, form)?;
                })+
                forms.push(&written.each_ref().map(NormalForm::as_bytes))
            }
        }
    )*};
}

compound! {
    (A Qa 0, B Qb 1)
    (A Qa 0, B Qb 1, C Qc 2)
    (A Qa 0, B Qb 1, C Qc 2, D Qd 3)
}
