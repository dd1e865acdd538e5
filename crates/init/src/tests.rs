//! The proposals, from evidence written by hand.

use crate::evidence::{ColumnTally, RecentRows, SeenRows, TableEvidence};
use crate::narrow::NarrowType;
use crate::propose;
use crate::report::{InitReport, Other, TableProposal, TableSize, Unfit, WrittenAs};
use crate::{CertificateStanding, InitServer, InitServers, SeenCertificate, leftovers};
use handoff_model::{Extraction, TableName};
use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, StorageEngine, TableSchema};
use handoff_settings::{Settings, SettingsError};
use jiff::Timestamp;
use std::path::Path;

/// A MyISAM table of 100,000 rows with the key `id` and these columns behind it.
fn large(name: &str, columns: Vec<ColumnSchema>) -> TableSchema {
    let id = ColumnSchema { nullable: false, ..ColumnSchema::of_type("id", "bigint(20)").unwrap() };
    let mut schema = TableSchema {
        engine: StorageEngine::MyIsam,
        rows: 100_000,
        data_bytes: 20_000_000,
        columns: [vec![id], columns].concat(),
        ..TableSchema::empty(name)
    };
    schema.indexes.push(index("PRIMARY", 0));
    schema
}

fn index(name: &str, column: usize) -> IndexSchema {
    let parts = vec![IndexPart { column: Some(column), prefix: None, descending: false }];
    IndexSchema { name: name.to_owned(), unique: name == "PRIMARY", parts }
}

fn column(name: &str, kind: &str) -> ColumnSchema {
    ColumnSchema { nullable: false, ..ColumnSchema::of_type(name, kind).unwrap() }
}

fn stamp(name: &str) -> ColumnSchema {
    ColumnSchema { on_update: true, ..column(name, "timestamp") }
}

fn evidence(schema: &TableSchema) -> TableEvidence<'_> {
    TableEvidence { schema, looked: SeenRows::No, tallies: Vec::new(), recent: None }
}

#[track_caller]
fn check(
    evidence: &TableEvidence<'_>,
    extraction: Extraction,
    written: WrittenAs,
    watermark: &[&str],
) {
    let proposal = propose::table(evidence).extraction.unwrap();
    let columns: Vec<&str> = proposal.watermark.iter().map(|name| name.as_str()).collect();
    assert_eq!(
        (proposal.extraction, proposal.written, columns.as_slice()),
        (extraction, written, watermark),
        "{proposal:?}"
    );
}

#[test]
fn only_what_the_server_moves_is_proposed_in_force() {
    use Extraction::{Auto, FullTable, Incremental};
    use WrittenAs::{Commented, InForce};
    let with = |columns| large("t", columns);
    check(&evidence(&with(vec![stamp("s")])), Incremental, InForce, &["s"]);
    let nullable = ColumnSchema { nullable: true, ..stamp("s") };
    check(&evidence(&with(vec![nullable.clone()])), Incremental, Commented, &["s"]);
    check(&evidence(&with(vec![nullable, stamp("z")])), Incremental, InForce, &["z"]);
    let edited = column("SecDateTEdit", "datetime");
    check(&evidence(&with(vec![edited])), Auto, InForce, &[]);
    let by_hand = vec![column("updated_at", "timestamp"), column("modified", "datetime")];
    check(&evidence(&with(by_hand)), Auto, InForce, &[]);
    check(&evidence(&with(vec![column("day", "date")])), Auto, InForce, &[]);

    let without_key = TableSchema { indexes: Vec::new(), ..with(vec![stamp("s")]) };
    check(&evidence(&without_key), FullTable, InForce, &[]);
    let mut by_text = with(vec![column("code", "varchar(10)")]);
    by_text.indexes = vec![index("PRIMARY", 1)];
    check(&evidence(&by_text), Auto, InForce, &[]);
    // What MySQL calls equal there is more than what is.
    let mut by_time = with(vec![column("code", "float")]);
    by_time.indexes = vec![index("PRIMARY", 1)];
    check(&evidence(&by_time), FullTable, InForce, &[]);
}

#[test]
fn an_indexed_column_wins_over_one_without() {
    let mut schema = large("t", vec![stamp("a"), stamp("b")]);
    schema.indexes.push(index("b", 2));
    check(&evidence(&schema), Extraction::Incremental, WrittenAs::InForce, &["b"]);
    let proposal = propose::table(&evidence(&schema)).extraction.unwrap();
    assert_eq!(proposal.why[1], "An index finds the changed rows.");
}

