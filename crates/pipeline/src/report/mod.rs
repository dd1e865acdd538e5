//! The outcome of a run, a verification and a repair, as values and as JSON.

mod repair;
mod run;
mod verify;

pub(crate) use repair::SeenRepair;
pub use repair::{RepairReport, RepairStatus, RepairTable, RepairWay};
pub(crate) use run::HopTotals;
pub use run::{
    CopyReport, Covers, LoadReport, Proof, RunReport, StructureReport, TableReport, TableStatus,
    Verdict,
};
pub(crate) use verify::CountedSide;
pub use verify::{LastProof, VerifyPair, VerifyReport, VerifyRow, VerifyStatus, VerifyTable};
