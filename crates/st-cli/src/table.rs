//! Lists as aligned columns.

/// Columns of a cell before it is cut.
const CELL: usize = 48;

/// Rows under their headings, two blanks between columns; a column that is empty in all rows is left out.
pub(crate) fn lines(headings: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |row: &[String], column: usize| row.get(column).map_or_else(String::new, |text| cut(text));
    let columns: Vec<(usize, usize)> = (0..headings.len())
        .filter_map(|column| {
            let widest =
                rows.iter().map(|row| cell(row, column).chars().count()).max().filter(|&width| width > 0)?;
            Some((column, widest.max(headings[column].chars().count())))
        })
        .collect();
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let mut out = String::new();
    for row in std::iter::once(&headings).chain(rows) {
        let line: Vec<String> =
            columns.iter().map(|&(column, width)| format!("{:<width$}", cell(row, column))).collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= CELL {
        return line;
    }
    line.chars().take(CELL - 1).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_empty_ones_are_left_out() {
        let rows = [vec!["encoder".to_owned(), String::new(), "2".to_owned()], vec!["e".to_owned()]];
        assert_eq!(lines(&["name", "notes", "version"], &rows), "name     version\nencoder  2\ne\n");
    }
}
