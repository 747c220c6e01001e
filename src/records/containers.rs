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

/// The lists of the standard library, as for `Sealing::<Each<F>>`.
macro_rules! lists {
    ($($list:ty $(where [$($bound:ident),+])? $(, $hasher:ident)?;)*) => {$(
        impl<F: Field, T: Serialize + DeserializeOwned $($(+ $bound)+)? $(, $hasher: BuildHasher + Default)?> TwinOf<$list> for Each<F> {
            type Twin = Vec<Sealed<T, F>>;
            type Field = F;
            type Value = T;
            const SHAPE: Shape = Shape::Each;

            fn seal_twin(list: &$list, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
                let field = Declaration::of::<F>();
                sealer.container(field.id)?;
                list.iter().map(|value| sealer.element::<T>(field, value).map(Sealed::from)).collect()
            }

            fn open_twin(tokens: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<$list, Error> {
                tokens.iter().map(|token| opener.field(Declaration::of::<F>(), token.token())).collect()
            }

            fn visit_twin(tokens: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
                tokens.iter().try_for_each(|token| visit.element(Declaration::of::<F>(), token.token()))
            }

            fn change_twin(tokens: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
                change.container(F::ID)?;
                for token in tokens {
                    *token = Sealed::from(change.element(Declaration::of::<F>(), token.token())?);
                }
                Ok(())
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
        impl<F: Field, K: Display + Clone $(+ $bound)+, T: Serialize + DeserializeOwned $(, $hasher: BuildHasher + Default + Clone)?>
            TwinOf<$map<K, T $(, $hasher)?>> for Parts<F>
        {
            type Twin = $map<K, Sealed<T, F> $(, $hasher)?>;
            type Field = F;
            type Value = T;
            const SHAPE: Shape = Shape::Parts;

            fn contexts(map: &$map<K, T $(, $hasher)?>) -> usize {
                map.len()
            }

            // FORMAT 4.7: each value belongs to a part whose name is the field's id and whose id is the entry's key.
            fn seal_twin(map: &$map<K, T $(, $hasher)?>, sealer: &mut RecordSealer<'_>) -> Result<Self::Twin, Error> {
                const { check_parts::<F>() };
                sealer.container(F::ID)?;
                let mut seal = |key: &K, value: &T| {
                    let (name, id) = part::<F>(key);
                    sealer.part(name, &id, |sealer| sealer.field::<T>(Declaration::of::<F>(), value)).map(Sealed::from)
                };
                map.iter().map(|(key, value)| Ok((key.clone(), seal(key, value)?))).collect()
            }

            fn open_twin(tokens: &Self::Twin, opener: &mut RecordOpener<'_>) -> Result<$map<K, T $(, $hasher)?>, Error> {
                let mut open = |key: &K, token: &Sealed<T, F>| {
                    let (name, id) = part::<F>(key);
                    opener.part(name, &id, |opener| opener.field(Declaration::of::<F>(), token.token()))
                };
                tokens.iter().map(|(key, token)| Ok((key.clone(), open(key, token)?))).collect()
            }

            fn visit_twin(tokens: &Self::Twin, visit: &mut impl TokenVisit) -> Result<(), Error> {
                for (key, token) in tokens {
                    let (name, id) = part::<F>(key);
                    visit.enter(name, &id)?;
                    visit.token(Declaration::of::<F>(), token.token())?;
                    visit.leave();
                }
                Ok(())
            }

            fn change_twin(tokens: &mut Self::Twin, change: &mut impl TokenChange) -> Result<(), Error> {
                change.container(F::ID)?;
                for (key, token) in tokens {
                    let (name, id) = part::<F>(key);
                    change.enter(name, &id)?;
                    *token = Sealed::from(change.token(Declaration::of::<F>(), token.token())?);
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
