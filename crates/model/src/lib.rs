//! The vocabulary of Handoff: names, watermarks, filters, cancellation, events; no I/O.
