//! Sentences about the parts that a replica's table does not have.

use handoff_connect::quote_my;
use handoff_schema::{Omission, OmissionKind};

/// Returns a sentence for each part that somebody may miss. The others are only listed.
pub(crate) fn notes(omissions: &[Omission]) -> Vec<String> {
    omissions.iter().filter_map(note).collect()
}

fn note(omission: &Omission) -> Option<String> {
    let name = omission.name.as_str();
    Some(match omission.kind {
        OmissionKind::ForeignKey if name.is_empty() => "a foreign key is not carried".to_owned(),
        OmissionKind::ForeignKey => format!("the foreign key {} is not carried", quote_my(name)),
        OmissionKind::Index => format!("the index {} is not in the replica", quote_my(name)),
        OmissionKind::History => "the history of the rows is not carried".to_owned(),
        OmissionKind::Partitions => "the partitions are not carried".to_owned(),
        OmissionKind::Triggers => format!("triggers are not carried ({name})"),
        OmissionKind::TableOption if concerns_the_machine(name) => {
            format!("{name} is not carried")
        }
        _ => return None,
    })
}

/// Returns true for an option by which the source's rows lie elsewhere, or encrypted.
fn concerns_the_machine(option: &str) -> bool {
    ["DATA DIRECTORY", "INDEX DIRECTORY", "TABLESPACE", "ENCRYPTED", "ENCRYPTION"].contains(&option)
}
