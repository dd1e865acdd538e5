//! The whole pipeline: plan, replicate, load, prove, track, report. The front door for programs
//! that embed Handoff.
//!
//! ```text
//! Settings ─▶ Plan (one TableContext a table) ─▶ replicate ─▶ load ─▶ prove ─▶ track ─▶ RunReport
//! ```
//!
//! [`Pipeline::run`] connects, takes the lock of the run on both sides, mends what an interrupted
//! run left, reads each catalogue once, resolves one `TableContext` for every table, and then
//! moves the tables on a pool of threads, longest first. Nothing behind the plan reads settings,
//! analyses a schema or decides again.
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

mod base;
mod check;
mod clock;
mod context;
mod decide;
mod denied;
mod ending;
mod error;
mod flight;
mod gate;
mod identity;
mod in_replica;
mod init;
mod mark;
mod names;
mod omissions;
mod only_failed;
mod options;
mod outlook;
mod pipeline;
mod plan;
mod planning;
mod recover;
mod repair;
mod report;
mod select;
mod servers;
mod standing;
mod start;
mod stopping;
mod table;
mod target_fit;
mod toml_text;
mod until;
mod verify;
mod versions;
mod window;
mod wording;

pub use check::{CheckFinding, CheckReport, CheckSubject, CheckVerdict, Mend, MendKind, check};
pub use error::{Error, Result};
pub use handoff_model::chain;
pub use identity::{IdentityChange, SourceChange};
pub use init::{
    CertificateStanding, ColumnProposal, ExcludeProposal, ExtractionProposal, InitReport,
    InitServer, InitServers, LookAt, SeenCertificate, TableProposal, TableSize, Unfit, WrittenAs,
    init,
};
pub use omissions::{OmissionItem, OmissionReport};
pub use options::{Hops, LockPatience, Prove, RunOptions, SourceConsent};
pub use outlook::{Action, Outlook, RefusedOutlook, Since, TableOutlook};
pub use pipeline::Pipeline;
pub use repair::RepairRequest;
pub use report::{
    CopyReport, Covers, LastProof, LoadReport, PlanReport, Proof, RepairReport, RepairStatus,
    RepairTable, RepairWay, RunReport, TableReport, TableStatus, Verdict, VerifyPair, VerifyReport,
    VerifyRow, VerifyStatus, VerifyTable,
};
pub use standing::Standing;
pub use verify::{Depth, VerifyRequest};

use clock::SourceClock;
use context::TableContext;
use decide::{Decision, Known, decide};
use error::TableError;
use mark::NoMark;
use plan::Plan;
use select::{Selected, select};
use target_fit::TargetRefusal;
use until::Deadline;
use window::{NoWindow, WatermarkColumn, WatermarkKind, Window};

/// The code on the page `docs/embedding.md`, compiled as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct EmbeddingPage;
