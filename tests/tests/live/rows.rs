//! Reading and encoding, with PostgreSQL as the judge: what we send must be, to the byte, what it
//! sends back.
#![expect(clippy::print_stderr, reason = "case counts, and what was not run")]

mod edges;
mod json;
mod policies;
mod random;
mod reading;

use handoff_connect::{MyPool, PgPool, PoolOptions, SessionProfile, Side};
use handoff_model::{CancelToken, ColumnName, LossAudit, RowFilter, TableName};
use handoff_rows::{
    COPY_HEADER, COPY_TRAILER, Encoder, Error, Locking, ReadSpec, RowReader, RowSink, TupleBuffer,
    target_sum, tuples,
};
use handoff_schema::{SourceCatalogue, TableMapping, TableSchema, ddl};
use handoff_settings::{MySqlServer, PgServer, TableSettings, ValuePolicies};
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};
use std::io::Write;
use std::sync::OnceLock;

/// A source and a target, with pools on both.
struct Rig {
    trio: Trio,
    source: MyPool,
    target: PgPool,
}

impl Rig {
    #[track_caller]
    fn new(test: &str) -> Rig {
        Rig::on(Trio::new(test))
    }

    #[track_caller]
    fn on(trio: Trio) -> Rig {
        let options = PoolOptions { size: 4, ..PoolOptions::default() };
        let source = MySqlServer::from_url(&trio.source_url()).unwrap();
        let target = PgServer::from_url(&trio.target_url()).unwrap();
        let source = MyPool::open(&source, Side::Source, &options).unwrap();
        let target = PgPool::open(&target, &options).unwrap();
        trio.sql_target("CREATE SCHEMA raw AUTHORIZATION etl");
        Rig { trio, source, target }
    }

    #[track_caller]
    fn schema(&self, table: &str) -> TableSchema {
        let mut conn = self.source.get(SessionProfile::Read).unwrap();
        let mut catalogue = SourceCatalogue::read(&mut conn, &self.trio.source_name()).unwrap();
        catalogue.tables.remove(&TableName::new(table).unwrap()).unwrap().unwrap()
    }

    /// Carries a table into a fresh one of the target and checks that it comes back to the byte.
    #[track_caller]
    fn carry(&self, table: &str) {
        self.carry_with(table, &[], &ValuePolicies::default()).unwrap();
    }

    #[track_caller]
    fn carry_with(
        &self,
        table: &str,
        overrides: &[(&str, &str)],
        values: &ValuePolicies,
    ) -> Result<LossAudit, Error> {
        let schema = self.schema(table);
        let mut settings = TableSettings::default();
        for &(column, to) in overrides {
            settings.columns.insert(ColumnName::new(column).unwrap(), to.to_owned());
        }
        let mapping = TableMapping::new(&schema, &settings, values).unwrap();
        let mut sink = Gather::new(&mapping, values);
        let select = sink.0.select_list().to_vec();
        let rows = self.read(&schema, &select, &RowFilter::All, Locking::Free, &mut sink)?;
        assert_eq!(rows, sink.0.sum().rows);
        self.check_round_trip(&mapping, &sink);
        Ok(sink.0.audit().clone())
    }

    fn read<S: RowSink>(
        &self,
        table: &TableSchema,
        select: &[String],
        filter: &RowFilter,
        locking: Locking,
        sink: &mut S,
    ) -> Result<u64, S::Error> {
        let cancel = CancelToken::new();
        let mut conn = self.source.get(SessionProfile::Read).unwrap();
        let spec = ReadSpec { table, select, filter, locking, cancel: &cancel };
        RowReader::new(spec).read(&mut conn, sink)
    }

    #[track_caller]
    fn check_round_trip(&self, mapping: &TableMapping, sent: &Gather) {
        let mut conn = self.target.get().unwrap();
        let name = &mapping.pg_table;
        let create = ddl::create_table(mapping, "raw", name, ddl::Persistence::Unlogged);
        let table = ddl::qualified("raw", name);
        conn.batch_execute(&format!("DROP TABLE IF EXISTS {table}; {create}")).unwrap();
        let mut copy = conn.copy_in(&format!("COPY {table} FROM STDIN (FORMAT binary)")).unwrap();
        let stream = [COPY_HEADER, sent.0.bytes(), &COPY_TRAILER].concat();
        copy.write_all(&stream).unwrap();
        copy.finish().unwrap();

        let list = |stream: &mut dyn std::io::BufRead| {
            let mut list = Vec::new();
            tuples(stream, |tuple| list.push(tuple.to_vec())).unwrap();
            list.sort();
            list
        };
        let query = format!("COPY {table} TO STDOUT (FORMAT binary)");
        let received = list(&mut conn.copy_out(&query).unwrap());
        let sent_list = list(&mut &stream[..]);
        for (sent, received) in sent_list.iter().zip(&received) {
            assert_eq!(sent, received, "{}", printable(sent));
        }
        assert_eq!(sent_list.len(), received.len());
        assert_eq!(target_sum(&mut conn, "raw", name, mapping).unwrap(), sent.0.sum());
    }
}

fn printable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Gathers every tuple.
struct Gather(TupleBuffer);

impl Gather {
    fn new(mapping: &TableMapping, values: &ValuePolicies) -> Gather {
        Gather(TupleBuffer::new(Encoder::new(mapping, values)))
    }
}

impl RowSink for Gather {
    type Error = Error;

    fn row(&mut self, row: &[handoff_connect::ValueRef<'_>]) -> Result<(), Error> {
        self.0.push(row)
    }

    fn buffered(&self) -> usize {
        self.0.bytes().len()
    }

    fn threshold(&self) -> usize {
        usize::MAX
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Runs `test` on MariaDB, and on MySQL 9 where it can be had.
fn on_both(name: &str, test: impl Fn(&Rig)) {
    test(&Rig::new(name));
    if let Some(server) = mysql9() {
        let bed = Bed::shared();
        let trio = Trio::on(name, server.endpoint(), bed.replica(), bed.target());
        test(&Rig::on(trio));
    }
}

/// The MySQL 9 of all tests here; like the shared bed, it ends with the process.
fn mysql9() -> Option<&'static MySql9> {
    static SERVER: OnceLock<Option<MySql9>> = OnceLock::new();
    let start = || match MySql9::start(&ServerOptions::default()) {
        Ok(server) => Some(server),
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            None
        }
        Err(error) => panic!("{}", error.chain()),
    };
    SERVER.get_or_init(start).as_ref()
}
