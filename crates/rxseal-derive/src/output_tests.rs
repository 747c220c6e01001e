//! What the derive writes: who sees it, and what is in it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{File, Item, Visibility};

use crate::{expand, input::Input};

fn written(input: TokenStream) -> File {
    let input = Input::read(syn::parse2(input).unwrap()).unwrap();
    syn::parse2(expand::expand(&input)).unwrap()
}

/// A struct with a field of each kind.
fn record(visibility: &TokenStream, of_field: &TokenStream) -> TokenStream {
    quote! {
        #[phi(record = "visit", plaintext, derive(Serialize, Deserialize))]
        #visibility struct Visit {
            /// Its number.
            #[phi(id)] #of_field number: u64,
            #[phi(subject)] #of_field patient: String,
            /// The drug.
            #[phi(seal = Drug)] #of_field drug: String,
            #[phi(seal = Option<Note>, with = "upper")] #of_field note: Option<String>,
            #[phi(seal)] #of_field name: Phi<String, PatientName>,
            #[phi(clear, bind = "visit.status")] #of_field status: u8,
            #[phi(part = "line")] #of_field lines: Vec<Line>,
            #[phi(nested)] #of_field address: Address,
            #[phi(record_tag)] #of_field tag: RecordTag,
        }
    }
}

/// The visibility of every item that has a name outside.
fn visibilities(file: &File) -> Vec<(String, Visibility)> {
    let named = file.items.iter().filter_map(|item| match item {
        Item::Struct(item) => Some((item.ident.to_string(), item.vis.clone())),
        Item::Enum(item) => Some((item.ident.to_string(), item.vis.clone())),
        // A constant without a name: what is in it is seen by nobody outside.
        Item::Const(item) if item.ident == "_" => None,
        Item::Impl(item) if item.trait_.is_some() => None,
        other => panic!("the derive writes {}", other.to_token_stream()),
    });
    named.collect()
}

#[test]
fn nothing_is_more_visible_than_the_struct() {
    for visibility in [quote!(), quote!(pub(self)), quote!(pub(super)), quote!(pub(crate)), quote!(pub)] {
        for of_field in [quote!(), quote!(pub(crate)), quote!(pub)] {
            let file = written(record(&visibility, &of_field));
            let found = visibilities(&file);
            assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["SealedVisit", "VisitNote"]);
            for (name, seen) in found {
                let seen = seen.to_token_stream().to_string();
                assert!(
                    seen == visibility.to_string() || seen.is_empty(),
                    "{name} is `{seen}` in a struct that is `{visibility}`"
                );
            }
            let Some(Item::Struct(twin)) = file.items.first() else { panic!("the twin comes first") };
            assert_eq!(twin.vis.to_token_stream().to_string(), visibility.to_string());
            for field in &twin.fields {
                assert_eq!(field.vis.to_token_stream().to_string(), of_field.to_string());
            }
        }
    }
}

#[test]
fn the_twin_reads_as_a_person_would_write_it() {
    let file = written(record(&quote!(pub), &quote!(pub)));
    let Some(Item::Struct(twin)) = file.items.first() else { panic!("the twin comes first") };
    let types: Vec<_> =
        twin.fields.iter().map(|field| field.ty.to_token_stream().to_string().replace(' ', "")).collect();
    let expected = [
        "u64",
        "String",
        "::rxseal::Sealed<String,Drug>",
        "Option<::rxseal::Sealed<::rxseal::records::Via<String,VisitNote>,Note>>",
        "::rxseal::Sealed<String,PatientName>",
        "u8",
        "::rxseal::records::PartsTwin<Vec<Line>>",
        "<Addressas::rxseal::records::PhiFields>::Sealed",
        "RecordTag",
    ];
    assert_eq!(types, expected);
    let docs = |attributes: &[syn::Attribute]| {
        attributes.iter().map(|one| one.to_token_stream().to_string()).collect::<String>()
    };
    assert!(docs(&twin.attrs).contains("[`Visit`] with its sealed fields as tokens, as it is stored."));
    assert!(
        twin.fields.iter().any(|field| docs(&field.attrs).contains("The drug.")),
        "docs of fields are carried over"
    );
}

#[test]
fn a_sealed_value_is_never_cloned() {
    let file = written(record(&quote!(), &quote!())).to_token_stream().to_string().replace(' ', "");
    let copied: Vec<_> = file.match_indices("::ClearField>").collect();
    // Four readable fields, each in sealing, in opening and in the twin's own `Clone`.
    assert_eq!(copied.len(), 4 * 3);
    let struct_side = file.split("PhiFieldsforVisit").nth(1).unwrap().split("forSealedVisit").next().unwrap();
    assert!(!struct_side.contains("Clone::clone"), "{struct_side}");
}

#[test]
fn every_mistake_is_reported_in_one_run() {
    let input = quote! {
        #[phi(record = "Visit", was = "a b", sealed = Visit)]
        struct Visit<'a> {
            drug: &'a str,
            #[phi(seal = "x")] name: String,
            #[phi(clear, nested)] status: u8,
        }
    };
    let error = Input::read(syn::parse2(input).unwrap()).err().unwrap();
    assert_eq!(error.into_iter().count(), 8);
}
