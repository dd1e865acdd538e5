//! The catalogue of a MySQL database and its mapping to PostgreSQL.
