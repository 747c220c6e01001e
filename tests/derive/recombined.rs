//! Rows with a tag, taken apart and put together otherwise.

use rxseal::phi::Drug;
use rxseal::{ErrorCode, PhiRecord, RecordTag, SealedRecord};

use crate::support::keyring;

#[derive(PhiRecord)]
#[phi(record = "order", bind = "order.kind")]
enum Order {
    Active {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
        #[phi(nested)]
        route: Option<Route>,
        #[phi(part = "step")]
        steps: Vec<Step>,
        #[phi(record_tag)]
        tag: RecordTag,
    },
    Stopped {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
        #[phi(nested)]
        route: Option<Route>,
        #[phi(part = "step")]
        steps: Vec<Step>,
        #[phi(record_tag)]
        tag: RecordTag,
    },
}

#[derive(PhiRecord)]
#[phi(nested, bind = "order.route")]
enum Route {
    Oral {
        #[phi(clear, bind = "order.times")]
        times: u8,
    },
    Rectal {
        #[phi(clear, bind = "order.times")]
        times: u8,
    },
}

#[derive(PhiRecord)]
#[phi(part, bind = "step.kind")]
enum Step {
    Begin {
        #[phi(id)]
        id: u8,
    },
    End {
        #[phi(id)]
        id: u8,
    },
}

/// Two variants with the same fields are two states of the patient.
#[test]
fn a_variant_is_the_one_that_was_sealed() {
    let keys = keyring();
    let active = || {
        let (route, steps) = (Some(Route::Oral { times: 2 }), vec![Step::Begin { id: 1 }]);
        keys.seal(&Order::Active { id: 1, drug: "Canary".into(), route, steps, tag: RecordTag::new() }).unwrap()
    };
    let changed = |change: fn(SealedOrder) -> SealedOrder| change(active()).check(&keys).map_err(|error| error.code());
    assert_eq!(changed(|row| row), Ok(()));
    let refused = Err(ErrorCode::TagRefused);
    let stopped = changed(|row| match row {
        SealedOrder::Active { id, drug, route, steps, tag } => SealedOrder::Stopped { id, drug, route, steps, tag },
        other @ SealedOrder::Stopped { .. } => other,
    });
    assert_eq!(stopped, refused);
    let route = changed(|mut row| {
        let (SealedOrder::Active { route, .. } | SealedOrder::Stopped { route, .. }) = &mut row;
        *route = Some(SealedRoute::Rectal { times: 2 });
        row
    });
    assert_eq!(route, refused, "of a nested enum");
    let none = changed(|mut row| {
        let (SealedOrder::Active { route, .. } | SealedOrder::Stopped { route, .. }) = &mut row;
        *route = None;
        row
    });
    assert_eq!(none, refused);
    let step = changed(|mut row| {
        let (SealedOrder::Active { steps, .. } | SealedOrder::Stopped { steps, .. }) = &mut row;
        *steps = vec![SealedStep::End { id: 1 }];
        row
    });
    assert_eq!(step, refused, "of a part");
}

/// The only id of one variant must not be taken for the several ids of another.
#[test]
fn ids_of_two_variants_never_collide() {
    #[derive(PhiRecord)]
    #[phi(record = "dose")]
    enum Dose {
        Single {
            #[phi(id)]
            number: String,
            #[phi(seal = Drug)]
            drug: String,
        },
        OfStore {
            #[phi(id)]
            store: String,
            #[phi(id)]
            number: String,
            #[phi(seal = Drug)]
            drug: String,
        },
    }
    let keys = keyring();
    let (store, number, drug) = ("a".to_owned(), "b".to_owned(), "Canary".to_owned());
    let SealedDose::OfStore { drug, .. } = keys.seal(&Dose::OfStore { store, number, drug }).unwrap() else { return };
    let row = SealedDose::Single { number: "a/b".into(), drug };
    assert_eq!(row.check(&keys).unwrap_err().code(), ErrorCode::InvalidId);
    let single = |number: &str| keys.seal(&Dose::Single { number: number.into(), drug: "Canary".into() }).map(drop);
    assert_eq!(single("a/b").unwrap_err().code(), ErrorCode::InvalidId);
    assert!(single("a").is_ok());
}
