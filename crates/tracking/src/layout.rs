//! The columns of the three tables, once for both servers.

use handoff_model::own;
use std::fmt::Write as _;

/// The layout of the tables that this version makes and takes.
pub const LAYOUT_VERSION: u16 = 1;

/// One of our tables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    /// The columns of the primary key; they come first among `columns`.
    pub(crate) key: &'static [&'static str],
    pub(crate) columns: &'static [Column],
}

/// A column of one of our tables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
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

impl Kind {
    fn in_mysql(self) -> &'static str {
        match self {
            Kind::Name => "varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            Kind::Word | Kind::Run => "varchar(100) CHARACTER SET ascii COLLATE ascii_bin",
            // JSON as text: MySQL's own type would turn large integers into floats.
            Kind::Text | Kind::Json => "text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            Kind::Count => "bigint",
            Kind::Flag => "tinyint",
            Kind::Time => "datetime(6)",
            Kind::Layout => "smallint",
        }
    }

    pub(crate) fn in_postgres(self) -> &'static str {
        match self {
            Kind::Name | Kind::Word | Kind::Text => "text",
            Kind::Run => "uuid",
            Kind::Json => "jsonb",
            Kind::Count => "bigint",
            Kind::Flag => "boolean",
            Kind::Time => "timestamptz",
            Kind::Layout => "smallint",
        }
    }
}

const fn may(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, required: false }
}

const fn must(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, required: true }
}

/// `etl_copy_status`.
pub(crate) const COPIES: Layout = Layout {
    name: own::COPY_STATUS,
    key: &["table_name"],
    columns: &[
        must("table_name", Kind::Name),
        must("status", Kind::Word),
        may("copy_id", Kind::Word),
        may("pending_copy_id", Kind::Word),
        must("intact", Kind::Flag),
        may("watermark", Kind::Json),
        may("proposed_watermark", Kind::Json),
        may("fingerprint", Kind::Word),
        may("pending_fingerprint", Kind::Word),
        may("source_mark", Kind::Text),
        may("source", Kind::Json),
        may("pending_source", Kind::Json),
        may("next_source", Kind::Json),
        may("rows_copied", Kind::Count),
        may("bytes", Kind::Count),
        may("strategy", Kind::Word),
        may("duration_ms", Kind::Count),
        may("started_at", Kind::Time),
        may("finished_at", Kind::Time),
        may("last_success_at", Kind::Time),
        may("adopted_at", Kind::Time),
        must("run_id", Kind::Run),
        may("error", Kind::Text),
        LAYOUT,
    ],
};

/// `etl_load_status`.
pub(crate) const LOADS: Layout = Layout {
    name: own::LOAD_STATUS,
    key: &["table_name"],
    columns: &[
        must("table_name", Kind::Name),
        must("status", Kind::Word),
        may("loaded_copy_id", Kind::Word),
        may("watermark", Kind::Json),
        may("fingerprint", Kind::Word),
        may("rows_loaded", Kind::Count),
        may("rows_inserted", Kind::Count),
        may("rows_updated", Kind::Count),
        may("rows_deleted", Kind::Count),
        may("bytes", Kind::Count),
        may("strategy", Kind::Word),
        may("duration_ms", Kind::Count),
        may("checksum", Kind::Word),
        may("source_rows", Kind::Count),
        may("replica_rows", Kind::Count),
        may("target_rows", Kind::Count),
        may("proof", Kind::Word),
        may("proof_by", Kind::Word),
        may("proof_detail", Kind::Json),
        may("proved_at", Kind::Time),
        may("data_as_of", Kind::Time),
        may("source", Kind::Json),
        may("next_source", Kind::Json),
        may("replica", Kind::Json),
        may("target", Kind::Json),
        may("started_at", Kind::Time),
        may("finished_at", Kind::Time),
        may("last_success_at", Kind::Time),
        may("adopted_at", Kind::Time),
        must("run_id", Kind::Run),
        may("error", Kind::Text),
        LAYOUT,
    ],
};

