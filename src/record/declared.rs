//! Fields that a schema declares, and no type: sealed from the cells of a column, opened to them, resealed.

use super::core::RecordCore;
use super::reader::{OpenPass, TokenForm};
use super::reseal::ResealPass;
use super::seal::{Claim, PlacedPayload, SealPass, SealState, seal_appending};
use crate::codec::text;
use crate::error::{Error, ErrorKind, Reason};
use crate::payload::Plaintext;
use crate::schema::{FieldSchema, Opened, OpenedAs, Plain, give_back, prepare};
use crate::scratch;
use crate::secret::{PlainBuffer, Unfinished};
use crate::token::{Token, begins_as_our_text, begins_as_ours};

impl SealPass<'_> {
    /// Seals a cell of a column in plaintext, as a value of the field's type would be sealed.
    ///
    /// A null of an optional column is nothing to seal: leave it as it is.
    ///
    /// ```
    /// use rxseal::schema::{Plain, Schema};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let access = rxseal::Access::new("job:check", rxseal::Purpose::HOPERAT)?;
    /// let schema = Schema::parse(
    ///     r#"{"rxseal_schema": 1, "records": [{"record": "prescription", "ids": [{"member": "rx_number"}], "fields": [
    ///         {"member": "drug", "id": "phi.rx.drug", "class": "medication", "block": 32, "max": 1024, "content": "text"},
    ///         {"member": "refills", "id": "rx.refills", "class": "medication", "block": 32, "max": 16, "content": "u8"}
    ///     ]}]}"#,
    /// )?;
    /// let rx = schema.record("prescription").expect("the schema has prescriptions");
    /// let [drug, refills] = rx.fields() else { panic!() };
    ///
    /// let record = keys.record(rx.record_type(), 1001)?;
    /// let (drug_token, refills_token) = record.seal_fields(|pass| {
    ///     Ok((pass.seal_declared(drug, Plain::Text("warfarin 5 MG"))?, pass.seal_declared(refills, Plain::Text("3"))?))
    /// })?;
    /// let refused = record.seal_fields(|pass| pass.seal_declared(refills, Plain::Text("300"))).unwrap_err();
    /// assert_eq!(refused.code(), rxseal::ErrorCode::CellRefused);
    ///
    /// // The program reads it as what it is.
    /// rxseal::fields! { Refills = "rx.refills" in Medication; }
    /// let read: u8 = record.opened_by(&access).open::<Refills, _>(&refills_token)?;
    /// assert_eq!(read, 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `cell-refused` if the cell is not what the schema says of the field, or the schema says nothing of it; those of
    /// [`Record::seal`](crate::Record::seal), and `field-repeated`.
    pub fn seal_declared(&mut self, field: &FieldSchema, cell: Plain<'_>) -> Result<Token, Error> {
        let mut bytes = Vec::new();
        self.seal_declared_into(field, cell, &mut bytes)?;
        Ok(Token::from_sealed(bytes))
    }

    /// As [`seal_declared`](Self::seal_declared), and appends the binary token to `out`. If `out` has enough room, nothing is allocated,
    /// except for JSON. On an error `out` is unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`seal_declared`](Self::seal_declared).
    pub fn seal_declared_into(&mut self, field: &FieldSchema, cell: Plain<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        self.seal_cell(field, cell, Claim::Token, out)
    }

    /// As [`seal_declared`](Self::seal_declared), and appends the token's text to `out`. On an error `out` is unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`seal_declared`](Self::seal_declared).
    pub fn seal_declared_text_into(
        &mut self,
        field: &FieldSchema,
        cell: Plain<'_>,
        out: &mut String,
    ) -> Result<(), Error> {
        scratch::with(|buffer| {
            self.seal_declared_into(field, cell, buffer.vec())?;
            out.push_str(text::encode_behind(buffer.vec()));
            Ok(())
        })
    }

    /// Seals the elements of a list, each as one token: for a field of the shape [`Each`](crate::schema::Shape::Each).
    ///
    /// # Errors
    ///
    /// Those of [`seal_declared`](Self::seal_declared).
    pub fn seal_declared_each<'c>(
        &mut self,
        field: &FieldSchema,
        cells: impl IntoIterator<Item = Plain<'c>>,
    ) -> Result<Vec<Token>, Error> {
        self.state.claim(field.id()).map_err(|error| self.core.located(field.id(), error))?;
        let seal = |cell| {
            let mut bytes = Vec::new();
            self.seal_cell(field, cell, Claim::List, &mut bytes)?;
            Ok(Token::from_sealed(bytes))
        };
        cells.into_iter().map(seal).collect()
    }

    fn seal_cell(
        &mut self,
        field: &FieldSchema,
        cell: Plain<'_>,
        claim: Claim,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        seal_cell((self.core, &mut self.state), field, cell, claim, out)
    }
}

