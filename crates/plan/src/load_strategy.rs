//! The choice of a loading strategy.

use handoff_model::{LoadMode, Strategy};
use handoff_schema::TableSchema;
use handoff_settings::{StrategySelection, TableSettings};

/// The strategy chosen for a table, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyChoice {
    /// The strategy.
    pub strategy: Strategy,
    /// True if the file that it goes through stays.
    pub keep_spool: bool,
    /// The reason, as a phrase for reports.
    pub why: String,
}

/// The database where hop 2 reads a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// In a replica of our own, which nobody writes to meanwhile.
    Replica,
    /// In the application's database.
    Source,
}

/// Chooses: the table's own setting first, then the sizes of `[selection]`, as the catalogue has
/// them, largest first.
///
/// A table that is read from the source is never split: each worker and each chunk would see another
/// state of it.
pub fn choose_strategy(
    selection: &StrategySelection,
    settings: &TableSettings,
    table: &TableSchema,
    from: ReadFrom,
) -> StrategyChoice {
    let (strategy, why) = match settings.loader {
        Some(strategy) => (strategy, "set for this table".to_owned()),
        None => by_size(selection, table),
    };
    let splits = matches!(strategy, Strategy::Parallel | Strategy::Chunked);
    let (strategy, why) = if splits && from == ReadFrom::Source {
        let why = format!("{strategy} ({why}) needs a replica, which nobody writes to meanwhile");
        (Strategy::Streaming, why)
    } else {
        (strategy, why)
    };
    StrategyChoice { strategy, keep_spool: settings.keep_spool, why }
}

impl StrategyChoice {
    /// Returns what is chosen for a load of this kind. Changed rows are few, and a checkpoint of them
    /// must not be taken for one of the whole table.
    #[must_use]
    pub fn of(&self, mode: LoadMode) -> StrategyChoice {
        let splits = matches!(self.strategy, Strategy::Parallel | Strategy::Chunked);
        if mode == LoadMode::Full || !splits {
            return self.clone();
        }
        let why = format!("{} ({}) is for whole tables", self.strategy, self.why);
        StrategyChoice { strategy: Strategy::Streaming, why, ..*self }
    }
}

fn by_size(selection: &StrategySelection, table: &TableSchema) -> (Strategy, String) {
    let StrategySelection { parallel_above_rows, chunked_above_mb, streaming_above_mb, .. } =
        *selection;
    if table.rows > parallel_above_rows {
        (Strategy::Parallel, format!("above {parallel_above_rows} rows"))
    } else if is_above(table, chunked_above_mb) {
        (Strategy::Chunked, format!("above {chunked_above_mb} MB"))
    } else if streaming_above_mb == 0 {
        (Strategy::Streaming, "the default at every size".to_owned())
    } else if is_above(table, streaming_above_mb) {
        (Strategy::Streaming, format!("above {streaming_above_mb} MB"))
    } else {
        (Strategy::Standard, format!("at most {streaming_above_mb} MB"))
    }
}

fn is_above(table: &TableSchema, mb: u64) -> bool {
    table.data_bytes > mb.saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadFrom::{Replica, Source};

    #[track_caller]
    fn check(
        rows: u64,
        mb: u64,
        from: ReadFrom,
        loader: Option<Strategy>,
        expected: (Strategy, &str),
    ) {
        let selection = StrategySelection {
            parallel_above_rows: 1_000_000,
            chunked_above_mb: 200,
            streaming_above_mb: 50,
            chunk_rows: 1,
        };
        let settings = TableSettings { loader, ..TableSettings::default() };
        let table = TableSchema { rows, data_bytes: mb * 1_000_000, ..TableSchema::empty("t") };
        let selected = choose_strategy(&selection, &settings, &table, from);
        assert_eq!((selected.strategy, &*selected.why), expected);
    }

    #[test]
    fn sizes_decide_unless_the_table_does() {
        check(9, 50, Replica, None, (Strategy::Standard, "at most 50 MB"));
        check(9, 51, Replica, None, (Strategy::Streaming, "above 50 MB"));
        check(9, 201, Replica, None, (Strategy::Chunked, "above 200 MB"));
        check(1_000_000, 201, Replica, None, (Strategy::Chunked, "above 200 MB"));
        check(1_000_001, 201, Replica, None, (Strategy::Parallel, "above 1000000 rows"));
        let own = "set for this table";
        check(1_000_001, 201, Replica, Some(Strategy::CopyCsv), (Strategy::CopyCsv, own));
        check(0, 0, Source, Some(Strategy::CopyCsv), (Strategy::CopyCsv, own));
    }

    #[test]
    fn what_others_write_to_is_not_split() {
        let why = "parallel (above 1000000 rows) needs a replica, which nobody writes to meanwhile";
        check(1_000_001, 0, Source, None, (Strategy::Streaming, why));
        let why = "chunked (set for this table) needs a replica, which nobody writes to meanwhile";
        check(0, 0, Source, Some(Strategy::Chunked), (Strategy::Streaming, why));
    }

    #[test]
    fn the_default_is_one_stream_up_to_the_largest() {
        let (selection, settings) = (StrategySelection::default(), TableSettings::default());
        let table =
            TableSchema { rows: 20_000_000, data_bytes: 4 << 30, ..TableSchema::empty("t") };
        let selected = choose_strategy(&selection, &settings, &table, Replica);
        assert_eq!(selected.strategy, Strategy::Streaming);
        assert_eq!(selected.why, "the default at every size");
    }

    fn choice(strategy: Strategy) -> StrategyChoice {
        StrategyChoice { strategy, keep_spool: true, why: "above 9 rows".to_owned() }
    }

    #[test]
    fn changed_rows_are_never_split() {
        for strategy in [Strategy::Parallel, Strategy::Chunked] {
            let few = choice(strategy).of(LoadMode::Incremental);
            assert_eq!(few.strategy, Strategy::Streaming);
            assert_eq!(few.why, format!("{strategy} (above 9 rows) is for whole tables"));
            assert!(few.keep_spool);
            assert_eq!(choice(strategy).of(LoadMode::Full), choice(strategy));
        }
    }

    #[test]
    fn a_strategy_of_one_stream_is_for_any_rows() {
        for strategy in [Strategy::Standard, Strategy::Streaming, Strategy::CopyCsv] {
            assert_eq!(choice(strategy).of(LoadMode::Incremental), choice(strategy));
        }
    }

    #[test]
    fn the_file_of_a_table_is_kept_where_its_settings_say_so() {
        let settings = TableSettings { keep_spool: true, ..TableSettings::default() };
        let table = TableSchema::empty("t");
        assert!(
            choose_strategy(&StrategySelection::default(), &settings, &table, Replica).keep_spool
        );
    }

    #[test]
    fn a_limit_beyond_all_numbers_is_never_passed() {
        let selection =
            StrategySelection { chunked_above_mb: u64::MAX, ..StrategySelection::default() };
        let table = TableSchema { data_bytes: u64::MAX, ..TableSchema::empty("t") };
        let chosen = choose_strategy(&selection, &TableSettings::default(), &table, Replica);
        assert_eq!(chosen.strategy, Strategy::Streaming);
    }
}
