//! A program cannot make its own role.

enum Everything {}

impl rxseal::roles::Role for Everything {}

fn main() {}
