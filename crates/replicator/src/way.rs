//! Which way a copy becomes visible.

use crate::definition::{TokenKind, tokens};
use crate::{CopyJob, Error, Result, Way};
use handoff_model::RowFilter;
use handoff_schema::{Column, Engine, TableSchema};

/// Tables of fewer rows are refreshed in one transaction where their engine has any.
const TRANSACTION_BELOW: u64 = 10_000;

/// Decides it. Some rows of a table never become the whole of one.
///
/// # Errors
///
/// Returns [`Error::NotMergeable`] if some rows are asked for that cannot be merged.
pub(crate) fn way(job: &CopyJob<'_>) -> Result<Way> {
    if *job.filter == RowFilter::All {
        return Ok(if fits_transaction(job) { Way::Transaction } else { Way::Swap });
    }
    check_merge(job).map(|()| Way::Merge)
}

/// Sees to it that some rows of the table can be merged.
///
/// # Errors
///
/// Returns [`Error::NotMergeable`] if they cannot.
pub(crate) fn check_merge(job: &CopyJob<'_>) -> Result<()> {
    let problem = match job.replica_table {
        None => "the replica has no such table yet",
        Some(replica) if !same_structure(job.table, replica) => {
            "the table of the replica has another structure"
        }
        Some(_) if job.table.key().is_none() => "it has no key by which to merge them",
        Some(_) => return Ok(()),
    };
    Err(Error::NotMergeable { table: job.table.name.clone(), problem })
}

fn fits_transaction(job: &CopyJob<'_>) -> bool {
    let small =
        |table: &TableSchema| table.engine == Engine::InnoDb && table.rows < TRANSACTION_BELOW;
    job.replica_table.is_some_and(|replica| {
        small(job.table) && small(replica) && same_structure(job.table, replica)
    })
}

fn same_structure(a: &TableSchema, b: &TableSchema) -> bool {
    a.engine == b.engine
        && same_columns(&a.columns, &b.columns)
        && a.indexes == b.indexes
        && a.partitioned == b.partitioned
        && !a.system_versioned
        && !b.system_versioned
}

fn same_columns(a: &[Column], b: &[Column]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let same = |a: &str, b: &str| expression(a) == expression(b);
            let expressions = match (&a.expression, &b.expression) {
                (Some(a), Some(b)) => same(a, b),
                (a, b) => a == b,
            };
            expressions && *a == Column { expression: a.expression.clone(), ..b.clone() }
        })
}

/// Cuts an expression into pieces, without the character sets of its texts: MySQL writes another
/// one (`_latin1'!'` for `_utf8mb4'!'`) when it reads back what it wrote.
fn expression(text: &str) -> Vec<String> {
    let text = text.replace("\\'", "'");
    let tokens = tokens(&text);
    let is_charset = |at: usize| {
        tokens[at].kind == TokenKind::Word
            && tokens[at].text.starts_with('_')
            && tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::Text)
    };
    let kept = (0..tokens.len()).filter(|&at| !is_charset(at));
    kept.map(|at| tokens[at].text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{Bound, ColumnName, CopyId, Watermark};
    use handoff_schema::{Index, IndexPart};

    fn table(engine: Engine) -> TableSchema {
        let id = Column { nullable: false, ..Column::of_type("id", "int").unwrap() };
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let primary = Index { name: "PRIMARY".to_owned(), unique: true, parts };
        let (columns, indexes) = (vec![id], vec![primary]);
        TableSchema { engine, columns, indexes, ..TableSchema::empty("t") }
    }

    fn changed() -> RowFilter {
        let column = ColumnName::new("id").unwrap();
        let bounds = vec![Bound { column, from: Watermark::Integer(1), below: None }];
        RowFilter::Changed { bounds, nulls: Vec::new() }
    }

    #[track_caller]
    fn check(
        table: &TableSchema,
        replica: Option<&TableSchema>,
        filter: &RowFilter,
        expected: Result<Way, &str>,
    ) {
        let copy_id = CopyId::new();
        let way = way(&CopyJob { table, copy_id, replica_table: replica, filter, canonical: None });
        let way = way.map_err(|error| error.to_string());
        match (way, expected) {
            (Ok(way), Ok(expected)) => assert_eq!(way, expected),
            (Err(text), Err(part)) => assert!(text.contains(part), "{text}"),
            (way, expected) => panic!("{way:?} is not {expected:?}"),
        }
    }

    #[test]
    fn all_rows_are_swapped_in_unless_a_transaction_is_cheaper() {
        let small = table(Engine::InnoDb);
        let large = TableSchema { rows: TRANSACTION_BELOW, ..small.clone() };
        let isam = table(Engine::MyIsam);
        check(&small, None, &RowFilter::All, Ok(Way::Swap));
        check(&small, Some(&small), &RowFilter::All, Ok(Way::Transaction));
        check(&large, Some(&small), &RowFilter::All, Ok(Way::Swap));
        check(&small, Some(&large), &RowFilter::All, Ok(Way::Swap));
        check(&isam, Some(&isam), &RowFilter::All, Ok(Way::Swap));
        check(&small, Some(&isam), &RowFilter::All, Ok(Way::Swap));
    }

    #[test]
    fn an_expression_that_mysql_wrote_anew_is_the_same() {
        let generated = |expression: &str| {
            let mut table = table(Engine::MyIsam);
            table.columns.push(Column {
                generated: true,
                expression: Some(expression.to_owned()),
                ..Column::of_type("g", "text").unwrap()
            });
            table
        };
        let table = generated(r"concat(`la`,_utf8mb4\'!\')");
        check(&table, Some(&generated(r"concat(`la`,_latin1\'!\')")), &changed(), Ok(Way::Merge));
        for other in [r"concat(`la`,_utf8mb4\'?\')", r"concat(`lb`,_utf8mb4\'!\')"] {
            check(&table, Some(&generated(other)), &changed(), Err("another structure"));
        }
    }

    #[test]
    fn some_rows_are_merged_or_refused() {
        let isam = table(Engine::MyIsam);
        check(&isam, Some(&isam), &changed(), Ok(Way::Merge));
        check(&isam, None, &changed(), Err("the replica has no such table yet"));
        let other = TableSchema { columns: Vec::new(), indexes: Vec::new(), ..isam.clone() };
        check(&isam, Some(&other), &changed(), Err("another structure"));
        check(&isam, Some(&table(Engine::Aria)), &changed(), Err("another structure"));
        let versioned = TableSchema { system_versioned: true, ..isam.clone() };
        check(&versioned, Some(&isam), &changed(), Err("another structure"));
        let keyless = TableSchema { indexes: Vec::new(), ..isam };
        check(&keyless, Some(&keyless), &changed(), Err("it has no key"));
    }
}
