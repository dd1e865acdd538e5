//! Names of the target schema that belong to something else than a table.

use crate::ddl;
use crate::mapping::names::shortened;
use handoff_connect::{PgConn, Result, quote_pg};
use postgres::types::Type;
use std::collections::{BTreeMap, BTreeSet};

/// Something else than a table, a view or a foreign table that bears a name which a table may want: relations and
/// types have one space of names each, and a table needs its name in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameHolder {
    /// Its kind, as in `ALTER … RENAME`.
    pub kind: &'static str,
    /// A name that is free.
    pub spare_name: String,
}

impl NameHolder {
    /// Spells the statement that gives it another name.
    pub fn rename(&self, schema: &str, name: &str) -> String {
        let spare = quote_pg(self.spare_name.as_str());
        format!("ALTER {} {} RENAME TO {spare}", self.kind, ddl::qualified(schema, name))
    }

    /// Returns its kind for a sentence.
    pub fn kind_in_words(&self) -> String {
        let article = if self.kind == "INDEX" { "an" } else { "a" };
        format!("{article} {}", self.kind.to_lowercase())
    }
}

/// The type that is made with a table or a multirange moves out of the way by itself, or has its table's name.
const HOLDERS: &str = "\
    SELECT c.relname::text, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = $1 AND c.relkind NOT IN ('r', 'p', 'v', 'm', 'f') \
    UNION ALL \
    SELECT t.typname::text, t.typtype::text || 't' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
    WHERE n.nspname = $1 AND t.typrelid = 0 AND t.typisdefined \
        AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)";

/// Reads what bears a name in the schema beside tables, with its kind.
pub(super) fn read(conn: &mut PgConn, schema: &str) -> Result<BTreeMap<String, &'static str>> {
    let rows = conn.query_typed(HOLDERS, &[(&schema, Type::TEXT)]);
    let named = rows.and_then(|rows| {
        rows.iter().map(|row| Ok((row.try_get(0)?, kind(row.try_get(1)?)))).collect()
    });
    named.map_err(|error| conn.fault(&error))
}

fn kind(code: &str) -> &'static str {
    match code {
        "i" | "I" => "INDEX",
        "S" => "SEQUENCE",
        "dt" => "DOMAIN",
        _ => "TYPE",
    }
}

/// Finds a name for something that has to leave its own.
pub(super) fn spare(name: &str, taken: &BTreeSet<&str>) -> String {
    let numbers = (1..).map(|number: u32| match number {
        1 => format!("{name}_before_handoff"),
        _ => format!("{name}_before_handoff{number}"),
    });
    let mut names = numbers.map(|name| shortened(&name, ""));
    names.find(|name| !taken.contains(name.as_str())).expect("numbers never end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spare_name_is_free_and_short_enough() {
        let taken = ["t_before_handoff", "t_before_handoff2"].into();
        assert_eq!(spare("t", &taken), "t_before_handoff3");
        assert!(spare(&"x".repeat(63), &taken).len() <= 63);
    }

    #[test]
    fn what_has_a_name_gets_another() {
        let holder = NameHolder { kind: "INDEX", spare_name: "b".to_owned() };
        assert_eq!(holder.rename("raw", "a\"a"), "ALTER INDEX \"raw\".\"a\"\"a\" RENAME TO \"b\"");
        assert_eq!(holder.kind_in_words(), "an index");
    }
}
