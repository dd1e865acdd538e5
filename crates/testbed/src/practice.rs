//! A dental practice's database in the shape of OpenDental's: 446 tables, 4,733 columns, 20.5
//! million rows and about 4 GB at scale 1.
//!
//! Everything follows from a seed: the same seed and scale give the same tables to the byte, on
//! every server. The rows are made inside the server, by `INSERT … SELECT` from a row of numbers, so
//! nothing is sent but the statements.
//!
//! It is realistic by the things that break careless copies: sentinels (`0001-01-01`), zero dates,
//! flags in TINYINT(1), timestamps shared by many rows, text with quotes, backslashes, emoji and
//! control characters, tables without a key or with one of two columns, names in odd cases, three
//! storage engines, and 219 tables that are always empty.

mod create;
mod day;
mod kind;
mod others;
mod spec;
mod table;
mod text;

pub use create::{Created, create};
pub use day::{Day, DayOfWork, TableDay, a_day_of_work};

/// The number of tables.
pub const TABLES: usize = 446;

/// The number of tables that are empty at every scale, and stay so.
pub const EMPTY_TABLES: usize = 219;

/// The number of columns of all tables.
pub const COLUMNS: usize = 4733;

/// Stands in some names and notes, so that a test can search logs, errors and reports for row values.
pub const PLANTED: &str = "PLANTED-";

/// The size and the seed of a practice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Practice {
    /// 1 for 20.5 million rows, 0.001 for the smallest.
    pub scale: f64,
    /// Another seed gives other values in the same tables.
    pub seed: u64,
}

impl Practice {
    /// Returns the practice of a size with the usual seed.
    pub fn at_scale(scale: f64) -> Practice {
        Practice { scale, seed: 1 }
    }

    /// Returns the name of each table and its number of rows.
    pub fn tables(&self) -> Vec<(String, u64)> {
        spec::tables()
            .into_iter()
            .map(|t| (t.rows(self.scale), t))
            .map(|(r, t)| (t.name, r))
            .collect()
    }

    /// Returns the number of rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables().iter().map(|(_, rows)| rows).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_has_the_shape_of_the_real_one() {
        let tables = Practice::at_scale(1.0).tables();
        let count = |of: &dyn Fn(u64) -> bool| tables.iter().filter(|(_, rows)| of(*rows)).count();
        assert_eq!(tables.len(), TABLES);
        assert_eq!(count(&|rows| rows == 0), EMPTY_TABLES);
        assert_eq!(count(&|rows| rows < 1000), 381);
        assert_eq!(count(&|rows| rows > 1_000_000), 4);
        assert_eq!(Practice::at_scale(1.0).rows(), 20_500_000);
        assert_eq!(spec::tables().iter().map(|t| t.columns.len()).sum::<usize>(), COLUMNS);
    }

    #[test]
    fn no_table_or_column_is_there_twice() {
        let tables = spec::tables();
        let names: BTreeSet<&str> = tables.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names.len(), TABLES);
        for table in &tables {
            let columns: BTreeSet<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(columns.len(), table.columns.len(), "{}", table.name);
        }
    }

    #[test]
    fn the_smallest_has_rows_where_the_real_one_has() {
        let tables = Practice::at_scale(0.001).tables();
        assert_eq!(tables.iter().filter(|(_, rows)| *rows == 0).count(), EMPTY_TABLES);
    }
}
