//! The columns of the four tables, once for both servers.

use handoff_model::own;
use std::fmt::Write as _;

/// The layout of the tables that this version makes and takes.
pub const LAYOUT_VERSION: u16 = 1;

/// One of our tables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableLayout {
    pub(crate) name: &'static str,
    /// The columns of the primary key; they come first among `columns`.
    pub(crate) key: &'static [&'static str],
    pub(crate) columns: &'static [ColumnSpec],
}

/// A column of one of our tables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnSpec {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnKind,
    pub(crate) required: bool,
}

/// The kind of value that a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// The name of a table.
    Name,
    /// An id, a status, a strategy, a structure: ASCII, at most 100 characters.
    Word,
    /// A run's id.
    Run,
    /// Any text.
    Text,
    /// A JSON document.
    Json,
    /// A count.
    Count,
    /// Yes or no.
    Flag,
    /// A time in UTC.
    Time,
    /// The layout's version.
    Layout,
}

impl ColumnKind {
    fn in_mysql(self) -> &'static str {
        match self {
            ColumnKind::Name => "varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            ColumnKind::Word | ColumnKind::Run => {
                "varchar(100) CHARACTER SET ascii COLLATE ascii_bin"
            }
            // JSON as text: MySQL's own type would turn large integers into floats.
            ColumnKind::Text | ColumnKind::Json => "text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            ColumnKind::Count => "bigint",
            ColumnKind::Flag => "tinyint",
            ColumnKind::Time => "datetime(6)",
            ColumnKind::Layout => "smallint",
        }
    }

    pub(crate) fn in_postgres(self) -> &'static str {
        match self {
            ColumnKind::Name | ColumnKind::Word | ColumnKind::Text => "text",
            ColumnKind::Run => "uuid",
            ColumnKind::Json => "jsonb",
            ColumnKind::Count => "bigint",
            ColumnKind::Flag => "boolean",
            ColumnKind::Time => "timestamptz",
            ColumnKind::Layout => "smallint",
        }
    }
}

const fn may(name: &'static str, kind: ColumnKind) -> ColumnSpec {
    ColumnSpec { name, kind, required: false }
}

const fn must(name: &'static str, kind: ColumnKind) -> ColumnSpec {
    ColumnSpec { name, kind, required: true }
}

/// `etl_copy_status`.
pub(crate) const COPIES: TableLayout = TableLayout {
    name: own::COPY_STATUS,
    key: &["table_name"],
    columns: &[
        must("table_name", ColumnKind::Name),
        must("status", ColumnKind::Word),
        may("copy_id", ColumnKind::Word),
        may("pending_copy_id", ColumnKind::Word),
        must("intact", ColumnKind::Flag),
        may("watermark", ColumnKind::Json),
        may("proposed_watermark", ColumnKind::Json),
        may("fingerprint", ColumnKind::Word),
        may("pending_fingerprint", ColumnKind::Word),
        may("source_mark", ColumnKind::Text),
        may("source", ColumnKind::Json),
        may("pending_source", ColumnKind::Json),
        may("next_source", ColumnKind::Json),
        may("rows_copied", ColumnKind::Count),
        may("bytes", ColumnKind::Count),
        may("strategy", ColumnKind::Word),
        may("duration_ms", ColumnKind::Count),
        may("started_at", ColumnKind::Time),
        may("finished_at", ColumnKind::Time),
        may("last_success_at", ColumnKind::Time),
        may("adopted_at", ColumnKind::Time),
        must("run_id", ColumnKind::Run),
        may("error", ColumnKind::Text),
        LAYOUT,
    ],
};

