//! The pages of exposure reports, and the letters.

mod checked;
mod letters;
mod reports;
mod samples;
