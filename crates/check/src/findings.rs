//! Gathering findings.

use crate::report::{CheckFinding, CheckSubject, CheckVerdict, Fix, FixKind};
use handoff_connect::{Fault, Result, Side, paste_my, paste_pg};
use handoff_model::{is_hidden, visible};

/// The findings of one side, in the order in which they were made.
pub(crate) struct Findings {
    side: Side,
    found: Vec<CheckFinding>,
}

impl Findings {
    pub(crate) fn of(side: Side) -> Findings {
        Findings { side, found: Vec::new() }
    }

    pub(crate) fn side(&self) -> Side {
        self.side
    }

    pub(crate) fn into_vec(self) -> Vec<CheckFinding> {
        self.found
    }

    pub(crate) fn ok(&mut self, subject: CheckSubject, what: impl Into<String>) {
        self.add(subject, CheckVerdict::Ok, what.into());
    }

    pub(crate) fn warning(
        &mut self,
        subject: CheckSubject,
        what: impl Into<String>,
    ) -> &mut CheckFinding {
        self.add(subject, CheckVerdict::Warning, what.into())
    }

    pub(crate) fn fault(
        &mut self,
        subject: CheckSubject,
        what: impl Into<String>,
    ) -> &mut CheckFinding {
        self.add(subject, CheckVerdict::Fault, what.into())
    }

    /// Looks at one subject. What can't be found out is said, and the others are looked at.
    pub(crate) fn look(
        &mut self,
        subject: CheckSubject,
        look: impl FnOnce(&mut Findings) -> Result<()>,
    ) {
        if let Err(fault) = look(self) {
            self.unknown(subject, &fault);
        }
    }

    pub(crate) fn unknown(&mut self, subject: CheckSubject, fault: &Fault) {
        self.untold(subject, fault.message());
    }

    /// Says that something cannot be found out, and why.
    pub(crate) fn untold(&mut self, subject: CheckSubject, why: &str) {
        self.warning(subject, format!("this cannot be found out: {why}"));
    }

    fn add(
        &mut self,
        subject: CheckSubject,
        verdict: CheckVerdict,
        what: String,
    ) -> &mut CheckFinding {
        let side = self.side;
        let what = shown(what);
        self.found.push(CheckFinding { side, subject, verdict, what, fixes: Vec::new() });
        self.found.last_mut().expect("a finding was just pushed")
    }
}

fn shown(what: String) -> String {
    if what.contains(is_hidden) { visible(&what).into_owned() } else { what }
}

impl CheckFinding {
    pub(crate) fn statement(&mut self, sql: impl AsRef<str>) -> &mut CheckFinding {
        let paste = match self.side {
            Side::Source | Side::Replica => paste_my,
            Side::Target => paste_pg,
        };
        self.fix(FixKind::Statement, paste(sql.as_ref()))
    }

    pub(crate) fn setting(&mut self, lines: impl Into<String>) -> &mut CheckFinding {
        self.fix(FixKind::Setting, lines.into())
    }

    pub(crate) fn command(&mut self, line: impl Into<String>) -> &mut CheckFinding {
        self.fix(FixKind::Command, line.into())
    }

    fn fix(&mut self, kind: FixKind, text: String) -> &mut CheckFinding {
        self.fixes.push(Fix { kind, text });
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use handoff_connect::ServerVersion;

    pub(crate) fn version(text: &str) -> ServerVersion {
        ServerVersion::parse(text).unwrap()
    }

    /// Checks the verdict of the only finding that `look` adds.
    #[track_caller]
    pub(crate) fn check(look: impl FnOnce(&mut Findings), expected: CheckVerdict) {
        let mut findings = Findings::of(Side::Source);
        look(&mut findings);
        let found = findings.into_vec().remove(0);
        assert_eq!(found.verdict, expected, "{found:?}");
    }

    #[test]
    fn what_cannot_be_found_out_is_a_warning_and_ends_nothing() {
        let mut findings = Findings::of(Side::Target);
        findings.look(CheckSubject::Clock, |_| Err(Fault::new(Side::Target, "no")));
        findings.ok(CheckSubject::Tls, "good");
        let found = findings.into_vec();
        assert_eq!(found[0].verdict, CheckVerdict::Warning);
        assert!(found[0].what.starts_with("this cannot be found out: "), "{found:?}");
        assert_eq!(found[1].verdict, CheckVerdict::Ok);
    }

    #[test]
    fn a_text_of_a_server_is_shown_without_its_hidden_letters() {
        let mut findings = Findings::of(Side::Source);
        findings.ok(CheckSubject::Tables, "a\u{202e}b");
        assert!(!findings.into_vec()[0].what.contains('\u{202e}'));
    }

    #[test]
    fn fixes_are_told_in_their_order_and_a_statement_ends_with_a_semicolon() {
        let mut findings = Findings::of(Side::Target);
        let fault = findings.fault(CheckSubject::Schema, "no");
        fault.statement("SELECT 1").setting("[run]").command("etl run");
        let found = findings.into_vec().remove(0);
        let fixes: Vec<String> = found.fixes.iter().map(ToString::to_string).collect();
        assert_eq!(fixes, ["SELECT 1;", "[run]", "etl run"]);
        let kinds: Vec<FixKind> = found.fixes.iter().map(|fix| fix.kind).collect();
        assert_eq!(kinds, [FixKind::Statement, FixKind::Setting, FixKind::Command]);
    }
}
