// The 22 shapes as `with` fields. Included twice: with `S` the adapter that passes through, and with `S` = `Sealing`.

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Text {
    id: u32,
    #[serde(with = "S::<phi::PatientName>")]
    name: String,
}

impl Shape for Text {
    const NAME: &'static str = "String";
    fn samples(_: &Maker) -> Vec<Self> {
        [String::new(), CANARY.into(), format!("{CANARY} \u{1F48A} \" \\ \n \0")]
            .map(|name| Self { id: 7, name })
            .into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Integer {
    #[serde(with = "S::<phi::DaysSupply>")]
    days: u64,
    id: u32,
}

impl Shape for Integer {
    const NAME: &'static str = "u64";
    const TEXT: bool = false;
    fn samples(_: &Maker) -> Vec<Self> {
        [0, NUMBER, u64::MAX].map(|days| Self { days, id: 7 }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct VisibleOption {
    #[serde(with = "S::<Option<phi::Directions>>", default)]
    directions: Option<String>,
    id: u32,
}

impl Shape for VisibleOption {
    const NAME: &'static str = "Option, absence visible";
    fn samples(_: &Maker) -> Vec<Self> {
        [None, Some(String::new()), Some(CANARY.into())].map(|directions| Self { directions, id: 7 }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct HiddenOption {
    #[serde(with = "S::<phi::Note>")]
    note: Option<String>,
    id: u32,
}

impl Shape for HiddenOption {
    const NAME: &'static str = "Option, absence hidden";
    fn samples(_: &Maker) -> Vec<Self> {
        [None, Some(String::new()), Some(CANARY.into())].map(|note| Self { note, id: 7 }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct List {
    #[serde(with = "S::<phi::Allergy>")]
    allergies: Vec<String>,
    id: u32,
}

impl Shape for List {
    const NAME: &'static str = "Vec";
    fn samples(_: &Maker) -> Vec<Self> {
        [vec![], vec![CANARY.into(), "latex".into(), CANARY.into()]].map(|allergies| Self { allergies, id: 7 }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Person {
    #[serde(with = "S::<phi::PatientName>")]
    name: String,
    since: u16,
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Address {
    street: String,
    zip: u32,
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Nested {
    person: Person,
    #[serde(with = "S::<phi::Address>")]
    address: Address,
}

impl Shape for Nested {
    const NAME: &'static str = "nested struct";
    fn samples(_: &Maker) -> Vec<Self> {
        let person = Person { name: CANARY.into(), since: 1999 };
        vec![Self { person, address: Address { street: CANARY.into(), zip: 2139 } }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub enum External {
    New {
        #[serde(with = "S::<phi::Drug>")]
        drug: String,
        refills: u8,
    },
    Note(#[serde(with = "S::<phi::Note>")] String),
    Pair(u8, #[serde(with = "S::<phi::Note>")] String),
    Of(Person),
    Nothing,
}

impl Shape for External {
    const NAME: &'static str = "enum, external tag";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![
            Self::New { drug: CANARY.into(), refills: 3 },
            Self::Note(CANARY.into()),
            Self::Pair(1, CANARY.into()),
            Self::Of(Person { name: CANARY.into(), since: 1999 }),
            Self::Nothing,
        ]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type")]
pub enum Internal {
    New {
        #[serde(with = "S::<phi::Drug>")]
        drug: String,
        refills: u8,
    },
    Of(Person),
    Nothing,
}

impl Shape for Internal {
    const NAME: &'static str = "enum, internal tag";
    fn samples(_: &Maker) -> Vec<Self> {
        let person = Person { name: CANARY.into(), since: 1999 };
        vec![Self::New { drug: CANARY.into(), refills: 3 }, Self::Of(person), Self::Nothing]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(tag = "type", content = "of")]
pub enum Adjacent {
    New {
        #[serde(with = "S::<phi::Drug>")]
        drug: String,
        refills: u8,
    },
    Note(#[serde(with = "S::<phi::Note>")] String),
    Of(Person),
    Nothing,
}

impl Shape for Adjacent {
    const NAME: &'static str = "enum, adjacent tag";
    fn samples(_: &Maker) -> Vec<Self> {
        let person = Person { name: CANARY.into(), since: 1999 };
        vec![Self::New { drug: CANARY.into(), refills: 3 }, Self::Note(CANARY.into()), Self::Of(person), Self::Nothing]
    }
}

// `Count` and `Text` share a key: serde finds the variant by the type of an authentic value.
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Untagged {
    New {
        #[serde(with = "S::<phi::Drug>")]
        drug: String,
        refills: u8,
    },
    Count {
        #[serde(with = "S::<phi::Quantity>")]
        quantity: u64,
    },
    Text {
        #[serde(with = "S::<phi::Quantity>")]
        quantity: String,
    },
    Of(Person),
}

impl Shape for Untagged {
    const NAME: &'static str = "enum, untagged";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![
            Self::New { drug: CANARY.into(), refills: 3 },
            Self::Count { quantity: NUMBER },
            Self::Text { quantity: CANARY.into() },
            Self::Of(Person { name: CANARY.into(), since: 1999 }),
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
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { id: 7, person: Person { name: CANARY.into(), since: 1999 } }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Skipped {
    id: u32,
    #[serde(with = "S::<Option<phi::Directions>>", default, skip_serializing_if = "Option::is_none")]
    directions: Option<String>,
}

impl Shape for Skipped {
    const NAME: &'static str = "default + skip_serializing_if";
    fn samples(_: &Maker) -> Vec<Self> {
        [None, Some(CANARY.into())].map(|directions| Self { id: 7, directions }).into()
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Borrowed {
    #[serde(with = "S::<phi::PatientName>")]
    name: Cow<'static, str>,
    id: u32,
}

impl Shape for Borrowed {
    const NAME: &'static str = "Cow<str>";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { name: Cow::Borrowed(CANARY), id: 7 }, Self { name: Cow::Owned(CANARY.into()), id: 7 }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Renamed {
    rx_number: u32,
    #[serde(rename = "PATIENT", alias = "patient_name", with = "S::<phi::PatientName>")]
    name: String,
}

impl Shape for Renamed {
    const NAME: &'static str = "rename";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { rx_number: 7, name: CANARY.into() }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(transparent)]
pub struct Transparent {
    #[serde(with = "S::<phi::PatientName>")]
    name: String,
}

impl Shape for Transparent {
    const NAME: &'static str = "transparent newtype";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { name: CANARY.into() }]
    }
}

/// A date, as it is where no crate for dates is used.
#[derive(Serialize, Deserialize, PartialEq)]
pub struct Date(String);

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Newtype(#[serde(with = "S::<phi::PatientName>")] String);

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Newtypes {
    name: Newtype,
    #[serde(with = "S::<phi::BirthDate>")]
    born: Date,
}

impl Shape for Newtypes {
    const NAME: &'static str = "newtype (name, date)";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { name: Newtype(CANARY.into()), born: Date("1970-01-01".into()) }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Map {
    #[serde(with = "S::<phi::Note>")]
    notes: BTreeMap<String, String>,
    #[serde(with = "S::<phi::Quantity>")]
    by_line: BTreeMap<u32, u64>,
}

impl Shape for Map {
    const NAME: &'static str = "map";
    fn samples(_: &Maker) -> Vec<Self> {
        let notes = [(CANARY.to_owned(), CANARY.to_owned()), (String::new(), String::new())].into();
        vec![Self { notes, by_line: [(1, NUMBER), (2, 0)].into() }, Self { notes: [].into(), by_line: [].into() }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Tuple {
    #[serde(with = "S::<phi::Drug>")]
    drug: (String, u64, bool),
    id: u32,
}

impl Shape for Tuple {
    const NAME: &'static str = "tuple";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { drug: (CANARY.into(), NUMBER, true), id: 7 }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Binary {
    #[serde(with = "S::<phi::Scan>")]
    scan: Bytes,
    id: u32,
}

impl Shape for Binary {
    const NAME: &'static str = "bytes";
    // In JSON plain bytes are an array of numbers.
    const TEXT: bool = false;
    fn samples(_: &Maker) -> Vec<Self> {
        [vec![], CANARY.as_bytes().to_vec(), (0..=255).collect()].map(|scan| Self { scan: Bytes(scan), id: 7 }).into()
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
    #[serde(with = "S::<phi::Directions>")]
    route: Route,
    id: u32,
}

impl Shape for UnitEnum {
    const NAME: &'static str = "unit enum";
    // Binary formats write a number.
    const TEXT: bool = false;
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { route: Route::Oral, id: 7 }, Self { route: Route::Other, id: 7 }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Boxed {
    #[serde(with = "S::<phi::PatientName>")]
    name: Box<str>,
    #[serde(with = "S::<phi::Address>")]
    address: Box<Address>,
}

impl Shape for Boxed {
    const NAME: &'static str = "Box";
    fn samples(_: &Maker) -> Vec<Self> {
        vec![Self { name: CANARY.into(), address: Box::new(Address { street: CANARY.into(), zip: 2139 }) }]
    }
}

#[derive(Serialize, Deserialize, PartialEq)]
pub struct Numbers {
    #[serde(with = "S::<phi::Quantity>")]
    large: i128,
    #[serde(with = "S::<phi::Strength>")]
    real: f64,
    #[serde(with = "S::<phi::DaysSupply>")]
    small: i8,
}

impl Shape for Numbers {
    const NAME: &'static str = "i128, f64";
    const TEXT: bool = false;
    fn samples(_: &Maker) -> Vec<Self> {
        let reals = [0.0, -0.1, f64::MAX, f64::MIN_POSITIVE, 1.0e-7];
        reals.map(|real| Self { large: i128::from(i64::MIN), real, small: -7 }).into()
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
