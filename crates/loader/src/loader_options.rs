//! The options of all loads of a run.

use handoff_model::{CancelToken, Observer};
use handoff_settings::ValuePolicies;
use std::sync::Arc;

/// The options of all loads of a run.
#[derive(Clone)]
pub struct LoaderOptions {
    /// The schema of the target.
    pub schema: String,
    /// Roles that may read the tables that are created.
    pub grant_select_to: Vec<String>,
    /// The policies for values that PostgreSQL cannot hold.
    pub values: ValuePolicies,
    /// The request to stop.
    pub cancel: CancelToken,
    /// Is told of progress.
    pub observer: Arc<dyn Observer>,
    /// The memory that the load of one table may use, in bytes.
    pub memory_bytes: usize,
    /// The most bytes that one row may have; a larger one fails its table.
    pub largest_row: usize,
}
