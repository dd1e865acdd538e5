//! PostgreSQL over a Unix socket, where the driver waits on its own.

use handoff_connect::{PgPool, PoolOptions};
use handoff_settings::PgServer;
use handoff_testbed::Trio;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A Unix socket that leads to a server, until that freezes: connections are taken then, and nobody answers.
fn socket_to(folder: &Path, server: &PgServer, frozen: &Arc<AtomicBool>) {
    let listener = UnixListener::bind(folder.join(format!(".s.PGSQL.{}", server.port))).unwrap();
    let (port, frozen) = (server.port, Arc::clone(frozen));
    // It ends with the process.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let ice = Arc::clone(&frozen);
            thread::spawn(move || carry(client, to, &ice));
            let ice = Arc::clone(&frozen);
            thread::spawn(move || back(server, from, &ice));
        }
    });
}

fn carry(mut client: UnixStream, mut server: TcpStream, frozen: &AtomicBool) {
    let _ = pump(&mut client, &mut server, frozen);
    let _ = server.shutdown(Shutdown::Both);
}

fn back(mut server: TcpStream, mut client: UnixStream, frozen: &AtomicBool) {
    let _ = pump(&mut server, &mut client, frozen);
    let _ = client.shutdown(Shutdown::Both);
}

fn pump(from: &mut impl Read, to: &mut impl Write, frozen: &AtomicBool) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer)?;
        while frozen.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(50));
        }
        if length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length])?;
    }
}

#[test]
fn a_postgresql_that_freezes_behind_a_unix_socket_is_given_up() {
    let trio = Trio::new("unix_socket");
    let folder = tempfile::tempdir().unwrap();
    let server = PgServer::from_url(&trio.target_url()).unwrap();
    let frozen = Arc::new(AtomicBool::new(false));
    socket_to(folder.path(), &server, &frozen);
    let server = PgServer { host: folder.path().display().to_string(), ..server };
    let options = PoolOptions { silence: Duration::from_secs(2), ..PoolOptions::default() };
    let pool = PgPool::open(&server, &options).unwrap();
    let mut conn = pool.get().unwrap();
    // A statement that takes longer than silence is waited for, and so is a connection that nobody uses.
    conn.batch_execute("SELECT pg_sleep(5)").unwrap();
    thread::sleep(Duration::from_secs(5));
    conn.batch_execute("SELECT 1").unwrap();

    frozen.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    let error = conn.batch_execute("SELECT 1").unwrap_err();
    let fault = conn.fault(&error);
    frozen.store(false, Ordering::SeqCst);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(fault.is_disconnect() && fault.message().contains("does not sign us in"), "{fault}");
    pool.get().unwrap().batch_execute("SELECT 1").unwrap();
}
