//! Text, numbers, and what stands for nothing.

use serde::{Deserialize, Serialize};

use super::Cases;

/// A float that is equal to itself bit by bit.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bits(pub f64);

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits() || (self.0.is_nan() && other.0.is_nan())
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
pub struct Bits32(f32);

pub fn add(cases: &mut Cases) {
    cases.add("text", vec!["warfarin 5 MG".to_owned()]);
    cases.add("text: empty", vec![String::new()]);
    cases.add("text: Unicode", vec!["Zoë Ångström 💊 \u{202e}x\u{202c} e\u{301} \u{10ffff}".to_owned()]);
    cases.add("text: white space around it", vec![" a ".to_owned(), "\ta\n".to_owned(), "\u{a0}a\u{2003}".to_owned()]);
    cases.add("text: white space only", vec![" ".to_owned(), "\n\n".to_owned(), "\t".to_owned()]);
    cases.add("text: white space inside", vec!["a  b\r\nc\td\u{2028}e".to_owned()]);
    cases.add("text: control characters", vec!["\0".to_owned(), "a\u{1}b\u{1b}[31m\u{7f}\u{85}".to_owned()]);
    cases.add("text: what formats escape", vec!["<a b=\"c\">&amp;'\\\"]]>,;\u{feff}".to_owned()]);
    cases
        .add("text: what looks like another type", words(&["null", "~", "1", "1e5", "true", "NaN", "0x1", "[]", "{}"]));
    cases.add("text: 20,000 letters", vec!["long ".repeat(4_000)]);
    cases.add("text: begins as a token does", vec!["rxsX".to_owned(), "rxsX is no token".to_owned()]);
    cases.add("char", vec!['a', '"', '\0', '💊', ' ']);
    cases.add("Box<str>", vec![Box::<str>::from("a"), Box::from("")]);
    cases.add("bool", vec![true, false]);
    cases.add("u8", vec![0_u8, 7, u8::MAX]);
    cases.add("u16", vec![0_u16, u16::MAX]);
    cases.add("u32", vec![0_u32, u32::MAX]);
    cases.add("u64", vec![0_u64, 9_007_199_254_740_993, u64::MAX]);
    cases.add("i8", vec![i8::MIN, -1, i8::MAX]);
    cases.add("i16", vec![i16::MIN, i16::MAX]);
    cases.add("i32", vec![i32::MIN, i32::MAX]);
    cases.add("i64", vec![i64::MIN, -9_007_199_254_740_993, i64::MAX]);
    cases.add("usize", vec![usize::MIN, usize::MAX]);
    cases.add("u128: small", vec![0_u128, 7]);
    cases.add("u128: large", vec![u128::from(u64::MAX) + 1, u128::MAX]);
    cases.add("i128: small", vec![-7_i128, 7]);
    cases.add("i128: large", vec![i128::MIN, i128::MAX]);
    cases.add("f32", vec![0.0_f32, 0.1, -1.5e-7, f32::MAX, f32::MIN_POSITIVE]);
    cases.add("f64", vec![0.0_f64, 0.1, -1.0e-7, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1.0]);
    cases.add("f64: -0.0", vec![Bits(-0.0)]);
    cases.add("f64: NaN", vec![Bits(f64::NAN)]);
    cases.add("f64: infinite", vec![Bits(f64::INFINITY), Bits(f64::NEG_INFINITY)]);
    cases.add("f32: infinite", vec![Bits32(f32::INFINITY)]);
    cases.add("unit", vec![()]);
    cases.add("Option<String>", vec![None, Some(String::new()), Some("a".to_owned()), Some("null".to_owned())]);
    cases.add("Option<u32>", vec![None, Some(0_u32), Some(7)]);
    cases.add("Option<bool>", vec![None, Some(true), Some(false)]);
    cases.add("Option<f64>", vec![None, Some(0.25_f64)]);
    cases.add("Option<Option<u32>>: not Some(None)", vec![None, Some(Some(7_u32))]);
    cases.add("Option<Option<u32>>: Some(None)", vec![Some(None::<u32>)]);
    cases.add("Option<()>: None", vec![None::<()>]);
    cases.add("Option<()>: Some(())", vec![Some(())]);
    cases.add("Option<Vec<u8>>", vec![None, Some(Vec::<u8>::new()), Some(vec![1])]);
    cases.add("Box<u32>", vec![Box::new(7_u32)]);
    cases.add("Box<Option<String>>", vec![Box::new(None), Box::new(Some("a".to_owned()))]);
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
