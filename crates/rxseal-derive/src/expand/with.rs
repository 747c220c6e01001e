//! Fields that are written in another way before they are sealed: `#[phi(seal = Written, with = "time::serde::rfc3339")]`. Each gets a
//! type that names the functions.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::{ExprPath, Visibility};

use super::pieces::{at, form_name, here, present, root};
use crate::input::Input;
use crate::input::field::{Field, Role, Seal};

pub(super) fn expand(input: &Input) -> TokenStream {
    let all = input.fields().filter_map(|field| {
        let Role::Seal(Seal::Under(under)) = &field.role else { return None };
        let with = under.with.as_ref()?;
        let value = match &under.optional {
            None => field.ty.to_token_stream(),
            Some(inner) => present(input, field, inner),
        };
        Some(one(input, field, &value, with))
    });
    quote_spanned!(here(input)=> #(#all)*)
}

fn one(input: &Input, field: &Field, value: &TokenStream, with: &ExprPath) -> TokenStream {
    let (root, form) = (root(input), form_name(input, field));
    // As visible as its field is, since the twin has a field of this type.
    let visibility = match field.visibility {
        Visibility::Inherited if !input.is_enum => &field.visibility,
        _ => &input.visibility,
    };
    let doc = format!("How `{}` of [`{}`] is written into its token.", field.name.unraw(), input.sealed);
    quote_spanned! {at(field)=>
        #[doc = #doc]
        #[derive(::core::fmt::Debug)]
        #visibility enum #form {}

        #[automatically_derived]
        impl #root::records::SerdeWith<#value> for #form {
            fn serialize<RxsealS: #root::__private::serde::Serializer>(
                rxseal_value: &#value,
                rxseal_serializer: RxsealS,
            ) -> ::core::result::Result<RxsealS::Ok, RxsealS::Error> {
                #with::serialize(rxseal_value, rxseal_serializer)
            }
            fn deserialize<'de, RxsealD: #root::__private::serde::Deserializer<'de>>(
                rxseal_deserializer: RxsealD,
            ) -> ::core::result::Result<#value, RxsealD::Error> {
                #with::deserialize(rxseal_deserializer)
            }
        }
    }
}
