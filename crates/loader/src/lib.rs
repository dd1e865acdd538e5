//! Hop 2: loads a MySQL table into PostgreSQL.
