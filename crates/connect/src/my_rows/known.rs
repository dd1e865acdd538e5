//! The types in which the columns of a statement are sent.

use super::row::Sent;
use mysql::{Column, Statement};
use mysql_common::io::ParseBuf;
use std::sync::Arc;

/// The types in which the values of the last statements are sent. MariaDB does not repeat them for
/// a statement whose columns are as they were.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<(u32, Arc<[Sent]>)>);

impl Known {
    /// More than the driver keeps prepared.
    const MOST: usize = 32;

    pub(super) fn learn(&mut self, id: u32, columns: Arc<[Sent]>) -> Arc<[Sent]> {
        self.0.retain(|known| known.0 != id);
        if self.0.len() == Known::MOST {
            self.0.remove(0);
        }
        self.0.push((id, Arc::clone(&columns)));
        columns
    }

    pub(super) fn get(&mut self, statement: &Statement) -> Arc<[Sent]> {
        let id = statement.id();
        let known = self.0.iter().find(|known| known.0 == id).map(|known| Arc::clone(&known.1));
        let columns = known.unwrap_or_else(|| statement.columns().iter().map(sent_of).collect());
        self.learn(id, columns)
    }
}

/// Reads the description of a column.
pub(super) fn sent(packet: &[u8]) -> mysql::Result<Sent> {
    let column: Column = ParseBuf(packet).parse(())?;
    Ok(sent_of(&column))
}

fn sent_of(column: &Column) -> Sent {
    Sent::of(column.column_type(), column.flags())
}
