use super::*;
use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableSchema, TargetObstacle};
use handoff_settings::{TableSettings, ValuePolicies};

/// A source table `t`, column by column: a name, a type, and `NOT NULL` or nothing. The first is the key.
fn source(columns: &[(&str, &str, bool)]) -> TableMapping {
    keyed(columns, &[0])
}

fn keyed(columns: &[(&str, &str, bool)], key: &[usize]) -> TableMapping {
    let column = |&(name, kind, not_null): &(&str, &str, bool)| ColumnSchema {
        nullable: !not_null,
        ..ColumnSchema::of_type(name, kind).unwrap()
    };
    let part =
        |&column: &usize| IndexPart { column: Some(column), prefix: None, descending: false };
    let primary = IndexSchema {
        name: "PRIMARY".to_owned(),
        unique: true,
        parts: key.iter().map(part).collect(),
    };
    let schema = TableSchema {
        columns: columns.iter().map(column).collect(),
        indexes: if key.is_empty() { Vec::new() } else { vec![primary] },
        ..TableSchema::empty("t")
    };
    TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default()).unwrap()
}

fn column(name: &str, type_name: &str) -> PgColumn {
    PgColumn {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        not_null: false,
        generated: false,
        has_default: false,
        is_bound: false,
        is_viewed: false,
    }
}

fn not_null(column: PgColumn) -> PgColumn {
    PgColumn { not_null: true, ..column }
}

fn bound(column: PgColumn) -> PgColumn {
    PgColumn { is_bound: true, ..column }
}

fn viewed(column: PgColumn) -> PgColumn {
    PgColumn { is_viewed: true, ..column }
}

fn with_default(column: PgColumn) -> PgColumn {
    PgColumn { has_default: true, ..column }
}

/// A table of the target with the key `id`.
fn target(columns: Vec<PgColumn>) -> TargetTable {
    TargetTable {
        name: "t".to_owned(),
        kind: TargetKind::Table,
        columns: [vec![not_null(column("id", "integer"))], columns].concat(),
        key: vec!["id".to_owned()],
        other_unique_indexes: 0,
        obstacles: Vec::new(),
        key_name: Some("t_pkey".to_owned()),
        spare_name: "spare".to_owned(),
    }
}

const FOLLOW: ColumnPolicy<'_> = ColumnPolicy {
    structure: StructurePolicy::Follow,
    dropped: DroppedColumns::Keep,
    written: None,
};
const EXTEND: ColumnPolicy<'_> = ColumnPolicy { structure: StructurePolicy::Extend, ..FOLLOW };
const FAIL: ColumnPolicy<'_> = ColumnPolicy { structure: StructurePolicy::Fail, ..FOLLOW };

fn plan(mapping: &TableMapping, there: &TargetTable, policy: ColumnPolicy<'_>) -> StructurePlan {
    StructurePlan::make(mapping, "raw", there, policy).unwrap()
}

/// Returns the reasons of a refusal.
fn refused(mapping: &TableMapping, there: &TargetTable, policy: ColumnPolicy<'_>) -> String {
    StructurePlan::make(mapping, "raw", there, policy).unwrap_err().reasons.join("; ")
}

/// Returns the changes of a column `a` of the source's type `to` that the target has as `from`.
fn retyped(from: PgColumn, to: &str, policy: ColumnPolicy<'_>) -> Result<Vec<String>, String> {
    let mapping = source(&[("id", "int", true), ("a", to, false)]);
    let made = StructurePlan::make(&mapping, "raw", &target(vec![from]), policy);
    let plan = made.map_err(|misfit| misfit.reasons.last().unwrap().clone())?;
    let spelled = plan.changes.iter().map(|change| {
        let statements: Vec<&str> = change.statements().map(short).collect();
        format!("{}: {}", change.class.name(), statements.join("; "))
    });
    Ok(spelled.collect())
}

fn short(statement: &str) -> &str {
    statement.strip_prefix("ALTER TABLE \"raw\".\"t\" ").unwrap()
}

