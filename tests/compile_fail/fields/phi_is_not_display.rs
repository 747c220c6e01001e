//! A `Phi` is not printed, ordered or copied by accident.

use rxseal::{Phi, phi::Drug};

fn main() {
    let drug: Phi<String, Drug> = Phi::new("warfarin".to_owned());
    println!("{drug}");
    let _ = drug.clone();
    let _ = drug < Phi::new("x".to_owned());
}
