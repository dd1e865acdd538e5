//! Texts in columns.

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnAlign {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells, printed as wide as the widest of each column.
pub(crate) struct TextColumns {
    align: Vec<ColumnAlign>,
    rows: Vec<Vec<String>>,
}

impl TextColumns {
    /// Starts with the heads of the columns.
    pub(crate) fn new(heads: &[(&str, ColumnAlign)]) -> TextColumns {
        TextColumns {
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
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let padded = row.iter().zip(widths).zip(&self.align);
        let cells = padded.map(|((cell, width), align)| match align {
            ColumnAlign::Left => format!("{cell:<width$}"),
            ColumnAlign::Right => format!("{cell:>width$}"),
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &String> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_the_right_and_no_line_ends_in_blanks() {
        let mut columns =
            TextColumns::new(&[("table", ColumnAlign::Left), ("rows", ColumnAlign::Right)]);
        assert!(columns.is_empty());
        columns.row(vec!["patient".to_owned(), "7".to_owned()]);
        columns.row(vec!["a".to_owned(), "1,000".to_owned()]);
        columns.row(vec!["b".to_owned(), String::new()]);
        let printed = columns.print();
        assert_eq!(printed, "table     rows\npatient      7\na        1,000\nb\n");
    }
}
