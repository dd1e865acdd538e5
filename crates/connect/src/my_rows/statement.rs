//! Statements that the server has prepared.

use super::outgoing::{Outgoing, PAYLOAD};
use super::row::Sent;
use crate::seat::WatchSeat;
use mysql::{Column, DriverError, Error, Value};
use mysql_common::packets::{ComStmtExecuteRequestBuilder, ComStmtSendLongData};
use std::borrow::Cow;
use std::sync::Arc;

/// A statement of which the server has told.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) id: u32,
    /// The number of its parameters.
    pub(super) params: u16,
    /// Its columns, as they were told last. MariaDB does not say it again of a statement whose columns are as
    /// they were.
    pub(super) columns: Arc<[Column]>,
    /// The form in which their values are sent.
    pub(super) sent: Arc<[Sent]>,
}

impl Described {
    pub(super) fn of(id: u32, params: u16) -> Described {
        Described { id, params, columns: Arc::default(), sent: Arc::default() }
    }

    /// Returns the same statement with other columns.
    pub(super) fn with(self, columns: Vec<Column>) -> Described {
        let sent = columns.iter().map(|column| Sent::of(column.column_type(), column.flags()));
        Described { sent: sent.collect(), columns: columns.into(), ..self }
    }
}

/// The last statements. A statement belongs to a table, and is not met again in a run but by a few.
#[derive(Debug, Default)]
pub(super) struct Statements(Vec<KnownStatement>);

#[derive(Debug)]
struct KnownStatement {
    sql: Box<str>,
    described: Described,
}

impl Statements {
    const MOST: usize = 16;

    pub(super) fn get(&self, sql: &str) -> Option<Described> {
        let known = self.0.iter().find(|known| &*known.sql == sql);
        known.map(|known| known.described.clone())
    }

    /// Keeps a statement; returns the number of one that has to go for it.
    pub(super) fn learn(&mut self, sql: &str, described: Described) -> Option<u32> {
        self.0.retain(|known| known.described.id != described.id);
        let full = self.0.len() == Statements::MOST;
        let old = full.then(|| self.0.remove(0).described.id);
        self.0.push(KnownStatement { sql: sql.into(), described });
        old
    }
}

/// Sends the execution of a statement.
pub(super) fn execution(
    out: &mut Outgoing,
    seat: &WatchSeat,
    id: u32,
    params: &[Value],
) -> mysql::Result<()> {
    let (request, _) = ComStmtExecuteRequestBuilder::new(id).build(params);
    out.command(seat, &request)
}

/// Sends the long values of a statement that is about to be executed, if it does not fit into one packet.
pub(super) fn long_data(
    out: &mut Outgoing,
    seat: &WatchSeat,
    id: u32,
    params: &[Value],
) -> mysql::Result<()> {
    let (_, is_long) = ComStmtExecuteRequestBuilder::new(id).build(params);
    if !is_long {
        return Ok(());
    }
    for (index, value) in params.iter().enumerate() {
        let Value::Bytes(bytes) = value else { continue };
        let index = u16::try_from(index).map_err(|_| too_many(u16::MAX, params.len()))?;
        let empty = bytes.is_empty().then_some(&[][..]);
        for chunk in bytes.chunks(PAYLOAD - 6).chain(empty) {
            out.command(seat, &ComStmtSendLongData::new(id, index, Cow::Borrowed(chunk)))?;
        }
    }
    Ok(())
}

/// Returns the error of another number of values than a statement has parameters.
pub(super) fn too_many(params: u16, values: usize) -> Error {
    Error::DriverError(DriverError::MismatchedStmtParams(params, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_statement_goes_for_the_newest() {
        let mut statements = Statements::default();
        let count = u32::try_from(Statements::MOST).unwrap();
        for id in 0..count {
            assert_eq!(statements.learn(&id.to_string(), Described::of(id, 0)), None);
        }
        // Told of again, it is the newest.
        assert_eq!(statements.learn("0", Described::of(0, 1)), None);
        assert_eq!(statements.learn("new", Described::of(count, 0)), Some(1));
        assert!(statements.get("1").is_none());
        assert_eq!(statements.get("0").unwrap().params, 1);
    }
}
