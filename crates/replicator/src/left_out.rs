//! Sentences about the parts that a replica's table does not have.

use handoff_connect::quote_my;
use handoff_schema::{OmissionKind, OmittedPart};

/// Returns a sentence for each part that somebody may miss. The others are only listed.
pub(crate) fn notes(omissions: &[OmittedPart]) -> Vec<String> {
    omissions.iter().filter_map(note).collect()
}

fn note(omission: &OmittedPart) -> Option<String> {
    let name = omission.name.as_str();
    Some(match omission.kind {
        OmissionKind::ForeignKey if name.is_empty() => "a foreign key is left out".to_owned(),
        OmissionKind::ForeignKey => format!("the foreign key {} is left out", quote_my(name)),
        OmissionKind::Index => format!("the index {} is not in the replica", quote_my(name)),
        OmissionKind::History => "the history of the rows is left out".to_owned(),
        OmissionKind::Partitions => "the partitions are left out".to_owned(),
        OmissionKind::Triggers => format!("triggers are left out ({name})"),
        OmissionKind::TableOption if concerns_the_machine(name) => {
            format!("{name} is left out")
        }
        _ => return None,
    })
}

/// Returns true for an option by which the source's rows lie elsewhere, or encrypted.
fn concerns_the_machine(option: &str) -> bool {
    ["DATA DIRECTORY", "INDEX DIRECTORY", "TABLESPACE", "ENCRYPTED", "ENCRYPTION"].contains(&option)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::TableName;

    #[track_caller]
    fn check(kind: OmissionKind, name: &str, expected: Option<&str>) {
        let table = TableName::new("t").unwrap();
        let found = notes(&[OmittedPart { table, kind, name: name.to_owned() }]);
        assert_eq!(found.first().map(String::as_str), expected, "{kind:?}");
    }

    #[test]
    fn only_parts_that_somebody_may_miss_are_noted() {
        check(OmissionKind::ForeignKey, "fk", Some("the foreign key `fk` is left out"));
        check(OmissionKind::ForeignKey, "", Some("a foreign key is left out"));
        check(OmissionKind::Index, "i", Some("the index `i` is not in the replica"));
        check(OmissionKind::Triggers, "2", Some("triggers are left out (2)"));
        check(OmissionKind::TableOption, "TABLESPACE", Some("TABLESPACE is left out"));
        check(OmissionKind::TableOption, "STATS_PERSISTENT", None);
        check(OmissionKind::Check, "c", None);
        check(OmissionKind::Default, "a", None);
    }
}
