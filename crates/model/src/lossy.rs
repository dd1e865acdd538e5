//! Values that could not be copied unchanged.

use crate::name::ColumnName;
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

/// The number of values of one column that one policy changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LossCount {
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
pub struct LossAudit(Vec<LossCount>);

impl LossAudit {
    /// Counts `count` uses of `policy` on `column`.
    pub fn add(&mut self, column: &ColumnName, policy: LossPolicy, count: u64) {
        if count == 0 {
            return;
        }
        match self.0.iter_mut().find(|lossy| lossy.policy == policy && lossy.column == *column) {
            Some(lossy) => lossy.count += count,
            None => self.0.push(LossCount { column: column.clone(), policy, count }),
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &LossAudit) {
        for lossy in &other.0 {
            self.add(&lossy.column, lossy.policy, lossy.count);
        }
    }

    /// Returns what was counted.
    pub fn entries(&self) -> &[LossCount] {
        &self.0
    }

    /// Returns true if every value was carried unchanged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_a_policy_are_counted_by_column() {
        let (a, b) = (ColumnName::new("a").unwrap(), ColumnName::new("b").unwrap());
        let mut audit = LossAudit::default();
        audit.add(&a, LossPolicy::ZeroDates, 0);
        assert!(audit.is_empty(), "no use is no loss");
        audit.add(&a, LossPolicy::ZeroDates, 2);
        audit.add(&b, LossPolicy::ZeroDates, 1);
        let mut other = LossAudit::default();
        other.add(&a, LossPolicy::ZeroDates, 3);
        other.add(&a, LossPolicy::BadText, 1);
        audit.merge(&other);
        let counted: Vec<(&str, &str, u64)> = audit
            .entries()
            .iter()
            .map(|loss| (loss.column.as_str(), loss.policy.name(), loss.count))
            .collect();
        assert_eq!(counted, [("a", "zero_dates", 5), ("b", "zero_dates", 1), ("a", "bad_text", 1)]);
    }

    #[test]
    fn policies_are_named_as_in_the_settings() {
        for policy in
            [LossPolicy::ZeroDates, LossPolicy::NulBytes, LossPolicy::BadText, LossPolicy::BadJson]
        {
            let json = serde_json::to_string(&policy).unwrap();
            assert_eq!(json, format!("\"{}\"", policy.name()));
        }
    }
}
