//! One field of a row.

use super::*;

#[test]
fn one_field_is_set_and_the_others_stay() {
    let keys = keyring();
    let row = keys.seal(&prescription(1001)).unwrap();
    let new = row.set::<Directions>(&keys, &Some("two daily".into())).unwrap();
    assert_ne!(new.directions, row.directions);
    assert_eq!(SealedPrescription { directions: row.directions.clone(), ..new.clone() }, row);
    assert_eq!(keys.open(&new, &access()).unwrap().directions.unwrap(), "two daily");
    assert!(new.set::<Directions>(&keys.sealer(), &None).unwrap().directions.is_none());
}
