//! Normal forms: what is equal, what is empty, what is refused.

mod support;
mod words;
