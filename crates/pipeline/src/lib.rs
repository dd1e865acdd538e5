//! The whole pipeline: plan, replicate, load, prove, track, report. The front door for programs
//! that embed Handoff.
//!
//! ```text
//! Settings ─▶ Plan (one TablePlan a table) ─▶ replicate ─▶ load ─▶ prove ─▶ track ─▶ RunReport
//! ```
//!
//! [`Pipeline::run`] connects, takes the lock of the run on both sides, mends the leftovers of an interrupted
//! run, reads each catalogue once, resolves one `TablePlan` for every table, and then moves the tables on a
//! pool of threads, longest first. Nothing behind the plan reads settings, analyses a schema or decides again.
//!
//! # Example
//!
//! ```no_run
//! use handoff_pipeline::{Pipeline, Prove, RunOptions};
//! use handoff_settings::Settings;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::new(
//!     "mysql://reader@clinic/opendental",
//!     Some("mysql://etl@127.0.0.1:3305/opendental_replication"),
//!     "postgres://etl@127.0.0.1/opendental_analytics",
//! )?;
//! let options = RunOptions { prove: Prove::Rows, ..RunOptions::default() };
//! let report = Pipeline::new(settings).run(&options)?;
//! println!("{}", report.conclusion());
//! # Ok(())
//! # }
//! ```
//!
//! # What a failure leaves behind
//!
//! A table that fails is an entry in the [`RunReport`]; its last good data stays in the replica
//! and in the target, and the others go on. [`Pipeline::run`] returns an error only when nothing
//! could start, and has then moved no table.

mod builder;
mod changes_made;
mod ending;
mod error;
mod flight;
mod follow;
mod gate;
mod gone;
mod objects;
mod options;
mod pipeline;
mod planning;
mod preview;
mod recover;
mod repair;
mod report;
mod run_base;
mod same_source;
mod start;
mod stopping;
mod structures;
mod table;
mod until;
mod verify;

pub use builder::Pipeline;
pub use error::{Error, Result};
pub use handoff_check::{
    CheckFinding, CheckReport, CheckSubject, CheckVerdict, Fix, FixKind, check,
};
pub use handoff_init::{
    CertificateStanding, ColumnProposal, ExcludeProposal, ExtractionProposal, InitReport,
    InitServer, InitServers, LookAt, SeenCertificate, TableProposal, TableSize, Unfit, WrittenAs,
    init,
};
pub use handoff_model::chain;
pub use handoff_objects::{
    FailedObject, MadeObject, ObjectKind, ObjectPreview, ObjectRemark, ObjectReport,
};
pub use handoff_plan::{Hops, OmissionItem, OmissionReport, PlanReport};
pub use handoff_schema::UntranslatedPart;
pub use handoff_session::{
    IdentityChange, SessionError, SourceChange, StatusSnapshot, tracked_tables,
};
pub use options::{LockPatience, Prove, RunOptions, SourceConsent};
pub use preview::{Action, PlanPreview, RefusedPreview, Since, TablePreview};
pub use repair::RepairRequest;
pub use report::{
    CopyReport, Covers, LastProof, LoadReport, Proof, RepairReport, RepairStatus, RepairTable,
    RepairWay, RunReport, StructureReport, TableReport, TableStatus, Verdict, VerifyPair,
    VerifyReport, VerifyRow, VerifyStatus, VerifyTable,
};
pub use stopping::over_time;
pub use structures::{RefusedStructure, StructureListing, TableStructure};
pub use verify::{Depth, VerifyRequest};

/// The code on the page `docs/embedding.md`, compiled as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("embedding.md")]
struct EmbeddingPage;
