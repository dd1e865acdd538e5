//! The names of Handoff's own objects in the databases that it writes to.

/// The table of copies, in the replica or else in the target.
pub const COPY_STATUS: &str = "etl_copy_status";
/// The table of loads, in the target.
pub const LOAD_STATUS: &str = "etl_load_status";
/// The table of the objects that were made in the target, in the target.
pub const OBJECTS: &str = "etl_objects";
/// The table of runs, in the target.
pub const RUNS: &str = "etl_runs";
/// The table of changes to the structure of tables, in the target.
pub const SCHEMA_CHANGES: &str = "etl_schema_changes";

/// The comment on objects of ours that act on rows, by which they are known.
pub const MADE_BY: &str = "made by Handoff";

/// The prefix of the tables that a copy or a load makes for its own use, and drops.
pub const PREFIX: &str = "__handoff_";

/// The column that a replica's table of a keyless table has, where its server demands a primary key.
pub const ROW_NUMBER: &str = "__handoff_row";

/// Returns true for the name of one of our tables, however its letters are cased. No table of a
/// source with such a name can be carried.
pub fn is_own_table(name: &str) -> bool {
    [COPY_STATUS, LOAD_STATUS, RUNS, OBJECTS, SCHEMA_CHANGES]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name))
}

/// Returns the name of the lock that a run holds on a replica.
pub fn replica_lock(database: &str) -> String {
    format!("handoff:{database}")
}

/// Returns the name of the lock that a run holds on a target.
pub fn target_lock(database: &str, schema: &str) -> String {
    format!("handoff:{database}:{schema}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_tables_are_known_by_their_names() {
        assert!(is_own_table("etl_copy_status") && is_own_table("ETL_Runs"));
        assert!(is_own_table("etl_schema_changes"));
        assert!(!is_own_table("etl_runs2"));
    }
}
