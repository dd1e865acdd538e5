//! A column and what it becomes.

use crate::column::ColumnSchema;
use crate::mysql_type::MySqlType;
use crate::pg_type::PgType;

/// One column and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedColumn {
    /// The source column.
    pub source: ColumnSchema,
    /// Its PostgreSQL type.
    pub pg: PgType,
    /// Its PostgreSQL name: the source's, or shortened with a stable hash over 63 bytes.
    pub pg_name: String,
    /// True if the PostgreSQL column may be NULL: as the source, or wider where a policy of
    /// `[values]` can make a NULL.
    pub nullable: bool,
    /// True if the column belongs to the key; no policy ever applies to a key.
    pub key: bool,
}

impl MappedColumn {
    /// Returns the column in a type that makes no two values one.
    pub(super) fn exact(&self) -> MappedColumn {
        let pg = match self.source.kind {
            _ if self.key => self.pg.clone(),
            MySqlType::Char | MySqlType::VarChar | MySqlType::Text | MySqlType::Json => {
                PgType::Bytea
            }
            MySqlType::Date | MySqlType::DateTime(_) | MySqlType::Timestamp(_) => PgType::Text,
            _ => self.pg.clone(),
        };
        MappedColumn { pg, ..self.clone() }
    }
}
