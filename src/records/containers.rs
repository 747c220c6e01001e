//! The twins of `Each` and `Parts`: lists and maps of tokens, as serde writes them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Display;
use std::hash::{BuildHasher, Hash};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::open::RecordOpener;
use super::seal::RecordSealer;
use super::twin::TwinOf;
use super::walk::{TokenChange, TokenVisit};
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::form::{Each, Parts, Sealed, check_parts};
use crate::id::Identifier;
use crate::schema::Shape;

/// A marker of the elements of a list or of the values of a map: a [`Field`], or [`Migrates<F>`](super::Migrates) while the column is
/// migrated.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a field marker for elements of type `{T}`",
    note = "write `Each<Marker>` or `Parts<Marker>` with a marker that `rxseal::fields!` declared, or with `Migrates<Marker>` around it"
)]
pub trait ElementOf<T>: TwinOf<T> {
    #[doc(hidden)]
    fn seal_element(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error>;

    #[doc(hidden)]
    fn visit_element(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error>;

    #[doc(hidden)]
    fn change_element(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error>;
}

impl<F: Field, T: Serialize + DeserializeOwned> ElementOf<T> for F {
    fn seal_element(value: &T, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
        sealer.element::<T>(Declaration::of::<F>(), value).map(Sealed::from)
    }

    fn visit_element(twin: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
        visit.element(Declaration::of::<F>(), twin.token())
    }

    fn change_element(twin: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
        *twin = Sealed::from(change.element(Declaration::of::<F>(), twin.token())?);
        Ok(())
    }
}

/// The lists of the standard library, as for `Sealing::<Each<F>>`.
macro_rules! lists {
    ($($list:ty $(where [$($bound:ident),+])? $(, $hasher:ident)?;)*) => {$(
        impl<M: ElementOf<T>, T $(: $($bound +)+)? $(, $hasher: BuildHasher + Default)?> TwinOf<$list> for Each<M> {
            type Twin = Vec<M::Twin>;
            type Field = M::Field;
            type Value = M::Value;
            const SHAPE: Shape = Shape::Each;

            fn seal_twin(list: &$list, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
                sealer.container(M::Field::ID)?;
                list.iter().map(|value| M::seal_element(value, sealer)).collect()
            }

            fn open_twin(tokens: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<$list, Error> {
                tokens.iter().map(|token| M::open_twin(token, opener)).collect()
            }

            fn visit_twin(tokens: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
                tokens.iter().try_for_each(|token| M::visit_element(token, visit))
            }

            fn change_twin(tokens: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
                change.container(M::Field::ID)?;
                tokens.iter_mut().try_for_each(|token| M::change_element(token, change))
            }
        }
    )*};
}

lists! {
    Vec<T>;
    VecDeque<T>;
    BTreeSet<T> where [Ord];
    HashSet<T, H> where [Eq, Hash], H;
}

/// The maps of the standard library, as for `Sealing::<Parts<F>>`.
macro_rules! maps {
    ($($map:ident<K, $value:ident $(, $hasher:ident)?> where [$($bound:ident),+];)*) => {$(
        impl<M: ElementOf<T>, K: Display + Clone $(+ $bound)+, T $(, $hasher: BuildHasher + Default + Clone)?>
            TwinOf<$map<K, T $(, $hasher)?>> for Parts<M>
        {
            type Twin = $map<K, M::Twin $(, $hasher)?>;
            type Field = M::Field;
            type Value = M::Value;
            const SHAPE: Shape = Shape::Parts;

            fn contexts(map: &$map<K, T $(, $hasher)?>) -> usize {
                map.len()
            }

            // FORMAT 4.7: each value belongs to a part whose name is the field's id and whose id is the entry's key.
            fn seal_twin(map: &$map<K, T $(, $hasher)?>, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
                const { check_parts::<M::Field>() };
                sealer.container(M::Field::ID)?;
                let mut seal = |key: &K, value: &T| {
                    let (name, id) = part::<M::Field>(key);
                    sealer.part(name, &id, |sealer| M::seal_twin(value, sealer))
                };
                map.iter().map(|(key, value)| Ok((key.clone(), seal(key, value)?))).collect()
            }

            fn open_twin(tokens: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<$map<K, T $(, $hasher)?>, Error> {
                let mut open = |key: &K, token: &M::Twin| {
                    let (name, id) = part::<M::Field>(key);
                    opener.part(name, &id, |opener| M::open_twin(token, opener))
                };
                tokens.iter().map(|(key, token)| Ok((key.clone(), open(key, token)?))).collect()
            }

            fn visit_twin(tokens: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
                for (key, token) in tokens {
                    let (name, id) = part::<M::Field>(key);
                    visit.enter(name, &id)?;
                    M::visit_twin(token, visit)?;
                    visit.leave();
                }
                Ok(())
            }

            fn change_twin(tokens: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
                change.container(M::Field::ID)?;
                for (key, token) in tokens {
                    let (name, id) = part::<M::Field>(key);
                    change.enter(name, &id)?;
                    M::change_twin(token, change)?;
                    change.leave();
                }
                Ok(())
            }
        }
    )*};
}

maps! {
    BTreeMap<K, T> where [Ord];
    HashMap<K, T, H> where [Eq, Hash];
}

/// The part of an entry: its name and its id (FORMAT 4.7).
fn part<F: Field>(key: &impl Display) -> (&'static str, Identifier<'static>) {
    (F::ID.as_str(), key.to_string().into())
}
