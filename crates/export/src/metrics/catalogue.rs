//! The metrics: names, units, meanings and labels.

/// The unit of a metric, which its name ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricUnit {
    /// A number without a unit.
    Number,
    /// Bytes.
    Bytes,
    /// Seconds; a time is in seconds since 1970.
    Seconds,
}

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub struct MetricSpec {
    /// Its name without the unit.
    pub(super) stem: &'static str,
    /// Its unit.
    pub unit: MetricUnit,
    /// Its labels, in their order.
    pub labels: &'static [&'static str],
    /// Its meaning in a sentence.
    pub help: &'static str,
}

impl MetricSpec {
    /// Returns the full name.
    pub fn name(&self) -> String {
        let stem = self.stem;
        match self.unit {
            MetricUnit::Number => stem.to_owned(),
            MetricUnit::Bytes => format!("{stem}_bytes"),
            MetricUnit::Seconds => format!("{stem}_seconds"),
        }
    }
}

const fn number(
    stem: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { stem, unit: MetricUnit::Number, labels, help }
}

const fn seconds(
    stem: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { stem, unit: MetricUnit::Seconds, labels, help }
}

const fn bytes(
    stem: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { stem, unit: MetricUnit::Bytes, labels, help }
}

pub(super) const RUN_INFO: MetricSpec = number(
    "handoff_run_info",
    &["run_id", "schema", "version"],
    "Always 1; names the last run, the schema of the target and the version of Handoff.",
);
pub(super) const RUN_SUCCESS: MetricSpec = number(
    "handoff_run_success",
    &[],
    "1 if every planned table of the last run arrived and nothing that was compared differs, else 0.",
);
pub(super) const RUN_EXIT: MetricSpec = number(
    "handoff_run_exit_code",
    &[],
    "Exit code of the last run: 0 success, 1 tables failed, 2 configuration, 3 not started, 130 interrupted.",
);
pub(super) const RUN_STARTED: MetricSpec =
    seconds("handoff_run_start_timestamp", &[], "Start of the last run.");
pub(super) const RUN_ENDED: MetricSpec =
    seconds("handoff_run_end_timestamp", &[], "End of the last run.");
pub(super) const RUN_TABLES: MetricSpec =
    number("handoff_run_tables", &["status"], "Tables of the last run by their outcome.");
pub(super) const RUN_TABLE_SUCCESS: MetricSpec = number(
    "handoff_run_table_success",
    &["table", "status"],
    "1 if the table arrived in the last run and nothing that was compared differs, else 0.",
);
pub(super) const RUN_TABLE_VERDICT: MetricSpec = number(
    "handoff_run_table_verdict",
    &["table", "verdict", "by"],
    "Always 1; names the outcome of the comparison in the last run, and its evidence.",
);
pub(super) const RUN_TABLE_MOVED: MetricSpec =
    number("handoff_run_table_moved_rows", &["table", "hop"], "Rows that the last run moved.");
pub(super) const RUN_TABLE_BYTES: MetricSpec =
    bytes("handoff_run_table_moved", &["table", "hop"], "Bytes that the last run sent.");
pub(super) const RUN_TABLE_DURATION: MetricSpec = seconds(
    "handoff_run_table_duration",
    &["table", "hop"],
    "Duration of a hop or of the comparison in the last run.",
);
pub(super) const RUN_TABLE_LOSSY: MetricSpec = number(
    "handoff_run_table_lossy_values",
    &["table", "column", "policy"],
    "Values that a policy changed in the last run.",
);
pub(super) const RUN_TABLE_RETRIES: MetricSpec = number(
    "handoff_run_table_retries",
    &["table"],
    "Steps that the last run tried again after a passing fault.",
);

pub(super) const STATUS_WRITTEN: MetricSpec =
    seconds("handoff_status_timestamp", &[], "Time at which the state was looked up.");
pub(super) const IN_PROGRESS: MetricSpec =
    number("handoff_run_in_progress", &[], "1 if a run is in progress, else 0.");
pub(super) const LAST_RUN_SUCCESS: MetricSpec = number(
    "handoff_recorded_run_success",
    &["status"],
    "1 if the run that is recorded last succeeded, else 0.",
);
pub(super) const LAST_RUN_STARTED: MetricSpec =
    seconds("handoff_recorded_run_start_timestamp", &[], "Start of the run that is recorded last.");
pub(super) const LAST_RUN_ENDED: MetricSpec =
    seconds("handoff_recorded_run_end_timestamp", &[], "End of the run that is recorded last.");
pub(super) const LAST_RUN_TABLES: MetricSpec = number(
    "handoff_recorded_run_tables",
    &["status"],
    "Tables of the run that is recorded last by their outcome.",
);
pub(super) const TABLE_HEALTHY: MetricSpec = number(
    "handoff_table_healthy",
    &["table", "standing"],
    "1 if nothing is to be done about the table, else 0; standing as in etl status --json.",
);
pub(super) const TABLE_DATA: MetricSpec = seconds(
    "handoff_table_data_timestamp",
    &["table"],
    "Time at which reading the source began for the data in the target.",
);
pub(super) const TABLE_ARRIVED: MetricSpec = seconds(
    "handoff_table_arrival_timestamp",
    &["table", "hop"],
    "Arrival of the last good copy or load.",
);
pub(super) const TABLE_ROWS: MetricSpec = number(
    "handoff_table_rows",
    &["table", "side"],
    "Rows of the table on each side at the last count.",
);
pub(super) const TABLE_KEPT: MetricSpec = number(
    "handoff_table_retained_rows",
    &["table"],
    "Rows of the target that the source no longer had at the last count of both.",
);
pub(super) const TABLE_MOVED: MetricSpec =
    number("handoff_table_moved_rows", &["table", "hop"], "Rows that the last good move moved.");
pub(super) const TABLE_BYTES: MetricSpec =
    bytes("handoff_table_moved", &["table", "hop"], "Bytes that the last good move sent.");
pub(super) const TABLE_DURATION: MetricSpec =
    seconds("handoff_table_move_duration", &["table", "hop"], "Duration of the last good move.");
pub(super) const TABLE_VERDICT: MetricSpec = number(
    "handoff_table_verdict",
    &["table", "verdict", "by"],
    "Always 1; names the outcome of the last proof, and its evidence.",
);
pub(super) const TABLE_PROVED: MetricSpec =
    seconds("handoff_table_proof_timestamp", &["table"], "Time of the last proof.");

/// Every metric: those of a run, then those of the recorded state.
pub const ALL_METRICS: &[MetricSpec] = &[
    RUN_INFO,
    RUN_SUCCESS,
    RUN_EXIT,
    RUN_STARTED,
    RUN_ENDED,
    RUN_TABLES,
    RUN_TABLE_SUCCESS,
    RUN_TABLE_VERDICT,
    RUN_TABLE_MOVED,
    RUN_TABLE_BYTES,
    RUN_TABLE_DURATION,
    RUN_TABLE_LOSSY,
    RUN_TABLE_RETRIES,
    STATUS_WRITTEN,
    IN_PROGRESS,
    LAST_RUN_SUCCESS,
    LAST_RUN_STARTED,
    LAST_RUN_ENDED,
    LAST_RUN_TABLES,
    TABLE_HEALTHY,
    TABLE_DATA,
    TABLE_ARRIVED,
    TABLE_ROWS,
    TABLE_KEPT,
    TABLE_MOVED,
    TABLE_BYTES,
    TABLE_DURATION,
    TABLE_VERDICT,
    TABLE_PROVED,
];
