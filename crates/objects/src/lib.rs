//! The objects around the columns of the target's tables: indexes, defaults, CHECKs, comments, identities, triggers and
//! foreign keys that follow those of the source.
//!
//! [`WantedObjects::decide`] decides them from the source's catalogue alone: each is carried as a [`TargetObject`], or
//! listed as an [`UncarriedPart`] with the reason. [`ObjectPlan::make`] compares that with what [`PresentObjects::read`]
//! found in the target and with the records of what was made (`etl_objects`), and an [`ObjectMaker`] makes the steps once
//! the rows are there. Objects that people made are never touched.

#![warn(unreachable_pub)]

mod apply;
mod class;
mod decide;
mod default;
mod expression;
mod foreign_key;
mod index;
mod inputs;
mod literal;
mod plan;
mod record;
mod report;
mod target;
#[cfg(test)]
mod testing;
mod wanted;

pub use apply::{MakerOptions, ObjectMaker};
pub use decide::WantedObjects;
pub use inputs::{DescribedTable, ObjectInputs};
pub use plan::{ObjectAction, ObjectPlan, ObjectStep};
pub use report::{FailedObject, MadeObject, ObjectPreview, ObjectReport};
pub use target::PresentObjects;
pub use wanted::{ObjectKind, ObjectRemark, TargetObject, UncarriedPart};
