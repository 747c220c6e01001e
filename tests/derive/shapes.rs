//! Shapes of structs and enums, each sealed and opened in each format.

mod collections;
mod enums;
mod generics;
mod ids;
mod nested;
mod serde;
mod values;
