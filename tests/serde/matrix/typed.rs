// The 22 shapes with typed fields. Included three times: with `P<T, F>` as plain `T`, as `Phi<T, F>` and as `Sealed<T, F>`;
// `Maker::put` makes each from a value.

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Text {
    id: u32,
    name: P<String, phi::PatientName>,
}

impl Shape for Text {
    const NAME: &'static str = "String";
    fn samples(m: &Maker) -> Vec<Self> {
        [String::new(), CANARY.into(), format!("{CANARY} \u{1F48A} \" \\ \n \0")]
            .map(|name| Self { id: 7, name: m.put(name) })
            .into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Integer {
    days: P<u64, phi::DaysSupply>,
    id: u32,
}

impl Shape for Integer {
    const NAME: &'static str = "u64";
    const TEXT: bool = false;
    fn samples(m: &Maker) -> Vec<Self> {
        [0, NUMBER, u64::MAX].map(|days| Self { days: m.put(days), id: 7 }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct VisibleOption {
    directions: Option<P<String, phi::Directions>>,
    id: u32,
}

impl Shape for VisibleOption {
    const NAME: &'static str = "Option, absence visible";
    fn samples(m: &Maker) -> Vec<Self> {
        [None, Some(String::new()), Some(CANARY.into())]
            .map(|directions| Self { directions: directions.map(|text| m.put(text)), id: 7 })
            .into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct HiddenOption {
    note: P<Option<String>, phi::Note>,
    id: u32,
}

impl Shape for HiddenOption {
    const NAME: &'static str = "Option, absence hidden";
    fn samples(m: &Maker) -> Vec<Self> {
        [None, Some(String::new()), Some(CANARY.into())].map(|note| Self { note: m.put(note), id: 7 }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct List {
    allergies: P<Vec<String>, phi::Allergy>,
    id: u32,
}

impl Shape for List {
    const NAME: &'static str = "Vec";
    fn samples(m: &Maker) -> Vec<Self> {
        [vec![], vec![CANARY.into(), "latex".into(), CANARY.into()]]
            .map(|allergies| Self { allergies: m.put(allergies), id: 7 })
            .into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Person {
    name: P<String, phi::PatientName>,
    since: u16,
}

impl Person {
    fn sample(m: &Maker) -> Self {
        Self { name: m.put(CANARY.to_owned()), since: 1999 }
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Address {
    street: String,
    zip: u32,
}

impl Address {
    fn sample() -> Self {
        Self { street: CANARY.into(), zip: 2139 }
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Nested {
    person: Person,
    address: P<NotWiped<Address>, phi::Address>,
}

impl Shape for Nested {
    const NAME: &'static str = "nested struct";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![Self { person: Person::sample(m), address: m.put(NotWiped(Address::sample())) }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub enum External {
    New { drug: P<String, phi::Drug>, refills: u8 },
    Note(P<String, phi::Note>),
    Pair(u8, P<String, phi::Note>),
    Of(Person),
    Nothing,
}

impl Shape for External {
    const NAME: &'static str = "enum, external tag";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![
            Self::New { drug: m.put(CANARY.to_owned()), refills: 3 },
            Self::Note(m.put(CANARY.to_owned())),
            Self::Pair(1, m.put(CANARY.to_owned())),
            Self::Of(Person::sample(m)),
            Self::Nothing,
        ]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type")]
pub enum Internal {
    New { drug: P<String, phi::Drug>, refills: u8 },
    Of(Person),
    Nothing,
}

impl Shape for Internal {
    const NAME: &'static str = "enum, internal tag";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![Self::New { drug: m.put(CANARY.to_owned()), refills: 3 }, Self::Of(Person::sample(m)), Self::Nothing]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type", content = "of")]
pub enum Adjacent {
    New { drug: P<String, phi::Drug>, refills: u8 },
    Note(P<String, phi::Note>),
    Of(Person),
    Nothing,
}

impl Shape for Adjacent {
    const NAME: &'static str = "enum, adjacent tag";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![
            Self::New { drug: m.put(CANARY.to_owned()), refills: 3 },
            Self::Note(m.put(CANARY.to_owned())),
            Self::Of(Person::sample(m)),
            Self::Nothing,
        ]
    }
}

// A `Sealed` is not opened while it is read, so variants are told apart by their keys only.
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Untagged {
    New { drug: P<String, phi::Drug>, refills: u8 },
    Count { quantity: P<u64, phi::Quantity> },
    Text { strength: P<String, phi::Strength> },
    Of(Person),
}

impl Shape for Untagged {
    const NAME: &'static str = "enum, untagged";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![
            Self::New { drug: m.put(CANARY.to_owned()), refills: 3 },
            Self::Count { quantity: m.put(NUMBER) },
            Self::Text { strength: m.put(CANARY.to_owned()) },
            Self::Of(Person::sample(m)),
        ]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Flatten {
    id: u32,
    #[serde(flatten)]
    person: Person,
}

impl Shape for Flatten {
    const NAME: &'static str = "flatten";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![Self { id: 7, person: Person::sample(m) }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Skipped {
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directions: Option<P<String, phi::Directions>>,
}

impl Shape for Skipped {
    const NAME: &'static str = "default + skip_serializing_if";
    fn samples(m: &Maker) -> Vec<Self> {
        [None, Some(CANARY.to_owned())]
            .map(|directions| Self { id: 7, directions: directions.map(|text| m.put(text)) })
            .into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Borrowed {
    name: P<NotWiped<Cow<'static, str>>, phi::PatientName>,
    id: u32,
}

impl Shape for Borrowed {
    const NAME: &'static str = "Cow<str>";
    fn samples(m: &Maker) -> Vec<Self> {
        [Cow::Borrowed(CANARY), Cow::Owned(CANARY.into())]
            .map(|name| Self { name: m.put(NotWiped(name)), id: 7 })
            .into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Renamed {
    rx_number: u32,
    #[serde(rename = "PATIENT", alias = "patient_name")]
    name: P<String, phi::PatientName>,
}

impl Shape for Renamed {
    const NAME: &'static str = "rename";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![Self { rx_number: 7, name: m.put(CANARY.to_owned()) }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
pub struct Transparent {
    name: P<String, phi::PatientName>,
}

impl Shape for Transparent {
    const NAME: &'static str = "transparent newtype";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![Self { name: m.put(CANARY.to_owned()) }]
    }
}

/// A date, as it is where no crate for dates is used.
#[derive(Serialize, Deserialize, PartialEq)]
pub struct Date(String);

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Newtype(P<String, phi::PatientName>);

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Newtypes {
    name: Newtype,
    born: P<NotWiped<Date>, phi::BirthDate>,
}

impl Shape for Newtypes {
    const NAME: &'static str = "newtype (name, date)";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![Self { name: Newtype(m.put(CANARY.to_owned())), born: m.put(NotWiped(Date("1970-01-01".into()))) }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Map {
    notes: P<NotWiped<BTreeMap<String, String>>, phi::Note>,
    by_line: P<NotWiped<BTreeMap<u32, u64>>, phi::Quantity>,
}

impl Shape for Map {
    const NAME: &'static str = "map";
    fn samples(m: &Maker) -> Vec<Self> {
        let notes = [(CANARY.to_owned(), CANARY.to_owned()), (String::new(), String::new())].into();
        vec![
            Self { notes: m.put(NotWiped(notes)), by_line: m.put(NotWiped([(1, NUMBER), (2, 0)].into())) },
            Self { notes: m.put(NotWiped([].into())), by_line: m.put(NotWiped([].into())) },
        ]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Tuple {
    drug: P<(String, u64, bool), phi::Drug>,
    id: u32,
}

impl Shape for Tuple {
    const NAME: &'static str = "tuple";
    fn samples(m: &Maker) -> Vec<Self> {
        vec![Self { drug: m.put((CANARY.to_owned(), NUMBER, true)), id: 7 }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Binary {
    scan: P<Bytes, phi::Scan>,
    id: u32,
}

impl Shape for Binary {
    const NAME: &'static str = "bytes";
    // In JSON plain bytes are an array of numbers.
    const TEXT: bool = false;
    fn samples(m: &Maker) -> Vec<Self> {
        [vec![], CANARY.as_bytes().to_vec(), (0..=255).collect()]
            .map(|scan| Self { scan: m.put(Bytes(scan)), id: 7 })
            .into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub enum Route {
    Oral,
    #[serde(rename = "Zoraida Quimby")]
    Other,
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct UnitEnum {
    route: P<NotWiped<Route>, phi::Directions>,
    id: u32,
}

impl Shape for UnitEnum {
    const NAME: &'static str = "unit enum";
    // Binary formats write a number.
    const TEXT: bool = false;
    fn samples(m: &Maker) -> Vec<Self> {
        [Route::Oral, Route::Other].map(|route| Self { route: m.put(NotWiped(route)), id: 7 }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Boxed {
    name: Box<P<String, phi::PatientName>>,
    address: P<NotWiped<Box<Address>>, phi::Address>,
}

impl Shape for Boxed {
    const NAME: &'static str = "Box";
    fn samples(m: &Maker) -> Vec<Self> {
        let address = NotWiped(Box::new(Address::sample()));
        vec![Self { name: Box::new(m.put(CANARY.to_owned())), address: m.put(address) }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Numbers {
    large: P<i128, phi::Quantity>,
    real: P<f64, phi::Strength>,
    small: P<i8, phi::DaysSupply>,
}

impl Shape for Numbers {
    const NAME: &'static str = "i128, f64";
    const TEXT: bool = false;
    fn samples(m: &Maker) -> Vec<Self> {
        let reals = [0.0, -0.1, f64::MAX, f64::MIN_POSITIVE, 1.0e-7];
        reals.map(|real| Self { large: m.put(i128::from(i64::MIN)), real: m.put(real), small: m.put(-7_i8) }).into()
    }
}

pub fn each_shape(visitor: &mut impl Visitor) {
    visitor.shape::<Text>();
    visitor.shape::<Integer>();
    visitor.shape::<VisibleOption>();
    visitor.shape::<HiddenOption>();
    visitor.shape::<List>();
    visitor.shape::<Nested>();
    visitor.shape::<External>();
    visitor.shape::<Internal>();
    visitor.shape::<Adjacent>();
    visitor.shape::<Untagged>();
    visitor.shape::<Flatten>();
    visitor.shape::<Skipped>();
    visitor.shape::<Borrowed>();
    visitor.shape::<Renamed>();
    visitor.shape::<Transparent>();
    visitor.shape::<Newtypes>();
    visitor.shape::<Map>();
    visitor.shape::<Tuple>();
    visitor.shape::<Binary>();
    visitor.shape::<UnitEnum>();
    visitor.shape::<Boxed>();
    visitor.shape::<Numbers>();
}
