//! A field is in no index, in compound ones or in every one.

rxseal::fields! { pub Card = "card.number" in Coverage { search: yes }; }

fn main() {}