const BOTH: [ColumnPolicy<'_>; 2] = [FOLLOW, EXTEND];

#[test]
fn a_table_that_fits_needs_no_change() {
    let mapping = source(&[("id", "int", true), ("a", "varchar(5)", false)]);
    for policy in [FOLLOW, EXTEND, FAIL] {
        assert!(plan(&mapping, &target(vec![column("a", "text")]), policy).is_empty());
    }
}

#[test]
fn a_column_is_added_at_any_place() {
    let columns = [("id", "int", true), ("a", "varchar(5)", false), ("b", "int", false)];
    let there = [column("id", "integer"), column("a", "text"), column("b", "integer")];
    for policy in BOTH {
        for new in 1..3 {
            let left = there.iter().enumerate().filter(|&(index, _)| index != 0 && index != new);
            let left = left.map(|(_, column)| column.clone()).collect();
            let plan = plan(&source(&columns), &target(left), policy);
            let (name, kind) = (&there[new].name, &there[new].type_name);
            let [change] = &plan.changes[..] else { panic!("{:?}", plan.changes) };
            assert_eq!(change.class, ChangeClass::ColumnAdded);
            assert_eq!(
                short(change.before.as_ref().unwrap()),
                format!("ADD COLUMN \"{name}\" {kind}")
            );
            assert!(plan.fills_rows() && !plan.ends_with_rows());
            assert_eq!(plan.mapping, source(&columns));
        }
    }
}

#[test]
fn an_added_column_takes_every_type_and_never_not_null() {
    for (kind, expected) in [
        ("int", "integer"),
        ("bigint unsigned", "numeric(20,0)"),
        ("varchar(20)", "text"),
        ("decimal(10,2)", "numeric(10,2)"),
        ("datetime(3)", "timestamp(3) without time zone"),
        ("json", "jsonb"),
        ("blob", "bytea"),
        ("double", "double precision"),
    ] {
        let mapping = source(&[("id", "int", true), ("it's \"a\"", kind, true)]);
        let plan = plan(&mapping, &target(vec![]), FOLLOW);
        let statement = format!("ADD COLUMN \"it's \"\"a\"\"\" {expected}");
        assert_eq!(short(plan.changes[0].before.as_ref().unwrap()), statement);
    }
}

#[test]
fn a_column_that_may_be_null_loses_its_constraint() {
    let mapping = source(&[("id", "int", true), ("a", "int", false)]);
    for policy in BOTH {
        let plan = plan(&mapping, &target(vec![not_null(column("a", "integer"))]), policy);
        assert_eq!(plan.changes[0].class, ChangeClass::MadeNullable);
        assert_eq!(
            short(plan.changes[0].before.as_ref().unwrap()),
            "ALTER COLUMN \"a\" DROP NOT NULL"
        );
        assert!(!plan.fills_rows());
    }
}

#[test]
fn a_type_that_the_server_widens_in_its_catalogue_is_widened_there() {
    for (from, to, kind) in [
        ("numeric(10,2)", "decimal(12,2)", "numeric(12,2)"),
        ("numeric(20,0)", "decimal(30,0)", "numeric(30,0)"),
        ("timestamp(0) without time zone", "datetime(6)", "timestamp(6) without time zone"),
        ("timestamp(3) without time zone", "datetime(6)", "timestamp(6) without time zone"),
        ("timestamp(0) with time zone", "timestamp(3)", "timestamp(3) with time zone"),
        ("character varying(20)", "varchar(30)", "text"),
        ("character varying", "text", "text"),
    ] {
        for policy in BOTH {
            let done = retyped(column("a", from), to, policy).unwrap();
            assert_eq!(done, [format!("widened: ALTER COLUMN \"a\" TYPE {kind}")], "{from}");
        }
    }
}

#[test]
fn a_type_that_would_keep_readers_out_is_built_beside() {
    for (from, to, kind) in [
        ("smallint", "int", "integer"),
        ("smallint", "bigint", "bigint"),
        ("integer", "bigint", "bigint"),
        ("integer", "bigint unsigned", "numeric(20,0)"),
        ("bigint", "bigint unsigned", "numeric(20,0)"),
        ("real", "double", "double precision"),
    ] {
        for policy in BOTH {
            let expected = format!(
                "built_anew: ADD COLUMN \"__handoff_new_1\" {kind}; DROP COLUMN \"a\"; RENAME COLUMN \
                 \"__handoff_new_1\" TO \"a\""
            );
            assert_eq!(retyped(column("a", from), to, policy).unwrap(), [expected], "{from}");
            let held = [bound(column("a", from)), with_default(column("a", from))];
            for held in held {
                let expected = format!("widened: ALTER COLUMN \"a\" TYPE {kind}");
                assert_eq!(retyped(held, to, policy).unwrap(), [expected], "{from}");
            }
        }
    }
}

#[test]
fn another_type_is_built_beside_under_follow_alone() {
    for (from, to) in [
        ("integer", "smallint"),
        ("bigint", "int"),
        ("integer", "varchar(9)"),
        ("text", "int"),
        ("text", "json"),
        ("jsonb", "text"),
        ("text", "blob"),
        ("bytea", "varchar(9)"),
        ("numeric(12,2)", "decimal(10,2)"),
        ("numeric(10,2)", "decimal(12,4)"),
        ("double precision", "float"),
        ("date", "datetime"),
        ("timestamp(6) without time zone", "datetime"),
        ("timestamp(0) without time zone", "timestamp"),
        ("boolean", "tinyint"),
        ("bit(1)", "bit(8)"),
        ("uuid", "char(36)"),
    ] {
        let done = retyped(column("a", from), to, FOLLOW).unwrap();
        assert!(
            done[0].starts_with("built_anew: ADD COLUMN \"__handoff_new_1\" "),
            "{from}: {done:?}"
        );
        let refusal = retyped(column("a", from), to, EXTEND).unwrap_err();
        assert!(refusal.contains("structure = \"extend\" lets no column"), "{from}: {refusal}");
        let refusal = retyped(bound(column("a", from)), to, FOLLOW).unwrap_err();
        assert!(refusal.contains("would be lost"), "{from}: {refusal}");
        assert!(retyped(with_default(column("a", from)), to, FOLLOW).is_err(), "{from}");
    }
}

#[test]
fn the_old_column_needs_no_value_while_the_new_one_is_filled() {
    let done = retyped(not_null(column("a", "integer")), "bigint", FOLLOW).unwrap();
    let expected =
        "built_anew: ADD COLUMN \"__handoff_new_1\" bigint, ALTER COLUMN \"a\" DROP NOT NULL; ";
    assert!(done.last().unwrap().starts_with(expected), "{done:?}");
}

#[test]
fn rows_are_loaded_by_the_name_of_the_column_beside() {
    let mapping = source(&[("id", "int", true), ("a", "bigint", false), ("b", "int", false)]);
    let there = target(vec![column("a", "integer"), column("b", "text")]);
    let plan = plan(&mapping, &there, FOLLOW);
    let names: Vec<&str> = plan.mapping.columns.iter().map(|column| &*column.pg_name).collect();
    assert_eq!(names, ["id", "__handoff_new_1", "__handoff_new_2"]);
    assert!(plan.fills_rows() && plan.ends_with_rows());
    assert_eq!(plan.built_anew(), ["a", "b"]);
}

#[test]
fn a_key_is_widened_where_it_is() {
    for policy in BOTH {
        let wide = source(&[("id", "bigint", true)]);
        let plan = plan(&wide, &target(vec![]), policy);
        assert_eq!(plan.changes.len(), 1);
        assert_eq!(plan.changes[0].class, ChangeClass::Widened);
        assert_eq!(
            short(plan.changes[0].before.as_ref().unwrap()),
            "ALTER COLUMN \"id\" TYPE bigint"
        );
    }
}

/// Returns the statements before the rows, those that take their time, and those while nobody reads.
fn stages(plan: &StructurePlan) -> [Vec<String>; 3] {
    let before = plan.changes.iter().filter_map(|change| change.before.clone());
    let building = plan.changes.iter().flat_map(|change| change.building.clone());
    [before.collect(), building.collect(), plan.closing().cloned().collect()]
}

#[test]
fn a_key_of_another_type_is_taken_off_and_put_on_again() {
    let narrow = source(&[("id", "smallint", true)]);
    let plan = plan(&narrow, &target(vec![]), FOLLOW);
    assert!(plan.fills_rows() && plan.ends_with_rows() && plan.drops_key());
    assert!(plan.mapping.key.is_empty());
    assert_eq!(plan.mapping.columns[0].pg_name, "__handoff_new_0");
    let table = "ALTER TABLE \"raw\".\"t\"";
    let [before, building, closing] = stages(&plan);
    assert_eq!(
        before,
        [
            format!("{table} DROP CONSTRAINT \"t_pkey\""),
            format!(
                "{table} ADD COLUMN \"__handoff_new_0\" smallint, ALTER COLUMN \"id\" DROP NOT NULL"
            ),
        ]
    );
    assert_eq!(building, ["CREATE UNIQUE INDEX \"t_pkey\" ON \"raw\".\"t\" (\"__handoff_new_0\")"]);
    assert_eq!(
        closing,
        [
            format!("{table} DROP COLUMN \"id\""),
            format!("{table} RENAME COLUMN \"__handoff_new_0\" TO \"id\""),
            format!("{table} ADD CONSTRAINT \"t_pkey\" PRIMARY KEY USING INDEX \"t_pkey\""),
        ]
    );
    assert!(refused(&narrow, &target(vec![]), EXTEND).contains("structure = \"extend\""));
}

#[test]
fn another_key_is_put_on_with_the_rows_and_refused_where_nothing_is_followed() {
    let columns = [("id", "int", true), ("a", "int", true)];
    let there = target(vec![column("a", "integer")]);
    for (key, words) in [(&[1_usize][..], "(\"a\")"), (&[0, 1], "(\"id\", \"a\")"), (&[], "none")] {
        let mapping = keyed(&columns, key);
        let followed = plan(&mapping, &there, FOLLOW);
        assert_eq!(followed.changes[0].class, ChangeClass::KeyChanged, "{key:?}");
        assert_eq!(followed.changes[0].said, format!("the key becomes {words}, from (\"id\")"));
        assert_eq!(followed.ends_with_rows(), !key.is_empty());
        assert!(followed.mapping.key.is_empty() && followed.built_anew().is_empty());
        for policy in [EXTEND, FAIL] {
            let refusal = refused(&mapping, &there, policy);
            assert!(refusal.contains("the primary key is \"id\", not"), "{key:?}: {refusal}");
        }
    }
    // The key in another order is the same.
    let two = TargetTable { key: vec!["a".to_owned(), "id".to_owned()], ..there.clone() };
    assert!(plan(&keyed(&columns, &[0, 1]), &two, FOLLOW).is_empty());
    // A run that was interrupted has taken the key off.
    let none = TargetTable { key: Vec::new(), key_name: None, ..there };
    let again = plan(&keyed(&columns, &[0]), &none, FOLLOW);
    assert!(!again.drops_key());
    assert_eq!(again.changes[0].statements().count(), 2);
}

#[test]
fn a_plan_is_of_a_table_whatever_views_it_has() {
    let mapping = source(&[("id", "int", true), ("a", "bigint", false)]);
    let plan = plan(&mapping, &target(vec![viewed(column("a", "integer"))]), FOLLOW);
    assert!(plan.is_of(&target(vec![column("a", "integer")])));
    assert!(!plan.is_of(&target(vec![column("a", "bigint")])));
    assert!(!plan.is_of(&target(vec![])));
}

#[test]
fn views_are_known_to_stand_in_the_way_of_a_type_alone() {
    let mapping =
        source(&[("id", "int", true), ("a", "decimal(12,2)", false), ("b", "int", false)]);
    let plan = plan(&mapping, &target(vec![viewed(column("a", "numeric(10,2)"))]), FOLLOW);
    assert_eq!(plan.widened(), ["a"]);
    let anew = retyped(viewed(column("a", "integer")), "bigint", FOLLOW).unwrap();
    assert!(anew[0].starts_with("built_anew"));
}

#[test]
fn a_column_that_is_gone_stays() {
    let mapping = source(&[("id", "int", true)]);
    for policy in BOTH {
        for kept in [
            column("old", "text"),
            with_default(not_null(column("old", "text"))),
            PgColumn { generated: true, ..not_null(column("old", "text")) },
        ] {
            assert!(plan(&mapping, &target(vec![kept]), policy).is_empty());
        }
        let plan = plan(&mapping, &target(vec![not_null(column("old", "text"))]), policy);
        assert_eq!(plan.changes[0].class, ChangeClass::ColumnKept);
        assert_eq!(
            short(plan.changes[0].before.as_ref().unwrap()),
            "ALTER COLUMN \"old\" DROP NOT NULL"
        );
        assert!(!plan.fills_rows());
    }
}

#[test]
fn a_column_is_dropped_only_if_it_was_ours_and_nothing_uses_it() {
    let mapping = source(&[("id", "int", true)]);
    let written: BTreeSet<String> = ["id".to_owned(), "old".to_owned()].into();
    let drop = ColumnPolicy { dropped: DroppedColumns::Drop, written: Some(&written), ..FOLLOW };
    let plan = |columns, policy| plan(&mapping, &target(columns), policy);
    let dropped = plan(vec![column("old", "text")], drop);
    assert_eq!(dropped.changes[0].class, ChangeClass::ColumnDropped);
    assert_eq!(short(dropped.changes[0].before.as_ref().unwrap()), "DROP COLUMN \"old\"");
    assert!(!dropped.fills_rows());
    assert!(plan(vec![column("theirs", "text")], drop).is_empty());
    assert!(plan(vec![viewed(column("old", "text"))], drop).is_empty());
    assert!(plan(vec![bound(column("old", "text"))], drop).is_empty());
    assert!(plan(vec![column("old", "text")], ColumnPolicy { written: None, ..drop }).is_empty());
    let extend = ColumnPolicy { structure: StructurePolicy::Extend, ..drop };
    assert!(plan(vec![column("old", "text")], extend).is_empty());
}

#[test]
fn a_rename_is_a_column_more_and_a_suggestion() {
    let mapping = source(&[("id", "int", true), ("new", "varchar(9)", false)]);
    let written: BTreeSet<String> = ["id".to_owned(), "old".to_owned()].into();
    let known = ColumnPolicy { written: Some(&written), ..FOLLOW };
    let same = plan(&mapping, &target(vec![column("old", "text")]), known);
    assert_eq!(same.changes.len(), 1);
    assert_eq!(same.changes[0].class, ChangeClass::ColumnAdded);
    let stays = "the column \"old\" is gone from the source: it stays in the target with its values, and is no longer \
                 written";
    assert_eq!(same.notes[0], stays);
    assert!(same.notes[1].starts_with("\"new\" may be \"old\" under a new name"));
    let other = plan(&mapping, &target(vec![column("old", "integer")]), known);
    assert_eq!(other.notes, [stays]);
    let theirs = plan(&mapping, &target(vec![column("theirs", "text")]), known);
    assert!(theirs.notes.is_empty());
}

#[test]
fn what_an_interrupted_run_left_is_dropped_first() {
    let mapping = source(&[("id", "int", true), ("a", "bigint", false)]);
    let there = target(vec![column("a", "integer"), column("__handoff_new_1", "bigint")]);
    let plan = plan(&mapping, &there, FOLLOW);
    let classes: Vec<ChangeClass> = plan.changes.iter().map(|change| change.class).collect();
    assert_eq!(classes, [ChangeClass::ColumnDropped, ChangeClass::BuiltAnew]);
    assert_eq!(short(plan.changes[0].before.as_ref().unwrap()), "DROP COLUMN \"__handoff_new_1\"");
}

#[test]
fn what_else_keeps_rows_out_is_refused_as_ever() {
    let mapping = source(&[("id", "int", true), ("a", "int", false)]);
    let with = |change: fn(&mut TargetTable)| {
        let mut there = target(vec![]);
        change(&mut there);
        there
    };
    for policy in BOTH {
        let unlogged = with(|there| there.obstacles.push(TargetObstacle::Unlogged));
        assert!(refused(&mapping, &unlogged, policy).contains("is missing"));
        let view = with(|there| there.kind = TargetKind::View);
        assert!(refused(&mapping, &view, policy).contains("it is a view"));
        let parts = with(|there| there.kind = TargetKind::Partitioned);
        assert!(refused(&mapping, &parts, policy).contains("a partitioned table"));
        let generated = PgColumn { generated: true, ..column("a", "integer") };
        let there = target(vec![generated]);
        assert!(refused(&mapping, &there, policy).contains("is generated and takes no value"));
    }
}

#[test]
fn under_fail_every_difference_is_refused_with_its_statement() {
    let mapping = source(&[("id", "int", true), ("a", "int", false)]);
    for there in [
        target(vec![]),
        target(vec![column("a", "bigint")]),
        target(vec![not_null(column("a", "integer"))]),
        target(vec![column("a", "integer"), column("more", "text")]),
    ] {
        let misfit = StructurePlan::make(&mapping, "raw", &there, FAIL).unwrap_err();
        assert!(misfit.statements[0].starts_with("ALTER TABLE \"raw\".\"t\" "), "{misfit:?}");
    }
}

#[test]
fn several_changes_come_in_the_order_of_the_columns() {
    let mapping = source(&[
        ("id", "bigint", true),
        ("a", "int", false),
        ("b", "varchar(9)", false),
        ("c", "decimal(12,2)", false),
    ]);
    let there = target(vec![
        not_null(column("old", "text")),
        column("c", "numeric(10,2)"),
        not_null(column("b", "integer")),
    ]);
    let plan = plan(&mapping, &there, FOLLOW);
    let done: Vec<_> = plan.changes.iter().map(|one| (one.class, &*one.column)).collect();
    assert_eq!(
        done,
        [
            (ChangeClass::Widened, "id"),
            (ChangeClass::ColumnAdded, "a"),
            (ChangeClass::MadeNullable, "b"),
            (ChangeClass::BuiltAnew, "b"),
            (ChangeClass::Widened, "c"),
            (ChangeClass::ColumnKept, "old"),
        ]
    );
}
