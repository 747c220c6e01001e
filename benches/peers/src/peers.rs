//! The compared candidates, and what each of them binds.

mod asherah;
mod raw;
mod rxseal;
mod tink;
mod vitaminc;

pub use raw::draw;

use std::hint::black_box;

use crate::allocations;
use crate::record::{COUNT, SHORT_NAME, values};

/// The names that targets and ratios refer to.
pub mod name {
    /// The names of rxseal's measurements with one backend.
    pub struct Rxseal {
        /// As text, with the record made within the measurement. Targets refer to this one.
        pub text: &'static str,
        /// As text, with one record kept for all calls.
        pub held: &'static str,
        /// As bytes, with the record made within the measurement.
        pub binary: &'static str,
    }

    pub const RXSEAL: Rxseal = Rxseal { text: "rxseal", held: "rxseal, record held", binary: "rxseal, bytes" };
    pub const RXSEAL_AWS_LC: Rxseal =
        Rxseal { text: "rxseal aws-lc", held: "rxseal aws-lc, record held", binary: "rxseal aws-lc, bytes" };
    pub const ASHERAH: &str = "asherah";
    pub const TINK_ENVELOPE: &str = "Tink KMS envelope";
}

/// The candidates, in the order in which they are measured and shown. A new one is one more line here.
pub fn all() -> Vec<Candidate> {
    let mut candidates = rxseal::candidates();
    candidates.push(Candidate::new(asherah::FACTS, asherah::Asherah::new()));
    candidates.push(Candidate::new(tink::ENVELOPE, tink::Tink::envelope()));
    candidates.push(Candidate::new(tink::KEYSET, tink::Tink::keyset()));
    candidates.push(Candidate::new(vitaminc::FACTS, vitaminc::Vitaminc::new()));
    candidates.extend(raw::candidates());
    candidates
}

/// One way to seal the record, used as its own documentation says.
pub trait Peer {
    /// A sealed field in the form that its documentation stores.
    type Stored: AsRef<[u8]>;

    /// Seals the five values, from text.
    fn seal(&mut self) -> [Self::Stored; COUNT];

    /// Opens them again, into text.
    fn open(&mut self, stored: &[Self::Stored; COUNT]) -> [String; COUNT];

    /// Seals a name of 11 bytes.
    fn seal_name(&mut self, name: &str) -> Self::Stored;

    /// Whether the first field opens in a place that it was not sealed for. `None` if this peer has no such place.
    fn opens_at(&mut self, stored: &Self::Stored, place: Place) -> Option<bool>;
}

/// A place that a sealed field could be moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Tenant,
    Record,
    Field,
}

/// Whether a sealed field is bound to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Always.
    Yes,
    /// By the AAD that the caller builds and passes, as here.
    ByCaller,
    /// Only if the caller puts it in the AAD, which is not done here.
    IfCaller,
    /// By the key: another place has another key.
    ByKey,
    No,
}

/// The facts that are shown with the numbers of a candidate.
#[derive(Clone, Copy)]
pub struct Facts {
    pub name: &'static str,
    /// The crates of the peer and of its primitive, as Cargo.lock names them.
    pub package: &'static str,
    pub primitive: &'static str,
    /// The stored form.
    pub form: &'static str,
    /// The floor of the same primitive and form.
    pub floor: Option<&'static str>,
    /// A floor has none.
    pub binding: Option<Binding>,
}

/// What a sealed field is bound to, and how it is made. Each fact was read in the source that is cited next to it.
/// `check` also tests what binds.
#[derive(Clone, Copy)]
pub struct Binding {
    pub tenant: Bound,
    pub record: Bound,
    pub field: Bound,
    pub key_id: Bound,
    /// Where the key's id is.
    pub key_id_at: &'static str,
    pub keys: &'static str,
    pub random: &'static str,
    pub wipes: &'static str,
}

impl Binding {
    fn to(&self, place: Place) -> Bound {
        match place {
            Place::Tenant => self.tenant,
            Place::Record => self.record,
            Place::Field => self.field,
        }
    }
}

/// A peer with its sealed fields, ready to be measured.
pub struct Candidate {
    pub facts: Facts,
    pub peer: Box<dyn Measured>,
}

impl Candidate {
    pub fn new<P: Peer + 'static>(facts: Facts, mut peer: P) -> Self {
        let stored = peer.seal();
        Self { facts, peer: Box::new(Ready { peer, stored }) }
    }

    /// Everything that must hold before a number is worth anything: each call of open returns the value, and a moved
    /// field opens only if `facts.binding` says so.
    pub fn check(&mut self) -> Result<(), String> {
        let name = self.facts.name;
        if self.peer.sealed_and_opened() != values() {
            return Err(format!("{name}: what it opens is not what it sealed"));
        }
        let Some(binding) = self.facts.binding else { return Ok(()) };
        for place in [Place::Tenant, Place::Record, Place::Field] {
            let stated = matches!(binding.to(place), Bound::No | Bound::IfCaller);
            if self.peer.opens_at(place).is_some_and(|opens| opens != stated) {
                return Err(format!("{name}: says {:?} of {place:?}, and that is not so", binding.to(place)));
            }
        }
        Ok(())
    }
}

/// A `Peer` of any type. The loops are inside, so that a batch costs one call through the table.
pub trait Measured {
    fn seal(&mut self, repeats: u32);
    fn open(&mut self, repeats: u32);
    fn sealed_and_opened(&mut self) -> [String; COUNT];
    fn opens_at(&mut self, place: Place) -> Option<bool>;
    fn footprint(&mut self) -> Footprint;
}

/// The cost of a record apart from time.
#[derive(Clone, Copy)]
pub struct Footprint {
    /// Stored bytes of each field.
    pub fields: [usize; COUNT],
    /// Stored bytes of the name of 11 bytes.
    pub short_name: usize,
    /// Allocations per record.
    pub seal_allocations: u64,
    pub open_allocations: u64,
}

impl Footprint {
    pub fn record(&self) -> usize {
        self.fields.iter().sum()
    }
}

struct Ready<P: Peer> {
    peer: P,
    stored: [P::Stored; COUNT],
}

impl<P: Peer> Measured for Ready<P> {
    fn seal(&mut self, repeats: u32) {
        for _ in 0..repeats {
            black_box(self.peer.seal());
        }
    }

    fn open(&mut self, repeats: u32) {
        for _ in 0..repeats {
            black_box(self.peer.open(black_box(&self.stored)));
        }
    }

    fn sealed_and_opened(&mut self) -> [String; COUNT] {
        let stored = self.peer.seal();
        self.peer.open(&stored)
    }

    fn opens_at(&mut self, place: Place) -> Option<bool> {
        self.peer.opens_at(&self.stored[0], place)
    }

    fn footprint(&mut self) -> Footprint {
        // Runs once before counting, so that no count includes what is kept afterwards.
        self.seal(1);
        self.open(1);
        Footprint {
            fields: std::array::from_fn(|at| self.stored[at].as_ref().len()),
            short_name: self.peer.seal_name(SHORT_NAME).as_ref().len(),
            seal_allocations: allocations::count(|| self.seal(1)),
            open_allocations: allocations::count(|| self.open(1)),
        }
    }
}
