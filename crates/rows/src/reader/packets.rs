//! Rows as the server sent them, in the order of the key.

use super::condition::SqlCondition;
use super::fetch::{FetchFlow, RowFetch};
use super::row_reader::RowReader;
use super::spec::Locking;
use crate::error::{Error, Result};
use handoff_connect::{MyConn, MyPacket};

impl RowReader<'_> {
    /// Hands every selected row to `each` as the packet that carried it, in the order of the key, by
    /// one statement; returns the number of rows.
    ///
    /// For rows that are only to be told apart: to hash a packet takes a fraction of what it takes to
    /// encode the row. Where the key is no clustered index its order costs the server a lookup a row.
    ///
    /// # Errors
    ///
    /// Returns an error as [`RowReader::read`] does, and [`Error::Filter`] for a table without a key and for one
    /// to be read as [`Locking::Ranges`].
    pub fn read_packets(
        &self,
        conn: &mut MyConn,
        mut each: impl FnMut(MyPacket<'_>) -> Result<()>,
    ) -> Result<u64> {
        let key = self.key()?;
        if self.spec.locking == Locking::Ranges {
            return Err(self.refuse("its packets cannot be had by one statement"));
        }
        let filter = SqlCondition::of_filter(self.spec.filter, self.spec.table, Some(&key))?;
        let sql = self.select(Some(&key), &filter) + &key.order_by();
        let (step, cancel) = (self.step(), self.spec.cancel);
        let (mut rows, mut unpaid) = (0, 0);
        let done = RowFetch::new(conn, cancel).run_packets(&sql, &filter.params, |packet| {
            rows += 1;
            each(packet)?;
            unpaid += 1;
            if unpaid >= step {
                self.wait_for(std::mem::take(&mut unpaid))?;
            }
            Ok::<_, Error>(FetchFlow::On)
        });
        done.map_err(|stop| stop.into_error(&self.spec, rows))?;
        self.wait_for(unpaid)?;
        Ok(rows)
    }
}