#[test]
fn a_table_that_moves_as_a_whole_is_left_to_a_person() {
    let schema = large("t", vec![stamp("s")]);
    let with = |rows| TableEvidence {
        recent: Some(RecentRows { rows, of: 100_000, capped: false }),
        ..evidence(&schema)
    };
    check(&with(400), Extraction::Incremental, WrittenAs::InForce, &["s"]);
    check(&with(60_000), Extraction::Incremental, WrittenAs::Commented, &["s"]);
    let why = |rows| propose::table(&with(rows)).extraction.unwrap().why[2].clone();
    assert_eq!(why(0), "0 of 100,000 rows changed in the last 30 days.");
    assert_eq!(why(7), "7 of 100,000 rows changed in the last 30 days (below 0.1 %).");
    assert_eq!(why(400), "400 of 100,000 rows changed in the last 30 days (0.4 %).");
}

#[test]
fn small_and_empty_tables_are_copied_in_full_without_a_word() {
    let schema = TableSchema { rows: 9_999, data_bytes: 3_999_999, ..large("t", vec![stamp("s")]) };
    let proposal = propose::table(&evidence(&schema));
    assert_eq!((proposal.size, proposal.extraction), (TableSize::Small, None));
    let empty = TableSchema { rows: 0, data_bytes: 0, ..schema };
    assert_eq!(propose::table(&evidence(&empty)).size, TableSize::Empty);
}

#[test]
fn a_type_is_narrower_only_if_every_value_fits_and_enough_were_seen() {
    #[track_caller]
    fn check(kind: &str, values: u64, misfits: u64, ones: u64, expected: Option<&str>) {
        let schema = large("t", vec![column("c", kind)]);
        let narrow = NarrowType::of(&schema.columns[1]).unwrap();
        let tally = ColumnTally { column: 1, narrow, values, misfits, ones };
        let evidence = TableEvidence {
            looked: SeenRows::Spread { rows: 50_000 },
            tallies: vec![tally],
            ..evidence(&schema)
        };
        let proposed = propose::table(&evidence).columns;
        assert_eq!(proposed.first().map(|column| column.to), expected, "{kind} {proposed:?}");
    }
    check("tinyint(1)", 3, 0, 0, Some("boolean"));
    check("tinyint(1)", 50_000, 1, 7, None);
    check("tinyint(1)", 0, 0, 0, None);
    check("tinyint(4)", 50_000, 0, 7, Some("boolean"));
    check("tinyint(4)", 50_000, 0, 0, None);
    check("tinyint(4)", 50_000, 0, 50_000, None);
    check("tinyint(4)", 999, 0, 7, None);
    check("time", 100, 0, 0, Some("time"));
    check("time", 99, 0, 0, None);
    check("time(3)", 50_000, 1, 0, None);
    check("binary(16)", 10, 0, 0, Some("uuid"));
    check("varbinary(16)", 10, 0, 0, Some("uuid"));
    check("bigint(20) unsigned", 10, 0, 0, Some("bigint"));
    for kind in ["varbinary(17)", "binary(15)", "bigint", "smallint", "char(36)"] {
        assert_eq!(NarrowType::of(&column("c", kind)), None, "{kind}");
    }
}

fn report(tables: Vec<TableProposal>) -> InitReport {
    let name = |name| TableName::new(name).unwrap();
    let names = ["a", "a_old", "tmp_${X}[1]\n"].into();
    InitReport {
        made_at: Timestamp::UNIX_EPOCH,
        source: "mysql://reader@clinic:3306/app".to_owned(),
        server: "MariaDB 10.11.6".to_owned(),
        certificate: None,
        rows_looked_at: true,
        tables,
        unfit: vec![Unfit { table: name("wide"), why: "too\nwide".to_owned() }],
        omissions: Default::default(),
        not_carried: vec![Other { name: "v\n".to_owned(), kind: "VIEW".to_owned() }],
        exclude: leftovers::among(&names),
    }
}

fn server(url: &str) -> InitServer {
    // A variable that is always there.
    InitServer { url: url.to_owned(), password_env: "PATH".to_owned(), has_password: false }
}

/// Takes the # off every proposal.
fn uncommented(file: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => {
            format!("{key}\n")
        }
        _ => format!("{line}\n"),
    };
    file.lines().map(line).collect()
}

fn load(handoff: &str, tables: &str) -> Result<Settings, SettingsError> {
    // One text of both files: the settings take tables in either.
    Settings::from_toml(&format!("{handoff}\n{tables}"), Path::new("handoff.toml"))
}

