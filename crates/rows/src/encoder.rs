//! MySQL values to canonical bytes.

use crate::Result;
use handoff_model::Audit;
use handoff_schema::Mapping;
use handoff_settings::Values;
use mysql::Value;

/// Encodes rows of one table into COPY BINARY tuples, byte for byte as `COPY … TO STDOUT (FORMAT
/// binary)` prints them.
pub struct Encoder {}

impl Encoder {
    /// Prepares the encoding of rows that [`Encoder::select_list`] selects.
    pub fn new(_mapping: &Mapping, _values: &Values) -> Encoder {
        todo!()
    }

    /// Returns the expressions to select, quoted, in the order [`Encoder::encode`] wants them.
    /// There may be more of them than columns: a text in a character set that only the server can
    /// convert comes with a flag that says whether the conversion lost anything.
    pub fn select_list(&self) -> &[String] {
        todo!()
    }

    /// Appends the tuple of one row to `out`: field count, then length and bytes a field.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Value`](crate::Error::Value) if a value cannot be carried under the
    /// policies; `out` then holds what it held before.
    pub fn encode(&mut self, _row: &[Value], _out: &mut Vec<u8>) -> Result<()> {
        todo!()
    }

    /// Returns how often each policy changed a value so far.
    pub fn audit(&self) -> &Audit {
        todo!()
    }
}
