//! Questions about a type that its tokens answer.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type};

/// Whether one of `names` occurs in the tokens.
pub(crate) fn mentions(tokens: impl ToTokens, name: &Ident) -> bool {
    fn found(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == *name,
            TokenTree::Group(group) => found(group.stream(), name),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    found(tokens.into_token_stream(), name)
}

/// Whether both are written alike.
pub(crate) fn is_same(a: impl ToTokens, b: impl ToTokens) -> bool {
    a.to_token_stream().to_string() == b.to_token_stream().to_string()
}

/// The first `&` or lifetime of a type, except `'static`.
pub(crate) fn borrow_of(ty: &Type) -> Option<TokenTree> {
    fn first(tokens: TokenStream) -> Option<TokenTree> {
        let mut tokens = tokens.into_iter();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == '&' => return Some(token),
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    if tokens.next().is_none_or(|name| name.to_string() != "static") {
                        return Some(token);
                    }
                }
                TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                    if let Some(borrow) = first(group.stream()) {
                        return Some(borrow);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Literal(_) => {}
            }
        }
        None
    }
    first(ty.to_token_stream())
}

/// `Inner`, if the type is written as `Name<Inner>`, whatever path stands before `Name`.
pub(crate) fn argument_of<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    match arguments_of(ty, name)?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// The arguments of a type that is written as `Name<..>`, if all of them are types.
pub(crate) fn arguments_of<'t>(ty: &'t Type, name: &str) -> Option<Vec<&'t Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| path.qself.is_none() && last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types = arguments.args.iter().map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// The type with its one argument replaced. It must be one that [`argument_of`] accepts.
pub(crate) fn with_argument(ty: &Type, inner: TokenStream) -> Type {
    let mut ty = ty.clone();
    if let Type::Path(path) = &mut ty
        && let Some(last) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut last.arguments
        && let Some(first) = arguments.args.first_mut()
    {
        *first = GenericArgument::Type(Type::Verbatim(inner));
    }
    ty
}

/// Whether the marker or type has generic arguments, such as `Each<Drug>`.
pub(crate) fn has_arguments(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return true };
    path.qself.is_some() || path.path.segments.iter().any(|segment| !segment.arguments.is_none())
}

/// Whether the type is one of the standard library that is neither an `Option`, a `Phi` nor a struct of the user's. Only better words in
/// a message follow from this.
pub(crate) fn is_plain(ty: &Type) -> bool {
    const PLAIN: &[&str] = &[
        "String", "Vec", "VecDeque", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "bool", "char", "u8", "u16", "u32",
        "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64",
    ];
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| PLAIN.iter().any(|name| last.ident == name)),
        Type::Array(_) | Type::Tuple(_) | Type::Slice(_) => true,
        _ => false,
    }
}
