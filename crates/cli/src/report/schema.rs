//! The structure of tables in the target, as statements.

use handoff_connect::paste_my;
use handoff_model::visible;
use handoff_pipeline::{StructureListing, TableStructure, UntranslatedPart};

/// Prints the statements that make the tables, or with `diff` those that bring them into line. What cannot be carried
/// stands in comments, so that the whole may be run.
pub fn schema_text(listing: &StructureListing, diff: bool) -> String {
    let mut text: String = listing.tables.iter().map(|table| statements(table, diff)).collect();
    for refused in &listing.refused {
        text += &format!("-- {}: {}\n", refused.table, refused.error.replace('\n', " "));
    }
    if text.is_empty() {
        text.push_str("-- nothing to change\n");
    }
    text
}

/// Prints the parts of the source that a person has to translate, with their statements there.
pub fn rest_text(parts: &[UntranslatedPart]) -> String {
    if parts.is_empty() {
        return "-- the source has no views, triggers, routines or events\n".to_owned();
    }
    let one = |part: &UntranslatedPart| {
        let (kind, name) = (&part.kind, visible(&part.name));
        match part.text.as_str() {
            "" => format!("-- {kind} {name}: the account may not see its text\n"),
            text => format!("-- {kind} {name}\n{};\n", paste_my(text)),
        }
    };
    parts.iter().map(one).collect()
}

fn statements(table: &TableStructure, diff: bool) -> String {
    let all = if diff { &table.diff } else { &table.create };
    let mut text: String = all.iter().map(|statement| format!("{statement};\n")).collect();
    if diff && !table.views.is_empty() {
        let views = table.views.join(", ");
        text.insert_str(
            0,
            &format!("-- a run takes these views down first, and puts them up again: {views}\n"),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::TableName;
    use handoff_pipeline::RefusedStructure;

    #[test]
    fn the_rest_is_told_with_its_texts() {
        let part = |name: &str, text: &str| UntranslatedPart {
            kind: "view".to_owned(),
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let parts = [part("v", "CREATE VIEW v AS SELECT 1"), part("w", "")];
        assert_eq!(
            rest_text(&parts),
            "-- view v\nCREATE VIEW v AS SELECT 1;\n-- view w: the account may not see its text\n"
        );
        assert!(rest_text(&[]).starts_with("-- the source has no views"));
    }

    #[test]
    fn statements_may_be_run_and_refusals_are_comments() {
        let table = |name: &str| TableName::new(name).unwrap();
        let mut listing = StructureListing {
            tables: vec![TableStructure {
                table: table("t"),
                create: vec!["CREATE TABLE t ()".to_owned(), "ALTER TABLE t".to_owned()],
                diff: Vec::new(),
                views: Vec::new(),
            }],
            refused: Vec::new(),
        };
        assert_eq!(schema_text(&listing, false), "CREATE TABLE t ();\nALTER TABLE t;\n");
        assert_eq!(schema_text(&listing, true), "-- nothing to change\n");
        let error = "it is\na view".to_owned();
        listing.refused.push(RefusedStructure { table: table("v"), error, diff: Vec::new() });
        assert_eq!(schema_text(&listing, true), "-- v: it is a view\n");
        listing.refused.clear();
        listing.tables[0].diff.push("ALTER TABLE t".to_owned());
        listing.tables[0].views.push("\"m\".\"v\"".to_owned());
        assert_eq!(
            schema_text(&listing, true),
            "-- a run takes these views down first, and puts them up again: \"m\".\"v\"\nALTER TABLE t;\n"
        );
    }
}
