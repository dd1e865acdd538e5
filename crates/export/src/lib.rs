//! Documents for other programs, made from reports and records.
//!
//! | Module | Makes |
//! | --- | --- |
//! | [`metrics`] | metrics of a run and of the recorded state, for Prometheus |
//! | [`whole_file`] | a file that a reader finds whole or not at all |
//!
//! A document holds names, counts, times and sentences, and never a value of a row. Nothing here asks a server.

#![warn(unreachable_pub)]

pub mod metrics;
pub mod whole_file;