/// `etl_load_status`.
pub(crate) const LOADS: TableLayout = TableLayout {
    name: own::LOAD_STATUS,
    key: &["table_name"],
    columns: &[
        must("table_name", ColumnKind::Name),
        must("status", ColumnKind::Word),
        may("loaded_copy_id", ColumnKind::Word),
        may("watermark", ColumnKind::Json),
        may("fingerprint", ColumnKind::Word),
        may("columns", ColumnKind::Json),
        may("gone_at", ColumnKind::Time),
        may("rows_loaded", ColumnKind::Count),
        may("rows_inserted", ColumnKind::Count),
        may("rows_updated", ColumnKind::Count),
        may("rows_deleted", ColumnKind::Count),
        may("bytes", ColumnKind::Count),
        may("strategy", ColumnKind::Word),
        may("duration_ms", ColumnKind::Count),
        may("checksum", ColumnKind::Word),
        may("source_rows", ColumnKind::Count),
        may("replica_rows", ColumnKind::Count),
        may("target_rows", ColumnKind::Count),
        may("proof", ColumnKind::Word),
        may("proof_by", ColumnKind::Word),
        may("proof_detail", ColumnKind::Json),
        may("proved_at", ColumnKind::Time),
        may("data_as_of", ColumnKind::Time),
        may("source", ColumnKind::Json),
        may("next_source", ColumnKind::Json),
        may("replica", ColumnKind::Json),
        may("target", ColumnKind::Json),
        may("started_at", ColumnKind::Time),
        may("finished_at", ColumnKind::Time),
        may("last_success_at", ColumnKind::Time),
        may("adopted_at", ColumnKind::Time),
        must("run_id", ColumnKind::Run),
        may("error", ColumnKind::Text),
        LAYOUT,
    ],
};

/// `etl_runs`.
pub(crate) const RUNS: TableLayout = TableLayout {
    name: own::RUNS,
    key: &["run_id", "table_name"],
    columns: &[
        must("run_id", ColumnKind::Run),
        must("table_name", ColumnKind::Name),
        must("status", ColumnKind::Word),
        may("phase", ColumnKind::Word),
        may("extraction", ColumnKind::Word),
        may("reason", ColumnKind::Word),
        may("copy_id", ColumnKind::Word),
        may("copy_strategy", ColumnKind::Word),
        may("rows_copied", ColumnKind::Count),
        may("bytes_copied", ColumnKind::Count),
        may("copy_ms", ColumnKind::Count),
        may("copy_performance", ColumnKind::Json),
        may("load_strategy", ColumnKind::Word),
        may("rows_loaded", ColumnKind::Count),
        may("rows_inserted", ColumnKind::Count),
        may("rows_updated", ColumnKind::Count),
        may("rows_deleted", ColumnKind::Count),
        may("bytes_loaded", ColumnKind::Count),
        may("load_ms", ColumnKind::Count),
        may("load_performance", ColumnKind::Json),
        may("watermark", ColumnKind::Json),
        may("checksum", ColumnKind::Word),
        may("lossy", ColumnKind::Json),
        may("proof", ColumnKind::Word),
        may("proof_by", ColumnKind::Word),
        may("detail", ColumnKind::Json),
        may("started_at", ColumnKind::Time),
        may("finished_at", ColumnKind::Time),
        may("error", ColumnKind::Text),
        LAYOUT,
    ],
};

/// `etl_schema_changes`.
pub(crate) const CHANGES: TableLayout = TableLayout {
    name: own::SCHEMA_CHANGES,
    key: &["run_id", "table_name", "change_no"],
    columns: &[
        must("run_id", ColumnKind::Run),
        must("table_name", ColumnKind::Name),
        must("change_no", ColumnKind::Count),
        must("class", ColumnKind::Word),
        must("column_name", ColumnKind::Text),
        must("statement", ColumnKind::Text),
        must("views", ColumnKind::Json),
        must("rows_filled", ColumnKind::Flag),
        must("changed_at", ColumnKind::Time),
        LAYOUT,
    ],
};

fn add(
    table: &str,
    add: &str,
    columns: &[&ColumnSpec],
    type_of: fn(ColumnKind) -> &'static str,
) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|column| format!("{add} {} {}", column.name, type_of(column.kind)))
        .collect();
    format!("ALTER TABLE {table} {}", parts.join(", "))
}