impl OpenPass<'_> {
    /// Opens a field to the cell that its column had.
    ///
    /// It is the same text or the same bytes, with these exceptions: a number has its shortest spelling, a truth value is `true` or `false`,
    /// a point in time is written as in RFC 3339, and JSON has no white space around it.
    ///
    /// ```
    /// use rxseal::schema::{Plain, Schema};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let access = rxseal::Access::new("job:unseal", rxseal::Purpose::HOPERAT)?;
    /// # let schema = Schema::parse(
    /// #     r#"{"rxseal_schema": 1, "records": [{"record": "prescription", "ids": [{"member": "rx_number"}], "fields": [
    /// #         {"member": "drug", "id": "phi.rx.drug", "class": "medication", "block": 32, "max": 1024, "content": "text"}
    /// #     ]}]}"#,
    /// # )?;
    /// # let drug = &schema.records()[0].fields()[0];
    /// # let record = keys.record("prescription", 1001)?;
    /// let token = record.seal::<rxseal::phi::Drug>("warfarin 5 MG")?;
    /// let opened = record.opened_by(&access).open_fields(|pass| pass.open_declared(drug, &token))?;
    /// assert!(matches!(opened.expose(), Plain::Text("warfarin 5 MG")));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`](crate::RecordReader::open). `type-mismatch` if the token holds something else than the schema says;
    /// `cell-refused` if the schema says nothing of it.
    pub fn open_declared(&mut self, field: &FieldSchema, token: &Token) -> Result<Opened, Error> {
        let mut content = PlainBuffer::default();
        let is = self.open_declared_into(field, token.as_bytes(), content.vec())?;
        Ok(Opened::new(is, content))
    }

    /// As [`open_declared`](Self::open_declared), from a binary token; appends the text or the bytes to `out`, which the caller wipes. If
    /// `out` has enough room, nothing is allocated. On an error `out` is unchanged.
    ///
    /// # Errors
    ///
    /// Those of [`open_declared`](Self::open_declared); `not-a-token`.
    pub fn open_declared_into(
        &mut self,
        field: &FieldSchema,
        token: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<OpenedAs, Error> {
        self.open_cell(field, TokenForm::Bytes(token), out)
    }

    /// As [`open_declared_into`](Self::open_declared_into), from a token's text.
    ///
    /// # Errors
    ///
    /// Those of [`open_declared`](Self::open_declared); `not-a-token`.
    pub fn open_declared_text_into(
        &mut self,
        field: &FieldSchema,
        token: &str,
        out: &mut Vec<u8>,
    ) -> Result<OpenedAs, Error> {
        self.open_cell(field, TokenForm::Text(token), out)
    }

    fn open_cell(&mut self, field: &FieldSchema, token: TokenForm<'_>, out: &mut Vec<u8>) -> Result<OpenedAs, Error> {
        let Self { core, state } = self;
        let opened = token.with_room(|token, room| {
            let content = state.open(field.declaration(), core, token, room)?;
            let mut unfinished = Unfinished::begin(out);
            let is = give_back(field, content, unfinished.vec())?;
            unfinished.finish();
            Ok(is)
        });
        opened.map_err(|error| core.located(field.id(), error)).inspect_err(|error| state.note_failure(error))
    }
}

/// What became of a cell of a column that is being sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backfilled {
    /// It is a token already, and opens as this field of this record.
    Kept,
    /// It was plaintext.
    Sealed(Token),
}

