//! Records in modules that have other things under the names of the standard library, under the lints of a strict crate.

use rxseal as field_encryption;
use rxseal::PhiRecord;

/// Names that a careless macro would take for those of the standard library.
pub mod shadowed {
    use rxseal::PhiRecord;

    /// Not the one of the standard library.
    #[derive(Clone, Copy, Debug)]
    pub struct String;
    /// Neither.
    #[derive(Clone, Copy, Debug)]
    pub struct Vec;
    /// Neither.
    #[derive(Clone, Copy, Debug)]
    pub enum Result {
        /// Neither.
        Ok,
    }
    /// Neither.
    #[derive(Clone, Copy, Debug)]
    pub struct Option;
    /// Neither.
    #[derive(Clone, Copy, Debug)]
    pub struct Error;
    /// Neither.
    #[derive(Clone, Copy, Debug)]
    pub struct Sealed;
    /// Neither.
    pub trait Clone {}
    /// Neither.
    pub trait Debug {}
    /// Neither.
    pub trait PhiFields {}
    pub use self::Result::Ok;

    /// A record.
    #[derive(PhiRecord)]
    #[phi(record = "shadowed", plaintext, derive(serde::Serialize, serde::Deserialize))]
    pub struct Shadowed {
        /// Its id.
        #[phi(id)]
        pub id: u64,
        /// A text.
        #[phi(seal = rxseal::phi::Drug)]
        pub drug: ::std::string::String,
        /// A text that may be absent.
        #[phi(seal = ::core::option::Option<rxseal::phi::Note>)]
        pub note: ::core::option::Option<::std::string::String>,
        /// Another.
        #[phi(seal)]
        pub name: rxseal::Phi<::std::string::String, rxseal::phi::PatientName>,
        /// Parts.
        #[phi(part = "line")]
        pub lines: ::std::vec::Vec<Line>,
    }

    /// A part.
    #[derive(PhiRecord)]
    #[phi(part, plaintext, derive(serde::Serialize, serde::Deserialize))]
    pub enum Line {
        /// A variant.
        Ok {
            /// Its id.
            #[phi(id)]
            id: u32,
            /// A text.
            #[phi(seal = rxseal::phi::Drug)]
            drug: ::std::string::String,
        },
    }
}

/// Words of the language as names, and names that the derive might use itself.
#[derive(PhiRecord)]
#[phi(record = "words", derive(Debug, serde::Serialize, serde::Deserialize))]
pub struct r#Words {
    /// Its id.
    #[phi(id)]
    pub r#type: u64,
    /// A text.
    #[phi(seal = rxseal::phi::Drug)]
    pub r#match: String,
    /// A text.
    #[phi(seal = rxseal::phi::Note)]
    pub sealer: String,
    /// A text.
    #[phi(seal = rxseal::phi::Plan)]
    pub opener: String,
    /// A text.
    #[phi(seal = rxseal::phi::Mrn)]
    pub value: String,
    /// A number.
    #[phi(clear)]
    pub visit: u8,
    /// A number.
    #[phi(clear)]
    pub formatter: u8,
}

/// The crate under another name.
#[derive(PhiRecord)]
#[phi(record = "renamed", crate = crate::hygiene::field_encryption, derive(Debug))]
pub(crate) struct Renamed {
    #[phi(id)]
    id: u64,
    #[phi(seal = rxseal::phi::Drug)]
    drug: String,
}

/// Many flags, and fields that begin alike, which pedantic lints count.
#[derive(PhiRecord)]
#[phi(record = "flags", derive(Debug, Clone, PartialEq))]
#[allow(clippy::struct_excessive_bools, reason = "it is what it is")]
pub struct Flags {
    /// Its id.
    #[phi(id)]
    pub flag_id: u64,
    /// A flag.
    #[phi(clear)]
    pub flag_a: bool,
    /// A flag.
    #[phi(clear)]
    pub flag_b: bool,
    /// A flag.
    #[phi(clear)]
    pub flag_c: bool,
    /// A flag.
    #[phi(clear)]
    pub flag_d: bool,
}

#[cfg(test)]
mod tests {
    use super::shadowed::{Line, Shadowed};
    use super::*;
    use crate::support::{access, keyring};

    #[test]
    fn they_are_sealed_and_opened() {
        let keys = keyring();
        let shadowed = Shadowed {
            id: 1,
            drug: "Canary".into(),
            note: None,
            name: "Canary".to_owned().into(),
            lines: vec![Line::Ok { id: 1, drug: "Canary".into() }],
        };
        let row = keys.seal(&shadowed).unwrap();
        assert_eq!(keys.open(&row, &access()).unwrap().drug, "Canary");
        assert!(!format!("{shadowed:?}").contains("Canary"));

        let words = Words {
            r#type: 1,
            r#match: "a".into(),
            sealer: "b".into(),
            opener: "c".into(),
            value: "d".into(),
            visit: 1,
            formatter: 2,
        };
        let row = keys.seal(&words).unwrap();
        assert!(serde_json::to_string(&row).unwrap().starts_with(r#"{"type":1,"match":"rxs"#));
        let opened = keys.open(&row, &access()).unwrap();
        assert_eq!((opened.r#match.as_str(), opened.value.as_str()), ("a", "d"));
        assert!(format!("{opened:?}").starts_with("Words { type: 1, match: [PHI phi.rx.drug]"));

        let row = keys.seal(&Renamed { id: 1, drug: "Canary".into() }).unwrap();
        let opened = keys.open(&row, &access()).unwrap();
        assert_eq!((opened.id, opened.drug.as_str()), (1, "Canary"));

        let row = keys.seal(&Flags { flag_id: 1, flag_a: true, flag_b: false, flag_c: true, flag_d: false }).unwrap();
        assert!(keys.open(&row, &access()).unwrap().flag_c);
    }

    #[test]
    fn a_record_inside_of_a_function() {
        fn seal_and_open() -> String {
            #[derive(PhiRecord)]
            #[phi(record = "inner")]
            struct Inner {
                #[phi(id)]
                id: u64,
                #[phi(seal = rxseal::phi::Drug)]
                drug: String,
            }
            let keys = keyring();
            let row: SealedInner = keys.seal(&Inner { id: 1, drug: "x".into() }).unwrap();
            assert_eq!(row.id, 1);
            keys.open(&row, &access()).unwrap().drug
        }
        assert_eq!(seal_and_open(), "x");
    }
}
