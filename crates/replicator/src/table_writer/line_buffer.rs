//! Gathering lines while the ones before are being written.

use super::local_file::{coming_file, whole_file};
use crate::error::{Error, Result};
use crate::line::write_line;
use crate::source_digest::SourceDigest;
use crate::table_writer::outcome::SentRows;
use crate::table_writer::writer::TableWriter;
use handoff_connect::{Fault, LoadDataResult, MyConn, ValueRef, fault_point};
use handoff_model::{ProgressMeter, RunEvent, TableSum};
use handoff_rows::RowSink;
use std::mem;
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_128;

/// Bytes worth a round of their own. There are two buffers of it, one being filled and one being
/// written.
const BUFFER: usize = 512 * 1024;

/// The time that the server may take for one buffer before somebody is told.
const STALL: Duration = Duration::from_secs(10);

/// Takes rows, and hands buffers of lines to a thread that writes them.
pub(super) struct LineBuffer<'scope, 'env> {
    table_writer: &'env TableWriter<'env>,
    buffer: Vec<u8>,
    sum: TableSum,
    digest: Option<SourceDigest>,
    bytes: u64,
    meter: ProgressMeter<'env>,
    writing: WriterState<'scope, 'env>,
}

enum WriterState<'scope, 'env> {
    /// Nothing was written so far, and if all fits into one buffer no thread is needed.
    NotYet { scope: &'scope Scope<'scope, 'env>, writer: &'env mut MyConn },
    /// A thread runs `LOAD DATA`.
    Running {
        full: SyncSender<Vec<u8>>,
        empty: Receiver<Vec<u8>>,
        thread: ScopedJoinHandle<'scope, Result<LoadDataResult, Fault>>,
    },
    /// The thread has ended.
    Over,
}

impl<'scope, 'env> LineBuffer<'scope, 'env> {
    pub(super) fn new(
        table_writer: &'env TableWriter<'env>,
        scope: &'scope Scope<'scope, 'env>,
        writer: &'env mut MyConn,
        digest: Option<SourceDigest>,
    ) -> Self {
        LineBuffer {
            table_writer,
            buffer: Vec::new(),
            sum: TableSum::default(),
            digest,
            bytes: 0,
            meter: table_writer.meter(),
            writing: WriterState::NotYet { scope, writer },
        }
    }

    /// Ends the writing, also after reading has failed.
    pub(super) fn finish(mut self, read: Result<u64>) -> Result<SentRows> {
        if let Err(error) = read {
            // The file ends here, in the middle of the table. The caller undoes what was written.
            let _ = self.join();
            return Err(error);
        }
        let loaded = match mem::replace(&mut self.writing, WriterState::Over) {
            WriterState::NotYet { .. } if self.sum.rows == 0 => LoadDataResult::default(),
            WriterState::NotYet { writer, .. } => {
                let file = whole_file(mem::take(&mut self.buffer));
                let loaded = self.table_writer.load(writer, file);
                loaded.map_err(|fault| self.table_writer.failed(fault, self.sum.rows))?
            }
            running => {
                self.writing = running;
                self.hand_over()?;
                self.join()?
            }
        };
        Ok(SentRows {
            sum: self.sum,
            canonical: self.digest.as_ref().and_then(SourceDigest::sum),
            bytes: self.bytes,
            arrived: loaded.rows,
            warnings: loaded.warnings,
        })
    }

    fn start(&mut self) {
        let writing = mem::replace(&mut self.writing, WriterState::Over);
        self.writing = match writing {
            WriterState::NotYet { scope, writer } => {
                // Room for both buffers, so that only an empty one is ever waited for.
                let (full, filled) = sync_channel(2);
                let (emptied, empty) = channel();
                let second = emptied.send(Vec::with_capacity(self.buffer.capacity()));
                second.expect("the receiver is still in hand");
                let (table_writer, pause) = (self.table_writer, writer.file_wait() / 4);
                let file = coming_file(filled, emptied, pause);
                let thread = scope.spawn(move || table_writer.load(writer, file));
                WriterState::Running { full, empty, thread }
            }
            other => other,
        };
    }

    /// Swaps the full buffer for an empty one, which waits for the writing before it.
    fn hand_over(&mut self) -> Result<()> {
        let buffer = mem::take(&mut self.buffer);
        if buffer.is_empty() {
            return Ok(());
        }
        if let WriterState::Running { full, empty, .. } = &self.writing
            && full.send(buffer).is_ok()
            && let Ok(next) = self.emptied(empty)
        {
            self.buffer = next;
            fault_point("replicator.filling", &self.table_writer.copy.job.table.name);
            return Ok(());
        }
        let loaded = self.join()?;
        // The server ended the statement without an error before it had all rows.
        Err(self.table_writer.rows_lost(self.sum.rows, loaded.rows))
    }

    /// Waits for an empty buffer. A server whose disk is full may wait for room without a word
    /// (MariaDB does for MyISAM and Aria), and so would the run.
    fn emptied(&self, empty: &Receiver<Vec<u8>>) -> Result<Vec<u8>, RecvError> {
        match empty.recv_timeout(STALL) {
            Ok(next) => Ok(next),
            Err(RecvTimeoutError::Disconnected) => Err(RecvError),
            Err(RecvTimeoutError::Timeout) => {
                let table = &self.table_writer.copy.job.table.name;
                let text = format!(
                    "the replica has taken no row of `{table}` for {} s: its disk may be full, or the \
                     table locked",
                    STALL.as_secs()
                );
                let notice = RunEvent::Notice { table: Some(table.clone()), text };
                self.table_writer.copy.replicator.observer.event(&notice);
                empty.recv()
            }
        }
    }

    /// Ends the file and waits for the server's answer.
    fn join(&mut self) -> Result<LoadDataResult> {
        let WriterState::Running { full, empty, thread } =
            mem::replace(&mut self.writing, WriterState::Over)
        else {
            return Ok(LoadDataResult::default());
        };
        drop((full, empty));
        match thread.join() {
            Ok(loaded) => loaded.map_err(|fault| self.table_writer.failed(fault, self.sum.rows)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl RowSink for LineBuffer<'_, '_> {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        let start = self.buffer.len();
        write_line(self.table_writer.columns, row, &mut self.buffer);
        let line = &self.buffer[start..];
        self.sum.add_row(xxh3_128(line));
        self.bytes += line.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.observe(row);
        }
        self.table_writer.check_size(self.sum.rows, self.table_writer.row_bytes(row))
    }

    fn buffered(&self) -> usize {
        self.buffer.len()
    }

    fn threshold(&self) -> usize {
        BUFFER
    }

    fn flush(&mut self) -> Result<()> {
        if matches!(self.writing, WriterState::NotYet { .. }) {
            if self.buffer.len() < BUFFER {
                return Ok(());
            }
            self.start();
        }
        self.hand_over()?;
        self.meter.reach(self.sum.rows, self.bytes);
        Ok(())
    }
}
