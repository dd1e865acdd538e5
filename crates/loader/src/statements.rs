//! The statements of a load, as text.

use handoff_connect::{quote_pg, quote_pg_text};
use handoff_model::own::PREFIX;
use handoff_model::{CopyId, TableName};
use handoff_schema::TableMapping;
use handoff_schema::ddl::{self, Persistence};

/// The part of a checkpoint's name between the prefix and the id.
pub(crate) const AT: &str = "at_";

/// The names of one load, quoted once, and the statements made of them. No value is ever part of
/// one.
pub(crate) struct LoadStatements {
    table: TableName,
    schema: String,
    own_name: String,
    checkpoint_name: String,
    target: String,
    rows: String,
    key_name: Option<String>,
    columns: Vec<String>,
    key: Vec<String>,
}

/// The age of a table that rows are copied into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableAge {
    /// Made in this transaction. `FREEZE` then writes the rows as a later VACUUM would leave them: it saves the
    /// rewrite, and the first readers set no hint bits (PostgreSQL manual, COPY).
    New,
    /// Maybe older.
    Any,
}

impl TableAge {
    fn option(self) -> &'static str {
        match self {
            TableAge::New => ", FREEZE",
            TableAge::Any => "",
        }
    }
}

impl LoadStatements {
    /// Makes the names of one attempt; its own tables are named after `id`.
    pub(crate) fn new(schema: &str, mapping: &TableMapping, id: CopyId) -> LoadStatements {
        let columns: Vec<_> =
            mapping.columns.iter().map(|column| quote_pg(column.pg_name.as_str())).collect();
        LoadStatements {
            table: mapping.table.clone(),
            schema: schema.to_owned(),
            own_name: format!("{PREFIX}{id}"),
            checkpoint_name: format!("{PREFIX}{AT}{id}"),
            target: ddl::qualified(schema, &mapping.pg_table),
            rows: ddl::only(schema, &mapping.pg_table),
            key_name: None,
            key: mapping.key.iter().map(|&index| columns[index].clone()).collect(),
            columns,
        }
    }

    /// Gives the key of a table that is made this name.
    pub(crate) fn key_name(self, key_name: Option<String>) -> LoadStatements {
        LoadStatements { key_name, ..self }
    }

    pub(crate) fn table(&self) -> TableName {
        self.table.clone()
    }

    /// The schema of the target.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// The published table, quoted, with its schema.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The rows of the published table and of no table that inherits from it, as SELECT, DELETE, UPDATE and LOCK
    /// take them.
    pub(crate) fn rows(&self) -> &str {
        &self.rows
    }

    /// The number of columns.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Our own table of this attempt, quoted, in the target's schema.
    pub(crate) fn own(&self) -> String {
        format!("{}.{}", quote_pg(self.schema.as_str()), quote_pg(self.own_name.as_str()))
    }

    /// The table that says how far the load has come, quoted, in the target's schema.
    pub(crate) fn checkpoint(&self) -> String {
        format!("{}.{}", quote_pg(self.schema.as_str()), quote_pg(self.checkpoint_name.as_str()))
    }

    /// Our own table of this attempt as a temporary one, quoted.
    pub(crate) fn own_temporary(&self) -> String {
        format!("pg_temp.{}", quote_pg(self.own_name.as_str()))
    }

    /// Makes the published table itself, without its key.
    pub(crate) fn create_target(&self, mapping: &TableMapping) -> String {
        ddl::create_table(mapping, &self.schema, &mapping.pg_table, Persistence::Logged)
    }

    /// Makes a table that is to become the published one.
    pub(crate) fn create_build(&self, mapping: &TableMapping) -> String {
        ddl::create_table(mapping, &self.schema, &self.own_name, Persistence::Logged)
    }

    /// Makes a staging table with exactly those columns of the target that are written, their types and collations.
    pub(crate) fn create_staging(&self) -> String {
        format!("CREATE UNLOGGED TABLE {} AS {}", self.own(), self.no_rows())
    }

    /// Selects no row of the published table. A column that the source does not have takes no part: staging has no
    /// value for it.
    fn no_rows(&self) -> String {
        format!("SELECT {} FROM {} WITH NO DATA", self.columns.join(", "), self.rows)
    }

    /// The same, seen by this transaction only and gone with it.
    pub(crate) fn create_temporary(&self) -> String {
        format!(
            "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS {}",
            quote_pg(self.own_name.as_str()),
            self.no_rows()
        )
    }

    pub(crate) fn copy_in(&self, into: &str, age: TableAge) -> String {
        let columns = self.columns.join(", ");
        format!("COPY {into} ({columns}) FROM STDIN (FORMAT binary{})", age.option())
    }

