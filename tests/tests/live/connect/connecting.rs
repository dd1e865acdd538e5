//! What people read when a server can't be reached or refuses.

use super::{my_server, options, pg_server};
use handoff_connect::{Fault, MyPool, PgPool, Side};
use handoff_model::RunId;
use handoff_settings::{MySqlServer, PgServer, Secret, TlsMode};
use handoff_testbed::Trio;
use std::net::TcpListener;

fn my(server: &MySqlServer) -> Fault {
    match MyPool::open(server, Side::Source, &options(RunId::new())) {
        Ok(_) => panic!("it connected"),
        Err(fault) => fault,
    }
}

fn pg(server: &PgServer) -> Fault {
    match PgPool::open(server, &options(RunId::new())) {
        Ok(_) => panic!("it connected"),
        Err(fault) => fault,
    }
}

#[track_caller]
fn says(fault: &Fault, parts: &[&str]) {
    let text = fault.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
    assert!(!text.contains('\n'), "{text}");
}

#[test]
fn a_port_of_another_protocol_is_named() {
    let trio = Trio::new("other_protocol");
    let (my_good, pg_good) = (my_server(&trio.source_url()), pg_server(&trio.target_url()));
    let fault = my(&MySqlServer { port: pg_good.port, ..my_good.clone() });
    says(&fault, &["source: a PostgreSQL server listens at", "takes MySQL", "url of [source]"]);
    assert!(!fault.is_transient());
    let fault = pg(&PgServer { port: my_good.port, ..pg_good.clone() });
    says(&fault, &["target: a MySQL or MariaDB server listens at", "takes PostgreSQL"]);
    assert!(!fault.is_transient());

    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = web.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in web.incoming().flatten() {
            std::thread::spawn(move || {
                // As a web server does: it says something only to what looks like a request.
                let mut asked = [0; 64];
                let length = std::io::Read::read(&mut client, &mut asked).unwrap_or_default();
                if asked[..length].starts_with(b"GET ") {
                    let _ = std::io::Write::write_all(&mut client, b"HTTP/1.0 200 OK\r\n\r\n");
                }
            });
        }
    });
    says(&my(&MySqlServer { port, ..my_good }), &["a web server listens at", "[source]"]);
    says(&pg(&PgServer { port, ..pg_good }), &["a web server listens at", "[target]"]);
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn mysql_refusals_say_what_to_do() {
    let trio = Trio::new("my_refusals");
    let good = my_server(&trio.source_url());
    let at = format!("{}:{}", good.host, good.port);

    let wrong = MySqlServer { password: Secret::new("not it"), ..good.clone() };
    let fault = my(&wrong);
    says(
        &fault,
        &["source: ", &at, "refuses the account 'reader'@'", "its password", "(error 1045)"],
    );
    assert!(!fault.is_transient() && !fault.to_string().contains("not it"));

    let none = MySqlServer { password: Secret::new(""), ..good.clone() };
    says(&my(&none), &["without a password", "password_env", "[source]"]);

    let port = free_port();
    let fault = my(&MySqlServer { port, ..good.clone() });
    says(&fault, &[&format!("cannot reach {}:{port}", good.host), "is the server up"]);
    assert!(fault.is_transient());

    let unknown = MySqlServer { host: "nowhere.invalid".into(), ..good.clone() };
    let fault = my(&unknown);
    says(&fault, &["nobody knows the host nowhere.invalid"]);
    assert!(!fault.is_transient());

    let admin = my_server(&trio.source_server().url("not_there"));
    says(&my(&admin), &["there is no database not_there on", &at, "(error 1049)"]);

    let denied = MySqlServer { database: "mysql".into(), ..good.clone() };
    says(&my(&denied), &["GRANT SELECT ON `mysql`.* TO 'reader'@'%'"]);

    let mut tls = good;
    tls.tls.mode = TlsMode::Require;
    says(&my(&tls), &["offers no TLS", "switch TLS on at the server"]);
}

#[test]
fn postgresql_refusals_say_what_to_do() {
    let trio = Trio::new("pg_refusals");
    let good = pg_server(&trio.target_url());
    let at = format!("{}:{}", good.host, good.port);

    let fault = pg(&PgServer { password: Secret::new("not it"), ..good.clone() });
    says(&fault, &["target: ", &at, "refuses the account", "(SQLSTATE 28P01)"]);
    assert!(!fault.is_transient() && !fault.to_string().contains("not it"));

    let fault = pg(&PgServer { password: Secret::new(""), ..good.clone() });
    says(&fault, &["without a password", "password_env", "[target]"]);

    let port = free_port();
    let fault = pg(&PgServer { port, ..good.clone() });
    says(&fault, &[&format!("cannot reach {}:{port}", good.host), "is the server up"]);
    assert!(fault.is_transient());

    let fault = pg(&PgServer { host: "nowhere.invalid".into(), ..good.clone() });
    says(&fault, &["nobody knows the host nowhere.invalid"]);

    let fault = pg(&PgServer { database: "not_there".into(), ..good.clone() });
    says(&fault, &["there is no database not_there on", &at, "CREATE DATABASE", "UTF8"]);

    let mut tls = good.clone();
    tls.tls.mode = TlsMode::Require;
    says(&pg(&tls), &["offers no TLS", "[target]"]);

    let fault = pg(&PgServer { host: "/tmp/not-there".into(), ..good });
    says(&fault, &["there is no socket at /tmp/not-there"]);
}

#[test]
fn a_database_in_another_encoding_is_refused() {
    let trio = Trio::new("latin1");
    let name = format!("{}_latin1", trio.target_name());
    trio.sql_target(&format!(
        "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let fault = pg(&pg_server(&trio.target_server().url(&name)));
    trio.sql_target(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
    says(&fault, &["is encoded in LATIN1", "ENCODING 'UTF8'"]);
}

#[test]
fn a_server_is_reached_by_its_name() {
    let trio = Trio::new("localhost");
    let server = MySqlServer { host: "localhost".into(), ..my_server(&trio.replica_url()) };
    MyPool::open(&server, Side::Replica, &options(RunId::new())).unwrap();
}

/// Two servers that take a connection and then close it, as a wrong port or a dying server does.
#[test]
fn a_server_that_hangs_up_is_told() {
    let trio = Trio::new("hangs_up");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let server = MySqlServer { port, ..my_server(&trio.source_url()) };
    says(&my(&server), &[&format!("cannot reach 127.0.0.1:{port}")]);
    let server = PgServer { port, ..pg_server(&trio.target_url()) };
    says(&pg(&server), &[&format!("cannot reach 127.0.0.1:{port}")]);
}
