//! Tests without servers.

pub(crate) mod doubles;
pub(crate) mod plans;
