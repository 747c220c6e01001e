//! `#[derive(PhiRecord)]`, as a user's crate sees it.

mod shapes;
mod support;
mod tagged;
