//! What is refused, and what the refusal says.

use std::collections::HashSet;

use rxseal::ErrorCode;
use rxseal::records::{SerdeWith, Via, With};
use serde::{Deserializer, Serializer};

use super::*;

/// A record of one field of any type and marker.
struct One<T, M>(T, std::marker::PhantomData<M>);

struct SealedOne<T, M: TwinOf<T>>(Twin<T, M>);

impl<T, M: TwinOf<T>> Clone for SealedOne<T, M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, M: TwinOf<T>> PhiFields for One<T, M> {
    type Sealed = SealedOne<T, M>;

    const FIELDS: rxseal::__private::FieldIds = rxseal::__private::FieldIds {
        own: &[rxseal::__private::declaration::<M::Field>()],
        ..rxseal::__private::FieldIds::NONE
    };

    fn contexts(&self) -> usize {
        M::contexts(&self.0)
    }

    fn seal_fields(&self, sealer: &mut rxseal::__private::RecordSealer<'_>) -> Result<Self::Sealed, Error> {
        Ok(SealedOne(M::seal_twin(&self.0, sealer)?))
    }
}

impl<T, M: TwinOf<T>> SealedFields for SealedOne<T, M> {
    type Open = One<T, M>;

    fn open_fields(&self, opener: &mut rxseal::__private::RecordOpener<'_>) -> Result<Self::Open, Error> {
        Ok(One(M::open_twin(&self.0, opener)?, std::marker::PhantomData))
    }

    fn visit_tokens(&self, visit: &mut impl rxseal::__private::TokenVisit) -> Result<(), Error> {
        M::visit_twin(&self.0, visit)
    }

    fn change_tokens(&mut self, change: &mut impl rxseal::__private::TokenChange) -> Result<(), Error> {
        M::change_twin(&mut self.0, change)
    }
}

impl<T, M: TwinOf<T>> PhiRecord for One<T, M> {
    fn record_ids(&self) -> Result<rxseal::__private::RecordIds<'_>, Error> {
        Ok(rxseal::__private::RecordIds::new(&1_u8))
    }
}

impl<T, M: TwinOf<T>> SealedRecord for SealedOne<T, M> {
    const RECORD_TYPE: &'static str = "one";

    fn record_ids(&self) -> Result<rxseal::__private::RecordIds<'_>, Error> {
        Ok(rxseal::__private::RecordIds::new(&1_u8))
    }
}

impl<T, M: TwinOf<T>> WholeRecord for SealedOne<T, M> {}

fn seal<M: TwinOf<T>, T>(value: T) -> Result<SealedOne<T, M>, Error> {
    keyring().seal(&One::<T, M>(value, std::marker::PhantomData))
}

/// Sealed and opened again.
fn back<M: TwinOf<T>, T>(value: T) -> T {
    let keys = keyring();
    keys.open(&keys.seal(&One::<T, M>(value, std::marker::PhantomData)).unwrap(), &access()).ok().unwrap().0
}

fn code<T>(result: Result<T, Error>) -> ErrorCode {
    result.err().unwrap().code()
}

/// Its `Deserialize` does not read what its `Serialize` writes.
#[derive(Serialize, Deserialize)]
struct Uneven {
    #[serde(serialize_with = "as_text")]
    refills: u8,
}

fn as_text<S: Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// It comes back as another value.
#[derive(Serialize)]
struct Shifting(u8);

impl<'de> Deserialize<'de> for Shifting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|read| Self(read + 1))
    }
}

#[test]
fn what_would_not_come_back_is_refused_in_debug_builds() {
    let error = seal::<Allergy, _>(Uneven { refills: 77 }).err();
    let others = [code_of(seal::<Allergy, _>(Shifting(7))), code_of(seal::<Each<Allergy>, _>(vec![Shifting(7)]))];
    if cfg!(debug_assertions) {
        let error = error.unwrap();
        assert_eq!((error.code(), error.field_id()), (ErrorCode::NotReadBack, Some("phi.clinical.allergy")));
        assert_eq!(error.record_type(), Some("one"));
        assert!(!format!("{error} {error:?}").contains("77") && error.is_api_misuse());
        assert_eq!(others, [Some(ErrorCode::NotReadBack); 2]);
    } else {
        assert!(error.is_none() && others == [None; 2]);
    }
    // What has no order may come in any.
    let many: HashSet<u32> = (0..500).collect();
    assert_eq!(back::<Allergy, _>(many.clone()), many);
    assert_eq!(back::<Each<Allergy>, _>(many.clone()), many);
    assert_eq!(back::<Allergy, _>(vec![1.5_f64, -0.0]), [1.5, -0.0]);
    assert_eq!(back::<Allergy, _>(serde_bytes_of(b"scan")), serde_bytes_of(b"scan"));
}

fn code_of<T>(result: Result<T, Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code())
}

fn serde_bytes_of(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

#[test]
fn a_sealed_value_inside_a_value_is_refused() {
    let token = keyring().record("one", 1).unwrap().seal::<Diagnosis>("I10").unwrap().to_string();
    assert_eq!(code(seal::<Allergy, _>(token.clone())), ErrorCode::TokenAsPlaintext);
    let known = keyring();
    let token = known.record("one", 1).unwrap().seal::<Diagnosis>("I10").unwrap().to_string();
    let inside = One::<_, Allergy>(vec![token], std::marker::PhantomData);
    assert_eq!(code(known.seal(&inside)), ErrorCode::TokenInside);
    // A `Phi` has a marker of its own.
    let error = seal::<Allergy, _>(Phi::<String, PatientName>::new("Jane Doe".into())).err().unwrap();
    assert_eq!(error.code(), ErrorCode::TokenInside);
    assert!(!error.to_string().contains("Jane"));
    assert_eq!(back::<Own, _>(Phi::<String, PatientName>::new("Jane Doe".into())).expose_phi(), "Jane Doe");
    assert!(back::<Own, Option<Phi<String, PatientName>>>(None).is_none());
}

/// Seconds as text, as a module of another crate would write them.
enum AsText {}

impl SerdeWith<u64> for AsText {
    fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value}s"))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.trim_end_matches('s').parse().map_err(serde::de::Error::custom)
    }
}

#[test]
fn a_field_is_written_with_functions_of_another_module() {
    assert_eq!(back::<With<Quantity, AsText>, u64>(30), 30);
    assert_eq!(back::<Option<With<Quantity, AsText>>, Option<u64>>(Some(30)), Some(30));
    let keys = keyring();
    let row = keys.seal(&One::<u64, With<Quantity, AsText>>(30, std::marker::PhantomData)).unwrap();
    let reader = keys.record_of(&row).unwrap().opened_by(&access());
    assert_eq!(row.0.open(&reader).map(Via::expose_into_inner).unwrap(), 30);
    assert_eq!(reader.open::<Quantity, String>(row.0.token()).unwrap(), "30s");
}

#[test]
fn keys_of_a_map_are_ids() {
    let map = |key: &str| BTreeMap::from([(key.to_owned(), 1_u8)]);
    assert_eq!(back::<Parts<Quantity>, _>(map("a")), map("a"));
    let error = seal::<Parts<Quantity>, _>(map("a b")).err().unwrap();
    assert_eq!((error.code(), error.record_type()), (ErrorCode::InvalidId, Some("one")));
}
