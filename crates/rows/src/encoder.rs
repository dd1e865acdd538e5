//! MySQL values to canonical bytes.

use crate::codec::{CellWriter, CodecScratch, ColumnCodec, PolicyUses, ReadSession};
use crate::error::{Error, Result};
use crate::refusal::ValueRefusal;
use handoff_connect::ValueRef;
use handoff_model::{ColumnName, LossAudit, TableName};
use handoff_schema::{MappedColumn, TableMapping};
use handoff_settings::{BadJson, BadText, NulBytes, ValuePolicies, ZeroDates};
use std::cell::OnceCell;

/// The policies of key columns, whatever the settings say.
const STRICT: ValuePolicies = ValuePolicies {
    zero_dates: ZeroDates::Fail,
    nul_bytes: NulBytes::Fail,
    bad_text: BadText::Fail,
    bad_json: BadJson::Fail,
};

/// Encodes rows of one table into COPY BINARY tuples, byte for byte as `COPY … TO STDOUT (FORMAT
/// binary)` prints them.
///
/// [`Encoder::new`] decides once about each column. A value then costs one
/// `match` and is written straight into the caller's buffer.
pub struct Encoder {
    table: TableName,
    fields: Vec<EncodedField>,
    select: Vec<String>,
    /// The number of fields, as a tuple begins with it.
    count: [u8; 2],
    /// The number of fields of the key.
    key_count: [u8; 2],
    policies: ValuePolicies,
    scratch: CodecScratch,
    rows: u64,
    audit: OnceCell<LossAudit>,
}

/// One column of the tuple.
struct EncodedField {
    column: ColumnName,
    codec: ColumnCodec,
    /// The index of the column's value in the row.
    value: usize,
    /// The index of the flag that says whether the server's conversion of the value was exact.
    exact: Option<usize>,
    key: bool,
    uses: PolicyUses,
}

impl Encoder {
    /// Prepares the encoding of rows that [`Encoder::select_list`] selects.
    pub fn new(mapping: &TableMapping, values: &ValuePolicies) -> Encoder {
        let select = Vec::with_capacity(mapping.columns.len());
        Encoder::make(mapping, values, select, ReadSession::Any)
    }

    /// Prepares the encoding of rows that are read for another purpose too, by a session of
    /// [`SessionProfile::RawRead`](handoff_connect::SessionProfile::RawRead): `select` is what that purpose reads
    /// of the table, and what else the encoder wants comes behind it in
    /// [`Encoder::select_list`].
    pub fn beside(mapping: &TableMapping, values: &ValuePolicies, select: Vec<String>) -> Encoder {
        Encoder::make(mapping, values, select, ReadSession::Raw)
    }

    fn make(
        mapping: &TableMapping,
        values: &ValuePolicies,
        mut select: Vec<String>,
        session: ReadSession,
    ) -> Encoder {
        let mut fields = Vec::with_capacity(mapping.columns.len());
        for column in &mapping.columns {
            fields.push(EncodedField::new(column, &mut select, session));
        }
        let keys = mapping.columns.iter().filter(|column| column.key).count();
        Encoder {
            table: mapping.table.clone(),
            fields,
            select,
            count: field_count(mapping.columns.len()),
            key_count: field_count(keys),
            policies: *values,
            scratch: CodecScratch::default(),
            rows: 0,
            audit: OnceCell::new(),
        }
    }

    /// Returns the expressions to select, quoted, in the order [`Encoder::encode`] wants them.
    ///
    /// There may be more of them than columns: a text in a character set that only the server can
    /// convert comes with a flag that says whether the conversion lost anything. They are right
    /// under [`SessionProfile::Read`](handoff_connect::SessionProfile::Read) and
    /// [`SessionProfile::RawRead`](handoff_connect::SessionProfile::RawRead).
    pub fn select_list(&self) -> &[String] {
        &self.select
    }

    /// Appends the tuple of one row to `out`: field count, then length and bytes a field.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Value`] if a value cannot be moved under the policies; `out` then holds
    /// what it held before.
    pub fn encode(&mut self, row: &[ValueRef<'_>], out: &mut Vec<u8>) -> Result<()> {
        debug_assert_eq!(row.len(), self.select.len(), "a row is what the list selects");
        self.append(row, self.count, |_| true, out)
    }

    /// Appends a number of fields and the fields that are wanted, or nothing.
    #[inline]
    fn append(
        &mut self,
        row: &[ValueRef<'_>],
        count: [u8; 2],
        wanted: impl Fn(&EncodedField) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.rows += 1;
        self.audit.take();
        let start = out.len();
        out.extend_from_slice(&count);
        for field in self.fields.iter_mut().filter(|field| wanted(field)) {
            let policies = if field.key { &STRICT } else { &self.policies };
            let exact = field.exact.is_none_or(|flag| row[flag] != ValueRef::Int(0));
            let EncodedField { codec, uses, .. } = field;
            let mut cell = CellWriter { out, policies, uses, scratch: &mut self.scratch };
            if let Err(refusal) = codec.encode(row[field.value], exact, &mut cell) {
                out.truncate(start);
                return Err(field.error(&self.table, self.rows, refusal));
            }
        }
        Ok(())
    }

    /// Appends the key's fields of the tuple of one row, with their number in front.
    ///
    /// # Errors
    ///
    /// Returns an error as [`Encoder::encode`] does.
    pub fn encode_key(&mut self, row: &[ValueRef<'_>], out: &mut Vec<u8>) -> Result<()> {
        self.append(row, self.key_count, |field| field.key, out)
    }

    /// Returns how often each policy changed a value so far, column by column.
    pub fn audit(&self) -> &LossAudit {
        self.audit.get_or_init(|| {
            let mut audit = LossAudit::default();
            for field in &self.fields {
                for (policy, count) in field.uses.entries() {
                    audit.add(&field.column, policy, count);
                }
            }
            audit
        })
    }
}

/// Returns a number of fields as a tuple begins with it.
fn field_count(count: usize) -> [u8; 2] {
    i16::try_from(count).expect("a mapping has 1,600 columns at most").to_be_bytes()
}

/// Returns the index of an expression in the list, to which it is added if it is new.
fn selected(select: &mut Vec<String>, expression: String) -> usize {
    let known = select.iter().position(|other| *other == expression);
    known.unwrap_or_else(|| {
        select.push(expression);
        select.len() - 1
    })
}

impl EncodedField {
    /// Chooses the codec of `column`, and adds the expressions to select to the list.
    fn new(column: &MappedColumn, select: &mut Vec<String>, session: ReadSession) -> EncodedField {
        let codec = ColumnCodec::of(column);
        let (expression, flag) = codec.select(&column.source, session);
        let value = selected(select, expression);
        let exact = flag.map(|flag| selected(select, flag));
        let (column, key) = (column.source.name.clone(), column.key);
        EncodedField { column, codec, value, exact, key, uses: PolicyUses::default() }
    }

    fn error(&self, table: &TableName, row: u64, refusal: ValueRefusal) -> Error {
        Error::Value {
            table: table.clone(),
            column: self.column.clone(),
            row,
            problem: refusal.problem,
            remedy: refusal.remedy.advice(table, &self.column, self.key),
        }
    }
}
