//! Nobody makes a role of their own.

enum Everything {}

impl rxseal::Role for Everything {}

fn main() {}
