//! The text for a person whose type cannot be wiped.

use rxseal::{Phi, phi};

struct Date;

fn main() {
    let _ = Phi::<Date, phi::BirthDate>::new(Date);
}
