//! Loading a kept file again.

use crate::error::{Error, Result};
use crate::loaded_rows::LoadedRows;
use crate::spool::KeptSpool;
use crate::strategy::load_input::LoadInput;
use crate::strategy::load_strategy::LoadStrategy;
use handoff_model::TableName;
use std::path::PathBuf;

/// Loads the file that [`CopyCsv`](super::CopyCsv) kept, in the place of the source's rows: for a
/// load in full.
///
/// The name of the file says the number of its rows and their sum; the landed rows are read
/// back and must have that sum, whatever became of the file meanwhile. The source is not read, so
/// nothing is known of values that were changed on the way into the file, and the bytes told are
/// the file's.
#[derive(Debug, Clone)]
pub struct SpoolReplay {
    /// The file, under the name that it was kept under.
    pub file: PathBuf,
}

impl LoadStrategy for SpoolReplay {
    fn name(&self) -> &'static str {
        "copy_csv"
    }

    fn load(&self, moving: LoadInput<'_, '_>) -> Result<LoadedRows> {
        let LoadInput { source, landing, meter } = moving;
        let mut kept = KeptSpool::open(&self.file, source.mapping)?;
        let mut copy = landing.copy_csv()?;
        let bytes = kept.send(&mut copy, source.cancel)?;
        copy.finish(kept.sum.rows).map_err(|error| self.explain(error))?;
        meter.add(kept.sum.rows, bytes);
        if landing.sum()? != kept.sum {
            let problem = "its rows do not have the sum in its name, so it was changed since, or \
                           the table was altered";
            return Err(self.refuse(&source.mapping.table, problem.to_owned()));
        }
        let notes = vec![format!("loaded from the file {}", self.file.display())];
        Ok(LoadedRows { rows: kept.sum.rows, bytes, sum: kept.sum, notes, ..LoadedRows::default() })
    }
}

impl SpoolReplay {
    /// Explains lines that the server refuses, or counts otherwise, as a defect of the file.
    fn explain(&self, error: Error) -> Error {
        match error {
            Error::Miscount { table, sent, landed, .. } => {
                let problem = format!(
                    "it holds {landed} rows, and {sent} by its name, so it was cut short or changed"
                );
                self.refuse(&table, problem)
            }
            Error::Write { table, fault, .. } if fault.code().is_some_and(is_of_data) => {
                let problem = format!(
                    "its lines are no rows of the table, so it was cut short or changed, or the \
                     table was altered ({fault})"
                );
                self.refuse(&table, problem)
            }
            error => error,
        }
    }

    fn refuse(&self, table: &TableName, problem: String) -> Error {
        Error::NotThisSpool { table: table.clone(), path: self.file.clone(), problem }
    }
}

/// Returns true for a SQLSTATE of the class "data exception".
fn is_of_data(code: &str) -> bool {
    code.starts_with("22")
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_connect::{Fault, Side};

    #[test]
    fn a_file_with_other_rows_than_its_name_says_is_refused() {
        let replay = SpoolReplay { file: "/tmp/t.3-0.csv".into() };
        let table = TableName::new("t").unwrap();
        let (place, sent, landed) = ("after the copy", 3, 2);
        let error = Error::Miscount { table: table.clone(), sent, landed, place };
        let text = replay.explain(error).to_string();
        assert!(text.contains("it holds 2 rows, and 3 by its name"), "{text}");
        let fault = Fault::new(Side::Target, "gone");
        let kept = replay.explain(Error::Write { table, rows: 0, fault });
        assert!(matches!(kept, Error::Write { .. }), "{kept}");
    }

    #[test]
    fn data_exceptions_alone_are_of_the_file() {
        assert!(is_of_data("22P04") && !is_of_data("57014") && !is_of_data("42P01"));
    }
}
