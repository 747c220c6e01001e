//! The tag of a record: made when its fields are sealed, verified before they are opened (FORMAT 14).

use super::core::RecordCore;
use crate::error::Error;
use crate::record_tag::{Cover, RecordTag, tag_record, verify_record};

/// Verifies the tag of a row, whose type has this cover number. `visit` goes through the row.
pub(crate) fn verify(
    core: &RecordCore,
    (tag, number): (&RecordTag, u8),
    visit: impl FnOnce(&mut Cover) -> Result<(), Error>,
) -> Result<(), Error> {
    let verify = |cover: &mut _| verify_record(&core.shared().keys, core.context(), cover, number, tag, core.former());
    let mut cover = Cover::default();
    visit(&mut cover).and_then(|()| verify(&mut cover)).map_err(|error| error.in_record(core.context().record_type()))
}

/// The tag of a row after the one that it had. `visit` goes through the row.
pub(crate) fn renew(
    core: &RecordCore,
    (former, number): (&RecordTag, u8),
    visit: impl FnOnce(&mut Cover) -> Result<(), Error>,
) -> Result<RecordTag, Error> {
    let renew = |cover: &mut _| tag_record(&core.shared().keys, core.context(), cover, number, former);
    let mut cover = Cover::default();
    visit(&mut cover).and_then(|()| renew(&mut cover)).map_err(|error| error.in_record(core.context().record_type()))
}