const LAYOUT: ColumnSpec = must(LAYOUT_COLUMN, ColumnKind::Layout);

/// The column whose default tells the layout of a table, even of an empty one.
pub(crate) const LAYOUT_COLUMN: &str = "layout_version";

impl TableLayout {
    /// Returns the kind of a column.
    pub(crate) fn kind(&self, name: &str) -> ColumnKind {
        let column = self.columns.iter().find(|column| column.name == name);
        column.expect("changes name columns of the layout").kind
    }

    /// Returns the statement that makes the table in MySQL; `table` is quoted.
    pub(crate) fn create_in_mysql(&self, table: &str) -> String {
        self.create(table, ColumnKind::in_mysql)
            + " ENGINE=InnoDB COMMENT='written by Handoff only, see docs/tracking.md'"
    }

    /// Returns the statement that makes the table in PostgreSQL; `table` is quoted.
    pub(crate) fn create_in_postgres(&self, table: &str) -> String {
        self.create(table, ColumnKind::in_postgres)
    }

    /// Returns the statement that adds columns in MySQL; `table` is quoted.
    pub(crate) fn add_in_mysql(&self, table: &str, columns: &[&ColumnSpec]) -> String {
        add(table, "ADD COLUMN", columns, ColumnKind::in_mysql)
    }

    /// Returns the statement that adds columns in PostgreSQL; `table` is quoted.
    pub(crate) fn add_in_postgres(&self, table: &str, columns: &[&ColumnSpec]) -> String {
        // Another run may add them at the same moment.
        add(table, "ADD COLUMN IF NOT EXISTS", columns, ColumnKind::in_postgres)
    }

    fn create(&self, table: &str, type_of: fn(ColumnKind) -> &'static str) -> String {
        let mut sql = format!("CREATE TABLE IF NOT EXISTS {table} (");
        for column in self.columns {
            let null = if column.required { " NOT NULL" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(sql, "{} {}{null}", column.name, type_of(column.kind));
            if column.kind == ColumnKind::Layout {
                let _ = write!(sql, " DEFAULT {LAYOUT_VERSION}");
            }
            sql.push_str(", ");
        }
        sql + "PRIMARY KEY (" + &self.key.join(", ") + "))"
    }

    /// Returns the columns for a SELECT whose values come as text from both servers alike. Those
    /// that the table lacks read as NULL.
    pub(crate) fn select_in_mysql(&self, missing: &[&ColumnSpec]) -> String {
        self.select(missing, |column| column.name.to_owned())
    }

    /// The same for PostgreSQL.
    pub(crate) fn select_in_postgres(&self, missing: &[&ColumnSpec]) -> String {
        self.select(missing, |column| match column.kind {
            ColumnKind::Time => {
                format!("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", column.name)
            }
            ColumnKind::Flag => format!("{}::int::text", column.name),
            _ => format!("{}::text", column.name),
        })
    }

    fn select(&self, missing: &[&ColumnSpec], text: impl Fn(&ColumnSpec) -> String) -> String {
        let columns = self.columns.iter().map(|column| match missing.contains(&column) {
            true => "NULL".to_owned(),
            false => text(column),
        });
        columns.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replicas_table_names_its_engine_and_layout() {
        let sql = COPIES.create_in_mysql("`c`");
        assert!(sql.contains(") ENGINE=InnoDB "), "a server's default may be MyISAM");
        assert!(
            sql.contains("layout_version smallint NOT NULL DEFAULT 1, PRIMARY KEY (table_name)")
        );
    }

    #[test]
    fn key_columns_are_required_and_come_first() {
        for layout in [COPIES, LOADS, RUNS, CHANGES] {
            for (column, key) in layout.columns.iter().zip(layout.key) {
                assert_eq!(column.name, *key);
                assert!(column.required);
            }
        }
    }
}
