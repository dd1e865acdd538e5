//! `LOAD DATA LOCAL INFILE` from memory.

use super::line_buffer::LineBuffer;
use crate::copied_column::{CopiedColumn, StoreAs};
use crate::error::{CopyStage, Result};
use crate::table_writer::outcome::SentRows;
use crate::table_writer::writer::TableWriter;
use handoff_connect::{Fault, LoadDataResult, MyConn, quote_my};
use std::io::{self, Write};
use std::thread;

impl TableWriter<'_> {
    /// Reads and writes at the same time; a table of less than one buffer is read, then written.
    pub(super) fn load_data(&self, writer: &mut MyConn) -> Result<SentRows> {
        let (select, digest) = self.digested();
        let mut source = self.copy.source(CopyStage::Write)?;
        thread::scope(|scope| {
            let mut lines = LineBuffer::new(self, scope, writer, digest);
            let read = self.read(&mut source, &select, &mut lines);
            lines.finish(read.map_err(|error| self.explain(error)))
        })
    }

    /// Runs one `LOAD DATA` that takes its file from `file`.
    pub(super) fn load(
        &self,
        writer: &mut MyConn,
        file: impl FnMut(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<LoadDataResult, Fault> {
        let replicator = self.copy.replicator;
        let _guard = replicator.replica.cancel_guard(writer, &replicator.cancel);
        writer
            .load_local(&load_statement(self.columns, self.into), file)
            .map_err(|error| writer.fault(&error))
    }
}

/// Renders the statement that loads lines into the table `into`.
fn load_statement(columns: &[CopiedColumn], into: &str) -> String {
    let (mut targets, mut sets) = (Vec::new(), Vec::new());
    let any_set = columns.iter().any(|column| column.store != StoreAs::Bytes);
    for (index, column) in columns.iter().enumerate() {
        // Where anything is SET, MariaDB takes a 0 in a numbered column for a wish for the next
        // number, whatever the sql_mode, unless that column is SET too.
        let direct = column.store == StoreAs::Bytes && !(any_set && column.numbered);
        if direct {
            targets.push(column.name.clone());
        } else {
            let variable = format!("@v{index}");
            sets.push(format!("{} = {}", column.name, column.store.expression(&variable)));
            targets.push(variable);
        }
    }
    let set = if sets.is_empty() { String::new() } else { format!(" SET {}", sets.join(", ")) };
    format!(
        "LOAD DATA LOCAL INFILE 'handoff' INTO TABLE {} CHARACTER SET binary \
         FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' ({}){set}",
        quote_my(into),
        targets.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copied_column::copied_columns;
    use handoff_connect::ServerFlavor;
    use handoff_schema::{ColumnSchema, TableSchema};

    #[track_caller]
    fn check(kinds: &[(&str, &str)], numbered: &str, expected: &str) {
        let columns = kinds.iter().map(|(name, kind)| ColumnSchema::of_type(name, kind).unwrap());
        let table = TableSchema { columns: columns.collect(), ..TableSchema::empty("t") };
        let columns = copied_columns(&table, ServerFlavor::MySql, |name| name == numbered);
        let statement = load_statement(&columns, "new`");
        let begin = "LOAD DATA LOCAL INFILE 'handoff' INTO TABLE `new``` CHARACTER SET binary \
                     FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' ";
        assert_eq!(statement.strip_prefix(begin), Some(expected));
    }

    #[test]
    fn values_go_into_their_columns_unless_they_need_an_expression() {
        check(&[("a", "int"), ("b", "text")], "a", "(`a`, `b`)");
        check(
            &[("a", "int"), ("e", "enum('x')"), ("j", "json")],
            "",
            "(`a`, @v1, @v2) SET `e` = CAST(@v1 AS UNSIGNED), `j` = CONVERT(@v2 USING utf8mb4)",
        );
    }

    #[test]
    fn a_numbered_column_is_set_where_another_is() {
        check(
            &[("id", "int"), ("e", "enum('x')")],
            "id",
            "(@v0, @v1) SET `id` = @v0, `e` = CAST(@v1 AS UNSIGNED)",
        );
    }
}
