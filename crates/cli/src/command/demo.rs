//! `etl demo`: the whole of Handoff on servers of its own.

use crate::args::DemoArgs;
use crate::exit::{Exit, ReportOutcome};
use crate::failure::Failure;
use crate::human::{count, counted, duration};
use crate::progress;
use crate::report::{self, Listing};
use crate::shell::Shell;
use handoff_model::CancelToken;
use handoff_pipeline::{Pipeline, Prove, RunOptions, RunReport};
use handoff_settings::Settings;
use handoff_testbed::practice::{self, Day, Practice};
use handoff_testbed::{MariaDb, Postgres, ServerOptions, TestbedError};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

const SOURCE: &str = "opendental";
const REPLICA: &str = "opendental_replication";
const TARGET: &str = "opendental_analytics";

/// Starts the servers, makes the practice, carries it, works a day on it, and carries that.
pub(super) fn demo(shell: &Shell, args: &DemoArgs) -> Result<Exit, Failure> {
    let cancel = shell.cancelled_by_signals()?;
    let practice = Practice { scale: args.scale, seed: args.seed };
    let begun = Instant::now();
    let servers = DemoServers::start()?;
    shell.print(&format!(
        "a MariaDB source, a MariaDB replica and a PostgreSQL, started in {}\n",
        duration(begun.elapsed())
    ))?;
    for step in [DemoStep::FirstDay, DemoStep::SecondDay] {
        if cancel.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        shell.print(&servers.change(step, &practice)?)?;
        if cancel.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        let report = servers.carry(shell, &cancel)?;
        if !report.ok {
            shell.print(&report::text(&report, Listing::Slowest))?;
            return Ok(ReportOutcome { ok: report.ok, cancelled: report.cancelled }.into());
        }
        let took = report.finished_at.duration_since(report.started_at);
        let took = duration(Duration::try_from(took).unwrap_or_default());
        shell.print(&format!("moved and proved in {took}\n{}\n", report.conclusion()))?;
    }
    if args.keep {
        servers.keep(shell, &cancel)?;
    }
    Ok(Exit::Well)
}

/// The change to the source before a run.
#[derive(Debug, Clone, Copy)]
enum DemoStep {
    FirstDay,
    SecondDay,
}

/// The three servers. They end when this is dropped, or with the process.
struct DemoServers {
    source: MariaDb,
    replica: MariaDb,
    target: Postgres,
}

impl DemoServers {
    fn start() -> Result<DemoServers, TestbedError> {
        let options = ServerOptions::default();
        let (source, replica, target) = thread::scope(|scope| {
            let source = scope.spawn(|| MariaDb::start(&options));
            let replica = scope.spawn(|| MariaDb::start(&options));
            let target = Postgres::start(&options);
            (source.join(), replica.join(), target)
        });
        let servers = DemoServers {
            source: source.unwrap_or_else(|_| Err(lost()))?,
            replica: replica.unwrap_or_else(|_| Err(lost()))?,
            target: target?,
        };
        servers.source.endpoint().create_database(SOURCE)?;
        servers.source.endpoint().allow(SOURCE)?;
        servers.replica.endpoint().create_database(REPLICA)?;
        servers.replica.endpoint().allow(REPLICA)?;
        servers.target.endpoint().create_database(TARGET)?;
        Ok(servers)
    }

    /// Changes the source as `step` says, and returns what was done in a sentence.
    fn change(&self, step: DemoStep, practice: &Practice) -> Result<String, TestbedError> {
        let begun = Instant::now();
        let mut source = self.source.endpoint().admin_in(SOURCE)?;
        let what = match step {
            DemoStep::FirstDay => {
                let made = practice::create(&mut source, practice)?;
                let tables = counted(made.tables as u64, "table");
                format!("a practice of {tables} and {}", counted(made.rows, "row"))
            }
            DemoStep::SecondDay => {
                let day = practice::a_day_of_work(&mut source, practice, &Day::number(1))?.total();
                format!(
                    "a day of work: {} added, {} changed, {} changed without moving a timestamp, \
                     {} deleted",
                    counted(day.inserted, "row"),
                    count(day.updated),
                    count(day.updated_silently),
                    count(day.deleted)
                )
            }
        };
        Ok(format!("{what}, in {}\n", duration(begun.elapsed())))
    }

    fn carry(&self, shell: &Shell, cancel: &CancelToken) -> Result<RunReport, Failure> {
        let [source, replica, target] = self.urls();
        let settings = Settings::new(&source, Some(&replica), &target)?;
        let options = RunOptions { prove: Prove::Rows, ..RunOptions::default() };
        let pipeline = Pipeline::new(settings)
            .observer(progress::observer(&shell.screen, shell.verbosity, 2))
            .cancel(cancel.clone());
        Ok(pipeline.run(&options)?)
    }

    fn urls(&self) -> [String; 3] {
        [
            self.source.endpoint().reader_url(SOURCE),
            self.replica.endpoint().etl_url(REPLICA),
            self.target.endpoint().etl_url(TARGET),
        ]
    }

    /// Waits for Ctrl-C, so that one can look around.
    fn keep(&self, shell: &Shell, cancel: &CancelToken) -> Result<(), Failure> {
        let file = self.write_settings().map_err(Failure::Output)?;
        let [source, replica, target] = self.urls();
        shell.print(&format!(
            "\nsource   {source}\nreplica  {replica}\ntarget   {target}\n\
             etl run --config {}\nCtrl-C ends the servers.\n",
            file.display()
        ))?;
        while !cancel.is_cancelled() {
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Writes a configuration into the folder of a server, which is removed with the server.
    fn write_settings(&self) -> std::io::Result<PathBuf> {
        let path = self.source.folder().join("handoff.toml");
        let [source, replica, target] = self.urls();
        let text = format!(
            "[source]\nurl = \"{source}\"\n[replica]\nurl = \"{replica}\"\n[target]\nurl = \
             \"{target}\"\n"
        );
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }
}

fn lost() -> TestbedError {
    TestbedError::NotAvailable("a server's thread panicked".to_owned())
}
