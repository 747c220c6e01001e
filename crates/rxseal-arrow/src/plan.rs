//! Which columns of a batch are which fields of which record.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use rxseal::schema::{ContentType, FieldSchema, RecordSchema, Shape, TextFormat};

use crate::built::Kind;
use crate::cells::Width;
use crate::error::BatchError;

/// What the columns of a batch are: each row is a record, whose id is in some of them and whose fields are in others.
///
/// Field ids, classes and types come from the program's [`RecordSchema`], so nobody types them a second time.
///
/// ```
/// use rxseal::PhiRecord;
/// use rxseal::schema::Schema;
/// use rxseal_arrow::Plan;
///
/// #[derive(PhiRecord)]
/// #[phi(record = "prescription")]
/// struct Prescription {
///     #[phi(id)]
///     rx_number: u64,
///     #[phi(seal = rxseal::phi::PatientName)]
///     patient_name: String,
///     #[phi(seal = rxseal::phi::Drug)]
///     drug: String,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let schema = Schema::new().with::<Prescription>()?;
/// let record = schema.record("prescription").ok_or("no such record")?;
/// // Each field in the column of its name, or one field in the column that you say.
/// let all = Plan::new(record)?.all_fields()?;
/// let drugs = Plan::new(record)?.ids(["rx"]).field("drug_text", "phi.rx.drug")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) record: RecordSchema,
    pub(crate) ids: Vec<String>,
    pub(crate) subject: Option<String>,
    pub(crate) fields: Vec<Planned>,
    pub(crate) tokens: Tokens,
    pub(crate) unverified: bool,
}

/// How sealed columns hold their tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokens {
    /// As bytes, which take a quarter less room: for files.
    #[default]
    Binary,
    /// As text, for what can hold nothing else.
    Text,
}

/// A field and its column.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) column: String,
    pub(crate) field: FieldSchema,
    content: ContentType,
}

impl Plan {
    /// A plan for records of this type, without a field yet. Ids and subject are in the columns that have the names of the schema's members.
    ///
    /// # Errors
    ///
    /// `plan-refused` if the record type is an enum, whose rows have several shapes.
    pub fn new(record: &RecordSchema) -> Result<Self, BatchError> {
        if record.is_enum() {
            return Err(BatchError::plan("rows of this record type have several shapes, so no plan fits all of them"));
        }
        Ok(Self {
            record: record.clone(),
            ids: record.ids().iter().map(|id| id.member().to_owned()).collect(),
            subject: record.subject().map(|subject| subject.member().to_owned()),
            fields: Vec::new(),
            tokens: Tokens::default(),
            unverified: false,
        })
    }

    /// The columns with the record's id: as many as the record type has, in their order.
    #[must_use]
    pub fn ids<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.ids = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The column with the subject's id. It does nothing for a record type that has no subject.
    #[must_use]
    pub fn subject(mut self, column: impl Into<String>) -> Self {
        self.subject = self.subject.map(|_| column.into());
        self
    }

    /// The field of this id is in this column.
    ///
    /// # Errors
    ///
    /// `plan-refused` if the record type has no such field, the field or the column is there already, the field is a list or a map, or the
    /// schema does not know its type.
    pub fn field(mut self, column: impl Into<String>, field_id: &str) -> Result<Self, BatchError> {
        let (column, record_type): (String, _) = (column.into(), self.record.record_type());
        let field = self.record.field(field_id).cloned();
        let field = field.ok_or_else(|| {
            BatchError::plan(format!("the record type {record_type} has no field of its own with the id {field_id}"))
        })?;
        let refuse = |why: &str| Err(BatchError::plan(format!("the field {field_id} {why}")).in_column(&column));
        let Some(content) = field.content() else {
            return refuse("has a type that the schema does not know, so no column holds it");
        };
        if field.shape() != Shape::One {
            return refuse("is a list or a map of tokens, which no column holds");
        }
        if self.fields.iter().any(|planned| planned.column == column || planned.field.id() == field.id()) {
            return refuse("is in the plan already, or its column is");
        }
        self.fields.push(Planned { column, field, content });
        Ok(self)
    }

