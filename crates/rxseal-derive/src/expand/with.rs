//! Fields that are written in another way before they are sealed: `#[phi(seal = Written, with = "time::serde::rfc3339")]`. Each gets a
//! struct for the value as it is read, and a marker that seals and opens it so.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{ExprPath, Type, Visibility};

use super::pieces::{marker_name, present, root, value_name};
use crate::input::Input;
use crate::input::field::{Field, Role, Seal};

pub(super) fn expand(input: &Input) -> TokenStream {
    let all = input.fields().filter_map(|field| {
        let Role::Seal(Seal::Under(under)) = &field.role else { return None };
        let with = under.with.as_ref()?;
        Some(match &under.optional {
            None => one(input, field, &field.ty.to_token_stream(), &under.marker, with),
            Some(inner) => one(input, field, &present(input, &field.ty, inner), inner, with),
        })
    });
    quote!(#(#all)*)
}

fn one(input: &Input, field: &Field, ty: &TokenStream, marker: &Type, with: &ExprPath) -> TokenStream {
    let root = root(input);
    let (value, hidden) = (value_name(input, field), marker_name(input, field));
    // As visible as its field is, since the twin has a field of this type.
    let visibility = match field.visibility {
        Visibility::Inherited if !input.is_enum => &field.visibility,
        _ => &input.visibility,
    };
    let doc =
        format!("The value of `{}` in [`{}`], as it is written into its token.", field.name.unraw(), input.sealed);
    quote! {
        #[doc = #doc]
        #visibility struct #value(
            /// The value.
            pub #ty,
        );

        #[automatically_derived]
        impl ::core::ops::Deref for #value {
            type Target = #ty;
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        #[doc(hidden)]
        #visibility enum #hidden {}

        const _: () = {
            use #root::__private::serde as rxseal_serde;

            struct RxsealWritten<'a>(&'a #ty);

            #[automatically_derived]
            impl rxseal_serde::Serialize for RxsealWritten<'_> {
                fn serialize<S: rxseal_serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    #with::serialize(self.0, serializer)
                }
            }

            #[automatically_derived]
            impl rxseal_serde::Serialize for #value {
                fn serialize<S: rxseal_serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    #with::serialize(&self.0, serializer)
                }
            }

            #[automatically_derived]
            impl<'de> rxseal_serde::Deserialize<'de> for #value {
                fn deserialize<D: rxseal_serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                    ::core::result::Result::map(#with::deserialize(deserializer), Self)
                }
            }

            #[automatically_derived]
            impl #root::records::TwinOf<#ty> for #hidden {
                type Twin = #root::Sealed<#value, #marker>;
                type Field = #marker;
                fn seal_twin(value: &#ty, sealer: &mut #root::__private::RecordSealer<'_>) -> ::core::result::Result<Self::Twin, #root::Error> {
                    sealer.written::<#value, #marker>(&RxsealWritten(value))
                }
                fn open_twin(twin: &Self::Twin, opener: &mut #root::__private::RecordOpener<'_>) -> ::core::result::Result<#ty, #root::Error> {
                    ::core::result::Result::map(<#marker as #root::records::TwinOf<#value>>::open_twin(twin, opener), |value| value.0)
                }
                fn visit_twin(twin: &Self::Twin, visit: &mut impl #root::__private::TokenVisit) -> ::core::result::Result<(), #root::Error> {
                    <#marker as #root::records::TwinOf<#value>>::visit_twin(twin, visit)
                }
                fn change_twin(twin: &mut Self::Twin, change: &mut impl #root::__private::TokenChange) -> ::core::result::Result<(), #root::Error> {
                    <#marker as #root::records::TwinOf<#value>>::change_twin(twin, change)
                }
            }
        };
    }
}
