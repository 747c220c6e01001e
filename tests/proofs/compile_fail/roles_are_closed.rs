//! Nobody makes a role of their own.

enum Everything {}

impl rxseal::roles::Role for Everything {}

fn main() {}
