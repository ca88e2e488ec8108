//! Lists as aligned columns, as wide as the terminal.

use std::io;

/// Columns of a cell before it is cut.
const CELL: usize = 48;

/// Between two columns.
const GAP: usize = 2;

/// A column of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    heading: &'a str,
    /// Characters that a cell keeps at least when the terminal is narrow; all of them if absent.
    least: Option<usize>,
}

impl<'a> Column<'a> {
    /// A column whose cells are never cut for a narrow terminal: identifiers, numbers, moments.
    pub(crate) const fn whole(heading: &'a str) -> Self {
        Self { heading, least: None }
    }

    /// A column whose cells may be cut down to so many characters.
    pub(crate) const fn elastic(heading: &'a str, least: usize) -> Self {
        Self { heading, least: Some(least) }
    }
}

/// Rows under their headings; a column that is empty in all rows is left out.
///
/// On a terminal that is too narrow, cells are cut and then the last columns are left out. What is piped on has all.
pub(crate) fn lines(columns: &[Column<'_>], rows: &[Vec<String>]) -> String {
    lines_within(columns, rows, terminal_width())
}

/// Columns of the terminal; no end of them where there is none.
pub(crate) fn terminal_width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(usize::MAX, |(width, _)| usize::from(width.0))
}

fn lines_within(columns: &[Column<'_>], rows: &[Vec<String>], limit: usize) -> String {
    let shown = fitted(columns, rows, limit);
    let headings: Vec<String> = columns.iter().map(|column| column.heading.to_owned()).collect();
    let mut out = String::new();
    for row in std::iter::once(&headings).chain(rows) {
        let cells = shown.iter().map(|shown| {
            let cell = cut(row.get(shown.index).map_or("", String::as_str), shown.width.min(CELL));
            format!("{cell:<width$}", width = shown.width)
        });
        let line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A column that is shown.
struct Shown {
    index: usize,
    width: usize,
    least: usize,
}

fn fitted(columns: &[Column<'_>], rows: &[Vec<String>], limit: usize) -> Vec<Shown> {
    let mut shown: Vec<Shown> = columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            let widest = cells.map(|cell| length(&cut(cell, CELL))).max().filter(|&width| width > 0)?;
            let heading = length(column.heading).min(CELL);
            let width = widest.max(heading);
            let least = column.least.map_or(width, |least| least.max(heading).min(width));
            Some(Shown { index, width, least })
        })
        .collect();
    while shown.len() > 1 && sum(&shown, |shown| shown.least) > limit {
        shown.pop();
    }
    while sum(&shown, |shown| shown.width) > limit {
        let widest =
            shown.iter_mut().filter(|shown| shown.width > shown.least).max_by_key(|shown| shown.width);
        let Some(widest) = widest else { break };
        widest.width -= 1;
    }
    shown
}

fn sum(shown: &[Shown], width: impl Fn(&Shown) -> usize) -> usize {
    shown.iter().map(width).sum::<usize>() + GAP * shown.len().saturating_sub(1)
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// A text on one line, without what would steer a terminal.
fn cut(text: &str, width: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.replace(char::is_control, "\u{fffd}");
    if length(&line) <= width {
        return line;
    }
    line.chars().take(width.saturating_sub(1)).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'static>; 3] =
        [Column::whole("run"), Column::elastic("name", 6), Column::elastic("metrics", 10)];

    #[track_caller]
    fn check(limit: usize, expected: &str) {
        let cells = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        let rows = [cells(["0123456789", "a-longer-name", "loss 0.25, accuracy 0.9"]), cells(["1", "b", ""])];
        let lines = lines_within(&COLUMNS, &rows, limit);
        assert_eq!(lines, expected);
        assert!(lines.lines().all(|line| length(line) <= limit.max(10)));
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_empty_ones_are_left_out() {
        let columns = ["name", "notes", "version"].map(Column::whole);
        let rows = [vec!["encoder".to_owned(), String::new(), "2".to_owned()], vec!["e".to_owned()]];
        assert_eq!(lines_within(&columns, &rows, usize::MAX), "name     version\nencoder  2\ne\n");
    }

    #[test]
    fn a_narrow_terminal_cuts_first_and_leaves_columns_out_then() {
        let whole = "run         name           metrics\n\
                     0123456789  a-longer-name  loss 0.25, accuracy 0.9\n\
                     1           b\n";
        check(usize::MAX, whole);
        check(50, whole);
        check(36, "run         name         metrics\n0123456789  a-longer-n…  loss 0.25,…\n1           b\n");
        check(30, "run         name    metrics\n0123456789  a-lon…  loss 0.25…\n1           b\n");
        check(29, "run         name\n0123456789  a-longer-name\n1           b\n");
        check(5, "run\n0123456789\n1\n");
    }

    #[test]
    fn a_foreign_text_does_not_steer_the_terminal() {
        assert_eq!(cut("a\u{1b}[2Jb\nc", 20), "a\u{fffd}[2Jb c");
    }
}
