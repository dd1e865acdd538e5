//! Texts in columns.

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells, printed as wide as the widest of each column.
pub(crate) struct Columns {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// Starts with the heads of the columns.
    pub(crate) fn new(heads: &[(&str, Align)]) -> Columns {
        Columns {
            align: heads.iter().map(|(_, align)| *align).collect(),
            rows: vec![heads.iter().map(|(head, _)| (*head).to_owned()).collect()],
        }
    }

    /// Adds a row, one cell for each head.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Returns true if there is nothing but the heads.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// Prints the rows, two spaces between columns and none at the end of a line.
    pub(crate) fn print(&self) -> String {
        let widths = (0..self.align.len())
            .map(|column| self.cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect::<Vec<_>>();
        let line = |row: &Vec<String>| {
            let cells =
                row.iter().zip(&widths).zip(&self.align).map(
                    |((cell, width), align)| match align {
                        Align::Left => format!("{cell:<width$}"),
                        Align::Right => format!("{cell:>width$}"),
                    },
                );
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        self.rows.iter().map(line).collect()
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &String> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }
}
