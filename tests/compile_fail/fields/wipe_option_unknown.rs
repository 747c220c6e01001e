//! `#[wipe(..)]` has one option, and it belongs on a field. Both are reported at once, and a union is refused.

#[derive(rxseal::Wipe)]
struct Visit {
    #[wipe(ignore)]
    ward: u8,
    #[wipe(skip = "yes")]
    bed: u8,
}

#[derive(rxseal::Wipe)]
#[wipe(skip)]
struct Ward(u8);

#[derive(rxseal::Wipe)]
union Either {
    number: u32,
    bytes: [u8; 4],
}

fn main() {}
