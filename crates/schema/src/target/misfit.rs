//! The decision whether rows can be loaded into a table of the target.

use crate::ddl;
use crate::ddl::SurplusColumns;
use crate::mapping::TableMapping;
use crate::target::obstacle::TargetObstacle;
use crate::target::target_table::{TargetKind, TargetTable};
use handoff_connect::{paste_pg, quote_pg};
use handoff_model::{TableName, visible};
use std::fmt;

/// The reasons that rows can't be loaded into a table of the target, with the remedy.
/// [`Display`](fmt::Display) says both in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetMisfit {
    /// The table of the source.
    pub table: TableName,
    /// The table of the target, quoted, with its schema.
    pub target: String,
    /// The reasons, as sentences about the table.
    pub reasons: Vec<String>,
    /// The statements that change it; empty where it can only be put aside.
    pub statements: Vec<String>,
    /// True if the table is then to be loaded in full.
    pub in_full: bool,
    /// The statement that puts it aside, so that the table is loaded afresh.
    pub aside: String,
}

impl TargetMisfit {
    /// Decides whether rows of `mapping` can be loaded into `there`, a table of `schema`. The same answer serves
    /// `check`, `plan`, and `run` before and in the transaction that publishes.
    pub fn find(mapping: &TableMapping, schema: &str, there: &TargetTable) -> Option<TargetMisfit> {
        let surplus = SurplusColumns::Tolerated;
        TargetMisfit::among(mapping, schema, there, &there.obstacles, surplus)
    }

    /// Decides the same where a column that the source does not have is a reason against it.
    pub fn find_unlike(
        mapping: &TableMapping,
        schema: &str,
        there: &TargetTable,
    ) -> Option<TargetMisfit> {
        let surplus = SurplusColumns::Refused;
        TargetMisfit::among(mapping, schema, there, &there.obstacles, surplus)
    }

    /// Decides whether rows of `mapping` can be read from `there`: what stands in the way of writing alone does not
    /// count.
    pub fn find_to_read(
        mapping: &TableMapping,
        schema: &str,
        there: &TargetTable,
    ) -> Option<TargetMisfit> {
        let hides = there.obstacles.iter().filter(|obstacle| obstacle.hides_rows());
        let obstacles: Vec<_> = hides.cloned().collect();
        TargetMisfit::among(mapping, schema, there, &obstacles, SurplusColumns::Tolerated)
    }

    fn among(
        mapping: &TableMapping,
        schema: &str,
        there: &TargetTable,
        obstacles: &[TargetObstacle],
        surplus: SurplusColumns,
    ) -> Option<TargetMisfit> {
        let target = ddl::qualified(schema, &there.name);
        let found = Found::of(mapping, &target, there, obstacles, surplus)?;
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
        mapping: &TableMapping,
        target: &str,
        there: &TargetTable,
        obstacles: &[TargetObstacle],
        surplus: SurplusColumns,
    ) -> Option<Found> {
        if let Some(kind) = there.kind.not_loadable() {
            return Some(Found { reasons: vec![kind], statements: Vec::new(), in_full: false });
        }
        let differences = ddl::differences(mapping, &there.columns, &there.key, surplus);
        if !differences.is_empty() {
            let statements = ddl::alter(mapping, target, there, surplus).into_iter().collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::{ColumnSchema, IndexPart, IndexSchema, TableSchema};
    use handoff_settings::{TableSettings, ValuePolicies};

    fn mapping() -> TableMapping {
        let id =
            ColumnSchema { nullable: false, ..ColumnSchema::of_type("id", "int(11)").unwrap() };
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let table = TableSchema {
            columns: vec![id],
            indexes: vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }],
            ..TableSchema::empty("t")
        };
        TableMapping::new(&table, &TableSettings::default(), &ValuePolicies::default()).unwrap()
    }

    fn there(kind: TargetKind, obstacles: Vec<TargetObstacle>) -> TargetTable {
        let id = ddl::PgColumn {
            name: "id".to_owned(),
            type_name: "integer".to_owned(),
            not_null: true,
            generated: false,
            has_default: false,
            is_bound: true,
            is_viewed: false,
        };
        TargetTable {
            name: "t".to_owned(),
            kind,
            columns: vec![id],
            key: vec!["id".to_owned()],
            other_unique_indexes: 0,
            obstacles,
            key_name: None,
            spare_name: "t_1".to_owned(),
        }
    }

    #[test]
    fn a_table_as_the_mapping_makes_it_fits() {
        assert_eq!(TargetMisfit::find(&mapping(), "raw", &there(TargetKind::Table, vec![])), None);
    }

    #[test]
    fn a_view_can_only_be_put_aside() {
        let misfit =
            TargetMisfit::find(&mapping(), "raw", &there(TargetKind::View, vec![])).unwrap();
        assert!(misfit.statements.is_empty() && !misfit.in_full);
        assert_eq!(misfit.aside, r#"ALTER VIEW "raw"."t" RENAME TO "t_1""#);
        assert!(misfit.to_string().contains("it is a view"), "{misfit}");
    }

    #[test]
    fn an_obstacle_to_writing_alone_is_none_to_reading() {
        let unlogged = there(TargetKind::Table, vec![TargetObstacle::Unlogged]);
        assert!(TargetMisfit::find(&mapping(), "raw", &unlogged).is_some());
        assert_eq!(TargetMisfit::find_to_read(&mapping(), "raw", &unlogged), None);
        let hidden = there(TargetKind::Table, vec![TargetObstacle::RowSecurity]);
        assert!(TargetMisfit::find_to_read(&mapping(), "raw", &hidden).is_some());
    }

    #[test]
    fn another_structure_is_altered_and_then_loaded_in_full() {
        let mut other = there(TargetKind::Table, vec![TargetObstacle::Unlogged]);
        other.columns[0].type_name = "text".to_owned();
        let misfit = TargetMisfit::find(&mapping(), "raw", &other).unwrap();
        assert!(misfit.in_full);
        assert_eq!(misfit.statements.len(), 1);
        assert!(misfit.remedy().contains("etl run t --full"), "{}", misfit.remedy());
    }
}
