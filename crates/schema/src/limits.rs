//! PostgreSQL's limits (PostgreSQL manual, appendix K, "Limits").

/// The most columns a PostgreSQL table can have.
pub const MAX_COLUMNS: usize = 1600;

/// The most columns a PostgreSQL index can have.
pub const MAX_KEY_COLUMNS: usize = 32;

/// The longest PostgreSQL name in bytes.
pub const MAX_PG_NAME: usize = 63;
