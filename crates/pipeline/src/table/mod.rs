//! One table's way through a run.

mod evidence;

pub(crate) use evidence::{Checksums, Evidence, ProofRule, RowSums, SideRows, WrittenSince};
