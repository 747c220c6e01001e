//! `#[phi(plaintext)]`: serde for the struct itself, in the plaintext scopes alone. A derive of serde beside it does not compile.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Generics, LitStr, WhereClause, parse_quote};

use super::pieces::{marker, root, serde_bounds};
use crate::input::Input;
use crate::input::attributes::skip_value;
use crate::input::field::{Field, Role, Seal};

pub(super) fn expand(input: &Input) -> TokenStream {
    if !input.container.plaintext {
        return TokenStream::new();
    }
    let root = root(input);
    let Input { name, generics, serde, .. } = input;
    let (_, arguments, bounds) = generics.split_for_impl();
    let shadow = format_ident!("RxsealPlaintextOf{}", name);
    let krate = text(quote!(#root::__private::serde), name);
    let remote = text(quote!(#name), name);
    let (serde, parameters) = (serde.iter(), serde_bounds(input));
    let head = quote! {
        #[derive(#root::__private::serde::Serialize, #root::__private::serde::Deserialize)]
        #[serde(crate = #krate, remote = #remote)]
        #(#serde)*
        #parameters
        #[allow(dead_code)]
    };
    let declared = if input.is_enum {
        let variants = input.variants.iter().map(|variant| {
            let carried = variant.carried.iter().filter(|attribute| attribute.path().is_ident("serde"));
            let (name, fields) = (&variant.name, variant.fields.iter().map(|field| declaration(input, field)));
            quote!(#(#carried)* #name { #(#fields,)* })
        });
        quote!(#head enum #shadow #generics #bounds { #(#variants,)* })
    } else {
        let fields = input.fields().map(|field| declaration(input, field));
        quote!(#head struct #shadow #generics #bounds { #(#fields,)* })
    };
    let serde = quote!(#root::__private::serde);
    let (write, write_bounds) = bounded(input, &quote!(#serde::Serialize));
    let (mut read, read_bounds) = bounded(input, &quote!(#serde::de::DeserializeOwned));
    read.params.insert(0, parse_quote!('de));
    let ((write_header, _, _), (read_header, _, _)) = (write.split_for_impl(), read.split_for_impl());
    quote! {
        const _: () = {
            #declared

            #[automatically_derived]
            #[allow(deprecated)]
            impl #write_header #serde::Serialize for #name #arguments #write_bounds {
                fn serialize<RxsealS: #serde::Serializer>(&self, serializer: RxsealS) -> ::core::result::Result<RxsealS::Ok, RxsealS::Error> {
                    #root::__private::write_plaintext(serializer, |serializer| <#shadow #arguments>::serialize(self, serializer))
                }
            }

            #[automatically_derived]
            #[allow(deprecated)]
            impl #read_header #serde::Deserialize<'de> for #name #arguments #read_bounds {
                fn deserialize<RxsealD: #serde::Deserializer<'de>>(deserializer: RxsealD) -> ::core::result::Result<Self, RxsealD::Error> {
                    #root::__private::read_plaintext(deserializer, <#shadow #arguments>::deserialize)
                }
            }
        };
    }
}

/// The generics and bounds of an `impl`, with one more bound for each parameter.
fn bounded(input: &Input, bound: &TokenStream) -> (Generics, Option<WhereClause>) {
    let mut generics = input.generics.clone();
    let names: Vec<_> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for name in names {
        generics.make_where_clause().predicates.push(parse_quote!(#name: #bound));
    }
    let bounds = generics.where_clause.take();
    (generics, bounds)
}

fn declaration(input: &Input, field: &Field) -> TokenStream {
    let Field { name, ty, serde, role, .. } = field;
    let own = match role {
        Role::Seal(seal @ Seal::Under(under)) => {
            let (root, marker) = (root(input), marker(input, field, seal));
            let with = text(quote!(#root::Sealing::<#marker>), name);
            let default = under.optional.is_some() && !says_default(serde);
            let default = default.then(|| quote!(#[serde(default)]));
            quote!(#[serde(with = #with)] #default)
        }
        Role::RecordTag => quote!(#[serde(skip)]),
        _ => TokenStream::new(),
    };
    quote!(#(#serde)* #own #name: #ty)
}

fn says_default(serde: &[Attribute]) -> bool {
    let mut found = false;
    for attribute in serde {
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("default");
            skip_value(&meta)
        });
    }
    found
}

fn text(tokens: TokenStream, at: &syn::Ident) -> LitStr {
    LitStr::new(&tokens.into_token_stream().to_string(), at.span())
}
