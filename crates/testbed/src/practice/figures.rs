//! The figures of a practice that hold at every scale.

/// The number of tables.
pub const TABLES: usize = 446;

/// The number of tables that are empty at every scale, and stay so.
pub const EMPTY_TABLES: usize = 219;

/// The number of columns of all tables.
pub const COLUMNS: usize = 4733;

/// Stands in some names and notes, so that a test can search logs, errors and reports for row values.
pub const PLANTED: &str = "PLANTED-";