    pub(crate) fn copy_csv(&self, into: &str, age: TableAge) -> String {
        let (columns, freeze) = (self.columns.join(", "), age.option());
        format!("COPY {into} ({columns}) FROM STDIN (FORMAT csv, NULL '', ENCODING 'UTF8'{freeze})")
    }

    /// Reads back at most `rows` rows of a table with the published one's columns in their
    /// canonical form.
    pub(crate) fn copy_out(&self, from: &str, rows: u64) -> String {
        format!(
            "COPY (SELECT {} FROM {from} LIMIT {rows}) TO STDOUT (FORMAT binary)",
            self.columns.join(", ")
        )
    }

    pub(crate) fn insert_values(&self, into: &str, rows: usize) -> String {
        let mut text = format!("INSERT INTO {into} ({}) VALUES ", self.columns.join(", "));
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ",(" });
            for column in 0..self.width() {
                let comma = if column == 0 { "" } else { "," };
                text.push_str(&format!("{comma}${}", row * self.width() + column + 1));
            }
            text.push(')');
        }
        text
    }

    /// Keeps other writers out until the commit; readers do not notice.
    pub(crate) fn lock(&self) -> String {
        format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", self.rows)
    }

    pub(crate) fn delete_all(&self) -> String {
        format!("DELETE FROM {}", self.rows)
    }

    pub(crate) fn insert_all(&self, staging: &str) -> String {
        let columns = self.columns.join(", ");
        format!("INSERT INTO {} ({columns}) SELECT {columns} FROM {staging}", self.target)
    }

    /// Deletes the rows that staging lacks.
    pub(crate) fn delete_gone(&self, staging: &str) -> String {
        format!(
            "DELETE FROM {} t WHERE NOT EXISTS (SELECT FROM {staging} s WHERE {})",
            self.rows,
            self.same_key()
        )
    }

    /// The table of the keys that are brought into line, quoted.
    pub(crate) fn keys(&self, temporary: bool) -> String {
        let schema = if temporary { "pg_temp".to_owned() } else { quote_pg(self.schema.as_str()) };
        format!("{schema}.{}", quote_pg(format!("{}_keys", self.own_name)))
    }

    /// Makes it with the types of the target's key.
    pub(crate) fn create_keys(&self, keys: &str, temporary: bool) -> String {
        let (kind, ends) =
            if temporary { ("TEMPORARY", " ON COMMIT DROP") } else { ("UNLOGGED", "") };
        let columns = self.key.join(", ");
        format!(
            "CREATE {kind} TABLE {keys}{ends} AS SELECT {columns} FROM {} WITH NO DATA",
            self.rows
        )
    }

    pub(crate) fn copy_keys(&self, into: &str) -> String {
        format!("COPY {into} ({}) FROM STDIN (FORMAT binary)", self.key.join(", "))
    }

    /// Reads the keys back.
    pub(crate) fn copy_out_keys(&self, keys: &str) -> String {
        format!("COPY (SELECT {} FROM {keys}) TO STDOUT (FORMAT binary)", self.key.join(", "))
    }

    /// Drops the keys whose rows are in staging.
    pub(crate) fn drop_landed(&self, keys: &str, staging: &str) -> String {
        format!("DELETE FROM {keys} t USING {staging} s WHERE {}", self.same_key())
    }

    /// Drops all but one of the rows of one key.
    pub(crate) fn drop_twice(&self, staging: &str) -> String {
        format!(
            "DELETE FROM {staging} t USING {staging} s WHERE {} AND t.ctid < s.ctid",
            self.same_key()
        )
    }

    /// Deletes those of the keys that staging lacks.
    pub(crate) fn delete_keys(&self, staging: &str, keys: &str) -> String {
        let same = self.same_key();
        format!(
            "DELETE FROM {} t USING {keys} s WHERE {same} \
             AND NOT EXISTS (SELECT FROM {staging} s WHERE {same})",
            self.rows
        )
    }

    /// Changes the rows whose bytes differ.
    pub(crate) fn update_changed(&self, staging: &str) -> String {
        let set: Vec<_> = self.columns.iter().map(|c| format!("{c} = s.{c}")).collect();
        format!(
            "UPDATE {} t SET {} FROM {staging} s WHERE {} AND {}",
            self.rows,
            set.join(", "),
            self.same_key(),
            self.other_bytes()
        )
    }

    /// Deletes the rows whose bytes differ, so that they are inserted with the new ones.
    pub(crate) fn delete_changed(&self, staging: &str) -> String {
        format!(
            "DELETE FROM {} t USING {staging} s WHERE {} AND {}",
            self.rows,
            self.same_key(),
            self.other_bytes()
        )
    }

    /// Inserts the rows that the table lacks.
    pub(crate) fn insert_new(&self, staging: &str) -> String {
        let of_s: Vec<_> = self.columns.iter().map(|c| format!("s.{c}")).collect();
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {staging} s \
             WHERE NOT EXISTS (SELECT FROM {} t WHERE {})",
            self.target,
            self.columns.join(", "),
            of_s.join(", "),
            self.rows,
            self.same_key()
        )
    }

    pub(crate) fn count(&self, table: &str) -> String {
        format!("SELECT count(*) FROM {table}")
    }

    /// Asks for the rows of the target as the server counted them when it built an index.
    pub(crate) fn indexed(&self) -> String {
        let table = quote_pg_text(&self.target);
        format!("SELECT reltuples FROM pg_class WHERE oid = {table}::regclass")
    }

    pub(crate) fn analyze_target(&self) -> String {
        format!("ANALYZE {}", self.target)
    }

    /// The planner needs the keys of staging alone.
    pub(crate) fn analyze_keys(&self, staging: &str) -> String {
        format!("ANALYZE {staging} ({})", self.key.join(", "))
    }

    pub(crate) fn rename_build(&self, mapping: &TableMapping) -> String {
        format!("ALTER TABLE {} RENAME TO {}", self.own(), quote_pg(mapping.pg_table.as_str()))
    }

    pub(crate) fn add_key(&self, mapping: &TableMapping) -> Option<String> {
        let (schema, table) = (&self.schema, &mapping.pg_table);
        match &self.key_name {
            Some(name) => ddl::add_named_key(mapping, schema, table, name),
            None => ddl::add_key(mapping, schema, table),
        }
    }

    pub(crate) fn grant(&self, roles: &[String]) -> Option<String> {
        let roles: Vec<_> = roles.iter().map(|role| quote_pg(role.as_str())).collect();
        (!roles.is_empty())
            .then(|| format!("GRANT SELECT ON {} TO {}", self.target, roles.join(", ")))
    }

    pub(crate) fn drop_own(&self) -> String {
        format!("DROP TABLE {}", self.own())
    }

    /// Drops all that an attempt may have made.
    pub(crate) fn drop_all_if_there(&self) -> String {
        format!("DROP TABLE IF EXISTS {}, {}", self.own(), self.checkpoint())
    }

    pub(crate) fn drop_checkpoint(&self) -> String {
        format!("DROP TABLE {}", self.checkpoint())
    }

    fn same_key(&self) -> String {
        let equal: Vec<_> = self.key.iter().map(|c| format!("t.{c} = s.{c}")).collect();
        equal.join(" AND ")
    }

    /// `=` calls 0.0 and -0.0 equal, and jsonb 1 and 1.0; the images of the rows differ. The
    /// casts keep the operator from being applied column by column.
    fn other_bytes(&self) -> String {
        format!("{} *<> {}", self.record_of("t"), self.record_of("s"))
    }

    fn record_of(&self, alias: &str) -> String {
        let columns: Vec<_> = self.columns.iter().map(|c| format!("{alias}.{c}")).collect();
        format!("ROW({})::record", columns.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mapping;

    fn statements() -> LoadStatements {
        LoadStatements::new("raw", &mapping(true), CopyId::parse("00000000000000ab").unwrap())
    }

    #[test]
    fn our_own_tables_are_named_after_the_copy() {
        let statements = statements();
        assert_eq!(statements.own(), "\"raw\".\"__handoff_00000000000000ab\"");
        assert_eq!(statements.own_temporary(), "pg_temp.\"__handoff_00000000000000ab\"");
        assert_eq!(statements.checkpoint(), "\"raw\".\"__handoff_at_00000000000000ab\"");
        assert_eq!(statements.keys(true), "pg_temp.\"__handoff_00000000000000ab_keys\"");
        assert!(statements.drop_all_if_there().ends_with(&statements.checkpoint()));
    }

    #[test]
    fn parameters_are_numbered_through_all_rows() {
        assert_eq!(
            statements().insert_values("x", 2),
            "INSERT INTO x (\"id\", \"note\") VALUES ($1,$2),($3,$4)"
        );
    }

    #[test]
    fn rows_are_compared_by_their_bytes() {
        let sql = statements().update_changed("s");
        let condition = "t.\"id\" = s.\"id\" AND ROW(t.\"id\", t.\"note\")::record *<> \
                         ROW(s.\"id\", s.\"note\")::record";
        assert!(sql.ends_with(condition), "{sql}");
    }

    #[test]
    fn access_is_granted_only_where_a_role_is_named() {
        assert_eq!(statements().grant(&[]), None);
        let sql = statements().grant(&["a".to_owned(), "b\"".to_owned()]).unwrap();
        assert!(sql.ends_with(" TO \"a\", \"b\"\"\""), "{sql}");
    }
}
