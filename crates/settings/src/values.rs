//! What to do with what PostgreSQL cannot hold.

/// Zero dates, partial ones (`2020-00-00`), year 0 and impossible days (`2023-02-31`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroDates {
    /// Becomes NULL.
    #[default]
    Null,
    /// Fails the table.
    Fail,
    /// Becomes this date: year, month, day.
    Date(i16, u8, u8),
}

/// NUL bytes in texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NulBytes {
    /// Left out.
    #[default]
    Strip,
    /// Become U+FFFD.
    Replace,
    /// Fail the table.
    Fail,
}

/// Texts that are not valid in their character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadText {
    /// Invalid sequences become U+FFFD.
    Replace,
    /// Fail the table.
    #[default]
    Fail,
}

/// JSON documents that jsonb refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadJson {
    /// Become NULL.
    Null,
    /// Fail the table.
    #[default]
    Fail,
}

/// The policies of `[values]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Values {
    /// `zero_dates`
    pub zero_dates: ZeroDates,
    /// `nul_bytes`
    pub nul_bytes: NulBytes,
    /// `bad_text`
    pub bad_text: BadText,
    /// `bad_json`
    pub bad_json: BadJson,
}
