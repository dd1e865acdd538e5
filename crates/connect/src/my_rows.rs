//! Statements and their rows, past the driver.
//!
//! The driver connects and authenticates. It believes what a server tells of its answers, and its rows own
//! their packet and each of their texts, which takes longer than to encode them; so statements and
//! their rows go past the driver, over the same socket. Under TLS that is the socket of the line;
//! see `my_line`.

mod answer;
mod client;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod incoming;
mod local_file;
mod outgoing;
mod packet;
mod packets;
mod row;
mod rows;
mod statement;
mod text;

pub use client::MyClient;
pub use local_file::LoadDataResult;
pub use packet::MyPacket;
pub use rows::MyRows;
