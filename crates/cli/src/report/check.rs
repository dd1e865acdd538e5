//! The report of `etl check` as text.

use crate::human::counted;
use crate::report::run::Listing;
use handoff_pipeline::{CheckFinding, CheckReport, CheckVerdict};

/// Prints a line a finding, below it its fixes, and at the end how many there are of each kind; with
/// [`Listing::All`] also the parts of the source that do not arrive, by name.
pub fn check_text(report: &CheckReport, listing: Listing) -> String {
    let mut text = report.findings.iter().map(finding).collect::<String>();
    if listing == Listing::All && !report.omissions.items.is_empty() {
        text.push_str(&format!("\n{}\n", report.omissions.lines().join("\n")));
    }
    format!("{text}\n{}\n", conclusion(report))
}

fn finding(finding: &CheckFinding) -> String {
    let CheckFinding { side, subject, verdict, what, fixes } = finding;
    let place = side.to_string();
    let mut text = format!("{verdict:<7}  {place:<7}  {subject:<18}  {what}\n");
    for fix in fixes {
        for line in fix.to_string().lines() {
            text.push_str(&format!("         {line}\n"));
        }
    }
    text
}

fn conclusion(report: &CheckReport) -> String {
    let faults = report.count(CheckVerdict::Fault) as u64;
    let warnings = counted(report.count(CheckVerdict::Warning) as u64, "warning");
    match faults {
        0 => format!("a run can start ({warnings})"),
        _ => format!("a run would fail: {}, {warnings}", counted(faults, "fault")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_connect::Side;
    use handoff_pipeline::{CheckSubject, Fix, FixKind, OmissionReport};
    use jiff::Timestamp;

    #[test]
    fn the_fix_of_a_fault_stands_below_it() {
        let line = |side, subject, verdict, what: &str, fixes| CheckFinding {
            side,
            subject,
            verdict,
            what: what.to_owned(),
            fixes,
        };
        let fix = Fix { kind: FixKind::Statement, text: "GRANT SELECT ON a.* TO b".to_owned() };
        let (source, target) = (Side::Source, Side::Target);
        let mut report = CheckReport {
            checked_at: Timestamp::UNIX_EPOCH,
            ok: false,
            findings: vec![
                line(source, CheckSubject::Version, CheckVerdict::Ok, "MariaDB 10.11.6", vec![]),
                line(
                    source,
                    CheckSubject::Grants,
                    CheckVerdict::Fault,
                    "it may not read",
                    vec![fix],
                ),
                line(target, CheckSubject::Tls, CheckVerdict::Warning, "plain text", vec![]),
            ],
            omissions: OmissionReport::default(),
        };
        assert_eq!(
            check_text(&report, Listing::Slowest).lines().collect::<Vec<_>>(),
            [
                "ok       source   version             MariaDB 10.11.6",
                "fault    source   grants              it may not read",
                "         GRANT SELECT ON a.* TO b;",
                "warning  target   tls                 plain text",
                "",
                "a run would fail: 1 fault, 1 warning",
            ]
        );
        report.findings.remove(1);
        let text = check_text(&report, Listing::All);
        assert!(text.ends_with("\na run can start (1 warning)\n"));
    }
}
