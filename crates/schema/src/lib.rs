//! The catalogue of a MySQL database and its mapping to PostgreSQL.
//!
//! [`SourceCatalogue::read`] describes every table in a handful of queries; [`TableMapping::new`] decides,
//! from the description alone and never from data, what each column becomes ([`default_type`] has the
//! table); [`ddl`] spells it and compares it with what [`TargetCatalogue::read`] found.
//! [`SchemaCache`] keeps the outcome for all threads of a run.
//!
//! A table that cannot be described or mapped is an error of its own, and the others go on. Nothing
//! here writes to any server.
//!
//! ```
//! use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableMapping, TableSchema, ddl};
//! use handoff_settings::{TableSettings, ValuePolicies};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let id = ColumnSchema { nullable: false, ..ColumnSchema::of_type("PatNum", "bigint(20) unsigned")? };
//! let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
//! let patient = TableSchema {
//!     columns: vec![id, ColumnSchema::of_type("LName", "varchar(100)")?],
//!     indexes: vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }],
//!     ..TableSchema::empty("patient")
//! };
//! let mapping = TableMapping::new(&patient, &TableSettings::default(), &ValuePolicies::default())?;
//! assert_eq!(mapping.columns[0].pg.to_string(), "numeric(20,0)");
//! assert_eq!(
//!     ddl::add_key(&mapping, "raw", "patient").as_deref(),
//!     Some(r#"ALTER TABLE "raw"."patient" ADD PRIMARY KEY ("PatNum")"#)
//! );
//! # Ok(())
//! # }
//! ```

#![warn(unreachable_pub)]

mod cache;
mod catalogue;
mod column;
pub mod ddl;
mod error;
mod fingerprint;
mod limits;
mod mapping;
mod mysql_type;
mod objects;
mod omission;
mod pg_type;
mod plain;
mod rest;
mod stable_hash;
mod table;
mod target;
mod unchanged;

pub use cache::{CachedTable, SchemaCache};
pub use catalogue::{NotCopied, SourceCatalogue};
pub use column::{ColumnSchema, TextEncoding};
pub use error::{Result, SchemaError};
pub use limits::{MAX_COLUMNS, MAX_KEY_COLUMNS, MAX_PG_NAME};
pub use mapping::{MappedColumn, TableMapping, default_type, pg_table_name, short_name};
pub use mysql_type::{IntegerSign, MySqlType, UnknownType};
pub use objects::{
    ColumnDefault, ColumnObjects, IndexMethod, IndexObjects, ReferringObjects, SourceCheck,
    SourceForeignKey, TableObjects,
};
pub use omission::{OmissionKind, OmittedPart};
pub use pg_type::{PgType, UnknownPgType};
pub use rest::UntranslatedPart;
pub use stable_hash::StableHash;
pub use table::{IndexPart, IndexSchema, StorageEngine, TableFiles, TableSchema};
pub use target::{
    ActingKey, LooseColumn, NameHolder, TargetCatalogue, TargetKind, TargetMisfit, TargetObstacle,
    TargetTable,
};
