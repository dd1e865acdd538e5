//! Tables that are left alone since the server tells for sure that nothing was written to them, and the
//! ways in which a server only seems to.

mod empty;
mod evidence;
mod hops;

use crate::incremental::Rig;
use handoff_testbed::Trio;
use mysql::prelude::Queryable;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

pub const TWO_HOURS: Duration = Duration::from_secs(7_200);

/// A table of two rows that was written a while ago.
const ISAM: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT, w VARCHAR(9)) ENGINE=MyISAM; \
                    INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')";

/// Makes it look as if `t` was last written `ago`; `data` is the ending of the file of its rows.
#[track_caller]
pub fn written(trio: &Trio, data: &str, ago: Duration) {
    until_believed(trio);
    set_time(trio, data, SystemTime::now() - ago);
}

/// Waits until the server is up long enough to be believed.
#[track_caller]
fn until_believed(trio: &Trio) {
    let mut admin = trio.source();
    let mut up = || -> u64 {
        let (_, up): (String, u64) =
            admin.query_first("SHOW GLOBAL STATUS LIKE 'Uptime'").unwrap().unwrap();
        up
    };
    while up() < 3 {
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[track_caller]
fn set_time(trio: &Trio, data: &str, time: SystemTime) {
    let file = File::options().write(true).open(file(trio, data)).unwrap();
    file.set_modified(time).unwrap();
}

#[track_caller]
fn time(trio: &Trio, data: &str) -> SystemTime {
    std::fs::metadata(file(trio, data)).unwrap().modified().unwrap()
}

#[track_caller]
fn file(trio: &Trio, data: &str) -> PathBuf {
    let folder: String = trio.source().query_first("SELECT @@datadir").unwrap().unwrap();
    PathBuf::from(folder).join(trio.source_name()).join(format!("t.{data}"))
}

/// A rig whose only table was written two hours ago, carried once.
#[track_caller]
fn carried(test: &str) -> Rig {
    let rig = Rig::new(test, ISAM, "");
    written(&rig.trio, "MYD", TWO_HOURS);
    rig.moves("full_table", "first_run", 2);
    rig
}

/// Fails unless a run moves nothing of the table.
#[track_caller]
fn is_left_alone(rig: &Rig) {
    let table = rig.moves("full_table", "unchanged", 0);
    assert!(table["copy"].is_null() && table["load"].is_null(), "{table}");
    assert_eq!(table["status"], "ok", "{table}");
}

/// The value of `v` in the row with the id 1 of the target.
#[track_caller]
fn arrived(rig: &Rig) -> String {
    rig.trio.rows("t")[0][1].clone().unwrap()
}
