//! Columns that line up.

/// The widest line.
pub(crate) const COLUMNS: usize = 100;

/// Blanks before each line of a table.
const MARGIN: usize = 2;

/// A table under construction. A line ends where its last cell ends; a long last cell goes on in the
/// next line, below its beginning.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Cells(Vec<String>),
    Rule,
}

/// Which way the cells of a column lean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lean {
    Left,
    Right,
}

impl Table {
    pub(crate) fn row<const N: usize>(&mut self, cells: [&dyn ToString; N]) {
        self.cells(cells.iter().map(|cell| cell.to_string()).collect());
    }

    /// A row of as many cells as there happen to be.
    pub(crate) fn cells(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells(cells));
    }

    /// The rows of another table below these.
    pub(crate) fn append(&mut self, mut below: Self) {
        self.rows.append(&mut below.rows);
    }

    /// A line across, between a sum and its parts.
    pub(crate) fn rule(&mut self) {
        self.rows.push(Row::Rule);
    }

    /// The lines, each behind a margin. A column without a lean leans to the left.
    pub(crate) fn render(&self, leans: &[Lean]) -> String {
        let widths = self.widths(leans);
        let mut text = String::new();
        for row in &self.rows {
            let line = match row {
                Row::Cells(cells) => line(cells, &widths, leans),
                Row::Rule => widths
                    .iter()
                    .map(|width| "-".repeat(*width))
                    .collect::<Vec<_>>()
                    .join("  "),
            };
            text.push_str(&" ".repeat(MARGIN));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// A last column that leans to the left needs no width: nothing stands behind it. A rule below it
    /// is as long as the column's first cell.
    fn widths(&self, leans: &[Lean]) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            for (column, cell) in cells.iter().enumerate() {
                let width = cell.chars().count();
                let is_last = column + 1 == cells.len();
                let is_open = is_last && leans.get(column) != Some(&Lean::Right);
                match widths.get_mut(column) {
                    Some(_) if column > 0 && is_open => {}
                    Some(known) => *known = width.max(*known),
                    None => widths.push(width),
                }
            }
        }
        widths
    }
}

fn line(cells: &[String], widths: &[usize], leans: &[Lean]) -> String {
    let mut text = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let is_last = column + 1 == cells.len();
        let indent = MARGIN + text.chars().count();
        let cell = match leans.get(column) {
            Some(Lean::Right) => format!("{cell:>width$}"),
            Some(Lean::Left) | None if is_last => {
                wrapped(cell, COLUMNS.saturating_sub(indent), indent)
            }
            Some(Lean::Left) | None => format!("{cell:<width$}  "),
        };
        text.push_str(&cell);
        if leans.get(column) == Some(&Lean::Right) && !is_last {
            text.push_str("  ");
        }
    }
    text
}

/// Text on lines of at most `width` characters, the second and all further behind `indent` blanks.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}