/// `etl_runs`.
pub(crate) const RUNS: Layout = Layout {
    name: own::RUNS,
    key: &["run_id", "table_name"],
    columns: &[
        must("run_id", Kind::Run),
        must("table_name", Kind::Name),
        must("status", Kind::Word),
        may("phase", Kind::Word),
        may("extraction", Kind::Word),
        may("reason", Kind::Word),
        may("copy_id", Kind::Word),
        may("copy_strategy", Kind::Word),
        may("rows_copied", Kind::Count),
        may("bytes_copied", Kind::Count),
        may("copy_ms", Kind::Count),
        may("copy_performance", Kind::Json),
        may("load_strategy", Kind::Word),
        may("rows_loaded", Kind::Count),
        may("rows_inserted", Kind::Count),
        may("rows_updated", Kind::Count),
        may("rows_deleted", Kind::Count),
        may("bytes_loaded", Kind::Count),
        may("load_ms", Kind::Count),
        may("load_performance", Kind::Json),
        may("watermark", Kind::Json),
        may("checksum", Kind::Word),
        may("lossy", Kind::Json),
        may("proof", Kind::Word),
        may("proof_by", Kind::Word),
        may("detail", Kind::Json),
        may("started_at", Kind::Time),
        may("finished_at", Kind::Time),
        may("error", Kind::Text),
        LAYOUT,
    ],
};

fn add(table: &str, add: &str, columns: &[&Column], type_of: fn(Kind) -> &'static str) -> String {
    let column = |column: &&Column| format!("{add} {} {}", column.name, type_of(column.kind));
    format!("ALTER TABLE {table} {}", columns.iter().map(column).collect::<Vec<_>>().join(", "))
}

const LAYOUT: Column = must(LAYOUT_COLUMN, Kind::Layout);

/// The column whose default tells the layout of a table, even of an empty one.
pub(crate) const LAYOUT_COLUMN: &str = "layout_version";

impl Layout {
    /// Returns the kind of a column.
    pub(crate) fn kind(&self, name: &str) -> Kind {
        let column = self.columns.iter().find(|column| column.name == name);
        column.expect("changes name columns of the layout").kind
    }

    /// Returns the statement that makes the table in MySQL; `table` is quoted.
    pub(crate) fn create_in_mysql(&self, table: &str) -> String {
        self.create(table, Kind::in_mysql)
            + " ENGINE=InnoDB COMMENT='written by Handoff only, see docs/tracking.md'"
    }

    /// Returns the statement that makes the table in PostgreSQL; `table` is quoted.
    pub(crate) fn create_in_postgres(&self, table: &str) -> String {
        self.create(table, Kind::in_postgres)
    }

    /// Returns the statement that adds columns in MySQL; `table` is quoted.
    pub(crate) fn add_in_mysql(&self, table: &str, columns: &[&Column]) -> String {
        add(table, "ADD COLUMN", columns, Kind::in_mysql)
    }

    /// Returns the statement that adds columns in PostgreSQL; `table` is quoted.
    pub(crate) fn add_in_postgres(&self, table: &str, columns: &[&Column]) -> String {
        // Another run may add them at the same moment.
        add(table, "ADD COLUMN IF NOT EXISTS", columns, Kind::in_postgres)
    }

    fn create(&self, table: &str, type_of: fn(Kind) -> &'static str) -> String {
        let mut sql = format!("CREATE TABLE IF NOT EXISTS {table} (");
        for column in self.columns {
            let null = if column.required { " NOT NULL" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(sql, "{} {}{null}", column.name, type_of(column.kind));
            if column.kind == Kind::Layout {
                let _ = write!(sql, " DEFAULT {LAYOUT_VERSION}");
            }
            sql.push_str(", ");
        }
        sql + "PRIMARY KEY (" + &self.key.join(", ") + "))"
    }

    /// Returns the columns for a SELECT whose values come as text from both servers alike. Those
    /// that the table lacks read as NULL.
    pub(crate) fn select_in_mysql(&self, missing: &[&Column]) -> String {
        self.select(missing, |column| column.name.to_owned())
    }

    /// The same for PostgreSQL.
    pub(crate) fn select_in_postgres(&self, missing: &[&Column]) -> String {
        self.select(missing, |column| match column.kind {
            Kind::Time => {
                format!("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", column.name)
            }
            Kind::Flag => format!("{}::int::text", column.name),
            _ => format!("{}::text", column.name),
        })
    }

    fn select(&self, missing: &[&Column], text: impl Fn(&Column) -> String) -> String {
        let column = |column: &Column| match missing.contains(&column) {
            true => "NULL".to_owned(),
            false => text(column),
        };
        self.columns.iter().map(column).collect::<Vec<_>>().join(", ")
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
        for layout in [COPIES, LOADS, RUNS] {
            for (column, key) in layout.columns.iter().zip(layout.key) {
                assert_eq!(column.name, *key);
                assert!(column.required);
            }
        }
    }
}