impl ResealPass<'_> {
    /// As [`reseal`](Self::reseal), of a field that a schema declares.
    ///
    /// # Errors
    ///
    /// Those of [`reseal`](Self::reseal).
    pub fn reseal_declared(&mut self, field: &FieldSchema, token: &Token) -> Result<Token, Error> {
        let mut out = Vec::new();
        self.reseal_declared_into(field, token.as_bytes(), &mut out)?;
        Ok(Token::from_sealed(out))
    }

    /// As [`reseal_declared`](Self::reseal_declared), from a binary token; appends the new one to `out`. If `out` has the room, nothing is
    /// allocated. On an error `out` is as it was.
    ///
    /// # Errors
    ///
    /// Those of [`reseal_declared`](Self::reseal_declared); `not-a-token`.
    pub fn reseal_declared_into(&mut self, field: &FieldSchema, token: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.move_form(field.declaration(), TokenForm::Bytes(token), out)
    }

    /// As [`reseal_declared`](Self::reseal_declared), from text to text, which is appended to `out`.
    ///
    /// # Errors
    ///
    /// Those of [`reseal_declared`](Self::reseal_declared); `not-a-token`.
    pub fn reseal_declared_text_into(
        &mut self,
        field: &FieldSchema,
        token: &str,
        out: &mut String,
    ) -> Result<(), Error> {
        scratch::with(|buffer| {
            self.move_form(field.declaration(), TokenForm::Text(token), buffer.vec())?;
            out.push_str(text::encode_behind(buffer.vec()));
            Ok(())
        })
    }

    /// Seals a cell, if it is plaintext: what a job does with each cell of a column that has plaintext and tokens.
    ///
    /// A cell that begins as a token is never taken for plaintext. If it opens as this field of this record, it is kept as it is.
    /// Otherwise it is an error, so that nobody seals a token that was damaged, or put into another row.
    ///
    /// ```
    /// use rxseal::page::Backfilled;
    /// use rxseal::schema::{Plain, Schema};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let schema = Schema::parse(
    /// #     r#"{"rxseal_schema": 1, "records": [{"record": "prescription", "ids": [{"member": "rx_number"}], "fields": [
    /// #         {"member": "drug", "id": "phi.rx.drug", "class": "medication", "block": 32, "max": 1024, "content": "text"}
    /// #     ]}]}"#,
    /// # )?;
    /// # let drug = &schema.records()[0].fields()[0];
    /// let record = keys.record("prescription", 1001)?;
    /// let backfill = |cell: &str| record.reseal_fields(|pass| pass.backfill_declared(drug, Plain::Text(cell)));
    ///
    /// let Backfilled::Sealed(token) = backfill("warfarin 5 MG")? else { panic!() };
    /// assert_eq!(backfill(&token.to_string())?, Backfilled::Kept);
    ///
    /// let of_another_row = keys.record("prescription", 1002)?.seal_text::<rxseal::phi::Drug>("warfarin 5 MG")?;
    /// assert!(backfill(&of_another_row).unwrap_err().is_open_failure());
    /// assert!(backfill("rxsX of the week").unwrap_err().is_not_a_token());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `not-a-token` if the cell begins as a token and is not one; those of [`RecordReader::open`](crate::RecordReader::open) if it is a token
    /// that does not open; `token-as-plaintext` and `token-inside` if it is something else under a key, or holds it; those of
    /// [`SealPass::seal_declared`].
    pub fn backfill_declared(&mut self, field: &FieldSchema, cell: Plain<'_>) -> Result<Backfilled, Error> {
        let Self { core, open, seal, .. } = self;
        match sealed_form(cell) {
            Some(form) => {
                let opened = form.with_room(|token, room| open.open(field.declaration(), core, token, room).map(drop));
                let opened = opened.map_err(|error| if error.is_not_a_token() { looks_sealed() } else { error });
                opened.map(|()| Backfilled::Kept).map_err(|error| core.located(field.id(), error))
            }
            None => {
                let mut out = Vec::new();
                seal_cell((core, seal), field, cell, Claim::Token, &mut out)?;
                Ok(Backfilled::Sealed(Token::from_sealed(out)))
            }
        }
    }
}

/// A cell that begins as a token, a record tag or a wrapped subject key does, and so is never taken for plaintext.
pub(super) fn sealed_form(cell: Plain<'_>) -> Option<TokenForm<'_>> {
    match cell {
        Plain::Text(text) if begins_as_our_text(text) => Some(TokenForm::Text(text)),
        Plain::Bytes(bytes) if begins_as_ours(bytes) => Some(TokenForm::Bytes(bytes)),
        // The letters of a token, in a binary column.
        Plain::Bytes(bytes) => {
            std::str::from_utf8(bytes).ok().filter(|text| begins_as_our_text(text)).map(TokenForm::Text)
        }
        Plain::Text(_) | Plain::Null => None,
    }
}

#[cold]
fn looks_sealed() -> Error {
    const REASON: Reason = "it begins as a token, a record tag or a wrapped subject key does, and is not a token: it was cut off or \
                            changed, or it is plaintext that looks like one; look at the row";
    ErrorKind::NotAToken.because(REASON)
}

fn seal_cell(
    (core, state): (&RecordCore, &mut SealState),
    field: &FieldSchema,
    cell: Plain<'_>,
    claim: Claim,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut seal = || {
        let value = prepare(field, cell)?;
        seal_as((core, state), field, &value, claim, out)
    };
    seal().map_err(|error| core.located(field.id(), error))
}

fn seal_as(
    (core, state): (&RecordCore, &mut SealState),
    field: &FieldSchema,
    value: &impl Plaintext,
    claim: Claim,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let header = core.sealing_header(field.class())?;
    let encrypt = |sealing: PlacedPayload<'_>| sealing.encrypt(core, state, claim);
    seal_appending(field.declaration(), header, value, out, encrypt)
}
