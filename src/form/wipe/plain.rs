//! What of the standard library can be wiped.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::CString;
use std::marker::PhantomData;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{self, Wrapping};
use std::time::Duration;

use zeroize::Zeroize;

use super::Wipe;

overwrite! {
    u8 = 0; u16 = 0; u32 = 0; u64 = 0; u128 = 0; usize = 0;
    i8 = 0; i16 = 0; i32 = 0; i64 = 0; i128 = 0; isize = 0;
    f32 = 0.0; f64 = 0.0; bool = false; char = '\0'; () = ();
    num::NonZeroU8 = Self::MIN; num::NonZeroU16 = Self::MIN; num::NonZeroU32 = Self::MIN; num::NonZeroU64 = Self::MIN;
    num::NonZeroU128 = Self::MIN; num::NonZeroUsize = Self::MIN;
    num::NonZeroI8 = Self::MIN; num::NonZeroI16 = Self::MIN; num::NonZeroI32 = Self::MIN; num::NonZeroI64 = Self::MIN;
    num::NonZeroI128 = Self::MIN; num::NonZeroIsize = Self::MIN;
    Duration = Self::ZERO;
    Ipv4Addr = Self::UNSPECIFIED; Ipv6Addr = Self::UNSPECIFIED;
}

impl Wipe for IpAddr {
    fn wipe(&mut self) {
        match self {
            Self::V4(address) => address.wipe(),
            Self::V6(address) => address.wipe(),
        }
    }
}

/// Types that zeroize wipes and that contain no value of another type.
macro_rules! zeroize {
    ($($type:ty)*) => {$(
        impl Wipe for $type {
            fn wipe(&mut self) {
                self.zeroize();
            }
        }
    )*};
}

zeroize!(str String CString);

impl<T: Wipe> Wipe for Wrapping<T> {
    fn wipe(&mut self) {
        self.0.wipe();
    }
}

impl<T: ?Sized> Wipe for PhantomData<T> {
    fn wipe(&mut self) {}
}

impl<T: Wipe + ?Sized> Wipe for Box<T> {
    fn wipe(&mut self) {
        (**self).wipe();
    }
}

impl<T: Wipe> Wipe for Option<T> {
    fn wipe(&mut self) {
        if let Some(value) = self {
            value.wipe();
        }
        self.overwrite(None);
    }
}

impl<T: Wipe, E: Wipe> Wipe for Result<T, E> {
    fn wipe(&mut self) {
        match self {
            Ok(value) => value.wipe(),
            Err(error) => error.wipe(),
        }
    }
}

impl<T: Wipe> Wipe for [T] {
    fn wipe(&mut self) {
        T::wipe_all(self);
    }
}

impl<T: Wipe, const N: usize> Wipe for [T; N] {
    fn wipe(&mut self) {
        T::wipe_all(self);
    }
}

impl<T: Wipe> Wipe for Vec<T> {
    fn wipe(&mut self) {
        T::wipe_all(self);
        // The whole buffer is then spare room. Zeros there also hide which variants the elements had.
        self.clear();
        self.spare_capacity_mut().zeroize();
    }
}

impl<T: Wipe> Wipe for VecDeque<T> {
    fn wipe(&mut self) {
        // The same buffer, as a vector.
        Vec::from(mem::take(self)).wipe();
    }
}

impl<K: Wipe, V: Wipe> Wipe for BTreeMap<K, V> {
    fn wipe(&mut self) {
        self.values_mut().for_each(V::wipe);
        for mut key in mem::take(self).into_keys() {
            key.wipe();
        }
    }
}

impl<K: Wipe, V: Wipe, S> Wipe for HashMap<K, V, S> {
    fn wipe(&mut self) {
        self.values_mut().for_each(V::wipe);
        for (mut key, _) in self.drain() {
            key.wipe();
        }
    }
}

impl<K: Wipe> Wipe for BTreeSet<K> {
    fn wipe(&mut self) {
        for mut key in mem::take(self) {
            key.wipe();
        }
    }
}

impl<K: Wipe, S> Wipe for HashSet<K, S> {
    fn wipe(&mut self) {
        for mut key in self.drain() {
            key.wipe();
        }
    }
}

macro_rules! tuples {
    ($($($each:ident)+;)*) => {$(
        impl<$($each: Wipe),+> Wipe for ($($each,)+) {
            fn wipe(&mut self) {
                #[expect(non_snake_case, reason = "a type parameter's name is at hand for each place")]
                let ($($each,)+) = self;
                $($each.wipe();)+
            }
        }
    )*};
}

tuples! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H; A B C D E F G H I; A B C D E F G H I J;
    A B C D E F G H I J K; A B C D E F G H I J K L;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a value.
    fn wiped<T: Wipe>(mut value: T) -> T {
        value.wipe();
        value
    }

    #[test]
    fn plain_values_become_fixed_ones() {
        assert_eq!(wiped((7_u8, -7_i64, 1.5_f64, 'Z', true)), (0, 0, 0.0, '\0', false));
        assert_eq!(wiped([[7_u16; 3]; 2]), [[0; 3]; 2]);
        assert_eq!(wiped(num::NonZeroU32::MAX), num::NonZeroU32::MIN);
        assert_eq!(wiped(Duration::from_secs(7)), Duration::ZERO);
        assert_eq!(wiped(IpAddr::from([10, 0, 0, 7])), IpAddr::from([0, 0, 0, 0]));
        assert_eq!(wiped(Wrapping(7)), Wrapping(0));
        assert_eq!(wiped(Box::new([7_u8; 4])), Box::new([0; 4]));
    }

    #[test]
    fn containers_are_emptied_and_their_values_wiped() {
        assert_eq!(wiped(Some("Zoraida".to_owned())), None);
        assert_eq!(wiped(Ok::<_, ()>("Zoraida".to_owned())), Ok(String::new()));
        assert_eq!(wiped("Zoraida".to_owned().into_boxed_str()).as_bytes(), [0; 7]);
        assert_eq!(wiped(vec!["Zoraida".to_owned()].into_boxed_slice()), [String::new()].into());
        assert!(wiped(VecDeque::from([1, 2])).is_empty());
        assert!(wiped(BTreeMap::from([("Zoraida".to_owned(), 7)])).is_empty());
        assert!(wiped(HashMap::from([("Zoraida".to_owned(), 7)])).is_empty());
        assert!(wiped(BTreeSet::from(["Zoraida".to_owned()])).is_empty());
        assert!(wiped(HashSet::from(["Zoraida".to_owned()])).is_empty());
    }

    #[test]
    fn the_whole_buffer_of_a_vector_is_wiped() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"Zoraida Quimby");
        bytes.truncate(3);
        bytes.wipe();
        assert!(bytes.is_empty());
        bytes.resize(14, 1);
        assert_eq!(bytes.capacity(), 64, "the buffer is the same");
    }

    /// A value that notes when it was wiped.
    struct Seen<'a>(&'a std::cell::Cell<u32>);

    impl Wipe for Seen<'_> {
        fn wipe(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn every_value_of_a_container_is_wiped_once() {
        let seen = std::cell::Cell::new(0);
        let each = || Seen(&seen);
        wiped(vec![each(), each()]);
        wiped([each(), each()]);
        wiped((each(), Some(each())));
        drop(wiped(Ok::<_, Seen<'_>>(each())));
        drop(wiped(Err::<(), _>(each())));
        wiped(VecDeque::from([each()]));
        wiped(BTreeMap::from([(1, each())]));
        wiped(HashMap::from([(1, each())]));
        wiped(Box::new(each()));
        assert_eq!(seen.get(), 12);
    }
}
