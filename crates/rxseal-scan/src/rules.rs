//! By which rules values are judged.

use rxseal::keys::KeyringFile;
use rxseal::schema::{FieldSchema, PartSchema, Schema};

use crate::keys::Keys;
use crate::known::KnownValues;
use crate::sealed::Blocks;
use crate::text::Words;

/// What is known of the data, and what is looked for in it.
#[derive(Default)]
pub(crate) struct Rules {
    schema: Option<Schema>,
    keys: Keys,
    known: Option<KnownValues>,
    expects_tokens: bool,
    words: Words,
}

impl Rules {
    pub(crate) fn set_schema(&mut self, schema: Schema) {
        self.schema = Some(schema);
    }

    pub(crate) fn add_keyring(&mut self, ring: &KeyringFile) {
        self.keys.add(ring);
    }

    pub(crate) fn set_known(&mut self, known: KnownValues) {
        self.known = Some(known);
    }

    pub(crate) fn expect_tokens(&mut self) {
        self.expects_tokens = true;
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn known(&self) -> Option<&KnownValues> {
        self.known.as_ref()
    }

    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    pub(crate) fn expects_tokens(&self) -> bool {
        self.expects_tokens
    }

    /// The field of a record type, if the schema has it.
    pub(crate) fn field(&self, record: &str, field: &str) -> Option<&FieldSchema> {
        self.schema.as_ref()?.record(record)?.field(field)
    }

    /// The blocks of all fields.
    pub(crate) fn blocks(&self) -> Blocks {
        let mut blocks = Vec::new();
        for record in self.schema.iter().flat_map(Schema::records) {
            blocks.extend(record.fields().iter().map(FieldSchema::block));
            record.parts().iter().for_each(|part| add_blocks(part, &mut blocks));
        }
        Blocks::new(blocks)
    }
}

fn add_blocks(part: &PartSchema, blocks: &mut Vec<u16>) {
    blocks.extend(part.fields().iter().map(FieldSchema::block));
    part.parts().iter().for_each(|part| add_blocks(part, blocks));
}
