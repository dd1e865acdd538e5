//! `etl verify`: which rows differ? Changes nothing.

use crate::args::{VerifyArgs, VerifyFrom, VerifyTo};
use crate::exit::{Exit, ReportOutcome};
use crate::failure::Failure;
use crate::progress;
use crate::report::{verify_page, verify_text};
use crate::shell::Shell;
use handoff_connect::Side;
use handoff_pipeline::{Depth, Pipeline, VerifyRequest};
use handoff_settings::Settings;
use handoff_verify::ShowKeys;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// Compares the tables that `args` name, and prints what differs.
pub(super) fn verify(shell: &Shell, args: &VerifyArgs) -> Result<Exit, Failure> {
    let mut settings = shell.settings_with(args.jobs)?;
    if let Some(sums) = args.sums {
        settings.run.sums = sums;
    }
    let page = args.html.as_deref().map(Page::begin).transpose()?;
    let observer = progress::observer(&shell.screen, shell.verbosity, sides(&settings, args));
    let report = Pipeline::new(settings)
        .observer(observer)
        .cancel(shell.cancelled_by_signals()?)
        .verify(&request(args))?;
    if let Some(page) = page {
        page.finish(&verify_page(&report))?;
    }
    if args.json {
        shell.print_json(&report)?;
    } else {
        shell.print(&verify_text(&report, args.limit))?;
    }
    Ok(ReportOutcome { ok: report.ok, cancelled: report.cancelled }.into())
}

/// A page that takes its place when it is whole.
struct Page<'a> {
    path: &'a Path,
    file: NamedTempFile,
}

impl<'a> Page<'a> {
    /// Makes the file before anything is read, so that a wrong path costs no comparison.
    fn begin(path: &'a Path) -> Result<Page<'a>, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let readable = Permissions::from_mode(0o644);
        let file = tempfile::Builder::new()
            .permissions(readable)
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(failed(path))?;
        Ok(Page { path, file })
    }

    fn finish(self, page: &str) -> Result<(), Failure> {
        let Page { path, mut file } = self;
        file.write_all(page.as_bytes()).map_err(failed(path))?;
        file.persist(path).map_err(|error| failed(path)(error.error))?;
        Ok(())
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |source| Failure::Write { path: path.to_owned(), source }
}

/// Returns how many times each row is read.
fn sides(settings: &Settings, args: &VerifyArgs) -> u8 {
    let replica = settings.replica.is_some();
    u8::from(args.from == VerifyFrom::Source)
        + u8::from(replica)
        + u8::from(args.to == VerifyTo::Target)
}

fn request(args: &VerifyArgs) -> VerifyRequest {
    VerifyRequest {
        tables: args.tables.clone(),
        depth: if args.quick { Depth::Quick } else { Depth::Rows },
        from: match args.from {
            VerifyFrom::Source => Side::Source,
            VerifyFrom::Replica => Side::Replica,
        },
        to: match args.to {
            VerifyTo::Replica => Side::Replica,
            VerifyTo::Target => Side::Target,
        },
        keys: if args.show_keys { ShowKeys::All } else { ShowKeys::Harmless },
        ..VerifyRequest::default()
    }
}
