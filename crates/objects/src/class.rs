//! The kinds of objects as the server tells them apart.

use crate::wanted::ObjectKind;

/// The kinds of objects that the server tells apart by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObjectClass {
    Comment,
    Default,
    Identity,
    Index,
    Constraint,
    Trigger,
}

impl ObjectClass {
    pub(crate) fn of(kind: ObjectKind) -> ObjectClass {
        match kind {
            ObjectKind::Comment => ObjectClass::Comment,
            ObjectKind::Default => ObjectClass::Default,
            ObjectKind::Identity => ObjectClass::Identity,
            ObjectKind::Index | ObjectKind::UniqueIndex => ObjectClass::Index,
            ObjectKind::Check | ObjectKind::ForeignKey => ObjectClass::Constraint,
            ObjectKind::OnUpdate => ObjectClass::Trigger,
        }
    }

    pub(crate) fn named(name: &str) -> Option<ObjectClass> {
        Some(match name {
            "comment" => ObjectClass::Comment,
            "default" => ObjectClass::Default,
            "identity" => ObjectClass::Identity,
            "index" => ObjectClass::Index,
            "constraint" => ObjectClass::Constraint,
            "trigger" => ObjectClass::Trigger,
            _ => return None,
        })
    }
}
