//! Every reason, and what makes one go before another.

use super::*;
use crate::WatermarkKind;
use handoff_model::{ColumnName, CopyId, RunId, Watermark};
use handoff_tracking::Status;

const FULL: &str = "000000000000000a";
const LATER: &str = "000000000000000b";
