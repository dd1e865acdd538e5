//! The whole pipeline: plan, replicate, load, prove, track, report.
