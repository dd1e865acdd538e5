//! The obstacles to a table's place in the replica.

use crate::error::PlanError;
use handoff_connect::quote_my;
use handoff_model::TableName;
use handoff_schema::SourceCatalogue;
use std::collections::BTreeSet;

/// Sees to it that a table can have its place in the replica. Nothing there is renamed, written or
/// dropped that may be more than rows of its own: a table of an older version of Handoff may write to
/// another server.
///
/// # Errors
///
/// Returns what stands in the way, and what to do.
pub fn check_place(
    replica: &SourceCatalogue,
    database: &str,
    table: &TableName,
    wanted: &BTreeSet<TableName>,
) -> Result<(), PlanError> {
    if let Some(other) = replica.same_name(table, wanted.iter()) {
        return Err(PlanError::SameName { table: table.clone(), other: other.clone() });
    }
    let (what, kind) = if let Some(there) = replica.not_carried_as(table) {
        (there.kind.clone(), if there.is_table() { "TABLE" } else { there.kind.as_str() })
    } else if let Some(Err(error)) = replica.tables.get(table) {
        (format!("table that cannot be used ({error})"), "TABLE")
    } else {
        return Ok(());
    };
    let place = format!("{}.{}", quote_my(database), quote_my(table.as_str()));
    let statement = format!("DROP {kind} {place}");
    Err(PlanError::InTheWay { table: table.clone(), what, statement })
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{NotCopied, SchemaError, TableSchema};

    fn name(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    fn replica() -> SourceCatalogue {
        let federated = "table of the engine FEDERATED (its rows are another server's)";
        let not_carried = [("v", "VIEW"), ("f", federated)];
        let not_carried = not_carried
            .map(|(name, kind)| NotCopied { name: name.to_owned(), kind: kind.to_owned() });
        let broken = SchemaError::Undescribed { table: name("b"), reason: "a reason".to_owned() };
        let table = TableSchema::empty("t");
        let tables = [(name("t"), Ok(table)), (name("b"), Err(broken))].into();
        SourceCatalogue { tables, not_carried: not_carried.into(), ..SourceCatalogue::empty() }
    }

    #[track_caller]
    fn check(table: &str, expected: Option<&str>) {
        let done = check_place(&replica(), "r", &name(table), &BTreeSet::new());
        assert_eq!(done.err().map(|error| error.to_string()).as_deref(), expected);
    }

    #[test]
    fn what_is_no_table_of_rows_is_left_alone() {
        check("t", None);
        check("new", None);
        check(
            "v",
            Some(
                "the replica has a VIEW called `v`, which is not touched: once nobody needs it there, \
                 DROP VIEW `r`.`v`",
            ),
        );
        check(
            "f",
            Some(
                "the replica has a table of the engine FEDERATED (its rows are another server's) \
                 called `f`, which is not touched: once nobody needs it there, DROP TABLE `r`.`f`",
            ),
        );
        let broken = check_place(&replica(), "r", &name("b"), &BTreeSet::new());
        let text = broken.unwrap_err().to_string();
        assert!(text.contains("a reason") && text.ends_with("DROP TABLE `r`.`b`"), "{text}");
    }

    #[test]
    fn two_tables_that_are_one_to_the_replica_are_both_refused() {
        let wanted = [name("T"), name("t"), name("u")].into();
        let check = |folds_case, table: &str| {
            let replica = SourceCatalogue { folds_case, ..SourceCatalogue::empty() };
            check_place(&replica, "r", &name(table), &wanted).err().map(|e| e.to_string())
        };
        let refused = "`t` and `T` are one table to the replica's server (lower_case_table_names): leave \
                       one of them out with `exclude`, or leave out [replica]";
        assert_eq!(check(true, "t").as_deref(), Some(refused));
        assert!(check(true, "T").is_some() && check(true, "u").is_none());
        assert!(check(false, "t").is_none());
    }
}
