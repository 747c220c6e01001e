//! Normal forms: what is equal, what is empty, what is refused. `golden` has the tables, which the Python reference made; `random` compares
//! many more inputs with it by a digest.

mod dates;
mod golden;
mod leaks;
mod lists;
mod near;
mod random;
mod sounds;
mod support;
