//! Tests without servers.

pub(crate) mod doubles;
