//! What could not be carried unchanged.

use crate::ColumnName;
use serde::Serialize;

/// The policy that changed a value, named as in `[values]` of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossPolicy {
    /// A zero, partial or impossible date.
    ZeroDates,
    /// A NUL byte in a text.
    NulBytes,
    /// A text that is not valid in its character set.
    BadText,
    /// A document that jsonb cannot hold.
    BadJson,
}

impl LossPolicy {
    /// Returns the key of `[values]` that decides what happens.
    pub fn name(self) -> &'static str {
        match self {
            LossPolicy::ZeroDates => "zero_dates",
            LossPolicy::NulBytes => "nul_bytes",
            LossPolicy::BadText => "bad_text",
            LossPolicy::BadJson => "bad_json",
        }
    }
}

/// How often one policy changed a value of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lossy {
    /// The column.
    pub column: ColumnName,
    /// The policy.
    pub policy: LossPolicy,
    /// The number of values it changed.
    pub count: u64,
}

/// Every use of a policy in one move of one table, in the order of first use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Audit(Vec<Lossy>);

impl Audit {
    /// Counts `count` uses of `policy` on `column`.
    pub fn add(&mut self, column: &ColumnName, policy: LossPolicy, count: u64) {
        if count == 0 {
            return;
        }
        match self.0.iter_mut().find(|lossy| lossy.policy == policy && lossy.column == *column) {
            Some(lossy) => lossy.count += count,
            None => self.0.push(Lossy { column: column.clone(), policy, count }),
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Audit) {
        for lossy in &other.0 {
            self.add(&lossy.column, lossy.policy, lossy.count);
        }
    }

    /// Returns what was counted.
    pub fn entries(&self) -> &[Lossy] {
        &self.0
    }

    /// Returns true if every value was carried unchanged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