    /// Every field of the record type in the column that has the name of its member.
    ///
    /// # Errors
    ///
    /// Those of [`field`](Self::field).
    pub fn all_fields(self) -> Result<Self, BatchError> {
        let fields = self.record.fields().to_vec();
        fields.iter().try_fold(self, |plan, field| plan.field(field.member(), field.id().as_str()))
    }

    /// How sealed columns hold their tokens. Opening and resealing take what a column has.
    #[must_use]
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// Opens rows of a record type that has a record tag, although the tag is not verified. Each field is still bound to its record; that
    /// the fields belong together is not known.
    #[must_use]
    pub fn unverified(mut self) -> Self {
        self.unverified = true;
        self
    }

    /// The record type.
    #[must_use]
    pub fn record_type(&self) -> &str {
        self.record.record_type()
    }

    /// Column and field id of each field, in the order in which they were planned.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.fields.iter().map(|planned| (planned.column.as_str(), planned.field.id().as_str()))
    }

    /// The schema that a batch of this schema has after [`seal_batch`](crate::seal_batch), for engines that ask before the first batch.
    ///
    /// # Errors
    ///
    /// `column-missing`.
    pub fn sealed_schema(&self, schema: &Schema) -> Result<SchemaRef, BatchError> {
        self.schema_with(
            schema,
            |_, was| self.token_type(Width::of(was.data_type())).data_type(),
            |was| was.is_nullable() || was.data_type().is_null(),
        )
    }

    /// The schema that a batch of this schema has after [`open_batch`](crate::open_batch).
    ///
    /// # Errors
    ///
    /// `column-missing`.
    pub fn opened_schema(&self, schema: &Schema) -> Result<SchemaRef, BatchError> {
        self.schema_with(schema, |planned, was| planned.kind(Width::of(was.data_type())).data_type(), |_| true)
    }

    pub(crate) fn token_type(&self, width: Width) -> Kind {
        match self.tokens {
            Tokens::Binary => Kind::Bytes(width),
            Tokens::Text => Kind::Text(width),
        }
    }

    fn schema_with(
        &self,
        schema: &Schema,
        data_type: impl Fn(&Planned, &Field) -> DataType,
        is_nullable: impl Fn(&Field) -> bool,
    ) -> Result<SchemaRef, BatchError> {
        let mut fields = schema.fields().to_vec();
        for planned in &self.fields {
            let at = schema.index_of(&planned.column).ok().and_then(|at| fields.get_mut(at));
            let field = at.ok_or_else(|| BatchError::column_missing(&planned.column))?;
            let made = Field::new(field.name(), data_type(planned, field), is_nullable(field));
            let mut metadata = field.metadata().clone();
            metadata.retain(|key, _| !key.starts_with("ARROW:extension"));
            *field = Arc::new(made.with_metadata(metadata));
        }
        let mut metadata = schema.metadata().clone();
        metadata.retain(|key, _| !OF_ENGINES.contains(&key.as_str()));
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }
}

/// Where engines describe the columns a second time. It is wrong once a column has another type.
const OF_ENGINES: &[&str] = &["pandas", "org.apache.spark.sql.parquet.row.metadata"];

impl Planned {
    /// What a column of opened values is.
    pub(crate) fn kind(&self, width: Width) -> Kind {
        match self.content {
            ContentType::Bytes | ContentType::ByteList => Kind::Bytes(width),
            ContentType::Bool => Kind::Bool,
            // An engine of the JVM has no unsigned numbers, so only what needs one is one.
            ContentType::Integer { signed, bits } if bits < 64 || (signed && bits == 64) => Kind::Signed,
            ContentType::Integer { bits: 64, .. } => Kind::Unsigned,
            ContentType::Number { .. } => Kind::Float,
            ContentType::Text(TextFormat::Date) => Kind::Date,
            _ => Kind::Text(width),
        }
    }
}
