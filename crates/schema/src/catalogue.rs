//! The catalogue of a whole database.

mod assemble;
mod described;
mod facts;
mod json;
mod not_copied;
mod omitted;
mod source_catalogue;

pub use not_copied::NotCopied;
pub use source_catalogue::SourceCatalogue;

use crate::error::Result;
use facts::CatalogueFacts;
pub(crate) use facts::{ask_optional, ask_texts};
use handoff_connect::MyConn;

impl SourceCatalogue {
    /// Reads the catalogue of `database` in four statements (three from MySQL), however many tables
    /// there are. Tables of our own (`__handoff_…`, `etl_copy_status`) are left out; in a source they are
    /// among the omissions.
    ///
    /// A table that is altered meanwhile is an error of its own.
    ///
    /// # Errors
    ///
    /// Returns [`SchemaError::Catalogue`](crate::SchemaError::Catalogue) if the server refuses.
    pub fn read(conn: &mut MyConn, database: &str) -> Result<SourceCatalogue> {
        Ok(assemble::catalogue(CatalogueFacts::read(conn, database)?))
    }
}
