//! The servers of a command: source, replica and target, opened and known.
//!
//! Every command begins here. [`Session::open`] opens the servers that it needs and refuses those that are too old;
//! the methods of the [`Session`] then ask them for the facts that a plan is made of: catalogues, recorded states,
//! privileges, identities, clocks. The judges of those facts are pure and live in `handoff-plan`, or beside the
//! question ([`OriginVerdict`]).
//!
//! A session that only looks ([`Access::Look`]) makes nothing on any server.

mod change_detector;
mod clock;
mod connector;
mod error;
mod identity;
mod names;
mod objects;
mod omissions;
mod privileges;
mod scope;
mod session;
mod start;
mod status;
mod versions;

pub use change_detector::SourceFacts;
pub use clock::LOCAL_TIME;
pub use connector::{Servers, SessionOptions, open_source, pool_options};
pub use error::{SessionError, SessionResult};
pub use identity::{
    IdentityChange, JudgedTables, OriginVerdict, Ownership, OwnershipConsent, RunPools,
    SourceChange,
};
pub use names::{excused_names, refuse_faults};
pub use objects::{decide_objects, without_objects};
pub use omissions::read_omissions;
pub use privileges::{HiddenTables, TableAccess, gone_note, table_access, turned_tables};
pub use scope::{TableScope, read_catalogue};
pub use session::{Access, ReplicaNeed, Session, Sides, without_copies};
pub use status::{Holdings, StatusSnapshot, tables_in_target, tracked_tables};
pub use versions::{postgres_version, too_old_my, too_old_pg};
