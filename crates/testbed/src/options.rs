use std::path::PathBuf;

/// The set-up of a throwaway server.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// The cost of a commit.
    pub durability: Durability,
    /// Further arguments, after (and so instead of) ours: `--sql-mode=ANSI` for MariaDB and MySQL,
    /// `-c`, `work_mem=64MB` for PostgreSQL.
    pub arguments: Vec<String>,
    /// The folder with the server's programs, where it isn't the one found by itself. For
    /// PostgreSQL the folder with `initdb` and `postgres`, for MariaDB with `mariadbd`.
    pub programs: Option<PathBuf>,
}

/// The cost of a commit on a throwaway server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Nothing is flushed to disk: for tests, also those that kill a server, since what the
    /// operating system has accepted survives the end of a process.
    #[default]
    Fast,
    /// As the server comes, with redo logs of a usual size: for benchmarks.
    Durable,
}
