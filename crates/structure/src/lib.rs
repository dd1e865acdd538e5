//! Tables of the target that follow the structure of the source.
//!
//! [`StructurePlan::make`] compares a table with the wanted one, and plans the changes: pure, tested as data.
//! [`apply`] makes those that come before the rows, in one transaction that waits for no lock longer than it
//! may. [`finish`] makes those that come with the rows, in the transaction that publishes them. Views that
//! stand in the way of a statement are taken down and put up again in the same transaction, exactly
//! ([`views`]). [`foresee`] says beforehand which those are, and the objects and rights that stand in the way.
//!
//! Every step leaves a table that readers can use, with the rows that it had.

mod apply;
mod change;
mod error;
mod foresee;
mod plan;
mod server;
mod types;
pub mod views;

pub use apply::{AlterPatience, Applied, StructureHook, apply, drop_table, finish};
pub use change::{ChangeClass, StructureChange};
pub use error::StructureError;
pub use foresee::{ForeseenChanges, foresee};
pub use plan::{ColumnPolicy, StructurePlan};
