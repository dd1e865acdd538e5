//! Ways of moving rows.

mod chunked;
mod copy_csv;
mod discard;
mod load_input;
mod load_strategy;
mod parallel;
mod replay;
mod standard;
mod strategy_set;
mod streaming;
mod tuple_sink;

pub use chunked::ChunkedLoad;
pub use copy_csv::CopyCsv;
pub use discard::DiscardLoad;
pub use load_input::{LandingMode, LoadInput};
pub use load_strategy::LoadStrategy;
pub use parallel::ParallelLoad;
pub use replay::SpoolReplay;
pub use standard::StandardLoad;
pub use strategy_set::{StrategySet, strategy};
pub use streaming::StreamingLoad;
