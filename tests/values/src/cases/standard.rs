//! Types of the standard library that serde has implementations for.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::ffi::{CString, OsString};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI64, NonZeroU8, NonZeroU128, Saturating, Wrapping};
use std::ops::{Bound, Range, RangeFrom, RangeInclusive};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::Cases;

#[derive(Serialize, Deserialize, PartialEq)]
struct Borrowing {
    name: Cow<'static, str>,
    lines: Cow<'static, [u32]>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Holder<T> {
    value: T,
}

pub fn add(cases: &mut Cases) {
    cases.add("Cow<str>", vec![Cow::<'static, str>::Owned("a".to_owned()), Cow::Borrowed("b")]);
    cases.add("Cow<[u32]>", vec![Cow::<'static, [u32]>::Owned(vec![1, 2])]);
    cases.add("struct: Cow", vec![Borrowing { name: "a".into(), lines: vec![1].into() }]);
    cases.add("Rc<String>", vec![Rc::new("a".to_owned())]);
    cases.add("Arc<str>", vec![Arc::<str>::from("a")]);
    cases.add("Arc of a struct", vec![Arc::new(Holder { value: 7_u8 })]);
    cases.add("Cell<u32>", vec![Cell::new(7_u32)]);
    cases.add("RefCell<String>", vec![RefCell::new("a".to_owned())]);
    cases.add("Duration", vec![Duration::ZERO, Duration::new(7, 999_999_999), Duration::MAX]);
    cases.add("SystemTime", vec![SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 7)]);
    cases.add("IpAddr", vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    cases.add("Ipv4Addr", vec![Ipv4Addr::BROADCAST]);
    cases.add("Ipv6Addr", vec![Ipv6Addr::LOCALHOST]);
    cases.add("SocketAddr", vec![SocketAddr::from(([127, 0, 0, 1], 80)), SocketAddr::from((Ipv6Addr::LOCALHOST, 80))]);
    cases.add("struct: IpAddr", vec![Holder { value: IpAddr::V4(Ipv4Addr::LOCALHOST) }]);
    cases.add("PathBuf", vec![PathBuf::from("/a b/c"), PathBuf::new()]);
    cases.add("OsString", vec![OsString::from("a")]);
    cases.add("CString", vec![CString::new("a").expect("no zero byte")]);
    cases.add("struct: CString", vec![Holder { value: CString::new("a").expect("no zero byte") }]);
    cases.add("NonZero<u8>", vec![NonZeroU8::MIN, NonZeroU8::MAX]);
    cases.add("NonZero<i64>", vec![NonZeroI64::MIN]);
    cases.add("NonZero<u128>", vec![NonZeroU128::MAX]);
    cases.add("Option<NonZero<u8>>", vec![None, Some(NonZeroU8::MIN)]);
    cases.add("Range", vec![Range { start: 1_u32, end: 7 }]);
    cases.add("RangeInclusive", vec![RangeInclusive::new(1_u32, 7)]);
    cases.add("RangeFrom", vec![RangeFrom { start: 1_u32 }]);
    cases.add("Bound", vec![Bound::Included(7_u32), Bound::Excluded(7), Bound::Unbounded]);
    cases.add("Wrapping", vec![Wrapping(7_u32)]);
    cases.add("Saturating", vec![Saturating(7_i8)]);
    cases.add("Reverse", vec![Reverse("a".to_owned())]);
    cases.add("PhantomData", vec![PhantomData::<u32>]);
    cases.add("struct: PhantomData", vec![Holder { value: PhantomData::<u32> }]);
}
