//! Disks that are full: small ones that these tests mount, for which they need to be root.

use super::{Before, hasty, mended};
use crate::etl::Etl;
use handoff_testbed::{Bed, MariaDb, Postgres, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// A file system of a few megabytes in memory, taken away with this value.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts it on `folder`, with its owner.
    #[track_caller]
    pub fn on(folder: &Path, megabytes: u32) -> SmallDisk {
        let owner = std::fs::metadata(folder).unwrap();
        let disk = SmallDisk { folder: folder.to_owned() };
        let (uid, gid) = (owner.uid(), owner.gid());
        disk.mount(&format!("size={megabytes}m,mode=700,uid={uid},gid={gid}"));
        disk
    }

    #[track_caller]
    fn grow(&self, megabytes: u32) {
        self.mount(&format!("remount,size={megabytes}m"));
    }

    #[track_caller]
    fn mount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.folder);
        let done = mount.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "a small disk cannot be mounted, as root can: {said}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server has files open there until it stops.
        let done = Command::new("umount").arg("-l").arg(&self.folder).status();
        assert!(done.is_ok_and(|status| status.success()), "{} stays", self.folder.display());
    }
}

/// Four megabytes of news for `sick`, two rows for `well`.
fn much(trio: &Trio) {
    trio.sql_source(
        "INSERT INTO sick SELECT seq, REPEAT(MD5(seq), 10) FROM seq_10_to_40000; \
         UPDATE well SET note = 'new'",
    );
}

fn two(engine: &str) -> String {
    format!(
        "CREATE TABLE sick (id INT PRIMARY KEY, note VARCHAR(400)) ENGINE={engine}; \
         INSERT INTO sick VALUES (1, 'a'), (2, 'b'); \
         CREATE TABLE well (id INT PRIMARY KEY, note VARCHAR(100)) ENGINE={engine}; \
         INSERT INTO well VALUES (1, 'a'), (2, 'b')"
    )
}

#[test]
fn the_targets_disk_is_full() {
    let server = Postgres::start(&ServerOptions::default()).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on("full_target", bed.source(), bed.replica(), server.endpoint());
    let folder = server.folder().join("data").join("small");
    std::fs::create_dir(&folder).unwrap();
    let data = std::fs::metadata(server.folder().join("data")).unwrap();
    std::os::unix::fs::chown(&folder, Some(data.uid()), Some(data.gid())).unwrap();
    let disk = SmallDisk::on(&folder, 4);
    let place = folder.display();
    let database = trio.target_name();
    trio.sql_target(&format!("CREATE TABLESPACE small LOCATION '{place}'"));
    trio.sql_target("GRANT CREATE ON TABLESPACE small TO PUBLIC");
    trio.sql_target(&format!("ALTER DATABASE \"{database}\" SET default_tablespace = small"));

    trio.sql_source(&two("InnoDB"));
    let etl = hasty(&trio.settings_toml());
    etl.ok(&["run"]);
    much(&trio);
    let before = Before::of(&trio);
    let done = etl.run(&["run"]);
    before.fails_alone(&done, &["target", "No space left on device", "53100", "free some space"]);
    disk.grow(64);
    mended(&etl);
    trio.sql_target("DROP SCHEMA raw CASCADE");
    trio.sql_target(&format!("ALTER DATABASE \"{database}\" RESET default_tablespace"));
}

/// A replica whose database has a small disk of its own, once carried, and a source with more than
/// fits there.
fn small_replica(name: &str, engine: &str) -> (MariaDb, Trio, SmallDisk) {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on(name, bed.source(), server.endpoint(), bed.target());
    let disk = SmallDisk::on(&server.folder().join("data").join(trio.replica_name()), 6);
    trio.sql_source(&two(engine));
    hasty(&trio.settings_toml()).ok(&["run"]);
    much(&trio);
    (server, trio, disk)
}

#[test]
fn the_replicas_disk_is_full() {
    let (_server, trio, disk) = small_replica("full_innodb", "InnoDB");
    let etl = hasty(&trio.settings_toml());
    let before = Before::of(&trio);
    let done = etl.run(&["run"]);
    before.fails_alone(&done, &["replica: ", "is full", "(error 1114)", "free some space"]);
    before.replica_is_kept();
    disk.grow(128);
    mended(&etl);
}

/// The server waits, a minute at a time, until somebody makes room for a table without
/// transactions, and tells nobody but its log. The run goes on once there is some.
#[test]
fn the_replicas_disk_is_full_of_a_table_without_transactions() {
    let (server, trio, disk) = small_replica("full_myisam", "MyISAM");
    let etl = hasty(&trio.settings_toml());
    let sum = || trio.replica().query_first::<(String, u64), _>("CHECKSUM TABLE sick").unwrap();
    let (copied, loaded) = (sum(), trio.rows("sick"));
    let mut run = etl.start(&["run"]);
    until(|| std::fs::read_to_string(server.log_path()).unwrap().contains("Disk is full"));
    assert_eq!(run.try_wait().unwrap(), None, "it ended");
    assert_eq!((sum(), trio.rows("sick")), (copied, loaded));
    disk.grow(128);
    assert!(run.wait().unwrap().success());
    mended(&etl);
}

/// The same with a bound on silence: a second session sees what the server waits for, and the table fails.
/// The server's own session goes on waiting, and the next run does not end it, since that has crashed
/// MariaDB.
#[test]
fn a_table_without_transactions_fails_when_the_replicas_disk_stays_full() {
    let (server, trio, disk) = small_replica("full_myisam_bounded", "MyISAM");
    let toml = trio.settings_toml();
    let etl = Etl::with(&format!("{toml}\n[run]\nmax_retries = 0\nsilence_timeout = \"3s\"\n"));
    let loaded = trio.rows("sick");
    let begun = Instant::now();
    let done = etl.run(&["run"]);
    let shown = format!("{}{}", done.stdout, done.stderr);
    assert_eq!(done.code, Some(1), "{shown}");
    assert!(
        shown.contains("the replica's disk is full") && shown.contains("free some space"),
        "{shown}"
    );
    assert!(begun.elapsed() < Duration::from_secs(150), "{:?}", begun.elapsed());
    assert_eq!(trio.rows("sick"), loaded);
    let done = etl.run(&["run"]);
    let shown = format!("{}{}", done.stdout, done.stderr);
    assert_eq!(done.code, Some(1), "{shown}");
    assert!(shown.contains("disk is full: free some space"), "{shown}");
    disk.grow(128);
    let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
                 WHERE STATE = 'Waiting for someone to free space'";
    let mut replica = server.admin().unwrap();
    let end = Instant::now() + Duration::from_secs(90);
    while replica.query_first::<u64, _>(waits).unwrap() != Some(0) {
        assert!(Instant::now() < end, "the server does not see that there is room");
        thread::sleep(Duration::from_millis(500));
    }
    mended(&etl);
}

fn until(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !what() {
        assert!(Instant::now() < end, "it never came");
        thread::sleep(Duration::from_millis(50));
    }
}
