//! Everything that a run does to a table is published at once, with its record, or not at all.

mod killed;
mod readers;
mod refused;

use crate::incremental::Rig;
use handoff_testbed::Trio;
use mysql::prelude::Queryable;

/// A table of 4,000 rows, changed long ago.
const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, v BIGINT NOT NULL, s TIMESTAMP NOT NULL, KEY (s)) \
     ENGINE=InnoDB; INSERT INTO t SELECT seq, seq, '2024-01-01' FROM seq_1_to_4000";

/// Rows go, change and come; some come as nothing tells but a comparison.
const A_DAY: &str = "DELETE FROM t WHERE id % 40 = 7; UPDATE t SET v = v + 100000, s = NOW() WHERE id % 20 = 3; \
     INSERT INTO t SELECT seq, seq, NOW() FROM seq_5001_to_5090; \
     INSERT INTO t SELECT seq, seq, '2020-01-01' FROM seq_6001_to_6005";

/// A way for changed rows, as the settings name it.
#[derive(Debug, Clone, Copy)]
struct Mode {
    name: &'static str,
    settings: &'static str,
}

const MODES: &[Mode] = &[
    Mode {
        name: "sweep",
        settings: "extraction = \"incremental\"\nwatermark = \"s\"\ndeletes = \"sweep\"",
    },
    Mode { name: "count", settings: "extraction = \"incremental\"\nwatermark = \"s\"" },
    Mode {
        name: "slices swept",
        settings: "extraction = \"incremental_chunked\"\nwatermark = \"s\"\ndeletes = \"sweep\"",
    },
    Mode {
        name: "slices counted",
        settings: "extraction = \"incremental_chunked\"\nwatermark = \"s\"",
    },
    Mode { name: "diff", settings: "extraction = \"diff\"" },
    Mode { name: "full", settings: "extraction = \"full_table\"" },
];

impl Mode {
    fn rig(&self, test: &str, source: &str, direct: bool) -> Rig {
        let settings = format!("[selection]\nchunk_rows = 40\n[tables.t]\n{}\n", self.settings);
        let new = if direct { Rig::direct } else { Rig::new };
        new(test, source, &settings)
    }
}

/// What a reader sees of `t`: the number of its rows, and the sum of a column.
type Seen = (i64, i64);

const LOOK: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(v), 0) AS SIGNED) FROM t";
const LOOK_IN_RAW: &str = "SELECT count(*), coalesce(sum(v), 0)::bigint FROM raw.t";

fn source(trio: &Trio) -> Seen {
    trio.source().query_first(LOOK).unwrap().unwrap()
}

fn replica(trio: &Trio) -> Seen {
    trio.replica().query_first(LOOK).unwrap().unwrap()
}

fn raw(trio: &Trio) -> Seen {
    let row = trio.target().query_one(LOOK_IN_RAW, &[]).unwrap();
    (row.get(0), row.get(1))
}

/// What is recorded of the last load that readers see.
fn load_record(trio: &Trio) -> String {
    let ask = "SELECT concat_ws(' ', loaded_copy_id, watermark, checksum, rows_loaded, last_success_at, \
               data_as_of) FROM raw.etl_load_status WHERE table_name = 't'";
    trio.target().query_one(ask, &[]).unwrap().get(0)
}

/// What is recorded of the last copy that hop 2 may read.
fn copy_record(trio: &Trio) -> String {
    let ask = "SELECT CONCAT_WS(' ', copy_id, intact, watermark, rows_copied, last_success_at) \
               FROM etl_copy_status WHERE table_name = 't'";
    trio.replica().query_first(ask).unwrap().unwrap()
}
