//! The parts of the source that do not arrive in the target: listed by name, and counted for a line.

use handoff_model::{TableName, human::grouped, visible};
use handoff_schema::{OmissionKind, OmittedPart, SourceCatalogue};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The parts of the source that the target does not get. No row depends on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OmissionReport {
    /// The number of parts of each kind, such as `index`.
    pub counts: BTreeMap<&'static str, u64>,
    /// Each of them, by table.
    pub items: Vec<OmissionItem>,
}

/// One part that the target does not get.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OmissionItem {
    /// The table; of what is no table, such as a view or a routine, its own name.
    pub table: TableName,
    /// The kind, such as `index`.
    pub kind: &'static str,
    /// Its name, or that of its column; empty where it has none.
    pub name: String,
    /// The reason, of a part that is asked for and has no place in the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    #[serde(skip)]
    omission: OmissionKind,
}

impl OmissionReport {
    /// Gathers what of `catalogue` and of `others` is left out of the tables that `is_taken`. What the
    /// settings exclude is left out on purpose, and so is everything of it.
    pub fn new(
        catalogue: &SourceCatalogue,
        others: Vec<OmittedPart>,
        is_taken: impl Fn(&TableName) -> bool,
    ) -> OmissionReport {
        let mut report = OmissionReport::default();
        let all = catalogue.omissions.iter().cloned().chain(others);
        for OmittedPart { table, kind, name } in all.filter(|omission| is_taken(&omission.table)) {
            *report.counts.entry(kind.name()).or_default() += 1;
            let because = None;
            report.items.push(OmissionItem {
                table,
                kind: kind.name(),
                name,
                because,
                omission: kind,
            });
        }
        report.items.sort();
        report
    }

    /// Returns the report without the parts of a kind, all of which the target gets.
    #[must_use]
    pub fn without_kind(mut self, kind: OmissionKind) -> OmissionReport {
        self.counts.remove(kind.name());
        self.items.retain(|item| item.omission != kind);
        self
    }

    /// Returns the report without the parts that the target gets after all, and with the reasons of others.
    #[must_use]
    pub fn without(
        self,
        carried: &BTreeSet<OmittedPart>,
        reasons: &BTreeMap<OmittedPart, String>,
    ) -> OmissionReport {
        let mut report = OmissionReport::default();
        for item in self.items {
            let (table, kind, name) = (item.table.clone(), item.omission, item.name.clone());
            let part = OmittedPart { table, kind, name };
            if !carried.contains(&part) {
                *report.counts.entry(item.kind).or_default() += 1;
                report.items.push(OmissionItem { because: reasons.get(&part).cloned(), ..item });
            }
        }
        report
    }

    /// Returns the kinds and their numbers in one line, the most frequent first: `left out: 41 indexes,
    /// 3 views`. Empty if nothing is left out.
    pub fn line(&self) -> String {
        let mut kinds: BTreeMap<OmissionKind, u64> = BTreeMap::new();
        for item in &self.items {
            *kinds.entry(item.omission).or_default() += 1;
        }
        let mut kinds: Vec<(OmissionKind, u64)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        if kinds.is_empty() {
            return String::new();
        }
        let parts: Vec<String> = kinds.iter().map(|(kind, count)| counted(*kind, *count)).collect();
        format!("left out: {}", parts.join(", "))
    }

    /// Returns a line for each table, or thing that is none, with all that is left out of it.
    pub fn lines(&self) -> Vec<String> {
        let mut tables: BTreeMap<&TableName, Vec<String>> = BTreeMap::new();
        for item in &self.items {
            let noun = item.omission.singular();
            let part = match item.name.as_str() {
                "" => noun.to_owned(),
                name => format!("{noun} `{}`", visible(name)),
            };
            let because = item.because.as_deref().map(|why| format!(" ({why})"));
            let part = format!("{part}{}", because.unwrap_or_default());
            tables.entry(&item.table).or_default().push(part);
        }
        let lines = tables.iter();
        lines.map(|(table, parts)| format!("left out of `{table}`: {}", parts.join(", "))).collect()
    }

    /// Says by name which tables have a name of Handoff's own, which none of its databases can hold.
    pub fn reserved(&self) -> Vec<String> {
        let reserved = self.items.iter().filter(|item| item.omission == OmissionKind::ReservedName);
        reserved.map(|item| reserved_note(&item.table)).collect()
    }
}

fn counted(kind: OmissionKind, count: u64) -> String {
    let noun = if count == 1 { kind.singular() } else { kind.plural() };
    format!("{} {noun}", grouped(count))
}

fn reserved_note(table: &TableName) -> String {
    format!(
        "`{table}` of the source is not moved: Handoff keeps tables of such names of its own; name it \
         in `exclude` if it is to be left out"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn omission(table: &str, kind: OmissionKind, name: &str) -> OmittedPart {
        OmittedPart { table: TableName::new(table).unwrap(), kind, name: name.to_owned() }
    }

    #[test]
    fn what_is_left_out_is_one_line_and_all_of_it_is_listed() {
        let mut catalogue = SourceCatalogue::empty();
        catalogue.omissions = vec![
            omission("t", OmissionKind::Index, "k"),
            omission("t", OmissionKind::Index, "l"),
            omission("t", OmissionKind::Check, ""),
            omission("excluded", OmissionKind::Index, "k"),
            omission("etl_copy_status", OmissionKind::ReservedName, ""),
        ];
        let others = vec![omission("v", OmissionKind::View, "")];
        let report = OmissionReport::new(&catalogue, others, |name| name.as_str() != "excluded");
        assert_eq!(
            report.line(),
            "left out: 2 secondary indexes, 1 CHECK, 1 view, 1 table with a name of Handoff's own"
        );
        assert_eq!(
            report.lines(),
            [
                "left out of `etl_copy_status`: table with a name of Handoff's own",
                "left out of `t`: CHECK, secondary index `k`, secondary index `l`",
                "left out of `v`: view",
            ]
        );
        assert_eq!(
            report.reserved(),
            [
                "`etl_copy_status` of the source is not moved: Handoff keeps tables of such names of its \
              own; name it in `exclude` if it is to be left out"
            ]
        );
        assert_eq!(report.counts["index"], 2);
        assert_eq!(OmissionReport::default().line(), "");
    }

    #[test]
    fn what_arrives_after_all_is_taken_out_and_the_rest_has_its_reason() {
        let mut catalogue = SourceCatalogue::empty();
        let [one, other] = ["k", "l"].map(|name| omission("t", OmissionKind::Index, name));
        catalogue.omissions = vec![one.clone(), other.clone()];
        let report = OmissionReport::new(&catalogue, Vec::new(), |_| true);
        let report = report.without(&[one].into(), &[(other, "a reason".to_owned())].into());
        assert_eq!(report.line(), "left out: 1 secondary index");
        assert_eq!(report.lines(), ["left out of `t`: secondary index `l` (a reason)"]);
        assert_eq!(report.counts["index"], 1);
    }
}
