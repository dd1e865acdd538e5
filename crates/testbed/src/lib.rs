//! Throwaway MariaDB, MySQL and PostgreSQL servers and the sample practice.
