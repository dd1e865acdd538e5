//! The rehearsal of a repair, which mends nothing.

use crate::report::{RepairStatus, RepairTable, RepairWay, VerifyStatus, VerifyTable};
use crate::table::{DeleteLimit, TableDifference};
use handoff_connect::Side;
use handoff_model::chain;
use handoff_rows::has_key_values;
use handoff_schema::TableMapping;

/// Decides in which way a table is mended.
pub(super) fn way_of(found: &TableDifference, mapping: &TableMapping) -> RepairWay {
    if has_key_values(mapping) && found.is_listed(Side::Target) {
        RepairWay::Rows
    } else {
        RepairWay::FullCopy
    }
}

/// Foresees the repair of a table that was compared.
pub(super) fn rehearsed(mut found: VerifyTable, limit: &DeleteLimit) -> RepairTable {
    let compared = found.comparison.take().map(TableDifference).zip(found.mapping.take());
    let refused = compared.as_ref().and_then(|(found, mapping)| limit.check(found, mapping).err());
    let status = match found.status {
        VerifyStatus::Equal => RepairStatus::Equal,
        VerifyStatus::Cancelled => RepairStatus::Cancelled,
        VerifyStatus::NotStarted => RepairStatus::NotStarted,
        VerifyStatus::Failed => RepairStatus::Failed,
        VerifyStatus::Differs | VerifyStatus::Moving if refused.is_some() => RepairStatus::Failed,
        VerifyStatus::Differs | VerifyStatus::Moving => RepairStatus::ToRepair,
    };
    let way = compared.filter(|_| status == RepairStatus::ToRepair);
    RepairTable {
        table: found.table,
        status,
        way: way.map(|(found, mapping)| way_of(&found, &mapping)),
        before: found.pairs,
        after: Vec::new(),
        copy: None,
        load: None,
        notes: found.notes,
        error: found.error.or(refused.map(|refused| chain(&refused))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::plans::{ALL, comparison, full_plan, name};
    use crate::table::{DeleteLimits, GuardedCommand};
    use handoff_verify::DifferenceKind;

    fn limit() -> DeleteLimit {
        let command = GuardedCommand::Repair;
        DeleteLimits { asked: None, configured: 20, command }.of_table(None)
    }

    /// A table that was compared, with so many rows that are gone from the source.
    fn compared(status: VerifyStatus, gone: i32) -> VerifyTable {
        let gone: Vec<_> = (0..gone).map(|key| (DifferenceKind::Phantom, key)).collect();
        VerifyTable {
            comparison: Some(comparison(&ALL, 100, &gone).0),
            mapping: Some(full_plan().mapping),
            ..VerifyTable::of_status(name(), status)
        }
    }

    #[test]
    fn a_table_that_differs_is_to_be_mended_by_its_rows() {
        let table = rehearsed(compared(VerifyStatus::Differs, 3), &limit());
        assert_eq!((table.status, table.way), (RepairStatus::ToRepair, Some(RepairWay::Rows)));
        let table = rehearsed(compared(VerifyStatus::Moving, 0), &limit());
        assert_eq!(table.status, RepairStatus::ToRepair);
    }

    #[test]
    fn rows_that_are_not_listed_are_to_be_mended_by_a_full_copy() {
        let mut found = compared(VerifyStatus::Differs, 3);
        found.comparison.as_mut().unwrap().pairs[1].stale = 9;
        let table = rehearsed(found, &limit());
        assert_eq!(table.way, Some(RepairWay::FullCopy));
    }

    #[test]
    fn a_table_that_would_lose_too_much_fails() {
        let table = rehearsed(compared(VerifyStatus::Differs, 30), &limit());
        assert_eq!((table.status, table.way), (RepairStatus::Failed, None));
        assert!(table.error.unwrap().contains("max_delete_percent"));
    }

    #[test]
    fn what_was_not_compared_keeps_its_status() {
        for (status, expected) in [
            (VerifyStatus::Equal, RepairStatus::Equal),
            (VerifyStatus::Failed, RepairStatus::Failed),
            (VerifyStatus::Cancelled, RepairStatus::Cancelled),
            (VerifyStatus::NotStarted, RepairStatus::NotStarted),
        ] {
            let table = rehearsed(VerifyTable::of_status(name(), status), &limit());
            assert_eq!((table.status, table.way), (expected, None));
        }
    }
}
