//! The expressions to select for a column.

use crate::codec::column_codec::ColumnCodec;
use handoff_connect::quote_my;
use handoff_schema::{ColumnSchema, MySqlType, TextEncoding};

/// The session that reads, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadSession {
    /// A session with its results in utf8mb4, or as they are stored.
    Any,
    /// A session with its results as they are stored.
    Raw,
}

impl ColumnCodec {
    /// Returns the expression to select for a column, and one more where the codec wants to know
    /// whether the server's conversion of a text lost something.
    pub(crate) fn select(
        self,
        column: &ColumnSchema,
        session: ReadSession,
    ) -> (String, Option<String>) {
        let name = quote_my(column.name.as_str());
        let encoding = match self {
            ColumnCodec::Text(encoding)
            | ColumnCodec::Jsonb(encoding)
            | ColumnCodec::Labels { encoding, .. } => encoding,
            ColumnCodec::Bytes if is_plain_text(column) && !is_never_converted(column) => {
                return (format!("CONVERT({name} USING binary)"), None);
            }
            _ => return (name, None),
        };
        let text = match encoding {
            TextEncoding::Utf8 if is_never_converted(column) => name.clone(),
            TextEncoding::Utf8 | TextEncoding::Ascii | TextEncoding::Latin1
                if session == ReadSession::Raw && is_plain_text(column) =>
            {
                name.clone()
            }
            // CAST(… AS BINARY) isn't enough: MariaDB converts what that makes of utf8mb3 all the
            // same, and writes `?` for what is invalid.
            TextEncoding::Utf8 | TextEncoding::Ascii | TextEncoding::Latin1 => {
                format!("CONVERT({name} USING binary)")
            }
            TextEncoding::Server => format!("CONVERT({name} USING utf8mb4)"),
        };
        let exact = (encoding == TextEncoding::Server).then(|| is_exact(&name, column));
        match self {
            ColumnCodec::Labels { terminated: true, .. } => {
                (terminated(&text, &name, column), exact)
            }
            _ => (text, exact),
        }
    }
}

fn is_plain_text(column: &ColumnSchema) -> bool {
    matches!(column.kind, MySqlType::Char | MySqlType::VarChar | MySqlType::Text | MySqlType::Json)
}

fn is_never_converted(column: &ColumnSchema) -> bool {
    matches!(column.charset.as_deref(), None | Some("utf8mb4" | "binary"))
}

/// Renders the labels of a SET with a comma behind each.
///
/// The server puts a comma between two labels unless the text before is empty, so that an empty
/// label, where it is the first of a value, leaves no trace.
fn terminated(text: &str, name: &str, column: &ColumnSchema) -> String {
    let position = match &column.kind {
        MySqlType::Set(labels) => labels.iter().position(String::is_empty).unwrap_or(0),
        _ => 0,
    };
    let empty = 1_u64 << position;
    let up_to_empty = empty | (empty - 1);
    format!(
        "CONCAT(IF({name} & {up_to_empty} = {empty}, ',', ''), {text}, IF({text} = '', '', ','))"
    )
}

/// Renders the condition that converting `name` to utf8mb4 loses nothing.
///
/// Either the way back gives the same bytes, or the conversion wrote no `?` and dropped nothing:
/// cp932 and its like have two codes for some characters, and the way back finds only one.
fn is_exact(name: &str, column: &ColumnSchema) -> String {
    let charset = quote_my(column.charset.as_deref().unwrap_or("utf8mb4"));
    let text = format!("CONVERT({name} USING utf8mb4)");
    format!(
        "{name} IS NULL OR COALESCE(\
         CAST(CONVERT({text} USING {charset}) AS BINARY) = CAST({name} AS BINARY) \
         OR (LOCATE('?', {text}) = 0 AND CHAR_LENGTH({text}) = CHAR_LENGTH({name})), 0)"
    )
}
