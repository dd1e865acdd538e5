//! Answers that are gathered, as far as there is room.

use crate::seat::WatchSeat;
use crate::{Fault, MyConn, Side};
use mysql::prelude::{FromRow, Protocol, Queryable};
use mysql::{QueryResult, Row, Value};
use std::sync::Arc;

/// The memory that a row takes beside its values.
const OF_A_ROW: usize = 64;

impl MyConn {
    /// Runs a statement and gathers its rows, as many as a database may have tables or columns.
    ///
    /// # Errors
    ///
    /// Returns the driver's error, or the server's. An answer without end is cut once it is larger than
    /// [`PoolOptions::largest_answer`](crate::PoolOptions::largest_answer).
    pub fn gather<T: FromRow>(&mut self, sql: impl AsRef<str>) -> mysql::Result<Vec<T>> {
        let bounds = self.bounds();
        gather(self.query_iter(sql)?, &bounds)
    }

    fn bounds(&self) -> GatherBounds {
        let largest = self.pool().dialer().largest_answer;
        GatherBounds { side: self.side(), seat: Arc::clone(self.seat()), largest }
    }
}

/// The bounds of an answer.
struct GatherBounds {
    side: Side,
    seat: Arc<WatchSeat>,
    largest: usize,
}

fn gather<T: FromRow>(
    rows: QueryResult<'_, '_, '_, impl Protocol>,
    bounds: &GatherBounds,
) -> mysql::Result<Vec<T>> {
    let (mut gathered, mut taken) = (Vec::new(), 0_usize);
    for read in rows {
        let row = read?;
        taken = taken.saturating_add(size(&row));
        if taken > bounds.largest {
            return Err(bounds.refuse());
        }
        gathered.push(T::from_row_opt(row)?);
    }
    Ok(gathered)
}

impl GatherBounds {
    /// Cuts the connection, since the driver reads what is left of an answer when it is dropped.
    fn refuse(&self) -> mysql::Error {
        let text = format!(
            "the server sends an answer of more than {} MiB: raise memory_limit_mb in [run]",
            self.largest >> 20
        );
        self.seat.give_up(Fault::new(self.side, text.clone()));
        std::io::Error::new(std::io::ErrorKind::InvalidData, text).into()
    }
}

fn size(row: &Row) -> usize {
    let values = (0..row.len()).map(|index| match row.as_ref(index) {
        Some(Value::Bytes(bytes)) => size_of::<Value>() + bytes.capacity(),
        _ => size_of::<Value>(),
    });
    OF_A_ROW + values.sum::<usize>()
}