#[test]
fn the_files_load_as_they_are_and_with_every_proposal_taken() {
    let odd = large("odd.na\"me\n", vec![column("we ird\n", "tinyint(1)")]);
    let schemas = [
        large("procedurelog", vec![stamp("DateTStamp"), column("IsLocked", "tinyint(1)")]),
        large("edited", vec![column("edited_at", "datetime"), column("changed", "datetime")]),
        large("logged", vec![column("text", "text")]),
        odd,
    ];
    let proposals = schemas.iter().map(|schema| {
        let tallies = schema.columns.iter().enumerate().filter_map(|(index, column)| {
            let narrow = NarrowType::of(column)?;
            Some(ColumnTally { column: index, narrow, values: 10, misfits: 0, ones: 1 })
        });
        let tallies = tallies.collect();
        propose::table(&TableEvidence {
            looked: SeenRows::All { rows: 10 },
            tallies,
            ..evidence(schema)
        })
    });
    let report = report(proposals.collect());
    let servers = InitServers {
        source: server("mysql://reader@clinic:3306/app"),
        replica: None,
        target: Some(server("postgres://etl@127.0.0.1:5432/raw")),
    };
    let (handoff, tables) = (report.handoff_toml(&servers), report.tables_toml());

    let settings = load(&handoff, &tables).unwrap();
    assert_eq!(settings.replica, None);
    assert_eq!(settings.source.host, "clinic");
    assert_eq!(settings.run.exclude, Vec::<String>::new());
    let name = |name| TableName::new(name).unwrap();
    let of = |table| settings.table(&name(table));
    assert_eq!(of("procedurelog").extraction, Some(Extraction::Incremental));
    assert_eq!((of("edited").extraction, of("logged").extraction), (None, None));
    assert!(settings.tables.values().all(|table| table.columns.is_empty()));

    let handoff = uncommented(&handoff).replace("REPLICA_PASSWORD", "PATH");
    let settings = load(&handoff, &uncommented(&tables)).unwrap();
    assert!(settings.replica.is_some());
    assert_eq!(settings.run.exclude, ["wide", "a_old", "tmp_$\\{X\\}\\[1\\]\n"]);
    let of = |table| settings.table(&name(table));
    assert_eq!(of("edited").extraction, None);
    assert_eq!(of("logged").extraction, None);
    assert_eq!(of("procedurelog").columns.len(), 1);
    let (column, to) = of("odd.na\"me\n").columns.pop_first().unwrap();
    assert_eq!((column.as_str(), to.as_str()), ("we ird\n", "boolean"));
}

#[test]
fn a_password_is_named_and_never_written() {
    let servers = InitServers {
        source: InitServer { has_password: true, ..server("mysql://a@b:3306/c") },
        replica: Some(server("mysql://a@b:3306/d")),
        target: None,
    };
    let file = report(Vec::new()).handoff_toml(&servers);
    assert!(file.contains("[source]\nurl = \"mysql://a@b:3306/c\"\npassword_env = \"PATH\"\n"));
    assert!(file.contains("[replica]\nurl = \"mysql://a@b:3306/d\"\n#password_env = \"PATH\"\n"));
    assert!(file.contains("# TO DO: this is an example.\n[target]\n"));
}

#[test]
fn a_certificate_is_pinned_with_a_word_of_how_far_to_trust_it() {
    let servers = InitServers {
        source: server("mysql://reader@clinic:3306/app"),
        replica: None,
        target: Some(server("postgres://etl@127.0.0.1:5432/raw")),
    };
    let fingerprint = format!("sha256:{}", "0f".repeat(32));
    let pinned = |file: &str| load(file, "").unwrap().source.tls.fingerprint;
    for (standing, in_force, says) in [
        (CertificateStanding::Given, true, "as given"),
        (CertificateStanding::Seen, true, "not verified"),
        (CertificateStanding::Passing, false, "at its next start"),
    ] {
        let certificate = Some(SeenCertificate { fingerprint: fingerprint.clone(), standing });
        let file = InitReport { certificate, ..report(Vec::new()) }.handoff_toml(&servers);
        assert!(file.contains(says), "{file}");
        assert_eq!(pinned(&file).is_some(), in_force, "{file}");
        let taken = file.replace("\n#tls_", "\ntls_");
        assert_eq!(pinned(&taken).unwrap().to_string(), fingerprint);
    }
}
