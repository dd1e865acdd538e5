//! Connections to MySQL and PostgreSQL: pools, TLS, sessions, retry, faults without row values.
