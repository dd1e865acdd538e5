//! The errors that keep a table from following.

use handoff_connect::{Fault, paste_pg};
use handoff_model::visible;
use std::time::Duration;

/// An error that kept a table of the target from being changed. The table is as it was, with its old structure
/// and rows.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StructureError {
    /// Somebody else held a lock on the table all the time.
    #[error(
        "the structure of {} could not be changed, since other sessions held a lock on it through {tries} tries of {} \
         ms each (lock_timeout): it keeps its old structure and rows until the next run", paste_pg(.target),
        .waited.as_millis()
    )]
    Locked {
        /// The table, quoted.
        target: String,
        /// The number of times that the lock was asked for.
        tries: u32,
        /// The wait of each time.
        waited: Duration,
    },
    /// Something that is not ours depends on a column.
    #[error(
        "the structure of {} cannot be changed, since {} on its columns or its key: {}: drop it, run again, and make it again",
        paste_pg(.target), if .objects.len() == 1 { "this depends" } else { "these depend" }, visible(&.objects.join("; "))
    )]
    Depended {
        /// The table, quoted.
        target: String,
        /// The objects, as the server describes them.
        objects: Vec<String>,
    },
    /// The table, or a view over it, belongs to a role whose rights are not ours.
    #[error(
        "the structure of {} cannot be changed, since {} belongs to {}: run {}", paste_pg(.target), paste_pg(.object),
        visible(.owner), paste_pg(.remedy)
    )]
    NotOwner {
        /// The table, quoted.
        target: String,
        /// The table or the view, quoted.
        object: String,
        /// Its owner.
        owner: String,
        /// The statement that changes it.
        remedy: String,
    },
    /// A view did not come back as it was.
    #[error(
        "the view {} would not come back as it was ({what}), so the structure of {} was not changed: drop the view, run \
         again, and make it again", paste_pg(.view), paste_pg(.target)
    )]
    ViewDiffers {
        /// The table, quoted.
        target: String,
        /// The view, quoted.
        view: String,
        /// The difference.
        what: &'static str,
    },
    /// The table is not as it was when the changes were planned.
    #[error("the structure of {} changed since it was looked at: run again", paste_pg(.target))]
    ChangedMeanwhile {
        /// The table, quoted.
        target: String,
    },
    /// The server refused a statement.
    #[error("the structure of {} could not be changed, with `{}`", paste_pg(.target), paste_pg(.statement))]
    Refused {
        /// The table, quoted.
        target: String,
        /// The statement.
        statement: String,
        /// The fault.
        #[source]
        fault: Fault,
    },
    /// The change could not be recorded, or the server could not be asked.
    #[error("the structure of {} could not be changed", paste_pg(.target))]
    Server {
        /// The table, quoted.
        target: String,
        /// The fault.
        #[source]
        fault: Fault,
    },
}

impl StructureError {
    /// Returns the fault of a server, if that is the cause.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            StructureError::Refused { fault, .. } | StructureError::Server { fault, .. } => {
                Some(fault)
            }
            _ => None,
        }
    }
}
