//! The tables that a run takes.

use crate::settings::RunSettings;
use globset::{Glob, GlobSet, GlobSetBuilder};
use handoff_model::TableName;

/// The globs of `run.include` and `run.exclude`, ready to be asked.
///
/// `*` is any text, `?` any character, `[ab]` one of some, `{x,y}` one of several. Case counts,
/// as it does in MySQL's table names.
#[derive(Debug, Clone)]
pub struct TableFilter {
    include: GlobSet,
    exclude: GlobSet,
}

impl TableFilter {
    /// Reads the globs of `run`.
    ///
    /// # Errors
    ///
    /// Returns the first glob that cannot be read. [`Settings::load`](crate::Settings::load)
    /// has found none.
    pub fn new(run: &RunSettings) -> Result<TableFilter, globset::Error> {
        Ok(TableFilter { include: set(&run.include)?, exclude: set(&run.exclude)? })
    }

    /// Returns true if a run takes `table`. Exclusion wins.
    pub fn takes(&self, table: &TableName) -> bool {
        self.include.is_match(table.as_str()) && !self.exclude.is_match(table.as_str())
    }
}

fn set(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for text in globs {
        set.add(Glob::new(text)?);
    }
    set.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusion_wins_and_case_counts() {
        let run = RunSettings {
            include: vec!["proc*".to_owned(), "patient".to_owned()],
            exclude: vec!["*_tmp".to_owned()],
            ..RunSettings::default()
        };
        let filter = TableFilter::new(&run).unwrap();
        let taken = ["procedurelog", "patient", "Patient", "proc_tmp", "proc.log/x", "claim"]
            .into_iter()
            .filter(|name| filter.takes(&TableName::new(name).unwrap()))
            .collect::<Vec<_>>();
        assert_eq!(taken, ["procedurelog", "patient", "proc.log/x"]);
    }
}
