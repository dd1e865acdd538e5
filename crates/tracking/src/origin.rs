//! The databases that a table's data came through.

use crate::error::Result;
use crate::text_fields::TextFields;
use handoff_connect::DatabaseIdentity;

/// The databases that the data of one table came through, as it is recorded. Nothing of it is known where
/// an earlier version recorded the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataOrigin {
    /// The source that the rows were read from.
    pub source: Option<DatabaseIdentity>,
    /// The source of a copy that was begun and is not known to have arrived.
    pub pending_source: Option<DatabaseIdentity>,
    /// The source whose rows were asked to take the place of those that are there, until they have.
    pub next_source: Option<DatabaseIdentity>,
    /// The replica that a load read.
    pub replica: Option<DatabaseIdentity>,
    /// The target, when it was loaded.
    pub target: Option<DatabaseIdentity>,
}

/// The databases of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunIdentities {
    /// The source, if the run reads it.
    pub source: Option<DatabaseIdentity>,
    /// The replica, if there is one.
    pub replica: Option<DatabaseIdentity>,
    /// The target.
    pub target: Option<DatabaseIdentity>,
}

impl TextFields {
    pub(crate) fn copy_origin(&self) -> Result<DataOrigin> {
        Ok(DataOrigin {
            source: self.read("source", from_json)?,
            pending_source: self.read("pending_source", from_json)?,
            next_source: self.read("next_source", from_json)?,
            ..DataOrigin::default()
        })
    }

    pub(crate) fn load_origin(&self) -> Result<DataOrigin> {
        Ok(DataOrigin {
            source: self.read("source", from_json)?,
            next_source: self.read("next_source", from_json)?,
            replica: self.read("replica", from_json)?,
            target: self.read("target", from_json)?,
            ..DataOrigin::default()
        })
    }
}

pub(crate) fn to_json(identity: &DatabaseIdentity) -> String {
    serde_json::to_string(identity).expect("names and numbers can be written as JSON")
}

fn from_json(text: &str) -> Option<DatabaseIdentity> {
    serde_json::from_str(text).ok()
}
