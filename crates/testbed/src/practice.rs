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
mod figures;
mod kind;
mod others;
mod size;
mod spec;
mod table;
mod text;

pub use create::{Created, create};
pub use day::{Day, DayOfWork, TableDay, a_day_of_work};
pub use figures::{COLUMNS, EMPTY_TABLES, PLANTED, TABLES};
pub use size::Practice;
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
