//! The choice of the way in which a copy becomes visible.

use crate::error::{Error, Result};
use crate::job::{CopyJob, PublishMode};
use handoff_model::RowFilter;
use handoff_schema::{StorageEngine, TableSchema};

/// Tables of fewer rows are refreshed in one transaction where their engine has any.
const TRANSACTION_BELOW: u64 = 10_000;

/// Chooses the mode of a copy. Some rows of a table never become the whole of one.
///
/// # Errors
///
/// Returns [`Error::NotMergeable`] if some rows are asked for that cannot be merged.
pub(crate) fn publish_mode(job: &CopyJob<'_>) -> Result<PublishMode> {
    if *job.filter == RowFilter::All {
        return Ok(if fits_transaction(job) {
            PublishMode::InTransaction
        } else {
            PublishMode::Swap
        });
    }
    check_merge(job).map(|()| PublishMode::Merge)
}

/// Sees to it that some rows of the table can be merged.
///
/// # Errors
///
/// Returns [`Error::NotMergeable`] if they cannot.
pub(crate) fn check_merge(job: &CopyJob<'_>) -> Result<()> {
    let problem = match job.replica_table {
        None => "the replica has no such table yet",
        Some(replica) if !job.table.is_copied_in_full_as(replica) => {
            "the table of the replica has another structure"
        }
        Some(_) if job.table.key().is_none() => "it has no key by which to merge them",
        Some(_) => return Ok(()),
    };
    Err(Error::NotMergeable { table: job.table.name.clone(), problem })
}

fn is_small(table: &TableSchema) -> bool {
    table.rows < TRANSACTION_BELOW
}

fn fits_transaction(job: &CopyJob<'_>) -> bool {
    job.replica_engine() == StorageEngine::InnoDb
        && job.replica_table.is_some_and(|replica| {
            is_small(job.table) && is_small(replica) && job.table.is_copied_in_full_as(replica)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{ColumnName, CopyId, Watermark, WatermarkWindow};
    use handoff_schema::{ColumnSchema, IndexPart, IndexSchema};

    fn table(engine: StorageEngine) -> TableSchema {
        let id = ColumnSchema { nullable: false, ..ColumnSchema::of_type("id", "int").unwrap() };
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let primary = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
        let (columns, indexes) = (vec![id], vec![primary]);
        TableSchema { engine, columns, indexes, ..TableSchema::empty("t") }
    }

    fn changed() -> RowFilter {
        let column = ColumnName::new("id").unwrap();
        let bounds = vec![WatermarkWindow { column, from: Watermark::Integer(1), below: None }];
        RowFilter::Changed { bounds, nulls: Vec::new() }
    }

    #[track_caller]
    fn check(
        table: &TableSchema,
        replica: Option<&TableSchema>,
        filter: &RowFilter,
        expected: Result<PublishMode, &str>,
    ) {
        let copy_id = CopyId::new();
        let way = publish_mode(&CopyJob {
            table,
            copy_id,
            replica_table: replica,
            filter,
            canonical: None,
        });
        let way = way.map_err(|error| error.to_string());
        match (way, expected) {
            (Ok(way), Ok(expected)) => assert_eq!(way, expected),
            (Err(text), Err(part)) => assert!(text.contains(part), "{text}"),
            (way, expected) => panic!("{way:?} is not {expected:?}"),
        }
    }

    #[test]
    fn all_rows_are_swapped_in_unless_a_transaction_is_cheaper() {
        let small = table(StorageEngine::InnoDb);
        let large = TableSchema { rows: TRANSACTION_BELOW, ..small.clone() };
        let isam = table(StorageEngine::MyIsam);
        check(&small, None, &RowFilter::All, Ok(PublishMode::Swap));
        check(&small, Some(&small), &RowFilter::All, Ok(PublishMode::InTransaction));
        check(&large, Some(&small), &RowFilter::All, Ok(PublishMode::Swap));
        check(&small, Some(&large), &RowFilter::All, Ok(PublishMode::Swap));
        check(&isam, Some(&isam), &RowFilter::All, Ok(PublishMode::Swap));
        check(&small, Some(&isam), &RowFilter::All, Ok(PublishMode::Swap));
    }

    #[test]
    fn generated_columns_are_plain_in_the_replica_or_copied_anew() {
        let mut table = table(StorageEngine::MyIsam);
        table.columns.push(ColumnSchema {
            generated: true,
            expression: Some("`id` + 1".to_owned()),
            ..ColumnSchema::of_type("g", "int").unwrap()
        });
        check(&table, Some(&table.in_replica()), &changed(), Ok(PublishMode::Merge));
        check(&table, Some(&table), &changed(), Err("another structure"));
    }

    #[test]
    fn a_table_of_another_engine_is_an_innodb_table_in_the_replica() {
        let memory = table(StorageEngine::Other("MEMORY".to_owned()));
        check(&memory, Some(&memory), &RowFilter::All, Ok(PublishMode::Swap));
        check(&memory, Some(&memory), &changed(), Err("another structure"));
        check(
            &memory,
            Some(&table(StorageEngine::InnoDb)),
            &RowFilter::All,
            Ok(PublishMode::InTransaction),
        );
        check(&memory, Some(&table(StorageEngine::InnoDb)), &changed(), Ok(PublishMode::Merge));
    }

    #[test]
    fn some_rows_are_merged_or_refused() {
        let isam = table(StorageEngine::MyIsam);
        check(&isam, Some(&isam), &changed(), Ok(PublishMode::Merge));
        check(&isam, None, &changed(), Err("the replica has no such table yet"));
        let other = TableSchema { columns: Vec::new(), indexes: Vec::new(), ..isam.clone() };
        check(&isam, Some(&other), &changed(), Err("another structure"));
        check(&isam, Some(&table(StorageEngine::Aria)), &changed(), Err("another structure"));
        let versioned = TableSchema { system_versioned: true, ..isam.clone() };
        check(&versioned, Some(&isam), &changed(), Ok(PublishMode::Merge));
        check(&isam, Some(&versioned), &changed(), Err("another structure"));
        let keyless = TableSchema { indexes: Vec::new(), ..isam };
        check(&keyless, Some(&keyless), &changed(), Err("it has no key"));
    }
}
