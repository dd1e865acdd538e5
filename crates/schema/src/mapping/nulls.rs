//! The columns that may be NULL.

use crate::mapping::mapped_column::MappedColumn;
use crate::pg_type::PgType;
use handoff_settings::{BadJson, ValuePolicies, ZeroDates};

/// Drops NOT NULL where a policy can make a NULL, and says so. Key columns keep it, since no policy
/// applies to them.
pub(super) fn widen(columns: &mut [MappedColumn], values: &ValuePolicies, notes: &mut Vec<String>) {
    if values.zero_dates == ZeroDates::Null {
        drop_not_null(columns, is_date, "zero_dates", notes);
    }
    if values.bad_json == BadJson::Null {
        drop_not_null(columns, |pg| *pg == PgType::Jsonb, "bad_json", notes);
    }
}

fn is_date(pg: &PgType) -> bool {
    matches!(pg, PgType::Date | PgType::Timestamp(_) | PgType::TimestampTz(_))
}

fn drop_not_null(
    columns: &mut [MappedColumn],
    applies: impl Fn(&PgType) -> bool,
    policy: &str,
    notes: &mut Vec<String>,
) {
    let mut dropped = Vec::new();
    for column in columns.iter_mut().filter(|c| !c.key && !c.nullable && applies(&c.pg)) {
        column.nullable = true;
        dropped.push(format!("`{}`", column.source.name));
    }
    if !dropped.is_empty() {
        let are = if dropped.len() == 1 { "is" } else { "are" };
        let list = dropped.join(", ");
        notes.push(format!(
            "{list} {are} NOT NULL in the source and may be NULL in the target, because \
             {policy} = \"null\""
        ));
    }
}
