//! The catalogue of a MySQL database and its mapping to PostgreSQL.
//!
//! [`Catalogue::read`] describes every table in a handful of queries; [`Mapping::new`] decides,
//! from the description alone and never from data, what each column becomes; [`ddl`] spells it.

mod cache;
mod catalogue;
mod column;
pub mod ddl;
mod error;
mod fingerprint;
mod mapping;
mod mysql_type;
mod pg_type;
mod table;
mod target;

pub use cache::{CachedTable, SchemaCache};
pub use catalogue::{Catalogue, NotCarried};
pub use column::{Column, TextEncoding};
pub use error::{Error, Result};
pub use mapping::{MappedColumn, Mapping, default_type, pg_table_name};
pub use mysql_type::{MySqlType, Sign, UnknownType};
pub use pg_type::{PgType, UnknownPgType};
pub use table::{Engine, Index, IndexPart, TableSchema};
pub use target::{CopyObstacle, TargetCatalogue, TargetKind, TargetTable};

/// The most columns a PostgreSQL table can have (PostgreSQL manual, appendix K, "Limits").
pub const MAX_COLUMNS: usize = 1600;
/// The most columns a PostgreSQL index can have (the same).
pub const MAX_KEY_COLUMNS: usize = 32;
/// The longest PostgreSQL name in bytes (the same).
pub const MAX_PG_NAME: usize = 63;
