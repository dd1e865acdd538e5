//! The catalogue of a MySQL database and its mapping to PostgreSQL.
//!
//! [`Catalogue::read`] describes every table in a handful of queries; [`Mapping::new`] decides,
//! from the description alone and never from data, what each column becomes; [`ddl`] spells it.

mod catalogue;
pub mod ddl;
mod error;
mod mapping;
mod mysql_type;
mod pg_type;
mod table;

pub use catalogue::{Catalogue, NotCarried};
pub use error::{Error, Result};
pub use mapping::{MappedColumn, Mapping};
pub use mysql_type::{MySqlType, Sign};
pub use pg_type::PgType;
pub use table::{Column, Engine, Index, IndexPart, TableSchema};
