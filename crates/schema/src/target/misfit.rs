//! The decision whether rows can be loaded into a table of the target.

use super::{TargetKind, TargetObstacle, TargetTable};
use crate::{Mapping, ddl};
use handoff_connect::{paste_pg, quote_pg};
use handoff_model::{TableName, visible};
use std::fmt;

/// Why rows can't be loaded into a table of the target, with what changes that. [`Display`](fmt::Display) says it in one
/// sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetMisfit {
    /// The table of the source.
    pub table: TableName,
    /// The table of the target, quoted, with its schema.
    pub target: String,
    /// Why, as sentences about the table.
    pub reasons: Vec<String>,
    /// The statements that change it; empty where it can only be put aside.
    pub statements: Vec<String>,
    /// Whether the table is then to be loaded in full.
    pub in_full: bool,
    /// The statement that puts it aside, so that the table is loaded afresh.
    pub aside: String,
}

impl TargetMisfit {
    /// Decides whether rows of `mapping` can be loaded into `there`, a table of `schema`. The same answer serves
    /// `check`, `plan`, and `run` before and in the transaction that publishes.
    pub fn find(mapping: &Mapping, schema: &str, there: &TargetTable) -> Option<TargetMisfit> {
        TargetMisfit::among(mapping, schema, there, &there.obstacles)
    }

    /// Decides whether rows of `mapping` can be read from `there`: what stands in the way of writing alone does not
    /// count.
    pub fn find_to_read(
        mapping: &Mapping,
        schema: &str,
        there: &TargetTable,
    ) -> Option<TargetMisfit> {
        let hides = there.obstacles.iter().filter(|obstacle| obstacle.hides_rows());
        TargetMisfit::among(mapping, schema, there, &hides.cloned().collect::<Vec<_>>())
    }

    fn among(
        mapping: &Mapping,
        schema: &str,
        there: &TargetTable,
        obstacles: &[TargetObstacle],
    ) -> Option<TargetMisfit> {
        let target = ddl::qualified(schema, &there.name);
        let found = Found::of(mapping, &target, there, obstacles)?;
        let aside = quote_pg(there.spare_name.as_str());
        Some(TargetMisfit {
            table: mapping.table.clone(),
            aside: format!("ALTER {} {target} RENAME TO {aside}", there.kind.in_ddl()),
            target,
            reasons: found.reasons,
            statements: found.statements,
            in_full: found.in_full,
        })
    }

    /// Spells what to do, ready for a sentence.
    pub fn remedy(&self) -> String {
        let aside = &self.aside;
        match &self.statements[..] {
            [] => format!("put it aside and it is loaded afresh: {aside}"),
            statements if self.in_full => format!(
                "run {} and then `etl run {} --full`, or put it aside and it is loaded afresh: {aside}",
                statements.join("; "),
                self.table.in_shell()
            ),
            statements => format!("run {}", statements.join("; ")),
        }
    }
}

impl fmt::Display for TargetMisfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = self.reasons.join("; ");
        let Self { target, .. } = self;
        let said =
            format!("the target table {target} cannot be loaded: {reasons}: {}", self.remedy());
        f.write_str(&visible(&paste_pg(&said)))
    }
}

struct Found {
    reasons: Vec<String>,
    statements: Vec<String>,
    in_full: bool,
}

impl Found {
    fn of(
        mapping: &Mapping,
        target: &str,
        there: &TargetTable,
        obstacles: &[TargetObstacle],
    ) -> Option<Found> {
        if let Some(kind) = there.kind.not_loadable() {
            return Some(Found { reasons: vec![kind], statements: Vec::new(), in_full: false });
        }
        let differences = ddl::differences(mapping, &there.columns, &there.key);
        if !differences.is_empty() {
            let statements = ddl::alter(mapping, target, there).into_iter().collect();
            return Some(Found { reasons: differences, statements, in_full: true });
        }
        (!obstacles.is_empty()).then(|| Found {
            reasons: obstacles.iter().map(TargetObstacle::what).collect(),
            statements: obstacles.iter().flat_map(|obstacle| obstacle.remedy(target)).collect(),
            in_full: false,
        })
    }
}

impl TargetKind {
    /// Says what it is, if rows cannot be loaded into it.
    fn not_loadable(self) -> Option<String> {
        let what = match self {
            TargetKind::Table => return None,
            TargetKind::Partitioned => "a partitioned table",
            TargetKind::View => "a view",
            TargetKind::MaterializedView => "a materialized view",
            TargetKind::ForeignTable => "a foreign table",
        };
        Some(format!("it is {what}"))
    }

    fn in_ddl(self) -> &'static str {
        match self {
            TargetKind::Table | TargetKind::Partitioned => "TABLE",
            TargetKind::View => "VIEW",
            TargetKind::MaterializedView => "MATERIALIZED VIEW",
            TargetKind::ForeignTable => "FOREIGN TABLE",
        }
    }
}
