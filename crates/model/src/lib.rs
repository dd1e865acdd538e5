//! The vocabulary of Handoff: names, keys, watermarks, filters, cancellation and events.
//!
//! Everything here is a plain value. The crate does no I/O and knows no driver, so every other
//! crate may depend on it and it depends on none of them.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`name`] | [`TableName`], [`ColumnName`]: validated identifiers |
//! | [`id`] | [`RunId`], [`CopyId`] |
//! | [`key`] | [`KeyValue`], [`KeyRange`]: typed bounds of a key |
//! | [`filter`] | [`Watermark`], [`RowFilter`]: which rows of a table to move |
//! | [`mode`] | [`Extraction`], [`Strategy`], [`Reason`]: how a table is moved, and why |
//! | [`sum`] | [`TableSum`]: the additive sum of row hashes |
//! | [`lossy`] | [`LossAudit`]: what could not be carried unchanged, counted per column |
//! | [`cancel`] | [`CancelToken`]: cooperative cancellation with hooks |
//! | [`meter`] | [`ProgressMeter`]: progress of one table, told a few times a second |
//! | [`batch`] | [`BatchSize`]: how many rows a statement takes |
//! | [`throttle`] | [`RowThrottle`]: a bound on the rows read in a second |
//! | [`work`] | [`MoveFigures`], [`WaitTimes`], [`MovePerformance`]: the rows of a move and where its time went |
//! | [`own`] | the names of our own tables and locks |
//! | [`human`] | [`grouped`](human::grouped), [`counted`](human::counted), [`bytes`](human::bytes): numbers for people |
//! | [`quote`] | [`shell_word`], [`toml_key`], [`chain`]: what people read, copy and paste |
//! | [`observer`] | [`Observer`], [`RunEvent`]: progress without printing |

#![warn(unreachable_pub)]

pub mod batch;
pub mod cancel;
pub mod filter;
pub mod human;
pub mod id;
pub mod key;
pub mod lossy;
pub mod meter;
pub mod mode;
pub mod name;
pub mod observer;
pub mod own;
pub mod quote;
pub mod sum;
pub mod throttle;
pub mod visible;
pub mod work;

pub use batch::BatchSize;
pub use cancel::{CancelToken, Cancelled, OnCancel};
pub use filter::{RowFilter, Watermark, WatermarkWindow};
pub use id::{CopyId, RunId};
pub use key::{KeyRange, KeyValue};
pub use lossy::{LossAudit, LossCount, LossPolicy};
pub use meter::ProgressMeter;
pub use mode::{Deletes, Extraction, LoadMode, Priority, ProofBy, Reason, Strategy, SumBy};
pub use name::{BadName, ColumnName, TableName};
pub use observer::{NopObserver, Observer, RunEvent, TablePhase};
pub use quote::{chain, shell_path, shell_word, toml_key, toml_string};
pub use sum::TableSum;
pub use throttle::RowThrottle;
pub use visible::{is_hidden, visible, visible_json, visible_lines};
pub use work::{MoveFigures, MovePerformance, WaitClock, WaitTimes, millis};
