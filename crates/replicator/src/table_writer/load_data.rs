//! `LOAD DATA LOCAL INFILE` from memory.

use super::line_buffer::LineBuffer;
use super::{SentRows, TableWriter};
use crate::copied_column::StoreAs;
use crate::error::Result;
use handoff_connect::{Fault, Loaded, MyConn, Profile, quote_my};
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;

impl TableWriter<'_> {
    /// Reads and writes at the same time; a table of less than one buffer is read, then written.
    pub(super) fn load_data(&self, writer: &mut MyConn) -> Result<SentRows> {
        let (select, witness) = self.witnessed();
        let at = self.at(crate::CopyStage::Write, 0);
        let mut source =
            self.replicator.source.get(Profile::RawRead).map_err(|fault| at.error(fault))?;
        thread::scope(|scope| {
            let mut lines = LineBuffer::new(self, scope, writer, witness);
            let read = self.read(&mut source, &select, &mut lines);
            lines.finish(read.map_err(|error| self.explain(error)))
        })
    }

    /// Runs one `LOAD DATA` that takes its file from `file`.
    pub(super) fn load(
        &self,
        writer: &mut MyConn,
        file: impl FnMut(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<Loaded, Fault> {
        let replicator = self.replicator;
        let _guard = replicator.replica.cancel_guard(writer, &replicator.cancel);
        writer.load_local(&self.load_statement(), file).map_err(|error| writer.fault(&error))
    }

    fn load_statement(&self) -> String {
        let (mut targets, mut sets) = (Vec::new(), Vec::new());
        let any_set = self.columns.iter().any(|column| column.store != StoreAs::Bytes);
        for (index, column) in self.columns.iter().enumerate() {
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
        let sets =
            if sets.is_empty() { String::new() } else { format!(" SET {}", sets.join(", ")) };
        format!(
            "LOAD DATA LOCAL INFILE 'handoff' INTO TABLE {} CHARACTER SET binary \
             FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' ({}){sets}",
            quote_my(self.into),
            targets.join(", "),
        )
    }
}

/// A file that is in memory already.
pub(super) fn whole_file(bytes: Vec<u8>) -> impl FnMut(&mut dyn Write) -> io::Result<()> + Send {
    move |stream| stream.write_all(&bytes)
}

/// A file that comes in buffers, which are given back emptied. It ends when nobody sends any more.
pub(super) fn coming_file(
    full: Receiver<Vec<u8>>,
    empty: Sender<Vec<u8>>,
) -> impl FnMut(&mut dyn Write) -> io::Result<()> + Send {
    move |stream| {
        while let Ok(mut buffer) = full.recv() {
            stream.write_all(&buffer)?;
            buffer.clear();
            // The reading side has ended; so does this loop.
            let _ = empty.send(buffer);
        }
        Ok(())
    }
}
