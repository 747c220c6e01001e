#![doc = include_str!("../README.md")]

mod bars;
mod line;
mod number;
mod page;
mod shade;
mod split;
mod table;
mod text;

pub use bars::Bars;
pub use line::Line;
pub use number::number;
pub use page::{Page, Tone};
pub use shade::Shade;
pub use split::Split;
pub use table::Table;
pub use text::Text;
